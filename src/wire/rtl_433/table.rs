//! The fields of rtl_433's decoders, by model where a name alone does not tell.
//!
//! **What is missing here is missing on purpose.** `alarm` is a tilt, a low tank or a setting, the hourly report of an Interlogix
//! motion sensor looks like its alarm, `Kidde-Smoke` is a heartbeat, `Nexa-Security`, `Generic-Remote` and the zones of
//! `Chuango-Security` are switches, doors and motion sensors alike, `moisture` is the soil's, and who rings a doorbell is not the
//! resident. All of that is for profiles.

use crate::engine::kind::Kind;
use crate::wire::rule::{Rule, Words};
use crate::wire::scalar::Scalar;
use crate::wire::table::{Row, event, state};

/// The rows of some models, which go before those of all.
struct Models {
    models: &'static [&'static str],
    /// Where one protocol has many sensors: of this subtype only.
    subtype: Option<&'static str>,
    rows: &'static [Row],
}

const fn models(models: &'static [&'static str], rows: &'static [Row]) -> Models {
    Models { models, subtype: None, rows }
}

const DOOR: Words = &[("open", true), ("closed", false)];
const X10_DOOR: Words = &[("DOOR/WINDOW OPEN", true), ("DOOR/WINDOW CLOSED", false)];
const X10_MOTION: Words = &[("MOTION TRIPPED", true), ("MOTION READY", false)];
const X10_PANIC: Words = &[("KR18 PANIC", true), ("KR15 PANIC", true), ("KR15 PANIC-3SECOND", true)];
const MOTION_CODES: Words = &[("800a2", true), ("800c2", true), ("800e2", true)];
const LOUDNESS: Words = &[("Normal", true), ("High", true), ("Full", true)];
/// The keys of fobs and keypads. A keypad's message with the code itself is never taken.
const KEYS: &[&str] = &[
    "KEY-FOB ARM",
    "KEY-FOB DISARM",
    "KEY-FOB LIGHTS A ON",
    "KEY-FOB LIGHTS A OFF",
    "KEY-FOB LIGHTS B ON",
    "KEY-FOB LIGHTS B OFF",
    "SH624 SEC-REMOTE DISARM",
    "Arm System - Away",
    "Arm System - Home",
    "Arm System - Canceled",
    "Arm",
    "Disarm",
    "Home Mode",
    "Button Press",
];

/// A key that somebody pressed, where the field and its text are one.
pub(super) fn key(model: &str, field: &str, value: &Scalar) -> Option<&'static Row> {
    let keys = matches!(
        (model, field),
        ("X10-Security" | "Govee-Water" | "Govee-H5059", "event")
            | ("SimpliSafe-Keypad", "extradata")
            | ("Chuango-Security", "cmd")
    );
    (keys && value.as_text().is_some_and(|text| KEYS.contains(&text))).then_some(&KEY)
}

/// The rows of a field that fit this model, the particular ones first.
pub(super) fn rows<'f>(model: &'f str, subtype: &'f str, field: &'f str) -> impl Iterator<Item = &'static Row> {
    let fits = move |m: &&Models| m.models.contains(&model) && m.subtype.is_none_or(|s| s == subtype);
    let particular = OF_MODELS.iter().filter(fits).flat_map(|m| m.rows);
    particular.chain(OF_ALL).filter(move |row| row.name == field)
}

static KEY: Row = event("", Rule::Action);

/// By model. Those of sensors that tell a beginning and never an end are events.
static OF_MODELS: &[Models] = &[
    models(&["Acurite-00275rm"], &[state("water", Rule::Flag(Kind::WaterLeak))]),
    models(&["Bresser-Leakage"], &[state("alarm", Rule::Flag(Kind::WaterLeak))]),
    models(
        &["Cavius-Security"],
        &[
            event("text", Rule::Words(Kind::Smoke, &[("Fire alarm", true)])),
            event("text", Rule::Words(Kind::WaterLeak, &[("Warning/Water detected", true)])),
        ],
    ),
    models(
        &["Chuango-Security"],
        &[
            event("cmd", Rule::Words(Kind::Tamper, &[("Tamper", true)])),
            state("cmd", Rule::Words(Kind::BatteryLow, &[("Low Battery", true)])),
            state("cmd", Rule::Words(Kind::Contact, &[("Closing", false)])),
        ],
    ),
    models(&["DSC-Security"], &[state("closed", Rule::Not(Kind::Contact))]),
    models(&["DoorContactAliExp"], &[state("state", Rule::Words(Kind::Contact, DOOR))]),
    // The other codes of its documentation are pings, arming and disarming.
    models(&["Generic-Motion"], &[event("code", Rule::Words(Kind::Motion, MOTION_CODES))]),
    models(
        &["Govee-Water", "Govee-H5059"],
        &[
            event("detect_wet", Rule::Flag(Kind::WaterLeak)),
            event("event", Rule::Words(Kind::WaterLeak, &[("Water Leak", true)])),
        ],
    ),
    models(&["Govee-Contact"], &[event("event", Rule::Words(Kind::Contact, &[("Open", true)]))]),
    Models {
        models: &["Honeywell-ActivLink"],
        subtype: Some("PIR-Motion"),
        // How loudly it asks the chime to ring: each message is a movement.
        rows: &[event("alert", Rule::Words(Kind::Motion, LOUDNESS))],
    },
    Models {
        models: &["Honeywell-ActivLink"],
        subtype: Some("Contact"),
        rows: &[state("open", Rule::Flag(Kind::Contact)), state("tampered", Rule::Flag(Kind::Tamper))],
    },
    Models {
        models: &["Interlogix-Security"],
        subtype: Some("contact"),
        rows: &[state("switch1", Rule::Words(Kind::Contact, DOOR))],
    },
    // By recordings of one detector at rest and in smoke.
    Models {
        models: &["Interlogix-Security"],
        subtype: Some("smoke"),
        rows: &[state("switch2", Rule::Words(Kind::Smoke, DOOR))],
    },
    models(&["Jasco-Security"], &[state("status", Rule::Not(Kind::Contact))]),
    models(
        &["Kerui-Security"],
        &[
            event("tamper", Rule::Flag(Kind::Tamper)),
            event("water", Rule::Flag(Kind::WaterLeak)),
            state("opened", Rule::Flag(Kind::Contact)),
        ],
    ),
    models(&["Risco-RWX95P"], &[event("tamper", Rule::Flag(Kind::Tamper))]),
    models(
        &["SimpliSafe-Sensor"],
        &[state("extradata", Rule::Words(Kind::Contact, &[("Contact Open", true), ("Contact Closed", false)]))],
    ),
    models(&["SimpliSafe-Keypad"], &[event("extradata", Rule::Words(Kind::Sos, &[("Keypad Panic Button", true)]))]),
    // Sent in an alarm and in a test; while it learns, it says so.
    models(&["Smoke-GS558"], &[event("learn", Rule::Words(Kind::Smoke, &[("0", true)]))]),
    models(&["Vivint-Security"], &[state("state", Rule::Words(Kind::Contact, DOOR)).second()]),
    models(
        &["X10-Security"],
        &[
            state("event", Rule::Words(Kind::Contact, X10_DOOR)),
            state("event", Rule::Words(Kind::Motion, X10_MOTION)),
            event("event", Rule::Words(Kind::Sos, X10_PANIC)),
            event("tamper", Rule::Flag(Kind::Tamper)),
        ],
    ),
];

/// Of every model. A motion sensor sends no end.
static OF_ALL: &[Row] = &[
    state("battery", Rule::Words(Kind::BatteryLow, &[("LOW", true), ("OK", false)])),
    state("battery_low", Rule::Flag(Kind::BatteryLow)),
    state("contact_open", Rule::Flag(Kind::Contact)),
    state("humidity", Rule::Number(Kind::Humidity)),
    state("leak_detected", Rule::Flag(Kind::WaterLeak)),
    state("light_klx", Rule::Times(Kind::Illuminance, 1000.0)).second(),
    state("light_lux", Rule::Number(Kind::Illuminance)),
    state("lux", Rule::Number(Kind::Illuminance)).second(),
    event("motion", Rule::Flag(Kind::Motion)),
    state("reed_open", Rule::Flag(Kind::Contact)),
    state("tamper", Rule::Flag(Kind::Tamper)),
    state("temperature_C", Rule::Number(Kind::Temperature)),
    state("temperature_F", Rule::Fahrenheit(Kind::Temperature)).second(),
];
