//! What a home is: its devices as they last spoke, its last activity, its open alarms.

use super::alarms::fold_alarm;
use super::care::Care;
use super::closed::Closed;
use super::cooling::{Apart, Warmest};
use super::coverage::{Radio, Unwatched};
use super::fallen::Fallen;
use super::health::Health;
use super::presence::Presence;
use super::routine::{Climate, Moment};
use super::suppression::{self, Suppression};
use super::walk::{Signed, Walk};
use super::water::Water;
use crate::engine::alarm::{Alarm, CloseCode, Safe, SafeHow};
use crate::engine::change::{AlarmChange, Fact, HomeChange, Introduction};
use crate::engine::id::{Address, SourceId, Zone};
use crate::engine::kind::{AlarmKind, Kind};
use crate::engine::learn::Learnt;
use crate::engine::reading::{Form, Reading, Value};
use crate::engine::time::{Millis, Stamp, Tick, Wall};
use minicbor::{Decode, Encode};

/// The last value of one kind (and zone) of a device.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Last {
    #[n(0)]
    pub kind: Kind,
    #[n(1)]
    pub zone: Option<Zone>,
    #[n(2)]
    pub value: Value,
    /// When it took this value.
    #[n(3)]
    pub since: Tick,
    /// With a latched `true`: what else the message said that brought it.
    #[n(4)]
    pub rest: Option<u32>,
    /// Known from its history only: this home has told nobody of it.
    #[n(5)]
    pub recalled: Option<()>,
}

/// A device of a home.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct DeviceState {
    #[n(0)]
    pub source: SourceId,
    #[n(1)]
    pub address: Address,
    #[n(2)]
    pub room: Box<str>,
    #[n(3)]
    pub registered: bool,
    #[n(4)]
    pub last: Vec<Last>,
    /// What it, or somebody for it, last said of its being there.
    #[n(5)]
    pub online: Option<bool>,
    #[n(6)]
    pub heard: Option<Wall>,
    /// It has told activity of a person at least once; and whether by anything but a door.
    #[n(7)]
    pub tells_activity: bool,
    #[n(8)]
    pub only_door: bool,
    /// Its last press, for merging what belongs to one.
    #[n(9)]
    pub pressed: Option<Tick>,
    /// The last few events that their sender named, hashed.
    #[n(10)]
    pub events: Vec<u64>,
    /// It is there to call for help.
    #[n(11)]
    #[cbor(default)]
    pub life: bool,
    #[n(12)]
    #[cbor(default)]
    pub health: Health,
    #[n(13)]
    #[cbor(default)]
    pub climate: Climate,
    #[n(14)]
    #[cbor(default)]
    pub water: Water,
    /// Since when the vital signs that it measures are beyond their bounds.
    #[n(15)]
    pub vital: Option<Moment>,
    #[n(16)]
    pub warmest: Option<Warmest>,
}

/// How many kinds and zones of a device are remembered; of those beyond it, every `true` is an event.
const LAST_KEPT: usize = 64;

/// How many named events a device is remembered by.
const EVENTS_KEPT: usize = 8;

impl DeviceState {
    pub fn last(&self, kind: Kind, zone: Option<&Zone>) -> Option<&Last> {
        self.last.iter().find(|l| l.kind == kind && l.zone.as_ref() == zone)
    }
}

/// Something that only a person can cause.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Activity {
    /// On the site's hearing clock.
    #[n(0)]
    pub heard: Tick,
    #[n(1)]
    pub wall: Wall,
    /// None where it is the beginning of our watch, or the word of a person who looked.
    #[n(2)]
    pub kind: Option<Kind>,
    #[n(3)]
    pub device: u16,
}

impl Activity {
    /// What nobody did: the watch begins.
    fn beginning(at: Stamp) -> Activity {
        Activity { heard: at.heard, wall: at.wall, kind: None, device: 0 }
    }
}

/// All that is known of a home between two inputs.
#[derive(Debug, Clone, PartialEq, Default, Encode, Decode)]
pub struct State {
    #[n(0)]
    pub devices: Vec<DeviceState>,
    #[n(1)]
    pub activity: Option<Activity>,
    /// Since when, on the hearing clock, the home itself cannot be heard though the site can.
    #[n(2)]
    pub unheard_since: Option<Tick>,
    /// How long it was so since the last activity, not counting the present time of it.
    #[n(3)]
    pub unheard: Millis,
    #[n(4)]
    pub bridge_offline: bool,
    /// Open alarms, gravest first.
    #[n(5)]
    pub alarms: Vec<Alarm>,
    #[n(6)]
    pub frozen: Option<Box<str>>,
    /// The test window that is open.
    #[n(7)]
    pub walk: Option<Walk>,
    /// The last walk test that was signed.
    #[n(8)]
    pub signed: Option<Signed>,
    #[n(9)]
    #[cbor(default)]
    pub presence: Presence,
    /// What the home's past says of its silences.
    #[n(10)]
    #[cbor(default)]
    pub learnt: Learnt,
    /// How its radio speaks.
    #[n(11)]
    #[cbor(default)]
    pub radio: Radio,
    /// The time of which nobody knows yet how its people fared.
    #[n(12)]
    pub unwatched: Option<Unwatched>,
    /// Since when all that is heard to stir does so in the bathroom.
    #[n(13)]
    pub bathroom: Option<Moment>,
    /// Rules that have asked, and when: no episode is alarmed twice.
    #[n(14)]
    #[cbor(default)]
    pub asked: Vec<(AlarmKind, Tick)>,
    /// A radar says that somebody may have fallen, and nobody has moved since.
    #[n(15)]
    pub fallen: Option<Fallen>,
    /// What is said of why nobody is told of some alarms.
    #[n(16)]
    #[cbor(default)]
    pub suppressions: Vec<Suppression>,
    /// What its site was told of how it has cooled, °C.
    #[n(17)]
    pub cooled: Option<u8>,
    #[n(18)]
    pub apart: Option<Apart>,
    /// The alarms that a person closed last, of the last days: they can be reopened.
    #[n(20)]
    #[cbor(default)]
    pub closed: Vec<Closed>,
    /// Who has visited it, and what was told of visits.
    #[n(19)]
    #[cbor(default)]
    pub care: Care,
}

impl State {
    pub fn alarm(&self, kind: AlarmKind) -> Option<&Alarm> {
        self.alarms.iter().find(|a| a.kind == kind)
    }

    /// Where a device of this source and address sits.
    pub fn find(&self, source: &SourceId, address: &Address) -> Option<u16> {
        self.devices.iter().position(|d| &d.source == source && &d.address == address).map(|i| i as u16)
    }

    /// How long nobody has stirred while the home could be heard.
    pub fn silence(&self, now: Stamp) -> Option<Millis> {
        Some(self.heard_since(self.activity.as_ref()?.heard, now))
    }

    /// How long it is since a moment on the hearing clock, without what was unheard since the last activity.
    pub(super) fn heard_since(&self, from: Tick, now: Stamp) -> Millis {
        let deaf = self.unheard.0 + self.unheard_since.map_or(0, |since| now.heard.since(since.max(from)).0);
        Millis(now.heard.since(from).0.saturating_sub(deaf))
    }

    /// The last that a person did, where that is the last we know of.
    pub(super) fn sign(&self) -> Option<&Activity> {
        self.activity.as_ref().filter(|activity| activity.kind.is_some())
    }

    /// Where in the home that was; empty for what nobody did there.
    pub(super) fn room_of(&self, activity: &Activity) -> &str {
        activity.kind.and(self.devices.get(activity.device as usize)).map_or("", |device| &*device.room)
    }

    /// Folds a change in. Total: a change that does not fit changes nothing.
    pub fn apply(&mut self, change: &HomeChange, at: Stamp) {
        match change {
            HomeChange::Heard(fact) => self.fold_fact(fact, at),
            HomeChange::Met(introduction) => self.fold_introduction(introduction, at),
            HomeChange::Raised(alarm) | HomeChange::AlarmJoined(alarm) | HomeChange::Reopened(alarm) => {
                self.closed.retain(|closed| closed.alarm.id != alarm.id);
                let place = self.alarms.partition_point(|a| a.kind < alarm.kind);
                if self.alarm(alarm.kind).is_none() {
                    self.alarms.insert(place, (**alarm).clone());
                }
                self.fold_asked(alarm.kind, at);
                self.care.fold_told(alarm.kind, at);
                self.fold_hidden(alarm.kind, true, at);
            }
            HomeChange::Alarm { kind, change } => {
                if let Some(alarm) = self.alarms.iter_mut().find(|a| a.kind == *kind) {
                    fold_alarm(alarm, change, at);
                }
                if matches!(change, AlarmChange::Counted { .. }) {
                    self.fold_asked(*kind, at);
                    self.care.fold_told(*kind, at);
                    self.fold_hidden(*kind, false, at);
                }
                // A person looked, and all is well: the silence begins anew.
                if let AlarmChange::Safe(Some(safe)) = change {
                    self.fold_safe(safe, at);
                }
            }
            HomeChange::Closed { alarm, code, by } => {
                self.fold_closed(&alarm.id, by.is_some(), at);
                // Nobody is to think an emergency usual.
                if matches!(code, Some(CloseCode::Helped | CloseCode::Hospital | CloseCode::Deceased)) {
                    self.learnt.is_no_example();
                }
            }
            HomeChange::Learnt(lesson) => self.learnt.fold(lesson),
            HomeChange::Lost => self.fold_loss(at),
            HomeChange::Climate { device, beyond } => self.fold_climate(*device, *beyond, at),
            HomeChange::Vital { device, beyond } => self.fold_vital(*device, *beyond, at),
            HomeChange::Cooled { degrees } => self.cooled = *degrees,
            HomeChange::Apart { more } => self.fold_apart(*more, at),
            HomeChange::Unwatched { since, still } => self.fold_deafness(*since, *still, at),
            HomeChange::Resumed => self.fold_word_of_a_person(at),
            HomeChange::Looked { safe } => self.fold_safe(safe, at),
            HomeChange::Visited { kind, outcome, by } => self.fold_visit(*kind, *outcome, by, at),
            HomeChange::AlarmLeft { alarm } => self.alarms.retain(|a| a.id != *alarm),
            HomeChange::DeviceLeft { device } => self.fold_departure(*device, at),
            HomeChange::WalkOpened { .. } | HomeChange::Tested { .. } | HomeChange::WalkClosed { .. } => {
                self.fold_walk(change, at)
            }
            HomeChange::Suppressed(new) => self.fold_suppression(new),
            HomeChange::SuppressionEnded { suppression, .. } => self.fold_suppression_ended(suppression),
            HomeChange::Frozen { fault } => self.frozen = Some(fault.clone()),
            HomeChange::Evidence { .. } => {}
            HomeChange::Bridge { online } => self.fold_bridge(*online, at),
        }
    }

    fn fold_introduction(&mut self, new: &Introduction, at: Stamp) {
        let slot = new.device as usize;
        if slot == self.devices.len() {
            self.devices.push(DeviceState {
                source: new.source.clone(),
                address: new.address.clone(),
                room: new.room.clone(),
                registered: new.registered,
                last: Vec::new(),
                online: None,
                heard: None,
                tells_activity: false,
                only_door: true,
                pressed: None,
                events: Vec::new(),
                life: new.life,
                health: Health::default(),
                climate: Climate::default(),
                water: Water::default(),
                vital: None,
                warmest: None,
            });
        } else if let Some(device) = self.devices.get_mut(slot) {
            device.room = new.room.clone();
            device.registered = new.registered;
            device.life = new.life;
        }
        self.watch_from(at);
    }

    /// Nothing is expected any more of a device that has left; its place stays its own, since it may come back.
    fn fold_departure(&mut self, device: u16, at: Stamp) {
        if let Some(device) = self.devices.get_mut(device as usize) {
            (device.registered, device.life, device.tells_activity, device.online) = (false, false, false, None);
            device.last.clear();
            (device.climate, device.water, device.vital, device.warmest) = Default::default();
        }
        self.forget_radio();
        self.fold_hearing(at);
    }

    /// What never spoke is watched too: silence begins with the first we know of the home.
    fn watch_from(&mut self, at: Stamp) {
        self.activity.get_or_insert(Activity::beginning(at));
    }

    fn fold_word_of_a_person(&mut self, at: Stamp) {
        self.stir(Activity::beginning(at), at);
        self.fold_resumption(at);
        (self.bathroom, self.fallen) = (None, None);
    }

    fn fold_safe(&mut self, safe: &Safe, at: Stamp) {
        self.fold_word_of_a_person(at);
        self.care.fold_safe(safe, at);
        if safe.how == SafeHow::Seen {
            self.presence.visited(at.wall);
        }
    }

    fn fold_fact(&mut self, fact: &Fact, at: Stamp) {
        let Some(device) = self.devices.get_mut(fact.device as usize) else { return };
        let reading = &fact.reading;
        let known = (device.tells_activity, device.online);
        let active = !fact.retained && fact.proves_nothing.is_none() && is_activity(device, reading, at);
        if let Some(event) = fact.event.filter(|e| !device.events.contains(e)) {
            device.events.truncate(EVENTS_KEPT - 1);
            device.events.insert(0, event);
        }
        device.health.fold(fact, device.heard.is_some(), at);
        let now = Moment::at(at);
        if let (Kind::WaterVolume, Value::Number(litres), false) = (reading.kind, &reading.value, fact.retained) {
            device.water.fold(*litres, now);
        }
        device.heard = device.heard.max(Some(fact.happened.unwrap_or(at.wall)));
        if active && reading.kind != Kind::Sos {
            device.tells_activity = true;
            device.only_door &= reading.kind == Kind::Contact;
        }
        if fact.press.is_some() {
            device.pressed = Some(at.tick);
        }
        if reading.kind == Kind::Online {
            device.online = Some(reading.value == Value::Flag(true));
        } else if !fact.retained {
            // Whoever sends is there, whatever was said of it.
            device.online = device.online.map(|_| true);
        }
        if reading.form != Form::Event && reading.kind != Kind::Online {
            remember(&mut device.last, fact, at.tick);
        }
        let news = known != (device.tells_activity, device.online);
        self.watch_from(at);
        self.fold_fall(fact, active, now);
        if !fact.retained {
            self.fold_warmth(fact.device, &fact.reading, at);
        }
        if active {
            self.fold_activity(fact, at);
        }
        if self.fold_radio(fact, at) || news {
            self.fold_hearing(at);
        }
        if active {
            self.fold_sign(fact.happened, at);
        }
    }

    fn fold_activity(&mut self, fact: &Fact, at: Stamp) {
        let late = fact.happened.map_or(Millis(0), |then| at.wall.since(then));
        let mut heard = Tick(at.heard.0.saturating_sub(late.0));
        if let Some(known) = &self.activity {
            // Told late, and over a time when we were deaf: by the hearing clock it may look older than it is.
            let newer = heard >= known.heard || fact.happened.is_some_and(|then| then > known.wall);
            if !newer {
                return;
            }
            heard = heard.max(known.heard);
        }
        let wall = fact.happened.unwrap_or(at.wall);
        let entrance = self.devices.get(fact.device as usize).is_some_and(|device| &*device.room == "entrance");
        let said = (entrance && fact.reading.kind == Kind::Contact).then_some(&fact.reading.value);
        self.presence.stirred(wall, said, self.learnt.last());
        self.fold_stay(fact, Moment { heard, wall });
        self.learnt.stirred(wall, heard, self.presence.has_left(), self.bathroom.is_some());
        if self.unheard_since.is_some() || suppression::absence(self, at).is_some() {
            self.learnt.is_no_example();
        }
        self.stir(Activity { heard, wall, kind: Some(fact.reading.kind), device: fact.device }, at);
    }

    /// The silence begins anew. What may have been unheard of the time since then stays unheard.
    fn stir(&mut self, activity: Activity, at: Stamp) {
        let since = at.heard.since(activity.heard);
        let under_way = self.unheard_since.map_or(Millis(0), |from| at.heard.since(from.max(activity.heard)));
        self.unheard.0 = self.unheard.0.min(since.0.saturating_sub(under_way.0));
        self.activity = Some(activity);
    }
}

fn remember(last: &mut Vec<Last>, fact: &Fact, now: Tick) {
    let reading = &fact.reading;
    let full = last.len() == LAST_KEPT;
    match last.iter_mut().find(|l| l.kind == reading.kind && l.zone == reading.zone) {
        // What was heard of it here is newer than what was held of it.
        Some(known) if fact.history.is_some() && known.recalled.is_none() => {}
        Some(known) => {
            if known.value != reading.value {
                known.value = reading.value.clone();
                known.since = now;
            }
            (known.rest, known.recalled) = (fact.rest, fact.history);
        }
        None if full => {}
        None => last.push(Last {
            kind: reading.kind,
            zone: reading.zone.clone(),
            value: reading.value.clone(),
            since: now,
            rest: fact.rest,
            recalled: fact.history,
        }),
    }
}

/// A motion sensor that says `true` again within this time of its first `true` saw somebody again; after it, it is stuck. The
/// radio's life is not a person's.
const MOTION_REPEATS: Millis = Millis::from_mins(60);

/// Whether a reading shows that somebody stirs, given what the device said before.
pub(super) fn is_activity(device: &DeviceState, reading: &Reading, at: Stamp) -> bool {
    if !reading.kind.activity() {
        return false;
    }
    let before = device.last(reading.kind, reading.zone.as_ref());
    match (&reading.value, reading.form) {
        (Value::Text(_), _) => true,
        // A bed or a chair is left by a person too.
        (Value::Flag(on), Form::Event) => *on || matches!(reading.kind, Kind::Presence | Kind::Bed),
        (_, Form::Event) => true,
        (Value::Flag(true), _) if reading.kind == Kind::Motion => {
            before.is_none_or(|b| b.value != reading.value || at.tick.since(b.since) < MOTION_REPEATS)
        }
        // A motion sensor's falling back to rest is its timer's doing.
        (Value::Flag(false), _) if matches!(reading.kind, Kind::Motion | Kind::Sos | Kind::Vibration) => false,
        // Anything else is told by its change, and the first telling is none.
        (Value::Flag(_) | Value::Open(_), _) => before.is_some_and(|b| b.value != reading.value),
        (Value::Number(_), _) => false,
    }
}
