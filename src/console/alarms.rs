//! Alarms: the lists, one with its story, and what people do with them.

use super::gate::{Caller, Operator};
use super::once::Answered;
use super::problem::{Problem, read};
use super::{Room, Shared, Site};
use crate::engine::alarm::{Act, CloseCode, Refusal, SafeHow, Told};
use crate::engine::id::{AlarmId, HomeId, SiteId};
use crate::engine::kind::{AlarmKind, Priority};
use crate::engine::time::Wall;
use crate::keeper::board::Shown;
use crate::keeper::core::Core;
use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Alarms of one answer: as asked, and at most.
pub(super) const PAGE: usize = 500;
/// The longest note in characters.
const MAX_NOTE_CHARS: usize = 2_000;

/// What a list is asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wish {
    state: Option<String>,
    pub site: Option<String>,
    pub cursor: Option<String>,
    limit: Option<usize>,
}

impl Wish {
    /// How many rows the answer may have.
    pub fn limit(&self) -> usize {
        self.limit.unwrap_or(PAGE).clamp(1, PAGE)
    }
}

/// A query string as it was understood, or why not.
pub(super) type Asked<T> = Result<Query<T>, axum::extract::rejection::QueryRejection>;

/// A query string that nobody understood is answered as a problem too.
pub(super) fn understood<T>(asked: Asked<T>) -> Result<T, Problem> {
    asked.map(|Query(wish)| wish).map_err(|e| Problem::unfit("bad_query", e.body_text()))
}

fn bad_cursor() -> Problem {
    Problem::unfit("bad_cursor", "A cursor is what an answer before gave as `next`; leave it away to begin anew.")
}

/// `GET /api/v1/alarms`
pub(super) async fn list(_: Caller, State(room): State<Shared>, asked: Asked<Wish>) -> Result<Json<Value>, Problem> {
    let wish = understood(asked)?;
    match wish.state.as_deref() {
        None | Some("open") => open(&room, &wish).map(Json),
        Some("closed") => closed(&room, &wish).await.map(Json),
        Some(_) => Err(Problem::unfit("bad_query", "state is open or closed.")),
    }
}

/// Where an alarm stands in the list of open ones.
type Rank = (Priority, AlarmKind, Wall, AlarmId);

fn rank(shown: &Shown) -> Rank {
    let alarm = &shown.alarm;
    (alarm.priority, alarm.kind, alarm.raised_at, alarm.id.clone())
}

fn cursor_of(rank: &Rank) -> String {
    format!("{}.{}.{}", rank.1, rank.2.0, rank.3)
}

fn rank_of(cursor: &str) -> Option<Rank> {
    let mut parts = cursor.splitn(3, '.');
    let kind = AlarmKind::parse(parts.next()?)?;
    let raised = Wall(parts.next()?.parse().ok()?);
    Some((kind.priority(), kind, raised, parts.next()?.parse().ok()?))
}

fn open(room: &Room, wish: &Wish) -> Result<Value, Problem> {
    room.sites_of(wish.site.as_deref())?;
    let after = wish.cursor.as_deref().map(|c| rank_of(c).ok_or_else(bad_cursor)).transpose()?;
    // The event is taken first: what comes after it may be in the list already, and does no harm twice.
    let event = room.events.latest();
    let wanted = |shown: &Shown| {
        wish.site.as_deref().is_none_or(|site| shown.home.site.as_str() == site)
            && after.as_ref().is_none_or(|after| rank(shown) > *after)
    };
    let mut alarms: Vec<_> = room.board.open().into_iter().filter(|shown| wanted(shown)).collect();
    let more = alarms.len() > wish.limit();
    alarms.truncate(wish.limit());
    let next = alarms.last().filter(|_| more).map(|last| cursor_of(&rank(last)));
    let alarms: Vec<&Shown> = alarms.iter().map(|shown| &**shown).collect();
    let outcomes: BTreeMap<&SiteId, Vec<&str>> =
        room.sites.iter().map(|site| (&site.id, site.outcomes.iter().map(|code| code.name()).collect())).collect();
    Ok(json!({"now": room.wall().utc(), "event": event, "alarms": alarms, "next": next, "outcomes": outcomes}))
}

/// Closed alarms, site after site, the newest of each first.
async fn closed(room: &Room, wish: &Wish) -> Result<Value, Problem> {
    let sites: Vec<_> = room.sites_of(wish.site.as_deref())?.iter().map(|site| site.id.clone()).collect();
    let after: Option<AlarmId> = wish.cursor.as_deref().map(str::parse).transpose().map_err(|_| bad_cursor())?;
    let limit = wish.limit();
    let rows = room.past(move |history| {
        let mut rows = Vec::new();
        for site in sites.iter().skip_while(|site| after.as_ref().is_some_and(|after| after.site != **site)) {
            let before = after.as_ref().filter(|after| after.site == *site).map(|after| after.number);
            rows.extend(history.closed(site, before, limit - rows.len()));
            if rows.len() >= limit {
                break;
            }
        }
        rows
    });
    let alarms: Vec<Value> = rows.await?.into_iter().map(flat).collect();
    let next = alarms.last().filter(|_| alarms.len() == limit).map(|last| last["id"].clone());
    Ok(json!({"now": room.wall().utc(), "alarms": alarms, "next": next}))
}

/// A closed alarm in the shape of the open ones: what the row says of the alarm itself stands beside the rest.
fn flat(mut row: Value) -> Value {
    let alarm = row.get_mut("alarm").map(Value::take);
    if let (Some(Value::Object(alarm)), Some(row)) = (alarm, row.as_object_mut()) {
        row.remove("alarm");
        row.extend(alarm);
        row.insert("open".into(), false.into());
    }
    row
}

fn no_such_alarm() -> Problem {
    Refusal::NoSuchAlarm.into()
}

/// `GET /api/v1/alarms/{id}`
pub(super) async fn one(_: Caller, State(room): State<Shared>, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    let id: AlarmId = id.parse().map_err(|_| no_such_alarm())?;
    let site = room.site(&id.site).ok_or_else(no_such_alarm)?;
    let (of, shown) = (id.clone(), room.board.get(&id));
    let open = shown.is_some();
    let (closed, timeline) =
        room.past(move |h| (if open { None } else { h.closed_alarm(&of) }, h.timeline(&of))).await?;
    let mut alarm = match shown {
        Some(shown) => json!(*shown),
        None => flat(closed.ok_or_else(no_such_alarm)?),
    };
    let told = site.keeper.ask(move |core| told(core, &id)).await?;
    alarm["now"] = room.wall().utc().into();
    alarm["told"] = told.into();
    alarm["timeline"] = timeline.into();
    Ok(Json(alarm))
}

/// The latest notice of an open alarm to each channel, and what became of it.
fn told(core: &Core, id: &AlarmId) -> Vec<Value> {
    let word = |told: Told| match told {
        Told::Pending => "pending",
        Told::Delivered => "delivered",
        Told::Failing => "failing",
        Told::Withdrawn => "withdrawn",
    };
    let alarm = core.homes.iter().flat_map(|home| &home.state.alarms).find(|alarm| &alarm.id == id);
    let tellings = alarm.into_iter().flat_map(|alarm| &alarm.tellings);
    tellings.map(|t| json!({"channel": t.channel, "rung": t.rung, "loop": t.round, "state": word(t.told)})).collect()
}

/// What may stand in the body of an act.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    revision: Option<u32>,
    minutes: Option<u32>,
    how: Option<String>,
    outcome: Option<String>,
    text: Option<String>,
}

/// What a person wants to do.
#[derive(Debug, PartialEq)]
pub(super) enum Wanted {
    Act(Act),
    /// A note is sealed before it is an act.
    Note(String),
}

/// `POST /api/v1/alarms/{id}/{act}`
pub(super) async fn act(
    Operator(caller): Operator,
    State(room): State<Shared>,
    Path((id, word)): Path<(String, String)>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, Problem> {
    let body = body?;
    let (wanted, revision) = wanted(&word, &body)?;
    let id: AlarmId = id.parse().map_err(|_| no_such_alarm())?;
    room.site(&id.site).ok_or_else(no_such_alarm)?;
    let (by, name, path) = (caller.name.clone(), caller.name.to_string(), format!("{id}/{word}"));
    let work = {
        let room = room.clone();
        async move { carry_out(&room, id, wanted, by, revision).await }
    };
    room.answers.keyed((name, path), &headers, &body, work).await.map(Json)
}

/// Err: it did not come to an answer, and may be tried again under the same key.
pub(super) async fn carry_out(
    room: &Room,
    id: AlarmId,
    wanted: Wanted,
    by: crate::engine::id::ResponderId,
    revision: Option<u32>,
) -> Result<Answered, Problem> {
    let site = room.site(&id.site).ok_or_else(no_such_alarm)?;
    let act = match wanted {
        Wanted::Act(Act::Close(code)) if !site.outcomes.contains(&code) => return Err(unused(&site.outcomes)),
        Wanted::Act(act) => act,
        Wanted::Note(text) => match home_of(site, &id).await? {
            Err(refusal) => return Ok(Err(refusal.into())),
            Ok(home) => Act::Note(room.vault.seal_note(&home, &text).ok_or_else(not_sealed)?),
        },
    };
    let answer = site.keeper.act(id, act, by, revision).await?;
    Ok(answer.map(|(id, revision)| json!({"id": id, "revision": revision})).map_err(Problem::from))
}

fn unused(outcomes: &[CloseCode]) -> Problem {
    let words = outcomes.iter().map(|code| code.name()).collect::<Vec<_>>().join(", ");
    Problem::unfit("bad_outcome", format!("At this site outcome is one of {words}."))
}

pub(super) fn not_sealed() -> Problem {
    Problem::new(
        StatusCode::CONFLICT,
        "not_sealed",
        "The note cannot be sealed: this home's keys were destroyed or cannot be written.",
    )
}

/// The home of an open alarm, or why there is nothing to note.
async fn home_of(site: &Site, id: &AlarmId) -> Result<Result<HomeId, Refusal>, Problem> {
    let id = id.clone();
    let looked = site.keeper.ask(move |core| {
        let home = core.homes.iter().position(|home| home.state.alarms.iter().any(|alarm| alarm.id == id));
        match home.and_then(|number| core.site.homes.get(number)) {
            Some(entry) => Ok(entry.id.clone()),
            None if id.number < core.site.next_alarm => Err(Refusal::Closed),
            None => Err(Refusal::NoSuchAlarm),
        }
    });
    Ok(looked.await?)
}

/// Reads what is wanted, and the revision that it rests on.
fn wanted(word: &str, body: &[u8]) -> Result<(Wanted, Option<u32>), Problem> {
    let said: Said = match body.trim_ascii() {
        [] => Said::default(),
        body => read(body)?,
    };
    let act = match word {
        "seen" => Act::Seen,
        "on-my-way" => Act::OnMyWay { minutes: minutes(said.minutes)? },
        "on-site" => Act::OnSite,
        "no-answer" => Act::NoAnswer,
        "no-access" => Act::NoAccess,
        "hold" => Act::Hold,
        "cannot" => Act::Cannot,
        "reopen" => Act::Reopen,
        "safe" => Act::Safe(safe_how(said.how.as_deref())?),
        "close" => Act::Close(close_code(said.outcome.as_deref())?),
        "note" => return Ok((Wanted::Note(note(said.text)?), said.revision)),
        _ => {
            return Err(Problem::not_found(
                "no_such_act",
                "An alarm knows seen, on-my-way, on-site, no-answer, no-access, note, hold, cannot, safe, close and reopen.",
            ));
        }
    };
    // All but a note rests on what the person saw.
    if said.revision.is_none() {
        let detail = "State the `revision` of the alarm that you saw, e.g. {\"revision\": 7}.";
        return Err(Problem::new(StatusCode::CONFLICT, "revision_missing", detail));
    }
    Ok((Wanted::Act(act), said.revision))
}

pub(super) fn minutes(stated: Option<u32>) -> Result<Option<u32>, Problem> {
    match stated {
        Some(m) if !(1..=240).contains(&m) => Err(Problem::unfit("bad_minutes", "minutes lies in 1 to 240.")),
        stated => Ok(stated),
    }
}

/// `Handed to 120`, `handed-to-120` and `handed_to_120` are one word.
fn word_of(text: Option<&str>) -> String {
    text.unwrap_or_default().trim().to_ascii_lowercase().replace([' ', '-'], "_")
}

pub(super) fn safe_how(how: Option<&str>) -> Result<SafeHow, Problem> {
    match word_of(how).as_str() {
        "seen" => Ok(SafeHow::Seen),
        "spoke" | "spoke_to" | "spoken" => Ok(SafeHow::Spoke),
        "handed_to_120" | "handed_to120" | "120" => Ok(SafeHow::HandedTo120),
        _ => {
            let detail = "how is seen, spoke or handed_to_120: a person makes sure, or the ambulance has taken over. Hearsay is none.";
            Err(Problem::unfit("bad_how", detail))
        }
    }
}

fn close_code(outcome: Option<&str>) -> Result<CloseCode, Problem> {
    serde_json::from_value(word_of(outcome).into()).map_err(|_| {
        let detail = "outcome is one of helped, hospital, deceased, not_home, refused, no_access, accidental, sensor, test, technical.";
        Problem::unfit("bad_outcome", detail)
    })
}

fn note(text: Option<String>) -> Result<String, Problem> {
    let text = text.unwrap_or_default().trim().to_owned();
    match text.chars().count() {
        1..=MAX_NOTE_CHARS => Ok(text),
        _ => Err(Problem::unfit("bad_note", "text has 1 to 2,000 characters.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acts_are_understood_or_refused_by_name() {
        use CloseCode::*;
        let close = |code| Ok(Wanted::Act(Act::Close(code)));
        let safe = |how| Ok(Wanted::Act(Act::Safe(how)));
        let cases: &[(&str, &str, Result<Wanted, &str>)] = &[
            ("seen", r#"{"revision":1}"#, Ok(Wanted::Act(Act::Seen))),
            ("seen", "", Err("revision_missing")),
            ("seen", "{}", Err("revision_missing")),
            ("seen", r#"{"revision":-1}"#, Err("bad_body")),
            ("seen", r#"{"revison":1}"#, Err("bad_body")),
            ("seen", "[", Err("bad_body")),
            ("on-my-way", r#"{"revision":1,"minutes":15}"#, Ok(Wanted::Act(Act::OnMyWay { minutes: Some(15) }))),
            ("on-my-way", r#"{"revision":1}"#, Ok(Wanted::Act(Act::OnMyWay { minutes: None }))),
            ("on-my-way", r#"{"revision":1,"minutes":0}"#, Err("bad_minutes")),
            ("on-my-way", r#"{"revision":1,"minutes":241}"#, Err("bad_minutes")),
            ("on-site", r#"{"revision":1}"#, Ok(Wanted::Act(Act::OnSite))),
            ("no-answer", r#"{"revision":1}"#, Ok(Wanted::Act(Act::NoAnswer))),
            ("no-access", r#"{"revision":1}"#, Ok(Wanted::Act(Act::NoAccess))),
            ("hold", r#"{"revision":1}"#, Ok(Wanted::Act(Act::Hold))),
            ("cannot", r#"{"revision":1}"#, Ok(Wanted::Act(Act::Cannot))),
            ("safe", r#"{"revision":1,"how":"seen"}"#, safe(SafeHow::Seen)),
            ("safe", r#"{"revision":1,"how":"Spoke to"}"#, safe(SafeHow::Spoke)),
            ("safe", r#"{"revision":1,"how":"handed to 120"}"#, safe(SafeHow::HandedTo120)),
            ("safe", r#"{"revision":1,"how":"handed_to_120"}"#, safe(SafeHow::HandedTo120)),
            ("safe", r#"{"revision":1,"how":"120"}"#, safe(SafeHow::HandedTo120)),
            ("safe", r#"{"revision":1,"how":"the neighbour says so"}"#, Err("bad_how")),
            ("safe", r#"{"revision":1}"#, Err("bad_how")),
            ("close", r#"{"revision":1,"outcome":"helped"}"#, close(Helped)),
            ("close", r#"{"revision":1,"outcome":"not home"}"#, close(NotHome)),
            ("close", r#"{"revision":1,"outcome":"false"}"#, Err("bad_outcome")),
            ("close", r#"{"revision":1}"#, Err("bad_outcome")),
            ("note", r#"{"text":" called "}"#, Ok(Wanted::Note("called".into()))),
            ("note", r#"{"text":" "}"#, Err("bad_note")),
            ("delete", r#"{"revision":1}"#, Err("no_such_act")),
        ];
        for (word, body, expected) in cases {
            let got = wanted(word, body.as_bytes()).map(|(wanted, _)| wanted).map_err(|p| p.reason());
            assert_eq!(&got, expected, "{word} {body}");
        }
        assert_eq!(note(Some("长".repeat(2_000))).unwrap().chars().count(), 2_000);
        assert!(note(Some("长".repeat(2_001))).is_err());
    }

    #[test]
    fn every_outcome_word_is_a_word() {
        for code in [
            "helped",
            "hospital",
            "deceased",
            "not_home",
            "refused",
            "no_access",
            "accidental",
            "sensor",
            "test",
            "technical",
        ] {
            assert_eq!(close_code(Some(code)).unwrap().name(), code);
        }
    }

    #[test]
    fn a_cursor_leads_back_to_its_place() {
        let rank = (Priority::Life, AlarmKind::Sos, Wall(1_766_448_000_000), "zhong.lou-3-000012".parse().unwrap());
        assert_eq!(rank_of(&cursor_of(&rank)), Some(rank));
        for bad in ["", "sos", "sos.1", "sos.x.a-1", "nothing.1.a-1", "sos.1.a"] {
            assert_eq!(rank_of(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_closed_row_has_the_shape_of_an_open_one() {
        let row = json!({"alarm": {"id": "z-000001", "kind": "sos"}, "home": {"id": "h1"}, "outcome": "helped"});
        let expected =
            json!({"id": "z-000001", "kind": "sos", "home": {"id": "h1"}, "outcome": "helped", "open": false});
        assert_eq!(flat(row), expected);
        assert_eq!(flat(json!({"id": "z-000001"})), json!({"id": "z-000001"}));
    }
}
