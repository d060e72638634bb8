//! A row to a channel: what each webhook dialect needs, and what it cannot have.

use super::rows::{Details, Open, is_blank, kept, optional, site};
use crate::config::mistake::Wrong;
use crate::config::reader::{Section, choice, filled, list, number, text};
use crate::config::tree::Value;
use crate::config::{Config, Secret};
use crate::engine::id::ChannelId;
use crate::engine::registry::*;
use crate::wire::webhook::template;
use std::path::Path;

/// Reads the channel `id`; `base` is what the registry has of it. None where something is wrong (the reader then knows).
pub(super) fn read(id: &str, s: &Section<'_>, base: Option<Entity>, config: &Config) -> Option<Open> {
    let base = if let Some(Entity::Channel(c)) = base { Some(c) } else { None };
    let site = site(s, base.as_ref().map(|b| &b.site), config);
    let dialect = s.choice("dialect", DIALECTS, base.as_ref().map_or(ChannelDialect::Standard, |b| b.dialect));
    let allow_private = s.flag("allow_private", base.as_ref().is_some_and(|b| b.allow_private));
    let url = kept(s, "url", base.as_ref().map(|b| &b.url), "write https://… or file:… or env:…", |v| {
        url(v, allow_private)
    });
    let secret = secret(s, dialect, base.as_ref());
    let template = template(s, base.as_ref());
    let base =
        base.unwrap_or_else(|| Channel::new(ChannelId::cut(id), crate::engine::id::SiteId::cut(""), dialect, "", ""));
    let blank_or =
        |v: &Value, read: &dyn Fn(&Value) -> Result<u32, Wrong>| if is_blank(v) { Ok(None) } else { read(v).map(Some) };
    let per_minute = s.get("per_minute", |v| blank_or(v, &|v| number(v, 1..=6_000)));
    let medium = s.get("medium", |v| if is_blank(v) { Ok(None) } else { choice(v, MEDIUM).map(Some) });
    let channel = Channel {
        id: ChannelId::new(id).ok()?,
        site: site?,
        dialect,
        url: url?,
        secret: secret?,
        include_personal: s.flag("include_personal", base.include_personal),
        allow_private,
        ca_file: s.get("ca_file", optional).unwrap_or(base.ca_file),
        slots: s.number("slots", 1..=64, base.slots.into()) as u8,
        medium: medium.unwrap_or(base.medium),
        language: s.choice("language", LANGUAGES, base.language),
        per_minute: per_minute.map_or(base.per_minute, |n| n.map(|n| n as u16)),
        proxy: s.get("proxy", proxy).unwrap_or(base.proxy),
        template,
        mention: s.get("mention", mention).unwrap_or(base.mention),
    };
    fits(s, &channel);
    Some((Entity::Channel(channel), Details::None))
}

/// What the dialect asks for besides, and what it cannot use.
fn fits(s: &Section<'_>, channel: &Channel) {
    if channel.include_personal && channel.medium() == Medium::Chat {
        let wrong = Wrong::new(
            "would show names and addresses to a whole group",
            "leave include_personal out: they stand behind the link, for whoever takes the alarm",
        );
        s.blame("include_personal", wrong);
    }
    if !channel.mention.is_empty() && !channel.dialect.is_robot() {
        s.blame("mention", Wrong::new("is for robots only", "remove it"));
    }
    match (&channel.template, channel.dialect) {
        (None, ChannelDialect::Template) => {
            s.blame(
                "template",
                Wrong::new("is missing", "describe the request in [channel.template]: at least its body"),
            );
        }
        (Some(_), dialect) if dialect != ChannelDialect::Template => {
            s.blame("template", Wrong::new("is for dialect = \"template\" only", "remove it, or change the dialect"));
        }
        (Some(template), _) => {
            if let Err(why) = template::check(template, channel) {
                s.blame("template", Wrong::new(why.to_string(), "correct the body; README lists the variables"));
            }
        }
        (None, _) => {}
    }
}

/// A warning where the registry holds the key of a robot for all to read who may read the registry.
pub(super) fn key_in_the_open(entity: &Entity) -> Option<String> {
    let Entity::Channel(channel) = entity else { return None };
    let open = channel.dialect.is_robot() && channel.url.starts_with("http");
    open.then(|| format!("channel {}: a robot's url is its key; write it as file:… or env:…", channel.id))
}

fn url(value: &Value, allow_private: bool) -> Result<Box<str>, Wrong> {
    let text = filled(value)?;
    let host = |scheme: &str| {
        text.strip_prefix(scheme).map(|rest| !rest.is_empty() && !rest.starts_with('/') && !rest.contains(' '))
    };
    match (host("https://"), host("http://")) {
        (Some(true), _) => Ok(text.into()),
        (_, Some(true)) if allow_private => Ok(text.into()),
        (_, Some(true)) => Err(Wrong::new(
            "is not encrypted",
            "write https://…, or allow_private = true for a receiver in the own network",
        )),
        (None, None) if text.starts_with("file:") || text.starts_with("env:") => {
            Secret::parse(&text, Path::new("")).map(|_| text.into())
        }
        _ => Err(Wrong::new("is no web address", "write https://… or file:… or env:…")),
    }
}

/// The signing secret: `standard` has to have one, `wecom` and `slack` cannot, the others may.
fn secret(s: &Section<'_>, dialect: ChannelDialect, base: Option<&Channel>) -> Option<Box<str>> {
    use ChannelDialect::*;
    let remedy = match dialect {
        Dingtalk | Feishu => "write file:… or env:… of the robot's signing key",
        _ => "write file:… or env:… of its whsec_… secret",
    };
    let named = |v: &Value| {
        if is_blank(v) && dialect != Standard {
            return Ok("".into());
        }
        let text = filled(v)?;
        match Secret::parse(&text, Path::new(""))?.is_named() {
            true => Ok(text.into_boxed_str()),
            false => Err(Wrong::new("holds a secret in the open", remedy)),
        }
    };
    // An entry that changes its dialect may not keep what the new one cannot use.
    let old = base.map(|b| &b.secret).filter(|old| !old.is_empty());
    let secret = match dialect {
        Standard => kept(s, "secret", old, remedy, named),
        _ => Some(s.get("secret", named).or_else(|| old.cloned()).unwrap_or_default()),
    };
    if matches!(dialect, Wecom | Slack) && secret.as_ref().is_some_and(|secret| !secret.is_empty()) {
        s.blame("secret", Wrong::new("is of no use here: the key in the url is the secret", "leave it empty"));
    }
    secret
}

/// A section replaces the former one as a whole.
fn template(s: &Section<'_>, base: Option<&Channel>) -> Option<Box<Template>> {
    if !s.has("template") {
        return base.and_then(|b| b.template.clone());
    }
    let t = s.inner("template");
    let words = |key| t.get(key, |v| Ok(list(v)?.into_iter().map(Into::into).collect())).unwrap_or_default();
    let template = Template {
        method: t.choice("method", &[("POST", Method::Post), ("PUT", Method::Put)], Method::Post),
        content_type: t.text("content_type", "application/json").into(),
        headers: headers(&t),
        body: t.need("body", "write the body with its variables", filled).unwrap_or_default().into(),
        pointer: t.get("pointer", pointer).unwrap_or_default().into(),
        delivered: t.text("delivered", "").into(),
        busy: words("busy"),
        broken: words("broken"),
        answers: answers(&t),
    };
    if template.pointer.is_empty() != template.delivered.is_empty() {
        let wrong =
            Wrong::new("needs the other", "give both pointer and delivered, or neither: a 2xx is then the proof");
        t.blame(if template.pointer.is_empty() { "delivered" } else { "pointer" }, wrong);
    }
    t.close();
    Some(Box::new(template))
}

/// What a callback of the provider means. Every key has one meaning, and there is something that it can mean.
fn answers(t: &Section<'_>) -> Option<Box<Answers>> {
    if !t.has("answers") {
        return None;
    }
    let s = t.inner("answers");
    let keys = |name| s.get(name, keys).unwrap_or_default();
    let remedy = "write where it stands in the callback's JSON body: /token or /data/key";
    let answers = Answers {
        token: s.need("token", remedy, way).unwrap_or_default(),
        key: s.need("key", remedy, way).unwrap_or_default(),
        phone: s.get("phone", way),
        taken: keys("taken"),
        cannot: keys("cannot"),
        fine: keys("fine"),
        help: keys("help"),
    };
    let all: Vec<&str> = answers.keys().map(|(key, _)| key).collect();
    if all.is_empty() {
        s.blame(
            "taken",
            Wrong::new("is empty, as are cannot, fine and help", "name the keys that mean something: taken = [\"1\"]"),
        );
    }
    if let Some((_, twice)) = all.iter().enumerate().find(|(at, key)| all[..*at].contains(key)) {
        s.blame("taken", Wrong::new(format!("or another list has {twice:?} twice"), "give every key one meaning"));
    }
    s.close();
    Some(Box::new(answers))
}

/// The longest key in bytes, and how many a list may have.
const MAX_KEY_BYTES: usize = 32;
const MAX_KEYS: usize = 16;

fn keys(value: &Value) -> Result<Vec<Box<str>>, Wrong> {
    let keys = list(value)?;
    let is_key = |key: &String| (1..=MAX_KEY_BYTES).contains(&key.len()) && key.trim() == key;
    match keys.iter().all(is_key) && keys.len() <= MAX_KEYS {
        true => Ok(keys.into_iter().map(Into::into).collect()),
        false => Err(Wrong::new("holds what is no key", "write up to 16 keys of up to 32 characters: [\"1\"]")),
    }
}

/// A JSON pointer to a value within a document.
fn way(value: &Value) -> Result<Box<str>, Wrong> {
    let text = pointer(value)?;
    // A tilde stands for nothing but itself and the slash.
    let escaped = text.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
    match !text.is_empty() && escaped {
        true => Ok(text.into()),
        false => Err(Wrong::new("is no JSON pointer", "write the way to the value: /token or /data/key")),
    }
}

/// Headers of the request's own; those that the connection or the signature sets are not for templates.
fn headers(t: &Section<'_>) -> std::collections::BTreeMap<Box<str>, Box<str>> {
    const OURS: [&str; 6] = ["host", "connection", "content-length", "content-type", "transfer-encoding", "expect"];
    let mut headers = std::collections::BTreeMap::new();
    for (name, value) in t.texts("headers") {
        let lower = name.to_ascii_lowercase();
        let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        let taken = OURS.contains(&lower.as_str()) || lower.starts_with("webhook-");
        let is_value = value.bytes().all(|b| b.is_ascii_graphic() || b == b' ');
        let wrong = match (is_name, taken, is_value) {
            (false, ..) => Wrong::new("is no name of a header", "use letters, digits and dashes"),
            (_, true, _) => Wrong::new("is set by the gateway", "remove it; content_type is a key of its own"),
            (.., false) => Wrong::new("cannot stand in a header", "use ASCII letters, digits and signs on one line"),
            _ => {
                headers.insert(lower.into(), value.into());
                continue;
            }
        };
        t.blame("headers", Wrong::new(format!("{name}: {}", wrong.what), wrong.remedy));
    }
    headers
}

fn pointer(value: &Value) -> Result<String, Wrong> {
    let text = text(value)?;
    match text.is_empty() || text.starts_with('/') {
        true => Ok(text),
        false => Err(Wrong::new("is no JSON pointer", "write the way to the value: /code or /result/status")),
    }
}

fn proxy(value: &Value) -> Result<Option<Box<str>>, Wrong> {
    let Some(text) = optional(value)? else { return Ok(None) };
    let plain = text.strip_prefix("http://").map(|rest| !rest.is_empty() && !rest.contains([' ', '/', '@']));
    match plain {
        Some(true) => Ok(Some(text)),
        None if text.starts_with("file:") || text.starts_with("env:") => {
            Secret::parse(&text, Path::new("")).map(|_| Some(text))
        }
        _ => Err(Wrong::new(
            "is no proxy",
            "write http://HOST:PORT, or file:… or env:… of http://USER:PASSWORD@HOST:PORT",
        )),
    }
}

/// Ids as the platforms give them.
fn mention(value: &Value) -> Result<Vec<Box<str>>, Wrong> {
    let ids = list(value)?;
    let is_id = |id: &String| {
        (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-@".contains(&b))
    };
    match ids.iter().all(is_id) && ids.len() <= 20 {
        true => Ok(ids.into_iter().map(Into::into).collect()),
        false => Err(Wrong::new("holds what is no id of a platform", "write up to 20 ids, or all")),
    }
}

const DIALECTS: &[(&str, ChannelDialect)] = &[
    ("standard", ChannelDialect::Standard),
    ("", ChannelDialect::Standard),
    ("wecom", ChannelDialect::Wecom),
    ("dingtalk", ChannelDialect::Dingtalk),
    ("feishu", ChannelDialect::Feishu),
    ("slack", ChannelDialect::Slack),
    ("template", ChannelDialect::Template),
    ("企业微信", ChannelDialect::Wecom),
    ("钉钉", ChannelDialect::Dingtalk),
    ("飞书", ChannelDialect::Feishu),
];

const LANGUAGES: &[(&str, Language)] =
    &[("zh", Language::Zh), ("en", Language::En), ("", Language::Zh), ("中文", Language::Zh), ("英文", Language::En)];

const MEDIUM: &[(&str, Medium)] = &[
    ("webhook", Medium::Webhook),
    ("chat", Medium::Chat),
    ("sms", Medium::Sms),
    ("voice", Medium::Voice),
    ("群", Medium::Chat),
    ("短信", Medium::Sms),
    ("电话", Medium::Voice),
];
