//! Inactivity: what silence is, what it is not, and what ends it. One calm home, `h1`, that was set up when the story begins, and
//! ladders that repeat once a day.

use super::story_of_silence as story;

#[test]
fn a_silence_is_checked_first_and_then_alarmed() {
    story(
        "
        06:00:00 h1/motion motion=true!
          14:24:00 inactivity_check#1 raised in h1: cap, silent 08:24:00
          14:24:00 inactivity_check#1 calls rung 0.0 until 1d 14:24:00
          18:00:00 inactivity_check#1 closed by itself
          18:00:00 inactivity#2 raised in h1: cap, silent 12:00:00
          18:00:00 inactivity#2 calls rung 1.0 until 1d 18:00:00
          18:00:00 -> desk: inactivity#2 n1 rung 1.0
        18:10:00 .
    ",
    );
}

#[test]
fn a_home_that_never_spoke_is_watched_from_its_registration() {
    story(
        "
        06:00:00 .
          14:24:00 inactivity_check#1 raised in h1: cap, silent 08:24:00
          14:24:00 inactivity_check#1 calls rung 0.0 until 1d 14:24:00
          18:00:00 inactivity_check#1 closed by itself
          18:00:00 inactivity#2 raised in h1: cap, silent 12:00:00
          18:00:00 inactivity#2 calls rung 1.0 until 1d 18:00:00
          18:00:00 -> desk: inactivity#2 n1 rung 1.0
        18:10:00 .
    ",
    );
}

#[test]
fn a_check_closes_by_itself_when_somebody_stirs() {
    story(
        "
        06:00:00 h1/motion motion=true
          14:24:00 inactivity_check#1 raised in h1: cap, silent 08:24:00
          14:24:00 inactivity_check#1 calls rung 0.0 until 1d 14:24:00
        14:30:00 h1/motion motion=false
        14:31:00 h1/motion motion=true
          inactivity_check#1 closed by itself
    ",
    );
}

#[test]
fn the_radio_s_life_is_not_a_person_s() {
    story(
        "
        06:00:00 h1/motion motion=true
        06:30:00 h1/motion motion=true
        07:30:00 h1/motion motion=true
        08:00:00 h1/motion battery=80
        08:30:00 h1/motion temperature=21.5
          14:54:00 inactivity_check#1 raised in h1: cap, silent 08:24:00
          14:54:00 inactivity_check#1 calls rung 0.0 until 1d 14:54:00
        15:00:00 .
    ",
    );
}

#[test]
fn somebody_who_stirs_ends_the_silence_and_the_alarm_stays() {
    story(
        "
        06:00:00 h1/motion motion=true!
          14:24:00 inactivity_check#1 raised in h1: cap, silent 08:24:00
          14:24:00 inactivity_check#1 calls rung 0.0 until 1d 14:24:00
          18:00:00 inactivity_check#1 closed by itself
          18:00:00 inactivity#2 raised in h1: cap, silent 12:00:00
          18:00:00 inactivity#2 calls rung 1.0 until 1d 18:00:00
          18:00:00 -> desk: inactivity#2 n1 rung 1.0
        18:01:00 h1/motion motion=true!
          inactivity#2 over
        18:02:00 zhang close
          refused: not_safe_yet
        18:03:00 zhang safe spoke
          inactivity#2 settled
          -> desk: inactivity#2 n2 taken by zhang
        18:04:00 zhang close
          inactivity#2 closed by zhang helped
          -> desk: inactivity#2 n3 closed helped
        20:00:00 .
    ",
    );
}

#[test]
fn a_person_who_was_found_safe_is_not_missed_again_at_once() {
    story(
        "
        06:00:00 register rules:h1:night_from_min=1200
        06:00:00 h1/motion motion=true!
          14:24:00 inactivity_check#1 raised in h1: cap, silent 08:24:00
          14:24:00 inactivity_check#1 calls rung 0.0 until 1d 14:24:00
          18:00:00 inactivity_check#1 closed by itself
          18:00:00 inactivity#2 raised in h1: cap, silent 12:00:00
          18:00:00 inactivity#2 calls rung 1.0 until 1d 18:00:00
          18:00:00 -> desk: inactivity#2 n1 rung 1.0
        18:10:00 zhang safe spoke
          inactivity#2 settled
          -> desk: inactivity#2 n2 taken by zhang
        18:10:10 zhang close
          inactivity#2 closed by zhang helped
          -> desk: inactivity#2 n3 closed helped
          1d 02:34:00 inactivity_check#3 raised in h1: cap, silent 08:24:00
          1d 02:34:00 inactivity_check#3 calls rung 0.0 until 2d 02:34:00
          1d 06:10:00 inactivity_check#3 closed by itself
          1d 06:10:00 inactivity#4 raised in h1: cap, silent 12:00:00
          1d 06:10:00 inactivity#4 calls rung 1.0 until 2d 06:10:00
          1d 06:10:00 -> desk: inactivity#4 n1 rung 1.0
        33:00:00 .
    ",
    );
}

#[test]
fn an_inactivity_alarm_that_was_only_settled_does_not_end_the_watch() {
    story(
        "
        06:00:00 register rules:h1:night_from_min=1200
        06:00:00 h1/motion motion=true!
          14:24:00 inactivity_check#1 raised in h1: cap, silent 08:24:00
          14:24:00 inactivity_check#1 calls rung 0.0 until 1d 14:24:00
          18:00:00 inactivity_check#1 closed by itself
          18:00:00 inactivity#2 raised in h1: cap, silent 12:00:00
          18:00:00 inactivity#2 calls rung 1.0 until 1d 18:00:00
          18:00:00 -> desk: inactivity#2 n1 rung 1.0
        18:10:00 zhang safe spoke
          inactivity#2 settled
          -> desk: inactivity#2 n2 taken by zhang
          1d 02:34:00 inactivity_check#3 raised in h1: cap, silent 08:24:00
          1d 02:34:00 inactivity_check#3 calls rung 0.0 until 2d 02:34:00
          1d 06:10:00 inactivity_check#3 closed by itself
          1d 06:10:00 inactivity#2 counted, events 2
          1d 06:10:00 inactivity#2 not safe any more
          1d 06:10:00 inactivity#2 calls rung 1.0 until 2d 06:10:00
          1d 06:10:00 -> desk: inactivity#2 n3 rung 1.0
        31:00:00 .
    ",
    );
}

#[test]
fn a_person_who_was_found_safe_for_another_reason_is_not_missed_either() {
    story(
        "
        06:00:00 h1/motion motion=true!
          14:24:00 inactivity_check#1 raised in h1: cap, silent 08:24:00
          14:24:00 inactivity_check#1 calls rung 0.0 until 1d 14:24:00
        14:30:00 h1/button sos=true
          sos#2 raised in h1: said sos
          sos#2 calls rung 1.0 until 1d 14:30:00
          -> desk: sos#2 n1 rung 1.0
        14:40:00 zhang safe spoke
          sos#2 settled
          inactivity_check#1 closed by itself
          -> desk: sos#2 n2 taken by zhang
        19:00:00 .
    ",
    );
}

#[test]
fn a_second_silence_after_the_first_was_over_calls_again() {
    story(
        "
        06:00:00 register rules:h1:night_from_min=1200
        06:00:00 h1/motion motion=true!
          14:24:00 inactivity_check#1 raised in h1: cap, silent 08:24:00
          14:24:00 inactivity_check#1 calls rung 0.0 until 1d 14:24:00
          18:00:00 inactivity_check#1 closed by itself
          18:00:00 inactivity#2 raised in h1: cap, silent 12:00:00
          18:00:00 inactivity#2 calls rung 1.0 until 1d 18:00:00
          18:00:00 -> desk: inactivity#2 n1 rung 1.0
        18:01:00 h1/motion motion=true!
          inactivity#2 over
        18:02:00 zhang on-my-way 1
          inactivity#2 taken by zhang until 18:08:00
          -> desk: inactivity#2 n2 taken by zhang
        18:02:10 zhang on-my-way 240
          inactivity#2 taken by zhang until 22:07:10
        22:06:00 zhang on-my-way 240
          inactivity#2 taken by zhang until 1d 02:11:00
        26:10:00 zhang on-my-way 238
          inactivity#2 taken by zhang until 1d 06:13:00
          1d 02:25:00 inactivity_check#3 raised in h1: cap, silent 08:24:00
          1d 02:25:00 inactivity_check#3 calls rung 0.0 until 2d 02:25:00
          1d 06:01:00 inactivity_check#3 closed by itself
          1d 06:01:00 inactivity#2 counted, events 2
          1d 06:01:00 inactivity#2 calls rung 1.0 until 2d 06:01:00
          1d 06:01:00 -> desk: inactivity#2 n3 rung 1.0
        32:30:00 .
    ",
    );
}

#[test]
fn a_lease_that_ends_when_the_second_silence_does_calls_once() {
    story(
        "
        06:00:00 register rules:h1:night_from_min=1200
        06:00:00 h1/motion motion=true!
          14:24:00 inactivity_check#1 raised in h1: cap, silent 08:24:00
          14:24:00 inactivity_check#1 calls rung 0.0 until 1d 14:24:00
          18:00:00 inactivity_check#1 closed by itself
          18:00:00 inactivity#2 raised in h1: cap, silent 12:00:00
          18:00:00 inactivity#2 calls rung 1.0 until 1d 18:00:00
          18:00:00 -> desk: inactivity#2 n1 rung 1.0
        18:01:00 h1/motion motion=true!
          inactivity#2 over
        26:00:00 zhang on-my-way 236 #2
          inactivity#2 taken by zhang until 1d 06:01:00
          -> desk: inactivity#2 n2 taken by zhang
          1d 02:25:00 inactivity_check#3 raised in h1: cap, silent 08:24:00
          1d 02:25:00 inactivity_check#3 calls rung 0.0 until 2d 02:25:00
          1d 06:01:00 inactivity_check#3 closed by itself
          1d 06:01:00 inactivity#2 counted, events 2
          1d 06:01:00 inactivity#2 calls rung 1.0 until 2d 06:01:00
          1d 06:01:00 -> desk: inactivity#2 n3 rung 1.0
        32:30:00 .
    ",
    );
}

#[test]
fn a_bed_that_is_left_and_a_door_that_opens_are_activity_and_their_first_telling_is_none() {
    story(
        "
        06:00:00 h1/bed presence=true
        08:00:00 h1/bed presence=false
        09:00:00 h1/door contact=open
          16:24:00 inactivity_check#1 raised in h1: cap, silent 08:24:00
          16:24:00 inactivity_check#1 calls rung 0.0 until 1d 16:24:00
        17:00:00 .
    ",
    );
}

#[test]
fn silence_that_began_at_night_and_homes_with_only_a_door_have_longer_limits() {
    story(
        "
        03:00:00 register home:h3 device:h3:h3/door
        03:00:00 h1/motion motion=true!
        03:00:00 h3/door contact=open!
          12:48:00 inactivity_check#1 raised in h1: night_cap, silent 09:48:00
          12:48:00 inactivity_check#1 calls rung 0.0 until 1d 12:48:00
          17:00:00 inactivity_check#1 closed by itself
          17:00:00 inactivity#2 raised in h1: night_cap, silent 14:00:00
          17:00:00 inactivity#2 calls rung 1.0 until 1d 17:00:00
          17:00:00 -> desk: inactivity#2 n1 rung 1.0
          19:48:00 inactivity_check#3 raised in h3: door_only_cap, silent 16:48:00
          19:48:00 inactivity_check#3 calls rung 0.0 until 1d 19:48:00
          1d 03:00:00 inactivity_check#3 closed by itself
          1d 03:00:00 inactivity#4 raised in h3: door_only_cap, silent 1d 00:00:00
          1d 03:00:00 inactivity#4 calls rung 1.0 until 2d 03:00:00
          1d 03:00:00 -> desk: inactivity#4 n1 rung 1.0
        27:10:00 .
    ",
    );
}

#[test]
fn a_home_that_is_not_watched_has_no_silence_and_still_a_voice() {
    story(
        "
        06:00:00 register paused:h1
        06:00:00 h1/motion motion=true!
        23:00:00 h1/button sos=true!
          sos#1 raised in h1: said sos
          sos#1 calls rung 1.0 until 1d 23:00:00
          -> desk: sos#1 n1 rung 1.0
    ",
    );
}

#[test]
fn our_own_absence_is_nobodys_silence() {
    story(
        "
        06:00:00 h1/motion motion=true!
        08:00:00 kill
        20:00:00 start
          started, epoch 2
          pseudo-home gateway/z
          outage#1 raised in gateway/z: 1 homes unheard, deaf
          outage#1 calls rung 0.0 until 1d 20:00:00
        20:00:10 link up
          hearing, lost 43450 s
          outage#1 over
          21:00:10 welfare_check#2 raised in h1: unwatched, heard again true
          21:00:10 welfare_check#2 calls rung 1.0 until 1d 21:00:10
          21:00:10 -> desk: welfare_check#2 n1 rung 1.0
          1d 02:28:10 inactivity_check#3 raised in h1: cap, silent 08:24:00
          1d 02:28:10 inactivity_check#3 calls rung 0.0 until 2d 02:28:10
        27:00:00 .
    ",
    );
}

#[test]
fn a_deaf_site_pauses_silence() {
    story(
        "
        06:00:00 h1/motion motion=true!
        14:23:59 link down
          deaf
          14:38:59 pseudo-home gateway/z
          14:38:59 outage#1 raised in gateway/z: 1 homes unheard, deaf
          14:38:59 outage#1 calls rung 0.0 until 1d 14:38:59
          18:23:59 welfare_check#2 raised in h1: unwatched, heard again false
          18:23:59 welfare_check#2 calls rung 1.0 until 1d 18:23:59
          18:23:59 -> desk: welfare_check#2 n1 rung 1.0
        20:00:00 link up
          hearing, lost 20161 s
          outage#1 over
          20:00:01 inactivity_check#3 raised in h1: cap, silent 08:24:00
          20:00:01 inactivity_check#3 calls rung 0.0 until 1d 20:00:01
        20:00:30 .
    ",
    );
}

#[test]
fn a_hub_that_is_gone_pauses_silence() {
    story(
        "
        06:00:00 h1/motion motion=true!
        07:00:00 hub h1/ offline
          h1 bridge offline
          07:15:00 home_unheard#1 raised in h1: 1 homes unheard
          07:15:00 home_unheard#1 calls rung 0.0 until 09:00:00
          09:00:00 home_unheard#1 calls rung 0.0 until 15:00:00
          11:00:00 welfare_check#2 raised in h1: unwatched, heard again false
          11:00:00 welfare_check#2 calls rung 1.0 until 1d 11:00:00
          11:00:00 -> desk: welfare_check#2 n1 rung 1.0
          15:00:00 home_unheard#1 calls rung 0.0 until 1d 09:00:00
        20:00:00 hub h1/ online
          h1 bridge online
          home_unheard#1 over
          1d 03:24:00 inactivity_check#3 raised in h1: cap, silent 08:24:00
          1d 03:24:00 inactivity_check#3 calls rung 0.0 until 2d 03:24:00
        28:00:00 .
    ",
    );
}

#[test]
fn a_home_whose_devices_are_all_gone_is_unheard() {
    story(
        "
        06:00:00 h1/motion motion=true!
        07:00:00 h1/motion online=false
          07:15:00 home_unheard#1 raised in h1: 1 homes unheard
          07:15:00 home_unheard#1 calls rung 0.0 until 09:00:00
          09:00:00 home_unheard#1 calls rung 0.0 until 15:00:00
          11:00:00 welfare_check#2 raised in h1: unwatched, heard again false
          11:00:00 welfare_check#2 calls rung 1.0 until 1d 11:00:00
          11:00:00 -> desk: welfare_check#2 n1 rung 1.0
          15:00:00 home_unheard#1 calls rung 0.0 until 1d 09:00:00
        20:00:00 h1/motion online=true
          home_unheard#1 over
          1d 03:24:00 inactivity_check#3 raised in h1: cap, silent 08:24:00
          1d 03:24:00 inactivity_check#3 calls rung 0.0 until 2d 03:24:00
        28:00:00 .
    ",
    );
}

#[test]
fn a_retained_state_does_not_say_that_its_device_is_there() {
    story(
        "
        06:00:00 h1/motion motion=true!
        07:00:00 h1/motion online=false
        07:00:01 h1/motion motion=true retained
          07:15:00 home_unheard#1 raised in h1: 1 homes unheard
          07:15:00 home_unheard#1 calls rung 0.0 until 09:00:00
          09:00:00 home_unheard#1 calls rung 0.0 until 15:00:00
          11:00:00 welfare_check#2 raised in h1: unwatched, heard again false
          11:00:00 welfare_check#2 calls rung 1.0 until 1d 11:00:00
          11:00:00 -> desk: welfare_check#2 n1 rung 1.0
          15:00:00 home_unheard#1 calls rung 0.0 until 1d 09:00:00
        24:00:00 .
    ",
    );
}

#[test]
fn a_home_that_speaks_is_heard_whatever_a_hub_says_of_itself() {
    story(
        "
        06:00:00 h1/motion motion=true!
        07:00:00 hub h1/ offline
          h1 bridge offline
          07:15:00 home_unheard#1 raised in h1: 1 homes unheard
          07:15:00 home_unheard#1 calls rung 0.0 until 09:00:00
        08:00:00 h1/motion motion=true!
          h1 bridge online
          home_unheard#1 over
          09:00:00 home_unheard#1 calls rung 0.0 until 15:00:00
          15:00:00 home_unheard#1 calls rung 0.0 until 1d 09:00:00
          16:24:00 inactivity_check#2 raised in h1: cap, silent 08:24:00
          16:24:00 inactivity_check#2 calls rung 0.0 until 1d 16:24:00
        17:00:00 .
    ",
    );
}

#[test]
fn what_a_hub_kept_for_us_does_not_make_the_unheard_time_a_silence() {
    story(
        "
        06:00:00 h1/motion motion=true!
        07:00:00 hub h1/ offline
          h1 bridge offline
          07:15:00 home_unheard#1 raised in h1: 1 homes unheard
          07:15:00 home_unheard#1 calls rung 0.0 until 09:00:00
          09:00:00 home_unheard#1 calls rung 0.0 until 15:00:00
          11:00:00 welfare_check#2 raised in h1: unwatched, heard again false
          11:00:00 welfare_check#2 calls rung 1.0 until 1d 11:00:00
          11:00:00 -> desk: welfare_check#2 n1 rung 1.0
          15:00:00 home_unheard#1 calls rung 0.0 until 1d 09:00:00
        19:00:00 hub h1/ online
          h1 bridge online
          home_unheard#1 over
        19:00:01 h1/motion motion=true! at=06:30:00
          1d 02:54:00 inactivity_check#3 raised in h1: cap, silent 08:24:00
          1d 02:54:00 inactivity_check#3 calls rung 0.0 until 2d 02:54:00
        27:00:00 .
    ",
    );
}

#[test]
fn what_a_hub_kept_may_come_before_it_says_that_it_is_back() {
    story(
        "
        06:00:00 h1/motion motion=true!
        07:00:00 hub h1/ offline
          h1 bridge offline
          07:15:00 home_unheard#1 raised in h1: 1 homes unheard
          07:15:00 home_unheard#1 calls rung 0.0 until 09:00:00
          09:00:00 home_unheard#1 calls rung 0.0 until 15:00:00
          11:00:00 welfare_check#2 raised in h1: unwatched, heard again false
          11:00:00 welfare_check#2 calls rung 1.0 until 1d 11:00:00
          11:00:00 -> desk: welfare_check#2 n1 rung 1.0
          15:00:00 home_unheard#1 calls rung 0.0 until 1d 09:00:00
        19:00:00 h1/motion motion=true! at=06:30:00
          h1 bridge online
          home_unheard#1 over
        19:00:01 hub h1/ online
          1d 02:54:00 inactivity_check#3 raised in h1: cap, silent 08:24:00
          1d 02:54:00 inactivity_check#3 calls rung 0.0 until 2d 02:54:00
        27:00:00 .
    ",
    );
}

#[test]
fn an_activity_from_the_time_of_our_deafness_counts() {
    story(
        "
        08:00:00 h1/motion motion=true!
        09:00:00 link down
          deaf
          09:15:00 pseudo-home gateway/z
          09:15:00 outage#1 raised in gateway/z: 1 homes unheard, deaf
          09:15:00 outage#1 calls rung 0.0 until 1d 09:15:00
        15:00:00 link up
          hearing, lost 21600 s
          outage#1 over
        15:00:01 h1/motion motion=true! at=13:00:00
        22:00:00 .
    ",
    );
}

#[test]
fn an_activity_that_is_older_than_the_alarm_ends_nothing() {
    story(
        "
        06:00:00 h1/motion motion=true!
          14:24:00 inactivity_check#1 raised in h1: cap, silent 08:24:00
          14:24:00 inactivity_check#1 calls rung 0.0 until 1d 14:24:00
          18:00:00 inactivity_check#1 closed by itself
          18:00:00 inactivity#2 raised in h1: cap, silent 12:00:00
          18:00:00 inactivity#2 calls rung 1.0 until 1d 18:00:00
          18:00:00 -> desk: inactivity#2 n1 rung 1.0
        18:30:00 h1/motion motion=true! at=17:00:00
    ",
    );
}

#[test]
fn a_step_of_the_wall_clock_hides_nobody_who_stirs() {
    story(
        "
        06:00:00 h1/motion motion=true!
          14:24:00 inactivity_check#1 raised in h1: cap, silent 08:24:00
          14:24:00 inactivity_check#1 calls rung 0.0 until 1d 14:24:00
          18:00:00 inactivity_check#1 closed by itself
          18:00:00 inactivity#2 raised in h1: cap, silent 12:00:00
          18:00:00 inactivity#2 calls rung 1.0 until 1d 18:00:00
          18:00:00 -> desk: inactivity#2 n1 rung 1.0
        18:01:00 wall -3600
        18:01:00 h1/motion motion=true!
          inactivity#2 over
    ",
    );
}

#[test]
fn journey_4_the_transformer() {
    story(
        "
        12:00:00 h1/motion motion=true!
        12:00:01 h1/smoke smoke=false
          nothing: at_rest
        18:00:00 hub h1/ offline
          h1 bridge offline
          18:15:00 home_unheard#1 raised in h1: 1 homes unheard
          18:15:00 home_unheard#1 calls rung 0.0 until 1d 09:00:00
        21:00:00 hub h1/ online
          h1 bridge online
          home_unheard#1 over
        21:00:00 h1/button sos=true! id=p1 at=18:10:00
          sos#2 raised in h1: said sos late 10200 s
          sos#2 calls rung 1.0 until 1d 21:00:00
          -> desk: sos#2 n1 rung 1.0 late 10200 s
        21:00:00 h1/button sos=true! id=p1 at=18:10:00
          nothing: same_event_id
        21:00:01 h1/button sos=true~ retained
          nothing: retained_press
        21:00:01 h1/smoke smoke=true retained
          smoke#3 raised in h1: found true smoke
          smoke#3 calls rung 1.0 until 1d 21:00:01
          -> desk: smoke#3 n1 rung 1.0
          22:00:00 welfare_check#4 raised in h1: unwatched, heard again true
          22:00:00 welfare_check#4 calls rung 1.0 until 1d 22:00:00
          22:00:00 -> desk: welfare_check#4 n1 rung 1.0
        24:00:00 .
    ",
    );
}

#[test]
fn journey_5_the_parcel_at_home() {
    story(
        "
        10:02:00 h1/door contact=open!
        10:02:20 h1/door contact=closed!
        10:03:05 h1/motion motion=true!
          18:27:05 inactivity_check#1 raised in h1: cap, silent 08:24:00
          18:27:05 inactivity_check#1 calls rung 0.0 until 1d 18:27:05
          22:03:05 inactivity_check#1 closed by itself
          22:03:05 inactivity#2 raised in h1: cap, silent 12:00:00
          22:03:05 inactivity#2 calls rung 1.0 until 1d 22:03:05
          22:03:05 -> desk: inactivity#2 n1 rung 1.0
        22:03:05 .
    ",
    );
}

#[test]
fn who_is_only_spoken_of_does_not_speak() {
    story(
        "
        06:00:00 h1/motion motion=true!
        07:00:00 hub h1/ offline
          h1 bridge offline
        07:00:10 h1/button online=false
          07:15:00 home_unheard#1 raised in h1: 1 homes unheard
          07:15:00 home_unheard#1 calls rung 0.0 until 09:00:00
          09:00:00 home_unheard#1 calls rung 0.0 until 15:00:00
          11:00:00 welfare_check#2 raised in h1: unwatched, heard again false
          11:00:00 welfare_check#2 calls rung 1.0 until 1d 11:00:00
          11:00:00 -> desk: welfare_check#2 n1 rung 1.0
          15:00:00 home_unheard#1 calls rung 0.0 until 1d 09:00:00
        24:00:00 .
    ",
    );
}

#[test]
fn what_comes_in_one_turn_is_folded_in_its_order() {
    story("
        06:00:00 register rules:h1:night_from_min=1200
        06:00:00 h1/motion motion=true! & hub h1/ offline
          h1 bridge offline
          06:15:00 home_unheard#1 raised in h1: 1 homes unheard
          06:15:00 home_unheard#1 calls rung 0.0 until 09:00:00
        07:00:00 h1/motion online=false & hub h1/ online & hub h1/ offline
          h1 bridge online
          h1 bridge offline
          09:00:00 home_unheard#1 calls rung 0.0 until 15:00:00
          10:00:00 welfare_check#2 raised in h1: unwatched, heard again false
          10:00:00 welfare_check#2 calls rung 1.0 until 1d 10:00:00
          10:00:00 -> desk: welfare_check#2 n1 rung 1.0
          15:00:00 home_unheard#1 calls rung 0.0 until 1d 09:00:00
        19:00:00 h1/motion motion=true! at=18:00:00 & hub h1/ online & h1/motion online=false & h1/motion motion=true! at=18:30:00
          h1 bridge online
          welfare_check#2 over
          home_unheard#1 over
          1d 03:24:00 inactivity_check#3 raised in h1: cap, silent 08:24:00
          1d 03:24:00 inactivity_check#3 calls rung 0.0 until 2d 03:24:00
        30:00:00 .
    ");
}

#[test]
fn cupboards_are_more_than_a_door() {
    story(
        "
        06:00:00 h1/door contact=open!
        07:00:00 h1/cupboard contact=open!
        08:00:00 h1/fridge contact=open!
          16:24:00 inactivity_check#1 raised in h1: cap, silent 08:24:00
          16:24:00 inactivity_check#1 calls rung 0.0 until 1d 16:24:00
        16:30:00 .
    ",
    );
}
