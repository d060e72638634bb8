//! How often something may be tried: wrong PINs, forged links, looks by one link.

use super::super::gate::Peer;
use super::super::problem::Problem;
use crate::engine::time::{Millis, Tick};
use axum::http::{HeaderMap, StatusCode};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

/// Keys that a limit remembers; beyond them the oldest is forgotten.
const MAX_KEYS: usize = 2_000;

#[derive(Debug, Clone, Copy)]
struct Count {
    times: u32,
    since: Tick,
    until: Tick,
}

/// So many tries within a span, and the next is heard only after a pause.
pub struct Limit {
    most: u32,
    within: Millis,
    pause: Millis,
    known: Mutex<BTreeMap<String, Count>>,
}

impl Limit {
    const fn new(most: u32, within: Millis, pause: Millis) -> Limit {
        Limit { most, within, pause, known: Mutex::new(BTreeMap::new()) }
    }

    /// Counts a try before it is made, so that many at once are no way around.
    ///
    /// # Errors
    /// Where there were too many: milliseconds until the next is heard.
    pub fn take(&self, key: &str, now: Tick) -> Result<(), Millis> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        while known.len() >= MAX_KEYS && !known.contains_key(key) {
            let oldest = known.iter().min_by_key(|(_, count)| count.since).map(|(key, _)| key.clone());
            oldest.and_then(|oldest| known.remove(&oldest));
        }
        let anew = Count { times: 0, since: now, until: now + self.within };
        let count = known.entry(key.to_owned()).or_insert(anew);
        if now >= count.until {
            *count = anew;
        }
        if count.times >= self.most {
            return Err(count.until.since(now));
        }
        count.times += 1;
        if count.times == self.most {
            count.until = now + self.pause;
        }
        Ok(())
    }

    /// The last try was a good one: none before it counts any more.
    pub fn forget(&self, key: &str) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }
}

/// The limits of the page.
pub struct Tries {
    /// Wrong PINs of one person: 5 within ten minutes, then a quarter of an hour.
    pub pins: Limit,
    /// Forged links and wrong PINs from one address: 20 within ten minutes, then ten minutes. A whole desk may stand behind one.
    pub strangers: Limit,
    /// Requests by one link: 300 a minute, which a large group that looks at once does not reach.
    pub visits: Limit,
}

impl Default for Tries {
    fn default() -> Tries {
        let minutes = Millis::from_mins;
        Tries {
            pins: Limit::new(5, minutes(10), minutes(15)),
            strangers: Limit::new(20, minutes(10), minutes(10)),
            visits: Limit::new(300, minutes(1), minutes(1)),
        }
    }
}

/// Too many: when the next is heard.
pub fn too_many(reason: &'static str, detail: &'static str, wait: Millis) -> Problem {
    Problem::new(StatusCode::TOO_MANY_REQUESTS, reason, detail).retry_after(wait.0.div_ceil(1_000))
}

/// Where a request comes from: what our own proxy on this machine says, else the connection's other end. What anybody else says of
/// it counts for nothing.
pub fn address(headers: &HeaderMap, Peer(peer): &Peer) -> String {
    let said = || headers.get("x-forwarded-for")?.to_str().ok()?.rsplit(',').next()?.trim().parse::<IpAddr>().ok();
    let said = peer.filter(IpAddr::is_loopback).and_then(|_| said());
    said.or(*peer).map_or_else(|| "unknown".to_owned(), |address| address.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_so_many_tries_there_is_a_pause() {
        let limit = Limit::new(3, Millis(100), Millis(500));
        let table = [
            ("a", 0, Ok(())),
            ("a", 10, Ok(())),
            ("b", 11, Ok(())),
            ("a", 20, Ok(())),
            ("a", 30, Err(Millis(490))),
            ("a", 519, Err(Millis(1))),
            ("a", 520, Ok(())),
            ("b", 110, Ok(())),
            ("b", 111, Ok(())),
            ("b", 112, Ok(())),
            ("b", 113, Ok(())),
            ("b", 114, Err(Millis(499))),
        ];
        for (key, at, heard) in table {
            assert_eq!(limit.take(key, Tick(at)), heard, "{key} at {at}");
        }
        limit.forget("a");
        assert_eq!(limit.take("a", Tick(521)), Ok(()));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let limit = Limit::new(1, Millis(100), Millis(100));
        for n in 0..3 * MAX_KEYS as u64 {
            assert!(limit.take(&n.to_string(), Tick(n)).is_ok());
        }
        assert_eq!(limit.known.lock().unwrap().len(), MAX_KEYS);
    }

    #[test]
    fn only_our_own_proxy_says_where_somebody_is() {
        let cases = [
            (Some("127.0.0.1"), Some("10.9.9.9, 203.0.113.7"), "203.0.113.7"),
            (Some("127.0.0.1"), None, "127.0.0.1"),
            (Some("127.0.0.1"), Some("nonsense"), "127.0.0.1"),
            (Some("203.0.113.9"), Some("10.9.9.9"), "203.0.113.9"),
            (None, Some("10.9.9.9"), "unknown"),
        ];
        for (peer, said, expected) in cases {
            let mut headers = HeaderMap::new();
            said.map(|said| headers.insert("x-forwarded-for", said.parse().unwrap()));
            assert_eq!(address(&headers, &Peer(peer.map(|p| p.parse().unwrap()))), expected, "{peer:?} {said:?}");
        }
    }
}
