//! The core as its users live with it: stories of presses, people, ladders and failures.

mod chance;
mod cold;
mod commissioning;
mod desk;
mod duty;
mod guard;
mod journeys;
mod ladders;
mod learning;
mod outages;
mod people;
#[cfg(feature = "poison")]
mod poison;
mod presses;
mod proof;
mod restarts;
mod routine;
mod scene;
mod silence;
mod storms;
mod suppressions;
mod technical;
mod turns;
mod visits;
mod words;

use scene::Scene;

/// Plays a story on the usual site and compares what came of it, line by line, with what the story says.
fn story(text: &str) {
    play(text, Scene::usual);
}

/// Plays a story on a site that was just set up.
fn story_from_nothing(text: &str) {
    play(text, Scene::empty);
}

/// Plays a story on a site of one home and of ladders that repeat once a day.
fn story_of_silence(text: &str) {
    play(text, Scene::calm);
}

fn play(text: &str, stage: fn(u64) -> Scene) {
    let lines: Vec<&str> = text.lines().map(str::trim_end).filter(|l| !l.trim().is_empty()).collect();
    let indent = lines.first().map_or(0, |l| l.len() - l.trim_start().len());
    let mut scene: Option<Scene> = None;
    let mut actual = String::new();
    for line in lines.iter().map(|l| &l[indent.min(l.len())..]).filter(|l| !l.starts_with(' ')) {
        let (time, what) = line.split_once(' ').unwrap_or((line, ""));
        let now = words::millis(time);
        let scene = scene.get_or_insert_with(|| stage(now));
        scene.advance(now);
        take(scene, &mut actual);
        actual.push_str(&format!("{line}\n"));
        scene.happens(what);
        take(scene, &mut actual);
    }
    let expected: String = lines.iter().map(|l| format!("{}\n", &l[indent.min(l.len())..])).collect();
    if expected != actual {
        let shown: String = actual.lines().map(|l| format!("{}{l}\n", " ".repeat(indent))).collect();
        panic!("the story went otherwise:\n<<<\n{shown}>>>\nexpected:\n{expected}");
    }
}

#[test]
fn all_that_a_life_alarm_needs_may_use_the_reserve_of_a_full_disk() {
    let cases = [
        ("channel desk hangs", None),
        ("h2/motion temperature=20", Some(false)),
        ("press", Some(true)),
        ("answer 1-n1 timed_out", Some(true)),
        ("zhang seen", Some(true)),
        ("h1/button sos=true~ rest=1", Some(true)),
        ("zhang seen", Some(true)),
        // A latched button says so once more: perhaps it was pressed again.
        ("h1/button sos=true~ rest=1", Some(true)),
        ("h1/motion tamper=true", Some(false)),
        ("link down", Some(false)),
    ];
    let mut scene = Scene::usual(0);
    for (what, life) in cases {
        scene.happens(what);
        assert!(life.is_none_or(|life| scene.life == life), "{what}");
    }
}

fn take(scene: &mut Scene, to: &mut String) {
    for line in scene.told.drain(..) {
        to.push_str(&format!("  {line}\n"));
    }
}
