//! `fleet`: simulated homes against any broker.

use super::{WRONG_INPUT, fail};
use crate::fleet::FleetOptions;
use crate::fleet::publish::{RunError, RunOptions, run};
use std::process::ExitCode;
use std::time::Duration;

/// What `fleet` takes.
#[derive(clap::Args)]
pub struct Options {
    /// mqtt://[user:password@]host[:port]
    #[arg(long)]
    broker: String,
    #[arg(long, default_value_t = 30)]
    homes: u32,
    /// Messages a second; the homes' time runs as fast as that takes
    #[arg(long, default_value_t = 100)]
    rate: u32,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How long: 90s, 10m, 2h
    #[arg(long = "for", default_value = "60s", value_parser = duration)]
    length: Duration,
    /// The site that homes with the product's own dialect name in their topics
    #[arg(long, default_value = "demo")]
    site: String,
}

fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let unit = match unit {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3_600,
        _ => return Err("a duration looks like 90s, 10m or 2h".into()),
    };
    number.parse::<u64>().map(|n| Duration::from_secs(n * unit)).map_err(|e| e.to_string())
}

/// Publishes, and prints what was sent as JSON.
pub async fn fleet(options: Options) -> ExitCode {
    let Options { broker, homes, rate, seed, length, site } = options;
    let fleet = FleetOptions { site, ..FleetOptions::default() };
    match run(&RunOptions { broker, homes, rate, seed, length, fleet }).await {
        Ok(report) => match serde_json::to_string_pretty(&report) {
            Ok(text) => {
                println!("{text}");
                ExitCode::SUCCESS
            }
            Err(error) => fail(error),
        },
        Err(error @ (RunError::BadAddress(_) | RunError::OutOfRange(_))) => {
            eprintln!("{error}");
            ExitCode::from(WRONG_INPUT)
        }
        Err(error) => fail(error),
    }
}
