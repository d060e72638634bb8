//! The rules of the day: what is fine for a while and a need when it lasts. One home, and ladders that repeat once a day.

use super::scene::Scene;
use super::story_of_silence as story;
use crate::engine::kind::AlarmKind;

#[test]
fn a_long_stay_in_the_bathroom_is_checked_and_then_alarmed() {
    story(
        "
        06:00:00 register device:h1:h1/bathroom
        06:30:00 h1/bathroom presence=false
        06:30:00 h1/motion motion=true!
        07:00:00 h1/bathroom presence=true
        07:10:00 h1/bathroom motion=true!
          07:45:00 bathroom_check#1 raised in h1: lasted 00:45:00
          07:45:00 bathroom_check#1 calls rung 0.0 until 1d 07:45:00
          08:15:00 bathroom_check#1 closed by itself
          08:15:00 bathroom#2 raised in h1: lasted 01:15:00
          08:15:00 bathroom#2 calls rung 1.0 until 1d 08:15:00
          08:15:00 -> desk: bathroom#2 n1 rung 1.0
        08:20:00 zhang seen
          bathroom#2 taken by zhang until 08:35:00
          -> desk: bathroom#2 n2 taken by zhang
          08:35:00 bathroom#2 calls rung 1.0 until 1d 08:35:00
          08:35:00 -> desk: bathroom#2 n3 rung 1.0
        09:00:00 h1/motion motion=true!
          bathroom#2 over
    ",
    );
}

#[test]
fn who_leaves_the_bathroom_in_time_is_not_asked_after() {
    story(
        "
        06:00:00 register device:h1:h1/bathroom
        06:30:00 h1/bathroom presence=false
        06:30:00 h1/motion motion=true!
        07:00:00 h1/bathroom presence=true
        07:44:59 h1/motion motion=true!
        09:00:00 h1/bathroom presence=true
        09:30:00 h1/bathroom presence=false
        10:00:00 .
        10:00:01 h1/bathroom presence=true
          10:45:01 bathroom_check#1 raised in h1: lasted 00:45:00
          10:45:01 bathroom_check#1 calls rung 0.0 until 1d 10:45:01
        10:45:01 .
        10:46:00 h1/motion motion=true!
          bathroom_check#1 closed by itself
        11:00:00 .
    ",
    );
}

#[test]
fn where_nothing_else_could_be_heard_the_bathroom_tells_nothing() {
    story(
        "
        06:00:00 register device:h1:h1/bathroom
        07:00:00 h1/bathroom presence=true
        10:00:00 .
    ",
    );
}

#[test]
fn who_was_found_well_in_the_bathroom_is_not_asked_again_for_it() {
    story(
        "
        06:00:00 register device:h1:h1/bathroom
        06:30:00 h1/bathroom presence=false
        06:30:00 h1/motion motion=true!
        07:00:00 h1/bathroom presence=true
          07:45:00 bathroom_check#1 raised in h1: lasted 00:45:00
          07:45:00 bathroom_check#1 calls rung 0.0 until 1d 07:45:00
          08:15:00 bathroom_check#1 closed by itself
          08:15:00 bathroom#2 raised in h1: lasted 01:15:00
          08:15:00 bathroom#2 calls rung 1.0 until 1d 08:15:00
          08:15:00 -> desk: bathroom#2 n1 rung 1.0
        08:16:00 zhang safe spoke
          bathroom#2 settled
          bathroom#2 over
          -> desk: bathroom#2 n2 taken by zhang
        08:16:10 zhang close
          bathroom#2 closed by zhang helped
          -> desk: bathroom#2 n3 closed helped
        11:00:00 .
    ",
    );
}

/// A home whose person stirs every half hour by day, but for a stay in the bathroom from 12:05 on that looks so many minutes long: a sensor of
/// motion sees them come, and sees nobody leave.
fn washes_daily(days: u64, minutes: u64) -> Scene {
    const MINUTE: u64 = 60_000;
    let noon = 12 * 60 + 5;
    let mut scene = Scene::calm(6 * 60 * MINUTE);
    scene.happens("register device:h1:h1/bathroom");
    for day in 0..=days {
        let mut says = |minute: u64, what: &str| {
            scene.advance((day * 24 * 60 + minute) * MINUTE);
            scene.happens(what);
        };
        (14..24).for_each(|half| says(half * 30, "h1/motion motion=true!"));
        says(noon, "h1/bathroom motion=true!");
        if day < days {
            says(noon + minutes, "h1/motion motion=true!");
            let rest = (25..46).map(|half| half * 30).filter(|minute| *minute > noon + minutes);
            rest.for_each(|minute| says(minute, "h1/motion motion=true!"));
        }
    }
    scene
}

#[test]
fn a_sensor_of_motion_tells_of_a_stay_what_the_home_s_past_bears_out() {
    let cases = [
        // While a home settles in, nobody knows whether leaving is seen.
        (5, 20, None, None),
        (12, 20, Some(45), Some(75)),
        // Longer than ever is worth a check;
        (12, 58, Some(60), Some(75)),
        // and where what was no need has looked as long as one, there is no alarm.
        (12, 78, Some(80), None),
        (12, 240, Some(240), None),
    ];
    for (days, minutes, check, alarm) in cases {
        let mut scene = washes_daily(days, minutes);
        let from = days * 24 * 60 + 12 * 60 + 5;
        let mut raised = [None, None];
        for minute in 0..=250 {
            scene.advance((from + minute) * 60_000);
            for (kind, at) in [AlarmKind::BathroomCheck, AlarmKind::Bathroom].into_iter().zip(&mut raised) {
                *at = at.or(scene.core.homes[0].state.alarm(kind).map(|_| minute));
            }
        }
        assert_eq!(raised, [check, alarm], "after {days} days with stays of {minutes} minutes");
    }
}

#[test]
fn a_restart_does_not_forget_a_stay_and_our_absence_is_none() {
    story(
        "
        06:00:00 register device:h1:h1/bathroom
        06:30:00 h1/bathroom presence=false
        06:30:00 h1/motion motion=true!
        07:00:00 h1/bathroom presence=true
        07:05:00 kill
        07:15:00 start
          started, epoch 2
        07:15:00 link up
          hearing, lost 600 s
        07:54:59 .
          07:55:00 bathroom_check#1 raised in h1: lasted 00:45:00
          07:55:00 bathroom_check#1 calls rung 0.0 until 1d 07:55:00
        07:56:00 h1/motion motion=true!
          bathroom_check#1 closed by itself
    ",
    );
}

#[test]
fn a_fall_that_may_have_been_one_is_checked_and_calls_where_nobody_moves() {
    story(
        "
        06:00:00 register device:h1:h1/radar
        06:10:00 h1/radar motion=true!
        07:00:00 h1/radar fall_warning=true
          fall_check#1 raised in h1: lasted 00:00:00
          fall_check#1 calls rung 0.0 until 1d 07:00:00
        07:00:20 h1/radar presence=true
          07:01:00 fall_check#1 closed by itself
          07:01:00 fall_still#2 raised in h1: lasted 00:01:00
          07:01:00 fall_still#2 calls rung 1.0 until 1d 07:01:00
          07:01:00 -> desk: fall_still#2 n1 rung 1.0
        07:02:00 zhang seen
          fall_still#2 taken by zhang until 07:05:00
          -> desk: fall_still#2 n2 taken by zhang
        07:03:00 h1/radar motion=true!
          fall_still#2 over
    ",
    );
}

#[test]
fn who_gets_up_again_has_been_checked_and_no_more() {
    story(
        "
        06:00:00 register device:h1:h1/radar
        06:10:00 h1/radar motion=true!
        07:00:00 h1/radar fall_warning=true
          fall_check#1 raised in h1: lasted 00:00:00
          fall_check#1 calls rung 0.0 until 1d 07:00:00
        07:00:59 h1/radar motion=true!
          fall_check#1 closed by itself
        07:05:00 h1/radar fall_warning=false
        07:10:00 h1/radar fall_warning=true
          fall_check#2 raised in h1: lasted 00:00:00
          fall_check#2 calls rung 0.0 until 1d 07:10:00
        07:10:30 h1/radar fall_warning=false
          fall_check#2 closed by itself
        07:20:00 .
    ",
    );
}

#[test]
fn a_radar_in_a_room_where_no_movement_is_told_only_checks() {
    story(
        "
        06:00:00 register device:h1:h1/radar
        06:10:00 h1/motion motion=true!
        07:00:00 h1/radar fall_warning=true
          fall_check#1 raised in h1: lasted 00:00:00
          fall_check#1 calls rung 0.0 until 1d 07:00:00
        07:30:00 .
    ",
    );
}

/// What is raised within so many hours of six in the morning, and after how many minutes; the meter shows so many litres more in each part of
/// `every` minutes, and somebody stirs each half hour for so many hours.
fn metered(hours: u64, every: u64, uses: impl Fn(u64) -> f64, stirs: u64) -> Vec<(AlarmKind, u64)> {
    let mut scene = Scene::calm(6 * 3_600_000);
    scene.happens("register device:h1:h1/meter");
    let (mut litres, mut raised) = (1_000.0, Vec::new());
    for minute in 0..hours * 60 {
        scene.advance((6 * 60 + minute) * 60_000);
        if minute.is_multiple_of(30) && minute < stirs * 60 {
            scene.happens("h1/motion motion=true!");
        }
        if minute.is_multiple_of(every) {
            litres += uses(minute);
            scene.happens(&format!("h1/meter water_volume={litres}"));
        }
        for kind in [AlarmKind::NoWater, AlarmKind::NoWaterCheck, AlarmKind::WaterRunning] {
            let open = scene.core.homes[0].state.alarm(kind).is_some();
            if open && raised.iter().all(|(known, _)| *known != kind) {
                raised.push((kind, minute));
            }
        }
    }
    raised
}

#[test]
fn a_water_meter_tells_of_no_use_and_of_use_without_end() {
    use AlarmKind::{NoWater, NoWaterCheck, WaterRunning};
    let day = 24 * 60;
    let by_hand = |minute: u64| if minute.is_multiple_of(60) && minute % day < 15 * 60 { 6.0 } else { 0.0 };
    assert_eq!(metered(50, 10, by_hand, 50), []);
    // A tap that drips is none; somebody is there all the same.
    assert_eq!(metered(30, 10, |_| 0.05, 30), [(NoWaterCheck, day)]);
    assert_eq!(metered(30, 10, |_| 0.07, 30), [], "ten litres in 24 hours");
    // Nobody has stirred for longer than the home's limit, either: that is the second sign.
    assert_eq!(metered(30, 10, |_| 0.0, 12), [(NoWater, day)]);
    // A meter that is read once a day lists, and no more.
    assert_eq!(metered(30, day, |_| 0.0, 12), [(NoWaterCheck, day)]);
    assert_eq!(metered(3, 10, |_| 20.0, 3), [(WaterRunning, 120)]);
    assert_eq!(metered(3, 10, |minute| if minute == 110 { 0.0 } else { 20.0 }, 3), []);
    assert_eq!(metered(5, 40, |_| 90.0, 5), [], "nobody knows what was between two words so far apart");
}

#[test]
fn who_goes_out_at_night_and_does_not_come_back_is_looked_for() {
    story(
        "
        22:00:00 register rules:h1:wandering_s=1200
        22:00:00 h1/motion motion=true!
        22:58:00 h1/door contact=open
        22:58:00 h1/door contact=closed
        22:59:59 h1/motion motion=true!
        25:00:00 h1/door contact=open!
        25:00:20 h1/door contact=closed!
        25:20:19 .
          1d 01:20:20 wandering#1 raised in h1: lasted 00:20:00
          1d 01:20:20 wandering#1 calls rung 1.0 until 2d 01:20:20
          1d 01:20:20 -> desk: wandering#1 n1 rung 1.0
        25:21:00 h1/door contact=open!
          wandering#1 over
        25:21:30 h1/motion motion=true!
        29:00:00 h1/door contact=open!
        29:30:00 .
    ",
    );
}

#[test]
fn who_leaves_the_bed_at_night_and_is_still_then_is_asked_after() {
    story(
        "
        22:30:00 h1/bed bed=false
        22:40:00 h1/bed bed=true
        26:00:00 h1/bed bed=false
        26:05:00 h1/motion motion=true!
        26:49:59 .
          1d 02:50:00 bed_left#1 raised in h1: lasted 00:45:00
          1d 02:50:00 bed_left#1 calls rung 1.0 until 2d 02:50:00
          1d 02:50:00 -> desk: bed_left#1 n1 rung 1.0
        26:51:00 h1/bed bed=true
          bed_left#1 over
        29:20:00 h1/bed bed=false
        31:00:00 .
    ",
    );
}

#[test]
fn a_door_that_stays_open_is_told_where_the_plan_says_so() {
    story(
        "
        08:00:00 h1/door contact=closed
        08:00:10 h1/door contact=open
        10:00:00 register rules:h1:door_open_s=900
          door_open#1 raised in h1: lasted 01:59:50
          door_open#1 calls rung 1.0 until 1d 10:00:00
          -> desk: door_open#1 n1 rung 1.0
        10:00:00 h1/door contact=closed
          door_open#1 over
        11:00:00 h1/door contact=open
        11:00:30 h1/motion motion=true!
        11:14:59 .
          11:15:00 door_open#1 counted, events 2
        11:20:00 h1/door contact=closed
          door_open#1 over
        12:00:00 .
    ",
    );
}

#[test]
fn cold_and_heat_are_listed_and_then_alarmed_after_two_hours() {
    story(
        "
        08:00:00 h1/motion temperature=12
        08:00:00 h1/motion motion=true!
        08:30:00 h1/motion temperature=8.9
        09:30:00 h1/motion temperature=9.0
        09:31:00 h1/motion temperature=8.5
        11:00:00 h1/motion temperature=4.9
        11:30:30 .
          11:31:00 cold_check#1 raised in h1: lasted 02:00:00
          11:31:00 cold_check#1 calls rung 0.0 until 1d 11:31:00
        12:00:00 h1/motion motion=true!
          13:00:00 cold_check#1 closed by itself
          13:00:00 cold#2 raised in h1: lasted 02:00:00
          13:00:00 cold#2 calls rung 1.0 until 1d 13:00:00
          13:00:00 -> desk: cold#2 n1 rung 1.0
        13:00:01 .
        13:10:00 h1/motion temperature=5.0
          cold#2 over
        13:20:00 h1/motion temperature=15
        13:30:00 h1/motion temperature=31.9
        13:31:00 h1/motion temperature=35
          15:31:00 heat#3 raised in h1: lasted 02:00:00
          15:31:00 heat#3 calls rung 1.0 until 1d 15:31:00
          15:31:00 -> desk: heat#3 n1 rung 1.0
        15:31:01 .
        15:32:00 h1/fridge temperature=2
        18:00:00 h1/motion motion=true!
    ",
    );
}

#[test]
fn a_bound_is_passed_at_its_very_value() {
    let over = |degrees: &str, kind| {
        let mut scene = Scene::calm(36_000_000);
        scene.happens(&format!("h1/motion temperature={degrees}"));
        scene.advance(36_000_000 + 7_200_000);
        scene.core.homes[0].state.alarm(kind).is_some()
    };
    for (degrees, kind, expected) in [
        ("9", AlarmKind::ColdCheck, false),
        ("8.99", AlarmKind::ColdCheck, true),
        ("5", AlarmKind::Cold, false),
        ("4.99", AlarmKind::Cold, true),
        ("31.99", AlarmKind::HeatCheck, false),
        ("32", AlarmKind::HeatCheck, true),
        ("34.99", AlarmKind::Heat, false),
        ("35", AlarmKind::Heat, true),
    ] {
        assert_eq!(over(degrees, kind), expected, "{degrees} {kind}");
    }
}

#[test]
fn vital_signs_are_nobody_s_matter_unless_a_plan_says_so() {
    story(
        "
        06:00:00 h1/motion motion=true!
        06:00:10 h1/bed heart_rate=180
        06:10:00 register rules:h1:vital_s=120
        06:10:10 h1/bed heart_rate=150
        06:11:00 h1/bed heart_rate=0 respiratory_rate=16
        06:12:00 h1/bed heart_rate=72
        06:13:00 h1/bed respiratory_rate=4
        06:14:00 h1/bed heart_rate=70
          06:15:00 vital_signs#1 raised in h1: lasted 00:02:00
          06:15:00 vital_signs#1 calls rung 1.0 until 1d 06:15:00
          06:15:00 -> desk: vital_signs#1 n1 rung 1.0
        06:16:00 h1/bed respiratory_rate=14
          vital_signs#1 over
        06:17:00 .
    ",
    );
}

#[test]
fn of_who_cannot_leave_the_bed_only_what_stirs_elsewhere_tells_anything() {
    story(
        "
        06:00:00 register rules:h1:bedroom_tells=0 device:h1:h1/bedroom
        06:30:00 h1/motion motion=true!
        10:00:00 h1/bedroom motion=true!
        10:00:00 h1/bed bed=true
        12:00:00 h1/bed bed=false
          14:54:00 inactivity_check#1 raised in h1: cap, silent 08:24:00
          14:54:00 inactivity_check#1 calls rung 0.0 until 1d 14:54:00
          18:30:00 inactivity_check#1 closed by itself
          18:30:00 inactivity#2 raised in h1: cap, silent 12:00:00
          18:30:00 inactivity#2 calls rung 1.0 until 1d 18:30:00
          18:30:00 -> desk: inactivity#2 n1 rung 1.0
        18:30:00 .
        18:31:00 h1/bedroom motion=true!
        18:32:00 h1/button sos=true!
          sos#3 raised in h1: said sos
          sos#3 calls rung 1.0 until 1d 18:32:00
          inactivity#2 over
          -> desk: sos#3 n1 rung 1.0
    ",
    );
}
