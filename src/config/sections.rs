//! The keys of the configuration, section by section, with their defaults and ranges.

use super::mistake::{Mistake, Place, Wrong, nearest};
use super::reader::{self, Reader, Section};
use super::tree::{self, Value};
use super::*;
use crate::engine::alarm::CloseCode;
use crate::engine::id::LadderId;
use crate::engine::kind::{AlarmKind, Priority};
use crate::engine::policy::Rules;
use jiff::tz::TimeZoneDatabase;

type Found = (Config, Vec<(Place, Needed)>);

/// Reads a whole configuration.
pub(super) fn read(
    file: &str,
    text: &str,
    env: impl IntoIterator<Item = (String, String)>,
) -> Result<Found, Vec<Mistake>> {
    let table = tree::from_toml(file, text)?;
    let reader = Reader::with_overrides(file, env);
    let found = whole(&reader.section("", &table));
    match (reader.finish(), found) {
        (mistakes, Some(found)) if mistakes.is_empty() => Ok(found),
        (mistakes, _) => Err(mistakes),
    }
}

/// The keys that [`read`] asks for, as (section, key).
#[cfg(test)]
pub(super) fn keys(text: &str) -> Vec<(String, &'static str)> {
    let table = tree::from_toml("", text).unwrap();
    let reader = Reader::with_overrides("", []);
    whole(&reader.section("", &table));
    reader.asked()
}

/// None where something is wrong; the reader then knows what.
fn whole(root: &Section<'_>) -> Option<Found> {
    let mut needed = Vec::new();
    let service = service(root.inner("service"));
    let console = console(root.inner("console"), &service, &mut needed);
    let mqtt = mqtt(root.inner("mqtt"), &service, &mut needed);
    let sites = sites(root);
    let sources = sources(root, &sites, &service, &mut needed);
    let journal = journal(root.inner("journal"));
    let limits = limits(root.inner("limits"));
    root.close();
    Some((Config { service, console, mqtt: mqtt?, sites, sources, journal, limits }, needed))
}

fn service(s: Section<'_>) -> Service {
    let dir = |key, default: &str| s.get(key, reader::filled).map_or_else(|| PathBuf::from(default), PathBuf::from);
    let data_dir = dir("data_dir", "data");
    let keys_dir = s.get("keys_dir", reader::filled).map_or_else(|| data_dir.join("keys"), PathBuf::from);
    let secrets_dir = dir("secrets_dir", "secrets");
    if plain_path(&keys_dir).starts_with(plain_path(&data_dir.join("journal"))) {
        let remedy = "choose a directory of its own, so that a copy of a journal never carries the keys to it";
        s.blame("keys_dir", Wrong::new("lies inside the journals' directory", remedy));
    }
    let public_url = s.get("public_url", web_address).unwrap_or_else(|| "http://localhost:8080".to_owned());
    let log_format = s.choice("log_format", &[("text", LogFormat::Text), ("json", LogFormat::Json)], LogFormat::Text);
    s.close();
    Service { data_dir, keys_dir, secrets_dir, public_url, log_format }
}

/// A path without `.` and `..`, made absolute where that is possible.
fn plain_path(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    path.components().fold(PathBuf::new(), |mut plain, part| {
        match part {
            std::path::Component::ParentDir => drop(plain.pop()),
            part => plain.push(part),
        }
        plain
    })
}

fn web_address(value: &Value) -> Result<String, Wrong> {
    let text = reader::filled(value)?;
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or_default();
    if host.is_empty() || host.starts_with('/') || host.contains(['?', '#', '@', ' ']) {
        return Err(Wrong::new("is no web address", "write https://HOST, as caseworkers' phones reach the console"));
    }
    Ok(text.trim_end_matches('/').to_owned())
}

fn console(s: Section<'_>, service: &Service, needed: &mut Vec<(Place, Needed)>) -> Console {
    let address = |value: &Value| {
        let text = reader::filled(value)?;
        text.parse()
            .map_err(|_| Wrong::new("is no address with a port", "write 127.0.0.1:8080 or [::]:8080, for instance"))
    };
    let listen = s.get("listen", address).unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8080)));
    let mut accounts: Vec<Account> = Vec::new();
    for row in s.rows("account") {
        let name = row.need("name", "name the person or desk that signs in", reader::filled);
        let words = [("viewer", Role::Viewer), ("operator", Role::Operator), ("admin", Role::Admin)];
        let role = row.need("role", "write viewer, operator or admin", |v| reader::choice(v, &words));
        let token =
            row.need("token", "write file:PATH of a token made with: openssl rand -hex 32", |v| secret(v, service));
        if let Some(token) = &token {
            needed.push((row.place("token"), Needed::Token(token.clone())));
        }
        if name.as_ref().is_some_and(|name| accounts.iter().any(|a| a.name == *name)) {
            row.blame("name", Wrong::new("is the name of an account above", "choose another"));
        }
        row.close();
        if let (Some(name), Some(role), Some(token)) = (name, role, token) {
            accounts.push(Account { name, role, token });
        }
    }
    s.close();
    Console { listen, accounts }
}

fn secret(value: &Value, service: &Service) -> Result<Secret, Wrong> {
    Secret::parse(&reader::filled(value)?, &service.secrets_dir)
}

fn mqtt(s: Section<'_>, service: &Service, needed: &mut Vec<(Place, Needed)>) -> Option<Mqtt> {
    let broker = s.need("url", "write mqtt://HOST or mqtts://HOST, with :PORT where it is not 1883 or 8883", broker);
    let client_id = s.get("client_id", client_id).unwrap_or_else(|| "hearthwatch".to_owned());
    let username = s.get("username", reader::filled);
    let password = s.get("password", |v| secret(v, service));
    if username.is_some() != password.is_some() {
        let (given, lacking) = if username.is_some() { ("username", "password") } else { ("password", "username") };
        s.blame(given, Wrong::new(format!("stands without {lacking}"), format!("add {lacking}, or remove both")));
    }
    if let Some(secret) = &password {
        needed.push((s.place("password"), Needed::Secret(secret.clone())));
    }
    let mut pem = |key| {
        let path = PathBuf::from(s.get(key, reader::filled)?);
        if broker.as_ref().is_some_and(|b| !b.tls) {
            s.blame(key, Wrong::new("has no effect without TLS", "write the url as mqtts://…, or remove this key"));
        }
        needed.push((s.place(key), Needed::File(path.clone())));
        Some(path)
    };
    let (ca_file, cert, key) = (pem("ca_file"), pem("client_cert"), pem("client_key"));
    if cert.is_some() != key.is_some() {
        let (given, lacking) =
            if cert.is_some() { ("client_cert", "client_key") } else { ("client_key", "client_cert") };
        s.blame(given, Wrong::new(format!("stands without {lacking}"), format!("add {lacking}, or remove both")));
    }
    let keepalive_s = s.number("keepalive_s", 5..=15, 12) as u16;
    let life_topics = s.get("life_topics", topic_filters).unwrap_or_default();
    s.close();
    let login = username.zip(password).map(|(username, password)| Login { username, password });
    let identity = cert.zip(key).map(|(cert, key)| Identity { cert, key });
    Some(Mqtt { broker: broker?, client_id, login, ca_file, identity, keepalive_s, life_topics })
}

fn broker(value: &Value) -> Result<Broker, Wrong> {
    let text = reader::filled(value)?;
    let wrong = |what: &str| Wrong::new(what, "write mqtt://HOST:PORT or mqtts://HOST:PORT");
    let (scheme, rest) = text.split_once("://").ok_or_else(|| wrong("is no broker's address"))?;
    let tls = match scheme {
        "mqtt" => false,
        "mqtts" => true,
        _ => return Err(wrong("begins neither with mqtt:// nor with mqtts://")),
    };
    if rest.contains('@') {
        return Err(Wrong::new("holds a login", "move it to username and password"));
    }
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let (host, port) = match rest.strip_prefix('[').and_then(|r| r.split_once(']')) {
        Some((host, "")) => (host, None),
        Some((host, port)) => (host, Some(port.strip_prefix(':').ok_or_else(|| wrong("has no port after its host"))?)),
        None => rest.split_once(':').map_or((rest, None), |(host, port)| (host, Some(port))),
    };
    let usual = if tls { 8883 } else { 1883 };
    let port =
        port.map_or(Ok(usual), str::parse).ok().filter(|port| *port != 0).ok_or_else(|| wrong("has no valid port"))?;
    if host.is_empty() || host.contains(|c: char| c.is_whitespace() || "/?#[]".contains(c)) {
        return Err(wrong("has no valid host"));
    }
    Ok(Broker { host: host.to_owned(), port, tls })
}

fn client_id(value: &Value) -> Result<String, Wrong> {
    let text = reader::filled(value)?;
    match text.len() <= 64 && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)) {
        true => Ok(text),
        false => Err(Wrong::new("is no client id", "use 1 to 64 letters, digits, dashes, dots and underscores")),
    }
}

fn topic_filters(value: &Value) -> Result<Vec<String>, Wrong> {
    let filters = reader::list(value)?;
    for filter in &filters {
        let levels: Vec<&str> = filter.split('/').collect();
        let wild = |(at, level): (usize, &&str)| match *level {
            "#" => at + 1 == levels.len(),
            level => level == "+" || !level.contains(['#', '+']),
        };
        if filter.len() > 256 || !levels.iter().enumerate().all(wild) {
            let remedy = "let + and # stand for whole levels, # only for the last, in 256 bytes at most";
            return Err(Wrong::new(format!("holds {filter:?}, which is no topic filter"), remedy));
        }
    }
    Ok(filters)
}

fn sites(root: &Section<'_>) -> BTreeMap<SiteId, Site> {
    let zones = TimeZoneDatabase::bundled();
    let mut sites = BTreeMap::new();
    let section = root.inner("site");
    let each = section.each();
    if each.is_empty() {
        section
            .blame("NAME", Wrong::new("is missing", "describe at least one district: [site.NAME] with its timezone"));
    }
    for (name, s) in each {
        let shown = s.text("name", name);
        let zone = s.need("timezone", "write the IANA name, such as Asia/Shanghai", |v| zone(v, &zones));
        let desk_phone = s.get("desk_phone", phone).unwrap_or_default();
        let outcomes = s.get("outcomes", outcomes).unwrap_or_else(|| CloseCode::ALL.to_vec());
        let rules = rules_patch(&s, true);
        s.close();
        match (short_name::<SiteId>(name), zone) {
            (Err(wrong), _) => section.blame(name, wrong),
            (Ok(id), Some(zone)) => {
                drop(sites.insert(id.clone(), Site { id, name: shown, zone, desk_phone, outcomes, rules }))
            }
            (Ok(_), None) => {}
        }
    }
    sites
}

fn outcomes(value: &Value) -> Result<Vec<CloseCode>, Wrong> {
    let known = |word: &String| {
        CloseCode::ALL.into_iter().find(|code| code.name() == word).ok_or_else(|| {
            let words = CloseCode::ALL.map(CloseCode::name).join(", ");
            Wrong::new(format!("holds {word:?}, which is no outcome"), format!("choose among {words}"))
        })
    };
    let codes: Vec<CloseCode> = reader::list(value)?.iter().map(known).collect::<Result<_, _>>()?;
    if codes.is_empty() {
        return Err(Wrong::new("is empty", "name at least one outcome, or leave the key out for all"));
    }
    Ok(codes)
}

/// Site and source names stand in directories, topics and alarm ids.
fn short_name<T: std::str::FromStr>(name: &str) -> Result<T, Wrong> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
    let fine = name.len() <= 32 && name.chars().all(plain) && name.starts_with(|c: char| c.is_ascii_alphanumeric());
    fine.then(|| name.parse().ok())
        .flatten()
        .ok_or_else(|| Wrong::new("is no short name", "use 1 to 32 small letters, digits, dashes and underscores"))
}

/// A phone as people write it; it stands in messages as it is written here.
fn phone(value: &Value) -> Result<String, Wrong> {
    let text = reader::text(value)?;
    let signs = text.chars().all(|c| c.is_ascii_digit() || "+- ()/".contains(c));
    match signs && text.len() <= 32 {
        true => Ok(text),
        false => Err(Wrong::new("is no phone number", "write digits, spaces, dashes, + and brackets, 32 at most")),
    }
}

fn zone(value: &Value, zones: &TimeZoneDatabase) -> Result<jiff::tz::TimeZone, Wrong> {
    let name = reader::filled(value)?;
    zones.get(&name).map_err(|_| {
        let known: Vec<String> = zones.available().map(|zone| zone.as_str().to_owned()).collect();
        let remedy = match nearest(&name, known.iter().map(String::as_str)) {
            Some(meant) => format!("did you mean {meant}?"),
            None => "write the IANA name, such as Asia/Shanghai".to_owned(),
        };
        Wrong::new(format!("names no time zone with {name:?}"), remedy)
    })
}

/// The thresholds in the section `rules` and the ladders in `ladder`, of a site, plan or home. With `usual`, the ladders
/// `life`, `welfare` and `property` serve the priorities of these names unless another is named.
pub fn rules_patch(s: &Section<'_>, usual: bool) -> RulesPatch {
    let mut fields = serde_json::Map::new();
    let rules = s.inner("rules");
    for (name, _, range) in Rules::BUILT_IN.table() {
        if let Some(number) = rules.get(name, |v| reader::number(v, range)) {
            fields.insert(name.to_owned(), number.into());
        }
    }
    rules.close();
    let ladders = s.inner("ladder");
    let mut ladder = BTreeMap::new();
    let words = Priority::ALL.iter().map(|p| p.name()).chain(AlarmKind::ALL.iter().map(|k| k.name()));
    for word in words {
        let default = || LadderId::new(word).ok().filter(|_| usual && ["life", "welfare", "property"].contains(&word));
        if let Some(id) = ladders.get(word, reader::parsed::<LadderId>).or_else(default) {
            ladder.insert(word.into(), id);
        }
    }
    ladders.close();
    let patch: RulesPatch = serde_json::from_value(fields.into()).unwrap_or_default();
    RulesPatch { ladder, ..patch }
}

fn sources(
    root: &Section<'_>,
    sites: &BTreeMap<SiteId, Site>,
    service: &Service,
    needed: &mut Vec<(Place, Needed)>,
) -> BTreeMap<SourceId, Source> {
    let section = root.inner("source");
    let mut sources: BTreeMap<SourceId, Source> = BTreeMap::new();
    let each = section.each();
    if each.is_empty() {
        section.blame(
            "NAME",
            Wrong::new("is missing", "say where messages come from: [source.NAME] with site and dialect"),
        );
    }
    for (name, s) in each {
        let site = s.need("site", "name the [site.NAME] it belongs to", |v| {
            let id: SiteId = reader::parsed(v)?;
            let meant = || nearest(id.as_str(), sites.keys().map(SiteId::as_str));
            match sites.contains_key(&id) {
                true => Ok(id),
                false => Err(Wrong::new(
                    format!("names no site with {:?}", id.as_str()),
                    meant().map_or_else(|| "add [site.NAME] for it".to_owned(), |w| format!("did you mean {w}?")),
                )),
            }
        });
        let words: Vec<(&str, Dialect)> = Dialect::ALL.iter().map(|d| (d.name(), *d)).collect();
        let dialect = s.need("dialect", "write for example zigbee2mqtt or hearthwatch", |v| reader::choice(v, &words));
        let usual = |d: Dialect| d.usual_topics().iter().map(|topic| (*topic).to_owned()).collect();
        let topics: Option<Vec<String>> = s.get("topic", templates).or(dialect.map(usual));
        let also = s.get("also", topic_filters).unwrap_or_default();
        let push_secret = s.get("push_secret", |v| secret(v, service));
        needed.extend(push_secret.iter().map(|secret| (s.place("push_secret"), Needed::Signing(secret.clone()))));
        let shares = |other: &&Source| topics.iter().flatten().any(|topic| other.topics.contains(topic));
        if let Some(other) = sources.values().find(shares) {
            let wrong =
                Wrong::new(format!("is the topic of [source.{}] too", other.id), "give each source its own topics");
            s.blame("topic", wrong);
        }
        s.close();
        match (short_name::<SourceId>(name), site, dialect, topics) {
            (Err(wrong), ..) => section.blame(name, wrong),
            (Ok(id), Some(site), Some(dialect), Some(topics)) => {
                sources.insert(id.clone(), Source { id, site, dialect, topics, also, push_secret });
            }
            _ => {}
        }
    }
    sources
}

/// One topic, or a list of them.
fn templates(value: &Value) -> Result<Vec<String>, Wrong> {
    match value {
        Value::List(items) if items.is_empty() => Err(Wrong::new("is empty", "name a topic or remove the key")),
        Value::List(items) => items.iter().map(template).collect(),
        one => Ok(vec![template(one)?]),
    }
}

/// A topic whose levels are words or placeholders, with `{device}` once.
fn template(value: &Value) -> Result<String, Wrong> {
    let text = reader::filled(value)?;
    let remedy = "write levels such as zigbee2mqtt/{home}/{device}: each a word or a {placeholder}, {device} once";
    let wrong = |what: String| Err(Wrong::new(what, remedy));
    let mut seen: Vec<&str> = Vec::new();
    // Alibaba's topics begin with a slash.
    for level in text.strip_prefix('/').unwrap_or(&text).split('/') {
        let name = level.strip_prefix('{').and_then(|l| l.strip_suffix('}'));
        match name {
            Some(name) if name.is_empty() || !name.chars().all(|c| c.is_ascii_lowercase() || c == '_') => {
                return wrong(format!("has no valid placeholder with {level:?}"));
            }
            Some(name) if seen.contains(&name) => return wrong(format!("has {{{name}}} twice")),
            Some(name) => seen.push(name),
            None if level.is_empty() || level.contains(['{', '}', '+', '#']) => {
                return wrong(format!("has no valid level with {level:?}"));
            }
            None => {}
        }
    }
    match seen.contains(&"device") && text.len() <= 256 {
        true => Ok(text),
        false => wrong("has no {device}, or more than 256 bytes".to_owned()),
    }
}

fn journal(s: Section<'_>) -> Journal {
    let found = Journal {
        segment_mib: s.number("segment_mib", 1..=1_024, 64),
        telemetry_keep_days: s.number("telemetry_keep_days", 1..=3_650, 180),
        ledger_keep_days: s.number("ledger_keep_days", 180..=36_500, 1_096),
        reserve_mib: s.number("reserve_mib", 1..=1_024, 64),
    };
    if found.ledger_keep_days < found.telemetry_keep_days {
        s.blame("ledger_keep_days", Wrong::new("is less than telemetry_keep_days", "keep the ledger at least as long"));
    }
    s.close();
    found
}

fn limits(s: Section<'_>) -> Limits {
    let found = Limits {
        event_streams: s.number("event_streams", 1..=10_000, 64),
        store_cache_mib: s.number("store_cache_mib", 8..=1_024, 64),
        import_mib: s.number("import_mib", 1..=256, 16),
    };
    s.close();
    found
}
