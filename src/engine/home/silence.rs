//! The inactivity detector: how long this home's silence may last by its own past, never longer than the plan's cap; a quiet check
//! before it. Silence counts only while the home is heard. What the past says is made in [`crate::engine::learn`].

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
/// Whoever has left is given this much of the longest outing that is known, within the plan's bounds.
const OUT_PERCENT: u64 = 125;
/// Who has just left is not asked after, however late it is.
const OUT_AT_LEAST: Millis = Millis::from_mins(60);

/// How long a silence may last, and which rule says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    pub alarm: Millis,
    /// None where checks are switched off.
    pub check: Option<Millis>,
    /// Which rule set the alarm's limit, and which the check's.
    pub name: &'static str,
    pub check_name: &'static str,
}

/// The limit of the silence that began with `activity`.
pub fn limit(policy: &HomePolicy, state: &State, activity: &Activity) -> Limit {
    let rules = &policy.rules;
    let (cap_s, name) = if has_only_a_door(state) {
        (rules.inactivity_door_only_cap_s, "door_only_cap")
    } else if within(minute_of(policy, state, activity.wall), rules.night_from_min, rules.night_to_min) {
        (rules.inactivity_night_cap_s, "night_cap")
    } else {
        (rules.inactivity_cap_s, "cap")
    };
    let checks = rules.inactivity_check_percent > 0;
    let check = checks.then(|| Millis(u64::from(cap_s) * 10 * u64::from(rules.inactivity_check_percent)));
    let limit = Limit { alarm: Millis::from_secs(cap_s.into()), check, name, check_name: name };
    if name == "door_only_cap" {
        limit
    } else if activity.kind.is_some() && state.presence.out {
        outing(policy, state, activity, limit)
    } else {
        learnt(rules, state, activity, limit)
    }
}

/// What was learnt, within the cap.
fn learnt(rules: &Rules, state: &State, activity: &Activity, mut limit: Limit) -> Limit {
    let (learnt, slot) = (&state.learnt.limits, state.learnt.slot(activity.wall));
    let settled = u32::from(learnt.days) >= rules.inactivity_settling_days;
    if let Some(alarm) = learnt
        .alarm_after(slot)
        .filter(|alarm| settled && rules.inactivity_alarms_per_100_months > 0 && *alarm < limit.alarm)
    {
        (limit.alarm, limit.name) = (alarm, "learnt");
    }
    if let (Some(known), Some(check)) = (limit.check, learnt.check_after(slot).filter(|_| learnt.days >= FIRST_DAYS))
        && rules.inactivity_checks_per_100_months > 0
        && check < known
    {
        (limit.check, limit.check_name) = (Some(check), "learnt");
    }
    limit
}

/// Whoever has left is asked after at the first of: what is usual of their outings and some time; a number of hours; the evening. The
/// ladder comes when they have been gone for longer than ever.
fn outing(policy: &HomePolicy, state: &State, activity: &Activity, mut limit: Limit) -> Limit {
    let (rules, learnt) = (&policy.rules, &state.learnt.limits);
    let longest = Millis(learnt.longest().0 * OUT_PERCENT / 100);
    let (earliest, cap) = (Millis::from_secs(rules.out_earliest_s.into()), Millis::from_secs(rules.out_cap_s.into()));
    (limit.alarm, limit.name) = (longest.max(earliest).min(cap), "outing");
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
    /// By day, too, they are silent for so long that the caps decide: more sensors would be needed.
    FewSigns,
}

/// The parts of the day from 08:00 to 20:00.
const BY_DAY: std::ops::Range<usize> = SLOTS * 8 / 24..SLOTS * 20 / 24;

/// What weakens the watch over a home, as far as its devices and its past tell.
pub fn weak(policy: &HomePolicy, state: &State) -> Option<Weak> {
    let (rules, learnt) = (&policy.rules, &state.learnt.limits);
    let cap = Millis::from_secs(rules.inactivity_cap_s.into());
    let capped = |slot: &usize| learnt.alarm_after(*slot).is_none_or(|alarm| alarm >= cap);
    let settled =
        u32::from(learnt.days) >= rules.inactivity_settling_days && rules.inactivity_alarms_per_100_months > 0;
    match () {
        () if has_only_a_door(state) => Some(Weak::OnlyDoor),
        () if settled && BY_DAY.filter(capped).count() * 2 > BY_DAY.len() => Some(Weak::FewSigns),
        () => None,
    }
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
