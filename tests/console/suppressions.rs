//! Who is away: set, confirmed, questioned and ended by people.

use super::house::{House, Options, Reply, TOKEN, VIEWER};
use serde_json::{Value, json};

const BACK_S: i64 = 20 * 86_400;
const AWAY: &str = "/api/v1/suppressions/away:h0012";

/// A time so many seconds after the house's beginning.
fn at(house: &House, seconds: i64) -> String {
    let now = house.clock.read().1.0 / 1_000;
    jiff::Timestamp::from_second(now + seconds).unwrap().to_string()
}

async fn put(house: &House, path: &str, body: &Value, headers: &[(&str, &str)]) -> Reply {
    let operator = format!("Bearer {TOKEN}");
    let mut all = vec![("authorization", operator.as_str())];
    all.extend(headers);
    house.send("PUT", path, &all, &body.to_string()).await
}

async fn end(house: &House) -> Reply {
    house.send("DELETE", AWAY, &[("authorization", &format!("Bearer {TOKEN}"))], "").await
}

#[tokio::test]
async fn who_is_away_stands_on_a_list_with_what_nobody_was_told_of() {
    let house = House::start(Options { back_s: BACK_S, ..Options::default() }).await;
    house.say("h0012/bedroom", "motion").await;
    assert_eq!(house.get("/api/v1/suppressions").await.json()["suppressions"], json!([]));
    let body = json!({"until": at(&house, 5 * 86_400), "reason": "去女儿家"});
    let set = put(&house, AWAY, &body, &[]).await;
    assert_eq!(set.status, 200, "{}", set.text);
    let one = set.json();
    assert_eq!((&one["id"], &one["reason"], &one["hidden"]), (&json!("away:h0012"), &json!("去女儿家"), &json!(0)));

    // Fifteen hours of silence: an alarm that nobody is told of.
    house.clock.set_back_s(BACK_S - 15 * 3_600);
    house.settle().await;
    let alarms = house.get("/api/v1/alarms").await.json();
    let alarm = alarms["alarms"].as_array().unwrap().iter().find(|a| a["home"]["id"] == "h0012").unwrap();
    let told = (&alarm["kind"], &alarm["hidden_by"], &alarm["next"], &alarm["rung"]);
    assert_eq!(told, (&json!("inactivity"), &json!("away"), &Value::Null, &json!(0)), "{alarm}");
    let why = house.get("/api/v1/homes/h0012/explain").await.json();
    assert_eq!((&why["verdict"], &why["suppressions"][0]["kind"]), (&json!("suppressed"), &json!("away")));
    let list = house.get("/api/v1/suppressions").await.json();
    let row = &list["suppressions"][0];
    assert_eq!(
        (&row["open"], &row["hidden"], &row["stirs"]),
        (&json!(["inactivity"]), &json!(1), &Value::Null),
        "{row}"
    );

    // Somebody stirs there.
    house.say("h0012/bedroom", "motion=false").await;
    house.say("h0012/bedroom", "motion").await;
    let row = house.get(AWAY).await.json();
    assert!(row["stirs"].is_string() && row["open"] == json!([]), "{row}");
    // After three days somebody is asked whether it holds.
    house.clock.set_back_s(BACK_S - 73 * 3_600);
    house.settle().await;
    assert!(house.get(AWAY).await.json()["asks"].is_string());

    let tag = house.get(AWAY).await.header("etag").to_owned();
    let body = json!({"until": at(&house, 3 * 86_400)});
    assert_eq!(put(&house, AWAY, &body, &[("if-match", "\"1\"")]).await.problem(), "stale_revision");
    assert_eq!(put(&house, AWAY, &body, &[("if-match", &tag)]).await.status, 200);
    let row = house.get(AWAY).await.json();
    assert_eq!((&row["asks"], &row["stirs"], &row["reason"]), (&Value::Null, &Value::Null, &Value::Null), "{row}");

    assert_eq!(end(&house).await.status, 204);
    assert_eq!(end(&house).await.problem(), "not_set");
    assert_eq!(house.get(AWAY).await.problem(), "not_set");
    let open = house.get("/api/v1/alarms").await.json();
    assert!(open["alarms"].as_array().unwrap().iter().all(|a| a["home"]["id"] != "h0012"), "watched anew: {open}");
}

#[tokio::test]
async fn only_an_operator_says_so_and_only_what_can_be() {
    let house = House::start(Options::default()).await;
    let until = at(&house, 86_400);
    let viewer = format!("Bearer {VIEWER}");
    let good = json!({"until": until});
    let reply = house.send("PUT", AWAY, &[("authorization", viewer.as_str())], &good.to_string()).await;
    assert_eq!(reply.problem(), "not_an_operator");
    let far = at(&house, 93 * 86_400);
    let cases = [
        (AWAY, json!({"until": at(&house, -1)}), "bad_end"),
        (AWAY, json!({"until": far}), "bad_end"),
        (AWAY, json!({}), "bad_body"),
        (AWAY, json!({"until": "soon"}), "bad_body"),
        (AWAY, json!({"until": until, "silently": true}), "bad_body"),
        (AWAY, json!({"until": until, "reason": "长".repeat(167)}), "bad_reason"),
        ("/api/v1/suppressions/away:h9999", good.clone(), "no_such_home"),
        ("/api/v1/suppressions/party:h0012", good.clone(), "no_such_suppression"),
        ("/api/v1/suppressions/h0012", good, "no_such_suppression"),
    ];
    for (path, body, reason) in cases {
        assert_eq!(put(&house, path, &body, &[]).await.problem(), reason, "{path} {body}");
    }
}
