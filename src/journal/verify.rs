//! Walks a whole journal and proves it: every sum, digest and link of the chain.

use super::frame::{self, Frame, Hash};
use super::reader::Step;
use super::segments::{Segment, Segments};
use super::{Damage, Flaw};
use std::io;

/// What a walk through the whole journal found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// The first and last sequence found; None where there is no record.
    pub range: Option<(u64, u64)>,
    pub records: u64,
    /// How many of them had a telemetry block that has expired.
    pub stripped: u64,
    /// The chain hash before the first record, where its segment still tells it.
    pub base: Option<Hash>,
    /// The chain hash of the last record. Whoever keeps a copy elsewhere can prove that nothing before it was changed.
    pub head: Option<Hash>,
    /// Everything that is broken or missing, in order.
    pub damage: Vec<Damage>,
}

impl Report {
    /// Whether every record that should be there is there, and as it was written.
    pub fn is_whole(&self) -> bool {
        self.damage.is_empty()
    }
}

impl Segments {
    /// Checks everything up to the committed sequence. Reads all segments: minutes for a journal of years.
    pub fn verify(&self) -> io::Result<Report> {
        let list = self.snapshot();
        let mut report = Report { base: self.base(), ..Report::default() };
        for segment in list.iter().filter(|s| s.header.is_none()) {
            report.damage.push(Damage { file: segment.name(), offset: 0, flaw: Flaw::Header });
        }
        let mut chain = report.base;
        let mut reader = self.reader(list.first().map_or(1, |s| s.first));
        while let Some(step) = reader.step(self.committed())? {
            match step {
                Step::Frame(frame) => {
                    check(&frame, chain, &list, &mut report);
                    chain = Some(frame.head.chain);
                }
                Step::Damage(damage) => {
                    report.damage.push(damage);
                    chain = None;
                }
            }
        }
        report.head = chain.filter(|_| report.records > 0);
        Ok(report)
    }
}

/// Counts a record and checks it against the chain hash before it, where that is known, and its segment's header.
fn check(frame: &Frame, previous: Option<Hash>, list: &[Segment], report: &mut Report) {
    let sequence = frame.head.sequence;
    report.records += 1;
    report.stripped += u64::from(frame.telemetry.is_none());
    report.range = Some((report.range.map_or(sequence, |r| r.0), sequence));
    let found = list.iter().rfind(|s| s.first <= sequence);
    let mut flaw =
        |flaw| report.damage.push(Damage { file: found.map_or_else(String::new, Segment::name), offset: 0, flaw });
    let telemetry = frame.telemetry.as_ref().is_none_or(|t| frame::hash(t) == frame.head.telemetry);
    if !telemetry || frame::hash(&frame.ledger) != frame.head.ledger {
        flaw(Flaw::Digest { sequence });
    }
    let base = found.and_then(|s| s.header.as_ref()).filter(|h| h.first == sequence).map(|h| h.base);
    let joined = base.is_none_or(|base| previous.is_none_or(|previous| previous == base));
    if !joined || previous.or(base).is_some_and(|previous| !frame.head.follows(&previous)) {
        flaw(Flaw::Chain { sequence });
    }
}
