//! A real mosquitto for tests, with the deployed configuration byte for byte.
//!
//! `deploy/mosquitto/mosquitto.conf` holds no listener and no data folder. So the helper writes a small file of its own into a temporary
//! folder (listener on a free loopback port, data folder, user) whose last line includes a copy of the deployed one: the same way in which
//! the distribution's file includes it in operation.
//!
//! ```ignore
//! let mut broker = Broker::start();
//! let url = broker.url();            // mqtt://127.0.0.1:PORT, the same over restarts
//! broker.kill();                     // kill -9; broker.stop() is SIGTERM, upon which it saves
//! broker.restart();                  // with what it had saved
//! ```
//!
//! mosquitto is looked up in `MOSQUITTO`, then in the usual places; without it the test fails and says so.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use super::port::Port;
use std::fs::{self, File};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long a broker may take to begin or to end.
const PATIENCE: Duration = Duration::from_secs(20);

/// A mosquitto of one test. Killed, and its folder removed, when dropped.
pub struct Broker {
    dir: TempDir,
    lines: String,
    port: Port,
    child: Option<Child>,
}

impl Broker {
    /// A broker that asks nobody for a password, as the deployed one on loopback.
    pub fn start() -> Broker {
        Broker::with(|_| "allow_anonymous true\n".to_owned())
    }

    /// A broker whose listener has further lines (TLS, passwords). `lines` gets the broker's folder, to put files into.
    pub fn with(lines: impl FnOnce(&Path) -> String) -> Broker {
        let dir = tempfile::tempdir().expect("temporary folder");
        let lines = lines(dir.path());
        for folder in ["rules", "data"] {
            fs::create_dir(dir.path().join(folder)).expect("folder");
        }
        fs::copy(deployed(), dir.path().join("rules/hearthwatch.conf")).expect("the deployed configuration");
        let mut broker = Broker { dir, lines, port: Port::hold(), child: None };
        fs::write(broker.main_conf(), broker.configuration()).expect("configuration");
        broker.restart();
        broker
    }

    pub fn port(&self) -> u16 {
        self.port.number()
    }

    pub fn url(&self) -> String {
        format!("mqtt://{}", self.port.address())
    }

    /// The broker's folder.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// What it wrote to its log in all its runs.
    pub fn log(&self) -> String {
        fs::read_to_string(self.dir().join("broker.log")).unwrap_or_default()
    }

    /// The process, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// SIGTERM: it saves everything and ends.
    pub fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            signal(&child, "TERM");
            let deadline = Instant::now() + PATIENCE;
            while child.try_wait().expect("the broker's state").is_none() {
                assert!(Instant::now() < deadline, "mosquitto does not stop");
                sleep(Duration::from_millis(5));
            }
        }
    }

    /// kill -9: what it has not saved is lost.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("kill");
            child.wait().expect("the broker's end");
        }
    }

    /// SIGSTOP: it holds its connections and answers nothing.
    pub fn freeze(&self) {
        self.child.as_ref().map(|child| signal(child, "STOP")).expect("a running broker");
    }

    /// SIGCONT, after [`Broker::freeze`].
    pub fn thaw(&self) {
        self.child.as_ref().map(|child| signal(child, "CONT")).expect("a running broker");
    }

    /// Starts it again on the same port with what it had saved.
    pub fn restart(&mut self) {
        assert!(self.child.is_none(), "the broker is running");
        let log = File::options().create(true).append(true).open(self.dir().join("broker.log")).expect("log file");
        let mut child = Command::new(program())
            .arg("-c")
            .arg(self.main_conf())
            .current_dir(self.dir())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|why| {
                panic!("{why}: {} cannot be run; install mosquitto, or name it in MOSQUITTO", program().display())
            });
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline && child.try_wait().expect("the broker's state").is_none() {
            if TcpStream::connect(self.port.address()).is_ok() {
                self.child = Some(child);
                return;
            }
            sleep(Duration::from_millis(5));
        }
        let _ = child.kill();
        let _ = child.wait();
        panic!("mosquitto did not start: {}", self.log());
    }

    fn main_conf(&self) -> PathBuf {
        self.dir().join("main.conf")
    }

    fn configuration(&self) -> String {
        let (port, lines) = (self.port(), &self.lines);
        let dir = self.dir().display();
        // `user root` only keeps a broker that root starts from becoming a user who may not write here.
        format!(
            "user root\nlog_dest stderr\npersistence_location {dir}/data/\nlistener {port} 127.0.0.1\n{lines}include_dir {dir}/rules\n"
        )
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The deployed configuration.
fn deployed() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/mosquitto/mosquitto.conf")
}

fn program() -> PathBuf {
    let named = std::env::var_os("MOSQUITTO").map(PathBuf::from);
    let usual = ["/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto", "/opt/homebrew/sbin/mosquitto"].map(PathBuf::from);
    named.or_else(|| usual.into_iter().find(|path| path.exists())).unwrap_or_else(|| "mosquitto".into())
}

fn signal(child: &Child, name: &str) {
    let status = Command::new("kill").arg(format!("-{name}")).arg(child.id().to_string()).status().expect("kill");
    assert!(status.success(), "kill -{name}");
}
