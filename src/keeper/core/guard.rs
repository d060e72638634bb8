//! The checker of the promise that nothing ends quietly: every open alarm that nobody has seen is being told this moment or will be looked
//! at at a known time. The types and the machines keep it; this asks them, from outside, whether they do. What it finds is a fault of
//! ours: it is mended where it stands, counted, and alarmed.

use super::{Core, LOOK_AGAIN};
use crate::engine::alarm::Telling;
use crate::engine::change::{Notice, Subject};
use crate::engine::delivery::{Failure, Outcome};
use crate::engine::home;
use crate::engine::id::{AlarmId, NoticeId};
use crate::engine::input::{HomeInput, SiteInput};
use crate::engine::kind::AlarmKind;
use crate::engine::time::{Millis, Tick};

/// A deadline is kept within a turn or two; whatever is later than this was forgotten.
const LATE: Millis = Millis::from_secs(30);
/// An attempt ends within ten seconds; of one that is older than this nobody will tell.
const LONGEST_ATTEMPT: Millis = Millis::from_secs(120);

/// A broken promise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub alarm: AlarmId,
    pub what: Broken,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Broken {
    /// Nobody would have looked at its home in time.
    Unscheduled { home: u32 },
    /// Its time has passed, and nothing was done.
    Overdue { home: u32 },
    /// A channel counts as being told of it, and nothing waits to be sent there.
    NoticeLost { home: u32, kind: AlarmKind, notice: NoticeId },
    /// An attempt that never ended.
    Hanging { notice: NoticeId, attempt: u32 },
}

impl Broken {
    /// Whether it is a receiver's doing, or the courier's, and none of the site's.
    pub fn is_of_a_receiver(&self) -> bool {
        matches!(self, Broken::Hanging { .. })
    }

    /// The word of metrics, logs and the alarm.
    pub fn name(&self) -> &'static str {
        match self {
            Broken::Unscheduled { .. } => "unscheduled",
            Broken::Overdue { .. } => "overdue",
            Broken::NoticeLost { .. } => "notice_lost",
            Broken::Hanging { .. } => "attempt_hangs",
        }
    }
}

impl Core {
    /// All promises that are broken as things stand between two turns; none, if all is right. Not to be asked on a full disk, which has no
    /// place for much that is due.
    pub fn broken(&self) -> Vec<Finding> {
        let mut found = Vec::new();
        let deaf = self.site.deaf_since.is_some();
        for (home, slot) in (0u32..).zip(&self.homes).filter(|(_, slot)| !slot.state.alarms.is_empty()) {
            let due = home::next_wake(&slot.policy, &slot.state, self.now, deaf).map(|at| at.max(slot.not_before));
            let looked_at = slot.wake.map(|at| at.max(self.site_pause));
            for alarm in &slot.state.alarms {
                let deadline = home::deadline(&slot.policy, &slot.state, alarm, self.now);
                let of = |what| Finding { alarm: alarm.id.clone(), what };
                match (deadline, due) {
                    (Some(deadline), _) if is_past(deadline.max(slot.not_before), self.now.tick) => {
                        found.push(of(Broken::Overdue { home }))
                    }
                    (Some(_), Some(due)) if looked_at.is_none_or(|at| at > due + LOOK_AGAIN) => {
                        found.push(of(Broken::Unscheduled { home }))
                    }
                    _ => {}
                }
                let lost = alarm.tellings.iter().filter(|telling| telling.is_under_way());
                let lost = lost.map(|telling| alarm.notice_id(telling.number));
                let lost = lost.filter(|notice| !self.site.outbox.holds(notice));
                let kind = alarm.kind;
                found.extend(lost.map(|notice| of(Broken::NoticeLost { home, kind, notice })));
            }
        }
        let hanging =
            self.site.outbox.all().filter(|pending| pending.sending && is_hanging(pending.due, self.now.tick));
        found.extend(hanging.map(|pending| {
            let (notice, attempt) = (pending.notice.id.clone(), pending.attempts);
            Finding { alarm: notice.alarm.clone(), what: Broken::Hanging { notice, attempt } }
        }));
        found
    }

    /// Mends what is broken, within a turn.
    pub fn heal(&mut self, finding: &Finding) {
        self.mended += 1;
        match &finding.what {
            Broken::Unscheduled { home } => self.schedule(*home),
            Broken::Overdue { home } => {
                self.home_input(*home, HomeInput::Due);
                self.drain();
            }
            Broken::NoticeLost { home, kind, notice } => {
                let known = self.homes.get(*home as usize).and_then(|slot| slot.state.alarm(*kind));
                let telling = known.and_then(|alarm| alarm.tellings.iter().find(|t| t.number == notice.number));
                if let Some(Telling { channel, rung, round, .. }) = telling {
                    let subject = Subject::Rung { rung: *rung, round: *round };
                    let (id, home, channel, kind, issued) = (notice.clone(), *home, channel.clone(), *kind, self.now);
                    self.site_input(SiteInput::Tell(Box::new(Notice { id, home, channel, kind, subject, issued })));
                }
            }
            Broken::Hanging { notice, attempt } => {
                let (notice, attempt, outcome) = (notice.clone(), *attempt, Outcome::failed(Failure::Interrupted));
                self.site_input(SiteInput::Ended { notice, attempt, outcome });
            }
        }
    }
}

fn is_past(deadline: Tick, now: Tick) -> bool {
    now.since(deadline) > LATE
}

fn is_hanging(since: Tick, now: Tick) -> bool {
    now.since(since) > LONGEST_ATTEMPT
}

/// Faults for the tests of the checker.
#[cfg(test)]
impl Core {
    /// No home would be woken any more.
    pub fn forget_deadlines(&mut self) {
        self.heap.clear();
        self.homes.iter_mut().for_each(|slot| slot.wake = None);
    }

    /// A change that nothing decided.
    pub fn suffer(&mut self, change: &crate::engine::change::SiteChange) {
        self.blocks.site(change);
        self.fold_site(change);
    }
}
