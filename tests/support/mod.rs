//! Helpers that several integration tests share: `mod support;`.

pub mod broker;
