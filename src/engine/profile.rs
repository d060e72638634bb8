//! What people tell of a device where its messages alone have no meaning: this switch is a motion sensor, *double* is a call for help.

use super::kind::Kind;

/// The meaning of one property.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// As the dialect names it: `Switch1`, `action`, `button_event.status`.
    pub property: Box<str>,
    /// None: the property is no reading.
    pub kind: Option<Kind>,
    /// Values, as written in the message, that mean yes (of a contact: open); of a number or a text, empty.
    pub on: Vec<Box<str>>,
    /// Values that mean no. Where there are none, each message with an `on` value is an event: a press, and no state.
    pub off: Vec<Box<str>>,
    /// Brings a number to our unit.
    pub times: f64,
}

/// What is told of one model or device.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Profile {
    pub told: Vec<Told>,
}

impl Profile {
    /// What is told of a property.
    pub fn of(&self, property: &str) -> Option<&Told> {
        self.told.iter().find(|told| *told.property == *property)
    }
}
