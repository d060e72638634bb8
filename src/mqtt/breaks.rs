//! What a session learns from its breaks: how long to wait before the next attempt, whether it is flapping, and what to say about it.

use super::fault::{Fault, Report};
use std::collections::BTreeMap;
use std::mem;

/// Bounds of the wait before the next attempt to connect.
pub(super) const BACKOFF_MIN_MS: u64 = 200;
pub(super) const BACKOFF_MAX_MS: u64 = 10_000;
/// A connection that lasts this long is a good one: the next wait is short again.
pub(super) const STEADY_MS: u64 = 10_000;
/// So many accepted connections in a row that the broker closed sooner than that are flapping.
const FLAPPING: u32 = 3;
const REPORT_AGAIN_MS: u64 = 60_000;

pub(super) struct Breaks {
    failures: u32,
    flaps: u32,
    /// When each kind of break was last reported.
    told: BTreeMap<&'static str, u64>,
    /// The next success is news.
    news: bool,
}

impl Breaks {
    pub fn new() -> Breaks {
        Breaks { failures: 0, flaps: 0, told: BTreeMap::new(), news: true }
    }

    /// The last connection did not come about, or was no good one.
    pub fn failing(&self) -> bool {
        self.failures > 0
    }

    pub fn flapping(&self) -> bool {
        self.flaps >= FLAPPING
    }

    /// The connection has lasted for [`STEADY_MS`].
    pub fn steady(&mut self) {
        self.flaps = 0;
    }

    /// A connection ended after `lasted_ms` (None where it was never accepted). Gives what to report, each kind at most once a minute.
    pub fn note(&mut self, fault: &Fault, lasted_ms: Option<u64>, now: u64) -> Option<Report> {
        if lasted_ms.is_some_and(|lasted| lasted >= STEADY_MS) {
            (self.failures, self.flaps) = (0, 0);
        } else {
            self.failures = self.failures.saturating_add(1);
            self.flaps += u32::from(lasted_ms.is_some() && *fault == Fault::Closed);
        }
        let name = if self.flapping() { "flapping" } else { fault.name() };
        if self.told.get(name).is_some_and(|at| now < at + REPORT_AGAIN_MS) {
            return None;
        }
        self.told.insert(name, now);
        self.news = true;
        Some(if self.flapping() { Report::Flapping { breaks: self.flaps } } else { Report::Broken(fault.clone()) })
    }

    /// The session is up. True if that is news: at the start, and after a reported break.
    pub fn over(&mut self) -> bool {
        mem::take(&mut self.news)
    }

    /// The wait before the next attempt: [`BACKOFF_MIN_MS`] to a ceiling that doubles with each failure up to [`BACKOFF_MAX_MS`], spread
    /// evenly by `jitter`, so that gateways that lost one broker do not come back in step.
    pub fn wait_ms(&self, jitter: u32) -> u64 {
        let ceiling = ((2 * BACKOFF_MIN_MS) << self.failures.min(10)).min(BACKOFF_MAX_MS);
        BACKOFF_MIN_MS + (ceiling - BACKOFF_MIN_MS) * u64::from(jitter) / u64::from(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_their_bound_and_begin_anew_after_a_good_connection() {
        let mut breaks = Breaks::new();
        let ceilings: Vec<u64> = (0..8)
            .map(|_| {
                assert_eq!(breaks.wait_ms(0), BACKOFF_MIN_MS);
                let ceiling = breaks.wait_ms(u32::MAX);
                breaks.note(&Fault::Timeout, None, 0);
                ceiling
            })
            .collect();
        assert_eq!(ceilings, [400, 800, 1_600, 3_200, 6_400, 10_000, 10_000, 10_000]);
        breaks.note(&Fault::Closed, Some(STEADY_MS), 0);
        assert_eq!(breaks.wait_ms(u32::MAX), 400);
    }

    #[test]
    fn two_kinds_of_break_in_turns_are_still_reported_once_a_minute() {
        let mut breaks = Breaks::new();
        let faults = [Fault::Timeout, Fault::BrokerUnavailable];
        let reports = (0..120u64).filter(|s| breaks.note(&faults[(s % 2) as usize], None, s * 1000).is_some()).count();
        assert_eq!(reports, 4);
        assert!(breaks.over());
        assert!(!breaks.over());
    }
}
