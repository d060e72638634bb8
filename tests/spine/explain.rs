//! Why a home did not alarm, asked later: the journal knows.

use super::gateway::eventually;
use super::{District, home};
use std::time::Duration;

/// Apart, so that a time between two turns is surely between them.
const APART: Duration = Duration::from_millis(1_500);

#[test]
fn a_past_minute_is_explained_from_the_journal() {
    let mut district = District::new(2);
    district.gateway.start();
    let path = |at: &str| format!("/api/v1/homes/{}/explain?at={at}", home(1));
    let explain = |at: &str| -> serde_json::Value {
        let (status, body) = district.gateway.get(&path(at)).expect("an answer");
        assert_eq!(status, 200, "{body}");
        serde_json::from_str(&body).expect("JSON")
    };
    let stirs = |n: i64| {
        let message = format!(r#"{{"occupancy":true,"power":{n},"linkquality":90}}"#);
        district.say(&format!("zigbee2mqtt/{}/hall", home(1)), &message);
        eventually("it is heard", || district.gateway.past().numbers.contains_key(&n));
    };
    let now = || jiff::Timestamp::now().to_string();
    stirs(1);
    std::thread::sleep(APART);
    let between = now();
    std::thread::sleep(APART);
    district.say(&format!("zigbee2mqtt/{}/hall", home(1)), r#"{"occupancy":false,"linkquality":90}"#);
    stirs(2);
    district.say(&format!("zigbee2mqtt/{}/sos", home(1)), super::PRESS);
    district.receiver.wait_for(1, super::SOON);
    std::thread::sleep(APART);

    let (then, later) = (explain(&between), explain(&now()));
    let last = |why: &serde_json::Value| why["last_activity"]["at"].as_str().expect("a time").to_owned();
    assert_eq!(then["verdict"], "below_limit", "{then}");
    assert!(last(&then) < between && last(&later) > between, "{then} {later}");
    assert_eq!((&then["open"].as_array().map(Vec::len), &later["open"][0]["kind"]), (&Some(0), &"sos".into()));
    assert!(then["silence"]["silent_s"].as_u64() >= Some(1), "{then}");
    let (status, body) = district.gateway.get(&path("2020-01-01T00:00:00Z")).expect("an answer");
    assert!(status == 503 && body.contains("no_past"), "{status} {body}");

    // The same past under today's rules, beside the service that writes it: nothing was judged, and nothing is.
    let journal = district.gateway.data("journal").join("t").display().to_string();
    let done = district.gateway.command(&["replay", "--journal", &journal]);
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success() && said.contains("2 homes") && said.contains("operator minutes"), "{said}");
    let told = String::from_utf8_lossy(&done.stdout);
    assert!(told.contains(r#""alarm":"sos""#) && !told.contains("\"then\""), "{told}");
}
