//! Bytes to engine types and back, pure.

pub mod standard;
