//! Ladders: whom to tell next, and when after that.

use super::Turn;
use super::silence;
use crate::engine::alarm::{Alarm, Attention, Telling, Told};
use crate::engine::change::{AlarmChange, HomeChange, Notice, Subject};
use crate::engine::id::{ChannelId, NoticeId, ResponderId};
use crate::engine::input::SiteInput;
use crate::engine::kind::AlarmKind;
use crate::engine::policy::ResolvedLadder;
use crate::engine::time::Millis;

impl Turn<'_> {
    /// Looks after whatever is overdue: alarms by gravity, then the silence.
    pub(super) fn due(&mut self) {
        for alarm in &self.state.alarms {
            let Some(deadline) = alarm.deadline().filter(|d| *d <= self.now.tick) else { continue };
            let late = self.now.tick.since(deadline);
            match &alarm.attention {
                Attention::Calling { rung, round, .. } => self.climb(alarm, *rung, *round, late),
                Attention::Taken { .. } => {
                    self.because("lease_ended");
                    self.climb_from_the_start(alarm, late);
                }
                Attention::Settled => {}
            }
        }
        silence::due(self);
    }

    pub(super) fn climb_from_the_start(&mut self, alarm: &Alarm, late_by: Millis) {
        self.climb(alarm, 0, 0, late_by);
    }

    /// Tells the rung after `rung` (0: before the first), and fixes when the next is due. Rungs that reach nobody are skipped at
    /// once; the last that reaches somebody repeats without end.
    fn climb(&mut self, alarm: &Alarm, rung: u32, round: u32, late_by: Millis) {
        let ladder = self.policy.ladder(alarm.kind);
        let (rung, round) = next_rung(ladder, rung, round);
        let last = !ladder.rungs.iter().skip(rung as usize).any(|r| !r.channels.is_empty());
        let told = rung.checked_sub(1).and_then(|i| ladder.rungs.get(i as usize));
        let wait = match told {
            Some(rung) if !last => rung.wait,
            _ => ladder.repeat,
        };
        let attention = Attention::Calling { rung, round, next: self.now.tick + wait };
        self.alarm_change(alarm.kind, AlarmChange::Attention { attention, late_by });
        let mut number = alarm.notices;
        for channel in told.map_or(&[][..], |r| &r.channels) {
            let before = alarm.telling(channel);
            if before.is_some_and(|t| matches!(t.told, Told::Pending | Told::Failing)) {
                self.because("channel_is_still_being_told");
                continue;
            }
            number += 1;
            let knows = before.is_some_and(|t| t.knows);
            let telling = Telling { channel: channel.clone(), number, rung, round, told: Told::Pending, knows };
            self.alarm_change(alarm.kind, AlarmChange::Telling(telling));
            self.send(alarm, number, channel, Subject::Rung { rung, round });
        }
    }

    fn send(&mut self, alarm: &Alarm, number: u32, channel: &ChannelId, subject: Subject) {
        self.out.to_site.push(SiteInput::Tell(Box::new(Notice {
            id: alarm.notice_id(number),
            home: self.home,
            channel: channel.clone(),
            kind: alarm.kind,
            subject,
            issued: self.now,
        })));
    }

    /// Takes back what is pending of the rungs, and tells everybody who knows of the alarm.
    pub(super) fn tell_all_who_know(&mut self, alarm: &Alarm, subject: impl Fn() -> Subject) {
        self.out.to_site.push(SiteInput::Withdraw { alarm: alarm.id.clone() });
        let mut number = alarm.notices;
        for telling in &alarm.tellings {
            if matches!(telling.told, Told::Pending | Told::Failing) {
                let (channel, number) = (telling.channel.clone(), telling.number);
                self.alarm_change(alarm.kind, AlarmChange::Told { channel, number, told: Told::Withdrawn });
            }
            // Who is being told this moment may know in a moment.
            if telling.knows || telling.told == Told::Pending {
                number += 1;
                self.send(alarm, number, &telling.channel, subject());
            }
        }
        if number > alarm.notices {
            self.alarm_change(alarm.kind, AlarmChange::Numbered(number));
        }
    }

    pub(super) fn tell_taken(&mut self, alarm: &Alarm, by: &ResponderId) {
        self.tell_all_who_know(alarm, || Subject::Taken { by: by.clone() });
    }

    /// What became of a rung's notice. A rung of which every channel fails is left at once for the next.
    pub(super) fn told(&mut self, kind: AlarmKind, notice: NoticeId, channel: ChannelId, told: Told) {
        let Some(alarm) = self.state.alarm(kind).filter(|a| a.id == notice.alarm) else { return };
        let number = notice.number;
        let Some(telling) = alarm.telling(&channel).filter(|t| t.number == number && t.told != told) else { return };
        self.change(HomeChange::Alarm { kind, change: AlarmChange::Told { channel: channel.clone(), number, told } });
        if told != Told::Failing {
            return;
        }
        let Attention::Calling { rung, round, .. } = alarm.attention else { return };
        let dead = |t: &Telling| t.channel == channel || t.told == Told::Failing;
        let of_this_rung = |t: &&Telling| t.rung == rung;
        let higher = self.policy.ladder(kind).rungs.iter().skip(rung as usize).any(|r| !r.channels.is_empty());
        if higher && telling.rung == rung && alarm.tellings.iter().filter(of_this_rung).all(dead) {
            self.because("rung_unreachable");
            self.climb(alarm, rung, round, Millis(0));
        }
    }
}

/// The next rung that reaches somebody, from 1; past the last, that one again and one round more. 0 where none does.
fn next_rung(ladder: &ResolvedLadder, rung: u32, round: u32) -> (u32, u32) {
    let reaches = |i: &usize| ladder.rungs.get(*i).is_some_and(|r| !r.channels.is_empty());
    match (rung as usize..ladder.rungs.len()).find(reaches) {
        Some(index) => (index as u32 + 1, round),
        None => match (0..ladder.rungs.len()).rev().find(reaches) {
            Some(index) => (index as u32 + 1, round + 1),
            None => (0, round + 1),
        },
    }
}
