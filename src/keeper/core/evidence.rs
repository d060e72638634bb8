//! The raw messages behind alarms. They are sealed at the end of their turn: a flood of strangers needs as many new keys, and these are
//! to be one write, not one for each of them while every call behind them waits.

use super::Core;
use crate::engine::change::{HomeChange, Raw};
use crate::engine::id::AlarmId;

/// What a sealed message has beside its texts, at most: ids, nonce, tag.
const FRAME_BYTES: usize = 256;
/// JSON writes a byte of a topic in so many at most.
const ESCAPED: usize = 6;

/// Raw messages of the turn that are not sealed yet.
#[derive(Default)]
pub(super) struct Unsealed {
    raws: Vec<(u32, AlarmId, Raw)>,
    /// What they add to the record, at most.
    bytes: usize,
}

impl Core {
    pub(super) fn keep_raw(&mut self, home: u32, alarm: AlarmId, raw: Raw) {
        self.unsealed.bytes += ESCAPED * raw.topic.len() + raw.payload.len() + FRAME_BYTES;
        self.unsealed.raws.push((home, alarm, raw));
    }

    /// Bytes of the turn's record so far, with what is sealed at its end.
    pub fn record_bytes(&self) -> usize {
        self.blocks.len() + self.unsealed.bytes
    }

    /// Puts the raw messages of the turn into its record. No state has anything of them: there is nothing to fold.
    pub(super) fn seal_raws(&mut self) {
        let raws = std::mem::take(&mut self.unsealed).raws;
        let subject = |home: u32| self.site.homes[home as usize].id.as_str();
        let of: Vec<(&str, &Raw)> = raws.iter().map(|(home, _, raw)| (subject(*home), raw)).collect();
        let sealed = self.vault.seal_raws(&of);
        for ((home, alarm, _), sealed) in raws.into_iter().zip(sealed) {
            if let Some(raw) = sealed {
                self.blocks.home(home, &HomeChange::Evidence { alarm, raw });
            }
        }
    }
}
