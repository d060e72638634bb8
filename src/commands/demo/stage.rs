//! The stage: a page with the homes, from which something can be made to happen in one, beside the caseworker's phone.

use crate::engine::kind::Kind;
use crate::fleet::{Command, FleetHome};
use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{Html, IntoResponse};
use axum::routing::{get, post};
use maud::{DOCTYPE, Markup, html};
use std::sync::Arc;
use tokio::sync::mpsc::Sender;

/// Something is to happen in a home.
pub struct Order {
    pub home: String,
    pub command: Command,
}

struct Stage {
    page: String,
    orders: Sender<Order>,
}

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'";

/// The routes of the stage; for a listener on loopback.
pub fn router(homes: &[FleetHome], orders: Sender<Order>, console: String) -> Router {
    let stage = Arc::new(Stage { page: page(homes, &console).into_string(), orders });
    Router::new()
        .route("/stage", get(show))
        .route("/stage.js", get(|| asset("text/javascript", include_str!("stage.js"))))
        .route("/stage.css", get(|| asset("text/css", include_str!("stage.css"))))
        .route("/order/{home}/{what}", post(order))
        .with_state(stage)
}

async fn show(State(stage): State<Arc<Stage>>) -> impl IntoResponse {
    ([(header::CONTENT_SECURITY_POLICY, POLICY)], Html(stage.page.clone()))
}

async fn asset(kind: &'static str, text: &'static str) -> impl IntoResponse {
    let headers: [(HeaderName, &str); 1] = [(header::CONTENT_TYPE, kind)];
    (headers, text)
}

async fn order(State(stage): State<Arc<Stage>>, Path((home, what)): Path<(String, String)>) -> StatusCode {
    let command = match what.as_str() {
        "sos" => Command::Press,
        "smoke" => Command::Danger(Kind::Smoke),
        "collapse" => Command::Collapse,
        _ => return StatusCode::NOT_FOUND,
    };
    match stage.orders.try_send(Order { home, command }) {
        Ok(()) => StatusCode::NO_CONTENT,
        Err(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

fn page(homes: &[FleetHome], console: &str) -> Markup {
    html! {
        (DOCTYPE)
        html lang="zh" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "守望 Hearthwatch · 演示 demo" }
                link rel="stylesheet" href="/stage.css";
                script src="/stage.js" defer {}
            }
            body {
                header {
                    h1 { span.mark { "守望" } " Hearthwatch" }
                    p { "按下任一住户的 SOS，看两秒内谁的手机响起；不接单，半分钟后呼叫下一人。" br;
                        "Press SOS in any home and see whose phone rings within two seconds; leave it, and half a minute later the next one rings." }
                    a.console href=(console) target="_blank" rel="noopener" { "打开值班台 Open the console ↗" }
                }
                main {
                    section.homes aria-label="住户 homes" {
                        @for home in homes {
                            @let smoke = home.devices.iter().any(|d| d.address.ends_with("smoke"));
                            article.home data-home=(home.id) {
                                h2 { (home.id) }
                                p { (home.community) " " (home.block) br; (home.residents.iter().map(|r| r.name.as_str()).collect::<Vec<_>>().join("、")) }
                                div.deeds {
                                    button.sos data-what="sos" { "SOS" }
                                    @if smoke { button.smoke data-what="smoke" { "烟 smoke" } }
                                }
                            }
                        }
                    }
                    section.phone aria-label="手机 phone" { iframe src="/" title="手机 phone" {} }
                }
                p #said role="status" {}
            }
        }
    }
}
