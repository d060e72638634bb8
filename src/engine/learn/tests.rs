//! What learning promises: it keeps to its bounds, it knows the home's own hours, and some days teach nothing.

use super::*;

const DAY_MS: i64 = 86_400_000;
const HOUR_MS: i64 = 3_600_000;
const ALLOWANCE: Allowance = Allowance { alarms: 100, checks: 400 };

/// A home whose people stir at these minutes of each day.
struct Home {
    learnt: Learnt,
    day: i64,
    /// They are in the bathroom.
    washes: bool,
}

impl Home {
    fn new() -> Home {
        Home { learnt: Learnt::default(), day: 0, washes: false }
    }

    fn stirs(&mut self, at_ms: i64, out: bool) {
        self.hears(at_ms, at_ms, out, false);
    }

    fn hears(&mut self, at_ms: i64, heard_ms: i64, out: bool, skipped: bool) {
        if self.learnt.is_day_over() {
            let midnight = self.learnt.last().unwrap().0.div_euclid(DAY_MS) * DAY_MS;
            let lesson = self.learnt.lesson(Wall(midnight), Wall(midnight + DAY_MS), ALLOWANCE, skipped);
            self.learnt.fold(&lesson);
        }
        self.learnt.stirred(Wall(at_ms), Tick(heard_ms as u64), out, self.washes);
    }

    /// So many days of somebody who rises at seven, stirs every forty minutes and sleeps from eleven, give or take some minutes.
    fn lives(&mut self, days: i64) -> &mut Home {
        for _ in 0..days {
            for n in 0..25 {
                let wobble = (self.day * 7 + n * 13) % 19 - 9;
                self.stirs(self.day * DAY_MS + 7 * HOUR_MS + (n * 40 + wobble) * 60_000, false);
            }
            self.day += 1;
        }
        self
    }

    fn limit_h(&self, hour: usize) -> f64 {
        self.learnt.limits.alarm_after(hour * 6).map_or(99.0, |limit| limit.as_secs() as f64 / 3_600.0)
    }
}

#[test]
fn a_home_s_own_hours_are_learnt() {
    let mut home = Home::new();
    home.lives(21);
    let (noon, night) = (home.limit_h(12), home.limit_h(23));
    assert!((1.0..4.0).contains(&noon), "by day: {noon}");
    assert!((8.0..11.0).contains(&night), "the night is as long as it is: {night}");
    assert_eq!(home.learnt.limits.days, 20, "the day under way counts when it is over");
}

#[test]
fn a_check_is_never_later_than_the_alarm() {
    let mut home = Home::new();
    for _ in 0..60 {
        home.lives(1);
        for slot in 0..SLOTS {
            let (check, alarm) = (home.learnt.limits.check_after(slot), home.learnt.limits.alarm_after(slot));
            assert!(check.is_none() || alarm.is_none_or(|alarm| check <= Some(alarm)), "{slot}: {check:?} {alarm:?}");
        }
    }
}

#[test]
fn what_is_kept_is_bounded() {
    let mut home = Home::new();
    home.lives(200);
    assert!(home.learnt.library.iter().count() <= 400);
    let bytes = minicbor::to_vec(&home.learnt).unwrap().len();
    assert!(bytes <= 2_048, "{bytes} bytes");
    let back: Learnt = minicbor::decode(&minicbor::to_vec(&home.learnt).unwrap()).unwrap();
    assert_eq!(back, home.learnt);
}

#[test]
fn what_was_not_heard_teaches_nothing() {
    let mut home = Home::new();
    home.lives(21);
    let usual = home.limit_h(12);
    // Every noon we are deaf for eight hours: by the wall clock it is long, by the clock of hearing short.
    let mut deaf = 0;
    for _ in 0..30 {
        let day = home.day * DAY_MS;
        for minutes in [420, 460, 500, 540, 580, 620, 660, 700] {
            home.hears(day + minutes * 60_000, day + minutes * 60_000 - deaf, false, false);
        }
        deaf += 8 * HOUR_MS;
        for minutes in [1_190, 1_220, 1_260, 1_300, 1_340, 1_380] {
            home.hears(day + minutes * 60_000, day + minutes * 60_000 - deaf, false, false);
        }
        home.day += 1;
    }
    assert!(home.limit_h(11) <= usual + 1.5, "{} after {usual}", home.limit_h(11));
}

#[test]
fn an_emergency_and_a_day_without_watch_teach_nothing() {
    let (mut home, mut other) = (Home::new(), Home::new());
    home.lives(21);
    other.lives(21);
    let day = home.day * DAY_MS;
    for at in [7, 8, 9] {
        home.stirs(day + at * HOUR_MS, false);
    }
    // Found on the floor.
    home.learnt.is_no_example();
    home.stirs(day + 19 * HOUR_MS, false);
    let ten_hours =
        |home: &Home| home.learnt.today.iter().any(|(_, s)| s.is_at_home() && s.lasted().as_secs() >= 36_000);
    assert!(!ten_hours(&home));
    for at in [7, 8, 9, 19] {
        other.hears(day + at * HOUR_MS, day + at * HOUR_MS, false, true);
    }
    assert!(ten_hours(&other));
    let before = other.learnt.library.iter().count();
    other.hears(day + DAY_MS + 7 * HOUR_MS, day + DAY_MS + 7 * HOUR_MS, false, true);
    other.hears(day + DAY_MS + 8 * HOUR_MS, day + DAY_MS + 8 * HOUR_MS, false, true);
    assert!(other.learnt.library.iter().count() <= before, "nothing of a day that was not watched");
}

#[test]
fn outings_are_no_silences_at_home() {
    let mut home = Home::new();
    for _ in 0..10 {
        let day = home.day * DAY_MS;
        home.stirs(day + 8 * HOUR_MS, false);
        home.stirs(day + 9 * HOUR_MS, true);
        home.stirs(day + 11 * HOUR_MS, false);
        home.stirs(day + 12 * HOUR_MS, false);
        home.day += 1;
    }
    assert_eq!(home.learnt.limits.usual(), Some(Millis::from_mins(120)));
    assert_eq!(home.learnt.limits.longest(), Millis::from_mins(120));
    assert!(home.learnt.library.iter().filter(|(_, s)| s.is_at_home()).all(|(_, s)| s.slot() != 54));
}

#[test]
fn the_same_past_teaches_the_same() {
    let lived = || {
        let mut home = Home::new();
        home.lives(40);
        minicbor::to_vec(&home.learnt).unwrap()
    };
    assert_eq!(lived(), lived());
}

#[test]
fn days_that_pass_are_counted_once() {
    let mut days = tail::Days::default();
    days.age(1, true);
    days.age(1, false);
    days.age(3, true);
    assert_eq!((days.count(), days.was(3), days.was(4), days.was(5)), (2, true, false, true));
    days.age(500, true);
    assert!(days.count() <= 1);
}

#[test]
fn the_longest_stay_in_the_bathroom_is_known_for_eight_weeks_and_an_emergency_is_none() {
    let mut home = Home::new();
    home.lives(3);
    let stays = |home: &mut Home, minutes: i64, helped: bool| {
        let noon = home.day * DAY_MS + 6 * HOUR_MS;
        home.washes = true;
        home.stirs(noon, false);
        home.stirs(noon + 60_000, false);
        home.washes = false;
        if helped {
            home.learnt.is_no_example();
        }
        home.stirs(noon + minutes * 60_000, false);
        home.lives(2);
        home.learnt.limits.longest_stay().as_secs() / 60
    };
    assert_eq!(stays(&mut home, 22, false), 25, "rounded up");
    assert_eq!(stays(&mut home, 55, true), 25, "whoever was helped is no example");
    assert_eq!(stays(&mut home, 41, false), 45);
    home.lives(50);
    assert_eq!(home.learnt.limits.longest_stay().as_secs() / 60, 45);
    home.lives(10);
    assert_eq!(home.learnt.limits.longest_stay(), Millis(0));
    assert_eq!(home.learnt.limits.version, VERSION);
}

#[test]
fn a_full_shelf_reaches_back_only_as_far_as_its_days_are_whole() {
    use library::{DAYS, Library, Silence};
    for (silences, reaches) in [(0, DAYS), (40, DAYS), (359, DAYS), (360, 30), (400, 30), (800, 30)] {
        let mut shelf = Library::default();
        for n in 0..silences {
            shelf.push(30 - (n * 20 / silences.max(1)) as u8, Silence::at_home(70, Millis::from_mins(60)));
        }
        let expected = if silences > 400 { shelf.iter().next().map_or(DAYS, |(age, _)| age) } else { reaches };
        assert_eq!(shelf.reaches(), expected, "{silences}");
    }
}

#[test]
fn each_silence_at_home_of_a_day_is_weighed_once_and_none_of_a_day_that_nobody_watched() {
    let mut home = Home::new();
    home.lives(8);
    for (skipped, weighed) in [(false, home.learnt.today.iter().filter(|(_, s)| s.is_at_home()).count()), (true, 0)] {
        let midnight = Wall(home.day * DAY_MS);
        let lesson = home.learnt.lesson(midnight, Wall(midnight.0 + DAY_MS), ALLOWANCE, skipped);
        assert_eq!(lesson.scores.len(), weighed);
        assert!(skipped || weighed > 10, "{weighed}");
    }
}

#[test]
fn a_home_of_which_little_is_known_is_judged_by_its_kind_and_then_by_itself() {
    let mut scores = tail::Scores::default();
    let threshold = |scores: &tail::Scores, days, hours: f64| scores.threshold(1.0, days, hours * 3_600.0);
    let (dense, sparse) = (threshold(&scores, 1, 3.0), threshold(&scores, 1, 8.0));
    assert!(sparse > dense + 0.5, "{dense} {sparse}");
    for day in 0..84 {
        scores.age(1);
        scores.push(300 + day * 7 % 400);
    }
    let (dense, sparse) = (threshold(&scores, 84, 3.0), threshold(&scores, 84, 8.0));
    assert!(sparse < dense + 0.35 && (6.0..9.0).contains(&dense), "{dense} {sparse}");
}

/// Whoever changes what is learnt of the same past changes [`VERSION`], so that what a home lives by is learnt anew, and writes down here
/// what it comes to: alarm and check after a silence that begins at each full hour, in steps of five minutes.
#[test]
fn version_3_learns_these_limits_of_this_home() {
    let mut home = Home::new();
    for week in 0..6 {
        home.lives(5);
        // On two days of the week they go out, nap for long, and go to bed early.
        for nap in [150, 200 + week * 9] {
            let day = home.day * DAY_MS;
            for minutes in [415, 440, 475, 510, 560] {
                home.stirs(day + minutes * 60_000, minutes == 560);
            }
            home.stirs(day + (700 + week * 11) * 60_000, false);
            for minutes in [780, 795, 795 + nap, 810 + nap, 1_050, 1_110, 1_200, 1_290] {
                home.stirs(day + minutes * 60_000, false);
            }
            home.day += 1;
        }
    }
    let limits = &home.learnt.limits;
    let hourly = |of: &[u8]| of.iter().step_by(6).copied().collect::<Vec<u8>>();
    let rest = (limits.version, limits.days, limits.usual_outing, limits.longest_outing, limits.rises);
    assert_eq!(rest, (VERSION, 41, 39, 39, 43));
    let alarm = [110, 107, 104, 95, 76, 65, 45, 40, 38, 36, 37, 38, 58, 62, 55, 43, 43, 38, 41, 41, 41, 130, 122, 115];
    let check = [104, 101, 93, 79, 69, 56, 36, 32, 31, 30, 30, 30, 45, 55, 47, 36, 35, 35, 35, 36, 37, 64, 118, 111];
    assert_eq!((hourly(&limits.alarm), hourly(&limits.check)), (alarm.to_vec(), check.to_vec()));
}
