//! A device's state: one pass over the object picks out what the table knows and folds the rest into a fingerprint.

use super::property::{self, Property, Rule};
use crate::engine::id::Zone;
use crate::engine::kind::Kind;
use crate::engine::reading::{Form, Reading, Value};
use crate::engine::time::Wall;
use crate::wire::Rejected;
use crate::wire::lore::{DeviceLore, Meaning};
use crate::wire::scalar::{Folding, Scalar, Text, plausible, presentable};
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
        let mut settled: Vec<(u8, Reading)> = Vec::with_capacity(self.facts.len());
        for fact in &self.facts {
            let Some(reading) = fact.reading(known).filter(|reading| !self.is_raw(reading)) else { continue };
            let rank = fact.property.rank;
            let same = |(_, other): &&mut (u8, Reading)| {
                other.kind == reading.kind && other.zone == reading.zone && other.form == reading.form
            };
            match settled.iter_mut().find(same) {
                None => settled.push((rank, reading)),
                Some(other) if rank > other.0 => *other = (rank, reading),
                // Two properties of equal rank: an alarm in one of them is an alarm.
                Some((at, other)) if *at == rank && reading.value == Value::Flag(true) => other.value = reading.value,
                Some(_) => {}
            }
        }
        settled.into_iter().map(|(_, reading)| reading).collect()
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
        let (kind, value) = match (self.property.rule, meaning) {
            (_, Some(Meaning::NoReading)) => return None,
            (Rule::Flag(kind) | Rule::Strict(kind), Some(Meaning::Words { yes, no })) => {
                (kind, Value::Flag(spelt_as(&self.value, yes, no)?))
            }
            (Rule::Flag(kind), _) => (kind, Value::Flag(self.value.as_flag()?)),
            (Rule::Strict(kind), _) => match self.value {
                Scalar::Bool(flag) => (kind, Value::Flag(flag)),
                _ => return None,
            },
            (Rule::Words(kind, words), _) => (kind, Value::Flag(word(&self.value, words)?)),
            (Rule::Contact, _) => (Kind::Contact, Value::Open(open(&self.value)?)),
            (Rule::Fahrenheit(kind), _) => (kind, number(kind, &self.value, celsius)?),
            (Rule::Number(kind), Some(Meaning::Fahrenheit)) => (kind, number(kind, &self.value, celsius)?),
            (Rule::Number(kind) | Rule::Amount(kind), Some(Meaning::Times(factor))) => {
                (kind, number(kind, &self.value, |x| x * factor)?)
            }
            (Rule::Number(kind), _) => (kind, number(kind, &self.value, |x| x)?),
            (Rule::Amount(_), _) => return None,
            (Rule::Fall, _) => fall(&self.value)?,
            (Rule::Action, _) => action(&self.value)?,
        };
        let kind = if kind == Kind::Motion && known.is_some_and(|d| d.senses_presence) { Kind::Presence } else { kind };
        let value = match value {
            Value::Flag(open) if kind == Kind::Contact => Value::Open(open),
            value => value,
        };
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

fn word(value: &Scalar, words: &[(&str, bool)]) -> Option<bool> {
    let said = value.as_text()?;
    words.iter().find(|(known, _)| said.eq_ignore_ascii_case(known)).map(|(_, flag)| *flag)
}

/// By the definition's own words; a value that is neither of them is read as it would be without.
fn spelt_as(value: &Scalar, yes: &str, no: &str) -> Option<bool> {
    match value.as_text() {
        Some(said) if said == yes => Some(true),
        Some(said) if said == no => Some(false),
        _ => value.as_flag(),
    }
}

/// Zigbee2MQTT says `true` for a closed contact.
fn open(value: &Scalar) -> Option<bool> {
    word(value, &[("open", true), ("closed", false), ("close", false)])
        .or_else(|| value.as_flag().map(|closed| !closed))
}

fn celsius(fahrenheit: f64) -> f64 {
    (fahrenheit - 32.0) / 1.8
}

fn number(kind: Kind, value: &Scalar, convert: impl Fn(f64) -> f64) -> Option<Value> {
    match value {
        Scalar::Number(number) => Some(convert(*number)).filter(|x| plausible(kind, *x)).map(Value::Number),
        _ => None,
    }
}

fn fall(value: &Scalar) -> Option<(Kind, Value)> {
    let (kind, flag) = match value.as_text()? {
        "fall" | "fall_alarm" | "falling" => (Kind::Fall, true),
        "maybe_fall" | "fall_warning" => (Kind::FallWarning, true),
        "none" | "normal" | "sitting" | "on_the_bed" | "low_posture" | "occupied" | "unoccupied" => (Kind::Fall, false),
        _ => return None,
    };
    Some((kind, Value::Flag(flag)))
}

fn action(value: &Scalar) -> Option<(Kind, Value)> {
    match value.as_text()?.trim() {
        "none" => None,
        call if ["emergency", "sos", "panic"].iter().any(|word| call.eq_ignore_ascii_case(word)) => {
            Some((Kind::Sos, Value::Flag(true)))
        }
        action if presentable(action) => Some((Kind::Button, Value::Text(action.into()))),
        _ => None,
    }
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
            "linkquality" | "update" | "update_available" | "elapsed" => return Ok(()),
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
