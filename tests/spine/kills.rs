//! kill -9 at seeded moments of a storm. The gateway may forget nothing that the broker accepted, and say nothing twice under two names.
//!
//! That this can fail is shown by a mutant that acknowledges before it writes:
//! `HEARTHWATCH_LONG=1 cargo test --features ack-early --test spine kill_9` is to be red.

use super::broker::Broker;
use super::gateway::{Gateway, PATIENCE, Past, Registry, eventually, verified};
use super::listener::publish;
use super::receiver::{Receiver, Request};
use super::{Dice, PRESS, SOON, home};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Of all buttons so many in the first place belong to a registered home; the others nobody registered. Enough of them, so that new
/// alarms are raised until the last kill.
const REGISTERED: usize = 300;
const PRESSES_AT_ONCE: usize = 12;
const READINGS_AT_ONCE: usize = 120;
/// After the start of a process, at most so long until it is killed: in its recovery, its backlog, or its daily work.
const LONGEST_LIFE_MS: u64 = 1_300;
/// Every second one is killed so soon after it hears again, while its backlog comes in large turns.
const BACKLOG_MS: u64 = 80;
/// Until the second rung of each alarm.
const SECOND_RUNG_S: u32 = 3;

#[test]
fn what_the_broker_accepted_survives_kill_9_in_a_storm() {
    let (kills, buttons) = if super::long() { (100, 6_000) } else { (10, 700) };
    let mut dice = Dice::thrown();
    let (broker, desk, lead) = (Broker::start(), Receiver::start(), Receiver::start());
    let mut gateway = Gateway::new(&broker.url());
    let registry = Registry::default()
        .channel(&gateway, "desk", &desk.url())
        .channel(&gateway, "lead", &lead.url())
        .ladder("life", 3_600, &[("desk", SECOND_RUNG_S), ("lead", 3_600)]);
    gateway.import(super::with_homes(registry, REGISTERED).text());
    gateway.start();
    let stop = AtomicBool::new(false);
    let (storm, alive) = std::thread::scope(|scope| {
        let calm = Calm(&stop);
        let storm = scope.spawn(|| Storm::blow(&broker.url(), buttons, &stop));
        let mut alive = 0;
        for n in 0..kills {
            if n % 2 == 0 {
                sleep(Duration::from_millis(dice.below(LONGEST_LIFE_MS)));
            } else {
                gateway.wait_for_line("lane=\"bulk\"");
                sleep(Duration::from_millis(dice.below(BACKLOG_MS)));
            }
            alive += u32::from(gateway.kill());
            gateway.spawn();
        }
        drop(calm);
        (storm.join().expect("the storm"), alive)
    });
    assert_eq!(alive, kills, "each was alive until it was killed");
    gateway.ready();
    let pressed = storm.presses.len();
    for receiver in [&desk, &lead] {
        wait_for_homes(receiver, &storm);
    }
    storm.wait_for_readings(&gateway);
    storm.wait_for_ladders(&gateway);
    gateway.wait_for_outcomes();
    let past = gateway.past();
    let counted: u32 = past.alarms.values().flatten().map(|told| told.events).sum();
    let presses: u32 = storm.presses.values().sum();
    let possible = past.alarms.keys().filter(|(_, kind)| kind == "possible_sos").count();
    let late = past.alarms.values().flatten().flat_map(|told| &told.rungs).filter(|(.., late)| *late > 1_000).count();
    let requests: Vec<Request> = desk.requests().into_iter().chain(lead.requests()).collect();
    println!(
        "{kills} kills; {presses} presses of {pressed} buttons counted {counted} times, {} readings; {} requests for {} notices; {late} rungs late, {possible} possible calls",
        storm.readings,
        requests.len(),
        past.notices.len()
    );
    storm.check(&past);
    check_ids(&requests);
    requests.iter().step_by(17).for_each(|request| drop(verified(request)));
}

/// Waits until a receiver has heard of every home in which somebody pressed.
pub fn wait_for_homes(receiver: &Receiver, storm: &Storm) {
    let (deadline, mut read, mut told) = (Instant::now() + PATIENCE, 0, BTreeSet::new());
    loop {
        let requests = receiver.requests();
        let homes =
            requests[read..].iter().map(|r| r.json()["data"]["home"]["id"].as_str().expect("a home").to_owned());
        told.extend(homes.map(|home| own_name(&home).to_owned()));
        read = requests.len();
        let missing = storm.presses.keys().filter(|home| !told.contains(*home)).count();
        if missing == 0 {
            return;
        }
        assert!(Instant::now() < deadline, "{missing} of {} buttons are lost", storm.presses.len());
        sleep(Duration::from_millis(200));
    }
}

/// The name of a home in the topics of its devices, of its id or of that of the home that stands in for it.
fn own_name(id: &str) -> &str {
    id.split('/').nth(2).unwrap_or(id)
}

/// Ends a storm when dropped, so also where the test fails beside it: its scope would wait for ever.
pub struct Calm<'a>(pub &'a AtomicBool);

impl Drop for Calm<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// What was published, and accepted by the broker.
#[derive(Default)]
pub struct Storm {
    /// By the name of the home, which is a part of its id where nobody registered it.
    pub presses: BTreeMap<String, u32>,
    pub readings: i64,
}

impl Storm {
    /// Presses and readings without a pause, until `stop`.
    pub fn blow(url: &str, buttons: usize, stop: &AtomicBool) -> Storm {
        let mut storm = Storm::default();
        let mut next = 0;
        while !stop.load(Ordering::Relaxed) {
            let mut messages = Vec::new();
            let mut pressing = Vec::new();
            for _ in 0..PRESSES_AT_ONCE {
                // A stride that brings every button, registered ones among the others.
                let name = match (next * 7_919) % buttons {
                    n if n < REGISTERED => home(n),
                    n => format!("x{n:04}"),
                };
                messages.push((format!("zigbee2mqtt/{name}/sos"), PRESS.to_owned()));
                pressing.push(name);
                next += 1;
            }
            for n in storm.readings..storm.readings + READINGS_AT_ONCE as i64 {
                messages.push((plug(n), format!(r#"{{"power":{},"linkquality":90}}"#, FIRST_READING + n)));
            }
            publish(url, messages.iter().map(|(topic, payload)| (topic.as_str(), payload.clone())));
            pressing.into_iter().for_each(|name| *storm.presses.entry(name).or_default() += 1);
            storm.readings += READINGS_AT_ONCE as i64;
            sleep(Duration::from_millis(5));
        }
        storm
    }

    /// Waits until every reading is in the journal; but for those in flight at two deaths, each of which became a possible call unread.
    pub fn wait_for_readings(&self, gateway: &Gateway) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let past = gateway.past();
            let all = FIRST_READING..FIRST_READING + self.readings;
            let lost: Vec<i64> = all.filter(|n| !past.numbers.contains_key(n)).collect();
            let unread = |n: &i64| {
                let told =
                    past.alarms.get(&(format!("unreadable/{}", plug(n - FIRST_READING)), "possible_sos".to_owned()));
                told.into_iter().flatten().map(|told| told.events).sum::<u32>()
            };
            let mut missing: BTreeMap<String, (u32, u32)> = BTreeMap::new();
            for n in &lost {
                missing.entry(plug(n - FIRST_READING)).or_insert((0, unread(n))).0 += 1;
            }
            missing.retain(|_, (lost, unread)| lost > unread);
            if missing.is_empty() {
                return;
            }
            assert!(
                Instant::now() < deadline,
                "of {} readings {} are lost; by plug, with the possible calls that stand for them: {missing:?}",
                self.readings,
                lost.len(),
            );
            sleep(Duration::from_millis(200));
        }
    }

    /// Waits until each alarm but the gateway's own has gone up its ladder; a possible call is younger than the last press, since it
    /// takes two deaths.
    pub fn wait_for_ladders(&self, gateway: &Gateway) {
        eventually("the second rung of each alarm", || {
            let alarms = gateway.past().alarms;
            let mut of_homes = alarms.iter().filter(|((home, _), _)| !home.starts_with("gateway/"));
            of_homes.all(|(_, told)| told.iter().all(|told| told.rungs.len() >= 2))
        });
    }

    /// Every press is in one alarm of its home, whose ladder went up step by step.
    pub fn check(&self, past: &Past) {
        let mut counted: BTreeMap<&str, u32> = BTreeMap::new();
        // The gateway's own alarms tell of the cuts.
        for ((home, kind), told) in past.alarms.iter().filter(|((home, _), _)| !home.starts_with("gateway/")) {
            if !home.ends_with("/plug") {
                *counted.entry(own_name(home)).or_default() += told.iter().map(|told| told.events).sum::<u32>();
            }
            // Two deaths in the middle of the same message make it a possible call, in a home of its own.
            assert!(["sos", "possible_sos"].contains(&kind.as_str()) && told.len() == 1, "{home}: {kind} {told:?}");
            let rungs: Vec<(u32, u32)> = told[0].rungs.iter().map(|(rung, round, _)| (*rung, *round)).collect();
            assert_eq!(rungs, [(1, 0), (2, 0)], "{home}: {kind}");
        }
        for (name, presses) in &self.presses {
            let counted = counted.get(name.as_str()).copied().unwrap_or(0);
            assert!(counted >= *presses, "{name}: {presses} presses, {counted} counted");
        }
        assert!(past.damage.is_empty(), "{:?}", past.damage);
    }
}

/// The topic of the plug that tells a reading.
fn plug(reading: i64) -> String {
    format!("zigbee2mqtt/{}/plug", home(reading as usize % REGISTERED))
}

/// No other number of these tests is so large.
const FIRST_READING: i64 = 1_000_000;

/// A notice has one id over all its attempts, no two notices are of the same rung and round, and to a channel the notices of an
/// alarm come in order.
pub fn check_ids(requests: &[Request]) {
    let mut meaning: BTreeMap<String, String> = BTreeMap::new();
    let mut latest: BTreeMap<String, u64> = BTreeMap::new();
    let mut rungs: BTreeMap<String, String> = BTreeMap::new();
    for request in requests {
        let id = request.header("webhook-id").expect("an id").to_owned();
        let body = request.json();
        let data = &body["data"];
        let alarm = data["alarm"]["id"].as_str().expect("an alarm").to_owned();
        let says = format!("{alarm} {} {} {}", body["type"], data["rung"], data["loop"]);
        let before = meaning.entry(id.clone()).or_insert_with(|| says.clone());
        assert_eq!(*before, says, "{id}");
        let to = format!("{} {}", request.header("host").expect("a host"), request.path);
        let first = rungs.entry(format!("{says} to {to}")).or_insert_with(|| id.clone());
        assert_eq!(*first, id, "{says}");
        let number = data["sequence"].as_u64().expect("a number");
        let highest = latest.entry(format!("{alarm} to {to}")).or_insert(number);
        assert!(number >= *highest, "{id} came after notice {highest}");
        *highest = number;
    }
}

#[test]
fn a_ladder_goes_on_where_it_stood_and_what_is_overdue_comes_once_and_late() {
    let (broker, receiver) = (Broker::start(), Receiver::start());
    let mut gateway = Gateway::new(&broker.url());
    let registry = Registry::default()
        .channel(&gateway, "desk", &format!("{}/desk", receiver.url()))
        .channel(&gateway, "deputy", &format!("{}/deputy", receiver.url()))
        .channel(&gateway, "lead", &format!("{}/lead", receiver.url()))
        .ladder("life", 10, &[("desk", 3), ("deputy", 2), ("lead", 10)]);
    gateway.import(super::with_homes(registry, 1).text());
    gateway.start();
    publish(&broker.url(), [("zigbee2mqtt/h000/sos", PRESS.to_owned())]);
    receiver.wait_for(1, SOON);
    let told = Instant::now();
    // Once it is written that the first notice was delivered; before that it would come again, under its id.
    eventually("the first outcome", || gateway.past().attempts.len() == 1);
    assert!(gateway.kill());
    // Over the times of the second and the third rung.
    sleep(Duration::from_secs(7).saturating_sub(told.elapsed()));
    gateway.start();
    let bodies: Vec<_> = receiver.wait_for(3, SOON).iter().map(verified).collect();
    let steps: Vec<_> = bodies.iter().map(|b| (b["data"]["rung"].as_u64(), b["data"]["loop"].as_u64())).collect();
    assert_eq!(steps, [(Some(1), Some(0)), (Some(2), Some(0)), (Some(3), Some(0))], "each once");
    let late: Vec<u64> = bodies.iter().map(|b| b["data"]["alarm"]["late_by_s"].as_u64().expect("seconds")).collect();
    assert_eq!(late[0], 0);
    assert!((3..20).contains(&late[1]), "the second rung, due 3 s after the press, came after 7 s or more: {late:?}");
    assert_eq!(late[2], 0, "the third waited its time anew");
    check_ids(&receiver.requests());
}
