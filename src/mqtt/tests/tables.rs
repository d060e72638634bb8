use crate::keeper::ports::{Lane, Token};
use crate::mqtt::breaks::{BACKOFF_MAX_MS, BACKOFF_MIN_MS};
use crate::mqtt::event::{Action, Event, Message, Out};
use crate::mqtt::fault::{Fault, Report};
use crate::mqtt::lanes::{Lanes, Memory};
use crate::mqtt::{LaneFilters, LinkState};
use proptest::prelude::*;

/// The lanes under test, their time, and what they had to say in words.
struct Rig {
    lanes: Lanes,
    now: u64,
    tokens: Vec<Token>,
    memory: Memory,
}

fn filters(life: &str, bulk: &str) -> LaneFilters {
    let list = |text: &str| text.split_whitespace().map(str::to_owned).collect();
    LaneFilters { life: list(life), bulk: list(bulk) }
}

fn report_word(report: &Report) -> String {
    match report {
        Report::Ready { filters, session_present } => {
            format!("{filters} subscribed, session present {session_present}")
        }
        Report::Broken(fault) => fault.name().to_owned(),
        Report::SessionLost => "session lost".to_owned(),
        Report::Refused { filters, first } => format!("{filters} refused, first {first}"),
        Report::Flapping { breaks } => format!("flapping {breaks}"),
    }
}

impl Rig {
    fn new(life: &str) -> Rig {
        Rig::after(Memory::default(), life)
    }

    /// A gateway that starts with what an earlier one left.
    fn after(memory: Memory, life: &str) -> Rig {
        Rig { lanes: Lanes::new(memory.clone(), filters(life, "#")), now: 0, tokens: Vec::new(), memory }
    }

    fn words(&mut self, out: Out) -> Vec<String> {
        let word = |(lane, action): (Lane, Action)| {
            let lane = lane.name();
            match action {
                Action::Remember(memory) => {
                    let life = memory
                        .life
                        .iter()
                        .map(|(filter, proven)| format!(" {filter}{}", if *proven { "!" } else { "" }));
                    let text = format!("remember{}", life.collect::<String>());
                    self.memory = memory;
                    text
                }
                Action::Connect { .. } => format!("{lane} connect"),
                Action::Subscribe(filters) => format!("{lane} subscribe {}", filters.join(" ")),
                Action::Unsubscribe(filter) => format!("{lane} unsubscribe {filter}"),
                Action::Deliver(delivery) => {
                    self.tokens.extend(delivery.token);
                    format!("{lane} {} {}", delivery.topic, if delivery.copy { "copy" } else { "counts" })
                }
                Action::Ack(pkid) => format!("{lane} ack {pkid}"),
                Action::Disconnect => format!("{lane} disconnect"),
                Action::Abandon(fault) => format!("{lane} abandon {}", fault.name()),
                Action::Link(link) => format!("{lane} {link:?}"),
                Action::Report(report) => format!("{lane} reports {}", report_word(&report)),
                Action::Finished => format!("{lane} finished"),
            }
        };
        out.into_iter().map(word).collect()
    }

    fn on(&mut self, lane: Lane, event: Event) -> Vec<String> {
        let mut out = Out::new();
        self.lanes.event(lane, event, &mut out);
        self.words(out)
    }

    /// Ticks every 100 ms for a time.
    fn wait(&mut self, ms: u64) -> Vec<String> {
        let mut out = Out::new();
        for _ in 0..ms.div_ceil(100) {
            self.now += 100;
            self.lanes.tick(self.now, &mut out);
        }
        self.words(out)
    }

    fn accept(&mut self, lane: Lane, session_present: bool) -> Vec<String> {
        self.on(lane, Event::Accepted { session_present })
    }

    fn grant(&mut self, lane: Lane, codes: &[u8]) -> Vec<String> {
        self.on(lane, Event::SubAck { codes: codes.to_vec() })
    }

    fn message(&mut self, lane: Lane, pkid: u16, topic: &str) -> Vec<String> {
        let qos = u8::from(pkid != 0);
        self.on(
            lane,
            Event::Message(Message {
                pkid,
                qos,
                topic: topic.to_owned(),
                payload: Default::default(),
                retain: false,
                dup: false,
            }),
        )
    }

    fn breaks(&mut self, lane: Lane, fault: Fault) -> Vec<String> {
        self.on(lane, Event::Broken { fault, jitter: 0 })
    }

    /// Everything delivered so far is in the journal.
    fn commit(&mut self) -> Vec<String> {
        let tokens = std::mem::take(&mut self.tokens);
        self.durable(&tokens)
    }

    fn durable(&mut self, tokens: &[Token]) -> Vec<String> {
        let mut out = Out::new();
        self.lanes.durable(tokens, &mut out);
        self.words(out)
    }

    fn stop(&mut self) -> Vec<String> {
        let mut out = Out::new();
        self.lanes.stop(&mut out);
        self.words(out)
    }

    fn want(&mut self, life: &str) -> Vec<String> {
        self.lanes.want(filters(life, "#"));
        self.wait(100)
    }

    /// Both lanes connect, life with `life` filters; the sessions are there or new.
    fn up(&mut self, life: usize, life_present: bool, bulk_present: bool) {
        self.wait(500);
        self.accept(Lane::Life, life_present);
        if life > 0 {
            self.grant(Lane::Life, &vec![1; life]);
        }
        self.wait(500);
        self.accept(Lane::Bulk, bulk_present);
        self.grant(Lane::Bulk, &[1]);
        assert_eq!(self.lanes.status().bulk.link, LinkState::Ready);
    }

    /// Whether the next bulk message on `topic` is passed over. It becomes durable.
    fn passed_over(&mut self, topic: &str) -> bool {
        let words = self.message(Lane::Bulk, 900, topic);
        self.commit();
        words == [format!("bulk {topic} copy")]
    }

    /// Lets the fence go through: asked, answered, drained.
    fn fence(&mut self) {
        self.wait(300);
        self.on(Lane::Bulk, Event::UnsubAck);
        self.commit();
        self.wait(100);
    }
}

const LIFE: Lane = Lane::Life;
const BULK: Lane = Lane::Bulk;

#[test]
fn the_first_start_word_by_word() {
    let mut rig = Rig::new("a b");
    assert_eq!(rig.wait(100), ["remember a b", "life connect"], "on disk before the connection");
    assert_eq!(rig.accept(LIFE, false), ["life subscribe a b"]);
    assert_eq!(rig.wait(100), [""; 0], "bulk waits for life");
    assert_eq!(rig.grant(LIFE, &[1, 1]), ["life reports 2 subscribed, session present false", "life Ready"]);
    assert_eq!(rig.wait(100), ["bulk connect"]);
    assert_eq!(rig.accept(BULK, false), ["bulk subscribe #"]);
    assert_eq!(rig.grant(BULK, &[1]), ["bulk reports 1 subscribed, session present false", "bulk Ready"]);
    assert_eq!(rig.message(LIFE, 1, "a"), ["life a counts"]);
    assert_eq!(rig.message(BULK, 1, "a"), ["bulk a copy"], "the new bulk session holds nothing from before");
    assert_eq!(rig.message(BULK, 2, "t"), ["bulk t counts"]);
    assert_eq!(rig.commit(), ["life ack 1", "bulk ack 1", "bulk ack 2"]);
    assert_eq!(rig.wait(29_000), [""; 0]);
    assert_eq!(rig.wait(2_000), ["remember a! b!"], "remembered as proven once the broker has surely saved it");
}

#[test]
fn acknowledgements_go_in_order_and_void_tokens_do_nothing() {
    let mut rig = Rig::new("a");
    rig.up(1, false, false);
    for pkid in [5, 3, 9] {
        rig.message(LIFE, pkid, "a");
    }
    rig.message(LIFE, 0, "a");
    let tokens = std::mem::take(&mut rig.tokens);
    assert_eq!(rig.durable(&tokens[1..2]), [""; 0], "the one before it is not durable");
    assert_eq!(rig.durable(&tokens[..1]), ["life ack 5", "life ack 3"]);
    assert_eq!(rig.durable(&tokens[..2]), [""; 0], "once is enough");
    rig.breaks(LIFE, Fault::Closed);
    rig.up_again();
    rig.message(LIFE, 9, "a");
    assert_eq!(rig.durable(&tokens), [""; 0], "tokens of an earlier connection");
    assert_eq!(rig.commit(), ["life ack 9"]);
}

impl Rig {
    /// Life comes back to the session it had.
    fn up_again(&mut self) {
        self.wait(BACKOFF_MAX_MS);
        self.accept(LIFE, true);
        let filters = self.lanes.status().proven + self.lanes.status().unproven;
        self.grant(LIFE, &vec![1; filters]);
        assert_eq!(self.lanes.status().life.link, LinkState::Ready);
    }
}

#[test]
fn what_mqtt_forbids_ends_the_connection() {
    let protocol = ["life abandon protocol"];
    let mut rig = Rig::new("a");
    rig.up(1, false, false);
    let message = |qos, pkid| {
        Event::Message(Message { pkid, qos, topic: "a".into(), payload: Default::default(), retain: false, dup: false })
    };
    assert_eq!(rig.on(LIFE, message(2, 7)), protocol);
    assert_eq!(rig.on(LIFE, message(1, 0)), [""; 0], "given up once");
    for unasked in [Event::SubAck { codes: vec![1] }, Event::UnsubAck, message(1, 0), message(0, 1)] {
        let mut rig = Rig::new("a");
        rig.up(1, false, false);
        assert_eq!(rig.on(LIFE, unasked), protocol);
    }
    let mut rig = Rig::new("a b");
    rig.wait(100);
    rig.accept(LIFE, false);
    assert_eq!(rig.grant(LIFE, &[1]), protocol, "one code for two filters");
}

#[test]
fn an_unanswered_subscribe_ends_the_connection() {
    let mut rig = Rig::new("a");
    rig.wait(100);
    rig.accept(LIFE, false);
    assert_eq!(rig.wait(9_900), [""; 0]);
    rig.message(LIFE, 1, "a");
    assert_eq!(rig.wait(9_900), [""; 0], "the answer may wait behind messages");
    assert_eq!(rig.wait(200), ["life abandon unanswered"]);
    assert_eq!(rig.lanes.status().life.link, LinkState::Down);
}

#[test]
fn a_refused_filter_is_named_and_asked_for_again() {
    let mut rig = Rig::new("a b bad#filter");
    rig.wait(100);
    assert_eq!(rig.accept(LIFE, false), ["life subscribe a b"]);
    assert_eq!(
        rig.grant(LIFE, &[1, 0x80]),
        ["life reports 1 subscribed, session present false", "life Partial", "life reports 2 refused, first b"]
    );
    assert_eq!(rig.lanes.status().life.refused.iter().map(|f| f.to_string()).collect::<Vec<_>>(), ["b", "bad#filter"]);
    assert_eq!(rig.wait(29_900), ["bulk connect"], "the other filters are heard meanwhile");
    assert_eq!(rig.wait(200), ["life subscribe b"]);
    assert_eq!(rig.grant(LIFE, &[0]), [""; 0], "granted at QoS 0 only: nothing would be kept for us");
    assert_eq!(rig.wait(30_000), ["life subscribe b"]);
    assert_eq!(rig.grant(LIFE, &[1]), [""; 0], "the malformed one stays refused");
    assert_eq!(rig.want("a b"), ["remember a b", "life Ready"]);
}

#[test]
fn filters_change_at_runtime() {
    let mut rig = Rig::new("a b");
    rig.up(2, false, false);
    rig.wait(31_000);
    assert_eq!(
        rig.want("b c"),
        ["remember a b! c", "life subscribe c"],
        "a proof ends on disk before the filter ends at the broker"
    );
    assert_eq!(rig.grant(LIFE, &[1]), ["life unsubscribe a"]);
    assert!(!rig.passed_over("a"));
    assert!(rig.passed_over("b"));
    assert!(!rig.passed_over("c"), "what waits in bulk may be older than the filter");
    assert_eq!(rig.on(LIFE, Event::UnsubAck), [""; 0]);
    assert_eq!(rig.wait(100), ["remember b! c", "bulk unsubscribe hearthwatch/fence"]);
    rig.on(BULK, Event::UnsubAck);
    rig.wait(100);
    assert!(rig.passed_over("c"));
}

#[test]
fn many_filters_go_in_packets_of_a_hundred() {
    let all: Vec<String> = (0..250).map(|n| format!("d{n:03}")).collect();
    let mut rig = Rig::new(&all.join(" "));
    rig.wait(100);
    let mut packet = rig.accept(LIFE, false);
    for (codes, last) in [(100, "d199"), (100, "d249")] {
        packet = rig.grant(LIFE, &vec![1; codes]);
        assert!(packet[0].ends_with(last), "{packet:?}");
    }
    assert_eq!(packet.len(), 1);
    assert_eq!(rig.grant(LIFE, &[1; 50])[1], "life Ready");
}

#[test]
fn filters_of_an_earlier_run_are_taken_back() {
    let memory =
        Memory { life: [("a".into(), true), ("old".into(), true)].into(), bulk: ["#".into(), "was/#".into()].into() };
    let mut rig = Rig::after(memory, "a");
    assert_eq!(rig.wait(100), ["remember a old", "life connect"], "nothing is proven while life connects");
    rig.accept(LIFE, true);
    assert_eq!(rig.grant(LIFE, &[1]), ["life unsubscribe old"]);
    assert_eq!(rig.on(LIFE, Event::UnsubAck), ["life reports 1 subscribed, session present true", "life Ready"]);
    assert_eq!(rig.wait(100), ["remember a!", "bulk connect"]);
    rig.accept(BULK, true);
    assert_eq!(rig.grant(BULK, &[1]), ["bulk unsubscribe was/#"]);
    assert!(rig.passed_over("a"));
    assert!(!rig.passed_over("old"));
}

/// When a bulk message on a life topic is passed over. Each line: what happened before, and whether.
#[test]
fn copies() {
    type Story = fn() -> Rig;
    let proven: Memory = Memory { life: [("a".into(), true)].into(), bulk: ["#".into()].into() };
    static PROVEN: std::sync::OnceLock<Memory> = std::sync::OnceLock::new();
    PROVEN.get_or_init(|| proven);
    fn restarted(life_present: bool) -> Rig {
        let mut rig = Rig::after(PROVEN.get().expect("set").clone(), "a");
        rig.up(1, life_present, true);
        rig
    }
    fn filter_added(in_flight: u16) -> Rig {
        let mut rig = restarted(true);
        rig.want("a n");
        rig.grant(LIFE, &[1]);
        rig.wait(300);
        for pkid in 1..=in_flight {
            rig.message(BULK, pkid, "t");
        }
        rig.on(BULK, Event::UnsubAck);
        rig
    }
    let table: [(&str, &str, bool, Story); 12] = [
        ("first start, both sessions new", "a", true, || {
            let mut rig = Rig::new("a");
            rig.up(1, false, false);
            rig
        }),
        ("first start, but bulk holds a backlog", "a", false, || {
            let mut rig = Rig::new("a");
            rig.up(1, false, true);
            rig
        }),
        ("the same, drained", "a", true, || {
            let mut rig = Rig::new("a");
            rig.up(1, false, true);
            rig.fence();
            rig
        }),
        ("restart, sessions kept", "a", true, || restarted(true)),
        ("restart, life session lost", "a", false, || restarted(false)),
        ("restart, life session lost, bulk drained", "a", true, || {
            let mut rig = restarted(false);
            rig.fence();
            rig
        }),
        ("life is down just now", "a", false, || {
            let mut rig = restarted(true);
            rig.breaks(LIFE, Fault::Closed);
            rig
        }),
        ("life came back to its session", "a", true, || {
            let mut rig = restarted(true);
            rig.breaks(LIFE, Fault::Closed);
            rig.up_again();
            rig
        }),
        ("filter added, a full window was unacknowledged", "n", false, || {
            let mut rig = filter_added(10);
            rig.commit();
            rig.wait(100);
            rig
        }),
        ("filter added, the queue was empty, its rest not durable", "n", false, || {
            let mut rig = filter_added(9);
            rig.wait(100);
            rig.tokens.clear();
            rig
        }),
        ("filter added, the queue was empty, its rest durable", "n", true, || {
            let mut rig = filter_added(9);
            rig.commit();
            rig.wait(100);
            rig
        }),
        ("filter added, bulk broke before its rest was durable", "n", false, || {
            let mut rig = filter_added(9);
            rig.breaks(BULK, Fault::Closed);
            rig.wait(BACKOFF_MAX_MS);
            rig.accept(BULK, true);
            rig.grant(BULK, &[1]);
            rig
        }),
    ];
    for (story, topic, expected, tell) in table {
        assert_eq!(tell().passed_over(topic), expected, "{story}");
    }
}

#[test]
fn a_fence_that_began_before_a_grant_proves_nothing_of_it() {
    let mut rig = Rig::new("a");
    rig.up(1, false, true);
    rig.wait(300);
    rig.want("a n");
    rig.grant(LIFE, &[1]);
    rig.on(BULK, Event::UnsubAck);
    rig.wait(100);
    assert!(rig.passed_over("a"));
    assert!(!rig.passed_over("n"));
}

#[test]
fn what_the_brokers_last_save_may_lack_is_not_proven_after_a_break() {
    for (held_ms, expected) in [(5_000, false), (31_000, true)] {
        let mut rig = Rig::new("a");
        rig.up(1, false, false);
        rig.wait(held_ms);
        rig.breaks(LIFE, Fault::Closed);
        rig.up_again();
        assert_eq!(rig.passed_over("a"), expected, "held for {held_ms} ms");
    }
}

#[test]
fn a_crash_while_life_connects_finds_nothing_proven() {
    let memory = Memory { life: [("a".into(), true)].into(), bulk: ["#".into()].into() };
    let mut rig = Rig::after(memory, "a");
    rig.wait(100);
    // The broker had lost the session; CONNECT has made a new, empty one; and now we die.
    let mut next = Rig::after(rig.memory.clone(), "a");
    next.up(1, true, true);
    assert!(!next.passed_over("a"));
}

#[test]
fn life_connects_first_and_bulk_does_not_wait_for_ever() {
    let mut rig = Rig::new("a");
    rig.up(1, false, false);
    rig.wait(20_000);
    rig.breaks(BULK, Fault::Closed);
    rig.breaks(LIFE, Fault::Closed);
    assert_eq!(rig.wait(1_000), ["remember a", "life connect"][1..], "after a restart of the broker, life before bulk");
    rig.breaks(LIFE, Fault::NotAuthorized);
    assert_eq!(rig.wait(100), ["bulk connect"], "life cannot, so bulk goes on alone");
}

#[test]
fn a_broker_that_is_away_is_reported_once_a_minute() {
    let mut rig = Rig::new("a");
    let mut reports = Vec::new();
    for _ in 0..600 {
        let mut words = rig.wait(100);
        if words.iter().any(|word| word == "life connect") {
            words.extend(rig.breaks(LIFE, Fault::Unreachable("refused".into())));
        }
        reports.extend(words.into_iter().filter(|word| word.starts_with("life reports")));
    }
    assert_eq!(reports, ["life reports unreachable"]);
    rig.breaks(LIFE, Fault::NotAuthorized);
    assert_eq!(rig.lanes.status().life.fault, Some(Fault::NotAuthorized));
}

#[test]
fn a_second_client_with_our_id_is_reported() {
    let mut rig = Rig::new("a");
    let mut reports = Vec::new();
    for _ in 0..6 {
        rig.wait(BACKOFF_MAX_MS);
        rig.accept(LIFE, true);
        rig.grant(LIFE, &[1]);
        rig.wait(500);
        reports.extend(rig.breaks(LIFE, Fault::Closed).into_iter().filter(|word| word.contains("reports")));
    }
    assert_eq!(reports, ["life reports closed", "life reports flapping 3"]);
    assert!(rig.lanes.status().life.flapping);
    rig.up_again();
    rig.wait(11_000);
    assert!(!rig.lanes.status().life.flapping);
}

#[test]
fn stopping_acknowledges_what_is_durable_and_leaves() {
    let mut rig = Rig::new("a");
    rig.up(1, false, false);
    rig.message(LIFE, 1, "a");
    assert_eq!(rig.stop(), ["bulk disconnect"], "nothing waits on bulk");
    assert_eq!(rig.message(LIFE, 2, "a"), [""; 0], "taken no more; it comes again");
    assert_eq!(rig.commit(), ["life ack 1", "life disconnect"]);
    assert_eq!(rig.breaks(BULK, Fault::Stopped), ["bulk Down", "bulk finished"]);
    assert_eq!(rig.breaks(LIFE, Fault::Stopped), ["life Down", "life finished"]);
    assert_eq!(rig.wait(20_000), [""; 0]);
    assert!(rig.lanes.gone());

    let mut rig = Rig::new("a");
    rig.up(1, false, false);
    rig.message(LIFE, 1, "a");
    rig.stop();
    rig.breaks(BULK, Fault::Stopped);
    assert_eq!(rig.wait(5_100), ["life abandon stopped"], "what does not become durable in time comes again");

    let mut rig = Rig::new("a");
    assert_eq!(rig.stop(), ["life finished", "bulk finished"], "never connected");

    let mut rig = Rig::new("a");
    rig.wait(100);
    assert_eq!(rig.stop(), ["life abandon stopped", "bulk finished"], "while connecting");
}

#[test]
fn reading_pauses_when_too_much_waits() {
    let mut rig = Rig::new("a");
    rig.up(1, false, false);
    for _ in 0..20_001 {
        rig.message(BULK, 0, "t");
    }
    assert!(rig.lanes.crowded(BULK) && !rig.lanes.crowded(LIFE));
    assert_eq!(rig.commit(), [""; 0], "nothing is acknowledged at QoS 0");
    assert!(!rig.lanes.crowded(BULK));
    let payload = bytes::Bytes::from(vec![0; 1 << 20]);
    for pkid in 1..=16 {
        assert!(!rig.lanes.crowded(BULK), "{pkid}");
        rig.on(
            BULK,
            Event::Message(Message {
                pkid,
                qos: 1,
                topic: "t".into(),
                payload: payload.clone(),
                retain: false,
                dup: false,
            }),
        );
    }
    assert!(rig.lanes.crowded(BULK), "16 MiB wait");
}

proptest! {
    /// The wait before an attempt is within its bounds whatever the number of failures and the jitter, and does not shrink with failures.
    #[test]
    fn backoff_is_bounded(failures in 1..30u32, jitter: u32) {
        let mut rig = Rig::new("a");
        let mut last = 0;
        for _ in 0..failures {
            let mut waited = 0;
            while !rig.wait(100).iter().any(|word| word == "life connect") {
                waited += 100;
                prop_assert!(waited <= BACKOFF_MAX_MS + 100);
            }
            // The first attempt comes at once.
            prop_assert!(last == 0 || waited + 100 >= BACKOFF_MIN_MS);
            prop_assert!(waited + 100 >= last, "{waited} after {last}");
            last = waited;
            rig.on(LIFE, Event::Broken { fault: Fault::Timeout, jitter });
        }
    }
}
