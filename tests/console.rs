//! The console over real HTTP on loopback, before a real keeper.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a test reads clocks and may fail"
)]

#[path = "console/answers.rs"]
mod answers;
#[path = "console/channels.rs"]
mod channels;
#[path = "console/duty.rs"]
mod duty;
#[path = "console/fitting.rs"]
mod fitting;
#[path = "console/house.rs"]
mod house;
#[path = "console/ingest.rs"]
mod ingest;
#[path = "console/link.rs"]
mod link;
#[path = "console/look.rs"]
mod look;
#[path = "console/outages.rs"]
mod outages;
#[path = "console/respond.rs"]
mod respond;
#[path = "console/suppressions.rs"]
mod suppressions;
#[path = "console/visits.rs"]
mod visits;

use hearthwatch::engine::registry::{Entity, Resident, ResidentDetails};
use house::{House, Options, TOKEN, VIEWER, seal};
use serde_json::{Value, json};
use std::sync::atomic::Ordering;

const SOS: &str = "/api/v1/alarms/zhonglou-000001";

async fn house() -> House {
    House::start(Options::default()).await
}

/// A house with one press in it.
async fn pressed() -> House {
    let house = house().await;
    house.say("h0012/bedroom", "sos").await;
    house
}

async fn revision(house: &House, path: &str) -> u64 {
    house.get(path).await.json()["revision"].as_u64().unwrap()
}

async fn act(house: &House, what: &str, more: &str) -> house::Reply {
    let revision = revision(house, SOS).await;
    house.post(&format!("{SOS}/{what}"), &format!("{{\"revision\":{revision}{more}}}")).await
}

#[tokio::test]
async fn a_press_is_listed_taken_made_safe_and_closed() {
    let house = pressed().await;
    let list = house.get("/api/v1/alarms").await.json();
    let alarm = &list["alarms"][0];
    assert_eq!(alarm["id"], "zhonglou-000001");
    assert_eq!((&alarm["kind"], &alarm["priority"]), (&"sos".into(), &"life".into()));
    assert_eq!((&alarm["home"]["id"], &alarm["home"]["community"]), (&"h0012".into(), &"翠竹社区".into()));
    assert_eq!((&alarm["open"], &alarm["rung"], &alarm["next"]["to"]), (&true.into(), &1.into(), &"副班".into()));
    assert_eq!(list["next"], Value::Null);

    for (what, more) in [("seen", ""), ("on-my-way", ",\"minutes\":15"), ("on-site", ""), ("no-answer", "")] {
        assert_eq!(act(&house, what, more).await.status, 200, "{what}");
    }
    house.settle().await;
    let one = house.get(SOS).await.json();
    assert_eq!(
        (&one["seen"]["by"], &one["seen"]["how"], &one["unanswered"]),
        (&"张敏".into(), &"on_site".into(), &1.into())
    );
    assert_eq!((&one["told"][0]["channel"], &one["told"][0]["state"]), (&"desk".into(), &"delivered".into()));
    assert_eq!(one["timeline"][0]["what"], "raised");

    let refused = act(&house, "close", ",\"outcome\":\"accidental\"").await;
    assert_eq!((refused.status, refused.problem().as_str()), (409, "not_safe_yet"));
    let safe = act(&house, "safe", ",\"how\":\"handed to 120\"").await;
    assert_eq!(safe.json()["id"], "zhonglou-000001");
    house.settle().await;
    assert_eq!(house.get(SOS).await.json()["safe"]["how"], "handed_to_120");
    let unused = act(&house, "close", ",\"outcome\":\"test\"").await;
    assert_eq!((unused.status, unused.problem().as_str()), (422, "bad_outcome"), "the site has no such outcome");
    let closed = act(&house, "close", ",\"outcome\":\"hospital\"").await;
    assert_eq!(closed.status, 200);
    house.settle().await;
    assert_eq!(house.get("/api/v1/alarms").await.json()["alarms"], Value::Array(vec![]));
    let again = house.post(&format!("{SOS}/seen"), "{\"revision\":1}").await;
    assert_eq!((again.status, again.problem().as_str()), (409, "closed"));

    // It was the wrong one.
    let seen = format!("{{\"revision\":{}}}", closed.json()["revision"]);
    let reopened = house.post(&format!("{SOS}/reopen"), &seen).await;
    assert_eq!(reopened.status, 200, "{}", reopened.text);
    house.settle().await;
    assert_eq!(house.get("/api/v1/alarms").await.json()["alarms"][0]["id"], "zhonglou-000001");
    let twice = act(&house, "reopen", "").await;
    assert_eq!((twice.status, twice.problem().as_str()), (409, "still_open"));
}

#[tokio::test]
async fn an_act_on_what_has_changed_is_refused_and_changes_nothing() {
    let house = pressed().await;
    let stale = house.post(&format!("{SOS}/seen"), "{\"revision\":0}").await;
    assert_eq!((stale.status, stale.problem().as_str()), (409, "stale_revision"));
    let present = revision(&house, SOS).await;
    assert_eq!(stale.json()["revision"], present);
    assert_eq!(house.post(&format!("{SOS}/seen"), "").await.problem(), "revision_missing");
    assert_eq!(house.get(SOS).await.json()["seen"], Value::Null);

    for path in ["/api/v1/alarms/zhonglou-000099/seen", "/api/v1/alarms/elsewhere-000001/seen", "/api/v1/alarms/x/seen"]
    {
        let reply = house.post(path, "{\"revision\":1}").await;
        assert_eq!((reply.status, reply.problem().as_str()), (404, "no_such_alarm"), "{path}");
    }
    let reply = house.post(&format!("{SOS}/delete"), "{\"revision\":1}").await;
    assert_eq!((reply.status, reply.problem().as_str()), (404, "no_such_act"));
}

#[tokio::test]
async fn one_idempotency_key_is_one_deed() {
    let house = pressed().await;
    let bearer = format!("Bearer {TOKEN}");
    let body = format!("{{\"revision\":{}}}", revision(&house, SOS).await);
    let send = async |key: &str, body: &str| {
        let headers = [("authorization", bearer.as_str()), ("idempotency-key", key)];
        house.send("POST", &format!("{SOS}/no-answer"), &headers, body).await
    };
    let (first, second) = tokio::join!(send("k1", &body), send("k1", &body));
    assert_eq!((first.status, second.status), (200, 200));
    assert_eq!(first.json(), second.json());
    house.settle().await;
    assert_eq!(house.get(SOS).await.json()["unanswered"], 1);
    // Without the memory the same words are stale by now; a refusal is remembered like any answer.
    assert_eq!(send("k2", &body).await.problem(), "stale_revision");
    assert_eq!(send("k2", &body).await.problem(), "stale_revision");
    assert_eq!(send("k1", "{\"revision\":99}").await.problem(), "idempotency_key_reused");
    assert_eq!(send(&"k".repeat(201), &body).await.problem(), "bad_idempotency_key");
}

#[tokio::test]
async fn a_note_is_sealed_and_needs_no_revision() {
    let house = pressed().await;
    assert_eq!(house.post(&format!("{SOS}/note"), "{\"text\":\"邻居说听见声音\"}").await.status, 200);
    assert_eq!(house.post(&format!("{SOS}/note"), "{\"text\":\"\"}").await.problem(), "bad_note");
    assert_eq!(house.post("/api/v1/alarms/zhonglou-000007/note", "{\"text\":\"x\"}").await.problem(), "no_such_alarm");
    house.say("h0099/bedroom", "sos").await;
    let erased = house.post("/api/v1/alarms/zhonglou-000002/note", "{\"text\":\"x\"}").await;
    assert_eq!((erased.status, erased.problem().as_str()), (409, "not_sealed"));
}

#[tokio::test]
async fn nobody_gets_in_without_a_token_and_a_viewer_does_not_act() {
    let house = pressed().await;
    let act = format!("{SOS}/seen");
    let paths = [
        ("GET", "/api/v1/alarms"),
        ("GET", SOS),
        ("GET", "/api/v1/events"),
        ("GET", "/api/v1/homes"),
        ("GET", "/api/v1/homes/h0012"),
        ("GET", "/api/v1/notices"),
        ("GET", "/api/v1/quarantine"),
        ("GET", "/api/v1/health"),
        ("GET", "/api/v1/homes/h0012/health"),
        ("GET", "/api/v1/homes/h0012/walk-test"),
        ("POST", "/api/v1/homes/h0012/walk-test"),
        ("POST", "/api/v1/quarantine/0000000000000000/claim"),
        ("POST", act.as_str()),
        ("POST", "/sign-out"),
    ];
    for (method, path) in paths {
        for header in [None, Some("Bearer "), Some("Bearer wrong"), Some("Basic eDp5"), Some(TOKEN)] {
            let headers: Vec<_> = header.map(|value| ("authorization", value)).into_iter().collect();
            let reply = house.send(method, path, &headers, "{}").await;
            assert_eq!((reply.status, reply.problem().as_str()), (401, "not_signed_in"), "{method} {path} {header:?}");
        }
    }
    let viewer = format!("Bearer {VIEWER}");
    assert_eq!(house.send("GET", SOS, &[("authorization", &viewer)], "").await.status, 200);
    let reply = house.send("POST", &act, &[("authorization", &viewer)], "{\"revision\":1}").await;
    assert_eq!((reply.status, reply.problem().as_str()), (403, "not_an_operator"));
    assert_eq!(house.send("GET", "/", &[], "").await.header("location"), "/sign-in");
}

#[tokio::test]
async fn a_session_acts_only_from_our_own_page() {
    let house = pressed().await;
    let cookie = house.cookie().await;
    let here = format!("http://{}", house.address);
    let body = format!("{{\"revision\":{}}}", revision(&house, SOS).await);
    let path = format!("{SOS}/seen");
    let from = async |more: &[(&str, &str)]| {
        let headers: Vec<_> = [("cookie", cookie.as_str())].iter().chain(more).copied().collect();
        house.send("POST", &path, &headers, &body).await
    };
    for foreign in
        [&[][..], &[("origin", "http://evil.example")], &[("sec-fetch-site", "cross-site")], &[("origin", "null")]]
    {
        let reply = from(foreign).await;
        assert_eq!((reply.status, reply.problem().as_str()), (403, "foreign_origin"), "{foreign:?}");
    }
    assert_eq!(house.get(SOS).await.json()["seen"], Value::Null);
    assert_eq!(from(&[("origin", &here)]).await.status, 200);
    house.settle().await;
    assert_eq!(house.get(SOS).await.json()["seen"]["by"], "张敏");

    // Reading needs no such proof, and signing out ends it all.
    assert_eq!(house.send("GET", "/", &[("cookie", &cookie)], "").await.status, 200);
    let out = house.send("POST", "/sign-out", &[("cookie", &cookie), ("sec-fetch-site", "same-origin")], "").await;
    assert_eq!((out.status, out.header("location")), (303, "/sign-in"));
    assert_eq!(house.send("GET", SOS, &[("cookie", &cookie)], "").await.status, 401);
}

#[tokio::test]
async fn the_door_lets_in_who_knows_and_pauses_who_guesses() {
    let house = house().await;
    let origin = format!("http://{}", house.address);
    let knock = async |origin: &str, token: &str| {
        let headers = [("content-type", "application/x-www-form-urlencoded"), ("origin", origin)];
        house.send("POST", "/sign-in", &headers, &format!("name=wall&token={token}")).await
    };
    assert_eq!(knock("http://evil.example", VIEWER).await.status, 403);
    let inside = knock(&origin, VIEWER).await;
    let cookie = inside.header("set-cookie");
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    assert!(cookie.split(';').next().unwrap().len() > 60, "256 bits: {cookie}");
    for _ in 0..5 {
        let reply = knock(&origin, "guess").await;
        assert_eq!(reply.status, 401);
        assert!(reply.text.contains("账号或口令不对") && !reply.text.contains("guess"));
    }
    assert_eq!(knock(&origin, VIEWER).await.status, 429);
    assert_eq!(house.send("POST", "/sign-in", &[], "name=x").await.status, 422);
    house.cookie().await;
}

#[tokio::test]
async fn events_tell_what_changes_and_what_was_missed() {
    let house = house().await;
    let mut stream = house.events(None).await;
    assert_eq!(stream.response.headers()["x-accel-buffering"], "no");
    let (hello, first, _) = stream.next().await.unwrap();
    assert_eq!(hello, "hello");
    house.say("h0012/bedroom", "sos").await;
    let (name, id, data) = stream.next().await.unwrap();
    assert_eq!((name.as_str(), &data["id"], &data["open"]), ("alarm", &"zhonglou-000001".into(), &true.into()));
    assert!(data["now"].is_string() && id != first);
    drop(stream);

    house.say("h0487/kitchen", "water_leak").await;
    let mut back = house.events(Some(&first)).await;
    let mut seen = Vec::new();
    while seen.last() != Some(&"zhonglou-000002".to_owned()) {
        let (name, _, data) = back.next().await.unwrap();
        assert_eq!(name, "alarm");
        seen.push(data["id"].as_str().unwrap().to_owned());
    }
    assert_eq!(seen[0], "zhonglou-000001");
    for unknown in ["00000000-1", "nonsense", "-"] {
        assert_eq!(house.events(Some(unknown)).await.next().await.unwrap().0, "resync");
    }
    let event = house.get("/api/v1/alarms").await.json()["event"].as_str().unwrap().to_owned();
    house.say("h0231/kitchen", "gas").await;
    let (_, _, data) = house.events(Some(&event)).await.next().await.unwrap();
    assert_eq!(data["kind"], "gas", "the list says from where to go on");
}

#[tokio::test]
async fn a_console_that_reads_too_slowly_is_told_to_load_anew() {
    let house = pressed().await;
    let mut stream = house.events(None).await;
    assert_eq!(stream.next().await.unwrap().0, "hello");
    let shown = (*house.board.open()[0]).clone();
    for _ in 0..60 {
        house.board.show(vec![shown.clone(); 1_000]);
        tokio::task::yield_now().await;
    }
    let latest = house.get("/api/v1/alarms").await.json()["event"].clone();
    let (mut names, mut last) = (Vec::new(), String::new());
    while last != latest {
        let (name, id, _) = stream.next().await.unwrap();
        names.push(name);
        last = id;
    }
    assert!(names.iter().any(|name| name == "resync"), "{} events and none says so", names.len());
    assert!(names.len() < 50_000);
}

#[tokio::test]
async fn listeners_are_bounded_and_end_with_the_service() {
    let mut house = House::start(Options { event_streams: Some(2), ..Options::default() }).await;
    let mut one = house.events(None).await;
    let two = house.events(None).await;
    let refused = house.get("/api/v1/events").await;
    assert_eq!((refused.status, refused.problem().as_str()), (503, "too_many_listeners"));
    assert_ne!(refused.header("retry-after"), "");
    drop(two);
    // The place is free again once the server has noticed.
    let mut again = house.events(None).await;
    for _ in 0..100 {
        if again.response.status() == 200 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        again = house.events(None).await;
    }
    assert_eq!(again.next().await.unwrap().0, "hello");
    assert_eq!(one.next().await.unwrap().0, "hello");
    house.stop.send(true).unwrap();
    assert_eq!(one.next().await, None);
    let served = tokio::time::timeout(std::time::Duration::from_secs(4), house.served.take().unwrap()).await;
    served.expect("open streams do not hold up the stop").unwrap().unwrap();
}

#[tokio::test]
async fn homes_are_opened_for_who_may_read_them() {
    let house = house().await;
    let home = house.get("/api/v1/homes/h0012").await.json();
    assert_eq!(home["details"]["gate_code"], "2580#");
    assert_eq!(
        (&home["residents"][0]["details"]["name"], &home["residents"][0]["details"]["birth_year"]),
        (&"王秀英".into(), &1942.into())
    );
    assert_eq!(home["devices"].as_array().unwrap().len(), 3);
    assert_eq!((&home["status"], &home["claimed"]), (&"active".into(), &true.into()));
    assert_eq!(house.get("/api/v1/homes/h9999").await.problem(), "no_such_home");
    assert_eq!(home["cover"], json!({"sos": false, "weak": []}));
    let second = Resident {
        id: "h0012-2".parse().unwrap(),
        home: "h0012".parse().unwrap(),
        details: seal(&ResidentDetails { mobility: "bed".into(), ..ResidentDetails::default() }),
    };
    house.handle.register(vec![Entity::Resident(second)]).await.unwrap();
    let cover = &house.get("/api/v1/homes/h0012").await.json()["cover"];
    assert_eq!(cover["weak"], json!(["second_person", "bed_bound"]));

    let mut found = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = house.get(&format!("/api/v1/homes?limit=5{cursor}")).await.json();
        found.extend(page["homes"].as_array().unwrap().iter().map(|home| home["id"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(found.len(), 12);
    assert!(found.is_sorted());
    assert_eq!(house.get("/api/v1/homes?cursor=x").await.problem(), "bad_cursor");

    // The pseudo-home of a device that nobody registered has slashes in its name.
    house.say("h7777/button", "sos").await;
    let alarm = &house.get("/api/v1/alarms").await.json()["alarms"][0];
    let id = alarm["home"]["id"].as_str().unwrap().replace('/', "%2F");
    let home = house.get(&format!("/api/v1/homes/{id}")).await.json();
    assert_eq!((&home["claimed"], &home["details"]), (&false.into(), &Value::Null));
}

#[tokio::test]
async fn lists_come_in_pages() {
    let house = pressed().await;
    house.say("h0487/kitchen", "water_leak").await;
    house.say("h0231/kitchen", "gas").await;
    house.say("h0090/bedroom", "sos").await;
    let mut kinds = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = house.get(&format!("/api/v1/alarms?limit=1{cursor}")).await.json();
        kinds.push(page["alarms"][0]["kind"].as_str().unwrap().to_owned());
        let Some(next) = page["next"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(kinds, ["gas", "sos", "sos", "leak"], "the gravest first");

    let first = house.get("/api/v1/alarms?state=closed&limit=2").await.json();
    assert_eq!(
        (&first["alarms"][0]["id"], &first["alarms"][1]["id"]),
        (&"zhonglou-000003".into(), &"zhonglou-000002".into())
    );
    assert_eq!(first["alarms"][0]["open"], false);
    let rest = house
        .get(&format!("/api/v1/alarms?state=closed&limit=2&cursor={}", first["next"].as_str().unwrap()))
        .await
        .json();
    assert_eq!((rest["alarms"].as_array().unwrap().len(), &rest["next"]), (1, &Value::Null));

    assert_eq!(house.get("/api/v1/alarms?site=elsewhere").await.problem(), "no_such_site");
    for query in ["state=lost", "limit=x", "colour=red", "cursor=x", "state=closed&cursor=x"] {
        assert_eq!(house.get(&format!("/api/v1/alarms?{query}")).await.status, 422, "{query}");
    }
}

#[tokio::test]
async fn notices_that_wait_are_shown() {
    let house = House::start(Options { silent: true, ..Options::default() }).await;
    house.say("h0487/kitchen", "water_leak").await;
    house.say("h0012/bedroom", "sos").await;
    let notices = house.get("/api/v1/notices").await.json();
    assert_eq!(notices["waiting"], 2);
    let first = &notices["pending"][0];
    assert_eq!(
        (&first["id"], &first["channel"], &first["priority"]),
        (&"zhonglou-000002-n1".into(), &"desk".into(), &"life".into())
    );
    assert_eq!((&first["sending"], &first["attempts"]), (&true.into(), &1.into()));
    assert_eq!(notices["attempts"][0]["outcome"], "delivered");
}

#[tokio::test]
async fn health_names_what_fails() {
    let house = house().await;
    let open = async |path: &str| house.send("GET", path, &[], "").await;
    assert_eq!(open("/healthz").await.text, "ok\n");
    assert_eq!(open("/metrics").await.text, "hearthwatch_messages_total 7\n");
    assert_eq!(open("/readyz").await.json()["ready"], true);
    house.sick.store(true, Ordering::Relaxed);
    let sick = open("/readyz").await;
    assert_eq!((sick.status, sick.problem().as_str()), (503, "not_ready"));
    assert_eq!(sick.json()["failing"], serde_json::json!(["subscribed"]));
}

#[tokio::test]
async fn a_keeper_that_has_left_is_said_to_have() {
    let mut house = pressed().await;
    house.keeper_leaves();
    for reply in [house.post(&format!("{SOS}/seen"), "{\"revision\":1}").await, house.get("/api/v1/homes").await] {
        assert_eq!((reply.status, reply.problem().as_str()), (503, "keeper_gone"));
    }
    assert_eq!(house.get("/api/v1/alarms").await.status, 200, "what is open is still shown");
}

#[tokio::test]
async fn every_answer_carries_its_guards_and_every_failure_is_a_problem() {
    let house = house().await;
    let cookie = house.cookie().await;
    let paths = [
        "/",
        "/quarantine",
        "/health",
        "/homes/h0012/walk-test",
        "/sign-in",
        "/healthz",
        "/api/v1/alarms",
        "/api/v1/quarantine",
        "/assets/console.js",
        "/assets/places.css",
        "/nothing",
        "/api/v1/nothing",
    ];
    for path in paths {
        let reply = house.send("GET", path, &[("cookie", &cookie)], "").await;
        let policy = reply.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(reply.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(reply.header("x-frame-options"), "DENY", "{path}");
        let cache = if path.starts_with("/assets") { "no-cache" } else { "no-store" };
        assert_eq!(reply.header("cache-control"), cache, "{path}");
    }
    assert_eq!(house.get("/nothing").await.problem(), "no_such_path");
    assert_eq!(house.post("/api/v1/alarms", "").await.problem(), "method_not_allowed");
    assert_eq!(house.send("DELETE", SOS, &[], "").await.problem(), "method_not_allowed");
    let huge = format!("{{\"text\":\"{}\"}}", "x".repeat(70_000));
    let reply = house.post(&format!("{SOS}/note"), &huge).await;
    assert_eq!((reply.status, reply.problem().as_str()), (413, "bad_body"));
}

#[tokio::test]
async fn the_page_is_in_both_languages_and_holds_nothing_inline() {
    let house = house().await;
    let cookie = house.cookie().await;
    for (lang, title) in [("zh", "守望 · 值守台"), ("en", "Hearthwatch console")] {
        let page = house.send("GET", &format!("/?lang={lang}"), &[("cookie", &cookie)], "").await;
        assert!(page.text.contains(title), "{lang}");
        assert!(page.header("set-cookie").starts_with(&format!("lang={lang};")));
        for inline in ["<script>", "<style", " style=", " onclick", "javascript:", "http://", "https://"] {
            assert!(!page.text.contains(inline), "{inline}");
        }
    }
    let document = house.send("GET", "/api/openapi.json", &[], "").await.json();
    assert_eq!(document["openapi"], "3.1.0");
}
