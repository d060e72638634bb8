//! Ladders, channels and the outbox, over restarts too.

use super::scene::Scene;
use super::{story, story_from_nothing};
use crate::engine::kind::AlarmKind;

#[test]
fn a_ladder_waits_skips_who_cannot_be_reached_and_repeats_its_last_rung_without_end() {
    story(
        "
        08:00:00 press
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
        08:08:00 .
    ",
    );
}

#[test]
fn a_rung_that_fails_is_left_at_once() {
    story(
        "
        08:00:00 channel desk gone
        08:00:00 channel zhang refuses
        08:00:00 press
          sos#1 raised in h1: said sos
          sos#1 calls rung 1.0 until 08:01:00
          -> desk: sos#1 n1 rung 1.0
          -> zhang: sos#1 n2 rung 1.0
          #1-n1 try 1 gone, again 08:00:05
          sos#1 n1 fails at desk
          pseudo-home channel/z/desk
          channel_down#2 raised in channel/z/desk: desk gone
          channel_down#2 calls rung 0.0 until 1d 08:00:00
          #1-n2 try 1 refused, again 08:00:01
          08:00:01 -> zhang: sos#1 n2 rung 1.0 try 2
          08:00:01 #1-n2 try 2 refused, again 08:00:03
          08:00:01 sos#1 n2 fails at zhang
          08:00:01 sos#1 calls rung 3.0 until 08:02:01
          08:00:01 -> deputy: sos#1 n3 rung 3.0
        08:00:02 .
    ",
    );
}

#[test]
fn a_channel_that_is_still_being_told_is_not_told_twice() {
    story(
        "
        08:00:00 channel deputy hangs
        08:00:00 channel lead hangs
        08:00:00 press
          sos#1 raised in h1: said sos
          sos#1 calls rung 1.0 until 08:01:00
          -> desk: sos#1 n1 rung 1.0
          -> zhang: sos#1 n2 rung 1.0
          08:01:00 sos#1 calls rung 3.0 until 08:03:00
          08:01:00 -> deputy: sos#1 n3 rung 3.0
          08:03:00 sos#1 calls rung 4.0 until 08:05:00
          08:03:00 -> lead: sos#1 n4 rung 4.0
          08:05:00 sos#1 calls rung 4.1 until 08:07:00
          08:07:00 sos#1 calls rung 4.2 until 08:09:00
        08:07:00 answer 1-n4 delivered
        08:07:05 .
    ",
    );
}

#[test]
fn a_last_rung_that_fails_does_not_end_the_telling() {
    story(
        "
        08:00:00 channel lead gone
        08:00:00 press
          sos#1 raised in h1: said sos
          sos#1 calls rung 1.0 until 08:01:00
          -> desk: sos#1 n1 rung 1.0
          -> zhang: sos#1 n2 rung 1.0
          08:01:00 sos#1 calls rung 3.0 until 08:03:00
          08:01:00 -> deputy: sos#1 n3 rung 3.0
          08:03:00 sos#1 calls rung 4.0 until 08:05:00
          08:03:00 -> lead: sos#1 n4 rung 4.0
          08:03:00 #1-n4 try 1 gone, again 08:03:05
          08:03:00 sos#1 n4 fails at lead
          08:03:00 pseudo-home channel/z/lead
          08:03:00 channel_down#2 raised in channel/z/lead: lead gone
          08:03:00 channel_down#2 calls rung 0.0 until 1d 08:03:00
          08:03:05 -> lead: sos#1 n4 rung 4.0 try 2
          08:03:05 #1-n4 try 2 gone, again 08:03:20
          08:03:20 -> lead: sos#1 n4 rung 4.0 try 3
          08:03:20 #1-n4 try 3 gone, again 08:04:20
          08:04:20 -> lead: sos#1 n4 rung 4.0 try 4
          08:04:20 #1-n4 try 4 gone, again 08:05:20
          08:05:00 sos#1 calls rung 3.1 until 08:07:00
          08:05:00 -> deputy: sos#1 n5 rung 3.1
          08:05:20 -> lead: sos#1 n4 rung 4.0 try 5
          08:05:20 #1-n4 try 5 gone, again 08:06:20
        08:06:00 .
    ",
    );
}

#[test]
fn rungs_of_a_dead_channel_are_passed_at_once() {
    story_from_nothing(
        "
        08:00:00 register channel:a channel:b responder:a responder:b ladder:life:a,a,b
        08:00:00 channel a gone
        08:00:00 h1/button sos=true!
          pseudo-home unclaimed/z2m/h1/button
          sos#1 raised in unclaimed/z2m/h1/button: said sos
          sos#1 calls rung 1.0 until 08:01:00
          -> a: sos#1 n1 rung 1.0
          #1-n1 try 1 gone, again 08:00:05
          sos#1 n1 fails at a
          sos#1 calls rung 3.0 until 08:02:00
          pseudo-home channel/z/a
          channel_down#2 raised in channel/z/a: a gone
          channel_down#2 calls rung 0.0 until 1d 08:00:00
          -> b: sos#1 n2 rung 3.0
          08:00:05 -> a: sos#1 n1 rung 1.0 try 2
          08:00:05 #1-n1 try 2 gone, again 08:00:20
        08:00:10 .
    ",
    );
}

#[test]
fn a_failing_notice_is_tried_on_under_its_id() {
    story(
        "
        08:00:00 channel desk refuses
        08:00:00 press
          sos#1 raised in h1: said sos
          sos#1 calls rung 1.0 until 08:01:00
          -> desk: sos#1 n1 rung 1.0
          -> zhang: sos#1 n2 rung 1.0
          #1-n1 try 1 refused, again 08:00:01
          08:00:01 -> desk: sos#1 n1 rung 1.0 try 2
          08:00:01 #1-n1 try 2 refused, again 08:00:03
          08:00:01 sos#1 n1 fails at desk
          08:00:03 -> desk: sos#1 n1 rung 1.0 try 3
          08:00:03 #1-n1 try 3 refused, again 08:00:07
          08:00:07 -> desk: sos#1 n1 rung 1.0 try 4
          08:00:07 #1-n1 try 4 refused, again 08:00:15
          08:00:15 -> desk: sos#1 n1 rung 1.0 try 5
          08:00:15 #1-n1 try 5 refused, again 08:00:30
          08:00:30 -> desk: sos#1 n1 rung 1.0 try 6
          08:00:30 #1-n1 try 6 refused, again 08:00:45
        08:00:31 channel desk takes
          08:00:45 -> desk: sos#1 n1 rung 1.0 try 7
        08:00:50 .
    ",
    );
}

#[test]
fn what_the_receiver_asks_for_is_waited_for() {
    story(
        "
        08:00:00 channel desk hangs
        08:00:00 press
          sos#1 raised in h1: said sos
          sos#1 calls rung 1.0 until 08:01:00
          -> desk: sos#1 n1 rung 1.0
          -> zhang: sos#1 n2 rung 1.0
        08:00:01 answer 1-n1 20
          #1-n1 try 1 rate_limited, again 08:00:21
          sos#1 n1 fails at desk
          08:00:21 -> desk: sos#1 n1 rung 1.0 try 2
        08:00:21 answer 1-n1 86400
          #1-n1 try 2 rate_limited, again 08:10:21
        08:00:22 .
    ",
    );
}

#[test]
fn a_channel_that_is_back_gets_what_waits_at_once() {
    story(
        "
        08:00:00 channel desk refuses
        08:00:00 press
          sos#1 raised in h1: said sos
          sos#1 calls rung 1.0 until 08:01:00
          -> desk: sos#1 n1 rung 1.0
          -> zhang: sos#1 n2 rung 1.0
          #1-n1 try 1 refused, again 08:00:01
        08:00:00 h2/button sos=true!
          sos#2 raised in h2: said sos
          sos#2 calls rung 1.0 until 08:01:00
          -> desk: sos#2 n1 rung 1.0
          -> zhang: sos#2 n2 rung 1.0
          #2-n1 try 1 refused, again 08:00:01
          08:00:01 -> desk: sos#1 n1 rung 1.0 try 2
          08:00:01 -> desk: sos#2 n1 rung 1.0 try 2
          08:00:01 #1-n1 try 2 refused, again 08:00:03
          08:00:01 sos#1 n1 fails at desk
          08:00:01 #2-n1 try 2 refused, again 08:00:03
          08:00:01 sos#2 n1 fails at desk
          08:00:03 -> desk: sos#1 n1 rung 1.0 try 3
          08:00:03 -> desk: sos#2 n1 rung 1.0 try 3
          08:00:03 #1-n1 try 3 refused, again 08:00:07
          08:00:03 #2-n1 try 3 refused, again 08:00:07
          08:00:07 -> desk: sos#1 n1 rung 1.0 try 4
          08:00:07 -> desk: sos#2 n1 rung 1.0 try 4
          08:00:07 #1-n1 try 4 refused, again 08:00:15
          08:00:07 #2-n1 try 4 refused, again 08:00:15
          08:00:15 -> desk: sos#1 n1 rung 1.0 try 5
          08:00:15 -> desk: sos#2 n1 rung 1.0 try 5
          08:00:15 #1-n1 try 5 refused, again 08:00:30
          08:00:15 #2-n1 try 5 refused, again 08:00:30
        08:00:20 channel desk takes
          08:00:30 -> desk: sos#1 n1 rung 1.0 try 6
          08:00:30 -> desk: sos#2 n1 rung 1.0 try 6
        08:00:31 .
    ",
    );
}

#[test]
fn half_of_the_slots_are_lifes_own() {
    story_from_nothing(
        "
        08:00:00 register channel:a:2 responder:a ladder:life:a ladder:welfare:a
        08:00:00 channel a hangs
        08:00:00 h1/button sos=true~ rest=1
          pseudo-home unclaimed/z2m/h1/button
          sos#1 raised in unclaimed/z2m/h1/button: said sos
          sos#1 calls rung 1.0 until 08:02:00
          -> a: sos#1 n1 rung 1.0
        08:00:01 desk seen
          sos#1 taken by desk until 08:03:01
          #1-n1 withdrawn
        08:00:02 h1/button sos=true~ rest=1
          possible_press#2 raised in unclaimed/z2m/h1/button: latched repeat sos
          possible_press#2 calls rung 1.0 until 08:02:02
        08:00:03 h2/button sos=true!
          pseudo-home unclaimed/z2m/h2/button
          sos#3 raised in unclaimed/z2m/h2/button: said sos
          sos#3 calls rung 1.0 until 08:02:03
          -> a: sos#3 n1 rung 1.0
        08:00:04 h3/button sos=true!
          pseudo-home unclaimed/z2m/h3/button
          sos#4 raised in unclaimed/z2m/h3/button: said sos
          sos#4 calls rung 1.0 until 08:02:04
        08:00:05 answer 1-n1 delivered
          -> a: sos#4 n1 rung 1.0
        08:00:06 answer 3-n1 delivered
          -> a: sos#1 n2 taken by desk
    ",
    );
}

#[test]
fn a_notice_that_is_taken_back_while_it_is_sent_is_not_sent_again() {
    story(
        "
        08:00:00 channel desk hangs
        08:00:00 press
          sos#1 raised in h1: said sos
          sos#1 calls rung 1.0 until 08:01:00
          -> desk: sos#1 n1 rung 1.0
          -> zhang: sos#1 n2 rung 1.0
        08:00:05 zhang seen
          sos#1 taken by zhang until 08:03:05
          #1-n1 withdrawn
          -> zhang: sos#1 n4 taken by zhang
        08:00:10 answer 1-n1 timed_out
          #1-n1 try 1 timed_out, no more
          -> desk: sos#1 n3 taken by zhang
        08:00:20 answer 1-n3 delivered
    ",
    );
}

#[test]
fn a_notice_that_was_taken_back_is_not_sent_again_after_a_restart() {
    story(
        "
        08:00:00 channel desk hangs
        08:00:00 press
          sos#1 raised in h1: said sos
          sos#1 calls rung 1.0 until 08:01:00
          -> desk: sos#1 n1 rung 1.0
          -> zhang: sos#1 n2 rung 1.0
        08:00:05 zhang seen
          sos#1 taken by zhang until 08:03:05
          #1-n1 withdrawn
          -> zhang: sos#1 n4 taken by zhang
        08:00:10 kill
        08:00:12 start
          started, epoch 2
          #1-n1 try 1 interrupted, no more
          -> desk: sos#1 n3 taken by zhang
        08:00:13 link up
          hearing, lost 8 s
    ",
    );
}

#[test]
fn a_restart_sends_what_was_under_way_under_its_id_and_goes_on_where_it_stood() {
    story(
        "
        08:00:00 channel desk hangs
        08:00:00 press
          sos#1 raised in h1: said sos
          sos#1 calls rung 1.0 until 08:01:00
          -> desk: sos#1 n1 rung 1.0
          -> zhang: sos#1 n2 rung 1.0
        08:00:30 kill
        08:00:40 start
          started, epoch 2
          #1-n1 try 1 interrupted, again 08:00:40
          -> desk: sos#1 n1 rung 1.0 try 2
        08:00:41 link up
          hearing, lost 41 s
        08:00:42 channel desk takes
        08:00:43 answer 1-n1 delivered
          08:01:00 sos#1 calls rung 3.0 until 08:03:00
          08:01:00 -> deputy: sos#1 n3 rung 3.0
        08:02:00 .
    ",
    );
}

#[test]
fn what_is_overdue_after_a_restart_fires_once_and_says_how_late() {
    story(
        "
        08:00:00 press
          sos#1 raised in h1: said sos
          sos#1 calls rung 1.0 until 08:01:00
          -> desk: sos#1 n1 rung 1.0
          -> zhang: sos#1 n2 rung 1.0
        08:00:30 kill
        08:10:00 start
          started, epoch 2
          sos#1 calls rung 3.0 until 08:12:00 late 540 s
          -> deputy: sos#1 n3 rung 3.0 late 540 s
        08:10:01 link up
          hearing, lost 601 s
          08:12:00 sos#1 calls rung 4.0 until 08:14:00
          08:12:00 -> lead: sos#1 n4 rung 4.0
        08:12:00 .
    ",
    );
}

#[test]
fn a_channel_by_which_nothing_arrives_is_an_alarm_until_something_does() {
    const MINUTE: u64 = 60_000;
    let begins = 8 * 60 * MINUTE;
    // What the receiver does, and for how many minutes; then whether an alarm says that the channel is down, and whether it is over.
    let cases = [("refuses", 4, None), ("refuses", 6, Some(false)), ("gone", 1, Some(false)), ("takes", 7, Some(true))];
    let mut scene = Scene::usual(begins);
    let mut now = begins;
    for (does, minutes, expected) in cases {
        scene.happens(&format!("channel zhang {does}"));
        // A new call tells the first rung anew.
        if now > begins {
            scene.happens("desk seen");
        }
        scene.happens("press");
        now += minutes * MINUTE;
        scene.advance(now);
        let homes = scene.core.homes.iter();
        let down: Vec<_> = homes.filter_map(|home| home.state.alarm(AlarmKind::ChannelDown)).collect();
        assert_eq!(down.first().map(|alarm| alarm.over.is_some()), expected, "{does} for {minutes} minutes");
        assert!(down.len() < 2);
        if does == "refuses" && minutes < 5 {
            // It comes back in time, which is no matter for anybody.
            scene.happens("channel zhang takes");
            now += MINUTE;
            scene.advance(now);
            scene.happens("channel zhang refuses");
        }
    }
}
