//! An entry as named fields, for what differs and for what is written out; and the difference that an import would make.

use super::rows::{Details, Open};
use crate::engine::registry::{Entity, EntityKey};
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fmt;

/// The fields of an entry, by the keys of the files. `personal` holds those that are sealed.
pub(super) struct Fields {
    pub open: Map<String, Value>,
    pub personal: Map<String, Value>,
}

pub(super) fn fields((entity, details): &Open) -> Fields {
    let open = match entity {
        Entity::Channel(channel) => map(channel),
        Entity::Device(device) => map(device),
        Entity::Ladder(l) => map(&json!({"id": l.id, "site": l.site, "repeat_s": l.repeat_s, "rung": l.rungs})),
        Entity::Plan(p) => map(&json!({"id": p.id, "site": p.site})).into_iter().chain(rules(&p.rules)).collect(),
        Entity::Responder(r) => map(&json!({"id": r.id, "site": r.site, "channels": r.channels})),
        Entity::Rota(r) => super::rotas::fields(r),
        Entity::Profile(p) => super::profiles::fields(p),
        Entity::Resident(r) => map(&json!({"id": r.id, "home": r.home})),
        Entity::Home(h) => map(&json!({
            "id": h.id, "site": h.site, "plan": h.plan, "status": h.status, "community": h.community, "block": h.block,
            "caseworker": h.caseworker,
        }))
        .into_iter()
        .chain(rules(&h.rules))
        .collect(),
    };
    let personal = match details {
        Details::None => Map::new(),
        Details::Home(details) => map(details),
        Details::Resident(details) => map(details),
        Details::Responder(details) => map(details),
    };
    Fields { open, personal }
}

pub(super) fn map(of: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(of) {
        Ok(Value::Object(map)) => map,
        _ => Map::new(),
    }
}

/// The two sections of a rules patch.
fn rules(patch: &crate::engine::policy::RulesPatch) -> Map<String, Value> {
    let mut rules = map(patch);
    let ladder = rules.remove("ladder").unwrap_or_else(|| json!({}));
    Map::from_iter([("rules".to_owned(), rules.into()), ("ladder".to_owned(), ladder)])
}

/// What an import would change.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Difference {
    pub added: Vec<EntityKey>,
    /// With one phrase for each field; those of personal fields hold no value.
    pub changed: Vec<(EntityKey, Vec<String>)>,
    /// How many entries of the files are as the registry has them, by kind.
    pub unchanged: BTreeMap<&'static str, usize>,
}

impl Difference {
    /// Whether the import would change nothing.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.changed.is_empty()
    }

    /// Enters one entry of the files beside what the registry has of it. Gives whether they differ.
    pub(super) fn compare(&mut self, old: Option<&Open>, new: &Open) -> bool {
        let key = new.0.key();
        let Some(old) = old else {
            self.added.push(key);
            return true;
        };
        let (old, new) = (fields(old), fields(new));
        let mut told =
            differing(&old.open, &new.open, |key, old, new| format!("{key} {} -> {}", shown(old), shown(new)));
        told.extend(differing(&old.personal, &new.personal, |key, _, _| format!("{key} changed")));
        if told.is_empty() {
            *self.unchanged.entry(key.word()).or_default() += 1;
            return false;
        }
        self.changed.push((key, told));
        true
    }
}

fn shown(value: &Value) -> String {
    if value.is_null() { "none".to_owned() } else { value.to_string() }
}

fn differing(
    old: &Map<String, Value>,
    new: &Map<String, Value>,
    tell: impl Fn(&str, &Value, &Value) -> String,
) -> Vec<String> {
    let nothing = Value::Null;
    let pairs = new.iter().map(|(key, new)| (key, old.get(key).unwrap_or(&nothing), new));
    pairs.filter(|(_, old, new)| old != new).map(|(key, old, new)| tell(key, old, new)).collect()
}

/// The dry run's text: a line for each entry that is added or changed, and the sums.
impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for key in &self.added {
            writeln!(f, "added    {} {}", key.word(), key.id())?;
        }
        for (key, fields) in &self.changed {
            writeln!(f, "changed  {} {}: {}", key.word(), key.id(), fields.join("; "))?;
        }
        let unchanged: usize = self.unchanged.values().sum();
        write!(f, "{} added, {} changed, {unchanged} unchanged", self.added.len(), self.changed.len())
    }
}
