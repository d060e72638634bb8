//! Shelly of the first generation, as the vendor's API has it: one value on each topic behind `shellies/<id>/`, some as JSON.
//!
//! A mains-powered device publishes all its topics again every half minute, so a push is one by its counter only.

use super::json::Json;
use super::report::Spoken;
use super::rule::{self, Rule, Settled, TOLD, Words};
use super::scalar::{Scalar, presentable};
use super::shelly_gen2::{model, online};
use super::stated_time::stated_time;
use super::topic::Place;
use super::{Decoded, Heard, Ignored, Rejected, text};
use crate::engine::id::Zone;
use crate::engine::kind::Kind;
use crate::engine::profile::Profile;
use crate::engine::reading::{Form, Reading, Value};
use crate::engine::time::Wall;

const DOOR: Words = &[("open", true), ("close", false)];
/// `test` and `unknown` are neither an alarm nor its end.
const GAS: Words = &[("mild", true), ("heavy", true), ("none", false)];

/// The topics `sensor/…`. **What is missing is missing on purpose:** a concentration, a tilt, an operation, a self-test and the reasons
/// of waking up are no readings, and `temperature` without `sensor/` is the chip's.
static SENSORS: &[(&str, Rule)] = &[
    ("motion", Rule::Flag(Kind::Motion)),
    ("vibration", Rule::Flag(Kind::Vibration)),
    ("state", Rule::Words(Kind::Contact, DOOR)),
    ("flood", Rule::Flag(Kind::WaterLeak)),
    ("smoke", Rule::Flag(Kind::Smoke)),
    ("gas", Rule::Words(Kind::Gas, GAS)),
    ("battery", Rule::Number(Kind::Battery)),
    ("temperature", Rule::Number(Kind::Temperature)),
    ("humidity", Rule::Number(Kind::Humidity)),
    ("lux", Rule::Number(Kind::Illuminance)),
];

/// The objects on `status` (motion sensors, valves) and `info` (all devices).
static PROPERTIES: &[(&[&str], Rule)] = &[
    (&["motion"], Rule::Flag(Kind::Motion)),
    (&["sensor", "motion"], Rule::Flag(Kind::Motion)),
    (&["vibration"], Rule::Flag(Kind::Vibration)),
    (&["sensor", "vibration"], Rule::Flag(Kind::Vibration)),
    (&["accel", "vibration"], Rule::Flag(Kind::Vibration)),
    (&["sensor", "state"], Rule::Words(Kind::Contact, DOOR)),
    (&["flood"], Rule::Flag(Kind::WaterLeak)),
    (&["smoke"], Rule::Flag(Kind::Smoke)),
    (&["gas_sensor", "alarm_state"], Rule::Words(Kind::Gas, GAS)),
    (&["bat"], Rule::Number(Kind::Battery)),
    (&["bat", "value"], Rule::Number(Kind::Battery)),
    (&["hum", "value"], Rule::Number(Kind::Humidity)),
    (&["lux"], Rule::Number(Kind::Illuminance)),
    (&["lux", "value"], Rule::Number(Kind::Illuminance)),
];

pub(super) fn decode(heard: &Heard, place: Place) -> Decoded {
    let levels = place.address.match_indices('/');
    let Some((at, _)) = levels.clone().nth(place.levels_before_device) else {
        // `shellies/command` is for all devices, `shellies/announce` a device's introduction.
        let last = place.address.rsplit('/').next();
        return if last == Some("command") { Ignored::Command } else { Ignored::NothingOfInterest }.into();
    };
    let (address, topic) = (&place.address[..at], &place.address[at + 1..]);
    let profile = heard.lore.profile(&heard.source.name, address, model(address));
    let shelly = Shelly { heard, place, address, topic, profile };
    shelly.decode().unwrap_or_else(Into::into)
}

/// One device, speaking on one of its topics.
struct Shelly<'a> {
    heard: &'a Heard<'a>,
    place: Place<'a>,
    address: &'a str,
    /// What stands behind the device's name; what an operator sees, and so the name of a property.
    topic: &'a str,
    profile: Option<&'a Profile>,
}

impl Shelly<'_> {
    fn decode(&self) -> Result<Decoded, Rejected> {
        let mut levels = self.topic.split('/');
        let levels = [levels.next(), levels.next(), levels.next(), levels.next()].map(Option::unwrap_or_default);
        match levels {
            ["command" | "set", "", ..] | [_, "command" | "set", "", _] | [_, _, "command" | "set", _] => {
                Ok(Ignored::Command.into())
            }
            _ if self.heard.message.payload.is_empty() => Ok(Ignored::Empty.into()),
            ["online", "", ..] => Ok(self.spoken(Spoken::of(vec![online(self.heard)?]))),
            ["status" | "info", "", ..] => self.object(),
            ["input_event", number, "", _] => self.push(number),
            ["sensor", name, "", _] => self.value(find(name), None),
            ["ext_temperature", number, "", _] => {
                self.value(Some(Rule::Number(Kind::Temperature)), zone("ext_temperature", number))
            }
            ["ext_humidity", number, "", _] => {
                self.value(Some(Rule::Number(Kind::Humidity)), zone("ext_humidity", number))
            }
            [meter @ ("relay" | "roller" | "light" | "emeter"), number, "power", ""] => {
                self.value(Some(Rule::Number(Kind::Power)), zone(meter, number))
            }
            _ => self.value(None, None),
        }
    }

    fn spoken(&self, spoken: Spoken) -> Decoded {
        self.heard.spoken(&self.place, self.address, spoken)
    }

    /// A value as bare text.
    fn value(&self, rule: Option<Rule>, zone: Option<Zone>) -> Result<Decoded, Rejected> {
        let value = Scalar::spelt(text(self.heard.message)?);
        let reading = match self.profile.and_then(|profile| profile.of(self.topic)) {
            Some(told) => rule::told(told, &value, zone.or_else(|| numbered(self.topic))),
            None => rule.and_then(|rule| rule.read(&value, None)).map(|(kind, value)| Reading {
                kind,
                zone,
                value,
                form: Form::Edge,
            }),
        };
        Ok(self.spoken(Spoken::of(reading.into_iter().collect())))
    }

    /// `{"event":"S","event_cnt":2}`: S, SS, SSS are short, L is long; the text is empty until the first push.
    fn push(&self, number: &str) -> Result<Decoded, Rejected> {
        let pushed = Json::object(self.heard)?;
        let word = pushed.get("event").and_then(Json::as_text).filter(|word| presentable(word));
        let Some(word) = word else { return Ok(self.spoken(Spoken::default())) };
        let zone = zone("input", number);
        let reading = match self.profile.and_then(|profile| profile.of(self.topic)) {
            Some(told) => rule::told(told, &Scalar::Text(word.into()), zone),
            None => Some(Reading { kind: Kind::Button, zone, value: Value::Text(word.into()), form: Form::Event }),
        };
        let count = pushed.get("event_cnt").and_then(Json::as_number);
        let event = count.map(|count| format!("{}/{word}#{count}", self.topic)).filter(|id| presentable(id));
        Ok(self.spoken(Spoken { event: event.map(Into::into), ..Spoken::of(reading.into_iter().collect()) }))
    }

    fn object(&self) -> Result<Decoded, Rejected> {
        let object = Json::object(self.heard)?;
        let mut settled = Settled::default();
        for told in self.profile.map_or(&[][..], |profile| &profile.properties) {
            let value = told.property.split('.').try_fold(&object, |value, name| value.get(name));
            let reading = value.and_then(|value| rule::told(told, &value.scalar(), None));
            reading.into_iter().for_each(|reading| settled.add(TOLD, reading));
        }
        let is_told = |path: &[&str]| self.profile.is_some_and(|profile| profile.of(&path.join(".")).is_some());
        let plain = PROPERTIES.iter().filter(|(path, _)| !is_told(path) && is_valid(&object, path));
        let plain = plain.filter_map(|(path, rule)| rule.read(&object.at(path)?.scalar(), None));
        for (kind, value) in plain.chain(temperature(&object)) {
            settled.add(1, Reading::new(kind, value, Form::Edge));
        }
        Ok(self.spoken(Spoken { time: time(&object), ..Spoken::of(settled.readings()) }))
    }
}

fn find(name: &str) -> Option<Rule> {
    SENSORS.iter().find(|(known, _)| *known == name).map(|(_, rule)| *rule)
}

/// The first of a kind is the device itself.
fn zone(kind: &str, number: &str) -> Option<Zone> {
    if number == "0" { None } else { Zone::new(&format!("{kind}/{number}")).ok() }
}

/// The zone of a topic with a number, like `input/1`.
fn numbered(topic: &str) -> Option<Zone> {
    let (kind, number) = topic.split_once('/').filter(|(_, number)| number.bytes().all(|b| b.is_ascii_digit()))?;
    zone(kind, number)
}

/// Whether the part of the object that holds this says of itself that it knows nothing.
fn is_valid(object: &Json, path: &[&str]) -> bool {
    let part = path.split_last().and_then(|(_, part)| object.at(part));
    part.and_then(|part| part.get("is_valid")) != Some(&Json::Bool(false))
}

/// `tmp` is the room's where a battery stands beside it: of devices on the mains it is the chip's, of a valve the radiator's.
fn temperature(object: &Json) -> Option<(Kind, Value)> {
    let tmp = object.get("tmp").filter(|_| object.get("bat").is_some() && object.get("target_t").is_none())?;
    let value = |name| tmp.get(name).map(Json::scalar).filter(|_| is_valid(object, &["tmp", name]));
    let in_fahrenheit = tmp.get("units").and_then(Json::as_text) == Some("F");
    match (value("tC"), value("value")) {
        (Some(celsius), _) => Rule::Number(Kind::Temperature).read(&celsius, None),
        (None, Some(degrees)) if in_fahrenheit => Rule::Fahrenheit(Kind::Temperature).read(&degrees, None),
        (None, Some(degrees)) => Rule::Number(Kind::Temperature).read(&degrees, None),
        (None, None) => None,
    }
}

/// `unixtime` of `info`; of a motion sensor's `status` the time of the last motion, which is now only while it lasts.
fn time(object: &Json) -> Option<Wall> {
    let moving = object.get("motion") == Some(&Json::Bool(true));
    let seconds = object.get("unixtime").or_else(|| object.get("timestamp").filter(|_| moving))?.as_number()?;
    stated_time(&Scalar::Number(seconds * 1000.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::dialect::Dialect;
    use crate::wire::tests::{check, decoded, profiled, reports, source, told};
    use crate::wire::{Lore, Message, Source, decode};

    fn shelly() -> Source {
        source(Dialect::ShellyGen1, "shellies/{device}")
    }

    #[track_caller]
    fn check_device(lore: &Lore, table: &[(&str, &str, &str)]) {
        for (topic, payload, expected) in table {
            let told = told(&decoded(lore, &shelly(), &format!("shellies/s-1/{topic}"), payload));
            assert_eq!(told.strip_prefix("s-1:").unwrap_or(&told).trim(), *expected, "{topic} {payload}");
        }
    }

    #[test]
    fn values_as_bare_text() {
        check_device(
            &Lore::default(),
            &[
                ("sensor/motion", "true", "motion=true"),
                ("sensor/vibration", "1", "vibration=true"),
                ("sensor/vibration", "0", "vibration=false"),
                ("sensor/vibration", "-1", ""),
                ("sensor/state", "open", "contact=open"),
                ("sensor/state", "close", "contact=closed"),
                ("sensor/state", "unknown", ""),
                ("sensor/flood", "true", "water_leak=true"),
                ("sensor/smoke", "false", "smoke=false"),
                ("sensor/smoke", "smoke", ""),
                ("sensor/gas", "mild", "gas=true"),
                ("sensor/gas", "heavy", "gas=true"),
                ("sensor/gas", "none", "gas=false"),
                ("sensor/gas", "test", ""),
                ("sensor/gas", "unknown", ""),
                ("sensor/concentration", "1200", ""),
                ("sensor/battery", "77", "battery=77"),
                ("sensor/battery", "-1", ""),
                ("sensor/temperature", "21.38", "temperature=21.38"),
                ("sensor/temperature", "999", ""),
                ("sensor/humidity", "55.5", "humidity=55.5"),
                ("sensor/lux", "310", "illuminance=310"),
                ("sensor/illumination", "bright", ""),
                ("sensor/tilt", "90", ""),
                ("sensor/charger", "true", ""),
                ("sensor/error", "1", ""),
                ("sensor/act_reasons", r#"["sensor"]"#, ""),
                ("sensor/self_test", "completed", ""),
                ("temperature", "61.2", ""),
                ("overtemperature", "1", ""),
                ("ext_temperature/0", "18.5", "temperature=18.5"),
                ("ext_temperature/2", "5", "temperature=5@ext_temperature/2"),
                ("ext_temperature_f/0", "65.3", ""),
                ("ext_humidity/0", "44", "humidity=44"),
                ("relay/0", "on", ""),
                ("relay/0/power", "12.5", "power=12.5"),
                ("relay/1/power", "0", "power=0@relay/1"),
                ("relay/0/energy", "4711", ""),
                ("emeter/2/power", "-80", "power=-80@emeter/2"),
                ("input/0", "1", ""),
                ("longpush/0", "1", ""),
                ("adc/0", "12.1", ""),
                ("online", "true", "online=true"),
                ("online", "false", "online=false"),
                ("online", "yes", "rejected: neither online nor offline"),
                ("sensor/smoke", "", "ignored: empty: a retained state was deleted, or a value is unknown"),
                ("relay/0/command", "on", "ignored: a command to a device"),
                ("command", "announce", "ignored: a command to a device"),
                ("sensor/smoke/command", "test", "ignored: a command to a device"),
                ("announce", r#"{"id":"s-1","model":"SHDW-2"}"#, ""),
            ],
        );
    }

    #[test]
    fn pushes_by_their_counter() {
        let broken = "rejected: the JSON is broken, cut off or nested too deeply";
        check_device(
            &Lore::default(),
            &[
                ("input_event/0", r#"{"event":"S","event_cnt":3}"#, "button=S!"),
                ("input_event/0", r#"{"event":"SSS","event_cnt":4}"#, "button=SSS!"),
                ("input_event/2", r#"{"event":"LS","event_cnt":1}"#, "button=LS@input/2!"),
                ("input_event/0", r#"{"event":"","event_cnt":0}"#, ""),
                ("input_event/0", r#"{"event_cnt":0}"#, ""),
                ("input_event/0", r#"{"event":"S""#, broken),
                ("input_event/0", "S", broken),
                ("input_event/0", "7", "rejected: the payload is no JSON object"),
            ],
        );
        let id = |topic: &str, payload: &str| {
            let decoded = decoded(&Lore::default(), &shelly(), &format!("shellies/s-1/{topic}"), payload);
            reports(&decoded)[0].event_id.clone()
        };
        let push = id("input_event/0", r#"{"event":"S","event_cnt":3}"#);
        assert_eq!(push.as_deref(), Some("input_event/0/S#3"));
        assert_eq!(push, id("input_event/0", r#"{"event_cnt":3,"event":"S"}"#), "published once more");
        assert_ne!(push, id("input_event/0", r#"{"event":"S","event_cnt":4}"#));
        assert_ne!(push, id("input_event/1", r#"{"event":"S","event_cnt":3}"#));
        assert_eq!(id("input_event/0", r#"{"event":"S"}"#), None);
    }

    #[test]
    fn objects() {
        check_device(
            &Lore::default(),
            &[
                (
                    "status",
                    r#"{"motion":true,"timestamp":1772366400,"active":true,"vibration":false,"lux":12,"bat":94}"#,
                    "motion=true vibration=false battery=94 illuminance=12",
                ),
                (
                    "status",
                    r#"{"motion":false,"bat":90,"tmp":{"value":50,"units":"F","is_valid":true}}"#,
                    "motion=false battery=90 temperature=10",
                ),
                ("status", r#"{"target_t":{"value":21},"tmp":{"value":35.5,"units":"C"},"bat":60}"#, "battery=60"),
                (
                    "info",
                    r#"{"bat":{"value":81,"voltage":2.9},"tmp":{"value":20,"units":"C","tC":20,"tF":68,"is_valid":true},
                        "hum":{"value":50,"is_valid":true},"act_reasons":["periodic"]}"#,
                    "battery=81 humidity=50 temperature=20",
                ),
                (
                    "info",
                    r#"{"sensor":{"state":"open","is_valid":true},"lux":{"value":3,"illumination":"dark","is_valid":true},
                        "accel":{"tilt":5,"vibration":-1},"bat":{"value":9}}"#,
                    "contact=open battery=9 illuminance=3",
                ),
                ("info", r#"{"sensor":{"state":"close","is_valid":false},"bat":{"value":9}}"#, "battery=9"),
                ("info", r#"{"tmp":{"tC":20,"is_valid":false},"bat":{"value":9}}"#, "battery=9"),
                (
                    "info",
                    r#"{"flood":true,"tmp":{"tC":15},"bat":{"value":70}}"#,
                    "water_leak=true battery=70 temperature=15",
                ),
                ("info", r#"{"gas_sensor":{"alarm_state":"heavy"},"concentration":{"ppm":900}}"#, "gas=true"),
                (
                    "info",
                    r#"{"relays":[{"ison":true}],"inputs":[{"event":"S","event_cnt":2}],"tmp":{"tC":61},"temperature":61}"#,
                    "",
                ),
                ("info", "{}", ""),
                ("status", "on", "rejected: the JSON is broken, cut off or nested too deeply"),
            ],
        );
        let time = |topic: &str, payload: &str| {
            let decoded = decoded(&Lore::default(), &shelly(), &format!("shellies/s-1/{topic}"), payload);
            reports(&decoded)[0].device_time.map(|t| t.0)
        };
        assert_eq!(time("status", r#"{"motion":true,"timestamp":1772366400}"#), Some(1_772_366_400_000));
        assert_eq!(time("status", r#"{"motion":false,"timestamp":1772366400}"#), None, "of the last motion");
        assert_eq!(time("info", r#"{"unixtime":1772366400}"#), Some(1_772_366_400_000));
        assert_eq!(time("info", r#"{"unixtime":0}"#), None);
    }

    #[test]
    fn whose_topic_it_is() {
        let nothing = "ignored: nothing of interest";
        check(
            &Lore::default(),
            &shelly(),
            &[
                ("shellies/announce", r#"{"id":"shellydw2-1","mac":"98"}"#, nothing),
                ("shellies/command", "update", "ignored: a command to a device"),
                ("shellies/hall", "true", nothing),
            ],
        );
        let homes = source(Dialect::ShellyGen1, "shellies/{home}/{device}");
        check(
            &Lore::default(),
            &homes,
            &[
                ("shellies/h1/s-1/sensor/flood", "true", "h1/s-1: water_leak=true"),
                ("shellies/h1/s-1", "true", nothing),
            ],
        );
    }

    #[test]
    fn what_people_told() {
        let (on, off): (&[&str], &[&str]) = (&["1"], &["0"]);
        let lore = profiled(
            &shelly(),
            "s-1",
            &[
                ("input/0", Some(Kind::Contact), on, off),
                ("input/1", Some(Kind::Motion), on, off),
                ("input_event/0", Some(Kind::Sos), &["L"], &[]),
                ("longpush/0", Some(Kind::Button), &[], &[]),
                ("sensor/lux", None, &[], &[]),
                ("lux", None, &[], &[]),
                ("sensor.state", Some(Kind::Contact), &["close"], &["open"]),
            ],
        );
        check_device(
            &lore,
            &[
                ("input/0", "1", "contact=open"),
                ("input/0", "0", "contact=closed"),
                ("input/1", "1", "motion=true@input/1"),
                ("input_event/0", r#"{"event":"L","event_cnt":1}"#, "sos=true!"),
                ("input_event/0", r#"{"event":"S","event_cnt":2}"#, ""),
                ("input_event/1", r#"{"event":"L","event_cnt":1}"#, "button=L@input/1!"),
                ("sensor/lux", "3", ""),
                ("status", r#"{"motion":true,"lux":3}"#, "motion=true"),
                ("info", r#"{"sensor":{"state":"open","is_valid":true}}"#, "contact=closed"),
            ],
        );
    }

    #[test]
    fn a_retained_state_says_so() {
        let message = Message { topic: "shellies/s-1/sensor/smoke", payload: b"true", retain: true };
        assert!(reports(&decode(&Lore::default(), &shelly(), &message))[0].retained);
    }
}
