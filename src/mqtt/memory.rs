//! The small file behind [`Memory`]: which filters the broker's sessions hold.

use super::lanes::Memory;
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Larger than 100,000 filters; a larger file is not ours.
const MAX_BYTES: u64 = 64 << 20;

#[derive(Serialize, Deserialize)]
struct Page<M> {
    /// Broker and session names that it speaks of. For any others it says nothing.
    of: String,
    sessions: M,
}

/// The file of one pair of sessions.
pub(super) struct MemoryFile {
    path: PathBuf,
    of: String,
}

impl MemoryFile {
    pub fn new(path: &Path, of: String) -> MemoryFile {
        MemoryFile { path: path.to_owned(), of }
    }

    /// What the last run left. Empty where there is nothing, where it is unreadable, and where it is of another broker:
    /// empty is always safe.
    pub fn load(&self) -> Memory {
        let read = || -> io::Result<Page<Memory>> {
            if fs::metadata(&self.path)?.len() > MAX_BYTES {
                return Err(io::ErrorKind::FileTooLarge.into());
            }
            Ok(serde_json::from_slice(&fs::read(&self.path)?)?)
        };
        match read() {
            Ok(page) if page.of == self.of => page.sessions,
            Ok(_) => Memory::default(),
            Err(why) => {
                if why.kind() != io::ErrorKind::NotFound {
                    tracing::warn!(path = %self.path.display(), %why, "the file of MQTT sessions is unreadable and is begun anew");
                }
                Memory::default()
            }
        }
    }

    /// Replaces the file in one step and syncs it. Where that fails (a full disk), the file is removed, which claims nothing.
    pub fn store(&self, memory: &Memory) -> io::Result<()> {
        self.replace(memory).inspect_err(|_| {
            // Its own failure adds nothing to the one reported.
            let _ = fs::remove_file(&self.path);
        })
    }

    fn replace(&self, memory: &Memory) -> io::Result<()> {
        let new = self.path.with_extension("new");
        let mut file = File::create(&new)?;
        file.write_all(&serde_json::to_vec(&Page { of: self.of.clone(), sessions: memory })?)?;
        file.sync_all()?;
        fs::rename(&new, &self.path)?;
        match self.path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            Some(parent) => File::open(parent)?.sync_all(),
            None => File::open(".")?.sync_all(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_stored_is_loaded_for_the_same_sessions_only() -> io::Result<()> {
        let dir = tempfile::tempdir()?;
        let path = dir.path().join("sessions.json");
        let file = MemoryFile::new(&path, "mqtt://a x".to_owned());
        assert_eq!(file.load(), Memory::default());
        let memory = Memory { life: [("a/b".into(), true), ("c".into(), false)].into(), bulk: ["#".into()].into() };
        file.store(&memory)?;
        assert_eq!(file.load(), memory);
        assert_eq!(MemoryFile::new(&path, "mqtt://b x".to_owned()).load(), Memory::default());
        for broken in ["", "{", "{\"of\":\"mqtt://a x\"}", "[1]"] {
            fs::write(&path, broken)?;
            assert_eq!(file.load(), Memory::default(), "{broken}");
        }
        Ok(())
    }

    #[test]
    fn a_store_that_fails_leaves_no_claim_behind() -> io::Result<()> {
        let dir = tempfile::tempdir()?;
        let path = dir.path().join("sessions.json");
        let file = MemoryFile::new(&path, "x".to_owned());
        file.store(&Memory { life: [("a".into(), true)].into(), bulk: Default::default() })?;
        // A folder where the new file would be written.
        fs::create_dir(path.with_extension("new"))?;
        assert!(file.store(&Memory::default()).is_err());
        assert!(!path.exists());
        Ok(())
    }
}
