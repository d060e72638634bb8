//! The benchmark: `cargo bench`, or a part of it: `cargo bench -- ingest press --pairs 9 --messages 300000 --homes 3000`.
//!
//! Nothing here is a test: no figure makes it fail, since every machine has its own. Each figure stands beside what the bare broker or
//! the bare disk does on the same machine in the same run, and beside the machine's load. The broker is the installed mosquitto with
//! the deployed configuration byte for byte; broker, gateway, load and receiver share the machine.
//!
//! | part | what it measures |
//! | --- | --- |
//! | `ingest` | durable messages a second and processor time for each, beside a bare subscriber: a queue drained, a live flood |
//! | `press` | from the press to the webhook: idle, beside 1,000 messages a second, while a queue is drained |
//! | `engine` | the machines alone, in one thread: decoding, the home machine, a keeper's turn without its disk |
//! | `decode` | understanding one message, dialect by dialect |
//! | `recovery` | from a kill -9 in the flood to ready again |
//! | `due` | only where it is named, some minutes: from a deadline to the webhook, with 10,000 open alarms |
//! | `lives` | only where it is named, some minutes: false alarms and time to notice on half a year of the fleet's lives |

#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock, waits and runs threads")]
#![expect(clippy::expect_used, reason = "what goes wrong ends the benchmark")]

mod bare;
#[path = "../support/broker.rs"]
mod broker;
mod dialects;
mod due;
mod engine;
mod figures;
mod gateway;
mod ingest;
mod lives;
mod load;
#[path = "../support/port.rs"]
mod port;
mod press;
#[path = "../support/receiver.rs"]
mod receiver;
mod recovery;

/// What the command line says.
pub struct Options {
    pub homes: u32,
    pub messages: usize,
    pub pairs: usize,
    pub seed: u64,
}

/// A part of the benchmark: its word, and what runs it.
type Part = (&'static str, fn(&Options));

const PARTS: [Part; 7] = [
    ("ingest", ingest::run),
    ("press", press::run),
    ("engine", engine::run),
    ("decode", dialects::run),
    ("recovery", recovery::run),
    ("due", due::run),
    ("lives", lives::run),
];

/// What takes long.
const BY_NAME: [&str; 2] = ["due", "lives"];

fn main() {
    // `cargo bench` says --bench.
    let words: Vec<String> = std::env::args().skip(1).filter(|w| w != "--bench").collect();
    if words.first().is_some_and(|w| w == bare::ARGUMENT) {
        return bare::subscribe(words[1].parse().expect("a port"));
    }
    let number = |name: &str, default: usize| {
        let at = words.iter().position(|w| w == name);
        at.map_or(default, |at| words[at + 1].parse().expect("a number"))
    };
    let lives = words.iter().any(|w| w == "lives");
    let options = Options {
        homes: number("--homes", if lives { 1_000 } else { 3_000 }) as u32,
        messages: number("--messages", 300_000),
        pairs: number("--pairs", 9),
        seed: number("--seed", 1) as u64,
    };
    let all = !PARTS.iter().any(|(name, _)| words.iter().any(|w| w == name));
    println!(
        "{} processors, load average {}",
        std::thread::available_parallelism().map_or(0, usize::from),
        figures::load_average()
    );
    for (name, part) in PARTS {
        if all && !BY_NAME.contains(&name) || words.iter().any(|w| w == name) {
            part(&options);
        }
    }
}
