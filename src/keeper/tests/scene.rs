//! A site on a stage: homes, a ladder, channels and a clock that only the story moves.
//!
//! A story is a text. Lines that begin with a time are what happens; the indented lines below each are what came of it, and the test
//! compares the whole. Between two lines the scene takes every turn that the core asked for, at its time. Each turn is encoded,
//! read back and folded by a second core, which must come to the same state, byte for byte: see [`Scene::turn`].

use super::words;
use crate::engine::alarm::{Act, Attention, CloseCode, SafeHow};
use crate::engine::change::{HomeChange, Raw, SiteChange};
use crate::engine::delivery::{Failure, Outcome};
use crate::engine::home::care::{VisitKind, VisitOutcome};
use crate::engine::home::suppression::SuppressionKind;
use crate::engine::id::*;
use crate::engine::input::{SiteInput, SuppressionOrder, WalkOrder};
use crate::engine::kind::{AlarmKind, Kind};
use crate::engine::policy::{RulesPatch, SiteRules};
use crate::engine::reading::{Form, Reading, Report, Speaker, Value};
use crate::engine::registry::*;
use crate::engine::rota::{Day, Shift};
use crate::engine::sealed::Sealed;
use crate::engine::site::proof::ProofRefusal;
use crate::engine::time::{Millis, Tick, Wall};
use crate::keeper::core::{Core, Effects};
use crate::keeper::ports::{Parcel, Personal, Vault};
use crate::keeper::quarantine::Held;
use crate::keeper::record::{self, Entry};
use std::collections::BTreeMap;
use std::sync::Arc;

/// 2024-06-07T00:00:00 in Shanghai: what `00:00:00` of a story is.
const MIDNIGHT: Wall = Wall(1_717_689_600_000);
const FIRST_TICK: Tick = Tick(1_000_000_000);
/// More turns than any story needs between two of its lines: the core turns in circles.
const MOST_TURNS: usize = 20_000;

/// Seals nothing away: what is sealed is of no interest here.
struct OpenVault;

impl Vault for OpenVault {
    fn seal_raws(&self, raws: &[(&str, &Raw)]) -> Vec<Option<Sealed<Raw>>> {
        raws.iter().map(|(_, raw)| Some(Sealed::from_bytes(raw.topic.as_bytes().to_vec()))).collect()
    }

    fn personal(&self, _: &Home, _: &[&Resident]) -> Option<Personal> {
        None
    }
}

/// What a channel's receiver does with a parcel.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Receiver {
    Takes,
    Fails(Failure),
    /// Leaves it unanswered until the story answers.
    Hangs,
}

pub struct Scene {
    pub core: Core,
    /// Folds what the live core wrote, turn by turn.
    shadow: Core,
    /// Every record of the story: telemetry, ledger.
    records: Vec<(Vec<u8>, Vec<u8>)>,
    /// Milliseconds since the story's midnight.
    now: u64,
    /// How far the wall clock is off, in milliseconds.
    skew: i64,
    alive: bool,
    receivers: BTreeMap<ChannelId, Receiver>,
    hanging: Vec<Parcel>,
    /// Per (alarm, channel) the highest notice number that was attempted: notices leave in order.
    attempted: BTreeMap<(AlarmId, ChannelId), u32>,
    pub told: Vec<String>,
    /// Whether the last record may use the reserve of a full disk.
    pub life: bool,
}

fn site_rules() -> SiteRules {
    let ladder = [("life", "life"), ("welfare", "welfare")].map(|(word, id)| (word.into(), LadderId::new(id).unwrap()));
    SiteRules {
        site: SiteId::new("z").unwrap(),
        zone: jiff::tz::TimeZone::get("Asia/Shanghai").unwrap(),
        // Most stories have few people: who is there to be told is looked at where a home asks for it.
        rules: RulesPatch {
            ladder: ladder.into(),
            responders_life: Some(0),
            responders_welfare: Some(0),
            ..RulesPatch::default()
        },
    }
}

pub fn empty_core() -> Core {
    let mut core = Core::new(site_rules(), Arc::new(OpenVault));
    core.ready();
    core
}

fn id<T: std::str::FromStr<Err = BadId>>(text: &str) -> T {
    text.parse().unwrap()
}

pub fn channel(name: &str, slots: u8) -> Entity {
    let channel = Channel::new(id(name), id("z"), ChannelDialect::Standard, "https://example.org/", "env:X");
    let medium = matches!(name, "deputy" | "lead").then_some(Medium::Voice);
    Entity::Channel(Channel { slots, medium, ..channel })
}

pub fn responder(name: &str, channels: &[&str]) -> Entity {
    let channels = channels.iter().map(|c| id(c)).collect();
    Entity::Responder(Responder { id: id(name), site: id("z"), channels, details: Sealed::from_bytes(vec![]) })
}

/// Rungs of people parted by `+`; `@` stands before a rota.
pub fn ladder(name: &str, rungs: &[(&str, u32)], repeat_s: u32) -> Entity {
    let rung = |(to, wait_s): &(&str, u32)| {
        let (rotas, people): (Vec<&str>, Vec<&str>) = to.split('+').partition(|one| one.starts_with('@'));
        let rotas = rotas.into_iter().map(|rota| id(&rota[1..])).collect();
        Rung { name: (*to).into(), to: people.into_iter().map(id).collect(), wait_s: *wait_s, rotas }
    };
    Entity::Ladder(Ladder { id: id(name), site: id("z"), rungs: rungs.iter().map(rung).collect(), repeat_s })
}

/// `0800-1800=a+b/1800-0800=c`: shifts of every day.
fn rota(name: &str, shifts: &str) -> Entity {
    let minute = |text: &str| text[..2].parse::<u16>().unwrap() * 60 + text[2..].parse::<u16>().unwrap();
    let shift = |text: &str| {
        let (hours, people) = text.split_once('=').unwrap();
        let (from, to) = hours.split_once('-').unwrap();
        let turns = vec![people.split('+').map(id).collect()];
        let (from_min, to_min) = (minute(from), minute(to));
        Shift { days: Vec::new(), from_min, to_min, turns, every_days: 1, since: Day::default() }
    };
    let shifts = shifts.split('/').filter(|text| !text.is_empty()).map(shift).collect();
    let (overrides, holidays, workdays) = Default::default();
    let (id, site) = (id(name), id("z"));
    Entity::Rota(Rota { id, site, zone: None, shifts, overrides, fallback: None, holidays, workdays })
}

pub fn home(name: &str, status: Status) -> Entity {
    Entity::Home(Home { status, ..Home::new(id(name), id("z")) })
}

pub fn device(home: &str, address: &str) -> Entity {
    let room = address.rsplit('/').next().unwrap_or_default();
    let room = if room == "door" { "entrance" } else { room };
    Entity::Device(Device {
        id: id(address),
        home: id(home),
        source: id("z2m"),
        address: id(address),
        room: room.into(),
        model: "".into(),
        life: false,
        profile: None,
    })
}

/// Three homes (h3 has but a door), a life ladder whose second rung reaches nobody, and a welfare ladder.
fn registry(repeat_s: u32) -> Vec<Entity> {
    let mut all = vec![channel("desk", 4), channel("zhang", 4), channel("deputy", 4), channel("lead", 4)];
    all.extend(["desk", "zhang", "deputy", "lead"].map(|name| responder(name, &[name])));
    all.push(responder("nobody", &[]));
    all.push(ladder("life", &[("desk+zhang", 60), ("nobody", 60), ("deputy", 120), ("lead", 60)], repeat_s));
    all.push(ladder("welfare", &[("desk", 300), ("zhang", 600)], repeat_s.max(900)));
    for name in ["h1", "h2", "h3"] {
        all.push(home(name, Status::Active));
    }
    for address in ["h1/button", "h1/smoke", "h1/smoke2", "h1/motion", "h1/door", "h2/button", "h2/motion", "h3/door"] {
        all.push(device(&address[..2], address));
    }
    all
}

/// One home, and ladders that tell one channel once a day.
pub fn calm_registry() -> Vec<Entity> {
    let mut all = vec![channel("desk", 4), responder("desk", &["desk"])];
    all.extend(["life", "welfare"].map(|name| ladder(name, &[("desk", 86_400)], 86_400)));
    all.push(home("h1", Status::Active));
    let devices = ["button", "smoke", "motion", "door", "bed", "cupboard", "fridge"];
    all.extend(devices.map(|d| device("h1", &format!("h1/{d}"))));
    all
}

/// So many homes, `g0` and on, each behind a hub of its own; ladders that tell one channel once a day.
pub fn district_registry(homes: usize) -> Vec<Entity> {
    let mut all = vec![channel("desk", 4), responder("desk", &["desk"])];
    all.extend(["life", "welfare"].map(|name| ladder(name, &[("desk", 86_400)], 86_400)));
    for n in 0..homes {
        all.push(home(&format!("g{n}"), Status::Active));
        all.extend(["button", "smoke", "motion"].map(|d| device(&format!("g{n}"), &format!("g{n}/{d}"))));
    }
    all
}

/// What a story calls a moment, where nobody has set the clock.
pub fn time_of(wall: Wall) -> String {
    words::clock(wall.since(MIDNIGHT).0)
}

/// The clocks so many milliseconds after midnight.
pub fn stamp(now: u64) -> (Tick, Wall) {
    (FIRST_TICK + Millis(now), MIDNIGHT + Millis(now))
}

impl Scene {
    /// An empty site that hears, in its first turn.
    pub fn empty(now: u64) -> Scene {
        let mut scene = Scene {
            core: empty_core(),
            shadow: empty_core(),
            records: Vec::new(),
            now,
            skew: 0,
            alive: true,
            receivers: BTreeMap::new(),
            hanging: Vec::new(),
            attempted: BTreeMap::new(),
            told: Vec::new(),
            life: false,
        };
        scene.turn(|core| core.start());
        scene.turn(|core| core.site_input(SiteInput::Link { up: true }));
        scene.told.clear();
        scene
    }

    /// The site of most stories, as it stands at `now`.
    pub fn usual(now: u64) -> Scene {
        Scene::with_repeats(now, 120)
    }

    /// The usual site, with last rungs that repeat so often.
    pub fn with_repeats(now: u64, repeat_s: u32) -> Scene {
        let mut scene = Scene::empty(now);
        scene.turn(|core| core.site_input(SiteInput::Register(registry(repeat_s))));
        scene.told.clear();
        scene
    }

    /// One home, and ladders that tell one channel once a day.
    pub fn calm(now: u64) -> Scene {
        let mut scene = Scene::empty(now);
        scene.turn(|core| core.site_input(SiteInput::Register(calm_registry())));
        scene.told.clear();
        scene
    }

    /// So many homes, `g0` and on, each behind a hub of its own.
    pub fn district(now: u64, homes: usize) -> Scene {
        let mut scene = Scene::empty(now);
        scene.turn(|core| core.site_input(SiteInput::Register(district_registry(homes))));
        scene.told.clear();
        scene
    }

    fn stamp(&self) -> (Tick, Wall) {
        let (tick, wall) = stamp(self.now);
        (tick, Wall(wall.0 + self.skew))
    }

    pub fn tick(&self) -> Tick {
        self.stamp().0
    }

    fn turn(&mut self, input: impl FnOnce(&mut Core)) {
        let (tick, wall) = self.stamp();
        self.core.begin(tick, wall);
        input(&mut self.core);
        self.core.due(false);
        let effects = self.core.end();
        self.write(&effects);
        self.check();
        self.hand_over(effects.parcels);
    }

    /// A site of these entries.
    pub fn of(now: u64, entities: Vec<Entity>) -> Scene {
        let mut scene = Scene::empty(now);
        scene.enter(entities);
        scene.told.clear();
        scene
    }

    /// The registry gets these entries.
    pub fn enter(&mut self, entities: Vec<Entity>) {
        self.turn(|core| core.site_input(SiteInput::Register(entities)));
    }

    /// The gateway concludes something of a home, or of several at once.
    pub fn concludes(&mut self, homes: &[String], kind: AlarmKind) {
        self.turn(|core| homes.iter().for_each(|home| core.own_alarm(&id(home), kind, "planted", None)));
    }

    /// The checker looks, and mends what it finds.
    pub fn guard(&mut self) {
        self.turn(|core| core.broken().iter().for_each(|finding| core.heal(finding)));
    }

    /// Time passes, and nobody turns.
    pub fn sleep_until(&mut self, now: u64) {
        self.now = now;
        let (tick, wall) = self.stamp();
        self.core.begin(tick, wall);
    }

    /// A change that no decision would make, as by a fault; what must hold is not asked after it.
    pub fn suffers(&mut self, change: SiteChange) {
        self.sleep_until(self.now);
        self.core.suffer(&change);
        let effects = self.core.end();
        self.write(&effects);
    }

    /// Writes the record as bytes, and lets the second core read it.
    fn write(&mut self, effects: &Effects) {
        let before = self.told.len();
        if !self.core.blocks.is_empty() {
            let ledger = self.core.blocks.stamped_ledger(self.core.now());
            let telemetry = self.core.blocks.telemetry.clone();
            self.life = self.core.blocks.life;
            self.core.blocks.clear();
            let contents = record::read(&telemetry, &ledger).expect("what was written can be read");
            for entry in &contents.entries {
                words::entry(entry, &self.core, &mut self.told);
                self.remember(entry);
            }
            self.records.push((telemetry, ledger));
            self.shadow.fold(self.records.len() as u64, 0, contents);
        }
        self.told.extend(effects.parcels.iter().map(words::parcel));
        if self.told.len() == before && !effects.because.is_empty() {
            self.told.push(format!("nothing: {}", effects.because.join(", ")));
        }
    }

    fn remember(&mut self, entry: &Entry) {
        let Entry::Home { change: HomeChange::Raised(alarm), .. } = entry else { return };
        let same = self.attempted.keys().any(|(id, _)| *id == alarm.id);
        assert!(!same, "{} was raised twice", alarm.id);
    }

    /// What must hold after every turn.
    fn check(&mut self) {
        for (number, (live, folded)) in self.core.homes.iter().zip(&self.shadow.homes).enumerate() {
            let home = &self.core.site.homes[number].id;
            if live.state != folded.state {
                panic!("{home}: the fold differs\nlive   {:#?}\nfolded {:#?}", live.state, folded.state);
            }
            for (i, alarm) in live.state.alarms.iter().enumerate() {
                let twice = live.state.alarms[..i].iter().any(|a| a.kind == alarm.kind);
                assert!(!twice, "{home}: two open alarms of kind {}", alarm.kind);
                let settled = alarm.attention == Attention::Settled;
                assert!(settled == alarm.deadline().is_none(), "{home}: {} waits for nothing", alarm.id);
                assert!(!settled || alarm.safe.is_some(), "{home}: {} ended quietly", alarm.id);
                let overdue = alarm.deadline().is_some_and(|d| d <= self.tick()) && self.core.faults == 0;
                assert!(!overdue, "{home}: {} is overdue", alarm.id);
            }
        }
        let forgotten = self.core.broken().into_iter().find(|found| !found.what.is_of_a_receiver());
        assert!(forgotten.is_none(), "{forgotten:?}");
        if self.core.site != self.shadow.site {
            let site = |core: &Core| minicbor::to_vec(&core.site).unwrap();
            assert!(site(&self.core) == site(&self.shadow), "the fold of the site differs");
        }
        assert!(self.core.next_wake().is_none_or(|at| at > self.tick()), "the core turns in circles");
    }

    /// Lets the receivers answer. Each answer is a turn of its own.
    fn hand_over(&mut self, parcels: Vec<Parcel>) {
        for parcel in parcels {
            self.check_order(&parcel);
            let outcome = match self.receivers.get(&parcel.channel.id) {
                None | Some(Receiver::Takes) => Outcome::Delivered,
                Some(Receiver::Fails(failure)) => Outcome::failed(*failure),
                Some(Receiver::Hangs) => {
                    self.hanging.push(parcel);
                    continue;
                }
            };
            self.ended(&parcel, outcome);
        }
    }

    fn check_order(&mut self, parcel: &Parcel) {
        let key = (parcel.notice.alarm.clone(), parcel.channel.id.clone());
        let highest = self.attempted.entry(key).or_default();
        assert!(parcel.notice.number >= *highest, "{} left after its successor", parcel.notice);
        *highest = parcel.notice.number;
        let slots = usize::from(parcel.channel.slots);
        let under_way = self.hanging.iter().filter(|p| p.channel.id == parcel.channel.id).count();
        assert!(under_way < slots, "{} has more parcels than slots", parcel.channel.id);
    }

    fn ended(&mut self, parcel: &Parcel, outcome: Outcome) {
        let (notice, attempt) = (parcel.notice.clone(), parcel.attempt);
        self.turn(|core| core.site_input(SiteInput::Ended { notice, attempt, outcome }));
    }

    /// Takes the turns that the core asks for up to `until`, then stands there.
    pub fn advance(&mut self, until: u64) {
        for _ in 0..MOST_TURNS {
            let next = self.core.next_wake().map(|at| at.since(FIRST_TICK).0).filter(|at| self.alive && *at <= until);
            let Some(at) = next else {
                self.now = self.now.max(until);
                return;
            };
            self.now = self.now.max(at);
            let before = self.told.len();
            self.turn(|_| {});
            let time = words::clock(self.now);
            for line in &mut self.told[before..] {
                line.insert_str(0, &format!("{time} "));
            }
        }
        panic!("the core takes one turn after the other and gets nowhere");
    }

    /// Does what a line of a story says, without its time.
    pub fn happens(&mut self, line: &str) {
        if line.contains(" & ") {
            let reports: Vec<Report> = line.split(" & ").map(|part| self.report(part)).collect();
            return self
                .turn(|core| reports.into_iter().for_each(|report| core.report(report, || raw("several"), held)));
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        match &words[..] {
            [] | ["."] => {}
            ["press"] => self.happens("h1/button sos=true!"),
            ["link", up] => self.turn(|core| core.site_input(SiteInput::Link { up: *up == "up" })),
            ["channel", name, does] => self.channel_does(name, does),
            ["answer", number, outcome] => self.answer(number, outcome),
            ["register", what @ ..] => {
                let entities = what.iter().map(|what| self.entity(what)).collect();
                self.turn(|core| core.site_input(SiteInput::Register(entities)));
            }
            ["wall", seconds] => self.skew += seconds.parse::<i64>().unwrap() * 1000,
            ["console", staffed] => {
                self.turn(|core| core.site_input(SiteInput::Desk { staffed: *staffed == "staffed" }))
            }
            ["kill"] => self.alive = false,
            ["start"] => self.restart(),
            ["unreadable", topic] => {
                let home = HomeId::cut(&format!("unreadable/{topic}"));
                let kind = crate::engine::kind::AlarmKind::PossibleSos;
                self.turn(|core| core.own_alarm(&home, kind, topic, Some(raw(topic))));
            }
            ["hub", ..] => self.tell(line),
            ["looked", home, who] => {
                let (home, by) = (id(home), id(who));
                self.turn(|core| assert!(core.looked(&home, by, SafeHow::Spoke), "a home that is known"));
            }
            ["visit", home, kind, outcome] => self.visit(home, kind, outcome),
            ["cold-wave", until] => self.cold_wave(until),
            ["try", channel, code] => {
                let mut done = None;
                self.turn(|core| done = Some(core.test_channel(id(channel), code)));
                self.is_refused(done.unwrap());
            }
            ["received", channel, code] => {
                let mut done = None;
                self.turn(|core| done = Some(core.channel_seen(id(channel), code, id("zhang"))));
                self.is_refused(done.unwrap());
            }
            ["walk", home, order @ ..] => self.walk(home, order),
            ["suppress", home, kind, until] => self.suppress(home, kind, until),
            ["recall", address, ..] => {
                let (report, device) = (self.report(&line["recall ".len()..]), device("h1", address));
                let (Entity::Device(device), at) = (device, report.device_time.unwrap()) else { panic!("no device") };
                self.turn(|core| core.recall(Report { device_time: None, ..report }, &device, at));
            }
            [address, ..] if address.contains('/') => self.tell(line),
            [who, act @ ..] => self.act(who, act),
        }
    }

    fn tell(&mut self, line: &str) {
        let report = self.report(line);
        self.turn(|core| core.report(report, || raw("message"), held));
    }

    fn is_refused(&mut self, done: Result<(), ProofRefusal>) {
        if let Err(refusal) = done {
            self.told.push(format!("refused: {}", refusal.name()));
        }
    }

    /// `walk h1 open 10 1` (minutes, calls of each device), `walk h1 sign`, `walk h1 close`.
    fn walk(&mut self, home: &str, order: &[&str]) {
        let order = match *order {
            ["open", minutes, presses] => {
                WalkOrder::Open { minutes: minutes.parse().unwrap(), presses: presses.parse().unwrap() }
            }
            ["sign"] => WalkOrder::Close { signed: true },
            ["close"] => WalkOrder::Close { signed: false },
            _ => panic!("what is {order:?}?"),
        };
        let (home, mut walked) = (id(home), None);
        self.turn(|core| walked = Some(core.walk(&home, order, id("installer"))));
        if let Err(refusal) = walked.unwrap() {
            self.told.push(format!("refused: {refusal:?}"));
        }
    }

    /// `suppress h1 away 54:00:00` until that time of the story, `suppress h1 away over`.
    fn suppress(&mut self, home: &str, kind: &str, until: &str) {
        let kind = SuppressionKind::parse(kind).unwrap();
        let order = match until {
            "over" => SuppressionOrder::End { kind },
            until => {
                let until = Wall(MIDNIGHT.0 + words::millis(until) as i64 + self.skew);
                SuppressionOrder::Set { kind, until, reason: Some(Sealed::from_bytes(vec![1])) }
            }
        };
        let (home, mut done) = (id(home), None);
        self.turn(|core| done = Some(core.suppress(&home, order, id("desk"))));
        if let Err(refusal) = done.unwrap() {
            self.told.push(format!("refused: {refusal:?}"));
        }
    }

    /// `visit h1 online Fine`, and `visit h1 home back` for what is taken back.
    fn visit(&mut self, home: &str, kind: &str, outcome: &str) {
        let outcome = match outcome {
            "Fine" => Some(VisitOutcome::Fine),
            "NeedsHelp" => Some(VisitOutcome::NeedsHelp),
            "NoAnswer" => Some(VisitOutcome::NoAnswer),
            "Refused" => Some(VisitOutcome::Refused),
            "back" => None,
            other => panic!("what is {other}?"),
        };
        let (home, kind, mut done) = (id(home), VisitKind::parse(kind).unwrap(), None);
        self.turn(|core| done = Some(core.visit(&home, kind, outcome, id("zhang"))));
        if let Err(refusal) = done.unwrap() {
            self.told.push(format!("refused: {refusal:?}"));
        }
    }

    /// `cold-wave 54:00:00` until that time of the story, `cold-wave over`.
    fn cold_wave(&mut self, until: &str) {
        let until = (until != "over").then(|| Wall(MIDNIGHT.0 + words::millis(until) as i64 + self.skew));
        let mut done = None;
        self.turn(|core| done = Some(core.cold_wave(until, id("desk"))));
        if let Err(refusal) = done.unwrap() {
            self.told.push(format!("refused: {refusal:?}"));
        }
    }

    /// `hub PREFIX online`, or an address and what the device there says.
    fn report(&self, line: &str) -> Report {
        match line.split_whitespace().collect::<Vec<_>>()[..] {
            ["hub", prefix, state] => {
                let readings = vec![Reading::flag(Kind::Online, state == "online")];
                Report { speaker: Speaker::Bridge(prefix.into()), ..report(readings) }
            }
            [address, ref told @ ..] => self.heard(address, told),
            [] => panic!("who says what?"),
        }
    }

    /// `NAME=VALUE` with `!` for an event and `~` for a latched state, `zone:NAME=VALUE`, and flags.
    fn heard(&self, address: &str, told: &[&str]) -> Report {
        let mut report = Report { speaker: Speaker::Device(id(address)), ..report(Vec::new()) };
        for word in told {
            match word.split_once('=') {
                None => match *word {
                    "retained" => report.retained = true,
                    "echo" => report.echo = true,
                    other => panic!("what is {other}?"),
                },
                Some(("at", time)) => {
                    report.device_time = Some(Wall(MIDNIGHT.0 + words::millis(time) as i64 + self.skew))
                }
                Some(("stated", millis)) => report.device_time = Some(Wall(millis.parse().unwrap())),
                Some(("in", home)) => report.home_hint = Some(home.into()),
                Some(("id", event)) => report.event_id = Some(event.into()),
                Some(("rest", rest)) => report.rest = rest.parse().unwrap(),
                Some((kind, value)) => report.readings.push(reading(kind, value)),
            }
        }
        report
    }

    fn act(&mut self, who: &str, words: &[&str]) {
        let [verb, rest @ ..] = words else { panic!("{who} does what?") };
        let number = rest.iter().find_map(|w| w.strip_prefix('#'));
        let number = number.map_or_else(|| self.latest(), |n| n.parse().unwrap());
        let revision = rest.iter().find_map(|w| w.strip_prefix("rev=")).map(|r| r.parse().unwrap());
        let word = rest.first().copied().unwrap_or_default();
        let act = match *verb {
            "seen" => Act::Seen,
            "on-my-way" => Act::OnMyWay { minutes: word.parse().ok() },
            "on-site" => Act::OnSite,
            "no-answer" => Act::NoAnswer,
            "no-access" => Act::NoAccess,
            "note" => Act::Note(Sealed::from_bytes(vec![1])),
            "hold" => Act::Hold,
            "cannot" => Act::Cannot,
            "reopen" => Act::Reopen,
            "safe" => Act::Safe(if word == "seen" { SafeHow::Seen } else { SafeHow::Spoke }),
            "close" => Act::Close(if word == "accidental" { CloseCode::Accidental } else { CloseCode::Helped }),
            other => panic!("what is {other}?"),
        };
        let (alarm, by) = (AlarmId { site: id("z"), number }, id(who));
        let mut answer = None;
        self.turn(|core| answer = Some(core.act(alarm, act, by, revision)));
        match answer.unwrap() {
            Err(refusal) => self.told.push(format!("refused: {}", refusal.name())),
            Ok((alarm, revision)) => {
                let open = self.core.homes.iter().flat_map(|h| &h.state.alarms).find(|a| a.id == alarm);
                // The turn's own outcomes may have moved the alarm on.
                assert!(open.is_none_or(|a| a.revision >= revision), "{alarm} answers with a revision to come");
            }
        }
    }

    fn latest(&self) -> u64 {
        let open = self.core.homes.iter().flat_map(|h| &h.state.alarms).map(|a| a.id.number);
        open.max().unwrap_or(self.core.site.next_alarm - 1)
    }

    fn channel_does(&mut self, name: &str, does: &str) {
        let receiver = match does {
            "takes" => Receiver::Takes,
            "hangs" => Receiver::Hangs,
            "refuses" => Receiver::Fails(Failure::Refused),
            "gone" => Receiver::Fails(Failure::Gone),
            "rate_limited" => Receiver::Fails(Failure::RateLimited),
            other => panic!("what is {other}?"),
        };
        self.receivers.insert(id(name), receiver);
    }

    /// `answer 1-n2 delivered`: a hanging parcel comes to its end.
    fn answer(&mut self, notice: &str, outcome: &str) {
        let hanging = |p: &Parcel| format!("{}-n{}", p.notice.alarm.number, p.notice.number) == notice;
        let at = self.hanging.iter().position(hanging).unwrap_or_else(|| panic!("{notice} does not hang"));
        let parcel = self.hanging.remove(at);
        let outcome = match outcome {
            "delivered" => Outcome::Delivered,
            "timed_out" => Outcome::failed(Failure::TimedOut),
            seconds => {
                let retry_after = Some(Millis::from_secs(seconds.parse().unwrap()));
                Outcome::Failed { failure: Failure::RateLimited, retry_after }
            }
        };
        self.ended(&parcel, outcome);
    }

    /// Whether a parcel hangs, and which: for stories that make themselves up.
    pub fn any_hanging(&self) -> Option<String> {
        self.hanging.first().map(|p| format!("{}-n{}", p.notice.alarm.number, p.notice.number))
    }

    /// `home:h9`, `paused:h1`, `ladders:h1:technical=tech`, `device:h2:h1/button`, `channel:desk`, `ladder:life:lead`.
    fn entity(&self, what: &str) -> Entity {
        let parts: Vec<&str> = what.split(':').collect();
        match parts[..] {
            ["home", name] => home(name, Status::Active),
            ["paused", name] => home(name, Status::Paused),
            ["left", name] => home(name, Status::Left),
            ["rules", name, rules] => {
                let rules = rules.split(',').map(|rule| rule.split_once('=').unwrap());
                let rules: Vec<_> = rules.map(|(rule, value)| format!("\"{rule}\":{value}")).collect();
                let rules = serde_json::from_str(&format!("{{{}}}", rules.join(","))).unwrap();
                Entity::Home(Home { rules, ..Home::new(id(name), id("z")) })
            }
            ["ladders", name, words] => {
                let named = words.split(',').map(|named| named.split_once('=').unwrap());
                let ladder = named.map(|(word, ladder)| (word.into(), id(ladder))).collect();
                let rules = RulesPatch { ladder, ..RulesPatch::default() };
                Entity::Home(Home { rules, ..Home::new(id(name), id("z")) })
            }
            ["device", home, address] => device(home, address),
            ["life", home, address] => match device(home, address) {
                Entity::Device(device) => Entity::Device(Device { life: true, ..device }),
                other => other,
            },
            ["elsewhere", name] => match channel(name, 4) {
                Entity::Channel(channel) => Entity::Channel(Channel { url: "https://example.com/".into(), ..channel }),
                other => other,
            },
            ["channel", name] => channel(name, 4),
            ["channel", name, slots] => channel(name, slots.parse().unwrap()),
            ["responder", name] => responder(name, &[name]),
            ["rota", name, shifts] => rota(name, shifts),
            ["ladder", name, rungs] => {
                let rungs: Vec<(&str, u32)> = rungs.split(',').map(|to| (to, 60)).collect();
                ladder(name, &rungs, 120)
            }
            _ => panic!("what is {what}?"),
        }
    }

    /// A new process: it folds what the old one wrote, and begins.
    fn restart(&mut self) {
        let mut core = empty_core();
        for (sequence, (telemetry, ledger)) in self.records.iter().enumerate() {
            core.fold(sequence as u64 + 1, 0, record::read(telemetry, ledger).unwrap());
        }
        core.ready();
        self.core = core;
        self.hanging.clear();
        self.alive = true;
        self.turn(|core| core.start());
    }
}

fn held() -> Held {
    Held::new(MIDNIGHT, "topic", &bytes::Bytes::from_static(b"{}"))
}

pub fn report(readings: Vec<Reading>) -> Report {
    Report {
        signal: None,
        source: id("z2m"),
        speaker: Speaker::Bridge("".into()),
        home_hint: None,
        readings,
        device_time: None,
        event_id: None,
        rest: 0,
        retained: false,
        echo: false,
    }
}

pub fn reading(kind: &str, value: &str) -> Reading {
    let (zone, kind) = kind.split_once(':').map_or((None, kind), |(zone, kind)| (Some(id(zone)), kind));
    let (value, form) = match (value.strip_suffix('!'), value.strip_suffix('~')) {
        (Some(value), _) => (value, Form::Event),
        (_, Some(value)) => (value, Form::Latched),
        _ => (value, Form::Edge),
    };
    let value = match value {
        "true" | "false" => Value::Flag(value == "true"),
        "open" | "closed" => Value::Open(value == "open"),
        text => text.parse().map_or_else(|_| Value::Text(text.into()), Value::Number),
    };
    Reading { kind: Kind::parse(kind).unwrap_or_else(|| panic!("what is {kind}?")), zone, value, form }
}

fn raw(topic: &str) -> Raw {
    Raw { topic: topic.into(), payload: String::new() }
}
