//! What comes out of Alink's messages.

use super::ROWS;
use crate::engine::dialect::Dialect;
use crate::engine::kind::Kind;
use crate::wire::tests::{check, decoded, profiled, reports, source};
use crate::wire::{Lore, Source};

const PROPERTIES: &str = "/sys/p1/d1/thing/event/property/post";
const NOON: i64 = 1_772_366_400_000;

fn cloud() -> Source {
    source(Dialect::Alink, Dialect::Alink.usual_topics()[0])
}

fn events() -> Source {
    source(Dialect::Alink, Dialect::Alink.usual_topics()[1])
}

fn properties(params: &str) -> String {
    format!(r#"{{"id":"123","version":"1.0","params":{params},"method":"thing.event.property.post"}}"#)
}

#[test]
fn features_of_the_library() {
    for (params, expected) in [
        (r#"{"ContactState":{"value":1,"time":1772366400000}}"#, "p1/d1: contact=open"),
        (r#"{"ContactState":0,"BatteryPercentage":88.5}"#, "p1/d1: contact=closed battery=88.5"),
        (r#"{"SmokeSensorState":1,"TamperState":0}"#, "p1/d1: smoke=true tamper=false"),
        (r#"{"GasSensorState":2}"#, "p1/d1:"),
        (r#"{"WaterSensorState":1}"#, "p1/d1: water_leak=true"),
        (r#"{"MotionAlarmState":1}"#, "p1/d1: motion=true"),
        (r#"{"SOS":1}"#, "p1/d1: sos=true~"),
        (r#"{"CurrentTemperature":21.5,"temperature":3,"CurrentHumidity":40}"#, "p1/d1: temperature=21.5 humidity=40"),
        (r#"{"TargetTemperature":30,"temperatureAlarm":1,"GasConcentration":9}"#, "p1/d1:"),
        (r#"{"Power":{"value":"on","time":1524448722000},"WF":{"value":23.6}}"#, "p1/d1:"),
        ("[]", "p1/d1:"),
    ] {
        check(&Lore::default(), &cloud(), &[(PROPERTIES, &properties(params), expected)]);
    }
    assert!(ROWS.is_sorted_by(|a, b| a.name < b.name));
}

#[test]
fn the_newest_of_what_was_read_is_the_time() {
    let params = r#"{"SmokeSensorState":{"value":1,"time":1772366390000},"TamperState":{"value":0,"time":1772366380000},"x":{"value":1,"time":1772366400000}}"#;
    let decoded = decoded(&Lore::default(), &cloud(), PROPERTIES, &properties(params));
    let report = &reports(&decoded)[0];
    assert_eq!((report.device_time.map(|t| t.0), report.event_id.as_deref()), (Some(NOON - 10_000), None));
}

#[test]
fn events_by_their_identifiers() {
    let event = r#"{"id":"123","params":{"value":{"SmokeSensorState":1,"Level":3},"time":1772366400000}}"#;
    let table = [
        ("/sys/p1/d1/thing/event/SOSAlarm/post", r#"{"params":{"value":{}}}"#, "p1/d1: sos=true!"),
        ("/sys/p1/d1/thing/event/Detected/post", event, "p1/d1: smoke=true"),
        ("/sys/p1/d1/thing/event/Error/post", r#"{"params":{"value":{"ErrorCode":1}}}"#, "p1/d1:"),
        ("/sys/p1/d1/thing/event/SOSAlarm/post_reply", "{}", "ignored: no source listens on this topic"),
        ("/sys/p1/d1/thing/event/property/history/post", "{}", "ignored: no source listens on this topic"),
    ];
    check(&Lore::default(), &events(), &table);
    let decoded = decoded(&Lore::default(), &events(), "/sys/p1/d1/thing/event/Detected/post", event);
    assert_eq!(reports(&decoded)[0].event_id.as_deref(), Some("123@1772366400000"), "the id alone may never change");
    let lore = profiled(&events(), "p1/d1", &[("Bell", Some(Kind::Sos), &["true"], &[])]);
    check(&lore, &events(), &[("/sys/p1/d1/thing/event/Bell/post", "{}", "p1/d1:")]);
    check(&lore, &events(), &[("/sys/p1/d1/thing/event/Bell/post", r#"{"params":{}}"#, "p1/d1: sos=true!")]);
}

#[test]
fn homes_profiles_and_messages_that_are_none() {
    let broken = "rejected: the JSON is broken, cut off or nested too deeply";
    check(
        &Lore::default(),
        &cloud(),
        &[(PROPERTIES, "", broken), (PROPERTIES, "1", "rejected: the payload is no JSON object")],
    );
    let homes = source(Dialect::Alink, "/sys/{home}/{device}/thing/event/property/post");
    let lore = profiled(&homes, "p1/d1", &[("WF", Some(Kind::Temperature), &[], &[])]);
    let decoded = decoded(&lore, &homes, PROPERTIES, &properties(r#"{"WF":{"value":23.6}}"#));
    assert_eq!(reports(&decoded)[0].home_hint.as_deref(), Some("p1"));
    assert_eq!(crate::wire::tests::told(&decoded), "p1/d1: temperature=23.6");
}
