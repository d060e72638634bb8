//! With the feature `poison`: a payload that makes the home's `step` fail, and one that ends the process.
//!
//! `cargo test --features poison --test spine poison`

use super::gateway::{eventually, verified};
use super::{District, PRESS, SOON};
use std::time::Duration;

#[test]
fn a_home_whose_decisions_fail_is_frozen_and_reported_and_its_next_press_alarms() {
    let mut district = District::new(3);
    district.gateway.start();
    district.say("zigbee2mqtt/h000/sos", r#"{"action":"poison","linkquality":80}"#);
    // A welfare check at the home's own ladder is the way in which a person hears of it.
    eventually("the two alarms of a frozen home", || {
        let past = district.gateway.past();
        past.open("h000", "welfare_check").is_some() && past.open("h000", "engine_fault").is_some()
    });
    for home in ["h000", "h001"] {
        district.say(&format!("zigbee2mqtt/{home}/sos"), PRESS);
    }
    let told = |home: &str, kind: &str| {
        let requests = district.receiver.requests();
        requests
            .iter()
            .map(verified)
            .any(|body| body["data"]["home"]["id"] == home && body["data"]["alarm"]["kind"] == kind)
    };
    eventually("both presses", || told("h000", "sos") && told("h001", "sos"));

    // It came, it was acknowledged, and it does not come again: no crash loop.
    assert!(district.gateway.kill());
    district.gateway.start();
    district.say("zigbee2mqtt/h002/sos", PRESS);
    district.say("zigbee2mqtt/h000/sos", PRESS);
    eventually("the third home, and the frozen one again", || {
        let past = district.gateway.past();
        past.open("h002", "sos").is_some() && past.open("h000", "sos").is_some_and(|told| told.events >= 2)
    });
    let past = district.gateway.past();
    assert_eq!(past.open("h000", "engine_fault").map(|told| told.events), Some(1), "it failed once");
    assert_eq!(district.gateway.ended(), None);
    assert!(past.alarms.keys().filter(|(home, _)| home != "h000").all(|(_, kind)| kind == "sos"), "{:?}", past.alarms);
}

#[test]
fn a_message_at_which_the_process_died_twice_is_quarantined_as_a_possible_call_and_nothing_else_is() {
    let mut district = District::new(30);
    district.gateway.start();
    // Others are in the same turn as the deadly message; none of them may suffer with it.
    district.gateway.kill();
    for n in 0..15 {
        district.say(&format!("zigbee2mqtt/{}/sos", super::home(n)), PRESS);
    }
    district.say("zigbee2mqtt/h020/sos", r#"{"action":"abort","linkquality":80}"#);
    for n in 15..20 {
        district.say(&format!("zigbee2mqtt/{}/sos", super::home(n)), PRESS);
    }
    for death in 0..2 {
        district.gateway.spawn();
        let status = district.gateway.wait_for_end();
        assert_eq!(status.code(), None, "death {death} is by a signal");
    }
    // As often as a supervisor starts it: from the third time on it lives.
    district.gateway.start();
    eventually("the quarantined message", || {
        district.gateway.past().alarms.keys().any(|(_, kind)| kind == "possible_sos")
    });
    eventually("every press", || {
        let past = district.gateway.past();
        (0..20).all(|n| past.open(&super::home(n), "sos").is_some())
    });
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(district.gateway.ended(), None);
    let past = district.gateway.past();
    let possible: Vec<_> = past.alarms.keys().filter(|(_, kind)| kind == "possible_sos").collect();
    assert_eq!(possible.len(), 1, "{possible:?}");
    assert!(possible[0].0.contains("h020/sos"), "{possible:?}");
    let told = || district.receiver.requests().iter().any(|r| r.json()["data"]["alarm"]["kind"] == "possible_sos");
    eventually("the notice of it", told);
    // And it was acknowledged: it does not come a fourth time.
    let (status, _) = district.gateway.terminate();
    assert!(status.success());
    district.gateway.start();
    district.say("zigbee2mqtt/h021/sos", PRESS);
    eventually("a later press", || district.gateway.past().open("h021", "sos").is_some());
    district.receiver.wait_for(22, SOON);
}
