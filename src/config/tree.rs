//! What a file holds, with the line of each value: the common form of TOML, CSV and JSON before anybody asks what it means.

use super::mistake::{Mistake, Place, Wrong};
use toml::de::{DeTable, DeValue};

/// Keys and values in the order of the file (TOML: of the alphabet).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    /// Where it begins; none in formats without lines.
    pub line: Option<usize>,
    pub entries: Vec<Entry>,
}

/// One key with its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// What we call it.
    pub name: String,
    /// What the file calls it: a heading in another language, for instance.
    pub shown: String,
    pub line: Option<usize>,
    pub value: Value,
}

/// A value as written.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Text(String),
    Integer(i64),
    Flag(bool),
    List(Vec<Value>),
    Table(Table),
    /// The text of a cell or of an environment variable: it is whatever it is asked for, and empty stands for nothing.
    Loose(String),
    /// What nothing here takes, by the name of its type.
    Other(&'static str),
}

impl Value {
    /// The type in the reader's words, with its article.
    pub fn type_name(&self) -> &'static str {
        match self {
            Value::Text(_) | Value::Loose(_) => "a text",
            Value::Integer(_) => "a number",
            Value::Flag(_) => "true or false",
            Value::List(_) => "a list",
            Value::Table(_) => "a section",
            Value::Other(name) => name,
        }
    }
}

impl Table {
    pub fn get(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|e| e.name == name)
    }
}

/// Reads TOML; every syntax error is found, each with its line.
pub fn from_toml(file: &str, text: &str) -> Result<Table, Vec<Mistake>> {
    let lines = Lines::new(text);
    let (table, errors) = DeTable::parse_recoverable(text);
    if errors.is_empty() {
        return Ok(lines.table(Some(1), table.get_ref()));
    }
    let mistake = |error: &toml::de::Error| {
        let line = error.span().map(|span| lines.line(span.start));
        let place = Place { file: file.to_owned(), line, key: String::new() };
        let what = error.message().lines().collect::<Vec<_>>().join(", ");
        Mistake::new(place, Wrong::new(what, "correct the TOML here; texts stand in quotes, and each key stands once"))
    };
    Err(errors.iter().map(mistake).collect())
}

/// Where each line of a text begins.
struct Lines(Vec<usize>);

impl Lines {
    fn new(text: &str) -> Lines {
        Lines(text.match_indices('\n').map(|(at, _)| at + 1).collect())
    }

    fn line(&self, offset: usize) -> usize {
        self.0.partition_point(|start| *start <= offset) + 1
    }

    fn table(&self, line: Option<usize>, table: &DeTable<'_>) -> Table {
        let entry = |(key, value): (&toml::Spanned<_>, &toml::Spanned<DeValue<'_>>)| {
            let name = <std::borrow::Cow<'_, str> as AsRef<str>>::as_ref(key.get_ref()).to_owned();
            let line = Some(self.line(key.span().start));
            Entry { shown: name.clone(), name, line, value: self.value(line, value.get_ref()) }
        };
        Table { line, entries: table.iter().map(entry).collect() }
    }

    fn value(&self, line: Option<usize>, value: &DeValue<'_>) -> Value {
        match value {
            DeValue::String(text) => Value::Text(text.as_ref().to_owned()),
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
                .map_or(Value::Other("a number beyond all bounds"), Value::Integer),
            DeValue::Boolean(flag) => Value::Flag(*flag),
            DeValue::Array(list) => {
                let item = |v: &toml::Spanned<DeValue<'_>>| self.value(Some(self.line(v.span().start)), v.get_ref());
                Value::List(list.iter().map(item).collect())
            }
            DeValue::Table(table) => Value::Table(self.table(line, table)),
            DeValue::Float(_) => Value::Other("a number with a fraction"),
            DeValue::Datetime(_) => Value::Other("a date without quotes"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_knows_its_line() {
        let text = "a = 1\n\n[s]\nb = \"x\" # why\nc = [\n  true,\n]\n\n[[row]]\nd = 0x10\n[[row]]\nd = 1_000\n";
        let table = from_toml("f", text).unwrap();
        let line = |names: &[&str]| {
            let (mut at, mut line) = (&table, None);
            for name in names {
                let entry = at.get(name).unwrap();
                line = entry.line;
                if let Value::Table(inner) = &entry.value {
                    at = inner;
                }
            }
            line
        };
        assert_eq!(line(&["a"]), Some(1));
        assert_eq!(line(&["s", "b"]), Some(4));
        assert_eq!(line(&["s", "c"]), Some(5));
        let Value::List(rows) = &table.get("row").unwrap().value else { panic!("rows are a list") };
        let numbers: Vec<_> = rows
            .iter()
            .map(|row| match row {
                Value::Table(t) => (t.line, t.get("d").unwrap().line, t.get("d").unwrap().value.clone()),
                other => panic!("a row is a table, not {other:?}"),
            })
            .collect();
        assert_eq!(numbers, [(Some(9), Some(10), Value::Integer(16)), (Some(11), Some(12), Value::Integer(1_000))]);
    }

    #[test]
    fn all_syntax_errors_are_found_at_once() {
        let found = from_toml("f.toml", "a = \nb = 1\nb = 2\n[c\nd = 2\n").unwrap_err();
        let lines: Vec<_> = found.iter().filter_map(|m| m.place.line).collect();
        assert!(lines.contains(&1) && lines.contains(&3) && lines.contains(&4), "{found:?}");
    }
}
