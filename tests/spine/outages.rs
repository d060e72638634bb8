//! A hundred presses while the gateway, the receiver, or both are away: lost 0, 0 and 0.

use super::receiver::Behaviour;
use super::{District, PRESS, home};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

const PRESSES: usize = 100;
/// Between two presses: all of them take about five seconds.
const PAUSE: Duration = Duration::from_millis(50);
const RECEIVER_AWAY: Duration = Duration::from_secs(3);

#[test]
fn a_hundred_presses_while_the_gateway_is_killed_and_restarted() {
    hundred_presses(true, false);
}

#[test]
fn a_hundred_presses_while_the_receiver_is_unavailable() {
    hundred_presses(false, true);
}

#[test]
fn a_hundred_presses_while_both_are_away() {
    hundred_presses(true, true);
}

fn hundred_presses(gateway_dies: bool, receiver_fails: bool) {
    let mut district = District::new(PRESSES);
    district.gateway.start();
    let mut failing: Option<Instant> = None;
    // The requests up to here were answered with 200; those of the bad time were not.
    let mut bad = 0..0;
    for n in 0..PRESSES {
        match n {
            20 if receiver_fails => {
                district.receiver.behave(Behaviour::Status(503));
                bad.start = district.receiver.requests().len();
                failing = Some(Instant::now());
            }
            40 if gateway_dies => assert!(district.gateway.kill()),
            60 if gateway_dies => district.gateway.spawn(),
            _ => {}
        }
        if failing.is_some_and(|since| since.elapsed() >= RECEIVER_AWAY) {
            failing = None;
            bad.end = recover(&district);
        }
        district.say(&format!("zigbee2mqtt/{}/sos", home(n)), PRESS);
        std::thread::sleep(PAUSE);
    }
    if let Some(since) = failing {
        std::thread::sleep(RECEIVER_AWAY.saturating_sub(since.elapsed()));
        bad.end = recover(&district);
    }
    let deadline = Instant::now() + super::gateway::PATIENCE;
    let missing = loop {
        let told: BTreeSet<String> = (0..)
            .zip(district.receiver.requests())
            .filter(|(n, _)| !bad.contains(n))
            .map(|(_, request)| request.json()["data"]["home"]["id"].as_str().expect("a home").to_owned())
            .collect();
        let missing: Vec<String> = (0..PRESSES).map(home).filter(|home| !told.contains(home)).collect();
        if missing.is_empty() || Instant::now() > deadline {
            break missing;
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    let lost = missing.len();
    let (sent, refused) = (district.receiver.requests().len(), bad.len());
    println!(
        "gateway killed: {gateway_dies}, receiver 503: {receiver_fails}: {PRESSES} presses, {sent} requests, {refused} refused, lost {lost}"
    );
    assert_eq!(lost, 0, "{missing:?}");
    let past = district.gateway.past();
    assert!((0..PRESSES).all(|n| past.alarms.get(&(home(n), "sos".into())).is_some_and(|alarms| alarms.len() == 1)));
    super::kills::check_ids(&district.receiver.requests());
}

/// The receiver is well again; gives how many requests it has seen.
fn recover(district: &District) -> usize {
    district.receiver.behave(Behaviour::Status(200));
    district.receiver.requests().len()
}
