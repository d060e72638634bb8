//! Why a home alarms at a time, or why it does not: what the decisions of that moment rest on, in the order in which they are made. A view;
//! nothing is decided here.

use super::state::State;
use super::suppression::{SuppressionView, absence};
use super::{coverage, routine, silence};
use crate::engine::alarm::Alarm;
use crate::engine::id::AlarmId;
use crate::engine::kind::{AlarmKind, Kind};
use crate::engine::policy::HomePolicy;
use crate::engine::time::{Stamp, Tick, Wall};
use crate::engine::view::{utc, utc_or_null};
use serde::Serialize;

/// The one reason why there is no alarm of silence, or that there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Nobody registered the home: only what its devices say counts.
    NotRegistered,
    /// Nobody is to be asked about its silence: paused, moved away, deceased.
    NotWatched,
    /// Its people are said to be away or in hospital: nobody is told of its silence.
    Suppressed,
    /// Its decisions have failed; a `welfare_check` asks for a look.
    Frozen,
    /// The site itself hears nothing.
    SiteDeaf,
    /// The home cannot be heard: its silence does not grow.
    Unheard,
    /// Nobody has stirred there yet, and its watch has just begun.
    NothingKnown,
    /// The alarm is open.
    AlarmOpen,
    /// The quiet check is open, the alarm's limit not reached.
    CheckOpen,
    /// The silence is shorter than its limit.
    BelowLimit,
}

/// The last sign of life.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LastActivity {
    #[serde(serialize_with = "utc")]
    pub at: Wall,
    /// Null: the beginning of the watch, or the word of a person who looked.
    pub kind: Option<Kind>,
    pub room: Box<str>,
}

/// What the present silence may come to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Silence {
    /// Counting only while the home was heard.
    pub silent_s: u64,
    pub alarm_limit_s: u64,
    /// Which rule set it: cap, night_cap, door_only_cap, few_signs_cap, learnt, outing.
    pub alarm_rule: &'static str,
    /// Null where checks are switched off.
    pub check_limit_s: Option<u64>,
    pub check_rule: &'static str,
    /// When the next of the two comes, if nothing is heard until then.
    #[serde(serialize_with = "utc_or_null")]
    pub next_at: Option<Wall>,
}

/// A rule of the day whose condition holds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Holding {
    pub kind: AlarmKind,
    #[serde(serialize_with = "utc")]
    pub since: Wall,
    pub lasted_s: u64,
    pub limit_s: u64,
    /// It has asked for this episode already.
    pub asked: bool,
}

/// All that a home's alarms of judgement rest on at a time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    #[serde(serialize_with = "utc")]
    pub at: Wall,
    pub verdict: Verdict,
    pub last_activity: Option<LastActivity>,
    /// They seem to have left by the entrance door.
    pub out: bool,
    pub silence: Option<Silence>,
    /// Days with activity that the learnt limits rest on.
    pub learnt_days: u8,
    /// Since when the home cannot be heard.
    #[serde(serialize_with = "utc_or_null")]
    pub unheard_since: Option<Wall>,
    /// It stands on the list of those to look after.
    pub to_look_after: Option<coverage::LookView>,
    pub sos_cover: bool,
    /// Why its silence tells little.
    pub weak: Option<silence::Weak>,
    pub rules: Vec<Holding>,
    pub suppressions: Vec<SuppressionView>,
    pub open: Vec<(AlarmKind, AlarmId)>,
}

/// Explains the home as it stands; `deaf` is whether its site hears nothing.
pub fn explain(policy: &HomePolicy, state: &State, now: Stamp, deaf: bool) -> Explanation {
    let of_hearing = |at: Tick| now.before(now.heard.since(at)).wall;
    let last_activity = state.activity.as_ref().map(|activity| LastActivity {
        at: activity.wall,
        kind: activity.kind,
        room: state.room_of(activity).into(),
    });
    let silence = state.activity.as_ref().map(|activity| {
        let limit = silence::limit(policy, state, activity);
        Silence {
            silent_s: state.silence(now).map_or(0, |silence| silence.as_secs()),
            alarm_limit_s: limit.alarm.as_secs(),
            alarm_rule: limit.name,
            check_limit_s: limit.check.map(|check| check.as_secs()),
            check_rule: limit.check_name,
            next_at: silence::next(policy, state, now).filter(|_| !deaf).map(|at| now.wall_at(at)),
        }
    });
    Explanation {
        at: now.wall,
        verdict: verdict(policy, state, now, deaf),
        last_activity,
        out: state.presence.has_left(),
        silence,
        learnt_days: state.learnt.limits.days,
        unheard_since: state.unheard_since.map(of_hearing),
        to_look_after: coverage::view(policy, state, now),
        sos_cover: state.has_sos_cover(now),
        weak: silence::weak(policy, state),
        rules: routine::holding(policy, state, now),
        suppressions: state.suppressions.iter().map(|s| s.view(now)).collect(),
        open: state.alarms.iter().map(|alarm| (alarm.kind, alarm.id.clone())).collect(),
    }
}

fn verdict(policy: &HomePolicy, state: &State, now: Stamp, deaf: bool) -> Verdict {
    let open = |kind| state.alarm(kind).is_some_and(Alarm::lasts);
    match () {
        () if !policy.claimed => Verdict::NotRegistered,
        () if !policy.is_watched() => Verdict::NotWatched,
        () if state.frozen.is_some() => Verdict::Frozen,
        () if absence(state, now).is_some() => Verdict::Suppressed,
        () if open(AlarmKind::Inactivity) => Verdict::AlarmOpen,
        () if deaf => Verdict::SiteDeaf,
        () if state.unheard_since.is_some() => Verdict::Unheard,
        () if state.activity.is_none() => Verdict::NothingKnown,
        () if open(AlarmKind::InactivityCheck) => Verdict::CheckOpen,
        () => Verdict::BelowLimit,
    }
}
