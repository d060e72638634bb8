//! A witness between the service and its broker: passes every byte on, and remembers what was delivered and what was acknowledged.
//! So a message that a broker forgot can be told from one that the service accepted and lost.
#![allow(dead_code, reason = "each test takes what it needs")]

use std::collections::{BTreeSet, HashMap};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What went over the wire, by topic. QoS 1 only.
#[derive(Debug, Default, Clone)]
pub struct Seen {
    /// The broker sent it.
    pub delivered: BTreeSet<String>,
    /// The life session sent a PUBACK for it.
    pub acknowledged_by_life: BTreeSet<String>,
    /// Another session did.
    pub acknowledged_by_bulk: BTreeSet<String>,
}

/// Listens on a port of its own until the test ends.
pub struct Witness {
    port: u16,
    seen: Arc<Mutex<Seen>>,
}

/// What both directions of a connection know.
struct Wire {
    seen: Arc<Mutex<Seen>>,
    /// The topic that a packet id stands for at present.
    topics: Mutex<HashMap<u16, String>>,
    life: Mutex<bool>,
}

impl Witness {
    /// Before a broker on this loopback port, which may die and come again.
    pub fn before(broker: u16) -> Witness {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let seen: Arc<Mutex<Seen>> = Arc::default();
        let of_all = seen.clone();
        std::thread::spawn(move || {
            for gateway in listener.incoming().map_while(Result::ok) {
                // Where the broker is away the service finds its connection closed.
                let Ok(broker) = TcpStream::connect((Ipv4Addr::LOCALHOST, broker)) else { continue };
                let wire = Arc::new(Wire { seen: of_all.clone(), topics: Mutex::default(), life: Mutex::new(false) });
                for (mut from, mut to) in [twins(&broker, &gateway), twins(&gateway, &broker)] {
                    let wire = wire.clone();
                    std::thread::spawn(move || wire.pass(&mut from, &mut to));
                }
            }
        });
        Witness { port, seen }
    }

    pub fn url(&self) -> String {
        format!("mqtt://127.0.0.1:{}", self.port)
    }

    pub fn seen(&self) -> Seen {
        self.seen.lock().expect("seen").clone()
    }
}

fn twins(from: &TcpStream, to: &TcpStream) -> (TcpStream, TcpStream) {
    let _ = from.set_nodelay(true);
    (from.try_clone().expect("a socket"), to.try_clone().expect("a socket"))
}

impl Wire {
    /// One direction, until an end closes. What is remembered is remembered before it is passed on.
    fn pass(&self, from: &mut TcpStream, to: &mut TcpStream) {
        let (mut unread, mut chunk) = (Vec::new(), [0; 16_384]);
        while let Ok(n @ 1..) = from.read(&mut chunk) {
            unread.extend_from_slice(&chunk[..n]);
            while let Some((kind, body, length)) = packet(&unread) {
                self.note(kind, body);
                unread.drain(..length);
            }
            if to.write_all(&chunk[..n]).is_err() {
                break;
            }
        }
        let _ = from.shutdown(Shutdown::Both);
        let _ = to.shutdown(Shutdown::Both);
    }

    fn note(&self, kind: u8, body: &[u8]) {
        let number = |at: usize| u16::from_be_bytes([body[at], body[at + 1]]);
        let text = |at: usize| String::from_utf8_lossy(&body[at + 2..at + 2 + number(at) as usize]).into_owned();
        let mut topics = self.topics.lock().expect("topics");
        match kind >> 4 {
            // CONNECT: behind the protocol's name, version, flags and keepalive stands who it is.
            1 => *self.life.lock().expect("life") = text(number(0) as usize + 6).ends_with("life"),
            3 if kind & 0b110 == 0b010 => {
                let topic = text(0);
                self.seen.lock().expect("seen").delivered.insert(topic.clone());
                topics.insert(number(2 + topic.len()), topic);
            }
            4 => {
                let Some(topic) = topics.remove(&number(0)) else { return };
                let mut seen = self.seen.lock().expect("seen");
                match *self.life.lock().expect("life") {
                    true => seen.acknowledged_by_life.insert(topic),
                    false => seen.acknowledged_by_bulk.insert(topic),
                };
            }
            _ => {}
        }
    }
}

/// The first whole packet: its first byte, its body, and how long it is in all.
fn packet(bytes: &[u8]) -> Option<(u8, &[u8], usize)> {
    let (mut length, mut at) = (0_usize, 1);
    loop {
        let byte = *bytes.get(at)?;
        length |= usize::from(byte & 0x7f) << (7 * (at - 1));
        at += 1;
        if byte & 0x80 == 0 {
            return Some((bytes[0], bytes.get(at..at + length)?, at + length));
        }
    }
}
