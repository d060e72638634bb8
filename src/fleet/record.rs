//! A home's life as a recording: what its people did, in the lines that `replay` reads, and moments at which one of them could have
//! collapsed.

use super::dice::Dice;
use super::generate::{Cause, Fleet, FleetOptions};
use super::home::FleetHome;
use crate::engine::time::{Millis, Wall};
use std::fmt::Write;
use std::ops::Range;

const DAY: Millis = Millis::from_mins(24 * 60);
/// The stream of chance of the collapses: none of a home's own.
const COLLAPSES: u64 = 0x00c0_11a9;

/// What is recorded.
#[derive(Debug, Clone)]
pub struct Span {
    /// How many days.
    pub days: u32,
    /// In which of them, counted from 0, somebody may collapse.
    pub collapse_days: Range<u32>,
    /// Moments that are drawn there, all alike; those at which not everybody is in, or the home is unheard, do not count.
    pub draws: u32,
}

/// One home's recording.
#[derive(Debug, Clone, PartialEq)]
pub struct Recording {
    pub home: FleetHome,
    /// CSV: ts,home,device,room,kind,value.
    pub readings: String,
    /// When somebody or something stirred: the times of all readings but what the radio says of itself.
    pub stirrings: Vec<Wall>,
    /// CSV: ts,home.
    pub collapses: String,
}

impl Recording {
    /// Records home `number` (from 1) of the fleet of this seed. The same arguments give the same bytes.
    pub fn of(seed: u64, number: u32, options: FleetOptions, span: &Span) -> Recording {
        let start = options.start;
        let day = |number: u32| start + Millis(DAY.0 * u64::from(number));
        let mut fleet = Fleet::of(seed, number..=number, options);
        let mut recording = Recording {
            home: fleet.homes()[0].clone(),
            readings: "ts,home,device,room,kind,value\n".to_owned(),
            stirrings: Vec::new(),
            collapses: "ts,home\n".to_owned(),
        };
        let mut dice = Dice::new(seed ^ COLLAPSES, number.into());
        let (from, to) = (day(span.collapse_days.start), day(span.collapse_days.end));
        let mut draws: Vec<Wall> =
            (0..span.draws).map(|_| from + Millis((dice.unit() * to.since(from).0 as f64) as u64)).collect();
        draws.sort();
        for at in draws {
            recording.hear(&mut fleet, at);
            if fleet.all_in(0) {
                let _ = writeln!(recording.collapses, "{},{}", utc(at), recording.home.id);
            }
        }
        recording.hear(&mut fleet, day(span.days));
        recording
    }

    /// Writes what the home says until then.
    fn hear(&mut self, fleet: &mut Fleet, until: Wall) {
        // A home that is back says so with each of its devices.
        let mut told = None;
        while let Some(message) = fleet.next_by(until) {
            let (kind, value) = match message.cause {
                Cause::Motion => ("motion", "true"),
                Cause::Open => ("contact", "open"),
                Cause::Shut => ("contact", "closed"),
                Cause::Online => ("online", "true"),
                Cause::Offline => ("online", "false"),
                _ => continue,
            };
            let whole = kind == "online";
            if whole && told.replace((message.at, value)) == Some((message.at, value)) {
                continue;
            }
            let device = self.home.devices.iter().find(|d| message.topic.ends_with(&*d.address));
            let (address, room) = device.map_or(("hub", ""), |d| (&d.address, d.room));
            if !whole {
                self.stirrings.push(message.at);
            }
            // Writing to a String cannot fail.
            let _ = writeln!(self.readings, "{},{},{address},{room},{kind},{value}", utc(message.at), self.home.id);
        }
    }
}

fn utc(at: Wall) -> String {
    at.rfc3339(&jiff::tz::TimeZone::UTC)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn half_a_year(number: u32) -> Recording {
        let options =
            FleetOptions { power_cuts_per_home_month: 1.0, ghosts_per_home_month: 0.2, ..FleetOptions::default() };
        Recording::of(7, number, options, &Span { days: 180, collapse_days: 28..180, draws: 20 })
    }

    #[test]
    fn half_a_year_of_a_home_is_the_same_each_time_and_in_order() {
        let recording = half_a_year(3);
        assert_eq!(recording, half_a_year(3));
        let times: Vec<&str> = recording.readings.lines().skip(1).filter_map(|line| line.split(',').next()).collect();
        assert!(times.is_sorted() && recording.stirrings.is_sorted());
        let collapses = recording.collapses.lines().count() - 1;
        assert!((5..=20).contains(&collapses), "{collapses} of 20 draws found everybody in");
        let says = |what: &str| recording.readings.lines().filter(|line| line.ends_with(what)).count();
        assert!(says("motion,true") > 180 * 20 && says("contact,open") == says("contact,closed"));
        assert_eq!(recording.stirrings.len(), times.len() - says("online,true") - says("online,false"));
        let (off, on) = (says("online,false"), says("online,true"));
        assert!(off > 0 && (off..=off + 1).contains(&on), "{off} power cuts, back {on} times");
    }
}
