//! The sessions under test with a keeper that a test plays, and a client that publishes.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use hearthwatch::keeper::ports::{Acknowledge, Delivery, Lane};
use hearthwatch::mqtt::{Fault, Hooks, LaneFilters, LinkState, Sessions, Settings, Task, TlsFiles, start};
use rumqttc::mqttbytes::QoS;
use rumqttc::{AsyncClient, Event, MqttOptions, Packet};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;

/// What a test waits for happens within this, or the test fails.
const PATIENCE: Duration = Duration::from_secs(20);

/// Waits until `done`.
pub fn eventually(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !done() {
        assert!(Instant::now() < deadline, "not within {PATIENCE:?}: {what}");
        sleep(Duration::from_millis(5));
    }
}

pub fn settings(url: &str, dir: &Path) -> Settings {
    Settings {
        keepalive_s: 12,
        url: url.to_owned(),
        client_id: "hearthwatch".to_owned(),
        site: "test".to_owned(),
        login: None,
        tls: TlsFiles::default(),
        memory: dir.join("sessions.json"),
    }
}

pub fn filters(life: &[&str], bulk: &[&str]) -> LaneFilters {
    let owned = |list: &[&str]| list.iter().map(|filter| (*filter).to_owned()).collect();
    LaneFilters { life: owned(life), bulk: owned(bulk) }
}

/// Running sessions, and what they delivered that is not durable yet.
pub struct Listener {
    pub sessions: Sessions,
    pub filters: watch::Sender<LaneFilters>,
    tasks: Vec<Task>,
    inbox: Arc<Mutex<Vec<Delivery>>>,
    runtime: Runtime,
}

impl Listener {
    pub fn start(settings: Settings, wanted: LaneFilters) -> Listener {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("runtime");
        let inbox: Arc<Mutex<Vec<Delivery>>> = Arc::default();
        let (filters, wanted) = watch::channel(wanted);
        let into = inbox.clone();
        let hooks = Hooks {
            on_delivery: Arc::new(move |delivery| into.lock().expect("inbox").push(delivery)),
            on_link: Arc::new(|_, _| {}),
        };
        let entered = runtime.enter();
        let (sessions, tasks) = start(settings, wanted, hooks).expect("settings that work");
        drop(entered);
        Listener { sessions, filters, tasks, inbox, runtime }
    }

    pub fn link(&self, lane: Lane) -> LinkState {
        self.lane(lane).link
    }

    pub fn fault(&self, lane: Lane) -> Option<Fault> {
        self.lane(lane).fault
    }

    fn lane(&self, lane: Lane) -> hearthwatch::mqtt::LaneStatus {
        let status = self.sessions.status();
        match lane {
            Lane::Life => status.life,
            Lane::Bulk => status.bulk,
        }
    }

    /// Waits until both lanes are subscribed.
    pub fn ready(&self) {
        eventually("both lanes ready", || {
            [Lane::Life, Lane::Bulk].map(|lane| self.link(lane)) == [LinkState::Ready; 2]
        });
    }

    /// Waits for so many messages on a lane, and takes them out; they are not durable.
    pub fn receive(&self, lane: Lane, n: usize) -> Vec<Delivery> {
        let count = || self.inbox.lock().expect("inbox").iter().filter(|delivery| delivery.lane == lane).count();
        eventually(&format!("{n} messages on {}", lane.name()), || count() >= n);
        self.inbox.lock().expect("inbox").extract_if(.., |delivery| delivery.lane == lane).collect()
    }

    /// Nothing more is there on a lane.
    pub fn nothing(&self, lane: Lane) {
        let inbox = self.inbox.lock().expect("inbox");
        let there: Vec<&str> =
            inbox.iter().filter(|delivery| delivery.lane == lane).map(|delivery| delivery.topic.as_str()).collect();
        assert!(there.is_empty(), "{there:?} on {}", lane.name());
    }

    /// These messages are in the journal.
    pub fn durable(&self, deliveries: &[Delivery]) {
        let tokens: Vec<_> = deliveries.iter().filter_map(|delivery| delivery.token).collect();
        self.sessions.clone().durable(&tokens);
    }

    /// Receives so many and makes them durable.
    pub fn take(&self, lane: Lane, n: usize) -> Vec<Delivery> {
        let taken = self.receive(lane, n);
        self.durable(&taken);
        taken
    }

    /// Waits until the broker has all acknowledgements that are due.
    pub fn all_acknowledged(&self, n: u64) {
        eventually("acknowledgements", || {
            let status = self.sessions.status();
            status.life.acknowledged + status.bulk.acknowledged >= n
        });
    }

    /// Stops as operation does; gives how long it took.
    pub fn stop(self) -> Duration {
        let began = Instant::now();
        self.sessions.stop();
        self.runtime.block_on(async {
            for task in self.tasks {
                tokio::time::timeout(PATIENCE, task.handle).await.expect(task.name).expect(task.name);
            }
        });
        began.elapsed()
    }

    /// Dies as by kill -9: sockets close, nothing is said.
    pub fn die(self) {
        self.runtime.shutdown_timeout(Duration::from_secs(1));
    }
}

/// Publishes messages at QoS 1 and waits until the broker has accepted all of them.
pub fn publish<'a>(url: &str, messages: impl IntoIterator<Item = (&'a str, impl Into<Vec<u8>>)>) {
    let port = url.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
    let mut options = MqttOptions::new(format!("publisher-{:?}", Instant::now()), "127.0.0.1", port);
    options.set_inflight(1000);
    options.set_max_packet_size(16 << 20, 16 << 20);
    let messages: Vec<_> = messages.into_iter().collect();
    let runtime = Builder::new_current_thread().enable_all().build().expect("runtime");
    runtime.block_on(async {
        let (client, mut eventloop) = AsyncClient::new(options, messages.len() + 1);
        let mut open = messages.len();
        for (topic, payload) in messages {
            client.try_publish(topic, QoS::AtLeastOnce, false, payload).expect("room");
        }
        while open > 0 {
            if let Event::Incoming(Packet::PubAck(_)) = eventloop.poll().await.expect("the broker") {
                open -= 1;
            }
        }
        client.try_disconnect().expect("room");
        let _ = eventloop.poll().await;
    });
}

/// Publishes up to 1000 messages at QoS 1 to a broker that may die over it; gives which of them it has accepted for certain.
pub fn publish_while_it_lives(url: &str, messages: &[(String, String)]) -> Vec<bool> {
    let port = url.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
    let mut options = MqttOptions::new(format!("publisher-{:?}", Instant::now()), "127.0.0.1", port);
    options.set_inflight(1000);
    let mut accepted = vec![false; messages.len()];
    let runtime = Builder::new_current_thread().enable_all().build().expect("runtime");
    runtime.block_on(async {
        let (client, mut eventloop) = AsyncClient::new(options, messages.len() + 1);
        for (topic, payload) in messages {
            client.try_publish(topic, QoS::AtLeastOnce, false, payload.as_bytes()).expect("room");
        }
        while accepted.contains(&false) {
            match eventloop.poll().await {
                // A new client counts its packets from 1.
                Ok(Event::Incoming(Packet::PubAck(ack))) => accepted[usize::from(ack.pkid) - 1] = true,
                Ok(_) => {}
                Err(_) => break,
            }
        }
    });
    accepted
}

/// Topic and text of messages, in order.
pub fn texts(deliveries: &[Delivery]) -> Vec<String> {
    deliveries
        .iter()
        .map(|delivery| format!("{} {}", delivery.topic, String::from_utf8_lossy(&delivery.payload)))
        .collect()
}
