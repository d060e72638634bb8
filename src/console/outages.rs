//! The work list after an outage: homes that nobody could hear, and in which nobody has stirred or looked since, the worst risk first.

use super::Shared;
use super::alarms::{Asked, Wish, safe_how, understood};
use super::devices::{AT_ONCE, home_of, no_such_home, some_of, watched};
use super::gate::{Caller, Operator};
use super::problem::{Problem, read};
use crate::engine::home::coverage::{self, LookView};
use crate::engine::id::{AlarmId, HomeId};
use crate::engine::kind::AlarmKind;
use crate::engine::registry::{Resident, ResidentDetails};
use crate::engine::time::Wall;
use crate::keeper::core::Core;
use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A home that somebody has to look after.
struct Missing {
    home: HomeId,
    community: Option<Box<str>>,
    block: Option<Box<str>>,
    look: LookView,
    /// The alarm that asks for it.
    alarm: Option<AlarmId>,
    residents: Vec<Resident>,
    frail: bool,
}

/// `GET /api/v1/outages`: what cannot be heard, and the homes to look after.
pub(super) async fn list(
    caller: Caller,
    State(room): State<Shared>,
    asked: Asked<Wish>,
) -> Result<Json<Value>, Problem> {
    let wish = understood(asked)?;
    let (mut outages, mut all) = (Vec::new(), Vec::new());
    for site in room.sites_of(wish.site.as_deref())? {
        let of_site = site.keeper.ask(under_way).await?;
        outages.extend(of_site.into_iter().map(|mut outage| {
            outage["site"] = json!(site.id);
            outage
        }));
        for mut missing in some_of(site, some).await? {
            missing.frail = missing.residents.iter().filter_map(|one| room.vault.resident(one)).any(|of| is_frail(&of));
            all.push((&site.id, missing));
        }
    }
    all.sort_by_cached_key(|(_, missing)| missing.rank());
    let total = all.len();
    all.truncate(wish.limit());
    let homes: Vec<Value> = all.iter().map(|(site, missing)| missing.shown(json!(site))).collect();
    tracing::info!(account = %caller.name, homes = homes.len(), "the homes to look after were read");
    let more = total > homes.len();
    Ok(Json(json!({"now": room.wall().utc(), "outages": outages, "homes": homes, "total": total, "more": more})))
}

/// The outages of a site that are under way.
fn under_way(core: &Core) -> Vec<Value> {
    let claimed = || core.site.homes.iter().filter(|home| home.claimed).count();
    let deaf = core.site.deaf_since.filter(|_| core.site.deaf_told).map(|since| {
        json!({"since": core.now().wall_at(since).utc(), "homes": claimed(), "unheard": claimed(), "deaf": true})
    });
    let told = core.site.outages.iter().filter(|outage| outage.told.is_some()).map(|outage| {
        let (homes, unheard) = (outage.homes.len(), outage.gone.len());
        json!({"since": outage.since.wall.utc(), "homes": homes, "unheard": unheard, "deaf": false})
    });
    deaf.into_iter().chain(told).collect()
}

/// The homes to look after among the next ones.
fn some(core: &Core, from: usize) -> Vec<Missing> {
    let mut found: Vec<Missing> = Vec::with_capacity(AT_ONCE / 8);
    for (number, home) in watched(core, from) {
        let slot = &core.homes[number as usize];
        let Some(look) = coverage::view(&slot.policy, &slot.state, core.now()) else { continue };
        let asks = slot.state.alarm(AlarmKind::WelfareCheck).filter(|alarm| alarm.lasts());
        let (community, block) = (home.community.clone(), home.block.clone());
        let (home, alarm) = (home.id.clone(), asks.map(|alarm| alarm.id.clone()));
        found.push(Missing { home, community, block, look, alarm, residents: Vec::new(), frail: false });
    }
    let mut residents = residents_of(core, found.iter().map(|one| &one.home));
    for one in &mut found {
        one.residents = residents.remove(&one.home).unwrap_or_default();
    }
    found
}

/// Who lives in these homes.
pub(super) fn residents_of<'a>(
    core: &Core,
    homes: impl Iterator<Item = &'a HomeId>,
) -> BTreeMap<HomeId, Vec<Resident>> {
    let mut of: BTreeMap<HomeId, Vec<Resident>> = homes.map(|home| (home.clone(), Vec::new())).collect();
    let all = if of.is_empty() { None } else { Some(core.site.registry.residents.values()) };
    for resident in all.into_iter().flatten() {
        if let Some(known) = of.get_mut(&resident.home) {
            known.push(resident.clone());
        }
    }
    of
}

/// Who cannot help themselves, or may not know that they need help.
pub(super) fn is_frail(of: &ResidentDetails) -> bool {
    of.dementia || of.disabled || of.child || ["walker", "wheelchair", "bed"].contains(&of.mobility.as_str())
}

impl Missing {
    /// The smaller, the worse: who is asked after already, who cannot call, who is frail; then the earliest deadline, and the longest
    /// without a sign of life.
    fn rank(&self) -> (bool, bool, bool, Wall, Option<Wall>, HomeId) {
        let look = &self.look;
        (self.alarm.is_none(), look.sos_cover, !self.frail, look.due, look.last_activity, self.home.clone())
    }

    fn shown(&self, site: Value) -> Value {
        let mut shown = json!(self.look);
        shown["home"] = json!(self.home);
        shown["site"] = site;
        shown["community"] = json!(self.community);
        shown["block"] = json!(self.block);
        shown["frail"] = self.frail.into();
        shown["alarm"] = json!(self.alarm);
        shown
    }
}

/// What may stand in the body of a look.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Looked {
    how: Option<String>,
}

/// `POST /api/v1/homes/{id}/looked`: a person has made sure that the people of a home are well.
pub(super) async fn looked(
    Operator(caller): Operator,
    State(room): State<Shared>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, Problem> {
    let body = body?;
    let said: Looked = read(&body)?;
    let how = safe_how(said.how.as_deref())?;
    let here = home_of(&room, &id).await?;
    let of = (caller.name.to_string(), format!("{}/looked", here.home));
    let work = {
        let room = room.clone();
        async move {
            tracing::info!(account = %caller.name, home = %here.home, how = ?how, "somebody looked after a home");
            let known = room.sites[here.site].keeper.looked(here.home.clone(), caller.name, how).await?;
            Ok(known.then(|| json!({"home": here.home, "how": how})).ok_or_else(no_such_home))
        }
    };
    room.answers.keyed(of, &headers, &body, work).await.map(Json)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_risk_comes_first() {
        let missing = |home: &str, alarm: bool, sos_cover, frail, due, last: Option<i64>| Missing {
            home: home.parse().unwrap(),
            community: None,
            block: None,
            look: LookView { since: Wall(0), until: None, due: Wall(due), last_activity: last.map(Wall), sos_cover },
            alarm: alarm.then(|| "z-000001".parse().unwrap()),
            residents: Vec::new(),
            frail,
        };
        let order = [
            missing("h9", true, true, false, 9, Some(9)),
            missing("h8", false, false, true, 9, Some(9)),
            missing("h7", false, false, false, 9, Some(9)),
            missing("h6", false, true, true, 9, Some(9)),
            missing("h5", false, true, false, 7, Some(9)),
            missing("h4", false, true, false, 8, None),
            missing("h3", false, true, false, 8, Some(3)),
            missing("h2", false, true, false, 8, Some(4)),
        ];
        assert!(order.is_sorted_by_key(Missing::rank));
    }

    #[test]
    fn who_cannot_help_themselves_is_frail() {
        let bed = ResidentDetails { mobility: "bed".into(), ..ResidentDetails::default() };
        let stick = ResidentDetails { mobility: "stick".into(), ..ResidentDetails::default() };
        let dementia = ResidentDetails { dementia: true, ..ResidentDetails::default() };
        assert_eq!([bed, stick, dementia].map(|of| is_frail(&of)), [true, false, true]);
    }
}
