//! The promises, held against what is committed: whatever happens, these must be so.
//!
//! The oracle sits between the keeper and its journal and folds every record that was written into a core of its own, the *shadow*.
//! So it knows what is committed, which is all that anybody outside may act upon, and what a restart has to come to.

use super::shadow::{bytes, difference, empty};
use super::shelf::{Pass, SimShelf};
use super::story::Story;
use crate::engine::alarm::{Alarm, Attention, Reason, Told};
use crate::engine::change::{AlarmChange, HomeChange, SiteChange, Subject};
use crate::engine::delivery::Outcome;
use crate::engine::home::Activity;
use crate::engine::id::{AlarmId, ChannelId, NoticeId};
use crate::engine::kind::{AlarmKind, Kind, Priority};
use crate::engine::policy::SiteRules;
use crate::engine::reading::Value;
use crate::engine::time::{Millis, Tick};
use crate::journal::{Entry, Flaw, Recovered, Segments};
use crate::keeper::core::{Core, Slot};
use crate::keeper::ports::{NoticeType, Parcel, Turn};
use crate::keeper::record::{self, Contents};
use std::collections::BTreeMap;

/// A promise that was not kept, in words.
pub type Broken = String;

/// What the devices said, and what became of it.
#[derive(Debug, Clone)]
pub struct Said {
    /// When the broker had it.
    pub at: u64,
    /// The device, as the registry has its address; none for what no device said.
    pub address: Option<Box<str>>,
    /// It always comes to a reading.
    pub telling: bool,
    /// It names the event that it tells: told again, it comes to nothing.
    pub named: bool,
    /// A call for help that has to become an alarm.
    pub press: bool,
    /// The broker lost it by its own settings, before we had acknowledged it.
    pub lost: bool,
}

/// What changes in the life of an alarm, a notice or a home: the columns of the table of hits.
pub const TRANSITIONS: &[&str] = &[
    "raised",
    "counted",
    "called",
    "taken",
    "expired",
    "safe",
    "over",
    "closed",
    "made",
    "delivered",
    "failed",
    "withdrawn",
    "deaf",
    "hearing",
    "late",
];

/// Longer than any restart of the process and any look at the ladder takes: a deadline that passed by more was forgotten.
const OVERDUE_MS: u64 = 12_000;

/// Looks are not exact: a turn a second, a link that is down a moment before we know.
const SILENCE_SLACK_MS: u64 = 120_000;

/// What is committed, and whether all that was promised of it holds.
pub struct Oracle {
    rules: SiteRules,
    shadow: Core,
    /// What the store has to come to.
    pass: Pass,
    /// The last record that was committed.
    pub sequence: u64,
    /// Of every byte that was committed.
    pub digest: u64,
    /// Milliseconds since the run began.
    pub now: u64,
    pub said: Vec<Said>,
    /// When a device's latest reading was committed, and when its presses were.
    readings: BTreeMap<Box<str>, u64>,
    presses: BTreeMap<Box<str>, Vec<u64>>,
    /// When a home's call for help was raised or counted last.
    called: BTreeMap<u32, u64>,
    /// Since when the site can hear its homes, as the world knows it; and how long it could before.
    hearing: Option<u64>,
    heard_ms: u64,
    /// By home: its latest activity, and what [`Oracle::heard`] was then.
    stirred: BTreeMap<u32, (Option<Activity>, u64)>,
    /// Where each ladder stands: round and rung.
    climbed: BTreeMap<AlarmId, (u32, u32)>,
    /// What each notice says, by its id, for good.
    notices: BTreeMap<NoticeId, Subject>,
    /// The highest number of a notice that left, by alarm and channel.
    left: BTreeMap<(AlarmId, ChannelId), u32>,
    /// Committed since asked last.
    pub transitions: Vec<&'static str>,
    /// A bit has flipped on the disk.
    pub flipped: bool,
    /// Synced data were damaged: what stood there is gone, and was told to be.
    pub damaged: bool,
    pub story: Story,
    pub broken: Option<Broken>,
}

impl Oracle {
    pub fn new(rules: SiteRules) -> Oracle {
        Oracle {
            shadow: empty(&rules),
            rules,
            pass: Pass::default(),
            sequence: 0,
            digest: 0xcbf2_9ce4_8422_2325,
            now: 0,
            said: Vec::new(),
            readings: BTreeMap::new(),
            presses: BTreeMap::new(),
            called: BTreeMap::new(),
            hearing: None,
            heard_ms: 0,
            stirred: BTreeMap::new(),
            climbed: BTreeMap::new(),
            notices: BTreeMap::new(),
            left: BTreeMap::new(),
            transitions: Vec::new(),
            flipped: false,
            damaged: false,
            story: Story::default(),
            broken: None,
        }
    }

    fn promise(&mut self, kept: bool, what: impl FnOnce() -> Broken) {
        if !kept && self.broken.is_none() {
            self.broken = Some(what());
        }
    }

    /// A record was written and synced.
    pub fn committed(&mut self, sequence: u64, turn: &Turn) {
        self.promise(sequence > self.sequence, || format!("record {sequence} was given away twice"));
        for byte in turn.telemetry.iter().chain(&turn.ledger) {
            self.digest = (self.digest ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
        }
        match record::read(&turn.telemetry, &turn.ledger) {
            Ok(contents) => self.take(sequence, contents),
            Err(error) => self.promise(false, || format!("record {sequence} cannot be read back: {error}")),
        }
    }

    fn take(&mut self, sequence: u64, contents: Contents) {
        for entry in &contents.entries {
            match entry {
                record::Entry::Home { home, change } => self.home(*home, change, &contents),
                record::Entry::Site(change) => self.site(change),
            }
        }
        self.pass.take(sequence, &contents);
        let facts: Vec<_> = contents.facts.iter().map(|(home, fact)| (*home, fact.clone())).collect();
        let unread: Vec<u32> = contents.entries.iter().filter_map(possible_sos).collect();
        self.shadow.fold(sequence, 0, contents);
        unread.into_iter().for_each(|home| self.unread(home));
        self.sequence = sequence;
        let heard = self.heard();
        for (home, slot) in (0..).zip(&self.shadow.homes) {
            let known = self.stirred.entry(home).or_insert((None, 0));
            if known.0 != slot.state.activity {
                *known = (slot.state.activity.clone(), heard);
            }
        }
        for (home, fact) in facts {
            let device = self.shadow.homes.get(home as usize).and_then(|h| h.state.devices.get(fact.device as usize));
            let Some(address) = device.map(|d| Box::<str>::from(d.address.as_str())) else { continue };
            if fact.reading.kind == Kind::Sos && fact.reading.value == Value::Flag(true) && !fact.retained {
                self.presses.entry(address.clone()).or_default().push(self.now);
            }
            self.readings.insert(address, self.now);
        }
    }

    fn home(&mut self, home: u32, change: &HomeChange, record: &Contents) {
        let before = |kind: AlarmKind| self.shadow.homes.get(home as usize).and_then(|h| h.state.alarm(kind)).cloned();
        if let HomeChange::Raised(_) | HomeChange::Alarm { change: AlarmChange::Counted { .. }, .. } = change {
            self.called.insert(home, self.now);
        }
        match change {
            HomeChange::Raised(alarm) => {
                let open = before(alarm.kind);
                let closed_here = record.entries.iter().any(|e| {
                    matches!(e, record::Entry::Home { home: at, change: HomeChange::Closed { alarm: ended, .. } }
                        if *at == home && ended.kind == alarm.kind)
                });
                self.silence(home, alarm);
                self.promise(open.is_none() || closed_here, || format!("a second open {} in home {home}", alarm.kind));
                self.transitions.push("raised");
            }
            HomeChange::Alarm { kind, change } => {
                if let AlarmChange::Attention { attention, late_by } = change {
                    let id = self.alarm_in(home, *kind, record);
                    if late_by.0 > 0 {
                        self.transitions.push("late");
                    }
                    self.attention(id, attention, before(*kind).map(|a| a.attention));
                }
                self.transitions.extend(match change {
                    AlarmChange::Counted { .. } => Some("counted"),
                    AlarmChange::Over { .. } => Some("over"),
                    AlarmChange::Safe(Some(_)) => Some("safe"),
                    AlarmChange::Told { told: Told::Withdrawn, .. } => Some("withdrawn"),
                    _ => None,
                });
                if matches!(change, AlarmChange::Counted { .. } | AlarmChange::Acted { .. })
                    && let Some(id) = self.alarm_in(home, *kind, record)
                {
                    // A press or a person may call anew.
                    self.climbed.remove(&id);
                }
            }
            HomeChange::Closed { alarm, .. } => {
                self.climbed.remove(&alarm.id);
                self.transitions.push("closed");
            }
            _ => {}
        }
    }

    /// A message that the process may have died of becomes an alarm, unread: of its device that is a reading too.
    fn unread(&mut self, home: u32) {
        let id = self.shadow.site.homes.get(home as usize).map(|h| h.id.to_string()).unwrap_or_default();
        let Some(topic) = id.strip_prefix("unreadable/") else { return };
        let levels: Vec<&str> = topic.rsplitn(3, '/').collect();
        if let [device, home, ..] = levels[..] {
            let address: Box<str> = format!("{home}/{device}").into();
            self.presses.entry(address.clone()).or_default().push(self.now);
            self.readings.insert(address, self.now);
        }
    }

    /// The alarm of a kind that is open in a home, or is raised by this record.
    fn alarm_in(&self, home: u32, kind: AlarmKind, record: &Contents) -> Option<AlarmId> {
        let raised = record.entries.iter().rev().find_map(|entry| match entry {
            record::Entry::Home { home: at, change: HomeChange::Raised(alarm) }
                if *at == home && alarm.kind == kind =>
            {
                Some(alarm.id.clone())
            }
            _ => None,
        });
        let open = self.shadow.homes.get(home as usize).and_then(|h| h.state.alarm(kind)).map(|a| a.id.clone());
        raised.or(open)
    }

    fn attention(&mut self, id: Option<AlarmId>, attention: &Attention, before: Option<Attention>) {
        let Some(id) = id else { return };
        match attention {
            Attention::Calling { rung, round, .. } => {
                if matches!(before, Some(Attention::Taken { .. })) {
                    self.climbed.remove(&id);
                    self.transitions.push("expired");
                }
                let (now, was) = ((*round, *rung), self.climbed.get(&id).copied());
                self.promise(was.is_none_or(|was| was <= now), || {
                    format!("the ladder of {id} went back from (round, rung) {was:?} to {now:?}")
                });
                self.climbed.insert(id, now);
                self.transitions.push("called");
            }
            Attention::Taken { .. } => {
                self.climbed.remove(&id);
                self.transitions.push("taken");
            }
            Attention::Settled => drop(self.climbed.remove(&id)),
        }
    }

    fn site(&mut self, change: &SiteChange) {
        match change {
            SiteChange::NoticeMade(notice) => {
                let known = self.notices.insert(notice.id.clone(), notice.subject.clone());
                self.promise(known.is_none(), || format!("the notice id {} was given away twice", notice.id));
                self.transitions.push("made");
            }
            SiteChange::AttemptEnded { outcome, .. } => {
                self.transitions.push(if *outcome == Outcome::Delivered { "delivered" } else { "failed" });
            }
            SiteChange::Withdrawn { .. } => self.transitions.push("withdrawn"),
            SiteChange::Deaf => self.transitions.push("deaf"),
            SiteChange::Hearing { .. } => self.transitions.push("hearing"),
            _ => {}
        }
    }

    /// A parcel leaves: it must have been committed before, and in order.
    pub fn leaves(&mut self, parcel: &Parcel) {
        let pending = self.shadow.site.outbox.get(&parcel.notice);
        let committed = pending.is_some_and(|p| p.sending && p.attempts == parcel.attempt);
        self.promise(committed, || format!("{} was sent before its attempt was committed", parcel.notice));
        let subject = self.notices.get(&parcel.notice);
        let same = matches!(
            (parcel.kind, subject),
            (NoticeType::Notice, Some(Subject::Rung { .. }))
                | (NoticeType::Taken, Some(Subject::Taken { .. }))
                | (NoticeType::Closed, Some(Subject::Closed { .. }))
        );
        let committed = subject.cloned();
        self.promise(same, || format!("{} says {:?}, and {committed:?} was committed", parcel.notice, parcel.kind));
        let way = (parcel.notice.alarm.clone(), parcel.channel.id.clone());
        let before = self.left.insert(way, parcel.notice.number).unwrap_or(0);
        self.promise(before <= parcel.notice.number, || {
            format!("{} left after notice {before} of the same alarm and channel", parcel.notice)
        });
    }

    /// The broker was told that a message is ours. `delivered` is when this process got it; with `nothing` it need not come to
    /// anything, as a copy counts by the other lane's.
    pub fn acknowledged(&mut self, serial: u64, delivered: u64, nothing: bool) {
        let Some(said) = self.said.get(serial as usize).cloned() else { return };
        let Some(address) = said.address.clone().filter(|_| said.telling && !nothing) else { return };
        let since = if said.named { said.at } else { delivered };
        let latest = self.readings.get(&address).copied();
        let committed = latest.is_some_and(|at| at >= since);
        self.promise(committed || self.frozen(&address).is_some() || self.damaged, || {
            let at = said.at;
            format!(
                "message {serial} of {address}, said at {at} and here at {delivered}, was acknowledged before a reading of it was \
                 committed: the latest is of {latest:?}"
            )
        });
    }

    /// The site begins or ceases to hear its homes.
    pub fn hears(&mut self, hears: bool) {
        let since = self.hearing.take();
        self.heard_ms += since.map_or(0, |since| self.now - since);
        self.hearing = hears.then_some(self.now);
    }

    /// For how many milliseconds of the run the site could hear.
    fn heard(&self) -> u64 {
        self.heard_ms + self.hearing.map_or(0, |since| self.now - since)
    }

    /// A silence is one only as far as somebody could have heard its end.
    fn silence(&mut self, home: u32, alarm: &Alarm) {
        let Reason::Silent { limit_s, .. } = alarm.reason else { return };
        let heard = self.heard() - self.stirred.get(&home).map_or(0, |(_, heard)| *heard);
        self.promise(heard + SILENCE_SLACK_MS >= limit_s * 1_000 || self.damaged, || {
            format!("{} after {} s in which it could be heard: the limit is {limit_s} s", alarm.kind, heard / 1_000)
        });
    }

    /// The home of a device, where it is frozen: of it only calls for help are taken in.
    fn frozen(&self, address: &str) -> Option<u32> {
        let has = |home: &Slot| home.state.devices.iter().any(|d| d.address.as_str() == address);
        let home = self.shadow.homes.iter().position(|home| home.state.frozen.is_some() && has(home))?;
        u32::try_from(home).ok()
    }

    /// The broker lost a message by its own settings, or nobody had a session for it.
    pub fn lost(&mut self, serial: u64) {
        if let Some(said) = self.said.get_mut(serial as usize) {
            said.lost = true;
        }
    }

    /// A person got an answer: what was answered must be committed.
    pub fn answered(&mut self, alarm: &AlarmId, revision: u32) {
        let open = self.shadow.homes.iter().flat_map(|h| &h.state.alarms).find(|a| a.id == *alarm);
        let kept = open.is_none_or(|a| a.revision >= revision);
        self.promise(kept, || format!("an act on {alarm} was answered before it was committed"));
    }

    /// After a turn, with nothing uncommitted: memory is what the journal folds to, and no deadline was forgotten.
    pub fn turned(&mut self, core: &Core, tick: Tick, next_wake: Option<Tick>) {
        for (number, slot) in core.homes.iter().enumerate() {
            for alarm in &slot.state.alarms {
                let Some(deadline) = alarm.deadline() else { continue };
                let id = &alarm.id;
                let overdue = tick.since(deadline).0 > OVERDUE_MS;
                self.promise(!overdue, || format!("nobody looks at {id} of home {number}: its deadline has passed"));
                let woken = next_wake.is_some_and(|wake| wake <= deadline.max(tick) + Millis(OVERDUE_MS));
                self.promise(woken, || format!("nothing will wake for {id} of home {number}"));
            }
        }
    }

    /// Memory against the shadow, byte for byte.
    pub fn compare(&mut self, core: &Core, when: &str) {
        let different = difference(core, &self.shadow);
        self.promise(different.is_none(), || format!("{when}: {}", different.unwrap_or_default()));
    }

    /// A process has recovered: everything that was committed must be there again, and nothing but what was being written.
    pub fn recovered(&mut self, core: &Core, recovered: &Recovered, segments: &Segments) {
        for damage in &recovered.damage {
            self.story.tell(self.now, format_args!("the journal says: {damage}"));
        }
        self.promise(recovered.damage.is_empty() || self.flipped, || {
            format!("no bit has flipped, and yet the journal is damaged: {:?}", recovered.damage)
        });
        let hurt = recovered.damage.iter().any(|d| d.flaw != Flaw::Checkpoint);
        self.damaged |= hurt;
        let (last, known) = (recovered.last, self.sequence);
        self.promise(last >= known || hurt, || {
            format!("record {known} was committed, and {last} is the last after a restart")
        });
        self.promise(last <= known + 1 || self.damaged, || {
            format!("{last} records after a restart, {known} were written")
        });
        if hurt {
            return self.begin_anew_from(core, last);
        }
        for entry in segments.reader(known + 1).until(last) {
            match entry {
                Ok(Entry::Record(found)) => {
                    let telemetry = found.telemetry.unwrap_or_default();
                    self.committed(found.sequence, &Turn { telemetry, ledger: found.ledger, life: false });
                }
                Ok(Entry::Damage(damage)) => self.promise(false, || format!("the tail is damaged: {damage}")),
                Err(error) => self.promise(false, || format!("the tail cannot be read: {error}")),
            }
        }
        self.compare(core, "after a restart");
    }

    /// Damage took something away, and was told: what is left is what counts from here on.
    fn begin_anew_from(&mut self, core: &Core, last: u64) {
        self.shadow = empty(&self.rules);
        if let Ok(site) = minicbor::decode(&bytes(&core.site)) {
            self.shadow.restore_site(site);
        }
        for (number, slot) in core.homes.iter().enumerate() {
            if let Ok(home) = minicbor::decode(&bytes(&slot.state)) {
                self.shadow.restore_home(number as u32, 0, home);
            }
        }
        for pending in self.shadow.site.outbox.all() {
            self.notices.entry(pending.notice.id.clone()).or_insert_with(|| pending.notice.subject.clone());
        }
        self.sequence = self.sequence.max(last);
        self.climbed.clear();
        self.left.clear();
        self.compare(core, "after damage");
    }

    /// What followed through all deaths must hold what one pass gives.
    pub fn followed(&mut self, shelf: &SimShelf) {
        let different = shelf.difference(&self.pass.shelf).filter(|_| !self.damaged);
        self.promise(different.is_none(), || format!("the store differs in {}", different.unwrap_or_default()));
    }

    /// The faults have stopped long ago: every call for help was heard, and whoever has to know does.
    pub fn at_the_end(&mut self, tick: Tick, bound_ms: u64) {
        let presses: Vec<Said> = self.said.iter().filter(|s| s.press && !s.lost).cloned().collect();
        for said in presses {
            let Some(address) = &said.address else { continue };
            let heard = self.presses.get(address).is_some_and(|at| at.iter().any(|at| *at >= said.at));
            let called = self.frozen(address).and_then(|home| self.called.get(&home));
            let heard = heard || called.is_some_and(|at| *at >= said.at);
            let young = self.now < said.at + bound_ms;
            self.promise(heard || young || self.damaged, || {
                format!("the press of {address} at {} never became one of ours", super::story::clock(said.at))
            });
        }
        let mut untold = Vec::new();
        for slot in &self.shadow.homes {
            for alarm in &slot.state.alarms {
                let calling = matches!(alarm.attention, Attention::Calling { .. });
                let grave = matches!(alarm.priority(), Priority::Life | Priority::Welfare) && !alarm.kind.quiet();
                let old = tick.since(alarm.raised.tick).0 > bound_ms;
                if calling && grave && old && !alarm.tellings.iter().any(|t| t.knows) {
                    untold.push(alarm.id.clone());
                }
            }
        }
        self.promise(untold.is_empty(), || format!("nobody was ever told of {untold:?}"));
        let stuck: Vec<NoticeId> = self
            .shadow
            .site
            .outbox
            .all()
            .filter(|p| tick.since(p.notice.issued.tick).0 > bound_ms)
            .map(|p| p.notice.id.clone())
            .collect();
        self.promise(stuck.is_empty(), || format!("notices that never left: {stuck:?}"));
    }
}

/// The home in which an entry raises or counts a possible call.
fn possible_sos(entry: &record::Entry) -> Option<u32> {
    let record::Entry::Home { home, change } = entry else { return None };
    let counts = match change {
        HomeChange::Raised(alarm) => alarm.kind == AlarmKind::PossibleSos,
        HomeChange::Alarm { kind, change: AlarmChange::Counted { .. } } => *kind == AlarmKind::PossibleSos,
        _ => false,
    };
    counts.then_some(*home)
}
