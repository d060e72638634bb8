//! The lanes against a model of a broker, under thousands of random histories: connections break, gateway and broker crash, sessions are
//! lost, filters come and go, packets wait on the way. Whatever happens, no message may be acknowledged on both lanes as a copy.

use crate::keeper::ports::{Delivery, Lane};
use crate::mqtt::LaneFilters;
use crate::mqtt::event::{Action, Event, Message, Out};
use crate::mqtt::fault::Fault;
use crate::mqtt::filter::{Filter, FilterSet};
use crate::mqtt::lanes::{Lanes, Memory};
use std::collections::{BTreeSet, VecDeque};

const LANES: [Lane; 2] = [Lane::Life, Lane::Bulk];
const TOPICS: [&str; 4] = ["a", "b", "c", "t"];
/// The smallest window that is allowed.
const WINDOW: usize = 10;
/// How old the broker's last save may be when it crashes.
const SAVE_EVERY_MS: u64 = 2_000;

/// splitmix64: small, and the same everywhere.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }
}

/// A session as the broker keeps it. Messages are numbers.
#[derive(Clone, Default)]
struct Kept {
    subscriptions: BTreeSet<Filter>,
    unacknowledged: VecDeque<(u16, usize)>,
    queue: VecDeque<usize>,
    last_pkid: u16,
}

enum Up {
    Connect,
    Subscribe(Vec<Filter>),
    Unsubscribe(Filter),
    Ack(u16),
}

enum Down {
    Accepted(bool),
    SubAck(usize),
    UnsubAck,
    Publish(u16, usize),
}

/// A connection: what is on the way in each direction.
#[derive(Default)]
struct Wire {
    connected: bool,
    up: VecDeque<Up>,
    down: VecDeque<Down>,
}

#[derive(Default)]
struct World {
    sessions: [Option<Kept>; 2],
    saved: ([Option<Kept>; 2], usize),
    saved_at: u64,
    wires: [Wire; 2],
    /// Topic of every message that was published.
    published: Vec<&'static str>,
    /// Messages that the broker itself has lost, or that went with a session that was deleted.
    excused: BTreeSet<usize>,
    counted: BTreeSet<usize>,
    /// Delivered, not yet durable.
    keeper: Vec<(usize, Delivery)>,
    copies: usize,
    disk: Memory,
    now: u64,
}

impl World {
    fn publish(&mut self, topic: &'static str) {
        let number = self.published.len();
        self.published.push(topic);
        for kept in self.sessions.iter_mut().flatten() {
            if kept.subscriptions.iter().cloned().collect::<FilterSet>().catch(topic) {
                kept.queue.push_back(number);
            }
        }
        if self.sessions[1].as_ref().is_none_or(|kept| kept.subscriptions.is_empty()) {
            self.excused.insert(number);
        }
        self.fill_windows();
    }

    /// The broker sends while its window has room.
    fn fill_windows(&mut self) {
        for (kept, wire) in self.sessions.iter_mut().zip(&mut self.wires) {
            let Some(kept) = kept.as_mut().filter(|_| wire.connected) else { continue };
            while kept.unacknowledged.len() < WINDOW {
                let Some(number) = kept.queue.pop_front() else { break };
                kept.last_pkid = kept.last_pkid % 60_000 + 1;
                kept.unacknowledged.push_back((kept.last_pkid, number));
                wire.down.push_back(Down::Publish(kept.last_pkid, number));
            }
        }
    }

    /// The broker reads one packet.
    fn broker_reads(&mut self, at: usize) {
        let Some(packet) = self.wires[at].up.pop_front() else { return };
        let wire = &mut self.wires[at];
        match packet {
            Up::Connect => {
                wire.connected = true;
                wire.down.push_back(Down::Accepted(self.sessions[at].is_some()));
                let kept = self.sessions[at].get_or_insert_default();
                wire.down.extend(kept.unacknowledged.iter().map(|(pkid, number)| Down::Publish(*pkid, *number)));
            }
            Up::Subscribe(filters) => {
                wire.down.push_back(Down::SubAck(filters.len()));
                self.sessions[at].get_or_insert_default().subscriptions.extend(filters);
            }
            Up::Unsubscribe(filter) => {
                self.sessions[at].get_or_insert_default().subscriptions.remove(&filter);
                wire.down.push_back(Down::UnsubAck);
            }
            Up::Ack(pkid) => {
                let kept = self.sessions[at].get_or_insert_default();
                assert_eq!(
                    kept.unacknowledged.pop_front().map(|(first, _)| first),
                    Some(pkid),
                    "acknowledged out of order"
                );
            }
        }
        self.fill_windows();
    }

    fn save(&mut self) {
        (self.saved, self.saved_at) = ((self.sessions.clone(), self.published.len()), self.now);
    }

    /// Back to the last save; what was accepted since is lost.
    fn broker_crashes(&mut self) {
        self.sessions = self.saved.0.clone();
        self.excused.extend(self.saved.1..self.published.len());
    }

    fn delete_life_session(&mut self) {
        if let Some(kept) = self.sessions[0].take() {
            self.excused.extend(kept.queue);
            self.excused.extend(kept.unacknowledged.into_iter().map(|(_, number)| number));
        }
    }
}

struct Storm {
    world: World,
    lanes: Lanes,
    wanted: LaneFilters,
    /// The gateway's clock began here.
    began: u64,
    dice: Dice,
}

impl Storm {
    fn new(seed: u64) -> Storm {
        let wanted = LaneFilters { life: vec!["a".into()], bulk: vec!["#".into()] };
        let lanes = Lanes::new(Memory::default(), wanted.clone());
        Storm { world: World::default(), lanes, wanted, began: 0, dice: Dice(seed) }
    }

    /// Does what the lanes want, or dies between two actions.
    fn act(&mut self, out: Out, die: bool) {
        let survived = if die { self.dice.below(out.len() + 1) } else { out.len() };
        for (lane, action) in out.into_iter().take(survived) {
            let wire = &mut self.world.wires[lane as usize];
            match action {
                Action::Remember(memory) => self.world.disk = memory,
                Action::Connect { .. } => {
                    *wire = Wire::default();
                    wire.up.push_back(Up::Connect);
                }
                Action::Subscribe(filters) => wire.up.push_back(Up::Subscribe(filters)),
                Action::Unsubscribe(filter) => wire.up.push_back(Up::Unsubscribe(filter)),
                Action::Ack(pkid) => wire.up.push_back(Up::Ack(pkid)),
                Action::Deliver(delivery) => {
                    let number = delivery.payload.iter().fold(0, |number, byte| number << 8 | usize::from(*byte));
                    self.world.keeper.push((number, delivery));
                }
                Action::Abandon(fault) => self.breaks(lane, fault),
                _ => {}
            }
        }
        if die {
            self.gateway_restarts();
        }
    }

    fn gateway_restarts(&mut self) {
        self.world.wires = Default::default();
        self.world.keeper.clear();
        self.began = self.world.now;
        self.lanes = Lanes::new(self.world.disk.clone(), self.wanted.clone());
    }

    fn breaks(&mut self, lane: Lane, fault: Fault) {
        let wire = &mut self.world.wires[lane as usize];
        if wire.connected || !wire.up.is_empty() {
            *wire = Wire::default();
            let jitter = self.dice.next() as u32;
            let mut out = Out::new();
            self.lanes.event(lane, Event::Broken { fault, jitter }, &mut out);
            self.act(out, false);
        }
    }

    fn gateway_reads(&mut self, lane: Lane) {
        let Some(packet) = self.world.wires[lane as usize].down.pop_front() else { return };
        let event = match packet {
            Down::Accepted(session_present) => Event::Accepted { session_present },
            Down::SubAck(filters) => Event::SubAck { codes: vec![1; filters] },
            Down::UnsubAck => Event::UnsubAck,
            Down::Publish(pkid, number) => {
                let payload = (number as u32).to_be_bytes().to_vec().into();
                Event::Message(Message {
                    pkid,
                    qos: 1,
                    topic: self.world.published[number].into(),
                    payload,
                    retain: false,
                    dup: false,
                })
            }
        };
        let mut out = Out::new();
        self.lanes.event(lane, event, &mut out);
        self.act(out, false);
    }

    fn keeper_commits(&mut self) {
        let mut tokens = Vec::new();
        for (number, delivery) in std::mem::take(&mut self.world.keeper) {
            tokens.extend(delivery.token);
            if delivery.copy {
                self.world.copies += 1;
            } else {
                self.world.counted.insert(number);
            }
        }
        let mut out = Out::new();
        self.lanes.durable(&tokens, &mut out);
        self.act(out, false);
    }

    fn ticks(&mut self, ms: u64, die: bool) {
        self.world.now += ms;
        if self.world.now - self.world.saved_at >= SAVE_EVERY_MS {
            self.world.save();
        }
        let mut out = Out::new();
        self.lanes.tick(self.world.now - self.began, &mut out);
        self.act(out, die);
    }

    fn something_happens(&mut self) {
        let lane = LANES[self.dice.below(2)];
        match self.dice.below(100) {
            0..30 => self.gateway_reads(lane),
            30..55 => self.world.broker_reads(lane as usize),
            55..67 => self.world.publish(TOPICS[self.dice.below(4)]),
            67..77 => self.keeper_commits(),
            77..95 => self.ticks(100, false),
            _ => self.trouble(lane),
        }
    }

    fn trouble(&mut self, lane: Lane) {
        match self.dice.below(40) {
            0..6 => self.breaks(lane, Fault::Closed),
            6..10 => self.ticks(100, true),
            10..13 => {
                self.world.broker_crashes();
                LANES.into_iter().for_each(|lane| self.breaks(lane, Fault::Closed));
            }
            13 => {
                self.breaks(Lane::Life, Fault::Closed);
                self.world.delete_life_session();
            }
            14..20 => {
                let chosen = TOPICS[..3].iter().filter(|_| self.dice.below(3) < 2);
                self.wanted.life = chosen.map(|topic| (*topic).to_owned()).collect();
                self.lanes.want(self.wanted.clone());
            }
            // A quiet while, in which things settle; and a crowd.
            20..24 => (0..40).for_each(|_| self.ticks(1_000, false)),
            _ => (0..30).for_each(|_| self.world.publish(TOPICS[self.dice.below(4)])),
        }
    }

    /// Everything connects and drains.
    fn calm(&mut self) {
        for _ in 0..1_500 {
            self.ticks(100, false);
            for lane in LANES {
                for _ in 0..5 {
                    self.world.broker_reads(lane as usize);
                    self.gateway_reads(lane);
                }
            }
            self.keeper_commits();
        }
    }
}

fn tell(seed: u64) {
    let mut storm = Storm::new(seed);
    for _ in 0..3_000 {
        storm.something_happens();
    }
    storm.calm();
    let missed = |number: &usize| !storm.world.counted.contains(number) && !storm.world.excused.contains(number);
    let missed: Vec<usize> = (0..storm.world.published.len()).filter(missed).collect();
    assert_eq!(missed, [0; 0], "seed {seed}: acknowledged everywhere, counted nowhere");
    // And it is no idle precaution: once calm, copies are passed over.
    let before = storm.world.copies;
    let life: Vec<&str> =
        TOPICS.into_iter().filter(|topic| storm.wanted.life.iter().any(|life| life == topic)).collect();
    life.into_iter().for_each(|topic| storm.world.publish(topic));
    storm.calm();
    assert_eq!(storm.world.copies - before, storm.wanted.life.len(), "seed {seed}: copies passed over in calm");
}

#[test]
fn no_message_is_passed_over_on_both_lanes() {
    (0..100).for_each(tell);
}
