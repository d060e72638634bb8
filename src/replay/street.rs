//! The homes of a recording. No home knows of another, so each goes on when its next line comes: first all that was due up to
//! then, then the line. A home's recording ends with its last line; an `online` line prolongs one.

use super::hours::{Hours, of_a_file, tick};
use super::lines::{Change, Difference, Found, Lines, Summary};
use super::past::is_judged;
use super::said::{heard, kind_of, value_of};
use super::{Options, ReplayError, Source};
use crate::engine::alarm::{Act, Alarm, Attention, CloseCode, SafeHow};
use crate::engine::change::{AlarmChange, HomeChange, Introduction};
use crate::engine::home::{self, Place, State};
use crate::engine::id::{Address, AlarmId, HomeId, ResponderId, SourceId};
use crate::engine::input::HomeInput;
use crate::engine::kind::{AlarmKind, Kind};
use crate::engine::policy::{HomePolicy, Resolver};
use crate::engine::reading::Value;
use crate::engine::registry::Home;
use crate::engine::time::{Millis, Stamp, Stamped, Tick, Wall};
use std::collections::{HashMap, VecDeque};
use std::io::Write;
use std::sync::Arc;

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

/// One home of the recording.
#[derive(Clone)]
struct Household {
    policy: Arc<HomePolicy>,
    state: State,
    devices: u16,
    /// Nothing is due before it.
    wake: Tick,
    /// Visits to come, in order.
    visits: VecDeque<(Tick, AlarmId)>,
    next_alarm: u64,
    first: Wall,
    last: Wall,
}

/// What an alarm's change was, and when.
type Event = (Wall, Alarm, Change);

impl Household {
    fn new(mut policy: HomePolicy, at: Wall) -> Household {
        // What a recording says of the radio are its `online` rows; without them it was heard throughout.
        policy.rules.radio_least_s = 0;
        Household {
            policy: Arc::new(policy),
            state: State::default(),
            devices: 0,
            wake: Tick(u64::MAX),
            visits: VecDeque::new(),
            next_alarm: 1,
            first: at,
            last: at,
        }
    }

    /// When the next visit comes or the machine wants to be looked at.
    fn next(&self, now: Stamp, deaf: bool) -> Tick {
        let visit = self.visits.front().map(|(at, _)| *at);
        let wish = home::next_wake(&self.policy, &self.state, now, deaf);
        visit.into_iter().chain(wish).min().unwrap_or(Tick(u64::MAX))
    }

    /// Lets happen what is due up to `until`, with what comes of it in `events`; stops at the first that `enough` is said of.
    fn advance(&mut self, until: Tick, desk: &mut Desk, events: &mut Vec<Event>, enough: impl Fn(&Event) -> bool) {
        while self.wake <= until {
            let now = self.wake;
            match self.visits.front().filter(|(at, _)| *at <= now).map(|(_, alarm)| alarm.clone()) {
                Some(alarm) => {
                    self.visits.pop_front();
                    for act in [Act::Safe(SafeHow::Seen), Act::Close(CloseCode::Accidental)] {
                        let (alarm, by) = (alarm.clone(), desk.caseworker.clone());
                        self.step(now, HomeInput::Act { alarm, act, by, revision: None }, desk, events);
                    }
                }
                None => self.step(now, HomeInput::Due, desk, events),
            }
            if events.iter().any(&enough) {
                return;
            }
        }
    }

    fn step(&mut self, now: Tick, input: HomeInput, desk: &mut Desk, events: &mut Vec<Event>) {
        let at = desk.hours.stamp(now);
        let place = Place { home: 0, next_alarm: self.next_alarm, desk_empty: false };
        home::step(&self.policy, &place, &self.state, Stamped::new(at, input), &mut desk.out);
        for change in desk.out.changes.drain(..) {
            if let Some((alarm, what)) = told(&self.state, &change) {
                if what == Change::Raised {
                    self.next_alarm = self.next_alarm.max(alarm.id.number + 1);
                    if desk.care && !alarm.kind.quiet() && (!desk.judged_only || is_judged(alarm.kind)) {
                        self.visits.push_back((now + CARE_AFTER, alarm.id.clone()));
                    }
                }
                events.push((at.wall, alarm, what));
            }
            self.state.apply(&change, at);
        }
        desk.out.clear();
        self.wake = self.next(at, desk.hours.deaf);
    }
}

/// What all steps share.
struct Desk {
    hours: Hours,
    /// Nobody comes for what devices said: the people who came then are in the journal.
    judged_only: bool,
    out: home::Out,
    care: bool,
    caseworker: ResponderId,
}

/// All homes.
pub struct Street<'a, W: Write> {
    options: &'a Options,
    lines: Lines<W>,
    households: Vec<Household>,
    /// By the name of a home.
    numbers: HashMap<Box<[u8]>, u32>,
    /// By the names of home, device and room in one.
    routes: HashMap<Box<[u8]>, (u32, u16)>,
    route: Vec<u8>,
    /// By home, in time order.
    collapses: HashMap<Box<str>, VecDeque<Wall>>,
    desk: Desk,
    events: Vec<Event>,
    source: SourceId,
    first: Option<Wall>,
    summary: Summary,
    /// What was raised, by household, where somebody wants to know.
    raised: Option<Vec<(u32, AlarmKind, Wall)>>,
}

impl<'a, W: Write> Street<'a, W> {
    pub fn new(options: &'a Options, lines: Lines<W>) -> Street<'a, W> {
        let caseworker = ResponderId::cut("replay");
        Street {
            options,
            lines,
            households: Vec::new(),
            numbers: HashMap::new(),
            routes: HashMap::new(),
            route: Vec::new(),
            collapses: HashMap::new(),
            desk: Desk {
                hours: of_a_file(),
                judged_only: false,
                out: home::Out::default(),
                care: options.care,
                caseworker,
            },
            events: Vec::new(),
            source: SourceId::cut("recording"),
            first: None,
            summary: Summary::default(),
            raised: None,
        }
    }

    /// The collapses to come, in time order.
    pub fn expect(&mut self, collapses: Vec<Collapse>) {
        for Collapse { at, home } in collapses {
            self.collapses.entry(home).or_default().push_back(at);
        }
    }

    /// Takes a line in; everything that was due in its home happens first.
    pub fn hear(&mut self, at: Wall, told: &Told<'_>) -> Result<(), Fault> {
        let kind = kind_of(told.kind).ok_or_else(|| unknown("kind", told.kind))?;
        let value = value_of(kind, told.value).ok_or_else(|| unknown(&format!("value of {kind}"), told.value))?;
        let (home, device, new) = self.find(at, told)?;
        let first = *self.first.get_or_insert(at);
        self.summary.span = at.since(first);
        self.summary.readings += 1;
        if !self.collapses.is_empty() {
            self.collapse(home, |collapse| collapse < at)?;
        }
        let (household, events) = (&mut self.households[home as usize], &mut self.events);
        household.last = at;
        household.advance(tick(at), &mut self.desk, events, |_| false);
        if let Some(new) = new {
            household.step(tick(at), HomeInput::Met(new), &mut self.desk, events);
        }
        let input = match kind {
            Kind::Online => HomeInput::Bridge { online: value == Value::Flag(true) },
            _ => HomeInput::Heard(heard(device, kind, value)),
        };
        household.step(tick(at), input, &mut self.desk, events);
        self.tell(home)
    }

    /// The home and the device of a line; one that is new has to be introduced to its home.
    fn find(&mut self, at: Wall, told: &Told<'_>) -> Result<(u32, u16, Option<Introduction>), Fault> {
        self.route.clear();
        for name in [told.home, told.device, told.room] {
            self.route.extend_from_slice(name);
            self.route.push(b'\n');
        }
        if let Some((home, device)) = self.routes.get(&self.route[..]) {
            return Ok((*home, *device, None));
        }
        let home = match self.numbers.get(told.home) {
            Some(number) => *number,
            None => self.settle(told.home, at)?,
        };
        let household = &mut self.households[home as usize];
        let device = household.devices;
        if usize::from(device) == MOST_DEVICES {
            return Err(Fault::Line(format!("more than {MOST_DEVICES} devices in one home")));
        }
        household.devices += 1;
        let (address, room) = (String::from_utf8_lossy(told.device), String::from_utf8_lossy(told.room).into());
        let (source, address) = (self.source.clone(), Address::cut(&address));
        self.routes.insert(self.route[..].into(), (home, device));
        Ok((home, device, Some(Introduction { device, source, address, room, registered: true, life: false })))
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
        let number = self.households.len() as u32;
        self.households.push(Household::new(policy, at));
        self.numbers.insert(name.into(), number);
        Ok(number)
    }

    /// Writes what came of a home's steps.
    fn tell(&mut self, number: u32) -> Result<(), Fault> {
        for (at, alarm, change) in self.events.drain(..) {
            let home = &self.households[number as usize].policy.home;
            if change == Change::Raised {
                self.raised.iter_mut().for_each(|all| all.push((number, alarm.kind, at)));
                *self.summary.raised.entry(alarm.kind).or_default() += 1;
            }
            self.lines.alarm(at, home.as_str(), &alarm, change)?;
        }
        Ok(())
    }

    /// Lets the home collapse at each of its times for which `now` holds, in a copy.
    fn collapse(&mut self, home: u32, now: impl Fn(Wall) -> bool) -> Result<(), Fault> {
        let id = self.households[home as usize].policy.home.clone();
        while let Some(at) = self.collapses.get_mut(id.as_str()).and_then(|times| {
            let due = times.front().is_some_and(|at| now(*at));
            if due { times.pop_front() } else { None }
        }) {
            self.summary.collapses += 1;
            let household = &mut self.households[home as usize];
            household.advance(tick(at), &mut self.desk, &mut self.events, |_| false);
            let copy = household.clone();
            self.tell(home)?;
            self.lines.collapse(&fall_silent(copy, &mut self.desk, at))?;
        }
        Ok(())
    }

    /// From here on the clocks are a journal's, and what is raised is kept.
    pub fn follow(&mut self) {
        self.raised = Some(Vec::new());
        self.desk.judged_only = true;
    }

    /// The journal's next record.
    pub fn turn(&mut self, at: Stamp) {
        let first = *self.first.get_or_insert(at.wall);
        self.summary.span = at.wall.since(first);
        self.desk.hours.last = at;
    }

    /// The site hears no more, or again; what was due until then happens first.
    pub fn hears(&mut self, hears: bool) -> Result<(), Fault> {
        for home in 0..self.households.len() as u32 {
            self.advance(home)?;
        }
        let hours = &mut self.desk.hours;
        hours.deaf = !hears;
        for household in &mut self.households {
            household.wake = household.next(hours.last, hours.deaf);
        }
        Ok(())
    }

    /// A home is registered, or is told anew.
    pub fn admit(&mut self, known: Option<u32>, policy: HomePolicy) -> Result<u32, Fault> {
        let new = Household::new(policy, self.desk.hours.last.wall);
        Ok(match known {
            Some(number) => {
                // What was due until now was so under what held until now.
                self.advance(number)?;
                let household = &mut self.households[number as usize];
                household.policy = new.policy;
                household.wake = household.next(self.desk.hours.last, self.desk.hours.deaf);
                number
            }
            None => {
                self.households.push(new);
                self.households.len() as u32 - 1
            }
        })
    }

    /// Folds a change in that no input brings about here.
    pub fn fold(&mut self, home: u32, change: &HomeChange) -> Result<(), Fault> {
        self.advance(home)?;
        let (household, hours) = (&mut self.households[home as usize], self.desk.hours);
        household.state.apply(change, hours.last);
        household.wake = household.next(hours.last, hours.deaf);
        Ok(())
    }

    /// Something happens in a home at the time of the record.
    pub fn give(&mut self, home: u32, input: HomeInput) -> Result<(), Fault> {
        self.advance(home)?;
        let (household, now) = (&mut self.households[home as usize], self.desk.hours.last);
        household.last = now.wall;
        if let HomeInput::Heard(heard) = &input {
            self.summary.readings += heard.readings.len() as u64;
        }
        household.step(now.tick, input, &mut self.desk, &mut self.events);
        self.tell(home)
    }

    fn advance(&mut self, home: u32) -> Result<(), Fault> {
        let until = self.desk.hours.last.tick;
        self.households[home as usize].advance(until, &mut self.desk, &mut self.events, |_| false);
        self.tell(home)
    }

    /// Ends a journal: its last record is its end. Gives what was raised, too.
    pub fn close(
        mut self,
        differences: impl FnOnce(Vec<(u32, AlarmKind, Wall)>) -> Vec<Difference>,
    ) -> Result<Summary, ReplayError> {
        for home in 0..self.households.len() as u32 {
            self.advance(home).map_err(|fault| fault.at(Source::Readings, 0))?;
            self.households[home as usize].last = self.desk.hours.last.wall;
        }
        for difference in differences(self.raised.take().unwrap_or_default()) {
            self.lines.difference(&difference)?;
        }
        self.end()
    }

    /// Everything has been heard; what was still to collapse does so in homes that have been silent since.
    pub fn end(mut self) -> Result<Summary, ReplayError> {
        let mut rest: Vec<(Wall, Box<str>)> = Vec::new();
        for (home, times) in self.collapses.drain() {
            rest.extend(times.into_iter().map(|at| (at, home.clone())));
        }
        rest.sort();
        for (at, home) in rest {
            self.summary.collapses += 1;
            let found = match self.numbers.get(home.as_bytes()) {
                Some(number) => {
                    let mut copy = self.households[*number as usize].clone();
                    copy.advance(tick(at), &mut self.desk, &mut Vec::new(), |_| false);
                    fall_silent(copy, &mut self.desk, at)
                }
                None => Found { home, collapse_at: at, checked_at: None, raised: None },
            };
            self.lines.collapse(&found)?;
        }
        self.summary.homes = self.households.len() as u64;
        self.summary.home_time.0 = self.households.iter().map(|h| h.last.since(h.first).0).sum();
        let bytes = |household: &Household| minicbor::to_vec(&household.state).map_or(0, |bytes| bytes.len() as u64);
        self.summary.state_bytes = self.households.iter().map(bytes).sum();
        self.lines.finish()?;
        Ok(self.summary)
    }
}

/// What a home that is silent from `at` on, and heard, comes to. Visits that were under way still come; whoever came for an alarm of the
/// silent home would not find all well.
fn fall_silent(mut home: Household, desk: &mut Desk, at: Wall) -> Found {
    let mut events = Vec::new();
    let care = std::mem::replace(&mut desk.care, false);
    home.step(tick(at), HomeInput::Bridge { online: true }, desk, &mut events);
    home.state.forget_outages();
    home.wake = home.next(desk.hours.stamp(tick(at)), false);
    let raised = |kind| move |(_, alarm, change): &Event| *change == Change::Raised && alarm.kind == kind;
    home.advance(tick(at) + COLLAPSE, desk, &mut events, raised(AlarmKind::Inactivity));
    desk.care = care;
    let first = |kind| events.iter().find(|e| raised(kind)(e));
    Found {
        home: home.policy.home.as_str().into(),
        collapse_at: at,
        checked_at: first(AlarmKind::InactivityCheck).map(|(at, ..)| *at),
        raised: first(AlarmKind::Inactivity).map(|(at, alarm, _)| (*at, alarm.reason.clone())),
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
    Home::new(id, site)
}

fn unknown(what: &str, found: &[u8]) -> Fault {
    let found: String = String::from_utf8_lossy(found).chars().take(60).collect();
    Fault::Line(format!("no {what} is {found:?}"))
}
