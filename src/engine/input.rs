//! What the machines are given.

use super::alarm::{Act, Reason, SafeHow, Told};
use super::change::{Introduction, Notice};
use super::delivery::Outcome;
use super::home::Leaving;
use super::home::care::{VisitKind, VisitOutcome};
use super::home::suppression::SuppressionKind;
use super::id::{AlarmId, ChannelId, NoticeId, ResponderId};
use super::kind::AlarmKind;
use super::reading::Reading;
use super::registry::Entity;
use super::sealed::Sealed;
use super::time::{Stamp, Wall};

/// The readings of one message, brought home.
#[derive(Debug, Clone, PartialEq)]
pub struct Heard {
    /// The device's place in its home.
    pub device: u16,
    pub readings: Vec<Reading>,
    /// What the device states, unchecked.
    pub device_time: Option<Wall>,
    /// See [`super::reading::Report::rest`].
    pub rest: u32,
    /// The sender's own name of the event, hashed: a second message with it is the same event.
    pub event: Option<u64>,
    pub retained: bool,
    pub echo: bool,
    /// How well the device was received, percent.
    pub signal: Option<u8>,
    /// It was heard before anybody knew whose device it is: it tells what was, and calls nobody now.
    pub history: bool,
}

/// What a person does with a home's test window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WalkOrder {
    Open {
        /// How long it stays open.
        minutes: u8,
        /// How many calls of each device are tests; one more is real.
        presses: u8,
    },
    /// Ends the window; signed, the home is handed over as it was found.
    Close { signed: bool },
}

/// What a person says of why nobody is to be told of some alarms of a home.
#[derive(Debug, Clone, PartialEq)]
pub enum SuppressionOrder {
    /// Sets it, or says that it holds on, with this end.
    Set { kind: SuppressionKind, until: Wall, reason: Option<Sealed<String>> },
    /// It is over: of people who were away, they are back.
    End { kind: SuppressionKind },
}

/// An input of a home machine.
#[derive(Debug, Clone, PartialEq)]
pub enum HomeInput {
    Heard(Heard),
    /// A device joins the home, or is told anew.
    Met(Introduction),
    Bridge {
        online: bool,
    },
    /// A person acts on the alarm; `revision` is what the person had before the eyes.
    Act {
        alarm: AlarmId,
        act: Act,
        by: ResponderId,
        revision: Option<u32>,
    },
    /// A deadline may have passed.
    Due,
    /// From the site: what became of a rung's notice.
    Told {
        kind: AlarmKind,
        notice: NoticeId,
        channel: ChannelId,
        told: Told,
    },
    /// A device belongs to another home from here on. What it has open here goes along where nobody had claimed it; of the kinds that
    /// are open there already, that one counts it.
    Left {
        device: u16,
        open_there: Option<Vec<AlarmKind>>,
    },
    /// An alarm that comes along with its device.
    Joins(Box<Leaving>),
    /// A person commissions the home.
    Walk {
        order: WalkOrder,
        by: ResponderId,
    },
    /// A person sets or ends a suppression.
    Suppress {
        order: SuppressionOrder,
        by: ResponderId,
    },
    /// From the keeper: the process has started, and no clock can be trusted to have run in between.
    Restarted,
    /// From the keeper: an input made the machine fail.
    Failed {
        fault: Box<str>,
    },
    /// Raise an alarm of the gateway's own.
    Own {
        kind: AlarmKind,
        reason: Reason,
    },
    /// From the site: what that was raised for has ended.
    Ended {
        kind: AlarmKind,
    },
    /// From the site: nothing is heard since then, or was until now.
    Deaf {
        since: Stamp,
        still: bool,
    },
    /// From the site: nobody has been at the console for a minute.
    DeskEmpty,
    /// From the site: the home has cooled by so much more than its neighbours, °C; none: no longer.
    Apart {
        more: Option<u8>,
    },
    /// From the keeper: the home is watched again.
    Resumed,
    /// A person has looked after the people of the home, for no alarm.
    Looked {
        by: ResponderId,
        how: SafeHow,
    },
    /// What came of a visit; none: what was said of today's was an error.
    Visit {
        kind: VisitKind,
        outcome: Option<VisitOutcome>,
        by: ResponderId,
    },
}

/// An input of a site machine.
#[derive(Debug, Clone, PartialEq)]
pub enum SiteInput {
    /// From a home: tell a channel.
    Tell(Box<Notice>),
    /// From a home: what is pending of this alarm is no longer needed, but for word of its end.
    Withdraw {
        alarm: AlarmId,
    },
    /// From the courier.
    Ended {
        notice: NoticeId,
        attempt: u32,
        outcome: Outcome,
    },
    Due,
    /// Entries of the registry, checked.
    Register(Vec<Entity>),
    /// A home, by its number, cannot be heard any more, or is again.
    Hearing {
        home: u32,
        heard: bool,
    },
    /// From the console: whether anybody who may act has it open.
    Desk {
        staffed: bool,
    },
    /// From the keeper: channels may hold back what has to go another way.
    Relieve,
    /// From a home: it has cooled by so many °C; none where nothing measures it. By `least` more than its neighbours is too much.
    Cooled {
        home: u32,
        degrees: Option<u8>,
        least: u8,
    },
    /// A person, or a feed of the weather, says that a cold wave lies on the site until then; none: it is over.
    ColdWave {
        until: Option<Wall>,
        by: ResponderId,
    },
    /// A person sends a test message by a channel.
    TestChannel {
        channel: ChannelId,
        code: Box<str>,
    },
    /// And enters the code that it brought somebody.
    ChannelSeen {
        channel: ChannelId,
        code: Box<str>,
        by: ResponderId,
    },
    /// The link to the broker, as far as it brings telemetry.
    Link {
        up: bool,
    },
    /// The first input of a process.
    Started {
        epoch: u64,
    },
}
