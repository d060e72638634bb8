//! A home that grows cold while its neighbours do not: the heating has failed, or a window stands open and nobody shuts it. Each home tells
//! its site by how much it has cooled since its warmest of the last day; the site tells a home that it stands apart from the others.

use super::Turn;
use super::routine::{Lasting, Moment, is_lived_in};
use super::state::{DeviceState, State};
use crate::engine::change::HomeChange;
use crate::engine::input::SiteInput;
use crate::engine::kind::Kind;
use crate::engine::policy::HomePolicy;
use crate::engine::reading::{Reading, Value};
use crate::engine::time::{Millis, Stamp, Tick};
use minicbor::{Decode, Encode};

/// The warmest is looked for in halves of a day: in the present one and the one before.
const HALF: Millis = Millis::from_mins(12 * 60);
/// What has not spoken for so long measures nothing.
const MEASURES: Millis = Millis::from_mins(6 * 60);

/// The warmest that a device has measured of late, in tenths of °C.
#[derive(Debug, Clone, Copy, PartialEq, Encode, Decode)]
pub struct Warmest {
    #[n(0)]
    from: Tick,
    #[n(1)]
    now: i16,
    #[n(2)]
    before: Option<i16>,
}

impl Warmest {
    /// Of one that measures so many °C for the first time, or once more.
    pub(super) fn with(known: Option<Warmest>, degrees: f64, at: Tick) -> Warmest {
        // A float beyond the integer's range ends at its bound.
        let tenths = (degrees * 10.0) as i16;
        match known {
            Some(known) if at.since(known.from) < HALF => Warmest { now: known.now.max(tenths), ..known },
            Some(known) => {
                let before = (at.since(known.from).0 < 2 * HALF.0).then_some(known.now);
                Warmest { from: at, now: tenths, before }
            }
            None => Warmest { from: at, now: tenths, before: None },
        }
    }

    fn above(self, degrees: f64) -> f64 {
        f64::from(self.before.map_or(self.now, |before| before.max(self.now))) / 10.0 - degrees
    }
}

/// The home has cooled by more than its neighbours.
#[derive(Debug, Clone, Copy, PartialEq, Encode, Decode)]
pub struct Apart {
    #[n(0)]
    pub since: Moment,
    /// By so many °C at that time.
    #[n(1)]
    pub more: u8,
}

/// It has lasted that this home cools and others do not.
pub(super) fn apart<'s>(state: &'s State, limit: Millis) -> Option<Lasting<'s>> {
    let apart = state.apart?;
    let coldest = state.devices.iter().filter_map(temperature).min_by(f64::total_cmp);
    Some(Lasting { since: apart.since, limit, room: "", value: coldest })
}

/// The coldest that a room people live in has now, °C; none where nothing measures it.
pub fn coldest(state: &State, now: Stamp) -> Option<f64> {
    let measures = |d: &&DeviceState| measures(d, now);
    state.devices.iter().filter(measures).filter_map(temperature).min_by(f64::total_cmp)
}

fn measures(device: &DeviceState, now: Stamp) -> bool {
    device.heard.is_some_and(|at| now.wall.since(at) <= MEASURES)
}

fn temperature(device: &DeviceState) -> Option<f64> {
    match device.last(Kind::Temperature, None).map(|last| &last.value) {
        Some(Value::Number(degrees)) if is_lived_in(&device.room) => Some(*degrees),
        _ => None,
    }
}

/// By how many whole °C all rooms that are measured have cooled, where it is cold in each; none where nothing is measured.
fn cooled(policy: &HomePolicy, state: &State, speaker: u16, degrees: f64, now: Stamp) -> Option<u8> {
    let of = |(i, d): (usize, &DeviceState)| match (i == usize::from(speaker), d.warmest) {
        (true, warmest) => Some((warmest.map_or(0.0, |w| w.above(degrees)), degrees)),
        (false, Some(warmest)) if measures(d, now) => temperature(d).map(|degrees| (warmest.above(degrees), degrees)),
        _ => None,
    };
    let rooms = || state.devices.iter().enumerate().filter_map(of);
    let least = rooms().map(|(by, _)| by).min_by(f64::total_cmp)?;
    let is_cold = rooms().all(|(_, degrees)| degrees < f64::from(policy.rules.cold_fall_below_c));
    Some(if is_cold { least.max(0.0) as u8 } else { 0 })
}

impl State {
    pub(super) fn fold_warmth(&mut self, device: u16, reading: &Reading, at: Stamp) {
        if let (Kind::Temperature, None, Value::Number(degrees)) = (reading.kind, &reading.zone, &reading.value)
            && let Some(device) = self.devices.get_mut(usize::from(device))
        {
            device.warmest = Some(Warmest::with(device.warmest, *degrees, at.tick));
        }
    }

    pub(super) fn fold_apart(&mut self, more: Option<u8>, at: Stamp) {
        self.apart = more.map(|more| Apart { since: self.apart.map_or(Moment::at(at), |apart| apart.since), more });
    }
}

impl Turn<'_> {
    /// By how much the home has cooled is news for its site, in whole °C.
    pub(super) fn cool(&mut self, device: u16, degrees: f64) {
        let least = self.policy.rules.cold_fall_c;
        if !self.policy.is_watched() || (least == 0 && self.state.cooled.is_none()) {
            return;
        }
        let cooled = if least == 0 { None } else { cooled(self.policy, self.state, device, degrees, self.now) };
        if cooled != self.state.cooled {
            self.change(HomeChange::Cooled { degrees: cooled });
            // The rule's range is far below 255.
            let least = u8::try_from(least).unwrap_or(u8::MAX);
            self.out.to_site.push(SiteInput::Cooled { home: self.home, degrees: cooled, least });
        }
    }

    /// From the site: whether the home stands apart from its neighbours, and by how much.
    pub(super) fn stands_apart(&mut self, more: Option<u8>) {
        if more.is_some() != self.state.apart.is_some() {
            self.change(HomeChange::Apart { more });
        }
    }
}
