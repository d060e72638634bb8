//! What a site was at a time: its journal, read beside its owner and folded so far.

use crate::engine::policy::SiteRules;
use crate::engine::time::{Millis, Wall};
use crate::journal::{Entry, RealDisk, Segments};
use crate::keeper::core::Core;
use crate::keeper::ports::Vault;
use crate::keeper::record;
use std::path::Path;
use std::sync::Arc;

/// Folds the journal in `dir` up to `at`, and stands there. The site's own thresholds are those of today, since no journal holds them.
///
/// # Errors
/// Where the journal cannot be read, or holds nothing of that time (any more).
pub fn core_at(dir: &Path, rules: SiteRules, vault: Arc<dyn Vault>, at: Wall) -> Result<Core, String> {
    let segments = Segments::beside_its_owner(Arc::new(RealDisk), dir).map_err(|e| e.to_string())?;
    let mut core = Core::new(rules, vault);
    let mut folded = false;
    for entry in segments.reader(segments.first().unwrap_or(1)).until(segments.committed()) {
        let Entry::Record(found) = entry.map_err(|e| e.to_string())? else { continue };
        let contents = record::read(found.telemetry.as_deref().unwrap_or_default(), &found.ledger)
            .map_err(|e| format!("record {} cannot be read by this version: {e}", found.sequence))?;
        if contents.at.wall > at {
            break;
        }
        core.fold(found.sequence, 0, contents);
        folded = true;
    }
    if !folded {
        return Err("The journal holds nothing of that time, or nothing any more.".to_owned());
    }
    core.ready();
    let last = core.last();
    core.begin(last.tick + Millis(at.since(last.wall).0), at);
    Ok(core)
}
