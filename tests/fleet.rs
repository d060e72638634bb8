//! The fleet against real brokers: mosquitto as it is deployed, and the demo's own.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "this whole file is a test")]
#![expect(
    clippy::disallowed_methods,
    reason = "tasks of a test end with its runtime; a broker is asked until it listens"
)]

#[path = "support/broker.rs"]
mod broker;
#[path = "support/port.rs"]
mod port;

use broker::Broker;
use hearthwatch::engine::kind::Kind;
use hearthwatch::engine::reading::{Form, Speaker, Value};
use hearthwatch::engine::time::Millis;
use hearthwatch::fleet::publish::{RunError, RunOptions, RunReport, run};
use hearthwatch::fleet::{Cause, Fleet, FleetOptions};
use hearthwatch::wire::{self, Lore, Outcome};
use port::Port;
use rumqttc::{AsyncClient, Event, EventLoop, MqttOptions, Packet, Publish, QoS};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// The gateway understands the whole fleet: every press is one, nothing else is, and every address is in the roster.
#[test]
fn the_decoder_reads_from_every_message_what_the_fleet_meant() {
    let sources = wire::default_sources();
    let mut lore = Lore::default();
    let options = FleetOptions {
        presses_per_home_month: 30.0,
        dangers_per_home_month: 30.0,
        power_cuts_per_home_month: 3.0,
        ..FleetOptions::default()
    };
    let mut fleet = Fleet::new(11, 30, options.clone());
    let roster: BTreeSet<_> =
        fleet.homes().iter().flat_map(|h| &h.devices).map(|d| (d.source.to_owned(), d.address.clone())).collect();
    let mut counts = BTreeMap::<Cause, u32>::new();
    while let Some(message) = fleet.next_by(options.start + Millis::from_mins(3 * 24 * 60)) {
        let source = wire::find_source(&sources, &lore, &message.topic).unwrap();
        let bytes =
            wire::Message { topic: &message.topic, payload: message.payload.as_bytes(), retain: message.retain };
        let decoded = wire::decode(&lore, source, &bytes);
        decoded.lessons.into_iter().for_each(|lesson| _ = lore.learn(lesson));
        let reports = match decoded.outcome {
            Outcome::Readings(reports) => reports,
            Outcome::Ignored(_) if message.cause == Cause::Bridge => continue,
            other => panic!("{other:?}: {message:?}"),
        };
        for report in reports.iter().filter(|_| message.home.is_some()) {
            let Speaker::Device(address) = &report.speaker else { panic!("{message:?}") };
            assert!(roster.contains(&(report.source.to_string(), address.to_string())), "{message:?}");
        }
        let readings: Vec<_> = reports.iter().flat_map(|r| &r.readings).collect();
        let says = |kind| readings.iter().any(|r| r.kind == kind && r.value == Value::Flag(true));
        let meant = match message.cause {
            Cause::Motion => says(Kind::Motion) || says(Kind::Presence),
            Cause::Open | Cause::Shut => readings.iter().any(|r| r.kind == Kind::Contact),
            Cause::Sos => says(Kind::Sos),
            Cause::Smoke => says(Kind::Smoke),
            Cause::Gas => says(Kind::Gas),
            Cause::Co => says(Kind::Co),
            Cause::WaterLeak => says(Kind::WaterLeak),
            Cause::Climate => readings.iter().any(|r| r.kind == Kind::Temperature),
            Cause::Online | Cause::Offline => readings.iter().any(|r| r.kind == Kind::Online),
            Cause::Echo => reports.iter().all(|r| r.echo || r.readings.iter().all(|r| r.kind != Kind::Sos)),
            Cause::Clear | Cause::Battery | Cause::Bridge => true,
        };
        let event = readings.iter().any(|r| r.kind == Kind::Sos && r.form == Form::Event);
        let pressed = matches!(message.cause, Cause::Sos | Cause::Echo);
        assert!(meant && (pressed || !event), "{message:?}: {readings:?}");
        *counts.entry(message.cause).or_default() += 1;
    }
    assert_eq!(counts.len(), 15, "every cause occurs: {counts:?}");
}

fn options(broker: String, rate: u32, millis: u64) -> RunOptions {
    let fleet = FleetOptions { presses_per_home_month: 30.0, ..FleetOptions::default() };
    RunOptions { broker, homes: 200, rate, seed: 7, length: Duration::from_millis(millis), fleet }
}

fn client(port: u16, id: &str, clean: bool) -> (AsyncClient, EventLoop) {
    let mut options = MqttOptions::new(id, "127.0.0.1", port);
    options.set_clean_session(clean).set_max_packet_size(1 << 20, 1 << 20).set_keep_alive(Duration::from_secs(5));
    AsyncClient::new(options, 70_000)
}

/// Subscribes to everything and returns when the broker has said yes.
async fn listen(port: u16, id: &str, clean: bool) -> (AsyncClient, EventLoop) {
    let (client, mut events) = client(port, id, clean);
    client.subscribe("#", QoS::AtLeastOnce).await.unwrap();
    while !matches!(events.poll().await.unwrap(), Event::Incoming(Packet::SubAck(_))) {}
    (client, events)
}

/// Everything that arrives until nothing has come for a second.
async fn collect(events: &mut EventLoop) -> Vec<Publish> {
    let mut all = Vec::new();
    while let Ok(event) = timeout(Duration::from_secs(1), events.poll()).await {
        if let Event::Incoming(Packet::Publish(publish)) = event.unwrap() {
            all.push(publish);
        }
    }
    all
}

fn assert_adds_up(report: &RunReport) {
    assert_eq!(report.by_kind.values().sum::<u64>(), report.sent, "{report:?}");
    assert_eq!(report.presses.values().sum::<u64>(), report.by_kind.get("sos").copied().unwrap_or(0), "{report:?}");
    assert_eq!(report.acked, report.sent, "{report:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_report_is_what_a_subscriber_of_mosquitto_received() {
    let mosquitto = Broker::start();
    let (_client, mut events) = listen(mosquitto.port(), "listener", true).await;
    let reader = tokio::spawn(async move { collect(&mut events).await });
    let report = run(&options(mosquitto.url(), 4_000, 2_000)).await.unwrap();
    let received = reader.await.unwrap();

    assert_adds_up(&report);
    assert_eq!((report.resent, report.reconnects), (0, 0));
    assert_eq!(received.len() as u64, report.sent);
    assert!((3_600.0..=4_400.0).contains(&report.rate) && (1.8..=2.2).contains(&report.seconds), "{report:?}");
    let mut presses = BTreeMap::new();
    for message in received.iter().filter(|m| !m.topic.contains("bridge/")) {
        let text = String::from_utf8(message.payload.to_vec()).unwrap();
        let own = message.topic.starts_with("hearthwatch/") && text.contains(r#""kind":"sos","value":true"#);
        let action = [r#""action":"emergency""#, r#""action":"sos""#].iter().any(|a| text.contains(a));
        if own || action {
            let level = if own { 2 } else { 1 };
            *presses.entry(message.topic.split('/').nth(level).unwrap().to_owned()).or_insert(0u64) += 1;
        }
    }
    assert!(!presses.is_empty());
    for (home, count) in presses {
        assert_eq!(report.presses.get(&home), Some(&count), "{home}");
    }

    let (_late, mut events) = listen(mosquitto.port(), "late", true).await;
    let retained: BTreeSet<_> = collect(&mut events).await.into_iter().filter(|m| m.retain).map(|m| m.topic).collect();
    assert!(retained.contains("zigbee2mqtt/bridge/state") && retained.contains("zigbee2mqtt/bridge/devices"));
    assert!(retained.iter().all(|t| t.contains("bridge/") || t.ends_with("/availability")), "{retained:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_dies_and_comes_back_gets_every_message() {
    let mut mosquitto = Broker::start();
    let options = options(mosquitto.url(), 12_000, 4_000);
    let running = tokio::spawn(async move { run(&options).await });
    sleep(Duration::from_millis(1_000)).await;
    mosquitto.kill();
    sleep(Duration::from_millis(500)).await;
    mosquitto.restart();
    let report = running.await.unwrap().unwrap();
    assert_adds_up(&report);
    assert_eq!((report.connections, report.reconnects), (2, 2), "{report:?}");
}

#[tokio::test]
async fn a_run_that_cannot_begin_says_why() {
    let port = Port::hold();
    let nobody = options(format!("mqtt://{}", port.address()), 10, 100);
    assert!(matches!(run(&nobody).await, Err(RunError::NoBroker(_))));
    for wrong in [RunOptions { homes: 0, ..nobody.clone() }, RunOptions { rate: 0, ..nobody.clone() }] {
        assert!(matches!(run(&wrong).await, Err(RunError::OutOfRange(_))));
    }
}

#[cfg(feature = "demo")]
mod embedded {
    use super::*;
    use hearthwatch::fleet::broker::EmbeddedBroker;

    /// What the gateway needs of it: a persistent session that is away gets everything at QoS 1 when it is back, retained
    /// messages reach who comes late, and what was not acknowledged comes again.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_persistent_session_gets_what_it_missed() {
        let broker = EmbeddedBroker::start().unwrap();
        let (gateway, mut events) = listen(broker.port(), "gateway", false).await;
        gateway.disconnect().await.unwrap();
        while events.poll().await.is_ok() {}

        // So few homes that their retained messages stay below the hundred that this broker gives a new subscription.
        let report = run(&RunOptions { homes: 10, ..options(broker.url(), 3_000, 1_000) }).await.unwrap();
        assert_adds_up(&report);

        let (_gateway, mut events) = client(broker.port(), "gateway", false);
        let Event::Incoming(Packet::ConnAck(ack)) = events.poll().await.unwrap() else { panic!("no ConnAck") };
        assert!(ack.session_present);
        assert_eq!(collect(&mut events).await.len() as u64, report.sent);

        let (_late, mut events) = listen(broker.port(), "late", true).await;
        let late: BTreeSet<_> = collect(&mut events).await.into_iter().filter(|m| m.retain).map(|m| m.topic).collect();
        let expected = ["zigbee2mqtt/bridge/state", "zigbee2mqtt/bridge/devices"];
        assert!(expected.iter().all(|topic| late.contains(*topic)), "{late:?}");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn what_was_not_acknowledged_comes_again() {
        let broker = EmbeddedBroker::start().unwrap();
        let session = |port| {
            let mut options = MqttOptions::new("gateway", "127.0.0.1", port);
            options.set_clean_session(false).set_manual_acks(true);
            AsyncClient::new(options, 100)
        };
        let (gateway, mut events) = session(broker.port());
        gateway.subscribe("hearthwatch/#", QoS::AtLeastOnce).await.unwrap();
        while !matches!(events.poll().await.unwrap(), Event::Incoming(Packet::SubAck(_))) {}
        let (publisher, mut out) = client(broker.port(), "home", true);
        tokio::spawn(async move { while out.poll().await.is_ok() {} });
        for number in 0..3 {
            publisher.publish("hearthwatch/demo/h0001/sos", QoS::AtLeastOnce, false, number.to_string()).await.unwrap();
        }
        let first = collect(&mut events).await;
        assert_eq!(first.len(), 3);
        gateway.ack(&first[0]).await.unwrap();
        collect(&mut events).await;
        drop((gateway, events));

        let (_gateway, mut events) = session(broker.port());
        let again: Vec<_> = collect(&mut events).await.into_iter().map(|m| m.payload).collect();
        assert_eq!(again, ["1", "2"]);
    }

    #[test]
    fn two_brokers_stand_beside_each_other() {
        let (one, two) = (EmbeddedBroker::start().unwrap(), EmbeddedBroker::start().unwrap());
        assert_ne!(one.port(), two.port());
        assert!(one.url().starts_with("mqtt://127.0.0.1:"));
    }
}
