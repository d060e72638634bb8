//! A webhook receiver on loopback that does as it is told: the stand-in for every caseworker's phone in the tests.
//!
//! It runs on threads of its own, so it serves blocking tests, async tests and tests that start the gateway as a process alike.
//! Take it into a test with `#[path = "support/receiver.rs"] mod receiver;`, beside `port.rs`.
//!
//! ```ignore
//! let receiver = Receiver::start();                       // answers 200
//! receiver.then([Behaviour::Status(503), Behaviour::Hang]); // the next two requests, one each
//! receiver.behave(Behaviour::Status(500));                // every request after those
//! let seen = receiver.wait_for(3, Duration::from_secs(5)); // headers, body, time, connection of each
//! receiver.stop();                                        // port closed: connections are refused
//! receiver.restart();                                     // the same port again
//! ```
#![allow(dead_code, reason = "each test takes what it needs")]

use super::port::Port;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use std::collections::{HashMap, VecDeque};
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// What the receiver does with a request once it has read and recorded it.
#[derive(Debug, Clone)]
pub enum Behaviour {
    /// Answers with this status and a short body; the connection is kept.
    Status(u16),
    /// Answers with this status and a `Retry-After` of this text.
    RetryAfter(u16, String),
    /// Answers with this status and a `Location` of this text.
    Redirect(u16, String),
    /// Answers 200 after this time.
    After(Duration),
    /// Answers 200 with a body of so many bytes.
    Large(usize),
    /// Never answers.
    Hang,
    /// Closes the connection instead of answering.
    CloseBeforeAnswer,
    /// Answers 200, announces 100 bytes, sends ten and closes.
    CloseMidBody,
    /// Slow-loris: begins the head of an answer and goes on with one byte in each such time, for ever.
    DripHead(Duration),
    /// Answers 200, announces a long body and sends one byte of it in each such time.
    DripBody(Duration),
    /// Answers with something that is no HTTP.
    Garbage,
    /// Answers as somebody who has read the request.
    Thoughtful(Mind),
}

/// What a [`Behaviour::Thoughtful`] receiver answers to a request: a status and a body.
#[derive(Clone)]
pub struct Mind(pub Arc<Answer>);

type Answer = dyn Fn(&Request) -> (u16, String) + Send + Sync;

impl std::fmt::Debug for Mind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Mind")
    }
}

/// One request as it came.
#[derive(Debug, Clone)]
pub struct Request {
    /// When the last byte of it had been read.
    pub at: Instant,
    /// Counts the connections of the receiver from 1; equal numbers came over the same one.
    pub connection: u64,
    pub method: String,
    pub path: String,
    /// Names in lower case, in the order they came.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Request {
    /// The first header of this (lower case) name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON; panics where it is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("the body of a webhook is JSON")
    }
}

struct State {
    behaviour: Behaviour,
    script: VecDeque<Behaviour>,
    requests: Vec<Request>,
    connections: u64,
    open: HashMap<u64, TcpStream>,
    stopped: bool,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    tls: Option<Arc<rustls::ServerConfig>>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The receiver. It stops when dropped.
pub struct Receiver {
    shared: Arc<Shared>,
    port: Port,
    /// The one socket that listens, for the whole life: closing it would leave the port with whatever child process another test is just
    /// beginning, which has a copy of it until it becomes another program.
    listener: TcpListener,
    accepting: Mutex<Option<JoinHandle<()>>>,
}

impl Receiver {
    /// Listens on a free port of 127.0.0.1 without TLS and answers 200.
    pub fn start() -> Receiver {
        Receiver::listen(None)
    }

    /// The same with TLS, showing this certificate.
    pub fn start_tls(certificate: rustls::ServerConfig) -> Receiver {
        Receiver::listen(Some(Arc::new(certificate)))
    }

    fn listen(tls: Option<Arc<rustls::ServerConfig>>) -> Receiver {
        let port = Port::hold();
        let listener = TcpListener::bind(port.address()).expect("the port is held for it");
        let state = State {
            behaviour: Behaviour::Status(200),
            script: VecDeque::new(),
            requests: Vec::new(),
            connections: 0,
            open: HashMap::new(),
            stopped: false,
        };
        let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new(), tls });
        let receiver = Receiver { shared, port, listener, accepting: Mutex::new(None) };
        receiver.accept();
        receiver
    }

    fn accept(&self) {
        let (shared, listener) = (self.shared.clone(), self.listener.try_clone().expect("a socket"));
        let accepting = thread::spawn(move || {
            for stream in listener.incoming() {
                let mut state = shared.state();
                if state.stopped {
                    return;
                }
                let Ok(stream) = stream else { continue };
                state.connections += 1;
                let number = state.connections;
                if let Ok(handle) = stream.try_clone() {
                    state.open.insert(number, handle);
                }
                drop(state);
                let shared = shared.clone();
                thread::spawn(move || {
                    // The peer may break a connection at any time; what it had said is recorded.
                    let _ = serve(&shared, stream, number);
                    shared.state().open.remove(&number);
                });
            }
        });
        *self.accepting.lock().unwrap_or_else(PoisonError::into_inner) = Some(accepting);
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.port.address()
    }

    /// `http://127.0.0.1:PORT/hook`, or `https://…` with TLS.
    pub fn url(&self) -> String {
        let scheme = if self.shared.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}/hook", self.address())
    }

    /// What it does from now on, once the script is used up.
    pub fn behave(&self, behaviour: Behaviour) {
        self.shared.state().behaviour = behaviour;
    }

    /// Puts these at the end of the script: one request each.
    pub fn then(&self, script: impl IntoIterator<Item = Behaviour>) {
        self.shared.state().script.extend(script);
    }

    /// Every request so far.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.state().requests.clone()
    }

    /// Waits until there are at least `count` requests, and gives all; panics after `patience`.
    pub fn wait_for(&self, count: usize, patience: Duration) -> Vec<Request> {
        let waiting = |state: &mut State| state.requests.len() < count;
        let (state, _) = self
            .shared
            .changed
            .wait_timeout_while(self.shared.state(), patience, waiting)
            .unwrap_or_else(PoisonError::into_inner);
        assert!(state.requests.len() >= count, "{} of {count} requests within {patience:?}", state.requests.len());
        state.requests.clone()
    }

    /// How many connections have been made to it, with or without a request.
    pub fn connections(&self) -> u64 {
        self.shared.state().connections
    }

    /// Closes the port and every connection. Recorded requests and the script stay.
    pub fn stop(&self) {
        let accepting = self.accepting.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(accepting) = accepting else { return };
        self.shared.state().stopped = true;
        // It listens no more, and the thread's waiting ends.
        rustix::net::shutdown(&self.listener, rustix::net::Shutdown::Read).expect("a listening socket");
        let _ = accepting.join();
        for (_, stream) in self.shared.state().open.drain() {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Listens on the same port again; does nothing where it still does.
    pub fn restart(&self) {
        if self.accepting.lock().unwrap_or_else(PoisonError::into_inner).is_some() {
            return;
        }
        self.shared.state().stopped = false;
        rustix::net::listen(&self.listener, 128).expect("the port is held for it");
        self.accept();
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.stop();
    }
}

trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

fn serve(shared: &Shared, tcp: TcpStream, connection: u64) -> io::Result<()> {
    tcp.set_nodelay(true)?;
    let mut stream: Box<dyn Stream> = match &shared.tls {
        None => Box::new(tcp),
        Some(config) => {
            let session = rustls::ServerConnection::new(config.clone()).map_err(io::Error::other)?;
            Box::new(rustls::StreamOwned::new(session, tcp))
        }
    };
    let mut unread = Vec::new();
    while let Some(request) = read_request(&mut stream, &mut unread, connection)? {
        let mut state = shared.state();
        state.requests.push(request.clone());
        let behaviour = state.script.pop_front().unwrap_or_else(|| state.behaviour.clone());
        drop(state);
        shared.changed.notify_all();
        if !answer(&mut stream, &request, behaviour)? {
            break;
        }
    }
    Ok(())
}

/// Answers one request; false where the connection is to be closed.
fn answer(stream: &mut dyn Stream, request: &Request, behaviour: Behaviour) -> io::Result<bool> {
    match behaviour {
        Behaviour::Status(status) => respond(stream, status, "", b"ok\n")?,
        Behaviour::RetryAfter(status, wait) => {
            respond(stream, status, &format!("Retry-After: {wait}\r\n"), b"later\n")?
        }
        Behaviour::Redirect(status, to) => respond(stream, status, &format!("Location: {to}\r\n"), b"")?,
        Behaviour::After(wait) => {
            thread::sleep(wait);
            respond(stream, 200, "", b"ok\n")?;
        }
        Behaviour::Large(bytes) => respond(stream, 200, "", &vec![b'x'; bytes])?,
        Behaviour::Hang => {
            // Until the peer gives up or the receiver stops.
            let _ = stream.read(&mut [0]);
            return Ok(false);
        }
        Behaviour::CloseBeforeAnswer => return Ok(false),
        Behaviour::CloseMidBody => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789")?;
            stream.flush()?;
            return Ok(false);
        }
        Behaviour::DripHead(pause) => drip(stream, b"HTTP/1.1 200 OK\r\nX-Drip: ", pause)?,
        Behaviour::DripBody(pause) => drip(stream, b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n", pause)?,
        Behaviour::Garbage => {
            stream.write_all(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")?;
            stream.flush()?;
            return Ok(false);
        }
        Behaviour::Thoughtful(Mind(answer)) => {
            let (status, body) = answer(request);
            respond(stream, status, "", body.as_bytes())?;
        }
    }
    Ok(true)
}

fn respond(stream: &mut dyn Stream, status: u16, headers: &str, body: &[u8]) -> io::Result<()> {
    // A 204 has no body and says so by saying nothing.
    let length = if status == 204 { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
    let mut answer = format!("HTTP/1.1 {status} Scripted\r\n{length}{headers}\r\n").into_bytes();
    if status != 204 {
        answer.extend_from_slice(body);
    }
    stream.write_all(&answer)?;
    stream.flush()
}

fn drip(stream: &mut dyn Stream, begin: &[u8], pause: Duration) -> io::Result<()> {
    stream.write_all(begin)?;
    loop {
        stream.flush()?;
        thread::sleep(pause);
        stream.write_all(b"x")?;
    }
}

/// Reads one request with its whole body; None at the end of the connection. `unread` holds what came after the last one.
fn read_request(stream: &mut dyn Stream, unread: &mut Vec<u8>, connection: u64) -> io::Result<Option<Request>> {
    let mut chunk = [0; 4096];
    let mut more = |unread: &mut Vec<u8>| -> io::Result<bool> {
        let read = stream.read(&mut chunk)?;
        unread.extend_from_slice(&chunk[..read]);
        Ok(read > 0)
    };
    let head_end = loop {
        if let Some(at) = unread.windows(4).position(|w| w == b"\r\n\r\n") {
            break at;
        }
        if !more(unread)? {
            return Ok(None);
        }
    };
    let head = String::from_utf8_lossy(&unread[..head_end]).into_owned();
    let mut lines = head.split("\r\n");
    let mut words = lines.next().unwrap_or_default().split(' ').map(str::to_owned);
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length").and_then(|(_, v)| v.parse().ok());
    let end = head_end + 4 + length.unwrap_or(0usize);
    while unread.len() < end {
        if !more(unread)? {
            return Ok(None);
        }
    }
    let body = unread[head_end + 4..end].to_vec();
    unread.drain(..end);
    Ok(Some(Request { at: Instant::now(), connection, method, path, headers, body }))
}

/// A certificate authority of the test's own.
pub struct Authority {
    issuer: rcgen::Issuer<'static, rcgen::KeyPair>,
    pem: String,
}

/// What is wrong with a certificate, if anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Certificate {
    /// For 127.0.0.1 and localhost, now.
    Good,
    /// For another host.
    WrongName,
    /// For the right one, long ago.
    Expired,
}

impl Authority {
    pub fn new() -> Authority {
        let key = rcgen::KeyPair::generate().expect("a key");
        let mut params = rcgen::CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).expect("a certificate").pem();
        Authority { issuer: rcgen::Issuer::new(params, key), pem }
    }

    /// What a channel's `ca_file` holds to trust it.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// The client's side: a configuration that trusts this authority alone.
    pub fn trusting(&self) -> rustls::ClientConfig {
        let mut roots = rustls::RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_slice(self.pem.as_bytes()).expect("our own PEM"))
            .expect("a good certificate");
        rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("the provider knows TLS")
            .with_root_certificates(roots)
            .with_no_client_auth()
    }

    /// A certificate that it signed, for [`Receiver::start_tls`].
    pub fn certificate(&self, kind: Certificate) -> rustls::ServerConfig {
        let names = match kind {
            Certificate::WrongName => vec!["elsewhere.example".to_owned()],
            Certificate::Good | Certificate::Expired => vec!["localhost".to_owned(), "127.0.0.1".to_owned()],
        };
        let key = rcgen::KeyPair::generate().expect("a key");
        let mut params = rcgen::CertificateParams::new(names).expect("plain names");
        if kind == Certificate::Expired {
            params.not_before = rcgen::date_time_ymd(2000, 1, 1);
            params.not_after = rcgen::date_time_ymd(2001, 1, 1);
        }
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("the provider knows TLS")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .expect("certificate and key fit")
    }
}
