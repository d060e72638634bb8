//! What came of one attempt to deliver a notice, and how long to wait for the next. The courier reports, this file decides.

use super::time::Millis;
use minicbor::{Decode, Encode};

/// Why an attempt did not deliver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum Failure {
    /// Nobody listens there, or the connection broke before an answer began.
    #[n(0)]
    Refused,
    /// No connection within 3 s, or no whole answer within 10 s.
    #[n(1)]
    TimedOut,
    #[n(2)]
    NameNotFound,
    /// The TLS handshake failed: wrong name, unknown authority, expired.
    #[n(3)]
    BadCertificate,
    /// The answer's body ended before its announced length, or was larger than we read.
    #[n(4)]
    BodyCut,
    /// 3xx: never followed.
    #[n(5)]
    Redirected(#[n(0)] u16),
    /// 410: the receiver wants no more. The operator hears of it; the alarm stays.
    #[n(6)]
    Gone,
    /// 429, or the dialect's own word for it.
    #[n(7)]
    RateLimited,
    /// Any other 4xx.
    #[n(8)]
    Rejected(#[n(0)] u16),
    /// 5xx.
    #[n(9)]
    ServerError(#[n(0)] u16),
    /// The channel's address is private and the channel does not allow it.
    #[n(10)]
    AddressForbidden,
    /// The channel cannot be used as it is configured: URL, secret or certificate file.
    #[n(11)]
    Misconfigured,
    /// The gateway stopped while the attempt was under way; nobody knows what came of it.
    #[n(12)]
    Interrupted,
    /// A 2xx whose body is not the dialect's proof of success.
    #[n(13)]
    Unproven,
    /// The receiver's own word (its code) for a trouble of its own.
    #[n(14)]
    Busy(#[n(0)] i64),
    /// The key of the URL or of the signature is not the receiver's, its robot is gone, or the clocks differ by an hour.
    #[n(15)]
    KeyRefused,
    /// The robot's own settings keep the message out: a keyword that it lacks, or an address that is not on its list.
    #[n(16)]
    Barred,
    /// Any other code by which a receiver says no.
    #[n(17)]
    Declined(#[n(0)] i64),
    /// The receiver says the message is too long.
    #[n(18)]
    TooLong,
}

/// What a failure says about the next attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// May pass by itself.
    Transient,
    /// A person has to mend something; tried on, rarely.
    Broken,
}

impl Failure {
    pub fn class(self) -> Class {
        use Failure::*;
        match self {
            Refused | TimedOut | NameNotFound | BodyCut | RateLimited | ServerError(_) | Interrupted | Unproven
            | Busy(_) => Class::Transient,
            BadCertificate | Redirected(_) | Gone | Rejected(_) | AddressForbidden | Misconfigured | KeyRefused
            | Barred | Declined(_) | TooLong => Class::Broken,
        }
    }

    /// The word of logs, metrics and the API.
    pub fn name(self) -> &'static str {
        use Failure::*;
        match self {
            Refused => "refused",
            TimedOut => "timed_out",
            NameNotFound => "name_not_found",
            BadCertificate => "bad_certificate",
            BodyCut => "body_cut",
            Redirected(_) => "redirected",
            Gone => "gone",
            RateLimited => "rate_limited",
            Rejected(_) => "rejected",
            ServerError(_) => "server_error",
            AddressForbidden => "address_forbidden",
            Misconfigured => "misconfigured",
            Interrupted => "interrupted",
            Unproven => "unproven",
            Busy(_) => "busy",
            KeyRefused => "key_refused",
            Barred => "barred",
            Declined(_) => "declined",
            TooLong => "too_long",
        }
    }
}

/// What came of one attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum Outcome {
    #[n(0)]
    Delivered,
    #[n(1)]
    Failed {
        #[n(0)]
        failure: Failure,
        /// What the receiver asked for.
        #[n(1)]
        retry_after: Option<Millis>,
    },
}

impl Outcome {
    pub fn failed(failure: Failure) -> Outcome {
        Outcome::Failed { failure, retry_after: None }
    }

    pub fn name(&self) -> &'static str {
        match self {
            Outcome::Delivered => "delivered",
            Outcome::Failed { failure, .. } => failure.name(),
        }
    }
}

/// The longest wait that a receiver can impose: an alarm is not put off for an hour because a header says so.
const LONGEST_RETRY_AFTER: Millis = Millis::from_mins(10);

/// Time until attempt `attempt` + 1, after attempt number `attempt` (from 1) failed. Seconds at first, since this is an alarm;
/// a receiver that is back is found within 15 s, a broken channel is asked once a minute.
pub fn backoff(failure: Failure, retry_after: Option<Millis>, attempt: u32) -> Millis {
    if let Some(asked) = retry_after {
        return asked.clamp(Millis::from_secs(1), LONGEST_RETRY_AFTER);
    }
    match failure.class() {
        Class::Broken => Millis::from_secs([5, 15, 60][attempt.saturating_sub(1).min(2) as usize]),
        Class::Transient => Millis::from_secs([1, 2, 4, 8, 15][attempt.saturating_sub(1).min(4) as usize]),
    }
}
