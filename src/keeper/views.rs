//! What leaves the core for others to see: parcels, the board's rows, personal data for whoever may have it.

use super::board::Shown;
use super::core::Core;
use super::ports::{AlarmNotice, Content, Digest, DigestLine, NoticeType, Parcel, Person, Personal};
use crate::engine::alarm::{Alarm, Attention};
use crate::engine::change::{Notice, Raw, SiteChange, Subject};
use crate::engine::home::{suppression, takers};
use crate::engine::id::{ChannelId, HomeId, ResponderId};
use crate::engine::policy::ResolvedLadder;
use crate::engine::registry::Channel;
use crate::engine::time::Wall;
use crate::engine::view::{AlarmView, ArrivalView, HomeView, NextView};
use base64::Engine as _;
use std::sync::Arc;

impl Core {
    /// The parcel of an attempt that was just started; none where the alarm has gone meanwhile.
    pub(super) fn parcel(&self, started: &SiteChange) -> Option<Parcel> {
        let SiteChange::AttemptStarted { notice, attempt } = started else { return None };
        let notice = &self.site.outbox.get(notice)?.notice;
        let channel = Arc::new(self.site.registry.channels.get(&notice.channel)?.clone());
        let content = match &notice.subject {
            Subject::Digest { members } => self.digest(members, &channel)?,
            Subject::Test { code } => Content::Test(code.clone()),
            _ => Content::Alarm(Box::new(self.alarm_notice(notice, &channel)?)),
        };
        let (notice, attempt, issued) = (notice.id.clone(), *attempt, notice.issued.wall);
        Some(Parcel { notice, attempt, channel, issued, content })
    }

    /// The alarm of a notice as it stands, with what is to be told of it.
    fn told_of<'s>(&'s self, notice: &'s Notice) -> Option<(NoticeType, &'s Alarm)> {
        let slot = self.homes.get(notice.home as usize)?;
        let open = || slot.state.alarm(notice.kind).filter(|a| a.id == notice.id.alarm);
        match &notice.subject {
            Subject::Rung { .. } => Some((NoticeType::Notice, open()?)),
            Subject::Taken { .. } => Some((NoticeType::Taken, open()?)),
            Subject::Closed { alarm, .. } => Some((NoticeType::Closed, alarm)),
            Subject::Digest { .. } | Subject::Test { .. } => None,
        }
    }

    fn alarm_view(&self, alarm: &Alarm, channel: &Channel) -> AlarmView {
        let view = AlarmView::of(alarm, self.now());
        match channel.include_personal {
            true => view,
            false => AlarmView { reason: view.reason.without_whereabouts(), ..view },
        }
    }

    /// What is still to be told of the members; none where that is nothing.
    fn digest(&self, members: &[Notice], channel: &Channel) -> Option<Content> {
        let line = |notice: &Notice| {
            let (r#type, alarm) = self.told_of(notice)?;
            Some(DigestLine { r#type, alarm: self.alarm_view(alarm, channel), home: self.home_view(notice.home) })
        };
        let alarms: Vec<DigestLine> = members.iter().filter_map(line).collect();
        let total = alarms.len() as u32;
        (total > 0).then_some(Content::Digest(Digest { alarms, total }))
    }

    fn alarm_notice(&self, notice: &Notice, channel: &Channel) -> Option<AlarmNotice> {
        let slot = self.homes.get(notice.home as usize)?;
        let (kind, alarm) = self.told_of(notice)?;
        let (by, outcome) = match &notice.subject {
            Subject::Taken { by } => (Some(by.clone()), None),
            Subject::Closed { by, code, .. } => (by.clone(), code.map(|code| code.name())),
            _ => (None, None),
        };
        let (rung, round) = match notice.subject {
            Subject::Rung { rung, round } => (rung, round),
            _ => (0, 0),
        };
        let open = (kind != NoticeType::Closed).then_some(alarm);
        let ladder = slot.policy.ladder(alarm.kind);
        // Whoever has taken another alarm of the home is told beside the rung.
        let reached = |by: &&ResponderId| ladder.reach_of(by).iter().any(|reach| reach.channel == channel.id);
        let takers: Vec<_> = takers(&slot.state, alarm).filter(reached).cloned().collect();
        let home = self.home_view(notice.home);
        let personal = channel.include_personal.then(|| self.personal(&home.id)).flatten();
        let next = open.and_then(|alarm| NextView::of(alarm, slot.policy.ladder(alarm.kind), self.now()));
        let alarm = self.alarm_view(alarm, channel);
        let mut people = self.people(ladder, rung, &channel.id, notice.issued.wall);
        if people.is_empty() {
            people = takers.iter().filter_map(|by| self.person(by)).collect();
        }
        let by_name = by.as_ref().and_then(|by| self.person(by)).map(|by| by.name);
        Some(AlarmNotice { kind, alarm, home, rung, round, next, people, by, by_name, outcome, personal })
    }

    /// The people of a rung (from 1) whom a channel reaches: those who were on duty when it was told.
    fn people(&self, ladder: &ResolvedLadder, rung: u32, channel: &ChannelId, told: Wall) -> Vec<Person> {
        let rung = (rung as usize).checked_sub(1).and_then(|at| ladder.rungs.get(at));
        rung.into_iter().flat_map(|rung| rung.reached_by(channel, told)).filter_map(|id| self.person(id)).collect()
    }

    /// A colleague's name and phone, where the key still exists.
    fn person(&self, id: &ResponderId) -> Option<Person> {
        let details = self.vault.responder(self.site.registry.responders.get(id)?)?;
        Some(Person { name: details.name, phone: details.phone })
    }

    /// The personal data of a home, where its keys still exist.
    pub fn personal(&self, home: &HomeId) -> Option<Personal> {
        let residents: Vec<_> = self.site.registry.residents.values().filter(|r| &r.home == home).collect();
        self.vault.personal(self.site.registry.homes.get(home)?, &residents)
    }

    fn home_view(&self, home: u32) -> HomeView {
        let entry = &self.site.homes[home as usize];
        let known = self.site.registry.homes.get(&entry.id);
        HomeView {
            id: entry.id.clone(),
            site: self.rules.site.clone(),
            claimed: entry.claimed,
            community: known.and_then(|h| h.community.clone()),
            block: known.and_then(|h| h.block.clone()),
        }
    }

    pub(super) fn show(&self, home: u32, alarm: &Alarm) -> Shown {
        let rung = match alarm.attention {
            Attention::Calling { rung, .. } => rung,
            _ => 0,
        };
        let slot = &self.homes[home as usize];
        let hidden_by = suppression::hidden_by(&slot.state, alarm.kind, self.now());
        // What is hidden calls nobody before the suppression ends.
        let next = match hidden_by {
            Some(_) => None,
            None => NextView::of(alarm, slot.policy.ladder(alarm.kind), self.now()),
        };
        Shown {
            alarm: AlarmView::of(alarm, self.now()),
            home: self.home_view(home),
            rung,
            next,
            arrival: ArrivalView::of(alarm, &slot.policy.rules, self.now()),
            hidden_by,
            open: true,
            outcome: None,
        }
    }

    pub(super) fn shown_of(&self, home: u32) -> Vec<Shown> {
        self.homes[home as usize].state.alarms.iter().map(|alarm| self.show(home, alarm)).collect()
    }
}

/// The raw form of a message, for the ledger.
pub fn raw(topic: &str, payload: &[u8]) -> Raw {
    let kept = &payload[..payload.len().min(MAX_RAW_BYTES)];
    Raw {
        topic: beginning(topic, MAX_RAW_BYTES).to_owned(),
        payload: base64::engine::general_purpose::STANDARD.encode(kept),
    }
}

/// As many bytes of a text at most as are whole characters.
pub(super) fn beginning(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or(0)]
}

/// Of a message that an alarm rests on, as much is kept, and as much of its topic: a record has to hold it.
const MAX_RAW_BYTES: usize = 4_096;
