//! A home that grows cold while its neighbours do not. Seven homes with a thermometer each; ladders that repeat once a day.

use super::play;
use super::scene::Scene;

fn story(text: &str) {
    play(text, |now| Scene::district(now, 7));
}

/// What a thermometer says in each of the first `homes` homes.
fn all(time: &str, homes: usize, degrees: &str) -> String {
    (0..homes).map(|n| format!("{time} g{n}/motion temperature={degrees}\n")).collect()
}

#[test]
fn a_home_that_cools_by_four_degrees_more_than_its_neighbours_is_alarmed_after_two_hours() {
    let cold_night = all("08:00:00", 7, "19") + &all("10:00:00", 6, "16.5");
    story(
        &(cold_night
            + "10:00:00 g6/motion temperature=12.9
  nothing: colder_than_neighbours
10:30:00 g6/motion temperature=12.1
  12:00:00 cold#1 raised in g6: lasted 02:00:00, 4 °C more than its neighbours
  12:00:00 cold#1 calls rung 1.0 until 1d 12:00:00
  12:00:00 -> desk: cold#1 n1 rung 1.0
12:30:00 g6/motion temperature=13.5
  cold#1 over
13:00:00 .
"),
    );
}

#[test]
fn a_night_that_cools_them_all_is_nobodys_own() {
    let cold = |n: usize| format!("10:00:00 g{n}/motion temperature=12\n");
    let (apart, alike) = ("  nothing: colder_than_neighbours\n", "  nothing: as_warm_as_neighbours");
    let night: String = (0..3).map(|n| cold(n) + apart).collect();
    let alike = format!("{alike}, as_warm_as_neighbours, as_warm_as_neighbours\n");
    let rest: String = (4..7).map(cold).collect();
    story(&(all("08:00:00", 7, "19") + &night + &cold(3) + &alike + &rest + "14:00:00 .\n"));
}

#[test]
fn who_airs_a_warm_home_is_not_cold() {
    let warm = all("08:00:00", 7, "23") + &all("10:00:00", 6, "22.5");
    story(&(warm + "10:00:00 g6/motion temperature=18\n14:00:00 .\n"));
}

#[test]
fn one_room_alone_tells_nothing_of_a_home() {
    let register = "07:00:00 register device:g6:g6/bedroom\n08:00:00 g6/bedroom temperature=19\n";
    let cold_night = all("08:00:00", 7, "19") + &all("10:00:00", 6, "16.5");
    let warm =
        "10:00:00 g6/bedroom temperature=17\n10:10:00 g6/motion temperature=11\n14:00:00 g6/bedroom temperature=17\n";
    story(&(register.to_owned() + &cold_night + warm));
}

#[test]
fn among_five_nobody_can_say_what_is_usual() {
    let few = all("08:00:00", 4, "19") + &all("10:00:00", 4, "17");
    story(&(few + "10:00:00 g6/motion temperature=19\n10:30:00 g6/motion temperature=9.5\n14:00:00 .\n"));
}
