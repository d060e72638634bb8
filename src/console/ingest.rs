//! The way in for vendors' clouds: messages pushed over HTTP, signed as Standard Webhooks 1.0 says, in the dialect of their source.
//!
//! Answered with 200 only after the sync. A message that is pushed again under its `webhook-id` is the same one.

use super::Shared;
use super::once::{Answered, MAX_KEY_BYTES};
use super::problem::Problem;
use crate::engine::id::{SiteId, SourceId};
use crate::keeper::inbox::{Pushed, Took};
use crate::wire::envelope::Envelope;
use crate::wire::webhook::standard::Secrets;
use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use std::hash::{DefaultHasher, Hash, Hasher};

/// The largest body that is read.
pub(super) const MAX_BODY_BYTES: usize = 1 << 20;
/// The most messages of one request.
const MAX_MESSAGES: usize = 256;
/// The longest topic in bytes: no device has one that is half so long.
const MAX_TOPIC_BYTES: usize = 1_024;
/// How far a request's time may be off (Standard Webhooks 1.0 leaves it to the receiver; its libraries take five minutes).
const TOLERANCE_S: i64 = 300;

/// A source that may push.
pub struct PushSource {
    pub source: SourceId,
    pub site: SiteId,
    pub secrets: Secrets,
}

/// `POST /api/v1/ingest/{source}`
pub(super) async fn push(
    State(room): State<Shared>,
    Path(source): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, Problem> {
    let body = body.map_err(|_| {
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "A request may have 1 MiB; divide it.")
    })?;
    let from = room.pushes.iter().find(|from| from.source.as_str() == source);
    let from = from.ok_or_else(|| Problem::not_found("no_such_source", "No source of this name may push."))?;
    let id = signed(from, &headers, &body, room.wall().0 / 1_000)?;
    let messages = messages(&body, &id)?;
    let site = room.site(&from.site).ok_or_else(|| Problem::not_found("no_such_site", "Its site is not served."))?;
    let (keeper, mut hasher) = (site.keeper.clone(), DefaultHasher::new());
    body.hash(&mut hasher);
    let (key, source) = ((source, "ingest".to_owned(), id), from.source.clone());
    let answer = room.pushed.run(key, hasher.finish(), async move { told(&keeper.push(source, messages).await?) });
    answer.await.map(Json)
}

/// The `webhook-id` of a request that is rightly signed. One answer for everything that is wrong with a signature.
fn signed(from: &PushSource, headers: &HeaderMap, body: &[u8], now_s: i64) -> Result<String, Problem> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (id, timestamp) = (text("webhook-id"), text("webhook-timestamp").parse::<i64>().unwrap_or(i64::MIN));
    let known =
        !id.is_empty() && id.len() <= MAX_KEY_BYTES && (now_s - TOLERANCE_S..=now_s + TOLERANCE_S).contains(&timestamp);
    match known && from.secrets.verify(id, timestamp, body, text("webhook-signature")) {
        true => Ok(id.to_owned()),
        false => Err(Problem::new(
            StatusCode::UNAUTHORIZED,
            "bad_signature",
            "Sign webhook-id, webhook-timestamp (now, in seconds) and the body with the source's whsec_… secret, as Standard Webhooks 1.0 says.",
        )),
    }
}

/// One message, or a list of them. All of it stands in the body, since nothing else is signed.
fn messages(body: &Bytes, id: &str) -> Result<Vec<Pushed>, Problem> {
    let unfit = |detail: &'static str| Problem::unfit("bad_messages", detail);
    let list = body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[');
    let read = match list {
        true => serde_json::from_slice::<Vec<Envelope>>(body),
        false => serde_json::from_slice::<Envelope>(body).map(|one| vec![one]),
    };
    let envelopes = read.map_err(|_| unfit("Send {\"topic\": …, \"payload\": …}, or a list of such."))?;
    if envelopes.is_empty() || envelopes.len() > MAX_MESSAGES {
        return Err(unfit("Send 1 to 256 messages."));
    }
    if envelopes.iter().any(|envelope| envelope.topic.len() > MAX_TOPIC_BYTES) {
        return Err(Problem::unfit(
            "topic_too_long",
            "A topic has at most 1024 bytes; nothing of the request was taken.",
        ));
    }
    let pushed = envelopes.iter().enumerate().map(|(n, envelope)| {
        let payload = envelope.payload()?.into_owned().into();
        Some(Pushed { topic: envelope.topic.to_string(), payload, id: format!("{id}/{n}") })
    });
    pushed.collect::<Option<_>>().ok_or_else(|| unfit("A payload is not what its encoding says."))
}

/// What each message came to. Where one found no room, all have to come again: what was taken is not taken twice. That is an error of
/// the work and not its answer, since an answer would be given to the same push for ever.
fn told(took: &[Took]) -> Result<Answered, Problem> {
    let one = |took: &Took| match took {
        Took::Readings(n) => json!({"outcome": "readings", "readings": n}),
        Took::Ignored(reason) => json!({"outcome": "ignored", "reason": reason}),
        Took::Rejected(reason) => json!({"outcome": "rejected", "reason": reason}),
        Took::Unread => json!({"outcome": "quarantined"}),
        Took::NoRoom => json!({"outcome": "no_room"}),
    };
    let messages: Vec<Value> = took.iter().map(one).collect();
    match took.contains(&Took::NoRoom) {
        true => {
            Err(Problem::unavailable("disk_full", "The disk is full: only calls for help are taken; push again later.")
                .retry_after(60)
                .with("messages", messages))
        }
        false => Ok(Ok(json!({"messages": messages}))),
    }
}
