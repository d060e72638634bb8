//! What a record becomes in the store: keys in time order, rows as JSON behind a version byte.

use super::follow::Shelf;
use crate::engine::alarm::{Act, Alarm, Attention};
use crate::engine::change::{AlarmChange, Fact, HomeChange, SiteChange};
use crate::engine::id::{AlarmId, HomeId, SiteId};
use crate::engine::kind::{AlarmKind, Shape};
use crate::engine::reading::Value as Said;
use crate::engine::time::{Stamp, Wall};
use crate::engine::view::AlarmView;
use crate::keeper::record::{Contents, Entry};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};

/// The version of the rows; a reader passes over rows of a version it does not know.
const VERSION: u8 = 1;

fn key(kind: u8, name: &str, numbers: &[u64]) -> Vec<u8> {
    let mut key = vec![kind];
    key.extend_from_slice(name.as_bytes());
    key.push(0);
    numbers.iter().for_each(|n| key.extend_from_slice(&n.to_be_bytes()));
    key
}

pub(super) fn closed_key(site: &SiteId, number: u64) -> Vec<u8> {
    key(b'z', site.as_str(), &[number])
}

pub(super) fn timeline_prefix(alarm: &AlarmId) -> Vec<u8> {
    key(b't', alarm.site.as_str(), &[alarm.number])
}

pub(super) fn deliveries_prefix(site: &SiteId) -> Vec<u8> {
    key(b'd', site.as_str(), &[])
}

pub(super) fn activity_key(home: &HomeId, day: i64) -> Vec<u8> {
    key(b'b', home.as_str(), &[day as u64])
}

pub(super) fn cursor_key(site: &SiteId) -> Vec<u8> {
    key(b'c', site.as_str(), &[])
}

pub(super) const GENERATION_KEY: &[u8] = b"g";

fn row(value: &Value) -> Vec<u8> {
    let mut row = vec![VERSION];
    row.extend(value.to_string().into_bytes());
    row
}

pub(super) fn open_row(row: &[u8]) -> Option<Value> {
    match row.split_first() {
        Some((&VERSION, json)) => serde_json::from_slice(json).ok(),
        _ => None,
    }
}

pub(super) fn open_bins(row: &[u8]) -> Option<[u16; 24]> {
    let (version, bytes) = row.split_first()?;
    if *version != VERSION || bytes.len() != 48 {
        return None;
    }
    let mut bins = [0; 24];
    bins.iter_mut().zip(bytes.chunks_exact(2)).for_each(|(bin, b)| *bin = u16::from_be_bytes([b[0], b[1]]));
    Some(bins)
}

pub(super) fn bins_row(bins: &[u16; 24]) -> Vec<u8> {
    std::iter::once(VERSION).chain(bins.iter().flat_map(|b| b.to_be_bytes())).collect()
}

/// What the follower has to know of a site to read its records: which home has which number, and which alarm is the open one
/// of a (home, kind) *at the cursor*. The first is given at the start; the second is kept in the store, with the cursor.
#[derive(Debug, Clone, Default)]
pub struct Known {
    pub homes: Vec<HomeId>,
    pub(super) open: HashMap<(u32, AlarmKind), AlarmId>,
}

impl Known {
    /// Of a site's homes in the order of their numbers; where the store ends to know them, the records go on.
    pub fn new(homes: Vec<HomeId>) -> Known {
        Known { homes, open: HashMap::new() }
    }

    /// Takes in the alarms that were open at the cursor.
    pub fn load<S: Shelf>(&mut self, shelf: &S, site: &SiteId) -> Result<(), S::Error> {
        let prefix = key(b'o', site.as_str(), &[]);
        for (at, number) in shelf.scan(&prefix)? {
            let place = at[prefix.len()..].split_first_chunk::<8>().and_then(|(home, kind)| {
                let kind = AlarmKind::parse(std::str::from_utf8(kind).ok()?)?;
                Some((u32::try_from(u64::from_be_bytes(*home)).ok()?, kind))
            });
            let number = number.as_slice().try_into().map(u64::from_be_bytes);
            if let (Some(place), Ok(number)) = (place, number) {
                self.open.insert(place, AlarmId { site: site.clone(), number });
            }
        }
        Ok(())
    }
}

fn open_key(site: &SiteId, home: u32, kind: AlarmKind) -> Vec<u8> {
    let mut key = key(b'o', site.as_str(), &[home.into()]);
    key.extend_from_slice(kind.name().as_bytes());
    key
}

/// What one or more records add.
#[derive(Debug, Default)]
pub(super) struct Additions {
    /// None: what stands there goes.
    pub rows: Vec<(Vec<u8>, Option<Vec<u8>>)>,
    /// The open alarm of a (home, kind), or that there is none any more.
    pub open: BTreeMap<Vec<u8>, Option<u64>>,
    /// Activities by home and day.
    pub activity: BTreeMap<(HomeId, i64), [u16; 24]>,
}

impl Additions {
    /// How many operations it takes to write them.
    pub fn len(&self) -> usize {
        self.rows.len() + self.open.len() + self.activity.len()
    }

    /// Takes a record in.
    pub fn add(&mut self, site: &SiteId, sequence: u64, record: &Contents, known: &mut Known) {
        for (place, entry) in record.entries.iter().enumerate() {
            match entry {
                Entry::Site(change) => self.site(site, [sequence, place as u64], change, record.at, known),
                Entry::Home { home, change } => {
                    self.home(site, [sequence, place as u64], *home, change, record.at, known)
                }
            }
        }
        for (home, fact) in &record.facts {
            if let Some(id) = known.homes.get(*home as usize).filter(|_| tells_activity(fact)) {
                self.count(id, fact.happened.unwrap_or(record.at.wall));
            }
        }
    }

    fn count(&mut self, home: &HomeId, at: Wall) {
        let hour = at.0.div_euclid(3_600_000);
        let bins = self.activity.entry((home.clone(), hour.div_euclid(24))).or_default();
        let bin = &mut bins[hour.rem_euclid(24) as usize];
        *bin = bin.saturating_add(1);
    }

    fn site(&mut self, site: &SiteId, at: [u64; 2], change: &SiteChange, stamp: Stamp, known: &mut Known) {
        match change {
            SiteChange::HomeAdded { id, .. } if !known.homes.contains(id) => known.homes.push(id.clone()),
            SiteChange::AttemptEnded { notice, attempt, outcome, again, .. } => {
                let value = json!({"at": stamp.wall.utc(), "what": "attempt", "notice": notice, "attempt": attempt,
                    "outcome": outcome.name(), "again": again.is_some()});
                self.rows.push((key(b'd', site.as_str(), &at), Some(row(&value))));
                self.timeline(&notice.alarm, at, value);
            }
            _ => {}
        }
    }

    fn home(&mut self, site: &SiteId, at: [u64; 2], home: u32, change: &HomeChange, stamp: Stamp, known: &mut Known) {
        let time = stamp.wall.utc();
        match change {
            HomeChange::Raised(alarm) => {
                self.opens(site, home, alarm, known);
                let value = json!({"at": time, "what": "raised", "alarm": AlarmView::of(alarm, stamp)});
                self.timeline(&alarm.id, at, value);
            }
            // It goes under the number that it has; what happens to it is told of the home that it went to.
            HomeChange::AlarmLeft { alarm } => self.leaves(site, home, alarm, known),
            HomeChange::AlarmJoined(alarm) => {
                self.opens(site, home, alarm, known);
                let to = known.homes.get(home as usize);
                self.timeline(&alarm.id, at, json!({"at": time, "what": "moved", "home": to}));
            }
            // It stands among the open ones again, and not among those of the past.
            HomeChange::Reopened(alarm) => {
                self.opens(site, home, alarm, known);
                self.rows.push((closed_key(site, alarm.id.number), None));
                self.timeline(&alarm.id, at, json!({"at": time, "what": "reopened"}));
            }
            HomeChange::Alarm { kind, change } => {
                let Some(alarm) = known.open.get(&(home, *kind)).cloned() else { return };
                if let Some(mut value) = told(change) {
                    value["at"] = time.into();
                    self.timeline(&alarm, at, value);
                }
            }
            HomeChange::Closed { alarm, code, by } => {
                known.open.remove(&(home, alarm.kind));
                self.open.insert(open_key(site, home, alarm.kind), None);
                let outcome = code.map_or("by_itself", |c| c.name());
                self.timeline(&alarm.id, at, json!({"at": time, "what": "closed", "by": by, "outcome": outcome}));
                let home = known.homes.get(home as usize);
                let value = json!({"alarm": AlarmView::of(alarm, stamp), "home": {"id": home, "site": site},
                    "closed_at": time, "by": by, "outcome": outcome});
                self.rows.push((closed_key(site, alarm.id.number), Some(row(&value))));
            }
            _ => {}
        }
    }

    /// From here on this is the open alarm of its kind in the home.
    fn opens(&mut self, site: &SiteId, home: u32, alarm: &Alarm, known: &mut Known) {
        known.open.insert((home, alarm.kind), alarm.id.clone());
        self.open.insert(open_key(site, home, alarm.kind), Some(alarm.id.number));
    }

    /// The home has this alarm no more. Which kind it is of, only what is known of the home can tell.
    fn leaves(&mut self, site: &SiteId, home: u32, alarm: &AlarmId, known: &mut Known) {
        let Some(kind) = AlarmKind::ALL.iter().copied().find(|kind| known.open.get(&(home, *kind)) == Some(alarm))
        else {
            return;
        };
        known.open.remove(&(home, kind));
        self.open.insert(open_key(site, home, kind), None);
    }

    fn timeline(&mut self, alarm: &AlarmId, at: [u64; 2], value: Value) {
        let mut key = timeline_prefix(alarm);
        at.iter().for_each(|n| key.extend_from_slice(&n.to_be_bytes()));
        self.rows.push((key, Some(row(&value))));
    }
}

/// A change of an alarm as its timeline tells it; None for what is told elsewhere.
fn told(change: &AlarmChange) -> Option<Value> {
    Some(match change {
        AlarmChange::Counted { happened, .. } => json!({"what": "counted", "happened_at": happened.utc()}),
        AlarmChange::Over { at } => json!({"what": "over", "over_at": at.utc()}),
        AlarmChange::Attention { attention: Attention::Calling { rung, round, .. }, late_by } => {
            json!({"what": "rung", "rung": rung, "loop": round, "late_by_s": late_by.as_secs()})
        }
        AlarmChange::Attention { attention: Attention::Taken { by, progress, .. }, .. } => {
            json!({"what": "taken", "by": by, "how": progress})
        }
        AlarmChange::Acted { act, by } => json!({"what": act_word(act), "by": by}),
        AlarmChange::Safe(Some(safe)) => json!({"what": "safe", "by": safe.by, "how": safe.how}),
        AlarmChange::Telling(t) => json!({"what": "notice", "channel": t.channel, "number": t.number, "rung": t.rung}),
        AlarmChange::Safe(None) => json!({"what": "safe_cleared"}),
        AlarmChange::Attention { attention: Attention::Settled, .. }
        | AlarmChange::Told { .. }
        | AlarmChange::Numbered(_) => {
            return None;
        }
    })
}

fn act_word(act: &Act) -> &'static str {
    match act {
        Act::Seen => "act_seen",
        Act::OnMyWay { .. } => "act_on_my_way",
        Act::OnSite => "act_on_site",
        Act::NoAnswer => "act_no_answer",
        Act::Note(_) => "act_note",
        Act::Hold => "act_hold",
        Act::Cannot => "act_cannot",
        Act::Safe(_) => "act_safe",
        Act::Close(_) => "act_close",
        Act::NoAccess => "act_no_access",
        Act::Reopen => "act_reopen",
    }
}

fn tells_activity(fact: &Fact) -> bool {
    let kind = fact.reading.kind;
    let at_rest = kind.shape() == Shape::Flag && fact.reading.value == Said::Flag(false);
    kind.activity() && !fact.retained && !at_rest
}
