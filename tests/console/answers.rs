//! What a provider of calls hands on: whose answer it is, what comes of it, and what it never does.

use super::house::{House, Options, Reply, links, seal};
use hearthwatch::engine::registry::{Entity, Responder, ResponderDetails};
use hearthwatch::engine::time::Wall;
use serde_json::{Value, json};

const SOS: &str = "/api/v1/alarms/zhonglou-000001";
const NOTICE: &str = "zhonglou-000001-n1";
const LI: &str = "+86 139-0000-0001";
const ZHANG: &str = "13900000002";
const RESIDENT: &str = "051988880012";
const SON: &str = "13765432100";

/// A house whose life ladder calls Li and Zhang, and whose other ladder calls the family and Li, each through a provider who answers.
async fn house() -> House {
    let house = House::start(Options::default()).await;
    let answers = json!({"token": "/user_data", "key": "/call/key", "phone": "/call/to", "taken": ["1"], "cannot": ["2"], "fine": ["8"],
        "help": ["9"]});
    let channel = |id: &str, answers: &Value| {
        let template = json!({"content_type": "application/json", "body": "{\"t\": {{ answer }}}", "answers": answers});
        let json = json!({"id": id, "site": "zhonglou", "dialect": "template", "url": "http://127.0.0.1:1/", "medium": "voice",
            "include_personal": true, "template": template});
        Entity::Channel(serde_json::from_value(json).unwrap())
    };
    let person = |id: &str, phone: &str| {
        let details = seal(&ResponderDetails { name: id.into(), phone: phone.into(), ..ResponderDetails::default() });
        let (id, site, channels) = (id.parse().unwrap(), "zhonglou".parse().unwrap(), vec!["call".parse().unwrap()]);
        Entity::Responder(Responder { id, site, channels, details })
    };
    let ladder = |id: &str, to: &[&str]| {
        let rung = json!({"name": "call", "to": to, "wait_s": 600, "rotas": []});
        let json = json!({"id": id, "site": "zhonglou", "repeat_s": 600, "rungs": [rung]});
        Entity::Ladder(serde_json::from_value(json).unwrap())
    };
    let all = vec![
        channel("call", &answers),
        channel("other", &answers),
        person("li", "139 0000 0001"),
        person("zhang", ZHANG),
        person("family", ""),
        ladder("life", &["li", "zhang"]),
        ladder("welfare", &["li", "family"]),
    ];
    house.handle.register(all).await.unwrap();
    house
}

async fn pressed() -> House {
    let house = house().await;
    house.say("h0012/bedroom", "sos").await;
    house
}

fn token(house: &House, notice: &str, channel: &str, ago_ms: i64) -> String {
    let issued = Wall(house.clock.read().1.0 - ago_ms);
    links().answer(&notice.parse().unwrap(), &channel.parse().unwrap(), issued)
}

async fn send(house: &House, channel: &str, body: &str) -> Reply {
    let reply = house.send("POST", &format!("/api/v1/answers/{channel}"), &[], body).await;
    house.settle().await;
    reply
}

/// The callback of a call to `to` in which `key` was pressed.
async fn call(house: &House, token: &str, to: &str, key: impl Into<Value>) -> Reply {
    let key: Value = key.into();
    send(house, "call", &json!({"user_data": token, "call": {"key": key, "to": to}}).to_string()).await
}

async fn outcome(house: &House, token: &str, to: &str, key: &str) -> String {
    let reply = call(house, token, to, key).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json()["outcome"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn every_key_does_what_it_says_and_in_the_name_of_whoever_was_called() {
    // To whom, the key, what is answered, who has it then, and how many steps the alarm's revision takes: an act, the ladder, a note;
    // of whoever has it then, the note renews the lease.
    let table = [
        (LI, "1", "taken", Some("li"), 4),
        (ZHANG, "1", "taken", Some("zhang"), 4),
        ("", "1", "taken", Some("li"), 4),
        ("13999999999", "1", "taken", Some("li"), 4),
        (LI, "2", "cannot", None, 2),
        (LI, "8", "fine", None, 1),
        (LI, "9", "help", None, 1),
        (LI, "7", "ignored", None, 0),
        (LI, "", "ignored", None, 0),
        (RESIDENT, "1", "fine", None, 1),
        (RESIDENT, "9", "help", None, 1),
        (SON, "1", "fine", None, 1),
    ];
    for (to, key, expected, by, steps) in table {
        let house = pressed().await;
        let before = house.get(SOS).await.json()["revision"].as_u64().unwrap();
        assert_eq!(outcome(&house, &token(&house, NOTICE, "call", 0), to, key).await, expected, "{to} {key}");
        let alarm = house.get(SOS).await.json();
        assert_eq!(alarm["seen"]["by"].as_str(), by, "{to} {key}");
        assert!(!alarm["next"].is_null(), "{to} {key}: it goes on where nobody comes");
        assert_eq!((&alarm["safe"], alarm["open"].as_bool()), (&Value::Null, Some(true)), "a key proves nothing");
        assert_eq!(alarm["revision"].as_u64().unwrap() - before, steps, "{to} {key}");
    }
}

#[tokio::test]
async fn the_same_callback_again_gets_the_same_answer_and_does_nothing_more() {
    let house = pressed().await;
    let token = token(&house, NOTICE, "call", 0);
    let mut revisions = Vec::new();
    for _ in 0..3 {
        assert_eq!(outcome(&house, &token, LI, "1").await, "taken");
        revisions.push(house.get(SOS).await.json()["revision"].clone());
    }
    assert!(revisions.iter().all(|one| *one == revisions[0]), "{revisions:?}");
    // A number is a key too.
    assert_eq!(call(&house, &token, LI, 1).await.json()["outcome"], "taken");
    // Who was called for the same notice and comes later is told so, and takes nothing away.
    assert_eq!(outcome(&house, &token, ZHANG, "1").await, "already_taken");
    assert_eq!(house.get(SOS).await.json()["seen"]["by"], "li");
    // Who has it and cannot after all gives it back, and the ladder calls again.
    assert_eq!(outcome(&house, &token, LI, "2").await, "cannot");
    assert_eq!(house.get(SOS).await.json()["seen"], Value::Null);
}

#[tokio::test]
async fn only_the_token_of_this_channels_notice_is_believed() {
    let house = pressed().await;
    let good = token(&house, NOTICE, "call", 0);
    let hour = 3_600_000;
    let link = super::link::token(&house, NOTICE, "call", 0);
    let badge = links().badge(&"zhonglou".parse().unwrap(), &"li".parse().unwrap(), "", house.clock.read().1);
    let table = [
        ("none", String::new(), "answer_forged"),
        ("cut", good[..good.len() - 8].to_owned(), "answer_forged"),
        ("a link's", link, "answer_forged"),
        ("a badge", badge, "answer_forged"),
        ("of another channel", token(&house, NOTICE, "other", 0), "answer_forged"),
        ("of another site", token(&house, "elsewhere-000001-n1", "call", 0), "answer_forged"),
        ("old", token(&house, NOTICE, "call", 12 * hour), "answer_expired"),
    ];
    for (what, token, reason) in table {
        let reply = call(&house, &token, LI, "1").await;
        assert_eq!((reply.status, reply.problem().as_str()), (401, reason), "{what}");
    }
    let alarm = house.get(SOS).await.json();
    assert_eq!((&alarm["seen"], &alarm["revision"]), (&Value::Null, &1.into()));
    assert_eq!(outcome(&house, &token(&house, NOTICE, "call", 12 * hour - 10_000), LI, "1").await, "taken");
}

#[tokio::test]
async fn who_guesses_tokens_is_heard_no_more_and_what_cannot_be_read_says_so() {
    let house = pressed().await;
    let good = token(&house, NOTICE, "call", 0);
    for channel in ["desk", "deputy-voice", "nobody", "%00"] {
        let reply = send(&house, channel, "{}").await;
        assert_eq!((reply.status, reply.problem().as_str()), (404, "no_such_channel"), "{channel}");
    }
    for body in ["", "key=1", "{"] {
        let reply = send(&house, "call", body).await;
        assert_eq!((reply.status, reply.problem().as_str()), (400, "bad_body"), "{body}");
    }
    assert_eq!(send(&house, "call", &format!("\"{}\"", "x".repeat(16 * 1024))).await.status, 413);
    for n in 0..20 {
        assert_eq!(call(&house, &format!("guess{n}"), LI, "1").await.status, 401);
    }
    let reply = call(&house, "guess", LI, "1").await;
    assert_eq!((reply.status, reply.problem().as_str()), (429, "too_many_tries"));
    assert_eq!(outcome(&house, &good, LI, "1").await, "taken", "a good one is still heard");
}

#[tokio::test]
async fn what_is_over_is_closed_and_what_cannot_be_kept_comes_again() {
    let mut house = pressed().await;
    let token = token(&house, NOTICE, "call", 0);
    let body = r#"{"revision":1,"how":"spoke"}"#;
    assert_eq!(house.post(&format!("{SOS}/safe"), body).await.status, 200);
    house.settle().await;
    assert_eq!(outcome(&house, &token, LI, "1").await, "closed", "somebody is safe");
    let revision = house.get(SOS).await.json()["revision"].clone();
    let body = format!("{{\"revision\":{revision},\"outcome\":\"helped\"}}");
    assert_eq!(house.post(&format!("{SOS}/close"), &body).await.status, 200);
    house.settle().await;
    for key in ["1", "2", "8", "9"] {
        assert_eq!(outcome(&house, &token, ZHANG, key).await, "closed", "{key}");
    }
    house.keeper_leaves();
    let reply = house.send("POST", "/api/v1/answers/call", &[], "{}").await;
    assert_eq!((reply.status, reply.problem().as_str()), (503, "keeper_gone"));
}

#[tokio::test]
async fn where_the_homes_own_were_called_too_an_answer_without_a_phone_takes_nothing() {
    let house = house().await;
    house.say("h0012/kitchen", "water_leak").await;
    let token = token(&house, NOTICE, "call", 0);
    assert_eq!(house.get(SOS).await.json()["priority"], "property");
    for to in ["", "13999999999", SON, RESIDENT] {
        assert_eq!(outcome(&house, &token, to, "1").await, "fine", "{to}");
        assert_eq!(house.get(SOS).await.json()["seen"], Value::Null, "{to}");
    }
    assert_eq!(outcome(&house, &token, LI, "1").await, "taken");
    assert_eq!(house.get(SOS).await.json()["seen"]["by"], "li");
}
