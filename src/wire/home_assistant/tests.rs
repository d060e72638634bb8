//! What is told after a discovery, as tables in the notation of the wire's tests.

use super::class;
use crate::engine::dialect::Dialect;
use crate::engine::id::{SiteId, SourceId};
use crate::engine::kind::Kind;
use crate::engine::profile::Gloss;
use crate::engine::reading::Report;
use crate::wire::lore::Profiles;
use crate::wire::tests::{decoded, profile, reports, source, told};
use crate::wire::{Lore, Message, Source, TopicTemplate, decode, find_source};
use proptest::prelude::*;
use std::sync::Arc;

fn assistant() -> Source {
    source(Dialect::HomeAssistant, "homeassistant/{device}")
}

/// Takes a message in and learns from it; says what it told.
fn hear(lore: &mut Lore, source: &Source, topic: &str, payload: &str) -> String {
    let decoded = decoded(lore, source, topic, payload);
    let said = told(&decoded);
    decoded.lessons.into_iter().for_each(|lesson| assert!(lore.learn(lesson)));
    said
}

const LEARNT: &str = "ignored: a device tells of its entities: learnt";

fn discover(lore: &mut Lore, topic: &str, config: &str) {
    assert_eq!(hear(lore, &assistant(), &format!("homeassistant/{topic}/config"), config), LEARNT, "{config}");
}

fn after(configs: &[(&str, &str)]) -> Lore {
    let mut lore = Lore::default();
    configs.iter().for_each(|(topic, config)| discover(&mut lore, topic, config));
    lore
}

#[track_caller]
fn check(lore: &Lore, table: &[(&str, &str, &str)]) {
    for (topic, payload, expected) in table {
        assert_eq!(told(&decoded(lore, &assistant(), topic, payload)), *expected, "{topic} {payload}");
    }
}

/// One entity `x` of the device `d` with these options, speaking on `t`; what its payloads tell.
#[track_caller]
fn check_entity(component: &str, options: &str, table: &[(&str, &str)]) {
    let config =
        format!(r#"{{"stat_t":"t","dev":{{"ids":"d"}}{}{options}}}"#, if options.is_empty() { "" } else { "," });
    let lore = after(&[(&format!("{component}/x"), &config)]);
    for (payload, expected) in table {
        let said = told(&decoded(&lore, &assistant(), "t", payload));
        assert_eq!(said.strip_prefix("d: ").unwrap_or(&said), *expected, "{component} {options}: {payload}");
    }
}

#[test]
fn classes_of_two_words() {
    for (class, on, off) in [
        ("motion", "motion=true", "motion=false"),
        ("occupancy", "presence=true", "presence=false"),
        ("presence", "presence=true", "presence=false"),
        ("door", "contact=open", "contact=closed"),
        ("window", "contact=open", "contact=closed"),
        ("opening", "contact=open", "contact=closed"),
        ("garage_door", "contact=open", "contact=closed"),
        ("Door", "contact=open", "contact=closed"),
        ("smoke", "smoke=true", "smoke=false"),
        ("gas", "gas=true", "gas=false"),
        ("carbon_monoxide", "co=true", "co=false"),
        ("moisture", "water_leak=true", "water_leak=false"),
        ("vibration", "vibration=true", "vibration=false"),
        ("tamper", "tamper=true", "tamper=false"),
        ("battery", "battery_low=true", "battery_low=false"),
        ("connectivity", "online=true", "online=false"),
        ("safety", "d:", "d:"),
        ("problem", "d:", "d:"),
        ("moving", "d:", "d:"),
        ("sound", "d:", "d:"),
        ("power", "d:", "d:"),
        ("plug", "d:", "d:"),
        ("lock", "d:", "d:"),
        ("heat", "d:", "d:"),
        ("battery_charging", "d:", "d:"),
        ("", "d:", "d:"),
    ] {
        check_entity("binary_sensor", &format!(r#""dev_cla":"{class}""#), &[("ON", on), ("OFF", off)]);
    }
}

#[test]
fn words_are_compared_letter_by_letter() {
    let empty = "ignored: empty: a retained state was deleted, or a value is unknown";
    check_entity(
        "binary_sensor",
        r#""device_class":"smoke""#,
        &[("on", "d:"), ("ON ", "d:"), ("True", "d:"), ("1", "d:"), ("None", "d:"), ("unavailable", "d:"), ("", empty)],
    );
    check_entity(
        "binary_sensor",
        r#""device_class":"smoke","payload_on":"0001","payload_off":"0000""#,
        &[("0001", "smoke=true"), ("0000", "smoke=false"), ("1", "d:"), ("ON", "d:")],
    );
    check_entity(
        "binary_sensor",
        r#""device_class":"smoke","payload_on":true,"payload_off":false"#,
        &[("True", "smoke=true"), ("false", "d:")],
    );
    check_entity(
        "binary_sensor",
        r#""device_class":"smoke","pl_on":1,"pl_off":0,"val_tpl":"{{ value_json.s }}""#,
        &[
            (r#"{"s":1}"#, "smoke=true"),
            (r#"{"s":0.0}"#, "smoke=false"),
            (r#"{"s":"1"}"#, "smoke=true"),
            (r#"{"s":true}"#, "d:"),
            (r#"{"s":null}"#, "d:"),
            (r#"{"s":"none"}"#, "d:"),
            (r#"{"t":1}"#, "d:"),
            ("1", "d:"),
            (r#"{"s":1"#, "rejected: the JSON is broken, cut off or nested too deeply"),
            (r#"{"s":1,"s":0}"#, "rejected: a property stands twice"),
        ],
    );
    check_entity(
        "binary_sensor",
        r#""device_class":"smoke","payload_on":true,"payload_off":false,"value_template":"{{ value_json['s'] }}""#,
        &[(r#"{"s":true}"#, "smoke=true"), (r#"{"s":false}"#, "smoke=false"), (r#"{"s":"true"}"#, "d:")],
    );
}

#[test]
fn what_ends_untold_is_an_event() {
    check_entity(
        "binary_sensor",
        r#""dev_cla":"motion","off_dly":30"#,
        &[("ON", "motion=true!"), ("OFF", "motion=false")],
    );
    check_entity(
        "binary_sensor",
        r#""dev_cla":"presence","off_dly":30"#,
        &[("ON", "presence=true!"), ("OFF", "presence=false")],
    );
    check_entity("binary_sensor", r#""dev_cla":"door","off_delay":5"#, &[("ON", "contact=open!")]);
    check_entity(
        "binary_sensor",
        r#""dev_cla":"smoke","off_delay":5"#,
        &[("ON", "smoke=true!"), ("OFF", "smoke=false!")],
    );
    check_entity("binary_sensor", r#""dev_cla":"motion","off_delay":null,"exp_aft":60"#, &[("ON", "motion=true")]);
}

#[test]
fn numbers_come_in_our_units() {
    for (class, unit, payload, expected) in [
        ("temperature", "°C", "21.5", "temperature=21.5"),
        ("temperature", "°F", "50", "temperature=10"),
        ("temperature", "K", "294.15", "temperature=21"),
        ("temperature", "", "21.5", "d:"),
        ("temperature", "°C", "nan", "d:"),
        ("temperature", "°C", "inf", "d:"),
        ("temperature", "°C", "-127", "d:"),
        ("temperature", "°C", "unknown", "d:"),
        ("temperature", "°C", "None", "d:"),
        ("temperature", "°C", "True", "d:"),
        ("temperature", "°C", "21.5 °C", "d:"),
        ("humidity", "%", "47.0", "humidity=47"),
        ("humidity", "", "47", "humidity=47"),
        ("humidity", "g/m³", "47", "d:"),
        ("moisture", "%", "47", "d:"),
        ("battery", "%", "63", "battery=63"),
        ("battery", "", "100", "battery=100"),
        ("battery", "V", "3", "d:"),
        ("battery", "%", "255", "d:"),
        ("illuminance", "lx", "143.2", "illuminance=143.2"),
        ("illuminance", "W/m²", "143.2", "d:"),
        ("power", "kW", "1.5", "power=1500"),
        ("water", "m³", "0.25", "water_volume=250"),
        ("water", "gal", "2", "water_volume=7.570823568"),
        ("gas", "m³", "2", "d:"),
        ("carbon_monoxide", "ppm", "40", "d:"),
        ("weight", "g", "72500", "weight=72.5"),
        ("voltage", "V", "3", "d:"),
        ("", "%", "63", "d:"),
    ] {
        check_entity("sensor", &format!(r#""dev_cla":"{class}","unit_of_meas":"{unit}""#), &[(payload, expected)]);
    }
    let scaled = r#""dev_cla":"battery","unit_of_meas":"%","val_tpl":"{{ float(value) * 99 + 1 }}""#;
    check_entity("sensor", scaled, &[("1", "battery=100"), ("0", "battery=1")]);
}

#[test]
fn some_numbers_only_look_alike() {
    let sense = |class, unit, category, object, name| {
        class::sensor(&class::Described { class, unit, category, names: [object, name] })
    };
    let is = |sense| matches!(sense, super::entity::Sense::Number(..));
    for (class, unit, category, object, name, expected) in [
        ("temperature", "°C", "", "x", "Bedroom temperature", true),
        ("temperature", "°C", "diagnostic", "x", "", false),
        ("temperature", "°C", "", "cpu_temperature", "", false),
        ("temperature", "°C", "", "x", "Device Temperature", false),
        ("temperature", "°C", "", "device_2_temperature", "", true),
        ("temperature", "°C", "", "dew_point", "", false),
        ("temperature", "°C", "", "target_temperature", "", false),
        ("temperature", "°C", "config", "x", "", false),
        ("humidity", "%", "", "humidity_calibration", "", false),
        ("battery", "%", "diagnostic", "x", "Smoke alarm limit battery", true),
        ("", "bpm", "", "real_time_heart_rate", "", true),
        ("", "bpm", "", "x", "Respiratory Rate", true),
        ("", "bpm", "", "average_heart_rate", "", false),
        ("", "", "", "heart_rate", "", false),
        ("", "bpm", "", "tempo", "", false),
        ("enum", "bpm", "", "heart_rate", "", false),
    ] {
        assert_eq!(is(sense(class, unit, category, object, name)), expected, "{class} {unit} {object} {name}");
    }
    check_entity("sensor", r#""unit_of_meas":"bpm","name":"Bed heart rate""#, &[("72", "heart_rate=72"), ("0", "d:")]);
}

#[test]
fn a_discovery_may_be_short() {
    let long = r#"{"name":null,"device_class":"door","state_topic":"a/b/c","payload_on":"open","payload_off":"shut",
        "value_template":"{{ value_json.s }}","unique_id":"u","device":{"identifiers":["d"],"model":"M"},
        "availability":[{"topic":"a/b/there","payload_available":"yes","payload_not_available":"no"}]}"#;
    let short = r#"{"~":"a/b","name":null,"dev_cla":"door","stat_t":"~/c","pl_on":"open","pl_off":"shut","val_tpl":"{{ value_json.s }}",
        "uniq_id":"u","dev":{"ids":["d"],"mdl":"M"},"avty":[{"t":"~/there","pl_avail":"yes","pl_not_avail":"no"}]}"#;
    let single = r#"{"~":"there","dev_cla":"door","stat_t":"a/b/c","pl_on":"open","pl_off":"shut","val_tpl":"{{ value_json.s }}",
        "dev":{"ids":"d"},"avty_t":"a/b/~","pl_avail":"yes","pl_not_avail":"no"}"#;
    for config in [long, short, single] {
        check(
            &after(&[("binary_sensor/n/o", config)]),
            &[
                ("a/b/c", r#"{"s":"open"}"#, "d: contact=open"),
                ("a/b/c", r#"{"s":"shut"}"#, "d: contact=closed"),
                ("a/b/there", "yes", "d: online=true"),
                ("a/b/there", "no", "d: online=false"),
                ("a/b/there", "online", "ignored: nothing of interest"),
                ("a/b", "open", "ignored: no source listens on this topic"),
            ],
        );
    }
}

#[test]
fn a_whole_device_in_one_message() {
    let mut lore = after(&[(
        "device/n",
        r#"{"dev":{"ids":"d"},"o":{"name":"x"},"stat_t":"d/state","avty_t":"d/there","cmps":{
            "t":{"p":"sensor","dev_cla":"temperature","unit_of_meas":"°C","val_tpl":"{{ value_json.t }}"},
            "h":{"platform":"sensor","dev_cla":"humidity","val_tpl":"{{ value_json.h }}"},
            "leak":{"p":"binary_sensor","dev_cla":"moisture","stat_t":"~/leak","~":"d"},
            "sos":{"p":"device_automation","atype":"trigger","t":"d/button","type":"button_short_press","stype":"sos"},
            "old":{"p":"sensor"},"odd":7}}"#,
    )]);
    check(
        &lore,
        &[
            ("d/state", r#"{"t":22.1,"h":39.5}"#, "d: temperature=22.1 humidity=39.5"),
            ("d/leak", "ON", "d: water_leak=true"),
            ("d/button", "x", "d: sos=true!"),
            ("d/there", "offline", "d: online=false"),
        ],
    );
    discover(
        &mut lore,
        "device/n",
        r#"{"dev":{"ids":"d"},"cmps":{"leak":{"p":"binary_sensor","dev_cla":"moisture","stat_t":"d/l2"}}}"#,
    );
    check(
        &lore,
        &[
            ("d/l2", "ON", "d: water_leak=true"),
            ("d/leak", "ON", "ignored: no source listens on this topic"),
            ("d/state", r#"{"t":22.1}"#, "ignored: no source listens on this topic"),
        ],
    );
}

#[test]
fn a_component_without_anything_but_its_platform_is_gone() {
    let lore = after(&[("device/n", r#"{"dev":{"ids":"d"},"stat_t":"d/state","cmps":{"old":{"p":"sensor"}}}"#)]);
    check(&lore, &[("d/state", "1", "ignored: no source listens on this topic")]);
}

#[test]
fn an_entity_lasts_as_long_as_its_config() {
    let config = |class: &str, topic: &str| format!(r#"{{"dev_cla":"{class}","stat_t":"{topic}","uniq_id":"u"}}"#);
    let mut lore = after(&[("binary_sensor/o", &config("motion", "t"))]);
    discover(&mut lore, "binary_sensor/o", &config("smoke", "t"));
    check(&lore, &[("t", "ON", "u: smoke=true")]);
    for broken in ["{", "[1]", r#"{"stat_t":"t","stat_t":"u"}"#, "\u{0}"] {
        let said = hear(&mut lore, &assistant(), "homeassistant/binary_sensor/o/config", broken);
        assert!(said.starts_with("rejected: "), "{broken}: {said}");
        check(&lore, &[("t", "ON", "u: smoke=true")]);
    }
    for gone in ["", " ", "{}", r#"{"migrate_discovery":true}"#] {
        discover(&mut lore, "binary_sensor/o", &config("smoke", "t"));
        let said = hear(&mut lore, &assistant(), "homeassistant/binary_sensor/o/config", gone);
        assert!(said.starts_with("ignored: "), "{gone}: {said}");
        check(&lore, &[("t", "ON", "ignored: no source listens on this topic")]);
    }
    let many = (0..300).map(|i| format!(r#""c{i}":{{"p":"sensor","stat_t":"t/{i}"}}"#)).collect::<Vec<_>>().join(",");
    let said = hear(&mut lore, &assistant(), "homeassistant/device/o/config", &format!(r#"{{"cmps":{{{many}}}}}"#));
    assert_eq!(said, "rejected: too many properties or items");
}

#[test]
fn topics_that_nobody_could_hear_are_left_out() {
    for topic in ["", "#", "a/#", "+/+", "a//b", "a/b+", "~/b", "a\\u0007", &"x".repeat(600)] {
        let config = format!(r#"{{"dev_cla":"smoke","stat_t":"{topic}","uniq_id":"u"}}"#);
        let lore = after(&[("binary_sensor/o", &config)]);
        assert_eq!(lore.told_topics(&assistant().name).count(), 0, "{topic}");
    }
    let lore = after(&[("binary_sensor/o", r#"{"dev_cla":"smoke","stat_t":"+/+/x/c4","uniq_id":"u"}"#)]);
    check(
        &lore,
        &[("home/omg/x/c4", "ON", "u: smoke=true"), ("home/x/c4", "ON", "ignored: no source listens on this topic")],
    );
    assert_eq!(lore.told_topics(&assistant().name).collect::<Vec<_>>(), ["+/+/x/c4"]);
}

#[test]
fn home_assistant_itself_is_no_device() {
    check(
        &Lore::default(),
        &[
            ("homeassistant/status", "online", "ignored: Home Assistant speaks of itself"),
            ("homeassistant/binary_sensor/x/state", "ON", "ignored: nothing of interest"),
            ("homeassistant/x/status", "online", "ignored: nothing of interest"),
        ],
    );
    // An entity's state may live there too.
    let config = r#"{"dev_cla":"motion","stat_t":"homeassistant/binary_sensor/x/state","uniq_id":"u"}"#;
    check(&after(&[("binary_sensor/x", config)]), &[("homeassistant/binary_sensor/x/state", "ON", "u: motion=true")]);
}

#[test]
fn addresses() {
    for (topic, config, address) in [
        ("sensor/n/o", r#""dev":{"ids":["a","b"]},"uniq_id":"u""#, "a"),
        ("sensor/n/o", r#""device":{"identifiers":"a"}"#, "a"),
        ("sensor/n/o", r#""dev":{"ids":[77]}"#, "77"),
        ("sensor/n/o", r#""dev":{"ids":[],"cns":[["mac","aa:bb"],["x","y"]]}"#, "mac:aa:bb"),
        ("sensor/n/o", r#""dev":{"cns":[["mac"]]},"uniq_id":"u""#, "n"),
        ("sensor/n/o", r#""uniq_id":"u""#, "n"),
        ("sensor/o", r#""unique_id":"u""#, "u"),
        ("sensor/o", r#""name":"x""#, "o"),
    ] {
        let lore = after(&[(topic, &format!(r#"{{"dev_cla":"battery","stat_t":"t",{config}}}"#))]);
        check(&lore, &[("t", "63", &format!("{address}: battery=63"))]);
    }
    let long = format!(r#"{{"stat_t":"t","dev":{{"ids":"{}"}}}}"#, "x".repeat(300));
    let said = hear(&mut Lore::default(), &assistant(), "homeassistant/sensor/o/config", &long);
    assert_eq!(said, "rejected: the device's address has more than 256 bytes");
}

#[test]
fn homes_are_hinted() {
    let source = source(Dialect::HomeAssistant, "{home}/homeassistant/{device}");
    let mut lore = Lore::default();
    let config = r#"{"dev_cla":"battery","stat_t":"t","dev":{"ids":"a/b"}}"#;
    assert_eq!(hear(&mut lore, &source, "h1/homeassistant/sensor/o/config", config), LEARNT);
    let decoded = decoded(&lore, &source, "t", "63");
    assert_eq!(told(&decoded), "h1/a/b: battery=63");
    assert_eq!(reports(&decoded)[0].home_hint.as_deref(), Some("h1"));
    assert_eq!(
        hear(&mut lore, &source, "h1/homeassistant/status", "online"),
        "ignored: Home Assistant speaks of itself"
    );
}

#[test]
fn parts_of_a_device_are_told_apart() {
    let config = |class: &str, property: &str| {
        format!(
            r#"{{"dev_cla":"{class}","stat_t":"t","val_tpl":"{{{{ value_json.{property} }}}}","dev":{{"ids":"d"}}}}"#
        )
    };
    let lore = after(&[
        ("binary_sensor/d/left", &config("door", "l")),
        ("binary_sensor/d/right", &config("door", "r")),
        ("binary_sensor/d/low", &config("battery", "b")),
        (
            "binary_sensor/e/other",
            r#"{"dev_cla":"battery","stat_t":"t","val_tpl":"{{ value_json.e }}","dev":{"ids":"e"}}"#,
        ),
    ]);
    let state = r#"{"l":"ON","r":"OFF","b":"ON","e":"OFF"}"#;
    check(&lore, &[("t", state, "d: contact=open@left contact=closed@right battery_low=true; e: battery_low=false")]);
    check(&lore, &[("t", r#"{"e":"OFF"}"#, "e: battery_low=false"), ("t", "{}", "ignored: nothing of interest")]);
}

#[test]
fn availability_of_one_topic() {
    let json = r#""avty":{"t":"t/a","val_tpl":"{{ value_json.state }}"}"#;
    for (options, table) in [
        (
            r#""avty_t":"t/a""#,
            [("online", "d: online=true"), ("offline", "d: online=false"), ("Online", "ignored: nothing of interest")],
        ),
        (
            json,
            [
                (r#"{"state":"online"}"#, "d: online=true"),
                (r#"{"state":"offline"}"#, "d: online=false"),
                ("online", "ignored: nothing of interest"),
            ],
        ),
        (
            r#""avty_t":"t/a","avty_tpl":"{{ 'online' if value_json.rssi < 0 else 'offline' }}""#,
            [
                (r#"{"rssi":-60}"#, "d: online=true"),
                (r#"{"rssi":1}"#, "d: online=false"),
                (r#"{"rssi":"x"}"#, "ignored: nothing of interest"),
            ],
        ),
        (
            r#""avty_t":"t/a","pl_avail":true,"pl_not_avail":false"#,
            [("True", "d: online=true"), ("False", "d: online=false"), ("true", "ignored: nothing of interest")],
        ),
    ] {
        let lore = after(&[("switch/x", &format!(r#"{{"dev":{{"ids":"d"}},{options}}}"#))]);
        for (payload, expected) in table {
            check(&lore, &[("t/a", payload, expected)]);
        }
    }
}

#[test]
fn availability_of_several_topics() {
    let config = |device: &str, mode: &str| {
        format!(
            r#"{{"stat_t":"{device}/s","dev":{{"ids":"{device}"}},"avty":[{{"t":"bridge"}},{{"t":"{device}/a"}}]{mode}}}"#
        )
    };
    let all = r#","avty_mode":"all""#;
    let mut lore = after(&[
        ("sensor/a/x", &config("a", all)),
        ("sensor/a/y", &config("a", all)),
        ("sensor/b/x", &config("b", all)),
    ]);
    let mut hear = |topic: &str, payload: &str| hear(&mut lore, &assistant(), topic, payload);
    assert_eq!(hear("bridge", "online"), "a: online=true; b: online=true");
    assert_eq!(hear("a/a", "offline"), "a: online=false");
    assert_eq!(hear("bridge", "offline"), "a: online=false; b: online=false");
    assert_eq!(hear("a/a", "online"), "ignored: nothing of interest", "the bridge is still gone");
    assert_eq!(hear("a/a", "offline"), "a: online=false");
    assert_eq!(hear("bridge", "online"), "b: online=true", "a is still gone");
    assert_eq!(hear("a/a", "online"), "a: online=true");

    let mut lore =
        after(&[("sensor/a/x", &config("a", r#","availability_mode":"any""#)), ("sensor/b/x", &config("b", ""))]);
    let mut hear = |topic: &str, payload: &str| super::tests::hear(&mut lore, &assistant(), topic, payload);
    assert_eq!(hear("a/a", "online"), "a: online=true");
    assert_eq!(hear("bridge", "offline"), "b: online=false", "a has another way, b has only the latest word");
    assert_eq!(hear("a/a", "offline"), "a: online=false");
}

#[test]
fn events() {
    let none = "d:";
    for (class, payload, expected) in [
        ("button", r#"{"event_type":"press"}"#, "button=press!"),
        ("button", r#"{"event_type":"turned"}"#, "button=turned!"),
        ("button", r#"{"event_type":"sos"}"#, "sos=true!"),
        ("button", r#"{"event_type":"none"}"#, none),
        ("button", "press", none),
        ("button", r#"{"type":"press"}"#, none),
        ("button", r#"{"event_type":7}"#, none),
        ("", r#"{"event_type":"long_press","button":1}"#, "button=long_press!"),
        ("", r#"{"event_type":"double"}"#, "button=double!"),
        ("", r#"{"event_type":"panic_button_pressed"}"#, "sos=true!"),
        ("", r#"{"event_type":"sos_cancel"}"#, none),
        ("", r#"{"event_type":"started"}"#, none),
        ("motion", r#"{"event_type":"motion"}"#, "motion=true!"),
        ("motion", r#"{"event_type":"cleared"}"#, none),
        // A visitor.
        ("doorbell", r#"{"event_type":"press"}"#, none),
    ] {
        check_entity("event", &format!(r#""dev_cla":"{class}","evt_typ":["press"]"#), &[(payload, expected)]);
    }
    let made = r#""dev_cla":"button","val_tpl":"{\"event_type\": \"{{ value_json.action | lower }}\"}""#;
    check_entity("event", made, &[(r#"{"action":"Single"}"#, "button=single!")]);
}

#[test]
fn triggers() {
    let trigger = |options: &str| {
        let config = format!(r#"{{"atype":"trigger","t":"b","dev":{{"ids":"d"}},{options}}}"#);
        after(&[("device_automation/d/x", &config)])
    };
    for (options, payload, expected) in [
        (r#""type":"action","stype":"single","pl":"single""#, "single", "d: button=single!"),
        (r#""type":"action","stype":"single","pl":"single""#, "double", "d:"),
        (r#""type":"action","stype":"emergency","pl":"emergency""#, "emergency", "d: sos=true!"),
        (r#""type":"button_short_press","stype":"button_1","pl":"1""#, "1", "d: button=button_1 button_short_press!"),
        (
            r#""type":"button_short_press","subtype":"button_1","payload":"ON""#,
            "ON",
            "d: button=button_1 button_short_press!",
        ),
        (r#""type":"button_long_press","stype":"button_1""#, "hold", "d: button=hold!"),
        (r#""type":"button_long_press","stype":"button_1""#, r#"{"a":1}"#, "d: button=button_1 button_long_press!"),
        (r#""type":"button_short_press","stype":"panic","pl":"x""#, "x", "d: sos=true!"),
        (
            r#""type":"button_short_press","stype":"x","pl":"up","val_tpl":"{{ value_json.k }}""#,
            r#"{"k":"up"}"#,
            "d: button=up!",
        ),
        (
            r#""type":"button_short_press","stype":"x","pl":"up","val_tpl":"{{ value_json.k }}""#,
            r#"{"k":"down"}"#,
            "d:",
        ),
    ] {
        check(&trigger(options), &[("b", payload, expected)]);
    }
}

/// Three entities of one Zigbee2MQTT device under a base topic that no template names.
fn zigbee(model: &str) -> Lore {
    let entity = |options: &str| {
        format!(
            r#"{{"stat_t":"casa/z/Küche 1","dev":{{"ids":["zigbee2mqtt_0x01"],"mdl":"{model}","mdl_id":"M1"}},"o":{{"name":"Zigbee2MQTT"}},{options}}}"#
        )
    };
    after(&[
        (
            "binary_sensor/0x01/occupancy",
            &entity(r#""dev_cla":"occupancy","pl_on":true,"pl_off":false,"val_tpl":"{{ value_json[\"occupancy\"] }}""#),
        ),
        (
            "sensor/0x01/temperature",
            &entity(r#""dev_cla":"temperature","unit_of_meas":"°F","val_tpl":"{{ value_json[\"temperature\"] }}""#),
        ),
        (
            "switch/0x01/switch_vibration",
            &entity(r#""val_tpl":"{% if value_json.vibration %}true{% else %}false{% endif %}""#),
        ),
        (
            "device_automation/0x01/action_emergency",
            r#"{"atype":"trigger","type":"action","stype":"emergency","pl":"emergency","t":"casa/z/Küche 1/action","dev":{"ids":["zigbee2mqtt_0x01"]}}"#,
        ),
    ])
}

#[test]
fn a_zigbee2mqtt_device_under_any_base_topic() {
    let address = "zigbee2mqtt_0x01";
    for (payload, expected) in [
        (r#"{"occupancy":true,"temperature":50}"#, "motion=true temperature=10"),
        (r#"{"sos":true,"battery":40}"#, "sos=true~ battery=40"),
        (r#"{"action":"emergency"}"#, "sos=true!"),
        (r#"{"action":""}"#, ""),
        (r#"{"fall_status":"fall_alarm","alarm":true}"#, "fall=true"),
        (r#"{"vibration":true}"#, ""),
        (r#"{"device_temperature":30,"contact":false}"#, "contact=open"),
    ] {
        check(&zigbee("PIR"), &[("casa/z/Küche 1", payload, format!("{address}: {expected}").trim_end())]);
    }
    check(&zigbee("24 GHz radar"), &[("casa/z/Küche 1", r#"{"occupancy":true}"#, "zigbee2mqtt_0x01: presence=true")]);
    let state =
        decoded(&zigbee("PIR"), &assistant(), "casa/z/Küche 1", r#"{"sos":true,"last_seen":"2026-03-01T12:00:00Z"}"#);
    assert_eq!(reports(&state)[0].device_time.map(|t| t.0), Some(1_772_366_400_000));
}

#[test]
fn a_zigbee2mqtt_bridge_says_whether_it_is_there() {
    let config = r#"{"dev":{"ids":["zigbee2mqtt_bridge_0x01"]},"o":{"name":"Zigbee2MQTT"},"dev_cla":"connectivity","pl_on":"online",
        "pl_off":"offline","stat_t":"casa/z/bridge/state","val_tpl":"{{ value_json.state }}"}"#;
    let lore = after(&[("binary_sensor/1_0x01/connection_state", config)]);
    check(&lore, &[("casa/z/bridge/state", r#"{"state":"offline"}"#, "zigbee2mqtt_bridge_0x01: online=false")]);
}

#[test]
fn the_action_beside_the_state_is_an_echo() {
    let mut lore = zigbee("Button");
    let press = |lore: &Lore| {
        let decoded = decoded(lore, &assistant(), "casa/z/Küche 1/action", "emergency");
        assert_eq!(told(&decoded), "zigbee2mqtt_0x01: sos=true!");
        reports(&decoded)[0].echo
    };
    assert!(!press(&lore), "nothing else has told of this press");
    hear(&mut lore, &assistant(), "casa/z/Küche 1", r#"{"action":"emergency"}"#);
    assert!(press(&lore));
}

#[test]
fn a_template_that_is_not_read_is_named() {
    let unread = r#""dev_cla":"smoke","val_tpl":"{{ value_json.bits[0:2] }}""#;
    check_entity(
        "binary_sensor",
        unread,
        &[(r#"{"bits":"ON"}"#, "ignored: its value stands in a template that is not read")],
    );
}

fn told_of(property: &str, kind: Option<Kind>, on: &[&str], off: &[&str]) -> Gloss {
    let words = |words: &[&str]| words.iter().map(|word| (*word).into()).collect();
    Gloss { property: property.into(), kind, on: words(on), off: words(off), times: 1.0 }
}

#[track_caller]
fn check_told(mut lore: Lore, told: Gloss, table: &[(&str, &str, &str)]) {
    let profile = Arc::new(profile(vec![told]));
    let models = [("M1".into(), profile)].into();
    lore.told(&Arc::new(Profiles { models, ..Profiles::default() }));
    check(&lore, table);
}

#[test]
fn what_people_told_goes_first() {
    let entity = |options: &str| {
        after(&[("binary_sensor/x", &format!(r#"{{"stat_t":"t","dev":{{"ids":"d","mdl":"M1"}},{options}}}"#))])
    };
    let sos = told_of("x", Some(Kind::Sos), &["ON"], &[]);
    check_told(entity(r#""dev_cla":"safety""#), sos.clone(), &[("t", "ON", "d: sos=true!"), ("t", "OFF", "d:")]);
    check_told(entity(r#""dev_cla":"motion""#), told_of("x", None, &[], &[]), &[("t", "ON", "d:")]);
    let by_path = told_of("a.b", Some(Kind::Contact), &["true"], &["false"]);
    let json = r#""dev_cla":"motion","val_tpl":"{{ value_json.a.b }}""#;
    check_told(entity(json), by_path.clone(), &[("t", r#"{"a":{"b":true}}"#, "d: contact=open")]);
    // A part of the message that no entity reads, or none that we read.
    let unread = r#""dev_cla":"motion","val_tpl":"{{ value_json.bits[0:2] }}""#;
    check_told(
        entity(unread),
        by_path.clone(),
        &[
            ("t", r#"{"a":{"b":false}}"#, "d: contact=closed"),
            ("t", "{}", "ignored: its value stands in a template that is not read"),
        ],
    );
    check_told(entity(r#""val_tpl":"{{ value[0:2] }}""#), sos, &[("t", "ON", "d: sos=true!")]);
    check_told(
        zigbee("x"),
        told_of("occupancy", None, &[], &[]),
        &[("casa/z/Küche 1", r#"{"occupancy":true}"#, "zigbee2mqtt_0x01:")],
    );
    let single = told_of("action", Some(Kind::Sos), &["single"], &[]);
    check_told(zigbee("x"), single, &[("casa/z/Küche 1", r#"{"action":"single"}"#, "zigbee2mqtt_0x01: sos=true!")]);
    let event = after(&[("event/x", r#"{"stat_t":"t","dev_cla":"doorbell","dev":{"ids":"d","mdl":"M1"}}"#)]);
    check_told(
        event,
        told_of("x", Some(Kind::Sos), &["press"], &[]),
        &[("t", r#"{"event_type":"press"}"#, "d: sos=true!")],
    );
}

#[test]
fn retained_states_are_marked() {
    let lore = after(&[("binary_sensor/x", r#"{"dev_cla":"smoke","stat_t":"t","uniq_id":"u"}"#)]);
    let decoded = decode(&lore, &assistant(), &Message { topic: "t", payload: b"ON", retain: true });
    assert!(reports(&decoded)[0].retained);
    let bytes = Message { topic: "t", payload: b"\xff", retain: false };
    assert_eq!(told(&decode(&lore, &assistant(), &bytes)), "rejected: the payload is not UTF-8");
}

fn node() -> Source {
    let topics = Dialect::Esphome.usual_topics().iter().map(|topic| TopicTemplate::parse(topic).unwrap()).collect();
    Source::new(SourceId::new("e").unwrap(), SiteId::new("zl").unwrap(), Dialect::Esphome, topics)
}

#[test]
fn an_esphome_node_that_told_nothing() {
    let table = [
        ("bath/status", "online", "bath: online=true"),
        ("bath/status", "offline", "bath: online=false"),
        ("bath/status", "Online", "ignored: nothing of interest"),
        ("bath/status", r#"{"a":1}"#, "ignored: nothing of interest"),
        ("bath/debug", "[D][binary_sensor:036]: 'Smoke': Sending state ON", "ignored: the log of a device"),
        ("bath/binary_sensor/smoke/state", "ON", "bath:"),
        ("bath/binary_sensor/smoke/state", "", "ignored: empty: a retained state was deleted, or a value is unknown"),
        ("bath/x/smoke/state", "ON", "ignored: nothing of interest"),
        ("bath/binary_sensor/smoke/command", "ON", "ignored: no source listens on this topic"),
    ];
    let check = |lore: &Lore, table: &[(&str, &str, &str)]| {
        for (topic, payload, expected) in table {
            assert_eq!(told(&decoded(lore, &node(), topic, payload)), *expected, "{topic} {payload}");
        }
    };
    check(&Lore::default(), &table);
    let mut lore = Lore::default();
    let told =
        vec![told_of("pull_cord", Some(Kind::Sos), &["ON"], &["OFF"]), told_of("tank", Some(Kind::Weight), &[], &[])];
    let devices = [("bath".into(), Arc::new(profile(told)))].into();
    lore.told(&Arc::new(Profiles { devices: [(node().name, devices)].into(), ..Profiles::default() }));
    check(
        &lore,
        &[
            ("bath/binary_sensor/pull_cord/state", "ON", "bath: sos=true"),
            ("bath/sensor/tank/state", "72.5", "bath: weight=72.5"),
            ("bath/sensor/tank/state", "nan", "bath:"),
        ],
    );
}

#[test]
fn an_esphome_node_is_explained_by_its_discovery() {
    let mut lore = Lore::default();
    let sources = [assistant(), node()];
    let mut hear = |topic: &str, payload: &str| {
        let source = find_source(&sources, &lore, topic).unwrap();
        let dialect = source.dialect;
        (dialect, super::tests::hear(&mut lore, source, topic, payload))
    };
    let topic = "bath/binary_sensor/leak/state";
    assert_eq!(hear(topic, "ON"), (Dialect::Esphome, "bath:".into()));
    let config = r#"{"dev_cla":"moisture","name":"Leak","stat_t":"bath/binary_sensor/leak/state","avty_t":"bath/status","uniq_id":"ESPleak",
        "dev":{"ids":"a4cf12","name":"bath","mdl":"esp32dev","cns":[["mac","a4cf12"]]}}"#;
    assert_eq!(hear("homeassistant/binary_sensor/bath/leak/config", config).1, LEARNT);
    assert_eq!(hear(topic, "ON"), (Dialect::HomeAssistant, "a4cf12: water_leak=true".into()));
    assert_eq!(hear("bath/status", "offline"), (Dialect::HomeAssistant, "a4cf12: online=false".into()));
    assert_eq!(hear("bath/sensor/other/state", "1"), (Dialect::Esphome, "bath:".into()));
    assert_eq!(hear("homeassistant/binary_sensor/bath/leak/config", "").0, Dialect::HomeAssistant);
    assert_eq!(hear("bath/status", "offline"), (Dialect::Esphome, "bath: online=false".into()));
}

proptest! {
    /// Whatever a discovery and the messages after it hold: no panic, and what is told can be stored.
    #[test]
    fn nothing_panics(
        fields in prop::collection::vec((prop_oneof![
            Just("stat_t"), Just("~"), Just("dev"), Just("avty"), Just("avty_mode"), Just("cmps"), Just("dev_cla"), Just("val_tpl"),
            Just("pl_on"), Just("unit_of_meas"), Just("p"), Just("t"), Just("pl"), Just("off_dly"),
        ], prop_oneof![
            Just("\"t\"".to_owned()), Just("\"~/t\"".into()), Just("\"+/t\"".into()), Just("{\"ids\":[\"zigbee2mqtt_1\"]}".into()),
            Just("{\"ids\":7,\"cns\":[[]]}".into()), Just("[{\"t\":\"t\"},{\"t\":\"t/a\"}]".into()), Just("\"all\"".into()),
            Just("{\"x\":{\"p\":\"event\"},\"y\":{\"p\":\"sensor\",\"dev_cla\":\"battery\"}}".into()), Just("\"motion\"".into()),
            Just("\"{{ value_json.a }}\"".into()), Just("\"{{ value_json.a[\"".into()), Just("true".into()), Just("null".into()),
            any::<f64>().prop_filter_map("finite", |x| x.is_finite().then(|| x.to_string())),
            any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap()),
        ]), 0..8),
        component in prop_oneof![Just("sensor"), Just("binary_sensor"), Just("event"), Just("device_automation"), Just("device"), Just("x")],
        payloads in prop::collection::vec(prop_oneof![
            Just("ON".to_owned()), Just("{\"a\":[1]}".into()), Just("{\"event_type\":\"press\"}".into()), Just("offline".into()), "\\PC{0,9}",
        ], 1..4),
    ) {
        let mut lore = Lore::default();
        let config = format!("{{{}}}", fields.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect::<Vec<_>>().join(","));
        hear(&mut lore, &assistant(), &format!("homeassistant/{component}/o/config"), &config);
        let mut all: Vec<Report> = Vec::new();
        for payload in &payloads {
            for topic in ["t", "t/a", "x/t"] {
                let decoded = decoded(&lore, &assistant(), topic, payload);
                if let crate::wire::Outcome::Readings(reports) = &decoded.outcome {
                    all.extend(reports.iter().cloned());
                }
                decoded.lessons.into_iter().for_each(|lesson| { lore.learn(lesson); });
            }
        }
        for reading in all.iter().flat_map(|report| &report.readings) {
            match &reading.value {
                crate::engine::reading::Value::Number(number) => prop_assert!(number.is_finite()),
                crate::engine::reading::Value::Text(text) => prop_assert!(!text.is_empty() && text.len() <= crate::wire::MAX_TEXT_BYTES),
                _ => {}
            }
        }
        hear(&mut lore, &assistant(), &format!("homeassistant/{component}/o/config"), "");
        prop_assert_eq!(lore.told_topics(&assistant().name).count(), 0);
    }
}
