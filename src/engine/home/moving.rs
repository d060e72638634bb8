//! A device that turns out to belong to another home: its open alarms go along, nobody calls twice.

use super::Turn;
use super::alarms::Cause;
use crate::engine::alarm::{Alarm, Attention, Told};
use crate::engine::change::HomeChange;
use crate::engine::input::SiteInput;
use crate::engine::kind::AlarmKind;
use crate::engine::time::Millis;

/// An alarm that goes along with its device.
#[derive(Debug, Clone, PartialEq)]
pub struct Leaving {
    pub alarm: Alarm,
    /// It stays open where it was, too: others may have called there.
    pub stays: bool,
}

impl Turn<'_> {
    /// The device leaves. With `open_there` (the kinds that are open where it goes) its alarms go too: those of its own word, or all
    /// where it was the only device of a pseudo-home. What counted more than that, in a home of somebody's own, stays and calls in both.
    pub(super) fn leave(&mut self, device: u16, open_there: Option<Vec<AlarmKind>>) {
        let Some(known) = self.state.devices.get(device as usize) else { return };
        let name = known.address.as_str();
        let others = self.state.devices.iter().filter(|d| !d.last.is_empty() || d.heard.is_some()).count() > 1;
        let alone = !self.policy.claimed && !others;
        for alarm in &self.state.alarms {
            let Some(open) = open_there.as_ref().filter(|_| alone || alarm.reason.device() == Some(name)) else {
                continue;
            };
            if self.policy.claimed && alarm.events > 1 {
                self.because("calls_in_both_homes");
                self.out.leaving.push(Leaving { alarm: alarm.clone(), stays: true });
                continue;
            }
            if open.contains(&alarm.kind) {
                self.because("counted_in_its_home");
                self.close_by_itself(alarm);
            } else {
                self.because("went_along_with_its_device");
                self.out.to_site.push(SiteInput::Withdraw { alarm: alarm.id.clone() });
                self.change(HomeChange::AlarmLeft { alarm: alarm.id.clone() });
            }
            self.out.leaving.push(Leaving { alarm: alarm.clone(), stays: false });
        }
        self.change(HomeChange::DeviceLeft { device });
    }

    /// An alarm comes along with its device. It begins its ladder anew, since this home has people of its own; where one of its kind is
    /// open, that counts it.
    pub(super) fn join(&mut self, Leaving { alarm, stays }: Leaving) {
        if stays || self.state.alarm(alarm.kind).is_some() {
            let Alarm { kind, reason, happened, age_unknown, .. } = alarm;
            return self.press(Cause { kind, reason, happened, age_unknown, merged: false });
        }
        // What was under way there was taken back, or speaks of a home that it is not in.
        let mut alarm = alarm;
        for telling in alarm.tellings.iter_mut().filter(|t| t.is_under_way()) {
            telling.told = Told::Withdrawn;
        }
        self.change(HomeChange::AlarmJoined(Box::new(alarm.clone())));
        if matches!(alarm.attention, Attention::Calling { .. }) {
            self.climb_from_the_start(&alarm, Millis(0));
        }
    }
}
