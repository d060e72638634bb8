//! Test messages of channels, and what a person has seen of them.

use super::house::{House, Options, VIEWER};
use hearthwatch::engine::id::ChannelId;
use serde_json::{Value, json};

async fn channel(house: &House, id: &str) -> Value {
    let answer = house.get("/api/v1/channels").await.json();
    let all = answer["channels"].as_array().unwrap().clone();
    all.into_iter().find(|one| one["id"] == id).unwrap()
}

/// The code that the last test message brought whoever received it.
async fn code(house: &House, id: &str) -> String {
    let id: ChannelId = id.parse().unwrap();
    house.handle.ask(move |core| core.site.proofs[&id].asked.as_ref().unwrap().code.to_string()).await.unwrap()
}

#[tokio::test]
async fn a_channel_is_seen_when_the_code_of_its_test_message_comes_back() {
    let house = House::start(Options::default()).await;
    let fresh = channel(&house, "desk").await;
    assert_eq!((&fresh["seen"], &fresh["asked_at"], &fresh["down_since"]), (&Value::Null, &Value::Null, &Value::Null));
    let early = house.post("/api/v1/channels/desk/confirm", &json!({"code": "0000"}).to_string()).await;
    assert_eq!((early.status, &early.json()["reason"]), (422, &json!("no_test_waits")));

    let sent = house.post("/api/v1/channels/desk/test", "{}").await;
    assert_eq!(sent.status, 200, "{}", sent.text);
    assert!(sent.json()["asked_at"].is_string() && sent.json()["seen"].is_null());
    let code = code(&house, "desk").await;
    assert!(code.len() == 4 && code.bytes().all(|b| b.is_ascii_digit()), "{code}");
    assert!(!sent.text.contains(&code), "the code is only where the message is");

    let other = if code == "0000" { "0001" } else { "0000" };
    let wrong = house.post("/api/v1/channels/desk/confirm", &json!({"code": other}).to_string()).await;
    assert_eq!((wrong.status, &wrong.json()["reason"]), (422, &json!("wrong_code")));
    let seen = house.post("/api/v1/channels/desk/confirm", &json!({"code": format!(" {code} ")}).to_string()).await;
    assert_eq!(seen.status, 200, "{}", seen.text);
    assert!(seen.json()["seen"]["by"].is_string() && seen.json()["asked_at"].is_null());
    assert_eq!(channel(&house, "desk").await["seen"], seen.json()["seen"]);
}

#[tokio::test]
async fn who_only_looks_sends_no_test_and_no_url_is_shown() {
    let house = House::start(Options::default()).await;
    let authorization = format!("Bearer {VIEWER}");
    for path in ["/api/v1/channels/desk/test", "/api/v1/channels/desk/confirm"] {
        let reply = house.send("POST", path, &[("authorization", &authorization)], "{\"code\":\"1\"}").await;
        assert_eq!(reply.status, 403, "{path}: {}", reply.text);
    }
    let listed = house.send("GET", "/api/v1/channels", &[("authorization", &authorization)], "").await;
    assert_eq!(listed.status, 200);
    assert!(!listed.text.contains("http") && !listed.text.contains("env:"), "{}", listed.text);
    let missing = house.post("/api/v1/channels/nowhere/test", "{}").await;
    assert_eq!((missing.status, &missing.json()["reason"]), (404, &json!("no_such_channel")));
}
