//! The gateway's own past under today's rules: what its journal says happened goes through the machine again, and what is raised now
//! stands beside what was raised then. Thresholds and the registry's plans are what may differ; people's looks are taken as they were.

use super::lines::{Difference, Lines, Summary};
use super::street::{Fault, Street};
use super::{Options, ReplayError, Source};
use crate::engine::alarm::Safe;
use crate::engine::change::{AlarmChange, Fact, HomeChange, SiteChange};
use crate::engine::home::routine;
use crate::engine::id::HomeId;
use crate::engine::input::{Heard, HomeInput};
use crate::engine::kind::AlarmKind;
use crate::engine::policy::Resolver;
use crate::engine::registry::{Entity, Home, Registry};
use crate::engine::time::{Millis, Stamp, Wall};
use std::collections::BTreeMap;
use std::io::Write;

/// An alarm then and one now belong together within this time.
const SAME: Millis = Millis::from_mins(12 * 60);
/// Less than this is no difference.
const ALIKE: Millis = Millis::from_mins(1);

/// A journal on its way through the machine.
pub struct Past<'a, W: Write> {
    options: &'a Options,
    street: Street<'a, W>,
    registry: Registry,
    /// By number at the site: the id, and the household of a registered home.
    homes: Vec<(HomeId, Option<u32>)>,
    /// By household.
    names: Vec<HomeId>,
    then: Vec<(HomeId, AlarmKind, Wall)>,
    now: Stamp,
    /// The message whose facts are coming.
    message: Option<(u32, Heard)>,
}

/// Whether today's rules say anything of a kind: what devices say is the same whatever the rules.
pub(super) fn is_judged(kind: AlarmKind) -> bool {
    matches!(kind, AlarmKind::Inactivity | AlarmKind::InactivityCheck) || routine::is_rule(kind)
}

impl<'a, W: Write> Past<'a, W> {
    /// Begins; the answers go to `out`.
    pub fn new(options: &'a Options, out: W) -> Past<'a, W> {
        let mut street = Street::new(options, Lines::new(out, options.rules.zone.clone()));
        street.follow();
        let (registry, now) = (Registry::default(), Stamp::default());
        Past { options, street, registry, homes: vec![], names: vec![], then: vec![], now, message: None }
    }

    /// The next record, of this time; `starts`: it is the first of a process, and none was there before it.
    ///
    /// # Errors
    /// Where the answers cannot be written.
    pub fn turn(&mut self, at: Stamp, starts: bool) -> Result<(), ReplayError> {
        self.flush()?;
        if starts {
            self.street.hears(false).map_err(told)?;
        }
        self.now = at;
        self.street.turn(at);
        Ok(())
    }

    /// A change of the site, in the order of the record.
    ///
    /// # Errors
    /// As [`Past::turn`].
    pub fn site(&mut self, change: &SiteChange) -> Result<(), ReplayError> {
        self.flush()?;
        match change {
            SiteChange::HomeAdded { id, .. } => {
                if self.homes.iter().all(|(known, _)| known != id) {
                    self.homes.push((id.clone(), None));
                }
                self.admit(id)?;
            }
            SiteChange::Registered(entity) => self.register((**entity).clone())?,
            SiteChange::Removed(key) => self.registry.remove(key),
            SiteChange::Deaf => self.street.hears(false).map_err(told)?,
            SiteChange::Hearing { .. } => self.street.hears(true).map_err(told)?,
            _ => {}
        }
        Ok(())
    }

    /// Whether a home is watched is as it was; its rules and its plan's are today's.
    fn register(&mut self, entity: Entity) -> Result<(), ReplayError> {
        let home = if let Entity::Home(home) = &entity { Some(home.id.clone()) } else { None };
        self.registry.put(entity);
        home.map_or(Ok(()), |home| self.admit(&home))
    }

    /// Gives a home its policy; one that is registered and has none yet becomes a household.
    fn admit(&mut self, id: &HomeId) -> Result<(), ReplayError> {
        let (place, then) = (self.homes.iter_mut().find(|(known, _)| known == id), self.registry.homes.get(id));
        let (Some((_, household)), Some(then)) = (place, then) else { return Ok(()) };
        let today = &self.options.registry;
        let rules = today.homes.get(id).unwrap_or(then);
        let policy = Resolver::new(&self.options.rules, today).home(&Home { status: then.status, ..rules.clone() });
        let number = self.street.admit(*household, policy).map_err(told)?;
        if household.replace(number).is_none() {
            self.names.push(id.clone());
        }
        Ok(())
    }

    /// A change of a home, in the order of the record.
    ///
    /// # Errors
    /// As [`Past::turn`].
    pub fn home(&mut self, home: u32, change: &HomeChange) -> Result<(), ReplayError> {
        if let HomeChange::Heard(fact) = change {
            return self.fact(home, fact);
        }
        self.flush()?;
        let Some((id, household)) = self.homes.get(home as usize) else { return Ok(()) };
        let (id, Some(household)) = (id.clone(), *household) else { return Ok(()) };
        let looked = |safe: &Safe| HomeInput::Looked { by: safe.by.clone(), how: safe.how };
        let input = match change {
            HomeChange::Raised(alarm) => {
                self.raised(id, alarm.kind);
                return Ok(());
            }
            HomeChange::Alarm { kind, change: AlarmChange::Counted { reason: Some(_), .. } } => {
                self.raised(id, *kind);
                return Ok(());
            }
            HomeChange::Alarm { change: AlarmChange::Safe(Some(safe)), .. } | HomeChange::Looked { safe } => {
                looked(safe)
            }
            HomeChange::Met(introduction) => HomeInput::Met(introduction.clone()),
            HomeChange::Bridge { online } => HomeInput::Bridge { online: *online },
            HomeChange::DeviceLeft { device } => HomeInput::Left { device: *device, open_there: None },
            HomeChange::Lost
            | HomeChange::Resumed
            | HomeChange::Suppressed(_)
            | HomeChange::SuppressionEnded { .. } => return self.street.fold(household, change).map_err(told),
            _ => return Ok(()),
        };
        self.street.give(household, input).map_err(told)
    }

    fn raised(&mut self, home: HomeId, kind: AlarmKind) {
        if is_judged(kind) {
            self.then.push((home, kind, self.now.wall));
        }
    }

    /// A reading. Those of one message stand together, and no kind stands twice in one.
    fn fact(&mut self, home: u32, fact: &Fact) -> Result<(), ReplayError> {
        let of_the_same = |(at, heard): &(u32, Heard)| {
            let known = heard.readings.iter().any(|r| r.kind == fact.reading.kind && r.zone == fact.reading.zone);
            let alike = (heard.device_time, heard.event, heard.retained, heard.history)
                == (fact.happened, fact.event, fact.retained, fact.history.is_some());
            let first = fact.beat.is_some() || fact.signal.is_some();
            *at == home && heard.device == fact.device && alike && !known && !first
        };
        if !self.message.as_ref().is_some_and(of_the_same) {
            self.flush()?;
        }
        let new = || Heard {
            device: fact.device,
            readings: Vec::new(),
            device_time: fact.happened,
            rest: fact.rest.unwrap_or_default(),
            event: fact.event,
            retained: fact.retained,
            echo: false,
            signal: fact.signal,
            history: fact.history.is_some(),
        };
        self.message.get_or_insert_with(|| (home, new())).1.readings.push(fact.reading.clone());
        Ok(())
    }

    fn flush(&mut self) -> Result<(), ReplayError> {
        let Some((home, heard)) = self.message.take() else { return Ok(()) };
        let household = self.homes.get(home as usize).and_then(|(_, household)| *household);
        household.map_or(Ok(()), |household| self.street.give(household, HomeInput::Heard(heard)).map_err(told))
    }

    /// Ends, with a line for each difference.
    ///
    /// # Errors
    /// As [`Past::turn`].
    pub fn end(mut self) -> Result<Summary, ReplayError> {
        self.flush()?;
        let Past { street, names, then, .. } = self;
        let mut counts: BTreeMap<AlarmKind, u64> = BTreeMap::new();
        for (_, kind, _) in &then {
            *counts.entry(*kind).or_default() += 1;
        }
        let mut summary = street.close(|now| {
            let now = now.into_iter().filter(|(_, kind, _)| is_judged(*kind));
            differences(then, now.map(|(home, kind, at)| (names[home as usize].clone(), kind, at)))
        })?;
        summary.then = Some(counts);
        Ok(summary)
    }
}

fn told(fault: Fault) -> ReplayError {
    fault.at(Source::Readings, 0)
}

type Times = (Vec<Wall>, Vec<Wall>);

/// Where the two disagree, home by home and kind by kind.
fn differences(
    then: impl IntoIterator<Item = (HomeId, AlarmKind, Wall)>,
    now: impl IntoIterator<Item = (HomeId, AlarmKind, Wall)>,
) -> Vec<Difference> {
    let mut all: BTreeMap<(HomeId, AlarmKind), Times> = BTreeMap::new();
    then.into_iter().for_each(|(home, kind, at)| all.entry((home, kind)).or_default().0.push(at));
    now.into_iter().for_each(|(home, kind, at)| all.entry((home, kind)).or_default().1.push(at));
    let mut found = Vec::new();
    for ((home, alarm), (then, now)) in all {
        let apart = |a: Wall, b: Wall| a.since(b).max(b.since(a));
        let mut add = |then, now| found.push(Difference { home: home.as_str().into(), alarm, then, now });
        // The nearest first.
        let near = |(i, a): (usize, &Wall)| {
            let of = move |(k, b): (usize, &Wall)| (apart(*a, *b), i, k);
            now.iter().enumerate().map(of).filter(|(by, ..)| *by <= SAME).collect::<Vec<_>>()
        };
        let mut pairs: Vec<_> = then.iter().enumerate().flat_map(near).collect();
        pairs.sort_unstable();
        let (mut partner, mut taken) = (vec![None; then.len()], vec![false; now.len()]);
        for (_, i, k) in pairs {
            if partner[i].is_none() && !taken[k] {
                (partner[i], taken[k]) = (Some(now[k]), true);
            }
        }
        for (at, same) in then.into_iter().zip(partner) {
            if same.is_none_or(|other| apart(at, other) > ALIKE) {
                add(Some(at), same);
            }
        }
        now.into_iter().zip(taken).filter(|(_, taken)| !taken).for_each(|(at, _)| add(None, Some(at)));
    }
    found
}
