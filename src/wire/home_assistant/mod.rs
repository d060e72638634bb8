//! Home Assistant's MQTT discovery, and ESPHome, whose topics it explains.
//!
//! A device tells which entities it has, each with the topic it speaks on, its class and the words it uses. That is learnt as
//! [`Entity`]; whatever then comes on one of these topics is read by what was learnt. The discovery itself may come abbreviated, with
//! `~` for the beginning of topics, one entity a message or a whole device in one.

mod class;
mod discovery;
mod entity;
mod esphome;
mod press;
mod state;
mod template;
#[cfg(test)]
mod tests;

use super::{Decoded, Heard, Ignored};
use crate::engine::dialect::Dialect;
pub use entity::Entity;

pub(super) fn decode(heard: &Heard) -> Decoded {
    let place = heard.place.as_ref();
    if let Some((place, about)) = place.and_then(|place| Some((place, discovery::About::parse(place)?))) {
        return discovery::decode(heard, place, &about);
    }
    let told: Vec<&Entity> = heard.lore.entities_on(&heard.source.name, heard.message.topic).collect();
    match (place, heard.source.dialect) {
        _ if !told.is_empty() => state::decode(heard, &told),
        (Some(place), Dialect::Esphome) => esphome::decode(heard, place),
        // Its own birth and will, to which devices answer.
        (Some(place), _) if place.address.split('/').skip(place.levels_before_device).eq(["status"]) => {
            Ignored::HomeAssistant.into()
        }
        (Some(_), _) => Ignored::NothingOfInterest.into(),
        (None, _) => Ignored::NotOurs.into(),
    }
}
