//! The table of properties: what a name means when nothing but the payload is known. It was held against every definition of
//! zigbee-herdsman-converters 26.112.0.
//!
//! **What is missing here is missing on purpose.** `alarm` switches a siren, `alarm_1` and `alarm_status` belong to whatever the device
//! is for (profiles tell that), `co` and `gas_value` are concentrations, `tilt` and `moving` belong to blinds, `window_open` is what a
//! radiator's valve concludes from the cold, `device_temperature` is a chip's, `local_temperature` a thermostat's, `probe_temperature`
//! and its like are of soil, water or pipes; settings and thresholds (`fall_sensitivity`, `temperature_calibration`) are no readings
//! at all.

use crate::engine::kind::Kind;
use crate::wire::rule::Rule;
use std::ops::Range;

/// One row.
#[derive(Debug, PartialEq)]
pub(super) struct Property {
    pub name: &'static str,
    pub rule: Rule,
    /// Where two properties of a message tell the same fact, the higher one is believed.
    pub rank: u8,
}

const fn row(name: &'static str, rule: Rule) -> Property {
    Property { name, rule, rank: 1 }
}

/// Speaks only where no plainer property does.
const fn second(name: &'static str, rule: Rule) -> Property {
    Property { name, rule, rank: 0 }
}

/// Speaks before the plain property.
const fn first(name: &'static str, rule: Rule) -> Property {
    Property { name, rule, rank: 2 }
}

const CHARGE: &[(&str, bool)] =
    &[("low", true), ("middle", false), ("medium", false), ("high", false), ("usb", false), ("full", false)];
const ALARM: &[(&str, bool)] = &[("alarm", true), ("normal", false), ("none", false)];
const LEAK: &[(&str, bool)] =
    &[("leak", true), ("dry", false), ("water_leakage_yes", true), ("water_leakage_no", false)];
const SOMEBODY: &[(&str, bool)] = &[
    ("none", false),
    ("presence", true),
    ("peaceful", true),
    ("stationary", true),
    ("static", true),
    ("motion", true),
    ("active", true),
    ("small", true),
    ("medium", true),
    ("large", true),
    ("near", true),
    ("far", true),
    ("small_movement", true),
    ("large_movement", true),
];
const SEAT: &[(&str, bool)] = &[("none", false), ("sit", true), ("sedentary", true)];
const DOOR: &[(&str, bool)] = &[("open", true), ("tilted", true), ("error_forced_open", true), ("closed", false)];
const OUTAGE: &[(&str, bool)] = &[("power_ok", true), ("outage_detected", false)];

/// Sorted by name, since it is searched by halves.
pub(super) static PROPERTIES: &[Property] = &[
    row("ac_connected", Rule::Strict(Kind::Mains)),
    row("action", Rule::Action),
    row("active_water_leak", Rule::Flag(Kind::WaterLeak)),
    row("ambient_light", Rule::Number(Kind::Illuminance)),
    row("battery", Rule::Number(Kind::Battery)),
    second("battery_level", Rule::Words(Kind::BatteryLow, CHARGE)),
    row("battery_low", Rule::Flag(Kind::BatteryLow)),
    second("battery_state", Rule::Words(Kind::BatteryLow, CHARGE)),
    second("battery_value", Rule::Number(Kind::Battery)),
    second("battpercentage", Rule::Number(Kind::Battery)),
    row("breathing_rate", Rule::Number(Kind::RespiratoryRate)),
    row("carbon_monoxide", Rule::Flag(Kind::Co)),
    // 1.x: the action of old Xiaomi buttons.
    second("click", Rule::Action),
    row("co_state", Rule::Words(Kind::Co, ALARM)),
    row("contact", Rule::Contact),
    second("door_state", Rule::Words(Kind::Contact, DOOR)),
    row("fall_down_status", Rule::Fall),
    row("fall_status", Rule::Fall),
    row("garage_door_contact", Rule::Contact),
    row("gas", Rule::Strict(Kind::Gas)),
    row("gas_sensor_state", Rule::Words(Kind::Gas, ALARM)),
    row("heart_rate", Rule::Number(Kind::HeartRate)),
    second("human_motion_state", Rule::Words(Kind::Presence, SOMEBODY)),
    row("humidity", Rule::Number(Kind::Humidity)),
    row("illuminance", Rule::Number(Kind::Illuminance)),
    // 1.x: beside it `illuminance` is a raw figure.
    first("illuminance_lux", Rule::Number(Kind::Illuminance)),
    row("leak_detect", Rule::Words(Kind::WaterLeak, LEAK)),
    row("mains_power_connected", Rule::Strict(Kind::Mains)),
    second("motion_state", Rule::Words(Kind::Presence, SOMEBODY)),
    row("motion_status", Rule::Strict(Kind::Motion)),
    row("occupancy", Rule::Flag(Kind::Motion)),
    // Of a toilet's seat.
    row("occupancy_status", Rule::Strict(Kind::Presence)),
    second("opening_state", Rule::Words(Kind::Contact, DOOR)),
    row("pir_detection", Rule::Strict(Kind::Motion)),
    row("power", Rule::Number(Kind::Power)),
    row("power_outage", Rule::Words(Kind::Mains, OUTAGE)),
    row("presence", Rule::Flag(Kind::Presence)),
    second("presence_state", Rule::Words(Kind::Presence, SOMEBODY)),
    // Of a pad to sit or lie on; elsewhere it is the weight of the air or of water.
    row("pressure", Rule::Strict(Kind::Bed)),
    row("pressure_state", Rule::Words(Kind::Bed, SEAT)),
    row("smoke", Rule::Flag(Kind::Smoke)),
    row("smoke_state", Rule::Words(Kind::Smoke, ALARM)),
    row("sos", Rule::Flag(Kind::Sos)),
    row("sos_alarm", Rule::Flag(Kind::Sos)),
    // Of many devices; only a fall radar says these words here.
    row("status", Rule::Fall),
    row("tamper", Rule::Flag(Kind::Tamper)),
    row("tamper_alarm", Rule::Flag(Kind::Tamper)),
    row("temperature", Rule::Number(Kind::Temperature)),
    row("temperature_c", Rule::Number(Kind::Temperature)),
    second("temperature_f", Rule::Fahrenheit(Kind::Temperature)),
    row("vibration", Rule::Strict(Kind::Vibration)),
    // Whether there is any: beside it `water_leak` says whether that is amiss.
    second("water", Rule::Strict(Kind::WaterLeak)),
    row("water_condition_alarm", Rule::Strict(Kind::WaterLeak)),
    row("water_consumed", Rule::Amount(Kind::WaterVolume)),
    row("water_leak", Rule::Flag(Kind::WaterLeak)),
    row("water_leakage_state", Rule::Words(Kind::WaterLeak, LEAK)),
    row("water_sensor", Rule::Strict(Kind::WaterLeak)),
];

/// A row that says nothing at some devices, which the other names in the message tell apart from all others.
pub(super) struct Silence {
    /// The row's.
    pub name: &'static str,
    /// All of these stand beside it,
    pub beside: &'static [&'static str],
    /// and none of these does.
    pub without: &'static [&'static str],
}

/// All of them; each holds for every device of the definitions that has such a set of names, and for no other.
pub(super) static SILENT: &[Silence] = &[
    // The figure of the one smoke detector that has no plain flag: no percents.
    Silence { name: "battery", beside: &["smoke_state"], without: &["smoke"] },
    // Where a flag says whether somebody is there, the word only tells how they move.
    Silence { name: "human_motion_state", beside: &["occupancy"], without: &[] },
    // A raw figure.
    Silence { name: "illuminance", beside: &["detection_distance", "presence_delay"], without: &[] },
    // Of a cover's motor, in percent.
    Silence { name: "illuminance", beside: &["opening_mode"], without: &[] },
    // The weather that a wall panel was told to show.
    Silence { name: "temperature", beside: &["condition_1"], without: &[] },
];

/// The name as the table of silences has it, if it is one of those that silence others.
pub(super) fn mark(name: &str) -> Option<&'static str> {
    SILENT.iter().flat_map(|s| s.beside.iter().chain(s.without)).find(|mark| **mark == name).copied()
}

/// The row of a name, and which part of the name tells a zone: `temperature_38` is the temperature of endpoint 38.
pub(super) fn find(name: &str) -> Option<(&'static Property, Option<Range<usize>>)> {
    if let Some(property) = plain(name) {
        return Some((property, None));
    }
    for (at, _) in name.match_indices('_') {
        let (base, tail) = (&name[..at], &name[at + 1..]);
        if is_zone(tail)
            && let Some(property) = plain(base)
        {
            return Some((property, Some(at + 1..name.len())));
        }
        // `input_3_leak_detect_9`: the channel stands in front, its endpoint behind.
        if (base.starts_with("channel_") || base.starts_with("input_"))
            && let Some((middle, _)) = tail.rsplit_once('_')
            && let Some(property) = plain(middle)
        {
            return Some((property, Some(0..at)));
        }
        // `mmwave_area2_occupancy`: the area stands in front.
        if base.strip_prefix(RADAR).is_some_and(is_zone)
            && let Some(property) = plain(tail)
        {
            return Some((property, Some(RADAR.len()..at)));
        }
    }
    None
}

const RADAR: &str = "mmwave_";

fn plain(name: &str) -> Option<&'static Property> {
    PROPERTIES.binary_search_by(|row| row.name.cmp(name)).ok().map(|i| &PROPERTIES[i])
}

/// Whether a name's tail is an endpoint and not another property's word (`temperature_unit`, `occupancy_timeout`).
fn is_zone(tail: &str) -> bool {
    let word = tail.trim_end_matches(|c: char| c.is_ascii_digit());
    let numbered = word.len() < tail.len();
    match word {
        "" | "l" | "ch" | "th" | "alarm_" | "zone_" | "wire_" | "channel_" | "input_" | "probe_" | "ep" | "area" => {
            numbered
        }
        "left" | "right" | "top" | "bottom" | "center" | "in" | "out" | "or" | "and" | "both_zones" | "bme" | "ds" => {
            !numbered
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted() {
        assert!(PROPERTIES.is_sorted_by(|a, b| a.name < b.name));
    }

    #[test]
    fn zones() {
        for (name, expected) in [
            ("temperature", Some(("temperature", None))),
            ("temperature_38", Some(("temperature", Some("38")))),
            ("temperature_l2", Some(("temperature", Some("l2")))),
            ("temperature_f", Some(("temperature_f", None))),
            ("temperature_unit", None),
            ("temperature_calibration", None),
            ("temperature_v1_set", None),
            ("water_leak_alarm_2", Some(("water_leak", Some("alarm_2")))),
            ("water_leak_wire_3", Some(("water_leak", Some("wire_3")))),
            ("water_leak_alarm_control", None),
            ("occupancy_timeout", None),
            ("occupancy_1", Some(("occupancy", Some("1")))),
            ("battery_low_1", Some(("battery_low", Some("1")))),
            ("channel_3_leak_detect_19", Some(("leak_detect", Some("channel_3")))),
            ("input_10_leak_detect_16", Some(("leak_detect", Some("input_10")))),
            ("channel_3_battery_low_19", Some(("battery_low", Some("channel_3")))),
            ("action_l1", Some(("action", Some("l1")))),
            ("mmwave_area2_occupancy", Some(("occupancy", Some("area2")))),
            ("mmwave_targets", None),
            ("mmwave_area2_targets", None),
            ("occupancy_or", Some(("occupancy", Some("or")))),
            ("occupancy_status", Some(("occupancy_status", None))),
            ("occupancy_level", None),
            ("pressure_1", Some(("pressure", Some("1")))),
            ("action_transaction", None),
            ("power_outage_count", None),
            ("_", None),
            ("", None),
        ] {
            assert_eq!(find(name).map(|(p, zone)| (p.name, zone.map(|at| &name[at]))), expected, "{name}");
        }
    }
}
