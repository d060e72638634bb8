//! Bytes to engine types and back, pure: no I/O, no clock, no logging, and no state but the [`Lore`] that the caller keeps.
//!
//! A [`Source`] says which dialect is spoken on which topics. [`decode`] turns one message of it into readings, and into
//! lessons that help to understand later messages; whoever owns the lore learns them. **Nothing here knows the registry:**
//! whose device it is, and whether a press is new, is decided in the engine.
//!
//! A new dialect is one file (or folder) here, one variant of [`Dialect`] and one arm of [`decode`].

pub mod lore;
mod own;
mod scalar;
pub mod standard;
mod stated_time;
pub mod topic;
mod zigbee2mqtt;

#[cfg(test)]
mod tests;

use crate::engine::id::{Address, SiteId, SourceId};
use crate::engine::reading::Report;
pub use lore::{Lesson, Lore};
use std::fmt;
pub use topic::TopicTemplate;

/// The largest payload that is read. What is larger is no report of a device.
pub const MAX_PAYLOAD_BYTES: usize = 1 << 20;

/// The largest list of devices that is read, for bridges with hundreds of devices and their definitions.
pub const MAX_DEVICE_LIST_BYTES: usize = 16 << 20;

/// The longest text that a device may give as a button's action, an event's id or the name of a zone.
pub const MAX_TEXT_BYTES: usize = 128;

/// One message as the broker gave it, borrowed.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    pub topic: &'a str,
    pub payload: &'a [u8],
    /// Delivered because we subscribed, not because it happened.
    pub retain: bool,
}

/// How devices of a source speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dialect {
    /// Hearthwatch's own, for gateways and scripts that can be taught.
    Own,
    /// Zigbee2MQTT 1.x and 2.x.
    Zigbee2mqtt,
}

impl Dialect {
    pub const ALL: &'static [Dialect] = &[Dialect::Own, Dialect::Zigbee2mqtt];

    /// The word of the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Dialect::Own => "hearthwatch",
            Dialect::Zigbee2mqtt => "zigbee2mqtt",
        }
    }

    /// The dialect of that word, if there is one.
    pub fn parse(name: &str) -> Option<Dialect> {
        Dialect::ALL.iter().copied().find(|d| d.name() == name)
    }

    /// The topic template that such devices use unless they were told otherwise.
    pub const fn usual_topic(self) -> &'static str {
        match self {
            Dialect::Own => "hearthwatch/{site}/{home}/{device}",
            Dialect::Zigbee2mqtt => "zigbee2mqtt/{device}",
        }
    }
}

/// Where messages come from.
#[derive(Debug, Clone)]
pub struct Source {
    pub name: SourceId,
    /// A source belongs to one site.
    pub site: SiteId,
    pub dialect: Dialect,
    pub topic: TopicTemplate,
}

impl Source {
    /// A source of one site: a `{site}` in its template stands for this site and no other.
    pub fn new(name: SourceId, site: SiteId, dialect: Dialect, topic: TopicTemplate) -> Source {
        let topic = topic.of_site(site.as_str());
        Source { name, site, dialect, topic }
    }

    /// Whether a message on this topic is for this source.
    pub fn hears(&self, topic: &str) -> bool {
        self.topic.place(topic).is_some()
    }

    /// What to subscribe to, to hear all of this source.
    pub fn filters(&self) -> Vec<String> {
        vec![self.topic.filter()]
    }

    /// What to subscribe to, to hear everything of one device. None where the address holds a wildcard, which no filter can name.
    pub fn device_filter(&self, address: &Address) -> Option<String> {
        self.topic.device_filter(address.as_str())
    }
}

/// The sources that `decode` listens to without a configuration: every dialect on its usual topic, any site.
pub fn default_sources() -> Vec<Source> {
    let source = |dialect: &Dialect| {
        Some(Source {
            name: SourceId::new(dialect.name()).ok()?,
            site: SiteId::new("default").ok()?,
            dialect: *dialect,
            topic: TopicTemplate::parse(dialect.usual_topic()).ok()?,
        })
    };
    Dialect::ALL.iter().filter_map(source).collect()
}

/// What one message said.
#[derive(Debug, Clone, PartialEq)]
pub struct Decoded {
    pub outcome: Outcome,
    /// For [`Lore::learn`], in this order.
    pub lessons: Vec<Lesson>,
    /// How many parts of the message could not be read, beside those that could.
    pub unread: u32,
}

/// What came of one message.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// Understood. A report without readings says no more than that the device is alive.
    Readings(Vec<Report>),
    /// Understood, and nothing of interest.
    Ignored(Ignored),
    /// Malformed: to be kept raw and counted.
    Rejected(Rejected),
}

impl Decoded {
    fn reports(reports: Vec<Report>) -> Decoded {
        Outcome::Readings(reports).into()
    }
}

impl From<Outcome> for Decoded {
    fn from(outcome: Outcome) -> Decoded {
        Decoded { outcome, lessons: Vec::new(), unread: 0 }
    }
}

impl From<Ignored> for Decoded {
    fn from(why: Ignored) -> Decoded {
        Outcome::Ignored(why).into()
    }
}

impl From<Rejected> for Decoded {
    fn from(why: Rejected) -> Decoded {
        Outcome::Rejected(why).into()
    }
}

macro_rules! reasons {
    ($(#[$doc:meta])* $name:ident { $($variant:ident $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name { $($variant,)* }

        impl $name {
            /// The reason in words that stay the same, for answers and counters.
            pub const fn text(self) -> &'static str {
                match self { $($name::$variant => $text,)* }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.text())
            }
        }
    };
}

reasons! {
    /// Why an understood message brings nothing.
    Ignored {
        NotOurs "no source listens on this topic",
        NothingOfInterest "nothing of interest",
        Command "a command to a device",
        Bridge "the bridge speaks of itself",
        DeviceList "a list of devices: learnt",
        Empty "empty: a retained state was deleted, or a value is unknown",
        Attribute "an attribute of no interest",
    }
}

reasons! {
    /// Why a message cannot be read.
    Rejected {
        Topic "the topic has an empty level, a wildcard or a control character",
        NoDevice "the topic names no device",
        Address "the device's address has more than 256 bytes",
        TooLarge "the payload is too large",
        NotUtf8 "the payload is not UTF-8",
        NotJson "the JSON is broken, cut off or nested too deeply",
        NoObject "the payload is no JSON object",
        DoubleKey "a property stands twice",
        TooMuch "too many properties or items",
        State "neither online nor offline",
        Kind "no such kind of reading",
        Value "no value that this kind of reading can have",
    }
}

/// Understands one message of one source, as far as it and the lore allow. Never panics, whatever the bytes.
pub fn decode(lore: &Lore, source: &Source, message: &Message) -> Decoded {
    if message.payload.len() > MAX_DEVICE_LIST_BYTES {
        return Rejected::TooLarge.into();
    }
    let Some(place) = source.topic.place(message.topic) else {
        return if topic::well_formed(message.topic) { Ignored::NotOurs.into() } else { Rejected::Topic.into() };
    };
    if !topic::well_formed(message.topic) {
        return Rejected::Topic.into();
    }
    match source.dialect {
        Dialect::Own => own::decode(source, place, message),
        Dialect::Zigbee2mqtt => zigbee2mqtt::decode(lore, source, place, message),
    }
}

/// The payload as text, if it is within the limit and UTF-8.
fn text<'a>(message: &Message<'a>) -> Result<&'a str, Rejected> {
    if message.payload.len() > MAX_PAYLOAD_BYTES {
        return Err(Rejected::TooLarge);
    }
    std::str::from_utf8(message.payload).map_err(|_| Rejected::NotUtf8)
}
