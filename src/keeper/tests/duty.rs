//! Rotas: who is told is who is on duty when it is their turn; and whether somebody will be there is looked at ahead.

use super::story_from_nothing;

#[test]
fn whoever_is_on_duty_when_the_rung_is_told_is_told() {
    story_from_nothing(
        "
        17:58:30 register channel:desk channel:day channel:night channel:lead responder:desk responder:day responder:night responder:lead rota:duty:0800-1800=day/1800-0800=night ladder:life:desk,@duty,desk+@duty,lead
        17:58:40 h1/button sos=true!
          pseudo-home unclaimed/z2m/h1/button
          sos#1 raised in unclaimed/z2m/h1/button: said sos
          sos#1 calls rung 1.0 until 17:59:40
          -> desk: sos#1 n1 rung 1.0
          17:59:40 sos#1 calls rung 2.0 until 18:00:40
          17:59:40 -> day: sos#1 n2 rung 2.0
          18:00:40 sos#1 calls rung 3.0 until 18:01:40
          18:00:40 -> desk: sos#1 n3 rung 3.0
          18:00:40 -> night: sos#1 n4 rung 3.0
          18:01:40 sos#1 calls rung 4.0 until 18:03:40
          18:01:40 -> lead: sos#1 n5 rung 4.0
        18:02:00 .
    ",
    );
}

#[test]
fn a_restart_between_two_rungs_and_over_a_hand_over_changes_nothing_of_it() {
    story_from_nothing(
        "
        17:58:30 register channel:desk channel:day channel:night responder:desk responder:day responder:night rota:duty:0800-1800=day/1800-0800=night ladder:life:desk,@duty,desk+@duty
        17:59:20 h1/button sos=true!
          pseudo-home unclaimed/z2m/h1/button
          sos#1 raised in unclaimed/z2m/h1/button: said sos
          sos#1 calls rung 1.0 until 18:00:20
          -> desk: sos#1 n1 rung 1.0
        17:59:50 kill
        18:00:05 start
          started, epoch 2
          18:00:20 sos#1 calls rung 2.0 until 18:01:20
          18:00:20 -> night: sos#1 n2 rung 2.0
        18:00:30 kill
        18:01:00 start
          started, epoch 3
          18:01:20 sos#1 calls rung 3.0 until 18:03:20
          18:01:20 -> desk: sos#1 n3 rung 3.0
          18:01:20 -> night: sos#1 n4 rung 3.0
        18:02:00 .
    ",
    );
}

#[test]
fn a_rung_of_which_nobody_is_on_duty_is_skipped_at_once() {
    story_from_nothing(
        "
        12:00:00 register channel:desk channel:night channel:lead responder:desk responder:night responder:lead rota:night:1800-0800=night rota:empty: ladder:life:@night,desk,@empty,lead
        12:00:00 h1/button sos=true!
          pseudo-home unclaimed/z2m/h1/button
          sos#1 raised in unclaimed/z2m/h1/button: said sos
          sos#1 calls rung 2.0 until 12:01:00
          -> desk: sos#1 n1 rung 2.0
          12:01:00 sos#1 calls rung 4.0 until 12:03:00
          12:01:00 -> lead: sos#1 n2 rung 4.0
        12:02:00 .
    ",
    );
}

#[test]
fn what_could_be_told_to_nobody_is_told_as_soon_as_somebody_comes_on_duty() {
    story_from_nothing(
        "
        07:55:00 register channel:day responder:day rota:duty:0800-1800=day ladder:life:@duty
        07:59:10 h1/button sos=true!
          pseudo-home unclaimed/z2m/h1/button
          sos#1 raised in unclaimed/z2m/h1/button: said sos
          sos#1 calls rung 0.0 until 08:01:10
          08:00:00 sos#1 calls rung 1.0 until 08:02:00
          08:00:00 -> day: sos#1 n1 rung 1.0
        08:01:00 .
    ",
    );
}

#[test]
fn a_rung_that_fails_is_left_at_once_whoever_has_come_on_duty_since() {
    story_from_nothing(
        "
        17:58:30 register channel:day channel:night channel:lead responder:day responder:night responder:lead rota:duty:0800-1800=day/1800-0800=night ladder:life:@duty,lead
        17:58:40 channel day hangs
        17:59:50 h1/button sos=true!
          pseudo-home unclaimed/z2m/h1/button
          sos#1 raised in unclaimed/z2m/h1/button: said sos
          sos#1 calls rung 1.0 until 18:00:50
          -> day: sos#1 n1 rung 1.0
        18:00:10 answer 1-n1 20
          #1-n1 try 1 rate_limited, again 18:00:30
          sos#1 n1 fails at day
          sos#1 calls rung 2.0 until 18:02:10
          -> lead: sos#1 n2 rung 2.0
        18:00:15 .
    ",
    );
}

#[test]
fn a_gap_of_the_coming_days_is_an_alarm_and_over_when_it_is_filled() {
    story_from_nothing(
        "
        08:00:00 register channel:desk channel:deputy channel:lead responder:desk responder:deputy responder:lead
        08:01:00 register rota:duty:0800-2000=deputy+lead ladder:life:desk,@duty rules:h1:responders_life=2
          08:06:00 pseudo-home staff/z
          08:06:00 coverage_gap#1 raised in staff/z: life of 1 from 20:00:00: [TooFew, NobodyWoken, FewMedia]
          08:06:00 coverage_gap#1 calls rung 0.0 until 1d 08:06:00
        09:00:00 register rota:duty:0800-2000=deputy+lead/2000-0800=lead
          09:05:00 coverage_gap#1 over
        10:00:00 register rota:duty:0800-2000=deputy+lead/2000-0700=lead
          10:05:00 coverage_gap#1 counted, events 2
        10:06:00 kill
        10:07:00 start
          started, epoch 2
        10:15:00 .
    ",
    );
}

#[test]
fn a_gap_that_stays_is_told_once_and_one_that_somebody_closed_again_the_next_day() {
    story_from_nothing(
        "
        08:00:00 register channel:desk channel:zhang responder:desk responder:zhang ladder:life:desk,zhang rules:h1:responders_life=2
          08:05:00 pseudo-home staff/z
          08:05:00 coverage_gap#1 raised in staff/z: life of 1 from 08:05:00: [NobodyWoken, FewMedia]
          08:05:00 coverage_gap#1 calls rung 0.0 until 1d 08:05:00
        09:00:00 register rules:h1:responders_life=1
          1d 08:05:00 coverage_gap#1 calls rung 0.0 until 2d 08:05:00
        32:30:00 desk close
          coverage_gap#1 closed by desk helped
          1d 09:05:00 coverage_gap#2 raised in staff/z: life of 1 from 1d 09:05:00: [NobodyWoken, FewMedia]
          1d 09:05:00 coverage_gap#2 calls rung 0.0 until 2d 09:05:00
        56:30:00 .
    ",
    );
}

#[test]
fn where_alarms_have_no_ladder_nobody_is_there_and_who_is_not_watched_needs_nobody() {
    story_from_nothing(
        "
        08:00:00 register rules:h1:responders_life=1 rules:h2:responders_life=1 left:h2
          08:05:00 pseudo-home staff/z
          08:05:00 coverage_gap#1 raised in staff/z: no ladder of 1 from 08:05:00: [Nobody]
          08:05:00 coverage_gap#1 calls rung 0.0 until 1d 08:05:00
        08:30:00 register left:h1
          08:35:00 coverage_gap#1 over
        09:00:00 .
    ",
    );
}
