//! The first inactivity detector: the plan's fixed cap on the silence of a home, and a quiet check at a share of it. Silence counts
//! only while the home is heard.

use super::Turn;
use super::alarms::Cause;
use super::state::{Activity, DeviceState, State};
use crate::engine::alarm::{Attention, Reason};
use crate::engine::kind::AlarmKind;
use crate::engine::policy::{HomePolicy, Rules};
use crate::engine::registry::Status;
use crate::engine::time::{Millis, Stamp, Tick, Wall};

/// How long a silence may last, and which rule says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    pub alarm: Millis,
    /// None where checks are switched off.
    pub check: Option<Millis>,
    pub name: &'static str,
}

/// The limit of the silence that began with `activity`.
pub fn limit(policy: &HomePolicy, state: &State, activity: &Activity) -> Limit {
    let rules = &policy.rules;
    let (alarm_s, name) = if has_only_a_door(state) {
        (rules.inactivity_door_only_cap_s, "door_only_cap")
    } else if in_night(rules, activity.wall, &policy.zone) {
        (rules.inactivity_night_cap_s, "night_cap")
    } else {
        (rules.inactivity_cap_s, "cap")
    };
    let check_ms = u64::from(alarm_s) * 10 * u64::from(rules.inactivity_check_percent);
    Limit { alarm: Millis::from_secs(alarm_s.into()), check: (check_ms > 0).then_some(Millis(check_ms)), name }
}

/// Whether all that we hear of the people is the entrance door: contacts on cupboards and inner doors tell far more.
fn has_only_a_door(state: &State) -> bool {
    let mut telling = state.devices.iter().filter(|d| d.tells_activity);
    let count = telling.clone().count();
    let entrance = |d: &DeviceState| d.only_door && (&*d.room == "entrance" || count == 1);
    count > 0 && telling.all(entrance)
}

fn in_night(rules: &Rules, at: Wall, zone: &jiff::tz::TimeZone) -> bool {
    let local = at.zoned(zone);
    let minute = u32::from(local.hour() as u8) * 60 + u32::from(local.minute() as u8);
    let (from, to) = (rules.night_from_min, rules.night_to_min);
    if from <= to { (from..to).contains(&minute) } else { minute >= from || minute < to }
}

/// What the present silence has not yet brought about: its kind and limit.
fn pending(policy: &HomePolicy, state: &State) -> Option<(AlarmKind, Millis, Limit)> {
    if !policy.claimed || policy.status != Status::Active || state.frozen.is_some() {
        return None;
    }
    let limit = limit(policy, state, state.activity.as_ref()?);
    // Once it is over, or a person was found safe, the next silence is another one.
    let open = |kind| state.alarm(kind).is_some_and(|a| a.over.is_none() && a.safe.is_none());
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
    let device = activity.kind.and(state.devices.get(activity.device as usize));
    let reason = Reason::Silent {
        last_activity: activity.wall,
        last_kind: activity.kind,
        last_room: device.map_or("".into(), |d| d.room.clone()),
        silent_s: silence.as_secs(),
        limit_s,
        limit: limit.name.into(),
    };
    if kind == AlarmKind::Inactivity
        && let Some(check) = state.alarm(AlarmKind::InactivityCheck)
    {
        turn.close_by_itself(check);
        turn.because("check_became_alarm");
    }
    let reopened = state.alarm(kind);
    turn.press(Cause { kind, reason, happened: turn.now.wall, age_unknown: false, merged: false });
    // A silence after the one that was over is a new need.
    if let Some(alarm) = reopened.filter(|a| matches!(a.attention, Attention::Taken { .. })) {
        turn.climb_from_the_start(alarm, Millis(0));
    }
    &[AlarmKind::Inactivity, AlarmKind::InactivityCheck]
}

impl Turn<'_> {
    /// A person looked for another reason, and all is well: what was raised for the silence is over.
    pub(super) fn is_well(&mut self, other: AlarmKind) {
        for kind in [AlarmKind::Inactivity, AlarmKind::InactivityCheck].into_iter().filter(|k| *k != other) {
            self.over(kind, self.now.wall);
        }
    }

    /// Somebody stirred: whatever was raised for the silence is over.
    pub(super) fn stirred(&mut self, happened: Option<Wall>) {
        for kind in [AlarmKind::Inactivity, AlarmKind::InactivityCheck] {
            // What is told late may have been before the alarm.
            if self.state.alarm(kind).is_some_and(|a| happened.is_none_or(|then| a.raised.wall <= then)) {
                self.over(kind, happened.unwrap_or(self.now.wall));
            }
        }
    }
}
