//! What comes on a topic that a discovery named: states, presses, and whether the device is there.

use super::entity::{Entity, EventClass, Mode, Sense, is_word};
use super::press;
use super::template::{Found, Payload, as_number};
use crate::engine::id::Zone;
use crate::engine::kind::{Kind, Shape};
use crate::engine::profile::{Gloss, Profile};
use crate::engine::reading::{Form, Reading, Report, Value};
use crate::wire::json::Json;
use crate::wire::lore::{DeviceLore, Lesson, MAX_WORD_BYTES, Meaning};
use crate::wire::report::{Spoken, reports};
use crate::wire::rule::{self, Settled};
use crate::wire::scalar::{Scalar, presentable};
use crate::wire::topic::{Place, covers};
use crate::wire::{Decoded, Heard, Ignored, Rejected, text, zigbee2mqtt};
use std::borrow::Cow;
use std::collections::HashMap;

pub(super) fn decode(heard: &Heard, told: &[&Entity]) -> Decoded {
    let payload = match text(heard.message) {
        Ok(payload) if payload.trim().is_empty() => return Ignored::Empty.into(),
        Ok(payload) => Payload::new(payload),
        Err(why) => return why.into(),
    };
    if let (Err(why), true) = (&payload.json, payload.text.trim_start().starts_with(['{', '['])) {
        return (*why).into();
    }
    let devices = by_device(told);
    let alone = devices.len() == 1;
    let mut said = Vec::new();
    let mut lessons = Vec::new();
    let mut unreadable = false;
    for entities in devices {
        let device = Device::new(heard, &payload, entities);
        lessons.extend(device.lessons());
        match device.report() {
            Ok(Some(report)) if alone || !report.readings.is_empty() => said.push(report),
            Ok(Some(_)) => {}
            Ok(None) => unreadable |= device.is_unreadable(),
            Err(why) => return why.into(),
        }
    }
    let decoded = if said.is_empty() && unreadable { Ignored::Template.into() } else { reports(said) };
    Decoded { lessons, ..decoded }
}

/// The entities of each device, in the order in which they were told.
fn by_device<'l>(told: &[&'l Entity]) -> Vec<Vec<&'l Entity>> {
    let mut devices: Vec<Vec<&Entity>> = Vec::new();
    let mut places = HashMap::new();
    for entity in told {
        let place = *places.entry(&entity.address).or_insert(devices.len());
        match devices.get_mut(place) {
            Some(device) => device.push(entity),
            None => devices.push(vec![entity]),
        }
    }
    devices
}

/// One device, as far as a message speaks of it.
struct Device<'h> {
    heard: &'h Heard<'h>,
    payload: &'h Payload<'h>,
    address: &'h str,
    home: bool,
    /// Those whose state it is.
    speaking: Vec<&'h Entity>,
    /// All of which the message says something, also whether they are there.
    entities: Vec<&'h Entity>,
    profile: Option<&'h Profile>,
}

impl<'h> Device<'h> {
    fn new(heard: &'h Heard<'h>, payload: &'h Payload<'h>, entities: Vec<&'h Entity>) -> Device<'h> {
        let first = entities.first();
        let (address, model) = first.map_or(("", ""), |entity| (&entity.address, &entity.model));
        Device {
            heard,
            payload,
            address,
            home: first.is_some_and(|entity| entity.home),
            speaking: entities.iter().copied().filter(|entity| entity.speaks_on(heard.message.topic)).collect(),
            profile: heard.lore.profile(&heard.source.name, address, model),
            entities,
        }
    }

    /// None where the message says nothing of the device, not even that it lives.
    fn report(&self) -> Result<Option<Report>, Rejected> {
        let online = self.online().map(|online| Reading::flag(Kind::Online, online));
        let mut spoken = if self.is_zigbee_state() { self.zigbee_state()? } else { Spoken::of(self.states()) };
        if (self.speaking.is_empty() || self.is_unreadable() && spoken.readings.is_empty()) && online.is_none() {
            return Ok(None);
        }
        let known = spoken.readings.iter().any(|reading| reading.kind == Kind::Online);
        spoken.readings.extend(online.filter(|_| !known));
        let place = Place { address: self.address, levels_before_device: 0, home: self.home };
        let mut report = self.heard.report(Some(&place), self.address, spoken)?;
        report.echo = self.is_echo();
        Ok(Some(report))
    }

    fn is_unreadable(&self) -> bool {
        !self.speaking.is_empty() && self.speaking.iter().all(|entity| entity.template.is_unreadable())
    }

    /// The readings of its entities, and of what people told.
    fn states(&self) -> Vec<Reading> {
        let mut settled = Settled::default();
        for entity in &self.speaking {
            let reading = match self.told_of(entity) {
                Some(told) => self.by_people(told, entity),
                None => self.state(entity),
            };
            reading.into_iter().for_each(|reading| settled.add(0, reading));
        }
        self.parts_told().for_each(|reading| settled.add(0, reading));
        settled.readings()
    }

    fn told_of(&self, entity: &Entity) -> Option<&'h Gloss> {
        let profile = self.profile?;
        profile.of(&entity.name).or_else(|| profile.of(entity.property.as_deref()?))
    }

    /// An entity's value, in the meaning that people gave it.
    fn by_people(&self, told: &Gloss, entity: &Entity) -> Option<Reading> {
        let zone = self.zone(entity, told.kind?);
        let found = match entity.template.read(self.payload) {
            Found::Value(value) => value,
            Found::Unreadable if !self.is_object() => Scalar::Text(Cow::Borrowed(self.payload.text)),
            Found::Nothing | Found::Unreadable => return None,
        };
        match (&entity.sense, &found) {
            (Sense::Event(_), value) => rule::told(told, &Scalar::Text(event_type(value)?.into()), zone),
            (Sense::Trigger { payload: Some(payload), .. }, value) if !is_word(value, payload) => None,
            (_, Scalar::Text(text)) => rule::told(told, &Scalar::spelt(text), zone),
            (_, value) => rule::told(told, value, zone),
        }
    }

    /// What people told of parts of the message that are no entity's.
    fn parts_told(&self) -> impl Iterator<Item = Reading> {
        let json = self.payload.json.as_ref().ok();
        let told = self.profile.map_or(&[][..], |profile| &profile.properties).iter();
        let known = |told: &&Gloss| self.speaking.iter().any(|entity| self.told_of(entity) == Some(*told));
        let free = told.filter(move |told| !known(told));
        free.filter_map(move |told| {
            let path: Vec<&str> = told.property.split('.').collect();
            let value = json.filter(|json| !json.members().is_empty())?.at(&path)?;
            rule::told(told, &value.scalar(), None)
        })
    }

    fn state(&self, entity: &Entity) -> Option<Reading> {
        let Found::Value(value) = entity.template.read(self.payload) else { return None };
        let reading = match &entity.sense {
            Sense::Binary { kind: Some(kind), on, off, ends_untold } => {
                let flag = if is_word(&value, on) {
                    true
                } else if is_word(&value, off) {
                    false
                } else {
                    return None;
                };
                binary(*kind, flag, *ends_untold)
            }
            Sense::Number(kind, unit) => {
                let number = Scalar::Number(as_number(&value).filter(|_| !matches!(value, Scalar::Bool(_)))?);
                Reading::new(*kind, rule::number(*kind, &number, |x| unit.convert(x))?, Form::Edge)
            }
            Sense::Event(class) => event(*class, &event_type(&value)?)?,
            Sense::Trigger { payload, called, .. } => trigger(payload.as_deref(), called, &value)?,
            Sense::Binary { kind: None, .. } | Sense::Zigbee { .. } | Sense::Unknown => return None,
        };
        Some(Reading { zone: self.zone(entity, reading.kind), ..reading })
    }

    /// The entity's name, where its device has another entity of the kind.
    fn zone(&self, entity: &Entity, kind: Kind) -> Option<Zone> {
        let mut all = self.heard.lore.entities_of(&self.heard.source.name, self.address);
        let shared =
            entity.kind().is_some() && all.any(|other| other.kind() == Some(kind) && other.name != entity.name);
        shared.then(|| Zone::new(&entity.name).ok())?
    }

    /// Whether the message is the whole state of a Zigbee2MQTT device.
    fn is_zigbee_state(&self) -> bool {
        self.is_object() && self.speaking.iter().any(|entity| matches!(entity.sense, Sense::Zigbee { .. }))
    }

    fn is_object(&self) -> bool {
        matches!(self.payload.json, Ok(Json::Object(_)))
    }

    /// Zigbee2MQTT's own words, whatever its base topic is; what people told of a property stands instead of them.
    fn zigbee_state(&self) -> Result<Spoken, Rejected> {
        let mut known = DeviceLore::default();
        for entity in &self.speaking {
            let Sense::Zigbee { meaning, senses_presence } = &entity.sense else { continue };
            known.senses_presence |= senses_presence;
            known.meanings.extend(entity.property.clone().zip(meaning.clone()));
        }
        let mut people = Vec::new();
        for told in self.profile.map_or(&[][..], |profile| &profile.properties) {
            let entity = self.speaking.iter().find(|entity| entity.name == told.property);
            let property = entity.and_then(|entity| entity.property.as_ref()).unwrap_or(&told.property);
            known.meanings.insert(0, (property.clone(), Meaning::NoReading));
            let path: Vec<&str> = property.split('.').collect();
            let value = self.payload.json.as_ref().ok().and_then(|json| json.at(&path));
            people.extend(value.and_then(|value| rule::told(told, &value.scalar(), None)));
        }
        let mut spoken = zigbee2mqtt::state(self.payload.text, &known)?;
        spoken.readings.extend(people);
        Ok(spoken)
    }

    /// A press that Zigbee2MQTT tells once more for Home Assistant, beside the state that told it.
    fn is_echo(&self) -> bool {
        let echoes = |entity: &Entity| matches!(entity.sense, Sense::Trigger { echoes: true, .. });
        let known = self.heard.lore.device(&self.heard.source.name, self.address);
        self.speaking.iter().any(|entity| echoes(entity)) && known.is_some_and(|device| device.speaks_json)
    }

    /// Whether the device is there: as soon as one of its entities is.
    fn online(&self) -> Option<bool> {
        self.entities.iter().filter_map(|entity| self.is_there(entity)).reduce(|one, other| one || other)
    }

    fn is_there(&self, entity: &Entity) -> Option<bool> {
        let topic = self.heard.message.topic;
        let (here, elsewhere): (Vec<_>, Vec<_>) =
            entity.availability.iter().partition(|availability| covers(&availability.topic, topic));
        let said = here.iter().find_map(|availability| availability.says(self.payload))?;
        // What was never heard does not count.
        let others = |wanted: bool| {
            elsewhere.iter().any(|availability| {
                let word = self.heard.lore.word(&self.heard.source.name, &availability.topic);
                word.and_then(|word| availability.says(&Payload::new(word))) == Some(wanted)
            })
        };
        let contradicted = match entity.mode {
            Mode::Latest => false,
            Mode::All => said && others(false),
            Mode::Any => !said && others(true),
        };
        (!contradicted).then_some(said)
    }

    fn lessons(&self) -> Vec<Lesson> {
        let source = &self.heard.source.name;
        let mut lessons = Vec::new();
        let known = || self.heard.lore.device(source, self.address).is_some_and(|device| device.speaks_json);
        if self.is_zigbee_state() && !known() {
            lessons.push(Lesson::SpeaksJson { source: source.clone(), address: self.address.into() });
        }
        let topic = self.heard.message.topic;
        let one_of_several = |entity: &&Entity| {
            let named = |entity: &Entity| entity.availability.iter().any(|a| &*a.topic == topic);
            entity.mode != Mode::Latest && entity.availability.len() > 1 && named(entity)
        };
        let word = self.payload.text;
        let news = word.len() <= MAX_WORD_BYTES && self.heard.lore.word(source, topic) != Some(word);
        if news && self.entities.iter().any(one_of_several) {
            lessons.push(Lesson::Word { source: source.clone(), topic: topic.into(), word: word.into() });
        }
        lessons
    }
}

/// A state of two words. Where nobody tells its end, each *on* is an event of its own: as a state it would last for ever.
fn binary(kind: Kind, flag: bool, ends_untold: bool) -> Reading {
    let value = if kind.shape() == Shape::Door { Value::Open(flag) } else { Value::Flag(flag) };
    let event = ends_untold && (flag || kind.alarm().is_some());
    Reading::new(kind, value, if event { Form::Event } else { Form::Edge })
}

/// The type of an event, from the JSON that an event's value is.
fn event_type(value: &Scalar) -> Option<String> {
    let json = Json::parse(value.as_text()?).ok()?;
    json.get("event_type")?.as_text().map(|text| text.trim().to_owned())
}

fn event(class: EventClass, said: &str) -> Option<Reading> {
    match class {
        EventClass::Doorbell => None,
        EventClass::Motion => {
            let seen = ["motion", "motion_detected", "detected", "movement", "on"];
            seen.contains(&said.to_ascii_lowercase().as_str())
                .then(|| Reading::new(Kind::Motion, Value::Flag(true), Form::Event))
        }
        EventClass::Any if !press::is_press(said) && !press::is_call(said) => None,
        EventClass::Any | EventClass::Button => press::press(said),
    }
}

/// A press is called what the message calls it; where that is no word, what the discovery calls it.
fn trigger(payload: Option<&str>, called: &str, value: &Scalar) -> Option<Reading> {
    if payload.is_some_and(|payload| !is_word(value, payload)) {
        return None;
    }
    if press::is_call(called) {
        return press::press("sos");
    }
    let word = value.as_text().filter(|text| {
        let flag = ["on", "off", "true", "false"].iter().any(|flag| text.eq_ignore_ascii_case(flag));
        presentable(text) && !flag && text.starts_with(char::is_alphabetic)
    });
    press::press(word.unwrap_or(called))
}
