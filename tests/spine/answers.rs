//! Receivers that misbehave: each answer has its name, the ladder goes on without them, and the notice arrives when they are back.

use super::broker::Broker;
use super::gateway::{Gateway, Registry, eventually, verified};
use super::listener::publish;
use super::receiver::{Authority, Behaviour, Certificate, Receiver};
use super::{PRESS, home};
use std::time::Duration;

/// What a receiver does, what that is called, and the seconds until its ladder goes on by itself: long where the ladder has to leave
/// a dead rung before its time.
struct Bad {
    channel: &'static str,
    does: Does,
    outcome: &'static str,
    wait_s: u32,
}

enum Does {
    Answer(Behaviour),
    /// Its port is closed.
    Refuse,
    /// Its certificate is of another host.
    ShowWrongName,
    /// Its name leads nowhere: a dead DNS, or a slip of the pen.
    HaveNoName,
}

const LONG: u32 = 3_600;
const A_SECOND: Duration = Duration::from_secs(1);
/// Reserved: no resolver knows it.
const NOWHERE: &str = "http://name.invalid/hook";

fn table() -> Vec<Bad> {
    use Does::{Answer, HaveNoName, Refuse, ShowWrongName};
    let bad = |channel, does, outcome, wait_s| Bad { channel, does, outcome, wait_s };
    vec![
        bad("refuses", Refuse, "refused", LONG),
        bad("hangs", Answer(Behaviour::Hang), "timed_out", 2),
        bad("redirects", Answer(Behaviour::Redirect(302, "http://127.0.0.1:1/".into())), "redirected", LONG),
        bad("fails", Answer(Behaviour::Status(500)), "server_error", LONG),
        bad("gone", Answer(Behaviour::Status(410)), "gone", LONG),
        bad("throttles", Answer(Behaviour::RetryAfter(429, "3".into())), "rate_limited", LONG),
        bad("breaks-off", Answer(Behaviour::CloseMidBody), "body_cut", LONG),
        bad("lies", ShowWrongName, "bad_certificate", LONG),
        bad("no-name", HaveNoName, "name_not_found", LONG),
        // One byte of the answer a second, for ever: nobody may hold a slot for longer than an attempt lasts.
        bad("drips-head", Answer(Behaviour::DripHead(A_SECOND)), "timed_out", 2),
        bad("drips-body", Answer(Behaviour::DripBody(A_SECOND)), "timed_out", 2),
        // Ten megabytes of thanks: read no further than an answer may be long.
        bad("floods", Answer(Behaviour::Large(10 << 20)), "body_cut", LONG),
    ]
}

#[test]
fn each_bad_answer_has_its_name_the_ladder_goes_on_and_the_notice_arrives_later() {
    let (broker, good, authority) = (Broker::start(), Receiver::start(), Authority::new());
    let mut gateway = Gateway::new(&broker.url());
    let ca_file = gateway.dir().join("ca.pem");
    std::fs::write(&ca_file, authority.pem()).expect("the authority");
    let table = table();
    let receivers: Vec<Receiver> = table.iter().map(|bad| begin(&bad.does, &authority)).collect();
    let mut registry =
        Registry::default().channel(&gateway, "good", &good.url()).ladder("life", 3_600, &[("good", 3_600)]);
    let trust = format!("ca_file = \"{}\"", ca_file.display());
    for (n, (bad, receiver)) in table.iter().zip(&receivers).enumerate() {
        let lines = if matches!(bad.does, Does::ShowWrongName) { trust.as_str() } else { "" };
        let url = if matches!(bad.does, Does::HaveNoName) { NOWHERE.to_owned() } else { receiver.url() };
        registry = registry
            .channel_with(&gateway, bad.channel, &url, lines)
            .ladder(bad.channel, 3_600, &[(bad.channel, bad.wait_s), ("good", 3_600)])
            .home(&home(n), Some(bad.channel))
            .device(&home(n), "sos", true);
    }
    gateway.import(registry.text());
    gateway.start();
    let topics: Vec<String> = (0..table.len()).map(|n| format!("zigbee2mqtt/{}/sos", home(n))).collect();
    publish(&broker.url(), topics.iter().map(|topic| (topic.as_str(), PRESS.to_owned())));

    // The second rung hears of every alarm.
    let requests = good.wait_for(table.len(), Duration::from_secs(30));
    for request in &requests {
        assert_eq!(verified(request)["data"]["rung"], 2);
    }
    eventually("an outcome of each", || {
        let past = gateway.past();
        table.iter().all(|bad| !past.outcomes(bad.channel).is_empty())
    });
    let past = gateway.past();
    for bad in &table {
        let outcomes = past.outcomes(bad.channel);
        assert!(outcomes.iter().all(|outcome| *outcome == bad.outcome), "{}: {outcomes:?}", bad.channel);
        assert!(gateway.log().contains(&format!("outcome=\"{}\"", bad.outcome)), "{} is in the log", bad.outcome);
    }
    let metrics = gateway.get("/metrics").filter(|(status, _)| *status == 200);
    for bad in table.iter().filter(|_| metrics.is_some()) {
        let (_, metrics) = metrics.as_ref().expect("metrics");
        assert!(metrics.contains(&format!("outcome=\"{}\"", bad.outcome)), "{} is in the metrics", bad.outcome);
    }

    // They come back. Who showed a wrong certificate gets a good one, which takes another receiver; who had no name, its own.
    let mended = Receiver::start_tls(authority.certificate(Certificate::Good));
    let named = table.iter().position(|bad| matches!(bad.does, Does::HaveNoName)).expect("it is in the table");
    let registry = Registry::default().channel_with(&gateway, "lies", &mended.url(), &trust);
    gateway.import(registry.channel(&gateway, "no-name", &receivers[named].url()).text());
    for (bad, receiver) in table.iter().zip(&receivers) {
        receiver.behave(Behaviour::Status(200));
        if matches!(bad.does, Does::Refuse) {
            receiver.restart();
        }
    }
    eventually("the first rung's notices", || {
        let past = gateway.past();
        table.iter().all(|bad| past.outcomes(bad.channel).last() == Some(&"delivered"))
    });
    for (n, (bad, receiver)) in table.iter().zip(&receivers).enumerate() {
        let mut requests = receiver.requests();
        if matches!(bad.does, Does::ShowWrongName) {
            assert!(requests.is_empty(), "nothing was said to who showed a wrong certificate");
            requests = mended.requests();
        }
        let ids: Vec<_> = requests.iter().map(|r| r.header("webhook-id")).collect();
        assert!(ids.iter().all(|id| *id == ids[0]), "{}: one notice, one id: {ids:?}", bad.channel);
        let body = verified(requests.last().expect("a request"));
        assert_eq!(body["data"]["home"]["id"], home(n), "{}", bad.channel);
        if bad.channel == "throttles" {
            let apart = requests[1].at - requests[0].at;
            assert!(apart >= Duration::from_secs(3), "Retry-After is honoured: {apart:?}");
        }
        println!("{}: {} until delivered after {} attempts", bad.channel, bad.outcome, past_attempts(&gateway, bad));
    }
    super::kills::check_ids(&good.requests());
}

fn past_attempts(gateway: &Gateway, bad: &Bad) -> usize {
    gateway.past().outcomes(bad.channel).len()
}

fn begin(does: &Does, authority: &Authority) -> Receiver {
    match does {
        Does::ShowWrongName => Receiver::start_tls(authority.certificate(Certificate::WrongName)),
        Does::HaveNoName => Receiver::start(),
        Does::Refuse => {
            let receiver = Receiver::start();
            receiver.stop();
            receiver
        }
        Does::Answer(behaviour) => {
            let receiver = Receiver::start();
            receiver.behave(behaviour.clone());
            receiver
        }
    }
}
