//! Supervision: whoever ends before it was told to is reported once, with its name.

use std::thread::JoinHandle as Thread;
use tokio::sync::mpsc::Sender;
use tokio::task::JoinHandle;

/// Watches a task. What it gives ends after the task.
#[expect(clippy::disallowed_methods, reason = "this is the supervision")]
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
