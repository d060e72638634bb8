//! `replay`: recorded readings through the live engine.

use super::{WRONG_INPUT, fail};
use crate::clock::{Clock, SystemClock};
use crate::engine::change::SiteChange;
use crate::engine::id::SiteId;
use crate::engine::policy::{RulesPatch, SiteRules};
use crate::engine::registry::Registry;
use crate::journal::{Entry, RealDisk, Segments};
use crate::keeper::record;
use crate::replay::past::Past;
use crate::replay::{self, ReplayError};
use crate::service;
use jiff::tz::TimeZone;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// What `replay` takes.
#[derive(clap::Args)]
pub struct Options {
    /// CSV: ts,home,device,room,kind,value in time order; - is stdin, gzip is unpacked
    #[arg(long, required_unless_present = "journal")]
    readings: Option<PathBuf>,
    /// A site's journal (data/journal/SITE), of a running gateway too: its own past under today's rules, and a line for each alarm of
    /// silence or of a rule that comes otherwise than it did
    #[arg(long, conflicts_with_all = ["readings", "collapses"])]
    journal: Option<PathBuf>,
    /// CSV: ts,home; from each time on a copy of the home is silent for 24 h
    #[arg(long)]
    collapses: Option<PathBuf>,
    /// The allowance of false inactivity alarms per home and month, in place of the site's; of checks it is four times that
    #[arg(long, value_parser = allowance)]
    budget: Option<u32>,
    /// The zone of naive times and of the answers; the site's, where a configuration names one
    #[arg(long, value_parser = |zone: &str| TimeZone::get(zone))]
    timezone: Option<TimeZone>,
    /// The site's thresholds and zone
    #[arg(long)]
    config: Option<PathBuf>,
    /// Whether a pretend caseworker confirms safety ten minutes after each alarm
    #[arg(long, value_enum, default_value = "pretend")]
    care: Care,
}

#[derive(Clone, Copy, PartialEq, clap::ValueEnum)]
enum Care {
    Pretend,
    None,
}

/// Runs it.
pub fn replay(options: Options) -> ExitCode {
    let mut rules = match options.config.as_deref().map(super::config).transpose() {
        Ok(None) => default_rules(),
        Ok(Some(config)) => {
            // A journal's folder has the name of its site.
            let named = options.journal.as_deref().and_then(Path::file_name).map(|name| name.to_string_lossy());
            let mut sites = config.sites.values();
            let site = sites.find(|site| named.as_ref().is_none_or(|name| site.id.as_str() == *name));
            match site {
                Some(site) => site.site_rules(),
                None => return fail("the configuration has no site of this journal's name"),
            }
        }
        Err(code) => return code,
    };
    if let Some(zone) = options.timezone {
        rules.zone = zone;
    }
    if let Some(alarms) = options.budget {
        replay::allow(&mut rules.rules, alarms);
    }
    let care = options.care == Care::Pretend;
    let options_of_run = replay::Options { rules, registry: Registry::default(), care };
    let (clock, _) = SystemClock::start(None);
    let begun = clock.now().0;
    let run = || {
        let Some(readings) = &options.readings else {
            return past(options.journal.as_deref().unwrap_or(Path::new("")), &options_of_run);
        };
        let readings = replay::open(readings).map_err(ReplayError::Read)?;
        let collapses = options.collapses.as_deref().map(replay::open).transpose().map_err(ReplayError::Read)?;
        replay::run(&options_of_run, readings, collapses, io::stdout().lock())
    };
    match run() {
        Ok(summary) => {
            eprintln!("{}", summary.line(Duration::from_millis(clock.now().0.since(begun).0)));
            ExitCode::SUCCESS
        }
        Err(error) if error.is_wrong_input() => {
            eprintln!("{error}");
            ExitCode::from(WRONG_INPUT)
        }
        Err(error) => fail(error),
    }
}

fn unreadable(why: String) -> ReplayError {
    ReplayError::Read(io::Error::other(why))
}

/// A record with its readings; what is damaged or has expired would be taken for silence.
fn read(entry: io::Result<Entry>) -> Result<record::Contents, ReplayError> {
    let found = match entry.map_err(ReplayError::Read)? {
        Entry::Record(found) => found,
        Entry::Damage(damage) => return Err(unreadable(format!("the journal is damaged: {damage}"))),
    };
    if found.telemetry.is_none() {
        return Err(unreadable("the readings of its beginning have expired".to_owned()));
    }
    service::contents(&found).map_err(unreadable)
}

/// Sends a journal through the machine, record by record.
fn past(dir: &Path, options: &replay::Options) -> Result<replay::Summary, ReplayError> {
    let segments = Segments::beside_its_owner(Arc::new(RealDisk), dir).map_err(|e| unreadable(e.to_string()))?;
    if segments.first() != Some(1) {
        let why = "it holds no journal from its beginning on: give data/journal/SITE, of which nothing has expired";
        return Err(unreadable(format!("{}: {why}", dir.display())));
    }
    // The plans and homes of today.
    let mut options = options.clone();
    for entry in segments.reader(1).until(segments.committed()) {
        for entry in read(entry)?.entries {
            match entry {
                record::Entry::Site(SiteChange::Registered(entity)) => options.registry.put(*entity),
                record::Entry::Site(SiteChange::Removed(key)) => options.registry.remove(&key),
                _ => {}
            }
        }
    }
    let mut past = Past::new(&options, io::stdout().lock());
    for entry in segments.reader(1).until(segments.committed()) {
        let record = read(entry)?;
        past.turn(record.at, record.starts())?;
        for entry in record.in_order() {
            match entry {
                record::Entry::Site(change) => past.site(&change)?,
                record::Entry::Home { home, change } => past.home(home, &change)?,
            }
        }
    }
    past.end()
}

/// False alarms a month, as hundredths of one.
fn allowance(text: &str) -> Result<u32, String> {
    let a_month: f64 = text.parse().map_err(|_| "give a number of alarms a month, such as 0.25".to_owned())?;
    match (0.0..=100.0).contains(&a_month) {
        true => Ok((a_month * 100.0).round() as u32),
        false => Err("give 0 to 100 alarms a month".to_owned()),
    }
}

fn default_rules() -> SiteRules {
    let zone = TimeZone::get("Asia/Shanghai").unwrap_or(TimeZone::UTC);
    SiteRules { site: SiteId::cut("replay"), zone, rules: RulesPatch::default() }
}
