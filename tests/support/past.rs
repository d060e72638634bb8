//! What the journal says, read by the product's own reader and told as far as tests ask.
#![allow(dead_code, reason = "each test takes what it needs")]

use hearthwatch::engine::alarm::Attention;
use hearthwatch::engine::change::{AlarmChange, HomeChange, SiteChange};
use hearthwatch::engine::reading::Value;
use hearthwatch::journal::{Entry, RealDisk, Segments};
use hearthwatch::keeper::record::{self, Contents};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// One alarm as the journal tells it.
#[derive(Debug, Clone, Default)]
pub struct Told {
    pub id: String,
    pub kind: String,
    pub events: u32,
    /// The rungs it told, in order: rung, round, how late in ms.
    pub rungs: Vec<(u32, u32, u64)>,
    pub closed: bool,
}

/// What the journal says, as far as tests ask.
#[derive(Debug, Default)]
pub struct Past {
    /// By home id and kind, in order.
    pub alarms: BTreeMap<(String, String), Vec<Told>>,
    /// What came of each attempt: notice id, attempt, outcome.
    pub attempts: Vec<(String, u32, String)>,
    /// The channel of each notice.
    pub notices: BTreeMap<String, String>,
    /// Numbers that devices reported, with how often.
    pub numbers: BTreeMap<i64, u32>,
    pub rejected: usize,
    pub damage: Vec<String>,
    homes: Vec<String>,
    /// Alarms that have left a home and not come to their next one yet.
    moving: Vec<Told>,
}

impl Past {
    /// Reads a site's journal by the product's own reader, beside a service that has it open or at rest.
    pub fn read(journal: &Path) -> Past {
        let segments = Segments::beside_its_owner(Arc::new(RealDisk), journal).expect("a journal");
        let mut past = Past::default();
        for entry in segments.reader(segments.first().unwrap_or(1)).until(segments.committed()) {
            match entry.expect("the journal can be read") {
                Entry::Record(found) => {
                    let telemetry = found.telemetry.unwrap_or_default();
                    past.take(record::read(&telemetry, &found.ledger).expect("a record of this version"));
                }
                Entry::Damage(damage) => past.damage.push(damage.to_string()),
            }
        }
        past
    }

    fn take(&mut self, contents: Contents) {
        for entry in contents.entries {
            match entry {
                record::Entry::Site(change) => self.site(change),
                record::Entry::Home { home, change } => self.home(home, change),
            }
        }
        for (_, fact) in contents.facts {
            if let Value::Number(n) = fact.reading.value {
                *self.numbers.entry(n as i64).or_default() += 1;
            }
        }
    }

    fn site(&mut self, change: SiteChange) {
        match change {
            SiteChange::HomeAdded { id, .. } if !self.homes.contains(&id.to_string()) => {
                self.homes.push(id.to_string())
            }
            SiteChange::NoticeMade(notice) => {
                self.notices.insert(notice.id.to_string(), notice.channel.to_string());
            }
            SiteChange::AttemptEnded { notice, attempt, outcome, .. } => {
                self.attempts.push((notice.to_string(), attempt, outcome.name().to_owned()));
            }
            SiteChange::Rejected { .. } => self.rejected += 1,
            _ => {}
        }
    }

    fn home(&mut self, home: u32, change: HomeChange) {
        let name = self.homes[home as usize].clone();
        let word = |kind| serde_json::to_value(kind).expect("a word").as_str().expect("a text").to_owned();
        match change {
            HomeChange::Raised(alarm) => {
                let told = Told { id: alarm.id.to_string(), kind: word(alarm.kind), events: 1, ..Told::default() };
                self.alarms.entry((name, word(alarm.kind))).or_default().push(told);
            }
            HomeChange::Alarm { kind, change } => {
                let told =
                    self.alarms.get_mut(&(name, word(kind))).and_then(|all| all.last_mut()).expect("raised before");
                match change {
                    AlarmChange::Counted { .. } => told.events += 1,
                    AlarmChange::Attention { attention: Attention::Calling { rung, round, .. }, late_by } => {
                        told.rungs.push((rung, round, late_by.0));
                    }
                    _ => {}
                }
            }
            HomeChange::AlarmLeft { alarm } => self.leave(&name, &alarm.to_string()),
            HomeChange::AlarmJoined(alarm) => {
                let at = self.moving.iter().position(|told| told.id == alarm.id.to_string()).expect("left before");
                let told = self.moving.remove(at);
                self.alarms.entry((name, word(alarm.kind))).or_default().push(told);
            }
            HomeChange::Closed { alarm, .. } => {
                let told = self.alarms.get_mut(&(name, word(alarm.kind))).and_then(|all| all.last_mut());
                told.expect("raised before").closed = true;
            }
            _ => {}
        }
    }

    fn leave(&mut self, home: &str, id: &str) {
        for (_, all) in self.alarms.iter_mut().filter(|((of, _), _)| of == home) {
            let at = all.iter().position(|told| told.id == id);
            self.moving.extend(at.map(|at| all.remove(at)));
        }
    }

    /// The open alarm of a home and kind.
    pub fn open(&self, home: &str, kind: &str) -> Option<&Told> {
        self.alarms.get(&(home.to_owned(), kind.to_owned()))?.last().filter(|told| !told.closed)
    }

    /// The outcomes of the attempts to a channel, in order.
    pub fn outcomes(&self, channel: &str) -> Vec<&str> {
        let of = |id: &String| self.notices.get(id).is_some_and(|c| c == channel);
        self.attempts.iter().filter(|(id, ..)| of(id)).map(|(.., outcome)| outcome.as_str()).collect()
    }
}
