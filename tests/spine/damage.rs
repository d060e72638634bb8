//! What becomes of the files while the service is away: the store in pieces, the journal's end torn. It starts, rebuilds, says what
//! happened, and has every alarm.

use super::gateway::{Gateway, SITE, eventually, verified};
use super::{Dice, District, PRESS, SOON, home};
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::Duration;

const HOMES: usize = 8;

#[test]
fn the_store_s_folder_is_deleted() {
    let (district, told) = damaged(|gateway| break_store(gateway, "deleted", &mut Dice::thrown()));
    assert!(told, "an alarm says so");
    rebuilt(&district);
}

#[test]
fn the_store_s_file_is_truncated() {
    let (district, told) = damaged(|gateway| break_store(gateway, "truncated", &mut Dice::thrown()));
    assert!(told, "an alarm says so");
    rebuilt(&district);
}

#[test]
fn one_bit_of_the_store_is_flipped() {
    // Where the bit lies in what sled reads no more, nothing is to be noticed and nothing is lost.
    let (district, told) = damaged(|gateway| break_store(gateway, "flipped", &mut Dice::thrown()));
    println!("the flipped bit was noticed: {told}");
    rebuilt(&district);
}

#[test]
fn the_end_of_the_journal_is_torn() {
    let (district, told) = damaged(tear_journal);
    assert!(!told, "the store is sound");
    let log = district.gateway.log();
    assert!(log.contains("a torn record was cut off the journal's end"), "{log}");
    assert!(district.gateway.past().damage.is_empty());
}

/// Presses in half of the homes, kills the service, damages its files, presses in the other half, starts it again. Every alarm is
/// there and told, and the ladder of the old ones goes on. Gives whether an alarm told of the store.
fn damaged(damage: impl FnOnce(&Gateway)) -> (District, bool) {
    let mut district = District::new(HOMES);
    district.gateway.start();
    let press = |district: &District, homes: std::ops::Range<usize>| {
        homes.for_each(|n| district.say(&format!("zigbee2mqtt/{}/sos", home(n)), PRESS));
    };
    press(&district, 0..HOMES / 2);
    district.receiver.wait_for(HOMES / 2, SOON);
    // What the store has is on the disk when the file beside it says so.
    eventually("the store's first sync", || district.gateway.data("store.state").exists());
    std::thread::sleep(Duration::from_millis(1_500));
    assert!(district.gateway.kill());
    damage(&district.gateway);
    press(&district, HOMES / 2..HOMES);
    district.gateway.start();
    eventually("the other half", || district.alarms_told().len() >= HOMES);
    let past = district.gateway.past();
    for n in 0..HOMES {
        let told = past.open(&home(n), "sos").unwrap_or_else(|| panic!("{} has no alarm", home(n)));
        assert_eq!(told.rungs, [(1, 0, 0)], "{}", home(n));
    }
    district.receiver.requests().iter().for_each(|request| drop(verified(request)));
    super::kills::check_ids(&district.receiver.requests());
    let told = past.alarms.iter().any(|((_, kind), all)| kind == "store_rebuilt" && !all[0].closed);
    assert_eq!(told, district.gateway.log().contains("the store is built anew from the journal, since "));
    (district, told)
}

/// The store has all of the past: the timelines of both halves.
fn rebuilt(district: &District) {
    let (dir, past) = (district.gateway.data("store"), district.gateway.past());
    let alarms: Vec<&str> = past.alarms.values().flatten().map(|told| told.id.as_str()).collect();
    eventually("the store has followed", || {
        let mut text = String::new();
        let db = File::open(dir.join("db")).and_then(|mut file| {
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).map(|_| bytes)
        });
        text.push_str(&String::from_utf8_lossy(&db.unwrap_or_default()));
        alarms.iter().all(|alarm| text.contains(alarm))
    });
}

/// Damages the store of a service at rest: deleted, truncated, or one bit flipped.
pub fn break_store(gateway: &Gateway, how: &str, dice: &mut Dice) {
    match how {
        "deleted" => fs::remove_dir_all(gateway.data("store")).expect("the folder"),
        "truncated" => {
            let file = OpenOptions::new().write(true).open(gateway.data("store/db")).expect("the file");
            file.set_len(100).expect("truncated");
            remove_snapshots(&gateway.data("store"));
        }
        _ => flip(&gateway.data("store/db"), dice),
    }
}

/// Puts the beginning of a record behind the journal's last one: never whole, and so never acknowledged.
pub fn tear_journal(gateway: &Gateway) {
    let folder = gateway.data("journal").join(SITE);
    let segments = fs::read_dir(&folder).expect("the journal").map(|entry| entry.expect("an entry").path());
    let last = segments.filter(|path| path.extension().is_some_and(|e| e == "seg")).max().expect("a segment");
    let bytes = fs::read(&last).expect("the segment");
    let end = bytes.iter().rposition(|byte| *byte != 0).expect("a record") as u64 + 1;
    let mut file = OpenOptions::new().write(true).open(&last).expect("the segment");
    file.seek(SeekFrom::Start(end + 7)).expect("behind the last record");
    file.write_all(&bytes[bytes.len().min(200)..bytes.len().min(260)]).expect("junk");
    file.write_all(b"half a record").expect("junk");
}

fn remove_snapshots(store: &Path) {
    for entry in fs::read_dir(store).expect("the store").map(|entry| entry.expect("an entry")) {
        if entry.file_name().to_string_lossy().starts_with("snap.") {
            fs::remove_file(entry.path()).expect("a snapshot");
        }
    }
}

fn flip(path: &Path, dice: &mut Dice) {
    let mut bytes = fs::read(path).expect("the file");
    let used = bytes.iter().rposition(|byte| *byte != 0).expect("content") as u64 + 1;
    let (at, bit) = (dice.below(used) as usize, dice.below(8));
    bytes[at] ^= 1 << bit;
    fs::write(path, bytes).expect("the file");
    println!("bit {bit} of byte {at} of {used}");
}
