//! The console of a running service: what it shows, and whom it asks.

use super::{Fatal, KeyVault, Running, because, reveal};
use crate::clock::Clock;
use crate::console::{Account, Desk, History, Open, Part, PushSource, Site, router};
use crate::engine::alarm::CloseCode;
use crate::engine::id::{AlarmId, HomeId, ResponderId, SiteId};
use crate::engine::policy::SiteRules;
use crate::engine::registry::{Home, HomeDetails, Resident, ResidentDetails, Responder, ResponderDetails};
use crate::engine::sealed::Sealed;
use crate::engine::time::{Tick, Wall};
use crate::journal::vault::Vault;
use crate::keeper::core::Core;
use crate::roster::responder_subject;
use crate::store::Store;
use crate::wire::webhook::standard::Secrets;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use serde_json::Value;
use std::sync::{Arc, Mutex, OnceLock};
use tokio::sync::watch;

/// The console's routes for a running service.
///
/// # Errors
/// Where an account's token cannot be read.
pub fn console(running: &Arc<Running>, shutdown: watch::Receiver<bool>) -> Result<axum::Router, Fatal> {
    let account = |a: &crate::config::Account| -> Result<Account, Fatal> {
        let name = ResponderId::new(&a.name).map_err(because("an account's name"))?;
        Ok(Account { name, role: a.role, token: reveal(&a.token)? })
    };
    let accounts = running.config.console.accounts.iter().map(account).collect::<Result<_, _>>()?;
    let configured = |s: &super::RunningSite| running.config.sites.get(&s.id);
    let site = |s: &super::RunningSite| Site {
        id: s.id.clone(),
        keeper: s.handle.clone(),
        status: s.status.clone(),
        news: s.listener.news.clone(),
        desk_phone: configured(s).map(|site| site.desk_phone.clone()).filter(|phone| !phone.is_empty()),
        outcomes: configured(s).map_or_else(|| CloseCode::ALL.to_vec(), |site| site.outcomes.clone()),
    };
    let (asked, measured, clock) = (running.clone(), running.clone(), running.sites.first().map(|s| s.clock.clone()));
    let now = move || clock.as_ref().map_or_else(|| (Tick::default(), crate::clock::wall_now()), |c| c.now());
    Ok(router(Desk {
        sites: running.sites.iter().map(site).collect(),
        board: running.board.clone(),
        accounts,
        vault: Arc::new(OpenVault(running.vault.clone())),
        history: Arc::new(Past(running.clone(), Mutex::new(()))),
        readiness: Arc::new(move || asked.readiness()),
        metrics: Arc::new(move || measured.metrics()),
        now: Arc::new(now) as Arc<dyn Fn() -> (Tick, Wall) + Send + Sync>,
        shutdown,
        event_streams: running.config.limits.event_streams as usize,
        pushes: push_sources(running)?,
        links: running.links.clone(),
    }))
}

fn push_sources(running: &Running) -> Result<Vec<PushSource>, Fatal> {
    let sources = running.config.sources.values().filter_map(|s| Some((s, s.push_secret.as_ref()?)));
    let opened = sources.map(|(source, secret)| {
        let of_source = |e| Fatal(format!("push_secret of [source.{}]: {e}", source.id));
        let secrets = Secrets::parse(&reveal(secret)?).map_err(of_source)?;
        Ok(PushSource { source: source.id.clone(), site: source.site.clone(), secrets })
    });
    opened.collect()
}

/// The process has one recorder, however many services it runs after another.
pub(super) fn recorder() -> Option<&'static PrometheusHandle> {
    static RECORDER: OnceLock<Option<PrometheusHandle>> = OnceLock::new();
    RECORDER.get_or_init(|| PrometheusBuilder::new().install_recorder().ok()).as_ref()
}

impl Running {
    fn metrics(&self) -> String {
        for site in self.sites.iter() {
            let (life, bulk) = site.handle.backlog();
            let of = || site.id.to_string();
            metrics::gauge!("hearthwatch_waiting_messages", "site" => of(), "lane" => "life").set(life as f64);
            metrics::gauge!("hearthwatch_waiting_messages", "site" => of(), "lane" => "bulk").set(bulk as f64);
            metrics::gauge!("hearthwatch_idle_ms", "site" => of()).set(site.idle_ms() as f64);
            let sequence = site.status.sequence.load(std::sync::atomic::Ordering::Relaxed);
            metrics::gauge!("hearthwatch_journal_sequence", "site" => of()).set(sequence as f64);
            let full = f64::from(u8::from(site.status.full.load(std::sync::atomic::Ordering::Relaxed)));
            metrics::gauge!("hearthwatch_journal_full", "site" => of()).set(full);
            let status = site.sessions.status();
            for (lane, status) in [("life", status.life), ("bulk", status.bulk)] {
                let up = f64::from(u8::from(super::adapters::is_up(&status)));
                metrics::gauge!("hearthwatch_session_up", "site" => of(), "lane" => lane).set(up);
            }
        }
        for priority in crate::engine::kind::Priority::ALL {
            let open = self.board.open().iter().filter(|s| s.alarm.priority == priority).count();
            metrics::gauge!("hearthwatch_open_alarms", "priority" => priority.name()).set(open as f64);
        }
        if let Some(store) = &self.store {
            metrics::gauge!("hearthwatch_store_bytes").set(store.bytes() as f64);
        }
        recorder().map(PrometheusHandle::render).unwrap_or_default()
    }

    /// Every part with its state: subscribed, journal writable, keeper turning.
    pub fn readiness(&self) -> Vec<Part> {
        self.sites.iter().flat_map(|site| site.readiness()).collect()
    }
}

/// A keeper looks around every second; one that has not for so long is stuck.
const STUCK_MS: u64 = 10_000;

impl super::RunningSite {
    fn readiness(&self) -> Vec<Part> {
        let part =
            |name: &str, ok, detail: String| Part { name: name.into(), ok, detail: format!("{}: {detail}", self.id) };
        let full = self.status.full.load(std::sync::atomic::Ordering::Relaxed);
        let idle = self.idle_ms();
        let subscribed = self.subscribed();
        vec![
            part("subscribed", subscribed, if subscribed { "both sessions hear".into() } else { self.deafness() }),
            part("journal", !full, if full { "the disk is full: life only".into() } else { "writable".into() }),
            part("keeper", idle < STUCK_MS, format!("turned {idle} ms ago")),
        ]
    }

    fn deafness(&self) -> String {
        let status = self.sessions.status();
        let of =
            |lane: &crate::mqtt::LaneStatus| lane.fault.as_ref().map_or("connecting", |fault| fault.name()).to_owned();
        format!("life {}, bulk {}", of(&status.life), of(&status.bulk))
    }
}

struct OpenVault(Arc<Vault>);

impl Open for OpenVault {
    fn home(&self, home: &Home) -> Option<HomeDetails> {
        self.0.open(home.id.as_str(), home.details.as_ref()?).ok()
    }

    fn resident(&self, resident: &Resident) -> Option<ResidentDetails> {
        self.0.open(resident.home.as_str(), &resident.details).ok()
    }

    fn responder(&self, responder: &Responder) -> Option<ResponderDetails> {
        self.0.open(&responder_subject(responder.id.as_str()), &responder.details).ok()
    }

    fn seal_note(&self, home: &HomeId, text: &str) -> Option<Sealed<String>> {
        let subject = home.as_str();
        let ready = if self.0.knows(subject) { Ok(()) } else { self.0.ensure(&[subject]) };
        ready.and_then(|()| self.0.seal(subject, &text.to_owned())).ok()
    }

    fn note(&self, home: &HomeId, sealed: &Sealed<String>) -> Option<String> {
        self.0.open(home.as_str(), sealed).ok()
    }
}

/// The store, where there is one, and the journals.
struct Past(Arc<Running>, Mutex<()>);

impl Past {
    fn store(&self) -> Option<&Store> {
        self.0.store.as_ref()
    }
}

impl History for Past {
    fn closed(&self, site: &SiteId, before: Option<u64>, limit: usize) -> Vec<Value> {
        self.store().map(|store| store.closed(site, before, limit)).unwrap_or_default()
    }

    fn closed_alarm(&self, alarm: &AlarmId) -> Option<Value> {
        self.store()?.closed_alarm(alarm)
    }

    fn timeline(&self, alarm: &AlarmId) -> Vec<Value> {
        self.store().map(|store| store.timeline(alarm)).unwrap_or_default()
    }

    fn deliveries(&self, site: &SiteId, limit: usize) -> Vec<Value> {
        self.store().map(|store| store.deliveries(site, limit)).unwrap_or_default()
    }

    fn core_at(&self, rules: SiteRules, at: Wall) -> Result<Core, String> {
        let Ok(_one) = self.1.try_lock() else { return Err("Another past minute is being read: ask again.".into()) };
        let vault = Arc::new(KeyVault(self.0.vault.clone()));
        super::past::core_at(&self.0.config.journal_dir(&rules.site), rules, vault, at)
    }
}
