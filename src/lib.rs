//! Hearthwatch: hears the homes, and does not rest until a person has come.
//!
//! ```text
//!  devices ─ MQTT broker ─► mqtt ─► wire (decode) ─► keeper ─► journal (one record per turn, synced)
//!                             ▲                        │  ├── only then: PUBACK, answers, notices
//!                             │                        │  └── store (sled) follows: closed alarms, timelines; derived
//!                             └────── acknowledge ─────┤
//!                                                      ├─► courier ─► webhooks ─► outcome back to the keeper
//!                                                      └─► console (pages, API, events)
//! ```
//!
//! The rooms in reading order, and whom each may know (`tests/law.rs` holds them to it):
//!
//! | room | what it is | knows |
//! | --- | --- | --- |
//! | [`engine`] | the heart, pure: two machines, `home` and `site` | nobody |
//! | [`wire`] | bytes to engine types and back, pure | engine |
//! | [`keeper`] | the one owner of a site's state; the turn | engine |
//! | [`journal`] | segments, checkpoints, recovery, sealed fields | engine, the keeper's ports |
//! | [`store`] | sled: a follower of the journal, and its queries | engine, the keeper's ports and records |
//! | [`mqtt`] | two sessions as a pure machine, and their pump | engine, the keeper's ports |
//! | [`courier`] | answers classified by a pure machine, and the pump | engine, wire, the keeper's ports |
//! | [`console`] | pages, API, events, sign-in | engine, the keeper's handle and board |
//! | [`clock`] | the only reader of time | engine |
//! | [`config`], [`roster`] | the configuration; the registry as files | engine (and wire's webhook templates) |
//! | [`fleet`] | simulated homes that speak real dialects | engine |
//! | [`replay`] | recorded readings through the same engine | engine |
//! | [`service`], [`commands`] | the wiring, and what the commands do | all |
//! | [`sim`] | the whole core in one thread, in a world where everything fails | all |
//!
//! **Absent on purpose:** a second copy of any truth (the journal is the only one), a clock or a random number in a decision, a
//! queue that drops, a retry of a failed sync, an alarm that can be deleted.

pub mod clock;
pub mod commands;
pub mod config;
pub mod console;
pub mod courier;
pub mod engine;
pub mod fleet;
pub mod journal;
pub mod keeper;
pub mod mqtt;
pub mod replay;
pub mod roster;
pub mod service;
pub mod sim;
pub mod store;
pub mod wire;

use std::io::IsTerminal as _;
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

/// Sets up what every command needs (the TLS provider, the log on stderr) and runs one.
pub fn enter(json_log: bool, command: impl Future<Output = ExitCode>) -> ExitCode {
    // Two libraries would each panic at their first connection without it; a second call changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let filter =
        EnvFilter::try_from_env("HEARTHWATCH_LOG").unwrap_or_else(|_| EnvFilter::new("info,sled=warn,rumqttd=off"));
    // Colours are for people at a terminal; a log file or the system's log would keep their escape codes.
    let colours = std::io::stderr().is_terminal();
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours).with_writer(std::io::stderr);
    if json_log {
        log.json().init();
    } else {
        log.init();
    }
    match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(command),
        Err(error) => commands::fail(format!("the runtime does not start: {error}")),
    }
}
