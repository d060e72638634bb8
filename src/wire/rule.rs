//! How a property's value becomes a reading: the rules that the tables of all dialects are made of.

use super::lore::Meaning;
use super::scalar::{Scalar, plausible, presentable};
use crate::engine::id::Zone;
use crate::engine::kind::{Kind, Shape};
use crate::engine::profile::Gloss;
use crate::engine::reading::{Form, Reading, Value};

/// Words and what they mean; whole words, in any case.
pub(super) type Words = &'static [(&'static str, bool)];

/// How a property's value becomes a reading.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Rule {
    /// Yes or no, in any of the usual spellings. Of a contact: true = open.
    Flag(Kind),
    /// Yes or no as a boolean only: other devices use the name for an amount or a setting.
    Strict(Kind),
    /// Yes or no, and no means this kind: `battery_ok` is a battery that is not low.
    Not(Kind),
    /// Whole words that mean yes or no; any other word says nothing.
    Words(Kind, Words),
    /// One of these words, or else yes or no in any of the usual spellings.
    Spelt(Kind, Words),
    /// A contact: true = closed.
    Contact,
    /// A number in our unit.
    Number(Kind),
    /// A number in °F.
    Fahrenheit(Kind),
    /// A number in another unit: ours is so many times as much.
    Times(Kind, f64),
    /// A number whose unit only the definition tells.
    Amount(Kind),
    /// A press or gesture: each message that holds it is an event.
    Action,
    /// A number above zero is yes, zero is no.
    Counted(Kind),
    /// The words of fall detectors.
    Fall,
}

impl Rule {
    /// What a value says by this rule, where a definition may say what the property means. None where it says nothing.
    pub fn read(self, value: &Scalar, meaning: Option<&Meaning>) -> Option<(Kind, Value)> {
        let (kind, value) = match (self, meaning) {
            (_, Some(Meaning::NoReading)) => return None,
            (Rule::Flag(kind) | Rule::Strict(kind), Some(Meaning::Words { yes, no })) => {
                (kind, Value::Flag(spelt_as(value, yes, no)?))
            }
            (Rule::Flag(kind), _) => (kind, Value::Flag(flag(kind, value)?)),
            (Rule::Strict(kind), _) => match value {
                Scalar::Bool(flag) => (kind, Value::Flag(*flag)),
                _ => return None,
            },
            (Rule::Not(kind), _) => (kind, Value::Flag(!value.as_flag()?)),
            (Rule::Words(kind, words), _) => (kind, Value::Flag(word(value, words)?)),
            (Rule::Spelt(kind, words), _) => (kind, Value::Flag(word(value, words).or_else(|| flag(kind, value))?)),
            (Rule::Contact, _) => (Kind::Contact, Value::Flag(open_unless_true(value)?)),
            (Rule::Fahrenheit(kind), _) => (kind, number(kind, value, celsius)?),
            (Rule::Number(kind), Some(Meaning::Fahrenheit)) => (kind, number(kind, value, celsius)?),
            (Rule::Number(kind) | Rule::Amount(kind), Some(Meaning::Times(factor))) => {
                (kind, number(kind, value, |x| x * factor)?)
            }
            (Rule::Number(kind), _) => (kind, number(kind, value, |x| x)?),
            (Rule::Times(kind, factor), _) => (kind, number(kind, value, |x| x * factor)?),
            (Rule::Amount(_), _) => return None,
            (Rule::Counted(kind), _) => match value {
                Scalar::Number(number) => (kind, Value::Flag(*number > 0.0)),
                _ => return None,
            },
            (Rule::Fall, _) => fall(value)?,
            (Rule::Action, _) => action(value)?,
        };
        Some((kind, shaped(kind, value)))
    }
}

/// A contact's flag is open or closed.
fn shaped(kind: Kind, value: Value) -> Value {
    match value {
        Value::Flag(open) if kind.shape() == Shape::Door => Value::Open(open),
        value => value,
    }
}

/// A number as this kind can have it, after a conversion.
pub(super) fn number(kind: Kind, value: &Scalar, convert: impl Fn(f64) -> f64) -> Option<Value> {
    match value {
        Scalar::Number(number) => Some(convert(*number)).filter(|x| plausible(kind, *x)).map(Value::Number),
        _ => None,
    }
}

pub(super) fn celsius(fahrenheit: f64) -> f64 {
    (fahrenheit - 32.0) / 1.8
}

/// The meaning of a whole word, in any case; a number is the word that spells it.
pub(super) fn word(value: &Scalar, words: &[(&str, bool)]) -> Option<bool> {
    let is = |known: &str| match value {
        Scalar::Text(said) => said.eq_ignore_ascii_case(known),
        Scalar::Number(_) => value.is_spelt(known),
        _ => false,
    };
    words.iter().find(|(known, _)| is(known)).map(|(_, flag)| *flag)
}

const DOOR: Words = &[("open", true), ("opened", true), ("closed", false), ("close", false)];

fn flag(kind: Kind, value: &Scalar) -> Option<bool> {
    if kind == Kind::Contact {
        return word(value, DOOR).or_else(|| value.as_flag());
    }
    value.as_flag()
}

fn open_unless_true(value: &Scalar) -> Option<bool> {
    word(value, DOOR).or_else(|| value.as_flag().map(|closed| !closed))
}

/// By the definition's own words; a value that is neither of them is read as it would be without.
fn spelt_as(value: &Scalar, yes: &str, no: &str) -> Option<bool> {
    match value.as_text() {
        Some(said) if said == yes => Some(true),
        Some(said) if said == no => Some(false),
        _ => value.as_flag(),
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

/// The rank of what people told: above every table's.
pub(super) const TOLD: u8 = 9;

/// What a property says by what people told of it.
pub(super) fn told(told: &Gloss, value: &Scalar, zone: Option<Zone>) -> Option<Reading> {
    let kind = told.kind?;
    let value = match kind.shape() {
        Shape::Number(_) => number(kind, value, |x| x * told.times)?,
        Shape::Text => match value {
            Scalar::Text(text) if presentable(text) => Value::Text(text.as_ref().into()),
            _ => return None,
        },
        Shape::Flag | Shape::Door if told.on.is_empty() => shaped(kind, Value::Flag(flag(kind, value)?)),
        Shape::Flag | Shape::Door => {
            let is = |words: &[Box<str>]| words.iter().any(|word| value.is_spelt(word));
            match (is(&told.on), is(&told.off)) {
                (true, _) => shaped(kind, Value::Flag(true)),
                (false, true) => shaped(kind, Value::Flag(false)),
                (false, false) => return None,
            }
        }
    };
    Some(Reading { kind, zone, value, form: if is_event(told) { Form::Event } else { Form::Edge } })
}

/// Whether each message with it is an event. A text is a press, and comes with each.
pub(super) fn is_event(told: &Gloss) -> bool {
    told.off.is_empty() && (!told.on.is_empty() || told.kind.is_some_and(|kind| kind.shape() == Shape::Text))
}

/// The most readings of one message. No device has so many parts, and each is compared with all before it.
const MAX_READINGS: usize = 256;

/// The readings of a message, each (kind, zone) once; of several properties that tell the same, the higher rank is believed. A press
/// beside a state stays beside it.
#[derive(Default)]
pub(super) struct Settled(Vec<(u8, Reading)>);

impl Settled {
    pub fn with_capacity(readings: usize) -> Settled {
        Settled(Vec::with_capacity(readings))
    }

    pub fn add(&mut self, rank: u8, reading: Reading) {
        let same = |(_, other): &&mut (u8, Reading)| {
            other.kind == reading.kind && other.zone == reading.zone && other.form == reading.form
        };
        let full = self.0.len() == MAX_READINGS;
        match self.0.iter_mut().find(same) {
            None if full => {}
            None => self.0.push((rank, reading)),
            Some(other) if rank > other.0 => *other = (rank, reading),
            // Two properties of equal rank: an alarm in one of them is an alarm.
            Some((at, other)) if *at == rank && reading.value == Value::Flag(true) => other.value = reading.value,
            Some(_) => {}
        }
    }

    pub fn readings(self) -> Vec<Reading> {
        self.0.into_iter().map(|(_, reading)| reading).collect()
    }
}
