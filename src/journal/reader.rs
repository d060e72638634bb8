//! Reads records in order, from any sequence up to the committed one: for the fold after a start, the follower, replay.

use super::frame::Frame;
use super::segments::{Segment, Segments};
use super::tape::{Found, Tape};
use super::{Damage, Flaw};
use std::io;

/// One record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    pub sequence: u64,
    /// The process start that wrote it, from 1.
    pub epoch: u64,
    /// None where it has expired.
    pub telemetry: Option<Vec<u8>>,
    pub ledger: Vec<u8>,
}

/// What a reader meets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    Record(Record),
    /// Something is broken or missing here. The reader goes on at the next record that is whole.
    Damage(Damage),
}

/// What a reader meets, with all that a record's header says.
pub(super) enum Step {
    Frame(Frame),
    Damage(Damage),
}

/// Reads on through the segments; one open file, one read for many records.
pub struct Reader {
    segments: Segments,
    next: u64,
    at: Option<(Segment, Tape)>,
    /// What was committed when the tape's read-ahead began: a later record may stand in it half-written.
    fresh: u64,
    /// The record behind a gap, while the gap is told.
    held: Option<Frame>,
}

impl Reader {
    pub(super) fn new(segments: Segments, from: u64) -> Reader {
        Reader { segments, next: from, at: None, fresh: 0, held: None }
    }

    /// The sequence that the next record will have, where none is missing.
    pub fn position(&self) -> u64 {
        self.next
    }

    /// The next record or damage up to the sequence `committed`, of which the log or [`Segments::committed`] told; None when
    /// all up to there was read. May be asked again later with a greater one.
    pub fn next(&mut self, committed: u64) -> io::Result<Option<Entry>> {
        Ok(self.step(committed)?.map(|step| match step {
            Step::Damage(damage) => Entry::Damage(damage),
            Step::Frame(frame) => Entry::Record(Record {
                sequence: frame.head.sequence,
                epoch: frame.head.epoch,
                telemetry: frame.telemetry,
                ledger: frame.ledger,
            }),
        }))
    }

    /// Everything up to `committed`.
    pub fn until(&mut self, committed: u64) -> impl Iterator<Item = io::Result<Entry>> {
        std::iter::from_fn(move || self.next(committed).transpose())
    }

    pub(super) fn step(&mut self, committed: u64) -> io::Result<Option<Step>> {
        while self.next <= committed {
            if let Some(frame) = self.held.take() {
                return Ok(Some(self.arrive(frame, committed)));
            }
            let Some((segment, tape)) = &mut self.at else {
                self.at = self.segments.holding(self.next)?;
                self.fresh = committed;
                if self.at.is_none() {
                    return Ok(Some(self.missing(committed)));
                }
                continue;
            };
            if self.fresh < self.next {
                tape.refresh();
                self.fresh = committed;
            }
            match tape.next()? {
                Found::Frame(frame) if frame.head.sequence < self.next => {}
                Found::Frame(frame) => return Ok(Some(self.arrive(frame, committed))),
                Found::Broken { offset } => return Ok(Some(broken(segment, offset))),
                Found::End { offset, junk } => {
                    let Some(following) = self.segments.following(segment.first)? else {
                        return Ok(Some(self.missing(committed)));
                    };
                    let (ended, _) = self.at.replace(following).unzip();
                    if let (Some(ended), true) = (ended, junk > 0) {
                        return Ok(Some(broken(&ended, offset)));
                    }
                }
            }
        }
        Ok(None)
    }

    /// Gives the record where it is the next, else tells the gap before it and holds it back.
    fn arrive(&mut self, frame: Frame, committed: u64) -> Step {
        let sequence = frame.head.sequence;
        if sequence == self.next {
            self.next += 1;
            return Step::Frame(frame);
        }
        self.held = Some(frame);
        self.missing(committed.min(sequence - 1))
    }

    /// Tells that everything from the next sequence up to `to` is not there, and goes on behind it.
    fn missing(&mut self, to: u64) -> Step {
        let (file, offset) = match &self.at {
            Some((segment, tape)) => (segment.name(), tape.offset()),
            None => (String::from("no segment"), 0),
        };
        let from = std::mem::replace(&mut self.next, to + 1);
        Step::Damage(Damage { file, offset, flaw: Flaw::Missing { from, to } })
    }
}

fn broken(segment: &Segment, offset: u64) -> Step {
    Step::Damage(Damage { file: segment.name(), offset, flaw: Flaw::Record })
}
