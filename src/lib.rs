//! Hearthwatch: hears the homes, and does not rest until a person has come.
pub mod clock;
pub mod config;
pub mod console;
pub mod courier;
pub mod engine;
pub mod fleet;
pub mod journal;
pub mod keeper;
pub mod mqtt;
pub mod replay;
pub mod roster;
pub mod service;
pub mod store;
pub mod wire;
