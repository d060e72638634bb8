//! Tasmota: telemetry on `tele/…`, answers and presses on `stat/…`, in whatever order the device's FullTopic puts them.
//!
//! What a switch or relay means depends on what is wired to it, which a profile tells. A device's clock names no zone, so no time is
//! taken from it.

mod sensor;
#[cfg(test)]
mod tests;
mod zigbee;

use super::json::Json;
use super::report::Spoken;
use super::rule::{self, Rule, Settled, TOLD, Words};
use super::scalar::{Scalar, presentable};
use super::topic::Place;
use super::{Decoded, Heard, Ignored, Rejected, text};
use crate::engine::id::Zone;
use crate::engine::kind::Kind;
use crate::engine::profile::{Gloss, Profile};
use crate::engine::reading::{Form, Reading, Value};

const ON: Words = &[("on", true), ("off", false), ("1", true), ("0", false)];

/// The topics that the documentation's rules publish a bare word on, in capitals and without their number, and others whose name
/// leaves no doubt. A `CONTACT` that is ON may be open or closed, so it is not here.
static WORDS: &[(&str, Rule)] = &[
    ("PIR", Rule::Words(Kind::Motion, ON)),
    ("MOTION", Rule::Words(Kind::Motion, ON)),
    ("DOOR", Rule::Words(Kind::Contact, &[("on", true), ("off", false), ("open", true), ("closed", false)])),
    ("LEAK", Rule::Words(Kind::WaterLeak, ON)),
    ("SMOKE", Rule::Words(Kind::Smoke, ON)),
];

pub(super) fn decode(heard: &Heard, place: Place) -> Decoded {
    let Some((address, what)) = split(heard.message.topic, place.address) else {
        return Ignored::NothingOfInterest.into();
    };
    if heard.message.topic.split('/').any(|level| level == "cmnd") {
        return Ignored::Command.into();
    }
    let tasmota = Tasmota { heard, place, address, what };
    tasmota.decode().unwrap_or_else(Into::into)
}

/// The device's address and what it publishes there: the topic's last level, wherever the prefix stands.
fn split<'t>(topic: &'t str, address: &'t str) -> Option<(&'t str, &'t str)> {
    if !topic.ends_with(address) {
        return Some((address, topic.rsplit('/').next()?));
    }
    let (address, what) = address.rsplit_once('/')?;
    let prefix = ["/tele", "/stat", "/cmnd"].iter().find_map(|prefix| address.strip_suffix(prefix));
    Some((prefix.unwrap_or(address), what))
}

/// One message of one device.
struct Tasmota<'a> {
    heard: &'a Heard<'a>,
    place: Place<'a>,
    address: &'a str,
    /// `SENSOR`, `RESULT`, `LWT`, or a word of the operator's own.
    what: &'a str,
}

impl<'a> Tasmota<'a> {
    fn decode(&self) -> Result<Decoded, Rejected> {
        let text = text(self.heard.message)?;
        match self.what {
            _ if text.is_empty() => Ok(Ignored::Empty.into()),
            "LWT" => match rule::word(&Scalar::spelt(text), &[("online", true), ("offline", false)]) {
                Some(online) => Ok(self.spoken(self.address, vec![Reading::flag(Kind::Online, online)])),
                None => Err(Rejected::State),
            },
            _ if text.trim_start().starts_with('{') => self.object(&Json::object(self.heard)?),
            "SENSOR" | "STATE" | "RESULT" => Err(Rejected::NoObject),
            _ => Ok(self.spoken(self.address, self.word(text).into_iter().collect())),
        }
    }

    fn spoken(&self, address: &str, readings: Vec<Reading>) -> Decoded {
        self.heard.spoken(&self.place, address, Spoken::of(readings))
    }

    fn profile(&self, address: &str) -> Option<&'a Profile> {
        self.heard.lore.profile(&self.heard.source.name, address, "")
    }

    fn object(&self, message: &Json) -> Result<Decoded, Rejected> {
        // The answer to a query wraps what telemetry says plainly.
        let status = message.get("StatusSNS");
        let body = status.unwrap_or(message);
        let received = body.get("ZbReceived").or(Some(body).filter(|_| self.what == "ZbReceived"));
        let address = match received {
            Some(devices) => zigbee::gateway(self.address, self.place.levels_before_device, devices),
            None => self.address,
        };
        let profile = self.profile(address);
        let mut settled = Settled::default();
        self.told(body, profile, &mut settled);
        if let Some(devices) = received {
            zigbee::devices(devices, profile, &mut settled);
        } else {
            if self.what == "SENSOR" || status.is_some() {
                sensor::blocks(body, profile, &mut settled);
            }
            self.buttons(body, profile, &mut settled);
        }
        Ok(self.spoken(address, settled.readings()))
    }

    /// A property of the message; on a topic of its own (`SWITCH1`) the message is the property.
    fn property<'j>(&self, body: &'j Json<'j>, name: &str) -> Option<&'j Json<'j>> {
        body.get(name).or_else(|| name.eq_ignore_ascii_case(self.what).then_some(body))
    }

    /// What people told of properties anywhere in the message: `Switch1`, `AM2301.Temperature`.
    fn told(&self, body: &Json, profile: Option<&Profile>, settled: &mut Settled) {
        for told in profile.map_or(&[][..], |profile| &profile.properties) {
            let mut path = told.property.split('.');
            // Devices behind a Zigbee gateway have names, which may hold dots.
            let Some(first) = path.next().filter(|first| *first != "ZbReceived") else { continue };
            let found =
                self.property(body, first).and_then(|value| path.try_fold(value, |value, name| value.get(name)));
            // A switch says its state plainly or as an action.
            let Some(value) = found.map(|value| action(value).unwrap_or(value)) else { continue };
            let in_block = told.property.contains('.') && body.get(first).is_some_and(|block| action(block).is_none());
            let zone = if in_block { Zone::new(first).ok() } else { zone(first) };
            let reading = rule::told(told, &value.scalar(), zone);
            reading.into_iter().for_each(|reading| settled.add(TOLD, reading));
        }
    }

    /// `{"Button1":{"Action":"SINGLE"}}`, or on a topic `BUTTON1` the action alone.
    fn buttons(&self, body: &Json, profile: Option<&Profile>, settled: &mut Settled) {
        let names = body.members().iter().map(|(name, _)| &**name).chain([self.what]);
        for name in names.filter(|name| is_button(name) && told_of(profile, name).is_none()) {
            let word = self.property(body, name).and_then(action).and_then(Json::as_text);
            word.filter(|word| is_action(word)).into_iter().for_each(|word| settled.add(1, button(name, word)));
        }
    }

    /// A word on a topic of its own, as rules publish it.
    fn word(&self, text: &str) -> Option<Reading> {
        let value = Scalar::spelt(text);
        if let Some(told) = told_of(self.profile(self.address), self.what) {
            let as_it_stands = rule::told(told, &Scalar::Text(text.trim().into()), zone(self.what));
            return as_it_stands.or_else(|| rule::told(told, &value, zone(self.what)));
        }
        if is_button(self.what) {
            return Some(text.trim()).filter(|word| is_action(word)).map(|word| button(self.what, word));
        }
        let (name, _) = numbered(self.what);
        let (_, rule) = WORDS.iter().find(|(word, _)| word.eq_ignore_ascii_case(name))?;
        let (kind, value) = rule.read(&Scalar::Text(text.trim().into()), None)?;
        Some(Reading { kind, zone: zone(self.what), value, form: Form::Edge })
    }
}

/// What people told of a property by its plain name.
fn told_of<'p>(profile: Option<&'p Profile>, name: &str) -> Option<&'p Gloss> {
    let is_it = |told: &&Gloss| told.property.split('.').next().is_some_and(|first| first.eq_ignore_ascii_case(name));
    profile?.properties.iter().find(is_it)
}

/// The action in `{"Action":"SINGLE"}`, which the documentation also writes in capitals.
fn action<'j>(value: &'j Json<'j>) -> Option<&'j Json<'j>> {
    value.get("Action").or_else(|| value.get("ACTION"))
}

fn button(name: &str, word: &str) -> Reading {
    Reading { kind: Kind::Button, zone: zone(name), value: Value::Text(word.into()), form: Form::Event }
}

/// `CLEAR` is the end of a `HOLD`.
fn is_action(word: &str) -> bool {
    presentable(word) && !["clear", "none"].iter().any(|rest| word.eq_ignore_ascii_case(rest))
}

fn is_button(name: &str) -> bool {
    let (word, number) = numbered(name);
    word.eq_ignore_ascii_case("button") && !number.is_empty()
}

/// A name and the number at its end.
fn numbered(name: &str) -> (&str, &str) {
    let word = name.trim_end_matches(|c: char| c.is_ascii_digit());
    (word, &name[word.len()..])
}

/// The zone of what has a number: the first is the device itself.
fn zone(name: &str) -> Option<Zone> {
    match numbered(name) {
        (_, "" | "1") => None,
        _ => Zone::new(name).ok(),
    }
}
