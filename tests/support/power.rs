//! Power cuts: the service's folder as it would be after one. `power.c`, preloaded, keeps what was synced; from it and from what the
//! killed process left the folder is put together anew: all that was synced, and of the rest whatever the dice say.
//!
//! - Of a file, each unsynced sector of 512 bytes is there or not, and of an unsynced size the old or the new one holds.
//! - A folder's names are all as at its last sync or all as at the cut: file systems with a journal keep the order of such changes.
#![allow(dead_code, reason = "each test takes what it needs")]

use super::Dice;
use super::gateway::Gateway;
use std::collections::HashMap;
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

const SECTOR: usize = 512;

/// Makes the library that is preloaded; it lasts as long as the folder.
pub fn library(dir: &Path) -> PathBuf {
    let (source, made) = (Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/power.c"), dir.join("power.so"));
    let mut cc = Command::new("cc");
    cc.args(["-shared", "-fPIC", "-O2", "-o"]).arg(&made).arg(source).args(["-ldl", "-lpthread"]);
    assert!(cc.status().expect("cc, which Rust needs too").success(), "power.c does not compile");
    made
}

/// What the disk under a service's data has for certain, in one life of the process.
pub struct Kept {
    dir: TempDir,
    /// Every file as it was at first stays open, so that its inode's number is not given to another one.
    _held: Vec<File>,
}

impl Kept {
    /// Takes all that is there for synced, and watches the service's processes from now on; each sync takes `slow_us` longer.
    pub fn from_now(gateway: &mut Gateway, library: &Path, slow_us: u32) -> Kept {
        let mut kept = Kept { dir: tempfile::tempdir().expect("temporary folder"), _held: Vec::new() };
        let data = gateway.data("");
        kept.take_folder(&data);
        gateway.set("LD_PRELOAD", library.display().to_string());
        gateway.set("POWER_DATA", data.display().to_string().trim_end_matches('/'));
        gateway.set("POWER_KEPT", kept.dir.path().display().to_string());
        gateway.set("POWER_SLOW_US", slow_us.to_string());
        kept
    }

    fn take_folder(&mut self, dir: &Path) {
        let mut names = String::new();
        for (name, inode, path) in entries(dir) {
            names += &format!("{inode} {name}\n");
            if path.is_dir() {
                self.take_folder(&path);
            } else if path.is_file() {
                fs::copy(&path, self.path("", inode)).expect("a copy");
                self._held.push(File::open(&path).expect("the file"));
            }
        }
        fs::write(self.path("names-", inode(dir)), names).expect("the names");
    }

    /// The power is cut: in the place of what the dead process left comes what the disk would have. Gives how many files lost bytes.
    pub fn cut(self, gateway: &Gateway, dice: &mut Dice) -> usize {
        let (data, after) = (gateway.dir().join("data"), gateway.dir().join("after"));
        let mut live = HashMap::new();
        find(&data, &mut live);
        let torn = self.restore(&data, &after, &live, dice);
        fs::remove_dir_all(&data).expect("the live folder goes");
        fs::rename(&after, &data).expect("what is left comes");
        torn
    }

    fn restore(&self, dir: &Path, to: &Path, live: &HashMap<u64, PathBuf>, dice: &mut Dice) -> usize {
        fs::create_dir(to).expect("a folder");
        let text = fs::read_to_string(self.path("names-", inode(dir))).unwrap_or_default();
        let synced: Vec<(u64, &str)> = text
            .lines()
            .filter_map(|line| line.split_once(' '))
            .map(|(inode, name)| (inode.parse().expect("a number"), name))
            .collect();
        let now = entries(dir);
        let now: Vec<(u64, &str)> = now.iter().map(|(name, inode, _)| (*inode, name.as_str())).collect();
        let names = if dice.below(2) == 0 { synced } else { now };
        let mut torn = 0;
        for (inode, name) in names {
            match live.get(&inode) {
                Some(path) if path.is_dir() => torn += self.restore(path, &to.join(name), live, dice),
                // A socket, or a folder that has been removed.
                Some(path) if !path.is_file() => {}
                path => {
                    let had = fs::read(self.path("", inode)).unwrap_or_default();
                    let new = path.map_or_else(|| had.clone(), |path| fs::read(path).expect("the file"));
                    let left = draw(&had, &new, dice);
                    torn += usize::from(left != new);
                    fs::write(to.join(name), left).expect("the file");
                }
            }
        }
        torn
    }

    fn path(&self, what: &str, inode: u64) -> PathBuf {
        self.dir.path().join(format!("{what}{inode}"))
    }
}

/// Between what was synced and what was written.
fn draw(had: &[u8], new: &[u8], dice: &mut Dice) -> Vec<u8> {
    let size = if dice.below(2) == 0 { had.len() } else { new.len() };
    let mut left = vec![0; size];
    // Nothing more came to the disk, all of it did, or a part.
    let share = [0, 2, 1][dice.below(3) as usize];
    for at in (0..size).step_by(SECTOR) {
        let end = size.min(at + SECTOR);
        let sector = |bytes: &[u8]| bytes.get(at..end.min(bytes.len())).unwrap_or_default().to_vec();
        let from = match sector(had) == sector(new) || dice.below(2) < share {
            true => sector(new),
            false => sector(had),
        };
        left[at..at + from.len()].copy_from_slice(&from);
    }
    left
}

fn find(dir: &Path, found: &mut HashMap<u64, PathBuf>) {
    for (_, inode, path) in entries(dir) {
        if path.is_dir() {
            find(&path, found);
        }
        found.insert(inode, path);
    }
}

fn entries(dir: &Path) -> Vec<(String, u64, PathBuf)> {
    let all = fs::read_dir(dir).expect("a folder").map(|entry| entry.expect("an entry").path());
    all.map(|path| (path.file_name().expect("a name").to_string_lossy().into_owned(), inode(&path), path)).collect()
}

fn inode(path: &Path) -> u64 {
    fs::symlink_metadata(path).expect("its state").ino()
}
