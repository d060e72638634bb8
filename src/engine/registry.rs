//! What people told the gateway: homes, residents, devices, responders, rotas, channels, ladders, plans, profiles. Every entity is a change in the
//! journal; what is personal in it is sealed before it comes here.

pub use super::channel::{Answers, Channel, ChannelDialect, Language, Medium, Method, Rate, Template};
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
