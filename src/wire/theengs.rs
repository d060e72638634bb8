//! Theengs Gateway and OpenMQTTGateway: what a Bluetooth tag advertised, decoded by Theengs' decoder (`home/GATEWAY/BTtoMQTT/MAC`).
//!
//! The address is the MAC alone, so that a tag heard by two gateways is one device. A gateway hears passers-by too: their phones
//! rotate their addresses, and an advertisement without a model is nobody's, so neither becomes a device.

use super::json::Json;
use super::report::share;
use super::rule::{Rule, Words};
use super::scalar::Scalar;
use super::table::{Gathered, Row, event, state};
use super::topic::Place;
use super::{Decoded, Heard, Ignored};
use crate::engine::id::Zone;
use crate::engine::kind::Kind;
use crate::engine::reading::{Form, Reading, Value};

const DOOR: Words = &[("open", true), ("closed", false), ("timeout not closed", true)];

/// The decoder's own names of properties. `lightlevel` and `darkness` are no lux, `moi` is the soil's, `mov` counts, `flag_fall` is the
/// tag's own, `presence` says that a key ring is near.
static ROWS: &[Row] = &[
    state("act_bpm", Rule::Number(Kind::HeartRate)).second(),
    event("action", Rule::Action),
    state("batt", Rule::Number(Kind::Battery)),
    state("batt_low", Rule::Strict(Kind::BatteryLow)),
    state("bpm", Rule::Number(Kind::HeartRate)),
    state("contact", Rule::Words(Kind::Contact, DOOR)),
    state("door", Rule::Words(Kind::Contact, DOOR)),
    state("hum", Rule::Number(Kind::Humidity)),
    state("low_batt", Rule::Strict(Kind::BatteryLow)),
    state("lowbatt", Rule::Strict(Kind::BatteryLow)),
    state("lux", Rule::Number(Kind::Illuminance)),
    state("motion", Rule::Strict(Kind::Motion)),
    state("open", Rule::Strict(Kind::Contact)),
    state("opening", Rule::Strict(Kind::Contact)),
    state("smoke", Rule::Strict(Kind::Smoke)),
    state("tamper", Rule::Strict(Kind::Tamper)),
    state("tempc", Rule::Number(Kind::Temperature)),
    state("tempf", Rule::Fahrenheit(Kind::Temperature)).second(),
    state("vibration", Rule::Strict(Kind::Vibration)),
    state("water_leak", Rule::Strict(Kind::WaterLeak)),
];

/// Bluetooth is lost at about -100 dBm, and beside the gateway it is at -50.
const WEAKEST_DBM: f64 = -100.0;
const STRONGEST_DBM: f64 = -50.0;

/// The night light that says `motion` at each movement and never that it is over.
const NEVER_AT_REST: &str = "MUE4094RT";
const MOVED: Row = event("motion", Rule::Strict(Kind::Motion));

pub(super) fn decode(heard: &Heard, place: Place) -> Decoded {
    let json = match Json::object(heard) {
        Ok(json) => json,
        Err(why) => return why.into(),
    };
    let text = |name: &str| json.get(name).and_then(Json::as_text).unwrap_or_default();
    let (model, kind) = (text("model_id"), text("type"));
    let profile = heard.lore.profile(&heard.source.name, place.address, model);
    let mut gathered = Gathered::new(profile);
    for (name, value) in json.members() {
        let value = value.scalar();
        let (row, zone) = row(name, model, kind);
        let told = profile.is_some_and(|profile| profile.of(name).is_some());
        match pressed(name, &value).filter(|_| !told) {
            Some(press) => gathered.add(press),
            None => _ = gathered.take(name, &value, row, zone),
        }
    }
    weight(&json).into_iter().for_each(|reading| gathered.add(reading));
    let mut spoken = gathered.spoken();
    spoken.signal = json.get("rssi").and_then(Json::as_number).map(|dbm| share(dbm, WEAKEST_DBM, STRONGEST_DBM));
    let nobodys = model.is_empty() || kind == "RMAC" || json.get("prmac").is_some();
    match spoken.readings.is_empty() && nobodys {
        true => Ignored::NothingOfInterest.into(),
        false => heard.spoken(&place, place.address, spoken),
    }
}

/// The row of a name and the probe that it names: `tempc2` is a second probe's. The `open` of a blind is a share and its `motion` the
/// motor's.
fn row(name: &str, model: &str, kind: &str) -> (Option<&'static Row>, Option<Zone>) {
    match name {
        "motion" | "open" if kind == "WCVR" => (None, None),
        "motion" if model == NEVER_AT_REST => (Some(&MOVED), None),
        _ => match numbered(name) {
            (base @ ("tempc" | "tempf"), probe) if !probe.is_empty() => (Row::find(ROWS, base), Zone::new(probe).ok()),
            _ => (Row::find(ROWS, name), None),
        },
    }
}

/// A name without its number, and the number.
fn numbered(name: &str) -> (&str, &str) {
    name.split_at(name.trim_end_matches(|c: char| c.is_ascii_digit()).len())
}

/// A press of a button that is given as a code; 0 is none.
fn pressed(name: &str, value: &Scalar) -> Option<Reading> {
    let ("button", number) = numbered(name) else { return None };
    let press = match value {
        Scalar::Number(code) if *code <= 0.0 => return None,
        said => said.as_word()?,
    };
    let zone = Zone::new(number).ok();
    Some(Reading { kind: Kind::Button, zone, value: Value::Text(press.as_ref().into()), form: Form::Event })
}

/// Scales tell apart whether somebody stands on them.
fn weight(json: &Json) -> Option<Reading> {
    let text = |name: &str| json.get(name).and_then(Json::as_text);
    let unit = match (text("weighing_mode")?, text("unit")?) {
        ("person", "kg") => 1.0,
        ("person", "lb") => 0.453_592_37,
        _ => return None,
    };
    state("weight", Rule::Times(Kind::Weight, unit)).reading(&json.get("weight")?.scalar(), None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::dialect::Dialect;
    use crate::wire::tests::{check, decoded, profiled, reports, source};
    use crate::wire::{Lore, Source};

    const TOPIC: &str = "home/hall/BTtoMQTT/A4C138000001";

    fn theengs() -> Source {
        source(Dialect::Theengs, Dialect::Theengs.usual_topics()[0])
    }

    #[track_caller]
    fn check_tags(table: &[(&str, &str)]) {
        for (payload, expected) in table {
            let expected = format!("A4C138000001:{expected}");
            check(&Lore::default(), &theengs(), &[(TOPIC, payload, &expected)]);
        }
    }

    #[test]
    fn sensors() {
        check_tags(&[
            (
                r#"{"id":"A4:C1:38:00:00:01","rssi":-70,"distance":3.2,"model_id":"T","type":"THB","tempc":-2.5,"tempf":27.5,"hum":40.5,"batt":55}"#,
                " temperature=-2.5 humidity=40.5 battery=55",
            ),
            (r#"{"model_id":"T","tempf":50}"#, " temperature=10"),
            (r#"{"model_id":"T","tempc":-273.15,"hum":255,"batt":127}"#, ""),
            (
                r#"{"model_id":"B","type":"BBQ","tempc1":21,"tempf1":69.8,"tempc2":90}"#,
                " temperature=21@1 temperature=90@2",
            ),
            (
                r#"{"model_id":"T","tempc":21,"tempc2_dp":4,"tempc_max":30,"moi":12,"lightlevel":3,"darkness":9}"#,
                " temperature=21",
            ),
            (r#"{"model_id":"P","type":"CTMO","lux":120.5,"motion":true}"#, " illuminance=120.5 motion=true"),
            (r#"{"model_id":"D","type":"CTMO","open":true,"volt":2.9}"#, " contact=open"),
            (r#"{"model_id":"D","type":"CTMO","contact":"closed","motion":false}"#, " contact=closed motion=false"),
            (r#"{"model_id":"D","type":"CTMO","contact":"timeout not closed"}"#, " contact=open"),
            (r#"{"model_id":"D","type":"THB","open":1,"power":0}"#, ""),
            (
                r#"{"model_id":"W","type":"WCVR","open":40,"motion":true,"moving":true,"position":3,"batt":60}"#,
                " battery=60",
            ),
            (r#"{"model_id":"W","type":"WCVR","open":true}"#, ""),
            (r#"{"model_id":"MUE4094RT","type":"CTMO","motion":true,"darkness":3}"#, " motion=true!"),
            (r#"{"model_id":"X","type":"BODY","bpm":63,"batt":97}"#, " heart_rate=63 battery=97"),
            (r#"{"model_id":"X","type":"BODY","bpm":0}"#, ""),
            (r#"{"model_id":"MB/SW","type":"BODY","steps":900,"act_bpm":110}"#, " heart_rate=110"),
            (r#"{"model_id":"I","batt":40,"lowbatt":true}"#, " battery=40 battery_low=true"),
            (r#"{"model_id":"TP","batt_low":false}"#, " battery_low=false"),
            (r#"{"model_id":"K","flag_fall":true,"flag_tilt":true,"mov":7,"device":"K Tracker"}"#, ""),
            (
                r#"{"model_id":"S","type":"SCALE","weighing_mode":"person","unit":"lb","weight":100}"#,
                " weight=45.359237",
            ),
            (r#"{"model_id":"S","type":"SCALE","weighing_mode":"object","unit":"kg","weight":3}"#, ""),
        ]);
    }

    #[test]
    fn presses() {
        check_tags(&[
            (r#"{"model_id":"SBBT-002C","type":"BTN","packet":4,"batt":100,"button":1}"#, " battery=100 button=1!"),
            (r#"{"model_id":"SBHT-003C","button":0,"hum":50}"#, " humidity=50"),
            (r#"{"model_id":"SBBT-004CEU","type":"BTN","button1":0,"button2":2,"button3":0}"#, " button=2@2!"),
            (r#"{"model_id":"S520104","type":"BTN","uid":"0a1b","action":"toggle"}"#, " button=toggle!"),
        ]);
        let told: &[(&str, _, &[&str], &[&str])] = &[("button", Some(Kind::Sos), &["1"], &[]), ("hum", None, &[], &[])];
        let lore = profiled(&theengs(), "A4C138000001", told);
        check(&lore, &theengs(), &[(TOPIC, r#"{"model_id":"B","button":1,"hum":50}"#, "A4C138000001: sos=true!")]);
        check(&lore, &theengs(), &[(TOPIC, r#"{"model_id":"B","button":2}"#, "A4C138000001:")]);
    }

    #[test]
    fn nobodys_advertisements_and_messages_that_are_none() {
        let nothing = "ignored: nothing of interest";
        check(
            &Lore::default(),
            &theengs(),
            &[
                (TOPIC, r#"{"id":"A4:C1:38:00:00:01","rssi":-60,"name":"phone"}"#, nothing),
                (TOPIC, r#"{"id":"A4:C1:38:00:00:01","presence":"absent"}"#, nothing),
                (TOPIC, r#"{"model_id":"APPLEDEVICE","type":"RMAC","device":"Apple iPhone/iPad"}"#, nothing),
                (TOPIC, r#"{"model_id":"APPLEWATCH","type":"BODY","prmac":true,"unlocked":true}"#, nothing),
                (TOPIC, "online", "rejected: the JSON is broken, cut off or nested too deeply"),
                (TOPIC, "[]", "rejected: the payload is no JSON object"),
                (TOPIC, r#"{"open":true,"open":false}"#, "rejected: a property stands twice"),
                ("home/hall/RTL_433toMQTT/K/1", "{}", "ignored: no source listens on this topic"),
            ],
        );
        let homes = source(Dialect::Theengs, "home/{home}/BTtoMQTT/{device}");
        let decoded = decoded(&Lore::default(), &homes, TOPIC, r#"{"model_id":"T","hum":40}"#);
        assert_eq!(reports(&decoded)[0].home_hint.as_deref(), Some("hall"));
    }

    #[test]
    fn the_table_is_sorted() {
        assert!(ROWS.is_sorted_by(|a, b| a.name < b.name));
    }
}
