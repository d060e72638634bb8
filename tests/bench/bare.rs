//! The bare subscriber to compare with: rumqttc in a process of its own, at QoS 1 with a persistent session and the gateway's limits,
//! which acknowledges every message at once and does nothing with it.

use crate::gateway::PATIENCE;
use rumqttc::{AsyncClient, Event, MqttOptions, Outgoing, Packet, QoS};
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// The argument that makes this program a bare subscriber.
pub const ARGUMENT: &str = "bare-subscriber";

/// The subscriber's side: prints a line when it is subscribed, and one for each marked message. It leaves, as the
/// gateway does, with everything acknowledged and a goodbye: when its stdin ends.
pub fn subscribe(port: u16) {
    let mut options = MqttOptions::new("bare", "127.0.0.1", port);
    options.set_clean_session(false).set_keep_alive(Duration::from_secs(12)).set_max_packet_size(16 << 20, 16 << 20);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let (client, mut events) = AsyncClient::new(options, 65_535);
        client.subscribe("zigbee2mqtt/#", QoS::AtLeastOnce).await.expect("a request");
        std::thread::spawn(move || {
            let _ = std::io::stdin().read_to_end(&mut Vec::new());
            client.try_disconnect().expect("a request");
        });
        let mut out = std::io::stdout().lock();
        loop {
            match events.poll().await.expect("the connection") {
                Event::Incoming(Packet::SubAck(_)) => writeln!(out, "subscribed").expect("stdout"),
                Event::Incoming(Packet::Publish(p)) if p.topic.ends_with("/button") => {
                    writeln!(out, "{}", p.topic).expect("stdout");
                }
                Event::Outgoing(Outgoing::Disconnect) => return,
                _ => continue,
            }
            out.flush().expect("stdout");
        }
    });
}

/// A running bare subscriber.
pub struct Bare {
    child: Child,
    lines: Receiver<(Instant, String)>,
}

impl Bare {
    pub fn start(port: u16) -> Bare {
        let this = std::env::current_exe().expect("this program");
        let mut command = Command::new(this);
        command.arg(ARGUMENT).arg(port.to_string()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("this program again");
        let out = child.stdout.take().expect("its stdout");
        let (send, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                let _ = send.send((Instant::now(), line));
            }
        });
        Bare { child, lines }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// When the line that ends so was printed.
    pub fn wait_for(&self, line: &str) -> Instant {
        loop {
            let (at, found) = self.lines.recv_timeout(PATIENCE).expect("a line of the bare subscriber");
            if found == line {
                return at;
            }
        }
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        // Waiting closes its stdin; its session stays at the broker.
        let _ = self.child.wait();
    }
}
