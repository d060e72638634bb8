//! A whole site in one thread, from one seed: so far its disk.

pub mod disk;
