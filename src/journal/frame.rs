//! The bytes of a segment: its header, its records, and the hash chain through them. Pure.
//!
//! All numbers are little-endian. A record is
//!
//! ```text
//!   0  length of the whole record     24  sequence
//!   4  CRC-32 of everything else      32  epoch
//!   8  mark of the segment            40  SHA-256 of the telemetry block
//!  16  format version                 72  SHA-256 of the ledger block
//!  18  flags: 1 telemetry is gone    104  chain hash
//!  20  length of the telemetry       136  telemetry, ledger
//! ```
//!
//! The chain hash covers the one before it, the numbers and both digests, so it still holds when the telemetry is gone.
//! The mark is a hash of the segment's beginnings: no sender of payloads can know it, so nothing inside a payload and nothing
//! left over on the disk from an earlier file passes for a record. The site stands in the segment's header and, through
//! the mark and the chain's first hash, in every record.

use crate::engine::id::SiteId;
use crate::engine::time::Wall;
use ring::digest::{Context, SHA256, digest};

/// The format this program writes, and the newest it reads.
pub(super) const VERSION: u16 = 1;
/// The largest record, header and both blocks together.
pub const MAX_RECORD_BYTES: usize = 1 << 20;
pub(super) const SEGMENT_HEADER_BYTES: usize = 512;
pub(super) const RECORD_HEADER_BYTES: usize = 136;
/// Where in a record its mark stands.
pub(super) const MARK_AT: usize = 8;

const MAGIC: [u8; 8] = *b"HWSEGMNT";
const STRIPPED: u16 = 1;

/// A SHA-256 digest.
pub type Hash = [u8; 32];
pub(super) type Mark = [u8; 8];

/// The SHA-256 digest of a block.
pub(super) fn hash(bytes: &[u8]) -> Hash {
    array(digest(&SHA256, bytes).as_ref(), 0)
}

/// The hash that a site's chain begins with.
pub(super) fn genesis(site: &SiteId) -> Hash {
    hash(format!("hearthwatch journal of {site}").as_bytes())
}

/// What identifies a record without its blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub sequence: u64,
    pub epoch: u64,
    pub telemetry: Hash,
    pub ledger: Hash,
    pub chain: Hash,
}

impl Head {
    /// The head of the record that follows the one with the chain hash `previous`.
    pub fn after(previous: &Hash, sequence: u64, epoch: u64, telemetry: Hash, ledger: Hash) -> Head {
        let chain = link(previous, sequence, epoch, &telemetry, &ledger);
        Head { sequence, epoch, telemetry, ledger, chain }
    }

    /// Whether the chain hash is the one that follows `previous`.
    pub fn follows(&self, previous: &Hash) -> bool {
        self.chain == link(previous, self.sequence, self.epoch, &self.telemetry, &self.ledger)
    }
}

fn link(previous: &Hash, sequence: u64, epoch: u64, telemetry: &Hash, ledger: &Hash) -> Hash {
    let mut context = Context::new(&SHA256);
    context.update(previous);
    context.update(&sequence.to_le_bytes());
    context.update(&epoch.to_le_bytes());
    context.update(telemetry);
    context.update(ledger);
    array(context.finish().as_ref(), 0)
}

/// A record as read: telemetry is None where it has expired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Frame {
    pub head: Head,
    pub telemetry: Option<Vec<u8>>,
    pub ledger: Vec<u8>,
}

/// The length of a record with these blocks; None where it is over the limit.
pub(super) fn record_length(telemetry: usize, ledger: usize) -> Option<usize> {
    let length = RECORD_HEADER_BYTES.checked_add(telemetry)?.checked_add(ledger)?;
    (length <= MAX_RECORD_BYTES).then_some(length)
}

/// Adds a record to `out`. The blocks must keep to [`record_length`].
pub(super) fn encode(out: &mut Vec<u8>, mark: Mark, head: &Head, telemetry: Option<&[u8]>, ledger: &[u8]) {
    let start = out.len();
    let flags = if telemetry.is_none() { STRIPPED } else { 0 };
    let telemetry = telemetry.unwrap_or_default();
    let length = (RECORD_HEADER_BYTES + telemetry.len() + ledger.len()) as u32;
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&mark);
    out.extend_from_slice(&VERSION.to_le_bytes());
    out.extend_from_slice(&flags.to_le_bytes());
    out.extend_from_slice(&(telemetry.len() as u32).to_le_bytes());
    out.extend_from_slice(&head.sequence.to_le_bytes());
    out.extend_from_slice(&head.epoch.to_le_bytes());
    out.extend_from_slice(&head.telemetry);
    out.extend_from_slice(&head.ledger);
    out.extend_from_slice(&head.chain);
    out.extend_from_slice(telemetry);
    out.extend_from_slice(ledger);
    let sum = checksum(&out[start..]);
    out[start + 4..start + 8].copy_from_slice(&sum.to_le_bytes());
}

fn checksum(record: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&record[..4]);
    hasher.update(&record[8..]);
    hasher.finalize()
}

/// The length that the first four bytes claim, where a record can have it.
pub(super) fn claimed_length(bytes: &[u8]) -> Option<usize> {
    let length = u32::from_le_bytes(*bytes.first_chunk()?) as usize;
    (RECORD_HEADER_BYTES..=MAX_RECORD_BYTES).contains(&length).then_some(length)
}

/// The record at the beginning of `bytes`; None where there is none, or anything in it is wrong.
pub(super) fn decode(bytes: &[u8], mark: Mark) -> Option<Frame> {
    let record = bytes.get(..claimed_length(bytes)?)?;
    if array(record, MARK_AT) != mark || u32::from_le_bytes(array(record, 4)) != checksum(record) {
        return None;
    }
    if u16::from_le_bytes(array(record, 16)) != VERSION {
        return None;
    }
    let stripped = u16::from_le_bytes(array(record, 18)) & STRIPPED != 0;
    let blocks = &record[RECORD_HEADER_BYTES..];
    let (telemetry, ledger) = blocks.split_at_checked(u32::from_le_bytes(array(record, 20)) as usize)?;
    let head = Head {
        sequence: u64::from_le_bytes(array(record, 24)),
        epoch: u64::from_le_bytes(array(record, 32)),
        telemetry: array(record, 40),
        ledger: array(record, 72),
        chain: array(record, 104),
    };
    Some(Frame { head, telemetry: (!stripped).then(|| telemetry.to_vec()), ledger: ledger.to_vec() })
}

/// The beginning of a segment file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    pub site: SiteId,
    /// The sequence of the first record.
    pub first: u64,
    /// The process start that wrote it.
    pub epoch: u64,
    pub created: Wall,
    /// The chain hash before the first record.
    pub base: Hash,
    pub mark: Mark,
    /// The telemetry blocks have been taken out.
    pub stripped: bool,
}

/// Why a segment's header says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BadHeader {
    Unreadable,
    /// A newer program wrote it.
    Newer,
}

impl Header {
    pub fn new(site: SiteId, first: u64, epoch: u64, created: Wall, base: Hash) -> Header {
        let mut header = Header { site, first, epoch, created, base, mark: [0; 8], stripped: false };
        header.mark = array(&hash(&header.encode()), 0);
        header
    }

    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(SEGMENT_HEADER_BYTES);
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&VERSION.to_le_bytes());
        out.extend_from_slice(&u16::from(self.stripped).to_le_bytes());
        out.extend_from_slice(&self.first.to_le_bytes());
        out.extend_from_slice(&self.epoch.to_le_bytes());
        out.extend_from_slice(&self.created.0.to_le_bytes());
        out.extend_from_slice(&self.mark);
        out.extend_from_slice(&self.base);
        let site = self.site.as_str().as_bytes();
        out.extend_from_slice(&(site.len() as u16).to_le_bytes());
        out.extend_from_slice(site);
        out.resize(SEGMENT_HEADER_BYTES - 4, 0);
        let sum = crc32fast::hash(&out);
        out.extend_from_slice(&sum.to_le_bytes());
        out
    }

    pub fn decode(bytes: &[u8]) -> Result<Header, BadHeader> {
        let bytes = bytes.get(..SEGMENT_HEADER_BYTES).ok_or(BadHeader::Unreadable)?;
        let (body, sum) = bytes.split_at(SEGMENT_HEADER_BYTES - 4);
        if body[..8] != MAGIC || crc32fast::hash(body) != u32::from_le_bytes(array(sum, 0)) {
            return Err(BadHeader::Unreadable);
        }
        if u16::from_le_bytes(array(body, 8)) > VERSION {
            return Err(BadHeader::Newer);
        }
        let length = u16::from_le_bytes(array(body, 76)) as usize;
        let site = body.get(78..78 + length).and_then(|b| std::str::from_utf8(b).ok());
        Ok(Header {
            site: site.and_then(|s| SiteId::new(s).ok()).ok_or(BadHeader::Unreadable)?,
            stripped: u16::from_le_bytes(array(body, 10)) & STRIPPED != 0,
            first: u64::from_le_bytes(array(body, 12)),
            epoch: u64::from_le_bytes(array(body, 20)),
            created: Wall(i64::from_le_bytes(array(body, 28))),
            mark: array(body, 36),
            base: array(body, 44),
        })
    }
}

/// The `N` bytes at `at`, which the caller knows to be there.
pub(super) fn array<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(&bytes[at..at + N]);
    out
}
