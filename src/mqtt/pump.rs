//! The thin part: sockets, tasks, files. It moves what comes from rumqttc into [`Lanes`] and does what they say.
//!
//! Three tasks: one per lane, which polls its connection and nothing else, and one that ticks. Each connection is a fresh client and
//! event loop, both dropped at the first error, since rumqttc would carry buffered messages and acknowledgements over into the next.
//!
//! **Acknowledgements are written in batches.** Through rumqttc's channel each PUBACK would be a turn of the event loop and a system call.
//! So of a batch only the first goes through the channel, which wakes the event loop; the rest waits in `Line::acks` and is written behind
//! it in one go. While one is in the channel all later ones wait behind it, so the order holds.

use super::event::{Action, Event, LinkState, Message, Out};
use super::fault::{Fault, Report};
use super::lanes::{Lanes, Memory, Status};
use super::memory::MemoryFile;
use super::transport::{self, BadSettings, classify, classify_state};
use super::{LaneFilters, Settings};
use crate::keeper::ports::{Acknowledge, Delivery, Lane, Token};
use rumqttc::mqttbytes::QoS;
use rumqttc::{AsyncClient, EventLoop, Outgoing, Packet, PubAck, Publish, SubscribeFilter, SubscribeReasonCode};
use std::hash::{BuildHasher, RandomState};
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, timeout};

const TICK: Duration = Duration::from_millis(100);
const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);
/// Above any window of a broker, so that a request always fits.
const REQUESTS: usize = 65_535;

/// What the sessions call. Neither may block: they run in the task that reads the lane's socket.
#[derive(Clone)]
pub struct Hooks {
    /// Once per message, in order within a lane. Every token must come back through [`Acknowledge`].
    pub on_delivery: Arc<dyn Fn(Delivery) + Send + Sync>,
    /// When a lane comes up or goes down.
    pub on_link: Arc<dyn Fn(Lane, LinkState) + Send + Sync>,
}

/// A running task and its name. None ends before [`Sessions::stop`]; one that does is a fault of ours.
pub struct Task {
    pub name: &'static str,
    pub handle: JoinHandle<()>,
}

/// The running sessions. Clones are the same sessions.
#[derive(Clone)]
pub struct Sessions {
    shared: Arc<Shared>,
}

impl Sessions {
    /// How both lanes stand now.
    pub fn status(&self) -> Status {
        self.shared.lock().lanes.status()
    }

    /// Delivers nothing more, waits for what was delivered to become durable, acknowledges that, disconnects; the tasks end within
    /// about six seconds. The keeper is to be stopped after them, or at least to go on acknowledging meanwhile.
    pub fn stop(&self) {
        let mut out = Out::new();
        self.shared.step(&mut out, |lanes, out| lanes.stop(out));
        self.shared.finish(&mut out);
    }
}

impl Acknowledge for Sessions {
    fn durable(&mut self, tokens: &[Token]) {
        let mut out = Out::new();
        self.shared.step(&mut out, |lanes, out| lanes.durable(tokens, out));
        self.shared.finish(&mut out);
        for lane in [Lane::Life, Lane::Bulk] {
            self.shared.signals[lane as usize].room.notify_one();
        }
    }
}

/// Starts both sessions of a site, on the current tokio runtime. `filters` may change at any time.
///
/// Errors are those that waiting does not mend; a broker that is not there is none of them.
#[expect(clippy::disallowed_methods, reason = "the handles are given to the caller")]
pub fn start(
    settings: Settings,
    filters: watch::Receiver<LaneFilters>,
    hooks: Hooks,
) -> Result<(Sessions, Vec<Task>), BadSettings> {
    for lane in [Lane::Life, Lane::Bulk] {
        transport::options(&settings, lane)?;
    }
    let of = format!("{} {}", settings.url, transport::session_name(&settings, Lane::Life));
    let file = Arc::new(MemoryFile::new(&settings.memory, of));
    let lanes = Lanes::new(file.load(), filters.borrow().clone());
    let shared = Arc::new(Shared {
        inner: Mutex::new(Inner { lanes, lines: Default::default() }),
        signals: Default::default(),
        hooks,
        settings,
    });
    let (life, life_calls) = mpsc::channel(1);
    let (bulk, bulk_calls) = mpsc::channel(1);
    let tasks = vec![
        Task { name: "mqtt life", handle: tokio::spawn(shared.clone().run_lane(Lane::Life, life_calls)) },
        Task { name: "mqtt bulk", handle: tokio::spawn(shared.clone().run_lane(Lane::Bulk, bulk_calls)) },
        Task { name: "mqtt ticks", handle: tokio::spawn(shared.clone().run_ticks(filters, file, [life, bulk])) },
    ];
    Ok((Sessions { shared }, tasks))
}

struct Shared {
    inner: Mutex<Inner>,
    signals: [Signals; 2],
    hooks: Hooks,
    settings: Settings,
}

struct Inner {
    lanes: Lanes,
    lines: [Line; 2],
}

/// A lane's way to its connection.
#[derive(Default)]
struct Line {
    client: Option<AsyncClient>,
    acks: Vec<u16>,
    /// One acknowledgement is in the client's channel; all others wait in `acks`.
    waking: bool,
    abandoned: Option<Fault>,
}

#[derive(Default)]
struct Signals {
    abandon: Notify,
    room: Notify,
}

impl Line {
    /// Does what concerns the wire; false for all else. Requests of a connection that is gone are lost with it, as they should be.
    fn act(&mut self, action: &Action, signals: &Signals) -> bool {
        let client = self.client.as_ref();
        match action {
            Action::Ack(pkid) if self.waking => self.acks.push(*pkid),
            Action::Ack(pkid) => {
                let publish = Publish { pkid: *pkid, ..Publish::new("", QoS::AtLeastOnce, Vec::new()) };
                self.waking = client.is_some_and(|client| client.try_ack(&publish).is_ok());
            }
            Action::Subscribe(filters) => {
                let filters = filters.iter().map(|filter| SubscribeFilter::new(filter.to_string(), QoS::AtLeastOnce));
                let _ = client.map(|client| client.try_subscribe_many(filters));
            }
            Action::Unsubscribe(filter) => {
                let _ = client.map(|client| client.try_unsubscribe(filter.to_string()));
            }
            Action::Disconnect => {
                let _ = client.map(|client| client.try_disconnect());
            }
            Action::Abandon(fault) => {
                self.abandoned = Some(fault.clone());
                signals.abandon.notify_one();
            }
            _ => return false,
        }
        true
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        // No step panics; and if one did, the lanes would still be a state they had been in.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the lanes step, and does at once what concerns the wire, so that the wire's order is the machine's. The rest stays in `out`.
    fn step<T>(&self, out: &mut Out, step: impl FnOnce(&mut Lanes, &mut Out) -> T) -> T {
        let mut inner = self.lock();
        let Inner { lanes, lines } = &mut *inner;
        let result = step(lanes, out);
        out.retain(|(lane, action)| !lines[*lane as usize].act(action, &self.signals[*lane as usize]));
        result
    }

    /// Does the rest of the actions of a step other than a tick.
    fn finish(&self, out: &mut Out) {
        for (lane, action) in out.drain(..) {
            match action {
                Action::Deliver(delivery) => (self.hooks.on_delivery)(delivery),
                Action::Link(link) => (self.hooks.on_link)(lane, link),
                Action::Report(report) => log(lane, &report),
                _ => {}
            }
        }
    }

    /// Connects whenever it is told to, until nobody can tell any more.
    async fn run_lane(self: Arc<Self>, lane: Lane, mut calls: mpsc::Receiver<u32>) {
        let mut out = Out::new();
        while calls.recv().await.is_some() {
            let fault = match transport::options(&self.settings, lane) {
                Ok(options) => {
                    let (client, mut eventloop) = AsyncClient::new(options, REQUESTS);
                    eventloop.set_network_options(transport::network());
                    self.lock().lines[lane as usize].client = Some(client);
                    self.converse(lane, eventloop, &mut out).await
                }
                Err(why) => Fault::Tls(why.to_string()),
            };
            self.lock().lines[lane as usize] = Line::default();
            let jitter = RandomState::new().hash_one(lane) as u32;
            self.step(&mut out, |lanes, out| lanes.event(lane, Event::Broken { fault, jitter }, out));
            self.finish(&mut out);
        }
    }

    /// One connection from beginning to end; gives why it ended.
    async fn converse(&self, lane: Lane, mut eventloop: EventLoop, out: &mut Out) -> Fault {
        let signals = &self.signals[lane as usize];
        let mut left = false;
        loop {
            // Dropping a poll half-way may lose a request. Here that happens only when the connection is given up anyhow.
            let polled = tokio::select! {
                biased;
                () = signals.abandon.notified() => match self.lock().lines[lane as usize].abandoned.take() {
                    Some(fault) => return fault,
                    None => continue,
                },
                polled = eventloop.poll() => polled,
            };
            let event = match polled {
                Ok(rumqttc::Event::Incoming(packet)) => {
                    // Any packet shows that the broker lives. The answer to a ping may wait behind a long queue of messages.
                    eventloop.state.await_pingresp = false;
                    incoming(packet)
                }
                // Read on until the broker hangs up: closing a socket with something unread in it would reset the connection, and
                // with it go the acknowledgements that the broker has not read yet.
                Ok(rumqttc::Event::Outgoing(Outgoing::Disconnect)) => {
                    left = true;
                    None
                }
                Ok(rumqttc::Event::Outgoing(Outgoing::PubAck(_))) => {
                    if let Err(fault) = self.write_acks(lane, &mut eventloop).await {
                        return fault;
                    }
                    None
                }
                Ok(rumqttc::Event::Outgoing(_)) => None,
                Err(_) if left => return Fault::Stopped,
                Err(error) => return classify(error),
            };
            let Some(event) = event else { continue };
            let crowded = self.step(out, |lanes, out| {
                lanes.event(lane, event, out);
                lanes.crowded(lane)
            });
            self.finish(out);
            if crowded {
                self.wait_for_room(lane).await;
            }
        }
    }

    /// Writes the acknowledgements that waited behind the one that has just gone through the channel.
    async fn write_acks(&self, lane: Lane, eventloop: &mut EventLoop) -> Result<(), Fault> {
        let acks = {
            let line = &mut self.lock().lines[lane as usize];
            line.waking = false;
            mem::take(&mut line.acks)
        };
        let Some(network) = eventloop.network.as_mut().filter(|_| !acks.is_empty()) else { return Ok(()) };
        let write = async {
            for pkid in acks {
                network.write(Packet::PubAck(PubAck::new(pkid))).await?;
            }
            network.flush().await
        };
        match timeout(FLUSH_TIMEOUT, write).await {
            Ok(written) => written.map_err(classify_state),
            Err(_) => Err(Fault::Silent),
        }
    }

    /// Pauses reading: the socket fills, and the broker holds the rest. Longer than a keepalive, and the broker hangs up; then the
    /// journal has been stuck for that long.
    async fn wait_for_room(&self, lane: Lane) {
        while self.lock().lanes.crowded(lane) {
            let signals = &self.signals[lane as usize];
            tokio::select! {
                () = signals.room.notified() => {}
                () = signals.abandon.notified() => return signals.abandon.notify_one(),
            }
        }
    }

    /// Gives the lanes their time, their filters and their memory, and the lane tasks their calls, until both sessions are stopped.
    async fn run_ticks(
        self: Arc<Self>,
        mut filters: watch::Receiver<LaneFilters>,
        file: Arc<MemoryFile>,
        calls: [mpsc::Sender<u32>; 2],
    ) {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let began = ticks.tick().await;
        let mut out = Out::new();
        while !self.lock().lanes.gone() {
            // Where the sender is gone, the filters stay as they are.
            let wish = filters.has_changed().unwrap_or(false).then(|| filters.borrow_and_update().clone());
            let now = ticks.tick().await.duration_since(began).as_millis() as u64;
            self.step(&mut out, |lanes, out| {
                if let Some(wish) = wish {
                    lanes.want(wish);
                }
                lanes.tick(now, out);
            });
            for (lane, action) in mem::take(&mut out) {
                match action {
                    Action::Remember(memory) => remember(&file, memory).await,
                    // The lane's task waits for this: it reported the end of the connection before.
                    Action::Connect { connection } => {
                        let _ = calls[lane as usize].try_send(connection);
                    }
                    other => self.finish(&mut vec![(lane, other)]),
                }
            }
        }
    }
}

/// The machine's word for a packet, where it has one.
fn incoming(packet: Packet) -> Option<Event> {
    match packet {
        Packet::Publish(Publish { qos, pkid, topic, payload, retain, dup }) => {
            Some(Event::Message(Message { pkid, qos: qos as u8, topic, payload, retain, dup }))
        }
        Packet::ConnAck(ack) => Some(Event::Accepted { session_present: ack.session_present }),
        Packet::SubAck(ack) => {
            let code = |code: &SubscribeReasonCode| match code {
                SubscribeReasonCode::Success(qos) => *qos as u8,
                SubscribeReasonCode::Failure => 0x80,
            };
            Some(Event::SubAck { codes: ack.return_codes.iter().map(code).collect() })
        }
        Packet::UnsubAck(_) => Some(Event::UnsubAck),
        _ => None,
    }
}

async fn remember(file: &Arc<MemoryFile>, memory: Memory) {
    let file = file.clone();
    let stored = tokio::task::spawn_blocking(move || file.store(&memory)).await;
    if let Ok(Err(why)) = stored {
        tracing::warn!(%why, "the file of MQTT sessions cannot be written; after a restart some presses may count twice");
    }
}

fn log(lane: Lane, report: &Report) {
    match report {
        Report::Ready { .. } => tracing::info!(lane = lane.name(), "{report}"),
        Report::Broken(fault) => tracing::warn!(lane = lane.name(), fault = fault.name(), "{report}"),
        Report::SessionLost | Report::Refused { .. } | Report::Flapping { .. } => {
            tracing::error!(lane = lane.name(), "{report}");
        }
    }
}
