//! What earlier messages taught about devices, so that later ones are understood better.
//!
//! Lore is a help and never a need: without it every message is still read, by its property names alone. It is derived, bounded, and
//! comes back by itself, since bridges keep their list of devices retained. **It is not journalled.**

mod discovered;

use super::home_assistant::Entity;
use crate::engine::id::SourceId;
use crate::engine::profile::Profile;
use discovered::Discovered;
pub use discovered::MAX_WORD_BYTES;
use std::collections::HashMap;
use std::sync::Arc;

/// The most devices that are remembered of one source.
pub const MAX_DEVICES: usize = 60_000;

/// The most bytes that are remembered of one source, by our own count of names and meanings.
pub const MAX_BYTES: usize = 16 << 20;

/// What is known of one device.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DeviceLore {
    /// As its maker calls it; empty where unknown.
    pub model: Box<str>,
    /// It senses that somebody is there, not only that somebody moves.
    pub senses_presence: bool,
    /// It has published its whole state as one JSON object, so what it says elsewhere is said twice.
    pub speaks_json: bool,
    /// The bridge that listed it, as the prefix of its devices' addresses; None where no list has named it.
    pub bridge: Option<Box<str>>,
    /// The properties whose values mean something else than their name alone would say.
    pub meanings: Vec<(Box<str>, Meaning)>,
    /// What it announced when it was born, for messages that call a value by a number.
    pub metrics: Vec<Metric>,
}

/// A value that a device announced.
#[derive(Debug, Clone, PartialEq)]
pub struct Metric {
    pub name: Box<str>,
    /// The number that stands for the name.
    pub alias: Option<u64>,
    /// The type of its values, as the dialect numbers them; 0 where untold.
    pub datatype: u32,
}

/// What a device's definition says of a property, where it departs from what its name says.
#[derive(Debug, Clone, PartialEq)]
pub enum Meaning {
    /// It is something else altogether: consumption, a setting, a strength.
    NoReading,
    /// A number in °F.
    Fahrenheit,
    /// A number that becomes our unit when multiplied.
    Times(f64),
    /// These two words are yes and no.
    Words { yes: Box<str>, no: Box<str> },
}

impl DeviceLore {
    /// What the definition says of a property, where it says something of its own.
    pub fn meaning(&self, property: &str) -> Option<&Meaning> {
        self.meanings.iter().find(|(name, _)| **name == *property).map(|(_, meaning)| meaning)
    }

    fn bytes(&self, address: &str) -> usize {
        let meanings: usize = self.meanings.iter().map(|(name, _)| name.len() + size_of::<(Box<str>, Meaning)>()).sum();
        let metrics: usize = self.metrics.iter().map(|metric| metric.name.len() + size_of::<Metric>()).sum();
        let bridge = self.bridge.as_ref().map_or(0, |b| b.len());
        address.len() + size_of::<DeviceLore>() + self.model.len() + bridge + meanings + metrics
    }
}

/// Something to remember.
#[derive(Debug, Clone, PartialEq)]
pub enum Lesson {
    /// All devices of one bridge: what it listed before and lists no longer is forgotten.
    Devices {
        source: SourceId,
        /// The prefix of its devices' addresses.
        bridge: Box<str>,
        devices: Vec<(Box<str>, DeviceLore)>,
    },
    /// A device has published its state as one JSON object.
    SpeaksJson { source: SourceId, address: Box<str> },
    /// What one discovery message tells, in place of all that it told before; nothing where the entities are gone.
    Discovered {
        source: SourceId,
        /// The topic of the message.
        message: Box<str>,
        entities: Vec<Entity>,
    },
    /// The last word on a topic that, with others, says whether devices are there.
    Word { source: SourceId, topic: Box<str>, word: Box<str> },
    /// What a device announced: it replaces what it announced before.
    Metrics { source: SourceId, address: Box<str>, metrics: Vec<Metric> },
}

/// Everything learnt, per source.
#[derive(Debug, Default)]
pub struct Lore {
    sources: HashMap<SourceId, SourceLore>,
    profiles: Arc<Profiles>,
}

/// What people told of devices.
#[derive(Debug, Default)]
pub struct Profiles {
    /// By source and address.
    pub devices: HashMap<SourceId, HashMap<Box<str>, Arc<Profile>>>,
    /// By the name of the model, as the device's source gives it or the registry does.
    pub models: HashMap<Box<str>, Arc<Profile>>,
}

#[derive(Debug, Default)]
struct SourceLore {
    devices: HashMap<Box<str>, DeviceLore>,
    bytes: usize,
    discovered: Discovered,
}

impl Lore {
    /// What is known of a device.
    pub fn device(&self, source: &SourceId, address: &str) -> Option<&DeviceLore> {
        self.sources.get(source)?.devices.get(address)
    }

    /// Whether a device of the source told that it speaks on this topic, which none of the source's own templates names.
    pub fn is_told(&self, source: &SourceId, topic: &str) -> bool {
        self.discovered(source).is_some_and(|discovered| discovered.is_told(topic))
    }

    /// Every topic that devices of the source told, sorted; one may hold a `+`. As many at most as entities are remembered, and as these
    /// have topics.
    pub fn told_topics(&self, source: &SourceId) -> impl Iterator<Item = &str> {
        self.discovered(source).into_iter().flat_map(Discovered::topics)
    }

    /// The entities of which something is told on this topic, in the order in which they were told.
    pub fn entities_on<'l>(&'l self, source: &SourceId, topic: &'l str) -> impl Iterator<Item = &'l Entity> {
        self.discovered(source).into_iter().flat_map(move |discovered| discovered.on(topic))
    }

    /// All entities of one device.
    pub fn entities_of<'l>(&'l self, source: &SourceId, address: &'l str) -> impl Iterator<Item = &'l Entity> {
        self.discovered(source).into_iter().flat_map(move |discovered| discovered.of(address))
    }

    /// The last word on a topic that says whether devices are there.
    pub fn word(&self, source: &SourceId, topic: &str) -> Option<&str> {
        self.discovered(source)?.word(topic)
    }

    fn discovered(&self, source: &SourceId) -> Option<&Discovered> {
        self.sources.get(source).map(|known| &known.discovered)
    }

    /// What people told of a device: of itself, or else of its model.
    pub fn profile(&self, source: &SourceId, address: &str, model: &str) -> Option<&Profile> {
        let profiles = &self.profiles;
        profiles
            .devices
            .get(source)
            .and_then(|known| known.get(address))
            .or_else(|| profiles.models.get(model))
            .map(|p| &**p)
    }

    /// Takes over what people told, where that is news.
    pub fn told(&mut self, profiles: &Arc<Profiles>) {
        if !Arc::ptr_eq(&self.profiles, profiles) {
            self.profiles = profiles.clone();
        }
    }

    /// Remembers; false where a source's limits left something out.
    pub fn learn(&mut self, lesson: Lesson) -> bool {
        match lesson {
            Lesson::Devices { source, bridge, devices } => {
                self.sources.entry(source).or_default().list(&bridge, devices)
            }
            Lesson::SpeaksJson { source, address } => {
                let known = self.sources.entry(source).or_default();
                match known.devices.get_mut(&address) {
                    Some(device) => {
                        device.speaks_json = true;
                        true
                    }
                    None => known.put(address, DeviceLore { speaks_json: true, ..DeviceLore::default() }),
                }
            }
            Lesson::Discovered { source, message, entities } => {
                self.sources.entry(source).or_default().discovered.replace(message, entities)
            }
            Lesson::Word { source, topic, word } => {
                self.sources.entry(source).or_default().discovered.hear(&topic, word)
            }
            Lesson::Metrics { source, address, metrics } => {
                let known = self.sources.entry(source).or_default();
                let device = known.devices.get(&address).cloned().unwrap_or_default();
                known.put(address, DeviceLore { metrics, ..device })
            }
        }
    }
}

impl SourceLore {
    fn list(&mut self, bridge: &str, devices: Vec<(Box<str>, DeviceLore)>) -> bool {
        let mut listed_before = HashMap::new();
        for (address, device) in self.devices.extract_if(|_, device| device.bridge.as_deref() == Some(bridge)) {
            self.bytes -= device.bytes(&address);
            listed_before.insert(address, device.speaks_json);
        }
        devices.into_iter().fold(true, |all, (address, mut device)| {
            let before = self.devices.get(&address).map(|d| d.speaks_json).or(listed_before.get(&address).copied());
            device.speaks_json |= before.unwrap_or(false);
            device.bridge = Some(bridge.into());
            self.put(address, device) && all
        })
    }

    fn put(&mut self, address: Box<str>, device: DeviceLore) -> bool {
        if let Some(old) = self.devices.remove(&address) {
            self.bytes -= old.bytes(&address);
        }
        let bytes = device.bytes(&address);
        let fits = self.devices.len() < MAX_DEVICES && self.bytes + bytes <= MAX_BYTES;
        if fits {
            self.bytes += bytes;
            self.devices.insert(address, device);
        }
        fits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source() -> SourceId {
        SourceId::new("z").unwrap()
    }

    fn listed(bridge: &str, names: &[&str]) -> Lesson {
        let devices =
            names.iter().map(|n| ((*n).into(), DeviceLore { model: "M".into(), ..DeviceLore::default() })).collect();
        Lesson::Devices { source: source(), bridge: bridge.into(), devices }
    }

    #[test]
    fn a_new_list_replaces_that_bridge_and_no_other() {
        let mut lore = Lore::default();
        assert!(lore.learn(listed("h1/", &["h1/a", "h1/b"])));
        assert!(lore.learn(listed("h2/", &["h2/a"])));
        assert!(lore.learn(Lesson::SpeaksJson { source: source(), address: "h1/b".into() }));
        assert!(lore.learn(listed("h1/", &["h1/b", "h1/c"])));
        assert!(lore.device(&source(), "h1/a").is_none());
        assert!(lore.device(&source(), "h1/b").unwrap().speaks_json, "a list does not undo what was heard");
        assert!(lore.device(&source(), "h2/a").is_some());
        assert!(lore.device(&SourceId::new("other").unwrap(), "h2/a").is_none());
    }

    #[test]
    fn what_a_device_announces_replaces_what_it_announced() {
        let mut lore = Lore::default();
        let born = |name: &str| {
            let metrics = vec![Metric { name: name.into(), alias: Some(7), datatype: 11 }];
            Lesson::Metrics { source: source(), address: "g/n/d".into(), metrics }
        };
        assert!(lore.learn(Lesson::SpeaksJson { source: source(), address: "g/n/d".into() }));
        assert!(lore.learn(born("door")) && lore.learn(born("window")));
        let device = lore.device(&source(), "g/n/d").unwrap();
        assert_eq!((device.metrics.len(), &*device.metrics[0].name, device.speaks_json), (1, "window", true));
        assert_eq!(lore.sources[&source()].bytes, device.bytes("g/n/d"));
        assert!(!lore.learn(born(&"x".repeat(MAX_BYTES))));
    }

    #[test]
    fn a_source_is_bounded_and_empties_again() {
        let mut lore = Lore::default();
        let names: Vec<String> = (0..MAX_DEVICES + 10).map(|i| format!("device {i}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        assert!(!lore.learn(listed("", &names)));
        assert_eq!(lore.sources[&source()].devices.len(), MAX_DEVICES);
        let long = "x".repeat(MAX_BYTES);
        assert!(lore.learn(listed("", &[])));
        assert_eq!(lore.sources[&source()].bytes, 0);
        assert!(!lore.learn(listed("", &[&long])));
        assert_eq!(lore.sources[&source()].bytes, 0);
    }
}
