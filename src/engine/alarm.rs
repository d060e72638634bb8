//! An alarm, its three axes (seen, over, safe), and the one table of what people may do with it.

use super::id::{AlarmId, ChannelId, NoticeId, ResponderId};
use super::kind::{AlarmKind, Priority};
use super::policy::Rules;
pub use super::reason::Reason;
use super::sealed::Sealed;
use super::time::{Millis, Stamp, Tick, Wall};
use minicbor::{Decode, Encode};
use serde::Serialize;

/// How a person came to know that the resident is safe. Hearsay is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, serde::Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum SafeHow {
    #[n(0)]
    Seen,
    #[n(1)]
    Spoke,
    #[n(2)]
    #[serde(rename = "handed_to_120")]
    HandedTo120,
}

/// What an alarm turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, serde::Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum CloseCode {
    #[n(0)]
    Helped,
    #[n(1)]
    Hospital,
    #[n(2)]
    Deceased,
    #[n(3)]
    NotHome,
    #[n(4)]
    Refused,
    #[n(5)]
    NoAccess,
    #[n(6)]
    Accidental,
    #[n(7)]
    Sensor,
    #[n(8)]
    Test,
    #[n(9)]
    Technical,
}

impl CloseCode {
    pub const ALL: [CloseCode; 10] = [
        CloseCode::Helped,
        CloseCode::Hospital,
        CloseCode::Deceased,
        CloseCode::NotHome,
        CloseCode::Refused,
        CloseCode::NoAccess,
        CloseCode::Accidental,
        CloseCode::Sensor,
        CloseCode::Test,
        CloseCode::Technical,
    ];

    /// The word of the contract.
    pub const fn name(self) -> &'static str {
        match self {
            CloseCode::Helped => "helped",
            CloseCode::Hospital => "hospital",
            CloseCode::Deceased => "deceased",
            CloseCode::NotHome => "not_home",
            CloseCode::Refused => "refused",
            CloseCode::NoAccess => "no_access",
            CloseCode::Accidental => "accidental",
            CloseCode::Sensor => "sensor",
            CloseCode::Test => "test",
            CloseCode::Technical => "technical",
        }
    }
}

/// How far the person who took the alarm has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum Progress {
    #[n(0)]
    Seen,
    #[n(1)]
    OnMyWay,
    #[n(2)]
    OnSite,
}

/// Who looks after an open alarm right now. An alarm without a deadline of some kind cannot be written down, but for one whose
/// person is safe.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub enum Attention {
    /// Nobody yet: the ladder climbs.
    #[n(0)]
    Calling {
        /// The rung told last, from 1; 0 before the first.
        #[n(0)]
        rung: u32,
        /// How often the last rung has been repeated.
        #[n(1)]
        round: u32,
        /// When the next rung is due.
        #[n(2)]
        next: Tick,
    },
    /// Somebody has it until the lease ends; then the ladder starts again.
    #[n(1)]
    Taken {
        #[n(0)]
        by: ResponderId,
        #[n(1)]
        at: Wall,
        #[n(2)]
        until: Tick,
        #[n(3)]
        progress: Progress,
    },
    /// A person confirmed that the resident is safe; only the paper work is left.
    #[n(2)]
    Settled,
}

/// A person confirmed it.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize)]
pub struct Safe {
    #[n(0)]
    pub by: ResponderId,
    #[n(1)]
    #[serde(serialize_with = "super::view::utc")]
    pub at: Wall,
    #[n(2)]
    pub how: SafeHow,
}

/// What became of the latest notice to one channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Told {
    /// Waiting or being sent.
    #[n(0)]
    Pending,
    #[n(1)]
    Delivered,
    /// Failed at least once and still tried.
    #[n(2)]
    Failing,
    /// Taken back before it was delivered.
    #[n(3)]
    Withdrawn,
}

/// The latest rung notice of an alarm to a channel.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Telling {
    #[n(0)]
    pub channel: ChannelId,
    /// The notice's number within the alarm.
    #[n(1)]
    pub number: u32,
    #[n(2)]
    pub rung: u32,
    #[n(3)]
    pub round: u32,
    #[n(4)]
    pub told: Told,
    /// Whether anything was ever delivered there: whom *taken* and *closed* must reach.
    #[n(5)]
    pub knows: bool,
}

impl Telling {
    /// Waiting, being sent, or tried again.
    pub fn is_under_way(&self) -> bool {
        matches!(self.told, Told::Pending | Told::Failing)
    }
}

/// One open alarm. At most one per (home, kind).
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Alarm {
    #[n(0)]
    pub id: AlarmId,
    #[n(1)]
    pub kind: AlarmKind,
    /// When it was taken in.
    #[n(2)]
    pub raised: Stamp,
    /// When it happened, as far as anybody knows.
    #[n(3)]
    pub happened: Wall,
    /// What it says of its age is a guess.
    #[n(4)]
    pub age_unknown: bool,
    /// Presses, or how often the condition came.
    #[n(5)]
    pub events: u32,
    #[n(6)]
    pub last_event: Stamp,
    #[n(7)]
    pub reason: Reason,
    #[n(8)]
    pub attention: Attention,
    /// When the condition ended by itself.
    #[n(9)]
    pub over: Option<Wall>,
    #[n(10)]
    pub safe: Option<Safe>,
    /// The one hold has been used.
    #[n(11)]
    pub held: bool,
    /// Counts the changes that a person who acts should have seen; what a client states to say what it has.
    #[n(12)]
    pub revision: u32,
    /// How many notices have been made; the next has the number after.
    #[n(13)]
    pub notices: u32,
    #[n(14)]
    pub tellings: Vec<Telling>,
    /// The last who had taken it, for *taken, never arrived*.
    #[n(15)]
    pub last_taker: Option<ResponderId>,
    /// How late the rung told last was told, behind its time.
    #[n(16)]
    pub late_by: Millis,
    /// How often somebody called the resident in vain; raises the urgency.
    #[n(17)]
    pub unanswered: u32,
    /// How often somebody stood before the door and could not get in; raises the urgency.
    #[n(28)]
    #[cbor(default)]
    pub no_access: u32,
}

impl Alarm {
    /// An alarm that is raised at `at`, for what happened then. Its ladder is at the foot: as it stands it would be looked at at once.
    pub fn new(id: AlarmId, kind: AlarmKind, reason: Reason, at: Stamp) -> Alarm {
        Alarm {
            id,
            kind,
            raised: at,
            happened: at.wall,
            age_unknown: false,
            events: 1,
            last_event: at,
            reason,
            attention: Attention::Calling { rung: 0, round: 0, next: at.tick },
            over: None,
            safe: None,
            held: false,
            revision: 1,
            notices: 0,
            tellings: Vec::new(),
            last_taker: None,
            late_by: Millis(0),
            unanswered: 0,
            no_access: 0,
        }
    }

    pub fn priority(&self) -> Priority {
        self.kind.priority()
    }

    /// What it was raised for lasts, and nobody was found safe: once it does not, the same again is another need.
    pub fn lasts(&self) -> bool {
        self.over.is_none() && self.safe.is_none()
    }

    pub fn notice_id(&self, number: u32) -> NoticeId {
        NoticeId { alarm: self.id.clone(), number }
    }

    /// When the alarm has to be looked at next, whatever happens.
    pub fn deadline(&self) -> Option<Tick> {
        match &self.attention {
            Attention::Calling { next, .. } => Some(*next),
            Attention::Taken { until, .. } => Some(*until),
            Attention::Settled => None,
        }
    }

    /// When a call for help has waited so long for somebody at the door that everybody is to hear of it again; none for other kinds.
    pub fn nobody_on_site_at(&self, rules: &Rules) -> Option<Tick> {
        self.after_the_call(rules.on_site_breach_min)
    }

    /// By when somebody is to be at the door of whoever calls for help.
    pub fn on_site_goal(&self, rules: &Rules) -> Option<Tick> {
        self.after_the_call(rules.on_site_goal_min)
    }

    fn after_the_call(&self, minutes: u32) -> Option<Tick> {
        (self.priority() == Priority::Life && minutes > 0).then(|| self.raised.tick + Millis::from_mins(minutes.into()))
    }

    pub fn telling(&self, channel: &ChannelId) -> Option<&Telling> {
        self.tellings.iter().find(|t| &t.channel == channel)
    }
}

/// What a person does with an alarm.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub enum Act {
    #[n(0)]
    Seen,
    #[n(1)]
    OnMyWay {
        /// Minutes until arrival, as stated.
        #[n(0)]
        minutes: Option<u32>,
    },
    #[n(2)]
    OnSite,
    /// The resident was called and did not answer: raises the urgency, renews nothing.
    #[n(3)]
    NoAnswer,
    #[n(4)]
    Note(#[n(0)] Sealed<String>),
    /// One minute to finish a first contact.
    #[n(5)]
    Hold,
    /// Who had taken it cannot come.
    #[n(6)]
    Cannot,
    #[n(7)]
    Safe(#[n(0)] SafeHow),
    #[n(8)]
    Close(#[n(0)] CloseCode),
    /// It was closed, or said to be safe, by mistake.
    #[n(9)]
    Reopen,
    /// Somebody stands before the door and cannot get in: raises the urgency, and others are told at once.
    #[n(19)]
    NoAccess,
}

/// Why an act is refused; nothing has changed then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    NoSuchAlarm,
    /// It was closed before.
    Closed,
    /// Somebody changed it in between: look again.
    Stale {
        revision: u32,
    },
    /// Life and welfare alarms close only after a person confirmed *safe*.
    NotSafeYet,
    /// The one hold is used up.
    HeldBefore,
    /// Somebody else has it.
    NotYours,
    /// It calls, or somebody has it: there is nothing to reopen.
    StillOpen,
    /// Another alarm of its kind has been raised in the home since it was closed.
    RaisedAgain,
}

impl Refusal {
    pub fn name(self) -> &'static str {
        match self {
            Refusal::NoSuchAlarm => "no_such_alarm",
            Refusal::Closed => "closed",
            Refusal::Stale { .. } => "stale_revision",
            Refusal::NotSafeYet => "not_safe_yet",
            Refusal::HeldBefore => "held_before",
            Refusal::NotYours => "not_yours",
            Refusal::StillOpen => "still_open",
            Refusal::RaisedAgain => "raised_again",
        }
    }

    /// What the person has to know, in English; the console translates by name.
    pub fn remedy(self) -> &'static str {
        match self {
            Refusal::NoSuchAlarm => "There is no alarm of this id.",
            Refusal::Closed => "The alarm is closed. Within three days of that it can be reopened.",
            Refusal::Stale { .. } => "The alarm has changed since you looked: load it again and decide anew.",
            Refusal::NotSafeYet => {
                "Nobody has confirmed that the resident is safe (seen, spoke, or handed to 120): do that first. If there is no answer, call 120."
            }
            Refusal::HeldBefore => "An alarm can be held once only.",
            Refusal::NotYours => "Somebody else has taken this alarm.",
            Refusal::StillOpen => {
                "The alarm is open, and nobody has said that the resident is safe: there is nothing to reopen."
            }
            Refusal::RaisedAgain => "Another alarm of this kind is open in this home: act on that one.",
        }
    }
}

/// What an act comes to. The home machine turns it into changes.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// The ladder is held until then.
    Lease {
        until: Tick,
        progress: Progress,
    },
    /// Nobody has it, or is safe: the ladder starts again, now.
    CallAgain,
    /// Nobody has it: the next rung is told now.
    ClimbOn,
    Settle(SafeHow),
    Close(CloseCode),
    /// Only the record grows.
    Record,
}

/// The one transition table: what `act` of `by` comes to on an open `alarm` at `now`.
pub fn decide(alarm: &Alarm, act: &Act, by: &ResponderId, rules: &Rules, now: Tick) -> Result<Verdict, Refusal> {
    let life = alarm.priority() == Priority::Life;
    let mins = |m: u32| Millis::from_mins(m.into());
    let seen = Millis::from_secs(if life { rules.life_seen_lease_s } else { rules.seen_lease_s }.into());
    // What somebody says does not hide for ever that nobody is there.
    let breach = alarm.nobody_on_site_at(rules).filter(|at| *at > now);
    let unless_nobody_comes = |until: Tick| breach.map_or(until, |at| until.min(at));
    let has_it = matches!(&alarm.attention, Attention::Taken { by: owner, .. } if owner == by);
    Ok(match (act, &alarm.attention) {
        (Act::Reopen, Attention::Settled) => Verdict::CallAgain,
        (Act::Reopen, _) => return Err(Refusal::StillOpen),
        // Safe stays safe; only closing is left to do.
        (
            Act::Seen | Act::OnMyWay { .. } | Act::OnSite | Act::NoAnswer | Act::NoAccess | Act::Hold | Act::Cannot,
            Attention::Settled,
        ) => Verdict::Record,
        // Whoever writes down what they did is at it; that nobody answered is no progress.
        (Act::Seen | Act::Note(_), Attention::Taken { by: owner, until, progress, .. }) if owner == by => {
            let renewed = if *progress == Progress::OnSite { now + seen } else { unless_nobody_comes(now + seen) };
            Verdict::Lease { until: (*until).max(renewed), progress: *progress }
        }
        (Act::Note(_), _) => Verdict::Record,
        // Whoever has got further keeps it.
        (Act::Seen, Attention::Taken { progress: Progress::OnMyWay | Progress::OnSite, .. }) => Verdict::Record,
        (Act::OnMyWay { .. }, Attention::Taken { progress: Progress::OnSite, .. }) if !has_it => Verdict::Record,
        (Act::Seen, _) => Verdict::Lease { until: unless_nobody_comes(now + seen), progress: Progress::Seen },
        (Act::OnMyWay { minutes }, _) => {
            let eta =
                minutes.unwrap_or(if life { rules.life_on_my_way_min } else { rules.on_my_way_min }).clamp(1, 240);
            let until = unless_nobody_comes(now + mins(eta + rules.on_my_way_grace_min));
            Verdict::Lease { until, progress: Progress::OnMyWay }
        }
        (Act::OnSite, _) => Verdict::Lease { until: now + mins(rules.on_site_lease_min), progress: Progress::OnSite },
        (Act::NoAnswer, _) => Verdict::Record,
        // Whoever has it needs others now. Where the ladder climbs it must not begin anew: pressed again and again, the top
        // would never be told.
        (Act::NoAccess, Attention::Taken { .. }) => Verdict::CallAgain,
        (Act::NoAccess, Attention::Calling { .. }) => Verdict::ClimbOn,
        (Act::Hold, _) if alarm.held => return Err(Refusal::HeldBefore),
        (Act::Hold, Attention::Taken { until, progress, .. }) if has_it => {
            let hold = now + Millis::from_secs(rules.hold_s.into());
            Verdict::Lease { until: (*until).max(hold), progress: *progress }
        }
        (Act::Hold, Attention::Taken { .. }) => return Err(Refusal::NotYours),
        (Act::Hold, Attention::Calling { .. }) => {
            Verdict::Lease { until: now + Millis::from_secs(rules.hold_s.into()), progress: Progress::Seen }
        }
        (Act::Cannot, Attention::Taken { .. }) if has_it => Verdict::CallAgain,
        (Act::Cannot, _) => Verdict::Record,
        (Act::Safe(how), _) => Verdict::Settle(*how),
        (Act::Close(code), _) => {
            if alarm.kind.needs_safe() && alarm.safe.is_none() {
                return Err(Refusal::NotSafeYet);
            }
            Verdict::Close(*code)
        }
    })
}
