//! Why a home alarmed at a time, or why it did not.

use super::alarms::{Asked, understood};
use super::devices::{Here, home_of, no_such_home};
use super::gate::Caller;
use super::problem::Problem;
use super::{Room, Shared};
use crate::engine::home::explain::{Explanation, explain};
use crate::engine::id::HomeId;
use crate::engine::kind::AlarmKind;
use crate::engine::time::{Millis, Wall};
use crate::keeper::core::Core;
use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::{Value, json};

/// What is asked.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct When {
    /// RFC 3339; now where it is not given.
    at: Option<String>,
    /// Only what bears on alarms of this kind.
    kind: Option<String>,
}

/// What is so near to now is answered from the state as it stands.
const NOW: Millis = Millis::from_secs(1);

/// `GET /api/v1/homes/{id}/explain`
pub(super) async fn home(
    caller: Caller,
    State(room): State<Shared>,
    Path(id): Path<String>,
    asked: Asked<When>,
) -> Result<Json<Value>, Problem> {
    let wish = understood(asked)?;
    let kind = wish.kind.as_deref().map(|word| AlarmKind::parse(word).ok_or_else(no_such_kind)).transpose()?;
    let at = wish.at.as_deref().map(time).transpose()?;
    let Here { home, site } = home_of(&room, &id).await?;
    tracing::info!(account = %caller.name, home = %home, "a home was explained");
    let found = match at.filter(|at| room.wall().since(*at) > NOW) {
        Some(at) => past(&room, site, home.clone(), at).await?,
        None if at.is_some_and(|at| at.since(room.wall()) > NOW) => {
            return Err(Problem::unfit("bad_query", "at lies in the future: nobody knows yet."));
        }
        None => {
            let wanted = home.clone();
            room.sites[site].keeper.ask(move |core| of(core, &wanted)).await?
        }
    };
    let mut found = found.ok_or_else(no_such_home)?;
    if let Some(kind) = kind {
        found.rules.retain(|rule| rule.kind == kind);
        found.open.retain(|(open, _)| *open == kind);
    }
    let open: Vec<Value> = found.open.iter().map(|(kind, id)| json!({"kind": kind, "id": id})).collect();
    let mut shown = json!(found);
    shown["open"] = open.into();
    shown["home"] = json!(home);
    shown["site"] = json!(room.sites[site].id);
    shown["now"] = room.wall().utc().into();
    Ok(Json(shown))
}

/// Explains a home of a core, as it stands there.
pub fn of(core: &Core, home: &HomeId) -> Option<Explanation> {
    let slot = core.homes.get(core.number(home)? as usize)?;
    Some(explain(&slot.policy, &slot.state, core.now(), core.site.deaf_since.is_some()))
}

async fn past(room: &Room, site: usize, home: HomeId, at: Wall) -> Result<Option<Explanation>, Problem> {
    let rules = room.sites[site].keeper.ask(|core| core.rules().clone()).await?;
    let found = room.past(move |history| history.core_at(rules, at).map(|core| of(&core, &home)));
    found
        .await?
        .map_err(|why| Problem::unavailable("no_past", "The journal of that time cannot be read.").with("why", why))
}

pub(super) fn no_such_kind() -> Problem {
    Problem::unfit("bad_query", "kind is the word of an alarm kind, as inactivity or bathroom.")
}

/// A time of a query.
pub(super) fn time(text: &str) -> Result<Wall, Problem> {
    // A plus that nobody has written out is a space in a query.
    let stamp: Result<jiff::Timestamp, _> = text.replace(' ', "+").parse();
    stamp.map(|stamp| Wall(stamp.as_millisecond())).map_err(|_| {
        Problem::unfit("bad_query", "A time is written as 2026-03-01T06:00:00Z or 2026-03-01T14:00:00+08:00.")
    })
}
