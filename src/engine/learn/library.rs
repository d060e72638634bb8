//! The silences of the last weeks: three bytes each, and so many that a busy home has six weeks of them.

use super::{SLOTS, STEP};
use crate::engine::time::Millis;
use minicbor::{Decode, Encode};

/// The most silences that are kept; the oldest day goes first.
const MOST: usize = 400;
/// The oldest that count, days.
pub const DAYS: u8 = 91;
/// Outings of which the usual is told.
const ENOUGH_OUTINGS: usize = 5;

/// A night's silence begins after 18:00, if before midnight, and reaches over 04:00. So many are needed, of the last so many days.
const NIGHT_FROM: usize = 108;
const NIGHT_ENDS: i32 = 24;
const ENOUGH_NIGHTS: usize = 7;
const NIGHTS: u8 = 28;

/// A silence that is over: where in the day it began, how long it lasted in steps of five minutes, and what it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Silence {
    slot: u8,
    steps: u8,
    what: What,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    AtHome,
    /// It began at the entrance door.
    Outing,
    /// Not heard throughout, or too long: nobody knows.
    Unknown,
}

impl Silence {
    fn new(slot: usize, lasted: Millis, what: What) -> Silence {
        Silence { slot: (slot % SLOTS) as u8, steps: (lasted.0 / STEP.0).min(250) as u8, what }
    }

    pub fn at_home(slot: usize, lasted: Millis) -> Silence {
        Silence::new(slot, lasted, What::AtHome)
    }

    pub fn outing(slot: usize, lasted: Millis) -> Silence {
        Silence::new(slot, lasted, What::Outing)
    }

    pub fn unknown(slot: usize, lasted: Millis) -> Silence {
        Silence::new(slot, lasted, What::Unknown)
    }

    pub fn slot(self) -> usize {
        usize::from(self.slot) % SLOTS
    }

    pub fn lasted(self) -> Millis {
        Millis(STEP.0 * u64::from(self.steps))
    }

    /// Parts of the day that it reached over, rounded.
    pub fn slots(self) -> usize {
        usize::from(self.steps).div_ceil(2)
    }

    pub fn is_at_home(self) -> bool {
        self.what == What::AtHome
    }
}

/// Silences, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(transparent)]
pub struct Library(
    /// Age in days and what it was in one byte, slot, steps.
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    Vec<u8>,
);

/// Outings have this added to their age, what is unknown twice this: ages end at 91.
const KIND: u8 = 100;

impl Library {
    /// Adds a silence of the day `age` days ago.
    pub fn push(&mut self, age: u8, silence: Silence) {
        if self.0.len() >= MOST * 3 {
            let oldest = self.0[0] % KIND;
            let rest = self.0.chunks_exact(3).position(|entry| entry[0] % KIND != oldest);
            self.0.drain(..rest.map_or(self.0.len(), |n| n * 3));
        }
        let kind = match silence.what {
            What::AtHome => 0,
            What::Outing => KIND,
            What::Unknown => 2 * KIND,
        };
        if age < DAYS && u16::from(kind) + u16::from(age) < 256 {
            self.0.extend_from_slice(&[kind + age, silence.slot, silence.steps]);
        }
    }

    /// So many days have passed.
    pub fn age(&mut self, days: u64) {
        let days = days.min(255) as u16;
        let old = std::mem::take(&mut self.0);
        for entry in old.chunks_exact(3) {
            let (kind, age) = (entry[0] / KIND, u16::from(entry[0] % KIND) + days);
            // What nobody knows matters less, and its ages end where the byte does.
            let oldest = if kind == 2 { 256 - 2 * u16::from(KIND) } else { u16::from(DAYS) };
            if age < oldest {
                self.0.extend_from_slice(&[kind * KIND + age as u8, entry[1], entry[2]]);
            }
        }
    }

    /// The silences with their ages in days.
    pub fn iter(&self) -> impl Iterator<Item = (u8, Silence)> + Clone {
        self.0.chunks_exact(3).map(|entry| {
            let what = [What::AtHome, What::Outing, What::Unknown][usize::from(entry[0] / KIND).min(2)];
            (entry[0] % KIND, Silence { slot: entry[1], steps: entry[2], what })
        })
    }

    /// The age of the oldest day that is whole: where the shelf was full, only the newer days are.
    pub fn reaches(&self) -> u8 {
        if self.0.len() + 3 * 40 < MOST * 3 { DAYS } else { self.0.first().map_or(DAYS, |first| first % KIND) }
    }

    /// The part of the day by which nineteen of twenty nights have ended: silences that reach over four o'clock. 0 where there were too
    /// few.
    pub fn rises(&self) -> u8 {
        let night = |(age, silence): (u8, Silence)| {
            let from = silence.slot() as i32 - if silence.slot() >= NIGHT_FROM { SLOTS as i32 } else { 0 };
            let until = from + silence.slots() as i32;
            let over = silence.is_at_home() && age < NIGHTS && from < NIGHT_ENDS && until > NIGHT_ENDS;
            over.then_some(until.clamp(0, SLOTS as i32 - 1) as u8)
        };
        let mut ends: Vec<u8> = self.iter().filter_map(night).collect();
        ends.sort_unstable();
        if ends.len() < ENOUGH_NIGHTS { 0 } else { ends[(ends.len() * 19).div_ceil(20) - 1] }
    }

    /// The outing that nineteen of twenty do not exceed (0 where there were too few), and the longest, in steps.
    pub fn outings(&self) -> (u8, u8) {
        let outings = self.iter().filter(|(_, s)| s.what == What::Outing);
        let mut steps: Vec<u8> = outings.map(|(_, s)| s.steps).collect();
        steps.sort_unstable();
        let usual = (steps.len() >= ENOUGH_OUTINGS).then(|| steps[(steps.len() * 19).div_ceil(20) - 1]);
        (usual.unwrap_or(0), steps.last().copied().unwrap_or(0))
    }
}
