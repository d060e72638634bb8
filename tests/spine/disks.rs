//! Disks that are full, and disks that turn read-only, under the real service.

use super::gateway::{Gateway, eventually};
use super::mount::Mount;
use super::{Broker, District, home};
use std::collections::BTreeSet;

const HOMES: usize = 12;
/// The store does not open with less than 64 MiB free.
const MIB: u32 = 100;
/// A part of what a segment of 1 MiB can hold.
const READINGS: i64 = 20_000;
const FIRST: i64 = 2_000_000;

#[test]
fn a_disk_filled_to_the_last_block_takes_presses_and_lets_readings_wait() {
    let Some(disk) = Mount::memory(MIB) else { return };
    let mut district = on(&disk);
    district.gateway.start();
    district.press(0..4);
    district.wait_told(4);
    disk.fill();
    let mut said = 0;
    eventually("the segment is used up and there is no room for another", || {
        say_readings(&district, said);
        said += READINGS;
        std::thread::sleep(std::time::Duration::from_millis(300));
        ready(&district.gateway).0 == 503
    });
    say_readings(&district, said);
    said += READINGS;
    let missing = |gateway: &Gateway| missing(gateway, said);
    let (_, parts) = ready(&district.gateway);
    assert!(parts.contains("the disk is full: life only"), "{parts}");
    assert!(metrics(&district.gateway).contains("hearthwatch_journal_full{site=\"t\"} 1"));
    district.press(4..8);
    district.wait_told(8);
    assert!(district.gateway.said().contains("the disk is full: only calls for help are taken in until there is room"));

    // It dies like this, and starts on a disk without a free block.
    assert!(district.gateway.kill());
    district.press(8..10);
    district.gateway.spawn();
    district.wait_told(10);
    assert!(missing(&district.gateway) > 0, "readings wait at the broker");
    let open: BTreeSet<_> = district.gateway.shown_open().into_iter().collect();
    println!("full, after the restart: {} of {said} readings wait; open: {open:?}", missing(&district.gateway));

    disk.give_back();
    eventually("the readings", || missing(&district.gateway) == 0);
    eventually("it is ready again", || ready(&district.gateway).0 == 200);
    assert!(metrics(&district.gateway).contains("hearthwatch_journal_full{site=\"t\"} 0"));
    district.press(10..HOMES);
    district.wait_told(HOMES);
    let past = district.gateway.past();
    assert!(past.damage.is_empty(), "{:?}", past.damage);
    super::kills::check_ids(&district.receiver.requests());
}

#[test]
fn a_first_start_without_any_room_says_so_and_leaves() {
    let Some(disk) = Mount::memory(MIB) else { return };
    let (broker, mut gateway) = (Broker::start(), Gateway::new("mqtt://127.0.0.1:1"));
    disk.take(&gateway);
    disk.fill();
    gateway.set("HEARTHWATCH__MQTT__URL", broker.url());
    gateway.spawn();
    assert_eq!(gateway.wait_for_end().code(), Some(1));
    let last = gateway.last_line();
    println!("{last}");
    assert!(last.starts_with("hearthwatch leaves: ") && last.contains("No space left on device"), "{last}");
    assert!(!last.contains("backup"), "there was nothing yet that a backup could hold: {last}");
    disk.give_back();
    gateway.start();
}

#[test]
fn a_disk_that_is_read_only_at_the_start_is_named_in_the_last_line() {
    let Some(disk) = Mount::memory(MIB) else { return };
    let mut district = on(&disk);
    district.gateway.start();
    district.press(0..2);
    district.wait_told(2);
    assert!(district.gateway.terminate().0.success());
    district.press(2..4);
    disk.again("ro");
    district.gateway.spawn();
    assert_eq!(district.gateway.wait_for_end().code(), Some(1));
    let last = district.gateway.last_line();
    println!("{last}");
    assert!(last.starts_with("hearthwatch leaves: ") && last.contains("Read-only file system"), "{last}");
    disk.again("rw");
    district.gateway.start();
    district.wait_told(4);
}

#[test]
fn a_disk_that_turns_read_only_ends_the_process_and_costs_nothing() {
    let Some(disk) = Mount::ext4(MIB + 30) else { return };
    let mut district = on(&disk);
    district.gateway.start();
    district.press(0..3);
    district.wait_told(3);
    disk.break_down();
    district.press(3..6);
    assert_eq!(district.gateway.wait_for_end().code(), Some(1));
    let last = district.gateway.last_line();
    println!("{last}");
    assert!(last.starts_with("hearthwatch leaves: keeper t has stopped: ") && last.contains("Read-only"), "{last}");
    disk.mend();
    district.gateway.start();
    district.wait_told(6);
    assert!(district.gateway.past().damage.is_empty());
}

/// A district whose data lie on this disk.
fn on(disk: &Mount) -> District {
    District::on(HOMES, |gateway| disk.take(gateway))
}

fn say_readings(district: &District, from: i64) {
    let topics: Vec<String> = (0..HOMES).map(|n| format!("zigbee2mqtt/{}/plug", home(n))).collect();
    let reading = |n: i64| (topics[n as usize % HOMES].as_str(), format!(r#"{{"power":{}}}"#, FIRST + n));
    super::publish(&district.broker.url(), (from..from + READINGS).map(reading));
}

/// How many of so many readings the journal does not have.
fn missing(gateway: &Gateway, said: i64) -> usize {
    let past = gateway.past();
    (FIRST..FIRST + said).filter(|n| !past.numbers.contains_key(n)).count()
}

fn ready(gateway: &Gateway) -> (u16, String) {
    gateway.get("/readyz").unwrap_or_default()
}

fn metrics(gateway: &Gateway) -> String {
    gateway.get("/metrics").map(|(_, text)| text).unwrap_or_default()
}
