//! Where a caseworker opens the link of a notice: a page for a phone, and what it asks for.
//!
//! Opening the page changes and shows nothing: previews open links. Its script posts the token, which stands behind the `#` of the
//! link and so in no log. Whoever has the link sees the alarm, not who lives there; whoever then chooses their name among the
//! people of the link's channel and knows its PIN sees the home and acts, by the same acts as the desk. A link opens its alarm and
//! those of the same home, until it is closed or the link's time is over.
//!
//! **A channel of one person asks for the PIN too:** links are forwarded.

mod shown;
mod tries;

use super::alarms::{Wanted, carry_out, minutes, safe_how};
use super::gate::{Peer, cookie};
use super::guard::from_our_page;
use super::pages::{Look, Script, brand, frame, is_secure, language, other_language, page};
use super::problem::{Problem, read};
use super::words::say;
use super::{Shared, Site};
use crate::config::pin;
use crate::engine::alarm::Act;
use crate::engine::id::{AlarmId, HomeId, ResponderId};
use crate::wire::respond::{BADGE_LASTS, BadLink, Scope};
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Json, http};
use maud::{PreEscaped, html};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use shown::{Person, Record, Sight};
use std::sync::Arc;
use tokio::sync::Semaphore;
pub(super) use tries::Tries;
pub(super) use tries::{address, too_many};

/// The cookie of whoever has said who they are.
const COOKIE: &str = "hearthwatch_respond";
/// PINs that are checked at once: each keeps a processor busy for a while.
const CHECKS: usize = 2;

/// What the page's handlers keep between requests: counts alone.
pub(super) struct Porch {
    pub(super) tries: Tries,
    checks: Semaphore,
}

impl Default for Porch {
    fn default() -> Porch {
        Porch { tries: Tries::default(), checks: Semaphore::new(CHECKS) }
    }
}

/// The texts that the page's script needs, by how their keys begin.
const WORDS: &[&str] = &[
    "respond.",
    "refused.",
    "kind.",
    "priority.",
    "how.",
    "progress.",
    "mark.",
    "mobility.",
    "trait.",
    "hours.",
    "days.",
    "card",
    "detail.",
    "consent.",
    "call",
    "age",
    "floor",
    "gate_code",
    "gateway",
    "several_homes",
    "unclaimed",
    "keyholder",
    "inner_bolt",
    "dog",
    "due",
    "loading",
];

/// `GET /r`: the same for everybody, whatever stands behind the `#`.
pub(super) async fn open(Query(look): Query<Look>, headers: HeaderMap) -> Response {
    let lang = language(&look, &headers);
    let s = |key| say(lang, key);
    let script = Script::of("respond.js", lang, WORDS);
    let inside = html! {
        (PreEscaped(include_str!("assets/symbols.svg")))
        header.top { (brand()) (other_language(lang, "")) }
        div.line id="line" role="alert" hidden {}
        main id="page" { p.loading { (s("loading")) } }
        div.bar id="bar" aria-live="polite" hidden {}
        noscript { p.lost { (s("respond.no_script")) } }
    };
    let mut response = page(&look, StatusCode::OK, frame(lang, "respond", "respond.title", Some(&script), inside));
    response.headers_mut().insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

/// A body as it was understood. Only our own page posts here.
fn said<T: DeserializeOwned>(headers: &HeaderMap, body: Result<Bytes, BytesRejection>) -> Result<(T, Bytes), Problem> {
    if !from_our_page(headers) {
        return Err(Problem::forbidden("foreign_origin", "Open the link of the notice, and act on its page."));
    }
    let body = body?;
    let said = read(&body)?;
    Ok((said, body))
}

/// A link that somebody came by.
struct Visit {
    scope: Scope,
    site: Site,
    home: HomeId,
    sight: Sight,
}

impl Visit {
    /// Opens a link: what it shows is as of now.
    async fn of(room: &Shared, token: &str, from: &str) -> Result<Visit, Problem> {
        let scope = room.links.scope(token, room.wall()).map_err(|bad| bad_link(room, bad, from))?;
        let site = room.site(&scope.alarm().site).cloned().ok_or_else(|| bad_link(room, BadLink::Forged, from))?;
        let visits = room.porch.tries.visits.take(&scope.notice.to_string(), room.tick());
        visits.map_err(|wait| too_many("too_many_visits", "This link is asked for too often; wait a little.", wait))?;
        let Some(own) = room.board.get(scope.alarm()) else {
            return Err(with_desk(room, closed(), Some(&scope)));
        };
        let home = own.home.id.clone();
        let same = |shown: &Arc<super::Shown>| shown.home.id == home && shown.home.site == own.home.site;
        let shown = |shown: &Arc<super::Shown>| shown.hidden_by.is_none() || shown.alarm.id == own.alarm.id;
        let case: Vec<_> = room.board.open().into_iter().filter(|one| same(one) && shown(one)).collect();
        let (of, channel, asked) = (home.clone(), scope.channel.clone(), case.clone());
        let record = site.keeper.ask(move |core| Record::of(core, &of, &channel, &asked)).await?;
        let sight = Sight::new(case, record, &*room.vault);
        Ok(Visit { scope, site, home, sight })
    }

    /// Who asks, where the badge is of a person whom the link's channel reaches.
    fn me(&self, room: &Shared, headers: &HeaderMap) -> Option<&Person> {
        let badge = cookie(headers, COOKIE)?;
        let worn = room.links.wearer(badge, room.wall(), |wearer| {
            let person = self.sight.person(&wearer.responder).filter(|_| wearer.site == self.site.id)?;
            (!person.details.pin.is_empty()).then(|| person.details.pin.clone())
        });
        self.sight.person(&worn?.responder)
    }

    /// What the page gets. Each time that somebody is given what is personal, it is written into the log, without the data itself.
    fn shown(&self, room: &Shared, me: Option<&Person>, personal: bool) -> Value {
        let mut shown = self.sight.anybody();
        shown["now"] = room.wall().utc().into();
        shown["number"] = self.scope.alarm().short().into();
        shown["until"] = self.scope.until.utc().into();
        shown["desk_phone"] = json!(self.site.desk_phone);
        let Some(me) = me else { return shown };
        shown["known"] = self.sight.known(me);
        if personal {
            let (alarm, channel, home) = (self.scope.alarm(), &self.scope.channel, &self.home);
            tracing::info!(responder = %me.id, %home, %alarm, %channel, "personal data was read by a notice's link");
            shown["personal"] = self.sight.personal(&*room.vault);
        }
        shown
    }
}

fn closed() -> Problem {
    let detail =
        "This alarm is closed: there is nothing left to do by this link. If somebody still needs help, call the desk.";
    Problem::new(StatusCode::GONE, "link_used_up", detail)
}

fn bad_link(room: &Shared, bad: BadLink, from: &str) -> Problem {
    match bad {
        BadLink::Expired(scope) => {
            let detail = "The time of this link is over. Open the latest notice of this alarm, or call the desk and say the number.";
            with_desk(room, Problem::new(StatusCode::GONE, "link_expired", detail), Some(&scope))
        }
        BadLink::Forged => {
            metrics::counter!("hearthwatch_respond_forged_total").increment(1);
            if let Err(wait) = room.porch.tries.strangers.take(from, room.tick()) {
                return too_many(
                    "too_many_tries",
                    "Too many wrong links or PINs came from here; wait, or call the desk.",
                    wait,
                );
            }
            let detail = "This link is not whole or is none of ours. Open it from the notice itself, or call the desk.";
            with_desk(room, Problem::forbidden("link_forged", detail), None)
        }
    }
}

/// Adds what a person does whom the link does not help: whom to call, and the number to say.
fn with_desk(room: &Shared, problem: Problem, scope: Option<&Scope>) -> Problem {
    let site = match scope {
        Some(scope) => room.site(&scope.alarm().site),
        // Whose link it was is not known; where there is one desk it is that.
        None => room.sites.first().filter(|_| room.sites.len() == 1),
    };
    let problem = match site.and_then(|site| site.desk_phone.clone()) {
        Some(phone) => problem.with("desk_phone", phone),
        None => problem,
    };
    scope.map_or_else(|| problem.clone(), |scope| problem.clone().with("number", scope.alarm().short()))
}

/// What a look asks for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Looked {
    token: String,
    /// Who lives there and how one gets in, too.
    #[serde(default)]
    personal: bool,
}

/// `POST /r/look`
pub(super) async fn look(
    State(room): State<Shared>,
    peer: Peer,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, Problem> {
    let (asked, _) = said::<Looked>(&headers, body)?;
    let visit = Visit::of(&room, &asked.token, &address(&headers, &peer)).await?;
    let me = visit.me(&room, &headers);
    Ok(Json(visit.shown(&room, me, asked.personal)))
}

/// Who somebody says to be. No `Debug`: it holds a PIN.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Identity {
    token: String,
    who: ResponderId,
    pin: String,
}

/// `POST /r/identify`
pub(super) async fn identify(
    State(room): State<Shared>,
    peer: Peer,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let (identity, _) = said::<Identity>(&headers, body)?;
    let from = address(&headers, &peer);
    let visit = Visit::of(&room, &identity.token, &from).await?;
    let Some(person) = visit.sight.person(&identity.who) else {
        let detail = "The notice of this link was not for this person. Choose a name of the list.";
        return Err(Problem::forbidden("not_of_this_channel", detail));
    };
    if person.details.pin.is_empty() {
        let detail = "This person has no PIN yet: call the desk. An administrator sets it with the registry.";
        return Err(with_desk(&room, Problem::new(StatusCode::CONFLICT, "no_pin", detail), Some(&visit.scope)));
    }
    if !fits(&room, &visit, person, identity.pin.trim(), &from).await? {
        metrics::counter!("hearthwatch_respond_wrong_pins_total").increment(1);
        tracing::warn!(responder = %person.id, %from, "a wrong PIN");
        return Err(Problem::forbidden(
            "wrong_pin",
            "The PIN is wrong. After five wrong ones it is locked for a while.",
        ));
    }
    tracing::info!(responder = %person.id, channel = %visit.scope.channel, %from, "said who it is, by a notice's link");
    let badge = room.links.badge(&visit.site.id, &person.id, &person.details.pin, room.wall());
    let shown = visit.shown(&room, Some(person), true);
    Ok((set_badge(&headers, &badge, BADGE_LASTS.as_secs()), Json(shown)).into_response())
}

/// Whether a PIN is the person's. Counted before it is looked at, for the person and for the address.
async fn fits(room: &Shared, visit: &Visit, person: &Person, pin: &str, from: &str) -> Result<bool, Problem> {
    let (tries, now) = (&room.porch.tries, room.tick());
    let key = format!("{}\n{}", visit.site.id, person.id);
    let locked = |wait| {
        metrics::counter!("hearthwatch_respond_locked_total").increment(1);
        tracing::warn!(responder = %person.id, %from, "locked: too many wrong PINs; somebody may be guessing");
        let detail = "Too many wrong PINs: it is locked for a while. Call the desk; somebody else of the group may act meanwhile.";
        with_desk(room, too_many("locked", detail, wait), Some(&visit.scope))
    };
    tries.pins.take(&key, now).map_err(locked)?;
    tries.strangers.take(from, now).map_err(locked)?;
    let busy = || Problem::unavailable("busy", "Too many PINs are being checked; try again.");
    let _one = room.porch.checks.acquire().await.map_err(|_| busy())?;
    let (pin, kept) = (pin.to_owned(), person.details.pin.clone());
    let fits = tokio::task::spawn_blocking(move || pin::fits(&pin, &kept)).await.map_err(|_| busy())?;
    if fits {
        tries.pins.forget(&key);
        tries.strangers.forget(from);
    }
    Ok(fits)
}

/// `POST /r/leave`: the phone is somebody else's now.
pub(super) async fn leave(headers: HeaderMap) -> Result<Response, Problem> {
    if !from_our_page(&headers) {
        return Err(Problem::forbidden("foreign_origin", "Only the page itself signs out."));
    }
    Ok((StatusCode::NO_CONTENT, set_badge(&headers, "", 0)).into_response())
}

/// The badge's cookie: for these paths alone, out of reach of scripts, sent by our own page only, and over TLS where there is TLS.
fn set_badge(headers: &HeaderMap, badge: &str, seconds: u64) -> [(http::HeaderName, String); 1] {
    let secure = if is_secure(headers) { "; Secure" } else { "" };
    [(header::SET_COOKIE, format!("{COOKIE}={badge}; Path=/r; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}"))]
}

/// A button that was pressed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pressed {
    token: String,
    /// One of the home's open alarms.
    alarm: String,
    /// What the person saw of it.
    revision: u32,
    minutes: Option<u32>,
    how: Option<String>,
}

/// What stands in an alarm's story when the resident was reached by phone and needs help.
const NEEDS_HELP: &str = "电话接通，老人需要帮助 · reached by phone: needs help";

/// What a button stands for: an act of the desk's own.
fn wanted(button: &str, pressed: &Pressed) -> Result<Wanted, Problem> {
    Ok(Wanted::Act(match button {
        "on-my-way" => Act::OnMyWay { minutes: minutes(pressed.minutes)? },
        "on-site" => Act::OnSite,
        "safe" => Act::Safe(safe_how(pressed.how.as_deref())?),
        "no-answer" => Act::NoAnswer,
        "no-access" => Act::NoAccess,
        "cannot" => Act::Cannot,
        // It is no act of its own: what it calls for is to go there, or 120.
        "needs-help" => return Ok(Wanted::Note(NEEDS_HELP.to_owned())),
        _ => {
            let detail = "There are on-my-way, on-site, safe, no-answer, no-access, cannot and needs-help.";
            return Err(Problem::not_found("no_such_act", detail));
        }
    }))
}

/// `POST /r/act/{button}`
pub(super) async fn act(
    State(room): State<Shared>,
    peer: Peer,
    Path(button): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, Problem> {
    let (pressed, body) = said::<Pressed>(&headers, body)?;
    let wanted = wanted(&button, &pressed)?;
    let visit = Visit::of(&room, &pressed.token, &address(&headers, &peer)).await?;
    let me = visit.me(&room, &headers).ok_or_else(|| {
        Problem::forbidden("not_identified", "Say first who you are: choose your name and type your PIN.")
    })?;
    let elsewhere = || Problem::not_found("not_of_this_home", "This alarm is closed, or is not of this home.");
    let id: AlarmId = pressed.alarm.parse().map_err(|_| elsewhere())?;
    if !visit.sight.case.iter().any(|shown| shown.alarm.id == id) {
        return Err(elsewhere());
    }
    let by = me.id.clone();
    let of = (format!("respond {} {by}", visit.site.id), format!("{id}/{button}"));
    let work = {
        let (room, id, by) = (room.clone(), id.clone(), by.clone());
        // A note rests on nothing that could have changed meanwhile.
        let revision = (!matches!(wanted, Wanted::Note(_))).then_some(pressed.revision);
        async move { carry_out(&room, id, wanted, by, revision).await }
    };
    let answer = room.answers.keyed(of, &headers, &body, work).await?;
    tracing::info!(responder = %by, alarm = %id, button, "acted by a notice's link");
    Ok(Json(answer))
}
