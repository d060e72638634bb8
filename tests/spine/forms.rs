//! A press is a press, whatever the device calls it; a report is none.

use super::gateway::{eventually, verified};
use super::{District, SOON};
use std::time::Duration;

/// What buttons and pendants publish when they are pressed, and what they report afterwards.
const FORMS: &[(&str, &str, &str)] = &[
    (
        "a pendant with a state",
        r#"{"sos":true,"battery":78,"battery_low":false,"tamper":false,"linkquality":96}"#,
        r#"{"sos":true,"battery":77,"battery_low":false,"tamper":false,"linkquality":90}"#,
    ),
    (
        "a panic button with an action",
        r#"{"action":"emergency","battery":100,"voltage":3000,"linkquality":131}"#,
        r#"{"action":"","battery":99,"voltage":2990,"linkquality":128}"#,
    ),
    (
        "a wall pull cord with an alarm property",
        r#"{"sos_alarm":true,"battery_low":false,"supervision_reports":true,"linkquality":64}"#,
        r#"{"sos_alarm":true,"battery_low":true,"supervision_reports":true,"linkquality":61}"#,
    ),
];

#[test]
fn each_form_of_a_press_gives_one_signed_notice_and_a_report_gives_none() {
    let mut district = District::new(FORMS.len());
    district.gateway.start();
    for (n, (what, press, report)) in FORMS.iter().enumerate() {
        let (home, topic) = (super::home(n), format!("zigbee2mqtt/{}/sos", super::home(n)));
        district.say(&topic, press);
        let requests = district.receiver.wait_for(n + 1, SOON);
        let body = verified(&requests[n]);
        assert_eq!(body["type"], "hearthwatch.alarm.notice", "{what}");
        assert_eq!(body["data"]["alarm"]["kind"], "sos", "{what}");
        assert_eq!(body["data"]["alarm"]["events"], 1, "{what}");
        assert_eq!(body["data"]["home"]["id"], home, "{what}");
        assert_eq!(requests[n].header("webhook-id"), body["id"].as_str(), "{what}");
        district.say(&topic, report);
    }
    // Whatever the reports did is done when a later message of the same home has been taken in.
    for n in 0..FORMS.len() {
        district.say(&format!("zigbee2mqtt/{}/sos", super::home(n)), &format!("{{\"temperature\":{}}}", 100 + n));
    }
    eventually("the later messages", || {
        let past = district.gateway.past();
        (0..FORMS.len()).all(|n| past.numbers.contains_key(&(100 + n as i64)))
    });
    let past = district.gateway.past();
    for (n, form) in FORMS.iter().enumerate() {
        assert_eq!(past.open(&super::home(n), "sos").expect("the alarm").events, 1, "{}", form.0);
    }
    let lives = past.alarms.keys().filter(|(_, kind)| kind != "battery_low").count();
    assert_eq!(lives, FORMS.len(), "no alarm but these: {:?}", past.alarms.keys());
    assert_eq!(district.alarms_told().len(), FORMS.len());
}

#[test]
fn a_second_press_counts_on_the_one_alarm_to_the_byte() {
    let (broker, receiver) = (super::Broker::start(), super::Receiver::start());
    let mut gateway = super::Gateway::new(&broker.url());
    // The second rung tells how often it was pressed.
    let registry = super::Registry::default().channel(&gateway, "desk", &receiver.url()).ladder(
        "life",
        3_600,
        &[("desk", 3), ("desk", 3_600)],
    );
    gateway.import(super::with_homes(registry, 1).text());
    gateway.start();
    let district = District { broker, gateway, receiver };
    district.say("zigbee2mqtt/h000/sos", super::PRESS);
    district.receiver.wait_for(1, SOON);
    district.say("zigbee2mqtt/h000/sos", super::PRESS);
    let bodies: Vec<_> = district.receiver.wait_for(2, SOON).iter().map(verified).collect();
    assert_eq!((&bodies[1]["data"]["rung"], &bodies[1]["data"]["alarm"]["events"]), (&2.into(), &2.into()));
    assert_eq!(bodies[0]["data"]["alarm"]["id"], bodies[1]["data"]["alarm"]["id"]);
    assert_ne!(bodies[0]["id"], bodies[1]["id"]);
}

#[test]
fn a_button_that_nobody_registered_alarms_at_its_site() {
    let mut district = District::new(0);
    district.gateway.start();
    district.say("zigbee2mqtt/somewhere/pendant", r#"{"action":"emergency","linkquality":55}"#);
    district.say("hearthwatch/t/elsewhere/button", r#"{"kind":"sos","value":true}"#);
    let bodies: Vec<_> = district.receiver.wait_for(2, SOON).iter().map(verified).collect();
    for body in &bodies {
        assert_eq!(body["data"]["alarm"]["kind"], "sos");
        assert_eq!(body["data"]["home"]["claimed"], false);
        assert_eq!(body["data"]["home"]["site"], "t");
    }
    assert_ne!(bodies[0]["data"]["home"]["id"], bodies[1]["data"]["home"]["id"]);
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(district.receiver.requests().len(), 2, "each once");
}
