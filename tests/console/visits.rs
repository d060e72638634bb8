//! The visits that are owed: listed by risk, told, taken back; a cold wave.

use super::house::{House, Options, Reply, TOKEN, VIEWER};
use hearthwatch::engine::policy::RulesPatch;
use hearthwatch::engine::registry::{Entity, Home};
use hearthwatch::engine::time::Wall;
use serde_json::{Value, json};

const ONLINE: &str = "/api/v1/visits/online:h0012";

/// A house whose clock shows ten in the morning of a Monday, and how far it goes back.
async fn monday() -> (House, i64) {
    let now = Wall(jiff::Timestamp::now().as_millisecond());
    let zone = jiff::tz::TimeZone::get("Asia/Shanghai").unwrap();
    let date = now.zoned(&zone).date();
    let monday = date.saturating_sub(jiff::Span::new().days(7 + i64::from(date.weekday().to_monday_zero_offset())));
    let back_s = now.since(Wall::on(monday, 600, &zone).unwrap()).as_secs() as i64;
    let house = House::start(Options { back_s, ..Options::default() }).await;
    let rules = |online, week| RulesPatch {
        online_visits_daily: Some(online),
        home_visits_a_week: Some(week),
        inactivity_check_percent: Some(0),
        inactivity_cap_s: Some(172_800),
        ..RulesPatch::default()
    };
    let known = house.handle.ask(|core| core.site.registry.homes.clone()).await.unwrap();
    let home = |id: &str, online, week| {
        let home = known[id].clone();
        Entity::Home(Home { rules: rules(online, week), caseworker: Some("zhang".parse().unwrap()), ..home })
    };
    let bed = home("h0012", 1, 2);
    let Entity::Home(other) = home("h0231", 1, 0) else { unreachable!() };
    let homes = vec![bed, Entity::Home(Home { caseworker: None, ..other })];
    house.handle.register(homes).await.unwrap();
    house.settle().await;
    (house, back_s)
}

/// Moves the house's clock to so many minutes after its beginning.
async fn later(house: &House, back_s: i64, minutes: i64) {
    house.clock.set_back_s(back_s - minutes * 60);
    house.settle().await;
}

async fn send(house: &House, method: &str, path: &str, body: Value) -> Reply {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    house.send(method, path, &[("authorization", &format!("Bearer {TOKEN}"))], &body).await
}

async fn list(house: &House, query: &str) -> Value {
    house.get(&format!("/api/v1/visits{query}")).await.json()
}

/// Which visits an answer has, in its order, with how each stands.
fn stand(list: &Value) -> Vec<String> {
    let rows = list["visits"].as_array().unwrap();
    rows.iter().map(|row| format!("{} {}", row["id"].as_str().unwrap(), row["state"].as_str().unwrap())).collect()
}

#[tokio::test]
async fn what_is_owed_is_listed_told_and_taken_back() {
    let (house, back_s) = monday().await;
    let all = list(&house, "").await;
    let open = ["online:h0012 due", "online:h0231 due", "home:h0012 due"];
    assert_eq!(stand(&all), open, "{all}");
    assert_eq!((&all["due"], &all["missed"], &all["done"]), (&json!(3), &json!(0), &json!(0)));
    let first = &all["visits"][0];
    for (field, value) in [
        ("home", json!("h0012")),
        ("kind", json!("online")),
        ("caseworker", json!("zhang")),
        ("sos_cover", false.into()),
    ] {
        assert_eq!(first[field], value, "{field}: {first}");
    }
    for personal in ["王秀英", "2580", "137 6543"] {
        assert!(!all.to_string().contains(personal), "{personal}");
    }
    assert_eq!(stand(&list(&house, "?caseworker=zhang").await), ["online:h0012 due", "home:h0012 due"]);
    assert_eq!(stand(&list(&house, "?caseworker=").await), ["online:h0231 due"]);
    assert_eq!(list(&house, "?limit=1").await["more"], true);

    let told = send(&house, "PUT", ONLINE, json!({"outcome": "no_answer"})).await.json();
    assert_eq!((&told["state"], &told["outcome"], &told["today"]), (&json!("due"), &json!("no_answer"), &json!(true)));
    let told = send(&house, "PUT", ONLINE, json!({"outcome": "fine"})).await.json();
    assert_eq!((&told["state"], &told["done_at"], &told["due"]), (&json!("done"), &told["last_at"], &Value::Null));
    assert_eq!(stand(&list(&house, "?state=done").await), ["online:h0012 done"]);
    assert_eq!(send(&house, "DELETE", ONLINE, Value::Null).await.status, 204);
    assert_eq!(house.get(ONLINE).await.json()["outcome"], "no_answer", "what was told before it stands");
    // Who was at the door need not call.
    let told = send(&house, "PUT", "/api/v1/visits/home:h0012", json!({"outcome": "refused"})).await;
    assert_eq!((told.status, &told.json()["state"]), (200, &json!("done")));
    assert_eq!(stand(&list(&house, "?caseworker=zhang&state=due").await), Vec::<String>::new());

    later(&house, back_s, 7 * 60 + 31).await;
    let missed = list(&house, "?state=missed").await;
    assert_eq!(stand(&missed), ["online:h0231 missed"]);
    let alarm = missed["visits"][0]["alarm"].as_str().unwrap();
    let alarm = house.get(&format!("/api/v1/alarms/{alarm}")).await.json();
    assert_eq!((&alarm["kind"], &alarm["reason"]["visits"]), (&json!("visit_missed"), &json!(["online"])), "{alarm}");
    // Help is called at once, and taking the visit back does not send it home.
    let path = "/api/v1/visits/online:h0231";
    assert_eq!(send(&house, "PUT", path, json!({"outcome": "needs_help"})).await.json()["state"], "done");
    assert_eq!(send(&house, "DELETE", path, Value::Null).await.status, 204);
    house.settle().await;
    let open = house.get("/api/v1/alarms").await.json();
    let of =
        |kind: &str| open["alarms"].as_array().unwrap().iter().any(|a| a["kind"] == kind && a["home"]["id"] == "h0231");
    assert!(of("welfare_check") && of("visit_missed"), "{open}");
}

#[tokio::test]
async fn only_an_operator_tells_of_visits_and_only_what_can_be() {
    let (house, _) = monday().await;
    let viewer = format!("Bearer {VIEWER}");
    let good = json!({"outcome": "fine"});
    for (method, path) in [("PUT", ONLINE), ("DELETE", ONLINE), ("PUT", "/api/v1/cold-waves/zhonglou")] {
        let reply = house.send(method, path, &[("authorization", viewer.as_str())], &good.to_string()).await;
        assert_eq!(reply.problem(), "not_an_operator", "{method} {path}");
    }
    let cases = [
        ("PUT", ONLINE, json!({"outcome": "great"}), "bad_body"),
        ("PUT", ONLINE, json!({}), "bad_body"),
        ("PUT", ONLINE, json!({"outcome": "fine", "silently": true}), "bad_body"),
        ("PUT", "/api/v1/visits/online:h9999", good.clone(), "no_such_home"),
        ("PUT", "/api/v1/visits/party:h0012", good.clone(), "no_such_visit"),
        ("PUT", "/api/v1/visits/h0012", good.clone(), "no_such_visit"),
        ("DELETE", ONLINE, Value::Null, "visit_not_told"),
        ("GET", "/api/v1/visits?state=late", Value::Null, "bad_query"),
        ("GET", "/api/v1/visits?site=nowhere", Value::Null, "no_such_site"),
    ];
    for (method, path, body, reason) in cases {
        assert_eq!(send(&house, method, path, body.clone()).await.problem(), reason, "{method} {path} {body}");
    }
    // One key, one deed: what was taken back in between is not told once more.
    let operator = format!("Bearer {TOKEN}");
    let headers = [("authorization", operator.as_str()), ("idempotency-key", "k1")];
    let first = house.send("PUT", ONLINE, &headers, &good.to_string()).await;
    assert_eq!(send(&house, "DELETE", ONLINE, Value::Null).await.status, 204);
    let again = house.send("PUT", ONLINE, &headers, &good.to_string()).await;
    assert_eq!((first.status, &first.text), (again.status, &again.text));
    assert_eq!(house.get(ONLINE).await.json()["state"], "due");
}

#[tokio::test]
async fn in_a_cold_wave_every_home_is_on_the_list_the_coldest_first() {
    let (house, _) = monday().await;
    let wave = "/api/v1/cold-waves/zhonglou";
    assert_eq!(house.get(wave).await.problem(), "no_cold_wave");
    assert_eq!(send(&house, "DELETE", wave, Value::Null).await.problem(), "no_cold_wave");
    let until = |days: i64| {
        let now = house.clock.read().1.0 / 1_000;
        json!({"until": jiff::Timestamp::from_second(now + days * 86_400).unwrap().to_string()})
    };
    for (body, reason) in [(until(-1), "bad_end_of_wave"), (until(15), "bad_end_of_wave"), (json!({}), "bad_body")] {
        assert_eq!(send(&house, "PUT", wave, body.clone()).await.problem(), reason, "{body}");
    }
    assert_eq!(send(&house, "PUT", "/api/v1/cold-waves/nowhere", until(3)).await.problem(), "no_such_site");
    house.say("h0487/kitchen", "temperature=11").await;
    house.say("h0487/bedroom", "temperature=6.5").await;
    house.say("h0733/bedroom", "temperature=8").await;
    house.say("h0733/kitchen", "co=false").await;
    let set = send(&house, "PUT", wave, until(3)).await;
    assert_eq!(set.status, 200, "{}", set.text);
    assert_eq!(house.get(wave).await.json(), set.json());
    let all = list(&house, "").await;
    assert_eq!(all["sites"][0]["cold_wave"]["until"], set.json()["until"]);
    let online: Vec<String> = stand(&all).into_iter().filter(|row| row.starts_with("online:")).collect();
    assert_eq!(online[..2], ["online:h0487 due", "online:h0733 due"], "{all}");
    assert!(online.len() > 10, "every home: {online:?}");
    let of = |row: usize, field: &str| all["visits"][row][field].clone();
    assert_eq!([of(0, "temperature"), of(0, "cold"), of(0, "co_cover")], [json!(6.5), json!(true), json!(false)]);
    assert_eq!([of(1, "temperature"), of(1, "cold"), of(1, "co_cover")], [json!(8.0), json!(true), json!(true)]);
    assert_eq!(send(&house, "DELETE", wave, Value::Null).await.status, 204);
    assert_eq!(stand(&list(&house, "").await).len(), 3);
}
