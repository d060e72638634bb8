//! Suppressions: somebody has said that the people of the home are away or in hospital, or that its devices are under repair. It changes
//! who is told, never whether the alarm exists: what is hidden waits, and calls at once when the suppression's time is over.
//!
//! **A call for help is never hidden**, nor smoke, gas, CO and water. A suppression has an owner, a reason and a hard end; it asks before
//! that end and every three days whether it still holds, and when somebody stirs in the home (PRACTICE: that may be a daughter who fetches
//! clothes, so it ends nothing).

use super::Turn;
use super::silence::wants_a_sign;
use super::state::State;
use crate::engine::alarm::{Alarm, Attention, Reason};
use crate::engine::change::HomeChange;
use crate::engine::id::ResponderId;
use crate::engine::input::SuppressionOrder;
use crate::engine::kind::{AlarmKind, Priority};
use crate::engine::policy::{HomePolicy, ResolvedLadder, SILENT};
use crate::engine::sealed::Sealed;
use crate::engine::time::{Millis, Stamp, Tick, Wall};
use crate::engine::view::{utc, utc_or_null};
use minicbor::{Decode, Encode};
use serde::Serialize;

/// PRACTICE: confirmed every 72 h.
const CONFIRMED_EVERY: Millis = Millis::from_mins(72 * 60);
/// Before its end somebody is asked, at most so long,
const REMINDED_BEFORE: Millis = Millis::from_mins(24 * 60);
/// and of a short one in its last quarter.
const OF_ITS_LENGTH: u64 = 4;
/// The longest a suppression may be set for at once; a longer one is set again.
pub const LONGEST: Millis = Millis::from_mins(92 * 24 * 60);
/// Who packs is still at home; and who stirs after so long a silence is another matter than who stirred just before.
const LEAVES_WITHIN: Millis = Millis::from_mins(60);
/// How many alarms its report names; the others it counts.
const REPORTED: usize = 32;

/// What a suppression is for. There is one of each kind at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Serialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum SuppressionKind {
    /// On a journey, with the family, over the holidays.
    #[n(0)]
    Away,
    #[n(1)]
    Hospital,
    /// Somebody works on the devices.
    #[n(2)]
    Repair,
}

impl SuppressionKind {
    pub const ALL: [SuppressionKind; 3] = [SuppressionKind::Away, SuppressionKind::Hospital, SuppressionKind::Repair];

    /// The word of the API.
    pub const fn name(self) -> &'static str {
        match self {
            SuppressionKind::Away => "away",
            SuppressionKind::Hospital => "hospital",
            SuppressionKind::Repair => "repair",
        }
    }

    pub fn parse(name: &str) -> Option<SuppressionKind> {
        SuppressionKind::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The people are not at home.
    pub const fn is_absence(self) -> bool {
        matches!(self, SuppressionKind::Away | SuppressionKind::Hospital)
    }

    /// Whether nobody is told of an alarm of this kind while it lasts.
    pub const fn hides(self, kind: AlarmKind) -> bool {
        match self.is_absence() {
            true => is_of_people(kind),
            false => matches!(kind, AlarmKind::Tamper | AlarmKind::BatteryLow | AlarmKind::HomeUnheard),
        }
    }
}

/// What rests on people's being at home. That nobody watches the home, since its decisions fail, is another matter.
const fn is_of_people(kind: AlarmKind) -> bool {
    let welfare = matches!(kind.priority(), Priority::Welfare) && !matches!(kind, AlarmKind::WelfareCheck);
    welfare && kind.needs_safe() && !kind.may_be_a_call()
}

/// An alarm of which nobody was told.
#[derive(Debug, Clone, Copy, PartialEq, Encode, Decode, Serialize)]
pub struct Hid {
    #[n(0)]
    pub kind: AlarmKind,
    #[n(1)]
    #[serde(serialize_with = "utc")]
    pub at: Wall,
}

/// A suppression in force.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Suppression {
    #[n(0)]
    pub kind: SuppressionKind,
    /// Who set it, or confirmed it last.
    #[n(1)]
    pub by: ResponderId,
    #[n(2)]
    pub reason: Option<Sealed<String>>,
    #[n(3)]
    pub since: Stamp,
    /// Its hard end; by the clock that people read too, whichever says so first: a clock that was wrong when it was set hides for no longer.
    #[n(4)]
    pub until: Tick,
    #[n(9)]
    pub until_wall: Wall,
    /// When somebody said last that it holds.
    #[n(5)]
    pub confirmed: Stamp,
    /// When it was asked last whether it still holds.
    #[n(6)]
    pub asked: Option<Tick>,
    /// The first alarms that it hid, and how many in all: its report.
    #[n(7)]
    pub hid: Vec<Hid>,
    #[n(8)]
    pub hidden: u32,
}

impl Suppression {
    pub(super) fn is_over(&self, now: Stamp) -> bool {
        self.until <= now.tick || self.until_wall <= now.wall
    }

    /// When it has to be asked next whether it still holds: so long after somebody confirmed it or was asked, and before its end.
    fn ask_at(&self) -> Option<Tick> {
        let length = self.until.since(self.since.tick);
        let before = Millis(length.0 / OF_ITS_LENGTH).min(REMINDED_BEFORE);
        let last = self.asked.unwrap_or_default().max(self.confirmed.tick);
        let points = [last + CONFIRMED_EVERY, Tick(self.until.0.saturating_sub(before.0))];
        points.into_iter().filter(|at| *at > last && *at < self.until).min()
    }
}

/// A suppression as others see it; its reason is sealed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SuppressionView {
    pub kind: SuppressionKind,
    pub by: ResponderId,
    #[serde(serialize_with = "utc")]
    pub since: Wall,
    #[serde(serialize_with = "utc")]
    pub until: Wall,
    #[serde(serialize_with = "utc")]
    pub confirmed_at: Wall,
    /// When somebody is asked next whether it holds.
    #[serde(serialize_with = "utc_or_null")]
    pub ask_at: Option<Wall>,
    /// How many alarms nobody was told of, and the first of them.
    pub hidden: u32,
    pub hid: Vec<Hid>,
}

impl Suppression {
    /// As it stands.
    pub fn view(&self, now: Stamp) -> SuppressionView {
        SuppressionView {
            kind: self.kind,
            by: self.by.clone(),
            since: self.since.wall,
            until: self.until_wall,
            confirmed_at: self.confirmed.wall,
            ask_at: self.ask_at().map(|at| now.wall_at(at)),
            hidden: self.hidden,
            hid: self.hid.clone(),
        }
    }
}

/// Why an order about a suppression was not followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SuppressionRefusal {
    NoSuchHome,
    /// There is none of this kind.
    NotSet,
    /// Its end has passed already, or is further away than [`LONGEST`].
    BadEnd,
}

/// What hides alarms of this kind now.
pub fn hidden_by(state: &State, kind: AlarmKind, now: Stamp) -> Option<SuppressionKind> {
    state.suppressions.iter().filter(|s| !s.is_over(now)).map(|s| s.kind).find(|s| s.hides(kind))
}

/// The people are known not to be at home.
pub(super) fn absence(state: &State, now: Stamp) -> Option<&Suppression> {
    state.suppressions.iter().find(|s| !s.is_over(now) && s.kind.is_absence())
}

/// The ladder that an alarm of this kind climbs now.
pub fn ladder<'p>(policy: &'p HomePolicy, state: &State, kind: AlarmKind, now: Stamp) -> &'p ResolvedLadder {
    if hidden_by(state, kind, now).is_some() { &SILENT } else { policy.ladder(kind) }
}

/// Whether nobody was told of an alarm, or is at it.
fn is_untouched(alarm: &Alarm) -> bool {
    alarm.tellings.is_empty() && alarm.safe.is_none() && matches!(alarm.attention, Attention::Calling { .. })
}

/// When a suppression ends or has to be asked about, whichever is first.
pub(super) fn next(state: &State, now: Stamp) -> Option<Tick> {
    let ends = |s: &Suppression| s.until.min(now.tick + s.until_wall.since(now.wall));
    state.suppressions.iter().flat_map(|s| [Some(ends(s)), s.ask_at()]).flatten().min()
}

impl State {
    pub(super) fn fold_suppression(&mut self, new: &Suppression) {
        self.suppressions.retain(|s| s.kind != new.kind);
        self.suppressions.push(new.clone());
        self.suppressions.sort_by_key(|s| s.kind);
        self.teaches_nothing(new.kind);
    }

    /// The silence under way is that of an absence.
    fn teaches_nothing(&mut self, kind: SuppressionKind) {
        if kind.is_absence() {
            self.learnt.is_no_example();
        }
    }

    pub(super) fn fold_suppression_ended(&mut self, ended: &Suppression) {
        self.suppressions.retain(|s| s.kind != ended.kind);
        self.teaches_nothing(ended.kind);
    }

    /// An alarm was raised, or came again.
    pub(super) fn fold_hidden(&mut self, kind: AlarmKind, new: bool, at: Stamp) {
        for suppression in &mut self.suppressions {
            if kind == AlarmKind::SuppressionCheck {
                suppression.asked = Some(at.tick);
            }
            if new && suppression.kind.hides(kind) {
                suppression.hidden += 1;
                if suppression.hid.len() < REPORTED {
                    suppression.hid.push(Hid { kind, at: at.wall });
                }
            }
        }
    }
}

impl Turn<'_> {
    pub(super) fn suppress(&mut self, order: SuppressionOrder, by: ResponderId) {
        let known = |kind| self.state.suppressions.iter().find(|s| s.kind == kind);
        let done = match order {
            SuppressionOrder::Set { until, .. } if !self.is_fit(until) => Err(SuppressionRefusal::BadEnd),
            SuppressionOrder::Set { kind, until, reason } => {
                let (until, until_wall) = (self.now.tick + until.since(self.now.wall), until);
                let new = Suppression {
                    kind,
                    by,
                    reason,
                    since: self.now,
                    until,
                    until_wall,
                    confirmed: self.now,
                    asked: None,
                    hid: Vec::new(),
                    hidden: 0,
                };
                let new = match known(kind) {
                    Some(Suppression { since, hid, hidden, .. }) => {
                        Suppression { since: *since, hid: hid.clone(), hidden: *hidden, ..new }
                    }
                    None => new,
                };
                self.is_answered(kind);
                self.change(HomeChange::Suppressed(Box::new(new)));
                Ok(())
            }
            SuppressionOrder::End { kind } => match known(kind) {
                None => Err(SuppressionRefusal::NotSet),
                Some(known) => {
                    self.lift(known, by);
                    Ok(())
                }
            },
        };
        self.out.suppressed = Some(done);
    }

    fn is_fit(&self, until: Wall) -> bool {
        until > self.now.wall && until.since(self.now.wall) <= LONGEST
    }

    /// A person says that it is over: of people who were away, that they are back, so that their silence begins anew.
    fn lift(&mut self, known: &Suppression, by: ResponderId) {
        let another = self.state.suppressions.iter().any(|s| s.kind != known.kind && s.kind.is_absence());
        let back = known.kind.is_absence() && !another;
        // What rested on their being away is nobody's matter any more, whoever knows of it.
        let rests = |alarm: &&Alarm| known.kind.hides(alarm.kind) && (is_untouched(alarm) || wants_a_sign(alarm));
        for alarm in self.state.alarms.iter().filter(|alarm| back && rests(alarm)) {
            self.close_by_itself(alarm);
        }
        self.is_answered(known.kind);
        self.change(HomeChange::SuppressionEnded { suppression: Box::new(known.clone()), by: Some(by) });
        if back {
            self.change(HomeChange::Resumed);
        }
    }

    /// Nothing is to be asked any more of a suppression of this kind; what is asked of another one stays.
    fn is_answered(&mut self, kind: SuppressionKind) {
        let asked = |alarm: &&Alarm| matches!(&alarm.reason, Reason::Suppressed { of, .. } if *of == kind);
        for alarm in self.state.alarms.iter().filter(asked) {
            self.close_by_itself(alarm);
        }
    }

    /// Ends what has lasted its time, and asks where that is due.
    pub(super) fn suppressions_due(&mut self) {
        let (state, now) = (self.state, self.now);
        let (over, in_force): (Vec<_>, Vec<_>) = state.suppressions.iter().partition(|s| s.is_over(now));
        for suppression in &over {
            self.because("suppression_over");
            self.is_answered(suppression.kind);
            let suppression = Box::new((*suppression).clone());
            self.change(HomeChange::SuppressionEnded { suppression, by: None });
        }
        // What has just ended may have been the one that was asked about: another has its turn at the next look.
        let due = |s: &&&Suppression| over.is_empty() && s.ask_at().is_some_and(|at| at <= now.tick);
        if let Some(asks) = in_force.iter().find(due) {
            let reason = self.suppressed(asks);
            self.own(AlarmKind::SuppressionCheck, reason);
        }
    }

    /// Somebody stirs where nobody should be: they are back, or somebody else is there.
    pub(super) fn question(&mut self, happened: Option<Wall>) {
        let Some(absence) = absence(self.state, self.now) else { return };
        let then = happened.unwrap_or(self.now.wall);
        // By the clock that nobody sets: for how long it had held when that happened.
        let held = self.now.tick.since(absence.since.tick).0.saturating_sub(self.now.wall.since(then).0);
        let anew = self.state.activity.as_ref().is_none_or(|activity| then.since(activity.wall) >= LEAVES_WITHIN);
        let asked = self.state.alarm(AlarmKind::BackCheck).is_some_and(Alarm::lasts);
        if held >= LEAVES_WITHIN.0 && anew && !asked {
            let reason = self.suppressed(absence);
            self.own(AlarmKind::BackCheck, reason);
        }
    }

    fn suppressed(&self, of: &Suppression) -> Reason {
        Reason::Suppressed { of: of.kind, since: of.since.wall, until: of.until_wall }
    }

    /// Whether nobody knows of an alarm, and nobody is to: it needs nobody who looks, once it is over.
    pub(super) fn is_hidden(&self, alarm: &Alarm) -> bool {
        hidden_by(self.state, alarm.kind, self.now).is_some() && is_untouched(alarm)
    }
}
