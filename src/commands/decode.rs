//! The command `decode`: what does the gateway understand of my device?

mod lines;

use super::{fail, refuse};
use crate::engine::registry::Registry;
use crate::engine::sealed::Sealed;
use crate::roster;
use crate::service::{profiles, sources_of};
use crate::wire::{Lore, Source, default_sources};
pub use lines::decode_lines;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

/// What `decode` takes.
#[derive(clap::Args)]
pub struct Options {
    /// The sources of a configuration, instead of every dialect on its usual topics
    #[arg(long)]
    config: Option<PathBuf>,
    /// Registry files with devices and profiles that are tried out; nothing is imported
    #[arg(long, requires = "config")]
    registry: Vec<PathBuf>,
}

/// JSON lines from stdin to stdout.
pub fn decode_stdin(options: &Options) -> ExitCode {
    let (sources, registry) = match told_by(options) {
        Ok(told) => told,
        Err(code) => return code,
    };
    let mut lore = Lore::default();
    lore.told(&Arc::new(profiles(&registry)));
    match decode_lines(&sources, lore, io::stdin().lock(), io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(error),
    }
}

fn told_by(options: &Options) -> Result<(Vec<Source>, Registry), ExitCode> {
    let Some(path) = &options.config else { return Ok((default_sources(), Registry::default())) };
    let config = super::config(path)?;
    let files = super::registry::read(&options.registry)?;
    let import = roster::plan_import(&files, &[], &config, &NothingSealed).map_err(|mistakes| refuse(&mistakes))?;
    let sources = config.sites.keys().flat_map(|site| sources_of(&config, site));
    Ok((sources.collect(), import.registry()))
}

/// What is tried out is not kept, and so not sealed.
struct NothingSealed;

impl roster::Vault for NothingSealed {
    fn seal<T: Serialize>(&self, _: &str, _: &T) -> Result<Sealed<T>, String> {
        Ok(Sealed::from_bytes(Vec::new()))
    }

    fn open<T: DeserializeOwned>(&self, _: &str, _: &Sealed<T>) -> Result<Option<T>, String> {
        Ok(None)
    }
}
