//! TOML to a validated Config, all errors at once, each with its place.
