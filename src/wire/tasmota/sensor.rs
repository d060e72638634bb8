//! The blocks of telemetry: each sensor is an object under its chip's name, `"AM2301":{"Temperature":24.6,"Humidity":58.2}`.
//!
//! The block is the zone, always: that several probes hang on one device shows in one message and not in another.

use super::numbered;
use crate::engine::id::Zone;
use crate::engine::kind::Kind;
use crate::engine::profile::Profile;
use crate::engine::reading::{Form, Reading, Value};
use crate::wire::json::Json;
use crate::wire::rule::{Rule, Settled};
use crate::wire::scalar::presentable;

/// What a key means in every block. **What is missing is missing on purpose:** `DewPoint` is computed, `Gas` is a resistance,
/// `ObjectTemp` and `ProbeTemperature` are not the room's, `Moisture` is a plant's.
static KEYS: &[(&str, Rule)] = &[
    ("Temperature", Rule::Number(Kind::Temperature)),
    ("Humidity", Rule::Number(Kind::Humidity)),
    ("Illuminance", Rule::Number(Kind::Illuminance)),
    // Of a colour sensor, in lux.
    ("Ambient", Rule::Number(Kind::Illuminance)),
    ("Power", Rule::Number(Kind::Power)),
    ("Weight", Rule::Number(Kind::Weight)),
    // Of Bluetooth sensors.
    ("Battery", Rule::Number(Kind::Battery)),
    ("Motion", Rule::Flag(Kind::Motion)),
    ("PIR", Rule::Flag(Kind::Motion)),
    ("Door", Rule::Flag(Kind::Contact)),
    ("Leak", Rule::Flag(Kind::WaterLeak)),
];

/// Chips that measure their own warmth: processor, power meters, chargers, clocks, motion sensors of the device itself.
const CHIPS: &[&str] = &["ESP32", "BL09", "BL6523", "ADE7", "AXP", "DS3231", "MPU", "BMI160", "ENERGY"];

/// An older form: its probes stand inside as objects of their own.
const BUS: &str = "DS18x20";

/// All sensors of one message.
pub(super) fn blocks(body: &Json, profile: Option<&Profile>, settled: &mut Settled) {
    let temperature = match body.get("TempUnit").and_then(Json::as_text) {
        Some("F") => Rule::Fahrenheit(Kind::Temperature),
        _ => Rule::Number(Kind::Temperature),
    };
    for (name, value) in body.members() {
        if name == BUS {
            value.members().iter().for_each(|(probe, value)| block(probe, value, temperature, profile, settled));
        }
        block(name, value, temperature, profile, settled);
    }
}

fn block(name: &str, block: &Json, temperature: Rule, profile: Option<&Profile>, settled: &mut Settled) {
    for (key, value) in block.members() {
        if profile.is_some_and(|profile| profile.of(&format!("{name}.{key}")).is_some()) {
            continue;
        }
        let (word, number) = numbered(key);
        if let Some(text) = press(word, number, value) {
            settled.add(1, Reading { kind: Kind::Button, zone: zone(name, ""), value: text, form: Form::Event });
        }
        let rule = KEYS.iter().find(|(known, _)| *known == word).map(|(_, rule)| *rule);
        let rule = rule.map(|rule| if rule == Rule::Number(Kind::Temperature) { temperature } else { rule });
        let Some((kind, value)) = rule.and_then(|rule| rule.read(&value.scalar(), None)) else { continue };
        if kind == Kind::Temperature && CHIPS.iter().any(|chip| name.starts_with(chip)) {
            continue;
        }
        settled.add(1, Reading { kind, zone: zone(name, number), value, form: Form::Edge });
    }
}

/// `ENERGY` is the device's own meter; a second value of a block has a number, as a second block has.
fn zone(block: &str, number: &str) -> Option<Zone> {
    match (block, number) {
        ("ENERGY", "") => None,
        (block, "") => Zone::new(block).ok(),
        (block, number) => Zone::new(&format!("{block}-{number}")).ok(),
    }
}

/// A remote control over Bluetooth says the number of a push, under the number of the button: `"Button1":2`, `"Btn":1`.
fn press(word: &str, number: &str, value: &Json) -> Option<Value> {
    let push = value.as_number().filter(|push| (0.0..256.0).contains(push))?;
    let text = match (word, number) {
        ("Btn", "") => push.to_string(),
        ("Button", number) if !number.is_empty() => format!("{word}{number} {push}"),
        _ => return None,
    };
    presentable(&text).then(|| Value::Text(text.into()))
}
