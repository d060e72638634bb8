//! What a recording comes to, as tables.

use super::when::Reader;
use super::*;
use crate::engine::id::SiteId;
use crate::engine::time::Wall;
use jiff::tz::TimeZone;

fn options(zone: &str, care: bool) -> Options {
    let zone = TimeZone::get(zone).unwrap();
    let rules = SiteRules { site: SiteId::new("z").unwrap(), zone, rules: RulesPatch::default() };
    Options { rules, registry: Registry::default(), care }
}

fn text(lines: &str) -> String {
    lines.lines().map(str::trim).filter(|l| !l.is_empty()).map(|l| format!("{l}\n")).collect()
}

/// Each answer as `HH:MM home alarm change`, or `home collapse checked raised`, days after the first as `+1`.
fn replay(options: &Options, readings: &str, collapses: &str) -> (Vec<String>, Summary) {
    let readings = format!("ts,home,device,room,kind,value\n{}", text(readings));
    let collapses = format!("ts,home\n{}", text(collapses));
    let mut out = Vec::new();
    let summary = run(options, readings.as_bytes(), Some(collapses.as_bytes()), &mut out).unwrap();
    let line = |line: &str| {
        let v: serde_json::Value = serde_json::from_str(line).unwrap();
        let word = |key: &str| v[key].as_str().unwrap_or("-").to_owned();
        match v.get("collapse_at") {
            Some(_) => format!(
                "{} {} {} {} {}",
                word("collapse_at"),
                word("home"),
                word("checked_at"),
                word("raised_at"),
                v["delay_s"]
            ),
            None => format!("{} {} {} {}", word("at"), word("home"), word("alarm"), word("change")),
        }
    };
    (String::from_utf8(out).unwrap().lines().map(line).collect(), summary)
}

fn check(options: &Options, readings: &str, collapses: &str, expected: &str) {
    let (lines, _) = replay(options, readings, collapses);
    let shown: String = lines.iter().map(|l| format!("{l}\n")).collect();
    assert_eq!(shown, text(expected), "\n{shown}");
}

#[test]
fn a_silence_is_checked_alarmed_attended_and_counts_anew() {
    check(
        &options("Asia/Shanghai", true),
        "2011-02-03T06:00:00,h1,m,hall,motion,true
         2011-02-04T14:00:00,h1,m,hall,motion,true",
        "",
        "2011-02-03T14:24:00+08:00 h1 inactivity_check raised
         2011-02-03T18:00:00+08:00 h1 inactivity_check closed
         2011-02-03T18:00:00+08:00 h1 inactivity raised
         2011-02-03T18:10:00+08:00 h1 inactivity closed
         2011-02-04T03:58:00+08:00 h1 inactivity_check raised
         2011-02-04T08:10:00+08:00 h1 inactivity_check closed
         2011-02-04T08:10:00+08:00 h1 inactivity raised
         2011-02-04T08:20:00+08:00 h1 inactivity closed",
    );
}

#[test]
fn without_care_an_alarm_stays_and_comes_again() {
    check(
        &options("Asia/Shanghai", false),
        "2011-02-03T06:00:00,h1,m,hall,motion,true
         2011-02-03T19:00:00,h1,m,hall,motion,true
         2011-02-04T10:00:00,h1,m,hall,motion,true",
        "",
        "2011-02-03T14:24:00+08:00 h1 inactivity_check raised
         2011-02-03T18:00:00+08:00 h1 inactivity_check closed
         2011-02-03T18:00:00+08:00 h1 inactivity raised
         2011-02-03T19:00:00+08:00 h1 inactivity over
         2011-02-04T04:48:00+08:00 h1 inactivity_check raised
         2011-02-04T09:00:00+08:00 h1 inactivity_check closed
         2011-02-04T09:00:00+08:00 h1 inactivity raised
         2011-02-04T10:00:00+08:00 h1 inactivity over",
    );
}

#[test]
fn a_collapse_is_noticed_in_a_copy_and_the_recording_goes_on_unharmed() {
    check(
        &options("Asia/Shanghai", true),
        "2011-02-03T06:00:00,h1,m,hall,motion,true
         2011-02-03T08:00:00,h1,m,hall,motion,true
         2011-02-03T13:00:00,h1,m,hall,motion,true",
        "2011-02-03T08:00:00.500,h1
         2011-02-03T07:00:00,h1
         2011-02-03T09:00:00,h9
         2011-02-03T14:00:00,h1",
        "2011-02-03T07:00:00+08:00 h1 2011-02-03T14:24:00+08:00 2011-02-03T18:00:00+08:00 39600
         2011-02-03T08:00:00+08:00 h1 2011-02-03T16:24:00+08:00 2011-02-03T20:00:00+08:00 43199
         2011-02-03T09:00:00+08:00 h9 - - null
         2011-02-03T14:00:00+08:00 h1 2011-02-03T21:24:00+08:00 2011-02-04T01:00:00+08:00 39600",
    );
}

#[test]
fn a_collapse_while_an_alarm_is_open_waits_for_the_next() {
    check(
        &options("Asia/Shanghai", true),
        "2011-02-03T06:00:00,h1,m,hall,motion,true
         2011-02-03T18:20:00,h1,m,hall,motion,true",
        "2011-02-03T18:05:00,h1",
        "2011-02-03T14:24:00+08:00 h1 inactivity_check raised
         2011-02-03T18:00:00+08:00 h1 inactivity_check closed
         2011-02-03T18:00:00+08:00 h1 inactivity raised
         2011-02-03T18:05:00+08:00 h1 2011-02-04T03:58:00+08:00 2011-02-04T08:10:00+08:00 50700
         2011-02-03T18:10:00+08:00 h1 inactivity closed",
    );
}

#[test]
fn an_unheard_home_is_not_silent_and_a_collapse_in_it_is_heard() {
    check(
        &options("Asia/Shanghai", true),
        "2011-02-03T06:00:00,h1,m,hall,motion,true
         2011-02-03T07:00:00,h1,hub,,online,false
         2011-02-04T07:00:00,h1,hub,,online,true
         2011-02-04T15:00:00,h1,m,hall,motion,true",
        "2011-02-03T08:00:00,h1",
        "2011-02-03T08:00:00+08:00 h1 2011-02-03T15:24:00+08:00 2011-02-03T19:00:00+08:00 39600
         2011-02-03T11:00:00+08:00 h1 welfare_check raised
         2011-02-03T11:10:00+08:00 h1 welfare_check closed
         2011-02-03T15:10:00+08:00 h1 welfare_check raised
         2011-02-03T15:20:00+08:00 h1 welfare_check closed
         2011-02-03T19:20:00+08:00 h1 welfare_check raised
         2011-02-03T19:30:00+08:00 h1 welfare_check closed
         2011-02-04T08:00:00+08:00 h1 welfare_check raised
         2011-02-04T08:10:00+08:00 h1 welfare_check closed",
    );
}

/// On the days on which the clocks change, too: a window of the day is one of the wall clock.
#[test]
fn windows_keep_to_the_wall_clock_when_the_clocks_change() {
    for (day, zone) in
        [("2026-03-29", "Europe/Berlin"), ("2026-10-25", "Europe/Berlin"), ("2026-10-25", "Asia/Shanghai")]
    {
        let mut options = options(zone, false);
        options.rules.rules.wandering_s = Some(1_200);
        let raised = |at: &str, lines: &str, alarm: &str| {
            let before = ["00:20", "00:40"].map(|at| format!("{day}T{at}:00,h1,m,hall,motion,true\n")).concat();
            let readings: String = lines.lines().map(|l| format!("{day}T{at}:{}\n", l.trim())).collect();
            let after = "2026-12-01T00:00:00,h1,hub,,online,true";
            let (lines, _) = replay(&options, &format!("{before}{readings}{after}"), "");
            lines.iter().rfind(|l| l.ends_with(&format!("{alarm} raised"))).map(|l| l[11..16].to_owned())
        };
        let out = "00,h1,d,entrance,contact,open\n10,h1,d,entrance,contact,closed";
        let wandering = |at| raised(at, out, "wandering");
        assert_eq!(wandering("04:29").as_deref(), Some("04:49"), "{day} {zone}: before the window's end");
        assert_eq!(wandering("04:31"), None, "{day} {zone}: after it");
        assert_eq!(wandering("22:59"), None, "{day} {zone}: before its beginning");
        assert_eq!(wandering("23:01").as_deref(), Some("23:21"), "{day} {zone}: after it");
        let silent = |at| raised(at, "00,h1,m,hall,motion,true", "inactivity");
        assert_eq!(silent("15:59").as_deref(), Some("03:59"), "{day} {zone}: twelve hours");
        assert_eq!(silent("16:01").as_deref(), Some("06:01"), "{day} {zone}: fourteen, for the night is in them");
        // The night's silence, from 00:40: fourteen hours have passed.
        let shift = match (day, zone) {
            (_, "Asia/Shanghai") => "14:40",
            ("2026-03-29", _) => "15:40",
            _ => "13:40",
        };
        assert_eq!(raised("00:40", "30,h1,m,hall,motion,true", "inactivity").as_deref(), Some(shift), "{day} {zone}");
    }
}

#[test]
fn every_row_is_an_event_of_a_person_but_a_sensor_that_falls_back_to_rest() {
    check(
        &options("Asia/Shanghai", true),
        "2011-02-03T04:00:00,h1,m,hall,motion,true
         2011-02-03T06:00:00,h1,d,entrance,contact,open
         2011-02-03T12:00:00,h1,d,entrance,contact,open
         2011-02-03T20:00:00,h1,b,bed,presence,true
         2011-02-04T05:00:00,h1,b,bed,presence,false
         2011-02-04T06:00:00,h1,m,hall,motion,false
         2011-02-04T06:30:00,h1,m,hall,temperature,21.5
         2011-02-04T13:25:00,h1,\"m\",\"hall, upstairs\",motion,true",
        "",
        "2011-02-04T13:24:00+08:00 h1 inactivity_check raised
         2011-02-04T13:25:00+08:00 h1 inactivity_check closed",
    );
}

#[test]
fn a_recording_ends_with_its_last_line_and_an_online_line_prolongs_it() {
    check(
        &options("Asia/Shanghai", true),
        "2011-02-03T06:00:00,h1,m,hall,motion,true
         2011-02-03T06:00:00,h2,m,hall,motion,true
         2011-02-03T15:00:00,h2,,,online,true
         2011-02-06T06:00:00,h3,m,hall,motion,true",
        "",
        "2011-02-03T14:24:00+08:00 h2 inactivity_check raised",
    );
}

#[test]
fn calls_and_conditions_are_told_with_their_fields() {
    let readings = "ts,home,device,room,kind,value
2011-02-03T06:00:00,h1,s,kitchen,smoke,true
2011-02-03T06:01:00,h1,s,kitchen,smoke,false
2011-02-03T06:02:00,h1,p,,sos,true
";
    let mut out = Vec::new();
    let summary = run(&options("Asia/Shanghai", true), readings.as_bytes(), None::<&[u8]>, &mut out).unwrap();
    assert_eq!(
        String::from_utf8(out).unwrap(),
        r#"{"at":"2011-02-03T06:00:00+08:00","home":"h1","alarm":"smoke","tier":"alarm","change":"raised","priority":"life","since":"2011-02-03T06:00:00+08:00","reason":{"why":"said","kind":"smoke","device":"s"}}
{"at":"2011-02-03T06:01:00+08:00","home":"h1","alarm":"smoke","tier":"alarm","change":"over","priority":"life","since":"2011-02-03T06:00:00+08:00","reason":{"why":"said","kind":"smoke","device":"s"}}
{"at":"2011-02-03T06:02:00+08:00","home":"h1","alarm":"sos","tier":"alarm","change":"raised","priority":"life","since":"2011-02-03T06:02:00+08:00","reason":{"why":"said","kind":"sos","device":"p"}}
"#
    );
    assert_eq!((summary.homes, summary.readings, summary.span.as_secs()), (1, 3, 120));
}

#[test]
fn the_summary_counts_by_home_week() {
    let (_, summary) = replay(
        &options("UTC", true),
        "2024-01-01T00:00:00,h1,m,,motion,true
         2024-01-01T00:00:00,h2,m,,motion,true
         2024-01-01T23:59:59,h2,m,,motion,true
         2024-01-02T00:00:00,h1,m,,motion,true",
        "",
    );
    let line = summary.line(std::time::Duration::from_secs(2));
    assert_eq!(
        line,
        format!(
            "2 homes, 1 days, 4 readings; alarms per home-week: inactivity 7.00, inactivity_check 14.00; {} bytes of state a home; \
             2 readings/s",
            summary.state_bytes / 2
        )
    );
    assert!((200..4_096).contains(&(summary.state_bytes / 2)), "{line}");
}

#[test]
fn wrong_lines_are_named() {
    let cases = [
        ("", "readings, line 1: the header has no column ts; it is ts,home,device,room,kind,value"),
        (
            "ts,home,device,room,kind\n",
            "readings, line 1: the header has no column value; it is ts,home,device,room,kind,value",
        ),
        ("2011-02-03T06:00:00,h1,m,hall,motion", "readings, line 2: 5 fields, but the header names 6"),
        (
            "soon,h1,m,hall,motion,true",
            "readings, line 2: soon is no time; it looks like 2011-02-03T14:05:00 or …+08:00",
        ),
        (
            "2011-02-30T06:00:00,h1,m,hall,motion,true",
            "readings, line 2: 2011-02-30T06:00:00 is no time; it looks like 2011-02-03T14:05:00 or …+08:00",
        ),
        ("2011-02-03T06:00:00,h1,m,hall,levitation,true", "readings, line 2: no kind is \"levitation\""),
        ("2011-02-03T06:00:00,h1,m,hall,motion,maybe", "readings, line 2: no value of motion is \"maybe\""),
        ("2011-02-03T06:00:00,h1,m,hall,temperature,NaN", "readings, line 2: no value of temperature is \"NaN\""),
        ("2011-02-03T06:00:00,,m,hall,motion,true", "readings, line 2: home : an id may not be empty"),
        ("2011-02-03T06:00:00,\"h1,m,hall,motion,true", "readings, line 2: 2 fields, but the header names 6"),
        (
            "2011-02-03T06:00:00,h1,m,hall,motion,true\n\n2011-02-03T05:59:59,h1,m,hall,motion,true",
            "readings, line 4: earlier than the line before: rows must be in time order",
        ),
    ];
    for (line, expected) in cases {
        let whole = line.is_empty() || line.starts_with("ts");
        let readings = if whole { line.to_owned() } else { format!("ts,home,device,room,kind,value\n{line}\n") };
        let result = run(&options("UTC", true), readings.as_bytes(), None::<&[u8]>, Vec::new());
        let error = result.unwrap_err();
        assert_eq!((error.to_string().as_str(), error.is_wrong_input()), (expected, true));
    }
}

#[test]
fn columns_may_stand_in_any_order_and_gzip_is_read() {
    use flate2::{Compression, write::GzEncoder};
    let readings =
        "\u{feff}value,room,TS,home,note,device,kind\r\ntrue,hall,2011-02-03 06:00:00Z,h1,x,m,motion\r\n\r\n";
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("readings.csv.gz");
    let mut gz = GzEncoder::new(File::create(&path).unwrap(), Compression::fast());
    gz.write_all(readings.as_bytes()).unwrap();
    gz.finish().unwrap();
    let summary = run(&options("UTC", true), open(&path).unwrap(), None::<&[u8]>, Vec::new()).unwrap();
    assert_eq!((summary.homes, summary.readings), (1, 1));
}

#[test]
fn times_are_read_as_they_are_meant() {
    let shown = |zone: &str, text: &str, before: &str| {
        let mut reader = Reader::new(TimeZone::get(zone).unwrap());
        let before = reader.read(before.as_bytes(), Wall(i64::MIN)).unwrap_or(Wall(i64::MIN));
        reader.read(text.as_bytes(), before).map_or("none".into(), Wall::utc)
    };
    let cases = [
        ("Asia/Shanghai", "2011-02-03T14:05:00", "", "2011-02-03T06:05:00.000Z"),
        ("Asia/Shanghai", "2011-02-03 14:05:00.25", "", "2011-02-03T06:05:00.250Z"),
        ("Asia/Shanghai", "2011-02-03T14:05:00.123456789+08:00", "", "2011-02-03T06:05:00.123Z"),
        ("Asia/Shanghai", "2011-02-03T14:05:00-01:30", "", "2011-02-03T15:35:00.000Z"),
        ("Asia/Shanghai", "2011-02-03T14:05:00Z", "", "2011-02-03T14:05:00.000Z"),
        ("Asia/Shanghai", "2011-02-03T14:05", "", "2011-02-03T06:05:00.000Z"),
        ("Asia/Shanghai", "2012-02-29T00:00:00Z", "", "2012-02-29T00:00:00.000Z"),
        ("Asia/Shanghai", "1900-03-01T00:00:00Z", "", "1900-03-01T00:00:00.000Z"),
        ("Asia/Shanghai", "2011-02-29T00:00:00Z", "", "none"),
        ("Asia/Shanghai", "2011-13-01T00:00:00Z", "", "none"),
        ("Asia/Shanghai", "2011-02-03T24:00:00Z", "", "none"),
        ("Asia/Shanghai", "2011-02-03T14:05:00.", "", "none"),
        ("Asia/Shanghai", "", "", "none"),
        // The hour that is skipped, and the one that is shown twice.
        ("Europe/Amsterdam", "2024-03-31T02:30:00", "", "2024-03-31T01:30:00.000Z"),
        ("Europe/Amsterdam", "2024-10-27T02:30:00", "", "2024-10-27T00:30:00.000Z"),
        ("Europe/Amsterdam", "2024-10-27T02:10:00", "2024-10-27T02:30:00", "2024-10-27T01:10:00.000Z"),
        ("Europe/Amsterdam", "2024-10-27T03:10:00", "2024-10-27T02:30:00", "2024-10-27T02:10:00.000Z"),
    ];
    for (zone, text, before, expected) in cases {
        assert_eq!(shown(zone, text, before), expected, "{text} in {zone} after {before:?}");
    }
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_it_fail_otherwise_than_by_an_error(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
        let mut file = b"ts,home,device,room,kind,value\n2024-01-01T00:00:00,h,m,,motion,true\n2024-01-01T00:00:0".to_vec();
        file.extend(bytes);
        let _ = run(&options("UTC", true), &file[..], Some(&file[31..]), Vec::new());
    }

    /// What the hand reads, the library reads the same.
    #[test]
    fn the_hand_agrees_with_the_library(second in -60_000_000_000_i64..250_000_000_000, zone in proptest::sample::select(vec!["UTC", "Asia/Shanghai", "America/New_York", "Australia/Lord_Howe"])) {
        let zone = TimeZone::get(zone).unwrap();
        let wall = Wall(second * 1000);
        let text = wall.rfc3339(&zone);
        let naive = &text[..19];
        let mut reader = Reader::new(zone.clone());
        proptest::prop_assert_eq!(reader.read(text.as_bytes(), Wall(i64::MIN)), Some(wall));
        let civil: jiff::civil::DateTime = naive.parse().unwrap();
        let meant = zone.to_ambiguous_timestamp(civil).compatible().unwrap().as_millisecond();
        proptest::prop_assert_eq!(reader.read(naive.as_bytes(), Wall(i64::MIN)), Some(Wall(meant)));
    }
}

/// Run with `cargo test --release --lib replay::tests::figures -- --ignored --nocapture`: what a reading costs, with and without
/// the reading of its line.
#[test]
#[ignore = "a measurement"]
#[expect(clippy::disallowed_methods, reason = "a stopwatch around the whole")]
fn figures() {
    use super::street::Told;
    let homes: Vec<String> = (0..3000).map(|n| format!("h{n:04}")).collect();
    let kinds = [("motion", "true"), ("motion", "false"), ("contact", "open"), ("temperature", "21.5")];
    let devices: Vec<String> = (0..8).map(|n| format!("device_{n}")).collect();
    let count = 3_000_000_usize;
    let pick = |n: usize| {
        let mixed = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
        let (kind, value) = kinds[mixed % 4];
        (&homes[mixed / 4 % homes.len()], &devices[mixed / 16_384 % 2 * 4 + mixed % 4], kind, value)
    };
    let options = options("Asia/Shanghai", true);
    let mut street = Street::new(&options, Lines::new(io::sink(), options.rules.zone.clone()));
    let begun = std::time::Instant::now();
    for n in 0..count {
        let (home, device, kind, value) = pick(n);
        let told = Told {
            home: home.as_bytes(),
            device: device.as_bytes(),
            room: b"",
            kind: kind.as_bytes(),
            value: value.as_bytes(),
        };
        assert!(street.hear(Wall(1_700_000_000_000 + n as i64 * 30), &told).is_ok());
    }
    let summary = street.end().unwrap();
    println!("engine: {}", summary.line(begun.elapsed()));
    let mut file = String::from("ts,home,device,room,kind,value\n");
    for n in 0..count {
        let (home, device, kind, value) = pick(n);
        let at = Wall(1_700_000_000_000 + n as i64 * 30).rfc3339(&options.rules.zone);
        file.push_str(&format!("{},{home},{device},,{kind},{value}\n", &at[..19]));
    }
    let begun = std::time::Instant::now();
    let mut rows = Rows::new(file.as_bytes(), Source::Readings, &rows::READINGS, options.rules.zone.clone()).unwrap();
    let mut read = 0;
    while rows.read().unwrap().is_some() {
        read += 1;
    }
    println!("lines: {:.0}/s", f64::from(read) / begun.elapsed().as_secs_f64());
    let begun = std::time::Instant::now();
    let summary = run(&options, file.as_bytes(), None::<&[u8]>, io::sink()).unwrap();
    println!("both: {}", summary.line(begun.elapsed()));
}

mod past {
    //! A journal under other rules than those it was written by.

    use super::super::past::Past;
    use super::options;
    use crate::engine::alarm::{Alarm, Reason, Safe, SafeHow};
    use crate::engine::change::{AlarmChange, Fact, HomeChange, Introduction, SiteChange};
    use crate::engine::id::{AlarmId, HomeId};
    use crate::engine::kind::{AlarmKind, Kind};
    use crate::engine::policy::RulesPatch;
    use crate::engine::reading::{Form, Reading, Value};
    use crate::engine::registry::{Entity, Home};
    use crate::engine::time::{Millis, Stamp, Tick, Wall};

    const HOUR: u64 = 3_600_000;
    /// 2024-06-07T00:00:00 in Shanghai.
    const MIDNIGHT: i64 = 1_717_689_600_000;

    fn at(millis: u64) -> Stamp {
        Stamp { tick: Tick(1_000_000 + millis), wall: Wall(MIDNIGHT + millis as i64), heard: Tick(500 + millis) }
    }

    fn home() -> Home {
        let (id, rules) = (HomeId::new("h1").unwrap(), RulesPatch::default());
        let site = "z".parse().unwrap();
        Home { rules, ..Home::new(id, site) }
    }

    fn motion() -> HomeChange {
        HomeChange::Heard(Fact {
            device: 0,
            reading: Reading::new(Kind::Motion, Value::Flag(true), Form::Event),
            happened: None,
            retained: false,
            rest: None,
            event: None,
            press: None,
            signal: None,
            history: None,
            beat: None,
            proves_nothing: None,
        })
    }

    fn raised(kind: AlarmKind, now: Stamp) -> HomeChange {
        let id = AlarmId { site: "z".parse().unwrap(), number: 1 };
        HomeChange::Raised(Box::new(Alarm::new(id, kind, Reason::Own { what: "as it was".into() }, now)))
    }

    /// A day: somebody stirs at six; the alarm of twelve hours came at six in the evening, its check at 14:24; somebody looked at 18:30.
    fn day(cap_s: u32) -> Vec<serde_json::Value> {
        let mut options = options("Asia/Shanghai", false);
        options.rules.rules.inactivity_cap_s = Some(cap_s);
        let mut out = Vec::new();
        let mut past = Past::new(&options, &mut out);
        past.turn(at(0), true).unwrap();
        past.site(&SiteChange::Registered(Box::new(Entity::Home(home())))).unwrap();
        past.site(&SiteChange::HomeAdded { id: home().id, claimed: true }).unwrap();
        let device = Introduction {
            device: 0,
            source: "z2m".parse().unwrap(),
            address: "h1/hall".parse().unwrap(),
            room: "hall".into(),
            registered: true,
            life: false,
        };
        past.home(0, &HomeChange::Met(device)).unwrap();
        past.site(&SiteChange::Hearing { lost: Millis(0) }).unwrap();
        past.turn(at(6 * HOUR), false).unwrap();
        past.home(0, &motion()).unwrap();
        for (hours, kind) in [(14.4, AlarmKind::InactivityCheck), (18.0, AlarmKind::Inactivity)] {
            let now = at((hours * HOUR as f64) as u64);
            past.turn(now, false).unwrap();
            past.home(0, &raised(kind, now)).unwrap();
        }
        let now = at(18 * HOUR + HOUR / 2);
        past.turn(now, false).unwrap();
        let safe = Safe { by: "zhang".parse().unwrap(), at: now.wall, how: SafeHow::Spoke };
        let change = AlarmChange::Safe(Some(safe));
        past.home(0, &HomeChange::Alarm { kind: AlarmKind::Inactivity, change }).unwrap();
        past.turn(at(20 * HOUR), false).unwrap();
        let summary = past.end().unwrap();
        assert_eq!(summary.then.as_ref().map(|then| then.values().sum::<u64>()), Some(2));
        let lines = String::from_utf8(out).unwrap();
        let lines = lines.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        lines.filter(|line| line.get("then").is_some()).collect()
    }

    #[test]
    fn the_same_rules_raise_the_same() {
        assert_eq!(day(43_200), Vec::<serde_json::Value>::new());
    }

    #[test]
    fn other_rules_raise_earlier_or_not_at_all() {
        let line = |line: &serde_json::Value| {
            let text = |key: &str| line[key].as_str().map(|time| time[11..16].to_owned());
            (line["alarm"].as_str().unwrap().to_owned(), text("then"), text("now"), line["earlier_s"].as_i64())
        };
        let time = |text: &str| Some(text.to_owned());
        let earlier: Vec<_> = day(36_000).iter().map(line).collect();
        assert_eq!(
            earlier,
            [
                ("inactivity".to_owned(), time("18:00"), time("16:00"), Some(7_200)),
                ("inactivity_check".to_owned(), time("14:24"), time("13:00"), Some(5_040)),
            ]
        );
        let never: Vec<_> = day(50_400).iter().map(line).collect();
        assert_eq!(
            never,
            [
                ("inactivity".to_owned(), time("18:00"), None, None),
                ("inactivity_check".to_owned(), time("14:24"), time("15:48"), Some(-5_040)),
            ]
        );
    }
}
