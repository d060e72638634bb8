//! Visits that a programme owes a home: online (a call, a video), or at the door. What is owed is derived: from the rules, the calendar of
//! the site, and who was there. A visit that finds all well is what a look is ([`HomeChange::Looked`]), and any look is a visit.
//!
//! In the afternoon what is due by the end of the day and not made is told once (`visit_due`: the caseworker's list); later it is missed,
//! and told (`visit_missed`) where nobody in the home can call for help, or in a cold wave. Neither comes twice a day.

use super::Turn;
use super::state::State;
use super::suppression::absence;
use crate::engine::alarm::{Alarm, Reason, Safe, SafeHow};
use crate::engine::change::HomeChange;
use crate::engine::id::ResponderId;
use crate::engine::kind::AlarmKind;
use crate::engine::policy::HomePolicy;
use crate::engine::time::{Millis, Stamp, Tick, Wall};
use crate::engine::view::utc_or_null;
use jiff::ToSpan as _;
use jiff::civil::Date;
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

/// Visits of a month have to be known to its end, with the hour by which a month in autumn is longer;
const KEPT_FOR: Millis = Millis::from_mins((31 * 24 + 1) * 60);
/// and whoever looks more than once a day has made one visit: so many records hold a month of those that count.
const KEPT: usize = 40;

/// How somebody visits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Serialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum VisitKind {
    /// By phone or video.
    #[n(0)]
    Online,
    /// At the door.
    #[n(1)]
    Home,
}

impl VisitKind {
    pub const ALL: [VisitKind; 2] = [VisitKind::Online, VisitKind::Home];

    /// The word of the API.
    pub const fn name(self) -> &'static str {
        match self {
            VisitKind::Online => "online",
            VisitKind::Home => "home",
        }
    }

    pub fn parse(name: &str) -> Option<VisitKind> {
        VisitKind::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether this visit serves where one of the kind `owed` is due: who was at the door need not call.
    const fn serves(self, owed: VisitKind) -> bool {
        matches!((self, owed), (VisitKind::Home, _) | (_, VisitKind::Online))
    }

    /// How a person of whom such a visit tells that all is well was found so.
    const fn how(self) -> SafeHow {
        match self {
            VisitKind::Online => SafeHow::Spoke,
            VisitKind::Home => SafeHow::Seen,
        }
    }
}

/// What came of a visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum VisitOutcome {
    #[n(0)]
    Fine,
    /// It was made, and somebody has to come: a `welfare_check`.
    #[n(1)]
    NeedsHelp,
    /// It is still due.
    #[n(2)]
    NoAnswer,
    /// They were spoken to and want none: it was made, and says nothing of how they are.
    #[n(3)]
    Refused,
}

/// A visit as it was told.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Visit {
    #[n(0)]
    kind: VisitKind,
    /// By the clock that nobody sets: a wall clock that was wrong then moves no visit into another day.
    #[n(1)]
    at: Tick,
    #[n(2)]
    outcome: VisitOutcome,
    #[n(3)]
    by: ResponderId,
}

impl Visit {
    fn is_made(&self) -> bool {
        self.outcome != VisitOutcome::NoAnswer
    }
}

/// The last visits of a home, oldest first, and when it was told last that one is due or missed.
#[derive(Debug, Clone, PartialEq, Default, Encode, Decode)]
pub struct Care {
    #[n(0)]
    visits: Vec<Visit>,
    #[n(1)]
    due_told: Option<Tick>,
    #[n(2)]
    missed_told: Option<Tick>,
}

impl Care {
    /// A person has made sure that all is well.
    pub(super) fn fold_safe(&mut self, safe: &Safe, at: Stamp) {
        let kind = if safe.how == SafeHow::Spoke { VisitKind::Online } else { VisitKind::Home };
        self.keep(Visit { kind, at: at.tick, outcome: VisitOutcome::Fine, by: safe.by.clone() });
    }

    fn keep(&mut self, new: Visit) {
        // Who looks after a home may settle several of its alarms with it: one visit.
        let same = |visit: &Visit| visit.kind == new.kind && visit.at == new.at;
        self.visits.retain(|visit| new.at.since(visit.at) <= KEPT_FOR && !same(visit));
        if self.visits.len() >= KEPT {
            self.visits.remove(0);
        }
        self.visits.push(new);
    }

    /// An alarm was raised, or came again.
    pub(super) fn fold_told(&mut self, kind: AlarmKind, at: Stamp) {
        match kind {
            AlarmKind::VisitDue => self.due_told = Some(at.tick),
            AlarmKind::VisitMissed => self.missed_told = Some(at.tick),
            _ => {}
        }
    }
}

impl State {
    pub(super) fn fold_visit(&mut self, kind: VisitKind, outcome: Option<VisitOutcome>, by: &ResponderId, at: Stamp) {
        let open = |kind| self.alarm(kind).is_some();
        let (due, missed) = (open(AlarmKind::VisitDue), open(AlarmKind::VisitMissed));
        let care = &mut self.care;
        let Some(outcome) = outcome else {
            // What it had ended may have to be told anew.
            (care.due_told, care.missed_told) = (care.due_told.filter(|_| due), care.missed_told.filter(|_| missed));
            if let Some(last) = care.visits.iter().rposition(|visit| visit.kind == kind) {
                care.visits.remove(last);
            }
            return;
        };
        care.keep(Visit { kind, at: at.tick, outcome, by: by.clone() });
    }
}

/// Why what was said of a visit changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VisitRefusal {
    NoSuchHome,
    /// None of this kind was told today: there is nothing to take back.
    NotTold,
}

/// The local day of a home that is visited.
struct Today<'a> {
    policy: &'a HomePolicy,
    care: &'a Care,
    now: Stamp,
    date: Date,
    midnight: Wall,
    due_at: Wall,
    missed_at: Wall,
}

impl<'a> Today<'a> {
    fn of(policy: &'a HomePolicy, state: &'a State, now: Stamp) -> Today<'a> {
        let date = now.wall.zoned(&policy.zone).date();
        let at = |minute| Wall::on(date, minute, &policy.zone).unwrap_or(now.wall);
        let (due_at, missed_at) = (at(policy.rules.visits_due_at_min), at(policy.rules.visits_missed_at_min));
        Today { policy, care: &state.care, now, date, midnight: at(0), due_at, missed_at }
    }

    fn date_of(&self, tick: Tick) -> Date {
        self.now.wall_at(tick).zoned(&self.policy.zone).date()
    }

    fn is_today(&self, told: Option<Tick>) -> bool {
        told.is_some_and(|tick| self.now.wall_at(tick) >= self.midnight)
    }

    /// The cold wave asks for a visit today: it was there before the day's list was told.
    fn is_cold(&self) -> bool {
        self.policy.cold_wave.as_ref().is_some_and(|wave| wave.since < self.due_at && wave.until > self.now.wall)
    }

    /// The visits that serve for one of this kind, newest first.
    fn serving(&self, owed: VisitKind) -> impl Iterator<Item = &'a Visit> {
        self.care.visits.iter().rev().filter(move |visit| visit.kind.serves(owed))
    }

    fn is_visited(&self, owed: VisitKind) -> bool {
        self.serving(owed).any(|visit| visit.is_made() && self.is_today(Some(visit.at)))
    }

    /// Until the end of which day the home is owed a visit of this kind. One made today is enough for today, however many were missed.
    fn owed(&self, kind: VisitKind) -> Option<Date> {
        if !self.is_asked(kind) || self.is_visited(kind) {
            return None;
        }
        match kind {
            VisitKind::Online => Some(self.date),
            VisitKind::Home => self.periods().into_iter().filter_map(|period| self.next_of(period)).min(),
        }
    }

    /// Whether the rules, or the weather, ask for visits of this kind.
    fn is_asked(&self, kind: VisitKind) -> bool {
        let rules = &self.policy.rules;
        match kind {
            VisitKind::Online => rules.online_visits_daily > 0 || self.is_cold(),
            VisitKind::Home => rules.home_visits_a_week > 0 || rules.home_visits_a_month > 0,
        }
    }

    /// The week and the month: first day, days, visits at the door.
    fn periods(&self) -> [(Date, u32, u32); 2] {
        let (rules, date) = (&self.policy.rules, self.date);
        let monday = date.saturating_sub(i64::from(date.weekday().to_monday_zero_offset()).days());
        let days = u32::from(date.days_in_month().unsigned_abs());
        [(monday, 7, rules.home_visits_a_week), (date.first_of_month(), days, rules.home_visits_a_month)]
    }

    /// Until the end of which day the next visit of a period is due: the k-th of n at k parts in n of it. None where all are made; a day
    /// counts once.
    fn next_of(&self, (first, days, visits): (Date, u32, u32)) -> Option<Date> {
        let made = self.serving(VisitKind::Home).filter(|visit| visit.is_made()).map(|visit| self.date_of(visit.at));
        let mut made: Vec<Date> = made.filter(|date| *date >= first).collect();
        made.dedup();
        let next = made.len() as u32 + 1;
        let day = (next <= visits).then(|| (days * next / visits).max(1))?;
        Some(first.saturating_add(i64::from(day - 1).days()))
    }

    /// What is due by the end of the day, with the time until which it was to be made.
    fn due(&self) -> Vec<(VisitKind, Wall)> {
        let due = |kind| self.owed(kind).filter(|date| *date <= self.date).map(|date| (kind, self.until(date)));
        VisitKind::ALL.into_iter().filter_map(due).collect()
    }

    fn until(&self, date: Date) -> Wall {
        Wall::on(date, self.policy.rules.visits_missed_at_min, &self.policy.zone).unwrap_or(self.missed_at)
    }
}

/// Nobody visits a home that is not watched, one whose people are away, or one whose decisions have failed, which is asked after anyway.
fn is_visited(policy: &HomePolicy, state: &State, now: Stamp) -> bool {
    policy.is_watched() && state.frozen.is_none() && absence(state, now).is_none()
}

/// What there is to do.
#[derive(Debug, Default, PartialEq)]
struct ToDo {
    /// The alarm of what was due is over: it is made, or its day has passed.
    settles_due: bool,
    /// So is that of what was missed, by a visit since.
    settles_missed: bool,
    is_due: Option<Reason>,
    is_missed: Option<Reason>,
}

fn to_do(today: &Today<'_>, state: &State) -> ToDo {
    let (care, now) = (today.care, today.now);
    let due = if is_visited(today.policy, state, now) { today.due() } else { Vec::new() };
    let open = |kind| state.alarm(kind);
    let (due_told, missed_told) = (today.is_today(care.due_told), today.is_today(care.missed_told));
    let since = |alarm: &Alarm| care.visits.iter().any(|visit| visit.is_made() && visit.at >= alarm.raised.tick);
    let is_made_good = |alarm: &Alarm| due.is_empty() && alarm.safe.is_none() && since(alarm);
    let reason = || Reason::Visit {
        visits: due.iter().map(|(kind, _)| *kind).collect(),
        due: due.iter().map(|(_, until)| *until).min().unwrap_or(now.wall),
        outcome: None,
    };
    let tells = |at: Wall, told: bool| !due.is_empty() && now.wall >= at && !told;
    let missed = tells(today.missed_at, missed_told) && !open(AlarmKind::VisitMissed).is_some_and(Alarm::lasts);
    ToDo {
        settles_due: open(AlarmKind::VisitDue).is_some() && (due.is_empty() || !due_told),
        settles_missed: open(AlarmKind::VisitMissed).is_some_and(is_made_good),
        is_due: (tells(today.due_at, due_told) && open(AlarmKind::VisitDue).is_none()).then(reason),
        is_missed: (missed && (today.is_cold() || !state.has_sos_cover(now))).then(reason),
    }
}

/// Whether a home has anything to do with visits.
fn concerns(policy: &HomePolicy, state: &State, now: Stamp) -> bool {
    let rules = &policy.rules;
    let wave = policy.cold_wave.as_ref().is_some_and(|wave| wave.until > now.wall);
    rules.online_visits_daily + rules.home_visits_a_week + rules.home_visits_a_month > 0 || wave || is_told(state)
}

fn is_told(state: &State) -> bool {
    state.alarms.iter().any(|alarm| matches!(alarm.kind, AlarmKind::VisitDue | AlarmKind::VisitMissed))
}

/// How long it is until the day's list is told, before which nothing is; by the midnight that is known, since this is asked with every
/// reading.
fn until_the_list(policy: &HomePolicy, state: &State, now: Stamp) -> Option<Millis> {
    let first = policy.rules.visits_due_at_min.min(policy.rules.visits_missed_at_min);
    let minute = state.learnt.minute(now.wall).filter(|minute| *minute < first && !is_told(state))?;
    let minutes = Millis::from_mins(u64::from(first - minute));
    Some(Millis(minutes.0 - now.wall.0.rem_euclid(60_000) as u64))
}

/// When there is something to do about visits, as things stand.
pub(super) fn next(policy: &HomePolicy, state: &State, now: Stamp) -> Option<Tick> {
    if !concerns(policy, state, now) {
        return None;
    }
    if let Some(wait) = until_the_list(policy, state, now) {
        return Some(now.tick + wait);
    }
    let today = Today::of(policy, state, now);
    if to_do(&today, state) != ToDo::default() {
        return Some(now.tick);
    }
    let midnight = Wall::on(today.date.tomorrow().ok()?, 0, &policy.zone)?;
    let wave = policy.cold_wave.as_ref().map_or(midnight, |wave| wave.until);
    let turns = [today.due_at, today.missed_at, midnight, wave].into_iter().filter(|at| *at > now.wall);
    turns.min().map(|at| now.tick + at.since(now.wall))
}

/// How a visit stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum VisitState {
    Missed,
    Due,
    Done,
}

/// A home's visit of one kind as it stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct VisitView {
    pub kind: VisitKind,
    /// Null: none is owed, and none was made today.
    pub state: Option<VisitState>,
    /// Until when it is owed: null where it is made.
    #[serde(serialize_with = "utc_or_null")]
    pub due: Option<Wall>,
    /// The last that somebody told of such a visit, or of one that serves as well, within a month: its kind, when, what came of it.
    pub last_kind: Option<VisitKind>,
    #[serde(serialize_with = "utc_or_null")]
    pub last_at: Option<Wall>,
    pub outcome: Option<VisitOutcome>,
    pub by: Option<ResponderId>,
    /// That was today, so that it can be taken back.
    pub today: bool,
}

/// A home's visit of this kind, as it stands.
pub fn view(policy: &HomePolicy, state: &State, now: Stamp, kind: VisitKind) -> VisitView {
    let today = Today::of(policy, state, now);
    let watched = is_visited(policy, state, now);
    let due = today.owed(kind).filter(|_| watched).map(|date| today.until(date));
    let last = today.serving(kind).next();
    let is_today = today.is_today(last.map(|visit| visit.at));
    let made = last.is_some_and(|visit| visit.kind == kind && visit.is_made() && is_today);
    let made = made || (watched && today.is_asked(kind));
    VisitView {
        kind,
        state: match due {
            Some(due) if now.wall >= due => Some(VisitState::Missed),
            Some(_) => Some(VisitState::Due),
            None => made.then_some(VisitState::Done),
        },
        due,
        last_kind: last.map(|visit| visit.kind),
        last_at: last.map(|visit| now.wall_at(visit.at)),
        outcome: last.map(|visit| visit.outcome),
        by: last.map(|visit| visit.by.clone()),
        today: is_today,
    }
}

impl Turn<'_> {
    /// A person tells what came of a visit, or takes back what was told today.
    pub(super) fn visit(&mut self, kind: VisitKind, outcome: Option<VisitOutcome>, by: ResponderId) {
        let today = Today::of(self.policy, self.state, self.now);
        let last = self.state.care.visits.iter().rev().find(|visit| visit.kind == kind);
        self.out.visited = Some(match outcome {
            None if !today.is_today(last.map(|visit| visit.at)) => Err(VisitRefusal::NotTold),
            Some(VisitOutcome::Fine) => {
                self.looked(by, kind.how());
                Ok(())
            }
            outcome => {
                self.change(HomeChange::Visited { kind, outcome, by });
                if outcome == Some(VisitOutcome::NeedsHelp) {
                    let reason = Reason::Visit { visits: vec![kind], due: self.now.wall, outcome };
                    self.own(AlarmKind::WelfareCheck, reason);
                }
                Ok(())
            }
        });
    }

    /// Tells what is due and what is missed, each once a day, and ends what a visit has settled.
    pub(super) fn visits_due(&mut self) {
        if !concerns(self.policy, self.state, self.now) {
            return;
        }
        let state = self.state;
        let ToDo { settles_due, settles_missed, is_due, is_missed } =
            to_do(&Today::of(self.policy, state, self.now), state);
        for (kind, settles) in [(AlarmKind::VisitDue, settles_due), (AlarmKind::VisitMissed, settles_missed)] {
            if let Some(alarm) = state.alarm(kind).filter(|_| settles) {
                self.because("visit_settled");
                self.close_by_itself(alarm);
            }
        }
        for (kind, reason) in [(AlarmKind::VisitDue, is_due), (AlarmKind::VisitMissed, is_missed)] {
            if let Some(reason) = reason {
                self.own(kind, reason);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::home::{Out, Place, step};
    use crate::engine::id::{HomeId, SiteId};
    use crate::engine::input::HomeInput;
    use crate::engine::policy::{Resolver, RulesPatch, SiteRules};
    use crate::engine::registry::{Home, Registry};
    use crate::engine::time::Stamped;

    /// The local times at which a home that nobody visits is told of, between two dates at a place.
    fn told(zone: &str, from: &str, to: &str) -> Vec<String> {
        let zone = jiff::tz::TimeZone::get(zone).unwrap();
        let site = SiteId::new("z").unwrap();
        let rules = RulesPatch {
            online_visits_daily: Some(1),
            inactivity_check_percent: Some(0),
            inactivity_cap_s: Some(172_800),
            ..RulesPatch::default()
        };
        let rules = SiteRules { site: site.clone(), zone: zone.clone(), rules };
        let policy = Resolver::new(&rules, &Registry::default()).home(&Home::new(HomeId::new("h").unwrap(), site));
        let wall = |date: &str| Wall::on(date.parse().unwrap(), 0, &zone).unwrap();
        let stamp = |at: Wall| Stamp { tick: Tick(at.0 as u64), wall: at, heard: Tick(at.0 as u64) };
        let (mut now, end, mut state, mut out) = (stamp(wall(from)), wall(to), State::default(), Out::default());
        let (mut told, mut next_alarm) = (Vec::new(), 1);
        while now.wall < end {
            out.clear();
            step(
                &policy,
                &Place { home: 0, next_alarm, desk_empty: false },
                &state,
                Stamped::new(now, HomeInput::Due),
                &mut out,
            );
            for change in &out.changes {
                state.apply(change, now);
                if let HomeChange::Raised(alarm) = change {
                    next_alarm += 1;
                    told.push(format!("{} {}", alarm.kind, now.wall.zoned(&zone).strftime("%d %H:%M")));
                }
            }
            now = stamp(now.wall_at(next(&policy, &state, now).unwrap().max(now.tick + Millis(1))));
        }
        told
    }

    #[test]
    fn the_times_of_day_are_those_of_the_clocks_on_the_wall() {
        let of = |day: &str| [format!("visit_due {day} 16:00"), format!("visit_missed {day} 17:30")];
        // The day before, and the one on which the clocks change: 23 and 25 hours; and where they change at midnight.
        for (zone, from, day, to) in [
            ("Europe/Berlin", "2024-03-30", ["30", "31"], "2024-04-01"),
            ("Europe/Berlin", "2024-10-26", ["26", "27"], "2024-10-28"),
            ("America/Santiago", "2024-09-07", ["07", "08"], "2024-09-09"),
            ("Asia/Shanghai", "2024-02-28", ["28", "29"], "2024-03-01"),
        ] {
            let told = told(zone, from, to);
            let first: Vec<String> = day.iter().take(1).flat_map(|day| of(day)).collect();
            // Nobody has seen to the first day's missed one: it stands for the second day too.
            let second = [format!("visit_due {} 16:00", day[1])];
            assert_eq!(told, [first.as_slice(), &second].concat(), "{zone} {from}");
        }
    }
}
