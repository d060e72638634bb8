//! The broker's behaviour as small stories, and the real lanes against it under random breaks, restarts and deletions.

use super::*;
use crate::mqtt::{Action, Event, Fault, LaneFilters, Lanes, LinkState, Memory, Out};
use Lane::{Bulk, Life};
use proptest::prelude::*;

fn filters(names: &str) -> Vec<Filter> {
    names.split_whitespace().map(Filter::from).collect()
}

/// A broker with so large a window, and a connected lane that is subscribed to these filters and has read the answer.
fn subscribed(window: usize, names: &str) -> Broker {
    let mut broker = Broker::new(Rules { window, ..Rules::default() });
    broker.connect(Life);
    broker.subscribe(Life, &filters(names));
    assert!(matches!(broker.next(Life), Some(Packet::SubAck(_))));
    broker
}

/// Publishes at QoS 1; gives whether life is owed it.
fn publish(broker: &mut Broker, serial: u64, topic: &str) -> bool {
    broker.publish(serial, topic, Bytes::from_static(b"x"), 1, false).contains(&Life)
}

/// Everything that life has been written, as `serial@packet id`, with `r` for retained and `d` for a duplicate.
fn read(broker: &mut Broker) -> String {
    let word = |packet| match packet {
        Packet::SubAck(codes) => format!("suback{codes:?}"),
        Packet::UnsubAck => "unsuback".to_owned(),
        Packet::Publish(Sent { message, serial }) => {
            assert_eq!(message.qos, u8::from(message.pkid != 0));
            let mark = |yes, mark| if yes { mark } else { "" };
            format!("{serial}@{}{}{}", message.pkid, mark(message.retain, "r"), mark(message.dup, "d"))
        }
    };
    let words: Vec<String> = std::iter::from_fn(|| broker.next(Life)).map(word).collect();
    words.join(" ")
}

fn lost(broker: &mut Broker) -> Vec<u64> {
    broker.take_lost().into_iter().map(|(_, serial)| serial).collect()
}

#[test]
fn a_message_is_copied_once_into_each_session_that_asked_for_it() {
    let mut broker = subscribed(9, "a/+ a/# a/b");
    let both = |lanes: BTreeSet<Lane>| (lanes.contains(&Life), lanes.contains(&Bulk));
    assert_eq!(both(broker.publish(1, "a/b", Bytes::new(), 1, false)), (true, false));
    broker.connect(Bulk);
    broker.subscribe(Bulk, &filters("#"));
    assert_eq!(both(broker.publish(2, "a/b", Bytes::new(), 2, false)), (true, true));
    assert_eq!(both(broker.publish(3, "b", Bytes::new(), 1, false)), (false, true));
    assert_eq!(both(broker.publish(4, "a/b", Bytes::new(), 0, false)), (false, false), "QoS 0 is owed to nobody");
    assert_eq!(read(&mut broker), "1@1 2@2 4@0");
    broker.unsubscribe(Life, &"a/+".into());
    assert!(publish(&mut broker, 5, "a/b"), "other filters still match");
    ["a/#", "a/b"].into_iter().for_each(|filter| broker.unsubscribe(Life, &filter.into()));
    assert!(!publish(&mut broker, 6, "a/b"));
    assert_eq!(read(&mut broker), "unsuback 5@3 unsuback unsuback");
    assert_eq!(broker.waiting(Life), 3);
}

#[test]
fn the_window_holds_messages_back_but_neither_answers_nor_qos_0() {
    let mut broker = subscribed(2, "#");
    (1..=4).for_each(|serial| assert!(publish(&mut broker, serial, "a")));
    broker.unsubscribe(Life, &"none".into());
    broker.publish(5, "a", Bytes::new(), 0, false);
    assert_eq!(read(&mut broker), "1@1 2@2 unsuback 5@0");
    assert_eq!(broker.acknowledge(Life, 3), None, "not in flight yet");
    assert_eq!(broker.acknowledge(Life, 1), Some(1));
    assert_eq!(broker.acknowledge(Life, 1), None);
    broker.unsubscribe(Life, &"none".into());
    assert_eq!(read(&mut broker), "3@3 unsuback", "what the window let go was written before the answer");
    assert_eq!(broker.waiting(Life), 3);
    assert_eq!(broker.acknowledge(Life, 3), Some(3), "out of order is taken");
    assert_eq!(read(&mut broker), "4@4");
}

#[test]
fn after_a_break_the_window_comes_again_as_it_was_and_then_the_queue() {
    let mut broker = subscribed(2, "#");
    (1..=2).for_each(|serial| assert!(publish(&mut broker, serial, "a")));
    broker.publish(3, "a", Bytes::new(), 0, false);
    broker.hang_up(Life);
    assert_eq!(broker.acknowledge(Life, 1), None, "there is no connection to have it from");
    broker.subscribe(Life, &filters("b"));
    assert_eq!((broker.next(Life).is_none(), broker.waiting(Life)), (true, 2));
    assert!(publish(&mut broker, 4, "a"), "the session is still there");
    broker.publish(5, "a", Bytes::new(), 0, false);
    assert!(broker.connect(Life));
    assert_eq!(read(&mut broker), "1@1d 2@2d", "QoS 0 is gone");
    assert!(broker.connect(Life), "a takeover");
    assert_eq!(read(&mut broker), "1@1d 2@2d");
    assert_eq!(broker.acknowledge(Life, 1), Some(1));
    assert_eq!(read(&mut broker), "4@3");
    assert_eq!(broker.acknowledge(Life, 2), Some(2));
    broker.hang_up(Life);
    assert!(publish(&mut broker, 6, "a"));
    assert!(broker.connect(Life));
    assert_eq!(read(&mut broker), "4@3d 6@4", "what waited for the connection goes out with it");
    assert_eq!(lost(&mut broker), [0; 0]);
}

#[test]
fn retained_messages_come_marked_at_every_subscribe_behind_the_answer() {
    let mut broker = subscribed(9, "a");
    for (serial, topic, text) in [(1, "a", "old"), (2, "a", "new"), (3, "b", "x"), (4, "c", "x"), (5, "c", "")] {
        broker.publish(serial, topic, Bytes::from(text), 1, true);
    }
    assert_eq!(read(&mut broker), "1@1 2@2", "live, so not marked");
    broker.subscribe(Life, &filters("a #"));
    assert_eq!(read(&mut broker), "suback[1, 1] 2@3r 2@4r 3@5r", "for each filter; the empty one cleared c");
    broker.publish(6, "b", Bytes::from_static(b"x"), 0, true);
    assert_eq!(read(&mut broker), "6@0");
    broker.hang_up(Life);
    broker.restart(Keeps::Everything);
    broker.connect(Life);
    read(&mut broker);
    broker.subscribe(Life, &filters("b"));
    assert_eq!(read(&mut broker), "suback[1] 6@0r");
    broker.forget(Life);
    assert_eq!(lost(&mut broker), [1, 2], "retained copies are not owed");
}

#[test]
fn refused_filters_are_answered_and_not_held() {
    let mut broker = subscribed(9, "held");
    broker.rules.refused = filters("b held").into_iter().collect();
    broker.publish(1, "b", Bytes::from_static(b"x"), 1, true);
    broker.subscribe(Life, &filters("a b held"));
    assert_eq!(read(&mut broker), "suback[1, 128, 128]");
    let owed = ["a", "b", "held"].map(|topic| publish(&mut broker, 2, topic));
    assert_eq!(owed, [true, false, true], "a subscription from before the refusal stays");
}

#[test]
fn packet_ids_go_around_and_pass_over_those_in_flight() {
    let mut broker = subscribed(2, "#");
    assert!(publish(&mut broker, 0, "a"));
    for serial in 1..=65_536u64 {
        publish(&mut broker, serial, "a");
        // The first message is never acknowledged and keeps id 1.
        let pkid = u16::try_from(2 + (serial - 1) % 65_534).unwrap();
        assert_eq!(broker.acknowledge(Life, pkid), Some(serial));
    }
    assert_eq!(broker.acknowledge(Life, 1), Some(0));
}

#[test]
fn a_full_queue_drops_the_newest_and_says_so() {
    let mut broker = subscribed(2, "#");
    broker.rules.queue = Some(1);
    (1..=4).for_each(|serial| assert!(publish(&mut broker, serial, "a")));
    assert_eq!((broker.waiting(Life), lost(&mut broker)), (3, vec![4]));
    broker.hang_up(Life);
    publish(&mut broker, 5, "a");
    assert_eq!(lost(&mut broker), [5], "without a connection the window is no room");
    assert_eq!(lost(&mut broker), [0; 0], "each is told once");
}

/// Published 1 to 3, of which 1 was acknowledged; saved; then 2 acknowledged, 4 published.
fn half_saved() -> Broker {
    let mut broker = subscribed(9, "#");
    (1..=3).for_each(|serial| assert!(publish(&mut broker, serial, "a")));
    assert_eq!(broker.acknowledge(Life, 1), Some(1));
    broker.save();
    assert_eq!(broker.acknowledge(Life, 2), Some(2));
    assert!(publish(&mut broker, 4, "a"));
    broker
}

#[test]
fn a_restart_brings_back_what_was_kept_and_names_the_rest() {
    let table: [(_, _, _, &[u64]); 3] = [
        (Keeps::Everything, true, "3@3d 4@4d", &[]),
        (Keeps::LastSave, true, "2@2d 3@3d", &[4]),
        (Keeps::Nothing, false, "", &[3, 4]),
    ];
    for (keeps, present, sent, gone) in table {
        let mut broker = half_saved();
        broker.restart(keeps);
        assert!(broker.next(Life).is_none(), "{keeps:?}: nobody is connected");
        assert_eq!(broker.connect(Life), present, "{keeps:?}");
        assert_eq!(read(&mut broker), sent, "{keeps:?}");
        assert_eq!(lost(&mut broker), gone, "{keeps:?}");
        assert_eq!(publish(&mut broker, 5, "a"), present, "{keeps:?}: subscriptions go with their session");
    }
    let mut broker = half_saved();
    broker.restart(Keeps::Nothing);
    broker.restart(Keeps::LastSave);
    assert!(!broker.connect(Life), "nothing was kept of the save either");
    let mut broker = half_saved();
    broker.forget(Life);
    assert_eq!((lost(&mut broker), broker.connect(Life)), (vec![3, 4], false));
}

const LANES: [Lane; 2] = [Life, Bulk];
const TOPICS: [&str; 3] = ["a", "b", "c"];

#[derive(Debug, Clone)]
enum Step {
    Publish { topic: usize, times: u8, qos: u8, retain: bool },
    Read { lane: usize, packets: u8 },
    Tick(u8),
    HangUp(usize),
    Save,
    Restart(Keeps),
    Forget(usize),
    GatewayDies,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let keeps = prop_oneof![4 => Just(Keeps::Everything), 4 => Just(Keeps::LastSave), 1 => Just(Keeps::Nothing)];
    let publish = (0..3usize, 1..16u8, prop_oneof![3 => Just(1u8), 1 => Just(0u8)], prop::bool::weighted(0.1));
    let step = prop_oneof![
        30 => publish.prop_map(|(topic, times, qos, retain)| Step::Publish { topic, times, qos, retain }),
        40 => (0..2usize, 1..12u8).prop_map(|(lane, packets)| Step::Read { lane, packets }),
        30 => (1..8u8).prop_map(Step::Tick),
        5 => (0..2usize).prop_map(Step::HangUp),
        5 => Just(Step::Save),
        4 => keeps.prop_map(Step::Restart),
        1 => (0..2usize).prop_map(Step::Forget),
        1 => Just(Step::GatewayDies),
    ];
    prop::collection::vec(step, 1..120)
}

/// A broker and a gateway whose journal takes no time, and what was promised between them.
struct Rig {
    broker: Broker,
    lanes: Lanes,
    connected: BTreeSet<Lane>,
    /// The gateway's clock began here.
    began: u64,
    now: u64,
    disk: Memory,
    serials: u64,
    owed: BTreeSet<(Lane, u64)>,
    heard: BTreeSet<(Lane, u64)>,
    newest: BTreeMap<Lane, u64>,
    acknowledged: BTreeSet<(Lane, u64)>,
    /// The same as it was at the broker's last save.
    acknowledged_then: BTreeSet<(Lane, u64)>,
    lost: BTreeSet<(Lane, u64)>,
}

fn wanted() -> LaneFilters {
    LaneFilters { life: vec!["a".into(), "b".into()], bulk: vec!["#".into()] }
}

impl Rig {
    fn new(window: usize) -> Rig {
        Rig {
            broker: Broker::new(Rules { window, ..Rules::default() }),
            lanes: Lanes::new(Memory::default(), wanted()),
            connected: BTreeSet::new(),
            began: 0,
            now: 0,
            disk: Memory::default(),
            serials: 0,
            owed: BTreeSet::new(),
            heard: BTreeSet::new(),
            newest: BTreeMap::new(),
            acknowledged: BTreeSet::new(),
            acknowledged_then: BTreeSet::new(),
            lost: BTreeSet::new(),
        }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Publish { topic, times, qos, retain } => {
                (0..times).for_each(|_| self.publish(TOPICS[topic], qos, retain))
            }
            Step::Read { lane, packets } => (0..packets).for_each(|_| self.read(LANES[lane])),
            Step::Tick(times) => (0..times).for_each(|_| self.tick()),
            Step::HangUp(lane) => self.breaks(LANES[lane], Fault::Closed),
            Step::Save => {
                self.broker.save();
                self.acknowledged_then = self.acknowledged.clone();
            }
            Step::Restart(keeps) => {
                match keeps {
                    Keeps::LastSave => self.acknowledged = self.acknowledged_then.clone(),
                    Keeps::Everything | Keeps::Nothing => self.acknowledged_then = self.acknowledged.clone(),
                }
                self.broker.restart(keeps);
                LANES.into_iter().for_each(|lane| self.breaks(lane, Fault::Closed));
            }
            Step::Forget(lane) => {
                self.broker.forget(LANES[lane]);
                self.breaks(LANES[lane], Fault::Closed);
            }
            Step::GatewayDies => {
                LANES.into_iter().for_each(|lane| self.broker.hang_up(lane));
                self.connected.clear();
                (self.lanes, self.began) = (Lanes::new(self.disk.clone(), wanted()), self.now);
            }
        }
        let lost = self.broker.take_lost();
        assert!(lost.is_disjoint(&self.acknowledged), "acknowledged, and called lost");
        self.lost.extend(lost);
    }

    fn publish(&mut self, topic: &str, qos: u8, retain: bool) {
        self.serials += 1;
        let payload = Bytes::copy_from_slice(&self.serials.to_be_bytes());
        let owed = self.broker.publish(self.serials, topic, payload, qos, retain);
        let status = self.lanes.status();
        for (lane, link, asked) in [(Life, status.life.link, topic != "c"), (Bulk, status.bulk.link, true)] {
            // The lanes say when their session exists with all its filters.
            assert!(link != LinkState::Ready || owed.contains(&lane) == (asked && qos == 1), "{lane:?} {topic}");
            assert!(asked || !owed.contains(&lane), "{lane:?} never asked for {topic}");
        }
        self.owed.extend(owed.into_iter().map(|lane| (lane, self.serials)));
    }

    fn breaks(&mut self, lane: Lane, fault: Fault) {
        if self.connected.remove(&lane) {
            self.broker.hang_up(lane);
            self.event(lane, Event::Broken { fault, jitter: 0 });
        }
    }

    fn read(&mut self, lane: Lane) {
        let event = match self.broker.next(lane) {
            None => return,
            Some(Packet::SubAck(codes)) => Event::SubAck { codes },
            Some(Packet::UnsubAck) => Event::UnsubAck,
            Some(Packet::Publish(sent)) => {
                self.hears(lane, &sent);
                Event::Message(sent.message)
            }
        };
        self.event(lane, event);
    }

    fn hears(&mut self, lane: Lane, sent: &Sent) {
        let Sent { message, serial, .. } = sent;
        assert_eq!(message.payload, serial.to_be_bytes().as_slice());
        if message.retain || message.qos == 0 {
            return;
        }
        assert!(!self.acknowledged.contains(&(lane, *serial)), "{lane:?} acknowledged {serial} before");
        // What went with a deleted session may return with an older save, behind what is newer.
        if self.heard.insert((lane, *serial)) && !self.lost.contains(&(lane, *serial)) {
            let before = self.newest.insert(lane, *serial);
            assert!(before < Some(*serial), "{lane:?} first heard {serial} after {before:?}");
        }
    }

    fn event(&mut self, lane: Lane, event: Event) {
        let mut out = Out::new();
        self.lanes.event(lane, event, &mut out);
        self.act(out);
    }

    fn tick(&mut self) {
        self.now += 100;
        let mut out = Out::new();
        self.lanes.tick(self.now - self.began, &mut out);
        self.act(out);
    }

    fn act(&mut self, out: Out) {
        for (lane, action) in out {
            match action {
                Action::Remember(memory) => self.disk = memory,
                Action::Connect { .. } => {
                    let session_present = self.broker.connect(lane);
                    self.connected.insert(lane);
                    self.event(lane, Event::Accepted { session_present });
                }
                Action::Subscribe(filters) => self.broker.subscribe(lane, &filters),
                Action::Unsubscribe(filter) => self.broker.unsubscribe(lane, &filter),
                Action::Deliver(delivery) => {
                    let mut acks = Out::new();
                    self.lanes.durable(&delivery.token.into_iter().collect::<Vec<_>>(), &mut acks);
                    self.act(acks);
                }
                Action::Ack(pkid) => {
                    let serial = self.broker.acknowledge(lane, pkid);
                    self.acknowledged.insert((lane, serial.expect("an id that the broker gave")));
                }
                Action::Abandon(fault) => self.breaks(lane, fault),
                _ => {}
            }
        }
    }

    /// Everything connects and drains.
    fn calm(&mut self) {
        for _ in 0..100 {
            self.tick();
            LANES.into_iter().for_each(|lane| (0..100).for_each(|_| self.read(lane)));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Whatever breaks: what a lane is owed it hears, in order, and once it is acknowledged no more; or the broker says that it lost it.
    #[test]
    fn every_message_owed_is_delivered_or_named_as_lost(steps in steps(), window in 10..=WINDOW) {
        let mut rig = Rig::new(window);
        steps.into_iter().for_each(|step| rig.step(step));
        rig.calm();
        let silent: Vec<_> = rig.owed.iter().filter(|owed| !rig.heard.contains(owed) && !rig.lost.contains(owed)).collect();
        prop_assert_eq!(silent, Vec::<&(Lane, u64)>::new());
        prop_assert!(rig.lost.is_subset(&rig.owed));
        prop_assert_eq!(LANES.map(|lane| rig.broker.waiting(lane)), [0, 0], "all is drained");
        let status = rig.lanes.status();
        prop_assert_eq!([status.life.link, status.bulk.link], [LinkState::Ready; 2]);
    }
}
