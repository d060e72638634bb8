//! What is remembered of an entity that a device told of: where it speaks, and what its words mean.

use super::template::Found;
use super::template::{Payload, Template, printed};
use crate::engine::kind::Kind;
use crate::wire::lore::Meaning;
use crate::wire::rule;
use crate::wire::scalar::Scalar;
use crate::wire::topic;

/// One entity: a state, a press or a number of a device.
#[derive(Debug, Clone, PartialEq)]
pub struct Entity {
    /// The device's, with the home in front where a source's topics name homes.
    pub address: Box<str>,
    /// Whether the first level of the address is a home.
    pub home: bool,
    /// The device's model, for profiles.
    pub model: Box<str>,
    /// The object id; an operator's name of the property, and the zone where a device has several of a kind.
    pub name: Box<str>,
    /// The part of the message that its template reads, where that is no more than one.
    pub(super) property: Option<Box<str>>,
    /// Where its state is told. None where only its being there is of interest.
    pub(super) topic: Option<Box<str>>,
    pub(super) template: Template,
    pub(super) sense: Sense,
    pub(super) availability: Vec<Availability>,
    pub(super) mode: Mode,
}

/// What an entity's value means.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Sense {
    /// Two words; any other says nothing.
    Binary {
        kind: Option<Kind>,
        on: Box<str>,
        off: Box<str>,
        /// Home Assistant itself ends the state after a while; nobody tells.
        ends_untold: bool,
    },
    /// A number of a kind and unit.
    Number(Kind, Unit),
    /// A JSON object with the type of the event.
    Event(EventClass),
    /// A message is the event: any, or the one with this payload. The text is what the press is called.
    /// An echo tells once more what the device's state tells too.
    Trigger { payload: Option<Box<str>>, called: Box<str>, echoes: bool },
    /// One property of a Zigbee2MQTT state, which is read as a whole; the meaning is what the discovery adds.
    Zigbee { meaning: Option<Meaning>, senses_presence: bool },
    /// Nothing that a name or a class would tell.
    Unknown,
}

/// How a number becomes ours.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Unit {
    Ours,
    Times(f64),
    Fahrenheit,
    Kelvin,
}

impl Unit {
    pub fn convert(self, number: f64) -> f64 {
        match self {
            Unit::Ours => number,
            Unit::Times(factor) => number * factor,
            Unit::Fahrenheit => rule::celsius(number),
            // Two decimals, as the constant has.
            Unit::Kelvin => ((number - 273.15) * 100.0).round() / 100.0,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum EventClass {
    Button,
    Motion,
    /// No class: only the words of presses are read.
    Any,
    /// A visitor's press, and no sign of life of whoever lives there.
    Doorbell,
}

/// A topic on which it is told whether the entity is there.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Availability {
    pub topic: Box<str>,
    pub template: Template,
    pub there: Box<str>,
    pub gone: Box<str>,
}

impl Availability {
    /// What a message on the topic says, if it says anything.
    pub fn says(&self, payload: &Payload) -> Option<bool> {
        let Found::Value(value) = self.template.read(payload) else { return None };
        match (is_word(&value, &self.there), is_word(&value, &self.gone)) {
            (true, _) => Some(true),
            (false, true) => Some(false),
            (false, false) => None,
        }
    }
}

/// How several availability topics make one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Mode {
    All,
    Any,
    Latest,
}

/// Whether a value is a configured word. Texts are compared letter by letter. A template prints yes as `True`; whether a number was
/// written `1` or `1.0` is not known here, so either is the same.
pub(super) fn is_word(value: &Scalar, word: &str) -> bool {
    match value {
        Scalar::Number(number) => word.parse() == Ok(*number),
        value => printed(value).is_some_and(|text| text == word),
    }
}

impl Entity {
    /// The topics on which something is told of it; may hold `+`.
    pub fn topics(&self) -> impl Iterator<Item = &str> {
        self.topic.as_deref().into_iter().chain(self.availability.iter().map(|a| &*a.topic))
    }

    /// Whether its state is told on this topic.
    pub(super) fn speaks_on(&self, topic: &str) -> bool {
        self.topic.as_deref().is_some_and(|own| topic::covers(own, topic))
    }

    /// The kind of its readings, where that is told beforehand.
    pub(super) fn kind(&self) -> Option<Kind> {
        match &self.sense {
            Sense::Binary { kind, .. } => *kind,
            Sense::Number(kind, _) => Some(*kind),
            Sense::Event(EventClass::Motion) => Some(Kind::Motion),
            Sense::Event(EventClass::Button | EventClass::Any) => Some(Kind::Button),
            Sense::Event(EventClass::Doorbell) | Sense::Trigger { .. } | Sense::Zigbee { .. } | Sense::Unknown => None,
        }
    }

    /// About how much room it takes.
    pub fn bytes(&self) -> usize {
        let texts: usize = [&self.address, &self.model, &self.name].iter().map(|text| text.len()).sum();
        let words = match &self.sense {
            Sense::Binary { on, off, .. } => on.len() + off.len(),
            Sense::Trigger { payload, called, .. } => payload.as_ref().map_or(0, |p| p.len()) + called.len(),
            Sense::Zigbee { meaning: Some(Meaning::Words { yes, no }), .. } => yes.len() + no.len(),
            _ => 0,
        };
        let availability = self
            .availability
            .iter()
            .map(|a| size_of::<Availability>() + a.topic.len() + a.there.len() + a.gone.len() + a.template.bytes());
        size_of::<Entity>()
            + texts
            + words
            + self.template.bytes()
            + availability.sum::<usize>()
            + self.topic.as_ref().map_or(0, |t| t.len())
            + self.property.as_ref().map_or(0, |p| p.len())
    }
}

#[cfg(test)]
impl Entity {
    /// An entity without a meaning.
    pub fn speaking(address: &str, topic: &str) -> Entity {
        Entity {
            address: address.into(),
            home: false,
            model: "".into(),
            name: "x".into(),
            property: None,
            topic: Some(topic.into()),
            template: Template::WHOLE,
            sense: Sense::Unknown,
            availability: Vec::new(),
            mode: Mode::Latest,
        }
    }
}
