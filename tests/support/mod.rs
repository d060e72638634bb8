//! Helpers that several integration tests share: `mod support;`.

pub mod broker;
pub mod fake_broker;
pub mod listener;
pub mod port;
