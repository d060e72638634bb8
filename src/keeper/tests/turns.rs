//! The loop around the core: in what order messages are heard, what a full disk does to them, and how large a record gets.

use super::scene::{calm_registry, device, empty_core, home, ladder, reading, report, stamp};
use crate::engine::change::{HomeChange, Raw};
use crate::engine::id::{Address, HomeId, ProfileId, SourceId};
use crate::engine::kind::AlarmKind;
use crate::engine::reading::{Report, Speaker, Value};
use crate::engine::registry::{Device, Entity, Home, Registry, Resident, Status as HomeStatus};
use crate::engine::sealed::Sealed;
use crate::engine::time::{Tick, Wall};
use crate::keeper::board::Board;
use crate::keeper::inbox::{Gone, Handle, NotTaken, Pushed, Took};
use crate::keeper::ports::*;
use crate::keeper::record;
use crate::keeper::turn::{Keeper, Ports, Status};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// What outlives a keeper.
#[derive(Default)]
struct World {
    /// Milliseconds since midnight.
    now: u64,
    full: bool,
    /// The disk is full once there are so many records.
    full_at: Option<usize>,
    /// Bytes that the reserve still has.
    reserve: usize,
    records: Vec<Turn>,
    acknowledged: Vec<u64>,
    /// Nobody can read what comes.
    unreadable: bool,
    /// The process died over messages before.
    died: bool,
    /// For how many messages the vault was asked, each time.
    sealed: Vec<usize>,
}

#[derive(Clone, Default)]
struct Port(Arc<Mutex<World>>);

impl Port {
    fn with<T>(&self, f: impl FnOnce(&mut World) -> T) -> T {
        f(&mut self.0.lock().unwrap())
    }
}

impl Journal for Port {
    fn append(&mut self, turn: &Turn) -> Result<u64, JournalFault> {
        self.with(|world| {
            let size = turn.telemetry.len() + turn.ledger.len();
            assert!(size < 1 << 20, "a record of {size} bytes");
            world.full |= world.full_at.is_some_and(|most| world.records.len() >= most);
            if world.full && !(turn.life && size <= world.reserve) {
                return Err(JournalFault { what: "full".to_owned(), full: true });
            }
            world.reserve -= if world.full { size } else { 0 };
            world.records.push(turn.clone());
            Ok(world.records.len() as u64)
        })
    }

    fn has_room(&mut self) -> Result<bool, JournalFault> {
        Ok(self.with(|world| !world.full))
    }

    fn begin_checkpoint(&mut self) -> Result<(), JournalFault> {
        Ok(())
    }

    fn checkpoint(&mut self, _: u32, _: u64, _: &[u8]) -> Result<(), JournalFault> {
        Ok(())
    }

    fn finish_checkpoint(&mut self) -> Result<(), JournalFault> {
        Ok(())
    }
}

/// Seals by writing down.
impl Vault for Port {
    fn seal_raws(&self, raws: &[(&str, &Raw)]) -> Vec<Option<Sealed<Raw>>> {
        self.with(|world| world.sealed.extend((!raws.is_empty()).then_some(raws.len())));
        let words = |(subject, raw): &(&str, &Raw)| format!("{subject} {} {}", raw.topic, raw.payload);
        raws.iter().map(|of| Some(Sealed::from_bytes(words(of).into_bytes()))).collect()
    }

    fn personal(&self, _: &Home, _: &[&Resident]) -> Option<Personal> {
        None
    }
}

impl Acknowledge for Port {
    fn durable(&mut self, tokens: &[Token]) {
        self.with(|world| world.acknowledged.extend(tokens.iter().map(|t| t.serial)));
    }
}

impl Dispatch for Port {
    fn send(&mut self, _: Parcel) {}
}

impl Follow for Port {
    fn committed(&mut self, _: u64) {}
}

impl Suspects for Port {
    fn working_on(&mut self, _: &[u64]) {}

    fn suspected(&self, _: u64) -> bool {
        self.with(|world| world.died)
    }

    fn deadly(&self, _: u64) -> bool {
        false
    }
}

impl Time for Port {
    fn now(&mut self) -> (Tick, Wall) {
        stamp(self.with(|world| world.now))
    }
}

/// The topic is the device (up to `/of/`), the payload is what it says.
impl Ears for Port {
    fn understand(&mut self, topic: &str, payload: &[u8], _: bool) -> Understood {
        if self.with(|world| world.unreadable) {
            return Understood::Rejected("unreadable", SourceId::cut("z2m"));
        }
        let topic = topic.split("/of/").next().unwrap();
        let words = std::str::from_utf8(payload).unwrap().split_whitespace();
        let readings = words.filter_map(|word| word.split_once('=')).map(|(kind, value)| reading(kind, value));
        let speaker = Speaker::Device(Address::cut(topic));
        Understood::Readings(vec![Report { speaker, ..report(readings.collect()) }])
    }

    /// The source `tele` has the topics below `tele/`, and `z2m` all others.
    fn understand_of(&mut self, source: &SourceId, topic: &str, payload: &[u8]) -> Understood {
        match topic.starts_with("tele/") == (source.as_str() == "tele") {
            true => self.understand(topic, payload, false),
            false => Understood::Rejected("foreign topic", source.clone()),
        }
    }

    /// A profile makes all of it readable.
    fn know(&mut self, registry: &Registry) {
        let profiled = registry.devices.values().any(|device| device.profile.is_some());
        self.with(|world| world.unreadable &= !profiled);
    }
}

/// A keeper that is turned by hand.
struct Bench {
    port: Port,
    keeper: Keeper,
    handle: Handle,
    serial: u64,
}

impl Bench {
    /// A new life on what the records hold.
    fn on(port: Port) -> Bench {
        let mut core = empty_core();
        core.vault = Arc::new(port.clone());
        for (sequence, turn) in (1..).zip(port.with(|world| world.records.clone())) {
            core.fold(sequence, 0, record::read(&turn.telemetry, &turn.ledger).unwrap());
        }
        core.ready();
        let ports = Ports {
            ears: Box::new(port.clone()),
            journal: Box::new(port.clone()),
            acknowledge: Box::new(port.clone()),
            dispatch: Box::new(port.clone()),
            follow: Box::new(port.clone()),
            suspects: Box::new(port.clone()),
            time: Box::new(port.clone()),
            board: Arc::<Board>::default(),
            status: Arc::<Status>::default(),
        };
        let handle = Handle::default();
        let last = port.with(|world| world.records.len() as u64);
        let mut keeper = Keeper::new(core, last, ports, handle.clone());
        keeper.begin().unwrap();
        handle.link(true);
        Bench { port, keeper, handle, serial: 0 }
    }

    fn with_homes(entities: Vec<Entity>) -> Bench {
        let mut bench = Bench::on(Port::default());
        assert_eq!(bench.register(entities), Poll::Ready(Ok(())));
        bench
    }

    fn register(&mut self, entities: Vec<Entity>) -> Poll<Result<(), NotTaken>> {
        let handle = self.handle.clone();
        let mut errand = Box::pin(async move { handle.register(entities).await });
        let mut context = Context::from_waker(Waker::noop());
        let _ = errand.as_mut().poll(&mut context);
        self.round().unwrap();
        errand.as_mut().poll(&mut context)
    }

    /// A message, which gets the next serial.
    fn says(&mut self, lane: Lane, topic: &str, payload: &str) {
        self.serial += 1;
        let token = Some(Token { lane, connection: 1, serial: self.serial });
        let (topic, payload) = (topic.to_owned(), payload.to_owned().into());
        self.handle.deliver(Delivery { lane, topic, payload, retain: false, dup: true, copy: false, token });
    }

    fn round(&mut self) -> Result<bool, JournalFault> {
        self.keeper.round(Duration::ZERO)
    }

    /// Turns as long as something is to do at this time.
    fn settle(&mut self) {
        self.round().unwrap();
        while self.keeper.waits() || self.keeper.patience().is_zero() {
            self.round().unwrap();
        }
    }

    /// To the minute `minute` of the day, with a turn in each.
    fn advance(&mut self, minute: u64) {
        while self.port.with(|world| world.now < minute * 60_000) {
            self.port.with(|world| world.now += 60_000);
            self.settle();
        }
    }

    fn open(&self, kind: AlarmKind) -> usize {
        self.keeper.core().homes.iter().filter(|home| home.state.alarm(kind).is_some()).count()
    }

    fn acknowledged(&self) -> Vec<u64> {
        self.port.with(|world| std::mem::take(&mut world.acknowledged))
    }
}

const HOUR: u64 = 60;

#[test]
fn hours_of_a_full_disk_are_no_silence_of_the_homes() {
    let mut bench = Bench::with_homes(calm_registry());
    bench.advance(8 * HOUR);
    bench.says(Lane::Bulk, "h1/motion", "motion=true");
    bench.settle();
    bench.port.with(|world| world.full = true);
    for hour in 9..40 {
        bench.says(Lane::Bulk, "h1/motion", "motion=true");
        bench.advance(hour * HOUR);
    }
    bench.port.with(|world| world.full = false);
    bench.advance(41 * HOUR);
    assert_eq!(bench.acknowledged().len(), 32);
    assert_eq!(bench.open(AlarmKind::Outage), 1, "nothing was heard, and an operator knows");
    assert_eq!(bench.open(AlarmKind::Inactivity), 0, "a silence that was ours");
    bench.advance(70 * HOUR);
    assert_eq!(bench.open(AlarmKind::Inactivity), 1, "a silence that is theirs");
}

#[test]
fn a_call_does_not_wait_behind_readings_that_the_reserve_has_no_room_for() {
    let mut bench = Bench::with_homes(calm_registry());
    bench.settle();
    bench.port.with(|world| (world.full, world.reserve) = (true, 2_000));
    for degrees in 0..500 {
        bench.says(Lane::Bulk, "h1/motion", &format!("temperature={degrees}"));
    }
    bench.settle();
    assert!(bench.acknowledged().is_empty(), "nothing of it is written");
    bench.says(Lane::Life, "h1/button", "sos=true!");
    let left = bench.round();
    assert!(left.is_err_and(|fault| fault.full), "the process leaves");

    let mut bench = Bench::on(bench.port);
    for degrees in 0..500 {
        bench.says(Lane::Bulk, "h1/motion", &format!("temperature={degrees}"));
    }
    bench.says(Lane::Life, "h1/button", "sos=true!");
    bench.settle();
    assert_eq!(bench.acknowledged(), [501], "what comes again is taken in without the readings");
    assert_eq!(bench.open(AlarmKind::Sos), 1);
    bench.port.with(|world| world.reserve = 0);
    bench.says(Lane::Life, "h1/button", "fall=true!");
    bench.settle();
    assert!(bench.acknowledged().is_empty(), "with the reserve at its end a call waits, and nothing dies of it");
    bench.port.with(|world| world.full = false);
    bench.advance(1);
    assert_eq!(bench.acknowledged().len(), 501);
}

#[test]
fn on_a_full_disk_the_routine_of_life_devices_keeps_no_press_from_coming_in() {
    let mut bench = Bench::with_homes(calm_registry());
    bench.settle();
    bench.port.with(|world| (world.full, world.reserve) = (true, 20_000));
    for percent in 0..9 {
        bench.says(Lane::Life, "h1/button", &format!("battery={percent}"));
        bench.settle();
    }
    assert!(bench.acknowledged().is_empty(), "a few may wait for room");
    bench.says(Lane::Life, "h1/button", "battery=9");
    bench.settle();
    assert_eq!(bench.acknowledged().len(), 10, "ten would be half of what some brokers give a session");
    for percent in 10..100 {
        bench.says(Lane::Life, "h1/button", &format!("battery={percent}"));
        bench.settle();
    }
    bench.says(Lane::Life, "h1/button", "sos=true!");
    bench.settle();
    assert_eq!(bench.acknowledged().len(), 91, "and a call goes at once, with what stands before it");
    let used = 20_000 - bench.port.with(|world| world.reserve);
    assert!(used < 6_000, "{used} bytes of the reserve for a hundred messages and a call");
}

#[test]
fn a_full_disk_takes_no_import_and_climbs_no_ladder_but_that_of_life() {
    let mut bench = Bench::with_homes(calm_registry());
    let _ = bench.register(vec![ladder("welfare", &[("desk", 600)], 900)]);
    bench.handle.own_alarm(HomeId::cut("h2"), AlarmKind::WelfareCheck, "planted".to_owned());
    bench.settle();
    bench.port.with(|world| (world.full, world.reserve) = (true, 20_000));
    bench.says(Lane::Life, "h1/button", "sos=true!");
    bench.settle();
    let refused = bench.register(vec![home("h9", HomeStatus::Active)]);
    assert_eq!(refused, Poll::Ready(Err(NotTaken::DiskFull)));
    let left = |bench: &Bench| bench.port.with(|world| world.reserve);
    let before = left(&bench);
    bench.advance(20 * HOUR);
    assert_eq!(left(&bench), before, "other ladders had their times, and wrote nothing");
    bench.says(Lane::Life, "h1/button", "sos=true!");
    bench.settle();
    let used = before - left(&bench);
    assert!(used < 1_000, "{used} bytes for one more press: nothing has piled up before it");
    bench.port.with(|world| world.full = false);
    bench.advance(20 * HOUR + 1);
    assert_eq!(bench.register(vec![home("h9", HomeStatus::Active)]), Poll::Ready(Ok(())));
}

/// A push that waits for its answer.
struct Push(Pin<Box<dyn Future<Output = Result<Vec<Took>, Gone>>>>);

impl Push {
    fn of(bench: &Bench, messages: Vec<Pushed>) -> Push {
        Push::from(bench, "z2m", messages)
    }

    fn from(bench: &Bench, source: &str, messages: Vec<Pushed>) -> Push {
        let (handle, source) = (bench.handle.clone(), SourceId::cut(source));
        let mut push = Push(Box::pin(async move { handle.push(source, messages).await }));
        assert_eq!(push.answer(), []);
        push
    }

    /// Nothing, as long as it is not answered.
    fn answer(&mut self) -> Vec<Took> {
        match self.0.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(answer) => answer.unwrap(),
            Poll::Pending => Vec::new(),
        }
    }
}

fn pushed(topic: &str, id: &str, words: &str) -> Pushed {
    Pushed { topic: topic.to_owned(), payload: words.to_owned().into(), id: id.to_owned() }
}

/// What a whole request says: 256 devices that nobody knows, each with so many readings.
fn crowd(request: usize, readings: usize) -> Vec<Pushed> {
    let words = "temperature=21.5 ".repeat(readings);
    let one = |n| pushed(&format!("x{request}/{n}/{}", "y".repeat(200)), &format!("{request}/{n}"), &words);
    (0..256).map(one).collect()
}

#[test]
fn however_much_is_pushed_at_once_its_records_are_written_and_each_push_is_answered() {
    let mut bench = Bench::with_homes(calm_registry());
    let mut all: Vec<Push> = (0..60).map(|request| Push::of(&bench, crowd(request, 10))).collect();
    bench.round().unwrap();
    let answered = all.iter_mut().map(|push| push.answer()).filter(|answer| !answer.is_empty()).count();
    assert_eq!(answered, 8, "as many as a turn takes: a press does not wait for all of them");
    bench.settle();
    assert!(all[8..].iter_mut().all(|push| push.answer() == vec![Took::Readings(10); 256]));

    // A single one may be larger than a record, too.
    let mut push = Push::of(&bench, crowd(60, 500));
    bench.settle();
    assert_eq!(push.answer(), vec![Took::Readings(500); 256]);

    // And the name of a topic fills none.
    let long = |n| pushed(&format!("{n}/{}", "室".repeat(400_000)), "long", "sos=true!");
    let mut push = Push::of(&bench, (0..4).map(long).collect());
    bench.settle();
    assert_eq!(push.answer(), [Took::Readings(1); 4]);
}

#[test]
fn a_push_of_several_records_is_answered_when_the_last_is_written() {
    let mut bench = Bench::with_homes(calm_registry());
    bench.settle();
    bench.port.with(|world| world.full_at = Some(world.records.len() + 1));
    let mut push = Push::of(&bench, crowd(0, 120));
    bench.settle();
    assert_eq!(push.answer(), [], "one record is written, and not the next");
    bench.port.with(|world| (world.full, world.full_at) = (false, None));
    bench.advance(1);
    let took = push.answer();
    let taken = took.iter().filter(|took| **took == Took::Readings(120)).count();
    let left = took.iter().filter(|took| **took == Took::NoRoom).count();
    assert!(taken > 0 && left > 0 && taken + left == 256, "{took:?}");
}

#[test]
fn a_claim_of_a_device_of_many_held_messages_has_room_in_the_records() {
    let mut bench = Bench::with_homes(calm_registry());
    bench.port.with(|world| world.unreadable = true);
    for n in 0..1_500 {
        bench.says(Lane::Bulk, &format!("x/talkative/of/{}", n % 500), &"temperature=21.5 ".repeat(60));
    }
    bench.settle();
    let before = bench.port.with(|world| std::mem::take(&mut world.unreadable).then_some(world.records.len()));
    assert_eq!(bench.register(vec![device("h1", "x/talkative")]), Poll::Ready(Ok(())));
    let written = bench.port.with(|world| world.records.split_off(before.unwrap()));
    let bytes: usize = written.iter().map(|turn| turn.telemetry.len()).sum();
    assert!(written.len() > 1 && bytes > 1 << 20, "{bytes} bytes in {} records", written.len());
}

#[test]
fn a_push_speaks_for_no_other_source_and_what_it_may_not_say_stands_in_its_quarantine() {
    let mut bench = Bench::with_homes(calm_registry());
    bench.settle();
    let messages = vec![pushed("h1/button", "a", "sos=true!"), pushed("tele/x", "b", "temperature=20")];
    let mut push = Push::from(&bench, "tele", messages);
    bench.settle();
    assert_eq!(push.answer(), [Took::Rejected("foreign topic"), Took::Readings(1)]);
    assert_eq!(bench.open(AlarmKind::Sos), 0);
    let quarantine = &bench.keeper.core().quarantine.sources;
    assert_eq!(quarantine["tele"].unreadable["h1/button"].reason, "foreign topic");
    assert!(quarantine.get("z2m").is_none_or(|of| of.unreadable.is_empty()));
}

#[test]
fn what_was_held_of_a_device_is_read_by_the_profile_it_is_claimed_with() {
    let mut bench = Bench::with_homes(calm_registry());
    bench.port.with(|world| world.unreadable = true);
    bench.says(Lane::Bulk, "x/thermometer", "temperature=21.5");
    bench.settle();
    let Entity::Device(thermometer) = device("h1", "x/thermometer") else { panic!("a device") };
    let profile = Some(ProfileId::cut("thermometer"));
    let _ = bench.register(vec![Entity::Device(Device { profile, ..thermometer })]);
    let devices = &bench.keeper.core().homes[0].state.devices;
    let claimed = devices.iter().find(|device| device.address.as_str() == "x/thermometer").unwrap();
    assert_eq!(claimed.last[0].value, Value::Number(21.5));
}

#[test]
fn a_full_disk_takes_a_pushed_call_and_leaves_the_rest_to_come_again() {
    let mut bench = Bench::with_homes(calm_registry());
    let push = |bench: &mut Bench, id: &str, words: &str| {
        let mut push = Push::of(bench, vec![pushed("h1/button", id, words)]);
        bench.settle();
        push.answer()
    };
    assert_eq!(push(&mut bench, "a", "battery=90"), [Took::Readings(1)]);
    bench.port.with(|world| (world.full, world.reserve) = (true, 20_000));
    // The first message finds out that the disk is full, and waits with its answer.
    assert_eq!(push(&mut bench, "b", "battery=89"), []);
    assert_eq!(push(&mut bench, "c", "battery=88"), [Took::NoRoom]);
    assert_eq!(push(&mut bench, "d", "sos=true! battery=88"), [Took::Readings(2)]);
    assert_eq!(push(&mut bench, "d", "sos=true! battery=88"), [Took::Readings(2)], "again, and the same");
    let alarm = bench.keeper.core().homes[0].state.alarm(AlarmKind::Sos).unwrap().clone();
    assert_eq!(alarm.events, 1);
}

#[test]
fn the_older_message_of_a_lane_is_heard_first_and_life_before_bulk() {
    let mut bench = Bench::with_homes(calm_registry());
    bench.port.with(|world| world.died = true);
    bench.says(Lane::Bulk, "h1/motion", "motion=true");
    bench.says(Lane::Bulk, "h1/motion", "motion=false");
    bench.says(Lane::Life, "h1/button", "sos=true!");
    bench.says(Lane::Life, "h1/button", "fall=true!");
    bench.says(Lane::Life, "h1/button", "tamper=true");
    assert_eq!(bench.handle.backlog(), (3, 2), "life, bulk");
    // The process has died over such: each has a turn of its own, and the next are there by then.
    bench.round().unwrap();
    bench.says(Lane::Life, "h1/smoke", "smoke=true");
    bench.settle();
    assert_eq!(bench.acknowledged(), [3, 4, 5, 6, 1, 2]);
    assert_eq!(bench.handle.backlog(), (0, 0));
}

#[test]
fn a_city_that_is_due_at_once_has_room_in_the_records() {
    let homes = 4_000;
    let names = (1..=homes).map(|n| format!("c{n}"));
    let entities = names.flat_map(|name| [home(&name, HomeStatus::Active), device(&name, &format!("{name}/motion"))]);
    let mut bench = Bench::with_homes(calm_registry().into_iter().chain(entities).collect());
    for n in 1..=homes {
        bench.says(Lane::Bulk, &format!("c{n}/motion"), "motion=true");
    }
    bench.settle();
    // The machine slept for two days, and heard nothing only since it says so.
    let before = bench.port.with(|world| {
        world.now += 48 * 3_600_000;
        world.records.len()
    });
    bench.settle();
    assert_eq!(bench.open(AlarmKind::Inactivity), homes + 1, "each of them, and h1");
    let sizes = bench.port.with(|world| -> Vec<usize> {
        world.records[before..].iter().map(|turn| turn.telemetry.len() + turn.ledger.len()).collect()
    });
    assert!(sizes.iter().all(|size| *size < 300 << 10), "no turn is long, whoever waits behind it: {sizes:?}");
}

/// The raw messages in each record that has any, and the records' sizes.
fn evidence(bench: &Bench) -> (Vec<usize>, Vec<usize>) {
    let of = |turn: &Turn| {
        let entries = record::read(&turn.telemetry, &turn.ledger).unwrap().entries;
        let raw = |e: &record::Entry| matches!(e, record::Entry::Home { change: HomeChange::Evidence { .. }, .. });
        (entries.iter().filter(|e| raw(e)).count(), turn.telemetry.len() + turn.ledger.len())
    };
    bench.port.with(|world| world.records.iter().map(of).filter(|(count, _)| *count > 0).unzip())
}

#[test]
fn the_vault_is_asked_once_for_a_turn_of_strangers() {
    let mut bench = Bench::with_homes(calm_registry());
    for n in 0..300 {
        bench.says(Lane::Bulk, &format!("x{n}/pendant"), "sos=true!");
    }
    bench.says(Lane::Bulk, "h1/button", "sos=true!");
    bench.settle();
    assert_eq!(bench.open(AlarmKind::Sos), 301);
    assert_eq!(bench.port.with(|world| std::mem::take(&mut world.sealed)), [301]);
    assert_eq!(evidence(&bench).0, [301], "in the record of their alarms");
    bench.says(Lane::Bulk, "h2/motion", "motion=true");
    bench.settle();
    assert!(bench.port.with(|world| world.sealed.is_empty()), "nothing is sealed twice");
}

#[test]
fn a_record_has_room_for_the_raw_messages_that_wait() {
    let mut bench = Bench::with_homes(calm_registry());
    for n in 0..400 {
        bench.says(Lane::Bulk, &format!("x{n}/pendant"), &format!("sos=true! {}", "long ".repeat(900)));
    }
    bench.settle();
    let (counts, sizes) = evidence(&bench);
    assert_eq!(counts.iter().sum::<usize>(), 400);
    assert!(sizes.iter().all(|bytes| *bytes < 512 * 1024), "{sizes:?}");
}

#[test]
fn a_record_has_room_for_the_raw_messages_of_pushes_that_wait() {
    let mut bench = Bench::with_homes(calm_registry());
    let words = format!("sos=true! {}", "long ".repeat(900));
    let message = |n| pushed(&format!("x{n}/pendant"), &format!("p/{n}"), &words);
    let mut push = Push::of(&bench, (0..400).map(message).collect());
    bench.settle();
    assert_eq!(push.answer().len(), 400);
    let (counts, sizes) = evidence(&bench);
    assert_eq!(counts.iter().sum::<usize>(), 400);
    assert!(sizes.iter().all(|bytes| *bytes < 512 * 1024), "{sizes:?}");
}
