//! Whether somebody is there to be told: proved a little after the registry has changed, and daily.

use super::homes::staff;
use super::{Core, HomeInput};
use crate::engine::kind::AlarmKind;
use crate::engine::site::outage::Place;
use crate::engine::staffing::{self, Gap};
use crate::engine::time::Millis;

/// An import comes in pieces, and a person corrects what was just imported.
const SETTLE: Millis = Millis::from_mins(5);
/// A fortnight moves on.
const AGAIN: Millis = Millis::from_mins(24 * 60);

impl Core {
    /// What the proof rests on has changed.
    pub(super) fn prove_soon(&mut self) {
        self.proof_due = Some(self.now.tick + SETTLE);
    }

    /// The times of the next two weeks at which some alarms could not be told as they must be.
    pub fn gaps(&self) -> Vec<Gap> {
        staffing::gaps(self.homes.iter().map(|slot| &*slot.policy), self.now.wall)
    }

    /// Raises the site's alarm of a gap, or ends it. One that is known is not raised again.
    pub(super) fn prove(&mut self) {
        self.proof_due = Some(self.now.tick + AGAIN);
        let now = self.now.wall;
        let found = self.gaps().first().map(staffing::reason);
        let known = self.number(&staff(&self.rules.site)).and_then(|home| self.homes.get(home as usize));
        let known = known.and_then(|slot| slot.state.alarm(AlarmKind::CoverageGap)).filter(|alarm| alarm.lasts());
        let known = known.map(|alarm| alarm.reason.clone());
        if known.is_some() && !found.as_ref().zip(known.as_ref()).is_some_and(|(a, b)| staffing::is_same(a, b, now)) {
            self.own_at(Place::Staff, HomeInput::Ended { kind: AlarmKind::CoverageGap });
        } else if known.is_some() {
            return;
        }
        if let Some(reason) = found {
            self.because.push("coverage_gap");
            self.own_at(Place::Staff, HomeInput::Own { kind: AlarmKind::CoverageGap, reason });
        }
    }

    fn own_at(&mut self, place: Place, input: HomeInput) {
        let home = self.place(place);
        self.home_input(home, input);
        self.drain();
    }
}
