//! Device health: a home's devices as they stand, and the weekly list of what a visit must fix.

use super::alarms::{Asked, Wish, understood};
use super::gate::Caller;
use super::problem::Problem;
use super::{Room, Shared, Site};
use crate::engine::home::health::{DeviceView, Need};
use crate::engine::id::{HomeId, SiteId};
use crate::engine::registry::{Home, Status};
use crate::engine::time::{Millis, Tick};
use crate::keeper::core::Core;
use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Homes that are looked at between two turns of a keeper: no press waits for a list.
pub(super) const AT_ONCE: usize = 250;
/// How often the homes without cover are counted at most: whoever reads the metrics all the time must not keep the keeper busy.
const COUNTED: Millis = Millis::from_mins(1);
/// A keeper that does not answer so long is told of by other metrics.
const PATIENCE: Duration = Duration::from_secs(1);

/// Where a registered home is: the place of its site in the room.
pub(super) struct Here {
    pub home: HomeId,
    pub site: usize,
}

pub(super) fn no_such_home() -> Problem {
    Problem::not_found("no_such_home", "No home of this id is registered.")
}

/// Finds a registered home.
pub(super) async fn home_of(room: &Room, id: &str) -> Result<Here, Problem> {
    let home = HomeId::new(id).map_err(|_| no_such_home())?;
    let wanted = home.clone();
    let found = room.found(move |core| core.site.registry.homes.contains_key(&wanted).then_some(())).await?;
    found.map(|(site, ())| Here { home, site }).ok_or_else(no_such_home)
}

/// `GET /api/v1/homes/{id}/health`
pub(super) async fn of_home(
    _: Caller,
    State(room): State<Shared>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    let Here { home, site } = home_of(&room, &id).await?;
    let wanted = home.clone();
    let look = move |core: &Core| {
        let number = core.number(&wanted)?;
        let devices: Vec<DeviceView> = core.devices_of(number).map(|(_, device)| device.view(core.now())).collect();
        Some((core.homes.get(number as usize)?.state.has_sos_cover(core.now()), devices))
    };
    let (sos_cover, devices) = room.sites[site].keeper.ask(look).await?.ok_or_else(no_such_home)?;
    let (now, site) = (room.wall().utc(), &room.sites[site].id);
    Ok(Json(json!({"now": now, "home": home, "site": site, "sos_cover": sos_cover, "devices": devices})))
}

/// A home that a visit must mend.
struct Sick {
    home: HomeId,
    community: Option<Box<str>>,
    block: Option<Box<str>>,
    sos_cover: bool,
    /// Only those that need something.
    devices: Vec<DeviceView>,
}

/// `GET /api/v1/health`: the homes with a need, the worst first.
pub(super) async fn visits(
    caller: Caller,
    State(room): State<Shared>,
    asked: Asked<Wish>,
) -> Result<Json<Value>, Problem> {
    let wish = understood(asked)?;
    let mut all: Vec<(SiteId, Sick)> = Vec::new();
    for site in room.sites_of(wish.site.as_deref())? {
        let of_site =
            some_of(site, |core, from| watched(core, from).filter_map(|(n, home)| sick(core, n, home)).collect());
        all.extend(of_site.await?.into_iter().map(|sick| (site.id.clone(), sick)));
    }
    all.sort_by_cached_key(|(_, sick)| (sick.rank(), sick.home.clone()));
    let (total, uncovered) = (all.len(), all.iter().filter(|(_, sick)| !sick.sos_cover).count());
    all.truncate(wish.limit());
    let homes: Vec<Value> = all.iter().map(|(site, sick)| sick.shown(site)).collect();
    tracing::info!(account = %caller.name, homes = homes.len(), "device health was read");
    Ok(Json(json!({
        "now": room.wall().utc(), "homes": homes, "total": total, "without_sos_cover": uncovered, "more": total > all.len(),
    })))
}

/// Asks about all homes of a site, some at a time.
pub(super) async fn some_of<T: Send + 'static>(
    site: &Site,
    question: impl Fn(&Core, usize) -> Vec<T> + Clone + Send + 'static,
) -> Result<Vec<T>, Problem> {
    let (mut all, mut from) = (Vec::new(), 0);
    loop {
        let question = question.clone();
        let (homes, some) = site.keeper.ask(move |core| (core.homes.len(), question(core, from))).await?;
        all.extend(some);
        from += AT_ONCE;
        if from >= homes {
            return Ok(all);
        }
    }
}

/// The next registered homes that are watched, with their numbers. Nobody visits a home whose people have left it.
pub(super) fn watched(core: &Core, from: usize) -> impl Iterator<Item = (u32, &Home)> {
    let some = core.site.homes.iter().enumerate().skip(from).take(AT_ONCE);
    let registered = some.filter_map(|(n, entry)| Some((n as u32, core.site.registry.homes.get(&entry.id)?)));
    registered.filter(|(_, home)| matches!(home.status, Status::Active | Status::Paused))
}

fn sick(core: &Core, number: u32, home: &Home) -> Option<Sick> {
    let views = core.devices_of(number).map(|(_, device)| device.view(core.now()));
    let devices: Vec<DeviceView> = views.filter(|view| !view.needs.is_empty()).collect();
    let sos_cover = core.homes[number as usize].state.has_sos_cover(core.now());
    let (community, block) = (home.community.clone(), home.block.clone());
    (!sos_cover || !devices.is_empty()).then(|| Sick { home: home.id.clone(), community, block, sos_cover, devices })
}

impl Sick {
    /// The smaller, the worse: no cover, then devices that are not heard, then what has not called for long, then the battery that
    /// ends first, then the weakest signal.
    fn rank(&self) -> (bool, bool, bool, u32, u8) {
        let needs = || self.devices.iter().flat_map(|device| &device.needs);
        let unheard = needs().any(|need| matches!(need, Need::NeverHeard | Need::Lost { .. }));
        let unproven = needs().any(|need| matches!(need, Need::Unproven { .. }));
        // Low, and nobody can tell for how long: at once.
        let days = needs().filter_map(|need| match need {
            Need::BatteryLow { days_left, .. } => Some(days_left.unwrap_or(0)),
            _ => None,
        });
        let signals =
            needs().filter_map(|need| if let Need::WeakSignal { percent } = need { Some(*percent) } else { None });
        (self.sos_cover, !unheard, !unproven, days.min().unwrap_or(u32::MAX), signals.min().unwrap_or(u8::MAX))
    }

    fn shown(&self, site: &SiteId) -> Value {
        json!({
            "home": self.home, "site": site, "community": self.community, "block": self.block,
            "sos_cover": self.sos_cover, "devices": self.devices,
        })
    }
}

/// When the homes without cover were counted last.
#[derive(Default)]
pub(super) struct Counted(Mutex<Option<Tick>>);

impl Counted {
    /// Whether they are to be counted now: not while, or soon after, somebody else does.
    fn is_due(&self, now: Tick) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let due = last.is_none_or(|last| now.since(last) >= COUNTED);
        if due {
            *last = Some(now);
        }
        due
    }
}

/// Brings the gauge of the homes without cover up to date.
pub(super) async fn count_uncovered(room: &Room) {
    if !room.counted.is_due(room.tick()) {
        return;
    }
    for site in &room.sites {
        let uncovered = some_of(site, |core, from| {
            let bare = |(n, _): &(u32, &Home)| !core.homes[*n as usize].state.has_sos_cover(core.now());
            watched(core, from).filter(bare).map(|_| ()).collect()
        });
        if let Ok(Ok(uncovered)) = tokio::time::timeout(PATIENCE, uncovered).await {
            let site = site.id.to_string();
            metrics::gauge!("hearthwatch_homes_without_sos_cover", "site" => site).set(uncovered.len() as f64);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sick(sos_cover: bool, needs: Vec<Need>) -> Sick {
        let device = DeviceView {
            source: "z".into(),
            address: "a".into(),
            room: "hall".into(),
            registered: true,
            life: false,
            heard: None,
            rhythm_s: None,
            battery: None,
            days_left: None,
            signal: None,
            called: None,
            needs,
        };
        Sick { home: "h1".parse().unwrap(), community: None, block: None, sos_cover, devices: vec![device] }
    }

    #[test]
    fn the_worst_home_comes_first() {
        let battery = |days_left| Need::BatteryLow { percent: Some(10.0), days_left };
        let order = [
            sick(false, vec![Need::NeverHeard]),
            sick(false, vec![]),
            sick(true, vec![Need::Lost { silent_s: 90_000 }, battery(Some(3))]),
            sick(true, vec![Need::NeverHeard]),
            sick(true, vec![Need::Unproven { since: None }]),
            sick(true, vec![battery(None)]),
            sick(true, vec![battery(Some(5)), Need::WeakSignal { percent: 3 }]),
            sick(true, vec![battery(Some(40))]),
            sick(true, vec![Need::WeakSignal { percent: 3 }]),
            sick(true, vec![Need::WeakSignal { percent: 15 }]),
        ];
        assert!(order.is_sorted_by_key(Sick::rank), "{:?}", order.iter().map(Sick::rank).collect::<Vec<_>>());
    }

    #[test]
    fn nobody_can_keep_the_keeper_busy_by_reading_metrics() {
        let counted = Counted::default();
        let due: Vec<_> = [0, 1, 59_999, 60_000, 60_001].map(|t| counted.is_due(Tick(t))).into();
        assert_eq!(due, [true, false, false, true, false]);
    }
}
