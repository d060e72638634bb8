//! What people have closed lately: it can be reopened, where that was a mistake.

use super::state::State;
use crate::engine::alarm::Alarm;
use crate::engine::id::AlarmId;
use crate::engine::time::{Millis, Stamp, Tick};
use minicbor::{Decode, Encode};

/// How many closed alarms of a home can be reopened, and within which time.
const CLOSED_KEPT: usize = 2;
const REOPENED_WITHIN: Millis = Millis::from_mins(72 * 60);

/// An alarm that a person has closed.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Closed {
    #[n(0)]
    pub at: Tick,
    /// As it stood at last, with nothing under way.
    #[n(1)]
    pub alarm: Alarm,
}

impl Closed {
    /// It can be reopened no more.
    pub fn is_final(&self, now: Tick) -> bool {
        now.since(self.at) > REOPENED_WITHIN
    }
}

impl State {
    /// What a person closed can be reopened for some time.
    pub(super) fn fold_closed(&mut self, id: &AlarmId, by_a_person: bool, at: Stamp) {
        let Some(place) = self.alarms.iter().position(|alarm| alarm.id == *id) else { return };
        let alarm = self.alarms.remove(place);
        self.closed.retain(|closed| !closed.is_final(at.tick));
        if by_a_person {
            self.closed.insert(0, Closed { at: at.tick, alarm });
            self.closed.truncate(CLOSED_KEPT);
        }
    }
}
