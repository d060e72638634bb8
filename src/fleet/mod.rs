//! Simulated homes that speak real device dialects.
