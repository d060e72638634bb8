//! The only reader of time. Everything else is told what time it is.
//!
//! Two clocks are read: the boot-time clock, which runs evenly and through a suspend, and the wall clock, which people and
//! time servers move. Ticks follow the first and go on where the journal stopped; the second only tells how long we were away.

use crate::engine::time::{Millis, Tick, WALL_STEP, Wall};
use rustix::time::{ClockId, clock_gettime};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The longest downtime that is believed; more is taken for a wrong wall clock.
pub const LONGEST_DOWNTIME: Millis = Millis::from_mins(30 * 24 * 60);

/// Where time comes from. The simulator and the tests give their own.
pub trait Clock: Send + Sync {
    /// The time now. The tick never runs backwards.
    fn now(&self) -> (Tick, Wall);
}

/// The machine's own clocks.
#[derive(Debug)]
pub struct SystemClock {
    boot_at_start: Millis,
    tick_at_start: Tick,
}

/// What a start made of the time since the last journalled stamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Downtime {
    /// How long the gateway is taken to have been away.
    pub taken: Millis,
    /// Why that is not simply what the wall clock says.
    pub doubt: Option<Doubt>,
}

/// Why a downtime was not believed. Deadlines may then be early or late by the difference, so somebody has to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// The wall clock stands before the last journalled stamp, by this much.
    Backwards(Millis),
    /// The wall clock stands this far behind the last journalled stamp, beyond [`LONGEST_DOWNTIME`].
    TooLong(Millis),
}

impl SystemClock {
    /// Starts the clock: `last` is the latest stamp of the journal, none in a new one. The tick continues from there, plus
    /// the downtime as far as it is believed.
    pub fn start(last: Option<(Tick, Wall)>) -> (SystemClock, Downtime) {
        let (tick_at_start, downtime) = resume(last, wall());
        (SystemClock { boot_at_start: boot(), tick_at_start }, downtime)
    }
}

/// Where the tick of a new process begins, which finds `last` as the latest stamp of its journal and `now` on the wall clock.
pub fn resume(last: Option<(Tick, Wall)>, now: Wall) -> (Tick, Downtime) {
    let downtime = last.map_or_else(Downtime::default, |(_, before)| downtime(before, now));
    (last.map_or(Tick(0), |(tick, _)| tick) + downtime.taken, downtime)
}

impl Clock for SystemClock {
    fn now(&self) -> (Tick, Wall) {
        (self.tick_at_start + Millis(boot().0.saturating_sub(self.boot_at_start.0)), wall())
    }
}

fn downtime(before: Wall, now: Wall) -> Downtime {
    let (away, behind) = (now.since(before), before.since(now));
    match () {
        () if behind > Millis(0) => Downtime { taken: Millis(0), doubt: Some(Doubt::Backwards(behind)) },
        () if away > LONGEST_DOWNTIME => Downtime { taken: LONGEST_DOWNTIME, doubt: Some(Doubt::TooLong(away)) },
        () => Downtime { taken: away, doubt: None },
    }
}

/// Notices that the wall clock was set. Each owner of a site watches for itself.
#[derive(Debug, Clone, Default)]
pub struct StepWatch {
    /// Wall minus tick as it was at first, or after the latest step.
    offset: Option<i64>,
}

impl StepWatch {
    /// Takes each pair that [`Clock::now`] gave. Gives by how many milliseconds the wall clock was set (forward is positive),
    /// once for each step of more than [`WALL_STEP`]; smaller ones add up until they are one.
    pub fn observe(&mut self, tick: Tick, wall: Wall) -> Option<i64> {
        let offset = wall.0.saturating_sub(i64::try_from(tick.0).unwrap_or(i64::MAX));
        let step = offset.saturating_sub(*self.offset.get_or_insert(offset));
        (step.unsigned_abs() > WALL_STEP.0).then(|| {
            self.offset = Some(offset);
            step
        })
    }
}

fn boot() -> Millis {
    let time = clock_gettime(ClockId::Boottime);
    let millis = time.tv_sec.saturating_mul(1_000).saturating_add(time.tv_nsec / 1_000_000);
    Millis(u64::try_from(millis).unwrap_or(0))
}

/// The wall clock now, for what is no decision: signatures, the age of files.
pub fn wall_now() -> Wall {
    wall()
}

/// The wall clock in a form that file names may hold: `20261123T170600`.
pub fn stamp_for_names() -> String {
    wall().utc().chars().filter(|c| c.is_ascii_alphanumeric()).take(15).collect()
}

/// Asked of the C library, where a test can put another one in its place; the boot-time clock is asked of the kernel itself.
#[expect(clippy::disallowed_methods, reason = "this is the clock")]
fn wall() -> Wall {
    let millis = |time: Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => Wall(millis(since)),
        Err(before) => Wall(-millis(before.duration())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 24 * 60 * 60 * 1_000;

    #[test]
    fn downtime_is_clamped_and_says_so() {
        let table = [
            (1_000, 1_000, 0, None),
            (1_000, 61_000, 60_000, None),
            (1_000, 1_000 + 30 * DAY, 30 * DAY, None),
            (1_000, 1_001 + 30 * DAY, 30 * DAY, Some(Doubt::TooLong(Millis(30 * DAY + 1)))),
            (61_000, 1_000, 0, Some(Doubt::Backwards(Millis(60_000)))),
        ];
        for (before, now, taken, doubt) in table {
            let found = downtime(Wall(before), Wall(now as i64));
            assert_eq!(found, Downtime { taken: Millis(taken), doubt }, "from {before} to {now}");
        }
    }

    #[test]
    fn a_start_goes_on_where_the_journal_stopped() {
        let (clock, downtime) = SystemClock::start(None);
        let (tick, wall) = clock.now();
        assert_eq!(downtime, Downtime::default());
        assert!(tick < Tick(60_000), "a new journal begins near zero, not at {tick:?}");

        let (clock, downtime) = SystemClock::start(Some((Tick(5_000), Wall(wall.0 - 3_000))));
        assert!(downtime.taken >= Millis(3_000) && downtime.doubt.is_none(), "{downtime:?}");
        let (first, second) = (clock.now().0, clock.now().0);
        assert!(first >= Tick(5_000) + downtime.taken && second >= first, "{first:?} then {second:?}");
    }

    #[test]
    fn a_step_of_the_wall_clock_is_told_once() {
        let table = [
            ("the first is no step", 0, 1_000_000, None),
            ("both run on", 10_000, 1_010_000, None),
            ("two seconds are none yet", 20_000, 1_022_000, None),
            ("they add up", 30_000, 1_032_001, Some(2_001)),
            ("told only once", 40_000, 1_042_001, None),
            ("back an hour", 50_000, 1_052_001 - 3_600_000, Some(-3_600_000)),
            ("and steady", 60_000, 1_062_001 - 3_600_000, None),
        ];
        let mut watch = StepWatch::default();
        for (what, tick, wall, step) in table {
            assert_eq!(watch.observe(Tick(tick), Wall(wall)), step, "{what}");
        }
        assert_eq!(StepWatch::default().observe(Tick(u64::MAX), Wall(i64::MIN)), None);
    }
}
