//! Asks a [`Table`] for its keys, one by one, and collects every mistake instead of stopping at the first. What was never
//! asked for is unknown, and the keys that were asked for are the suggestions.

use super::mistake::{Mistake, Place, Wrong, nearest};
use super::tree::{Entry, Table, Value};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// The longest text a file may give as one value, in bytes.
pub const MAX_TEXT_BYTES: usize = 4_096;

/// What environment variables that override keys begin with; sections and keys follow, parted by two underscores.
pub const ENV_PREFIX: &str = "HEARTHWATCH__";

/// One reading of one file. The sections write their mistakes here.
#[derive(Debug, Default)]
pub struct Reader {
    file: String,
    /// By the name of the variable.
    overrides: BTreeMap<String, Value>,
    mistakes: RefCell<Vec<Mistake>>,
    /// Every key asked for, as (section, key). Kept only where variables may override or tests want to know.
    asked: Option<RefCell<Vec<(String, &'static str)>>>,
}

impl Reader {
    /// Reads `file`, and nothing else.
    pub fn new(file: &str) -> Reader {
        Reader { file: file.to_owned(), ..Reader::default() }
    }

    /// Reads `file`, whose keys the variables beginning with [`ENV_PREFIX`] override. Others are passed over.
    pub fn with_overrides(file: &str, env: impl IntoIterator<Item = (String, String)>) -> Reader {
        let ours = env.into_iter().filter(|(name, _)| name.starts_with(ENV_PREFIX));
        let overrides = ours.map(|(name, text)| (name, Value::Loose(text))).collect();
        Reader { overrides, asked: Some(RefCell::default()), ..Reader::new(file) }
    }

    /// A section of the file; `path` is its name in messages, empty for the file itself.
    pub fn section<'r>(&'r self, path: &str, table: &'r Table) -> Section<'r> {
        Section { reader: self, path: path.to_owned(), table, asked: RefCell::default() }
    }

    /// Whether nothing is wrong so far.
    pub fn is_clean(&self) -> bool {
        self.mistakes.borrow().is_empty()
    }

    /// Adds a mistake that no key is to blame for.
    pub fn add(&self, mistake: Mistake) {
        self.mistakes.borrow_mut().push(mistake);
    }

    /// Every key that was asked for, as (section, key).
    pub fn asked(&self) -> Vec<(String, &'static str)> {
        self.asked.as_ref().map(|a| a.borrow().clone()).unwrap_or_default()
    }

    /// All mistakes, in the order of the file; variables that override nothing are among them.
    pub fn finish(self) -> Vec<Mistake> {
        let known: Vec<String> = self.asked().iter().map(|(section, key)| variable(section, key)).collect();
        let mut mistakes = self.mistakes.into_inner();
        for name in self.overrides.keys().filter(|name| !known.contains(name)) {
            let place = Place { file: "environment".into(), line: None, key: name.clone() };
            mistakes.push(Mistake::new(place, unknown(name, known.iter().map(String::as_str))));
        }
        mistakes.sort_by(|a, b| a.place.cmp(&b.place));
        mistakes
    }
}

fn variable(section: &str, key: &str) -> String {
    let path = if section.is_empty() { key.to_owned() } else { format!("{section}.{key}") };
    format!("{ENV_PREFIX}{}", path.replace('.', "__").replace('-', "_").to_uppercase())
}

fn unknown<'a>(name: &str, known: impl Iterator<Item = &'a str> + Clone) -> Wrong {
    let remedy = match nearest(name, known.clone()) {
        Some(meant) => format!("did you mean {meant}?"),
        None if known.clone().next().is_none() => "remove it".to_owned(),
        None => {
            let mut known: Vec<&str> = known.collect();
            known.sort_unstable();
            known.dedup();
            format!("remove it; known here are {}", shortened(&known))
        }
    };
    Wrong::new("is not known", remedy)
}

fn shortened(words: &[&str]) -> String {
    match words.get(..20) {
        Some(first) => format!("{} and {} more", first.join(", "), words.len() - 20),
        None => words.join(", "),
    }
}

/// One section, or one row of a list. End it with [`Section::close`], which reports the unknown keys.
#[derive(Debug)]
pub struct Section<'r> {
    reader: &'r Reader,
    path: String,
    table: &'r Table,
    asked: RefCell<Vec<&'static str>>,
}

impl<'r> Section<'r> {
    /// The place of a key, or of the section where the key is missing.
    pub fn place(&self, key: &str) -> Place {
        let entry = self.table.get(key);
        let shown = entry.map_or(key, |e| &e.shown);
        let key = if self.path.is_empty() { shown.to_owned() } else { format!("{}.{shown}", self.path) };
        Place { file: self.reader.file.clone(), line: entry.map_or(self.table.line, |e| e.line), key }
    }

    /// Reports a mistake at a key.
    pub fn blame(&self, key: &str, wrong: Wrong) {
        self.reader.add(Mistake::new(self.place(key), wrong));
    }

    /// Whether the file (or a variable) says anything about the key.
    pub fn has(&self, key: &'static str) -> bool {
        self.find(key).is_some()
    }

    /// The value of a key as `read` understands it; none where it is missing or wrong (which is then reported).
    pub fn get<T>(&self, key: &'static str, read: impl FnOnce(&Value) -> Result<T, Wrong>) -> Option<T> {
        let (place, value) = self.find(key)?;
        read(value).map_err(|wrong| self.reader.add(Mistake::new(place, wrong))).ok()
    }

    /// The same for a key that must be there; `remedy` tells what to write.
    pub fn need<T>(&self, key: &'static str, remedy: &str, read: impl FnOnce(&Value) -> Result<T, Wrong>) -> Option<T> {
        if !self.has(key) {
            self.blame(key, Wrong::new("is missing", remedy));
        }
        self.get(key, read)
    }

    pub fn text(&self, key: &'static str, default: &str) -> String {
        self.get(key, text).unwrap_or_else(|| default.to_owned())
    }

    /// A number within a range, which the unit in the key's name explains.
    pub fn number(&self, key: &'static str, range: RangeInclusive<u32>, default: u32) -> u32 {
        self.get(key, |v| number(v, range)).unwrap_or(default)
    }

    pub fn flag(&self, key: &'static str, default: bool) -> bool {
        self.get(key, flag).unwrap_or(default)
    }

    /// What one of the given words means.
    pub fn choice<T: Copy>(&self, key: &'static str, words: &[(&str, T)], default: T) -> T {
        self.get(key, |v| choice(v, words)).unwrap_or(default)
    }

    /// A section within this one; empty where the file has none, since variables may fill it.
    pub fn inner(&self, key: &'static str) -> Section<'r> {
        static EMPTY: Table = Table { line: None, entries: Vec::new() };
        self.asked.borrow_mut().push(key);
        let table = match self.table.get(key).map(|e| &e.value) {
            Some(Value::Table(table)) => table,
            Some(other) => {
                self.blame(key, mismatch(other, "a section"));
                &EMPTY
            }
            None => &EMPTY,
        };
        self.reader.section(&self.join(key), table)
    }

    /// The sections of this one, which people name: `[site.NAME]`.
    pub fn each(&self) -> Vec<(&'r str, Section<'r>)> {
        let mut found = Vec::new();
        for Entry { name, value, .. } in &self.table.entries {
            match value {
                Value::Table(table) => found.push((name.as_str(), self.reader.section(&self.join(name), table))),
                other => self.blame(name, mismatch(other, "a section")),
            }
        }
        found
    }

    /// A section of texts that people name, such as headers; what is no text is reported.
    pub fn texts(&self, key: &'static str) -> Vec<(&'r str, String)> {
        let section = self.inner(key);
        let read = |entry: &'r Entry| {
            let text = filled(&entry.value).map_err(|wrong| section.blame(&entry.name, wrong)).ok()?;
            Some((entry.name.as_str(), text))
        };
        section.table.entries.iter().filter_map(read).collect()
    }

    /// The rows of a list of sections: `[[console.account]]`. In messages they count from 1.
    pub fn rows(&self, key: &'static str) -> Vec<Section<'r>> {
        self.asked.borrow_mut().push(key);
        let mut found = Vec::new();
        let list = match self.table.get(key).map(|e| &e.value) {
            Some(Value::List(list)) => list.as_slice(),
            Some(other) => {
                self.blame(key, mismatch(other, "a list of sections"));
                &[]
            }
            None => &[],
        };
        for (at, value) in list.iter().enumerate() {
            match value {
                Value::Table(table) => {
                    found.push(self.reader.section(&format!("{}[{}]", self.join(key), at + 1), table))
                }
                other => self.blame(key, mismatch(other, "a list of sections")),
            }
        }
        found
    }

    /// Reports every key that was never asked for.
    pub fn close(&self) {
        let asked = self.asked.borrow();
        for entry in self.table.entries.iter().filter(|e| !asked.contains(&e.name.as_str())) {
            self.blame(&entry.name, unknown(&entry.shown, asked.iter().copied()));
        }
    }

    fn join(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    fn find(&self, key: &'static str) -> Option<(Place, &'r Value)> {
        self.asked.borrow_mut().push(key);
        if let Some(asked) = &self.reader.asked {
            asked.borrow_mut().push((self.path.clone(), key));
            let name = variable(&self.path, key);
            if let Some(value) = self.reader.overrides.get(&name) {
                return Some((Place { file: "environment".into(), line: None, key: name }, value));
            }
        }
        self.table.get(key).map(|e| (self.place(key), &e.value))
    }
}

fn mismatch(value: &Value, wanted: &str) -> Wrong {
    Wrong::new(format!("is {}, but must be {wanted}", value.type_name()), format!("write {wanted}"))
}

/// A text of at most [`MAX_TEXT_BYTES`] without control characters, trimmed.
pub fn text(value: &Value) -> Result<String, Wrong> {
    let (Value::Text(text) | Value::Loose(text)) = value else {
        let mut wrong = mismatch(value, "a text");
        wrong.remedy = "put it in quotes".into();
        return Err(wrong);
    };
    let text = text.trim();
    if text.len() > MAX_TEXT_BYTES {
        return Err(Wrong::new(format!("has {} bytes", text.len()), format!("shorten it to {MAX_TEXT_BYTES} at most")));
    }
    if text.chars().any(|c| c.is_control() && c != '\n') {
        return Err(Wrong::new("holds control characters", "remove them"));
    }
    Ok(text.to_owned())
}

/// A text that must say something.
pub fn filled(value: &Value) -> Result<String, Wrong> {
    match text(value)? {
        empty if empty.is_empty() => Err(Wrong::new("is empty", "fill it or remove the key")),
        text => Ok(text),
    }
}

/// What `T` makes of a text, an id for instance.
pub fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(value: &Value) -> Result<T, Wrong> {
    filled(value)?.parse().map_err(|e: T::Err| Wrong::new(format!("is not valid ({e})"), "correct it"))
}

/// A whole number within a range.
pub fn number(value: &Value, range: RangeInclusive<u32>) -> Result<u32, Wrong> {
    let remedy = format!("write a number of {} to {}", range.start(), range.end());
    let found = match value {
        Value::Integer(number) => Some(*number),
        Value::Loose(text) => text.trim().parse().ok(),
        _ => None,
    };
    let Some(found) = found else {
        return Err(Wrong::new(format!("is {}, but must be a whole number", value.type_name()), remedy));
    };
    match u32::try_from(found).ok().filter(|n| range.contains(n)) {
        Some(number) => Ok(number),
        None => Err(Wrong::new(format!("is {found}, but must lie in {} to {}", range.start(), range.end()), remedy)),
    }
}

/// Yes or no; cells may say it in the words people write in tables. An empty cell is a no.
pub fn flag(value: &Value) -> Result<bool, Wrong> {
    match value {
        Value::Flag(flag) => Ok(*flag),
        Value::Loose(word) => match word.trim().to_lowercase().as_str() {
            "true" | "yes" | "y" | "1" | "是" | "有" => Ok(true),
            "" | "false" | "no" | "n" | "0" | "否" | "无" | "没有" => Ok(false),
            _ => Err(Wrong::new("is neither yes nor no", "write true or false")),
        },
        other => Err(mismatch(other, "true or false")),
    }
}

/// One of the given words. Several words may mean the same; an empty one is not told to anybody.
pub fn choice<T: Copy>(value: &Value, words: &[(&str, T)]) -> Result<T, Wrong> {
    let word = text(value)?;
    if let Some((_, found)) = words.iter().find(|(w, _)| *w == word) {
        return Ok(*found);
    }
    let known = || words.iter().map(|(w, _)| *w).filter(|w| !w.is_empty());
    let remedy = match nearest(&word, known()) {
        Some(meant) => format!("did you mean {meant}?"),
        None => format!("write one of {}", known().collect::<Vec<_>>().join(", ")),
    };
    Err(Wrong::new(format!("may not be {word:?}"), remedy))
}

/// A list of texts; a cell parts them by `;`, `,` or the Chinese `、`.
pub fn list(value: &Value) -> Result<Vec<String>, Wrong> {
    match value {
        Value::List(items) => items.iter().map(filled).collect(),
        Value::Loose(cell) => {
            let parts = cell.split([';', '；', ',', '，', '、']).map(str::trim).filter(|p| !p.is_empty());
            parts.map(|p| text(&Value::Loose(p.to_owned()))).collect()
        }
        other => Err(mismatch(other, "a list of texts")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loose(text: &str) -> Value {
        Value::Loose(text.to_owned())
    }

    #[test]
    fn texts_are_trimmed_and_bounded() {
        assert_eq!(text(&loose(" a b ")).unwrap(), "a b");
        assert_eq!(text(&Value::Text("two\nlines".into())).unwrap(), "two\nlines");
        assert_eq!(filled(&loose(" ")).unwrap_err().what, "is empty");
        assert_eq!(text(&loose("a\u{7}b")).unwrap_err().what, "holds control characters");
        assert!(text(&loose(&"x".repeat(MAX_TEXT_BYTES))).is_ok());
        assert!(text(&loose(&"x".repeat(MAX_TEXT_BYTES + 1))).is_err());
        assert_eq!(text(&Value::Integer(138)).unwrap_err().remedy, "put it in quotes");
    }

    #[test]
    fn numbers_lie_in_their_range() {
        let table = [
            (Value::Integer(5), Some(5)),
            (Value::Integer(9), Some(9)),
            (Value::Integer(4), None),
            (Value::Integer(10), None),
            (Value::Integer(-5), None),
            (Value::Integer(i64::MAX), None),
            (loose(" 7 "), Some(7)),
            (loose("7.0"), None),
            (loose(""), None),
            (Value::Text("7".into()), None),
            (Value::Other("a number with a fraction"), None),
        ];
        for (value, expected) in table {
            assert_eq!(number(&value, 5..=9).ok(), expected, "{value:?}");
        }
    }

    #[test]
    fn flags_and_lists_as_people_write_them() {
        for (word, expected) in
            [("是", Some(true)), ("Yes", Some(true)), ("", Some(false)), ("否", Some(false)), ("?", None)]
        {
            assert_eq!(flag(&loose(word)).ok(), expected, "{word:?}");
        }
        assert_eq!(list(&loose("a; b、c,,d")).unwrap(), ["a", "b", "c", "d"]);
        assert_eq!(list(&loose("")).unwrap(), [""; 0]);
        assert_eq!(list(&Value::List(vec![Value::Text("a,b".into())])).unwrap(), ["a,b"]);
        assert!(list(&Value::List(vec![Value::Text(String::new())])).is_err());
        assert!(list(&Value::Text("a".into())).is_err());
    }

    #[test]
    fn a_scalar_in_place_of_a_section_is_told() {
        let table = super::super::tree::from_toml("f", "s = 1\nr = [2]\nq = 3\n").unwrap();
        let reader = Reader::new("f");
        let root = reader.section("", &table);
        root.inner("s").close();
        assert!(root.rows("r").is_empty() && root.rows("q").is_empty() && root.rows("p").is_empty());
        root.close();
        let told: Vec<String> = reader.finish().iter().map(|m| m.to_string()).collect();
        let expected = [
            "f:1: s: is a number, but must be a section; write a section",
            "f:2: r: is a number, but must be a list of sections; write a list of sections",
            "f:3: q: is a number, but must be a list of sections; write a list of sections",
        ];
        assert_eq!(told, expected);
    }
}
