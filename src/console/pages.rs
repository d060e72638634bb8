//! The pages: sign-in, the console's frame, and the files they need. What moves on the page is made by `assets/console.js`.

use super::gate::{COOKIE, Caller, Peer, cookie};
use super::guard::from_our_page;
use super::problem::Problem;
use super::words::{self, Lang, say};
use super::{Shared, places};
use crate::config::Role;
use crate::engine::kind::{AlarmKind, Kind, Priority, Shape};
use axum::extract::rejection::FormRejection;
use axum::extract::{Form, Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";

/// Everything that a page loads: name, type, contents. Nothing comes from elsewhere.
const ASSETS: [(&str, &str, &str); 23] = [
    ("console.css", CSS, include_str!("assets/console.css")),
    ("places.css", CSS, include_str!("assets/places.css")),
    ("respond.css", CSS, include_str!("assets/respond.css")),
    ("respond.js", JS, include_str!("assets/respond.js")),
    ("home.js", JS, include_str!("assets/home.js")),
    ("place.js", JS, include_str!("assets/place.js")),
    ("quarantine.js", JS, include_str!("assets/quarantine.js")),
    ("walk.js", JS, include_str!("assets/walk.js")),
    ("outages.js", JS, include_str!("assets/outages.js")),
    ("away.js", JS, include_str!("assets/away.js")),
    ("channels.js", JS, include_str!("assets/channels.js")),
    ("duty.js", JS, include_str!("assets/duty.js")),
    ("visits.js", JS, include_str!("assets/visits.js")),
    ("health.js", JS, include_str!("assets/health.js")),
    ("phones.js", JS, include_str!("assets/phones.js")),
    ("console.js", JS, include_str!("assets/console.js")),
    ("dom.js", JS, include_str!("assets/dom.js")),
    ("feed.js", JS, include_str!("assets/feed.js")),
    ("acts.js", JS, include_str!("assets/acts.js")),
    ("cases.js", JS, include_str!("assets/cases.js")),
    ("detail.js", JS, include_str!("assets/detail.js")),
    ("bell.js", JS, include_str!("assets/bell.js")),
    ("icon.svg", "image/svg+xml", include_str!("assets/icon.svg")),
];

/// `GET /assets/{name}`
pub(super) async fn asset(Path(name): Path<String>) -> Result<Response, Problem> {
    let none = || Problem::not_found("no_such_path", "There is no such file.");
    let (_, kind, text) = ASSETS.iter().find(|(n, ..)| *n == name).ok_or_else(none)?;
    Ok(([(header::CONTENT_TYPE, *kind), (header::CACHE_CONTROL, "no-cache")], *text).into_response())
}

/// `GET /api/openapi.json`
pub(super) async fn openapi() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], include_str!("openapi.json"))
}

/// What a page's address may ask for.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Look {
    pub lang: Option<String>,
    /// Where to go once signed in.
    next: Option<String>,
}

/// The language of a page: the one asked for, the one asked for before, the browser's, Chinese.
pub(super) fn language(look: &Look, headers: &HeaderMap) -> Lang {
    let asked = look.lang.as_deref().or_else(|| cookie(headers, "lang")).and_then(Lang::parse);
    let browser =
        || headers.get(header::ACCEPT_LANGUAGE).and_then(|v| v.to_str().ok()).map_or(Lang::Zh, Lang::accepted);
    asked.unwrap_or_else(browser)
}

/// A page, and the language remembered where the address asked for one.
pub(super) fn page(look: &Look, status: StatusCode, body: Markup) -> Response {
    let mut response = (status, Html(body.into_string())).into_response();
    if let Some(lang) = look.lang.as_deref().and_then(Lang::parse) {
        let remember = format!("lang={}; Path=/; Max-Age=31536000; SameSite=Lax", lang.code());
        response.headers_mut().extend(HeaderValue::try_from(remember).map(|value| (header::SET_COOKIE, value)));
    }
    response
}

/// What a page's script works with.
pub(super) struct Script {
    pub file: &'static str,
    words: String,
    me: String,
    meta: String,
}

impl Script {
    /// A script with every word, who looks, and the tables of kinds; `home` where the page is about one.
    pub fn new(file: &'static str, lang: Lang, caller: &Caller, home: Option<&str>) -> Script {
        let words: Map<String, Value> =
            words::all().map(|(key, ..)| ((*key).to_owned(), say(lang, key).into())).collect();
        let me = json!({"name": caller.name, "acts": caller.role >= Role::Operator, "lang": lang.tag()});
        let kinds: Vec<Value> =
            AlarmKind::ALL.iter().map(|kind| json!([kind.name(), kind.priority().name()])).collect();
        let unit = |kind: &Kind| if let Shape::Number(unit) = kind.shape() { Some((kind.name(), unit)) } else { None };
        let units: BTreeMap<&str, &str> = Kind::ALL.iter().filter_map(unit).collect();
        let meta =
            json!({"kinds": kinds, "priorities": Priority::ALL.map(Priority::name), "units": units, "home": home});
        Script { file, words: Value::Object(words).to_string(), me: me.to_string(), meta: meta.to_string() }
    }

    /// A script of a page that nobody has signed in to, with the words that begin so and no others: a phone may be far from anywhere.
    pub fn of(file: &'static str, lang: Lang, families: &[&str]) -> Script {
        let wanted = |key: &str| families.iter().any(|family| key.starts_with(family));
        let words =
            words::all().filter(|(key, ..)| wanted(key)).map(|(key, ..)| ((*key).to_owned(), say(lang, key).into()));
        let words = Value::Object(words.collect()).to_string();
        Script { file, words, me: json!({"lang": lang.tag()}).to_string(), meta: "{}".to_owned() }
    }
}

pub(super) fn frame(lang: Lang, class: &str, title: &'static str, script: Option<&Script>, inside: Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang=(lang.tag()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover";
                meta name="color-scheme" content="light dark";
                title { (say(lang, title)) }
                link rel="icon" href="/assets/icon.svg" type="image/svg+xml";
                link rel="stylesheet" href="/assets/console.css";
                @if class == "respond" { link rel="stylesheet" href="/assets/respond.css"; }
                @if class == "beside" { link rel="stylesheet" href="/assets/places.css"; }
                @if let Some(script) = script { script type="module" src={ "/assets/" (script.file) } {} }
            }
            body class=(class) data-words=[script.map(|s| &s.words)] data-me=[script.map(|s| &s.me)] data-meta=[script.map(|s| &s.meta)] {
                (inside)
            }
        }
    }
}

pub(super) fn brand() -> Markup {
    html! {
        span.brand {
            svg.mark viewBox="0 0 24 24" aria-hidden="true" { path d="M4 21V10.5L12 4l8 6.5V21h-5.2v-5.2a2.8 2.8 0 0 0-5.6 0V21z" {} }
            b { "守望" } span { "Hearthwatch" }
        }
    }
}

/// The way to the page in the other language; `more` goes along in its address.
pub(super) fn other_language(lang: Lang, more: &str) -> Markup {
    html! { a.lang href={ "?lang=" (lang.other().code()) (more) } hreflang=(lang.other().tag()) lang=(lang.other().tag()) { (lang.other().name()) } }
}

/// Who is signed in, and the way out.
pub(super) fn way_out(lang: Lang, caller: &Caller) -> Markup {
    html! {
        form.out method="post" action="/sign-out" {
            span.who { (caller.name) }
            button.chip type="submit" title=(caller.name) { (say(lang, "sign_out")) }
        }
    }
}

/// `GET /`
pub(super) async fn console(State(room): State<Shared>, Query(look): Query<Look>, headers: HeaderMap) -> Response {
    let Some(caller) = room.gate.caller(&headers, room.tick()) else { return Redirect::to("/sign-in").into_response() };
    let lang = language(&look, &headers);
    let script = Script::new("console.js", lang, &caller, None);
    page(&look, StatusCode::OK, frame(lang, "console", "title", Some(&script), desk(lang, &caller)))
}

fn desk(lang: Lang, caller: &Caller) -> Markup {
    let s = |key| say(lang, key);
    html! {
        (PreEscaped(include_str!("assets/symbols.svg")))
        a.skip href="#cases" { (s("skip")) }
        header.top {
            (brand())
            div.counts id="counts" {}
            div.parts id="parts" {}
            time.clock id="clock" {}
            button.chip id="sound" type="button" aria-pressed="false" {}
            (places::links(lang, None))
            (other_language(lang, ""))
            (way_out(lang, caller))
        }
        div.lost id="lost" role="alert" hidden {}
        main {
            section.cases id="cases" aria-label=(s("open_alarms")) tabindex="-1" { p.loading { (s("loading")) } }
            aside.detail id="detail" aria-label=(s("detail")) {}
        }
        footer.keys { (s("keys")) }
        div.said id="polite" aria-live="polite" {}
        div.said id="urgent" aria-live="assertive" {}
        noscript { p.lost { (s("no_script")) } }
    }
}

/// `GET /sign-in`
pub(super) async fn sign_in(State(room): State<Shared>, Query(look): Query<Look>, headers: HeaderMap) -> Response {
    if room.gate.caller(&headers, room.tick()).is_some() && look.lang.is_none() {
        return Redirect::to(next(&look)).into_response();
    }
    door(&look, &headers, StatusCode::OK, None, "")
}

/// Where whoever has signed in goes: only to pages of our own.
fn next(look: &Look) -> &str {
    look.next.as_deref().filter(|path| places::is_place(path)).unwrap_or("/")
}

fn door(look: &Look, headers: &HeaderMap, status: StatusCode, wrong: Option<&'static str>, name: &str) -> Response {
    let lang = language(look, headers);
    let s = |key| say(lang, key);
    let back = next(look);
    let more = if back == "/" { String::new() } else { format!("&next={}", places::in_a_query(back)) };
    let inside = html! {
        main.door {
            (brand())
            p.motto { (s("motto")) }
            form method="post" action="/sign-in" {
                @if let Some(wrong) = wrong { p.wrong role="alert" { (s(wrong)) } }
                label for="name" { (s("account")) }
                input id="name" name="name" value=(name) required autocomplete="username" autocapitalize="none" spellcheck="false" autofocus;
                label for="token" { (s("token")) }
                input id="token" name="token" type="password" required autocomplete="current-password";
                @if back != "/" { input type="hidden" name="next" value=(back); }
                button.primary type="submit" { (s("sign_in")) }
            }
            (other_language(lang, &more))
        }
    };
    page(look, status, frame(lang, "sign-in", "title", None, inside))
}

/// What the sign-in form sends.
#[derive(Deserialize)]
pub(super) struct SignIn {
    name: String,
    token: String,
    next: Option<String>,
}

/// `POST /sign-in`
pub(super) async fn signed_in(
    State(room): State<Shared>,
    Peer(peer): Peer,
    headers: HeaderMap,
    form: Result<Form<SignIn>, FormRejection>,
) -> Response {
    let Ok(Form(form)) = form else {
        return door(&Look::default(), &headers, StatusCode::UNPROCESSABLE_ENTITY, Some("wrong.form"), "");
    };
    let look = Look { lang: None, next: form.next };
    if !from_our_page(&headers) {
        return door(&look, &headers, StatusCode::FORBIDDEN, Some("wrong.origin"), &form.name);
    }
    match room.gate.sign_in(form.name.trim(), form.token.trim(), peer, room.tick()) {
        Ok(secret) => {
            tracing::info!(account = form.name.trim(), "signed in");
            (set_session(&headers, &secret, ""), Redirect::to(next(&look))).into_response()
        }
        Err(problem) if problem.reason() == "too_many_sign_ins" => {
            door(&look, &headers, StatusCode::TOO_MANY_REQUESTS, Some("wrong.often"), &form.name)
        }
        Err(_) => door(&look, &headers, StatusCode::UNAUTHORIZED, Some("wrong.sign_in"), &form.name),
    }
}

/// `POST /sign-out`
pub(super) async fn sign_out(caller: Caller, State(room): State<Shared>, headers: HeaderMap) -> Response {
    room.gate.sign_out(&caller);
    (set_session(&headers, "", "; Max-Age=0"), Redirect::to("/sign-in")).into_response()
}

/// Whether a proxy says that there is TLS before it.
pub(super) fn is_secure(headers: &HeaderMap) -> bool {
    headers.get("x-forwarded-proto").is_some_and(|proto| proto == "https")
}

/// The session's cookie: for this host alone, out of reach of scripts, sent by our own pages only, and over TLS where a proxy says
/// that there is TLS.
fn set_session(headers: &HeaderMap, secret: &str, more: &str) -> [(header::HeaderName, String); 1] {
    let secure = if is_secure(headers) { "; Secure" } else { "" };
    [(header::SET_COOKIE, format!("{COOKIE}={secret}; Path=/; HttpOnly; SameSite=Strict{secure}{more}"))]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documents_list_is_the_routers_list() {
        let document: Value = serde_json::from_str(include_str!("openapi.json")).unwrap();
        let mut listed: Vec<(String, String)> = Vec::new();
        for (path, methods) in document["paths"].as_object().unwrap() {
            for (method, what) in methods.as_object().unwrap() {
                assert!(what["summary"].as_str().is_some_and(|s| !s.is_empty()), "{method} {path} says what it does");
                assert!(
                    what["responses"].as_object().is_some_and(|r| !r.is_empty()),
                    "{method} {path} says what it gives"
                );
                let named: Vec<&str> = path.split('/').filter_map(|p| p.strip_prefix('{')?.strip_suffix('}')).collect();
                let given = what["parameters"].as_array().into_iter().flatten();
                let given: Vec<_> = given.filter(|p| p["in"] == "path").filter_map(|p| p["name"].as_str()).collect();
                assert_eq!(named, given, "{method} {path} describes its parameters");
                listed.push((path.clone(), method.clone()));
            }
        }
        let mut served: Vec<(String, String)> = Vec::new();
        for (path, methods, _) in super::super::routes() {
            served.extend(methods.iter().map(|m| (path.to_owned(), (*m).to_owned())));
        }
        listed.sort();
        served.sort();
        assert_eq!(listed, served);
    }

    #[test]
    fn a_page_is_chinese_unless_somebody_wants_english() {
        let cases = [
            (None, None, None, Lang::Zh),
            (None, None, Some("zh-CN,zh;q=0.9,en;q=0.8"), Lang::Zh),
            (None, None, Some("en-GB,en;q=0.9,zh;q=0.8"), Lang::En),
            (None, None, Some("fr-FR,en;q=0.5"), Lang::En),
            (None, None, Some("de-DE"), Lang::Zh),
            (None, Some("lang=en"), Some("zh"), Lang::En),
            (Some("zh"), Some("lang=en"), Some("en"), Lang::Zh),
            (Some("xx"), None, Some("en"), Lang::En),
        ];
        for (asked, before, browser, expected) in cases {
            let mut headers = HeaderMap::new();
            before.map(|v| headers.insert(header::COOKIE, HeaderValue::from_static(v)));
            browser.map(|v| headers.insert(header::ACCEPT_LANGUAGE, HeaderValue::from_static(v)));
            let look = Look { lang: asked.map(str::to_owned), next: None };
            assert_eq!(language(&look, &headers), expected, "{asked:?} {before:?} {browser:?}");
        }
    }
}
