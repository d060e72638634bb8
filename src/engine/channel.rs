//! Channels: the webhooks by which people are reached, and what each of them is like.

use super::id::{ChannelId, SiteId};
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How a channel's messages are worded and signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum ChannelDialect {
    /// CloudEvents, signed as Standard Webhooks 1.0 says.
    #[n(0)]
    Standard,
    /// A group robot of WeCom (企业微信).
    #[n(1)]
    Wecom,
    /// A custom robot of DingTalk (钉钉).
    #[n(2)]
    Dingtalk,
    /// A custom robot of Feishu (飞书).
    #[n(3)]
    Feishu,
    /// An incoming webhook of Slack.
    #[n(4)]
    Slack,
    /// Any other HTTP interface, in the words of the channel's [`Template`].
    #[n(5)]
    Template,
}

impl ChannelDialect {
    /// Whether it speaks for a robot in a group's chat.
    pub fn is_robot(self) -> bool {
        use ChannelDialect::*;
        matches!(self, Wecom | Dingtalk | Feishu | Slack)
    }
}

/// What language a channel's notices are worded in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// Chinese.
    #[default]
    #[n(0)]
    Zh,
    /// English.
    #[n(1)]
    En,
}

/// How the requests of a `template` channel look, and what proves that one was taken.
#[derive(Debug, Clone, PartialEq, Default, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Template {
    #[n(0)]
    pub method: Method,
    /// What the body is: it decides how values in it are escaped.
    #[n(1)]
    pub content_type: Box<str>,
    /// Further headers by name; a value that is a secret stands as `file:…` or `env:…`.
    #[n(2)]
    pub headers: BTreeMap<Box<str>, Box<str>>,
    /// A template in the manner of Jinja; README lists its variables.
    #[n(3)]
    pub body: Box<str>,
    /// Where in a JSON answer its word on success stands (RFC 6901: `/code`); empty: a 2xx is proof enough.
    #[n(4)]
    pub pointer: Box<str>,
    /// What stands there when the message was taken.
    #[n(5)]
    pub delivered: Box<str>,
    /// What stands there when the receiver is in trouble that may pass by itself.
    #[n(6)]
    pub busy: Vec<Box<str>>,
    /// What stands there when a person has to mend something. Anything else is no proof, and tried again.
    #[n(7)]
    pub broken: Vec<Box<str>>,
    /// How the receiver hands on what somebody answered, such as the key pressed in a call; None: it does not.
    #[n(8)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answers: Option<Box<Answers>>,
}

/// Where in the JSON body of a provider's callback an answer stands (RFC 6901: `/data/key`), and what it means.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Answers {
    /// The way to the token that the notice brought along as `answer`.
    #[n(0)]
    pub token: Box<str>,
    /// The way to what was pressed.
    #[n(1)]
    pub key: Box<str>,
    /// The way to the number that was called; None: the callback has none.
    #[n(2)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<Box<str>>,
    /// What stands at `key` where somebody has it.
    #[n(3)]
    pub taken: Vec<Box<str>>,
    /// Where somebody cannot.
    #[n(4)]
    pub cannot: Vec<Box<str>>,
    /// Where the called says that all is well. It proves nothing.
    #[n(5)]
    pub fine: Vec<Box<str>>,
    /// Where the called asks for help.
    #[n(6)]
    pub help: Vec<Box<str>>,
}

/// What an answer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    Taken,
    Cannot,
    Fine,
    Help,
}

impl Answers {
    /// What every key means, in the order of the fields. A right one stands once.
    pub fn keys(&self) -> impl Iterator<Item = (&str, Said)> {
        let lists = [
            (&self.taken, Said::Taken),
            (&self.cannot, Said::Cannot),
            (&self.fine, Said::Fine),
            (&self.help, Said::Help),
        ];
        lists.into_iter().flat_map(|(keys, said)| keys.iter().map(move |key| (&**key, said)))
    }

    /// What a key means; None: nothing.
    pub fn said(&self, key: &str) -> Option<Said> {
        self.keys().find(|(known, _)| *known == key).map(|(_, said)| said)
    }
}

/// The HTTP methods of templates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    #[default]
    #[n(0)]
    Post,
    #[n(1)]
    Put,
}

/// How a channel's messages reach people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum Medium {
    /// Another system, which has its own ways.
    #[n(0)]
    Webhook,
    /// A group's chat. It wakes nobody at night.
    #[n(1)]
    Chat,
    /// Text messages through a provider.
    #[n(2)]
    Sms,
    /// Calls through a provider.
    #[n(3)]
    Voice,
}

impl Medium {
    /// Whether somebody who sleeps hears of it: coverage of life alarms needs voice or SMS, a robot alone is a gap (PRACTICE).
    pub fn wakes(self) -> bool {
        matches!(self, Medium::Sms | Medium::Voice)
    }
}

/// How many messages a receiver takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    pub per_minute: u16,
    pub per_second: u16,
}

/// A webhook.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Channel {
    #[n(0)]
    pub id: ChannelId,
    #[n(1)]
    pub site: SiteId,
    #[n(2)]
    pub dialect: ChannelDialect,
    /// `https://…`; a URL that is itself a secret stands as `file:…` or `env:…`.
    #[n(3)]
    pub url: Box<str>,
    /// `file:…` or `env:…` of what messages are signed with, never the secret itself: `whsec_…` of `standard` and `template`, the
    /// signing key of `dingtalk` and `feishu`. Empty for none, which `standard` alone may not have.
    #[n(4)]
    #[serde(default)]
    pub secret: Box<str>,
    #[n(5)]
    #[serde(default)]
    pub include_personal: bool,
    /// Private and link-local addresses are refused unless this is set.
    #[n(6)]
    #[serde(default)]
    pub allow_private: bool,
    /// PEM file of the receiver's own certificate authority.
    #[n(7)]
    #[serde(default)]
    pub ca_file: Option<Box<str>>,
    /// Attempts under way at once, 1 to 64.
    #[n(8)]
    #[serde(default = "Channel::default_slots")]
    pub slots: u8,
    /// How it reaches people, where its dialect does not say so.
    #[n(9)]
    #[serde(default)]
    pub medium: Option<Medium>,
    #[n(10)]
    #[cbor(default)]
    #[serde(default)]
    pub language: Language,
    /// The most messages a minute that the receiver takes, 1 to 6,000; None: as its dialect says.
    #[n(11)]
    #[serde(default)]
    pub per_minute: Option<u16>,
    /// `http://HOST:PORT` of a proxy that leads to it; one with a password stands as `file:…` or `env:…`.
    #[n(12)]
    #[serde(default)]
    pub proxy: Option<Box<str>>,
    /// Of the dialect `template`, and of no other.
    #[n(13)]
    #[serde(default)]
    pub template: Option<Box<Template>>,
    /// Who is mentioned in a robot's life notices besides the people of the rung: the platform's own ids, or `all`.
    #[n(14)]
    #[cbor(default)]
    #[serde(default)]
    pub mention: Vec<Box<str>>,
}

impl Channel {
    fn default_slots() -> u8 {
        8
    }

    /// A channel that is otherwise as channels are: nothing personal, public addresses only, the authorities of the public
    /// internet, 8 slots. `url` and `secret` as the fields of these names.
    pub fn new(id: ChannelId, site: SiteId, dialect: ChannelDialect, url: &str, secret: &str) -> Channel {
        Channel {
            id,
            site,
            dialect,
            url: url.into(),
            secret: secret.into(),
            include_personal: false,
            allow_private: false,
            ca_file: None,
            slots: Channel::default_slots(),
            medium: None,
            language: Language::default(),
            per_minute: None,
            proxy: None,
            template: None,
            mention: Vec::new(),
        }
    }

    /// How its messages reach people.
    pub fn medium(&self) -> Medium {
        self.medium.unwrap_or(if self.dialect.is_robot() { Medium::Chat } else { Medium::Webhook })
    }

    /// How fast messages may go there; None where nothing limits them. A second's share is Feishu's own.
    pub fn rate(&self) -> Option<Rate> {
        let per_second = if self.dialect == ChannelDialect::Feishu { 5 } else { u16::MAX };
        self.per_minute().map(|per_minute| Rate { per_minute, per_second })
    }

    /// How many messages a minute may go there; None where nothing limits them. What the platforms allow one robot (FACTS): WeCom
    /// and DingTalk 20 (DingTalk blocks for ten minutes whoever sends more), Feishu 100 (and 5 a second), Slack about one a second.
    pub fn per_minute(&self) -> Option<u16> {
        self.per_minute.or(match self.dialect {
            ChannelDialect::Wecom | ChannelDialect::Dingtalk => Some(20),
            ChannelDialect::Feishu => Some(100),
            ChannelDialect::Slack => Some(60),
            ChannelDialect::Standard | ChannelDialect::Template => None,
        })
    }
}
