//! Runs the attempts: one task for each parcel, and one outcome for each, whatever happens.

use super::line::{Line, Unfit};
use crate::engine::delivery::{Class, Failure, Outcome};
use crate::engine::id::{ChannelId, NoticeId, SiteId};
use crate::engine::parcel::Parcel;
use crate::engine::registry::Channel;
use crate::engine::time::Wall;
use crate::keeper::ports::{Dispatch, OnOutcome};
use crate::wire::webhook::Desk;
use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::OnceCell;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::{JoinHandle, JoinSet, spawn_blocking};
use tokio::time::{Instant, timeout, timeout_at};

/// Attempts under way at once, over all channels. The engine bounds each channel and stays far below; a parcel above this comes
/// back as interrupted.
const MAX_UNDER_WAY: usize = 4096;

/// What the courier is told at its start.
#[derive(Debug, Clone)]
pub struct Settings {
    /// From the lookup of the name to the end of the TLS handshake.
    pub connect_timeout: Duration,
    /// A whole attempt.
    pub total_timeout: Duration,
    /// How long a connection is kept for the next exchange.
    pub keep_idle: Duration,
    /// How long a stop waits for the attempts under way.
    pub drain: Duration,
    /// What the notices of each site say besides what they are about.
    pub desks: BTreeMap<SiteId, Desk>,
    /// Where relative `file:` references of channels begin.
    pub secrets_dir: PathBuf,
    /// The wall clock: signatures carry it, and a date in `Retry-After` is measured from it.
    pub now: fn() -> Wall,
}

impl Settings {
    /// 3 s to connect, 10 s in all, connections kept for 4 s (most servers close them after 5), 5 s to drain, no links.
    pub fn new(now: fn() -> Wall) -> Settings {
        Settings {
            connect_timeout: Duration::from_secs(3),
            total_timeout: Duration::from_secs(10),
            keep_idle: Duration::from_secs(4),
            drain: Duration::from_secs(5),
            desks: BTreeMap::new(),
            secrets_dir: PathBuf::new(),
            now,
        }
    }
}

/// How many attempts came to which outcome, since the start.
#[derive(Debug, Default)]
pub struct Tally(Mutex<BTreeMap<&'static str, u64>>);

impl Tally {
    fn count(&self, outcome: &Outcome) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(outcome.name()).or_default() += 1;
    }

    /// Each outcome that has occurred, by [`Outcome::name`].
    pub fn counts(&self) -> BTreeMap<&'static str, u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

enum Order {
    Deliver(Box<Parcel>, Ticket),
    Prepare(Arc<Channel>),
    Stop,
}

/// The handle of the courier. It may be cloned; the courier stops when [`Courier::stop`] is called or the last handle is gone.
#[derive(Clone)]
pub struct Courier {
    orders: UnboundedSender<Order>,
    on_outcome: OnOutcome,
    tally: Arc<Tally>,
}

impl Courier {
    /// Starts the courier on the current tokio runtime. `on_outcome` is called exactly once for each parcel, from any thread (even
    /// from within [`Dispatch::send`] once the courier has stopped), and may not block. The task ends after a stop, when every
    /// parcel has been answered for; that it ends before is a fault.
    pub fn start(settings: Settings, on_outcome: OnOutcome) -> (Courier, JoinHandle<()>) {
        let (orders, inbox) = unbounded_channel();
        let rounds = Rounds { settings: Arc::new(settings), gates: HashMap::new(), under_way: JoinSet::new() };
        #[expect(clippy::disallowed_methods, reason = "its handle is given to the caller")]
        let task = tokio::spawn(rounds.run(inbox));
        (Courier { orders, on_outcome, tally: Arc::default() }, task)
    }

    /// Reads a channel's secrets and sets its client up ahead of the first notice, and logs what is wrong with it.
    pub fn prepare(&self, channel: Arc<Channel>) {
        // A courier that has stopped prepares nothing.
        let _ = self.orders.send(Order::Prepare(channel));
    }

    /// Stops: attempts under way have `Settings::drain` to end; what is not over by then, and every parcel handed in from now on,
    /// comes back as interrupted.
    pub fn stop(&self) {
        // A courier that has stopped need not be told.
        let _ = self.orders.send(Order::Stop);
    }

    pub fn tally(&self) -> Arc<Tally> {
        self.tally.clone()
    }
}

impl Dispatch for Courier {
    fn send(&mut self, parcel: Parcel) {
        let ticket = Ticket {
            notice: parcel.notice.clone(),
            attempt: parcel.attempt,
            on_outcome: self.on_outcome.clone(),
            tally: self.tally.clone(),
            open: true,
        };
        // What cannot be sent is dropped, and a dropped ticket answers.
        let _ = self.orders.send(Order::Deliver(Box::new(parcel), ticket));
    }
}

/// The promise of one outcome. Dropped unanswered (a stop, a panic), nobody knows what came of the attempt: interrupted.
struct Ticket {
    notice: NoticeId,
    attempt: u32,
    on_outcome: OnOutcome,
    tally: Arc<Tally>,
    open: bool,
}

impl Ticket {
    fn answer(&mut self, outcome: Outcome) {
        if std::mem::replace(&mut self.open, false) {
            self.tally.count(&outcome);
            (self.on_outcome)(self.notice.clone(), self.attempt, outcome);
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.answer(Outcome::failed(Failure::Interrupted));
    }
}

/// A channel with these very settings, and its line once it has been opened.
struct Gate {
    channel: Arc<Channel>,
    line: OnceCell<Line>,
    /// An attempt failed in a way which only a person can mend. URL, secret and certificates may have been renewed in their files,
    /// so the next attempt goes through a new gate, which reads them again.
    worn: AtomicBool,
}

impl Gate {
    /// The line, opened if need be. A failure to open is not kept: the next attempt reads everything again.
    async fn line(&self, settings: &Arc<Settings>) -> Result<&Line, Unfit> {
        let open = || async {
            let (channel, settings) = (self.channel.clone(), settings.clone());
            let opened = spawn_blocking(move || Line::open(&channel, &settings)).await;
            opened.unwrap_or_else(|_| Err(Unfit::Client("its setup broke off".to_owned())))
        };
        let line = self.line.get_or_try_init(open).await;
        line.inspect_err(|unfit| tracing::warn!(channel = %self.channel.id, "channel cannot be used: {unfit}"))
    }
}

/// The courier's own task and what it knows.
struct Rounds {
    settings: Arc<Settings>,
    gates: HashMap<ChannelId, Arc<Gate>>,
    under_way: JoinSet<()>,
}

impl Rounds {
    async fn run(mut self, mut inbox: UnboundedReceiver<Order>) {
        loop {
            tokio::select! {
                order = inbox.recv() => match order {
                    Some(Order::Deliver(parcel, ticket)) => self.set_off(parcel, ticket),
                    Some(Order::Prepare(channel)) => self.prepare(&channel),
                    Some(Order::Stop) | None => break,
                },
                Some(end) = self.under_way.join_next() => {
                    // The ticket has answered; the panic's own words are not ours to repeat.
                    if end.is_err() {
                        tracing::error!("an attempt panicked");
                    }
                }
            }
        }
        drop(inbox);
        let drained = async { while self.under_way.join_next().await.is_some() {} };
        if timeout(self.settings.drain, drained).await.is_err() {
            tracing::warn!(attempts = self.under_way.len(), "stopped before every attempt was over");
        }
        self.under_way.shutdown().await;
    }

    fn set_off(&mut self, parcel: Box<Parcel>, ticket: Ticket) {
        if self.under_way.len() >= MAX_UNDER_WAY {
            tracing::error!(channel = %parcel.channel.id, notice = %parcel.notice, "too many attempts under way");
            return;
        }
        let gate = self.gate(&parcel.channel);
        self.under_way.spawn(attempt(gate, self.settings.clone(), parcel, ticket));
    }

    fn prepare(&mut self, channel: &Arc<Channel>) {
        let (gate, settings) = (self.gate(channel), self.settings.clone());
        self.under_way.spawn(async move {
            // The warning is all that comes of a failure here; an attempt opens the line again.
            let _ = gate.line(&settings).await;
        });
    }

    /// The channel's gate; a new one where the old one is worn or the channel's settings are not what they were.
    fn gate(&mut self, channel: &Arc<Channel>) -> Arc<Gate> {
        if let Some(gate) = self.gates.get(&channel.id)
            && !gate.worn.load(Ordering::Acquire)
            && (Arc::ptr_eq(&gate.channel, channel) || gate.channel == *channel)
        {
            return gate.clone();
        }
        let gate = Arc::new(Gate { channel: channel.clone(), line: OnceCell::new(), worn: AtomicBool::new(false) });
        self.gates.insert(channel.id.clone(), gate.clone());
        gate
    }
}

async fn attempt(gate: Arc<Gate>, settings: Arc<Settings>, parcel: Box<Parcel>, mut ticket: Ticket) {
    let started = Instant::now();
    let deadline = started + settings.total_timeout;
    let outcome = match timeout_at(deadline, gate.line(&settings)).await {
        Ok(Ok(line)) => line.deliver(&parcel, &settings, deadline).await,
        Ok(Err(unfit)) => Outcome::failed(unfit.failure()),
        Err(_) => Outcome::failed(Failure::TimedOut),
    };
    if matches!(outcome, Outcome::Failed { failure, .. } if failure.class() == Class::Broken) {
        gate.worn.store(true, Ordering::Release);
    }
    ticket.answer(outcome);
    let delivered = outcome == Outcome::Delivered;
    let ms = started.elapsed().as_millis() as u64;
    let (channel, notice, attempt, outcome) = (&parcel.channel.id, &parcel.notice, parcel.attempt, outcome.name());
    if delivered {
        tracing::info!(%channel, %notice, attempt, ms, outcome, "notice delivered");
    } else {
        tracing::warn!(%channel, %notice, attempt, ms, outcome, "notice not delivered");
    }
}
