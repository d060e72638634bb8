//! TuyaLink, Tuya's open MQTT protocol (`tylink/DEVICE/…`): reports of data points, events, batches of a gateway, and which of its
//! sub-devices are there. Data points are known by the codes of Tuya's standard status sets.
//!
//! A sub-device has an id of its own, unique as any other, whether it speaks on its own topic or in its gateway's batch.

use super::json::Json;
use super::report::{Spoken, reports};
use super::rule::{Rule, Words};
use super::scalar::Scalar;
use super::stated_time::stated_time;
use super::table::{Gathered, Row, event, latched, state};
use super::topic::Place;
use super::{Decoded, Heard, Ignored, Rejected};
use crate::engine::id::Zone;
use crate::engine::kind::Kind;
use crate::engine::reading::{Reading, Report};
use crate::engine::time::Wall;

#[cfg(test)]
mod tests;

/// The most devices of one message; Tuya's own limit is 100.
const MAX_DEVICES: usize = 256;

/// Tuya's older codes say 1 and 2.
const ALARM: Words = &[("alarm", true), ("1", true), ("normal", false), ("2", false)];
const CHARGE: Words = &[("low", true), ("middle", false), ("high", false)];
const FALL: Words = &[("drop", true), ("slip", true), ("normal", false)];
const MOVING: Words = &[("pir", true), ("none", false)];
const PANEL: Words = &[("sos", true), ("disarmed", false), ("arm", false), ("home", false)];
const SHOCK: Words = &[("vibration", true), ("normal", false)];
const SOMEBODY: Words = &[
    ("none", false),
    ("presence", true),
    ("peaceful", true),
    ("small_move", true),
    ("large_move", true),
    ("move", true),
    ("still", true),
];

/// The codes, sorted by name.
///
/// **What is missing here is missing on purpose.** `battery_value` and `battery` are millivolts, `co_value`, `gas_sensor_value` and
/// `smoke_sensor_value` figures, `bright_value` is a lamp's setting as often as a sensor's lux, `temp_current` has one decimal or none,
/// `alarm_state` is a siren's, `co2_state` and its like are air quality, `switch` anything.
static ROWS: &[Row] = &[
    state("battery_percentage", Rule::Number(Kind::Battery)),
    state("battery_state", Rule::Words(Kind::BatteryLow, CHARGE)),
    state("breathing_rate", Rule::Number(Kind::RespiratoryRate)),
    state("ch4_sensor_state", Rule::Words(Kind::Gas, ALARM)),
    state("co_state", Rule::Words(Kind::Co, ALARM)),
    state("co_status", Rule::Words(Kind::Co, ALARM)),
    state("doorcontact_state", Rule::Flag(Kind::Contact)),
    state("drop_state", Rule::Words(Kind::Fall, FALL)),
    state("gas_sensor_state", Rule::Words(Kind::Gas, ALARM)),
    state("gas_sensor_status", Rule::Words(Kind::Gas, ALARM)),
    state("heart_rate", Rule::Number(Kind::HeartRate)),
    state("humidity_value", Rule::Number(Kind::Humidity)),
    // Of an alarm panel: its mode after somebody has pressed for help.
    state("master_mode", Rule::Words(Kind::Sos, PANEL)),
    state("pir", Rule::Words(Kind::Motion, MOVING)),
    state("presence_state", Rule::Words(Kind::Presence, SOMEBODY)),
    state("shock_state", Rule::Words(Kind::Vibration, SHOCK)),
    state("smoke_sensor_state", Rule::Words(Kind::Smoke, ALARM)),
    state("smoke_sensor_status", Rule::Words(Kind::Smoke, ALARM)),
    event("sos", Rule::Words(Kind::Sos, &[("sos", true)])),
    latched("sos_state", Rule::Flag(Kind::Sos)),
    // Tamper, as Tuya spells it.
    state("temper_alarm", Rule::Flag(Kind::Tamper)),
    state("va_battery", Rule::Number(Kind::Battery)).second(),
    state("va_humidity", Rule::Number(Kind::Humidity)),
    state("va_temperature", Rule::Times(Kind::Temperature, 0.1)),
    state("watersensor_state", Rule::Words(Kind::WaterLeak, ALARM)),
];

const PRESS: Row = event("", Rule::Action);

pub(super) fn decode(heard: &Heard, place: Place) -> Decoded {
    let Some((address, topic)) = split(&place) else {
        return Rejected::NoDevice.into();
    };
    let understood = match topic {
        "thing/property/report" => one(heard, &place, address, |device, data| device.properties(data)),
        "thing/event/trigger" => one(heard, &place, address, |device, data| device.event(data)),
        "thing/data/batch_report" => batch(heard, &place, address),
        "device/sub/login" => present(heard, &place, address, true),
        "device/sub/logout" => present(heard, &place, address, false),
        "thing/property/set" | "thing/property/get" | "thing/action/execute" => return Ignored::Command.into(),
        _ => return Ignored::NothingOfInterest.into(),
    };
    understood.unwrap_or_else(Decoded::from)
}

/// The address, with its home if it has one, and what stands behind it.
fn split<'t>(place: &Place<'t>) -> Option<(&'t str, &'t str)> {
    let (slash, _) = place.address.match_indices('/').nth(place.levels_before_device)?;
    Some((&place.address[..slash], &place.address[slash + 1..]))
}

/// What a message of one device says.
struct Device<'d> {
    gathered: Gathered<'d>,
    /// The newest of what was read.
    time: Option<Wall>,
    event: Option<Box<str>>,
}

impl<'d> Device<'d> {
    fn new(heard: &'d Heard, address: &str) -> Device<'d> {
        let profile = heard.lore.profile(&heard.source.name, address, "");
        Device { gathered: Gathered::new(profile), time: None, event: None }
    }

    /// `{"doorcontact_state":{"value":true,"time":1772354651118}}`
    fn properties(&mut self, data: &Json) {
        for (code, stated) in data.members() {
            let value = stated.get("value").unwrap_or(stated).scalar();
            if self.take(code, &value) {
                self.time = self.time.max(time(stated, "time"));
            }
        }
    }

    /// `{"eventCode":"…","eventTime":…,"outputParams":{…}}`. The code itself may be what people told of, or else what stands with it.
    fn event(&mut self, data: &Json) {
        let code = data.get("eventCode").and_then(Json::as_text).unwrap_or_default();
        self.named_event(code, data);
    }

    fn named_event(&mut self, code: &str, data: &Json) {
        let call = matches!(code, "sos" | "sos_alarm" | "emergency");
        self.gathered.take(code, &Scalar::Bool(true), call.then_some(&CALL), None);
        for (param, value) in data.get("outputParams").map(Json::members).unwrap_or_default() {
            self.take(param, &value.scalar());
        }
        self.time = self.time.max(time(data, "eventTime"));
    }

    fn take(&mut self, code: &str, value: &Scalar) -> bool {
        let (row, zone) = row(code);
        self.gathered.take(code, value, row, zone.and_then(|zone| Zone::new(zone).ok()))
    }

    fn spoken(self, sent: Option<Wall>) -> Spoken {
        Spoken { time: self.time.or(sent), event: self.event, ..self.gathered.spoken() }
    }
}

const CALL: Row = event("", Rule::Flag(Kind::Sos));

/// The row of a code, and the door or key that it names: `doorcontact_state_2`, `switch_mode3`, `switch_type_1`.
fn row(code: &str) -> (Option<&'static Row>, Option<&str>) {
    if let Some(row) = Row::find(ROWS, code) {
        return (Some(row), None);
    }
    let base = code.trim_end_matches(|c: char| c.is_ascii_digit());
    let number = Some(&code[base.len()..]).filter(|number| !number.is_empty());
    match base.trim_end_matches('_') {
        "switch_mode" | "switch_type" if number.is_some() => (Some(&PRESS), number),
        "doorcontact_state" if number.is_some() => (Row::find(ROWS, "doorcontact_state"), number),
        _ => (None, None),
    }
}

/// Milliseconds, or seconds: Tuya allows both.
fn time(of: &Json, name: &str) -> Option<Wall> {
    let stated = of.get(name)?.as_number()?;
    stated_time(&Scalar::Number(if stated < 1e11 { stated * 1000.0 } else { stated }))
}

/// A message that has no data says nothing.
fn one(
    heard: &Heard,
    place: &Place,
    address: &str,
    read: impl FnOnce(&mut Device, &Json),
) -> Result<Decoded, Rejected> {
    let json = Json::object(heard)?;
    let mut device = Device::new(heard, address);
    // An id that a firmware never changes would silence every call but the first, so the time is part of it.
    let (id, sent) = (json.get("msgId").and_then(Json::as_text), time(&json, "time"));
    if let Some(data) = json.get("data") {
        read(&mut device, data);
        let at = device.time.or(sent);
        let event = data.get("eventCode").and(id).zip(at);
        device.event = event.map(|(id, at)| format!("{id}@{}", at.0).into());
    }
    Ok(heard.spoken(place, address, device.spoken(sent)))
}

/// A gateway's own properties and events, and those of its sub-devices by their ids.
fn batch(heard: &Heard, place: &Place, gateway: &str) -> Result<Decoded, Rejected> {
    let json = Json::object(heard)?;
    let sent = time(&json, "time");
    let report_of = |address: &str, part: &Json| -> Result<Report, Rejected> {
        let mut device = Device::new(heard, address);
        part.get("properties").into_iter().for_each(|properties| device.properties(properties));
        for (code, data) in part.get("events").map(Json::members).unwrap_or_default() {
            device.named_event(code, data);
        }
        heard.report(Some(place), address, device.spoken(sent))
    };
    let Some(data) = json.get("data") else { return Ok(Ignored::NothingOfInterest.into()) };
    let mut said = vec![report_of(gateway, data)?];
    let by_id = data.get("subDevices").map(Json::members).unwrap_or_default();
    let listed = data.get("subDevices").map(Json::items).unwrap_or_default();
    let named = listed.iter().filter_map(|part| Some((part.get("deviceId")?.as_text()?, part)));
    for (id, part) in by_id.iter().map(|(id, part)| (&**id, part)).chain(named) {
        if said.len() == MAX_DEVICES {
            return Err(Rejected::TooMuch);
        }
        said.push(report_of(&beside(gateway, id), part)?);
    }
    said.retain(|report| !report.readings.is_empty());
    Ok(reports(said))
}

/// A gateway says which of its sub-devices have come or gone.
fn present(heard: &Heard, place: &Place, gateway: &str, online: bool) -> Result<Decoded, Rejected> {
    let json = Json::object(heard)?;
    let ids = json.get("data").map(Json::items).unwrap_or_default();
    if ids.len() > MAX_DEVICES {
        return Err(Rejected::TooMuch);
    }
    let said = ids.iter().filter_map(Json::as_text).map(|id| {
        let spoken = Spoken { time: time(&json, "time"), ..Spoken::of(vec![Reading::flag(Kind::Online, online)]) };
        heard.report(Some(place), &beside(gateway, id), spoken)
    });
    said.collect::<Result<_, _>>().map(reports)
}

/// The address of a sub-device: its id, in its gateway's home.
fn beside(gateway: &str, id: &str) -> String {
    gateway.rsplit_once('/').map_or_else(|| id.to_owned(), |(home, _)| format!("{home}/{id}"))
}
