//! What is told of a replay: a JSON line for each change of an alarm and for each collapse, and the summary.

use super::ReplayError;
use crate::engine::alarm::{Alarm, Reason};
use crate::engine::kind::{AlarmKind, Priority};
use crate::engine::time::{Millis, Wall};
use jiff::tz::TimeZone;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufWriter, Write};
use std::time::Duration;

/// What happened to an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// Raised, or raised again after it was over or settled.
    Raised,
    Over,
    Seen,
    Closed,
}

#[derive(Serialize)]
struct AlarmLine<'a> {
    at: String,
    home: &'a str,
    alarm: AlarmKind,
    tier: &'static str,
    change: Change,
    priority: Priority,
    since: String,
    reason: &'a Reason,
}

/// What a collapse led to.
pub struct Found {
    pub home: Box<str>,
    pub collapse_at: Wall,
    /// When the first quiet check and the first alarm were raised after it, and why.
    pub checked_at: Option<Wall>,
    pub raised: Option<(Wall, Reason)>,
}

#[derive(Serialize)]
struct CollapseLine<'a> {
    home: &'a str,
    collapse_at: String,
    checked_at: Option<String>,
    raised_at: Option<String>,
    alarm: AlarmKind,
    delay_s: Option<u64>,
    reason: Option<&'a Reason>,
}

/// Where today's rules raise an alarm otherwise than it was.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    pub home: Box<str>,
    pub alarm: AlarmKind,
    /// When it was raised; None: it was not.
    pub then: Option<Wall>,
    /// When it is raised now; None: it is not.
    pub now: Option<Wall>,
}

#[derive(Serialize)]
struct DifferenceLine<'a> {
    home: &'a str,
    alarm: AlarmKind,
    tier: &'static str,
    then: Option<String>,
    now: Option<String>,
    /// By how much today's rules are earlier; negative: later.
    earlier_s: Option<i64>,
}

/// Writes the lines.
pub struct Lines<W: Write> {
    out: BufWriter<W>,
    zone: TimeZone,
}

impl<W: Write> Lines<W> {
    pub fn new(out: W, zone: TimeZone) -> Lines<W> {
        Lines { out: BufWriter::new(out), zone }
    }

    /// Tells a change of an alarm; `reason` is that of this time, where an alarm comes again.
    pub fn alarm(&mut self, at: Wall, home: &str, alarm: &Alarm, change: Change) -> Result<(), ReplayError> {
        let since = match &alarm.reason {
            Reason::Silent { last_activity, .. } => *last_activity,
            _ => alarm.happened,
        };
        let tier = if alarm.kind.is_check() { "check" } else { "alarm" };
        let (at, since) = (at.rfc3339(&self.zone), since.rfc3339(&self.zone));
        let (priority, reason) = (alarm.priority(), &alarm.reason);
        self.put(&AlarmLine { at, home, alarm: alarm.kind, tier, change, priority, since, reason })
    }

    /// Tells where today's rules differ.
    pub fn difference(&mut self, found: &Difference) -> Result<(), ReplayError> {
        let time = |at: Option<Wall>| at.map(|at| at.rfc3339(&self.zone));
        let earlier_s = found.then.zip(found.now).map(|(then, now)| (then.0 - now.0) / 1_000);
        let tier = if found.alarm.is_check() { "check" } else { "alarm" };
        let (then, now) = (time(found.then), time(found.now));
        self.put(&DifferenceLine { home: &found.home, alarm: found.alarm, tier, then, now, earlier_s })
    }

    /// Tells what came of a collapse.
    pub fn collapse(&mut self, found: &Found) -> Result<(), ReplayError> {
        let line = CollapseLine {
            home: &found.home,
            collapse_at: found.collapse_at.rfc3339(&self.zone),
            checked_at: found.checked_at.map(|at| at.rfc3339(&self.zone)),
            raised_at: found.raised.as_ref().map(|(at, _)| at.rfc3339(&self.zone)),
            alarm: AlarmKind::Inactivity,
            delay_s: found.raised.as_ref().map(|(at, _)| at.since(found.collapse_at).as_secs()),
            reason: found.raised.as_ref().map(|(_, reason)| reason),
        };
        self.put(&line)
    }

    fn put(&mut self, line: &impl Serialize) -> Result<(), ReplayError> {
        serde_json::to_writer(&mut self.out, line).map_err(|e| ReplayError::Write(e.into()))?;
        self.out.write_all(b"\n").map_err(ReplayError::Write)
    }

    /// Sees to it that everything is written.
    pub fn finish(mut self) -> Result<(), ReplayError> {
        self.out.flush().map_err(ReplayError::Write)
    }
}

/// What a replay comes to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Summary {
    /// What was raised then, where a journal is replayed.
    pub then: Option<BTreeMap<AlarmKind, u64>>,
    pub homes: u64,
    pub readings: u64,
    /// From the first line to the last.
    pub span: Millis,
    /// The time from each home's first line to its last, added up.
    pub home_time: Millis,
    pub raised: BTreeMap<AlarmKind, u64>,
    pub collapses: u64,
    /// What a checkpoint holds of the homes and all that was learnt of them, as they stand at the end.
    pub state_bytes: u64,
}

/// What an alarm takes of an operator's time, minutes: the lease of a welfare alarm that was seen (PRACTICE), and a call for a check.
fn minutes_of(kind: AlarmKind) -> f64 {
    if kind.is_check() { 3.0 } else { 15.0 }
}

impl Summary {
    /// The summary as one line; `took` is how long the replay ran.
    pub fn line(&self, took: Duration) -> String {
        let weeks = self.home_time.0 as f64 / (7.0 * 86_400_000.0);
        let days = self.span.0.div_ceil(86_400_000);
        let mut line = format!("{} homes, {days} days, {} readings; alarms per home-week:", self.homes, self.readings);
        for (i, (kind, count)) in self.raised.iter().enumerate() {
            let comma = if i == 0 { "" } else { "," };
            // A recording of one moment has no weeks to share its alarms among.
            let rate = if weeks > 0.0 { *count as f64 / weeks } else { *count as f64 };
            let _ = write!(line, "{comma} {kind} {rate:.2}");
        }
        if self.raised.is_empty() {
            line.push_str(" none");
        }
        if let Some(then) = &self.then {
            let minutes = |of: &BTreeMap<AlarmKind, u64>| -> f64 {
                of.iter().fold(0.0, |sum, (kind, count)| sum + *count as f64 * minutes_of(*kind)) / weeks.max(1e-9)
            };
            let judged = |kind: &AlarmKind| super::past::is_judged(*kind);
            let now =
                self.raised.iter().filter(|(kind, _)| judged(kind)).map(|(kind, count)| (*kind, *count)).collect();
            let _ = write!(line, "; operator minutes per home-week {:.1}, then {:.1}", minutes(&now), minutes(then));
        }
        let _ = write!(line, "; {} bytes of state a home", self.state_bytes / self.homes.max(1));
        let per_second = self.readings as f64 / took.as_secs_f64().max(1e-6);
        let _ = write!(line, "; {per_second:.0} readings/s");
        line
    }
}
