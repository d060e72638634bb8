//! What the commands do; what they are called and take stands in `main.rs`.

pub mod decode;
#[cfg(feature = "demo")]
pub mod demo;
pub mod fleet;
pub mod registry;
pub mod replay;
pub mod run;
pub mod sim;
pub mod verify;

use crate::config::{Config, Mistake};
use crate::service::admin::{Answer, Request, ask};
use std::path::Path;
use std::process::ExitCode;

/// Done; the work failed; the input or configuration is wrong.
pub const FAILED: u8 = 1;
pub const WRONG_INPUT: u8 = 2;

/// Says what is wrong, one line each.
pub fn refuse(mistakes: &[Mistake]) -> ExitCode {
    mistakes.iter().for_each(|mistake| eprintln!("{mistake}"));
    eprintln!("{} mistakes; nothing was done", mistakes.len());
    ExitCode::from(WRONG_INPUT)
}

/// Says why it failed.
pub fn fail(why: impl std::fmt::Display) -> ExitCode {
    eprintln!("{why}");
    ExitCode::from(FAILED)
}

/// Reads the configuration, or says everything that is wrong with it.
///
/// # Errors
/// The exit code of a wrong configuration.
pub fn config(path: &Path) -> Result<Config, ExitCode> {
    crate::config::check(path).map_err(|mistakes| refuse(&mistakes))
}

/// `check`: validates everything at once; and where the service runs, says when too few people are there to be told, which is no mistake
/// of the configuration.
pub async fn check(path: &Path) -> ExitCode {
    let config = match config(path) {
        Ok(config) => config,
        Err(code) => return code,
    };
    println!("{}: {} sites, {} sources; no mistakes", path.display(), config.sites.len(), config.sources.len());
    match ask(&config.admin_socket(), &Request::Uncovered).await {
        Ok(Some(Answer::Text(gaps))) if gaps.is_empty() => {
            println!("for two weeks enough people can be told at any hour")
        }
        Ok(Some(Answer::Text(gaps))) => {
            println!("{gaps}these hours lack people, and are no mistake of the configuration")
        }
        Ok(Some(Answer::Failed(why))) => return fail(why),
        Ok(Some(Answer::Refused(_)) | None) => println!("no service runs: who is there to be told is not looked at"),
        Err(error) => return fail(format!("the running service did not answer: {error}")),
    }
    ExitCode::SUCCESS
}
