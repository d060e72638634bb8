//! The homes of a recording, and time for them: one heap of deadlines and of the pretend caseworker's visits.

use super::lines::{Change, Found, Lines, Summary};
use super::{Options, ReplayError, Source};
use crate::engine::alarm::{Act, Alarm, Attention, CloseCode, SafeHow};
use crate::engine::change::{AlarmChange, HomeChange, Introduction};
use crate::engine::home::{self, Place, State};
use crate::engine::id::{Address, AlarmId, HomeId, ResponderId, SourceId};
use crate::engine::input::{Heard, HomeInput};
use crate::engine::kind::{AlarmKind, Kind, Nature, Shape};
use crate::engine::policy::{HomePolicy, Resolver};
use crate::engine::reading::{Form, Reading, Value};
use crate::engine::registry::{Home, Status};
use crate::engine::time::{Millis, Stamp, Stamped, Tick, Wall};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::io::Write;

/// The pretend caseworker comes after this.
const CARE_AFTER: Millis = Millis::from_mins(10);
/// So long a copy of a home stays silent after a collapse.
const COLLAPSE: Millis = Millis::from_mins(24 * 60);
/// Devices of one home at most.
const MOST_DEVICES: usize = 4_096;

/// A line's fields but its time, as bytes.
pub struct Told<'a> {
    pub home: &'a [u8],
    pub device: &'a [u8],
    pub room: &'a [u8],
    pub kind: &'a [u8],
    pub value: &'a [u8],
}

/// From here on a copy of the home is silent.
pub struct Collapse {
    pub at: Wall,
    pub home: Box<str>,
}

/// What is wrong with a line, or with the answers' file.
pub enum Fault {
    Line(String),
    Answers(ReplayError),
}

impl Fault {
    /// The error of this line.
    pub fn at(self, source: Source, line: u64) -> ReplayError {
        match self {
            Fault::Line(what) => ReplayError::Line { source, line, what },
            Fault::Answers(error) => error,
        }
    }
}

impl From<ReplayError> for Fault {
    fn from(error: ReplayError) -> Fault {
        Fault::Answers(error)
    }
}

/// A device's place in its home, and the room that it was met in.
type Devices = HashMap<Box<[u8]>, (u16, Box<[u8]>)>;

/// One home of the recording.
struct Household {
    policy: HomePolicy,
    state: State,
    devices: Devices,
    /// The heap's earliest entry for it.
    wake: Option<Tick>,
    /// Visits to come, in order.
    visits: VecDeque<(Tick, AlarmId)>,
    first: Wall,
    last: Wall,
}

/// All homes, at one moment.
pub struct Street<'a, W: Write> {
    options: &'a Options,
    lines: Lines<W>,
    households: Vec<Household>,
    numbers: HashMap<Box<[u8]>, u32>,
    heap: BinaryHeap<Reverse<(Tick, u32)>>,
    collapses: VecDeque<Collapse>,
    out: home::Out,
    next_alarm: u64,
    source: SourceId,
    caseworker: ResponderId,
    /// The home of the line before: recordings often stay in one for a while.
    lately: Option<u32>,
    now: Option<Wall>,
    summary: Summary,
}

impl<'a, W: Write> Street<'a, W> {
    pub fn new(options: &'a Options, lines: Lines<W>) -> Street<'a, W> {
        Street {
            options,
            lines,
            households: Vec::new(),
            numbers: HashMap::new(),
            heap: BinaryHeap::new(),
            collapses: VecDeque::new(),
            out: home::Out::default(),
            next_alarm: 1,
            source: SourceId::cut("recording"),
            caseworker: ResponderId::cut("replay"),
            lately: None,
            now: None,
            summary: Summary::default(),
        }
    }

    /// The collapses to come, in time order.
    pub fn expect(&mut self, collapses: Vec<Collapse>) {
        self.collapses = collapses.into();
    }

    /// Takes a line in; everything that was due before it happens first.
    pub fn hear(&mut self, at: Wall, told: &Told<'_>) -> Result<(), Fault> {
        self.summary.span.0 += self.now.map_or(0, |before| at.since(before).0);
        self.now = Some(at);
        while self.collapses.front().is_some_and(|c| c.at < at) {
            self.next_collapse()?;
        }
        self.advance(at)?;
        let kind = kind_of(told.kind).ok_or_else(|| unknown("kind", told.kind))?;
        let value = value_of(kind, told.value).ok_or_else(|| unknown(&format!("value of {kind}"), told.value))?;
        let home = self.home(told.home, at)?;
        self.households[home as usize].last = at;
        self.summary.readings += 1;
        if kind == Kind::Online {
            let online = value == Value::Flag(true);
            return Ok(self.step(home, at, HomeInput::Bridge { online })?);
        }
        let device = self.device(home, at, told)?;
        // Each row is an event: a person did it, or a detector said it then.
        let event = kind.activity() || kind.alarm().is_some_and(|a| a.nature() == Nature::Press);
        let form = if event { Form::Event } else { Form::Edge };
        let readings = vec![Reading::new(kind, value, form)];
        let heard = Heard { device, readings, device_time: None, rest: 0, event: None, retained: false, echo: false };
        Ok(self.step(home, at, HomeInput::Heard(heard))?)
    }

    fn home(&mut self, name: &[u8], at: Wall) -> Result<u32, Fault> {
        if let Some(number) = self.lately
            && self.households[number as usize].policy.home.as_str().as_bytes() == name
        {
            return Ok(number);
        }
        let number = match self.numbers.get(name) {
            Some(number) => *number,
            None => self.settle(name, at)?,
        };
        self.lately = Some(number);
        Ok(number)
    }

    /// A home that the recording names for the first time.
    fn settle(&mut self, name: &[u8], at: Wall) -> Result<u32, Fault> {
        let text = std::str::from_utf8(name).map_err(|_| unknown("home", name))?;
        let id = HomeId::new(text).map_err(|why| Fault::Line(format!("home {text}: {why}")))?;
        let resolver = Resolver::new(&self.options.rules, &self.options.registry);
        let policy = match self.options.registry.homes.get(&id) {
            Some(home) => resolver.home(home),
            None => resolver.home(&stranger(id, self.options)),
        };
        let (devices, state, visits) = (Devices::new(), State::default(), VecDeque::new());
        let number = self.households.len() as u32;
        self.households.push(Household { policy, state, devices, wake: None, visits, first: at, last: at });
        self.numbers.insert(name.into(), number);
        Ok(number)
    }

    fn device(&mut self, home: u32, at: Wall, told: &Told<'_>) -> Result<u16, Fault> {
        let devices = &self.households[home as usize].devices;
        let known = devices.get(told.device);
        if let Some((slot, room)) = known
            && **room == *told.room
        {
            return Ok(*slot);
        }
        if known.is_none() && devices.len() == MOST_DEVICES {
            return Err(Fault::Line(format!("more than {MOST_DEVICES} devices in one home")));
        }
        let slot = known.map_or(devices.len() as u16, |(slot, _)| *slot);
        let new = Introduction {
            device: slot,
            source: self.source.clone(),
            address: Address::cut(&String::from_utf8_lossy(told.device)),
            room: String::from_utf8_lossy(told.room).into(),
            registered: true,
        };
        self.households[home as usize].devices.insert(told.device.into(), (slot, told.room.into()));
        self.step(home, at, HomeInput::Met(new))?;
        Ok(slot)
    }

    /// Lets everything happen that is due up to `until`.
    fn advance(&mut self, until: Wall) -> Result<(), ReplayError> {
        let until = tick(until);
        while let Some(Reverse((at, home))) = self.heap.peek().copied().filter(|Reverse((at, _))| *at <= until) {
            self.heap.pop();
            let household = &mut self.households[home as usize];
            if household.wake != Some(at) {
                continue;
            }
            household.wake = None;
            match household.visits.front().filter(|(when, _)| *when <= at) {
                Some(_) => self.visit(home, at)?,
                None => self.look(home, at)?,
            }
        }
        Ok(())
    }

    fn look(&mut self, home: u32, at: Tick) -> Result<(), ReplayError> {
        let household = &self.households[home as usize];
        match home::next_wake(&household.policy, &household.state, stamp(wall(at)), false) {
            Some(next) if next <= at => self.step(home, wall(at), HomeInput::Due),
            _ => {
                self.schedule(home, at);
                Ok(())
            }
        }
    }

    /// The caseworker confirms that all is well, and closes the alarm.
    fn visit(&mut self, home: u32, at: Tick) -> Result<(), ReplayError> {
        let Some((_, alarm)) = self.households[home as usize].visits.pop_front() else { return Ok(()) };
        for act in [Act::Safe(SafeHow::Seen), Act::Close(CloseCode::Helped)] {
            let (alarm, by) = (alarm.clone(), self.caseworker.clone());
            self.step(home, wall(at), HomeInput::Act { alarm, act, by, revision: None })?;
        }
        self.schedule(home, at);
        Ok(())
    }

    fn schedule(&mut self, home: u32, now: Tick) {
        let household = &mut self.households[home as usize];
        let visit = household.visits.front().map(|(at, _)| *at);
        let wish = home::next_wake(&household.policy, &household.state, stamp(wall(now)), false);
        let Some(next) = visit.into_iter().chain(wish).min() else { return };
        if household.wake.is_none_or(|wake| next < wake) {
            household.wake = Some(next);
            self.heap.push(Reverse((next, home)));
        }
    }

    fn step(&mut self, home: u32, at: Wall, input: HomeInput) -> Result<(), ReplayError> {
        let household = &mut self.households[home as usize];
        let place = Place { home, next_alarm: self.next_alarm };
        home::step(&household.policy, &place, &household.state, Stamped::new(stamp(at), input), &mut self.out);
        for change in self.out.changes.drain(..) {
            if let Some((alarm, what)) = told(&household.state, &change) {
                self.lines.alarm(at, household.policy.home.as_str(), &alarm, what)?;
                if what == Change::Raised {
                    *self.summary.raised.entry(alarm.kind).or_default() += 1;
                    self.next_alarm = self.next_alarm.max(alarm.id.number + 1);
                    if self.options.care && !alarm.kind.quiet() {
                        household.visits.push_back((tick(at) + CARE_AFTER, alarm.id.clone()));
                    }
                }
            }
            household.state.apply(&change, stamp(at));
        }
        self.out.clear();
        self.schedule(home, tick(at));
        Ok(())
    }

    fn next_collapse(&mut self) -> Result<(), ReplayError> {
        let Some(Collapse { at, home: name }) = self.collapses.pop_front() else { return Ok(()) };
        self.advance(at)?;
        self.summary.collapses += 1;
        let mut found = Found { home: &name, collapse_at: at, checked_at: None, raised: None };
        if let Some(home) = self.numbers.get(name.as_bytes()) {
            let household = &self.households[*home as usize];
            let mut copy = Copy {
                policy: &household.policy,
                state: household.state.clone(),
                visits: household.visits.clone(),
                caseworker: &self.caseworker,
                next_alarm: self.next_alarm,
            };
            copy.fall_silent(&mut found);
        }
        self.lines.collapse(&found)
    }

    /// Everything has been heard.
    pub fn end(mut self) -> Result<Summary, ReplayError> {
        while !self.collapses.is_empty() {
            self.next_collapse()?;
        }
        self.summary.homes = self.households.len() as u64;
        self.summary.home_time.0 = self.households.iter().map(|h| h.last.since(h.first).0).sum();
        self.lines.finish()?;
        Ok(self.summary)
    }
}

/// A home that collapses apart from the recording. Visits that were under way still come; a new alarm ends it.
struct Copy<'a> {
    policy: &'a HomePolicy,
    state: State,
    visits: VecDeque<(Tick, AlarmId)>,
    caseworker: &'a ResponderId,
    next_alarm: u64,
}

impl Copy<'_> {
    fn fall_silent(&mut self, found: &mut Found<'_>) {
        let mut now = tick(found.collapse_at);
        let end = now + COLLAPSE;
        self.step(now, HomeInput::Bridge { online: true }, found);
        while found.raised.is_none() {
            let visit = self.visits.front().map(|(at, _)| *at);
            let wish = home::next_wake(self.policy, &self.state, stamp(wall(now)), false);
            let Some(next) = visit.into_iter().chain(wish).min().filter(|at| *at <= end) else { return };
            now = next.max(now);
            let visit = visit.filter(|at| *at <= now).and_then(|_| self.visits.pop_front());
            match visit {
                Some((_, alarm)) => {
                    for act in [Act::Safe(SafeHow::Seen), Act::Close(CloseCode::Helped)] {
                        let (alarm, by) = (alarm.clone(), self.caseworker.clone());
                        self.step(now, HomeInput::Act { alarm, act, by, revision: None }, found);
                    }
                }
                None => self.step(now, HomeInput::Due, found),
            }
        }
    }

    fn step(&mut self, now: Tick, input: HomeInput, found: &mut Found<'_>) {
        let mut out = home::Out::default();
        let place = Place { home: 0, next_alarm: self.next_alarm };
        let at = stamp(wall(now));
        home::step(self.policy, &place, &self.state, Stamped::new(at, input), &mut out);
        for change in out.changes {
            if let Some((alarm, Change::Raised)) = told(&self.state, &change) {
                self.next_alarm = self.next_alarm.max(alarm.id.number + 1);
                match alarm.kind {
                    AlarmKind::InactivityCheck => found.checked_at = found.checked_at.or(Some(at.wall)),
                    AlarmKind::Inactivity => found.raised = Some((at.wall, alarm.reason)),
                    _ => {}
                }
            }
            self.state.apply(&change, at);
        }
    }
}

/// What a change tells of an alarm, if anything. An alarm that comes again after it was over or settled is raised again.
fn told(state: &State, change: &HomeChange) -> Option<(Alarm, Change)> {
    match change {
        HomeChange::Raised(alarm) => Some(((**alarm).clone(), Change::Raised)),
        HomeChange::Closed { alarm, .. } => Some(((**alarm).clone(), Change::Closed)),
        HomeChange::Alarm { kind, change } => {
            let mut alarm = state.alarm(*kind)?.clone();
            let what = match change {
                AlarmChange::Counted { reason: Some(reason), .. } => {
                    alarm.reason = reason.clone();
                    Change::Raised
                }
                AlarmChange::Over { .. } => Change::Over,
                AlarmChange::Attention { attention: Attention::Taken { .. }, .. } => Change::Seen,
                _ => return None,
            };
            Some((alarm, what))
        }
        _ => None,
    }
}

fn stranger(id: HomeId, options: &Options) -> Home {
    let site = options.rules.site.clone();
    let (status, rules) = (Status::Active, Default::default());
    Home { id, site, plan: None, status, rules, community: None, block: None, details: None }
}

fn unknown(what: &str, found: &[u8]) -> Fault {
    let found: String = String::from_utf8_lossy(found).chars().take(60).collect();
    Fault::Line(format!("no {what} is {found:?}"))
}

fn kind_of(name: &[u8]) -> Option<Kind> {
    match name {
        b"motion" => Some(Kind::Motion),
        b"contact" => Some(Kind::Contact),
        other => std::str::from_utf8(other).ok().and_then(Kind::parse),
    }
}

fn value_of(kind: Kind, text: &[u8]) -> Option<Value> {
    match (kind.shape(), text) {
        (Shape::Flag, b"true" | b"1") => Some(Value::Flag(true)),
        (Shape::Flag, b"false" | b"0") => Some(Value::Flag(false)),
        (Shape::Door, b"open") => Some(Value::Open(true)),
        (Shape::Door, b"closed") => Some(Value::Open(false)),
        (Shape::Number(_), number) => {
            let number: f64 = std::str::from_utf8(number).ok()?.trim().parse().ok()?;
            number.is_finite().then_some(Value::Number(number))
        }
        (Shape::Text, text) => std::str::from_utf8(text).ok().map(|t| Value::Text(t.into())),
        _ => None,
    }
}

/// Ticks count from far before any recording, so that none is negative.
const BEFORE_ALL: i64 = 100_000_000_000_000;

fn tick(at: Wall) -> Tick {
    Tick(at.0.saturating_add(BEFORE_ALL).max(0) as u64)
}

fn wall(at: Tick) -> Wall {
    Wall((at.0 as i64).saturating_sub(BEFORE_ALL))
}

/// In a recording the site always hears, and its clocks agree.
fn stamp(at: Wall) -> Stamp {
    Stamp { tick: tick(at), wall: at, heard: tick(at) }
}
