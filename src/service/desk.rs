//! The console of a running service.
use super::{Fatal, Running};
use std::sync::Arc;
/// The router.
pub fn console(running: &Arc<Running>) -> Result<axum::Router, Fatal> {
    let running = running.clone();
    Ok(axum::Router::new().route(
        "/readyz",
        axum::routing::get(move || {
            let r = running.clone();
            async move { format!("{:?}", r.readiness()) }
        }),
    ))
}
