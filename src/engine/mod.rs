//! The heart, and it is pure: no clock, no randomness, no I/O, no async, no logging, no iteration over a hash map.
//!
//! Reading order: [`time`], [`id`], [`kind`], [`reading`], [`registry`], [`policy`], then the two machines.

pub mod alarm;
pub mod change;
pub mod channel;
pub mod delivery;
pub mod dialect;
pub mod home;
pub mod id;
pub mod input;
pub mod kind;
pub mod learn;
pub mod notice;
pub mod parcel;
pub mod policy;
pub mod profile;
pub mod reading;
pub mod reason;
pub mod registry;
pub mod rota;
pub mod sealed;
pub mod site;
pub mod staffing;
pub mod time;
pub mod view;
