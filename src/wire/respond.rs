//! Links by which a caseworker answers a notice, the badge of whoever has said who they are, and the token by which a provider of calls
//! hands on what somebody pressed.
//!
//! Nothing of them is kept. A link and an answer's token hold what they are good for (one notice, told by one channel) and until when, a
//! badge who wears it; all are signed with a key of the service. Which of the three a text is stands in what is signed, so that none passes
//! for another: a link is sent to whole groups, an answer's token to the provider alone.

use crate::engine::id::{AlarmId, ChannelId, NoticeId, ResponderId, SiteId};
use crate::engine::time::{Millis, Wall};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use minicbor::{Decode, Encode};
use ring::hmac;
use std::fmt;

/// How long a link opens its alarm, from when its notice was made: a shift and the night after it. It is of no use once the alarm is
/// closed, and a ladder that still climbs sends new ones.
pub const LINK_LASTS: Millis = Millis::from_mins(12 * 60);
/// How long an answer may come back, from when its notice was made: as long as by its link.
pub const ANSWER_LASTS: Millis = LINK_LASTS;
/// How long a person need not say again who they are: a shift.
pub const BADGE_LASTS: Millis = Millis::from_mins(8 * 60);
/// The longest token that is looked at, in characters. Two ids of the greatest length fit.
const MAX_TOKEN_CHARS: usize = 1_024;
/// The longest base of a link in bytes; with a longer one there is none.
pub const MAX_PUBLIC_URL_BYTES: usize = 512;
/// Bytes of a signature.
const TAG_BYTES: usize = 32;

const LINK: &[u8] = b"hearthwatch respond link 1\0";
const BADGE: &[u8] = b"hearthwatch respond badge 1\0";
const ANSWER: &[u8] = b"hearthwatch answer 1\0";

/// What a link or an answer's token is good for.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Scope {
    #[n(0)]
    pub notice: NoticeId,
    /// Whom the notice told: only its people may answer.
    #[n(1)]
    pub channel: ChannelId,
    /// Milliseconds since 1970.
    #[n(2)]
    pub until: Wall,
}

impl Scope {
    /// The alarm of the notice.
    pub fn alarm(&self) -> &AlarmId {
        &self.notice.alarm
    }

    /// When the notice was made.
    pub fn issued(&self) -> Wall {
        Wall(self.until.0 - LINK_LASTS.0 as i64)
    }
}

/// Whoever has said who they are.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Wearer {
    #[n(0)]
    pub site: SiteId,
    #[n(1)]
    pub responder: ResponderId,
    /// Milliseconds since 1970.
    #[n(2)]
    pub until: Wall,
}

/// Why a link or an answer's token is good for nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BadLink {
    /// It is none, is incomplete, or somebody else made it.
    Forged,
    /// Its time is over; what it was good for.
    Expired(Scope),
}

/// Makes and reads links and badges. Its `Debug` shows nothing of the key.
#[derive(Clone)]
pub struct Links {
    key: hmac::Key,
    base: Box<str>,
}

impl fmt::Debug for Links {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Links({})", self.base)
    }
}

impl Links {
    /// `key` is the service's own and lasts as long as its links; `base` is where people reach the console, without a query.
    pub fn new(key: hmac::Key, base: &str) -> Links {
        Links { key, base: base.trim_end_matches('/').into() }
    }

    /// The link of a notice to a channel; `issued` is when the notice was made, so that it is the same at every attempt. The token
    /// stands behind the `#`, where no server, log or preview on the way sees it. None where the base is too long.
    pub fn link(&self, notice: &NoticeId, channel: &ChannelId, issued: Wall) -> Option<String> {
        let scope = Scope { notice: notice.clone(), channel: channel.clone(), until: issued + LINK_LASTS };
        (self.base.len() <= MAX_PUBLIC_URL_BYTES).then(|| format!("{}/r#{}", self.base, self.signed(LINK, &scope, &[])))
    }

    /// The console, for what is no notice of one alarm. None where the base is too long.
    pub fn console(&self) -> Option<String> {
        (self.base.len() <= MAX_PUBLIC_URL_BYTES).then(|| format!("{}/", self.base))
    }

    /// What the token of a link is good for.
    ///
    /// # Errors
    /// Where it is not one of ours, or its time is over.
    pub fn scope(&self, token: &str, now: Wall) -> Result<Scope, BadLink> {
        self.good(LINK, token, now)
    }

    /// The token by which a notice to a channel is answered through its provider; `issued` as of a link. It needs no address of ours.
    pub fn answer(&self, notice: &NoticeId, channel: &ChannelId, issued: Wall) -> String {
        let scope = Scope { notice: notice.clone(), channel: channel.clone(), until: issued + ANSWER_LASTS };
        self.signed(ANSWER, &scope, &[])
    }

    /// What the token of an answer is good for.
    ///
    /// # Errors
    /// Where it is not one of ours (a link's is none), or its time is over.
    pub fn answered(&self, token: &str, now: Wall) -> Result<Scope, BadLink> {
        self.good(ANSWER, token, now)
    }

    fn good(&self, what: &[u8], token: &str, now: Wall) -> Result<Scope, BadLink> {
        let scope: Scope = self.read(what, token, |_| Some(Vec::new())).ok_or(BadLink::Forged)?;
        if now < scope.until { Ok(scope) } else { Err(BadLink::Expired(scope)) }
    }

    /// A badge for a responder. `pin` is what is kept of the PIN: whoever gets another has to say anew who they are.
    pub fn badge(&self, site: &SiteId, responder: &ResponderId, pin: &str, now: Wall) -> String {
        let wearer = Wearer { site: site.clone(), responder: responder.clone(), until: now + BADGE_LASTS };
        self.signed(BADGE, &wearer, pin.as_bytes())
    }

    /// Who wears a badge; none where it is not ours or its time is over. `pin_of` gives what is kept of the person's PIN, none where
    /// there is no such person.
    pub fn wearer(&self, badge: &str, now: Wall, pin_of: impl FnOnce(&Wearer) -> Option<String>) -> Option<Wearer> {
        let wearer: Wearer = self.read(BADGE, badge, |wearer| pin_of(wearer).map(String::into_bytes))?;
        (now < wearer.until).then_some(wearer)
    }

    fn tag(&self, what: &[u8], said: &[u8], more: &[u8]) -> hmac::Tag {
        let mut context = hmac::Context::with_key(&self.key);
        [what, said, more].into_iter().for_each(|part| context.update(part));
        context.sign()
    }

    fn signed(&self, what: &[u8], said: &impl Encode<()>, more: &[u8]) -> String {
        let mut bytes = Vec::new();
        // Writing CBOR into memory cannot fail.
        let _ = minicbor::encode(said, &mut bytes);
        let tag = self.tag(what, &bytes, more);
        bytes.extend_from_slice(tag.as_ref());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// None where it is not what we signed. Comparing takes the same time whatever differs.
    fn read<T: for<'b> Decode<'b, ()>>(
        &self,
        what: &[u8],
        token: &str,
        more: impl FnOnce(&T) -> Option<Vec<u8>>,
    ) -> Option<T> {
        let bytes = URL_SAFE_NO_PAD.decode(Some(token).filter(|t| t.len() <= MAX_TOKEN_CHARS)?).ok()?;
        let (said, tag) = bytes.split_at(bytes.len().checked_sub(TAG_BYTES)?);
        let value: T = minicbor::decode(said).ok()?;
        let signed = [what, said, &more(&value)?].concat();
        hmac::verify(&self.key, &signed, tag).ok().map(|()| value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links(key: &[u8]) -> Links {
        Links::new(hmac::Key::new(hmac::HMAC_SHA256, key), "https://watch.example.org/")
    }

    fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
        text.parse().unwrap()
    }

    const ISSUED: Wall = Wall(1_766_448_000_000);

    fn token() -> String {
        let link = links(b"k").link(&id("zl-000184-n3"), &id("张敏"), ISSUED).unwrap();
        link.strip_prefix("https://watch.example.org/r#").unwrap().to_owned()
    }

    #[test]
    fn a_link_says_what_it_is_good_for_until_its_time_is_over() {
        let (links, last) = (links(b"k"), ISSUED.0 + 12 * 3_600_000);
        let scope = Scope { notice: id("zl-000184-n3"), channel: id("张敏"), until: Wall(last) };
        assert_eq!(links.scope(&token(), ISSUED), Ok(scope.clone()));
        assert_eq!(links.scope(&token(), Wall(last - 1)), Ok(scope.clone()));
        assert_eq!(links.scope(&token(), Wall(last)), Err(BadLink::Expired(scope)));
        assert!(token().len() < 120, "{} characters have to fit into a message", token().len());
        assert_eq!(Links { base: "x".repeat(513).into(), ..links }.link(&id("a-1-n1"), &id("c"), ISSUED), None);
    }

    #[test]
    fn whatever_is_changed_in_a_token_it_opens_nothing() {
        let (ours, token) = (links(b"k"), token());
        let bytes = URL_SAFE_NO_PAD.decode(&token).unwrap();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert_eq!(ours.scope(&URL_SAFE_NO_PAD.encode(&changed), ISSUED), Err(BadLink::Forged), "byte {at}");
            assert_eq!(ours.scope(&URL_SAFE_NO_PAD.encode(&bytes[..at]), ISSUED), Err(BadLink::Forged), "{at} bytes");
        }
        let long = "A".repeat(100_000);
        for no_token in ["", "x", "=", "张", long.as_str(), &format!("{token}AAAA")] {
            assert_eq!(ours.scope(no_token, ISSUED), Err(BadLink::Forged));
        }
        assert_eq!(links(b"other").scope(&token, ISSUED), Err(BadLink::Forged));
    }

    #[test]
    fn a_badge_is_of_one_person_as_long_as_the_pin_is_the_same() {
        let links = links(b"k");
        let badge = links.badge(&id("zl"), &id("zhang"), "hash", ISSUED);
        let worn = |pin: Option<&str>, at: i64| {
            let found = links.wearer(&badge, Wall(ISSUED.0 + at), |_| pin.map(str::to_owned));
            found.map(|wearer| wearer.responder.to_string())
        };
        assert_eq!(worn(Some("hash"), 8 * 3_600_000 - 1), Some("zhang".to_owned()));
        assert_eq!(worn(Some("hash"), 8 * 3_600_000), None);
        assert_eq!(worn(Some("another"), 0), None);
        assert_eq!(worn(None, 0), None);
        // Neither is the other.
        assert_eq!(links.scope(&badge, ISSUED), Err(BadLink::Forged));
        assert_eq!(links.wearer(&token(), ISSUED, |_| Some(String::new())), None);
    }

    #[test]
    fn an_answer_is_no_link_and_no_badge_and_neither_is_an_answer() {
        let (links, last) = (links(b"k"), ISSUED.0 + 12 * 3_600_000);
        let answer = links.answer(&id("zl-000184-n3"), &id("voice"), ISSUED);
        let scope = Scope { notice: id("zl-000184-n3"), channel: id("voice"), until: Wall(last) };
        assert_eq!(links.answered(&answer, Wall(last - 1)), Ok(scope.clone()));
        assert_eq!(links.answered(&answer, Wall(last)), Err(BadLink::Expired(scope)));
        let badge = links.badge(&id("zl"), &id("zhang"), "", ISSUED);
        for other in [token(), badge, String::new(), format!("{answer}AAAA"), "A".repeat(100_000)] {
            assert_eq!(links.answered(&other, ISSUED), Err(BadLink::Forged));
        }
        assert_eq!(links.scope(&answer, ISSUED), Err(BadLink::Forged));
        assert_eq!(links.wearer(&answer, ISSUED, |_| Some(String::new())), None);
        assert_eq!(self::links(b"other").answered(&answer, ISSUED), Err(BadLink::Forged));
    }

    #[test]
    fn nothing_of_the_key_is_shown() {
        assert_eq!(format!("{:?}", links(b"secret")), "Links(https://watch.example.org)");
    }
}
