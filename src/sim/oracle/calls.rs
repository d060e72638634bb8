//! Nothing that the broker was told to be ours is lost: what a device said is a reading, and a call for help an alarm.

use super::super::story::clock;
use super::Oracle;
use crate::engine::change::{AlarmChange, Fact, HomeChange};
use crate::engine::kind::{AlarmKind, Kind, Priority};
use crate::engine::reading::Value;
use crate::keeper::core::Slot;
use crate::keeper::ports::{Lane, Token};
use crate::keeper::record;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What a device said, and what became of it.
#[derive(Debug, Clone, Default)]
pub struct Said {
    /// When the broker had it.
    pub at: u64,
    /// The device, as the registry has its address; none for what no device said.
    pub address: Option<Box<str>>,
    /// It always comes to a reading.
    pub telling: bool,
    /// It names the event that it tells: told again, it comes to nothing.
    pub named: bool,
    /// A number among its readings that no other message has; what is published twice says it twice.
    pub tag: Option<u64>,
    /// The alarm that it calls for.
    pub calls: Option<AlarmKind>,
    /// The lanes whose session had it, those that lost it by the broker's settings, and those that passed it over, relying on the other.
    pub owed: BTreeSet<Lane>,
    pub lost: BTreeSet<Lane>,
    pub passed: BTreeSet<Lane>,
    /// It was acknowledged as ours.
    pub ours: bool,
}

/// An acknowledgement on its way to the broker.
#[derive(Debug, Clone, Copy)]
pub struct Ack {
    pub lane: Lane,
    pub token: Option<Token>,
    /// When this process got the message.
    pub delivered: u64,
    /// It need not come to anything: the other lane has it, or the broker had kept it.
    pub copy: bool,
    pub retained: bool,
}

/// From the broker to an acknowledgement, at most, where nothing keeps a call from coming in; messages that the process died over come
/// one by one.
const CALL_MS: u64 = 20_000;
/// After so long the gateway has subscribed to everything.
const LISTENS_MS: u64 = 60_000;

/// When something was committed, and by which record.
type When = (u64, u64);

/// What was committed of what the devices said.
#[derive(Default)]
pub(super) struct Calls {
    /// By device: its readings.
    readings: BTreeMap<Box<str>, Vec<When>>,
    /// By tag: the first record that has it.
    tags: HashMap<u64, u64>,
    /// By device: possible calls, each instead of a message that nobody looked into.
    unread: BTreeMap<Box<str>, Vec<When>>,
    /// By home and kind: when an alarm was raised or counted.
    alarmed: BTreeMap<(u32, AlarmKind), Vec<When>>,
    /// Calls on their way, by their serial.
    awaited: BTreeSet<u64>,
    /// Since when nothing keeps a call from coming in.
    open: Option<u64>,
    /// The last record that was committed when the keeper let go of a message.
    let_go: HashMap<Token, u64>,
}

impl Oracle {
    pub(super) fn alarmed(&mut self, home: u32, kind: AlarmKind) {
        let when = (self.now, self.sequence);
        self.calls.alarmed.entry((home, kind)).or_default().push(when);
    }

    /// A record of which the shadow has the outcome already: what it says of calls.
    pub(super) fn calls_of(&mut self, contents: &record::Contents) {
        contents.entries.iter().filter_map(alarmed).for_each(|(home, kind)| self.alarmed(home, kind));
        contents.entries.iter().filter_map(possible_sos).for_each(|home| self.unread(home));
        contents.facts.iter().for_each(|(home, fact)| self.told(*home, fact));
    }

    /// A reading was committed.
    pub(super) fn told(&mut self, home: u32, fact: &Fact) {
        let device = self.shadow.homes.get(home as usize).and_then(|h| h.state.devices.get(fact.device as usize));
        let Some(address) = device.map(|d| Box::<str>::from(d.address.as_str())) else { return };
        if let (Kind::Illuminance, Value::Number(tag)) = (fact.reading.kind, &fact.reading.value) {
            self.calls.tags.entry(*tag as u64).or_insert(self.sequence);
        }
        self.calls.readings.entry(address).or_default().push((self.now, self.sequence));
    }

    /// A message that the process may have died of becomes an alarm, unread: of its device that is a reading too, and a press.
    pub(super) fn unread(&mut self, home: u32) {
        let id = self.shadow.site.homes.get(home as usize).map(|h| h.id.to_string()).unwrap_or_default();
        let Some(topic) = id.strip_prefix("unreadable/") else { return };
        let levels: Vec<&str> = topic.rsplitn(3, '/').collect();
        if let [device, home, ..] = levels[..] {
            let address: Box<str> = format!("{home}/{device}").into();
            let when = (self.now, self.sequence);
            self.calls.unread.entry(address.clone()).or_default().push(when);
            if let Some(home) = self.home_of(&address) {
                self.calls.alarmed.entry((home, AlarmKind::PossibleSos)).or_default().push(when);
            }
        }
    }

    /// The keeper lets go of messages: what they came to must be committed now, and not later.
    pub fn lets_go(&mut self, tokens: &[Token]) {
        let sequence = self.sequence;
        self.calls.let_go.extend(tokens.iter().map(|token| (*token, sequence)));
    }

    /// The process is gone, and with it what it had in hand.
    pub fn dies(&mut self) {
        self.calls.let_go.clear();
        self.opens(false);
        self.hears(false);
    }

    /// The broker is told that a message is ours.
    pub fn acknowledged(&mut self, serial: u64, ack: Ack) {
        let let_go = ack.token.and_then(|token| self.calls.let_go.get(&token).copied());
        self.promise(let_go.is_some(), || format!("message {serial} was acknowledged, and the keeper still had it"));
        let Some(said) = self.said.get_mut(serial as usize) else { return };
        if ack.copy {
            said.passed.insert(ack.lane);
        }
        if ack.copy || ack.retained {
            return;
        }
        said.ours = true;
        let said = said.clone();
        let Some(address) = said.address.as_deref().filter(|_| said.telling) else { return };
        let frozen = self.frozen(address).is_some();
        let since = if said.named { said.at } else { ack.delivered };
        let within = |(at, by): &When| *at >= since && Some(*by) <= let_go;
        let committed = match said.tag {
            Some(tag) => self.calls.tags.get(&tag).is_some_and(|by| Some(*by) <= let_go),
            None => self.calls.readings.get(address).is_some_and(|all| all.iter().rev().any(within)),
        };
        let (at, delivered) = (clock(said.at), clock(ack.delivered));
        let kept = committed || frozen || self.stands_for(address, within);
        self.promise(kept, || {
            format!("message {serial} of {address}, said at {at} and here at {delivered}, was acknowledged before it was committed")
        });
        let Some(kind) = said.calls.filter(|kind| !frozen || kind.priority() == Priority::Life) else { return };
        let alarmed = self.is_alarmed(address, kind, within);
        self.promise(alarmed, || {
            format!("message {serial} of {address}, said at {at} and here at {delivered}, was acknowledged without an alarm of {kind}")
        });
    }

    /// Takes a possible call of a device that stands for one message nobody looked into, if there is one.
    fn stands_for(&mut self, address: &str, within: impl Fn(&When) -> bool) -> bool {
        let unread = self.calls.unread.get_mut(address);
        unread.is_some_and(|all| all.iter().position(within).map(|at| all.remove(at)).is_some())
    }

    /// Whether there was an alarm for a call: a press counts each time; what lasts has its one alarm as long as that is open.
    fn is_alarmed(&self, address: &str, kind: AlarmKind, within: impl Fn(&When) -> bool) -> bool {
        let Some(home) = self.home_of(address) else { return false };
        let called = |kind| self.calls.alarmed.get(&(home, kind)).is_some_and(|all| all.iter().rev().any(&within));
        let lasts = kind != AlarmKind::Sos;
        let open = || self.shadow.homes.get(home as usize).is_some_and(|slot| slot.state.alarm(kind).is_some());
        let perhaps = [AlarmKind::PossibleSos, AlarmKind::PossiblePress].into_iter().any(called);
        called(kind) || perhaps || (lasts && open())
    }

    fn home_of(&self, address: &str) -> Option<u32> {
        let has = |home: &Slot| home.state.devices.iter().any(|d| d.address.as_str() == address);
        u32::try_from(self.shadow.homes.iter().position(has)?).ok()
    }

    /// The home of a device, where it is frozen: of it only calls for help are taken in.
    fn frozen(&self, address: &str) -> Option<u32> {
        self.home_of(address).filter(|home| self.shadow.homes[*home as usize].state.frozen.is_some())
    }

    /// A message has been published.
    pub fn published(&mut self, serial: u64, owed: &BTreeSet<Lane>) {
        let listens = self.calls.open.is_none_or(|since| self.now < since + LISTENS_MS) || !owed.is_empty();
        let Some(said) = self.said.get_mut(serial as usize) else { return };
        said.owed.clone_from(owed);
        if said.calls.is_none() || said.address.is_none() {
            return;
        }
        if owed.contains(&Lane::Life) {
            self.calls.awaited.insert(serial);
        }
        self.promise(listens, || format!("nobody listens to message {serial}, a call for help"));
    }

    /// Whether anything keeps a call from coming in over its lane.
    pub fn opens(&mut self, open: bool) {
        let since = self.calls.open.take().unwrap_or(self.now);
        self.calls.open = open.then_some(since);
    }

    /// Looked at each second: where nothing keeps a call from coming in, it does.
    pub fn no_call_waits(&mut self) {
        let Some(open) = self.calls.open else { return };
        let (said, now) = (&self.said, self.now);
        let waits = |serial: &u64| said.get(*serial as usize).filter(|s| !s.ours && !s.lost.contains(&Lane::Life));
        self.calls.awaited.retain(|serial| waits(serial).is_some());
        let late = self.calls.awaited.iter().find_map(|n| waits(n).filter(|s| s.at.max(open) + CALL_MS < now));
        let late =
            late.map(|said| format!("a call of {:?}, said at {}, waits for too long", said.address, clock(said.at)));
        self.promise(late.is_none(), || late.unwrap_or_default());
    }

    /// Damage took away what was committed after the record `last`.
    pub(super) fn forget_calls(&mut self, last: u64) {
        self.calls.tags.retain(|_, by| *by <= last);
        let lists = self.calls.readings.values_mut().chain(self.calls.unread.values_mut());
        lists.chain(self.calls.alarmed.values_mut()).for_each(|all| all.retain(|(_, by)| *by <= last));
    }

    /// A session was owed messages, and the broker lost them by its own settings.
    pub fn lost(&mut self, lane: Lane, serial: u64) {
        if let Some(said) = self.said.get_mut(serial as usize) {
            said.lost.insert(lane);
        }
    }

    /// Long after the last fault: what called for help is ours, unless the broker lost it, or found nobody to give it to.
    pub(super) fn every_call_came(&mut self, bound_ms: u64) {
        let all = std::mem::take(&mut self.said);
        for said in &all {
            let ways = said.owed.iter().any(|lane| !said.lost.contains(lane) && !said.passed.contains(lane));
            let gone = said.owed.is_empty() || (!ways && !said.lost.is_empty());
            let young = self.now < said.at + bound_ms;
            self.promise(said.calls.is_none() || said.ours || gone || young, || {
                let address = said.address.as_deref().unwrap_or("?");
                format!("what {address} said at {} never became one of ours", clock(said.at))
            });
        }
        self.said = all;
    }
}

/// The home in which an entry raises or counts a possible call.
pub(super) fn possible_sos(entry: &record::Entry) -> Option<u32> {
    alarmed(entry).filter(|(_, kind)| *kind == AlarmKind::PossibleSos).map(|(home, _)| home)
}

/// The home in which an entry raises or counts an alarm, and its kind.
fn alarmed(entry: &record::Entry) -> Option<(u32, AlarmKind)> {
    let record::Entry::Home { home, change } = entry else { return None };
    match change {
        HomeChange::Raised(alarm) => Some((*home, alarm.kind)),
        HomeChange::Alarm { kind, change: AlarmChange::Counted { .. } } => Some((*home, *kind)),
        _ => None,
    }
}
