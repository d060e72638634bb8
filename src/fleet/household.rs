//! One simulated household: what is going to happen in it, and the messages that come of it.

use super::Message;
use super::device::{Device, Dialect};
use super::dice::Dice;
use super::generate::{Cause, Command, FleetOptions};
use super::life::{DAY_MIN, Day, Life, MONTH_DAYS, Stay};
use super::senses::{Deed, Deeds, Place, Senses, Sight};
use crate::engine::kind::Kind;
use crate::engine::time::{Millis, Wall};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::Arc;

const DAY_MS: i64 = 86_400_000;
/// A motion sensor is blind for this long after a detection, and its hub says `false` so long after the last one.
const PIR_BLIND: Millis = Millis::from_secs(60);
const PIR_CLEAR: Millis = Millis::from_secs(90);
/// How long a button says `true` where it ever says `false`.
const PRESS_HELD: Millis = Millis::from_secs(30);
/// The median of a home's power cuts, and how far their logarithm spreads.
const DARK_MIN: (f64, f64) = (45.0, 1.0);
/// Between two movements that a sensor sees where nobody is.
const GHOST_MIN: f64 = 12.0;
/// How the topics of the motion sensors end, by [`Place`].
const ROOMS: [&str; 5] = ["/bedroom_motion", "/living_motion", "/kitchen_motion", "/bathroom_motion", "/hall_motion"];

/// Something that is going to happen. The numbers are places in the list of devices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Doing {
    /// Midnight: the day's troubles are planned.
    Plan,
    /// One of the people wakes up, or comes home from a journey.
    Live(u8),
    Deed(Deed),
    /// A motion sensor falls back to rest.
    Clear(u8),
    /// A motion sensor sees what nobody caused: the sun, a heater, a curtain.
    Ghost(u8),
    Heartbeat(u8),
    Press,
    Release,
    Danger(u8),
    DangerOver(u8),
    Order(Command),
    /// The home's power is back.
    PowerBack,
    /// The hub restarted and says all it knows.
    Recall,
}

/// One home with its people and devices.
#[derive(Debug)]
pub struct Household {
    /// Its place in the fleet.
    place: usize,
    dice: Dice,
    lives: Vec<Life>,
    sight: Sight,
    /// The local midnight before its life began, and its day's number from 1970-01-01.
    origin: Wall,
    first_day: i64,
    /// How many of the people are out.
    out: usize,
    devices: Vec<Device>,
    /// The motion sensor of each place.
    rooms: [Option<u8>; 5],
    todo: BinaryHeap<Reverse<(Wall, u32, Doing)>>,
    /// Keeps doings of one moment in the order in which they were planned.
    serial: u32,
    /// Somebody has collapsed: nobody moves any more.
    silent: bool,
    /// Without power: nothing is sent.
    dark: bool,
    /// The hub that the home speaks through is down.
    unheard: bool,
}

impl Household {
    /// Takes the home's place in the fleet, the devices and the number of people; life begins at the options' `start`, and the devices
    /// report for the first time within `arrival` after it.
    pub fn new(
        place: usize,
        devices: Vec<Device>,
        people: usize,
        options: &FleetOptions,
        arrival: Millis,
        mut dice: Dice,
    ) -> Household {
        let (start, offset) = (options.start, i64::from(options.utc_offset_min) * 60_000);
        let first_day = (start.0 + offset).div_euclid(DAY_MS);
        let mut home = Household {
            place,
            lives: Vec::with_capacity(people),
            sight: Sight::invent(&mut dice),
            origin: Wall(first_day * DAY_MS - offset),
            first_day,
            out: 0,
            rooms: ROOMS.map(|room| devices.iter().position(|d| d.topic.ends_with(room)).map(|i| i as u8)),
            dice,
            devices,
            todo: BinaryHeap::new(),
            serial: 0,
            silent: false,
            dark: false,
            unheard: false,
        };
        home.plan(start, Doing::Plan);
        for person in 0..people {
            let mut stays = Vec::new();
            home.lives.push(Life::invent(Day::of_epoch(first_day), &mut home.dice, &mut stays));
            home.enact(start, person, &stays);
        }
        let hello = home.dice.below(arrival.0 as usize + 1) as u64;
        home.plan(start + Millis(hello), Doing::Recall);
        for index in 0..home.devices.len() {
            let first = home.devices[index].next_heartbeat(&mut home.dice);
            let within = home.dice.unit() * first as f64;
            home.plan(start + Millis(within as u64), Doing::Heartbeat(index as u8));
        }
        home
    }

    /// Whether everybody who lives here is in, and the home is heard.
    pub fn all_in(&self) -> bool {
        self.out == 0 && !self.dark && !self.unheard
    }

    /// When something happens next.
    pub fn next_at(&self) -> Option<Wall> {
        self.todo.peek().map(|Reverse((at, ..))| *at)
    }

    /// Enters something that will happen.
    pub fn plan(&mut self, at: Wall, doing: Doing) {
        self.serial = self.serial.wrapping_add(1);
        self.todo.push(Reverse((at, self.serial, doing)));
    }

    /// The hub that the home speaks through goes down or comes back.
    pub fn hub(&mut self, up: bool) {
        self.unheard = !up;
    }

    /// Whether the home speaks through the one Zigbee2MQTT instance.
    pub fn on_bridge(&self) -> bool {
        self.devices.first().is_some_and(|d| d.dialect == Dialect::Zigbee2Mqtt)
    }

    /// Whether the home has a device of this kind.
    pub fn find(&self, kind: Kind) -> Option<u8> {
        self.devices.iter().position(|d| d.model.kind == kind).map(|i| i as u8)
    }

    /// The devices, in the order of the home's list.
    pub fn devices(&self) -> &[Device] {
        &self.devices
    }

    /// Lets the next thing happen, and gives the messages that come of it.
    pub fn turn(&mut self, options: &FleetOptions, out: &mut VecDeque<Message>) {
        let Some(Reverse((at, _, doing))) = self.todo.pop() else { return };
        match doing {
            Doing::Plan => self.plan_trouble(at, options),
            Doing::Live(person) => self.live(at, person.into()),
            Doing::Deed(Deed::Leave) => self.out += 1,
            Doing::Deed(Deed::Return) => self.out = self.out.saturating_sub(1),
            // Who has collapsed presses no button either.
            Doing::Deed(_) | Doing::Press if self.silent => {}
            Doing::Deed(Deed::Move(place)) => self.moved(at, place, out),
            Doing::Deed(Deed::Open) => self.set(at, Kind::Contact, true, Cause::Open, out),
            Doing::Deed(Deed::Close) => self.set(at, Kind::Contact, false, Cause::Shut, out),
            Doing::Clear(index) => self.cleared(at, index, out),
            Doing::Ghost(index) => self.seen(at, index, out),
            Doing::Heartbeat(index) => self.heartbeat(at, index, options, out),
            Doing::Press => self.press(at, out),
            Doing::Release => self.set(at, Kind::Sos, false, Cause::Clear, out),
            Doing::Danger(index) => self.danger(at, index, out),
            Doing::DangerOver(index) => self.turn_to(at, index, false, Cause::Clear, out),
            Doing::Order(command) => self.obey(at, command, out),
            Doing::PowerBack => {
                self.dark = false;
                self.recall(at, out);
            }
            Doing::Recall => self.recall(at, out),
        }
    }

    /// One of the people lives on to the next waking-up.
    fn live(&mut self, now: Wall, person: usize) {
        let mut stays = Vec::new();
        let life = &mut self.lives[person];
        let day = Day::of_epoch(self.first_day + (life.until / DAY_MIN) as i64);
        life.live_on(day, &mut self.dice, &mut stays);
        self.enact(now, person, &stays);
    }

    /// Plans what there is to notice of a person's stays, and when that life goes on. What began before the fleet did is not noticed.
    fn enact(&mut self, now: Wall, person: usize, stays: &[Stay]) {
        let mut deeds = Deeds::new();
        let (life, sight) = (&self.lives[person], &self.sight);
        let until = self.origin + Millis((life.until * 60_000.0) as u64);
        let mut senses = Senses { sight, habits: &life.habits, dice: &mut self.dice, deeds: &mut deeds };
        stays.iter().for_each(|stay| senses.notice(*stay));
        deeds.sort();
        for (ms, deed) in deeds {
            let at = self.origin + Millis(ms);
            if at >= now || matches!(deed, Deed::Leave | Deed::Return) {
                self.plan(at.max(now), Doing::Deed(deed));
            }
        }
        self.plan(until.max(now), Doing::Live(person as u8));
    }

    /// Presses and dangers of a day, seldom; a call for help is often pressed twice. Power cuts, and sensors that see ghosts.
    fn plan_trouble(&mut self, now: Wall, options: &FleetOptions) {
        let midnight = now.0 - (now.0 - self.origin.0).rem_euclid(DAY_MS);
        self.plan(Wall(midnight + DAY_MS), Doing::Plan);
        let by_day = |dice: &mut Dice| {
            Wall(midnight + dice.between(6.0, 22.0) as i64 * 3_600_000 + dice.below(3_600_000) as i64)
        };
        if self.dice.chance(options.presses_per_home_month / MONTH_DAYS) {
            let at = by_day(&mut self.dice);
            let again = self.dice.chance(0.3).then(|| at + Millis(2_000 + self.dice.below(40_000) as u64));
            for at in [Some(at), again].into_iter().flatten().filter(|at| *at >= now) {
                self.plan(at, Doing::Press);
            }
        }
        for kind in [Kind::Smoke, Kind::Gas, Kind::Co, Kind::WaterLeak] {
            let Some(index) = self.find(kind) else { continue };
            if self.dice.chance(options.dangers_per_home_month / 4.0 / MONTH_DAYS) {
                let at = by_day(&mut self.dice);
                if at >= now {
                    self.plan(at, Doing::Danger(index));
                }
            }
        }
        if self.dice.chance(options.power_cuts_per_home_month / MONTH_DAYS) {
            let at = now + Millis(self.dice.below(DAY_MS as usize) as u64);
            let minutes = self.dice.around(DARK_MIN.0, DARK_MIN.1).clamp(2.0, DAY_MIN);
            self.plan(at, Doing::Order(Command::PowerCut(Millis((minutes * 60_000.0) as u64))));
        }
        let sensors: Vec<u8> = self.rooms.iter().flatten().copied().collect();
        if !sensors.is_empty() && self.dice.chance(options.ghosts_per_home_month / MONTH_DAYS) {
            let index = sensors[self.dice.below(sensors.len())];
            let (mut at, hours) = (self.dice.between(0.0, DAY_MIN), self.dice.between(2.0, 10.0));
            let until = at + hours * 60.0;
            while at < until {
                self.plan(now + Millis((at * 60_000.0) as u64), Doing::Ghost(index));
                at += 1.0 + self.dice.wait(GHOST_MIN);
            }
        }
    }

    fn moved(&mut self, at: Wall, place: Place, out: &mut VecDeque<Message>) {
        if let Some(index) = self.rooms[place as usize] {
            self.seen(at, index, out);
        }
    }

    /// Something moves before a motion sensor.
    fn seen(&mut self, at: Wall, index: u8, out: &mut VecDeque<Message>) {
        let device = &mut self.devices[usize::from(index)];
        if device.on && at.since(device.last_on) < PIR_BLIND {
            return;
        }
        device.last_on = at;
        self.plan(at + PIR_CLEAR, Doing::Clear(index));
        self.turn_to(at, index, true, Cause::Motion, out);
    }

    fn cleared(&mut self, at: Wall, index: u8, out: &mut VecDeque<Message>) {
        let still = self.devices.get(usize::from(index)).is_some_and(|d| at.since(d.last_on) >= PIR_CLEAR);
        if still {
            self.turn_to(at, index, false, Cause::Clear, out);
        }
    }

    fn heartbeat(&mut self, at: Wall, index: u8, options: &FleetOptions, out: &mut VecDeque<Message>) {
        let Some(device) = self.devices.get_mut(usize::from(index)) else { return };
        let local = at.0 + i64::from(options.utc_offset_min) * 60_000;
        device.age(local.rem_euclid(DAY_MS) as f64 / 3_600_000.0, &mut self.dice);
        let cause = if device.model.kind == Kind::Temperature { Cause::Climate } else { Cause::Battery };
        let payload = match (device.dialect, cause) {
            (Dialect::Zigbee2Mqtt, _) => device.payload(None, &mut self.dice),
            (Dialect::Own, Cause::Climate) => device.own_news(None),
            (Dialect::Own, _) => device.own_heartbeat(),
        };
        let (topic, next) = (device.topic.clone(), device.next_heartbeat(&mut self.dice));
        self.send(at, topic, payload, cause, out);
        self.plan(at + Millis(next.max(1)), Doing::Heartbeat(index));
    }

    /// The button in its own spelling.
    fn press(&mut self, at: Wall, out: &mut VecDeque<Message>) {
        let Some(index) = self.find(Kind::Sos) else { return };
        let device = &mut self.devices[usize::from(index)];
        device.on = device.dialect == Dialect::Own || device.model.has_state();
        let id = self.dice.roll();
        let (topic, quirk, model) = (device.topic.clone(), device.quirk, device.model);
        if device.dialect == Dialect::Own {
            let payload = device.own_news(Some(id));
            device.on = false;
            return self.send(at, topic, payload, Cause::Sos, out);
        }
        let payload = device.payload(model.action(), &mut self.dice);
        let cleared = device.payload(Some(""), &mut self.dice);
        self.send(at, topic.clone(), payload, Cause::Sos, out);
        if model.has_state() {
            // A latched one stays true for ever: its next report repeats the press.
            if model.action().is_some() || !quirk {
                self.plan(at + PRESS_HELD, Doing::Release);
            }
        } else if let (true, Some(action)) = (quirk, model.action()) {
            self.send(at, format!("{topic}/action").into(), action.to_owned(), Cause::Echo, out);
            self.send(at, topic, cleared, Cause::Echo, out);
        }
    }

    fn danger(&mut self, at: Wall, index: u8, out: &mut VecDeque<Message>) {
        let cause = match self.devices.get(usize::from(index)).map(|d| d.model.kind) {
            Some(Kind::Smoke) => Cause::Smoke,
            Some(Kind::Gas) => Cause::Gas,
            Some(Kind::Co) => Cause::Co,
            _ => Cause::WaterLeak,
        };
        self.turn_to(at, index, true, cause, out);
        let lasts = self.dice.between(180.0, 600.0) as u64;
        self.plan(at + Millis::from_secs(lasts), Doing::DangerOver(index));
    }

    fn obey(&mut self, at: Wall, command: Command, out: &mut VecDeque<Message>) {
        match command {
            Command::Press => self.press(at, out),
            Command::Danger(kind) => {
                if let Some(index) = self.find(kind) {
                    self.danger(at, index, out);
                }
            }
            Command::Collapse => self.silent = true,
            Command::Recover => self.silent = false,
            Command::PowerCut(length) => {
                self.availability(at, false, out);
                self.dark = true;
                self.plan(at + length, Doing::PowerBack);
            }
        }
    }

    fn set(&mut self, at: Wall, kind: Kind, on: bool, cause: Cause, out: &mut VecDeque<Message>) {
        if let Some(index) = self.find(kind) {
            self.turn_to(at, index, on, cause, out);
        }
    }

    fn turn_to(&mut self, at: Wall, index: u8, on: bool, cause: Cause, out: &mut VecDeque<Message>) {
        let Some(device) = self.devices.get_mut(usize::from(index)) else { return };
        device.on = on;
        let payload = match device.dialect {
            Dialect::Zigbee2Mqtt => device.payload(None, &mut self.dice),
            Dialect::Own => device.own_news(None),
        };
        let topic = device.topic.clone();
        self.send(at, topic, payload, cause, out);
    }

    /// Every device is there; a Zigbee hub also repeats the last state of each, as it does after a restart.
    fn recall(&mut self, at: Wall, out: &mut VecDeque<Message>) {
        self.availability(at, true, out);
        for index in 0..self.devices.len() {
            let device = &self.devices[index];
            if device.dialect == Dialect::Zigbee2Mqtt {
                let payload = device.payload(None, &mut self.dice);
                self.send(at, device.topic.clone(), payload, Cause::Battery, out);
            }
        }
    }

    fn availability(&mut self, at: Wall, online: bool, out: &mut VecDeque<Message>) {
        let cause = if online { Cause::Online } else { Cause::Offline };
        for index in 0..self.devices.len() {
            let topic = &self.devices[index].topic;
            let (topic, payload, retain) = match self.devices[index].dialect {
                Dialect::Zigbee2Mqtt => {
                    let state = if online { "online" } else { "offline" };
                    (format!("{topic}/availability").into(), format!(r#"{{"state":"{state}"}}"#), true)
                }
                Dialect::Own => (topic.clone(), format!(r#"{{"kind":"online","value":{online}}}"#), false),
            };
            self.push(Message { at, topic, payload, retain, cause, home: Some(self.place) }, out);
        }
    }

    fn send(&self, at: Wall, topic: Arc<str>, payload: String, cause: Cause, out: &mut VecDeque<Message>) {
        self.push(Message { at, topic, payload, retain: false, cause, home: Some(self.place) }, out);
    }

    fn push(&self, message: Message, out: &mut VecDeque<Message>) {
        if !self.dark && !self.unheard {
            out.push_back(message);
        }
    }
}
