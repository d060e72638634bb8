//! What a power cut leaves: of a file's bytes, and of the names in a folder.

use crate::fleet::Dice;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a disk writes whole or not at all.
const SECTOR: usize = 512;

/// A file, whatever it is called; shared by its names and its handles.
pub(super) type Node = Arc<Mutex<Inode>>;
pub(super) type Names = BTreeMap<PathBuf, Node>;

pub(super) fn grip<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A file's bytes, twice.
#[derive(Debug, Default)]
pub(super) struct Inode {
    /// What the running system reads.
    pub live: Vec<u8>,
    /// What is on the disk.
    pub durable: Vec<u8>,
    /// Where the two may differ; the sizes may besides. Sectors, not bytes, go to the disk.
    unsynced: Vec<Range<usize>>,
}

/// How many of the unsynced sectors reached the disk.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Arrival {
    pub arrived: u64,
    pub lost: u64,
}

impl Inode {
    /// A file of which every byte is synced.
    pub fn synced(bytes: Vec<u8>) -> Node {
        Arc::new(Mutex::new(Inode { durable: bytes.clone(), live: bytes, unsynced: Vec::new() }))
    }

    /// Writes to the live image, and extends it where it must.
    pub fn write(&mut self, bytes: &[u8], at: usize) {
        if bytes.is_empty() {
            return;
        }
        let range = at..at + bytes.len();
        self.live.resize(self.live.len().max(range.end), 0);
        self.live[range.clone()].copy_from_slice(bytes);
        self.unsynced.push(range);
    }

    /// Cuts the live image, or extends it by zeros.
    pub fn resize(&mut self, bytes: usize) {
        if bytes < self.live.len() {
            self.unsynced.push(bytes..self.live.len());
        }
        self.live.resize(bytes, 0);
    }

    /// Makes the size and all that was written durable. What an earlier sync dropped stays behind.
    pub fn sync(&mut self) {
        let Inode { live, durable, unsynced } = self;
        durable.resize(live.len(), 0);
        for range in unsynced.drain(..) {
            let begin = range.start / SECTOR * SECTOR;
            let end = range.end.next_multiple_of(SECTOR).min(live.len());
            if begin < end {
                durable[begin..end].copy_from_slice(&live[begin..end]);
            }
        }
    }

    /// Lets any part of what was not synced reach the disk: any sectors of it in any order, and any size on the way. A sector
    /// that was written more than once since the sync stands as it did then or as it does now, never in between.
    pub fn leak(&mut self, dice: &mut Dice) -> Arrival {
        let (old, new) = (self.durable.len(), self.live.len());
        let size = match dice.below(3) {
            0 => old,
            1 => new,
            _ => between(old, new, dice),
        };
        self.durable.resize(size, 0);
        // All, nothing, and all but one of a hundred sectors must come about too.
        let share = dice.pick(&[0.0, 0.1, 0.5, 0.9, 1.0]);
        let touched: BTreeSet<usize> =
            self.unsynced.iter().flat_map(|r| r.start / SECTOR..r.end.min(new).div_ceil(SECTOR)).collect();
        let mut arrival = Arrival::default();
        for sector in touched {
            let (begin, end) = (sector * SECTOR, ((sector + 1) * SECTOR).min(size));
            if dice.chance(share) && begin < end {
                arrival.arrived += 1;
                let (bytes, behind) = self.durable[begin..end].split_at_mut(end.min(new) - begin);
                bytes.copy_from_slice(&self.live[begin..end.min(new)]);
                behind.fill(0);
            } else {
                arrival.lost += 1;
            }
        }
        arrival
    }

    /// Forgets that anything waits for a sync, as a kernel does after one that failed.
    pub fn drop_unsynced(&mut self) {
        self.unsynced.clear();
    }

    /// The power is gone: part of what was not synced has arrived, and the rest never will.
    pub fn power_fails(&mut self, dice: &mut Dice) -> Arrival {
        let arrival = self.leak(dice);
        self.unsynced.clear();
        self.live.clone_from(&self.durable);
        arrival
    }
}

/// A size from one to the other, both included, in either order.
pub(super) fn between(a: usize, b: usize, dice: &mut Dice) -> usize {
    a.min(b) + dice.below(a.abs_diff(b) + 1)
}

/// A change of names that no folder's sync has made durable yet.
#[derive(Debug)]
pub(super) enum Naming {
    Create(PathBuf, Node),
    Rename(PathBuf, PathBuf),
    Remove(PathBuf),
}

impl Naming {
    pub fn apply(&self, names: &mut Names) {
        match self {
            Naming::Create(path, node) => drop(names.insert(path.clone(), node.clone())),
            Naming::Rename(from, to) => drop(names.remove(from).map(|node| names.insert(to.clone(), node))),
            Naming::Remove(path) => drop(names.remove(path)),
        }
    }

    /// Whether the folder holds a name that this changes.
    pub fn concerns(&self, dir: &Path) -> bool {
        match self {
            Naming::Create(path, _) | Naming::Remove(path) => path.parent() == Some(dir),
            Naming::Rename(from, to) => from.parent() == Some(dir) || to.parent() == Some(dir),
        }
    }
}
