//! The store over a past made by hand: what it holds, that it is the same however it came about, and what becomes of it when its
//! files are damaged.

use super::open::{Sidecar, read_sidecar};
use super::*;
use crate::engine::alarm::{Act, Alarm, Attention, CloseCode, Progress, Reason};
use crate::engine::change::{AlarmChange, Fact, HomeChange, SiteChange};
use crate::engine::delivery::Outcome;
use crate::engine::id::{NoticeId, ResponderId};
use crate::engine::kind::{AlarmKind, Kind};
use crate::engine::reading::Reading;
use crate::engine::time::{Millis, Stamp, Tick, Wall};
use crate::journal::{Entry as Found, Log, Options as JournalOptions, Segments};
use crate::keeper::ports::{Follow, Journal, Turn};
use crate::keeper::record::{self, Blocks, Contents};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

fn site() -> SiteId {
    SiteId::new("t").unwrap()
}

fn home() -> HomeId {
    HomeId::new("h1").unwrap()
}

fn alarm_id(number: u64) -> AlarmId {
    AlarmId { site: site(), number }
}

fn at(ms: i64) -> Stamp {
    Stamp { tick: Tick(ms as u64), wall: Wall(ms), heard: Tick(ms as u64) }
}

fn alarm(number: u64, raised: Stamp) -> Alarm {
    Alarm::new(alarm_id(number), AlarmKind::Sos, Reason::Own { what: "a test".into() }, raised)
}

/// A turn as bytes, and as it is read again.
fn turn(stamp: Stamp, fill: impl FnOnce(&mut Blocks)) -> Turn {
    let mut blocks = Blocks::default();
    fill(&mut blocks);
    Turn { ledger: blocks.stamped_ledger(stamp), telemetry: blocks.telemetry, life: false }
}

/// A past of `alarms` alarms of one home, one after the other, each raised, counted, told and closed; the last one stays open.
fn past(alarms: u64) -> Vec<Turn> {
    let mut turns = vec![turn(at(0), |b| b.site(&SiteChange::HomeAdded { id: home(), claimed: true }))];
    let mut stamp = at(0);
    let mut add = |fill: &dyn Fn(Stamp, &mut Blocks)| {
        stamp = at(stamp.wall.0 + 60_000);
        turns.push(turn(stamp, |b| fill(stamp, b)));
    };
    for n in 1..=alarms {
        let counted = AlarmChange::Counted { happened: Wall(0), reason: None };
        add(&|stamp, b| {
            let motion = Reading::flag(Kind::Motion, true);
            let fact = Fact {
                signal: None,
                device: 0,
                reading: motion,
                happened: None,
                retained: false,
                rest: None,
                event: None,
                press: None,
                history: None,
                beat: None,
                proves_nothing: None,
            };
            b.home(0, &HomeChange::Heard(fact));
            b.home(0, &HomeChange::Raised(Box::new(alarm(n, stamp))));
        });
        add(&|_, b| b.home(0, &HomeChange::Alarm { kind: AlarmKind::Sos, change: counted.clone() }));
        add(&|_, b| {
            let notice = NoticeId { alarm: alarm_id(n), number: 1 };
            b.site(&SiteChange::AttemptEnded { notice, attempt: 1, outcome: Outcome::Delivered, again: None });
        });
        if n < alarms {
            add(&|stamp, b| {
                let alarm = Box::new(alarm(n, stamp));
                b.home(0, &HomeChange::Closed { alarm, code: Some(CloseCode::Helped), by: None });
            });
        }
    }
    turns
}

fn read(turn: &Turn) -> Contents {
    record::read(&turn.telemetry, &turn.ledger).unwrap()
}

/// Reads a past behind a cursor; the first turn has sequence 1.
fn feed(turns: Arc<Vec<Turn>>) -> Box<dyn Fn(u64) -> Feed + Send> {
    Box::new(move |cursor| {
        let (turns, mut next) = (turns.clone(), cursor);
        Box::new(move |committed| {
            let turn = turns.get(next as usize).filter(|_| next < committed)?;
            next += 1;
            Some((next, read(turn)))
        })
    })
}

/// A store that follows a past.
struct Running {
    store: Store,
    opened: Opened,
    followers: Vec<Follower>,
    thread: JoinHandle<()>,
    cursor: Arc<AtomicU64>,
}

impl Running {
    fn start(dir: &Path, feed: Box<dyn Fn(u64) -> Feed + Send>, committed: u64) -> Running {
        Running::start_with(dir, feed, committed, if committed > 0 { vec![home()] } else { Vec::new() })
    }

    fn start_with(dir: &Path, feed: Box<dyn Fn(u64) -> Feed + Send>, committed: u64, homes: Vec<HomeId>) -> Running {
        let options = Options { free_floor_bytes: 0, ..Options::new(dir.to_owned()) };
        let cursor = Arc::new(AtomicU64::new(0));
        let known = Known::new(homes);
        let followed = Site { id: site(), feed, known, cursor: cursor.clone(), committed };
        let (store, opened, followers, thread) = start(&options, "20260101T000000", vec![followed]).unwrap();
        Running { store, opened, followers, thread, cursor }
    }

    /// Follows to the end and closes; gives every row as bytes, without the generation's name.
    fn end(self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let Running { store, followers, thread, .. } = self;
        drop(followers);
        thread.join().unwrap();
        let rows = store.db.iter().map(|row| row.unwrap()).filter(|(key, _)| key != rows::GENERATION_KEY);
        rows.map(|(key, row)| (key.to_vec(), row.to_vec())).collect()
    }
}

fn follow_all(dir: &Path, turns: &Arc<Vec<Turn>>) -> Vec<(Vec<u8>, Vec<u8>)> {
    Running::start(dir, feed(turns.clone()), turns.len() as u64).end()
}

fn store_dir(dir: &tempfile::TempDir) -> PathBuf {
    dir.path().join("store")
}

#[test]
fn it_answers_who_looks_back() {
    let dir = tempfile::tempdir().unwrap();
    let turns = Arc::new(past(3));
    follow_all(&store_dir(&dir), &turns);
    let running = Running::start(&store_dir(&dir), feed(turns.clone()), turns.len() as u64);
    assert_eq!(running.opened, Opened::Sound);
    let store = &running.store;
    let numbers =
        |rows: Vec<Value>| rows.iter().map(|r| r["alarm"]["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(
        numbers(store.closed(&site(), None, 10)),
        ["t-000002", "t-000001"],
        "the newest first, the open one not"
    );
    assert_eq!(numbers(store.closed(&site(), Some(2), 10)), ["t-000001"]);
    assert_eq!(store.closed(&site(), None, 1).len(), 1);
    let what =
        |id| store.timeline(&alarm_id(id)).iter().map(|r| r["what"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(what(1), ["raised", "counted", "attempt", "closed"]);
    assert_eq!(what(3), ["raised", "counted", "attempt"]);
    assert_eq!(store.deliveries(&site(), 10).len(), 3);
    assert_eq!(store.activity(&home(), 0).map(|bins| bins[0]), Some(3));
    assert_eq!(store.activity(&home(), 1), None);
    assert!(store.closed_alarm(&alarm_id(1)).is_some() && store.closed_alarm(&alarm_id(3)).is_none());
    running.end();
}

/// A call of a device that nobody registered, which then finds its home: its alarm goes along, and is worked on there.
fn past_of_a_move() -> Vec<Turn> {
    let stranger = HomeId::new("unclaimed/z2m/x").unwrap();
    let told = |change| HomeChange::Alarm { kind: AlarmKind::Sos, change };
    let counted = || told(AlarmChange::Counted { happened: Wall(0), reason: None });
    let zhang = || ResponderId::new("zhang").unwrap();
    let taken = Attention::Taken { by: zhang(), at: Wall(120_000), progress: Progress::Seen, until: Tick(900_000) };
    let close = |number| HomeChange::Closed { alarm: Box::new(alarm(number, at(0))), code: None, by: None };
    vec![
        turn(at(0), |b| {
            b.site(&SiteChange::HomeAdded { id: stranger, claimed: false });
            b.home(0, &HomeChange::Raised(Box::new(alarm(1, at(0)))));
        }),
        turn(at(60_000), |b| {
            b.site(&SiteChange::HomeAdded { id: home(), claimed: true });
            b.home(0, &HomeChange::AlarmLeft { alarm: alarm_id(1) });
            b.home(1, &HomeChange::AlarmJoined(Box::new(alarm(1, at(0)))));
        }),
        turn(at(120_000), |b| {
            b.home(1, &told(AlarmChange::Acted { act: Act::Seen, by: zhang() }));
            b.home(1, &told(AlarmChange::Attention { attention: taken, late_by: Millis(0) }));
        }),
        turn(at(180_000), |b| b.home(1, &counted())),
        // What it left behind is none of it.
        turn(at(240_000), |b| b.home(0, &counted())),
        turn(at(300_000), |b| b.home(0, &HomeChange::Raised(Box::new(alarm(2, at(300_000)))))),
        turn(at(360_000), |b| b.home(0, &close(2))),
        turn(at(420_000), |b| b.home(1, &counted())),
        turn(at(480_000), |b| b.home(1, &close(1))),
    ]
}

#[test]
fn an_alarm_that_moves_keeps_its_record() {
    let turns = Arc::new(past_of_a_move());
    let whole = tempfile::tempdir().unwrap();
    let homes = vec![HomeId::new("unclaimed/z2m/x").unwrap(), home()];
    let follow = |dir: &tempfile::TempDir, committed: usize| {
        Running::start_with(&store_dir(dir), feed(turns.clone()), committed as u64, homes.clone())
    };
    let expected = follow(&whole, turns.len()).end();
    let running = follow(&whole, turns.len());
    let store = &running.store;
    let timeline = store.timeline(&alarm_id(1));
    let what: Vec<_> = timeline.iter().map(|row| row["what"].as_str().unwrap()).collect();
    assert_eq!(what, ["raised", "moved", "act_seen", "taken", "counted", "counted", "closed"]);
    assert_eq!(timeline[1]["home"], "h1");
    assert_eq!(store.closed_alarm(&alarm_id(1)).unwrap()["home"]["id"], "h1");
    assert_eq!(store.timeline(&alarm_id(2)).len(), 2);
    running.end();
    // The process ends after any of the turns: what is open where is known to the next one.
    for cut in 1..turns.len() {
        let dir = tempfile::tempdir().unwrap();
        follow(&dir, cut).end();
        assert_eq!(follow(&dir, turns.len()).end(), expected, "parted after turn {cut}");
    }
}

#[test]
fn it_is_the_same_however_it_came_about() {
    let turns = Arc::new(past(4));
    let whole = tempfile::tempdir().unwrap();
    let expected = follow_all(&store_dir(&whole), &turns);
    assert!(expected.len() > 15);
    // In two lives, parted after any of the turns.
    for cut in 1..turns.len() {
        let dir = tempfile::tempdir().unwrap();
        Running::start(&store_dir(&dir), feed(turns.clone()), cut as u64).end();
        let rows = follow_all(&store_dir(&dir), &turns);
        assert_eq!(rows, expected, "parted after turn {cut}");
    }
    // Turn by turn.
    let dir = tempfile::tempdir().unwrap();
    let mut running = Running::start(&store_dir(&dir), feed(turns.clone()), 0);
    (1..=turns.len() as u64).for_each(|n| running.followers[0].committed(n));
    assert_eq!(running.end(), expected);
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the pace of the turns is what is tested")]
fn it_is_synced_while_there_is_no_quiet_second_too() {
    let dir = tempfile::tempdir().unwrap();
    let turns = Arc::new(past(150));
    let mut running = Running::start(&store_dir(&dir), feed(turns.clone()), 0);
    let last = turns.len() as u64;
    // The bell is never silent for a second.
    for n in 1..=5_000 {
        running.followers[0].committed(last.min(n));
        std::thread::sleep(Duration::from_millis(2));
        if running.cursor.load(Ordering::Acquire) > 0 {
            break;
        }
    }
    assert!(running.cursor.load(Ordering::Acquire) > 0, "what is behind the cursor may expire");
    running.end();
}

/// Damages a store's files in a way that is to be noticed, or that cannot be.
type Damage = fn(&Path);

#[test]
fn what_is_damaged_is_built_anew_and_holds_the_same() {
    let damages: [(&str, Damage, Option<&str>); 6] = [
        ("nothing", |_| {}, None),
        ("the folder is gone", |dir| std::fs::remove_dir_all(dir).unwrap(), Some("empty")),
        (
            "the log is empty",
            |dir| {
                remove_snapshots(dir);
                std::fs::write(dir.join("db"), []).unwrap();
            },
            Some(""),
        ),
        ("the log is no file", make_unopenable, Some("")),
        (
            "an older copy came back",
            |dir| {
                forge(dir, |sidecar| {
                    sidecar.cursors.values_mut().for_each(|cursor| *cursor += 1_000);
                })
            },
            Some("has lost what it had of site t"),
        ),
        ("another store's folder", |dir| forge(dir, |sidecar| sidecar.generation.push('x')), Some("another store")),
    ];
    let turns = Arc::new(past(4));
    for (what, damage, noticed) in damages {
        let dir = tempfile::tempdir().unwrap();
        let expected = follow_all(&store_dir(&dir), &turns);
        damage(&store_dir(&dir));
        let running = Running::start(&store_dir(&dir), feed(turns.clone()), turns.len() as u64);
        match (&running.opened, noticed) {
            (Opened::Sound, None) => {}
            (Opened::Anew(why), Some(word)) if why.contains(word) => {}
            (opened, _) => panic!("{what}: {opened:?}"),
        }
        assert_eq!(running.end(), expected, "{what}");
        let aside = std::fs::read_dir(dir.path())
            .unwrap()
            .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with("store.broken-"));
        assert_eq!(aside.count(), usize::from(noticed.is_some()), "{what}: kept for whoever wants to look into it");
    }
}

fn forge(dir: &Path, change: impl FnOnce(&mut Sidecar)) {
    let mut sidecar = read_sidecar(dir).unwrap();
    change(&mut sidecar);
    std::fs::write(dir.with_extension("state"), serde_json::to_vec(&sidecar).unwrap()).unwrap();
}

fn make_unopenable(dir: &Path) {
    std::fs::remove_file(dir.join("db")).unwrap();
    std::fs::create_dir(dir.join("db")).unwrap();
}

fn remove_snapshots(dir: &Path) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        if entry.file_name().to_string_lossy().starts_with("snap.") {
            std::fs::remove_file(entry.path()).unwrap();
        }
    }
}

#[test]
fn the_trial_says_yes_to_what_opens_only() {
    let dir = tempfile::tempdir().unwrap();
    follow_all(&store_dir(&dir), &Arc::new(past(2)));
    assert!(probe(&store_dir(&dir)));
    make_unopenable(&store_dir(&dir));
    assert!(!probe(&store_dir(&dir)));
}

#[test]
fn a_trial_that_fails_is_believed() {
    let dir = tempfile::tempdir().unwrap();
    let options = |program: &str| Options {
        free_floor_bytes: 0,
        probe: Some((PathBuf::from(program), Vec::new())),
        ..Options::new(store_dir(&dir))
    };
    let turns = Arc::new(past(2));
    let expected = follow_all(&store_dir(&dir), &turns);
    let followed = |committed| Site {
        id: site(),
        feed: feed(turns.clone()),
        known: Known::new(vec![home()]),
        cursor: Arc::default(),
        committed,
    };
    // Where even a new folder does not open there is no store; the next start finds what it needs in the journal.
    assert!(start(&options("/bin/false"), "1", vec![followed(0)]).is_err());
    let (store, opened, followers, thread) =
        start(&options("/bin/true"), "2", vec![followed(turns.len() as u64)]).unwrap();
    assert_eq!(opened, Opened::Sound, "what could not be opened was put aside before");
    let running = Running { store, opened, followers, thread, cursor: Arc::default() };
    assert_eq!(running.end(), expected);
}

#[test]
fn no_room_no_store() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { free_floor_bytes: u64::MAX, ..Options::new(store_dir(&dir)) };
    let opened = start(&options, "1", Vec::new());
    assert!(matches!(opened, Err(OpenError::NoSpace { .. })));
}

/// Retention has dropped and stripped the first segments of a journal; then one bit of the store flips, its file is cut, its folder
/// goes. What the journal still has is in the store again, and a closed alarm needs no more than its end.
#[test]
fn after_retention_it_holds_what_the_journal_still_has() {
    let flip: Damage = |dir| {
        let mut bytes = std::fs::read(dir.join("db")).unwrap();
        let used = bytes.iter().rposition(|byte| *byte != 0).unwrap();
        bytes[used / 2] ^= 16;
        std::fs::write(dir.join("db"), bytes).unwrap();
        remove_snapshots(dir);
    };
    let cut: Damage = |dir| {
        let file = std::fs::OpenOptions::new().write(true).open(dir.join("db")).unwrap();
        file.set_len(64).unwrap();
        remove_snapshots(dir);
    };
    let gone: Damage = |dir| std::fs::remove_dir_all(dir).unwrap();
    for (what, damage) in [("a bit", flip), ("cut", cut), ("gone", gone)] {
        let dir = tempfile::tempdir().unwrap();
        let day = 24 * 60 * 60 * 1_000;
        let clock = Arc::new(AtomicI64::new(0));
        let (told, cursor) = (clock.clone(), Arc::new(AtomicU64::new(0)));
        let options = JournalOptions {
            segment_bytes: 8 << 10,
            reserve_bytes: 0,
            keep_telemetry: Some(Millis(20 * day)),
            keep_ledger: Some(Millis(60 * day)),
            follower: Some(cursor.clone()),
            background: false,
            ..JournalOptions::new(site(), Arc::new(move || Wall(told.load(Ordering::Relaxed))))
        };
        let (mut log, _) = Log::open(&dir.path().join("journal"), options).unwrap();
        let turns = past(200);
        for (n, turn) in turns.iter().enumerate() {
            clock.store(n as i64 * day as i64 / 8, Ordering::Relaxed);
            log.append(turn).unwrap();
        }
        let last = log.sequence();
        let live = Running::start(&store_dir(&dir), journal_feed(log.segments()), last);
        assert_eq!(live.opened, Opened::Sound);
        let before = live.end();
        cursor.store(last, Ordering::Relaxed);
        for _ in 0..40 {
            // Each generation lets one segment lose its telemetry.
            log.begin_checkpoint().unwrap();
            log.checkpoint(0, last, b"site").unwrap();
            log.finish_checkpoint().unwrap();
        }
        let first = log.segments().first().unwrap();
        assert!(first > 100, "the first segments have expired: {first}");
        let mut reader = log.segments().reader(first);
        let kept = reader.until(last).filter_map(|entry| match entry.unwrap() {
            Found::Record(found) => Some(found.telemetry.is_none()),
            Found::Damage(_) => None,
        });
        assert!(kept.filter(|stripped| *stripped).count() > 10, "and others have lost their telemetry");

        damage(&store_dir(&dir));
        let running = Running::start(&store_dir(&dir), journal_feed(log.segments()), last);
        assert!(matches!(running.opened, Opened::Anew(_)), "{what}: {:?}", running.opened);
        let rows = running.end();
        let is_bin = |key: &[u8]| key[0] == b'b';
        let of_kept: Vec<_> = before.iter().filter(|(key, _)| !is_bin(key) && !expired(key, first)).collect();
        let again: Vec<_> = rows.iter().filter(|(key, _)| !is_bin(key)).collect();
        assert_eq!(again.len(), of_kept.len(), "{what}");
        assert!(again.iter().all(|row| of_kept.contains(row)), "{what}: what is kept is the same");
    }
}

fn journal_feed(segments: Segments) -> Box<dyn Fn(u64) -> Feed + Send> {
    Box::new(move |cursor| {
        let mut reader = segments.reader(segments.first().unwrap_or(1).max(cursor + 1));
        Box::new(move |committed| match reader.next(committed).unwrap()? {
            Found::Record(found) => {
                let telemetry = found.telemetry.unwrap_or_default();
                Some((found.sequence, record::read(&telemetry, &found.ledger).unwrap()))
            }
            Found::Damage(damage) => panic!("{damage}"),
        })
    })
}

/// Whether a row stems from a record before `first`.
fn expired(key: &[u8], first: u64) -> bool {
    let number = |from: usize| key.get(from..from + 8).map(|b| u64::from_be_bytes(b.try_into().unwrap()));
    match key[0] {
        // Delivery: site, sequence. Timeline: site, alarm, sequence.
        b'd' => number(3).unwrap() < first,
        b't' => number(11).unwrap() < first,
        // A closed alarm: the first of the four or three turns of each is 2 + 4 (n - 1), the last 5 + 4 (n - 1).
        b'z' => 5 + 4 * (number(3).unwrap() - 1) < first,
        _ => false,
    }
}
