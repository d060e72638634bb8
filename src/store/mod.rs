//! sled holds what is derived and bounded, for those who look back: closed alarms, timelines, deliveries, activity per hour. It
//! follows the journal on a thread of its own with a cursor of its own; nobody waits for it, and nothing in it is the only copy.
//! What does not open is moved aside and built anew.
//!
//! **Never in here:** a stream of telemetry, anything that a person was promised, the registry.
//!
//! Reading order: [`open`] (how to come to a database that works), [`rows`] (what a record becomes), [`follow`] (the thread).

mod follow;
mod open;
mod rows;
#[cfg(test)]
mod tests;

pub use follow::{Feed, Follower, Row, Shelf, Site, cursor, start, take_batch};
pub use open::{OpenError, Opened, Options, probe};
pub use rows::Known;

use crate::engine::id::{AlarmId, HomeId, SiteId};
use serde_json::Value;

/// The questions that the store answers. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    db: sled::Db,
}

/// Rows of one answer at most.
pub const MAX_ROWS: usize = 500;

impl Store {
    /// Closed alarms of a site, the newest first, older than `before` where given; at most `limit` and 500.
    pub fn closed(&self, site: &SiteId, before: Option<u64>, limit: usize) -> Vec<Value> {
        let from = rows::closed_key(site, 0);
        let to = rows::closed_key(site, before.unwrap_or(u64::MAX));
        self.read(self.db.range(from..to).rev(), limit)
    }

    /// What happened to an alarm, in order. Empty where nothing is known of it.
    pub fn timeline(&self, alarm: &AlarmId) -> Vec<Value> {
        self.read(self.db.scan_prefix(rows::timeline_prefix(alarm)), MAX_ROWS)
    }

    /// A closed alarm.
    pub fn closed_alarm(&self, alarm: &AlarmId) -> Option<Value> {
        self.db.get(rows::closed_key(&alarm.site, alarm.number)).ok().flatten().and_then(|row| rows::open_row(&row))
    }

    /// The latest attempts to deliver a notice, the newest first.
    pub fn deliveries(&self, site: &SiteId, limit: usize) -> Vec<Value> {
        self.read(self.db.scan_prefix(rows::deliveries_prefix(site)).rev(), limit)
    }

    /// Activities of a home per hour of a day (days since 1970-01-01 UTC): 24 counts. None where nothing is known.
    pub fn activity(&self, home: &HomeId, day: i64) -> Option<[u16; 24]> {
        self.db.get(rows::activity_key(home, day)).ok().flatten().and_then(|row| rows::open_bins(&row))
    }

    /// Bytes on disk, for the metrics.
    pub fn bytes(&self) -> u64 {
        self.db.size_on_disk().unwrap_or(0)
    }

    fn read(&self, rows: impl Iterator<Item = sled::Result<(sled::IVec, sled::IVec)>>, limit: usize) -> Vec<Value> {
        rows.filter_map(Result::ok).filter_map(|(_, row)| rows::open_row(&row)).take(limit.min(MAX_ROWS)).collect()
    }
}
