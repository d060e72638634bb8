//! What a message of a device comes to: presses, repeats, conditions.

use super::{story, story_from_nothing};

#[test]
fn a_press_raises_one_alarm_and_every_further_press_counts() {
    story(
        "
        08:19:00 press
          sos#1 raised in h1: said sos
          sos#1 calls rung 1.0 until 08:20:00
          -> desk: sos#1 n1 rung 1.0
          -> zhang: sos#1 n2 rung 1.0
        08:19:03 press
          sos#1 counted, events 2
        08:19:10 press
          sos#1 counted, events 3
        08:19:11 h1/button sos=true! sos=true!
          sos#1 counted, events 4
    ",
    );
}

#[test]
fn a_press_after_seen_clears_seen_and_tells_the_first_rung_in_the_same_turn() {
    story(
        "
        08:00:00 press
          sos#1 raised in h1: said sos
          sos#1 calls rung 1.0 until 08:01:00
          -> desk: sos#1 n1 rung 1.0
          -> zhang: sos#1 n2 rung 1.0
        08:00:20 zhang seen
          sos#1 taken by zhang until 08:03:20
          -> desk: sos#1 n3 taken by zhang
          -> zhang: sos#1 n4 taken by zhang
        08:00:30 press
          sos#1 counted, events 2
          sos#1 calls rung 1.0 until 08:01:30
          -> desk: sos#1 n5 rung 1.0
          -> zhang: sos#1 n6 rung 1.0
    ",
    );
}

#[test]
fn a_press_within_the_merging_time_counts_and_tells_nobody_anew() {
    story(
        "
        08:00:00 press
          sos#1 raised in h1: said sos
          sos#1 calls rung 1.0 until 08:01:00
          -> desk: sos#1 n1 rung 1.0
          -> zhang: sos#1 n2 rung 1.0
        08:00:02 zhang seen
          sos#1 taken by zhang until 08:03:02
          -> desk: sos#1 n3 taken by zhang
          -> zhang: sos#1 n4 taken by zhang
        08:00:04 press
          sos#1 counted, events 2
    ",
    );
}

#[test]
fn somebody_who_presses_all_the_time_is_not_muted_by_the_merging() {
    story(
        "
        08:00:00 press
          sos#1 raised in h1: said sos
          sos#1 calls rung 1.0 until 08:01:00
          -> desk: sos#1 n1 rung 1.0
          -> zhang: sos#1 n2 rung 1.0
        08:00:02 zhang seen
          sos#1 taken by zhang until 08:03:02
          -> desk: sos#1 n3 taken by zhang
          -> zhang: sos#1 n4 taken by zhang
        08:00:04 press
          sos#1 counted, events 2
        08:00:08 press
          sos#1 counted, events 3
          sos#1 calls rung 1.0 until 08:01:08
          -> desk: sos#1 n5 rung 1.0
          -> zhang: sos#1 n6 rung 1.0
    ",
    );
}

#[test]
fn a_press_after_safe_is_a_new_need() {
    story(
        "
        08:00:00 press
          sos#1 raised in h1: said sos
          sos#1 calls rung 1.0 until 08:01:00
          -> desk: sos#1 n1 rung 1.0
          -> zhang: sos#1 n2 rung 1.0
          08:01:00 sos#1 calls rung 3.0 until 08:03:00
          08:01:00 -> deputy: sos#1 n3 rung 3.0
        08:01:00 zhang safe spoke
          sos#1 settled
          -> deputy: sos#1 n6 taken by zhang
          -> desk: sos#1 n4 taken by zhang
          -> zhang: sos#1 n5 taken by zhang
        08:10:00 press
          sos#1 counted, events 2
          sos#1 not safe any more
          sos#1 calls rung 1.0 until 08:11:00
          -> desk: sos#1 n7 rung 1.0
          -> zhang: sos#1 n8 rung 1.0
    ",
    );
}

#[test]
fn an_echo_of_a_press_is_the_same_press() {
    story(
        "
        08:00:00 h1/button sos=true!
          sos#1 raised in h1: said sos
          sos#1 calls rung 1.0 until 08:01:00
          -> desk: sos#1 n1 rung 1.0
          -> zhang: sos#1 n2 rung 1.0
        08:00:01 h1/button sos=true! echo
          nothing: echo_of_a_press
        08:00:20 h1/button sos=true! echo
          sos#1 counted, events 2
    ",
    );
}

#[test]
fn an_event_of_the_same_id_is_the_same_event() {
    story(
        "
        08:00:00 h1/button sos=true! id=a
          sos#1 raised in h1: said sos
          sos#1 calls rung 1.0 until 08:01:00
          -> desk: sos#1 n1 rung 1.0
          -> zhang: sos#1 n2 rung 1.0
          08:01:00 sos#1 calls rung 3.0 until 08:03:00
          08:01:00 -> deputy: sos#1 n3 rung 3.0
        08:01:00 h1/button sos=true! id=a
          nothing: same_event_id
        08:01:10 h1/button sos=true! id=b
          sos#1 counted, events 2
    ",
    );
}

#[test]
fn an_edge_counts_by_its_change() {
    story(
        "
        08:00:00 h1/button sos=true
          sos#1 raised in h1: said sos
          sos#1 calls rung 1.0 until 08:01:00
          -> desk: sos#1 n1 rung 1.0
          -> zhang: sos#1 n2 rung 1.0
        08:00:10 h1/button sos=true battery=80
          nothing: still_true
        08:00:20 h1/button sos=false
          nothing: at_rest
        08:00:30 h1/button sos=true
          sos#1 counted, events 2
    ",
    );
}

#[test]
fn a_latched_press_that_a_battery_report_repeats_is_nothing() {
    story(
        "
        08:00:00 h1/button sos=true~ battery=80 rest=1
          sos#1 raised in h1: said sos
          sos#1 calls rung 1.0 until 08:01:00
          -> desk: sos#1 n1 rung 1.0
          -> zhang: sos#1 n2 rung 1.0
          08:01:00 sos#1 calls rung 3.0 until 08:03:00
          08:01:00 -> deputy: sos#1 n3 rung 3.0
          08:03:00 sos#1 calls rung 4.0 until 08:05:00
          08:03:00 -> lead: sos#1 n4 rung 4.0
          08:05:00 sos#1 calls rung 4.1 until 08:07:00
          08:05:00 -> lead: sos#1 n5 rung 4.1
          08:07:00 sos#1 calls rung 4.2 until 08:09:00
          08:07:00 -> lead: sos#1 n6 rung 4.2
          08:09:00 sos#1 calls rung 4.3 until 08:11:00
          08:09:00 -> lead: sos#1 n7 rung 4.3
        08:10:00 h1/button sos=true~ battery=79 rest=2
          nothing: repeat_with_other_news
    ",
    );
}

#[test]
fn a_latched_press_that_repeats_word_for_word_counts_while_nobody_has_seen_it() {
    story(
        "
        08:00:00 h1/button sos=true~ rest=1
          sos#1 raised in h1: said sos
          sos#1 calls rung 1.0 until 08:01:00
          -> desk: sos#1 n1 rung 1.0
          -> zhang: sos#1 n2 rung 1.0
        08:00:20 h1/button sos=true~ rest=1
          sos#1 counted, events 2
    ",
    );
}

#[test]
fn a_latched_press_that_repeats_word_for_word_after_seen_may_be_a_press() {
    story(
        "
        08:00:00 h1/button sos=true~ rest=1
          sos#1 raised in h1: said sos
          sos#1 calls rung 1.0 until 08:01:00
          -> desk: sos#1 n1 rung 1.0
          -> zhang: sos#1 n2 rung 1.0
        08:00:20 zhang seen
          sos#1 taken by zhang until 08:03:20
          -> desk: sos#1 n3 taken by zhang
          -> zhang: sos#1 n4 taken by zhang
        08:00:40 h1/button sos=true~ rest=1
          possible_press#2 raised in h1: latched repeat sos
          possible_press#2 calls rung 1.0 until 08:05:40
          -> desk: possible_press#2 n1 rung 1.0
        08:00:50 h1/button sos=true~ rest=1
          possible_press#2 counted, events 2
    ",
    );
}

#[test]
fn a_latched_press_that_repeats_word_for_word_after_closed_may_be_a_press() {
    story(
        "
        08:00:00 h1/button sos=true~ rest=1
          sos#1 raised in h1: said sos
          sos#1 calls rung 1.0 until 08:01:00
          -> desk: sos#1 n1 rung 1.0
          -> zhang: sos#1 n2 rung 1.0
        08:00:20 zhang safe spoke
          sos#1 settled
          -> desk: sos#1 n3 taken by zhang
          -> zhang: sos#1 n4 taken by zhang
        08:00:30 zhang close
          sos#1 closed by zhang helped
          -> desk: sos#1 n5 closed helped
          -> zhang: sos#1 n6 closed helped
        08:00:40 h1/button sos=true~ rest=1
          possible_press#2 raised in h1: latched repeat sos
          possible_press#2 calls rung 1.0 until 08:05:40
          -> desk: possible_press#2 n1 rung 1.0
    ",
    );
}

#[test]
fn two_latched_repeats_in_one_message_are_one_possible_press() {
    story(
        "
        08:00:00 h1/button sos=true~ fall=true~ rest=1
          sos#1 raised in h1: said sos
          sos#1 calls rung 1.0 until 08:01:00
          fall#2 raised in h1: said fall
          fall#2 calls rung 1.0 until 08:01:00
          -> desk: sos#1 n1 rung 1.0
          -> desk: fall#2 n1 rung 1.0
          -> zhang: sos#1 n2 rung 1.0
          -> zhang: fall#2 n2 rung 1.0
        08:00:10 zhang seen #1
          sos#1 taken by zhang until 08:03:10
          -> desk: sos#1 n3 taken by zhang
          -> zhang: sos#1 n4 taken by zhang
        08:00:11 zhang seen #2
          fall#2 taken by zhang until 08:03:11
          -> desk: fall#2 n3 taken by zhang
          -> zhang: fall#2 n4 taken by zhang
        08:00:40 h1/button sos=true~ fall=true~ rest=1
          possible_press#3 raised in h1: latched repeat sos
          possible_press#3 calls rung 1.0 until 08:05:40
          -> desk: possible_press#3 n1 rung 1.0
    ",
    );
}

#[test]
fn retained_presses_are_nobodys_doing() {
    story(
        "
        08:00:00 h1/button sos=true! retained
          nothing: retained_press
        08:00:01 h1/button sos=true~ retained
          nothing: retained_press
        08:00:02 h2/button sos=true retained
          nothing: retained_press
        08:00:03 h1/button fall=true retained
          nothing: retained_press
    ",
    );
}

#[test]
fn a_retained_condition_that_we_do_not_know_is_an_alarm_of_unknown_age() {
    story(
        "
        08:00:00 h1/smoke smoke=true retained
          smoke#1 raised in h1: found true smoke
          smoke#1 calls rung 1.0 until 08:01:00
          -> desk: smoke#1 n1 rung 1.0
          -> zhang: smoke#1 n2 rung 1.0
        08:00:01 h1/smoke smoke=true retained
          nothing: still_true
        08:00:02 h1/smoke2 smoke=false
          nothing: at_rest
        08:00:03 h2/motion smoke=false
          nothing: at_rest
        08:00:04 h2/motion smoke=true retained
          smoke#2 raised in h2: found true smoke
          smoke#2 calls rung 1.0 until 08:01:04
          -> desk: smoke#2 n1 rung 1.0
          -> zhang: smoke#2 n2 rung 1.0
        08:00:05 h2/button gas=true! retained
          gas#3 raised in h2: found true gas
          gas#3 calls rung 1.0 until 08:01:05
          -> desk: gas#3 n1 rung 1.0
          -> zhang: gas#3 n2 rung 1.0
    ",
    );
}

#[test]
fn a_condition_ends_by_itself_and_its_alarm_stays() {
    story(
        "
        08:00:00 h1/smoke smoke=true
          smoke#1 raised in h1: said smoke
          smoke#1 calls rung 1.0 until 08:01:00
          -> desk: smoke#1 n1 rung 1.0
          -> zhang: smoke#1 n2 rung 1.0
          08:01:00 smoke#1 calls rung 3.0 until 08:03:00
          08:01:00 -> deputy: smoke#1 n3 rung 3.0
        08:01:00 h1/smoke smoke=true
          nothing: still_true
        08:02:00 h1/smoke smoke=false
          smoke#1 over
        08:02:30 h1/smoke smoke=true
          smoke#1 counted, events 2
          08:03:00 smoke#1 calls rung 4.0 until 08:05:00
          08:03:00 -> lead: smoke#1 n4 rung 4.0
        08:03:00 zhang close
          refused: not_safe_yet
        08:03:10 zhang safe seen
          smoke#1 settled
          -> deputy: smoke#1 n7 taken by zhang
          -> desk: smoke#1 n5 taken by zhang
          -> lead: smoke#1 n8 taken by zhang
          -> zhang: smoke#1 n6 taken by zhang
        08:03:20 zhang close
          smoke#1 closed by zhang helped
          -> deputy: smoke#1 n11 closed helped
          -> desk: smoke#1 n9 closed helped
          -> lead: smoke#1 n12 closed helped
          -> zhang: smoke#1 n10 closed helped
    ",
    );
}

#[test]
fn detectors_of_one_home_merge_and_all_must_have_ended() {
    story(
        "
        08:00:00 h1/smoke smoke=true
          smoke#1 raised in h1: said smoke
          smoke#1 calls rung 1.0 until 08:01:00
          -> desk: smoke#1 n1 rung 1.0
          -> zhang: smoke#1 n2 rung 1.0
        08:00:10 h1/smoke2 smoke=true
          smoke#1 counted, events 2
        08:00:20 h1/smoke smoke=false
          nothing: still_true_elsewhere
        08:00:30 h1/smoke2 smoke=false
          smoke#1 over
    ",
    );
}

#[test]
fn a_detector_that_never_saw_smoke_ends_nothing() {
    story(
        "
        08:00:00 h1/smoke smoke=true
          smoke#1 raised in h1: said smoke
          smoke#1 calls rung 1.0 until 08:01:00
          -> desk: smoke#1 n1 rung 1.0
          -> zhang: smoke#1 n2 rung 1.0
        08:00:10 h1/smoke2 smoke=false
          nothing: at_rest
    ",
    );
}

#[test]
fn zones_of_one_message_do_not_hide_each_other() {
    story(
        "
        08:00:00 h1/smoke a:smoke=false b:smoke=true
          smoke#1 raised in h1: said smoke
          smoke#1 calls rung 1.0 until 08:01:00
          -> desk: smoke#1 n1 rung 1.0
          -> zhang: smoke#1 n2 rung 1.0
        08:00:10 h1/smoke a:smoke=true b:smoke=false
          smoke#1 counted, events 2
        08:00:20 h1/smoke a:smoke=false b:smoke=false
          smoke#1 over
    ",
    );
}

#[test]
fn press_and_smoke_are_two_alarms_of_one_home() {
    story(
        "
        20:00:00 press
          sos#1 raised in h1: said sos
          sos#1 calls rung 1.0 until 20:01:00
          -> desk: sos#1 n1 rung 1.0
          -> zhang: sos#1 n2 rung 1.0
        20:00:40 zhang on-my-way 15
          sos#1 taken by zhang until 20:20:40
          -> desk: sos#1 n3 taken by zhang
          -> zhang: sos#1 n4 taken by zhang
        20:01:30 h1/smoke smoke=true
          smoke#2 raised in h1: said smoke
          smoke#2 calls rung 1.0 until 20:02:30
          -> desk: smoke#2 n1 rung 1.0
          -> zhang: smoke#2 n2 rung 1.0
        20:01:40 zhang safe seen #1
          sos#1 settled
        20:01:50 zhang close #1
          sos#1 closed by zhang helped
          -> desk: sos#1 n5 closed helped
          -> zhang: sos#1 n6 closed helped
    ",
    );
}

#[test]
fn a_buffered_press_says_how_late_it_is() {
    story(
        "
        21:00:00 h1/button sos=true! at=18:10:00
          sos#1 raised in h1: said sos late 10200 s
          sos#1 calls rung 1.0 until 21:01:00
          -> desk: sos#1 n1 rung 1.0 late 10200 s
          -> zhang: sos#1 n2 rung 1.0 late 10200 s
    ",
    );
}

#[test]
fn nonsense_of_a_device_clock_is_passed_over() {
    story(
        "
        12:00:00 h1/button sos=true! stated=0
          sos#1 raised in h1: said sos
          sos#1 calls rung 1.0 until 12:01:00
          -> desk: sos#1 n1 rung 1.0
          -> zhang: sos#1 n2 rung 1.0
        12:00:10 h1/button sos=true! stated=9223372036854775807
          sos#1 counted, events 2
        12:00:20 h1/button sos=true! stated=-9223372036854775808
          sos#1 counted, events 3
        12:00:30 h1/button sos=true! at=13:00:00
          sos#1 counted, events 4
    ",
    );
}

#[test]
fn an_unregistered_button_alarms_at_its_site() {
    story(
        "
        08:00:00 x9/button sos=true!
          pseudo-home unclaimed/z2m/x9/button
          sos#1 raised in unclaimed/z2m/x9/button: said sos
          sos#1 calls rung 1.0 until 08:01:00
          -> desk: sos#1 n1 rung 1.0
          -> zhang: sos#1 n2 rung 1.0
        08:00:20 x9/button sos=true!
          sos#1 counted, events 2
        08:00:30 zhang seen
          sos#1 taken by zhang until 08:03:30
          -> desk: sos#1 n3 taken by zhang
          -> zhang: sos#1 n4 taken by zhang
    ",
    );
}

#[test]
fn a_device_that_moved_alarms_in_its_new_home() {
    story(
        "
        08:00:00 press
          sos#1 raised in h1: said sos
          sos#1 calls rung 1.0 until 08:01:00
          -> desk: sos#1 n1 rung 1.0
          -> zhang: sos#1 n2 rung 1.0
          08:01:00 sos#1 calls rung 3.0 until 08:03:00
          08:01:00 -> deputy: sos#1 n3 rung 3.0
        08:01:00 register device:h2:h1/button
        08:02:00 press
          sos#2 raised in h2: said sos
          sos#2 calls rung 1.0 until 08:03:00
          -> desk: sos#2 n1 rung 1.0
          -> zhang: sos#2 n2 rung 1.0
          08:03:00 sos#1 calls rung 4.0 until 08:05:00
          08:03:00 sos#2 calls rung 3.0 until 08:05:00
          08:03:00 -> deputy: sos#2 n3 rung 3.0
          08:03:00 -> lead: sos#1 n4 rung 4.0
        08:03:00 kill
        08:03:00 start
          started, epoch 2
        08:03:10 link up
          hearing, lost 10 s
        08:03:20 press
          sos#2 counted, events 2
    ",
    );
}

#[test]
fn a_ladder_that_comes_in_the_turn_of_its_home_serves_it() {
    story_from_nothing(
        "
        08:00:00 h1/button sos=true!
          pseudo-home unclaimed/z2m/h1/button
          sos#1 raised in unclaimed/z2m/h1/button: said sos
          sos#1 calls rung 0.0 until 1d 08:00:00
        08:01:00 register channel:desk responder:desk ladder:life:desk
          sos#1 calls rung 1.0 until 08:03:00
          -> desk: sos#1 n1 rung 1.0
        08:02:00 register home:h2 device:h2:h2/button ladder:life:desk
        08:02:00 h2/button sos=true!
          sos#2 raised in h2: said sos
          sos#2 calls rung 1.0 until 08:04:00
          -> desk: sos#2 n1 rung 1.0
    ",
    );
}

#[test]
fn a_message_that_must_not_be_read_counts_as_a_call() {
    story(
        "
        08:00:00 unreadable t/1
          pseudo-home unreadable/t/1
          possible_sos#1 raised in unreadable/t/1: unreadable
          possible_sos#1 calls rung 1.0 until 08:01:00
          -> desk: possible_sos#1 n1 rung 1.0
          -> zhang: possible_sos#1 n2 rung 1.0
        08:00:10 unreadable t/1
          possible_sos#1 counted, events 2
    ",
    );
}

#[test]
fn a_call_that_nobody_could_be_told_of_is_told_where_its_device_turns_out_to_belong() {
    story(
        "
        08:00:00 channel desk hangs
        08:00:00 channel zhang refuses
        08:00:00 x9/stranger sos=true!
          pseudo-home unclaimed/z2m/x9/stranger
          sos#1 raised in unclaimed/z2m/x9/stranger: said sos
          sos#1 calls rung 1.0 until 08:01:00
          -> desk: sos#1 n1 rung 1.0
          -> zhang: sos#1 n2 rung 1.0
          #1-n2 try 1 refused, again 08:00:01
          08:00:01 -> zhang: sos#1 n2 rung 1.0 try 2
          08:00:01 #1-n2 try 2 refused, again 08:00:03
          08:00:01 sos#1 n2 fails at zhang
          08:00:03 -> zhang: sos#1 n2 rung 1.0 try 3
          08:00:03 #1-n2 try 3 refused, again 08:00:07
          08:00:07 -> zhang: sos#1 n2 rung 1.0 try 4
          08:00:07 #1-n2 try 4 refused, again 08:00:15
          08:00:15 -> zhang: sos#1 n2 rung 1.0 try 5
          08:00:15 #1-n2 try 5 refused, again 08:00:30
        08:00:20 register device:h1:x9/stranger
          #1 leaves unclaimed/z2m/x9/stranger
          sos#1 joins h1
          sos#1 calls rung 1.0 until 08:01:20
          #1-n1 withdrawn
          #1-n2 withdrawn
          -> zhang: sos#1 n4 rung 1.0
          #1-n4 try 1 refused, again 08:00:21
          08:00:21 -> zhang: sos#1 n4 rung 1.0 try 2
          08:00:21 #1-n4 try 2 refused, again 08:00:23
          08:00:21 sos#1 n4 fails at zhang
        08:00:21 channel desk takes
        08:00:21 channel zhang takes
        08:00:22 answer 1-n1 timed_out
          #1-n1 try 1 timed_out, no more
          -> desk: sos#1 n3 rung 1.0
          08:00:23 -> zhang: sos#1 n4 rung 1.0 try 3
        08:00:30 .
    ",
    );
}
