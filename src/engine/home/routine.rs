//! Rules of the day: what is fine for a while and a need when it lasts. Each is a row of [`RULES`]: the alarm's kind, and since when and
//! for how long its condition may last. An episode is alarmed once: whoever has looked and found all well is not asked again for it.

use super::Turn;
use super::cooling::apart;
use super::explain::Holding;
use super::fallen::{perhaps, unmoving};
use super::silence::{has_only_a_door, minute_of, within};
use super::state::{Activity, DeviceState, State};
use super::water::{running, unused};
use crate::engine::alarm::Reason;
use crate::engine::change::{Fact, HomeChange};
use crate::engine::kind::{AlarmKind, Kind};
use crate::engine::policy::{HomePolicy, Rules};
use crate::engine::reading::{Reading, Value};
use crate::engine::time::{Millis, Stamp, Tick, Wall};
use minicbor::{Decode, Encode};

/// A moment of the home: on the hearing clock, and for people.
#[derive(Debug, Clone, Copy, PartialEq, Encode, Decode)]
pub struct Moment {
    #[n(0)]
    pub heard: Tick,
    #[n(1)]
    pub wall: Wall,
}

impl Moment {
    pub(super) fn at(at: Stamp) -> Moment {
        Moment { heard: at.heard, wall: at.wall }
    }

    fn of(activity: &Activity) -> Moment {
        Moment { heard: activity.heard, wall: activity.wall }
    }
}

/// What of a device's warmth is beyond a bound, since when.
#[derive(Debug, Clone, PartialEq, Default, Encode, Decode)]
pub struct Climate {
    #[n(0)]
    chilly: Option<Moment>,
    #[n(1)]
    cold: Option<Moment>,
    #[n(2)]
    warm: Option<Moment>,
    #[n(3)]
    hot: Option<Moment>,
}

/// Which bounds a temperature is beyond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
pub struct Beyond {
    #[n(0)]
    pub chilly: bool,
    #[n(1)]
    pub cold: bool,
    #[n(2)]
    pub warm: bool,
    #[n(3)]
    pub hot: bool,
}

impl Climate {
    fn beyond(&self) -> Beyond {
        let Climate { chilly, cold, warm, hot } = self;
        Beyond { chilly: chilly.is_some(), cold: cold.is_some(), warm: warm.is_some(), hot: hot.is_some() }
    }

    fn fold(&mut self, beyond: Beyond, now: Moment) {
        let set = |since: &mut Option<Moment>, is: bool| *since = is.then(|| since.unwrap_or(now));
        set(&mut self.chilly, beyond.chilly);
        set(&mut self.cold, beyond.cold);
        set(&mut self.warm, beyond.warm);
        set(&mut self.hot, beyond.hot);
    }
}

/// A condition under way.
pub(super) struct Lasting<'s> {
    pub since: Moment,
    pub limit: Millis,
    pub room: &'s str,
    pub value: Option<f64>,
}

type Watch = for<'s> fn(&HomePolicy, &'s State, Stamp) -> Option<Lasting<'s>>;

/// A rule: the alarm, its condition, and the check below it, which it replaces.
type Rule = (AlarmKind, Watch, Option<AlarmKind>);

const RULES: &[Rule] = &[
    (AlarmKind::FallStill, |p, s, _| unmoving(s, limit(p.rules.fall_still_s)?), Some(AlarmKind::FallCheck)),
    (AlarmKind::FallCheck, |_, s, _| perhaps(s), None),
    (AlarmKind::Bathroom, |p, s, _| bathroom(p, s, p.rules.bathroom_s, false), Some(AlarmKind::BathroomCheck)),
    (AlarmKind::BathroomCheck, |p, s, _| bathroom(p, s, p.rules.bathroom_check_s, true), None),
    (AlarmKind::Wandering, |p, s, _| wandering(p, s), None),
    (AlarmKind::BedLeft, bed_left, None),
    (AlarmKind::DoorOpen, door_open, None),
    (AlarmKind::NotUpCheck, |p, s, _| not_up(p, s), None),
    (AlarmKind::Cold, |p, s, _| cold(p, s), Some(AlarmKind::ColdCheck)),
    (AlarmKind::ColdCheck, |p, s, _| climate(p, s, |c| c.chilly), None),
    (AlarmKind::Heat, |p, s, _| climate(p, s, |c| c.hot), Some(AlarmKind::HeatCheck)),
    (AlarmKind::HeatCheck, |p, s, _| climate(p, s, |c| c.warm), None),
    (AlarmKind::VitalSigns, vital, None),
    (AlarmKind::NoWater, |p, s, now| unused(s, limit(p.rules.no_water_s)?, true, now), Some(AlarmKind::NoWaterCheck)),
    (AlarmKind::NoWaterCheck, |p, s, now| unused(s, limit(p.rules.no_water_s)?, false, now), None),
    (AlarmKind::WaterRunning, |p, s, now| running(s, limit(p.rules.water_running_s)?, now), None),
];

/// Seconds of a rule; none where it is switched off.
fn limit(seconds: u32) -> Option<Millis> {
    (seconds > 0).then(|| Millis::from_secs(seconds.into()))
}

fn is_bathroom(room: &str) -> bool {
    ["bathroom", "toilet", "wc", "shower", "卫生间", "厕所", "浴室", "洗手间"].contains(&room)
}

/// In the bathroom, and nothing else has been heard to stir since; where something else could be. A sensor of motion cannot tell who has
/// left unseen: before the first days are known nobody is asked after, and where a stay has looked longer than the limit in the last weeks
/// and all was well, there is only a check (`yields`: it waits for what would be longer).
fn bathroom<'s>(policy: &HomePolicy, state: &'s State, seconds: u32, yields: bool) -> Option<Lasting<'s>> {
    let elsewhere = |d: &DeviceState| d.tells_activity && !d.only_door && !is_bathroom(&d.room);
    let since = state.bathroom.filter(|_| state.unwatched.is_none() && state.devices.iter().any(elsewhere))?;
    let room = state.activity.as_ref().map_or("", |activity| state.room_of(activity));
    let seen = |d: &DeviceState| d.last(Kind::Presence, None).is_some_and(|last| last.value == Value::Flag(true));
    let is_seen = state.devices.iter().any(|d| is_bathroom(&d.room) && seen(d));
    let (learnt, limit) = (&state.learnt.limits, limit(seconds)?);
    let limit = match (is_seen, limit.max(learnt.longest_stay())) {
        (true, _) => limit,
        (false, _) if u32::from(learnt.days) < policy.rules.inactivity_settling_days => return None,
        (false, longest) => (yields || longest == limit).then_some(longest)?,
    };
    Some(Lasting { since, limit, room, value: None })
}

/// Out by the entrance door at night, and not back, whoever was there. (Who goes to the toilet at night passes no entrance door.)
fn wandering<'s>(policy: &HomePolicy, state: &'s State) -> Option<Lasting<'s>> {
    let rules = &policy.rules;
    let activity = state.sign().filter(|_| state.presence.out)?;
    let at_night = within(minute_of(policy, state, activity.wall), rules.wandering_from_min, rules.wandering_to_min);
    // Where only the door is heard, nobody can tell who has stayed inside.
    let limit = limit(rules.wandering_s).filter(|_| at_night && !has_only_a_door(state))?;
    Some(Lasting { since: Moment::of(activity), limit, room: "entrance", value: None })
}

/// The bed was left at night, and since the last that stirred nobody has come back to it.
fn bed_left<'s>(policy: &HomePolicy, state: &'s State, now: Stamp) -> Option<Lasting<'s>> {
    let limit = limit(policy.rules.bed_left_s)?;
    let left = |d: &DeviceState| d.last(Kind::Bed, None).filter(|l| l.value == Value::Flag(false)).map(|l| l.since);
    let taken = |d: &DeviceState| d.last(Kind::Bed, None).is_some_and(|l| l.value == Value::Flag(true));
    if state.unwatched.is_some() || state.devices.iter().any(taken) {
        return None;
    }
    let (bed, left) = state.devices.iter().filter_map(|d| Some((d, left(d)?))).max_by_key(|(_, left)| *left)?;
    let left = now.wall_at(left);
    let activity = state.sign().filter(|_| !state.presence.has_left())?;
    let night = |wall: Wall| within(minute_of(policy, state, wall), policy.rules.bed_from_min, policy.rules.bed_to_min);
    // Who gets up in the morning has left the bed, too.
    (night(left) && night(activity.wall + limit) && activity.wall.since(left) < NIGHT).then(|| Lasting {
        since: Moment::of(activity),
        limit,
        room: &bed.room,
        value: None,
    })
}

/// A bed that was left longer ago is not slept in this night.
const NIGHT: Millis = Millis::from_mins(8 * 60);

fn door_open<'s>(policy: &HomePolicy, state: &'s State, now: Stamp) -> Option<Lasting<'s>> {
    let limit = limit(policy.rules.door_open_s)?;
    let open = |d: &DeviceState| d.last(Kind::Contact, None).filter(|l| l.value == Value::Open(true)).map(|l| l.since);
    let (door, since) = state.devices.iter().filter(|d| &*d.room == "entrance").find_map(|d| Some((d, open(d)?)))?;
    let since = Moment::at(now.before(now.tick.since(since)));
    Some(Lasting { since, limit, room: &door.room, value: None })
}

/// Since a time of last evening or night nobody has stirred, and nineteen of twenty mornings somebody has by now.
fn not_up<'s>(policy: &HomePolicy, state: &'s State) -> Option<Lasting<'s>> {
    let rules = &policy.rules;
    let grace = limit(rules.not_up_grace_s)?;
    let activity = state.sign().filter(|_| !state.presence.has_left())?;
    let rises = state.learnt.limits.rises()?;
    let minute = minute_of(policy, state, activity.wall);
    let by_night = within(minute, rules.night_from_min, rules.night_to_min);
    let until = || activity.wall.next_at(&policy.zone, rises).since(activity.wall);
    by_night.then(|| Lasting { since: Moment::of(activity), limit: Millis(until().0 + grace.0), room: "", value: None })
}

fn climate<'s>(policy: &HomePolicy, state: &'s State, of: impl Fn(&Climate) -> Option<Moment>) -> Option<Lasting<'s>> {
    let limit = limit(policy.rules.climate_s)?;
    let since = |d: &'s DeviceState| Some((of(&d.climate)?, d));
    let (since, device) = state.devices.iter().filter_map(since).min_by_key(|(since, _)| since.heard)?;
    let value = match device.last(Kind::Temperature, None).map(|last| &last.value) {
        Some(Value::Number(degrees)) => Some(*degrees),
        _ => None,
    };
    Some(Lasting { since, limit, room: &device.room, value })
}

/// Too cold for anybody, or growing cold while the neighbours do not.
fn cold<'s>(policy: &HomePolicy, state: &'s State) -> Option<Lasting<'s>> {
    let apart = apart(state, limit(policy.rules.climate_s)?);
    climate(policy, state, |c| c.cold).into_iter().chain(apart).min_by_key(|lasting| lasting.since.heard)
}

/// What has not spoken for so long measures nobody.
const MEASURES: Millis = Millis::from_mins(5);

/// What a sensor of the heart or of breathing has shown for some time.
fn vital<'s>(policy: &HomePolicy, state: &'s State, now: Stamp) -> Option<Lasting<'s>> {
    let limit = limit(policy.rules.vital_s)?;
    let speaks = |d: &&DeviceState| d.heard.is_some_and(|at| now.wall.since(at) <= MEASURES);
    let beyond = state.devices.iter().filter(speaks).filter_map(|d| Some((d.vital?, d)));
    let (since, device) = beyond.max_by_key(|(since, _)| since.heard)?;
    Some(Lasting { since, limit, room: &device.room, value: None })
}

/// Whether a device's heart rate or breathing is beyond its bounds, by what it says now, and else by what it said last. Zero is nobody's.
fn is_beyond(rules: &Rules, device: &DeviceState, readings: &[Reading]) -> bool {
    let of = |kind: Kind| {
        let said = readings.iter().rev().find(|r| r.kind == kind).map(|r| &r.value);
        match said.or_else(|| device.last(kind, None).map(|last| &last.value)) {
            Some(Value::Number(rate)) if *rate > 0.0 => Some(*rate),
            _ => None,
        }
    };
    let beyond = |rate: f64, low: u32, high: u32| rate < f64::from(low) || rate > f64::from(high);
    of(Kind::HeartRate).is_some_and(|rate| beyond(rate, rules.heart_low, rules.heart_high))
        || of(Kind::RespiratoryRate).is_some_and(|rate| beyond(rate, rules.breath_low, rules.breath_high))
}

/// Rooms whose warmth is nobody's.
pub(super) fn is_lived_in(room: &str) -> bool {
    !["fridge", "freezer", "outdoor", "outside", "balcony", "garden", "冰箱", "阳台", "室外"].contains(&room)
}

fn beyond(rules: &Rules, degrees: f64) -> Beyond {
    let is = |bound: u32| f64::from(bound);
    Beyond {
        chilly: degrees < is(rules.cold_check_c),
        cold: degrees < is(rules.cold_c),
        warm: degrees >= is(rules.heat_check_c),
        hot: degrees >= is(rules.heat_c),
    }
}

impl State {
    /// Somebody stirred, in the bathroom or elsewhere.
    pub(super) fn fold_stay(&mut self, fact: &Fact, now: Moment) {
        let inside = self.devices.get(fact.device as usize).is_some_and(|d| is_bathroom(&d.room));
        // A radar that sees nobody any more tells that they have left.
        let left = fact.reading.kind == Kind::Presence && fact.reading.value == Value::Flag(false);
        self.bathroom = (inside && !left).then(|| self.bathroom.unwrap_or(now));
    }

    pub(super) fn fold_climate(&mut self, device: u16, beyond: Beyond, at: Stamp) {
        if let Some(device) = self.devices.get_mut(device as usize) {
            device.climate.fold(beyond, Moment::at(at));
        }
    }

    pub(super) fn fold_vital(&mut self, device: u16, beyond: bool, at: Stamp) {
        if let Some(device) = self.devices.get_mut(device as usize) {
            device.vital = beyond.then(|| device.vital.unwrap_or(Moment::at(at)));
        }
    }

    /// An alarm of a rule was raised, or came again: its episode is told.
    pub(super) fn fold_asked(&mut self, kind: AlarmKind, at: Stamp) {
        if is_rule(kind) {
            self.asked.retain(|(of, _)| *of != kind);
            self.asked.push((kind, at.heard));
        }
    }

    fn is_asked(&self, kind: AlarmKind, since: Moment) -> bool {
        self.asked.iter().any(|(of, at)| *of == kind && *at >= since.heard)
    }

    /// Whether the alarm above this check has been raised for the episode.
    fn is_outdone(&self, kind: AlarmKind, since: Moment) -> bool {
        RULES.iter().any(|(above, _, check)| *check == Some(kind) && self.is_asked(*above, since))
    }
}

/// When a rule has something to say next, if nothing is heard until then.
fn due_at(policy: &HomePolicy, state: &State, now: Stamp, (kind, watch, _): &Rule) -> Option<Tick> {
    let kind = *kind;
    if !policy.is_watched() || state.frozen.is_some() || state.unheard_since.is_some() {
        return None;
    }
    let open = state.alarm(kind).filter(|alarm| alarm.over.is_none());
    match (watch(policy, state, now), open) {
        (None, Some(_)) => Some(now.tick),
        (Some(lasting), None) if !state.is_asked(kind, lasting.since) && !state.is_outdone(kind, lasting.since) => {
            Some(now.tick + Millis(lasting.limit.0.saturating_sub(state.heard_since(lasting.since.heard, now).0)))
        }
        _ => None,
    }
}

/// When any rule has.
pub(super) fn next(policy: &HomePolicy, state: &State, now: Stamp) -> Option<Tick> {
    RULES.iter().filter_map(|rule| due_at(policy, state, now, rule)).min()
}

/// Whether an alarm of this kind comes of a rule of the day.
pub fn is_rule(kind: AlarmKind) -> bool {
    RULES.iter().any(|(of, ..)| *of == kind)
}

/// The rules whose condition holds.
pub(super) fn holding(policy: &HomePolicy, state: &State, now: Stamp) -> Vec<Holding> {
    let holds = |(kind, watch, _): &Rule| {
        let lasting = watch(policy, state, now)?;
        Some(Holding {
            kind: *kind,
            since: lasting.since.wall,
            lasted_s: state.heard_since(lasting.since.heard, now).as_secs(),
            limit_s: lasting.limit.as_secs(),
            asked: state.is_asked(*kind, lasting.since),
        })
    };
    RULES.iter().filter_map(holds).collect()
}

impl Turn<'_> {
    /// Raises what has lasted too long, and ends what is over; gives the kinds that it raised.
    pub(super) fn routine_due(&mut self) -> Vec<AlarmKind> {
        let (policy, state, now) = (self.policy, self.state, self.now);
        let is_due = |rule: &&Rule| due_at(policy, state, now, rule).is_some_and(|at| at <= now.tick);
        let due: Vec<_> = RULES.iter().filter(is_due).collect();
        let mut raised = Vec::new();
        for (kind, watch, check) in &due {
            let Some(lasting) = watch(policy, state, now) else {
                self.over(*kind, now.wall);
                continue;
            };
            // The graver one has its turn in this very step.
            if due.iter().any(|(_, _, below)| *below == Some(*kind)) {
                continue;
            }
            if let Some(check) = check.and_then(|check| state.alarm(check)) {
                self.close_by_itself(check);
                self.because("check_became_alarm");
            }
            let Lasting { since, limit, room, value } = lasting;
            let lasted_s = state.heard_since(since.heard, now).as_secs();
            let (since, limit_s) = (since.wall, limit.as_secs());
            let apart = self.state.apart.filter(|apart| *kind == AlarmKind::Cold && apart.since.wall == since);
            let more_c = apart.map(|apart| apart.more);
            let reason = Reason::Lasting { since, lasted_s, limit_s, room: room.into(), value, more_c };
            self.own(*kind, reason);
            raised.push(*kind);
        }
        raised
    }

    /// Vital signs that pass a bound are news, where anybody wants to know.
    pub(super) fn measure(&mut self, device: u16, readings: &[Reading]) {
        let vital = |r: &Reading| matches!(r.kind, Kind::HeartRate | Kind::RespiratoryRate);
        let Some(known) = self.state.devices.get(device as usize).filter(|_| readings.iter().any(vital)) else {
            return;
        };
        let beyond = self.policy.rules.vital_s > 0 && is_beyond(&self.policy.rules, known, readings);
        if beyond != known.vital.is_some() {
            self.change(HomeChange::Vital { device, beyond });
        }
    }

    /// A temperature that passes a bound is news.
    pub(super) fn feel(&mut self, device: u16, room: &str, readings: &[Reading]) {
        let Some(known) = self.state.devices.get(device as usize).map(|d| d.climate.beyond()) else { return };
        let told = readings.iter().filter(|r| r.kind == Kind::Temperature && r.zone.is_none() && is_lived_in(room));
        for reading in told {
            if let Value::Number(degrees) = reading.value {
                let beyond = beyond(&self.policy.rules, degrees);
                if beyond != known {
                    self.change(HomeChange::Climate { device, beyond });
                }
                self.cool(device, degrees);
            }
        }
    }
}
