//! What no row of a table can tell: values that stand in lists, or several in one text.

use crate::engine::id::Zone;
use crate::engine::kind::Kind;
use crate::engine::reading::{Form, Reading, Value};
use crate::wire::json::Json;
use crate::wire::rule::{Settled, number};
use crate::wire::scalar::presentable;

/// The most items of one list that are read.
const MAX_ITEMS: usize = 64;

/// All that the object says in other shapes than field and value.
pub(super) fn add(object: &Json, settled: &mut Settled) {
    netvox_voltage(object, settled);
    netvox_bits(object, settled);
    senso8_events(object, settled);
    radar_events(object, settled);
    sensecap_messages(object, settled);
}

fn event(kind: Kind) -> Reading {
    Reading::new(kind, Value::Flag(true), Form::Event)
}

/// Netvox writes a low battery behind the voltage: `2.3(low battery)`. A plain number is no news of the battery.
fn netvox_voltage(object: &Json, settled: &mut Settled) {
    let volt = object.get("Volt").and_then(Json::as_text);
    if volt.is_some_and(|text| text.ends_with("(low battery)")) {
        settled.add(1, Reading::flag(Kind::BatteryLow, true));
    }
}

/// Netvox's R315 is sold with some of these sensors (by its manual: the bit that says that it is fitted, the bit of its state).
const NETVOX_SENSORS: &[(u16, u16, Kind, &str)] = &[
    (2, 0, Kind::Motion, ""),
    (3, 1, Kind::Sos, ""),
    (5, 3, Kind::Contact, "internal"),
    (6, 4, Kind::Contact, "external"),
    (7, 5, Kind::Vibration, "internal"),
    (8, 6, Kind::Vibration, "external"),
    (11, 8, Kind::WaterLeak, ""),
    (12, 9, Kind::Presence, ""),
];

/// Its codec writes both as texts of binary digits.
fn netvox_bits(object: &Json, settled: &mut Settled) {
    let bits = |name| u16::from_str_radix(object.get(name)?.as_text()?, 2).ok();
    let (Some(fitted), Some(states)) = (bits("FunctionEnable"), bits("BinarySensorReport")) else { return };
    for (_, bit, kind, zone) in NETVOX_SENSORS.iter().filter(|sensor| (fitted >> sensor.0) & 1 == 1) {
        let on = (states >> bit) & 1 == 1;
        let value = if *kind == Kind::Contact { Value::Open(on) } else { Value::Flag(on) };
        let form = if *kind == Kind::Sos { Form::Latched } else { Form::Edge };
        settled.add(1, Reading { kind: *kind, zone: Zone::new(zone).ok(), value, form });
    }
}

/// Arwin's SENSO8 lists what made it speak, divided by commas; its level is 0 where nothing is wet.
fn senso8_events(object: &Json, settled: &mut Settled) {
    let Some(level) = object.get("waterLeakLevel").and_then(Json::as_number) else { return };
    let events = object.get("event").and_then(Json::as_text).unwrap_or_default();
    match events.split(',').any(|event| event.trim() == "water_leak_alert") {
        true => settled.add(1, Reading::flag(Kind::WaterLeak, true)),
        false if level == 0.0 => settled.add(1, Reading::flag(Kind::WaterLeak, false)),
        false => {}
    }
}

/// Milesight's fall radar tells alarms one by one: as a list of `events`, or by later firmware as an object of each kind, whose states
/// are numbers divided by commas. (Its other alarms are no falls: out of bed for long, staying, motionless.)
fn radar_events(object: &Json, settled: &mut Settled) {
    let events = object.get("events").map(Json::items).unwrap_or_default();
    for item in events.iter().take(MAX_ITEMS) {
        let word = |name| item.get(name).and_then(Json::as_text);
        match (word("alarm_type"), word("alarm_status")) {
            (Some("fall"), Some("alarm_triggered")) => settled.add(1, event(Kind::Fall)),
            (Some("fall"), Some("alarm_deactivated")) => settled.add(1, Reading::flag(Kind::Fall, false)),
            _ => {}
        }
    }
    match object.at(&["fall_alarm", "alarm_status"]) {
        Some(Json::Text(states)) if says_triggered(states) => settled.add(1, event(Kind::Fall)),
        Some(Json::Number(1.0)) => settled.add(1, event(Kind::Fall)),
        Some(Json::Text(_) | Json::Number(2.0)) => settled.add(1, Reading::flag(Kind::Fall, false)),
        _ => {}
    }
}

fn says_triggered(states: &str) -> bool {
    states.split(',').any(|state| matches!(state.trim(), "1" | "alarm_triggered"))
}

/// Seeed's SenseCAP lists measurements, each with the number of what is measured; a tracker's are in lists of their own.
fn sensecap_messages(object: &Json, settled: &mut Settled) {
    let messages = object.get("messages").map(Json::items).unwrap_or_default();
    let flat = messages.iter().flat_map(|message| match message {
        Json::List(items) => items.as_slice(),
        one => std::slice::from_ref(one),
    });
    for item in flat.take(MAX_ITEMS) {
        let Some(value) = item.get("measurementValue") else { continue };
        let id = match item.get("measurementId") {
            Some(Json::Number(id)) => *id as u32,
            Some(Json::Text(id)) => id.parse().unwrap_or_default(),
            _ => continue,
        };
        match sensecap_kind(id) {
            Some(kind) => {
                settled.add(
                    1,
                    match number(kind, &value.scalar(), |x| x) {
                        Some(value) => Reading::new(kind, value, Form::Edge),
                        None => continue,
                    },
                );
            }
            None if id == 4200 => sensecap_events(value, settled),
            None => {}
        }
    }
}

/// (4199 is a tracker's light, in percent.)
fn sensecap_kind(id: u32) -> Option<Kind> {
    match id {
        3000 => Some(Kind::Battery),
        4097 => Some(Kind::Temperature),
        4098 => Some(Kind::Humidity),
        4099 => Some(Kind::Illuminance),
        _ => None,
    }
}

fn sensecap_events(events: &Json, settled: &mut Settled) {
    for item in events.items().iter().take(MAX_ITEMS) {
        let name = item.get("eventName").and_then(Json::as_text).unwrap_or_default();
        match item.get("id").and_then(Json::as_number) {
            Some(7.0) => settled.add(1, event(Kind::Sos)),
            Some(8.0) if presentable(name) => {
                settled.add(1, Reading::new(Kind::Button, Value::Text(name.into()), Form::Event));
            }
            _ => {}
        }
    }
}

/// The Things Stack's normalised payload: measurements in one schema for all makers, whatever the device's own codec calls them.
/// What has a time of its own may be old.
pub(super) fn normalized(payload: &Json, settled: &mut Settled) {
    let one = matches!(payload, Json::Object(_)).then_some(payload);
    let present = |m: &&Json| m.get("time").is_none();
    for measurement in one.into_iter().chain(payload.items().iter().take(MAX_ITEMS)).filter(present) {
        for (path, kind) in [
            (["air", "temperature"], Kind::Temperature),
            (["air", "relativeHumidity"], Kind::Humidity),
            (["air", "lightIntensity"], Kind::Illuminance),
        ] {
            let value = measurement.at(&path).and_then(|value| number(kind, &value.scalar(), |x| x));
            if let Some(value) = value {
                settled.add(0, Reading::new(kind, value, Form::Edge));
            }
        }
        if let Some(Json::Bool(moving)) = measurement.at(&["action", "motion", "detected"]) {
            settled.add(0, Reading::flag(Kind::Motion, *moving));
        }
        if let Some(Json::Bool(leak)) = measurement.at(&["water", "leak"]) {
            settled.add(0, Reading::flag(Kind::WaterLeak, *leak));
        }
        match measurement.at(&["action", "contactState"]).and_then(Json::as_text) {
            Some("open") => settled.add(0, Reading::new(Kind::Contact, Value::Open(true), Form::Edge)),
            Some("closed") => settled.add(0, Reading::new(Kind::Contact, Value::Open(false), Form::Edge)),
            _ => {}
        }
    }
}
