//! What comes out of Sparkplug's messages, which the tests write field by field.

use crate::engine::dialect::Dialect;
use crate::engine::kind::Kind;
use crate::engine::reading::Value;
use crate::wire::tests::{profiled, reports, source, told};
use crate::wire::{Decoded, Lore, Message, Outcome, Source, decode};
use proptest::prelude::*;

const NOON: u64 = 1_772_366_400_000;

fn varint(number: u64) -> Vec<u8> {
    let (low, rest) = ((number & 0x7f) as u8, number >> 7);
    if rest == 0 { vec![low] } else { [vec![low | 0x80], varint(rest)].concat() }
}

fn number(field: u64, number: u64) -> Vec<u8> {
    [varint(field << 3), varint(number)].concat()
}

fn bytes(field: u64, bytes: &[u8]) -> Vec<u8> {
    [varint(field << 3 | 2), varint(bytes.len() as u64), bytes.to_vec()].concat()
}

fn name(name: &str) -> Vec<u8> {
    bytes(1, name.as_bytes())
}

fn alias(alias: u64) -> Vec<u8> {
    number(2, alias)
}

fn datatype(datatype: u64) -> Vec<u8> {
    number(4, datatype)
}

fn int(value: u32) -> Vec<u8> {
    number(10, value.into())
}

fn long(value: u64) -> Vec<u8> {
    number(11, value)
}

fn float(value: f32) -> Vec<u8> {
    [vec![12 << 3 | 5], value.to_le_bytes().to_vec()].concat()
}

fn double(value: f64) -> Vec<u8> {
    [vec![13 << 3 | 1], value.to_le_bytes().to_vec()].concat()
}

fn flag(value: bool) -> Vec<u8> {
    number(14, value.into())
}

fn text(value: &str) -> Vec<u8> {
    bytes(15, value.as_bytes())
}

/// A metric of these fields.
fn metric(fields: &[Vec<u8>]) -> Vec<u8> {
    bytes(2, &fields.concat())
}

/// A payload of these metrics.
fn payload(metrics: &[Vec<u8>]) -> Vec<u8> {
    [number(1, NOON), metrics.concat(), number(3, 7)].concat()
}

fn group() -> Source {
    source(Dialect::SparkplugB, Dialect::SparkplugB.usual_topics()[0])
}

fn decoded(lore: &Lore, topic: &str, payload: &[u8]) -> Decoded {
    decode(lore, &group(), &Message { topic, payload, retain: false })
}

fn heard(topic: &str, payload: &[u8]) -> String {
    told(&decoded(&Lore::default(), topic, payload))
}

#[track_caller]
fn check_metrics(table: &[(&[Vec<u8>], &str)]) {
    for (fields, expected) in table {
        let said = heard("spBv1.0/g/DDATA/n/d", &payload(&[metric(fields)]));
        assert_eq!(said.strip_prefix("g/n/d: ").unwrap_or(&said), *expected, "{fields:?}");
    }
}

#[test]
fn values_by_their_names() {
    let none = "g/n/d:";
    check_metrics(&[
        (&[name("Temperature"), datatype(9), float(21.4)], "temperature=21.4"),
        (&[name("Bath/Temperature"), datatype(10), double(22.5)], "temperature=22.5@Bath"),
        (&[name("temperature"), datatype(3), int((-5i32) as u32)], "temperature=-5"),
        (&[name("temperature"), datatype(1), int(251)], "temperature=-5"),
        (&[name("temperature"), datatype(2), int(65_531)], "temperature=-5"),
        (&[name("temperature"), datatype(4), long(-5i64 as u64)], "temperature=-5"),
        (&[name("temperature"), double(f64::NAN)], none),
        (&[name("temperature"), float(f32::INFINITY)], none),
        (&[name("temperature"), text("21")], none),
        (&[name("Setpoints/Temperature"), float(21.0)], none),
        (&[name("humidity"), datatype(5), int(45)], "humidity=45"),
        (&[name("Battery Level"), int(255)], none),
        (&[name("SOS"), datatype(11), flag(true)], "sos=true~"),
        (&[name("sos"), int(1)], none),
        (&[name("Motion"), flag(false)], "motion=false"),
        (&[name("Motion"), int(12)], none),
        (&[name("Door"), datatype(12), text("open")], "contact=open"),
        (&[name("Door"), flag(true)], none),
        (&[name("Front/Door Open"), flag(false)], "contact=closed@Front"),
        (&[name("smoke"), flag(true)], "smoke=true"),
        (&[name("smoke"), long(120)], none),
        (&[name("heart_rate"), int(0)], none),
        (&[name("uptime"), long(123)], none),
        (&[name("Temperature"), number(5, 1), float(21.0)], none),
        (&[name("Temperature"), number(7, 1)], none),
        (&[name("Temperature"), number(7, 1), float(21.0)], none),
        (&[name("Temperature"), bytes(17, b"\x08\x01")], none),
    ]);
}

#[test]
fn a_birth_teaches_what_its_aliases_are() {
    let mut lore = Lore::default();
    let birth = payload(&[
        metric(&[name("Door Open"), alias(1), datatype(11), flag(false)]),
        metric(&[name("Temperature"), alias(2), datatype(3), int(20)]),
    ]);
    let data = payload(&[metric(&[alias(1), flag(true)]), metric(&[alias(2), int(-3i32 as u32)])]);
    let unknown = decoded(&lore, "spBv1.0/g/DDATA/n/d", &data);
    assert_eq!((told(&unknown).as_str(), unknown.unread), ("g/n/d:", 2), "alive, but nobody knows what it says");
    let born = decoded(&lore, "spBv1.0/g/DBIRTH/n/d", &birth);
    assert_eq!(told(&born), "g/n/d: contact=closed temperature=20 online=true");
    assert!(born.lessons.into_iter().all(|lesson| lore.learn(lesson)));
    let known = decoded(&lore, "spBv1.0/g/DDATA/n/d", &data);
    assert_eq!((told(&known).as_str(), known.unread), ("g/n/d: contact=open temperature=-3", 0));
    assert_eq!(told(&decoded(&lore, "spBv1.0/g/DDATA/n/other", &data)), "g/n/other:");
    let again = decoded(&lore, "spBv1.0/g/DBIRTH/n/d", &payload(&[]));
    again.lessons.into_iter().for_each(|lesson| assert!(lore.learn(lesson)));
    assert_eq!(decoded(&lore, "spBv1.0/g/DDATA/n/d", &data).unread, 2, "a new birth replaces the old one");
}

#[test]
fn births_and_deaths() {
    let empty = payload(&[]);
    let sequence = payload(&[metric(&[name("bdSeq"), datatype(8), long(3)])]);
    for (topic, payload, expected) in [
        ("spBv1.0/g/NBIRTH/n", &sequence, "g/n: online=true; bridge of \"g/n/\": online=true"),
        ("spBv1.0/g/NDEATH/n", &sequence, "g/n: online=false; bridge of \"g/n/\": online=false"),
        ("spBv1.0/g/DBIRTH/n/d", &empty, "g/n/d: online=true"),
        ("spBv1.0/g/DDEATH/n/d", &empty, "g/n/d: online=false"),
        ("spBv1.0/g/NDATA/n", &sequence, "g/n:"),
        ("spBv1.0/g/NCMD/n", &sequence, "ignored: a command to a device"),
        ("spBv1.0/g/DCMD/n/d", &sequence, "ignored: a command to a device"),
        ("spBv1.0/g/OTHER/n/d", &sequence, "ignored: nothing of interest"),
        ("spBv1.0/STATE/host", &empty, "ignored: no source listens on this topic"),
    ] {
        assert_eq!(heard(topic, payload), expected, "{topic}");
    }
}

#[test]
fn times() {
    let time = |topic: &str, payload: &[u8]| {
        let decoded = decoded(&Lore::default(), topic, payload);
        reports(&decoded)[0].device_time.map(|time| time.0 as u64)
    };
    let measured = metric(&[name("humidity"), number(3, NOON - 5_000), int(40)]);
    let old = metric(&[name("humidity"), number(3, NOON - 9_000), number(5, 1), int(41)]);
    assert_eq!(time("spBv1.0/g/DDATA/n/d", &payload(&[measured.clone(), old])), Some(NOON - 5_000));
    assert_eq!(time("spBv1.0/g/DBIRTH/n/d", &payload(&[measured])), Some(NOON));
    assert_eq!(time("spBv1.0/g/DDATA/n/d", &payload(&[])), Some(NOON));
    assert_eq!(time("spBv1.0/g/NDEATH/n", &payload(&[])), None, "a will is as old as the connection");
    assert_eq!(time("spBv1.0/g/DDATA/n/d", &number(1, u64::MAX)), None);
}

#[test]
fn a_repeated_call_is_told_from_a_report_with_news() {
    let rest =
        |metrics: &[Vec<u8>]| reports(&decoded(&Lore::default(), "spBv1.0/g/DDATA/n/d", &payload(metrics)))[0].rest;
    let (call, humidity) = (metric(&[name("sos"), flag(true)]), metric(&[name("humidity"), int(40)]));
    assert_eq!(rest(std::slice::from_ref(&call)), rest(&[]));
    assert_ne!(rest(&[call, humidity]), rest(&[]));
}

#[test]
fn homes_and_profiles() {
    let homes = source(Dialect::SparkplugB, "spBv1.0/{home}/{type}/{device}");
    let message = Message {
        topic: "spBv1.0/h1/DDATA/n/d",
        payload: &payload(&[metric(&[name("S1"), flag(true)])]),
        retain: true,
    };
    let lore = profiled(&homes, "h1/n/d", &[("S1", Some(Kind::Contact), &["true"], &["false"])]);
    let decoded = decode(&lore, &homes, &message);
    assert_eq!(told(&decoded), "h1/n/d: contact=open");
    let report = &reports(&decoded)[0];
    assert_eq!((report.home_hint.as_deref(), report.retained), (Some("h1"), true));
}

#[test]
fn what_cannot_be_read_is_named() {
    let broken = "rejected: the protobuf is broken or cut off";
    let (time, value) = (number(1, NOON), metric(&[name("humidity"), int(40)]));
    let whole = [&time[..], &value].concat();
    for end in 1..whole.len() {
        let expected = if end == time.len() { "g/n/d:" } else { broken };
        assert_eq!(heard("spBv1.0/g/DDATA/n/d", &whole[..end]), expected, "{end}");
    }
    for (payload, expected) in [
        (&b"{\"temperature\":21}"[..], broken),
        (&bytes(2, b"\x0a\x20ab"), broken),
        (&metric(&[bytes(1, b"\xff")]), "rejected: the payload is not UTF-8"),
        (&b"\x12\x00".repeat(5_000), "rejected: too many properties or items"),
        (&vec![0x80; (1 << 20) + 1], "rejected: the payload is too large"),
    ] {
        assert_eq!(heard("spBv1.0/g/NDATA/n", payload), expected, "{payload:.40?}");
    }
    let long = format!("spBv1.0/g/NDATA/{}", "n".repeat(300));
    assert_eq!(heard(&long, &[]), "rejected: the device's address has more than 256 bytes");
}

proptest! {
    /// Whatever the bytes: no panic, and no number that is none.
    #[test]
    fn nothing_panics(
        noise in prop::collection::vec(any::<u8>(), 0..48),
        at in any::<prop::sample::Index>(),
        kind in prop::sample::select(vec!["NBIRTH/n", "DBIRTH/n/d", "NDATA/n", "DDATA/n/d", "NDEATH/n", "DDEATH/n/d"]),
    ) {
        let mut bytes = payload(&[metric(&[name("Temperature"), alias(1), float(21.0)]), metric(&[name("Door"), text("open")])]);
        let at = at.index(bytes.len());
        bytes.splice(at..at, noise.iter().copied());
        for payload in [&bytes[..], &noise] {
            if let Outcome::Readings(reports) = decoded(&Lore::default(), &format!("spBv1.0/g/{kind}"), payload).outcome {
                for reading in reports.iter().flat_map(|report| &report.readings) {
                    prop_assert!(!matches!(reading.value, Value::Number(number) if !number.is_finite()));
                }
            }
        }
    }
}
