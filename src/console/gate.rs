//! Who may: accounts, sessions, and the limit on failed sign-ins.

use super::door::Address;
use super::problem::Problem;
use super::{Shared, guard};
use crate::config::Role;
use crate::engine::id::ResponderId;
use crate::engine::time::{Millis, Tick};
use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The name of the session's cookie.
pub(super) const COOKIE: &str = "hearthwatch_session";
/// A session that nobody used for so long has ended: one shift.
const SESSION: Millis = Millis::from_mins(12 * 60);
/// Sessions at once; beyond it the one that rested longest ends.
const MAX_SESSIONS: usize = 1_000;
/// So many failed sign-ins of one address under one name, and the next is heard only after a pause.
const FAILURES: u32 = 5;
const PAUSE: Millis = Millis::from_secs(30);
/// Names and addresses of failed sign-ins that are remembered.
const MAX_FAILURES: usize = 1_000;

/// Who may sign in.
pub struct Account {
    pub name: ResponderId,
    pub role: Role,
    /// The secret that the person, or the script, signs in with.
    pub token: String,
}

/// Who asks.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    pub name: ResponderId,
    pub role: Role,
    /// None: by bearer token.
    pub session: Option<hmac::Tag>,
}

/// One who may act on alarms.
pub(super) struct Operator(pub Caller);

struct Member {
    name: ResponderId,
    role: Role,
    token: hmac::Tag,
}

#[derive(Clone)]
struct Session {
    member: usize,
    used: Tick,
}

#[derive(Default)]
struct Failed {
    times: u32,
    last: Tick,
}

#[derive(Default)]
struct Inner {
    sessions: BTreeMap<Vec<u8>, Session>,
    failed: BTreeMap<(Option<IpAddr>, String), Failed>,
}

/// Knows the accounts and who is signed in. Tokens and cookies are kept as tags under a key of this process alone: comparing
/// takes the same time whatever differs, and nothing in memory opens a door elsewhere.
pub(super) struct Gate {
    key: hmac::Key,
    members: Vec<Member>,
    inner: Mutex<Inner>,
}

impl Gate {
    pub fn new(accounts: Vec<Account>) -> Gate {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &random());
        let member = |a: Account| Member { token: hmac::sign(&key, a.token.as_bytes()), name: a.name, role: a.role };
        Gate { members: accounts.into_iter().map(member).collect(), key, inner: Mutex::default() }
    }

    /// The account of a token. Every account is compared, whichever fits.
    fn bearer(&self, token: &str) -> Option<usize> {
        let fits = |m: &Member| hmac::verify(&self.key, token.as_bytes(), m.token.as_ref()).is_ok();
        self.members.iter().enumerate().fold(None, |found, (i, m)| if fits(m) { Some(i) } else { found })
    }

    /// Begins a session: gives what the cookie holds.
    pub fn sign_in(&self, name: &str, token: &str, peer: Option<IpAddr>, now: Tick) -> Result<String, Problem> {
        let from = (peer, name.chars().take(64).collect::<String>());
        let mut inner = self.inner();
        if let Some(failed) = inner.failed.get(&from).filter(|f| f.times >= FAILURES && now < f.last + PAUSE) {
            let wait = PAUSE.0.saturating_sub(now.since(failed.last).0).div_ceil(1_000);
            let detail = "Too many failed sign-ins from here under this name; wait a little.";
            return Err(
                Problem::new(axum::http::StatusCode::TOO_MANY_REQUESTS, "too_many_sign_ins", detail).retry_after(wait)
            );
        }
        let member = self.bearer(token).filter(|m| self.members[*m].name.as_str() == name);
        let Some(member) = member else {
            metrics::counter!("hearthwatch_failed_sign_ins_total").increment(1);
            inner.failed(from, now);
            return Err(Problem::unauthorized());
        };
        inner.failed.remove(&from);
        let secret = URL_SAFE_NO_PAD.encode(random());
        inner.begin(hmac::sign(&self.key, secret.as_bytes()).as_ref().to_vec(), Session { member, used: now });
        Ok(secret)
    }

    /// Ends a session.
    pub fn sign_out(&self, caller: &Caller) {
        if let Some(tag) = &caller.session {
            self.inner().sessions.remove(tag.as_ref());
        }
    }

    /// Who asks, by bearer token or by cookie.
    pub fn caller(&self, headers: &HeaderMap, now: Tick) -> Option<Caller> {
        let text = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        if let Some(text) = text {
            // Whoever states a token is who the token says, whatever cookie comes along.
            let (scheme, token) = text.split_once(' ')?;
            let member = scheme.eq_ignore_ascii_case("bearer").then(|| self.bearer(token.trim()))??;
            return Some(self.as_caller(member, None));
        }
        let tag = hmac::sign(&self.key, cookie(headers, COOKIE)?.as_bytes());
        let member = self.inner().used(tag.as_ref(), now)?;
        Some(self.as_caller(member, Some(tag)))
    }

    /// Whether a caller is still welcome: a bearer is, a session may have ended.
    pub fn still(&self, caller: &Caller, now: Tick) -> bool {
        caller.session.as_ref().is_none_or(|tag| self.inner().used(tag.as_ref(), now).is_some())
    }

    fn as_caller(&self, member: usize, session: Option<hmac::Tag>) -> Caller {
        let Member { name, role, .. } = &self.members[member];
        Caller { name: name.clone(), role: *role, session }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn begin(&mut self, tag: Vec<u8>, session: Session) {
        while self.sessions.len() >= MAX_SESSIONS {
            let Some(rested) = self.sessions.iter().min_by_key(|(_, s)| s.used).map(|(tag, _)| tag.clone()) else {
                break;
            };
            self.sessions.remove(&rested);
        }
        self.sessions.insert(tag, session);
    }

    /// The account of a session that is used just now.
    fn used(&mut self, tag: &[u8], now: Tick) -> Option<usize> {
        let session = self.sessions.get_mut(tag)?;
        if now.since(session.used) >= SESSION {
            self.sessions.remove(tag);
            return None;
        }
        session.used = session.used.max(now);
        Some(session.member)
    }

    fn failed(&mut self, from: (Option<IpAddr>, String), now: Tick) {
        while self.failed.len() >= MAX_FAILURES && !self.failed.contains_key(&from) {
            let Some(oldest) = self.failed.iter().min_by_key(|(_, f)| f.last).map(|(from, _)| from.clone()) else {
                break;
            };
            self.failed.remove(&oldest);
        }
        let failed = self.failed.entry(from).or_default();
        // A pause that was kept is forgiven by half.
        if now.since(failed.last) >= PAUSE {
            failed.times /= 2;
        }
        failed.times += 1;
        failed.last = now;
    }
}

/// 256 random bits. Where the system has none, a process must not go on handing out sessions.
#[expect(clippy::expect_used, reason = "without randomness every session could be guessed; there is no way to go on")]
pub(super) fn random() -> [u8; 32] {
    let mut bytes = [0; 32];
    SystemRandom::new().fill(&mut bytes).expect("the system gives random bytes");
    bytes
}

/// The value of a cookie.
pub(super) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    all.flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(n, _)| *n == name)
        .map(|(_, v)| v)
}

/// The address that a request came from, where the server knows it.
pub(super) struct Peer(pub Option<IpAddr>);

impl<S: Send + Sync> FromRequestParts<S> for Peer {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Peer, Self::Rejection> {
        Ok(Peer(parts.extensions.get::<ConnectInfo<Address>>().map(|ConnectInfo(Address(from))| from.ip())))
    }
}

impl FromRequestParts<Shared> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, room: &Shared) -> Result<Caller, Problem> {
        let caller = room.gate.caller(&parts.headers, room.tick()).ok_or_else(Problem::unauthorized)?;
        if caller.session.is_some() && !parts.method.is_safe() && !guard::from_our_page(&parts.headers) {
            let detail = "This request carries a session but does not come from the console's own page. Scripts send a bearer token.";
            return Err(Problem::forbidden("foreign_origin", detail));
        }
        Ok(caller)
    }
}

impl FromRequestParts<Shared> for Operator {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, room: &Shared) -> Result<Operator, Problem> {
        let caller = Caller::from_request_parts(parts, room).await?;
        match caller.role >= Role::Operator {
            true => Ok(Operator(caller)),
            false => Err(Problem::forbidden("not_an_operator", "This account may look, but not act.")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate() -> Gate {
        let account =
            |name: &str, role, token: &str| Account { name: name.parse().unwrap(), role, token: token.into() };
        Gate::new(vec![account("zhang", Role::Operator, "token-one"), account("li", Role::Viewer, "token-two")])
    }

    fn with(name: header::HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, value.parse().unwrap())])
    }

    #[test]
    fn a_session_lives_a_shift_from_its_last_use() {
        let gate = gate();
        let secret = gate.sign_in("zhang", "token-one", None, Tick(0)).unwrap();
        let cookies = with(header::COOKIE, &format!("lang=zh; {COOKIE}={secret}"));
        let shift = Millis::from_mins(12 * 60).0;
        assert_eq!(gate.caller(&cookies, Tick(shift - 1)).unwrap().name.as_str(), "zhang");
        assert!(gate.caller(&cookies, Tick(2 * shift - 2)).is_some(), "the use before renewed it");
        assert!(gate.caller(&cookies, Tick(4 * shift)).is_none());
        assert!(gate.caller(&cookies, Tick(0)).is_none(), "an ended session stays ended");
    }

    #[test]
    fn a_token_fits_only_its_own_name_and_a_header_beats_a_cookie() {
        let gate = gate();
        for (name, token) in
            [("zhang", "token-two"), ("li", "token-one"), ("zhang", ""), ("", "token-one"), ("wu", "x")]
        {
            assert!(gate.sign_in(name, token, None, Tick(0)).is_err(), "{name} {token}");
        }
        assert_eq!(gate.caller(&with(header::AUTHORIZATION, "bearer token-two"), Tick(0)).unwrap().role, Role::Viewer);
        let secret = gate.sign_in("zhang", "token-one", None, Tick(0)).unwrap();
        let mut both = with(header::COOKIE, &format!("{COOKIE}={secret}"));
        both.insert(header::AUTHORIZATION, "Bearer wrong".parse().unwrap());
        assert!(gate.caller(&both, Tick(0)).is_none());
    }

    #[test]
    fn failed_sign_ins_pause_their_own_name_and_address_only() {
        let gate = gate();
        let (here, there) = (Some([10, 0, 0, 1].into()), Some([10, 0, 0, 2].into()));
        for second in 0..5 {
            let problem = gate.sign_in("zhang", "guess", here, Tick(second * 1_000)).unwrap_err();
            assert_eq!(problem.reason(), "not_signed_in");
        }
        let problem = gate.sign_in("zhang", "token-one", here, Tick(5_000)).unwrap_err();
        assert_eq!(problem, problem.clone().retry_after(29), "counted from the last failure");
        assert_eq!(problem.reason(), "too_many_sign_ins");
        assert!(gate.sign_in("zhang", "token-one", there, Tick(5_000)).is_ok());
        assert!(gate.sign_in("li", "token-two", here, Tick(5_000)).is_ok());
        assert!(gate.sign_in("zhang", "token-one", here, Tick(34_001)).is_ok());
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let gate = gate();
        for n in 0..3_000_u64 {
            gate.sign_in("zhang", "token-one", None, Tick(n)).unwrap();
            assert!(gate.sign_in(&format!("guess {n}"), "x", None, Tick(n)).is_err());
        }
        let inner = gate.inner();
        assert_eq!((inner.sessions.len(), inner.failed.len()), (MAX_SESSIONS, MAX_FAILURES));
    }
}
