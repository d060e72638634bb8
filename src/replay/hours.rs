//! The clocks of a recording.

use crate::engine::time::{Stamp, Tick, Wall};

/// The clocks of a recording: how its ticks stand to the wall, and to the time in which its site heard.
#[derive(Debug, Clone, Copy)]
pub struct Hours {
    pub last: Stamp,
    /// The site hears nothing.
    pub deaf: bool,
}

impl Hours {
    /// The clocks at a tick: those of the last record, and what has passed since.
    pub fn stamp(&self, tick: Tick) -> Stamp {
        let off = tick.0 as i64 - self.last.tick.0 as i64;
        let heard = if self.deaf { 0 } else { off };
        Stamp { tick, wall: Wall(self.last.wall.0 + off), heard: Tick(self.last.heard.0.saturating_add_signed(heard)) }
    }
}

/// Ticks count from far before any recording, so that none is negative.
const BEFORE_ALL: i64 = 100_000_000_000_000;

/// The tick of a time in a file of readings.
pub fn tick(at: Wall) -> Tick {
    Tick(at.0.saturating_add(BEFORE_ALL).max(0) as u64)
}

/// In a file of readings the site always hears, and its clocks agree.
pub fn of_a_file() -> Hours {
    let tick = tick(Wall(0));
    Hours { last: Stamp { tick, wall: Wall(0), heard: tick }, deaf: false }
}
