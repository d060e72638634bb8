//! Ladders: whom to tell next, and when after that.

use super::Turn;
use super::alarms::fold_alarm;
use super::silence;
use super::state::State;
use super::suppression;
use crate::engine::alarm::{Alarm, Attention, Progress, Telling, Told};
use crate::engine::change::{AlarmChange, HomeChange, Notice, Subject};
use crate::engine::id::{ChannelId, NoticeId, ResponderId};
use crate::engine::input::SiteInput;
use crate::engine::kind::{AlarmKind, Priority};
use crate::engine::policy::{HomePolicy, ResolvedLadder, ResolvedRung};
use crate::engine::site::desk::EMPTY;
use crate::engine::time::{Millis, Stamp, Tick, Wall};

impl Turn<'_> {
    /// Looks after whatever is overdue: the silence, the list of an outage, the rules of the day, visits, then alarms by gravity.
    pub(super) fn due(&mut self) {
        self.walk_due();
        self.suppressions_due();
        let silent = if self.lose() { &[][..] } else { silence::due(self) };
        let look = self.look_due(!silent.is_empty());
        let routine = self.routine_due();
        self.visits_due();
        let dealt_with = |kind: AlarmKind| {
            silent.contains(&kind) || routine.contains(&kind) || (look && kind == AlarmKind::WelfareCheck)
        };
        for alarm in &self.state.alarms {
            // What was closed in this step calls no more; what was over and comes again goes on calling where it stood.
            let closed =
                |change: &HomeChange| matches!(change, HomeChange::Closed { alarm: of, .. } if of.id == alarm.id);
            let calls = matches!(alarm.attention, Attention::Calling { .. });
            if self.out.changes.iter().any(closed) || (dealt_with(alarm.kind) && !calls) {
                continue;
            }
            let due = deadline(self.policy, self.state, alarm, self.now).filter(|d| *d <= self.now.tick);
            let Some(deadline) = due else { continue };
            let late = self.now.tick.since(deadline);
            match &alarm.attention {
                Attention::Calling { rung, round, .. } => self.climb(alarm, *rung, *round, late),
                Attention::Taken { progress, .. } => {
                    let breached = alarm.nobody_on_site_at(&self.policy.rules) == Some(deadline);
                    let nobody_came = breached && *progress != Progress::OnSite;
                    self.because(if nobody_came { "nobody_on_site" } else { "lease_ended" });
                    self.climb_from_the_start(alarm, late);
                }
                Attention::Settled => {}
            }
        }
    }

    pub(super) fn climb_from_the_start(&mut self, alarm: &Alarm, late_by: Millis) {
        if !matches!(alarm.attention, Attention::Calling { .. }) {
            // Nobody has it any more: whoever was still to hear that somebody has need not.
            self.out.to_site.push(SiteInput::Withdraw { alarm: alarm.id.clone() });
        }
        match self.policy.told_at(alarm.kind, self.now) {
            // It waits for its hour.
            Some(next) => {
                let attention = Attention::Calling { rung: 0, round: 0, next };
                self.alarm_change(alarm.kind, AlarmChange::Attention { attention, late_by: Millis(0) });
            }
            None => self.climb(alarm, 0, 0, late_by),
        }
    }

    /// Tells the rung after the one that was told last, before its time.
    pub(super) fn climb_on(&mut self, alarm: &Alarm) {
        if let Attention::Calling { rung, round, .. } = alarm.attention {
            self.climb(alarm, rung, round, Millis(0));
        }
    }

    /// Tells the rung after `rung` (0: before the first), and fixes when the next is due. Rungs that reach nobody are skipped at
    /// once; the last that reaches somebody repeats without end.
    fn climb(&mut self, alarm: &Alarm, rung: u32, round: u32, late_by: Millis) {
        if rung > 0 && suppression::hidden_by(self.state, alarm.kind, self.now).is_some() {
            self.because("suppressed");
            self.take_back(alarm);
        }
        let ladder = suppression::ladder(self.policy, self.state, alarm.kind, self.now);
        let now = self.now.wall;
        let before = rung as usize;
        let (rung, round) = next_rung(ladder, alarm, rung, round, now);
        let skipped = ladder.rungs.iter().take(rung.saturating_sub(1) as usize).skip(before);
        if skipped.into_iter().any(|r| !r.rotas().is_empty() && !r.reaches_somebody(now)) {
            self.because("nobody_on_duty");
        }
        let told = rung.checked_sub(1).and_then(|i| ladder.rungs.get(i as usize));
        // Whoever is above counts as of when their turn comes.
        let above = |then| ladder.rungs.iter().skip(rung as usize).any(|r| reaches(r, alarm, then));
        let wait = match told {
            Some(of) if above(now + of.wait) && rung == 1 && self.desk_empty && self.is_desks_to_lose(alarm) => {
                self.because("empty_desk");
                of.wait.min(EMPTY)
            }
            Some(rung) if above(now + rung.wait) => rung.wait,
            _ => ladder.repeat,
        };
        let next = self.policy.told_at(alarm.kind, self.now).unwrap_or(self.now.tick + wait);
        let attention = Attention::Calling { rung, round, next };
        self.alarm_change(alarm.kind, AlarmChange::Attention { attention, late_by });
        let mut number = alarm.notices;
        let mut channels = told.map(|r| r.channels(now)).unwrap_or_default();
        if rung == 1 && alarm.priority() == Priority::Life {
            for reach in takers(self.state, alarm).flat_map(|by| ladder.reach_of(by)) {
                // Whoever is on the way to this home, or in it, must know what burns there.
                if !channels.contains(&&reach.channel) {
                    channels.push(&reach.channel);
                    self.because("taker_of_another");
                }
            }
        }
        for channel in channels {
            let before = alarm.telling(channel);
            if before.is_some_and(Telling::is_under_way) {
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

    fn is_desks_to_lose(&self, alarm: &Alarm) -> bool {
        alarm.priority() == Priority::Life && self.policy.rules.empty_desk_climbs > 0
    }

    /// Nobody is at the console any more: a call for help that waits on its first rung has waited long enough after a minute.
    pub(super) fn desk_empty(&mut self) {
        let state = self.state;
        for alarm in &state.alarms {
            let Attention::Calling { rung: 1, round: 0, next } = alarm.attention else { continue };
            if !self.is_desks_to_lose(alarm) {
                continue;
            }
            let ladder = suppression::ladder(self.policy, self.state, alarm.kind, self.now);
            let above = ladder.rungs.iter().skip(1).any(|rung| reaches(rung, alarm, self.now.wall));
            // The rung was told as long before its end as it waits.
            let told = Tick(next.0.saturating_sub(ladder.rungs.first().map_or(0, |rung| rung.wait.0)));
            let at = self.now.tick.max(told + EMPTY);
            if !above || next <= at {
                continue;
            }
            self.because("empty_desk");
            if at <= self.now.tick {
                self.climb(alarm, 1, 0, Millis(0));
            } else {
                let attention = Attention::Calling { rung: 1, round: 0, next: at };
                self.alarm_change(alarm.kind, AlarmChange::Attention { attention, late_by: Millis(0) });
            }
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

    /// Takes back what is pending of the rungs.
    fn take_back(&mut self, alarm: &Alarm) {
        self.out.to_site.push(SiteInput::Withdraw { alarm: alarm.id.clone() });
        for telling in alarm.tellings.iter().filter(|t| t.is_under_way()) {
            let (channel, number) = (telling.channel.clone(), telling.number);
            self.alarm_change(alarm.kind, AlarmChange::Told { channel, number, told: Told::Withdrawn });
        }
    }

    /// The same, and tells everybody who knows of the alarm.
    pub(super) fn tell_all_who_know(&mut self, alarm: &Alarm, subject: impl Fn() -> Subject) {
        self.take_back(alarm);
        let mut number = alarm.notices;
        for telling in &alarm.tellings {
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
        // What was taken back may still arrive, but fails no more: it could have been in a digest that was being sent just then.
        let says_nothing =
            |t: &Telling| t.number != number || t.told == told || (t.told == Told::Withdrawn && told == Told::Failing);
        if alarm.telling(&channel).is_none_or(says_nothing) {
            return;
        }
        let change = AlarmChange::Told { channel, number, told };
        let mut alarm = alarm.clone();
        fold_alarm(&mut alarm, &change, self.now);
        self.alarm_change(kind, change);
        let Attention::Calling { rung, round, .. } = alarm.attention else { return };
        let ladder = suppression::ladder(self.policy, self.state, kind, self.now);
        let now = self.now.wall;
        let dead = rung.checked_sub(1).and_then(|i| ladder.rungs.get(i as usize));
        let dead = dead.is_some_and(|r| !is_being_told(r, rung, round, &alarm, now));
        if told == Told::Failing && dead && ladder.rungs.iter().skip(rung as usize).any(|r| reaches(r, &alarm, now)) {
            self.because("rung_unreachable");
            self.climb(&alarm, rung, round, Millis(0));
        }
    }
}

/// Who has taken other alarms of the home, and so is on the way there or in it.
pub fn takers<'s>(state: &'s State, alarm: &'s Alarm) -> impl Iterator<Item = &'s ResponderId> {
    let others = state.alarms.iter().filter(|other| other.id != alarm.id);
    others.filter_map(|other| match &other.attention {
        Attention::Taken { by, .. } => Some(by),
        _ => None,
    })
}

/// When an alarm has to be looked at. One that could be told to nobody is told as soon as there is somebody to tell; and of one that
/// has become hidden nobody is told any more.
pub fn deadline(policy: &HomePolicy, state: &State, alarm: &Alarm, now: Stamp) -> Option<Tick> {
    match alarm.attention {
        Attention::Calling { rung: 0, next, .. } if policy.waits_for_its_hour(alarm.kind) => Some(next),
        Attention::Calling { rung: 0, .. } => {
            let ladder = suppression::ladder(policy, state, alarm.kind, now);
            if !ladder.reaches_nobody(now.wall) {
                return Some(now.tick);
            }
            let change = ladder.changes(now.wall, now.wall + A_DAY).first().map(|at| now.tick + at.since(now.wall));
            alarm.deadline().into_iter().chain(change).min()
        }
        Attention::Calling { rung: 1.., .. } if suppression::hidden_by(state, alarm.kind, now).is_some() => {
            Some(now.tick)
        }
        _ => alarm.deadline(),
    }
}

/// A ladder repeats once a day at the latest.
const A_DAY: Millis = Millis::from_mins(24 * 60);

/// Whether a rung has, at a moment, a channel that does not fail this alarm right now.
fn reaches(rung: &ResolvedRung, alarm: &Alarm, at: Wall) -> bool {
    rung.channels(at).into_iter().any(|c| alarm.telling(c).is_none_or(|t| t.told != Told::Failing))
}

/// Whether some notice of a rung that was told arrives, or may yet: who is on duty may have changed since.
fn is_being_told(of: &ResolvedRung, rung: u32, round: u32, alarm: &Alarm, now: Wall) -> bool {
    let channels = of.channels(now);
    let of_it = |t: &&Telling| (t.rung, t.round) == (rung, round) || channels.contains(&&t.channel);
    alarm.tellings.iter().filter(of_it).any(|t| t.told != Told::Failing)
}

/// The next rung that reaches somebody now, from 1; past the last such, that one again and one round more. Where all channels fail, the
/// rungs are gone through all the same; 0 where there is nobody at all.
fn next_rung(ladder: &ResolvedLadder, alarm: &Alarm, rung: u32, round: u32, now: Wall) -> (u32, u32) {
    let live = |i: &usize| ladder.rungs.get(*i).is_some_and(|r| reaches(r, alarm, now));
    let named = |i: &usize| ladder.rungs.get(*i).is_some_and(|r| r.reaches_somebody(now));
    let above = rung as usize..ladder.rungs.len();
    let all = 0..ladder.rungs.len();
    let again = || all.clone().rev().find(live).map(|i| (i, round + 1));
    let found = above.clone().find(live).map(|i| (i, round)).or_else(again);
    let failing = || above.clone().find(named).map(|i| (i, round));
    let failing_again = || all.clone().rev().find(named).map(|i| (i, round + 1));
    found.or_else(failing).or_else(failing_again).map_or((0, round), |(i, round)| (i as u32 + 1, round))
}
