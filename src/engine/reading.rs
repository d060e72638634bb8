//! What a device said, in the one form that the engine knows.

use super::id::{Address, SourceId, Zone};
use super::kind::Kind;
use super::time::Wall;
use minicbor::{Decode, Encode};
use serde::{Serialize, Serializer};

/// A normalised value; which variant belongs to which kind stands in [`Kind::shape`].
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub enum Value {
    #[n(0)]
    Flag(#[n(0)] bool),
    /// true = open
    #[n(1)]
    Open(#[n(0)] bool),
    /// always finite
    #[n(2)]
    Number(#[n(0)] f64),
    #[n(3)]
    Text(#[n(0)] Box<str>),
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Flag(b) => s.serialize_bool(*b),
            Value::Open(open) => s.serialize_str(if *open { "open" } else { "closed" }),
            // Whole numbers print as such: 87, not 87.0.
            Value::Number(x) if x.fract() == 0.0 && x.abs() < 1e15 => s.serialize_i64(*x as i64),
            Value::Number(x) => s.serialize_f64(*x),
            Value::Text(t) => s.serialize_str(t),
        }
    }
}

/// What a repeat of a value means: a property of (model, property), told by the dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Form {
    /// The message is the event: every one counts.
    #[n(0)]
    Event,
    /// A state that its source sends again with every report, and that returns to rest by itself: the change counts.
    #[n(1)]
    Edge,
    /// A state that may stay `true` for ever after the first time: a repeat may be another press.
    #[n(2)]
    Latched,
}

/// One normalised fact of a device.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Reading {
    #[n(0)]
    pub kind: Kind,
    #[n(1)]
    pub zone: Option<Zone>,
    #[n(2)]
    pub value: Value,
    #[n(3)]
    pub form: Form,
}

impl Reading {
    pub fn new(kind: Kind, value: Value, form: Form) -> Reading {
        Reading { kind, zone: None, value, form }
    }

    /// A flag of a state that is repeated.
    pub fn flag(kind: Kind, value: bool) -> Reading {
        Reading::new(kind, Value::Flag(value), Form::Edge)
    }

    pub fn number(kind: Kind, value: f64) -> Reading {
        Reading::new(kind, Value::Number(value), Form::Edge)
    }
}

/// Which devices a report speaks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Speaker {
    /// One device.
    Device(Address),
    /// A bridge or hub: its `online` holds for every device of this source whose address begins with the prefix
    /// (empty: all of them).
    Bridge(Box<str>),
}

/// The readings of one message of one device.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    pub source: SourceId,
    pub speaker: Speaker,
    /// What the topic's `{home}` says; the registry beats it.
    pub home_hint: Option<Box<str>>,
    pub readings: Vec<Reading>,
    /// The time that the device states, unchecked.
    pub device_time: Option<Wall>,
    /// The sender's own id of this event: a second message with it is the same press.
    pub event_id: Option<Box<str>>,
    /// A fingerprint of what else the message said (without link quality and time of last contact): a latched `true` that
    /// comes with other news is a report, one that comes with none may be a press.
    pub rest: u32,
    /// Delivered because we subscribed, not because it happened.
    pub retained: bool,
    /// How well the device was received, percent; None where the source does not say.
    pub signal: Option<u8>,
    /// Another telling of an event that the source also tells elsewhere (Zigbee2MQTT's text on `…/action` beside the JSON).
    pub echo: bool,
}
