//! Away, hospital, repair: who is told changes, whether there is an alarm does not.

use super::scene::Scene;
use super::story_of_silence as story;
use crate::engine::home::suppression::hidden_by;
use crate::engine::kind::AlarmKind;

#[test]
fn of_who_is_away_nobody_is_told_until_the_time_is_over() {
    story(
        "
        06:00:00 h1/motion motion=true!
        08:00:00 suppress h1 away 56:00:00
          h1 is away until 2d 08:00:00
          14:24:00 inactivity_check#1 raised in h1: cap, silent 08:24:00
          14:24:00 inactivity_check#1 calls rung 0.0 until 1d 14:24:00
          18:00:00 inactivity_check#1 closed by itself
          18:00:00 inactivity#2 raised in h1: cap, silent 12:00:00
          18:00:00 inactivity#2 calls rung 0.0 until 1d 18:00:00
        20:00:00 .
          1d 18:00:00 inactivity#2 calls rung 0.0 until 2d 18:00:00
          1d 20:00:00 suppression_check#3 raised in h1: away
          1d 20:00:00 suppression_check#3 calls rung 0.0 until 2d 20:00:00
          2d 08:00:00 suppression_check#3 closed by itself
          2d 08:00:00 h1 away ended by itself, hid 2
          2d 08:00:00 inactivity#2 calls rung 1.0 until 3d 08:00:00
          2d 08:00:00 -> desk: inactivity#2 n1 rung 1.0
        60:00:00 .
    ",
    );
}

#[test]
fn who_is_said_to_be_back_is_watched_anew() {
    story(
        "
        06:00:00 h1/motion motion=true!
        08:00:00 suppress h1 hospital 56:00:00
          h1 is hospital until 2d 08:00:00
          14:24:00 inactivity_check#1 raised in h1: cap, silent 08:24:00
          14:24:00 inactivity_check#1 calls rung 0.0 until 1d 14:24:00
          18:00:00 inactivity_check#1 closed by itself
          18:00:00 inactivity#2 raised in h1: cap, silent 12:00:00
          18:00:00 inactivity#2 calls rung 0.0 until 1d 18:00:00
        30:00:00 suppress h1 hospital over
          inactivity#2 closed by itself
          h1 hospital ended by desk, hid 2
          1d 14:24:00 inactivity_check#3 raised in h1: cap, silent 08:24:00
          1d 14:24:00 inactivity_check#3 calls rung 0.0 until 2d 14:24:00
          1d 18:00:00 inactivity_check#3 closed by itself
          1d 18:00:00 inactivity#4 raised in h1: cap, silent 12:00:00
          1d 18:00:00 inactivity#4 calls rung 1.0 until 2d 18:00:00
          1d 18:00:00 -> desk: inactivity#4 n1 rung 1.0
        42:00:00 .
    ",
    );
}

#[test]
fn a_call_for_help_and_a_fire_are_never_hidden() {
    story(
        "
        06:00:00 h1/motion motion=true!
        06:10:00 suppress h1 away 56:00:00
          h1 is away until 2d 08:00:00
        08:00:00 h1/button sos=true!
          sos#1 raised in h1: said sos
          sos#1 calls rung 1.0 until 1d 08:00:00
          -> desk: sos#1 n1 rung 1.0
        08:00:01 h1/smoke smoke=true
          smoke#2 raised in h1: said smoke
          smoke#2 calls rung 1.0 until 1d 08:00:01
          -> desk: smoke#2 n1 rung 1.0
        08:00:02 h1/smoke water_leak=true
          leak#3 raised in h1: said water_leak
          leak#3 calls rung 0.0 until 1d 08:00:02
    ",
    );
}

#[test]
fn whoever_stirs_in_a_home_whose_people_are_away_is_asked_after_and_ends_nothing() {
    story(
        "
        06:00:00 h1/motion motion=true!
        06:10:00 suppress h1 away 56:00:00
          h1 is away until 2d 08:00:00
        06:40:00 h1/motion motion=true!
        09:00:00 h1/motion motion=true!
          back_check#1 raised in h1: away
          back_check#1 calls rung 0.0 until 1d 09:00:00
        09:20:00 h1/door contact=open!
        09:21:00 desk close #1
          back_check#1 closed by desk helped
        09:40:00 h1/motion motion=true!
        15:00:00 h1/motion motion=true!
          back_check#2 raised in h1: away
          back_check#2 calls rung 0.0 until 1d 15:00:00
          23:24:00 inactivity_check#3 raised in h1: cap, silent 08:24:00
          23:24:00 inactivity_check#3 calls rung 0.0 until 1d 23:24:00
          1d 03:00:00 inactivity_check#3 closed by itself
          1d 03:00:00 inactivity#4 raised in h1: cap, silent 12:00:00
          1d 03:00:00 inactivity#4 calls rung 0.0 until 2d 03:00:00
        30:00:00 .
    ",
    );
}

#[test]
fn every_three_days_and_before_the_end_somebody_is_asked_whether_it_holds() {
    story(
        "
        06:00:00 suppress h1 hospital 246:00:00
          h1 is hospital until 10d 06:00:00
          14:24:00 inactivity_check#1 raised in h1: cap, silent 08:24:00
          14:24:00 inactivity_check#1 calls rung 0.0 until 1d 14:24:00
          18:00:00 inactivity_check#1 closed by itself
          18:00:00 inactivity#2 raised in h1: cap, silent 12:00:00
          18:00:00 inactivity#2 calls rung 0.0 until 1d 18:00:00
          1d 18:00:00 inactivity#2 calls rung 0.0 until 2d 18:00:00
          2d 18:00:00 inactivity#2 calls rung 0.0 until 3d 18:00:00
          3d 06:00:00 suppression_check#3 raised in h1: hospital
          3d 06:00:00 suppression_check#3 calls rung 0.0 until 4d 06:00:00
        80:00:00 suppress h1 hospital 126:00:00
          suppression_check#3 closed by itself
          h1 is hospital until 5d 06:00:00
          3d 18:00:00 inactivity#2 calls rung 0.0 until 4d 18:00:00
          4d 06:00:00 suppression_check#4 raised in h1: hospital
          4d 06:00:00 suppression_check#4 calls rung 0.0 until 5d 06:00:00
          4d 18:00:00 inactivity#2 calls rung 0.0 until 5d 18:00:00
        120:00:00 .
          5d 06:00:00 suppression_check#4 closed by itself
          5d 06:00:00 h1 hospital ended by itself, hid 2
          5d 06:00:00 inactivity#2 calls rung 1.0 until 6d 06:00:00
          5d 06:00:00 -> desk: inactivity#2 n1 rung 1.0
        130:00:00 .
    ",
    );
}

#[test]
fn an_alarm_that_calls_already_calls_no_more_and_again_when_nobody_has_come_back() {
    story(
        "
        06:00:00 h1/motion motion=true!
        06:00:00 channel desk hangs
          14:24:00 inactivity_check#1 raised in h1: cap, silent 08:24:00
          14:24:00 inactivity_check#1 calls rung 0.0 until 1d 14:24:00
          18:00:00 inactivity_check#1 closed by itself
          18:00:00 inactivity#2 raised in h1: cap, silent 12:00:00
          18:00:00 inactivity#2 calls rung 1.0 until 1d 18:00:00
          18:00:00 -> desk: inactivity#2 n1 rung 1.0
        18:30:00 suppress h1 hospital 20:00:00
          h1 is hospital until 20:00:00
          inactivity#2 calls rung 0.0 until 1d 18:30:00
          #2-n1 withdrawn
        18:30:01 answer 2-n1 timed_out
          #2-n1 try 1 timed_out, no more
          19:37:30 suppression_check#3 raised in h1: hospital
          19:37:30 suppression_check#3 calls rung 0.0 until 1d 19:37:30
          20:00:00 suppression_check#3 closed by itself
          20:00:00 h1 hospital ended by itself, hid 0
          20:00:00 inactivity#2 calls rung 1.0 until 1d 20:00:00
          20:00:00 -> desk: inactivity#2 n2 rung 1.0
        21:00:00 .
    ",
    );
}

#[test]
fn while_devices_are_repaired_nobody_is_told_of_them_and_of_people_all_the_same() {
    story(
        "
        06:00:00 h1/motion motion=true!
        06:00:00 suppress h1 repair 08:00:00
          h1 is repair until 08:00:00
        06:10:00 h1/button battery_low=true
          battery_low#1 raised in h1: said battery_low
          battery_low#1 calls rung 0.0 until 09:00:00
        06:20:00 h1/smoke tamper=true
          tamper#2 raised in h1: said tamper
          tamper#2 calls rung 0.0 until 09:00:00
        06:30:00 h1/smoke tamper=false
          tamper#2 closed by itself
        06:40:00 h1/button sos=true!
          sos#3 raised in h1: said sos
          sos#3 calls rung 1.0 until 1d 06:40:00
          -> desk: sos#3 n1 rung 1.0
          07:30:00 suppression_check#4 raised in h1: repair
          07:30:00 suppression_check#4 calls rung 0.0 until 1d 07:30:00
          08:00:00 suppression_check#4 closed by itself
          08:00:00 h1 repair ended by itself, hid 2
        08:00:00 .
    ",
    );
}

#[test]
fn an_order_that_does_not_fit_changes_nothing() {
    story(
        "
        06:00:00 suppress h1 away 05:59:59
          refused: BadEnd
        06:00:00 suppress h1 away 2400:00:00
          refused: BadEnd
        06:00:00 suppress h1 away over
          refused: NotSet
        06:00:00 suppress nowhere away 08:00:00
          refused: NoSuchHome
    ",
    );
}

#[test]
fn what_was_silent_during_an_absence_is_no_example_to_learn_from() {
    const HOUR: u64 = 3_600_000;
    let longest = |away: bool| {
        let mut scene = Scene::calm(6 * HOUR);
        for day in 0..14 {
            for hour in 7..22 {
                let at = day * 24 + hour;
                let gone = day == 9 && (9..20).contains(&hour);
                scene.advance(at * HOUR);
                if day == 9 && hour == 9 && away {
                    scene.happens(&format!("suppress h1 away {}:00:00", at + 20));
                }
                if day == 9 && hour == 20 && away {
                    scene.happens("suppress h1 away over");
                }
                if !gone {
                    scene.happens("h1/motion motion=true!");
                }
            }
        }
        let limits = &scene.core.homes[0].state.learnt.limits;
        (0..96).filter_map(|slot| limits.alarm_after(slot)).max()
    };
    assert!(longest(true).is_some());
    assert!(
        longest(true) < longest(false),
        "{:?}, and where nobody called it an absence {:?}",
        longest(true),
        longest(false)
    );
}

#[test]
fn whoever_is_in_hospital_is_still_away_when_an_absence_before_it_is_ended() {
    story(
        "
        06:00:00 h1/motion motion=true!
        08:00:00 suppress h1 away 30:00:00
          h1 is away until 1d 06:00:00
        09:00:00 suppress h1 hospital 22:00:00
          h1 is hospital until 22:00:00
          14:24:00 inactivity_check#1 raised in h1: cap, silent 08:24:00
          14:24:00 inactivity_check#1 calls rung 0.0 until 1d 14:24:00
          18:00:00 inactivity_check#1 closed by itself
          18:00:00 inactivity#2 raised in h1: cap, silent 12:00:00
          18:00:00 inactivity#2 calls rung 0.0 until 1d 18:00:00
          18:45:00 suppression_check#3 raised in h1: hospital
          18:45:00 suppression_check#3 calls rung 0.0 until 1d 18:45:00
        19:00:00 suppress h1 away over
          h1 away ended by desk, hid 2
          22:00:00 suppression_check#3 closed by itself
          22:00:00 h1 hospital ended by itself, hid 2
          22:00:00 inactivity#2 calls rung 1.0 until 1d 22:00:00
          22:00:00 -> desk: inactivity#2 n1 rung 1.0
        22:00:00 .
    ",
    );
}

#[test]
fn a_clock_that_was_wrong_when_it_was_said_hides_for_no_longer() {
    story(
        "
        06:00:00 h1/motion motion=true!
        06:10:00 wall -36000
        06:11:00 suppress h1 away 20:00:00
          h1 is away until 20:00:00
        06:12:00 wall 36000
          10:00:00 h1 away ended by itself, hid 0
          14:24:00 inactivity_check#1 raised in h1: cap, silent 08:24:00
          14:24:00 inactivity_check#1 calls rung 0.0 until 1d 14:24:00
          18:00:00 inactivity_check#1 closed by itself
          18:00:00 inactivity#2 raised in h1: cap, silent 12:00:00
          18:00:00 inactivity#2 calls rung 1.0 until 1d 18:00:00
          18:00:00 -> desk: inactivity#2 n1 rung 1.0
        21:00:00 .
    ",
    );
}

#[test]
fn a_home_whose_decisions_fail_while_its_people_are_away_is_told_of() {
    let mut scene = Scene::usual(8 * 3_600_000);
    scene.happens("suppress h1 away 20:00:00");
    scene.happens("looked h1 desk");
    assert_eq!(hidden_by(&scene.core.homes[0].state, AlarmKind::WelfareCheck, scene.core.now()), None);
    assert!(hidden_by(&scene.core.homes[0].state, AlarmKind::Inactivity, scene.core.now()).is_some());
}
