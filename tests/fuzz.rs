//! The bounded run of the fuzz targets: every dialect and the topic templates against inputs that grow out of the kept seeds. The same
//! seed gives the same inputs; it is printed. Longer, by hand: `HEARTHWATCH_FUZZ=1000000 cargo test --release --test fuzz`, or guided by
//! coverage, see `tests/fuzz/Cargo.toml`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods, reason = "this whole file is a test")]

#[path = "fuzz/target.rs"]
mod target;

use hearthwatch::engine::dialect::Dialect;
use hearthwatch::fleet::Dice;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use target::{Target, seeds, template};

/// Inputs of each dialect, where nobody asks for more.
const INPUTS: u64 = 50_000;
/// Longer than any input may take, on a loaded machine too.
const HANGS: Duration = Duration::from_secs(5);
/// The largest input that grows.
const MOST_BYTES: usize = 16_384;

/// Pieces that parsers stumble over.
const PIECES: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    "\"",
    ":",
    ",",
    "\\",
    "\\u0000",
    "\\ud800",
    "null",
    "true",
    "false",
    "NaN",
    "-0",
    "1e999",
    "-1e308",
    "9223372036854775808",
    "0.1",
    "\u{0}",
    "\u{7f}",
    "\u{feff}",
    "é",
    "传感器",
    "{{ value_json.a }}",
    "{{",
    "}}",
    "|",
    "'",
    "on",
    "OFF",
    "open",
    "alarm",
    "sos",
    "\"battery\":",
    "\"value\":",
    "\"time\":1772354651118",
    "[[[[[[[[",
    "{\"a\":",
    "/",
    "#",
    "+",
    "\r\n",
    " ",
    "255",
    "327.67",
    "-273.15",
];

fn inputs() -> u64 {
    std::env::var("HEARTHWATCH_FUZZ").ok().map_or(INPUTS, |n| n.parse().expect("a number of inputs"))
}

fn dice(stream: u64) -> Dice {
    let seed = std::env::var("HEARTHWATCH_SEED").ok().map_or(1, |seed| seed.parse().expect("a seed"));
    println!("HEARTHWATCH_SEED={seed}");
    Dice::new(seed, stream)
}

/// Changes an input a little, or crosses it with another.
fn mutate(dice: &mut Dice, input: &mut Vec<u8>, other: &[u8]) {
    for _ in 0..1 + dice.below(4) {
        let at = dice.below(input.len() + 1);
        match dice.below(9) {
            0 if at < input.len() => input[at] ^= 1 << dice.below(8),
            1 if at < input.len() => drop(input.remove(at)),
            2 => input.truncate(at),
            3 => {
                let piece = PIECES[dice.below(PIECES.len())].as_bytes();
                input.splice(at..at, piece.iter().copied());
            }
            4 => {
                let end = (at + dice.below(64)).min(input.len());
                let part = input[at..end].to_vec();
                let times = 1 + dice.below(3);
                input.splice(at..at, part.repeat(times));
            }
            5 if !other.is_empty() => {
                let from = dice.below(other.len());
                let until = (from + dice.below(80)).min(other.len());
                input.splice(at..at, other[from..until].iter().copied());
            }
            6 if at < input.len() => input[at] = dice.roll() as u8,
            7 => {
                let end = (at + dice.below(16)).min(input.len());
                let piece = PIECES[dice.below(PIECES.len())].as_bytes();
                input.splice(at..end, piece.iter().copied());
            }
            _ => input.extend_from_slice(&dice.roll().to_le_bytes()[..1 + dice.below(8)]),
        }
    }
    input.truncate(MOST_BYTES);
}

/// Values that decoders stumble over.
fn value(dice: &mut Dice) -> Value {
    match dice.below(12) {
        0 => Value::Null,
        1 => json!(dice.chance(0.5)),
        2 => json!([0, 1, -1, 255, 65_535, -273, 1_772_344_752][dice.below(7)]),
        3 => json!(dice.between(-400.0, 400.0)),
        4 => json!([1e308, -1e308, 5e-324, 327.67, 1.5][dice.below(5)]),
        5 => json!("x".repeat(dice.below(300))),
        6 => json!([[], {}, [{"a": [1]}]]),
        7 => json!({"value": value(dice), "time": 1_772_354_651_118_u64}),
        _ => json!(PIECES[dice.below(PIECES.len())]),
    }
}

/// Changes a JSON value somewhere inside, and leaves it JSON: what lies behind the parser is reached too.
fn mutate_json(dice: &mut Dice, input: &mut Value, other: &Value) {
    let inside = dice.chance(0.8);
    match input {
        Value::Object(members) if inside && !members.is_empty() => {
            let key = members.keys().nth(dice.below(members.len())).unwrap().clone();
            match dice.below(8) {
                0 => drop(members.remove(&key)),
                1 => {
                    let kept = members[&key].clone();
                    members.insert(format!("{key}_{}", dice.below(4)), kept);
                }
                2 => {
                    let found = other.as_object().and_then(|o| o.iter().nth(dice.below(o.len().max(1))));
                    members.extend(found.map(|(key, value)| (key.clone(), value.clone())));
                }
                3 => drop(members.insert(PIECES[dice.below(PIECES.len())].to_owned(), value(dice))),
                _ => mutate_json(dice, members.get_mut(&key).unwrap(), other),
            }
        }
        Value::Array(items) if inside && !items.is_empty() => {
            let at = dice.below(items.len());
            match dice.below(4) {
                0 => drop(items.remove(at)),
                1 => items.extend(vec![items[at].clone(); 1 + dice.below(40)]),
                _ => mutate_json(dice, &mut items[at], other),
            }
        }
        _ => *input = value(dice),
    }
}

/// Hears so many inputs; those that grew out of the seeds grow on, so that faults behind several steps are reached too.
fn run(dialect: Dialect, text: &str, inputs: u64) {
    let seeds = seeds(text);
    assert!(!seeds.is_empty(), "{} has no seeds", dialect.name());
    let (mut dice, mut target) = (dice(dialect as u64), Target::new(dialect));
    let mut pool = seeds.clone();
    for (topic, payload) in &seeds {
        target.hear(topic, payload, false);
    }
    for n in 0..inputs {
        let (topic, mut payload) = pool[dice.below(pool.len())].clone();
        let other = &seeds[dice.below(seeds.len())];
        match serde_json::from_slice::<Value>(&payload).ok().filter(|_| dice.chance(0.6)) {
            Some(mut json) => {
                let other = serde_json::from_slice(&other.1).unwrap_or_default();
                (0..1 + dice.below(3)).for_each(|_| mutate_json(&mut dice, &mut json, &other));
                payload = serde_json::to_vec(&json).unwrap();
                payload.truncate(4 * MOST_BYTES);
            }
            None => mutate(&mut dice, &mut payload, &other.1),
        }
        let mut topic = if dice.chance(0.9) { topic } else { other.0.clone() };
        if dice.chance(0.1) {
            let mut bytes = topic.into_bytes();
            mutate(&mut dice, &mut bytes, other.0.as_bytes());
            topic = String::from_utf8_lossy(&bytes).into_owned();
        }
        let begun = Instant::now();
        target.hear(&topic, &payload, dice.chance(0.2));
        let took = begun.elapsed();
        assert!(
            took < HANGS,
            "input {n} of {} took {took:?}: {topic:?} {:?}",
            dialect.name(),
            String::from_utf8_lossy(&payload)
        );
        if dice.chance(0.02) {
            let place = seeds.len() + dice.below(256);
            if place < pool.len() { pool[place] = (topic, payload) } else { pool.push((topic, payload)) }
        }
    }
}

macro_rules! dialects {
    ($($name:ident $dialect:ident $file:literal;)*) => {
        $(#[test]
        fn $name() {
            run(Dialect::$dialect, include_str!(concat!("fuzz/seeds/", $file, ".jsonl")), inputs());
        })*

        #[test]
        fn every_dialect_is_tried() {
            let tried = [$((Dialect::$dialect, $file),)*];
            assert!(Dialect::ALL.iter().all(|dialect| tried.contains(&(*dialect, dialect.name()))));
        }
    };
}

dialects! {
    own Own "hearthwatch";
    zigbee2mqtt Zigbee2mqtt "zigbee2mqtt";
    chirpstack Chirpstack "chirpstack";
    the_things_stack TheThings "the_things_stack";
    shelly_gen2 ShellyGen2 "shelly_gen2";
    shelly_gen1 ShellyGen1 "shelly_gen1";
    tasmota Tasmota "tasmota";
    theengs Theengs "theengs";
    rtl_433 Rtl433 "rtl_433";
    tuya_link TuyaLink "tuya_link";
    alink Alink "alink";
    sparkplug_b SparkplugB "sparkplug_b";
    home_assistant HomeAssistant "home_assistant";
    esphome Esphome "esphome";
}

#[test]
fn topic_templates() {
    let mut dice = dice(99);
    let usual: Vec<&str> = Dialect::ALL.iter().flat_map(|dialect| dialect.usual_topics().iter().copied()).collect();
    for _ in 0..inputs() {
        let one = usual[dice.below(usual.len())];
        let (mut text, mut topic) = (one.as_bytes().to_vec(), one.replace(['{', '}'], "").into_bytes());
        let other = usual[dice.below(usual.len())];
        mutate(&mut dice, &mut text, other.as_bytes());
        mutate(&mut dice, &mut topic, one.as_bytes());
        template(&String::from_utf8_lossy(&text), &String::from_utf8_lossy(&topic));
    }
}
