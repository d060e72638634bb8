//! A broker that does exactly what a test tells it, packet by packet: for what a real one does only on its worst days.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use bytes::BytesMut;
use rumqttc::mqttbytes::QoS;
use rumqttc::{ConnAck, ConnectReturnCode, Packet, Publish, SubAck, SubscribeReasonCode};
use std::cell::RefCell;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::Duration;

/// A packet that a test waits for comes within this, or the test fails.
const PATIENCE: Duration = Duration::from_secs(15);

pub struct FakeBroker {
    socket: TcpListener,
    /// Accepted while another was waited for; held open and left alone.
    others: RefCell<Vec<Connection>>,
}

/// One accepted connection, behind its CONNECT.
pub struct Connection {
    pub client_id: String,
    stream: TcpStream,
    read: BytesMut,
}

impl FakeBroker {
    pub fn start() -> FakeBroker {
        FakeBroker {
            socket: TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port"),
            others: RefCell::default(),
        }
    }

    pub fn url(&self) -> String {
        format!("mqtt://{}", self.socket.local_addr().expect("address"))
    }

    /// The next connection of the client whose id ends so. Answers its CONNECT.
    pub fn accept(&self, client: &str, session_present: bool) -> Connection {
        loop {
            let connection = self.accept_any(session_present);
            if connection.client_id.ends_with(client) {
                return connection;
            }
            self.others.borrow_mut().push(connection);
        }
    }

    fn accept_any(&self, session_present: bool) -> Connection {
        let (stream, _) = self.socket.accept().expect("a connection");
        stream.set_read_timeout(Some(PATIENCE)).expect("timeout");
        let mut connection = Connection { client_id: String::new(), stream, read: BytesMut::new() };
        let Packet::Connect(connect) = connection.read() else { panic!("no CONNECT at first") };
        assert!(!connect.clean_session, "a persistent session");
        connection.client_id = connect.client_id;
        connection.write(Packet::ConnAck(ConnAck { session_present, code: ConnectReturnCode::Success }));
        connection
    }

    /// How many connections are tried within `time`; each is closed at once.
    pub fn count_attempts(&self, time: Duration) -> usize {
        let end = std::time::Instant::now() + time;
        self.socket.set_nonblocking(true).expect("nonblocking");
        let mut attempts = 0;
        while std::time::Instant::now() < end {
            attempts += usize::from(self.socket.accept().is_ok());
            std::thread::sleep(Duration::from_millis(5));
        }
        self.socket.set_nonblocking(false).expect("blocking");
        attempts
    }
}

impl Connection {
    /// The next packet, pings left out.
    pub fn read(&mut self) -> Packet {
        loop {
            match Packet::read(&mut self.read, 1 << 20) {
                Ok(Packet::PingReq) => self.write(Packet::PingResp),
                Ok(packet) => return packet,
                Err(rumqttc::mqttbytes::Error::InsufficientBytes(_)) => {
                    let mut bytes = [0; 4096];
                    match self.stream.read(&mut bytes) {
                        Ok(0) => panic!("the client closed the connection"),
                        Ok(n) => self.read.extend_from_slice(&bytes[..n]),
                        Err(why) => panic!("nothing came: {why}"),
                    }
                }
                Err(why) => panic!("no packet: {why}"),
            }
        }
    }

    /// Reads for a while; gives what came.
    pub fn read_for(&mut self, time: Duration) -> Vec<Packet> {
        let end = std::time::Instant::now() + time;
        let mut packets = Vec::new();
        loop {
            while let Ok(packet) = Packet::read(&mut self.read, 1 << 20) {
                packets.push(packet);
            }
            let left = end.saturating_duration_since(std::time::Instant::now());
            if left.is_zero() {
                break;
            }
            self.stream.set_read_timeout(Some(left)).expect("timeout");
            let mut bytes = [0; 4096];
            match self.stream.read(&mut bytes) {
                Ok(0) => break,
                Ok(n) => self.read.extend_from_slice(&bytes[..n]),
                Err(why) if matches!(why.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => break,
                Err(why) => panic!("{why}"),
            }
        }
        self.stream.set_read_timeout(Some(PATIENCE)).expect("timeout");
        packets
    }

    pub fn write(&mut self, packet: Packet) {
        let mut bytes = BytesMut::new();
        packet.write(&mut bytes, 1 << 20).expect("a packet");
        self.write_bytes(&bytes);
    }

    pub fn write_bytes(&mut self, bytes: &[u8]) {
        // The client may have hung up, which a test then sees elsewhere.
        let _ = self.stream.write_all(bytes);
    }

    /// Reads the SUBSCRIBE and grants it; gives its filters.
    pub fn grant(&mut self) -> Vec<String> {
        let Packet::Subscribe(subscribe) = self.read() else { panic!("no SUBSCRIBE") };
        let return_codes = vec![SubscribeReasonCode::Success(QoS::AtLeastOnce); subscribe.filters.len()];
        self.write(Packet::SubAck(SubAck { pkid: subscribe.pkid, return_codes }));
        subscribe.filters.into_iter().map(|filter| filter.path).collect()
    }

    /// Sends a message of QoS 1.
    pub fn publish(&mut self, pkid: u16, topic: &str) {
        self.write(Packet::Publish(Publish { pkid, ..Publish::new(topic, QoS::AtLeastOnce, "x") }));
    }

    /// Reads so many PUBACKs; gives their ids in order.
    pub fn pubacks(&mut self, n: usize) -> Vec<u16> {
        let mut pkids = Vec::new();
        while pkids.len() < n {
            match self.read() {
                Packet::PubAck(ack) => pkids.push(ack.pkid),
                other => panic!("no PUBACK but {other:?}"),
            }
        }
        pkids
    }
}
