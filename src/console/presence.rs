//! Who is at the desk: somebody who may act has the console open in a browser, where an alarm rings. The sites are told when the first has
//! come and the last has left.

use super::Shared;
use super::gate::Caller;
use crate::config::Role;
use std::sync::{Mutex, PoisonError};

/// How many are there.
#[derive(Default)]
pub(super) struct Present(Mutex<usize>);

/// One who is there; has left when it is dropped.
pub(super) struct Seat(Shared);

impl Seat {
    /// Of somebody who follows events; none for a program, or one who may only look.
    pub fn take(room: &Shared, caller: &Caller) -> Option<Seat> {
        let rings = caller.session.is_some() && caller.role >= Role::Operator;
        rings.then(|| {
            count(room, 1);
            Seat(room.clone())
        })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        count(&self.0, -1);
    }
}

/// The sites hear of it in the order in which it came to be so.
fn count(room: &Shared, change: isize) {
    let mut present = room.present.0.lock().unwrap_or_else(PoisonError::into_inner);
    let before = *present;
    *present = before.saturating_add_signed(change);
    if (before == 0) != (*present == 0) {
        room.sites.iter().for_each(|site| site.keeper.desk(*present > 0));
    }
}
