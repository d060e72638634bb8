//! What others get to see of an alarm: the one JSON shape of webhooks, API, events and console.

use super::alarm::{Alarm, Attention, Progress, Reason, Safe};
use super::id::{AlarmId, HomeId, ResponderId, SiteId};
use super::kind::{AlarmKind, Priority};
use super::policy::{ResolvedLadder, ResolvedRung, Rules};
use super::time::{Stamp, Tick, Wall};
use serde::{Serialize, Serializer};

/// Writes a wall time as RFC 3339 in UTC.
pub fn utc<S: Serializer>(wall: &Wall, s: S) -> Result<S::Ok, S::Error> {
    s.serialize_str(&wall.utc())
}

/// The same, or null.
pub fn utc_or_null<S: Serializer>(wall: &Option<Wall>, s: S) -> Result<S::Ok, S::Error> {
    wall.map(|wall| wall.utc()).serialize(s)
}

/// Somebody has it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SeenView {
    pub by: ResponderId,
    #[serde(serialize_with = "utc")]
    pub at: Wall,
    #[serde(serialize_with = "utc")]
    pub until: Wall,
    pub how: Progress,
}

/// The condition ended.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OverView {
    #[serde(serialize_with = "utc")]
    pub at: Wall,
}

/// An alarm as the contract shows it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AlarmView {
    pub id: AlarmId,
    pub revision: u32,
    pub kind: AlarmKind,
    pub priority: Priority,
    #[serde(serialize_with = "utc")]
    pub raised_at: Wall,
    #[serde(serialize_with = "utc")]
    pub happened_at: Wall,
    pub age_unknown: bool,
    pub late_by_s: u64,
    pub events: u32,
    #[serde(serialize_with = "utc")]
    pub last_event_at: Wall,
    pub reason: Reason,
    pub seen: Option<SeenView>,
    pub over: Option<OverView>,
    pub safe: Option<Safe>,
    /// Calls to the resident that nobody answered.
    pub unanswered: u32,
    /// How often somebody stood before the door and could not get in.
    pub no_access: u32,
    /// Who had it before and did not finish.
    pub last_taker: Option<ResponderId>,
}

/// The home as anybody may see it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HomeView {
    pub id: HomeId,
    pub site: SiteId,
    pub claimed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub community: Option<Box<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub block: Option<Box<str>>,
}

/// By when somebody is to be at the door of whoever calls for help; of an alarm for which nobody is there yet.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ArrivalView {
    #[serde(serialize_with = "utc_or_null")]
    pub goal_at: Option<Wall>,
    /// When everybody is told again, whoever has taken it.
    #[serde(serialize_with = "utc_or_null")]
    pub breach_at: Option<Wall>,
}

/// What happens if nobody acts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NextView {
    #[serde(serialize_with = "utc")]
    pub at: Wall,
    /// The name of the rung that is told then.
    pub to: Box<str>,
}

fn wall_of(deadline: Tick, now: Stamp) -> Wall {
    now.wall + deadline.since(now.tick)
}

impl AlarmView {
    pub fn of(alarm: &Alarm, now: Stamp) -> AlarmView {
        let seen = match &alarm.attention {
            Attention::Taken { by, at, until, progress } => {
                Some(SeenView { by: by.clone(), at: *at, until: wall_of(*until, now), how: *progress })
            }
            _ => None,
        };
        AlarmView {
            id: alarm.id.clone(),
            revision: alarm.revision,
            kind: alarm.kind,
            priority: alarm.priority(),
            raised_at: alarm.raised.wall,
            happened_at: alarm.happened,
            age_unknown: alarm.age_unknown,
            late_by_s: alarm.late_by.as_secs().max(alarm.raised.wall.since(alarm.happened).as_secs()),
            events: alarm.events,
            last_event_at: alarm.last_event.wall,
            reason: alarm.reason.clone(),
            seen,
            over: alarm.over.map(|at| OverView { at }),
            safe: alarm.safe.clone(),
            unanswered: alarm.unanswered,
            no_access: alarm.no_access,
            last_taker: alarm.last_taker.clone(),
        }
    }
}

impl ArrivalView {
    /// None where nobody needs to come, or somebody is there.
    pub fn of(alarm: &Alarm, rules: &Rules, now: Stamp) -> Option<ArrivalView> {
        let there = matches!(alarm.attention, Attention::Settled | Attention::Taken { progress: Progress::OnSite, .. });
        let wall = |tick| now.wall_at(tick);
        let (goal_at, breach_at) = (alarm.on_site_goal(rules).map(wall), alarm.nobody_on_site_at(rules).map(wall));
        (!there && (goal_at.is_some() || breach_at.is_some())).then_some(ArrivalView { goal_at, breach_at })
    }
}

impl NextView {
    /// What comes next for an alarm nobody or somebody has; none once it is settled.
    pub fn of(alarm: &Alarm, ladder: &ResolvedLadder, now: Stamp) -> Option<NextView> {
        let at = wall_of(alarm.deadline()?, now);
        let rungs = &ladder.rungs;
        let from = match alarm.attention {
            Attention::Calling { rung, .. } => rung as usize,
            _ => 0,
        };
        // The next rung that reaches somebody then; behind the last of them, that one again.
        let reaching = |r: &&ResolvedRung| r.reaches_somebody(at);
        let next = rungs.iter().skip(from).find(reaching).or_else(|| rungs.iter().rev().find(reaching));
        Some(NextView { at, to: next.map_or("console".into(), |r| r.name.clone()) })
    }
}
