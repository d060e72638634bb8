//! What people told the gateway: homes, residents, devices, responders, rotas, channels, ladders, plans, profiles. Every entity is a change in the
//! journal; what is personal in it is sealed before it comes here.

use super::id::*;
use super::policy::RulesPatch;
pub use super::profile::Profile;
pub use super::rota::Rota;
use super::sealed::Sealed;
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Whether a home is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    #[default]
    #[n(0)]
    Active,
    /// Watched for calls only; nobody is to be asked about silence.
    #[n(1)]
    Paused,
    /// Moved away.
    #[n(2)]
    Left,
    /// Silences the family at once.
    #[n(3)]
    Deceased,
}

/// One household (一户一档). Personal data stands in `details`.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Home {
    #[n(0)]
    pub id: HomeId,
    #[n(1)]
    pub site: SiteId,
    #[n(2)]
    pub plan: Option<PlanId>,
    #[n(3)]
    pub status: Status,
    /// The home's own thresholds (一户一策).
    #[n(4)]
    pub rules: RulesPatch,
    /// Residential community (社区) and block, as far as a group chat may read them.
    #[n(5)]
    pub community: Option<Box<str>>,
    #[n(6)]
    pub block: Option<Box<str>>,
    #[n(7)]
    pub details: Option<Sealed<HomeDetails>>,
    /// Who looks after the home: whom a rung of the word `caseworker` tells, and whose list its visits stand on (责任社工, 网格员).
    #[n(8)]
    pub caseworker: Option<ResponderId>,
}

impl Home {
    /// An active home of which nothing else is known.
    pub fn new(id: HomeId, site: SiteId) -> Home {
        let (plan, community, block, details, caseworker) = Default::default();
        Home {
            id,
            site,
            plan,
            status: Status::Active,
            rules: RulesPatch::default(),
            community,
            block,
            details,
            caseworker,
        }
    }
}

/// The personal part of a home.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HomeDetails {
    pub address: String,
    pub floor: String,
    pub gate_code: String,
    /// Who holds a key, or where it is.
    pub keyholder: String,
    pub keyholder_phone: String,
    /// The door can be bolted from inside.
    pub inner_bolt: bool,
    pub dog: bool,
    pub contact1_name: String,
    pub contact1_phone: String,
    pub contact1_relation: String,
    pub contact2_name: String,
    pub contact2_phone: String,
    pub contact2_relation: String,
    /// Dates (YYYY-MM-DD) of the consents; empty where there is none. 破门授权
    pub forced_entry_consent: String,
    pub monitoring_consent: String,
    pub notes: String,
}

/// One occupant of a home; couples, children and disabled people too.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Resident {
    #[n(0)]
    pub id: ResidentId,
    #[n(1)]
    pub home: HomeId,
    #[n(2)]
    pub details: Sealed<ResidentDetails>,
}

/// The personal part of a resident.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ResidentDetails {
    pub name: String,
    pub phone: String,
    pub birth_year: Option<u16>,
    /// walks, stick, walker, wheelchair, bed
    pub mobility: String,
    pub dementia: bool,
    pub disabled: bool,
    pub child: bool,
    pub hard_of_hearing: bool,
    pub diagnoses: String,
}

/// What a source and an address identify.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, Deserialize)]
pub struct Device {
    #[n(0)]
    pub id: DeviceId,
    #[n(1)]
    pub home: HomeId,
    #[n(2)]
    pub source: SourceId,
    #[n(3)]
    pub address: Address,
    /// `entrance` is the entrance door.
    #[n(4)]
    #[serde(default)]
    pub room: Box<str>,
    #[n(5)]
    #[serde(default)]
    pub model: Box<str>,
    /// It can call for help: its topic is heard by the `life` session too.
    #[n(6)]
    #[serde(default)]
    pub life: bool,
    /// What is told of its messages; else what is told of its model.
    #[n(7)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<ProfileId>,
}

/// A person who can act.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Responder {
    #[n(0)]
    pub id: ResponderId,
    #[n(1)]
    pub site: SiteId,
    /// The webhooks that reach the person or the person's group, best first.
    #[n(2)]
    pub channels: Vec<ChannelId>,
    #[n(3)]
    pub details: Sealed<ResponderDetails>,
}

/// The personal part of a responder.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ResponderDetails {
    pub name: String,
    pub phone: String,
    /// What is kept of the PIN by which the person says who it is; empty for none. Nobody is ever shown it.
    pub pin: String,
}

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

/// One step of a ladder.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rung {
    /// What the notice before calls it: "deputy".
    #[n(0)]
    pub name: Box<str>,
    #[n(1)]
    pub to: Vec<ResponderId>,
    /// Seconds until the next rung, 1 to 86,400.
    #[n(2)]
    pub wait_s: u32,
    /// Whoever is on duty by these when the rung is told, after the people it names.
    #[n(3)]
    #[cbor(default)]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rotas: Vec<RotaId>,
}

/// An escalation policy.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ladder {
    #[n(0)]
    pub id: LadderId,
    #[n(1)]
    pub site: SiteId,
    #[n(2)]
    pub rungs: Vec<Rung>,
    /// Seconds after which the last rung is told again, without end. 10 to 86,400.
    #[n(3)]
    pub repeat_s: u32,
}

/// Thresholds and ladders that homes share.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    #[n(0)]
    pub id: PlanId,
    #[n(1)]
    pub site: SiteId,
    #[n(2)]
    #[serde(default)]
    pub rules: RulesPatch,
}

macro_rules! entities {
    ($($n:literal $name:ident $table:ident $key:ty, $word:literal;)*) => {
        /// One entry of the registry.
        #[derive(Debug, Clone, PartialEq, Encode, Decode)]
        pub enum Entity { $(#[n($n)] $name(#[n(0)] $name),)* }

        /// The name of an entry.
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
        pub enum EntityKey { $(#[n($n)] $name(#[n(0)] $key),)* }

        impl Entity {
            pub fn key(&self) -> EntityKey {
                match self { $(Entity::$name(e) => EntityKey::$name(e.id.clone()),)* }
            }
        }

        impl EntityKey {
            /// The word of the API and the files, singular.
            pub fn word(&self) -> &'static str {
                match self { $(EntityKey::$name(_) => $word,)* }
            }

            pub fn id(&self) -> &str {
                match self { $(EntityKey::$name(id) => id.as_str(),)* }
            }
        }

        /// All entries of a site, by id.
        #[derive(Debug, Clone, PartialEq, Default, Encode, Decode)]
        pub struct Registry { $(#[n($n)] #[cbor(default)] pub $table: BTreeMap<$key, $name>,)* }

        impl Registry {
            /// Enters an entity, or replaces the one of the same id.
            pub fn put(&mut self, entity: Entity) {
                match entity { $(Entity::$name(e) => { self.$table.insert(e.id.clone(), e); })* }
            }

            /// Takes an entity out; an unknown key changes nothing.
            pub fn remove(&mut self, key: &EntityKey) {
                match key { $(EntityKey::$name(id) => { self.$table.remove(id); })* }
            }

            pub fn get(&self, key: &EntityKey) -> Option<Entity> {
                match key { $(EntityKey::$name(id) => self.$table.get(id).cloned().map(Entity::$name),)* }
            }

            /// Every entry, in an order in which each comes after what it names.
            pub fn all(&self) -> Vec<Entity> {
                let mut all = Vec::new();
                $(all.extend(self.$table.values().cloned().map(Entity::$name));)*
                all
            }
        }
    };
}

entities! {
    0 Channel channels ChannelId, "channel";
    1 Responder responders ResponderId, "responder";
    8 Rota rotas RotaId, "rota";
    2 Ladder ladders LadderId, "ladder";
    3 Plan plans PlanId, "plan";
    4 Home homes HomeId, "home";
    5 Resident residents ResidentId, "resident";
    7 Profile profiles ProfileId, "profile";
    6 Device devices DeviceId, "device";
}
