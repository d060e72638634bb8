//! The few names of metrics that mean one thing whoever chose them, by their last level, in any case and with any divider.

use crate::engine::id::Zone;
use crate::engine::kind::Kind;
use crate::wire::rule::{Rule, Words};
use crate::wire::table::{Row, latched, state};

const DOOR: Words = &[("open", true), ("opened", true), ("closed", false)];

/// The longest name that can be one of these, as the vendor writes it.
const MAX_NAME_BYTES: usize = 32;

/// Sorted by name. A contact's boolean may mean either, so only words are read, or a name that says what `true` is.
static ROWS: &[Row] = &[
    state("battery", Rule::Number(Kind::Battery)),
    state("batterylevel", Rule::Number(Kind::Battery)),
    state("batterylow", Rule::Strict(Kind::BatteryLow)),
    state("batterypercent", Rule::Number(Kind::Battery)),
    state("batterypercentage", Rule::Number(Kind::Battery)),
    state("breathingrate", Rule::Number(Kind::RespiratoryRate)),
    state("coalarm", Rule::Strict(Kind::Co)),
    state("contact", Rule::Words(Kind::Contact, DOOR)),
    state("door", Rule::Words(Kind::Contact, DOOR)),
    state("dooropen", Rule::Strict(Kind::Contact)),
    state("doorstate", Rule::Words(Kind::Contact, DOOR)),
    state("falldetected", Rule::Strict(Kind::Fall)),
    state("gasalarm", Rule::Strict(Kind::Gas)),
    state("heartrate", Rule::Number(Kind::HeartRate)),
    state("humidity", Rule::Number(Kind::Humidity)),
    state("illuminance", Rule::Number(Kind::Illuminance)),
    state("leak", Rule::Strict(Kind::WaterLeak)),
    state("leakdetected", Rule::Strict(Kind::WaterLeak)),
    state("lowbattery", Rule::Strict(Kind::BatteryLow)),
    state("motion", Rule::Strict(Kind::Motion)),
    state("motiondetected", Rule::Strict(Kind::Motion)),
    state("occupancy", Rule::Strict(Kind::Presence)),
    latched("panic", Rule::Strict(Kind::Sos)),
    state("presence", Rule::Strict(Kind::Presence)),
    state("relativehumidity", Rule::Number(Kind::Humidity)),
    state("respiratoryrate", Rule::Number(Kind::RespiratoryRate)),
    state("smoke", Rule::Strict(Kind::Smoke)),
    state("smokealarm", Rule::Strict(Kind::Smoke)),
    state("smokedetected", Rule::Strict(Kind::Smoke)),
    latched("sos", Rule::Strict(Kind::Sos)),
    state("tamper", Rule::Strict(Kind::Tamper)),
    state("temperature", Rule::Number(Kind::Temperature)),
    state("vibration", Rule::Strict(Kind::Vibration)),
    state("waterleak", Rule::Strict(Kind::WaterLeak)),
    state("window", Rule::Words(Kind::Contact, DOOR)),
    state("windowopen", Rule::Strict(Kind::Contact)),
];

/// Levels before the name that make it a setting and no measurement.
const SETTINGS: &[&str] = &["control", "config", "set", "limit", "threshold", "target", "alarm", "properties"];

/// The row of a metric's name; the levels before the last tell a part of the device.
pub(super) fn row(name: &str) -> (Option<&'static Row>, Option<Zone>) {
    let (part, last) = name.rsplit_once('/').unwrap_or(("", name));
    if last.len() > MAX_NAME_BYTES || is_setting(part) {
        return (None, None);
    }
    let plain: String =
        last.chars().filter(|c| !matches!(c, ' ' | '_' | '-')).map(|c| c.to_ascii_lowercase()).collect();
    (Row::find(ROWS, &plain), Zone::new(part).ok())
}

fn is_setting(part: &str) -> bool {
    let part = part.to_ascii_lowercase();
    SETTINGS.iter().any(|word| part.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted() {
        assert!(ROWS.is_sorted_by(|a, b| a.name < b.name));
    }

    #[test]
    fn names() {
        for (name, expected) in [
            ("Temperature", Some(("temperature", None))),
            ("Bath/Water Leak", Some(("waterleak", Some("Bath")))),
            ("a/b/battery_low", Some(("batterylow", Some("a/b")))),
            ("Node Control/Rebirth", None),
            ("Setpoints/Temperature", None),
            ("Alarm Limits/temperature", None),
            ("temperature setpoint", None),
            ("bdSeq", None),
            ("", None),
        ] {
            let (row, zone) = row(name);
            let found = row.map(|row| (row.name, zone.as_ref().map(Zone::as_str)));
            assert_eq!(found, expected, "{name}");
        }
    }
}
