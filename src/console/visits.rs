//! The visits that are owed, as a list for each caseworker: due, missed, done. Named by kind and home: `online:h0012`.

use super::alarms::{Asked, PAGE, understood};
use super::cold_waves::lying_on;
use super::devices::{Here, home_of, no_such_home, some_of, watched};
use super::gate::{Caller, Operator};
use super::outages::{is_frail, residents_of};
use super::problem::{Problem, read};
use super::{Room, Shared};
use crate::engine::alarm::Alarm;
use crate::engine::home::care::{VisitKind, VisitOutcome, VisitRefusal, VisitState, VisitView, view};
use crate::engine::home::cooling::coldest;
use crate::engine::id::{AlarmId, HomeId, ResponderId};
use crate::engine::kind::AlarmKind;
use crate::engine::registry::{Home, Resident};
use crate::engine::time::Wall;
use crate::keeper::core::Core;
use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// What a query may ask for.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Which {
    site: Option<String>,
    caseworker: Option<String>,
    state: Option<String>,
    limit: Option<usize>,
}

impl Which {
    /// The states that are wanted; none: all.
    fn states(&self) -> Result<Option<VisitState>, Problem> {
        match self.state.as_deref() {
            None | Some("all") => Ok(None),
            Some("due") => Ok(Some(VisitState::Due)),
            Some("missed") => Ok(Some(VisitState::Missed)),
            Some("done") => Ok(Some(VisitState::Done)),
            Some(_) => Err(Problem::unfit("bad_query", "state is due, missed, done or all.")),
        }
    }
}

/// What decides whose visit comes first.
#[derive(Debug, Clone, PartialEq)]
struct Risk {
    sos_cover: bool,
    /// The coldest room, °C.
    temperature: Option<f64>,
    /// It stands on the list of cold homes, or would.
    cold: bool,
    co_cover: bool,
    frail: bool,
}

/// A home's visit of one kind, as it is shown.
struct Row {
    home: HomeId,
    community: Option<Box<str>>,
    block: Option<Box<str>>,
    caseworker: Option<ResponderId>,
    view: VisitView,
    risk: Risk,
    /// The alarm of what is due or missed.
    alarm: Option<AlarmId>,
    residents: Vec<Resident>,
}

impl Row {
    fn of(core: &Core, number: u32, home: &Home, view: VisitView) -> Row {
        let (slot, now) = (&core.homes[number as usize], core.now());
        let open = |kind| slot.state.alarm(kind);
        let temperature = coldest(&slot.state, now);
        let listed = [AlarmKind::Cold, AlarmKind::ColdCheck].into_iter().filter_map(open).any(Alarm::lasts);
        let cold = listed || temperature.is_some_and(|degrees| degrees < f64::from(slot.policy.rules.cold_check_c));
        let alarm = open(AlarmKind::VisitMissed).or_else(|| open(AlarmKind::VisitDue)).map(|alarm| alarm.id.clone());
        let (sos_cover, co_cover) = (slot.state.has_sos_cover(now), slot.state.has_co_cover(now));
        Row {
            home: home.id.clone(),
            community: home.community.clone(),
            block: home.block.clone(),
            caseworker: home.caseworker.clone(),
            view,
            risk: Risk { sos_cover, temperature, cold, co_cover, frail: false },
            alarm,
            residents: Vec::new(),
        }
    }

    /// The smaller, the sooner: what is open before what is done; who cannot call, who is cold, the colder first; who is frail; then
    /// the deadline.
    fn rank(&self) -> (bool, bool, bool, i32, bool, Option<Wall>, HomeId, VisitKind) {
        let (risk, done) = (&self.risk, self.view.state == Some(VisitState::Done));
        // A float beyond the integer's range ends at its bound.
        let degrees = risk.temperature.filter(|_| risk.cold).map_or(0, |degrees| (degrees * 10.0) as i32);
        let (home, kind) = (self.home.clone(), self.view.kind);
        (done, risk.sos_cover, !risk.cold, degrees, !risk.frail, self.view.due, home, kind)
    }

    fn shown(&self, site: &Value) -> Value {
        let (mut shown, risk) = (json!(self.view), &self.risk);
        let done = self.view.state == Some(VisitState::Done);
        let more = json!({
            "id": format!("{}:{}", self.view.kind.name(), self.home), "home": self.home, "site": site,
            "community": self.community, "block": self.block, "caseworker": self.caseworker,
            "done_at": if done { shown["last_at"].clone() } else { Value::Null },
            "sos_cover": risk.sos_cover, "temperature": risk.temperature, "cold": risk.cold, "co_cover": risk.co_cover,
            "frail": risk.frail, "alarm": self.alarm,
        });
        if let (Value::Object(shown), Value::Object(more)) = (&mut shown, more) {
            shown.extend(more);
        }
        shown
    }
}

/// `GET /api/v1/visits`
pub(super) async fn list(
    caller: Caller,
    State(room): State<Shared>,
    asked: Asked<Which>,
) -> Result<Json<Value>, Problem> {
    let which = understood(asked)?;
    let state = which.states()?;
    let (mut all, mut waves, mut people) = (Vec::new(), Vec::new(), BTreeMap::new());
    for site in room.sites_of(which.site.as_deref())? {
        let id = json!(site.id);
        waves.push(json!({"site": id, "cold_wave": lying_on(site).await?}));
        let mut rows = some_of(site, some).await?;
        let known: BTreeSet<ResponderId> = rows.iter().filter_map(|row| row.caseworker.clone()).collect();
        people.extend(caseworkers(&room, site, known).await?);
        rows.retain(|row| which.caseworker.as_deref().is_none_or(|one| is_of(row, one)));
        all.extend(rows.into_iter().map(|mut row| {
            row.risk.frail = row.residents.iter().filter_map(|one| room.vault.resident(one)).any(|of| is_frail(&of));
            (id.clone(), row)
        }));
    }
    let count = |state| all.iter().filter(|(_, row)| row.view.state == Some(state)).count();
    let (due, missed, done) = (count(VisitState::Due), count(VisitState::Missed), count(VisitState::Done));
    all.retain(|(_, row)| state.is_none() || row.view.state == state);
    all.sort_by_cached_key(|(_, row)| row.rank());
    let total = all.len();
    all.truncate(which.limit.unwrap_or(PAGE).clamp(1, PAGE));
    let visits: Vec<Value> = all.iter().map(|(site, row)| row.shown(site)).collect();
    tracing::info!(account = %caller.name, visits = visits.len(), "visits were read");
    Ok(Json(json!({
        "now": room.wall().utc(), "visits": visits, "total": total, "more": total > all.len(),
        "due": due, "missed": missed, "done": done, "sites": waves, "caseworkers": people,
    })))
}

fn is_of(row: &Row, caseworker: &str) -> bool {
    row.caseworker.as_ref().map_or("", |own| own.as_str()) == caseworker
}

/// Their names, by id.
async fn caseworkers(
    room: &Room,
    site: &super::Site,
    known: BTreeSet<ResponderId>,
) -> Result<Vec<(ResponderId, Option<String>)>, Problem> {
    let find = move |core: &Core| {
        let of = |id| (core.site.registry.responders.get(&id).cloned(), id);
        known.into_iter().map(of).collect::<Vec<_>>()
    };
    let found = site.keeper.ask(find).await?;
    let name = |one: &_| room.vault.responder(one).map(|details| details.name).filter(|name| !name.is_empty());
    Ok(found.into_iter().map(|(one, id)| (id, one.as_ref().and_then(name))).collect())
}

/// The visits of the next homes.
fn some(core: &Core, from: usize) -> Vec<Row> {
    let mut rows = Vec::new();
    for (number, home) in watched(core, from) {
        let slot = &core.homes[number as usize];
        let views = VisitKind::ALL.map(|kind| view(&slot.policy, &slot.state, core.now(), kind));
        let shown = views.into_iter().filter(|view| view.state.is_some());
        rows.extend(shown.map(|view| Row::of(core, number, home, view)));
    }
    let residents = residents_of(core, rows.iter().map(|row| &row.home));
    for row in &mut rows {
        row.residents = residents.get(&row.home).cloned().unwrap_or_default();
    }
    rows
}

/// `GET /api/v1/visits/{id}`
pub(super) async fn one(_: Caller, State(room): State<Shared>, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    let (kind, here) = named(&room, &id).await?;
    shown(&room, &here, kind).await.map(Json)
}

async fn shown(room: &Room, here: &Here, kind: VisitKind) -> Result<Value, Problem> {
    let wanted = here.home.clone();
    let look = move |core: &Core| {
        let number = core.number(&wanted)?;
        let (home, slot) = (core.site.registry.homes.get(&wanted)?, core.homes.get(number as usize)?);
        let mut row = Row::of(core, number, home, view(&slot.policy, &slot.state, core.now(), kind));
        row.residents = residents_of(core, [&wanted].into_iter()).remove(&wanted).unwrap_or_default();
        Some(row)
    };
    let site = &room.sites[here.site];
    let mut row = site.keeper.ask(look).await?.ok_or_else(no_such_home)?;
    row.risk.frail = row.residents.iter().filter_map(|one| room.vault.resident(one)).any(|of| is_frail(&of));
    Ok(row.shown(&json!(site.id)))
}

/// The kind and the home of a visit's name.
async fn named(room: &Room, id: &str) -> Result<(VisitKind, Here), Problem> {
    let bad =
        || Problem::not_found("no_such_visit", "A visit is named by its kind and its home: online:h0012, home:h0012.");
    let (kind, home) = id.split_once(':').ok_or_else(bad)?;
    let kind = VisitKind::parse(kind).ok_or_else(bad)?;
    Ok((kind, home_of(room, home).await?))
}

/// What may stand in the body.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    outcome: VisitOutcome,
}

/// `PUT /api/v1/visits/{id}`: what came of it.
pub(super) async fn put(
    Operator(caller): Operator,
    State(room): State<Shared>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, Problem> {
    let body = body?;
    let said: Said = read(&body)?;
    let (kind, here) = named(&room, &id).await?;
    let of = (caller.name.to_string(), format!("visits/{}/{}", kind.name(), here.home));
    let work = {
        let room = room.clone();
        async move {
            tracing::info!(account = %caller.name, home = %here.home, kind = kind.name(), "a visit is told");
            let keeper = &room.sites[here.site].keeper;
            let told = keeper.visit(here.home.clone(), kind, Some(said.outcome), caller.name).await?;
            match told {
                Ok(()) => Ok(Ok(shown(&room, &here, kind).await?)),
                Err(refusal) => Ok(Err(Problem::from(refusal))),
            }
        }
    };
    room.answers.keyed(of, &headers, &body, work).await.map(Json)
}

/// `DELETE /api/v1/visits/{id}`: what was told of it today was an error.
pub(super) async fn take_back(
    Operator(caller): Operator,
    State(room): State<Shared>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let (kind, here) = named(&room, &id).await?;
    tracing::info!(account = %caller.name, home = %here.home, kind = kind.name(), "a visit is taken back");
    room.sites[here.site].keeper.visit(here.home, kind, None, caller.name).await??;
    Ok(StatusCode::NO_CONTENT)
}

impl From<VisitRefusal> for Problem {
    fn from(refusal: VisitRefusal) -> Problem {
        match refusal {
            VisitRefusal::NoSuchHome => no_such_home(),
            VisitRefusal::NotTold => Problem::not_found(
                "visit_not_told",
                "Nobody has told of such a visit today: there is nothing to take back.",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_risk_is_visited_first() {
        let row = |home: &str, state, sos_cover, temperature: Option<f64>, frail, due: i64| {
            let cold = temperature.is_some_and(|degrees| degrees < 9.0);
            let view = VisitView {
                kind: VisitKind::Online,
                state: Some(state),
                due: Some(Wall(due)),
                last_kind: None,
                last_at: None,
                outcome: None,
                by: None,
                today: false,
            };
            Row {
                home: home.parse().unwrap(),
                community: None,
                block: None,
                caseworker: None,
                view,
                risk: Risk { sos_cover, temperature, cold, co_cover: true, frail },
                alarm: None,
                residents: Vec::new(),
            }
        };
        use VisitState::{Done, Due, Missed};
        let order = [
            row("h9", Due, false, Some(4.0), false, 9),
            row("h8", Due, false, None, true, 9),
            row("h7", Missed, false, None, false, 1),
            row("h6", Due, true, Some(-2.5), false, 9),
            row("h5", Due, true, Some(6.9), true, 9),
            row("h4", Missed, true, Some(18.0), true, 9),
            row("h3", Missed, true, None, false, 2),
            row("h2", Due, true, Some(11.0), false, 3),
            row("h1", Done, false, Some(1.0), true, 0),
        ];
        assert!(order.is_sorted_by_key(Row::rank));
    }
}
