//! Opening: what is there, what of it survived, and where the log goes on.
//!
//! A process only ever appends to segments that it made itself, so an old file is cut to its last record once and then never
//! written again: nothing of an earlier life can come to stand behind a new record.

use super::checkpoint::{self, Generation, Snapshot};
use super::disk::Access;
use super::frame::{self, Hash, Head};
use super::log::Log;
use super::reader::Entry;
use super::segments::{Segment, Segments};
use super::tape::{Found, Tape};
use super::upkeep::{Upkeep, Worker};
use super::{Damage, Fault, Flaw, OpenError, Options};
use crate::engine::time::Wall;
use std::io;
use std::path::Path;

/// What opening found.
#[derive(Debug)]
pub struct Recovered {
    /// The number of this process start, from 1.
    pub epoch: u64,
    /// The last sequence in the log; 0 where it is empty.
    pub last: u64,
    /// The newest complete checkpoint generation; empty where there is none.
    pub snapshots: Vec<Snapshot>,
    /// The first sequence to fold, up to `last`. A snapshot that includes a record already passes over it.
    pub fold_from: u64,
    /// The length of the half-written record that was cut off the end; 0 after a clean stop, and after most others.
    pub cut_bytes: u64,
    /// What is broken or missing in the files that this start needs (`verify` looks at all): synced data that was lost, for an
    /// operator's alarm. A reader meets the same damage among the records again, where it lies.
    pub damage: Vec<Damage>,
}

impl Recovered {
    /// What an operator has to know of it: the damage, of much the first.
    pub fn notes(&self) -> Vec<String> {
        const MOST: usize = 10;
        self.damage.iter().take(MOST).map(|d| format!("the journal is damaged: {d}")).collect()
    }
}

/// The end of the newest segment.
pub(super) struct Tail {
    /// The last sequence that is there.
    pub last: u64,
    epoch: u64,
    created: Wall,
    chain: Hash,
    cut: Cut,
}

/// Where the newest file ends.
struct Cut {
    segment: Segment,
    /// Where its last record begins; where it ends.
    last_record: Option<u64>,
    end: u64,
    junk: u64,
    /// The disk would not give all of it.
    unreadable: bool,
}

impl Segments {
    /// Finds the last record. None in an empty journal.
    pub(super) fn tail(&self) -> io::Result<Option<Tail>> {
        let mut newest = None;
        for segment in self.snapshot().into_iter().rev() {
            let file = self.disk().open(&self.path(&segment.name()), Access::Read)?;
            let mut tape = Tape::new(file, segment.header.as_ref().map(|h| h.mark))?;
            let mut last: Option<(u64, Head)> = None;
            let (end, junk) = loop {
                let at = tape.offset();
                match tape.next()? {
                    Found::Frame(frame) => last = Some((at, frame.head)),
                    Found::Broken { .. } => {}
                    Found::End { offset, junk } => break (offset, junk),
                }
            };
            let header = segment.header.clone();
            let (last_record, unreadable) = (last.map(|l| l.0), tape.unreadable() > 0);
            let cut = newest.take().unwrap_or(Cut { segment, last_record, end, junk, unreadable });
            let created = header.as_ref().map_or(Wall::default(), |h| h.created);
            let known = last
                .map(|(_, head)| (head.sequence, head.epoch, head.chain))
                .or(header.map(|h| (h.first.saturating_sub(1), h.epoch, h.base)));
            match known {
                Some((last, epoch, chain)) => return Ok(Some(Tail { last, epoch, created, chain, cut })),
                // A file without header and record says nothing: the one before it does.
                None => newest = Some(cut),
            }
        }
        Ok(None)
    }
}

/// See [`Log::open`].
pub(super) fn open(dir: &Path, options: Options) -> Result<(Log, Recovered), OpenError> {
    let disk = options.disk.clone();
    disk.create_dir(dir).map_err(OpenError::io("cannot make the journal's folder"))?;
    let lock = disk.lock(dir).map_err(OpenError::io("cannot lock the journal"))?.ok_or(OpenError::Locked)?;
    let mut damage = Vec::new();
    let segments = Segments::load(disk, dir, Some(&options.site), None, &mut damage)?;
    let names = remove_leftovers(&segments).map_err(OpenError::io("cannot clear up the journal"))?;
    let generations = load_generations(&segments, &names, &options, &mut damage);
    let tail = segments.tail().map_err(OpenError::io("cannot read the journal"))?;
    let begun = segments.snapshot().last().map_or(0, |s| s.first.saturating_sub(1));
    let cut_bytes = match &tail {
        Some(tail) => {
            cut(&segments, &tail.cut, &mut damage).map_err(OpenError::io("cannot cut the journal's torn end"))?
        }
        None => 0,
    };

    let last = tail.as_ref().map_or(0, |t| t.last);
    segments.commit(last);
    let newest = generations.first();
    let fold_from = newest.map_or(1, |g| g.fold_from);
    look_through(&segments, fold_from, last, &mut damage).map_err(OpenError::io("cannot read the journal"))?;
    // A sequence that a snapshot includes was given away once, even where its record is lost, and never again.
    let given = generations.iter().map(|g| g.until).chain([last, begun]).max().unwrap_or(last);
    if given > last {
        let flaw = Flaw::Missing { from: last + 1, to: given };
        damage.push(Damage { file: String::from("end of the journal"), offset: 0, flaw });
    }
    let epoch = generations.iter().map(|g| g.epoch).chain(tail.as_ref().map(|t| t.epoch)).max().unwrap_or(0) + 1;
    let recovered_from = (given, tail.as_ref().map_or_else(|| frame::genesis(&options.site), |t| t.chain));
    let kept = generations.iter().rev().map(|g| (g.number, g.fold_from)).collect();
    let number = checkpoint::numbers(&names).first().map_or(1, |n| n + 1);
    let snapshots = generations.into_iter().next().map_or_else(Vec::new, |g| g.snapshots);
    let fault = Fault::default();
    let worker = Worker { options: options.clone(), segments: segments.clone(), fault: fault.clone(), kept };
    let upkeep = Upkeep::new(worker).map_err(OpenError::io("cannot start the journal's helper"))?;
    let created = tail.map_or(Wall::default(), |t| t.created);
    let mut log = Log::new(options, segments, upkeep, fault, lock);
    log.start(epoch, recovered_from, created, number).map_err(OpenError::io("cannot begin a segment"))?;
    Ok((log, Recovered { epoch, last, snapshots, fold_from, cut_bytes, damage }))
}

/// Removes files that were never finished; gives the names of the others.
fn remove_leftovers(segments: &Segments) -> io::Result<Vec<String>> {
    let (leftovers, names): (Vec<String>, Vec<String>) =
        segments.disk().list(segments.dir())?.into_iter().partition(|n| n.ends_with(".new"));
    for name in leftovers {
        segments.disk().remove(&segments.path(&name))?;
    }
    Ok(names)
}

/// Reads the two newest generations that are whole, the newest first.
fn load_generations(
    segments: &Segments,
    names: &[String],
    options: &Options,
    damage: &mut Vec<Damage>,
) -> Vec<Generation> {
    let mut whole = Vec::new();
    for number in checkpoint::numbers(names) {
        match checkpoint::load(&**segments.disk(), segments.dir(), number, &options.site).unwrap_or(Err(0)) {
            Ok(generation) => whole.push(generation),
            Err(offset) => {
                damage.push(Damage { file: checkpoint::file_name(number), offset, flaw: Flaw::Checkpoint });
            }
        }
        if whole.len() == 2 {
            break;
        }
    }
    whole
}

/// Ends the newest file behind its last record. That record is written once more: after a sync that failed, the system may
/// take it for safe although the disk never got it.
fn cut(segments: &Segments, cut: &Cut, damage: &mut Vec<Damage>) -> io::Result<u64> {
    let name = cut.segment.name();
    if cut.segment.header.is_none() && cut.last_record.is_none() {
        // Nothing of it can be read here; a person may still want to look at it.
        segments.forget(cut.segment.first);
        segments.disk().rename(&segments.path(&name), &segments.path(&format!("{name}.damaged")))?;
        segments.disk().sync_dir(segments.dir())?;
        return Ok(0);
    }
    if cut.unreadable {
        damage.push(Damage { file: name.clone(), offset: cut.end, flaw: Flaw::Record });
    }
    let file = segments.disk().open(&segments.path(&name), Access::Write)?;
    if let Some(begin) = cut.last_record {
        let mut record = vec![0; (cut.end - begin) as usize];
        let mut filled = 0;
        while filled < record.len() {
            match file.read_at(&mut record[filled..], begin + filled as u64)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                n => filled += n,
            }
        }
        file.write_at(&record, begin)?;
    }
    if file.size()? > cut.end {
        file.truncate(cut.end)?;
    }
    file.sync()?;
    segments.disk().sync_dir(segments.dir())?;
    Ok(cut.junk)
}

/// Reads everything that this start will fold, and all of the newest segment, for the damage in it.
fn look_through(segments: &Segments, fold_from: u64, last: u64, damage: &mut Vec<Damage>) -> io::Result<()> {
    let newest = segments.snapshot().last().map_or(fold_from, |s| s.first);
    for entry in segments.reader(fold_from.min(newest)).until(last) {
        if let Entry::Damage(found) = entry? {
            damage.push(found);
        }
    }
    Ok(())
}
