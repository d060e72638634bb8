//! A radar's word that somebody may have fallen: worth a check at once, and a call for help where nobody moves afterwards and the radar's room
//! has a sensor that would tell.

use super::routine::{Lasting, Moment};
use super::state::{DeviceState, State};
use crate::engine::change::Fact;
use crate::engine::kind::Kind;
use crate::engine::reading::Value;
use crate::engine::time::Millis;
use minicbor::{Decode, Encode};

/// A fall that may have been one.
#[derive(Debug, Clone, Copy, PartialEq, Encode, Decode)]
pub struct Fallen {
    #[n(0)]
    since: Moment,
    /// Which radar says so.
    #[n(1)]
    device: u16,
}

impl State {
    /// What a reading tells of a fall; `active` is whether a person caused it.
    pub(super) fn fold_fall(&mut self, fact: &Fact, active: bool, now: Moment) {
        match (fact.reading.kind, &fact.reading.value) {
            (Kind::FallWarning, Value::Flag(true)) if !fact.retained && fact.history.is_none() => {
                self.fallen.get_or_insert(Fallen { since: now, device: fact.device });
            }
            // The radar takes it back.
            (Kind::FallWarning, Value::Flag(false)) => {
                self.fallen = self.fallen.filter(|fallen| fallen.device != fact.device);
            }
            // Who lies there is present, too.
            (Kind::Presence, _) => {}
            _ if active => self.fallen = None,
            _ => {}
        }
    }
}

/// Somebody may have fallen.
pub(super) fn perhaps(state: &State) -> Option<Lasting<'_>> {
    let fallen = state.fallen?;
    let room = state.devices.get(usize::from(fallen.device)).map_or("", |radar| &*radar.room);
    Some(Lasting { since: fallen.since, limit: Millis(0), room, value: None })
}

/// And nobody has moved since, where that would be told.
pub(super) fn unmoving(state: &State, limit: Millis) -> Option<Lasting<'_>> {
    let lasting = perhaps(state)?;
    let tells = |d: &DeviceState| d.tells_activity && !d.only_door && *d.room == *lasting.room;
    state.devices.iter().any(tells).then_some(Lasting { limit, ..lasting })
}
