//! Names of things. All are short texts that people choose, except alarm and notice ids, which derive from (site, sequence).

use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// The longest id or device address in bytes. The source's topic levels are shorter than this in every dialect known.
pub const MAX_ID_BYTES: usize = 256;

/// Why a text is no id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BadId {
    Empty,
    TooLong,
    ControlCharacter,
    NotAnAlarm,
}

impl fmt::Display for BadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            BadId::Empty => "an id may not be empty",
            BadId::TooLong => "an id may have at most 256 bytes",
            BadId::ControlCharacter => "an id may not hold control characters",
            BadId::NotAnAlarm => "an alarm id looks like zhonglou-000184, a notice id like zhonglou-000184-n3",
        })
    }
}

impl std::error::Error for BadId {}

fn checked(text: &str) -> Result<&str, BadId> {
    match text {
        "" => Err(BadId::Empty),
        t if t.len() > MAX_ID_BYTES => Err(BadId::TooLong),
        t if t.chars().any(char::is_control) => Err(BadId::ControlCharacter),
        t => Ok(t),
    }
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Takes a text of 1 to 256 bytes without control characters.
            pub fn new(text: &str) -> Result<Self, BadId> {
                checked(text).map(|t| $name(t.into()))
            }

            /// Makes an id of any text: control characters become spaces, what is too long is cut, nothing becomes a dash.
            pub fn cut(text: &str) -> Self {
                let mut id: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
                while id.len() > MAX_ID_BYTES {
                    id.pop();
                }
                $name(if id.is_empty() { "-".into() } else { id.into() })
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = BadId;
            fn from_str(text: &str) -> Result<Self, BadId> {
                Self::new(text)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
                Self::new(&text).map_err(serde::de::Error::custom)
            }
        }

        impl<C> Encode<C> for $name {
            fn encode<W: encode::Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), encode::Error<W::Error>> {
                e.str(&self.0)?.ok()
            }
        }

        impl<'b, C> Decode<'b, C> for $name {
            fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
                Ok($name(d.str()?.into()))
            }
        }
    )*};
}

ids! {
    /// A district.
    SiteId
    /// One household; unique over all sites.
    HomeId
    /// A device as the registry names it.
    DeviceId
    /// Where messages come from: the NAME of `[source.NAME]`.
    SourceId
    /// What a source calls a device: friendly name with slashes, DevEUI, MAC.
    Address
    /// A part of a device with readings of its own: probe, zone, endpoint.
    Zone
    ResidentId
    ResponderId
    ChannelId
    LadderId
    RotaId
    PlanId
    ProfileId
}

/// One alarm: `zhonglou-000184`. The number is the site's own count and never used twice.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct AlarmId {
    #[n(0)]
    pub site: SiteId,
    #[n(1)]
    pub number: u64,
}

impl AlarmId {
    /// The number by which people name it on the phone: a letter that is not mistaken for a digit, and three digits. `A184` is the
    /// alarm 184, `B184` is 1,184; of a site's last 24,000 alarms no two have the same.
    pub fn short(&self) -> String {
        const LETTERS: &[u8; 24] = b"ABCDEFGHJKLMNPQRSTUVWXYZ";
        let letter = LETTERS[(self.number / 1000 % LETTERS.len() as u64) as usize];
        format!("{}{:03}", char::from(letter), self.number % 1000)
    }
}

/// One notice of an alarm: `zhonglou-000184-n3`. Constant over every attempt to deliver it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct NoticeId {
    #[n(0)]
    pub alarm: AlarmId,
    #[n(1)]
    pub number: u32,
}

impl fmt::Display for AlarmId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{:06}", self.site, self.number)
    }
}

impl fmt::Display for NoticeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-n{}", self.alarm, self.number)
    }
}

impl FromStr for AlarmId {
    type Err = BadId;
    fn from_str(text: &str) -> Result<Self, BadId> {
        let (site, number) = text.rsplit_once('-').ok_or(BadId::NotAnAlarm)?;
        Ok(AlarmId { site: SiteId::new(site)?, number: number.parse().map_err(|_| BadId::NotAnAlarm)? })
    }
}

impl FromStr for NoticeId {
    type Err = BadId;
    fn from_str(text: &str) -> Result<Self, BadId> {
        let (alarm, number) = text.rsplit_once("-n").ok_or(BadId::NotAnAlarm)?;
        Ok(NoticeId { alarm: alarm.parse()?, number: number.parse().map_err(|_| BadId::NotAnAlarm)? })
    }
}

impl Serialize for AlarmId {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl Serialize for NoticeId {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_number_is_told_apart_on_the_phone() {
        let short = |number| AlarmId { site: SiteId::cut("z"), number }.short();
        let table = [
            (0, "A000"),
            (184, "A184"),
            (999, "A999"),
            (1_000, "B000"),
            (8_007, "J007"),
            (23_999, "Z999"),
            (24_000, "A000"),
        ];
        for (number, expected) in table {
            assert_eq!(short(number), expected, "{number}");
        }
        assert_eq!(short(u64::MAX).len(), 4);
    }

    #[test]
    fn an_id_has_one_to_256_bytes_and_no_control_characters() {
        let cases = [
            ("h0012".to_owned(), None),
            (String::new(), Some(BadId::Empty)),
            ("x".repeat(MAX_ID_BYTES), None),
            ("x".repeat(MAX_ID_BYTES + 1), Some(BadId::TooLong)),
            ("x".repeat(2 * MAX_ID_BYTES), Some(BadId::TooLong)),
            ("a\nb".to_owned(), Some(BadId::ControlCharacter)),
        ];
        for (text, why) in cases {
            assert_eq!(HomeId::new(&text).err(), why, "{} bytes", text.len());
            assert!(HomeId::new(HomeId::cut(&text).as_str()).is_ok(), "what is cut is one");
        }
    }
}
