//! What single models say: names that few devices use, names that mean something else at some, and what only people can tell.

use crate::engine::dialect::Dialect;
use crate::engine::kind::Kind;
use crate::engine::profile::Gloss;
use crate::wire::Source;
use crate::wire::lore::{Lore, Profiles};
use crate::wire::tests::{check, decoded, profile, profiled, reports, source, told};
use std::collections::HashMap;
use std::sync::Arc;

fn zigbee() -> Source {
    source(Dialect::Zigbee2mqtt, "zigbee2mqtt/{home}/{device}")
}

/// States of one device.
#[track_caller]
fn check_states(lore: &Lore, table: &[(&str, &str)]) {
    for (payload, expected) in table {
        let told = told(&decoded(lore, &zigbee(), "zigbee2mqtt/h1/d", payload));
        assert_eq!(told.strip_prefix("h1/d:").unwrap_or(&told).trim_start(), *expected, "{payload}");
    }
}

/// Lore of one device as a bridge lists it.
fn listed(description: &str, exposes: &str) -> Lore {
    let list = format!(
        r#"[{{"type":"EndDevice","friendly_name":"d","definition":{{"model":"M","description":"{description}","exposes":[{exposes}]}}}}]"#
    );
    let mut lore = Lore::default();
    for lesson in decoded(&lore, &zigbee(), "zigbee2mqtt/h1/bridge/devices", &list).lessons {
        assert!(lore.learn(lesson));
    }
    lore
}

#[test]
fn names_of_few_models() {
    check_states(
        &Lore::default(),
        &[
            (r#"{"ambient_light":12,"ambience_light_threshold":300}"#, "illuminance=12"),
            (r#"{"battery_value":81,"presence":false}"#, "battery=81 presence=false"),
            (r#"{"battpercentage":55,"battery_low":false}"#, "battery=55 battery_low=false"),
            (r#"{"battery_life":90,"battery_voltage":3,"smoke_battery":50}"#, ""),
            (r#"{"battery":80,"battery_value":3}"#, "battery=80"),
            (r#"{"occupancy_status":true,"seat_temp":"Off"}"#, "presence=true"),
            (
                r#"{"occupancy_in":true,"occupancy_out":false,"occupancy_or":true,"occupancy_and":false}"#,
                "motion=true@in motion=false@out motion=true@or motion=false@and",
            ),
            (r#"{"mmwave_area2_occupancy":true,"occupancy":true}"#, "motion=true@area2 motion=true"),
            (r#"{"temperature_c":19.5,"temperature_f":68,"temperature_c_setpoint":22}"#, "temperature=19.5"),
            (r#"{"water":true,"water_leak":false,"alarm_mode":"water_absence"}"#, "water_leak=false"),
            (r#"{"water_sensor":false,"water_condition_alarm":true}"#, "water_leak=true"),
            (r#"{"alarm_status":"alarm"}"#, ""),
            (r#"{"alarm_1":true,"alarm_2":false,"alarm_alarm_1":true,"alarm_state":"alarmed"}"#, ""),
            (r#"{"window_open":true,"window":"OPEN","open_window":"ON","dry_contact":"contact_open"}"#, ""),
            (r#"{"temperature_probe":4,"probe_temperature":5,"external_temperature":6,"current_temperature":7}"#, ""),
            (r#"{"co2_state":"alarm","link_available":"co_active","halo_alert_state":"smoke"}"#, ""),
            (r#"{"rain":true,"dry":true,"full":true,"water_warning":"alarm"}"#, ""),
        ],
    );
}

/// A pad to sit or lie on says that there is weight on it; elsewhere the same name is a number.
#[test]
fn pads() {
    check_states(
        &Lore::default(),
        &[
            (r#"{"pressure":true}"#, "bed=true"),
            (r#"{"pressure":1013.2}"#, ""),
            (r#"{"pressure_state":"none","current_pressure":0}"#, "bed=false"),
            (r#"{"pressure_state":"sedentary","pressure_intensity":3}"#, "bed=true"),
        ],
    );
}

#[test]
fn what_stands_beside_a_name_changes_it() {
    check_states(
        &Lore::default(),
        &[
            (r#"{"battery":3,"smoke_state":"alarm"}"#, "smoke=true"),
            (r#"{"battery":3,"smoke_state":"normal","smoke":false}"#, "battery=3 smoke=false"),
            (r#"{"battery":3,"smoke_state":null,"smoke":null}"#, "battery=3"),
            (r#"{"human_motion_state":"active","occupancy":false}"#, "motion=false"),
            (r#"{"occupancy":true,"human_motion_state":"none"}"#, "motion=true"),
            (r#"{"human_motion_state":"small","presence":false}"#, "presence=false"),
            (r#"{"human_motion_state":"small"}"#, "presence=true"),
            (r#"{"illuminance":7,"occupancy":true,"detection_distance":2,"presence_delay":5}"#, "motion=true"),
            (r#"{"illuminance":7,"presence_delay":5}"#, "illuminance=7"),
            (r#"{"illuminance":7,"position":50,"opening_mode":"tilt"}"#, ""),
            (r#"{"temperature":21,"humidity":40,"opening_mode":"closed"}"#, "temperature=21 humidity=40"),
            (r#"{"temperature_1":30,"condition_1":"sunny","action":"scene_1"}"#, "button=scene_1!"),
            (r#"{"temperature_1":30}"#, "temperature=30@1"),
        ],
    );
}

/// Every word of an action is a press; only a call for help by its own name is one.
#[test]
fn words_of_actions() {
    let presses = [
        "single",
        "1_double",
        "button_2_hold",
        "hold_left",
        "release",
        "off",
        "on_l1",
        "recall_2",
        "brightness_move_to_level",
        "rotate_left",
        "flip90",
        "fall",
        "drop",
        "vibration",
        "motion",
        "region_1_enter",
        "arm_all_zones",
        "disarm",
        "exit_delay",
        "keypad_unlock",
        "unlock_failure_invalid_pin_or_id",
        "unknown",
        "bell1",
        "home_arrival",
    ];
    for press in presses {
        check_states(&Lore::default(), &[(&format!(r#"{{"action":"{press}"}}"#), &format!("button={press}!"))]);
    }
    for call in ["emergency", "panic", "sos"] {
        check_states(&Lore::default(), &[(&format!(r#"{{"action":"{call}","action_zone":"3"}}"#), "sos=true!")]);
    }
}

/// `occupancy` of a radar says that somebody is there, unless the device has a word of its own for that.
#[test]
fn a_radar_with_two_words() {
    let lore = listed("Human presence sensor", "");
    check_states(
        &lore,
        &[
            (r#"{"occupancy":true}"#, "presence=true"),
            (r#"{"occupancy_2":true}"#, "presence=true@2"),
            (r#"{"occupancy":false,"presence":true}"#, "motion=false presence=true"),
            (r#"{"presence":false,"pir_detection":true}"#, "presence=false motion=true"),
            (r#"{"human_motion_state":"active","occupancy":false}"#, "presence=false"),
        ],
    );
}

#[test]
fn a_unit_in_another_spelling() {
    let expose = r#"{"type":"numeric","property":"ambient_light","access":1,"unit":"Lx"}"#;
    check_states(&listed("PIR sensor", expose), &[(r#"{"ambient_light":12}"#, "illuminance=12")]);
}

#[test]
fn what_people_told() {
    let lore = profiled(
        &zigbee(),
        "h1/d",
        &[
            ("action", Some(Kind::Sos), &["single", "hold"], &[]),
            ("alarm_1", Some(Kind::Contact), &["true"], &["false"]),
            ("alarm_status", Some(Kind::WaterLeak), &["alarm"], &["normal"]),
            ("temperature", None, &[], &[]),
            ("occupancy_1", Some(Kind::Presence), &[], &[]),
        ],
    );
    check_states(
        &lore,
        &[
            (r#"{"action":"single","battery":90}"#, "sos=true! battery=90"),
            (r#"{"action":"off"}"#, ""),
            (r#"{"action":null}"#, ""),
            (r#"{"alarm_1":true,"alarm_2":true}"#, "contact=open"),
            (r#"{"alarm_1":false}"#, "contact=closed"),
            (r#"{"alarm_1":true,"contact":true}"#, "contact=open"),
            (r#"{"alarm_status":"alarm"}"#, "water_leak=true"),
            (r#"{"alarm_status":"normal"}"#, "water_leak=false"),
            (r#"{"temperature":20,"humidity":40}"#, "humidity=40"),
            (r#"{"occupancy_1":true}"#, "presence=true@1"),
            (r#"{"alarm_1":true,"alarm_1":false}"#, "rejected: a property stands twice"),
        ],
    );
    let table = [
        ("zigbee2mqtt/h1/d/action", "hold", "h1/d: sos=true!"),
        ("zigbee2mqtt/h1/d/alarm_1", "true", "h1/d: contact=open"),
        ("zigbee2mqtt/h1/d/temperature", "20", "ignored: an attribute of no interest"),
        ("zigbee2mqtt/h1/d/update-state", "idle", "ignored: an attribute of no interest"),
        ("zigbee2mqtt/h1/e", r#"{"action":"single"}"#, "h1/e: button=single!"),
    ];
    check(&lore, &zigbee(), &table);
}

/// Which model a device is, only a bridge's list tells; until then a call for help is any press.
#[test]
fn what_people_told_of_a_model() {
    let call = Gloss {
        property: "action".into(),
        kind: Some(Kind::Sos),
        on: vec!["single".into()],
        off: Vec::new(),
        times: 1.0,
    };
    let models = HashMap::from([("M".into(), Arc::new(profile(vec![call])))]);
    let profiles = Arc::new(Profiles { models, ..Profiles::default() });
    let (mut before, mut after) = (Lore::default(), listed("Button", ""));
    before.told(&profiles);
    after.told(&profiles);
    check_states(&before, &[(r#"{"action":"single"}"#, "button=single!")]);
    check_states(&after, &[(r#"{"action":"single"}"#, "sos=true!"), (r#"{"action":"double"}"#, "")]);
}

/// A press that people told is no other news, so a latched state beside it stays a bare repeat.
#[test]
fn a_told_press_is_outside_the_fingerprint() {
    let lore = profiled(&zigbee(), "h1/d", &[("key", Some(Kind::Sos), &["down"], &[])]);
    let rest = |payload: &str| reports(&decoded(&lore, &zigbee(), "zigbee2mqtt/h1/d", payload))[0].rest;
    assert_eq!(rest(r#"{"key":"down","battery":90}"#), rest(r#"{"battery":90}"#));
    assert_ne!(rest(r#"{"state":"down","battery":90}"#), rest(r#"{"battery":90}"#));
}
