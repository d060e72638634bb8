//! Coverage: when nobody could hear the home. Its silence does not count then, and afterwards somebody has to know how its people fared:
//! by what they do, or by looking. The radio's life is not a person's, and its silence is not a person's either.

use super::Turn;
use super::state::State;
use crate::engine::alarm::{Reason, Safe, SafeHow};
use crate::engine::change::{Fact, HomeChange};
use crate::engine::id::ResponderId;
use crate::engine::kind::{AlarmKind, Kind};
use crate::engine::policy::HomePolicy;
use crate::engine::reading::Value;
use crate::engine::registry::Status;
use crate::engine::time::{Millis, Stamp, Tick, Wall};
use minicbor::{Decode, Encode};
use serde::Serialize;

/// A coordinator that restarts marks every device offline: what is over within this time was no outage (PRACTICE).
pub const SETTLE: Millis = Millis::from_mins(15);

/// What a hub kept for longer than this shows how somebody was, and not how they are.
const FRESH: Millis = Millis::from_mins(60);

/// The longest pause is that of the last four to eight days.
const DAYS: Millis = Millis::from_mins(4 * 24 * 60);
/// PRACTICE: at the latest after so long.
const LATEST: Millis = Millis::from_mins(25 * 60);

/// How the home's radio speaks, on the hearing clock: by what devices say that no person causes.
#[derive(Debug, Clone, PartialEq, Default, Encode, Decode)]
pub struct Radio {
    /// The last word of any device, whoever caused it.
    #[n(0)]
    word: Tick,
    /// The last that no person caused.
    #[n(1)]
    beat: Option<Tick>,
    /// The longest pause between two of those, in the present days and in those before.
    #[n(2)]
    longest: Millis,
    #[n(3)]
    before: Option<Millis>,
    /// When the present days began.
    #[n(4)]
    from: Tick,
    /// Not even the radio is heard.
    #[n(5)]
    lost: bool,
}

impl Radio {
    /// A device spoke.
    fn heard(&mut self, beat: bool, unheard: bool, at: Tick) {
        self.word = self.word.max(at);
        self.lost = false;
        if !beat {
            return;
        }
        match self.beat {
            None => self.from = at,
            Some(last) => {
                let pause = at.since(last);
                // An outage is no rhythm; but a device that has become slower would be lost for ever.
                let known = if unheard { self.patience(Millis(0)).unwrap_or(Millis(0)) } else { pause };
                self.longest = self.longest.max(pause.min(known));
            }
        }
        self.beat = self.beat.max(Some(at));
        if at.since(self.from) >= DAYS {
            (self.before, self.longest, self.from) = (Some(self.longest), Millis(0), at);
        }
    }

    /// How long the radio may be silent; None until that is known.
    fn patience(&self, least: Millis) -> Option<Millis> {
        let longest = self.before?.max(self.longest);
        Some(Millis(longest.0 * 2).max(least).min(LATEST))
    }
}

/// A time in which nobody could hear the home, and since which nobody has stirred there or looked.
#[derive(Debug, Clone, Copy, PartialEq, Encode, Decode)]
pub struct Unwatched {
    #[n(0)]
    pub since: Stamp,
    /// When that was known: a radio that is silent is missed late, and while we were deaf nobody could know.
    #[n(1)]
    pub found: Tick,
    /// When it was heard again.
    #[n(2)]
    pub until: Option<Stamp>,
}

impl State {
    /// A home is unheard while its bridge is gone, while all its devices that tell activity are, and while its radio is silent.
    pub(super) fn fold_hearing(&mut self, at: Stamp) {
        let mut telling = self.devices.iter().filter(|d| d.tells_activity).peekable();
        let all_gone = telling.peek().is_some() && telling.all(|d| d.online == Some(false));
        match (self.bridge_offline || all_gone || self.radio.lost, self.unheard_since) {
            (true, None) => {
                let late = if self.radio.lost { at.heard.since(self.radio.word) } else { Millis(0) };
                let since = before(at, late);
                self.unheard_since = Some(since.heard);
                self.learnt.is_no_example();
                let new = Unwatched { since, found: at.tick, until: None };
                self.unwatched = Some(self.unwatched.map_or(new, |known| Unwatched { until: None, ..known }));
            }
            (false, Some(since)) => {
                let from = self.activity.as_ref().map_or(since, |a| since.max(a.heard));
                self.unheard.0 += at.heard.since(from).0;
                self.unheard_since = None;
                self.unwatched = self
                    .unwatched
                    .filter(|known| at.tick.since(known.since.tick) >= SETTLE)
                    .map(|known| Unwatched { until: Some(at), ..known });
            }
            _ => {}
        }
    }

    /// What a message says of the radio. Says whether that is news for who asks whether the home is heard.
    pub(super) fn fold_radio(&mut self, fact: &Fact, at: Stamp) -> bool {
        let gone = fact.reading.kind == Kind::Online && fact.reading.value == Value::Flag(false);
        if fact.retained || fact.history.is_some() || gone {
            return false;
        }
        let was_lost = self.radio.lost;
        let late = fact.happened.map_or(Millis(0), |then| at.wall.since(then));
        self.radio.heard(fact.beat.is_some(), self.unheard_since.is_some(), before(at, late).heard);
        was_lost
    }

    pub(super) fn fold_loss(&mut self, at: Stamp) {
        self.radio.lost = true;
        self.fold_hearing(at);
    }

    /// From here on the home counts as heard, whatever was: for whoever plays what would be.
    pub fn forget_outages(&mut self) {
        self.unwatched = None;
    }

    /// The site was deaf since then.
    pub(super) fn fold_deafness(&mut self, since: Stamp, at: Stamp) {
        let known = self.unwatched.filter(|known| known.since.tick < since.tick);
        let until = self.unheard_since.is_none().then_some(at);
        let new = Unwatched { since, found: at.tick, until };
        self.unwatched = Some(known.map_or(new, |known| Unwatched { until, ..known }));
    }

    /// A person stirred.
    pub(super) fn fold_sign(&mut self, happened: Option<Wall>, at: Stamp) {
        if is_fresh(happened, at) {
            self.unwatched = None;
        }
    }

    /// A person looked, and all is well.
    pub(super) fn fold_look(&mut self, at: Stamp) {
        self.unwatched = self.unheard_since.map(|_| Unwatched { since: at, found: at.tick, until: None });
    }
}

/// Whether what a person did then shows how they are now, after a time in which nobody could hear them.
pub(super) fn is_fresh(happened: Option<Wall>, at: Stamp) -> bool {
    happened.is_none_or(|then| at.wall.since(then) <= FRESH)
}

fn before(at: Stamp, span: Millis) -> Stamp {
    Stamp {
        tick: Tick(at.tick.0.saturating_sub(span.0)),
        wall: Wall(at.wall.0.saturating_sub(span.0 as i64)),
        heard: Tick(at.heard.0.saturating_sub(span.0)),
    }
}

/// When the radio will have been silent for too long, if nothing is heard until then.
pub(super) fn next_loss(policy: &HomePolicy, state: &State, now: Stamp) -> Option<Tick> {
    let least = Millis::from_secs(policy.rules.radio_least_s.into());
    if !policy.claimed || state.unheard_since.is_some() || least == Millis(0) {
        return None;
    }
    let patience = state.radio.patience(least)?;
    Some(now.tick + Millis(patience.0.saturating_sub(now.heard.since(state.radio.word).0)))
}

/// The time in which nobody could hear the home, where anybody is to be asked after it.
fn listed<'s>(policy: &HomePolicy, state: &'s State) -> Option<&'s Unwatched> {
    let watched = policy.claimed && policy.status == Status::Active && !state.devices.is_empty();
    state.unwatched.as_ref().filter(|_| watched)
}

/// Until when somebody has to have looked: some time after the home is heard again, or after the outage began, but for what is found so
/// late; by day.
fn deadline(policy: &HomePolicy, unwatched: &Unwatched, now: Stamp) -> Tick {
    let rules = &policy.rules;
    let call = Millis::from_secs(rules.outage_call_s.into());
    let longest = unwatched.since.tick + Millis::from_secs(rules.outage_longest_s.into());
    let longest = longest.max(unwatched.found + call);
    let due = unwatched.until.map_or(longest, |until| longest.min(until.tick + call));
    let wall = before(now, now.tick.since(due)).wall + due.since(now.tick);
    let (from, to) = (rules.outage_call_from_min, rules.outage_call_to_min);
    let minute = wall.minute(&policy.zone);
    let by_day = if from <= to { (from..=to).contains(&minute) } else { minute >= from || minute <= to };
    if by_day { due } else { due + wall.next_at(&policy.zone, from).since(wall) }
}

/// When somebody has to look after the people of the home, as things stand.
pub(super) fn next_look(policy: &HomePolicy, state: &State, now: Stamp) -> Option<Tick> {
    let unwatched = listed(policy, state)?;
    let asked = |kind| state.alarm(kind).is_some_and(|a| a.over.is_none() && a.safe.is_none());
    let asked = asked(AlarmKind::WelfareCheck) || asked(AlarmKind::Inactivity);
    (!asked).then(|| deadline(policy, unwatched, now))
}

/// A home of the work list after an outage.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LookView {
    /// From when nobody could hear it.
    #[serde(serialize_with = "crate::engine::view::utc")]
    pub since: Wall,
    /// When it was heard again; null while it is not.
    #[serde(serialize_with = "crate::engine::view::utc_or_null")]
    pub until: Option<Wall>,
    /// When an alarm asks for it, unless somebody stirs or looks before.
    #[serde(serialize_with = "crate::engine::view::utc")]
    pub due: Wall,
    #[serde(serialize_with = "crate::engine::view::utc_or_null")]
    pub last_activity: Option<Wall>,
    /// Somebody there can call for help by a device that is known to work.
    pub sos_cover: bool,
}

/// What the work list says of the home; None where it does not stand there.
pub fn view(policy: &HomePolicy, state: &State, now: Stamp) -> Option<LookView> {
    let unwatched = listed(policy, state).filter(|u| now.tick.since(u.since.tick) >= SETTLE)?;
    let due = deadline(policy, unwatched, now);
    Some(LookView {
        since: unwatched.since.wall,
        until: unwatched.until.map(|until| until.wall),
        due: before(now, now.tick.since(due)).wall + due.since(now.tick),
        last_activity: last_sign(state),
        sos_cover: state.has_sos_cover(now),
    })
}

/// When a person last stirred there.
fn last_sign(state: &State) -> Option<Wall> {
    state.activity.as_ref().filter(|activity| activity.kind.is_some()).map(|activity| activity.wall)
}

impl Turn<'_> {
    /// Whether the radio has been silent for too long by now: then no silence of the home is judged before that is folded.
    pub(super) fn lose(&mut self) -> bool {
        let lost = next_loss(self.policy, self.state, self.now).is_some_and(|at| at <= self.now.tick);
        if lost {
            self.because("radio_lost");
            self.change(HomeChange::Lost);
        }
        lost
    }

    /// Calls for somebody to look where that is due.
    pub(super) fn look_due(&mut self) -> bool {
        let due = next_look(self.policy, self.state, self.now).is_some_and(|at| at <= self.now.tick);
        if let Some(unwatched) = self.state.unwatched.filter(|_| due) {
            let (since, until) = (unwatched.since.wall, unwatched.until.map(|until| until.wall));
            let last_activity = last_sign(self.state);
            self.own(AlarmKind::WelfareCheck, Reason::Unwatched { since, until, last_activity });
        }
        due
    }

    pub(super) fn was_deaf(&mut self, since: Stamp) {
        if self.policy.claimed && !self.state.devices.is_empty() {
            self.change(HomeChange::Unwatched { since });
        }
    }

    pub(super) fn looked(&mut self, by: ResponderId, how: SafeHow) {
        self.change(HomeChange::Looked { safe: Safe { by, at: self.now.wall, how } });
        self.is_well(None);
    }
}
