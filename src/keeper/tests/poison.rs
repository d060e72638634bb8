//! Planted faults: a home whose decisions fail is frozen, its calls for help are heard, and nobody else notices.

use super::story;

#[test]
fn a_home_that_fails_is_frozen_and_its_calls_are_still_heard() {
    story(
        "
        08:00:00 h1/button button=poison!
          h1 frozen
          welfare_check#1 raised in h1: engine fault
          welfare_check#1 calls rung 1.0 until 08:05:00
          engine_fault#2 raised in h1: engine fault
          engine_fault#2 calls rung 0.0 until 1d 08:00:00
          -> desk: welfare_check#1 n1 rung 1.0
        08:00:10 h1/button button=poison!
          nothing: frozen_home_hears_life_only
        08:00:15 recall h1/button at=07:50:00 sos=true!
          nothing: frozen_home_hears_life_only
        08:00:20 h1/button sos=true
          sos#3 raised in h1: said sos
          sos#3 calls rung 1.0 until 08:01:20
          -> desk: sos#3 n1 rung 1.0
          -> zhang: sos#3 n2 rung 1.0
        08:00:21 h1/smoke smoke=true
          smoke#4 raised in h1: said smoke
          smoke#4 calls rung 1.0 until 08:01:21
          -> desk: smoke#4 n1 rung 1.0
          -> zhang: smoke#4 n2 rung 1.0
        08:00:22 h1/button battery_low=true
          nothing: frozen_home_hears_life_only
        08:00:30 h2/button sos=true!
          sos#5 raised in h2: said sos
          sos#5 calls rung 1.0 until 08:01:30
          -> desk: sos#5 n1 rung 1.0
          -> zhang: sos#5 n2 rung 1.0
        08:00:40 kill
        08:00:41 start
          started, epoch 2
        08:00:42 link up
          hearing, lost 12 s
        08:00:43 press
          sos#3 counted, events 2
        08:00:50 zhang seen #3
          sos#3 taken by zhang until 08:03:50
          -> desk: sos#3 n3 taken by zhang
          -> zhang: sos#3 n4 taken by zhang
    ",
    );
}

#[test]
fn a_home_that_fails_when_its_time_has_come_does_not_stop_the_site() {
    story(
        "
        08:00:00 h1/button sos=true!
          sos#1 raised in h1: said sos
          sos#1 calls rung 1.0 until 08:01:00
          -> desk: sos#1 n1 rung 1.0
          -> zhang: sos#1 n2 rung 1.0
        08:00:01 register device:h1:h1/poison
          08:01:00 h1 frozen
          08:01:00 welfare_check#2 raised in h1: engine fault
          08:01:00 welfare_check#2 calls rung 1.0 until 08:06:00
          08:01:00 engine_fault#3 raised in h1: engine fault
          08:01:00 engine_fault#3 calls rung 0.0 until 1d 08:01:00
          08:01:00 -> desk: welfare_check#2 n1 rung 1.0
        08:01:00 .
        08:01:05 h2/button sos=true!
          sos#4 raised in h2: said sos
          sos#4 calls rung 1.0 until 08:02:05
          -> desk: sos#4 n1 rung 1.0
          -> zhang: sos#4 n2 rung 1.0
          08:01:10 welfare_check#2 counted, events 2
          08:01:10 engine_fault#3 counted, events 2
        08:01:15 .
    ",
    );
}

#[test]
fn what_a_lone_stranger_s_failure_has_raised_goes_along_when_it_is_claimed() {
    story(
        "
        08:00:00 x9/stranger button=poison!
          pseudo-home unclaimed/z2m/x9/stranger
          unclaimed/z2m/x9/stranger frozen
          welfare_check#1 raised in unclaimed/z2m/x9/stranger: engine fault
          welfare_check#1 calls rung 1.0 until 08:05:00
          engine_fault#2 raised in unclaimed/z2m/x9/stranger: engine fault
          engine_fault#2 calls rung 0.0 until 1d 08:00:00
          -> desk: welfare_check#1 n1 rung 1.0
        08:01:00 register device:h1:x9/stranger
          #1 leaves unclaimed/z2m/x9/stranger
          #2 leaves unclaimed/z2m/x9/stranger
          welfare_check#1 joins h1
          welfare_check#1 calls rung 1.0 until 08:06:00
          engine_fault#2 joins h1
          engine_fault#2 calls rung 0.0 until 1d 08:01:00
          -> desk: welfare_check#1 n2 rung 1.0
    ",
    );
}
