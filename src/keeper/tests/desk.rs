//! An empty desk: a call for help does not wait for somebody who is not there.

use super::play;
use super::scene::{Scene, calm_registry, channel, ladder, responder};
use crate::engine::registry::Entity;

/// One home; the desk is given five minutes before the deputy is called.
fn story(text: &str) {
    play(text, |now| {
        let mut all: Vec<Entity> = calm_registry();
        all.extend([channel("deputy", 4), responder("deputy", &["deputy"])]);
        all.push(ladder("life", &[("desk", 300), ("deputy", 86_400)], 86_400));
        Scene::of(now, all)
    });
}

#[test]
fn while_somebody_is_at_the_console_the_first_rung_has_its_time() {
    story(
        "
        08:00:00 console staffed
        08:10:00 press
          sos#1 raised in h1: said sos
          sos#1 calls rung 1.0 until 08:15:00
          -> desk: sos#1 n1 rung 1.0
          08:15:00 sos#1 calls rung 2.0 until 1d 08:15:00
          08:15:00 -> deputy: sos#1 n2 rung 2.0
        08:20:00 .
    ",
    );
}

#[test]
fn at_an_empty_desk_a_call_waits_for_a_minute() {
    story(
        "
        08:00:00 console staffed
        08:05:00 console empty
        08:10:00 press
          sos#1 raised in h1: said sos
          sos#1 calls rung 1.0 until 08:11:00
          -> desk: sos#1 n1 rung 1.0
          08:11:00 sos#1 calls rung 2.0 until 1d 08:11:00
          08:11:00 -> deputy: sos#1 n2 rung 2.0
        08:20:00 .
    ",
    );
}

#[test]
fn when_the_last_leaves_a_call_that_waits_goes_on_a_minute_later() {
    story(
        "
        08:00:00 console staffed
        08:10:00 press
          sos#1 raised in h1: said sos
          sos#1 calls rung 1.0 until 08:15:00
          -> desk: sos#1 n1 rung 1.0
        08:11:00 console empty
          08:12:00 sos#1 calls rung 2.0 until 1d 08:12:00
          08:12:00 -> deputy: sos#1 n2 rung 2.0
        08:20:00 .
    ",
    );
}

#[test]
fn a_call_that_comes_just_after_waits_for_its_own_minute() {
    story(
        "
        08:00:00 console staffed
        08:09:30 console empty
        08:10:00 press
          sos#1 raised in h1: said sos
          sos#1 calls rung 1.0 until 08:15:00
          -> desk: sos#1 n1 rung 1.0
          08:10:30 sos#1 calls rung 1.0 until 08:11:00
          08:11:00 sos#1 calls rung 2.0 until 1d 08:11:00
          08:11:00 -> deputy: sos#1 n2 rung 2.0
        08:20:00 .
    ",
    );
}

#[test]
fn who_loads_the_page_anew_has_not_left() {
    story(
        "
        08:00:00 console staffed
        08:10:00 press
          sos#1 raised in h1: said sos
          sos#1 calls rung 1.0 until 08:15:00
          -> desk: sos#1 n1 rung 1.0
        08:10:10 console empty
        08:10:40 console staffed
          08:15:00 sos#1 calls rung 2.0 until 1d 08:15:00
          08:15:00 -> deputy: sos#1 n2 rung 2.0
        08:20:00 .
    ",
    );
}

#[test]
fn a_new_process_has_no_console_until_one_comes_back() {
    story(
        "
        08:00:00 console staffed
        08:10:00 press
          sos#1 raised in h1: said sos
          sos#1 calls rung 1.0 until 08:15:00
          -> desk: sos#1 n1 rung 1.0
        08:10:20 kill
        08:10:30 start
          started, epoch 2
        08:10:30 link up
          hearing, lost 30 s
          08:11:30 sos#1 calls rung 2.0 until 1d 08:11:30
          08:11:30 -> deputy: sos#1 n2 rung 2.0
        08:20:00 .
    ",
    );
}
