//! Visits that are owed: due at 16:00, missed at 17:30, by the calendar of the site. The stories begin on Friday, 2024-06-07.

use super::play;
use super::scene::Scene;

/// One home in which nobody can call for help, with rules that leave its silence alone for two days.
fn story(rules: &str, text: &str) {
    let setup = format!(
        "00:00:00 register rules:h1:inactivity_cap_s=172800,inactivity_night_cap_s=172800,inactivity_check_percent=0,{rules}\n"
    );
    let lines = || text.lines().filter(|line| !line.trim().is_empty());
    let indent = lines().map(|line| line.len() - line.trim_start().len()).min().unwrap_or(0);
    let rest: String = lines().map(|line| format!("{}\n", &line[indent..])).collect();
    play(&(setup + &rest), Scene::calm);
}

/// On which day what is told of visits, where that happens at noon of so many days; somebody stirs each morning.
fn told(rules: &str, days: u64, happens: &[&str]) -> Vec<String> {
    let mut scene = Scene::calm(0);
    scene.happens(&format!("register rules:h1:inactivity_check_percent=0,{rules}"));
    for day in 0..days {
        scene.advance(day * DAY_MS + DAY_MS / 3);
        scene.happens("h1/motion motion=true!");
        scene.advance(day * DAY_MS + DAY_MS / 2);
        let today = |line: &&str| line.starts_with(&format!("{day}d "));
        happens.iter().copied().filter(today).for_each(|line| scene.happens(line.split_once(' ').unwrap().1));
    }
    scene.advance(days * DAY_MS - 1);
    let raised = |line: &String| {
        let (time, rest) = line.split_once(" visit_")?;
        let day = time.split_once("d ").map_or("0", |(day, _)| day);
        rest.contains("raised").then(|| format!("{day} {}", rest.split('#').next().unwrap()))
    };
    scene.told.iter().filter_map(raised).collect()
}

const DAY_MS: u64 = 86_400_000;

#[test]
fn what_is_due_is_told_at_four_and_what_is_missed_at_half_past_five_where_nobody_can_call() {
    story(
        "online_visits_daily=1",
        "
        15:59:59 .
          16:00:00 visit_due#1 raised in h1: online
          16:00:00 visit_due#1 calls rung 0.0 until 1d 16:00:00
          17:30:00 visit_missed#2 raised in h1: online
          17:30:00 visit_missed#2 calls rung 1.0 until 1d 17:30:00
          17:30:00 -> desk: visit_missed#2 n1 rung 1.0
        18:30:00 visit h1 online Fine
          h1 looked after by zhang
          visit_due#1 closed by itself
          visit_missed#2 closed by itself
          -> desk: visit_missed#2 n2 closed by itself
          1d 16:00:00 visit_due#3 raised in h1: online
          1d 16:00:00 visit_due#3 calls rung 0.0 until 2d 16:00:00
        40:00:00 .
    ",
    );
}

#[test]
fn where_somebody_can_call_for_help_a_missed_visit_wakes_nobody() {
    story(
        "online_visits_daily=1",
        "
        00:00:01 register life:h1:h1/button
        00:00:02 walk h1 open 10 1
          test window of installer until 00:10:02, 1 calls
        00:00:03 h1/button sos=true!
          h1/button works, called sos
          sos#1 raised in h1: said sos
          sos#1 closed by installer test
        00:00:04 walk h1 close
          test window closed by installer
          16:00:00 visit_due#2 raised in h1: online
          16:00:00 visit_due#2 calls rung 0.0 until 1d 16:00:00
        23:00:00 .
          1d 00:00:00 visit_due#2 closed by itself
        24:00:01 .
    ",
    );
}

#[test]
fn a_visit_of_the_day_is_enough_and_who_was_at_the_door_need_not_call() {
    story(
        "online_visits_daily=1",
        "
        09:00:00 visit h1 online Fine
          h1 looked after by zhang
        33:00:00 visit h1 home Fine
          h1 looked after by zhang
        47:00:00 .
    ",
    );
}

#[test]
fn a_refusal_is_a_visit_no_answer_is_none_and_who_needs_help_gets_it() {
    story(
        "online_visits_daily=1",
        "
        10:00:00 visit h1 online NoAnswer
          h1 online visit by zhang: NoAnswer
        15:00:00 visit h1 online Refused
          h1 online visit by zhang: Refused
        15:10:00 visit h1 online back
          h1 online visit by zhang: taken back
        15:11:00 visit h1 online back
          h1 online visit by zhang: taken back
        15:12:00 visit h1 online back
          refused: NotTold
          16:00:00 visit_due#1 raised in h1: online
          16:00:00 visit_due#1 calls rung 0.0 until 1d 16:00:00
        16:30:00 visit h1 online NeedsHelp
          h1 online visit by zhang: NeedsHelp
          welfare_check#2 raised in h1: online NeedsHelp
          welfare_check#2 calls rung 1.0 until 1d 16:30:00
          visit_due#1 closed by itself
          -> desk: welfare_check#2 n1 rung 1.0
        16:40:00 zhang safe
          welfare_check#2 settled
          -> desk: welfare_check#2 n2 taken by zhang
        16:41:00 zhang close
          welfare_check#2 closed by zhang helped
          -> desk: welfare_check#2 n3 closed helped
    ",
    );
}

#[test]
fn what_is_taken_back_is_owed_again_and_told_again() {
    story(
        "online_visits_daily=1",
        "
          16:00:00 visit_due#1 raised in h1: online
          16:00:00 visit_due#1 calls rung 0.0 until 1d 16:00:00
        16:10:00 visit h1 online Fine
          h1 looked after by zhang
          visit_due#1 closed by itself
        16:12:00 visit h1 online back
          h1 online visit by zhang: taken back
          visit_due#2 raised in h1: online
          visit_due#2 calls rung 0.0 until 1d 16:12:00
          17:30:00 visit_missed#3 raised in h1: online
          17:30:00 visit_missed#3 calls rung 1.0 until 1d 17:30:00
          17:30:00 -> desk: visit_missed#3 n1 rung 1.0
        17:40:00 visit h1 online Fine
          h1 looked after by zhang
          visit_due#2 closed by itself
          visit_missed#3 closed by itself
          -> desk: visit_missed#3 n2 closed by itself
        17:45:00 visit h1 online back
          h1 online visit by zhang: taken back
          visit_due#4 raised in h1: online
          visit_due#4 calls rung 0.0 until 1d 17:45:00
          visit_missed#5 raised in h1: online
          visit_missed#5 calls rung 1.0 until 1d 17:45:00
          -> desk: visit_missed#5 n1 rung 1.0
    ",
    );
}

#[test]
fn over_restarts_each_is_told_once() {
    story(
        "online_visits_daily=1",
        "
        15:50:00 kill
        16:20:00 start
          started, epoch 2
          pseudo-home gateway/z
          outage#1 raised in gateway/z: 1 homes unheard, deaf
          outage#1 calls rung 0.0 until 1d 16:20:00
          visit_due#2 raised in h1: online
          visit_due#2 calls rung 0.0 until 1d 16:20:00
        16:30:00 kill
        16:40:00 start
          started, epoch 3
          17:30:00 visit_missed#3 raised in h1: online
          17:30:00 visit_missed#3 calls rung 1.0 until 1d 17:30:00
          17:30:00 -> desk: visit_missed#3 n1 rung 1.0
        17:40:00 kill
        17:50:00 start
          started, epoch 4
        18:00:00 visit h1 online Fine
          h1 looked after by zhang
          visit_due#2 closed by itself
          visit_missed#3 closed by itself
          -> desk: visit_missed#3 n2 closed by itself
        18:01:00 kill
        18:02:00 start
          started, epoch 5
    ",
    );
}

#[test]
fn a_clock_that_is_set_moves_no_visit_into_another_day_and_tells_nothing_twice() {
    story(
        "online_visits_daily=1",
        "
          16:00:00 visit_due#1 raised in h1: online
          16:00:00 visit_due#1 calls rung 0.0 until 1d 16:00:00
        16:10:00 wall -3600
        17:30:00 wall 3600
          17:35:00 visit_missed#2 raised in h1: online
          17:35:00 visit_missed#2 calls rung 1.0 until 1d 17:35:00
          17:35:00 -> desk: visit_missed#2 n1 rung 1.0
        18:00:00 visit h1 online Fine
          h1 looked after by zhang
          visit_due#1 closed by itself
          visit_missed#2 closed by itself
          -> desk: visit_missed#2 n2 closed by itself
        18:10:00 wall -86400
        20:00:00 wall 86400
    ",
    );
}

#[test]
fn who_is_in_hospital_is_owed_no_visit() {
    story(
        "online_visits_daily=1",
        "
        10:00:00 suppress h1 hospital 20:00:00
          h1 is hospital until 20:00:00
          17:30:00 suppression_check#1 raised in h1: hospital
          17:30:00 suppression_check#1 calls rung 0.0 until 1d 17:30:00
          20:00:00 suppression_check#1 closed by itself
          20:00:00 h1 hospital ended by itself, hid 0
          20:00:00 visit_due#2 raised in h1: online
          20:00:00 visit_due#2 calls rung 0.0 until 1d 20:00:00
          20:00:00 visit_missed#3 raised in h1: online
          20:00:00 visit_missed#3 calls rung 1.0 until 1d 20:00:00
          20:00:00 -> desk: visit_missed#3 n1 rung 1.0
        20:30:00 visit h1 online Fine
          h1 looked after by zhang
          visit_due#2 closed by itself
          visit_missed#3 closed by itself
          -> desk: visit_missed#3 n2 closed by itself
    ",
    );
}

#[test]
fn a_home_that_nobody_watches_is_owed_none() {
    story(
        "online_visits_daily=1",
        "
          16:00:00 visit_due#1 raised in h1: online
          16:00:00 visit_due#1 calls rung 0.0 until 1d 16:00:00
        16:30:00 register paused:h1
          visit_due#1 closed by itself
    ",
    );
}

#[test]
fn a_person_found_safe_was_visited() {
    story(
        "online_visits_daily=1",
        "
          16:00:00 visit_due#1 raised in h1: online
          16:00:00 visit_due#1 calls rung 0.0 until 1d 16:00:00
          17:30:00 visit_missed#2 raised in h1: online
          17:30:00 visit_missed#2 calls rung 1.0 until 1d 17:30:00
          17:30:00 -> desk: visit_missed#2 n1 rung 1.0
        17:40:00 zhang seen #2
          visit_missed#2 taken by zhang until 17:55:00
          -> desk: visit_missed#2 n2 taken by zhang
        17:45:00 zhang safe #2
          visit_missed#2 settled
          visit_due#1 closed by itself
        17:50:00 zhang close #2
          visit_missed#2 closed by zhang helped
          -> desk: visit_missed#2 n3 closed helped
    ",
    );
}

#[test]
fn in_a_cold_wave_every_home_is_owed_a_call_a_day_and_a_missed_one_is_told_wherever_it_is() {
    story(
        "home_visits_a_week=0",
        "
        00:00:01 register life:h1:h1/button
        00:00:02 walk h1 open 10 1
          test window of installer until 00:10:02, 1 calls
        00:00:03 h1/button sos=true!
          h1/button works, called sos
          sos#1 raised in h1: said sos
          sos#1 closed by installer test
        00:00:04 walk h1 close
          test window closed by installer
        10:00:00 cold-wave over
          refused: NotSet
        10:00:01 cold-wave 09:00:00
          refused: BadEnd
        10:00:02 cold-wave 346:00:03
          refused: BadEnd
        10:00:03 cold-wave 41:00:00
          cold wave
          16:00:00 visit_due#2 raised in h1: online
          16:00:00 visit_due#2 calls rung 0.0 until 1d 16:00:00
          17:30:00 visit_missed#3 raised in h1: online
          17:30:00 visit_missed#3 calls rung 1.0 until 1d 17:30:00
          17:30:00 -> desk: visit_missed#3 n1 rung 1.0
          1d 00:00:00 visit_due#2 closed by itself
        30:00:00 h1/motion motion=true!
          1d 16:00:00 visit_due#4 raised in h1: online
          1d 16:00:00 visit_due#4 calls rung 0.0 until 2d 16:00:00
        40:00:00 visit h1 online NoAnswer
          h1 online visit by zhang: NoAnswer
          1d 17:00:00 visit_due#4 closed by itself
          1d 17:30:00 visit_missed#3 calls rung 1.1 until 2d 17:30:00
          1d 17:30:00 -> desk: visit_missed#3 n2 rung 1.1
        42:00:00 .
    ",
    );
}

#[test]
fn a_cold_wave_that_is_entered_after_the_days_list_begins_tomorrow_also_for_new_homes() {
    story(
        "home_visits_a_week=0",
        "
        16:00:00 cold-wave 60:00:00
          cold wave
        23:00:00 register home:h2
        24:00:00 visit h1 online Fine
          h1 looked after by zhang
          1d 16:00:00 visit_due#1 raised in h2: online
          1d 16:00:00 visit_due#1 calls rung 0.0 until 2d 16:00:00
        40:30:00 cold-wave over
          cold wave over
          visit_due#1 closed by itself
        41:40:00 .
    ",
    );
}

/// Rules, what happens over so many days, and what is told of visits.
type Calendar = (&'static str, u64, &'static [&'static str], &'static [&'static str]);

const CALENDARS: &[Calendar] = &[
    // Two a week: by the end of Wednesday and of Sunday. It begins late in a week, and nobody comes.
    ("home_visits_a_week=2", 7, &[], &["0 due", "0 missed", "1 due", "2 due", "5 due", "6 due"]),
    // Two on one day are one; a call is none at the door.
    (
        "home_visits_a_week=2",
        14,
        &["4d visit h1 home Fine", "4d visit h1 home Fine", "9d visit h1 online Fine"],
        &["0 due", "0 missed", "1 due", "2 due", "9 due", "9 missed", "12 due", "13 due"],
    ),
    (
        "home_visits_a_week=2",
        10,
        &["0d visit h1 home Fine", "5d visit h1 home Fine", "9d visit h1 home Refused"],
        &["2 due", "2 missed"],
    ),
    // What was missed on a day cannot be made good on another one, and is owed for no longer than its day.
    ("home_visits_a_week=7", 4, &["2d visit h1 home Fine"], &["0 due", "0 missed", "1 due", "3 due", "3 missed"]),
    // The thirtieth of June is its last.
    ("home_visits_a_month=1", 25, &[], &["23 due", "23 missed"]),
    // The fifteenth, and the last. July begins anew.
    (
        "home_visits_a_month=2",
        40,
        &["8d visit h1 home Fine", "23d visit h1 home Fine", "24d visit h1 home NoAnswer"],
        &["38 due", "38 missed", "39 due"],
    ),
    ("home_visits_a_week=1,online_visits_daily=1", 1, &["0d visit h1 online Fine"], &[]),
    (
        "home_visits_a_week=1,online_visits_daily=1",
        3,
        &["0d visit h1 home NoAnswer", "1d visit h1 online Fine"],
        &["0 due", "0 missed", "2 due", "2 missed"],
    ),
];

#[test]
fn visits_at_the_door_are_due_by_the_calendar() {
    for (rules, days, happens, expected) in CALENDARS {
        assert_eq!(&told(rules, *days, happens), expected, "{rules} {happens:?}");
    }
}
