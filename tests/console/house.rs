//! A real keeper with its core, between fakes: a journal in memory, ears that understand one word, a post that always delivers.

use hearthwatch::config::Role;
use hearthwatch::console::{Account, Desk, History, Open, Part, PushSource, Site, router, serve};
use hearthwatch::engine::alarm::CloseCode;
use hearthwatch::engine::change::Raw;
use hearthwatch::engine::delivery::Outcome;
use hearthwatch::engine::id::*;
use hearthwatch::engine::kind::Kind;
use hearthwatch::engine::policy::{RulesPatch, SiteRules};
use hearthwatch::engine::reading::{Form, Reading, Report, Speaker, Value};
use hearthwatch::engine::registry::*;
use hearthwatch::engine::sealed::Sealed;
use hearthwatch::engine::time::{Tick, Wall};
use hearthwatch::keeper::board::Board;
use hearthwatch::keeper::core::Core;
use hearthwatch::keeper::inbox::Handle;
use hearthwatch::keeper::ports::*;
use hearthwatch::keeper::turn::{Keeper, Ports, Status};
use hearthwatch::wire::respond::Links;
use hearthwatch::wire::webhook::standard::Secrets;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::net::TcpListener;
use tokio::sync::watch;

pub const TOKEN: &str = "operator-token-0123456789abcdef0123456789abcdef";
pub const VIEWER: &str = "viewer-token-0123456789abcdef0123456789abcdef00";

fn id<T: std::str::FromStr>(text: &str) -> T
where
    T::Err: std::fmt::Debug,
{
    text.parse().unwrap()
}

/// The system's time, moved as a test likes.
#[derive(Clone, Default)]
pub struct Clock(Arc<AtomicI64>);

impl Clock {
    pub fn read(&self) -> (Tick, Wall) {
        let real = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64;
        let wall = real + self.0.load(Ordering::Relaxed);
        // The tick begins somewhere in the past, since it cannot be below zero.
        (Tick((wall - 1_600_000_000_000) as u64), Wall(wall))
    }

    pub fn set_back_s(&self, seconds: i64) {
        self.0.store(-seconds * 1_000, Ordering::Relaxed);
    }
}

impl Time for Clock {
    fn now(&mut self) -> (Tick, Wall) {
        self.read()
    }
}

/// Counts the turns and keeps none.
struct MemoryJournal {
    turns: Arc<AtomicU64>,
    full: Arc<AtomicBool>,
}

impl Journal for MemoryJournal {
    fn append(&mut self, _: &Turn) -> Result<u64, JournalFault> {
        Ok(self.turns.fetch_add(1, Ordering::Relaxed) + 1)
    }

    fn has_room(&mut self) -> Result<bool, JournalFault> {
        Ok(!self.full.load(Ordering::Relaxed))
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

/// Understands `HOME/ROOM` and the name of a kind, with `=false` where the condition ends or `=12` for a number, and `@30` for a signal
/// of 30 %. Anything else is unreadable.
struct Words;

impl Words {
    fn reading(text: &str) -> Option<(Reading, Option<u8>)> {
        let (text, signal) = text.split_once('@').map_or((text, None), |(text, signal)| (text, signal.parse().ok()));
        let (name, value) = match text.split_once('=') {
            Some((name, "false")) => (name, Value::Flag(false)),
            Some((name, number)) => (name, Value::Number(number.parse().ok()?)),
            None => (text, Value::Flag(true)),
        };
        let kind = Kind::parse(name)?;
        let form = if matches!(kind, Kind::Sos | Kind::Fall) { Form::Event } else { Form::Edge };
        Some((Reading::new(kind, value, form), signal))
    }
}

impl Ears for Words {
    fn understand(&mut self, topic: &str, payload: &[u8], retain: bool) -> Understood {
        let read = std::str::from_utf8(payload).ok().and_then(Words::reading);
        let Some((reading, signal)) = read else { return Understood::Rejected("no word of ours", id("z2m")) };
        Understood::Readings(vec![Report {
            signal,
            source: id("z2m"),
            speaker: Speaker::Device(id(topic)),
            home_hint: topic.split('/').next().map(Into::into),
            readings: vec![reading],
            device_time: None,
            event_id: None,
            rest: 0,
            retained: retain,
            echo: false,
        }])
    }

    fn understand_of(&mut self, source: &SourceId, topic: &str, payload: &[u8]) -> Understood {
        match topic.starts_with("elsewhere/") {
            true => Understood::Rejected("the source has no such topic", source.clone()),
            false => self.understand(topic, payload, false),
        }
    }

    fn know(&mut self, _: &Registry) {}
}

/// Seals by writing JSON: enough to see that the console opens and seals where it should.
pub struct Glass;

pub fn seal<T: Serialize>(value: &T) -> Sealed<T> {
    Sealed::from_bytes(serde_json::to_vec(value).unwrap())
}

fn open<T: DeserializeOwned>(sealed: &Sealed<T>) -> Option<T> {
    serde_json::from_slice(sealed.as_bytes()).ok()
}

impl Open for Glass {
    fn home(&self, home: &Home) -> Option<HomeDetails> {
        home.details.as_ref().and_then(open)
    }

    fn resident(&self, resident: &Resident) -> Option<ResidentDetails> {
        open(&resident.details)
    }

    fn responder(&self, responder: &Responder) -> Option<ResponderDetails> {
        open(&responder.details)
    }

    fn seal_note(&self, home: &HomeId, text: &str) -> Option<Sealed<String>> {
        (home.as_str() != "h0099").then(|| seal(&text.to_owned()))
    }

    fn note(&self, _: &HomeId, sealed: &Sealed<String>) -> Option<String> {
        open(sealed)
    }
}

impl Vault for Glass {
    fn seal_raws(&self, raws: &[(&str, &Raw)]) -> Vec<Option<Sealed<Raw>>> {
        raws.iter().map(|(_, raw)| Some(seal(*raw))).collect()
    }

    fn personal(&self, _: &Home, _: &[&Resident]) -> Option<Personal> {
        None
    }
}

/// Delivers in no time, or not at all.
struct Post {
    handle: Handle,
    silent: bool,
}

impl Dispatch for Post {
    fn send(&mut self, parcel: Parcel) {
        if !self.silent {
            self.handle.outcome(parcel.notice, parcel.attempt, Outcome::Delivered);
        }
    }
}

struct Nobody;

impl Acknowledge for Nobody {
    fn durable(&mut self, _: &[Token]) {}
}

impl Follow for Nobody {
    fn committed(&mut self, _: u64) {}
}

impl Suspects for Nobody {
    fn working_on(&mut self, _: &[u64]) {}

    fn suspected(&self, _: u64) -> bool {
        false
    }

    fn deadly(&self, _: u64) -> bool {
        false
    }
}

/// A past of three closed alarms.
struct Past;

impl History for Past {
    fn closed(&self, site: &SiteId, before: Option<u64>, limit: usize) -> Vec<serde_json::Value> {
        let numbers = (1_u64..=3).rev().filter(|n| before.is_none_or(|before| *n < before));
        let row = |n| {
            let alarm = AlarmId { site: site.clone(), number: n };
            serde_json::json!({"alarm": {"id": alarm, "kind": "sos"}, "home": {"id": "h0012", "site": site}, "outcome": "helped"})
        };
        numbers.take(limit).map(row).collect()
    }

    fn closed_alarm(&self, alarm: &AlarmId) -> Option<serde_json::Value> {
        self.closed(&alarm.site, Some(alarm.number + 1), 1).pop().filter(|_| alarm.number <= 3)
    }

    fn timeline(&self, _: &AlarmId) -> Vec<serde_json::Value> {
        vec![serde_json::json!({"at": "2026-01-01T00:00:00.000Z", "what": "raised"})]
    }

    fn core_at(&self, _: SiteRules, _: Wall) -> Result<Core, String> {
        Err("there is no journal here".to_owned())
    }

    fn deliveries(&self, _: &SiteId, _: usize) -> Vec<serde_json::Value> {
        vec![serde_json::json!({"outcome": "delivered"})]
    }
}

/// A running console over a running keeper.
pub struct House {
    pub address: SocketAddr,
    pub handle: Handle,
    pub board: Arc<Board>,
    pub clock: Clock,
    pub sick: Arc<AtomicBool>,
    /// The disk takes calls for help only, from the next turn on.
    pub full: Arc<AtomicBool>,
    /// What the first site's journal was given to keep, so far.
    pub turns: Arc<AtomicU64>,
    /// The keeper of the second site, where there is one.
    other: Option<Handle>,
    /// Rung when a device was registered.
    pub news: Arc<tokio::sync::Notify>,
    pub stop: watch::Sender<bool>,
    pub served: Option<tokio::task::JoinHandle<std::io::Result<()>>>,
    keepers: Vec<std::thread::JoinHandle<()>>,
}

/// Where the desk of the first site answers.
pub const DESK_PHONE: &str = "0519-8888 0000";
/// The PIN of every responder who has one.
pub const PIN: &str = "2580";

/// What is kept of it: made once, for it takes its time.
fn pin_hash() -> &'static str {
    static KEPT: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    KEPT.get_or_init(|| hearthwatch::config::pin::hash(PIN).unwrap())
}

/// The links of the house, signed with a key that never changes.
pub fn links() -> Links {
    Links::new(ring::hmac::Key::new(ring::hmac::HMAC_SHA256, b"the key of the house"), "http://localhost")
}

/// What the source `z2m` signs its pushes with.
pub const PUSH_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYqr";

/// How a house differs from the usual.
#[derive(Default)]
pub struct Options {
    /// Webhooks never answer.
    pub silent: bool,
    pub event_streams: Option<usize>,
    pub port: u16,
    pub back_s: i64,
    /// A second site beside the usual one, of one home with a device that is called `h0012-pendant`.
    pub two_sites: bool,
}

impl House {
    pub async fn start(options: Options) -> House {
        let handle = Handle::default();
        let board = Arc::new(Board::default());
        let status = Arc::new(Status::default());
        let clock = Clock::default();
        clock.set_back_s(options.back_s);
        let full = Arc::<AtomicBool>::default();
        let turns = Arc::<AtomicU64>::default();
        let journal = MemoryJournal { turns: turns.clone(), full: full.clone() };
        let ports = |handle: &Handle, journal| Ports {
            ears: Box::new(Words),
            journal: Box::new(journal),
            acknowledge: Box::new(Nobody),
            dispatch: Box::new(Post { handle: handle.clone(), silent: options.silent }),
            follow: Box::new(Nobody),
            suspects: Box::new(Nobody),
            time: Box::new(clock.clone()),
            board: board.clone(),
            status: status.clone(),
        };
        let mut keepers = vec![keeper("zhonglou", ports(&handle, journal), &handle)];
        handle.register(registry()).await.unwrap();
        handle.link(true);
        let sick = Arc::new(AtomicBool::new(false));
        let (stop, shutdown) = watch::channel(false);
        let news = Arc::<tokio::sync::Notify>::default();
        let site = |name: &str, keeper: &Handle| {
            let (keeper, status, news) = (keeper.clone(), status.clone(), news.clone());
            let outcomes = CloseCode::ALL.into_iter().filter(|code| *code != CloseCode::Test).collect();
            Site { id: id(name), keeper, status, news, desk_phone: Some(DESK_PHONE.into()), outcomes }
        };
        let other = options.two_sites.then(Handle::default);
        let mut sites = vec![site("zhonglou", &handle)];
        if let Some(other) = &other {
            let journal = MemoryJournal { turns: Arc::default(), full: Arc::default() };
            keepers.push(keeper("gulou", ports(other, journal), other));
            other.register(registry_of_the_other()).await.unwrap();
            sites.push(site("gulou", other));
        }
        let desk = desk(sites, board.clone(), clock.clone(), sick.clone(), shutdown.clone(), options.event_streams);
        let listener = TcpListener::bind(("127.0.0.1", options.port)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let served = Some(tokio::spawn(serve(listener, router(desk), shutdown)));
        House { address, handle, board, clock, sick, full, turns, news, stop, served, other, keepers }
    }

    /// A device of a home says something; returns when the keeper has heard it and the board shows it.
    pub async fn say(&self, topic: &str, word: &str) {
        self.mutter(topic, word);
        self.settle().await;
    }

    /// A device says something, and nobody waits for it.
    pub fn mutter(&self, topic: &str, word: &str) {
        self.handle.deliver(Delivery {
            lane: Lane::Life,
            topic: topic.into(),
            payload: word.to_owned().into(),
            retain: false,
            dup: false,
            copy: false,
            token: None,
        });
    }

    /// Returns when the keeper has done what waited, and what came of it.
    pub async fn settle(&self) {
        for _ in 0..3 {
            self.handle.ask(|_| ()).await.unwrap();
        }
    }

    /// Lets the keeper leave; the console stays.
    pub fn keeper_leaves(&mut self) {
        self.handle.stop();
        self.other.iter().for_each(Handle::stop);
        self.keepers.drain(..).for_each(|keeper| drop(keeper.join()));
    }
}

impl Drop for House {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
        self.keeper_leaves();
    }
}

fn desk(
    sites: Vec<Site>,
    board: Arc<Board>,
    clock: Clock,
    sick: Arc<AtomicBool>,
    shutdown: watch::Receiver<bool>,
    event_streams: Option<usize>,
) -> Desk {
    let account = |name: &str, role, token: &str| Account { name: id(name), role, token: token.into() };
    let readiness = move || {
        let ok = !sick.load(Ordering::Relaxed);
        let part = |name: &str, ok, detail: &str| Part { name: name.into(), ok, detail: detail.into() };
        vec![
            part("subscribed", ok, if ok { "life, bulk" } else { "no link to the broker" }),
            part("journal", true, "31 GB free"),
            part("keeper", true, "turned 0.2 s ago"),
        ]
    };
    Desk {
        sites,
        board,
        accounts: vec![account("张敏", Role::Operator, TOKEN), account("wall", Role::Viewer, VIEWER)],
        vault: Arc::new(Glass),
        history: Arc::new(Past),
        readiness: Arc::new(readiness),
        metrics: Arc::new(|| "hearthwatch_messages_total 7\n".into()),
        now: Arc::new(move || clock.read()),
        shutdown,
        event_streams: event_streams.unwrap_or(200),
        pushes: vec![PushSource {
            source: id("z2m"),
            site: id("zhonglou"),
            secrets: Secrets::parse(PUSH_SECRET).unwrap(),
        }],
        links: links(),
    }
}

/// A keeper of a site, in a thread of its own.
fn keeper(site: &str, ports: Ports, handle: &Handle) -> std::thread::JoinHandle<()> {
    let (rules, handle) = (rules(site), handle.clone());
    std::thread::spawn(move || {
        let mut core = Core::new(rules, Arc::new(Glass));
        core.ready();
        Keeper::new(core, 0, ports, handle).run().unwrap();
    })
}

fn rules(site: &str) -> SiteRules {
    let ladders = [("life", "life"), ("welfare", "welfare"), ("property", "welfare")];
    let ladder: BTreeMap<Box<str>, LadderId> =
        ladders.into_iter().map(|(word, ladder)| (word.into(), id(ladder))).collect();
    let zone = jiff::tz::TimeZone::get("Asia/Shanghai").unwrap();
    // Nobody is there to be told at the other site, which is no matter here.
    let people = (site == "gulou").then_some(0);
    let rules = RulesPatch { ladder, responders_life: people, responders_welfare: people, ..RulesPatch::default() };
    SiteRules { site: id(site), zone, rules }
}

fn registry_of_the_other() -> Vec<Entity> {
    let home = Home::new(id("g1"), id("gulou"));
    let device = serde_json::json!({"id": "h0012-pendant", "home": "g1", "source": "other", "address": "g1/pendant"});
    vec![Entity::Home(home), Entity::Device(serde_json::from_value(device).unwrap())]
}

fn registry() -> Vec<Entity> {
    let site: SiteId = id("zhonglou");
    let channel = |name: &str| {
        let json = serde_json::json!({"id": name, "site": "zhonglou", "dialect": "standard", "url": "http://127.0.0.1:1/", "secret": "env:X",
            "medium": if name == "desk" { "webhook" } else { "voice" }});
        Entity::Channel(serde_json::from_value(json).unwrap())
    };
    let person = |name: &str, channel: &str, shown: &str, pin: &str| {
        let (name, shown, pin) = (id(name), shown.into(), pin.into());
        let details = seal(&ResponderDetails { name: shown, phone: "13900000000".into(), pin });
        Entity::Responder(Responder { id: name, site: site.clone(), channels: vec![id(channel)], details })
    };
    let responder = |name: &str, channel: &str| person(name, channel, name, pin_hash());
    let rung = |name: &str, to: &str, wait_s| Rung { name: name.into(), to: vec![id(to)], wait_s, rotas: Vec::new() };
    let ladder = |name: &str, rungs| Entity::Ladder(Ladder { id: id(name), site: site.clone(), rungs, repeat_s: 120 });
    let mut all =
        vec![channel("desk"), channel("deputy-voice"), responder("desk", "desk"), responder("deputy", "deputy-voice")];
    all.push(person("zhangmin", "desk", "张敏", pin_hash()));
    all.push(person("liqiang", "desk", "李强", ""));
    all.push(ladder("life", vec![rung("值班员", "desk", 60), rung("副班", "deputy", 120)]));
    all.push(ladder("welfare", vec![rung("社区网格员", "desk", 900), rung("副班", "deputy", 900)]));
    all.extend(homes(&site));
    all
}

const HOMES: [(&str, &str, &str, &str, u16, &str); 12] = [
    ("h0012", "翠竹社区", "3幢", "王秀英", 1942, "stick"),
    ("h0487", "翠竹社区", "5幢", "李国强", 1938, "walker"),
    ("h0231", "钟楼新村", "12幢", "陈桂芳", 1945, "walks"),
    ("h0733", "清潭二村", "41幢", "赵德明", 1935, "wheelchair"),
    ("h1042", "荷花池", "7幢", "周玉兰", 1948, "walks"),
    ("h0090", "翠竹社区", "9幢", "吴建国", 1940, "walks"),
    ("h0311", "西新桥", "22幢", "孙美珍", 1937, "bed"),
    ("h0555", "花园新村", "16幢", "朱永福", 1944, "stick"),
    ("h0612", "勤业一村", "8幢", "胡秀珍", 1941, "walks"),
    ("h0820", "清潭五村", "30幢", "林志华", 1946, "walks"),
    ("h0940", "白云新村", "11幢", "何桂英", 1939, "walker"),
    ("h0099", "白云新村", "2幢", "郭凤英", 1943, "walks"),
];

fn homes(site: &SiteId) -> Vec<Entity> {
    HOMES
        .iter()
        .flat_map(|(name, community, block, person, birth_year, mobility)| {
            let details = HomeDetails {
                address: format!("常州市钟楼区{community}{block}乙单元502室"),
                floor: "5".into(),
                gate_code: "2580#".into(),
                keyholder: "对门 501 刘阿姨".into(),
                keyholder_phone: "138 1234 5678".into(),
                inner_bolt: true,
                dog: *name == "h0012",
                contact1_name: "王建华".into(),
                contact1_phone: "137 6543 2100".into(),
                contact1_relation: "儿子".into(),
                contact2_name: "王丽".into(),
                contact2_phone: "136 0000 1111".into(),
                contact2_relation: "女儿（上海）".into(),
                forced_entry_consent: if *name == "h0487" { String::new() } else { "2025-03-18".into() },
                monitoring_consent: "2025-03-18".into(),
                notes: "敲门要久一点，她走得慢。".into(),
            };
            let home = Home {
                community: Some((*community).into()),
                block: Some((*block).into()),
                details: Some(seal(&details)),
                ..Home::new(id(name), site.clone())
            };
            let details = seal(&ResidentDetails {
                name: (*person).into(),
                phone: "0519-8888 0012".into(),
                birth_year: Some(*birth_year),
                mobility: (*mobility).into(),
                hard_of_hearing: true,
                diagnoses: "高血压、2型糖尿病，服用华法林".into(),
                ..ResidentDetails::default()
            });
            let resident = Resident { id: id(&format!("{name}-1")), home: id(name), details };
            let device = |room: &str| Device {
                profile: None,
                id: id(&format!("{name}-{room}")),
                home: id(name),
                source: id("z2m"),
                address: id(&format!("{name}/{room}")),
                room: room.into(),
                model: "".into(),
                life: room == "button",
            };
            let mut all = vec![Entity::Home(home), Entity::Resident(resident)];
            all.extend(["bedroom", "kitchen", "bathroom"].map(|room| Entity::Device(device(room))));
            all
        })
        .collect()
}

/// What came of a request.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub text: String,
}

impl Reply {
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e}: {}", self.text))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The reason of a problem document, which it has to be.
    pub fn problem(&self) -> String {
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        let json = self.json();
        assert_eq!(json["status"], self.status);
        for member in ["type", "title", "detail"] {
            assert!(json[member].as_str().is_some_and(|text| !text.is_empty()), "{member}: {json}");
        }
        json["reason"].as_str().unwrap().to_owned()
    }
}

/// A client that follows no redirect and has no cookies of its own.
pub fn client() -> reqwest::Client {
    static ONCE: Mutex<bool> = Mutex::new(false);
    let mut done = ONCE.lock().unwrap();
    if !std::mem::replace(&mut *done, true) {
        rustls::crypto::ring::default_provider().install_default().unwrap();
    }
    reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap()
}

impl House {
    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// A request with these headers.
    pub async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        let mut request = client().request(method.parse().unwrap(), self.url(path)).body(body.to_owned());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Reply { status, headers, text: response.text().await.unwrap() }
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.send("GET", path, &[("authorization", &format!("Bearer {TOKEN}"))], "").await
    }

    pub async fn post(&self, path: &str, body: &str) -> Reply {
        self.send("POST", path, &[("authorization", &format!("Bearer {TOKEN}"))], body).await
    }

    /// Signs in as a browser does; gives the cookie.
    pub async fn cookie(&self) -> String {
        let form = format!("name={}&token={TOKEN}", "%E5%BC%A0%E6%95%8F");
        let origin = format!("http://{}", self.address);
        let headers = [("content-type", "application/x-www-form-urlencoded"), ("origin", origin.as_str())];
        let reply = self.send("POST", "/sign-in", &headers, &form).await;
        assert_eq!((reply.status, reply.header("location")), (303, "/"), "{}", reply.text);
        reply.header("set-cookie").split(';').next().unwrap().to_owned()
    }

    /// Follows the events.
    pub async fn events(&self, last: Option<&str>) -> Stream {
        let mut request = client().get(self.url("/api/v1/events")).bearer_auth(TOKEN);
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        Stream { response: request.send().await.unwrap(), bytes: Vec::new() }
    }
}

/// A stream of events.
pub struct Stream {
    pub response: reqwest::Response,
    bytes: Vec<u8>,
}

impl Stream {
    /// The next event that is no beat: name, id, data. None where the stream has ended.
    pub async fn next(&mut self) -> Option<(String, String, serde_json::Value)> {
        loop {
            while let Some(end) = self.bytes.windows(2).position(|two| two == b"\n\n") {
                let event = String::from_utf8(self.bytes.drain(..end + 2).collect()).unwrap();
                let field = |name: &str| {
                    event.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim().to_owned()
                };
                if field("event:") != "beat" {
                    return Some((field("event:"), field("id:"), serde_json::from_str(&field("data:")).unwrap()));
                }
            }
            let chunk = tokio::time::timeout(std::time::Duration::from_secs(20), self.response.chunk()).await;
            self.bytes.extend(chunk.expect("an event within 20 s").ok()??);
        }
    }
}
