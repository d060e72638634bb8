//! Cold waves: entered for a site by a person or a feed of the weather, over by themselves at their end.

use super::gate::{Caller, Operator};
use super::problem::{Problem, read};
use super::suppressions::when;
use super::{Room, Shared, Site};
use crate::engine::site::cold_wave::{ColdWave, ColdWaveRefusal, LONGEST};
use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

fn site_of<'r>(room: &'r Room, id: &str) -> Result<&'r Site, Problem> {
    room.sites_of(Some(id))?.first().ok_or_else(none)
}

fn none() -> Problem {
    Problem::not_found("no_cold_wave", "No cold wave lies on this site.")
}

/// The cold wave that lies on a site now.
pub(super) async fn lying_on(site: &Site) -> Result<Option<ColdWave>, Problem> {
    Ok(site.keeper.ask(|core| core.site.in_cold_wave(core.now().wall).cloned()).await?)
}

async fn shown(site: &Site) -> Result<Json<Value>, Problem> {
    let mut shown = json!(lying_on(site).await?.ok_or_else(none)?);
    shown["site"] = json!(site.id);
    Ok(Json(shown))
}

/// `GET /api/v1/cold-waves/{site}`
pub(super) async fn one(
    _: Caller,
    State(room): State<Shared>,
    Path(site): Path<String>,
) -> Result<Json<Value>, Problem> {
    shown(site_of(&room, &site)?).await
}

/// What may stand in the body.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    until: String,
}

/// `PUT /api/v1/cold-waves/{site}`: it lasts until then.
pub(super) async fn put(
    Operator(caller): Operator,
    State(room): State<Shared>,
    Path(site): Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, Problem> {
    let said: Said = read(&body?)?;
    let (site, until) = (site_of(&room, &site)?, when(&said.until)?);
    tracing::info!(account = %caller.name, site = %site.id, "a cold wave is entered");
    site.keeper.cold_wave(Some(until), caller.name).await??;
    shown(site).await
}

/// `DELETE /api/v1/cold-waves/{site}`: it is over.
pub(super) async fn end(
    Operator(caller): Operator,
    State(room): State<Shared>,
    Path(site): Path<String>,
) -> Result<StatusCode, Problem> {
    let site = site_of(&room, &site)?;
    tracing::info!(account = %caller.name, site = %site.id, "a cold wave is ended");
    site.keeper.cold_wave(None, caller.name).await??;
    Ok(StatusCode::NO_CONTENT)
}

impl From<ColdWaveRefusal> for Problem {
    fn from(refusal: ColdWaveRefusal) -> Problem {
        match refusal {
            ColdWaveRefusal::NotSet => none(),
            ColdWaveRefusal::BadEnd => {
                let days = LONGEST.as_secs() / 86_400;
                let detail = format!("until lies in the future, and at most {days} days ahead: enter it again then.");
                Problem::unfit("bad_end_of_wave", detail)
            }
        }
    }
}
