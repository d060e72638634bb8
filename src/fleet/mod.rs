//! Simulated homes that speak real device dialects: for the demo, for load, for acceptance.
//!
//! [`Fleet`] is pure: a seed gives the same homes and the same messages, in order of their simulated time; it reads no clock
//! and does no I/O. `dice` is its chance, `life` what people do day after day, `senses` what a house can notice of it, `device` what
//! its devices say, `home` who they are; [`Recording`] is what a home's people did, as `replay` reads it. Around it stand the shells: [`publish`] sends a fleet to a broker, [`broker`] is the demo's own broker and
//! [`inbox`] the demo's caseworkers' phones.
//!
//! **Absent:** couples who do things together, guests over night, pets, batteries that die, hubs that buffer.

#[cfg(feature = "demo")]
pub mod broker;
mod device;
mod dice;
mod generate;
mod home;
mod household;
#[cfg(feature = "demo")]
pub mod inbox;
mod life;
pub mod publish;
mod record;
mod senses;

pub use dice::Dice;
pub use generate::{Cause, Command, Fleet, FleetOptions, Impossible, MAX_HOMES, Message};
pub use home::{FleetContact, FleetDevice, FleetHome, FleetResident};
pub use record::{Recording, Span};
