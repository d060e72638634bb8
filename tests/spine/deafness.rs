//! Our own deafness is nobody's silence: the gateway is away for three hours, or its broker for forty minutes, and everything comes back
//! at once with a backlog. One incident and the list of the homes, no alarm of inactivity, and whoever called meanwhile is told of first.

use super::clock::Settable;
use super::gateway::{Registry, eventually};
use super::{District, PRESS, home};
use serde_json::Value;
use std::time::Instant;

const HOMES: usize = 12;
/// Less than anybody was away: with our deafness counted, every home would be over it.
const CAP_S: &str = "1800";
const CALLER: usize = 5;

/// A district in which everybody has just stirred.
fn awake() -> (District, Settable) {
    let mut district = District::new(0);
    let clock = Settable::of(&mut district.gateway);
    for cap in ["INACTIVITY_CAP_S", "INACTIVITY_NIGHT_CAP_S"] {
        district.gateway.set(&format!("HEARTHWATCH__SITE__T__RULES__{cap}"), CAP_S);
    }
    let ladders = ["life", "welfare", "technical"].into_iter().fold(
        Registry::default().channel(&district.gateway, "desk", &district.receiver.url()),
        |registry, priority| registry.ladder(priority, 3_600, &[("desk", 3_600)]),
    );
    let registry = super::with_homes(ladders, HOMES);
    let registry = (0..HOMES).fold(registry, |registry, n| registry.device(&home(n), "hall", false));
    district.gateway.import(registry.text());
    district.gateway.start();
    (0..HOMES).for_each(|n| stirs(&district, n, 1));
    eventually("all are heard", || district.gateway.past().numbers.contains_key(&(100 + HOMES as i64 - 1)));
    (district, clock)
}

/// Motion in a home; `times` marks it.
fn stirs(district: &District, n: usize, times: usize) {
    let power = 100 * times + n;
    let message = format!(r#"{{"occupancy":true,"power":{power},"linkquality":90}}"#);
    district.say(&format!("zigbee2mqtt/{}/hall", home(n)), &message);
}

fn answer(district: &District, path: &str) -> Value {
    let (status, body) = district.gateway.get(path).expect("an answer");
    assert_eq!(status, 200, "{body}");
    serde_json::from_str(&body).expect("JSON")
}

/// What an operator finds once all is back: the call, one incident, and every home on the list until somebody has looked.
fn found(district: &District, since: Instant) {
    district.receiver.wait_for(1, super::SOON);
    println!("the call was told {} ms after everything was back", since.elapsed().as_millis());
    let first = district.receiver.requests()[0].json();
    assert_eq!(first["data"]["alarm"]["kind"], "sos", "the call goes before all else");
    assert_eq!(first["data"]["home"]["id"], home(CALLER));
    let outages = || district.gateway.past().alarms.keys().filter(|(_, kind)| kind == "outage").count();
    eventually("the incident is told", || outages() == 1);
    let kinds = || district.gateway.past().alarms.keys().map(|(_, kind)| kind.clone()).collect::<Vec<_>>();
    let mut raised = kinds();
    raised.sort();
    assert_eq!(raised, ["outage", "sos"], "one incident, and nobody is called inactive for what we did not hear");
    let list = || answer(district, "/api/v1/outages");
    eventually("the list is made", || list()["total"] == HOMES);
    assert_eq!(list()["outages"].as_array().map(Vec::len), Some(0), "{}", list());
    let (status, body) =
        district.gateway.post(&format!("/api/v1/homes/{}/looked", home(0)), r#"{"how":"spoke"}"#).expect("an answer");
    assert_eq!(status, 200, "{body}");
    eventually("who was looked after leaves it", || list()["total"] == HOMES - 1);
}

#[test]
fn a_gateway_that_was_away_for_three_hours_calls_nobody_inactive() {
    let (mut district, clock) = awake();
    assert!(district.gateway.kill());
    clock.set("+10800");
    (0..4).for_each(|n| stirs(&district, n, 2));
    district.press(CALLER..CALLER + 1);
    (4..HOMES).for_each(|n| stirs(&district, n, 3));
    let since = Instant::now();
    district.gateway.start();
    found(&district, since);
}

#[test]
fn a_broker_that_was_away_for_forty_minutes_calls_nobody_inactive() {
    let (mut district, clock) = awake();
    district.broker.kill();
    eventually("the link is known to be down", || {
        district.gateway.get("/readyz").is_none_or(|(status, _)| status != 200)
    });
    // Nobody waits forty minutes for a test: they pass while the gateway is restarted, still without a broker.
    assert!(district.gateway.kill());
    clock.set("+2400");
    district.gateway.spawn();
    district.gateway.wait_for_line("broker");
    let since = Instant::now();
    district.broker.restart();
    district.gateway.ready();
    district.say(&format!("zigbee2mqtt/{}/sos", home(CALLER)), PRESS);
    (0..HOMES).for_each(|n| stirs(&district, n, 2));
    found(&district, since);
}
