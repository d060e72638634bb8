//! Lines of CSV as fields of bytes. A line without quotes is cut at its commas; one with quotes is left to the library.

use super::{ReplayError, Source, when};
use crate::engine::time::Wall;
use jiff::tz::TimeZone;
use std::io::{BufRead, Read};

/// The columns after `ts`, in the order in which [`Row::fields`] has them.
pub const READINGS: [&str; 5] = ["home", "device", "room", "kind", "value"];
pub const COLLAPSES: [&str; 1] = ["home"];

/// No line of a recording is longer.
const LONGEST_LINE: u64 = 64 * 1024;
/// No recording has more columns.
const MOST_COLUMNS: usize = 64;

/// One line.
pub struct Row<'a, const N: usize> {
    /// Counted from 1, the header's.
    pub line: u64,
    pub at: Wall,
    pub fields: [&'a [u8]; N],
}

/// A file of lines in time order (collapses: in any order).
pub struct Rows<R, const N: usize> {
    file: R,
    source: Source,
    times: when::Reader,
    /// Where `ts` stands, and each field.
    ts: usize,
    places: [usize; N],
    /// The columns that a line must have.
    columns: usize,
    bytes: Vec<u8>,
    /// A line with quotes, without them, and where its fields end.
    unquoted: csv::ByteRecord,
    line: u64,
    before: Wall,
}

impl<R: BufRead, const N: usize> Rows<R, N> {
    /// Reads the header: it names `ts` and the columns, in any order; other columns are passed over.
    ///
    /// # Errors
    /// Where the file cannot be read, or a column is missing.
    pub fn new(file: R, source: Source, names: &[&str; N], zone: TimeZone) -> Result<Self, ReplayError> {
        let mut rows = Rows {
            file,
            source,
            times: when::Reader::new(zone),
            ts: 0,
            places: [0; N],
            columns: 0,
            bytes: Vec::new(),
            unquoted: csv::ByteRecord::new(),
            line: 0,
            before: Wall(i64::MIN),
        };
        rows.fill()?;
        let header = rows.bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&rows.bytes).to_ascii_lowercase();
        let columns: Vec<&[u8]> = header.split(|b| *b == b',').map(|c| c.trim_ascii()).collect();
        let place = |name: &str| {
            let missing = || rows.wrong(format!("the header has no column {name}; it is ts,{}", names.join(",")));
            columns.iter().position(|c| *c == name.as_bytes()).ok_or_else(missing)
        };
        if columns.len() > MOST_COLUMNS {
            return Err(rows.wrong(format!("more than {MOST_COLUMNS} columns")));
        }
        let ts = place("ts")?;
        let mut places = [0; N];
        for (to, name) in places.iter_mut().zip(names) {
            *to = place(name)?;
        }
        let columns = columns.len();
        (rows.ts, rows.places, rows.columns) = (ts, places, columns);
        Ok(rows)
    }

    fn wrong(&self, what: String) -> ReplayError {
        ReplayError::Line { source: self.source, line: self.line, what }
    }

    /// Reads the next line into `bytes`, without its end; says whether there was one.
    fn fill(&mut self) -> Result<bool, ReplayError> {
        self.bytes.clear();
        self.line += 1;
        let read = self.file.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut self.bytes);
        match read.map_err(ReplayError::Read)? {
            0 => return Ok(false),
            n if n as u64 == LONGEST_LINE => return Err(self.wrong(format!("longer than {LONGEST_LINE} bytes"))),
            _ => {}
        }
        while self.bytes.last().is_some_and(|b| matches!(b, b'\n' | b'\r')) {
            self.bytes.pop();
        }
        Ok(true)
    }

    /// The next line; empty ones are passed over.
    ///
    /// # Errors
    /// Where the file cannot be read, a line has too few fields or no time, or is earlier than the one before.
    pub fn read(&mut self) -> Result<Option<Row<'_, N>>, ReplayError> {
        loop {
            if !self.fill()? {
                return Ok(None);
            }
            if !self.bytes.is_empty() {
                break;
            }
        }
        let mut cut: [&[u8]; MOST_COLUMNS] = [&[]; MOST_COLUMNS];
        let found = if self.bytes.contains(&b'"') {
            self.unquote()?;
            self.unquoted.iter().zip(&mut cut).map(|(field, to)| *to = field).count()
        } else {
            self.bytes.split(|b| *b == b',').zip(&mut cut).map(|(field, to)| *to = field).count()
        };
        let (line, source) = (self.line, self.source);
        let wrong = |what| ReplayError::Line { source, line, what };
        if found < self.columns {
            return Err(wrong(format!("{found} fields, but the header names {}", self.columns)));
        }
        let Some(at) = self.times.read(cut[self.ts], self.before) else {
            let shown = String::from_utf8_lossy(cut[self.ts]);
            return Err(wrong(format!("{shown} is no time; it looks like 2011-02-03T14:05:00 or …+08:00")));
        };
        if self.source == Source::Readings {
            if at < self.before {
                return Err(wrong("earlier than the line before: rows must be in time order".into()));
            }
            self.before = at;
        }
        Ok(Some(Row { line, at, fields: self.places.map(|place| cut[place]) }))
    }

    fn unquote(&mut self) -> Result<(), ReplayError> {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(&self.bytes[..]);
        match reader.read_byte_record(&mut self.unquoted) {
            Ok(true) => Ok(()),
            _ => Err(self.wrong("the quotes do not match".into())),
        }
    }
}
