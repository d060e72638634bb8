//! The spine: a press in a home reaches a caseworker, and nothing on the way can lose it. Shown with the real binary, a real
//! mosquitto with the deployed configuration, and a receiver that does as it is told. One file per promise; each test has a broker,
//! a service and data of its own, all on loopback.
//!
//! What the service did is read from two witnesses outside of it: the requests that the receiver saw, and the journal.
//!
//! | fault (file) | what happened | what was lost | how an operator learns of it |
//! | --- | --- | --- | --- |
//! | kill -9 in a storm (`kills`) | starts again, goes on where the ladder stood | nothing | a supervisor's restart; overdue rungs are marked late |
//! | power cut, only synced bytes left (`power_cuts`) | the torn end is cut | nothing acknowledged; presses may count twice | log: a torn record was cut off |
//! | … with `no-sync`, `ack-early` | red: 487 and 42 of 500 buttons lost | | |
//! | kill -9 of gateway and broker, 200 rounds (`broker_deaths`) | 3,015 presses accepted at 10 a second, 1,252 of them alarms | after the gateway's PUBACK 0; by the broker 1,763: 0.9 s of presses a death, for its `autosave_interval` of 1 s | log and `hearthwatch_session_up`: the link breaks; nobody is told of what the broker forgot |
//! | retention dropped the first segments, store lost, journal torn (`retention`) | the store is built anew, the checkpoints have the rest | nothing | alarm `store_rebuilt`, log |
//! | clock set by an hour while it runs (`clocks`) | rungs at their real times | nothing | log: the wall clock was set; `hearthwatch_wall_steps_total` |
//! | clock set while nobody runs (`clocks`) | forward: what was due comes at once; back: the time away does not count | nothing | late notices; log: the wall clock is doubtful |
//! | disk full to the last block (`disks`) | presses go into the reserve, readings wait at the broker, the store rests | nothing | `/readyz` 503, `hearthwatch_journal_full`, log; alarm `store_rebuilt` at the next start |
//! | no room at the first start (`disks`) | leaves with 1 | nothing | last line: the file, No space left on device |
//! | read-only at the start, or while it runs (`disks`) | leaves with 1, recovers when mended | nothing | last line: Read-only file system |
//! | no descriptor left (`descriptors`) | alarms are written, notices end as `refused`; at the next segment it leaves with 1 | nothing | last line: Too many open files |
//! | idle connections to the console, more than there are descriptors (`descriptors`) | they fill the console's places and no more; notices go out | nothing | no answer of `/healthz` until some leave |
//! | receivers: no such name, a byte a second, 10 MB, and nine others (`answers`) | a named outcome each, the ladder goes on | nothing | log, `hearthwatch_attempts_total`, the deliveries of the console |

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
#[path = "../support/port.rs"]
mod port;
#[path = "../support/power.rs"]
mod power;
#[path = "../support/receiver.rs"]
mod receiver;
#[path = "../support/witness.rs"]
mod witness;

mod answers;
mod broker_deaths;
mod clocks;
mod commissioning;
mod damage;
mod deafness;
mod descriptors;
mod disks;
mod explain;
mod forms;
mod hostile;
mod kills;
mod leaving;
mod outages;
#[cfg(feature = "poison")]
mod poison;
mod power_cuts;
mod retention;
mod storm;

use broker::Broker;
use gateway::{Gateway, Registry, eventually};
use listener::publish;
use receiver::Receiver;
use std::collections::BTreeSet;
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
        District::on(homes, |_| {})
    }

    /// The same, with the service's folders made ready first.
    fn on(homes: usize, ready: impl FnOnce(&Gateway)) -> District {
        let (broker, receiver) = (Broker::start(), Receiver::start());
        let gateway = Gateway::new(&broker.url());
        ready(&gateway);
        let registry =
            Registry::default().channel(&gateway, "desk", &receiver.url()).ladder("life", 3_600, &[("desk", 3_600)]);
        gateway.import(with_homes(registry, homes).text());
        District { broker, gateway, receiver }
    }

    /// A device of a home says something that is not retained, and the broker has accepted it.
    fn say(&self, topic: &str, payload: &str) {
        publish(&self.broker.url(), [(topic, payload.to_owned())]);
    }

    /// Somebody presses in each of these homes.
    fn press(&self, homes: std::ops::Range<usize>) {
        homes.for_each(|n| self.say(&format!("zigbee2mqtt/{}/sos", home(n)), PRESS));
    }

    /// Waits until the receiver has heard of an alarm in each of the first `homes` homes.
    fn wait_told(&self, homes: usize) {
        eventually(&format!("a notice of each of {homes} homes"), || {
            let requests = self.receiver.requests();
            let told: BTreeSet<_> = requests.iter().map(|r| r.json()["data"]["home"]["id"].to_string()).collect();
            (0..homes).all(|n| told.contains(&format!("\"{}\"", home(n))))
        });
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

/// Numbers that look random and come again with the same seed.
struct Dice(hearthwatch::fleet::Dice);

impl Dice {
    /// From `HEARTHWATCH_SEED`, else of the moment; printed, since it is the bug report.
    fn thrown() -> Dice {
        let of_the_moment = || std::time::SystemTime::UNIX_EPOCH.elapsed().map_or(1, |d| d.as_millis() as u64);
        let told = std::env::var("HEARTHWATCH_SEED").ok().and_then(|seed| seed.parse().ok());
        let seed = told.unwrap_or_else(of_the_moment);
        println!("HEARTHWATCH_SEED={seed}");
        Dice(hearthwatch::fleet::Dice::new(seed, 0))
    }

    fn below(&mut self, end: u64) -> u64 {
        self.0.roll() % end
    }
}
