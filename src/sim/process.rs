//! One life of the gateway: the real keeper, journal, vault, decoder and MQTT machine, between ports that the simulator holds.

use super::disk::SimDisk;
use super::oracle::Oracle;
use super::shadow::NoVault;
use super::shelf::{SimFollower, SimShelf};
use crate::clock;
use crate::engine::id::{SiteId, SourceId};
use crate::engine::policy::SiteRules;
use crate::engine::registry::Registry;
use crate::engine::time::{Millis, Tick, Wall};
use crate::fleet::Dice;
use crate::journal::disk::Disk;
use crate::journal::vault::{Random, Vault};
use crate::journal::{Log, Options};
use crate::keeper::board::Board;
use crate::keeper::inbox::Handle;
use crate::keeper::ports::{
    Acknowledge, Dispatch, Ears, Follow, Journal, JournalFault, Parcel, Time, Token, Turn, Understood,
};
use crate::keeper::turn::{Keeper, Ports, Status};
use crate::mqtt::{Lanes, Memory};
use crate::service::{KeyVault, Listener, Recovery, SuspectsFile, recover};
use crate::store::Known;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What several ports of one thread hold together.
pub type Shared<T> = Arc<Mutex<T>>;

/// One thread only: never waits.
pub fn lock<T>(shared: &Shared<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The machine's two clocks.
#[derive(Debug)]
pub struct Clocks {
    start: Wall,
    boot: AtomicU64,
    /// How far somebody has set the wall clock off.
    skew: AtomicI64,
}

impl Clocks {
    pub fn new(start: Wall) -> Clocks {
        Clocks { start, boot: AtomicU64::new(0), skew: AtomicI64::new(0) }
    }

    pub fn set(&self, now: u64) {
        self.boot.store(now, Ordering::Relaxed);
    }

    pub fn step_wall(&self, by_ms: i64) {
        self.skew.fetch_add(by_ms, Ordering::Relaxed);
    }

    pub fn now(&self) -> u64 {
        self.boot.load(Ordering::Relaxed)
    }

    /// What the wall clock shows.
    pub fn wall(&self) -> Wall {
        let true_time = self.start + Millis(self.now());
        Wall(true_time.0 + self.skew.load(Ordering::Relaxed))
    }
}

/// What the keeper let go of in a turn.
#[derive(Default)]
pub struct Given {
    pub tokens: Vec<Token>,
    pub parcels: Vec<Parcel>,
    /// A message that takes the process down with it is being worked on.
    pub doomed: bool,
}

/// What lives longer than a process.
pub struct House {
    pub seed: u64,
    pub disk: SimDisk,
    pub clocks: Arc<Clocks>,
    pub oracle: Shared<Oracle>,
    pub rules: SiteRules,
    pub listener: Arc<Listener>,
    /// What the MQTT sessions keep on the disk.
    pub memory: Memory,
    /// What the store holds.
    pub shelf: SimShelf,
}

impl House {
    /// Whether the disk has place for another segment and its reserve.
    pub fn roomy(&self) -> bool {
        self.disk.room() >= SEGMENT_BYTES + RESERVE_BYTES + HEADS_BYTES
    }
}

/// The bytes that lie ready for a call on a full disk: in the reserve, or behind the last record.
fn place_for_life(disk: &SimDisk) -> u64 {
    let names = Disk::list(disk, Path::new(JOURNAL)).unwrap_or_default();
    let last = names.iter().filter(|name| name.ends_with("seg")).max();
    let ends = last.map(|name| disk.zeros_at_the_end(&Path::new(JOURNAL).join(name)));
    let reserve = disk.zeros_at_the_end(&Path::new(JOURNAL).join("reserve"));
    ends.unwrap_or(0).max(reserve).saturating_sub(HEADS_BYTES)
}

/// One life of the gateway.
pub struct Process {
    /// Which one, from 1: what comes from an earlier life is void.
    pub life: u64,
    pub keeper: Keeper,
    pub handle: Handle,
    pub board: Arc<Board>,
    pub status: Arc<Status>,
    pub lanes: Lanes,
    pub given: Shared<Given>,
    pub follower: SimFollower,
    /// Nothing is registered yet.
    pub new: bool,
    resumed: (u64, Tick),
}

const JOURNAL: &str = "/data/journal";
const KEYS: &str = "/keys/keys";
const SEGMENT_BYTES: u64 = 256 << 10;
const RESERVE_BYTES: u64 = 128 << 10;
/// Heads of a segment and of a record, generously.
const HEADS_BYTES: u64 = 1_024;

/// Small, so that a day rolls many segments and expires some of them.
fn options(house: &House) -> Options {
    let clocks = house.clocks.clone();
    let mut options = Options::new(house.rules.site.clone(), Arc::new(move || clocks.wall()));
    options.disk = Arc::new(house.disk.clone());
    options.segment_bytes = SEGMENT_BYTES;
    options.segment_age = Millis::from_mins(3 * 60);
    options.reserve_bytes = RESERVE_BYTES;
    options.keep_telemetry = Some(Millis::from_mins(6 * 60));
    options.keep_ledger = Some(Millis::from_mins(12 * 60));
    options.background = false;
    options
}

impl Process {
    /// Starts the gateway on what the disk has.
    ///
    /// # Errors
    /// Why it cannot start; it is tried again later, as a service manager does.
    pub fn start(house: &House, life: u64) -> Result<Process, String> {
        let disk: Arc<SimDisk> = Arc::new(house.disk.clone());
        let random = Box::new(SimRandom(Mutex::new(Dice::new(house.seed, 0x1000 + life))));
        let has = |path: &str| Disk::list(&*disk, Path::new(path)).is_ok_and(|l| !l.is_empty());
        let vault = match has("/keys") || has(JOURNAL) {
            true => Vault::load(disk.clone(), Path::new(KEYS), random),
            false => Vault::create(disk.clone(), Path::new(KEYS), random),
        };
        let vault = Arc::new(KeyVault(Arc::new(vault.map_err(|e| e.to_string())?)));
        let mut options = options(house);
        let durable = Arc::new(AtomicU64::new(0));
        options.follower = Some(durable.clone());
        let Recovery { core, log, recovered, shown, last, .. } =
            recover(Path::new(JOURNAL), options, house.rules.clone(), vault)?;
        let known = Known::new(core.site.homes.iter().map(|h| h.id.clone()).collect());
        let follower = SimFollower::new(&house.shelf, &log.segments(), known, durable);
        lock(&house.oracle).recovered(&core, &recovered, &log.segments());
        let (tick, _) = clock::resume(last, house.clocks.wall());
        let resumed = (house.clocks.now(), tick);
        let suspects = SuspectsFile::open(disk, Path::new(JOURNAL)).map_err(|e| e.to_string())?;
        let (handle, board, given) = (Handle::default(), Arc::<Board>::default(), Shared::<Given>::default());
        board.show(shown);
        for note in recovered.notes() {
            let home = crate::keeper::core::gateway(&house.rules.site);
            handle.own_alarm(home, crate::engine::kind::AlarmKind::StoreRebuilt, note);
        }
        let new = core.site.registry.homes.is_empty();
        let lanes = Lanes::new(house.memory.clone(), house.listener.filters(&core.site.registry));
        let sequence = log.sequence();
        let status = Arc::<Status>::default();
        let let_go = || Let { given: given.clone(), oracle: house.oracle.clone() };
        let ports = Ports {
            ears: Box::new(Hearing {
                ears: Box::new(house.listener.ears()),
                disk: house.disk.clone(),
                given: given.clone(),
            }),
            journal: Box::new(Written { log, disk: house.disk.clone(), oracle: house.oracle.clone() }),
            acknowledge: Box::new(let_go()),
            dispatch: Box::new(let_go()),
            follow: Box::new(let_go()),
            suspects: Box::new(suspects),
            time: Box::new(Now { clocks: house.clocks.clone(), resumed }),
            board: board.clone(),
            status: status.clone(),
        };
        let keeper = Keeper::new(core, sequence, ports, handle.clone());
        Ok(Process { life, keeper, handle, board, status, lanes, given, follower, new, resumed })
    }

    /// The tick at `now`.
    pub fn tick(&self, now: u64) -> Tick {
        self.resumed.1 + Millis(now - self.resumed.0)
    }

    /// After a change of the registry: what the life session listens to.
    pub fn renew(&mut self, listener: &Listener) {
        let registry = &self.keeper.core().site.registry;
        listener.renew(registry);
        self.lanes.want(listener.filters(registry));
    }
}

/// Recovers what a copy of the disk holds, and gives it to be looked at.
///
/// # Errors
/// Why the journal cannot be opened.
pub fn look(house: &House, disk: &SimDisk) -> Result<Recovery, String> {
    let mut options = options(house);
    options.disk = Arc::new(disk.clone());
    recover(Path::new(JOURNAL), options, house.rules.clone(), Arc::new(NoVault))
}

/// The site of every run.
pub fn site() -> SiteId {
    SiteId::cut("sim")
}

/// The journal, with the oracle behind it.
struct Written {
    log: Log,
    disk: SimDisk,
    oracle: Shared<Oracle>,
}

impl Journal for Written {
    fn append(&mut self, turn: &Turn) -> Result<u64, JournalFault> {
        let mut oracle = lock(&self.oracle);
        match self.log.append(turn) {
            Ok(sequence) => {
                oracle.no_room_for_life = false;
                oracle.committed(sequence, turn);
                Ok(sequence)
            }
            Err(fault) => {
                if fault.full && turn.life {
                    oracle.refused((turn.telemetry.len() + turn.ledger.len()) as u64, place_for_life(&self.disk));
                }
                Err(fault)
            }
        }
    }

    fn has_room(&mut self) -> Result<bool, JournalFault> {
        self.log.has_room()
    }

    fn begin_checkpoint(&mut self) -> Result<(), JournalFault> {
        self.log.begin_checkpoint()
    }

    fn checkpoint(&mut self, subject: u32, included: u64, snapshot: &[u8]) -> Result<(), JournalFault> {
        self.log.checkpoint(subject, included, snapshot)
    }

    fn finish_checkpoint(&mut self) -> Result<(), JournalFault> {
        self.log.finish_checkpoint()
    }
}

/// Judges what the keeper lets go of, and keeps it until the turn is over.
struct Let {
    given: Shared<Given>,
    oracle: Shared<Oracle>,
}

impl Acknowledge for Let {
    fn durable(&mut self, tokens: &[Token]) {
        lock(&self.oracle).lets_go(tokens);
        lock(&self.given).tokens.extend_from_slice(tokens);
    }
}

impl Dispatch for Let {
    fn send(&mut self, parcel: Parcel) {
        lock(&self.oracle).leaves(&parcel);
        lock(&self.given).parcels.push(parcel);
    }
}

impl Follow for Let {
    fn committed(&mut self, _: u64) {}
}

/// The decoder, and what no decoder survives.
struct Hearing {
    ears: Box<dyn Ears>,
    disk: SimDisk,
    given: Shared<Given>,
}

/// A payload over which the decoder fails.
pub const FAILS: &[u8] = b"\0fails";
/// A payload over which the whole process dies.
pub const KILLS: &[u8] = b"\0kills";

impl Ears for Hearing {
    fn understand(&mut self, topic: &str, payload: &[u8], retain: bool) -> Understood {
        if payload == FAILS {
            std::panic::resume_unwind(Box::new("planted: the decoder fails"));
        }
        if payload == KILLS {
            lock(&self.given).doomed = true;
            self.disk.stop();
        }
        self.ears.understand(topic, payload, retain)
    }

    fn understand_of(&mut self, source: &SourceId, topic: &str, payload: &[u8]) -> Understood {
        self.ears.understand_of(source, topic, payload)
    }

    fn know(&mut self, registry: &Registry) {
        self.ears.know(registry);
    }
}

struct Now {
    clocks: Arc<Clocks>,
    resumed: (u64, Tick),
}

impl Time for Now {
    fn now(&mut self) -> (Tick, Wall) {
        (self.resumed.1 + Millis(self.clocks.now() - self.resumed.0), self.clocks.wall())
    }
}

struct SimRandom(Mutex<Dice>);

impl Random for SimRandom {
    fn fill(&self, bytes: &mut [u8]) -> io::Result<()> {
        let mut dice = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        bytes.chunks_mut(8).for_each(|some| some.copy_from_slice(&dice.roll().to_le_bytes()[..some.len()]));
        Ok(())
    }
}
