//! What a run tells: a story of one screen where a promise was broken, and how often which fault met which transition.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;

/// Lines that are kept, and faults before them: one screen.
const LINES: usize = 28;
const FAULTS: usize = 12;

/// The latest of what happened, in the words of whoever has to mend it.
#[derive(Debug, Clone, Default)]
pub struct Story {
    /// Faults that are too far back to be among the lines.
    faults: VecDeque<String>,
    lines: VecDeque<String>,
}

impl Story {
    /// Adds a line that happened at `now` (milliseconds since the run began).
    pub fn tell(&mut self, now: u64, what: fmt::Arguments<'_>) {
        if self.lines.len() == LINES
            && let Some(line) = self.lines.pop_front().filter(|line| line.contains("FAULT"))
        {
            self.faults.push_back(line);
            if self.faults.len() > FAULTS {
                self.faults.pop_front();
            }
        }
        self.lines.push_back(format!("{} {what}", clock(now)));
    }
}

impl fmt::Display for Story {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.faults.iter().try_for_each(|line| writeln!(f, "  {line}"))?;
        writeln!(f, "  ...")?;
        self.lines.iter().try_for_each(|line| writeln!(f, "  {line}"))
    }
}

/// `day+hh:mm:ss.mmm` of a run.
pub fn clock(now: u64) -> String {
    let (day, rest) = (now / 86_400_000, now % 86_400_000);
    let (hours, minutes) = (rest / 3_600_000, rest / 60_000 % 60);
    format!("{day}+{hours:02}:{minutes:02}:{:02}.{:03}", rest / 1_000 % 60, rest % 1_000)
}

/// How often a transition was committed while a fault was there, or in the ten minutes after it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hits(pub BTreeMap<(&'static str, &'static str), u64>);

impl Hits {
    pub fn count(&mut self, fault: &'static str, transition: &'static str) {
        *self.0.entry((fault, transition)).or_default() += 1;
    }

    pub fn add(&mut self, other: &Hits) {
        for (place, hits) in &other.0 {
            *self.0.entry(*place).or_default() += hits;
        }
    }

    /// The pairs that were never met.
    pub fn missing<'a>(&'a self, faults: &'a [&'static str], transitions: &'a [&'static str]) -> Vec<String> {
        let pairs = faults.iter().flat_map(|f| transitions.iter().map(move |t| (*f, *t)));
        pairs.filter(|pair| !self.0.contains_key(pair)).map(|(f, t)| format!("{f} x {t}")).collect()
    }

    /// As a table: a line per fault, a column per transition.
    pub fn table(&self, faults: &[&'static str], transitions: &[&'static str]) -> String {
        let mut table = format!("{:<18}", "");
        transitions.iter().for_each(|t| table.push_str(&format!(" {t:>9}")));
        for fault in faults {
            table.push_str(&format!("\n{fault:<18}"));
            for transition in transitions {
                table.push_str(&format!(" {:>9}", self.0.get(&(*fault, *transition)).copied().unwrap_or(0)));
            }
        }
        table
    }
}
