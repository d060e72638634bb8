//! The promises, held against what is committed: whatever happens, these must be so.
//!
//! The oracle sits between the keeper and its journal and folds every record that was written into a core of its own, the *shadow*.
//! So it knows what is committed, which is all that anybody outside may act upon, and what a restart has to come to.

mod calls;
mod silences;

pub use calls::{Ack, Said};

use super::shadow::{bytes, difference, empty};
use super::shelf::{Pass, SimShelf};
use super::story::Story;
use crate::engine::alarm::{Alarm, Attention, Told};
use crate::engine::change::{AlarmChange, HomeChange, SiteChange, Subject};
use crate::engine::delivery::Outcome;
use crate::engine::home::suppression;
use crate::engine::id::{AlarmId, ChannelId, NoticeId};
use crate::engine::kind::{AlarmKind, Priority};
use crate::engine::policy::SiteRules;
use crate::engine::registry::Entity;
use crate::engine::time::{Millis, Tick};
use crate::journal::{Entry, Flaw, Recovered, Segments};
use crate::keeper::core::Core;
use crate::keeper::ports::{NoticeType, Parcel, Turn};
use crate::keeper::record::{self, Contents};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

/// A promise that was not kept, in words.
pub type Broken = String;

/// What changes in the life of an alarm, a notice or a home: the columns of the table of hits.
pub const TRANSITIONS: &[&str] = &[
    "raised",
    "counted",
    "called",
    "suppressed",
    "lifted",
    "taken",
    "expired",
    "safe",
    "over",
    "closed",
    "reopened",
    "made",
    "digest",
    "delivered",
    "failed",
    "withdrawn",
    "deaf",
    "hearing",
    "late",
];

/// Longer than any restart of the process and any look at the ladder takes: a deadline that passed by more was forgotten.
const OVERDUE_MS: u64 = 12_000;

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
    /// What the devices said, and what became of it.
    pub said: Vec<Said>,
    calls: calls::Calls,
    silences: silences::Silences,
    /// Where each ladder stands: round and rung.
    climbed: BTreeMap<AlarmId, (u32, u32)>,
    /// When nobody was to be told of an alarm last.
    hidden: BTreeMap<AlarmId, u64>,
    /// What each notice says, by its id, for good.
    notices: BTreeMap<NoticeId, Subject>,
    /// The highest number of a notice that left, by alarm and channel.
    left: BTreeMap<(AlarmId, ChannelId), u32>,
    /// Committed since asked last.
    pub transitions: Vec<&'static str>,
    /// A bit has flipped on the disk; and whether it did since the last start.
    flipped: bool,
    fresh_flip: bool,
    /// Among which records.
    flips: Vec<RangeInclusive<u64>>,
    /// When synced data were found damaged last: what stood there is gone, and was told to be.
    damaged: Option<u64>,
    /// Since when nothing fails any more.
    calm: Option<u64>,
    /// The disk is full to the last byte of its reserve: not even a call has room.
    pub no_room_for_life: bool,
    /// Whether the gateway took the disk for full at its last turn, and until when it did; 0 for never.
    full: bool,
    full_until: u64,
    /// Alarms that are closed.
    closed: BTreeSet<AlarmId>,
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
            calls: calls::Calls::default(),
            silences: silences::Silences::default(),
            climbed: BTreeMap::new(),
            hidden: BTreeMap::new(),
            notices: BTreeMap::new(),
            left: BTreeMap::new(),
            transitions: Vec::new(),
            flipped: false,
            fresh_flip: false,
            flips: Vec::new(),
            damaged: None,
            calm: None,
            no_room_for_life: false,
            full: false,
            full_until: 0,
            closed: BTreeSet::new(),
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
        self.sequence = sequence;
        for entry in &contents.entries {
            match entry {
                record::Entry::Home { home, change } => self.home(*home, change, &contents),
                record::Entry::Site(change) => self.site(change),
            }
        }
        self.pass.take(sequence, &contents);
        let facts: Vec<_> = contents.facts.iter().map(|(home, fact)| (*home, fact.clone())).collect();
        let unread: Vec<u32> = contents.entries.iter().filter_map(calls::possible_sos).collect();
        self.shadow.fold(sequence, 0, contents);
        unread.into_iter().for_each(|home| self.unread(home));
        self.stirrings();
        facts.iter().for_each(|(home, fact)| self.told(*home, fact));
    }

    fn home(&mut self, home: u32, change: &HomeChange, record: &Contents) {
        let before = |kind: AlarmKind| self.shadow.homes.get(home as usize).and_then(|h| h.state.alarm(kind)).cloned();
        match change {
            HomeChange::Raised(alarm) => {
                let open = before(alarm.kind);
                let closed_here = record.entries.iter().any(|e| {
                    matches!(e, record::Entry::Home { home: at, change: HomeChange::Closed { alarm: ended, .. } }
                        if *at == home && ended.kind == alarm.kind)
                });
                self.alarmed(home, alarm.kind);
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
                if let AlarmChange::Counted { .. } = change {
                    self.alarmed(home, *kind);
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
            // Where it goes it begins its ladder anew.
            HomeChange::AlarmJoined(alarm) | HomeChange::Reopened(alarm) => {
                let open = before(alarm.kind);
                self.promise(open.is_none(), || format!("a second open {} in home {home}", alarm.kind));
                self.climbed.remove(&alarm.id);
                if self.closed.remove(&alarm.id) {
                    self.transitions.push("reopened");
                }
            }
            HomeChange::Closed { alarm, .. } => {
                self.climbed.remove(&alarm.id);
                self.hidden.remove(&alarm.id);
                self.closed.insert(alarm.id.clone());
                self.transitions.push("closed");
            }
            // Whom nobody is told of calls nobody, and begins anew when that is over.
            HomeChange::Suppressed(new) => {
                let alarms = self.shadow.homes.get(home as usize).map(|h| h.state.alarms.as_slice());
                for alarm in alarms.unwrap_or_default().iter().filter(|alarm| new.kind.hides(alarm.kind)) {
                    self.climbed.remove(&alarm.id);
                }
                self.transitions.push("suppressed");
            }
            HomeChange::SuppressionEnded { .. } => self.transitions.push("lifted"),
            _ => {}
        }
    }

    /// The alarm of a kind that is open in a home, or comes up there in this record.
    fn alarm_in(&self, home: u32, kind: AlarmKind, record: &Contents) -> Option<AlarmId> {
        let raised = record.entries.iter().rev().find_map(|entry| match entry {
            record::Entry::Home {
                home: at,
                change: HomeChange::Raised(alarm) | HomeChange::AlarmJoined(alarm) | HomeChange::Reopened(alarm),
            } if *at == home && alarm.kind == kind => Some(alarm.id.clone()),
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
                self.transitions.push(if notice.members().is_empty() { "made" } else { "digest" });
            }
            SiteChange::AttemptEnded { outcome, .. } => {
                self.transitions.push(if *outcome == Outcome::Delivered { "delivered" } else { "failed" });
            }
            SiteChange::Withdrawn { .. } => self.transitions.push("withdrawn"),
            SiteChange::Deaf => self.transitions.push("deaf"),
            SiteChange::Hearing { .. } => self.transitions.push("hearing"),
            SiteChange::Registered(entity) => {
                if let Entity::Home(home) = &**entity {
                    self.begins_anew(&home.id);
                }
            }
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
            (parcel.kind(), subject),
            (NoticeType::Notice, Some(Subject::Rung { .. }))
                | (NoticeType::Taken, Some(Subject::Taken { .. }))
                | (NoticeType::Closed, Some(Subject::Closed { .. }))
                | (NoticeType::Digest, Some(Subject::Digest { .. }))
        );
        let committed = subject.cloned();
        self.promise(same, || format!("{} says {:?}, and {committed:?} was committed", parcel.notice, parcel.kind()));
        let way = (parcel.notice.alarm.clone(), parcel.channel.id.clone());
        let before = self.left.insert(way, parcel.notice.number).unwrap_or(0);
        self.promise(before <= parcel.notice.number, || {
            format!("{} left after notice {before} of the same alarm and channel", parcel.notice)
        });
    }

    /// The journal had no room for a record of a call of `length` bytes; `place` is what lay ready in its folder.
    pub fn refused(&mut self, length: u64, place: u64) {
        self.no_room_for_life = true;
        self.promise(place < length, || {
            format!("a call of {length} bytes had no room, and {place} bytes lay ready for it")
        });
    }

    /// A person got an answer: what was answered must be committed.
    pub fn answered(&mut self, alarm: &AlarmId, revision: u32) {
        let open = self.shadow.homes.iter().flat_map(|h| &h.state.alarms).find(|a| a.id == *alarm);
        let kept = open.map_or(self.closed.contains(alarm), |a| a.revision >= revision);
        self.promise(kept, || format!("an act on {alarm} was answered before it was committed"));
    }

    /// A bit flips on the disk, among these records if among any.
    pub fn flips(&mut self, records: Option<RangeInclusive<u64>>) {
        (self.flipped, self.fresh_flip) = (true, true);
        self.flips.extend(records.map(|all| *all.start()..=self.sequence.min(*all.end())));
    }

    /// After a turn: whether the gateway takes the disk for full. The turn that finds room had none before.
    pub fn fills(&mut self, full: bool) {
        if std::mem::replace(&mut self.full, full) || full {
            self.full_until = self.now;
        }
    }

    /// From here on nothing fails.
    pub fn calms(&mut self) {
        self.calm = Some(self.now);
    }

    /// After a turn, with nothing uncommitted: no deadline was forgotten, and whoever has to know is told within `bound_ms`.
    /// On a full disk, and just after, that holds for alarms of life.
    pub fn turned(&mut self, core: &Core, tick: Tick, next_wake: Option<Tick>, bound_ms: u64) {
        let full = self.full_until > 0 && self.now < self.full_until + OVERDUE_MS;
        self.promise(core.faults == 0 || cfg!(feature = "poison"), || {
            "a decision failed, and nobody planted that".to_owned()
        });
        let found = if full { None } else { core.broken().into_iter().find(|found| !found.what.is_of_a_receiver()) };
        self.promise(found.is_none(), || format!("the checker finds {found:?}"));
        // Nothing is to be there for it to mend: it would hide from these promises what has broken them.
        self.promise(core.mended == 0, || "the checker had something to mend".to_owned());
        let calm_for = self.calm.map_or(0, |since| self.now - since);
        for (number, slot) in core.homes.iter().enumerate() {
            for alarm in &slot.state.alarms {
                let id = &alarm.id;
                // Whoever calls for help is never hidden.
                if !alarm.kind.may_be_a_call() && suppression::hidden_by(&slot.state, alarm.kind, core.now()).is_some()
                {
                    self.hidden.insert(id.clone(), self.now);
                }
                let told_for = self.hidden.get(id).map_or(u64::MAX, |last| self.now - last);
                let waits = tick.since(alarm.raised.tick).0.min(calm_for).min(told_for);
                // Damage may have taken away who is to be told; it was told itself.
                let nobody = self.damaged.is_some() && slot.policy.ladder(alarm.kind).reaches_nobody(core.now().wall);
                let told = waits < bound_ms || !needs_somebody(alarm) || nobody;
                self.promise(told, || format!("nobody was ever told of {id}"));
                let stands = !full || alarm.kind.may_be_a_call();
                let Some(deadline) = alarm.deadline().filter(|_| stands) else { continue };
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
        // A machine that was still down when the faults ended could tell nobody.
        self.calm = self.calm.map(|_| self.now);
        for damage in &recovered.damage {
            self.story.tell(self.now, format_args!("the journal says: {damage}"));
        }
        self.promise(recovered.damage.is_empty() || self.flipped, || {
            format!("no bit has flipped, and yet the journal is damaged: {:?}", recovered.damage)
        });
        let (last, known) = (recovered.last, self.sequence);
        // In the very last record it cannot be told from a write that was torn.
        let cut = std::mem::take(&mut self.fresh_flip) && last + 1 == known;
        let hurt = cut || recovered.damage.iter().any(|d| d.flaw != Flaw::Checkpoint);
        if hurt {
            self.damaged = Some(self.now);
        }
        self.promise(last >= known || hurt, || {
            format!("record {known} was committed, and {last} is the last after a restart")
        });
        self.promise(last <= known + 1 || hurt, || format!("{last} records after a restart, {known} were written"));
        if hurt {
            self.begin_anew_from(core, last);
            // What was being written when the process died is ours all the same.
            for entry in segments.reader(known + 1).until(last) {
                let Ok(Entry::Record(found)) = entry else { continue };
                if let Ok(contents) = record::read(&found.telemetry.unwrap_or_default(), &found.ledger) {
                    self.calls_of(&contents);
                }
            }
            return;
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
        // What was taken away may be given anew, under the same numbers.
        let pending = self.shadow.site.outbox.all();
        self.notices = pending.map(|p| (p.notice.id.clone(), p.notice.subject.clone())).collect();
        self.sequence = last;
        self.forget_calls(last);
        self.climbed.clear();
        self.left.clear();
        self.forget_stirrings();
        self.compare(core, "after damage");
    }

    /// What followed through all deaths must hold what one pass gives.
    pub fn followed(&mut self, shelf: &SimShelf) {
        let different = shelf.differences(&self.pass.shelf);
        // Recovery needs no record that a checkpoint has, but the follower does: it passes over what is damaged, and leaves its rows out.
        let passed_over = |key: &Vec<u8>| {
            let sequence =
                key.strip_prefix(b"t").and_then(|key| key.split_last_chunk::<16>()?.1.first_chunk::<8>().copied());
            sequence.map(u64::from_be_bytes).is_some_and(|of| self.flips.iter().any(|flip| flip.contains(&of)))
        };
        let excused = self.damaged.is_some() || different.iter().any(passed_over);
        let first =
            different.first().filter(|_| !excused).map(|key| String::from_utf8_lossy(key).escape_debug().to_string());
        self.promise(first.is_none(), || format!("the store differs in {}", first.unwrap_or_default()));
    }

    /// The faults have stopped long ago: the gateway has taken in what came and `rests`, every call for help was heard, and every notice
    /// has left.
    pub fn at_the_end(&mut self, tick: Tick, rests: bool, bound_ms: u64) {
        self.promise(rests, || "something still waits to be taken in or written".to_owned());
        self.every_call_came(bound_ms);
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

/// Whether an alarm calls, gravely, and nobody knows of it.
fn needs_somebody(alarm: &Alarm) -> bool {
    let calling = matches!(alarm.attention, Attention::Calling { .. });
    let grave = matches!(alarm.priority(), Priority::Life | Priority::Welfare) && !alarm.kind.quiet();
    calling && grave && !alarm.tellings.iter().any(|t| t.knows)
}
