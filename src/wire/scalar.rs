//! One JSON value as a device's property can hold it, and what it may mean.

use super::MAX_TEXT_BYTES;
use crate::engine::kind::Kind;
use crc32fast::Hasher;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, de};
use std::borrow::Cow;
use std::fmt;

/// A value; lists and objects are passed over, since a reading never hides in one.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Scalar<'a> {
    Null,
    Bool(bool),
    Number(f64),
    Text(Cow<'a, str>),
    Nested,
}

impl<'a> Scalar<'a> {
    /// A bare text, as the value that it spells.
    pub fn spelt(text: &'a str) -> Scalar<'a> {
        match text.trim() {
            "" | "null" => Scalar::Null,
            "true" => Scalar::Bool(true),
            "false" => Scalar::Bool(false),
            text => match text.parse::<f64>() {
                Ok(number) if text.starts_with(|c: char| c.is_ascii_digit() || c == '-') => Scalar::Number(number),
                _ => Scalar::Text(Cow::Borrowed(text)),
            },
        }
    }

    pub fn as_number(&self) -> Option<f64> {
        match self {
            Scalar::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// Whether a message writes the value so: a text without its quotes, a whole number without a point.
    pub fn is_spelt(&self, word: &str) -> bool {
        match self {
            Scalar::Null => word == "null",
            Scalar::Bool(flag) => word == if *flag { "true" } else { "false" },
            Scalar::Number(number) => word.parse() == Ok(*number),
            Scalar::Text(text) => text == word,
            Scalar::Nested => false,
        }
    }

    /// A text, or a number as it is written, as far as it may go on to journals, pages and logs: a number may have three hundred digits.
    pub fn as_word(&self) -> Option<Cow<'_, str>> {
        let word = match self {
            Scalar::Text(text) => Cow::Borrowed(&**text),
            Scalar::Number(number) => Cow::Owned(number.to_string()),
            _ => return None,
        };
        presentable(&word).then_some(word)
    }

    pub fn as_text(&self) -> Option<&str> {
        match self {
            Scalar::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Yes or no: a boolean, one of the words that devices use for it, or exactly 1 or 0. Whole words only: "no alarm" is none.
    pub fn as_flag(&self) -> Option<bool> {
        match self {
            Scalar::Bool(flag) => Some(*flag),
            Scalar::Number(1.0) => Some(true),
            Scalar::Number(0.0) => Some(false),
            Scalar::Text(word) => [
                ("true", true),
                ("false", false),
                ("on", true),
                ("off", false),
                ("yes", true),
                ("no", false),
                ("alarm", true),
                // Of a battery.
                ("low", true),
                ("normal", false),
            ]
            .iter()
            .find(|(known, _)| word.eq_ignore_ascii_case(known))
            .map(|(_, flag)| *flag),
            _ => None,
        }
    }
}

/// Whether a number can be true of its kind. Sensors say 327.67 °C or 255 % when they know nothing.
pub(super) fn plausible(kind: Kind, number: f64) -> bool {
    let range = match kind {
        Kind::Battery | Kind::Humidity => 0.0..=100.0,
        Kind::Temperature => -60.0..=150.0,
        Kind::Illuminance => 0.0..=200_000.0,
        Kind::RespiratoryRate => 1.0..=100.0,
        Kind::HeartRate => 10.0..=300.0,
        Kind::Weight => 0.0..=1_000.0,
        _ => -1e9..=1e9,
    };
    range.contains(&number)
}

/// A text that may go on to journals, pages and logs: not empty, not long, no control characters.
pub(super) fn presentable(text: &str) -> bool {
    !text.is_empty() && text.len() <= MAX_TEXT_BYTES && !text.chars().any(char::is_control)
}

/// A text that borrows from the input where it can.
#[derive(Deserialize)]
pub(super) struct Text<'a>(#[serde(borrow)] pub Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Scalar<'a> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Folding(&mut Hasher::new()).deserialize(d)
    }
}

/// Reads a value and folds all of it, nested parts too, into a checksum.
pub(super) struct Folding<'h>(pub &'h mut Hasher);

impl<'de> DeserializeSeed<'de> for Folding<'_> {
    type Value = Scalar<'de>;

    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<Scalar<'de>, D::Error> {
        d.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Folding<'_> {
    type Value = Scalar<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Scalar<'de>, E> {
        self.0.update(b"n");
        Ok(Scalar::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Scalar<'de>, E> {
        self.0.update(if flag { b"t" } else { b"f" });
        Ok(Scalar::Bool(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Scalar<'de>, E> {
        self.0.update(&number.to_le_bytes());
        Ok(Scalar::Number(number as f64))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Scalar<'de>, E> {
        self.0.update(&number.to_le_bytes());
        Ok(Scalar::Number(number as f64))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Scalar<'de>, E> {
        self.0.update(&number.to_le_bytes());
        Ok(Scalar::Number(number))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Scalar<'de>, E> {
        self.0.update(text.as_bytes());
        Ok(Scalar::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Scalar<'de>, E> {
        self.0.update(text.as_bytes());
        Ok(Scalar::Text(Cow::Borrowed(text)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Scalar<'de>, A::Error> {
        self.0.update(b"[");
        while seq.next_element_seed(Folding(self.0))?.is_some() {}
        self.0.update(b"]");
        Ok(Scalar::Nested)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Scalar<'de>, A::Error> {
        self.0.update(b"{");
        while map.next_key_seed(Folding(self.0))?.is_some() {
            map.next_value_seed(Folding(self.0))?;
        }
        self.0.update(b"}");
        Ok(Scalar::Nested)
    }
}
