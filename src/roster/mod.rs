//! The registry as files: CSV, TOML and JSON in, TOML out.
//!
//! Reading order: `columns` (what kinds of entries there are), `files` (bytes to rows), `rows` (a row to an entity), `check`
//! (what must hold between entries), `fields` and `export`. [`plan_import`] puts them together and touches nothing: a file with
//! any bad row changes nothing, and personal data is sealed only when the import is really done ([`Import::seal`]).

mod channels;
mod check;
mod columns;
mod export;
mod fields;
mod files;
mod profiles;
mod rotas;
mod rows;
#[cfg(test)]
mod tests;

use crate::config::Config;
use crate::config::mistake::{Mistake, Place, Wrong};
use crate::config::reader::{self, Reader};
use crate::engine::id::SiteId;
use crate::engine::registry::{Entity, EntityKey, HomeDetails, Registry, ResidentDetails};
use crate::engine::sealed::Sealed;
pub use check::gaps;
pub use export::export;
pub use fields::Difference;
pub use files::File;
pub use profiles::built_in as built_in_profiles;
use rows::{Details, Open};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

/// Seals and opens personal data under the key of a subject: the home's id for homes and residents, `responder:ID` for
/// responders.
pub trait Vault {
    /// Seals under the subject's key, which is made where there is none.
    fn seal<T: Serialize>(&self, subject: &str, plain: &T) -> Result<Sealed<T>, String>;

    /// None where the key was destroyed; an error where the data cannot be opened for any other reason.
    fn open<T: DeserializeOwned>(&self, subject: &str, sealed: &Sealed<T>) -> Result<Option<T>, String>;
}

/// An import that is right as a whole and has changed nothing yet.
pub struct Import {
    entries: Vec<(SiteId, Open)>,
    pub difference: Difference,
    /// What is allowed but will surprise somebody, as sentences.
    pub warnings: Vec<String>,
}

impl Import {
    /// Whose keys sealing needs, so that all that are missing can be made in one write.
    pub fn subjects(&self) -> Vec<String> {
        let subject = |entity: &Entity| match entity {
            Entity::Home(home) => Some(home.id.to_string()),
            Entity::Resident(resident) => Some(resident.home.to_string()),
            Entity::Responder(responder) => Some(responder_subject(responder.id.as_str())),
            _ => None,
        };
        self.entries.iter().filter_map(|(_, (entity, _))| subject(entity)).collect()
    }

    /// The registry as these entries alone make it, without what is personal.
    pub fn registry(&self) -> Registry {
        let mut registry = Registry::default();
        self.entries.iter().for_each(|(_, (entity, _))| registry.put(entity.clone()));
        registry
    }

    /// Seals the personal data and gives what to put into each site's registry, each entry after what it names.
    pub fn seal(self, vault: &impl Vault) -> Result<BTreeMap<SiteId, Vec<Entity>>, String> {
        let mut sites: BTreeMap<SiteId, Vec<Entity>> = BTreeMap::new();
        for (site, open) in self.entries {
            sites.entry(site).or_default().push(sealed(open, vault)?);
        }
        Ok(sites)
    }
}

/// Reads files and compares them with what the sites have. Gives the mistakes of all rows of all files at once; where each row
/// is right by itself, those between the entries.
pub fn plan_import(
    files: &[File],
    registries: &[&Registry],
    config: &Config,
    vault: &impl Vault,
) -> Result<Import, Vec<Mistake>> {
    let mut before = Registry::default();
    registries.iter().flat_map(|registry| registry.all()).for_each(|entity| before.put(entity));
    let draft = Draft::read(files, &before, config, vault)?;
    let mut all = before.clone();
    draft.entries.values().for_each(|(new, ..)| all.put(new.0.clone()));
    draft.cross_check(&before, &all, config)?;
    let guessed = files.iter().filter(|file| files::is_guessed(file));
    let read_as = guessed.map(|file| format!("{} is read as GBK; look whether its names are right", file.name));
    let keys = draft.entries.values().filter_map(|(new, ..)| channels::key_in_the_open(&new.0));
    let warnings = read_as.chain(keys).chain(gaps(&[&all], config)).collect();
    let mut import = Import { entries: Vec::new(), difference: Difference::default(), warnings };
    for (new, old, _) in draft.entries.into_values() {
        if import.difference.compare(old.as_ref(), &new)
            && let Some(site) = site_of(&new.0, &all)
        {
            import.entries.push((site.clone(), new));
        }
    }
    Ok(import)
}

/// The entries of the files, each with what the registry has of it and its row.
struct Draft {
    rows: Vec<files::Row>,
    entries: BTreeMap<EntityKey, (Open, Option<Open>, usize)>,
}

impl Draft {
    fn read(files: &[File], before: &Registry, config: &Config, vault: &impl Vault) -> Result<Draft, Vec<Mistake>> {
        let mut mistakes = Vec::new();
        let mut rows = Vec::new();
        for file in files {
            match file.bytes.len() > config.limits.import_mib as usize * 1024 * 1024 {
                true => {
                    mistakes.push(Mistake::of_file(&file.name, "is too large", "raise limits.import_mib, or split it"))
                }
                false => rows.extend(files::rows(file, &mut mistakes)),
            }
        }
        let mut entries: BTreeMap<EntityKey, (Open, Option<Open>, usize)> = BTreeMap::new();
        for (at, row) in rows.iter().enumerate() {
            let reader = Reader::new(&row.file);
            if let Some((new, old)) = read_row(row, &reader, before, config, vault) {
                match entries.get(&new.0.key()) {
                    Some((_, _, first)) => {
                        let place = row_place(&rows[*first], "id");
                        let what = format!("stands already at {}:{}", place.file, place.line.unwrap_or(0));
                        reader.add(Mistake::new(row_place(row, "id"), Wrong::new(what, "remove one of the two")));
                    }
                    None => drop(entries.insert(new.0.key(), (new, old, at))),
                }
            }
            mistakes.extend(reader.finish());
        }
        mistakes.sort_by(|a, b| a.place.cmp(&b.place));
        if mistakes.is_empty() { Ok(Draft { rows, entries }) } else { Err(mistakes) }
    }

    /// What the files break. What was broken before them is not theirs to mend.
    fn cross_check(&self, before: &Registry, all: &Registry, config: &Config) -> Result<(), Vec<Mistake>> {
        let mut faults = check::faults(all, config);
        faults.extend(self.entries.iter().filter_map(|(key, (new, old, _))| {
            let (was, is) = (site_of(&old.as_ref()?.0, before)?, site_of(&new.0, all)?);
            let wrong =
                || Wrong::new(format!("moves it from site {was} to {is}"), "use a new id; entries stay in their site");
            (was != is).then(|| (key.clone(), "home", wrong()))
        }));
        if faults.is_empty() {
            return Ok(());
        }
        let known = check::faults(before, config);
        let same = |a: &check::Fault, b: &check::Fault| (&a.0, a.1, &a.2.what) == (&b.0, b.1, &b.2.what);
        faults.retain(|fault| self.entries.contains_key(&fault.0) || !known.iter().any(|k| same(k, fault)));
        let mistake = |(key, column, wrong): check::Fault| {
            let place = match self.entries.get(&key) {
                Some((_, _, at)) => row_place(&self.rows[*at], column),
                None => {
                    Place { file: "registry".into(), line: None, key: format!("{} {}: {column}", key.word(), key.id()) }
                }
            };
            Mistake::new(place, wrong)
        };
        let mut mistakes: Vec<Mistake> = faults.into_iter().map(mistake).collect();
        mistakes.sort_by(|a, b| a.place.cmp(&b.place));
        if mistakes.is_empty() { Ok(()) } else { Err(mistakes) }
    }
}

fn row_place(row: &files::Row, key: &str) -> Place {
    Reader::new(&row.file).section(&row.path, &row.table).place(key)
}

/// The entity of a row, and what the registry has of it.
fn read_row(
    row: &files::Row,
    reader: &Reader,
    before: &Registry,
    config: &Config,
    vault: &impl Vault,
) -> Option<(Open, Option<Open>)> {
    let section = reader.section(&row.path, &row.table);
    let key = section.need("id", "give it an id of its own, and keep it", |v| key(row.sort, v))?;
    let old = match before.get(&key).map(|entity| opened(entity, vault)).transpose() {
        Ok(old) => old,
        Err(why) => {
            section.blame(
                "id",
                Wrong::new(
                    format!("is of an entry whose personal data cannot be opened ({why})"),
                    "look after the keys directory",
                ),
            );
            return None;
        }
    };
    let new = rows::entity(row.sort, key.id(), &section, old.clone(), config)?;
    reader.is_clean().then_some((new, old))
}

fn key(sort: columns::Sort, value: &crate::config::tree::Value) -> Result<EntityKey, Wrong> {
    use columns::Sort;
    Ok(match sort {
        Sort::Channel => EntityKey::Channel(reader::parsed(value)?),
        Sort::Responder => EntityKey::Responder(reader::parsed(value)?),
        Sort::Rota => EntityKey::Rota(reader::parsed(value)?),
        Sort::Ladder => EntityKey::Ladder(reader::parsed(value)?),
        Sort::Plan => EntityKey::Plan(reader::parsed(value)?),
        Sort::Home => EntityKey::Home(reader::parsed(value)?),
        Sort::Resident => EntityKey::Resident(reader::parsed(value)?),
        Sort::Device => EntityKey::Device(reader::parsed(value)?),
        Sort::Profile => EntityKey::Profile(reader::parsed(value)?),
    })
}

fn site_of<'a>(entity: &'a Entity, all: &'a Registry) -> Option<&'a SiteId> {
    let home = match entity {
        Entity::Channel(e) => return Some(&e.site),
        Entity::Responder(e) => return Some(&e.site),
        Entity::Rota(e) => return Some(&e.site),
        Entity::Ladder(e) => return Some(&e.site),
        Entity::Plan(e) => return Some(&e.site),
        Entity::Profile(e) => return Some(&e.site),
        Entity::Home(e) => return Some(&e.site),
        Entity::Resident(e) => &e.home,
        Entity::Device(e) => &e.home,
    };
    all.homes.get(home).map(|home| &home.site)
}

/// Opens the personal part of an entity; it is empty where the key was destroyed.
fn opened(entity: Entity, vault: &impl Vault) -> Result<Open, String> {
    let details = match &entity {
        Entity::Home(home) => {
            let found = home.details.as_ref().map(|sealed| vault.open(home.id.as_str(), sealed)).transpose()?;
            Details::Home(Box::new(found.flatten().unwrap_or_default()))
        }
        Entity::Resident(r) => {
            Details::Resident(vault.open::<ResidentDetails>(r.home.as_str(), &r.details)?.unwrap_or_default())
        }
        Entity::Responder(r) => {
            Details::Responder(vault.open(&responder_subject(r.id.as_str()), &r.details)?.unwrap_or_default())
        }
        Entity::Channel(_)
        | Entity::Rota(_)
        | Entity::Ladder(_)
        | Entity::Plan(_)
        | Entity::Device(_)
        | Entity::Profile(_) => Details::None,
    };
    Ok((entity, details))
}

fn sealed((mut entity, details): Open, vault: &impl Vault) -> Result<Entity, String> {
    match (&mut entity, &details) {
        (Entity::Home(home), Details::Home(details)) => {
            let empty = **details == HomeDetails::default();
            home.details = if empty { None } else { Some(vault.seal(home.id.as_str(), &**details)?) };
        }
        (Entity::Resident(r), Details::Resident(details)) => r.details = vault.seal(r.home.as_str(), details)?,
        (Entity::Responder(r), Details::Responder(details)) => {
            r.details = vault.seal(&responder_subject(r.id.as_str()), details)?;
        }
        _ => {}
    }
    Ok(entity)
}

/// Whose key seals a responder's name and phone.
pub fn responder_subject(id: &str) -> String {
    format!("responder:{id}")
}
