//! CSV, TOML and JSON to rows, each with its kind and its place.

use super::columns::Sort;
use crate::config::mistake::{Mistake, Place, Wrong, nearest};
use crate::config::tree::{self, Entry, Table, Value};
use encoding_rs::{Encoding, GB18030};
use std::borrow::Cow;

/// A file to import, as it arrived.
#[derive(Clone)]
pub struct File {
    /// Its ending tells the format: `.csv`, `.toml` or `.json`.
    pub name: String,
    pub bytes: Vec<u8>,
}

/// One entry as written.
pub(super) struct Row {
    pub sort: Sort,
    pub file: String,
    /// What keys are prefixed with in messages: `home[3]`; empty for tables, whose columns say enough.
    pub path: String,
    pub table: Table,
}

const SAVE_AS: &str = "save it as UTF-8 (in a spreadsheet: CSV UTF-8), TOML or JSON";

const SAY_WHICH: &str =
    "save it as UTF-8 with a byte order mark (in a spreadsheet: CSV UTF-8) or as Unicode text (UTF-16)";

/// Reads a file into rows; every line that is none is a mistake.
pub(super) fn rows(file: &File, mistakes: &mut Vec<Mistake>) -> Vec<Row> {
    let Some(text) = text_of(&file.bytes) else {
        mistakes.push(Mistake::of_file(&file.name, "is neither UTF-8 nor GBK", SAVE_AS));
        return Vec::new();
    };
    let text = &*text;
    if let Some((one, other)) = two_readings(file) {
        let what =
            format!("has characters that are {one:?} in UTF-8 and {other:?} in GBK, and does not say which it is");
        mistakes.push(Mistake::of_file(&file.name, what, SAY_WHICH));
        return Vec::new();
    }
    let ending = file.name.rsplit_once('.').map(|(_, ending)| ending.to_lowercase());
    match ending.as_deref() {
        Some("csv") => from_csv(&file.name, text, mistakes),
        Some("toml") => match tree::from_toml(&file.name, text) {
            Ok(table) => from_tree(&file.name, table, mistakes),
            Err(found) => {
                mistakes.extend(found);
                Vec::new()
            }
        },
        Some("json") => match serde_json::from_str::<serde_json::Value>(text) {
            Ok(json) => match from_json(&json) {
                Value::Table(table) => from_tree(&file.name, table, mistakes),
                _ => {
                    let remedy = "write an object of lists: {\"home\": [{\"id\": …}]}";
                    mistakes.push(Mistake::of_file(&file.name, "is no JSON object", remedy));
                    Vec::new()
                }
            },
            Err(error) => {
                let place = Place { file: file.name.clone(), line: Some(error.line()), key: String::new() };
                let what = format!("is no JSON from column {} on", error.column());
                mistakes.push(Mistake::new(place, Wrong::new(what, "correct the JSON here")));
                Vec::new()
            }
        },
        _ => {
            mistakes.push(Mistake::of_file(&file.name, "ends with none of .csv, .toml and .json", SAVE_AS));
            Vec::new()
        }
    }
}

/// The text of a file: by its byte order mark, else UTF-8, else what Chinese spreadsheets save, GBK (GB 18030 holds it).
fn text_of(bytes: &[u8]) -> Option<Cow<'_, str>> {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        return encoding.decode_without_bom_handling_and_without_replacement(&bytes[mark..]);
    }
    let utf8 = std::str::from_utf8(bytes).ok().map(Cow::Borrowed);
    utf8.or_else(|| GB18030.decode_without_bom_handling_and_without_replacement(bytes))
}

/// The first characters beyond ASCII of a table that is UTF-8 as well as GBK: as the one has them, and as the other.
///
/// A few Chinese characters between English words, as a Chinese spreadsheet saves them (GBK), can be valid UTF-8 too: a 楼 is a ¥, and
/// so is every é of UTF-8 a 茅. Neither guess is safe, since a wrong name or address would be found out by whoever stands before the
/// wrong door, and a warning is soon passed over. So the table is refused: to save it once more takes a minute. What has a longer sequence
/// of UTF-8 (all Chinese text does) is hardly ever GBK, and a TOML or JSON file is UTF-8 by its own definition.
fn two_readings(file: &File) -> Option<(String, String)> {
    if !file.name.to_lowercase().ends_with(".csv") || Encoding::for_bom(&file.bytes).is_some() {
        return None;
    }
    let beyond_ascii = |text: &str| text.chars().filter(|c| !c.is_ascii()).collect::<String>();
    let utf8 = beyond_ascii(std::str::from_utf8(&file.bytes).ok()?);
    let gbk = beyond_ascii(&GB18030.decode_without_bom_handling_and_without_replacement(&file.bytes)?);
    let ambiguous = !utf8.is_empty() && utf8.chars().all(|c| c < '\u{800}') && gbk.chars().all(is_ideograph);
    let first = |text: String| text.chars().take(SHOWN).collect();
    ambiguous.then(|| (first(utf8), first(gbk)))
}

/// Characters of a file that a message shows.
const SHOWN: usize = 6;

fn is_ideograph(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{9fff}')
}

/// Whether a file is in none of the encodings that say of themselves what they are, so that names may have been misread.
pub(super) fn is_guessed(file: &File) -> bool {
    Encoding::for_bom(&file.bytes).is_none() && std::str::from_utf8(&file.bytes).is_err()
}

fn from_tree(file: &str, table: Table, mistakes: &mut Vec<Mistake>) -> Vec<Row> {
    let mut rows = Vec::new();
    for entry in table.entries {
        let place = |key: String| Place { file: file.to_owned(), line: entry.line, key };
        let Some(sort) = Sort::ALL.into_iter().find(|sort| sort.word() == entry.name) else {
            let words = Sort::ALL.map(Sort::word);
            let remedy = match nearest(&entry.name, words) {
                Some(meant) => format!("did you mean {meant}?"),
                None => format!("write one of {}", words.join(", ")),
            };
            mistakes.push(Mistake::new(place(entry.shown), Wrong::new("is no kind of entry", remedy)));
            continue;
        };
        let list = if let Value::List(list) = entry.value { list } else { vec![entry.value] };
        for (at, value) in list.into_iter().enumerate() {
            let path = format!("{}[{}]", sort.word(), at + 1);
            match value {
                Value::Table(table) => rows.push(Row { sort, file: file.to_owned(), path, table }),
                _ => {
                    let wrong = Wrong::new("is no entry", format!("begin each with [[{}]]", sort.word()));
                    mistakes.push(Mistake::new(place(path), wrong));
                }
            }
        }
    }
    rows
}

/// JSON keeps no lines; the path to the row has to do.
fn from_json(json: &serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::Loose(String::new()),
        serde_json::Value::Bool(flag) => Value::Flag(*flag),
        serde_json::Value::Number(number) => {
            number.as_i64().map_or(Value::Other("a number with a fraction"), Value::Integer)
        }
        serde_json::Value::String(text) => Value::Text(text.clone()),
        serde_json::Value::Array(list) => Value::List(list.iter().map(from_json).collect()),
        serde_json::Value::Object(map) => {
            let entry = |(name, value): (&String, &serde_json::Value)| Entry {
                name: name.clone(),
                shown: name.clone(),
                line: None,
                value: from_json(value),
            };
            Value::Table(Table { line: None, entries: map.iter().map(entry).collect() })
        }
    }
}

fn from_csv(file: &str, text: &str, mistakes: &mut Vec<Mistake>) -> Vec<Row> {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter(text))
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let headings: Vec<String> = match reader.headers() {
        Ok(header) => header.iter().map(str::to_owned).collect(),
        Err(_) => Vec::new(),
    };
    let Some(sort) = Sort::recognise(&headings) else {
        let place = Place { file: file.to_owned(), line: Some(1), key: String::new() };
        let remedy = "name the columns in the first line: homes have id; residents id, home; devices id, home, source, address; \
                      responders id, channels; channels id, url; ladders and plans come as TOML";
        mistakes.push(Mistake::new(place, Wrong::new("has a header of no known kind", remedy)));
        return Vec::new();
    };
    let Some(names) = columns(file, sort, &headings, mistakes) else { return Vec::new() };
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                let line = error.position().map(|p| p.line() as usize);
                let place = Place { file: file.to_owned(), line, key: String::new() };
                mistakes.push(Mistake::new(
                    place,
                    Wrong::new("cannot be read", "close every quote, and save the table anew"),
                ));
                return rows;
            }
        };
        let line = record.position().map(|p| p.line() as usize);
        if record.iter().all(str::is_empty) {
            continue;
        }
        if record.len() != names.len() {
            let place = Place { file: file.to_owned(), line, key: String::new() };
            let what = format!("has {} cells, but the header has {}", record.len(), names.len());
            mistakes
                .push(Mistake::new(place, Wrong::new(what, "put texts with commas in quotes, and leave no cell out")));
            continue;
        }
        let cells = names.iter().zip(&headings).zip(&record);
        let entry = |((name, shown), cell): ((&&str, &String), &str)| Entry {
            name: (*name).to_owned(),
            shown: format!("column {shown}"),
            line,
            value: Value::Loose(cell.to_owned()),
        };
        let table = Table { line, entries: cells.map(entry).collect() };
        rows.push(Row { sort, file: file.to_owned(), path: String::new(), table });
    }
    rows
}

/// The columns that the headings stand for, or none where one is unknown or stands twice.
fn columns(file: &str, sort: Sort, headings: &[String], mistakes: &mut Vec<Mistake>) -> Option<Vec<&'static str>> {
    let mut names: Vec<&'static str> = Vec::new();
    let before = mistakes.len();
    for heading in headings {
        let known = sort.columns().iter().flat_map(|(name, others)| [*name].into_iter().chain(others.iter().copied()));
        let wrong = match sort.column(heading) {
            Some(name) if names.contains(&name) => {
                Wrong::new(format!("is {name} once more"), "remove one of the two columns")
            }
            Some(name) => {
                names.push(name);
                continue;
            }
            None => {
                let remedy = nearest(heading, known).map_or_else(
                    || {
                        format!(
                            "rename or remove it; {}s have {}",
                            sort.word(),
                            sort.columns().iter().map(|c| c.0).collect::<Vec<_>>().join(", ")
                        )
                    },
                    |meant| format!("did you mean {meant}?"),
                );
                Wrong::new("is not known", remedy)
            }
        };
        let place = Place { file: file.to_owned(), line: Some(1), key: format!("column {heading}") };
        mistakes.push(Mistake::new(place, wrong));
    }
    (mistakes.len() == before).then_some(names)
}

/// Comma, semicolon or tab, whichever the header has most of.
fn delimiter(text: &str) -> u8 {
    let header = text.lines().next().unwrap_or_default();
    let count = |mark: &u8| header.bytes().filter(|b| b == mark).count();
    b",;\t".iter().rev().copied().max_by_key(count).unwrap_or(b',')
}
