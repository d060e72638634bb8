//! One attempt to deliver one notice: what a webhook dialect words and signs.

use super::id::{NoticeId, ResponderId};
use super::registry::Channel;
use super::time::Wall;
use super::view::{AlarmView, HomeView, NextView};
use serde::Serialize;
use std::sync::Arc;

/// What a notice says it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NoticeType {
    /// A rung is told.
    Notice,
    /// Somebody has taken the alarm.
    Taken,
    Closed,
}

impl NoticeType {
    /// The CloudEvents type.
    pub fn name(self) -> &'static str {
        match self {
            NoticeType::Notice => "hearthwatch.alarm.notice",
            NoticeType::Taken => "hearthwatch.alarm.taken",
            NoticeType::Closed => "hearthwatch.alarm.closed",
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

/// One attempt to deliver one notice, with the alarm as it stands at this moment.
#[derive(Debug, Clone)]
pub struct Parcel {
    pub notice: NoticeId,
    /// From 1; a second attempt has the same notice id.
    pub attempt: u32,
    pub channel: Arc<Channel>,
    pub kind: NoticeType,
    /// When the notice was made.
    pub issued: Wall,
    pub alarm: AlarmView,
    pub home: HomeView,
    /// From 1.
    pub rung: u32,
    /// How often the last rung had been repeated before.
    pub round: u32,
    pub next: Option<NextView>,
    /// On *taken* and *closed*: who did it, and with what outcome code.
    pub by: Option<ResponderId>,
    pub outcome: Option<&'static str>,
    /// Only for a channel with `include_personal`.
    pub personal: Option<Personal>,
}
