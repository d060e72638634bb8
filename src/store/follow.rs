//! The follower: reads what was committed, at its own pace, and writes it into sled in small batches.

use super::Store;
use super::open::{Held, OpenError, Opened, Options, open};
use super::rows::{Additions, Known, activity_key, bins_row, cursor_key, open_bins};
use crate::engine::id::SiteId;
use crate::keeper::ports::Follow;
use crate::keeper::record::Contents;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;
use tracing::{error, info, warn};

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
/// How often what was written is brought to the disk.
const SYNC_EVERY: Duration = Duration::from_secs(1);

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
    dirty: bool,
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
    let feeds = sites.iter().map(|s| (s.feed)(held.cursor(&s.id))).collect();
    let mut thread = Thread { held, sites, feeds, committed, bell, dirty: true };
    let join = std::thread::Builder::new().name("store".into()).spawn(move || thread.run())?;
    Ok((store, opened, followers, join))
}

impl Thread {
    /// Until every follower is gone.
    fn run(&mut self) {
        loop {
            if let Err(fault) = self.follow() {
                // sled is poisoned after its first error. The journal has everything; the next start builds anew what is lost.
                error!(%fault, "the store failed and rests until the next start; alarms do not depend on it");
                return;
            }
            match self.bell.recv_timeout(SYNC_EVERY) {
                Ok(()) => {}
                Err(RecvTimeoutError::Timeout) => self.sync(),
                Err(RecvTimeoutError::Disconnected) => {
                    self.sync();
                    info!("the store has followed to the end");
                    return;
                }
            }
        }
    }

    fn follow(&mut self) -> Result<(), sled::Error> {
        for (place, site) in self.sites.iter_mut().enumerate() {
            let committed = self.committed[place].load(Ordering::Acquire);
            let mut additions = Additions::default();
            let mut last = None;
            while let Some((sequence, contents)) = (self.feeds[place])(committed) {
                additions.add(&site.id, sequence, &contents, &mut site.known);
                last = Some(sequence);
                if additions.rows.len() + additions.activity.len() >= BATCH {
                    write(&self.held, site, std::mem::take(&mut additions), last.take())?;
                    self.dirty = true;
                }
            }
            if last.is_some() {
                write(&self.held, site, additions, last)?;
                self.dirty = true;
            }
        }
        Ok(())
    }

    fn sync(&mut self) {
        if !std::mem::take(&mut self.dirty) {
            return;
        }
        let cursors: BTreeMap<String, u64> =
            self.sites.iter().map(|s| (s.id.to_string(), self.held.cursor(&s.id))).collect();
        match self.held.sync(&cursors) {
            Ok(()) => {
                for site in &self.sites {
                    site.cursor.store(cursors[site.id.as_str()], Ordering::Release);
                }
            }
            Err(fault) => warn!(%fault, "the store could not be synced; it is tried again"),
        }
    }
}

/// Writes additions in batches; the cursor goes into the last.
fn write(held: &Held, site: &Site, additions: Additions, last: Option<u64>) -> Result<(), sled::Error> {
    let mut rows = additions.rows;
    for ((home, day), more) in additions.activity {
        let key = activity_key(&home, day);
        let mut bins = held.db().get(&key)?.and_then(|row| open_bins(&row)).unwrap_or_default();
        bins.iter_mut().zip(more).for_each(|(bin, n)| *bin = bin.saturating_add(n));
        rows.push((key, bins_row(&bins).to_vec()));
    }
    rows.extend(last.map(|sequence| (cursor_key(&site.id), sequence.to_be_bytes().to_vec())));
    for some in rows.chunks(BATCH) {
        let mut batch = sled::Batch::default();
        some.iter().for_each(|(key, row)| batch.insert(key.as_slice(), row.as_slice()));
        held.db().apply_batch(batch)?;
    }
    Ok(())
}
