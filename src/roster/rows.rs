//! One row to one entity. What a row leaves out stays as it was; what it leaves empty becomes empty.

use super::columns::Sort;
use crate::config::mistake::{Wrong, nearest};
use crate::config::reader::{Section, choice, filled, list, number, parsed, text};
use crate::config::tree::Value;
use crate::config::{Config, pin, rules_patch};
use crate::engine::id::{HomeId, LadderId, SiteId, SourceId};
use crate::engine::policy::RulesPatch;
use crate::engine::registry::*;
use crate::engine::sealed::Sealed;

/// The personal part of an entity, in the open.
#[derive(Clone, PartialEq)]
pub(super) enum Details {
    None,
    Home(Box<HomeDetails>),
    Resident(ResidentDetails),
    Responder(ResponderDetails),
}

/// An entity whose sealed part is still empty and stands beside it.
pub(super) type Open = (Entity, Details);

/// What is sealed of an entity before anything is sealed.
pub(super) fn nothing<T>() -> Sealed<T> {
    Sealed::from_bytes(Vec::new())
}

/// Reads a row into the entity `id`; `base` is what the registry has of it. None where something is wrong (the reader then knows).
pub(super) fn entity(sort: Sort, id: &str, s: &Section<'_>, base: Option<Open>, config: &Config) -> Option<Open> {
    let (entity, details) = base.map_or((None, Details::None), |(entity, details)| (Some(entity), details));
    let read = match (sort, entity, details) {
        (Sort::Channel, base, _) => super::channels::read(id, s, base, config),
        (Sort::Responder, base, details) => responder(id, s, base, details, config),
        (Sort::Rota, base, _) => super::rotas::read(id, s, base, config),
        (Sort::Ladder, base, _) => ladder(id, s, base, config),
        (Sort::Plan, base, _) => plan(id, s, base, config),
        (Sort::Home, base, details) => home(id, s, base, details, config),
        (Sort::Resident, base, details) => resident(id, s, base, details),
        (Sort::Device, base, _) => device(id, s, base, config),
        (Sort::Profile, base, _) => super::profiles::read(id, s, base, config),
    };
    s.close();
    read
}

/// The site of an entry: as written, as it was, or the only one there is. Entries do not move between sites.
pub(super) fn site(s: &Section<'_>, base: Option<&SiteId>, config: &Config) -> Option<SiteId> {
    let known = || config.sites.keys().map(SiteId::as_str);
    let mut sites = config.sites.keys();
    let only = sites.next().filter(|_| sites.next().is_none());
    if !s.has("site") && (base.or(only)).is_some() {
        return base.or(only).cloned();
    }
    s.need("site", "name its [site.NAME] of the configuration", |v| {
        let id: SiteId = parsed(v)?;
        if !config.sites.contains_key(&id) {
            let remedy = nearest(id.as_str(), known())
                .map_or_else(|| "add it to the configuration".into(), |w| format!("did you mean {w}?"));
            return Err(Wrong::new(format!("names no site with {:?}", id.as_str()), remedy));
        }
        match base {
            Some(was) if *was != id => {
                Err(Wrong::new(format!("moves it from {was} to {id}"), "use a new id; entries stay in their site"))
            }
            _ => Ok(id),
        }
    })
}

fn responder(id: &str, s: &Section<'_>, base: Option<Entity>, details: Details, config: &Config) -> Option<Open> {
    let base = if let Some(Entity::Responder(r)) = base { Some(r) } else { None };
    let old = if let Details::Responder(d) = details { d } else { Default::default() };
    let site = site(s, base.as_ref().map(|b| &b.site), config);
    let channels =
        kept(s, "channels", base.as_ref().map(|b| &b.channels), "name the channels that reach the person", ids);
    let pin = s.get("pin", |v| pin(v, &old.pin)).unwrap_or_else(|| old.pin.clone());
    let details = ResponderDetails { name: s.text("name", &old.name), phone: s.text("phone", &old.phone), pin };
    let responder = Responder { id: id.parse().ok()?, site: site?, channels: channels?, details: nothing() };
    Some((Entity::Responder(responder), Details::Responder(details)))
}

/// What is kept of a PIN. It is never shown, so a cell that says nothing leaves it as it was; a dash takes it away.
fn pin(value: &Value, old: &str) -> Result<String, Wrong> {
    match text(value)?.as_str() {
        "" => Ok(old.to_owned()),
        "-" => Ok(String::new()),
        // The same PIN would be kept with another salt, and look like a change.
        same if pin::fits(same, old) => Ok(old.to_owned()),
        new => pin::hash(new).map_err(|bad| Wrong::new(bad.to_string(), PIN_REMEDY)),
    }
}

const PIN_REMEDY: &str = "write 4 to 8 digits in quotes, not all alike and not in a row; leave it empty to keep the one there is, or write - for none";

fn ladder(id: &str, s: &Section<'_>, base: Option<Entity>, config: &Config) -> Option<Open> {
    let base = if let Some(Entity::Ladder(l)) = base { Some(l) } else { None };
    let site = site(s, base.as_ref().map(|b| &b.site), config);
    let repeat_s =
        kept(s, "repeat_s", base.as_ref().map(|b| &b.repeat_s), "write the seconds until the last rung repeats", |v| {
            number(v, 10..=86_400)
        });
    let mut rungs = Vec::new();
    for row in s.rows("rung") {
        let name = row.need("name", "say who it is: deputy, family", filled);
        let rotas = row.get("rotas", ids);
        // A rung needs somebody; whom, the check of the whole looks at.
        let to = match row.has("rotas") && !row.has("to") {
            true => Some(Vec::new()),
            false => row.need("to", "list the responders, or rotas", ids),
        };
        let wait_s = row.need("wait_s", "write the seconds until the next rung", |v| number(v, 1..=86_400));
        row.close();
        let rung = |((name, to), wait_s): ((String, _), _)| Rung {
            name: name.into(),
            to,
            wait_s,
            rotas: rotas.unwrap_or_default(),
        };
        rungs.push(name.zip(to).zip(wait_s).map(rung));
    }
    let mut rungs: Vec<Rung> = rungs.into_iter().collect::<Option<_>>()?;
    if rungs.is_empty() {
        rungs = base.map(|b| b.rungs).unwrap_or_default();
    }
    Some((
        Entity::Ladder(Ladder { id: LadderId::new(id).ok()?, site: site?, rungs, repeat_s: repeat_s? }),
        Details::None,
    ))
}

fn plan(id: &str, s: &Section<'_>, base: Option<Entity>, config: &Config) -> Option<Open> {
    let base = if let Some(Entity::Plan(p)) = base { Some(p) } else { None };
    let site = site(s, base.as_ref().map(|b| &b.site), config);
    let rules = rules(s, base.map(|b| b.rules));
    Some((Entity::Plan(Plan { id: id.parse().ok()?, site: site?, rules }), Details::None))
}

/// Thresholds and ladders; each of the two sections replaces the former one as a whole.
fn rules(s: &Section<'_>, base: Option<RulesPatch>) -> RulesPatch {
    let new = rules_patch(s, false);
    let old = base.unwrap_or_default();
    let ladder = if s.has("ladder") { new.ladder } else { old.ladder };
    if s.has("rules") { RulesPatch { ladder, ..new } } else { RulesPatch { ladder, ..old } }
}

fn home(id: &str, s: &Section<'_>, base: Option<Entity>, details: Details, config: &Config) -> Option<Open> {
    let base = if let Some(Entity::Home(h)) = base { Some(h) } else { None };
    let old = if let Details::Home(d) = details { *d } else { HomeDetails::default() };
    let site = site(s, base.as_ref().map(|b| &b.site), config);
    let plan = s.get("plan", |v| if is_blank(v) { Ok(None) } else { parsed(v).map(Some) });
    let plan = plan.unwrap_or_else(|| base.as_ref().and_then(|b| b.plan.clone()));
    let status = s.choice("status", STATUS, base.as_ref().map_or(Status::Active, |b| b.status));
    let community = s.get("community", optional).unwrap_or_else(|| base.as_ref().and_then(|b| b.community.clone()));
    let block = s.get("block", optional).unwrap_or_else(|| base.as_ref().and_then(|b| b.block.clone()));
    let caseworker = s.get("caseworker", |v| if is_blank(v) { Ok(None) } else { parsed(v).map(Some) });
    let caseworker = caseworker.unwrap_or_else(|| base.as_ref().and_then(|b| b.caseworker.clone()));
    let rules = rules(s, base.map(|b| b.rules));
    let date = |key, old: &str| s.get(key, date).unwrap_or_else(|| old.to_owned());
    let details = HomeDetails {
        address: s.text("address", &old.address),
        floor: s.text("floor", &old.floor),
        gate_code: s.text("gate_code", &old.gate_code),
        keyholder: s.text("keyholder", &old.keyholder),
        keyholder_phone: s.text("keyholder_phone", &old.keyholder_phone),
        inner_bolt: s.flag("inner_bolt", old.inner_bolt),
        dog: s.flag("dog", old.dog),
        contact1_name: s.text("contact1_name", &old.contact1_name),
        contact1_phone: s.text("contact1_phone", &old.contact1_phone),
        contact1_relation: s.text("contact1_relation", &old.contact1_relation),
        contact2_name: s.text("contact2_name", &old.contact2_name),
        contact2_phone: s.text("contact2_phone", &old.contact2_phone),
        contact2_relation: s.text("contact2_relation", &old.contact2_relation),
        forced_entry_consent: date("forced_entry_consent", &old.forced_entry_consent),
        monitoring_consent: date("monitoring_consent", &old.monitoring_consent),
        notes: s.text("notes", &old.notes),
    };
    let new = Home::new(HomeId::new(id).ok()?, site?);
    let home = Home { plan, status, rules, community, block, caseworker, ..new };
    Some((Entity::Home(home), Details::Home(Box::new(details))))
}

fn resident(id: &str, s: &Section<'_>, base: Option<Entity>, details: Details) -> Option<Open> {
    let base = if let Some(Entity::Resident(r)) = base { Some(r) } else { None };
    let old = if let Details::Resident(d) = details { d } else { ResidentDetails::default() };
    let home = kept(s, "home", base.as_ref().map(|b| &b.home), "name the home", parsed);
    let year = |v: &Value| if is_blank(v) { Ok(None) } else { number(v, 1_890..=2_100).map(|year| Some(year as u16)) };
    let details = ResidentDetails {
        name: s.text("name", &old.name),
        phone: s.text("phone", &old.phone),
        birth_year: s.get("birth_year", year).unwrap_or(old.birth_year),
        mobility: s.get("mobility", |v| choice(v, MOBILITY)).map_or(old.mobility, str::to_owned),
        dementia: s.flag("dementia", old.dementia),
        disabled: s.flag("disabled", old.disabled),
        child: s.flag("child", old.child),
        hard_of_hearing: s.flag("hard_of_hearing", old.hard_of_hearing),
        diagnoses: s.text("diagnoses", &old.diagnoses),
    };
    let resident = Resident { id: id.parse().ok()?, home: home?, details: nothing() };
    Some((Entity::Resident(resident), Details::Resident(details)))
}

fn device(id: &str, s: &Section<'_>, base: Option<Entity>, config: &Config) -> Option<Open> {
    let base = if let Some(Entity::Device(d)) = base { Some(d) } else { None };
    let home = kept(s, "home", base.as_ref().map(|b| &b.home), "name the home it is in", parsed);
    let source =
        kept(s, "source", base.as_ref().map(|b| &b.source), "name its [source.NAME] of the configuration", |v| {
            let id: SourceId = parsed(v)?;
            let meant = nearest(id.as_str(), config.sources.keys().map(|k| k.as_str()));
            match config.sources.contains_key(&id) {
                true => Ok(id),
                false => Err(Wrong::new(
                    format!("names no source with {:?}", id.as_str()),
                    meant.map_or_else(|| "add it to the configuration".into(), |w| format!("did you mean {w}?")),
                )),
            }
        });
    let address = kept(s, "address", base.as_ref().map(|b| &b.address), "write what the source calls it", parsed);
    let room = s.text("room", base.as_ref().map_or("", |b| &b.room)).into();
    let model = s.text("model", base.as_ref().map_or("", |b| &b.model)).into();
    let life = s.flag("life", base.as_ref().is_some_and(|b| b.life));
    let profile = s.get("profile", |v| if is_blank(v) { Ok(None) } else { parsed(v).map(Some) });
    let profile = profile.unwrap_or_else(|| base.and_then(|b| b.profile));
    let (id, home, source, address) = (id.parse().ok()?, home?, source?, address?);
    let device = Device { id, home, source, address, room, model, life, profile };
    Some((Entity::Device(device), Details::None))
}

/// A value that every entry has: as written, or as it was; missing in a new entry it is a mistake.
pub(super) fn kept<T: Clone>(
    s: &Section<'_>,
    key: &'static str,
    old: Option<&T>,
    remedy: &str,
    read: impl FnOnce(&Value) -> Result<T, Wrong>,
) -> Option<T> {
    match old {
        Some(old) if !s.has(key) => Some(old.clone()),
        _ => s.need(key, remedy, read),
    }
}

pub(super) fn is_blank(value: &Value) -> bool {
    matches!(value, Value::Text(text) | Value::Loose(text) if text.trim().is_empty())
}

pub(super) fn optional(value: &Value) -> Result<Option<Box<str>>, Wrong> {
    text(value).map(|text| (!text.is_empty()).then(|| text.into()))
}

pub(super) fn ids<T: std::str::FromStr<Err: std::fmt::Display>>(value: &Value) -> Result<Vec<T>, Wrong> {
    list(value)?.into_iter().map(|id| parsed(&Value::Text(id))).collect()
}

/// A date in the usual ways of writing one, as YYYY-MM-DD; empty for none.
fn date(value: &Value) -> Result<String, Wrong> {
    let text = text(value)?;
    if text.is_empty() {
        return Ok(text);
    }
    let plain = text.replace(['/', '.', '年', '月'], "-").replace('日', "");
    let mut parts = plain.split('-').map(str::trim);
    let (year, month, day) = (parts.next(), parts.next(), parts.next().filter(|_| parts.next().is_none()));
    let number = |part: Option<&str>| part.and_then(|p| p.parse::<i8>().ok());
    let date = year.and_then(|y| y.parse().ok()).zip(number(month)).zip(number(day));
    let date = date.and_then(|((year, month), day)| jiff::civil::Date::new(year, month, day).ok());
    let wrong = || Wrong::new("is no date", "write YYYY-MM-DD");
    date.filter(|d| (1_900..2_200).contains(&d.year())).map(|d| d.to_string()).ok_or_else(wrong)
}

const STATUS: &[(&str, Status)] = &[
    ("active", Status::Active),
    ("paused", Status::Paused),
    ("left", Status::Left),
    ("deceased", Status::Deceased),
    ("", Status::Active),
    ("在册", Status::Active),
    ("暂停", Status::Paused),
    ("迁出", Status::Left),
    ("去世", Status::Deceased),
];

const MOBILITY: &[(&str, &str)] = &[
    ("walks", "walks"),
    ("stick", "stick"),
    ("walker", "walker"),
    ("wheelchair", "wheelchair"),
    ("bed", "bed"),
    ("", ""),
    ("自如", "walks"),
    ("拐杖", "stick"),
    ("助行器", "walker"),
    ("轮椅", "wheelchair"),
    ("卧床", "bed"),
];
