//! ChirpStack v4 and v3: one topic for each event of a device, the event's name last.
//!
//! A device speaks in `up` (what its codec made of it in `object`, in v3 also as text in `objectJSON`) and in `status` (margin and
//! battery, by a command of LoRaWAN itself). All else is the network server's: joins, acknowledgements, logs, positions that it
//! computed. An address is the DevEUI in lower-case hex, as the topic has it.

use super::json::Json;
use super::lorawan::{Uplink, signal};
use super::report::Spoken;
use super::scalar::{Scalar, plausible, presentable};
use super::stated_time::stated_time;
use super::topic::Place;
use super::{Decoded, Heard, Ignored, Rejected};
use crate::engine::kind::Kind;
use crate::engine::reading::Reading;
use crate::engine::time::Wall;
use std::borrow::Cow;

/// Long, and of no interest: what each gateway heard, and how.
const SKIPPED: &[&str] = &["rxInfo", "txInfo"];

/// Events of the network server.
const OF_THE_NETWORK: &[&str] = &["join", "ack", "txack", "log", "error", "location", "integration"];

pub(super) fn decode(heard: &Heard, place: Place) -> Decoded {
    let event = heard.message.topic.rsplit('/').next().unwrap_or_default();
    if OF_THE_NETWORK.contains(&event) {
        return Ignored::Network.into();
    }
    if heard.message.payload.is_empty() {
        return Ignored::Empty.into();
    }
    let address = device_address(place.address);
    let spoken = Json::object_without(SKIPPED, heard).and_then(|message| match event {
        "status" => Ok(status(&message)),
        _ => uplink(heard, &address, &message),
    });
    match spoken {
        Ok(spoken) => heard.spoken(&place, &address, spoken),
        Err(why) => why.into(),
    }
}

/// The DevEUI in lower case, whatever stands before it.
fn device_address(address: &str) -> Cow<'_, str> {
    let device_at = address.rfind('/').map_or(0, |slash| slash + 1);
    let (home, device) = address.split_at(device_at);
    match device.bytes().any(|byte| byte.is_ascii_uppercase()) {
        true => Cow::Owned(home.to_owned() + &device.to_ascii_lowercase()),
        false => Cow::Borrowed(address),
    }
}

fn uplink(heard: &Heard, address: &str, message: &Json) -> Result<Spoken, Rejected> {
    let text = message.get("objectJSON").and_then(Json::as_text).filter(|text| !text.is_empty());
    let parsed = text.map(Json::parse).transpose()?;
    let object = parsed.as_ref().or_else(|| message.get("object"));
    let profile_names = [&["deviceInfo", "deviceProfileName"][..], &["deviceProfileName"]];
    let models = profile_names.iter().filter_map(|path| message.at(path)?.as_text()).collect();
    let port = message.get("fPort").and_then(Json::as_number);
    let readings = object.map(|object| Uplink { object, normalized: None, models, port });
    let (readings, rest) =
        readings.map_or_else(Default::default, |said| said.readings(heard.lore, &heard.source.name, address));
    let signal = signal(message.get("rxInfo"));
    Ok(Spoken { readings, time: time(message), event: event_id(message), rest, signal })
}

/// What the device answered to the network server's question for its state.
fn status(message: &Json) -> Spoken {
    let says = |name| message.get(name) == Some(&Json::Bool(true));
    let level = message.get("batteryLevel").and_then(Json::as_number);
    let level = level.filter(|_| !says("externalPowerSource") && !says("batteryLevelUnavailable"));
    let battery = level.filter(|level| plausible(Kind::Battery, *level));
    Spoken {
        time: time(message),
        ..Spoken::of(battery.map(|b| Reading::number(Kind::Battery, b)).into_iter().collect())
    }
}

/// v4 tells when a gateway heard it, v3 when it was published.
fn time(message: &Json) -> Option<Wall> {
    let told = message.get("time").or_else(|| message.get("publishedAt"));
    stated_time(&told.map_or(Scalar::Null, Json::scalar))
}

/// A second copy of an uplink, by another gateway or by MQTT, has the same id. v3 has none; there it is the frame with its time of
/// publication, since a device that begins anew begins to count anew.
fn event_id(message: &Json) -> Option<Box<str>> {
    let id: Box<str> = match message.get("deduplicationId").and_then(Json::as_text) {
        Some(id) => id.into(),
        None => {
            let published = message.get("publishedAt")?.as_text()?;
            format!("{}@{published}", message.get("fCnt")?.as_number()?).into()
        }
    };
    presentable(&id).then_some(id)
}

#[cfg(test)]
mod tests {
    use crate::engine::dialect::Dialect;
    use crate::engine::id::{SiteId, SourceId};
    use crate::engine::reading::{Report, Speaker};
    use crate::wire::lorawan::tests::written;
    use crate::wire::{Lore, Message, Outcome, Source, TopicTemplate, decode};

    const UP: &str = "application/a1/device/70B3D57ED0000001/event/up";

    fn told_at(template: &str, topic: &str, payload: &str, retain: bool) -> Result<Report, String> {
        let name = SourceId::new("s").unwrap();
        let topics = vec![TopicTemplate::parse(template).unwrap()];
        let source = Source::new(name, SiteId::new("zl").unwrap(), Dialect::Chirpstack, topics);
        match decode(&Lore::default(), &source, &Message { topic, payload: payload.as_bytes(), retain }).outcome {
            Outcome::Readings(mut reports) => Ok(reports.remove(0)),
            Outcome::Ignored(why) => Err(format!("ignored: {why}")),
            Outcome::Rejected(why) => Err(format!("rejected: {why}")),
        }
    }

    fn told(topic: &str, payload: &str) -> Result<Report, String> {
        told_at(Dialect::Chirpstack.usual_topics()[0], topic, payload, false)
    }

    fn address(report: &Report) -> &str {
        match &report.speaker {
            Speaker::Device(address) => address.as_str(),
            Speaker::Bridge(prefix) => prefix,
        }
    }

    /// Whole uplinks of both versions.
    #[test]
    fn uplinks() {
        let v4 = r#"{"deduplicationId":"3ac7","time":"2026-03-01T06:16:52.618470296+00:00",
            "deviceInfo":{"deviceProfileName":"R312A","devEui":"70b3d57ed0000001","tags":{"home":"h7"}},"fCnt":7,"fPort":6,
            "object":{"Alarm":1.0},"rxInfo":[{"gatewayId":"0016","location":{"latitude":1e999}}],"txInfo":{"frequency":868100000}}"#;
        let report = told(UP, &v4.replace("1e999", "1.5")).unwrap();
        assert_eq!(address(&report), "70b3d57ed0000001");
        assert_eq!(written(&report.readings), "sos=true!", "by the profile's name for the model");
        assert_eq!(report.event_id.as_deref(), Some("3ac7"));
        assert_eq!(report.device_time.map(|t| t.0), Some(1_772_345_812_618));
        assert!(!report.retained && report.home_hint.is_none());

        let v3 = r#"{"applicationID":"1","deviceProfileName":"other","devEUI":"cLPVftAAAAE=","fCnt":7,"fPort":85,"rxInfo":[],
            "objectJSON":"{\"button\":\"short\",\"battery\":100}","publishedAt":"2026-03-01T06:16:52Z"}"#;
        let report = told(UP, v3).unwrap();
        assert_eq!(written(&report.readings), "button=short! battery=100");
        assert_eq!(report.event_id.as_deref(), Some("7@2026-03-01T06:16:52Z"));
        assert_eq!(report.device_time.map(|t| t.0), Some(1_772_345_812_000));
        let report = told(UP, r#"{"devEUI":"70b3","fCnt":7,"object":{"battery":5},"objectJSON":""}"#).unwrap();
        assert_eq!((written(&report.readings), report.event_id), ("battery=5".into(), None));
    }

    #[test]
    fn a_second_copy_is_the_same_event_and_a_second_press_another() {
        let press = |id: &str, count: u32| {
            let payload = format!(r#"{{"deduplicationId":"{id}","fCnt":{count},"object":{{"button":"short"}}}}"#);
            told(UP, &payload).unwrap().event_id
        };
        assert_eq!(press("a", 7), press("a", 7));
        assert_ne!(press("a", 7), press("b", 7), "a counter that began anew");
    }

    #[test]
    fn what_events_say() {
        for (event, payload, expected) in [
            ("up", r#"{"data":"AA==","fPort":85}"#, Ok("")),
            ("up", r#"{"object":null}"#, Ok("")),
            ("up", r#"{"object":{"error":"Invalid payload length"}}"#, Ok("")),
            ("status", r#"{"margin":9,"batteryLevel":75.5,"externalPowerSource":false}"#, Ok("battery=75.5")),
            ("status", r#"{"batteryLevel":0,"externalPowerSource":true}"#, Ok("")),
            ("status", r#"{"batteryLevel":0,"batteryLevelUnavailable":true}"#, Ok("")),
            ("status", r#"{"batteryLevel":254}"#, Ok("")),
            ("join", r#"{"devAddr":"01"}"#, Err("ignored: the network server speaks, and not the device")),
            (
                "log",
                r#"{"level":"ERROR","object":{"sos":true}}"#,
                Err("ignored: the network server speaks, and not the device"),
            ),
            ("location", "not even JSON", Err("ignored: the network server speaks, and not the device")),
            ("up", "", Err("ignored: empty: a retained state was deleted, or a value is unknown")),
            ("up", "[]", Err("rejected: the payload is no JSON object")),
            ("up", r#"{"object":{"sos":true}"#, Err("rejected: the JSON is broken, cut off or nested too deeply")),
            ("up", r#"{"objectJSON":"{\"sos\":"}"#, Err("rejected: the JSON is broken, cut off or nested too deeply")),
            ("up", r#"{"object":{"sos":false,"sos":true}}"#, Err("rejected: a property stands twice")),
        ] {
            let topic = format!("application/a1/device/70b3/event/{event}");
            let said = told(&topic, payload).map(|report| written(&report.readings));
            assert_eq!(said.as_deref().map_err(String::as_str), expected, "{event} {payload}");
        }
    }

    #[test]
    fn a_home_in_the_topic_is_a_hint_and_keeps_its_spelling() {
        let report =
            told_at("lora/{home}/{device}/{event}", "lora/H1/70B3/up", r#"{"object":{"sos":true}}"#, true).unwrap();
        assert_eq!((address(&report), report.home_hint.as_deref()), ("H1/70b3", Some("H1")));
        assert!(report.retained);
    }
}
