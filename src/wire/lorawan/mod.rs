//! What a LoRaWAN device says, whichever network server decoded it: the object of its codec, read by one table.

mod field;
mod leaf;
mod shape;
mod words;

#[cfg(test)]
pub(in crate::wire) mod tests;

use super::json::Json;
use super::lore::Lore;
use super::report::share;
use super::rule::{Rule, Settled, told};
use super::scalar::Scalar;
use crate::engine::id::{SourceId, Zone};
use crate::engine::kind::Kind;
use crate::engine::profile::Profile;
use crate::engine::reading::{Form, Reading, Value};
use crc32fast::Hasher;
use field::Field;
use leaf::{Leaf, Name};
use std::borrow::Cow;

/// One decoded message.
pub(super) struct Uplink<'j> {
    /// What the codec made of it.
    pub object: &'j Json<'j>,
    /// What the network server knows in one schema for all makers, where it does.
    pub normalized: Option<&'j Json<'j>>,
    /// What the network server calls the model, the surest name first.
    pub models: Vec<&'j str>,
    pub port: Option<f64>,
}

/// Where codecs say which model speaks.
const MODEL_FIELDS: &[&str] = &["deviceModel", "Node_type", "Device", "SENSOR_MODEL", "productModel", "model"];

/// Fields that together show an answer to a command or a record of the past: nothing in such a message is the present state.
const NOT_NOW: &[&[&str]] =
    &[&["cmd", "device"], &["datalog"], &["frequencyband", "firmwareversion"], &["msgtype", "year"]];

/// Objects of a device whose warmth and damp are not the room's.
const NOT_THE_ROOM: &[&str] =
    &["water", "body", "skin", "surface", "board", "mainboard", "mcu", "chip", "device", "target"];

/// What a battery in volts is below of, and a percentage with a fraction hardly ever.
const VOLTS_BELOW: f64 = 6.0;

impl Uplink<'_> {
    /// The readings, and a fingerprint of what else was said beside a latched call for help.
    pub fn readings(&self, lore: &Lore, source: &SourceId, address: &str) -> (Vec<Reading>, u32) {
        let models = self.all_models();
        let leaves = Leaf::all(self.object);
        let mut settled = Settled::with_capacity(leaves.len().min(16));
        if NOT_NOW.iter().any(|names| names.iter().all(|name| stands(&leaves, name))) {
            return (Vec::new(), 0);
        }
        let spelt = models.iter().filter_map(|model| Name::of(&[model])).collect();
        let known = Known { leaves: &leaves, models: spelt, port: self.port };
        let profile = profile(lore, source, address, &models);
        for leaf in &leaves {
            match profile.and_then(|p| p.of(&leaf.path())) {
                Some(what) => told(what, &leaf.value.scalar(), None).into_iter().for_each(|r| settled.add(u8::MAX, r)),
                None => known.add(leaf, &mut settled),
            }
        }
        shape::add(self.object, &mut settled);
        let mut readings = settled.readings();
        // Whoever told of a device told of its codec's fields; the same values come in the normalised payload, under other names.
        if let Some(payload) = self.normalized.filter(|_| profile.is_none()) {
            complete(&mut readings, payload);
        }
        let latched = readings.iter().any(|reading| reading.form == Form::Latched);
        let rest = if latched { known.rest() } else { 0 };
        (readings, rest)
    }

    fn all_models(&self) -> Vec<&str> {
        let told = MODEL_FIELDS.iter().filter_map(|name| self.object.get(name)?.as_text());
        self.models.iter().copied().chain(told).collect()
    }
}

/// The weakest and the strongest signal that LoRa knows, in dBm: a gateway hears down to -137 with the slowest rate, and about -50 beside
/// the device.
const WEAKEST_DBM: f64 = -130.0;
const STRONGEST_DBM: f64 = -50.0;

/// How well the best gateway heard an uplink, percent. What each gateway heard is long, and passed over but for this.
pub(super) fn signal(gateways: Option<&Json>) -> Option<u8> {
    let Some(Json::Unread(text)) = gateways else { return None };
    let number = |rest: &str| {
        let rest = rest.trim_start();
        let end = rest.find(|c: char| !matches!(c, '-' | '.' | '0'..='9')).unwrap_or(rest.len());
        rest[..end].parse::<f64>().ok()
    };
    let heard = text.split("\"rssi\":").skip(1).take(MAX_GATEWAYS).filter_map(number);
    heard.max_by(f64::total_cmp).map(|dbm| share(dbm, WEAKEST_DBM, STRONGEST_DBM))
}

/// Gateways whose signal is looked at.
const MAX_GATEWAYS: usize = 16;

/// What the normalised payload adds: only what the codec's own fields did not tell.
fn complete(readings: &mut Vec<Reading>, payload: &Json) {
    let mut more = Settled::default();
    shape::normalized(payload, &mut more);
    let known = readings.len();
    for reading in more.readings() {
        // One sensor tells of somebody who moves and of somebody who is there.
        let same = |kind: Kind| kind == reading.kind || [kind, reading.kind].iter().all(|k| SOMEBODY.contains(k));
        if !readings[..known].iter().any(|r| same(r.kind)) {
            readings.push(reading);
        }
    }
}

const SOMEBODY: [Kind; 2] = [Kind::Motion, Kind::Presence];

fn profile<'l>(lore: &'l Lore, source: &SourceId, address: &str, models: &[&str]) -> Option<&'l Profile> {
    let by_model = || models.iter().find_map(|model| lore.profile(source, address, model));
    lore.profile(source, address, "").or_else(by_model)
}

fn stands(leaves: &[Leaf], name: &str) -> bool {
    leaves.iter().any(|leaf| leaf.name.is(name))
}

/// All that the meaning of a field may depend on.
struct Known<'k> {
    leaves: &'k [Leaf<'k>],
    models: Vec<Name>,
    port: Option<f64>,
}

impl Known<'_> {
    /// A name together with its object's is the surest, then its own, then its own without a number.
    fn add(&self, leaf: &Leaf, settled: &mut Settled) {
        let in_object = leaf.name_in_object();
        if in_object.is_some_and(|name| self.add_told(field::named(&name), None, leaf, settled)) {
            return;
        }
        if leaf.object().is_some_and(|name| NOT_THE_ROOM.iter().any(|place| name.is(place))) {
            return;
        }
        if self.add_told(leaf.rows, leaf.channel(), leaf, settled) {
            return;
        }
        if let Some((name, zone)) = leaf.numbered() {
            self.add_told(field::named(&name), Some(zone), leaf, settled);
        }
    }

    /// Adds what a value says by the rows of its name. Says whether the table knows the name.
    fn add_told(&self, rows: &[Field], zone: Option<&str>, leaf: &Leaf, settled: &mut Settled) -> bool {
        for row in rows.iter().filter(|row| self.holds(row)) {
            if let Some((kind, value)) = read(row, &leaf.value.scalar()) {
                let zone = zone.or(Some(row.zone)).and_then(|zone| Zone::new(zone).ok());
                settled.add(row.rank, Reading { kind, zone, value, form: form(row, kind) });
            }
        }
        !rows.is_empty()
    }

    fn holds(&self, row: &Field) -> bool {
        let stands = |name: &&str| stands(self.leaves, name);
        let is_model = |model: &&str| self.models.iter().any(|said| said.is(model));
        (row.port == 0 || self.port == Some(row.port.into()))
            && (row.beside.is_empty() || row.beside.iter().any(stands))
            && !row.apart.iter().any(stands)
            && (row.models.is_empty() || row.models.iter().any(is_model))
            && (row.unless_not.is_empty() || !self.says_no(row.unless_not))
    }

    /// Whether a field declares others invalid.
    fn says_no(&self, name: &str) -> bool {
        let says_no = |leaf: &Leaf| match leaf.value.scalar() {
            Scalar::Text(word) => ["disabled", "sensor_error", "error", "false"].contains(&&*word),
            value => value.as_flag() == Some(false),
        };
        self.leaves.iter().any(|leaf| leaf.name.is(name) && says_no(leaf))
    }

    /// A fingerprint of all that is no call for help, whatever its order.
    fn rest(&self) -> u32 {
        let news = self.leaves.iter().filter(|leaf| {
            !leaf.rows.iter().any(|row| {
                matches!(row.rule, Rule::Flag(Kind::Sos) | Rule::Spelt(Kind::Sos, _) | Rule::Words(Kind::Sos, _))
            })
        });
        news.fold(0, |sum: u32, leaf| {
            let mut hasher = Hasher::new();
            hasher.update(leaf.name.letters());
            match leaf.value {
                Json::Bool(flag) => hasher.update(&[u8::from(*flag)]),
                Json::Number(number) => hasher.update(&number.to_le_bytes()),
                Json::Text(text) => hasher.update(text.as_bytes()),
                Json::Null | Json::List(_) | Json::Object(_) | Json::Unread(_) => {}
            }
            sum.wrapping_add(hasher.finalize())
        })
    }
}

/// What a value says by a row.
fn read(row: &Field, value: &Scalar) -> Option<(Kind, Value)> {
    let value = match (row.rule, value) {
        (Rule::Action, value) => &Scalar::Text(press(value)?),
        (_, Scalar::Text(text)) => &amount(text).map_or_else(|| value.clone(), Scalar::Number),
        (_, value) => value,
    };
    let in_volts = |level: f64| level.fract() != 0.0 && level < VOLTS_BELOW;
    if row.rule == Rule::Number(Kind::Battery) && value.as_number().is_some_and(in_volts) {
        return None;
    }
    let said = row.rule.read(value, None)?;
    // An event's "no" is the heartbeat of a button.
    (!row.event || said.1 != Value::Flag(false)).then_some(said)
}

/// A number that was written as a text, with its unit or without.
fn amount(text: &str) -> Option<f64> {
    const UNITS: &[&str] = &["%", "°C", "℃", "lux", "lx"];
    let text = text.trim();
    let number = UNITS.iter().find_map(|unit| text.strip_suffix(unit)).unwrap_or(text);
    number.trim_end().parse().ok()
}

/// The word of a press. A button at rest says so, too; a bare number or `true` is all that some codecs have for a word.
fn press<'v>(value: &'v Scalar) -> Option<Cow<'v, str>> {
    const AT_REST: &[&str] =
        &["", "none", "normal", "idle", "no", "off", "false", "0", "release", "released", "not pressed", "unpressed"];
    match value {
        Scalar::Text(word) if !AT_REST.iter().any(|rest| word.trim().eq_ignore_ascii_case(rest)) => Some(word.clone()),
        Scalar::Number(number) if *number > 0.0 => value.as_word(),
        Scalar::Bool(true) => Some("true".into()),
        _ => None,
    }
}

/// No definition says that a call for help ever returns to rest where it is a state.
fn form(row: &Field, kind: Kind) -> Form {
    match (row.rule, kind) {
        _ if row.event => Form::Event,
        (Rule::Action, _) => Form::Event,
        (_, Kind::Sos) => Form::Latched,
        _ => Form::Edge,
    }
}
