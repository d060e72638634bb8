//! What the silences of a home say of its day: when somebody is likely to stir, after how long a silence, and how surprising it is
//! when nobody does.

use super::SLOTS;
use super::library::{DAYS, Library};
use super::tail::Days;

/// Ages of a silence at which its hazard is told apart, in parts of ten minutes: the first of each.
const AGE_FROM: [usize; AGE_BINS + 1] = [3, 5, 6, 9, 12, 18, 24, 36, 48, 72, usize::MAX];
pub const AGE_BINS: usize = 10;
/// 0.5^(1/30): what was thirty days ago counts half.
const A_DAY_LESS: f64 = 0.977_159_968_434_245_9;

/// A home of which nothing is known: how likely a silence of this age is to end within ten minutes, by day.
const USUAL_BY_AGE: [f64; AGE_BINS] = [0.22, 0.2, 0.17, 0.14, 0.115, 0.095, 0.085, 0.085, 0.09, 0.08];
/// And so much less likely before 4 h, from 4 h, from 21.30 h.
const USUAL_BY_CLOCK: [(usize, f64); 3] = [(24, 0.35), (129, 1.0), (SLOTS, 0.45)];
/// What is usual counts like so many silences that were seen.
const PRIOR: f64 = 6.0;

/// A bell of four slots' breadth.
const BELL: [f64; 11] =
    [1.0, 0.969_23, 0.882_5, 0.754_84, 0.606_53, 0.457_83, 0.324_65, 0.216_27, 0.135_34, 0.079_56, 0.043_94];

/// What is known of a home's day.
pub struct Rhythm {
    /// How likely a silence that has come into this part of the day at this age is to end in it.
    pub ends: Vec<[f64; AGE_BINS]>,
    /// −ln of how likely it is that nobody stirs in this part of the day.
    pub surprise: [f64; SLOTS],
    /// How much this part of the day will tell of a silence that has come to it: where it is much, it is worth waiting for.
    pub telling: [f64; SLOTS],
    /// The means of each day's longest silence: in surprise, and in seconds.
    longest_surprise: f64,
    pub longest_s: f64,
    /// Minutes of this part of the day that are spent in short silences; and silences that begin in it, a day.
    pub busy_min: [f64; SLOTS],
    pub begins: [f64; SLOTS],
}

pub fn age_bin(age: usize) -> usize {
    AGE_FROM[1..AGE_BINS].iter().take_while(|from| age >= **from).count()
}

fn usual(slot: usize, bin: usize) -> f64 {
    let clock = USUAL_BY_CLOCK.iter().find(|(until, _)| slot < *until).map_or(1.0, |(_, times)| *times);
    clock * USUAL_BY_AGE[bin]
}

/// What was counted, weighed by its age.
struct Counts {
    days: f64,
    /// By slot and age: silences that came so far, and those that ended there.
    came: Vec<[f64; AGE_BINS]>,
    ended: Vec<[f64; AGE_BINS]>,
    begun: [f64; SLOTS],
    /// Silent throughout the slot; and not at home, or not heard.
    silent: [f64; SLOTS],
    gone: [f64; SLOTS],
}

impl Counts {
    fn of(library: &Library, weights: &[f64], days: f64) -> Counts {
        let mut counts = Counts {
            days,
            came: vec![[0.0; AGE_BINS]; SLOTS],
            ended: vec![[0.0; AGE_BINS]; SLOTS],
            begun: [0.0; SLOTS],
            silent: [0.0; SLOTS],
            gone: [0.0; SLOTS],
        };
        for (age, silence) in library.iter() {
            let (weight, from, slots) = (weights[usize::from(age.min(DAYS))], silence.slot(), silence.slots());
            if !silence.is_at_home() {
                (1..=slots.min(SLOTS)).for_each(|i| counts.gone[(from + i) % SLOTS] += weight);
                continue;
            }
            counts.begun[from] += weight;
            for i in 3..=slots {
                let (slot, bin) = ((from + i) % SLOTS, age_bin(i));
                counts.came[slot][bin] += weight;
                if i == slots {
                    counts.ended[slot][bin] += weight;
                }
            }
            (1..slots).for_each(|i| counts.silent[(from + i) % SLOTS] += weight);
        }
        counts
    }

    /// Days on which somebody could have been heard in this part of the day.
    fn present(&self, slot: usize) -> f64 {
        (self.days - self.gone[slot]).max(0.0)
    }
}

impl Rhythm {
    pub fn of(library: &Library, seen: &Days) -> Rhythm {
        let mut weights = [1.0; DAYS as usize + 1];
        (1..weights.len()).for_each(|i| weights[i] = weights[i - 1] * A_DAY_LESS);
        let reach = usize::from(library.reaches());
        let days = (1..=reach).filter(|age| seen.was(*age)).map(|age| weights[age]).sum();
        let counts = Counts::of(library, &weights, days);
        let surprise = surprise(&counts);
        let (longest_surprise, longest_s) = longest(library, &weights, &surprise);
        let (busy_min, begins) = occupation(&counts);
        let telling = surprise.map(|next| 0.2 * libm::log(72.0 * 0.5 * (next / longest_surprise + 600.0 / longest_s)));
        Rhythm { ends: hazard(&counts), surprise, telling, longest_surprise, longest_s, busy_min, begins }
    }

    /// A silence of this surprise and age (in parts of ten minutes) against each day's longest.
    pub fn against_longest(&self, surprise: f64, age: usize) -> f64 {
        0.5 * (surprise / self.longest_surprise + age as f64 * (600.0 / self.longest_s))
    }
}

/// By day somebody stirs in six of ten parts of ten minutes, by night in one of four, where nothing is known.
fn surprise(counts: &Counts) -> [f64; SLOTS] {
    const KERNEL: [f64; 5] = [1.0, 2.0, 3.0, 2.0, 1.0];
    const PRIOR_DAYS: f64 = 3.0;
    std::array::from_fn(|slot| {
        let (mut active, mut present) = (0.0, 0.0);
        for (i, weight) in KERNEL.iter().enumerate() {
            let near = (slot + SLOTS + i - 2) % SLOTS;
            let there = counts.present(near);
            present += weight * there;
            active += weight * (there - counts.silent[near]).max(0.0);
        }
        let usual = if (36..138).contains(&slot) { 0.6 } else { 0.25 };
        let likely = (active + PRIOR_DAYS * usual) / (present + PRIOR_DAYS);
        -libm::log(1.0 - likely.min(0.98))
    })
}

/// The surprise of nobody stirring from the second part of the day after `slot` on.
pub fn over(surprise: &[f64; SLOTS], slot: usize, slots: usize) -> f64 {
    (2..=slots).map(|i| surprise[(slot + i - 1) % SLOTS]).sum()
}

fn longest(library: &Library, weights: &[f64], surprise: &[f64; SLOTS]) -> (f64, f64) {
    let mut by_day = [(0.0_f64, 0.0_f64); DAYS as usize + 1];
    for (age, silence) in library.iter().filter(|(_, s)| s.is_at_home()) {
        let day = &mut by_day[usize::from(age.min(DAYS))];
        day.0 = day.0.max(over(surprise, silence.slot(), silence.slots())).max(0.5);
        day.1 = day.1.max(silence.lasted().as_secs() as f64);
    }
    let (mut sum, mut total) = ((0.0, 0.0), 0.0);
    for (day, weight) in by_day.iter().zip(weights).filter(|(day, _)| day.1 > 0.0) {
        sum = (sum.0 + weight * day.0, sum.1 + weight * day.1);
        total += weight;
    }
    if total > 0.0 { (sum.0 / total, sum.1 / total) } else { (20.0, 21_600.0) }
}

fn occupation(counts: &Counts) -> ([f64; SLOTS], [f64; SLOTS]) {
    const KERNEL: [f64; 7] = [1.0, 2.0, 3.0, 4.0, 3.0, 2.0, 1.0];
    let smooth = |of: &dyn Fn(usize) -> f64, prior: f64| {
        std::array::from_fn(|slot| {
            let near = KERNEL.iter().enumerate().map(|(i, weight)| weight * of((slot + SLOTS + i - 3) % SLOTS) / 16.0);
            (near.sum::<f64>() + 2.0 * prior) / (counts.days + 2.0)
        })
    };
    let busy = |slot: usize| 10.0 * (counts.present(slot) - counts.silent[slot] - counts.begun[slot] * 0.5).max(0.0);
    (smooth(&busy, 2.0), smooth(&|slot| counts.begun[slot], 0.06))
}

/// How likely a silence is to end: what is usual, times what is usual at this hour and at this age in this home, and then what was
/// seen at this hour and age.
fn hazard(counts: &Counts) -> Vec<[f64; AGE_BINS]> {
    let (came, ended) = (smooth(&counts.came), smooth(&counts.ended));
    let (mut by_slot, mut by_age) = ([1.0; SLOTS], [1.0; AGE_BINS]);
    for _ in 0..4 {
        for slot in 0..SLOTS {
            let expected: f64 = (0..AGE_BINS).map(|bin| came[slot][bin] * usual(slot, bin) * by_age[bin]).sum();
            let seen: f64 = ended[slot].iter().sum();
            by_slot[slot] = (seen + 0.3 * PRIOR) / (expected + 0.3 * PRIOR);
        }
        for (bin, by_age) in by_age.iter_mut().enumerate() {
            let expected: f64 = (0..SLOTS).map(|slot| counts.came[slot][bin] * usual(slot, bin) * by_slot[slot]).sum();
            let seen: f64 = (0..SLOTS).map(|slot| counts.ended[slot][bin]).sum();
            *by_age = (seen + PRIOR) / (expected + PRIOR);
        }
    }
    let of = |slot: usize, bin: usize| {
        let expected = (usual(slot, bin) * by_slot[slot] * by_age[bin]).min(0.9);
        let near = |of: &[f64; AGE_BINS]| {
            let beside = |bin: Option<usize>| bin.and_then(|bin| of.get(bin)).map_or(0.0, |count| 0.4 * count);
            of[bin] + beside(bin.checked_sub(1)) + beside(Some(bin + 1))
        };
        ((near(&ended[slot]) + PRIOR * expected) / (near(&came[slot]) + PRIOR)).clamp(0.004, 0.9)
    };
    (0..SLOTS).map(|slot| std::array::from_fn(|bin| of(slot, bin))).collect()
}

/// Over the hours of the day, round the clock.
fn smooth(counts: &[[f64; AGE_BINS]]) -> Vec<[f64; AGE_BINS]> {
    let mut smoothed = vec![[0.0; AGE_BINS]; SLOTS];
    // Where nothing was counted there is nothing to spread.
    for (slot, of) in counts.iter().enumerate().filter(|(_, of)| of.iter().any(|count| *count > 0.0)) {
        for (distance, weight) in BELL.iter().enumerate() {
            let both = [(slot + distance) % SLOTS, (slot + SLOTS - distance) % SLOTS];
            for near in &both[..if distance == 0 { 1 } else { 2 }] {
                smoothed[*near].iter_mut().zip(of).for_each(|(sum, count)| *sum += weight * count);
            }
        }
    }
    smoothed
}
