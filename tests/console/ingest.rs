//! Messages that a vendor's cloud pushes: who may, what is answered, and that nothing is taken twice.

use super::house::{House, Options, PUSH_SECRET, Reply};
use hearthwatch::wire::webhook::standard::Secrets;
use serde_json::json;
use std::sync::atomic::Ordering;

const PATH: &str = "/api/v1/ingest/z2m";

/// A request as the cloud signs it, `off_s` seconds from now by the house's clock.
async fn push(house: &House, path: &str, id: &str, off_s: i64, body: &str) -> Reply {
    let now = house.clock.read().1.0 / 1_000 + off_s;
    let signature = Secrets::parse(PUSH_SECRET).unwrap().sign(id, now, body.as_bytes());
    let (now, signature) = (now.to_string(), format!("v1,bm90IG91cnM= {signature}"));
    let headers = [("webhook-id", id), ("webhook-timestamp", &*now), ("webhook-signature", &*signature)];
    house.send("POST", path, &headers, body).await
}

#[tokio::test]
async fn a_pushed_press_is_an_alarm_when_it_is_answered_and_pushed_again_it_is_the_same() {
    let house = House::start(Options::default()).await;
    let body = r#"{"topic":"h0012/bedroom","payload":"sos"}"#;
    for _ in 0..2 {
        let reply = push(&house, PATH, "m-1", 0, body).await;
        assert_eq!(
            (reply.status, reply.json()["messages"][0].clone()),
            (200, json!({"outcome": "readings", "readings": 1}))
        );
        let alarms = house.get("/api/v1/alarms").await.json();
        assert_eq!((alarms["alarms"].as_array().unwrap().len(), &alarms["alarms"][0]["events"]), (1, &json!(1)));
    }
    // Another name is another press.
    assert_eq!(push(&house, PATH, "m-2", 0, body).await.status, 200);
    assert_eq!(house.get("/api/v1/alarms").await.json()["alarms"][0]["events"], 2);
    // The same name with other words is refused.
    assert_eq!(push(&house, PATH, "m-2", 0, r#"{"topic":"h0012/bath","payload":"sos"}"#).await.status, 422);
}

#[tokio::test]
async fn a_list_is_answered_message_by_message_and_the_topic_stands_in_what_is_signed() {
    let house = House::start(Options::default()).await;
    let body = r#" [{"topic":"h0012/kitchen","payload":"smoke"},{"topic":"h0012/hall","payload":{"base64":"bW90aW9u"},"encoding":"base64"}]"#;
    let reply = push(&house, PATH, "m-1", -299, body).await;
    assert_eq!((reply.status, reply.json()["messages"].as_array().unwrap().len()), (200, 2));
    let unsigned = push(&house, &format!("{PATH}?topic=h0012/bedroom"), "m-2", 0, "sos").await;
    assert_eq!((unsigned.status, unsigned.problem()), (422, "bad_messages".to_owned()));
    let kinds: Vec<_> = house.get("/api/v1/alarms").await.json()["alarms"]
        .as_array()
        .unwrap()
        .iter()
        .map(|a| a["kind"].clone())
        .collect();
    assert_eq!(kinds, ["smoke"]);
}

#[tokio::test]
async fn a_topic_that_is_not_of_the_source_is_rejected_by_name_and_stands_in_quarantine() {
    let house = House::start(Options::default()).await;
    let reply = push(&house, PATH, "m-1", 0, r#"{"topic":"elsewhere/button","payload":"sos"}"#).await;
    let rejected = json!({"outcome": "rejected", "reason": "the source has no such topic"});
    assert_eq!((reply.status, reply.json()["messages"][0].clone()), (200, rejected));
    let unreadable = house.get("/api/v1/quarantine").await.json()["unreadable"][0].clone();
    assert_eq!((&unreadable["source"], &unreadable["topic"]), (&json!("z2m"), &json!("elsewhere/button")));
    assert_eq!(house.get("/api/v1/alarms").await.json()["alarms"], json!([]));
}

#[tokio::test]
async fn what_found_no_room_is_taken_when_it_is_pushed_again() {
    let house = House::start(Options::default()).await;
    house.full.store(true, Ordering::Relaxed);
    house.settle().await;
    let body = r#"[{"topic":"h0012/bedroom","payload":"sos"},{"topic":"h0012/kitchen","payload":"battery=80"}]"#;
    for _ in 0..2 {
        let reply = push(&house, PATH, "m-1", 0, body).await;
        assert_eq!((reply.status, reply.problem()), (503, "disk_full".to_owned()));
        let outcomes: Vec<_> = [0, 1].map(|n| reply.json()["messages"][n]["outcome"].clone()).into();
        assert_eq!(outcomes, ["readings", "no_room"]);
    }
    house.full.store(false, Ordering::Relaxed);
    house.say("h0012/hall", "motion").await;
    let reply = push(&house, PATH, "m-1", 0, body).await;
    assert_eq!((reply.status, reply.json()["messages"][1]["outcome"].clone()), (200, json!("readings")));
    assert_eq!(house.get("/api/v1/alarms").await.json()["alarms"][0]["events"], 1, "the call was taken once");
}

#[tokio::test]
async fn what_is_not_rightly_signed_is_answered_alike_and_changes_nothing() {
    let house = House::start(Options::default()).await;
    let body = r#"{"topic":"h0012/bedroom","payload":"sos"}"#;
    let late = push(&house, PATH, "m-1", -330, body).await;
    let early = push(&house, PATH, "m-1", 330, body).await;
    let bare = house.send("POST", PATH, &[], body).await;
    let forged = house
        .send(
            "POST",
            PATH,
            &[("webhook-id", "m-1"), ("webhook-timestamp", "0"), ("webhook-signature", "v1,AAAA")],
            body,
        )
        .await;
    for reply in [late, early, bare, forged] {
        assert_eq!((reply.status, reply.problem()), (401, "bad_signature".to_owned()));
    }
    assert_eq!(push(&house, "/api/v1/ingest/other", "m-1", 0, body).await.status, 404);
    for wrong in ["", "[]", "{}", r#"{"topic":"h0012/x","payload":{"base64":"???"},"encoding":"base64"}"#] {
        let reply = push(&house, PATH, &format!("w{}", wrong.len()), 0, wrong).await;
        assert_eq!((reply.status, reply.problem()), (422, "bad_messages".to_owned()), "{wrong}");
    }
    let long = |bytes: usize| format!(r#"[{body},{{"topic":"h0012/{}","payload":"motion"}}]"#, "x".repeat(bytes - 6));
    let reply = push(&house, PATH, "m-2", 0, &long(1_025)).await;
    assert_eq!((reply.status, reply.problem()), (422, "topic_too_long".to_owned()));
    let large = format!(r#"{{"topic":"h0012/bedroom","payload":"{}"}}"#, "x".repeat(1 << 20));
    assert_eq!(push(&house, PATH, "m-3", 0, &large).await.status, 413);
    assert_eq!(house.get("/api/v1/alarms").await.json()["alarms"], json!([]));
}
