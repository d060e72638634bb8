//! The store's follower on a shelf in memory: what it holds after any number of deaths must be what one pass over the records gives.

use super::process::{Shared, lock, site};
use crate::fleet::Dice;
use crate::journal::Segments;
use crate::keeper::record::Contents;
use crate::service::feed;
use crate::store::{Feed, Known, Row, Shelf, cursor, take_batch};
use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

type Batch = Vec<(Vec<u8>, Option<Vec<u8>>)>;
type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

#[derive(Default)]
struct Inner {
    durable: Rows,
    live: Rows,
    unsynced: VecDeque<Batch>,
}

/// An ordered map in memory, with what of it is on the disk.
#[derive(Clone, Default)]
pub struct SimShelf(Shared<Inner>);

fn put(rows: &mut Rows, batch: &Batch) {
    for (key, row) in batch {
        match row {
            Some(row) => drop(rows.insert(key.clone(), row.clone())),
            None => drop(rows.remove(key)),
        }
    }
}

impl Shelf for SimShelf {
    type Error = Infallible;

    fn read(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Infallible> {
        Ok(lock(&self.0).live.get(key).cloned())
    }

    fn scan(&self, prefix: &[u8]) -> Result<Vec<Row>, Infallible> {
        let inner = lock(&self.0);
        let from = inner.live.range(prefix.to_vec()..).take_while(|(key, _)| key.starts_with(prefix));
        Ok(from.map(|(key, row)| (key.clone(), row.clone())).collect())
    }

    fn apply(&self, batch: Batch) -> Result<(), Infallible> {
        let mut inner = lock(&self.0);
        put(&mut inner.live, &batch);
        inner.unsynced.push_back(batch);
        Ok(())
    }
}

impl SimShelf {
    fn sync(&self) {
        let inner = &mut *lock(&self.0);
        inner.unsynced.drain(..).for_each(|batch| put(&mut inner.durable, &batch));
    }

    /// The process dies: of what was not synced a prefix is there.
    pub fn crash(&self, dice: &mut Dice) {
        let inner = &mut *lock(&self.0);
        let arrived = dice.below(inner.unsynced.len() + 1);
        inner.unsynced.drain(..arrived).for_each(|batch| put(&mut inner.durable, &batch));
        inner.unsynced.clear();
        inner.live = inner.durable.clone();
    }

    /// The keys of what differs from another shelf.
    pub fn differences(&self, other: &SimShelf) -> Vec<Vec<u8>> {
        let (one, other) = (lock(&self.0).live.clone(), lock(&other.0).live.clone());
        let missing = other.iter().filter(|(key, row)| one.get(*key) != Some(*row)).map(|(key, _)| key.clone());
        missing.chain(one.keys().filter(|key| !other.contains_key(*key)).cloned()).collect()
    }
}

/// The follower of one life of the gateway.
pub struct SimFollower {
    shelf: SimShelf,
    known: Known,
    feed: Feed,
    /// Nothing behind it expires.
    durable: Arc<AtomicU64>,
}

/// Passes over what a follower has to do between two syncs, one in so many.
const SYNC_ONE_IN: usize = 4;

impl SimFollower {
    /// Takes up where the shelf stands. `durable` is told how far it has come for good.
    pub fn new(shelf: &SimShelf, segments: &Segments, mut known: Known, durable: Arc<AtomicU64>) -> SimFollower {
        let Ok(()) = known.load(shelf, &site());
        let from = cursor(shelf, &site());
        durable.store(from, Ordering::Release);
        SimFollower { shelf: shelf.clone(), known, feed: feed(segments, from), durable }
    }

    /// Takes in what is committed by now.
    pub fn follow(&mut self, committed: u64, dice: &mut Dice) {
        while let Ok(Some(true)) = take_batch(&self.shelf, &site(), &mut self.known, || (self.feed)(committed)) {}
        if dice.below(SYNC_ONE_IN) == 0 {
            self.shelf.sync();
            self.durable.store(cursor(&self.shelf, &site()), Ordering::Release);
        }
    }
}

/// What one pass over everything that was ever committed gives.
#[derive(Default)]
pub struct Pass {
    pub shelf: SimShelf,
    known: Known,
}

impl Pass {
    /// Takes one record in.
    pub fn take(&mut self, sequence: u64, contents: &Contents) {
        let mut one = Some((sequence, contents.clone()));
        let Ok(_) = take_batch(&self.shelf, &site(), &mut self.known, || one.take());
        self.shelf.sync();
    }
}
