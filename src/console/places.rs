//! The pages beside the desk: the visits that are owed, homes to look after an outage, who is away, who is on duty, quarantine, the walk
//! test of a home, device health. What stands in them is made by their scripts.

use super::Shared;
use super::gate::Caller;
use super::pages::{Look, Script, brand, frame, language, other_language, page, way_out};
use super::words::{Lang, say};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, PreEscaped, html};

/// The pages that the desk leads to: address, symbol, name.
const LINKS: [(&str, &str, &str); 6] = [
    ("/visits", "phone", "nav.visits"),
    ("/outages", "house", "nav.outages"),
    ("/away", "away", "nav.away"),
    ("/duty", "person", "nav.duty"),
    ("/quarantine", "unclaimed", "nav.quarantine"),
    ("/health", "device", "nav.health"),
];

/// The ways to the other pages; `here` is the one that is looked at.
pub(super) fn links(lang: Lang, here: Option<&str>) -> Markup {
    html! {
        nav.places aria-label=(say(lang, "nav.pages")) {
            @for (path, symbol, name) in LINKS {
                a href=(path) aria-current=[(here == Some(path)).then_some("page")] title=(say(lang, name)) {
                    svg.symbol aria-hidden="true" { use href={ "#i-" (symbol) } {} }
                    span { (say(lang, name)) }
                }
            }
        }
    }
}

/// Whether a path is one of these pages: whoever signs in is sent nowhere else.
pub(super) fn is_place(path: &str) -> bool {
    let home = path.strip_prefix("/homes/").and_then(|rest| rest.strip_suffix("/walk-test"));
    let plain =
        |home: &str| home.bytes().all(|b| b.is_ascii_graphic() && !b"/\\?#\"<>".contains(&b)) && !home.is_empty();
    LINKS.iter().any(|(link, ..)| *link == path) || home.is_some_and(plain)
}

/// A path as the value of a query: what would mean something there is written out, the rest of it is plain.
pub(super) fn in_a_query(path: &str) -> String {
    path.replace('%', "%25").replace('&', "%26").replace('+', "%2B")
}

/// One of the pages.
struct Place<'a> {
    script: &'static str,
    title: &'static str,
    heading: &'static str,
    lead: Option<&'static str>,
    home: Option<&'a str>,
}

macro_rules! places {
    ($($name:ident $word:literal;)*) => {$(
        #[doc = concat!("`GET /", $word, "`")]
        pub(super) async fn $name(room: State<Shared>, look: Query<Look>, uri: Uri, headers: HeaderMap) -> Response {
            let place = Place {
                script: concat!($word, ".js"),
                title: concat!("title.", $word),
                heading: concat!("nav.", $word),
                lead: Some(concat!($word, ".lead")),
                home: None,
            };
            show(&room, &look, &uri, &headers, &place)
        }
    )*};
}

places! {
    quarantine "quarantine";
    health "health";
    outages "outages";
    away "away";
    duty "duty";
    visits "visits";
}

/// `GET /homes/{id}/walk-test`
pub(super) async fn walk(
    room: State<Shared>,
    Path(id): Path<String>,
    look: Query<Look>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let place = Place { script: "walk.js", title: "title.walk", heading: "nav.walk", lead: None, home: Some(&id) };
    show(&room, &look, &uri, &headers, &place)
}

fn show(room: &Shared, look: &Look, uri: &Uri, headers: &HeaderMap, place: &Place<'_>) -> Response {
    let Some(caller) = room.gate.caller(headers, room.tick()) else {
        return Redirect::to(&format!("/sign-in?next={}", in_a_query(uri.path()))).into_response();
    };
    let lang = language(look, headers);
    let script = Script::new(place.script, lang, &caller, place.home);
    page(
        look,
        StatusCode::OK,
        frame(lang, "beside", place.title, Some(&script), inside(lang, &caller, uri.path(), place)),
    )
}

fn inside(lang: Lang, caller: &Caller, path: &str, place: &Place<'_>) -> Markup {
    let s = |key| say(lang, key);
    html! {
        (PreEscaped(include_str!("assets/symbols.svg")))
        header.top {
            a.to-desk href="/" title=(s("nav.desk")) { (brand()) span.back-to { "‹ " (s("nav.desk")) } }
            (links(lang, Some(path)))
            time.clock id="clock" {}
            (other_language(lang, ""))
            (way_out(lang, caller))
        }
        a.calling id="calling" href="/" role="alert" hidden {}
        div.lost id="lost" role="alert" hidden {}
        main {
            h1 { (s(place.heading)) @if let Some(home) = place.home { " " span.code { (home) } span.place id="where" {} } }
            @if let Some(lead) = place.lead { p.lead { (s(lead)) } }
            div id="place" { p.loading { (s("loading")) } }
        }
        div.said id="polite" aria-live="polite" {}
        div.said id="urgent" aria-live="assertive" {}
        noscript { p.lost { (s("no_script")) } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_pages_are_places_to_return_to() {
        for path in ["/quarantine", "/health", "/homes/h0012/walk-test", "/homes/a%2Fb/walk-test"] {
            assert!(is_place(path), "{path}");
        }
        let foreign = [
            "",
            "/",
            "//evil.example",
            "https://evil.example",
            "/quarantine/",
            "/health?x",
            "/homes//walk-test",
            "/homes/a/b/walk-test",
            "/homes/\\evil/walk-test",
            "/homes/a b/walk-test",
            "/homes/室/walk-test",
            "/sign-out",
        ];
        for path in foreign {
            assert!(!is_place(path), "{path}");
        }
    }
}
