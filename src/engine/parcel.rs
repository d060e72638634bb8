//! One attempt to deliver one notice: what a webhook dialect words and signs.

use super::id::{NoticeId, ResponderId};
use super::registry::Channel;
use super::time::Wall;
use super::view::{AlarmView, HomeView, NextView};
use serde::{Serialize, Serializer};
use std::sync::Arc;

/// What a notice says it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NoticeType {
    /// A rung is told.
    Notice,
    /// Somebody has taken the alarm.
    Taken,
    Closed,
    /// Many alarms are told of at once.
    Digest,
    /// Of no alarm: whether the channel reaches people.
    Test,
}

impl NoticeType {
    /// The CloudEvents type.
    pub fn name(self) -> &'static str {
        match self {
            NoticeType::Notice => "hearthwatch.alarm.notice",
            NoticeType::Taken => "hearthwatch.alarm.taken",
            NoticeType::Closed => "hearthwatch.alarm.closed",
            NoticeType::Digest => "hearthwatch.digest",
            NoticeType::Test => "hearthwatch.channel.test",
        }
    }
}

/// Personal data of a home, unsealed for a channel that may have it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Personal {
    pub address: String,
    pub residents: Vec<PersonalContact>,
    pub contacts: Vec<PersonalContact>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PersonalContact {
    pub name: String,
    pub phone: String,
    /// "resident", or the relation of a contact.
    pub role: String,
}

/// A person of the rung that is told, unsealed: a colleague, who may stand in a notice.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Person {
    pub name: String,
    pub phone: String,
}

/// What a notice tells of one alarm, as it stands at this moment.
#[derive(Debug, Clone)]
pub struct AlarmNotice {
    /// Neither [`NoticeType::Digest`] nor [`NoticeType::Test`].
    pub kind: NoticeType,
    pub alarm: AlarmView,
    pub home: HomeView,
    /// From 1.
    pub rung: u32,
    /// How often the last rung had been repeated before.
    pub round: u32,
    pub next: Option<NextView>,
    /// The people of the rung whom the channel reaches, in the rung's order.
    pub people: Vec<Person>,
    /// On *taken* and *closed*: who did it (and the name, where it is known), and with what outcome code.
    pub by: Option<ResponderId>,
    pub by_name: Option<String>,
    pub outcome: Option<&'static str>,
    /// Only for a channel with `include_personal`.
    pub personal: Option<Personal>,
}

/// Many alarms of a site in one message.
#[derive(Debug, Clone)]
pub struct Digest {
    /// Those that are told of one by one.
    pub alarms: Vec<DigestLine>,
    /// How many there are in all; more than `alarms` holds where they were too many.
    pub total: u32,
}

/// One alarm of a digest.
#[derive(Debug, Clone, Serialize)]
pub struct DigestLine {
    /// What would have been told of it alone: a rung, or that somebody has taken or closed it.
    #[serde(serialize_with = "type_name")]
    pub r#type: NoticeType,
    pub alarm: AlarmView,
    pub home: HomeView,
}

fn type_name<S: Serializer>(of: &NoticeType, s: S) -> Result<S::Ok, S::Error> {
    s.serialize_str(of.name())
}

/// What a parcel is about.
#[derive(Debug, Clone)]
pub enum Content {
    Alarm(Box<AlarmNotice>),
    Digest(Digest),
    /// The code that whoever receives it tells the desk.
    Test(Box<str>),
}

/// One attempt to deliver one notice.
#[derive(Debug, Clone)]
pub struct Parcel {
    pub notice: NoticeId,
    /// From 1; a second attempt has the same notice id.
    pub attempt: u32,
    pub channel: Arc<Channel>,
    /// When the notice was made.
    pub issued: Wall,
    pub content: Content,
}

impl Parcel {
    pub fn kind(&self) -> NoticeType {
        match &self.content {
            Content::Alarm(told) => told.kind,
            Content::Digest(_) => NoticeType::Digest,
            Content::Test(_) => NoticeType::Test,
        }
    }

    /// What it tells of its one alarm; none of a digest or a test.
    pub fn alarm(&self) -> Option<&AlarmNotice> {
        match &self.content {
            Content::Alarm(told) => Some(told),
            Content::Digest(_) | Content::Test(_) => None,
        }
    }
}
