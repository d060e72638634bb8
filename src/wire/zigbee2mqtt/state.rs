//! A device's state: one pass over the object picks out what the table knows and folds the rest into a fingerprint.

use super::property::{self, Property};
use crate::engine::id::Zone;
use crate::engine::kind::Kind;
use crate::engine::profile::{Gloss, Profile};
use crate::engine::reading::{Form, Reading};
use crate::engine::time::Wall;
use crate::wire::Rejected;
use crate::wire::lore::DeviceLore;
use crate::wire::rule::{self, Rule, Settled, TOLD};
use crate::wire::scalar::{Folding, Scalar, Text};
use crate::wire::stated_time::stated_time;
use crc32fast::Hasher;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, Visitor};
use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

/// The most properties of one message that can become readings.
const MAX_FACTS: usize = 64;

/// What a state said, before anything is known of the device but what people told.
#[derive(Default)]
pub(super) struct State<'a> {
    facts: Vec<Fact<'a>>,
    /// Which of the names that silence others stood in it.
    marks: Vec<&'static str>,
    pub device_time: Option<Wall>,
    /// A fingerprint of all that is neither a press nor mere radio: it does not depend on the order.
    pub rest: u32,
    /// How well the device was received, percent.
    pub signal: Option<u8>,
}

struct Fact<'a> {
    name: Cow<'a, str>,
    by: By<'a>,
    /// Where in the name the zone stands.
    zone: Option<Range<usize>>,
    value: Scalar<'a>,
}

/// Who says what a property means.
#[derive(Clone, Copy)]
enum By<'a> {
    People(&'a Gloss),
    Table(&'static Property),
}

impl<'a> State<'a> {
    pub fn parse(payload: &'a str, profile: Option<&'a Profile>) -> Result<State<'a>, Rejected> {
        let mut reader = Reader { profile, ..Reader::default() };
        let mut json = serde_json::Deserializer::from_str(payload);
        let read = reader.deserialize(&mut json).and_then(|()| json.end());
        match read {
            Ok(()) => Ok(reader.state),
            Err(_) => Err(reader.fault.unwrap_or(Rejected::NotJson)),
        }
    }

    /// One property that came alone, as bare text.
    pub fn of_attribute(name: &'a str, text: &'a str, profile: Option<&'a Profile>) -> State<'a> {
        let fact =
            find(name, profile).map(|(by, zone)| Fact { name: name.into(), by, zone, value: Scalar::spelt(text) });
        State { facts: fact.into_iter().collect(), ..State::default() }
    }

    /// The readings, each (kind, zone) once: a press beside a state stays beside it.
    pub fn readings(&self, known: Option<&DeviceLore>) -> Vec<Reading> {
        let mut settled = Settled::with_capacity(self.facts.len());
        for fact in &self.facts {
            let (rank, reading) = match fact.by {
                By::People(told) => (TOLD, rule::told(told, &fact.value, fact.zone())),
                By::Table(property) if self.is_silent(property) => continue,
                By::Table(property) => (property.rank, self.by_table(property, fact, known)),
            };
            if let Some(reading) = reading {
                settled.add(rank, reading);
            }
        }
        settled.readings()
    }
}

/// What people told of a property, or else the table.
fn find<'p>(name: &str, profile: Option<&'p Profile>) -> Option<(By<'p>, Option<Range<usize>>)> {
    let in_table = property::find(name);
    match profile.and_then(|profile| profile.of(name)) {
        Some(told) => Some((By::People(told), in_table.and_then(|(_, zone)| zone))),
        None => in_table.map(|(property, zone)| (By::Table(property), zone)),
    }
}

impl State<'_> {
    /// Whether the names that stand beside a property tell that it says nothing.
    fn is_silent(&self, property: &Property) -> bool {
        let stands = |name: &&str| self.marks.contains(name);
        property::SILENT.iter().any(|silence| {
            let of_it = silence.name == property.name;
            of_it && silence.beside.iter().all(stands) && !silence.without.iter().any(stands)
        })
    }

    fn by_table(&self, property: &Property, fact: &Fact, known: Option<&DeviceLore>) -> Option<Reading> {
        let meaning = known.and_then(|d| d.meaning(&fact.name));
        let (kind, value) = property.rule.read(&fact.value, meaning)?;
        // A device that tells both tells two things.
        let somebody = property.name == "occupancy" && !self.facts.iter().any(|other| other.name == "presence");
        let kind = if somebody && known.is_some_and(|d| d.senses_presence) { Kind::Presence } else { kind };
        Some(Reading { kind, zone: fact.zone(), value, form: form(property.rule, kind) })
    }
}

impl Fact<'_> {
    fn zone(&self) -> Option<Zone> {
        self.zone.clone().and_then(|at| Zone::new(&self.name[at]).ok())
    }

    /// Whether it may be a press, whose coming and going is no other news.
    fn is_press(&self) -> bool {
        match self.by {
            By::People(told) => rule::is_event(told),
            By::Table(property) => matches!(property.rule, Rule::Action | Rule::Flag(Kind::Sos)),
        }
    }
}

/// An action is in no later message; every other property is repeated with each report, and no definition says that an SOS
/// state ever returns to rest.
fn form(rule: Rule, kind: Kind) -> Form {
    match (rule, kind) {
        (Rule::Action, _) => Form::Event,
        (_, Kind::Sos) => Form::Latched,
        _ => Form::Edge,
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
    profile: Option<&'a Profile>,
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
            if let Err(why) = self.state.take(name, value, self.profile, hasher) {
                self.fault = Some(why);
                return Err(A::Error::custom(why));
            }
        }
        Ok(())
    }
}

impl<'a> State<'a> {
    fn take(
        &mut self,
        name: Cow<'a, str>,
        value: Scalar<'a>,
        profile: Option<&'a Profile>,
        hasher: Hasher,
    ) -> Result<(), Rejected> {
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
        self.marks.extend(property::mark(&name).filter(|mark| !self.marks.contains(mark)));
        let of_a_press = name.starts_with("action_");
        let fact = find(&name, profile).map(|(by, zone)| Fact { name, by, zone, value });
        if !of_a_press && !fact.as_ref().is_some_and(Fact::is_press) {
            self.rest = self.rest.wrapping_add(hasher.finalize());
        }
        match fact {
            None => Ok(()),
            Some(fact) if self.facts.iter().any(|other| other.name == fact.name) => Err(Rejected::DoubleKey),
            Some(_) if self.facts.len() == MAX_FACTS => Err(Rejected::TooMuch),
            Some(fact) => {
                self.facts.push(fact);
                Ok(())
            }
        }
    }
}
