//! The load: a fleet's messages made beforehand and kept as the very bytes that go to the broker, so that making them takes nothing
//! from whom we measure; and a publisher that does no more than write them and count PUBACKs.

use hearthwatch::engine::time::{Millis, Wall};
use hearthwatch::fleet::{Cause, Command, Fleet, FleetHome, FleetOptions, Message};
use rumqttc::mqttbytes::QoS;
use rumqttc::mqttbytes::v4::{Connect, Publish};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::{Duration, Instant};

/// Connections of a flood: a broker reads one packet of each in turn.
const CONNECTIONS: usize = 4;
/// Messages on the way of one connection, and how many are written at once.
const WINDOW: usize = 1_000;
const CHUNK: usize = 100;
/// A fixed seed: every run sends the same.
const SEED: u64 = 11;

/// Homes of Zigbee2MQTT, nobody of whom presses a button by accident: presses are what is measured.
fn fleet(homes: u32) -> Fleet {
    let quiet = FleetOptions {
        own_dialect_every: 0,
        presses_per_home_month: 0.0,
        dangers_per_home_month: 0.0,
        ..FleetOptions::default()
    };
    Fleet::new(SEED, homes, quiet)
}

/// The homes as the registry wants them.
pub fn homes(count: u32) -> Vec<FleetHome> {
    fleet(count).homes().to_vec()
}

/// The first messages of the fleet's day.
pub fn messages(homes: u32, count: usize) -> Vec<Message> {
    fleet(homes).take(count).collect()
}

/// The first message of a press in each home, by home.
pub fn presses(homes: u32, start: Wall) -> Vec<(String, Message)> {
    let mut fleet = fleet(homes);
    let names: Vec<String> = fleet.homes().iter().map(|h| h.id.clone()).collect();
    for home in &names {
        // Every home of the fleet has a button.
        let _ = fleet.command(start, home, Command::Press);
    }
    let mut first = vec![None; names.len()];
    while let Some(message) = fleet.next_by(start + Millis::from_mins(1)) {
        if let (Cause::Sos, Some(home)) = (message.cause, message.home) {
            first[home].get_or_insert(message);
        }
    }
    names.into_iter().zip(first).filter_map(|(name, message)| Some((name, message?))).collect()
}

/// A press of a button that nobody registered: through the bulk lane alone, in line with all other messages.
pub fn mark(name: &str) -> (String, String) {
    (format!("zigbee2mqtt/{name}/button"), r#"{"action":"emergency","battery":88,"linkquality":92}"#.to_owned())
}

/// The messages of one connection as bytes, each with an id, and where each ends.
#[derive(Default)]
struct Stream {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Stream {
    fn push(&mut self, topic: &str, payload: &[u8], retain: bool) {
        let mut publish = Publish::new(topic, QoS::AtLeastOnce, payload);
        publish.pkid = (self.ends.len() % 65_535) as u16 + 1;
        publish.retain = retain;
        let mut packet = bytes::BytesMut::new();
        publish.write(&mut packet).expect("a small packet");
        self.bytes.extend_from_slice(&packet);
        self.ends.push(self.bytes.len());
    }

    fn chunk(&self, from: usize, to: usize) -> &[u8] {
        let begin = if from == 0 { 0 } else { self.ends[from - 1] };
        &self.bytes[begin..self.ends[to - 1]]
    }
}

/// A flood, ready to be sent as often as wanted.
pub struct Load {
    streams: Vec<Stream>,
    pub count: usize,
}

impl Load {
    pub fn new(messages: &[Message]) -> Load {
        let mut streams: Vec<Stream> = (0..CONNECTIONS).map(|_| Stream::default()).collect();
        for message in messages {
            // All of a home goes one way, so that it stays in order.
            let stream = &mut streams[message.home.unwrap_or(0) % CONNECTIONS];
            stream.push(&message.topic, message.payload.as_bytes(), message.retain);
        }
        Load { streams, count: messages.len() }
    }

    /// Sends all of it as fast as the broker takes it, or at `rate` messages a second; returns when all is acknowledged, or sooner when
    /// `go_on` says no.
    pub fn send(&self, port: u16, rate: Option<f64>, go_on: &(dyn Fn() -> bool + Sync)) -> Duration {
        let begun = Instant::now();
        std::thread::scope(|scope| {
            for (number, stream) in self.streams.iter().enumerate() {
                let share = stream.ends.len() as f64 / self.count as f64;
                scope.spawn(move || {
                    let mut publisher = Publisher::connect(port, &format!("load-{number}"));
                    publisher.send_all(stream, rate.map(|r| r * share), go_on);
                });
            }
        });
        begun.elapsed()
    }
}

/// One connection that publishes at QoS 1.
pub struct Publisher {
    socket: TcpStream,
    sent: usize,
    acknowledged: usize,
    /// Bytes of a PUBACK that has come in part.
    half: usize,
}

impl Publisher {
    pub fn connect(port: u16, id: &str) -> Publisher {
        let mut socket = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("the broker listens");
        socket.set_nodelay(true).expect("a socket option");
        let mut connect = Connect::new(id);
        connect.keep_alive = 600;
        let mut packet = bytes::BytesMut::new();
        connect.write(&mut packet).expect("a small packet");
        socket.write_all(&packet).expect("CONNECT");
        let mut answer = [0; 4];
        socket.read_exact(&mut answer).expect("CONNACK");
        assert_eq!((answer[0], answer[3]), (0x20, 0), "the broker accepts");
        Publisher { socket, sent: 0, acknowledged: 0, half: 0 }
    }

    /// Sends one message and waits until the broker has it.
    pub fn press(&mut self, topic: &str, payload: &[u8]) {
        let mut stream = Stream::default();
        stream.push(topic, payload, false);
        self.socket.write_all(&stream.bytes).expect("PUBLISH");
        self.sent += 1;
        self.wait_until_unanswered(0);
    }

    fn send_all(&mut self, stream: &Stream, rate: Option<f64>, go_on: &dyn Fn() -> bool) {
        let begun = Instant::now();
        let chunk = if rate.is_some() { 1 } else { CHUNK };
        let mut at = 0;
        while at < stream.ends.len() && go_on() {
            if let Some(rate) = rate {
                let due = begun + Duration::from_secs_f64(at as f64 / rate);
                std::thread::sleep(due.saturating_duration_since(Instant::now()));
            }
            self.wait_until_unanswered(WINDOW - chunk);
            let to = (at + chunk).min(stream.ends.len());
            self.socket.write_all(stream.chunk(at, to)).expect("PUBLISH");
            self.sent += to - at;
            at = to;
        }
        self.wait_until_unanswered(0);
    }

    fn wait_until_unanswered(&mut self, most: usize) {
        let mut buffer = [0; 4 * WINDOW];
        while self.sent - self.acknowledged > most {
            // A publisher at QoS 1 is sent nothing but PUBACKs of four bytes.
            let read = self.socket.read(&mut buffer).expect("PUBACK");
            assert!(read > 0, "the broker has hung up");
            self.half += read;
            self.acknowledged += self.half / 4;
            self.half %= 4;
        }
    }
}
