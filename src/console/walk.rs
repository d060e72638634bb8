//! The walk test of a home: its test window, what showed itself, what is missing for the signature.

use super::devices::{Here, home_of};
use super::gate::{Caller, Operator};
use super::once::Answered;
use super::problem::{Problem, read};
use super::{Room, Shared};
use crate::engine::home::State as HomeState;
use crate::engine::home::health::DeviceView;
use crate::engine::home::walk::{LONGEST_MIN, MOST_PRESSES, Seen, Walk, WalkRefusal};
use crate::engine::id::{HomeId, ResponderId};
use crate::engine::input::WalkOrder;
use crate::engine::kind::Priority;
use crate::engine::time::Wall;
use crate::keeper::core::Core;
use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

/// PRACTICE: a test window is ten minutes long, and of each device one call is a test.
const MINUTES: u8 = 10;
const PRESSES: u8 = 1;

/// `GET /api/v1/homes/{id}/walk-test`
pub(super) async fn show(
    _: Caller,
    State(room): State<Shared>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    let Here { home, site } = home_of(&room, &id).await?;
    shown(&room, site, home).await.map(Json)
}

async fn shown(room: &Room, site: usize, home: HomeId) -> Result<Value, Problem> {
    let found = room.sites[site].keeper.ask(move |core| look(core, &home)).await?;
    let mut shown = found.ok_or_else(super::devices::no_such_home)?;
    shown["site"] = json!(room.sites[site].id);
    shown["now"] = room.wall().utc().into();
    Ok(shown)
}

/// The home as its test stands. A window whose time is over is none any more, though nobody has closed it yet.
fn look(core: &Core, home: &HomeId) -> Option<Value> {
    let number = core.number(home)?;
    let (state, now, known) =
        (&core.homes.get(number as usize)?.state, core.now(), core.site.registry.homes.get(home)?);
    let walk = state.walk.as_ref().filter(|walk| walk.until > now.tick);
    let devices: Vec<Value> =
        core.devices_of(number).map(|(slot, device)| tested(walk, slot, device.view(now))).collect();
    let window = walk.map(|walk| {
        let until = now.wall + walk.until.since(now.tick);
        json!({"opened_at": walk.opened.utc(), "until": until.utc(), "by": walk.by, "presses": walk.presses})
    });
    let signed = state.signed.as_ref().map(|signed| {
        let devices: Vec<Value> = signed.seen.iter().map(|seen| in_the_record(state, seen)).collect();
        json!({"at": signed.at.utc(), "by": signed.by, "opened_at": signed.opened.utc(), "devices": devices})
    });
    // While one of these is open a call of its kind is no test.
    let open = state.alarms.iter().filter(|alarm| alarm.priority() < Priority::Technical);
    let open: Vec<Value> = open.map(|alarm| json!({"id": alarm.id, "kind": alarm.kind})).collect();
    Some(json!({
        "home": home, "community": known.community, "block": known.block, "window": window, "devices": devices,
        "unproven": walk.map(|walk| state.unproven(walk)).unwrap_or_default(), "signed": signed,
        "sos_cover": state.has_sos_cover(now), "open_alarms": open,
    }))
}

/// A device in the window: one that is there to call works once it has called, any other once it has shown itself.
fn tested(walk: Option<&Walk>, slot: u16, view: DeviceView) -> Value {
    let seen = walk.and_then(|walk| walk.seen.iter().find(|seen| seen.device == slot));
    let works = seen.is_some_and(|seen| !view.life || seen.calls > 0);
    let mut shown = json!(view);
    shown["seen_at"] = seen.map(|seen| seen.at).map(Wall::utc).into();
    shown["calls"] = seen.map_or(0, |seen| seen.calls).into();
    shown["works"] = works.into();
    shown
}

fn in_the_record(state: &HomeState, seen: &Seen) -> Value {
    let address = state.devices.get(seen.device as usize).map(|device| &device.address);
    json!({"address": address, "seen_at": seen.at.utc(), "calls": seen.calls})
}

/// What may stand in the body of an order.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Ordered {
    order: String,
    minutes: Option<u8>,
    presses: Option<u8>,
}

/// `POST /api/v1/homes/{id}/walk-test`
pub(super) async fn order(
    Operator(caller): Operator,
    State(room): State<Shared>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, Problem> {
    let body = body?;
    let order = understood(&body)?;
    let here = home_of(&room, &id).await?;
    let of = (caller.name.to_string(), format!("{}/walk-test", here.home));
    let work = {
        let room = room.clone();
        async move { carry_out(&room, here, order, caller.name).await }
    };
    room.answers.keyed(of, &headers, &body, work).await.map(Json)
}

/// Err: it did not come to an answer, and may be tried again under the same key.
async fn carry_out(room: &Room, here: Here, order: WalkOrder, by: ResponderId) -> Result<Answered, Problem> {
    let Here { home, site } = here;
    tracing::info!(account = %by, home = %home, order = ?order, "a test window is ordered");
    match room.sites[site].keeper.walk(home.clone(), order, by).await? {
        Ok(()) => Ok(shown(room, site, home).await),
        Err(refusal) => Ok(Err(refusal.into())),
    }
}

fn understood(body: &[u8]) -> Result<WalkOrder, Problem> {
    let said: Ordered = read(body)?;
    let bare = said.minutes.is_none() && said.presses.is_none();
    match said.order.as_str() {
        "open" => {
            let (minutes, presses) = (said.minutes.unwrap_or(MINUTES), said.presses.unwrap_or(PRESSES));
            if !(1..=LONGEST_MIN).contains(&minutes) || !(1..=MOST_PRESSES).contains(&presses) {
                let detail = format!("minutes lies in 1 to {LONGEST_MIN}, presses in 1 to {MOST_PRESSES}.");
                return Err(Problem::unfit("bad_window", detail));
            }
            Ok(WalkOrder::Open { minutes, presses })
        }
        "close" if bare => Ok(WalkOrder::Close { signed: false }),
        "sign" if bare => Ok(WalkOrder::Close { signed: true }),
        _ => Err(Problem::unfit("bad_order", "order is open (with minutes and presses), close or sign.")),
    }
}

impl From<WalkRefusal> for Problem {
    fn from(refusal: WalkRefusal) -> Problem {
        let conflict = |reason, detail| Problem::new(StatusCode::CONFLICT, reason, detail);
        match refusal {
            WalkRefusal::NoSuchHome => super::devices::no_such_home(),
            WalkRefusal::Open => {
                conflict("window_open", "A test window of this home is open already: go on in it, or close it first.")
            }
            WalkRefusal::NotOpen => conflict(
                "window_not_open",
                "No test window of this home is open: it may have closed by itself. Open one, and test anew.",
            ),
            WalkRefusal::NotProven(devices) => conflict(
                "not_proven",
                "These devices are there to call for help and have not called in this window: press each, then sign.",
            )
            .with("devices", json!(devices)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_are_understood_or_refused_by_name() {
        let open = |minutes, presses| Ok(WalkOrder::Open { minutes, presses });
        let cases: &[(&str, Result<WalkOrder, &str>)] = &[
            (r#"{"order":"open"}"#, open(10, 1)),
            (r#"{"order":"open","minutes":60,"presses":10}"#, open(60, 10)),
            (r#"{"order":"open","minutes":61}"#, Err("bad_window")),
            (r#"{"order":"open","minutes":0}"#, Err("bad_window")),
            (r#"{"order":"open","presses":11}"#, Err("bad_window")),
            (r#"{"order":"open","minutes":300}"#, Err("bad_body")),
            (r#"{"order":"close"}"#, Ok(WalkOrder::Close { signed: false })),
            (r#"{"order":"sign"}"#, Ok(WalkOrder::Close { signed: true })),
            (r#"{"order":"sign","minutes":5}"#, Err("bad_order")),
            (r#"{"order":"delete"}"#, Err("bad_order")),
            (r#"{"order":"open","silently":true}"#, Err("bad_body")),
            ("{}", Err("bad_body")),
            ("", Err("bad_body")),
        ];
        for (body, expected) in cases {
            assert_eq!(&understood(body.as_bytes()).map_err(|p| p.reason()), expected, "{body}");
        }
    }
}
