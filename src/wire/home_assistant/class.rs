//! What the classes of entities mean. **What is missing here is missing on purpose:** a `safety` sensor says that something is unsafe,
//! which is no call for help; `moving` is a blind or a car, `sound` a dog, `power` and `plug` an appliance, and the `moisture` of a sensor
//! is that of soil.

use super::entity::{EventClass, Sense, Unit};
use crate::engine::kind::Kind;

/// Classes of `binary_sensor`; of each, *on* is what our kind's yes is. A battery that is *on* is low.
const BINARY: &[(&str, Kind)] = &[
    ("battery", Kind::BatteryLow),
    ("carbon_monoxide", Kind::Co),
    ("connectivity", Kind::Online),
    ("door", Kind::Contact),
    ("garage_door", Kind::Contact),
    ("gas", Kind::Gas),
    ("moisture", Kind::WaterLeak),
    ("motion", Kind::Motion),
    ("occupancy", Kind::Presence),
    ("opening", Kind::Contact),
    ("presence", Kind::Presence),
    ("smoke", Kind::Smoke),
    ("tamper", Kind::Tamper),
    ("vibration", Kind::Vibration),
    ("window", Kind::Contact),
];

/// Classes of `sensor` with their units. Where a class knows one unit only, it may be left out.
const NUMBERS: &[(&str, &str, Kind, Unit)] = &[
    ("battery", "%", Kind::Battery, Unit::Ours),
    ("battery", "", Kind::Battery, Unit::Ours),
    ("humidity", "%", Kind::Humidity, Unit::Ours),
    ("humidity", "", Kind::Humidity, Unit::Ours),
    ("illuminance", "lx", Kind::Illuminance, Unit::Ours),
    ("illuminance", "lux", Kind::Illuminance, Unit::Ours),
    ("illuminance", "", Kind::Illuminance, Unit::Ours),
    ("power", "W", Kind::Power, Unit::Ours),
    ("power", "kW", Kind::Power, Unit::Times(1e3)),
    ("power", "mW", Kind::Power, Unit::Times(1e-3)),
    ("power", "MW", Kind::Power, Unit::Times(1e6)),
    ("temperature", "°C", Kind::Temperature, Unit::Ours),
    ("temperature", "℃", Kind::Temperature, Unit::Ours),
    ("temperature", "C", Kind::Temperature, Unit::Ours),
    ("temperature", "°F", Kind::Temperature, Unit::Fahrenheit),
    ("temperature", "℉", Kind::Temperature, Unit::Fahrenheit),
    ("temperature", "F", Kind::Temperature, Unit::Fahrenheit),
    ("temperature", "K", Kind::Temperature, Unit::Kelvin),
    ("water", "L", Kind::WaterVolume, Unit::Ours),
    ("water", "m³", Kind::WaterVolume, Unit::Times(1e3)),
    ("water", "gal", Kind::WaterVolume, Unit::Times(3.785_411_784)),
    ("water", "ft³", Kind::WaterVolume, Unit::Times(28.316_846_592)),
    ("water", "CCF", Kind::WaterVolume, Unit::Times(2_831.684_659_2)),
    ("weight", "kg", Kind::Weight, Unit::Ours),
    ("weight", "g", Kind::Weight, Unit::Times(1e-3)),
    ("weight", "lb", Kind::Weight, Unit::Times(0.453_592_37)),
    ("weight", "oz", Kind::Weight, Unit::Times(0.028_349_523_125)),
    ("weight", "st", Kind::Weight, Unit::Times(6.350_293_18)),
];

/// Numbers without a class, told by the end of their name and a rate's unit.
const RATES: &[(&str, Kind)] = &[
    ("heart_rate", Kind::HeartRate),
    ("heartrate", Kind::HeartRate),
    ("respiratory_rate", Kind::RespiratoryRate),
    ("respiration_rate", Kind::RespiratoryRate),
    ("breathing_rate", Kind::RespiratoryRate),
    ("breath_rate", Kind::RespiratoryRate),
];
const RATE_UNITS: &[&str] = &["bpm", "rpm", "brpm", "/min", "1/min", "min⁻¹", "breaths/min", "beats/min", "times/min"];

/// Words in a name that make a number a setting or a statistic.
const NO_MEASUREMENT: &[&str] = &[
    "average",
    "avg",
    "calibration",
    "correction",
    "limit",
    "max",
    "maximum",
    "mean",
    "min",
    "minimum",
    "offset",
    "resting",
    "setpoint",
    "target",
    "threshold",
    "variability",
];

/// What stands before a temperature that is not that of a room.
const NO_ROOM: &[&str] = &[
    "board",
    "chip",
    "core",
    "cpu",
    "device",
    "dew_point",
    "dewpoint",
    "esp",
    "esp32",
    "esp8266",
    "gpu",
    "internal",
    "mcu",
    "module",
    "pcb",
    "processor",
    "soc",
];

/// What an entity is called and how it is filed, in the words of its discovery.
pub(super) struct Described<'c> {
    pub class: &'c str,
    pub unit: &'c str,
    pub category: &'c str,
    /// The object id, and the name for people.
    pub names: [&'c str; 2],
}

/// The kind of a binary sensor.
pub(super) fn binary(class: &str) -> Option<Kind> {
    BINARY.iter().find(|(known, _)| class.eq_ignore_ascii_case(known)).map(|(_, kind)| *kind)
}

/// What a sensor's numbers mean.
pub(super) fn sensor(described: &Described) -> Sense {
    let known = match described.class {
        "" => rate(described),
        class => NUMBERS
            .iter()
            .find(|(known, unit, ..)| class.eq_ignore_ascii_case(known) && described.unit == *unit)
            .map(|(_, _, kind, unit)| (*kind, *unit)),
    };
    match known.filter(|(kind, _)| is_measurement(*kind, described)) {
        Some((kind, unit)) => Sense::Number(kind, unit),
        None => Sense::Unknown,
    }
}

fn rate(described: &Described) -> Option<(Kind, Unit)> {
    let unit = RATE_UNITS.iter().any(|unit| described.unit.eq_ignore_ascii_case(unit));
    let ends = |name: &&str| RATES.iter().find(|(rate, _)| plain(name).ends_with(rate));
    let (_, kind) = described.names.iter().find_map(ends).filter(|_| unit)?;
    Some((*kind, Unit::Ours))
}

fn is_measurement(kind: Kind, described: &Described) -> bool {
    let names = described.names.map(plain);
    let is_word = |words: &[&str]| names.iter().any(|name| name.split('_').any(|word| words.contains(&word)));
    let of_no_room = NO_ROOM.iter().any(|part| {
        names.iter().any(|name| {
            name == part
                || [format!("{part}_temp"), format!("{part}_temperature")].iter().any(|tail| name.ends_with(tail))
        })
    });
    // A diagnostic temperature is a chip's; a diagnostic battery is still the battery.
    let of_chip = kind == Kind::Temperature && (of_no_room || described.category == "diagnostic");
    // What the battery of a "max" or of an alarm says is its charge.
    let measured = kind == Kind::Battery || !is_word(NO_MEASUREMENT);
    described.category != "config" && measured && !of_chip
}

/// A name in small letters, its words divided by underscores.
fn plain(name: &str) -> String {
    let words = name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect::<Vec<_>>().join("_")
}

/// The class of an event.
pub(super) fn event(class: &str) -> EventClass {
    match class.to_ascii_lowercase().as_str() {
        "button" => EventClass::Button,
        "motion" => EventClass::Motion,
        "doorbell" => EventClass::Doorbell,
        _ => EventClass::Any,
    }
}
