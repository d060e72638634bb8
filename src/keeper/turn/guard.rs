//! The checker at work: every ten seconds it asks whether any promise is broken, mends what it finds, and says so.

use super::Keeper;
use crate::engine::kind::AlarmKind;
use crate::engine::time::{Millis, Tick};
use crate::keeper::core::{Finding, gateway};
use std::fmt::Write as _;
use tracing::error;

const GUARD_EVERY: Millis = Millis::from_secs(10);
/// So many alarms are named in one that says what was mended.
const NAMED: usize = 5;

/// When it looks next.
#[derive(Default)]
pub(super) struct Guard {
    next: Tick,
}

impl Keeper {
    /// Looks, and mends, within the turn that has begun.
    pub(super) fn guard(&mut self) {
        let now = self.core.now().tick;
        if !self.full && now < self.guard.next {
            return;
        }
        self.guard.next = now + GUARD_EVERY;
        // What had no place on a full disk is overdue when there is room again, and on its way.
        if self.full {
            return;
        }
        metrics::counter!("hearthwatch_guard_looks_total").increment(1);
        let found = self.core.broken();
        if found.is_empty() {
            return;
        }
        for finding in &found {
            metrics::counter!("hearthwatch_guard_mended_total", "what" => finding.what.name()).increment(1);
            error!(alarm = %finding.alarm, what = finding.what.name(), "a promise was broken, and is mended; report this");
            self.core.heal(finding);
        }
        let home = gateway(&self.core.rules().site);
        self.core.own_alarm(&home, AlarmKind::EngineFault, &text(&found), None);
    }
}

fn text(found: &[Finding]) -> String {
    let mut text = format!("open alarms that nobody would have told of, mended: {}", found.len());
    for finding in found.iter().take(NAMED) {
        // Writing to a String cannot fail.
        let _ = write!(text, "; {} {}", finding.alarm, finding.what.name());
    }
    text
}
