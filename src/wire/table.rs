//! Tables of properties, for dialects in which a property's name alone tells what it is; what people told of a device goes before
//! the table.

use super::report::Spoken;
use super::rule::{Rule, Settled, told};
use super::scalar::Scalar;
use crate::engine::id::Zone;
use crate::engine::kind::Kind;
use crate::engine::profile::Profile;
use crate::engine::reading::{Form, Reading, Value};
use crc32fast::Hasher;

/// The rank of what people told: above every row.
const TOLD: u8 = u8::MAX;

/// One row: a property and what it means.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Row {
    pub name: &'static str,
    pub rule: Rule,
    /// Where two properties of a message tell the same fact, the higher one is believed.
    pub rank: u8,
    /// What a repeat of it means.
    pub form: Form,
}

/// A state that returns to rest by itself.
pub(super) const fn state(name: &'static str, rule: Rule) -> Row {
    Row { name, rule, rank: 1, form: Form::Edge }
}

/// A press, or an alarm whose end is never told: each message that holds it counts.
pub(super) const fn event(name: &'static str, rule: Rule) -> Row {
    Row { name, rule, rank: 1, form: Form::Event }
}

/// A state that may never return to rest.
pub(super) const fn latched(name: &'static str, rule: Rule) -> Row {
    Row { name, rule, rank: 1, form: Form::Latched }
}

impl Row {
    /// Speaks only where no plainer property does.
    pub const fn second(self) -> Row {
        Row { rank: 0, ..self }
    }

    /// The row of a name in a table sorted by name.
    pub fn find(table: &'static [Row], name: &str) -> Option<&'static Row> {
        table.binary_search_by(|row| row.name.cmp(name)).ok().map(|at| &table[at])
    }

    /// What a value says by this row.
    pub fn reading(&self, value: &Scalar, zone: Option<Zone>) -> Option<Reading> {
        let (kind, value) = self.rule.read(value, None)?;
        // That something is at rest is a state, however its beginning is told.
        let form = if value == Value::Flag(false) { Form::Edge } else { self.form };
        Some(Reading { kind, zone, value, form })
    }
}

/// The readings of one message, gathered property by property.
pub(super) struct Gathered<'p> {
    settled: Settled,
    profile: Option<&'p Profile>,
    rest: u32,
}

impl<'p> Gathered<'p> {
    /// Nothing yet; a profile is what people told of the device.
    pub fn new(profile: Option<&'p Profile>) -> Gathered<'p> {
        Gathered { settled: Settled::default(), profile, rest: 0 }
    }

    /// Takes a property by what people told of it, or else by the first of its rows that says something. Says whether it was a reading.
    pub fn take<'r>(
        &mut self,
        name: &str,
        value: &Scalar,
        rows: impl IntoIterator<Item = &'r Row>,
        zone: Option<Zone>,
    ) -> bool {
        let found = match self.profile.and_then(|profile| profile.of(name)) {
            Some(meaning) => told(meaning, value, zone).map(|reading| (TOLD, reading)),
            None => rows.into_iter().find_map(|row| Some((row.rank, row.reading(value, zone.clone())?))),
        };
        let press = found.as_ref().is_some_and(|(_, reading)| reading.kind == Kind::Sos || reading.form == Form::Event);
        if !press {
            self.rest = self.rest.wrapping_add(fingerprint(name, value));
        }
        let read = found.is_some();
        if let Some((rank, reading)) = found {
            self.settled.add(rank, reading);
        }
        read
    }

    /// Takes a reading that no row can tell.
    pub fn add(&mut self, reading: Reading) {
        self.settled.add(1, reading);
    }

    /// What the device said.
    pub fn spoken(self) -> Spoken {
        Spoken { rest: self.rest, ..Spoken::of(self.settled.readings()) }
    }
}

/// Of one property; nested parts count by their name alone.
fn fingerprint(name: &str, value: &Scalar) -> u32 {
    let mut hasher = Hasher::new();
    hasher.update(name.as_bytes());
    match value {
        Scalar::Null => hasher.update(b"n"),
        Scalar::Bool(flag) => hasher.update(if *flag { b"t" } else { b"f" }),
        Scalar::Number(number) => hasher.update(&number.to_le_bytes()),
        Scalar::Text(text) => hasher.update(text.as_bytes()),
        Scalar::Nested => hasher.update(b"{"),
    }
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::profile::Gloss;
    use crate::wire::tests::profile;

    const TABLE: &[Row] = &[
        event("call", Rule::Flag(Kind::Sos)),
        latched("sos", Rule::Flag(Kind::Sos)),
        state("temp", Rule::Number(Kind::Temperature)).second(),
        state("temperature", Rule::Number(Kind::Temperature)),
    ];

    fn gathered(profile: Option<&Profile>, properties: &[(&str, Scalar)]) -> Spoken {
        let mut gathered = Gathered::new(profile);
        for (name, value) in properties {
            gathered.take(name, value, Row::find(TABLE, name), None);
        }
        gathered.spoken()
    }

    #[test]
    fn the_plainer_property_is_believed_and_rest_is_a_state() {
        let spoken = gathered(None, &[("temperature", Scalar::Number(20.0)), ("temp", Scalar::Number(7.0))]);
        assert_eq!(spoken.readings, [Reading::number(Kind::Temperature, 20.0)]);
        let forms = |flag| gathered(None, &[("call", Scalar::Bool(flag))]).readings[0].form;
        assert_eq!((forms(true), forms(false)), (Form::Event, Form::Edge));
    }

    #[test]
    fn what_people_told_goes_before_the_table() {
        let told = |property: &str, kind| Gloss {
            property: property.into(),
            kind,
            on: vec!["7".into()],
            off: vec![],
            times: 1.0,
        };
        let profile = profile(vec![told("temperature", None), told("temp", Some(Kind::Sos))]);
        let spoken = gathered(Some(&profile), &[("temperature", Scalar::Number(20.0)), ("temp", Scalar::Number(7.0))]);
        assert_eq!(spoken.readings, [Reading::new(Kind::Sos, Value::Flag(true), Form::Event)]);
    }

    #[test]
    fn a_press_is_no_part_of_the_fingerprint() {
        let rest = |sos, temp| gathered(None, &[("sos", Scalar::Bool(sos)), ("temp", Scalar::Number(temp))]).rest;
        assert_eq!(rest(true, 7.0), rest(false, 7.0));
        assert_ne!(rest(true, 7.0), rest(true, 8.0));
    }
}
