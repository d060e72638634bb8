//! Alibaba Cloud's link model (Alink JSON): `/sys/PRODUCT/DEVICE/thing/event/property/post`, and events by their identifiers.
//!
//! A product's maker names its features; those taken from Alibaba's own library have fixed names, and all others are for profiles.
//! A device's name is unique within its product only, so the address is both.

use super::json::Json;
use super::rule::Rule;
use super::scalar::Scalar;
use super::stated_time::stated_time;
use super::table::{Gathered, Row, event, latched, state};
use super::topic::Place;
use super::{Decoded, Heard, Rejected};
use crate::engine::kind::Kind;
use crate::engine::time::Wall;

#[cfg(test)]
mod tests;

/// The library's features, sorted by name. A contact says 1 when it is open, all others when there is something.
static ROWS: &[Row] = &[
    state("BatteryPercentage", Rule::Number(Kind::Battery)),
    state("ContactState", Rule::Flag(Kind::Contact)),
    state("CurrentHumidity", Rule::Number(Kind::Humidity)),
    state("CurrentTemperature", Rule::Number(Kind::Temperature)),
    state("GasSensorState", Rule::Flag(Kind::Gas)),
    state("HeartRate", Rule::Number(Kind::HeartRate)),
    state("Humidity", Rule::Number(Kind::Humidity)).second(),
    state("LowBatteryAlarm", Rule::Flag(Kind::BatteryLow)),
    state("MeasuredIlluminance", Rule::Number(Kind::Illuminance)),
    state("MotionAlarmState", Rule::Flag(Kind::Motion)),
    latched("SOS", Rule::Flag(Kind::Sos)),
    state("SmokeSensorState", Rule::Flag(Kind::Smoke)),
    latched("SosState", Rule::Flag(Kind::Sos)),
    state("TamperState", Rule::Flag(Kind::Tamper)),
    state("Temperature", Rule::Number(Kind::Temperature)).second(),
    state("WaterSensorState", Rule::Flag(Kind::WaterLeak)),
    state("humidity", Rule::Number(Kind::Humidity)).second(),
    state("temperature", Rule::Number(Kind::Temperature)).second(),
];

/// Events that are a call for help, by name alone.
const CALLS: &[&str] = &["Emergency", "EmergencyAlarm", "SOS", "SOSAlarm", "SosAlarm"];
const CALL: Row = event("", Rule::Flag(Kind::Sos));

pub(super) fn decode(heard: &Heard, place: Place) -> Decoded {
    understood(heard, &place).unwrap_or_else(Decoded::from)
}

fn understood(heard: &Heard, place: &Place) -> Result<Decoded, Rejected> {
    let (address, identifier) = split(heard.message.topic).ok_or(Rejected::NoDevice)?;
    let json = Json::object(heard)?;
    let profile = heard.lore.profile(&heard.source.name, address, "");
    let mut gathered = Gathered::new(profile);
    let params = json.get("params");
    let time = match (identifier, params) {
        ("property", Some(params)) => properties(&mut gathered, params),
        (_, Some(params)) => happened(&mut gathered, identifier, params),
        (_, None) => None,
    };
    let mut spoken = gathered.spoken();
    spoken.time = time;
    // Many a firmware gives every message the id of Alibaba's example, so the time is part of it.
    let id = json.get("id").and_then(Json::as_text).filter(|_| identifier != "property");
    spoken.event = id.zip(time).map(|(id, time)| format!("{id}@{}", time.0).into());
    let mut report = heard.report(None, address, spoken)?;
    report.home_hint = place.home_of(place.address).map(Into::into);
    Ok(Decoded::reports(vec![report]))
}

/// The address, which is product and device, and the identifier of the event.
fn split(topic: &str) -> Option<(&str, &str)> {
    let (head, tail) = topic.split_once("/thing/event/")?;
    let (product, _) = head.rmatch_indices('/').nth(1)?;
    Some((&head[product + 1..], tail.strip_suffix("/post")?))
}

/// `{"ContactState":{"value":1,"time":1524448722000}}`, or the bare value. Says when the newest of what was read was so.
fn properties(gathered: &mut Gathered, params: &Json) -> Option<Wall> {
    let mut newest = None;
    for (name, stated) in params.members() {
        let value = stated.get("value").unwrap_or(stated).scalar();
        if gathered.take(name, &value, Row::find(ROWS, name), None) {
            newest = newest.max(time(stated));
        }
    }
    newest
}

/// `{"value":{…},"time":1524448722000}`. The event itself may be what people told of, or else what it holds.
fn happened(gathered: &mut Gathered, identifier: &str, params: &Json) -> Option<Wall> {
    let call = CALLS.contains(&identifier).then_some(&CALL);
    gathered.take(identifier, &Scalar::Bool(true), call, None);
    for (name, value) in params.get("value").map(Json::members).unwrap_or_default() {
        gathered.take(name, &value.scalar(), Row::find(ROWS, name), None);
    }
    time(params)
}

fn time(stated: &Json) -> Option<Wall> {
    stated_time(&stated.get("time")?.scalar())
}
