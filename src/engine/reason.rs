//! Why an alarm was raised.

use super::home::care::{VisitKind, VisitOutcome};
use super::home::suppression::SuppressionKind;
use super::id::{ChannelId, LadderId};
use super::kind::Kind;
use super::staffing::Lack;
use super::time::Wall;
use minicbor::{Decode, Encode};
use serde::Serialize;

/// Why an alarm was raised; the words of `reason.why`.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum Reason {
    /// A device said so: a press, or a state that became true.
    #[n(0)]
    Said {
        #[n(0)]
        kind: Kind,
        #[n(1)]
        device: Box<str>,
    },
    /// A condition was already true when we first heard of it; nobody knows since when.
    #[n(1)]
    FoundTrue {
        #[n(0)]
        kind: Kind,
        #[n(1)]
        device: Box<str>,
    },
    /// A latched press repeated `true` after somebody had seen or closed it.
    #[n(2)]
    LatchedRepeat {
        #[n(0)]
        kind: Kind,
        #[n(1)]
        device: Box<str>,
    },
    /// No activity for so long, while the home was heard.
    #[n(3)]
    Silent {
        #[n(0)]
        #[serde(serialize_with = "super::view::utc")]
        last_activity: Wall,
        /// What the last activity was, and where.
        #[n(1)]
        last_kind: Option<Kind>,
        #[n(2)]
        last_room: Box<str>,
        #[n(3)]
        silent_s: u64,
        #[n(4)]
        limit_s: u64,
        /// The limit's name: cap, night_cap, door_only_cap, few_signs_cap, learnt, outing.
        #[n(5)]
        limit: Box<str>,
    },
    /// The home's decisions failed on an input; nobody watches it for silence until it is mended.
    #[n(4)]
    EngineFault {
        #[n(0)]
        fault: Box<str>,
    },
    /// A message that was being worked on at two deaths of the process; unread.
    #[n(5)]
    Unreadable {
        #[n(0)]
        topic: Box<str>,
    },
    /// Something of the gateway's own.
    #[n(6)]
    Own {
        #[n(0)]
        what: Box<str>,
    },
    /// Nobody could hear so many homes from then on, for one cause.
    #[n(7)]
    Unheard {
        #[n(0)]
        #[serde(serialize_with = "super::view::utc")]
        since: Wall,
        #[n(1)]
        homes: u32,
        /// The gateway itself heard nothing: it was down, or its broker, or its disk was full.
        #[n(2)]
        deaf: bool,
    },
    /// What is fine for a while has lasted too long.
    #[n(9)]
    Lasting {
        #[n(0)]
        #[serde(serialize_with = "super::view::utc")]
        since: Wall,
        /// Counting only while the home was heard.
        #[n(1)]
        lasted_s: u64,
        #[n(2)]
        limit_s: u64,
        #[n(3)]
        room: Box<str>,
        /// °C, of warmth.
        #[n(4)]
        value: Option<f64>,
        /// By so many °C the home had cooled more than its neighbours, where that is why.
        #[n(5)]
        #[serde(skip_serializing_if = "Option::is_none")]
        more_c: Option<u8>,
    },
    /// The home could not be heard, and nobody has stirred there or looked since.
    #[n(8)]
    Unwatched {
        #[n(0)]
        #[serde(serialize_with = "super::view::utc")]
        since: Wall,
        /// When it was heard again.
        #[n(1)]
        #[serde(serialize_with = "super::view::utc_or_null")]
        until: Option<Wall>,
        #[n(2)]
        #[serde(serialize_with = "super::view::utc_or_null")]
        last_activity: Option<Wall>,
    },
    /// What is said of the home has to be asked about: somebody stirs there, it was not confirmed for long, or it is about to end.
    #[n(10)]
    Suppressed {
        #[n(0)]
        of: SuppressionKind,
        #[n(1)]
        #[serde(serialize_with = "super::view::utc")]
        since: Wall,
        #[n(2)]
        #[serde(serialize_with = "super::view::utc")]
        until: Wall,
    },
    /// Nothing arrives by a channel.
    #[n(11)]
    ChannelDown {
        #[n(0)]
        channel: ChannelId,
        /// The word of its last failure.
        #[n(1)]
        failure: Box<str>,
        #[n(2)]
        #[serde(serialize_with = "super::view::utc")]
        since: Wall,
    },
    /// Some alarms could not be told as they must be: see [`super::staffing`].
    #[n(12)]
    CoverageGap {
        /// The ladder with the first such time; none: there is no ladder for them.
        #[n(0)]
        ladder: Option<LadderId>,
        /// Homes of that ladder.
        #[n(1)]
        homes: u32,
        /// When it begins; of one that is under way, when it was found.
        #[n(2)]
        #[serde(serialize_with = "super::view::utc")]
        from: Wall,
        #[n(3)]
        lacks: Vec<Lack>,
    },
    /// Visits are due, or one came to this.
    #[n(13)]
    Visit {
        #[n(0)]
        visits: Vec<VisitKind>,
        /// Until when they were to be made, the first of them; of one that was made, when that was.
        #[n(1)]
        #[serde(serialize_with = "super::view::utc")]
        due: Wall,
        #[n(2)]
        outcome: Option<VisitOutcome>,
    },
}

impl Reason {
    /// The device whose word it is.
    pub fn device(&self) -> Option<&str> {
        match self {
            Reason::Said { device, .. } | Reason::FoundTrue { device, .. } | Reason::LatchedRepeat { device, .. } => {
                Some(device)
            }
            _ => None,
        }
    }

    /// The same without what tells where in the home somebody was: rooms, and names of devices that hold them. For whoever may
    /// not read personal data.
    pub fn without_whereabouts(mut self) -> Reason {
        match &mut self {
            // Nor whose home is empty, and until when.
            Reason::Suppressed { .. } => return Reason::Own { what: "".into() },
            Reason::Said { device: place, .. }
            | Reason::FoundTrue { device: place, .. }
            | Reason::LatchedRepeat { device: place, .. }
            | Reason::Silent { last_room: place, .. }
            | Reason::Lasting { room: place, .. }
            | Reason::Unreadable { topic: place } => *place = "".into(),
            Reason::EngineFault { .. }
            | Reason::Own { .. }
            | Reason::Unheard { .. }
            | Reason::Unwatched { .. }
            | Reason::ChannelDown { .. }
            | Reason::CoverageGap { .. }
            | Reason::Visit { .. } => {}
        }
        self
    }
}
