//! The registry's files and the sites: import and export, by a running service or on the data at rest.

use super::{Fatal, Opened, Running, because, open_site, open_vault};
use crate::config::{Config, Mistake, Site};
use crate::engine::id::SiteId;
use crate::engine::input::SiteInput;
use crate::engine::registry::{Entity, Registry};
use crate::engine::sealed::Sealed;
use crate::engine::staffing::{self, Gap};
use crate::journal::vault::{Vault, VaultError};
use crate::keeper::ports::{Journal, Time, Turn};
use crate::roster::{self, File, plan_import};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The vault as the registry's files know it.
pub struct RosterVault(pub Arc<Vault>);

impl roster::Vault for RosterVault {
    fn seal<T: Serialize>(&self, subject: &str, plain: &T) -> Result<Sealed<T>, String> {
        let ready = if self.0.knows(subject) { Ok(()) } else { self.0.ensure(&[subject]) };
        ready.and_then(|()| self.0.seal(subject, plain)).map_err(|e| e.to_string())
    }

    fn open<T: DeserializeOwned>(&self, subject: &str, sealed: &Sealed<T>) -> Result<Option<T>, String> {
        match self.0.open(subject, sealed) {
            Ok(plain) => Ok(Some(plain)),
            Err(VaultError::Erased) => Ok(None),
            Err(e) => Err(e.to_string()),
        }
    }
}

/// What came of an import.
pub enum Imported {
    /// The files are wrong; nothing has changed.
    Refused(Vec<Mistake>),
    /// The difference, as text; made, or only shown.
    Done { text: String },
}

type Planned = Result<(String, BTreeMap<SiteId, Vec<Entity>>), Vec<Mistake>>;

/// Plans an import; seals the personal data unless it is a dry run.
pub fn plan(
    files: &[File],
    registries: &[Registry],
    config: &Config,
    vault: &Arc<Vault>,
    dry_run: bool,
) -> Result<Planned, Fatal> {
    let vault = RosterVault(vault.clone());
    let registries: Vec<&Registry> = registries.iter().collect();
    let import = match plan_import(files, &registries, config, &vault) {
        Ok(import) => import,
        Err(mistakes) => return Ok(Err(mistakes)),
    };
    let mut text = import.difference.to_string();
    for warning in import.warnings.iter().chain(&uncovered(&import, &registries, config)) {
        text.push_str(&format!("warning  {warning}\n"));
    }
    if dry_run {
        return Ok(Ok((text, BTreeMap::new())));
    }
    vault.make_keys(&import)?;
    Ok(Ok((text, import.seal(&vault).map_err(Fatal)?)))
}

/// Gaps that are told one by one.
const MOST_GAPS: usize = 10;

/// When too few people would be there to be told, as sentences.
fn uncovered(import: &roster::Import, registries: &[&Registry], config: &Config) -> Vec<String> {
    let mut all = Registry::default();
    registries.iter().flat_map(|registry| registry.all()).for_each(|entity| all.put(entity));
    import.registry().all().into_iter().for_each(|entity| all.put(entity));
    let now = crate::clock::wall_now();
    let of_site = |site: &Site| sentences(site, staffing::gaps_of(&site.site_rules(), &all, now));
    config.sites.values().flat_map(of_site).collect()
}

fn sentences(site: &Site, gaps: Vec<Gap>) -> Vec<String> {
    let some = gaps.iter().take(MOST_GAPS).map(|gap| format!("site {}: {}", site.id, gap.sentence(&site.zone)));
    let rest = gaps.len().saturating_sub(MOST_GAPS);
    let rest = (rest > 0).then(|| format!("site {}: {rest} more such times; the page /duty has all", site.id));
    some.chain(rest).collect()
}

impl RosterVault {
    /// All keys in one write: an import may bring thousands of homes.
    fn make_keys(&self, import: &roster::Import) -> Result<(), Fatal> {
        let subjects = import.subjects();
        let subjects: Vec<&str> = subjects.iter().map(String::as_str).collect();
        self.0.ensure(&subjects).map_err(because("the keys"))
    }
}

impl Running {
    async fn registries(&self) -> Result<Vec<Registry>, Fatal> {
        let mut all = Vec::new();
        for site in self.sites.iter() {
            all.push(site.handle.ask(|core| core.site.registry.clone()).await.map_err(because("the registry"))?);
        }
        Ok(all)
    }

    /// Imports into the running service.
    pub async fn import(&self, files: &[File], dry_run: bool) -> Result<Imported, Fatal> {
        let registries = self.registries().await?;
        let (text, entities) = match plan(files, &registries, &self.config, &self.vault, dry_run)? {
            Ok(planned) => planned,
            Err(mistakes) => return Ok(Imported::Refused(mistakes)),
        };
        for (id, entities) in entities {
            if let Some(site) = self.site(&id) {
                site.handle.register(entities).await.map_err(because("the registry"))?;
                site.renew(&self.courier).await.map_err(because("the registry"))?;
            }
        }
        Ok(Imported::Done { text })
    }

    /// When too few people are there to be told, as sentences.
    pub async fn uncovered(&self) -> Result<Vec<String>, Fatal> {
        let mut all = Vec::new();
        for of in self.sites.iter() {
            let gaps = of.handle.ask(|core| core.gaps()).await.map_err(because("the proof"))?;
            all.extend(self.config.sites.get(&of.id).into_iter().flat_map(|site| sentences(site, gaps.clone())));
        }
        Ok(all)
    }

    /// The registry as TOML, personal data in the open.
    pub async fn export(&self) -> Result<String, Fatal> {
        let registries = self.registries().await?;
        roster::export(&registries.iter().collect::<Vec<_>>(), &RosterVault(self.vault.clone())).map_err(Fatal)
    }
}

/// The data at rest: opened by a command while no service runs.
pub struct AtRest {
    config: Config,
    vault: Arc<Vault>,
    sites: Vec<Opened>,
}

impl AtRest {
    /// # Errors
    /// Where a service has the data, or they cannot be opened.
    pub fn open(config: Config) -> Result<AtRest, Fatal> {
        std::fs::create_dir_all(&config.service.data_dir).map_err(because("the data directory cannot be made"))?;
        let vault = open_vault(&config)?;
        let sites =
            config.sites.values().map(|site| open_site(&config, site, vault.clone())).collect::<Result<_, _>>()?;
        Ok(AtRest { config, vault, sites })
    }

    fn registries(&self) -> Vec<Registry> {
        self.sites.iter().map(|s| s.core.site.registry.clone()).collect()
    }

    /// Imports into the journals.
    pub fn import(&mut self, files: &[File], dry_run: bool) -> Result<Imported, Fatal> {
        let (text, mut entities) = match plan(files, &self.registries(), &self.config, &self.vault, dry_run)? {
            Ok(planned) => planned,
            Err(mistakes) => return Ok(Imported::Refused(mistakes)),
        };
        for site in &mut self.sites {
            for some in entities.remove(&site.id).unwrap_or_default().chunks(200) {
                let (tick, wall) = site.time.now();
                site.core.begin(tick, wall);
                site.core.site_input(SiteInput::Register(some.to_vec()));
                site.core.end();
                let blocks = &site.core.blocks;
                let ledger = blocks.stamped_ledger(site.core.now());
                let turn = Turn { telemetry: blocks.telemetry.clone(), ledger, life: false };
                site.log.append(&turn).map_err(because("the journal"))?;
                site.core.blocks.clear();
            }
        }
        Ok(Imported::Done { text })
    }

    pub fn export(&self) -> Result<String, Fatal> {
        let registries = self.registries();
        roster::export(&registries.iter().collect::<Vec<_>>(), &RosterVault(self.vault.clone())).map_err(Fatal)
    }
}
