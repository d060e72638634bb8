//! The rolling checkpoint: each home's snapshot in turn, a step a second, without a pause for those who wait.

use super::Keeper;
use crate::engine::time::{Millis, Tick};
use crate::keeper::ports::JournalFault;

/// The rolling checkpoint: a step a second, a generation a minute, every home within five minutes.
pub(super) const CHECKPOINT_STEP: Millis = Millis::from_secs(1);
const CHECKPOINT_EVERY: Millis = Millis::from_secs(60);
const CHECKPOINT_STEPS: usize = 30;

/// Where the rolling checkpoint stands.
#[derive(Default)]
pub(super) struct Checkpoint {
    /// The next home of the generation under way.
    next: Option<usize>,
    step_at: Tick,
    begun: Tick,
    begun_sequence: u64,
}

impl Keeper {
    /// A step of the rolling checkpoint. What is in memory is on the disk here, but for a full one.
    pub(super) fn checkpoint_step(&mut self) -> Result<(), JournalFault> {
        let now = self.core.now().tick;
        if self.full || now < self.checkpoint.step_at {
            return Ok(());
        }
        self.checkpoint.step_at = now + CHECKPOINT_STEP;
        match self.checkpoint.next {
            None if self.sequence > self.checkpoint.begun_sequence
                && now >= self.checkpoint.begun + CHECKPOINT_EVERY =>
            {
                self.begin_checkpoint(now)
            }
            None => Ok(()),
            Some(next) => {
                let step = self.core.homes.len().div_ceil(CHECKPOINT_STEPS).max(64);
                self.checkpoint_homes(next, step)
            }
        }
    }

    fn begin_checkpoint(&mut self, now: Tick) -> Result<(), JournalFault> {
        self.checkpoint.begun = now;
        self.checkpoint.begun_sequence = self.sequence;
        self.ports.journal.begin_checkpoint()?;
        let site = snapshot(&self.core.site);
        self.ports.journal.checkpoint(0, self.sequence, &site)?;
        self.checkpoint.next = Some(0);
        Ok(())
    }

    fn checkpoint_homes(&mut self, next: usize, step: usize) -> Result<(), JournalFault> {
        let end = (next + step).min(self.core.homes.len());
        for home in next..end {
            let bytes = snapshot(&self.core.homes[home].state);
            self.ports.journal.checkpoint(home as u32 + 1, self.sequence, &bytes)?;
        }
        self.checkpoint.next = Some(end);
        if end == self.core.homes.len() {
            self.checkpoint.next = None;
            self.ports.journal.finish_checkpoint()?;
        }
        Ok(())
    }

    /// At a graceful stop: everything, so that the next start folds nothing.
    pub(super) fn last_checkpoint(&mut self) -> Result<(), JournalFault> {
        if self.full {
            return Ok(());
        }
        self.begin_checkpoint(self.core.now().tick)?;
        self.checkpoint_homes(0, self.core.homes.len())
    }
}

fn snapshot<T: minicbor::Encode<()>>(state: &T) -> Vec<u8> {
    // Writing into a Vec cannot fail.
    minicbor::to_vec(state).unwrap_or_default()
}
