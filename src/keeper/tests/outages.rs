//! Outages: what nobody could hear is nobody's silence, one cause is one incident, and afterwards somebody knows how each of the people
//! fared. Forty homes, each behind a hub of its own.

use super::scene::Scene;
use crate::engine::home::coverage;
use crate::engine::kind::AlarmKind;
use crate::keeper::core::Slot;

const HOMES: usize = 40;
const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// Somebody stirs in each of the homes at the half hour before `from`.
fn district(from: u64) -> Scene {
    let mut scene = Scene::district(from - HOUR, HOMES);
    each(&mut scene, from - HOUR / 2, 0..HOMES, |n| format!("g{n}/motion motion=true!"));
    scene.advance(from);
    scene.told.clear();
    scene
}

/// The same happens in several homes, a second after each other.
fn each(scene: &mut Scene, at: u64, homes: std::ops::Range<usize>, what: impl Fn(usize) -> String) {
    for (second, n) in homes.enumerate() {
        scene.advance(at + second as u64 * 1_000);
        scene.happens(&what(n));
    }
}

fn hubs(scene: &mut Scene, at: u64, state: &str) {
    each(scene, at, 0..HOMES, |n| format!("hub g{n}/ {state}"));
}

/// Every open alarm: where, and of which kind.
fn open(scene: &Scene) -> Vec<(String, AlarmKind)> {
    let of = |(number, slot): (usize, &Slot)| {
        let home = scene.core.site.homes[number].id.to_string();
        slot.state.alarms.iter().map(|a| (home.clone(), a.kind)).collect::<Vec<_>>()
    };
    scene.core.homes.iter().enumerate().flat_map(of).collect()
}

/// The homes of the work list, each with the minute of the day by which somebody has to have looked.
fn work_list(scene: &Scene) -> Vec<(usize, u32)> {
    let now = scene.core.now();
    let of = |(number, slot): (usize, &Slot)| {
        let look = coverage::view(&slot.policy, &slot.state, now)?;
        Some((number, look.due.minute(&slot.policy.zone)))
    };
    scene.core.homes.iter().enumerate().filter_map(of).collect()
}

#[test]
fn journey_4_the_transformer() {
    let mut scene = district(12 * HOUR + HOUR / 2);
    each(&mut scene, 12 * HOUR + HOUR / 2, 0..1, |n| format!("g{n}/smoke smoke=false"));
    hubs(&mut scene, 18 * HOUR, "offline");
    scene.advance(18 * HOUR + 20 * MINUTE);
    assert_eq!(open(&scene), [("outage/z/1".to_owned(), AlarmKind::Outage)], "one incident");
    assert_eq!(scene.core.site.outages[0].homes.len(), HOMES);

    scene.advance(21 * HOUR);
    scene.told.clear();
    scene.happens("hub g0/ online");
    scene.happens("g0/button sos=true! id=p1 at=18:10:00");
    assert!(scene.told.iter().any(|line| line.starts_with("-> desk: sos#2 n1 rung 1.0 late 10200 s")), "at once");
    for again in
        ["g0/button sos=true! id=p1 at=18:10:00", "g0/button sos=true~ retained", "g0/smoke smoke=true retained"]
    {
        scene.happens(again);
    }
    hubs(&mut scene, 21 * HOUR, "online");
    let g0 = |kind| (("g0").to_owned(), kind);
    let incident = ("outage/z/1".to_owned(), AlarmKind::Outage);
    assert_eq!(open(&scene), [g0(AlarmKind::Smoke), g0(AlarmKind::Sos), incident.clone()]);
    assert_eq!(scene.core.homes[0].state.alarm(AlarmKind::Sos).map(|a| a.events), Some(1));
    assert!(scene.core.site.outages.is_empty(), "it is over");
    let by_ten = |n| (n, 22 * 60);
    assert_eq!(work_list(&scene), (0..HOMES).map(by_ten).collect::<Vec<_>>());

    // Thirty stir; what another hub had kept of the afternoon shows nothing; a person looks after one, and asks nobody of the others.
    each(&mut scene, 21 * HOUR + 10 * MINUTE, 5..35, |n| format!("g{n}/motion motion=true!"));
    each(&mut scene, 21 * HOUR + 20 * MINUTE, 35..36, |n| format!("g{n}/motion motion=true! at=18:30:00"));
    each(&mut scene, 21 * HOUR + 30 * MINUTE, 36..37, |n| format!("looked g{n} zhang"));
    assert_eq!(work_list(&scene).iter().map(|(n, _)| *n).collect::<Vec<_>>(), [0, 1, 2, 3, 4, 35, 37, 38, 39]);
    scene.advance(22 * HOUR - 1);
    assert_eq!(open(&scene).len(), 3, "nobody is called before its time");
    scene.advance(22 * HOUR + MINUTE);
    let called: Vec<String> =
        open(&scene).into_iter().filter(|(_, kind)| *kind == AlarmKind::WelfareCheck).map(|(home, _)| home).collect();
    assert_eq!(called, ["g0", "g1", "g2", "g3", "g4", "g35", "g37", "g38", "g39"]);
    scene.advance(24 * HOUR + 30 * MINUTE);
    assert!(open(&scene).iter().all(|(_, kind)| *kind != AlarmKind::Inactivity), "twelve hours, three of them unheard");
    // Whoever stirs ends it.
    scene.happens("g1/motion motion=true!");
    assert!(scene.told.iter().any(|line| line.starts_with("welfare_check#") && line.ends_with(" over")));
}

#[test]
fn a_broker_that_is_away_for_forty_minutes_is_one_incident() {
    let mut scene = district(14 * HOUR);
    scene.happens("link down");
    scene.advance(14 * HOUR + 39 * MINUTE);
    assert_eq!(open(&scene), [("gateway/z".to_owned(), AlarmKind::Outage)]);
    scene.advance(14 * HOUR + 40 * MINUTE);
    scene.happens("link up");
    // All at once, with a backlog, and a call among it.
    each(&mut scene, 14 * HOUR + 40 * MINUTE, 0..HOMES, |n| format!("g{n}/motion temperature=20 at=14:20:00"));
    scene.told.clear();
    scene.happens("g7/button sos=true! at=14:05:00");
    assert!(scene.told.iter().any(|line| line.contains("-> desk: sos#2 n1 rung 1.0")), "{:?}", scene.told);
    assert_eq!(work_list(&scene).len(), HOMES - 1, "who calls is looked after for that");
    each(&mut scene, 15 * HOUR, 1..HOMES, |n| format!("g{n}/motion motion=true!"));
    // So short an outage calls nobody before the silence, with what was unheard of it, would have been alarmed: since half past one.
    let called = |scene: &Scene| {
        open(scene)
            .into_iter()
            .filter(|(_, kind)| *kind == AlarmKind::WelfareCheck)
            .map(|(home, _)| home)
            .collect::<Vec<_>>()
    };
    scene.advance(DAY + HOUR);
    assert_eq!(called(&scene), Vec::<String>::new(), "it is night, and the time is over");
    scene.advance(DAY + 8 * HOUR + MINUTE);
    assert_eq!(open(&scene)[0], ("g0".to_owned(), AlarmKind::Inactivity), "by then the silence itself has called");
}

#[test]
fn a_gateway_that_was_down_at_night_asks_after_everybody_in_the_morning() {
    let mut scene = district(DAY + HOUR);
    scene.happens("kill");
    scene.advance(DAY + 4 * HOUR);
    scene.happens("start");
    scene.happens("link up");
    assert_eq!(open(&scene), [("gateway/z".to_owned(), AlarmKind::Outage)]);
    // Not before the silence of the night, with what was unheard of it, would have been alarmed: it began at half past midnight.
    let in_time = |n| (n, 14 * 60 + 30);
    assert_eq!(work_list(&scene), (0..HOMES).map(in_time).collect::<Vec<_>>());
    each(&mut scene, DAY + 7 * HOUR, 0..HOMES - 1, |n| format!("g{n}/motion motion=true!"));
    scene.advance(DAY + 14 * HOUR);
    let checks = |(_, kind): &(String, AlarmKind)| *kind != AlarmKind::InactivityCheck;
    let open = |scene: &Scene| open(scene).into_iter().filter(checks).collect::<Vec<_>>();
    assert_eq!(open(&scene).len(), 1, "{:?}", open(&scene));
    scene.advance(DAY + 14 * HOUR + 31 * MINUTE);
    assert_eq!(open(&scene)[0], ("g39".to_owned(), AlarmKind::WelfareCheck));
    assert_eq!(open(&scene).len(), 2);
}

#[test]
fn a_short_restart_and_a_coordinator_that_restarts_are_no_outage() {
    let mut scene = district(10 * HOUR);
    scene.happens("kill");
    scene.advance(10 * HOUR + 5 * MINUTE);
    scene.happens("start");
    scene.happens("link up");
    each(&mut scene, 11 * HOUR, 0..HOMES, |n| format!("g{n}/motion online=false"));
    each(&mut scene, 11 * HOUR + 10 * MINUTE, 0..HOMES, |n| format!("g{n}/motion online=true"));
    scene.advance(13 * HOUR);
    assert_eq!(open(&scene), []);
    assert_eq!(work_list(&scene), []);
}

#[test]
fn one_hub_that_is_gone_is_its_home_s_own_matter() {
    let mut scene = district(10 * HOUR);
    scene.happens("hub g3/ offline");
    scene.advance(10 * HOUR + 20 * MINUTE);
    assert_eq!(open(&scene), [("g3".to_owned(), AlarmKind::HomeUnheard)]);
    // The process that comes next knows of it, and tells nobody twice.
    scene.happens("kill");
    scene.happens("start");
    scene.happens("link up");
    scene.advance(13 * HOUR);
    assert_eq!(open(&scene), [("g3".to_owned(), AlarmKind::HomeUnheard)]);
    scene.advance(14 * HOUR + MINUTE);
    let g3 = |kind| ("g3".to_owned(), kind);
    assert_eq!(open(&scene), [g3(AlarmKind::WelfareCheck), g3(AlarmKind::HomeUnheard)], "four hours unheard");
    scene.happens("looked g3 zhang");
    scene.advance(18 * HOUR);
    assert!(
        scene.core.homes[3].state.alarm(AlarmKind::WelfareCheck).is_some_and(|a| a.safe.is_some()),
        "nobody is called"
    );
    assert_eq!(work_list(&scene), [(3, 18 * 60 + 1)], "and again four hours after somebody looked");
}

#[test]
fn who_falls_silent_within_the_hour_belongs_to_the_incident() {
    let mut scene = district(10 * HOUR);
    each(&mut scene, 10 * HOUR, 0..10, |n| format!("hub g{n}/ offline"));
    each(&mut scene, 10 * HOUR + 30 * MINUTE, 10..12, |n| format!("hub g{n}/ offline"));
    each(&mut scene, 11 * HOUR + 30 * MINUTE, 20..22, |n| format!("hub g{n}/ offline"));
    scene.advance(12 * HOUR);
    let incidents: Vec<_> = scene.core.site.outages.iter().map(|o| (o.number, o.homes.len())).collect();
    assert_eq!(incidents, [(1, 12), (2, 2)]);
    assert_eq!(open(&scene), [1, 2].map(|n| (format!("outage/z/{n}"), AlarmKind::Outage)));
    // The first is over with the last of its homes.
    let is_over =
        |scene: &Scene| scene.core.homes[HOMES].state.alarm(AlarmKind::Outage).is_some_and(|a| a.over.is_some());
    each(&mut scene, 12 * HOUR, 0..11, |n| format!("hub g{n}/ online"));
    assert!(!is_over(&scene));
    each(&mut scene, 12 * HOUR + MINUTE, 11..12, |n| format!("hub g{n}/ online"));
    assert!(is_over(&scene));
}

/// Nine days in which g0's hub tells a temperature every ten minutes, and g1 only what people do.
fn nine_days() -> Scene {
    let mut scene = district(10 * HOUR);
    for n in 1..9 * 144 {
        scene.advance(10 * HOUR + n * 10 * MINUTE);
        scene.happens(&format!("g0/motion temperature={}", 18 + n % 4));
        if n % 36 == 0 {
            each(&mut scene, 10 * HOUR + n * 10 * MINUTE, 0..2, |home| format!("g{home}/motion motion=true!"));
        }
    }
    scene
}

#[test]
fn a_radio_that_is_silent_is_no_silent_person() {
    let mut scene = nine_days();
    let last = 10 * HOUR + 1_295 * 10 * MINUTE;
    scene.advance(last + 44 * MINUTE);
    assert_eq!(scene.core.homes[0].state.unheard_since, None);
    let silence = |scene: &Scene| scene.core.homes[0].state.silence(scene.core.now()).map(|silence| silence.0 / MINUTE);
    scene.advance(last + 46 * MINUTE);
    assert!(scene.core.homes[0].state.unheard_since.is_some());
    let then = silence(&scene);
    scene.advance(last + 120 * MINUTE);
    assert_eq!(silence(&scene), then, "it does not grow, and stands where the radio stopped");
    assert!(scene.core.homes[0].state.alarm(AlarmKind::HomeUnheard).is_some());
    assert_eq!(scene.core.homes[1].state.unheard_since, None, "what never tells anything by itself is not missed");
    // A word of any device, and it is heard; the person still has to stir.
    scene.happens("g0/button battery=90");
    assert_eq!(scene.core.homes[0].state.unheard_since, None);
    assert!(work_list(&scene).iter().any(|(home, _)| *home == 0));
}

#[test]
fn a_home_whose_people_have_left_is_not_missed() {
    let mut scene = district(10 * HOUR);
    scene.happens("hub g3/ offline");
    scene.advance(10 * HOUR + 20 * MINUTE);
    assert_eq!(open(&scene), [("g3".to_owned(), AlarmKind::HomeUnheard)]);
    scene.happens("register left:g3 left:g4");
    assert!(scene.core.homes[3].state.alarm(AlarmKind::HomeUnheard).is_some_and(|a| a.over.is_some()));
    scene.happens("hub g4/ offline");
    scene.advance(16 * HOUR);
    assert_eq!(open(&scene).len(), 1, "{:?}", open(&scene));
    assert_eq!(work_list(&scene), []);
}

#[test]
fn what_waited_at_the_broker_shows_nothing_of_now() {
    let mut scene = district(14 * HOUR);
    scene.happens("link down");
    scene.advance(14 * HOUR + 40 * MINUTE);
    scene.happens("link up");
    let listed = |scene: &Scene| work_list(scene).iter().any(|(home, _)| *home == 1);
    scene.happens("g1/motion motion=true!");
    scene.advance(14 * HOUR + 44 * MINUTE);
    scene.happens("g1/motion motion=true!");
    assert!(listed(&scene), "without a time of its own it may be forty minutes old");
    scene.advance(14 * HOUR + 45 * MINUTE);
    scene.happens("g1/motion motion=true!");
    assert!(!listed(&scene));
}

#[test]
fn many_short_outages_are_a_long_one() {
    let mut scene = district(10 * HOUR);
    for n in 0..2 {
        scene.advance(10 * HOUR + n * 15 * MINUTE);
        scene.happens("hub g2/ offline");
        scene.advance(10 * HOUR + (n * 15 + 10) * MINUTE);
        scene.happens("hub g2/ online");
        let listed: Vec<usize> = work_list(&scene).into_iter().map(|(home, _)| home).collect();
        assert_eq!(listed, if n == 0 { vec![] } else { vec![2] });
    }
}

#[test]
fn a_link_that_comes_and_goes_is_an_outage_once_it_adds_up_to_one() {
    // When it goes, for how many minutes, and whether anybody was told after it.
    let times = [(0, 4, false), (20, 5, false), (40, 7, true), (200, 8, false), (330, 8, false), (340, 8, true)];
    let mut scene = district(10 * HOUR);
    let told = |scene: &Scene| scene.told.iter().any(|line| line.contains("raised") || line.contains("counted"));
    for (from, lasts, expected) in times {
        scene.told.clear();
        scene.advance(10 * HOUR + from * MINUTE);
        scene.happens("link down");
        scene.advance(10 * HOUR + (from + lasts) * MINUTE);
        scene.happens("link up");
        assert_eq!(told(&scene), expected, "after {from} min, for {lasts}: {:?}", scene.told);
    }
}

#[test]
fn a_deadline_just_after_the_evening_s_end_is_met_before_it() {
    let mut scene = district(17 * HOUR);
    each(&mut scene, 18 * HOUR + 2 * MINUTE, 0..3, |n| format!("hub g{n}/ offline"));
    each(&mut scene, 21 * HOUR + 2 * MINUTE, 0..3, |n| format!("hub g{n}/ online"));
    assert_eq!(work_list(&scene), [0, 1, 2].map(|n| (n, 22 * 60)));
}

#[test]
fn a_home_that_is_watched_again_begins_anew() {
    let mut scene = district(10 * HOUR);
    scene.happens("register paused:g5");
    scene.happens("hub g5/ offline");
    scene.advance(14 * HOUR);
    scene.happens("hub g5/ online");
    scene.advance(40 * HOUR);
    scene.told.clear();
    scene.happens("register home:g5");
    scene.advance(40 * HOUR + 30 * MINUTE);
    let of_it: Vec<_> = open(&scene).into_iter().filter(|(home, _)| home == "g5").map(|(_, kind)| kind).collect();
    assert_eq!(of_it, [AlarmKind::HomeUnheard], "of the day before, until somebody has looked at it");
    assert!(work_list(&scene).iter().all(|(home, _)| *home != 5));
}

#[test]
fn while_people_are_heard_a_device_that_beats_no_more_is_not_the_home() {
    let mut scene = nine_days();
    let last = 10 * HOUR + 1_295 * 10 * MINUTE;
    scene.advance(last + 40 * MINUTE);
    scene.happens("g0/motion motion=true!");
    scene.advance(last + 80 * MINUTE);
    scene.happens("g0/button sos=false");
    scene.advance(last + 120 * MINUTE);
    assert_eq!(scene.core.homes[0].state.unheard_since, None);
}

#[test]
fn a_link_that_comes_and_goes_is_an_outage() {
    let mut scene = district(10 * HOUR);
    for n in 0..2 {
        scene.advance(10 * HOUR + n * 12 * MINUTE);
        scene.happens("link down");
        scene.advance(10 * HOUR + (n * 12 + 10) * MINUTE);
        scene.happens("link up");
        assert_eq!(work_list(&scene).len(), if n == 0 { 0 } else { HOMES });
    }
    assert_eq!(open(&scene), [("gateway/z".to_owned(), AlarmKind::Outage)]);
    // It is told once, and begins to count anew.
    scene.advance(11 * HOUR);
    scene.happens("link down");
    scene.advance(11 * HOUR + 5 * MINUTE);
    scene.happens("link up");
    assert_eq!(scene.core.homes.iter().flat_map(|home| &home.state.alarms).map(|alarm| alarm.events).sum::<u32>(), 1);
}
