//! Zigbee2MQTT, 1.x and 2.x: states as JSON or attribute by attribute, availability, and what the bridge says of itself.
//!
//! A device's name is everything behind the base topic and may hold slashes, so what stands behind the name is known by its own
//! words (`/availability`, `/set`, a property). One bridge may serve all homes (`zigbee2mqtt/bridge/state`), or each home has its own
//! (`zigbee2mqtt/h0012/bridge/state`); both are understood at once.

mod bridge;
mod property;
mod state;
#[cfg(test)]
mod tests;

use super::lore::{DeviceLore, Lesson, Lore};
use super::scalar::{Scalar, presentable};
use super::topic::Place;
use super::{Decoded, Ignored, Message, Rejected, Source, report, text};
use crate::engine::id::Address;
use crate::engine::kind::Kind;
use crate::engine::profile::Profile;
use crate::engine::reading::{Form, Reading, Report, Speaker};
use crate::engine::time::Wall;
pub(super) use bridge::{CAN_BE_SET, Expose, meaning, senses_presence};
use state::State;

pub(super) fn decode(lore: &Lore, source: &Source, place: Place, message: &Message) -> Decoded {
    let heard = Heard { lore, source, place, retained: message.retain };
    if let Some((prefix, topic)) = bridge_topic(&place) {
        return bridge::decode(&heard, prefix, topic, message);
    }
    let payload = match text(message) {
        Ok(payload) => payload,
        Err(why) => return why.into(),
    };
    let (device, last) = place.address.rsplit_once('/').unwrap_or(("", place.address));
    let before_last = device.rsplit_once('/').map_or("", |(_, level)| level);
    let command = |level: &str| matches!(level, "set" | "get");
    match last {
        _ if !device.is_empty() && (command(last) || command(before_last)) => Ignored::Command.into(),
        "availability" if !device.is_empty() => match online(payload) {
            Some(online) => heard.device(device, vec![online], Spoken::default()),
            None => Rejected::State.into(),
        },
        _ if payload.is_empty() => Ignored::Empty.into(),
        _ if payload.trim_start().starts_with('{') => heard.state(place.address, payload),
        _ if !device.is_empty() => heard.attribute(device, last, payload),
        _ => Rejected::NoObject.into(),
    }
}

/// The whole state of a device as one object, for who knows by other means that it is one.
pub(super) fn state(payload: &str, known: &DeviceLore) -> Result<report::Spoken, Rejected> {
    let state = State::parse(payload, None)?;
    let readings = state.readings(Some(known));
    Ok(report::Spoken { readings, time: state.device_time, event: None, rest: state.rest, signal: state.signal })
}

/// The prefix of the devices' addresses and what stands behind `bridge/`, if a bridge speaks.
fn bridge_topic<'t>(place: &Place<'t>) -> Option<(&'t str, &'t str)> {
    if let Some(topic) = place.address.strip_prefix("bridge/") {
        return Some(("", topic));
    }
    // A home's own bridge: the topics are checked, since a device of one bridge for all might be named "h0012/bridge".
    let own_level = place.levels_before_device.max(1);
    let (slash, _) = place.address.match_indices('/').nth(own_level - 1)?;
    let topic = place.address[slash + 1..].strip_prefix("bridge/")?;
    let known = [
        "state",
        "devices",
        "groups",
        "info",
        "event",
        "logging",
        "log",
        "health",
        "definitions",
        "extensions",
        "converters",
        "config",
    ];
    let first = topic.split('/').next()?;
    (known.contains(&first) || matches!(first, "request" | "response")).then_some((&place.address[..=slash], topic))
}

/// `{"state":"online"}`, or the bare word of 1.x.
fn online(payload: &str) -> Option<Reading> {
    #[derive(serde::Deserialize)]
    struct Availability<'a> {
        #[serde(borrow)]
        state: Scalar<'a>,
    }
    let said = match payload.trim() {
        object if object.starts_with('{') => serde_json::from_str::<Availability>(object).ok()?.state,
        word => Scalar::spelt(word),
    };
    match said.as_text()? {
        "online" => Some(Reading::flag(Kind::Online, true)),
        "offline" => Some(Reading::flag(Kind::Online, false)),
        _ => None,
    }
}

/// Whether a name and a text look like a property and its value, though not one that we know. A part of an object stands behind a
/// hyphen (`update-state`).
fn is_attribute(property: &str, text: &str) -> bool {
    let name = property.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-'));
    name && presentable(text) && text.starts_with(|c: char| c.is_alphanumeric() || c == '-')
}

/// What all reports of one message have in common.
struct Heard<'a> {
    lore: &'a Lore,
    source: &'a Source,
    place: Place<'a>,
    retained: bool,
}

/// What else a device said beside its readings.
#[derive(Default)]
struct Spoken {
    device_time: Option<Wall>,
    rest: u32,
    signal: Option<u8>,
    echo: bool,
}

impl Heard<'_> {
    /// The whole state of a device as one object.
    fn state(&self, device: &str, payload: &str) -> Decoded {
        let state = match State::parse(payload, self.profile(device)) {
            Ok(state) => state,
            Err(why) => return why.into(),
        };
        let known = self.known(device);
        let spoken = Spoken { device_time: state.device_time, rest: state.rest, signal: state.signal, echo: false };
        let mut decoded = self.device(device, state.readings(known), spoken);
        if !known.is_some_and(|d| d.speaks_json) {
            decoded.lessons.push(Lesson::SpeaksJson { source: self.source.name.clone(), address: device.into() });
        }
        decoded
    }

    /// One property as bare text behind the device's name: `advanced.output: attribute`, or the action once more for Home Assistant.
    fn attribute(&self, device: &str, property: &str, payload: &str) -> Decoded {
        let known = self.known(device);
        let state = State::of_attribute(property, payload, self.profile(device));
        let Some(mut reading) = state.readings(known).pop() else {
            let a_device = self.known(self.place.address).is_some();
            return if !a_device && is_attribute(property, payload) {
                Ignored::Attribute.into()
            } else {
                Rejected::NoObject.into()
            };
        };
        // Attributes come one by one, so a repeated `true` cannot show whether other news came with it.
        if reading.form == Form::Latched {
            reading.form = Form::Edge;
        }
        let echo = reading.form == Form::Event && known.is_some_and(|d| d.speaks_json);
        self.device(device, vec![reading], Spoken { echo, ..Spoken::default() })
    }

    fn known(&self, device: &str) -> Option<&DeviceLore> {
        self.lore.device(&self.source.name, device)
    }

    /// What people told of a device, or of the model that a bridge said it is.
    fn profile(&self, device: &str) -> Option<&Profile> {
        let model = self.known(device).map_or("", |known| &known.model);
        self.lore.profile(&self.source.name, device, model)
    }

    fn device(&self, device: &str, readings: Vec<Reading>, spoken: Spoken) -> Decoded {
        match Address::new(device) {
            Ok(address) => self.report(Speaker::Device(address), self.place.home_of(device), readings, spoken),
            Err(_) => Rejected::Address.into(),
        }
    }

    fn bridge(&self, prefix: &str, online: Reading) -> Decoded {
        let home = self.place.home_of(prefix);
        self.report(Speaker::Bridge(prefix.into()), home, vec![online], Spoken::default())
    }

    fn report(&self, speaker: Speaker, home: Option<&str>, readings: Vec<Reading>, spoken: Spoken) -> Decoded {
        Decoded::reports(vec![Report {
            source: self.source.name.clone(),
            speaker,
            home_hint: home.map(Into::into),
            readings,
            device_time: spoken.device_time,
            event_id: None,
            rest: spoken.rest,
            retained: self.retained,
            signal: spoken.signal,
            echo: spoken.echo,
        }])
    }
}
