//! The registry as files: CSV and TOML in, TOML out.
