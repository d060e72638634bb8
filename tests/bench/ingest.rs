//! Durable ingest: how fast the gateway takes messages in, each acknowledged only when it is in the journal, beside a bare subscriber.
//!
//! Both sides are seen from outside. The load stands between two *marks*, presses of a button that nobody registered: they go through
//! the bulk lane in line with all else, so the webhook of the second says that everything before it is on the disk.

use crate::bare::Bare;
use crate::broker::Broker;
use crate::figures::{cpu_ms, line, median, memory_mib, title};
use crate::gateway::{Gateway, PATIENCE};
use crate::load::{Load, Publisher, mark, messages};
use crate::receiver::Receiver;
use crate::{Options, load};
use std::time::Instant;

/// One run: messages a second, and microseconds of processor time for each, of the subscriber and of the broker.
#[derive(Clone, Copy)]
struct Run {
    rate: f64,
    cpu_us: f64,
    broker_us: f64,
}

struct Sides {
    load: Load,
    bare_broker: Broker,
    gateway_broker: Broker,
    receiver: Receiver,
    gateway: Gateway,
    marks: usize,
    rest_mib: f64,
    most_mib: f64,
}

pub fn run(options: &Options) {
    let messages = messages(options.homes, options.messages);
    let (bare_broker, gateway_broker) = (Broker::start(), Broker::start());
    let receiver = Receiver::start();
    let gateway = Gateway::new(&gateway_broker.url(), &receiver, &load::homes(options.homes));
    let mut sides = Sides {
        load: Load::new(&messages),
        bare_broker,
        gateway_broker,
        receiver,
        gateway,
        marks: 0,
        rest_mib: 0.0,
        most_mib: 0.0,
    };
    title(&format!("Ingest: {} messages of {} homes, {} pairs", options.messages, options.homes, options.pairs));
    let mut pairs = |run: &dyn Fn(&mut Sides) -> (Run, Run)| -> Vec<(Run, Run)> {
        let one = |_| {
            sides.begin_anew();
            run(&mut sides)
        };
        (0..options.pairs).map(one).collect()
    };
    let drains = pairs(&|s| (s.bare_drain(), s.gateway_drain()));
    report("drain of a queue", &drains);
    let floods = pairs(&|s| (s.bare_flood(), s.gateway_flood()));
    report("live flood", &floods);
    line("memory", format!("{:.0} MiB at rest, at most {:.0} in a flood", sides.rest_mib, sides.most_mib), "≤ 120 MB");
}

fn report(what: &str, pairs: &[(Run, Run)]) {
    let of = |value: &dyn Fn(&(Run, Run)) -> f64| median(&pairs.iter().map(value).collect::<Vec<_>>());
    let ratios: Vec<String> = pairs.iter().map(|(b, g)| format!("{:.2}", g.rate / b.rate)).collect();
    let figures = |side: &dyn Fn(&(Run, Run)) -> Run| {
        let (rate, own, broker) = (of(&|p| side(p).rate), of(&|p| side(p).cpu_us), of(&|p| side(p).broker_us));
        format!("{rate:.0}/s, {own:.1} µs CPU a message, the broker {broker:.1} µs")
    };
    line(&format!("{what}: bare subscriber"), figures(&|p| p.0), "");
    line(&format!("{what}: gateway"), figures(&|p| p.1), "≤ 15 µs CPU a message");
    let thousands: Vec<String> =
        pairs.iter().map(|(b, g)| format!("{:.0}:{:.0}", b.rate / 1e3, g.rate / 1e3)).collect();
    line("  pairs, in thousands a second", thousands.join(" "), "");
    line(&format!("{what}: ratio"), format!("{:.2}   ({})", of(&|p| p.1.rate / p.0.rate), ratios.join(" ")), "≥ 0.8");
}

impl Sides {
    /// New sessions. mosquitto 2.0.11 miscounts the queue of a session that is drained: after some 1,000,000 messages in all it drops
    /// what comes, however few wait.
    fn begin_anew(&mut self) {
        // A connection with a clean session makes the broker forget the one of that name.
        Publisher::connect(self.bare_broker.port(), "bare");
        for lane in ["life", "bulk"] {
            Publisher::connect(self.gateway_broker.port(), &format!("hearthwatch-demo-{lane}"));
        }
        Bare::start(self.bare_broker.port()).wait_for("subscribed");
        self.gateway.start();
        self.gateway.wait_until_ready();
        self.gateway.stop();
    }

    fn next_marks(&mut self) -> [String; 2] {
        self.marks += 1;
        ["begin", "end"].map(|m| format!("{m}{:04}", self.marks))
    }

    /// Rate and cost between the two marks.
    fn measured(&self, pids: [u32; 2], wait: impl Fn(&str) -> Instant, marks: &[String; 2]) -> Run {
        let from = wait(&marks[0]);
        let before = pids.map(cpu_ms);
        let to = wait(&marks[1]);
        let count = self.load.count as f64;
        let spent = |side: usize| (cpu_ms(pids[side]) - before[side]) as f64 * 1e3 / count;
        Run { rate: count / (to - from).as_secs_f64(), cpu_us: spent(0), broker_us: spent(1) }
    }

    fn measured_bare(&self, bare: &Bare, marks: &[String; 2]) -> Run {
        let pids = [bare.pid(), self.bare_broker.pid().expect("it runs")];
        self.measured(pids, |mark| bare.wait_for(&format!("zigbee2mqtt/{mark}/button")), marks)
    }

    fn measured_gateway(&self, marks: &[String; 2]) -> Run {
        let pids = [self.gateway.pid(), self.gateway_broker.pid().expect("it runs")];
        self.measured(pids, |mark| notice_of(&self.receiver, mark), marks)
    }

    fn bare_drain(&mut self) -> Run {
        let marks = self.next_marks();
        publish(&self.load, self.bare_broker.port(), &marks);
        self.measured_bare(&Bare::start(self.bare_broker.port()), &marks)
    }

    fn gateway_drain(&mut self) -> Run {
        let marks = self.next_marks();
        publish(&self.load, self.gateway_broker.port(), &marks);
        self.gateway.start();
        let run = self.measured_gateway(&marks);
        self.gateway.stop();
        run
    }

    fn bare_flood(&mut self) -> Run {
        let bare = Bare::start(self.bare_broker.port());
        bare.wait_for("subscribed");
        let marks = self.next_marks();
        let (load, port) = (&self.load, self.bare_broker.port());
        std::thread::scope(|scope| {
            scope.spawn(|| publish(load, port, &marks));
            self.measured_bare(&bare, &marks)
        })
    }

    fn gateway_flood(&mut self) -> Run {
        self.gateway.start();
        self.gateway.wait_until_ready();
        self.rest_mib = memory_mib(self.gateway.pid()).0;
        let marks = self.next_marks();
        let (load, port) = (&self.load, self.gateway_broker.port());
        let run = std::thread::scope(|scope| {
            scope.spawn(|| publish(load, port, &marks));
            self.measured_gateway(&marks)
        });
        self.most_mib = self.most_mib.max(memory_mib(self.gateway.pid()).1);
        self.gateway.stop();
        run
    }
}

/// The load between two marks.
fn publish(load: &Load, port: u16, marks: &[String; 2]) {
    let mut publisher = Publisher::connect(port, "marks");
    let mut press = |name: &str| {
        let (topic, payload) = mark(name);
        publisher.press(&topic, payload.as_bytes());
    };
    press(&marks[0]);
    load.send(port, None, &|| true);
    press(&marks[1]);
}

/// When the first notice of a home came whose name holds `home`.
pub fn notice_of(receiver: &Receiver, home: &str) -> Instant {
    let deadline = Instant::now() + PATIENCE;
    let mut seen = 0;
    loop {
        let requests = receiver.wait_for(seen + 1, PATIENCE);
        let found = requests[seen..]
            .iter()
            .find(|r| r.json()["data"]["home"]["id"].as_str().is_some_and(|id| id.split('/').any(|part| part == home)));
        if let Some(request) = found {
            return request.at;
        }
        assert!(Instant::now() < deadline, "no notice of {home}");
        seen = requests.len();
    }
}
