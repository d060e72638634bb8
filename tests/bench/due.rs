//! From a deadline to the webhook, with thousands of alarms open: how late a rung reaches its receiver behind the time that its ladder
//! fixed. Every alarm repeats its rung at its own time, so that so many are due each second.

use crate::Options;
use crate::broker::Broker;
use crate::figures::{line, spread, title};
use crate::gateway::{Gateway, PATIENCE};
use crate::load::{Publisher, homes, messages, presses};
use crate::receiver::Receiver;
use hearthwatch::engine::time::Wall;
use std::collections::HashMap;
use std::time::{Duration, Instant, SystemTime};

/// Open alarms, each in a home of its own.
const ALARMS: u32 = 10_000;
/// They are raised over this time, and repeat as often: a hundred notices a second.
const ROUND: Duration = Duration::from_secs(100);

pub fn run(_: &Options) {
    let broker = Broker::start();
    let receiver = Receiver::start();
    let repeat_s = ROUND.as_secs() as u32;
    let mut gateway = Gateway::with_repeats(&broker.url(), &receiver, &homes(ALARMS), repeat_s);
    gateway.start();
    gateway.wait_until_ready();
    title("Due to sent");
    let since = Instant::now();
    let wall = SystemTime::UNIX_EPOCH.elapsed().expect("after 1970").as_millis() as f64;
    let mut publisher = Publisher::connect(broker.port(), "presses");
    let start = messages(ALARMS, 1).first().map_or(Wall(0), |message| message.at);
    let presses = presses(ALARMS, start);
    assert_eq!(presses.len(), ALARMS as usize, "every home presses");
    for (n, (_, message)) in (0..).zip(presses) {
        publisher.press(&message.topic, message.payload.as_bytes());
        let due = ROUND * n / ALARMS;
        std::thread::sleep(due.saturating_sub(since.elapsed()));
    }
    // Every alarm has been told once, and once more at the time that its ladder fixed then.
    let wanted = 2 * ALARMS as usize;
    let deadline = Instant::now() + ROUND + PATIENCE;
    while receiver.requests().len() < wanted {
        assert!(Instant::now() < deadline, "{} of {wanted} notices", receiver.requests().len());
        std::thread::sleep(Duration::from_millis(500));
    }
    let (mut issued, mut late): (HashMap<String, f64>, Vec<f64>) = (HashMap::new(), Vec::new());
    for request in receiver.requests() {
        let told = request.json();
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        let made = text(&told["time"]).parse::<jiff::Timestamp>().expect("a time").as_millisecond() as f64;
        let arrived = wall + (request.at - since).as_secs_f64() * 1000.0;
        if let Some(before) = issued.insert(text(&told["data"]["alarm"]["id"]), made) {
            late.push(arrived - before - ROUND.as_secs_f64() * 1000.0);
        }
    }
    line(&format!("{} alarms open, {} due a second", issued.len(), ALARMS / repeat_s), spread(&late), "p99 < 50 ms");
}
