//! What a site was at a time: its journal, read beside its owner and folded so far.

use super::site::contents;
use crate::engine::policy::SiteRules;
use crate::engine::time::{Millis, Wall};
use crate::journal::{Entry, RealDisk, Segments};
use crate::keeper::core::Core;
use crate::keeper::ports::Vault;
use std::path::Path;
use std::sync::Arc;

/// Folds the journal in `dir` up to `at`, and stands there. The site's own thresholds are those of today, since no journal holds them.
///
/// # Errors
/// Where the journal cannot be read, is not whole, or holds nothing of that time (any more).
pub fn core_at(dir: &Path, rules: SiteRules, vault: Arc<dyn Vault>, at: Wall) -> Result<Core, String> {
    let segments = Segments::beside_its_owner(Arc::new(RealDisk), dir).map_err(|e| e.to_string())?;
    if segments.first() != Some(1) {
        return Err("The journal's beginning has expired: how the homes stood then cannot be told any more.".to_owned());
    }
    let mut core = Core::new(rules, vault);
    let (mut folded, mut whole) = (false, true);
    for entry in segments.reader(1).until(segments.committed()) {
        let found = match entry.map_err(|e| e.to_string())? {
            Entry::Record(found) => found,
            Entry::Damage(damage) => return Err(format!("The journal is damaged before that time: {damage}.")),
        };
        let contents = contents(&found)?;
        if contents.at.wall > at {
            // The process that wrote it had just come to life: at that time none was.
            if contents.starts() {
                core.site.deaf_since.get_or_insert(core.site.last.tick);
            }
            break;
        }
        core.fold(found.sequence, 0, contents);
        (folded, whole) = (true, found.telemetry.is_some());
    }
    if !folded || !whole {
        return Err("The journal holds nothing of that time, or no readings of it any more.".to_owned());
    }
    core.ready();
    let last = core.last();
    core.begin(last.tick + Millis(at.since(last.wall).0), at);
    Ok(core)
}
