//! The site machine: the registry, the outbox and its channels, and whether the site can hear at all.
//!
//! Of the same shape as the home machine: `step` decides and changes nothing, `State::apply` folds and decides nothing.

pub mod channels;
pub mod cold_wave;
pub mod desk;
pub mod outage;
mod outbox;
mod pace;
pub mod proof;
mod state;
#[cfg(test)]
mod tests;
pub mod warmth;

use cold_wave::ColdWaveRefusal;
pub use outbox::Pending;
pub use pace::is_pressed;
use proof::ProofRefusal;
pub use state::{HomeEntry, State};

use super::alarm::Told;
use super::change::{Notice, SiteChange};
use super::delivery::{Class, Outcome, backoff};
use super::id::{ChannelId, NoticeId};
use super::input::{HomeInput, SiteInput};
use super::time::{Millis, Stamp, Stamped, Tick};

/// What a step gives. Reused from step to step.
#[derive(Debug, Default)]
pub struct Out {
    pub changes: Vec<SiteChange>,
    /// Messages to homes, by number.
    pub to_homes: Vec<(u32, HomeInput)>,
    /// Messages to whatever stands in for an outage, or is it.
    pub to_places: Vec<(outage::Place, HomeInput)>,
    pub because: Vec<&'static str>,
}

impl Out {
    /// What a person ordered; a refusal was told to whoever asked.
    fn decided(&mut self, decision: Result<SiteChange, &'static str>) {
        match decision {
            Ok(change) => self.changes.push(change),
            Err(refusal) => self.because.push(refusal),
        }
    }

    pub fn clear(&mut self) {
        self.changes.clear();
        self.to_homes.clear();
        self.to_places.clear();
        self.because.clear();
    }
}

/// Decides what an input comes to. Which notices are sent is decided apart, by [`sendable`], when all else of the turn is.
pub fn step(state: &State, input: Stamped<SiteInput>, out: &mut Out) {
    let now = input.at;
    match input.input {
        SiteInput::Tell(notice) => out.changes.push(SiteChange::NoticeMade(notice)),
        SiteInput::Withdraw { alarm } => {
            let waiting = state.outbox.of_alarm(&alarm).filter(|p| !p.unwanted).map(|pending| &pending.notice);
            let waiting = waiting.chain(state.outbox.in_digests(&alarm)).filter(|notice| !notice.is_last());
            out.changes.extend(waiting.map(|notice| SiteChange::Withdrawn { notice: notice.id.clone() }));
        }
        SiteInput::Ended { notice, attempt, outcome } => ended(state, now, notice, attempt, outcome, out),
        SiteInput::Due if desk::due(state, now, out) => {}
        SiteInput::Due => outage::due(state, now, out),
        SiteInput::Desk { staffed } => desk::staffed(state, staffed, out),
        SiteInput::Register(entities) => {
            for entity in entities {
                if state.registry.get(&entity.key()).as_ref() != Some(&entity) {
                    out.changes.push(SiteChange::Registered(Box::new(entity)));
                }
            }
        }
        SiteInput::Link { up: false } if state.deaf_since.is_none() => out.changes.push(SiteChange::Deaf),
        SiteInput::Link { up: true } => {
            if let Some(since) = state.deaf_since {
                outage::deafness_ends(state, now, since, out);
            }
        }
        SiteInput::Link { up: false } => {}
        SiteInput::Relieve => pace::relieve(state, now, out),
        SiteInput::Cooled { home, degrees, least } => warmth::cooled(state, home, degrees, least, out),
        SiteInput::ColdWave { until, by } => {
            out.decided(cold_wave::ordered(state, now, until, by).map_err(ColdWaveRefusal::name));
        }
        SiteInput::TestChannel { channel, code } => {
            out.changes.extend(proof::outdated(state, &channel));
            out.decided(proof::tested(state, now, &channel, &code).map_err(ProofRefusal::name));
        }
        SiteInput::ChannelSeen { channel, code, by } => {
            out.decided(proof::confirmed(state, now.wall, &channel, &code, by).map_err(ProofRefusal::name));
        }
        SiteInput::Hearing { home, heard } => outage::hearing(state, home, heard, out),
        SiteInput::Started { epoch } => started(state, now, epoch, out),
    }
}

/// A new process: what was being sent is tried again under its old ids, and nobody was heard while it was away.
fn started(state: &State, now: Stamp, epoch: u64, out: &mut Out) {
    out.changes.push(SiteChange::Started { epoch });
    // Consoles follow a process; those that are open come back to the new one.
    desk::staffed(state, false, out);
    for pending in state.outbox.all().filter(|p| p.sending) {
        out.because.push("interrupted_attempt");
        let outcome = Outcome::failed(super::delivery::Failure::Interrupted);
        let (notice, attempt) = (pending.notice.id.clone(), pending.attempts);
        let again = (!pending.unwanted).then_some(now.tick);
        out.changes.push(SiteChange::AttemptEnded { notice, attempt, outcome, again });
    }
}

/// How many failures of one notice make its home look further up the ladder at once.
const PATIENCE: u32 = 2;
/// A receiver that asks for a wait of this length or more is not waited for either.
const LONG: Millis = Millis::from_secs(5);

fn ended(state: &State, now: Stamp, notice: NoticeId, attempt: u32, outcome: Outcome, out: &mut Out) {
    let Some(pending) = state.outbox.get(&notice).filter(|p| p.sending && p.attempts == attempt) else {
        out.because.push("outcome_of_no_attempt");
        return;
    };
    let (told, again) = match outcome {
        Outcome::Delivered => (Some(Told::Delivered), None),
        // Its alarm was taken or closed while it was under way: nobody needs it again.
        Outcome::Failed { .. } if pending.unwanted => (None, None),
        Outcome::Failed { failure, retry_after } => {
            let wait = backoff(failure, retry_after, attempt);
            let hopeless = failure.class() == Class::Broken || attempt >= PATIENCE || wait >= LONG;
            (hopeless.then_some(Told::Failing), Some(now.tick + wait))
        }
    };
    let channel = pending.notice.channel.clone();
    if let Some(told) = told {
        let all = std::iter::once(&pending.notice).chain(pending.notice.members()).filter(|notice| notice.is_rung());
        out.to_homes.extend(all.map(|Notice { id, home, kind, channel, .. }| {
            (*home, HomeInput::Told { kind: *kind, notice: id.clone(), channel: channel.clone(), told })
        }));
    }
    out.changes.push(SiteChange::AttemptEnded { notice, attempt, outcome, again });
    channels::ended(state, now, &channel, outcome, out);
}

/// The notices that may be sent now: of every channel with a free slot the gravest and oldest, each alarm's in order.
pub fn sendable(state: &State, now: Stamp, out: &mut Out) {
    for (notice, attempt) in state.outbox.sendable(now.tick, takes(state)) {
        out.changes.push(SiteChange::AttemptStarted { notice, attempt });
    }
}

fn takes(state: &State) -> impl Fn(&ChannelId) -> outbox::Takes {
    |channel| state.registry.channels.get(channel).map(|channel| (channel.slots, channel.rate()))
}

/// When the outbox wants to be looked at next. What is due already waits for a slot, and a slot that frees is an input.
pub fn next_wake(state: &State, now: Tick) -> Option<Tick> {
    state.outbox.next_wake(now, takes(state))
}

/// When the site has something to say next: an outage has settled, or it has long said nothing.
pub fn next_due(state: &State) -> Option<Tick> {
    outage::next_wake(state).into_iter().chain(desk::next(state)).min()
}

/// The site's hearing clock at `tick`: see [`Stamp::heard`].
pub fn hearing_clock(state: &State, tick: Tick) -> Tick {
    let deaf = state.deaf_since.map_or(Millis(0), |since| tick.since(since));
    Tick(tick.0.saturating_sub(state.deaf_total.0).saturating_sub(deaf.0))
}
