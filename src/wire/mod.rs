//! Bytes to engine types and back, pure: no I/O, no clock, no logging, and no state but the [`Lore`] that the caller keeps.
//!
//! A [`Source`] says which dialect is spoken on which topics. [`decode`] turns one message of it into readings, and into
//! lessons that help to understand later messages; whoever owns the lore learns them. **Nothing here knows the registry:**
//! whose device it is, and whether a press is new, is decided in the engine.
//!
//! A new dialect is one file (or folder) here, one variant of [`Dialect`] and one arm of [`decode`].

mod alink;
mod chirpstack;
pub mod envelope;
mod home_assistant;
mod json;
mod lorawan;
pub mod lore;
mod own;
mod report;
pub mod respond;
mod rtl_433;
mod rule;
mod scalar;
mod shelly_gen1;
mod shelly_gen2;
mod sparkplug_b;
mod stated_time;
mod table;
mod tasmota;
mod the_things;
mod theengs;
pub mod topic;
mod tuya_link;
pub mod webhook;
mod zigbee2mqtt;

#[cfg(test)]
mod tests;

use crate::engine::dialect::Dialect;
use crate::engine::id::{Address, SiteId, SourceId};
use crate::engine::reading::Report;
pub use lore::{Lesson, Lore};
use std::fmt;
use topic::Place;
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

/// Where messages come from.
#[derive(Debug, Clone)]
pub struct Source {
    pub name: SourceId,
    /// A source belongs to one site.
    pub site: SiteId,
    pub dialect: Dialect,
    /// At least one.
    pub topics: Vec<TopicTemplate>,
    /// Filters of topics that devices choose themselves and tell by discovery.
    pub also: Vec<String>,
}

impl Source {
    /// A source of one site: a `{site}` in its templates stands for this site and no other.
    pub fn new(name: SourceId, site: SiteId, dialect: Dialect, topics: Vec<TopicTemplate>) -> Source {
        let topics = topics.into_iter().map(|topic| topic.of_site(site.as_str())).collect();
        Source { name, site, dialect, topics, also: Vec::new() }
    }

    /// Where a topic of this source leads; None where it is not one by its templates.
    fn place<'t>(&self, topic: &'t str) -> Option<Place<'t>> {
        self.topics.iter().find_map(|template| template.place(topic))
    }

    /// What to subscribe to, to hear all of this source.
    pub fn filters(&self) -> Vec<String> {
        self.topics.iter().map(TopicTemplate::filter).chain(self.also.iter().cloned()).collect()
    }

    /// What to subscribe to, to hear everything of one device: all of the source where no filter can name the device alone. Nothing
    /// where the address holds a wildcard.
    pub fn device_filters(&self, address: &Address) -> Vec<String> {
        if !self.dialect.addressed_by_topic() {
            return self.filters();
        }
        self.topics.iter().filter_map(|template| template.device_filter(address.as_str())).collect()
    }
}

/// The sources that `decode` listens to without a configuration: every dialect on its usual topics, any site.
pub fn default_sources() -> Vec<Source> {
    let source = |dialect: &Dialect| {
        let topics = dialect.usual_topics().iter().map(|topic| TopicTemplate::parse(topic).ok());
        Some(Source {
            name: SourceId::new(dialect.name()).ok()?,
            site: SiteId::new("default").ok()?,
            dialect: *dialect,
            topics: topics.collect::<Option<_>>()?,
            also: Vec::new(),
        })
    };
    Dialect::ALL.iter().filter_map(source).collect()
}

/// The source that a message is for. A topic that a template names plainly goes to that source; one that a device told, to where it
/// told it; what only fits ESPHome's pattern, to that.
pub fn find_source<'s>(sources: &'s [Source], lore: &Lore, topic: &str) -> Option<&'s Source> {
    let fits = |s: &&Source| s.place(topic).is_some();
    let plain = sources.iter().filter(|s| s.dialect != Dialect::Esphome).find(fits);
    plain.or_else(|| sources.iter().find(|s| lore.is_told(&s.name, topic))).or_else(|| sources.iter().find(fits))
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
            pub const ALL: &'static [$name] = &[$($name::$variant,)*];

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
        Network "the network server speaks, and not the device",
        Simulated "simulated by a person: no device said it",
        Discovery "a device tells of its entities: learnt",
        Template "its value stands in a template that is not read",
        HomeAssistant "Home Assistant speaks of itself",
        Log "the log of a device",
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
        Protobuf "the protobuf is broken or cut off",
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
    // Alibaba's topics begin with an empty level.
    let levels = if source.dialect == Dialect::Alink { message.topic.trim_start_matches('/') } else { message.topic };
    if !topic::well_formed(levels) {
        return Rejected::Topic.into();
    }
    let heard = Heard { lore, source, place: source.place(message.topic), message };
    match source.dialect {
        Dialect::HomeAssistant | Dialect::Esphome => home_assistant::decode(&heard),
        _ => heard.place.map_or_else(|| Ignored::NotOurs.into(), |place| decode_at(&heard, place)),
    }
}

/// One message, with all that helps to understand it.
struct Heard<'a> {
    lore: &'a Lore,
    source: &'a Source,
    /// None on a topic that a device has chosen itself.
    place: Option<Place<'a>>,
    message: &'a Message<'a>,
}

fn decode_at(heard: &Heard, place: Place) -> Decoded {
    let Heard { lore, source, message, .. } = *heard;
    match source.dialect {
        Dialect::Own => own::decode(source, place, message),
        Dialect::Zigbee2mqtt => zigbee2mqtt::decode(lore, source, place, message),
        Dialect::Chirpstack => chirpstack::decode(heard, place),
        Dialect::TheThings => the_things::decode(heard, place),
        Dialect::ShellyGen2 => shelly_gen2::decode(heard, place),
        Dialect::ShellyGen1 => shelly_gen1::decode(heard, place),
        Dialect::Tasmota => tasmota::decode(heard, place),
        Dialect::Theengs => theengs::decode(heard, place),
        Dialect::Rtl433 => rtl_433::decode(heard, place),
        Dialect::TuyaLink => tuya_link::decode(heard, place),
        Dialect::Alink => alink::decode(heard, place),
        Dialect::SparkplugB => sparkplug_b::decode(heard, place),
        Dialect::HomeAssistant | Dialect::Esphome => home_assistant::decode(heard),
    }
}

/// The payload as text, if it is within the limit and UTF-8.
fn text<'a>(message: &Message<'a>) -> Result<&'a str, Rejected> {
    if message.payload.len() > MAX_PAYLOAD_BYTES {
        return Err(Rejected::TooLarge);
    }
    std::str::from_utf8(message.payload).map_err(|_| Rejected::NotUtf8)
}
