//! Zigbee devices behind a Tasmota gateway (Zigbee2Tasmota): `{"ZbReceived":{"0x8F20":{"Name":"Kitchen","Temperature":21.01}}}`.
//!
//! Each is a zone of the gateway, by its name or else its short address. Options of the gateway put the name in the place of the
//! address, leave out the address, or add either to the topic.

use super::numbered;
use crate::engine::id::Zone;
use crate::engine::kind::Kind;
use crate::engine::profile::{Gloss, Profile};
use crate::engine::reading::{Form, Reading, Value};
use crate::wire::json::Json;
use crate::wire::rule::{self, Rule, Settled, TOLD, Words};
use crate::wire::scalar::presentable;

/// How a vibration sensor was moved.
const MOVED: Words = &[("vibrate", true), ("tilt", true), ("drop", true)];

/// Attributes by the names that the gateway gives them. `Contact`: 1 = open. The gateway names an alarm of a zone by its type, and a
/// second one of the same device with a 2 behind the name. **What is missing is missing on purpose:** `CO2` is a gas in the air and
/// never a second `CO`, `LocalTemperature` is a thermostat's, `Power` a relay's or a remote's.
static ATTRIBUTES: &[(&str, Rule)] = &[
    ("Occupancy", Rule::Flag(Kind::Motion)),
    ("Contact", Rule::Flag(Kind::Contact)),
    ("Fire", Rule::Flag(Kind::Smoke)),
    ("Water", Rule::Flag(Kind::WaterLeak)),
    ("CO", Rule::Flag(Kind::Co)),
    ("PersonalAlarm", Rule::Flag(Kind::Sos)),
    ("Panic", Rule::Flag(Kind::Sos)),
    ("Movement", Rule::Flag(Kind::Vibration)),
    ("Tamper", Rule::Flag(Kind::Tamper)),
    ("BatteryLow", Rule::Flag(Kind::BatteryLow)),
    ("BatteryPercentage", Rule::Number(Kind::Battery)),
    ("Battery", Rule::Number(Kind::Battery)),
    ("Temperature", Rule::Number(Kind::Temperature)),
    ("Humidity", Rule::Number(Kind::Humidity)),
    ("Illuminance", Rule::Number(Kind::Illuminance)),
    ("ActivePower", Rule::Number(Kind::Power)),
    ("AqaraVibrationMode", Rule::Words(Kind::Vibration, MOVED)),
    // A cube's `fall` is its own.
    ("AqaraCube", Rule::Action),
    ("Click", Rule::Action),
    ("click", Rule::Action),
    ("action", Rule::Action),
];

/// Bits of an alarm zone's status that mean the same whatever the zone guards (Zigbee Cluster Library, IAS Zone).
const ZONE_BITS: &[(u32, Kind)] = &[(1 << 2, Kind::Tamper), (1 << 3, Kind::BatteryLow)];

/// Commands of an alarm panel's keys (IAS ACE): emergency and panic.
const CALLS: &[&str] = &["0501!02", "0501!04"];

/// The clusters whose commands a remote control sends: scenes, on and off, dimming, blinds, colours, alarm panel.
const REMOTE: &[&str] = &["0005!", "0006!", "0008!", "0102!", "0300!", "0501!"];

/// What the gateway calls a remote's commands.
const COMMANDS: &[&str] = &[
    "Power",
    "DimmerUp",
    "DimmerDown",
    "DimmerMove",
    "DimmerStep",
    "DimmerStop",
    "ArrowClick",
    "ArrowHold",
    "ArrowRelease",
    "RecallScene",
    "ShutterOpen",
    "ShutterClose",
    "ShutterStop",
];

/// The gateway's address, where the topic may go on with a device's short address or name.
pub(super) fn gateway<'t>(address: &'t str, levels_before_device: usize, devices: &Json) -> &'t str {
    let Some((gateway, level)) = address.rsplit_once('/') else { return address };
    let is_short_address = level.len() == 4 && level.bytes().all(|b| b.is_ascii_hexdigit());
    let is_name = each(devices).any(|(name, _)| is_written_as(name, level));
    let is_whole = gateway.matches('/').count() >= levels_before_device;
    if is_whole && (is_short_address || is_name) { gateway } else { address }
}

/// Whether a topic's level is this name; what a topic may not hold is an underscore there.
fn is_written_as(name: &str, level: &str) -> bool {
    let plain = |c: char| if matches!(c, ' ' | '/' | '+' | '#') { '_' } else { c };
    name.chars().map(plain).eq(level.chars().map(plain))
}

/// Each device with its name.
fn each<'j>(devices: &'j Json<'j>) -> impl Iterator<Item = (&'j str, &'j Json<'j>)> {
    // Without the address as a key, the attributes stand right here.
    let bare = devices.members().iter().any(|(_, value)| !matches!(value, Json::Object(_)));
    let text = |device: &'j Json<'j>, name| device.get(name).and_then(Json::as_text);
    let named =
        move |key: &'j str, device| (text(device, "Name").filter(|name| !name.is_empty()).unwrap_or(key), device);
    let one = bare.then(|| named(text(devices, "Device").unwrap_or_default(), devices));
    let many = devices.members().iter().filter(move |_| !bare).map(move |(key, device)| named(key, device));
    one.into_iter().chain(many)
}

/// All that the gateway received.
pub(super) fn devices(devices: &Json, profile: Option<&Profile>, settled: &mut Settled) {
    for (name, attributes) in each(devices) {
        Device { name: name.trim(), profile }.read(attributes, settled);
    }
}

struct Device<'a> {
    name: &'a str,
    profile: Option<&'a Profile>,
}

impl Device<'_> {
    /// What people told of an attribute of this device: `ZbReceived.Kitchen.Power`.
    fn told(&self, attribute: &str) -> Option<&Gloss> {
        self.profile?.of(&format!("ZbReceived.{}.{attribute}", self.name))
    }

    /// The device's own zone, or one of its endpoints.
    fn zone(&self, number: &str) -> Option<Zone> {
        let name = if number.is_empty() { self.name.to_owned() } else { format!("{}-{number}", self.name) };
        Zone::new(&name).ok()
    }

    fn read(&self, attributes: &Json, settled: &mut Settled) {
        for (attribute, value) in attributes.members() {
            match self.told(attribute) {
                Some(told) => {
                    let reading = rule::told(told, &value.scalar(), self.zone(""));
                    reading.into_iter().for_each(|reading| settled.add(TOLD, reading));
                }
                None => self.attribute(attribute, value, settled),
            }
        }
        if !COMMANDS.iter().any(|command| self.told(command).is_some()) {
            self.command(attributes).into_iter().for_each(|reading| settled.add(1, reading));
        }
    }

    fn attribute(&self, attribute: &str, value: &Json, settled: &mut Settled) {
        if let ("ZoneStatus" | "ZoneStatusChange", Some(status)) = (attribute, value.as_number()) {
            for (bit, kind) in ZONE_BITS {
                let value = Value::Flag(status as u32 & bit != 0);
                settled.add(0, Reading { kind: *kind, zone: self.zone(""), value, form: Form::Edge });
            }
        }
        let Some((rule, number)) = find(attribute) else { return };
        let Some((kind, value)) = rule.read(&value.scalar(), None) else { return };
        let form = match (rule, kind) {
            // No message says that it is over.
            (Rule::Action | Rule::Words(..), _) => Form::Event,
            (_, Kind::Sos) => Form::Latched,
            _ => Form::Edge,
        };
        settled.add(1, Reading { kind, zone: self.zone(number), value, form });
    }

    /// What a remote control commanded: its keys are the raw command `"0006!02":""` and, where the gateway knows it, `"Power":2`.
    fn command(&self, attributes: &Json) -> Option<Reading> {
        let is_command = |key: &str| REMOTE.iter().any(|cluster| key.starts_with(cluster));
        let (key, _) = attributes.members().iter().find(|(key, _)| is_command(key))?;
        let (kind, value) = match &**key {
            key if CALLS.contains(&key) => (Kind::Sos, Value::Flag(true)),
            key => (Kind::Button, Value::Text(spoken(attributes).unwrap_or_else(|| key.to_owned()).into())),
        };
        let presentable = !matches!(&value, Value::Text(text) if !presentable(text));
        presentable.then(|| Reading { kind, zone: self.zone(""), value, form: Form::Event })
    }
}

/// A command in the gateway's words: `Power 2`, `DimmerUp`.
fn spoken(attributes: &Json) -> Option<String> {
    let (name, value) = COMMANDS.iter().find_map(|name| Some((name, attributes.get(name)?)))?;
    Some(value.as_number().map_or_else(|| (*name).to_owned(), |number| format!("{name} {number}")))
}

/// The rule of an attribute, and the number of the endpoint or second alarm behind its name.
fn find(attribute: &str) -> Option<(Rule, &str)> {
    let rule = |name: &str| ATTRIBUTES.iter().find(|(known, _)| *known == name).map(|(_, rule)| *rule);
    let (word, number) = numbered(attribute);
    match word {
        "CO" if !number.is_empty() => None,
        _ => rule(word).map(|rule| (rule, number)),
    }
}
