//! What goes out by a channel, and what its answers mean: one file for each webhook dialect, all pure.
//!
//! Reading order: [`words`] says a notice in Chinese or English, in the order that caseworkers need it; [`message`] holds those words and
//! fits them into what a platform takes; the dialects (`standard`, `wecom`, `dingtalk`, `feishu`, `slack`, `template`) make a request of
//! them; `answer` judges what came back. **Nothing here sends, waits, or reads a secret's file:** the courier does.

mod answer;
mod dingtalk;
mod feishu;
mod message;
mod phrases;
mod slack;
pub mod standard;
pub mod template;
mod wecom;
mod words;

#[cfg(test)]
mod tests;

pub use answer::{Verdict, judge, reads_refusals};

use crate::engine::parcel::{NoticeType, Parcel};
use crate::engine::registry::{ChannelDialect, Method};
use crate::engine::time::Wall;
use crate::wire::respond::Links;
use jiff::tz::TimeZone;
use standard::{BadSecret, Secrets};
use std::fmt;

/// What the notices of a site say besides what they are about.
#[derive(Debug, Clone)]
pub struct Desk {
    /// Makes the links by which notices are answered; none where nobody said where the console is.
    pub links: Option<Links>,
    /// The zone of the times that people read.
    pub zone: TimeZone,
    /// Whom to ring where the link fails; empty for nobody.
    pub phone: String,
}

impl Default for Desk {
    fn default() -> Desk {
        Desk { links: None, zone: TimeZone::UTC, phone: String::new() }
    }
}

impl Desk {
    /// Where people answer a notice: a page for its channel's people, the console itself for a digest.
    pub fn link(&self, parcel: &Parcel) -> Option<String> {
        let links = self.links.as_ref()?;
        match parcel.alarm() {
            Some(_) => links.link(&parcel.notice, &parcel.channel.id, parcel.issued),
            None => links.console(),
        }
    }

    /// The token by which a notice that calls is answered through its channel's provider; empty where nothing is asked, or where the
    /// provider hands on no answers.
    fn answer(&self, parcel: &Parcel) -> String {
        let asks = parcel.kind() == NoticeType::Notice;
        let hands_on = parcel.channel.template.as_ref().is_some_and(|template| template.answers.is_some());
        let links = self.links.as_ref().filter(|_| asks && hands_on);
        links.map(|links| links.answer(&parcel.notice, &parcel.channel.id, parcel.issued)).unwrap_or_default()
    }
}

/// What a channel signs with. Debug shows nothing of it.
#[derive(Clone)]
pub enum Keys {
    None,
    /// Of `standard` and `template`: all sign side by side.
    Standard(Secrets),
    /// Of `dingtalk` and `feishu`: a message carries one signature, so while keys rotate the next is tried where one is refused.
    Robot(Vec<String>),
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys(…)")
    }
}

impl Keys {
    /// Reads the text of a channel's secret, None where the channel names none; several keys stand between white space.
    pub fn parse(dialect: ChannelDialect, text: Option<&str>) -> Result<Keys, BadSecret> {
        use ChannelDialect::*;
        match (dialect, text) {
            (Standard, None) => Err(BadSecret::Missing),
            (Standard | Template, Some(text)) => Secrets::parse(text).map(Keys::Standard),
            (Dingtalk | Feishu, Some(text)) => {
                let keys: Vec<String> = text.split_whitespace().take(Secrets::MAX + 1).map(str::to_owned).collect();
                match keys.len() {
                    0 => Err(BadSecret::Missing),
                    n if n > Secrets::MAX => Err(BadSecret::TooMany),
                    _ => Ok(Keys::Robot(keys)),
                }
            }
            (Wecom | Slack, Some(_)) => Err(BadSecret::Unwanted),
            (_, None) => Ok(Keys::None),
        }
    }

    /// How many times a message may have to be signed anew until the receiver knows the key; at least 1.
    pub fn turns(&self) -> usize {
        if let Keys::Robot(keys) = self { keys.len() } else { 1 }
    }

    fn robot(&self, turn: usize) -> Option<&str> {
        if let Keys::Robot(keys) = self { keys.get(turn).map(String::as_str) } else { None }
    }
}

/// One request, but for the URL and the headers that are secrets.
pub struct Sending {
    pub method: Method,
    /// Joins the URL's own query, not yet encoded.
    pub query: Vec<(&'static str, String)>,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

/// A parcel that cannot be worded: its channel's template does not work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsendable(pub String);

impl fmt::Display for Unsendable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unsendable {}

/// Words and signs a parcel in its channel's dialect. `turn` counts from 0 and says which of several keys signs; `now` is what the
/// signature states as its time.
pub fn sending(parcel: &Parcel, desk: &Desk, keys: &Keys, turn: usize, now: Wall) -> Result<Sending, Unsendable> {
    use ChannelDialect::*;
    let channel = &parcel.channel;
    let worded = || words::message(parcel, desk);
    Ok(match channel.dialect {
        Standard => {
            let body = standard::render(parcel, desk.link(parcel).as_deref()).map_err(|e| Unsendable(e.to_string()))?;
            signed(post(body, standard::CONTENT_TYPE), parcel, keys, now)
        }
        Wecom => post_json(&wecom::body(&worded(), &channel.mention)),
        Dingtalk => {
            let query = keys.robot(turn).map(|key| dingtalk::signature(key, now)).unwrap_or_default();
            Sending { query, ..post_json(&dingtalk::body(&worded(), &channel.mention)) }
        }
        Feishu => post_json(&feishu::body(&worded(), &channel.mention, keys.robot(turn), now)),
        Slack => post_json(&slack::body(&worded(), &channel.mention)),
        Template => {
            let template = channel.template.as_deref().ok_or_else(|| Unsendable("has no template".to_owned()))?;
            let body = template::render(template, parcel, &worded(), &desk.answer(parcel))?.into_bytes();
            let sending = Sending { method: template.method, ..post(body, &template.content_type) };
            signed(sending, parcel, keys, now)
        }
    })
}

fn post(body: Vec<u8>, content_type: &str) -> Sending {
    Sending { method: Method::Post, query: Vec::new(), headers: vec![("content-type", content_type.to_owned())], body }
}

fn post_json(body: &serde_json::Value) -> Sending {
    post(body.to_string().into_bytes(), "application/json; charset=utf-8")
}

/// With the headers of Standard Webhooks, where there are keys for them.
fn signed(mut sending: Sending, parcel: &Parcel, keys: &Keys, now: Wall) -> Sending {
    if let Keys::Standard(secrets) = keys {
        let (id, timestamp_s) = (standard::message_id(&parcel.notice), now.0.div_euclid(1000));
        let signature = secrets.sign(&id, timestamp_s, &sending.body);
        let headers =
            [("webhook-id", id), ("webhook-timestamp", timestamp_s.to_string()), ("webhook-signature", signature)];
        sending.headers.extend(headers);
    }
    sending
}
