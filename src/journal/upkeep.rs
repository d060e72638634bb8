//! What need not happen on the keeper's thread: the sync of a finished checkpoint, and then letting go of what has expired.
//! One helper thread, at most one piece of work waiting for it.

use super::checkpoint::{self, Draft};
use super::disk::{Access, is_full};
use super::frame::{self, Header};
use super::segments::{Segment, Segments};
use super::tape::{Found, Tape};
use super::{Fault, Options};
use crate::engine::time::{Millis, Wall};
use std::io;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

/// How many complete generations stay.
const KEPT_GENERATIONS: usize = 2;
/// Bytes gathered before they go to a rewritten segment.
const BUFFER_BYTES: usize = 1 << 20;

/// Hands work over; with a thread of its own or, for a simulator that wants one thread only, on the caller's.
pub(super) enum Upkeep {
    Thread { work: Option<SyncSender<Option<Draft>>>, thread: Option<JoinHandle<()>> },
    Inline(Box<Worker>),
}

impl Upkeep {
    pub fn new(worker: Worker) -> io::Result<Upkeep> {
        if !worker.options.background {
            return Ok(Upkeep::Inline(Box::new(worker)));
        }
        let (work, jobs) = sync_channel(1);
        let thread = std::thread::Builder::new().name("journal-upkeep".into()).spawn(move || worker.serve(&jobs))?;
        Ok(Upkeep::Thread { work: Some(work), thread: Some(thread) })
    }

    /// Completes a generation (None: there is none, the disk was full) and clears up after it. Waits only where two
    /// earlier ones are still unfinished.
    pub fn finish(&mut self, draft: Option<Draft>) {
        match self {
            Upkeep::Inline(worker) => worker.finish(draft),
            // A thread that has ended has left its fault behind.
            Upkeep::Thread { work, .. } => drop(work.as_ref().map(|w| w.send(draft))),
        }
    }
}

impl Drop for Upkeep {
    fn drop(&mut self) {
        if let Upkeep::Thread { work, thread } = self {
            drop(work.take());
            drop(thread.take().map(JoinHandle::join));
        }
    }
}

/// Does the work.
pub(super) struct Worker {
    pub options: Options,
    pub segments: Segments,
    pub fault: Fault,
    /// The complete generations, oldest first: number, and first sequence that must be folded.
    pub kept: Vec<(u64, u64)>,
}

impl Worker {
    fn serve(mut self, jobs: &Receiver<Option<Draft>>) {
        while let Ok(draft) = jobs.recv() {
            self.finish(draft);
        }
    }

    fn finish(&mut self, draft: Option<Draft>) {
        if self.fault.get().is_some() {
            return;
        }
        if let Some(draft) = draft {
            match draft.publish(&**self.segments.disk(), self.segments.dir()) {
                Ok(()) => self.kept.push((draft.number, draft.fold_from)),
                Err(e) if is_full(&e) => {
                    tracing::warn!("the disk is full: a checkpoint was given up");
                    draft.abandon(&**self.segments.disk(), self.segments.dir());
                }
                Err(e) => return self.fault.set("cannot sync a checkpoint", &e),
            }
        }
        if let Err(e) = self.clear_up() {
            tracing::warn!(error = %e, "the journal's old files could not be cleared up; tried again after the next checkpoint");
        }
    }

    fn clear_up(&mut self) -> io::Result<()> {
        self.drop_generations()?;
        let needed = self.needed_from();
        let now = (self.options.now)();
        self.drop_expired(needed, now)?;
        self.strip_one(needed, now)
    }

    fn drop_generations(&mut self) -> io::Result<()> {
        let excess = self.kept.len().saturating_sub(KEPT_GENERATIONS);
        self.kept.drain(..excess);
        let (disk, dir) = (self.segments.disk(), self.segments.dir());
        let newest = self.kept.last().map_or(0, |k| k.0);
        for number in checkpoint::numbers(&disk.list(dir)?) {
            if number < newest && !self.kept.iter().any(|k| k.0 == number) {
                disk.remove(&self.segments.path(&checkpoint::file_name(number)))?;
            }
        }
        Ok(())
    }

    /// The first sequence that a kept generation or the follower may still ask for: everything, until there are two generations.
    fn needed_from(&self) -> u64 {
        if self.kept.len() < KEPT_GENERATIONS {
            return 0;
        }
        let follower = self.options.follower.as_ref().map(|f| f.load(Ordering::Acquire).saturating_add(1));
        self.kept.iter().map(|k| k.1).chain(follower).min().unwrap_or(0)
    }

    /// Whether all of a segment is older than `age` and behind `needed`. The segments after it tell: its last record is
    /// older than the next of them. The newest segment of all never expires.
    fn expired(age: Option<Millis>, following: &[Segment], needed: u64, now: Wall) -> bool {
        let behind = following.first().is_some_and(|next| next.first <= needed);
        let created = following.iter().find_map(|s| s.header.as_ref()).map(|h| h.created);
        behind && age.zip(created).is_some_and(|(age, created)| created + age <= now)
    }

    fn drop_expired(&self, needed: u64, now: Wall) -> io::Result<()> {
        loop {
            let name = {
                let mut list = self.segments.list();
                let following = list.get(1..).unwrap_or_default();
                if !Self::expired(self.options.keep_ledger, following, needed, now) {
                    return Ok(());
                }
                list.remove(0).name()
            };
            self.segments.disk().remove(&self.segments.path(&name))?;
            self.segments.disk().sync_dir(self.segments.dir())?;
            tracing::info!(file = name, "a journal segment has expired");
        }
    }

    /// Takes the telemetry out of the oldest segment whose telemetry has expired; one each time, so that the disk stays quick.
    fn strip_one(&self, needed: u64, now: Wall) -> io::Result<()> {
        let list = self.segments.snapshot();
        let expired = (1..).zip(&list).find_map(|(next, segment)| {
            let header = segment.header.clone().filter(|h| !h.stripped)?;
            Self::expired(self.options.keep_telemetry, &list[next..], needed, now).then_some(header)
        });
        let Some(header) = expired else { return Ok(()) };
        let name = Segment { first: header.first, header: None }.name();
        let passing = self.segments.path("stripped.new");
        let disk = self.segments.disk();
        let header = Header { stripped: true, ..header };
        if let Err(e) = self.rewrite(&name, &header) {
            let _ = disk.remove(&passing);
            return Err(e);
        }
        disk.rename(&passing, &self.segments.path(&name))?;
        disk.sync_dir(self.segments.dir())?;
        if let Some(listed) = self.segments.list().iter_mut().find(|s| s.first == header.first) {
            listed.header = Some(header);
        }
        tracing::info!(file = name, "the telemetry of a journal segment has expired");
        Ok(())
    }

    /// Copies a segment's records without their telemetry, and syncs the copy. A broken place becomes a gap, which verify tells.
    fn rewrite(&self, name: &str, header: &Header) -> io::Result<()> {
        let disk = self.segments.disk();
        let mut tape = Tape::new(disk.open(&self.segments.path(name), Access::Read)?, Some(header.mark))?;
        let copy = disk.open(&self.segments.path("stripped.new"), Access::Create)?;
        let (mut buffer, mut written) = (header.encode(), 0);
        loop {
            let found = tape.next()?;
            if let Found::Frame(frame) = &found {
                let kept = frame.telemetry.as_deref().filter(|t| t.is_empty());
                frame::encode(&mut buffer, header.mark, &frame.head, kept, &frame.ledger);
            }
            let end = matches!(found, Found::End { .. });
            if end || buffer.len() >= BUFFER_BYTES {
                copy.write_at(&buffer, written)?;
                written += buffer.len() as u64;
                buffer.clear();
            }
            if end {
                return copy.sync();
            }
        }
    }
}
