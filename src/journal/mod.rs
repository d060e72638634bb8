//! What happened at one site, in order, for good: segments, checkpoints, recovery, verify, sealed fields.
//!
//! The room knows nothing of what its blocks mean. One folder per site holds
//!
//! - `NNN.seg`: segments, named by the sequence of their first record. Records are appended with one write and one
//!   `fdatasync` each, into space that was reserved before, and are chained by hashes;
//! - `NNN.ckp`: the last two complete checkpoint generations;
//! - `reserve`: the next segment of a full disk, for life only.
//!
//! Anything named `*.new` was never finished and goes at the next start. The keys of sealed fields lie elsewhere ([`vault`]).
//!
//! **A failed write or sync is never retried**, and nothing that was not synced is ever read: after a failure the log refuses
//! everything, the process leaves, and the next start recovers.
//!
//! Reading order: [`frame`] (bytes of a record), [`tape`] (one file), [`segments`] and [`reader`] (all files), [`log`]
//! (appending), [`checkpoint`], [`upkeep`] (expiry), [`recovery`], [`verify`]; [`disk`] is below them all.

mod checkpoint;
pub mod disk;
mod frame;
mod log;
mod reader;
mod recovery;
mod segments;
mod tape;
mod upkeep;
pub mod vault;
mod verify;

pub use checkpoint::Snapshot;
pub use disk::{Disk, RealDisk};
pub use frame::{Hash, MAX_RECORD_BYTES};
pub use log::Log;
pub use reader::{Entry, Reader, Record};
pub use recovery::Recovered;
pub use segments::Segments;
pub use verify::Report;

use crate::engine::id::SiteId;
use crate::engine::time::{Millis, Wall};
use crate::keeper::ports::JournalFault;
use std::fmt;
use std::io;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock};

/// How a journal is kept.
#[derive(Clone)]
pub struct Options {
    pub site: SiteId,
    pub disk: Arc<dyn Disk>,
    /// The wall clock, for the age of segments and nothing else.
    pub now: Arc<dyn Fn() -> Wall + Send + Sync>,
    /// How much is reserved for a segment; a new one begins when it is used up.
    pub segment_bytes: u64,
    /// A segment that is older is ended at the next checkpoint, so that it can expire. Whole segments expire, up to this late.
    pub segment_age: Millis,
    /// How much is held back for life on a full disk; 0 for nothing.
    pub reserve_bytes: u64,
    /// How long telemetry is kept; None for ever.
    pub keep_telemetry: Option<Millis>,
    /// How long the ledger is kept; None for ever. What falls due first takes the telemetry with it.
    pub keep_ledger: Option<Millis>,
    /// The last sequence that the follower has taken in; nothing behind it expires. None where nobody follows.
    pub follower: Option<Arc<AtomicU64>>,
    /// Checkpoints are synced and old files cleared up on a thread of the log's own; false for a simulator.
    pub background: bool,
}

impl Options {
    /// The usual: segments of 64 MiB or a week, a reserve of 16 MiB, everything kept for ever.
    pub fn new(site: SiteId, now: Arc<dyn Fn() -> Wall + Send + Sync>) -> Options {
        Options {
            site,
            disk: Arc::new(RealDisk),
            now,
            segment_bytes: 64 << 20,
            segment_age: Millis::from_mins(7 * 24 * 60),
            reserve_bytes: 16 << 20,
            keep_telemetry: None,
            keep_ledger: None,
            follower: None,
            background: true,
        }
    }
}

/// Synced data that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The file's name in the journal's folder.
    pub file: String,
    /// Where in the file, in bytes.
    pub offset: u64,
    pub flaw: Flaw,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flaw {
    /// The segment's header is unreadable.
    Header,
    /// What stands here is no whole record, and more follows it.
    Record,
    /// These records are not there, both ends included.
    Missing { from: u64, to: u64 },
    /// A block is not the one that its record was written with.
    Digest { sequence: u64 },
    /// The record does not follow the one before it.
    Chain { sequence: u64 },
    /// The checkpoint is not whole; an older one was used.
    Checkpoint,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Damage { file, offset, flaw } = self;
        match flaw {
            Flaw::Header => write!(f, "{file}: the segment's header is unreadable"),
            Flaw::Record => write!(f, "{file}: a broken record at byte {offset}"),
            Flaw::Missing { from, to } => write!(f, "{file}: records {from} to {to} are missing at byte {offset}"),
            Flaw::Digest { sequence } => write!(f, "{file}: record {sequence} does not match its digests"),
            Flaw::Chain { sequence } => write!(f, "{file}: record {sequence} does not follow the one before it"),
            Flaw::Checkpoint => write!(f, "{file}: a checkpoint is broken at byte {offset}"),
        }
    }
}

/// Why a journal cannot be opened.
#[derive(Debug)]
pub enum OpenError {
    /// Another process has it open.
    Locked,
    /// The folder holds the journal of another site.
    OtherSite {
        found: SiteId,
    },
    /// A newer program wrote it.
    Newer {
        file: String,
    },
    Io {
        what: &'static str,
        source: io::Error,
    },
}

impl OpenError {
    fn io(what: &'static str) -> impl FnOnce(io::Error) -> OpenError {
        move |source| OpenError::Io { what, source }
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OpenError::Locked => f.write_str("another process has the journal open"),
            OpenError::OtherSite { found } => write!(f, "the folder holds the journal of site {found}"),
            OpenError::Newer { file } => write!(f, "{file} was written by a newer version of this program"),
            OpenError::Io { what, source } => write!(f, "{what}: {source}"),
        }
    }
}

impl std::error::Error for OpenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            OpenError::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}

/// The first failure of the log or its helper, which every later call gives again. Never `full`: there is no going on.
#[derive(Debug, Clone, Default)]
struct Fault(Arc<OnceLock<String>>);

impl Fault {
    fn set(&self, doing: &str, error: &io::Error) {
        // Only the first counts.
        let _ = self.0.set(format!("{doing}: {error}"));
    }

    fn get(&self) -> Option<JournalFault> {
        self.0.get().map(|what| JournalFault { what: what.clone(), full: false })
    }
}
