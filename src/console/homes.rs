//! The registry as JSON: homes with their people, keys and devices. Only signed-in people get here.

use super::alarms::{Asked, understood};
use super::gate::Caller;
use super::problem::Problem;
use super::{Open, Shared};
use crate::engine::home::silence::{Weak, weak};
use crate::engine::id::HomeId;
use crate::engine::registry::{Device, Home, Resident, ResidentDetails};
use crate::keeper::core::Core;
use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Homes of one answer: opening a home costs a decryption or three.
const PAGE: usize = 200;
/// Homes of one answer where nothing is opened.
const BRIEF_PAGE: usize = 500;

/// What the list is asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    site: Option<String>,
    cursor: Option<String>,
    limit: Option<usize>,
    /// Only what a group chat may read, to choose a home by.
    #[serde(default)]
    brief: bool,
}

/// What the registry says of a home, still sealed.
struct Record {
    id: HomeId,
    claimed: bool,
    home: Option<Home>,
    residents: Vec<Resident>,
    devices: Vec<Device>,
    cover: Option<Cover>,
}

/// How far the home can be watched.
struct Cover {
    sos: bool,
    weak: Option<Weak>,
    /// What stirs in the bedroom counts.
    bedroom_tells: bool,
}

impl Cover {
    fn of(core: &Core, home: &HomeId) -> Option<Cover> {
        let slot = core.homes.get(core.number(home)? as usize)?;
        let (sos, weak) = (slot.state.has_sos_cover(core.now()), weak(&slot.policy, &slot.state));
        Some(Cover { sos, weak, bedroom_tells: slot.policy.rules.bedroom_tells == 1 })
    }

    /// With what the registry says of the people: a second one hides a silence, and who lies in bed stirs in it.
    fn shown(&self, residents: &[ResidentDetails]) -> Value {
        let mut weak: Vec<Value> = self.weak.iter().map(|weak| json!(weak)).collect();
        if residents.len() > 1 {
            weak.push("second_person".into());
        }
        if self.bedroom_tells && residents.iter().any(|one| one.mobility == "bed") {
            weak.push("bed_bound".into());
        }
        json!({"sos": self.sos, "weak": weak})
    }
}

/// `GET /api/v1/homes`: by id, site after site.
pub(super) async fn list(
    caller: Caller,
    State(room): State<Shared>,
    asked: Asked<Which>,
) -> Result<Json<Value>, Problem> {
    let wish = understood(asked)?;
    let most = if wish.brief { BRIEF_PAGE } else { PAGE };
    let limit = wish.limit.unwrap_or(most).clamp(1, most);
    let mut homes: Vec<Value> = Vec::new();
    let mut after = wish.cursor.as_deref().map(place_of).transpose()?;
    for site in room.sites_of(wish.site.as_deref())? {
        if after.as_ref().is_some_and(|(at, _)| *at != site.id.as_str()) {
            continue;
        }
        let (from, most) = (after.take().map(|(_, home)| home), limit + 1 - homes.len());
        if wish.brief {
            homes.extend(site.keeper.ask(move |core| named(core, from, most)).await?);
        } else {
            let records = site.keeper.ask(move |core| some(core, from, most)).await?;
            homes.extend(records.into_iter().map(|record| shown(record, site.id.as_str(), &*room.vault)));
        }
        if homes.len() > limit {
            break;
        }
    }
    let more = homes.len() > limit;
    homes.truncate(limit);
    let next = homes.last().filter(|_| more).map(|last| format!("{}/{}", text(last, "site"), text(last, "id")));
    if !wish.brief {
        tracing::info!(account = %caller.name, homes = homes.len(), "homes were read");
    }
    Ok(Json(json!({"homes": homes, "next": next})))
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

/// A cursor is the site and the home that the answer before ended with.
fn place_of(cursor: &str) -> Result<(&str, HomeId), Problem> {
    let place = cursor.split_once('/').and_then(|(site, home)| Some((site, HomeId::new(home).ok()?)));
    place.ok_or_else(|| Problem::unfit("bad_cursor", "A cursor is what an answer before gave as `next`."))
}

/// `GET /api/v1/homes/{id}`
pub(super) async fn one(
    caller: Caller,
    State(room): State<Shared>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    let none = || Problem::not_found("no_such_home", "There is no home of this id.");
    let id = HomeId::new(&id).map_err(|_| none())?;
    let wanted = id.clone();
    let (site, record) = room.found(move |core| record(core, &wanted)).await?.ok_or_else(none)?;
    tracing::info!(account = %caller.name, home = %id, "a home was read");
    Ok(Json(shown(record, room.sites[site].id.as_str(), &*room.vault)))
}

/// Up to `most` registered homes after `from`.
fn after(core: &Core, from: Option<HomeId>, most: usize) -> impl Iterator<Item = (&HomeId, &Home)> {
    use std::ops::Bound::{Excluded, Unbounded};
    core.site.registry.homes.range((from.map_or(Unbounded, Excluded), Unbounded)).take(most)
}

/// The same, by what anybody may read of them.
fn named(core: &Core, from: Option<HomeId>, most: usize) -> Vec<Value> {
    let shown = |(id, home): (&HomeId, &Home)| json!({"id": id, "site": home.site, "community": home.community, "block": home.block});
    after(core, from, most).map(shown).collect()
}

/// The same, with all that is registered of them.
fn some(core: &Core, from: Option<HomeId>, most: usize) -> Vec<Record> {
    let registry = &core.site.registry;
    let mut records: BTreeMap<&HomeId, Record> = after(core, from, most)
        .map(|(id, home)| {
            let record = Record {
                id: id.clone(),
                claimed: true,
                home: Some(home.clone()),
                residents: vec![],
                devices: vec![],
                cover: Cover::of(core, id),
            };
            (id, record)
        })
        .collect();
    for resident in registry.residents.values() {
        if let Some(record) = records.get_mut(&resident.home) {
            record.residents.push(resident.clone());
        }
    }
    for device in registry.devices.values() {
        if let Some(record) = records.get_mut(&device.home) {
            record.devices.push(device.clone());
        }
    }
    records.into_values().collect()
}

/// A registered home, or one that stands in for an unregistered device.
fn record(core: &Core, id: &HomeId) -> Option<Record> {
    let registry = &core.site.registry;
    let home = registry.homes.get(id);
    let entry = core.site.homes.iter().find(|entry| &entry.id == id);
    if home.is_none() && entry.is_none() {
        return None;
    }
    Some(Record {
        id: id.clone(),
        claimed: home.is_some(),
        home: home.cloned(),
        residents: registry.residents.values().filter(|r| &r.home == id).cloned().collect(),
        devices: registry.devices.values().filter(|d| &d.home == id).cloned().collect(),
        cover: home.and_then(|_| Cover::of(core, id)),
    })
}

fn shown(record: Record, site: &str, vault: &dyn Open) -> Value {
    let Record { id, claimed, home, residents, devices, cover } = record;
    let people: Vec<ResidentDetails> = residents.iter().filter_map(|one| vault.resident(one)).collect();
    let residents: Vec<Value> =
        residents.iter().map(|resident| json!({"id": resident.id, "details": vault.resident(resident)})).collect();
    let mut shown = json!({"id": id, "site": site, "claimed": claimed, "residents": residents, "devices": devices});
    if let Some(home) = home {
        shown["plan"] = json!(home.plan);
        shown["status"] = json!(home.status);
        shown["rules"] = json!(home.rules);
        shown["caseworker"] = json!(home.caseworker);
        shown["community"] = json!(home.community);
        shown["block"] = json!(home.block);
        shown["cover"] = json!(cover.map(|cover| cover.shown(&people)));
        // Null: there are none, or the person was erased and the keys are gone.
        shown["details"] = json!(vault.home(&home));
    }
    shown
}
