//! An MQTT 3.1.1 broker as the two lanes see it: a pure machine without time and without chance, so that a seed repeats itself.
//!
//! It behaves like mosquitto 2, in what a gateway can notice of it:
//!
//! - A message is copied into each session with a matching filter at the moment it is published, once however many of them match.
//! - A session's messages of QoS 1 wait in a queue; those in the window are written to the socket in order, and the queue moves up as
//!   they are acknowledged. QoS 0 has no window and no queue: it is written at once past those that wait, or nowhere.
//! - An answer is written behind what was written before it, and so ahead of what waits for the window. Of a SUBSCRIBE, the SUBACK goes
//!   out before the retained messages.
//! - After a new connection the window is written again: the same packet ids in the same order, marked as duplicates. Then the queue.
//! - What is on its disk is the last save, which may be older than what it has accepted and been acknowledged.
//!
//! The wire is the caller's: a [`Packet`] taken with [`Broker::next`] is on its way, and lost if the connection breaks under it.
//!
//! **Absent on purpose:** QoS 2 (delivered at QoS 1, as it was subscribed to), `$SYS`, clean sessions, expiry, and two faults of 2.0.11:
//! that a whole window goes out for each acknowledgement of a drain, and that the queue is miscounted.

#[cfg(test)]
mod tests;

use crate::keeper::ports::Lane;
use crate::mqtt::{Filter, FilterSet, Message};
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// How many messages may be unacknowledged on a connection: mosquitto's `max_inflight_messages` where nobody sets it (mosquitto.conf(5)).
/// The smaller the window, the more often something waits behind it.
pub const WINDOW: usize = 20;
/// The code in a SUBACK for a filter that is not granted [MQTT-3.9.3-2].
const REFUSED: u8 = 0x80;

/// How the broker is set up. May be changed at any time; what has been done stays done.
#[derive(Debug, Clone)]
pub struct Rules {
    /// Messages that may be unacknowledged on a connection, 1 to 65,535.
    pub window: usize,
    /// Messages of a session that may wait besides the window (the window included while nobody is connected); the newest are dropped.
    /// None is without limit.
    pub queue: Option<usize>,
    /// Filters that are answered with a refusal. A subscription held already is not touched by it.
    pub refused: BTreeSet<Filter>,
}

impl Default for Rules {
    fn default() -> Rules {
        Rules { window: WINDOW, queue: None, refused: BTreeSet::new() }
    }
}

/// What the broker comes back with after a restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeps {
    /// It was stopped, and saved on the way out.
    Everything,
    /// It was killed. What was acknowledged to it since the last save comes again.
    LastSave,
    /// Its disk is gone, or it never had one.
    Nothing,
}

/// A packet from the broker to the gateway.
#[derive(Debug, Clone)]
pub enum Packet {
    Publish(Sent),
    /// A code for each filter of the SUBSCRIBE.
    SubAck(Vec<u8>),
    UnsubAck,
}

/// A message on its way, and which of those published it is.
#[derive(Debug, Clone)]
pub struct Sent {
    pub message: Message,
    pub serial: u64,
}

#[derive(Debug)]
struct Published {
    serial: u64,
    topic: String,
    payload: Bytes,
    qos: u8,
}

/// A session's copy of a message.
#[derive(Debug, Clone)]
struct Queued {
    published: Arc<Published>,
    /// It came of a SUBSCRIBE.
    retained: bool,
}

impl Queued {
    /// The copy as a packet; `pkid` is 0 for one of QoS 0.
    fn packet(&self, pkid: u16, dup: bool) -> Packet {
        let Published { serial, topic, payload, .. } = &*self.published;
        let (topic, payload) = (topic.clone(), payload.clone());
        let message = Message { pkid, qos: u8::from(pkid != 0), topic, payload, retain: self.retained, dup };
        Packet::Publish(Sent { message, serial: *serial })
    }
}

/// What the broker keeps of a client. Filters are shared with the last save, which is made far more often than they change.
#[derive(Debug, Clone, Default)]
struct Session {
    filters: Arc<BTreeSet<Filter>>,
    /// The same filters, to look topics up in.
    catching: Arc<FilterSet>,
    /// Written and not acknowledged, oldest first.
    in_flight: VecDeque<(u16, Queued)>,
    queue: VecDeque<Queued>,
    last_pkid: u16,
}

impl Session {
    fn hold(&mut self, filters: BTreeSet<Filter>) {
        self.catching = Arc::new(filters.iter().cloned().collect());
        self.filters = Arc::new(filters);
    }

    /// The next packet id that is free: they go around, and an old message may still have one.
    fn take_pkid(&mut self) -> u16 {
        loop {
            self.last_pkid = self.last_pkid.checked_add(1).unwrap_or(1);
            if self.in_flight.iter().all(|(pkid, _)| *pkid != self.last_pkid) {
                return self.last_pkid;
            }
        }
    }

    /// The published messages that it still owes its client. Retained copies are not among them: a SUBSCRIBE brings them again.
    fn owed(&self) -> BTreeSet<u64> {
        let copies = self.in_flight.iter().map(|(_, copy)| copy).chain(&self.queue);
        copies.filter(|copy| !copy.retained).map(|copy| copy.published.serial).collect()
    }
}

/// What a save holds.
#[derive(Debug, Clone, Default)]
struct State {
    sessions: BTreeMap<Lane, Session>,
    retained: Arc<BTreeMap<String, Arc<Published>>>,
}

/// The broker, with the sessions of both lanes.
#[derive(Debug, Clone, Default)]
pub struct Broker {
    pub rules: Rules,
    state: State,
    saved: State,
    /// What was written to each connection and not taken yet.
    sockets: BTreeMap<Lane, VecDeque<Packet>>,
    lost: BTreeSet<(Lane, u64)>,
}

impl Broker {
    /// A broker that knows nobody, and has saved that.
    pub fn new(rules: Rules) -> Broker {
        Broker { rules, ..Broker::default() }
    }

    /// A device's message, accepted. Gives the lanes that are now owed it: those whose session has a filter for it, if it is of QoS 1 or
    /// 2 (QoS 0 is owed to nobody). Each will be written to its lane until acknowledged, or named by [`Broker::take_lost`]. `serial`
    /// names the message, and no other. A retained one is kept for those who subscribe later, an empty one clears what was kept.
    pub fn publish(&mut self, serial: u64, topic: &str, payload: Bytes, qos: u8, retain: bool) -> BTreeSet<Lane> {
        let published = Arc::new(Published { serial, topic: topic.to_owned(), payload, qos });
        if retain {
            let kept = Arc::make_mut(&mut self.state.retained);
            if published.payload.is_empty() {
                kept.remove(topic);
            } else {
                kept.insert(topic.to_owned(), published.clone());
            }
        }
        let catching = self.state.sessions.iter().filter(|(_, session)| session.catching.catch(topic));
        let lanes: BTreeSet<Lane> = catching.map(|(lane, _)| *lane).collect();
        for lane in &lanes {
            self.queue(*lane, Queued { published: published.clone(), retained: false });
            self.fill_window(*lane);
        }
        if qos == 0 { BTreeSet::new() } else { lanes }
    }

    /// A CONNECT that asks for its session; gives `session_present` of the CONNACK, which goes before everything from
    /// [`Broker::next`]. A connection that the lane still has is thrown out, as by [`Broker::hang_up`].
    pub fn connect(&mut self, lane: Lane) -> bool {
        let present = self.state.sessions.contains_key(&lane);
        let session = self.state.sessions.entry(lane).or_default();
        let again = session.in_flight.iter().map(|(pkid, copy)| copy.packet(*pkid, true)).collect();
        self.sockets.insert(lane, again);
        self.fill_window(lane);
        present
    }

    /// The connection is gone, and with it what was written and not taken. The session stays; only QoS 0 does not come again.
    pub fn hang_up(&mut self, lane: Lane) {
        self.sockets.remove(&lane);
    }

    /// Someone deletes the session, with all that waits in it; a connection ends with it. The last save still has it.
    pub fn forget(&mut self, lane: Lane) {
        self.hang_up(lane);
        let owed = self.state.sessions.remove(&lane).map(|session| session.owed()).unwrap_or_default();
        self.lost.extend(owed.into_iter().map(|serial| (lane, serial)));
    }

    /// A SUBSCRIBE at QoS 1. The retained messages of each granted filter come behind the answer, every time it is asked for. Does
    /// nothing without a connection.
    pub fn subscribe(&mut self, lane: Lane, filters: &[Filter]) {
        let (Some(socket), Some(session)) = (self.sockets.get_mut(&lane), self.state.sessions.get_mut(&lane)) else {
            return;
        };
        let granted: Vec<Filter> =
            filters.iter().filter(|filter| !self.rules.refused.contains(*filter)).cloned().collect();
        let code = |filter| if self.rules.refused.contains(filter) { REFUSED } else { 1 };
        socket.push_back(Packet::SubAck(filters.iter().map(code).collect()));
        session.hold(session.filters.iter().chain(&granted).cloned().collect());
        let kept = self.state.retained.clone();
        for filter in granted {
            let set: FilterSet = [filter].into_iter().collect();
            for published in kept.values().filter(|published| set.catch(&published.topic)) {
                self.queue(lane, Queued { published: published.clone(), retained: true });
            }
        }
        self.fill_window(lane);
    }

    /// An UNSUBSCRIBE, of a filter that is held or not. What waits already stays. Does nothing without a connection.
    pub fn unsubscribe(&mut self, lane: Lane, filter: &Filter) {
        let (Some(socket), Some(session)) = (self.sockets.get_mut(&lane), self.state.sessions.get_mut(&lane)) else {
            return;
        };
        socket.push_back(Packet::UnsubAck);
        if session.filters.contains(filter) {
            session.hold(session.filters.iter().filter(|held| *held != filter).cloned().collect());
        }
    }

    /// A PUBACK; gives the serial that it settles. None for a packet id that is not in flight, and without a connection.
    pub fn acknowledge(&mut self, lane: Lane, pkid: u16) -> Option<u64> {
        self.sockets.get(&lane)?;
        let in_flight = &mut self.state.sessions.get_mut(&lane)?.in_flight;
        let at = in_flight.iter().position(|(id, _)| *id == pkid)?;
        let (_, copy) = in_flight.remove(at)?;
        self.fill_window(lane);
        Some(copy.published.serial)
    }

    /// The next packet for a lane, in the order written. None if there is none, and without a connection.
    pub fn next(&mut self, lane: Lane) -> Option<Packet> {
        self.sockets.get_mut(&lane)?.pop_front()
    }

    /// Sessions, what waits in them and retained messages go to disk.
    pub fn save(&mut self) {
        self.saved = self.state.clone();
    }

    /// The broker ends and is there again; all connections are gone.
    pub fn restart(&mut self, keeps: Keeps) {
        match keeps {
            Keeps::Everything => self.save(),
            Keeps::LastSave => {}
            Keeps::Nothing => self.saved = State::default(),
        }
        self.sockets.clear();
        let before = std::mem::replace(&mut self.state, self.saved.clone());
        for (lane, session) in &before.sessions {
            let after = self.state.sessions.get(lane).map(Session::owed).unwrap_or_default();
            self.lost.extend(session.owed().difference(&after).map(|serial| (*lane, *serial)));
        }
    }

    /// What the broker owed to a lane and lost, since it was asked last: it came back without it, its queue was full, or the session was
    /// deleted (from where an older save may bring it back after all). By lane, since the one may rely on the other for a message. What
    /// came again after [`Keeps::LastSave`] is owed anew, acknowledged before or not.
    pub fn take_lost(&mut self) -> BTreeSet<(Lane, u64)> {
        std::mem::take(&mut self.lost)
    }

    /// Messages of QoS 1 that a lane has not acknowledged.
    pub fn waiting(&self, lane: Lane) -> usize {
        self.state.sessions.get(&lane).map_or(0, |session| session.in_flight.len() + session.queue.len())
    }

    /// Takes a copy into a session: QoS 0 to the socket or nowhere, the others behind the queue if that has room.
    fn queue(&mut self, lane: Lane, copy: Queued) {
        let socket = self.sockets.get_mut(&lane);
        if copy.published.qos == 0 {
            if let Some(socket) = socket {
                socket.push_back(copy.packet(0, false));
            }
            return;
        }
        let Some(session) = self.state.sessions.get_mut(&lane) else { return };
        let free = if socket.is_some() { self.rules.window } else { 0 };
        let full = |most| session.in_flight.len() + session.queue.len() >= free + most;
        if !self.rules.queue.is_some_and(full) {
            session.queue.push_back(copy);
        } else if !copy.retained {
            self.lost.insert((lane, copy.published.serial));
        }
    }

    /// Writes from the queue while the window has room.
    fn fill_window(&mut self, lane: Lane) {
        let (Some(socket), Some(session)) = (self.sockets.get_mut(&lane), self.state.sessions.get_mut(&lane)) else {
            return;
        };
        while session.in_flight.len() < self.rules.window.min(usize::from(u16::MAX)) {
            let Some(copy) = session.queue.pop_front() else { return };
            let pkid = session.take_pkid();
            socket.push_back(copy.packet(pkid, false));
            session.in_flight.push_back((pkid, copy));
        }
    }
}
