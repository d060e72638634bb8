//! Whether a person has seen that a channel reaches people: an answer of a receiver proves that it took a message, and not that a phone rang.
//! A test message brings a code; whoever has received it says the code to the desk, and the desk enters it.

use super::State;
use crate::engine::change::{Notice, SiteChange, Subject};
use crate::engine::id::{AlarmId, ChannelId, NoticeId, ResponderId};
use crate::engine::kind::AlarmKind;
use crate::engine::registry::Channel;
use crate::engine::time::{Millis, Stamp, Wall};
use crate::engine::view::utc;
use minicbor::{Decode, Encode};
use serde::Serialize;

/// How long the code of a test message is good for.
pub const CODE_LASTS: Millis = Millis::from_mins(24 * 60);
/// After so long it is to be seen again: robots are removed from groups, and people change their numbers.
pub const PROOF_LASTS: Millis = Millis::from_mins(180 * 24 * 60);

/// What is known of a channel by its test messages. Never both none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
pub struct Proof {
    /// The test message that was sent last and is not confirmed.
    #[n(0)]
    pub asked: Option<Asked>,
    /// When a person confirmed one, and who entered it.
    #[n(1)]
    pub seen: Option<SeenBy>,
}

/// A test message on its way to people.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Asked {
    #[n(0)]
    pub code: Box<str>,
    #[n(1)]
    pub at: Wall,
}

/// Somebody has seen a test message of the channel.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct SeenBy {
    #[n(0)]
    #[serde(serialize_with = "utc")]
    pub at: Wall,
    #[n(1)]
    pub by: ResponderId,
}

/// Why a test message was not sent, or its code not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProofRefusal {
    NoSuchChannel,
    /// No test message waits for its code: none was sent, or it was a day ago.
    NotAsked,
    /// Another code was sent.
    WrongCode,
}

impl ProofRefusal {
    /// The word of a decision's reason.
    pub const fn name(self) -> &'static str {
        match self {
            ProofRefusal::NoSuchChannel => "no_such_channel",
            ProofRefusal::NotAsked => "no_test_waits",
            ProofRefusal::WrongCode => "wrong_code",
        }
    }
}

/// A test message to a channel, with this code, asked for by a person.
///
/// # Errors
/// Where the site has no such channel.
pub fn tested(state: &State, now: Stamp, channel: &ChannelId, code: &str) -> Result<SiteChange, ProofRefusal> {
    let known = state.registry.channels.get(channel).ok_or(ProofRefusal::NoSuchChannel)?;
    let alarm = AlarmId { site: known.site.clone(), number: state.next_alarm };
    Ok(SiteChange::NoticeMade(Box::new(Notice {
        id: NoticeId { alarm, number: 1 },
        // It is of no home.
        home: u32::MAX,
        channel: channel.clone(),
        // It takes the places of what is technical: a call for help never waits behind it.
        kind: AlarmKind::ChannelDown,
        subject: Subject::Test { code: code.into() },
        issued: now,
    })))
}

/// Test messages of a channel that have not arrived yet: nobody needs their codes once there is another.
pub(super) fn outdated<'s>(state: &'s State, channel: &'s ChannelId) -> impl Iterator<Item = SiteChange> + 's {
    let tests = state.outbox.all().map(|pending| &pending.notice).filter(move |notice| notice.channel == *channel);
    let tests = tests.filter(|notice| matches!(notice.subject, Subject::Test { .. }));
    tests.map(|notice| SiteChange::Withdrawn { notice: notice.id.clone() })
}

/// What entering a code comes to.
///
/// # Errors
/// Where it is not that of the last test message of the channel, or that was long ago.
pub fn confirmed(
    state: &State,
    now: Wall,
    channel: &ChannelId,
    code: &str,
    by: ResponderId,
) -> Result<SiteChange, ProofRefusal> {
    if !state.registry.channels.contains_key(channel) {
        return Err(ProofRefusal::NoSuchChannel);
    }
    let asked = state.proofs.get(channel).and_then(|proof| proof.asked.as_ref());
    let asked = asked.filter(|asked| now.since(asked.at) <= CODE_LASTS).ok_or(ProofRefusal::NotAsked)?;
    match *asked.code == *code {
        true => Ok(SiteChange::ChannelSeen { channel: channel.clone(), by }),
        false => Err(ProofRefusal::WrongCode),
    }
}

/// Whether a channel that is told anew leads where it led.
fn is_the_same(old: &Channel, new: &Channel) -> bool {
    let way = |of: &Channel| {
        (of.dialect, of.url.clone(), of.secret.clone(), of.proxy.clone(), of.template.clone(), of.mention.clone())
    };
    way(old) == way(new)
}

impl State {
    /// Who has seen a test message of a channel, as long as that says something.
    pub fn seen_by(&self, channel: &ChannelId, now: Wall) -> Option<&SeenBy> {
        let seen = self.proofs.get(channel)?.seen.as_ref()?;
        (now.since(seen.at) <= PROOF_LASTS).then_some(seen)
    }

    pub(super) fn fold_asked(&mut self, notice: &Notice, at: Stamp) {
        if let Subject::Test { code } = &notice.subject {
            let proof = self.proofs.entry(notice.channel.clone()).or_default();
            proof.asked = Some(Asked { code: code.clone(), at: at.wall });
        }
    }

    pub(super) fn fold_seen(&mut self, channel: &ChannelId, by: &ResponderId, at: Stamp) {
        let seen = Some(SeenBy { at: at.wall, by: by.clone() });
        self.proofs.insert(channel.clone(), Proof { asked: None, seen });
    }

    /// A channel is told anew: what was seen of another way says nothing of this one.
    pub(super) fn fold_channel(&mut self, new: &Channel) {
        if self.registry.channels.get(&new.id).is_some_and(|old| !is_the_same(old, new)) {
            self.proofs.remove(&new.id);
        }
    }
}
