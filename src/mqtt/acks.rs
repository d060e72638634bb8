//! The acknowledgements of one connection, in the order in which the messages arrived.
//!
//! MQTT asks for PUBACKs in order of arrival [MQTT-4.6.0-2], and one broker loses messages where they come in another. So a PUBACK goes
//! out only when its own message and all before it are durable.

use std::collections::VecDeque;

struct Waiting {
    /// 0 for a message of QoS 0: nothing is sent for it, but it counts against the reader.
    pkid: u16,
    durable: bool,
    bytes: u32,
}

/// Messages delivered and not yet acknowledged. Serials run on over connections, so that one can never be taken for another.
#[derive(Default)]
pub(super) struct Acks {
    /// The serial of the front entry.
    first: u64,
    waiting: VecDeque<Waiting>,
    bytes: u64,
    /// Messages of QoS 1 received and acknowledged since the connection began.
    pub received: u64,
    pub acknowledged: u64,
}

impl Acks {
    /// Takes a message of so many bytes in; gives its serial.
    pub fn push(&mut self, pkid: u16, bytes: usize) -> u64 {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        self.received += u64::from(pkid != 0);
        self.bytes += u64::from(bytes);
        self.waiting.push_back(Waiting { pkid, durable: false, bytes });
        self.next_serial() - 1
    }

    /// Marks a message durable. Unknown serials change nothing.
    pub fn mark(&mut self, serial: u64) {
        let entry = serial.checked_sub(self.first).and_then(|at| self.waiting.get_mut(usize::try_from(at).ok()?));
        if let Some(entry) = entry {
            entry.durable = true;
        }
    }

    /// The next acknowledgement that may go out.
    pub fn pop(&mut self) -> Option<u16> {
        while self.waiting.front().is_some_and(|entry| entry.durable) {
            let entry = self.waiting.pop_front()?;
            self.first += 1;
            self.bytes -= u64::from(entry.bytes);
            if entry.pkid != 0 {
                self.acknowledged += 1;
                return Some(entry.pkid);
            }
        }
        None
    }

    /// The connection is gone: what waited will come again, or was of QoS 0.
    pub fn reset(&mut self) {
        *self = Acks { first: self.next_serial(), ..Acks::default() };
    }

    /// The serial that the next message will get.
    pub fn next_serial(&self) -> u64 {
        self.first + self.waiting.len() as u64
    }

    /// Whether everything before `serial` is durable.
    pub fn done_before(&self, serial: u64) -> bool {
        self.first >= serial
    }

    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// What the messages that wait weigh.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn drain(acks: &mut Acks) -> Vec<u16> {
        std::iter::from_fn(|| acks.pop()).collect()
    }

    #[test]
    fn a_puback_waits_for_all_before_it() {
        let mut acks = Acks::default();
        let serials: Vec<u64> = [7, 3, 0, 9].into_iter().map(|pkid| acks.push(pkid, 10)).collect();
        acks.mark(serials[1]);
        assert_eq!(drain(&mut acks), [0u16; 0]);
        acks.mark(serials[0]);
        assert_eq!(drain(&mut acks), [7, 3]);
        assert_eq!(acks.bytes(), 20);
        acks.mark(serials[3]);
        assert_eq!(drain(&mut acks), [0u16; 0], "the QoS 0 message before it is not durable yet");
        acks.mark(serials[2]);
        assert_eq!(drain(&mut acks), [9]);
        assert_eq!((acks.received, acks.acknowledged, acks.len()), (3, 3, 0));
    }

    #[test]
    fn serials_of_an_earlier_connection_do_nothing() {
        let mut acks = Acks::default();
        let old = acks.push(1, 10);
        acks.reset();
        let new = acks.push(1, 10);
        assert_ne!(old, new);
        acks.mark(old);
        acks.mark(u64::MAX);
        assert_eq!(drain(&mut acks), [0u16; 0]);
        acks.mark(new);
        assert_eq!(drain(&mut acks), [1]);
    }

    proptest! {
        /// Whatever the order in which messages become durable: the PUBACKs are the arrivals in order, and never ahead of a gap.
        #[test]
        fn order_of_arrival(order in Just((0..50u64).collect::<Vec<_>>()).prop_shuffle()) {
            let mut acks = Acks::default();
            for pkid in 1..=50 {
                acks.push(pkid, 10);
            }
            let (mut sent, mut durable) = (Vec::new(), std::collections::HashSet::new());
            for serial in order {
                acks.mark(serial);
                durable.insert(serial);
                sent.extend(drain(&mut acks));
                let without_gap = (0..50).take_while(|s| durable.contains(s)).count();
                prop_assert_eq!(sent.len(), without_gap);
            }
            prop_assert_eq!(sent, (1..=50).collect::<Vec<u16>>());
        }
    }
}
