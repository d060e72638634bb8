//! The spine: a press in a home reaches a caseworker, and nothing on the way can lose it. Shown with the real binary, a real
//! mosquitto with the deployed configuration, and a receiver that does as it is told. One file per promise; each test has a broker,
//! a service and data of its own, all on loopback.
//!
//! What the service did is read from two witnesses outside of it: the requests that the receiver saw, and the journal.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a test reads clocks and may fail"
)]

#[path = "../support/broker.rs"]
mod broker;
#[path = "../support/clock.rs"]
mod clock;
#[path = "../support/gateway.rs"]
mod gateway;
#[path = "../support/listener.rs"]
mod listener;
#[path = "../support/mount.rs"]
mod mount;
#[path = "../support/past.rs"]
mod past;
#[path = "../support/power.rs"]
mod power;
#[path = "../support/receiver.rs"]
mod receiver;
#[path = "../support/witness.rs"]
mod witness;

mod answers;
mod broker_deaths;
mod clocks;
mod damage;
mod disks;
mod forms;
mod kills;
mod leaving;
mod outages;
#[cfg(feature = "poison")]
mod poison;
mod power_cuts;
mod retention;

use broker::Broker;
use gateway::{Gateway, Registry};
use listener::publish;
use receiver::Receiver;
use std::time::Duration;

/// How long a notice may take on a loaded machine.
const SOON: Duration = Duration::from_secs(20);

/// One district: a broker, a service that is not started yet, and a receiver behind the channel `desk`.
struct District {
    broker: Broker,
    gateway: Gateway,
    receiver: Receiver,
}

impl District {
    /// `homes` homes `h000`… with a button that is known to call for help, on a ladder of one rung that repeats hourly.
    fn new(homes: usize) -> District {
        let (broker, receiver) = (Broker::start(), Receiver::start());
        let gateway = Gateway::new(&broker.url());
        let registry =
            Registry::default().channel(&gateway, "desk", &receiver.url()).ladder("life", 3_600, &[("desk", 3_600)]);
        gateway.import(with_homes(registry, homes).text());
        District { broker, gateway, receiver }
    }

    /// A device of a home says something that is not retained, and the broker has accepted it.
    fn say(&self, topic: &str, payload: &str) {
        publish(&self.broker.url(), [(topic, payload.to_owned())]);
    }

    /// The alarms' ids of the rung notices that the receiver has seen, each once, in order.
    fn alarms_told(&self) -> Vec<String> {
        let mut ids = Vec::new();
        for request in self.receiver.requests() {
            let id = request.json()["data"]["alarm"]["id"].as_str().expect("an id").to_owned();
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        ids
    }
}

fn with_homes(registry: Registry, homes: usize) -> Registry {
    (0..homes).fold(registry, |registry, n| {
        let id = home(n);
        registry.home(&id, None).device(&id, "sos", true)
    })
}

fn home(n: usize) -> String {
    format!("h{n:03}")
}

/// A press of an SOS button as Zigbee2MQTT publishes it.
const PRESS: &str = r#"{"action":"emergency","battery":91,"linkquality":112}"#;

/// Whether the long forms are asked for.
fn long() -> bool {
    std::env::var_os("HEARTHWATCH_LONG").is_some_and(|value| value == "1")
}

/// Numbers that look random and come again with the same seed (SplitMix64).
struct Dice(u64);

impl Dice {
    /// From `HEARTHWATCH_SEED`, else of the moment; printed, since it is the bug report.
    fn thrown() -> Dice {
        let of_the_moment = || std::time::SystemTime::UNIX_EPOCH.elapsed().map_or(1, |d| d.as_millis() as u64);
        let told = std::env::var("HEARTHWATCH_SEED").ok().and_then(|seed| seed.parse().ok());
        let seed = told.unwrap_or_else(of_the_moment);
        println!("HEARTHWATCH_SEED={seed}");
        Dice(seed)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }
}
