use super::*;
use crate::engine::alarm::Reason;
use crate::engine::kind::{AlarmKind, Kind};
use crate::engine::time::Wall;
use crate::engine::view::{AlarmView, HomeView};
use crate::keeper::board::Shown;

fn shown(number: u64) -> Shown {
    let alarm = AlarmView {
        id: format!("zhonglou-{number}").parse().unwrap(),
        revision: 1,
        kind: AlarmKind::Sos,
        priority: AlarmKind::Sos.priority(),
        raised_at: Wall(0),
        happened_at: Wall(0),
        age_unknown: false,
        late_by_s: 0,
        events: 1,
        last_event_at: Wall(0),
        reason: Reason::Said { kind: Kind::Sos, device: "b".into() },
        seen: None,
        over: None,
        safe: None,
        unanswered: 0,
        no_access: 0,
        last_taker: None,
    };
    let home = HomeView {
        id: "h1".parse().unwrap(),
        site: "zhonglou".parse().unwrap(),
        claimed: true,
        community: None,
        block: None,
    };
    Shown { alarm, home, rung: 1, next: None, arrival: None, hidden_by: None, open: true, outcome: None }
}

/// The numbers that a console gets that had `last`, or the event that makes it load anew.
fn begun(board: &Board, events: &Events, last: Option<&str>) -> Result<Vec<u64>, &'static str> {
    let (number, _news) = board.listen();
    match events.start(last, number) {
        Start::Missed(missed) => Ok(missed.iter().map(|news| news.number).collect()),
        Start::Anew(why) => Err(why),
    }
}

#[test]
fn a_console_gets_what_it_missed_or_loads_anew() {
    let board = Board::default();
    board.show(vec![shown(1), shown(2)]);
    let events = Events::new(&board, 1);
    board.show(vec![shown(3), shown(4)]);
    let id = |n: u64| events.id(n);
    assert_eq!(events.latest(), id(4));
    assert_eq!(begun(&board, &events, None), Err("hello"));
    assert_eq!(begun(&board, &events, Some(&id(4))), Ok(vec![]));
    assert_eq!(begun(&board, &events, Some(&id(3))), Ok(vec![4]));
    assert_eq!(begun(&board, &events, Some(&id(2))), Ok(vec![3, 4]));
    // From before this process listened, from a later one, from another process, from nowhere.
    for last in [id(1), id(5), format!("x{}", id(4)), "4".into(), "-4".into(), String::new()] {
        assert_eq!(begun(&board, &events, Some(&last)), Err("resync"), "{last:?}");
    }
}

#[test]
fn what_is_kept_is_bounded_and_a_gap_is_never_passed_over() {
    let board = Board::default();
    let events = Events::new(&board, 1);
    let show = |n: usize| (0..n).for_each(|i| board.show(vec![shown(i as u64)]));
    show(2 * KEPT);
    let (latest, _) = board.listen();
    assert_eq!(begun(&board, &events, Some(&events.id(latest - KEPT as u64))).unwrap().len(), KEPT);
    assert_eq!(begun(&board, &events, Some(&events.id(latest - KEPT as u64 - 1))), Err("resync"));
    // More than the board's own backlog while nobody looked: a gap lies before what is left.
    show(5_000);
    let (latest, _) = board.listen();
    assert_eq!(begun(&board, &events, Some(&events.id(latest - 10))).unwrap().len(), 10);
    assert_eq!(begun(&board, &events, Some(&events.id(latest - 4_990))), Err("resync"));
    assert_eq!(events.latest(), events.id(latest));
}
