//! The town: homes whose devices publish, receivers that answer or do not, people who come or forget.

use super::oracle::Said;
use super::people::{Manner, PEOPLE, next_act};
use super::process::lock;
use super::world::{Happening, World};
use crate::engine::alarm::{Act, Refusal};
use crate::engine::dialect::Dialect;
use crate::engine::home::suppression::SuppressionKind;
use crate::engine::id::{AlarmId, ChannelId, HomeId, ResponderId, SourceId};
use crate::engine::input::SuppressionOrder;
use crate::engine::kind::AlarmKind;
use crate::engine::time::{Millis, Wall};
use crate::fleet::{Cause, Dice, Fleet, Message};
use crate::keeper::core::Answer;
use crate::keeper::inbox::Gone;
use crate::keeper::ports::{NoticeType, Parcel};
use crate::wire::{Source, TopicTemplate};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

/// An act that waits for its answer.
struct Waiting {
    who: usize,
    alarm: AlarmId,
    act: Act,
    tries: u8,
    answer: Pin<Box<dyn Future<Output = Result<Answer, Gone>>>>,
}

/// Homes, receivers and people.
pub struct Town {
    pub fleet: Fleet,
    start: Wall,
    /// What the homes could not publish yet.
    held: VecDeque<Message>,
    /// Publishers send everything twice.
    pub duplicates: bool,
    /// Presses are published as retained.
    pub retained: bool,
    /// How each channel's receiver behaves, where not well.
    pub receivers: BTreeMap<ChannelId, Manner>,
    /// Who goes away, and when.
    absences: Dice,
    waiting: Vec<Waiting>,
    /// Who is busy with which alarm.
    attending: BTreeSet<(usize, AlarmId)>,
}

impl Town {
    pub fn new(fleet: Fleet, start: Wall, absences: Dice) -> Town {
        Town {
            fleet,
            start,
            held: VecDeque::new(),
            duplicates: false,
            retained: false,
            receivers: BTreeMap::new(),
            absences,
            waiting: Vec::new(),
            attending: BTreeSet::new(),
        }
    }

    /// True time.
    pub fn time(&self, now: u64) -> Wall {
        self.start + Millis(now)
    }
}

/// What the gateway listens to.
pub fn sources() -> Vec<Source> {
    let of = |name: &str, dialect: Dialect| {
        let topics =
            dialect.usual_topics().iter().map(|topic| TopicTemplate::parse(topic).ok()).collect::<Option<_>>()?;
        Some(Source::new(SourceId::cut(name), super::process::site(), dialect, topics))
    };
    [of("zigbee2mqtt", Dialect::Zigbee2mqtt), of("hearthwatch", Dialect::Own)].into_iter().flatten().collect()
}

/// Begins what a handle of the keeper does, which is to put something into its inbox; gives the wait for the answer.
pub fn put<T>(errand: impl Future<Output = T> + 'static) -> Pin<Box<dyn Future<Output = T>>> {
    let mut errand: Pin<Box<dyn Future<Output = T>>> = Box::pin(errand);
    let begun = errand.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    debug_assert!(begun.is_pending(), "the keeper answers in a turn");
    errand
}

/// A payload with one more reading by which it is known again. None for what may say that a call lasts: with other news beside it that
/// means something else.
fn tagged(payload: &str, tag: u64) -> Option<String> {
    if payload.contains("\"sos\"") {
        return None;
    }
    let own = format!(r#"{{"kind":"illuminance","value":{tag}}}"#);
    Some(match (payload.strip_suffix('}'), payload.strip_suffix(']')) {
        (Some(_), _) if payload.contains("\"kind\"") => format!("[{payload},{own}]"),
        (Some(object), _) => format!(r#"{object},"illuminance":{tag}}}"#),
        (_, Some(list)) => format!("{list},{own}]"),
        _ => return None,
    })
}

impl World {
    pub(super) fn next_message(&mut self) {
        if let Some(message) = self.town.fleet.next() {
            let at = message.at.since(self.town.start).0;
            self.at(at, Happening::Message(Box::new(message)));
        }
    }

    pub(super) fn publish_next(&mut self, message: Message) {
        self.next_message();
        if self.wires.up { self.publish(message) } else { self.town.held.push_back(message) }
    }

    /// QoS 1: what could not be published comes when the broker is back.
    pub(super) fn publish_held(&mut self) {
        while let Some(message) = self.town.held.pop_front() {
            self.publish(message);
        }
    }

    fn publish(&mut self, message: Message) {
        let calls = match message.cause {
            Cause::Sos => Some(AlarmKind::Sos),
            Cause::Smoke => Some(AlarmKind::Smoke),
            Cause::Gas => Some(AlarmKind::Gas),
            Cause::Co => Some(AlarmKind::Co),
            Cause::WaterLeak => Some(AlarmKind::Leak),
            _ => None,
        };
        let press = calls == Some(AlarmKind::Sos);
        let telling = !matches!(message.cause, Cause::Bridge | Cause::Echo | Cause::Online | Cause::Offline);
        let named = message.topic.starts_with("hearthwatch/");
        let address = message.topic.split('/').rev().take(2).collect::<Vec<_>>();
        let address = (address.len() == 2).then(|| format!("{}/{}", address[1], address[0]).into());
        if press {
            self.tell(format_args!("a press in {}", message.topic));
        }
        let retain = message.retain || (press && self.town.retained);
        let times = if self.town.duplicates { 2 } else { 1 };
        let next = lock(&self.oracle).said.len() as u64;
        let tagged = if telling { tagged(&message.payload, next) } else { None };
        let tag = tagged.is_some().then_some(next);
        let payload = tagged.unwrap_or(message.payload);
        for _ in 0..times {
            let said = Said { at: self.now, address: address.clone(), telling, named, tag, calls, ..Said::default() };
            self.publish_raw(said, &message.topic, payload.clone().into_bytes(), retain);
        }
    }

    pub(super) fn publish_raw(&mut self, said: Said, topic: &str, payload: Vec<u8>, retain: bool) {
        let serial = {
            let mut oracle = lock(&self.oracle);
            oracle.said.push(said);
            oracle.said.len() as u64 - 1
        };
        let owed = self.wires.broker.publish(serial, topic, payload.into(), 1, retain);
        lock(&self.oracle).published(serial, &owed);
        owed.into_iter().for_each(|lane| self.expect(lane));
    }

    // --- receivers and people ---

    /// An attempt is under way, `delay` milliseconds from now.
    pub(super) fn send(&mut self, life: u64, parcel: Parcel, delay: u64) {
        let manner = self.town.receivers.get(&parcel.channel.id).copied().unwrap_or(Manner::Takes);
        let (outcome, after) = manner.answers(&mut self.dice, self.house.clocks.wall());
        self.after(delay + after, Happening::Answered(life, parcel.notice.clone(), parcel.attempt, outcome));
        if manner.reads() {
            self.after(delay + after.min(50), Happening::Read(Box::new(parcel)));
        }
    }

    /// A person reads a notice, and may do something about it.
    pub(super) fn read(&mut self, parcel: &Parcel) {
        let Some(who) = PEOPLE.iter().position(|p| *p == parcel.channel.id.as_str()) else { return };
        let alarm = parcel.notice.alarm.clone();
        let calls = parcel.kind() == NoticeType::Notice;
        if calls && self.dice.chance(0.4) && self.town.attending.insert((who, alarm.clone())) {
            self.goes_on(who, alarm, None);
        }
    }

    fn goes_on(&mut self, who: usize, alarm: AlarmId, done: Option<&Act>) {
        match next_act(done, &mut self.dice) {
            Some((act, after)) => self.after(after, Happening::Acts { who, alarm, act, tries: 0 }),
            None => drop(self.town.attending.remove(&(who, alarm))),
        }
    }

    pub(super) fn act(&mut self, who: usize, alarm: AlarmId, act: Act, tries: u8) {
        let Some(process) = self.process.as_ref().filter(|_| self.now >= self.paused_until) else {
            return self.try_again(who, alarm, act, tries);
        };
        let revision = process.board.get(&alarm).filter(|_| self.dice.chance(0.7)).map(|shown| shown.alarm.revision);
        let (handle, of, doing) = (process.handle.clone(), alarm.clone(), act.clone());
        let by = ResponderId::cut(PEOPLE[who]);
        let answer = put(async move { handle.act(of, doing, by, revision).await });
        self.town.waiting.push(Waiting { who, alarm, act, tries, answer });
    }

    fn try_again(&mut self, who: usize, alarm: AlarmId, act: Act, tries: u8) {
        if tries < 5 {
            self.after(20_000, Happening::Acts { who, alarm, act, tries: tries + 1 });
        } else {
            self.town.attending.remove(&(who, alarm));
        }
    }

    /// The process died under those who waited.
    pub(super) fn nobody_answers(&mut self) {
        for Waiting { who, alarm, act, tries, .. } in std::mem::take(&mut self.town.waiting) {
            self.try_again(who, alarm, act, tries);
        }
    }

    /// Who got an answer goes on from there.
    pub(super) fn hear_answers(&mut self) {
        for mut waiting in std::mem::take(&mut self.town.waiting) {
            match waiting.answer.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Pending => self.town.waiting.push(waiting),
                Poll::Ready(answer) => self.answered(waiting, answer),
            }
        }
    }

    fn answered(&mut self, waiting: Waiting, answer: Result<Answer, Gone>) {
        let Waiting { who, alarm, act, tries, .. } = waiting;
        match answer {
            Ok(Ok((_, revision))) => {
                self.tell(format_args!("{} on {alarm}: {act:?}", PEOPLE[who]));
                lock(&self.oracle).answered(&alarm, revision);
                self.goes_on(who, alarm, Some(&act));
            }
            Ok(Err(Refusal::Stale { .. })) | Err(Gone) => self.try_again(who, alarm, act, tries),
            Ok(Err(Refusal::HeldBefore | Refusal::NotYours)) => {
                self.goes_on(who, alarm, Some(&Act::Seen));
            }
            Ok(Err(Refusal::NotSafeYet)) => self.goes_on(who, alarm, Some(&Act::OnSite)),
            Ok(Err(Refusal::Closed | Refusal::NoSuchAlarm | Refusal::StillOpen | Refusal::RaisedAgain)) => {
                self.town.attending.remove(&(who, alarm));
            }
        }
    }

    /// The operator hears that somebody is away or back, now and then.
    pub(super) fn hear_of_an_absence(&mut self) {
        let (dice, homes) = (&mut self.town.absences, self.town.fleet.homes());
        let (next, home) = (600_000 + dice.below(7_200_000) as u64, HomeId::cut(&homes[dice.below(homes.len())].id));
        let kind = SuppressionKind::ALL[dice.below(SuppressionKind::ALL.len())];
        let (length, back) = (Millis::from_mins(5 + dice.below(360) as u64), dice.chance(0.3));
        self.after(next, Happening::Absence);
        let Some(process) = self.process.as_ref().filter(|_| self.now >= self.paused_until) else { return };
        let order = match back {
            true => SuppressionOrder::End { kind },
            false => SuppressionOrder::Set { kind, until: self.house.clocks.wall() + length, reason: None },
        };
        let (handle, by) = (process.handle.clone(), ResponderId::cut(PEOPLE[0]));
        drop(put(async move { handle.suppress(home, order, by).await }));
    }

    /// The operator goes through the board now and then, and finishes what others have left.
    pub(super) fn look_at_the_board(&mut self) {
        let next = 60_000 + self.dice.below(1_200_000) as u64;
        self.after(next, Happening::Look);
        let Some(process) = &self.process else { return };
        let open = process.board.open();
        let old = |at: Wall| self.house.clocks.wall().since(at) > Millis::from_mins(20);
        let left: Vec<AlarmId> = open
            .iter()
            .filter(|shown| shown.alarm.raised_at.0 > 0 && old(shown.alarm.raised_at))
            .map(|shown| shown.alarm.id.clone())
            .collect();
        for alarm in left {
            if self.dice.chance(0.5) && self.town.attending.insert((0, alarm.clone())) {
                self.goes_on(0, alarm, Some(&Act::OnSite));
            }
        }
    }
}
