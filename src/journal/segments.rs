//! Which segments there are, and how far they are committed: shared by the log, its upkeep and every reader.

use super::disk::{Access, Disk};
use super::frame::{BadHeader, Hash, Header, SEGMENT_HEADER_BYTES};
use super::reader::Reader;
use super::tape::Tape;
use super::{Damage, Flaw, OpenError};
use crate::engine::id::SiteId;
use std::any::Any;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

const SUFFIX: &str = ".seg";

/// One segment file.
#[derive(Debug, Clone)]
pub(super) struct Segment {
    /// The sequence of its first record: its name.
    pub first: u64,
    /// None where the header is unreadable; the records may still be read.
    pub header: Option<Header>,
}

impl Segment {
    pub fn name(&self) -> String {
        format!("{:020}{SUFFIX}", self.first)
    }
}

/// A handle on the segments of one site, for any thread. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Segments(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    /// In order; a file stands here from before its first record until after its last use.
    list: Mutex<Vec<Segment>>,
    /// The last sequence that was synced; nobody reads beyond it.
    committed: AtomicU64,
    /// Held where no log holds it.
    _lock: Option<Box<dyn Any + Send + Sync>>,
}

impl Segments {
    /// Opens a journal that no process has open, to look at it and change nothing; keeps others out until it is dropped.
    /// What a torn tail cut short is not among its records.
    pub fn read_only(disk: Arc<dyn Disk>, dir: &Path) -> Result<Segments, OpenError> {
        let lock = disk.lock(dir).map_err(OpenError::io("cannot lock the journal"))?.ok_or(OpenError::Locked)?;
        Segments::as_it_stands(disk, dir, Some(lock))
    }

    /// Opens a journal that a running service may have open, to look at what it holds at this moment. A segment that expires
    /// meanwhile cannot be read any more.
    pub fn beside_its_owner(disk: Arc<dyn Disk>, dir: &Path) -> Result<Segments, OpenError> {
        Segments::as_it_stands(disk, dir, None)
    }

    fn as_it_stands(
        disk: Arc<dyn Disk>,
        dir: &Path,
        lock: Option<Box<dyn Any + Send + Sync>>,
    ) -> Result<Segments, OpenError> {
        let segments = Segments::load(disk, dir, None, lock, &mut Vec::new())?;
        let tail = segments.tail().map_err(OpenError::io("cannot read the journal"))?;
        segments.commit(tail.map_or(0, |t| t.last));
        Ok(segments)
    }

    /// Reads the segments' names and headers; what is wrong with them goes to `damage`.
    pub(super) fn load(
        disk: Arc<dyn Disk>,
        dir: &Path,
        site: Option<&SiteId>,
        lock: Option<Box<dyn Any + Send + Sync>>,
        damage: &mut Vec<Damage>,
    ) -> Result<Segments, OpenError> {
        let names = disk.list(dir).map_err(OpenError::io("cannot list the journal"))?;
        let mut list = Vec::new();
        for first in names.iter().filter_map(|n| numbered(n, SUFFIX)) {
            let mut segment = Segment { first, header: None };
            match read_header(&*disk, &dir.join(segment.name())).unwrap_or(Err(BadHeader::Unreadable)) {
                Err(BadHeader::Newer) => return Err(OpenError::Newer { file: segment.name() }),
                Ok(header) if site.is_some_and(|s| *s != header.site) => {
                    return Err(OpenError::OtherSite { found: header.site });
                }
                Ok(header) if header.first == first => segment.header = Some(header),
                _ => damage.push(Damage { file: segment.name(), offset: 0, flaw: Flaw::Header }),
            }
            list.push(segment);
        }
        list.sort_by_key(|s| s.first);
        let committed = AtomicU64::new(0);
        Ok(Segments(Arc::new(Inner { disk, dir: dir.into(), list: Mutex::new(list), committed, _lock: lock })))
    }

    /// The first sequence that is kept; with [`Segments::base`] where the kept chain begins. None in an empty journal.
    pub fn first(&self) -> Option<u64> {
        self.list().first().map(|s| s.first)
    }

    /// The chain hash before the first record that is kept.
    pub fn base(&self) -> Option<Hash> {
        self.list().first()?.header.as_ref().map(|h| h.base)
    }

    /// The last sequence that survives a power cut; 0 before the first.
    pub fn committed(&self) -> u64 {
        self.0.committed.load(Ordering::Acquire)
    }

    /// The bytes that the segment files take, what is reserved in them included.
    pub fn bytes(&self) -> io::Result<u64> {
        let list = self.snapshot();
        list.iter().map(|s| self.0.disk.open(&self.path(&s.name()), Access::Read)?.size()).sum()
    }

    /// A reader that begins with the record `from`.
    pub fn reader(&self, from: u64) -> Reader {
        Reader::new(self.clone(), from)
    }

    pub(super) fn commit(&self, sequence: u64) {
        self.0.committed.store(sequence, Ordering::Release);
    }

    pub(super) fn list(&self) -> MutexGuard<'_, Vec<Segment>> {
        self.0.list.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn snapshot(&self) -> Vec<Segment> {
        self.list().clone()
    }

    pub(super) fn disk(&self) -> &Arc<dyn Disk> {
        &self.0.disk
    }

    pub(super) fn dir(&self) -> &Path {
        &self.0.dir
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.dir.join(name)
    }

    /// Adds the newest segment, in the place of an empty one of the same name.
    pub(super) fn add(&self, segment: Segment) {
        let mut list = self.list();
        list.retain(|s| s.first < segment.first);
        list.push(segment);
    }

    /// Takes a segment out of the list; who reads it still has it open.
    pub(super) fn forget(&self, first: u64) {
        self.list().retain(|s| s.first != first);
    }

    /// The segment that holds a sequence, or would: the last that begins at or before it, else the first of all.
    pub(super) fn holding(&self, sequence: u64) -> io::Result<Option<(Segment, Tape)>> {
        let list = self.list();
        self.open(list.iter().rfind(|s| s.first <= sequence).or(list.first()))
    }

    /// The segment after the one that begins at `first`.
    pub(super) fn following(&self, first: u64) -> io::Result<Option<(Segment, Tape)>> {
        let list = self.list();
        self.open(list.iter().find(|s| s.first > first))
    }

    /// Called with the list locked, so that no file goes between being found and being opened.
    fn open(&self, segment: Option<&Segment>) -> io::Result<Option<(Segment, Tape)>> {
        let Some(segment) = segment else { return Ok(None) };
        let file = self.0.disk.open(&self.path(&segment.name()), Access::Read)?;
        let tape = Tape::new(file, segment.header.as_ref().map(|h| h.mark))?;
        Ok(Some((segment.clone(), tape)))
    }
}

/// The number that a file of the journal is named by.
pub(super) fn numbered(name: &str, suffix: &str) -> Option<u64> {
    name.strip_suffix(suffix).filter(|digits| digits.len() == 20)?.parse().ok()
}

fn read_header(disk: &dyn Disk, path: &Path) -> io::Result<Result<Header, BadHeader>> {
    let file = disk.open(path, Access::Read)?;
    let mut bytes = [0; SEGMENT_HEADER_BYTES];
    let mut filled = 0;
    while filled < bytes.len() {
        match file.read_at(&mut bytes[filled..], filled as u64)? {
            0 => break,
            n => filled += n,
        }
    }
    Ok(Header::decode(&bytes[..filled]))
}
