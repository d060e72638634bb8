//! Which homes cool while their neighbours do not. A cold night cools all of a district; a home that cools by four degrees more than the
//! others has a cause of its own (PRACTICE).

use super::{Out, State};
use crate::engine::change::SiteChange;
use crate::engine::input::HomeInput;
use minicbor::{Decode, Encode};

/// Among fewer nobody can say what is usual.
const NEIGHBOURS: usize = 6;

/// What a home has said of its warmth.
#[derive(Debug, Clone, Copy, PartialEq, Encode, Decode)]
pub struct Cooling {
    /// By so many °C it has cooled since its warmest of the last day.
    #[n(0)]
    pub degrees: u8,
    /// By so many more than its neighbours is too much.
    #[n(1)]
    pub least: u8,
    /// It is, and the home knows.
    #[n(2)]
    pub apart: bool,
}

/// A home has cooled, or grown warm again; none: it measures nothing any more. Others may stand apart by it, or no longer.
pub(super) fn cooled(state: &State, home: u32, degrees: Option<u8>, least: u8, out: &mut Out) {
    let mut all = state.cooling.clone();
    let known = all.remove(&home).is_some_and(|cooling| cooling.apart);
    if let Some(degrees) = degrees {
        all.insert(home, Cooling { degrees, least, apart: known });
    } else {
        out.changes.push(SiteChange::Cooled { home, cooling: None });
        out.to_homes.extend(known.then_some((home, HomeInput::Apart { more: None })));
    }
    let mut sorted: Vec<u8> = all.values().map(|cooling| cooling.degrees).collect();
    sorted.sort_unstable();
    let usual = sorted.get(sorted.len() / 2).copied().filter(|_| sorted.len() >= NEIGHBOURS);
    for (number, cooling) in all {
        let more = usual.and_then(|usual| cooling.degrees.checked_sub(usual)).filter(|more| *more >= cooling.least);
        let cooling = Cooling { apart: more.is_some(), ..cooling };
        if state.cooling.get(&number) != Some(&cooling) {
            out.changes.push(SiteChange::Cooled { home: number, cooling: Some(cooling) });
        }
        if state.cooling.get(&number).is_some_and(|was| was.apart) != cooling.apart {
            out.because.push(if cooling.apart { "colder_than_neighbours" } else { "as_warm_as_neighbours" });
            out.to_homes.push((number, HomeInput::Apart { more }));
        }
    }
}

impl State {
    pub(super) fn fold_cooling(&mut self, home: u32, cooling: Option<Cooling>) {
        match cooling {
            Some(cooling) => _ = self.cooling.insert(home, cooling),
            None => _ = self.cooling.remove(&home),
        }
    }
}
