//! The two sessions of a site, and which bulk messages are copies.
//!
//! `life` hears the devices that can call for help, `bulk` hears everything, so a press comes twice. The bulk copy may be passed over
//! only where the life session has the message for certain; where that is not certain it counts, since a press counted twice is a
//! number and a press passed over is a person.
//!
//! The broker copies a message into both sessions at the moment it is published. So the bulk copies that may be passed over are those
//! published after the life session got the filter, and the bulk backlog holds others. A filter is therefore **proven** in two steps:
//!
//! 1. The life session's SUBACK for it has come. What is published from now on reaches both sessions.
//! 2. After that, everything that had been waiting in the bulk session is durable. Known by a *fence*: an UNSUBSCRIBE of nothing on the
//!    bulk session. A broker answers in order, and holds messages back only while a full window is unacknowledged; so if fewer than
//!    [`DRAINED_BELOW`] were unacknowledged when it answered, its queue was empty, and what was published before step 1 has all been
//!    received. Once that is durable too (a redelivery must not meet a proven filter), the filter is proven. A clock would not do: a
//!    broker that saves a large queue is silent for seconds in the middle of it, and in a busy house bulk is never silent at all.
//!    A bulk session that is new has nothing from before, and proves at once what life holds already.
//!
//! A proof lasts as long as the life session holds the filter without a gap:
//!
//! - Life comes back with `session_present = false`: every proof is void. (The broker itself is restored from a save that may be
//!   seconds old, so after a break only filters stay proven that life held for [`SETTLED_MS`] before; the others start again.)
//! - The filter is taken away or refused: its proof is void.
//! - Over a restart of the gateway proofs are kept in [`Memory`]. They are wiped there before each CONNECT of life, which may create
//!   an empty session, and written again when life is up; so a crash between the two errs on the side of counting. They are kept only
//!   for filters that are still wanted.
//!
//! And a copy is passed over only while life is up: a life session that cannot connect shall not silence a press that bulk has heard.
//! So that a restart of the broker does not count every waiting press twice, life connects first: while life is down, bulk connects
//! only right after an attempt of life has failed.
//!
//! What the broker itself drops is beyond all this: a message of QoS 0 in the moment in which life's connection dies, a life session
//! that someone deletes together with what waits in it, a queue over its limit.

use super::LaneFilters;
use super::event::{Action, Event, LaneStatus, Message, Out};
use super::filter::{Filter, FilterSet};
use super::session::{Answer, Session};
use crate::keeper::ports::{Lane, Token};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A broker's window (mosquitto `max_inflight_messages`) must be at least this. Every broker's default is larger.
pub const DRAINED_BELOW: u64 = 10;
/// Longer than two keepalives of 12 s and the broker's save interval: a filter held this long is in the broker's last save.
const SETTLED_MS: u64 = 30_000;
const FENCE_EVERY_MS: u64 = 250;

/// What is kept on disk about the broker's sessions.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    /// The filters that the life session may hold, and whether each is proven.
    pub life: BTreeMap<Filter, bool>,
    /// The filters that the bulk session may hold.
    pub bulk: BTreeSet<Filter>,
}

/// What both lanes stand at.
#[derive(Debug, Clone)]
pub struct Status {
    pub life: LaneStatus,
    pub bulk: LaneStatus,
    /// Life filters whose bulk copies are passed over, and those whose copies count.
    pub proven: usize,
    pub unproven: usize,
}

struct Proof {
    /// The number of the grant; a fence proves those up to the number at which it began.
    grant: u64,
    since: u64,
    proven: bool,
    settled: bool,
}

#[derive(Clone, Copy)]
enum Fence {
    Idle {
        not_before: u64,
    },
    /// Asked when bulk had acknowledged so many.
    Asked {
        upto_grant: u64,
        acknowledged: u64,
    },
    /// The queue was empty; what had come by then (before this serial) must be durable.
    Draining {
        upto_grant: u64,
        before: u64,
    },
}

/// Both sessions as one pure machine.
pub struct Lanes {
    life: Session,
    bulk: Session,
    wish: Option<LaneFilters>,
    proofs: BTreeMap<Filter, Proof>,
    grants: u64,
    /// The proven filters, to look topics up in.
    copies: FilterSet,
    fence: Fence,
    /// An attempt of life has failed, or ended too soon, and the next has not begun.
    life_failed: bool,
    remembered: Memory,
    changed: bool,
    now: u64,
}

impl Lanes {
    /// Takes what the last run left, and what is to be heard now. Nothing happens before the first [`Lanes::tick`].
    pub fn new(memory: Memory, filters: LaneFilters) -> Lanes {
        let settled = |(filter, proven): (&Filter, &bool)| {
            proven.then(|| (filter.clone(), Proof { grant: 0, since: 0, proven: true, settled: true }))
        };
        Lanes {
            life: Session::new(Lane::Life, memory.life.keys().cloned().collect()),
            bulk: Session::new(Lane::Bulk, memory.bulk.clone()),
            wish: Some(filters),
            proofs: memory.life.iter().filter_map(settled).collect(),
            grants: 0,
            copies: FilterSet::default(),
            fence: Fence::Idle { not_before: 0 },
            life_failed: false,
            remembered: memory,
            changed: true,
            now: 0,
        }
    }

    /// What is to be heard from the next tick on.
    pub fn want(&mut self, filters: LaneFilters) {
        self.wish = Some(filters);
    }

    /// Something happened on the wire of a lane.
    pub fn event(&mut self, lane: Lane, event: Event, out: &mut Out) {
        match event {
            Event::Message(message) => self.message(lane, message, out),
            Event::Accepted { session_present } => self.accepted(lane, session_present, out),
            Event::SubAck { codes } => {
                let answer = self.session(lane).subscribed(&codes, out);
                self.answered(lane, answer);
            }
            Event::UnsubAck => {
                let answer = self.session(lane).unsubscribed(out);
                self.answered(lane, answer);
            }
            Event::Broken { fault, jitter } => {
                self.session(lane).broken(fault, jitter, out);
                self.fence = Fence::Idle { not_before: self.now };
                if lane == Lane::Life {
                    self.life_failed = self.life.failing();
                    self.proofs.retain(|_, proof| proof.proven && proof.settled);
                    self.reprove();
                }
            }
        }
    }

    /// These messages are in the journal.
    pub fn durable(&mut self, tokens: &[Token], out: &mut Out) {
        for token in tokens {
            self.session(token.lane).mark(*token);
        }
        self.life.acknowledge(out);
        self.bulk.acknowledge(out);
    }

    /// To be called every 100 ms or so. `now` is in milliseconds of a clock that never runs backwards.
    pub fn tick(&mut self, now: u64, out: &mut Out) {
        self.now = now;
        let front = out.len();
        if let Some(filters) = self.wish.take().filter(|_| !self.life.stopping()) {
            self.adopt(filters, out);
        }
        for proof in self.proofs.values_mut().filter(|proof| !proof.settled) {
            proof.settled = proof.since + SETTLED_MS <= now;
            self.changed |= proof.settled;
        }
        self.life.tick(now, out);
        self.bulk.tick(now, out);
        self.turn_fence(out);
        if self.bulk.due() && (self.life.up() || self.life_failed) {
            self.bulk.connect(out);
        }
        if self.life.due() {
            self.life_failed = false;
            self.changed = true;
            self.life.connect(out);
        }
        // Before everything else of this tick: what is on disk may never claim more than is so.
        if std::mem::take(&mut self.changed) && !self.life.stopping() {
            let memory = self.memory();
            if memory != self.remembered {
                self.remembered = memory.clone();
                out.insert(front, (Lane::Life, Action::Remember(memory)));
            }
        }
    }

    /// No more messages; see [`Action::Finished`].
    pub fn stop(&mut self, out: &mut Out) {
        self.life.stop(out);
        self.bulk.stop(out);
    }

    /// Both sessions are stopped.
    pub fn gone(&self) -> bool {
        self.life.gone() && self.bulk.gone()
    }

    /// More waits for the journal than may: reading is to pause.
    pub fn crowded(&self, lane: Lane) -> bool {
        match lane {
            Lane::Life => self.life.crowded(),
            Lane::Bulk => self.bulk.crowded(),
        }
    }

    pub fn status(&self) -> Status {
        let proven = self.proofs.values().filter(|proof| proof.proven).count();
        Status {
            life: self.life.status(),
            bulk: self.bulk.status(),
            proven,
            unproven: self.life.wanted().len().saturating_sub(proven),
        }
    }

    fn session(&mut self, lane: Lane) -> &mut Session {
        match lane {
            Lane::Life => &mut self.life,
            Lane::Bulk => &mut self.bulk,
        }
    }

    fn message(&mut self, lane: Lane, message: Message, out: &mut Out) {
        let copy = lane == Lane::Bulk && self.life.up() && self.copies.catch(&message.topic);
        self.session(lane).message(message, copy, out);
    }

    fn accepted(&mut self, lane: Lane, session_present: bool, out: &mut Out) {
        match (lane, session_present) {
            (_, true) => {}
            (Lane::Life, false) => {
                self.proofs.clear();
                self.reprove();
            }
            // There is no backlog: all that this session will ever hold is published from here on.
            (Lane::Bulk, false) => self.prove(self.grants),
        }
        self.changed = true;
        self.session(lane).accepted(session_present, out);
    }

    fn answered(&mut self, lane: Lane, answer: Answer) {
        self.changed = true;
        match answer {
            Answer::Nothing => {}
            Answer::Subscribed { granted, refused } if lane == Lane::Life => {
                for filter in granted {
                    self.grants += 1;
                    let held = Proof { grant: self.grants, since: self.now, proven: false, settled: false };
                    self.proofs.entry(filter).or_insert(held);
                }
                if refused.iter().any(|filter| self.proofs.remove(filter).is_some()) {
                    self.reprove();
                }
            }
            Answer::Subscribed { .. } => {}
            Answer::Fence => self.fence_answered(),
        }
    }

    fn fence_answered(&mut self) {
        let Fence::Asked { upto_grant, acknowledged } = self.fence else { return };
        let unacknowledged = self.bulk.acks.received.saturating_sub(acknowledged);
        self.fence = if unacknowledged < DRAINED_BELOW {
            Fence::Draining { upto_grant, before: self.bulk.acks.next_serial() }
        } else {
            Fence::Idle { not_before: self.now + FENCE_EVERY_MS }
        };
    }

    fn turn_fence(&mut self, out: &mut Out) {
        match self.fence {
            Fence::Idle { not_before } if not_before <= self.now && self.life.up() => {
                let (upto_grant, acknowledged) = (self.grants, self.bulk.acks.acknowledged);
                if self.proofs.values().any(|proof| !proof.proven) && self.bulk.ask_fence(out) {
                    self.fence = Fence::Asked { upto_grant, acknowledged };
                }
            }
            Fence::Draining { upto_grant, before } if self.bulk.acks.done_before(before) => {
                self.fence = Fence::Idle { not_before: self.now };
                self.prove(upto_grant);
            }
            _ => {}
        }
    }

    fn prove(&mut self, upto_grant: u64) {
        for proof in self.proofs.values_mut().filter(|proof| proof.grant <= upto_grant) {
            proof.proven = true;
        }
        self.reprove();
    }

    fn reprove(&mut self) {
        self.changed = true;
        self.copies = self.proofs.iter().filter(|(_, proof)| proof.proven).map(|(filter, _)| filter.clone()).collect();
    }

    fn adopt(&mut self, filters: LaneFilters, out: &mut Out) {
        let set = |filters: Vec<String>| filters.into_iter().map(Filter::from).collect::<BTreeSet<Filter>>();
        let (life, bulk) = (set(filters.life), set(filters.bulk));
        self.proofs.retain(|filter, _| life.contains(filter));
        self.reprove();
        self.life.want(life, out);
        self.bulk.want(bulk, out);
    }

    /// A filter counts as held from the moment it is wanted, and until its UNSUBSCRIBE is answered.
    fn memory(&self) -> Memory {
        let trusted = |filter: &Filter| {
            !self.life.rising() && self.proofs.get(filter).is_some_and(|proof| proof.proven && proof.settled)
        };
        let life = self.life.held().union(self.life.wanted());
        Memory {
            life: life.map(|filter| (filter.clone(), trusted(filter))).collect(),
            bulk: self.bulk.held().union(self.bulk.wanted()).cloned().collect(),
        }
    }
}
