//! Whether the service lives, is ready, and how it does. Open to whoever reaches the port: nothing personal is in it.

use super::Shared;
use super::problem::Problem;
use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use serde::Serialize;
use serde_json::{Value, json};

/// A part of the service that has to work.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Part {
    /// One word: subscribed, journal, keeper.
    pub name: String,
    pub ok: bool,
    /// For people: what is wrong, or a figure.
    pub detail: String,
}

/// `GET /healthz`: the process answers.
pub(super) async fn alive() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: every part works; else 503 with the names of those that do not.
pub(super) async fn ready(State(room): State<Shared>) -> Result<Json<Value>, Problem> {
    let parts = (room.readiness)();
    let failing: Vec<&str> = parts.iter().filter(|part| !part.ok).map(|part| part.name.as_str()).collect();
    if failing.is_empty() {
        return Ok(Json(json!({"ready": true, "parts": parts})));
    }
    let problem = Problem::unavailable("not_ready", "These parts do not work; their details say why.");
    Err(problem.with("failing", failing.clone()).with("parts", json!(parts)))
}

/// `GET /metrics`
pub(super) async fn metrics(State(room): State<Shared>) -> impl IntoResponse {
    super::devices::count_uncovered(&room).await;
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], (room.metrics)())
}
