//! Who is on duty, who would be told of an alarm and when, and when too few people are there to be told.

use super::alarms::{Asked, Wish, understood};
use super::devices::{Here, home_of, no_such_home};
use super::explain::{no_such_kind, time};
use super::gate::Caller;
use super::problem::Problem;
use super::{Open, Room, Shared};
use crate::engine::home::suppression::{self, SuppressionKind};
use crate::engine::id::{HomeId, LadderId, ResponderId, RotaId, SiteId};
use crate::engine::kind::AlarmKind;
use crate::engine::policy::{HomePolicy, Reach, duties};
use crate::engine::registry::{Medium, Responder};
use crate::engine::rota::Duty;
use crate::engine::staffing::{self, AHEAD, Gap};
use crate::engine::time::{Millis, Stamp, Wall};
use crate::keeper::core::Core;
use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;

/// How far ahead anybody may ask.
const FURTHEST: Millis = Millis::from_mins(92 * 24 * 60);
/// Homes that are named with a gap.
const MOST_HOMES: usize = 50;

/// What is asked of a home.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Telling {
    /// The word of an alarm kind; `sos` where it is not given.
    kind: Option<String>,
    /// RFC 3339; now where it is not given.
    at: Option<String>,
}

/// Who is told on a rung, with what decides whether it reaches them.
struct Told {
    rung: u32,
    name: Box<str>,
    at: Wall,
    people: Vec<(Responder, Vec<Way>)>,
}

/// A channel that reaches somebody.
struct Way {
    channel: Box<str>,
    medium: Medium,
    /// Since when nothing arrives by it, where an alarm says so.
    down_since: Option<Wall>,
}

struct Ladder {
    id: Option<LadderId>,
    repeat: Millis,
    rungs: Vec<Told>,
    hidden_by: Option<SuppressionKind>,
}

/// `GET /api/v1/homes/{id}/who`: who will be told, and when, of an alarm that nobody takes.
pub(super) async fn who(
    caller: Caller,
    State(room): State<Shared>,
    Path(id): Path<String>,
    asked: Asked<Telling>,
) -> Result<Json<Value>, Problem> {
    let wish = understood(asked)?;
    let kind = wish.kind.as_deref().unwrap_or(AlarmKind::Sos.name());
    let kind = AlarmKind::parse(kind).ok_or_else(no_such_kind)?;
    let at = moment(&room, wish.at.as_deref())?;
    let Here { home, site } = home_of(&room, &id).await?;
    tracing::info!(account = %caller.name, home = %home, "whom a home's alarms are told was read");
    let wanted = home.clone();
    let found = room.sites[site].keeper.ask(move |core| ladder(core, &wanted, kind, at)).await?;
    let found = found.ok_or_else(no_such_home)?;
    let rungs: Vec<Value> = found.rungs.iter().map(|rung| rung.shown(at, &*room.vault)).collect();
    let last = found.rungs.iter().rev().find(|rung| rung.reaches_somebody()).map(|rung| rung.rung);
    Ok(Json(json!({
        "now": room.wall().utc(), "home": home, "site": room.sites[site].id, "kind": kind, "at": at.utc(), "ladder": found.id,
        "rungs": rungs, "repeat": {"rung": last, "every_s": found.repeat.as_secs()},
        "hidden_by": found.hidden_by.map(SuppressionKind::name),
    })))
}

fn moment(room: &Room, text: Option<&str>) -> Result<Wall, Problem> {
    let now = room.wall();
    let at = text.map(time).transpose()?.unwrap_or(now);
    let near = now.since(at) <= Millis::from_mins(1) && at.since(now) <= FURTHEST;
    near.then_some(at).ok_or_else(|| Problem::unfit("bad_query", "at lies in the past, or more than 92 days ahead."))
}

fn ladder(core: &Core, home: &HomeId, kind: AlarmKind, at: Wall) -> Option<Ladder> {
    let slot = core.homes.get(core.number(home)? as usize)?;
    let (ladder, registry) = (slot.policy.ladder(kind), &core.site.registry);
    let way = |reach: &Reach| {
        let (channel, down_since) = (reach.channel.as_str().into(), core.site.down_since(&reach.channel));
        Way { channel, medium: reach.medium, down_since }
    };
    let told = |step: staffing::Step<'_>| {
        let person = |(id, reach): (&ResponderId, &[Reach])| {
            Some((registry.responders.get(id)?.clone(), reach.iter().map(way).collect()))
        };
        let people = step.people.into_iter().filter_map(person).collect();
        Told { rung: step.rung, name: step.name.into(), at: step.at, people }
    };
    let now = core.now();
    let then = Stamp { tick: now.tick + at.since(now.wall), wall: at, ..now };
    let rungs = staffing::steps(ladder, at).into_iter().map(told).collect();
    let hidden_by = suppression::hidden_by(&slot.state, kind, then);
    Some(Ladder { id: ladder.id.clone(), repeat: ladder.repeat, rungs, hidden_by })
}

impl Told {
    fn reaches_somebody(&self) -> bool {
        self.people.iter().any(|(_, ways)| !ways.is_empty())
    }

    fn shown(&self, from: Wall, vault: &dyn Open) -> Value {
        let way = |way: &Way| {
            let down = way.down_since.map(Wall::utc);
            json!({"id": way.channel, "medium": way.medium, "down_since": down})
        };
        let person = |(person, ways): &(Responder, Vec<Way>)| {
            let name = vault.responder(person).map(|of| of.name);
            json!({"responder": person.id, "name": name, "channels": ways.iter().map(way).collect::<Vec<_>>()})
        };
        json!({
            "rung": self.rung, "name": self.name, "at": self.at.utc(), "after_s": self.at.since(from).as_secs(),
            "skipped": !self.reaches_somebody(), "people": self.people.iter().map(person).collect::<Vec<_>>(),
        })
    }
}

/// Between which times.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Span {
    from: Option<String>,
    to: Option<String>,
}

/// `GET /api/v1/rotas/{id}/duty`: who is on duty, without a hole.
pub(super) async fn rota(
    _: Caller,
    State(room): State<Shared>,
    Path(id): Path<String>,
    asked: Asked<Span>,
) -> Result<Json<Value>, Problem> {
    let wish = understood(asked)?;
    let none = || Problem::not_found("no_such_rota", "No rota of this id is registered.");
    let id = RotaId::new(&id).map_err(|_| none())?;
    let from = wish.from.as_deref().map(time).transpose()?.unwrap_or_else(|| room.wall());
    let to = wish.to.as_deref().map(time).transpose()?.unwrap_or(from + AHEAD);
    if to <= from || to.since(from) > FURTHEST {
        return Err(Problem::unfit("bad_query", "to lies after from, by 92 days at most."));
    }
    let known = room.found(move |core| {
        let duty = duties(core.rules(), &core.site.registry).remove(&id)?;
        Some((duty, responders(core)))
    });
    let (site, (duty, people)) = known.await?.ok_or_else(none)?;
    let mut shown = shown(&duty, &room.sites[site].id, from, to);
    shown["now"] = room.wall().utc().into();
    shown["names"] = names([&shown], &people, &*room.vault);
    Ok(Json(shown))
}

fn responders(core: &Core) -> Vec<Responder> {
    core.site.registry.responders.values().cloned().collect()
}

fn shown(duty: &Duty, site: &SiteId, from: Wall, to: Wall) -> Value {
    let stretches = duty.stretches(from, to).into_iter();
    let stretches = stretches.map(|of| json!({"from": of.from.utc(), "to": of.to.utc(), "who": of.who}));
    json!({
        "id": duty.rota.id, "site": site, "timezone": duty.zone.iana_name(), "from": from.utc(), "to": to.utc(),
        "stretches": stretches.collect::<Vec<_>>(),
    })
}

/// The names of those who stand in some stretches, by id; opening one costs a decryption.
fn names<'a>(rotas: impl IntoIterator<Item = &'a Value>, people: &[Responder], vault: &dyn Open) -> Value {
    let stretches = rotas.into_iter().filter_map(|rota| rota["stretches"].as_array()).flatten();
    let ids: BTreeSet<&str> =
        stretches.filter_map(|of| of["who"].as_array()).flatten().filter_map(Value::as_str).collect();
    let named = people.iter().filter(|one| ids.contains(one.id.as_str()));
    let named = named.filter_map(|one| Some((one.id.to_string(), Value::from(vault.responder(one)?.name))));
    named.collect::<Map<_, _>>().into()
}

/// `GET /api/v1/duty`: every rota for two weeks, and the times at which too few people are there to be told.
pub(super) async fn all(_: Caller, State(room): State<Shared>, asked: Asked<Wish>) -> Result<Json<Value>, Problem> {
    let wish = understood(asked)?;
    let now = room.wall();
    let (mut rotas, mut gaps, mut people) = (Vec::new(), Vec::new(), Vec::new());
    for site in room.sites_of(wish.site.as_deref())? {
        let known = site.keeper.ask(|core| {
            let policies: Vec<Arc<HomePolicy>> = core.homes.iter().map(|slot| slot.policy.clone()).collect();
            (policies, duties(core.rules(), &core.site.registry), responders(core))
        });
        let (policies, of_site, responders) = known.await?;
        // The proof is work: no turn of the keeper waits for it.
        let proof = tokio::task::spawn_blocking(move || staffing::gaps(policies.iter().map(|p| &**p), now));
        let found = proof.await.map_err(|_| Problem::unavailable("no_proof", "The proof could not be made."))?;
        gaps.extend(found.into_iter().map(|gap| (site.id.clone(), gap)));
        rotas.extend(
            of_site.values().filter(|duty| duty.is_staffed()).map(|duty| shown(duty, &site.id, now, now + AHEAD)),
        );
        people.extend(responders);
    }
    let total = gaps.len();
    gaps.truncate(wish.limit());
    let names = names(&rotas, &people, &*room.vault);
    let gaps: Vec<Value> = gaps.iter().map(|(site, gap)| gap_shown(site, gap)).collect();
    Ok(Json(json!({
        "now": now.utc(), "until": (now + AHEAD).utc(), "rotas": rotas, "names": names, "gaps": gaps, "more": total > gaps.len(),
    })))
}

fn gap_shown(site: &SiteId, gap: &Gap) -> Value {
    let mut shown = json!(gap);
    shown["site"] = json!(site);
    shown["home_count"] = gap.homes.len().into();
    shown["homes"] = json!(gap.homes.iter().take(MOST_HOMES).collect::<Vec<_>>());
    shown
}
