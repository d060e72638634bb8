//! One segment file, read in order through a buffer: its records, its broken places, its end.

use super::disk::DiskFile;
use super::frame::{self, Frame, MARK_AT, Mark, RECORD_HEADER_BYTES, SEGMENT_HEADER_BYTES};
use std::io;

/// How much is read at once; more where a record is larger.
const CHUNK: usize = 64 << 10;
/// Two windows of a search overlap by so much that no record's beginning and mark fall between them.
const OVERLAP: usize = MARK_AT + size_of::<Mark>();
/// A failing disk loses blocks of this size; so many of them are passed over in one file before the disk itself is to blame.
const BLOCK: u64 = 4096;
const MAX_UNREADABLE: u32 = 16;
static ZEROS: [u8; CHUNK] = [0; CHUNK];

/// What stands at the tape's place.
#[derive(Debug)]
pub(super) enum Found {
    Frame(Frame),
    /// No record begins at `offset`, yet one follows: the tape stands there now.
    Broken {
        offset: u64,
    },
    /// No record follows. `junk` counts the bytes from here to the last that is not zero.
    End {
        offset: u64,
        junk: u64,
    },
}

pub(super) struct Tape {
    file: Box<dyn DiskFile>,
    mark: Mark,
    offset: u64,
    /// What the file held from `start` on when it was read.
    buffer: Vec<u8>,
    start: u64,
    unreadable: u32,
}

impl Tape {
    /// Takes a segment file and its mark. Without a mark (the header is unreadable) the first record's own is taken.
    pub fn new(file: Box<dyn DiskFile>, mark: Option<Mark>) -> io::Result<Tape> {
        let start = SEGMENT_HEADER_BYTES as u64;
        let mut tape =
            Tape { file, mark: mark.unwrap_or_default(), offset: start, buffer: Vec::new(), start, unreadable: 0 };
        if mark.is_none() {
            let view = tape.view(RECORD_HEADER_BYTES)?;
            tape.mark = view.get(MARK_AT..).and_then(|v| v.first_chunk()).copied().unwrap_or_default();
        }
        Ok(tape)
    }

    /// Where the next record is looked for.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// How many blocks the disk would not give.
    pub fn unreadable(&self) -> u32 {
        self.unreadable
    }

    /// Forgets what was read ahead: the file has grown since.
    pub fn refresh(&mut self) {
        self.buffer.clear();
        self.start = self.offset;
    }

    /// The next thing on the tape. At the end the tape stays where it is and may be asked again after a refresh.
    pub fn next(&mut self) -> io::Result<Found> {
        if let Some(frame) = self.frame_here()? {
            return Ok(Found::Frame(frame));
        }
        let offset = self.offset;
        match self.search(offset)? {
            None => Ok(Found::Broken { offset }),
            Some(junk) => {
                self.offset = offset;
                self.refresh();
                Ok(Found::End { offset, junk })
            }
        }
    }

    /// Takes the record at the tape's place and moves behind it.
    fn frame_here(&mut self) -> io::Result<Option<Frame>> {
        let Some(length) = frame::claimed_length(self.view(RECORD_HEADER_BYTES)?) else { return Ok(None) };
        let mark = self.mark;
        let frame = frame::decode(self.view(length)?, mark);
        if frame.is_some() {
            self.offset += length as u64;
        }
        Ok(frame)
    }

    /// Looks for the next record after a bad place and puts the tape before it; without one gives the length of the junk.
    fn search(&mut self, bad: u64) -> io::Result<Option<u64>> {
        let (mut at, mut junk) = (bad, 0);
        loop {
            self.offset = at;
            let mark = self.mark;
            let view = self.view(CHUNK)?;
            let last = view.len() < CHUNK;
            let mut candidates = Vec::new();
            let window = &view[..view.len().min(CHUNK)];
            if window != &ZEROS[..window.len()] {
                junk = window.iter().rposition(|b| *b != 0).map_or(junk, |p| at + p as u64 + 1 - bad);
                let marks = window.windows(mark.len()).enumerate().filter(|(p, w)| *p > MARK_AT && *w == mark);
                candidates.extend(marks.map(|(p, _)| at + (p - MARK_AT) as u64));
            }
            for candidate in candidates {
                self.offset = candidate;
                if self.frame_here()?.is_some() {
                    self.offset = candidate;
                    self.refresh();
                    return Ok(None);
                }
            }
            if last {
                return Ok(Some(junk));
            }
            at += (CHUNK - OVERLAP) as u64;
        }
    }

    /// The bytes from the tape's place on: at least `wanted`, fewer only at the file's end.
    fn view(&mut self, wanted: usize) -> io::Result<&[u8]> {
        let passed = self.offset.saturating_sub(self.start) as usize;
        if self.buffer.len() < passed + wanted {
            self.buffer.drain(..passed.min(self.buffer.len()));
            self.start = self.offset;
            let mut filled = self.buffer.len();
            self.buffer.resize(wanted.max(CHUNK), 0);
            while filled < self.buffer.len() {
                let at = self.start + filled as u64;
                match self.file.read_at(&mut self.buffer[filled..], at) {
                    Ok(0) => break,
                    Ok(n) => filled += n,
                    Err(e) if self.unreadable >= MAX_UNREADABLE => return Err(e),
                    Err(_) => {
                        // A block that cannot be read is a broken place like any other: one bad sector stops no start.
                        self.unreadable += 1;
                        let rest = self.buffer.len() - filled;
                        let block = (BLOCK - at % BLOCK).min(self.file.size()?.saturating_sub(at)) as usize;
                        let lost = &mut self.buffer[filled..][..block.min(rest)];
                        lost.fill(u8::MAX);
                        filled += lost.len();
                    }
                }
            }
            self.buffer.truncate(filled);
        }
        Ok(&self.buffer[(self.offset - self.start) as usize..])
    }
}
