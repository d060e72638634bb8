//! The one owner of a site's state, and the turn.
//!
//! Reading order: [`ports`] (what it asks of others), [`core`] (the state and what a turn does to it), [`record`] (a turn as bytes),
//! [`turn`] (the loop: take, step, append, sync, let go), [`inbox`] (how others speak to it), [`board`] (what is open, for readers),
//! [`quarantine`] (what nobody registered or could read).

pub mod board;
pub mod core;
pub mod inbox;
pub mod ports;
pub mod quarantine;
pub mod record;
mod routes;
pub mod turn;
pub mod views;

#[cfg(test)]
mod tests;
