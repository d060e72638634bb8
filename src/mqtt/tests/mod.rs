//! The machine's behaviour as tables ([`tables`]), and under every order of events ([`storm`]).

mod storm;
mod tables;
