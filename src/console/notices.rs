//! Notices: what waits to be delivered now, and the latest attempts.

use super::Shared;
use super::alarms::{Asked, Wish, understood};
use super::gate::Caller;
use super::problem::Problem;
use crate::engine::change::Subject;
use crate::engine::site::Pending;
use crate::engine::time::Stamp;
use crate::keeper::core::Core;
use crate::keeper::ports::NoticeType;
use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

/// `GET /api/v1/notices`: `pending` now, the gravest first as they will go; `attempts` that were made, the newest first.
pub(super) async fn list(_: Caller, State(room): State<Shared>, asked: Asked<Wish>) -> Result<Json<Value>, Problem> {
    let wish = understood(asked)?;
    let limit = wish.limit();
    let (mut pending, mut attempts, mut waiting) = (Vec::new(), Vec::new(), 0);
    for site in room.sites_of(wish.site.as_deref())? {
        let (all, some) = site.keeper.ask(move |core| waits(core, limit)).await?;
        waiting += all;
        pending.extend(some);
        let id = site.id.clone();
        attempts.extend(room.past(move |history| history.deliveries(&id, limit)).await?);
    }
    pending.truncate(limit);
    attempts.truncate(limit);
    Ok(Json(json!({"now": room.wall().utc(), "waiting": waiting, "pending": pending, "attempts": attempts})))
}

/// How many notices wait, and up to `limit` of them.
fn waits(core: &Core, limit: usize) -> (usize, Vec<Value>) {
    let outbox = &core.site.outbox;
    let mut some: Vec<&Pending> = outbox.all().collect();
    some.sort_by_key(|p| (p.notice.priority(), p.notice.issued.tick));
    (outbox.len(), some.into_iter().take(limit).map(|p| shown(p, core.now())).collect())
}

fn shown(pending: &Pending, now: Stamp) -> Value {
    let notice = &pending.notice;
    let kind = match notice.subject {
        Subject::Rung { .. } => NoticeType::Notice,
        Subject::Taken { .. } => NoticeType::Taken,
        Subject::Closed { .. } => NoticeType::Closed,
        Subject::Digest { .. } => NoticeType::Digest,
        Subject::Test { .. } => NoticeType::Test,
    };
    let due = now.wall + pending.due.since(now.tick);
    json!({
        "id": notice.id, "alarm": notice.id.alarm, "channel": notice.channel, "type": kind.name(), "kind": notice.kind,
        "priority": notice.priority(), "issued_at": notice.issued.wall.utc(), "attempts": pending.attempts,
        "sending": pending.sending, "due_at": due.utc(),
    })
}
