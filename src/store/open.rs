//! How to come to a database that works, whatever became of its files. sled panics, hangs or opens empty on damage, so it is tried
//! in a process of its own first; what fails is mended as far as that is known to help, and else moved aside.

use super::Store;
use super::follow::cursor;
use super::rows::GENERATION_KEY;
use crate::engine::id::SiteId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// Where and how the store lives.
#[derive(Debug, Clone)]
pub struct Options {
    pub dir: PathBuf,
    pub cache_bytes: u64,
    /// The program and arguments that try to open the folder named after them: leaves with 0 where it opens. None trusts it.
    pub probe: Option<(PathBuf, Vec<String>)>,
    /// Below this much free space the store is not opened: sled bricks itself on a full disk.
    pub free_floor_bytes: u64,
}

impl Options {
    pub fn new(dir: PathBuf) -> Options {
        Options { dir, cache_bytes: 64 << 20, probe: None, free_floor_bytes: 64 << 20 }
    }
}

/// What opening came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened {
    /// As it was left, or new.
    Sound,
    /// It was unusable, for this reason, and is built anew from the journal.
    Anew(String),
}

/// Why there is no store for now. The service goes on without.
#[derive(Debug)]
pub enum OpenError {
    NoSpace { free: u64, floor: u64 },
    Io(io::Error),
    Sled(sled::Error),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OpenError::NoSpace { free, floor } => {
                write!(f, "the disk has {free} bytes free, the store needs {floor} to open safely: make room")
            }
            OpenError::Io(e) => write!(f, "the store's folder: {e}"),
            OpenError::Sled(e) => write!(f, "the store: {e}"),
        }
    }
}

impl std::error::Error for OpenError {}

impl From<io::Error> for OpenError {
    fn from(e: io::Error) -> Self {
        OpenError::Io(e)
    }
}

/// How long a trial opening may take; 5 million records take 2.4 s.
const PROBE_TIME: Duration = Duration::from_secs(60);

/// What stands beside the folder, so that a folder that opens empty is found out.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Sidecar {
    pub generation: String,
    /// By site: the cursor that was synced.
    pub cursors: BTreeMap<String, u64>,
}

/// A database, and what keeps it in step with the disk.
pub(super) struct Held {
    pub store: Store,
    dir: PathBuf,
    generation: String,
}

/// Opens the store; `stamp` names what has to be moved aside, and what is made anew.
pub(super) fn open(options: &Options, stamp: &str) -> Result<(Held, Opened), OpenError> {
    fs::create_dir_all(&options.dir)?;
    let free = rustix::fs::statvfs(&options.dir).map(|s| s.f_bavail.saturating_mul(s.f_frsize)).unwrap_or(u64::MAX);
    if free < options.free_floor_bytes {
        return Err(OpenError::NoSpace { free, floor: options.free_floor_bytes });
    }
    remove_files(&options.dir, |name| name.starts_with("snap.") && name.ends_with(".generating"))?;
    let had = read_sidecar(&options.dir);
    let why = match try_open(options, had.as_ref(), stamp) {
        Ok(held) => return Ok((held, Opened::Sound)),
        Err(why) => why,
    };
    // A damaged snapshot is not needed: without it sled reads its log.
    if remove_files(&options.dir, |name| name.starts_with("snap."))? > 0
        && let Ok(held) = try_open(options, had.as_ref(), stamp)
    {
        return Ok((held, Opened::Sound));
    }
    move_aside(&options.dir, stamp)?;
    let held = try_open(options, None, stamp).map_err(|why| OpenError::Io(io::Error::other(why)))?;
    Ok((held, Opened::Anew(why)))
}

fn try_open(options: &Options, had: Option<&Sidecar>, stamp: &str) -> Result<Held, String> {
    if let Some((program, arguments)) = &options.probe {
        run_probe(program, arguments, &options.dir)?;
    }
    let config = sled::Config::new().path(&options.dir).cache_capacity(options.cache_bytes).flush_every_ms(None);
    let db = match std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| config.open())) {
        Ok(Ok(db)) => db,
        Ok(Err(e)) => return Err(e.to_string()),
        Err(_) => return Err("sled failed on opening".into()),
    };
    let generation = match db.get(GENERATION_KEY).map_err(|e| e.to_string())? {
        Some(known) => String::from_utf8_lossy(&known).into_owned(),
        None if had.is_some() => return Err("the folder is empty where the store was".into()),
        None => format!("{stamp}-{}", std::process::id()),
    };
    let held = Held { store: Store { db }, dir: options.dir.clone(), generation };
    if let Some(had) = had {
        held.compare(had)?;
    }
    held.store.db.insert(GENERATION_KEY, held.generation.as_bytes()).map_err(|e| e.to_string())?;
    Ok(held)
}

/// Opens the folder and reads all of it: what the probe's process does. True where that works.
pub fn probe(dir: &Path) -> bool {
    let Ok(db) = sled::Config::new().path(dir).flush_every_ms(None).open() else { return false };
    db.iter().all(|row| row.is_ok())
}

fn run_probe(program: &Path, arguments: &[String], dir: &Path) -> Result<(), String> {
    let quiet = Stdio::null;
    let child = Command::new(program).args(arguments).arg(dir).stdin(quiet()).stdout(quiet()).stderr(quiet()).spawn();
    let mut child = child.map_err(|e| format!("the trial opening did not start: {e}"))?;
    let pid = rustix::process::Pid::from_child(&child);
    let (tell, told) = std::sync::mpsc::channel();
    let waiter = std::thread::Builder::new().name("store trial".into());
    let waiter = waiter.spawn(move || drop(tell.send(child.wait()))).map_err(|e| e.to_string())?;
    let ended = told.recv_timeout(PROBE_TIME);
    if ended.is_err() {
        // It hangs: sled does on some damage. It is not waited for yet, so the number is still its own.
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
    }
    let _ = waiter.join();
    match ended {
        Ok(Ok(status)) if status.success() => Ok(()),
        Ok(Ok(status)) => Err(format!("the trial opening failed ({status})")),
        Ok(Err(error)) => Err(format!("the trial opening: {error}")),
        Err(_) => Err("the trial opening hung".into()),
    }
}

impl Held {
    fn compare(&self, had: &Sidecar) -> Result<(), String> {
        if had.generation != self.generation {
            return Err("the folder holds another store".into());
        }
        for (site, cursor) in &had.cursors {
            let site = SiteId::new(site).map_err(|e| e.to_string())?;
            if self.cursor(&site) < *cursor {
                return Err(format!("the store has lost what it had of site {site}"));
            }
        }
        Ok(())
    }

    /// The last sequence of the site that is in the store; 0 for none.
    pub fn cursor(&self, site: &SiteId) -> u64 {
        cursor(&self.store.db, site)
    }

    pub fn db(&self) -> &sled::Db {
        &self.store.db
    }

    /// Brings everything to the disk; sled's own flush does not survive a power cut.
    pub fn sync(&self, cursors: &BTreeMap<String, u64>) -> Result<(), OpenError> {
        self.store.db.flush().map_err(OpenError::Sled)?;
        for file in ["db", "conf"] {
            File::open(self.dir.join(file))?.sync_all()?;
        }
        File::open(&self.dir)?.sync_all()?;
        write_sidecar(&self.dir, &Sidecar { generation: self.generation.clone(), cursors: cursors.clone() })?;
        Ok(())
    }
}

fn sidecar_path(dir: &Path) -> PathBuf {
    dir.with_extension("state")
}

pub(super) fn read_sidecar(dir: &Path) -> Option<Sidecar> {
    serde_json::from_slice(&fs::read(sidecar_path(dir)).ok()?).ok()
}

fn write_sidecar(dir: &Path, sidecar: &Sidecar) -> io::Result<()> {
    let path = sidecar_path(dir);
    let new = path.with_extension("state.new");
    let mut file = File::create(&new)?;
    file.write_all(&serde_json::to_vec(sidecar)?)?;
    file.sync_all()?;
    fs::rename(&new, &path)?;
    path.parent().map_or(Ok(()), |parent| File::open(parent)?.sync_all())
}

fn remove_files(dir: &Path, wanted: impl Fn(&str) -> bool) -> io::Result<usize> {
    let mut removed = 0;
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_name().to_str().is_some_and(&wanted) {
            fs::remove_file(entry.path())?;
            removed += 1;
        }
    }
    Ok(removed)
}

/// Keeps one broken store for whoever wants to look into it.
fn move_aside(dir: &Path, stamp: &str) -> io::Result<()> {
    let (Some(parent), Some(name)) = (dir.parent(), dir.file_name().and_then(|n| n.to_str())) else {
        return fs::remove_dir_all(dir);
    };
    let mark = format!("{name}.broken-");
    for entry in fs::read_dir(parent)? {
        let entry = entry?;
        if entry.file_name().to_str().is_some_and(|n| n.starts_with(&mark)) {
            fs::remove_dir_all(entry.path())?;
        }
    }
    fs::rename(dir, parent.join(format!("{mark}{stamp}")))?;
    match fs::remove_file(sidecar_path(dir)) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => fs::create_dir_all(dir),
    }
}
