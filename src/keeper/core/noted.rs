//! What of a home's changes others get to see: which alarms have changed, and which have ended.

use super::Core;
use crate::engine::change::HomeChange;

impl Core {
    /// Keeps what the board and the reserve have to know of a change.
    pub(super) fn note(&mut self, home: u32, change: &HomeChange) {
        let kind = match change {
            HomeChange::Heard(_)
            | HomeChange::Met(_)
            | HomeChange::Frozen { .. }
            | HomeChange::Bridge { .. }
            | HomeChange::Evidence { .. }
            | HomeChange::DeviceLeft { .. }
            | HomeChange::AlarmLeft { .. }
            | HomeChange::WalkOpened { .. }
            | HomeChange::Tested { .. }
            | HomeChange::WalkClosed { .. }
            | HomeChange::Learnt(_)
            | HomeChange::Lost
            | HomeChange::Unwatched { .. }
            | HomeChange::Looked { .. }
            | HomeChange::Resumed
            | HomeChange::Climate { .. }
            | HomeChange::Vital { .. }
            | HomeChange::Cooled { .. }
            | HomeChange::Apart { .. }
            | HomeChange::Visited { .. } => return,
            // Who is told of what is open.
            HomeChange::Suppressed(_) | HomeChange::SuppressionEnded { .. } => {
                self.touched.insert(home);
                return;
            }
            HomeChange::Raised(alarm) | HomeChange::AlarmJoined(alarm) | HomeChange::Reopened(alarm) => alarm.kind,
            HomeChange::Alarm { kind, .. } => *kind,
            HomeChange::Closed { alarm, code, .. } => {
                let mut shown = self.show(home, alarm);
                shown.open = false;
                shown.outcome = Some(code.map_or("by_itself", |c| c.name()));
                self.closed.push((home, shown));
                alarm.kind
            }
        };
        self.blocks.life |= kind.may_be_a_call();
        self.touched.insert(home);
    }
}
