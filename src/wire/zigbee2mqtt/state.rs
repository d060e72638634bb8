//! A device's state: one pass over the object picks out what the table knows and folds the rest into a fingerprint.

use super::property::{self, Property};
use crate::engine::id::Zone;
use crate::engine::kind::Kind;
use crate::engine::reading::{Form, Reading};
use crate::engine::time::Wall;
use crate::wire::Rejected;
use crate::wire::lore::DeviceLore;
use crate::wire::rule::{Rule, Settled};
use crate::wire::scalar::{Folding, Scalar, Text};
use crate::wire::stated_time::stated_time;
use crc32fast::Hasher;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, Visitor};
use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

/// The most properties of one message that can become readings.
const MAX_FACTS: usize = 64;

/// What a state said, before anything is known of the device.
#[derive(Default)]
pub(super) struct State<'a> {
    facts: Vec<Fact<'a>>,
    pub device_time: Option<Wall>,
    /// A fingerprint of all that is neither a press nor mere radio: it does not depend on the order.
    pub rest: u32,
    /// How well the device was received, percent.
    pub signal: Option<u8>,
}

struct Fact<'a> {
    name: Cow<'a, str>,
    property: &'static Property,
    /// Where in the name the zone stands.
    zone: Option<Range<usize>>,
    value: Scalar<'a>,
}

impl<'a> State<'a> {
    pub fn parse(payload: &'a str) -> Result<State<'a>, Rejected> {
        let mut reader = Reader::default();
        let mut json = serde_json::Deserializer::from_str(payload);
        let read = reader.deserialize(&mut json).and_then(|()| json.end());
        match read {
            Ok(()) => Ok(reader.state),
            Err(_) => Err(reader.fault.unwrap_or(Rejected::NotJson)),
        }
    }

    /// One property that came alone, as bare text.
    pub fn of_attribute(name: &'a str, text: &'a str) -> State<'a> {
        let fact = property::find(name).map(|(property, zone)| Fact {
            name: name.into(),
            property,
            zone,
            value: Scalar::spelt(text),
        });
        State { facts: fact.into_iter().collect(), ..State::default() }
    }

    /// The readings, each (kind, zone) once: a press beside a state stays beside it.
    pub fn readings(&self, known: Option<&DeviceLore>) -> Vec<Reading> {
        let mut settled = Settled::with_capacity(self.facts.len());
        for fact in &self.facts {
            if let Some(reading) = fact.reading(known).filter(|reading| !self.is_raw(reading)) {
                settled.add(fact.property.rank, reading);
            }
        }
        settled.readings()
    }
}

impl State<'_> {
    /// The one detector that tells smoke by `smoke_state` alone gives its battery as a figure without a unit.
    fn is_raw(&self, reading: &Reading) -> bool {
        let has = |name: &str| self.facts.iter().any(|fact| fact.name == name);
        reading.kind == Kind::Battery && has("smoke_state") && !has("smoke")
    }
}

impl Fact<'_> {
    fn reading(&self, known: Option<&DeviceLore>) -> Option<Reading> {
        let meaning = known.and_then(|d| d.meaning(&self.name));
        let (kind, value) = self.property.rule.read(&self.value, meaning)?;
        let kind = if kind == Kind::Motion && known.is_some_and(|d| d.senses_presence) { Kind::Presence } else { kind };
        let zone = self.zone.clone().and_then(|at| Zone::new(&self.name[at]).ok());
        Some(Reading { kind, zone, value, form: self.form(kind) })
    }

    /// An action is in no later message; every other property is repeated with each report, and no definition says that an SOS
    /// state ever returns to rest.
    fn form(&self, kind: Kind) -> Form {
        match (self.property.rule, kind) {
            (Rule::Action, _) => Form::Event,
            (_, Kind::Sos) => Form::Latched,
            _ => Form::Edge,
        }
    }
}

/// The link quality of IEEE 802.15.4 is a number up to 255.
fn of_lqi(lqi: f64) -> u8 {
    (lqi.clamp(0.0, 255.0) / 2.55).round() as u8
}

/// The visitor, with what it has found.
#[derive(Default)]
struct Reader<'a> {
    state: State<'a>,
    /// Why it stopped, where that was not the JSON's fault.
    fault: Option<Rejected>,
}

impl<'de> DeserializeSeed<'de> for &mut Reader<'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<(), D::Error> {
        d.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for &mut Reader<'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the state of a device")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Text(name)) = map.next_key::<Text<'de>>()? {
            let mut hasher = Hasher::new();
            hasher.update(name.as_bytes());
            let value = map.next_value_seed(Folding(&mut hasher))?;
            if let Err(why) = self.state.take(name, value, hasher) {
                self.fault = Some(why);
                return Err(A::Error::custom(why));
            }
        }
        Ok(())
    }
}

impl<'a> State<'a> {
    fn take(&mut self, name: Cow<'a, str>, value: Scalar<'a>, hasher: Hasher) -> Result<(), Rejected> {
        match &*name {
            "linkquality" => {
                self.signal = value.as_number().map(of_lqi);
                return Ok(());
            }
            "update" | "update_available" | "elapsed" => return Ok(()),
            "last_seen" => {
                self.device_time = stated_time(&value);
                return Ok(());
            }
            _ => {}
        }
        let found = property::find(&name);
        let press = found.as_ref().is_some_and(|(p, _)| matches!(p.rule, Rule::Action | Rule::Flag(Kind::Sos)))
            || name.starts_with("action_");
        if !press {
            self.rest = self.rest.wrapping_add(hasher.finalize());
        }
        let Some((property, zone)) = found else { return Ok(()) };
        if self.facts.iter().any(|fact| fact.name == name) {
            return Err(Rejected::DoubleKey);
        }
        if self.facts.len() == MAX_FACTS {
            return Err(Rejected::TooMuch);
        }
        self.facts.push(Fact { name, property, zone, value });
        Ok(())
    }
}
