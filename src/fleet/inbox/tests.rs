#![expect(clippy::disallowed_methods, reason = "servers of a test end with its runtime")]

use super::*;
use axum::extract::Request;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::hmac;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

async fn serve(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

async fn inbox(api: &str) -> String {
    let options = InboxOptions {
        phones: InboxOptions::demo_phones(["hush-1", "hush-2", "hush-3"].map(Into::into)),
        secret: SECRET.into(),
        api: api.into(),
        console: String::new(),
        utc_offset_min: 480,
    };
    serve(router(options).unwrap()).await
}

/// What a courier sends.
fn hook(base: &str, phone: &str, id: &str, body: &str) -> reqwest::RequestBuilder {
    let time = now_ms() / 1000;
    let key = hmac::Key::new(hmac::HMAC_SHA256, &BASE64.decode(&SECRET[6..]).unwrap());
    let signature = BASE64.encode(hmac::sign(&key, format!("{id}.{time}.{body}").as_bytes()));
    client()
        .unwrap()
        .post(format!("{base}/hook/{phone}"))
        .header("webhook-id", id)
        .header("webhook-timestamp", time.to_string())
        .header("webhook-signature", format!("v1,{signature}"))
        .body(body.to_owned())
}

async fn status(request: reqwest::RequestBuilder) -> u16 {
    request.send().await.unwrap().status().as_u16()
}

async fn json(url: &str) -> Value {
    let text = client().unwrap().get(url).send().await.unwrap().text().await.unwrap();
    serde_json::from_str(&text).unwrap()
}

#[tokio::test]
async fn only_what_is_signed_for_a_known_phone_gets_in_and_each_message_once() {
    let base = inbox("http://127.0.0.1:1").await;
    let body = r#"{"type":"hearthwatch.alarm.notice"}"#;
    let forged = hook(&base, "zhangmin", "a", body).body("{}");
    let huge = format!("\"{}\"", "x".repeat(MAX_BODY_BYTES));
    let table = [
        (forged, 401),
        (client().unwrap().post(format!("{base}/hook/zhangmin")).body(body), 401),
        (hook(&base, "nobody", "a", body), 404),
        (hook(&base, "zhangmin", "a", "no json"), 400),
        (hook(&base, "zhangmin", "a", &huge), 413),
        (hook(&base, "zhangmin", "a", body), 204),
        (hook(&base, "zhangmin", "a", body), 204),
        (hook(&base, "liqiang", "a", body), 204),
    ];
    for (number, (request, expected)) in table.into_iter().enumerate() {
        assert_eq!(status(request).await, expected, "row {number}");
    }
    let state = json(&format!("{base}/messages")).await;
    let list = state["messages"].as_array().unwrap().iter();
    let list: Vec<_> = list.map(|m| (m["phone"].as_str().unwrap(), m["deliveries"].as_u64().unwrap())).collect();
    assert_eq!(list, [("zhangmin", 2), ("liqiang", 1)]);
    assert!(!state.to_string().contains("hush") && !state.to_string().contains("whsec_"));
}

#[tokio::test]
async fn the_last_two_hundred_are_kept_and_pages_hear_of_each() {
    let base = inbox("http://127.0.0.1:1").await;
    let mut page = client().unwrap().get(format!("{base}/events")).send().await.unwrap();
    for number in 0..KEPT + 5 {
        assert_eq!(status(hook(&base, "zhangmin", &format!("n{number}"), "{}")).await, 204);
    }
    let state = json(&format!("{base}/messages")).await;
    let list = state["messages"].as_array().unwrap();
    assert_eq!((list.len(), &list[0]["id"], &list[KEPT - 1]["number"]), (KEPT, &json!("n5"), &json!(KEPT + 5)));
    let mut heard = String::new();
    while heard.matches("event: message").count() < KEPT + 5 {
        heard.push_str(std::str::from_utf8(&page.chunk().await.unwrap().unwrap()).unwrap());
    }
    assert!(heard.contains(r#""id":"n0""#) && heard.contains(&format!(r#""id":"n{}""#, KEPT + 4)));
}

/// A gateway that shows one alarm, refuses to close it, and tells what it was asked.
async fn gateway() -> (String, mpsc::UnboundedReceiver<(String, String, Value)>) {
    let (asked, hears) = mpsc::unbounded_channel();
    let show = get(async || Json(json!({"id": "demo-000007", "revision": 4, "kind": "sos", "next": {"to": "deputy"}})));
    let act = post(async move |request: Request| {
        let path = request.uri().path().to_owned();
        let bearer = request.headers()["authorization"].to_str().unwrap().to_owned();
        let body = axum::body::to_bytes(request.into_body(), 10_000).await.unwrap();
        asked.send((path.clone(), bearer, serde_json::from_slice(&body).unwrap())).unwrap();
        if path.ends_with("close") {
            problem(StatusCode::CONFLICT, "not_safe_yet", "no")
        } else {
            Json(json!({})).into_response()
        }
    });
    let routes = Router::new().route("/api/v1/alarms/{id}", show).route("/api/v1/alarms/{id}/{action}", act);
    (serve(routes).await, hears)
}

#[tokio::test]
async fn an_answer_reaches_the_gateway_and_shows_on_the_phone() {
    let (api, mut hears) = gateway().await;
    let base = inbox(&format!("{api}/")).await;
    let act = |path: &str, body: &'static str| {
        let request = client().unwrap().post(format!("{base}/act/{path}"));
        status(request.header("content-type", "application/json").body(body))
    };
    let table = [
        ("zhangmin/demo-000007/seen", "{}", 200, Some(json!({"revision": 4}))),
        ("liqiang/demo-000007/on-my-way", r#"{"minutes":12}"#, 200, Some(json!({"revision": 4, "minutes": 12}))),
        ("zhangmin/demo-000007/safe", r#"{"how":"spoke"}"#, 200, Some(json!({"revision": 4, "how": "spoke"}))),
        (
            "zhangmin/demo-000007/close",
            r#"{"outcome":"helped"}"#,
            409,
            Some(json!({"revision": 4, "outcome": "helped"})),
        ),
        ("zhangmin/demo-000007/reopen", "{}", 404, None),
        ("nobody/demo-000007/seen", "{}", 404, None),
        ("zhangmin/demo-000007/seen", r#"{"by":"wangfang"}"#, 422, None),
    ];
    for (path, body, expected, asked) in table {
        assert_eq!(act(path, body).await, expected, "{path}");
        let (who, action) = path.split_once('/').unwrap();
        let bearer = if who == "liqiang" { "Bearer hush-2" } else { "Bearer hush-1" };
        let asked = asked.map(|body| (format!("/api/v1/alarms/{action}"), bearer.to_owned(), body));
        assert_eq!(hears.try_recv().ok(), asked, "{path}");
    }
    let state = json(&format!("{base}/messages")).await;
    let said: Vec<_> = state["messages"].as_array().unwrap().iter().map(|m| &m["event"]["data"]["action"]).collect();
    assert_eq!(said, ["seen", "on-my-way", "safe"], "what was refused is not shown as said");
}

#[tokio::test]
async fn a_form_of_another_site_cannot_answer_and_a_silent_gateway_is_told() {
    let base = inbox("http://127.0.0.1:1").await;
    let url = format!("{base}/act/zhangmin/demo-000007/seen");
    let post = |kind: &'static str| client().unwrap().post(&url).header("content-type", kind).body("{}");
    assert_eq!(status(post("text/plain")).await, 415);
    let answer = post("application/json").send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 502);
    assert!(answer.text().await.unwrap().contains("gateway_unreachable"));
}

#[tokio::test]
async fn a_name_of_elsewhere_that_points_here_gets_nothing() {
    let base = inbox("http://127.0.0.1:1").await;
    for (host, expected) in [("localhost:1", 200), ("[::1]", 200), ("127.0.0.1", 200), ("evil.example", 421), ("", 421)]
    {
        let request = client().unwrap().get(format!("{base}/messages")).header("host", host);
        assert_eq!(status(request).await, expected, "{host}");
    }
}

#[tokio::test]
async fn the_page_needs_nothing_from_elsewhere_and_runs_no_script_of_its_own() {
    let base = inbox("http://127.0.0.1:1").await;
    for path in ["", "inbox.css", "inbox.js", "words.js"] {
        let answer = client().unwrap().get(format!("{base}/{path}")).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 200);
        assert!(answer.headers()["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'"));
        let text = answer.text().await.unwrap().replace("http://www.w3.org/2000/svg", "");
        let foreign = ["https://", "http://", "@import", "style=\"", "innerHTML"];
        assert!(foreign.iter().all(|word| !text.contains(word)), "{path}");
    }
    let page = include_str!("page.html");
    assert_eq!(page.matches("<script").count(), 1);
    assert!(page.contains(r#"<script type="module" src="inbox.js"></script>"#));
}

/// Both languages have every word, so that no bubble ever says `undefined`.
#[test]
fn both_languages_have_the_same_words() {
    let words = include_str!("words.js");
    let half = |name: &str| {
        let text = words.split(&format!("const {name} = {{")).nth(1).unwrap();
        let text = text.split("\n};").next().unwrap();
        // What stands before a colon, outside of texts.
        let bare: Vec<&str> = text.split('"').enumerate().filter(|(i, _)| i % 2 == 0).map(|(_, t)| t).collect();
        let mut keys: Vec<String> = bare
            .iter()
            .flat_map(|t| t.split([',', '{', '}', '[', ']', '\n', ' ']))
            .filter_map(|t| t.strip_suffix(':').filter(|t| !t.is_empty()).map(str::to_owned))
            .collect();
        keys.sort();
        keys
    };
    let (zh, en) = (half("zh"), half("en"));
    assert!(zh.len() > 90, "{}", zh.len());
    assert_eq!(zh, en);
}

#[test]
fn an_inbox_that_cannot_work_is_refused() {
    let good = InboxOptions {
        phones: Vec::new(),
        secret: SECRET.into(),
        api: "http://127.0.0.1:1".into(),
        console: String::new(),
        utc_offset_min: 0,
    };
    let table = [
        (InboxOptions { secret: "secret".into(), ..good.clone() }, InboxError::BadSecret),
        (InboxOptions { api: "127.0.0.1:1".into(), ..good.clone() }, InboxError::BadApi),
        (
            InboxOptions { phones: InboxOptions::demo_phones(["t\n".into(), String::new(), String::new()]), ..good },
            InboxError::BadToken,
        ),
    ];
    for (options, expected) in table {
        assert_eq!(router(options).map(|_| ()), Err(expected));
    }
}
