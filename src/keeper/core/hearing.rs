//! What the site has to know of whether its homes are heard.

use super::Core;
use crate::engine::input::{HomeInput, SiteInput};
use crate::engine::registry::Status;

impl Core {
    /// Tells the site whether a home is missed. One whose people have left it is not.
    pub(super) fn tell_hearing(&mut self, home: u32) {
        let slot = &self.homes[home as usize];
        let watched = slot.policy.claimed && matches!(slot.policy.status, Status::Active | Status::Paused);
        let heard = !watched || slot.state.unheard_since.is_none();
        self.to_site.push_back(SiteInput::Hearing { home, heard });
    }

    /// Homes that were unheard before anybody kept a list of them stand on it from now on.
    pub(super) fn miss_again(&mut self) {
        let since = self.now;
        for home in 0..self.homes.len() as u32 {
            let state = &self.homes[home as usize].state;
            if state.unheard_since.is_some() {
                let listed = state.unwatched.is_some();
                self.tell_hearing(home);
                if !listed {
                    self.home_input(home, HomeInput::Deaf { since, still: true });
                }
                self.drain();
            }
        }
    }
}
