//! What goes wrong in a run, and when: drawn from the seed before the run begins.

use super::people::{Manner, PEOPLE};
use crate::fleet::Dice;
use crate::keeper::ports::Lane;

/// A fault that begins. What ends again has its length in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fault {
    /// kill -9; the process is back after so long.
    Kill {
        down: u64,
    },
    /// The same in the middle of the n-th disk operation from now.
    KillAtWrite {
        operations: u32,
        down: u64,
    },
    /// The power fails: what was not synced is torn, lost, reordered.
    PowerCut {
        down: u64,
    },
    PowerCutAtWrite {
        operations: u32,
        down: u64,
    },
    /// The next sync fails.
    SyncFails,
    /// The disk has so many bytes left.
    DiskFull {
        left: u64,
        length: u64,
    },
    /// Each sync takes so many milliseconds.
    DiskSlow {
        ms: u64,
        length: u64,
    },
    /// A bit of the journal flips, and the process is killed.
    BitFlip {
        down: u64,
    },
    /// The broker stops cleanly, is killed, or loses its disk.
    BrokerStops {
        down: u64,
    },
    BrokerKilled {
        down: u64,
    },
    BrokerWiped {
        down: u64,
    },
    /// A connection breaks.
    LinkCut(Lane),
    /// What comes over one lane comes late.
    Lag {
        lane: Lane,
        ms: u64,
        length: u64,
    },
    /// Publishers send everything twice.
    Duplicates {
        length: u64,
    },
    /// Presses are published as retained.
    RetainedPresses {
        length: u64,
    },
    Receiver {
        place: usize,
        manner: Manner,
        length: u64,
    },
    AllReceivers {
        manner: Manner,
        length: u64,
    },
    /// Somebody sets the wall clock.
    WallForward {
        ms: i64,
    },
    WallBack {
        ms: i64,
    },
    /// The process gets no time.
    Pause {
        length: u64,
    },
    /// A message over which the decoder fails.
    PoisonDecoder,
    /// A message over which the whole process dies.
    PoisonProcess,
    /// A message over which a home's decisions fail; only where that is compiled in.
    PoisonHome,
    /// The Zigbee hub is away.
    HubAway {
        length: u64,
    },
    /// A home without power.
    HomeDark {
        length: u64,
    },
    /// Somebody falls silent for good.
    Collapse,
    /// Somebody changes the registry.
    Registry,
}

/// The words of the table of hits: its lines.
pub const NAMES: &[&str] = &[
    "kill",
    "kill_at_write",
    "power_cut",
    "power_at_write",
    "sync_fails",
    "disk_full",
    "disk_slow",
    "bit_flip",
    "broker_stops",
    "broker_killed",
    "broker_wiped",
    "link_cut",
    "lag",
    "duplicates",
    "retained",
    "receiver",
    "all_receivers",
    "wall_forward",
    "wall_back",
    "pause",
    "poison_decoder",
    "poison_process",
    "hub_away",
    "home_dark",
    "collapse",
    "registry",
];

impl Fault {
    /// Its line in the table of hits.
    pub fn name(self) -> &'static str {
        match self {
            Fault::Kill { .. } => "kill",
            Fault::KillAtWrite { .. } => "kill_at_write",
            Fault::PowerCut { .. } => "power_cut",
            Fault::PowerCutAtWrite { .. } => "power_at_write",
            Fault::SyncFails => "sync_fails",
            Fault::DiskFull { .. } => "disk_full",
            Fault::DiskSlow { .. } => "disk_slow",
            Fault::BitFlip { .. } => "bit_flip",
            Fault::BrokerStops { .. } => "broker_stops",
            Fault::BrokerKilled { .. } => "broker_killed",
            Fault::BrokerWiped { .. } => "broker_wiped",
            Fault::LinkCut(_) => "link_cut",
            Fault::Lag { .. } => "lag",
            Fault::Duplicates { .. } => "duplicates",
            Fault::RetainedPresses { .. } => "retained",
            Fault::Receiver { .. } => "receiver",
            Fault::AllReceivers { .. } => "all_receivers",
            Fault::WallForward { .. } => "wall_forward",
            Fault::WallBack { .. } => "wall_back",
            Fault::Pause { .. } => "pause",
            Fault::PoisonDecoder => "poison_decoder",
            Fault::PoisonProcess => "poison_process",
            Fault::PoisonHome => "poison_home",
            Fault::HubAway { .. } => "hub_away",
            Fault::HomeDark { .. } => "home_dark",
            Fault::Collapse => "collapse",
            Fault::Registry => "registry",
        }
    }

    /// How long it lasts, in milliseconds; 0 for what is over at once.
    pub fn length(self) -> u64 {
        match self {
            Fault::DiskFull { length, .. }
            | Fault::DiskSlow { length, .. }
            | Fault::Lag { length, .. }
            | Fault::Duplicates { length }
            | Fault::RetainedPresses { length }
            | Fault::Receiver { length, .. }
            | Fault::AllReceivers { length, .. }
            | Fault::Pause { length }
            | Fault::HubAway { length }
            | Fault::HomeDark { length } => length,
            Fault::BrokerStops { down } | Fault::BrokerKilled { down } | Fault::BrokerWiped { down } => down,
            _ => 0,
        }
    }
}

/// The faults of a run, by their time, between the first half hour and `until` (milliseconds). Each has ended by then.
pub fn draw(dice: &mut Dice, until: u64) -> Vec<(u64, Fault)> {
    const FIRST: u64 = 30 * 60_000;
    if until <= FIRST {
        return Vec::new();
    }
    // Some days have hardly a fault, on others they come in heaps.
    let mean_ms = [600_000.0, 1_500_000.0, 4_000_000.0][dice.below(3)];
    let (mut faults, mut at) = (Vec::new(), FIRST);
    loop {
        // Now and then in the very tracks of the one before.
        at += if dice.chance(0.2) { dice.below(3_000) as u64 } else { dice.wait(mean_ms) as u64 };
        if at >= until {
            return faults;
        }
        let fault = one(dice);
        if at + fault.length() < until {
            faults.push((at, fault));
        }
    }
}

fn one(dice: &mut Dice) -> Fault {
    let lane = if dice.chance(0.5) { Lane::Life } else { Lane::Bulk };
    let down = if dice.chance(0.8) { 500 + dice.below(5_000) as u64 } else { dice.below(1_800_000) as u64 };
    let operations = 1 + dice.below(60) as u32;
    let length = (dice.wait(180_000.0) as u64).clamp(1_000, 1_800_000);
    // A full disk may be found after hours only.
    let left = dice.below(300_000) as u64;
    let full = if left.is_multiple_of(4) { (length * 30).min(5 * 3_600_000) } else { length };
    let manner = Manner::BAD[dice.below(Manner::BAD.len())];
    let hours = dice.between(3_000.0, 7_200_000.0) as i64;
    match dice.below(30) {
        0 => Fault::Kill { down },
        1 | 2 => Fault::KillAtWrite { operations, down },
        3 => Fault::PowerCut { down },
        4 | 5 => Fault::PowerCutAtWrite { operations, down },
        6 => Fault::SyncFails,
        7 | 8 => Fault::DiskFull { left, length: full },
        9 => Fault::DiskSlow { ms: 20 + dice.below(2_000) as u64, length },
        10 => Fault::BitFlip { down },
        11 => Fault::BrokerStops { down },
        12 => Fault::BrokerKilled { down },
        13 => Fault::BrokerWiped { down },
        14 => Fault::LinkCut(lane),
        15 => Fault::Lag { lane, ms: dice.below(30_000) as u64, length },
        16 => Fault::Duplicates { length },
        17 => Fault::RetainedPresses { length },
        18..=20 => Fault::Receiver { place: dice.below(PEOPLE.len()), manner, length },
        21 => Fault::AllReceivers { manner, length },
        22 => Fault::WallForward { ms: hours },
        23 => Fault::WallBack { ms: hours },
        24 => Fault::Pause { length: length.min(300_000) },
        25 => Fault::PoisonDecoder,
        26 => Fault::PoisonProcess,
        27 => [Fault::HubAway { length }, Fault::HomeDark { length }, Fault::PoisonHome][dice.below(3)],
        28 => Fault::Collapse,
        _ => Fault::Registry,
    }
}
