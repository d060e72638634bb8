//! Which homes a site has, and which devices belong to them: by the registry, or by what was heard.

use super::{Core, HomeInput};
use crate::engine::change::{Introduction, SiteChange};
use crate::engine::home::DeviceState;
use crate::engine::id::{HomeId, SiteId};
use crate::engine::policy::Resolver;
use crate::engine::reading::Report;
use crate::engine::registry::{Entity, Status};
use crate::engine::site::HomeEntry;
use crate::engine::site::outage::Place;
use crate::keeper::routes::MAX_DEVICES;
use std::sync::Arc;

/// The pseudo-home that the gateway's own alarms stand in.
pub fn gateway(site: &SiteId) -> HomeId {
    HomeId::cut(&format!("gateway/{site}"))
}

/// The pseudo-home that the site's alarm of too few people to be told stands in.
pub(super) fn staff(site: &SiteId) -> HomeId {
    HomeId::cut(&format!("staff/{site}"))
}

impl Core {
    /// A device that has no route yet: the home that its topic names where that is registered, else a pseudo-home.
    pub(super) fn introduce(&mut self, report: &Report, address: crate::engine::id::Address) -> (u32, u16) {
        let (id, claimed) = self.routes.home_for_stranger(report, &address, &self.site);
        let home = self.home_number(&id, claimed);
        let state = &self.homes[home as usize].state;
        let device = state.find(&report.source, &address).unwrap_or(state.devices.len().min(MAX_DEVICES) as u16);
        let new = Introduction {
            device,
            source: report.source.clone(),
            address: address.clone(),
            room: "".into(),
            registered: false,
            life: false,
        };
        self.routes.set(&report.source, address, (home, device));
        self.home_input(home, HomeInput::Met(new));
        (home, device)
    }

    /// The number of the home in which an alarm of the site's stands.
    pub(super) fn place(&mut self, place: Place) -> u32 {
        let site = &self.rules.site;
        let id = match place {
            Place::Home(number) => return number,
            Place::Outage(number) => HomeId::cut(&format!("outage/{site}/{number}")),
            Place::Gateway => gateway(site),
            Place::Channel(channel) => HomeId::cut(&format!("channel/{site}/{channel}")),
            Place::Staff => staff(site),
        };
        self.home_number(&id, false)
    }

    /// The number of a home; a new one gets the next.
    pub(super) fn home_number(&mut self, id: &HomeId, claimed: bool) -> u32 {
        let known = self.routes.number(id);
        if known.is_none_or(|n| claimed && !self.site.homes[n as usize].claimed) {
            let change = SiteChange::HomeAdded { id: id.clone(), claimed };
            self.blocks.site(&change);
            self.fold_site(&change);
        }
        let number = known.unwrap_or(self.site.homes.len() as u32 - 1);
        self.routes.name(id.clone(), number);
        number
    }

    pub(super) fn registered(&mut self, entity: &Entity) {
        if !matches!(entity, Entity::Resident(_) | Entity::Device(_) | Entity::Profile(_)) {
            self.prove_soon();
        }
        match entity {
            Entity::Home(home) => {
                let number = self.home_number(&home.id.clone(), true);
                let policy = self.resolver().home(home);
                let before = std::mem::replace(&mut self.homes[number as usize].policy, Arc::new(policy));
                self.tell_hearing(number);
                if before.claimed && before.status != Status::Active && home.status == Status::Active {
                    self.home_input(number, HomeInput::Resumed);
                }
                self.schedule(number);
            }
            Entity::Device(device) => {
                let home = self.home_number(&device.home, true);
                let state = &self.homes[home as usize].state;
                let slot =
                    state.find(&device.source, &device.address).unwrap_or(state.devices.len().min(MAX_DEVICES) as u16);
                let (source, address, room) = (device.source.clone(), device.address.clone(), device.room.clone());
                let before = self.routes.find(&source, &address).filter(|(old, _)| *old != home);
                self.routes.set(&source, address.clone(), (home, slot));
                let new = Introduction { device: slot, source, address, room, registered: true, life: device.life };
                self.home_input(home, HomeInput::Met(new));
                if let Some((old, place)) = before {
                    self.moves(old, place, home);
                }
            }
            // What a profile says is the decoder's to know.
            Entity::Resident(_) | Entity::Profile(_) => {}
            Entity::Channel(_) | Entity::Responder(_) | Entity::Rota(_) | Entity::Ladder(_) | Entity::Plan(_) => {
                self.policies_stale = true
            }
        }
    }

    /// A device has come from another home: where nobody had claimed that, or it, what it has open comes along.
    fn moves(&mut self, old: u32, device: u16, new: u32) {
        let known = self.homes[old as usize].state.devices.get(device as usize).is_some_and(|d| d.registered);
        let stranger = !self.site.homes[old as usize].claimed || !known;
        let open_there = stranger.then(|| self.homes[new as usize].state.alarms.iter().map(|a| a.kind).collect());
        self.home_input(old, HomeInput::Left { device, open_there });
        for alarm in std::mem::take(&mut self.leaving) {
            self.home_input(new, HomeInput::Joins(Box::new(alarm)));
        }
    }

    /// The number of a home that is known, claimed or not.
    pub fn number(&self, id: &HomeId) -> Option<u32> {
        self.routes.number(id)
    }

    /// The devices that are in a home now, each with its place. What left for another home is none of them.
    pub fn devices_of(&self, home: u32) -> impl Iterator<Item = (u16, &DeviceState)> {
        let devices = self.homes.get(home as usize).map(|slot| slot.state.devices.as_slice()).unwrap_or_default();
        let here = move |(slot, device): &(u16, &DeviceState)| {
            device.registered || self.routes.find(&device.source, &device.address) == Some((home, *slot))
        };
        (0..).zip(devices).filter(here)
    }

    fn resolver(&self) -> Resolver<'_> {
        Resolver::new(&self.rules, &self.site.registry).in_cold_wave(self.site.cold_wave.as_ref())
    }

    pub(super) fn refresh_policies(&mut self) {
        let resolver = self.resolver();
        let policy = |entry: &HomeEntry| match self.site.registry.homes.get(&entry.id) {
            Some(home) => resolver.home(home),
            None => resolver.pseudo(entry.id.clone()),
        };
        let policies: Vec<_> = self.site.homes.iter().map(policy).collect();
        for (slot, policy) in self.homes.iter_mut().zip(policies) {
            slot.policy = Arc::new(policy);
        }
        for (number, entry) in self.site.homes.iter().enumerate() {
            self.routes.name(entry.id.clone(), number as u32);
        }
        self.policies_stale = false;
        self.schedule_all();
    }
}
