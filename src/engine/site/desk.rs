//! Whether anybody is at the console. A call for help that waits for the desk waits for nobody once the desk has been empty for a minute:
//! its ladder climbs by itself.

use super::{Out, State};
use crate::engine::change::SiteChange;
use crate::engine::input::HomeInput;
use crate::engine::time::{Millis, Stamp, Tick};
use minicbor::{Decode, Encode};

/// Somebody who loads the page anew is back within this time, and so is whoever changes seats.
pub const EMPTY: Millis = Millis::from_secs(60);

/// The desk of a site.
#[derive(Debug, Clone, Copy, PartialEq, Default, Encode, Decode)]
pub struct Desk {
    /// Since when nobody who may act has a console open.
    #[n(0)]
    pub empty_since: Option<Tick>,
    /// The homes know.
    #[n(1)]
    pub told: bool,
}

impl Desk {
    /// Whether nobody is there at this time, and was not for a minute.
    pub fn is_empty(self, now: Tick) -> bool {
        self.empty_since.is_some_and(|since| now.since(since) >= EMPTY)
    }
}

/// Somebody has come, or the last has left.
pub(super) fn staffed(state: &State, staffed: bool, out: &mut Out) {
    if staffed == state.desk.empty_since.is_some() {
        out.changes.push(SiteChange::Desk { staffed });
    }
}

/// When the homes have to know that the desk is empty.
pub(super) fn next(state: &State) -> Option<Tick> {
    state.desk.empty_since.filter(|_| !state.desk.told).map(|since| since + EMPTY)
}

/// Tells them, if it is time; gives whether it was.
pub(super) fn due(state: &State, now: Stamp, out: &mut Out) -> bool {
    let due = next(state).is_some_and(|at| at <= now.tick);
    if due {
        out.changes.push(SiteChange::DeskEmpty);
        let all = (0u32..).zip(&state.homes).map(|(number, _)| (number, HomeInput::DeskEmpty));
        out.to_homes.extend(all);
    }
    due
}

impl State {
    pub(super) fn fold_desk(&mut self, staffed: bool, at: Stamp) {
        self.desk = Desk { empty_since: (!staffed).then_some(at.tick), told: false };
    }
}
