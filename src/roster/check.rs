//! What must hold between the entries: everything named exists in the same site, an address means one device, a model has one
//! profile, the last rung of every ladder reaches somebody, and of one for life alarms a person by voice.

use crate::config::{Config, Wrong, mistake::nearest};
use crate::engine::id::{ChannelId, HomeId, LadderId, ResponderId, RotaId, SiteId};
use crate::engine::kind::{AlarmKind, Priority};
use crate::engine::policy::{CASEWORKER, RulesPatch, is_of_the_home};
use crate::engine::registry::{EntityKey, Ladder, Medium, Registry, Responder, Rota};
use crate::engine::rota::Calendar;
use std::collections::{BTreeMap, BTreeSet};

/// The most rungs of a ladder.
const MAX_RUNGS: usize = 32;

/// A near id is looked for among so many at most: a whole table of wrong ids may not take minutes.
const MAX_SUGGESTIONS: usize = 1_000;

/// An entry, the key of it that is to blame, and why.
pub(super) type Fault = (EntityKey, &'static str, Wrong);

/// Looks through the registries of all sites, put together.
pub(super) fn faults(all: &Registry, config: &Config) -> Vec<Fault> {
    let mut found = Vec::new();
    for responder in all.responders.values() {
        let key = EntityKey::Responder(responder.id.clone());
        for channel in &responder.channels {
            let site = all.channels.get(channel).map(|c| &c.site);
            let known = all.channels.keys().map(ChannelId::as_str);
            found.extend(
                named("channel", channel.as_str(), site, &responder.site, known).map(|w| (key.clone(), "channels", w)),
            );
        }
        found.extend(own_people(responder, all).map(|wrong| (key, "channels", wrong)));
    }
    found.extend(rotas(all));
    let for_life = life_ladders(&[all], config);
    for l in all.ladders.values() {
        let key = EntityKey::Ladder(l.id.clone());
        let voiceless = (for_life.contains(&l.id) && !ends_with_a_voice(l, all)).then(|| voiceless(l));
        found.extend(ladder(l, all).into_iter().chain(voiceless).map(|wrong| (key.clone(), "rung", wrong)));
    }
    for plan in all.plans.values() {
        let key = EntityKey::Plan(plan.id.clone());
        found.extend(ladders(&plan.rules, &plan.site, all).map(|wrong| (key.clone(), "ladder", wrong)));
    }
    for home in all.homes.values() {
        let key = EntityKey::Home(home.id.clone());
        if let Some(plan) = &home.plan {
            let site = all.plans.get(plan).map(|p| &p.site);
            let known = all.plans.keys().map(|p| p.as_str());
            found.extend(named("plan", plan.as_str(), site, &home.site, known).map(|w| (key.clone(), "plan", w)));
        }
        found.extend(ladders(&home.rules, &home.site, all).map(|wrong| (key.clone(), "ladder", wrong)));
        if let Some(caseworker) = &home.caseworker {
            let site = all.responders.get(caseworker).map(|r| &r.site);
            let known = all.responders.keys().map(|r| r.as_str());
            let wrong = named("responder", caseworker.as_str(), site, &home.site, known);
            found.extend(wrong.map(|w| (key.clone(), "caseworker", w)));
        }
    }
    for resident in all.residents.values() {
        found.extend(home_of(&resident.home, all).err().map(|w| (EntityKey::Resident(resident.id.clone()), "home", w)));
    }
    found.extend(profiles(all));
    found.extend(devices(all, config));
    found
}

/// The home's own people are called at the phones of their home, which only a channel with personal data knows.
fn own_people(responder: &Responder, all: &Registry) -> Option<Wrong> {
    let blind = |id: &&ChannelId| all.channels.get(*id).is_some_and(|channel| !channel.include_personal);
    let channel = responder.channels.iter().find(blind).filter(|_| is_of_the_home(&responder.id))?;
    let what =
        format!("names {channel}, which has no phones of the home, and {:?} is the home's own", responder.id.as_str());
    Some(Wrong::new(what, "name a channel with include_personal = true that calls resident_phones or contact_phones"))
}

fn rotas(all: &Registry) -> Vec<Fault> {
    let mut found = Vec::new();
    let mut sites: BTreeMap<&SiteId, Vec<&Rota>> = BTreeMap::new();
    for rota in all.rotas.values() {
        sites.entry(&rota.site).or_default().push(rota);
        let key = EntityKey::Rota(rota.id.clone());
        let named: BTreeSet<&ResponderId> = rota.named().collect();
        found.extend(
            named.into_iter().filter_map(|id| responder(id, &rota.site, all)).map(|w| (key.clone(), "shift", w)),
        );
    }
    for rotas in sites.values() {
        let contradicted = Calendar::of(rotas.iter().copied()).contradiction();
        for rota in rotas.iter().filter(|r| contradicted.is_some_and(|day| r.workdays.contains(&day))) {
            let day = contradicted.map(|day| day.to_string()).unwrap_or_default();
            let what = format!("lists {day}, which is a holiday of the site");
            let wrong = Wrong::new(what, "the rotas of a site share their days: remove it from one of the two lists");
            found.push((EntityKey::Rota(rota.id.clone()), "workdays", wrong));
        }
    }
    found
}

fn responder(id: &ResponderId, own: &SiteId, all: &Registry) -> Option<Wrong> {
    let known = all.responders.keys().map(ResponderId::as_str);
    named("responder", id.as_str(), all.responders.get(id).map(|r| &r.site), own, known)
}

/// The ladders that alarms of life climb: by the configuration, a plan or a home.
fn life_ladders<'a>(all: &[&'a Registry], config: &'a Config) -> BTreeSet<&'a LadderId> {
    let of_registry =
        all.iter().flat_map(|r| r.plans.values().map(|p| &p.rules).chain(r.homes.values().map(|h| &h.rules)));
    let of_sites = config.sites.values().map(|site| &site.rules);
    let for_life = |word: &str| {
        word == Priority::Life.name() || AlarmKind::parse(word).is_some_and(|kind| kind.priority() == Priority::Life)
    };
    of_sites
        .chain(of_registry)
        .flat_map(|rules| &rules.ladder)
        .filter(|(word, _)| for_life(word))
        .map(|(_, id)| id)
        .collect()
}

/// Whether the last rung names a person who can be called at any hour: a rota may be empty, a chat wakes nobody, and the home's own people
/// are on no duty.
fn ends_with_a_voice(ladder: &Ladder, all: &Registry) -> bool {
    let speaks = |id: &ChannelId| all.channels.get(id).is_some_and(|c| c.medium() == Medium::Voice);
    let answers = |id: &ResponderId| all.responders.get(id).is_some_and(|r| r.channels.iter().any(speaks));
    let answers = |id: &ResponderId| !is_of_the_home(id) && answers(id);
    ladder.rungs.last().is_none_or(|last| last.to.iter().any(answers))
}

fn voiceless(ladder: &Ladder) -> Wrong {
    let last = ladder.rungs.last().map(|rung| &*rung.name).unwrap_or_default();
    let what = format!("ends with {last:?}, which names nobody who is reached by voice, and life alarms go by it");
    let remedy = "on the last rung name a responder (a rota may be empty) who has a channel with medium = \"voice\"";
    Wrong::new(what, remedy)
}

/// A model with two profiles of one site: which of them told of its devices would be chance.
fn profiles(all: &Registry) -> Vec<Fault> {
    let mut found = Vec::new();
    let mut models = BTreeMap::new();
    for profile in all.profiles.values() {
        for model in &profile.models {
            let first = *models.entry((&profile.site, model)).or_insert(&profile.id);
            if *first != profile.id {
                let wrong = Wrong::new(
                    format!("lists {model}, which profile {first} has too"),
                    "remove it from one of the two, or name the profile with each device",
                );
                found.push((EntityKey::Profile(profile.id.clone()), "models", wrong));
            }
        }
    }
    found
}

fn devices(all: &Registry, config: &Config) -> Vec<Fault> {
    let mut found = Vec::new();
    let mut addresses = BTreeMap::new();
    for device in all.devices.values() {
        let key = EntityKey::Device(device.id.clone());
        if let Some(first) = addresses.insert((&device.source, &device.address), &device.id) {
            let wrong = Wrong::new(
                format!("is the address of device {first} too"),
                "remove one of the two, or correct its address",
            );
            found.push((key.clone(), "address", wrong));
        }
        if let (Some(profile), Ok(site)) = (&device.profile, home_of(&device.home, all)) {
            let of = all.profiles.get(profile).map(|p| &p.site);
            let known = all.profiles.keys().map(|p| p.as_str());
            found.extend(named("profile", profile.as_str(), of, site, known).map(|w| (key.clone(), "profile", w)));
        }
        match home_of(&device.home, all) {
            Err(wrong) => found.push((key, "home", wrong)),
            Ok(site) => match config.sources.get(&device.source) {
                Some(source) if source.site != *site => {
                    let what =
                        format!("names source {}, which belongs to site {}, not {site}", device.source, source.site);
                    found.push((key, "source", Wrong::new(what, "name a source of the home's site")));
                }
                Some(_) => {}
                None => {
                    let what = format!("names no source with {:?}", device.source.as_str());
                    found.push((key, "source", Wrong::new(what, "add it to the configuration")));
                }
            },
        }
    }
    found
}

fn home_of<'a>(home: &HomeId, all: &'a Registry) -> Result<&'a SiteId, Wrong> {
    all.homes
        .get(home)
        .map(|h| &h.site)
        .ok_or_else(|| missing("home", home.as_str(), all.homes.keys().map(HomeId::as_str)))
}

fn missing<'a>(what: &str, id: &str, known: impl ExactSizeIterator<Item = &'a str>) -> Wrong {
    let meant = if known.len() > MAX_SUGGESTIONS { None } else { nearest(id, known) };
    let remedy =
        meant.map_or_else(|| format!("correct it, or add the {what} to the import"), |w| format!("did you mean {w}?"));
    Wrong::new(format!("names no {what} with {id:?}"), remedy)
}

/// What is wrong with naming `id`, which is of `site`, from an entry of the site `own`.
fn named<'a>(
    what: &str,
    id: &str,
    site: Option<&SiteId>,
    own: &SiteId,
    known: impl ExactSizeIterator<Item = &'a str>,
) -> Option<Wrong> {
    match site {
        Some(site) if site == own => None,
        Some(site) => {
            let what = format!("names the {what} {id}, which belongs to site {site}, not {own}");
            Some(Wrong::new(what, "name one of the same site"))
        }
        None => Some(missing(what, id, known)),
    }
}

fn ladders<'a>(rules: &'a RulesPatch, own: &'a SiteId, all: &'a Registry) -> impl Iterator<Item = Wrong> + 'a {
    rules.ladder.values().filter_map(move |id| {
        let known = all.ladders.keys().map(|l| l.as_str());
        named("ladder", id.as_str(), all.ladders.get(id).map(|l| &l.site), own, known)
    })
}

fn ladder(ladder: &Ladder, all: &Registry) -> Vec<Wrong> {
    let mut found: Vec<Wrong> = Vec::new();
    let word = |id: &&ResponderId| id.as_str() == CASEWORKER && !all.responders.contains_key(*id);
    let to = ladder.rungs.iter().flat_map(|rung| &rung.to).filter(|id| !word(id));
    found.extend(to.filter_map(|id| responder(id, &ladder.site, all)));
    for id in ladder.rungs.iter().flat_map(|rung| &rung.rotas) {
        let known = all.rotas.keys().map(RotaId::as_str);
        found.extend(named("rota", id.as_str(), all.rotas.get(id).map(|r| &r.site), &ladder.site, known));
    }
    // Who lives there, and the family, take nothing: a ladder that ends with them would end with nobody.
    let reaches = |id: &ResponderId| {
        !is_of_the_home(id)
            && all.responders.get(id).is_some_and(|r| r.channels.iter().any(|c| all.channels.contains_key(c)))
    };
    let never_empty = |id| all.rotas.get(id).and_then(|rota| rota.fallback.as_ref()).is_some_and(reaches);
    match ladder.rungs.last() {
        None => found.push(Wrong::new("has no rung", "add [[ladder.rung]] with name, to and wait_s")),
        Some(_) if ladder.rungs.len() > MAX_RUNGS => {
            found.push(Wrong::new(format!("has {} rungs", ladder.rungs.len()), format!("use {MAX_RUNGS} at most")));
        }
        Some(last) if !last.to.iter().any(reaches) && !last.rotas.iter().any(never_empty) => {
            let remedy = "name a responder with a channel, or a rota with a fallback, on the last rung: it repeats until somebody acts";
            found.push(Wrong::new(format!("ends with {:?}, which reaches nobody", last.name), remedy));
        }
        Some(_) => {}
    }
    found
}

/// Alarms for which a site names no ladder, or one that does not exist (yet): the console alone would show them. One sentence
/// each; fit for a warning at import and start.
pub fn gaps(all: &[&Registry], config: &Config) -> Vec<String> {
    let mut found = Vec::new();
    for site in config.sites.values() {
        let exists = |id| all.iter().any(|r| r.ladders.get(id).is_some_and(|l| l.site == site.id));
        for (word, ladder) in site.rules.ladder.iter().filter(|(_, id)| !exists(*id)) {
            found.push(format!(
                "site {}: {word} alarms go by the ladder {ladder}, which the site does not have; nobody is told",
                site.id
            ));
        }
        let unnamed = |p: &&Priority| **p < Priority::Technical && !site.rules.ladder.contains_key(p.name());
        for priority in Priority::ALL.iter().filter(unnamed) {
            found.push(format!("site {}: {priority} alarms go by no ladder; nobody is told", site.id));
        }
    }
    let for_life = life_ladders(all, config);
    for registry in all {
        let silent = registry.ladders.values().filter(|l| for_life.contains(&l.id) && !ends_with_a_voice(l, registry));
        found.extend(silent.map(|l| format!("site {}: ladder {}: {}", l.site, l.id, voiceless(l).what)));
    }
    found
}
