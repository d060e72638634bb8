//! Recorded readings through the live engine.
