//! What a message of a device means for its home.

use super::Turn;
use super::alarms::Cause;
use super::state::{DeviceState, Last, is_activity};
use super::walk::is_passive;
use crate::engine::alarm::{Attention, Reason};
use crate::engine::change::{Fact, HomeChange, Introduction};
use crate::engine::id::Zone;
use crate::engine::input::Heard;
use crate::engine::kind::{AlarmKind, Kind, Nature, Priority};
use crate::engine::reading::{Form, Reading, Value};
use crate::engine::time::{Millis, Stamp, Wall};

/// A device's clock is believed from a week ago to five minutes ahead; outside of it the time of arrival counts.
const OLDEST: Millis = Millis::from_mins(7 * 24 * 60);
const AHEAD: Millis = Millis::from_mins(5);
/// Less than this is no lateness but the way of the message.
const PROMPT: Millis = Millis::from_secs(60);

/// Signs of life without a reading are noted at most so often.
const SIGN_OF_LIFE: Millis = Millis::from_mins(10);

fn is_bedroom(room: &str) -> bool {
    ["bedroom", "bed", "卧室", "床"].contains(&room)
}

/// Whether a message shows an installer that its device works: by what a person causes, or by any word of a device that nobody can
/// trigger.
fn shows_that_it_works(device: &DeviceState, readings: &[Reading], now: Stamp) -> bool {
    let called = |r: &Reading| r.kind.alarm().is_some() && r.value == Value::Flag(true);
    let passive = || device.last.iter().all(|l| is_passive(l.kind)) && readings.iter().all(|r| is_passive(r.kind));
    readings.iter().any(|r| is_activity(device, r, now) || called(r)) || passive()
}

/// What a reading of an alarm's kind is, given what was known.
enum Meaning {
    /// Somebody calls, a condition begins or is found, or a latched `true` repeats with nothing else to explain it: an event of the
    /// alarm `to`.
    Event {
        to: AlarmKind,
        reason: Reason,
    },
    Ends,
    Nothing(&'static str),
}

impl Turn<'_> {
    pub(super) fn listen(&mut self, heard: Heard) {
        let Some(device) = self.state.devices.get(heard.device as usize) else { return };
        if heard.event.is_some_and(|event| device.events.contains(&event)) {
            return self.because("same_event_id");
        }
        let happened = match heard.history {
            // Our own note of when it came, and it may be long ago.
            true => heard.device_time.filter(|then| self.now.wall.since(*then) >= PROMPT),
            false => self.believable(heard.device_time),
        };
        let pressed = !heard.history && self.understand(device, &heard, happened);
        // Whoever speaks is heard, whatever a hub said of itself; but not who is only spoken of.
        let speaks = |r: &Reading| r.kind != Kind::Online || r.value == Value::Flag(true);
        if self.state.bridge_offline && !heard.retained && heard.readings.iter().any(speaks) {
            self.change(HomeChange::Bridge { online: true });
        }
        let stirs = |r: &Reading| is_activity(device, r, self.now) && !self.proves_nothing(device, r);
        if !heard.retained && heard.readings.iter().any(stirs) {
            if !pressed {
                self.question(happened);
            }
            self.stirred(happened);
            self.learn();
        }
        if !heard.retained && !heard.history && shows_that_it_works(device, &heard.readings, self.now) {
            self.shows_itself(heard.device);
        }
        if !heard.retained && !heard.history {
            self.feel(heard.device, &device.room, &heard.readings);
            self.measure(heard.device, &heard.readings);
        }
        let lives = heard.readings.is_empty() && self.is_news_that_it_lives(device, heard.retained);
        let mut beat =
            (!heard.retained && !heard.history && self.is_nobodys_doing(device, &heard.readings)).then_some(());
        let known = device;
        let Heard { device, mut readings, rest, retained, event, mut signal, history, .. } = heard;
        let history = history.then_some(());
        if lives {
            readings.push(Reading::flag(Kind::Online, true));
        }
        for reading in readings {
            let on = reading.value == Value::Flag(true);
            let rest = (reading.form == Form::Latched && on).then_some(rest);
            let press = (pressed && on && reading.kind == Kind::Sos).then_some(());
            let (signal, beat) = (signal.take(), beat.take());
            let proves_nothing = self.proves_nothing(known, &reading).then_some(());
            let fact =
                Fact { device, reading, happened, retained, rest, event, press, signal, history, beat, proves_nothing };
            self.change(HomeChange::Heard(fact));
        }
    }

    /// Whether a reading says nothing of how the people are, since the one who lives here cannot leave the bed and moves in it.
    fn proves_nothing(&self, device: &DeviceState, reading: &Reading) -> bool {
        let by_lying =
            matches!(reading.kind, Kind::Motion | Kind::Presence | Kind::Vibration) && is_bedroom(&device.room);
        self.policy.rules.bedroom_tells == 0 && (by_lying || reading.kind == Kind::Bed)
    }

    /// A message without readings says that its device lives: worth a line now and then, for whoever waits for it.
    fn is_news_that_it_lives(&self, device: &DeviceState, retained: bool) -> bool {
        !retained && device.heard.is_none_or(|then| self.now.wall.since(then) >= SIGN_OF_LIFE)
    }

    /// Whether no person caused a message: nothing in it that people cause is new.
    fn is_nobodys_doing(&self, device: &DeviceState, readings: &[Reading]) -> bool {
        let new = |r: &Reading| device.last(r.kind, r.zone.as_ref()).is_none_or(|last| last.value != r.value);
        let by_people = |r: &Reading| r.kind.activity() && (new(r) || is_activity(device, r, self.now));
        !readings.iter().any(|r| by_people(r) || (r.kind.alarm().is_some() && r.value == Value::Flag(true)))
    }

    /// Does what the readings of a message mean, each kind once: one message is one press, however often it says so. Says whether
    /// it is a press of its own, and not the one just before once more.
    fn understand(&mut self, device: &DeviceState, heard: &Heard, happened: Option<Wall>) -> bool {
        if heard.readings.iter().all(|r| r.kind.alarm().is_none()) {
            return false;
        }
        let mut done: Vec<AlarmKind> = Vec::new();
        let mut pressed = false;
        // Where a keypad says a press both as an event and as a state, the event is the surer word.
        for event in [true, false] {
            for reading in heard.readings.iter().filter(|r| (r.form == Form::Event) == event) {
                let Some(kind) = reading.kind.alarm() else { continue };
                let (to, reason) = match self.meaning(device, kind, reading, heard) {
                    Meaning::Event { to, reason } => (to, reason),
                    Meaning::Ends => continue,
                    Meaning::Nothing(reason) => {
                        self.because(reason);
                        continue;
                    }
                };
                if done.contains(&kind) || done.contains(&to) {
                    continue;
                }
                done.extend([kind, to]);
                let merged = to == AlarmKind::Sos && self.merges(heard.device);
                pressed |= to == AlarmKind::Sos && !merged;
                if merged && heard.echo {
                    self.because("echo_of_a_press");
                    continue;
                }
                let age_unknown = matches!(reason, Reason::FoundTrue { .. });
                let happened = happened.unwrap_or(self.now.wall);
                let cause = Cause { kind: to, reason, happened, age_unknown, merged };
                if heard.retained || !self.is_test(heard.device, &cause) {
                    self.press(cause);
                }
            }
        }
        self.understand_ends(device, heard, happened, done);
        pressed
    }

    /// What begins in one zone beats what ends in another, and a home's condition ends with the last of its detectors.
    fn understand_ends(
        &mut self,
        device: &DeviceState,
        heard: &Heard,
        happened: Option<Wall>,
        mut done: Vec<AlarmKind>,
    ) {
        for reading in &heard.readings {
            let Some(kind) = reading.kind.alarm().filter(|kind| !done.contains(kind)) else { continue };
            if matches!(self.meaning(device, kind, reading, heard), Meaning::Ends) {
                done.push(kind);
                match self.still_true(heard, reading.kind) {
                    true => self.because("still_true_elsewhere"),
                    false => self.over(kind, happened.unwrap_or(self.now.wall)),
                }
            }
        }
    }

    /// Whether any detector of the home says `true`, as things are after this message.
    fn still_true(&self, heard: &Heard, kind: Kind) -> bool {
        let renewed = |device: usize, zone: &Option<Zone>| {
            device == heard.device as usize && heard.readings.iter().any(|r| r.kind == kind && r.zone == *zone)
        };
        let says = |r: &Reading| r.kind == kind && r.value == Value::Flag(true);
        let said =
            |device: usize, l: &Last| l.kind == kind && l.value == Value::Flag(true) && !renewed(device, &l.zone);
        heard.readings.iter().any(says)
            || self.state.devices.iter().enumerate().any(|(i, d)| d.last.iter().any(|l| said(i, l)))
    }

    /// Where the home's decisions have failed before: only calls for help and fire count, by the plainest rule there is.
    pub(super) fn listen_frozen(&mut self, heard: Heard) {
        let mut told: Vec<AlarmKind> = Vec::new();
        for reading in &heard.readings {
            let Some(kind) = reading.kind.alarm().filter(|k| k.priority() == Priority::Life) else { continue };
            if reading.value == Value::Flag(true) && !heard.retained && !heard.history && !told.contains(&kind) {
                told.push(kind);
                let reason = Reason::Said { kind: reading.kind, device: self.device_name(heard.device) };
                self.press(Cause { kind, reason, happened: self.now.wall, age_unknown: false, merged: false });
            }
        }
        self.because("frozen_home_hears_life_only");
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

    fn meaning(&self, device: &DeviceState, kind: AlarmKind, reading: &Reading, heard: &Heard) -> Meaning {
        let Value::Flag(on) = reading.value else { return Meaning::Nothing("no_flag") };
        let before = device.last(reading.kind, reading.zone.as_ref());
        let was = before.is_some_and(|b| b.value == Value::Flag(true));
        // What is true by its history only has told nobody here: the first that is heard of it does.
        let told = was && before.is_some_and(|b| b.recalled.is_none());
        let press = kind.nature() == Nature::Press;
        let said = || (reading.kind, self.device_name(heard.device));
        let begins = |to, (kind, device)| Meaning::Event { to, reason: Reason::Said { kind, device } };
        let found_true = |(of, device)| Meaning::Event { to: kind, reason: Reason::FoundTrue { kind: of, device } };
        match (reading.form, on) {
            (_, true) if heard.retained && press => Meaning::Nothing("retained_press"),
            (Form::Event, true) if heard.retained => found_true(said()),
            (Form::Event, true) => begins(kind, said()),
            (Form::Latched, true) if told && press => match before.and_then(|b| b.rest) == Some(heard.rest) {
                true if self.is_calling(kind) => begins(kind, said()),
                true => {
                    let (kind, device) = said();
                    let reason = Reason::LatchedRepeat { kind, device };
                    Meaning::Event { to: AlarmKind::PossiblePress, reason }
                }
                false => Meaning::Nothing("repeat_with_other_news"),
            },
            (_, true) if told => Meaning::Nothing("still_true"),
            (_, true) if heard.retained => found_true(said()),
            (_, true) => begins(kind, said()),
            (form, false) if !press && (was || form == Form::Event) => Meaning::Ends,
            (_, false) => Meaning::Nothing("at_rest"),
        }
    }

    fn is_calling(&self, kind: AlarmKind) -> bool {
        self.state.alarm(kind).is_some_and(|a| matches!(a.attention, Attention::Calling { .. }))
    }

    pub(super) fn device_name(&self, device: u16) -> Box<str> {
        self.state.devices.get(device as usize).map_or("".into(), |d| d.address.as_str().into())
    }

    pub(super) fn meet(&mut self, new: Introduction) {
        let known = self.state.devices.get(new.device as usize);
        if known.is_none_or(|d| d.room != new.room || d.registered != new.registered || d.life != new.life) {
            self.change(HomeChange::Met(new));
        }
    }

    pub(super) fn bridge(&mut self, online: bool) {
        if self.state.bridge_offline == online {
            self.change(HomeChange::Bridge { online });
        }
    }
}
