//! The courier against receivers of every kind: each answer gets its name, and each parcel exactly one outcome.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a test reads clocks and may fail"
)]

#[path = "support/parcel.rs"]
mod parcel;
#[path = "support/port.rs"]
mod port;
#[path = "support/receiver.rs"]
mod receiver;

use hearthwatch::courier::{Courier, Settings};
use hearthwatch::engine::delivery::{Failure, Outcome};
use hearthwatch::engine::id::NoticeId;
use hearthwatch::engine::registry::{Channel, ChannelDialect};
use hearthwatch::engine::time::{Millis, Wall};
use hearthwatch::keeper::ports::Dispatch;
use hearthwatch::wire::respond::Links;
use hearthwatch::wire::webhook;
use receiver::{Authority, Behaviour, Certificate, Receiver, Request};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinHandle;
use tokio::time::timeout;

const SECRET: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX";
const OTHER_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn wall() -> Wall {
    Wall(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64)
}

/// Patient enough for a busy machine.
fn patient() -> Settings {
    Settings::new(wall)
}

/// For receivers that keep it waiting.
fn hasty() -> Settings {
    Settings { total_timeout: Duration::from_millis(300), ..Settings::new(wall) }
}

/// A courier, what it reports, and a folder with its channel's secret.
struct Desk {
    courier: Courier,
    task: JoinHandle<()>,
    outcomes: UnboundedReceiver<(NoticeId, u32, Outcome)>,
    folder: tempfile::TempDir,
    sent: u32,
}

impl Desk {
    fn new(settings: Settings) -> Desk {
        LazyLock::force(&LOG);
        let (report, outcomes) = unbounded_channel();
        let on_outcome = move |notice, attempt, outcome| {
            // A test that has ended listens no more.
            let _ = report.send((notice, attempt, outcome));
        };
        let (courier, task) = Courier::start(settings, Arc::new(on_outcome));
        let desk = Desk { courier, task, outcomes, folder: tempfile::tempdir().unwrap(), sent: 0 };
        desk.write("secret", SECRET);
        desk
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    fn reference(&self, name: &str) -> Box<str> {
        format!("file:{}", self.folder.path().join(name).display()).into()
    }

    fn channel(&self, url: &str) -> Channel {
        let (id, site) = ("desk".parse().unwrap(), "zhonglou".parse().unwrap());
        let channel = Channel::new(id, site, ChannelDialect::Standard, url, &self.reference("secret"));
        Channel { allow_private: true, ..channel }
    }

    fn send(&mut self, channel: &Arc<Channel>) -> NoticeId {
        self.sent += 1;
        let parcel = parcel::parcel(channel.clone(), self.sent, wall());
        let notice = parcel.notice.clone();
        self.courier.send(parcel);
        notice
    }

    async fn next(&mut self) -> (NoticeId, Outcome) {
        let reported = timeout(Duration::from_secs(20), self.outcomes.recv()).await.expect("an outcome in time");
        let (notice, attempt, outcome) = reported.expect("the courier lives");
        assert_eq!(attempt, 1);
        (notice, outcome)
    }

    /// Sends one parcel and waits for what comes of it.
    async fn deliver(&mut self, channel: &Arc<Channel>) -> Outcome {
        let sent = self.send(channel);
        let (notice, outcome) = self.next().await;
        assert_eq!(notice, sent);
        outcome
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_has_its_outcome_and_the_receiver_is_found_when_it_is_back() {
    use Failure::*;
    let elsewhere = Receiver::start();
    let to = || elsewhere.url();
    let failed = Outcome::failed;
    let asked = |failure, secs| Outcome::Failed { failure, retry_after: Some(Millis::from_secs(secs)) };
    let table = [
        (Behaviour::Status(200), Outcome::Delivered),
        (Behaviour::Status(202), Outcome::Delivered),
        (Behaviour::Status(204), Outcome::Delivered),
        (Behaviour::Large(64 * 1024), Outcome::Delivered),
        (Behaviour::Large(64 * 1024 + 1), failed(BodyCut)),
        (Behaviour::CloseMidBody, failed(BodyCut)),
        (Behaviour::CloseBeforeAnswer, failed(Refused)),
        (Behaviour::Garbage, failed(Refused)),
        (Behaviour::Redirect(301, to()), failed(Redirected(301))),
        (Behaviour::Redirect(302, to()), failed(Redirected(302))),
        (Behaviour::Redirect(303, to()), failed(Redirected(303))),
        (Behaviour::Redirect(307, to()), failed(Redirected(307))),
        (Behaviour::Redirect(308, to()), failed(Redirected(308))),
        (Behaviour::Status(400), failed(Rejected(400))),
        (Behaviour::Status(404), failed(Rejected(404))),
        (Behaviour::Status(410), failed(Gone)),
        (Behaviour::Status(429), failed(RateLimited)),
        (Behaviour::RetryAfter(429, "7".to_owned()), asked(RateLimited, 7)),
        (Behaviour::RetryAfter(503, "30".to_owned()), asked(ServerError(503), 30)),
        (Behaviour::RetryAfter(503, "Sun, 06 Nov 1994 08:49:37 GMT".to_owned()), asked(ServerError(503), 0)),
        (Behaviour::Status(500), failed(ServerError(500))),
        (Behaviour::Status(503), failed(ServerError(503))),
    ];
    for (behaviour, expected) in table {
        let receiver = Receiver::start();
        let mut desk = Desk::new(patient());
        let channel = Arc::new(desk.channel(&receiver.url()));
        receiver.then([behaviour.clone()]);
        assert_eq!(desk.deliver(&channel).await, expected, "{behaviour:?}");
        assert_eq!(receiver.requests().len(), 1, "{behaviour:?}: asked once");
        assert_eq!(desk.deliver(&channel).await, Outcome::Delivered, "after {behaviour:?}");
        let tally = desk.courier.tally().counts();
        assert_eq!(
            (tally[expected.name()], tally.values().sum::<u64>()),
            (if expected == Outcome::Delivered { 2 } else { 1 }, 2)
        );
    }
    assert_eq!(elsewhere.connections(), 0, "a redirect was followed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_notice_carries_its_own_link_to_its_channel() {
    let links = Links::new(ring::hmac::Key::new(ring::hmac::HMAC_SHA256, b"key"), "https://watch.example.org");
    let desks =
        [("zhonglou".parse().unwrap(), webhook::Desk { links: Some(links.clone()), ..webhook::Desk::default() })];
    let mut desk = Desk::new(Settings { desks: desks.into(), ..patient() });
    let receiver = Receiver::start();
    let channel = Arc::new(desk.channel(&receiver.url()));
    assert_eq!(desk.deliver(&channel).await, Outcome::Delivered);
    let body: serde_json::Value = serde_json::from_slice(&receiver.requests()[0].body).unwrap();
    let link = body["data"]["links"]["respond"].as_str().unwrap();
    let scope = links.scope(link.strip_prefix("https://watch.example.org/r#").unwrap(), wall()).unwrap();
    assert_eq!((scope.notice.to_string(), &scope.channel), (body["id"].as_str().unwrap().to_owned(), &channel.id));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_keeps_us_waiting_is_left_in_time() {
    let slow = Duration::from_millis(20);
    for behaviour in [Behaviour::Hang, Behaviour::DripHead(slow), Behaviour::DripBody(slow)] {
        let receiver = Receiver::start();
        receiver.behave(behaviour.clone());
        let mut desk = Desk::new(hasty());
        let channel = Arc::new(desk.channel(&receiver.url()));
        let started = Instant::now();
        assert_eq!(desk.deliver(&channel).await, Outcome::failed(Failure::TimedOut), "{behaviour:?}");
        let took = started.elapsed();
        assert!(took >= Duration::from_millis(300) && took < Duration::from_secs(3), "{behaviour:?}: {took:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_port_refuses_until_it_is_open_again() {
    let receiver = Receiver::start();
    let mut desk = Desk::new(patient());
    let channel = Arc::new(desk.channel(&receiver.url()));
    assert_eq!(desk.deliver(&channel).await, Outcome::Delivered);
    receiver.stop();
    for _ in 0..3 {
        assert_eq!(desk.deliver(&channel).await, Outcome::failed(Failure::Refused));
    }
    receiver.restart();
    assert_eq!(desk.deliver(&channel).await, Outcome::Delivered);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_that_nobody_knows_is_not_found() {
    let mut desk = Desk::new(patient());
    // A label of 64 letters exists nowhere, and a resolver knows so without asking the network.
    let channel = desk.channel(&format!("http://{}.example/", "a".repeat(64)));
    assert_eq!(desk.deliver(&Arc::new(channel)).await, Outcome::failed(Failure::NameNotFound));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_has_to_be_right() {
    let bad = Outcome::failed(Failure::BadCertificate);
    let authority = Authority::new();
    let mut desk = Desk::new(patient());
    let ca_file = Some(desk.write("ca.pem", authority.pem()).into());
    let other_ca = Some(desk.write("other.pem", Authority::new().pem()).into());
    let table = [
        (Certificate::Good, &ca_file, Outcome::Delivered),
        (Certificate::Good, &None, bad),
        (Certificate::Good, &other_ca, bad),
        (Certificate::WrongName, &ca_file, bad),
        (Certificate::Expired, &ca_file, bad),
    ];
    for (kind, ca_file, expected) in table {
        let receiver = Receiver::start_tls(authority.certificate(kind));
        let channel = Arc::new(Channel { ca_file: ca_file.clone(), ..desk.channel(&receiver.url()) });
        assert_eq!(desk.deliver(&channel).await, expected, "{kind:?}, authority {ca_file:?}");
        let delivered = usize::from(expected == Outcome::Delivered);
        assert_eq!(receiver.requests().len(), delivered, "nothing is said before the certificate has been checked");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn private_addresses_are_refused_however_they_are_written() {
    let receiver = Receiver::start();
    let port = receiver.address().port();
    let mut desk = Desk::new(patient());
    let hosts = "127.0.0.1 127.1 2130706433 0x7f.1 0x7f000001 0177.0.0.1 0.0.0.0 0 10.0.0.1 192.168.1.1 100.64.0.1 169.254.169.254 \
        [::1] [::] [::ffff:127.0.0.1] [::ffff:7f00:1] [fe80::1] [fd00::1] localhost LOCALHOST １２７.０.０.１";
    for host in hosts.split_whitespace() {
        let channel = Channel { allow_private: false, ..desk.channel(&format!("https://{host}:{port}/hook")) };
        assert_eq!(desk.deliver(&Arc::new(channel)).await, Outcome::failed(Failure::AddressForbidden), "{host}");
    }
    assert_eq!(receiver.connections(), 0, "somebody knocked");
    // Where the channel allows it, the same spellings lead to the receiver.
    for host in ["127.0.0.1", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]", "localhost"] {
        let channel = desk.channel(&format!("http://{host}:{port}/hook"));
        assert_eq!(desk.deliver(&Arc::new(channel)).await, Outcome::Delivered, "{host}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_channel_names_has_to_be_there_and_is_read_again_once_it_is() {
    let receiver = Receiver::start();
    let mut desk = Desk::new(patient());
    let misconfigured = Outcome::failed(Failure::Misconfigured);
    let good = desk.channel(&receiver.url());
    let authority = Authority::new();

    let broken = [
        Channel { url: "http://".into(), ..good.clone() },
        Channel { url: "receiver.example/hook".into(), ..good.clone() },
        Channel { url: "ftp://receiver.example/hook".into(), ..good.clone() },
        Channel { url: "data:text/plain,hook".into(), ..good.clone() },
        // Without TLS, and not meant to stay at home.
        Channel { url: "http://receiver.example/hook".into(), allow_private: false, ..good.clone() },
        Channel { secret: SECRET.into(), ..good.clone() },
    ];
    for channel in broken {
        let url = channel.url.clone();
        assert_eq!(desk.deliver(&Arc::new(channel)).await, misconfigured, "{url}");
    }

    let late = desk.folder.path().join("late").display().to_string();
    let mended = [
        (Channel { url: desk.reference("late"), ..good.clone() }, "no url", receiver.url()),
        (Channel { secret: desk.reference("late"), ..good.clone() }, "whsec_short", SECRET.to_owned()),
        (Channel { ca_file: Some(late.clone().into()), ..good.clone() }, "no pem", authority.pem().to_owned()),
    ];
    for (channel, wrong, right) in mended {
        let channel = Arc::new(channel);
        let _ = std::fs::remove_file(&late);
        assert_eq!(desk.deliver(&channel).await, misconfigured, "missing");
        desk.write("late", wrong);
        assert_eq!(desk.deliver(&channel).await, misconfigured, "{wrong}");
        desk.write("late", &right);
        assert_eq!(desk.deliver(&channel).await, Outcome::Delivered);
    }
}

/// Verified by the Standard Webhooks project's own library.
fn verify(request: &Request, secret: &str) -> Result<(), standardwebhooks::WebhookError> {
    let mut headers = reqwest::header::HeaderMap::new();
    for (name, value) in &request.headers {
        let name = reqwest::header::HeaderName::from_bytes(name.as_bytes()).unwrap();
        headers.insert(name, value.parse().unwrap());
    }
    standardwebhooks::Webhook::new(secret).unwrap().verify(&request.body, &headers)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_signature_holds_before_others_and_rotates_without_a_restart() {
    let receiver = Receiver::start();
    let mut desk = Desk::new(patient());
    let channel = Arc::new(desk.channel(&receiver.url()));

    assert_eq!(desk.deliver(&channel).await, Outcome::Delivered);
    let first = receiver.requests().remove(0);
    verify(&first, SECRET).unwrap();
    verify(&first, OTHER_SECRET).unwrap_err();
    verify(&Request { body: first.body[1..].to_vec(), ..first.clone() }, SECRET).unwrap_err();
    assert_eq!((first.method.as_str(), first.path.as_str()), ("POST", "/hook"));
    assert_eq!(first.header("content-type"), Some("application/cloudevents+json"));
    assert_eq!(first.header("webhook-id"), Some("zhonglou-000184-n1"));
    assert_eq!(first.json()["id"], "zhonglou-000184-n1");
    assert_eq!(first.json()["data"]["alarm"]["kind"], "sos");

    // Both while they rotate: the receiver that knows only the old one says 401, and the file is read again.
    desk.write("secret", &format!("{OTHER_SECRET}\n{SECRET}\n"));
    receiver.then([Behaviour::Status(401)]);
    assert_eq!(desk.deliver(&channel).await, Outcome::failed(Failure::Rejected(401)));
    assert_eq!(desk.deliver(&channel).await, Outcome::Delivered);
    let [_, before, after] = &receiver.requests()[..] else { panic!("three requests") };
    verify(before, OTHER_SECRET).unwrap_err();
    verify(after, OTHER_SECRET).unwrap();
    verify(after, SECRET).unwrap();

    // A channel that was edited is a new one.
    desk.write("new", OTHER_SECRET);
    let edited = Arc::new(Channel { secret: desk.reference("new"), ..(*channel).clone() });
    assert_eq!(desk.deliver(&edited).await, Outcome::Delivered);
    verify(&receiver.requests()[3], OTHER_SECRET).unwrap();
    verify(&receiver.requests()[3], SECRET).unwrap_err();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kept_connection_that_breaks_is_replaced_within_the_attempt() {
    let receiver = Receiver::start();
    let mut desk = Desk::new(patient());
    let channel = Arc::new(desk.channel(&receiver.url()));
    receiver.then([Behaviour::Status(200), Behaviour::CloseBeforeAnswer]);
    assert_eq!(desk.deliver(&channel).await, Outcome::Delivered);
    assert_eq!(desk.deliver(&channel).await, Outcome::Delivered);
    let [first, broken, again] = &receiver.requests()[..] else { panic!("three requests") };
    assert_eq!(first.connection, broken.connection, "the connection was kept");
    assert_ne!(broken.connection, again.connection);
    assert_eq!(broken.header("webhook-id"), again.header("webhook-id"));
    assert_eq!(broken.header("webhook-signature"), again.header("webhook-signature"));
    assert_eq!(broken.body, again.body);

    // Broken twice, it is the receiver and not the connection.
    receiver.then([Behaviour::Status(200), Behaviour::CloseBeforeAnswer, Behaviour::CloseBeforeAnswer]);
    assert_eq!(desk.deliver(&channel).await, Outcome::Delivered);
    assert_eq!(desk.deliver(&channel).await, Outcome::failed(Failure::Refused));
    assert_eq!(receiver.requests().len(), 6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_channel_that_hangs_delays_no_other() {
    let (hanging, quick) = (Receiver::start(), Receiver::start());
    hanging.behave(Behaviour::Hang);
    let mut desk = Desk::new(patient());
    let stuck = Arc::new(desk.channel(&hanging.url()));
    let free = Arc::new(Channel { id: "free".parse().unwrap(), ..desk.channel(&quick.url()) });
    for _ in 0..64 {
        desk.send(&stuck);
    }
    hanging.wait_for(64, Duration::from_secs(8));
    assert_eq!(desk.deliver(&free).await, Outcome::Delivered);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_lets_attempts_end_and_then_interrupts_them() {
    let (slow, hanging) = (Receiver::start(), Receiver::start());
    slow.behave(Behaviour::After(Duration::from_millis(100)));
    hanging.behave(Behaviour::Hang);
    let mut desk = Desk::new(Settings { drain: Duration::from_secs(1), ..patient() });
    let ends = Arc::new(desk.channel(&slow.url()));
    let hangs = Arc::new(Channel { id: "hangs".parse().unwrap(), ..desk.channel(&hanging.url()) });
    let (delivered, cut) = (desk.send(&ends), desk.send(&hangs));
    hanging.wait_for(1, Duration::from_secs(5));
    desk.courier.stop();
    assert_eq!(desk.next().await, (delivered, Outcome::Delivered));
    assert_eq!(desk.next().await, (cut, Outcome::failed(Failure::Interrupted)));
    timeout(Duration::from_secs(5), &mut desk.task).await.unwrap().unwrap();
    assert_eq!(desk.deliver(&ends).await, Outcome::failed(Failure::Interrupted), "handed in after the stop");
    assert!(desk.outcomes.try_recv().is_err(), "one outcome for each");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_courier_without_handles_stops_and_one_that_is_killed_still_answers() {
    let receiver = Receiver::start();
    let Desk { courier, task, folder: _folder, .. } = Desk::new(patient());
    drop(courier);
    timeout(Duration::from_secs(5), task).await.unwrap().unwrap();

    receiver.behave(Behaviour::Hang);
    let mut desk = Desk::new(patient());
    let channel = Arc::new(desk.channel(&receiver.url()));
    let sent = desk.send(&channel);
    receiver.wait_for(1, Duration::from_secs(5));
    desk.task.abort();
    assert_eq!(desk.next().await, (sent, Outcome::failed(Failure::Interrupted)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_attempt_that_panics_is_answered_for_and_harms_no_other() {
    fn broken_clock() -> Wall {
        panic!("the clock is broken, on purpose")
    }
    let receiver = Receiver::start();
    let mut desk = Desk::new(Settings { now: broken_clock, ..patient() });
    let channel = Arc::new(desk.channel(&receiver.url()));
    for _ in 0..2 {
        assert_eq!(desk.deliver(&channel).await, Outcome::failed(Failure::Interrupted));
    }
    assert!(!desk.task.is_finished());
}

/// What the library logged in this process, by whichever test.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

static LOG: LazyLock<Log> = LazyLock::new(|| {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_env_filter("hearthwatch=trace").with_ansi(false);
    subscriber.with_writer(move || writer.clone()).init();
    log
});

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn logs_name_the_notice_and_never_the_url_a_secret_or_a_body() {
    let receiver = Receiver::start();
    receiver.then([Behaviour::Status(200), Behaviour::Status(500)]);
    let mut desk = Desk::new(patient());
    let url = format!("{}/token-in-the-path", receiver.url());
    let channel = Arc::new(Channel { id: "logged".parse().unwrap(), ..desk.channel(&url) });
    let wrong = Arc::new(Channel { id: "wrong".parse().unwrap(), secret: SECRET.into(), ..desk.channel(&url) });
    desk.courier.prepare(Arc::new(Channel {
        id: "early".parse().unwrap(),
        url: "ftp://receiver.example".into(),
        ..(*wrong).clone()
    }));
    assert_eq!(desk.deliver(&channel).await, Outcome::Delivered);
    assert_eq!(desk.deliver(&channel).await, Outcome::failed(Failure::ServerError(500)));
    assert_eq!(desk.deliver(&wrong).await, Outcome::failed(Failure::Misconfigured));
    desk.courier.stop();
    (&mut desk.task).await.unwrap();

    let text = String::from_utf8(LOG.0.lock().unwrap().clone()).unwrap();
    let line = |words: &[&str]| text.lines().any(|line| words.iter().all(|word| line.contains(word)));
    for words in [
        ["channel=logged notice=zhonglou-000184-n1 attempt=1 ms=", "outcome=\"delivered\""],
        ["channel=logged notice=zhonglou-000184-n2 attempt=1 ms=", "outcome=\"server_error\""],
        ["channel=early", "url: it has to begin with https://"],
        ["channel=wrong", "secret: it has to be written as file:PATH or env:NAME"],
    ] {
        assert!(line(&words), "{words:?} is missing in:\n{text}");
    }
    for banned in ["token-in-the-path", "127.0.0.1", "whsec_", "button-of-somebody"] {
        assert!(!text.contains(banned), "{banned} stands in:\n{text}");
    }
}

/// Run by hand: `cargo test --test courier -- --ignored --nocapture`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement, not a test"]
async fn round_trip_on_loopback() {
    const ROUNDS: usize = 2000;
    fn print(what: &str, mut times: Vec<Duration>) {
        times.sort();
        println!("{what}: p50 {:?}, p99 {:?}", times[ROUNDS / 2], times[ROUNDS * 99 / 100]);
    }
    let receiver = Receiver::start();
    let bare =
        reqwest::Client::builder().tls_backend_preconfigured(Authority::new().trusting()).no_proxy().build().unwrap();
    let mut bare_times = Vec::new();
    for _ in 0..ROUNDS {
        let started = Instant::now();
        bare.post(receiver.url()).body(vec![b'x'; 600]).send().await.unwrap().bytes().await.unwrap();
        bare_times.push(started.elapsed());
    }
    print("bare exchange", bare_times);
    for (what, keep_idle) in [("kept connection", Duration::from_secs(4)), ("new connection each", Duration::ZERO)] {
        let receiver = Receiver::start();
        let mut desk = Desk::new(Settings { keep_idle, ..patient() });
        let channel = Arc::new(desk.channel(&receiver.url()));
        desk.deliver(&channel).await;
        let mut starts = Vec::new();
        let mut to_outcome = Vec::new();
        for _ in 0..ROUNDS {
            let started = Instant::now();
            assert_eq!(desk.deliver(&channel).await, Outcome::Delivered);
            to_outcome.push(started.elapsed());
            starts.push(started);
        }
        let requests = receiver.requests();
        let to_receiver = starts.iter().zip(&requests[1..]).map(|(start, request)| request.at - *start).collect();
        print(&format!("{what}, send to receiver"), to_receiver);
        print(&format!("{what}, send to outcome"), to_outcome);
    }
}
