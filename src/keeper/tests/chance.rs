//! Stories that make themselves up: whatever happens, in whatever order, what [`Scene`] checks after every turn holds.

use super::scene::Scene;
use super::words;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};

/// Seeds that every run tries; more come with `HEARTHWATCH_SEEDS=FROM..TO`.
const SEEDS: std::ops::Range<u64> = 0..3;
const STORIES_PER_SEED: u32 = 8;
/// Short journeys of every run; more with `HEARTHWATCH_JOURNEYS`.
const JOURNEYS: u32 = 500;
const DAY_BEGINS: u64 = 5 * 3_600_000;

fn message() -> impl Strategy<Value = String> {
    let device = select(vec!["h1/button", "h1/smoke", "h1/smoke2", "h1/motion", "h2/button", "h3/door", "x9/stranger"]);
    let kind = select(vec![
        "sos",
        "fall",
        "smoke",
        "a:smoke",
        "motion",
        "tamper",
        "battery_low",
        "online",
        "presence",
        "button",
    ]);
    let value = select(vec!["true!", "true~", "true", "false", "true", "false!"]);
    let reading = (kind, value).prop_map(|(kind, value)| format!("{kind}={value}"));
    let extra =
        select(vec!["", "", "", "", "retained", "echo", "id=a", "id=b", "rest=1", "at=05:00:00", "at=04:30:00"]);
    (device, vec(reading, 1..4), extra)
        .prop_map(|(device, readings, extra)| format!("{device} {} {extra}", readings.join(" ")))
}

fn act() -> impl Strategy<Value = String> {
    let who = select(vec!["zhang", "desk", "deputy"]);
    let what = select(vec![
        "seen",
        "on-my-way 1",
        "on-my-way 30",
        "on-site",
        "no-answer",
        "hold",
        "cannot",
        "safe spoke",
        "safe seen",
        "close",
        "close",
    ]);
    (who, what, 1..5_u8).prop_map(|(who, what, number)| match number {
        4 => format!("{who} {what}"),
        number => format!("{who} {what} #{number}"),
    })
}

fn circumstance() -> impl Strategy<Value = String> {
    select(vec![
        "suppress h1 away 30:00:00",
        "suppress h1 away over",
        "suppress h1 repair 06:30:00",
        "link down",
        "link up",
        "hub h1/ offline",
        "hub h1/ online",
        "hub h2/ offline",
        "restart",
        "wall -3600",
        "wall 3600",
        "channel desk hangs",
        "channel desk refuses",
        "channel desk takes",
        "channel zhang gone",
        "channel zhang hangs",
        "channel zhang takes",
        "channel lead refuses",
        "channel deputy refuses",
        "answer",
        "answer late",
        "register device:h2:h1/button",
        "register paused:h1",
        "register home:h1",
        "register ladder:life:lead",
        "register ladder:welfare:nobody",
        "register channel:desk:1",
        "register device:h3:x9/stranger",
    ])
    .prop_map(String::from)
}

/// What happens, and how many milliseconds after what was before.
fn happening() -> impl Strategy<Value = (u64, String)> {
    let gap = prop_oneof![
        4 => 0..2_000_u64,
        4 => (0..400_u64).prop_map(|s| s * 1000),
        1 => (1..14_u64).prop_map(|h| h * 3_600_000),
    ];
    let hub = select(vec!["hub h1/ offline", "hub h1/ online", "hub h2/ online"]).prop_map(String::from);
    let together = vec(prop_oneof![3 => message(), 1 => hub], 2..5).prop_map(|parts| parts.join(" & "));
    (gap, prop_oneof![6 => message(), 2 => together, 4 => act(), 3 => circumstance()])
}

fn live(happenings: &[(u64, String)], goes_on_for: u64) {
    let mut now = DAY_BEGINS;
    let mut scene = Scene::with_repeats(now, 3 * 3600);
    for (gap, what) in happenings {
        if *gap > 3_600_000 {
            all_take(&mut scene);
        }
        now += gap;
        scene.advance(now);
        match (what.as_str(), scene.any_hanging()) {
            ("restart", _) => ["kill", "start", "link up"].iter().for_each(|what| scene.happens(what)),
            ("answer", Some(notice)) => scene.happens(&format!("answer {notice} delivered")),
            ("answer late", Some(notice)) => scene.happens(&format!("answer {notice} timed_out")),
            ("answer" | "answer late", None) => {}
            (what, _) => scene.happens(what),
        }
        scene.told.clear();
    }
    all_take(&mut scene);
    scene.advance(now + goes_on_for);
}

/// Before a long time: a channel that fails is asked so often that it would be all that happens.
fn all_take(scene: &mut Scene) {
    ["desk", "zhang", "deputy", "lead"].iter().for_each(|name| scene.happens(&format!("channel {name} takes")));
}

#[test]
fn whatever_happens_what_must_hold_holds() {
    let asked = std::env::var("HEARTHWATCH_SEEDS").ok();
    let seeds = asked
        .as_deref()
        .and_then(|s| s.split_once(".."))
        .map_or(SEEDS, |(from, to)| from.parse().expect("FROM..TO")..to.parse().expect("FROM..TO"));
    seeds.for_each(|seed| many(seed, STORIES_PER_SEED, vec(happening(), 1..60), 4 * 3_600_000));
}

/// Short journeys, and many: after every turn every open alarm that nobody has seen has a deadline that will be kept, or is being told
/// (see [`Scene::turn`], and the checker that it asks). `HEARTHWATCH_JOURNEYS` says how many; a million take some minutes with
/// `--release`.
#[test]
fn on_every_short_journey_each_open_alarm_has_a_future_or_is_being_told() {
    let asked = std::env::var("HEARTHWATCH_JOURNEYS").ok().map(|n| n.parse().expect("a number"));
    let journeys: u32 = asked.unwrap_or(JOURNEYS);
    let parts = journeys.div_ceil(JOURNEYS);
    let call =
        select(vec!["press", "h1/smoke smoke=true", "h2/button fall=true!"]).prop_map(|what| (0, what.to_owned()));
    let journey = (call, vec(happening(), 1..10)).prop_map(|(call, rest)| std::iter::once(call).chain(rest).collect());
    let journey = journey.boxed();
    (0..parts).for_each(|seed| many(seed.into(), JOURNEYS.min(journeys), journey.clone(), 600_000));
}

/// So many stories of a seed, each of which goes on for so many milliseconds after its last happening.
fn many(seed: u64, stories: u32, story: impl Strategy<Value = Vec<(u64, String)>>, goes_on_for: u64) {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let config = Config { cases: stories, failure_persistence: None, ..Config::default() };
    let result = TestRunner::new_with_rng(config, rng).run(&story, |happenings| {
        live(&happenings, goes_on_for);
        Ok(())
    });
    if let Err(TestError::Fail(why, happenings)) = result {
        let mut now = DAY_BEGINS;
        let lines = happenings.iter().map(|(gap, what)| {
            now += gap;
            format!("{} {what}\n", words::clock(now))
        });
        panic!("seed {seed}: {why}\n{}", lines.collect::<String>());
    }
}
