//! The channels: how each does, and whether a person has seen a test message of it.

use super::alarms::{Asked, Wish, understood};
use super::gate::{Caller, Operator, random};
use super::problem::{Problem, read};
use super::{Room, Shared, Site};
use crate::engine::id::ChannelId;
use crate::engine::registry::Channel;
use crate::engine::site::proof::{CODE_LASTS, ProofRefusal};
use crate::engine::time::Wall;
use crate::keeper::core::Core;
use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::{Value, json};

fn none() -> Problem {
    Problem::not_found("no_such_channel", "No channel of this id is registered.")
}

/// A channel as anybody may see it: not where it leads, which may be a secret.
fn shown(core: &Core, channel: &Channel, now: Wall) -> Value {
    let site = &core.site;
    let asked = site.proofs.get(&channel.id).and_then(|proof| proof.asked.as_ref());
    let asked = asked.filter(|asked| now.since(asked.at) <= CODE_LASTS);
    let waiting = site.outbox.all().filter(|pending| pending.notice.channel == channel.id).count();
    json!({
        "id": channel.id, "site": channel.site, "dialect": channel.dialect, "medium": channel.medium(), "language": channel.language,
        "include_personal": channel.include_personal, "per_minute": channel.per_minute(), "waiting": waiting,
        "down_since": site.down_since(&channel.id).map(Wall::utc), "seen": site.seen_by(&channel.id, now),
        "asked_at": asked.map(|asked| asked.at.utc()),
    })
}

/// `GET /api/v1/channels`
pub(super) async fn list(_: Caller, State(room): State<Shared>, asked: Asked<Wish>) -> Result<Json<Value>, Problem> {
    let wish = understood(asked)?;
    let (now, mut channels) = (room.wall(), Vec::new());
    for site in room.sites_of(wish.site.as_deref())? {
        let all = site.keeper.ask(move |core| {
            core.site.registry.channels.values().map(|channel| shown(core, channel, now)).collect::<Vec<_>>()
        });
        channels.extend(all.await?);
    }
    Ok(Json(json!({"now": now.utc(), "channels": channels})))
}

/// The site of a channel, and the channel.
async fn site_of<'r>(room: &'r Room, id: &str) -> Result<(&'r Site, ChannelId), Problem> {
    let channel = ChannelId::new(id).map_err(|_| none())?;
    let wanted = channel.clone();
    let found = room.found(move |core| core.site.registry.channels.contains_key(&wanted).then_some(())).await?;
    found.map(|(site, ())| (&room.sites[site], channel)).ok_or_else(none)
}

async fn one(room: &Room, site: &Site, channel: ChannelId) -> Result<Json<Value>, Problem> {
    let now = room.wall();
    let shown =
        site.keeper.ask(move |core| core.site.registry.channels.get(&channel).map(|known| shown(core, known, now)));
    shown.await?.map(Json).ok_or_else(none)
}

/// Four digits, to be read aloud.
fn code() -> Box<str> {
    let [a, b, c, d, ..] = random();
    format!("{:04}", u32::from_le_bytes([a, b, c, d]) % 10_000).into()
}

/// `POST /api/v1/channels/{id}/test`: a test message with a code goes out.
pub(super) async fn test(
    Operator(caller): Operator,
    State(room): State<Shared>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    let (site, channel) = site_of(&room, &id).await?;
    tracing::info!(account = %caller.name, %channel, "a test message is sent");
    site.keeper.test_channel(channel.clone(), code()).await??;
    one(&room, site, channel).await
}

/// What may stand in the body.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    code: String,
}

/// `POST /api/v1/channels/{id}/confirm`: somebody has received it, and said its code.
pub(super) async fn confirm(
    Operator(caller): Operator,
    State(room): State<Shared>,
    Path(id): Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, Problem> {
    let said: Said = read(&body?)?;
    let (site, channel) = site_of(&room, &id).await?;
    site.keeper.channel_seen(channel.clone(), said.code.trim().into(), caller.name.clone()).await??;
    tracing::info!(account = %caller.name, %channel, "a person has seen the channel's test message");
    one(&room, site, channel).await
}

impl From<ProofRefusal> for Problem {
    fn from(refusal: ProofRefusal) -> Problem {
        match refusal {
            ProofRefusal::NoSuchChannel => none(),
            ProofRefusal::NotAsked => {
                Problem::unfit("no_test_waits", "No test message waits for its code: send one first.")
            }
            ProofRefusal::WrongCode => {
                Problem::unfit("wrong_code", "That is not the code of the last test message of this channel.")
            }
        }
    }
}
