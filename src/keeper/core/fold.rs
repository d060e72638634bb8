//! Recovery: snapshots and records folded into a core. A restart folds; it never decides again.

use super::{Core, Slot};
use crate::engine::change::{HomeChange, SiteChange};
use crate::engine::home;
use crate::engine::id::HomeId;
use crate::engine::policy::{HomePolicy, Resolver};
use crate::engine::site;
use crate::keeper::board::Shown;
use crate::keeper::record::{Contents, Entry};
use std::sync::Arc;

impl Core {
    /// Takes a site snapshot in. First of all.
    pub fn restore_site(&mut self, state: site::State) {
        self.homes.clear();
        for entry in &state.homes {
            let policy = Arc::new(self.pseudo_policy(&state, entry.id.clone()));
            self.homes.push(Slot::new(policy));
        }
        self.site = state;
    }

    /// Takes a home's snapshot in; it holds every record up to `included`.
    pub fn restore_home(&mut self, home: u32, included: u64, state: home::State) {
        if let Some(slot) = self.homes.get_mut(home as usize) {
            slot.state = state;
            slot.included = included;
        }
    }

    /// Folds a record: what is in a snapshot already is passed over. Nothing is decided.
    pub fn fold(&mut self, sequence: u64, site_included: u64, record: Contents) {
        let at = record.at;
        self.now = at;
        for entry in record.in_order() {
            match entry {
                Entry::Site(change) if sequence > site_included => self.fold_site(&change),
                Entry::Site(_) => {}
                Entry::Home { home, change } => self.fold_home(sequence, home, &change),
            }
        }
        if sequence > site_included {
            self.site.last = at;
        }
    }

    pub(super) fn fold_site(&mut self, change: &SiteChange) {
        self.site.apply(change, self.now);
        if let SiteChange::HomeAdded { id, .. } = change
            && self.homes.len() < self.site.homes.len()
        {
            let policy = Arc::new(self.pseudo_policy(&self.site, id.clone()));
            self.homes.push(Slot::new(policy));
        }
    }

    fn fold_home(&mut self, sequence: u64, home: u32, change: &HomeChange) {
        if let HomeChange::Raised(alarm) = change {
            self.site.next_alarm = self.site.next_alarm.max(alarm.id.number + 1);
        }
        if let Some(slot) = self.homes.get_mut(home as usize).filter(|slot| slot.included < sequence) {
            slot.state.apply(change, self.now);
        }
    }

    fn pseudo_policy(&self, state: &site::State, id: HomeId) -> HomePolicy {
        Resolver::new(&self.rules, &state.registry).pseudo(id)
    }

    /// After the last fold: policies, routes, deadlines, and the board as it stands.
    pub fn ready(&mut self) -> Vec<Shown> {
        self.site.next_alarm = self.site.next_alarm.max(1);
        self.refresh_policies();
        self.routes.count_strangers(&self.site);
        for (number, slot) in self.homes.iter().enumerate() {
            self.routes.learn_home(number as u32, &slot.state);
        }
        for device in self.site.registry.devices.values() {
            self.routes.claim(device, &self.site, &self.homes);
        }
        (0..self.homes.len() as u32).flat_map(|home| self.shown_of(home)).collect()
    }
}
