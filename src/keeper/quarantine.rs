//! What came from devices that nobody registered, and what nobody could read: the last messages of each, counted and bounded, so that an
//! operator sees what is there and can give it a home.
//!
//! Held in memory, and gone with the process: what was read of it is in the journal, and what was not is there too, sealed, as far as
//! [`Quarantine::keeps`] lets it.

use super::routes::fingerprint;
use super::views::beginning;
use crate::engine::id::{Address, SourceId};
use crate::engine::time::{Millis, Wall};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::collections::VecDeque;

/// Messages that are held of one device or one topic.
const HELD: usize = 10;
/// Bytes of a held message; of a longer one the beginning.
const HELD_BYTES: usize = 1_024;
/// Bytes of a held topic; of a longer one the beginning and its fingerprint, so that two of them are two rows.
const TOPIC_BYTES: usize = 256;
/// Bytes that the held messages of one source have together; where they are more, the oldest go.
const SOURCE_BYTES: usize = 4 << 20;
/// What a held message takes beside its topic and its payload, about.
const BESIDE_BYTES: usize = 128;
/// Devices, and unreadable topics, of one source. Beyond them only the source's count grows.
const MOST: usize = 500;
/// Unreadable messages of one source that go into the journal, an hour.
const KEPT_AN_HOUR: u32 = 60;

/// One message as it came.
#[derive(Debug, Clone, PartialEq)]
pub struct Held {
    pub at: Wall,
    pub topic: Box<str>,
    pub payload: Bytes,
    /// The payload or the topic is longer than what is held.
    pub cut: bool,
}

/// A device that nobody registered, or a topic on which nobody could read what came.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    pub count: u64,
    pub first: Wall,
    pub last: Wall,
    /// Why it is here: `unregistered`, or why the last message could not be read.
    pub reason: &'static str,
    /// The newest last.
    pub messages: VecDeque<Held>,
}

/// The rows of one source.
#[derive(Debug, Default)]
pub struct OfSource {
    pub devices: BTreeMap<Address, Row>,
    pub unreadable: BTreeMap<Box<str>, Row>,
    /// Messages that found no row any more.
    pub beyond: u64,
    /// What its messages take.
    bytes: usize,
    /// Since when, and how many unreadable messages went into the journal.
    kept: (Wall, u32),
}

/// What is held of a site.
#[derive(Debug, Default)]
pub struct Quarantine {
    pub sources: BTreeMap<SourceId, OfSource>,
}

impl Quarantine {
    /// Holds a message of a device that nobody registered.
    pub fn stranger(&mut self, source: &SourceId, address: &Address, held: Held) {
        let of = self.sources.entry(source.clone()).or_default();
        if of.devices.len() >= MOST && !of.devices.contains_key(address) {
            of.beyond += 1;
            return;
        }
        of.bytes += held.bytes();
        let row = of.devices.entry(address.clone()).or_insert_with(|| Row::new(held.at));
        of.bytes -= note(row, "unregistered", held);
        of.let_the_oldest_go();
    }

    /// Holds a message that could not be read.
    pub fn unreadable(&mut self, source: &SourceId, reason: &'static str, held: Held) {
        let of = self.sources.entry(source.clone()).or_default();
        if of.unreadable.len() >= MOST && !of.unreadable.contains_key(&held.topic) {
            of.beyond += 1;
            return;
        }
        of.bytes += held.bytes();
        let row = of.unreadable.entry(held.topic.clone()).or_insert_with(|| Row::new(held.at));
        of.bytes -= note(row, reason, held);
        of.let_the_oldest_go();
    }

    /// Whether an unreadable message goes into the journal: as many an hour as do not flood it.
    pub fn keeps(&mut self, source: &SourceId, now: Wall) -> bool {
        let (since, count) = &mut self.sources.entry(source.clone()).or_default().kept;
        if now.since(*since) >= Millis::from_mins(60) {
            (*since, *count) = (now, 0);
        }
        *count += 1;
        *count <= KEPT_AN_HOUR
    }

    /// Gives the messages of a device that has found its home, the oldest first; what was held on its topics as unreadable too, since it
    /// may be readable now.
    pub fn release(&mut self, source: &SourceId, address: &Address) -> Vec<Held> {
        let Some(of) = self.sources.get_mut(source) else { return Vec::new() };
        let mut held: Vec<Held> = of.devices.remove(address).map(|row| row.messages.into()).unwrap_or_default();
        let topics: Vec<Box<str>> = of.unreadable.keys().filter(|topic| names(topic, address)).cloned().collect();
        for topic in topics {
            held.extend(of.unreadable.remove(&topic).map(|row| row.messages).unwrap_or_default());
        }
        of.bytes -= held.iter().map(Held::bytes).sum::<usize>();
        held.sort_by_key(|held| held.at);
        held
    }
}

impl OfSource {
    /// Sees to the bound of all messages together. A row whose messages are gone stays, with its count.
    fn let_the_oldest_go(&mut self) {
        while self.bytes > SOURCE_BYTES {
            let rows = self.devices.values_mut().chain(self.unreadable.values_mut());
            let oldest = rows.filter_map(|row| Some((row.messages.front()?.at, row))).min_by_key(|(at, _)| *at);
            let Some(gone) = oldest.and_then(|(_, row)| row.messages.pop_front()) else { return };
            self.bytes -= gone.bytes();
        }
    }
}

impl Row {
    fn new(at: Wall) -> Row {
        Row { count: 0, first: at, last: at, reason: "", messages: VecDeque::new() }
    }
}

impl Held {
    /// A message, cut to what is held.
    pub fn new(at: Wall, topic: &str, payload: &Bytes) -> Held {
        let cut = payload.len() > HELD_BYTES || topic.len() > TOPIC_BYTES;
        // A copy of its own: a slice would keep the whole message alive.
        let payload = Bytes::copy_from_slice(&payload[..payload.len().min(HELD_BYTES)]);
        Held { at, topic: shortened(topic), payload, cut }
    }

    fn bytes(&self) -> usize {
        self.topic.len() + self.payload.len() + BESIDE_BYTES
    }
}

fn shortened(topic: &str) -> Box<str> {
    if topic.len() <= TOPIC_BYTES {
        return topic.into();
    }
    let mark = format!("…{:016x}", fingerprint(topic.as_bytes()));
    format!("{}{mark}", beginning(topic, TOPIC_BYTES - mark.len())).into()
}

/// Whether whole levels of a topic are the address: `h1/a` names nothing in `z/h1/ab`, which is another device's.
fn names(topic: &str, address: &Address) -> bool {
    format!("/{topic}/").contains(&format!("/{address}/"))
}

/// Holds a message in its row; gives the bytes of the one that had to go for it.
fn note(row: &mut Row, reason: &'static str, held: Held) -> usize {
    (row.count, row.last, row.reason) = (row.count + 1, held.at, reason);
    let gone = if row.messages.len() == HELD { row.messages.pop_front() } else { None };
    row.messages.push_back(held);
    gone.map_or(0, |gone| gone.bytes())
}

/// The name of a row in addresses: of a source and an address, or of a source and a topic.
pub fn row_id(source: &SourceId, name: &str) -> String {
    format!("{:016x}", fingerprint(format!("{source}\n{name}").as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(at: i64, topic: &str, length: usize) -> Held {
        Held::new(Wall(at), topic, &Bytes::from(vec![b'x'; length]))
    }

    #[test]
    fn what_is_held_is_bounded_and_the_newest() {
        let (source, mut all) = (SourceId::cut("z"), Quarantine::default());
        for n in 0..1_000 {
            all.stranger(&source, &Address::cut("a"), held(n, "z/a", 5_000));
            all.stranger(&source, &Address::cut(&format!("b{n}")), held(n, "z/b", 1));
            all.unreadable(&source, "no JSON", held(n, &format!("z/c{n}"), 1));
        }
        let of = &all.sources[&source];
        assert_eq!((of.devices.len(), of.unreadable.len(), of.beyond), (MOST, MOST, 1_001));
        let row = &of.devices["a"];
        assert_eq!((row.count, row.messages.len(), row.messages[0].at, row.last), (1_000, HELD, Wall(990), Wall(999)));
        assert!(row.messages.iter().all(|held| held.payload.len() == HELD_BYTES && held.cut));
    }

    #[test]
    fn what_is_held_of_a_source_is_bounded_in_bytes_and_the_oldest_go() {
        let (source, mut all) = (SourceId::cut("z"), Quarantine::default());
        let taken = |all: &Quarantine| {
            let of = &all.sources[&source];
            let rows = of.devices.values().chain(of.unreadable.values());
            let bytes =
                rows.flat_map(|row| &row.messages).map(|held| held.topic.len() + held.payload.len()).sum::<usize>();
            assert!(of.unreadable.keys().all(|topic| topic.len() <= 256));
            (bytes, of.bytes)
        };
        // The attack: long topics, and messages on each.
        for n in 0..6_000 {
            let topic = format!("z/{}/{}", "x".repeat(60_000), n % 600);
            all.unreadable(&source, "no JSON", held(n, &topic, 2_000));
            all.stranger(&source, &Address::cut(&format!("d{}", n % 600)), held(n, &topic, 2_000));
        }
        let (bytes, counted) = taken(&all);
        assert!(bytes <= counted && counted <= 4 << 20, "{bytes} {counted}");
        let of = &all.sources[&source];
        assert_eq!((of.devices.len(), of.unreadable.len(), of.beyond), (MOST, MOST, 2_000));
        let times =
            of.unreadable.values().chain(of.devices.values()).flat_map(|row| &row.messages).map(|held| held.at.0);
        let (oldest, number) = times.fold((6_000, 0), |(oldest, number), at| (at.min(oldest), number + 1));
        assert!(oldest > 3_000 && number > 2_900, "{number} messages since {oldest}");
        for n in 0..600 {
            all.release(&source, &Address::cut(&format!("d{n}")));
        }
        let (bytes, counted) = taken(&all);
        assert!(0 < bytes && bytes <= counted);
    }

    #[test]
    fn long_topics_are_cut_at_a_character_and_stay_apart() {
        let topic = |length, end: &str| held(1, &format!("{}{end}", "室".repeat(length)), 1);
        let (one, other, short) = (topic(400, "1"), topic(400, "2"), topic(85, ""));
        assert!(one.topic != other.topic && one.cut && one.topic.len() <= TOPIC_BYTES);
        assert!(one.topic.starts_with(&"室".repeat(70)) && one.topic.contains('…'));
        assert_eq!((&*short.topic, short.cut), (&*"室".repeat(85), false));
    }

    #[test]
    fn the_journal_is_not_flooded_with_what_cannot_be_read() {
        let (source, mut all) = (SourceId::cut("z"), Quarantine::default());
        let hour = 3_600_000;
        let kept = |all: &mut Quarantine, at| (0..1_000).filter(|_| all.keeps(&source, Wall(at))).count();
        assert_eq!(kept(&mut all, 10 * hour), 60);
        assert_eq!(kept(&mut all, 10 * hour + 60_000), 0);
        assert_eq!(kept(&mut all, 11 * hour), 60);
        assert!(all.keeps(&SourceId::cut("other"), Wall(11 * hour)));
    }

    #[test]
    fn a_device_that_found_its_home_gives_its_messages_in_order() {
        let (source, mut all) = (SourceId::cut("z"), Quarantine::default());
        all.stranger(&source, &Address::cut("h1/a"), held(2, "z/h1/a", 1));
        all.unreadable(&source, "no JSON", held(1, "z/h1/a", 2));
        all.unreadable(&source, "no JSON", held(1, "z/h1/b", 2));
        let times: Vec<_> = all.release(&source, &Address::cut("h1/a")).iter().map(|held| held.at.0).collect();
        assert_eq!(times, [1, 2]);
        assert!(all.release(&source, &Address::cut("h1/a")).is_empty());
        assert_eq!(all.sources[&source].unreadable.len(), 1);
    }

    #[test]
    fn a_device_that_found_its_home_takes_nothing_of_others() {
        let source = SourceId::cut("z");
        let cases = [
            ("z/h1/a", true),
            ("h1/a", true),
            ("z/h1/a/state", true),
            ("z/h1/ab", false),
            ("z/h1/ab/state", false),
            ("z/xh1/a", false),
            ("z/h1", false),
            ("z/h1/b/a", false),
        ];
        for (topic, its) in cases {
            let mut all = Quarantine::default();
            all.unreadable(&source, "no JSON", held(1, topic, 1));
            assert_eq!(all.release(&source, &Address::cut("h1/a")).len(), usize::from(its), "{topic}");
            assert_eq!(all.sources[&source].unreadable.len(), usize::from(!its), "{topic}");
        }
    }
}
