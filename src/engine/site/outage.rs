//! Outages: homes that cannot be heard, and the site's own deafness. What ends before it has settled is told to nobody; what comes
//! together is one incident with a list of homes, and not an alarm for each of them.

use super::{Out, State};
use crate::engine::alarm::Reason;
use crate::engine::change::SiteChange;
use crate::engine::home::coverage::SETTLE;
use crate::engine::id::ChannelId;
use crate::engine::input::HomeInput;
use crate::engine::kind::AlarmKind;
use crate::engine::time::{Millis, Stamp, Tick};
use minicbor::{Decode, Encode};

/// What falls silent within this time of the first belongs to its outage: a district's batteries do not end at once.
const TOGETHER: Millis = Millis::from_mins(60);

/// What the site did not hear within so long is added up.
const FEW_TIMES: Millis = Millis::from_mins(120);

/// Where nothing else is written, so often stands in the journal that the site hears.
const ALIVE: Millis = Millis::from_mins(5);

/// Homes that cannot be heard, since about the same time.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Outage {
    /// The lowest that no other outage under way has; names the place of its alarm.
    #[n(0)]
    pub number: u32,
    #[n(1)]
    pub since: Stamp,
    /// All that were in it, by their numbers.
    #[n(2)]
    pub homes: Vec<u32>,
    /// Those that are not heard again.
    #[n(3)]
    pub gone: Vec<u32>,
    /// How many homes it had when it was told; none: it is not told yet.
    #[n(4)]
    pub told: Option<u32>,
}

impl Outage {
    /// Where the alarm of these homes of it is raised: a single home's own, or a place of the outage's.
    fn place(&self, homes: &[u32]) -> Place {
        match homes {
            [home] => Place::Home(*home),
            _ => Place::Outage(self.number),
        }
    }

    fn takes(&self, at: Tick) -> bool {
        self.told != Some(1) && at.since(self.since.tick) < TOGETHER
    }
}

/// Where an alarm of the site's stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    Home(u32),
    /// A home that stands in for an outage.
    Outage(u32),
    /// The home that stands in for the gateway.
    Gateway,
    /// One that stands in for a channel.
    Channel(ChannelId),
    /// The one that stands in for whoever is to be told.
    Staff,
}

impl Place {
    fn kind(&self) -> AlarmKind {
        match self {
            Place::Home(_) => AlarmKind::HomeUnheard,
            Place::Outage(_) | Place::Gateway => AlarmKind::Outage,
            Place::Channel(_) => AlarmKind::ChannelDown,
            Place::Staff => AlarmKind::CoverageGap,
        }
    }
}

impl State {
    /// Of the last few times that the site was deaf and nobody was told, with one that ends now: since when, and for how long in all.
    pub(super) fn deafness_with(&self, lost: Millis, now: Tick) -> (Tick, Millis) {
        match self.deaf_sum > Millis(0) && now.since(self.deaf_from) <= FEW_TIMES {
            true => (self.deaf_from, Millis(self.deaf_sum.0 + lost.0)),
            false => (Tick(now.0.saturating_sub(lost.0)), lost),
        }
    }

    pub(super) fn fold_unheard(&mut self, home: u32, at: Stamp) {
        let outage = match self.outages.iter().rposition(|outage| outage.takes(at.tick)) {
            Some(known) => &mut self.outages[known],
            None => {
                let number = (1..).find(|n| self.outages.iter().all(|o| o.number != *n)).unwrap_or_default();
                let (homes, gone) = (Vec::new(), Vec::new());
                self.outages.push(Outage { number, since: at, homes, gone, told: None });
                let last = self.outages.len() - 1;
                &mut self.outages[last]
            }
        };
        for list in [&mut outage.homes, &mut outage.gone] {
            if !list.contains(&home) {
                list.push(home);
            }
        }
    }

    pub(super) fn fold_heard_again(&mut self, home: u32) {
        for outage in &mut self.outages {
            outage.gone.retain(|gone| *gone != home);
        }
        self.outages.retain(|outage| !outage.gone.is_empty());
    }

    pub(super) fn fold_told(&mut self, number: Option<u32>) {
        match number {
            None => self.deaf_told = true,
            Some(number) => {
                for outage in self.outages.iter_mut().filter(|outage| outage.number == number) {
                    // Who is back by now was never missed.
                    outage.homes.retain(|home| outage.gone.contains(home));
                    outage.told = Some(outage.homes.len() as u32);
                }
            }
        }
    }
}

/// A home can be heard no more, or again.
pub(super) fn hearing(state: &State, home: u32, heard: bool, out: &mut Out) {
    match (heard, state.outages.iter().find(|outage| outage.gone.contains(&home))) {
        (false, None) => out.changes.push(SiteChange::Unheard { home }),
        (true, Some(outage)) => {
            if outage.told.is_some() && outage.gone.len() == 1 {
                end(outage.place(&outage.homes), out);
            }
            out.changes.push(SiteChange::HeardAgain { home });
        }
        _ => {}
    }
}

pub(super) fn end(place: Place, out: &mut Out) {
    let kind = place.kind();
    out.to_places.push((place, HomeInput::Ended { kind }));
}

/// The site hears again: what was told of its deafness is over, and the homes are asked after.
pub(super) fn deafness_ends(state: &State, now: Stamp, since: Tick, out: &mut Out) {
    let lost = now.tick.since(since);
    // A link that comes and goes is a long outage, too.
    let (from, sum) = state.deafness_with(lost, now.tick);
    let untold = untold_deafness(state).is_some() && sum >= SETTLE;
    if untold {
        tell_deafness(state, now, from, out);
    }
    out.changes.push(SiteChange::Hearing { lost });
    if state.deaf_told || untold {
        end(Place::Gateway, out);
        tell_homes(state, now, from, false, out);
    }
}

/// An operator and the homes' lists learn that the site hears nothing.
fn tell_deafness(state: &State, now: Stamp, since: Tick, out: &mut Out) {
    let homes = state.homes.iter().filter(|home| home.claimed).count() as u32;
    let reason = Reason::Unheard { since: now.wall_at(since), homes, deaf: true };
    tell(None, Place::Gateway, reason, out);
    tell_homes(state, now, since, true, out);
}

fn tell(outage: Option<u32>, place: Place, reason: Reason, out: &mut Out) {
    out.because.push("outage_settled");
    out.changes.push(SiteChange::OutageTold { outage });
    let kind = place.kind();
    out.to_places.push((place, HomeInput::Own { kind, reason }));
}

/// Tells every home that the site hears nothing since then, or hears again.
fn tell_homes(state: &State, now: Stamp, since: Tick, still: bool, out: &mut Out) {
    let since = Stamp { tick: since, wall: now.wall_at(since), heard: super::hearing_clock(state, since) };
    let claimed = (0u32..).zip(&state.homes).filter(|(_, home)| home.claimed);
    out.to_homes.extend(claimed.map(|(number, _)| (number, HomeInput::Deaf { since, still })));
}

/// When an outage that nobody was told of has settled, or a word that the site hears is due.
pub(super) fn next_wake(state: &State) -> Option<Tick> {
    let alive = state.deaf_since.is_none().then_some(state.last.tick + ALIVE);
    next_told(state).into_iter().chain(alive).min()
}

fn next_told(state: &State) -> Option<Tick> {
    let untold = state.outages.iter().filter(|outage| outage.told.is_none()).map(|outage| outage.since.tick);
    untold.chain(untold_deafness(state)).min().map(|since| since + SETTLE)
}

/// Since when the site is deaf, where that matters to anybody and nobody was told.
fn untold_deafness(state: &State) -> Option<Tick> {
    let since = state.deaf_since.filter(|since| matters(*since))?;
    (!state.deaf_told && state.homes.iter().any(|home| home.claimed)).then_some(since)
}

/// A site without a past was never away.
fn matters(deaf_since: Tick) -> bool {
    deaf_since > Tick(0)
}

/// Tells of what has settled.
pub(super) fn due(state: &State, now: Stamp, out: &mut Out) {
    if next_told(state).is_none_or(|at| at > now.tick) {
        return out.changes.push(SiteChange::Alive);
    }
    let settled = |since: Tick| now.tick.since(since) >= SETTLE;
    for outage in state.outages.iter().filter(|outage| outage.told.is_none() && settled(outage.since.tick)) {
        let homes = outage.gone.len() as u32;
        let reason = Reason::Unheard { since: outage.since.wall, homes, deaf: false };
        tell(Some(outage.number), outage.place(&outage.gone), reason, out);
    }
    if let Some(since) = untold_deafness(state).filter(|since| settled(*since)) {
        tell_deafness(state, now, since, out);
    }
}
