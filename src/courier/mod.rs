//! The way out: one parcel, one attempt, one outcome.
//!
//! Reading order: [`classify`] judges how an exchange ended (pure), `line` carries one exchange to one channel, `pump` runs the
//! attempts and answers for each. [`address`] says where a webhook may lead.
//!
//! A channel speaks `https://`. Plain `http://` is for a receiver in the gateway's own network only, and needs `allow_private`; so
//! does every address that is not of the public internet. What a channel names in files (URL, secret, authorities) is read when
//! its first parcel comes, when its settings change, and again after every failure that a person has to mend.
//!
//! **Nothing in here decides whether or when to try again**, which channel comes next, or how many attempts a channel may have under
//! way: `engine::delivery` and the site machine do. **Nothing in here writes down** a URL, a secret or a body.

pub mod address;
pub mod classify;
mod line;
mod pump;

pub use pump::{Courier, Settings, Tally};
