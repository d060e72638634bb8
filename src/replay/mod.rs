//! Recorded readings through the live engine: the same home machine, with its deadlines, but no journal and no keeper.
//!
//! Reading order: [`when`] (a line's time), [`rows`] (a line's fields), [`street`] (the homes, their deadlines, the pretend
//! caseworker), [`lines`] (what is told of it). The readings of a recording are events that a person caused: each row counts.

mod hours;
pub mod lines;
pub mod past;
pub mod rows;
mod said;
pub mod street;
#[cfg(test)]
mod tests;
pub mod when;

use crate::engine::policy::{RulesPatch, SiteRules};
use crate::engine::registry::Registry;
use lines::Lines;
use rows::Rows;
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;
use street::Street;

/// What a replay goes by.
#[derive(Debug, Clone)]
pub struct Options {
    /// The site's thresholds, and the time zone that naive times are meant in and answers are given in.
    pub rules: SiteRules,
    /// Homes in it have their own plans; any other gets the default.
    pub registry: Registry,
    /// Whether a pretend caseworker confirms safety ten minutes after each alarm.
    pub care: bool,
}

/// A check a month where there is a false alarm in four (PRACTICE).
const CHECKS_AN_ALARM: u32 = 4;

/// Sets the allowance of false inactivity alarms per home and hundred months; of checks it is four times that.
pub fn allow(rules: &mut RulesPatch, alarms: u32) {
    rules.inactivity_alarms_per_100_months = Some(alarms);
    rules.inactivity_checks_per_100_months = Some(alarms * CHECKS_AN_ALARM);
}

/// Which of the two files a message is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    Readings,
    Collapses,
}

/// Why a replay ended early.
#[derive(Debug)]
pub enum ReplayError {
    Read(io::Error),
    Write(io::Error),
    /// A line is wrong; counted from 1, the header's.
    Line {
        source: Source,
        line: u64,
        what: String,
    },
}

impl ReplayError {
    /// Whether the input is to blame, and not the machine.
    pub fn is_wrong_input(&self) -> bool {
        matches!(self, ReplayError::Line { .. })
    }
}

impl fmt::Display for ReplayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReplayError::Read(error) => write!(f, "the recording cannot be read: {error}"),
            ReplayError::Write(error) => write!(f, "the answers cannot be written: {error}"),
            ReplayError::Line { source, line, what } => {
                let file = if *source == Source::Readings { "readings" } else { "collapses" };
                write!(f, "{file}, line {line}: {what}")
            }
        }
    }
}

impl std::error::Error for ReplayError {}

/// Opens a recording: `-` is stdin; what begins like gzip is unpacked, whatever its name.
///
/// # Errors
/// Where the file cannot be read.
pub fn open(path: &Path) -> io::Result<Box<dyn BufRead>> {
    let plain: Box<dyn Read> = match path.to_str() {
        Some("-") => Box::new(io::stdin().lock()),
        _ => Box::new(File::open(path)?),
    };
    let mut plain = BufReader::with_capacity(BUFFER_BYTES, plain);
    let gzip = plain.fill_buf()?.starts_with(&[0x1f, 0x8b]);
    if !gzip {
        return Ok(Box::new(plain));
    }
    Ok(Box::new(BufReader::with_capacity(BUFFER_BYTES, flate2::bufread::MultiGzDecoder::new(plain))))
}

const BUFFER_BYTES: usize = 256 * 1024;

pub use lines::Summary;

/// Replays `readings` (CSV: ts, home, device, room, kind, value; in time order) and answers on `out` with one JSON line for each
/// change of an alarm, and one for each of `collapses` (CSV: ts, home; in any order). The answers of one home are in time order.
///
/// # Errors
/// Where a file cannot be read or written, and at the first line that is wrong.
pub fn run(
    options: &Options,
    readings: impl BufRead,
    collapses: Option<impl BufRead>,
    out: impl Write,
) -> Result<Summary, ReplayError> {
    let zone = &options.rules.zone;
    let mut street = Street::new(options, Lines::new(out, zone.clone()));
    if let Some(file) = collapses {
        street.expect(collapses_of(file, zone)?);
    }
    let mut rows = Rows::new(readings, Source::Readings, &rows::READINGS, zone.clone())?;
    while let Some(row) = rows.read()? {
        let [home, device, room, kind, value] = row.fields;
        let what = street.hear(row.at, &street::Told { home, device, room, kind, value });
        what.map_err(|fault| fault.at(Source::Readings, row.line))?;
    }
    street.end()
}

fn collapses_of(file: impl BufRead, zone: &jiff::tz::TimeZone) -> Result<Vec<street::Collapse>, ReplayError> {
    let mut found = Vec::new();
    let mut rows = Rows::new(file, Source::Collapses, &rows::COLLAPSES, zone.clone())?;
    while let Some(row) = rows.read()? {
        let [home] = row.fields;
        found.push(street::Collapse { at: row.at, home: String::from_utf8_lossy(home).into() });
    }
    found.sort_by_key(|c| c.at);
    Ok(found)
}
