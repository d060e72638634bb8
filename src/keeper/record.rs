//! A turn as bytes and back: what stands in the two blocks of a record. A home is named by its number at the site.

use crate::engine::change::{Fact, HomeChange, SiteChange};
use crate::engine::time::Stamp;
use minicbor::{Decode, Decoder, Encode, Encoder};

/// One change with its owner: the ledger block is a stamp and then these, each behind the number of facts before it.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub enum Entry {
    #[n(0)]
    Site(#[n(0)] SiteChange),
    #[n(1)]
    Home {
        #[n(0)]
        home: u32,
        #[n(1)]
        change: HomeChange,
    },
}

/// Collects the blocks of one record.
#[derive(Debug, Default)]
pub struct Blocks {
    pub telemetry: Vec<u8>,
    pub ledger: Vec<u8>,
    /// An alarm of priority life, or something about one, is in it.
    pub life: bool,
    /// Readings in `telemetry`.
    facts: u32,
}

impl Blocks {
    pub fn clear(&mut self) {
        self.telemetry.clear();
        self.ledger.clear();
        self.life = false;
        self.facts = 0;
    }

    pub fn is_empty(&self) -> bool {
        self.telemetry.is_empty() && self.ledger.is_empty()
    }

    pub fn len(&self) -> usize {
        self.telemetry.len() + self.ledger.len()
    }

    /// Adds a change of a home to the block that it belongs to.
    pub fn home(&mut self, home: u32, change: &HomeChange) {
        match change {
            HomeChange::Heard(fact) => {
                self.facts += 1;
                put(&mut self.telemetry, &(home, fact));
            }
            other => self.enter(&HomeEntry { home, change: other }),
        }
    }

    pub fn site(&mut self, change: &SiteChange) {
        self.enter(&SiteEntry { change });
    }

    /// Each entry of the ledger stands behind the number of readings that came before it: a fold keeps their order.
    fn enter<T: Encode<()>>(&mut self, entry: &T) {
        put(&mut self.ledger, &self.facts);
        put(&mut self.ledger, entry);
    }

    /// The ledger block as it is written: the stamp first.
    pub fn stamped_ledger(&self, at: Stamp) -> Vec<u8> {
        let mut block = Vec::with_capacity(self.ledger.len() + 32);
        put(&mut block, &at);
        block.extend_from_slice(&self.ledger);
        block
    }
}

fn put<T: Encode<()>>(block: &mut Vec<u8>, value: &T) {
    // Writing into a Vec cannot fail.
    let _ = Encoder::new(block).encode(value);
}

/// `Entry::Home` by reference, byte for byte.
struct HomeEntry<'a> {
    home: u32,
    change: &'a HomeChange,
}

impl<C> Encode<C> for HomeEntry<'_> {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut Encoder<W>,
        ctx: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.array(2)?.u32(1)?.array(2)?.u32(self.home)?;
        self.change.encode(e, ctx)
    }
}

/// `Entry::Site` by reference, byte for byte.
struct SiteEntry<'a> {
    change: &'a SiteChange,
}

impl<C> Encode<C> for SiteEntry<'_> {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut Encoder<W>,
        ctx: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.array(2)?.u32(0)?.array(1)?;
        self.change.encode(e, ctx)
    }
}

/// A record's contents. `telemetry` is empty where it has expired.
#[derive(Debug, Clone, PartialEq)]
pub struct Contents {
    pub at: Stamp,
    pub entries: Vec<Entry>,
    /// For each entry, how many of the facts came before it.
    pub facts_before: Vec<u32>,
    pub facts: Vec<(u32, Fact)>,
}

impl Contents {
    /// Everything in the order in which it came: the readings stand between the other entries.
    pub fn in_order(self) -> impl Iterator<Item = Entry> {
        let reading = |(home, fact)| Entry::Home { home, change: HomeChange::Heard(fact) };
        let mut facts = self.facts.into_iter().map(reading);
        let mut taken = 0;
        let mut entries = self.entries.into_iter().zip(self.facts_before).peekable();
        std::iter::from_fn(move || match entries.peek() {
            Some((_, before)) if taken >= *before => entries.next().map(|(entry, _)| entry),
            _ => {
                taken += 1;
                facts.next().or_else(|| entries.next().map(|(entry, _)| entry))
            }
        })
    }

    /// Whether it is the first of a process: none was there just before it.
    pub fn starts(&self) -> bool {
        self.entries.iter().any(|entry| matches!(entry, Entry::Site(SiteChange::Started { .. })))
    }
}

/// Reads the blocks of a record.
///
/// # Errors
/// Where a block is not what this version or an earlier one wrote.
pub fn read(telemetry: &[u8], ledger: &[u8]) -> Result<Contents, minicbor::decode::Error> {
    let mut d = Decoder::new(ledger);
    let at = d.decode()?;
    let (mut entries, mut facts_before) = (Vec::new(), Vec::new());
    while d.position() < ledger.len() {
        facts_before.push(d.decode()?);
        entries.push(d.decode()?);
    }
    let mut d = Decoder::new(telemetry);
    let mut facts = Vec::new();
    while d.position() < telemetry.len() {
        facts.push(d.decode()?);
    }
    Ok(Contents { at, entries, facts_before, facts })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::id::HomeId;

    #[test]
    fn entries_by_reference_are_the_bytes_of_the_type() {
        let change = SiteChange::HomeAdded { id: HomeId::new("h1").unwrap(), claimed: true };
        let mut blocks = Blocks::default();
        blocks.site(&change);
        blocks.home(7, &HomeChange::Bridge { online: false });
        let mut expected = vec![0];
        expected.extend(minicbor::to_vec(Entry::Site(change)).unwrap());
        expected.push(0);
        expected
            .extend(minicbor::to_vec(Entry::Home { home: 7, change: HomeChange::Bridge { online: false } }).unwrap());
        assert_eq!(blocks.ledger, expected);
        let at = Stamp::default();
        assert_eq!(read(&[], &blocks.stamped_ledger(at)).unwrap().entries.len(), 2);
    }
}
