//! What one message comes to, as a table: form, what was known, what is said. Stories over time stand with the keeper's core.

use super::*;
use crate::engine::change::Introduction;
use crate::engine::id::{Address, HomeId, SiteId, SourceId};
use crate::engine::input::Heard;
use crate::engine::kind::{AlarmKind, Kind};
use crate::engine::policy::{Resolver, RulesPatch, SiteRules};
use crate::engine::reading::{Form, Reading, Value};
use crate::engine::registry::Registry;
use crate::engine::time::{Millis, Wall};

fn policy() -> HomePolicy {
    policy_of(RulesPatch::default())
}

fn policy_of(rules: RulesPatch) -> HomePolicy {
    let rules = SiteRules { site: SiteId::new("z").unwrap(), zone: jiff::tz::TimeZone::UTC, rules };
    Resolver::new(&rules, &Registry::default()).pseudo(HomeId::new("h").unwrap())
}

/// Steps a home at a second of its life, and folds what comes of it.
fn at(second: u64, state: &mut State, input: HomeInput) -> Out {
    let tick = Tick(second * 1000);
    let now = Stamp { tick, wall: Wall(tick.0 as i64), heard: tick };
    let mut out = Out::default();
    step(&policy(), &Place { home: 0, next_alarm: 1, desk_empty: false }, state, Stamped::new(now, input), &mut out);
    out.changes.iter().for_each(|change| state.apply(change, now));
    out
}

fn home() -> State {
    let mut state = State::default();
    let (source, address) = (SourceId::cut("z2m"), Address::cut("a"));
    let new = Introduction { device: 0, source, address, room: "".into(), registered: false, life: false };
    at(0, &mut state, HomeInput::Met(new));
    state
}

fn says(kind: Kind, value: bool, form: Form, retained: bool, rest: u32) -> HomeInput {
    let readings = vec![Reading::new(kind, Value::Flag(value), form)];
    HomeInput::Heard(Heard {
        device: 0,
        readings,
        device_time: None,
        rest,
        event: None,
        retained,
        echo: false,
        signal: None,
        history: false,
    })
}

/// What a second message comes to in words; an alarm of the first is closed before it.
fn second(kind: Kind, form: Form, before: Option<bool>, now: bool, retained: bool, same_rest: bool) -> &'static str {
    let mut state = home();
    if let Some(before) = before {
        at(1, &mut state, says(kind, before, form, false, 1));
        state.alarms.clear();
    }
    let out = at(100, &mut state, says(kind, now, form, retained, if same_rest { 1 } else { 2 }));
    match state.alarms.first() {
        Some(alarm) if alarm.age_unknown => "found",
        Some(alarm) if alarm.kind == AlarmKind::PossiblePress => "possible",
        Some(_) => "raised",
        None => out.because.first().copied().unwrap_or("-"),
    }
}

#[test]
fn what_a_message_comes_to() {
    use Form::*;
    let (t, f) = (Some(true), Some(false));
    // form, before, now; then live, live with other news, retained
    #[rustfmt::skip]
    let presses = [
        (Event,   None, true,  ["raised", "raised", "retained_press"]),
        (Event,   t,    true,  ["raised", "raised", "retained_press"]),
        (Event,   None, false, ["at_rest", "at_rest", "at_rest"]),
        (Edge,    None, true,  ["raised", "raised", "retained_press"]),
        (Edge,    f,    true,  ["raised", "raised", "retained_press"]),
        (Edge,    t,    true,  ["still_true", "still_true", "retained_press"]),
        (Edge,    t,    false, ["at_rest", "at_rest", "at_rest"]),
        (Latched, None, true,  ["raised", "raised", "retained_press"]),
        (Latched, f,    true,  ["raised", "raised", "retained_press"]),
        (Latched, t,    true,  ["possible", "repeat_with_other_news", "retained_press"]),
        (Latched, t,    false, ["at_rest", "at_rest", "at_rest"]),
    ];
    #[rustfmt::skip]
    let conditions = [
        (Event,   None, true,  ["raised", "raised", "found"]),
        (Event,   t,    true,  ["raised", "raised", "found"]),
        (Edge,    None, true,  ["raised", "raised", "found"]),
        (Edge,    f,    true,  ["raised", "raised", "found"]),
        (Edge,    t,    true,  ["still_true", "still_true", "still_true"]),
        (Edge,    None, false, ["at_rest", "at_rest", "at_rest"]),
        (Latched, t,    true,  ["still_true", "still_true", "still_true"]),
        (Latched, f,    true,  ["raised", "raised", "found"]),
    ];
    let all = presses.map(|row| (Kind::Sos, row)).into_iter().chain(conditions.map(|row| (Kind::Smoke, row)));
    for (kind, (form, before, now, expected)) in all {
        let live = second(kind, form, before, now, false, true);
        let news = second(kind, form, before, now, false, false);
        let retained = second(kind, form, before, now, true, true);
        assert_eq!([live, news, retained], expected, "{kind} {form:?} {before:?} then {now}");
    }
}

#[test]
fn what_a_device_is_remembered_by_is_bounded() {
    use crate::engine::id::Zone;
    let mut state = home();
    for n in 0..500_u64 {
        let reading = Reading { zone: Some(Zone::cut(&n.to_string())), ..Reading::flag(Kind::Smoke, n % 2 == 0) };
        let heard = Heard {
            signal: None,
            history: false,
            device: 0,
            readings: vec![reading],
            device_time: None,
            rest: 0,
            event: Some(n),
            retained: false,
            echo: false,
        };
        at(n, &mut state, HomeInput::Heard(heard));
    }
    assert_eq!((state.devices[0].last.len(), state.devices[0].events.len()), (64, 8));
    assert_eq!(state.alarms[0].events, 250);
}

#[test]
fn a_reading_of_a_device_that_is_not_there_changes_nothing() {
    let mut state = State::default();
    assert!(at(1, &mut state, says(Kind::Sos, true, Form::Event, false, 0)).changes.is_empty());
}

#[test]
fn a_sensor_of_motion_that_repeats_itself_within_the_hour_saw_somebody_again() {
    for (again, stirs) in [(3_599, true), (3_600, false)] {
        let mut state = home();
        at(1, &mut state, says(Kind::Motion, true, Form::Edge, false, 0));
        at(1 + again, &mut state, says(Kind::Motion, true, Form::Edge, false, 0));
        assert_eq!(state.activity.map(|a| a.wall.0 / 1_000) == Some(1 + again as i64), stirs, "after {again} s");
    }
}

#[test]
fn a_home_that_is_lost_once_more_has_not_been_heard_again() {
    let mut state = home();
    at(1, &mut state, says(Kind::Motion, true, Form::Event, false, 0));
    let heard_again = |state: &State| state.unwatched.map(|unwatched| unwatched.until.is_some());
    for (second, online, expected) in [(10, false, Some(false)), (7_200, true, Some(true)), (7_300, false, Some(false))]
    {
        at(second, &mut state, HomeInput::Bridge { online });
        assert_eq!(heard_again(&state), expected, "at {second} s");
    }
}

#[test]
fn a_battery_that_its_device_calls_low_is_a_need() {
    let mut state = home();
    state.devices[0].registered = true;
    let now =
        |second: u64| Stamp { tick: Tick(second * 1000), wall: Wall(second as i64 * 1000), heard: Tick(second * 1000) };
    let low = |state: &State, second| {
        let needs = state.devices[0].view(now(second)).needs;
        needs.iter().any(|need| matches!(need, health::Need::BatteryLow { .. }))
    };
    at(1, &mut state, says(Kind::BatteryLow, false, Form::Edge, false, 0));
    assert!(!low(&state, 1));
    at(2, &mut state, says(Kind::BatteryLow, true, Form::Edge, false, 0));
    assert!(low(&state, 2));
}

/// A home that knows these limits, and whose people stirred last at noon.
fn learnt(limits: crate::engine::learn::Limits, out: bool) -> (State, Activity) {
    let mut state = home();
    state.learnt.limits = limits;
    state.presence.out = out;
    let noon = 12 * 3_600_000;
    (state, Activity { heard: Tick(noon), wall: Wall(noon as i64), kind: Some(Kind::Motion), device: 0 })
}

#[test]
fn who_has_left_has_a_quarter_more_than_the_longest_outing_within_the_plan_s_bounds() {
    // In steps of five minutes: outings of ten, eleven and eighteen hours.
    for (longest, minutes) in [(0, 720), (96, 720), (120, 750), (132, 825), (216, 1_200)] {
        let limits = crate::engine::learn::Limits { longest_outing: longest, ..Default::default() };
        let (state, activity) = learnt(limits, true);
        let limit = silence::limit(&policy(), &state, &activity);
        assert_eq!((limit.name, limit.alarm), ("outing", Millis::from_mins(minutes)), "{longest}");
    }
}

#[test]
fn without_an_allowance_the_caps_alone_decide() {
    let days = 30;
    let limits =
        crate::engine::learn::Limits { days, alarm: vec![36; 144], check: vec![24; 144], ..Default::default() };
    let (state, activity) = learnt(limits, false);
    let cases =
        [(None, None, 180, 120), (Some(0), None, 720, 120), (None, Some(0), 180, 504), (Some(0), Some(0), 720, 504)];
    for (alarms, checks, alarm, check) in cases {
        let rules = RulesPatch {
            inactivity_alarms_per_100_months: alarms,
            inactivity_checks_per_100_months: checks,
            ..RulesPatch::default()
        };
        let limit = silence::limit(&policy_of(rules), &state, &activity);
        let expected = (Millis::from_mins(alarm), Some(Millis::from_mins(check)));
        assert_eq!((limit.alarm, limit.check), expected, "{alarms:?} {checks:?}");
    }
}
