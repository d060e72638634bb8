//! Rotas as files: shifts, overrides, and the days that are not as their weekday says.

use super::fields::map;
use super::rows::{Details, Open, ids, is_blank, site};
use crate::config::Config;
use crate::config::mistake::Wrong;
use crate::config::reader::{Section, choice, filled, list, number, parsed};
use crate::config::tree::Value;
use crate::engine::id::{ResponderId, RotaId};
use crate::engine::registry::{Entity, Rota};
use crate::engine::rota::{Day, On, Override, Shift, Zone, clock, minute};
use serde_json::{Map, json};

/// The most shifts of a rota, people or turns of a shift, and overrides or days of a rota.
const MOST_SHIFTS: usize = 32;
const MOST_PEOPLE: usize = 64;
const MOST_DATES: usize = 500;

pub(super) fn read(id: &str, s: &Section<'_>, base: Option<Entity>, config: &Config) -> Option<Open> {
    let base = if let Some(Entity::Rota(r)) = base { Some(r) } else { None };
    let site = site(s, base.as_ref().map(|b| &b.site), config);
    let zone: Option<Option<Zone>> = s.get("timezone", optional);
    let fallback: Option<Option<ResponderId>> = s.get("fallback", optional);
    let (holidays, workdays) = (s.get("holidays", days), s.get("workdays", days));
    let shifts: Option<Vec<Shift>> = rows(s, "shift", MOST_SHIFTS, shift);
    let overrides: Option<Vec<Override>> = rows(s, "override", MOST_DATES, instead);
    let (id, site, shifts, overrides) = (RotaId::new(id).ok()?, site?, shifts?, overrides?);
    let old = base.unwrap_or(Rota {
        id: id.clone(),
        site: site.clone(),
        zone: None,
        shifts: Vec::new(),
        overrides: Vec::new(),
        fallback: None,
        holidays: Vec::new(),
        workdays: Vec::new(),
    });
    let rota = Rota {
        id,
        site,
        zone: zone.unwrap_or(old.zone),
        shifts: if s.has("shift") { shifts } else { old.shifts },
        overrides: if s.has("override") { overrides } else { old.overrides },
        fallback: fallback.unwrap_or(old.fallback),
        holidays: holidays.unwrap_or(old.holidays),
        workdays: workdays.unwrap_or(old.workdays),
    };
    Some((Entity::Rota(rota), Details::None))
}

/// The rows of a list; none where one of them is wrong, or there are too many.
fn rows<T>(s: &Section<'_>, key: &'static str, most: usize, read: fn(&Section<'_>) -> Option<T>) -> Option<Vec<T>> {
    let rows = s.rows(key);
    if rows.len() > most {
        s.blame(key, Wrong::new(format!("has {} entries", rows.len()), format!("use {most} at most")));
        return None;
    }
    let read = |row: Section<'_>| {
        let found = read(&row);
        row.close();
        found
    };
    // Every row is read: all mistakes are told at once.
    let all: Vec<Option<T>> = rows.into_iter().map(read).collect();
    all.into_iter().collect()
}

fn shift(row: &Section<'_>) -> Option<Shift> {
    let on =
        row.get("days", |value| list(value)?.into_iter().map(|word| choice(&Value::Text(word), On::WORDS)).collect());
    let from = row.get("from", time).unwrap_or(0);
    let to_min = row.get("to", time).unwrap_or(24 * 60);
    let (who, turns) = (row.get("who", ids::<ResponderId>), row.get("turns", turns));
    if from == 24 * 60 {
        row.blame("from", Wrong::new("is a day's end", "write 00:00 of the day on which it begins"));
    }
    let (turns, every_days, since) = match (who, turns) {
        (Some(who), None) if !row.has("turns") => (vec![who], 1, Day::default()),
        (None, Some(turns)) if !row.has("who") => {
            let every = row.need("every_days", "write the days of a turn", |v| number(v, 1..=366));
            let since = row.need("since", "write a day on which the first turn begins", parsed);
            (turns, every? as u16, since?)
        }
        _ => {
            let what = Wrong::new("does not stand alone", "write who (all together), or turns (one after the other)");
            row.blame("who", what);
            return None;
        }
    };
    if turns.len() > MOST_PEOPLE || turns.iter().any(|turn| turn.is_empty() || turn.len() > MOST_PEOPLE) {
        let what = Wrong::new("has a turn of nobody, or too many", format!("name 1 to {MOST_PEOPLE} people"));
        row.blame(if row.has("turns") { "turns" } else { "who" }, what);
    }
    Some(Shift { days: on.unwrap_or_default(), from_min: from, to_min, turns, every_days, since })
}

fn instead(row: &Section<'_>) -> Option<Override> {
    let from = row.need("from", "write from when, as 2026-05-01T08:00", parsed);
    let to = row.need("to", "write until when, as 2026-05-01T18:00", parsed);
    let instead_of = row.get("instead_of", optional).flatten();
    let who = row.get("who", optional).flatten();
    let change = Override { from: from?, to: to?, instead_of, who };
    if change.to <= change.from {
        row.blame("to", Wrong::new("is not after from", "write when it ends"));
    }
    if change.instead_of.is_none() && change.who.is_none() {
        row.blame("who", Wrong::new("is missing, and instead_of too", "write who comes, who stays away, or both"));
    }
    Some(change)
}

/// One responder each, or a list of those who have a turn together.
fn turns(value: &Value) -> Result<Vec<Vec<ResponderId>>, Wrong> {
    let turn = |value: &Value| match value {
        Value::List(_) => ids(value),
        one => parsed(one).map(|id| vec![id]),
    };
    match value {
        Value::List(turns) => turns.iter().map(turn).collect(),
        _ => Err(Wrong::new(
            "is no list of turns",
            "write [\"one\", \"another\"], or [[\"one\", \"another\"], [\"third\"]]",
        )),
    }
}

fn time(value: &Value) -> Result<u16, Wrong> {
    minute(&filled(value)?)
        .map_err(|wrong| Wrong::new(format!("is {wrong}"), "write hours and minutes, 00:00 to 24:00"))
}

fn days(value: &Value) -> Result<Vec<Day>, Wrong> {
    let mut days: Vec<Day> = list(value)?.into_iter().map(|day| parsed(&Value::Text(day))).collect::<Result<_, _>>()?;
    days.sort_unstable();
    days.dedup();
    match days.len() > MOST_DATES {
        true => Err(Wrong::new(format!("has {} days", days.len()), format!("keep {MOST_DATES} at most"))),
        false => Ok(days),
    }
}

fn optional<T: std::str::FromStr<Err: std::fmt::Display>>(value: &Value) -> Result<Option<T>, Wrong> {
    if is_blank(value) { Ok(None) } else { parsed(value).map(Some) }
}

pub(super) fn fields(rota: &Rota) -> Map<String, serde_json::Value> {
    let shift = |s: &Shift| {
        let mut row = map(&json!({"from": clock(s.from_min), "to": clock(s.to_min)}));
        if !s.days.is_empty() {
            row.insert("days".into(), json!(s.days));
        }
        match &s.turns[..] {
            [who] => drop(row.insert("who".into(), json!(who))),
            turns => {
                let rotation = json!({"turns": turns, "every_days": s.every_days, "since": s.since});
                row.extend(map(&rotation));
            }
        }
        row
    };
    let instead = |o: &Override| {
        let all = map(&json!({"from": o.from, "to": o.to, "instead_of": o.instead_of, "who": o.who}));
        all.into_iter().filter(|(_, value)| !value.is_null()).collect::<Map<_, _>>()
    };
    map(&json!({
        "id": rota.id, "site": rota.site, "timezone": rota.zone, "fallback": rota.fallback,
        "holidays": rota.holidays, "workdays": rota.workdays,
        "shift": rota.shifts.iter().map(shift).collect::<Vec<_>>(),
        "override": rota.overrides.iter().map(instead).collect::<Vec<_>>(),
    }))
}
