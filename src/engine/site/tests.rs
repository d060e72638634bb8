//! The outbox's rules, each by itself. Stories over time stand with the keeper's core.

use super::*;
use crate::engine::alarm::{Alarm, Reason};
use crate::engine::change::Subject;
use crate::engine::delivery::Failure;
use crate::engine::id::{AlarmId, ChannelId, SiteId};
use crate::engine::kind::AlarmKind;
use crate::engine::registry::{Channel, ChannelDialect, Entity};
use crate::engine::time::Wall;

fn now(second: u64) -> Stamp {
    let tick = Tick(second * 1000);
    Stamp { tick, wall: Wall(tick.0 as i64), heard: tick }
}

fn site(slots: u8) -> State {
    let mut state = State::default();
    let (id, site) = (ChannelId::new("c").unwrap(), SiteId::new("z").unwrap());
    let channel = Channel { slots, ..Channel::new(id, site, ChannelDialect::Standard, "", "") };
    state.apply(&SiteChange::Registered(Box::new(Entity::Channel(channel))), now(0));
    state
}

/// A step and its fold; then the notices that leave, by alarm and number.
fn turn(state: &mut State, at: Stamp, inputs: Vec<SiteInput>) -> (Out, Vec<(u64, u32)>) {
    let mut all = Out::default();
    for input in inputs {
        let mut out = Out::default();
        step(state, Stamped::new(at, input), &mut out);
        out.changes.iter().for_each(|change| state.apply(change, at));
        all.changes.append(&mut out.changes);
        all.to_homes.append(&mut out.to_homes);
    }
    let mut out = Out::default();
    sendable(state, at, &mut out);
    out.changes.iter().for_each(|change| state.apply(change, at));
    let left = out.changes.iter().filter_map(|change| match change {
        SiteChange::AttemptStarted { notice, .. } => Some((notice.alarm.number, notice.number)),
        _ => None,
    });
    let left = left.collect();
    (all, left)
}

fn id(alarm: u64, number: u32) -> NoticeId {
    NoticeId { alarm: AlarmId { site: SiteId::new("z").unwrap(), number: alarm }, number }
}

fn tell(alarm: u64, number: u32, kind: AlarmKind, at: Stamp) -> SiteInput {
    let channel = ChannelId::new("c").unwrap();
    let subject = Subject::Rung { rung: 1, round: 0 };
    SiteInput::Tell(Box::new(Notice { id: id(alarm, number), home: 0, channel, kind, subject, issued: at }))
}

fn ended(alarm: u64, attempt: u32, outcome: Outcome) -> SiteInput {
    SiteInput::Ended { notice: id(alarm, 1), attempt, outcome }
}

/// Many alarms that somebody has closed at once, for a robot: each notice of an end holds its whole alarm.
#[test]
fn a_digest_of_ends_has_room_in_a_record() {
    let mut state = site(8);
    state.next_alarm = 2_000;
    state.registry.channels.values_mut().for_each(|channel| channel.per_minute = Some(20));
    for number in 0..2_000 {
        let (id, kind, reason) = (id(number, 1), AlarmKind::Leak, Reason::Own { what: "x".repeat(400).into() });
        let alarm = Box::new(Alarm::new(id.alarm.clone(), kind, reason, now(0)));
        let (subject, channel) = (Subject::Closed { alarm, by: None, code: None }, ChannelId::new("c").unwrap());
        let notice = Notice { id, home: 0, channel, kind, subject, issued: now(0) };
        state.apply(&SiteChange::NoticeMade(Box::new(notice)), now(0));
    }
    let (mut told, mut out) = (0, Out::default());
    for _ in 0..100 {
        out.clear();
        step(&state, Stamped::new(now(62), SiteInput::Relieve), &mut out);
        let size: usize = out.changes.iter().map(|change| minicbor::to_vec(change).unwrap().len()).sum();
        assert!(size < 256 * 1024, "{size} bytes in one pass");
        for change in &out.changes {
            state.apply(change, now(62));
            let SiteChange::NoticeMade(digest) = change else { continue };
            told += digest.members().len();
            let (notice, outcome) = (digest.id.clone(), Outcome::Delivered);
            state.apply(&SiteChange::AttemptEnded { notice, attempt: 1, outcome, again: None }, now(0));
        }
    }
    let alone = state.outbox.len();
    assert_eq!(told + alone, 2_000, "none is lost");
    assert!(alone < 20, "{alone} have a place of their own");
}

#[test]
fn life_leaves_first_and_has_half_of_the_slots_to_itself() {
    let mut state = site(4);
    let mut all: Vec<SiteInput> = (1..=6).map(|n| tell(n, 1, AlarmKind::Leak, now(n))).collect();
    all.extend((7..=9).map(|n| tell(n, 1, AlarmKind::Sos, now(n))));
    assert_eq!(turn(&mut state, now(10), all).1, [(7, 1), (8, 1), (9, 1)]);
    let delivered = |n| vec![ended(n, 1, Outcome::Delivered)];
    assert_eq!(turn(&mut state, now(11), delivered(7)).1, []);
    assert_eq!(turn(&mut state, now(12), delivered(8)).1, [(1, 1)]);
    assert_eq!(turn(&mut state, now(13), delivered(9)).1, [(2, 1)]);
}

#[test]
fn a_channel_that_fails_is_asked_with_one_notice_at_a_time_but_for_life() {
    let mut state = site(4);
    let failed = Outcome::failed(Failure::Refused);
    turn(&mut state, now(0), (1..=4).map(|n| tell(n, 1, AlarmKind::Sos, now(0))).collect());
    turn(&mut state, now(0), (1..=4).map(|n| ended(n, 1, failed)).collect());
    let others = (5..=7).map(|n| tell(n, 1, AlarmKind::Leak, now(0))).collect();
    assert_eq!(turn(&mut state, now(0), others).1, [(5, 1)]);
    assert_eq!(turn(&mut state, now(1), vec![]).1, [(1, 1), (2, 1), (3, 1)]);
}

#[test]
fn an_outcome_that_fits_no_attempt_changes_nothing() {
    let mut state = site(4);
    turn(&mut state, now(0), vec![tell(1, 1, AlarmKind::Sos, now(0))]);
    for (alarm, attempt) in [(2, 1), (1, 0), (1, 2)] {
        let (out, left) = turn(&mut state, now(1), vec![ended(alarm, attempt, Outcome::Delivered)]);
        assert_eq!((out.changes, left), (vec![], vec![]));
    }
}

#[test]
fn what_a_failure_comes_to() {
    let asks = |secs| Outcome::Failed { failure: Failure::RateLimited, retry_after: Some(Millis::from_secs(secs)) };
    // outcome, attempt; seconds until the next, and whether the home is told that the channel fails
    let cases = [
        (Outcome::failed(Failure::Refused), 1, 1, false),
        (Outcome::failed(Failure::TimedOut), 2, 2, true),
        (Outcome::failed(Failure::ServerError(503)), 9, 15, true),
        (Outcome::failed(Failure::Gone), 1, 5, true),
        (Outcome::failed(Failure::Rejected(404)), 5, 60, true),
        (Outcome::failed(Failure::Busy(-1)), 1, 1, false),
        (Outcome::failed(Failure::KeyRefused), 1, 5, true),
        (Outcome::failed(Failure::Barred), 2, 15, true),
        (Outcome::failed(Failure::Declined(9499)), 1, 5, true),
        (Outcome::failed(Failure::TooLong), 1, 5, true),
        (asks(3), 1, 3, false),
        (asks(30), 1, 30, true),
        (asks(86_400), 1, 600, true),
    ];
    for (outcome, attempt, wait, told) in cases {
        let mut state = site(4);
        turn(&mut state, now(0), vec![tell(1, 1, AlarmKind::Sos, now(0))]);
        state.apply(&SiteChange::AttemptStarted { notice: id(1, 1), attempt }, now(0));
        let (out, _) = turn(&mut state, now(0), vec![ended(1, attempt, outcome)]);
        let again = state.outbox.next_wake(now(0).tick, |_| Some((8, None)));
        assert_eq!((again, out.to_homes.len()), (Some(now(wait).tick), usize::from(told)));
    }
}

#[test]
fn our_own_restarts_are_no_failures_of_a_channel() {
    let mut state = site(4);
    turn(&mut state, now(0), (1..=4).map(|n| tell(n, 1, AlarmKind::Sos, now(0))).collect());
    let (_, left) = turn(&mut state, now(1), vec![SiteInput::Started { epoch: 2 }]);
    assert_eq!(left, [(1, 1), (2, 1), (3, 1), (4, 1)]);
    assert!(state.outbox.health().values().all(|h| h.failures == 0));
}

#[test]
fn a_snapshot_of_the_outbox_goes_on_as_the_outbox_would() {
    let mut state = site(2);
    turn(&mut state, now(0), (1..=5).map(|n| tell(n, 1, AlarmKind::Sos, now(0))).collect());
    turn(&mut state, now(0), vec![ended(1, 1, Outcome::failed(Failure::Refused))]);
    let mut copy: State = minicbor::decode(&minicbor::to_vec(&state).unwrap()).unwrap();
    for second in 1..9 {
        let delivered = |state: &State| {
            let under_way = state.outbox.all().find(|p| p.sending);
            under_way.map(|p| ended(p.notice.id.alarm.number, p.attempts, Outcome::Delivered)).into_iter().collect()
        };
        let (of_copy, of_state) = (delivered(&copy), delivered(&state));
        assert_eq!(turn(&mut copy, now(second), of_copy).1, turn(&mut state, now(second), of_state).1);
    }
    assert!(state.outbox.is_empty() && copy.outbox.is_empty());
}

#[test]
fn the_hearing_clock_stands_while_the_site_is_deaf() {
    let mut state = site(1);
    let clock = |state: &State, second| hearing_clock(state, now(second).tick).0 / 1000;
    turn(&mut state, now(10), vec![SiteInput::Link { up: false }]);
    turn(&mut state, now(15), vec![SiteInput::Link { up: false }]);
    assert_eq!((clock(&state, 10), clock(&state, 40)), (10, 10));
    turn(&mut state, now(40), vec![SiteInput::Link { up: true }]);
    turn(&mut state, now(45), vec![SiteInput::Link { up: true }]);
    assert_eq!(clock(&state, 50), 20);
}
