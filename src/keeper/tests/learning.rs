//! What a home's own past makes of its silences, and what an entrance door makes of them: a home that has lived for some weeks.

use super::scene::Scene;
use crate::engine::kind::AlarmKind;

const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// A home whose person rises at seven, stirs every half hour, goes out from nine to eleven on most days and sleeps from eleven.
fn lived(days: u64) -> Scene {
    let mut scene = Scene::calm(6 * HOUR);
    for day in 0..days {
        for n in 0..32 {
            let minutes = 7 * 60 + n * 30 + (day * 7 + n * 5) % 11;
            let out = day % 4 != 3 && (9 * 60..11 * 60).contains(&minutes);
            if !out {
                says(&mut scene, day * DAY + minutes * MINUTE, "h1/motion motion=true!");
            }
            if out && minutes < 9 * 60 + 30 {
                goes_through_the_door(&mut scene, day * DAY + 9 * HOUR);
                goes_through_the_door(&mut scene, day * DAY + 11 * HOUR - 2 * MINUTE);
            }
        }
    }
    scene.told.clear();
    scene
}

fn goes_through_the_door(scene: &mut Scene, at: u64) {
    says(scene, at, "h1/door contact=open!");
    says(scene, at + 20_000, "h1/door contact=closed!");
}

fn says(scene: &mut Scene, at: u64, what: &str) {
    scene.advance(at);
    scene.happens(what);
}

/// When, in minutes after `from`, a check and an alarm of silence come, if nothing is heard until two days later.
fn silent_from(scene: &mut Scene, from: u64) -> (u64, u64) {
    let mut raised = |kind: AlarmKind| {
        (from / MINUTE..(from + 2 * DAY) / MINUTE).find(|minute| {
            scene.advance(minute * MINUTE);
            scene.core.homes[0].state.alarm(kind).is_some()
        })
    };
    let check = raised(AlarmKind::InactivityCheck).expect("a check");
    let alarm = raised(AlarmKind::Inactivity).expect("an alarm");
    (check - from / MINUTE, alarm - from / MINUTE)
}

#[test]
fn limits_become_those_of_the_home() {
    for (days, noon, night) in [(1, 720, 840), (6, 720, 840), (30, 360, 720)] {
        let by_day = |hour: u64| {
            let mut scene = lived(days);
            let from = (days - 1) * DAY + hour * HOUR + 10 * MINUTE;
            let mut last = from.max((days - 1) * DAY + 23 * HOUR);
            if hour < 22 {
                // The next day, until noon.
                last = days * DAY + hour * HOUR;
                for n in 0..=(hour - 7) * 2 {
                    says(&mut scene, days * DAY + 7 * HOUR + n * 30 * MINUTE, "h1/motion motion=true!");
                }
            } else {
                says(&mut scene, last, "h1/motion motion=true!");
            }
            silent_from(&mut scene, last)
        };
        let ((check, alarm), (night_check, night_alarm)) = (by_day(12), by_day(23));
        assert!(
            check < alarm && night_check < night_alarm,
            "{days} days: {check} {alarm}, {night_check} {night_alarm}"
        );
        assert!(alarm <= noon && night_alarm <= night, "{days} days: {alarm} by day, {night_alarm} by night");
        if days < 7 {
            assert_eq!((alarm, night_alarm), (noon, night), "while a home settles in, the caps alone alarm");
        } else {
            assert!(night_alarm > 8 * 60, "nobody is woken who sleeps as ever: {night_alarm}");
        }
    }
}

/// A home that has lived for weeks, on a morning on which its door opens and closes soon after ten (which it gives).
fn parcel() -> (Scene, u64) {
    let (mut scene, ten) = (lived(20), 20 * DAY + 10 * HOUR);
    for n in 0..6 {
        says(&mut scene, 20 * DAY + 7 * HOUR + n * 30 * MINUTE, "h1/motion motion=true!");
    }
    goes_through_the_door(&mut scene, ten + 2 * MINUTE);
    (scene, ten)
}

#[test]
fn who_left_by_the_door_is_asked_after_and_never_forgotten() {
    let (mut scene, ten) = parcel();
    let (check, alarm) = silent_from(&mut scene, ten + 3 * MINUTE);
    assert!((2 * 60 + 45..=3 * 60 + 1).contains(&check), "usual outing and an hour: {check}");
    assert!((12 * 60 - 2..=20 * 60).contains(&alarm), "{alarm}");
}

#[test]
fn who_stirs_inside_after_the_door_is_at_home() {
    let (mut scene, ten) = parcel();
    says(&mut scene, ten + 3 * MINUTE + 5_000, "h1/motion motion=true!");
    let (_, alarm) = silent_from(&mut scene, ten + 4 * MINUTE);
    assert!(alarm < 8 * 60, "as in any silence at home: {alarm}");
}

#[test]
fn who_leaves_for_the_first_time_is_asked_after_eight_hours_or_in_the_evening() {
    for (leaves, check) in [(9 * 60, 8 * 60), (15 * 60, 6 * 60), (20 * 60 + 30, 60)] {
        let mut scene = Scene::calm(6 * HOUR);
        for hour in 7..leaves / 60 {
            says(&mut scene, hour * HOUR, "h1/motion motion=true!");
        }
        says(&mut scene, leaves * MINUTE, "h1/door contact=open!");
        says(&mut scene, leaves * MINUTE + 5_000, "h1/door contact=closed!");
        let (found, alarm) = silent_from(&mut scene, leaves * MINUTE);
        assert!((check..=check + 1).contains(&found), "{leaves}: {found}");
        assert!((720..=721).contains(&alarm), "{leaves}: {alarm}");
    }
}

#[test]
fn who_is_not_up_by_the_usual_time_and_an_hour_is_asked_after() {
    let mut scene = lived(30);
    let morning = 30 * DAY;
    let up = |scene: &Scene| scene.core.homes[0].state.alarm(AlarmKind::NotUpCheck).is_none();
    // Up at seven on every morning: known to ten minutes.
    scene.advance(morning + 8 * HOUR - MINUTE);
    assert!(up(&scene));
    scene.advance(morning + 8 * HOUR + 20 * MINUTE);
    assert!(!up(&scene));
    says(&mut scene, morning + 8 * HOUR + 30 * MINUTE, "h1/motion motion=true!");
    assert!(up(&scene), "it closes by itself");
    // One who was up in the night is no less missed in the morning; one who was up at five is not.
    says(&mut scene, morning + DAY + 3 * HOUR, "h1/motion motion=true!");
    scene.advance(morning + DAY + 8 * HOUR + 20 * MINUTE);
    assert!(!up(&scene));
    says(&mut scene, morning + 2 * DAY + 5 * HOUR, "h1/motion motion=true!");
    scene.advance(morning + 2 * DAY + 8 * HOUR + 20 * MINUTE);
    assert!(up(&scene));
}
