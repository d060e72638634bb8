//! What a message of a device means for its home.

use super::Turn;
use super::alarms::Cause;
use super::state::{DeviceState, is_activity};
use crate::engine::alarm::{Attention, Reason};
use crate::engine::change::{Fact, HomeChange, Introduction};
use crate::engine::input::Heard;
use crate::engine::kind::{AlarmKind, Nature, Priority};
use crate::engine::reading::{Form, Reading, Value};
use crate::engine::time::{Millis, Wall};

/// A device's clock is believed from a week ago to five minutes ahead; outside of it the time of arrival counts.
const OLDEST: Millis = Millis::from_mins(7 * 24 * 60);
const AHEAD: Millis = Millis::from_mins(5);
/// Less than this is no lateness but the way of the message.
const PROMPT: Millis = Millis::from_secs(60);

/// What a reading of an alarm's kind is, given what was known.
enum Meaning {
    /// Somebody calls, or a condition begins.
    Begins,
    /// A condition that our state does not know was true when we connected.
    FoundTrue,
    /// A latched `true` once more, with nothing else to explain it.
    Again,
    Ends,
    Nothing(&'static str),
}

impl Turn<'_> {
    pub(super) fn listen(&mut self, heard: Heard) {
        #[cfg(feature = "poison")]
        poison(&heard);
        let Some(device) = self.state.devices.get(heard.device as usize) else { return };
        if heard.event.is_some_and(|event| device.events.contains(&event)) {
            return self.because("same_event_id");
        }
        let happened = self.believable(heard.device_time);
        // One message is one press, however often it says so.
        let mut told: Vec<AlarmKind> = Vec::new();
        let mut active = false;
        // Events first: where a keypad says a press both as an event and as a state, the event is the surer word.
        let (events, states): (Vec<&Reading>, Vec<&Reading>) =
            heard.readings.iter().partition(|r| r.form == Form::Event);
        for reading in events.into_iter().chain(states) {
            active |= !heard.retained && is_activity(device, reading, self.now);
            let Some(kind) = reading.kind.alarm() else { continue };
            let meaning = meaning(device, kind, reading, &heard);
            if !matches!(meaning, Meaning::Nothing(_)) && told.contains(&kind) {
                continue;
            }
            if self.mean(kind, reading, meaning, happened, &heard) {
                told.push(kind);
            }
        }
        if active {
            self.stirred(happened);
        }
        let Heard { device, readings, rest, retained, event, .. } = heard;
        for reading in readings {
            let rest = (reading.form == Form::Latched && reading.value == Value::Flag(true)).then_some(rest);
            self.change(HomeChange::Heard(Fact { device, reading, happened, retained, rest, event }));
        }
    }

    /// Where the home's decisions have failed before: only calls for help and fire count, by the plainest rule there is.
    pub(super) fn listen_frozen(&mut self, heard: Heard) {
        let mut told: Vec<AlarmKind> = Vec::new();
        for reading in &heard.readings {
            let Some(kind) = reading.kind.alarm().filter(|k| k.priority() == Priority::Life) else { continue };
            if reading.value == Value::Flag(true) && !heard.retained && !told.contains(&kind) {
                told.push(kind);
                let reason = Reason::Said { kind: reading.kind, device: self.device_name(heard.device) };
                self.press(Cause { kind, reason, happened: self.now.wall, age_unknown: false, merged: false });
            }
        }
        self.because("frozen_home_hears_life_only");
    }

    /// Does what a reading means; says whether it was an event.
    fn mean(
        &mut self,
        kind: AlarmKind,
        reading: &Reading,
        meaning: Meaning,
        happened: Option<Wall>,
        heard: &Heard,
    ) -> bool {
        let device = self.device_name(heard.device);
        let cause = |kind, reason, age_unknown, merged| {
            let happened = happened.unwrap_or(self.now.wall);
            Cause { kind, reason, happened, age_unknown, merged }
        };
        match meaning {
            Meaning::Begins => {
                let merged = self.merges(heard.device);
                if merged && heard.echo {
                    self.because("echo_of_a_press");
                    return true;
                }
                self.press(cause(kind, Reason::Said { kind: reading.kind, device }, false, merged));
            }
            Meaning::FoundTrue => {
                self.press(cause(kind, Reason::FoundTrue { kind: reading.kind, device }, true, false))
            }
            Meaning::Again => match self.state.alarm(kind).map(|a| &a.attention) {
                Some(Attention::Calling { .. }) => {
                    let merged = self.merges(heard.device);
                    self.press(cause(kind, Reason::Said { kind: reading.kind, device }, false, merged));
                }
                _ => {
                    let reason = Reason::LatchedRepeat { kind: reading.kind, device };
                    self.press(cause(AlarmKind::PossiblePress, reason, false, false));
                }
            },
            Meaning::Ends => self.over(kind, happened.unwrap_or(self.now.wall)),
            Meaning::Nothing(reason) => {
                self.because(reason);
                return false;
            }
        }
        true
    }

    /// Whether a press of this device belongs to the one just before.
    fn merges(&self, device: u16) -> bool {
        let window = Millis::from_secs(self.policy.rules.press_merge_s.into());
        let before = self.state.devices.get(device as usize).and_then(|d| d.pressed);
        before.is_some_and(|then| self.now.tick.since(then) < window)
    }

    /// The stated time, where it is believable and says anything that the time of arrival does not.
    fn believable(&self, stated: Option<Wall>) -> Option<Wall> {
        let stated = stated?;
        let age = self.now.wall.since(stated);
        (stated.since(self.now.wall) <= AHEAD && age <= OLDEST && age >= PROMPT).then_some(stated)
    }

    pub(super) fn device_name(&self, device: u16) -> Box<str> {
        self.state.devices.get(device as usize).map_or("".into(), |d| d.address.as_str().into())
    }

    pub(super) fn meet(&mut self, new: Introduction) {
        let known = self.state.devices.get(new.device as usize);
        if known.is_none_or(|d| d.room != new.room || d.registered != new.registered) {
            self.change(HomeChange::Met(new));
        }
    }

    pub(super) fn bridge(&mut self, online: bool) {
        if self.state.bridge_offline == online {
            self.change(HomeChange::Bridge { online });
        }
    }
}

fn meaning(device: &DeviceState, kind: AlarmKind, reading: &Reading, heard: &Heard) -> Meaning {
    let Value::Flag(on) = reading.value else { return Meaning::Nothing("no_flag") };
    let before = device.last(reading.kind, reading.zone.as_ref());
    let was = before.and_then(|b| match b.value {
        Value::Flag(on) => Some(on),
        _ => None,
    });
    let press = kind.nature() == Nature::Press;
    match (reading.form, on, was) {
        (Form::Event, true, _) if heard.retained => Meaning::Nothing("retained_press"),
        (Form::Event, true, _) => Meaning::Begins,
        (Form::Event, false, _) if press => Meaning::Nothing("no_press"),
        (_, true, Some(true)) if reading.form == Form::Latched && press && !heard.retained => {
            match before.and_then(|b| b.rest) == Some(heard.rest) {
                true => Meaning::Again,
                false => Meaning::Nothing("repeat_with_other_news"),
            }
        }
        (_, true, Some(true)) => Meaning::Nothing("still_true"),
        (_, true, _) if heard.retained && press => Meaning::Nothing("retained_press"),
        (_, true, _) if heard.retained => Meaning::FoundTrue,
        (_, true, _) => Meaning::Begins,
        (_, false, _) if press => Meaning::Nothing("at_rest"),
        (_, false, _) => Meaning::Ends,
    }
}

/// A planted fault for the test of containment; the feature is never in a build that runs.
#[cfg(feature = "poison")]
#[expect(clippy::panic, reason = "the fault that the containment test plants")]
fn poison(heard: &Heard) {
    if heard
        .readings
        .iter()
        .any(|r| r.kind == crate::engine::kind::Kind::Button && r.value == Value::Text("poison".into()))
    {
        panic!("planted fault");
    }
}
