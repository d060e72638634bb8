//! Profiles as files: what people tell of devices whose messages alone have no meaning. Those of `config/profiles/` are built in.

use super::fields::map;
use super::rows::{Details, Open, site};
use crate::config::mistake::{Wrong, nearest};
use crate::config::reader::{Reader, Section, filled, list};
use crate::config::tree::{self, Value};
use crate::config::{Config, Mistake};
use crate::engine::id::{ProfileId, SiteId};
use crate::engine::kind::{Kind, Shape};
use crate::engine::profile::Gloss;
use crate::engine::registry::{Entity, Profile};
use serde_json::{Map, json};

const BUILT_IN: &str = include_str!("../../config/profiles/default.toml");
/// The word for a property that is no reading.
const NONE: &str = "none";

/// The profiles that need nobody to tell them, each as belonging to the given site.
///
/// # Errors
/// Never with the file that this was built of, which a test holds right.
pub fn built_in(of: &SiteId) -> Result<Vec<Profile>, Vec<Mistake>> {
    let file = "config/profiles/default.toml";
    let table = tree::from_toml(file, BUILT_IN)?;
    let reader = Reader::new(file);
    let root = reader.section("", &table);
    let mut profiles = Vec::new();
    for s in root.rows("profile") {
        let id = s.need("id", "give it an id", filled);
        let (models, properties) = body(&s);
        s.close();
        let id = id.and_then(|id| ProfileId::new(&id).ok());
        profiles.extend(id.map(|id| Profile { id, site: of.clone(), models, properties }));
    }
    root.close();
    let mistakes = reader.finish();
    if mistakes.is_empty() { Ok(profiles) } else { Err(mistakes) }
}

pub(super) fn read(id: &str, s: &Section<'_>, base: Option<Entity>, config: &Config) -> Option<Open> {
    let base = if let Some(Entity::Profile(p)) = base { Some(p) } else { None };
    let site = site(s, base.as_ref().map(|b| &b.site), config);
    let (mut models, mut properties) = body(s);
    if let Some(base) = base {
        models = if s.has("models") { models } else { base.models };
        properties = if s.has("property") { properties } else { base.properties };
    }
    let profile = Profile { id: ProfileId::new(id).ok()?, site: site?, models, properties };
    Some((Entity::Profile(profile), Details::None))
}

fn body(s: &Section<'_>) -> (Vec<Box<str>>, Vec<Gloss>) {
    let models = s.get("models", words).unwrap_or_default();
    let told = s.rows("property").into_iter().filter_map(|row| {
        let told = property(&row);
        row.close();
        told
    });
    (models, told.collect())
}

fn property(row: &Section<'_>) -> Option<Gloss> {
    let name = row.need("name", "write the property as the device names it", filled);
    let kind = row.need("kind", "say what kind of reading it is, or none", kind);
    let on = row.get("on", words).unwrap_or_default();
    let off = row.get("off", words).unwrap_or_default();
    let times = row.get("times", factor).unwrap_or(1.0);
    let shape = kind.flatten().map(Kind::shape);
    if matches!(shape, Some(Shape::Number(_) | Shape::Text)) && !(on.is_empty() && off.is_empty()) {
        row.blame("on", Wrong::new("stands with a kind that is no yes or no", "remove on and off"));
    }
    if on.is_empty() && !off.is_empty() {
        row.blame("off", Wrong::new("stands without on", "write which values mean yes"));
    }
    Some(Gloss { property: name?.into(), kind: kind?, on, off, times })
}

fn kind(value: &Value) -> Result<Option<Kind>, Wrong> {
    let word = filled(value)?;
    if word == NONE {
        return Ok(None);
    }
    Kind::parse(&word).map(Some).ok_or_else(|| {
        let remedy = nearest(&word, Kind::ALL.iter().map(|kind| kind.name()));
        let remedy =
            remedy.map_or_else(|| "write a kind such as motion, or none".into(), |w| format!("did you mean {w}?"));
        Wrong::new(format!("names no kind of reading with {word:?}"), remedy)
    })
}

fn words(value: &Value) -> Result<Vec<Box<str>>, Wrong> {
    Ok(list(value)?.into_iter().map(Into::into).collect())
}

/// A factor as a whole number, or with a fraction as a text: the files know no other numbers.
fn factor(value: &Value) -> Result<f64, Wrong> {
    let factor = match value {
        Value::Integer(number) => Some(*number as f64),
        Value::Text(text) | Value::Loose(text) => text.trim().parse::<f64>().ok(),
        _ => None,
    };
    let sound = factor.filter(|factor| factor.is_finite() && *factor != 0.0);
    sound.ok_or_else(|| Wrong::new("is no factor", "write a number, with a fraction in quotes: \"0.1\""))
}

pub(super) fn fields(profile: &Profile) -> Map<String, serde_json::Value> {
    let property = |told: &Gloss| {
        let mut row = map(&json!({"name": told.property, "kind": told.kind.map_or(NONE, Kind::name)}));
        for (key, words) in [("on", &told.on), ("off", &told.off)] {
            if !words.is_empty() {
                row.insert(key.to_owned(), json!(words));
            }
        }
        if told.times != 1.0 {
            row.insert("times".to_owned(), json!(told.times.to_string()));
        }
        row
    };
    let properties: Vec<_> = profile.properties.iter().map(property).collect();
    map(&json!({"id": profile.id, "site": profile.site, "models": profile.models, "property": properties}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_profiles_are_right() {
        let profiles = built_in(&SiteId::new("z").unwrap()).unwrap();
        assert!(profiles.iter().all(|p| !p.models.is_empty() && !p.properties.is_empty()));
        let button = profiles.iter().find(|p| p.models.iter().any(|m| &**m == "HS1EB")).unwrap();
        assert_eq!(button.of("action").unwrap().kind, Some(Kind::Sos));
    }
}
