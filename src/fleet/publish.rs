//! The `fleet` command: a fleet's messages to any broker, at a stated rate, and an honest account of what was sent.
//! Simulated time is compressed so that the rate is met: the messages go out in their order, as fast as they are wanted.

use super::{Cause, Fleet, FleetOptions, MAX_HOMES, Message};
use rumqttc::{AsyncClient, ConnectionError, Event, EventLoop, MqttOptions, Outgoing, Packet, QoS, Request};
use serde::Serialize;
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout, timeout_at};

/// Messages a second that one connection carries without effort; a higher rate gets more connections.
const RATE_PER_LINK: u32 = 10_000;
/// The most connections of a run.
const MAX_LINKS: u32 = 8;
/// The most messages a second that can be asked for.
const MAX_RATE: u32 = 1_000_000;
/// Messages on their way to the broker, per connection, that it has not acknowledged.
const IN_FLIGHT: u16 = 1_000;
/// Room for `bridge/devices`.
const MAX_PACKET_BYTES: usize = 1024 * 1024;
/// Time for the first connection, and at the end for the last acknowledgements.
const PATIENCE: Duration = Duration::from_secs(10);
/// Wait after a broken connection; doubles up to the longest.
const FIRST_BACKOFF: Duration = Duration::from_millis(200);
const LONGEST_BACKOFF: Duration = Duration::from_secs(2);

/// What the command was asked to do.
#[derive(Clone)]
pub struct RunOptions {
    /// `mqtt://[user:password@]host[:port]`
    pub broker: String,
    /// 1 to [`MAX_HOMES`].
    pub homes: u32,
    /// Messages a second, 1 to 1,000,000.
    pub rate: u32,
    pub seed: u64,
    /// How long to publish; waiting for the last acknowledgements comes on top.
    pub length: Duration,
    /// How the homes live, and the site of those that speak the product's own dialect.
    pub fleet: FleetOptions,
}

/// What was sent, per kind; printed as JSON.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunReport {
    pub sent: u64,
    /// What the broker has accepted of it. Less than `sent` means that it did not answer in time.
    pub acked: u64,
    /// Messages that went out again because a connection broke before their acknowledgement: the broker may have both.
    pub resent: u64,
    pub reconnects: u64,
    /// From the first message to the last.
    pub seconds: f64,
    /// Messages a second that were reached.
    pub rate: f64,
    /// Why messages were sent; `sos` counts presses, each once.
    pub by_kind: BTreeMap<&'static str, u64>,
    /// How often SOS was pressed, by home.
    pub presses: BTreeMap<String, u64>,
    pub homes: u32,
    pub devices: usize,
    pub seed: u64,
    pub connections: usize,
    /// The simulated time of the first and the last message.
    pub simulated_from: String,
    pub simulated_to: String,
}

/// Why nothing was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunError {
    /// The broker's address is none; the text says what is wrong with it.
    BadAddress(&'static str),
    /// `homes` or `rate` is out of its range.
    OutOfRange(&'static str),
    /// No connection within ten seconds, for this reason.
    NoBroker(String),
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RunError::BadAddress(what) => write!(f, "the broker's address must look like mqtt://host:1883: {what}"),
            RunError::OutOfRange(what) => f.write_str(what),
            RunError::NoBroker(why) => write!(f, "the broker does not take the connection: {why}"),
        }
    }
}

impl std::error::Error for RunError {}

/// Publishes a fleet for `options.length` and tells what was sent. Bounded: it ends within that time and 20 seconds.
pub async fn run(options: &RunOptions) -> Result<RunReport, RunError> {
    if !(1..=MAX_HOMES).contains(&options.homes) {
        return Err(RunError::OutOfRange("homes must lie in 1 to 100000"));
    }
    if !(1..=MAX_RATE).contains(&options.rate) {
        return Err(RunError::OutOfRange("rate must lie in 1 to 1000000 messages a second"));
    }
    let address = Address::parse(&options.broker)?;
    let mut links = Vec::new();
    for number in 0..options.rate.div_ceil(RATE_PER_LINK).min(MAX_LINKS) {
        let id = format!("hearthwatch-fleet-{}-{}-{number}", std::process::id(), options.seed);
        links.push(Link::open(&address, &id).await?);
    }
    let mut account = Account::new(Fleet::new(options.seed, options.homes, options.fleet.clone()));
    let seconds = account.publish(&links, options.rate, options.length).await;
    let mut report = account.report(options, seconds);
    report.connections = links.len();
    let end = Instant::now() + PATIENCE;
    for link in links {
        let (acked, resent, reconnects) = link.close(end).await;
        report.acked += acked;
        report.resent += resent;
        report.reconnects += reconnects;
    }
    Ok(report)
}

/// The fleet, and what has been sent of it.
struct Account {
    fleet: Fleet,
    sent: u64,
    by_kind: BTreeMap<Cause, u64>,
    presses: BTreeMap<usize, u64>,
    first: Option<String>,
    last: Option<Message>,
}

impl Account {
    fn new(fleet: Fleet) -> Account {
        Account { fleet, sent: 0, by_kind: BTreeMap::new(), presses: BTreeMap::new(), first: None, last: None }
    }

    /// Sends message number n at n / rate seconds, or as soon after that as the broker takes it; gives the seconds that it
    /// took. A broker that falls behind is waited for, and what was missed is made up as fast as it can.
    async fn publish(&mut self, links: &[Link], rate: u32, length: Duration) -> f64 {
        let begun = Instant::now();
        let end = begun + length;
        loop {
            let due = begun + Duration::from_secs_f64(self.sent as f64 / f64::from(rate));
            if due.max(Instant::now()) >= end {
                break;
            }
            if due > Instant::now() {
                sleep_until(due).await;
            }
            let Some(message) = self.fleet.next() else { break };
            // All of a home goes one way, so that it stays in order.
            let link = &links[message.home.unwrap_or(0) % links.len()];
            if timeout_at(end, link.send(&message)).await != Ok(true) {
                break;
            }
            link.sent.fetch_add(1, Ordering::Relaxed);
            self.enter(message);
        }
        begun.elapsed().as_secs_f64()
    }

    fn enter(&mut self, message: Message) {
        self.sent += 1;
        *self.by_kind.entry(message.cause).or_default() += 1;
        if let (Cause::Sos, Some(home)) = (message.cause, message.home) {
            *self.presses.entry(home).or_default() += 1;
        }
        self.first.get_or_insert_with(|| message.at.utc());
        self.last = Some(message);
    }

    fn report(self, options: &RunOptions, seconds: f64) -> RunReport {
        let homes = self.fleet.homes();
        let name = |home: usize| homes.get(home).map(|h| h.id.clone()).unwrap_or_default();
        RunReport {
            sent: self.sent,
            acked: 0,
            resent: 0,
            reconnects: 0,
            seconds,
            rate: if seconds > 0.0 { self.sent as f64 / seconds } else { 0.0 },
            by_kind: self.by_kind.into_iter().map(|(cause, count)| (cause.name(), count)).collect(),
            presses: self.presses.into_iter().map(|(home, count)| (name(home), count)).collect(),
            homes: options.homes,
            devices: homes.iter().map(|h| h.devices.len()).sum(),
            seed: options.seed,
            connections: 0,
            simulated_from: self.first.unwrap_or_default(),
            simulated_to: self.last.map(|m| m.at.utc()).unwrap_or_default(),
        }
    }
}

/// Where the broker is. Holds a password, so it has no `Debug`.
struct Address {
    host: String,
    port: u16,
    login: Option<(String, String)>,
}

impl Address {
    fn parse(url: &str) -> Result<Address, RunError> {
        if url.starts_with("mqtts://") {
            return Err(RunError::BadAddress("TLS is not supported here; use a listener without it"));
        }
        let rest = url.strip_prefix("mqtt://").ok_or(RunError::BadAddress("it does not begin with mqtt://"))?;
        let rest = rest.trim_end_matches('/');
        let (login, place) = match rest.rsplit_once('@') {
            Some((login, place)) => (Some(login.split_once(':').unwrap_or((login, ""))), place),
            None => (None, rest),
        };
        // The colons of an IPv6 address stand in brackets, and stay there: the client joins host and port as text.
        let (host, port) = match place.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => {
                (host, port.parse().map_err(|_| RunError::BadAddress("the port is no number"))?)
            }
            _ => (place, 1883),
        };
        if host.is_empty() || port == 0 {
            return Err(RunError::BadAddress("host or port is missing"));
        }
        let login = login.map(|(user, password)| (user.to_owned(), password.to_owned()));
        Ok(Address { host: host.to_owned(), port, login })
    }
}

/// What one connection counts.
#[derive(Default)]
struct Tally {
    acked: AtomicU64,
    resent: AtomicU64,
    reconnects: AtomicU64,
}

/// One connection to the broker, and the task that moves its bytes.
struct Link {
    client: AsyncClient,
    sent: AtomicU64,
    tally: Arc<Tally>,
    pump: JoinSet<()>,
}

impl Link {
    async fn open(address: &Address, id: &str) -> Result<Link, RunError> {
        let mut options = MqttOptions::new(id, &address.host, address.port);
        options.set_keep_alive(Duration::from_secs(15)).set_clean_session(true).set_inflight(IN_FLIGHT);
        options.set_max_packet_size(MAX_PACKET_BYTES, MAX_PACKET_BYTES);
        if let Some((user, password)) = &address.login {
            options.set_credentials(user, password);
        }
        let (client, mut events) = AsyncClient::new(options, usize::from(IN_FLIGHT));
        match timeout(PATIENCE, events.poll()).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => return Err(RunError::NoBroker(error.to_string())),
            Err(_) => return Err(RunError::NoBroker("it does not answer within 10 s".to_owned())),
        }
        let tally = Arc::new(Tally::default());
        let mut pump = JoinSet::new();
        pump.spawn(move_bytes(events, tally.clone()));
        Ok(Link { client, sent: AtomicU64::new(0), tally, pump })
    }

    /// Hands a message over, as soon as there is room; false where the connection is gone for good.
    async fn send(&self, message: &Message) -> bool {
        let payload = message.payload.as_bytes();
        self.client.publish(&*message.topic, QoS::AtLeastOnce, message.retain, payload).await.is_ok()
    }

    /// Waits until all is acknowledged or `end` has come, and disconnects; gives acknowledged, resent, reconnects.
    async fn close(mut self, end: Instant) -> (u64, u64, u64) {
        let sent = self.sent.load(Ordering::Relaxed);
        while self.tally.acked.load(Ordering::Relaxed) < sent && Instant::now() < end {
            sleep(Duration::from_millis(5)).await;
        }
        // The task ends by itself after the goodbye; otherwise dropping the set ends it.
        if self.client.try_disconnect().is_ok() {
            let _ = timeout_at(end.max(Instant::now() + Duration::from_secs(1)), self.pump.join_next()).await;
        }
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        (read(&self.tally.acked), read(&self.tally.resent), read(&self.tally.reconnects))
    }
}

/// Polls one connection until it has said goodbye, and makes it anew whenever it breaks.
async fn move_bytes(mut events: EventLoop, tally: Arc<Tally>) {
    let mut backoff = FIRST_BACKOFF;
    // What was not acknowledged when the connection broke. The client forgets it when the broker has forgotten the
    // session, so it is kept here meanwhile.
    let mut unsettled: VecDeque<Request> = VecDeque::new();
    loop {
        match events.poll().await {
            Ok(Event::Incoming(Packet::PubAck(_))) => {
                tally.acked.fetch_add(1, Ordering::Relaxed);
            }
            Ok(Event::Incoming(Packet::ConnAck(_))) => {
                backoff = FIRST_BACKOFF;
                tally.reconnects.fetch_add(1, Ordering::Relaxed);
                let again = unsettled.iter().filter(|r| matches!(r, Request::Publish(p) if p.pkid != 0)).count();
                tally.resent.fetch_add(again as u64, Ordering::Relaxed);
                events.pending = std::mem::take(&mut unsettled);
            }
            Ok(Event::Outgoing(Outgoing::Disconnect)) | Err(ConnectionError::RequestsDone) => return,
            Ok(_) => {}
            Err(_) => {
                unsettled.append(&mut events.pending);
                sleep(backoff).await;
                backoff = (backoff * 2).min(LONGEST_BACKOFF);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_or_refused_with_the_reason() {
        let read = |url| Address::parse(url).map(|a| (a.host, a.port, a.login)).map_err(|e| e.to_string());
        let login = |u: &str, p: &str| Some((u.to_owned(), p.to_owned()));
        assert_eq!(read("mqtt://localhost"), Ok(("localhost".to_owned(), 1883, None)));
        assert_eq!(read("mqtt://10.0.0.1:1884/"), Ok(("10.0.0.1".to_owned(), 1884, None)));
        assert_eq!(read("mqtt://u:p@ss@h:1"), Ok(("h".to_owned(), 1, login("u", "p@ss"))));
        assert_eq!(read("mqtt://u@h"), Ok(("h".to_owned(), 1883, login("u", ""))));
        assert_eq!(read("mqtt://[::1]"), Ok(("[::1]".to_owned(), 1883, None)));
        assert_eq!(read("mqtt://[::1]:1884"), Ok(("[::1]".to_owned(), 1884, None)));
        for (url, reason) in [
            ("localhost:1883", "does not begin"),
            ("mqtts://secret:word@h", "TLS"),
            ("mqtt://h:x", "no number"),
            ("mqtt://h:0", "missing"),
            ("mqtt://", "missing"),
        ] {
            let error = read(url).unwrap_err();
            assert!(error.contains(reason) && !error.contains("secret"), "{url}: {error}");
        }
    }
}
