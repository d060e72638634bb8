//! The disk keeps what was synced and may lose all else; and the journal, on such a disk, keeps what it promised.

use super::*;
use crate::engine::id::SiteId;
use crate::engine::time::Wall;
use crate::journal::disk::{Access, Disk, DiskFile, is_full, read_all};
use crate::journal::{Entry, Log, Options};
use crate::keeper::ports::{Journal, Turn};

const SECTOR: usize = 512;

fn disk(seed: u64) -> SimDisk {
    let disk = SimDisk::new(Dice::new(seed, 0));
    disk.create_dir(Path::new("/d")).unwrap();
    disk
}

fn path(name: &str) -> PathBuf {
    Path::new("/d").join(name)
}

fn create(disk: &SimDisk, name: &str) -> Box<dyn DiskFile> {
    disk.open(&path(name), Access::Create).unwrap()
}

fn read(disk: &SimDisk, name: &str) -> Vec<u8> {
    read_all(disk, &path(name), u64::MAX).unwrap()
}

/// A file with a durable name.
fn named(disk: &SimDisk, name: &str) -> Box<dyn DiskFile> {
    let file = create(disk, name);
    disk.sync_dir(Path::new("/d")).unwrap();
    file
}

/// The byte there, as 0 behind the end.
fn byte(bytes: &[u8], at: usize) -> u8 {
    bytes.get(at).copied().unwrap_or(0)
}

#[test]
fn synced_sectors_survive_a_power_failure_and_others_are_old_or_new() {
    let (mut whole, mut none, mut torn) = (0, 0, 0);
    for seed in 0..600 {
        let (disk, mut dice) = (disk(seed), Dice::new(seed, 1));
        let file = named(&disk, "a");
        let (mut synced, mut touched) = (Vec::new(), BTreeSet::new());
        for _ in 0..dice.below(30) {
            let size = file.size().unwrap() as usize;
            let at = dice.below(size + 600);
            let sectors = match dice.below(5) {
                0 => {
                    file.sync().unwrap();
                    (synced, touched) = (read(&disk, "a"), BTreeSet::new());
                    0..0
                }
                1 => {
                    file.truncate(at as u64).unwrap();
                    at.min(size) / SECTOR..size.div_ceil(SECTOR)
                }
                2 => {
                    file.allocate((at + 900) as u64).unwrap();
                    0..0
                }
                _ => {
                    let bytes: Vec<u8> = (0..dice.below(3_000)).map(|_| dice.roll() as u8).collect();
                    file.write_at(&bytes, at as u64).unwrap();
                    at / SECTOR..(at + bytes.len()).div_ceil(SECTOR)
                }
            };
            touched.extend(sectors);
        }
        let live = read(&disk, "a");
        disk.power_fails();
        let found = read(&disk, "a");
        let (short, long) = (synced.len().min(live.len()), synced.len().max(live.len()));
        assert!((short..=long).contains(&found.len()), "seed {seed}: {} of {short} to {long}", found.len());
        let same = |sector: usize, other: &[u8]| {
            let end = ((sector + 1) * SECTOR).min(found.len());
            (sector * SECTOR..end).all(|at| found[at] == byte(other, at))
        };
        let (mut kept, mut lost) = (0, 0);
        for sector in 0..found.len().div_ceil(SECTOR) {
            let (old, new) = (same(sector, &synced), same(sector, &live));
            assert!(old || (new && touched.contains(&sector)), "seed {seed}: sector {sector}");
            (kept, lost) = (kept + u32::from(!old), lost + u32::from(!new));
        }
        whole += u32::from(kept > 0 && lost == 0);
        none += u32::from(kept == 0 && lost > 0);
        torn += u32::from(kept > 0 && lost > 0);
        assert_eq!(disk.counts().power_failures, 1);
        disk.power_fails();
        assert_eq!(read(&disk, "a"), found, "seed {seed}: what is on the disk stays there");
    }
    assert!(whole > 20 && none > 20 && torn > 20, "{whole} whole, {none} none, {torn} torn");
}

#[test]
fn names_arrive_in_order_and_only_a_folders_sync_is_sure() {
    let mut seen = BTreeSet::new();
    for seed in 0..100 {
        let disk = disk(seed);
        named(&disk, "a").sync().unwrap();
        create(&disk, "b").write_at(&[1; 4_000], 0).unwrap();
        disk.rename(&path("a"), &path("c")).unwrap();
        disk.remove(&path("c")).unwrap();
        let synced = seed % 2 == 0;
        if synced {
            disk.sync_dir(Path::new("/d")).unwrap();
        }
        disk.power_fails();
        let names = disk.list(Path::new("/d")).unwrap().join(" ");
        let partial = names.contains('b') && read(&disk, "b").len() < 4_000;
        seen.insert((synced, names, partial));
    }
    let expected = [
        (false, "a", false),
        (false, "a b", false),
        (false, "a b", true),
        (false, "b", false),
        (false, "b", true),
        (false, "b c", false),
        (false, "b c", true),
        (true, "b", false),
        (true, "b", true),
    ];
    assert_eq!(seen, expected.map(|(synced, names, partial)| (synced, names.to_owned(), partial)).into());
}

#[test]
fn a_failed_sync_drops_what_it_had_and_the_next_does_not_know_it() {
    let lost = |again: bool| {
        (0..100).filter(move |seed| {
            let disk = disk(*seed);
            let file = named(&disk, "a");
            file.allocate(4_096).unwrap();
            file.sync().unwrap();
            file.write_at(&[7; 2_000], 100).unwrap();
            disk.fail_sync();
            assert!(!is_full(&file.sync().unwrap_err()));
            assert_eq!(read(&disk, "a")[100..2_100], [7; 2_000], "the system still shows it");
            if again {
                file.write_at(&[7; 2_000], 100).unwrap();
            }
            file.sync().unwrap();
            disk.power_fails();
            assert_eq!((disk.counts().failed_syncs, read(&disk, "a").len()), (1, 4_096));
            read(&disk, "a")[100..2_100] != [7; 2_000]
        })
    };
    assert!((10..100).contains(&lost(false).count()));
    assert_eq!(lost(true).count(), 0);
}

#[test]
fn a_full_disk_takes_what_was_reserved_and_no_byte_more() {
    let disk = disk(1);
    let (a, b) = (named(&disk, "a"), named(&disk, "b"));
    a.allocate(4_000).unwrap();
    disk.set_capacity(5_000);
    a.write_at(&[1; 4_000], 0).unwrap();
    assert!(is_full(&b.allocate(1_001).unwrap_err()));
    assert_eq!((b.size().unwrap(), disk.used()), (0, 4_000));
    assert!(is_full(&b.write_at(&[2; 3_000], 0).unwrap_err()));
    assert_eq!((b.size().unwrap(), disk.used()), (1_000, 5_000), "what fits is written");
    assert!(is_full(&a.write_at(&[1; 2], 3_999).unwrap_err()));
    a.sync().unwrap();
    a.truncate(3_000).unwrap();
    b.allocate(2_000).unwrap();
    disk.remove(&path("a")).unwrap();
    assert_eq!((disk.used(), disk.counts().full), (2_000, 3));
    disk.set_capacity(u64::MAX);
    b.allocate(10_000).unwrap();
}

#[test]
fn a_death_voids_handles_and_locks_and_keeps_what_was_written() {
    for power in [false, true] {
        let disk = disk(3);
        let dir = Path::new("/d");
        let file = named(&disk, "a");
        file.write_at(b"synced", 0).unwrap();
        file.sync().unwrap();
        let lock = disk.lock(dir).unwrap().unwrap();
        assert!(disk.lock(dir).unwrap().is_none());
        if power {
            disk.power_fails();
        } else {
            file.write_at(b", written", 6).unwrap();
            disk.process_dies();
        }
        assert_eq!(read(&disk, "a"), if power { &b"synced"[..] } else { b"synced, written" });
        let calls = [file.size().map(drop), file.write_at(b"x", 0), file.sync(), file.read_at(&mut [0], 0).map(drop)];
        assert!(calls.iter().all(Result::is_err), "{calls:?}");
        let next = disk.lock(dir).unwrap().unwrap();
        drop(lock);
        assert!(disk.lock(dir).unwrap().is_none(), "the dead process's lock frees nobody else's");
        drop(next);
        assert!(disk.lock(dir).unwrap().is_some());
    }
}

/// Every operation once, in the order of the table.
fn every_operation(disk: &SimDisk) -> io::Result<()> {
    let file = disk.open(&path("a"), Access::Create)?;
    file.allocate(3_000)?;
    file.write_at(&[1; 2_000], 0)?;
    file.sync()?;
    file.truncate(1_000)?;
    disk.rename(&path("a"), &path("b"))?;
    disk.sync_dir(Path::new("/d"))?;
    disk.remove(&path("b"))
}

#[test]
fn a_death_stops_half_way_through_the_operation_that_it_was_ordered_for() {
    use Operation::*;
    let operations = [Create, Allocate, Write, Sync, Truncate, Rename, SyncDir, Remove];
    for (n, operation) in (1..).zip(operations) {
        let left: BTreeSet<Vec<u8>> = (0..20)
            .map(|seed| {
                let disk = disk(seed);
                disk.die_in(n);
                assert!(!disk.dead());
                every_operation(&disk).unwrap_err();
                assert!(disk.dead() && disk.list(Path::new("/d")).is_err() && disk.lock(Path::new("/d")).is_err());
                assert_eq!(disk.counts().deaths, BTreeMap::from([(operation, 1)]));
                assert!(disk.counts().operations.into_values().eq(std::iter::repeat_n(1, n as usize)));
                disk.process_dies();
                assert!(!disk.dead());
                let inner = disk.inner();
                let sides = [&inner.live, &inner.durable].map(|names| format!("{names:?}").into_bytes());
                sides.concat()
            })
            .collect();
        assert!(left.len() > 1, "{operation:?} is always done, or never");
    }
    let disk = disk(0);
    disk.die_in(operations.len() as u64 + 1);
    every_operation(&disk).unwrap();
    disk.die_in(0);
    every_operation(&disk).unwrap();
}

#[test]
fn a_flipped_bit_is_on_the_disk_and_is_read() {
    for seed in 0..50 {
        let disk = disk(seed);
        for (name, size) in [("a", 3_000), ("b", 100), ("empty", 0)] {
            let file = named(&disk, name);
            file.write_at(&vec![0; size], 0).unwrap();
            file.sync().unwrap();
        }
        let (found, at) = disk.flip_bit(|path| !path.ends_with("a")).unwrap();
        assert_eq!(found, path("b"));
        assert!(disk.flip_bit(|path| path.ends_with("empty")).is_none());
        for _ in 0..2 {
            let bytes = read(&disk, "b");
            assert!(bytes[at as usize].is_power_of_two() && bytes.iter().filter(|b| **b != 0).count() == 1);
            disk.power_fails();
        }
        assert_eq!(disk.counts().flipped_bits, 1);
    }
}

#[test]
fn a_fork_goes_its_own_way_from_what_is_live() {
    let disk = disk(5);
    create(&disk, "a").write_at(b"unsynced", 0).unwrap();
    disk.set_capacity(8);
    disk.die_in(1);
    let (digest, lock) = (disk.digest(), disk.lock(Path::new("/d")).unwrap());
    let fork = disk.fork();
    assert_eq!(fork.digest(), digest);
    fork.power_fails();
    assert_eq!(fork.digest(), digest, "all of a fork is durable");
    assert!(fork.lock(Path::new("/d")).unwrap().is_some() && lock.is_some());
    fork.open(&path("a"), Access::Write).unwrap().write_at(b"and longer", 8).unwrap();
    assert_ne!(fork.digest(), digest);
    assert_eq!((disk.digest(), read(&disk, "a")), (digest, b"unsynced".to_vec()));
}

#[test]
fn a_slow_disk_tells_how_long_its_syncs_took() {
    let disk = disk(6);
    disk.slow(40);
    let file = named(&disk, "a");
    file.sync().unwrap();
    disk.slow(0);
    file.sync().unwrap();
    assert_eq!((disk.take_delay(), disk.take_delay()), (80, 0));
}

fn options(disk: &SimDisk) -> Options {
    Options {
        disk: Arc::new(disk.clone()),
        segment_bytes: 2 << 10,
        reserve_bytes: 2 << 10,
        background: false,
        ..Options::new(SiteId::new("zhonglou").unwrap(), Arc::new(|| Wall(1_700_000_000_000)))
    }
}

fn numbered(number: u64) -> Turn {
    let block = |salt: u64| (0..400).map(|i| (number * 31 + i * salt) as u8).collect();
    Turn { telemetry: block(7), ledger: block(13), life: false }
}

/// Two starts of a process that appends and writes checkpoints, until it dies; gives the last sequence it was sure of.
fn live(disk: &SimDisk) -> u64 {
    let mut sure = 0;
    let mut run = || -> Option<()> {
        for _ in 0..2 {
            let (mut log, _) = Log::open(Path::new("/d/journal"), options(disk)).ok()?;
            for n in 1..=6 {
                sure = log.append(&numbered(log.sequence() + 1)).ok()?;
                if n % 2 == 0 {
                    log.begin_checkpoint().ok()?;
                    log.checkpoint(1, sure, &sure.to_le_bytes()).ok()?;
                    log.finish_checkpoint().ok()?;
                }
            }
        }
        Some(())
    };
    // A death while it clears up old files goes unnoticed until the next call.
    assert!(run().is_some() || disk.dead());
    sure
}

/// Starts once more after a death: all that the last process was sure of is there, as it was, and the journal goes on.
fn assert_kept(disk: &SimDisk, sure: u64, story: &str) {
    let (mut log, recovered) = Log::open(Path::new("/d/journal"), options(disk)).expect(story);
    assert_eq!(recovered.damage, [], "{story}");
    assert!((sure..=sure + 1).contains(&recovered.last), "{story}: {} for {sure}", recovered.last);
    let mut reader = log.segments().reader(1);
    let entries = reader.until(recovered.last).map(|entry| match entry.expect(story) {
        Entry::Record(record) => record,
        Entry::Damage(damage) => panic!("{story}: {damage}"),
    });
    let mut last = 0;
    for record in entries {
        last += 1;
        let turn = numbered(last);
        assert_eq!((record.sequence, record.ledger, record.telemetry), (last, turn.ledger, Some(turn.telemetry)));
    }
    assert_eq!(last, recovered.last, "{story}");
    let included = recovered.snapshots.first().map_or(0, |s| s.included);
    assert!(included + 3 >= sure && recovered.snapshots.iter().all(|s| s.bytes == included.to_le_bytes()), "{story}");
    assert_eq!(log.append(&numbered(last + 1)).expect(story), last + 1);
}

#[test]
fn the_journal_keeps_what_it_promised_over_a_death_at_any_operation() {
    let steps: u64 = {
        let disk = disk(0);
        assert_eq!(live(&disk), 12);
        disk.counts().operations.values().sum()
    };
    assert!(steps > 80, "{steps}");
    let mut total = Counts::default();
    for (power, seed) in [(false, 0), (true, 1), (true, 2), (true, 3), (true, 4)] {
        for k in 1..=steps {
            let disk = disk(seed);
            disk.die_in(k);
            let sure = live(&disk);
            assert!(disk.dead());
            if power {
                disk.power_fails()
            } else {
                disk.process_dies()
            }
            assert_kept(&disk, sure, &format!("power {power}, seed {seed}, operation {k}"));
            let counts = disk.counts();
            total.torn_files += counts.torn_files;
            total.lost_names += counts.lost_names;
            counts.deaths.into_iter().for_each(|(operation, n)| *total.deaths.entry(operation).or_default() += n);
        }
    }
    assert!(total.deaths.len() == 8 && total.torn_files > 0 && total.lost_names > 0, "{total:?}");
}

#[test]
fn one_seed_gives_one_disk() {
    let run = |seed: u64| {
        let disk = disk(seed);
        disk.die_in(60);
        live(&disk);
        disk.power_fails();
        (disk.digest(), disk.counts())
    };
    assert_eq!(run(9), run(9));
    assert!((0..20).map(|seed| run(seed).0).collect::<BTreeSet<_>>().len() > 1);
}
