//! What the page shows of a home and its open alarms: to anybody who has the link, and to a person who has said who they are.

use super::super::Open;
use crate::engine::id::{ChannelId, HomeId, ResponderId};
use crate::engine::registry::{Home, Resident, Responder, ResponderDetails};
use crate::keeper::board::Shown;
use crate::keeper::core::Core;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What the registry says, still sealed.
pub struct Record {
    home: Option<Home>,
    residents: Vec<Resident>,
    /// Those whom the channel reaches, and those who have done something with an alarm of the case.
    responders: Vec<Responder>,
    channel: ChannelId,
}

impl Record {
    /// Looks a home up, and the people who may answer for it or have.
    pub fn of(core: &Core, home: &HomeId, channel: &ChannelId, case: &[Arc<Shown>]) -> Record {
        let registry = &core.site.registry;
        let named: Vec<&ResponderId> = case.iter().flat_map(|shown| named(shown)).collect();
        let wanted = |r: &&Responder| r.channels.contains(channel) || named.contains(&&r.id);
        Record {
            home: registry.homes.get(home).cloned(),
            residents: registry.residents.values().filter(|r| &r.home == home).cloned().collect(),
            responders: registry.responders.values().filter(wanted).cloned().collect(),
            channel: channel.clone(),
        }
    }
}

/// Who has done something with an alarm.
fn named(shown: &Shown) -> impl Iterator<Item = &ResponderId> {
    let alarm = &shown.alarm;
    let (seen, safe) = (alarm.seen.as_ref().map(|s| &s.by), alarm.safe.as_ref().map(|s| &s.by));
    seen.into_iter().chain(safe).chain(&alarm.last_taker)
}

/// A person whom the channel reaches.
pub struct Person {
    pub id: ResponderId,
    pub details: ResponderDetails,
}

impl Person {
    /// The name; where there is none, the id.
    fn name(&self) -> &str {
        if self.details.name.is_empty() { self.id.as_str() } else { &self.details.name }
    }
}

/// What a link opens.
pub struct Sight {
    /// The open alarms of the home, the gravest first; that of the notice is among them.
    pub case: Vec<Arc<Shown>>,
    /// The people of the channel, by name.
    pub people: Vec<Person>,
    names: BTreeMap<ResponderId, String>,
    record: Record,
}

impl Sight {
    pub fn new(case: Vec<Arc<Shown>>, record: Record, vault: &dyn Open) -> Sight {
        let person = |r: &Responder| Person { id: r.id.clone(), details: vault.responder(r).unwrap_or_default() };
        let all: Vec<Person> = record.responders.iter().map(person).collect();
        let names = all.iter().map(|p| (p.id.clone(), p.name().to_owned())).collect();
        let reached = record.responders.iter().map(|r| r.channels.contains(&record.channel));
        let mut people: Vec<Person> =
            all.into_iter().zip(reached).filter(|(_, in_it)| *in_it).map(|(p, _)| p).collect();
        people.sort_by(|a, b| (a.name(), &a.id).cmp(&(b.name(), &b.id)));
        Sight { case, people, names, record }
    }

    pub fn person(&self, id: &ResponderId) -> Option<&Person> {
        self.people.iter().find(|person| &person.id == id)
    }

    /// What whoever holds the link may see: nothing that says who lives where, and of the colleagues their names alone.
    pub fn anybody(&self) -> Value {
        let alarm = |shown: &Arc<Shown>| {
            let alarm = &shown.alarm;
            json!({
                "id": alarm.id, "number": alarm.id.short(), "kind": alarm.kind, "priority": alarm.priority, "raised_at": alarm.raised_at.utc(),
                "happened_at": alarm.happened_at.utc(), "age_unknown": alarm.age_unknown, "late_by_s": alarm.late_by_s,
                "events": alarm.events, "last_event_at": alarm.last_event_at.utc(), "over": alarm.over,
                "taken": alarm.seen.is_some(), "confirmed_safe": alarm.safe.is_some(), "next": shown.next,
            })
        };
        let people =
            |person: &Person| json!({"id": person.id, "name": person.name(), "pin": !person.details.pin.is_empty()});
        let home = self.case.first().map(|shown| &shown.home);
        json!({
            "home": home.map(|h| json!({"id": h.id, "community": h.community, "block": h.block, "claimed": h.claimed})),
            "case": self.case.iter().map(alarm).collect::<Vec<_>>(),
            "people": self.people.iter().map(people).collect::<Vec<_>>(),
        })
    }

    /// What there is to know for a person who acts: who has done what.
    pub fn known(&self, me: &Person) -> Value {
        let name = |id: &ResponderId| self.names.get(id).cloned().unwrap_or_else(|| id.to_string());
        let alarm = |shown: &Arc<Shown>| {
            let alarm = &shown.alarm;
            let seen = alarm.seen.as_ref().map(|seen| {
                json!({"by": name(&seen.by), "mine": seen.by == me.id, "at": seen.at.utc(), "until": seen.until.utc(), "how": seen.how})
            });
            let safe =
                alarm.safe.as_ref().map(|safe| json!({"by": name(&safe.by), "at": safe.at.utc(), "how": safe.how}));
            json!({"revision": alarm.revision, "seen": seen, "safe": safe, "unanswered": alarm.unanswered,
                "no_access": alarm.no_access, "last_taker": alarm.last_taker.as_ref().map(name)})
        };
        let acts: BTreeMap<String, Value> = self.case.iter().map(|s| (s.alarm.id.to_string(), alarm(s))).collect();
        json!({"me": {"id": me.id, "name": me.name(), "phone": me.details.phone}, "acts": acts})
    }

    /// Who lives there and how one gets in. Null in it: nothing is registered, or the person was erased and the keys are gone.
    pub fn personal(&self, vault: &dyn Open) -> Value {
        let residents: Vec<_> = self.record.residents.iter().filter_map(|one| vault.resident(one)).collect();
        let home = self.record.home.as_ref().and_then(|home| vault.home(home));
        json!({"home": home, "residents": residents})
    }
}
