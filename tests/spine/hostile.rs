//! What no device should send: each message is rejected by name, nobody else suffers, and neither memory nor log runs full.

use super::gateway::eventually;
use super::listener::publish;
use super::{District, PRESS};
use serde_json::Value;

/// Of each kind so many.
const TIMES: usize = 400;
/// More memory than a service of two homes ever needs, in kilobytes.
const MOST_KB: u64 = 200_000;

fn hostile() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    vec![
        ("zigbee2mqtt/h000/deep", b"[".repeat(100_000), "the payload is no JSON object"),
        ("zigbee2mqtt/h000/deeper", [&b"{\"a\":"[..], &b"[".repeat(100_000)].concat(), "nested too deeply"),
        ("zigbee2mqtt/h000/bytes", b"\xff\xfe\x00\xc3\x28".to_vec(), "the payload is not UTF-8"),
        ("zigbee2mqtt/h000/nan", b"{\"temperature\":NaN}".to_vec(), "the JSON is broken"),
        ("zigbee2mqtt/h000/twice", b"{\"smoke\":true,\"smoke\":false}".to_vec(), "a property stands twice"),
        ("zigbee2mqtt/h000/cut", b"{\"smoke\":tr".to_vec(), "the JSON is broken"),
        ("zigbee2mqtt//empty", b"{\"smoke\":true}".to_vec(), "the topic has an empty level"),
        (
            "hearthwatch/t/h000/many",
            format!("[{}{{}}]", "{},".repeat(300)).into_bytes(),
            "too many properties or items",
        ),
        ("hearthwatch/t/h000/kind", b"{\"kind\":\"ghost\",\"value\":true}".to_vec(), "no such kind of reading"),
        ("zigbee2mqtt/h000/large", b" ".repeat(999_000), "the payload is no JSON object"),
    ]
}

#[test]
fn what_no_device_should_send_is_rejected_by_name_and_harms_nobody() {
    let mut district = District::new(2);
    district.gateway.start();
    let messages: Vec<_> = hostile().into_iter().flat_map(|one| vec![one; TIMES]).collect();
    // The largest not so often: it is the broker's memory that waits for us.
    let sent = messages.iter().enumerate().filter(|(n, (_, payload, _))| payload.len() < 10_000 || n % 20 == 0);
    publish(&district.broker.url(), sent.map(|(_, (topic, payload, _))| (*topic, payload.clone())));
    district.press(1..2);
    eventually("the press of another home", || {
        district.receiver.requests().iter().any(|r| r.json()["data"]["home"]["id"] == "h001")
    });
    let found = || -> Value {
        let (status, body) = district.gateway.get("/api/v1/quarantine?limit=500").expect("an answer");
        assert_eq!(status, 200, "{body}");
        serde_json::from_str(&body).expect("JSON")
    };
    eventually("every kind in the quarantine", || {
        found()["unreadable"].as_array().map(Vec::len) == Some(hostile().len())
    });
    let rows = found();
    for (topic, _, why) in hostile() {
        let row = rows["unreadable"].as_array().unwrap().iter().find(|row| row["topic"] == topic);
        let reason = row.expect(topic)["reason"].as_str().unwrap().to_owned();
        assert!(reason.contains(why), "{topic}: {reason}");
    }
    let status = std::fs::read_to_string(format!("/proc/{}/status", district.gateway.pid())).unwrap();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let kilobytes: u64 = resident.trim().trim_end_matches(" kB").parse().unwrap();
    assert!(kilobytes < MOST_KB, "{kilobytes} kB");
    let lines = district.gateway.said().lines().count();
    assert!(lines < 100, "{lines} lines in the log:\n{}", district.gateway.said());
    assert_eq!(district.gateway.shown_open(), [("h001".to_owned(), "sos".to_owned())]);
    district.say("zigbee2mqtt/h000/sos", PRESS);
    eventually("a press of the very home", || district.gateway.shown_open().len() == 2);
}
