//! The turn: take what waits, stamp it, step, append one record, sync it, and only then let go of acknowledgements, answers and
//! notices. One thread; it waits for nothing but its inbox and the disk.

mod checkpoint;
mod guard;
mod push;

use checkpoint::{CHECKPOINT_STEP, Checkpoint};
use guard::Guard;

use super::board::Board;
use super::core::{Core, Effects};
use super::inbox::{Errand, Handle, NotTaken, Reply, Taken, Took, reply};
use super::ports::*;
use super::quarantine::Held;
use super::routes::fingerprint;
use super::views::{beginning, raw};
use crate::engine::id::{HomeId, MAX_ID_BYTES, SourceId};
use crate::engine::input::SiteInput;
use crate::engine::kind::AlarmKind;
use crate::engine::registry::{Device, Entity};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tracing::{debug, error, info, warn};

/// Messages that one turn takes at most: a press that comes meanwhile waits for no more than these.
const MESSAGES_PER_TURN: usize = 2_048;
/// A turn takes no more messages once its record has this size; a record may have 1 MiB.
const RECORD_BYTES: usize = 384 * 1024;
/// Entities that are registered before the size of the record is looked at: each may bring the alarms of another home along.
const ENTITIES_AT_ONCE: usize = 20;
/// While the disk is full, how long until the record is tried again.
const FULL_PATIENCE: Duration = Duration::from_secs(1);
/// While the disk is full, so many messages of the life lane are kept waiting and no more: mosquitto gives a session 20 that are not
/// acknowledged where nobody sets `max_inflight_messages` (mosquitto.conf(5)), and the next press needs a place among them.
const WINDOW_HELD: usize = 10;
/// What the world may know of a keeper without asking it.
#[derive(Debug, Default)]
pub struct Status {
    /// The tick of the last turn or look around.
    pub turned: AtomicU64,
    /// The last record.
    pub sequence: AtomicU64,
    /// The disk takes life inputs only.
    pub full: AtomicBool,
}

/// The rooms around a keeper.
pub struct Ports {
    pub ears: Box<dyn Ears>,
    pub journal: Box<dyn Journal>,
    pub acknowledge: Box<dyn Acknowledge>,
    pub dispatch: Box<dyn Dispatch>,
    pub follow: Box<dyn Follow>,
    pub suspects: Box<dyn Suspects>,
    pub time: Box<dyn Time>,
    pub board: Arc<Board>,
    pub status: Arc<Status>,
}

/// The keeper of one site.
pub struct Keeper {
    core: Core,
    ports: Ports,
    handle: Handle,
    sequence: u64,
    /// Messages that the process died of, each with the lane it came over, until its twin has come over the other.
    unread: BTreeMap<u64, Lane>,
    /// Turns that are over and not written: on a full disk they wait here, each with its own time.
    unwritten: VecDeque<Turn>,
    /// The first of them was closed while there was room: it may hold more than the reserve has.
    bulky: bool,
    after: After,
    full: bool,
    /// Telemetry can reach us, as the bulk session says.
    link: bool,
    checkpoint: Checkpoint,
    guard: Guard,
}

/// What waits for the sync of the present record.
#[derive(Default)]
struct After {
    tokens: Vec<Token>,
    /// Answers to whoever asked.
    replies: Vec<Reply>,
    effects: Effects,
}

impl Keeper {
    /// Takes a core that is recovered and ready, and the last sequence of its journal.
    pub fn new(core: Core, sequence: u64, ports: Ports, handle: Handle) -> Keeper {
        let (checkpoint, guard) = (Checkpoint::default(), Guard::default());
        Keeper {
            core,
            ports,
            handle,
            sequence,
            unread: BTreeMap::new(),
            unwritten: VecDeque::new(),
            bulky: false,
            after: After::default(),
            full: false,
            link: false,
            checkpoint,
            guard,
        }
    }

    /// Runs until it is told to stop.
    ///
    /// # Errors
    /// Where the journal fails: nothing can be promised then, the process has to leave.
    pub fn run(mut self) -> Result<(), JournalFault> {
        let result = self.turns();
        self.handle.leave();
        if let Err(fault) = &result {
            error!(%fault, "the journal failed; the process leaves and recovers at its next start");
        }
        result
    }

    fn turns(&mut self) -> Result<(), JournalFault> {
        self.begin()?;
        loop {
            let patience = self.patience();
            if self.round(patience)? {
                return Ok(());
            }
        }
    }

    /// The first turn of a process. For whoever turns the keeper by hand, as the simulator does; else [`Keeper::run`] does it all.
    ///
    /// # Errors
    /// As [`Keeper::run`].
    pub fn begin(&mut self) -> Result<(), JournalFault> {
        let room = self.ports.journal.has_room()?;
        self.set_full(!room);
        let (tick, wall) = self.ports.time.now();
        self.core.begin(tick, wall);
        self.core.start();
        self.core.due(self.full);
        self.finish_turn()
    }

    /// Waits at most `patience` for something to do, and does one turn; true where that was the last, after a stop.
    ///
    /// # Errors
    /// As [`Keeper::run`].
    pub fn round(&mut self, patience: Duration) -> Result<bool, JournalFault> {
        let taken = self.handle.take(MESSAGES_PER_TURN, self.full, patience);
        let stop = taken.stop && taken.deliveries.is_empty() && taken.errands.is_empty();
        self.turn(taken)?;
        self.checkpoint_step()?;
        if stop {
            info!(sequence = self.sequence, "the keeper stops");
            if !self.unwritten.is_empty() {
                let turns = self.unwritten.len();
                warn!(turns, "the disk is full: what was not written is not acknowledged either, and comes again");
            }
            self.last_checkpoint()?;
        }
        Ok(stop)
    }

    /// The state as it stands between two turns; ahead of the journal where not everything is [`Keeper::written`].
    pub fn core(&self) -> &Core {
        &self.core
    }

    /// Whether every turn is in the journal: only a full disk makes one wait.
    pub fn written(&self) -> bool {
        self.unwritten.is_empty()
    }

    /// Whether something waits that a round would take.
    pub fn waits(&self) -> bool {
        self.handle.waits(self.full)
    }

    /// How long until the next turn, if nothing comes in before.
    pub fn patience(&mut self) -> Duration {
        let (tick, _) = self.ports.time.now();
        let next = self.core.next_wake().map_or(CHECKPOINT_STEP, |at| at.since(tick));
        let patience = Duration::from_millis(next.0.min(CHECKPOINT_STEP.0));
        if self.full { patience.min(FULL_PATIENCE) } else { patience }
    }

    fn turn(&mut self, taken: Taken) -> Result<(), JournalFault> {
        let (tick, wall) = self.ports.time.now();
        self.ports.status.turned.store(tick.0, Ordering::Relaxed);
        let span = tracing::debug_span!("turn", messages = taken.deliveries.len(), errands = taken.errands.len());
        let _entered = span.enter();
        self.core.begin(tick, wall);
        let listened = self.listen(taken.deliveries);
        self.ports.suspects.working_on(&[]);
        listened?;
        for errand in taken.errands {
            self.room_for_more()?;
            self.run_errand(errand)?;
        }
        self.room_for_more()?;
        self.tell_whether_heard();
        self.core.due(self.full);
        self.guard();
        self.finish_turn()
    }

    fn is_record_full(&self) -> bool {
        self.core.record_bytes() > RECORD_BYTES
    }

    /// Finishes a record that has its size: what else the turn does goes into another. Called before whatever may add much, since a turn
    /// that no record can hold ends the process, and its repetition would end the next.
    fn room_for_more(&mut self) -> Result<(), JournalFault> {
        if self.is_record_full() { self.finish_turn() } else { Ok(()) }
    }

    /// What nobody takes in is not heard: on a full disk a silence is ours, and not of the homes.
    fn tell_whether_heard(&mut self) {
        let hears = self.link && !self.full;
        if hears == self.core.site.deaf_since.is_some() {
            self.core.site_input(SiteInput::Link { up: hears });
        }
    }

    fn listen(&mut self, mut new: VecDeque<Delivery>) -> Result<(), JournalFault> {
        let prints: Vec<u64> = new.iter().map(print_of).collect();
        #[cfg(feature = "ack-early")]
        self.ports.acknowledge.durable(&new.iter().filter_map(|d| d.token).collect::<Vec<_>>());
        // Once the process has died over some of them, each has a turn of its own: so the next death tells which one it was, and what
        // was made of the one before is written.
        let careful = new.iter().zip(&prints).any(|(d, print)| comes_again(d) && self.ports.suspects.suspected(*print));
        self.ports.suspects.working_on(if careful { &prints[..1] } else { &prints });
        let taken = new.len();
        for print in prints {
            let Some(delivery) = new.pop_front() else { break };
            self.hear(&delivery, print)?;
            self.after.tokens.extend(delivery.token);
            if careful || self.is_record_full() {
                break;
            }
        }
        metrics::counter!("hearthwatch_messages_total").increment((taken - new.len()) as u64);
        self.handle.give_back(new);
        Ok(())
    }

    fn hear(&mut self, delivery: &Delivery, print: u64) -> Result<(), JournalFault> {
        if delivery.copy {
            self.unread.remove(&print);
            metrics::counter!("hearthwatch_copies_total").increment(1);
            return Ok(());
        }
        if self.is_deadly(delivery, print) {
            self.unreadable(delivery, "in flight at two deaths of the process");
            return Ok(());
        }
        #[cfg(feature = "poison")]
        if delivery.payload.starts_with(b"{\"action\":\"abort\"") {
            // Planted for the test of quarantine: the end of the process, as by a stack that overflows.
            std::process::abort();
        }
        let understood = self.understand(&delivery.topic, &delivery.payload, delivery.retain);
        self.take_in(delivery, understood)
    }

    /// What a message says; None where the decoder failed on it.
    fn understand(&mut self, topic: &str, payload: &[u8], retain: bool) -> Option<Understood> {
        let ears = &mut self.ports.ears;
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| ears.understand(topic, payload, retain))).ok()
    }

    /// What a message of a known source says: whoever speaks for one speaks for no other.
    fn understand_of(&mut self, source: &SourceId, topic: &str, payload: &[u8]) -> Option<Understood> {
        let ears = &mut self.ports.ears;
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| ears.understand_of(source, topic, payload))).ok()
    }

    fn take_in(&mut self, delivery: &Delivery, understood: Option<Understood>) -> Result<(), JournalFault> {
        match understood {
            Some(Understood::Readings(reports)) => {
                let at = self.core.now().wall;
                let held = || Held::new(at, &delivery.topic, &delivery.payload);
                for report in reports {
                    self.room_for_more()?;
                    self.core.report(report, || raw(&delivery.topic, &delivery.payload), held);
                }
            }
            Some(Understood::Ignored(reason)) => {
                metrics::counter!("hearthwatch_ignored_total", "reason" => reason).increment(1)
            }
            Some(Understood::Rejected(reason, source)) => {
                metrics::counter!("hearthwatch_rejected_total", "reason" => reason).increment(1);
                let held = Held::new(self.core.now().wall, &delivery.topic, &delivery.payload);
                self.core.rejected(&source, reason, held, || raw(&delivery.topic, &delivery.payload));
            }
            None => self.unreadable(delivery, "the decoder failed on it"),
        }
        Ok(())
    }

    /// Whether the process died over this message twice. Only of what comes again, and of its twin on the other lane, which may come
    /// for the first time: the same words said anew are another message, and mostly harmless.
    fn is_deadly(&mut self, delivery: &Delivery, print: u64) -> bool {
        if self.unread.get(&print).is_some_and(|lane| *lane != delivery.lane) {
            self.unread.remove(&print);
            return true;
        }
        let deadly = comes_again(delivery) && self.ports.suspects.deadly(print);
        if deadly {
            self.unread.insert(print, delivery.lane);
        }
        deadly
    }

    /// A message that must not be looked into: it counts as a call for help, since it may have been one.
    fn unreadable(&mut self, delivery: &Delivery, why: &'static str) {
        error!(why, "a message is quarantined unread and alarmed as a possible SOS");
        let home = HomeId::cut(&format!("unreadable/{}", delivery.topic));
        self.core.own_alarm(
            &home,
            AlarmKind::PossibleSos,
            beginning(&delivery.topic, MAX_ID_BYTES),
            Some(raw(&delivery.topic, &delivery.payload)),
        );
    }

    fn run_errand(&mut self, errand: Errand) -> Result<(), JournalFault> {
        match errand {
            Errand::Outcome { notice, attempt, outcome } => {
                metrics::counter!("hearthwatch_attempts_total", "outcome" => outcome.name()).increment(1);
                self.core.site_input(SiteInput::Ended { notice, attempt, outcome });
            }
            Errand::Link { up } => self.link = up,
            Errand::Order(order) => {
                let reply = order(&mut self.core);
                self.after.replies.push(reply);
            }
            Errand::Register { done, .. } if self.full => drop(done.send(Err(NotTaken::DiskFull))),
            Errand::Register { entities, done } => {
                for some in entities.chunks(ENTITIES_AT_ONCE) {
                    self.room_for_more()?;
                    self.core.site_input(SiteInput::Register(some.to_vec()));
                }
                self.recall(&entities)?;
                self.after.replies.push(reply(done, Ok(())));
            }
            Errand::Push { source, messages, answer } => {
                let took = self.push(&source, messages)?;
                match took.iter().all(|took| *took == Took::NoRoom) {
                    // Nothing of it is to be written.
                    true => drop(answer.send(took)),
                    false => self.after.replies.push(reply(answer, took)),
                }
            }
            Errand::Own { home, kind, what } => self.core.own_alarm(&home, kind, &what, None),
            Errand::Rules(rules) => self.core.set_rules(*rules),
            Errand::Ask(question) => question(&self.core),
        }
        Ok(())
    }

    /// What devices had said before anybody knew whose they are becomes their homes' history.
    fn recall(&mut self, entities: &[Entity]) -> Result<(), JournalFault> {
        let mut all: Vec<(&Device, Held)> = Vec::new();
        for entity in entities {
            let Entity::Device(device) = entity else { continue };
            let held = self.core.quarantine.release(&device.source, &device.address);
            all.extend(held.into_iter().filter(|held| !held.cut).map(|held| (device, held)));
        }
        if !all.is_empty() {
            // A profile that was told with a device may be what makes its messages readable.
            self.ports.ears.know(&self.core.site.registry);
        }
        for (device, held) in all {
            self.room_for_more()?;
            if let Some(Understood::Readings(reports)) = self.understand_of(&device.source, &held.topic, &held.payload)
            {
                reports.into_iter().for_each(|report| self.core.recall(report, device, held.at));
            }
        }
        Ok(())
    }

    /// Ends the turn, writes its record, and lets go of what waits for it. On a full disk it waits, with all that follow, for room.
    fn finish_turn(&mut self) -> Result<(), JournalFault> {
        let effects = self.core.end();
        self.after.effects.parcels.extend(effects.parcels);
        self.after.effects.shown.extend(effects.shown);
        self.after.effects.because.extend(effects.because);
        if !self.core.blocks.is_empty() {
            let ledger = self.core.blocks.stamped_ledger(self.core.now());
            let blocks = &mut self.core.blocks;
            let telemetry = std::mem::take(&mut blocks.telemetry);
            self.unwritten.push_back(Turn { telemetry, ledger, life: blocks.life });
            blocks.clear();
        }
        if self.write()? {
            self.let_go();
        }
        Ok(())
    }

    /// Writes what is unwritten, in order; false where there is no room for all of it.
    fn write(&mut self) -> Result<bool, JournalFault> {
        while let Some(turn) = self.unwritten.front() {
            // What stands before a call for help goes with it into the reserve, and so does what would keep the next from coming in.
            let life = self.unwritten.iter().any(|turn| turn.life) || self.holds_the_window();
            let written = match life == turn.life {
                true => self.ports.journal.append(turn),
                false => self.ports.journal.append(&Turn { life, ..turn.clone() }),
            };
            match written {
                Ok(sequence) => self.sequence = sequence,
                Err(fault) if fault.full => {
                    self.bulky |= !self.full;
                    self.set_full(true);
                    // Nothing of it is acknowledged: the next life takes the call without it, and has room for it.
                    return if life && self.bulky { Err(in_the_way()) } else { Ok(false) };
                }
                Err(fault) => return Err(fault),
            }
            self.unwritten.pop_front();
            self.bulky = false;
        }
        // What is left of the reserve is for the next calls: nothing else is taken in beside them.
        let room = self.ports.journal.has_room()?;
        self.set_full(!room);
        Ok(true)
    }

    /// Whether so many messages of the life lane wait for the disk that a press may find no place at the broker.
    fn holds_the_window(&self) -> bool {
        let held = self.after.tokens.iter().filter(|token| token.lane == Lane::Life);
        self.full && held.count() >= WINDOW_HELD
    }

    fn set_full(&mut self, full: bool) {
        match (std::mem::replace(&mut self.full, full), full) {
            (false, true) => warn!("the disk is full: only calls for help are taken in until there is room"),
            (true, false) => info!("the disk has room again"),
            _ => {}
        }
        self.ports.status.full.store(full, Ordering::Relaxed);
    }

    fn let_go(&mut self) {
        let after = std::mem::take(&mut self.after);
        for parcel in after.effects.parcels {
            self.ports.dispatch.send(parcel);
        }
        if !after.tokens.is_empty() {
            self.ports.acknowledge.durable(&after.tokens);
        }
        after.replies.into_iter().for_each(|reply| reply());
        if !after.effects.shown.is_empty() {
            self.ports.board.show(after.effects.shown);
        }
        if self.ports.status.sequence.swap(self.sequence, Ordering::Relaxed) != self.sequence {
            metrics::counter!("hearthwatch_records_total").increment(1);
            self.ports.follow.committed(self.sequence);
        }
        if !after.effects.because.is_empty() {
            debug!(sequence = self.sequence, because = ?after.effects.because, "decided");
        }
    }
}

fn in_the_way() -> JournalFault {
    let what =
        "the disk is full, and before a call for help stand readings that the reserve has no room for".to_owned();
    JournalFault { what, full: true }
}

/// Whether an earlier life may have had this very message: what the broker keeps, it gives anew at every start.
fn comes_again(delivery: &Delivery) -> bool {
    delivery.dup || delivery.retain
}

fn print_of(delivery: &Delivery) -> u64 {
    fingerprint(delivery.topic.as_bytes()) ^ fingerprint(&delivery.payload).rotate_left(1)
}
