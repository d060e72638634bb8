//! A silence is one only as far as somebody could have heard its end; and one that lasts becomes an alarm.

use super::Oracle;
use crate::engine::alarm::{Alarm, Reason};
use crate::engine::home::Activity;
use crate::engine::id::HomeId;
use crate::engine::kind::AlarmKind;
use crate::engine::registry::Status;
use std::collections::BTreeMap;

/// Looks are not exact: a turn a second, a link that is down a moment before we know.
const SLACK_MS: u64 = 120_000;
/// The longest limit of [`super::super::people::rules`], that of a home with only a door.
const LONGEST_MS: u64 = 6 * 3_600_000;

/// How long the site could hear its homes, and when each stirred.
#[derive(Default)]
pub(super) struct Silences {
    /// Since when the site can hear, as the world knows it; and how long it could before.
    hearing: Option<u64>,
    heard_ms: u64,
    homes: BTreeMap<u32, Stirred>,
}

/// A home's latest activity, in milliseconds of the hearing.
#[derive(Default)]
struct Stirred {
    activity: Option<Activity>,
    /// At the earliest, and at the latest: what is in between is not held against anybody.
    from: u64,
    to: u64,
    alarmed: bool,
}

impl Oracle {
    /// The site begins or ceases to hear its homes.
    pub fn hears(&mut self, hears: bool) {
        let now = self.now;
        let since = self.silences.hearing.take();
        self.silences.heard_ms += since.map_or(0, |since| now - since);
        self.silences.hearing = hears.then_some(now);
    }

    /// For how many milliseconds of the run the site could hear.
    fn heard(&self) -> u64 {
        self.silences.heard_ms + self.silences.hearing.map_or(0, |since| self.now - since)
    }

    /// After a record: who has stirred.
    pub(super) fn stirrings(&mut self) {
        let heard = self.heard();
        let mut late = None;
        for (home, slot) in (0..).zip(&self.shadow.homes) {
            let known = self.silences.homes.entry(home).or_default();
            if known.activity != slot.state.activity {
                *known = Stirred { activity: slot.state.activity.clone(), from: heard, to: heard, alarmed: false };
            }
            let watched = slot.policy.claimed && slot.policy.status == Status::Active;
            // Nobody hears a home whose hub is away.
            if !watched
                || slot.state.activity.is_none()
                || slot.state.unheard_since.is_some()
                || slot.state.frozen.is_some()
            {
                known.to = heard;
            }
            known.alarmed |= slot.state.alarm(AlarmKind::Inactivity).is_some_and(|a| a.over.is_none());
            if heard > known.to + LONGEST_MS + SLACK_MS && !known.alarmed {
                late.get_or_insert(home);
            }
        }
        self.promise(late.is_none(), || {
            format!("home {} is silent for too long, and there is no alarm", late.unwrap_or(0))
        });
    }

    /// Somebody changed what is known of a home: its silence is not held against anybody from before.
    pub(super) fn begins_anew(&mut self, home: &HomeId) {
        let heard = self.heard();
        let number = self.shadow.site.homes.iter().position(|entry| entry.id == *home);
        let known = number.and_then(|number| self.silences.homes.get_mut(&u32::try_from(number).ok()?));
        known.into_iter().for_each(|known| known.to = heard);
    }

    /// Damage took away when who stirred.
    pub(super) fn forget_stirrings(&mut self) {
        let heard = self.heard();
        for (home, slot) in (0..).zip(&self.shadow.homes) {
            let stirred = Stirred { activity: slot.state.activity.clone(), from: 0, to: heard, alarmed: false };
            self.silences.homes.insert(home, stirred);
        }
    }

    /// An alarm of silence is raised.
    pub(super) fn silence(&mut self, home: u32, alarm: &Alarm) {
        let Reason::Silent { limit_s, .. } = alarm.reason else { return };
        let heard = self.heard() - self.silences.homes.get(&home).map_or(0, |stirred| stirred.from);
        self.promise(heard + SLACK_MS >= limit_s * 1_000, || {
            format!("{} after {} s in which it could be heard: the limit is {limit_s} s", alarm.kind, heard / 1_000)
        });
    }
}
