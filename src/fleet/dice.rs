//! The fleet's own chance: a few lines, so that a seed gives the same homes and days for as long as this file stands.

/// A stream of random numbers (SplitMix64, by Steele, Lea and Flood). Good enough to invent lives; never for secrets.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// Takes a seed and the number of a stream: every home has a stream of its own, so that what happens in one home
    /// (a command, one message more) changes nothing in another.
    pub fn new(seed: u64, stream: u64) -> Dice {
        let mut dice = Dice(seed ^ stream.wrapping_mul(0xd1b5_4a32_d192_ed03));
        dice.roll();
        dice
    }

    /// 64 random bits.
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number in 0 to 1, without 1.
    pub fn unit(&mut self) -> f64 {
        (self.roll() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// True with this probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// A number in `low` to `high`, all equally likely.
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + self.unit() * (high - low)
    }

    /// A whole number from 0 to `n` - 1; 0 where `n` is 0.
    pub fn below(&mut self, n: usize) -> usize {
        (self.unit() * n as f64) as usize
    }

    /// A number around `mean`, bell-shaped, with this standard deviation and never further away than 3.5 times that.
    pub fn about(&mut self, mean: f64, deviation: f64) -> f64 {
        let sum = self.unit() + self.unit() + self.unit() + self.unit();
        mean + (sum - 2.0) * 1.732 * deviation
    }

    /// A number whose logarithm lies bell-shaped around that of `median`, with this standard deviation (at most 3.5 times that away).
    pub fn around(&mut self, median: f64, deviation: f64) -> f64 {
        median * self.about(0.0, deviation).exp()
    }

    /// How many of events that come at random happen where `mean` do on average (Poisson; for means of some few).
    pub fn count(&mut self, mean: f64) -> u32 {
        let mut count = 0;
        let mut at = self.wait(1.0);
        while at < mean {
            count += 1;
            at += self.wait(1.0);
        }
        count
    }

    /// The time until the next of events that come at random, `mean` apart on average; at most 20 times that.
    pub fn wait(&mut self, mean: f64) -> f64 {
        (-(1.0 - self.unit()).ln()).min(20.0) * mean
    }

    /// One of these.
    pub fn pick<T: Copy, const N: usize>(&mut self, from: &[T; N]) -> T {
        from[self.below(N)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A seed is a promise: whoever changes the generator changes every recorded seed, and shall know it.
    #[test]
    fn a_seed_gives_the_same_numbers_for_ever() {
        let mut dice = Dice::new(1, 0);
        assert_eq!([dice.roll(), dice.roll()], [0xbeeb_8da1_658e_ec67, 0xf893_a2ee_fb32_555e]);
    }

    #[test]
    fn distributions_have_their_means_and_bounds() {
        let mut dice = Dice::new(7, 7);
        let n = 20_000;
        let about: Vec<f64> = (0..n).map(|_| dice.about(10.0, 2.0)).collect();
        let mean = about.iter().sum::<f64>() / n as f64;
        let deviation = (about.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n as f64).sqrt();
        assert!((mean - 10.0).abs() < 0.1 && (deviation - 2.0).abs() < 0.1, "{mean} {deviation}");
        assert!(about.iter().all(|x| (3.0..=17.0).contains(x)));
        let wait = (0..n).map(|_| dice.wait(5.0)).sum::<f64>() / n as f64;
        assert!((wait - 5.0).abs() < 0.2, "{wait}");
        assert!((0..n).all(|_| dice.below(3) < 3));
        let counted = (0..n).map(|_| f64::from(dice.count(1.7))).sum::<f64>() / n as f64;
        assert!((counted - 1.7).abs() < 0.05, "{counted}");
        let above = (0..n).filter(|_| dice.around(8.0, 0.5) > 8.0).count();
        assert!((n * 48 / 100..n * 52 / 100).contains(&above), "{above}");
    }
}
