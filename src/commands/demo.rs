//! demo
use std::process::ExitCode;
/// What it takes.
#[derive(clap::Args)]
pub struct Options {}
/// Runs.
pub async fn demo(_: Options) -> ExitCode {
    ExitCode::SUCCESS
}
