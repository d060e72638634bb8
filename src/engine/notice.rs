//! A notice: one message of one alarm's rung to one channel, with an id that stays the same over every attempt; or several in one.

use super::alarm::{Alarm, CloseCode};
use super::id::{ChannelId, NoticeId, ResponderId};
use super::kind::{AlarmKind, Priority};
use super::time::Stamp;
use minicbor::{Decode, Encode};

/// What a notice says it is.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub enum Subject {
    /// A rung is told.
    #[n(0)]
    Rung {
        /// From 1.
        #[n(0)]
        rung: u32,
        /// How often the last rung had been repeated before.
        #[n(1)]
        round: u32,
    },
    #[n(1)]
    Taken {
        #[n(0)]
        by: ResponderId,
    },
    #[n(2)]
    Closed {
        #[n(0)]
        alarm: Box<Alarm>,
        #[n(1)]
        by: Option<ResponderId>,
        #[n(2)]
        code: Option<CloseCode>,
    },
    /// A test of the channel: whoever receives it tells the desk its code.
    #[n(4)]
    Test {
        #[n(0)]
        code: Box<str>,
    },
    /// Several notices that had no place of their own.
    #[n(3)]
    Digest {
        #[n(0)]
        members: Vec<Notice>,
    },
}

/// A notice in the outbox.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Notice {
    #[n(0)]
    pub id: NoticeId,
    /// The home's number at its site.
    #[n(1)]
    pub home: u32,
    #[n(2)]
    pub channel: ChannelId,
    #[n(3)]
    pub kind: AlarmKind,
    #[n(4)]
    pub subject: Subject,
    #[n(5)]
    pub issued: Stamp,
}

impl Notice {
    pub fn priority(&self) -> Priority {
        self.kind.priority()
    }

    /// It tells a rung of its ladder.
    pub fn is_rung(&self) -> bool {
        matches!(self.subject, Subject::Rung { .. })
    }

    /// It tells of the alarm's end: nothing that comes later can make it void.
    pub fn is_last(&self) -> bool {
        matches!(self.subject, Subject::Closed { .. })
    }

    /// It is of no alarm, and has a number of its own in the sequence of the site's alarms.
    pub fn is_of_the_site(&self) -> bool {
        matches!(self.subject, Subject::Digest { .. } | Subject::Test { .. })
    }

    /// The notices that are in it; none but of a digest.
    pub fn members(&self) -> &[Notice] {
        match &self.subject {
            Subject::Digest { members } => members,
            _ => &[],
        }
    }
}
