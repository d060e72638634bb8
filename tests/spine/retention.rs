//! Old age, lived through in seconds: the first lives run 220, 200 and 100 days in the past, so that retention takes away what is left
//! of the first one. Then the store is lost and the journal's end torn: what the expired segments said is in the checkpoints alone.

use super::clock;
use super::damage::{break_store, tear_journal};
use super::gateway::{Gateway, Registry, SITE, eventually};
use super::{Broker, Dice, District, PRESS, Receiver, home};
use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

/// Homes in which somebody presses in each life.
const EACH: usize = 3;
const LIVES: usize = 8;

#[test]
fn what_retention_has_dropped_is_not_missed_when_the_store_is_lost_and_the_journal_torn() {
    let mut dice = Dice::thrown();
    let mut district = aged();
    let first = segments(&district.gateway)[0].clone();

    live(&mut district, "-220d", 0);
    live(&mut district, "-200d", 1);
    live(&mut district, "-100d", 2);
    let full = fs::metadata(&segments(&district.gateway)[0]).expect("the first segment").len();
    live(&mut district, "", 3);
    // Of each stop one segment's telemetry goes.
    live(&mut district, "", 4);
    let (kept, log) = (segments(&district.gateway), district.gateway.log());
    assert!(!first.exists() && log.contains("a journal segment has expired"), "{kept:?}");
    assert!(log.contains("the telemetry of a journal segment has expired"), "{log}");
    println!("the first segment of {full} bytes has expired; {} are left", kept.len());

    district.gateway.start();
    for (damage, life) in ["deleted", "truncated", "flipped"].into_iter().zip(5..) {
        store_follows(&district.gateway);
        assert!(district.gateway.kill());
        break_store(&district.gateway, damage, &mut dice);
        tear_journal(&district.gateway);
        press(&district, life);
        district.gateway.start();
        eventually("the new presses", || district.alarms_told().len() >= (life + 1) * EACH);
        let said = district.gateway.said();
        assert!(said.contains("a torn record was cut off the journal's end"), "{said}");
        let rebuilt = said.contains("the store is built anew from the journal, since ");
        assert!(rebuilt || damage == "flipped", "{damage}: {said}");
        let open: BTreeSet<_> = district.gateway.shown_open().into_iter().collect();
        let missing: Vec<_> =
            (0..(life + 1) * EACH).map(|n| (home(n), "sos".to_owned())).filter(|alarm| !open.contains(alarm)).collect();
        assert!(missing.is_empty(), "{damage}: {missing:?} of {open:?}");
        let told = open.iter().any(|(home, kind)| home == &format!("gateway/{SITE}") && kind == "store_rebuilt");
        assert!(told || !rebuilt, "an alarm says so: {open:?}");
        println!("store {damage}, journal torn: rebuilt {rebuilt}, {} alarms open", open.len());
    }
    assert!(district.gateway.terminate().0.success());
    let verified = district.gateway.command(&["verify"]);
    assert!(String::from_utf8_lossy(&verified.stdout).contains("0 damages"), "{verified:?}");
}

/// A district whose registry was taken in 220 days ago, and which keeps as little as it may.
fn aged() -> District {
    let (broker, receiver) = (Broker::start(), Receiver::start());
    let mut gateway = Gateway::new(&broker.url());
    gateway.set("HEARTHWATCH__JOURNAL__TELEMETRY_KEEP_DAYS", "90");
    gateway.set("HEARTHWATCH__JOURNAL__LEDGER_KEEP_DAYS", "180");
    clock::shift(&mut gateway, "-220d");
    let registry =
        Registry::default().channel(&gateway, "desk", &receiver.url()).ladder("life", 3_600, &[("desk", 3_600)]);
    gateway.import(super::with_homes(registry, LIVES * EACH).text());
    District { broker, gateway, receiver }
}

/// One life so far from the present: some press, others report, and it leaves by itself, which writes a checkpoint generation.
fn live(district: &mut District, when: &str, life: usize) {
    clock::shift(&mut district.gateway, when);
    district.gateway.start();
    press(district, life);
    eventually("the presses of this life", || district.alarms_told().len() >= (life + 1) * EACH);
    store_follows(&district.gateway);
    assert!(district.gateway.terminate().0.success());
}

fn press(district: &District, life: usize) {
    for n in life * EACH..(life + 1) * EACH {
        district.say(&format!("zigbee2mqtt/{}/plug", home(n)), &format!(r#"{{"power":{}}}"#, 7_000 + n));
        district.say(&format!("zigbee2mqtt/{}/sos", home(n)), PRESS);
    }
}

/// Waits until the store has on the disk all that there was before the newest segment; nothing behind that may expire.
fn store_follows(gateway: &Gateway) {
    let begun = segments(gateway).last().and_then(|path| path.file_stem()?.to_str()?.parse::<u64>().ok());
    let begun = begun.expect("a segment");
    eventually("the store's sync", || {
        let state = fs::read(gateway.data("store.state")).unwrap_or_default();
        let state: serde_json::Value = serde_json::from_slice(&state).unwrap_or_default();
        state["cursors"][SITE].as_u64().is_some_and(|cursor| cursor >= begun)
    });
}

fn segments(gateway: &Gateway) -> Vec<PathBuf> {
    let files = fs::read_dir(gateway.data("journal").join(SITE)).expect("the journal");
    let mut found: Vec<PathBuf> = files.map(|entry| entry.expect("an entry").path()).collect();
    found.retain(|path| path.extension().is_some_and(|e| e == "seg"));
    found.sort();
    found
}
