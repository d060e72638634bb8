//! Raising, counting and ending alarms.

use super::Turn;
use crate::engine::alarm::{Act, Alarm, Attention, Reason, Told};
use crate::engine::change::{AlarmChange, HomeChange, Subject};
use crate::engine::id::AlarmId;
use crate::engine::kind::{AlarmKind, Nature};
use crate::engine::time::{Millis, Stamp, Wall};

/// An event that an alarm is raised or counted for.
pub(super) struct Cause {
    pub kind: AlarmKind,
    pub reason: Reason,
    pub happened: Wall,
    pub age_unknown: bool,
    /// It belongs to the press just before: it counts, and changes nothing else.
    pub merged: bool,
}

impl Turn<'_> {
    /// Something happened: the open alarm of its kind counts it, or a new one is raised. Never a second one.
    pub(super) fn press(&mut self, cause: Cause) {
        match self.state.alarm(cause.kind) {
            Some(alarm) => self.count(alarm, cause),
            None => self.raise(cause),
        }
    }

    fn raise(&mut self, cause: Cause) {
        let alarm = self.new_alarm(&cause);
        self.out.evidence.push(alarm.id.clone());
        self.change(HomeChange::Raised(Box::new(alarm.clone())));
        self.because("raised");
        self.climb_from_the_start(&alarm, Millis(0));
    }

    /// The alarm of a cause, with the site's next number.
    pub(super) fn new_alarm(&mut self, cause: &Cause) -> Alarm {
        let id = AlarmId { site: self.policy.site.clone(), number: self.next_alarm };
        let new = Alarm::new(id, cause.kind, cause.reason.clone(), self.now);
        let alarm = Alarm { happened: cause.happened, age_unknown: cause.age_unknown, ..new };
        self.next_alarm += 1;
        alarm
    }

    fn count(&mut self, alarm: &Alarm, cause: Cause) {
        self.out.evidence.push(alarm.id.clone());
        let again = alarm.over.is_some() || alarm.safe.is_some();
        let reason = again.then_some(cause.reason);
        self.alarm_change(alarm.kind, AlarmChange::Counted { happened: cause.happened, reason });
        let press = cause.kind.nature() == Nature::Press;
        match alarm.attention {
            _ if cause.merged => self.because("counted_same_press"),
            // A new call is a new need, whoever took the one before, and whoever was safe then.
            Attention::Taken { .. } if press => self.pressed_again(alarm),
            Attention::Settled => self.pressed_again(alarm),
            _ => self.because("counted"),
        }
    }

    fn pressed_again(&mut self, alarm: &Alarm) {
        self.because("pressed_again_clears_seen");
        self.call_again(alarm);
    }

    /// Nobody has it, and nobody is safe: the ladder starts again.
    pub(super) fn call_again(&mut self, alarm: &Alarm) {
        if alarm.safe.is_some() {
            self.alarm_change(alarm.kind, AlarmChange::Safe(None));
        }
        self.climb_from_the_start(alarm, Millis(0));
    }

    /// The condition ended by itself. The alarm stays until a person has looked, but for the quiet tier, and what nobody was to know of.
    pub(super) fn over(&mut self, kind: AlarmKind, at: Wall) {
        let Some(alarm) = self.state.alarm(kind).filter(|a| a.over.is_none()) else { return };
        self.because("over");
        if kind.is_check() || self.is_hidden(alarm) {
            self.close_by_itself(alarm);
        } else {
            self.alarm_change(kind, AlarmChange::Over { at });
        }
    }

    pub(super) fn close_by_itself(&mut self, alarm: &Alarm) {
        let whole = Box::new(alarm.clone());
        self.tell_all_who_know(alarm, || Subject::Closed { alarm: whole.clone(), by: None, code: None });
        self.change(HomeChange::Closed { alarm: whole, code: None, by: None });
    }

    /// The home's decisions failed: nobody watches it from here on, so somebody must look.
    pub(super) fn freeze(&mut self, fault: Box<str>) {
        if self.state.frozen.is_none() {
            self.change(HomeChange::Frozen { fault: fault.clone() });
        }
        for kind in [AlarmKind::WelfareCheck, AlarmKind::EngineFault] {
            self.own(kind, Reason::EngineFault { fault: fault.clone() });
        }
    }

    /// An alarm that no device says: the gateway has concluded it.
    pub(super) fn own(&mut self, kind: AlarmKind, reason: Reason) {
        self.press(Cause { kind, reason, happened: self.now.wall, age_unknown: false, merged: false });
        // What comes again after it was over is a new need, whoever had taken the old one.
        let state = self.state;
        let taken = |alarm: &&Alarm| alarm.over.is_some() && matches!(alarm.attention, Attention::Taken { .. });
        if let Some(alarm) = state.alarm(kind).filter(taken) {
            self.climb_from_the_start(alarm, Millis(0));
        }
    }

    pub(super) fn alarm_change(&mut self, kind: AlarmKind, change: AlarmChange) {
        self.change(HomeChange::Alarm { kind, change });
    }
}

/// Whether a change is one that a person who is about to act should have seen. That the ladder climbs or a notice arrives is not:
/// it would only make the first who answers look stale.
fn is_news(alarm: &Alarm, change: &AlarmChange) -> bool {
    match change {
        AlarmChange::Counted { .. } | AlarmChange::Over { .. } | AlarmChange::Acted { .. } | AlarmChange::Safe(_) => {
            true
        }
        AlarmChange::Attention { attention, .. } => {
            let calling = |a: &Attention| matches!(a, Attention::Calling { .. });
            !(calling(attention) && calling(&alarm.attention))
        }
        AlarmChange::Telling(_) | AlarmChange::Told { .. } | AlarmChange::Numbered(_) => false,
    }
}

/// Folds a change into an alarm.
pub(super) fn fold_alarm(alarm: &mut Alarm, change: &AlarmChange, at: Stamp) {
    alarm.revision += u32::from(is_news(alarm, change));
    match change {
        AlarmChange::Counted { reason, .. } => {
            if let Some(reason) = reason {
                alarm.reason = reason.clone();
            }
            alarm.events += 1;
            alarm.last_event = at;
            alarm.over = None;
        }
        AlarmChange::Over { at } => alarm.over = Some(*at),
        AlarmChange::Attention { attention, late_by } => {
            if let Attention::Taken { by, .. } = &alarm.attention {
                alarm.last_taker = Some(by.clone());
            }
            alarm.attention = attention.clone();
            alarm.late_by = *late_by;
        }
        AlarmChange::Acted { act, .. } => match act {
            Act::Hold => alarm.held = true,
            Act::NoAnswer => alarm.unanswered += 1,
            Act::NoAccess => alarm.no_access += 1,
            _ => {}
        },
        AlarmChange::Safe(safe) => alarm.safe = safe.clone(),
        AlarmChange::Telling(telling) => {
            alarm.notices = alarm.notices.max(telling.number);
            match alarm.tellings.iter_mut().find(|t| t.channel == telling.channel) {
                Some(known) => *known = telling.clone(),
                None => alarm.tellings.push(telling.clone()),
            }
        }
        AlarmChange::Told { channel, number, told } => {
            if let Some(t) = alarm.tellings.iter_mut().find(|t| &t.channel == channel && t.number == *number) {
                t.told = *told;
                t.knows |= *told == Told::Delivered;
            }
        }
        AlarmChange::Numbered(number) => alarm.notices = alarm.notices.max(*number),
    }
}
