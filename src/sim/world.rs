//! The world around the gateway, and time that jumps from one event to the next.

use super::broker::{Broker, Rules};
use super::disk::SimDisk;
use super::faults::{self, Fault};
use super::oracle::Oracle;
use super::people::{self, BOUND_MS};
use super::process::{self, Clocks, House, Process, Shared, lock, look};
use super::story::{Hits, clock};
use super::town::{Town, put};
use super::wires::{Line, Wires};
use super::{Options, Report};
use crate::engine::alarm::Act;
use crate::engine::delivery::Outcome;
use crate::engine::id::{AlarmId, NoticeId};
use crate::fleet::{Dice, Fleet, FleetOptions, Message};
use crate::keeper::ports::{JournalFault, Lane, Parcel, Token};
use crate::mqtt;
use crate::service::Listener;
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What happens next.
pub(super) enum Happening {
    /// The fleet's next message.
    Message(Box<Message>),
    Start,
    /// The keeper's patience is over.
    Turn,
    /// The MQTT machine is given its time.
    Tick,
    Connect(Lane, Line),
    /// What the broker has written to a lane arrives.
    Arrive(Lane, Line),
    Break(Lane, Line, mqtt::Fault),
    /// A slow sync is over.
    Durable(u64, Vec<Token>),
    Read(Box<Parcel>),
    Answered(u64, NoticeId, u32, Outcome),
    Acts {
        who: usize,
        alarm: AlarmId,
        act: Act,
        tries: u8,
    },
    /// The operator looks at the board.
    Look,
    /// Somebody is away, or back.
    Absence,
    /// The store follows.
    Follow,
    /// The broker saves.
    Save,
    BrokerBack,
    Fault(Fault),
    Over(Fault),
    End,
}

/// Everything, and where in time it stands.
pub struct World {
    pub(super) options: Options,
    /// What happens by chance while the world runs; the faults were drawn before.
    pub(super) dice: Dice,
    /// Milliseconds since the run began.
    pub(super) now: u64,
    happenings: BTreeMap<(u64, u64), Happening>,
    count: u64,
    pub(super) house: House,
    pub(super) oracle: Shared<Oracle>,
    pub(super) process: Option<Process>,
    lives: u64,
    pub(super) wires: Wires,
    pub(super) town: Town,
    /// The process gets no time until then.
    pub(super) paused_until: u64,
    /// The disk is busy until then.
    busy_until: u64,
    /// Since when the disk has room and the gateway does not see it.
    roomy_since: Option<u64>,
    turn_at: Option<u64>,
    /// What happens where the disk stops.
    pub(super) at_write: Option<Fault>,
    /// The registry has changed: other devices may call for help.
    pub(super) renew: bool,
    /// Nothing fails any more.
    pub(super) calm: bool,
    /// Faults, and when they were there last.
    pub(super) recent: BTreeMap<&'static str, u64>,
    hits: Hits,
}

/// How long a fault is remembered in the table of hits.
const RECENT_MS: u64 = 600_000;
/// The quiet end of a run: nothing fails any more.
pub const CALM_MS: u64 = 90 * 60_000;
/// How often the store follows. In life ten times a second; less often is the harder life.
const FOLLOWS_MS: u64 = 20_000;
/// Records between two comparisons of memory and what is committed, byte for byte; each restart compares too.
const COMPARED: u64 = 256;
/// A keeper looks for room each second.
const SEES_ROOM_MS: u64 = 5_000;
/// Happenings of a run: a hundred times those of a day.
const MOST_HAPPENINGS: u64 = 50_000_000;
/// Lives of a run: more than all its faults together can end.
const MOST_LIVES: u64 = 600;
/// Turns that what happens in one millisecond can take.
const MOST_ROUNDS: u32 = 1_000;
/// mosquitto's `autosave_interval 1` comes to one save in two seconds.
const BROKER_SAVES_MS: usize = 2_000;

impl World {
    pub fn new(options: &Options) -> World {
        let seed = options.seed;
        let mut dice = Dice::new(seed, 1);
        let lively = FleetOptions {
            site: process::site().to_string(),
            presses_per_home_month: 60.0,
            dangers_per_home_month: 12.0,
            ..FleetOptions::default()
        };
        let start = lively.start;
        let fleet = Fleet::new(seed, options.homes, lively);
        let rules = people::rules();
        let clocks = Arc::new(Clocks::new(start));
        let oracle: Shared<Oracle> = Arc::new(Mutex::new(Oracle::new(rules.clone())));
        let disk = SimDisk::new(Dice::new(seed, 4));
        let listener = Arc::new(Listener::new(super::town::sources(), Vec::new()));
        let house = House {
            seed,
            disk,
            clocks,
            oracle: oracle.clone(),
            rules,
            listener,
            memory: Default::default(),
            shelf: Default::default(),
        };
        let mut world = World {
            options: options.clone(),
            dice: Dice::new(seed, 2),
            now: 0,
            happenings: BTreeMap::new(),
            count: 0,
            house,
            oracle,
            process: None,
            lives: 0,
            wires: Wires::new(Broker::new(Rules::default())),
            town: Town::new(fleet, start, Dice::new(seed, 5)),
            paused_until: 0,
            busy_until: 0,
            roomy_since: None,
            turn_at: None,
            at_write: None,
            renew: false,
            calm: false,
            recent: BTreeMap::new(),
            hits: Hits::default(),
        };
        let end = u64::from(options.hours) * 3_600_000;
        if options.faults {
            for (at, fault) in faults::draw(&mut dice, end.saturating_sub(CALM_MS)) {
                if let Fault::BrokerKilled { .. } = fault {
                    // Of all its saves only the last before its death matters.
                    world.at(at.saturating_sub(dice.below(BROKER_SAVES_MS) as u64), Happening::Save);
                }
                world.at(at, Happening::Fault(fault));
            }
        }
        for happening in [Happening::Start, Happening::Tick, Happening::Look, Happening::Follow, Happening::Absence] {
            world.at(0, happening);
        }
        world.at(end, Happening::End);
        world.next_message();
        world
    }

    /// Runs to the end or to the first broken promise.
    pub fn run(mut self) -> Report {
        let end = u64::from(self.options.hours) * 3_600_000;
        while let Some(((at, _), happening)) = self.happenings.pop_first() {
            self.now = at;
            self.house.clocks.set(at);
            let last = matches!(happening, Happening::End);
            lock(&self.oracle).now = at;
            if !self.calm && at + CALM_MS >= end {
                self.calm = true;
                self.calm_down();
            }
            if last {
                self.end();
            } else {
                self.happen(happening);
                self.settle();
            }
            self.opens();
            self.count_hits();
            if self.count > MOST_HAPPENINGS {
                lock(&self.oracle).broken.get_or_insert("the world turns in circles".to_owned());
            }
            if last || lock(&self.oracle).broken.is_some() {
                break;
            }
        }
        let oracle = lock(&self.oracle);
        let mut digest = oracle.digest ^ self.house.disk.digest().rotate_left(1);
        digest ^= (oracle.said.len() as u64).rotate_left(32);
        Report {
            seed: self.options.seed,
            lives: self.lives,
            messages: oracle.said.len() as u64,
            records: oracle.sequence,
            digest,
            hits: self.hits.clone(),
            broken: oracle.broken.as_ref().map(|why| format!("{} {why}\n{}", clock(self.now), oracle.story)),
        }
    }

    pub(super) fn at(&mut self, at: u64, what: Happening) {
        self.count += 1;
        self.happenings.insert((at.max(self.now), self.count), what);
    }

    pub(super) fn after(&mut self, ms: u64, what: Happening) {
        self.at(self.now + ms, what);
    }

    pub(super) fn tell(&self, what: std::fmt::Arguments<'_>) {
        lock(&self.oracle).story.tell(self.now, what);
    }

    fn count_hits(&mut self) {
        let transitions = std::mem::take(&mut lock(&self.oracle).transitions);
        if transitions.is_empty() {
            return;
        }
        self.recent.retain(|_, at| *at + RECENT_MS >= self.now);
        for fault in self.recent.keys() {
            transitions.iter().for_each(|transition| self.hits.count(fault, transition));
        }
    }

    fn happen(&mut self, what: Happening) {
        // A process without time does nothing; what it would have done comes after.
        let mine = matches!(
            what,
            Happening::Turn
                | Happening::Tick
                | Happening::Connect(..)
                | Happening::Arrive(..)
                | Happening::Break(..)
                | Happening::Durable(..)
        );
        if mine && self.now < self.paused_until {
            return self.at(self.paused_until, what);
        }
        match what {
            Happening::Message(message) => self.publish_next(*message),
            Happening::Start => self.start(),
            Happening::Turn => self.turn_at = self.turn_at.filter(|at| *at > self.now),
            Happening::Tick => self.tick(),
            Happening::Connect(lane, line) => self.connected(lane, line),
            Happening::Arrive(lane, line) => self.arrive(lane, line),
            Happening::Break(lane, line, fault) => self.broken_line(lane, line, fault),
            Happening::Durable(life, tokens) => self.durable(life, &tokens),
            Happening::Read(parcel) => self.read(&parcel),
            Happening::Answered(life, notice, attempt, outcome) => {
                if let Some(process) = self.process.as_ref().filter(|p| p.life == life) {
                    process.handle.outcome(notice, attempt, outcome);
                }
            }
            Happening::Acts { who, alarm, act, tries } => self.act(who, alarm, act, tries),
            Happening::Look => self.look_at_the_board(),
            Happening::Absence => self.hear_of_an_absence(),
            Happening::Follow => self.follow(),
            Happening::Save => self.wires.broker.save(),
            Happening::BrokerBack => self.broker_back(),
            Happening::Fault(fault) => self.fault(fault),
            Happening::Over(fault) => self.over(fault),
            Happening::End => {}
        }
    }

    // --- the process ---

    fn start(&mut self) {
        if self.process.is_some() {
            return;
        }
        self.lives += 1;
        if self.lives > MOST_LIVES {
            lock(&self.oracle).broken.get_or_insert("the gateway dies over and over".to_owned());
        }
        let failed = self.house.disk.counts().failed_syncs;
        match Process::start(&self.house, self.lives) {
            Ok(mut process) => {
                self.tell(format_args!("life {} begins", self.lives));
                self.renew = process.new;
                if process.new {
                    let entities = people::registry(self.town.fleet.homes(), &mut Dice::new(self.options.seed, 3));
                    let handle = process.handle.clone();
                    drop(put(async move { handle.register(entities).await }));
                }
                let begun = process.keeper.begin();
                self.process = Some(process);
                self.wires.quick_until = self.now + 60_000;
                self.turned(begun.map(|()| false));
            }
            Err(why) => {
                self.tell(format_args!("life {} does not begin: {why}", self.lives));
                if self.house.disk.dead() {
                    return self.stopped_at_write();
                }
                let planted = self.house.disk.counts().failed_syncs > failed;
                if !planted {
                    lock(&self.oracle).broken.get_or_insert(format!("it does not start: {why}"));
                }
                self.house.disk.process_dies();
                self.after(5_000, Happening::Start);
            }
        }
    }

    /// The process is gone; it starts again after `down` milliseconds.
    pub(super) fn die(&mut self, how: &str, down: u64) {
        self.tell(format_args!("the process dies {how}, for {down} ms"));
        self.process = None;
        self.house.disk.process_dies();
        self.house.shelf.crash(&mut self.dice);
        lock(&self.oracle).dies();
        self.wires.all_cut();
        (self.busy_until, self.paused_until, self.roomy_since, self.turn_at) = (0, 0, None, None);
        self.nobody_answers();
        self.after(down, Happening::Start);
    }

    /// Turns the keeper where something waits, does what the machines ask for, until all is quiet.
    fn settle(&mut self) {
        let mut rounds = 0;
        while self.now >= self.paused_until {
            rounds += 1;
            if rounds > MOST_ROUNDS {
                lock(&self.oracle).broken.get_or_insert("the keeper turns in circles".to_owned());
                return;
            }
            self.do_actions();
            let Some(process) = &mut self.process else { return };
            let due = self.turn_at.is_none_or(|at| at <= self.now);
            let waiting = process.keeper.waits();
            if !due && !waiting {
                return;
            }
            if self.now < self.busy_until {
                let at = self.busy_until;
                if self.turn_at != Some(at) {
                    self.turn_at = Some(at);
                    self.at(at, Happening::Turn);
                }
                return;
            }
            let result = process.keeper.round(Duration::ZERO);
            self.turned(result);
        }
    }

    fn turned(&mut self, result: Result<bool, JournalFault>) {
        let Some(process) = &mut self.process else { return };
        let given = std::mem::take(&mut *lock(&process.given));
        if given.doomed || self.house.disk.dead() {
            return self.stopped_at_write();
        }
        if let Err(fault) = result {
            return self.die(&format!("of its own accord ({fault})"), 1_000);
        }
        if process.keeper.written() && !process.keeper.waits() && std::mem::take(&mut self.renew) {
            process.renew(&self.house.listener);
        }
        let patience = u64::try_from(process.keeper.patience().as_millis()).unwrap_or(1_000);
        let (life, tick) = (process.life, process.tick(self.now));
        let full = process.status.full.load(Ordering::Relaxed);
        self.roomy_since = if full && self.house.roomy() { self.roomy_since.or(Some(self.now)) } else { None };
        let blind = self.roomy_since.is_some_and(|since| self.now > since + SEES_ROOM_MS);
        {
            let mut oracle = lock(&self.oracle);
            let core = process.keeper.core();
            oracle.fills(full);
            if process.keeper.written() {
                oracle.turned(core, tick, core.next_wake(), BOUND_MS);
                if oracle.sequence.is_multiple_of(COMPARED) {
                    oracle.compare(core, "after a turn");
                }
            }
            oracle.no_call_waits();
            if blind {
                oracle.broken.get_or_insert("there is room on the disk, and it is taken for full".to_owned());
            }
        }
        self.hears();
        let delay = self.house.disk.take_delay();
        self.busy_until = self.now + delay;
        let at = self.now + patience.max(delay).max(1);
        self.turn_at = Some(at);
        self.at(at, Happening::Turn);
        for parcel in given.parcels {
            self.send(life, parcel, delay);
        }
        match delay {
            0 => self.durable(life, &given.tokens),
            _ => self.after(delay, Happening::Durable(life, given.tokens)),
        }
        self.hear_answers();
    }

    /// Whether anything keeps a call for help from coming in over its lane.
    fn opens(&self) {
        let idle = self.paused_until.max(self.busy_until).max(self.wires.late_until);
        let works = self.now >= idle && self.wires.up;
        let comes = self.wires.lines.contains_key(&Lane::Life) && !self.wires.lag.contains_key(&Lane::Life);
        let mut oracle = lock(&self.oracle);
        let open = works && comes && self.process.is_some() && !oracle.no_room_for_life;
        oracle.opens(open);
    }

    fn follow(&mut self) {
        if let Some(process) = &mut self.process {
            let committed = lock(&self.oracle).sequence;
            process.follower.follow(committed, &mut self.dice);
        }
        self.after(FOLLOWS_MS, Happening::Follow);
    }

    fn durable(&mut self, life: u64, tokens: &[Token]) {
        if let Some(process) = self.process.as_mut().filter(|p| p.life == life) {
            process.lanes.durable(tokens, &mut self.wires.out);
        }
    }

    // --- the end ---

    /// The faults have stopped long ago: everything must be well, and the journal's folder alone must say so.
    fn end(&mut self) {
        let Some(process) = &mut self.process else {
            lock(&self.oracle).broken.get_or_insert("nothing lives at the end".to_owned());
            return;
        };
        {
            let mut oracle = lock(&self.oracle);
            oracle.compare(process.keeper.core(), "at the end");
            let rests = process.keeper.written() && process.handle.backlog() == (0, 0);
            oracle.at_the_end(process.tick(self.now), rests, BOUND_MS);
            let committed = oracle.sequence;
            process.follower.follow(committed, &mut self.dice);
            oracle.followed(&self.house.shelf);
        }
        self.look_at_a_copy("from a copy of the journal");
        if let Some(process) = &mut self.process {
            process.handle.stop();
            let stopped = process.keeper.round(Duration::ZERO);
            if !matches!(stopped, Ok(true)) {
                lock(&self.oracle).broken.get_or_insert(format!("it does not stop: {stopped:?}"));
            }
        }
        self.look_at_a_copy("after a graceful stop");
    }

    fn look_at_a_copy(&mut self, when: &str) {
        let found = look(&self.house, &self.house.disk.fork());
        let mut oracle = lock(&self.oracle);
        match found {
            Ok(recovery) => oracle.compare(&recovery.core, when),
            Err(why) => drop(oracle.broken.get_or_insert(format!("{when}: {why}"))),
        }
    }
}
