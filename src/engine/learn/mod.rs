//! What a home's own past says of its silences: how long one that begins at this time of day may last.
//!
//! Reading order: [`library`] (the silences of the last weeks, three bytes each), [`rhythm`] (what they say of the hours of the day),
//! [`price`] (what it costs to go on waiting), [`tail`] (which price keeps the allowance of false alarms). [`Learnt::lesson`] puts them
//! together once a day, at the second activity after local midnight, so that no home wakes for it; what it finds is a change, and
//! decisions read only that. Never learnt from: what nobody could hear, more than twenty hours, and what turned out an emergency.

pub mod library;
mod price;
mod rhythm;
mod stays;
mod tail;
#[cfg(test)]
mod tests;

use super::time::{Millis, Tick, Wall};
use library::{Library, Silence};
use minicbor::{Decode, Encode};
use rhythm::Rhythm;

/// Which way of learning made the limits.
pub const VERSION: u8 = 3;

/// The day in parts of ten minutes: what begins within one has the same limit.
pub const SLOTS: usize = 144;
const SLOT_MS: i64 = 600_000;
/// Limits and lengths are told in steps of five minutes.
pub const STEP: Millis = Millis::from_mins(5);

/// Shorter silences are no news in any home.
const SHORTEST: Millis = Millis::from_mins(30);
/// Shorter outings are none.
const SHORTEST_OUTING: Millis = Millis::from_mins(15);
/// Longer than this nobody stays away from every sensor of an own home: the recording stopped, or the people left.
const LONGEST: Millis = Millis::from_mins(20 * 60);
const DAY: Millis = Millis::from_mins(24 * 60);
/// Clocks change in the first hours of a day: what is later is told by the midnight after it.
const CLOCKS_CHANGE: Millis = Millis::from_mins(4 * 60);
/// By so much the clock of hearing may differ from the wall clock in a silence that was heard throughout.
const DEAF: Millis = Millis::from_mins(1);

/// How many false alarms a home may have a month, in hundredths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    pub alarms: u32,
    pub checks: u32,
}

/// What decisions read of all that was learnt.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub struct Limits {
    #[n(0)]
    pub version: u8,
    /// Days with activity that they rest on.
    #[n(1)]
    pub days: u8,
    /// For a silence that begins in this part of the day: the alarm, in steps of five minutes; 255: never by itself.
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    pub alarm: Vec<u8>,
    /// The same for the quiet check.
    #[n(3)]
    #[cbor(with = "minicbor::bytes")]
    pub check: Vec<u8>,
    /// The outing that nineteen of twenty do not exceed, and the longest, in steps of five minutes; 0 where there were too few.
    #[n(4)]
    pub usual_outing: u8,
    #[n(5)]
    pub longest_outing: u8,
    /// By when somebody is up on nineteen of twenty mornings, in parts of ten minutes; 0 where too few are known.
    #[n(6)]
    #[cbor(default)]
    pub rises: u8,
    /// The longest stay in the bathroom of the last eight weeks, in steps of five minutes.
    #[n(7)]
    #[cbor(default)]
    pub longest_stay: u8,
}

impl Limits {
    /// The alarm's limit of a silence that begins in this part of the day.
    pub fn alarm_after(&self, slot: usize) -> Option<Millis> {
        steps(*self.alarm.get(slot)?)
    }

    /// The quiet check's limit.
    pub fn check_after(&self, slot: usize) -> Option<Millis> {
        steps(*self.check.get(slot)?)
    }

    /// What nineteen of twenty outings do not exceed.
    pub fn usual(&self) -> Option<Millis> {
        (self.usual_outing > 0).then(|| Millis(STEP.0 * u64::from(self.usual_outing)))
    }

    /// The minute of the day by which somebody is up on nineteen of twenty mornings.
    pub fn rises(&self) -> Option<u32> {
        (self.rises > 0).then(|| u32::from(self.rises) * (SLOT_MS / 60_000) as u32)
    }

    /// The longest stay in the bathroom that turned out well.
    pub fn longest_stay(&self) -> Millis {
        Millis(STEP.0 * u64::from(self.longest_stay))
    }

    /// The longest outing.
    pub fn longest(&self) -> Millis {
        Millis(STEP.0 * u64::from(self.longest_outing))
    }
}

fn steps(n: u8) -> Option<Millis> {
    (n < u8::MAX).then(|| Millis(STEP.0 * u64::from(n)))
}

/// What the close of a day comes to; the one change by which a home learns.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Lesson {
    /// The local day that has begun: its start and its end.
    #[n(0)]
    pub midnight: Wall,
    #[n(1)]
    pub tomorrow: Wall,
    /// How surprising each silence of the past day was, as things were then; hundredths.
    #[n(2)]
    pub scores: Vec<i16>,
    #[n(3)]
    pub limits: Limits,
    /// The past day is not learnt from: the home was not watched.
    #[n(4)]
    pub skipped: bool,
}

/// The last activity of a person, as the beginning of a silence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
struct Since {
    #[n(0)]
    wall: Wall,
    #[n(1)]
    heard: Tick,
    #[n(2)]
    out: bool,
    /// Something of it was not heard, or was an emergency.
    #[n(3)]
    broken: bool,
    /// Since when all that stirs does so in the bathroom.
    #[n(4)]
    bathroom: Option<Tick>,
}

/// All that a home remembers of its past.
#[derive(Debug, Clone, PartialEq, Default, Encode, Decode)]
pub struct Learnt {
    #[n(0)]
    pub limits: Limits,
    #[n(1)]
    midnight: Wall,
    #[n(2)]
    tomorrow: Wall,
    #[n(3)]
    since: Option<Since>,
    #[n(4)]
    library: Library,
    /// Silences that ended on the day under way.
    #[n(5)]
    today: Library,
    /// The most surprising silences of each week.
    #[n(6)]
    scores: tail::Scores,
    /// Days with activity: bit 0 is the last that was closed.
    #[n(7)]
    seen: tail::Days,
    #[n(8)]
    #[cbor(default)]
    stays: stays::Stays,
}

impl Learnt {
    /// Whether the day under way is over: the last activity was after its end.
    pub fn is_day_over(&self) -> bool {
        self.since.is_some_and(|since| since.wall >= self.tomorrow)
    }

    /// The last activity of a person.
    pub fn last(&self) -> Option<Wall> {
        self.since.map(|since| since.wall)
    }

    /// Which part of the day a time is in, by the midnights that are known.
    pub fn slot(&self, at: Wall) -> usize {
        let early = at < self.midnight + CLOCKS_CHANGE;
        let since = at.0.saturating_sub(if early { self.midnight.0 } else { self.tomorrow.0 });
        since.div_euclid(SLOT_MS).rem_euclid(SLOTS as i64) as usize
    }

    /// Minutes of the local day, where `at` lies in the day under way, and its wall clock can be told by its midnights alone.
    pub fn minute(&self, at: Wall) -> Option<u32> {
        let usual = self.tomorrow.since(self.midnight) == DAY;
        let tells = if usual { self.midnight } else { self.midnight + CLOCKS_CHANGE };
        (tells <= at && at < self.tomorrow).then(|| (DAY.0 as i64 - (self.tomorrow.0 - at.0)) as u32 / 60_000)
    }

    /// Somebody stirred. `out` is whether they seem to have left with it, `bathroom` whether they are in the bathroom.
    pub(super) fn stirred(&mut self, wall: Wall, heard: Tick, out: bool, bathroom: bool) {
        let stay = self.since.filter(|before| !before.broken).and_then(|before| before.bathroom);
        let since = Since { wall, heard, out, broken: false, bathroom: bathroom.then(|| stay.unwrap_or(heard)) };
        let Some(before) = self.since.replace(since) else { return };
        let (lasted, by_wall) = (heard.since(before.heard), wall.since(before.wall));
        if let Some(from) = stay.filter(|_| !bathroom && lasted <= LONGEST) {
            self.stays.push(heard.since(from));
        }
        let shortest = if before.out { SHORTEST_OUTING } else { SHORTEST };
        if lasted < shortest {
            return;
        }
        let heard_throughout = !before.broken && by_wall.0.abs_diff(lasted.0) <= DEAF.0;
        let silence = match heard_throughout && lasted <= LONGEST {
            true if before.out => Silence::outing(self.slot(before.wall), lasted),
            true => Silence::at_home(self.slot(before.wall), lasted),
            false => Silence::unknown(self.slot(before.wall), by_wall.max(lasted)),
        };
        self.today.push(0, silence);
    }

    /// The present silence teaches nothing.
    pub(super) fn is_no_example(&mut self) {
        if let Some(since) = &mut self.since {
            since.broken = true;
        }
        self.stays.forget_today();
    }

    /// What the day that is over comes to; `midnight` and `tomorrow` are of the day that has begun.
    pub fn lesson(&self, midnight: Wall, tomorrow: Wall, allowance: Allowance, skipped: bool) -> Lesson {
        let mut next = self.clone();
        let scores = match skipped {
            true => Vec::new(),
            false => {
                let known = Rhythm::of(&self.library, &self.seen);
                let mut surprise = [0.0; price::AGES + 1];
                let of = |silence: Silence| {
                    price::scores(&known, silence.slot(), &mut surprise);
                    tail::hundredths(price::at(&surprise, silence.lasted()))
                };
                self.today.iter().map(|(_, s)| s).filter(|s| s.is_at_home()).map(of).collect()
            }
        };
        let mut lesson = Lesson { midnight, tomorrow, scores, limits: Limits::default(), skipped };
        next.fold(&lesson);
        lesson.limits = next.limits_for(allowance);
        lesson
    }

    /// Takes the lesson of a day in.
    pub(super) fn fold(&mut self, lesson: &Lesson) {
        let days = (lesson.midnight.since(self.midnight).0 + 43_200_000) / 86_400_000;
        let first = self.tomorrow == Wall::default();
        let today = std::mem::take(&mut self.today);
        if !first {
            self.library.age(days);
            self.scores.age(days);
            self.seen.age(days, !lesson.skipped);
            self.stays.age(days, !lesson.skipped);
            if !lesson.skipped {
                today.iter().for_each(|(_, silence)| self.library.push(days as u8, silence));
                lesson.scores.iter().for_each(|score| self.scores.push(*score));
            }
        }
        (self.midnight, self.tomorrow) = (lesson.midnight, lesson.tomorrow);
        self.limits = lesson.limits.clone();
    }

    fn limits_for(&self, allowance: Allowance) -> Limits {
        let days = self.seen.count();
        let rhythm = Rhythm::of(&self.library, &self.seen);
        let threshold = |hundredths| self.scores.threshold(f64::from(hundredths) / 100.0, days, rhythm.longest_s);
        let (alarm, check) = (threshold(allowance.alarms), threshold(allowance.checks));
        let mut surprise = [0.0; price::AGES + 1];
        let mut limits = Limits { version: VERSION, days: days as u8, ..Limits::default() };
        for slot in 0..SLOTS {
            price::scores(&rhythm, slot, &mut surprise);
            limits.alarm.push(price::limit(&surprise, alarm));
            limits.check.push(price::limit(&surprise, check));
        }
        (limits.usual_outing, limits.longest_outing) = self.library.outings();
        limits.rises = self.library.rises();
        limits.longest_stay = self.stays.longest();
        limits
    }
}
