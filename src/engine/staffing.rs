//! Whether somebody is there to be told: for every home and every kind of alarm, at any hour of the next two weeks.
//!
//! Homes share ladders (those of one caseworker, where a rung names the home's own), and a ladder tells the same people for hours: so the
//! proof goes by ladder and stretch, not by home and hour.

use super::id::{HomeId, LadderId, ResponderId};
use super::kind::{AlarmKind, Priority};
use super::policy::{HomePolicy, Reach, ResolvedLadder, Resolver, SiteRules, is_of_the_home};
use super::reason::Reason;
use super::registry::{Registry, Status};
use super::time::{Millis, Wall};
use minicbor::{Decode, Encode};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// How far the proof looks: people plan their rotas a fortnight ahead.
pub const AHEAD: Millis = Millis::from_mins(14 * 24 * 60);

/// What is missing of the people who could be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Serialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum Lack {
    /// There is nobody, or no channel that reaches anybody.
    #[n(0)]
    Nobody,
    /// There are fewer than the plan asks for.
    #[n(1)]
    TooFew,
    /// By no channel would somebody who sleeps hear of it; asked of life alarms.
    #[n(2)]
    NobodyWoken,
    /// All channels are of fewer kinds of medium than the plan asks for.
    #[n(3)]
    FewMedia,
}

/// A time at which some alarms could not be told as they must be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Gap {
    /// None: there is no ladder for these alarms.
    pub ladder: Option<LadderId>,
    pub kinds: Vec<AlarmKind>,
    pub homes: Vec<HomeId>,
    #[serde(serialize_with = "super::view::utc")]
    pub from: Wall,
    /// Not included; the end of what was looked at where nobody knows of an end.
    #[serde(serialize_with = "super::view::utc")]
    pub to: Wall,
    /// What is missing all the time, the gravest first. Never empty.
    pub lacks: Vec<Lack>,
}

/// What a plan asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Need {
    /// Somebody has to be woken.
    life: bool,
    people: u32,
    media: u32,
}

impl Need {
    /// None where nobody is to look: checks, what is no matter of people, and plans that ask for nobody.
    fn of(kind: AlarmKind, policy: &HomePolicy) -> Option<Need> {
        let people = match kind.priority() {
            _ if kind.is_check() => 0,
            Priority::Life => policy.rules.responders_life,
            Priority::Welfare => policy.rules.responders_welfare,
            Priority::Property | Priority::Technical => 0,
        };
        let life = kind.priority() == Priority::Life;
        (people > 0).then_some(Need { life, people, media: policy.rules.responder_media })
    }

    /// What is missing at a moment.
    fn lacks(self, ladder: &ResolvedLadder, at: Wall) -> Vec<Lack> {
        // Whoever lives there, and the family, may be called too, but nobody may rely on them.
        let all: BTreeMap<&ResponderId, &[Reach]> =
            ladder.rungs.iter().flat_map(|rung| rung.people(at)).filter(|(id, _)| !is_of_the_home(id)).collect();
        let people = all.values().filter(|reach| !reach.is_empty()).count();
        let media: BTreeSet<_> = all.values().flat_map(|reach| reach.iter().map(|one| one.medium)).collect();
        if people == 0 {
            return vec![Lack::Nobody];
        }
        let missing = [
            (people < self.people as usize, Lack::TooFew),
            (self.life && !media.iter().any(|medium| medium.wakes()), Lack::NobodyWoken),
            (media.len() < self.media as usize, Lack::FewMedia),
        ];
        missing.into_iter().filter_map(|(is_missing, lack)| is_missing.then_some(lack)).collect()
    }

    /// The times from `now` on at which something is missing, within [`AHEAD`].
    fn gaps(self, ladder: &ResolvedLadder, now: Wall) -> Vec<(Wall, Wall, Vec<Lack>)> {
        let end = now + AHEAD;
        let mut found: Vec<(Wall, Wall, Vec<Lack>)> = Vec::new();
        let mut from = now;
        for to in ladder.changes(now, end).into_iter().chain([end]) {
            let lacks = self.lacks(ladder, from);
            match found.last_mut().filter(|(_, until, before)| *until == from && *before == lacks) {
                Some((_, until, _)) => *until = to,
                None if lacks.is_empty() => {}
                None => found.push((from, to, lacks)),
            }
            from = to;
        }
        found
    }
}

/// The gaps of a site from `now` on, the earliest first. Homes that are not watched have none.
pub fn gaps<'a>(homes: impl Iterator<Item = &'a HomePolicy>, now: Wall) -> Vec<Gap> {
    type Key<'a> = (Option<&'a LadderId>, Option<&'a ResponderId>, Need, Vec<AlarmKind>);
    let mut groups: BTreeMap<Key<'a>, (&'a ResolvedLadder, Vec<HomeId>)> = BTreeMap::new();
    for policy in homes.filter(|policy| policy.claimed && matches!(policy.status, Status::Active | Status::Paused)) {
        let mut of_home: BTreeMap<(Option<&LadderId>, Need), Vec<AlarmKind>> = BTreeMap::new();
        for kind in AlarmKind::ALL {
            if let Some(need) = Need::of(*kind, policy) {
                of_home.entry((policy.ladder(*kind).id.as_ref(), need)).or_default().push(*kind);
            }
        }
        for ((id, need), kinds) in of_home {
            let Some(ladder) = kinds.first().map(|kind| policy.ladder(*kind)) else { continue };
            let key = (id, ladder.caseworker.as_ref(), need, kinds);
            groups.entry(key).or_insert((ladder, Vec::new())).1.push(policy.home.clone());
        }
    }
    let mut all: Vec<Gap> = Vec::new();
    for ((_, _, need, kinds), (ladder, homes)) in groups {
        all.extend(need.gaps(ladder, now).into_iter().map(|(from, to, lacks)| Gap {
            ladder: ladder.id.clone(),
            kinds: kinds.clone(),
            homes: homes.clone(),
            from,
            to,
            lacks,
        }));
    }
    all.sort_by(|a, b| (a.from, &a.lacks).cmp(&(b.from, &b.lacks)));
    all
}

/// The gaps that a registry has, or would have, at a site.
pub fn gaps_of(site: &SiteRules, registry: &Registry, now: Wall) -> Vec<Gap> {
    let resolver = Resolver::new(site, registry);
    let homes = registry.homes.values().filter(|home| home.site == site.site);
    let policies: Vec<HomePolicy> = homes.map(|home| resolver.home(home)).collect();
    gaps(policies.iter(), now)
}

impl Lack {
    fn words(self) -> &'static str {
        match self {
            Lack::Nobody => "nobody can be told",
            Lack::TooFew => "too few people can be told",
            Lack::NobodyWoken => "nobody can be reached by voice or SMS",
            Lack::FewMedia => "they are reached by too few kinds of medium",
        }
    }
}

impl Gap {
    /// The gap as a sentence, its times by the clocks of `zone`.
    pub fn sentence(&self, zone: &jiff::tz::TimeZone) -> String {
        let ladder = self.ladder.as_ref().map_or("no ladder".to_owned(), |id| format!("ladder {id}"));
        let kinds: Vec<&str> = self.kinds.iter().map(|kind| kind.name()).collect();
        let lacks: Vec<&str> = self.lacks.iter().map(|lack| lack.words()).collect();
        let (from, to) = (self.from.rfc3339(zone), self.to.rfc3339(zone));
        let (homes, kinds, lacks) = (self.homes.len(), kinds.join(", "), lacks.join(", "));
        format!("from {from} to {to}, {ladder}, homes: {homes}: {lacks} ({kinds})")
    }
}

/// What the site's alarm says of the first gap.
pub fn reason(gap: &Gap) -> Reason {
    let (ladder, lacks) = (gap.ladder.clone(), gap.lacks.clone());
    Reason::CoverageGap { ladder, homes: gap.homes.len() as u32, from: gap.from, lacks }
}

/// Whether two such reasons tell of one gap: one that is under way is found to begin now each time.
pub fn is_same(found: &Reason, known: &Reason, now: Wall) -> bool {
    use Reason::CoverageGap as Of;
    match (found, known) {
        (Of { ladder: a, homes: n, from: begins, lacks: x }, Of { ladder: b, homes: m, from: began, lacks: y }) => {
            (a, n, x) == (b, m, y) && (begins == began || (*begins <= now && *began <= now))
        }
        _ => false,
    }
}

/// A rung, as it would be told.
#[derive(Debug, Clone, PartialEq)]
pub struct Step<'a> {
    /// From 1.
    pub rung: u32,
    pub name: &'a str,
    pub at: Wall,
    /// Nobody: the rung is skipped at once.
    pub people: Vec<(&'a ResponderId, &'a [Reach])>,
}

/// Who is told, rung by rung, of an alarm that is raised at `at` and that nobody takes.
pub fn steps(ladder: &ResolvedLadder, at: Wall) -> Vec<Step<'_>> {
    let mut then = at;
    let mut steps = Vec::new();
    for (number, of) in (1..).zip(&ladder.rungs) {
        let people = of.people(then);
        let reaches = people.iter().any(|(_, reach)| !reach.is_empty());
        steps.push(Step { rung: number, name: &of.name, at: then, people });
        if reaches {
            then = then + of.wait;
        }
    }
    steps
}
