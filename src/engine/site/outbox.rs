//! Notices that wait, and the channels they wait for. What is sent next is derived from what waits.

use super::pace::{self, Pace, Sent};
use crate::engine::change::{Notice, Subject};
use crate::engine::delivery::{Failure, Outcome};
use crate::engine::id::{AlarmId, ChannelId, NoticeId};
use crate::engine::kind::Priority;
use crate::engine::registry::Rate;
use crate::engine::time::Tick;
use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};
use std::collections::{BTreeMap, BTreeSet};

/// A notice that is not delivered yet.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Pending {
    #[n(0)]
    pub notice: Notice,
    /// Attempts begun.
    #[n(1)]
    pub attempts: u32,
    /// Not before this; while it is being sent, since then.
    #[n(2)]
    pub due: Tick,
    #[n(3)]
    pub sending: bool,
    /// Taken back while it was being sent.
    #[n(4)]
    pub unwanted: bool,
    /// Its channel had no place for it, and its alarm went on without it.
    #[n(5)]
    #[cbor(default)]
    pub deferred: bool,
}

impl Pending {
    pub fn is_rung(&self) -> bool {
        self.notice.is_rung()
    }

    pub fn is_digest(&self) -> bool {
        matches!(self.notice.subject, Subject::Digest { .. })
    }

    /// Who calls goes before who tells that somebody has come, and whoever has waited longer first.
    pub(super) fn turn(&self) -> (Priority, bool, Tick, u32) {
        let tells_of_a_call = self.is_rung() || self.is_digest();
        (self.notice.priority(), !tells_of_a_call, self.notice.issued.tick, self.notice.id.number)
    }
}

/// How a channel does.
#[derive(Debug, Clone, Default, PartialEq, Encode, Decode)]
pub struct Health {
    /// Failed attempts since the last success.
    #[n(0)]
    pub failures: u32,
    /// What the last attempt came to.
    #[n(1)]
    pub last: Option<Outcome>,
    /// What it was sent within the last minute, where it takes only so much in one.
    #[n(2)]
    #[cbor(default)]
    pub sent: Vec<Sent>,
    /// It said *too many*, and is left alone until then.
    #[n(3)]
    #[cbor(default)]
    pub rests_until: Tick,
}

/// One channel's notices: who waits in which order, and who is under way.
#[derive(Debug, Clone, Default, PartialEq)]
struct Queue {
    /// Due now or before, gravest first, then oldest.
    ready: BTreeSet<(Priority, NoticeId)>,
    /// Due later.
    later: BTreeSet<(Tick, NoticeId)>,
    sending: BTreeSet<NoticeId>,
}

/// The outbox of a site. Only the notices and the health are kept; the queues follow from them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outbox {
    pending: BTreeMap<NoticeId, Pending>,
    health: BTreeMap<ChannelId, Health>,
    queues: BTreeMap<ChannelId, Queue>,
    digests: BTreeSet<NoticeId>,
}

fn is_too_many(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Failed { failure: Failure::RateLimited, .. })
}

/// How many messages a channel takes at once, and how fast, where that is limited; none of a channel that is gone.
pub(super) type Takes = Option<(u8, Option<Rate>)>;

/// From this many failures in a row on, a channel is asked with one notice at a time, and life apart from it.
const FAILING: u32 = 3;

impl Outbox {
    pub fn get(&self, id: &NoticeId) -> Option<&Pending> {
        self.pending.get(id)
    }

    pub fn all(&self) -> impl Iterator<Item = &Pending> {
        self.pending.values()
    }

    pub fn len(&self) -> usize {
        self.pending.len()
    }

    pub fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    pub fn health(&self) -> &BTreeMap<ChannelId, Health> {
        &self.health
    }

    /// What waits for an alarm, in order.
    pub fn of_alarm(&self, alarm: &AlarmId) -> impl Iterator<Item = &Pending> {
        let from = NoticeId { alarm: alarm.clone(), number: 0 };
        let to = NoticeId { alarm: alarm.clone(), number: u32::MAX };
        self.pending.range(from..=to).map(|(_, p)| p)
    }

    /// Whether this notice waits to be sent, by itself or in a digest.
    pub fn holds(&self, id: &NoticeId) -> bool {
        self.pending.contains_key(id) || self.members().any(|member| member.id == *id)
    }

    fn members(&self) -> impl Iterator<Item = &Notice> {
        let digests = self.digests.iter().filter_map(|id| self.pending.get(id));
        digests.flat_map(|digest| digest.notice.members())
    }

    /// What of an alarm is in digests that are not sent yet.
    pub(super) fn in_digests<'s>(&'s self, alarm: &'s AlarmId) -> impl Iterator<Item = &'s Notice> {
        self.members().filter(move |member| member.id.alarm == *alarm)
    }

    /// What is being sent by a channel.
    pub(super) fn under_way(&self, channel: &ChannelId) -> impl Iterator<Item = &Pending> {
        let queue = self.queues.get(channel);
        queue.into_iter().flat_map(|queue| &queue.sending).filter_map(|id| self.pending.get(id))
    }

    /// What could be sent by a channel now, if it took it.
    pub(super) fn waiting(&self, channel: &ChannelId, now: Tick) -> impl Iterator<Item = &Pending> {
        let queue = self.queues.get(channel);
        let ready = queue.into_iter().flat_map(|queue| &queue.ready).map(|(_, id)| id);
        let later = queue.into_iter().flat_map(|queue| &queue.later);
        let due = later.take_while(move |(due, _)| *due <= now).map(|(_, id)| id);
        ready.chain(due).filter_map(|id| self.pending.get(id))
    }

    /// A new notice; what is in a digest waits by itself no longer.
    pub(super) fn put(&mut self, notice: Notice) {
        let due = notice.issued.tick;
        notice.members().iter().for_each(|member| drop(self.take(&member.id)));
        let pending = Pending { notice, attempts: 0, due, sending: false, unwanted: false, deferred: false };
        self.insert(pending);
    }

    fn insert(&mut self, pending: Pending) {
        self.enqueue(&pending);
        let id = pending.notice.id.clone();
        if pending.is_digest() {
            self.digests.insert(id.clone());
        }
        self.pending.insert(id, pending);
    }

    pub(super) fn deferred(&mut self, id: &NoticeId) {
        if let Some(pending) = self.pending.get_mut(id) {
            pending.deferred = true;
        }
    }

    pub(super) fn started(&mut self, id: &NoticeId, attempt: u32, now: Tick) {
        let Some(pending) = self.pending.get_mut(id) else { return };
        let queue = self.queues.entry(pending.notice.channel.clone()).or_default();
        queue.ready.remove(&(pending.notice.priority(), id.clone()));
        queue.later.remove(&(pending.due, id.clone()));
        queue.sending.insert(id.clone());
        (pending.attempts, pending.sending, pending.due) = (attempt, true, now);
    }

    pub(super) fn ended(&mut self, id: &NoticeId, outcome: &Outcome, again: Option<Tick>, now: Tick, paced: bool) {
        let Some(mut pending) = self.take(id) else { return };
        let channel = pending.notice.channel.clone();
        let health = self.health.entry(channel.clone()).or_default();
        health.last = Some(*outcome);
        if paced {
            pace::remember(&mut health.sent, pending.notice.priority() == Priority::Life, now);
        }
        if is_too_many(outcome) {
            health.rests_until = pace::rest(again, now);
        }
        if *outcome == Outcome::Delivered {
            // The receiver is back: whoever waited for a later attempt goes now.
            if std::mem::take(&mut health.failures) > 0 {
                self.wake_channel(&channel, now);
            }
            return;
        }
        // An interrupted attempt is our own failure.
        if !matches!(outcome, Outcome::Failed { failure: Failure::Interrupted, .. }) {
            health.failures += 1;
        }
        if let Some(due) = again {
            (pending.due, pending.sending) = (due, false);
            self.insert(pending);
        }
    }

    /// Takes a notice back, out of a digest too; one that is just being sent is not tried again.
    pub(super) fn withdraw(&mut self, id: &NoticeId) {
        match self.pending.get_mut(id) {
            Some(pending) if pending.sending => pending.unwanted = true,
            Some(_) => drop(self.take(id)),
            None => self.withdraw_member(id),
        }
    }

    fn withdraw_member(&mut self, id: &NoticeId) {
        for digest in self.digests.clone() {
            let Some(pending) = self.pending.get_mut(&digest).filter(|pending| !pending.sending) else { continue };
            if let Subject::Digest { members } = &mut pending.notice.subject {
                members.retain(|member| member.id != *id);
                if members.is_empty() {
                    self.take(&digest);
                }
            }
        }
    }

    fn take(&mut self, id: &NoticeId) -> Option<Pending> {
        let pending = self.pending.remove(id)?;
        self.digests.remove(id);
        if let Some(queue) = self.queues.get_mut(&pending.notice.channel) {
            queue.ready.remove(&(pending.notice.priority(), id.clone()));
            queue.later.remove(&(pending.due, id.clone()));
            queue.sending.remove(id);
        }
        Some(pending)
    }

    fn wake_channel(&mut self, channel: &ChannelId, now: Tick) {
        let Some(queue) = self.queues.get_mut(channel) else { return };
        for (_, id) in std::mem::take(&mut queue.later) {
            if let Some(pending) = self.pending.get_mut(&id) {
                pending.due = now;
                queue.ready.insert((pending.notice.priority(), id));
            }
        }
    }

    fn enqueue(&mut self, pending: &Pending) {
        let id = pending.notice.id.clone();
        let queue = self.queues.entry(pending.notice.channel.clone()).or_default();
        match (pending.sending, pending.attempts) {
            (true, _) => queue.sending.insert(id),
            (false, 0) => queue.ready.insert((pending.notice.priority(), id)),
            (false, _) => queue.later.insert((pending.due, id)),
        };
    }

    /// What may be sent now, with the number of its attempt. `takes` tells how many a channel takes at once, and how fast; a
    /// channel that the registry no longer has takes none.
    pub(super) fn sendable(&self, now: Tick, takes: impl Fn(&ChannelId) -> Takes) -> Vec<(NoticeId, u32)> {
        let mut chosen = Vec::new();
        for (channel, queue) in &self.queues {
            if queue.ready.is_empty() && queue.later.first().is_none_or(|(due, _)| *due > now) {
                continue;
            }
            let Some((slots, rate)) = takes(channel) else { continue };
            let gathers = self.gathers(channel, now);
            let mut pace = rate.map(|rate| self.pace(channel, rate, now));
            let health = self.health.get(channel);
            let failing = health.is_some_and(|h| h.failures >= FAILING);
            let wants_rest = health.and_then(|h| h.last).is_some_and(|last| is_too_many(&last));
            let due = queue.later.iter().take_while(|(due, _)| *due <= now).map(|(_, id)| id);
            let mut candidates: Vec<&Pending> = queue
                .ready
                .iter()
                .map(|(_, id)| id)
                .take(4 * usize::from(slots))
                .chain(due)
                .filter_map(|id| self.pending.get(id))
                .filter(|pending| !gathers(pending))
                .collect();
            candidates.sort_by_key(|pending| pending.turn());
            let mut under_way = queue.sending.len();
            for pending in candidates {
                // Half of the slots are life's own; a channel that fails gets one other notice at a time, and one that said *too
                // many* is asked with a single one.
                let limit = match (pending.notice.priority(), failing) {
                    _ if wants_rest => 1,
                    (Priority::Life, _) => usize::from(slots),
                    (_, true) => 1,
                    (_, false) => usize::from(slots).div_ceil(2),
                };
                let has_place = |pace: &mut Option<Pace>| pace.as_mut().is_none_or(|pace| pace.takes(pending));
                if under_way < limit && !self.behind_another(pending) && has_place(&mut pace) {
                    under_way += 1;
                    chosen.push((pending.notice.id.clone(), pending.attempts + 1));
                }
            }
        }
        chosen
    }

    /// Notices of one alarm to one channel go out in their order.
    fn behind_another(&self, pending: &Pending) -> bool {
        self.of_alarm(&pending.notice.id.alarm)
            .take_while(|p| p.notice.id.number < pending.notice.id.number)
            .any(|p| p.notice.channel == pending.notice.channel)
    }

    pub(super) fn next_wake(&self, now: Tick, takes: impl Fn(&ChannelId) -> Takes) -> Option<Tick> {
        let next = |(channel, queue): (&ChannelId, &Queue)| {
            let later = queue.later.iter().map(|(due, _)| *due).find(|due| *due > now);
            let rate = takes(channel).and_then(|(_, rate)| rate);
            let place = rate.and_then(|rate| self.next_place(channel, rate, now));
            later.into_iter().chain(place).chain(self.gathered_at(channel, now)).min()
        };
        self.queues.iter().filter_map(next).min()
    }
}

impl<C> Encode<C> for Outbox {
    fn encode<W: encode::Write>(&self, e: &mut Encoder<W>, ctx: &mut C) -> Result<(), encode::Error<W::Error>> {
        e.array(2)?;
        e.array(self.pending.len() as u64)?;
        for pending in self.pending.values() {
            pending.encode(e, ctx)?;
        }
        self.health.encode(e, ctx)
    }
}

impl<'b, C> Decode<'b, C> for Outbox {
    fn decode(d: &mut Decoder<'b>, ctx: &mut C) -> Result<Self, decode::Error> {
        d.array()?;
        let mut outbox = Outbox::default();
        for pending in d.array_iter_with::<C, Pending>(ctx)?.collect::<Result<Vec<_>, _>>()? {
            outbox.insert(pending);
        }
        outbox.health = BTreeMap::decode(d, ctx)?;
        Ok(outbox)
    }
}
