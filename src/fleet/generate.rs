//! The fleet as a stream: a heap of homes by the time of what happens next in each.

use super::device::{Device, Dialect};
use super::dice::Dice;
use super::home::{self, FleetHome};
use super::household::{Doing, Household};
use crate::engine::kind::Kind;
use crate::engine::time::{Millis, Wall};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;

/// The base topic of the one Zigbee2MQTT instance.
const BASE: &str = "zigbee2mqtt";
/// The most homes of a fleet.
pub const MAX_HOMES: u32 = 100_000;
/// The longest outage that can be ordered: every outage ends by itself.
const LONGEST_OUTAGE: Millis = Millis::from_mins(30 * 24 * 60);
/// `bridge/devices` lists whole homes up to this size: a real instance serves a few hundred devices, and a list of a whole
/// city would pass no broker's limit.
const MAX_BRIDGE_DEVICES_BYTES: usize = 256 * 1024;
/// Time over which the homes report for the first time.
const ARRIVAL: Millis = Millis::from_mins(60);
/// Time over which the homes of one hub report when it is back.
const RETURN: Millis = Millis::from_secs(15);

/// Why a message was sent; the words of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    Motion,
    /// A sensor or a button falls back to rest.
    Clear,
    /// The entrance door.
    Open,
    Shut,
    /// A press. Reports that repeat one are [`Cause::Battery`].
    Sos,
    Smoke,
    Gas,
    Co,
    WaterLeak,
    Climate,
    /// A report without news: the hub's cached state once more.
    Battery,
    /// Another telling of a press: Home Assistant's text beside the JSON.
    Echo,
    Online,
    Offline,
    Bridge,
}

impl Cause {
    /// The word of the report.
    pub fn name(self) -> &'static str {
        match self {
            Cause::Motion => "motion",
            Cause::Clear => "clear",
            Cause::Open => "door_open",
            Cause::Shut => "door_closed",
            Cause::Sos => "sos",
            Cause::Smoke => "smoke",
            Cause::Gas => "gas",
            Cause::Co => "co",
            Cause::WaterLeak => "water_leak",
            Cause::Climate => "climate",
            Cause::Battery => "battery",
            Cause::Echo => "echo",
            Cause::Online => "online",
            Cause::Offline => "offline",
            Cause::Bridge => "bridge",
        }
    }
}

/// One message of the fleet; always QoS 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Simulated time.
    pub at: Wall,
    pub topic: Arc<str>,
    /// JSON, or the bare text of an echo.
    pub payload: String,
    pub retain: bool,
    pub cause: Cause,
    /// The place of its home in [`Fleet::homes`]; none for what the bridge says of itself.
    pub home: Option<usize>,
}

/// What can be ordered to happen in a home.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Command {
    /// Somebody presses the SOS button.
    Press,
    /// Smoke, gas, co or water_leak, for some minutes.
    Danger(Kind),
    /// Nobody moves any more, until [`Command::Recover`]; the devices go on reporting.
    Collapse,
    Recover,
    /// The home is without power for so long (at most 30 days); its devices go offline.
    PowerCut(Millis),
}

/// An order that nothing in the fleet can carry out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Impossible {
    NoSuchHome,
    /// The home has no device that could tell of it.
    NoSuchDevice,
}

impl fmt::Display for Impossible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Impossible::NoSuchHome => "the fleet has no home of this id",
            Impossible::NoSuchDevice => "this home has no device that could tell of it",
        })
    }
}

impl std::error::Error for Impossible {}

/// How the fleet lives.
#[derive(Debug, Clone, PartialEq)]
pub struct FleetOptions {
    /// The site that all homes belong to; a level of the own dialect's topics.
    pub site: String,
    /// The simulated time at which it begins.
    pub start: Wall,
    /// Local time, in minutes east of UTC; without daylight saving.
    pub utc_offset_min: i32,
    /// Every so many-th home speaks the product's own dialect instead of Zigbee2MQTT; 0 for none.
    pub own_dialect_every: u32,
    /// How often a call for help happens by itself, per home and month.
    pub presses_per_home_month: f64,
    /// How often smoke, gas, carbon monoxide or a leak happens by itself, per home and month.
    pub dangers_per_home_month: f64,
    /// How often a home is without power for a while.
    pub power_cuts_per_home_month: f64,
    /// How often a motion sensor sees for hours what nobody caused.
    pub ghosts_per_home_month: f64,
}

impl Default for FleetOptions {
    /// The site `demo` in China, a fixed morning in spring, and about as many calls for help as real programmes count; nothing breaks.
    fn default() -> FleetOptions {
        FleetOptions {
            site: "demo".to_owned(),
            start: Wall(1_772_409_600_000), // 2026-03-02T08:00:00+08:00, a Monday
            utc_offset_min: 480,
            own_dialect_every: 10,
            presses_per_home_month: 0.3,
            dangers_per_home_month: 0.05,
            power_cuts_per_home_month: 0.0,
            ghosts_per_home_month: 0.0,
        }
    }
}

/// Simulated homes, and the endless stream of their messages in order of simulated time.
#[derive(Debug)]
pub struct Fleet {
    options: FleetOptions,
    homes: Vec<FleetHome>,
    households: Vec<Household>,
    /// When each home is looked at next; an entry of the heap that says otherwise is void.
    queued: Vec<Wall>,
    queue: BinaryHeap<Reverse<(Wall, usize)>>,
    /// When the hub goes down (false) or comes back (true).
    hub: BinaryHeap<Reverse<(Wall, bool)>>,
    ready: VecDeque<Message>,
    now: Wall,
}

impl Fleet {
    /// Invents `homes` households (at most [`MAX_HOMES`]) from a seed. The same arguments give the same messages.
    pub fn new(seed: u64, homes: u32, options: FleetOptions) -> Fleet {
        Fleet::of(seed, 1..=homes.min(MAX_HOMES), options)
    }

    /// Some of the households of such a fleet, as they live in the whole.
    pub fn of(seed: u64, numbers: RangeInclusive<u32>, options: FleetOptions) -> Fleet {
        let count = numbers.clone().count();
        let mut fleet = Fleet {
            homes: Vec::with_capacity(count),
            households: Vec::with_capacity(count),
            queued: Vec::with_capacity(count),
            queue: BinaryHeap::new(),
            hub: BinaryHeap::new(),
            ready: VecDeque::new(),
            now: options.start,
            options,
        };
        for number in numbers {
            fleet.settle(seed, number);
        }
        fleet.bridge(true);
        fleet
    }

    /// Invents one home.
    fn settle(&mut self, seed: u64, number: u32) {
        let options = &self.options;
        let own = options.own_dialect_every;
        let (dialect, base) = match own > 0 && number.is_multiple_of(own) {
            true => (Dialect::Own, format!("hearthwatch/{}", options.site)),
            false => (Dialect::Zigbee2Mqtt, BASE.to_owned()),
        };
        let mut dice = Dice::new(seed, number.into());
        let (home, models) = home::invent(number, &options.site, dialect, &mut dice);
        let devices = home.devices.iter().zip(models);
        let devices =
            devices.map(|(d, m)| Device::invent(m, &format!("{base}/{}", d.address), dialect, &mut dice)).collect();
        let place = self.households.len();
        self.households.push(Household::new(place, devices, home.residents.len(), options, ARRIVAL, dice));
        self.homes.push(home);
        self.queued.push(Wall(i64::MAX));
        self.requeue(place);
    }

    /// The homes as a registry wants them; home `h0001` comes first.
    pub fn homes(&self) -> &[FleetHome] {
        &self.homes
    }

    /// Whether everybody who lives in the home at this place of [`Fleet::homes`] is in, and it is heard, as of the last message.
    pub fn all_in(&self, place: usize) -> bool {
        self.households[place].all_in()
    }

    /// Orders something to happen in a home at `at`, or at once where that is past.
    pub fn command(&mut self, at: Wall, home: &str, command: Command) -> Result<(), Impossible> {
        let index = self.homes.iter().position(|h| h.id == home).ok_or(Impossible::NoSuchHome)?;
        let household = &mut self.households[index];
        let command = match command {
            Command::Danger(kind) if household.find(kind).is_none() => return Err(Impossible::NoSuchDevice),
            Command::Danger(Kind::Smoke | Kind::Gas | Kind::Co | Kind::WaterLeak) => command,
            Command::Danger(_) => return Err(Impossible::NoSuchDevice),
            Command::PowerCut(length) => Command::PowerCut(length.min(LONGEST_OUTAGE)),
            other => other,
        };
        household.plan(at.max(self.now), Doing::Order(command));
        self.requeue(index);
        Ok(())
    }

    /// Orders the Zigbee2MQTT instance to be down from `at` for so long (at most 30 days). What its homes do meanwhile is
    /// lost; when it is back it says all it knows.
    pub fn hub_outage(&mut self, at: Wall, length: Millis) {
        let at = at.max(self.now);
        self.hub.push(Reverse((at, false)));
        self.hub.push(Reverse((at + length.min(LONGEST_OUTAGE), true)));
    }

    /// The next message that is due by `until`, or none. Calls with a later `until` go on from there.
    pub fn next_by(&mut self, until: Wall) -> Option<Message> {
        while self.ready.is_empty() {
            let home = self.queue.peek().map(|Reverse((at, _))| *at);
            let hub = self.hub.peek().map(|Reverse((at, _))| *at);
            let next = home.into_iter().chain(hub).min().filter(|at| *at <= until)?;
            if hub == Some(next) {
                self.turn_hub();
            } else {
                self.turn_home();
            }
        }
        if self.ready.front()?.at > until {
            return None;
        }
        self.ready.pop_front()
    }

    fn turn_home(&mut self) {
        let Some(Reverse((at, index))) = self.queue.pop() else { return };
        if self.queued[index] != at {
            return;
        }
        self.now = at;
        self.households[index].turn(&self.options, &mut self.ready);
        self.queued[index] = Wall(i64::MAX);
        self.requeue(index);
    }

    /// Enters the home's next time, unless it is entered already.
    fn requeue(&mut self, index: usize) {
        if let Some(at) = self.households[index].next_at().filter(|at| *at < self.queued[index]) {
            self.queued[index] = at;
            self.queue.push(Reverse((at, index)));
        }
    }

    fn turn_hub(&mut self) {
        let Some(Reverse((at, up))) = self.hub.pop() else { return };
        self.now = at;
        self.bridge(up);
        let count = self.households.len().max(1) as u64;
        for index in 0..self.households.len() {
            let household = &mut self.households[index];
            if !household.on_bridge() {
                continue;
            }
            household.hub(up);
            if up {
                household.plan(at + Millis(index as u64 * RETURN.0 / count), Doing::Recall);
                self.requeue(index);
            }
        }
    }

    /// What the Zigbee2MQTT instance says of itself.
    fn bridge(&mut self, up: bool) {
        let state = if up { r#"{"state":"online"}"# } else { r#"{"state":"offline"}"# };
        let mut say = |topic: &str, payload: String| {
            let topic = format!("{BASE}/bridge/{topic}").into();
            self.ready.push_back(Message {
                at: self.now,
                topic,
                payload,
                retain: true,
                cause: Cause::Bridge,
                home: None,
            });
        };
        say("state", state.to_owned());
        if up {
            say("devices", device_list(&self.homes, &self.households));
        }
    }
}

/// `bridge/devices`: the coordinator, and whole homes as far as there is room.
fn device_list(homes: &[FleetHome], households: &[Household]) -> String {
    let mut list = concat!(
        r#"[{"disabled":false,"endpoints":{},"friendly_name":"Coordinator","ieee_address":"0x00124b0012014400","#,
        r#""interview_completed":true,"interviewing":false,"network_address":0,"supported":true,"type":"Coordinator"}"#
    )
    .to_owned();
    for (number, (home, household)) in homes.iter().zip(households).enumerate().filter(|(_, (_, h))| h.on_bridge()) {
        let before = list.len();
        for (index, (plain, device)) in home.devices.iter().zip(household.devices()).enumerate() {
            let ieee = 0x0015_8d00_0000_0000 + ((number as u64) << 8) + index as u64;
            list.push(',');
            list.push_str(&device.announcement(&plain.address, ieee).to_string());
        }
        if list.len() > MAX_BRIDGE_DEVICES_BYTES {
            list.truncate(before);
            break;
        }
    }
    list.push(']');
    list
}

impl Iterator for Fleet {
    type Item = Message;

    /// The next message whenever it is; none only where the fleet has no homes.
    fn next(&mut self) -> Option<Message> {
        self.next_by(Wall(i64::MAX))
    }
}

#[cfg(test)]
#[path = "generate_tests.rs"]
mod tests;
