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
    /// With their last activity they seem to have left.
    #[n(3)]
    pub out: bool,
}

impl Presence {
    /// Somebody stirred; `entrance` is what the entrance door said, where it was that; `before` is when they had stirred last.
    pub(super) fn stirred(&mut self, wall: Wall, entrance: Option<&Value>, before: Option<Wall>) {
        let within =
            |then: Option<Wall>, span: Millis| then.is_some_and(|then| then <= wall && wall.since(then) <= span);
        if let Some(said) = entrance {
            if self.out && before.is_some_and(|before| wall.since(before) >= ABSENCE) {
                self.returned = Some(wall);
            }
            if *said == Value::Open(true) {
                self.opened = Some(wall);
            }
            self.spoke = Some(wall);
        }
        let by_the_door = within(self.opened, AFTER_OPENING) || within(self.spoke, AFTER_THE_DOOR);
        self.out = by_the_door && !within(self.returned, AFTER_RETURN);
    }
}
