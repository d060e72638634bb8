//! What a home's own past makes of its silences, and what an entrance door makes of them: a home that has lived for some weeks.

use super::scene::Scene;
use crate::engine::home::silence::{self, Limit};
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
fn who_was_visited_stays_when_the_visitor_leaves() {
    let (mut scene, ten) = parcel();
    says(&mut scene, ten + 5 * MINUTE, "h1/motion motion=true!");
    says(&mut scene, ten + 20 * MINUTE, "visit h1 home Fine");
    goes_through_the_door(&mut scene, ten + 30 * MINUTE);
    let (_, alarm) = silent_from(&mut scene, ten + 31 * MINUTE);
    assert!(alarm < 8 * 60, "as in any silence at home: {alarm}");
    // The next who leaves is the one who lives here; so is who leaves long after.
    for (first, visitor) in [(30, true), (79, true), (81, false)] {
        let (mut scene, ten) = parcel();
        says(&mut scene, ten + 5 * MINUTE, "h1/motion motion=true!");
        says(&mut scene, ten + 20 * MINUTE, "visit h1 home Fine");
        says(&mut scene, ten + first * MINUTE, "h1/door contact=open!");
        // They talk for a while at the open door.
        says(&mut scene, ten + (first + 3) * MINUTE, "h1/door contact=closed!");
        assert_eq!(limit_of(&scene).name == "outing", !visitor, "{first}");
        says(&mut scene, ten + (first + 10) * MINUTE, "h1/motion motion=true!");
        goes_through_the_door(&mut scene, ten + (first + 30) * MINUTE);
        assert_eq!(limit_of(&scene).name, "outing", "{first}");
    }
}

/// A home in which one sensor hears little: in the morning and the evening of each day, at noon on three of four.
fn seldom_heard(days: u64) -> Scene {
    let mut scene = Scene::calm(6 * HOUR);
    for day in 0..days {
        let noon = (day % 4 != 1).then_some(12 * 60);
        for minute in [Some(7 * 60 + day * 11 % 20), noon, Some(19 * 60 + day * 37 % 120)].into_iter().flatten() {
            says(&mut scene, day * DAY + minute * MINUTE, "h1/motion motion=true!");
        }
    }
    scene.told.clear();
    scene
}

fn limit_of(scene: &Scene) -> Limit {
    let home = &scene.core.homes[0];
    silence::limit(&home.policy, &home.state, home.state.activity.as_ref().unwrap())
}

#[test]
fn where_the_caps_would_decide_by_day_a_home_s_own_past_may_go_beyond_them() {
    let limit_at_seven = |days: u64, rules: &str| {
        let mut scene = seldom_heard(days);
        scene.happens(&format!("register rules:h1:{rules}"));
        says(&mut scene, days * DAY + 7 * HOUR, "h1/motion motion=true!");
        let limit = limit_of(&scene);
        assert!(limit.within_caps.as_secs() <= 720 * 60, "what an outage leaves to the silence stays within the caps");
        (limit.name, limit.alarm.as_secs() / 60, limit.check.map_or(0, |check| check.as_secs() / 60))
    };
    let further = |hours: u32| format!("inactivity_few_signs_cap_s={}", hours * 3_600);
    for days in [4, 20] {
        assert_eq!(limit_at_seven(days, &further(18)).0, "cap", "a home that nobody knows after {days} days");
    }
    let (name, alarm, check) = limit_at_seven(40, &further(18));
    assert!(name == "learnt" && (800..=960).contains(&alarm), "it was silent for up to fourteen hours: {alarm}");
    assert!(check <= 504, "the check does not wait for it: {check}");
    assert_eq!(limit_at_seven(40, &further(13)), ("few_signs_cap", 780, check), "no further than this");
    assert_eq!(limit_at_seven(40, &further(12)), ("cap", 720, check), "nor at all");
    let shorter = limit_at_seven(40, "inactivity_cap_s=39600");
    assert_eq!((shorter.0, shorter.1), ("cap", 660), "whoever made the cap shorter means it");
    assert_eq!(limit_at_seven(40, "inactivity_check_percent=0"), ("cap", 720, 0), "nobody asks before it");
    // Who seems to leave may have let a visitor out: the ladder comes no sooner than it would for who is at home.
    let mut scene = seldom_heard(40);
    goes_through_the_door(&mut scene, 40 * DAY + 7 * HOUR);
    let limit = limit_of(&scene);
    assert!(limit.name == "outing" && (alarm..=alarm + 1).contains(&(limit.alarm.as_secs() / 60)), "{limit:?}");
}

#[test]
fn who_leaves_for_the_first_time_is_asked_after_eight_hours_or_in_the_evening() {
    for (leaves, check, alarm) in [(9 * 60, 8 * 60, 720), (15 * 60, 6 * 60, 720), (20 * 60 + 30, 60, 840)] {
        let mut scene = Scene::calm(6 * HOUR);
        for hour in 7..leaves / 60 {
            says(&mut scene, hour * HOUR, "h1/motion motion=true!");
        }
        says(&mut scene, leaves * MINUTE, "h1/door contact=open!");
        says(&mut scene, leaves * MINUTE + 5_000, "h1/door contact=closed!");
        let found = silent_from(&mut scene, leaves * MINUTE);
        assert!((check..=check + 1).contains(&found.0), "{leaves}: {found:?}");
        assert!((alarm..=alarm + 1).contains(&found.1), "{leaves}: {found:?}");
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
