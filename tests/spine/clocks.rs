//! The wall clock is set under the running service, while an alarm climbs. Waits follow the boot-time clock, so the rungs come at their
//! real times whatever the wall says; nothing is invented and nothing lost, over a kill -9 too. Only a clock that is set while nobody
//! runs is believed, as there is nothing else to go by: set forward, what was due meanwhile comes at once and late; set back, the
//! time away does not count, and the log says that the clock is doubtful.

use super::clock::Settable;
use super::gateway::{Gateway, Registry, eventually};
use super::receiver::Request;
use super::{Broker, PRESS, Receiver, SOON};
use std::thread::sleep;
use std::time::{Duration, Instant};

const WAITS_S: [u32; 4] = [2, 4, 3, 3_600];
/// By how much a rung may be late on a loaded machine; never early.
const SLACK: Duration = Duration::from_secs(3);

#[test]
fn an_hour_forward_under_a_climbing_alarm() {
    stepped_while_it_runs("+3600");
}

#[test]
fn an_hour_back_under_a_climbing_alarm() {
    stepped_while_it_runs("-3600");
}

#[test]
fn a_clock_set_forward_while_nobody_runs_makes_what_was_due_come_at_once_and_late() {
    let mut climb = Climb::begin();
    assert!(climb.gateway.kill());
    climb.clock.set("+3600");
    climb.gateway.start();
    let requests = climb.receiver.wait_for(2, Duration::from_secs(2));
    assert!(requests[1].json()["data"]["alarm"]["late_by_s"].as_u64().expect("seconds") > 3_000);
    climb.finish();
}

#[test]
fn a_clock_set_back_while_nobody_runs_is_doubted_and_costs_no_rung() {
    let mut climb = Climb::begin();
    assert!(climb.gateway.kill());
    climb.clock.set("-3600");
    climb.gateway.start();
    assert!(climb.gateway.said().contains("the wall clock is doubtful"), "{}", climb.gateway.said());
    climb.finish();
}

/// Sets the clock between the first rung and the second, kills the process between the second and the third.
fn stepped_while_it_runs(offset: &str) {
    let mut climb = Climb::begin();
    climb.clock.set(offset);
    climb.gateway.wait_for_line("the wall clock was set");
    climb.receiver.wait_for(2, SOON);
    eventually("the outcome of the second", || climb.gateway.past().attempts.len() == 2);
    assert!(climb.gateway.kill());
    sleep(Duration::from_millis(700));
    climb.gateway.start();
    let requests = climb.finish();
    let waits: Vec<Duration> = requests.windows(2).map(|pair| pair[1].at - pair[0].at).collect();
    for (wait, due) in waits.iter().zip(WAITS_S) {
        let due = Duration::from_secs(due.into());
        // The time away is taken from the wall clock, so to a few milliseconds.
        assert!(*wait + Duration::from_millis(100) >= due && *wait < due + SLACK, "{offset}: {waits:?}");
    }
    let signed = |n: usize| requests[n].header("webhook-timestamp").expect("a time").parse::<i64>().expect("seconds");
    let set = (signed(1) - signed(0)).abs();
    assert!((3_500..3_700).contains(&set), "the service's clock was set under it: by {set} s");
    println!("the clock set by {offset} s: waits of {waits:?} where {WAITS_S:?} were due");
}

/// One alarm on its way up.
struct Climb {
    broker: Broker,
    receiver: Receiver,
    gateway: Gateway,
    clock: Settable,
}

impl Climb {
    /// A press has been told to the first rung, and that is written.
    fn begin() -> Climb {
        let (broker, receiver) = (Broker::start(), Receiver::start());
        let mut gateway = Gateway::new(&broker.url());
        let clock = Settable::of(&mut gateway);
        let rungs: Vec<(&str, u32)> = ["one", "two", "three", "four"].into_iter().zip(WAITS_S).collect();
        let registry = rungs.iter().fold(Registry::default(), |registry, (rung, _)| {
            registry.channel(&gateway, rung, &format!("{}/{rung}", receiver.url()))
        });
        gateway.import(super::with_homes(registry.ladder("life", 3_600, &rungs), 2).text());
        gateway.start();
        super::publish(&broker.url(), [("zigbee2mqtt/h000/sos", PRESS.to_owned())]);
        receiver.wait_for(1, SOON);
        eventually("the first outcome", || gateway.past().attempts.len() == 1);
        Climb { broker, receiver, gateway, clock }
    }

    /// Every rung was told once and in order, a press of another home still alarms, and there is no alarm but these two.
    fn finish(&mut self) -> Vec<Request> {
        let requests = self.receiver.wait_for(4, SOON);
        let began = Instant::now();
        super::publish(&self.broker.url(), [("zigbee2mqtt/h001/sos", PRESS.to_owned())]);
        self.receiver.wait_for(5, SOON);
        assert!(began.elapsed() < SLACK, "{:?}", began.elapsed());
        let rungs: Vec<_> = requests.iter().map(|r| r.json()["data"]["rung"].as_u64().expect("a rung")).collect();
        assert_eq!(rungs, [1, 2, 3, 4], "each once");
        let past = self.gateway.past();
        // An hour that nobody can tell from an hour of absence is an outage of the gateway's.
        let of_homes = |home: &str| !home.starts_with("gateway/");
        let alarms = past.alarms.keys().map(|(home, kind)| (home.as_str(), kind.as_str()));
        let alarms: Vec<_> = alarms.filter(|(home, _)| of_homes(home)).collect();
        assert_eq!(alarms, [("h000", "sos"), ("h001", "sos")]);
        // A notice leaves before the board shows what it tells of.
        let shown = || self.gateway.shown_open().iter().filter(|(home, _)| of_homes(home)).count();
        eventually("both on the board", || shown() == 2);
        requests[..4].to_vec()
    }
}
