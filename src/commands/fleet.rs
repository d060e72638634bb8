//! `fleet`: simulated homes against any broker.

use super::{WRONG_INPUT, fail};
use crate::fleet::{RunError, RunOptions, run};
use std::process::ExitCode;

/// Publishes, and prints what was sent as JSON.
pub async fn fleet(options: RunOptions) -> ExitCode {
    match run(&options).await {
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
