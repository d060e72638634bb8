//! `verify`: the journals' hash chains.

use super::fail;
use crate::config::Config;
use crate::journal::{RealDisk, Segments};
use std::process::ExitCode;
use std::sync::Arc;

/// Walks every site's journal, of a running service too, and says what is broken.
pub fn verify(config: &Config) -> ExitCode {
    let mut whole = true;
    for site in config.sites.keys() {
        let dir = config.journal_dir(site);
        let report = Segments::beside_its_owner(Arc::new(RealDisk), &dir).map_err(|e| e.to_string());
        match report.and_then(|segments| segments.verify().map_err(|e| e.to_string())) {
            Ok(report) => {
                let (first, last) = report.range.unwrap_or((0, 0));
                println!(
                    "{site}: {} records, {first} to {last}, {} without their expired telemetry, {} damages, head {}",
                    report.records,
                    report.stripped,
                    report.damage.len(),
                    hex(report.head.as_ref()),
                );
                report.damage.iter().for_each(|damage| println!("{site}: {damage}"));
                whole &= report.is_whole();
            }
            Err(why) => return fail(format!("{site}: {}: {why}", dir.display())),
        }
    }
    if whole { ExitCode::SUCCESS } else { fail("a journal is damaged: keep a copy of the folder, then ask for help") }
}

fn hex(hash: Option<&crate::journal::Hash>) -> String {
    hash.map_or_else(|| "none".into(), |h| h.iter().map(|b| format!("{b:02x}")).collect())
}
