//! The values of a decoded object, each with where it stands.
//!
//! Codecs nest as they like: `button_event.status`, `air_temperature.value`, `temperatureSensor.3`. What they name alike they spell
//! unlike (`WATER_LEAK_STATUS`, `water_leak_status`, `WaterLeakStatus`), so names are compared by their letters and digits alone.

use super::field::{self, Field};
use crate::wire::json::Json;

/// The deepest level that is read; sensors' values stand on the first three.
const MAX_DEPTH: usize = 4;
/// The most values of one message that are looked at.
const MAX_LEAVES: usize = 256;

/// Parts of the names of objects whose members are no present state: settings and their answers, stored records, summaries, what is
/// known of the radio, the soil.
const BARRED: &[&str] = &[
    "average",
    "beacon",
    "calibration",
    "capabilit",
    "config",
    "datalog",
    "deviceinfo",
    "downlink",
    "enable",
    "feature",
    "gateway",
    "history",
    "limit",
    "location",
    "maximum",
    "metadata",
    "minimum",
    "network",
    "option",
    "parameter",
    "previous",
    "rawdata",
    "request",
    "response",
    "rule",
    "schedule",
    "setting",
    "soil",
    "statistic",
    "threshold",
    "version",
    "wifi",
];

/// A name in one spelling: its ASCII letters and digits in lower case.
#[derive(Clone, Copy)]
pub(super) struct Name {
    letters: [u8; Name::LONGEST],
    length: usize,
}

impl Name {
    const LONGEST: usize = 40;

    /// The parts as one name; None where it is longer than any that is known, or not ASCII.
    pub fn of(parts: &[&str]) -> Option<Name> {
        let mut name = Name { letters: [0; Name::LONGEST], length: 0 };
        for byte in parts.iter().flat_map(|part| part.bytes()).filter(|byte| !is_separator(*byte)) {
            if !byte.is_ascii_alphanumeric() {
                return None;
            }
            *name.letters.get_mut(name.length)? = byte.to_ascii_lowercase();
            name.length += 1;
        }
        Some(name)
    }

    pub fn letters(&self) -> &[u8] {
        &self.letters[..self.length]
    }

    pub fn is(&self, name: &str) -> bool {
        self.letters() == name.as_bytes()
    }
}

fn is_separator(byte: u8) -> bool {
    matches!(byte, b'_' | b'-' | b'.' | b' ')
}

/// One value and the keys that lead to it.
#[derive(Clone, Copy)]
pub(super) struct Leaf<'j> {
    keys: [&'j str; MAX_DEPTH],
    depth: usize,
    /// What the last key is in the one spelling; of `value`, `state` and a channel's number, what the key before is.
    pub name: Name,
    /// What the table knows of that name.
    pub rows: &'static [Field],
    pub value: &'j Json<'j>,
}

impl<'j> Leaf<'j> {
    /// All values of an object that may be a present state.
    pub fn all(object: &'j Json<'j>) -> Vec<Leaf<'j>> {
        let mut leaves = Vec::with_capacity(object.members().len() + 4);
        gather(object, [""; MAX_DEPTH], 0, &mut leaves);
        leaves
    }

    fn new(keys: [&'j str; MAX_DEPTH], depth: usize, value: &'j Json<'j>) -> Option<Leaf<'j>> {
        let own = keys[depth - 1];
        let stands_for_its_object = depth > 1 && (matches!(own, "value" | "state") || is_number(own));
        let name = Name::of(&[if stands_for_its_object { keys[depth - 2] } else { own }])?;
        Some(Leaf { keys, depth, name, rows: field::named(&name), value })
    }

    /// As an operator writes it: `button_event.status`.
    pub fn path(&self) -> String {
        self.keys[..self.depth].join(".")
    }

    /// The name together with that of its object: `buttoneventstatus`.
    pub fn name_in_object(&self) -> Option<Name> {
        match self.keys[..self.depth] {
            [.., object, own] => Name::of(&[object, own]),
            _ => None,
        }
    }

    /// The name of the object that it stands in.
    pub fn object(&self) -> Option<Name> {
        match self.keys[..self.depth] {
            [.., object, _] => Name::of(&[object]),
            _ => None,
        }
    }

    /// The channel, where that is all that the last key says.
    pub fn channel(&self) -> Option<&'j str> {
        let own = self.keys[self.depth - 1];
        (self.depth > 1 && is_number(own)).then_some(own)
    }

    /// The name without its number, and the number: `temperature_chn2` is the temperature of `chn2`.
    pub fn numbered(&self) -> Option<(Name, &'j str)> {
        let own = self.keys[self.depth - 1];
        let digits = own.len() - own.trim_end_matches(|c: char| c.is_ascii_digit()).len();
        let (word, _) = own.split_at(own.len() - digits);
        let channel = ["channel_", "channel", "chn_", "chn", "ch"].into_iter().find(|tail| word.ends_with(tail));
        let zone_at = own.len() - digits - channel.map_or(0, str::len);
        if digits == 0 || zone_at == 0 {
            return None;
        }
        Some((Name::of(&[&own[..zone_at]])?, &own[zone_at..]))
    }
}

fn is_number(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_digit())
}

fn gather<'j>(object: &'j Json<'j>, mut keys: [&'j str; MAX_DEPTH], depth: usize, leaves: &mut Vec<Leaf<'j>>) {
    for (key, value) in object.members() {
        if leaves.len() == MAX_LEAVES {
            return;
        }
        keys[depth] = key;
        match value {
            Json::Object(_) if depth + 1 < MAX_DEPTH && !is_barred(key) => gather(value, keys, depth + 1, leaves),
            Json::Object(_) | Json::List(_) | Json::Unread(_) => {}
            _ => leaves.extend(Leaf::new(keys, depth + 1, value)),
        }
    }
}

fn is_barred(key: &str) -> bool {
    let holds = |name: &Name, word: &str| name.letters().windows(word.len()).any(|part| part == word.as_bytes());
    Name::of(&[key]).is_some_and(|name| BARRED.iter().any(|word| holds(&name, word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spelt(name: &Name) -> String {
        String::from_utf8(name.letters().to_vec()).unwrap()
    }

    #[test]
    fn names_are_compared_by_letters_and_digits() {
        for spelling in ["WATER_LEAK_STATUS", "water-leak status", "WaterLeakStatus", "waterLeak.status"] {
            assert!(Name::of(&[spelling]).unwrap().is("waterleakstatus"));
        }
        assert!(Name::of(&["漏水"]).is_none());
        assert!(Name::of(&["x".repeat(41).as_str()]).is_none());
    }

    #[test]
    fn values_are_found_where_they_stand() {
        let text = r#"{"a":1,"button_event":{"status":"short press"},"air":{"temperature":{"value":21}},"temperatureSensor":{"3":20},
            "history":[{"a":2}],"alarm_config":{"a":3},"x":{"x":{"x":{"x":{"x":1}}}}}"#;
        let object = Json::parse(text).unwrap();
        let found: Vec<_> = Leaf::all(&object).iter().map(|l| (l.path(), spelt(&l.name))).collect();
        let expected = [
            ("a", "a"),
            ("button_event.status", "status"),
            ("air.temperature.value", "temperature"),
            ("temperatureSensor.3", "temperaturesensor"),
        ];
        assert_eq!(found, expected.map(|(path, name)| (path.to_owned(), name.to_owned())));
    }

    #[test]
    fn numbers_tell_channels() {
        for (key, expected) in [
            ("temperature_1", Some(("temperature", "1"))),
            ("TempC2", Some(("tempc", "2"))),
            ("magnet_chn2", Some(("magnet", "chn2"))),
            ("temperature_channel_3", Some(("temperature", "channel_3"))),
            ("temperature", None),
            ("12", None),
            ("ch1", None),
        ] {
            let object = Json::Object(vec![(key.into(), Json::Null)]);
            let found = Leaf::all(&object)[0].numbered().map(|(name, zone)| (spelt(&name), zone));
            assert_eq!(found, expected.map(|(name, zone)| (name.to_owned(), zone)), "{key}");
        }
    }

    #[test]
    fn a_flood_of_values_is_cut_off() {
        let many = (0..2_000).map(|n| (n.to_string().into(), Json::Null)).collect();
        assert_eq!(Leaf::all(&Json::Object(many)).len(), MAX_LEAVES);
    }
}
