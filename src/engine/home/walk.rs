//! The walk test of commissioning: a window in which an installer triggers each device of a home, and the record that is signed at its
//! end.
//!
//! **A window silences nobody.** Of each device so many calls are tests as were announced; one more is real. What still burns when the
//! window closes is an alarm. A test is raised and closed at once, so the past shows it, and nobody is told. A window ends with its
//! time, and with the process: after a restart nobody knows how long it really was open.

use super::state::State;
use super::{Turn, alarms::Cause};
use crate::engine::alarm::{Attention, CloseCode, Reason};
use crate::engine::change::HomeChange;
use crate::engine::id::ResponderId;
use crate::engine::input::WalkOrder;
use crate::engine::kind::{AlarmKind, Kind, Nature, Priority};
use crate::engine::reading::Value;
use crate::engine::time::{Millis, Stamp, Tick, Wall};
use minicbor::{Decode, Encode};

/// The longest window, in minutes. PRACTICE has ten.
pub const LONGEST_MIN: u8 = 60;
/// The most calls of a device that can be announced.
pub const MOST_PRESSES: u8 = 10;

/// An open test window.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Walk {
    #[n(0)]
    pub opened: Wall,
    /// It closes by itself then.
    #[n(1)]
    pub until: Tick,
    #[n(2)]
    pub by: ResponderId,
    /// Of each device so many calls are tests.
    #[n(3)]
    pub presses: u8,
    #[n(4)]
    pub seen: Vec<Seen>,
}

/// A device that showed within the window that it works.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Seen {
    #[n(0)]
    pub device: u16,
    #[n(1)]
    pub at: Wall,
    /// Calls for help, smoke and the like, each a test.
    #[n(2)]
    pub calls: u8,
}

/// A walk test that a person signed.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Signed {
    #[n(0)]
    pub at: Wall,
    #[n(1)]
    pub by: ResponderId,
    #[n(2)]
    pub opened: Wall,
    #[n(3)]
    pub seen: Vec<Seen>,
}

/// Why an order about the window was not followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WalkRefusal {
    NoSuchHome,
    /// There is a window already; close it first.
    Open,
    /// There is none.
    NotOpen,
    /// These devices are there to call for help and have not called: nobody may sign that the home can.
    NotProven(Vec<Box<str>>),
}

impl Walk {
    /// How many calls of a device were tests.
    fn calls(&self, device: u16) -> u8 {
        self.seen.iter().find(|seen| seen.device == device).map_or(0, |seen| seen.calls)
    }
}

impl State {
    /// The devices that are there to call for help and have not called within the window.
    pub fn unproven(&self, walk: &Walk) -> Vec<Box<str>> {
        let silent = |(slot, _): &(usize, _)| walk.calls(*slot as u16) == 0;
        let life = self.devices.iter().enumerate().filter(|(_, device)| device.life);
        life.filter(silent).map(|(_, device)| device.address.as_str().into()).collect()
    }

    pub(super) fn fold_walk(&mut self, change: &HomeChange, at: Stamp) {
        match change {
            HomeChange::WalkOpened { until, by, presses } => {
                let (until, by, presses) = (*until, by.clone(), *presses);
                self.walk = Some(Walk { opened: at.wall, until, by, presses, seen: Vec::new() });
            }
            HomeChange::Tested { device, called } => {
                let Some(walk) = &mut self.walk else { return };
                let calls = u8::from(called.is_some());
                match walk.seen.iter_mut().find(|seen| seen.device == *device) {
                    Some(seen) => seen.calls = seen.calls.saturating_add(calls),
                    None => walk.seen.push(Seen { device: *device, at: at.wall, calls }),
                }
            }
            HomeChange::WalkClosed { by, signed } => {
                let walk = self.walk.take();
                if let (Some(walk), Some(by), true) = (walk, by, signed) {
                    let Walk { opened, seen, .. } = walk;
                    self.signed = Some(Signed { at: at.wall, by: by.clone(), opened, seen });
                }
            }
            _ => {}
        }
    }
}

impl Turn<'_> {
    pub(super) fn walk(&mut self, order: WalkOrder, by: ResponderId) {
        let done = match (order, &self.state.walk) {
            (WalkOrder::Open { .. }, Some(_)) => Err(WalkRefusal::Open),
            (WalkOrder::Open { minutes, presses }, None) => {
                let length = Millis::from_mins(minutes.clamp(1, LONGEST_MIN).into());
                let presses = presses.clamp(1, MOST_PRESSES);
                self.change(HomeChange::WalkOpened { until: self.now.tick + length, by, presses });
                Ok(())
            }
            (WalkOrder::Close { .. }, None) => Err(WalkRefusal::NotOpen),
            (WalkOrder::Close { signed }, Some(walk)) => match self.state.unproven(walk) {
                silent if signed && !silent.is_empty() => Err(WalkRefusal::NotProven(silent)),
                _ => {
                    self.close_walk(Some(by), signed);
                    Ok(())
                }
            },
        };
        self.out.walked = Some(done);
    }

    /// The window's time may be over.
    pub(super) fn walk_due(&mut self) {
        if self.state.walk.as_ref().is_some_and(|walk| walk.until <= self.now.tick) {
            self.because("test_window_over");
            self.close_walk(None, false);
        }
    }

    /// The process has started anew.
    pub(super) fn interrupt_walk(&mut self) {
        if self.state.walk.is_some() {
            self.because("test_window_interrupted");
            self.close_walk(None, false);
        }
    }

    /// What is still true when the window closes was no test.
    fn close_walk(&mut self, by: Option<ResponderId>, signed: bool) {
        let Some(walk) = &self.state.walk else { return };
        self.change(HomeChange::WalkClosed { by, signed });
        let mut raised: Vec<AlarmKind> = Vec::new();
        for seen in walk.seen.iter().filter(|seen| seen.calls > 0) {
            let Some(device) = self.state.devices.get(seen.device as usize) else { continue };
            for last in device.last.iter().filter(|last| last.value == Value::Flag(true)) {
                let alarm = last.kind.alarm().filter(|kind| kind.nature() == Nature::Condition);
                if let Some(kind) = alarm.filter(|kind| self.state.alarm(*kind).is_none() && !raised.contains(kind)) {
                    raised.push(kind);
                    let reason = Reason::FoundTrue { kind: last.kind, device: self.device_name(seen.device) };
                    let happened = self.now.wall;
                    self.press(Cause { kind, reason, happened, age_unknown: true, merged: false });
                }
            }
        }
    }

    /// Whether a call of a device within the window is a test: as many as were announced, and none while a real alarm of its kind is
    /// open. A test is raised and closed at once. What belongs to the press just before is part of its test. A cover that is opened
    /// shows no button's call, and an empty battery is no test at all.
    pub(super) fn is_test(&mut self, device: u16, cause: &Cause) -> bool {
        let Some(walk) = self.state.walk.as_ref().filter(|walk| walk.until > self.now.tick) else { return false };
        let (calls, by) = (walk.calls(device), walk.by.clone());
        let technical = cause.kind.priority() == Priority::Technical;
        let used_up = !technical && calls >= walk.presses && !cause.merged;
        if cause.kind == AlarmKind::BatteryLow || self.is_needed(cause.kind) || used_up {
            return false;
        }
        if cause.merged && calls > 0 {
            self.because("same_test_press");
            return true;
        }
        let mut alarm = self.new_alarm(cause);
        alarm.attention = Attention::Settled;
        self.change(HomeChange::Tested { device, called: (!technical).then_some(cause.kind) });
        self.out.evidence.push(alarm.id.clone());
        self.change(HomeChange::Raised(Box::new(alarm.clone())));
        self.change(HomeChange::Closed { alarm: Box::new(alarm), code: Some(CloseCode::Test), by: Some(by) });
        self.because("announced_test");
        true
    }

    /// Whether a real alarm is open that a call of this kind may belong to. A latched button's repeat is no kind of its own in that.
    fn is_needed(&self, kind: AlarmKind) -> bool {
        let by_hand = |kind: AlarmKind| kind.may_be_a_call() && kind.nature() != Nature::Condition;
        self.state.alarms.iter().any(|open| open.kind == kind || (by_hand(open.kind) && by_hand(kind)))
    }

    /// A device showed by a person's doing that it works.
    pub(super) fn shows_itself(&mut self, device: u16) {
        let seen = |walk: &Walk| walk.seen.iter().any(|seen| seen.device == device);
        let called = self.out.changes.iter().any(|change| matches!(change, HomeChange::Tested { .. }));
        if !called && self.state.walk.as_ref().is_some_and(|walk| walk.until > self.now.tick && !seen(walk)) {
            self.change(HomeChange::Tested { device, called: None });
        }
    }
}

/// Whether a kind is one that nobody can trigger by hand: its device shows by any word that it works.
pub(super) fn is_passive(kind: Kind) -> bool {
    !kind.activity() && kind.alarm().is_none_or(|alarm| matches!(alarm, AlarmKind::BatteryLow))
}
