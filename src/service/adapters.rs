//! Small pieces between two rooms that do not know each other.

use super::{Fatal, reveal};
use crate::clock::{Clock, StepWatch, SystemClock};
use crate::config::Config;
use crate::courier::Courier;
use crate::engine::change::Raw;
use crate::engine::id::{ProfileId, SiteId, SourceId};
use crate::engine::registry::{Device, Home, Profile, Registry, Resident, Responder, ResponderDetails};
use crate::engine::sealed::Sealed;
use crate::engine::time::{Tick, Wall};
use crate::journal::vault::Vault as Keys;
use crate::keeper::ports::{self, Dispatch, Ears, Parcel, Personal, PersonalContact, Time, Understood};
use crate::mqtt::{LaneFilters, LaneStatus, LinkState, Password, Settings, TlsFiles};
use crate::roster::{built_in_profiles, responder_subject};
use crate::wire::lore::Profiles;
use crate::wire::{self, Lesson, Lore, Message, Source, TopicTemplate};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::Notify;

/// A site's clock. Says when somebody has set the wall clock: deadlines run on, but windows and what people read have moved.
pub struct SiteTime {
    pub clock: Arc<SystemClock>,
    watch: StepWatch,
}

impl SiteTime {
    pub fn new(clock: SystemClock) -> SiteTime {
        SiteTime { clock: Arc::new(clock), watch: StepWatch::default() }
    }
}

impl Time for SiteTime {
    fn now(&mut self) -> (Tick, Wall) {
        let (tick, wall) = self.clock.now();
        if let Some(step_ms) = self.watch.observe(tick, wall) {
            metrics::counter!("hearthwatch_wall_steps_total").increment(1);
            tracing::warn!(
                step_ms,
                "the wall clock was set; deadlines run on, night windows and shown times have moved"
            );
        }
        (tick, wall)
    }
}

/// The courier as the keeper's way out.
pub struct CourierPort(pub Courier);

impl Dispatch for CourierPort {
    fn send(&mut self, parcel: Parcel) {
        self.0.send(parcel);
    }
}

/// The vault as the keeper knows it.
pub struct KeyVault(pub Arc<Keys>);

impl ports::Vault for KeyVault {
    fn seal_raws(&self, raws: &[(&str, &Raw)]) -> Vec<Option<Sealed<Raw>>> {
        let unknown: Vec<&str> = raws.iter().map(|(subject, _)| *subject).filter(|of| !self.0.knows(of)).collect();
        let made = if unknown.is_empty() { Ok(()) } else { self.0.ensure(&unknown) };
        if let Err(error) = made {
            tracing::error!(%error, subjects = unknown.len(), "keys cannot be written");
        }
        let without = |error: &_| tracing::error!(%error, "a message is kept without its raw form");
        let seal = |(subject, raw): &(&str, &Raw)| self.0.seal(subject, *raw).inspect_err(without).ok();
        raws.iter().map(seal).collect()
    }

    fn personal(&self, home: &Home, residents: &[&Resident]) -> Option<Personal> {
        let subject = home.id.as_str();
        let details = self.0.open(subject, home.details.as_ref()?).ok()?;
        let residents = residents.iter().filter_map(|r| self.0.open(subject, &r.details).ok());
        let contact = |name: String, phone: String, role: String| PersonalContact { name, phone, role };
        let residents = residents.map(|r| contact(r.name, r.phone, "resident".into())).collect();
        let contacts = [
            (details.contact1_name, details.contact1_phone, details.contact1_relation),
            (details.contact2_name, details.contact2_phone, details.contact2_relation),
            (details.keyholder, details.keyholder_phone, "keyholder".into()),
        ];
        let contacts = contacts.into_iter().filter(|c| !c.0.is_empty()).map(|(n, p, r)| contact(n, p, r)).collect();
        Some(Personal { address: details.address, residents, contacts })
    }

    fn responder(&self, responder: &Responder) -> Option<ResponderDetails> {
        self.0.open(&responder_subject(responder.id.as_str()), &responder.details).ok()
    }
}

/// The sources of a site, as the decoder knows them.
pub fn sources_of(config: &Config, site: &SiteId) -> Vec<Source> {
    let of_site = config.sources.values().filter(|s| &s.site == site);
    of_site
        .filter_map(|s| {
            // `check` has parsed them before.
            let topics = s.topics.iter().map(|topic| TopicTemplate::parse(topic).ok()).collect::<Option<_>>()?;
            let source = Source::new(s.id.clone(), s.site.clone(), s.dialect, topics);
            Some(Source { also: s.also.clone(), ..source })
        })
        .collect()
}

/// What a site listens to.
pub struct Listener {
    sources: Vec<Source>,
    life_topics: Vec<String>,
    /// What people told of devices; the decoder looks at it with each message.
    profiles: Arc<RwLock<Arc<Profiles>>>,
    told: Told,
    /// Rung when devices have told of other topics than before.
    pub news: Arc<Notify>,
}

/// The topics that devices chose themselves and told by discovery.
type Told = Arc<RwLock<BTreeMap<SourceId, Vec<String>>>>;

/// Topics of one source that are subscribed to because its devices told them; for more, the configuration names filters (`also`).
const MAX_TOLD: usize = 2_000;

impl Listener {
    /// Takes the sources of a site, and the filters that can carry a call for help whoever is registered.
    pub fn new(sources: Vec<Source>, life_topics: Vec<String>) -> Listener {
        let (profiles, told, news) = (Arc::default(), Told::default(), Arc::default());
        let listener = Listener { sources, life_topics, profiles, told, news };
        listener.renew(&Registry::default());
        listener
    }

    /// The filters of both sessions: the registered devices that can call for help have theirs on the life session.
    pub fn filters(&self, registry: &Registry) -> LaneFilters {
        let source = |d: &Device| self.sources.iter().find(|s| s.name == d.source);
        let life = registry.devices.values().filter(|d| d.life);
        let of_devices = life.filter_map(|d| Some(source(d)?.device_filters(&d.address))).flatten();
        let told = self.told.read().unwrap_or_else(PoisonError::into_inner);
        let topics = |source: &SourceId| told.get(source).into_iter().flatten().cloned();
        let discovered = registry.devices.values().filter(|d| d.life).flat_map(|d| topics(&d.source));
        let mut life: Vec<String> = self.life_topics.iter().cloned().chain(of_devices).chain(discovered).collect();
        life.sort();
        life.dedup();
        let bulk = self.sources.iter().flat_map(|s| s.filters().into_iter().chain(topics(&s.name)));
        LaneFilters { life, bulk: bulk.collect() }
    }

    /// Takes over what the registry tells of devices.
    pub fn renew(&self, registry: &Registry) {
        renew(&self.profiles, registry);
    }

    /// A decoder of the site's sources, with nothing learnt yet: what it has to know is retained at the broker.
    pub fn ears(&self) -> SiteEars {
        let (sources, told, news) = (self.sources.clone(), self.told.clone(), self.news.clone());
        SiteEars { sources, lore: Lore::default(), profiles: self.profiles.clone(), told, news }
    }
}

fn renew(told: &RwLock<Arc<Profiles>>, registry: &Registry) {
    *told.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(profiles(registry));
}

/// What a registry tells of devices; what it does not, the built-in profiles may. Of two profiles of one model, which an import refuses
/// but an old registry may have, the one with the last id holds, at every start.
pub fn profiles(registry: &Registry) -> Profiles {
    let mut profiles = Profiles { models: built_in(), ..Profiles::default() };
    let known: BTreeMap<&ProfileId, Arc<Profile>> =
        registry.profiles.iter().map(|(id, profile)| (id, Arc::new(profile.clone()))).collect();
    for profile in known.values() {
        profiles.models.extend(profile.models.iter().map(|model| (model.clone(), profile.clone())));
    }
    for device in registry.devices.values() {
        let own = device.profile.as_ref().and_then(|id| known.get(id)).cloned();
        let told = own.or_else(|| profiles.models.get(&device.model).cloned());
        if let Some(profile) = told {
            let of_source = profiles.devices.entry(device.source.clone()).or_default();
            of_source.insert(device.address.as_str().into(), profile);
        }
    }
    profiles
}

/// The built-in profiles by model.
fn built_in() -> HashMap<Box<str>, Arc<Profile>> {
    let profiles = built_in_profiles(&SiteId::cut("built-in")).unwrap_or_default();
    let by_model = |profile: Profile| {
        let profile = Arc::new(profile);
        profile.models.clone().into_iter().map(move |model| (model, profile.clone()))
    };
    profiles.into_iter().flat_map(by_model).collect()
}

/// The decoder of a site.
pub struct SiteEars {
    sources: Vec<Source>,
    lore: Lore,
    profiles: Arc<RwLock<Arc<Profiles>>>,
    told: Told,
    news: Arc<Notify>,
}

impl SiteEars {
    /// A device has told of its topics: they are what to listen to from here on.
    fn discovered(&self, source: &SourceId) {
        let topics: Vec<String> = self.lore.told_topics(source).take(MAX_TOLD).map(str::to_owned).collect();
        let mut told = self.told.write().unwrap_or_else(PoisonError::into_inner);
        if told.get(source) != Some(&topics) {
            told.insert(source.clone(), topics);
            self.news.notify_one();
        }
    }

    /// Understands a message as one of this source, or of any; None where there is none that has its topic.
    fn understood(&mut self, of: Option<&SourceId>, message: &Message<'_>) -> Option<Understood> {
        self.lore.told(&self.profiles.read().unwrap_or_else(PoisonError::into_inner));
        let named = |of: &SourceId| self.sources.iter().find(|source| source.name == *of);
        let among = match of {
            Some(of) => named(of).map(std::slice::from_ref).unwrap_or_default(),
            None => &self.sources,
        };
        let source = wire::find_source(among, &self.lore, message.topic)?;
        let decoded = wire::decode(&self.lore, source, message);
        for lesson in decoded.lessons {
            let discovered = if let Lesson::Discovered { source, .. } = &lesson { Some(source.clone()) } else { None };
            self.lore.learn(lesson);
            discovered.iter().for_each(|source| self.discovered(source));
        }
        Some(match decoded.outcome {
            wire::Outcome::Readings(reports) => Understood::Readings(reports),
            wire::Outcome::Ignored(reason) => Understood::Ignored(reason.text()),
            wire::Outcome::Rejected(reason) => Understood::Rejected(reason.text(), source.name.clone()),
        })
    }
}

impl Ears for SiteEars {
    fn understand(&mut self, topic: &str, payload: &[u8], retain: bool) -> Understood {
        self.understood(None, &Message { topic, payload, retain }).unwrap_or(Understood::Ignored("no_source"))
    }

    fn understand_of(&mut self, source: &SourceId, topic: &str, payload: &[u8]) -> Understood {
        let understood = self.understood(Some(source), &Message { topic, payload, retain: false });
        understood.unwrap_or_else(|| Understood::Rejected("the source has no such topic", source.clone()))
    }

    fn know(&mut self, registry: &Registry) {
        renew(&self.profiles, registry);
    }
}

pub(super) fn is_up(status: &LaneStatus) -> bool {
    status.link == LinkState::Ready
}

/// What the sessions of a site need.
pub(super) fn mqtt_settings(config: &Config, site: &SiteId) -> Result<Settings, Fatal> {
    let mqtt = &config.mqtt;
    let scheme = if mqtt.broker.tls { "mqtts" } else { "mqtt" };
    let login = match &mqtt.login {
        Some(login) => Some((login.username.clone(), Password(reveal(&login.password)?))),
        None => None,
    };
    Ok(Settings {
        url: format!("{scheme}://{}:{}", mqtt.broker.host, mqtt.broker.port),
        client_id: mqtt.client_id.clone(),
        site: site.to_string(),
        login,
        tls: TlsFiles {
            ca: mqtt.ca_file.clone(),
            client: mqtt.identity.as_ref().map(|i| (i.cert.clone(), i.key.clone())),
        },
        keepalive_s: mqtt.keepalive_s,
        memory: config.service.data_dir.join(format!("mqtt-{site}.json")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::dialect::Dialect;
    use crate::engine::registry::Entity;
    use crate::journal::disk::{Access, DiskFile};
    use crate::journal::vault::SystemSource;
    use crate::journal::{Disk, RealDisk};
    use crate::keeper::ports::Vault as _;
    use std::any::Any;
    use std::io;
    use std::path::Path;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn a_message_is_understood_as_of_the_source_that_signed_it() {
        let id = |name: &str| SourceId::cut(name);
        let source = |name: &str, topics: &[&str]| {
            let topics = topics.iter().map(|topic| TopicTemplate::parse(topic).unwrap()).collect();
            Source::new(id(name), SiteId::cut("z"), Dialect::Own, topics)
        };
        let sources = vec![
            source("one", &["one/{home}/{device}"]),
            source("two", &["two/{home}/{device}", "one/{home}/{device}"]),
        ];
        let mut ears = Listener::new(sources, Vec::new()).ears();
        let mut of = |source: Option<&str>, topic: &str, payload: &[u8]| {
            let understood = match source {
                Some(source) => ears.understand_of(&id(source), topic, payload),
                None => ears.understand(topic, payload, false),
            };
            match understood {
                Understood::Readings(reports) => reports[0].source.to_string(),
                Understood::Ignored(reason) => reason.to_owned(),
                Understood::Rejected(reason, source) => format!("{source}: {reason}"),
            }
        };
        let says = br#"{"kind":"sos","value":true}"#;
        assert_eq!(of(Some("one"), "one/h1/button", says), "one");
        assert_eq!(of(Some("two"), "two/h1/button", says), "two");
        assert_eq!(of(Some("one"), "two/h1/button", says), "one: the source has no such topic");
        assert_eq!(of(Some("two"), "one/h1/button", says), "two", "a topic of both is of whoever signed");
        assert_eq!(of(Some("none"), "one/h1/button", says), "none: the source has no such topic");
        assert_eq!(of(None, "one/h1/button", says), "one");
        assert_eq!(of(None, "three/h1/button", says), "no_source");
    }

    /// Counts how often a file takes the place of another, and can have no room for one.
    #[derive(Debug, Default)]
    struct Counting {
        replaced: AtomicUsize,
        full: std::sync::atomic::AtomicBool,
    }

    impl Disk for Counting {
        fn create_dir(&self, dir: &Path) -> io::Result<()> {
            RealDisk.create_dir(dir)
        }

        fn lock(&self, dir: &Path) -> io::Result<Option<Box<dyn Any + Send + Sync>>> {
            RealDisk.lock(dir)
        }

        fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
            RealDisk.list(dir)
        }

        fn open(&self, path: &Path, access: Access) -> io::Result<Box<dyn DiskFile>> {
            RealDisk.open(path, access)
        }

        fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
            if self.full.load(Ordering::Relaxed) {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.replaced.fetch_add(1, Ordering::Relaxed);
            RealDisk.rename(from, to)
        }

        fn remove(&self, path: &Path) -> io::Result<()> {
            RealDisk.remove(path)
        }

        fn sync_dir(&self, dir: &Path) -> io::Result<()> {
            RealDisk.sync_dir(dir)
        }
    }

    #[test]
    fn the_keys_of_many_strangers_are_one_write() {
        let dir = tempfile::tempdir().unwrap();
        let disk = Arc::new(Counting::default());
        let keys = Keys::create(disk.clone(), &dir.path().join("keys"), Box::new(SystemSource)).unwrap();
        let vault = KeyVault(Arc::new(keys));
        let raw = |n: usize| Raw { topic: format!("x{n}"), payload: String::new() };
        let writes = || disk.replaced.swap(0, Ordering::Relaxed);
        writes();
        let raws: Vec<_> = (0..40).map(|n| (format!("unclaimed/z2m/x{}", n / 2), raw(n))).collect();
        let of: Vec<_> = raws.iter().map(|(subject, raw)| (subject.as_str(), raw)).collect();
        let sealed = vault.seal_raws(&of);
        assert_eq!(writes(), 1);
        for (sealed, (subject, raw)) in sealed.iter().zip(&of) {
            assert_eq!(vault.0.open(subject, sealed.as_ref().unwrap()).unwrap(), **raw);
        }
        vault.seal_raws(&of);
        assert_eq!(writes(), 0, "they are there");
        // Each stranger has a key of its own, so that it can be forgotten.
        vault.0.erase("unclaimed/z2m/x3").unwrap();
        assert!(vault.0.open("unclaimed/z2m/x3", sealed[6].as_ref().unwrap()).is_err());
        assert!(vault.0.open("unclaimed/z2m/x4", sealed[8].as_ref().unwrap()).is_ok());
        disk.full.store(true, Ordering::Relaxed);
        let (old, new) = (raw(0), raw(1));
        let sealed = vault.seal_raws(&[("unclaimed/z2m/x1", &old), ("h9", &new)]);
        assert!(sealed[0].is_some() && sealed[1].is_none(), "a key that cannot be written keeps no other from sealing");
    }

    #[test]
    fn of_two_profiles_of_one_model_the_same_holds_at_every_start() {
        let mut registry = Registry::default();
        for id in ["p1", "p2", "p3", "p4"] {
            let (id, site) = (ProfileId::new(id).unwrap(), SiteId::new("a").unwrap());
            registry.put(Entity::Profile(Profile { id, site, models: vec!["M".into()], properties: Vec::new() }));
        }
        for _ in 0..20 {
            assert_eq!(profiles(&registry).models["M"].id.as_str(), "p4");
        }
    }
}
