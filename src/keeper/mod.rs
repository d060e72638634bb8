//! The one owner of a site's state, and the turn.

pub mod ports;
