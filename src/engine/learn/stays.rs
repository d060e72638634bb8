//! The longest stay in the bathroom of each of the last days: all that is needed to know whether its rule can be told here. In a home where
//! the way from there to bed is not seen, every night looks like one.

use super::STEP;
use crate::engine::time::Millis;
use minicbor::{Decode, Encode};

/// Days that are looked back on.
const DAYS: usize = 56;

/// In steps of five minutes, rounded up.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub struct Stays {
    #[n(0)]
    today: u8,
    /// Of the last days, yesterday first; what is missing had none.
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    days: Vec<u8>,
}

impl Stays {
    /// A stay is over.
    pub fn push(&mut self, lasted: Millis) {
        self.today = self.today.max(lasted.0.div_ceil(STEP.0).min(250) as u8);
    }

    /// The day under way teaches nothing.
    pub fn forget_today(&mut self) {
        self.today = 0;
    }

    /// So many days have passed; whether what was seen of the first of them counts.
    pub fn age(&mut self, days: u64, counts: bool) {
        let today = std::mem::take(&mut self.today);
        for past in 0..days.min(DAYS as u64) {
            self.days.insert(0, if past == 0 && counts { today } else { 0 });
        }
        self.days.truncate(DAYS);
        let last = self.days.iter().rposition(|stay| *stay > 0);
        self.days.truncate(last.map_or(0, |last| last + 1));
    }

    pub fn longest(&self) -> u8 {
        self.days.iter().copied().max().unwrap_or(0)
    }
}
