//! The demo's own broker: rumqttd on loopback, so that a trial needs nothing installed. It keeps nothing on disk, knows no
//! access rights, gives a new subscription at most a hundred of the retained messages it holds (so the gateway should listen
//! before the homes begin), and cannot be stopped; in operation a broker of its own stands there (`deploy/`).

use rumqttd::{Broker, Config, ConnectionSettings, RouterConfig, ServerSettings};
use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

/// What whoever starts it must tell the user.
pub const BANNER: &str =
    "The embedded broker is NOT DURABLE: it forgets everything when the process ends. For trials on this machine only.";

/// Attempts to find a free port; another program can take it in the moment between finding and listening.
const ATTEMPTS: u32 = 5;
/// The largest message, in bytes; `bridge/devices` is the largest there is.
const MAX_PAYLOAD_BYTES: usize = 1024 * 1024;
/// Messages a filter keeps for absent clients: segments of so many bytes, so many of them. What goes beyond is overwritten
/// without a word, hence the banner.
const SEGMENT_BYTES: usize = 16 * 1024 * 1024;
const SEGMENTS: usize = 4;

/// A running broker. It lives as long as the process.
#[derive(Debug, Clone, Copy)]
pub struct EmbeddedBroker {
    port: u16,
}

impl EmbeddedBroker {
    /// Starts a broker on a free port of the loopback interface, and returns when it takes connections. Blocks for at most a
    /// few seconds.
    pub fn start() -> io::Result<EmbeddedBroker> {
        let mut last = io::Error::other("no free port on the loopback interface");
        for _ in 0..ATTEMPTS {
            match attempt() {
                Ok(broker) => return Ok(broker),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// The TCP port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// `mqtt://127.0.0.1:PORT`
    pub fn url(&self) -> String {
        format!("mqtt://127.0.0.1:{}", self.port)
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the broker tells nobody when it listens, so it is asked again and again"
)]
fn attempt() -> io::Result<EmbeddedBroker> {
    let listen = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
    let config = config(listen);
    let broker = thread::Builder::new().name("broker".to_owned()).spawn(move || Broker::new(config).start().is_ok())?;
    for _ in 0..100 {
        if TcpStream::connect(listen).is_ok() {
            return Ok(EmbeddedBroker { port: listen.port() });
        }
        if broker.is_finished() {
            break;
        }
        thread::sleep(Duration::from_millis(20));
    }
    Err(io::Error::other("the embedded broker does not listen"))
}

fn config(listen: SocketAddr) -> Config {
    let connections = ConnectionSettings {
        connection_timeout_ms: 5_000,
        max_payload_size: MAX_PAYLOAD_BYTES,
        max_inflight_count: 200,
        auth: None,
        external_auth: None,
        dynamic_filters: true,
    };
    let name = "demo".to_owned();
    let server = ServerSettings { name, listen, tls: None, next_connection_delay_ms: 1, connections };
    Config {
        router: RouterConfig {
            max_connections: 200,
            max_outgoing_packet_count: 200,
            max_segment_size: SEGMENT_BYTES,
            max_segment_count: SEGMENTS,
            ..RouterConfig::default()
        },
        v4: Some(HashMap::from([("1".to_owned(), server)])),
        ..Config::default()
    }
}
