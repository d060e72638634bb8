//! The calls of a process on the simulated disk, each of which it may die half-way through.

use super::platter::{Naming, Node, between, grip};
use super::{Inner, Operation, SimDisk, dead, survived};
use crate::journal::disk::{Access, Disk, DiskFile};
use std::any::Any;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::MutexGuard;

impl Disk for SimDisk {
    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        self.alive()?.dirs.extend(dir.ancestors().map(Path::to_path_buf));
        Ok(())
    }

    fn lock(&self, dir: &Path) -> io::Result<Option<Box<dyn Any + Send + Sync>>> {
        let mut inner = self.alive()?;
        inner.dir(dir)?;
        if inner.locks.contains_key(dir) {
            return Ok(None);
        }
        inner.serial += 1;
        let lock = SimLock { disk: self.clone(), dir: dir.to_path_buf(), serial: inner.serial };
        inner.locks.insert(lock.dir.clone(), lock.serial);
        Ok(Some(Box::new(lock)))
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let inner = self.alive()?;
        inner.dir(dir)?;
        let here = inner.live.keys().filter(|path| path.parent() == Some(dir));
        Ok(here.filter_map(|path| Some(path.file_name()?.to_str()?.to_owned())).collect())
    }

    fn open(&self, path: &Path, access: Access) -> io::Result<Box<dyn DiskFile>> {
        let mut inner = self.alive()?;
        inner.dir(path.parent().unwrap_or(path))?;
        if access == Access::Create {
            match inner.node(path) {
                Err(_) => inner.rename(Operation::Create, Naming::Create(path.to_path_buf(), Node::default()))?,
                Ok(node) => {
                    let dies = inner.begin(Operation::Create);
                    if !dies || inner.dice.chance(0.5) {
                        grip(&node).resize(0);
                    }
                    survived(dies)?;
                }
            }
        }
        let (node, generation) = (inner.node(path)?, inner.generation);
        Ok(Box::new(SimFile { disk: self.clone(), node, generation, writable: access != Access::Read }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut inner = self.alive()?;
        inner.node(from)?;
        inner.dir(to.parent().unwrap_or(to))?;
        inner.rename(Operation::Rename, Naming::Rename(from.to_path_buf(), to.to_path_buf()))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut inner = self.alive()?;
        inner.node(path)?;
        inner.rename(Operation::Remove, Naming::Remove(path.to_path_buf()))
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        let mut inner = self.alive()?;
        inner.dir(dir)?;
        let dies = inner.begin(Operation::SyncDir);
        inner.delay += inner.sync_takes;
        // The journal of a file system keeps its order: what came before goes along, of other folders too.
        let due = inner.unsynced.iter().rposition(|naming| naming.concerns(dir)).map_or(0, |last| last + 1);
        let done = if dies { inner.dice.below(due + 1) } else { due };
        inner.sync_names(done);
        survived(dies)
    }
}

/// A folder's lock; of an earlier process it holds nothing.
struct SimLock {
    disk: SimDisk,
    dir: PathBuf,
    serial: u64,
}

impl Drop for SimLock {
    fn drop(&mut self) {
        let mut inner = self.disk.inner();
        if inner.locks.get(&self.dir) == Some(&self.serial) {
            inner.locks.remove(&self.dir);
        }
    }
}

struct SimFile {
    disk: SimDisk,
    node: Node,
    generation: u64,
    writable: bool,
}

impl SimFile {
    /// The disk, where this handle's process is alive.
    fn alive(&self) -> io::Result<MutexGuard<'_, Inner>> {
        let inner = self.disk.alive()?;
        if inner.generation == self.generation { Ok(inner) } else { Err(dead()) }
    }

    fn writable(&self) -> io::Result<MutexGuard<'_, Inner>> {
        let inner = self.alive()?;
        if self.writable { Ok(inner) } else { Err(io::ErrorKind::PermissionDenied.into()) }
    }

    /// Changes the size, all the way or not at all; a death half-way stops anywhere.
    fn resize(&self, inner: &mut Inner, operation: Operation, bytes: usize) -> io::Result<()> {
        let dies = inner.begin(operation);
        let size = grip(&self.node).live.len();
        let allowed = inner.allowed(size, bytes);
        match (dies, allowed == bytes) {
            (true, _) => grip(&self.node).resize(between(size, allowed, &mut inner.dice)),
            (false, true) => grip(&self.node).resize(bytes),
            (false, false) => return Err(io::ErrorKind::StorageFull.into()),
        }
        survived(dies)
    }
}

impl DiskFile for SimFile {
    fn size(&self) -> io::Result<u64> {
        let _alive = self.alive()?;
        Ok(grip(&self.node).live.len() as u64)
    }

    fn allocate(&self, bytes: u64) -> io::Result<()> {
        let mut inner = self.writable()?;
        let size = grip(&self.node).live.len();
        self.resize(&mut inner, Operation::Allocate, size.max(bytes as usize))
    }

    fn truncate(&self, bytes: u64) -> io::Result<()> {
        self.resize(&mut *self.writable()?, Operation::Truncate, bytes as usize)
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let _alive = self.alive()?;
        let node = grip(&self.node);
        let rest = node.live.get(offset as usize..).unwrap_or_default();
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        Ok(length)
    }

    /// On a full disk as much is written as fits; at a death any beginning.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut inner = self.writable()?;
        let (dies, at) = (inner.begin(Operation::Write), offset as usize);
        let size = grip(&self.node).live.len();
        let fits = inner.allowed(size, at + bytes.len()).saturating_sub(at);
        let written = if dies { inner.dice.below(fits + 1) } else { fits };
        grip(&self.node).write(&bytes[..written], at);
        survived(dies)?;
        if fits < bytes.len() { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    fn sync(&self) -> io::Result<()> {
        let mut inner = self.alive()?;
        let dies = inner.begin(Operation::Sync);
        inner.delay += inner.sync_takes;
        if dies {
            // What has not arrived still waits in the system, which outlives the process.
            grip(&self.node).leak(&mut inner.dice);
            return Err(dead());
        }
        if std::mem::take(&mut inner.sync_fails) {
            inner.counts.failed_syncs += 1;
            inner.lose(|dice| grip(&self.node).leak(dice));
            grip(&self.node).drop_unsynced();
            return Err(io::Error::other("the disk did not take it"));
        }
        grip(&self.node).sync();
        Ok(())
    }
}
