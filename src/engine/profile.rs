//! What people tell of a device where its messages alone have no meaning: this switch is a motion sensor, *double* is a call for help.

use super::id::{ProfileId, SiteId};
use super::kind::Kind;
use minicbor::{Decode, Encode};

/// What people say that one property means.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Gloss {
    /// As the dialect names it: `Switch1`, `action`, `button_event.status`.
    #[n(0)]
    pub property: Box<str>,
    /// None: the property is no reading.
    #[n(1)]
    pub kind: Option<Kind>,
    /// Values, as written in the message, that mean yes (of a contact: open); of a number or a text, empty.
    #[n(2)]
    pub on: Vec<Box<str>>,
    /// Values that mean no. Where there are none, each message with an `on` value is an event: a press, and no state.
    #[n(3)]
    pub off: Vec<Box<str>>,
    /// Brings a number to our unit.
    #[n(4)]
    pub times: f64,
}

/// What is told of some models, or of the devices that name it.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Profile {
    #[n(0)]
    pub id: ProfileId,
    #[n(1)]
    pub site: SiteId,
    /// As the devices' sources or the registry name them.
    #[n(2)]
    pub models: Vec<Box<str>>,
    #[n(3)]
    pub properties: Vec<Gloss>,
}

impl Profile {
    /// What is told of a property.
    pub fn of(&self, property: &str) -> Option<&Gloss> {
        self.properties.iter().find(|told| *told.property == *property)
    }
}
