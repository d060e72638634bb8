//! Suppressions: who is away or in hospital, and where devices are under repair. Named by kind and home: `away:h0012`.

use super::alarms::{Asked, Wish, understood};
use super::devices::{AT_ONCE, Here, home_of, no_such_home, some_of, watched};
use super::gate::{Caller, Operator};
use super::problem::{Problem, read};
use super::{Open, Room, Shared};
use crate::engine::home::suppression::{LONGEST, Suppression, SuppressionKind, SuppressionRefusal, SuppressionView};
use crate::engine::id::{AlarmId, HomeId};
use crate::engine::input::SuppressionOrder;
use crate::engine::kind::AlarmKind;
use crate::engine::registry::Home;
use crate::engine::sealed::Sealed;
use crate::engine::time::Wall;
use crate::keeper::core::Core;
use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

/// The longest reason in bytes.
const MAX_REASON_BYTES: usize = 500;

/// A suppression with its home, as it is shown.
struct Row {
    home: HomeId,
    community: Option<Box<str>>,
    block: Option<Box<str>>,
    view: SuppressionView,
    reason: Option<Sealed<String>>,
    revision: i64,
    /// Open alarms of which nobody is told at present.
    open: Vec<AlarmKind>,
    /// The check that asks whether it holds, and the one that somebody stirs there.
    asks: Option<AlarmId>,
    stirs: Option<AlarmId>,
}

impl Row {
    fn of(core: &Core, number: u32, home: &Home, suppression: &Suppression) -> Row {
        let state = &core.homes[number as usize].state;
        let open = state.alarms.iter().map(|alarm| alarm.kind);
        let check = |kind| state.alarm(kind).map(|alarm| alarm.id.clone());
        Row {
            home: home.id.clone(),
            community: home.community.clone(),
            block: home.block.clone(),
            view: suppression.view(core.now()),
            reason: suppression.reason.clone(),
            revision: suppression.confirmed.wall.0,
            open: open.filter(|kind| suppression.kind.hides(*kind)).collect(),
            asks: check(AlarmKind::SuppressionCheck),
            stirs: check(AlarmKind::BackCheck).filter(|_| suppression.kind.is_absence()),
        }
    }

    /// Who stirs where nobody should comes first, then what is to be confirmed, then what ends first.
    fn rank(&self) -> (bool, bool, Wall, HomeId) {
        (self.stirs.is_none(), self.asks.is_none(), self.view.until, self.home.clone())
    }

    fn tag(&self) -> String {
        format!("\"{}\"", self.revision)
    }

    fn shown(&self, site: &Value, vault: &dyn Open) -> Value {
        let mut shown = json!(self.view);
        shown["id"] = format!("{}:{}", self.view.kind.name(), self.home).into();
        shown["home"] = json!(self.home);
        shown["site"] = site.clone();
        shown["community"] = json!(self.community);
        shown["block"] = json!(self.block);
        shown["reason"] = json!(self.reason.as_ref().and_then(|sealed| vault.note(&self.home, sealed)));
        shown["open"] = json!(self.open);
        shown["asks"] = json!(self.asks);
        shown["stirs"] = json!(self.stirs);
        shown
    }
}

/// `GET /api/v1/suppressions`
pub(super) async fn list(
    caller: Caller,
    State(room): State<Shared>,
    asked: Asked<Wish>,
) -> Result<Json<Value>, Problem> {
    let wish = understood(asked)?;
    let mut all: Vec<(Value, Row)> = Vec::new();
    for site in room.sites_of(wish.site.as_deref())? {
        let rows = some_of(site, some).await?;
        all.extend(rows.into_iter().map(|row| (json!(site.id), row)));
    }
    all.sort_by_cached_key(|(_, row)| row.rank());
    let total = all.len();
    all.truncate(wish.limit());
    let shown: Vec<Value> = all.iter().map(|(site, row)| row.shown(site, &*room.vault)).collect();
    tracing::info!(account = %caller.name, suppressions = shown.len(), "suppressions were read");
    Ok(Json(json!({"now": room.wall().utc(), "more": total > shown.len(), "total": total, "suppressions": shown})))
}

fn some(core: &Core, from: usize) -> Vec<Row> {
    let mut rows = Vec::with_capacity(AT_ONCE / 8);
    for (number, home) in watched(core, from) {
        let of_home = &core.homes[number as usize].state.suppressions;
        rows.extend(of_home.iter().map(|suppression| Row::of(core, number, home, suppression)));
    }
    rows
}

/// `GET /api/v1/suppressions/{id}`
pub(super) async fn one(_: Caller, State(room): State<Shared>, Path(id): Path<String>) -> Result<Response, Problem> {
    let (kind, here) = named(&room, &id).await?;
    let row = row_of(&room, &here, kind).await?.ok_or_else(not_set)?;
    Ok(answered(&room, &here, &row))
}

fn answered(room: &Room, here: &Here, row: &Row) -> Response {
    let shown = row.shown(&json!(room.sites[here.site].id), &*room.vault);
    ([(header::ETAG, row.tag())], Json(shown)).into_response()
}

async fn row_of(room: &Room, here: &Here, kind: SuppressionKind) -> Result<Option<Row>, Problem> {
    let wanted = here.home.clone();
    let look = move |core: &Core| {
        let number = core.number(&wanted)?;
        let home = core.site.registry.homes.get(&wanted)?;
        let mut of_home = core.homes.get(number as usize)?.state.suppressions.iter();
        of_home.find(|s| s.kind == kind).map(|s| Row::of(core, number, home, s))
    };
    Ok(room.sites[here.site].keeper.ask(look).await?)
}

/// The kind and the home of a suppression's name.
async fn named(room: &Room, id: &str) -> Result<(SuppressionKind, Here), Problem> {
    let (kind, home) = id.split_once(':').ok_or_else(bad_id)?;
    let kind = SuppressionKind::parse(kind).ok_or_else(bad_id)?;
    Ok((kind, home_of(room, home).await?))
}

fn bad_id() -> Problem {
    Problem::not_found(
        "no_such_suppression",
        "A suppression is named by its kind and its home: away:h0012, hospital:h0012, repair:h0012.",
    )
}

fn not_set() -> Problem {
    Problem::not_found("not_set", "No such suppression is in force: its time may be over, or somebody ended it.")
}

/// What may stand in the body.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    until: String,
    #[serde(default)]
    reason: String,
}

/// A time that stands in a body as `until`.
pub(super) fn when(until: &str) -> Result<Wall, Problem> {
    let at = until.parse::<jiff::Timestamp>().map(|at| Wall(at.as_millisecond()));
    at.map_err(|_| Problem::unfit("bad_body", "until is a time as 2026-03-01T06:00:00Z."))
}

/// `PUT /api/v1/suppressions/{id}`: sets it, or says that it holds on.
pub(super) async fn put(
    Operator(caller): Operator,
    State(room): State<Shared>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let said: Said = read(&body?)?;
    let until = when(&said.until)?;
    let (kind, here) = named(&room, &id).await?;
    let text = said.reason.trim();
    if text.len() > MAX_REASON_BYTES {
        return Err(Problem::unfit("bad_reason", format!("A reason has at most {MAX_REASON_BYTES} bytes.")));
    }
    is_as_seen(&room, &here, kind, &headers).await?;
    let seal = |text| room.vault.seal_note(&here.home, text).ok_or_else(super::alarms::not_sealed);
    let reason = if text.is_empty() { None } else { Some(seal(text)?) };
    tracing::info!(account = %caller.name, home = %here.home, "a suppression is set");
    let order = SuppressionOrder::Set { kind, until, reason };
    let done = room.sites[here.site].keeper.suppress(here.home.clone(), order, caller.name).await?;
    done.map_err(Problem::from)?;
    let row = row_of(&room, &here, kind).await?.ok_or_else(not_set)?;
    Ok(answered(&room, &here, &row))
}

/// `DELETE /api/v1/suppressions/{id}`: it is over; of people who were away, they are back.
pub(super) async fn end(
    Operator(caller): Operator,
    State(room): State<Shared>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    let (kind, here) = named(&room, &id).await?;
    is_as_seen(&room, &here, kind, &headers).await?;
    tracing::info!(account = %caller.name, home = %here.home, "a suppression is ended");
    let order = SuppressionOrder::End { kind };
    let done = room.sites[here.site].keeper.suppress(here.home, order, caller.name).await?;
    done.map(|()| StatusCode::NO_CONTENT).map_err(Problem::from)
}

/// Whoever states what they saw (`If-Match`) orders nothing where that has changed.
async fn is_as_seen(room: &Room, here: &Here, kind: SuppressionKind, headers: &HeaderMap) -> Result<(), Problem> {
    let Some(seen) = headers.get(header::IF_MATCH) else { return Ok(()) };
    let row = row_of(room, here, kind).await?;
    match row.is_some_and(|row| seen.as_bytes() == row.tag().as_bytes()) {
        true => Ok(()),
        false => Err(Problem::new(
            StatusCode::PRECONDITION_FAILED,
            "stale_revision",
            "It has changed since you looked: load it again and decide anew.",
        )),
    }
}

impl From<SuppressionRefusal> for Problem {
    fn from(refusal: SuppressionRefusal) -> Problem {
        match refusal {
            SuppressionRefusal::NoSuchHome => no_such_home(),
            SuppressionRefusal::NotSet => not_set(),
            SuppressionRefusal::BadEnd => {
                let days = LONGEST.as_secs() / 86_400;
                let detail = format!("until lies in the future, and at most {days} days ahead: set it again then.");
                Problem::unfit("bad_end", detail)
            }
        }
    }
}
