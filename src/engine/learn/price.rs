//! What it costs to go on waiting. Whoever collapses in a silence, or before it began, lies there until its limit; whoever does not is
//! disturbed by an alarm that comes before they stir. The best limit is where the time that a later alarm costs those who lie there is
//! worth the disturbances that it saves: at one price for a disturbance, in all silences of the home. So the price up to which it is right to
//! alarm at an age tells how surprising that age is; and it is averaged with plainer measures of surprise, which err elsewhere.

use super::rhythm::{Rhythm, age_bin};
use super::{SLOTS, STEP};
use crate::engine::time::Millis;

/// Ages are looked at in parts of ten minutes, up to 18 hours.
pub const AGES: usize = 108;
/// None before it.
const FIRST: usize = 3;
/// The share of the price, against that of the plainer measures; and what a unit of each is worth in ln of the allowance.
const PRICE_SHARE: f64 = 0.7;
const PRICE_UNIT: f64 = 1.3;
const PLAIN_UNIT: f64 = 0.33;
/// A long wait is worse than two of half its length: its minutes count by its length against three hours.
const LONG_WAIT: f64 = 18.0;
/// No price is so high that one alarms.
const BEYOND: f64 = 60.0;

/// How surprising each age of a silence is that begins in `slot`: never less than at an age before.
pub fn scores(rhythm: &Rhythm, slot: usize, out: &mut [f64; AGES + 1]) {
    let prices = prices(rhythm, slot);
    let (mut surprise, mut most) = (0.0, -99.0_f64);
    out[..FIRST].fill(-99.0);
    for age in 1..=AGES {
        if age > 1 {
            surprise += rhythm.surprise[(slot + age - 1) % SLOTS];
        }
        if age >= FIRST {
            let plain = rhythm.against_longest(surprise, age) - rhythm.telling[(slot + age) % SLOTS];
            most = most.max(PRICE_SHARE * prices[age] / PRICE_UNIT + (1.0 - PRICE_SHARE) * plain / PLAIN_UNIT);
            out[age] = most;
        }
    }
}

/// ln of the highest price at which it is right to have alarmed by each age.
fn prices(rhythm: &Rhythm, slot: usize) -> [f64; AGES + 1] {
    let (busy, begins) = (rhythm.busy_min[slot], rhythm.begins[slot]);
    let (mut lasting, mut cost) = ([1.0; AGES + 2], [0.0; AGES + 2]);
    let (mut left, mut area, mut sum) = (1.0, FIRST as f64, 0.0);
    for age in FIRST..=AGES + 1 {
        (lasting[age], cost[age]) = (left, sum);
        sum += 10.0 * (busy + begins * 10.0 * area) * age as f64 / LONG_WAIT;
        area += left;
        left *= 1.0 - rhythm.ends[(slot + age) % SLOTS][age_bin(age)];
    }
    // The lower hull of cost over disturbances: only its corners are ever the best age. Each stands with the price of the edge to it.
    let price = |from: usize, to: usize| (cost[to] - cost[from]) / (begins * (lasting[from] - lasting[to])).max(1e-12);
    let mut corners: Vec<(usize, f64)> = Vec::with_capacity(AGES);
    for age in FIRST..=AGES + 1 {
        let mut edge = corners.last().map_or(0.0, |(last, _)| price(*last, age));
        while let [.., (before, _), (_, known)] = corners[..]
            && known >= edge
        {
            corners.pop();
            edge = price(before, age);
        }
        corners.push((age, edge));
    }
    let mut prices = [BEYOND; AGES + 1];
    prices[FIRST] = -9.0;
    for edge in corners.windows(2) {
        let ((from, _), (to, price)) = (edge[0], edge[1]);
        let worth = libm::log(price.max(1e-9)).min(BEYOND);
        (from..to.min(AGES + 1)).filter(|age| *age > FIRST).for_each(|age| prices[age] = worth);
    }
    prices
}

/// The surprise at the end of a silence.
pub fn at(scores: &[f64; AGES + 1], lasted: Millis) -> f64 {
    let (age, rest) = ((lasted.0 / (2 * STEP.0)) as usize, lasted.0 % (2 * STEP.0));
    if age >= AGES {
        return scores[AGES];
    }
    scores[age] + (scores[age + 1] - scores[age]) * (rest as f64 / (2 * STEP.0) as f64)
}

/// The age at which the surprise reaches the threshold, in steps of five minutes; 255 where it never does.
pub fn limit(scores: &[f64; AGES + 1], threshold: f64) -> u8 {
    let Some(age) = (FIRST..=AGES).find(|age| scores[*age] >= threshold) else { return u8::MAX };
    let before = scores[age - 1].max(-50.0);
    let part = if age > FIRST { (threshold - before) / (scores[age] - before).max(1e-9) } else { 1.0 };
    let steps = 2.0 * (age as f64 - 1.0 + part.clamp(0.0, 1.0));
    // Upwards: an alarm is never earlier than learnt.
    libm::ceil(steps) as u8
}
