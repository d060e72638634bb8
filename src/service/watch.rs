//! Supervision: whoever ends before it was told to is reported once, with its name. And what `/readyz` asks.

use super::Running;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle as Thread;
use tokio::sync::mpsc::Sender;
use tokio::task::JoinHandle;

/// Watches a task. What it gives ends after the task.
pub(super) fn task(name: &'static str, task: JoinHandle<()>, report: Sender<String>) -> JoinHandle<()> {
    tokio::spawn(async move {
        let why = match task.await {
            Ok(()) => format!("{name} has ended"),
            Err(error) => format!("{name} has failed: {error}"),
        };
        // Nobody listens any more while the service stops.
        let _ = report.try_send(why);
    })
}

/// Runs and watches a thread.
pub(super) fn thread(
    name: String,
    work: impl FnOnce() -> Result<(), String> + Send + 'static,
    report: Sender<String>,
) -> std::io::Result<Thread<()>> {
    let builder = std::thread::Builder::new().name(name.clone());
    builder.spawn(move || {
        let why = match std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)) {
            Ok(Ok(())) => format!("{name} has ended"),
            Ok(Err(error)) => format!("{name} has stopped: {error}"),
            Err(_) => format!("{name} has failed"),
        };
        let _ = report.try_send(why);
    })
}

/// Whether the service does its work, part by part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readiness {
    pub part: String,
    pub ready: bool,
    pub detail: String,
}

impl Running {
    /// Every part with its state: subscribed, journal writable, keeper turning.
    pub fn readiness(&self) -> Vec<Readiness> {
        self.sites.iter().flat_map(|site| site.readiness()).collect()
    }
}

impl super::RunningSite {
    /// The parts of one site.
    pub fn readiness(&self) -> Vec<Readiness> {
        let part =
            |name: &str, ready: bool, detail: String| Readiness { part: format!("{name} {}", self.id), ready, detail };
        let full = self.status.full.load(Ordering::Relaxed);
        let age = self.idle_ms();
        vec![
            part("subscribed", self.subscribed(), "both sessions are connected and their subscriptions granted".into()),
            part("journal", !full, if full { "the disk is full: life only".into() } else { "writable".into() }),
            part("keeper", age < 10_000, format!("turned {age} ms ago")),
        ]
    }
}
