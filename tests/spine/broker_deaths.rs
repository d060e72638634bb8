//! kill -9 of the service and of the broker, in seeded rounds under load, with the deployed configuration of the broker byte for byte.
//!
//! A press that its publisher saw accepted can be lost in two places. What the service acknowledged may not be lost: 0. What the broker
//! forgot before it was acknowledged is the broker's loss: it saves its sessions once a second (`autosave_interval 1`), so its death
//! costs what it accepted since then. That figure is counted and printed; who needs it smaller takes another broker, or repeats.

use super::broker::Broker;
use super::gateway::{Gateway, Registry, eventually};
use super::kills::{Calm, check_ids};
use super::listener::publish_while_it_lives;
use super::receiver::Receiver;
use super::witness::Witness;
use super::{Dice, PRESS};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::Duration;

const READINGS_AT_ONCE: usize = 60;
const PAUSE: Duration = Duration::from_millis(40);
/// Each of both dies within this time after the round has begun, and is away for less than [`AWAY_MS`].
const ROUND_MS: u64 = 1_600;
const AWAY_MS: u64 = 300;

#[test]
fn what_the_gateway_acknowledged_survives_kill_9_of_itself_and_of_the_broker() {
    let (rounds, homes) = if super::long() { (200, 12_000) } else { (6, 500) };
    let mut dice = Dice::thrown();
    let (mut broker, desk) = (Broker::start(), Receiver::start());
    let witness = Witness::before(broker.port());
    let mut gateway = Gateway::new(&witness.url());
    gateway.set("HEARTHWATCH__MQTT__LIFE_TOPICS", "zigbee2mqtt/+/sos");
    let registry = Registry::default().channel(&gateway, "desk", &desk.url()).ladder("life", 3_600, &[("desk", 3_600)]);
    let registry = (0..=homes).map(button).fold(registry, |r, id| r.home(&id, None).device(&id, "sos", false));
    gateway.import(registry.text());
    gateway.start();
    let (url, stop) = (broker.url(), AtomicBool::new(false));
    let accepted = std::thread::scope(|scope| {
        let calm = Calm(&stop);
        let load = scope.spawn(|| load(&url, homes, &stop));
        for _ in 0..rounds {
            let (first, second) = (dice.below(ROUND_MS), dice.below(ROUND_MS));
            let broker_first = dice.below(2) == 0;
            sleep(Duration::from_millis(first.min(second)));
            for broker_dies in [broker_first, !broker_first] {
                if broker_dies {
                    broker.kill();
                    sleep(Duration::from_millis(dice.below(AWAY_MS)));
                    broker.restart();
                } else {
                    assert!(gateway.kill(), "it was alive until it was killed");
                    sleep(Duration::from_millis(dice.below(AWAY_MS)));
                    gateway.spawn();
                }
                if broker_dies == broker_first {
                    sleep(Duration::from_millis(first.abs_diff(second)));
                }
            }
        }
        drop(calm);
        load.join().expect("the load")
    });
    gateway.ready();
    // Behind all that waits in either session.
    publish_last(&url, homes);
    eventually("the last press and reading", || {
        let past = gateway.past();
        past.open(&button(homes), "sos").is_some() && past.numbers.contains_key(&LAST_READING)
    });
    let past = gateway.past();
    let alarmed: BTreeSet<String> = past.alarms.keys().map(|(home, _)| topic_of(home)).collect();
    let seen = witness.seen();
    let lost: BTreeSet<&String> = accepted.iter().filter(|topic| !alarmed.contains(*topic)).collect();
    let of = |some: &BTreeSet<String>| lost.iter().filter(|topic| some.contains(**topic)).count();
    let (by_life, by_bulk, delivered) =
        (of(&seen.acknowledged_by_life), of(&seen.acknowledged_by_bulk), of(&seen.delivered));
    println!(
        "{rounds} rounds of two kills: {} presses accepted by the broker, {} alarms, {} requests; lost after an acknowledgement of the gateway: {by_life} (life), {by_bulk} (a copy, bulk); lost by the broker: {} ({delivered} of them had been on the way)",
        accepted.len(),
        past.alarms.len(),
        desk.requests().len(),
        lost.len() - by_life.max(by_bulk),
    );
    assert_eq!(by_life, 0, "{lost:?}");
    assert_eq!(by_bulk, 0, "{lost:?}");
    eventually("a notice of each alarm", || {
        let requests = desk.requests();
        let told: BTreeSet<_> = requests.iter().map(|r| r.json()["data"]["alarm"]["id"].to_string()).collect();
        past.alarms.values().flatten().all(|alarm| told.contains(&format!("\"{}\"", alarm.id)))
    });
    assert!(past.alarms.values().all(|all| all.len() == 1) && past.damage.is_empty(), "{:?}", past.damage);
    check_ids(&desk.requests());
}

/// Publishes until `stop`, each press in another home; gives the topics of the presses that the broker accepted.
fn load(url: &str, homes: usize, stop: &AtomicBool) -> BTreeSet<String> {
    let mut accepted = BTreeSet::new();
    let mut readings = 0..;
    for n in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let mut messages = Vec::new();
        if n < homes {
            messages.push((format!("zigbee2mqtt/{}/sos", button(n)), PRESS.to_owned()));
        }
        for reading in readings.by_ref().take(READINGS_AT_ONCE) {
            let topic = format!("zigbee2mqtt/{}/plug", button(reading % homes));
            messages.push((topic, format!(r#"{{"power":{reading},"linkquality":90}}"#)));
        }
        let took = publish_while_it_lives(url, &messages);
        let presses = messages.iter().zip(took).filter(|((topic, _), took)| *took && topic.ends_with("/sos"));
        accepted.extend(presses.map(|((topic, _), _)| topic.clone()));
        sleep(PAUSE);
    }
    accepted
}

const LAST_READING: i64 = 900_000_000;

fn publish_last(url: &str, homes: usize) {
    let last = [
        (format!("zigbee2mqtt/{}/sos", button(homes)), PRESS.to_owned()),
        (format!("zigbee2mqtt/{}/plug", button(homes)), format!(r#"{{"power":{LAST_READING}}}"#)),
    ];
    assert_eq!(publish_while_it_lives(url, &last), [true, true]);
}

fn button(n: usize) -> String {
    format!("b{n:05}")
}

fn topic_of(home: &str) -> String {
    format!("zigbee2mqtt/{}/sos", home.rsplit('/').find(|part| part.starts_with('b')).unwrap_or(home))
}
