//! Another wall clock for the service: libfaketime, preloaded. Its boot-time clock stays the machine's own, as when somebody or a time
//! server sets the clock of a running machine.
#![allow(dead_code, reason = "each test takes what it needs")]

use super::gateway::Gateway;
use std::fs;
use std::path::PathBuf;

/// Every process of the service lives so far from the present (`-200d`, `+1h`); empty for the machine's own clock again.
pub fn shift(gateway: &mut Gateway, offset: &str) {
    let preload = if offset.is_empty() { String::new() } else { library().display().to_string() };
    gateway.set("LD_PRELOAD", preload);
    gateway.set("DONT_FAKE_MONOTONIC", "1");
    gateway.set("FAKETIME", offset);
}

/// A wall clock that can be set under the running process.
pub struct Settable {
    file: PathBuf,
}

impl Settable {
    /// Of every process of the service from now on; it shows the machine's own time at first.
    pub fn of(gateway: &mut Gateway) -> Settable {
        let clock = Settable { file: gateway.dir().join("clock") };
        clock.set("+0");
        shift(gateway, "");
        gateway.set("LD_PRELOAD", library().display().to_string());
        gateway.set("FAKETIME_TIMESTAMP_FILE", clock.file.display().to_string());
        gateway.set("FAKETIME_NO_CACHE", "1");
        clock
    }

    /// Sets it so far from the machine's own.
    pub fn set(&self, offset: &str) {
        // In one step: the process may read it at any moment.
        let new = self.file.with_extension("new");
        fs::write(&new, format!("{offset}\n")).expect("the clock's file");
        fs::rename(&new, &self.file).expect("the clock's file");
    }
}

/// Where the distribution puts it.
fn library() -> PathBuf {
    let folders = ["/usr/lib", "/usr/lib64", "/usr/local/lib"].into_iter().flat_map(|dir| {
        let inner = fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path());
        inner.chain([PathBuf::from(dir)]).collect::<Vec<_>>()
    });
    let mut found = folders.map(|dir| dir.join("faketime/libfaketime.so.1")).filter(|path| path.exists());
    found.next().expect("libfaketime; install it (Debian: apt-get install libfaketime)")
}
