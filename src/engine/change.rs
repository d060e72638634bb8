//! What a decision changes. Changes are what the journal keeps and what a restart folds: variants and fields are numbered, never
//! edited, only added to.

use super::alarm::{Act, Alarm, Attention, CloseCode, Reason, Safe, Telling, Told};
use super::delivery::Outcome;
use super::home::care::{VisitKind, VisitOutcome};
use super::home::routine::Beyond;
use super::home::suppression::Suppression;
use super::id::{Address, AlarmId, ChannelId, HomeId, NoticeId, ResponderId, SourceId};
use super::kind::AlarmKind;
use super::learn::Lesson;
pub use super::notice::{Notice, Subject};
use super::reading::Reading;
use super::registry::{Entity, EntityKey};
use super::sealed::Sealed;
use super::site::warmth::Cooling;
use super::time::{Millis, Stamp, Tick, Wall};
use minicbor::{Decode, Encode};

/// One reading as it was taken in: the telemetry block consists of these.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Fact {
    /// The device's place in its home.
    #[n(0)]
    pub device: u16,
    #[n(1)]
    pub reading: Reading,
    /// When the device says it happened, where that is believable and not now.
    #[n(2)]
    pub happened: Option<Wall>,
    /// Delivered because we subscribed: it tells a state, and is nobody's doing now.
    #[n(3)]
    pub retained: bool,
    /// With a latched `true`: the fingerprint of what else the message said.
    #[n(4)]
    pub rest: Option<u32>,
    /// The sender's own name of the event, hashed.
    #[n(5)]
    pub event: Option<u64>,
    /// A press, and not the one just before once more: what follows within the merging time belongs to it.
    #[n(6)]
    pub press: Option<()>,
    /// How well the device was received, percent; with the first reading of a message.
    #[n(7)]
    pub signal: Option<u8>,
    /// Said before the device was registered, and taken over then: nobody is told of it.
    #[n(8)]
    pub history: Option<()>,
    /// The first of a message that no person caused: the radio is alive.
    #[n(9)]
    pub beat: Option<()>,
    /// It would tell that somebody stirs, but for whom this home is.
    #[n(10)]
    pub proves_nothing: Option<()>,
}

/// A device as a home knows it.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Introduction {
    /// Its place in the home: the next free one, or the one it has.
    #[n(0)]
    pub device: u16,
    #[n(1)]
    pub source: SourceId,
    #[n(2)]
    pub address: Address,
    #[n(3)]
    pub room: Box<str>,
    /// The registry names it; otherwise its topic brought it here.
    #[n(4)]
    pub registered: bool,
    /// It is there to call for help.
    #[n(5)]
    #[cbor(default)]
    pub life: bool,
}

/// What happens to an alarm, as its timeline shows it.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub enum AlarmChange {
    /// One more press, or the condition came again.
    #[n(0)]
    Counted {
        #[n(0)]
        happened: Wall,
        /// Why it came again, after it was over or a person was found safe.
        #[n(1)]
        reason: Option<Reason>,
    },
    /// The condition ended by itself.
    #[n(1)]
    Over {
        #[n(0)]
        at: Wall,
    },
    #[n(2)]
    Attention {
        #[n(0)]
        attention: Attention,
        /// How late the rung is told that this tells.
        #[n(1)]
        late_by: Millis,
    },
    /// A person did something.
    #[n(3)]
    Acted {
        #[n(0)]
        act: Act,
        #[n(1)]
        by: ResponderId,
    },
    #[n(4)]
    Safe(#[n(0)] Option<Safe>),
    /// A notice to one channel was made.
    #[n(5)]
    Telling(#[n(0)] Telling),
    #[n(6)]
    Told {
        #[n(0)]
        channel: ChannelId,
        #[n(1)]
        number: u32,
        #[n(2)]
        told: Told,
    },
    /// Another notice (taken, closed) took a number.
    #[n(7)]
    Numbered(#[n(0)] u32),
}

/// A change of a home.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub enum HomeChange {
    /// The one telemetry variant; everything else is ledger.
    #[n(0)]
    Heard(#[n(0)] Fact),
    #[n(1)]
    Met(#[n(0)] Introduction),
    #[n(2)]
    Raised(#[n(0)] Box<Alarm>),
    #[n(3)]
    Alarm {
        #[n(0)]
        kind: AlarmKind,
        #[n(1)]
        change: AlarmChange,
    },
    /// The last of an alarm; holds it whole, so that its end alone tells its story.
    #[n(4)]
    Closed {
        #[n(0)]
        alarm: Box<Alarm>,
        #[n(1)]
        code: Option<CloseCode>,
        /// None: by itself.
        #[n(2)]
        by: Option<ResponderId>,
    },
    /// Its decisions failed: from here on only calls for help count.
    #[n(5)]
    Frozen {
        #[n(0)]
        fault: Box<str>,
    },
    /// The raw message behind an alarm.
    #[n(6)]
    Evidence {
        #[n(0)]
        alarm: AlarmId,
        #[n(1)]
        raw: Sealed<Raw>,
    },
    /// A bridge or hub between us and the home stopped or returned.
    #[n(7)]
    Bridge {
        #[n(0)]
        online: bool,
    },
    /// A device belongs to another home from here on.
    #[n(8)]
    DeviceLeft {
        #[n(0)]
        device: u16,
    },
    /// An alarm went along with its device.
    #[n(9)]
    AlarmLeft {
        #[n(0)]
        alarm: AlarmId,
    },
    /// An alarm came along with its device.
    #[n(10)]
    AlarmJoined(#[n(0)] Box<Alarm>),
    /// A test window was opened.
    #[n(11)]
    WalkOpened {
        #[n(0)]
        until: Tick,
        #[n(1)]
        by: ResponderId,
        /// How many calls of each device are tests.
        #[n(2)]
        presses: u8,
    },
    /// Within the window a device showed that it works: a call (with the alarm's kind), or anything else that a person causes.
    #[n(12)]
    Tested {
        #[n(0)]
        device: u16,
        #[n(1)]
        called: Option<AlarmKind>,
    },
    #[n(13)]
    WalkClosed {
        /// None: its time was over.
        #[n(0)]
        by: Option<ResponderId>,
        #[n(1)]
        signed: bool,
    },
    /// A local day is over: what the home's own past says of its silences from here on.
    #[n(14)]
    Learnt(#[n(0)] Box<Lesson>),
    /// Not even the radio of the home is heard any more.
    #[n(15)]
    Lost,
    /// The site is deaf since then, or was and hears again: nobody knows how the people fare.
    #[n(16)]
    Unwatched {
        #[n(0)]
        since: Stamp,
        #[n(1)]
        still: bool,
    },
    /// A person looked after the people of the home, for no alarm: they are well.
    #[n(17)]
    Looked {
        #[n(0)]
        safe: Safe,
    },
    /// The home is watched again, after it was not.
    #[n(19)]
    Resumed,
    /// A device's temperature has passed a bound.
    #[n(18)]
    Climate {
        #[n(0)]
        device: u16,
        #[n(1)]
        beyond: Beyond,
    },
    /// A person has said why nobody is to be told of some alarms, or that it holds on.
    #[n(20)]
    Suppressed(#[n(0)] Box<Suppression>),
    /// The last of a suppression; holds it whole, with what it hid.
    #[n(21)]
    SuppressionEnded {
        #[n(0)]
        suppression: Box<Suppression>,
        /// None: its time was over.
        #[n(1)]
        by: Option<ResponderId>,
    },
    /// Vital signs are beyond their bounds, or within them again.
    #[n(22)]
    Vital {
        #[n(0)]
        device: u16,
        #[n(1)]
        beyond: bool,
    },
    /// The site was told by how many °C the home has cooled since its warmest of the last day; none: nothing measures it.
    #[n(23)]
    Cooled {
        #[n(0)]
        degrees: Option<u8>,
    },
    /// An alarm that was closed by mistake is open again.
    #[n(27)]
    Reopened(#[n(0)] Box<Alarm>),
    /// It has cooled by so much more than its neighbours; none: no longer.
    #[n(24)]
    Apart {
        #[n(0)]
        more: Option<u8>,
    },
    /// A visit did not find that all is well ([`HomeChange::Looked`] tells of one that did), or what was said of the last of this kind
    /// was an error.
    #[n(25)]
    Visited {
        #[n(0)]
        kind: VisitKind,
        #[n(1)]
        outcome: Option<VisitOutcome>,
        #[n(2)]
        by: ResponderId,
    },
}

/// A message as it came.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Raw {
    pub topic: String,
    /// Base64.
    pub payload: String,
}

/// A change of a site.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub enum SiteChange {
    /// A home got a number: the count of homes before it.
    #[n(0)]
    HomeAdded {
        #[n(0)]
        id: HomeId,
        /// False for the pseudo-home of an unregistered device.
        #[n(1)]
        claimed: bool,
    },
    #[n(1)]
    Registered(#[n(0)] Box<Entity>),
    #[n(2)]
    Removed(#[n(0)] EntityKey),
    #[n(3)]
    NoticeMade(#[n(0)] Box<Notice>),
    #[n(4)]
    AttemptStarted {
        #[n(0)]
        notice: NoticeId,
        #[n(1)]
        attempt: u32,
    },
    #[n(5)]
    AttemptEnded {
        #[n(0)]
        notice: NoticeId,
        #[n(1)]
        attempt: u32,
        #[n(2)]
        outcome: Outcome,
        /// When it is tried again; none after a success.
        #[n(3)]
        again: Option<Tick>,
    },
    /// Taken back: nobody needs it any more.
    #[n(6)]
    Withdrawn {
        #[n(0)]
        notice: NoticeId,
    },
    /// From here on the site cannot hear its homes.
    #[n(7)]
    Deaf,
    /// It hears again. `lost` is how long it did not.
    #[n(8)]
    Hearing {
        #[n(0)]
        lost: Millis,
    },
    /// A message that no decoder understood.
    #[n(9)]
    Rejected {
        #[n(0)]
        reason: Box<str>,
        #[n(1)]
        raw: Sealed<Raw>,
    },
    /// The site's process started; what was under way before is over.
    #[n(10)]
    Started {
        #[n(0)]
        epoch: u64,
    },
    /// A home, by its number, cannot be heard.
    #[n(11)]
    Unheard {
        #[n(0)]
        home: u32,
    },
    /// It is heard again.
    #[n(12)]
    HeardAgain {
        #[n(0)]
        home: u32,
    },
    /// The outage of this number has settled and is told; none: the site's own deafness.
    #[n(13)]
    OutageTold {
        #[n(0)]
        outage: Option<u32>,
    },
    /// Nothing was to be written for some time, and the site heard all the same: what a restart would take for its own absence.
    #[n(14)]
    Alive,
    /// Nothing arrives by a channel any more, and an alarm says so.
    #[n(15)]
    ChannelDown {
        #[n(0)]
        channel: ChannelId,
    },
    /// Somebody is at the console, or nobody any more.
    #[n(19)]
    Desk {
        #[n(0)]
        staffed: bool,
    },
    /// Nobody has been there for a minute, and the homes know.
    #[n(20)]
    DeskEmpty,
    /// A person has received a test message of a channel.
    #[n(21)]
    ChannelSeen {
        #[n(0)]
        channel: ChannelId,
        /// Who entered its code.
        #[n(1)]
        by: ResponderId,
    },
    /// A channel had no place for a call for help, whose alarm goes on without it.
    #[n(17)]
    Deferred {
        #[n(0)]
        notice: NoticeId,
    },
    /// What a home, by its number, says of its warmth.
    #[n(16)]
    Cooled {
        #[n(0)]
        home: u32,
        #[n(1)]
        cooling: Option<Cooling>,
    },
    /// A cold wave lies on the site until then; none: it is over.
    #[n(18)]
    ColdWave {
        #[n(0)]
        until: Option<Wall>,
        #[n(1)]
        by: ResponderId,
    },
}
