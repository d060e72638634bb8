//! What is technical and can wait: told at its hours, of all homes in one message, and nobody is woken for it.

use super::{scene::Scene, story, story_from_nothing, words};

#[test]
fn what_can_wait_is_told_at_nine_and_at_three_in_one_message() {
    story(
        "
        06:30:00 register ladder:tech:desk ladders:h1:technical=tech ladders:h2:technical=tech ladders:h3:technical=tech
        06:40:00 h1/smoke battery_low=true
          battery_low#1 raised in h1: said battery_low
          battery_low#1 calls rung 0.0 until 09:00:00
        06:50:00 h2/button tamper=true
          tamper#2 raised in h2: said tamper
          tamper#2 calls rung 0.0 until 09:00:00
        07:00:00 h2/motion battery_low=true
          battery_low#3 raised in h2: said battery_low
          battery_low#3 calls rung 0.0 until 09:00:00
        07:30:00 h2/button tamper=false
          tamper#2 over
          09:00:00 battery_low#1 calls rung 1.0 until 15:00:00
          09:00:00 tamper#2 calls rung 1.0 until 15:00:00
          09:00:00 battery_low#3 calls rung 1.0 until 15:00:00
        09:00:04 .
          09:00:05 -> desk: digest#4 of battery_low#1 tamper#2 battery_low#3
        09:00:06 .
        09:10:00 h3/door battery_low=true
          battery_low#5 raised in h3: said battery_low
          battery_low#5 calls rung 0.0 until 15:00:00
        11:30:00 desk on-my-way 240 #1
          battery_low#1 taken by desk until 15:35:00
          -> desk: battery_low#1 n2 taken by desk
          14:54:00 inactivity_check#6 raised in h1: cap, silent 08:24:00
          14:54:00 inactivity_check#6 calls rung 0.0 until 1d 14:54:00
          14:54:00 inactivity_check#7 raised in h2: cap, silent 08:24:00
          14:54:00 inactivity_check#7 calls rung 0.0 until 1d 14:54:00
          14:54:00 inactivity_check#8 raised in h3: cap, silent 08:24:00
          14:54:00 inactivity_check#8 calls rung 0.0 until 1d 14:54:00
        14:59:59 .
          15:00:00 tamper#2 calls rung 1.1 until 1d 09:00:00
          15:00:00 battery_low#3 calls rung 1.1 until 1d 09:00:00
          15:00:00 battery_low#5 calls rung 1.0 until 1d 09:00:00
          15:00:05 -> desk: digest#9 of battery_low#5 tamper#2 battery_low#3
        15:00:10 desk close #2
          tamper#2 closed by desk helped
          -> desk: tamper#2 n3 closed helped
        15:00:20 .
    ",
    );
}

#[test]
fn a_single_one_is_told_by_itself_and_an_end_before_its_hour_is_told_to_nobody() {
    story(
        "
        01:00:00 register ladder:tech:desk ladders:h1:technical=tech ladders:h2:technical=tech
        02:00:00 h1/smoke battery_low=true
          battery_low#1 raised in h1: said battery_low
          battery_low#1 calls rung 0.0 until 09:00:00
        03:00:00 h2/button tamper=true
          tamper#2 raised in h2: said tamper
          tamper#2 calls rung 0.0 until 09:00:00
        04:30:00 h2/button tamper=false
          tamper#2 over
        08:00:00 desk close #2
          tamper#2 closed by desk helped
          09:00:00 battery_low#1 calls rung 1.0 until 15:00:00
          09:00:05 -> desk: battery_low#1 n1 rung 1.0
        09:00:10 .
    ",
    );
}

#[test]
fn whoever_names_a_ladder_for_the_kind_is_told_at_once() {
    story_from_nothing(
        "
        02:00:00 register channel:desk channel:b responder:desk responder:b ladder:tech:desk ladder:life:b
        02:00:00 register ladders:h1:technical=tech,battery_low=tech device:h1:h1/smoke
        02:10:00 h1/smoke battery_low=true
          battery_low#1 raised in h1: said battery_low
          battery_low#1 calls rung 1.0 until 02:12:00
          02:10:05 -> desk: battery_low#1 n1 rung 1.0
        02:11:00 .
    ",
    );
}

#[test]
fn a_restart_over_the_hour_tells_it_late_and_once() {
    story(
        "
        01:00:00 register ladder:tech:desk ladders:h1:technical=tech ladders:h2:technical=tech
        02:00:00 h1/smoke battery_low=true
          battery_low#1 raised in h1: said battery_low
          battery_low#1 calls rung 0.0 until 09:00:00
        04:00:00 h2/motion battery_low=true
          battery_low#2 raised in h2: said battery_low
          battery_low#2 calls rung 0.0 until 09:00:00
        08:59:00 kill
        09:20:00 start
          started, epoch 2
          pseudo-home gateway/z
          outage#3 raised in gateway/z: 3 homes unheard, deaf
          outage#3 calls rung 0.0 until 1d 09:20:00
          battery_low#1 calls rung 1.0 until 15:00:00 late 1200 s
          battery_low#2 calls rung 1.0 until 15:00:00 late 1200 s
        09:20:00 link up
          hearing, lost 1500 s
          outage#3 over
        09:20:03 kill
        09:20:04 start
          started, epoch 3
        09:20:04 link up
          hearing, lost 4 s
          09:20:05 -> desk: digest#4 of battery_low#1 battery_low#2
        09:20:10 .
    ",
    );
}

#[test]
fn two_thousand_batteries_are_a_few_messages() {
    let mut scene = Scene::district(words::millis("01:00:00"), 2_000);
    scene.happens("register ladder:technical:desk");
    let batteries: Vec<String> = (0..2_000).map(|n| format!("g{n}/motion battery_low=true")).collect();
    for homes in (0..2_000).collect::<Vec<_>>().chunks(500) {
        let all = homes.iter().map(|n| format!("ladders:g{n}:technical=technical"));
        scene.happens(&format!("register {}", all.collect::<Vec<_>>().join(" ")));
    }
    batteries.iter().for_each(|battery| scene.happens(battery));
    scene.told.clear();
    scene.advance(words::millis("09:01:00"));
    let messages: Vec<&String> = scene.told.iter().filter(|line| line.contains("-> ")).collect();
    assert!(messages.iter().all(|line| line.contains("-> desk: digest#")), "{:?}", messages.first());
    assert!((1..=30).contains(&messages.len()), "{}", messages.len());
    let told: usize = messages.iter().map(|line| line.matches("battery_low#").count()).sum();
    assert_eq!(told, 2_000);
}
