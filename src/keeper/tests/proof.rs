//! Test messages: a person has seen that a channel reaches people.

use super::scene::Scene;
use super::{story, words};
use crate::engine::id::ChannelId;
use crate::engine::time::{Millis, Wall};

#[test]
fn a_test_message_brings_a_code_and_whoever_received_it_says_it() {
    story(
        "
        08:00:00 received lead 4711
          refused: no_test_waits
        08:00:10 try nobody 4711
          refused: no_such_channel
        08:00:20 try lead 4711
          -> lead: test#1 4711
        08:00:30 received lead 1174
          refused: wrong_code
        08:00:40 received deputy 4711
          refused: no_test_waits
        08:00:50 received lead 4711
        08:01:00 received lead 4711
          refused: no_test_waits
        08:01:10 press
          sos#2 raised in h1: said sos
          sos#2 calls rung 1.0 until 08:02:10
          -> desk: sos#2 n1 rung 1.0
          -> zhang: sos#2 n2 rung 1.0
        08:01:20 zhang safe spoke
          sos#2 settled
          -> desk: sos#2 n3 taken by zhang
          -> zhang: sos#2 n4 taken by zhang
        08:01:30 zhang close
          sos#2 closed by zhang helped
          -> desk: sos#2 n5 closed helped
          -> zhang: sos#2 n6 closed helped
    ",
    );
}

#[test]
fn a_test_that_fails_is_tried_on_over_a_restart_until_another_is_asked_for() {
    story(
        "
        08:00:00 channel desk refuses
        08:00:00 try desk 4711
          -> desk: test#1 4711
          #1-n1 try 1 refused, again 08:00:01
          08:00:01 -> desk: test#1 4711 try 2
          08:00:01 #1-n1 try 2 refused, again 08:00:03
        08:00:02 kill
        08:00:03 start
          started, epoch 2
          -> desk: test#1 4711 try 3
          #1-n1 try 3 refused, again 08:00:07
        08:00:03 link up
          hearing, lost 2 s
        08:00:04 try desk 1174
          #1-n1 withdrawn
          -> desk: test#2 1174
          #2-n1 try 1 refused, again 08:00:05
        08:00:04 channel desk takes
          08:00:05 -> desk: test#2 1174 try 2
        08:00:10 press
          sos#3 raised in h1: said sos
          sos#3 calls rung 1.0 until 08:01:10
          -> desk: sos#3 n1 rung 1.0
          -> zhang: sos#3 n2 rung 1.0
        08:00:12 received desk 4711
          refused: wrong_code
        08:00:12 received desk 1174
    ",
    );
}

#[test]
fn what_was_seen_of_a_channel_holds_until_it_leads_elsewhere_or_half_a_year_has_passed() {
    let (lead, mut scene) = (ChannelId::new("lead").unwrap(), Scene::usual(words::millis("08:00:00")));
    let seen = |scene: &Scene, days: u64| {
        let then = scene.core.now().wall + Millis::from_mins(days * 24 * 60);
        scene.core.site.seen_by(&lead, Wall(then.0)).is_some()
    };
    scene.happens("try lead 4711");
    assert!(!seen(&scene, 0));
    scene.happens("received lead 4711");
    assert!(seen(&scene, 0) && seen(&scene, 180) && !seen(&scene, 181));
    scene.happens("register channel:lead:8");
    assert!(seen(&scene, 0), "it takes more at once, and leads where it led");
    ["kill", "start", "link up"].into_iter().for_each(|what| scene.happens(what));
    assert!(seen(&scene, 0), "over a restart");
    scene.happens("register elsewhere:lead");
    assert!(!seen(&scene, 0));
    scene.advance(words::millis("33:00:00"));
    scene.happens("try lead 4711");
    scene.advance(words::millis("57:00:00"));
    scene.happens("received lead 4711");
    assert!(seen(&scene, 0), "a day later");
    scene.happens("try lead 4712");
    scene.advance(words::millis("81:00:01"));
    scene.told.clear();
    scene.happens("received lead 4712");
    assert_eq!(scene.told.last().map(String::as_str), Some("refused: no_test_waits"));
}
