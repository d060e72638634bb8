//! The Things Stack v3: one topic for each kind of message, the message under a name of its own (`uplink_message`, `join_accept` …).
//!
//! Only an uplink is the device's word. What is zero or empty is left out: `f_port`, `f_cnt`, and a decoded flag's `false` is not (that
//! is the codec's own object). An address is the device's id, as the topic has it.

use super::json::Json;
use super::lorawan::{Uplink, signal};
use super::report::Spoken;
use super::scalar::{Scalar, presentable};
use super::stated_time::stated_time;
use super::topic::Place;
use super::{Decoded, Heard, Ignored};
use crate::engine::reading::Reading;
use crate::engine::time::Wall;

/// Long, and of no interest: who the device is (its topic says it), what each gateway heard, how, and who shared it.
const SKIPPED: &[&str] = &["end_device_ids", "rx_metadata", "settings", "locations", "network_ids"];

/// Names of messages that are the network server's, or other people's.
const OF_THE_NETWORK: &[&str] = &[
    "join_accept",
    "downlink_message",
    "downlink_ack",
    "downlink_nack",
    "downlink_sent",
    "downlink_failed",
    "downlink_queued",
    "downlink_queue_invalidated",
    "downlinks",
    "location_solved",
    "service_data",
    "uplink_normalized",
];

pub(super) fn decode(heard: &Heard, place: Place) -> Decoded {
    if heard.message.payload.is_empty() {
        return Ignored::Empty.into();
    }
    let message = match Json::object_without(SKIPPED, heard) {
        Ok(message) => message,
        Err(why) => return why.into(),
    };
    let Some(uplink) = message.get("uplink_message") else {
        let of_the_network = OF_THE_NETWORK.iter().any(|name| message.get(name).is_some());
        return if of_the_network { Ignored::Network } else { Ignored::NothingOfInterest }.into();
    };
    if message.get("simulated") == Some(&Json::Bool(true)) {
        return Ignored::Simulated.into();
    }
    let (readings, rest) = readings(heard, place.address, uplink);
    let (time, event) = (time(&message, uplink), event_id(&message, uplink));
    let spoken = Spoken { readings, time, event, rest, signal: signal(uplink.get("rx_metadata")) };
    heard.spoken(&place, place.address, spoken)
}

fn readings(heard: &Heard, address: &str, uplink: &Json) -> (Vec<Reading>, u32) {
    let nothing = Json::Object(Vec::new());
    let model = uplink.at(&["version_ids", "model_id"]).and_then(Json::as_text);
    let said = Uplink {
        object: uplink.get("decoded_payload").unwrap_or(&nothing),
        normalized: uplink.get("normalized_payload"),
        models: model.into_iter().collect(),
        port: uplink.get("f_port").and_then(Json::as_number),
    };
    said.readings(heard.lore, &heard.source.name, address)
}

/// When the server had it; the network server's own part of the message has a time a little earlier.
fn time(message: &Json, uplink: &Json) -> Option<Wall> {
    let told = message.get("received_at").or_else(|| uplink.get("received_at"));
    stated_time(&told.map_or(Scalar::Null, Json::scalar))
}

/// The uplink's own name among the correlations, or else its session, count and time. (Session and count alone are no name: a device
/// without a join may begin to count anew, and its next press must not be taken for the last one.)
fn event_id(message: &Json, uplink: &Json) -> Option<Box<str>> {
    let correlations = message.get("correlation_ids").map(Json::items).unwrap_or_default();
    let named = |prefix: &str| correlations.iter().filter_map(Json::as_text).find(|id| id.starts_with(prefix));
    let own = ["as:up:", "ns:uplink:", "gs:uplink:"].into_iter().find_map(named);
    let id: Box<str> = match own {
        Some(own) => own.into(),
        None => {
            let session = uplink.get("session_key_id")?.as_text()?;
            let count = uplink.get("f_cnt").and_then(Json::as_number).unwrap_or_default();
            let received = message.get("received_at")?.as_text()?;
            format!("{session}/{count}@{received}").into()
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

    const UP: &str = "v3/care@ttn/devices/wrist-7/up";

    fn told(topic: &str, payload: &str) -> Result<Report, String> {
        let topics = Dialect::TheThings.usual_topics().iter().map(|t| TopicTemplate::parse(t).unwrap()).collect();
        let source = Source::new(SourceId::new("s").unwrap(), SiteId::new("zl").unwrap(), Dialect::TheThings, topics);
        match decode(&Lore::default(), &source, &Message { topic, payload: payload.as_bytes(), retain: false }).outcome
        {
            Outcome::Readings(mut reports) => Ok(reports.remove(0)),
            Outcome::Ignored(why) => Err(format!("ignored: {why}")),
            Outcome::Rejected(why) => Err(format!("rejected: {why}")),
        }
    }

    #[test]
    fn an_uplink() {
        let report = told(
            UP,
            r#"{"end_device_ids":{"device_id":"wrist-7","dev_eui":"70B3D57ED0000001"},"correlation_ids":["gs:conn:1","as:up:01A"],
            "received_at":"2026-03-01T06:51:56.594859821Z","uplink_message":{"session_key_id":"AX==","f_port":6,"f_cnt":3,
            "decoded_payload":{"Alarm":1},"normalized_payload":[{"air":{"temperature":20.5}}],
            "rx_metadata":[{"rssi":-73}],"settings":{"frequency":"868300000"},"received_at":"2026-03-01T06:51:56.389Z",
            "version_ids":{"brand_id":"netvox","model_id":"r312a"}}}"#,
        )
        .unwrap();
        assert!(matches!(&report.speaker, Speaker::Device(address) if address.as_str() == "wrist-7"));
        assert_eq!(written(&report.readings), "sos=true! temperature=20.5");
        assert_eq!(report.event_id.as_deref(), Some("as:up:01A"));
        assert_eq!(report.device_time.map(|t| t.0), Some(1_772_347_916_594));
    }

    #[test]
    fn an_events_name_is_never_that_of_another_press() {
        let id = |correlations: &str, count: &str, at: &str| {
            let payload = format!(
                r#"{{"correlation_ids":[{correlations}],"received_at":"2026-03-01T06:51:{at}Z",
                "uplink_message":{{"session_key_id":"AX==",{count}"decoded_payload":{{"button":"short"}}}}}}"#
            );
            told(UP, &payload).unwrap().event_id
        };
        assert_eq!(id(r#""gs:uplink:1","as:up:2""#, "", "01").as_deref(), Some("as:up:2"));
        assert_eq!(id(r#""gs:conn:9","gs:uplink:1""#, "", "01").as_deref(), Some("gs:uplink:1"));
        let by_session = id("", r#""f_cnt":4,"#, "01");
        assert_eq!(by_session, id(r#""gs:conn:9""#, r#""f_cnt":4,"#, "01"), "a redelivery is the same");
        assert_ne!(by_session, id("", r#""f_cnt":5,"#, "01"));
        assert_ne!(id("", "", "01"), id("", "", "02"), "a count of zero is left out, and may come again");
    }

    #[test]
    fn what_messages_say() {
        let network = Err("ignored: the network server speaks, and not the device");
        for (topic, payload, expected) in [
            ("up", r#"{"uplink_message":{"decoded_payload":{"sos":true}}}"#, Ok("sos=true~")),
            ("up", r#"{"uplink_message":{"frm_payload":"AA=="}}"#, Ok("")),
            ("up", r#"{"uplink_message":{"decoded_payload":null,"normalized_payload":7}}"#, Ok("")),
            ("up", r#"{"uplink_message":[]}"#, Ok("")),
            ("up", r#"{"simulated":false,"uplink_message":{"decoded_payload":{"battery":8}}}"#, Ok("battery=8")),
            (
                "up",
                r#"{"simulated":true,"uplink_message":{"decoded_payload":{"sos":true}}}"#,
                Err("ignored: simulated by a person: no device said it"),
            ),
            ("up", "{}", Err("ignored: nothing of interest")),
            ("join", r#"{"join_accept":{"session_key_id":"AX=="}}"#, network),
            ("down/ack", r#"{"downlink_ack":{"f_cnt":1}}"#, network),
            ("down/push", r#"{"downlinks":[{"decoded_payload":{"sos":true}}]}"#, network),
            ("service/data", r#"{"service_data":{"data":{"battery":5}}}"#, network),
            ("location/solved", r#"{"location_solved":{"location":{}}}"#, network),
            ("up", "", Err("ignored: empty: a retained state was deleted, or a value is unknown")),
            ("up", "7", Err("rejected: the payload is no JSON object")),
            (
                "up",
                r#"{"uplink_message":{"decoded_payload":{"sos":true}"#,
                Err("rejected: the JSON is broken, cut off or nested too deeply"),
            ),
        ] {
            let said = told(&format!("v3/care@ttn/devices/d/{topic}"), payload).map(|report| written(&report.readings));
            assert_eq!(said.as_deref().map_err(String::as_str), expected, "{topic} {payload}");
        }
    }
}
