//! What comes out of a message, as tables: `address: kind=value@zone` with `!` behind an event and `~` behind a latched state.

use super::lore::{DeviceLore, Meaning, Profiles};
use super::*;
use crate::commands::decode::decode_lines;
use crate::engine::id::ProfileId;
use crate::engine::kind::Kind;
use crate::engine::profile::{Gloss, Profile};
use crate::engine::reading::{Form, Reading, Speaker, Value};
use proptest::prelude::*;
use std::collections::HashMap;
use std::sync::Arc;

pub(super) fn source(dialect: Dialect, template: &str) -> Source {
    let topic = TopicTemplate::parse(template).unwrap();
    Source::new(SourceId::new("s").unwrap(), SiteId::new("zl").unwrap(), dialect, vec![topic])
}

fn zigbee() -> Source {
    source(Dialect::Zigbee2mqtt, "zigbee2mqtt/{home}/{device}")
}

pub(super) fn decoded(lore: &Lore, source: &Source, topic: &str, payload: &str) -> Decoded {
    decode(lore, source, &Message { topic, payload: payload.as_bytes(), retain: false })
}

pub(super) fn reports(decoded: &Decoded) -> &[Report] {
    match &decoded.outcome {
        Outcome::Readings(reports) => reports,
        other => panic!("no readings but {other:?}"),
    }
}

pub(super) fn told(decoded: &Decoded) -> String {
    match &decoded.outcome {
        Outcome::Ignored(why) => format!("ignored: {why}"),
        Outcome::Rejected(why) => format!("rejected: {why}"),
        Outcome::Readings(reports) => reports.iter().map(report).collect::<Vec<_>>().join("; "),
    }
}

fn report(report: &Report) -> String {
    let speaker = match &report.speaker {
        Speaker::Device(address) => address.to_string(),
        Speaker::Bridge(prefix) => format!("bridge of {prefix:?}"),
    };
    report.readings.iter().fold(speaker + ":", |line, r| line + " " + &reading(r))
}

fn reading(reading: &Reading) -> String {
    let value = match &reading.value {
        Value::Text(text) => text.to_string(),
        other => serde_json::to_string(other).unwrap().replace('"', ""),
    };
    let zone = reading.zone.as_ref().map_or(String::new(), |zone| format!("@{zone}"));
    let form = match reading.form {
        Form::Event => "!",
        Form::Edge => "",
        Form::Latched => "~",
    };
    format!("{}={value}{zone}{form}", reading.kind)
}

#[track_caller]
pub(super) fn check(lore: &Lore, source: &Source, table: &[(&str, &str, &str)]) {
    for (topic, payload, expected) in table {
        assert_eq!(told(&decoded(lore, source, topic, payload)), *expected, "{topic} {payload}");
    }
}

/// A property, a kind (or none), the words that mean yes and those that mean no.
type Told<'a> = (&'a str, Option<Kind>, &'a [&'a str], &'a [&'a str]);

/// Lore of what people told of one device.
pub(super) fn profiled(source: &Source, address: &str, told: &[Told<'_>]) -> Lore {
    let words = |words: &[&str]| words.iter().map(|word| (*word).into()).collect();
    let told = told.iter().map(|(property, kind, on, off)| Gloss {
        property: (*property).into(),
        kind: *kind,
        on: words(on),
        off: words(off),
        times: 1.0,
    });
    let profile = Arc::new(profile(told.collect()));
    let devices = HashMap::from([(source.name.clone(), HashMap::from([(address.into(), profile)]))]);
    let mut lore = Lore::default();
    lore.told(&Arc::new(Profiles { devices, ..Profiles::default() }));
    lore
}

/// A profile that tells this much.
pub(super) fn profile(properties: Vec<Gloss>) -> Profile {
    let (id, site) = (ProfileId::cut("p"), SiteId::cut("zl"));
    Profile { id, site, models: Vec::new(), properties }
}

/// States of one device, without lore.
#[track_caller]
fn check_states(table: &[(&str, &str)]) {
    for (payload, expected) in table {
        let told = told(&decoded(&Lore::default(), &zigbee(), "zigbee2mqtt/h1/d", payload));
        assert_eq!(told.strip_prefix("h1/d: ").unwrap_or(&told), *expected, "{payload}");
    }
}

#[test]
fn zigbee_safety_states() {
    check_states(&[
        (r#"{"sos":true}"#, "sos=true~"),
        (r#"{"sos_alarm":false,"tamper":true}"#, "sos=false~ tamper=true"),
        (r#"{"smoke":true,"test":true,"smoke_density":3}"#, "smoke=true"),
        (r#"{"smoke":false,"smoke_state":"alarm"}"#, "smoke=true"),
        (r#"{"smoke_state":"detecting"}"#, "h1/d:"),
        (r#"{"carbon_monoxide":"ON","co":412}"#, "co=true"),
        (r#"{"co_state":"alarm","gas_sensor_state":"normal","gas":7}"#, "co=true gas=false"),
        (r#"{"gas":true}"#, "gas=true"),
        (r#"{"gas":1}"#, "h1/d:"),
        (r#"{"water_leak":true,"water_leak_alarm_control":"UNMUTED"}"#, "water_leak=true"),
        (r#"{"water_leak_wire_1":false,"water_leak_wire_2":true}"#, "water_leak=false@wire_1 water_leak=true@wire_2"),
        (
            r#"{"input_3_leak_detect_9":"Leak","channel_1_leak_detect_17":"Dry"}"#,
            "water_leak=true@input_3 water_leak=false@channel_1",
        ),
        (r#"{"fall_status":"fall_alarm"}"#, "fall=true"),
        (r#"{"fall_down_status":"maybe_fall","fall_sensitivity":4}"#, "fall_warning=true"),
        (r#"{"status":"falling","breathing_rate":14}"#, "fall=true respiratory_rate=14"),
        (r#"{"status":"plugged_in"}"#, "h1/d:"),
        (r#"{"fall_status":"unknown"}"#, "h1/d:"),
    ]);
}

#[test]
fn zigbee_everyday_states() {
    check_states(&[
        (r#"{"contact":false}"#, "contact=open"),
        (r#"{"contact":true,"contact_mode":"nc"}"#, "contact=closed"),
        (r#"{"contact_alarm_1":false}"#, "contact=open@alarm_1"),
        (r#"{"door_state":"error_jammed"}"#, "h1/d:"),
        (r#"{"door_state":"closed"}"#, "contact=closed"),
        (r#"{"occupancy":true,"occupancy_timeout":60,"occupancy_sensitivity":"low"}"#, "motion=true"),
        (r#"{"occupancy_1":true,"occupancy_2":false}"#, "motion=true@1 motion=false@2"),
        (r#"{"presence":false,"presence_state":"large_movement"}"#, "presence=false"),
        (r#"{"human_motion_state":"peaceful"}"#, "presence=true"),
        (r#"{"vibration":true,"vibration_sensitivity":"low"}"#, "vibration=true"),
        (r#"{"vibration":"ON"}"#, "h1/d:"),
        (r#"{"vibration":"medium"}"#, "h1/d:"),
        (r#"{"battery":97.5,"voltage":2900}"#, "battery=97.5"),
        (r#"{"battery":255}"#, "h1/d:"),
        (r#"{"battery_low":"Low"}"#, "battery_low=true"),
        (r#"{"battery_low":false,"battery_state":"low"}"#, "battery_low=false"),
        (r#"{"battery_state":"middle"}"#, "battery_low=false"),
        (r#"{"battery_state":"charging"}"#, "h1/d:"),
        (r#"{"temperature":-12.5,"device_temperature":30,"local_temperature":21}"#, "temperature=-12.5"),
        (r#"{"temperature":327.67,"humidity":101}"#, "h1/d:"),
        (r#"{"temperature_38":20,"temperature_unit":"fahrenheit"}"#, "temperature=20@38"),
        (r#"{"temperature_f":68,"temperature":20}"#, "temperature=20"),
        (r#"{"temperature_f":50}"#, "temperature=10"),
        (r#"{"illuminance":20000,"illuminance_lux":99}"#, "illuminance=99"),
        (r#"{"ac_connected":"disconnected","mains_power_connected":false}"#, "mains=false"),
        (r#"{"power":4.5,"power_on_behavior":"off","power_outage_count":3}"#, "power=4.5"),
        (r#"{"water_consumed":3}"#, "h1/d:"),
        (r#"{"occupancy":null,"battery":null}"#, "h1/d:"),
        (r#"{"alarm":true,"tilt":true,"moving":true,"button_pushed":true}"#, "h1/d:"),
        (r#"{"history":[{"sos":true}],"device":{"smoke":true}}"#, "h1/d:"),
    ]);
}

#[test]
fn zigbee_actions() {
    check_states(&[
        (r#"{"action":"emergency"}"#, "sos=true!"),
        (r#"{"action":"sos","sos_alarm":true}"#, "sos=true! sos=true~"),
        (r#"{"action":"panic","action_code":"12"}"#, "sos=true!"),
        (r#"{"action":"single","click":"single"}"#, "button=single!"),
        (r#"{"click":"double"}"#, "button=double!"),
        (r#"{"action":"fall"}"#, "button=fall!"),
        (r#"{"action_l1":"hold"}"#, "button=hold@l1!"),
        (r#"{"action":""}"#, "h1/d:"),
        (r#"{"action":null}"#, "h1/d:"),
        (r#"{"action":"none"}"#, "h1/d:"),
        (r#"{"action":"a\u0007b"}"#, "h1/d:"),
    ]);
}

#[test]
fn zigbee_topics() {
    let table = [
        ("zigbee2mqtt/h1/客厅/窗 1", r#"{"contact":true}"#, "h1/客厅/窗 1: contact=closed"),
        ("zigbee2mqtt/hall", r#"{"contact":true}"#, "hall: contact=closed"),
        ("zigbee2mqtt/h1/a/availability", r#"{"state":"offline"}"#, "h1/a: online=false"),
        ("zigbee2mqtt/h1/a/availability", "online", "h1/a: online=true"),
        ("zigbee2mqtt/h1/a/availability", "maybe", "rejected: neither online nor offline"),
        ("zigbee2mqtt/bridge/state", "offline", "bridge of \"\": online=false"),
        ("zigbee2mqtt/h1/bridge/state", r#"{"state":"online"}"#, "bridge of \"h1/\": online=true"),
        ("zigbee2mqtt/h1/bridge/state", "[]", "rejected: neither online nor offline"),
        ("zigbee2mqtt/bridge/logging", r#"{"sos":true}"#, "ignored: the bridge speaks of itself"),
        ("zigbee2mqtt/h1/bridge/response/options", r#"{"sos":true}"#, "ignored: the bridge speaks of itself"),
        ("zigbee2mqtt/h1/bridge", r#"{"occupancy":true}"#, "h1/bridge: motion=true"),
        ("zigbee2mqtt/h1/a/set", r#"{"smoke":true}"#, "ignored: a command to a device"),
        ("zigbee2mqtt/h1/a/get/smoke", "true", "ignored: a command to a device"),
        ("zigbee2mqtt/h1/a", "", "ignored: empty: a retained state was deleted, or a value is unknown"),
        ("zigbee2mqtt/h1/a/occupancy", "true", "h1/a: motion=true"),
        ("zigbee2mqtt/h1/a/battery", "87", "h1/a: battery=87"),
        ("zigbee2mqtt/h1/a/sos", "true", "h1/a: sos=true"),
        ("zigbee2mqtt/h1/a/linkquality", "87", "ignored: an attribute of no interest"),
        ("zigbee2mqtt/h1/smoke", r#"{"smoke":true}"#, "h1/smoke: smoke=true"),
        ("zigbee2mqtt/h1/a", "<a/>", "rejected: the payload is no JSON object"),
        (
            "zigbee2mqtt//a",
            r#"{"smoke":true}"#,
            "rejected: the topic has an empty level, a wildcard or a control character",
        ),
        (
            "zigbee2mqtt/+/a",
            r#"{"smoke":true}"#,
            "rejected: the topic has an empty level, a wildcard or a control character",
        ),
        ("$SYS/broker/uptime", "12", "ignored: no source listens on this topic"),
        ("hearthwatch/zl/h1/a", r#"{"kind":"sos","value":true}"#, "ignored: no source listens on this topic"),
    ];
    check(&Lore::default(), &zigbee(), &table);
    let long = format!("zigbee2mqtt/h1/{}", "x".repeat(300));
    let sos = r#"{"sos":true}"#;
    check(&Lore::default(), &zigbee(), &[(&long, sos, "rejected: the device's address has more than 256 bytes")]);
}

#[test]
fn one_bridge_without_homes_in_the_template() {
    let source = source(Dialect::Zigbee2mqtt, "zigbee2mqtt/{device}");
    check(&Lore::default(), &source, &[("zigbee2mqtt/h1/bridge/state", "online", "bridge of \"h1/\": online=true")]);
    let decoded = decoded(&Lore::default(), &source, "zigbee2mqtt/h1/a", "{}");
    assert_eq!(reports(&decoded)[0].home_hint, None);
}

#[test]
fn homes_are_hinted() {
    for (topic, home) in
        [("zigbee2mqtt/h1/a", Some("h1")), ("zigbee2mqtt/a", None), ("zigbee2mqtt/h1/bridge/state", Some("h1"))]
    {
        let payload = r#"{"state":"online"}"#;
        let decoded = decoded(&Lore::default(), &zigbee(), topic, payload);
        assert_eq!(reports(&decoded)[0].home_hint.as_deref(), home, "{topic}");
    }
}

#[test]
fn a_list_of_devices_refines_their_states() {
    let list = r#"[
        {"type":"Coordinator","friendly_name":"Coordinator"},
        {"type":"EndDevice","friendly_name":"radar","definition":{"model":"R1","description":"mmWave radar","exposes":[
            {"type":"binary","property":"occupancy","access":1,"value_on":true,"value_off":false}]}},
        {"type":"EndDevice","friendly_name":"odd","definition":{"model":"O1","description":"Odd","exposes":[
            {"type":"numeric","property":"temperature","access":1,"unit":"°F"},
            {"type":"numeric","property":"water_consumed","access":1,"unit":"m³"},
            {"type":"numeric","property":"illuminance","access":1},
            {"type":"binary","property":"tamper","access":1,"value_on":"OPENED","value_off":"SHUT"},
            {"type":"enum","property":"smoke","access":3},
            {"type":"numeric","property":"gas","access":1,"unit":"m³"},
            {"type":"binary","property":"vibration","access":3,"value_on":true,"value_off":false},
            {"type":"light","features":[{"type":"binary","property":"state"}]}]}},
        {"type":"Router","friendly_name":"unsupported","definition":null}]"#;
    let mut lore = Lore::default();
    let lessons = decoded(&lore, &zigbee(), "zigbee2mqtt/h1/bridge/devices", list).lessons;
    assert_eq!(lessons.len(), 1);
    assert!(lessons.into_iter().all(|lesson| lore.learn(lesson)));
    let source = zigbee();
    let odd = lore.device(&source.name, "h1/odd").unwrap();
    assert_eq!((&*odd.model, odd.bridge.as_deref()), ("O1", Some("h1/")));
    assert_eq!(odd.meaning("temperature"), Some(&Meaning::Fahrenheit));
    assert!(lore.device(&source.name, "h1/unsupported").is_some());
    assert!(lore.device(&source.name, "h1/Coordinator").is_none());
    let state = r#"{"temperature":50,"water_consumed":0.5,"illuminance":3,"tamper":"OPENED","vibration":true,"gas":true,"smoke":true}"#;
    check(
        &lore,
        &source,
        &[
            ("zigbee2mqtt/h1/radar", r#"{"occupancy":true}"#, "h1/radar: presence=true"),
            ("zigbee2mqtt/h1/odd", state, "h1/odd: temperature=10 water_volume=500 tamper=true smoke=true"),
            ("zigbee2mqtt/h1/odd", "lost", "rejected: the payload is no JSON object"),
            ("zigbee2mqtt/h1/bridge/devices", "[1]", "rejected: the payload is no JSON object"),
            ("zigbee2mqtt/h1/bridge/devices", "[{", "rejected: the JSON is broken, cut off or nested too deeply"),
        ],
    );
}

#[test]
fn the_action_beside_the_json_is_an_echo() {
    let (mut lore, source) = (Lore::default(), zigbee());
    let action = |lore: &Lore| reports(&decoded(lore, &source, "zigbee2mqtt/h1/a/action", "emergency"))[0].echo;
    assert!(!action(&lore), "nothing else has told of this press");
    let json = decoded(&lore, &source, "zigbee2mqtt/h1/a", r#"{"action":"emergency"}"#);
    assert!(!reports(&json)[0].echo);
    json.lessons.into_iter().for_each(|lesson| assert!(lore.learn(lesson)));
    assert!(action(&lore));
    assert!(decoded(&lore, &source, "zigbee2mqtt/h1/a", "{}").lessons.is_empty(), "learnt once");
}

#[test]
fn the_fingerprint_tells_a_bare_repeat_from_a_report() {
    let rest = |payload: &str| reports(&decoded(&Lore::default(), &zigbee(), "zigbee2mqtt/h1/a", payload))[0].rest;
    let first = rest(r#"{"sos":true,"battery":90,"linkquality":80,"last_seen":1772366400000,"x":{"y":[1,null]}}"#);
    for same in [
        r#"{"sos":true,"battery":90,"linkquality":81,"last_seen":1772366409999,"x":{"y":[1,null]}}"#,
        r#"{"battery":90,"sos":false,"x":{"y":[1,null]}}"#,
        r#"{"action":"sos","action_code":1,"battery":90,"update":{"state":"idle"},"x":{"y":[1,null]}}"#,
    ] {
        assert_eq!(rest(same), first, "{same}");
    }
    for other in [
        r#"{"sos":true,"battery":89,"x":{"y":[1,null]}}"#,
        r#"{"sos":true,"x":{"y":[1,null]}}"#,
        r#"{"sos":true,"battery":90,"x":{"y":[1,0]}}"#,
        r#"{"sos":true,"battery":90,"x":{"y":[1],"z":null}}"#,
    ] {
        assert_ne!(rest(other), first, "{other}");
    }
}

#[test]
fn states_that_are_none() {
    let nested = format!("{{\"a\":{}", "[".repeat(100_000));
    let many = (0..100).map(|i| format!("\"battery_{i}\":1")).collect::<Vec<_>>().join(",");
    let large = format!("{{\"a\":\"{}\"}}", "x".repeat(MAX_PAYLOAD_BYTES));
    let broken = "rejected: the JSON is broken, cut off or nested too deeply";
    check_states(&[
        (r#"{"battery":100,"occupancy":tr"#, broken),
        (r#"{"battery":100} xyz"#, broken),
        (r#"{"temperature":NaN}"#, broken),
        (r#"{"temperature":1e400}"#, broken),
        (&nested, broken),
        (r#"{"sos":true,"sos":false}"#, "rejected: a property stands twice"),
        (&format!("{{{many}}}"), "rejected: too many properties or items"),
        (&large, "rejected: the payload is too large"),
        ("\"sos\"", "rejected: the payload is no JSON object"),
        ("[{\"sos\":true}]", "rejected: the payload is no JSON object"),
    ]);
    let not_text = Message { topic: "zigbee2mqtt/h1/d", payload: b"{\"sos\":true,\"a\":\"\xff\"}", retain: false };
    assert_eq!(told(&decode(&Lore::default(), &zigbee(), &not_text)), "rejected: the payload is not UTF-8");
    let huge = vec![b'['; MAX_DEVICE_LIST_BYTES + 1];
    let huge = Message { topic: "zigbee2mqtt/bridge/devices", payload: &huge, retain: true };
    assert_eq!(told(&decode(&Lore::default(), &zigbee(), &huge)), "rejected: the payload is too large");
}

#[test]
fn own_dialect() {
    let source = source(Dialect::Own, "hearthwatch/{site}/{home}/{device}");
    let topic = "hearthwatch/zl/h1/d";
    let table = [
        (topic, r#"{"kind":"sos","value":true}"#, "h1/d: sos=true!"),
        (topic, r#"{"kind":"sos","value":false}"#, "h1/d: sos=false"),
        (topic, r#"{"kind":"smoke","value":true,"channel":"kitchen"}"#, "h1/d: smoke=true@kitchen"),
        (topic, r#"{"kind":"contact","value":"open"}"#, "h1/d: contact=open"),
        (topic, r#"{"kind":"contact","value":true}"#, "rejected: no value that this kind of reading can have"),
        (topic, r#"{"kind":"battery","value":300}"#, "rejected: no value that this kind of reading can have"),
        (topic, r#"{"kind":"button","value":"single"}"#, "h1/d: button=single!"),
        (topic, r#"{"kind":"fall","value":true,"more":[1]}"#, "h1/d: fall=true!"),
        (topic, r#"{"kind":"thirst","value":true}"#, "rejected: no such kind of reading"),
        (topic, r#"[{"kind":"co","value":true},{"kind":"motion","value":false}]"#, "h1/d: co=true; h1/d: motion=false"),
        (topic, "[]", ""),
        (topic, "sos", "rejected: the JSON is broken, cut off or nested too deeply"),
        (topic, "7", "rejected: the payload is no JSON object"),
        ("hearthwatch/zl/h1", r#"{"kind":"sos","value":true}"#, "rejected: the topic names no device"),
        ("hearthwatch/tn/h1/d", r#"{"kind":"sos","value":true}"#, "ignored: no source listens on this topic"),
    ];
    check(&Lore::default(), &source, &table);
    let mixed = decoded(&Lore::default(), &source, topic, r#"[{"kind":"x"},{"kind":"sos","value":true,"channel":""}]"#);
    assert_eq!((told(&mixed).as_str(), mixed.unread), ("h1/d: sos=true!", 1), "one bad item spoils only itself");
    let said = r#"{"kind":"sos","value":true,"at":"2026-03-01T12:00:00Z","id":"e7"}"#;
    let decoded = decoded(&Lore::default(), &source, topic, said);
    let report = &reports(&decoded)[0];
    assert_eq!(report.device_time.map(|t| t.0), Some(1_772_366_400_000));
    assert_eq!((report.event_id.as_deref(), report.home_hint.as_deref()), (Some("e7"), Some("h1")));
}

fn answers(input: &[u8]) -> Vec<serde_json::Value> {
    let mut output = Vec::new();
    decode_lines(&default_sources(), Lore::default(), input, &mut output).unwrap();
    output.split(|b| *b == b'\n').filter(|l| !l.is_empty()).map(|l| serde_json::from_slice(l).unwrap()).collect()
}

#[test]
fn the_command_answers_every_line() {
    let lines = concat!(
        r#"{"topic":"zigbee2mqtt/h0012/hall_motion","payload":{"occupancy":true,"battery":87},"retain":false}"#,
        "\n\nrubbish\n",
        r#"{"topic":"zigbee2mqtt/h1/a","payload":{"base64":"eyJzb3MiOnRydWV9"},"encoding":"base64"}"#,
        "\n",
        r#"{"topic":"zigbee2mqtt/h1/a","payload":{"base64":"!"},"encoding":"base64"}"#,
        "\n",
        r#"{"topic":"zigbee2mqtt/h1/a/availability","payload":"online"}"#,
        "\n",
        r#"{"topic":"hearthwatch/zl/h1/a","payload":{"kind":"temperature","value":21.5}}"#,
        "\n",
        r#"{"topic":"elsewhere","payload":1}"#,
    );
    let answers = answers(lines.as_bytes());
    assert!(answers.iter().enumerate().all(|(i, a)| a["line"] == i + 1));
    let outcomes: Vec<_> = answers.iter().map(|a| a["outcome"].as_str().unwrap()).collect();
    assert_eq!(
        outcomes,
        ["readings", "rejected", "rejected", "readings", "rejected", "readings", "readings", "ignored"]
    );
    assert_eq!(answers[0]["address"], "h0012/hall_motion");
    assert_eq!(answers[0]["readings"].to_string(), r#"[{"kind":"motion","value":true},{"kind":"battery","value":87}]"#);
    assert_eq!(answers[6]["source"], "hearthwatch");
}

/// Bytes that look like a state often enough to reach the depths.
fn payloads() -> impl Strategy<Value = Vec<u8>> {
    let name = prop_oneof![
        Just("sos"),
        Just("action"),
        Just("contact"),
        Just("battery"),
        Just("temperature_38"),
        Just("status"),
        Just("smoke_state"),
        Just("kind"),
        Just("value"),
        Just("last_seen"),
        Just("friendly_name"),
        Just("definition"),
        Just("exposes"),
        Just("x"),
    ];
    let leaf = prop_oneof![
        Just("true".to_owned()),
        Just("null".to_owned()),
        Just("\"alarm\"".to_owned()),
        Just("\"sos\"".to_owned()),
        any::<f64>().prop_map(|x| x.to_string()),
        any::<String>().prop_map(|t| serde_json::to_string(&t).unwrap()),
    ];
    let value = leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|v| format!("[{}]", v.join(","))),
            inner.prop_map(|v| format!("{{\"a\":{v}}}")),
        ]
    });
    let object = prop::collection::vec((name, value), 0..8).prop_map(|fields| {
        format!("{{{}}}", fields.iter().map(|(n, v)| format!("\"{n}\":{v}")).collect::<Vec<_>>().join(","))
    });
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..64),
        object.clone().prop_map(String::into_bytes),
        object.clone().prop_map(|o| format!("[{o}]").into_bytes()),
        (object, any::<prop::sample::Index>()).prop_map(|(o, cut)| o.as_bytes()[..cut.index(o.len())].to_vec()),
    ]
}

fn topics() -> impl Strategy<Value = String> {
    let level = prop_oneof![
        Just("zigbee2mqtt".to_owned()),
        Just("hearthwatch".to_owned()),
        Just("bridge".to_owned()),
        Just("state".to_owned()),
        Just("devices".to_owned()),
        Just("action".to_owned()),
        Just("availability".to_owned()),
        Just("set".to_owned()),
        Just(String::new()),
        "\\PC{0,6}",
    ];
    (prop_oneof![Just("zigbee2mqtt/"), Just("hearthwatch/zl/"), Just("")], prop::collection::vec(level, 1..6))
        .prop_map(|(base, levels)| format!("{base}{}", levels.join("/")))
}

proptest! {
    /// Whatever comes: no panic, and what comes out can be shown and stored.
    #[test]
    fn nothing_panics(messages in prop::collection::vec((topics(), payloads(), any::<bool>()), 1..6)) {
        let mut lore = Lore::default();
        let sources = [zigbee(), source(Dialect::Zigbee2mqtt, "zigbee2mqtt/{device}"), source(Dialect::Own, "hearthwatch/{site}/{home}/{device}")];
        for (topic, payload, retain) in &messages {
            for source in &sources {
                let decoded = decode(&lore, source, &Message { topic, payload, retain: *retain });
                if let Outcome::Readings(reports) = &decoded.outcome {
                    for report in reports {
                        prop_assert_eq!(report.retained, *retain);
                        for reading in &report.readings {
                            match &reading.value {
                                Value::Number(number) => prop_assert!(number.is_finite()),
                                Value::Text(text) => prop_assert!(!text.is_empty() && text.len() <= MAX_TEXT_BYTES),
                                _ => {}
                            }
                        }
                    }
                }
                for lesson in decoded.lessons {
                    lore.learn(lesson);
                }
            }
        }
    }

    /// One answer per line, whatever stands in it.
    #[test]
    fn no_line_is_missing(lines in prop::collection::vec("[^\n]{0,40}", 0..8)) {
        let input: String = lines.iter().map(|line| format!("{line}\n")).collect();
        prop_assert_eq!(answers(input.as_bytes()).len(), lines.len());
    }

    /// The order in which a state's properties stand changes neither readings nor fingerprint.
    #[test]
    fn order_does_not_matter(fields in Just(vec![r#""sos":true"#, r#""battery":55"#, r#""contact":false"#, r#""x":[1,{}]"#, r#""linkquality":3"#]).prop_shuffle()) {
        let payload = format!("{{{}}}", fields.join(","));
        let decoded = decoded(&Lore::default(), &zigbee(), "zigbee2mqtt/h1/a", &payload);
        let one = r#"{"sos":true,"battery":55,"contact":false,"x":[1,{}],"linkquality":4}"#;
        let other = self::decoded(&Lore::default(), &zigbee(), "zigbee2mqtt/h1/a", one);
        prop_assert_eq!(reports(&decoded)[0].rest, reports(&other)[0].rest);
        prop_assert_eq!(reports(&decoded)[0].readings.len(), 3);
    }
}

#[test]
fn sources_say_what_to_subscribe_to() {
    assert_eq!(zigbee().filters(), ["zigbee2mqtt/+/#"]);
    let address = Address::new("h1/a").unwrap();
    assert_eq!(zigbee().device_filters(&address), ["zigbee2mqtt/h1/a/#"]);
    let own = source(Dialect::Own, Dialect::Own.usual_topics()[0]);
    let both = [own.clone(), zigbee()];
    let of = |topic| find_source(&both, &Lore::default(), topic).map(|s| s.dialect);
    assert_eq!(of("zigbee2mqtt/h1/a"), Some(Dialect::Zigbee2mqtt));
    assert_eq!(of("hearthwatch/zl/h1/a"), Some(Dialect::Own));
    assert_eq!(of("hearthwatch/other/h1/a"), None);
    assert_eq!(own.filters(), ["hearthwatch/zl/+/#"]);
    assert!(Dialect::ALL.iter().all(|d| Dialect::parse(d.name()) == Some(*d)));
    assert_eq!(default_sources().len(), Dialect::ALL.len());
}

#[test]
fn lore_of_a_device_is_found_by_property() {
    let device = DeviceLore { meanings: vec![("gas".into(), Meaning::NoReading)], ..DeviceLore::default() };
    assert_eq!(device.meaning("gas"), Some(&Meaning::NoReading));
    assert_eq!(device.meaning("smoke"), None);
}

/// Found by the fuzz targets.
#[test]
fn numbers_of_three_hundred_digits_are_no_words() {
    let own = source(Dialect::Own, "hearthwatch/{site}/{home}/{device}");
    for id in ["-1e299", "5e-324"] {
        let payload = format!(r#"{{"kind":"sos","value":true,"id":{id}}}"#);
        let decoded = decoded(&Lore::default(), &own, "hearthwatch/zl/h1/sos", &payload);
        assert_eq!(reports(&decoded)[0].event_id, None, "{id}");
    }
    let theengs = source(Dialect::Theengs, "home/{gateway}/BTtoMQTT/{device}");
    let alink = source(Dialect::Alink, "/sys/{product}/{device}/thing/event/{event}/post");
    let long = "x".repeat(200);
    let call = format!(r#"{{"id":"{long}","params":{{"value":{{}},"time":1772354651118}}}}"#);
    let rows = [
        (&theengs, "home/g/BTtoMQTT/A1", r#"{"model_id":"B","type":"BTN","button":5e-324}"#, "A1:"),
        (&theengs, "home/g/BTtoMQTT/A1", r#"{"model_id":"B","type":"BTN","button":2}"#, "A1: button=2!"),
        (&alink, "/sys/p/d/thing/event/SOS/post", &call, "p/d: sos=true!"),
    ];
    for (source, topic, payload, expected) in rows {
        let decoded = decoded(&Lore::default(), source, topic, payload);
        assert_eq!(told(&decoded), expected, "{payload}");
        assert_eq!(reports(&decoded)[0].event_id, None, "{payload}");
    }
}
