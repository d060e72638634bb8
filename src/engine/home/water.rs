//! What a water meter tells of people: they use some each day, and never for hours on end.

use super::routine::{Lasting, Moment};
use super::state::State;
use crate::engine::alarm::Alarm;
use crate::engine::kind::AlarmKind;
use crate::engine::time::{Millis, Stamp};
use minicbor::{Decode, Encode};

/// Less than this is what a tap drips, litres (PRACTICE: 0.01 m³).
const SOME_L: f64 = 10.0;
/// A meter whose last words are further apart, or further back, tells nothing of the present.
const OFTEN: Millis = Millis::from_mins(30);
/// Whoever washes up turns the tap off now and then; a pulse of many litres may take some minutes.
const PAUSE: Millis = Millis::from_mins(10);
/// Water that runs runs at least like this, litres a minute; less is a leak.
const RUNS_L_MIN: f64 = 1.0;
const LATELY: Millis = Millis::from_mins(3 * 60);

/// What a meter showed, litres.
#[derive(Debug, Clone, Copy, PartialEq, Encode, Decode)]
struct Mark {
    #[n(0)]
    litres: f64,
    #[n(1)]
    at: Moment,
}

/// What is known of a meter.
#[derive(Debug, Clone, PartialEq, Default, Encode, Decode)]
pub struct Water {
    /// Since then less than some was used.
    #[n(0)]
    little: Option<Mark>,
    #[n(1)]
    last: Option<Mark>,
    /// When it showed more than before.
    #[n(2)]
    rose: Option<Moment>,
    /// Since then its frequent words have shown more and more.
    #[n(3)]
    runs: Option<Mark>,
    /// Between its last two words.
    #[n(4)]
    gap: Option<Millis>,
}

impl Water {
    /// The meter shows so many litres.
    pub(super) fn fold(&mut self, litres: f64, at: Moment) {
        let now = Mark { litres, at };
        // A meter that shows less is another one.
        let used = |since: &Mark| litres - since.litres >= SOME_L || litres < since.litres;
        if self.little.as_ref().is_none_or(used) {
            self.little = Some(now);
        }
        self.gap = self.last.map(|last| at.heard.since(last.at.heard));
        let before = self.last.filter(|_| self.gap <= Some(OFTEN));
        let rises = before.is_some_and(|last| litres > last.litres);
        let pauses = |rose: &Moment| at.heard.since(rose.heard) >= PAUSE;
        self.runs = match (before, rises) {
            (None, _) => None,
            (_, true) => self.runs.or(before),
            (_, false) => self.runs.filter(|_| !self.rose.as_ref().is_none_or(pauses)),
        };
        if rises {
            self.rose = Some(at);
        }
        self.last = Some(now);
    }
}

fn meters(state: &State) -> impl Iterator<Item = &Water> {
    state.devices.iter().map(|d| &d.water).filter(|water| water.last.is_some())
}

/// Hardly any water was used, by the word of every meter; nobody seems to be out. With `second_sign` also nobody has stirred for longer than
/// is usual, and the meters speak often: those that speak once a day only list.
pub(super) fn unused(state: &State, limit: Millis, second_sign: bool, now: Stamp) -> Option<Lasting<'_>> {
    if state.presence.has_left() || state.unwatched.is_some() {
        return None;
    }
    let since = meters(state).filter_map(|water| water.little).map(|mark| mark.at).max_by_key(|at| at.heard)?;
    let told = meters(state).filter_map(|water| water.last).map(|mark| mark.at).min_by_key(|at| at.heard)?;
    let silent = [AlarmKind::InactivityCheck, AlarmKind::NotUpCheck, AlarmKind::Inactivity];
    let often = meters(state).all(|water| water.gap.is_some_and(|gap| gap <= LATELY));
    let is_silent = silent.iter().any(|kind| state.alarm(*kind).is_some_and(Alarm::lasts));
    let seconded = is_silent && often && now.heard.since(told.heard) <= LATELY;
    let lasts = told.heard.since(since.heard) >= limit && (seconded || !second_sign);
    lasts.then_some(Lasting { since, limit, room: "", value: None })
}

/// Water runs on and on.
pub(super) fn running(state: &State, limit: Millis, now: Stamp) -> Option<Lasting<'_>> {
    let runs = |water: &Water| {
        let (since, last) = (water.runs?, water.last?);
        let lasted = last.at.heard.since(since.at.heard);
        let much = last.litres - since.litres >= RUNS_L_MIN * lasted.as_secs() as f64 / 60.0;
        (much && lasted >= limit && now.heard.since(last.at.heard) <= OFTEN).then_some(since.at)
    };
    let since = meters(state).find_map(runs)?;
    Some(Lasting { since, limit, room: "", value: None })
}
