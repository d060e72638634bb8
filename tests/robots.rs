//! The courier against robots that behave as their platforms document: they check signature, clock, keyword, rate and size, and say no
//! inside a 200.

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

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hearthwatch::courier::{Courier, Settings};
use hearthwatch::engine::delivery::{Failure, Outcome};
use hearthwatch::engine::id::NoticeId;
use hearthwatch::engine::registry::{Channel, ChannelDialect, Method, Template};
use hearthwatch::engine::time::{Millis, Wall};
use hearthwatch::keeper::ports::{Content, Dispatch, Parcel, Person};
use receiver::{Behaviour, Mind, Receiver, Request};
use ring::hmac;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::timeout;

fn wall() -> Wall {
    Wall(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64)
}

/// A gateway whose clock is wrong by more than the hour that platforms allow.
fn wrong_wall() -> Wall {
    Wall(wall().0 - 3_700_000)
}

struct Desk {
    courier: Courier,
    outcomes: UnboundedReceiver<Outcome>,
    folder: tempfile::TempDir,
    sent: u32,
}

impl Desk {
    fn new(now: fn() -> Wall) -> Desk {
        let (report, outcomes) = unbounded_channel();
        let on_outcome = move |_: NoticeId, _, outcome| report.send(outcome).unwrap_or_default();
        let (courier, _task) = Courier::start(Settings::new(now), Arc::new(on_outcome));
        Desk { courier, outcomes, folder: tempfile::tempdir().unwrap(), sent: 0 }
    }

    fn secret(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        format!("file:{}", path.display())
    }

    /// Delivers a call for help with this change made to its parcel.
    async fn deliver(&mut self, channel: &Channel, change: impl FnOnce(&mut Parcel)) -> Outcome {
        self.sent += 1;
        let mut parcel = parcel::parcel(Arc::new(channel.clone()), self.sent, wall());
        if let Content::Alarm(told) = &mut parcel.content {
            told.people = vec![Person { name: "张敏".into(), phone: "13800000001".into() }];
        }
        change(&mut parcel);
        self.courier.send(parcel);
        timeout(Duration::from_secs(20), self.outcomes.recv()).await.expect("an outcome in time").expect("a courier")
    }
}

fn channel(dialect: ChannelDialect, url: &str, secret: &str) -> Channel {
    let channel = Channel::new("robot".parse().unwrap(), "zhonglou".parse().unwrap(), dialect, url, secret);
    Channel { allow_private: true, ..channel }
}

/// How one robot is set up by whoever owns its group.
#[derive(Clone, Default)]
struct Robot {
    /// Empty: it signs nothing.
    key: &'static str,
    keyword: Option<&'static str>,
    /// The gateway's address is not on its list.
    shut_out: bool,
    gone: bool,
    /// Messages that it has taken within the minute.
    already: u32,
    /// The most bytes that it takes; 0: as documented.
    most: usize,
}

fn tag(key: &[u8], message: &[u8]) -> String {
    BASE64.encode(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message))
}

fn within_the_hour(timestamp_ms: i64) -> bool {
    (wall().0 - timestamp_ms).abs() <= 3_600_000
}

fn percent_decoded(text: &str) -> String {
    let url = reqwest::Url::parse(&format!("http://x/?q={text}")).unwrap();
    url.query_pairs().next().unwrap().1.into_owned()
}

/// `errcode` and `errmsg` of WeCom: https://developer.work.weixin.qq.com/document/path/91770 and …/90313.
fn wecom(robot: &Robot, request: &Request, taken: u32) -> (u16, String) {
    let body = request.json();
    let (limit, content) = match body["msgtype"].as_str() {
        Some("text") => (2_048, &body["text"]["content"]),
        Some("markdown") => (4_096, &body["markdown"]["content"]),
        _ => return (200, json!({"errcode": 40008, "errmsg": "invalid message type"}).to_string()),
    };
    let content = content.as_str().unwrap_or_default();
    let (code, text) = match () {
        () if robot.gone => (93000, "invalid webhook url, hint: [1]"),
        () if robot.shut_out => (60020, "not allow to access from your ip"),
        () if taken > 20 => (45009, "api freq out of limit"),
        () if content.is_empty() => (44004, "empty content"),
        () if content.len() > if robot.most > 0 { robot.most } else { limit } => {
            (40058, "text.content exceed max length")
        }
        () => (0, "ok"),
    };
    (200, json!({"errcode": code, "errmsg": text}).to_string())
}

/// https://open.dingtalk.com/document/robots/custom-robot-access
fn dingtalk(robot: &Robot, request: &Request, taken: u32) -> (u16, String) {
    let (_, query) = request.path.split_once('?').unwrap_or_default();
    let query: HashMap<&str, String> =
        query.split('&').filter_map(|pair| pair.split_once('=')).map(|(k, v)| (k, percent_decoded(v))).collect();
    let timestamp = query.get("timestamp").and_then(|t| t.parse().ok()).unwrap_or(0);
    let sign = tag(robot.key.as_bytes(), format!("{timestamp}\n{}", robot.key).as_bytes());
    let body = request.json();
    let content = body["markdown"]["text"].as_str().unwrap_or_default();
    let mentioned = body["at"]["atMobiles"].as_array().cloned().unwrap_or_default();
    let named = mentioned.iter().all(|phone| content.contains(&format!("@{}", phone.as_str().unwrap())));
    let (code, text) = match () {
        () if robot.gone || query.get("access_token").map(String::as_str) != Some("t") => {
            (300005, "token is not exist")
        }
        () if robot.shut_out => (310000, "ip 203.0.113.9 not in whitelist"),
        () if !robot.key.is_empty() && !within_the_hour(timestamp) => (310000, "invalid timestamp"),
        () if !robot.key.is_empty() && query.get("sign") != Some(&sign) => (310000, "sign not match"),
        () if robot.keyword.is_some_and(|word| !content.contains(word)) => (310000, "keywords not in content"),
        () if taken > 20 => (130101, "send too fast, exceed 20 times per minute"),
        () if request.body.len() > if robot.most > 0 { robot.most } else { 20_000 } => {
            (460101, "message too long, exceed 20000 bytes")
        }
        () if !named => (400001, "a mentioned phone is not in the text"),
        () => (0, "ok"),
    };
    (200, json!({"errcode": code, "errmsg": text}).to_string())
}

/// https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot
fn feishu(robot: &Robot, request: &Request, taken: u32) -> (u16, String) {
    let body = request.json();
    let timestamp_s: i64 = body["timestamp"].as_str().and_then(|t| t.parse().ok()).unwrap_or(0);
    let sign = tag(format!("{timestamp_s}\n{}", robot.key).as_bytes(), b"");
    let signed = body["sign"] == json!(sign) && within_the_hour(timestamp_s * 1000);
    let (status, code, text) = match () {
        () if robot.gone => (400, 19001, "param invalid: incoming webhook access token invalid"),
        () if robot.shut_out => (200, 19022, "Ip Not Allowed"),
        () if !robot.key.is_empty() && !signed => {
            (200, 19021, "sign match fail or timestamp is not within one hour from current time")
        }
        () if robot.keyword.is_some_and(|word| !body["card"].to_string().contains(word)) => {
            (200, 19024, "Key Words Not Found")
        }
        () if taken > 100 => (200, 11232, "frequency limited"),
        () if request.body.len() > if robot.most > 0 { robot.most } else { 20_480 } => (400, 9499, "Bad Request"),
        () => (200, 0, "success"),
    };
    (status, json!({"code": code, "msg": text, "data": {}}).to_string())
}

/// https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
fn slack(robot: &Robot, request: &Request, taken: u32) -> (u16, String) {
    let body: Value = request.json();
    let section = body["blocks"][0]["text"]["text"].as_str().unwrap_or_default();
    let (status, word) = match () {
        () if robot.gone => (404, "no_service"),
        () if robot.shut_out => (403, "action_prohibited"),
        () if taken > 60 => (429, "rate_limited"),
        () if section.is_empty() || section.chars().count() > 3_000 => (400, "invalid_blocks"),
        () => (200, "ok"),
    };
    (status, word.to_owned())
}

/// A robot on loopback, and the URL by which its group knows it.
fn stand_up(dialect: ChannelDialect, robot: Robot) -> (Receiver, String) {
    let receiver = Receiver::start();
    let taken = AtomicU32::new(robot.already);
    let answer = move |request: &Request| {
        let taken = taken.fetch_add(1, Ordering::Relaxed) + 1;
        match dialect {
            ChannelDialect::Wecom => wecom(&robot, request, taken),
            ChannelDialect::Dingtalk => dingtalk(&robot, request, taken),
            ChannelDialect::Feishu => feishu(&robot, request, taken),
            _ => slack(&robot, request, taken),
        }
    };
    receiver.behave(Behaviour::Thoughtful(Mind(Arc::new(answer))));
    let path = match dialect {
        ChannelDialect::Wecom => "/cgi-bin/webhook/send?key=t",
        ChannelDialect::Dingtalk => "/robot/send?access_token=t",
        ChannelDialect::Feishu => "/open-apis/bot/v2/hook/t",
        _ => "/services/T0/B0/t",
    };
    let url = format!("http://{}{path}", receiver.address());
    (receiver, url)
}

const ROBOTS: [ChannelDialect; 4] =
    [ChannelDialect::Wecom, ChannelDialect::Dingtalk, ChannelDialect::Feishu, ChannelDialect::Slack];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_robot_takes_what_it_should_and_says_why_it_takes_something_else_not() {
    use ChannelDialect::*;
    use Failure::*;
    let plain = Robot::default;
    let signing = || Robot { key: "SECa1", ..Robot::default() };
    let limited = |seconds| {
        let retry_after = (seconds > 0).then(|| Millis::from_secs(seconds));
        Outcome::Failed { failure: RateLimited, retry_after }
    };
    let failed = Outcome::failed;
    // The robot, the key that the gateway has, and what comes of a notice.
    let table = [
        (Wecom, plain(), "", Outcome::Delivered),
        (Wecom, Robot { gone: true, ..plain() }, "", failed(KeyRefused)),
        (Wecom, Robot { shut_out: true, ..plain() }, "", failed(Barred)),
        (Wecom, Robot { already: 20, ..plain() }, "", limited(60)),
        (Wecom, Robot { most: 10, ..plain() }, "", failed(TooLong)),
        (Dingtalk, plain(), "", Outcome::Delivered),
        (Dingtalk, signing(), "SECa1", Outcome::Delivered),
        (Dingtalk, Robot { keyword: Some("编号"), ..signing() }, "SECa1", Outcome::Delivered),
        (Dingtalk, signing(), "SECb2", failed(KeyRefused)),
        (Dingtalk, signing(), "", failed(KeyRefused)),
        (Dingtalk, Robot { keyword: Some("lunch"), ..signing() }, "SECa1", failed(Barred)),
        (Dingtalk, Robot { shut_out: true, ..plain() }, "", failed(Barred)),
        (Dingtalk, Robot { gone: true, ..plain() }, "", failed(KeyRefused)),
        (Dingtalk, Robot { already: 20, ..plain() }, "", limited(600)),
        (Dingtalk, Robot { most: 10, ..plain() }, "", failed(TooLong)),
        (Feishu, plain(), "", Outcome::Delivered),
        (Feishu, signing(), "SECa1", Outcome::Delivered),
        (Feishu, signing(), "SECb2", failed(KeyRefused)),
        (Feishu, signing(), "", failed(KeyRefused)),
        (Feishu, Robot { keyword: Some("lunch"), ..signing() }, "SECa1", failed(Barred)),
        (Feishu, Robot { shut_out: true, ..plain() }, "", failed(Barred)),
        (Feishu, Robot { gone: true, ..plain() }, "", failed(KeyRefused)),
        (Feishu, Robot { already: 100, ..plain() }, "", limited(10)),
        (Feishu, Robot { most: 10, ..plain() }, "", failed(Declined(9499))),
        (Slack, plain(), "", Outcome::Delivered),
        (Slack, Robot { gone: true, ..plain() }, "", failed(KeyRefused)),
        (Slack, Robot { shut_out: true, ..plain() }, "", failed(KeyRefused)),
        (Slack, Robot { already: 60, ..plain() }, "", limited(0)),
    ];
    for (at, (dialect, robot, key, expected)) in table.into_iter().enumerate() {
        let (receiver, url) = stand_up(dialect, robot);
        let mut desk = Desk::new(wall);
        let secret = if key.is_empty() { String::new() } else { desk.secret("key", key) };
        let outcome = desk.deliver(&channel(dialect, &url, &secret), |_| {}).await;
        assert_eq!(outcome, expected, "row {at}: {dialect:?}");
        assert_eq!(receiver.requests().len(), 1, "row {at}: asked once");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_twenty_first_message_of_a_minute_is_refused_and_known_as_that() {
    for (dialect, most, wait) in [(ChannelDialect::Wecom, 20, 60), (ChannelDialect::Dingtalk, 20, 600)] {
        let (_receiver, url) = stand_up(dialect, Robot::default());
        let channel = channel(dialect, &url, "");
        assert_eq!(channel.per_minute(), Some(most), "what we keep to is what the robot takes");
        let mut desk = Desk::new(wall);
        for _ in 0..most {
            assert_eq!(desk.deliver(&channel, |_| {}).await, Outcome::Delivered);
        }
        let retry_after = Some(Millis::from_secs(wait));
        assert_eq!(
            desk.deliver(&channel, |_| {}).await,
            Outcome::Failed { failure: Failure::RateLimited, retry_after }
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_is_an_hour_wrong_is_known_as_that() {
    for dialect in [ChannelDialect::Dingtalk, ChannelDialect::Feishu] {
        let (_receiver, url) = stand_up(dialect, Robot { key: "SECa1", ..Robot::default() });
        for (now, expected) in
            [(wall as fn() -> Wall, Outcome::Delivered), (wrong_wall, Outcome::failed(Failure::KeyRefused))]
        {
            let mut desk = Desk::new(now);
            let channel = channel(dialect, &url, &desk.secret("key", "SECa1"));
            assert_eq!(desk.deliver(&channel, |_| {}).await, expected, "{dialect:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_keys_rotate_the_next_is_tried_within_the_same_attempt() {
    for dialect in [ChannelDialect::Dingtalk, ChannelDialect::Feishu] {
        let (receiver, url) = stand_up(dialect, Robot { key: "SECold", ..Robot::default() });
        let mut desk = Desk::new(wall);
        let channel = channel(dialect, &url, &desk.secret("key", "SECnew\nSECold\n"));
        assert_eq!(desk.deliver(&channel, |_| {}).await, Outcome::Delivered, "{dialect:?}");
        assert_eq!(receiver.requests().len(), 2);
        // No other refusal is answered by signing anew.
        let (receiver, url) = stand_up(dialect, Robot { key: "SECnew", already: 1_000, ..Robot::default() });
        let channel = Channel { url: url.into(), ..channel };
        assert!(matches!(desk.deliver(&channel, |_| {}).await, Outcome::Failed { failure: Failure::RateLimited, .. }));
        assert_eq!(receiver.requests().len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_is_not_the_robots_own_word_proves_nothing() {
    // A gateway in between, a page of a hotel's network, an answer that broke off.
    let answers = ["", "ok ", "{}", "<html>welcome</html>", "{\"errcode\":", "null", "{\"errcode\":{}}"];
    for (dialect, answer) in ROBOTS.iter().flat_map(|d| answers.iter().map(|a| (*d, *a))) {
        let receiver = Receiver::start();
        receiver.behave(Behaviour::Thoughtful(Mind(Arc::new(move |_| (200, answer.to_owned())))));
        let outcome = Desk::new(wall).deliver(&channel(dialect, &receiver.url(), ""), |_| {}).await;
        let proven = dialect == ChannelDialect::Slack && answer.trim() == "ok";
        let expected = if proven { Outcome::Delivered } else { Outcome::failed(Failure::Unproven) };
        assert_eq!(outcome, expected, "{dialect:?} {answer:?}");
    }
    for (behaviour, failure) in [
        (Behaviour::CloseMidBody, Failure::BodyCut),
        (Behaviour::Large(70_000), Failure::BodyCut),
        (Behaviour::Status(502), Failure::ServerError(502)),
        (Behaviour::Status(204), Failure::Unproven),
    ] {
        let receiver = Receiver::start();
        receiver.behave(behaviour.clone());
        let outcome = Desk::new(wall).deliver(&channel(ChannelDialect::Wecom, &receiver.url(), ""), |_| {}).await;
        assert_eq!(outcome, Outcome::failed(failure), "{behaviour:?}");
    }
    let receiver = Receiver::start();
    receiver.behave(Behaviour::RetryAfter(429, "30".into()));
    let outcome = Desk::new(wall).deliver(&channel(ChannelDialect::Slack, &receiver.url(), ""), |_| {}).await;
    let retry_after = Some(Millis::from_secs(30));
    assert_eq!(outcome, Outcome::Failed { failure: Failure::RateLimited, retry_after });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_robot_finds_the_longest_notice_too_long() {
    for dialect in ROBOTS {
        let (_receiver, url) = stand_up(dialect, Robot::default());
        let long = |parcel: &mut Parcel| {
            if let Content::Alarm(told) = &mut parcel.content {
                let word: Box<str> = "字\"".repeat(5_000).into();
                (told.home.community, told.home.block) = (Some(word.clone()), Some(word.clone()));
                told.people = vec![Person { name: word.to_string(), phone: "13800000001".into() }; 12];
            }
        };
        let outcome = Desk::new(wall).deliver(&channel(dialect, &url, ""), long).await;
        assert_eq!(outcome, Outcome::Delivered, "{dialect:?}");
    }
}

fn sms(body: &str) -> Template {
    Template {
        method: Method::Put,
        content_type: "application/json".into(),
        headers: [("authorization".into(), "env:NOT_SET".into()), ("x-app".into(), "care".into())].into(),
        body: body.into(),
        pointer: "/result".into(),
        delivered: "0".into(),
        busy: vec!["9".into()],
        broken: vec!["4".into()],
        answers: None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_template_speaks_to_any_interface() {
    const SECRET: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX";
    let mut desk = Desk::new(wall);
    let template = |body: &str, authorization: String| {
        let mut template = sms(body);
        template.headers.insert("authorization".into(), authorization.into());
        Some(Box::new(template))
    };
    let token = desk.secret("token", "Bearer hush-hush\n");
    let two_lines = desk.secret("two", "one\ntwo");
    let body = r#"{"to": {{ phones }}, "say": {{ title }}, "id": {{ notice_id }}}"#;
    let receiver = Receiver::start();
    let base = channel(ChannelDialect::Template, &receiver.url(), &desk.secret("key", SECRET));
    let good = Channel { template: template(body, token.clone()), ..base.clone() };
    let answers = Arc::new(Mutex::new("0"));
    let said = answers.clone();
    let mind = move |_: &Request| (200, format!("{{\"result\": {}}}", said.lock().unwrap()));
    receiver.behave(Behaviour::Thoughtful(Mind(Arc::new(mind))));

    assert_eq!(desk.deliver(&good, |_| {}).await, Outcome::Delivered);
    let request = receiver.requests().remove(0);
    assert_eq!((request.method.as_str(), request.path.as_str()), ("PUT", "/hook"));
    for (name, value) in
        [("authorization", "Bearer hush-hush"), ("x-app", "care"), ("content-type", "application/json")]
    {
        assert_eq!(request.header(name), Some(value));
    }
    let title = "【危急·紧急求助】h0012户";
    let expected = json!({"to": ["13800000001"], "say": title, "id": "zhonglou-000184-n1"});
    assert_eq!(request.json(), expected);
    let mut headers = reqwest::header::HeaderMap::new();
    for (name, value) in &request.headers {
        headers.insert(reqwest::header::HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
    }
    standardwebhooks::Webhook::new(SECRET).unwrap().verify(&request.body, &headers).unwrap();

    for (answer, failure) in
        [("9", Failure::Busy(9)), ("4", Failure::Declined(4)), ("\"0 \"", Failure::Unproven), ("[]", Failure::Unproven)]
    {
        *answers.lock().unwrap() = answer;
        assert_eq!(desk.deliver(&good, |_| {}).await, Outcome::failed(failure), "{answer}");
    }
    let asked = receiver.requests().len();
    for bad in [
        template("{{ nothing_of_the_kind }}", token.clone()),
        template("{", token.clone()),
        template(body, "env:HEARTHWATCH_TEST_IS_NOT_SET".into()),
        template(body, two_lines),
        None,
    ] {
        let channel = Channel { template: bad, ..base.clone() };
        assert_eq!(desk.deliver(&channel, |_| {}).await, Outcome::failed(Failure::Misconfigured));
    }
    assert_eq!(receiver.requests().len(), asked, "nothing half-made was sent");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proxy_leads_to_what_only_it_can_reach() {
    let proxy = Receiver::start();
    proxy.behave(Behaviour::Thoughtful(Mind(Arc::new(|_| (200, "{\"errcode\":0}".to_owned())))));
    let mut desk = Desk::new(wall);
    let with_password = desk.secret("proxy", &format!("http://gate:hush@{}", proxy.address()));
    let plain = format!("http://{}", proxy.address());
    for (address, password) in [(&plain, None), (&with_password, Some("Basic Z2F0ZTpodXNo"))] {
        let channel = Channel {
            proxy: Some(address.as_str().into()),
            ..channel(ChannelDialect::Wecom, "http://robot.invalid/send?key=t", "")
        };
        assert_eq!(desk.deliver(&channel, |_| {}).await, Outcome::Delivered);
        let request = proxy.requests().pop().unwrap();
        assert_eq!(request.path, "http://robot.invalid/send?key=t");
        assert_eq!(request.header("proxy-authorization"), password);
    }
    // With TLS the proxy sees a name and nothing of what is said.
    let sealed = Channel {
        proxy: Some(plain.into()),
        allow_private: false,
        ..channel(ChannelDialect::Wecom, "https://robot.invalid/send?key=t", "")
    };
    assert_ne!(desk.deliver(&sealed, |_| {}).await, Outcome::Delivered);
    let request = proxy.requests().pop().unwrap();
    assert_eq!((request.method.as_str(), request.path.as_str()), ("CONNECT", "robot.invalid:443"));
    let nowhere = Channel { proxy: Some("https://127.0.0.1:1".into()), ..sealed };
    assert_eq!(desk.deliver(&nowhere, |_| {}).await, Outcome::failed(Failure::Misconfigured));
}
