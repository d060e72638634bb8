//! The wiring: takes the rooms apart and together. Everything that runs is started, watched and stopped here.
//!
//! One keeper thread, journal and pair of MQTT sessions per site; one store, one courier, one console for all. A task or thread that
//! ends before it was told to ends the process with a clear last line.

mod adapters;
pub mod admin;
mod desk;
mod past;
pub mod registry;
mod site;
mod suspects;
mod watch;

pub use adapters::{CourierPort, KeyVault, Listener, profiles, sources_of};
pub use desk::console;
pub use site::{Opened, Recovery, contents, feed, open_site, recover};
pub use suspects::SuspectsFile;

use crate::clock::{Clock, SystemClock};
use crate::config::{Config, Secret};
use crate::courier::{Courier, Settings as CourierSettings};
use crate::engine::id::SiteId;
use crate::engine::kind::AlarmKind;
use crate::engine::registry::Entity;
use crate::journal::vault::{Vault, VaultError};
use crate::keeper::board::Board;
use crate::keeper::core::gateway;
use crate::keeper::inbox::Handle;
use crate::keeper::ports::{Acknowledge, Follow, Lane};
use crate::keeper::turn::{Keeper, Ports, Status};
use crate::mqtt::{self, LaneFilters, LinkState, Sessions};
use crate::store::{self, Store};
use crate::wire::respond::Links;
use crate::wire::webhook::Desk;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use tokio::sync::{mpsc, watch as signal};
use tracing::{error, info, warn};

/// Why the service cannot start or go on, with what to do about it.
#[derive(Debug)]
pub struct Fatal(pub String);

impl fmt::Display for Fatal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Fatal {}

/// Gives an error its context.
pub fn because<E: fmt::Display>(what: &'static str) -> impl FnOnce(E) -> Fatal {
    move |e| Fatal(format!("{what}: {e}"))
}

/// What is particular to a run beside its configuration.
#[derive(Default)]
pub struct Extras {
    /// Starts with this registry, where the data are new (the demo).
    pub registry: BTreeMap<SiteId, Vec<Entity>>,
    /// The program that tries to open the store first; none trusts the folder.
    pub probe: Option<(std::path::PathBuf, Vec<String>)>,
    /// The vault, where it is open already.
    pub vault: Option<Arc<Vault>>,
}

/// One site at work.
pub struct RunningSite {
    pub id: SiteId,
    pub handle: Handle,
    pub status: Arc<Status>,
    pub sessions: Sessions,
    clock: Arc<SystemClock>,
    filters: signal::Sender<LaneFilters>,
    listener: Arc<Listener>,
}

/// The service at work.
pub struct Running {
    pub config: Arc<Config>,
    pub sites: Arc<Vec<RunningSite>>,
    pub board: Arc<Board>,
    pub vault: Arc<Vault>,
    pub store: Option<Store>,
    pub courier: Courier,
    /// The links by which notices are answered.
    pub links: Links,
    /// What a stop waits for.
    parts: Mutex<Parts>,
}

/// Says which part ended that should not have, and why.
pub type Ended = mpsc::Receiver<String>;

#[derive(Default)]
struct Parts {
    courier: Option<tokio::task::JoinHandle<()>>,
    sessions: Vec<tokio::task::JoinHandle<()>>,
    threads: Vec<std::thread::JoinHandle<()>>,
    discovery: Vec<tokio::task::JoinHandle<()>>,
}

/// Opens the vault: a missing one is made only where there is no journal yet.
pub fn open_vault(config: &Config) -> Result<Arc<Vault>, Fatal> {
    use crate::journal::vault::SystemSource;
    let path = config.service.keys_dir.join("keys");
    let disk = Arc::new(crate::journal::RealDisk);
    let random = Box::new(SystemSource);
    let known = path.exists() || config.service.data_dir.join("journal").exists();
    let opened = match known {
        true => Vault::load(disk, &path, random),
        false => Vault::create(disk, &path, random),
    };
    let remedy = match known {
        true => ". Without the keys nothing personal can be read; bring the file back from the backup",
        false => "",
    };
    opened.map(Arc::new).map_err(|e| Fatal(format!("{}: {e}{remedy}", path.display())))
}

/// Whose key in the vault signs the links by which notices are answered. No id has a control character, so nobody's is meant.
const LINKS: &str = "service\nrespond links";

/// The links of the service; their key is made at the first start, and lies with the others.
fn links(config: &Config, vault: &Vault) -> Result<Links, VaultError> {
    vault.ensure(&[LINKS])?;
    Ok(Links::new(vault.signing_key(LINKS)?, &config.service.public_url))
}

/// Starts everything but the console.
///
/// # Errors
/// Where the data or a configured file cannot be used; the text says which and what to do.
pub async fn start(config: Config, extras: Extras) -> Result<(Arc<Running>, Ended), Fatal> {
    let config = Arc::new(config);
    std::fs::create_dir_all(&config.service.data_dir).map_err(because("the data directory cannot be made"))?;
    desk::recorder();
    let vault = match extras.vault.clone() {
        Some(vault) => vault,
        None => open_vault(&config)?,
    };
    let board = Arc::new(Board::default());
    let (report, ended) = mpsc::channel(16);
    let mut opened = Vec::new();
    for site in config.sites.values() {
        opened.push(open_site(&config, site, vault.clone())?);
    }
    let handles: BTreeMap<SiteId, Handle> = opened.iter().map(|o| (o.id.clone(), Handle::default())).collect();
    let (store, opened_as, mut followers, store_thread) = open_store(&config, &extras, &mut opened);
    let links = links(&config, &vault).map_err(because("the key of the links"))?;
    let (courier, courier_task) = start_courier(&config, &links, handles.clone(), &report);
    let mut sites = Vec::new();
    let mut hands = Hands {
        config: &config,
        board: &board,
        courier: &courier,
        report: &report,
        threads: Vec::new(),
        sessions: Vec::new(),
    };
    for site in opened {
        let handle = handles[&site.id].clone();
        let (id, fresh, notes) = (site.id.clone(), site.sequence == 0, site.notes.clone());
        board.show(site.shown.clone());
        let follow: Box<dyn Follow> =
            if followers.is_empty() { Box::new(NobodyFollows) } else { Box::new(followers.remove(0)) };
        let running = hands.start_site(site, &handle, follow)?;
        for note in notes.into_iter().chain(opened_as.clone()) {
            warn!(site = %id, "{note}");
            handle.own_alarm(gateway(&id), AlarmKind::StoreRebuilt, note);
        }
        if let (true, Some(entities)) = (fresh, extras.registry.get(&id)) {
            handle.register(entities.clone()).await.map_err(because("the registry"))?;
        }
        sites.push(running);
    }
    let Hands { mut threads, sessions, .. } = hands;
    threads.extend(store_thread);
    let sites = Arc::new(sites);
    let discovery = discovery(&sites, &courier);
    let parts = Mutex::new(Parts { courier: Some(courier_task), sessions, threads, discovery });
    let running = Arc::new(Running { config, sites, board, vault, store, courier, links, parts });
    for site in running.sites.iter() {
        site.renew(&running.courier).await.map_err(because("the registry"))?;
    }
    Ok((running, ended))
}

type StoreParts = (Option<Store>, Option<String>, Vec<store::Follower>, Option<std::thread::JoinHandle<()>>);

fn open_store(config: &Config, extras: &Extras, sites: &mut [Opened]) -> StoreParts {
    let mut options = store::Options::new(config.store_dir());
    options.cache_bytes = u64::from(config.limits.store_cache_mib) << 20;
    options.probe = extras.probe.clone();
    let followed = sites.iter_mut().map(Opened::follow).collect();
    let stamp = crate::clock::stamp_for_names();
    match store::start(&options, &stamp, followed) {
        Ok((store, opened, followers, thread)) => {
            let note = match opened {
                store::Opened::Sound => None,
                store::Opened::Anew(why) => Some(format!("the store is built anew from the journal, since {why}")),
            };
            (Some(store), note, followers, Some(thread))
        }
        Err(why) => {
            (None, Some(format!("there is no store for now, past alarms cannot be looked up: {why}")), Vec::new(), None)
        }
    }
}

/// How long discovery messages are gathered before what they told is subscribed to: a broker gives all that it retained at once.
const DISCOVERY_GATHERS: std::time::Duration = std::time::Duration::from_secs(1);

/// Subscribes each site to what its devices tell of their topics.
#[expect(clippy::disallowed_methods, reason = "does nothing that anybody waits for, and is aborted at a stop")]
fn discovery(sites: &Arc<Vec<RunningSite>>, courier: &Courier) -> Vec<tokio::task::JoinHandle<()>> {
    let of_site = |at: usize| {
        let (sites, courier) = (sites.clone(), courier.clone());
        tokio::spawn(async move {
            loop {
                sites[at].listener.news.notified().await;
                tokio::time::sleep(DISCOVERY_GATHERS).await;
                // Without a keeper the process is leaving.
                let Ok(()) = sites[at].renew(&courier).await else { return };
            }
        })
    };
    (0..sites.len()).map(of_site).collect()
}

struct NobodyFollows;

impl Follow for NobodyFollows {
    fn committed(&mut self, _: u64) {}
}

fn start_courier(
    config: &Config,
    links: &Links,
    handles: BTreeMap<SiteId, Handle>,
    report: &mpsc::Sender<String>,
) -> (Courier, tokio::task::JoinHandle<()>) {
    let mut settings = CourierSettings::new(crate::clock::wall_now);
    settings.desks = config.sites.values().map(|site| (site.id.clone(), desk_of(links, site))).collect();
    settings.secrets_dir = config.service.secrets_dir.clone();
    let on_outcome = Arc::new(move |notice: crate::engine::id::NoticeId, attempt, outcome| {
        if let Some(handle) = handles.get(&notice.alarm.site) {
            handle.outcome(notice, attempt, outcome);
        }
    });
    let (courier, task) = Courier::start(settings, on_outcome);
    (courier, watch::task("courier", task, report.clone()))
}

/// What the notices of a site say besides what they are about.
fn desk_of(links: &Links, site: &crate::config::Site) -> Desk {
    Desk { links: Some(links.clone()), zone: site.zone.clone(), phone: site.desk_phone.clone() }
}

/// What starting a site needs, and what it leaves to be waited for.
struct Hands<'a> {
    config: &'a Config,
    board: &'a Arc<Board>,
    courier: &'a Courier,
    report: &'a mpsc::Sender<String>,
    threads: Vec<std::thread::JoinHandle<()>>,
    sessions: Vec<tokio::task::JoinHandle<()>>,
}

impl Hands<'_> {
    fn start_site(&mut self, site: Opened, handle: &Handle, follow: Box<dyn Follow>) -> Result<RunningSite, Fatal> {
        let listener = Arc::new(Listener::new(sources_of(self.config, &site.id), self.config.mqtt.life_topics.clone()));
        listener.renew(&site.core.site.registry);
        let (filters, wanted) = signal::channel(listener.filters(&site.core.site.registry));
        let settings = adapters::mqtt_settings(self.config, &site.id)?;
        let (sessions, tasks) = mqtt::start(settings, wanted, hooks(handle)).map_err(because("mqtt"))?;
        self.sessions.extend(tasks.into_iter().map(|t| watch::task(t.name, t.handle, self.report.clone())));
        let status: Arc<Status> = Arc::default();
        let clock = site.time.clock.clone();
        let ports = Ports {
            ears: Box::new(listener.ears()),
            journal: Box::new(site.log),
            acknowledge: Box::new(sessions.clone()) as Box<dyn Acknowledge>,
            dispatch: Box::new(CourierPort(self.courier.clone())),
            follow,
            suspects: Box::new(site.suspects),
            time: Box::new(site.time),
            board: self.board.clone(),
            status: status.clone(),
        };
        let keeper = Keeper::new(site.core, site.sequence, ports, handle.clone());
        let work = move || keeper.run().map_err(|e| e.to_string());
        let name = format!("keeper {}", site.id);
        self.threads.push(watch::thread(name, work, self.report.clone()).map_err(because("the keeper"))?);
        Ok(RunningSite { id: site.id, handle: handle.clone(), status, sessions, clock, filters, listener })
    }
}

fn hooks(handle: &Handle) -> mqtt::Hooks {
    let (deliver, link) = (handle.clone(), handle.clone());
    mqtt::Hooks {
        on_delivery: Arc::new(move |delivery| deliver.deliver(delivery)),
        on_link: Arc::new(move |lane, state| {
            if lane == Lane::Bulk {
                link.link(state != LinkState::Down);
            }
        }),
    }
}

impl RunningSite {
    /// After a change of the registry: what the life session listens to, and the channels' clients.
    pub async fn renew(&self, courier: &Courier) -> Result<(), crate::keeper::inbox::Gone> {
        let listener = self.listener.clone();
        let (wanted, channels) = self
            .handle
            .ask(move |core| {
                let registry = &core.site.registry;
                listener.renew(registry);
                (listener.filters(registry), registry.channels.values().cloned().collect::<Vec<_>>())
            })
            .await?;
        self.filters.send_if_modified(|now| std::mem::replace(now, wanted.clone()) != wanted);
        for channel in channels {
            courier.prepare(Arc::new(channel));
        }
        Ok(())
    }

    /// How long ago the keeper last turned, in milliseconds; it does so every second.
    pub fn idle_ms(&self) -> u64 {
        self.clock.now().0.0.saturating_sub(self.status.turned.load(std::sync::atomic::Ordering::Relaxed))
    }

    /// Whether the site hears its homes.
    pub fn subscribed(&self) -> bool {
        let status = self.sessions.status();
        adapters::is_up(&status.life) && adapters::is_up(&status.bulk)
    }
}

impl Running {
    pub fn site(&self, id: &SiteId) -> Option<&RunningSite> {
        self.sites.iter().find(|s| &s.id == id)
    }

    /// Takes over what a new configuration says of the sites' rules; everything else in it needs a restart.
    pub fn reload(&self, config: Config) {
        for site in config.sites.values() {
            if let Some(running) = self.site(&site.id) {
                running.handle.rules(site.site_rules());
            }
        }
        info!(
            "the sites' rules are those of the new configuration; anything else in it takes effect at the next start"
        );
    }

    /// Stops in order: nothing more is taken in, what was is finished and acknowledged, then the rest leaves.
    pub async fn stop(&self) {
        info!("stopping: the sessions first, then the keepers");
        for site in self.sites.iter() {
            site.sessions.stop();
        }
        let Parts { courier, sessions: tasks, threads, discovery } =
            std::mem::take(&mut *self.parts.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
        discovery.iter().for_each(tokio::task::JoinHandle::abort);
        let sessions_end = async {
            for task in tasks {
                // Its failure has been reported.
                let _ = task.await;
            }
        };
        if tokio::time::timeout(std::time::Duration::from_secs(7), sessions_end).await.is_err() {
            warn!("a session did not end in time; the broker delivers again what was not acknowledged");
        }
        // The keepers still turn: what comes of the attempts under way is written down.
        self.courier.stop();
        if let Some(courier) = courier {
            let _ = courier.await;
        }
        for site in self.sites.iter() {
            site.handle.stop();
        }
        let joined = tokio::task::spawn_blocking(move || threads.into_iter().for_each(|thread| drop(thread.join())));
        if joined.await.is_err() {
            error!("a thread failed while stopping");
        }
        info!("stopped");
    }
}

/// A sign-in token or another secret, read where it is.
pub fn reveal(secret: &Secret) -> Result<String, Fatal> {
    let plain = secret.resolve().map_err(|e| Fatal(format!("a secret cannot be read: {e}")))?;
    Ok(plain.expose().to_owned())
}
