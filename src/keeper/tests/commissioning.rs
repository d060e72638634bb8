//! An installer's visit: the test window of a home, and devices that were heard before anybody knew whose they are.

use super::scene::Scene;
use super::{play, story};
use crate::engine::home::health::Need;

/// The usual site, with h1's button known to be there for calls.
fn with_a_life_button(now: u64) -> Scene {
    let mut scene = Scene::usual(now);
    scene.happens("register life:h1:h1/button");
    scene.told.clear();
    scene
}

fn story_of_a_visit(text: &str) {
    play(text, with_a_life_button);
}

#[test]
fn as_many_presses_as_were_announced_are_tests_and_one_more_is_real() {
    story_of_a_visit(
        "
        10:00:00 walk h1 open 10 1
          test window of installer until 10:10:00, 1 calls
        10:00:30 walk h1 sign
          refused: NotProven([\"h1/button\"])
        10:01:00 h1/motion motion=true
          h1/motion works
        10:01:30 h1/motion motion=false
        10:02:00 press
          h1/button works, called sos
          sos#1 raised in h1: said sos
          sos#1 closed by installer test
        10:02:02 press
          nothing: same_test_press
        10:03:00 press
          sos#2 raised in h1: said sos
          sos#2 calls rung 1.0 until 10:04:00
          -> desk: sos#2 n1 rung 1.0
          -> zhang: sos#2 n2 rung 1.0
        10:03:20 zhang seen
          sos#2 taken by zhang until 10:06:20
          -> desk: sos#2 n3 taken by zhang
          -> zhang: sos#2 n4 taken by zhang
        10:04:00 walk h1 sign
          test window closed by installer, signed
    ",
    );
}

#[test]
fn the_window_closes_by_itself_and_what_burns_then_is_no_test() {
    story_of_a_visit(
        "
        10:00:00 walk h1 open 5 2
          test window of installer until 10:05:00, 2 calls
        10:00:10 walk h1 open 5 2
          refused: Open
        10:01:00 h1/smoke smoke=true
          h1/smoke works, called smoke
          smoke#1 raised in h1: said smoke
          smoke#1 closed by installer test
        10:01:30 h1/smoke smoke=false
        10:02:00 h1/smoke smoke=true
          h1/smoke works, called smoke
          smoke#2 raised in h1: said smoke
          smoke#2 closed by installer test
          10:05:00 test window closed by itself
          10:05:00 smoke#3 raised in h1: found true smoke
          10:05:00 smoke#3 calls rung 1.0 until 10:06:00
          10:05:00 -> desk: smoke#3 n1 rung 1.0
          10:05:00 -> zhang: smoke#3 n2 rung 1.0
          10:06:00 smoke#3 calls rung 3.0 until 10:08:00
          10:06:00 -> deputy: smoke#3 n3 rung 3.0
        10:06:00 .
        10:06:10 walk h1 sign
          refused: NotOpen
        10:06:20 walk h9 open 5 1
          refused: NoSuchHome
    ",
    );
}

#[test]
fn a_window_ends_with_the_process_and_another_home_is_not_in_it() {
    story_of_a_visit(
        "
        10:00:00 walk h1 open 10 1
          test window of installer until 10:10:00, 1 calls
        10:00:30 h2/button sos=true!
          sos#1 raised in h2: said sos
          sos#1 calls rung 1.0 until 10:01:30
          -> desk: sos#1 n1 rung 1.0
          -> zhang: sos#1 n2 rung 1.0
        10:00:40 zhang seen
          sos#1 taken by zhang until 10:03:40
          -> desk: sos#1 n3 taken by zhang
          -> zhang: sos#1 n4 taken by zhang
        10:00:50 h1/smoke smoke=true
          h1/smoke works, called smoke
          smoke#2 raised in h1: said smoke
          smoke#2 closed by installer test
        10:01:00 kill
        10:01:10 start
          started, epoch 2
          test window closed by itself
          smoke#3 raised in h1: found true smoke
          smoke#3 calls rung 1.0 until 10:02:10
          -> desk: smoke#3 n1 rung 1.0
          -> zhang: smoke#3 n2 rung 1.0
        10:01:20 link up
          hearing, lost 20 s
        10:02:00 press
          sos#4 raised in h1: said sos
          sos#4 calls rung 1.0 until 10:03:00
          -> desk: sos#4 n1 rung 1.0
          -> zhang: sos#4 n2 rung 1.0
    ",
    );
}

#[test]
fn a_cover_that_is_opened_and_an_empty_battery_are_no_calls_of_a_button() {
    story_of_a_visit(
        "
        10:00:00 walk h1 open 10 1
          test window of installer until 10:10:00, 1 calls
        10:00:10 h1/button battery_low=true
          battery_low#1 raised in h1: said battery_low
          battery_low#1 calls rung 0.0 until 15:00:00
          h1/button works
        10:00:20 h1/button tamper=true
          h1/button works
          tamper#2 raised in h1: said tamper
          tamper#2 closed by installer test
        10:00:30 walk h1 sign
          refused: NotProven([\"h1/button\"])
        10:01:00 press
          h1/button works, called sos
          sos#3 raised in h1: said sos
          sos#3 closed by installer test
        10:02:00 press
          sos#4 raised in h1: said sos
          sos#4 calls rung 1.0 until 10:03:00
          -> desk: sos#4 n1 rung 1.0
          -> zhang: sos#4 n2 rung 1.0
    ",
    );
}

#[test]
fn while_somebody_has_called_in_earnest_a_latched_repeat_is_no_test() {
    story_of_a_visit(
        "
        10:00:00 h1/button sos=true~
          sos#1 raised in h1: said sos
          sos#1 calls rung 1.0 until 10:01:00
          -> desk: sos#1 n1 rung 1.0
          -> zhang: sos#1 n2 rung 1.0
        10:00:20 zhang seen
          sos#1 taken by zhang until 10:03:20
          -> desk: sos#1 n3 taken by zhang
          -> zhang: sos#1 n4 taken by zhang
        10:01:00 walk h1 open 10 1
          test window of installer until 10:11:00, 1 calls
        10:01:30 h1/button sos=true~
          possible_press#2 raised in h1: latched repeat sos
          possible_press#2 calls rung 1.0 until 10:06:30
          h1/button works
          -> desk: possible_press#2 n1 rung 1.0
    ",
    );
}

#[test]
fn two_detectors_that_burn_when_the_window_closes_are_one_alarm() {
    story_of_a_visit(
        "
        10:00:00 walk h1 open 10 1
          test window of installer until 10:10:00, 1 calls
        10:01:00 h1/smoke smoke=true
          h1/smoke works, called smoke
          smoke#1 raised in h1: said smoke
          smoke#1 closed by installer test
        10:01:10 h1/smoke2 smoke=true
          h1/smoke2 works, called smoke
          smoke#2 raised in h1: said smoke
          smoke#2 closed by installer test
        10:02:00 walk h1 close
          test window closed by installer
          smoke#3 raised in h1: found true smoke
          smoke#3 calls rung 1.0 until 10:03:00
          -> desk: smoke#3 n1 rung 1.0
          -> zhang: smoke#3 n2 rung 1.0
    ",
    );
}

#[test]
fn on_a_full_disk_what_burns_when_the_window_closes_calls() {
    let mut scene = with_a_life_button(36_000_000);
    for line in ["walk h1 open 1 1", "h1/smoke smoke=true"] {
        scene.happens(line);
    }
    scene.core.due(true);
    assert!(scene.core.homes[0].state.walk.is_some());
    scene.advance(36_000_000 + 61_000);
    assert!(scene.core.homes[0].state.walk.is_none());
    assert!(scene.core.homes[0].state.alarms.iter().any(|a| a.kind.name() == "smoke"));
}

#[test]
fn an_unregistered_device_of_a_registered_home_takes_its_call_along() {
    story(
        "
        10:00:00 h1/pendant in=h1 sos=true!
          sos#1 raised in h1: said sos
          sos#1 calls rung 1.0 until 10:01:00
          -> desk: sos#1 n1 rung 1.0
          -> zhang: sos#1 n2 rung 1.0
        10:00:20 register device:h2:h1/pendant
          #1 leaves h1
          sos#1 joins h2
          sos#1 calls rung 1.0 until 10:01:20
          -> desk: sos#1 n3 rung 1.0
          -> zhang: sos#1 n4 rung 1.0
    ",
    );
}

#[test]
fn what_others_counted_too_calls_in_both_homes() {
    story(
        "
        10:00:00 h1/pendant in=h1 sos=true!
          sos#1 raised in h1: said sos
          sos#1 calls rung 1.0 until 10:01:00
          -> desk: sos#1 n1 rung 1.0
          -> zhang: sos#1 n2 rung 1.0
        10:00:10 press
          sos#1 counted, events 2
        10:00:20 register device:h2:h1/pendant
          sos#2 raised in h2: said sos late 20 s
          sos#2 calls rung 1.0 until 10:01:20
          -> desk: sos#2 n1 rung 1.0 late 20 s
          -> zhang: sos#2 n2 rung 1.0 late 20 s
    ",
    );
}

#[test]
fn a_device_that_finds_its_home_brings_its_alarm_and_its_people_are_told() {
    story(
        "
        10:00:00 x/pendant sos=true!
          pseudo-home unclaimed/z2m/x/pendant
          sos#1 raised in unclaimed/z2m/x/pendant: said sos
          sos#1 calls rung 1.0 until 10:01:00
          -> desk: sos#1 n1 rung 1.0
          -> zhang: sos#1 n2 rung 1.0
        10:00:20 register device:h2:x/pendant
          #1 leaves unclaimed/z2m/x/pendant
          sos#1 joins h2
          sos#1 calls rung 1.0 until 10:01:20
          -> desk: sos#1 n3 rung 1.0
          -> zhang: sos#1 n4 rung 1.0
        10:00:40 x/pendant sos=true!
          sos#1 counted, events 2
        10:00:50 zhang seen
          sos#1 taken by zhang until 10:03:50
          -> desk: sos#1 n5 taken by zhang
          -> zhang: sos#1 n6 taken by zhang
    ",
    );
}

#[test]
fn where_the_home_calls_already_one_alarm_counts_for_both() {
    story(
        "
        10:00:00 press
          sos#1 raised in h1: said sos
          sos#1 calls rung 1.0 until 10:01:00
          -> desk: sos#1 n1 rung 1.0
          -> zhang: sos#1 n2 rung 1.0
        10:00:10 x/pendant sos=true!
          pseudo-home unclaimed/z2m/x/pendant
          sos#2 raised in unclaimed/z2m/x/pendant: said sos
          sos#2 calls rung 1.0 until 10:01:10
          -> desk: sos#2 n1 rung 1.0
          -> zhang: sos#2 n2 rung 1.0
        10:00:20 register device:h1:x/pendant
          sos#2 closed by itself
          sos#1 counted, events 2
          -> desk: sos#2 n3 closed by itself
          -> zhang: sos#2 n4 closed by itself
    ",
    );
}

#[test]
fn what_was_heard_before_is_history_and_calls_nobody() {
    let mut scene = Scene::usual(36_000_000);
    scene.happens("h1/motion motion=true");
    scene.told.clear();
    scene.advance(40_000_000);
    for line in ["recall h1/button at=10:30:00 sos=true!", "recall h1/smoke at=10:31:00 smoke=true"] {
        scene.happens(line);
    }
    assert_eq!(scene.told, Vec::<String>::new());
    let home = &scene.core.homes[0].state;
    assert_eq!(
        (home.alarms.len(), home.activity.as_ref().unwrap().wall.0 % 86_400_000),
        (0, 9_000_000),
        "10:30 in Shanghai"
    );
}

#[test]
fn what_is_true_by_history_only_hides_nothing_that_is_said_now() {
    for (before, now) in
        [("smoke=true", "smoke=true"), ("smoke=true~", "smoke=true~"), ("smoke=true", "smoke=true retained")]
    {
        let mut scene = Scene::usual(36_000_000);
        scene.happens(&format!("recall h1/smoke at=09:50:00 {before}"));
        assert_eq!(scene.told, Vec::<String>::new());
        scene.happens(&format!("h1/smoke {now}"));
        assert!(scene.told[0].starts_with("smoke#1 raised in h1"), "{now}: {:?}", scene.told);
    }
    story(
        "
        10:00:00 recall h1/smoke at=09:50:00 smoke=true
        10:00:01 recall h1/button at=09:55:00 sos=true
        10:00:02 recall h1/button at=09:56:00 sos=true!
        10:01:00 h1/smoke smoke=true
          smoke#1 raised in h1: said smoke
          smoke#1 calls rung 1.0 until 10:02:00
          -> desk: smoke#1 n1 rung 1.0
          -> zhang: smoke#1 n2 rung 1.0
        10:01:10 h1/smoke smoke=true
          nothing: still_true
        10:01:20 recall h1/smoke at=09:58:00 smoke=false
        10:01:30 h1/smoke smoke=true
          nothing: still_true
        10:01:40 h1/button sos=true
          sos#2 raised in h1: said sos
          sos#2 calls rung 1.0 until 10:02:40
          -> desk: sos#2 n1 rung 1.0
          -> zhang: sos#2 n2 rung 1.0
        10:01:50 h1/smoke smoke=false
          smoke#1 over
          10:02:00 smoke#1 calls rung 3.0 until 10:04:00
          10:02:00 -> deputy: smoke#1 n3 rung 3.0
        10:02:00 kill
        10:02:01 start
          started, epoch 2
        10:02:10 recall h1/smoke2 at=10:01:00 smoke=true
        10:02:20 kill
        10:02:21 start
          started, epoch 3
        10:02:30 h1/smoke2 smoke=true
          smoke#1 counted, events 2
    ",
    );
}

#[test]
fn a_home_has_cover_while_a_button_is_proven() {
    let mut scene = with_a_life_button(36_000_000);
    let needs = |scene: &Scene| scene.core.homes[0].state.devices[0].view(scene.core.now()).needs;
    let cover = |scene: &Scene| scene.core.homes[0].state.has_sos_cover(scene.core.now());
    assert_eq!(needs(&scene), [Need::NeverHeard, Need::Unproven { since: None }]);
    assert!(!cover(&scene));
    scene.happens("h1/button battery=90");
    assert_eq!(needs(&scene), [Need::Unproven { since: None }], "it lives, and nobody has seen it call");
    scene.happens("walk h1 open 10 1");
    scene.happens("press");
    assert!(cover(&scene) && needs(&scene).is_empty());
    scene.happens("walk h1 sign");
    let day = 86_400_000;
    for n in 1..36 {
        scene.advance(36_000_000 + n * day);
        scene.happens(&format!("h1/button battery={}", 90 - n));
        assert!(cover(&scene), "day {n}");
    }
    scene.advance(36_000_000 + 36 * day);
    scene.happens("h1/button battery=54");
    assert!(!cover(&scene), "unproven after 35 days");
    let [Need::Unproven { .. }] = &needs(&scene)[..] else { panic!("{:?}", needs(&scene)) };
    // From 89 % on day 1 by one a day.
    let view = scene.core.homes[0].state.devices[0].view(scene.core.now());
    assert_eq!((view.battery, view.days_left, view.rhythm_s), (Some(54.0), Some(54), Some(86_400)));
    scene.happens("h1/smoke smoke=true");
    assert!(!cover(&scene), "a smoke detector that works is nobody's button");
    scene.advance(36_000_000 + 40 * day);
    scene.happens("h2/motion motion=true");
    assert!(matches!(&needs(&scene)[..], [Need::Lost { .. }, Need::Unproven { .. }]), "{:?}", needs(&scene));
}

#[test]
fn a_call_of_long_ago_proves_no_button_today() {
    let day = 86_400_000;
    let mut scene = with_a_life_button(40 * day + 36_000_000);
    scene.happens("recall h1/button at=10:30:00 sos=true!");
    let view = scene.core.homes[0].state.devices[0].view(scene.core.now());
    assert_eq!(view.called.map(|then| scene.core.now().wall.since(then).0 / day), Some(39));
    assert!(!scene.core.homes[0].state.has_sos_cover(scene.core.now()));
}
