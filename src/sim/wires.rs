//! The wire between the gateway's MQTT machine and the broker: connections, lags, and which message was acknowledged.

use super::broker::{Broker, Keeps, Packet};
use super::oracle::Ack;
use super::process::lock;
use super::world::{Happening, World};
use crate::keeper::ports::Lane;
use crate::mqtt::{self, Action, Event, LinkState, Out};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;

/// A connection that has been made, or is being made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    life: u64,
    connection: u32,
}

/// The broker, and what is under way to and from it.
pub struct Wires {
    pub broker: Broker,
    pub up: bool,
    pub lines: BTreeMap<Lane, Line>,
    /// Lanes to which packets are under way.
    arriving: BTreeSet<Lane>,
    /// How late a lane is, in milliseconds.
    pub lag: BTreeMap<Lane, u64>,
    /// What was under way during the last lag has arrived by then.
    pub late_until: u64,
    /// What the process has in hand: each message that is not acknowledged.
    delivered: BTreeMap<(Lane, u16), Ack>,
    /// The gateway has been told that its bulk session stands.
    link: bool,
    /// The machine is given its time often until then.
    pub quick_until: u64,
    /// What the machine wants done.
    pub out: Out,
}

/// A broker gives a silent client up after one and a half keepalives of ten seconds.
pub const SILENT_MS: u64 = 15_000;

impl Wires {
    pub fn new(broker: Broker) -> Wires {
        Wires {
            broker,
            up: true,
            lines: BTreeMap::new(),
            arriving: BTreeSet::new(),
            lag: BTreeMap::new(),
            late_until: 0,
            delivered: BTreeMap::new(),
            link: false,
            quick_until: 0,
            out: Out::new(),
        }
    }

    /// The gateway's process is gone.
    pub fn all_cut(&mut self) {
        [Lane::Life, Lane::Bulk].iter().for_each(|lane| self.broker.hang_up(*lane));
        self.lines.clear();
        self.arriving.clear();
        self.delivered.clear();
        self.link = false;
        self.out.clear();
    }
}

impl World {
    pub(super) fn tick(&mut self) {
        if let Some(process) = &mut self.process {
            process.lanes.tick(self.now, &mut self.wires.out);
        }
        let quick = self.now < self.wires.quick_until;
        self.after(if quick { 100 } else { 1_000 }, Happening::Tick);
    }

    pub(super) fn do_actions(&mut self) {
        while !self.wires.out.is_empty() {
            for (lane, action) in std::mem::take(&mut self.wires.out) {
                self.do_action(lane, action);
            }
        }
    }

    fn do_action(&mut self, lane: Lane, action: Action) {
        let Some(process) = &mut self.process else { return };
        match action {
            Action::Remember(memory) => self.house.memory = memory,
            Action::Connect { connection } => {
                let line = Line { life: process.life, connection };
                let ms = 1 + self.dice.below(40) as u64;
                self.after(ms, Happening::Connect(lane, line));
                self.wires.quick_until = self.now + 60_000;
            }
            Action::Subscribe(filters) => {
                self.wires.broker.subscribe(lane, &filters);
                self.expect(lane);
            }
            Action::Unsubscribe(filter) => {
                self.wires.broker.unsubscribe(lane, &filter);
                self.expect(lane);
            }
            Action::Ack(pkid) => self.acknowledge(lane, pkid),
            Action::Deliver(delivery) => process.handle.deliver(delivery),
            Action::Disconnect | Action::Abandon(_) => self.cut(lane, mqtt::Fault::Stopped),
            Action::Link(state) => {
                self.wires.quick_until = self.now + 60_000;
                if lane == Lane::Bulk {
                    self.wires.link = state != LinkState::Down;
                    process.handle.link(self.wires.link);
                    self.hears();
                }
            }
            Action::Report(report) => self.tell(format_args!("{}: {report}", lane.name())),
            Action::Finished => {}
        }
    }

    /// Whether the gateway hears the homes: what comes in on a full disk is not taken.
    pub(super) fn hears(&mut self) {
        let full = self.process.as_ref().is_none_or(|p| p.status.full.load(Ordering::Relaxed));
        lock(&self.oracle).hears(self.wires.link && !full);
    }

    fn acknowledge(&mut self, lane: Lane, pkid: u16) {
        let Some(ack) = self.wires.delivered.remove(&(lane, pkid)) else {
            lock(&self.oracle).broken.get_or_insert(format!("{} acknowledges {pkid}, which it never got", lane.name()));
            return;
        };
        if let Some(serial) = self.wires.broker.acknowledge(lane, pkid) {
            lock(&self.oracle).acknowledged(serial, ack);
        }
        self.expect(lane);
    }

    /// What the broker has written to a lane arrives after the lane's lag.
    pub(super) fn expect(&mut self, lane: Lane) {
        let Some(line) = self.wires.lines.get(&lane).copied() else { return };
        if self.wires.arriving.insert(lane) {
            let ms = 1 + self.dice.below(20) as u64 + self.wires.lag.get(&lane).copied().unwrap_or(0);
            self.after(ms, Happening::Arrive(lane, line));
        }
    }

    pub(super) fn connected(&mut self, lane: Lane, line: Line) {
        let Some(process) = self.process.as_mut().filter(|p| p.life == line.life) else { return };
        let wires = &mut self.wires;
        if !wires.up {
            let jitter = self.dice.roll() as u32;
            let fault = mqtt::Fault::Unreachable("refused".to_owned());
            return process.lanes.event(lane, Event::Broken { fault, jitter }, &mut wires.out);
        }
        wires.lines.insert(lane, line);
        wires.arriving.remove(&lane);
        wires.delivered.retain(|(of, _), _| *of != lane);
        let session_present = wires.broker.connect(lane);
        process.lanes.event(lane, Event::Accepted { session_present }, &mut wires.out);
        self.expect(lane);
    }

    pub(super) fn arrive(&mut self, lane: Lane, line: Line) {
        let wires = &mut self.wires;
        let Some(process) = self.process.as_mut().filter(|_| wires.lines.get(&lane) == Some(&line)) else { return };
        wires.arriving.remove(&lane);
        while let Some(packet) = wires.broker.next(lane) {
            let (event, pkid) = match packet {
                Packet::SubAck(codes) => (Event::SubAck { codes }, 0),
                Packet::UnsubAck => (Event::UnsubAck, 0),
                Packet::Publish(sent) => (Event::Message(sent.message.clone()), sent.message.pkid),
            };
            let before = wires.out.len();
            process.lanes.event(lane, event, &mut wires.out);
            for (_, action) in &wires.out[before..] {
                if let Action::Deliver(delivery) = action {
                    let (token, copy, retained) = (delivery.token, delivery.copy, delivery.retain);
                    wires.delivered.insert((lane, pkid), Ack { lane, token, delivered: self.now, copy, retained });
                }
            }
        }
    }

    /// A connection breaks.
    pub(super) fn cut(&mut self, lane: Lane, fault: mqtt::Fault) {
        if let Some(line) = self.wires.lines.get(&lane).copied() {
            self.wires.broker.hang_up(lane);
            self.after(1, Happening::Break(lane, line, fault));
        }
    }

    pub(super) fn broken_line(&mut self, lane: Lane, line: Line, fault: mqtt::Fault) {
        let wires = &mut self.wires;
        if wires.lines.get(&lane) != Some(&line) {
            return;
        }
        wires.lines.remove(&lane);
        wires.arriving.remove(&lane);
        wires.broker.hang_up(lane);
        let jitter = self.dice.roll() as u32;
        if let Some(process) = self.process.as_mut().filter(|p| p.life == line.life) {
            process.lanes.event(lane, Event::Broken { fault, jitter }, &mut wires.out);
        }
    }

    /// The broker ends, and is back after `down` milliseconds with what it keeps.
    pub(super) fn broker_ends(&mut self, keeps: Keeps, down: u64) {
        self.wires.broker.restart(keeps);
        self.wires.up = false;
        for lane in [Lane::Life, Lane::Bulk] {
            if let Some(line) = self.wires.lines.get(&lane).copied() {
                self.after(1, Happening::Break(lane, line, mqtt::Fault::Closed));
            }
        }
        let lost = self.wires.broker.take_lost();
        lost.into_iter().for_each(|(lane, serial)| lock(&self.oracle).lost(lane, serial));
        self.after(down, Happening::BrokerBack);
    }

    pub(super) fn broker_back(&mut self) {
        self.wires.up = true;
        self.publish_held();
    }
}
