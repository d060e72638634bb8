//! Checkpoint generations: files beside the segments, each with a snapshot of every subject.
//!
//! A file is a run of parts, each with its length, the CRC-32 of what follows, and a first byte that says what it is:
//! the beginning, an entry, the end. It is written under a passing name and gets its own only after the sync, so a
//! generation that has its name was complete once, and whatever is wrong with it now is damage.

use super::disk::{Access, Disk, DiskFile, read_all};
use super::frame::{VERSION, array};
use super::segments::numbered;
use crate::engine::id::SiteId;
use std::io;
use std::path::Path;

/// Bytes gathered before they go to the file; no sync with them.
const BUFFER_BYTES: usize = 256 << 10;
/// No generation is larger; 3,000 homes take a few MB.
const MAX_BYTES: u64 = 1 << 30;
const SUFFIX: &str = ".ckp";
const BEGIN: u8 = 0;
const ENTRY: u8 = 1;
const END: u8 = 2;

/// The state of one subject (a home, or the site) as of one sequence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    pub subject: u32,
    /// The last sequence that is in it; the fold of this subject begins behind it.
    pub included: u64,
    pub bytes: Vec<u8>,
}

/// A complete generation.
#[derive(Debug)]
pub(super) struct Generation {
    pub number: u64,
    /// The process start that wrote it.
    pub epoch: u64,
    /// The first sequence that must be folded.
    pub fold_from: u64,
    /// The last sequence that any snapshot includes: the journal had it when this was written.
    pub until: u64,
    pub snapshots: Vec<Snapshot>,
}

pub(super) fn file_name(number: u64) -> String {
    format!("{number:020}{SUFFIX}")
}

fn passing_name(number: u64) -> String {
    format!("{number:020}{SUFFIX}.new")
}

/// The numbers of the generations in a folder, newest first.
pub(super) fn numbers(names: &[String]) -> Vec<u64> {
    let mut numbers: Vec<u64> = names.iter().filter_map(|n| numbered(n, SUFFIX)).collect();
    numbers.sort_unstable_by(|a, b| b.cmp(a));
    numbers
}

/// A generation being written.
pub(super) struct Draft {
    pub number: u64,
    pub fold_from: u64,
    file: Box<dyn DiskFile>,
    buffer: Vec<u8>,
    written: u64,
    until: u64,
    entries: u64,
}

impl Draft {
    /// Begins a generation after the record `begin`.
    pub fn create(
        disk: &dyn Disk,
        dir: &Path,
        number: u64,
        site: &SiteId,
        epoch: u64,
        begin: u64,
    ) -> io::Result<Draft> {
        let file = disk.open(&dir.join(passing_name(number)), Access::Create)?;
        let (buffer, fold_from) = (Vec::with_capacity(BUFFER_BYTES), begin + 1);
        let mut draft = Draft { number, fold_from, file, buffer, written: 0, until: begin, entries: 0 };
        let (number, epoch) = (number.to_le_bytes(), epoch.to_le_bytes());
        draft.part(BEGIN, &[&VERSION.to_le_bytes(), &number, &epoch, site.as_str().as_bytes()])?;
        Ok(draft)
    }

    /// Adds the snapshot of one subject.
    pub fn add(&mut self, subject: u32, included: u64, snapshot: &[u8]) -> io::Result<()> {
        self.fold_from = self.fold_from.min(included.saturating_add(1));
        self.until = self.until.max(included);
        self.entries += 1;
        self.part(ENTRY, &[&subject.to_le_bytes(), &included.to_le_bytes(), snapshot])
    }

    /// Writes the end mark. Complete only after [`Draft::publish`].
    pub fn end(&mut self) -> io::Result<()> {
        let (entries, from, until) = (self.entries.to_le_bytes(), self.fold_from.to_le_bytes(), self.until);
        self.part(END, &[&entries, &from, &until.to_le_bytes()])?;
        self.flush()
    }

    /// Syncs the file and gives it its name.
    pub fn publish(&self, disk: &dyn Disk, dir: &Path) -> io::Result<()> {
        self.file.sync()?;
        disk.rename(&dir.join(passing_name(self.number)), &dir.join(file_name(self.number)))?;
        disk.sync_dir(dir)
    }

    /// Removes what was written.
    pub fn abandon(self, disk: &dyn Disk, dir: &Path) {
        // A leftover goes at the next start at the latest.
        let _ = disk.remove(&dir.join(passing_name(self.number)));
    }

    fn part(&mut self, kind: u8, fields: &[&[u8]]) -> io::Result<()> {
        let start = self.buffer.len();
        self.buffer.extend_from_slice(&[0; 8]);
        self.buffer.push(kind);
        fields.iter().for_each(|f| self.buffer.extend_from_slice(f));
        let body = start + 8;
        let length = u32::try_from(self.buffer.len() - body).map_err(io::Error::other)?;
        let sum = crc32fast::hash(&self.buffer[body..]);
        self.buffer[start..start + 4].copy_from_slice(&length.to_le_bytes());
        self.buffer[start + 4..body].copy_from_slice(&sum.to_le_bytes());
        if self.buffer.len() >= BUFFER_BYTES { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.write_at(&self.buffer, self.written)?;
        self.written += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }
}

/// Reads a generation; Err holds the offset from which on it makes no sense.
pub(super) fn load(disk: &dyn Disk, dir: &Path, number: u64, site: &SiteId) -> io::Result<Result<Generation, u64>> {
    let bytes = read_all(disk, &dir.join(file_name(number)), MAX_BYTES)?;
    let mut generation = Generation { number, epoch: 0, fold_from: 0, until: 0, snapshots: Vec::new() };
    let mut at = 0;
    loop {
        match take_part(&bytes[at..]).and_then(|(part, length)| Some((read_part(part, site, &mut generation)?, length)))
        {
            None => return Ok(Err(at as u64)),
            Some((true, length)) if at + length == bytes.len() => return Ok(Ok(generation)),
            Some((true, length)) => return Ok(Err((at + length) as u64)),
            Some((false, length)) => at += length,
        }
    }
}

/// The first part of `bytes` where its sum is right, and how many bytes it took.
fn take_part(bytes: &[u8]) -> Option<(&[u8], usize)> {
    let (head, rest) = bytes.split_at_checked(8)?;
    let part = rest.get(..u32::from_le_bytes(array(head, 0)) as usize)?;
    (crc32fast::hash(part) == u32::from_le_bytes(array(head, 4))).then_some((part, 8 + part.len()))
}

/// Puts a part into the generation; gives whether it was the end mark, or None where it does not fit.
fn read_part(part: &[u8], site: &SiteId, generation: &mut Generation) -> Option<bool> {
    let (kind, fields) = part.split_first()?;
    match *kind {
        BEGIN if fields.len() >= 18 => {
            let ours = u16::from_le_bytes(array(fields, 0)) == VERSION
                && u64::from_le_bytes(array(fields, 2)) == generation.number
                && fields[18..] == *site.as_str().as_bytes();
            generation.epoch = u64::from_le_bytes(array(fields, 10));
            ours.then_some(false)
        }
        ENTRY if fields.len() >= 12 && generation.epoch > 0 => {
            let (subject, included) = (u32::from_le_bytes(array(fields, 0)), u64::from_le_bytes(array(fields, 4)));
            generation.snapshots.push(Snapshot { subject, included, bytes: fields[12..].to_vec() });
            Some(false)
        }
        END if fields.len() == 24 && generation.epoch > 0 => {
            generation.fold_from = u64::from_le_bytes(array(fields, 8));
            generation.until = u64::from_le_bytes(array(fields, 16));
            (u64::from_le_bytes(array(fields, 0)) == generation.snapshots.len() as u64).then_some(true)
        }
        _ => None,
    }
}
