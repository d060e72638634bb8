//! What people do with an alarm, turned into changes.

use super::Turn;
use super::alarms::fold_alarm;
use crate::engine::alarm::{Act, Alarm, Attention, Refusal, Safe, SafeHow, Verdict, decide};
use crate::engine::change::{AlarmChange, HomeChange, Subject};
use crate::engine::id::{AlarmId, ResponderId};
use crate::engine::time::Millis;

impl Turn<'_> {
    pub(super) fn act(&mut self, id: &AlarmId, act: Act, by: ResponderId, revision: Option<u32>) {
        let is_as_seen = |alarm: &Alarm| match revision {
            Some(seen) if seen != alarm.revision => Err(Refusal::Stale { revision: alarm.revision }),
            _ => Ok(()),
        };
        let open = self.state.alarms.iter().find(|alarm| &alarm.id == id);
        let closed = self.state.closed.iter().find(|closed| &closed.alarm.id == id);
        let answer = match (open, closed) {
            (Some(alarm), _) => is_as_seen(alarm).and_then(|()| self.act_on(alarm, act, by)),
            (None, Some(closed)) if act == Act::Reopen && !closed.is_final(self.now.tick) => {
                is_as_seen(&closed.alarm).and_then(|()| self.reopen(&closed.alarm, by))
            }
            (None, Some(_)) => Err(Refusal::Closed),
            (None, None) => Err(Refusal::NoSuchAlarm),
        };
        self.out.answer = Some(answer.map(|revision| (id.clone(), revision)));
    }

    /// Gives the revision after the act.
    fn act_on(&mut self, alarm: &Alarm, act: Act, by: ResponderId) -> Result<u32, Refusal> {
        let verdict = decide(alarm, &act, &by, &self.policy.rules, self.now.tick)?;
        let before = self.out.changes.len();
        self.alarm_change(alarm.kind, AlarmChange::Acted { act, by: by.clone() });
        match verdict {
            Verdict::Record => {}
            Verdict::Lease { until, progress } => {
                let news = !matches!(&alarm.attention, Attention::Taken { by: owner, .. } if *owner == by);
                let attention = Attention::Taken { by: by.clone(), at: self.now.wall, until, progress };
                self.alarm_change(alarm.kind, AlarmChange::Attention { attention, late_by: Millis(0) });
                if news {
                    self.tell_taken(alarm, &by);
                }
            }
            Verdict::CallAgain => self.call_again(alarm),
            Verdict::ClimbOn => self.climb_on(alarm),
            Verdict::Settle(how) => {
                self.settle(alarm, &by, how);
                self.is_well(alarm.kind);
            }
            Verdict::Close(code) => {
                let whole = Box::new(alarm.clone());
                self.tell_all_who_know(alarm, || Subject::Closed {
                    alarm: whole.clone(),
                    by: Some(by.clone()),
                    code: Some(code),
                });
                self.change(HomeChange::Closed { alarm: whole, code: Some(code), by: Some(by) });
            }
        }
        let mut after = alarm.clone();
        for change in &self.out.changes[before..] {
            if let HomeChange::Alarm { kind, change } = change
                && *kind == alarm.kind
            {
                fold_alarm(&mut after, change, self.now);
            }
        }
        Ok(after.revision)
    }

    /// It was closed by mistake: it calls again, under its own id. Gives its revision.
    fn reopen(&mut self, closed: &Alarm, by: ResponderId) -> Result<u32, Refusal> {
        if self.state.alarm(closed.kind).is_some() {
            return Err(Refusal::RaisedAgain);
        }
        let attention = Attention::Calling { rung: 0, round: 0, next: self.now.tick };
        let alarm = Alarm { attention, safe: None, revision: closed.revision + 1, ..closed.clone() };
        self.change(HomeChange::Reopened(Box::new(alarm.clone())));
        self.because("reopened");
        self.alarm_change(alarm.kind, AlarmChange::Acted { act: Act::Reopen, by });
        self.climb_from_the_start(&alarm, Millis(0));
        // The act is news, too.
        Ok(alarm.revision + 1)
    }

    /// A person has made sure that all is well: nobody is called any more.
    pub(super) fn settle(&mut self, alarm: &Alarm, by: &ResponderId, how: SafeHow) {
        let safe = Safe { by: by.clone(), at: self.now.wall, how };
        self.alarm_change(alarm.kind, AlarmChange::Safe(Some(safe)));
        let attention = Attention::Settled;
        self.alarm_change(alarm.kind, AlarmChange::Attention { attention, late_by: Millis(0) });
        if matches!(alarm.attention, Attention::Calling { .. }) {
            self.tell_taken(alarm, by);
        }
    }
}
