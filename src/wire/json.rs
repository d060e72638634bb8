//! A JSON value as a tree that borrows from the message. For dialects whose readings hide in nested parts; bounded, and a key that
//! stands twice in an object is a fault, since nobody can tell which of the two was meant.

use super::scalar::{Scalar, Text};
use super::{Heard, Rejected, text};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;

/// The most values, nested ones counted, of one message.
const MAX_VALUES: u32 = 16_384;
/// The most keys of one object.
const MAX_KEYS: usize = 512;

/// As many keys as most objects have at most; so a list of members seldom has to grow.
const USUAL_KEYS: usize = 8;

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Json<'a> {
    Null,
    Bool(bool),
    Number(f64),
    Text(Cow<'a, str>),
    List(Vec<Json<'a>>),
    /// In the order of the message.
    Object(Vec<(Cow<'a, str>, Json<'a>)>),
    /// What was passed over: a value of any kind, as it is written.
    Unread(&'a str),
}

impl<'a> Json<'a> {
    /// Reads one whole value.
    ///
    /// # Errors
    /// What is broken, nested deeper than 127 levels, has a key twice or is too much.
    pub fn parse(payload: &'a str) -> Result<Json<'a>, Rejected> {
        Json::parse_without(&[], payload)
    }

    fn parse_without(skipped: &[&str], payload: &'a str) -> Result<Json<'a>, Rejected> {
        let (left, fault) = (Cell::new(MAX_VALUES), Cell::new(None));
        let mut json = serde_json::Deserializer::from_str(payload);
        let read = Reader { left: &left, fault: &fault, skipped }.deserialize(&mut json);
        let read = read.and_then(|value| json.end().map(|()| value));
        read.map_err(|_| fault.get().unwrap_or(Rejected::NotJson))
    }

    /// The message's payload, which has to be an object.
    ///
    /// # Errors
    /// As [`Json::parse`]; [`Rejected::NoObject`] for anything but an object.
    pub fn object(heard: &Heard<'a>) -> Result<Json<'a>, Rejected> {
        Json::object_without(&[], heard)
    }

    /// The same, where members of these names, however deep they stand, are passed over: [`Json::Unread`]. For what is long and of
    /// hardly any interest.
    ///
    /// # Errors
    /// As [`Json::object`].
    pub fn object_without(skipped: &[&str], heard: &Heard<'a>) -> Result<Json<'a>, Rejected> {
        match Json::parse_without(skipped, text(heard.message)?)? {
            object @ Json::Object(_) => Ok(object),
            _ => Err(Rejected::NoObject),
        }
    }

    /// A member of an object.
    pub fn get(&self, name: &str) -> Option<&Json<'a>> {
        self.members().iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// A member's member's member.
    pub fn at(&self, path: &[&str]) -> Option<&Json<'a>> {
        path.iter().try_fold(self, |value, name| value.get(name))
    }

    /// The members of an object; of anything else, none.
    pub fn members(&self) -> &[(Cow<'a, str>, Json<'a>)] {
        match self {
            Json::Object(members) => members,
            _ => &[],
        }
    }

    /// The items of a list; of anything else, none.
    pub fn items(&self) -> &[Json<'a>] {
        match self {
            Json::List(items) => items,
            _ => &[],
        }
    }

    pub fn as_text(&self) -> Option<&str> {
        match self {
            Json::Text(text) => Some(text),
            _ => None,
        }
    }

    pub fn as_number(&self) -> Option<f64> {
        match self {
            Json::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// The value as a property can hold it.
    pub fn scalar(&self) -> Scalar<'_> {
        match self {
            Json::Null => Scalar::Null,
            Json::Bool(flag) => Scalar::Bool(*flag),
            Json::Number(number) => Scalar::Number(*number),
            Json::Text(text) => Scalar::Text(Cow::Borrowed(text)),
            Json::List(_) | Json::Object(_) | Json::Unread(_) => Scalar::Nested,
        }
    }
}

#[derive(Clone, Copy)]
struct Reader<'r> {
    left: &'r Cell<u32>,
    /// Why it stopped, where that was not the JSON's fault.
    fault: &'r Cell<Option<Rejected>>,
    /// The names of members that nobody wants to see.
    skipped: &'r [&'r str],
}

impl Reader<'_> {
    fn stop<E: Error>(&self, why: Rejected) -> E {
        self.fault.set(Some(why));
        E::custom(why)
    }

    fn count<E: Error>(&self) -> Result<(), E> {
        let left = self.left.get().checked_sub(1).ok_or_else(|| self.stop(Rejected::TooMuch))?;
        self.left.set(left);
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Json<'de>;

    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<Json<'de>, D::Error> {
        self.count()?;
        d.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Json<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json<'de>, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Json<'de>, E> {
        Ok(Json::Bool(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Json<'de>, E> {
        Ok(Json::Number(number as f64))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Json<'de>, E> {
        Ok(Json::Number(number as f64))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Json<'de>, E> {
        Ok(Json::Number(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Borrowed(text)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Json<'de>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(self)? {
            items.push(item);
        }
        Ok(Json::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json<'de>, A::Error> {
        let mut members: Vec<(Cow<'de, str>, Json<'de>)> = Vec::with_capacity(USUAL_KEYS);
        while let Some(Text(name)) = map.next_key::<Text<'de>>()? {
            if members.len() == MAX_KEYS {
                return Err(self.stop(Rejected::TooMuch));
            }
            if members.iter().any(|(known, _)| *known == name) {
                return Err(self.stop(Rejected::DoubleKey));
            }
            let value = match self.skipped.contains(&&*name) {
                true => Json::Unread(map.next_value::<&'de RawValue>()?.get()),
                false => map.next_value_seed(self)?,
            };
            members.push((name, value));
        }
        Ok(Json::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_found_by_its_path() {
        let json = Json::parse(r#"{"a":{"b":[1,"x\n",null,true]},"c":-2.5}"#).unwrap();
        assert_eq!(json.at(&["a", "b"]).unwrap().items().len(), 4);
        assert_eq!(json.get("c").and_then(Json::as_number), Some(-2.5));
        assert_eq!(json.at(&["a", "b"]).unwrap().items()[1].as_text(), Some("x\n"));
        assert_eq!(json.at(&["a", "c", "b"]), None);
    }

    #[test]
    fn what_is_skipped_stays_as_it_is_written_but_has_to_be_json() {
        let read = |payload| Json::parse_without(&["rx"], payload);
        let long = format!("{{\"rx\":[{}1],\"a\":{{\"rx\":{{}},\"b\":2}}}}", "1,".repeat(MAX_VALUES as usize));
        let json = read(&long).unwrap();
        assert!(matches!(json.get("rx"), Some(Json::Unread(list)) if list.len() > MAX_VALUES as usize));
        assert_eq!(json.at(&["a", "rx"]), Some(&Json::Unread("{}")));
        assert_eq!(json.at(&["a", "b"]).and_then(Json::as_number), Some(2.0));
        assert_eq!(read("{\"rx\":[1,}"), Err(Rejected::NotJson));
        assert_eq!(read("{\"rx\":1,\"rx\":2}"), Err(Rejected::DoubleKey));
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let deep = "[".repeat(100_000);
        let long = format!("[{}1]", "1,".repeat(MAX_VALUES as usize));
        let wide = format!("{{{}\"z\":1}}", (0..MAX_KEYS).map(|n| format!("\"{n}\":1,")).collect::<String>());
        for (payload, why) in [
            ("{", Rejected::NotJson),
            ("{\"a\":NaN}", Rejected::NotJson),
            ("{} x", Rejected::NotJson),
            ("{\"a\":1e999}", Rejected::NotJson),
            (&deep, Rejected::NotJson),
            (&long, Rejected::TooMuch),
            (&wide, Rejected::TooMuch),
            ("{\"a\":1,\"b\":{\"c\":1,\"c\":2}}", Rejected::DoubleKey),
        ] {
            assert_eq!(Json::parse(payload), Err(why), "{}", &payload[..payload.len().min(40)]);
        }
    }
}
