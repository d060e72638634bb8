//! Remembers over the death of the process which messages were being worked on. A message that was so at two deaths in a row is not
//! looked into a third time.

use crate::journal::disk::{Access, Disk, DiskFile, is_full, read_all};
use crate::keeper::ports::Suspects;
use std::collections::HashSet;
use std::io;
use std::path::Path;
use std::sync::Arc;
use tracing::warn;

/// Longer than a turn's messages; a larger file is not ours.
const MAX_BYTES: u64 = 1 << 20;

/// The file of the present life, and what the last two had in common. Nothing is synced: it has to survive the process, not the machine.
pub struct SuspectsFile {
    /// None where the disk had no room for it.
    file: Option<Box<dyn DiskFile>>,
    last: HashSet<u64>,
    deadly: HashSet<u64>,
    empty: bool,
}

impl SuspectsFile {
    /// Takes what the last life left in `dir`. On a full disk nothing new is noted: life has its reserve there, and has to be heard.
    ///
    /// # Errors
    /// Where the files cannot be written for another reason.
    pub fn open(disk: Arc<dyn Disk>, dir: &Path) -> io::Result<SuspectsFile> {
        let (now, before) = (dir.join("working-on"), dir.join("worked-on-at-death"));
        let read = |path| read_all(&*disk, path, MAX_BYTES).map(|bytes| decode(&bytes)).unwrap_or_default();
        let last = read(&now);
        let earlier: HashSet<u64> = read(&before).into_iter().collect();
        let noted = disk.open(&before, Access::Create).and_then(|file| file.write_at(&encode(&last), 0));
        let file = match noted.and_then(|()| disk.open(&now, Access::Create)) {
            Err(error) if is_full(&error) => {
                warn!(%error, "what is being worked on cannot be noted");
                None
            }
            opened => Some(opened?),
        };
        let last: HashSet<u64> = last.into_iter().collect();
        Ok(SuspectsFile { file, deadly: last.intersection(&earlier).copied().collect(), last, empty: true })
    }
}

fn decode(bytes: &[u8]) -> Vec<u64> {
    let Some((count, rest)) = bytes.split_first_chunk::<8>() else { return Vec::new() };
    let count = usize::try_from(u64::from_le_bytes(*count)).unwrap_or(0);
    rest.as_chunks::<8>().0.iter().take(count).map(|b| u64::from_le_bytes(*b)).collect()
}

fn encode(messages: &[u64]) -> Vec<u8> {
    std::iter::once(messages.len() as u64).chain(messages.iter().copied()).flat_map(u64::to_le_bytes).collect()
}

impl Suspects for SuspectsFile {
    fn working_on(&mut self, messages: &[u64]) {
        if messages.is_empty() && std::mem::replace(&mut self.empty, true) {
            return;
        }
        self.empty = messages.is_empty();
        let Some(file) = &self.file else { return };
        if let Err(error) = file.write_at(&encode(messages), 0) {
            warn!(%error, "what is being worked on cannot be noted");
        }
    }

    fn suspected(&self, message: u64) -> bool {
        self.last.contains(&message)
    }

    fn deadly(&self, message: u64) -> bool {
        self.deadly.contains(&message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::Dice;
    use crate::journal::RealDisk;
    use crate::sim::disk::SimDisk;

    #[test]
    fn a_message_is_deadly_after_two_deaths_in_a_row_and_not_after_one() {
        let dir = tempfile::tempdir().unwrap();
        // What the file says of 7 and of 8 (suspected, deadly) in a life that ends while `work` is worked on.
        let life = |work: &[u64]| {
            let mut file = SuspectsFile::open(Arc::new(RealDisk), dir.path()).unwrap();
            let said = [7, 8].map(|m| (file.suspected(m), file.deadly(m)));
            file.working_on(work);
            said
        };
        let (nothing, suspected, deadly) = ((false, false), (true, false), (true, true));
        assert_eq!(life(&[7]), [nothing, nothing]);
        assert_eq!(life(&[7, 8]), [suspected, nothing]);
        assert_eq!(life(&[]), [deadly, suspected]);
        assert_eq!(life(&[8]), [nothing, nothing], "a life that ended in peace breaks the row");
    }

    #[test]
    fn a_full_disk_keeps_nobody_from_starting() {
        let disk = SimDisk::new(Dice::new(1, 1));
        let dir = Path::new("/data");
        disk.create_dir(dir).unwrap();
        let open = || SuspectsFile::open(Arc::new(disk.clone()), dir).unwrap();
        open().working_on(&[7]);
        disk.set_capacity(disk.used());
        let mut file = open();
        assert!(file.suspected(7), "what is known is known");
        file.working_on(&[7, 8, 9]);
        disk.set_capacity(0);
        open().working_on(&[7]);
    }
}
