//! What comes out of TuyaLink's messages.

use super::ROWS;
use crate::engine::dialect::Dialect;
use crate::engine::kind::Kind;
use crate::wire::tests::{check, decoded, profiled, reports, source, told};
use crate::wire::{Lore, Source};

const NOON: i64 = 1_772_366_400_000;

fn cloud() -> Source {
    source(Dialect::TuyaLink, Dialect::TuyaLink.usual_topics()[0])
}

/// Reports of one data point.
#[track_caller]
fn check_points(table: &[(&str, &str, &str)]) {
    for (code, value, expected) in table {
        let payload = format!(r#"{{"msgId":"m","time":{NOON},"data":{{"{code}":{{"value":{value},"time":{NOON}}}}}}}"#);
        let expected = format!("d1:{expected}");
        check(&Lore::default(), &cloud(), &[("tylink/d1/thing/property/report", &payload, &expected)]);
    }
}

#[test]
fn data_points() {
    check_points(&[
        ("sos_state", "true", " sos=true~"),
        ("sos", r#""sos""#, " sos=true!"),
        ("master_mode", r#""sos""#, " sos=true"),
        ("master_mode", r#""arm""#, " sos=false"),
        ("drop_state", r#""drop""#, " fall=true"),
        ("drop_state", r#""normal""#, " fall=false"),
        ("smoke_sensor_status", r#""alarm""#, " smoke=true"),
        ("smoke_sensor_state", r#""1""#, " smoke=true"),
        ("smoke_sensor_state", r#""2""#, " smoke=false"),
        ("smoke_sensor_state", "1", " smoke=true"),
        ("smoke_sensor_state", "0", ""),
        ("smoke_sensor_value", "300", ""),
        ("gas_sensor_state", r#""normal""#, " gas=false"),
        ("ch4_sensor_state", r#""alarm""#, " gas=true"),
        ("co_state", r#""1""#, " co=true"),
        ("co_status", r#""alarm""#, " co=true"),
        ("co_value", "40", ""),
        ("co2_state", r#""alarm""#, ""),
        ("watersensor_state", r#""alarm""#, " water_leak=true"),
        ("doorcontact_state", "true", " contact=open"),
        ("doorcontact_state", "false", " contact=closed"),
        ("doorcontact_state_2", "true", " contact=open@2"),
        ("pir", r#""pir""#, " motion=true"),
        ("pir", r#""none""#, " motion=false"),
        ("presence_state", r#""peaceful""#, " presence=true"),
        ("presence_state", r#""unknown""#, ""),
        ("shock_state", r#""vibration""#, " vibration=true"),
        ("shock_state", r#""tilt""#, ""),
        ("temper_alarm", "true", " tamper=true"),
        ("battery_percentage", "66", " battery=66"),
        ("battery_value", "2950", ""),
        ("battery_state", r#""low""#, " battery_low=true"),
        ("battery_state", r#""middle""#, " battery_low=false"),
        ("va_temperature", "-35", " temperature=-3.5"),
        ("temp_current", "21", ""),
        ("humidity_value", "48", " humidity=48"),
        ("bright_value", "80", ""),
        ("heart_rate", "0", ""),
        ("alarm_state", r#""alarm_sound""#, ""),
        ("switch_mode1", r#""click""#, " button=click@1!"),
        ("switch_type_3", r#""double_click""#, " button=double_click@3!"),
        ("switch_1", "true", ""),
        ("color", r#""red""#, ""),
        ("pir", "null", ""),
        ("pir", "{}", ""),
    ]);
    assert!(ROWS.is_sorted_by(|a, b| a.name < b.name));
}

#[test]
fn events() {
    let event = |code: &str, params: &str| {
        let data = format!(r#"{{"eventCode":"{code}","eventTime":1772366390,"outputParams":{params}}}"#);
        format!(r#"{{"msgId":"m7","time":{NOON},"data":{data}}}"#)
    };
    let topic = "tylink/d1/thing/event/trigger";
    for (code, params, expected) in [
        ("sos", "{}", "d1: sos=true!"),
        ("detected", r#"{"presence_state":"none","age":80}"#, "d1: presence=false"),
        ("detected", "7", "d1:"),
    ] {
        check(&Lore::default(), &cloud(), &[(topic, &event(code, params), expected)]);
    }
    let call = decoded(&Lore::default(), &cloud(), topic, &event("sos", "{}"));
    let report = &reports(&call)[0];
    assert_eq!(report.device_time.map(|t| t.0), Some(NOON - 10_000), "seconds are a time too");
    assert_eq!(report.event_id.as_deref(), Some("m7@1772366390000"));
    let lore = profiled(&cloud(), "d1", &[("bedside", Some(Kind::Sos), &["true"], &[])]);
    check(&lore, &cloud(), &[(topic, &event("bedside", "{}"), "d1: sos=true!")]);
}

#[test]
fn a_property_is_as_old_as_it_says() {
    let payload = format!(
        r#"{{"time":{NOON},"data":{{"pir":{{"value":"pir","time":{}}},"x":{{"value":1,"time":{NOON}}}}}}}"#,
        NOON - 60_000
    );
    let decoded = decoded(&Lore::default(), &cloud(), "tylink/d1/thing/property/report", &payload);
    let report = &reports(&decoded)[0];
    assert_eq!(report.device_time.map(|t| t.0), Some(NOON - 60_000));
    assert_eq!(report.event_id, None, "a report is no event");
}

#[test]
fn a_repeated_call_is_told_from_a_report_with_news() {
    let rest = |data: &str| {
        let payload = format!(r#"{{"time":{NOON},"data":{data}}}"#);
        reports(&decoded(&Lore::default(), &cloud(), "tylink/d1/thing/property/report", &payload))[0].rest
    };
    assert_eq!(rest(r#"{"sos_state":{"value":true,"time":1}}"#), rest(r#"{"sos_state":{"value":true,"time":2}}"#));
    assert_ne!(
        rest(r#"{"sos_state":{"value":true}}"#),
        rest(r#"{"sos_state":{"value":true},"battery_percentage":{"value":3}}"#)
    );
}

#[test]
fn gateways_and_other_topics() {
    let batch = r#"{"msgId":"m","time":1772366400000,"data":{
        "properties":{"battery_percentage":{"value":90}},
        "subDevices":{"s1":{"properties":{"pir":{"value":"pir"}}},"s2":{"events":{"sos":{"eventTime":1772366400000}}},"s3":{}}}}"#;
    let listed = r#"{"data":{"subDevices":[{"deviceId":"s1","properties":{"pir":{"value":"none"}}},{"x":1}]}}"#;
    let many = format!(r#"{{"data":[{}"s"]}}"#, r#""s","#.repeat(300));
    let command = "ignored: a command to a device";
    let nothing = "ignored: nothing of interest";
    check(
        &Lore::default(),
        &cloud(),
        &[
            ("tylink/g/thing/data/batch_report", batch, "g: battery=90; s1: motion=true; s2: sos=true!"),
            ("tylink/g/thing/data/batch_report", listed, "s1: motion=false"),
            ("tylink/g/thing/data/batch_report", "{}", nothing),
            (
                "tylink/g/device/sub/login",
                r#"{"time":1772366400,"data":["s1","s2",3]}"#,
                "s1: online=true; s2: online=true",
            ),
            ("tylink/g/device/sub/logout", r#"{"data":["s1"]}"#, "s1: online=false"),
            ("tylink/g/device/sub/logout", "{}", nothing),
            ("tylink/g/device/sub/login", &many, "rejected: too many properties or items"),
            ("tylink/d1/thing/property/set", r#"{"data":{"sos_state":true}}"#, command),
            ("tylink/d1/thing/property/report_response", r#"{"code":0}"#, nothing),
            ("tylink/d1/ota/progress/report", "{}", nothing),
            ("tylink/d1/thing/property/report", r#"{"msgId":"m"}"#, "d1:"),
            ("tylink/d1/thing/property/report", r#"{"data":{"pir":"pir"}}"#, "d1: motion=true"),
            ("tylink/d1/thing/property/report", "{", "rejected: the JSON is broken, cut off or nested too deeply"),
            ("tylink/d1/thing/property/report", "7", "rejected: the payload is no JSON object"),
            ("tylink/d1", "{}", "rejected: the topic names no device"),
        ],
    );
    let homes = source(Dialect::TuyaLink, "tylink/{home}/{device}");
    let decoded = decoded(&Lore::default(), &homes, "tylink/h1/g/device/sub/login", r#"{"data":["s1"]}"#);
    assert_eq!(
        (told(&decoded).as_str(), reports(&decoded)[0].home_hint.as_deref()),
        ("h1/s1: online=true", Some("h1"))
    );
}
