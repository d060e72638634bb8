//! Whether the person seems to have left: by the entrance door and what follows it. It never ends the watch, it only changes its limit.

use crate::engine::reading::Value;
use crate::engine::time::{Millis, Wall};
use minicbor::{Decode, Encode};

/// Whoever stirs last within this time after the entrance was opened has left by it; so has who stirs last so soon after any word of
/// the door. Later than that somebody is inside (PRACTICE, "Parcel").
const AFTER_OPENING: Millis = Millis::from_secs(60);
const AFTER_THE_DOOR: Millis = Millis::from_secs(30);
/// Whoever has just come back by the door is inside, whatever follows within this time.
const AFTER_RETURN: Millis = Millis::from_secs(90);
/// Whoever has seen the person leaves by the door within this time, and the person stays. Taking leave lasts no longer than that.
const VISIT: Millis = Millis::from_mins(60);
const LEAVE: Millis = Millis::from_mins(5);
/// An absence shorter than this is none that one comes back from.
const ABSENCE: Millis = Millis::from_mins(15);

/// What the entrance door has told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
pub struct Presence {
    #[n(0)]
    opened: Option<Wall>,
    #[n(1)]
    spoke: Option<Wall>,
    #[n(2)]
    returned: Option<Wall>,
    /// With the last activity somebody seems to have left.
    #[n(3)]
    pub out: bool,
    /// When somebody saw the person here, who has not left by the door since; and when they began to leave.
    #[n(4)]
    #[cbor(default)]
    visited: Option<Wall>,
    #[n(5)]
    #[cbor(default)]
    visitor_leaves: Option<Wall>,
    /// It was a visitor who left.
    #[n(6)]
    #[cbor(default)]
    visitor: bool,
}

impl Presence {
    /// Somebody who does not live here saw the person.
    pub(super) fn visited(&mut self, wall: Wall) {
        self.visited = Some(wall);
    }

    /// Whether who lives here seems to have left.
    pub fn has_left(&self) -> bool {
        self.out && !self.visitor
    }

    /// Somebody stirred; `entrance` is what the entrance door said, where it was that; `before` is when they had stirred last.
    pub(super) fn stirred(&mut self, wall: Wall, entrance: Option<&Value>, before: Option<Wall>) {
        let within =
            |then: Option<Wall>, span: Millis| then.is_some_and(|then| then <= wall && wall.since(then) <= span);
        if let Some(said) = entrance {
            if self.has_left() && before.is_some_and(|before| wall.since(before) >= ABSENCE) {
                self.returned = Some(wall);
            }
            if *said == Value::Open(true) {
                self.opened = Some(wall);
            }
            self.spoke = Some(wall);
            if within(self.visited.take(), VISIT) {
                self.visitor_leaves = Some(wall);
            }
        }
        let by_the_door = within(self.opened, AFTER_OPENING) || within(self.spoke, AFTER_THE_DOOR);
        self.out = by_the_door && !within(self.returned, AFTER_RETURN);
        self.visitor = within(self.visitor_leaves, LEAVE);
    }
}
