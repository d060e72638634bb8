//! Who is on duty, who is told, and when too few people are.

use super::house::{House, Options, VIEWER};
use hearthwatch::engine::registry::{Entity, Ladder, Rota, Rung};
use hearthwatch::engine::rota::{Day, Shift};
use serde_json::{Value, json};

const HOUR_MS: i64 = 3_600_000;

fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

/// The desk from 08:00 to 20:00, the deputy from then on; nobody from 06:00 to 08:00.
pub fn rota() -> Entity {
    let shift = |from: u16, to: u16, who: &str| Shift {
        days: Vec::new(),
        from_min: from * 60,
        to_min: to * 60,
        turns: vec![vec![id(who)]],
        every_days: 1,
        since: Day::default(),
    };
    let (overrides, holidays, workdays) = Default::default();
    let shifts = vec![shift(8, 20, "desk"), shift(20, 6, "deputy")];
    let (id, site) = (id("duty"), id("zhonglou"));
    Entity::Rota(Rota { id, site, zone: None, shifts, overrides, fallback: None, holidays, workdays })
}

/// The rota first, then these people.
pub fn ladder(last: &[&str]) -> Entity {
    let first = Rung { name: "值班".into(), to: Vec::new(), wait_s: 60, rotas: vec![id("duty")] };
    let last =
        Rung { name: "副班".into(), to: last.iter().map(|who| id(who)).collect(), wait_s: 120, rotas: Vec::new() };
    Entity::Ladder(Ladder { id: id("life"), site: id("zhonglou"), rungs: vec![first, last], repeat_s: 120 })
}

/// A local time of the coming days as a query has it: `+2 21:30`.
fn at(house: &House, day: i64, clock: &str) -> String {
    let zone = jiff::tz::TimeZone::get("Asia/Shanghai").unwrap();
    let now = house.clock.read().1.zoned(&zone);
    let then = now.date().checked_add(jiff::Span::new().days(day)).unwrap();
    let time: jiff::civil::Time = clock.parse().unwrap();
    then.to_datetime(time).to_zoned_datetime(zone).unwrap().timestamp().to_string()
}

async fn staffed(last: &[&str]) -> House {
    let house = House::start(Options::default()).await;
    house.handle.register(vec![rota(), ladder(last)]).await.unwrap();
    house.settle().await;
    house
}

#[tokio::test]
async fn who_is_told_depends_on_who_is_on_duty_when_their_rung_comes() {
    let house = staffed(&["deputy", "desk"]).await;
    let who = async |kind: &str, at: String| {
        let reply = house.get(&format!("/api/v1/homes/h0012/who?kind={kind}&at={at}")).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        let answer = reply.json();
        let rung = |rung: &Value| {
            let people = rung["people"].as_array().unwrap().iter();
            let people: Vec<&str> = people.map(|one| one["responder"].as_str().unwrap()).collect();
            format!("{}@{} {}", rung["rung"], rung["after_s"], people.join("+"))
        };
        let rungs: Vec<String> = answer["rungs"].as_array().unwrap().iter().map(rung).collect();
        format!(
            "{} {}, then {}/{}",
            answer["ladder"],
            rungs.join(", "),
            answer["repeat"]["rung"],
            answer["repeat"]["every_s"]
        )
    };
    let table = [
        ("12:00", "sos", "\"life\" 1@0 desk, 2@60 deputy+desk, then 2/120"),
        ("19:59:59", "smoke", "\"life\" 1@0 desk, 2@60 deputy+desk, then 2/120"),
        ("20:00", "sos", "\"life\" 1@0 deputy, 2@60 deputy+desk, then 2/120"),
        ("07:00", "sos", "\"life\" 1@0 , 2@0 deputy+desk, then 2/120"),
        ("07:00", "inactivity", "\"welfare\" 1@0 desk, 2@900 deputy, then 2/120"),
        ("07:00", "tamper", "null , then null/86400"),
    ];
    for (clock, kind, expected) in table {
        assert_eq!(who(kind, at(&house, 2, clock)).await, expected, "{kind} at {clock}");
    }
    let night = house.get(&format!("/api/v1/homes/h0012/who?at={}", at(&house, 2, "21:00"))).await.json();
    assert_eq!((&night["kind"], &night["hidden_by"]), (&json!("sos"), &Value::Null));
    let first = json!({"responder": "deputy", "name": "deputy", "channels": [{"id": "deputy-voice", "medium": "voice", "down_since": null}]});
    assert_eq!((&night["rungs"][0]["people"], &night["rungs"][0]["skipped"]), (&json!([first]), &json!(false)));
    let wrong = [
        ("/api/v1/homes/h9999/who".to_owned(), 404, "no_such_home"),
        ("/api/v1/homes/h0012/who?kind=fire".into(), 422, "bad_query"),
        (format!("/api/v1/homes/h0012/who?at={}", at(&house, -2, "12:00")), 422, "bad_query"),
        (format!("/api/v1/homes/h0012/who?at={}", at(&house, 94, "12:00")), 422, "bad_query"),
        ("/api/v1/homes/h0012/who?at=soon".into(), 422, "bad_query"),
    ];
    for (path, status, problem) in wrong {
        let reply = house.get(&path).await;
        assert_eq!((reply.status, reply.problem().as_str()), (status, problem), "{path}");
    }
}

#[tokio::test]
async fn a_rota_is_told_without_a_hole_and_its_gaps_stand_beside_it() {
    let house = staffed(&["deputy"]).await;
    let (from, to) = (at(&house, 2, "07:00"), at(&house, 3, "07:00"));
    let duty = house.get(&format!("/api/v1/rotas/duty/duty?from={from}&to={to}")).await.json();
    let stretches = duty["stretches"].as_array().unwrap();
    let who: Vec<String> = stretches.iter().map(|of| of["who"].to_string()).collect();
    assert_eq!(who, ["[]", "[\"desk\"]", "[\"deputy\"]", "[]"]);
    assert!(stretches.windows(2).all(|two| two[0]["to"] == two[1]["from"]), "{duty}");
    assert_eq!((&duty["timezone"], &duty["names"]["desk"]), (&json!("Asia/Shanghai"), &json!("desk")));
    for (path, status) in [
        ("/api/v1/rotas/night/duty".to_owned(), 404),
        (format!("/api/v1/rotas/duty/duty?from={to}&to={from}"), 422),
        (format!("/api/v1/rotas/duty/duty?to={}", at(&house, 200, "07:00")), 422),
    ] {
        assert_eq!(house.get(&path).await.status, status, "{path}");
    }

    let all = house.get("/api/v1/duty?site=zhonglou").await.json();
    assert_eq!(all["rotas"].as_array().unwrap().len(), 1);
    let span = |gap: &Value| {
        let time = |name: &str| gap[name].as_str().unwrap().parse::<jiff::Timestamp>().unwrap().as_millisecond();
        (time("to") - time("from")) / HOUR_MS
    };
    // At night the deputy is alone on both rungs, and from six to eight too: ten hours and two, which is one gap.
    let gaps = all["gaps"].as_array().unwrap();
    let whole: Vec<&Value> = gaps.iter().filter(|gap| span(gap) == 12).collect();
    assert!(whole.len() >= 13 && gaps.len() <= 15, "{gaps:?}");
    let gap = whole[0];
    assert_eq!(
        (&gap["ladder"], &gap["lacks"], &gap["home_count"]),
        (&json!("life"), &json!(["too_few", "few_media"]), &json!(12))
    );
    assert!(
        gap["kinds"].as_array().unwrap().contains(&json!("sos")) && !gap["kinds"].to_string().contains("inactivity")
    );
    house.handle.register(vec![ladder(&["deputy", "desk"])]).await.unwrap();
    house.settle().await;
    assert_eq!(house.get("/api/v1/duty").await.json()["gaps"], json!([]));
}

#[tokio::test]
async fn whoever_is_signed_in_may_look_and_nobody_else() {
    let house = staffed(&["deputy"]).await;
    for path in ["/api/v1/duty", "/api/v1/rotas/duty/duty", "/api/v1/homes/h0012/who"] {
        let viewer = format!("Bearer {VIEWER}");
        assert_eq!(house.send("GET", path, &[("authorization", &viewer)], "").await.status, 200, "{path}");
        assert_eq!(house.send("GET", path, &[], "").await.status, 401, "{path}");
    }
    let page = house.send("GET", "/duty?lang=en", &[("cookie", &house.cookie().await)], "").await;
    assert!(
        page.status == 200 && page.text.contains("duty.js") && page.text.contains("Who is on duty now"),
        "{}",
        page.text
    );
    assert_eq!(house.send("GET", "/duty", &[], "").await.header("location"), "/sign-in?next=/duty");
}
