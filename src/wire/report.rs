//! A message's readings as a report, for dialects in which a device speaks for itself.

use super::scalar::presentable;
use super::topic::Place;
use super::{Decoded, Heard, Ignored, Rejected};
use crate::engine::id::Address;
use crate::engine::reading::{Reading, Report, Speaker};
use crate::engine::time::Wall;

/// What one device said in one message.
#[derive(Debug, Default)]
pub(super) struct Spoken {
    pub readings: Vec<Reading>,
    /// The time that the device states, unchecked.
    pub time: Option<Wall>,
    /// The sender's own name of the event.
    pub event: Option<Box<str>>,
    /// See [`Report::rest`].
    pub rest: u32,
    /// How well the device was received, percent.
    pub signal: Option<u8>,
}

impl Spoken {
    pub fn of(readings: Vec<Reading>) -> Spoken {
        Spoken { readings, ..Spoken::default() }
    }
}

impl Heard<'_> {
    /// The report of one device. A home is what the place says of the address.
    ///
    /// # Errors
    /// Where the address is none.
    pub fn report(&self, place: Option<&Place>, address: &str, spoken: Spoken) -> Result<Report, Rejected> {
        let address = Address::new(address).map_err(|_| Rejected::Address)?;
        let home = place.and_then(|place| place.home_of(address.as_str())).map(Into::into);
        Ok(Report {
            source: self.source.name.clone(),
            speaker: Speaker::Device(address),
            home_hint: home,
            readings: spoken.readings,
            device_time: spoken.time,
            // One too long to keep is none: better a press counted twice than two taken for one.
            event_id: spoken.event.filter(|id| presentable(id)),
            rest: spoken.rest,
            retained: self.message.retain,
            signal: spoken.signal,
            echo: false,
        })
    }

    /// A message of one device. Without a reading it says that the device lives, and no more.
    pub fn spoken(&self, place: &Place, address: &str, spoken: Spoken) -> Decoded {
        match self.report(Some(place), address, spoken) {
            Ok(report) => Decoded::reports(vec![report]),
            Err(why) => why.into(),
        }
    }
}

/// A signal's strength as a share of what its radio knows, percent.
pub(super) fn share(dbm: f64, weakest: f64, strongest: f64) -> u8 {
    ((dbm - weakest) / (strongest - weakest) * 100.0).clamp(0.0, 100.0).round() as u8
}

/// Many devices in one message: those without a reading are not mentioned.
pub(super) fn reports(reports: Vec<Report>) -> Decoded {
    match reports.is_empty() {
        true => Ignored::NothingOfInterest.into(),
        false => Decoded::reports(reports),
    }
}
