//! What earlier versions wrote is read for ever: every variant that a journal or a checkpoint can hold stands in `tests/golden`, as
//! the version that introduced it wrote it. A test that turns red here means that a number was edited: add a new one instead.
//!
//! A new version adds a folder of its own: `cargo test --test golden -- --ignored` writes the file that is missing.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "this whole file is a test")]

use hearthwatch::engine::alarm::*;
use hearthwatch::engine::change::*;
use hearthwatch::engine::delivery::{Failure, Outcome};
use hearthwatch::engine::home;
use hearthwatch::engine::home::care::{VisitKind, VisitOutcome};
use hearthwatch::engine::home::routine::Beyond;
use hearthwatch::engine::home::suppression::{Hid, Suppression, SuppressionKind};
use hearthwatch::engine::id::*;
use hearthwatch::engine::kind::{AlarmKind, Kind};
use hearthwatch::engine::learn::{Lesson, Limits};
use hearthwatch::engine::policy::RulesPatch;
use hearthwatch::engine::profile::Gloss;
use hearthwatch::engine::reading::{Form, Reading, Value};
use hearthwatch::engine::registry::*;
use hearthwatch::engine::rota::{Day, Local, On, Override, Rota, Shift};
use hearthwatch::engine::sealed::Sealed;
use hearthwatch::engine::site;
use hearthwatch::engine::site::warmth::Cooling;
use hearthwatch::engine::staffing::Lack;
use hearthwatch::engine::time::{Millis, Stamp, Tick, Wall};
use hearthwatch::keeper::record::Entry;
use std::path::PathBuf;

const VERSIONS: &[&str] = &["v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8"];

fn id<T: std::str::FromStr<Err = BadId>>(text: &str) -> T {
    text.parse().unwrap()
}

fn stamp(n: u64) -> Stamp {
    Stamp { tick: Tick(n), wall: Wall(1_790_000_000_000 + n as i64), heard: Tick(n / 2) }
}

fn sealed<T>() -> Sealed<T> {
    Sealed::from_bytes(vec![1, 2, 3])
}

fn reasons() -> Vec<Reason> {
    let device: Box<str> = "h1/sos".into();
    vec![
        Reason::Said { kind: Kind::Sos, device: device.clone() },
        Reason::FoundTrue { kind: Kind::Smoke, device: device.clone() },
        Reason::LatchedRepeat { kind: Kind::Sos, device },
        Reason::Silent {
            last_activity: Wall(5),
            last_kind: Some(Kind::Motion),
            last_room: "hall".into(),
            silent_s: 43_200,
            limit_s: 43_200,
            limit: "cap".into(),
        },
        Reason::EngineFault { fault: "planted".into() },
        Reason::Unreadable { topic: "a/b".into() },
        Reason::Own { what: "store".into() },
    ]
}

fn attentions() -> Vec<Attention> {
    let taken = |progress| Attention::Taken { by: id("zhang"), at: Wall(8), until: Tick(9), progress };
    vec![
        Attention::Calling { rung: 1, round: 2, next: Tick(60_000) },
        taken(Progress::Seen),
        taken(Progress::OnMyWay),
        taken(Progress::OnSite),
        Attention::Settled,
    ]
}

fn tellings() -> Vec<Telling> {
    let told = [Told::Pending, Told::Delivered, Told::Failing, Told::Withdrawn];
    let telling =
        |(i, told)| Telling { channel: id("desk"), number: i as u32 + 1, rung: 1, round: 0, told, knows: i == 1 };
    told.into_iter().enumerate().map(telling).collect()
}

fn safe(how: SafeHow) -> Safe {
    Safe { by: id("zhang"), at: Wall(77), how }
}

fn alarm(reason: Reason, attention: Attention, kind: AlarmKind) -> Alarm {
    Alarm {
        id: id("zl-000184"),
        kind,
        raised: stamp(10),
        happened: Wall(9),
        age_unknown: true,
        events: 2,
        last_event: stamp(11),
        reason,
        attention,
        over: Some(Wall(12)),
        safe: Some(safe(SafeHow::Spoke)),
        held: true,
        revision: 7,
        notices: 3,
        tellings: tellings(),
        last_taker: Some(id("li")),
        late_by: Millis(40_000),
        unanswered: 1,
        no_access: 0,
    }
}

fn alarms() -> Vec<Alarm> {
    let calling = || attentions().remove(0);
    let of_reason = reasons().into_iter().map(|reason| alarm(reason, calling(), AlarmKind::Sos));
    let of_attention = attentions().into_iter().map(|attention| alarm(reasons().remove(0), attention, AlarmKind::Sos));
    let later = |kind: &AlarmKind| {
        let all = [&later_kinds()[..], &latest_kinds(), &newest_kinds(), &youngest_kinds()];
        all.iter().any(|kinds| kinds.contains(kind))
    };
    let first_kinds = AlarmKind::ALL.iter().filter(|kind| !later(kind));
    let of_kind = first_kinds.map(|kind| alarm(reasons().remove(0), calling(), *kind));
    of_reason.chain(of_attention).chain(of_kind).collect()
}

/// Kinds that came with version 4.
fn later_kinds() -> [AlarmKind; 11] {
    use AlarmKind::*;
    [Outage, Bathroom, Wandering, BedLeft, Cold, Heat, DoorOpen, NotUpCheck, BathroomCheck, ColdCheck, HeatCheck]
}

/// And with version 5.
fn latest_kinds() -> [AlarmKind; 5] {
    use AlarmKind::*;
    [FallStill, FallCheck, NoWater, NoWaterCheck, WaterRunning]
}

/// And with version 6.
fn newest_kinds() -> [AlarmKind; 3] {
    [AlarmKind::BackCheck, AlarmKind::SuppressionCheck, AlarmKind::VitalSigns]
}

/// And with version 7.
fn youngest_kinds() -> [AlarmKind; 3] {
    [AlarmKind::CoverageGap, AlarmKind::VisitDue, AlarmKind::VisitMissed]
}

fn acts() -> Vec<Act> {
    let safe = [SafeHow::Seen, SafeHow::Spoke, SafeHow::HandedTo120].map(Act::Safe);
    use CloseCode::*;
    let close =
        [Helped, Hospital, Deceased, NotHome, Refused, NoAccess, Accidental, Sensor, Test, Technical].map(Act::Close);
    let plain = vec![
        Act::Seen,
        Act::OnMyWay { minutes: Some(15) },
        Act::OnSite,
        Act::NoAnswer,
        Act::Note(sealed()),
        Act::Hold,
        Act::Cannot,
    ];
    plain.into_iter().chain(safe).chain(close).collect()
}

fn facts() -> Vec<HomeChange> {
    let values = [Value::Flag(true), Value::Open(true), Value::Number(21.5), Value::Text("single".into())];
    let kinds = Kind::ALL.iter().zip(values.iter().cycle());
    let forms = [Form::Event, Form::Edge, Form::Latched];
    let fact = |((kind, value), form): ((&Kind, &Value), Form)| {
        let reading = Reading { kind: *kind, zone: Some(id("probe 1")), value: value.clone(), form };
        HomeChange::Heard(Fact {
            device: 3,
            reading,
            happened: Some(Wall(4)),
            retained: true,
            rest: Some(5),
            event: Some(6),
            press: None,
            history: None,
            signal: None,
            beat: None,
            proves_nothing: None,
        })
    };
    kinds.zip(forms.into_iter().cycle()).map(fact).collect()
}

fn home_changes() -> Vec<HomeChange> {
    let alarm_changes = || {
        let mut all = vec![
            AlarmChange::Counted { happened: Wall(3), reason: None },
            AlarmChange::Over { at: Wall(4) },
            AlarmChange::Safe(None),
            AlarmChange::Safe(Some(safe(SafeHow::HandedTo120))),
            AlarmChange::Numbered(9),
        ];
        all.extend(attentions().into_iter().map(|attention| AlarmChange::Attention { attention, late_by: Millis(7) }));
        all.extend(acts().into_iter().map(|act| AlarmChange::Acted { act, by: id("zhang") }));
        all.extend(tellings().into_iter().map(|t| AlarmChange::Told {
            channel: t.channel,
            number: t.number,
            told: t.told,
        }));
        all.extend(tellings().into_iter().map(AlarmChange::Telling));
        all
    };
    let introduction = Introduction {
        device: 0,
        source: id("z2m"),
        address: id("h1/sos"),
        room: "hall".into(),
        registered: true,
        life: false,
    };
    let mut all = facts();
    all.push(HomeChange::Met(introduction));
    all.extend(alarms().into_iter().map(Box::new).map(HomeChange::Raised));
    all.extend(alarm_changes().into_iter().map(|change| HomeChange::Alarm { kind: AlarmKind::Smoke, change }));
    all.extend([
        HomeChange::Closed {
            alarm: Box::new(alarms().remove(0)),
            code: Some(CloseCode::Helped),
            by: Some(id("zhang")),
        },
        HomeChange::Closed { alarm: Box::new(alarms().remove(0)), code: None, by: None },
        HomeChange::Frozen { fault: "planted".into() },
        HomeChange::Evidence { alarm: id("zl-000184"), raw: sealed() },
        HomeChange::Bridge { online: false },
    ]);
    all
}

fn entities() -> Vec<Entity> {
    let rules = RulesPatch {
        inactivity_cap_s: Some(36_000),
        ladder: [("smoke".into(), id("fire"))].into(),
        ..RulesPatch::default()
    };
    let status = [Status::Active, Status::Paused, Status::Left, Status::Deceased];
    let home = |status| Home {
        id: id("h1"),
        site: id("zl"),
        plan: Some(id("p")),
        status,
        rules: rules.clone(),
        community: Some("翠竹社区".into()),
        block: Some("3幢".into()),
        details: Some(sealed()),
        caseworker: None,
    };
    let mut all: Vec<Entity> = status.into_iter().map(|status| Entity::Home(home(status))).collect();
    all.extend([
        Entity::Channel(Channel {
            include_personal: true,
            allow_private: true,
            ca_file: Some("ca.pem".into()),
            ..Channel::new(id("desk"), id("zl"), ChannelDialect::Standard, "https://x", "file:s")
        }),
        Entity::Responder(Responder { id: id("zhang"), site: id("zl"), channels: vec![id("desk")], details: sealed() }),
        Entity::Ladder(Ladder {
            id: id("life"),
            site: id("zl"),
            rungs: vec![Rung { name: "deputy".into(), to: vec![id("zhang")], wait_s: 60, rotas: Vec::new() }],
            repeat_s: 120,
        }),
        Entity::Plan(Plan { id: id("p"), site: id("zl"), rules: rules.clone() }),
        Entity::Resident(Resident { id: id("r1"), home: id("h1"), details: sealed() }),
        Entity::Device(Device {
            id: id("d1"),
            home: id("h1"),
            source: id("z2m"),
            address: id("h1/sos"),
            room: "hall".into(),
            model: "m".into(),
            life: true,
            profile: None,
        }),
    ]);
    all
}

fn notice(subject: Subject) -> Notice {
    Notice { id: id("zl-000184-n3"), home: 1, channel: id("desk"), kind: AlarmKind::Sos, subject, issued: stamp(5) }
}

fn site_changes() -> Vec<SiteChange> {
    use Failure::*;
    let failures = [
        Refused,
        TimedOut,
        NameNotFound,
        BadCertificate,
        BodyCut,
        Redirected(302),
        Gone,
        RateLimited,
        Rejected(404),
        ServerError(503),
        AddressForbidden,
        Misconfigured,
        Interrupted,
        Unproven,
    ];
    let ended = |outcome, again| SiteChange::AttemptEnded { notice: id("zl-000184-n3"), attempt: 2, outcome, again };
    let subjects = [
        Subject::Rung { rung: 1, round: 0 },
        Subject::Taken { by: id("zhang") },
        Subject::Closed { alarm: Box::new(alarms().remove(0)), by: Some(id("zhang")), code: Some(CloseCode::Test) },
    ];
    let keys = entities().into_iter().map(|e| SiteChange::Removed(e.key()));
    let mut all = vec![
        SiteChange::HomeAdded { id: id("h1"), claimed: true },
        SiteChange::AttemptStarted { notice: id("zl-000184-n3"), attempt: 2 },
        ended(Outcome::Delivered, None),
        SiteChange::Withdrawn { notice: id("zl-000184-n3") },
        SiteChange::Deaf,
        SiteChange::Hearing { lost: Millis(9) },
        SiteChange::Rejected { reason: "no JSON".into(), raw: sealed() },
        SiteChange::Started { epoch: 4 },
    ];
    all.extend(failures.map(|failure| ended(Outcome::Failed { failure, retry_after: Some(Millis(9)) }, Some(Tick(8)))));
    all.extend(subjects.map(|subject| SiteChange::NoticeMade(Box::new(notice(subject)))));
    all.extend(entities().into_iter().map(|e| SiteChange::Registered(Box::new(e))));
    all.extend(keys);
    all
}

/// What came with version 2: the signal of a message, devices that call for help or change homes, walk tests, profiles.
fn later_home_changes() -> Vec<HomeChange> {
    let HomeChange::Heard(fact) = facts().remove(0) else { panic!("a fact") };
    let device = |device| Introduction {
        device,
        source: id("z2m"),
        address: id("h1/late"),
        room: "hall".into(),
        registered: true,
        life: true,
    };
    let joined = alarm(reasons().remove(1), attentions().remove(4), AlarmKind::Smoke);
    vec![
        HomeChange::Met(device(1)),
        HomeChange::Heard(Fact { device: 1, retained: false, signal: Some(77), ..fact.clone() }),
        HomeChange::Heard(Fact { device: 1, retained: false, history: Some(()), ..fact }),
        HomeChange::WalkOpened { until: Tick(90), by: id("zhang"), presses: 2 },
        HomeChange::Tested { device: 1, called: Some(AlarmKind::Sos) },
        HomeChange::Tested { device: 0, called: None },
        HomeChange::WalkClosed { by: Some(id("zhang")), signed: true },
        HomeChange::WalkOpened { until: Tick(95), by: id("zhang"), presses: 1 },
        HomeChange::WalkClosed { by: None, signed: false },
        HomeChange::WalkOpened { until: Tick(99), by: id("zhang"), presses: 1 },
        HomeChange::DeviceLeft { device: 0 },
        HomeChange::AlarmLeft { alarm: id("zl-000184") },
        HomeChange::AlarmJoined(Box::new(joined)),
    ]
}

fn later_site_changes() -> Vec<SiteChange> {
    let told = |kind, on: &[&str], off: &[&str]| Gloss {
        property: "action".into(),
        kind,
        on: on.iter().map(|word| (*word).into()).collect(),
        off: off.iter().map(|word| (*word).into()).collect(),
        times: 0.1,
    };
    let properties = vec![told(Some(Kind::Sos), &["double"], &[]), told(None, &["on"], &["off"])];
    let profile = Profile { id: id("p"), site: id("zl"), models: vec!["m".into()], properties };
    let mut named = entities();
    let Some(Entity::Device(device)) = named.pop() else { panic!("a device") };
    let device = Entity::Device(Device { id: id("d2"), profile: Some(id("p")), ..device });
    let profile = Entity::Profile(profile);
    let key = profile.key();
    let registered = [profile, device].map(|entity| SiteChange::Registered(Box::new(entity)));
    registered.into_iter().chain([SiteChange::Removed(key)]).collect()
}

/// What came with version 3: what a home's past says of its silences, and that somebody has left.
fn learnt() -> Vec<HomeChange> {
    let limits = Limits {
        version: 1,
        days: 28,
        alarm: vec![40; 144],
        check: vec![30; 144],
        usual_outing: 24,
        longest_outing: 36,
        rises: 0,
        longest_stay: 0,
    };
    let lesson = |day: i64| {
        let midnight = Wall(1_789_920_000_000 + day * 86_400_000);
        let tomorrow = Wall(midnight.0 + 86_400_000);
        let (scores, limits) = (vec![312, -40, 905], limits.clone());
        HomeChange::Learnt(Box::new(Lesson { midnight, tomorrow, scores, limits, skipped: false }))
    };
    let door = |value, happened| {
        let reading = Reading { kind: Kind::Contact, zone: None, value: Value::Open(value), form: Form::Event };
        let (happened, retained) = (Some(Wall(happened)), false);
        let (rest, event, press, history, signal) = (None, None, None, None, None);
        HomeChange::Heard(Fact {
            device: 2,
            reading,
            happened,
            retained,
            rest,
            event,
            press,
            history,
            signal,
            beat: None,
            proves_nothing: None,
        })
    };
    let entrance = Introduction {
        device: 2,
        source: id("z2m"),
        address: id("h1/door"),
        room: "entrance".into(),
        registered: true,
        life: false,
    };
    let noon = 1_790_000_000_000 + 3_600_000;
    vec![
        HomeChange::Met(entrance),
        lesson(0),
        door(true, noon),
        door(false, noon + 20_000),
        door(true, noon + 3_600_000),
        door(true, noon + 3 * 3_600_000),
        lesson(1),
    ]
}

/// What came with version 4: when nobody could hear a home, and who has looked since.
fn unwatched() -> Vec<HomeChange> {
    let (since, until, last_activity) = (Wall(70), Some(Wall(90)), Some(Wall(60)));
    let unheard = |deaf| Reason::Unheard { since, homes: 40, deaf };
    let calling = || attentions().remove(0);
    let raised = |reason, kind| HomeChange::Raised(Box::new(alarm(reason, calling(), kind)));
    let beat = |degrees| {
        let reading = Reading::new(Kind::Temperature, Value::Number(degrees), Form::Edge);
        let (happened, retained) = (None, false);
        let (rest, event, press, history, signal) = (None, None, None, None, None);
        let beat = Some(());
        HomeChange::Heard(Fact {
            device: 1,
            reading,
            happened,
            retained,
            rest,
            event,
            press,
            history,
            signal,
            beat,
            proves_nothing: None,
        })
    };
    let lasting =
        Reason::Lasting { since, lasted_s: 4_500, limit_s: 4_500, room: "wc".into(), value: Some(4.5), more_c: None };
    let of_kind = later_kinds().map(|kind| raised(lasting.clone(), kind));
    let rest = vec![
        raised(unheard(true), AlarmKind::Outage),
        raised(unheard(false), AlarmKind::HomeUnheard),
        raised(Reason::Unwatched { since, until, last_activity }, AlarmKind::WelfareCheck),
        HomeChange::Climate { device: 1, beyond: Beyond { chilly: true, cold: true, warm: false, hot: false } },
        HomeChange::Climate { device: 1, beyond: Beyond { chilly: false, cold: false, warm: true, hot: true } },
        beat(20.0),
        beat(21.0),
        HomeChange::Lost,
        beat(19.0),
        HomeChange::Looked { safe: safe(SafeHow::Spoke) },
        HomeChange::Unwatched { since: stamp(80), still: true },
        HomeChange::Resumed,
        HomeChange::Unwatched { since: stamp(85), still: false },
    ];
    of_kind.into_iter().chain(rest).collect()
}

/// What came with version 5: how long a stay in the bathroom has looked, what meters show, and a fall that may have been one.
fn bathed() -> Vec<HomeChange> {
    let bathroom = Introduction {
        device: 3,
        source: id("z2m"),
        address: id("h1/bath"),
        room: "bathroom".into(),
        registered: true,
        life: false,
    };
    let moved = |device| {
        let reading = Reading { kind: Kind::Motion, zone: None, value: Value::Flag(true), form: Form::Event };
        let (happened, retained) = (None, false);
        let (rest, event, press, history, signal, beat) = (None, None, None, None, None, None);
        HomeChange::Heard(Fact {
            device,
            reading,
            happened,
            retained,
            rest,
            event,
            press,
            history,
            signal,
            beat,
            proves_nothing: None,
        })
    };
    let lesson = |day: i64| {
        let midnight = Wall(1_789_920_000_000 + day * 86_400_000);
        let limits = Limits { version: 2, days: 30, rises: 41, longest_stay: 13, ..Limits::default() };
        let (tomorrow, scores) = (Wall(midnight.0 + 86_400_000), vec![]);
        HomeChange::Learnt(Box::new(Lesson { midnight, tomorrow, scores, limits, skipped: false }))
    };
    let met = HomeChange::Met(bathroom);
    let says = |device, kind, value| {
        let reading = Reading { kind, zone: None, value, form: Form::Edge };
        let (happened, retained) = (None, false);
        let (rest, event, press, history, signal, beat) = (None, None, None, None, None, None);
        HomeChange::Heard(Fact {
            device,
            reading,
            happened,
            retained,
            rest,
            event,
            press,
            history,
            signal,
            beat,
            proves_nothing: None,
        })
    };
    let litres = |litres| says(1, Kind::WaterVolume, Value::Number(litres));
    let lasting =
        Reason::Lasting { since: Wall(70), lasted_s: 60, limit_s: 60, room: "wc".into(), value: None, more_c: None };
    let calling = || attentions().remove(0);
    let of_kind = latest_kinds().map(|kind| HomeChange::Raised(Box::new(alarm(lasting.clone(), calling(), kind))));
    let rest = vec![
        met,
        moved(3),
        moved(2),
        lesson(2),
        moved(3),
        moved(2),
        moved(3),
        litres(100.0),
        litres(103.5),
        says(3, Kind::FallWarning, Value::Flag(true)),
    ];
    of_kind.into_iter().chain(rest).collect()
}

/// What came with version 6: why nobody is told of some alarms, vital signs, and what proves nothing of who is bed-bound.
fn suppressed() -> Vec<HomeChange> {
    let suppression = |kind| Suppression {
        kind,
        by: id("desk"),
        reason: Some(sealed()),
        since: stamp(80),
        until: Tick(500_000_000),
        until_wall: Wall(1_790_500_000_000),
        confirmed: stamp(90),
        asked: Some(Tick(95)),
        hid: vec![Hid { kind: AlarmKind::Inactivity, at: Wall(85) }],
        hidden: 2,
    };
    let reason = |of| Reason::Suppressed { of, since: Wall(80), until: Wall(99) };
    let calling = || attentions().remove(0);
    let kinds = SuppressionKind::ALL;
    let set = kinds.map(|kind| HomeChange::Suppressed(Box::new(suppression(kind))));
    let ended = [Some(id("desk")), None].into_iter().zip(kinds);
    let ended = ended.map(|(by, kind)| {
        let suppression = Box::new(suppression(kind));
        HomeChange::SuppressionEnded { suppression, by }
    });
    let of_reason = kinds.map(|of| alarm(reason(of), calling(), AlarmKind::BackCheck));
    let down = Reason::ChannelDown { channel: id("lead"), failure: "refused".into(), since: Wall(70) };
    let down = alarm(down, calling(), AlarmKind::ChannelDown);
    let of_kind = newest_kinds().map(|kind| alarm(reason(SuppressionKind::Away), calling(), kind));
    let raised = of_reason.into_iter().chain(of_kind).chain([down]).map(|alarm| HomeChange::Raised(Box::new(alarm)));
    let lying = Fact {
        device: 0,
        reading: Reading { kind: Kind::Motion, zone: None, value: Value::Flag(true), form: Form::Event },
        happened: None,
        retained: false,
        rest: None,
        event: None,
        press: None,
        signal: None,
        history: None,
        beat: None,
        proves_nothing: Some(()),
    };
    let vital = [true, false, true].map(|beyond| HomeChange::Vital { device: 1, beyond });
    set.into_iter().chain(raised).chain(ended).chain(vital).chain([HomeChange::Heard(lying)]).collect()
}

fn outages() -> Vec<SiteChange> {
    vec![
        SiteChange::Alive,
        SiteChange::Unheard { home: 0 },
        SiteChange::Unheard { home: 1 },
        SiteChange::OutageTold { outage: Some(1) },
        SiteChange::HeardAgain { home: 1 },
        SiteChange::OutageTold { outage: None },
    ]
}

/// What came with version 6 of a site: a channel by which nothing arrives.
fn channel_down() -> Vec<SiteChange> {
    let outcome = Outcome::failed(Failure::Refused);
    let (notice, attempt, again) = (id("zl-000184-n3"), 2, Some(Tick(70)));
    vec![SiteChange::AttemptEnded { notice, attempt, outcome, again }, SiteChange::ChannelDown { channel: id("desk") }]
}

/// What came with version 7: homes that cool, visits, acts of the respond page, alarms that are reopened.
fn visited() -> Vec<HomeChange> {
    let gap = Reason::CoverageGap {
        ladder: Some(id("life")),
        homes: 7,
        from: Wall(70),
        lacks: vec![Lack::Nobody, Lack::TooFew, Lack::NobodyWoken, Lack::FewMedia],
    };
    let visits = vec![VisitKind::Online, VisitKind::Home];
    let outcomes = [VisitOutcome::Fine, VisitOutcome::NeedsHelp, VisitOutcome::NoAnswer, VisitOutcome::Refused];
    let visit = |outcome| Reason::Visit { visits: visits.clone(), due: Wall(80), outcome };
    let colder = Reason::Lasting {
        since: Wall(70),
        lasted_s: 7_200,
        limit_s: 7_200,
        room: "".into(),
        value: Some(12.5),
        more_c: Some(5),
    };
    let calling = || attentions().remove(0);
    let mut raised = vec![alarm(gap, calling(), AlarmKind::CoverageGap), alarm(colder, calling(), AlarmKind::Cold)];
    raised.push(alarm(visit(None), calling(), AlarmKind::VisitDue));
    raised.extend(outcomes.map(|outcome| alarm(visit(Some(outcome)), calling(), AlarmKind::VisitMissed)));
    let acted = [Act::Reopen, Act::NoAccess].map(|act| AlarmChange::Acted { act, by: id("zhang") });
    let acted = acted.map(|change| HomeChange::Alarm { kind: AlarmKind::Sos, change });
    let kinds = [VisitKind::Online, VisitKind::Home];
    let made = kinds.into_iter().zip(outcomes.map(Some)).chain([(VisitKind::Home, None)]);
    let made = made.map(|(kind, outcome)| HomeChange::Visited { kind, outcome, by: id("zhang") });
    let mut reopened = alarms().remove(0);
    (reopened.id, reopened.kind, reopened.no_access) = (id("zl-000999"), AlarmKind::Leak, 2);
    let rest = [
        HomeChange::Cooled { degrees: Some(6) },
        HomeChange::Apart { more: Some(4) },
        HomeChange::Cooled { degrees: None },
        HomeChange::Reopened(Box::new(reopened)),
        HomeChange::Closed { alarm: Box::new(alarms().remove(0)), code: Some(CloseCode::Test), by: Some(id("li")) },
    ];
    raised.into_iter().map(|alarm| HomeChange::Raised(Box::new(alarm))).chain(acted).chain(made).chain(rest).collect()
}

/// What came with it of a site: rotas, robots and their refusals, digests, the desk, a cold wave.
fn staffed() -> Vec<SiteChange> {
    use ChannelDialect::{Dingtalk, Feishu, Slack, Wecom};
    let channel = |dialect| Channel {
        medium: Some(Medium::Sms),
        language: Language::En,
        per_minute: Some(20),
        proxy: Some("http://proxy:3128".into()),
        template: Some(Box::new(Template {
            method: Method::Put,
            content_type: "application/json".into(),
            headers: [("x-key".into(), "env:KEY".into())].into(),
            body: "{{ text }}".into(),
            pointer: "/code".into(),
            delivered: "0".into(),
            busy: vec!["1".into()],
            broken: vec!["2".into()],
            answers: None,
        })),
        mention: vec!["all".into()],
        ..Channel::new(id("robot"), id("zl"), dialect, "https://x", "file:s")
    };
    let channels =
        [Wecom, Dingtalk, Feishu, Slack, ChannelDialect::Template].map(|dialect| Entity::Channel(channel(dialect)));
    let media = [Medium::Webhook, Medium::Chat, Medium::Voice];
    let media = media.map(|medium| Entity::Channel(Channel { medium: Some(medium), ..channel(Wecom) }));
    let on = [On::Workday, On::Holiday, On::Monday, On::Sunday];
    let shift = Shift {
        days: on.to_vec(),
        from_min: 480,
        to_min: 1_020,
        turns: vec![vec![id("zhang")], vec![id("li")]],
        every_days: 7,
        since: Day(20_000),
    };
    let stands_in =
        Override { from: Local(29_000_000), to: Local(29_000_480), instead_of: Some(id("zhang")), who: Some(id("li")) };
    let rota = Entity::Rota(Rota {
        id: id("day"),
        site: id("zl"),
        zone: Some("Europe/Berlin".parse().unwrap()),
        shifts: vec![shift],
        overrides: vec![stands_in],
        fallback: Some(id("li")),
        holidays: vec![Day(20_001)],
        workdays: vec![Day(20_005)],
    });
    let rung = Rung { name: "on duty".into(), to: vec![], wait_s: 60, rotas: vec![id("day")] };
    let ladder = Entity::Ladder(Ladder { id: id("duty"), site: id("zl"), rungs: vec![rung], repeat_s: 60 });
    let mut named = entities();
    let Entity::Home(home) = named.remove(0) else { panic!("a home") };
    let rules = RulesPatch {
        responders_life: Some(2),
        cold_fall_c: Some(5),
        online_visits_daily: Some(1),
        empty_desk_climbs: Some(0),
        ..RulesPatch::default()
    };
    let home = Entity::Home(Home { id: id("h2"), caseworker: Some(id("zhang")), rules, ..home });
    let gone = SiteChange::Removed(rota.key());
    let entities = channels.into_iter().chain(media).chain([rota, ladder, home]);
    let registered = entities.map(|entity| SiteChange::Registered(Box::new(entity)));
    let digest =
        |members| Notice { id: id("zl-000190-n1"), channel: id("robot"), ..notice(Subject::Digest { members }) };
    let member = |number: u32| {
        let alarm = id("zl-000184");
        Notice { id: NoticeId { alarm, number }, channel: id("robot"), ..notice(Subject::Rung { rung: 1, round: 0 }) }
    };
    let made = [member(20), member(21), digest(vec![member(20)])].map(Box::new).map(SiteChange::NoticeMade);
    let failed = |failure, again| SiteChange::AttemptEnded {
        notice: id("zl-000190-n1"),
        attempt: 1,
        outcome: Outcome::failed(failure),
        again,
    };
    use Failure::*;
    let failures = [Busy(-1), KeyRefused, Barred, Declined(40_058), TooLong, RateLimited];
    let sent = failures.map(|failure| failed(failure, Some(Tick(70))));
    let cooling = Some(Cooling { degrees: 6, least: 4, apart: true });
    let rest = vec![
        SiteChange::Deferred { notice: id("zl-000184-n21") },
        SiteChange::Cooled { home: 1, cooling },
        SiteChange::Cooled { home: 2, cooling: None },
        SiteChange::ColdWave { until: Some(Wall(1_790_600_000_000)), by: id("desk") },
        SiteChange::Desk { staffed: true },
        SiteChange::Desk { staffed: false },
        SiteChange::DeskEmpty,
    ];
    registered.chain(made).chain(sent).chain(rest).chain([gone]).collect()
}

/// Test messages of channels, and answers that come back by them.
fn proven() -> Vec<SiteChange> {
    let test = |n: u64, channel: &str| {
        let subject = Subject::Test { code: "4711".into() };
        Notice {
            id: NoticeId { alarm: AlarmId { site: id("zl"), number: n }, number: 1 },
            channel: id(channel),
            ..notice(subject)
        }
    };
    let answers = Answers {
        token: "/data/token".into(),
        key: "/data/key".into(),
        phone: Some("/data/phone".into()),
        taken: vec!["1".into()],
        cannot: vec!["2".into()],
        fine: vec!["8".into()],
        help: vec!["9".into()],
    };
    let template = Template { body: "{{ answer }}".into(), answers: Some(Box::new(answers)), ..Template::default() };
    let voice = Channel::new(id("voice"), id("zl"), ChannelDialect::Template, "https://x", "");
    let voice = Entity::Channel(Channel { template: Some(Box::new(template)), ..voice });
    let made = [test(195, "robot"), test(196, "voice")].map(Box::new).map(SiteChange::NoticeMade);
    let seen = SiteChange::ChannelSeen { channel: id("robot"), by: id("desk") };
    [SiteChange::Registered(Box::new(voice))].into_iter().chain(made).chain([seen]).collect()
}

/// Of a version: what it adds stands behind what was there before.
fn entries(version: &str) -> Vec<Entry> {
    let of_home = |changes: Vec<HomeChange>| changes.into_iter().map(|change| Entry::Home { home: 1, change });
    let first = of_home(home_changes()).chain(site_changes().into_iter().map(Entry::Site));
    let later = of_home(later_home_changes()).chain(later_site_changes().into_iter().map(Entry::Site));
    let learnt = of_home(learnt()).filter(|_| version > "v2");
    let unwatched = of_home(unwatched()).chain(outages().into_iter().map(Entry::Site)).filter(|_| version > "v3");
    let bathed = of_home(bathed()).filter(|_| version > "v4");
    let suppressed =
        of_home(suppressed()).chain(channel_down().into_iter().map(Entry::Site)).filter(|_| version > "v5");
    let visited = of_home(visited()).chain(staffed().into_iter().map(Entry::Site)).filter(|_| version > "v6");
    let proven = proven().into_iter().map(Entry::Site).filter(|_| version > "v7");
    let rest = learnt.chain(unwatched).chain(bathed).chain(suppressed).chain(visited).chain(proven);
    first.chain(later.filter(|_| version != "v1")).chain(rest).collect()
}

/// A home and a site that all of a version was folded into: what checkpoints hold.
fn states(version: &str) -> (home::State, site::State) {
    let (mut home, mut site) = states_without_visits(version);
    if version < "v7" {
        // Nobody kept then who had looked after a home, and how warm it had been.
        home.care = Default::default();
        home.devices.iter_mut().for_each(|device| device.warmest = None);
        return (home, site);
    }
    for (n, change) in (0..).zip(visited()) {
        home.apply(&change, stamp(160_000_000 + 1_900_000 * n));
    }
    let there = |change: &SiteChange| !matches!(change, SiteChange::Removed(_));
    staffed().iter().filter(|change| there(change)).for_each(|change| site.apply(change, stamp(75)));
    assert!(!home.closed.is_empty() && home.apart.is_some() && site.desk.told, "they hold what came");
    if version > "v7" {
        proven().iter().for_each(|change| site.apply(change, stamp(80)));
        assert!(site.proofs.len() == 2, "they hold what came");
    }
    (home, site)
}

fn states_without_visits(version: &str) -> (home::State, site::State) {
    let (mut home, mut site) = folded(version);
    if version < "v6" {
        // Nobody minded then whether anything arrives by a channel.
        site.failing.clear();
    }
    if version < "v5" {
        // Nobody listened to water meters then, or to what a radar only warns of.
        home.fallen = None;
        home.devices.iter_mut().for_each(|device| device.water = Default::default());
    }
    if version < "v4" {
        // Nobody listened to a radio then, or kept a list of whom to look after.
        (home.radio, home.unwatched) = Default::default();
        (site.deaf_from, site.deaf_sum) = Default::default();
        return (home, site);
    }
    for (n, change) in (0..).zip(unwatched()) {
        home.apply(&change, stamp(40_000_000 + 3_700_000 * n));
    }
    outages().iter().for_each(|change| site.apply(change, stamp(60)));
    if version > "v4" {
        for (n, change) in (0..).zip(bathed()) {
            home.apply(&change, stamp(100_000_000 + 1_900_000 * n));
        }
    }
    if version > "v5" {
        for (n, change) in (0..).zip(suppressed()) {
            home.apply(&change, stamp(130_000_000 + 1_900_000 * n));
        }
        channel_down().iter().for_each(|change| site.apply(change, stamp(65)));
        assert!(site.failing.values().any(|failing| failing.told.is_some()));
    }
    (home, site)
}

fn folded(version: &str) -> (home::State, site::State) {
    let (mut home, mut site) = first_states();
    if version == "v1" {
        // Nothing was learnt then of silences or of a device's health, and what was told late counted as heard when it came.
        (home.learnt, home.presence) = Default::default();
        for device in &mut home.devices {
            (device.health, device.heard) = (home::health::Health::default(), Some(stamp(20).wall));
        }
        return (home, site);
    }
    later_home_changes().iter().for_each(|change| home.apply(change, stamp(40)));
    let there = |change: &SiteChange| !matches!(change, SiteChange::Removed(_));
    later_site_changes().iter().filter(|c| there(c)).for_each(|change| site.apply(change, stamp(50)));
    if version == "v2" {
        (home.learnt, home.presence) = Default::default();
        return (home, site);
    }
    for (n, change) in (0..).zip(learnt()) {
        home.apply(&change, stamp(3_700_000 * n));
    }
    (home, site)
}

fn first_states() -> (home::State, site::State) {
    let (mut home, mut site) = (home::State::default(), site::State::default());
    let introduction = Introduction {
        device: 0,
        source: id("z2m"),
        address: id("h1/sos"),
        room: "hall".into(),
        registered: true,
        life: false,
    };
    home.apply(&HomeChange::Met(introduction), stamp(1));
    let facts = facts().into_iter().map(|change| match change {
        HomeChange::Heard(fact) => HomeChange::Heard(Fact { device: 0, retained: false, ..fact }),
        other => other,
    });
    let open = |change: &HomeChange| !matches!(change, HomeChange::Closed { .. });
    for change in facts.chain(home_changes()).filter(open) {
        home.apply(&change, stamp(20));
    }
    let made = || SiteChange::NoticeMade(Box::new(notice(Subject::Rung { rung: 1, round: 0 })));
    for change in site_changes().into_iter().filter(|c| !matches!(c, SiteChange::Removed(_))).chain([made()]) {
        site.apply(&change, stamp(30));
    }
    (home, site)
}

fn file(version: &str, name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/{version}-engine")).join(name)
}

#[test]
fn every_change_of_every_version_is_read_as_it_was_meant() {
    for version in VERSIONS {
        let bytes = std::fs::read(file(version, "changes.cbor")).expect("the golden file");
        let mut d = minicbor::Decoder::new(&bytes);
        let mut read: Vec<Entry> = Vec::new();
        while d.position() < bytes.len() {
            read.push(d.decode().expect("a change that this version reads"));
        }
        let expected = entries(version);
        assert_eq!(read.len(), expected.len(), "{version}");
        assert!(read.len() > 140, "{version}: only {} changes", read.len());
        for (place, (read, expected)) in read.iter().zip(&expected).enumerate() {
            assert_eq!(read, expected, "{version}: change {place}");
        }
    }
}

#[test]
fn snapshots_of_every_version_are_read_as_they_were_meant() {
    for version in VERSIONS {
        let (home, site) = states(version);
        assert!(!home.alarms.is_empty() && !home.devices.is_empty() && !site.outbox.is_empty(), "they hold something");
        let read = |name| std::fs::read(file(version, name)).expect("the golden file");
        assert_eq!(minicbor::decode::<home::State>(&read("home.cbor")).unwrap(), home, "{version}");
        assert_eq!(minicbor::decode::<site::State>(&read("site.cbor")).unwrap(), site, "{version}");
    }
}

#[test]
#[ignore = "writes what a new version leaves behind; never over what is there"]
fn write_what_is_missing() {
    let version = VERSIONS.last().unwrap();
    let (home, site) = states(version);
    let changes = entries(version).iter().flat_map(|e| minicbor::to_vec(e).unwrap()).collect();
    let files = [
        ("changes.cbor", changes),
        ("home.cbor", minicbor::to_vec(home).unwrap()),
        ("site.cbor", minicbor::to_vec(site).unwrap()),
    ];
    std::fs::create_dir_all(file(version, "")).unwrap();
    for (name, bytes) in files {
        if !file(version, name).exists() {
            std::fs::write(file(version, name), bytes).unwrap();
        }
    }
}
