//! The whole core in one process, one thread and one seed, in a world where everything fails.
//!
//! Real are both machines, the keeper, the journal with its recovery and checkpoints, the vault, the decoder, the MQTT sessions and the
//! judging of answers. Simulated are the disk ([`disk`]), the broker ([`broker`]), the clocks, homes and people, and time, which jumps
//! from one event to the next. All chance comes from the seed: the same seed gives the same bytes.
//!
//! Reading order: [`faults`] (what goes wrong), [`oracle`] (what must hold all the same), [`process`] (one life of the gateway),
//! `world` (time, and the loop), `wires`, `town`, `strikes` (what happens in it), [`story`] (what is told of it).

pub mod broker;
pub mod disk;
pub mod faults;
pub mod oracle;
pub mod people;
pub mod process;
mod shadow;
mod shelf;
pub mod story;
mod strikes;
mod town;
mod wires;
mod world;

pub use story::Hits;

/// One run.
#[derive(Debug, Clone)]
pub struct Options {
    pub seed: u64,
    pub homes: u32,
    /// How long; the last hour and a half is without faults.
    pub hours: u32,
    pub faults: bool,
}

/// What a run came to.
#[derive(Debug, Clone)]
pub struct Report {
    pub seed: u64,
    /// Lives of the gateway.
    pub lives: u64,
    pub messages: u64,
    pub records: u64,
    /// Of everything that was committed, and of the disk at the end.
    pub digest: u64,
    pub hits: Hits,
    /// The promise that was broken, and the story of it.
    pub broken: Option<String>,
}

/// Runs one seed to its end, or to the first broken promise.
pub fn run(options: &Options) -> Report {
    world::World::new(options).run()
}
