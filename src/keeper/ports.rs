//! What the keeper asks of the rooms around it: the traits, and the plain data that cross them.

use crate::engine::change::Raw;
use crate::engine::delivery::Outcome;
use crate::engine::id::{NoticeId, SourceId};
pub use crate::engine::parcel::{
    AlarmNotice, Content, Digest, DigestLine, NoticeType, Parcel, Person, Personal, PersonalContact,
};
use crate::engine::reading::Report;
use crate::engine::registry::{Home, Registry, Resident, Responder, ResponderDetails};
use crate::engine::sealed::Sealed;
use crate::engine::time::{Tick, Wall};
use bytes::Bytes;
use std::fmt;
use std::sync::Arc;

/// Which way a message came in. Life is taken first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    Life,
    Bulk,
}

impl Lane {
    pub fn name(self) -> &'static str {
        match self {
            Lane::Life => "life",
            Lane::Bulk => "bulk",
        }
    }
}

/// What a session needs to find the acknowledgement that a message waits for. A token of an earlier connection is void.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Token {
    pub lane: Lane,
    pub connection: u32,
    pub serial: u64,
}

/// One message as the broker delivered it.
#[derive(Debug, Clone)]
pub struct Delivery {
    pub lane: Lane,
    pub topic: String,
    pub payload: Bytes,
    pub retain: bool,
    /// The broker has delivered it before: only such a one can have been worked on at a death of the process.
    pub dup: bool,
    /// On the bulk lane: the life lane has it too, for certain. It is acknowledged and otherwise passed over.
    pub copy: bool,
    /// None where nothing waits for an acknowledgement (QoS 0).
    pub token: Option<Token>,
}

/// Told after the sync of the record that holds the messages; may not block.
pub trait Acknowledge: Send {
    fn durable(&mut self, tokens: &[Token]);
}

/// The way out. May not block; what comes of a parcel returns through the keeper's handle as an [`Outcome`].
pub trait Dispatch: Send {
    fn send(&mut self, parcel: Parcel);
}

/// What the courier calls when an attempt is over: notice, attempt, outcome.
pub type OnOutcome = Arc<dyn Fn(NoticeId, u32, Outcome) + Send + Sync>;

/// One turn, encoded: what the journal writes as one record.
#[derive(Debug, Clone, Default)]
pub struct Turn {
    /// Packed readings; expire in months.
    pub telemetry: Vec<u8>,
    /// Everything else; kept for years.
    pub ledger: Vec<u8>,
    /// The record holds an alarm or its escalation: it may use the reserve of a full disk.
    pub life: bool,
}

/// Why the journal cannot go on. Never retried: the process leaves, and recovers at the next start.
#[derive(Debug)]
pub struct JournalFault {
    pub what: String,
    /// The disk (or the reserve that this turn may use) is full.
    pub full: bool,
}

impl fmt::Display for JournalFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for JournalFault {}

/// The log of one site. One writer.
pub trait Journal: Send {
    /// Appends one record of at most 1 MiB and syncs it; gives its sequence. When it returns, the record survives a power cut.
    fn append(&mut self, turn: &Turn) -> Result<u64, JournalFault>;

    /// Whether turns without a call for help have a place too; tries to make one. False on a full disk, where the reserve is for life.
    fn has_room(&mut self) -> Result<bool, JournalFault>;

    /// Begins a new checkpoint generation that holds everything up to the given sequence at the earliest.
    fn begin_checkpoint(&mut self) -> Result<(), JournalFault>;

    /// Puts one snapshot (a home's, or the site's) into the current generation: `included` is the last sequence in it.
    fn checkpoint(&mut self, subject: u32, included: u64, snapshot: &[u8]) -> Result<(), JournalFault>;

    /// Ends the generation: syncs it, then lets older generations and expired segments go.
    fn finish_checkpoint(&mut self) -> Result<(), JournalFault>;
}

/// Told after each commit; may not block. The follower reads the journal itself, at its own pace.
pub trait Follow: Send {
    fn committed(&mut self, sequence: u64);
}

/// What a message was understood to say.
#[derive(Debug, Clone, PartialEq)]
pub enum Understood {
    Readings(Vec<Report>),
    /// Well formed, and nothing in it for us; with the reason's name.
    Ignored(&'static str),
    /// Malformed; with the reason's name, and the source that it should have been of.
    Rejected(&'static str, SourceId),
}

/// Understands messages; learns from them what later ones mean.
pub trait Ears: Send {
    fn understand(&mut self, topic: &str, payload: &[u8], retain: bool) -> Understood;

    /// Understands a message that is this source's, whichever others have such a topic too. Rejected where the source has none.
    fn understand_of(&mut self, source: &SourceId, topic: &str, payload: &[u8]) -> Understood;

    /// Takes over what people tell of devices: the next message is understood by it.
    fn know(&mut self, registry: &Registry);
}

/// Seals what is personal, and opens it for a channel that may have it.
pub trait Vault: Send + Sync {
    /// Seals each message for its subject, in order. Keys that are missing are made, all in one write, and are durable when it
    /// returns. None where the vault cannot write a key; the message is then kept without its raw form.
    fn seal_raws(&self, raws: &[(&str, &Raw)]) -> Vec<Option<Sealed<Raw>>>;

    /// None where the keys are gone: the person was erased.
    fn personal(&self, home: &Home, residents: &[&Resident]) -> Option<Personal>;

    /// A responder's name and phone; none where the key is gone, and of a vault that has none.
    fn responder(&self, _: &Responder) -> Option<ResponderDetails> {
        None
    }
}

/// Remembers over the death of the process which messages were just being worked on. Written without a sync: it has to survive
/// the process, not the machine.
pub trait Suspects: Send {
    /// These are worked on from now on (fingerprints); an empty list: none.
    fn working_on(&mut self, messages: &[u64]);

    /// Whether this message was being worked on at the last death of the process, alone or among others.
    fn suspected(&self, message: u64) -> bool;

    /// Whether this message was being worked on at each of the last two deaths of the process.
    fn deadly(&self, message: u64) -> bool;
}

/// The only way to the time.
pub trait Time: Send {
    fn now(&mut self) -> (Tick, Wall);
}
