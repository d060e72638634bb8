//! How the service leaves, and who may not enter beside it.

use super::gateway::eventually;
use super::receiver::Behaviour;
use super::{District, PRESS, SOON, home};
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use std::time::Duration;

#[test]
fn a_graceful_stop_leaves_with_0_and_nothing_is_lost_or_told_or_taken_twice() {
    let mut district = District::new(40);
    district.gateway.start();
    let say = |district: &District, from: usize, to: usize| {
        for n in from..to {
            district.say(&format!("zigbee2mqtt/{}/sos", home(n)), PRESS);
            let reading = format!("{{\"power\":{}}}", 5_000 + n);
            district.say(&format!("zigbee2mqtt/{}/plug", home(n)), &reading);
        }
    };
    say(&district, 0, 20);
    let (status, took) = district.gateway.terminate();
    assert!(status.success(), "{status}");
    assert!(took < Duration::from_secs(9), "{took:?}");
    say(&district, 20, 40);
    district.gateway.start();
    district.receiver.wait_for(40, SOON);
    eventually("the last reading", || district.gateway.past().numbers.contains_key(&5_039));
    assert!(district.gateway.terminate().0.success());
    let past = district.gateway.past();
    for n in 0..40 {
        // Readings come by one session only: what was acknowledged before the stop does not come again after it.
        assert_eq!(past.numbers.get(&(5_000 + n as i64)), Some(&1), "reading {n}");
        let told = past.open(&home(n), "sos").unwrap_or_else(|| panic!("{} has no alarm", home(n)));
        // A press that waited at the broker may count once for each session, while these are younger than half a minute.
        assert!(told.events <= 2 && told.rungs.len() == 1, "{told:?}");
    }
    assert_eq!(district.receiver.requests().len(), 40, "each told once");
    assert!(past.attempts.iter().all(|(_, attempt, outcome)| (*attempt, outcome.as_str()) == (1, "delivered")));
}

#[test]
fn a_stop_waits_for_no_receiver_that_hangs() {
    let mut district = District::new(1);
    district.gateway.start();
    district.receiver.behave(Behaviour::Hang);
    district.say("zigbee2mqtt/h000/sos", PRESS);
    let first = district.receiver.wait_for(1, SOON)[0].header("webhook-id").map(str::to_owned);
    let (status, took) = district.gateway.terminate();
    assert!(status.success() && took < Duration::from_secs(9), "{status} after {took:?}");
    district.receiver.behave(Behaviour::Status(200));
    district.gateway.start();
    let requests = district.receiver.wait_for(2, SOON);
    assert_eq!(requests[1].header("webhook-id"), first.as_deref(), "the same notice");
}

#[test]
fn a_second_service_on_the_same_data_is_refused_and_the_first_goes_on() {
    let mut district = District::new(1);
    district.gateway.start();
    let second = district.gateway.program(&["run"]).env("HEARTHWATCH__CONSOLE__LISTEN", "127.0.0.1:0").output();
    let second = second.expect("the command runs");
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert_eq!(second.status.code(), Some(1), "{said}");
    let last = said.lines().last().unwrap_or_default();
    assert!(
        last.starts_with("hearthwatch leaves: ") && last.contains("another process has the journal open"),
        "{said}"
    );
    district.say("zigbee2mqtt/h000/sos", PRESS);
    district.receiver.wait_for(1, SOON);
}

#[test]
fn commands_reach_a_running_service() {
    let mut district = District::new(1);
    district.gateway.start();
    // Another home, by import while it runs: its button calls for help from then on.
    let late = super::with_homes(super::Registry::default(), 2);
    district.gateway.import(late.text());
    district.say("zigbee2mqtt/h001/sos", PRESS);
    assert_eq!(district.receiver.wait_for(1, SOON)[0].json()["data"]["home"]["claimed"], true);
    for (command, expected) in [("export", "id = \"h001\""), ("verify", "0 damages")] {
        let done = district.gateway.command(&[command]);
        let said = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success() && said.contains(expected), "{command}: {said}");
    }
}

#[test]
fn a_journal_that_cannot_be_written_ends_the_process_with_a_clear_last_line() {
    let mut district = District::new(1);
    district.gateway.start();
    // Every write to a file fails from here on, as on a disk that has become read-only.
    let pid = Pid::from_raw(district.gateway.pid() as i32);
    prlimit(pid, Resource::Fsize, Rlimit { current: Some(0), maximum: Some(0) }).expect("prlimit");
    district.say("zigbee2mqtt/h000/sos", PRESS);
    let status = district.gateway.wait_for_end();
    assert_eq!(status.code(), Some(1));
    let log = district.gateway.log();
    let last = log.lines().last().unwrap_or_default().to_owned();
    assert!(last.starts_with("hearthwatch leaves: keeper t has stopped: "), "{last}");
    assert!(district.receiver.requests().is_empty(), "nothing is told of what was not written");
    // The press was not acknowledged, so the broker has it still.
    district.gateway.start();
    district.receiver.wait_for(1, SOON);
    assert_eq!(district.gateway.past().alarms.len(), 1);
}
