//! Whether the site's channels work: a channel by which nothing arrives any more is an alarm of its own, since whoever is to be told by it
//! is not.

use super::outage::{self, Place};
use super::{Out, State};
use crate::engine::alarm::Reason;
use crate::engine::change::SiteChange;
use crate::engine::delivery::{Failure, Outcome};
use crate::engine::id::ChannelId;
use crate::engine::input::HomeInput;
use crate::engine::kind::AlarmKind;
use crate::engine::time::{Millis, Stamp, Tick, Wall};
use minicbor::{Decode, Encode};

/// A receiver that restarts is back within this time; and one attempt alone tells little.
const PATIENCE: Millis = Millis::from_mins(5);
const ATTEMPTS: u32 = 3;
/// Whoever has not mended it is told again after so long.
const AGAIN: Millis = Millis::from_mins(24 * 60);

/// A channel of which every attempt has failed since the last that arrived.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Failing {
    #[n(0)]
    pub since: Stamp,
    #[n(1)]
    pub attempts: u32,
    /// When an alarm last said so.
    #[n(2)]
    pub told: Option<Tick>,
}

/// An attempt has ended: the channel may be down, or work again.
pub(super) fn ended(state: &State, now: Stamp, channel: &ChannelId, outcome: Outcome, out: &mut Out) {
    let known = state.failing.get(channel);
    let place = || Place::Channel(channel.clone());
    match outcome {
        Outcome::Delivered if known.is_some_and(|failing| failing.told.is_some()) => {
            out.because.push("channel_works_again");
            outage::end(place(), out);
        }
        Outcome::Failed { failure, .. } if is_down(known, failure, now) => {
            out.because.push("channel_down");
            let since = known.map_or(now, |failing| failing.since).wall;
            let reason = Reason::ChannelDown { channel: channel.clone(), failure: failure.name().into(), since };
            out.changes.push(SiteChange::ChannelDown { channel: channel.clone() });
            out.to_places.push((place(), HomeInput::Own { kind: AlarmKind::ChannelDown, reason }));
        }
        _ => {}
    }
}

/// What a person has to mend is told at once, and what may pass by itself or be one notice's own matter, when nothing else has arrived
/// for some time; again each day, since whoever closed it may have mended nothing.
fn is_down(known: Option<&Failing>, failure: Failure, now: Stamp) -> bool {
    use Failure::{AddressForbidden, BadCertificate, Barred, Gone, KeyRefused, Misconfigured};
    let lasts = |failing: &Failing| failing.attempts + 1 >= ATTEMPTS && now.tick.since(failing.since.tick) >= PATIENCE;
    let lately = |failing: &Failing| failing.told.is_some_and(|told| now.tick.since(told) < AGAIN);
    let hopeless = matches!(failure, BadCertificate | Gone | AddressForbidden | Misconfigured | KeyRefused | Barred);
    !known.is_some_and(lately) && counts(failure) && (hopeless || known.is_some_and(lasts))
}

/// Our own stop says nothing of the channel, and a robot that wants to be left alone works.
fn counts(failure: Failure) -> bool {
    !matches!(failure, Failure::Interrupted | Failure::RateLimited)
}

impl State {
    /// Since when nothing arrives by a channel, where an alarm says so.
    pub fn down_since(&self, channel: &ChannelId) -> Option<Wall> {
        let failing = self.failing.get(channel).filter(|failing| failing.told.is_some());
        failing.map(|failing| failing.since.wall)
    }

    pub(super) fn fold_attempt(&mut self, channel: Option<ChannelId>, outcome: Outcome, at: Stamp) {
        let Some(channel) = channel else { return };
        match outcome {
            Outcome::Delivered => drop(self.failing.remove(&channel)),
            Outcome::Failed { failure, .. } if counts(failure) => {
                let new = Failing { since: at, attempts: 0, told: None };
                self.failing.entry(channel).or_insert(new).attempts += 1;
            }
            Outcome::Failed { .. } => {}
        }
    }

    pub(super) fn fold_channel_down(&mut self, channel: &ChannelId, at: Stamp) {
        if let Some(failing) = self.failing.get_mut(channel) {
            failing.told = Some(at.tick);
        }
    }
}
