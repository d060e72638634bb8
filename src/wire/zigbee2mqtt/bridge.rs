//! What a bridge says of itself: whether it is there, and which devices it has, with their definitions.

use super::property;
use super::{Heard, online};
use crate::engine::kind::Kind;
use crate::wire::lore::{DeviceLore, Lesson, MAX_DEVICES, Meaning};
use crate::wire::rule::Rule;
use crate::wire::scalar::Scalar;
use crate::wire::{Decoded, Ignored, Message, Rejected, text};
use serde::Deserialize;
use serde::de::{Deserializer, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

/// The bit of an expose's `access` that says it can be set: a setting, where a sensor's name leaves it open.
pub(in crate::wire) const CAN_BE_SET: u8 = 2;

pub(super) fn decode(heard: &Heard, prefix: &str, topic: &str, message: &Message) -> Decoded {
    match topic {
        _ if message.payload.is_empty() => Ignored::Empty.into(),
        "state" => match text(message).map(online) {
            Ok(Some(online)) => heard.bridge(prefix, online),
            Ok(None) => Rejected::State.into(),
            Err(why) => why.into(),
        },
        "devices" => match list(prefix, message.payload) {
            Ok(devices) => {
                let lesson = Lesson::Devices { source: heard.source.name.clone(), bridge: prefix.into(), devices };
                Decoded { lessons: vec![lesson], ..Ignored::DeviceList.into() }
            }
            Err(why) => why.into(),
        },
        _ => Ignored::Bridge.into(),
    }
}

type Listed = Vec<(Box<str>, DeviceLore)>;

fn list(prefix: &str, payload: &[u8]) -> Result<Listed, Rejected> {
    let mut json = serde_json::Deserializer::from_slice(payload);
    let devices = json.deserialize_seq(List(prefix)).and_then(|devices| json.end().map(|()| devices));
    devices.map_err(|error| if error.is_data() { Rejected::NoObject } else { Rejected::NotJson })
}

/// Takes device after device, so that a long list never stands in memory as a whole.
struct List<'p>(&'p str);

impl<'de> Visitor<'de> for List<'_> {
    type Value = Listed;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of devices")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Listed, A::Error> {
        let mut devices = Listed::new();
        while let Some(device) = seq.next_element::<Device>()? {
            if devices.len() < MAX_DEVICES && device.kind.as_text() != Some("Coordinator") {
                devices.extend(
                    device.friendly_name.as_text().map(|name| (format!("{}{name}", self.0).into(), lore(&device))),
                );
            }
        }
        Ok(devices)
    }
}

#[derive(Deserialize)]
struct Device<'a> {
    #[serde(borrow, default = "absent")]
    friendly_name: Scalar<'a>,
    #[serde(borrow, default = "absent", rename = "type")]
    kind: Scalar<'a>,
    #[serde(borrow)]
    definition: Option<Definition<'a>>,
}

#[derive(Deserialize)]
struct Definition<'a> {
    #[serde(borrow, default = "absent")]
    model: Scalar<'a>,
    #[serde(borrow, default = "absent")]
    description: Scalar<'a>,
    #[serde(borrow, default)]
    exposes: Vec<Expose<'a>>,
}

/// One property as defined. Lights, locks and the like nest theirs in `features`; none of those is a reading.
#[derive(Deserialize)]
pub(in crate::wire) struct Expose<'a> {
    #[serde(borrow, default = "absent", rename = "type")]
    pub kind: Scalar<'a>,
    #[serde(borrow, default)]
    pub property: Option<Cow<'a, str>>,
    #[serde(default)]
    pub access: u8,
    #[serde(borrow, default = "absent")]
    pub unit: Scalar<'a>,
    #[serde(borrow, default = "absent")]
    pub value_on: Scalar<'a>,
    #[serde(borrow, default = "absent")]
    pub value_off: Scalar<'a>,
}

fn absent<'a>() -> Scalar<'a> {
    Scalar::Null
}

fn lore(device: &Device) -> DeviceLore {
    let Some(definition) = &device.definition else { return DeviceLore::default() };
    let exposes = definition.exposes.iter();
    DeviceLore {
        model: definition.model.as_text().unwrap_or_default().into(),
        senses_presence: senses_presence(definition.description.as_text().unwrap_or_default()),
        meanings: exposes.filter_map(|e| Some((e.property.as_deref()?.into(), meaning(e)?))).collect(),
        ..DeviceLore::default()
    }
}

/// Whether a device's description is that of one which senses that somebody is there.
pub(in crate::wire) fn senses_presence(description: &str) -> bool {
    let described = description.to_lowercase();
    ["presence", "radar", "mmwave", "ghz", "occupancy"].iter().any(|word| described.contains(word))
}

/// What the definition adds to the name, if anything.
pub(in crate::wire) fn meaning(expose: &Expose) -> Option<Meaning> {
    let (property, _) = property::find(expose.property.as_deref()?)?;
    let settable = expose.access & CAN_BE_SET != 0;
    match (property.rule, expose.kind.as_text()?) {
        (Rule::Strict(_) | Rule::Number(_) | Rule::Amount(_), _) if settable => Some(Meaning::NoReading),
        (Rule::Flag(_) | Rule::Strict(_), "binary") => words(expose),
        (Rule::Number(kind) | Rule::Amount(kind), "numeric") => {
            in_our_unit(kind, expose.unit.as_text().unwrap_or_default())
        }
        // A name that has one meaning only (smoke, sos) keeps it, whatever a definition says.
        (Rule::Strict(_) | Rule::Number(_) | Rule::Amount(_), _) => Some(Meaning::NoReading),
        _ => None,
    }
}

fn words(expose: &Expose) -> Option<Meaning> {
    let (yes, no) = (expose.value_on.as_text()?, expose.value_off.as_text()?);
    Some(Meaning::Words { yes: yes.into(), no: no.into() })
}

/// None where the number is in our unit already. A number without a unit, or in another, is a raw figure.
fn in_our_unit(kind: Kind, unit: &str) -> Option<Meaning> {
    match (kind, unit) {
        (Kind::Temperature, "°C" | "℃")
        | (Kind::Battery | Kind::Humidity, "%")
        | (Kind::Illuminance, "lx" | "Lx" | "lux")
        | (Kind::Power, "W") => None,
        (Kind::RespiratoryRate | Kind::HeartRate, _) => None,
        (Kind::Temperature, "°F" | "℉") => Some(Meaning::Fahrenheit),
        (Kind::WaterVolume, "L") => Some(Meaning::Times(1.0)),
        (Kind::WaterVolume, "m³") | (Kind::Power, "kW") => Some(Meaning::Times(1000.0)),
        (Kind::Power, "mW") => Some(Meaning::Times(0.001)),
        _ => Some(Meaning::NoReading),
    }
}
