//! The deterministic simulator: the same seed, the same bytes.

pub mod broker;
pub mod disk;
