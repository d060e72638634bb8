//! Segments, checkpoints, recovery, verify, sealed fields.
