//! The entities that devices told of by discovery, found by the topics they speak on and by their device.

use crate::wire::home_assistant::Entity;
use crate::wire::topic;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// The most entities that are remembered of one source.
pub const MAX_ENTITIES: usize = 60_000;

/// The most bytes that are remembered of one source's entities, by our own count.
pub const MAX_BYTES: usize = 32 << 20;

/// The most entities that share one topic: all those of a bridge share its state.
pub const MAX_SHARING: usize = 8192;

/// The most topics with a `+` in them: each is tried with every message that nothing else explains.
pub const MAX_FILTERS: usize = 256;

/// What one entry of an index takes beside the entity itself.
const ENTRY_BYTES: usize = 96;

/// The longest word about availability that is remembered.
pub const MAX_WORD_BYTES: usize = 128;

/// In the order in which they were told, so that a message's readings always come in the same order.
type Told = BTreeMap<(u64, usize), Arc<Entity>>;

/// Everything that one source discovered.
#[derive(Debug, Default)]
pub(super) struct Discovered {
    /// By the topic of the message that told them.
    messages: HashMap<Box<str>, Message>,
    topics: BTreeMap<Box<str>, Topic>,
    /// Those of the topics that hold a `+`.
    filters: BTreeSet<Box<str>>,
    devices: HashMap<Box<str>, Told>,
    entities: usize,
    bytes: usize,
    /// How many messages were ever taken.
    count: u64,
}

#[derive(Debug)]
struct Message {
    number: u64,
    entities: Vec<Arc<Entity>>,
}

#[derive(Debug, Default)]
struct Topic {
    told: Told,
    /// The last word on it, where it is about availability.
    word: Option<Box<str>>,
}

impl Discovered {
    /// What a message told replaces what it told before; false where the limits left something out.
    pub fn replace(&mut self, message: Box<str>, entities: Vec<Entity>) -> bool {
        let before = self.messages.get(&message);
        if before.is_some_and(|m| m.entities.iter().map(|e| &**e).eq(&entities)) {
            return true;
        }
        let number = before.map_or(self.count, |m| m.number);
        self.forget(&message);
        if entities.is_empty() {
            return true;
        }
        self.count += 1;
        let told = entities.len();
        let mut kept = Vec::new();
        for entity in entities {
            if self.has_room_for(&entity) {
                let entity = Arc::new(entity);
                self.put((number, kept.len()), &entity);
                kept.push(entity);
            }
        }
        let all = kept.len() == told;
        if !kept.is_empty() {
            self.bytes += message.len() + ENTRY_BYTES;
            self.messages.insert(message, Message { number, entities: kept });
        }
        all
    }

    fn has_room_for(&self, entity: &Entity) -> bool {
        self.entities < MAX_ENTITIES
            && self.bytes + cost(entity) <= MAX_BYTES
            && entity.topics().all(|topic| match self.topics.get(topic) {
                Some(known) => known.told.len() < MAX_SHARING,
                None => !topic.contains('+') || self.filters.len() < MAX_FILTERS,
            })
    }

    fn put(&mut self, key: (u64, usize), entity: &Arc<Entity>) {
        self.entities += 1;
        self.bytes += cost(entity);
        for topic in entity.topics() {
            self.topics.entry(topic.into()).or_default().told.insert(key, entity.clone());
            if topic.contains('+') {
                self.filters.insert(topic.into());
            }
        }
        self.devices.entry(entity.address.clone()).or_default().insert(key, entity.clone());
    }

    fn forget(&mut self, message: &str) {
        let Some(old) = self.messages.remove(message) else { return };
        self.bytes -= message.len() + ENTRY_BYTES;
        for (at, entity) in old.entities.iter().enumerate() {
            let key = (old.number, at);
            self.entities -= 1;
            self.bytes -= cost(entity);
            for topic in entity.topics() {
                let Some(known) = self.topics.get_mut(topic) else { continue };
                known.told.remove(&key);
                if known.told.is_empty() {
                    self.topics.remove(topic);
                    self.filters.remove(topic);
                }
            }
            if let Some(device) = self.devices.get_mut(&entity.address) {
                device.remove(&key);
                if device.is_empty() {
                    self.devices.remove(&entity.address);
                }
            }
        }
    }

    /// Keeps the last word on a topic of availability.
    pub fn hear(&mut self, topic: &str, word: Box<str>) -> bool {
        let fits = word.len() <= MAX_WORD_BYTES;
        if let Some(known) = self.topics.get_mut(topic).filter(|_| fits) {
            known.word = Some(word);
        }
        fits
    }

    pub fn word(&self, topic: &str) -> Option<&str> {
        self.topics.get(topic)?.word.as_deref()
    }

    pub fn is_told(&self, topic: &str) -> bool {
        self.topics.contains_key(topic) || self.filters.iter().any(|filter| topic::covers(filter, topic))
    }

    /// The entities of which something is told on this topic.
    pub fn on<'l>(&'l self, topic: &'l str) -> impl Iterator<Item = &'l Entity> {
        let wild = self.filters.iter().filter(move |filter| topic::covers(filter, topic));
        let topics = self.topics.get(topic).into_iter().chain(wild.filter_map(|filter| self.topics.get(filter)));
        topics.flat_map(|known| known.told.values()).map(|entity| &**entity)
    }

    /// All entities of one device.
    pub fn of(&self, address: &str) -> impl Iterator<Item = &Entity> {
        self.devices.get(address).into_iter().flat_map(|told| told.values()).map(|entity| &**entity)
    }

    pub fn topics(&self) -> impl Iterator<Item = &str> {
        self.topics.keys().map(|topic| &**topic)
    }
}

fn cost(entity: &Entity) -> usize {
    entity.bytes()
        + ENTRY_BYTES
        + entity.topics().map(|topic| topic.len() + MAX_WORD_BYTES + ENTRY_BYTES).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entity(address: &str, topic: &str) -> Entity {
        Entity::speaking(address, topic)
    }

    fn addresses(discovered: &Discovered, topic: &str) -> Vec<String> {
        discovered.on(topic).map(|entity| entity.address.to_string()).collect()
    }

    #[test]
    fn a_message_replaces_what_it_told_before() {
        let mut discovered = Discovered::default();
        assert!(discovered.replace("m1".into(), vec![entity("a", "t/1"), entity("b", "t/1")]));
        assert!(discovered.replace("m2".into(), vec![entity("c", "t/1"), entity("c", "+/1")]));
        assert_eq!(addresses(&discovered, "t/1"), ["a", "b", "c", "c"]);
        assert!(discovered.replace("m1".into(), vec![entity("a", "t/2")]));
        assert_eq!(addresses(&discovered, "t/1"), ["c", "c"]);
        assert_eq!(addresses(&discovered, "t/2"), ["a"]);
        assert_eq!(addresses(&discovered, "x/1"), ["c"]);
        assert_eq!(discovered.of("b").count(), 0);
        assert_eq!(discovered.topics().collect::<Vec<_>>(), ["+/1", "t/1", "t/2"]);
        assert!(discovered.replace("m1".into(), Vec::new()) && discovered.replace("m2".into(), Vec::new()));
        assert!(!discovered.is_told("t/1") && !discovered.is_told("x/1") && !discovered.is_told("t/2"));
        assert_eq!((discovered.entities, discovered.bytes), (0, 0));
    }

    #[test]
    fn the_order_is_that_of_telling() {
        let mut discovered = Discovered::default();
        for (message, address) in [("m2", "a"), ("m1", "b"), ("m2", "c")] {
            discovered.replace(message.into(), vec![entity(address, "t")]);
        }
        assert_eq!(addresses(&discovered, "t"), ["c", "b"], "a message that tells anew keeps its place");
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut discovered = Discovered::default();
        let many = |count: usize| (0..count).map(|n| entity("a", &format!("t/{n}"))).collect();
        assert!(!discovered.replace("m".into(), many(MAX_ENTITIES + 1)));
        assert!(discovered.entities <= MAX_ENTITIES && discovered.bytes <= MAX_BYTES);
        assert!(!discovered.replace("n".into(), vec![entity("a", "u")]));
        assert!(discovered.replace("m".into(), Vec::new()));
        let shared = (0..=MAX_SHARING).map(|_| entity("a", "t")).collect();
        assert!(!discovered.replace("m".into(), shared));
        assert_eq!(discovered.on("t").count(), MAX_SHARING);
        let filters = (0..=MAX_FILTERS).map(|n| entity("a", &format!("+/{n}"))).collect();
        assert!(!discovered.replace("m".into(), filters));
        assert_eq!(discovered.filters.len(), MAX_FILTERS);
        assert!(!discovered.replace("m".into(), vec![entity("a", &"x".repeat(MAX_BYTES))]));
        assert!(discovered.bytes < 1000);
    }

    #[test]
    fn the_last_word_is_kept_with_its_topic() {
        let mut discovered = Discovered::default();
        assert!(discovered.hear("t", "online".into()));
        assert_eq!(discovered.word("t"), None, "nobody told of this topic");
        discovered.replace("m".into(), vec![entity("a", "t")]);
        assert!(discovered.hear("t", "online".into()) && discovered.hear("t", "offline".into()));
        assert!(!discovered.hear("t", "x".repeat(MAX_WORD_BYTES + 1).into()));
        assert_eq!(discovered.word("t"), Some("offline"));
    }
}
