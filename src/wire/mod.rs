//! Bytes to engine types and back, pure.
