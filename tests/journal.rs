//! The journal on a real file system: what survives, what is told, what is let go.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a test reads clocks and may fail"
)]

use hearthwatch::engine::id::SiteId;
use hearthwatch::engine::time::{Millis, Wall};
use hearthwatch::journal::disk::{Access, DiskFile};
use hearthwatch::journal::{
    Disk, Entry, Flaw, Log, MAX_RECORD_BYTES, OpenError, Options, RealDisk, Record, Recovered, Segments,
};
use hearthwatch::keeper::ports::{Journal, Turn};
use proptest::prelude::*;
use std::any::Any;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use tempfile::{TempDir, tempdir};

const HEADER: u64 = 512;

fn options() -> Options {
    let now = Arc::new(|| Wall(1_700_000_000_000));
    Options {
        segment_bytes: 16 << 10,
        reserve_bytes: 0,
        background: false,
        ..Options::new(SiteId::new("zhonglou").unwrap(), now)
    }
}

fn turn(telemetry: &[u8], ledger: &[u8]) -> Turn {
    Turn { telemetry: telemetry.to_vec(), ledger: ledger.to_vec(), life: false }
}

/// A turn whose blocks tell its number, so that a record in the wrong place shows.
fn numbered(number: u64, size: usize) -> Turn {
    let block = |salt: u64| -> Vec<u8> {
        (0..size as u64).map(|i| (number.wrapping_mul(31).wrapping_add(i * salt) % 251) as u8).collect()
    };
    turn(&block(7), &block(13))
}

fn open(dir: &Path) -> (Log, Recovered) {
    Log::open(dir, options()).unwrap()
}

fn records(segments: &Segments, from: u64) -> Vec<Record> {
    entries(segments, from)
        .into_iter()
        .filter_map(|e| match e {
            Entry::Record(r) => Some(r),
            Entry::Damage(_) => None,
        })
        .collect()
}

fn entries(segments: &Segments, from: u64) -> Vec<Entry> {
    segments.reader(from).until(segments.committed()).map(Result::unwrap).collect()
}

fn flaws(segments: &Segments) -> Vec<Flaw> {
    segments.verify().unwrap().damage.into_iter().map(|d| d.flaw).collect()
}

fn files(dir: &Path, suffix: &str) -> Vec<PathBuf> {
    let all = fs::read_dir(dir).unwrap().map(|e| e.unwrap().path());
    let mut found: Vec<PathBuf> = all.filter(|p| p.to_str().unwrap().ends_with(suffix)).collect();
    found.sort();
    found
}

fn copy(dir: &Path) -> TempDir {
    let to = tempdir().unwrap();
    for entry in fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.path().join(entry.file_name())).unwrap();
    }
    to
}

/// A journal of one life: the folder, and what was appended.
fn written(sizes: &[usize]) -> (TempDir, Vec<Turn>) {
    let dir = tempdir().unwrap();
    let (mut log, _) = open(dir.path());
    let turns: Vec<Turn> = (1..).zip(sizes).map(|(n, size)| numbered(n, *size)).collect();
    for (n, turn) in (1..).zip(&turns) {
        assert_eq!(log.append(turn).unwrap(), n);
    }
    (dir, turns)
}

#[track_caller]
fn assert_prefix(found: &[Record], turns: &[Turn]) {
    assert!(found.len() <= turns.len(), "invented records");
    for ((number, record), turn) in (1..).zip(found).zip(turns) {
        assert_eq!(record.sequence, number);
        assert_eq!(record.telemetry.as_deref(), Some(&turn.telemetry[..]));
        assert_eq!(record.ledger, turn.ledger);
    }
}

/// The newest segment, and the lengths of the records in it.
fn newest(dir: &Path) -> (PathBuf, Vec<u64>) {
    let path = files(dir, ".seg").pop().unwrap();
    let bytes = fs::read(&path).unwrap();
    let (mut at, mut lengths) = (HEADER as usize, Vec::new());
    while let Some(length) = bytes.get(at..at + 4).map(|l| u32::from_le_bytes(l.try_into().unwrap())) {
        if length == 0 {
            break;
        }
        lengths.push(u64::from(length));
        at += length as usize;
    }
    (path, lengths)
}

#[test]
fn what_was_appended_is_read_back_over_restarts_in_one_chain() {
    let dir = tempdir().unwrap();
    let mut all = Vec::new();
    for life in 1..=4 {
        let (mut log, recovered) = open(dir.path());
        assert_eq!((recovered.epoch, recovered.last), (life, all.len() as u64));
        assert_eq!((recovered.cut_bytes, recovered.damage), (0, vec![]));
        for size in [0, 1, 500, 9_000, 40_000] {
            all.push(numbered(all.len() as u64 + 1, size));
            assert_eq!(log.append(all.last().unwrap()).unwrap(), all.len() as u64);
        }
        let found = records(&log.segments(), 1);
        assert_eq!(found.len(), all.len());
        assert_prefix(&found, &all);
        assert_eq!(found.last().unwrap().epoch, life);
    }
    let segments = Segments::read_only(Arc::new(RealDisk), dir.path()).unwrap();
    let report = segments.verify().unwrap();
    assert_eq!((report.range, report.records, report.stripped), (Some((1, 20)), 20, 0));
    assert_eq!((segments.first(), report.damage), (Some(1), vec![]));
    assert!(report.head.is_some());
    for from in 1..=20 {
        assert_eq!(records(&segments, from).first().unwrap().sequence, from);
    }
}

#[test]
fn a_record_has_a_limit_and_one_over_it_does_no_harm() {
    let dir = tempdir().unwrap();
    let (mut log, _) = open(dir.path());
    let fault = log.append(&turn(&[], &vec![1; MAX_RECORD_BYTES])).unwrap_err();
    assert!(!fault.full);
    assert_eq!(log.append(&turn(&[], &vec![1; MAX_RECORD_BYTES - 136])).unwrap(), 1);
    assert_eq!(log.append(&turn(b"a", b"b")).unwrap(), 2);
    assert_eq!(records(&log.segments(), 1).len(), 2);
}

#[test]
fn one_process_at_a_time_and_one_site() {
    let dir = tempdir().unwrap();
    let (mut log, _) = open(dir.path());
    assert!(matches!(Log::open(dir.path(), options()), Err(OpenError::Locked)));
    assert!(matches!(Segments::read_only(Arc::new(RealDisk), dir.path()), Err(OpenError::Locked)));
    log.append(&turn(b"", b"x")).unwrap();
    drop(log);
    let other = Options { site: SiteId::new("tianning").unwrap(), ..options() };
    assert!(matches!(Log::open(dir.path(), other), Err(OpenError::OtherSite { .. })));
    open(dir.path());
}

/// Whoever goes back to an older version must not have it cut what it cannot read.
#[test]
fn a_segment_of_a_newer_version_is_refused_and_left_as_it_is() {
    let (dir, _) = written(&[100, 100]);
    let path = newest(dir.path()).0;
    let mut bytes = fs::read(&path).unwrap();
    bytes[8] += 1;
    let sum = crc32fast::hash(&bytes[..HEADER as usize - 4]);
    bytes[HEADER as usize - 4..HEADER as usize].copy_from_slice(&sum.to_le_bytes());
    fs::write(&path, &bytes).unwrap();
    assert!(matches!(Log::open(dir.path(), options()), Err(OpenError::Newer { .. })));
    assert!(matches!(Segments::read_only(Arc::new(RealDisk), dir.path()), Err(OpenError::Newer { .. })));
    assert_eq!(fs::read(&path).unwrap(), bytes);
}

#[test]
fn a_torn_tail_is_cut_at_every_byte_and_nothing_else_is_lost() {
    let (dir, turns) = written(&[40, 0, 300, 90]);
    let (path, lengths) = newest(dir.path());
    let begin = HEADER + lengths[..3].iter().sum::<u64>();
    let bytes = fs::read(&path).unwrap();
    for keep in 0..lengths[3] {
        let torn = copy(dir.path());
        let mut part = bytes.clone();
        part[(begin + keep) as usize..].fill(0);
        fs::write(torn.path().join(path.file_name().unwrap()), &part).unwrap();
        let (mut log, recovered) = open(torn.path());
        let end = part.iter().rposition(|b| *b != 0).unwrap() as u64 + 1;
        assert_eq!((recovered.last, recovered.cut_bytes), (3, end.saturating_sub(begin)), "kept {keep}");
        assert_eq!(recovered.damage, []);
        assert_prefix(&records(&log.segments(), 1), &turns);
        assert_eq!(log.append(&turns[3]).unwrap(), 4);
        assert_prefix(&records(&log.segments(), 1), &turns);
        assert_eq!(flaws(&log.segments()), []);
    }
}

#[test]
fn a_tail_of_which_only_later_pages_arrived_is_cut() {
    let (dir, turns) = written(&[40, 6_000]);
    let (path, lengths) = newest(dir.path());
    let begin = (HEADER + lengths[0]) as usize;
    let mut bytes = fs::read(&path).unwrap();
    bytes[begin..begin + 4096].fill(0);
    fs::write(&path, &bytes).unwrap();
    let (log, recovered) = open(dir.path());
    assert_eq!((recovered.last, recovered.cut_bytes, recovered.damage.len()), (1, lengths[1], 0));
    assert_prefix(&records(&log.segments(), 1), &turns);
}

#[test]
fn leftovers_of_another_file_behind_the_tail_are_no_records() {
    let (dir, turns) = written(&[40, 50]);
    // The same site and sequences, made at another moment.
    let moved = Options { now: Arc::new(|| Wall(1_700_000_000_001)), ..options() };
    let other = tempdir().unwrap();
    let (mut log, _) = Log::open(other.path(), moved).unwrap();
    for n in 1..=4 {
        log.append(&numbered(n, 40)).unwrap();
    }
    drop(log);
    let (path, lengths) = newest(dir.path());
    let end = (HEADER + lengths.iter().sum::<u64>()) as usize;
    let stale = fs::read(newest(other.path()).0).unwrap();
    let mut bytes = fs::read(&path).unwrap();
    bytes[end..].copy_from_slice(&stale[end..]);
    fs::write(&path, &bytes).unwrap();
    let (log, recovered) = open(dir.path());
    assert_eq!((recovered.last, &recovered.damage[..]), (2, &[][..]));
    assert!(recovered.cut_bytes > 0);
    assert_prefix(&records(&log.segments(), 1), &turns);
}

#[test]
fn a_payload_that_looks_like_a_record_is_none() {
    let (donor, _) = written(&[40, 50, 60]);
    let (path, lengths) = newest(donor.path());
    let forged = &fs::read(path).unwrap()[(HEADER + lengths[0]) as usize..(HEADER + lengths[0] + lengths[1]) as usize];
    let dir = tempdir().unwrap();
    let (mut log, _) = Log::open(dir.path(), Options { now: Arc::new(|| Wall(5)), ..options() }).unwrap();
    log.append(&turn(b"t", b"l")).unwrap();
    log.append(&turn(b"t", forged)).unwrap();
    drop(log);
    let (path, lengths) = newest(dir.path());
    let mut bytes = fs::read(&path).unwrap();
    bytes[(HEADER + lengths[0]) as usize + 20] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let (log, recovered) = open(dir.path());
    assert_eq!((recovered.last, recovered.damage.len()), (1, 0));
    assert_eq!(records(&log.segments(), 1).len(), 1);
}

#[test]
fn a_broken_middle_is_told_and_passed() {
    let (dir, turns) = written(&[200; 70]);
    assert!(files(dir.path(), ".seg").len() > 1);
    let first = files(dir.path(), ".seg")[0].clone();
    let last = newest(dir.path());
    let name = |p: &Path| p.file_name().unwrap().to_str().unwrap().to_string();
    for path in [first, last.0] {
        let hurt = copy(dir.path());
        let mut bytes = fs::read(&path).unwrap();
        bytes[HEADER as usize + 536 + 300] ^= 4;
        fs::write(hurt.path().join(path.file_name().unwrap()), &bytes).unwrap();
        let (log, recovered) = open(hurt.path());
        assert_eq!((recovered.last, recovered.cut_bytes), (70, 0));
        assert_eq!(recovered.damage.len(), 2, "{:?}", recovered.damage);
        assert_eq!(recovered.damage[0].flaw, Flaw::Record);
        assert_eq!((recovered.damage[0].file.clone(), recovered.damage[0].offset), (name(&path), HEADER + 536));
        let Flaw::Missing { from, to } = recovered.damage[1].flaw else { panic!("no gap: {:?}", recovered.damage) };
        assert_eq!(from, to);
        let found = records(&log.segments(), 1);
        assert_eq!(found.len(), 69);
        assert!(found.iter().all(|r| r.sequence != from && r.ledger == turns[r.sequence as usize - 1].ledger));
        assert_eq!(log.segments().verify().unwrap().damage, recovered.damage);
    }
}

#[test]
fn the_end_of_an_earlier_segment_is_a_middle() {
    let (dir, _) = written(&[200; 60]);
    let first = files(dir.path(), ".seg")[0].clone();
    let bytes = fs::read(&first).unwrap();
    fs::write(&first, &bytes[..bytes.len() - 10]).unwrap();
    let (_, recovered) = open(dir.path());
    assert_eq!((recovered.last, recovered.cut_bytes), (60, 0));
    assert!(matches!(recovered.damage[0].flaw, Flaw::Record));
    assert!(matches!(recovered.damage[1].flaw, Flaw::Missing { .. }));
}

#[test]
fn a_missing_segment_is_told_as_a_gap() {
    let (dir, _) = written(&[200; 90]);
    let segments = files(dir.path(), ".seg");
    assert!(segments.len() >= 3);
    let begins = |p: &Path| p.file_stem().unwrap().to_str().unwrap().parse::<u64>().unwrap();
    let (from, to) = (begins(&segments[1]), begins(&segments[2]) - 1);
    fs::remove_file(&segments[1]).unwrap();
    let (log, recovered) = open(dir.path());
    assert_eq!(recovered.damage.iter().map(|d| d.flaw.clone()).collect::<Vec<_>>(), [Flaw::Missing { from, to }]);
    assert_eq!(records(&log.segments(), 1).len() as u64, 90 - (to - from + 1));
    assert_eq!(flaws(&log.segments()), [Flaw::Missing { from, to }]);
}

#[test]
fn a_change_with_a_right_sum_is_told_by_digest_or_chain() {
    let (dir, _) = written(&[40; 5]);
    let (path, lengths) = newest(dir.path());
    let whole = fs::read(&path).unwrap();
    let record = (HEADER + lengths[0]) as usize..(HEADER + lengths[0] + lengths[1]) as usize;
    // Places in the record: epoch, a digest, the chain hash, the ledger block.
    for (place, flaw) in [
        (32, Flaw::Chain { sequence: 2 }),
        (104, Flaw::Chain { sequence: 2 }),
        (72, Flaw::Digest { sequence: 2 }),
        (180, Flaw::Digest { sequence: 2 }),
    ] {
        let mut bytes = whole.clone();
        let changed = &mut bytes[record.clone()];
        changed[place] ^= 1;
        let sum = crc32fast::hash(&[&changed[..4], &changed[8..]].concat());
        changed[4..8].copy_from_slice(&sum.to_le_bytes());
        fs::write(&path, &bytes).unwrap();
        let segments = Segments::read_only(Arc::new(RealDisk), dir.path()).unwrap();
        let found = flaws(&segments);
        assert!(found.contains(&flaw), "byte {place}: {found:?}");
    }
}

#[test]
fn an_unreadable_header_loses_no_record() {
    let (dir, turns) = written(&[200; 60]);
    for path in files(dir.path(), ".seg") {
        let hurt = copy(dir.path());
        let mut bytes = fs::read(&path).unwrap();
        bytes[30] ^= 1;
        fs::write(hurt.path().join(path.file_name().unwrap()), &bytes).unwrap();
        let (mut log, recovered) = open(hurt.path());
        assert_eq!(recovered.last, 60);
        assert_eq!(recovered.damage.iter().map(|d| d.flaw.clone()).collect::<Vec<_>>(), [Flaw::Header]);
        assert_prefix(&records(&log.segments(), 1), &turns);
        assert_eq!(log.append(&turns[0]).unwrap(), 61);
        assert_eq!(flaws(&log.segments()), [Flaw::Header]);
    }
}

#[test]
fn a_newest_file_without_a_byte_is_told_and_replaced() {
    for size in [0, 100, 20_000] {
        let (dir, turns) = written(&[40; 5]);
        fs::write(dir.path().join("00000000000000000006.seg"), vec![0; size]).unwrap();
        let (mut log, recovered) = open(dir.path());
        assert_eq!((recovered.last, recovered.epoch), (5, 2));
        assert_eq!(recovered.damage.iter().map(|d| d.flaw.clone()).collect::<Vec<_>>(), [Flaw::Header]);
        assert_eq!(log.append(&turns[0]).unwrap(), 6);
        assert_prefix(&records(&log.segments(), 1)[..5], &turns);
        assert_eq!(flaws(&log.segments()), []);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn any_cut_leaves_a_prefix(sizes in prop::collection::vec(0usize..3_000, 1..20), place in 0.0f64..1.0) {
        let (dir, turns) = written(&sizes);
        let (path, _) = newest(dir.path());
        let size = fs::metadata(&path).unwrap().len();
        let cut = HEADER + ((size - HEADER) as f64 * place) as u64;
        fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(cut).unwrap();
        let (mut log, recovered) = open(dir.path());
        prop_assert_eq!(&recovered.damage, &vec![]);
        let found = records(&log.segments(), 1);
        prop_assert_eq!(found.len() as u64, recovered.last);
        assert_prefix(&found, &turns);
        prop_assert_eq!(log.append(&turns[0]).unwrap(), recovered.last + 1);
        prop_assert_eq!(flaws(&log.segments()), vec![]);
    }

    #[test]
    fn any_sectors_that_did_not_arrive_cost_only_the_record_in_flight(
        sizes in prop::collection::vec(0usize..4_000, 1..6),
        arrived in prop::collection::vec(any::<bool>(), 20),
    ) {
        let (dir, turns) = written(&sizes);
        let (path, lengths) = newest(dir.path());
        let mut bytes = fs::read(&path).unwrap();
        let end = (HEADER + lengths.iter().sum::<u64>()) as usize;
        let begin = end - lengths.last().map_or(0, |l| *l as usize);
        // A sector that it shares with the record before keeps what was there.
        for at in (begin..end).filter(|at| !arrived[(at / 512) % arrived.len()]) {
            bytes[at] = 0;
        }
        fs::write(&path, &bytes).unwrap();
        let (log, recovered) = open(dir.path());
        prop_assert_eq!(&recovered.damage, &vec![]);
        prop_assert!(recovered.last + 1 >= turns.len() as u64);
        assert_prefix(&records(&log.segments(), 1), &turns);
    }

    #[test]
    fn any_flipped_bit_is_told_or_cuts_the_last_record(
        sizes in prop::collection::vec(0usize..3_000, 2..20),
        file in any::<prop::sample::Index>(),
        place in any::<prop::sample::Index>(),
        bit in 0u32..8,
    ) {
        let (dir, turns) = written(&sizes);
        let paths = files(dir.path(), ".seg");
        let path = &paths[file.index(paths.len())];
        let mut bytes = fs::read(path).unwrap();
        let used = if path == paths.last().unwrap() {
            (HEADER + newest(dir.path()).1.iter().sum::<u64>()) as usize
        } else {
            bytes.len()
        };
        bytes[place.index(used)] ^= 1u8 << bit;
        fs::write(path, &bytes).unwrap();
        let (log, recovered) = open(dir.path());
        let found = records(&log.segments(), 1);
        for record in &found {
            let turn = &turns[record.sequence as usize - 1];
            prop_assert_eq!(record.telemetry.as_deref(), Some(&turn.telemetry[..]));
            prop_assert_eq!(&record.ledger, &turn.ledger);
        }
        let lost = turns.len() - found.len();
        prop_assert!(lost <= 1);
        let told = !recovered.damage.is_empty();
        prop_assert!(told || (recovered.cut_bytes > 0 && recovered.last == turns.len() as u64 - 1));
    }

    #[test]
    fn a_copy_at_any_moment_holds_all_that_was_committed_by_then(
        sizes in prop::collection::vec(0usize..6_000, 1..30),
        every in 1usize..6,
    ) {
        let dir = tempdir().unwrap();
        let (mut log, _) = open(dir.path());
        let mut turns = Vec::new();
        for (n, size) in (1..).zip(&sizes) {
            turns.push(numbered(n, *size));
            log.append(turns.last().unwrap()).unwrap();
            if (n as usize).is_multiple_of(every) {
                if n % 2 == 0 {
                    log.begin_checkpoint().unwrap();
                    log.checkpoint(1, n, b"state").unwrap();
                    log.finish_checkpoint().unwrap();
                }
                let dead = copy(dir.path());
                let (log, recovered) = open(dead.path());
                prop_assert_eq!(recovered.last, n);
                prop_assert_eq!(&recovered.damage, &vec![]);
                assert_prefix(&records(&log.segments(), 1), &turns);
            }
        }
    }
}

#[test]
fn a_follower_on_another_thread_reads_every_record_once_and_none_too_early() {
    let dir = tempdir().unwrap();
    let (mut log, _) = open(dir.path());
    let segments = log.segments();
    let follower = std::thread::spawn(move || {
        let mut reader = segments.reader(1);
        let mut next = 1;
        while next <= 2_000 {
            let committed = segments.committed();
            for entry in reader.until(committed) {
                let Entry::Record(record) = entry.unwrap() else { panic!("damage at {next}") };
                assert!(record.sequence == next && next <= committed);
                assert_eq!(record.ledger, numbered(next, 20).ledger);
                next += 1;
            }
            std::thread::yield_now();
        }
    });
    for n in 1..=2_000 {
        log.append(&numbered(n, 20)).unwrap();
    }
    follower.join().unwrap();
}

/// A clock that a test moves, in days.
fn calendar() -> (Arc<AtomicI64>, Arc<dyn Fn() -> Wall + Send + Sync>) {
    let day = Arc::new(AtomicI64::new(0));
    let clock = day.clone();
    (day, Arc::new(move || Wall(clock.load(Ordering::SeqCst) * 86_400_000)))
}

fn days(days: u64) -> Millis {
    Millis::from_mins(days * 24 * 60)
}

fn checkpoint(log: &mut Log, state: &[u8]) {
    let sequence = log.sequence();
    log.begin_checkpoint().unwrap();
    log.checkpoint(1, sequence, state).unwrap();
    log.checkpoint(2, sequence, &[7; 300_000]).unwrap();
    log.finish_checkpoint().unwrap();
}

#[test]
fn the_newest_whole_checkpoint_counts_and_a_broken_one_is_told() {
    let dir = tempdir().unwrap();
    let (mut log, _) = open(dir.path());
    for n in 1..=9u64 {
        log.append(&numbered(n, 10)).unwrap();
        if n % 2 == 0 {
            checkpoint(&mut log, format!("at {n}").as_bytes());
        }
    }
    // One that is never finished.
    log.begin_checkpoint().unwrap();
    log.checkpoint(1, 9, b"half").unwrap();
    drop(log);
    let generations = files(dir.path(), ".ckp");
    assert_eq!(generations.len(), 2);

    let state = |r: &Recovered| r.snapshots.first().map(|s| (s.subject, s.included, s.bytes.clone()));
    let untouched = copy(dir.path());
    let (log, recovered) = open(untouched.path());
    assert_eq!((recovered.fold_from, state(&recovered)), (9, Some((1, 8, b"at 8".to_vec()))));
    assert_eq!((recovered.snapshots[1].bytes.len(), &recovered.damage[..]), (300_000, &[][..]));
    assert_eq!(records(&log.segments(), recovered.fold_from).len(), 1);

    let bytes = fs::read(&generations[1]).unwrap();
    for place in [0, 4, 9, 40, 100, 200_000, bytes.len() - 1] {
        let mut broken = bytes.clone();
        broken[place] ^= 0x10;
        fs::write(&generations[1], &broken).unwrap();
        let hurt = copy(dir.path());
        let (_, recovered) = open(hurt.path());
        assert_eq!((recovered.fold_from, state(&recovered)), (7, Some((1, 6, b"at 6".to_vec()))), "byte {place}");
        assert_eq!(recovered.damage.iter().map(|d| d.flaw.clone()).collect::<Vec<_>>(), [Flaw::Checkpoint]);
    }
    for length in [0, 20, bytes.len() - 1] {
        fs::write(&generations[1], &bytes[..length]).unwrap();
        let hurt = copy(dir.path());
        assert_eq!(open(hurt.path()).1.fold_from, 7);
    }
    fs::write(&generations[0], b"gone").unwrap();
    let (mut log, recovered) = open(dir.path());
    assert_eq!((recovered.fold_from, recovered.snapshots.len(), recovered.damage.len()), (1, 0, 2));
    checkpoint(&mut log, b"new");
    drop(log);
    assert_eq!(open(dir.path()).1.snapshots[0].bytes, b"new");
}

#[test]
fn a_sequence_that_a_checkpoint_includes_is_never_given_twice() {
    let (dir, turns) = written(&[40; 5]);
    let (mut log, _) = open(dir.path());
    log.append(&turns[0]).unwrap();
    checkpoint(&mut log, b"six");
    drop(log);
    let (path, lengths) = newest(dir.path());
    let mut bytes = fs::read(&path).unwrap();
    bytes[(HEADER + lengths[0]) as usize - 1] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let (mut log, recovered) = open(dir.path());
    assert_eq!(recovered.last, 5);
    assert_eq!(recovered.damage.iter().map(|d| d.flaw.clone()).collect::<Vec<_>>(), [Flaw::Missing { from: 6, to: 6 }]);
    assert_eq!(log.append(&turns[0]).unwrap(), 7);
    assert_eq!(flaws(&log.segments()), [Flaw::Missing { from: 6, to: 6 }]);
}

#[test]
fn what_expires_goes_and_the_chain_holds() {
    let dir = tempdir().unwrap();
    let (day, now) = calendar();
    let cursor = Arc::new(AtomicU64::new(0));
    let kept = Options {
        now,
        segment_age: days(7),
        keep_telemetry: Some(days(90)),
        keep_ledger: Some(days(1000)),
        follower: Some(cursor.clone()),
        ..options()
    };
    let (mut log, _) = Log::open(dir.path(), kept.clone()).unwrap();
    let live = |log: &mut Log, until: i64| {
        while day.load(Ordering::SeqCst) < until {
            log.append(&numbered(log.sequence() + 1, 50)).unwrap();
            checkpoint(log, b"state");
            day.fetch_add(5, Ordering::SeqCst);
        }
    };
    live(&mut log, 300);
    let report = log.segments().verify().unwrap();
    assert_eq!((report.stripped, report.damage), (0, vec![]), "the follower has read nothing yet");

    cursor.store(log.sequence(), Ordering::SeqCst);
    live(&mut log, 500);
    let report = log.segments().verify().unwrap();
    assert_eq!((report.range.unwrap().0, report.damage), (1, vec![]));
    assert!(report.stripped > 30 && report.stripped < report.records, "{}", report.stripped);
    let found = records(&log.segments(), 1);
    assert!(found.iter().all(|r| r.ledger == numbered(r.sequence, 50).ledger));
    assert!(found.last().unwrap().telemetry.is_some());
    drop(log);

    let (mut log, recovered) = Log::open(dir.path(), kept).unwrap();
    assert_eq!(recovered.damage, []);
    cursor.store(u64::MAX, Ordering::SeqCst);
    live(&mut log, 650);
    let report = log.segments().verify().unwrap();
    let whole = report.records - report.stripped;
    assert!((18..25).contains(&whole), "{whole} records, 5 days each, of the life before and of this one");
    live(&mut log, 1_500);
    let report = log.segments().verify().unwrap();
    assert_eq!(report.damage, []);
    let first = log.segments().first().unwrap();
    assert!(first > 50 && report.range.unwrap().0 == first);
    assert!(report.base.is_some() && log.segments().base() == report.base);
    assert_eq!(files(dir.path(), ".seg")[0].file_stem().unwrap().to_str().unwrap().parse::<u64>().unwrap(), first);
    drop(log);
    assert_eq!(open(dir.path()).1.damage, []);
}

#[test]
fn nothing_expires_that_the_older_checkpoint_needs() {
    let dir = tempdir().unwrap();
    let (day, now) = calendar();
    let kept = Options { now, segment_age: days(1), keep_ledger: Some(days(1)), ..options() };
    let (mut log, _) = Log::open(dir.path(), kept).unwrap();
    for _ in 0..10 {
        log.append(&numbered(1, 50)).unwrap();
        day.fetch_add(100, Ordering::SeqCst);
        log.begin_checkpoint().unwrap();
        // One subject was not touched since the third record.
        log.checkpoint(1, log.sequence().min(3), b"old").unwrap();
        log.finish_checkpoint().unwrap();
    }
    assert_eq!(log.segments().first(), Some(4));
    drop(log);
    let (_, recovered) = open(dir.path());
    assert_eq!((recovered.fold_from, recovered.damage), (4, vec![]));
}

type Hook = Box<dyn Fn() + Send + Sync>;

/// The real disk, until a test takes the room away, breaks the sync, makes a place unreadable, or looks at every step.
#[derive(Default)]
struct Faults {
    full: AtomicBool,
    broken: AtomicBool,
    syncs: AtomicU64,
    /// No file is readable from here to the end of the 4 KiB block; 0 for none.
    unreadable: AtomicU64,
    /// Called before each step that changes anything.
    before: Mutex<Option<Hook>>,
}

#[derive(Clone, Default)]
struct FaultyDisk(Arc<Faults>);

impl std::fmt::Debug for FaultyDisk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FaultyDisk")
    }
}

impl std::ops::Deref for FaultyDisk {
    type Target = Faults;
    fn deref(&self) -> &Faults {
        &self.0
    }
}

impl Faults {
    fn step(&self) {
        if let Some(hook) = &*self.before.lock().unwrap() {
            hook();
        }
    }
}

impl Disk for FaultyDisk {
    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        RealDisk.create_dir(dir)
    }
    fn lock(&self, dir: &Path) -> io::Result<Option<Box<dyn Any + Send + Sync>>> {
        RealDisk.lock(dir)
    }
    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        RealDisk.list(dir)
    }
    fn open(&self, path: &Path, access: Access) -> io::Result<Box<dyn DiskFile>> {
        self.step();
        let full = access == Access::Create && self.full.load(Ordering::SeqCst);
        let file = RealDisk.open(path, access)?;
        Ok(Box::new(FaultyFile { file, full, disk: self.clone() }))
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step();
        RealDisk.rename(from, to)
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        self.step();
        RealDisk.remove(path)
    }
    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        RealDisk.sync_dir(dir)
    }
}

struct FaultyFile {
    file: Box<dyn DiskFile>,
    full: bool,
    disk: FaultyDisk,
}

impl FaultyFile {
    fn room(&self) -> io::Result<()> {
        self.disk.step();
        if self.full { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }
}

impl DiskFile for FaultyFile {
    fn size(&self) -> io::Result<u64> {
        self.file.size()
    }
    fn allocate(&self, bytes: u64) -> io::Result<()> {
        self.room()?;
        self.file.allocate(bytes)
    }
    fn truncate(&self, bytes: u64) -> io::Result<()> {
        self.disk.step();
        self.file.truncate(bytes)
    }
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let bad = self.disk.unreadable.load(Ordering::SeqCst);
        let length = match bad {
            bad if bad > offset => buffer.len().min((bad - offset) as usize),
            bad if bad > 0 && offset / 4096 == bad / 4096 => return Err(io::Error::other("a bad sector")),
            _ => buffer.len(),
        };
        self.file.read_at(&mut buffer[..length], offset)
    }
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.room()?;
        self.file.write_at(bytes, offset)
    }
    fn sync(&self) -> io::Result<()> {
        self.disk.step();
        self.disk.syncs.fetch_add(1, Ordering::SeqCst);
        if self.disk.broken.load(Ordering::SeqCst) {
            return Err(io::Error::other("the disk is broken"));
        }
        self.file.sync()
    }
}

fn on(disk: &FaultyDisk) -> Options {
    Options { disk: Arc::new(disk.clone()), ..options() }
}

/// Dies before every single step on the disk that a life of appends, rolls, checkpoints and expiry takes.
#[test]
fn a_death_between_any_two_steps_loses_nothing_committed() {
    let (dir, dead) = (tempdir().unwrap(), Arc::new(Mutex::new(Vec::new())));
    let committed = Arc::new(AtomicU64::new(0));
    let (day, now) = calendar();
    let disk = FaultyDisk::default();
    let kept = Options {
        now,
        segment_bytes: 2 << 10,
        reserve_bytes: 2 << 10,
        segment_age: days(2),
        keep_telemetry: Some(days(3)),
        keep_ledger: Some(days(6)),
        ..on(&disk)
    };
    let (path, known, copies) = (dir.path().to_path_buf(), committed.clone(), dead.clone());
    *disk.before.lock().unwrap() =
        Some(Box::new(move || copies.lock().unwrap().push((known.load(Ordering::SeqCst), copy(&path)))));
    for life in 0..3 {
        let (mut log, _) = Log::open(dir.path(), kept.clone()).unwrap();
        for _ in 0..12 {
            committed.store(log.append(&numbered(log.sequence() + 1, 200)).unwrap(), Ordering::SeqCst);
            let sequence = log.sequence();
            log.begin_checkpoint().unwrap();
            log.checkpoint(life, sequence, &sequence.to_le_bytes()).unwrap();
            log.finish_checkpoint().unwrap();
            day.fetch_add(1, Ordering::SeqCst);
        }
    }
    *disk.before.lock().unwrap() = None;
    let dead = std::mem::take(&mut *dead.lock().unwrap());
    assert!(dead.len() > 300, "{}", dead.len());
    for (committed, dir) in &dead {
        let (mut log, recovered) = open(dir.path());
        assert_eq!(recovered.damage, []);
        assert!((*committed..=committed + 1).contains(&recovered.last), "{} for {committed}", recovered.last);
        for record in records(&log.segments(), log.segments().first().unwrap()) {
            assert_eq!(record.ledger, numbered(record.sequence, 200).ledger);
        }
        let newest = recovered.snapshots.first().map_or(0, |s| s.included);
        assert!(recovered.fold_from == newest + 1 && newest + 2 >= *committed);
        assert_eq!(log.append(&turn(b"", b"on")).unwrap(), recovered.last + 1);
        assert_eq!(flaws(&log.segments()), []);
    }
}

#[test]
fn a_bad_sector_is_told_and_stops_nothing() {
    let (dir, turns) = written(&[1_000; 7]);
    let disk = FaultyDisk::default();
    for (bad, cut) in [(9_000, false), (14_000, true)] {
        let hurt = copy(dir.path());
        disk.unreadable.store(bad, Ordering::SeqCst);
        let (log, recovered) = Log::open(hurt.path(), on(&disk)).unwrap();
        assert!(recovered.damage.iter().any(|d| d.flaw == Flaw::Record), "{:?}", recovered.damage);
        assert_eq!((recovered.cut_bytes > 0, recovered.last < 7), (cut, cut));
        let found = records(&log.segments(), 1);
        assert!((4..=6).contains(&found.len()));
        assert!(found.iter().all(|r| r.ledger == turns[r.sequence as usize - 1].ledger));
    }
}

fn life(ledger: &[u8]) -> Turn {
    Turn { life: true, ..turn(b"", ledger) }
}

#[test]
fn on_a_full_disk_life_is_written_and_the_rest_waits() {
    let dir = tempdir().unwrap();
    let disk = FaultyDisk::default();
    let kept = Options { reserve_bytes: 8 << 10, ..on(&disk) };
    let (mut log, _) = Log::open(dir.path(), kept.clone()).unwrap();
    disk.full.store(true, Ordering::SeqCst);
    let mut sequence = 0;
    // What is reserved already is there for all.
    while log.append(&turn(b"", &[1; 500])).is_ok() {
        sequence += 1;
    }
    assert!(sequence > 10 && !log.is_full());
    assert!(log.append(&life(&[2; 20_000])).unwrap_err().full, "longer than the reserve");
    assert!(!log.is_full(), "which is still whole");
    for _ in 0..5 {
        assert!(log.append(&turn(b"", &[1; 500])).unwrap_err().full);
        sequence += 1;
        assert_eq!(log.append(&life(&[2; 500])).unwrap(), sequence);
        assert!(log.is_full() && !log.has_room().unwrap());
        // A checkpoint has no room, and harms nothing.
        log.begin_checkpoint().unwrap();
        log.checkpoint(1, sequence, &[3; 5_000]).unwrap();
        log.finish_checkpoint().unwrap();
    }
    while let Ok(next) = log.append(&life(&[2; 500])) {
        sequence = next;
    }
    assert!(log.append(&life(&[2; 500])).unwrap_err().full, "the reserve has an end");
    drop(log);

    // A start on a full disk.
    let (mut log, recovered) = Log::open(dir.path(), kept).unwrap();
    assert_eq!((recovered.last, recovered.damage), (sequence, vec![]));
    assert!(log.is_full() && log.append(&turn(b"", b"x")).unwrap_err().full);
    assert!(log.append(&life(b"x")).unwrap_err().full);

    assert!(!log.has_room().unwrap());
    disk.full.store(false, Ordering::SeqCst);
    assert!(log.has_room().unwrap() && !log.is_full());
    assert_eq!(log.append(&turn(b"", b"x")).unwrap(), sequence + 1);
    assert!(!log.is_full() && dir.path().join("reserve").exists());
    assert_eq!(flaws(&log.segments()), []);
    assert_eq!(records(&log.segments(), 1).len() as u64, sequence + 1);
}

#[test]
fn a_start_on_a_full_disk_has_the_reserve_of_the_life_before() {
    let dir = tempdir().unwrap();
    let disk = FaultyDisk::default();
    let kept = Options { reserve_bytes: 8 << 10, ..on(&disk) };
    let (mut log, _) = Log::open(dir.path(), kept.clone()).unwrap();
    log.append(&life(b"one")).unwrap();
    drop(log);
    disk.full.store(true, Ordering::SeqCst);
    let (mut log, _) = Log::open(dir.path(), kept.clone()).unwrap();
    assert!(log.append(&turn(b"", b"x")).unwrap_err().full);
    assert_eq!(log.append(&life(b"two")).unwrap(), 2);
    drop(log);
    let (log, recovered) = Log::open(dir.path(), kept).unwrap();
    assert_eq!((recovered.last, recovered.damage), (2, vec![]));
    assert_eq!(records(&log.segments(), 1)[1].ledger, b"two");
}

#[test]
fn a_reserve_that_somebody_deleted_ends_nothing() {
    let dir = tempdir().unwrap();
    let disk = FaultyDisk::default();
    let (mut log, _) = Log::open(dir.path(), Options { reserve_bytes: 8 << 10, ..on(&disk) }).unwrap();
    std::fs::remove_file(dir.path().join("reserve")).unwrap();
    disk.full.store(true, Ordering::SeqCst);
    let mut sequence = 0;
    while log.append(&turn(b"", &[1; 500])).is_ok() {
        sequence += 1;
    }
    assert!(log.append(&life(&[2; 500])).unwrap_err().full);
    disk.full.store(false, Ordering::SeqCst);
    assert_eq!(log.append(&life(&[2; 500])).unwrap(), sequence + 1);
    assert!(!log.is_full() && dir.path().join("reserve").exists());
}

#[test]
fn a_failed_sync_is_never_tried_again() {
    let dir = tempdir().unwrap();
    let disk = FaultyDisk::default();
    let (mut log, _) = Log::open(dir.path(), on(&disk)).unwrap();
    log.append(&turn(b"", b"one")).unwrap();
    disk.broken.store(true, Ordering::SeqCst);
    let first = log.append(&turn(b"", b"two")).unwrap_err().what;
    disk.broken.store(false, Ordering::SeqCst);
    let syncs = disk.syncs.load(Ordering::SeqCst);
    assert_eq!(log.append(&life(b"three")).unwrap_err().what, first);
    assert_eq!(log.begin_checkpoint().unwrap_err().what, first);
    assert_eq!((disk.syncs.load(Ordering::SeqCst), log.segments().committed()), (syncs, 1));
    assert_eq!(records(&log.segments(), 1).len(), 1);
    drop(log);
    // The second record is in doubt: it may be there, and then it is whole.
    let (mut log, recovered) = open(dir.path());
    assert!(recovered.last <= 2 && recovered.damage.is_empty());
    assert_eq!(log.append(&turn(b"", b"next")).unwrap(), recovered.last + 1);
}

#[test]
fn a_checkpoint_that_cannot_be_synced_stops_the_log() {
    for background in [false, true] {
        let dir = tempdir().unwrap();
        let disk = FaultyDisk::default();
        let (mut log, _) = Log::open(dir.path(), Options { background, ..on(&disk) }).unwrap();
        log.append(&turn(b"", b"one")).unwrap();
        disk.broken.store(true, Ordering::SeqCst);
        checkpoint(&mut log, b"state");
        let syncs = disk.syncs.load(Ordering::SeqCst);
        while background && disk.syncs.load(Ordering::SeqCst) == syncs && log.append(&turn(b"", b"x")).is_ok() {}
        assert!(log.append(&turn(b"", b"two")).is_err());
    }
}

#[test]
fn a_checkpoint_is_complete_when_the_helper_has_ended() {
    let dir = tempdir().unwrap();
    let (mut log, _) = Log::open(dir.path(), Options { background: true, ..options() }).unwrap();
    for n in 1..=5 {
        log.append(&numbered(n, 10)).unwrap();
        checkpoint(&mut log, &[n as u8]);
    }
    drop(log);
    let (_, recovered) = open(dir.path());
    assert_eq!((recovered.fold_from, &recovered.snapshots[0].bytes[..]), (6, &[5][..]));
    assert_eq!(files(dir.path(), ".ckp").len(), 2);
    assert_eq!(files(dir.path(), ".new").len(), 0);
}

/// What the golden journal holds; its files were written once and are never written again.
fn golden_turn(number: u64) -> Turn {
    turn(format!("telemetry {number}").repeat(number as usize).as_bytes(), format!("ledger {number}").as_bytes())
}

/// Makes the journal that tests/golden/v1 is a copy of.
fn make_golden(dir: &Path) {
    let fixed = Options { segment_bytes: 1_024, ..options() };
    let (mut log, _) = Log::open(dir, fixed).unwrap();
    for number in 1..=6 {
        log.append(&golden_turn(number)).unwrap();
        if number == 4 {
            log.begin_checkpoint().unwrap();
            log.checkpoint(0, 4, b"the site").unwrap();
            log.checkpoint(7, 4, b"a home").unwrap();
            log.finish_checkpoint().unwrap();
        }
    }
}

fn golden_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/v1")
}

#[test]
fn the_first_formats_journal_is_read_field_by_field() {
    let dir = copy(&golden_dir());
    let (mut log, recovered) = open(dir.path());
    assert_eq!((recovered.epoch, recovered.last, recovered.fold_from, recovered.cut_bytes), (2, 6, 5, 0));
    assert_eq!(recovered.damage, []);
    let snapshots: Vec<_> = recovered.snapshots.iter().map(|s| (s.subject, s.included, &s.bytes[..])).collect();
    assert_eq!(snapshots, [(0, 4, &b"the site"[..]), (7, 4, b"a home")]);
    let found = records(&log.segments(), 1);
    assert_eq!(found.len(), 6);
    for (number, record) in (1..).zip(found) {
        let Turn { telemetry, ledger, .. } = golden_turn(number);
        assert_eq!(record, Record { sequence: number, epoch: 1, telemetry: Some(telemetry), ledger });
    }
    assert_eq!(log.append(&golden_turn(7)).unwrap(), 7);
    let report = log.segments().verify().unwrap();
    assert_eq!((report.range, report.damage), (Some((1, 7)), vec![]));
}

#[test]
fn this_version_still_writes_the_golden_bytes() {
    let dir = tempdir().unwrap();
    make_golden(dir.path());
    for golden in files(&golden_dir(), "") {
        let fresh = fs::read(dir.path().join(golden.file_name().unwrap())).unwrap();
        assert_eq!(fs::read(&golden).unwrap(), fresh, "{}", golden.display());
    }
    assert_eq!(files(&golden_dir(), "").len(), files(dir.path(), "").len());
}

#[test]
#[ignore = "writes the golden files of a new format version, into a folder that does not exist yet"]
fn write_golden() {
    assert!(!golden_dir().exists());
    make_golden(&golden_dir());
}

/// Fills a real file system: `SMALL_DISK` names an empty folder on one of a few MB.
#[test]
#[ignore = "needs a small file system"]
fn a_really_full_disk_takes_life_and_recovers() {
    let root = PathBuf::from(std::env::var("SMALL_DISK").unwrap());
    let dir = root.join("journal");
    let kept = Options { segment_bytes: 256 << 10, reserve_bytes: 256 << 10, background: true, ..options() };
    let (mut log, _) = Log::open(&dir, kept.clone()).unwrap();
    let mut sequence = 0;
    while let Ok(next) = log.append(&turn(&[1; 9_000], &[2; 1_000])) {
        sequence = next;
    }
    // Something else takes the rest, to the last byte.
    let mut filler = fs::File::create(root.join("filler")).unwrap();
    while io::Write::write_all(&mut filler, &[9; 512]).is_ok() {}
    for _ in 0..20 {
        assert!(log.append(&turn(&[1; 9_000], &[2; 1_000])).unwrap_err().full);
        sequence += 1;
        assert_eq!(log.append(&life(&[3; 9_000])).unwrap(), sequence);
        checkpoint(&mut log, b"no room");
    }
    drop(log);
    let (mut log, recovered) = Log::open(&dir, kept).unwrap();
    assert_eq!((recovered.last, recovered.damage, log.is_full()), (sequence, vec![], true));
    fs::remove_file(root.join("filler")).unwrap();
    for segment in files(&dir, ".seg").into_iter().take(4) {
        fs::remove_file(segment).unwrap();
    }
    assert_eq!(log.append(&turn(&[1; 9_000], &[2; 1_000])).unwrap(), sequence + 1);
    assert!(!log.is_full() && dir.join("reserve").exists());
}

#[test]
#[ignore = "a measurement"]
fn how_long_an_append_takes() {
    let dir = tempdir().unwrap();
    let usual = Options { background: true, ..Options::new(SiteId::new("zhonglou").unwrap(), Arc::new(|| Wall(0))) };
    let (mut log, _) = Log::open(dir.path(), usual).unwrap();
    for (size, times) in [(300, 3_000), (100_000, 1_500)] {
        let turn = numbered(1, size / 2);
        let mut took: Vec<_> = (0..times)
            .map(|_| {
                let before = std::time::Instant::now();
                log.append(&turn).unwrap();
                before.elapsed()
            })
            .collect();
        took.sort();
        println!(
            "{size} bytes: p50 {:?}, p99 {:?}, worst {:?}",
            took[times / 2],
            took[times * 99 / 100],
            took[times - 1]
        );
    }
    drop(log);
    let before = std::time::Instant::now();
    let (log, recovered) = open(dir.path());
    println!("open {:?}", before.elapsed());
    let before = std::time::Instant::now();
    let read = records(&log.segments(), 1).len();
    println!("read {read} records of {} MB in {:?}", log.segments().bytes().unwrap() >> 20, before.elapsed());
    let before = std::time::Instant::now();
    assert_eq!((log.segments().verify().unwrap().damage, recovered.damage), (vec![], vec![]));
    println!("verify {:?}", before.elapsed());
}
