//! Figures of the MQTT sessions and of the deployed broker configuration. Not run by default; each prints what it measured:
//! `cargo test --test mqtt_figures -- --ignored --nocapture --test-threads 1`

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a test reads clocks and may fail"
)]

mod support;

use hearthwatch::keeper::ports::{Acknowledge, Delivery, Lane, Token};
use hearthwatch::mqtt::{Hooks, LinkState, start};
use rumqttc::mqttbytes::QoS;
use rumqttc::{AsyncClient, Event, EventLoop, MqttOptions, Packet};
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};
use support::broker::Broker;
use support::listener::{Listener, filters, publish, settings};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;

const MESSAGES: usize = 100_000;
const PAIRS: usize = 9;
/// What a keeper's sync of the journal takes.
const SYNC: Duration = Duration::from_micros(200);

/// Processor time of this process so far, in seconds; the kernel counts in hundredths.
fn cpu_s() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").expect("stat");
    let fields: Vec<&str> = stat.rsplit(')').next().expect("fields").split_whitespace().collect();
    let ticks: f64 = fields[11].parse::<f64>().expect("user") + fields[12].parse::<f64>().expect("system");
    ticks / 100.0
}

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("runtime")
}

fn bare_client(port: u16) -> (AsyncClient, EventLoop) {
    let mut options = MqttOptions::new("bare", "127.0.0.1", port);
    options.set_clean_session(false);
    options.set_max_packet_size(1 << 24, 1 << 24);
    AsyncClient::new(options, 65_535)
}

/// The bare subscriber: it counts, and rumqttc acknowledges by itself.
async fn bare(port: u16, wanted: usize) {
    let (client, mut eventloop) = bare_client(port);
    client.try_subscribe("load/#", QoS::AtLeastOnce).expect("room");
    let mut seen = 0;
    let mut subscribed = false;
    while seen < wanted || !subscribed {
        match eventloop.poll().await.expect("broker") {
            Event::Incoming(Packet::Publish(_)) => seen += 1,
            Event::Incoming(Packet::SubAck(_)) => subscribed = true,
            _ => {}
        }
    }
    client.try_disconnect().expect("room");
    // The broker hangs up when it has read all acknowledgements.
    while eventloop.poll().await.is_ok() {}
}

/// A keeper in its simplest form: a thread that takes all that waits, syncs, and lets the acknowledgements go.
#[derive(Default)]
struct Inbox {
    waiting: Mutex<Vec<Delivery>>,
    filled: Condvar,
}

fn ours(runtime: &Runtime, url: &str, dir: &std::path::Path, wanted: usize) {
    let inbox = Arc::new(Inbox::default());
    let into = inbox.clone();
    let hooks = Hooks {
        on_delivery: Arc::new(move |delivery| {
            let mut waiting = into.waiting.lock().expect("inbox");
            waiting.push(delivery);
            if waiting.len() == 1 {
                into.filled.notify_one();
            }
        }),
        on_link: Arc::new(|_, _| {}),
    };
    let (_keep, wish) = watch::channel(filters(&["load/sos"], &["load/#"]));
    let entered = runtime.enter();
    let (mut sessions, tasks) = start(settings(url, dir), wish, hooks).expect("settings");
    drop(entered);
    while wanted == 0 && sessions.status().bulk.link != LinkState::Ready {
        std::thread::sleep(Duration::from_millis(1));
    }
    let mut seen = 0;
    let (mut batch, mut tokens): (Vec<Delivery>, Vec<Token>) = Default::default();
    while seen < wanted {
        let mut waiting = inbox.waiting.lock().expect("inbox");
        while waiting.is_empty() {
            waiting = inbox.filled.wait(waiting).expect("inbox");
        }
        std::mem::swap(&mut *waiting, &mut batch);
        drop(waiting);
        std::thread::sleep(SYNC);
        seen += batch.len();
        tokens.extend(batch.drain(..).filter_map(|delivery| delivery.token));
        sessions.durable(&tokens);
        tokens.clear();
    }
    sessions.stop();
    runtime.block_on(async {
        for task in tasks {
            task.handle.await.expect(task.name);
        }
    });
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The drain of a backlog by the bare subscriber and by ours, in turns. Both include connecting and leaving.
#[test]
#[ignore = "takes a minute; prints figures"]
fn throughput_beside_a_bare_subscriber() {
    let broker = Broker::start();
    let runtime = runtime();
    runtime.block_on(bare(broker.port(), 0));
    ours(&runtime, &broker.url(), broker.dir(), 0);
    std::thread::sleep(Duration::from_secs(1));
    let (mut ratios, mut rates, mut bare_rates, mut costs) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for pair in 0..PAIRS {
        let payload =
            |i: usize| format!("{{\"occupancy\":true,\"battery\":87,\"linkquality\":{i},\"illuminance\":120}}");
        publish(&broker.url(), (0..MESSAGES).map(|i| ("load/h0012/hall_motion", payload(i))));
        let mut times = [0.0; 2];
        for turn in [pair % 2, 1 - pair % 2] {
            let (began, cpu) = (Instant::now(), cpu_s());
            match turn {
                0 => runtime.block_on(bare(broker.port(), MESSAGES)),
                _ => {
                    ours(&runtime, &broker.url(), broker.dir(), MESSAGES);
                    costs.push((cpu_s() - cpu) * 1e6 / MESSAGES as f64);
                }
            }
            times[turn] = began.elapsed().as_secs_f64();
        }
        bare_rates.push(MESSAGES as f64 / times[0]);
        rates.push(MESSAGES as f64 / times[1]);
        ratios.push(times[0] / times[1]);
        println!("pair {pair}: bare {:.0}/s, ours {:.0}/s, ours at {:.2}", bare_rates[pair], rates[pair], ratios[pair]);
    }
    println!(
        "median: bare {:.0}/s, ours {:.0}/s, ratio {:.2}, {:.1} µs of CPU a message",
        median(&mut bare_rates),
        median(&mut rates),
        median(&mut ratios),
        median(&mut costs)
    );
}

/// How much of what the broker accepted is gone after kill -9, with so many messages queued already.
fn lost_after_kill(queued: usize) -> Vec<usize> {
    (0..8u64)
        .map(|round| {
            let mut broker = Broker::start();
            let listener = Listener::start(settings(&broker.url(), broker.dir()), filters(&[], &["#"]));
            listener.ready();
            listener.stop();
            publish(&broker.url(), (0..queued).map(|i| ("backlog", format!("{i:0100}"))));
            std::thread::sleep(Duration::from_millis(4_000 + round * 370));
            let stop = Arc::new(AtomicBool::new(false));
            let (port, stopped) = (broker.port(), stop.clone());
            // A message a millisecond; counts what the broker has accepted.
            let publisher = std::thread::spawn(move || {
                let runtime = Builder::new_current_thread().enable_all().build().expect("runtime");
                runtime.block_on(async {
                    let mut options = MqttOptions::new("steady", "127.0.0.1", port);
                    options.set_inflight(1_000);
                    let (client, mut eventloop) = AsyncClient::new(options, 100_000);
                    tokio::spawn(async move {
                        let mut ticks = tokio::time::interval(Duration::from_millis(1));
                        while !stopped.load(Ordering::Relaxed) {
                            ticks.tick().await;
                            let _ = client.try_publish("press", QoS::AtLeastOnce, false, "x");
                        }
                        std::future::pending::<()>().await
                    });
                    let mut accepted = 0;
                    while let Ok(event) = eventloop.poll().await {
                        accepted += usize::from(matches!(event, Event::Incoming(Packet::PubAck(_))));
                    }
                    accepted
                })
            });
            std::thread::sleep(Duration::from_millis(5_000 + round * 210));
            broker.kill();
            stop.store(true, Ordering::Relaxed);
            let accepted = publisher.join().expect("publisher");
            broker.restart();
            let listener = Listener::start(settings(&broker.url(), broker.dir()), filters(&[], &["#"]));
            let (mut presses, mut quiet_since) = (0, Instant::now());
            while quiet_since.elapsed() < Duration::from_secs(2) {
                let taken = listener.take(Lane::Bulk, 0);
                if !taken.is_empty() {
                    quiet_since = Instant::now();
                }
                presses += taken.iter().filter(|delivery| delivery.topic == "press").count();
                std::thread::sleep(Duration::from_millis(2));
            }
            listener.stop();
            accepted - presses.min(accepted)
        })
        .collect()
}

#[test]
#[ignore = "takes minutes; prints figures"]
fn what_a_kill_of_the_broker_loses() {
    for queued in [0, 300_000] {
        let lost = lost_after_kill(queued);
        println!("{queued} queued, 1,000 messages/s: lost {lost:?} accepted messages (a message is a millisecond)");
    }
}

/// How fast the broker takes messages while the gateway is away and its queue grows.
#[test]
#[ignore = "takes a minute; prints figures"]
fn how_fast_the_broker_queues_while_we_are_away() {
    let broker = Broker::start();
    let listener = Listener::start(settings(&broker.url(), broker.dir()), filters(&[], &["#"]));
    listener.ready();
    listener.stop();
    for part in 0..6 {
        let began = Instant::now();
        publish(&broker.url(), (0..100_000).map(|i| ("away", format!("{i:0100}"))));
        println!("messages {}00,000 to {}00,000: {:.1} s", part, part + 1, began.elapsed().as_secs_f64());
    }
}

#[test]
#[ignore = "takes half a minute; prints figures"]
fn how_soon_a_broker_that_hangs_is_noticed() {
    let broker = Broker::start();
    let listener = Listener::start(settings(&broker.url(), broker.dir()), filters(&["sos"], &["#"]));
    listener.ready();
    let began = Instant::now();
    broker.freeze();
    while listener.link(Lane::Life) != LinkState::Down {
        std::thread::sleep(Duration::from_millis(10));
        assert!(began.elapsed() < Duration::from_secs(40));
    }
    println!("after {:.1} s: {:?}", began.elapsed().as_secs_f64(), listener.fault(Lane::Life));
    broker.thaw();
    listener.ready();
}
