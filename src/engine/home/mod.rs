//! The home machine: readings, detection, alarms and where their ladders stand.
//!
//! `step` decides and changes nothing; `State::apply` folds and decides nothing. [`state`] holds what a home is, [`listen`] what a
//! message means, [`silence`] the inactivity detector, [`alarms`] raising and counting, [`climb`] ladders, [`acts`] what people do,
//! [`walk`] the test window of commissioning, [`suppression`] whom nobody is told of, [`care`] the visits that are owed, [`moving`] devices that change homes, [`health`] what a device needs, [`coverage`] when
//! nobody could hear the home, [`routine`] the rules of the day.

mod acts;
mod alarms;
pub mod care;
mod climb;
mod closed;
pub mod cooling;
pub mod coverage;
pub mod explain;
mod fallen;
pub mod health;
mod listen;
mod moving;
mod presence;
pub mod routine;
pub mod silence;
mod state;
pub mod suppression;
#[cfg(test)]
mod tests;
pub mod walk;
mod water;

use care::VisitRefusal;
pub use climb::{deadline, takers};
pub use closed::Closed;
pub use moving::Leaving;
pub use state::{Activity, DeviceState, State};
use suppression::SuppressionRefusal;
use walk::WalkRefusal;

use super::alarm::Refusal;
use super::change::HomeChange;
use super::id::AlarmId;
use super::input::{HomeInput, SiteInput};
use super::policy::HomePolicy;
use super::time::{Stamp, Stamped, Tick};

/// What the keeper tells a home of its surroundings.
#[derive(Debug, Clone)]
pub struct Place {
    /// The home's number at its site.
    pub home: u32,
    /// The number that the site's next alarm gets.
    pub next_alarm: u64,
    /// Nobody has been at the console for a minute.
    pub desk_empty: bool,
}

/// What a step gives. Reused from step to step.
#[derive(Debug, Default)]
pub struct Out {
    pub changes: Vec<HomeChange>,
    pub to_site: Vec<SiteInput>,
    /// The answer to an act: the alarm's revision after it, or why not.
    pub answer: Option<Result<(AlarmId, u32), Refusal>>,
    /// Messages whose raw bytes belong into the ledger: alarms that this input raised or counted.
    pub evidence: Vec<AlarmId>,
    /// Alarms that go along with a device that leaves.
    pub leaving: Vec<Leaving>,
    /// What came of an order about the test window.
    pub walked: Option<Result<(), WalkRefusal>>,
    /// What came of an order about a suppression.
    pub suppressed: Option<Result<(), SuppressionRefusal>>,
    /// What came of what was said of a visit.
    pub visited: Option<Result<(), VisitRefusal>>,
    /// Named reasons of what was decided, for the trace of the turn.
    pub because: Vec<&'static str>,
}

impl Out {
    pub fn clear(&mut self) {
        self.changes.clear();
        self.to_site.clear();
        self.answer = None;
        self.evidence.clear();
        self.leaving.clear();
        self.walked = None;
        self.suppressed = None;
        self.visited = None;
        self.because.clear();
    }
}

/// Decides what an input comes to. The changes are in `out`, in order; nothing else has happened.
pub fn step(policy: &HomePolicy, place: &Place, state: &State, input: Stamped<HomeInput>, out: &mut Out) {
    #[cfg(feature = "poison")]
    poison(state, &input.input);
    let Place { home, next_alarm, desk_empty } = *place;
    let mut turn = Turn { policy, now: input.at, home, next_alarm, desk_empty, state, out };
    match input.input {
        HomeInput::Heard(heard) if state.frozen.is_some() => turn.listen_frozen(heard),
        HomeInput::Heard(heard) => turn.listen(heard),
        HomeInput::Met(introduction) => turn.meet(introduction),
        HomeInput::Bridge { online } => turn.bridge(online),
        HomeInput::Act { alarm, act, by, revision } => turn.act(&alarm, act, by, revision),
        HomeInput::Due => turn.due(),
        HomeInput::Told { kind, notice, channel, told } => turn.told(kind, notice, channel, told),
        HomeInput::Failed { fault } => turn.freeze(fault),
        HomeInput::Own { kind, reason } => turn.own(kind, reason),
        HomeInput::Ended { kind } => turn.over(kind, input.at.wall),
        HomeInput::Deaf { since, still } => turn.is_deaf(since, still),
        HomeInput::Resumed => turn.change(HomeChange::Resumed),
        HomeInput::Looked { by, how } => turn.looked(by, how),
        HomeInput::Visit { kind, outcome, by } => turn.visit(kind, outcome, by),
        HomeInput::Left { device, open_there } => turn.leave(device, open_there),
        HomeInput::Joins(leaving) => turn.join(*leaving),
        HomeInput::DeskEmpty => turn.desk_empty(),
        HomeInput::Apart { more } => turn.stands_apart(more),
        HomeInput::Walk { order, by } => turn.walk(order, by),
        HomeInput::Suppress { order, by } => turn.suppress(order, by),
        HomeInput::Restarted => turn.interrupt_walk(),
    }
}

/// When the home wants to be looked at next, as things stand; later is possible, earlier is not. While the site is deaf no silence
/// grows.
pub fn next_wake(policy: &HomePolicy, state: &State, now: Stamp, deaf: bool) -> Option<Tick> {
    let alarms = state.alarms.iter().filter_map(|a| climb::deadline(policy, state, a, now)).min();
    let silence = if deaf { None } else { silence::next(policy, state, now) };
    let routine = if deaf { None } else { routine::next(policy, state, now) };
    let radio = if deaf { None } else { coverage::next_loss(policy, state, now) };
    let look = coverage::next_look(policy, state, now);
    let walk = state.walk.as_ref().map(|walk| walk.until);
    let suppression = suppression::next(state, now);
    let care = care::next(policy, state, now);
    let rest = [silence, routine, radio, look, walk, suppression, care];
    alarms.into_iter().chain(rest.into_iter().flatten()).min()
}

/// One step under way.
struct Turn<'a> {
    policy: &'a HomePolicy,
    now: Stamp,
    home: u32,
    next_alarm: u64,
    desk_empty: bool,
    state: &'a State,
    out: &'a mut Out,
}

/// Planted faults for the tests of containment; the feature is never in a build that runs. They fail a step that hears, or one whose
/// time has come.
#[cfg(feature = "poison")]
#[expect(clippy::panic, reason = "the faults that the containment tests plant")]
fn poison(state: &State, input: &HomeInput) {
    use super::reading::Value;
    let says = |word: &str| match input {
        HomeInput::Heard(heard) => heard.readings.iter().any(|r| r.value == Value::Text(word.into())),
        _ => false,
    };
    let due = matches!(input, HomeInput::Due) && state.devices.iter().any(|d| &*d.room == "poison");
    if due || says("poison") && state.frozen.is_none() {
        panic!("planted fault");
    }
}

impl Turn<'_> {
    fn change(&mut self, change: HomeChange) {
        self.out.changes.push(change);
    }

    fn because(&mut self, reason: &'static str) {
        self.out.because.push(reason);
    }
}
