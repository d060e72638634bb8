//! Opening one site: its journal, the fold of what was written, its clock, and what the store follows.

use super::adapters::{KeyVault, SiteTime};
use super::suspects::SuspectsFile;
use super::{Fatal, because};
use crate::clock::SystemClock;
use crate::config::{Config, Site};
use crate::engine::id::SiteId;
use crate::engine::policy::SiteRules;
use crate::engine::time::{Millis, Tick, Wall};
use crate::journal::vault::Vault;
use crate::journal::{Entry, Log, Options, RealDisk, Record, Recovered, Segments};
use crate::keeper::board::Shown;
use crate::keeper::core::Core;
use crate::keeper::ports;
use crate::keeper::record::{self, Contents};
use crate::store;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use tracing::{info, warn};

/// A site that is recovered and not yet at work.
pub struct Opened {
    pub id: SiteId,
    pub core: Core,
    pub log: Log,
    pub sequence: u64,
    pub time: SiteTime,
    pub suspects: SuspectsFile,
    /// The open alarms, for the board.
    pub shown: Vec<Shown>,
    /// What an operator has to know of the recovery.
    pub notes: Vec<String>,
    cursor: Arc<AtomicU64>,
}

const DAY: u64 = 24 * 60;

/// Opens the journal of a site and folds it.
///
/// # Errors
/// Where the journal cannot be opened or holds what this version cannot read.
pub fn open_site(config: &Config, site: &Site, vault: Arc<Vault>) -> Result<Opened, Fatal> {
    let dir = config.journal_dir(&site.id);
    let cursor = Arc::new(AtomicU64::new(0));
    let mut options = Options::new(site.id.clone(), Arc::new(crate::clock::wall_now));
    options.segment_bytes = u64::from(config.journal.segment_mib) << 20;
    options.reserve_bytes = u64::from(config.journal.reserve_mib) << 20;
    options.keep_telemetry = Some(Millis::from_mins(u64::from(config.journal.telemetry_keep_days) * DAY));
    options.keep_ledger = Some(Millis::from_mins(u64::from(config.journal.ledger_keep_days) * DAY));
    options.follower = Some(cursor.clone());
    let Recovery { core, log, recovered, folded, shown, last } =
        recover(&dir, options, site.site_rules(), Arc::new(KeyVault(vault)))
            .map_err(|e| Fatal(format!("the journal of {} in {}: {e}", site.id, dir.display())))?;
    let (clock, downtime) = SystemClock::start(last);
    if let Some(doubt) = downtime.doubt {
        warn!(site = %site.id, ?doubt, "the wall clock is doubtful: deadlines may be early or late by as much");
    }
    let notes = recovered.notes();
    info!(site = %site.id, sequence = recovered.last, folded, homes = core.homes.len(), open_alarms = shown.len(), "recovered");
    let suspects = SuspectsFile::open(Arc::new(RealDisk), &dir).map_err(because("the list of suspects"))?;
    let time = SiteTime::new(clock);
    Ok(Opened { id: site.id.clone(), core, sequence: log.sequence(), log, time, suspects, shown, notes, cursor })
}

/// What a journal was recovered to.
pub struct Recovery {
    /// Ready for its first turn.
    pub core: Core,
    pub log: Log,
    pub recovered: Recovered,
    /// Records behind the checkpoint.
    pub folded: usize,
    /// The open alarms, for the board.
    pub shown: Vec<Shown>,
    /// The latest stamp of the journal; none in a new one.
    pub last: Option<(Tick, Wall)>,
}

/// Opens the journal in `dir` and folds it. The simulator's processes come to life by the very same.
///
/// # Errors
/// Where the journal cannot be opened or holds what this version cannot read; the text says which.
pub fn recover(
    dir: &Path,
    options: Options,
    rules: SiteRules,
    vault: Arc<dyn ports::Vault>,
) -> Result<Recovery, String> {
    let (log, recovered) = Log::open(dir, options).map_err(|e| e.to_string())?;
    let mut core = Core::new(rules, vault);
    let folded = fold(&mut core, &recovered, &log.segments())?;
    let shown = core.ready();
    let last = (recovered.last > 0).then(|| (core.last().tick, core.last().wall));
    Ok(Recovery { core, log, recovered, folded, shown, last })
}

fn fold(core: &mut Core, recovered: &Recovered, segments: &Segments) -> Result<usize, String> {
    let unreadable = |e: minicbor::decode::Error| format!("a checkpoint cannot be read by this version: {e}");
    let mut site_included = 0;
    if let Some(site) = recovered.snapshots.iter().find(|s| s.subject == 0) {
        core.restore_site(minicbor::decode(&site.bytes).map_err(unreadable)?);
        site_included = site.included;
    }
    for home in recovered.snapshots.iter().filter(|s| s.subject > 0) {
        core.restore_home(home.subject - 1, home.included, minicbor::decode(&home.bytes).map_err(unreadable)?);
    }
    let mut folded = 0;
    for entry in segments.reader(recovered.fold_from).until(recovered.last) {
        if let Entry::Record(found) = entry.map_err(|e| e.to_string())? {
            core.fold(found.sequence, site_included, contents(&found)?);
            folded += 1;
        }
    }
    if recovered.cut_bytes > 0 {
        let bytes = recovered.cut_bytes;
        info!(bytes, "a torn record was cut off the journal's end; it had not been acknowledged");
    }
    Ok(folded)
}

/// What a record holds; of expired telemetry, nothing.
///
/// # Errors
/// Where this version cannot read it, as a sentence.
pub fn contents(found: &Record) -> Result<Contents, String> {
    record::read(found.telemetry.as_deref().unwrap_or_default(), &found.ledger)
        .map_err(|e| format!("record {} cannot be read by this version: {e}", found.sequence))
}

impl Opened {
    /// What the store needs to follow the site.
    pub(super) fn follow(&mut self) -> store::Site {
        let segments = self.log.segments();
        let known = store::Known::new(self.core.site.homes.iter().map(|h| h.id.clone()).collect());
        store::Site {
            id: self.id.clone(),
            feed: Box::new(move |cursor| feed(&segments, cursor)),
            known,
            cursor: self.cursor.clone(),
            committed: self.sequence,
        }
    }
}

/// Reads on behind the cursor; what is damaged or expired is passed over, since recovery has told of it.
pub fn feed(segments: &Segments, cursor: u64) -> store::Feed {
    let from = segments.first().unwrap_or(1).max(cursor + 1);
    let mut reader = segments.reader(from);
    Box::new(move |committed| -> Option<(u64, Contents)> {
        loop {
            match reader.next(committed) {
                Ok(Some(Entry::Record(found))) => match contents(&found) {
                    Ok(contents) => return Some((found.sequence, contents)),
                    Err(error) => warn!(sequence = found.sequence, %error, "the store passes over a record"),
                },
                Ok(Some(Entry::Damage(damage))) => warn!(%damage, "the store passes over damage"),
                Ok(None) => return None,
                Err(error) => {
                    warn!(%error, "the journal cannot be read for the store");
                    return None;
                }
            }
        }
    })
}
