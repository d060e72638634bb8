//! Which surprise is so rare in this home that the allowance of false alarms is kept: the tail of its own silences, and while they are
//! few, that of homes in general.

use minicbor::{Decode, Encode};

/// Days that are looked back on: those of the library.
const DAYS: u32 = super::library::DAYS as u32;
/// Of each week so many silences are kept.
const A_WEEK: usize = 6;
/// The largest scores whose mean tells how the tail goes on.
const TAIL: usize = 10;
/// How far what is foretold from a home's tail is trusted: its variance counts against how far the tails of homes differ from what is
/// usual of their kind. Both were measured on the fleet's lives: from one quarter of a year to the next the score of one home varies by what
/// a tail of independent values would (0.70 at one false alarm in four months, 0.16 at one a month, where that says 0.77 and 0.25), and
/// among homes by half of a factor of e squared (0.66, 0.39). The first weeks of a home, whose silences surprise while little is known of it,
/// are kept in its tail on purpose: it is careful for as long as it remembers them.
const HOMES_DIFFER: f64 = 0.5;
/// What is usual at one false alarm a month where the longest silence of a day lasts `USUAL_LONGEST_S`; what each factor of e in that is
/// worth, and in the allowance above and below it: the mean of the tails of the fleet's lives after half a year.
const USUAL: f64 = 9.26;
const USUAL_LONGEST_S: f64 = 15_660.0;
const LONGEST_UNIT: f64 = 0.9;
const ALLOWANCE_ABOVE: f64 = 0.78;
const ALLOWANCE_BELOW: f64 = 0.97;
const MONTH_DAYS: f64 = 30.44;

/// A score as it is kept.
pub fn hundredths(score: f64) -> i16 {
    (score * 100.0).clamp(-9_900.0, 9_900.0) as i16
}

/// Which of the last days had activity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
pub struct Days(#[n(0)] u64, #[n(1)] u64);

impl Days {
    fn mask(self) -> u128 {
        u128::from(self.0) << 64 | u128::from(self.1)
    }

    /// So many days have passed; whether the first of them is one that was watched and had activity.
    pub fn age(&mut self, days: u64, seen: bool) {
        let days = days.min(127) as u32;
        let mask = (self.mask() << 1 | u128::from(seen)) << days.saturating_sub(1);
        let mask = mask & ((1 << DAYS) - 1);
        (self.0, self.1) = ((mask >> 64) as u64, mask as u64);
    }

    pub fn count(self) -> u32 {
        self.mask().count_ones()
    }

    /// Whether the day so many days ago was one of them; 1 is yesterday.
    pub fn was(self, ago: usize) -> bool {
        (1..=DAYS as usize).contains(&ago) && self.mask() >> (ago - 1) & 1 == 1
    }
}

/// The highest scores of each of the last thirteen weeks, with their ages in days.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(transparent)]
pub struct Scores(#[n(0)] Vec<(u8, i16)>);

impl Scores {
    /// So many days have passed.
    pub fn age(&mut self, days: u64) {
        let days = days.min(255) as u8;
        self.0.iter_mut().for_each(|(age, _)| *age = age.saturating_add(days));
        self.0.retain(|(age, _)| u32::from(*age) <= DAYS);
    }

    /// A score of yesterday.
    pub fn push(&mut self, score: i16) {
        let week = |age: u8| age.saturating_sub(1) / 7;
        self.0.push((1, score));
        if self.0.iter().filter(|(age, _)| week(*age) == 0).count() > A_WEEK {
            let of_this_week = self.0.iter().enumerate().filter(|(_, (age, _))| week(*age) == 0);
            let least = of_this_week.min_by_key(|(_, (_, score))| *score).map(|(i, _)| i);
            least.into_iter().for_each(|i| _ = self.0.remove(i));
        }
    }

    /// The score that is reached so many times a month in a home whose longest silence of a day lasts so long.
    pub fn threshold(&self, a_month: f64, days: u32, longest_s: f64) -> f64 {
        let factors = libm::log(a_month.max(0.01));
        let unit = if factors > 0.0 { ALLOWANCE_ABOVE } else { ALLOWANCE_BELOW };
        let usual = USUAL + LONGEST_UNIT * libm::log(longest_s / USUAL_LONGEST_S) - unit * factors;
        let mut falling: Vec<f64> = self.0.iter().map(|(_, score)| f64::from(*score) / 100.0).collect();
        falling.sort_by(|a, b| b.total_cmp(a));
        let days = f64::from(days);
        let Some((score, variance)) = tail(&falling, a_month * days / MONTH_DAYS, days) else { return usual };
        let own = HOMES_DIFFER / (HOMES_DIFFER + variance);
        own * score + (1.0 - own) * usual
    }
}

/// What is reached `times` times by values that fall as these do; beyond them, by the tail that their mean excess foretells. And the
/// variance of that, in units of an exponential tail's fall by a factor of e, were each value independent.
fn tail(falling: &[f64], times: f64, days: f64) -> Option<(f64, f64)> {
    let least = 3.max((days / 2.0) as usize);
    let k = TAIL.min(falling.len().saturating_sub(1)).min(least);
    if k == 0 {
        return None;
    }
    if times >= k as f64 {
        let rank = (times as usize).min(falling.len());
        let (this, next) = (falling[rank - 1], falling[rank.min(falling.len() - 1)]);
        return Some((this + (times - rank as f64).clamp(0.0, 1.0) * (next - this), 1.0 / times));
    }
    let edge = falling[k];
    let excess = falling[..k].iter().sum::<f64>() / k as f64 - edge;
    let k = k as f64;
    let beyond = k / times.max(1e-3);
    let score = edge + excess * k * (libm::pow(beyond, 1.0 / k) - 1.0);
    Some((score, (1.0 + libm::log(beyond) * libm::log(beyond)) / k))
}
