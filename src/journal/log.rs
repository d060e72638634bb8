//! The log of one site: appends, and what it does when a segment or the disk is full.

use super::checkpoint::Draft;
use super::disk::{Access, DiskFile, is_full};
use super::frame::{self, Hash, Head, Header, MAX_RECORD_BYTES, Mark, SEGMENT_HEADER_BYTES};
use super::recovery::{self, Recovered};
use super::segments::{Segment, Segments};
use super::upkeep::Upkeep;
use super::{Fault, OpenError, Options};
use crate::engine::time::Wall;
use crate::keeper::ports::{Journal, JournalFault, Turn};
use std::any::Any;
use std::io;
use std::path::Path;

const RESERVE: &str = "reserve";
const NEW_SEGMENT: &str = "segment.new";
/// Less room than this is none.
const LEAST_RESERVE_BYTES: u64 = 64 << 10;

/// The log of one site, and its one writer.
pub struct Log {
    options: Options,
    segments: Segments,
    epoch: u64,
    /// The last sequence given away.
    sequence: u64,
    chain: Hash,
    /// None while the disk is full.
    active: Option<Active>,
    /// When the newest segment was begun.
    created: Wall,
    /// The bytes that stand ready in the reserve file; 0 where there is none.
    reserve: u64,
    /// The record being written; kept for its memory.
    record: Vec<u8>,
    /// None between generations, and after one was given up on a full disk.
    draft: Option<Draft>,
    next_checkpoint: u64,
    upkeep: Upkeep,
    fault: Fault,
    _lock: Box<dyn Any + Send + Sync>,
}

/// The segment that records go to.
struct Active {
    file: Box<dyn DiskFile>,
    mark: Mark,
    offset: u64,
    capacity: u64,
    /// It was the reserve: only life may write here.
    last_resort: bool,
}

/// What came of asking for a new segment.
enum Room {
    Made,
    Full,
}

impl Log {
    /// Opens the journal in `dir` (made where it is missing), recovers it, and begins a new segment.
    pub fn open(dir: &Path, options: Options) -> Result<(Log, Recovered), OpenError> {
        recovery::open(dir, options)
    }

    pub(super) fn new(
        options: Options,
        segments: Segments,
        upkeep: Upkeep,
        fault: Fault,
        lock: Box<dyn Any + Send + Sync>,
    ) -> Log {
        Log {
            chain: frame::genesis(&options.site),
            options,
            segments,
            epoch: 0,
            sequence: 0,
            active: None,
            created: Wall::default(),
            reserve: 0,
            record: Vec::new(),
            draft: None,
            next_checkpoint: 1,
            upkeep,
            fault,
            _lock: lock,
        }
    }

    /// Goes on behind the given sequence and its chain hash. A full disk is no error: life has the reserve.
    pub(super) fn start(
        &mut self,
        epoch: u64,
        (sequence, chain): (u64, Hash),
        created: Wall,
        next_checkpoint: u64,
    ) -> io::Result<()> {
        (self.epoch, self.sequence, self.chain, self.created) = (epoch, sequence, chain, created);
        self.next_checkpoint = next_checkpoint;
        if self.options.reserve_bytes > 0 {
            self.reserve = self.hold_reserve().unwrap_or(0);
        }
        if let Room::Full = self.roll(0)? {
            tracing::warn!("the disk is full: the journal takes only life inputs");
        }
        Ok(())
    }

    /// None where there is none, also since somebody has deleted it.
    fn open_reserve(&self) -> io::Result<Option<Box<dyn DiskFile>>> {
        match self.segments.disk().open(&self.segments.path(RESERVE), Access::Write) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            opened => opened.map(Some),
        }
    }

    /// Brings the reserve file that is there to its whole size, or as far as it goes on a full disk; gives its bytes. Allocated again,
    /// since a copy of the folder may have come without its place.
    fn hold_reserve(&self) -> io::Result<u64> {
        let Some(file) = self.open_reserve()? else { return Ok(0) };
        let mut bytes = self.options.reserve_bytes;
        if let Err(e) = file.allocate(bytes) {
            bytes = if is_full(&e) { file.size()? } else { return Err(e) };
            file.allocate(bytes)?;
        }
        file.sync()?;
        Ok(bytes)
    }

    /// Sees to it that the reserve stands ready; gives whether it is whole. On a full disk it is as large as there is room for: what a
    /// start cuts off the last segment is then life's again, and so is whatever somebody gives back.
    fn make_reserve(&mut self) -> io::Result<bool> {
        let whole = self.options.reserve_bytes;
        if (1..whole).contains(&self.reserve) {
            self.reserve = self.hold_reserve()?;
        }
        let mut bytes = whole;
        while self.reserve == 0 && bytes >= LEAST_RESERVE_BYTES.min(whole) {
            if let Some(file) = allocated(&**self.segments.disk(), &self.segments.path(RESERVE), bytes)? {
                file.sync()?;
                self.reserve = bytes;
            }
            bytes /= 2;
        }
        Ok(self.reserve >= whole)
    }

    /// The segments, for readers on any thread.
    pub fn segments(&self) -> Segments {
        self.segments.clone()
    }

    /// The last sequence that was appended, in this life or an earlier one.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Whether only life turns are written at present, because the disk is full.
    pub fn is_full(&self) -> bool {
        self.active.as_ref().is_none_or(|a| a.last_resort)
    }

    /// Sees to it that a record of `length` bytes has a place. Full: it has none, and nothing has changed for the worse.
    fn make_room(&mut self, length: u64, life: bool) -> io::Result<Room> {
        let fits = |a: &Active| a.offset + length <= a.capacity && (life || !a.last_resort);
        if self.active.as_ref().is_some_and(fits) {
            return Ok(Room::Made);
        }
        match self.roll(length)? {
            Room::Full if life => self.roll_into_reserve(length),
            room => Ok(room),
        }
    }

    /// Begins a new segment of the usual size. The reserve is made first, so that there is no segment without one.
    fn roll(&mut self, length: u64) -> io::Result<Room> {
        if self.options.reserve_bytes > 0 && !self.make_reserve()? {
            return Ok(Room::Full);
        }
        let disk = self.segments.disk().clone();
        let capacity = self.options.segment_bytes.max(SEGMENT_HEADER_BYTES as u64 + length);
        let Some(file) = allocated(&*disk, &self.segments.path(NEW_SEGMENT), capacity)? else { return Ok(Room::Full) };
        self.install(file, NEW_SEGMENT, capacity, false)?;
        Ok(Room::Made)
    }

    /// Makes the reserve the next segment: its place on the disk is its own already.
    fn roll_into_reserve(&mut self, length: u64) -> io::Result<Room> {
        let capacity = self.reserve;
        if SEGMENT_HEADER_BYTES as u64 + length > capacity {
            return Ok(Room::Full);
        }
        self.reserve = 0;
        let Some(file) = self.open_reserve()? else {
            tracing::error!("somebody deleted the reserve file; with this disk full, not even life inputs have room");
            return Ok(Room::Full);
        };
        self.install(file, RESERVE, capacity, true)?;
        tracing::warn!("the disk is full: the journal writes life inputs into its reserve");
        Ok(Room::Made)
    }

    /// Writes the header into an allocated file and makes it the segment that records go to.
    fn install(&mut self, file: Box<dyn DiskFile>, name: &str, capacity: u64, last_resort: bool) -> io::Result<()> {
        self.created = self.created.max((self.options.now)());
        let first = self.sequence + 1;
        let header = Header::new(self.options.site.clone(), first, self.epoch, self.created, self.chain);
        file.write_at(&header.encode(), 0)?;
        file.sync()?;
        if let Some(sealed) = self.active.take() {
            sealed.file.truncate(sealed.offset)?;
        }
        let offset = SEGMENT_HEADER_BYTES as u64;
        self.active = Some(Active { file, mark: header.mark, offset, capacity, last_resort });
        let segment = Segment { first, header: Some(header) };
        self.segments.disk().rename(&self.segments.path(name), &self.segments.path(&segment.name()))?;
        self.segments.disk().sync_dir(self.segments.dir())?;
        self.segments.add(segment);
        Ok(())
    }

    /// Writes and syncs the next record of the chain.
    fn write(&mut self, turn: &Turn) -> io::Result<()> {
        let Some(active) = &mut self.active else { return Err(io::Error::other("no segment is open")) };
        let digests = (frame::hash(&turn.telemetry), frame::hash(&turn.ledger));
        let head = Head::after(&self.chain, self.sequence + 1, self.epoch, digests.0, digests.1);
        self.record.clear();
        frame::encode(&mut self.record, active.mark, &head, Some(&turn.telemetry), &turn.ledger);
        active.file.write_at(&self.record, active.offset)?;
        active.file.sync()?;
        active.offset += self.record.len() as u64;
        self.sequence = head.sequence;
        self.chain = head.chain;
        self.segments.commit(head.sequence);
        Ok(())
    }

    /// Remembers a failure for good: nothing is retried after it.
    fn poisoned(&self, doing: &str, error: &io::Error) -> JournalFault {
        self.fault.set(doing, error);
        self.fault.get().unwrap_or_else(|| JournalFault { what: String::from(doing), full: false })
    }

    fn check(&self) -> Result<(), JournalFault> {
        self.fault.get().map_or(Ok(()), Err)
    }

    /// Takes what a checkpoint's write gave. A full disk gives the generation up, and nothing else: the older ones stand.
    fn checkpointed(&mut self, result: io::Result<()>) -> Result<(), JournalFault> {
        match result {
            Err(e) if is_full(&e) => {
                tracing::warn!("the disk is full: a checkpoint was given up");
                self.abandon_draft();
                Ok(())
            }
            Err(e) => Err(self.poisoned("cannot write a checkpoint", &e)),
            Ok(()) => Ok(()),
        }
    }

    fn abandon_draft(&mut self) {
        if let Some(draft) = self.draft.take() {
            draft.abandon(&**self.segments.disk(), self.segments.dir());
        }
    }
}

/// Makes a file of `bytes` bytes; None, and no file, where the disk is too full.
fn allocated(disk: &dyn super::Disk, path: &Path, bytes: u64) -> io::Result<Option<Box<dyn DiskFile>>> {
    let made = disk.open(path, Access::Create).and_then(|file| file.allocate(bytes).map(|()| file));
    match made {
        Err(e) if is_full(&e) => {
            match disk.remove(path) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
                _ => {}
            }
            Ok(None)
        }
        made => made.map(Some),
    }
}

impl Journal for Log {
    fn append(&mut self, turn: &Turn) -> Result<u64, JournalFault> {
        self.check()?;
        let Some(length) = frame::record_length(turn.telemetry.len(), turn.ledger.len()) else {
            let what = format!("a turn is larger than a record of {MAX_RECORD_BYTES} bytes can hold");
            return Err(JournalFault { what, full: false });
        };
        match self.make_room(length as u64, turn.life) {
            Ok(Room::Made) => {}
            Ok(Room::Full) => return Err(JournalFault { what: String::from("the disk is full"), full: true }),
            Err(e) => return Err(self.poisoned("cannot begin a journal segment", &e)),
        }
        self.write(turn).map_err(|e| self.poisoned("cannot write and sync the journal", &e))?;
        Ok(self.sequence)
    }

    fn has_room(&mut self) -> Result<bool, JournalFault> {
        self.check()?;
        if !self.is_full() {
            return Ok(true);
        }
        match self.roll(0) {
            Ok(room) => Ok(matches!(room, Room::Made)),
            Err(e) => Err(self.poisoned("cannot begin a journal segment", &e)),
        }
    }

    fn begin_checkpoint(&mut self) -> Result<(), JournalFault> {
        self.check()?;
        self.abandon_draft();
        let old = self.active.as_ref().is_some_and(|a| !a.last_resort && a.offset > SEGMENT_HEADER_BYTES as u64)
            && self.created + self.options.segment_age <= (self.options.now)();
        if old {
            self.roll(0).map_err(|e| self.poisoned("cannot begin a journal segment", &e))?;
        }
        let (disk, dir) = (self.segments.disk(), self.segments.dir());
        let made = Draft::create(
            &**disk,
            dir,
            self.next_checkpoint,
            &self.options.site,
            self.epoch,
            self.segments.committed(),
        );
        self.next_checkpoint += 1;
        let made = made.map(|draft| self.draft = Some(draft));
        self.checkpointed(made)
    }

    fn checkpoint(&mut self, subject: u32, included: u64, snapshot: &[u8]) -> Result<(), JournalFault> {
        self.check()?;
        let added = self.draft.as_mut().map_or(Ok(()), |draft| draft.add(subject, included, snapshot));
        self.checkpointed(added)
    }

    fn finish_checkpoint(&mut self) -> Result<(), JournalFault> {
        self.check()?;
        let ended = self.draft.as_mut().map_or(Ok(()), Draft::end);
        self.checkpointed(ended)?;
        let draft = self.draft.take();
        self.upkeep.finish(draft);
        Ok(())
    }
}
