//! The console: HTTP API, events, sign-in, and the page that an operator looks at all night.
//!
//! Reading order: [`Desk`] (what it is given), [`router`] (every path that exists), `gate` (who may), `guard` (what holds for every
//! request), `alarms` (lists and acts), `events` (what changes, as it changes), `homes` (the registry as JSON), `quarantine` (unknown
//! devices and their claim), `suppressions` (who is away), `visits` and `cold_waves` (what caseworkers owe), `duty` (who is told), `walk`
//! (the test of a home), `devices` (their health), `health` (the service's), `channels` (how each does, and its test), `respond` (the page
//! behind a notice's link), `answers` (what providers of calls hand on), `pages`, `places` (those beside the desk) and `words` (every text in
//! both languages). A request that fails is answered by a `problem` document.
//!
//! **Nothing in here decides anything.** What a person does goes to the keeper and is answered after its sync; what is open is read
//! from the board's memory; what is past is asked of [`History`]. No reading waits for the keeper's disk, and no page for a reader.
//! **Nothing in here writes down** a token, a cookie or personal data.

mod alarms;
mod answers;
mod channels;
mod cold_waves;
mod devices;
mod door;
mod duty;
mod events;
mod explain;
mod gate;
mod guard;
mod health;
mod homes;
mod ingest;
mod notices;
mod once;
mod outages;
mod pages;
mod places;
mod presence;
mod problem;
mod quarantine;
mod respond;
mod suppressions;
mod visits;
mod walk;
mod words;

pub use gate::Account;
pub use health::Part;
pub use ingest::PushSource;

use crate::engine::alarm::CloseCode;
use crate::engine::id::{AlarmId, HomeId, SiteId};
use crate::engine::policy::SiteRules;
use crate::engine::registry::{Home, HomeDetails, Resident, ResidentDetails, Responder, ResponderDetails};
use crate::engine::sealed::Sealed;
use crate::engine::time::{Tick, Wall};
use crate::keeper::board::{Board, Shown};
use crate::keeper::core::Core;
use crate::keeper::inbox::Handle;
use crate::keeper::turn::Status;
use crate::wire::respond::Links;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{MethodRouter, get, post};
use problem::Problem;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};

/// The largest body that is read.
const MAX_BODY_BYTES: usize = 64 * 1024;
/// How long streams and requests under way may take to end once the service stops.
const GRACE: Duration = Duration::from_secs(5);

/// A site that the console serves.
#[derive(Clone)]
pub struct Site {
    pub id: SiteId,
    pub keeper: Handle,
    pub status: Arc<Status>,
    /// Rung when a device was registered: what the site listens to has to follow.
    pub news: Arc<Notify>,
    /// Where the desk answers at any hour.
    pub desk_phone: Option<String>,
    /// By what outcomes alarms are closed here.
    pub outcomes: Vec<CloseCode>,
}

/// Opens what is personal, and seals what is written down here. None where the keys are gone: the person was erased.
pub trait Open: Send + Sync {
    fn home(&self, home: &Home) -> Option<HomeDetails>;
    fn resident(&self, resident: &Resident) -> Option<ResidentDetails>;
    fn responder(&self, responder: &Responder) -> Option<ResponderDetails>;
    /// Seals a note under the key of its home.
    fn seal_note(&self, home: &HomeId, text: &str) -> Option<Sealed<String>>;
    /// Opens one.
    fn note(&self, home: &HomeId, sealed: &Sealed<String>) -> Option<String>;
}

/// What is past. Asked on a thread that may block; may know nothing yet, or nothing any more.
pub trait History: Send + Sync {
    /// Closed alarms of a site, the newest first, older than number `before` where given; at most `limit`.
    fn closed(&self, site: &SiteId, before: Option<u64>, limit: usize) -> Vec<Value>;
    /// One closed alarm.
    fn closed_alarm(&self, alarm: &AlarmId) -> Option<Value>;
    /// What happened to an alarm, in order; empty where nothing is known of it.
    fn timeline(&self, alarm: &AlarmId) -> Vec<Value>;
    /// The latest attempts to deliver a notice, the newest first; at most `limit`.
    fn deliveries(&self, site: &SiteId, limit: usize) -> Vec<Value>;
    /// The site of these rules as it stood then; else why that cannot be told, as a sentence. One at a time: it is work.
    fn core_at(&self, rules: SiteRules, at: Wall) -> Result<Core, String>;
}

/// All that the console is given.
pub struct Desk {
    pub sites: Vec<Site>,
    pub board: Arc<Board>,
    pub accounts: Vec<Account>,
    pub vault: Arc<dyn Open>,
    pub history: Arc<dyn History>,
    /// The parts that have to work, each with whether it does: subscribed, journal writable, keeper turning.
    pub readiness: Arc<dyn Fn() -> Vec<Part> + Send + Sync>,
    /// The metrics in the text format of Prometheus.
    pub metrics: Arc<dyn Fn() -> String + Send + Sync>,
    /// The time: the console reads no clock.
    pub now: Arc<dyn Fn() -> (Tick, Wall) + Send + Sync>,
    /// Turns true, or loses its sender, when the service stops: streams of events end then.
    pub shutdown: watch::Receiver<bool>,
    /// Consoles that follow events at once, e.g. 200.
    pub event_streams: usize,
    /// The sources that may push messages over HTTP.
    pub pushes: Vec<PushSource>,
    /// The links by which notices are answered.
    pub links: Links,
}

/// What the handlers share.
struct Room {
    sites: Vec<Site>,
    board: Arc<Board>,
    vault: Arc<dyn Open>,
    history: Arc<dyn History>,
    readiness: Arc<dyn Fn() -> Vec<Part> + Send + Sync>,
    metrics: Arc<dyn Fn() -> String + Send + Sync>,
    now: Arc<dyn Fn() -> (Tick, Wall) + Send + Sync>,
    shutdown: watch::Receiver<bool>,
    gate: gate::Gate,
    events: events::Events,
    present: presence::Present,
    answers: once::Once,
    pushes: Vec<PushSource>,
    /// Apart from people's: a cloud that pushes much makes nobody's key forgotten.
    pushed: once::Once,
    /// Held while a device is being claimed.
    claims: tokio::sync::Mutex<()>,
    counted: devices::Counted,
    links: Links,
    porch: respond::Porch,
}

type Shared = Arc<Room>;

impl Room {
    fn tick(&self) -> Tick {
        (self.now)().0
    }

    fn wall(&self) -> Wall {
        (self.now)().1
    }

    fn site(&self, id: &SiteId) -> Option<&Site> {
        self.sites.iter().find(|site| &site.id == id)
    }

    /// The sites that a query means: the one named, or all.
    fn sites_of(&self, named: Option<&str>) -> Result<&[Site], Problem> {
        let Some(name) = named else { return Ok(&self.sites) };
        let place = self.sites.iter().position(|site| site.id.as_str() == name);
        place
            .map(|i| &self.sites[i..=i])
            .ok_or_else(|| Problem::not_found("no_such_site", "There is no site of this id."))
    }

    /// What the first site that knows an answer says, with the site's place.
    async fn found<T: Send + 'static>(
        &self,
        question: impl Fn(&Core) -> Option<T> + Clone + Send + 'static,
    ) -> Result<Option<(usize, T)>, Problem> {
        for (place, site) in self.sites.iter().enumerate() {
            if let Some(answer) = site.keeper.ask(question.clone()).await? {
                return Ok(Some((place, answer)));
            }
        }
        Ok(None)
    }

    /// Asks the past, on a thread that may block.
    async fn past<T: Send + 'static>(
        &self,
        question: impl FnOnce(&dyn History) -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let history = self.history.clone();
        let asked = tokio::task::spawn_blocking(move || question(&*history)).await;
        asked.map_err(|_| {
            Problem::unavailable("history_failed", "The past could not be read; open alarms do not depend on it.")
        })
    }
}

/// Every path that exists, with its methods: what the router is built of, and what `openapi.json` is held against.
fn routes() -> Vec<(&'static str, &'static [&'static str], MethodRouter<Shared>)> {
    vec![
        ("/healthz", &["get"], get(health::alive)),
        ("/readyz", &["get"], get(health::ready)),
        ("/metrics", &["get"], get(health::metrics)),
        ("/api/openapi.json", &["get"], get(pages::openapi)),
        ("/api/v1/alarms", &["get"], get(alarms::list)),
        ("/api/v1/alarms/{id}", &["get"], get(alarms::one)),
        ("/api/v1/alarms/{id}/{act}", &["post"], post(alarms::act)),
        ("/api/v1/events", &["get"], get(events::follow)),
        ("/api/v1/homes", &["get"], get(homes::list)),
        ("/api/v1/homes/{id}", &["get"], get(homes::one)),
        ("/api/v1/homes/{id}/health", &["get"], get(devices::of_home)),
        ("/api/v1/homes/{id}/walk-test", &["get", "post"], get(walk::show).post(walk::order)),
        ("/api/v1/homes/{id}/explain", &["get"], get(explain::home)),
        ("/api/v1/homes/{id}/who", &["get"], get(duty::who)),
        ("/api/v1/rotas/{id}/duty", &["get"], get(duty::rota)),
        ("/api/v1/duty", &["get"], get(duty::all)),
        ("/api/v1/homes/{id}/looked", &["post"], post(outages::looked)),
        ("/api/v1/health", &["get"], get(devices::visits)),
        ("/api/v1/outages", &["get"], get(outages::list)),
        ("/api/v1/suppressions", &["get"], get(suppressions::list)),
        (
            "/api/v1/suppressions/{id}",
            &["get", "put", "delete"],
            get(suppressions::one).put(suppressions::put).delete(suppressions::end),
        ),
        ("/api/v1/visits", &["get"], get(visits::list)),
        ("/api/v1/visits/{id}", &["get", "put", "delete"], get(visits::one).put(visits::put).delete(visits::take_back)),
        (
            "/api/v1/cold-waves/{site}",
            &["get", "put", "delete"],
            get(cold_waves::one).put(cold_waves::put).delete(cold_waves::end),
        ),
        ("/api/v1/channels", &["get"], get(channels::list)),
        ("/api/v1/channels/{id}/test", &["post"], post(channels::test)),
        ("/api/v1/channels/{id}/confirm", &["post"], post(channels::confirm)),
        ("/api/v1/quarantine", &["get"], get(quarantine::list)),
        ("/api/v1/quarantine/{id}/claim", &["post"], post(quarantine::claim)),
        ("/api/v1/notices", &["get"], get(notices::list)),
        ("/api/v1/ingest/{source}", &["post"], post(ingest::push).layer(DefaultBodyLimit::max(ingest::MAX_BODY_BYTES))),
        (
            "/api/v1/answers/{channel}",
            &["post"],
            post(answers::hear).layer(DefaultBodyLimit::max(answers::MAX_BODY_BYTES)),
        ),
        ("/r", &["get"], get(respond::open)),
        ("/r/look", &["post"], post(respond::look)),
        ("/r/identify", &["post"], post(respond::identify)),
        ("/r/act/{button}", &["post"], post(respond::act)),
        ("/r/leave", &["post"], post(respond::leave)),
        ("/", &["get"], get(pages::console)),
        ("/quarantine", &["get"], get(places::quarantine)),
        ("/health", &["get"], get(places::health)),
        ("/outages", &["get"], get(places::outages)),
        ("/away", &["get"], get(places::away)),
        ("/duty", &["get"], get(places::duty)),
        ("/visits", &["get"], get(places::visits)),
        ("/homes/{id}/walk-test", &["get"], get(places::walk)),
        ("/sign-in", &["get", "post"], get(pages::sign_in).post(pages::signed_in)),
        ("/sign-out", &["post"], post(pages::sign_out)),
        ("/assets/{name}", &["get"], get(pages::asset)),
    ]
}

/// The console of a desk. Give it to [`serve`], or put it into a router of one's own.
pub fn router(desk: Desk) -> Router {
    let Desk {
        sites,
        board,
        accounts,
        vault,
        history,
        readiness,
        metrics,
        now,
        shutdown,
        event_streams,
        pushes,
        links,
    } = desk;
    let gate = gate::Gate::new(accounts);
    let events = events::Events::new(&board, event_streams);
    let (answers, pushed, claims, counted, porch, present) = Default::default();
    let room = Room {
        sites,
        board,
        vault,
        history,
        readiness,
        metrics,
        now,
        shutdown,
        gate,
        events,
        answers,
        pushes,
        pushed,
        claims,
        counted,
        links,
        porch,
        present,
    };
    let all = routes().into_iter().fold(Router::new(), |all, (path, _, methods)| all.route(path, methods));
    all.fallback(async || {
        Problem::not_found("no_such_path", "Nothing is served under this path; see /api/openapi.json.")
    })
    .method_not_allowed_fallback(async || Problem::method_not_allowed())
    .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
    .layer(axum::middleware::from_fn(guard::every))
    .with_state(Arc::new(room))
}

/// Serves until `shutdown` turns true or its sender is gone, then lets what is under way end, for five seconds at most.
///
/// # Errors
/// Where the listener fails.
pub async fn serve(listener: TcpListener, router: Router, shutdown: watch::Receiver<bool>) -> std::io::Result<()> {
    let service = router.into_make_service_with_connect_info::<door::Address>();
    let server = axum::serve(door::Door::new(listener), service).with_graceful_shutdown(stopped(shutdown.clone()));
    tokio::select! {
        ended = server.into_future() => ended,
        () = async { stopped(shutdown).await; tokio::time::sleep(GRACE).await } => Ok(()),
    }
}

/// Waits until the service stops.
async fn stopped(mut shutdown: watch::Receiver<bool>) {
    // A sender that is gone means the same.
    let _ = shutdown.wait_for(|stop| *stop).await;
}
