//! The inactivity detector: how long this home's silence may last by its own past, never longer than the plan's cap (a later one where
//! little is heard); a quiet check before it. Silence counts only while the home is heard. What the past says is made in [`crate::engine::learn`].

use super::Turn;
use super::state::{Activity, DeviceState, State};
use crate::engine::alarm::{Alarm, Reason};
use crate::engine::change::HomeChange;
use crate::engine::kind::AlarmKind;
use crate::engine::learn::{Allowance, SLOTS};
use crate::engine::policy::{HomePolicy, Rules};
use crate::engine::time::{Millis, Stamp, Tick, Wall};
use serde::Serialize;

/// Days with activity before what was learnt brings a check.
const FIRST_DAYS: u8 = 3;
/// Days with activity before a home's past may go beyond the caps: four weeks, at which learning is at its best.
const KNOWN_DAYS: u8 = 28;
/// Whoever has left is given this much of the longest outing that is known, within the plan's bounds.
const OUT_PERCENT: u32 = 125;
/// Who has just left is not asked after, however late it is.
const OUT_AT_LEAST: Millis = Millis::from_mins(60);

const USUAL: Rules = Rules::BUILT_IN;
const NIGHT_CAP: &str = "night_cap";
const DOOR_ONLY_CAP: &str = "door_only_cap";

/// How long a silence may last, and which rule says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    pub alarm: Millis,
    /// The alarm's, were no home's past to go beyond the caps.
    pub within_caps: Millis,
    /// None where checks are switched off.
    pub check: Option<Millis>,
    /// Which rule set the alarm's limit, and which the check's.
    pub name: &'static str,
    pub check_name: &'static str,
}

/// The limit of the silence that began with `activity`.
pub fn limit(policy: &HomePolicy, state: &State, activity: &Activity) -> Limit {
    let rules = &policy.rules;
    let (alarm, name) = match has_only_a_door(state) {
        true => (Millis::from_secs(rules.inactivity_door_only_cap_s.into()), DOOR_ONLY_CAP),
        false => cap(rules, minute_of(policy, state, activity.wall)),
    };
    let checks = rules.inactivity_check_percent > 0;
    let check = checks.then(|| percent(alarm, rules.inactivity_check_percent));
    let limit = Limit { alarm, within_caps: alarm, check, name, check_name: name };
    if name == DOOR_ONLY_CAP {
        return limit;
    }
    let at_home = learnt(rules, state, activity, limit);
    match activity.kind.is_some() && state.presence.has_left() {
        true => outing(policy, state, activity, at_home),
        false => at_home,
    }
}

/// The longest that a silence may last which begins in this minute of the day, whatever was learnt; and the rule's name.
fn cap(rules: &Rules, minute: u32) -> (Millis, &'static str) {
    match within(minute, rules.night_from_min, rules.night_to_min) {
        true => (Millis::from_secs(rules.inactivity_night_cap_s.into()), NIGHT_CAP),
        false => (Millis::from_secs(rules.inactivity_cap_s.into()), "cap"),
    }
}

fn percent(of: Millis, percent: u32) -> Millis {
    Millis(of.0 * u64::from(percent) / 100)
}

/// What was learnt, within the cap; where the caps decide so often that they would raise the same false alarm again and again, until nobody
/// comes, up to a later one.
fn learnt(rules: &Rules, state: &State, activity: &Activity, mut limit: Limit) -> Limit {
    let (learnt, slot) = (&state.learnt.limits, state.learnt.slot(activity.wall));
    if is_settled(rules, state) {
        let alarm = learnt.alarm_after(slot).unwrap_or(Millis(u64::MAX));
        if alarm < limit.alarm {
            (limit.alarm, limit.name) = (alarm, "learnt");
        }
        limit.within_caps = limit.alarm;
        let beyond = Millis::from_secs(rules.inactivity_few_signs_cap_s.into());
        if alarm > limit.alarm && beyond > limit.alarm && may_go_beyond(rules, state, &limit) {
            (limit.alarm, limit.name) = if alarm < beyond { (alarm, "learnt") } else { (beyond, "few_signs_cap") };
        }
    }
    if let (Some(known), Some(check)) = (limit.check, learnt.check_after(slot).filter(|_| learnt.days >= FIRST_DAYS))
        && rules.inactivity_checks_per_100_months > 0
        && check < known
    {
        (limit.check, limit.check_name) = (Some(check), "learnt");
    }
    limit
}

/// Whether what the home's past says of a silence counts where it is longer than the cap: after four weeks, where little is heard, where a
/// quiet check comes all the same, and where nobody has made the cap a shorter one on purpose.
fn may_go_beyond(rules: &Rules, state: &State, limit: &Limit) -> bool {
    let usual = if limit.name == NIGHT_CAP { USUAL.inactivity_night_cap_s } else { USUAL.inactivity_cap_s };
    limit.alarm >= Millis::from_secs(usual.into())
        && limit.check.is_some()
        && state.learnt.limits.days >= KNOWN_DAYS
        && has_few_signs(rules, state)
}

/// Whoever has left is asked after at the first of: what is usual of their outings and some time; a number of hours; the evening. The
/// ladder comes when they have been gone for longer than ever. Who seems to have left may be at home (it was a visitor who left): within
/// `out_cap_s` it comes no sooner than it would there.
fn outing(policy: &HomePolicy, state: &State, activity: &Activity, mut limit: Limit) -> Limit {
    let (rules, learnt) = (&policy.rules, &state.learnt.limits);
    let longest = percent(learnt.longest(), OUT_PERCENT);
    let (earliest, cap) = (Millis::from_secs(rules.out_earliest_s.into()), Millis::from_secs(rules.out_cap_s.into()));
    let gone = |at_home: Millis| longest.max(earliest).max(at_home).min(cap);
    (limit.alarm, limit.within_caps, limit.name) = (gone(limit.alarm), gone(limit.within_caps), "outing");
    if limit.check.is_some() {
        let usual = learnt.usual().map(|usual| Millis(usual.0 + 1_000 * u64::from(rules.out_check_grace_s)));
        let hours = Millis::from_secs(rules.out_check_s.into());
        let minute = minute_of(policy, state, activity.wall);
        let evening = Millis::from_mins((u64::from(rules.out_check_at_min) + 1_440 - u64::from(minute)) % 1_440);
        let evening = evening.max(OUT_AT_LEAST);
        (limit.check, limit.check_name) = (Some(usual.unwrap_or(hours).min(hours).min(evening)), "outing");
    }
    limit
}

/// Whether all that we hear of the people is the entrance door: contacts on cupboards and inner doors tell far more.
pub(super) fn has_only_a_door(state: &State) -> bool {
    let mut telling = state.devices.iter().filter(|d| d.tells_activity);
    let count = telling.clone().count();
    let entrance = |d: &DeviceState| d.only_door && (&*d.room == "entrance" || count == 1);
    count > 0 && telling.all(entrance)
}

/// Why a silence of the home tells little of its people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Weak {
    /// All that is heard of them is the entrance door.
    OnlyDoor,
    /// For a quarter of the day or of the night they are silent for so long that the caps decide: more sensors would be needed.
    FewSigns,
}

/// What weakens the watch over a home, as far as its devices and its past tell.
pub fn weak(policy: &HomePolicy, state: &State) -> Option<Weak> {
    match () {
        () if has_only_a_door(state) => Some(Weak::OnlyDoor),
        () if has_few_signs(&policy.rules, state) => Some(Weak::FewSigns),
        () => None,
    }
}

/// Whether the caps decide for a quarter of the silences by day, or of those by night.
fn has_few_signs(rules: &Rules, state: &State) -> bool {
    if !is_settled(rules, state) {
        return false;
    }
    let (mut all, mut capped) = ([0; 2], [0; 2]);
    for slot in 0..SLOTS {
        let (cap, name) = cap(rules, (slot * 1_440 / SLOTS) as u32);
        let part = usize::from(name == NIGHT_CAP);
        all[part] += 1;
        capped[part] += usize::from(state.learnt.limits.alarm_after(slot).is_none_or(|alarm| alarm >= cap));
    }
    (0..2).any(|part| capped[part] * 4 > all[part])
}

/// Whether what was learnt may bring an alarm: before, only the caps do.
fn is_settled(rules: &Rules, state: &State) -> bool {
    u32::from(state.learnt.limits.days) >= rules.inactivity_settling_days && rules.inactivity_alarms_per_100_months > 0
}

/// Minutes after local midnight; of the day under way by the midnight that is known, since this is asked with every reading.
pub(super) fn minute_of(policy: &HomePolicy, state: &State, at: Wall) -> u32 {
    state.learnt.minute(at).unwrap_or_else(|| at.minute(&policy.zone))
}

/// Whether a minute of the day lies in a window, which may reach over midnight.
pub(super) fn within(minute: u32, from: u32, to: u32) -> bool {
    if from <= to { (from..to).contains(&minute) } else { minute >= from || minute < to }
}

/// What the present silence has not yet brought about: its kind and limit.
fn pending(policy: &HomePolicy, state: &State) -> Option<(AlarmKind, Millis, Limit)> {
    if !policy.is_watched() || state.frozen.is_some() {
        return None;
    }
    let limit = limit(policy, state, state.activity.as_ref()?);
    let open = |kind| state.alarm(kind).is_some_and(Alarm::lasts);
    if open(AlarmKind::Inactivity) {
        return None;
    }
    match limit.check.filter(|_| !open(AlarmKind::InactivityCheck)) {
        Some(check) if check < limit.alarm => Some((AlarmKind::InactivityCheck, check, limit)),
        _ => Some((AlarmKind::Inactivity, limit.alarm, limit)),
    }
}

/// When the silence will have lasted to its next limit, if nothing is heard until then.
pub(super) fn next(policy: &HomePolicy, state: &State, now: Stamp) -> Option<Tick> {
    if state.unheard_since.is_some() {
        return None;
    }
    let (_, limit, _) = pending(policy, state)?;
    Some(now.tick + Millis(limit.0.saturating_sub(state.silence(now)?.0)))
}

/// Raises what the silence has brought about; gives the kinds of alarm that it has dealt with.
pub(super) fn due(turn: &mut Turn<'_>) -> &'static [AlarmKind] {
    let state = turn.state;
    let (Some((kind, at, limit)), Some(silence)) = (pending(turn.policy, state), state.silence(turn.now)) else {
        return &[];
    };
    if state.unheard_since.is_some() || silence < at {
        return &[];
    }
    let Some(activity) = state.activity.as_ref() else { return &[] };
    // After a pause of ours both limits may have passed: the graver one is what there is to say.
    let kind = if silence >= limit.alarm { AlarmKind::Inactivity } else { kind };
    let limit_s = if kind == AlarmKind::Inactivity { limit.alarm } else { at }.as_secs();
    let reason = Reason::Silent {
        last_activity: activity.wall,
        last_kind: activity.kind,
        last_room: state.room_of(activity).into(),
        silent_s: silence.as_secs(),
        limit_s,
        limit: if kind == AlarmKind::Inactivity { limit.name } else { limit.check_name }.into(),
    };
    if kind == AlarmKind::Inactivity
        && let Some(check) = state.alarm(AlarmKind::InactivityCheck)
    {
        turn.close_by_itself(check);
        turn.because("check_became_alarm");
    }
    turn.own(kind, reason);
    &[AlarmKind::Inactivity, AlarmKind::InactivityCheck]
}

impl Turn<'_> {
    /// Closes a local day that is over: what its silences say is learnt.
    pub(super) fn learn(&mut self) {
        let learnt = &self.state.learnt;
        let Some(last) = learnt.last().filter(|_| learnt.is_day_over()) else { return };
        let (midnight, tomorrow) = last.day(&self.policy.zone);
        let rules = &self.policy.rules;
        let allowance = Allowance {
            alarms: rules.inactivity_alarms_per_100_months,
            checks: rules.inactivity_checks_per_100_months,
        };
        let lesson = learnt.lesson(midnight, tomorrow, allowance, !self.policy.is_watched());
        self.change(HomeChange::Learnt(Box::new(lesson)));
    }

    /// A person looked for another reason, and all is well: what was raised for want of a sign of life is over.
    pub(super) fn is_well(&mut self, other: AlarmKind) {
        for alarm in self.state.alarms.iter().filter(|a| wants_a_sign(a) && a.kind != other) {
            self.over(alarm.kind, self.now.wall);
        }
    }

    /// Somebody stirred: whatever was raised for want of a sign of life is over.
    pub(super) fn stirred(&mut self, happened: Option<Wall>) {
        for alarm in self.state.alarms.iter().filter(|a| wants_a_sign(a)) {
            // What is told late may have been before the alarm, or long ago.
            let shows = match alarm.kind {
                AlarmKind::WelfareCheck => self.state.shows(happened, self.now),
                _ => happened.is_none_or(|then| alarm.raised.wall <= then),
            };
            if shows {
                self.over(alarm.kind, happened.unwrap_or(self.now.wall));
            }
        }
    }
}

/// Whether an alarm was raised since nobody knew how the people are.
pub(super) fn wants_a_sign(alarm: &Alarm) -> bool {
    matches!(alarm.kind, AlarmKind::Inactivity | AlarmKind::InactivityCheck)
        || matches!(alarm.reason, Reason::Unwatched { .. })
}
