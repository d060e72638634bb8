//! MQTT in: two sessions per site as one pure machine, and the thin pump that moves their bytes through rumqttc.
//!
//! Reading order: `event` (the words between machine and pump), `session` (one connection after another, acknowledgements in order),
//! `lanes` (the two together, and which bulk messages are copies), `pump` (tasks and sockets). `transport` makes a connection's options,
//! `memory` is the small file that the lanes remember their sessions by.
//!
//! **Absent on purpose:** publishing (this client only listens), QoS 2, MQTT 5 (fewer traps for a client like this), a queue of our own:
//! what the keeper has not made durable waits at the broker, and reading pauses when too much is on the way.

#[cfg(test)]
mod tests;

mod acks;
mod breaks;
mod event;
mod fault;
mod filter;
mod lanes;
mod memory;
mod pump;
mod session;
mod transport;

pub use event::{Action, Event, LaneStatus, LinkState, Message, Out};
pub use fault::{Fault, Report};
pub use filter::{Filter, FilterSet};
pub use lanes::{Lanes, Memory, Status};
pub use pump::{Hooks, Sessions, Task, start};
pub use transport::BadSettings;

use std::fmt;
use std::path::PathBuf;

/// The topic filters of both lanes. Changes at runtime with the registry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LaneFilters {
    /// The fixed filters that can carry a call for help, and one per device that can send one.
    pub life: Vec<String>,
    /// Everything, the topics of `life` included.
    pub bulk: Vec<String>,
}

/// A password; never shown.
#[derive(Clone)]
pub struct Password(pub String);

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// Files in PEM for a `mqtts://` broker. They are read again at each connection, so a renewed certificate needs no restart.
#[derive(Debug, Clone, Default)]
pub struct TlsFiles {
    /// The authority that signed the broker's certificate; without it, the public ones.
    pub ca: Option<PathBuf>,
    /// Our certificate (chain) and its key.
    pub client: Option<(PathBuf, PathBuf)>,
}

/// Where the broker is and who we are.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `mqtt://host[:1883]` or `mqtts://host[:8883]`.
    pub url: String,
    /// The sessions are called `{client_id}-{site}-life` and `…-bulk`. No other client may be called so.
    pub client_id: String,
    pub site: String,
    pub login: Option<(String, Password)>,
    pub tls: TlsFiles,
    /// Seconds between signs of life, 5 to 15: below half of what the lanes take for settled.
    pub keepalive_s: u16,
    /// The file in which the lanes keep what they know of the broker's sessions, in a folder that exists. Losing it costs some presses
    /// counted twice, never one missed.
    pub memory: PathBuf,
}
