//! Coverage: when nobody could hear the home. Its silence does not count then, and afterwards somebody has to know how its people fared:
//! by what they do, or by looking. The radio's life is not a person's, and its silence is not a person's either.

use super::Turn;
use super::silence::{limit, wants_a_sign, within};
use super::state::State;
use super::suppression::absence;
use crate::engine::alarm::{Alarm, Reason, Safe, SafeHow};
use crate::engine::change::{Fact, HomeChange};
use crate::engine::id::ResponderId;
use crate::engine::kind::{AlarmKind, Kind};
use crate::engine::policy::HomePolicy;
use crate::engine::reading::Value;
use crate::engine::time::{Millis, Stamp, Tick, Wall};
use minicbor::{Decode, Encode};
use serde::Serialize;

/// A coordinator that restarts marks every device offline: what is over within this time was no outage (PRACTICE).
pub const SETTLE: Millis = Millis::from_mins(15);

/// What a hub kept for longer than this shows how somebody was, and not how they are.
const FRESH: Millis = Millis::from_mins(60);

/// So long after it is heard again, a home's words may be those of before.
const BACKLOG: Millis = Millis::from_mins(5);

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
    /// It was the site that heard nothing.
    #[n(3)]
    pub deaf: bool,
}

impl State {
    /// A home is unheard while its bridge is gone, while all its devices that tell activity are, and while its radio is silent.
    pub(super) fn fold_hearing(&mut self, at: Stamp) {
        let mut telling = self.devices.iter().filter(|d| d.tells_activity).peekable();
        let all_gone = telling.peek().is_some() && telling.all(|d| d.online == Some(false));
        match (self.bridge_offline || all_gone || self.radio.lost, self.unheard_since) {
            (true, None) => {
                let late = if self.radio.lost { at.heard.since(self.radio.word) } else { Millis(0) };
                let since = at.before(late);
                self.unheard_since = Some(since.heard);
                self.learnt.is_no_example();
                let new = Unwatched { since, found: at.tick, until: None, deaf: false };
                self.unwatched = Some(self.unwatched.map_or(new, |known| Unwatched { until: None, ..known }));
            }
            (false, Some(since)) => {
                let from = self.activity.as_ref().map_or(since, |a| since.max(a.heard));
                self.unheard.0 += at.heard.since(from).0;
                self.unheard_since = None;
                // Many short ones since somebody stirred are a long one.
                let long = |known: &Unwatched| at.tick.since(known.since.tick) >= SETTLE || self.unheard >= SETTLE;
                self.unwatched = self.unwatched.filter(long).map(|known| Unwatched { until: Some(at), ..known });
                self.bathroom = None;
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
        // It came now, whatever time it states.
        self.radio.heard(fact.beat.is_some(), self.unheard_since.is_some(), at.heard);
        was_lost
    }

    /// A hub that says that it is back is a word, too.
    pub(super) fn fold_bridge(&mut self, online: bool, at: Stamp) {
        self.bridge_offline = !online;
        if online {
            self.radio.heard(self.radio.beat.is_some(), true, at.heard);
        }
        self.fold_hearing(at);
    }

    /// The rhythm was that of a device that may be the one that left.
    pub(super) fn forget_radio(&mut self) {
        self.radio = Radio::default();
    }

    pub(super) fn fold_loss(&mut self, at: Stamp) {
        self.radio.lost = true;
        self.fold_hearing(at);
    }

    /// From here on the home counts as heard, whatever was: for whoever plays what would be.
    pub fn forget_outages(&mut self) {
        self.unwatched = None;
    }

    /// The site is deaf since then, or was and hears again.
    pub(super) fn fold_deafness(&mut self, since: Stamp, still: bool, at: Stamp) {
        let known = self.unwatched.filter(|known| known.since.tick <= since.tick);
        let until = (!still && self.unheard_since.is_none()).then_some(at);
        let new = Unwatched { since, found: at.tick, until, deaf: true };
        self.unwatched = Some(known.map_or(new, |known| Unwatched { until, ..known }));
        self.bathroom = None;
    }

    /// A person looked and all is well, or the home is watched again: what was before is nobody's matter.
    pub(super) fn fold_resumption(&mut self, at: Stamp) {
        self.unwatched = self.unheard_since.map(|_| Unwatched { since: at, found: at.tick, until: None, deaf: false });
    }

    /// A person stirred.
    pub(super) fn fold_sign(&mut self, happened: Option<Wall>, at: Stamp) {
        if self.shows(happened, at) {
            self.unwatched = None;
        }
    }

    /// Whether what a person did then shows how they are now, after a time in which nobody could hear them. What states no time may
    /// have waited at a broker or a hub for all of it.
    pub(super) fn shows(&self, happened: Option<Wall>, at: Stamp) -> bool {
        let waited = |u: Unwatched| u.until.is_none_or(|until| at.tick.since(until.tick) < BACKLOG);
        match happened {
            Some(then) => at.wall.since(then) <= FRESH,
            None => !self.unwatched.is_some_and(waited),
        }
    }
}

/// When the radio will have been silent for too long, if nothing is heard until then.
pub(super) fn next_loss(policy: &HomePolicy, state: &State, now: Stamp) -> Option<Tick> {
    let least = Millis::from_secs(policy.rules.radio_least_s.into());
    if !policy.claimed || state.unheard_since.is_some() || least == Millis(0) {
        return None;
    }
    let radio = &state.radio;
    // While others speak, what is silent is a device, and not the home.
    let speaks_without = |patience: &Millis| radio.beat.is_some_and(|beat| radio.word.since(beat) > *patience);
    let patience = radio.patience(least).filter(|patience| !speaks_without(patience))?;
    Some(now.tick + Millis(patience.0.saturating_sub(now.heard.since(state.radio.word).0)))
}

/// The time in which nobody could hear the home, where anybody is to be asked after it.
fn listed<'s>(policy: &HomePolicy, state: &'s State, now: Stamp) -> Option<&'s Unwatched> {
    let nobody = state.devices.is_empty() || absence(state, now).is_some();
    state.unwatched.as_ref().filter(|_| policy.is_watched() && !nobody)
}

/// Until when somebody has to have looked: some time after the home is heard again, or after the outage began, but for what is found so
/// late; by day.
fn deadline(policy: &HomePolicy, state: &State, unwatched: &Unwatched, now: Stamp) -> Tick {
    let rules = &policy.rules;
    let call = Millis::from_secs(rules.outage_call_s.into());
    let longest = unwatched.since.tick + Millis::from_secs(rules.outage_longest_s.into());
    let longest = longest.max(unwatched.found + call);
    // Where the site was deaf, that is all of them: nobody can call a city for it, but for those whom their silence would have had called.
    let usual = || usual(policy, state, now).unwrap_or_default();
    let due = match unwatched.until {
        None if unwatched.deaf => longest.max(usual()),
        None => longest,
        Some(until) if unwatched.deaf || until.tick.since(unwatched.since.tick) < SHORT => {
            (until.tick + call).max(usual())
        }
        Some(until) => longest.min(until.tick + call),
    };
    by_day(policy, unwatched, due, now)
}

/// A deadline that falls into the night is met the evening before, where there is time for it, or else in the morning.
fn by_day(policy: &HomePolicy, unwatched: &Unwatched, due: Tick, now: Stamp) -> Tick {
    let wall = now.wall_at(due);
    let (from, to) = (policy.rules.outage_call_from_min, policy.rules.outage_call_to_min);
    let minute = wall.minute(&policy.zone);
    if within(minute, from, to) || minute == to {
        return due;
    }
    let past = Millis::from_mins(u64::from((minute + 1_440 - to) % 1_440));
    let evening = Tick(due.0.saturating_sub(past.0));
    if past <= CLOSE && evening >= unwatched.found + CLOSE {
        evening
    } else {
        due + wall.next_at(&policy.zone, from).since(wall)
    }
}

/// An outage of a hub or a district that is shorter leaves its homes to what their silence says.
const SHORT: Millis = Millis::from_mins(120);
/// So near to the evening's end a deadline is met before it.
const CLOSE: Millis = Millis::from_mins(60);

/// When the silence, with all that nobody heard of it, will have lasted as long as the home's alarm allows within the caps: no quiet check
/// has come meanwhile.
fn usual(policy: &HomePolicy, state: &State, now: Stamp) -> Option<Tick> {
    let activity = state.activity.as_ref()?;
    let limit = limit(policy, state, activity).within_caps;
    Some(now.tick + Millis(limit.0.saturating_sub(now.wall.since(activity.wall).0)))
}

/// When somebody has to look after the people of the home, as things stand.
pub(super) fn next_look(policy: &HomePolicy, state: &State, now: Stamp) -> Option<Tick> {
    let unwatched = listed(policy, state, now)?;
    let asked = |kind| state.alarm(kind).is_some_and(Alarm::lasts);
    let asked = asked(AlarmKind::WelfareCheck) || asked(AlarmKind::Inactivity);
    (!asked).then(|| deadline(policy, state, unwatched, now))
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
    let settled = |u: &&Unwatched| u.until.is_some() || now.tick.since(u.since.tick) >= SETTLE;
    let unwatched = listed(policy, state, now).filter(settled)?;
    let due = deadline(policy, state, unwatched, now);
    Some(LookView {
        since: unwatched.since.wall,
        until: unwatched.until.map(|until| until.wall),
        due: now.wall_at(due),
        last_activity: state.sign().map(|sign| sign.wall),
        sos_cover: state.has_sos_cover(now),
    })
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

    /// Calls for somebody to look where that is due; `asked`: the silence does so in this step.
    pub(super) fn look_due(&mut self, asked: bool) -> bool {
        let due = !asked && next_look(self.policy, self.state, self.now).is_some_and(|at| at <= self.now.tick);
        if let Some(unwatched) = self.state.unwatched.filter(|_| due) {
            let (since, until) = (unwatched.since.wall, unwatched.until.map(|until| until.wall));
            let last_activity = self.state.sign().map(|sign| sign.wall);
            self.own(AlarmKind::WelfareCheck, Reason::Unwatched { since, until, last_activity });
        }
        due
    }

    /// The site hears nothing, or hears again: then whoever was looked after meanwhile is so still.
    pub(super) fn is_deaf(&mut self, since: Stamp, still: bool) {
        let concerned = self.policy.claimed && !self.state.devices.is_empty();
        if concerned && (still || self.state.unwatched.is_some()) {
            self.change(HomeChange::Unwatched { since, still });
        }
    }

    pub(super) fn looked(&mut self, by: ResponderId, how: SafeHow) {
        self.change(HomeChange::Looked { safe: Safe { by: by.clone(), at: self.now.wall, how } });
        for alarm in self.state.alarms.iter().filter(|alarm| wants_a_sign(alarm) && alarm.safe.is_none()) {
            match alarm.kind.is_check() {
                true => self.close_by_itself(alarm),
                false => self.settle(alarm, &by, how),
            }
        }
    }
}
