//! Journeys through several rooms: what PRACTICE says must never fail, and nights on which much goes wrong at once.

use super::story;

#[test]
fn journey_2_press_then_smoke() {
    story(
        "
        19:00:00 register ladder:fire:desk+lead,deputy ladders:h1:smoke=fire
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
          -> lead: smoke#2 n2 rung 1.0
          -> zhang: smoke#2 n3 rung 1.0
        20:01:40 zhang safe seen #1
          sos#1 settled
        20:01:50 zhang close #1
          sos#1 closed by zhang helped
          -> desk: sos#1 n5 closed helped
          -> zhang: sos#1 n6 closed helped
          20:02:30 smoke#2 calls rung 2.0 until 20:04:30
          20:02:30 -> deputy: smoke#2 n4 rung 2.0
        20:02:31 zhang close #2
          refused: not_safe_yet
    ",
    );
}

#[test]
fn pressed_again_during_the_hold() {
    story(
        "
        08:00:00 press
          sos#1 raised in h1: said sos
          sos#1 calls rung 1.0 until 08:01:00
          -> desk: sos#1 n1 rung 1.0
          -> zhang: sos#1 n2 rung 1.0
        08:00:20 zhang hold
          sos#1 taken by zhang until 08:01:20
          -> desk: sos#1 n3 taken by zhang
          -> zhang: sos#1 n4 taken by zhang
        08:00:40 press
          sos#1 counted, events 2
          sos#1 calls rung 1.0 until 08:01:40
          -> desk: sos#1 n5 rung 1.0
          -> zhang: sos#1 n6 rung 1.0
        08:00:50 zhang hold
          refused: held_before
        08:00:55 zhang seen
          sos#1 taken by zhang until 08:03:55
          -> desk: sos#1 n7 taken by zhang
          -> zhang: sos#1 n8 taken by zhang
    ",
    );
}

#[test]
fn a_press_in_hospital_mode_and_in_a_test_window() {
    story(
        "
        08:00:00 suppress h1 hospital 72:00:00
          h1 is hospital until 3d 00:00:00
        08:01:00 press
          sos#1 raised in h1: said sos
          sos#1 calls rung 1.0 until 08:02:00
          -> desk: sos#1 n1 rung 1.0
          -> zhang: sos#1 n2 rung 1.0
        08:01:10 zhang safe spoke
          sos#1 settled
          -> desk: sos#1 n3 taken by zhang
          -> zhang: sos#1 n4 taken by zhang
        08:01:20 zhang close accidental
          sos#1 closed by zhang accidental
          -> desk: sos#1 n5 closed accidental
          -> zhang: sos#1 n6 closed accidental
        09:00:00 walk h2 open 10 1
          test window of installer until 09:10:00, 1 calls
        09:01:00 h2/button sos=true!
          h2/button works, called sos
          sos#2 raised in h2: said sos
          sos#2 closed by installer test
        09:02:00 h2/button sos=true!
          sos#3 raised in h2: said sos
          sos#3 calls rung 1.0 until 09:03:00
          -> desk: sos#3 n1 rung 1.0
          -> zhang: sos#3 n2 rung 1.0
    ",
    );
}

#[test]
fn all_channels_are_dead_and_then_one_comes_back() {
    story(
        "
        08:00:00 channel desk gone
        08:00:00 channel zhang refuses
        08:00:00 channel deputy refuses
        08:00:00 channel lead refuses
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
          08:00:01 #1-n3 try 1 refused, again 08:00:02
          08:00:02 -> deputy: sos#1 n3 rung 3.0 try 2
          08:00:02 #1-n3 try 2 refused, again 08:00:04
          08:00:02 sos#1 n3 fails at deputy
          08:00:02 sos#1 calls rung 4.0 until 08:02:02
          08:00:02 -> lead: sos#1 n4 rung 4.0
          08:00:02 #1-n4 try 1 refused, again 08:00:03
          08:00:03 -> lead: sos#1 n4 rung 4.0 try 2
          08:00:03 -> zhang: sos#1 n2 rung 1.0 try 3
          08:00:03 #1-n4 try 2 refused, again 08:00:05
          08:00:03 sos#1 n4 fails at lead
          08:00:03 #1-n2 try 3 refused, again 08:00:07
          08:00:04 -> deputy: sos#1 n3 rung 3.0 try 3
          08:00:04 #1-n3 try 3 refused, again 08:00:08
          08:00:05 -> desk: sos#1 n1 rung 1.0 try 2
          08:00:05 -> lead: sos#1 n4 rung 4.0 try 3
          08:00:05 #1-n1 try 2 gone, again 08:00:20
          08:00:05 #1-n4 try 3 refused, again 08:00:09
          08:00:07 -> zhang: sos#1 n2 rung 1.0 try 4
          08:00:07 #1-n2 try 4 refused, again 08:00:15
          08:00:08 -> deputy: sos#1 n3 rung 3.0 try 4
          08:00:08 #1-n3 try 4 refused, again 08:00:16
          08:00:09 -> lead: sos#1 n4 rung 4.0 try 4
          08:00:09 #1-n4 try 4 refused, again 08:00:17
          08:00:15 -> zhang: sos#1 n2 rung 1.0 try 5
          08:00:15 #1-n2 try 5 refused, again 08:00:30
          08:00:16 -> deputy: sos#1 n3 rung 3.0 try 5
          08:00:16 #1-n3 try 5 refused, again 08:00:31
          08:00:17 -> lead: sos#1 n4 rung 4.0 try 5
          08:00:17 #1-n4 try 5 refused, again 08:00:32
          08:00:20 -> desk: sos#1 n1 rung 1.0 try 3
          08:00:20 #1-n1 try 3 gone, again 08:01:20
          08:00:30 -> zhang: sos#1 n2 rung 1.0 try 6
          08:00:30 #1-n2 try 6 refused, again 08:00:45
        08:00:30 channel lead takes
          08:00:31 -> deputy: sos#1 n3 rung 3.0 try 6
          08:00:31 #1-n3 try 6 refused, again 08:00:46
          08:00:32 -> lead: sos#1 n4 rung 4.0 try 6
          08:00:45 -> zhang: sos#1 n2 rung 1.0 try 7
          08:00:45 #1-n2 try 7 refused, again 08:01:00
          08:00:46 -> deputy: sos#1 n3 rung 3.0 try 7
          08:00:46 #1-n3 try 7 refused, again 08:01:01
          08:01:00 -> zhang: sos#1 n2 rung 1.0 try 8
          08:01:00 #1-n2 try 8 refused, again 08:01:15
          08:01:01 -> deputy: sos#1 n3 rung 3.0 try 8
          08:01:01 #1-n3 try 8 refused, again 08:01:16
          08:01:15 -> zhang: sos#1 n2 rung 1.0 try 9
          08:01:15 #1-n2 try 9 refused, again 08:01:30
          08:01:16 -> deputy: sos#1 n3 rung 3.0 try 9
          08:01:16 #1-n3 try 9 refused, again 08:01:31
          08:01:20 -> desk: sos#1 n1 rung 1.0 try 4
          08:01:20 #1-n1 try 4 gone, again 08:02:20
          08:01:30 -> zhang: sos#1 n2 rung 1.0 try 10
          08:01:30 #1-n2 try 10 refused, again 08:01:45
          08:01:31 -> deputy: sos#1 n3 rung 3.0 try 10
          08:01:31 #1-n3 try 10 refused, again 08:01:46
          08:01:45 -> zhang: sos#1 n2 rung 1.0 try 11
          08:01:45 #1-n2 try 11 refused, again 08:02:00
          08:01:46 -> deputy: sos#1 n3 rung 3.0 try 11
          08:01:46 #1-n3 try 11 refused, again 08:02:01
          08:02:00 -> zhang: sos#1 n2 rung 1.0 try 12
          08:02:00 #1-n2 try 12 refused, again 08:02:15
        08:02:00 .
    ",
    );
}

#[test]
fn an_acknowledgement_races_a_send() {
    story(
        "
        08:00:00 channel deputy hangs
        08:00:00 press
          sos#1 raised in h1: said sos
          sos#1 calls rung 1.0 until 08:01:00
          -> desk: sos#1 n1 rung 1.0
          -> zhang: sos#1 n2 rung 1.0
          08:01:00 sos#1 calls rung 3.0 until 08:03:00
          08:01:00 -> deputy: sos#1 n3 rung 3.0
        08:01:00 zhang seen
          sos#1 taken by zhang until 08:04:00
          #1-n3 withdrawn
          -> desk: sos#1 n4 taken by zhang
          -> zhang: sos#1 n5 taken by zhang
        08:01:01 answer 1-n3 delivered
          -> deputy: sos#1 n6 taken by zhang
        08:01:30 zhang safe spoke
          sos#1 settled
        08:01:40 zhang close
          sos#1 closed by zhang helped
          #1-n6 withdrawn
          -> desk: sos#1 n7 closed helped
          -> zhang: sos#1 n8 closed helped
    ",
    );
}
