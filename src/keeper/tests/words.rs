//! What came of a turn, in short lines. An alarm is `sos#1`, its notices are `#1-n1`.

use crate::engine::alarm::{Alarm, Attention, Reason, Told};
use crate::engine::change::{AlarmChange, HomeChange, SiteChange};
use crate::engine::delivery::Outcome;
use crate::engine::kind::AlarmKind;
use crate::engine::time::{Millis, Tick};
use crate::keeper::core::Core;
use crate::keeper::ports::{Content, NoticeType, Parcel};
use crate::keeper::record::Entry;

/// Milliseconds since the story's midnight as `08:19:00`, `1d 08:19:00` from the second day on.
pub fn clock(millis: u64) -> String {
    let s = millis / 1000;
    let day = if s >= 86_400 { format!("{}d ", s / 86_400) } else { String::new() };
    let fraction = if millis.is_multiple_of(1000) { String::new() } else { format!(".{:03}", millis % 1000) };
    format!("{day}{:02}:{:02}:{:02}{fraction}", s / 3600 % 24, s / 60 % 60, s % 60)
}

/// The reverse of [`clock`], for `HH:MM:SS` and `HH:MM:SS.mmm`; hours may pass 24.
pub fn millis(text: &str) -> u64 {
    let parts: Vec<f64> = text.split(':').map(|p| p.parse().unwrap_or_else(|_| panic!("{text} is no time"))).collect();
    let [h, m, s] = parts[..] else { panic!("{text} is no time") };
    ((h * 3600.0 + m * 60.0 + s) * 1000.0).round() as u64
}

fn tick_clock(tick: Tick) -> String {
    clock(tick.since(Tick(1_000_000_000)).0)
}

fn late(span: Millis) -> String {
    if span.as_secs() == 0 { String::new() } else { format!(" late {} s", span.as_secs()) }
}

fn name(kind: AlarmKind, home: u32, core: &Core) -> String {
    let number = core.homes[home as usize].state.alarm(kind).map_or(0, |a| a.id.number);
    // An alarm that was closed in the same turn has no number to look up any more.
    if number == 0 { kind.to_string() } else { format!("{kind}#{number}") }
}

/// The lines of one entry of a record; most entries have none, since another line tells the same.
pub fn entry(entry: &Entry, core: &Core, lines: &mut Vec<String>) {
    let line = match entry {
        Entry::Site(change) => site(change),
        Entry::Home { home, change } => self::home(*home, change, core),
    };
    lines.extend(line);
}

fn site(change: &SiteChange) -> Option<String> {
    Some(match change {
        SiteChange::HomeAdded { id, claimed: false } => format!("pseudo-home {id}"),
        SiteChange::AttemptEnded { notice, attempt, outcome: Outcome::Failed { failure, .. }, again } => {
            let again = again.map_or("no more".into(), |at| format!("again {}", tick_clock(at)));
            format!("#{}-n{} try {attempt} {}, {again}", notice.alarm.number, notice.number, failure.name())
        }
        SiteChange::Withdrawn { notice } => format!("#{}-n{} withdrawn", notice.alarm.number, notice.number),
        SiteChange::Deaf => "deaf".into(),
        SiteChange::Hearing { lost } => format!("hearing, lost {} s", lost.as_secs()),
        SiteChange::ColdWave { until, .. } => format!("cold wave{}", if until.is_some() { "" } else { " over" }),
        SiteChange::Started { epoch } => format!("started, epoch {epoch}"),
        _ => return None,
    })
}

fn home(home: u32, change: &HomeChange, core: &Core) -> Option<String> {
    Some(match change {
        HomeChange::Raised(alarm) => raised(alarm, home, core),
        HomeChange::Alarm { kind, change } => {
            format!("{} {}", name(*kind, home, core), alarm(change, *kind, home, core)?)
        }
        HomeChange::Reopened(alarm) => format!("{}#{} reopened", alarm.kind, alarm.id.number),
        HomeChange::Closed { alarm, code, by } => {
            let by = by.as_ref().map_or("itself".into(), |by| by.to_string());
            let code = code.map_or("", |c| c.name());
            format!("{}#{} closed by {by} {code}", alarm.kind, alarm.id.number).trim_end().into()
        }
        HomeChange::WalkOpened { until, by, presses } => {
            format!("test window of {by} until {}, {presses} calls", tick_clock(*until))
        }
        HomeChange::Tested { device, called } => {
            let device = &core.homes[home as usize].state.devices[*device as usize].address;
            format!("{device} works{}", called.map_or(String::new(), |kind| format!(", called {kind}")))
        }
        HomeChange::WalkClosed { by, signed } => {
            let by = by.as_ref().map_or("itself".into(), |by| by.to_string());
            format!("test window closed by {by}{}", if *signed { ", signed" } else { "" })
        }
        HomeChange::AlarmLeft { alarm } => format!("#{} leaves {}", alarm.number, core.site.homes[home as usize].id),
        HomeChange::AlarmJoined(alarm) => {
            format!("{}#{} joins {}", alarm.kind, alarm.id.number, core.site.homes[home as usize].id)
        }
        HomeChange::Suppressed(new) => {
            format!("{} is {} until {}", core.site.homes[home as usize].id, new.kind.name(), tick_clock(new.until))
        }
        HomeChange::SuppressionEnded { suppression, by } => {
            let (home, by) = (&core.site.homes[home as usize].id, by.as_ref().map_or("itself", |by| by.as_str()));
            format!("{home} {} ended by {by}, hid {}", suppression.kind.name(), suppression.hidden)
        }
        HomeChange::Visited { kind, outcome, by } => {
            let outcome = outcome.map_or("taken back".into(), |outcome| format!("{outcome:?}"));
            format!("{} {} visit by {by}: {outcome}", core.site.homes[home as usize].id, kind.name())
        }
        HomeChange::Lost => format!("{} radio lost", core.site.homes[home as usize].id),
        HomeChange::Looked { safe } => format!("{} looked after by {}", core.site.homes[home as usize].id, safe.by),
        HomeChange::Frozen { .. } => format!("{} frozen", core.site.homes[home as usize].id),
        HomeChange::Bridge { online } => {
            let state = if *online { "online" } else { "offline" };
            format!("{} bridge {state}", core.site.homes[home as usize].id)
        }
        _ => return None,
    })
}

fn raised(alarm: &Alarm, home: u32, core: &Core) -> String {
    let why = match &alarm.reason {
        Reason::Said { kind, .. } => format!("said {kind}"),
        Reason::FoundTrue { kind, .. } => format!("found true {kind}"),
        Reason::LatchedRepeat { kind, .. } => format!("latched repeat {kind}"),
        Reason::Silent { silent_s, limit, .. } => format!("{limit}, silent {}", clock(silent_s * 1000)),
        Reason::EngineFault { .. } => "engine fault".into(),
        Reason::Unreadable { .. } => "unreadable".into(),
        Reason::Own { what } => what.to_string(),
        Reason::Lasting { lasted_s, more_c, .. } => {
            let more = more_c.map_or(String::new(), |more| format!(", {more} °C more than its neighbours"));
            format!("lasted {}{more}", clock(lasted_s * 1000))
        }
        Reason::Unheard { homes, deaf, .. } => format!("{homes} homes unheard{}", if *deaf { ", deaf" } else { "" }),
        Reason::Suppressed { of, .. } => of.name().into(),
        Reason::Visit { visits, outcome, .. } => {
            let visits: Vec<&str> = visits.iter().map(|kind| kind.name()).collect();
            format!("{}{}", visits.join(" and "), outcome.map_or(String::new(), |outcome| format!(" {outcome:?}")))
        }
        Reason::ChannelDown { channel, failure, .. } => format!("{channel} {failure}"),
        Reason::CoverageGap { ladder, homes, from, lacks } => {
            let ladder = ladder.as_ref().map_or("no ladder", |ladder| ladder.as_str());
            format!("{ladder} of {homes} from {}: {lacks:?}", super::scene::time_of(*from))
        }
        Reason::Unwatched { until, .. } => format!("unwatched, heard again {}", until.is_some()),
    };
    let age = late(alarm.raised.wall.since(alarm.happened));
    let home = &core.site.homes[home as usize].id;
    format!("{}#{} raised in {home}: {why}{age}", alarm.kind, alarm.id.number)
}

fn alarm(change: &AlarmChange, kind: AlarmKind, home: u32, core: &Core) -> Option<String> {
    Some(match change {
        AlarmChange::Counted { .. } => {
            let events = core.homes[home as usize].state.alarm(kind).map_or(0, |a| a.events);
            format!("counted, events {events}")
        }
        AlarmChange::Over { .. } => "over".into(),
        AlarmChange::Attention { attention, late_by } => match attention {
            Attention::Calling { rung, round, next } => {
                format!("calls rung {rung}.{round} until {}{}", tick_clock(*next), late(*late_by))
            }
            Attention::Taken { by, until, .. } => format!("taken by {by} until {}", tick_clock(*until)),
            Attention::Settled => "settled".into(),
        },
        AlarmChange::Safe(None) => "not safe any more".into(),
        AlarmChange::Told { channel, number, told: Told::Failing } => format!("n{number} fails at {channel}"),
        _ => return None,
    })
}

/// `-> desk: sos#1 n1 rung 1.0`
pub fn parcel(parcel: &Parcel) -> String {
    let attempt = if parcel.attempt == 1 { String::new() } else { format!(" try {}", parcel.attempt) };
    let (alarm, number) = (&parcel.notice.alarm, parcel.notice.number);
    let told = match &parcel.content {
        Content::Alarm(told) => told,
        Content::Test(code) => return format!("-> {}: test#{} {code}{attempt}", parcel.channel.id, alarm.number),
        Content::Digest(digest) => {
            let of: Vec<String> =
                digest.alarms.iter().map(|line| format!("{}#{}", line.alarm.kind, line.alarm.id.number)).collect();
            return format!("-> {}: digest#{} of {}{attempt}", parcel.channel.id, alarm.number, of.join(" "));
        }
    };
    let what = match told.kind {
        NoticeType::Notice => format!("rung {}.{}", told.rung, told.round),
        NoticeType::Taken => format!("taken by {}", told.by.as_ref().unwrap()),
        NoticeType::Closed => format!("closed {}", told.outcome.unwrap_or("by itself")),
        NoticeType::Digest | NoticeType::Test => unreachable!("it tells of no one alarm"),
    };
    let late = late(Millis::from_secs(told.alarm.late_by_s));
    format!("-> {}: {}#{} n{number} {what}{attempt}{late}", parcel.channel.id, told.alarm.kind, alarm.number)
}
