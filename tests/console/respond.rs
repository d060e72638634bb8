//! The page behind a notice's link: what it opens, for whom, and until when.

use super::house::{DESK_PHONE, House, Options, PIN, Reply};
use super::link::{PERSONAL, token};
use serde_json::{Value, json};
use std::sync::atomic::Ordering;

const SOS: &str = "zhonglou-000001";

async fn pressed() -> House {
    let house = House::start(Options::default()).await;
    house.say("h0012/bedroom", "sos").await;
    house
}

fn minutes(n: i64) -> i64 {
    n * 60_000
}

fn usual(house: &House) -> String {
    token(house, "zhonglou-000001-n1", "desk", 0)
}

/// Posts as the page does.
async fn post(house: &House, path: &str, cookie: &str, body: &Value) -> Reply {
    let origin = format!("http://{}", house.address);
    house.send("POST", path, &[("origin", &origin), ("cookie", cookie)], &body.to_string()).await
}

async fn identify(house: &House, token: &str, who: &str, pin: &str) -> Reply {
    post(house, "/r/identify", "", &json!({"token": token, "who": who, "pin": pin})).await
}

/// The cookie of 张敏, who is one of the channel `desk`.
async fn badge(house: &House) -> String {
    let reply = identify(house, &usual(house), "zhangmin", PIN).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.header("set-cookie").split(';').next().unwrap().to_owned()
}

async fn look(house: &House, cookie: &str, personal: bool) -> Reply {
    post(house, "/r/look", cookie, &json!({"token": usual(house), "personal": personal})).await
}

async fn press(house: &House, cookie: &str, button: &str, more: &Value) -> Reply {
    let shown = look(house, cookie, false).await.json();
    let revision = shown["known"]["acts"][SOS]["revision"].clone();
    let mut body = json!({"token": usual(house), "alarm": SOS, "revision": revision});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let reply = post(house, &format!("/r/act/{button}"), cookie, &body).await;
    house.settle().await;
    reply
}

#[tokio::test]
async fn opening_a_link_changes_and_shows_nothing() {
    let house = pressed().await;
    let before = house.get(&format!("/api/v1/alarms/{SOS}")).await.json()["revision"].clone();
    let kept = house.turns.load(Ordering::Relaxed);
    let mut pages = Vec::new();
    for (method, path) in
        [("GET", "/r".to_owned()), ("HEAD", "/r".to_owned()), ("GET", format!("/r#{}", usual(&house)))]
    {
        let page = house.send(method, &path, &[("user-agent", "a preview")], "").await;
        assert_eq!((page.status, page.header("set-cookie")), (200, ""), "{method} {path}");
        let headers = [
            ("cache-control", "no-store"),
            ("referrer-policy", "no-referrer"),
            ("x-frame-options", "DENY"),
            ("x-content-type-options", "nosniff"),
        ];
        for (name, value) in headers {
            assert_eq!(page.header(name), value, "{method} {path}");
        }
        let policy = page.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'"), "{policy}");
        pages.push(page.text);
    }
    assert!(!pages[0].contains("h0012") && !pages[0].contains("<script>") && !pages[0].contains("style="));
    assert_eq!(pages[0], pages[2]);
    for path in ["/r/look", "/r/identify", "/r/act/on-site", "/r/leave"] {
        assert_eq!(house.send("GET", path, &[], "").await.status, 405, "{path}");
    }
    assert_eq!(house.get(&format!("/api/v1/alarms/{SOS}")).await.json()["revision"], before);
    assert_eq!(house.turns.load(Ordering::Relaxed), kept, "nothing went into the journal");
}

#[tokio::test]
async fn a_link_that_is_no_good_says_so_and_whom_to_call() {
    let house = pressed().await;
    house.say("h0487/bedroom", "sos").await;
    house.post("/api/v1/alarms/zhonglou-000002/safe", "{\"revision\":1,\"how\":\"spoke\"}").await;
    house.settle().await;
    let revision = house.get("/api/v1/alarms/zhonglou-000002").await.json()["revision"].clone();
    let body = format!("{{\"revision\":{revision},\"outcome\":\"helped\"}}");
    assert_eq!(house.post("/api/v1/alarms/zhonglou-000002/close", &body).await.status, 200);
    house.settle().await;
    let good = usual(&house);
    let end = if good.ends_with('A') { 'B' } else { 'A' };
    let (hour, alarm) = (minutes(60), Some("A001"));
    let table = [
        ("whole", good.clone(), 200, "", None),
        ("half a day old", token(&house, "zhonglou-000001-n1", "desk", 12 * hour - 10_000), 200, "", None),
        ("older", token(&house, "zhonglou-000001-n1", "desk", 12 * hour), 410, "link_expired", alarm),
        ("empty", String::new(), 403, "link_forged", None),
        ("cut", good[..good.len() - 8].to_owned(), 403, "link_forged", None),
        ("changed", format!("{}{end}", &good[..good.len() - 1]), 403, "link_forged", None),
        ("changed within", format!("A{}", &good[1..]), 403, "link_forged", None),
        ("of a site that is not ours", token(&house, "elsewhere-000001-n1", "desk", 0), 403, "link_forged", None),
        ("closed", token(&house, "zhonglou-000002-n1", "desk", 0), 410, "link_used_up", Some("A002")),
        ("closed and old", token(&house, "zhonglou-000002-n1", "desk", 13 * hour), 410, "link_expired", Some("A002")),
    ];
    for (what, token, status, reason, alarm) in table {
        let reply = post(&house, "/r/look", "", &json!({"token": token})).await;
        assert_eq!(reply.status, status, "{what}: {}", reply.text);
        if status != 200 {
            assert_eq!(reply.problem(), reason, "{what}");
            let said = reply.json();
            assert_eq!((&said["desk_phone"], said["number"].as_str()), (&json!(DESK_PHONE), alarm), "{what}");
        }
    }
}

#[tokio::test]
async fn without_identity_nothing_personal_is_told_and_nothing_is_done() {
    let house = pressed().await;
    house.say("h0012/kitchen", "smoke").await;
    let stranger = token(&house, "zhonglou-000001-n1", "deputy-voice", 0);
    let other = identify(&house, &stranger, "deputy", PIN).await;
    // Somebody of another channel, a badge that was changed, and nobody.
    let deputy = other.header("set-cookie").split(';').next().unwrap().to_owned();
    for cookie in ["", "hearthwatch_respond=x", &deputy, &format!("{}AAAA", badge(&house).await)] {
        let reply = look(&house, cookie, true).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        for personal in PERSONAL {
            assert!(!reply.text.contains(personal), "{personal} to {cookie:?}");
        }
        let shown = reply.json();
        assert_eq!((&shown["known"], &shown["personal"]), (&Value::Null, &Value::Null));
        let kinds: Vec<_> = shown["case"].as_array().unwrap().iter().map(|alarm| &alarm["kind"]).collect();
        assert_eq!(kinds, ["smoke", "sos"], "the gravest first");
        assert_eq!((&shown["home"]["id"], &shown["home"]["block"]), (&"h0012".into(), &"3幢".into()));
        assert_eq!((&shown["case"][1]["events"], &shown["case"][1]["taken"]), (&1.into(), &false.into()));
        let names: Vec<_> = shown["people"].as_array().unwrap().iter().map(|one| (&one["id"], &one["pin"])).collect();
        assert_eq!(
            names,
            [(&"desk".into(), &true.into()), (&"zhangmin".into(), &true.into()), (&"liqiang".into(), &false.into())]
        );
        let body = json!({"token": usual(&house), "alarm": SOS, "revision": 1});
        let act = post(&house, "/r/act/on-site", cookie, &body).await;
        assert_eq!((act.status, act.problem().as_str()), (403, "not_identified"), "{cookie:?}");
    }
    let alarm = house.get(&format!("/api/v1/alarms/{SOS}")).await.json();
    assert_eq!((&alarm["seen"], &alarm["revision"]), (&Value::Null, &1.into()));
}

#[tokio::test]
async fn whoever_says_who_it_is_sees_the_home() {
    let house = pressed().await;
    let reply = identify(&house, &usual(&house), "zhangmin", PIN).await;
    let cookie = reply.header("set-cookie").to_owned();
    for part in ["; Path=/r;", "; Max-Age=28800;", "; HttpOnly", "; SameSite=Strict"] {
        assert!(cookie.contains(part), "{part}: {cookie}");
    }
    assert!(!cookie.contains("Secure"));
    let shown = reply.json();
    assert_eq!(
        (&shown["known"]["me"]["name"], &shown["known"]["me"]["phone"]),
        (&"张敏".into(), &"13900000000".into())
    );
    assert_eq!(shown["personal"]["home"]["gate_code"], "2580#");
    assert_eq!(shown["personal"]["residents"][0]["phone"], "0519-8888 0012");
    // What is looked for elsewhere is what stands here.
    for personal in &PERSONAL[..PERSONAL.len() - 2] {
        assert!(reply.text.contains(personal), "{personal}");
    }
    assert!(!reply.text.contains("pbkdf2"), "what is kept of a PIN is nobody's");
    // Once is enough: what is asked for again and again has nothing personal in it.
    let cookie = cookie.split(';').next().unwrap();
    assert_eq!(look(&house, cookie, false).await.json()["personal"], Value::Null);
    assert_eq!(look(&house, cookie, true).await.json()["personal"]["home"]["floor"], "5");
    // A shift later it has to be said again.
    house.clock.set_back_s(-8 * 3_600 - 10);
    assert_eq!(look(&house, cookie, true).await.json()["known"], Value::Null);

    let origin = format!("http://{}", house.address);
    let headers = [("origin", origin.as_str()), ("x-forwarded-proto", "https")];
    let body = json!({"token": usual(&house), "who": "zhangmin", "pin": PIN}).to_string();
    let reply = house.send("POST", "/r/identify", &headers, &body).await;
    assert!(reply.header("set-cookie").ends_with("; Secure"), "behind TLS");
    let left = post(&house, "/r/leave", cookie, &json!({})).await;
    assert!(left.status == 204 && left.header("set-cookie").starts_with("hearthwatch_respond=; Path=/r; Max-Age=0;"));
}

#[tokio::test]
async fn a_wrong_pin_is_locked_after_five() {
    let house = pressed().await;
    let (link, wrong) = (usual(&house), ["0000", "2581", "", "25800", "2 5 8 0"]);
    for pin in wrong {
        let reply = identify(&house, &link, "zhangmin", pin).await;
        assert_eq!((reply.status, reply.problem().as_str()), (403, "wrong_pin"), "{pin}");
        assert!(!reply.text.contains("王秀英"));
    }
    let locked = identify(&house, &link, "zhangmin", PIN).await;
    assert_eq!((locked.status, locked.problem().as_str()), (429, "locked"), "the right one too");
    assert!((890..=900).contains(&locked.header("retry-after").parse::<u32>().unwrap()));
    assert_eq!(locked.json()["desk_phone"], DESK_PHONE);
    assert_eq!(identify(&house, &link, "desk", PIN).await.status, 200, "the others may go on");
    house.clock.set_back_s(-901);
    assert_eq!(identify(&house, &link, "zhangmin", PIN).await.status, 200);
    assert_eq!(identify(&house, &link, "liqiang", "").await.problem(), "no_pin");
    for stranger in ["deputy", "nobody"] {
        assert_eq!(identify(&house, &link, stranger, PIN).await.problem(), "not_of_this_channel");
    }
}

#[tokio::test]
async fn who_guesses_links_is_heard_no_more_from_there() {
    let house = pressed().await;
    for n in 0..20 {
        assert_eq!(post(&house, "/r/look", "", &json!({"token": format!("guess{n}")})).await.problem(), "link_forged");
    }
    let reply = post(&house, "/r/look", "", &json!({"token": "guess"})).await;
    assert_eq!((reply.status, reply.problem().as_str()), (429, "too_many_tries"));
    assert_eq!(look(&house, "", false).await.status, 200, "a good link is still opened");
    let origin = format!("http://{}", house.address);
    let headers = [("origin", origin.as_str()), ("x-forwarded-for", "203.0.113.7")];
    let elsewhere = house.send("POST", "/r/look", &headers, "{\"token\":\"guess\"}").await;
    assert_eq!(elsewhere.problem(), "link_forged", "of another address");
}

#[tokio::test]
async fn only_our_own_page_posts() {
    let house = pressed().await;
    let cookie = badge(&house).await;
    let body = json!({"token": usual(&house), "alarm": SOS, "revision": 1}).to_string();
    for path in ["/r/look", "/r/identify", "/r/act/on-site", "/r/leave"] {
        for foreign in [("origin", "http://evil.example"), ("sec-fetch-site", "cross-site"), ("x", "y")] {
            let reply = house.send("POST", path, &[("cookie", &cookie), foreign], &body).await;
            assert_eq!((reply.status, reply.problem().as_str()), (403, "foreign_origin"), "{path} {foreign:?}");
        }
    }
    for body in ["", "{}", "[]", "{\"token\":1}", "{\"token\":\"x\",\"more\":1}"] {
        let origin = format!("http://{}", house.address);
        assert_eq!(house.send("POST", "/r/look", &[("origin", &origin)], body).await.problem(), "bad_body", "{body}");
    }
}

#[tokio::test]
async fn each_button_does_what_the_desk_does() {
    let table = [
        ("on-my-way", json!({"minutes": 20}), json!({"seen": "on_my_way"})),
        ("on-site", json!({}), json!({"seen": "on_site"})),
        ("safe", json!({"how": "handed_to_120"}), json!({"safe": "handed_to_120"})),
        ("no-answer", json!({}), json!({"unanswered": 1})),
        ("no-access", json!({}), json!({"no_access": 1, "rung": 2})),
        ("cannot", json!({}), json!({"rung": 1})),
        ("needs-help", json!({}), json!({"rung": 1})),
    ];
    for (button, more, expected) in table {
        let house = pressed().await;
        let cookie = badge(&house).await;
        let reply = press(&house, &cookie, button, &more).await;
        assert_eq!((reply.status, &reply.json()["id"]), (200, &SOS.into()), "{button}: {}", reply.text);
        let alarm = house.get(&format!("/api/v1/alarms/{SOS}")).await.json();
        for axis in ["seen", "safe"] {
            assert_eq!(alarm[axis]["how"], expected[axis], "{button}: {axis}");
            assert!(alarm[axis].is_null() || alarm[axis]["by"] == "zhangmin", "{button}");
        }
        for count in ["unanswered", "no_access"] {
            assert_eq!(alarm[count], expected.get(count).cloned().unwrap_or(json!(0)), "{button}: {count}");
        }
        if let Some(rung) = expected.get("rung") {
            assert_eq!(&alarm["rung"], rung, "{button}");
        }
    }
    let house = pressed().await;
    let cookie = badge(&house).await;
    let refused = [
        ("safe", json!({}), "bad_how"),
        ("safe", json!({"how": "hearsay"}), "bad_how"),
        ("on-my-way", json!({"minutes": 0}), "bad_minutes"),
        ("close", json!({}), "no_such_act"),
        ("on-site", json!({"revision": 9}), "stale_revision"),
        ("on-site", json!({"alarm": "zhonglou-000009"}), "not_of_this_home"),
        ("on-site", json!({"alarm": "nonsense"}), "not_of_this_home"),
    ];
    for (button, more, reason) in refused {
        assert_eq!(press(&house, &cookie, button, &more).await.problem(), reason, "{button} {more}");
    }
    assert_eq!(house.get(&format!("/api/v1/alarms/{SOS}")).await.json()["seen"], Value::Null);
}

#[tokio::test]
async fn a_press_that_is_sent_twice_happens_once() {
    let house = pressed().await;
    let cookie = badge(&house).await;
    let origin = format!("http://{}", house.address);
    let body = json!({"token": usual(&house), "alarm": SOS, "revision": 1}).to_string();
    let headers = [("origin", origin.as_str()), ("cookie", &cookie), ("idempotency-key", "one")];
    for _ in 0..2 {
        assert_eq!(house.send("POST", "/r/act/no-answer", &headers, &body).await.status, 200);
        house.settle().await;
    }
    assert_eq!(house.get(&format!("/api/v1/alarms/{SOS}")).await.json()["unanswered"], 1);
}

#[tokio::test]
async fn the_alarms_of_one_home_are_handled_each_by_itself() {
    let house = pressed().await;
    house.say("h0012/kitchen", "smoke").await;
    house.say("h0487/kitchen", "smoke").await;
    let cookie = badge(&house).await;
    let shown = look(&house, &cookie, false).await.json();
    let smoke = shown["case"][0]["id"].clone();
    let revision = shown["known"]["acts"][smoke.as_str().unwrap()]["revision"].clone();
    assert_eq!(press(&house, &cookie, "on-my-way", &json!({"alarm": smoke, "revision": revision})).await.status, 200);
    let shown = look(&house, &cookie, false).await.json();
    let seen = |id: &Value| shown["known"]["acts"][id.as_str().unwrap()]["seen"]["by"].clone();
    assert_eq!((seen(&smoke), seen(&SOS.into())), ("张敏".into(), Value::Null));
    let elsewhere = json!({"alarm": "zhonglou-000003", "revision": 1});
    assert_eq!(press(&house, &cookie, "on-site", &elsewhere).await.problem(), "not_of_this_home");
}
