//! A disk in memory that fails as disks do: power cuts, deaths half-way, no room, failed and slow syncs, flipped bits. One seed
//! gives the same faults to the same calls, byte for byte.
//!
//! **Kinder than the worst disk:** a folder is durable as soon as it is made, a sector is never half-written, and what was
//! synced stays (but for [`SimDisk::flip_bit`]).

mod calls;
mod platter;
#[cfg(test)]
mod tests;

use crate::fleet::Dice;
use platter::{Inode, Names, Naming, Node, grip};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

/// What changes something on a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    Write,
    Allocate,
    Truncate,
    Sync,
    Create,
    Rename,
    Remove,
    SyncDir,
}

/// What has happened on a disk so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// The operations that were begun, those that failed included.
    pub operations: BTreeMap<Operation, u64>,
    /// The operations half-way through which the process died.
    pub deaths: BTreeMap<Operation, u64>,
    pub power_failures: u64,
    /// Sectors that were written and not synced, and that a power failure or a failed sync lost.
    pub lost_sectors: u64,
    /// Files of which a power failure or a failed sync took a part of the unsynced sectors and let another arrive.
    pub torn_files: u64,
    /// Changes of names that a power failure took back.
    pub lost_names: u64,
    pub failed_syncs: u64,
    /// Operations that found no room.
    pub full: u64,
    pub flipped_bits: u64,
}

/// The disk; clones are the same disk. Its faults are ordered by whoever holds it, and everything else is [`crate::journal::Disk`].
#[derive(Clone)]
pub struct SimDisk(Arc<Mutex<Inner>>);

struct Inner {
    dice: Dice,
    dirs: BTreeSet<PathBuf>,
    live: Names,
    durable: Names,
    /// The steps from `durable` to `live`, in order.
    unsynced: Vec<Naming>,
    /// Who holds which folder's lock, as a serial number.
    locks: BTreeMap<PathBuf, u64>,
    serial: u64,
    /// Counts the processes: a handle of an earlier one is void.
    generation: u64,
    dead: bool,
    /// The process dies in so many operations.
    dies_in: Option<u64>,
    capacity: u64,
    sync_fails: bool,
    /// Milliseconds.
    sync_takes: u64,
    delay: u64,
    counts: Counts,
}

impl SimDisk {
    /// An empty disk of unlimited room, without faults but those that are asked for; `dice` decides them.
    pub fn new(dice: Dice) -> SimDisk {
        SimDisk(Arc::new(Mutex::new(Inner {
            dice,
            dirs: BTreeSet::from([PathBuf::from("/"), PathBuf::new()]),
            live: Names::new(),
            durable: Names::new(),
            unsynced: Vec::new(),
            locks: BTreeMap::new(),
            serial: 0,
            generation: 0,
            dead: false,
            dies_in: None,
            capacity: u64::MAX,
            sync_fails: false,
            sync_takes: 0,
            delay: 0,
            counts: Counts::default(),
        })))
    }

    /// An independent copy of what the running system reads, all of it durable, without faults, locks or counts: for a
    /// recovery on the side. It takes nothing from this disk's chance.
    pub fn fork(&self) -> SimDisk {
        let inner = self.inner();
        let fork = SimDisk::new(inner.dice.clone());
        let names: Names =
            inner.live.iter().map(|(path, node)| (path.clone(), Inode::synced(grip(node).live.clone()))).collect();
        let mut copy = fork.inner();
        copy.dirs.clone_from(&inner.dirs);
        (copy.live, copy.durable) = (names.clone(), names);
        drop(copy);
        fork
    }

    /// The power fails and comes back: of what was not synced an accidental part is there, and the process is another.
    pub fn power_fails(&self) {
        let mut inner = self.inner();
        inner.counts.power_failures += 1;
        // The metadata of today's file systems is journalled: names change in the order of the calls, so a prefix arrives.
        let all = inner.unsynced.len();
        let arrived = inner.dice.below(all + 1);
        inner.counts.lost_names += (all - arrived) as u64;
        inner.sync_names(arrived);
        inner.unsynced.clear();
        for node in inner.durable.values().cloned().collect::<Vec<_>>() {
            inner.lose(|dice| grip(&node).power_fails(dice));
        }
        inner.live = inner.durable.clone();
        inner.next_process();
    }

    /// The process dies and another begins: what was written stays, synced or not; handles and locks are void. Clones of the
    /// disk itself go on, so whoever simulates the process drops what it held.
    pub fn process_dies(&self) {
        self.inner().next_process();
    }

    /// The process dies half-way through the `n`-th operation from now that changes something, counted from 1; 0 takes it
    /// back. Every call fails from then on, until [`SimDisk::process_dies`] or [`SimDisk::power_fails`].
    pub fn die_in(&self, n: u64) {
        self.inner().dies_in = (n > 0).then_some(n);
    }

    /// The process dies this moment, between two operations: every call fails from here on.
    pub fn stop(&self) {
        self.inner().dead = true;
    }

    /// Takes back every fault that was ordered and has not come.
    pub fn heal(&self) {
        let mut inner = self.inner();
        (inner.dies_in, inner.sync_fails, inner.sync_takes, inner.capacity) = (None, false, 0, u64::MAX);
    }

    /// Whether the death that was asked for has come.
    pub fn dead(&self) -> bool {
        self.inner().dead
    }

    /// Lets no file grow where all would take more than `bytes`; `u64::MAX` gives the room back. Files are never sparse.
    pub fn set_capacity(&self, bytes: u64) {
        self.inner().capacity = bytes;
    }

    /// The bytes that all files take, reserved ones included.
    pub fn used(&self) -> u64 {
        self.inner().used()
    }

    /// The bytes that files may still grow by.
    pub fn room(&self) -> u64 {
        let inner = self.inner();
        inner.capacity.saturating_sub(inner.used())
    }

    /// How many zeros a file ends with; 0 where there is no such file.
    pub fn zeros_at_the_end(&self, path: &Path) -> u64 {
        let inner = self.inner();
        inner
            .live
            .get(path)
            .map_or(0, |node| grip(node).live.iter().rev().take_while(|byte| **byte == 0).count() as u64)
    }

    /// Fails the next sync of a file. As kernels do, it drops what was to be synced: later syncs succeed without it, unless it
    /// is written once more.
    pub fn fail_sync(&self) {
        self.inner().sync_fails = true;
    }

    /// From now on each sync, of a file or a folder, takes so many milliseconds.
    pub fn slow(&self, milliseconds: u64) {
        self.inner().sync_takes = milliseconds;
    }

    /// The milliseconds that syncs took since this was asked last.
    pub fn take_delay(&self) -> u64 {
        std::mem::take(&mut self.inner().delay)
    }

    /// Flips an accidental bit on the disk and before the reader's eyes, in one of the files that `may` allows and of which
    /// something is on the disk. Gives the file and the byte's offset; None where there is no such file.
    pub fn flip_bit(&self, may: impl Fn(&Path) -> bool) -> Option<(PathBuf, u64)> {
        let mut guard = self.inner();
        let inner = &mut *guard;
        let shared = |node: &Node| {
            let node = grip(node);
            node.live.len().min(node.durable.len())
        };
        let files: Vec<_> = inner.live.iter().filter(|(path, node)| may(path) && shared(node) > 0).collect();
        let (path, node) = files.get(inner.dice.below(files.len()))?;
        let (at, bit) = (inner.dice.below(shared(node)), 1u8 << inner.dice.below(8));
        let mut node = grip(node);
        node.live[at] ^= bit;
        node.durable[at] ^= bit;
        inner.counts.flipped_bits += 1;
        Some(((*path).clone(), at as u64))
    }

    /// A number that tells the names and bytes which the running system reads from others; it finds differences, no forgers.
    pub fn digest(&self) -> u64 {
        let mut digest = 0xcbf2_9ce4_8422_2325;
        let mut add = |bytes: &[u8]| {
            for word in [bytes.len() as u64, u64::from(crc32fast::hash(bytes))] {
                digest = (digest ^ word).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(29);
            }
        };
        for (path, node) in &self.inner().live {
            add(path.as_os_str().as_encoded_bytes());
            add(&grip(node).live);
        }
        digest
    }

    /// What has happened so far.
    pub fn counts(&self) -> Counts {
        self.inner().counts.clone()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        grip(&self.0)
    }

    /// The disk, for a process that is not dead.
    fn alive(&self) -> io::Result<MutexGuard<'_, Inner>> {
        let inner = self.inner();
        if inner.dead { Err(dead()) } else { Ok(inner) }
    }
}

impl Inner {
    /// Counts an operation; true where the process dies half-way through it.
    fn begin(&mut self, operation: Operation) -> bool {
        *self.counts.operations.entry(operation).or_default() += 1;
        self.dies_in = self.dies_in.map(|n| n - 1);
        self.dead = self.dies_in == Some(0);
        if self.dead {
            *self.counts.deaths.entry(operation).or_default() += 1;
        }
        self.dead
    }

    fn next_process(&mut self) {
        self.generation += 1;
        (self.dead, self.dies_in) = (false, None);
        self.locks.clear();
    }

    fn used(&self) -> u64 {
        self.live.values().map(|node| grip(node).live.len() as u64).sum()
    }

    /// The size up to `wanted` that a file of `size` bytes may have.
    fn allowed(&mut self, size: usize, wanted: usize) -> usize {
        if wanted <= size {
            return wanted;
        }
        let room = self.capacity.saturating_sub(self.used());
        let allowed = wanted.min(size.saturating_add(room as usize));
        self.counts.full += u64::from(allowed < wanted);
        allowed
    }

    /// Counts what of a file arrived and what did not.
    fn lose(&mut self, fault: impl FnOnce(&mut Dice) -> platter::Arrival) {
        let arrival = fault(&mut self.dice);
        self.counts.lost_sectors += arrival.lost;
        self.counts.torn_files += u64::from(arrival.lost > 0 && arrival.arrived > 0);
    }

    /// Makes the first `count` changes of names durable.
    fn sync_names(&mut self, count: usize) {
        self.unsynced.drain(..count).for_each(|naming| naming.apply(&mut self.durable));
    }

    /// Changes names; a death half-way comes before or after it.
    fn rename(&mut self, operation: Operation, naming: Naming) -> io::Result<()> {
        let dies = self.begin(operation);
        if !dies || self.dice.chance(0.5) {
            naming.apply(&mut self.live);
            self.unsynced.push(naming);
        }
        survived(dies)
    }

    fn dir(&self, dir: &Path) -> io::Result<()> {
        if self.dirs.contains(dir) { Ok(()) } else { Err(io::ErrorKind::NotFound.into()) }
    }

    fn node(&self, path: &Path) -> io::Result<Node> {
        self.live.get(path).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

fn dead() -> io::Error {
    io::Error::other("the process is dead")
}

fn survived(dies: bool) -> io::Result<()> {
    if dies { Err(dead()) } else { Ok(()) }
}

impl fmt::Debug for SimDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SimDisk")
    }
}
