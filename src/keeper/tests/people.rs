//! What people do with alarms, and what is refused.

use super::story;

#[test]
fn a_life_alarm_closes_only_after_safe() {
    story(
        "
        08:00:00 press
          sos#1 raised in h1: said sos
          sos#1 calls rung 1.0 until 08:01:00
          -> desk: sos#1 n1 rung 1.0
          -> zhang: sos#1 n2 rung 1.0
        08:00:30 zhang close
          refused: not_safe_yet
          08:01:00 sos#1 calls rung 3.0 until 08:03:00
          08:01:00 -> deputy: sos#1 n3 rung 3.0
        08:01:00 zhang no-answer
        08:01:10 zhang close
          refused: not_safe_yet
        08:01:20 zhang safe spoke
          sos#1 settled
          -> deputy: sos#1 n6 taken by zhang
          -> desk: sos#1 n4 taken by zhang
          -> zhang: sos#1 n5 taken by zhang
        08:01:30 zhang close helped
          sos#1 closed by zhang helped
          -> deputy: sos#1 n9 closed helped
          -> desk: sos#1 n7 closed helped
          -> zhang: sos#1 n8 closed helped
        08:01:40 zhang seen #1
          refused: closed
        08:01:50 zhang seen #7
          refused: no_such_alarm
    ",
    );
}

#[test]
fn an_act_on_what_has_changed_meanwhile_is_refused() {
    story(
        "
        08:00:00 press
          sos#1 raised in h1: said sos
          sos#1 calls rung 1.0 until 08:01:00
          -> desk: sos#1 n1 rung 1.0
          -> zhang: sos#1 n2 rung 1.0
        08:00:30 zhang seen rev=9
          refused: stale_revision
        08:00:31 press
          sos#1 counted, events 2
        08:00:40 zhang seen rev=1
          refused: stale_revision
        08:00:50 zhang seen rev=2
          sos#1 taken by zhang until 08:03:50
          -> desk: sos#1 n3 taken by zhang
          -> zhang: sos#1 n4 taken by zhang
    ",
    );
}

#[test]
fn who_cannot_get_in_brings_others_at_once() {
    story(
        "
        08:00:00 press
          sos#1 raised in h1: said sos
          sos#1 calls rung 1.0 until 08:01:00
          -> desk: sos#1 n1 rung 1.0
          -> zhang: sos#1 n2 rung 1.0
        08:00:30 zhang on-site
          sos#1 taken by zhang until 08:30:30
          -> desk: sos#1 n3 taken by zhang
          -> zhang: sos#1 n4 taken by zhang
        08:05:00 zhang no-access
          sos#1 calls rung 1.0 until 08:06:00
          -> desk: sos#1 n5 rung 1.0
          -> zhang: sos#1 n6 rung 1.0
        08:05:20 deputy no-access
          sos#1 calls rung 3.0 until 08:07:20
          -> deputy: sos#1 n7 rung 3.0
        08:05:40 deputy no-access
          sos#1 calls rung 4.0 until 08:07:40
          -> lead: sos#1 n8 rung 4.0
        08:06:00 zhang safe seen
          sos#1 settled
          -> deputy: sos#1 n11 taken by zhang
          -> desk: sos#1 n9 taken by zhang
          -> lead: sos#1 n12 taken by zhang
          -> zhang: sos#1 n10 taken by zhang
        08:06:10 zhang no-access
    ",
    );
}

#[test]
fn an_alarm_is_held_once() {
    story(
        "
        08:00:00 press
          sos#1 raised in h1: said sos
          sos#1 calls rung 1.0 until 08:01:00
          -> desk: sos#1 n1 rung 1.0
          -> zhang: sos#1 n2 rung 1.0
        08:00:10 zhang hold
          sos#1 taken by zhang until 08:01:10
          -> desk: sos#1 n3 taken by zhang
          -> zhang: sos#1 n4 taken by zhang
        08:00:20 zhang hold
          refused: held_before
          08:01:10 sos#1 calls rung 1.0 until 08:02:10
          08:01:10 -> desk: sos#1 n5 rung 1.0
          08:01:10 -> zhang: sos#1 n6 rung 1.0
        08:01:10 .
        08:01:20 zhang seen
          sos#1 taken by zhang until 08:04:20
          -> desk: sos#1 n7 taken by zhang
          -> zhang: sos#1 n8 taken by zhang
        08:01:30 desk hold
          refused: held_before
    ",
    );
}

#[test]
fn whoever_writes_down_what_they_did_goes_on_having_it() {
    story(
        "
        08:00:00 press
          sos#1 raised in h1: said sos
          sos#1 calls rung 1.0 until 08:01:00
          -> desk: sos#1 n1 rung 1.0
          -> zhang: sos#1 n2 rung 1.0
        08:00:05 zhang note
        08:00:10 zhang seen
          sos#1 taken by zhang until 08:03:10
          -> desk: sos#1 n3 taken by zhang
          -> zhang: sos#1 n4 taken by zhang
        08:01:00 desk note
        08:02:00 zhang note
          sos#1 taken by zhang until 08:05:00
        08:04:59 .
          08:05:00 sos#1 calls rung 1.0 until 08:06:00
          08:05:00 -> desk: sos#1 n5 rung 1.0
          08:05:00 -> zhang: sos#1 n6 rung 1.0
        08:05:01 zhang on-my-way 10
          sos#1 taken by zhang until 08:20:01
          -> desk: sos#1 n7 taken by zhang
          -> zhang: sos#1 n8 taken by zhang
        08:06:00 zhang note
          sos#1 taken by zhang until 08:20:01
          08:20:01 sos#1 calls rung 1.0 until 08:21:01
          08:20:01 -> desk: sos#1 n9 rung 1.0
          08:20:01 -> zhang: sos#1 n10 rung 1.0
          08:21:01 sos#1 calls rung 3.0 until 08:23:01
          08:21:01 -> deputy: sos#1 n11 rung 3.0
          08:23:01 sos#1 calls rung 4.0 until 08:25:01
          08:23:01 -> lead: sos#1 n12 rung 4.0
          08:25:01 sos#1 calls rung 4.1 until 08:27:01
          08:25:01 -> lead: sos#1 n13 rung 4.1
          08:27:01 sos#1 calls rung 4.2 until 08:29:01
          08:27:01 -> lead: sos#1 n14 rung 4.2
          08:29:01 sos#1 calls rung 4.3 until 08:31:01
          08:29:01 -> lead: sos#1 n15 rung 4.3
        08:30:00 zhang on-my-way 10
          sos#1 taken by zhang until 08:45:00
          -> deputy: sos#1 n18 taken by zhang
          -> desk: sos#1 n16 taken by zhang
          -> lead: sos#1 n19 taken by zhang
          -> zhang: sos#1 n17 taken by zhang
        08:43:00 zhang note
          sos#1 taken by zhang until 08:45:00
          08:45:00 sos#1 calls rung 1.0 until 08:46:00
          08:45:00 -> desk: sos#1 n20 rung 1.0
          08:45:00 -> zhang: sos#1 n21 rung 1.0
        08:45:01 .
    ",
    );
}

#[test]
fn no_answer_renews_nothing() {
    story(
        "
        08:00:00 press
          sos#1 raised in h1: said sos
          sos#1 calls rung 1.0 until 08:01:00
          -> desk: sos#1 n1 rung 1.0
          -> zhang: sos#1 n2 rung 1.0
        08:00:10 zhang seen
          sos#1 taken by zhang until 08:03:10
          -> desk: sos#1 n3 taken by zhang
          -> zhang: sos#1 n4 taken by zhang
        08:03:00 zhang no-answer
          08:03:10 sos#1 calls rung 1.0 until 08:04:10
          08:03:10 -> desk: sos#1 n5 rung 1.0
          08:03:10 -> zhang: sos#1 n6 rung 1.0
        08:03:20 .
    ",
    );
}

#[test]
fn who_cannot_come_gives_the_alarm_back() {
    story(
        "
        08:00:00 press
          sos#1 raised in h1: said sos
          sos#1 calls rung 1.0 until 08:01:00
          -> desk: sos#1 n1 rung 1.0
          -> zhang: sos#1 n2 rung 1.0
        08:00:10 zhang on-my-way 15
          sos#1 taken by zhang until 08:20:10
          -> desk: sos#1 n3 taken by zhang
          -> zhang: sos#1 n4 taken by zhang
        08:00:20 desk cannot
        08:00:30 zhang cannot
          sos#1 calls rung 1.0 until 08:01:30
          -> desk: sos#1 n5 rung 1.0
          -> zhang: sos#1 n6 rung 1.0
    ",
    );
}

#[test]
fn seen_by_one_takes_nothing_from_another_who_is_on_the_way() {
    story(
        "
        08:00:00 press
          sos#1 raised in h1: said sos
          sos#1 calls rung 1.0 until 08:01:00
          -> desk: sos#1 n1 rung 1.0
          -> zhang: sos#1 n2 rung 1.0
        08:00:10 zhang on-my-way 15
          sos#1 taken by zhang until 08:20:10
          -> desk: sos#1 n3 taken by zhang
          -> zhang: sos#1 n4 taken by zhang
        08:00:20 desk seen
        08:04:00 .
        08:05:00 zhang on-site
          sos#1 taken by zhang until 08:35:00
        08:06:00 desk on-my-way 5
        08:07:00 zhang on-my-way 5
          sos#1 taken by zhang until 08:17:00
    ",
    );
}

#[test]
fn taken_and_closed_reach_all_who_know() {
    story(
        "
        08:00:00 press
          sos#1 raised in h1: said sos
          sos#1 calls rung 1.0 until 08:01:00
          -> desk: sos#1 n1 rung 1.0
          -> zhang: sos#1 n2 rung 1.0
          08:01:00 sos#1 calls rung 3.0 until 08:03:00
          08:01:00 -> deputy: sos#1 n3 rung 3.0
        08:02:10 desk seen
          sos#1 taken by desk until 08:05:10
          -> deputy: sos#1 n6 taken by desk
          -> desk: sos#1 n4 taken by desk
          -> zhang: sos#1 n5 taken by desk
        08:03:00 desk safe spoke
          sos#1 settled
        08:04:00 desk close
          sos#1 closed by desk helped
          -> deputy: sos#1 n9 closed helped
          -> desk: sos#1 n7 closed helped
          -> zhang: sos#1 n8 closed helped
    ",
    );
}

#[test]
fn closing_while_taken_is_still_being_told_tells_of_the_end_alone() {
    story(
        "
        08:00:00 press
          sos#1 raised in h1: said sos
          sos#1 calls rung 1.0 until 08:01:00
          -> desk: sos#1 n1 rung 1.0
          -> zhang: sos#1 n2 rung 1.0
        08:00:05 channel zhang refuses
        08:00:10 desk seen
          sos#1 taken by desk until 08:03:10
          -> desk: sos#1 n3 taken by desk
          -> zhang: sos#1 n4 taken by desk
          #1-n4 try 1 refused, again 08:00:11
          08:00:11 -> zhang: sos#1 n4 taken by desk try 2
          08:00:11 #1-n4 try 2 refused, again 08:00:13
        08:00:12 desk safe spoke
          sos#1 settled
          08:00:13 -> zhang: sos#1 n4 taken by desk try 3
          08:00:13 #1-n4 try 3 refused, again 08:00:17
        08:00:13 desk close
          sos#1 closed by desk helped
          #1-n4 withdrawn
          -> desk: sos#1 n5 closed helped
          -> zhang: sos#1 n6 closed helped
          #1-n6 try 1 refused, again 08:00:14
          08:00:14 -> zhang: sos#1 n6 closed helped try 2
          08:00:14 #1-n6 try 2 refused, again 08:00:16
        08:00:14 channel zhang takes
          08:00:16 -> zhang: sos#1 n6 closed helped try 3
        08:00:40 .
    ",
    );
}

#[test]
fn journey_1_the_silent_repeat() {
    story(
        "
        08:19:00 press
          sos#1 raised in h1: said sos
          sos#1 calls rung 1.0 until 08:20:00
          -> desk: sos#1 n1 rung 1.0
          -> zhang: sos#1 n2 rung 1.0
        08:19:20 zhang seen
          sos#1 taken by zhang until 08:22:20
          -> desk: sos#1 n3 taken by zhang
          -> zhang: sos#1 n4 taken by zhang
        08:20:00 zhang no-answer
        08:21:00 zhang close accidental
          refused: not_safe_yet
          08:22:20 sos#1 calls rung 1.0 until 08:23:20
          08:22:20 -> desk: sos#1 n5 rung 1.0
          08:22:20 -> zhang: sos#1 n6 rung 1.0
        08:22:20 .
          08:23:20 sos#1 calls rung 3.0 until 08:25:20
          08:23:20 -> deputy: sos#1 n7 rung 3.0
          08:25:20 sos#1 calls rung 4.0 until 08:27:20
          08:25:20 -> lead: sos#1 n8 rung 4.0
          08:27:20 sos#1 calls rung 4.1 until 08:29:20
          08:27:20 -> lead: sos#1 n9 rung 4.1
          08:29:20 sos#1 calls rung 4.2 until 08:31:20
          08:29:20 -> lead: sos#1 n10 rung 4.2
        08:30:00 zhang seen
          sos#1 taken by zhang until 08:33:00
          -> deputy: sos#1 n13 taken by zhang
          -> desk: sos#1 n11 taken by zhang
          -> lead: sos#1 n14 taken by zhang
          -> zhang: sos#1 n12 taken by zhang
        08:31:00 press
          sos#1 counted, events 2
          sos#1 calls rung 1.0 until 08:32:00
          -> desk: sos#1 n15 rung 1.0
          -> zhang: sos#1 n16 rung 1.0
    ",
    );
}

#[test]
fn journey_3_taken_and_never_arrived() {
    story(
        "
        02:00:00 press
          sos#1 raised in h1: said sos
          sos#1 calls rung 1.0 until 02:01:00
          -> desk: sos#1 n1 rung 1.0
          -> zhang: sos#1 n2 rung 1.0
          02:01:00 sos#1 calls rung 3.0 until 02:03:00
          02:01:00 -> deputy: sos#1 n3 rung 3.0
        02:01:00 zhang on-my-way 15
          sos#1 taken by zhang until 02:21:00
          -> deputy: sos#1 n6 taken by zhang
          -> desk: sos#1 n4 taken by zhang
          -> zhang: sos#1 n5 taken by zhang
        02:06:00 .
        02:20:50 kill
        02:21:30 start
          started, epoch 2
          sos#1 calls rung 1.0 until 02:22:30 late 30 s
          -> desk: sos#1 n7 rung 1.0 late 30 s
          -> zhang: sos#1 n8 rung 1.0 late 30 s
        02:21:31 link up
          hearing, lost 331 s
          02:22:30 sos#1 calls rung 3.0 until 02:24:30
          02:22:30 -> deputy: sos#1 n9 rung 3.0
          02:24:30 sos#1 calls rung 4.0 until 02:26:30
          02:24:30 -> lead: sos#1 n10 rung 4.0
          02:26:30 sos#1 calls rung 4.1 until 02:28:30
          02:26:30 -> lead: sos#1 n11 rung 4.1
          02:28:30 sos#1 calls rung 4.2 until 02:30:30
          02:28:30 -> lead: sos#1 n12 rung 4.2
        02:30:00 zhang on-site
          sos#1 taken by zhang until 03:00:00
          -> deputy: sos#1 n15 taken by zhang
          -> desk: sos#1 n13 taken by zhang
          -> lead: sos#1 n16 taken by zhang
          -> zhang: sos#1 n14 taken by zhang
        02:40:00 zhang close
          refused: not_safe_yet
    ",
    );
}

#[test]
fn what_was_closed_by_mistake_calls_again_under_its_own_id() {
    story(
        "
        08:00:00 press
          sos#1 raised in h1: said sos
          sos#1 calls rung 1.0 until 08:01:00
          -> desk: sos#1 n1 rung 1.0
          -> zhang: sos#1 n2 rung 1.0
        08:00:20 zhang safe spoke
          sos#1 settled
          -> desk: sos#1 n3 taken by zhang
          -> zhang: sos#1 n4 taken by zhang
        08:00:30 zhang reopen
          sos#1 not safe any more
          sos#1 calls rung 1.0 until 08:01:30
          -> desk: sos#1 n5 rung 1.0
          -> zhang: sos#1 n6 rung 1.0
        08:01:00 zhang safe spoke
          sos#1 settled
          -> desk: sos#1 n7 taken by zhang
          -> zhang: sos#1 n8 taken by zhang
        08:01:10 zhang close
          sos#1 closed by zhang helped
          -> desk: sos#1 n9 closed helped
          -> zhang: sos#1 n10 closed helped
        08:02:00 kill
        08:03:00 start
          started, epoch 2
        08:03:00 link up
          hearing, lost 110 s
        08:05:00 desk reopen #1 rev=3
          refused: stale_revision
        08:05:00 desk seen #1
          refused: closed
        08:05:00 desk reopen #1
          sos#1 reopened
          sos#1 calls rung 1.0 until 08:06:00
          -> desk: sos#1 n11 rung 1.0
          -> zhang: sos#1 n12 rung 1.0
        08:05:30 zhang seen #1
          sos#1 taken by zhang until 08:08:30
          -> desk: sos#1 n13 taken by zhang
          -> zhang: sos#1 n14 taken by zhang
        08:06:00 desk reopen #2
          refused: no_such_alarm
        08:06:30 zhang safe seen #1
          sos#1 settled
        08:06:40 zhang close #1
          sos#1 closed by zhang helped
          -> desk: sos#1 n15 closed helped
          -> zhang: sos#1 n16 closed helped
        08:07:00 press
          sos#2 raised in h1: said sos
          sos#2 calls rung 1.0 until 08:08:00
          -> desk: sos#2 n1 rung 1.0
          -> zhang: sos#2 n2 rung 1.0
        08:07:10 desk reopen #1
          refused: raised_again
        08:07:20 zhang safe spoke #2
          sos#2 settled
          -> desk: sos#2 n3 taken by zhang
          -> zhang: sos#2 n4 taken by zhang
        08:07:30 zhang close #2
          sos#2 closed by zhang helped
          -> desk: sos#2 n5 closed helped
          -> zhang: sos#2 n6 closed helped
    ",
    );
}

#[test]
fn two_operators_take_the_same_alarm_and_one_of_them_has_it() {
    story(
        "
        08:00:00 press
          sos#1 raised in h1: said sos
          sos#1 calls rung 1.0 until 08:01:00
          -> desk: sos#1 n1 rung 1.0
          -> zhang: sos#1 n2 rung 1.0
        08:00:10 zhang seen rev=1
          sos#1 taken by zhang until 08:03:10
          -> desk: sos#1 n3 taken by zhang
          -> zhang: sos#1 n4 taken by zhang
        08:00:10 desk seen rev=1
          refused: stale_revision
        08:00:11 desk on-my-way 10 rev=1
          refused: stale_revision
        08:00:20 desk hold
          refused: not_yours
        08:00:25 desk cannot
        08:00:30 desk on-my-way 10 rev=2
          refused: stale_revision
        08:00:40 zhang seen rev=3
          refused: stale_revision
        08:00:50 zhang cannot
          sos#1 calls rung 1.0 until 08:01:50
          -> desk: sos#1 n5 rung 1.0
          -> zhang: sos#1 n6 rung 1.0
        08:01:00 desk cannot
        08:01:10 zhang seen
          sos#1 taken by zhang until 08:04:10
          -> desk: sos#1 n7 taken by zhang
          -> zhang: sos#1 n8 taken by zhang
        08:01:20 desk safe spoke
          sos#1 settled
        08:01:30 zhang close
          sos#1 closed by zhang helped
          -> desk: sos#1 n9 closed helped
          -> zhang: sos#1 n10 closed helped
    ",
    );
}

#[test]
fn who_is_said_to_come_and_is_not_there_in_time_holds_the_ladder_no_longer() {
    story(
        "
        08:00:00 press
          sos#1 raised in h1: said sos
          sos#1 calls rung 1.0 until 08:01:00
          -> desk: sos#1 n1 rung 1.0
          -> zhang: sos#1 n2 rung 1.0
        08:00:20 zhang on-my-way 90
          sos#1 taken by zhang until 08:45:00
          -> desk: sos#1 n3 taken by zhang
          -> zhang: sos#1 n4 taken by zhang
        08:44:59 .
          08:45:00 sos#1 calls rung 1.0 until 08:46:00
          08:45:00 -> desk: sos#1 n5 rung 1.0
          08:45:00 -> zhang: sos#1 n6 rung 1.0
        08:45:01 .
        08:45:30 deputy on-my-way 10
          sos#1 taken by deputy until 09:00:30
          -> desk: sos#1 n7 taken by deputy
          -> zhang: sos#1 n8 taken by deputy
        09:00:29 .
          09:00:30 sos#1 calls rung 1.0 until 09:01:30
          09:00:30 -> desk: sos#1 n9 rung 1.0
          09:00:30 -> zhang: sos#1 n10 rung 1.0
        09:00:31 deputy on-site
          sos#1 taken by deputy until 09:30:31
          -> desk: sos#1 n11 taken by deputy
          -> zhang: sos#1 n12 taken by deputy
        09:20:00 deputy safe seen
          sos#1 settled
        09:20:10 deputy close
          sos#1 closed by deputy helped
          -> desk: sos#1 n13 closed helped
          -> zhang: sos#1 n14 closed helped
    ",
    );
}

#[test]
fn whoever_is_at_the_door_in_time_is_not_disturbed() {
    story(
        "
        08:00:00 press
          sos#1 raised in h1: said sos
          sos#1 calls rung 1.0 until 08:01:00
          -> desk: sos#1 n1 rung 1.0
          -> zhang: sos#1 n2 rung 1.0
        08:00:20 zhang on-my-way 90
          sos#1 taken by zhang until 08:45:00
          -> desk: sos#1 n3 taken by zhang
          -> zhang: sos#1 n4 taken by zhang
        08:44:00 zhang on-site
          sos#1 taken by zhang until 09:14:00
        08:44:30 zhang seen
          sos#1 taken by zhang until 09:14:00
        09:13:59 .
          09:14:00 sos#1 calls rung 1.0 until 09:15:00
          09:14:00 -> desk: sos#1 n5 rung 1.0
          09:14:00 -> zhang: sos#1 n6 rung 1.0
        09:14:01 .
          09:15:00 sos#1 calls rung 3.0 until 09:17:00
          09:15:00 -> deputy: sos#1 n7 rung 3.0
        09:15:00 zhang safe seen
          sos#1 settled
          -> deputy: sos#1 n10 taken by zhang
          -> desk: sos#1 n8 taken by zhang
          -> zhang: sos#1 n9 taken by zhang
        09:15:10 zhang close
          sos#1 closed by zhang helped
          -> deputy: sos#1 n13 closed helped
          -> desk: sos#1 n11 closed helped
          -> zhang: sos#1 n12 closed helped
        10:00:00 register rules:h2:on_site_breach_min=0
        10:00:00 h2/button sos=true!
          sos#2 raised in h2: said sos
          sos#2 calls rung 1.0 until 10:01:00
          -> desk: sos#2 n1 rung 1.0
          -> zhang: sos#2 n2 rung 1.0
        10:00:20 zhang on-my-way 90
          sos#2 taken by zhang until 11:35:20
          -> desk: sos#2 n3 taken by zhang
          -> zhang: sos#2 n4 taken by zhang
        11:35:19 .
          11:35:20 sos#2 calls rung 1.0 until 11:36:20
          11:35:20 -> desk: sos#2 n5 rung 1.0
          11:35:20 -> zhang: sos#2 n6 rung 1.0
        11:35:21 .
    ",
    );
}
