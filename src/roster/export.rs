//! The registry as a TOML file that imports back to the same.

use super::columns::Sort;
use super::fields::{Fields, fields};
use super::{Vault, opened};
use crate::engine::registry::{Entity, Registry};
use serde_json::{Map, Value};
use std::fmt::Write;

const HEAD: &str = "\
# The registry of Hearthwatch. `hearthwatch import FILE --dry-run` shows what importing it would change.
# What an entry leaves out stays as it is where the entry exists, and is empty where it is new.
# This file holds personal data in the open: keep it as you keep the residents' paper files.
";

/// Writes the registries of all sites out. Personal data whose key was destroyed is left out; data that cannot be opened for
/// any other reason is an error.
pub fn export(registries: &[&Registry], vault: &impl Vault) -> Result<String, String> {
    let mut out = HEAD.to_owned();
    let mut entries: Vec<Entity> = registries.iter().flat_map(|registry| registry.all()).collect();
    entries.sort_by_key(Entity::key);
    for entity in entries {
        let sort = entity.key().word();
        let Fields { mut open, personal } = fields(&opened(entity, vault)?);
        let _ = writeln!(out, "\n[[{sort}]]");
        for name in ["id", "site", "home"] {
            scalar(&mut out, name, open.remove(name).as_ref());
        }
        // Sections come last: whatever follows one belongs to it.
        let (sections, plain): (Map<_, _>, Map<_, _>) = open.into_iter().partition(|(key, _)| is_section(key));
        for (name, value) in plain.iter().chain(ordered(sort, &personal)) {
            scalar(&mut out, name, Some(value));
        }
        for (name, value) in &sections {
            section(&mut out, &format!("{sort}.{name}"), value);
        }
    }
    Ok(out)
}

fn is_section(key: &str) -> bool {
    matches!(key, "rules" | "ladder" | "rung" | "property" | "template" | "shift" | "override")
}

/// The personal fields in the order of the tables' columns. What is kept of a PIN is nobody's to have.
fn ordered<'a>(sort: &str, personal: &'a Map<String, Value>) -> impl Iterator<Item = (&'a String, &'a Value)> {
    let columns = Sort::ALL.into_iter().find(|s| s.word() == sort).map_or(&[][..], Sort::columns);
    columns.iter().filter(|(name, _)| *name != "pin").filter_map(|(name, _)| personal.get_key_value(*name))
}

fn section(out: &mut String, path: &str, value: &Value) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            let _ = writeln!(out, "[{path}]");
            for (name, value) in fields {
                scalar(out, name, Some(value));
            }
        }
        Value::Array(rows) => {
            for row in rows.iter().filter_map(Value::as_object) {
                let _ = writeln!(out, "[[{path}]]");
                for (name, value) in row {
                    scalar(out, name, Some(value));
                }
            }
        }
        _ => {}
    }
}

/// One line; none for what is empty, which is what a missing key stands for.
fn scalar(out: &mut String, name: &str, value: Option<&Value>) {
    let empty = match value {
        None | Some(Value::Null | Value::Bool(false)) => true,
        Some(Value::String(text)) => text.is_empty(),
        Some(_) => false,
    };
    if let Some(value) = value.filter(|_| !empty).and_then(|v| toml::Value::try_from(v).ok()) {
        let _ = writeln!(out, "{name} = {value}");
    }
}
