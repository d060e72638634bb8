//! Fitting a home out: what is in quarantine gets its home, the walk test proves it, device health says what a visit must mend.

use super::house::{House, Options, Reply, TOKEN, VIEWER};
use serde_json::{Value, json};
use std::sync::atomic::Ordering;
use std::time::Duration;

const WALK: &str = "/api/v1/homes/h0012/walk-test";

async fn house() -> House {
    House::start(Options::default()).await
}

/// What is in quarantine, by address or topic.
async fn row(house: &House, name: &str) -> Option<Value> {
    let all = house.get("/api/v1/quarantine").await.json();
    let rows = ["devices", "unreadable"].into_iter().flat_map(|list| all[list].as_array().unwrap().clone());
    rows.into_iter().find(|row| row["address"] == name || row["topic"] == name)
}

async fn claim(house: &House, id: &str, body: &str) -> Reply {
    house.post(&format!("/api/v1/quarantine/{id}/claim"), body).await
}

fn id_of(row: &Value) -> &str {
    row["id"].as_str().unwrap()
}

#[tokio::test]
async fn a_stranger_is_listed_with_what_it_said_and_what_it_called_for() {
    let house = house().await;
    house.clock.set_back_s(20);
    house.say("x9/pendant", "battery=87").await;
    house.say("x9/pendant", "sos").await;
    house.clock.set_back_s(10);
    house.say("h0012/drawer", "motion").await;
    house.say("h0012/drawer", "gibberish").await;
    house.clock.set_back_s(0);
    house.say("x9/radar", "{\"室\":").await;

    let all = house.get("/api/v1/quarantine").await.json();
    let addresses: Vec<_> = all["devices"].as_array().unwrap().iter().map(|device| &device["address"]).collect();
    assert_eq!(addresses, ["h0012/drawer", "x9/pendant"], "the newest first");
    assert_eq!((&all["beyond"], &all["more"]), (&json!({}), &false.into()));
    let pendant = &all["devices"][1];
    assert_eq!(
        (&pendant["site"], &pendant["source"], &pendant["count"], &pendant["reason"]),
        (&"zhonglou".into(), &"z2m".into(), &2.into(), &"unregistered".into())
    );
    assert_eq!((&pendant["home"], &pendant["claimed"]), (&"unclaimed/z2m/x9/pendant".into(), &false.into()));
    assert_eq!(pendant["readings"], json!([{"kind": "battery", "value": 87}]));
    assert_eq!(pendant["open_alarms"], json!(["zhonglou-000001"]));
    assert!(pendant["called_at"].is_string() && pendant["first_at"].as_str() <= pendant["last_at"].as_str());
    let said: Vec<_> = pendant["messages"].as_array().unwrap().iter().map(|held| &held["text"]).collect();
    assert_eq!(said, ["battery=87", "sos"]);
    let drawer = &all["devices"][0];
    assert_eq!(
        (&drawer["home"], &drawer["claimed"], &drawer["open_alarms"]),
        (&"h0012".into(), &true.into(), &json!([]))
    );

    let unreadable = all["unreadable"].as_array().unwrap();
    assert_eq!((&unreadable[0]["topic"], &unreadable[1]["topic"]), (&"x9/radar".into(), &"h0012/drawer".into()));
    assert_eq!((&unreadable[0]["reason"], &unreadable[0]["count"]), (&"no word of ours".into(), &1.into()));
    let last = &unreadable[0]["messages"][0];
    assert_eq!((&last["text"], &last["topic"], &last["cut"]), (&"{\"室\":".into(), &"x9/radar".into(), &false.into()));

    for personal in ["王秀英", "2580", "乙单元", "137 6543", "高血压"] {
        assert!(!all.to_string().contains(personal), "{personal}");
    }
    let few = house.get("/api/v1/quarantine?limit=1").await.json();
    assert_eq!(few["devices"][0]["address"], "x9/pendant", "an open alarm is not left out for what is newer");
    assert_eq!((few["devices"].as_array().unwrap().len(), &few["more"]), (1, &true.into()));
    assert_eq!(house.get("/api/v1/quarantine?site=elsewhere").await.problem(), "no_such_site");
    assert_eq!(house.get("/api/v1/quarantine?limit=x").await.problem(), "bad_query");
}

#[tokio::test]
async fn a_claimed_device_brings_its_alarm_and_its_history() {
    let house = house().await;
    house.say("x9/pendant", "battery=87").await;
    house.say("x9/pendant", "sos").await;
    house.say("x9/pendant", "gibberish").await;
    let found = row(&house, "x9/pendant").await.unwrap();
    let claimed = claim(&house, id_of(&found), r#"{"home":"h0487","room":"bedroom","life":true}"#).await.json();
    let device = &claimed["device"];
    assert_eq!(
        (&device["id"], &device["home"], &device["room"]),
        (&"h0487-pendant".into(), &"h0487".into(), &"bedroom".into())
    );
    assert_eq!((&device["life"], &device["address"]), (&true.into(), &"x9/pendant".into()));
    assert_eq!((&claimed["messages"], &claimed["alarms"]), (&2.into(), &json!(["zhonglou-000001"])));
    let rung = tokio::time::timeout(Duration::from_secs(5), house.news.notified()).await;
    rung.expect("what the site listens to follows");

    house.settle().await;
    assert_eq!(row(&house, "x9/pendant").await, None, "neither it nor what could not be read of it");
    let alarm = house.get("/api/v1/alarms/zhonglou-000001").await.json();
    assert_eq!((&alarm["home"]["id"], &alarm["events"], &alarm["open"]), (&"h0487".into(), &1.into(), &true.into()));
    assert_eq!(house.get("/api/v1/alarms").await.json()["alarms"].as_array().unwrap().len(), 1, "history calls nobody");
    let health = house.get("/api/v1/homes/h0487/health").await.json();
    let pendant =
        health["devices"].as_array().unwrap().iter().find(|device| device["address"] == "x9/pendant").unwrap();
    assert_eq!((&pendant["battery"], &pendant["registered"]), (&87.0.into(), &true.into()));

    let again = claim(&house, id_of(&found), r#"{"home":"h0487"}"#).await;
    assert_eq!((again.status, again.problem().as_str()), (404, "no_such_device"));
}

#[tokio::test]
async fn a_claim_that_cannot_be_is_refused_and_changes_nothing() {
    let house = house().await;
    house.say("x9/pendant", "sos").await;
    house.say("x9/radar", "gibberish").await;
    let (pendant, radar) = (row(&house, "x9/pendant").await.unwrap(), row(&house, "x9/radar").await.unwrap());
    let long = format!(r#"{{"home":"h0012","room":"{}"}}"#, "室".repeat(65));
    let cases = [
        (id_of(&pendant), r#"{"home":"h9999","room":"hall"}"#, 422, "unknown_home"),
        (id_of(&pendant), r#"{"home":"","room":"hall"}"#, 422, "unknown_home"),
        (id_of(&pendant), r#"{"home":"unclaimed/z2m/x9/pendant"}"#, 422, "unknown_home"),
        (id_of(&pendant), r#"{"home":"h0012","profile":"bed-pad"}"#, 422, "unknown_profile"),
        (id_of(&pendant), r#"{"home":"h0012","device":"h0012-kitchen"}"#, 409, "device_exists"),
        (id_of(&pendant), r#"{"home":"h0012","device":"a\u0007b"}"#, 422, "bad_device"),
        (id_of(&pendant), r#"{"home":"h0012","room":"a\nb"}"#, 422, "bad_word"),
        (id_of(&pendant), long.as_str(), 422, "bad_word"),
        (id_of(&pendant), r#"{"home":"h0012","delete":true}"#, 422, "bad_body"),
        (id_of(&pendant), "", 422, "bad_body"),
        (id_of(&radar), r#"{"home":"h0012"}"#, 409, "not_a_device"),
        ("0000000000000000", r#"{"home":"h0012"}"#, 404, "no_such_device"),
        ("x", r#"{"home":"h0012"}"#, 404, "no_such_device"),
    ];
    for (id, body, status, reason) in cases {
        let reply = claim(&house, id, body).await;
        assert_eq!((reply.status, reply.problem().as_str()), (status, reason), "{body}");
    }
    let viewer = format!("Bearer {VIEWER}");
    let path = format!("/api/v1/quarantine/{}/claim", id_of(&pendant));
    let reply = house.send("POST", &path, &[("authorization", &viewer)], r#"{"home":"h0012"}"#).await;
    assert_eq!((reply.status, reply.problem().as_str()), (403, "not_an_operator"));

    house.full.store(true, Ordering::Relaxed);
    house.settle().await;
    let full = claim(&house, id_of(&pendant), r#"{"home":"h0012"}"#).await;
    assert_eq!((full.status, full.problem().as_str()), (507, "disk_full"));
    assert!(full.json()["detail"].as_str().unwrap().contains("Make room"));
    assert_eq!(row(&house, "x9/pendant").await, Some(pendant), "it is where it was");
    assert_eq!(house.get("/api/v1/homes/h0012").await.json()["devices"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn a_device_gets_no_id_that_another_site_has() {
    let house = House::start(Options { two_sites: true, ..Options::default() }).await;
    house.say("x9/pendant", "sos").await;
    let found = row(&house, "x9/pendant").await.unwrap();
    let named = claim(&house, id_of(&found), r#"{"home":"h0012","device":"h0012-pendant"}"#).await;
    assert_eq!((named.status, named.problem().as_str()), (409, "device_exists"));
    let nameless = claim(&house, id_of(&found), r#"{"home":"h0012"}"#).await;
    assert_eq!((nameless.status, nameless.json()["device"]["id"].clone()), (200, json!("2-h0012-pendant")));
}

#[tokio::test]
async fn one_claim_is_one_device_however_often_it_is_sent() {
    let house = house().await;
    house.say("x9/pendant", "sos").await;
    house.say("x8/pendant", "motion").await;
    let (nine, eight) = (row(&house, "x9/pendant").await.unwrap(), row(&house, "x8/pendant").await.unwrap());
    let path = format!("/api/v1/quarantine/{}/claim", id_of(&nine));
    let bearer = format!("Bearer {TOKEN}");
    let send = async |body: &str| {
        let headers = [("authorization", bearer.as_str()), ("idempotency-key", "k1")];
        house.send("POST", &path, &headers, body).await
    };
    let body = r#"{"home":"h0012"}"#;
    let (first, second) = tokio::join!(send(body), send(body));
    assert_eq!((first.status, first.json()), (200, second.json()));
    assert_eq!(first.json()["device"]["life"], true, "it has called, so it can");
    assert_eq!(send(r#"{"home":"h0487"}"#).await.problem(), "idempotency_key_reused");
    let other = claim(&house, id_of(&eight), body).await.json();
    assert_eq!(other["device"]["id"], "2-h0012-pendant", "another device of the same name");
    assert_eq!(other["device"]["life"], false);

    // Two people at once: one of them comes too late.
    house.say("x7/pendant", "sos").await;
    let seven = row(&house, "x7/pendant").await.unwrap();
    let id = id_of(&seven);
    let (one, two) = tokio::join!(claim(&house, id, r#"{"home":"h0012"}"#), claim(&house, id, r#"{"home":"h0487"}"#));
    let mut both = [one.status, two.status];
    both.sort_unstable();
    assert_eq!(both, [200, 404]);
}

#[tokio::test]
async fn nothing_unregistered_is_out_of_sight_and_no_answer_is_endless() {
    let house = house().await;
    house.say("first/button", "sos").await;
    for n in 0..520 {
        house.mutter(&format!("x{n}/a"), "motion");
    }
    house.settle().await;
    let all = house.get("/api/v1/quarantine").await.json();
    let devices = all["devices"].as_array().unwrap();
    assert_eq!((devices.len(), &all["more"], &all["beyond"]), (500, &true.into(), &json!({"z2m": 21})));
    assert!(devices.iter().any(|device| device["address"] == "first/button"), "the one that calls is among them");
    let unheld = devices.iter().find(|device| device["count"] == 0).expect("what memory had no room for stands there");
    assert_eq!((&unheld["messages"], &unheld["first_at"]), (&json!([]), &Value::Null));
    assert!(unheld["last_at"].is_string());
    let claimed = claim(&house, id_of(unheld), r#"{"home":"h0012","room":"hall"}"#).await;
    assert_eq!((claimed.status, &claimed.json()["messages"]), (200, &0.into()));
}

async fn order(house: &House, body: &str) -> Reply {
    let reply = house.post(WALK, body).await;
    house.settle().await;
    reply
}

fn device<'a>(walk: &'a Value, address: &str) -> &'a Value {
    walk["devices"].as_array().unwrap().iter().find(|device| device["address"] == address).unwrap()
}

#[tokio::test]
async fn a_home_is_walked_proven_and_signed() {
    let house = house().await;
    house.say("x9/pendant", "battery=64@80").await;
    let found = row(&house, "x9/pendant").await.unwrap();
    assert_eq!(claim(&house, id_of(&found), r#"{"home":"h0012","room":"bedroom","life":true}"#).await.status, 200);

    let before = house.get(WALK).await.json();
    assert_eq!((&before["window"], &before["signed"], &before["unproven"]), (&Value::Null, &Value::Null, &json!([])));
    assert_eq!(
        (&before["home"], &before["block"], &before["sos_cover"]),
        (&"h0012".into(), &"3幢".into(), &false.into())
    );
    let pendant = device(&before, "x9/pendant");
    assert_eq!((&pendant["battery"], &pendant["signal"], &pendant["life"]), (&64.0.into(), &80.into(), &true.into()));
    assert_eq!((&pendant["seen_at"], &pendant["calls"], &pendant["works"]), (&Value::Null, &0.into(), &false.into()));

    assert_eq!(order(&house, r#"{"order":"sign"}"#).await.problem(), "window_not_open");
    let open = order(&house, r#"{"order":"open","minutes":5,"presses":2}"#).await.json();
    assert_eq!((&open["window"]["by"], &open["window"]["presses"]), (&"张敏".into(), &2.into()));
    let ms = |time: &Value| time.as_str().unwrap().parse::<jiff::Timestamp>().unwrap().as_millisecond();
    let left = ms(&open["window"]["until"]) - ms(&open["window"]["opened_at"]);
    assert!((299_000..=301_000).contains(&left), "{left}");
    assert_eq!(open["unproven"], json!(["x9/pendant"]));
    assert_eq!(order(&house, r#"{"order":"open"}"#).await.problem(), "window_open");

    house.say("x9/pendant", "battery=64").await;
    let refused = order(&house, r#"{"order":"sign"}"#).await;
    assert_eq!((refused.status, refused.problem().as_str()), (409, "not_proven"));
    assert_eq!(refused.json()["devices"], json!(["x9/pendant"]));
    house.say("h0012/kitchen", "motion").await;
    house.say("x9/pendant", "sos").await;
    let walked = house.get(WALK).await.json();
    assert_eq!(
        (&device(&walked, "h0012/kitchen")["works"], &device(&walked, "h0012/bathroom")["works"]),
        (&true.into(), &false.into())
    );
    let pendant = device(&walked, "x9/pendant");
    assert_eq!((&pendant["works"], &pendant["calls"], &walked["unproven"]), (&true.into(), &1.into(), &json!([])));
    assert!(pendant["seen_at"].is_string());
    assert_eq!(house.get("/api/v1/alarms").await.json()["alarms"], json!([]), "a test tells nobody");

    let signed = order(&house, r#"{"order":"sign"}"#).await.json();
    assert_eq!(
        (&signed["window"], &signed["signed"]["by"], &signed["sos_cover"]),
        (&Value::Null, &"张敏".into(), &true.into())
    );
    let devices = signed["signed"]["devices"].as_array().unwrap();
    let proven: Vec<_> =
        devices.iter().map(|d| (d["address"].as_str().unwrap(), d["calls"].as_u64().unwrap())).collect();
    assert_eq!(proven, [("x9/pendant", 1), ("h0012/kitchen", 0)], "by their first sign of life");
    house.say("x9/pendant", "sos").await;
    assert_eq!(house.get("/api/v1/alarms").await.json()["alarms"].as_array().unwrap().len(), 1, "the test is over");
    let after = house.get(WALK).await.json();
    assert_eq!((&after["open_alarms"][0]["kind"], &after["signed"]["by"]), (&"sos".into(), &"张敏".into()));
}

#[tokio::test]
async fn orders_about_a_window_are_for_operators_and_registered_homes() {
    let house = house().await;
    let viewer = format!("Bearer {VIEWER}");
    let headers = [("authorization", viewer.as_str())];
    assert_eq!(house.send("GET", WALK, &headers, "").await.status, 200);
    let reply = house.send("POST", WALK, &headers, r#"{"order":"open"}"#).await;
    assert_eq!((reply.status, reply.problem().as_str()), (403, "not_an_operator"));
    house.say("x9/pendant", "motion").await;
    for home in ["h9999", "unclaimed%2Fz2m%2Fx9%2Fpendant"] {
        for path in ["walk-test", "health"] {
            let path = format!("/api/v1/homes/{home}/{path}");
            assert_eq!(house.get(&path).await.problem(), "no_such_home", "{path}");
        }
        let reply = house.post(&format!("/api/v1/homes/{home}/walk-test"), r#"{"order":"open"}"#).await;
        assert_eq!((reply.status, reply.problem().as_str()), (404, "no_such_home"));
    }
    for body in [r#"{"order":"open","minutes":90}"#, r#"{"order":"burn"}"#, "[]", ""] {
        assert_eq!(house.post(WALK, body).await.status, 422, "{body}");
    }
    assert_eq!(order(&house, r#"{"order":"open"}"#).await.status, 200);
    house.clock.set_back_s(-11 * 60);
    house.settle().await;
    assert_eq!(house.get(WALK).await.json()["window"], Value::Null, "it closes by itself");
    assert_eq!(order(&house, r#"{"order":"close"}"#).await.problem(), "window_not_open");
}

#[tokio::test]
async fn the_list_of_visits_begins_with_the_worst_home() {
    let house = house().await;
    for n in ["h0487", "h0231", "h0733"] {
        house.say(&format!("{n}/pendant"), "sos").await;
        let found = row(&house, &format!("{n}/pendant")).await.unwrap();
        assert_eq!(claim(&house, id_of(&found), &format!(r#"{{"home":"{n}","room":"bedroom"}}"#)).await.status, 200);
        for room in ["bedroom", "kitchen", "bathroom"] {
            house.say(&format!("{n}/{room}"), "motion@80").await;
        }
    }
    house.say("h0733/kitchen", "battery=9").await;
    house.say("h0231/bathroom", "motion=false@4").await;
    for _ in 0..40 {
        house.say("h0231/bathroom", "motion@4").await;
    }
    let all = house.get("/api/v1/health").await.json();
    let homes = all["homes"].as_array().unwrap();
    assert_eq!((homes.len(), &all["total"], &all["without_sos_cover"]), (11, &11.into(), &9.into()));
    assert!(homes[..9].iter().all(|home| home["sos_cover"] == false));
    assert_eq!(
        (&homes[9]["home"], &homes[10]["home"]),
        (&"h0733".into(), &"h0231".into()),
        "the battery, then the signal"
    );
    let battery = &homes[9]["devices"];
    assert_eq!(battery.as_array().unwrap().len(), 1, "only what needs something");
    assert_eq!(battery[0]["needs"], json!([{"need": "battery_low", "percent": 9.0, "days_left": null}]));
    assert_eq!((&homes[9]["community"], &homes[9]["block"]), (&"清潭二村".into(), &"41幢".into()));
    assert_eq!(homes[10]["devices"][0]["needs"][0]["need"], "weak_signal");
    assert_eq!(homes[0]["devices"][0]["needs"][0]["need"], "never_heard");
    for personal in ["王秀英", "2580", "乙单元", "137 6543"] {
        assert!(!all.to_string().contains(personal), "{personal}");
    }
    let few = house.get("/api/v1/health?limit=2").await.json();
    assert_eq!((few["homes"].as_array().unwrap().len(), &few["more"], &few["total"]), (2, &true.into(), &11.into()));
    assert_eq!(house.get("/api/v1/health?site=elsewhere").await.problem(), "no_such_site");

    let one = house.get("/api/v1/homes/h0733/health").await.json();
    assert_eq!((&one["sos_cover"], one["devices"].as_array().unwrap().len()), (&true.into(), 4));
    assert_eq!(house.send("GET", "/metrics", &[], "").await.status, 200);
}

#[tokio::test]
async fn homes_to_choose_from_come_without_what_is_personal() {
    let house = house().await;
    let brief = house.get("/api/v1/homes?brief=true").await;
    let homes = brief.json()["homes"].as_array().unwrap().clone();
    assert_eq!(homes.len(), 12);
    assert_eq!(homes[0], json!({"id": "h0012", "site": "zhonglou", "community": "翠竹社区", "block": "3幢"}));
    let page = house.get("/api/v1/homes?brief=true&limit=5").await.json();
    let next = page["next"].as_str().unwrap();
    let rest = house.get(&format!("/api/v1/homes?brief=true&cursor={next}")).await.json();
    assert_eq!((rest["homes"].as_array().unwrap().len(), &rest["next"]), (7, &Value::Null));
}

const PAGES: [(&str, &str, &str); 3] = [
    ("/quarantine", "待认领设备", "Unclaimed devices"),
    ("/health", "设备健康", "Device health"),
    ("/homes/h0012/walk-test", "安装测试", "Walk test"),
];

#[tokio::test]
async fn the_pages_are_in_both_languages_and_hold_nothing_personal_and_nothing_inline() {
    let house = house().await;
    house.say("x9/pendant", "sos").await;
    let cookie = house.cookie().await;
    for (path, zh, en) in PAGES {
        for (lang, heading) in [("zh", zh), ("en", en)] {
            let page = house.send("GET", &format!("{path}?lang={lang}"), &[("cookie", &cookie)], "").await;
            assert_eq!(page.status, 200, "{path}");
            assert!(page.text.contains(&format!("<h1>{heading}")), "{path} {lang}");
            for inline in ["<script>", "<style", " style=", " onclick", "javascript:", "http://", "https://"] {
                assert!(!page.text.contains(inline), "{path}: {inline}");
            }
            for personal in ["王秀英", "2580", "乙单元", "137 6543", "高血压", TOKEN] {
                assert!(!page.text.contains(personal), "{path}: {personal}");
            }
        }
    }
    let desk = house.send("GET", "/", &[("cookie", &cookie)], "").await.text;
    assert!(desk.contains("href=\"/quarantine\"") && desk.contains("href=\"/health\""), "the desk leads there");
    let hostile = house.send("GET", "/homes/%3Cimg%20src=x%3E/walk-test", &[("cookie", &cookie)], "").await;
    assert!(!hostile.text.contains("<img"), "a name is text");
}

#[tokio::test]
async fn whoever_is_not_signed_in_comes_back_to_the_page_and_to_no_other() {
    let house = house().await;
    let origin = format!("http://{}", house.address);
    let sign_in = async |next: &str| {
        let headers = [("content-type", "application/x-www-form-urlencoded"), ("origin", origin.as_str())];
        let form = format!("name=wall&token={VIEWER}&next={}", next.replace('%', "%25"));
        house.send("POST", "/sign-in", &headers, &form).await
    };
    for path in ["/quarantine", "/health", "/homes/h0012/walk-test", "/homes/a%2Fb/walk-test"] {
        let away = house.send("GET", path, &[], "").await;
        let door = away.header("location").to_owned();
        assert_eq!((away.status, door.as_str()), (303, format!("/sign-in?next={}", path.replace('%', "%25")).as_str()));
        let form = house.send("GET", &door, &[], "").await.text;
        assert!(form.contains(&format!("name=\"next\" value=\"{path}\"")), "{form}");
        let english = format!("?lang=en&amp;next={}", path.replace('%', "%25"));
        assert!(form.contains(&english), "in the other language too: {form}");
        let inside = sign_in(path).await;
        assert_eq!((inside.status, inside.header("location")), (303, path));
        let cookie = inside.header("set-cookie").split(';').next().unwrap().to_owned();
        let page = house.send("GET", path, &[("cookie", &cookie)], "").await.text;
        assert!(page.contains("&quot;acts&quot;:false"), "a viewer looks");
    }
    for next in ["//evil.example", "https://evil.example/health", "/sign-out", "/homes/%2F%2Fevil/../x"] {
        assert_eq!(sign_in(next).await.header("location"), "/", "{next}");
        let form = house.send("GET", &format!("/sign-in?next={next}"), &[], "").await.text;
        assert!(!form.contains("evil"), "{form}");
    }
}
