//! The homes to look after once nobody could hear them.

use super::house::{House, Options, VIEWER};
use serde_json::{Value, json};

const BACK_S: i64 = 3 * 3_600;

async fn list(house: &House) -> Value {
    house.get("/api/v1/outages").await.json()
}

fn names(list: &Value) -> Vec<&str> {
    list["homes"].as_array().unwrap().iter().map(|home| home["home"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn after_an_outage_stands_whom_to_look_after_until_somebody_stirs_or_looks() {
    let house = House::start(Options { back_s: BACK_S, ..Options::default() }).await;
    for home in ["h0012", "h0231", "h0487"] {
        house.say(&format!("{home}/bedroom"), "motion").await;
    }
    assert_eq!((&list(&house).await["total"], &list(&house).await["outages"]), (&0.into(), &json!([])));

    house.handle.link(false);
    house.settle().await;
    house.clock.set_back_s(BACK_S - 40 * 60);
    house.settle().await;
    let deaf = list(&house).await;
    assert_eq!(
        (&deaf["outages"][0]["deaf"], &deaf["outages"][0]["unheard"]),
        (&true.into(), &deaf["outages"][0]["homes"])
    );
    let told = house.get("/api/v1/alarms").await.json();
    assert_eq!(
        (&told["alarms"][0]["kind"], &told["alarms"][0]["reason"]["why"]),
        (&"outage".into(), &"unheard".into())
    );

    house.handle.link(true);
    house.settle().await;
    let after = list(&house).await;
    assert_eq!(after["outages"], json!([]));
    for home in ["h0012", "h0231", "h0487"] {
        assert!(names(&after).contains(&home), "{after}");
    }
    let first = &after["homes"][0];
    assert!(first["until"].is_string() && first["due"].is_string() && first["alarm"].is_null(), "{first}");
    for personal in ["王秀英", "2580", "137 6543"] {
        assert!(!after.to_string().contains(personal), "{personal}");
    }
    assert_eq!(house.get("/api/v1/outages?site=elsewhere").await.problem(), "no_such_site");
    let few = house.get("/api/v1/outages?limit=1").await.json();
    assert_eq!((names(&few).len(), &few["more"], &few["total"]), (1, &true.into(), &after["total"]));

    // What is heard in the first minutes may have waited at the broker.
    house.say("h0231/bedroom", "motion").await;
    assert!(names(&list(&house).await).contains(&"h0231"));
    house.clock.set_back_s(BACK_S - 46 * 60);
    house.say("h0231/bedroom", "motion=false").await;
    house.say("h0231/bedroom", "motion").await;
    assert!(!names(&list(&house).await).contains(&"h0231"), "somebody stirred");
    let path = "/api/v1/homes/h0487/looked";
    let viewer = format!("Bearer {VIEWER}");
    let reply = house.send("POST", path, &[("authorization", viewer.as_str())], r#"{"how":"spoke"}"#).await;
    assert_eq!((reply.status, reply.problem().as_str()), (403, "not_an_operator"));
    for (body, reason) in
        [(r#"{"how":"neighbour says so"}"#, "bad_how"), ("{}", "bad_how"), ("[]", "bad_body"), ("", "bad_body")]
    {
        assert_eq!(house.post(path, body).await.problem(), reason, "{body}");
    }
    assert_eq!(house.post("/api/v1/homes/h9999/looked", r#"{"how":"seen"}"#).await.problem(), "no_such_home");
    assert_eq!(house.post(path, r#"{"how":"spoke"}"#).await.status, 200);
    let left = list(&house).await;
    assert!(!names(&left).contains(&"h0487") && names(&left).contains(&"h0012"), "{left}");
}

#[tokio::test]
async fn why_a_home_does_not_alarm_is_told() {
    let house = House::start(Options { back_s: BACK_S, ..Options::default() }).await;
    house.say("h0012/bedroom", "motion").await;
    house.clock.set_back_s(BACK_S - 3_600);
    house.settle().await;
    let why = house.get("/api/v1/homes/h0012/explain").await.json();
    assert_eq!((&why["verdict"], &why["last_activity"]["kind"]), (&"below_limit".into(), &"motion".into()), "{why}");
    let silent = why["silence"]["silent_s"].as_u64().unwrap();
    assert!((3_590..3_700).contains(&silent), "{why}");
    assert!(why["silence"]["next_at"].is_string() && why["silence"]["alarm_limit_s"].as_u64() >= Some(43_200), "{why}");
    house.say("h0012/bedroom", "sos").await;
    let open = house.get("/api/v1/homes/h0012/explain?kind=sos").await.json();
    assert_eq!(open["open"][0]["kind"], "sos");
    assert_eq!(house.get("/api/v1/homes/h0012/explain?kind=bathroom").await.json()["open"], json!([]));
    house.handle.link(false);
    house.settle().await;
    assert_eq!(house.get("/api/v1/homes/h0012/explain").await.json()["verdict"], "site_deaf");
    for (query, reason) in [
        ("at=yesterday", "bad_query"),
        ("kind=boredom", "bad_query"),
        ("at=2999-01-01T00:00:00Z", "bad_query"),
        ("at=2020-01-01T00:00:00Z", "no_past"),
    ] {
        assert_eq!(house.get(&format!("/api/v1/homes/h0012/explain?{query}")).await.problem(), reason, "{query}");
    }
    assert_eq!(house.get("/api/v1/homes/h9999/explain").await.problem(), "no_such_home");
}
