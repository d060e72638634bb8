//! The follower: reads what was committed, at its own pace, and writes it onto a shelf (sled's, or the simulator's) in small batches.

use super::Store;
use super::open::{Held, OpenError, Opened, Options, open};
use super::rows::{Additions, Known, activity_key, bins_row, cursor_key, open_bins};
use crate::engine::id::SiteId;
use crate::keeper::ports::Follow;
use crate::keeper::record::Contents;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;
use tracing::{error, info};

/// Gives a site's committed records in order: sequence and contents. None where there is no further one up to `committed`.
pub type Feed = Box<dyn FnMut(u64) -> Option<(u64, Contents)> + Send>;

/// A site that is followed.
pub struct Site {
    pub id: SiteId,
    /// Makes the feed that begins behind a cursor.
    pub feed: Box<dyn Fn(u64) -> Feed + Send>,
    pub known: Known,
    /// The last sequence taken in: nothing behind it may expire.
    pub cursor: Arc<AtomicU64>,
    /// The last sequence that is committed already.
    pub committed: u64,
}

/// Operations of one batch: beyond some 500 sled's memory balloons.
const BATCH: usize = 200;
/// What was written is brought to the disk in the first quiet second, and where there is none after so many batches or rounds: each
/// batch that waits makes the next sync longer.
const QUIET: Duration = Duration::from_secs(1);
const BATCHES: usize = 200;
const ROUNDS: usize = 20;
/// After it has followed, the thread rests so long: of a flood it then takes whole batches, and not each record of a few messages as
/// a batch of its own.
const REST: Duration = Duration::from_millis(100);

/// What the follower writes onto: an ordered map of bytes. Of what was not synced a prefix of the batches survives a crash.
pub trait Shelf {
    type Error;

    fn read(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Self::Error>;

    /// Every row whose key begins so, in order.
    fn scan(&self, prefix: &[u8]) -> Result<Vec<Row>, Self::Error>;

    /// Puts rows in (None: takes them out), all of them or none.
    fn apply(&self, batch: Vec<(Vec<u8>, Option<Vec<u8>>)>) -> Result<(), Self::Error>;
}

/// A key and what stands there.
pub type Row = (Vec<u8>, Vec<u8>);

impl Shelf for sled::Db {
    type Error = sled::Error;

    fn read(&self, key: &[u8]) -> Result<Option<Vec<u8>>, sled::Error> {
        Ok(self.get(key)?.map(|row| row.to_vec()))
    }

    fn scan(&self, prefix: &[u8]) -> Result<Vec<Row>, sled::Error> {
        self.scan_prefix(prefix).map(|row| row.map(|(key, value)| (key.to_vec(), value.to_vec()))).collect()
    }

    fn apply(&self, rows: Vec<(Vec<u8>, Option<Vec<u8>>)>) -> Result<(), sled::Error> {
        let mut batch = sled::Batch::default();
        for (key, row) in rows {
            match row {
                Some(row) => batch.insert(key, row),
                None => batch.remove(key),
            }
        }
        self.apply_batch(batch)
    }
}

/// The keeper's side: says that there is something to follow. Never blocks.
pub struct Follower {
    site: usize,
    committed: Arc<Vec<AtomicU64>>,
    bell: SyncSender<()>,
}

impl Follow for Follower {
    fn committed(&mut self, sequence: u64) {
        self.committed[self.site].store(sequence, Ordering::Release);
        // A full bell has rung already; a follower that is gone is told of elsewhere.
        if let Err(TrySendError::Full(()) | TrySendError::Disconnected(())) = self.bell.try_send(()) {}
    }
}

struct Thread {
    held: Held,
    sites: Vec<Site>,
    feeds: Vec<Feed>,
    committed: Arc<Vec<AtomicU64>>,
    bell: Receiver<()>,
    /// Batches since the last sync.
    unsynced: usize,
}

/// Opens the store and starts to follow. Gives the store, what became of it at opening, and a [`Follower`] for each site.
///
/// # Errors
/// Where the store cannot be opened for now; the service goes on without one.
pub fn start(
    options: &Options,
    stamp: &str,
    sites: Vec<Site>,
) -> Result<(Store, Opened, Vec<Follower>, JoinHandle<()>), OpenError> {
    let (held, opened) = open(options, stamp)?;
    let store = held.store.clone();
    let committed = Arc::new(sites.iter().map(|s| AtomicU64::new(s.committed)).collect::<Vec<_>>());
    let (ring, bell) = sync_channel(1);
    let followers =
        (0..sites.len()).map(|site| Follower { site, committed: committed.clone(), bell: ring.clone() }).collect();
    let mut sites = sites;
    for site in &mut sites {
        site.known.load(held.db(), &site.id).map_err(OpenError::Sled)?;
    }
    let feeds = sites.iter().map(|s| (s.feed)(held.cursor(&s.id))).collect();
    let mut thread = Thread { held, sites, feeds, committed, bell, unsynced: 1 };
    let work = move || {
        // Where sled finds damage while it runs it fails by a panic.
        let fault = match catch_unwind(AssertUnwindSafe(|| thread.run())) {
            Ok(Ok(())) => return info!("the store has followed to the end"),
            Ok(Err(fault)) => fault.to_string(),
            Err(_) => "sled failed".to_owned(),
        };
        error!(fault, "the store failed and rests until the next start; alarms do not depend on it");
    };
    let join = std::thread::Builder::new().name("store".into()).spawn(work)?;
    Ok((store, opened, followers, join))
}

impl Thread {
    /// Until every follower is gone, or the store fails: sled is poisoned after its first error. The journal has everything, and the
    /// next start builds anew what is lost.
    fn run(&mut self) -> Result<(), OpenError> {
        for round in 1_usize.. {
            self.follow()?;
            if round.is_multiple_of(ROUNDS) {
                self.sync()?;
            }
            std::thread::park_timeout(REST);
            match self.bell.recv_timeout(QUIET) {
                Ok(()) => {}
                Err(RecvTimeoutError::Timeout) => self.sync()?,
                Err(RecvTimeoutError::Disconnected) => return self.sync(),
            }
        }
        Ok(())
    }

    fn follow(&mut self) -> Result<(), OpenError> {
        for place in 0..self.sites.len() {
            while self.follow_some(place)? {}
        }
        Ok(())
    }

    /// Takes one batch of a site in; false where that was all there is.
    fn follow_some(&mut self, place: usize) -> Result<bool, OpenError> {
        let (site, feed) = (&mut self.sites[place], &mut self.feeds[place]);
        let committed = self.committed[place].load(Ordering::Acquire);
        let taken = take_batch(self.held.db(), &site.id, &mut site.known, || feed(committed));
        let Some(more) = taken.map_err(OpenError::Sled)? else { return Ok(false) };
        self.unsynced += 1;
        if self.unsynced >= BATCHES {
            self.sync()?;
        }
        Ok(more)
    }

    fn sync(&mut self) -> Result<(), OpenError> {
        if std::mem::take(&mut self.unsynced) == 0 {
            return Ok(());
        }
        let cursors: BTreeMap<String, u64> =
            self.sites.iter().map(|s| (s.id.to_string(), self.held.cursor(&s.id))).collect();
        self.held.sync(&cursors)?;
        for site in &self.sites {
            site.cursor.store(cursors[site.id.as_str()], Ordering::Release);
        }
        Ok(())
    }
}

/// Takes the next records of a site onto the shelf, as many as one batch holds: whether there may be more, or None where there was
/// nothing.
///
/// # Errors
/// Those of the shelf.
pub fn take_batch<S: Shelf>(
    shelf: &S,
    site: &SiteId,
    known: &mut Known,
    mut next: impl FnMut() -> Option<(u64, Contents)>,
) -> Result<Option<bool>, S::Error> {
    let mut additions = Additions::default();
    let mut last = None;
    while additions.len() < BATCH {
        let Some((sequence, contents)) = next() else { break };
        additions.add(site, sequence, &contents, known);
        last = Some(sequence);
    }
    let Some(last) = last else { return Ok(None) };
    let more = additions.len() >= BATCH;
    write(shelf, site, additions, last)?;
    Ok(Some(more))
}

/// Writes additions in batches. The rows first: written again after a crash, they are the same. What is not, counts and open alarms,
/// goes into one batch with the cursor.
fn write<S: Shelf>(shelf: &S, site: &SiteId, additions: Additions, last: u64) -> Result<(), S::Error> {
    let mut rows = additions.rows.into_iter().peekable();
    while rows.peek().is_some() {
        shelf.apply(rows.by_ref().take(BATCH).collect())?;
    }
    let mut batch = Vec::new();
    for ((home, day), more) in additions.activity {
        let key = activity_key(&home, day);
        let mut bins = shelf.read(&key)?.and_then(|row| open_bins(&row)).unwrap_or_default();
        bins.iter_mut().zip(more).for_each(|(bin, n)| *bin = bin.saturating_add(n));
        batch.push((key, Some(bins_row(&bins))));
    }
    batch.extend(additions.open.into_iter().map(|(key, alarm)| (key, alarm.map(|n| n.to_be_bytes().to_vec()))));
    batch.push((cursor_key(site), Some(last.to_be_bytes().to_vec())));
    shelf.apply(batch)
}

/// The last sequence of the site that is on the shelf; 0 for none.
pub fn cursor<S: Shelf>(shelf: &S, site: &SiteId) -> u64 {
    let stored = shelf.read(&cursor_key(site)).ok().flatten();
    stored.and_then(|v| v.as_slice().try_into().ok()).map_or(0, u64::from_be_bytes)
}
