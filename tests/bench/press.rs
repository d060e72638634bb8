//! From the press to the webhook: from just before the press is written to the broker until the receiver has read the request.
//!
//! Every press is the first in its home, of a registered device, so it comes by the life lane. Beside it stands what a plain subscriber
//! to the same buttons saw: the broker's own share.

use crate::Options;
use crate::broker::Broker;
use crate::figures::{line, median, ms, spread, title};
use crate::gateway::{Gateway, PATIENCE};
use crate::ingest::notice_of;
use crate::load::{Load, Publisher, homes, mark, messages, presses};
use crate::receiver::Receiver;
use hearthwatch::engine::time::Wall;
use hearthwatch::fleet::Message;
use hearthwatch::journal::disk::{Access, Disk, RealDisk};
use rumqttc::{Client, Event, MqttOptions, Packet, QoS};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const EVERY: Duration = Duration::from_millis(20);
const DRAINS: usize = 3;

struct Stage {
    broker: Broker,
    receiver: Arc<Receiver>,
    gateway: Gateway,
    publisher: Publisher,
    presses: std::vec::IntoIter<(String, Message)>,
    /// When a plain subscriber first had each message of a button, by topic and payload.
    plain: Plain,
}

type Plain = Arc<Mutex<HashMap<(String, Vec<u8>), Instant>>>;

/// What came of a series of presses, in ms.
struct Series {
    webhook: Vec<f64>,
    broker: Vec<f64>,
}

impl Series {
    fn print(&self, what: &str, goal: &str) {
        line(what, spread(&self.webhook), goal);
        line("  of which the broker", spread(&self.broker), "");
        let own: Vec<f64> = self.webhook.iter().zip(&self.broker).map(|(all, broker)| all - broker).collect();
        line("  without the broker", spread(&own), "");
    }
}

pub fn run(options: &Options) {
    let all = messages(options.homes, options.messages);
    let start = all.last().map_or(Wall(0), |m| m.at);
    let load = Load::new(&all);
    let broker = Broker::start();
    let receiver = Arc::new(Receiver::start());
    let mut gateway = Gateway::new(&broker.url(), &receiver, &homes(options.homes));
    gateway.start();
    gateway.wait_until_ready();
    let plain = subscribe_plainly(broker.port());
    let publisher = Publisher::connect(broker.port(), "presses");
    let presses = presses(options.homes, start).into_iter();
    let mut stage = Stage { broker, receiver, gateway, publisher, presses, plain };

    title("Press to webhook");
    let sync = fdatasync(&stage.gateway);
    let exchange = http_exchange();
    line("one fdatasync", spread(&sync), "");
    line("one HTTP exchange on loopback", spread(&exchange), "");
    let base = median(&sync) + median(&exchange);
    let idle = stage.series(300, || true);
    idle.print("idle", "p50 < 2 × (fdatasync + exchange)");
    line("  p50 over fdatasync + exchange", format!("{:.2}", median(&idle.webhook) / base), "< 2");
    stage.beside(&load, 1_000.0).print("beside 1,000 messages/s", "p99 < 10 ms");
    stage.during_drains(&load).print(&format!("during the drain of {}", load.count), "p99 < 100 ms");
}

impl Stage {
    /// At most `count` presses, each in a home of its own, as long as `go_on` says so.
    fn series(&mut self, count: usize, go_on: impl Fn() -> bool) -> Series {
        let mut pressed = Vec::new();
        let mut due = Instant::now();
        while pressed.len() < count && go_on() {
            let (home, message) = self.presses.next().expect("a home that has not pressed; take more --homes");
            let at = Instant::now();
            self.publisher.press(&message.topic, message.payload.as_bytes());
            pressed.push((home, (message.topic.to_string(), message.payload.into_bytes()), at));
            due += EVERY;
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
        }
        let noticed = self.notices(pressed.len(), &pressed[0].0);
        let plain = self.plain.lock().expect("the subscriber lives");
        let webhook = pressed.iter().map(|(home, _, at)| ms(noticed[home] - *at)).collect();
        let broker = pressed.iter().map(|(_, message, at)| ms(plain[message] - *at)).collect();
        Series { webhook, broker }
    }

    /// The first notice of each home, once there are `count` beginning with that of `first`.
    fn notices(&self, count: usize, first: &str) -> HashMap<String, Instant> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let mut noticed = HashMap::new();
            let mut of_series = 0;
            for request in self.receiver.requests() {
                let id = request.json()["data"]["home"]["id"].as_str().unwrap_or_default().to_owned();
                of_series += usize::from(*first <= *id && id.starts_with('h') && !noticed.contains_key(&id));
                noticed.entry(id).or_insert(request.at);
            }
            if of_series >= count {
                return noticed;
            }
            assert!(Instant::now() < deadline, "{of_series} of {count} presses were noticed");
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    fn beside(&mut self, load: &Load, rate: f64) -> Series {
        let port = self.broker.port();
        let on = AtomicBool::new(true);
        std::thread::scope(|scope| {
            scope.spawn(|| load.send(port, Some(rate), &|| on.load(Ordering::Relaxed)));
            std::thread::sleep(Duration::from_secs(1));
            let series = self.series(500, || true);
            on.store(false, Ordering::Relaxed);
            series
        })
    }

    fn during_drains(&mut self, load: &Load) -> Series {
        let mut all = Series { webhook: Vec::new(), broker: Vec::new() };
        for drain in 0..DRAINS {
            self.gateway.stop();
            let marks = ["begin", "end"].map(|m| format!("{m}{drain}"));
            let press = |publisher: &mut Publisher, name: &str| {
                let (topic, payload) = mark(name);
                publisher.press(&topic, payload.as_bytes());
            };
            press(&mut self.publisher, &marks[0]);
            load.send(self.broker.port(), None, &|| true);
            press(&mut self.publisher, &marks[1]);
            self.gateway.start();
            notice_of(&self.receiver, &marks[0]);
            let begun = Instant::now();
            let stop = AtomicBool::new(false);
            let receiver = self.receiver.clone();
            let series = std::thread::scope(|scope| {
                scope.spawn(|| {
                    let end = notice_of(&receiver, &marks[1]);
                    stop.store(true, Ordering::Relaxed);
                    line("  a drain", format!("{:.2} s", (end - begun).as_secs_f64()), "");
                });
                self.series(usize::MAX, || !stop.load(Ordering::Relaxed))
            });
            all.webhook.extend(series.webhook);
            all.broker.extend(series.broker);
        }
        all
    }
}

/// A plain subscriber to all buttons, which notes when each press came.
fn subscribe_plainly(port: u16) -> Plain {
    let (client, mut events) = Client::new(MqttOptions::new("plain", "127.0.0.1", port), 10);
    client.subscribe("zigbee2mqtt/+/sos_button", QoS::AtLeastOnce).expect("a request");
    let seen = Arc::new(Mutex::new(HashMap::new()));
    let theirs = seen.clone();
    std::thread::spawn(move || {
        for event in events.iter().map_while(Result::ok) {
            if let Event::Incoming(Packet::Publish(publish)) = event {
                let message = (publish.topic, publish.payload.to_vec());
                theirs.lock().expect("nobody fails").entry(message).or_insert_with(Instant::now);
            }
        }
        drop(client);
    });
    seen
}

/// A record's worth written into a file allocated beforehand, and synced: as the journal does it, and where it lies.
fn fdatasync(gateway: &Gateway) -> Vec<f64> {
    let file = RealDisk.open(&gateway.file("probe"), Access::Create).expect("a file");
    let record = [7; 1_024];
    file.allocate(1 << 20).expect("room");
    file.sync().expect("a sync");
    let one = |at: u64| {
        std::thread::sleep(EVERY);
        let begun = Instant::now();
        file.write_at(&record, at * record.len() as u64).expect("a write");
        file.sync().expect("a sync");
        ms(begun.elapsed())
    };
    (0..200).map(one).collect()
}

/// The gateway's HTTP client with a kept connection, and a body as long as a notice.
fn http_exchange() -> Vec<f64> {
    let receiver = Receiver::start();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().expect("a client");
    let one = |_: u32| {
        std::thread::sleep(EVERY);
        let begun = Instant::now();
        let request = client.post(receiver.url()).body(vec![b'x'; 1_024]).send();
        let answer = runtime.block_on(request).expect("an answer");
        assert!(answer.status().is_success());
        ms(begun.elapsed())
    };
    (0..200).map(one).collect()
}
