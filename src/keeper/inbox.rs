//! What waits for the keeper. Nobody who puts something in waits; how much can wait is bounded by the broker's window of
//! unacknowledged messages and by the channels' slots.

use super::core::{Answer, Core, Suppressed, Visited, Walked};
use super::ports::{Delivery, Lane};
use crate::engine::alarm::{Act, SafeHow};
use crate::engine::delivery::Outcome;
use crate::engine::home::care::{VisitKind, VisitOutcome};
use crate::engine::id::{AlarmId, ChannelId, HomeId, NoticeId, ResponderId, SourceId};
use crate::engine::input::{SiteInput, SuppressionOrder, WalkOrder};
use crate::engine::kind::AlarmKind;
use crate::engine::policy::SiteRules;
use crate::engine::registry::Entity;
use crate::engine::site::cold_wave::ColdWaveRefusal;
use crate::engine::site::proof::ProofRefusal;
use crate::engine::time::Wall;
use bytes::Bytes;
use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;

/// Sends an answer to whoever waits for it.
pub(super) type Reply = Box<dyn FnOnce() + Send>;

/// The reply that sends `given`.
pub(super) fn reply<T: Send + 'static>(to: oneshot::Sender<T>, given: T) -> Reply {
    // Whoever asked may have gone.
    Box::new(move || drop(to.send(given)))
}

/// Anything but a device's message.
pub(super) enum Errand {
    Outcome {
        notice: NoticeId,
        attempt: u32,
        outcome: Outcome,
    },
    Link {
        up: bool,
    },
    Register {
        entities: Vec<Entity>,
        done: oneshot::Sender<Result<(), NotTaken>>,
    },
    Push {
        source: SourceId,
        messages: Vec<Pushed>,
        answer: oneshot::Sender<Vec<Took>>,
    },
    /// What a person does. The reply it gives is sent after the sync.
    Order(Box<dyn FnOnce(&mut Core) -> Reply + Send>),
    Own {
        home: HomeId,
        kind: AlarmKind,
        what: String,
    },
    Rules(Box<SiteRules>),
    Ask(Box<dyn FnOnce(&Core) + Send>),
}

/// A message that came over HTTP.
#[derive(Debug, Clone)]
pub struct Pushed {
    pub topic: String,
    pub payload: Bytes,
    /// The sender's own name of it: pushed again under this name it is the same event.
    pub id: String,
}

/// What a pushed message came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Took {
    /// So many readings.
    Readings(u32),
    Ignored(&'static str),
    Rejected(&'static str),
    /// Nobody may look into it: it stands as a possible call.
    Unread,
    /// The disk is full, and it calls nobody: it has to come again.
    NoRoom,
}

#[derive(Default)]
struct Waiting {
    life: VecDeque<Delivery>,
    bulk: VecDeque<Delivery>,
    errands: VecDeque<Errand>,
    stop: bool,
    /// The keeper has left: nothing will be answered any more.
    gone: bool,
}

impl Waiting {
    /// Nothing is here for a turn, which with `life_only` leaves bulk where it is.
    fn idle(&self, life_only: bool) -> bool {
        self.life.is_empty() && (self.bulk.is_empty() || life_only) && self.errands.is_empty() && !self.stop
    }

    /// The errands of a turn, in their order: all of them, or up to the one with which more than `most` messages are pushed.
    fn some_errands(&mut self, most: usize) -> VecDeque<Errand> {
        let mut pushed = 0;
        let fits = |errand: &&Errand| {
            let before = pushed;
            pushed += if let Errand::Push { messages, .. } = errand { messages.len() } else { 0 };
            before < most
        };
        let fit = self.errands.iter().take_while(fits).count();
        self.errands.drain(..fit).collect()
    }
}

/// What one turn takes.
#[derive(Default)]
pub(super) struct Taken {
    pub deliveries: VecDeque<Delivery>,
    pub errands: VecDeque<Errand>,
    pub stop: bool,
}

#[derive(Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    bell: Condvar,
}

/// The keeper is not there any more: the process is leaving.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gone;

impl fmt::Display for Gone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the keeper has stopped; the service is leaving or restarting")
    }
}

impl std::error::Error for Gone {}

/// Why the registry stays as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotTaken {
    /// What is left of the disk is kept for calls for help.
    DiskFull,
    Gone,
}

impl fmt::Display for NotTaken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotTaken::DiskFull => {
                f.write_str("the disk is full, and what is left is kept for calls for help: make room, then try again")
            }
            NotTaken::Gone => Gone.fmt(f),
        }
    }
}

impl std::error::Error for NotTaken {}

/// How the rooms around it speak to a keeper.
#[derive(Clone, Default)]
pub struct Handle {
    shared: Arc<Shared>,
}

impl Handle {
    fn put(&self, errand: Errand) {
        // After the keeper has left an errand is dropped, and whoever waits for its answer learns it by that.
        self.with(|waiting| {
            if !waiting.gone {
                waiting.errands.push_back(errand);
            }
        });
    }

    /// Puts an errand in and waits for its answer.
    async fn answered<T>(&self, errand: impl FnOnce(oneshot::Sender<T>) -> Errand) -> Result<T, Gone> {
        let (answer, wait) = oneshot::channel();
        self.put(errand(answer));
        wait.await.map_err(|_| Gone)
    }

    fn with<T>(&self, f: impl FnOnce(&mut Waiting) -> T) -> T {
        let mut waiting = self.shared.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let given = f(&mut waiting);
        drop(waiting);
        self.shared.bell.notify_one();
        given
    }

    /// A message of a broker.
    pub fn deliver(&self, delivery: Delivery) {
        self.with(|waiting| match delivery.lane {
            Lane::Life => waiting.life.push_back(delivery),
            Lane::Bulk => waiting.bulk.push_back(delivery),
        });
    }

    /// What came of an attempt to deliver a notice.
    pub fn outcome(&self, notice: NoticeId, attempt: u32, outcome: Outcome) {
        self.put(Errand::Outcome { notice, attempt, outcome });
    }

    /// Whether telemetry can reach us.
    pub fn link(&self, up: bool) {
        self.put(Errand::Link { up });
    }

    /// Does what a person orders; answered after the sync.
    async fn order<T: Send + 'static>(&self, order: impl FnOnce(&mut Core) -> T + Send + 'static) -> Result<T, Gone> {
        self.answered(|answer| Errand::Order(Box::new(move |core| reply(answer, order(core))))).await
    }

    /// A person acts on an alarm; answered after the sync.
    pub async fn act(&self, alarm: AlarmId, act: Act, by: ResponderId, revision: Option<u32>) -> Result<Answer, Gone> {
        self.order(move |core| core.act(alarm, act, by, revision)).await
    }

    /// Messages that came over HTTP from whoever may speak for this source; answered after the sync, in their order.
    pub async fn push(&self, source: SourceId, messages: Vec<Pushed>) -> Result<Vec<Took>, Gone> {
        self.answered(|answer| Errand::Push { source, messages, answer }).await
    }

    /// A person opens or closes a home's test window; answered after the sync.
    pub async fn walk(&self, home: HomeId, order: WalkOrder, by: ResponderId) -> Result<Walked, Gone> {
        self.order(move |core| core.walk(&home, order, by)).await
    }

    /// A person sets or ends a suppression; answered after the sync.
    pub async fn suppress(&self, home: HomeId, order: SuppressionOrder, by: ResponderId) -> Result<Suppressed, Gone> {
        self.order(move |core| core.suppress(&home, order, by)).await
    }

    /// A person has looked after the people of a home, for no alarm: they are well. Answered after the sync; false where nobody
    /// registered the home.
    pub async fn looked(&self, home: HomeId, by: ResponderId, how: SafeHow) -> Result<bool, Gone> {
        self.order(move |core| core.looked(&home, by, how)).await
    }

    /// A person tells what came of a visit, or (none) takes back what was told today. Answered after the sync.
    pub async fn visit(
        &self,
        home: HomeId,
        kind: VisitKind,
        outcome: Option<VisitOutcome>,
        by: ResponderId,
    ) -> Result<Visited, Gone> {
        self.order(move |core| core.visit(&home, kind, outcome, by)).await
    }

    /// A cold wave lies on the site until then, or (none) is over. Answered after the sync.
    pub async fn cold_wave(&self, until: Option<Wall>, by: ResponderId) -> Result<Result<(), ColdWaveRefusal>, Gone> {
        self.order(move |core| core.cold_wave(until, by)).await
    }

    /// A test message with a code goes out by a channel. Answered after the sync.
    pub async fn test_channel(&self, channel: ChannelId, code: Box<str>) -> Result<Result<(), ProofRefusal>, Gone> {
        self.order(move |core| core.test_channel(channel, &code)).await
    }

    /// A person has received it, and said its code. Answered after the sync.
    pub async fn channel_seen(
        &self,
        channel: ChannelId,
        code: Box<str>,
        by: ResponderId,
    ) -> Result<Result<(), ProofRefusal>, Gone> {
        self.order(move |core| core.channel_seen(channel, &code, by)).await
    }

    /// Enters checked entities into the registry; returns after the sync. A full disk takes none.
    pub async fn register(&self, entities: Vec<Entity>) -> Result<(), NotTaken> {
        let (done, wait) = oneshot::channel();
        self.put(Errand::Register { entities, done });
        wait.await.unwrap_or(Err(NotTaken::Gone))
    }

    /// Raises an alarm of the gateway's own.
    pub fn own_alarm(&self, home: HomeId, kind: AlarmKind, what: String) {
        self.put(Errand::Own { home, kind, what });
    }

    /// Somebody who may act has the console open, or nobody any more.
    pub fn desk(&self, staffed: bool) {
        self.put(Errand::Order(Box::new(move |core| {
            core.site_input(SiteInput::Desk { staffed });
            Box::new(|| ())
        })));
    }

    /// Takes new rules of the site over, from the configuration.
    pub fn rules(&self, rules: SiteRules) {
        self.put(Errand::Rules(Box::new(rules)));
    }

    /// Looks at the state between two turns. Keep it short: the keeper waits for it.
    pub async fn ask<T: Send + 'static>(&self, question: impl FnOnce(&Core) -> T + Send + 'static) -> Result<T, Gone> {
        let (answer, wait) = oneshot::channel();
        self.put(Errand::Ask(Box::new(move |core| drop(answer.send(question(core))))));
        wait.await.map_err(|_| Gone)
    }

    /// Lets the keeper finish what waits, and leave.
    pub fn stop(&self) {
        self.with(|waiting| waiting.stop = true);
    }

    /// Messages that were taken and had no room in the turn: they are the first again of their lanes.
    pub(super) fn give_back(&self, mut left: VecDeque<Delivery>) {
        if left.is_empty() {
            return;
        }
        self.with(|waiting| {
            while let Some(delivery) = left.pop_back() {
                match delivery.lane {
                    Lane::Life => waiting.life.push_front(delivery),
                    Lane::Bulk => waiting.bulk.push_front(delivery),
                }
            }
        });
    }

    /// How many messages wait: life, bulk.
    pub fn backlog(&self) -> (usize, usize) {
        let waiting = self.shared.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        (waiting.life.len(), waiting.bulk.len())
    }

    /// Whether something waits for a turn, which with `life_only` leaves bulk where it is.
    pub(super) fn waits(&self, life_only: bool) -> bool {
        !self.shared.waiting.lock().unwrap_or_else(PoisonError::into_inner).idle(life_only)
    }

    /// The keeper leaves: whoever waits for an answer is told so.
    pub(super) fn leave(&self) {
        self.with(|waiting| {
            waiting.errands.clear();
            waiting.gone = true;
        });
    }

    /// Takes up to `most` messages, life first, and the errands until they push as many; waits at most `patience` for the first. With
    /// `life_only`, bulk stays where it is.
    pub(super) fn take(&self, most: usize, life_only: bool, patience: Duration) -> Taken {
        let waiting = self.shared.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let idle = |waiting: &mut Waiting| waiting.idle(life_only);
        let (mut waiting, _) =
            self.shared.bell.wait_timeout_while(waiting, patience, idle).unwrap_or_else(PoisonError::into_inner);
        let mut taken = Taken { errands: waiting.some_errands(most), stop: waiting.stop, ..Taken::default() };
        let life = most.min(waiting.life.len());
        taken.deliveries.extend(waiting.life.drain(..life));
        if !life_only {
            let bulk = (most - life).min(waiting.bulk.len());
            taken.deliveries.extend(waiting.bulk.drain(..bulk));
        }
        taken
    }
}
