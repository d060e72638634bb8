//! The power goes: only what was synced is left, and of the rest any part. Every press that the broker accepted is an alarm all the
//! same, since what was not synced was not acknowledged and comes again; and nothing was told that the journal does not know.
//!
//! That this can fail is shown by two mutants, which are to turn it red:
//! `cargo test --features no-sync --test spine power_cut` (the journal's sync does nothing) and
//! `cargo test --features ack-early --test spine power_cut` (messages are acknowledged before their record is written).

use super::gateway::{Gateway, Registry};
use super::kills::{Calm, Storm, check_ids, wait_for_homes};
use super::power::{Kept, library};
use super::{Broker, Dice, Receiver};
use std::sync::atomic::AtomicBool;
use std::thread::sleep;
use std::time::Duration;

const REGISTERED: usize = 300;
/// Until the cut: in recovery, in the backlog, or in daily work.
const LONGEST_LIFE_MS: u64 = 1_300;
/// An old disk; so the window between writing and having is hit by most cuts.
const SYNC_US: u32 = 8_000;

#[test]
fn what_the_broker_accepted_survives_a_power_cut() {
    let (cuts, buttons) = if super::long() { (100, 3_000) } else { (8, 500) };
    let mut dice = Dice::thrown();
    let (broker, desk, lead) = (Broker::start(), Receiver::start(), Receiver::start());
    let mut gateway = Gateway::new(&broker.url());
    let library = library(gateway.dir());
    let registry = Registry::default()
        .channel(&gateway, "desk", &desk.url())
        .channel(&gateway, "lead", &lead.url())
        .ladder("life", 3_600, &[("desk", 3), ("lead", 3_600)]);
    gateway.import(super::with_homes(registry, REGISTERED).text());
    // A first life, so that the broker holds sessions.
    gateway.start();
    assert!(gateway.terminate().0.success());
    let stop = AtomicBool::new(false);
    let (storm, torn) = std::thread::scope(|scope| {
        let calm = Calm(&stop);
        let storm = scope.spawn(|| Storm::blow(&broker.url(), buttons, &stop));
        let mut torn = 0;
        for n in 0..cuts {
            let kept = Kept::from_now(&mut gateway, &library, SYNC_US);
            gateway.spawn();
            if n % 2 == 1 {
                gateway.ready();
            }
            sleep(Duration::from_millis(dice.below(LONGEST_LIFE_MS)));
            assert!(gateway.kill(), "it was alive until the cut");
            torn += kept.cut(&gateway, &mut dice);
        }
        drop(calm);
        (storm.join().expect("the storm"), torn)
    });
    for name in ["LD_PRELOAD", "POWER_DATA", "POWER_KEPT", "POWER_SLOW_US"] {
        gateway.set(name, "");
    }
    gateway.start();
    for receiver in [&desk, &lead] {
        wait_for_homes(receiver, &storm);
    }
    storm.wait_for_readings(&gateway);
    storm.wait_for_ladders(&gateway);
    let past = gateway.past();
    let presses: u32 = storm.presses.values().sum();
    let counted: u32 = past.alarms.values().flatten().map(|told| told.events).sum();
    println!(
        "{cuts} power cuts, {torn} files lost unsynced bytes; {presses} presses of {} buttons counted {counted} times, {} readings; lost 0",
        storm.presses.len(),
        storm.readings
    );
    storm.check(&past);
    check_ids(&desk.requests().into_iter().chain(lead.requests()).collect::<Vec<_>>());
}
