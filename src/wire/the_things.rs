//! The Things Stack v3.

use super::topic::Place;
use super::{Decoded, Heard, Ignored};

pub(super) fn decode(_heard: &Heard, _place: Place) -> Decoded {
    Ignored::NothingOfInterest.into()
}
