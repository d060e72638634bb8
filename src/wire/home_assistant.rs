//! Home Assistant's MQTT discovery, and ESPHome, whose topics it explains.

use super::{Decoded, Heard, Ignored};

pub(super) fn decode(_heard: &Heard) -> Decoded {
    Ignored::NothingOfInterest.into()
}
