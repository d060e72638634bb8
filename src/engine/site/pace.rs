//! How fast a channel may be told, and what becomes of what it cannot take. A group's robot takes so many messages a minute and blocks
//! whoever sends more (FACTS), so the rate is kept on our side, with a share that is life's own. A call for help that does not fit goes at
//! once the next way up its ladder, and within five seconds into a digest that names every home; all else into a digest a minute.

use super::outbox::{Outbox, Pending};
use super::{Out, State};
use crate::engine::alarm::Told;
use crate::engine::change::{Notice, SiteChange, Subject};
use crate::engine::id::{AlarmId, ChannelId, NoticeId};
use crate::engine::input::HomeInput;
use crate::engine::kind::Priority;
use crate::engine::registry::Rate;
use crate::engine::time::{Millis, Stamp, Tick};
use minicbor::{Decode, Encode};

/// A robot's minute, with a second for what is slow on its way.
const MINUTE: Millis = Millis::from_secs(61);
/// And its second.
const SECOND: Millis = Millis(1_100);
/// How long a call for help waits for a place of its own before it goes into a digest: five seconds are promised.
const LIFE_PATIENCE: Millis = Millis::from_secs(4);
/// And everything else.
const OTHER_PATIENCE: Millis = Millis::from_secs(60);
/// What can wait is gathered for so long, since its hour is that of many homes.
const GATHERING: Millis = Millis::from_secs(5);
/// A receiver that says *too many* is left alone for so long at least.
const REST: Millis = Millis::from_secs(10);
/// More than any receiver reads in one message; what is beyond goes into the next.
const MOST_MEMBERS: usize = 2_000;
/// Nor is one longer than this: a notice of an end holds its whole alarm, and a record has 1 MiB at most.
const DIGEST_BYTES: usize = 128 * 1024;

/// A message that a channel was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Sent {
    #[n(0)]
    pub at: Tick,
    #[n(1)]
    pub life: bool,
}

/// What a channel that takes only so many messages a minute has left.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    limit: usize,
    life: usize,
    others: usize,
    resting: bool,
    /// How many more may go this second.
    this_second: usize,
}

/// How a message counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lot {
    Life,
    LifeDigest,
    Other,
    OtherDigest,
}

impl Lot {
    fn of(pending: &Pending) -> Lot {
        match (pending.notice.priority(), pending.is_digest()) {
            (Priority::Life, false) => Lot::Life,
            (Priority::Life, true) => Lot::LifeDigest,
            (_, false) => Lot::Other,
            (_, true) => Lot::OtherDigest,
        }
    }

    fn is_life(self) -> bool {
        matches!(self, Lot::Life | Lot::LifeDigest)
    }
}

impl Pace {
    /// A quarter of the rate is kept for digests of life, so that one always has a place; what is not life has half of the rate at most,
    /// and half of that for messages of their own.
    fn has_room(self, lot: Lot) -> bool {
        let (used, reserve) = (self.life + self.others, (self.limit / 4).max(1));
        let common = used < self.limit.saturating_sub(reserve).max(1);
        !self.resting
            && match lot {
                Lot::LifeDigest => used < self.limit,
                Lot::Life => common,
                Lot::Other => common && self.others < self.limit / 4,
                Lot::OtherDigest => common && self.others < (self.limit / 2).max(1),
            }
    }

    /// Takes a place for a message, if there is one.
    pub(super) fn takes(&mut self, pending: &Pending) -> bool {
        let lot = Lot::of(pending);
        let has_room = self.this_second > 0 && self.has_room(lot);
        if has_room {
            self.this_second -= 1;
            *(if lot.is_life() { &mut self.life } else { &mut self.others }) += 1;
        }
        has_room
    }
}

impl Outbox {
    /// What a channel of this rate has left.
    pub(super) fn pace(&self, channel: &ChannelId, rate: Rate, now: Tick) -> Pace {
        let health = self.health().get(channel);
        let lately = |sent: &&Sent| now.since(sent.at) < MINUTE;
        let sent: Vec<bool> = health.into_iter().flat_map(|h| &h.sent).filter(lately).map(|sent| sent.life).collect();
        let under_way = self.under_way(channel).map(|pending| Lot::of(pending).is_life());
        let all: Vec<bool> = sent.into_iter().chain(under_way).collect();
        let life = all.iter().filter(|life| **life).count();
        let resting = health.is_some_and(|health| health.rests_until > now);
        let just_now = |sent: &&Sent| now.since(sent.at) < SECOND;
        let just_now = health.into_iter().flat_map(|h| &h.sent).filter(just_now).count();
        let this_second = usize::from(rate.per_second).saturating_sub(just_now + self.under_way(channel).count());
        Pace { limit: rate.per_minute.into(), life, others: all.len() - life, resting, this_second }
    }

    /// What waits for its hour's message, of a channel, oldest first.
    fn gathered(&self, channel: &ChannelId, now: Tick) -> Vec<&Pending> {
        let mut gathered: Vec<&Pending> = self.waiting(channel, now).filter(|pending| can_wait(pending)).collect();
        gathered.sort_by_key(|pending| pending.turn());
        gathered
    }

    /// What of a channel is not sent by itself: all that gathers, once there are several, and before that each for a while.
    pub(super) fn gathers(&self, channel: &ChannelId, now: Tick) -> impl Fn(&Pending) -> bool + use<> {
        let several = self.waiting(channel, now).filter(|pending| can_wait(pending)).nth(1).is_some();
        move |pending| can_wait(pending) && (several || !is_ripe(pending, now))
    }

    /// When what gathers has waited long enough.
    pub(super) fn gathered_at(&self, channel: &ChannelId, now: Tick) -> Option<Tick> {
        let first = self.waiting(channel, now).filter(|pending| can_wait(pending)).map(|p| p.notice.issued.tick).min();
        first.map(|issued| issued + GATHERING).filter(|at| *at > now)
    }

    /// Those that wait for a place, and find none.
    fn held_back(&self, channel: &ChannelId, rate: Rate, now: Tick) -> Vec<&Pending> {
        // What waits for the next second is held back by nobody.
        let mut pace = Pace { this_second: usize::MAX, ..self.pace(channel, rate, now) };
        let mut waiting: Vec<&Pending> = self.waiting(channel, now).collect();
        waiting.sort_by_key(|pending| pending.turn());
        waiting.into_iter().filter(|pending| !pace.takes(pending)).collect()
    }

    /// When a place may be free next, or somebody has waited long enough for a digest.
    pub(super) fn next_place(&self, channel: &ChannelId, rate: Rate, now: Tick) -> Option<Tick> {
        let held_back = self.held_back(channel, rate, now);
        let health = self.health().get(channel);
        let patience = held_back.iter().map(|pending| pending.notice.issued.tick + patience(pending));
        let frees = health.into_iter().flat_map(|h| &h.sent).map(|sent| sent.at + MINUTE);
        let rests = health.map(|health| health.rests_until);
        let all = patience.chain(frees).chain(rests);
        let minute = if held_back.is_empty() { None } else { all.filter(|at| *at > now).min() };
        let waits = self.waiting(channel, now).next().is_some() && rate.per_second < u16::MAX;
        let seconds = health.into_iter().filter(|_| waits).flat_map(|h| &h.sent).map(|sent| sent.at + SECOND);
        minute.into_iter().chain(seconds.filter(|at| *at > now)).min()
    }
}

fn patience(pending: &Pending) -> Millis {
    if Lot::of(pending).is_life() { LIFE_PATIENCE } else { OTHER_PATIENCE }
}

/// What is decided of those that a channel holds back.
struct Held<'s> {
    /// Calls for help that go another way from here on.
    deferred: Vec<&'s Pending>,
    /// What a digest that is due would hold; nothing where none is.
    members: Vec<&'s Notice>,
}

/// It is of its home's equipment, and was not tried by itself before.
fn can_wait(pending: &Pending) -> bool {
    pending.notice.kind.can_wait() && pending.is_rung() && pending.attempts == 0
}

fn is_ripe(pending: &Pending, now: Tick) -> bool {
    now.since(pending.notice.issued.tick) >= GATHERING
}

/// What has gathered for a channel and is due as one message.
fn gathered<'s>(outbox: &'s Outbox, channel: &ChannelId, now: Tick) -> Vec<&'s Notice> {
    let gathered = outbox.gathered(channel, now);
    let one_is_on_its_way =
        || outbox.waiting(channel, now).chain(outbox.under_way(channel)).any(|p| Lot::of(p) == Lot::OtherDigest);
    let is_due = gathered.len() > 1 && gathered.first().is_some_and(|p| is_ripe(p, now)) && !one_is_on_its_way();
    gathered.into_iter().filter(|_| is_due).map(|pending| &pending.notice).collect()
}

fn held<'s>(state: &'s State, channel: &ChannelId, rate: Option<Rate>, now: Tick) -> Held<'s> {
    let outbox = &state.outbox;
    let members = gathered(outbox, channel, now);
    let Some(rate) = rate.filter(|_| members.is_empty()) else { return Held { deferred: Vec::new(), members } };
    let held_back = outbox.held_back(channel, rate, now);
    let alone = || held_back.iter().copied().filter(|pending| !pending.is_digest());
    let goes_on = |pending: &&Pending| pending.is_rung() && Lot::of(pending).is_life() && !pending.deferred;
    let deferred = alone().filter(goes_on).collect();
    let pace = outbox.pace(channel, rate, now);
    // One at a time: what comes meanwhile goes into the next.
    let waits = |lot| held_back.iter().copied().chain(outbox.under_way(channel)).any(|p| Lot::of(p) == lot);
    let impatient =
        |of: Lot| alone().filter(|p| Lot::of(p) == of).any(|p| now.since(p.notice.issued.tick) >= patience(p));
    let due = |(of, digest): &(Lot, Lot)| pace.has_room(*digest) && !waits(*digest) && impatient(*of);
    let due = [(Lot::Life, Lot::LifeDigest), (Lot::Other, Lot::OtherDigest)].into_iter().find(due);
    let members = alone().filter(|p| due.is_some_and(|(of, _)| Lot::of(p) == of)).map(|p| &p.notice).collect();
    Held { deferred, members }
}

/// The channels that take only so much and have something to send, each with what it holds back.
fn pressed(state: &State, now: Tick) -> impl Iterator<Item = (&ChannelId, Held<'_>)> {
    let waits = move |id: &ChannelId| state.outbox.waiting(id, now).next().is_some();
    let all = state.registry.channels.iter().map(|(id, channel)| (id, channel.rate()));
    let held = all.filter(move |(id, _)| waits(id)).map(move |(id, rate)| (id, held(state, id, rate, now)));
    held.filter(|(_, held)| !held.deferred.is_empty() || !held.members.is_empty())
}

/// Whether a channel holds back what has to go another way now.
pub fn is_pressed(state: &State, now: Tick) -> bool {
    pressed(state, now).next().is_some()
}

/// Sends what a channel holds back another way: calls for help at once up their ladders, and what has waited long enough as a digest. One
/// channel at a time, so that what comes of it has room in a record; whether there is more tells [`is_pressed`].
pub(super) fn relieve(state: &State, now: Stamp, out: &mut Out) {
    let Some((channel, held)) = pressed(state, now.tick).next() else { return };
    for pending in held.deferred {
        out.because.push("channel_holds_back");
        let Notice { id, home, kind, .. } = &pending.notice;
        let (kind, notice, channel, told) = (*kind, id.clone(), channel.clone(), Told::Failing);
        out.changes.push(SiteChange::Deferred { notice: notice.clone() });
        out.to_homes.push((*home, HomeInput::Told { kind, notice, channel, told }));
    }
    if let Some(digest) = digest(&held.members, state.next_alarm, now) {
        out.because.push("digest");
        out.changes.push(SiteChange::NoticeMade(Box::new(digest)));
    }
}

/// One message of several; it has a number of its own in the sequence of the site's alarms.
fn digest(all: &[&Notice], number: u64, now: Stamp) -> Option<Notice> {
    let mut bytes = 0;
    let fits = |notice: &&&Notice| {
        // Writing into a Vec cannot fail.
        bytes += minicbor::to_vec(notice).map_or(0, |encoded| encoded.len());
        bytes <= DIGEST_BYTES
    };
    let members: Vec<Notice> = all.iter().take(MOST_MEMBERS).take_while(fits).map(|notice| (*notice).clone()).collect();
    let head = members.iter().min_by_key(|notice| notice.kind)?;
    let alarm = AlarmId { site: head.id.alarm.site.clone(), number };
    Some(Notice {
        id: NoticeId { alarm, number: 1 },
        home: head.home,
        channel: head.channel.clone(),
        kind: head.kind,
        issued: now,
        subject: Subject::Digest { members },
    })
}

/// A channel was sent something, or a robot wants to be left alone.
pub(super) fn remember(sent: &mut Vec<Sent>, life: bool, now: Tick) {
    sent.retain(|sent| now.since(sent.at) < MINUTE);
    sent.push(Sent { at: now, life });
}

/// Until when a channel that says *too many* is left alone.
pub(super) fn rest(again: Option<Tick>, now: Tick) -> Tick {
    again.unwrap_or_default().max(now + REST)
}
