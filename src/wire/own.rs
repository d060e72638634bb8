//! Hearthwatch's own dialect: `{"kind":"sos","value":true}` or a list of such, with an optional `at` (RFC 3339), an optional `id` (a
//! second message with it is the same event) and an optional `channel` for a part of the device.

use super::scalar::{Scalar, plausible, presentable};
use super::stated_time::stated_time;
use super::topic::Place;
use super::{Decoded, Message, Rejected, Source};
use crate::engine::id::{Address, Zone};
use crate::engine::kind::{Kind, Shape};
use crate::engine::reading::{Form, Reading, Report, Speaker, Value};
use serde::Deserialize;

/// The most readings in one message.
const MAX_ITEMS: usize = 256;

/// Anything may stand in a field, so that one bad item spoils only itself.
#[derive(Deserialize)]
struct Item<'a> {
    #[serde(borrow, default = "absent")]
    kind: Scalar<'a>,
    #[serde(borrow, default = "absent")]
    value: Scalar<'a>,
    #[serde(borrow, default = "absent")]
    at: Scalar<'a>,
    #[serde(borrow, default = "absent")]
    id: Scalar<'a>,
    #[serde(borrow, default = "absent")]
    channel: Scalar<'a>,
}

fn absent<'a>() -> Scalar<'a> {
    Scalar::Null
}

/// One report per item, since each has a time and an id of its own.
pub(super) fn decode(source: &Source, place: Place, message: &Message) -> Decoded {
    let home = place.home_of(place.address);
    if place.home && home.is_none() {
        return Rejected::NoDevice.into();
    }
    let Ok(address) = Address::new(place.address) else {
        return Rejected::Address.into();
    };
    let items = match items(message) {
        Ok(items) => items,
        Err(why) => return why.into(),
    };
    let mut reports = Vec::with_capacity(items.len());
    let mut worst = None;
    for item in &items {
        match reading(item) {
            Ok(reading) => reports.push(Report {
                source: source.name.clone(),
                speaker: Speaker::Device(address.clone()),
                home_hint: home.map(Into::into),
                readings: vec![reading],
                device_time: stated_time(&item.at),
                event_id: event_id(&item.id),
                rest: 0,
                retained: message.retain,
                signal: None,
                echo: false,
            }),
            Err(why) => worst = Some(why),
        }
    }
    match worst {
        Some(why) if reports.is_empty() => why.into(),
        _ => {
            let unread = (items.len() - reports.len()) as u32;
            Decoded { unread, ..Decoded::reports(reports) }
        }
    }
}

fn items<'a>(message: &Message<'a>) -> Result<Vec<Item<'a>>, Rejected> {
    let text = super::text(message)?;
    let broken = |error: serde_json::Error| if error.is_data() { Rejected::NoObject } else { Rejected::NotJson };
    if !text.trim_start().starts_with('[') {
        return Ok(vec![serde_json::from_str(text).map_err(broken)?]);
    }
    let items: Vec<Item> = serde_json::from_str(text).map_err(broken)?;
    if items.len() > MAX_ITEMS { Err(Rejected::TooMuch) } else { Ok(items) }
}

fn reading(item: &Item) -> Result<Reading, Rejected> {
    let kind = item.kind.as_text().and_then(Kind::parse).ok_or(Rejected::Kind)?;
    let value = match (kind.shape(), &item.value) {
        (Shape::Flag, Scalar::Bool(flag)) => Value::Flag(*flag),
        (Shape::Door, Scalar::Text(word)) if word == "open" => Value::Open(true),
        (Shape::Door, Scalar::Text(word)) if word == "closed" => Value::Open(false),
        (Shape::Number(_), Scalar::Number(number)) if plausible(kind, *number) => Value::Number(*number),
        (Shape::Text, Scalar::Text(text)) if presentable(text) => Value::Text(text.as_ref().into()),
        _ => return Err(Rejected::Value),
    };
    // A press is told once, by the message; a state is told again and again, and its change counts.
    let form = match (kind, &value) {
        (Kind::Button, _) | (Kind::Sos | Kind::Fall, Value::Flag(true)) => Form::Event,
        _ => Form::Edge,
    };
    let zone = item.channel.as_text().and_then(|name| Zone::new(name).ok());
    Ok(Reading { kind, zone, value, form })
}

/// An id too long to keep is none: better a press counted twice than two presses taken for one.
fn event_id(id: &Scalar) -> Option<Box<str>> {
    id.as_word().map(Into::into)
}
