//! A cold wave on the site: outside it has fallen by 8 °C or more within 48 h, to 4 °C or less. A person says so, or a feed of the weather.
//! While it lasts every watched home is owed an online visit a day, and one that is missed is told wherever that home is
//! ([`crate::engine::home::care`]); it ends by itself.

use super::State;
use crate::engine::change::SiteChange;
use crate::engine::id::ResponderId;
use crate::engine::time::{Millis, Stamp, Wall};
use crate::engine::view::utc;
use minicbor::{Decode, Encode};
use serde::Serialize;

/// The longest that one may be entered for; a longer one is entered again.
pub const LONGEST: Millis = Millis::from_mins(14 * 24 * 60);

/// A cold wave as it was entered.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct ColdWave {
    #[n(0)]
    #[serde(serialize_with = "utc")]
    pub since: Wall,
    #[n(1)]
    #[serde(serialize_with = "utc")]
    pub until: Wall,
    #[n(2)]
    pub by: ResponderId,
}

/// Why a cold wave was not entered or ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColdWaveRefusal {
    /// None lies on the site.
    NotSet,
    /// Its end has passed already, or is further away than [`LONGEST`].
    BadEnd,
}

impl ColdWaveRefusal {
    /// The word of a decision's reason.
    pub const fn name(self) -> &'static str {
        match self {
            ColdWaveRefusal::NotSet => "no_cold_wave",
            ColdWaveRefusal::BadEnd => "bad_end_of_cold_wave",
        }
    }
}

/// What entering one with this end comes to, or ending it (`until` none).
///
/// # Errors
/// Where it is not one that can be entered, or there is none to end.
pub fn ordered(state: &State, now: Stamp, until: Option<Wall>, by: ResponderId) -> Result<SiteChange, ColdWaveRefusal> {
    match until {
        None if state.in_cold_wave(now.wall).is_none() => Err(ColdWaveRefusal::NotSet),
        Some(until) if until <= now.wall || until.since(now.wall) > LONGEST => Err(ColdWaveRefusal::BadEnd),
        until => Ok(SiteChange::ColdWave { until, by }),
    }
}

impl State {
    /// The cold wave that lies on the site now.
    pub fn in_cold_wave(&self, now: Wall) -> Option<&ColdWave> {
        self.cold_wave.as_ref().filter(|wave| wave.until > now)
    }

    pub(super) fn fold_cold_wave(&mut self, until: Option<Wall>, by: &ResponderId, at: Stamp) {
        let since = self.in_cold_wave(at.wall).map_or(at.wall, |wave| wave.since);
        self.cold_wave = until.map(|until| ColdWave { since, until, by: by.clone() });
    }
}
