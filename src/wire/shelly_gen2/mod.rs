//! Shelly of the second generation and later (Plus, Pro, Gen3, Gen4), as the vendor's API has it: notifications on `<id>/events/rpc`,
//! the status of one component on `<id>/status/<component>`, and the last will on `<id>/online`.
//!
//! A notification of a status tells only what changed, so what is missing in it is neither false nor zero. The first component of a
//! kind is the device itself; one with a number above zero (`temperature:101`) is a zone of it.

mod blu;
#[cfg(test)]
mod tests;

use super::json::Json;
use super::report::Spoken;
use super::rule::{self, Rule, Settled, TOLD};
use super::scalar::{Scalar, presentable};
use super::stated_time::stated_time;
use super::topic::Place;
use super::{Decoded, Heard, Ignored, Rejected, text};
use crate::engine::id::Zone;
use crate::engine::kind::Kind;
use crate::engine::profile::Profile;
use crate::engine::reading::{Form, Reading, Value};
use crate::engine::time::Wall;

/// The most events of one notification.
const MAX_EVENTS: usize = 64;

/// What a component's status tells, and where in it.
struct Row {
    component: &'static str,
    path: &'static [&'static str],
    rule: Rule,
    rank: u8,
}

const fn row(component: &'static str, path: &'static [&'static str], rule: Rule) -> Row {
    Row { component, path, rule, rank: 1 }
}

/// The same fact once more; speaks only where the plain one is missing.
const fn second(component: &'static str, path: &'static [&'static str], rule: Rule) -> Row {
    Row { component, path, rule, rank: 0 }
}

/// **What is missing here is missing on purpose:** the `temperature` inside a switch is the chip's, a thermostat's `current_C` follows
/// its valve, `mute` is no alarm, and an input's `state` means what is wired to it, which a profile tells.
static ROWS: &[Row] = &[
    row("smoke", &["alarm"], Rule::Strict(Kind::Smoke)),
    row("flood", &["alarm"], Rule::Strict(Kind::WaterLeak)),
    row("presencezone", &["value"], Rule::Strict(Kind::Presence)),
    row("presencezone", &["state"], Rule::Strict(Kind::Presence)),
    second("presencezone", &["num_objects"], Rule::Counted(Kind::Presence)),
    row("presence", &["num_objects"], Rule::Counted(Kind::Presence)),
    row("devicepower", &["battery", "percent"], Rule::Number(Kind::Battery)),
    row("bthomedevice", &["battery"], Rule::Number(Kind::Battery)),
    row("blutrv", &["battery"], Rule::Number(Kind::Battery)),
    row("temperature", &["tC"], Rule::Number(Kind::Temperature)),
    second("temperature", &["tF"], Rule::Fahrenheit(Kind::Temperature)),
    row("humidity", &["rh"], Rule::Number(Kind::Humidity)),
    row("illuminance", &["lux"], Rule::Number(Kind::Illuminance)),
    row("switch", &["apower"], Rule::Number(Kind::Power)),
    row("pm1", &["apower"], Rule::Number(Kind::Power)),
    row("light", &["apower"], Rule::Number(Kind::Power)),
    row("cover", &["apower"], Rule::Number(Kind::Power)),
    row("em1", &["act_power"], Rule::Number(Kind::Power)),
    row("em", &["total_act_power"], Rule::Number(Kind::Power)),
];

/// What a topic behind the device's name is.
enum Topic<'t> {
    Online,
    Notification,
    Status(&'t str),
    Command,
    Other,
}

pub(super) fn decode(heard: &Heard, place: Place) -> Decoded {
    let (address, topic) = split(heard.message.topic, place.address);
    let model = model(address);
    let profile = heard.lore.profile(&heard.source.name, address, model);
    let shelly = Shelly { heard, place, address, profile };
    let decoded = match topic {
        Topic::Command => Ok(Ignored::Command.into()),
        Topic::Other => Ok(Ignored::NothingOfInterest.into()),
        _ if heard.message.payload.is_empty() => Ok(Ignored::Empty.into()),
        Topic::Online => online(heard).map(|reading| shelly.spoken(vec![reading], None)),
        Topic::Status(component) => shelly.status(component),
        Topic::Notification => shelly.notification(),
    };
    decoded.unwrap_or_else(Into::into)
}

/// The device's address and the topic behind it. A device's name may hold slashes where the operator chose so, hence from the end.
fn split<'t>(topic: &'t str, address: &'t str) -> (&'t str, Topic<'t>) {
    let mut levels = topic.rsplit('/');
    let last = levels.next().unwrap_or_default();
    let (found, tail) = match (levels.next().unwrap_or_default(), last) {
        (_, "online") => (Topic::Online, last.len()),
        ("events", "rpc") => (Topic::Notification, "events/rpc".len()),
        ("status", component) => (Topic::Status(component), "status/".len() + component.len()),
        (_, "rpc" | "command") => (Topic::Command, last.len()),
        _ => return (address, Topic::Other),
    };
    let tail = &topic[topic.len() - tail..];
    let device = address.strip_suffix(tail).and_then(|device| device.strip_suffix('/'));
    (device.unwrap_or(address), found)
}

/// The model in a device's own name: `shellyplussmoke` of `shellyplussmoke-80646fd0c1a2`.
pub(super) fn model(address: &str) -> &str {
    let name = address.rsplit('/').next().unwrap_or(address);
    name.rsplit_once('-').map_or("", |(model, _)| model)
}

/// The last will, which both generations word alike.
pub(super) fn online(heard: &Heard) -> Result<Reading, Rejected> {
    match Scalar::spelt(text(heard.message)?) {
        Scalar::Bool(online) => Ok(Reading::flag(Kind::Online, online)),
        _ => Err(Rejected::State),
    }
}

/// One device, speaking.
struct Shelly<'a> {
    heard: &'a Heard<'a>,
    place: Place<'a>,
    address: &'a str,
    profile: Option<&'a Profile>,
}

impl Shelly<'_> {
    fn spoken(&self, readings: Vec<Reading>, time: Option<Wall>) -> Decoded {
        self.heard.spoken(&self.place, self.address, Spoken { time, ..Spoken::of(readings) })
    }

    fn status(&self, component: &str) -> Result<Decoded, Rejected> {
        let status = Json::object(self.heard)?;
        let mut settled = Settled::default();
        self.component(component, &status, &mut settled);
        Ok(self.spoken(settled.readings(), None))
    }

    fn notification(&self) -> Result<Decoded, Rejected> {
        let frame = Json::object(self.heard)?;
        let Some(params) = frame.get("params") else { return Ok(Ignored::NothingOfInterest.into()) };
        match frame.get("method").and_then(Json::as_text) {
            Some("NotifyStatus" | "NotifyFullStatus") => Ok(self.components(params)),
            Some("NotifyEvent") => self.events(params),
            _ => Ok(Ignored::NothingOfInterest.into()),
        }
    }

    fn components(&self, params: &Json) -> Decoded {
        let mut settled = Settled::default();
        for (name, status) in params.members() {
            match &**name {
                blu::COMPONENT => blu::states(status, &mut settled),
                name => self.component(name, status, &mut settled),
            }
        }
        self.spoken(settled.readings(), time(params))
    }

    /// What one component's status, or the changed part of it, says.
    fn component(&self, name: &str, status: &Json, settled: &mut Settled) {
        let zone = zone(name);
        for told in self.profile.map_or(&[][..], |profile| &profile.properties) {
            let value = told_value(&told.property, name, status);
            let reading = value.and_then(|value| rule::told(told, &value.scalar(), zone.clone()));
            reading.into_iter().for_each(|reading| settled.add(TOLD, reading));
        }
        if is_without_batteries(status) {
            return;
        }
        let is_told = |path: &[&str]| {
            self.profile.is_some_and(|profile| profile.of(&format!("{name}.{}", path.join("."))).is_some())
        };
        for row in ROWS.iter().filter(|row| row.component == kind(name) && !is_told(row.path)) {
            let Some(value) = status.at(row.path) else { continue };
            if let Some((kind, value)) = row.rule.read(&value.scalar(), None) {
                settled.add(row.rank, Reading { kind, zone: zone.clone(), value, form: Form::Edge });
            }
        }
    }

    /// One report for each event, since each has a time of its own.
    fn events(&self, params: &Json) -> Result<Decoded, Rejected> {
        let events = params.get("events").map_or(&[][..], Json::items);
        if events.len() > MAX_EVENTS {
            return Err(Rejected::TooMuch);
        }
        let mut reports = Vec::new();
        for event in events {
            let readings = self.event(event);
            if !readings.is_empty() {
                let time = time(event).or(time(params));
                let name = time.and_then(|at| event_id(event, &readings, at));
                let spoken = Spoken { time, event: name, ..Spoken::of(readings) };
                reports.push(self.heard.report(Some(&self.place), self.address, spoken)?);
            }
        }
        Ok(if reports.is_empty() { self.spoken(Vec::new(), time(params)) } else { Decoded::reports(reports) })
    }

    fn event(&self, event: &Json) -> Vec<Reading> {
        let text = |name| event.get(name).and_then(Json::as_text);
        let (Some(component), Some(word)) = (text("component"), text("event")) else { return Vec::new() };
        let zone = zone(component);
        if let Some(told) = self.profile.and_then(|profile| profile.of(component)) {
            return rule::told(told, &Scalar::Text(word.into()), zone).into_iter().collect();
        }
        let of = |kind, value, form| vec![Reading { kind, zone, value, form }];
        match (kind(component), word) {
            ("smoke", "alarm") => of(Kind::Smoke, Value::Flag(true), Form::Edge),
            ("smoke", "alarm_off") => of(Kind::Smoke, Value::Flag(false), Form::Edge),
            ("flood", "alarm") => of(Kind::WaterLeak, Value::Flag(true), Form::Edge),
            ("flood", "alarm_off") => of(Kind::WaterLeak, Value::Flag(false), Form::Edge),
            ("input" | "bthomedevice" | "bthomesensor", word) if is_push(word) => {
                of(Kind::Button, Value::Text(word.into()), Form::Event)
            }
            ("script" | blu::COMPONENT, _) => event.get("data").map(blu::event).unwrap_or_default(),
            _ => Vec::new(),
        }
    }
}

/// Whether a word names a whole push. `btn_down` and `btn_up` frame each push, and a toggle has no meaning of its own.
fn is_push(word: &str) -> bool {
    (word.ends_with("_push") || matches!(word, "hold" | "hold_press")) && presentable(word)
}

/// The kind of `input:0`.
fn kind(component: &str) -> &str {
    component.split(':').next().unwrap_or(component)
}

fn zone(component: &str) -> Option<Zone> {
    let (_, number) = component.split_once(':')?;
    if number == "0" { None } else { Zone::new(component).ok() }
}

/// What a property that people told of means in this status: `input:0` its state or value, `input:0.percent` what stands there.
fn told_value<'j>(property: &str, component: &str, status: &'j Json) -> Option<&'j Json<'j>> {
    match property.strip_prefix(component)? {
        "" => status.get("state").or_else(|| status.get("value")),
        path => path.strip_prefix('.')?.split('.').try_fold(status, |value, name| value.get(name)),
    }
}

/// On USB, with no batteries put in, the charge is told as 0 %.
fn is_without_batteries(status: &Json) -> bool {
    status.at(&["external", "present"]) == Some(&Json::Bool(true))
        && status.at(&["battery", "percent"]) == Some(&Json::Number(0.0))
}

/// `ts`, seconds since 1970 in UTC; before the first synchronisation small, and so none.
fn time(params: &Json) -> Option<Wall> {
    let seconds = params.get("ts").and_then(Json::as_number)?;
    stated_time(&Scalar::Number((seconds * 1000.0).round()))
}

/// The same word of the same component and zone at the same hundredth of a second is the same event, delivered twice.
fn event_id(event: &Json, readings: &[Reading], at: Wall) -> Option<Box<str>> {
    let text = |name| event.get(name).and_then(Json::as_text);
    let zone = readings.first().and_then(|reading| reading.zone.as_ref()).map_or("", Zone::as_str);
    let id = format!("{}/{}/{zone}@{}", text("component")?, text("event")?, at.0);
    presentable(&id).then(|| id.into())
}
