//! What it costs to understand one message, dialect by dialect: the messages that the fuzz targets begin with.

use crate::Options;
use crate::figures::{line, title};
use hearthwatch::engine::dialect::Dialect;
use hearthwatch::wire::envelope::Envelope;
use hearthwatch::wire::{Lore, Message, Outcome, decode, default_sources, find_source};
use std::hint::black_box;
use std::time::Instant;

/// What a JSON dialect's figure is stated for; larger messages have a line of their own.
const SMALL_BYTES: usize = 400;
/// Timed at once, so that reading the clock costs nothing; and how often.
const BATCH: u32 = 64;
const BATCHES: usize = 301;

const SEEDS: &[&str] = &[
    include_str!("../fuzz/seeds/hearthwatch.jsonl"),
    include_str!("../fuzz/seeds/zigbee2mqtt.jsonl"),
    include_str!("../fuzz/seeds/chirpstack.jsonl"),
    include_str!("../fuzz/seeds/the_things_stack.jsonl"),
    include_str!("../fuzz/seeds/shelly_gen2.jsonl"),
    include_str!("../fuzz/seeds/shelly_gen1.jsonl"),
    include_str!("../fuzz/seeds/tasmota.jsonl"),
    include_str!("../fuzz/seeds/theengs.jsonl"),
    include_str!("../fuzz/seeds/rtl_433.jsonl"),
    include_str!("../fuzz/seeds/tuya_link.jsonl"),
    include_str!("../fuzz/seeds/alink.jsonl"),
    include_str!("../fuzz/seeds/sparkplug_b.jsonl"),
    include_str!("../fuzz/seeds/home_assistant.jsonl"),
];

pub fn run(_: &Options) {
    title("Decode: median of each message that tells a reading, one thread");
    let sources = default_sources();
    let mut lore = Lore::default();
    let mut figures: Vec<(Dialect, usize, f64)> = Vec::new();
    for text in SEEDS.iter().flat_map(|seeds| seeds.lines()) {
        let envelope: Envelope = serde_json::from_str(text).expect("an envelope");
        let (topic, payload) = (envelope.topic.as_ref(), envelope.payload().expect("a payload"));
        let source = find_source(&sources, &lore, topic).expect("a source");
        let message = Message { topic, payload: &payload, retain: false };
        let decoded = decode(&lore, source, &message);
        let tells = matches!(&decoded.outcome, Outcome::Readings(r) if r.iter().any(|r| !r.readings.is_empty()));
        if tells {
            let micros = median(|| decode(&lore, source, &message));
            figures.push((source.dialect, payload.len(), micros));
        }
        decoded.lessons.into_iter().for_each(|lesson| _ = lore.learn(lesson));
    }
    for dialect in Dialect::ALL {
        for small in [true, false] {
            let of = figures.iter().filter(|(of, bytes, _)| of == dialect && (*bytes <= SMALL_BYTES) == small);
            let mut micros: Vec<f64> = of.clone().map(|(.., micros)| *micros).collect();
            let Some(largest) = of.map(|(_, bytes, _)| *bytes).max() else { continue };
            micros.sort_by(f64::total_cmp);
            // Of an even number, the mean of the two in the middle.
            let (low, high) = (micros[(micros.len() - 1) / 2], micros[micros.len() / 2]);
            let (middle, worst) = ((low + high) / 2.0, micros[micros.len() - 1]);
            let goal = if small && *dialect != Dialect::SparkplugB { "< 3 µs" } else { "" };
            let figure =
                format!("{middle:.2} µs, the slowest {worst:.2}; {} messages up to {largest} bytes", micros.len());
            line(dialect.name(), figure, goal);
        }
    }
}

/// The median time of a call in microseconds.
fn median<T>(mut work: impl FnMut() -> T) -> f64 {
    let mut batches: Vec<f64> = (0..BATCHES)
        .map(|_| {
            let begun = Instant::now();
            (0..BATCH).for_each(|_| _ = black_box(work()));
            begun.elapsed().as_secs_f64() * 1e6 / f64::from(BATCH)
        })
        .collect();
    batches.sort_by(f64::total_cmp);
    batches[BATCHES / 2]
}
