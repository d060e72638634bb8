//! The words between the machine and the pump: what happened, what to do, how it stands.

use super::fault::{Fault, Report};
use super::filter::Filter;
use super::lanes::Memory;
use crate::keeper::ports::{Delivery, Lane};
use bytes::Bytes;

/// A message as it came from the broker.
#[derive(Debug, Clone)]
pub struct Message {
    /// 0 at QoS 0.
    pub pkid: u16,
    pub qos: u8,
    pub topic: String,
    pub payload: Bytes,
    pub retain: bool,
    /// It was written before, on an earlier connection: whoever died over it in between may have died *of* it.
    pub dup: bool,
}

/// What happened on the wire.
#[derive(Debug)]
pub enum Event {
    Accepted {
        session_present: bool,
    },
    /// The answer to the SUBSCRIBE under way: a code per filter.
    SubAck {
        codes: Vec<u8>,
    },
    /// The answer to the UNSUBSCRIBE under way.
    UnsubAck,
    Message(Message),
    /// The connection is gone, or none came about. `jitter` is any number, even over its range.
    Broken {
        fault: Fault,
        jitter: u32,
    },
}

/// What to do, in this order.
#[derive(Debug)]
pub enum Action {
    /// Put this on disk before going on.
    Remember(Memory),
    Connect {
        connection: u32,
    },
    /// At QoS 1, as one packet.
    Subscribe(Vec<Filter>),
    Unsubscribe(Filter),
    Deliver(Delivery),
    /// A PUBACK; all of them in the order given.
    Ack(u16),
    /// Leave politely, behind the acknowledgements given so far.
    Disconnect,
    /// Drop the connection as it is.
    Abandon(Fault),
    Link(LinkState),
    Report(Report),
    /// The session is stopped; nothing follows.
    Finished,
}

/// Actions, each with the lane that it is for.
pub type Out = Vec<(Lane, Action)>;

/// How a lane stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkState {
    Down,
    /// Connected, but the broker refuses some filters (`LaneStatus::refused`).
    Partial,
    /// Connected, and subscribed to all filters.
    Ready,
}

/// The figures of a lane, for `/readyz` and `/metrics`.
#[derive(Debug, Clone)]
pub struct LaneStatus {
    pub link: LinkState,
    /// Attempts to connect since the start.
    pub connections: u32,
    /// Messages since the start, and those of them that were acknowledged.
    pub received: u64,
    pub acknowledged: u64,
    /// Messages handed on and not yet durable.
    pub waiting: usize,
    pub refused: Vec<Filter>,
    /// Why the last connection ended; stays until the next is up.
    pub fault: Option<Fault>,
    pub flapping: bool,
}
