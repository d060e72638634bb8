//! `hearthwatch.toml` to a validated [`Config`]: all mistakes at once, each with its place and remedy.
//!
//! [`tree`] keeps the lines, [`reader`] asks for keys and collects mistakes, `sections` knows the keys. The registry's files
//! are read with the same tools. Every key is explained in `config/hearthwatch.toml`, and a test holds the two together.

pub mod mistake;
pub mod pin;
pub mod reader;
pub mod secret;
mod sections;
#[cfg(test)]
mod tests;
pub mod tree;

use crate::engine::alarm::CloseCode;
pub use crate::engine::dialect::Dialect;
use crate::engine::id::{SiteId, SourceId};
use crate::engine::policy::{RulesPatch, SiteRules};
pub use mistake::{Mistake, Place, Wrong};
pub use secret::{Plain, Secret};
pub use sections::rules_patch;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// The largest configuration file in bytes.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// The shortest sign-in token in characters: 128 bits in hexadecimal.
const MIN_TOKEN_CHARS: usize = 32;

/// Everything the service is told at its start or reload.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    pub service: Service,
    pub console: Console,
    pub mqtt: Mqtt,
    pub sites: BTreeMap<SiteId, Site>,
    pub sources: BTreeMap<SourceId, Source>,
    pub journal: Journal,
    pub limits: Limits,
}

/// Where the service lives.
#[derive(Debug, Clone, PartialEq)]
pub struct Service {
    pub data_dir: PathBuf,
    /// The keys of sealed fields; never inside a journal's directory.
    pub keys_dir: PathBuf,
    /// Where relative `file:` secrets are looked up.
    pub secrets_dir: PathBuf,
    /// What links in notices begin with; without a slash at its end.
    pub public_url: String,
    pub log_format: LogFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    Text,
    Json,
}

/// The console and the API.
#[derive(Debug, Clone, PartialEq)]
pub struct Console {
    pub listen: SocketAddr,
    pub accounts: Vec<Account>,
}

/// Who may sign in.
#[derive(Debug, Clone, PartialEq)]
pub struct Account {
    pub name: String,
    pub role: Role,
    /// At least 32 characters.
    pub token: Secret,
}

/// What an account may do; each may also do what the ones below may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Reads.
    Viewer,
    /// Acts on alarms.
    Operator,
    /// Changes the registry and reloads.
    Admin,
}

/// The broker and how we connect to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Mqtt {
    pub broker: Broker,
    /// The sessions append their lane's name to it.
    pub client_id: String,
    pub login: Option<Login>,
    /// PEM; without it the public certificate authorities are trusted.
    pub ca_file: Option<PathBuf>,
    pub identity: Option<Identity>,
    pub keepalive_s: u16,
    /// Filters that the `life` session subscribes to besides the topics of registered life devices.
    pub life_topics: Vec<String>,
}

/// Where the broker listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broker {
    /// A name or an address; IPv6 without its brackets.
    pub host: String,
    pub port: u16,
    pub tls: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Login {
    pub username: String,
    pub password: Secret,
}

/// A client certificate, PEM files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    pub cert: PathBuf,
    pub key: PathBuf,
}

/// A district.
#[derive(Debug, Clone, PartialEq)]
pub struct Site {
    pub id: SiteId,
    /// For people.
    pub name: String,
    pub zone: jiff::tz::TimeZone,
    /// Whom caseworkers ring where the link of a notice fails; empty for nobody.
    pub desk_phone: String,
    /// What an alarm may turn out to be here; at least one.
    pub outcomes: Vec<CloseCode>,
    pub rules: RulesPatch,
}

impl Site {
    /// What the engine needs of it.
    pub fn site_rules(&self) -> SiteRules {
        SiteRules { site: self.id.clone(), zone: self.zone.clone(), rules: self.rules.clone() }
    }
}

/// Where messages come from, and what language they speak.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    pub id: SourceId,
    pub site: SiteId,
    pub dialect: Dialect,
    /// Topics with placeholders, each a whole level: `zigbee2mqtt/{home}/{device}`. At least one.
    pub topics: Vec<String>,
    /// Filters of topics that devices choose themselves and tell by discovery.
    pub also: Vec<String>,
    /// Messages may be pushed over HTTP, signed with it.
    pub push_secret: Option<Secret>,
}

/// What the journal keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Journal {
    pub segment_mib: u32,
    pub telemetry_keep_days: u32,
    pub ledger_keep_days: u32,
    /// Preallocated; only life inputs and their escalation may use it when the disk is full.
    pub reserve_mib: u32,
}

/// Bounds on what arrives and what is held in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Consoles that follow events at once.
    pub event_streams: u32,
    pub store_cache_mib: u32,
    pub import_mib: u32,
}

impl Config {
    /// Where a site's journal and checkpoints stand.
    pub fn journal_dir(&self, site: &SiteId) -> PathBuf {
        self.journals_dir().join(site.as_str())
    }

    fn journals_dir(&self) -> PathBuf {
        self.service.data_dir.join("journal")
    }

    /// Where sled's folder stands.
    pub fn store_dir(&self) -> PathBuf {
        self.service.data_dir.join("store")
    }

    /// The socket by which the other commands speak to a running service.
    pub fn admin_socket(&self) -> PathBuf {
        self.service.data_dir.join("admin.sock")
    }
}

/// What a configuration refers to and `check` makes sure of.
enum Needed {
    Secret(Secret),
    Token(Secret),
    Signing(Secret),
    File(PathBuf),
}

/// Reads and validates a configuration file with the overrides of the environment, and looks whether its secrets and
/// certificate files can be read. Gives every mistake at once.
pub fn check(path: &Path) -> Result<Config, Vec<Mistake>> {
    let file = path.display().to_string();
    let text = read_file(path).map_err(|why| {
        vec![Mistake::of_file(
            &file,
            why,
            "name a readable TOML file with --config; config/hearthwatch.toml is the example",
        )]
    })?;
    let env = std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)));
    let (config, needed) = sections::read(&file, &text, env)?;
    let mistakes: Vec<Mistake> =
        needed.into_iter().filter_map(|(place, n)| Some(Mistake::new(place, n.missing()?))).collect();
    if mistakes.is_empty() { Ok(config) } else { Err(mistakes) }
}

fn read_file(path: &Path) -> Result<String, String> {
    let size = std::fs::metadata(path).map_err(|e| format!("cannot be read ({})", e.kind()))?.len();
    if size > MAX_FILE_BYTES {
        return Err(format!("has {size} bytes, which no configuration has"));
    }
    std::fs::read_to_string(path).map_err(|e| format!("cannot be read ({})", e.kind()))
}

impl Config {
    /// Validates the text of a configuration file; looks at nothing else.
    pub fn parse(file: &str, text: &str) -> Result<Config, Vec<Mistake>> {
        sections::read(file, text, []).map(|(config, _)| config)
    }
}

impl Needed {
    fn missing(&self) -> Option<Wrong> {
        match self {
            Needed::Secret(secret) => secret.resolve().err(),
            Needed::Token(secret) => match secret.resolve() {
                Ok(token) if token.expose().chars().count() < MIN_TOKEN_CHARS => {
                    Some(Wrong::new("is too short a token", "make one with: openssl rand -hex 32"))
                }
                found => found.err(),
            },
            Needed::Signing(secret) => match secret.resolve() {
                Ok(secret) if !secret.expose().trim_start().starts_with("whsec_") => {
                    Some(Wrong::new("is no signing secret", "make one with: echo whsec_$(openssl rand -base64 32)"))
                }
                found => found.err(),
            },
            Needed::File(path) => std::fs::File::open(path).err().map(|e| {
                Wrong::new(format!("{} cannot be read ({})", path.display(), e.kind()), "name a readable PEM file")
            }),
        }
    }
}
