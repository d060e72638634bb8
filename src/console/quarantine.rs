//! Quarantine: what nobody registered and what nobody could read, and how such a device gets its home.
//!
//! The last messages are the keeper's to hold, and gone with the process; that a device is there stands in its home's state, so none
//! is ever out of sight.

use super::alarms::{Asked, Wish, understood};
use super::gate::{Caller, Operator};
use super::once::Answered;
use super::problem::{Problem, read};
use super::{Room, Shared, Site};
use crate::engine::home::DeviceState;
use crate::engine::id::{Address, AlarmId, DeviceId, HomeId, ProfileId, SiteId, SourceId};
use crate::engine::kind::{Kind, Priority};
use crate::engine::reading::Value as Said;
use crate::engine::registry::{Device, Entity};
use crate::engine::time::Wall;
use crate::keeper::core::Core;
use crate::keeper::quarantine::{Held, Row, row_id};
use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// The longest room or model in characters.
const MAX_WORD_CHARS: usize = 64;

/// A device that nobody registered.
struct Stranger {
    id: String,
    source: SourceId,
    address: Address,
    home: HomeId,
    /// The home is registered, and only the device is not.
    claimed: bool,
    last: Option<Wall>,
    called: Option<Wall>,
    readings: Vec<Value>,
    open_alarms: Vec<AlarmId>,
    /// What came since the process started.
    row: Option<Row>,
}

/// A topic on which nobody could read what came.
struct Unread {
    source: SourceId,
    topic: Box<str>,
    row: Row,
}

/// What a site has in quarantine.
#[derive(Default)]
struct Found {
    devices: Vec<Stranger>,
    unreadable: Vec<Unread>,
    beyond: BTreeMap<SourceId, u64>,
    /// Something was left out.
    more: bool,
}

/// `GET /api/v1/quarantine`: the newest first. Where not all have room, those with an open alarm have it.
pub(super) async fn list(
    caller: Caller,
    State(room): State<Shared>,
    asked: Asked<Wish>,
) -> Result<Json<Value>, Problem> {
    let wish = understood(asked)?;
    let limit = wish.limit();
    let mut all = Found::default();
    let (mut devices, mut unreadable) = (Vec::new(), Vec::new());
    for site in room.sites_of(wish.site.as_deref())? {
        let found = site.keeper.ask(move |core| found(core, limit)).await?;
        all.more |= found.more;
        all.beyond.extend(found.beyond);
        devices.extend(found.devices.into_iter().map(|stranger| (site.id.clone(), stranger)));
        unreadable.extend(found.unreadable.into_iter().map(|unread| (site.id.clone(), unread)));
    }
    all.more |= keep(&mut devices, limit, |(_, s)| (!s.open_alarms.is_empty(), s.last));
    devices.sort_by_key(|(_, stranger)| Reverse(stranger.last));
    all.more |= keep(&mut unreadable, limit, |(_, u)| u.row.last);
    tracing::info!(account = %caller.name, devices = devices.len(), unreadable = unreadable.len(), "the quarantine was read");
    Ok(Json(json!({
        "now": room.wall().utc(),
        "devices": devices.iter().map(|(site, stranger)| stranger.shown(site)).collect::<Vec<_>>(),
        "unreadable": unreadable.iter().map(|(site, unread)| unread.shown(site)).collect::<Vec<_>>(),
        "beyond": all.beyond,
        "more": all.more,
    })))
}

/// Keeps the `limit` rows of the highest rank, in that order; true where there were more.
fn keep<T, R: Ord>(rows: &mut Vec<T>, limit: usize, rank: impl Fn(&T) -> R) -> bool {
    rows.sort_by_cached_key(|row| Reverse(rank(row)));
    let more = rows.len() > limit;
    rows.truncate(limit);
    more
}

/// A device that nobody registered, where it stands: its messages, its home's number and itself there.
type Place<'a> = (Option<&'a Row>, Option<(u32, &'a DeviceState)>);

/// Every device that nobody registered: whoever was heard by this process, and whoever a home knows.
fn strangers(core: &Core) -> BTreeMap<(&SourceId, &Address), Place<'_>> {
    let mut all: BTreeMap<(&SourceId, &Address), Place<'_>> = BTreeMap::new();
    for (source, of) in &core.quarantine.sources {
        all.extend(of.devices.iter().map(|(address, row)| ((source, address), (Some(row), None))));
    }
    for home in 0..core.homes.len() as u32 {
        for (_, device) in core.devices_of(home).filter(|(_, device)| !device.registered) {
            all.entry((&device.source, &device.address)).or_default().1 = Some((home, device));
        }
    }
    all
}

fn found(core: &Core, limit: usize) -> Found {
    let mut devices: Vec<_> = strangers(core).into_iter().collect();
    let mut more = keep(&mut devices, limit, |(_, place)| (calls(core, place), last(place)));
    let mut unreadable = Vec::new();
    for (source, of) in &core.quarantine.sources {
        unreadable.extend(of.unreadable.iter().map(|(topic, row)| (source, &**topic, row)));
    }
    more |= keep(&mut unreadable, limit, |(_, _, row)| row.last);
    let unread = |(source, topic, row): (&SourceId, &str, &Row)| Unread {
        source: source.clone(),
        topic: topic.into(),
        row: row.clone(),
    };
    let beyond = core.quarantine.sources.iter().filter(|(_, of)| of.beyond > 0);
    Found {
        devices: devices.into_iter().map(|((source, address), place)| stranger(core, source, address, place)).collect(),
        unreadable: unreadable.into_iter().map(unread).collect(),
        beyond: beyond.map(|(source, of)| (source.clone(), of.beyond)).collect(),
        more,
    }
}

fn last((row, known): &Place<'_>) -> Option<Wall> {
    row.map(|row| row.last).max(known.and_then(|(_, device)| device.heard))
}

fn calls(core: &Core, (_, known): &Place<'_>) -> bool {
    known.is_some_and(|(home, device)| !alarms(core, home, device).is_empty())
}

/// The open alarms that go along with a device when it is claimed: those of its own word, or all of a pseudo-home where it is alone.
fn alarms(core: &Core, home: u32, device: &DeviceState) -> Vec<AlarmId> {
    let (entry, state) = (&core.site.homes[home as usize], &core.homes[home as usize].state);
    if state.alarms.is_empty() {
        return Vec::new();
    }
    let alone = !entry.claimed && core.devices_of(home).count() <= 1;
    let its = state.alarms.iter().filter(|alarm| alone || alarm.reason.device() == Some(device.address.as_str()));
    its.map(|alarm| alarm.id.clone()).collect()
}

fn stranger(core: &Core, source: &SourceId, address: &Address, place: Place<'_>) -> Stranger {
    let (row, known) = place;
    let entry = known.map(|(home, _)| &core.site.homes[home as usize]);
    let reading = |(kind, zone, value): (Kind, Option<&crate::engine::id::Zone>, &Said)| {
        let mut shown = json!({"kind": kind, "value": value});
        if let Some(zone) = zone {
            shown["channel"] = json!(zone);
        }
        shown
    };
    let last_said = known.into_iter().flat_map(|(_, device)| &device.last);
    Stranger {
        id: row_id(source, address.as_str()),
        source: source.clone(),
        address: address.clone(),
        // Beyond the bound of a home's devices it has no place of its own.
        home: entry.map_or_else(|| HomeId::cut(&format!("unclaimed/{source}")), |entry| entry.id.clone()),
        claimed: entry.is_some_and(|entry| entry.claimed),
        last: last(&place),
        called: known.and_then(|(_, device)| device.view(core.now()).called),
        readings: last_said.map(|last| reading((last.kind, last.zone.as_ref(), &last.value))).collect(),
        open_alarms: known.map(|(home, device)| alarms(core, home, device)).unwrap_or_default(),
        row: row.cloned(),
    }
}

fn utc(wall: Option<Wall>) -> Value {
    wall.map(Wall::utc).into()
}

fn messages(row: Option<&Row>) -> Vec<Value> {
    row.into_iter().flat_map(|row| &row.messages).map(message).collect()
}

/// A held message: as text where it is one.
fn message(held: &Held) -> Value {
    let mut shown = json!({"at": held.at.utc(), "topic": held.topic, "cut": held.cut});
    match text(&held.payload, held.cut) {
        Some(text) => shown["text"] = text.into(),
        None => shown["base64"] = STANDARD.encode(&held.payload).into(),
    }
    shown
}

/// The text that bytes are. What is cut may be cut within a character.
fn text(bytes: &[u8], cut: bool) -> Option<&str> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(e) if cut && e.error_len().is_none() => std::str::from_utf8(&bytes[..e.valid_up_to()]).ok()?,
        Err(_) => return None,
    };
    let plain = |c: char| !c.is_control() || matches!(c, '\n' | '\r' | '\t');
    text.chars().all(plain).then_some(text)
}

impl Stranger {
    fn shown(&self, site: &SiteId) -> Value {
        let row = self.row.as_ref();
        json!({
            "id": self.id, "site": site, "source": self.source, "address": self.address, "home": self.home,
            "claimed": self.claimed, "count": row.map_or(0, |row| row.count), "first_at": utc(row.map(|row| row.first)),
            "last_at": utc(self.last), "called_at": utc(self.called), "reason": "unregistered",
            "readings": self.readings, "open_alarms": self.open_alarms, "messages": messages(row),
        })
    }
}

impl Unread {
    fn shown(&self, site: &SiteId) -> Value {
        let Unread { source, topic, row } = self;
        json!({
            "id": row_id(source, topic), "site": site, "source": source, "topic": topic, "reason": row.reason,
            "count": row.count, "first_at": row.first.utc(), "last_at": row.last.utc(), "messages": messages(Some(row)),
        })
    }
}

/// What a person says of a device.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Claim {
    home: String,
    #[serde(default)]
    room: String,
    #[serde(default)]
    model: String,
    /// Where nobody says, it can call if it ever has.
    life: Option<bool>,
    profile: Option<String>,
    device: Option<String>,
}

/// What a claim comes to, looked at in the keeper's state.
enum Looked {
    /// The site has no such row.
    Elsewhere,
    Refused(Problem),
    /// The device as it will be registered; the messages that become history; the alarms that go along.
    Fit(Box<Device>, usize, Vec<AlarmId>),
}

/// `POST /api/v1/quarantine/{id}/claim`
pub(super) async fn claim(
    Operator(caller): Operator,
    State(room): State<Shared>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, Problem> {
    let body = body?;
    let claim: Claim = read(&body)?;
    for (what, word) in [("room", &claim.room), ("model", &claim.model)] {
        if word.chars().count() > MAX_WORD_CHARS || word.chars().any(char::is_control) {
            let detail = format!("{what} has at most {MAX_WORD_CHARS} characters, none of them a control character.");
            return Err(Problem::unfit("bad_word", detail));
        }
    }
    let of = (caller.name.to_string(), format!("quarantine/{id}"));
    let work = {
        let room = room.clone();
        async move { carry_out(&room, id, claim, &caller).await }
    };
    room.answers.keyed(of, &headers, &body, work).await.map(Json)
}

/// Err: it did not come to an answer, and may be tried again under the same key.
async fn carry_out(room: &Room, id: String, claim: Claim, caller: &Caller) -> Result<Answered, Problem> {
    // One after the other: what is looked at here must still be so when it is registered.
    let _turn = room.claims.lock().await;
    for site in &room.sites {
        match fit(room, site, &id, &claim).await? {
            Looked::Elsewhere => {}
            Looked::Refused(problem) => return Ok(Err(problem)),
            Looked::Fit(device, messages, alarms) => {
                register(site, &device).await?;
                tracing::info!(account = %caller.name, home = %device.home, source = %device.source, "a device was claimed");
                return Ok(Ok(json!({"device": device, "messages": messages, "alarms": alarms})));
            }
        }
    }
    let detail = "Nothing in quarantine has this id: it may have been claimed meanwhile. Load the list anew.";
    Ok(Err(Problem::not_found("no_such_device", detail)))
}

/// Looks until the device has an id that no site has: they all are one registry to whoever imports and exports it.
async fn fit(room: &Room, site: &Site, id: &str, claim: &Claim) -> Result<Looked, Problem> {
    let mut elsewhere = BTreeSet::new();
    loop {
        let (id, claim, taken) = (id.to_owned(), claim.clone(), elsewhere.clone());
        let looked = site.keeper.ask(move |core| look(core, &id, &claim, &taken)).await?;
        let Looked::Fit(device, ..) = &looked else { return Ok(looked) };
        if !known_elsewhere(room, site, &device.id).await? {
            return Ok(looked);
        }
        elsewhere.insert(device.id.clone());
    }
}

async fn known_elsewhere(room: &Room, here: &Site, device: &DeviceId) -> Result<bool, Problem> {
    for site in room.sites.iter().filter(|site| site.id != here.id) {
        let device = device.clone();
        if site.keeper.ask(move |core| core.site.registry.devices.contains_key(&device)).await? {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn register(site: &Site, device: &Device) -> Result<(), Problem> {
    site.keeper.register(vec![Entity::Device(device.clone())]).await?;
    // Its calls get a session of their own, and its profile holds.
    site.news.notify_one();
    Ok(())
}

/// `elsewhere`: ids of devices of other sites.
fn look(core: &Core, id: &str, claim: &Claim, elsewhere: &BTreeSet<DeviceId>) -> Looked {
    let all = strangers(core);
    let found = all.into_iter().find(|((source, address), _)| row_id(source, address.as_str()) == id);
    let Some(((source, address), (row, known))) = found else {
        let mut topics = core.quarantine.sources.iter().flat_map(|(s, of)| of.unreadable.keys().map(move |t| (s, t)));
        return match topics.any(|(source, topic)| row_id(source, topic) == id) {
            true => Looked::Refused(not_a_device()),
            false => Looked::Elsewhere,
        };
    };
    let (alarms, called) = known.map_or((Vec::new(), false), |(home, device)| {
        (alarms(core, home, device), device.view(core.now()).called.is_some() || says_life(device))
    });
    let registry = &core.site.registry;
    let home = HomeId::new(claim.home.trim()).ok().filter(|home| registry.homes.contains_key(home));
    let Some(home) = home else {
        return Looked::Refused(unknown("unknown_home", "home", "Register it first, or correct the id."));
    };
    let profile = claim.profile.as_deref().filter(|id| !id.is_empty()).map(ProfileId::new).transpose();
    let Some(profile) = profile.ok().filter(|p| p.as_ref().is_none_or(|id| registry.profiles.contains_key(id))) else {
        return Looked::Refused(unknown("unknown_profile", "profile", "Import it first, or leave it away."));
    };
    let wanted = claim.device.as_deref().map(str::trim).filter(|id| !id.is_empty());
    let taken = |name: &DeviceId| registry.devices.contains_key(name) || elsewhere.contains(name);
    let name = match wanted.map(DeviceId::new) {
        None => fresh_name(taken, &home, address),
        Some(Ok(name)) if !taken(&name) => name,
        Some(Ok(_)) => return Looked::Refused(device_exists()),
        Some(Err(e)) => return Looked::Refused(Problem::unfit("bad_device", e.to_string())),
    };
    let device = Device {
        id: name,
        home,
        source: source.clone(),
        address: address.clone(),
        room: claim.room.trim().into(),
        model: claim.model.trim().into(),
        life: claim.life.unwrap_or(called),
        profile,
    };
    Looked::Fit(Box::new(device), row.map_or(0, |row| row.messages.len()), alarms)
}

/// It tells of what would be a life alarm, if it were so.
fn says_life(device: &DeviceState) -> bool {
    let is_life = |kind: Kind| kind.alarm().is_some_and(|alarm| alarm.priority() == Priority::Life);
    device.last.iter().any(|last| is_life(last.kind))
}

/// A name that no device has yet: of the home, and of what the source calls the device.
fn fresh_name(taken: impl Fn(&DeviceId) -> bool, home: &HomeId, address: &Address) -> DeviceId {
    let address = address.as_str();
    let short = address.rsplit('/').next().filter(|short| !short.is_empty()).unwrap_or(address);
    let plain = format!("{home}-{short}");
    let mut names = std::iter::once(DeviceId::cut(&plain)).chain((2..).map(|n| DeviceId::cut(&format!("{n}-{plain}"))));
    // There are fewer devices than numbers.
    names.find(|name| !taken(name)).unwrap_or_else(|| DeviceId::cut(&plain))
}

fn unknown(reason: &'static str, what: &str, remedy: &str) -> Problem {
    Problem::unfit(reason, format!("This device's site has no {what} of this id. {remedy}"))
}

fn device_exists() -> Problem {
    let detail = "A device of this id is registered already; take another id, or leave it away.";
    Problem::new(StatusCode::CONFLICT, "device_exists", detail)
}

fn not_a_device() -> Problem {
    let detail = "On this topic nothing could be read, so there is no device to claim. What is wrong with its messages stands in `reason`.";
    Problem::new(StatusCode::CONFLICT, "not_a_device", detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_text_where_it_is_one() {
        let held = |bytes: &[u8], cut| {
            let payload = bytes::Bytes::copy_from_slice(bytes);
            let shown = message(&Held { at: Wall(0), topic: "z/a".into(), payload, cut });
            (shown["text"].as_str().map(str::to_owned), shown["base64"].as_str().map(str::to_owned))
        };
        let text = |text: &str| (Some(text.to_owned()), None);
        let raw = |raw: &str| (None, Some(raw.to_owned()));
        assert_eq!(held("{\"室\":1}\n".as_bytes(), false), text("{\"室\":1}\n"));
        assert_eq!(held(&"室室".as_bytes()[..5], true), text("室"), "cut within a character");
        assert_eq!(held(&"室室".as_bytes()[..5], false), raw("5a6k5a4="));
        assert_eq!(held(b"\x08\x01\x12", false), raw("CAES"), "controls are no text");
        assert_eq!(held(b"\xff\xfe", true), raw("//4="));
    }

    #[test]
    fn those_of_the_highest_rank_stay() {
        let mut rows = vec![(false, 5), (true, 1), (false, 9), (true, 3)];
        assert!(keep(&mut rows, 3, |row| *row));
        assert_eq!(rows, [(true, 3), (true, 1), (false, 9)]);
        assert!(!keep(&mut rows, 3, |row| *row));
    }
}
