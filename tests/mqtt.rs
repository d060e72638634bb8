//! The MQTT sessions against a real mosquitto with the deployed configuration, and against a broker that misbehaves on purpose.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a test reads clocks and may fail"
)]

mod support;

use hearthwatch::keeper::ports::{Delivery, Lane};
use hearthwatch::mqtt::{BadSettings, Fault, LinkState, Password, TlsFiles};
use rumqttc::Packet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use support::broker::Broker;
use support::fake_broker::{Connection, FakeBroker};
use support::listener::{Listener, eventually, filters, publish, settings, texts};

const LIFE: Lane = Lane::Life;
const BULK: Lane = Lane::Bulk;

fn numbered(topic: &str, n: usize) -> impl Iterator<Item = (&str, String)> {
    (0..n).map(move |i| (topic, i.to_string()))
}

fn copies(deliveries: &[Delivery]) -> Vec<bool> {
    deliveries.iter().map(|delivery| delivery.copy).collect()
}

#[test]
fn what_is_published_while_we_are_away_is_delivered() {
    let broker = Broker::start();
    let listener = Listener::start(settings(&broker.url(), broker.dir()), filters(&["home/sos"], &["home/#"]));
    listener.ready();
    listener.stop();
    publish(&broker.url(), numbered("home/sos", 1_500).chain(numbered("home/t", 1_500)));

    let listener = Listener::start(settings(&broker.url(), broker.dir()), filters(&["home/sos"], &["home/#"]));
    let (mut life, mut bulk) = (Vec::new(), Vec::new());
    while life.len() < 1_500 || bulk.len() < 3_000 {
        life.extend(listener.take(LIFE, 0));
        bulk.extend(listener.take(BULK, 0));
    }
    let expected: Vec<String> = numbered("home/sos", 1_500).map(|(topic, text)| format!("{topic} {text}")).collect();
    assert_eq!(texts(&life), expected, "all of them, in order, more than the window holds");
    assert_eq!(texts(&bulk)[..1_500], expected);
    assert_eq!(bulk.len(), 3_000);
    listener.stop();
}

#[test]
fn what_was_not_durable_when_we_died_comes_again() {
    let broker = Broker::start();
    let listener = Listener::start(settings(&broker.url(), broker.dir()), filters(&["sos"], &["t"]));
    listener.ready();
    publish(&broker.url(), numbered("sos", 10));
    let first = listener.receive(LIFE, 10);
    // The fourth is durable too, but not all before it.
    listener.durable(&first[..2]);
    listener.durable(&first[3..4]);
    listener.all_acknowledged(2);
    // The broker has read the two acknowledgements when it has answered something later.
    listener.filters.send(filters(&["sos", "later"], &["t"])).expect("sessions");
    // Proven is more than wanted: the broker has granted it.
    eventually("the later filter", || listener.sessions.status().proven == 2);
    publish(&broker.url(), [("later", "x".to_owned())]);
    listener.receive(LIFE, 1);
    listener.die();

    let listener = Listener::start(settings(&broker.url(), broker.dir()), filters(&["sos"], &["t"]));
    let mut again = texts(&listener.receive(LIFE, 9));
    again.retain(|text| text != "later x");
    assert_eq!(again, (2..10).map(|i| format!("sos {i}")).collect::<Vec<_>>());
    listener.stop();
}

#[test]
fn a_press_counts_once_when_life_surely_has_it_and_twice_when_not() {
    let broker = Broker::start();
    let wanted = |life: &[&str]| filters(life, &["#"]);
    let listener = Listener::start(settings(&broker.url(), broker.dir()), wanted(&["a"]));
    listener.ready();
    publish(&broker.url(), numbered("a", 2).chain(numbered("n", 1)));
    assert_eq!(copies(&listener.take(LIFE, 2)), [false, false]);
    assert_eq!(copies(&listener.take(BULK, 3)), [true, true, false], "both sessions were new");

    // A filter that is added while bulk has a backlog: what is in it counts, what comes later does not.
    listener.stop();
    publish(&broker.url(), numbered("n", 1_200));
    let listener = Listener::start(settings(&broker.url(), broker.dir()), wanted(&["a", "n"]));
    let mut backlog = 0;
    while backlog < 1_200 {
        let taken = listener.take(BULK, 1);
        assert!(!copies(&taken).contains(&true), "life never had these");
        backlog += taken.len();
    }
    eventually("both filters proven", || listener.sessions.status().proven == 2);
    publish(&broker.url(), numbered("n", 1));
    assert_eq!(copies(&listener.take(LIFE, 1)), [false]);
    assert_eq!(copies(&listener.take(BULK, 1)), [true]);

    // A filter that is taken away: life is silent, bulk counts.
    listener.filters.send(wanted(&["a"])).expect("sessions");
    eventually("one filter left", || listener.sessions.status().proven == 1);
    eventually("unsubscribed", || {
        publish(&broker.url(), numbered("n", 1));
        assert_eq!(copies(&listener.take(BULK, 1)), [false]);
        listener.take(LIFE, 0).is_empty()
    });
    listener.stop();
}

#[test]
fn the_broker_may_crash_and_come_back() {
    let mut broker = Broker::start();
    let listener = Listener::start(settings(&broker.url(), broker.dir()), filters(&["sos"], &["#"]));
    listener.ready();
    broker.kill();
    eventually("both down", || [LIFE, BULK].map(|lane| listener.link(lane)) == [LinkState::Down; 2]);
    broker.restart();
    listener.ready();
    publish(&broker.url(), numbered("sos", 1));
    assert_eq!(listener.take(LIFE, 1).len() + listener.take(BULK, 1).len(), 2);
    listener.stop();
}

#[test]
fn a_second_gateway_with_our_name_is_noticed() {
    let broker = Broker::start();
    let (one, other) = (tempfile::tempdir().expect("folder"), tempfile::tempdir().expect("folder"));
    let gateways =
        [one.path(), other.path()].map(|dir| Listener::start(settings(&broker.url(), dir), filters(&["sos"], &["#"])));
    eventually("flapping", || gateways.iter().any(|gateway| gateway.sessions.status().life.flapping));
    for gateway in gateways {
        gateway.stop();
    }
}

#[test]
fn stopping_waits_for_what_is_under_way_and_is_bounded() {
    let broker = Broker::start();
    let listener = Listener::start(settings(&broker.url(), broker.dir()), filters(&["sos"], &["t"]));
    listener.ready();
    publish(&broker.url(), numbered("sos", 3));
    let under_way = listener.receive(LIFE, 3);
    let sessions = listener.sessions.clone();
    let keeper = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(300));
        let tokens: Vec<_> = under_way.iter().filter_map(|delivery| delivery.token).collect();
        hearthwatch::keeper::ports::Acknowledge::durable(&mut { sessions }, &tokens);
    });
    let took = listener.stop();
    keeper.join().expect("keeper");
    assert!(took >= Duration::from_millis(300) && took < Duration::from_secs(3), "{took:?}");

    let listener = Listener::start(settings(&broker.url(), broker.dir()), filters(&["sos"], &["t"]));
    listener.ready();
    listener.nothing(LIFE);
    publish(&broker.url(), numbered("sos", 1));
    listener.receive(LIFE, 1);
    let took = listener.stop();
    assert!(
        took >= Duration::from_secs(5) && took < Duration::from_secs(8),
        "a keeper that hangs does not hold us: {took:?}"
    );
}

#[test]
fn a_stop_in_the_middle_of_a_flood_loses_no_acknowledgement() {
    let broker = Broker::start();
    let start = || Listener::start(settings(&broker.url(), broker.dir()), filters(&["sos"], &["t"]));
    let listener = start();
    listener.ready();
    listener.stop();
    publish(&broker.url(), numbered("t", 30_000));
    let listener = start();
    let mut durable = Vec::new();
    while durable.len() < 10_000 {
        durable.extend(texts(&listener.take(BULK, 1)));
    }
    // What was delivered by the stop is made durable, as a keeper would.
    listener.sessions.stop();
    for _ in 0..20 {
        std::thread::sleep(Duration::from_millis(5));
        durable.extend(texts(&listener.take(BULK, 0)));
    }
    listener.stop();
    let listener = start();
    let mut again = Vec::new();
    while durable.len() + again.len() < 30_000 {
        again.extend(texts(&listener.take(BULK, 1)));
    }
    durable.extend(again);
    assert_eq!(
        durable,
        numbered("t", 30_000).map(|(topic, text)| format!("{topic} {text}")).collect::<Vec<_>>(),
        "each once"
    );
    listener.stop();
}

/// `hearthwatch` with the password `correct horse`, as mosquitto_passwd writes it.
const PASSWORDS: &str = "hearthwatch:$7$101$OkgK+jKDo6/PDYnY$9qdnXXwKyATV+5yLERL0ldNpSF36Cf1N60lE+HweQxZHs17xJHTv17FvAuQh3wnwe3TOFSNmHCsHguFyW8JvAQ==\n";

#[test]
fn a_wrong_password_has_a_name() {
    let broker = Broker::with(|dir| {
        fs::write(dir.join("passwords"), PASSWORDS).expect("file");
        format!("allow_anonymous false\npassword_file {}\n", dir.join("passwords").display())
    });
    let login = |password: &str| {
        let login = Some(("hearthwatch".to_owned(), Password(password.to_owned())));
        Listener::start(
            hearthwatch::mqtt::Settings { login, ..settings(&broker.url(), broker.dir()) },
            filters(&["sos"], &["#"]),
        )
    };
    let listener = login("wrong");
    eventually("refused", || {
        listener.fault(LIFE) == Some(Fault::NotAuthorized) && listener.fault(BULK) == Some(Fault::NotAuthorized)
    });
    assert_eq!(listener.link(LIFE), LinkState::Down);
    listener.stop();
    let listener = login("correct horse");
    listener.ready();
    assert_eq!(listener.fault(LIFE), None);
    listener.stop();
    assert!(!format!("{:?}", Password("correct horse".to_owned())).contains("horse"));
}

/// An authority of our own, and a certificate and key that it signed, as PEM files.
struct Authority {
    issuer: rcgen::CertifiedIssuer<'static, rcgen::KeyPair>,
}

impl Authority {
    fn new() -> Authority {
        let mut params = rcgen::CertificateParams::new(Vec::new()).expect("parameters");
        params.distinguished_name.push(rcgen::DnType::CommonName, "an authority of one's own");
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let key = rcgen::KeyPair::generate().expect("key");
        Authority { issuer: rcgen::CertifiedIssuer::self_signed(params, key).expect("authority") }
    }

    fn ca(&self, dir: &Path, name: &str) -> PathBuf {
        let path = dir.join(name);
        fs::write(&path, self.issuer.pem()).expect("file");
        path
    }

    fn sign(&self, dir: &Path, name: &str) -> (PathBuf, PathBuf) {
        let key = rcgen::KeyPair::generate().expect("key");
        let mut params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).expect("parameters");
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        let certificate = params.signed_by(&key, &self.issuer).expect("certificate");
        let paths = (dir.join(format!("{name}.pem")), dir.join(format!("{name}.key")));
        fs::write(&paths.0, certificate.pem()).expect("file");
        fs::write(&paths.1, key.serialize_pem()).expect("file");
        paths
    }
}

#[test]
fn tls_with_an_authority_and_client_certificates_of_ones_own() {
    let (ours, other) = (Authority::new(), Authority::new());
    let broker = Broker::with(|dir| {
        let (certificate, key) = ours.sign(dir, "broker");
        let ca = ours.ca(dir, "ca.pem");
        let [ca, certificate, key] = [ca, certificate, key].map(|path| path.display().to_string());
        format!("allow_anonymous true\ncafile {ca}\ncertfile {certificate}\nkeyfile {key}\nrequire_certificate true\n")
    });
    let dir = broker.dir();
    let ca = Some(dir.join("ca.pem"));
    let connect = |tls: TlsFiles| {
        let url = format!("mqtts://localhost:{}", broker.port());
        Listener::start(hearthwatch::mqtt::Settings { tls, ..settings(&url, dir) }, filters(&["sos"], &["#"]))
    };
    let good = connect(TlsFiles { ca: ca.clone(), client: Some(ours.sign(dir, "client")) });
    good.ready();
    good.stop();
    let refused = [
        ("a broker that another authority signed", TlsFiles { ca: Some(other.ca(dir, "other.pem")), client: None }),
        ("a broker that no public authority signed", TlsFiles { ca: None, client: Some(ours.sign(dir, "client")) }),
        ("no client certificate", TlsFiles { ca: ca.clone(), client: None }),
        ("a client certificate of another authority", TlsFiles { ca, client: Some(other.sign(dir, "stranger")) }),
    ];
    for (why, files) in refused {
        let listener = connect(files);
        eventually(why, || listener.fault(LIFE).is_some());
        assert!(matches!(listener.fault(LIFE), Some(Fault::Tls(_))), "{why}: {:?}", listener.fault(LIFE));
        listener.stop();
    }
}

#[test]
fn files_that_cannot_work_are_refused_at_once() {
    let dir = tempfile::tempdir().expect("folder");
    let empty = dir.path().join("empty.pem");
    fs::write(&empty, "").expect("file");
    let start = |url: &str, tls: TlsFiles| {
        let (_keep, wanted) = tokio::sync::watch::channel(filters(&[], &[]));
        let hooks = hearthwatch::mqtt::Hooks {
            on_delivery: std::sync::Arc::new(|_| {}),
            on_link: std::sync::Arc::new(|_, _| {}),
        };
        hearthwatch::mqtt::start(hearthwatch::mqtt::Settings { tls, ..settings(url, dir.path()) }, wanted, hooks)
            .map(|_| ())
    };
    let ca = |path: &Path| TlsFiles { ca: Some(path.to_owned()), client: None };
    assert!(matches!(start("tcp://b", TlsFiles::default()), Err(BadSettings::Url(_))));
    assert!(matches!(start("mqtts://b", ca(&empty)), Err(BadSettings::TlsFile(..))));
    assert!(matches!(start("mqtts://b", ca(&dir.path().join("none"))), Err(BadSettings::TlsFile(..))));
}

/// Life, subscribed, on a fake broker; bulk is left to wait.
fn life_on(fake: &FakeBroker, session_present: bool) -> Connection {
    let mut life = fake.accept("hearthwatch-test-life", session_present);
    assert_eq!(life.grant(), ["sos"]);
    life
}

fn listen_to(fake: &FakeBroker) -> (tempfile::TempDir, Listener) {
    let dir = tempfile::tempdir().expect("folder");
    let listener = Listener::start(settings(&fake.url(), dir.path()), filters(&["sos"], &["#"]));
    (dir, listener)
}

#[test]
fn pubacks_go_out_in_the_order_of_arrival() {
    let fake = FakeBroker::start();
    let (_dir, listener) = listen_to(&fake);
    let mut life = life_on(&fake, true);
    let arrival: Vec<u16> = (0..500u32).map(|i| 1 + (i * 7919 % 60_000) as u16).collect();
    for pkid in &arrival {
        life.publish(*pkid, "sos");
    }
    let deliveries = listener.receive(LIFE, 500);
    // Durable in batches of every size, back to front within each.
    let (mut rest, mut size) = (&deliveries[..], 1);
    while !rest.is_empty() {
        let (batch, later) = rest.split_at(size.min(rest.len()));
        let mut batch = batch.to_vec();
        batch.reverse();
        listener.durable(&batch);
        (rest, size) = (later, size * 2);
    }
    assert_eq!(life.pubacks(500), arrival);
    listener.die();
}

#[test]
fn nothing_of_one_connection_reaches_the_next() {
    let fake = FakeBroker::start();
    let (_dir, listener) = listen_to(&fake);
    let mut life = life_on(&fake, true);
    for pkid in 1..=5 {
        life.publish(pkid, "sos");
    }
    // Closed in one breath with the messages: they may be read, or not.
    drop(life);
    eventually("life down", || listener.link(LIFE) == LinkState::Down && listener.fault(LIFE).is_some());
    let old = listener.receive(LIFE, 0);
    let mut life = life_on(&fake, true);
    life.publish(9, "sos");
    let new = listener.receive(LIFE, 1);
    assert_eq!(new.len(), 1, "no message of the first connection appears in the second");
    listener.durable(&old);
    listener.durable(&new);
    assert_eq!(life.pubacks(1), [9], "the late acknowledgements are void");
    let more = life.read_for(Duration::from_millis(300));
    assert!(more.is_empty(), "{more:?}");
    listener.die();
}

#[test]
fn a_subscribe_that_was_lost_with_its_session_is_sent_again() {
    let fake = FakeBroker::start();
    let (_dir, listener) = listen_to(&fake);
    let mut life = fake.accept("-life", true);
    assert!(matches!(life.read(), Packet::Subscribe(_)));
    drop(life);
    let mut life = life_on(&fake, false);
    eventually("life ready", || listener.link(LIFE) == LinkState::Ready);
    life.publish(1, "sos");
    listener.take(LIFE, 1);
    listener.die();
}

#[test]
fn a_message_that_is_too_large_has_a_name_and_no_storm_follows() {
    let fake = FakeBroker::start();
    let (_dir, listener) = listen_to(&fake);
    let mut life = life_on(&fake, true);
    // The header of a PUBLISH of 32 MiB.
    life.write_bytes(&[0x32, 0x80, 0x80, 0x80, 0x10, 0, 3, b's', b'o', b's', 0, 1]);
    eventually("the fault", || matches!(listener.fault(LIFE), Some(Fault::TooLarge(bytes)) if bytes == 32 << 20));
    let began = Instant::now();
    let attempts = fake.count_attempts(Duration::from_secs(2));
    assert!((1..=10).contains(&attempts), "{attempts} attempts in {:?}", began.elapsed());
    listener.die();
}

#[test]
fn leaving_comes_behind_the_acknowledgements() {
    let fake = FakeBroker::start();
    let (_dir, listener) = listen_to(&fake);
    let mut life = life_on(&fake, true);
    for pkid in 1..=100 {
        life.publish(pkid, "sos");
    }
    let deliveries = listener.receive(LIFE, 100);
    listener.sessions.stop();
    life.publish(101, "sos");
    listener.durable(&deliveries);
    assert_eq!(life.pubacks(100), (1..=100).collect::<Vec<u16>>());
    assert_eq!(life.read(), Packet::Disconnect, "and the one that came after the stop is not acknowledged");
    listener.nothing(LIFE);
    listener.die();
}
