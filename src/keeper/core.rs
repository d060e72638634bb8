//! A site's state and what a turn does to it: steps, folds, and the record that comes of it. No thread, no clock, no disk: the
//! keeper's loop, the simulator and the tests run the very same.

mod acts;
mod evidence;
mod fold;
mod guard;
mod hearing;
mod homes;
mod noted;
mod staff;

pub use guard::{Broken, Finding};
pub use homes::gateway;

use super::board::Shown;
use super::ports::*;
use super::quarantine::{Held, Quarantine};
use super::record::Blocks;
use super::routes::Routes;
use crate::engine::alarm::{Reason, Refusal};
use crate::engine::change::{HomeChange, Raw, SiteChange};
use crate::engine::home::care::VisitRefusal;
use crate::engine::home::suppression::SuppressionRefusal;
use crate::engine::home::walk::WalkRefusal;
use crate::engine::home::{self, Place};
use crate::engine::id::{AlarmId, HomeId, SourceId};
use crate::engine::input::{Heard, HomeInput, SiteInput};
use crate::engine::kind::AlarmKind;
use crate::engine::policy::{HomePolicy, SiteRules};
use crate::engine::reading::{Report, Speaker, Value};
use crate::engine::registry::Device;
use crate::engine::site;
use crate::engine::time::{Millis, Stamp, Stamped, Tick, WALL_STEP, Wall};
use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// A home with what it is decided by.
pub struct Slot {
    pub state: home::State,
    pub policy: Arc<HomePolicy>,
    /// The earliest entry that the heap has for it.
    wake: Option<Tick>,
    /// Looking at it failed: it is not looked at again before this.
    not_before: Tick,
    /// The last record that was in the snapshot it came from; folding passes over what is older.
    included: u64,
}

impl Slot {
    fn new(policy: Arc<HomePolicy>) -> Slot {
        Slot { state: home::State::default(), policy, wake: None, not_before: Tick(0), included: 0 }
    }
}

/// What deadlines may add to the record of one turn: after a long sleep of the machine a whole city is due at once, and a record has
/// 1 MiB at most.
const DUE_BYTES: usize = 256 * 1024;
/// What failed when its time had come would fail again at once, for ever.
const FAULT_PAUSE: Millis = Millis::from_secs(10);
/// What a full disk has no place for is looked at again after so long.
const LOOK_AGAIN: Millis = Millis::from_secs(5);

/// What may leave once the record is safe.
#[derive(Debug, Default)]
pub struct Effects {
    pub parcels: Vec<Parcel>,
    pub shown: Vec<Shown>,
    /// Named reasons of the turn's decisions.
    pub because: Vec<&'static str>,
}

/// What an order about a test window came to.
pub type Walked = Result<(), WalkRefusal>;

/// What an order about a suppression came to.
pub type Suppressed = Result<(), SuppressionRefusal>;

/// What was said of a visit came to this.
pub type Visited = Result<(), VisitRefusal>;

/// What an act on an alarm came to.
pub type Answer = Result<(AlarmId, u32), Refusal>;

/// The owner of a site's state.
pub struct Core {
    pub(super) rules: SiteRules,
    pub site: site::State,
    pub homes: Vec<Slot>,
    routes: Routes,
    pub(super) vault: Arc<dyn Vault>,
    heap: BinaryHeap<Reverse<(Tick, u32)>>,
    now: Stamp,
    pub blocks: Blocks,
    unsealed: evidence::Unsealed,
    /// Holds what the last step gave beside its changes.
    home_out: home::Out,
    leaving: Vec<home::Leaving>,
    site_out: site::Out,
    to_site: VecDeque<SiteInput>,
    /// Homes whose alarms changed in this turn.
    touched: BTreeSet<u32>,
    closed: Vec<(u32, Shown)>,
    because: Vec<&'static str>,
    policies_stale: bool,
    /// What the site has to say is not looked at before this: a full disk has no place for it.
    site_pause: Tick,
    /// When it is looked at next whether somebody is there to be told.
    proof_due: Option<Tick>,
    /// What nobody registered, or could read.
    pub quarantine: Quarantine,
    /// Steps that failed, for the metrics.
    pub faults: u64,
    /// Broken promises that the checker has mended.
    pub mended: u64,
}

impl Core {
    /// An empty site; snapshots and records are folded in afterwards.
    pub fn new(rules: SiteRules, vault: Arc<dyn Vault>) -> Core {
        Core {
            rules,
            site: site::State::default(),
            homes: Vec::new(),
            routes: Routes::default(),
            vault,
            heap: BinaryHeap::new(),
            now: Stamp::default(),
            blocks: Blocks::default(),
            unsealed: evidence::Unsealed::default(),
            home_out: home::Out::default(),
            leaving: Vec::new(),
            site_out: site::Out::default(),
            to_site: VecDeque::new(),
            touched: BTreeSet::new(),
            closed: Vec::new(),
            because: Vec::new(),
            policies_stale: false,
            site_pause: Tick(0),
            proof_due: None,
            quarantine: Quarantine::default(),
            faults: 0,
            mended: 0,
        }
    }

    /// Where a new process continues the tick.
    pub fn last(&self) -> Stamp {
        self.site.last
    }

    /// Begins a turn at this time. What it decides has not happened before its `blocks` are written; the caller clears them then.
    pub fn begin(&mut self, tick: Tick, wall: Wall) {
        let tick = tick.max(self.site.last.tick);
        let heard = site::hearing_clock(&self.site, tick);
        let before = std::mem::replace(&mut self.now, Stamp { tick, wall, heard });
        // Somebody has set the wall clock: what is due by it may be due earlier.
        let passed = (wall.0.saturating_sub(before.wall.0), tick.since(before.tick).0 as i64);
        if before.tick > Tick(0) && passed.0.abs_diff(passed.1) > WALL_STEP.0 {
            self.schedule_all();
        }
    }

    pub fn now(&self) -> Stamp {
        self.now
    }

    /// The first turn of a process: nobody was heard while it was away, and what was being sent is sent again.
    pub fn start(&mut self) {
        self.to_site.push_back(SiteInput::Started { epoch: self.site.epoch + 1 });
        self.drain();
        // The time of our absence was no time of hearing.
        self.now.heard = site::hearing_clock(&self.site, self.now.tick);
        let tested = self.homes.iter().enumerate().filter(|(_, slot)| slot.state.walk.is_some());
        for home in tested.map(|(home, _)| home as u32).collect::<Vec<_>>() {
            self.home_input(home, HomeInput::Restarted);
            self.drain();
        }
        self.miss_again();
        self.prove_soon();
        self.schedule_all();
    }

    /// The site's rules as the configuration has them.
    pub fn rules(&self) -> &SiteRules {
        &self.rules
    }

    /// New rules of the site, from the configuration; deadlines that stand, stand.
    pub fn set_rules(&mut self, rules: SiteRules) {
        self.rules = rules;
        self.refresh_policies();
        self.prove_soon();
    }

    /// An input of the site. What it changes of ladders, plans and the weather holds from the next input on.
    pub fn site_input(&mut self, input: SiteInput) {
        self.to_site.push_back(input);
        self.drain();
        if self.policies_stale {
            self.refresh_policies();
        }
    }

    /// One report of a device, brought to its home; unknown ones get a pseudo-home, and are held for whoever knows better.
    pub fn report(&mut self, report: Report, raw: impl FnOnce() -> Raw, held: impl FnOnce() -> Held) {
        let address = match &report.speaker {
            Speaker::Device(address) => address.clone(),
            Speaker::Bridge(prefix) => return self.bridge(&report, prefix),
        };
        let (home, device) = match self.routes.find(&report.source, &address) {
            Some(route) => route,
            None => self.introduce(&report, address),
        };
        let registered = self.homes[home as usize].state.devices.get(device as usize).is_some_and(|d| d.registered);
        if !registered && let Speaker::Device(address) = &report.speaker {
            self.quarantine.stranger(&report.source, address, held());
        }
        self.home_input_with(home, HomeInput::Heard(heard(report, device)), Some(raw));
        self.drain();
    }

    /// What a device said at `at`, before it was registered.
    pub fn recall(&mut self, report: Report, device: &Device, at: Wall) {
        let known = self.routes.find(&device.source, &device.address);
        let Some((home, slot)) = known.filter(|_| report.speaker == Speaker::Device(device.address.clone())) else {
            return;
        };
        let heard = heard(report, slot);
        let device_time = heard.device_time.or(Some(at));
        self.home_input(home, HomeInput::Heard(Heard { device_time, history: true, ..heard }));
        self.drain();
    }

    fn bridge(&mut self, report: &Report, prefix: &str) {
        let online = report.readings.iter().any(|r| r.value == Value::Flag(true));
        for home in self.routes.behind_bridge(&report.source, prefix) {
            self.home_input(home, HomeInput::Bridge { online });
        }
        self.drain();
    }

    /// An alarm of the gateway's own in a home that may not exist yet.
    pub fn own_alarm(&mut self, home: &HomeId, kind: AlarmKind, what: &str, raw: Option<Raw>) {
        let number = self.home_number(home, false);
        let what = what.into();
        let reason = match kind {
            AlarmKind::PossibleSos => Reason::Unreadable { topic: what },
            _ => Reason::Own { what },
        };
        self.home_input_with(number, HomeInput::Own { kind, reason }, raw.map(|raw| || raw));
        self.drain();
    }

    /// A message that nobody understood: held for the quarantine, and kept, sealed, as far as that floods no journal.
    pub fn rejected(&mut self, source: &SourceId, reason: &'static str, held: Held, raw: impl FnOnce() -> Raw) {
        self.quarantine.unreadable(source, reason, held);
        if self.quarantine.keeps(source, self.now.wall)
            && let Some(raw) = self.vault.seal_raws(&[("quarantine", &raw())]).into_iter().flatten().next()
        {
            let change = SiteChange::Rejected { reason: reason.into(), raw };
            self.blocks.site(&change);
            self.fold_site(&change);
        }
    }

    /// Wakes the homes whose time has come, each once, as many as a record has room for; what is due then is so in the next turn. Life
    /// goes first within a home; between homes the earliest deadline does. With `life_only` (a full disk has no place for the others)
    /// the homes from which somebody may be calling are woken (what burns when a test window closes is a call too), and the others
    /// looked at again a little later.
    pub fn due(&mut self, life_only: bool) {
        if site::next_due(&self.site).is_some_and(|at| at <= self.now.tick) {
            match life_only {
                true => self.site_pause = self.now.tick + LOOK_AGAIN,
                false => self.site_input(SiteInput::Due),
            }
        }
        if self.proof_due.is_some_and(|at| at <= self.now.tick) {
            match life_only {
                true => self.proof_due = Some(self.now.tick + LOOK_AGAIN),
                false => self.prove(),
            }
        }
        let most = self.blocks.len() + DUE_BYTES;
        let mut due = Vec::new();
        while let Some(Reverse((at, home))) = self.heap.peek().copied().filter(|Reverse((at, _))| *at <= self.now.tick)
        {
            self.heap.pop();
            if let Some(slot) = self.homes.get_mut(home as usize).filter(|s| s.wake == Some(at)) {
                slot.wake = None;
                due.push(home);
            }
        }
        for home in due {
            let slot = &self.homes[home as usize];
            let may_call =
                slot.state.alarms.iter().any(|alarm| alarm.kind.may_be_a_call()) || slot.state.walk.is_some();
            if life_only && !may_call {
                self.wake(home, self.now.tick + LOOK_AGAIN);
                continue;
            }
            match home::next_wake(&slot.policy, &slot.state, self.now, self.site.deaf_since.is_some()) {
                Some(next) if next <= self.now.tick && self.blocks.len() <= most => {
                    self.home_input(home, HomeInput::Due);
                    self.drain();
                }
                _ => self.schedule(home),
            }
        }
    }

    /// When the next turn is due, if nothing comes in before.
    pub fn next_wake(&self) -> Option<Tick> {
        let homes = self.heap.peek().map(|Reverse((at, _))| *at);
        let due = site::next_due(&self.site).map(|at| at.max(self.site_pause));
        homes.into_iter().chain(site::next_wake(&self.site, self.now.tick)).chain(due).chain(self.proof_due).min()
    }

    fn home_input(&mut self, home: u32, input: HomeInput) -> Option<Answer> {
        self.home_input_with(home, input, None::<fn() -> Raw>)
    }

    /// Steps a home and folds what comes of it. A step that fails freezes the home and is answered by alarms.
    fn home_input_with(&mut self, home: u32, input: HomeInput, raw: Option<impl FnOnce() -> Raw>) -> Option<Answer> {
        let slot = self.homes.get_mut(home as usize)?;
        let desk_empty = self.site.desk.is_empty(self.now.tick);
        let place = Place { home, next_alarm: self.site.next_alarm, desk_empty };
        let mut out = std::mem::take(&mut self.home_out);
        out.clear();
        let now = self.now;
        let mut failed_due = false;
        let run = |input, out: &mut home::Out| {
            catch_unwind(AssertUnwindSafe(|| {
                home::step(&slot.policy, &place, &slot.state, Stamped::new(now, input), out)
            }))
        };
        let was_due = matches!(input, HomeInput::Due);
        if let Err(panic) = run(input, &mut out) {
            self.faults += 1;
            failed_due = was_due;
            out.clear();
            let fault = text_of(&*panic);
            if run(HomeInput::Failed { fault }, &mut out).is_err() {
                out.clear();
            }
            self.because.push("home_frozen");
        }
        if failed_due {
            self.homes[home as usize].not_before = now.tick + FAULT_PAUSE;
        }
        self.take_in(home, &mut out, raw);
        let answer = out.answer.take();
        self.leaving.append(&mut out.leaving);
        self.home_out = out;
        self.schedule(home);
        answer
    }

    fn take_in(&mut self, home: u32, out: &mut home::Out, raw: Option<impl FnOnce() -> Raw>) {
        if let (Some(alarm), Some(raw)) = (out.evidence.first(), raw) {
            self.keep_raw(home, alarm.clone(), raw());
        }
        for change in out.changes.drain(..) {
            self.note(home, &change);
            self.blocks.home(home, &change);
            let slot = &mut self.homes[home as usize];
            let heard = slot.state.unheard_since.is_none();
            slot.state.apply(&change, self.now);
            let hears = slot.state.unheard_since.is_none();
            if heard != hears {
                self.tell_hearing(home);
            }
            if let HomeChange::Raised(alarm) = &change {
                self.site.next_alarm = self.site.next_alarm.max(alarm.id.number + 1);
            }
        }
        self.to_site.extend(out.to_site.drain(..));
        self.because.append(&mut out.because);
    }

    /// Messages between the machines, in order, until there are none.
    fn drain(&mut self) {
        while let Some(input) = self.to_site.pop_front() {
            let mut out = std::mem::take(&mut self.site_out);
            site::step(&self.site, Stamped::new(self.now, input), &mut out);
            self.take_in_site(&mut out);
            for (home, input) in out.to_homes.drain(..) {
                self.home_input(home, input);
            }
            for (place, input) in out.to_places.drain(..) {
                let home = self.place(place);
                self.home_input(home, input);
            }
            out.clear();
            self.site_out = out;
        }
    }

    fn take_in_site(&mut self, out: &mut site::Out) {
        for change in out.changes.drain(..) {
            self.blocks.life |= self.escalates_a_call(&change);
            self.blocks.site(&change);
            self.fold_site(&change);
            match &change {
                SiteChange::Registered(entity) => self.registered(entity),
                SiteChange::Hearing { .. } => self.schedule_all(),
                SiteChange::ColdWave { .. } => self.policies_stale = true,
                _ => {}
            }
        }
        self.because.append(&mut out.because);
    }

    /// Whether a change belongs to the telling of a call for help: such a record may use the reserve of a full disk.
    fn escalates_a_call(&self, change: &SiteChange) -> bool {
        let kind = match change {
            SiteChange::NoticeMade(notice) => Some(notice.kind),
            SiteChange::Deferred { notice }
            | SiteChange::AttemptStarted { notice, .. }
            | SiteChange::AttemptEnded { notice, .. }
            | SiteChange::Withdrawn { notice } => self.site.outbox.get(notice).map(|p| p.notice.kind),
            _ => None,
        };
        kind.is_some_and(AlarmKind::may_be_a_call)
    }

    fn schedule_all(&mut self) {
        for home in 0..self.homes.len() as u32 {
            self.schedule(home);
        }
    }

    /// Sees to it that the heap has the home's next deadline, or an earlier one.
    fn schedule(&mut self, home: u32) {
        let slot = &self.homes[home as usize];
        let next = home::next_wake(&slot.policy, &slot.state, self.now, self.site.deaf_since.is_some());
        if let Some(next) = next.map(|next| next.max(slot.not_before)) {
            self.wake(home, next);
        }
    }

    fn wake(&mut self, home: u32, at: Tick) {
        let slot = &mut self.homes[home as usize];
        if slot.wake.is_none_or(|wake| at < wake) {
            slot.wake = Some(at);
            self.heap.push(Reverse((at, home)));
        }
    }

    /// Ends the turn: chooses what is sent, and gives what may leave after the sync. `blocks` then is the record, if not empty.
    pub fn end(&mut self) -> Effects {
        // What has no room in this record goes into the next, within a second.
        while self.blocks.len() <= DUE_BYTES && site::is_pressed(&self.site, self.now.tick) {
            self.site_input(SiteInput::Relieve);
        }
        let mut out = std::mem::take(&mut self.site_out);
        site::sendable(&self.site, self.now, &mut out);
        let parcels: Vec<Parcel> = out.changes.iter().filter_map(|change| self.parcel(change)).collect();
        for change in &mut out.changes {
            // What has nothing to say any more is not begun: nobody would ever end it.
            if let SiteChange::AttemptStarted { notice, .. } = change
                && !parcels.iter().any(|p| p.notice == *notice)
            {
                *change = SiteChange::Withdrawn { notice: notice.clone() };
            }
        }
        self.take_in_site(&mut out);
        self.site_out = out;
        self.seal_raws();
        if !self.blocks.is_empty() {
            self.site.last = self.now;
        }
        let mut shown: Vec<Shown> = std::mem::take(&mut self.closed).into_iter().map(|(_, shown)| shown).collect();
        for home in std::mem::take(&mut self.touched) {
            shown.extend(self.shown_of(home));
        }
        Effects { parcels, shown, because: std::mem::take(&mut self.because) }
    }
}

/// A report as its home hears it: `device` is the device's place there.
pub fn heard(report: Report, device: u16) -> Heard {
    let event = report.event_id.as_ref().map(|id| super::routes::fingerprint(id.as_bytes()));
    let Report { readings, device_time, rest, retained, echo, signal, .. } = report;
    Heard { device, readings, device_time, rest, event, retained, echo, signal, history: false }
}

fn text_of(panic: &(dyn std::any::Any + Send)) -> Box<str> {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("unknown fault").chars().take(200).collect::<String>().into()
}
