//! Disks of a test's own: a file system in memory or in a file, which can be filled to the last block and made read-only. Mounting needs
//! root; without it there is none, and the test that wanted one says so and passes.
#![allow(dead_code, reason = "each test takes what it needs")]

use super::gateway::Gateway;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// A mounted file system. Unmounted when dropped; make it before the service that uses it.
pub struct Mount {
    dir: TempDir,
}

impl Mount {
    /// In memory.
    pub fn memory(mib: u32) -> Option<Mount> {
        Mount::made(|_| Ok(["-t", "tmpfs", "-o", &format!("size={mib}m"), "tmpfs"].map(str::to_owned).to_vec()))
    }

    /// An ext4 in a file, which turns itself read-only at the first error, as the usual ones do.
    pub fn ext4(mib: u32) -> Option<Mount> {
        Mount::made(|dir| {
            let image = dir.join("image");
            File::create(&image).and_then(|file| file.set_len(u64::from(mib) << 20)).expect("an image");
            run("mkfs.ext4", &["-q", "-m", "0", &image.display().to_string()])?;
            Ok(vec!["-o".into(), "loop,errors=remount-ro".into(), image.display().to_string()])
        })
    }

    fn made(arguments: impl FnOnce(&Path) -> Result<Vec<String>, String>) -> Option<Mount> {
        let mount = Mount { dir: tempfile::tempdir().expect("temporary folder") };
        fs::create_dir(mount.path()).expect("a folder");
        let mounted = arguments(mount.dir.path()).and_then(|mut arguments| {
            arguments.push(mount.path().display().to_string());
            run("mount", &arguments.iter().map(String::as_str).collect::<Vec<_>>())
        });
        match mounted {
            Ok(()) => Some(mount),
            Err(why) => {
                println!("PASSED OVER, nothing was tested: no disk could be mounted: {why}");
                eprintln!("PASSED OVER, nothing was tested: no disk could be mounted: {why}");
                None
            }
        }
    }

    /// The data of a service that has none yet lie on this disk.
    pub fn take(&self, gateway: &Gateway) {
        std::os::unix::fs::symlink(self.path(), gateway.dir().join("data")).expect("a link");
    }

    /// To the last block.
    pub fn fill(&self) {
        let mut filler = File::options().create(true).append(true).open(self.path().join("filler")).expect("a file");
        for size in [1 << 20, 4_096, 512, 1] {
            while filler.write_all(&vec![9; size]).is_ok() {}
        }
        let _ = filler.sync_all();
    }

    /// Gives back what [`Mount::fill`] took.
    pub fn give_back(&self) {
        fs::remove_file(self.path().join("filler")).expect("the filler goes");
    }

    /// Mounts it anew, `ro` or `rw`; nobody may be writing on it.
    pub fn again(&self, how: &str) {
        run("mount", &["-o", &format!("remount,{how}"), &self.path().display().to_string()]).expect("mounted anew");
    }

    /// An ext4 meets an error while files on it are open, and turns itself read-only.
    pub fn break_down(&self) {
        let source = Command::new("findmnt").args(["-no", "SOURCE"]).arg(self.path()).output().expect("findmnt");
        let device = String::from_utf8_lossy(&source.stdout).trim().trim_start_matches("/dev/").to_owned();
        fs::write(format!("/sys/fs/ext4/{device}/trigger_fs_error"), "a test").expect("the kernel's own trigger");
    }

    /// Unmounts a broken ext4 and mounts it again, which mends it.
    pub fn mend(&self) {
        let (image, path) = (self.dir.path().join("image").display().to_string(), self.path().display().to_string());
        run("umount", &[&path]).expect("unmounted");
        run("mount", &["-o", "loop,errors=remount-ro", &image, &path]).expect("mounted again");
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("disk")
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = run("umount", &["-l", &self.path().display().to_string()]);
    }
}

fn run(program: &str, arguments: &[&str]) -> Result<(), String> {
    let path = std::env::var("PATH").unwrap_or_default() + ":/usr/local/sbin:/usr/sbin:/sbin";
    let done =
        Command::new(program).env("PATH", path).args(arguments).output().map_err(|e| format!("{program}: {e}"))?;
    match done.status.success() {
        true => Ok(()),
        false => Err(format!("{program}: {}", String::from_utf8_lossy(&done.stderr).trim())),
    }
}
