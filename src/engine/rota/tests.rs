use super::*;

fn id(text: &str) -> ResponderId {
    ResponderId::new(text).unwrap()
}

fn empty(zone: &str) -> Rota {
    Rota {
        id: RotaId::new("r").unwrap(),
        site: SiteId::new("z").unwrap(),
        zone: Some(zone.parse().unwrap()),
        shifts: Vec::new(),
        overrides: Vec::new(),
        fallback: None,
        holidays: Vec::new(),
        workdays: Vec::new(),
    }
}

/// `workday 08:00-18:00 a b`: all together; with `|` between them, turn by turn, as `mon 08:00-08:00 a|b c every 7 since 2026-01-05`.
fn shift(line: &str) -> Shift {
    let (line, rotation) = line.split_once(" every ").map_or((line, None), |(line, rest)| (line, Some(rest)));
    let (days, rest) = line.split_once(' ').unwrap();
    let (hours, people) = rest.split_once(' ').unwrap();
    let (from, to) = hours.split_once('-').unwrap();
    let day = |word: &str| On::WORDS.iter().find(|(known, _)| *known == word).unwrap().1;
    let days = if days == "always" { Vec::new() } else { days.split('+').map(day).collect() };
    let turns = people.split('|').map(|turn| turn.split(' ').map(id).collect()).collect();
    let (every_days, since) = rotation.map_or((1, Day::default()), |rest| {
        let (every, since) = rest.split_once(" since ").unwrap();
        (every.parse().unwrap(), since.parse().unwrap())
    });
    Shift { days, from_min: minute(from).unwrap(), to_min: minute(to).unwrap(), turns, every_days, since }
}

fn rota(zone: &str, shifts: &[&str]) -> Rota {
    Rota { shifts: shifts.iter().map(|line| shift(line)).collect(), ..empty(zone) }
}

/// `2026-05-01T08:00 2026-05-02T08:00 a>b`; a dash for nobody.
fn instead(line: &str) -> Override {
    let [from, to, who] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
    let (gone, comes) = who.split_once('>').unwrap();
    let some = |name: &str| (name != "-").then(|| id(name));
    Override { from: from.parse().unwrap(), to: to.parse().unwrap(), instead_of: some(gone), who: some(comes) }
}

fn duty(rota: &Rota) -> Duty {
    Duty::new(rota, &TimeZone::UTC, Arc::new(Calendar::of([rota])))
}

fn wall(text: &str) -> Wall {
    Wall(text.parse::<Timestamp>().unwrap().as_millisecond())
}

fn names(who: impl IntoIterator<Item = impl ToString>) -> String {
    who.into_iter().map(|one| one.to_string()).collect::<Vec<_>>().join(" ")
}

/// Who is on duty at these times: each with its offset from UTC.
#[track_caller]
fn check(rota: &Rota, table: &[(&str, &str)]) {
    let duty = duty(rota);
    for (at, expected) in table {
        assert_eq!(names(duty.at(wall(at))), *expected, "{at}");
    }
}

#[test]
fn a_team_is_always_there() {
    let team = rota("Asia/Shanghai", &["always 00:00-24:00 a b"]);
    check(&team, &[("2026-01-01T00:00:00+08:00", "a b"), ("2026-07-05T23:59:59+08:00", "a b")]);
}

#[test]
fn shifts_are_handed_over_to_the_minute_and_cross_midnight() {
    let shifts = ["workday 08:00-18:00 day", "always 18:00-08:00 night", "holiday 08:00-18:00 weekend"];
    check(
        &rota("Asia/Shanghai", &shifts),
        &[
            ("2026-06-04T07:59:59+08:00", "night"),
            ("2026-06-04T08:00:00+08:00", "day"),
            ("2026-06-04T17:59:59+08:00", "day"),
            ("2026-06-04T18:00:00+08:00", "night"),
            ("2026-06-05T00:00:00+08:00", "night"),
            // Friday night is Friday's, and Saturday begins at eight.
            ("2026-06-06T07:59:00+08:00", "night"),
            ("2026-06-06T08:00:00+08:00", "weekend"),
            ("2026-06-08T08:00:00+08:00", "day"),
        ],
    );
}

#[test]
fn a_shift_that_crosses_midnight_belongs_to_the_day_on_which_it_begins() {
    let shifts = ["fri 22:00-06:00 late", "sat+sun 06:00-22:00 weekend"];
    check(
        &rota("Asia/Shanghai", &shifts),
        &[
            ("2026-06-05T21:59:00+08:00", ""),
            ("2026-06-05T22:00:00+08:00", "late"),
            ("2026-06-06T05:59:00+08:00", "late"),
            ("2026-06-06T06:00:00+08:00", "weekend"),
            ("2026-06-06T23:00:00+08:00", ""),
        ],
    );
}

#[test]
fn turns_go_round_and_change_at_the_beginning_of_the_shift() {
    let weekly = rota("Asia/Shanghai", &["always 08:00-08:00 a|b c|d every 7 since 2026-01-05"]);
    check(
        &weekly,
        &[
            ("2026-01-05T07:59:00+08:00", "d"),
            ("2026-01-05T08:00:00+08:00", "a"),
            ("2026-01-12T07:59:00+08:00", "a"),
            ("2026-01-12T08:00:00+08:00", "b c"),
            ("2026-01-19T08:00:00+08:00", "d"),
            ("2026-01-26T08:00:00+08:00", "a"),
            ("2025-12-22T08:00:00+08:00", "b c"),
        ],
    );
    let daily = rota("Asia/Shanghai", &["always 18:00-08:00 a|b every 1 since 2026-01-05"]);
    check(
        &daily,
        &[("2026-01-06T07:00:00+08:00", "a"), ("2026-01-06T18:00:00+08:00", "b"), ("2026-01-06T12:00:00+08:00", "")],
    );
}

#[test]
fn a_holiday_is_free_and_what_is_exchanged_for_it_is_worked() {
    let days = |texts: &[&str]| texts.iter().map(|day| day.parse().unwrap()).collect();
    let shifts = ["workday 08:00-18:00 day", "holiday 08:00-18:00 weekend", "sat 08:00-12:00 saturday"];
    let national = Rota {
        holidays: days(&["2026-10-01", "2026-10-02", "2026-10-05", "2026-10-06", "2026-10-07"]),
        workdays: days(&["2026-09-27", "2026-10-10"]),
        ..rota("Asia/Shanghai", &shifts)
    };
    check(
        &national,
        &[
            ("2026-09-26T09:00:00+08:00", "weekend saturday"),
            ("2026-09-27T09:00:00+08:00", "day"),
            ("2026-09-30T09:00:00+08:00", "day"),
            ("2026-10-01T09:00:00+08:00", "weekend"),
            ("2026-10-07T09:00:00+08:00", "weekend"),
            ("2026-10-08T09:00:00+08:00", "day"),
            // A Saturday that is worked; a shift of Saturdays is one still.
            ("2026-10-10T09:00:00+08:00", "day saturday"),
            ("2026-10-11T09:00:00+08:00", "weekend"),
        ],
    );
    // The days of one rota hold for the others of its site.
    let plain = rota("Asia/Shanghai", &shifts);
    let shared = Duty::new(&plain, &TimeZone::UTC, Arc::new(Calendar::of([&national, &plain])));
    assert_eq!(names(shared.at(wall("2026-10-01T09:00:00+08:00"))), "weekend");
    let both = Rota { workdays: days(&["2026-10-01"]), ..plain };
    assert_eq!(Calendar::of([&national, &both]).contradiction(), Some("2026-10-01".parse().unwrap()));
}

#[test]
fn who_is_ill_is_stood_in_for_and_a_fallback_fills_what_is_empty() {
    let overrides = [
        "2026-06-03T12:00 2026-06-04T12:00 a>c",
        "2026-06-05T00:00 2026-06-06T00:00 a>-",
        "2026-06-06T00:00 2026-06-07T00:00 ->x",
        "2026-06-07T00:00 2026-06-09T00:00 a>b",
        "2026-06-08T00:00 2026-06-09T00:00 b>-",
        "2026-06-08T12:00 2026-06-09T00:00 f>g",
    ];
    let overridden = Rota {
        overrides: overrides.iter().map(|line| instead(line)).collect(),
        fallback: Some(id("f")),
        ..rota("Asia/Shanghai", &["always 08:00-08:00 a b"])
    };
    check(
        &overridden,
        &[
            ("2026-06-03T11:59:00+08:00", "a b"),
            ("2026-06-03T12:00:00+08:00", "c b"),
            ("2026-06-04T12:00:00+08:00", "a b"),
            ("2026-06-05T09:00:00+08:00", "b"),
            ("2026-06-06T09:00:00+08:00", "a b x"),
            // Whoever stands in is told once.
            ("2026-06-07T09:00:00+08:00", "b"),
            ("2026-06-08T09:00:00+08:00", "f"),
            ("2026-06-08T12:00:00+08:00", "g"),
        ],
    );
    let hours = Rota { fallback: Some(id("f")), ..rota("Asia/Shanghai", &["workday 08:00-18:00 a"]) };
    check(&hours, &[("2026-06-04T18:00:00+08:00", "f"), ("2026-06-04T08:00:00+08:00", "a")]);
    check(&empty("Asia/Shanghai"), &[("2026-06-04T08:00:00+08:00", "")]);
}

/// In Berlin, the shifts `a` until 02:30 and `b` from then on, with one that lies within the hour.
const BERLIN: [&str; 4] =
    ["always 08:00-02:30 a", "always 02:30-08:00 b", "always 02:10-02:50 inner", "always 02:00-03:00 hour"];

#[test]
fn nobody_falls_out_of_duty_in_the_hour_that_is_skipped() {
    // At 01:00 UTC the clocks go from 02:00 to 03:00.
    check(
        &rota("Europe/Berlin", &BERLIN),
        &[("2026-03-29T00:59:59Z", "a"), ("2026-03-29T01:00:00Z", "b"), ("2026-03-29T06:00:00Z", "a")],
    );
    // Hours that meet by the clocks meet in time too, whatever lies between.
    let tight = rota("Europe/Berlin", &["always 00:00-03:00 a", "always 02:30-24:00 b"]);
    check(&tight, &[("2026-03-29T00:59:59Z", "a"), ("2026-03-29T01:00:00Z", "b")]);
}

#[test]
fn nobody_is_on_duty_twice_in_the_hour_that_comes_again() {
    // At 01:00 UTC the clocks go from 03:00 back to 02:00.
    check(
        &rota("Europe/Berlin", &BERLIN),
        &[
            ("2026-10-24T23:59:59Z", "a"),
            ("2026-10-25T00:00:00Z", "a hour"),
            ("2026-10-25T00:10:00Z", "a inner hour"),
            ("2026-10-25T00:29:59Z", "a inner hour"),
            ("2026-10-25T00:30:00Z", "b inner hour"),
            ("2026-10-25T00:50:00Z", "b hour"),
            // 02:00 again: who was handed over to keeps it.
            ("2026-10-25T01:00:00Z", "b hour"),
            ("2026-10-25T01:15:00Z", "b hour"),
            ("2026-10-25T01:59:59Z", "b hour"),
            ("2026-10-25T02:00:00Z", "b"),
            ("2026-10-25T07:00:00Z", "a"),
        ],
    );
}

#[test]
fn stretches_tell_the_same_as_each_moment_through_both_nights_and_where_there_are_none() {
    let around = [
        ("Europe/Berlin", "2026-03-28T22:00:00Z"),
        ("Europe/Berlin", "2026-10-24T22:00:00Z"),
        ("Asia/Shanghai", "2026-03-28T22:00:00Z"),
        // Half an hour, and a day that begins at one.
        ("Australia/Lord_Howe", "2026-04-04T10:00:00Z"),
        ("Africa/Cairo", "2026-04-23T12:00:00Z"),
    ];
    let turns = ["always 00:00-12:00 x|y every 1 since 2026-01-01", "always 01:30-00:10 z"];
    for (zone, from) in around {
        let mut rota = rota(zone, &[&BERLIN[..], &turns[..]].concat());
        rota.overrides =
            vec![instead("2026-03-29T02:40 2026-03-29T02:45 b>c"), instead("2026-10-25T02:20 2026-10-25T02:40 a>-")];
        let (duty, from) = (duty(&rota), wall(from));
        let to = Wall(from.0 + 36 * 3_600_000);
        let stretches = duty.stretches(from, to);
        assert_eq!((stretches[0].from, stretches.last().unwrap().to), (from, to));
        assert!(stretches.is_sorted_by(|a, b| a.from < a.to && a.to == b.from && a.who != b.who), "{stretches:?}");
        for at in (from.0..to.0).step_by(60_000) {
            let of = stretches.iter().find(|stretch| stretch.from.0 <= at && at < stretch.to.0).unwrap();
            assert_eq!(names(&of.who), names(duty.at(Wall(at))), "{zone} {}", Wall(at).utc());
        }
    }
}

#[test]
fn a_fortnight_ahead() {
    let shifts = ["workday 09:00-17:00 day", "always 17:00-09:00 n1|n2 every 7 since 2026-06-01"];
    let duty = duty(&rota("Asia/Shanghai", &shifts));
    let told = |from: &str, to: &str| {
        let stretches = duty.stretches(wall(from), wall(to)).into_iter();
        stretches
            .map(|s| format!("{} {}", s.to.rfc3339(&duty.zone), names(s.who)).trim().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        told("2026-06-05T12:00:00+08:00", "2026-06-08T18:00:00+08:00"),
        [
            "2026-06-05T17:00:00+08:00 day",
            "2026-06-06T09:00:00+08:00 n1",
            "2026-06-06T17:00:00+08:00",
            "2026-06-07T09:00:00+08:00 n1",
            "2026-06-07T17:00:00+08:00",
            "2026-06-08T09:00:00+08:00 n1",
            "2026-06-08T17:00:00+08:00 day",
            "2026-06-08T18:00:00+08:00 n2",
        ]
    );
}

#[test]
fn texts_are_read_as_they_are_written() {
    for text in ["1970-01-01", "2024-02-29", "2199-12-31"] {
        assert_eq!(text.parse::<Day>().unwrap().to_string(), text);
    }
    for text in ["2026-05-01T08:05", "1970-01-01T00:00"] {
        assert_eq!(text.parse::<Local>().unwrap().to_string(), text);
    }
    assert_eq!("2026-05-01 24:00".parse::<Local>(), "2026-05-02T00:00".parse());
    for text in ["2026-02-30", "2026-5-1", "20260501", "2200-01-01", "", "2026-05-01T08:00"] {
        assert!(text.parse::<Day>().is_err(), "{text}");
    }
    for text in ["8:00", "24:01", "08:60", "+8:00", "0800", "", "08:00:00"] {
        assert!(minute(text).is_err(), "{text}");
    }
    for text in ["Asia/Shanghia", "", "UTC+8", "local"] {
        assert!(text.parse::<Zone>().is_err(), "{text}");
    }
}

#[test]
fn what_is_journalled_is_read_back_and_a_zone_that_nobody_knows_is_not() {
    let rota = Rota { fallback: Some(id("f")), ..rota("Europe/Berlin", &BERLIN) };
    let bytes = minicbor::to_vec(&rota).unwrap();
    assert_eq!(minicbor::decode::<Rota>(&bytes).unwrap(), rota);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(text(&bytes).contains("Europe/Berlin"));
    let broken: Vec<u8> = text(&minicbor::to_vec("Europe/Berlin").unwrap()).replace("Berlin", "Bärlin").into_bytes();
    assert!(minicbor::decode::<Zone>(&broken).is_err());
}
