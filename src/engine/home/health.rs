//! What a device needs: learnt from how it spoke so far. A view; nothing is decided here.

use super::state::{DeviceState, State};
use crate::engine::change::Fact;
use crate::engine::kind::{AlarmKind, Kind, Priority};
use crate::engine::reading::Value;
use crate::engine::time::{Millis, Stamp, Tick, Wall};
use minicbor::{Decode, Encode};
use serde::Serialize;

/// What is learnt of a device's health.
#[derive(Debug, Clone, PartialEq, Default, Encode, Decode)]
pub struct Health {
    /// When it spoke last, on the hearing clock.
    #[n(0)]
    heard: Tick,
    /// Seconds between its messages, as long as they usually get.
    #[n(1)]
    rhythm_s: u32,
    /// How well it is received, percent: the mean of late.
    #[n(2)]
    signal: Option<u8>,
    /// The battery when its decline began, and when that was.
    #[n(3)]
    battery: Option<Charge>,
    /// When it last called for help, in earnest or as a test.
    #[n(4)]
    called: Option<Wall>,
    /// When it last told that a person calls, or has fallen: what no smoke detector tells.
    #[n(5)]
    helped: Option<Wall>,
}

/// A battery's charge at a time.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
struct Charge {
    #[n(0)]
    percent: f64,
    #[n(1)]
    at: Wall,
}

/// Messages closer than this are one burst, and no rhythm.
const BURST_S: u32 = 30;
/// A longest gap is forgotten by a sixteenth with each message.
const RHYTHM_SHARE: u32 = 16;
/// A battery that has gained so much is a new one.
const NEW_BATTERY: f64 = 10.0;
/// So long, and so much, a battery has to be watched before its end is foretold.
const TREND_DAYS: f64 = 7.0;
const TREND_PERCENT: f64 = 2.0;
/// PRACTICE: lost after three times its rhythm, at the earliest after ten minutes, at the latest after 25 hours.
const LOST_RHYTHMS: u64 = 3;
const LOST_EARLIEST: Millis = Millis::from_mins(10);
const LOST_LATEST: Millis = Millis::from_mins(25 * 60);
/// PRACTICE: a battery at or under this is low.
const LOW_PERCENT: f64 = 15.0;
/// A battery that ends before the next monthly visit wants to be changed now.
const SOON_DAYS: u32 = 45;
/// Worse reception than this loses messages.
const WEAK_PERCENT: u8 = 20;
/// PRACTICE: a button is unproven after 35 days.
const PROVEN: Millis = Millis::from_mins(35 * 24 * 60);
const DAY_MS: f64 = 86_400_000.0;

impl Health {
    pub(super) fn fold(&mut self, fact: &Fact, known: bool, at: Stamp) {
        // What is told late was said then.
        let spoke = fact.happened.unwrap_or(at.wall);
        let heard = Tick(at.heard.0.saturating_sub(at.wall.since(spoke).0));
        let gap_s = u32::try_from(heard.since(self.heard).as_secs()).unwrap_or(u32::MAX);
        if known && gap_s >= BURST_S {
            let usual = self.rhythm_s - self.rhythm_s / RHYTHM_SHARE;
            self.rhythm_s = usual.max(gap_s);
        }
        self.heard = self.heard.max(heard);
        if let Some(now) = fact.signal {
            let mean = |was: u8| ((u16::from(was) * 7 + u16::from(now)) / 8) as u8;
            self.signal = Some(self.signal.map_or(now, mean));
        }
        if let (Kind::Battery, Value::Number(percent)) = (fact.reading.kind, &fact.reading.value) {
            let new = self.battery.as_ref().is_none_or(|then| *percent > then.percent + NEW_BATTERY);
            if new {
                self.battery = Some(Charge { percent: *percent, at: at.wall });
            }
        }
        let alarm = fact.reading.kind.alarm().filter(|_| fact.reading.value == Value::Flag(true) && !fact.retained);
        if alarm.is_some_and(|alarm| alarm.priority() == Priority::Life) {
            self.called = self.called.max(Some(spoke));
        }
        if matches!(alarm, Some(AlarmKind::Sos | AlarmKind::Fall)) {
            self.helped = self.helped.max(Some(spoke));
        }
    }
}

/// What a device needs, gravest first.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "need", rename_all = "snake_case")]
pub enum Need {
    /// Registered, and not a word from it yet.
    NeverHeard,
    /// Longer silent than it ever is.
    Lost {
        silent_s: u64,
    },
    /// It can call for help and has not shown it for long.
    Unproven {
        #[serde(serialize_with = "crate::engine::view::utc_or_null")]
        since: Option<Wall>,
    },
    BatteryLow {
        percent: Option<f64>,
        days_left: Option<u32>,
    },
    WeakSignal {
        percent: u8,
    },
}

/// A device as its health shows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DeviceView {
    pub source: Box<str>,
    pub address: Box<str>,
    pub room: Box<str>,
    pub registered: bool,
    pub life: bool,
    #[serde(serialize_with = "crate::engine::view::utc_or_null")]
    pub heard: Option<Wall>,
    /// Seconds between its messages, as long as they usually get; null until learnt.
    pub rhythm_s: Option<u32>,
    pub battery: Option<f64>,
    pub days_left: Option<u32>,
    pub signal: Option<u8>,
    #[serde(serialize_with = "crate::engine::view::utc_or_null")]
    pub called: Option<Wall>,
    pub needs: Vec<Need>,
}

impl DeviceState {
    /// The device as its health shows at `now`.
    pub fn view(&self, now: Stamp) -> DeviceView {
        let battery = match self.last(Kind::Battery, None).map(|last| &last.value) {
            Some(Value::Number(percent)) => Some(*percent),
            _ => None,
        };
        let days_left = battery.and_then(|percent| self.days_left(percent, now.wall));
        DeviceView {
            source: self.source.as_str().into(),
            address: self.address.as_str().into(),
            room: self.room.clone(),
            registered: self.registered,
            life: self.life,
            heard: self.heard,
            rhythm_s: (self.health.rhythm_s > 0).then_some(self.health.rhythm_s),
            battery,
            days_left,
            signal: self.health.signal,
            called: self.health.called,
            needs: if self.registered { self.needs(battery, days_left, now) } else { Vec::new() },
        }
    }

    fn needs(&self, battery: Option<f64>, days_left: Option<u32>, now: Stamp) -> Vec<Need> {
        let mut needs = Vec::new();
        let silent = now.heard.since(self.health.heard);
        match self.heard {
            None => needs.push(Need::NeverHeard),
            Some(_) if self.is_lost(silent) => needs.push(Need::Lost { silent_s: silent.as_secs() }),
            Some(_) => {}
        }
        let proven = self.health.called.is_some_and(|then| now.wall.since(then) <= PROVEN);
        if self.life && !proven {
            needs.push(Need::Unproven { since: self.health.called });
        }
        let flagged = self.last(Kind::BatteryLow, None).is_some_and(|last| last.value == Value::Flag(true));
        if flagged || battery.is_some_and(|p| p <= LOW_PERCENT) || days_left.is_some_and(|days| days <= SOON_DAYS) {
            needs.push(Need::BatteryLow { percent: battery, days_left });
        }
        needs.extend(self.health.signal.filter(|p| *p < WEAK_PERCENT).map(|percent| Need::WeakSignal { percent }));
        needs
    }

    fn is_lost(&self, silent: Millis) -> bool {
        let learnt = Millis::from_secs(u64::from(self.health.rhythm_s) * LOST_RHYTHMS);
        let patience = if self.health.rhythm_s == 0 { LOST_LATEST } else { learnt.clamp(LOST_EARLIEST, LOST_LATEST) };
        self.online == Some(false) || silent > patience
    }

    /// When the battery will be empty, if it goes on as it did since it was new.
    fn days_left(&self, percent: f64, now: Wall) -> Option<u32> {
        let then = self.health.battery.as_ref()?;
        let (days, drop) = (now.since(then.at).0 as f64 / DAY_MS, then.percent - percent);
        (days >= TREND_DAYS && drop >= TREND_PERCENT).then(|| (percent / (drop / days)) as u32)
    }
}

impl State {
    /// Whether a device of the home tells of carbon monoxide: it has done so, and is heard.
    pub fn has_co_cover(&self, now: Stamp) -> bool {
        let tells = |d: &&DeviceState| d.registered && d.last.iter().any(|last| last.kind == Kind::Co);
        let lost = |d: &DeviceState| d.view(now).needs.iter().any(|need| matches!(need, Need::Lost { .. }));
        self.devices.iter().filter(tells).any(|device| !lost(device))
    }

    /// Whether somebody in this home can call for help by a device that is known to work. A home without one gets daily calls, and the
    /// next visitor's attention.
    pub fn has_sos_cover(&self, now: Stamp) -> bool {
        let works = |device: &DeviceState| {
            let needs = device.view(now).needs;
            device.health.helped.is_some_and(|then| now.wall.since(then) <= PROVEN)
                && !needs.iter().any(|need| matches!(need, Need::NeverHeard | Need::Lost { .. }))
        };
        self.devices.iter().filter(|device| device.registered && device.life).any(works)
    }
}
