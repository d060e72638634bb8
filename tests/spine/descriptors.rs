//! No descriptor is left: at the start, under the running service, and by idle connections to its console.

use super::gateway::eventually;
use super::{District, home};
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use std::collections::BTreeSet;
use std::net::TcpStream;

const HOMES: usize = 6;

#[test]
fn too_few_descriptors_at_the_start_are_named_in_the_last_line() {
    let mut district = District::new(1);
    let mut enough = 0;
    for allowed in (10..=60).step_by(5) {
        district.gateway.set("OPEN_FILES", allowed.to_string());
        district.gateway.spawn();
        let mut status = None;
        eventually("it runs or leaves", || {
            status = district.gateway.ended();
            status.is_some() || district.gateway.said().contains("lane=\"bulk\"")
        });
        let last = district.gateway.last_line();
        let Some(status) = status else {
            district.gateway.kill();
            enough = allowed;
            break;
        };
        println!("{allowed} descriptors: {status}: {last}");
        assert_eq!(status.code(), Some(1), "{last}");
        assert!(last.starts_with("hearthwatch leaves: ") && last.contains("Too many open files"), "{allowed}: {last}");
    }
    println!("{enough} descriptors are enough to start");
    assert!(enough > 0);
}

#[test]
fn no_descriptor_left_while_it_runs_loses_nothing_that_was_acknowledged() {
    let mut district = District::new(HOMES);
    district.gateway.start();
    district.press(0..2);
    district.wait_told(2);
    // The connection to the receiver would be kept for seconds; it goes.
    district.receiver.stop();
    district.receiver.restart();
    std::thread::sleep(std::time::Duration::from_millis(500));
    // What is open stays open, and nothing more can be opened: a new file gets the lowest free number, which is not allowed.
    let pid = district.gateway.pid();
    let open = (0..).find(|n| !std::fs::exists(format!("/proc/{pid}/fd/{n}")).expect("proc")).expect("a number");
    let limit = Rlimit { current: Some(open), maximum: Some(open) };
    prlimit(Pid::from_raw(pid as i32), Resource::Nofile, limit).expect("prlimit");
    district.press(2..4);
    eventually("the alarms are written", || (2..4).all(|n| district.gateway.past().open(&home(n), "sos").is_some()));
    eventually("a failed attempt", || district.gateway.past().attempts.iter().any(|(.., o)| o != "delivered"));
    let past = district.gateway.past();
    let failed: BTreeSet<&str> = past.attempts.iter().map(|(.., o)| o.as_str()).filter(|o| *o != "delivered").collect();
    println!("at {open} descriptors: attempts end as {failed:?}");
    // Until a segment is used up and the next one cannot be opened.
    let mut n = 0;
    let mut status = None;
    eventually("the process leaves", || {
        let reading = |n: i64| ("zigbee2mqtt/h000/plug", format!(r#"{{"power":{n}}}"#));
        super::publish(&district.broker.url(), (n..n + 20_000).map(reading));
        n += 20_000;
        std::thread::sleep(std::time::Duration::from_millis(300));
        status = district.gateway.ended();
        status.is_some()
    });
    let last = district.gateway.last_line();
    println!("{last}");
    assert_eq!(status.and_then(|s| s.code()), Some(1), "{last}");
    assert!(last.starts_with("hearthwatch leaves: keeper t has stopped: ") && last.contains("Too many open"), "{last}");
    district.press(4..HOMES);
    district.gateway.start();
    district.wait_told(HOMES);
    assert!(district.gateway.past().damage.is_empty());
}

#[test]
fn idle_connections_to_the_console_cost_no_alarm() {
    let mut district = District::new(HOMES);
    district.gateway.set("OPEN_FILES", "100");
    district.gateway.start();
    district.press(0..2);
    district.wait_told(2);
    let idle: Vec<TcpStream> = (0..150).filter_map(|_| TcpStream::connect(district.gateway.console()).ok()).collect();
    // The console is full, and the notices have their descriptors all the same.
    district.press(2..4);
    district.wait_told(4);
    let outcomes: BTreeSet<_> = district.gateway.past().attempts.into_iter().map(|(.., o)| o).collect();
    assert_eq!(outcomes.into_iter().collect::<Vec<_>>(), ["delivered"], "beside {} idle connections", idle.len());
    drop(idle);
    eventually("the console answers again", || district.gateway.get("/healthz").is_some());
    district.press(4..HOMES);
    district.wait_told(HOMES);
    assert_eq!(district.gateway.ended(), None);
}
