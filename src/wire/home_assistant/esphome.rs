//! An ESPHome node of which no discovery was heard: it lives, and says whether it is there. What its states mean, only people can tell.

use crate::engine::kind::Kind;
use crate::engine::reading::Reading;
use crate::wire::report::Spoken;
use crate::wire::scalar::Scalar;
use crate::wire::topic::Place;
use crate::wire::{Decoded, Heard, Ignored, rule, text};

/// The components that publish a state. Other programs use topics of the same form.
const COMPONENTS: &[&str] = &[
    "alarm_control_panel",
    "binary_sensor",
    "climate",
    "cover",
    "date",
    "datetime",
    "event",
    "fan",
    "light",
    "lock",
    "number",
    "select",
    "sensor",
    "switch",
    "text",
    "text_sensor",
    "time",
    "update",
    "valve",
];

pub(super) fn decode(heard: &Heard, place: &Place) -> Decoded {
    let mut levels = heard.message.topic.rsplit('/');
    match (levels.next(), levels.next(), levels.next()) {
        (Some("debug"), ..) => Ignored::Log.into(),
        (Some("status"), ..) => status(heard, place),
        (Some("state"), Some(object), Some(component)) if COMPONENTS.contains(&component) => {
            state(heard, place, object)
        }
        _ => Ignored::NothingOfInterest.into(),
    }
}

/// Birth and will. Many others use a topic of this form, so any other word is somebody else's.
fn status(heard: &Heard, place: &Place) -> Decoded {
    let online = match heard.message.payload {
        b"online" => true,
        b"offline" => false,
        _ => return Ignored::NothingOfInterest.into(),
    };
    heard.spoken(place, place.address, Spoken::of(vec![Reading::flag(Kind::Online, online)]))
}

fn state(heard: &Heard, place: &Place, object: &str) -> Decoded {
    let payload = match text(heard.message) {
        Ok("") => return Ignored::Empty.into(),
        Ok(payload) => payload,
        Err(why) => return why.into(),
    };
    let profile = heard.lore.profile(&heard.source.name, place.address, "");
    let told = profile.and_then(|profile| profile.of(object));
    let reading = told.and_then(|told| rule::told(told, &Scalar::spelt(payload), None));
    heard.spoken(place, place.address, Spoken::of(reading.into_iter().collect()))
}
