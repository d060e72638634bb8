//! The classification of answers as a pure machine, and the thin pump through reqwest.
