//! Hundreds of homes in trouble at once, forty of them calling for help, before a group's robot that takes twenty messages a minute and an
//! SMS: with the real binary and a broker. Every call is told within ten seconds, everything else in digests, and the robot blocks nobody.

use super::gateway::{Registry, eventually};
use super::receiver::{Behaviour, Mind, Receiver};
use super::{District, home, publish};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Homes in trouble; `HEARTHWATCH_STORM_HOMES` says how many in a longer run.
const HOMES: usize = 600;
const CALLS: usize = 40;
/// What WeCom takes a minute, and its word for more.
const A_MINUTE: usize = 20;
const TOO_MANY: &str = r#"{"errcode":45009,"errmsg":"api freq out of limit"}"#;

#[test]
fn every_call_of_a_storm_is_told_within_ten_seconds_and_the_robot_blocks_nobody() {
    let asked_for = std::env::var("HEARTHWATCH_STORM_HOMES").ok().map(|n| n.parse().expect("a number"));
    let homes: usize = asked_for.unwrap_or(HOMES);
    let (robot, sms, taken) = (Receiver::start(), Receiver::start(), Arc::new(AtomicUsize::new(0)));
    let refuses = taken.clone();
    robot.behave(Behaviour::Thoughtful(Mind(Arc::new(move |_| {
        let before = refuses.fetch_add(1, Ordering::SeqCst);
        (200, if before < A_MINUTE { r#"{"errcode":0}"# } else { TOO_MANY }.to_owned())
    }))));
    let mut district = District::new(0);
    // A robot signs nothing: its URL is its key.
    let of_robot = "[[channel]]\nid = \"robot\"\ndialect = \"wecom\"\nlanguage = \"en\"\nallow_private = true\nurl = ";
    let mut text = format!("{of_robot}\"{}\"\n[[responder]]\nid = \"robot\"\nchannels = [\"robot\"]\n", robot.url());
    let registry = Registry::default()
        .channel(&district.gateway, "sms", &sms.url())
        .ladder("life", 600, &[("robot", 60), ("sms", 600)])
        .ladder("property", 3_600, &[("robot", 3_600)]);
    text.push_str(super::with_homes(registry, homes).text());
    district.gateway.import(&text);
    district.gateway.start();

    let leak = |n: usize| (format!("zigbee2mqtt/{}/leak", home(n)), r#"{"water_leak":true}"#.to_owned());
    let leaks: Vec<(String, String)> = (CALLS..homes).map(leak).collect();
    publish(&district.broker.url(), leaks.iter().map(|(topic, payload)| (topic.as_str(), payload.as_str())));
    let since = Instant::now();
    district.press(0..CALLS);

    let named = |receiver: &Receiver| -> BTreeSet<String> {
        let bodies = receiver.requests().into_iter().map(|request| String::from_utf8_lossy(&request.body).into_owned());
        let all: String = bodies.filter(|body| body.contains("LIFE") || body.contains("\"sos\"")).collect();
        (0..CALLS).map(home).filter(|home| all.contains(home.as_str())).collect()
    };
    eventually("every call is named to the group", || named(&robot).len() == CALLS);
    let took = since.elapsed();
    println!("{CALLS} calls among {homes} homes in trouble: the last named to the group after {} ms", took.as_millis());
    assert!(took < Duration::from_secs(10), "{took:?}");
    eventually("what the robot had no place for went on at once", || named(&sms).len() >= CALLS - A_MINUTE);
    assert!(since.elapsed() < Duration::from_secs(10), "{:?}", since.elapsed());
    let asked = taken.load(Ordering::SeqCst);
    assert!(asked <= A_MINUTE, "the robot was asked {asked} times");
    let requests = robot.requests();
    assert!(
        requests.iter().any(|request| String::from_utf8_lossy(&request.body).contains("digest")),
        "one is a digest"
    );
}
