//! Who is told, and who comes: the receivers of webhooks and the people behind them.

use super::process::site;
use crate::courier::classify::{Body, Ending, NoAnswer, classify};
use crate::engine::alarm::{Act, CloseCode, SafeHow};
use crate::engine::delivery::Outcome;
use crate::engine::id::{Address, ChannelId, DeviceId, HomeId, LadderId, ResponderId, SourceId};
use crate::engine::policy::{RulesPatch, SiteRules};
use crate::engine::registry::{Channel, ChannelDialect, Device, Entity, Home, Ladder, Medium, Responder, Rung};
use crate::engine::sealed::Sealed;
use crate::engine::time::Wall;
use crate::fleet::{Dice, FleetHome};

/// Who is on the ladders, and behind which channel of the same name.
pub const PEOPLE: [&str; 4] = ["desk", "zhang", "deputy", "lead"];

/// The longest time, in milliseconds, until somebody was told of a grave alarm once everything works again: each rung and its wait, a
/// receiver's wish to be left alone for ten minutes, and one more round.
pub const BOUND_MS: u64 = (60 + 120 + 300 + 600 + 300) * 1_000;

/// How a receiver behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    Takes,
    Refuses,
    Hangs,
    /// Says 200 and breaks off in the middle of its answer.
    Lies,
    Fails,
    /// 503 with a wait.
    Busy,
    /// 429 with a wait that nobody should ask for.
    Limits,
    Gone,
    Redirects,
    BadCertificate,
}

impl Manner {
    pub const BAD: [Manner; 9] = [
        Manner::Refuses,
        Manner::Hangs,
        Manner::Lies,
        Manner::Fails,
        Manner::Busy,
        Manner::Limits,
        Manner::Gone,
        Manner::Redirects,
        Manner::BadCertificate,
    ];

    /// Whether the body of a request gets through to the people behind it.
    pub fn reads(self) -> bool {
        matches!(self, Manner::Takes | Manner::Hangs | Manner::Lies)
    }

    /// What the courier makes of it, and after how many milliseconds.
    pub fn answers(self, dice: &mut Dice, wall: Wall) -> (Outcome, u64) {
        let soon = 5 + dice.below(300) as u64;
        let whole = |status, retry_after| Ending::Answer {
            status,
            retry_after,
            body: if status < 300 { Body::Whole } else { Body::Unread },
        };
        let (ending, after) = match self {
            Manner::Takes => (whole([200, 202, 204][dice.below(3)], None), soon),
            Manner::Refuses => (Ending::NoAnswer(NoAnswer::NotConnected), 1),
            Manner::Hangs => (Ending::NoAnswer(NoAnswer::TimedOut), 10_000),
            Manner::Lies => (Ending::Answer { status: 200, retry_after: None, body: Body::Cut }, soon),
            Manner::Fails => (whole(500, None), soon),
            Manner::Busy => (whole(503, Some("20")), soon),
            Manner::Limits => (whole(429, Some("86400")), soon),
            Manner::Gone => (whole(410, None), soon),
            Manner::Redirects => (whole(302, None), soon),
            Manner::BadCertificate => (Ending::NoAnswer(NoAnswer::Handshake), soon),
        };
        (classify(ending, wall), after)
    }
}

/// What a person does next, and when (milliseconds from now). None: forgets it, as people do.
pub fn next_act(done: Option<&Act>, dice: &mut Dice) -> Option<(Act, u64)> {
    let minutes = |dice: &mut Dice, from: f64, to: f64| (dice.between(from, to) * 60_000.0) as u64;
    if dice.chance(0.12) {
        return None;
    }
    Some(match done {
        None => match dice.below(5) {
            0 => (Act::OnMyWay { minutes: Some(5 + dice.below(20) as u32) }, minutes(dice, 0.2, 4.0)),
            1 => (Act::NoAnswer, minutes(dice, 0.2, 4.0)),
            _ => (Act::Seen, minutes(dice, 0.1, 3.0)),
        },
        Some(Act::Seen) => match dice.below(6) {
            0 => (Act::Hold, minutes(dice, 0.1, 1.0)),
            1 => (Act::Cannot, minutes(dice, 0.2, 2.0)),
            2 => (Act::Safe(SafeHow::Spoke), minutes(dice, 0.5, 6.0)),
            _ => (Act::OnMyWay { minutes: None }, minutes(dice, 0.2, 2.5)),
        },
        Some(Act::NoAnswer | Act::NoAccess | Act::Hold | Act::Cannot) => {
            (Act::OnMyWay { minutes: Some(10) }, minutes(dice, 0.2, 2.0))
        }
        Some(Act::OnMyWay { .. }) => (Act::OnSite, minutes(dice, 3.0, 25.0)),
        Some(Act::OnSite) => (Act::Safe(SafeHow::Seen), minutes(dice, 1.0, 20.0)),
        Some(Act::Safe(_)) => (Act::Close(CloseCode::Helped), minutes(dice, 0.1, 30.0)),
        // Some close the wrong one, and notice.
        Some(Act::Close(_)) if dice.chance(0.1) => (Act::Reopen, minutes(dice, 0.1, 5.0)),
        Some(Act::Reopen) => (Act::Seen, minutes(dice, 0.1, 3.0)),
        Some(Act::Close(_) | Act::Note(_)) => return None,
    })
}

/// The rules of the site: silences that a day has room for.
pub fn rules() -> SiteRules {
    let ladder = [("life", "life"), ("welfare", "welfare"), ("property", "welfare"), ("technical", "desk")];
    let ladder = ladder.map(|(word, id)| (word.into(), LadderId::cut(id))).into();
    let hours = |h: u32| Some(h * 3_600);
    let rules = RulesPatch {
        inactivity_cap_s: hours(3),
        inactivity_night_cap_s: hours(5),
        inactivity_door_only_cap_s: hours(6),
        out_check_s: hours(2),
        out_earliest_s: hours(4),
        out_cap_s: hours(6),
        ladder,
        ..RulesPatch::default()
    };
    SiteRules { site: site(), zone: jiff::tz::TimeZone::get("Asia/Shanghai").unwrap_or(jiff::tz::TimeZone::UTC), rules }
}

/// The registry of a run: channels, people, ladders, homes and devices.
pub fn registry(homes: &[FleetHome], dice: &mut Dice) -> Vec<Entity> {
    let mut all = Vec::new();
    for name in PEOPLE {
        let Entity::Channel(channel) = channel(name, 1 + dice.below(4) as u8) else { continue };
        // Some are the robot of a group, which takes only so much.
        let per_minute = dice.chance(0.4).then(|| 4 + dice.below(17) as u16);
        all.push(Entity::Channel(Channel { per_minute, ..channel }));
        all.push(Entity::Responder(Responder {
            id: ResponderId::cut(name),
            site: site(),
            channels: vec![ChannelId::cut(name)],
            details: Sealed::from_bytes(Vec::new()),
        }));
    }
    all.push(ladder("life", &[(&["desk", "zhang"], 60), (&["deputy"], 120), (&["lead"], 300)], 300));
    all.push(ladder("welfare", &[(&["desk"], 60), (&["zhang"], 300)], 600));
    all.push(ladder("desk", &[(&["desk"], 600)], 3_600));
    for home in homes {
        let id = HomeId::cut(&home.id);
        let (community, block) = (Some(home.community.as_str().into()), Some(home.block.as_str().into()));
        all.push(Entity::Home(Home { community, block, ..Home::new(id.clone(), site()) }));
        for device in &home.devices {
            all.push(Entity::Device(Device {
                id: DeviceId::cut(&device.id),
                home: id.clone(),
                source: SourceId::cut(device.source),
                address: Address::cut(&device.address),
                room: device.room.into(),
                model: device.model.into(),
                life: device.life,
                profile: None,
            }));
        }
    }
    all
}

/// A channel of the site with so many slots.
pub fn channel(name: &str, slots: u8) -> Entity {
    let channel = Channel::new(ChannelId::cut(name), site(), ChannelDialect::Standard, "https://example.org/", "env:X");
    let medium = match name {
        "deputy" | "lead" => Some(Medium::Voice),
        "zhang" => Some(Medium::Sms),
        _ => None,
    };
    Entity::Channel(Channel { slots, medium, ..channel })
}

fn ladder(name: &str, rungs: &[(&[&str], u32)], repeat_s: u32) -> Entity {
    let rung = |(to, wait_s): &(&[&str], u32)| Rung {
        name: to.concat().into(),
        to: to.iter().map(|r| ResponderId::cut(r)).collect(),
        wait_s: *wait_s,
        rotas: Vec::new(),
    };
    Entity::Ladder(Ladder { id: LadderId::cut(name), site: site(), rungs: rungs.iter().map(rung).collect(), repeat_s })
}
