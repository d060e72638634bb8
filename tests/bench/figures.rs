//! Medians, tables, and what the machine says of its processes.

use std::fs;
use std::time::{Duration, Instant};

/// A clock tick of /proc, in milliseconds; 100 Hz on every Linux that is in use.
const TICK_MS: u64 = 10;

/// Processor time that a process has used so far, in milliseconds.
pub fn cpu_ms(pid: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("the process runs");
    let fields: Vec<&str> = stat.rsplit_once(')').expect("the name in brackets").1.split_whitespace().collect();
    let ticks = |field: usize| fields[field].parse::<u64>().expect("a number");
    (ticks(11) + ticks(12)) * TICK_MS
}

/// Resident memory of a process, now and at most, in MiB.
pub fn memory_mib(pid: u32) -> (f64, f64) {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the process runs");
    let of = |name: &str| {
        let line = status.lines().find_map(|l| l.strip_prefix(name)).expect("the line");
        line.trim().trim_end_matches(" kB").parse::<f64>().expect("a number") / 1024.0
    };
    (of("VmRSS:"), of("VmHWM:"))
}

/// The machine's load of the last minute: what else ran beside the figures.
pub fn load_average() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or_default().to_owned()
}

pub fn median(values: &[f64]) -> f64 {
    quantile(values, 0.5)
}

/// The value below which this share of all lies.
pub fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let place = ((sorted.len() as f64 * share).ceil() as usize).clamp(1, sorted.len());
    sorted[place - 1]
}

pub fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// How long `work` takes, in seconds.
pub fn seconds<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let begun = Instant::now();
    let result = work();
    (begun.elapsed().as_secs_f64(), result)
}

/// p50, p90, p99 and the worst of latencies in ms.
pub fn spread(values: &[f64]) -> String {
    let q = |share| quantile(values, share);
    format!(
        "p50 {:.2} ms   p90 {:.2}   p99 {:.2}   worst {:.2}   (n = {})",
        q(0.5),
        q(0.9),
        q(0.99),
        q(1.0),
        values.len()
    )
}

/// A line of the report: what, its figure, and the goal.
pub fn line(what: &str, figure: impl std::fmt::Display, goal: &str) {
    println!("  {what:<44} {figure:<66} {goal}");
}

pub fn title(text: &str) {
    println!("\n{text}   [load average {}]", load_average());
}
