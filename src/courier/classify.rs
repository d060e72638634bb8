//! What came of an attempt, as one word: from how the exchange ended to an [`Outcome`]. Pure; `pump` observes, this file judges,
//! and how long to wait then is decided in `engine::delivery`.

use crate::engine::delivery::{Failure, Outcome};
use crate::engine::time::{Millis, Wall};
use jiff::fmt::strtime;
use jiff::tz::TimeZone;

/// How one attempt ended, as far as the wire shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending<'a> {
    /// There was no connection, or it broke before the head of an answer was whole.
    NoAnswer(NoAnswer),
    Answer {
        status: u16,
        /// The header of that name, as it came.
        retry_after: Option<&'a str>,
        body: Body,
    },
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoAnswer {
    /// Nobody listens, or no way leads there.
    NotConnected,
    /// The connection stood and broke before an answer.
    Broken,
    TimedOut,
    NameNotFound,
    /// The TLS handshake failed.
    Handshake,
    /// Every address of the name is private.
    Forbidden,
}

/// How far the body of an answer came. What stands in it is judged by `wire::webhook`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// To its announced end.
    Whole,
    /// It broke off before.
    Cut,
    /// It is longer than we read.
    TooLarge,
    /// The time was up before its end.
    TimedOut,
    Unread,
}

/// The outcome of an attempt that ended so. `now` is what a date in `Retry-After` is measured from.
pub fn classify(ending: Ending<'_>, now: Wall) -> Outcome {
    match ending {
        Ending::NoAnswer(why) => Outcome::failed(match why {
            NoAnswer::NotConnected | NoAnswer::Broken => Failure::Refused,
            NoAnswer::TimedOut => Failure::TimedOut,
            NoAnswer::NameNotFound => Failure::NameNotFound,
            NoAnswer::Handshake => Failure::BadCertificate,
            NoAnswer::Forbidden => Failure::AddressForbidden,
        }),
        Ending::Answer { status, retry_after, body } => answered(status, retry_after, body, now),
    }
}

fn answered(status: u16, retry_after: Option<&str>, body: Body, now: Wall) -> Outcome {
    let failure = match (status, body) {
        (200..=299, Body::Whole) => return Outcome::Delivered,
        (200..=299, Body::Cut | Body::TooLarge | Body::Unread) => Failure::BodyCut,
        (200..=299, Body::TimedOut) => Failure::TimedOut,
        (300..=399, _) => Failure::Redirected(status),
        (410, _) => Failure::Gone,
        (429, _) => Failure::RateLimited,
        (400..=499, _) => Failure::Rejected(status),
        // 5xx, and numbers that HTTP does not know.
        _ => Failure::ServerError(status),
    };
    let retry_after = retry_after.filter(|_| matches!(status, 429 | 503)).and_then(|text| wait(text, now));
    Outcome::Failed { failure, retry_after }
}

/// Reads a `Retry-After`: seconds, or a date in one of the three forms of RFC 9110. A date that has passed is no wait at all; what
/// is neither is None.
fn wait(text: &str, now: Wall) -> Option<Millis> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        // More digits than fit are more seconds than anybody waits.
        let seconds = text.parse().unwrap_or(u64::MAX);
        return Some(Millis(seconds.saturating_mul(1000)));
    }
    const FORMS: [&str; 3] = ["%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"];
    let civil = FORMS.iter().find_map(|form| strtime::parse(form, text).ok()?.to_datetime().ok())?;
    let date = TimeZone::UTC.to_timestamp(civil).ok()?;
    Some(Wall(date.as_millisecond()).since(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Wall = Wall(784_111_777_000); // 1994-11-06T08:49:37Z

    fn answer(status: u16, body: Body) -> Outcome {
        classify(Ending::Answer { status, retry_after: None, body }, NOW)
    }

    #[test]
    fn every_ending_has_its_word() {
        use Failure::*;
        let table = [
            (NoAnswer::NotConnected, Refused),
            (NoAnswer::Broken, Refused),
            (NoAnswer::TimedOut, TimedOut),
            (NoAnswer::NameNotFound, NameNotFound),
            (NoAnswer::Handshake, BadCertificate),
            (NoAnswer::Forbidden, AddressForbidden),
        ];
        for (why, failure) in table {
            assert_eq!(classify(Ending::NoAnswer(why), NOW), Outcome::failed(failure), "{why:?}");
        }
    }

    #[test]
    fn only_a_whole_2xx_is_delivered() {
        for status in 0..=u16::MAX {
            for body in [Body::Whole, Body::Cut, Body::TooLarge, Body::TimedOut, Body::Unread] {
                let delivered = answer(status, body) == Outcome::Delivered;
                let expected = (200..300).contains(&status) && body == Body::Whole;
                assert_eq!(delivered, expected, "{status} {body:?}");
            }
        }
    }

    #[test]
    fn each_status_has_its_word() {
        use Failure::*;
        let table = [
            (101, ServerError(101)),
            (300, Redirected(300)),
            (302, Redirected(302)),
            (304, Redirected(304)),
            (307, Redirected(307)),
            (308, Redirected(308)),
            (400, Rejected(400)),
            (401, Rejected(401)),
            (404, Rejected(404)),
            (408, Rejected(408)),
            (410, Gone),
            (429, RateLimited),
            (499, Rejected(499)),
            (500, ServerError(500)),
            (503, ServerError(503)),
            (599, ServerError(599)),
            (999, ServerError(999)),
        ];
        for (status, failure) in table {
            assert_eq!(answer(status, Body::Unread), Outcome::failed(failure), "{status}");
            // What follows the head of a refusal changes nothing.
            assert_eq!(answer(status, Body::Cut), Outcome::failed(failure), "{status}, cut");
        }
        assert_eq!(answer(200, Body::Cut), Outcome::failed(BodyCut));
        assert_eq!(answer(204, Body::TooLarge), Outcome::failed(BodyCut));
        assert_eq!(answer(200, Body::TimedOut), Outcome::failed(TimedOut));
    }

    #[test]
    fn retry_after_is_read_where_it_may_stand() {
        let asked = |status, text| match classify(
            Ending::Answer { status, retry_after: Some(text), body: Body::Unread },
            NOW,
        ) {
            Outcome::Failed { retry_after, .. } => retry_after,
            Outcome::Delivered => None,
        };
        let table = [
            ("0", Some(0)),
            ("120", Some(120_000)),
            (" 7 ", Some(7_000)),
            ("99999999999999999999999999", Some(u64::MAX)),
            ("18446744073709551615", Some(u64::MAX)),
            ("Sun, 06 Nov 1994 08:50:07 GMT", Some(30_000)),
            ("Sunday, 06-Nov-94 08:50:07 GMT", Some(30_000)),
            ("Sun Nov  6 08:50:07 1994", Some(30_000)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("Thu, 31 Dec 9998 23:59:59 GMT", Some(252_586_653_022_000)),
            ("Fri, 31 Dec 9999 23:59:59 GMT", None),
            ("Sun, 31 Feb 1994 08:50:07 GMT", None),
            ("", None),
            ("-1", None),
            ("1.5", None),
            ("soon", None),
        ];
        for (text, expected) in table {
            for status in [429, 503] {
                assert_eq!(asked(status, text), expected.map(Millis), "{status} {text:?}");
            }
            for status in [200, 301, 400, 500] {
                assert_eq!(asked(status, text), None, "{status} {text:?}");
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn no_retry_after_panics(text in ".{0,64}", now in proptest::num::i64::ANY) {
            let _ = wait(&text, Wall(now));
        }
    }
}
