//! Which home and place an address belongs to. Derived from the registry and the homes' devices.

use super::core::Slot;
use crate::engine::home;
use crate::engine::id::{Address, HomeId, SourceId};
use crate::engine::reading::Report;
use crate::engine::registry::Device;
use crate::engine::site;
use std::collections::{BTreeSet, HashMap};

/// Pseudo-homes of a site; devices that nobody registered beyond this number share one.
const MAX_STRANGERS: usize = 10_000;
/// Devices of one home.
pub const MAX_DEVICES: usize = 255;

/// The way from a message to its home.
#[derive(Default)]
pub struct Routes {
    by_source: HashMap<SourceId, HashMap<Address, (u32, u16)>>,
    numbers: HashMap<HomeId, u32>,
    strangers: usize,
}

impl Routes {
    pub fn find(&self, source: &SourceId, address: &Address) -> Option<(u32, u16)> {
        self.by_source.get(source)?.get(address).copied()
    }

    pub fn set(&mut self, source: &SourceId, address: Address, route: (u32, u16)) {
        self.by_source.entry(source.clone()).or_default().insert(address, route);
    }

    pub fn number(&self, id: &HomeId) -> Option<u32> {
        self.numbers.get(id).copied()
    }

    pub fn name(&mut self, id: HomeId, number: u32) {
        self.numbers.insert(id, number);
    }

    /// Takes over how many pseudo-homes there are, so that the bound outlives the process.
    pub fn count_strangers(&mut self, site: &site::State) {
        self.strangers = site.homes.iter().filter(|h| !h.claimed).count();
    }

    /// Enters the devices of a home as it was restored; a registered device beats a stranger of the same address.
    pub fn learn_home(&mut self, number: u32, state: &home::State) {
        for (slot, device) in state.devices.iter().enumerate() {
            let known = self.find(&device.source, &device.address).is_some();
            if device.registered || !known {
                self.set(&device.source, device.address.clone(), (number, slot as u16));
            }
        }
    }

    /// Enters a registered device: where it moved, its present home beats the one before.
    pub fn claim(&mut self, device: &Device, site: &site::State, homes: &[Slot]) {
        let Some(number) = site.homes.iter().position(|h| h.id == device.home) else { return };
        if let Some(slot) = homes[number].state.find(&device.source, &device.address) {
            self.set(&device.source, device.address.clone(), (number as u32, slot));
        }
    }

    /// The homes with a device whose address begins so.
    pub fn behind_bridge(&self, source: &SourceId, prefix: &str) -> BTreeSet<u32> {
        let Some(routes) = self.by_source.get(source) else { return BTreeSet::new() };
        routes.iter().filter(|(address, _)| address.as_str().starts_with(prefix)).map(|(_, (home, _))| *home).collect()
    }

    /// Where a device that nobody registered belongs: to the registered home that its topic names, else to one of its own.
    pub fn home_for_stranger(&mut self, report: &Report, address: &Address, site: &site::State) -> (HomeId, bool) {
        let named = report.home_hint.as_deref().and_then(|hint| HomeId::new(hint).ok());
        if let Some(home) = named.filter(|id| site.registry.homes.contains_key(id)) {
            return (home, true);
        }
        self.strangers += 1;
        let own = match self.strangers <= MAX_STRANGERS {
            true => format!("unclaimed/{}/{address}", report.source),
            false => format!("unclaimed/{}", report.source),
        };
        (HomeId::cut(&own), false)
    }
}

/// A 64-bit FNV-1a fingerprint: stable over versions, since it is journalled.
pub fn fingerprint(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::reading::Speaker;
    use crate::engine::site::HomeEntry;

    #[test]
    fn strangers_are_bounded_over_restarts_too() {
        let entry = |n| HomeEntry { id: HomeId::cut(&format!("unclaimed/z2m/{n}")), claimed: n == 0 };
        let address = Address::cut("x");
        let report = Report {
            source: SourceId::cut("z2m"),
            speaker: Speaker::Device(address.clone()),
            home_hint: None,
            readings: Vec::new(),
            device_time: None,
            event_id: None,
            rest: 0,
            retained: false,
            signal: None,
            echo: false,
        };
        let site = site::State { homes: (0..MAX_STRANGERS).map(entry).collect(), ..site::State::default() };
        let mut routes = Routes::default();
        routes.count_strangers(&site);
        let mut next = || routes.home_for_stranger(&report, &address, &site).0.to_string();
        assert_eq!((next(), next()), ("unclaimed/z2m/x".into(), "unclaimed/z2m".into()));
    }
}
