//! `sim`: simulated days in which everything fails, one seed each.

use super::{FAILED, WRONG_INPUT};
use crate::sim::faults::NAMES;
use crate::sim::oracle::TRANSITIONS;
use crate::sim::{self, Hits, Report};
use std::ops::Range;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// Seeds of which a hole in the table of hits tells something.
const MANY: u64 = 100;

/// Seeds after which a long run says how far it came.
const STRIDE: u64 = 500;

/// What `sim` takes.
#[derive(clap::Args)]
pub struct Options {
    /// One seed: what a failing run printed
    #[arg(long, conflicts_with = "seeds")]
    seed: Option<u64>,
    /// Seeds FROM..TO
    #[arg(long, default_value = "0..10", value_parser = range)]
    seeds: Range<u64>,
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    homes: u32,
    /// The last hour and a half is without faults
    #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u32).range(2..=720))]
    hours: u32,
    /// Runs each seed twice and compares every byte
    #[arg(long)]
    twice: bool,
    /// Threads; each runs one seed at a time
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=64))]
    jobs: u8,
    /// Stops at the first broken promise
    #[arg(long)]
    first: bool,
    /// A fault that never met one of the transitions fails the run
    #[arg(long)]
    complete: bool,
}

fn range(text: &str) -> Result<Range<u64>, String> {
    let ends = text.split_once("..").and_then(|(from, to)| Some(from.parse().ok()?..to.parse().ok()?));
    ends.filter(|range: &Range<u64>| !range.is_empty()).ok_or_else(|| "seeds are FROM..TO".to_owned())
}

/// What all seeds came to.
#[derive(Default)]
struct Sum {
    runs: u64,
    lives: u64,
    messages: u64,
    records: u64,
    hits: Hits,
    broken: Vec<u64>,
}

/// Runs it; fails where a promise was broken.
pub fn sim(options: Options) -> ExitCode {
    let seeds = options.seed.map_or(options.seeds.clone(), |seed| seed..seed + 1);
    let (next, sum) = (AtomicU64::new(seeds.start), Mutex::new(Sum::default()));
    let work = || loop {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        let enough = options.first && !sum.lock().unwrap_or_else(PoisonError::into_inner).broken.is_empty();
        if seed >= seeds.end || enough {
            return;
        }
        let report = run(&options, seed);
        let mut sum = sum.lock().unwrap_or_else(PoisonError::into_inner);
        sum.take(&report);
        if sum.runs.is_multiple_of(STRIDE) {
            eprintln!("{} of {} seeds, {} broken", sum.runs, seeds.end - seeds.start, sum.broken.len());
        }
        if let Some(story) = &report.broken {
            println!(
                "seed {seed} breaks a promise: {story}\nagain: hearthwatch sim --seed {seed} --homes {} --hours {}\n",
                options.homes, options.hours
            );
        }
    };
    // What the service would log of a thousand deaths is not what this tells.
    let quietly = || tracing::subscriber::with_default(tracing::subscriber::NoSubscriber::default(), work);
    std::thread::scope(|scope| (0..options.jobs).for_each(|_| drop(scope.spawn(quietly))));
    let sum = sum.into_inner().unwrap_or_else(PoisonError::into_inner);
    sum.print(&options)
}

fn run(options: &Options, seed: u64) -> Report {
    let of = sim::Options { seed, homes: options.homes, hours: options.hours, faults: true };
    let mut report = sim::run(&of);
    if options.twice && report.broken.is_none() {
        let again = sim::run(&of);
        if again.digest != report.digest {
            report.broken = Some(format!("the same seed gave other bytes: {:x} and {:x}", report.digest, again.digest));
        }
    }
    report
}

impl Sum {
    fn take(&mut self, report: &Report) {
        self.runs += 1;
        self.lives += report.lives;
        self.messages += report.messages;
        self.records += report.records;
        self.hits.add(&report.hits);
        self.broken.extend(report.broken.as_ref().map(|_| report.seed));
    }

    fn print(&self, options: &Options) -> ExitCode {
        let years = self.runs as f64 * f64::from(options.homes) * f64::from(options.hours) / (24.0 * 365.25);
        println!(
            "{} seeds, {years:.1} home-years: {} lives of the gateway, {} messages, {} records",
            self.runs, self.lives, self.messages, self.records
        );
        println!("{}", self.hits.table(NAMES, TRANSITIONS));
        let missing = self.hits.missing(NAMES, TRANSITIONS);
        // In a few days hardly anything meets everything.
        if !missing.is_empty() && (options.complete || self.runs >= MANY) {
            println!("never met: {}", missing.join(", "));
        }
        match (self.broken.is_empty(), options.complete && !missing.is_empty()) {
            (true, false) => ExitCode::SUCCESS,
            (true, true) => ExitCode::from(WRONG_INPUT),
            (false, _) => {
                println!("broken: {:?}", self.broken);
                ExitCode::from(FAILED)
            }
        }
    }
}
