//! One session with the broker as a pure machine: what came in is a call, what is to be done an [`Action`].
//!
//! It asks for its filters after *every* acceptance, since a broker that lost the session says so in one bit and is silent ever after;
//! it is up only when each has been answered; it hands messages on in order and lets their acknowledgements out in the same order.
//! Time comes in with [`Session::tick`] (milliseconds of any clock that does not run backwards), chance with the number given to
//! [`Session::broken`].

use super::acks::Acks;
use super::breaks::{Breaks, STEADY_MS};
use super::event::{Action, LaneStatus, LinkState, Message, Out};
use super::fault::{Fault, Report};
use super::filter::{Filter, is_filter};
use crate::keeper::ports::{Delivery, Lane, Token};
use std::collections::BTreeSet;
use std::mem;

/// A SUBSCRIBE or UNSUBSCRIBE is answered by then, or the connection is given up. Counted anew at each message, behind which the answer
/// may wait.
const ANSWER_MS: u64 = 10_000;
const ASK_REFUSED_AGAIN_MS: u64 = 30_000;
const REPORT_REFUSED_AGAIN_MS: u64 = 60_000;
/// What is not durable by then after [`Session::stop`] stays unacknowledged and comes again.
const STOP_MS: u64 = 5_000;
const FILTERS_PER_PACKET: usize = 100;
/// Reading pauses above so many messages, or so many bytes of them, that are not durable. The broker's window does not bound them:
/// QoS 0 has none, and mosquitto 2.0.11 lets a whole window go for every single acknowledgement while it drains a queue.
const CROWDED: usize = 20_000;
const CROWDED_BYTES: u64 = 16 << 20;

/// The question that the broker has not answered yet. One at a time, so that an answer needs no number.
#[derive(Debug)]
enum Ask {
    Subscribe(Vec<Filter>),
    Unsubscribe(Filter),
    /// An UNSUBSCRIBE of nothing: its answer comes behind everything that the broker had to send.
    Fence,
}

/// What an answer settled.
pub(super) enum Answer {
    Nothing,
    Subscribed { granted: Vec<Filter>, refused: Vec<Filter> },
    Fence,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Resting {
        due: u64,
    },
    Connecting,
    /// Accepted at `since`; `up` once every filter has been answered.
    Open {
        since: u64,
        up: bool,
    },
    /// Said goodbye.
    Leaving,
    Gone,
}

pub(super) struct Session {
    lane: Lane,
    state: State,
    connection: u32,
    pub acks: Acks,
    now: u64,
    wanted: BTreeSet<Filter>,
    /// What the broker's session may hold: asked for at some time, this run or an earlier one, and not taken back since.
    held: BTreeSet<Filter>,
    unasked: BTreeSet<Filter>,
    refused: BTreeSet<Filter>,
    refused_at: u64,
    asked: Option<(Ask, u64)>,
    session_present: bool,
    breaks: Breaks,
    /// Why the last connection ended, until the next is up.
    fault: Option<Fault>,
    told_refused_at: Option<u64>,
    link: LinkState,
    abandoned: bool,
    stop_by: Option<u64>,
    received: u64,
    acknowledged: u64,
}

impl Session {
    pub fn new(lane: Lane, held: BTreeSet<Filter>) -> Session {
        Session {
            lane,
            state: State::Resting { due: 0 },
            connection: 0,
            acks: Acks::default(),
            now: 0,
            wanted: BTreeSet::new(),
            held,
            unasked: BTreeSet::new(),
            refused: BTreeSet::new(),
            refused_at: 0,
            asked: None,
            session_present: false,
            breaks: Breaks::new(),
            fault: None,
            told_refused_at: None,
            link: LinkState::Down,
            abandoned: false,
            stop_by: None,
            received: 0,
            acknowledged: 0,
        }
    }

    /// Every filter has been answered on this connection.
    pub fn up(&self) -> bool {
        matches!(self.state, State::Open { up: true, .. })
    }

    /// Under way to be up.
    pub fn rising(&self) -> bool {
        matches!(self.state, State::Connecting | State::Open { up: false, .. })
    }

    pub fn due(&self) -> bool {
        matches!(self.state, State::Resting { due } if due <= self.now)
    }

    /// The last connection did not come about, or was no good one.
    pub fn failing(&self) -> bool {
        self.breaks.failing()
    }

    pub fn gone(&self) -> bool {
        self.state == State::Gone
    }

    pub fn stopping(&self) -> bool {
        self.stop_by.is_some()
    }

    pub fn crowded(&self) -> bool {
        self.acks.len() > CROWDED || self.acks.bytes() > CROWDED_BYTES
    }

    pub fn wanted(&self) -> &BTreeSet<Filter> {
        &self.wanted
    }

    pub fn held(&self) -> &BTreeSet<Filter> {
        &self.held
    }

    pub fn status(&self) -> LaneStatus {
        LaneStatus {
            link: self.link,
            connections: self.connection,
            received: self.received,
            acknowledged: self.acknowledged,
            waiting: self.acks.len(),
            refused: self.refused.iter().cloned().collect(),
            fault: self.fault.clone(),
            flapping: self.breaks.flapping(),
        }
    }

    pub fn connect(&mut self, out: &mut Out) {
        self.state = State::Connecting;
        self.connection = self.connection.wrapping_add(1);
        self.act(out, Action::Connect { connection: self.connection });
    }

    /// What is to be heard from now on.
    pub fn want(&mut self, wanted: BTreeSet<Filter>, out: &mut Out) {
        if matches!(self.state, State::Open { .. }) {
            self.unasked.extend(wanted.difference(&self.wanted).cloned());
        }
        self.wanted = wanted;
        self.unasked.retain(|filter| self.wanted.contains(filter));
        self.refused.retain(|filter| self.wanted.contains(filter));
        self.refuse_malformed();
        self.ask(out);
        self.tell_link(out);
    }

    pub fn accepted(&mut self, session_present: bool, out: &mut Out) {
        self.state = State::Open { since: self.now, up: false };
        self.session_present = session_present;
        if !session_present && !mem::take(&mut self.held).is_empty() {
            self.act(out, Action::Report(Report::SessionLost));
        }
        self.unasked = self.wanted.clone();
        self.refused.clear();
        self.refuse_malformed();
        self.ask(out);
    }

    fn refuse_malformed(&mut self) {
        let malformed: Vec<Filter> = self.wanted.iter().filter(|filter| !is_filter(filter)).cloned().collect();
        for filter in malformed {
            self.unasked.remove(&filter);
            self.refused.insert(filter);
        }
    }

    pub fn subscribed(&mut self, codes: &[u8], out: &mut Out) -> Answer {
        let filters = match self.asked.take() {
            Some((Ask::Subscribe(filters), _)) if filters.len() == codes.len() => filters,
            _ => {
                self.abandon(Fault::Protocol("a SUBACK that answers nothing".to_owned()), out);
                return Answer::Nothing;
            }
        };
        let (mut granted, mut refused) = (Vec::new(), Vec::new());
        for (filter, code) in filters.into_iter().zip(codes) {
            // Whoever stopped wanting it in between no longer cares. QoS 0 is as good as a refusal: nothing would be kept for us.
            match code {
                _ if !self.wanted.contains(&filter) => {}
                1 | 2 => {
                    self.refused.remove(&filter);
                    granted.push(filter);
                }
                _ => {
                    self.refused.insert(filter.clone());
                    refused.push(filter);
                }
            }
        }
        if !refused.is_empty() {
            self.refused_at = self.now;
        }
        self.ask(out);
        self.tell_link(out);
        Answer::Subscribed { granted, refused }
    }

    pub fn unsubscribed(&mut self, out: &mut Out) -> Answer {
        let answer = match self.asked.take() {
            Some((Ask::Unsubscribe(filter), _)) => {
                self.held.remove(&filter);
                Answer::Nothing
            }
            Some((Ask::Fence, _)) => Answer::Fence,
            _ => {
                self.abandon(Fault::Protocol("an UNSUBACK that answers nothing".to_owned()), out);
                Answer::Nothing
            }
        };
        self.ask(out);
        answer
    }

    /// Asks the next thing if nothing is being asked. With nothing left to ask the session is up.
    fn ask(&mut self, out: &mut Out) {
        let State::Open { since, up } = self.state else { return };
        if self.asked.is_some() || self.stopping() {
            return;
        }
        let filters: Vec<Filter> = self.unasked.iter().take(FILTERS_PER_PACKET).cloned().collect();
        if !filters.is_empty() {
            self.unasked.retain(|filter| !filters.contains(filter));
            self.held.extend(filters.iter().cloned());
            self.asked = Some((Ask::Subscribe(filters.clone()), self.now));
            self.act(out, Action::Subscribe(filters));
        } else if let Some(stale) = self.held.difference(&self.wanted).next().cloned() {
            self.asked = Some((Ask::Unsubscribe(stale.clone()), self.now));
            self.act(out, Action::Unsubscribe(stale));
        } else if !up {
            self.state = State::Open { since, up: true };
            self.fault = None;
            if self.breaks.over() {
                let filters = self.wanted.len() - self.refused.len();
                self.act(out, Action::Report(Report::Ready { filters, session_present: self.session_present }));
            }
            self.tell_link(out);
        }
    }

    /// Asks for an answer behind everything that the broker has to send. False if something else is being asked just now.
    pub fn ask_fence(&mut self, out: &mut Out) -> bool {
        if self.asked.is_some() || !self.up() || self.stopping() {
            return false;
        }
        self.asked = Some((Ask::Fence, self.now));
        self.act(out, Action::Unsubscribe("hearthwatch/fence".into()));
        true
    }

    fn tell_link(&mut self, out: &mut Out) {
        let link = match (self.up(), self.refused.is_empty()) {
            (false, _) => LinkState::Down,
            (true, false) => LinkState::Partial,
            (true, true) => LinkState::Ready,
        };
        if mem::replace(&mut self.link, link) == link {
            return;
        }
        self.act(out, Action::Link(link));
        let Some(first) = self.refused.first().filter(|_| link == LinkState::Partial) else { return };
        let report = Report::Refused { filters: self.refused.len(), first: first.to_string() };
        if self.told_refused_at.is_none_or(|at| at + REPORT_REFUSED_AGAIN_MS <= self.now) {
            self.told_refused_at = Some(self.now);
            self.act(out, Action::Report(report));
        }
    }

    pub fn message(&mut self, message: Message, copy: bool, out: &mut Out) {
        // While stopping nothing more is taken: unacknowledged, it comes again.
        if self.stopping() || !matches!(self.state, State::Open { .. }) {
            return;
        }
        if message.qos > 1 || (message.qos == 1) != (message.pkid != 0) {
            return self
                .abandon(Fault::Protocol(format!("a message of QoS {}, id {}", message.qos, message.pkid)), out);
        }
        self.received += 1;
        if let Some((_, at)) = &mut self.asked {
            *at = self.now;
        }
        let Message { pkid, topic, payload, retain, dup, .. } = message;
        let serial = self.acks.push(pkid, topic.len() + payload.len());
        let token = Token { lane: self.lane, connection: self.connection, serial };
        let lane = self.lane;
        self.act(out, Action::Deliver(Delivery { lane, topic, payload, retain, dup, copy, token: Some(token) }));
    }

    /// Tokens of an earlier connection are void: their messages come again.
    pub fn mark(&mut self, token: Token) {
        if token.connection == self.connection {
            self.acks.mark(token.serial);
        }
    }

    pub fn acknowledge(&mut self, out: &mut Out) {
        while let Some(pkid) = self.acks.pop() {
            self.acknowledged += 1;
            out.push((self.lane, Action::Ack(pkid)));
        }
        self.leave_if_done(out);
    }

    pub fn broken(&mut self, fault: Fault, jitter: u32, out: &mut Out) {
        let lasted = match self.state {
            State::Open { since, .. } => Some(self.now.saturating_sub(since)),
            _ => None,
        };
        self.acks.reset();
        (self.asked, self.abandoned) = (None, false);
        self.unasked.clear();
        if self.stopping() {
            self.state = State::Gone;
            self.tell_link(out);
            return self.act(out, Action::Finished);
        }
        let report = self.breaks.note(&fault, lasted, self.now);
        self.fault = Some(fault);
        self.state = State::Resting { due: self.now + self.breaks.wait_ms(jitter) };
        self.tell_link(out);
        if let Some(report) = report {
            self.act(out, Action::Report(report));
        }
    }

    pub fn tick(&mut self, now: u64, out: &mut Out) {
        self.now = now;
        if self.stop_by.is_some_and(|by| by <= now) {
            return self.abandon(Fault::Stopped, out);
        }
        let State::Open { since, up } = self.state else { return };
        if self.asked.as_ref().is_some_and(|(_, at)| at + ANSWER_MS <= now) {
            return self.abandon(Fault::Unanswered, out);
        }
        if since + STEADY_MS <= now {
            self.breaks.steady();
        }
        if up && self.refused_at + ASK_REFUSED_AGAIN_MS <= now && !self.refused.is_empty() {
            self.refused_at = now;
            self.unasked.extend(self.refused.iter().filter(|filter| is_filter(filter)).cloned());
            self.ask(out);
        }
    }

    /// Takes no more messages, waits for those handed on to become durable, acknowledges them and leaves, within five seconds.
    pub fn stop(&mut self, out: &mut Out) {
        if self.stopping() {
            return;
        }
        self.stop_by = Some(self.now + STOP_MS);
        match self.state {
            State::Resting { .. } => {
                self.state = State::Gone;
                self.act(out, Action::Finished);
            }
            State::Connecting => self.abandon(Fault::Stopped, out),
            State::Open { .. } => self.leave_if_done(out),
            State::Leaving | State::Gone => {}
        }
    }

    fn leave_if_done(&mut self, out: &mut Out) {
        if self.stopping() && self.acks.len() == 0 && matches!(self.state, State::Open { .. }) && !self.abandoned {
            self.state = State::Leaving;
            self.act(out, Action::Disconnect);
        }
    }

    fn abandon(&mut self, fault: Fault, out: &mut Out) {
        let over = matches!(self.state, State::Resting { .. } | State::Gone);
        if !over && !mem::replace(&mut self.abandoned, true) {
            self.act(out, Action::Abandon(fault));
        }
    }

    fn act(&self, out: &mut Out, action: Action) {
        out.push((self.lane, action));
    }
}
