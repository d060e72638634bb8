//! The machines alone, in one thread and without I/O: what a processor gives when nothing is waited for.

use crate::Options;
use crate::figures::{line, seconds, title};
use crate::gateway::Gateway;
use crate::load::{homes, messages};
use crate::receiver::Receiver;
use hearthwatch::engine::home::{self, Place};
use hearthwatch::engine::input::{Heard, HomeInput};
use hearthwatch::engine::reading::{Report, Speaker};
use hearthwatch::engine::time::{Millis, Stamp, Stamped, Tick, Wall};
use hearthwatch::fleet::Message;
use hearthwatch::keeper::core::{Core, heard};
use hearthwatch::keeper::ports::{Ears, Understood};
use hearthwatch::keeper::quarantine::Held;
use hearthwatch::keeper::views::raw;
use hearthwatch::service::{Listener, open_site, open_vault, sources_of};
use std::collections::HashMap;
use std::hint::black_box;

/// As many as a turn takes.
const TURN: usize = 512;

pub fn run(options: &Options) {
    let receiver = Receiver::start();
    // It is only imported into, never started.
    let gateway = Gateway::new("mqtt://127.0.0.1:1", &receiver, &homes(options.homes));
    let config = hearthwatch::config::check(&gateway.file("hearthwatch.toml")).expect("the configuration");
    let site = config.sites.values().next().expect("a site");
    let vault = open_vault(&config).expect("the keys");
    let mut core = open_site(&config, site, vault).expect("the data").core;
    let mut ears = Listener::new(sources_of(&config, &site.id), Vec::new()).ears();
    let messages = messages(options.homes, options.messages);

    title(&format!("Engine: {} messages, one thread", messages.len()));
    for message in &messages {
        // What is said of devices is learnt beforehand, as in operation.
        let _ = understood(&mut ears, message);
    }
    let (spent, reports) = seconds(|| messages.iter().map(|m| understood(&mut ears, m)).collect::<Vec<_>>());
    let readings: usize = reports.iter().flatten().map(|r| r.readings.len()).sum();
    let count = messages.len() as f64;
    line(
        "decode",
        format!("{:.2} µs a message, {:.1} readings each", spent / count * 1e6, readings as f64 / count),
        "",
    );

    let start = core.last().tick + Millis::from_secs(1);
    let heard = brought_home(&core, &messages, &reports);
    let spent = home_machine(&core, start, heard);
    line("home machine: step and apply", rate(readings, spent), "≥ 1,000,000 readings/s");

    let work: Vec<_> = messages.iter().zip(reports).collect();
    let (spent, bytes) = seconds(|| keeper_turns(&mut core, start, work));
    let per_message = spent / count * 1e6;
    line("keeper's turn without its disk", format!("{}, {per_message:.2} µs a message", rate(readings, spent)), "");
    line("  what it would have written", format!("{:.0} bytes a message", bytes as f64 / count), "");
}

fn rate(readings: usize, spent: f64) -> String {
    format!("{:.0} readings/s", readings as f64 / spent)
}

fn understood(ears: &mut impl Ears, message: &Message) -> Vec<Report> {
    match ears.understand(&message.topic, message.payload.as_bytes(), message.retain) {
        Understood::Readings(reports) => reports,
        _ => Vec::new(),
    }
}

/// The homes' inputs, with the time and the home's number.
fn brought_home(core: &Core, messages: &[Message], reports: &[Vec<Report>]) -> Vec<(u64, usize, HomeInput)> {
    let numbers: HashMap<&str, usize> = core.site.homes.iter().enumerate().map(|(n, h)| (h.id.as_str(), n)).collect();
    let first = messages[0].at;
    let mut all = Vec::new();
    for (message, report) in messages.iter().zip(reports).flat_map(|(m, rs)| rs.iter().map(move |r| (m, r))) {
        let Speaker::Device(address) = &report.speaker else { continue };
        let home = numbers[address.as_str().split('/').next().expect("a part")];
        let device = core.homes[home].state.find(&report.source, address).expect("a registered device");
        let heard = Heard { event: None, ..heard(report.clone(), device) };
        all.push((message.at.since(first).0, home, HomeInput::Heard(heard)));
    }
    all
}

/// Steps and folds; gives the seconds that it took.
fn home_machine(core: &Core, start: Tick, inputs: Vec<(u64, usize, HomeInput)>) -> f64 {
    let mut states: Vec<_> = core.homes.iter().map(|slot| slot.state.clone()).collect();
    let mut out = home::Out::default();
    let wall = core.last().wall;
    let (spent, ()) = seconds(|| {
        for (after, number, input) in inputs {
            let tick = start + Millis(after);
            let at = Stamp { tick, wall: wall + Millis(after), heard: tick };
            let place = Place { home: number as u32, next_alarm: 1, desk_empty: false };
            home::step(&core.homes[number].policy, &place, &states[number], Stamped::new(at, input), &mut out);
            for change in &out.changes {
                states[number].apply(change, at);
            }
            out.clear();
        }
    });
    black_box(states);
    spent
}

/// Turns as the keeper makes them; gives the bytes of the records.
fn keeper_turns(core: &mut Core, start: Tick, work: Vec<(&Message, Vec<Report>)>) -> usize {
    let first = work[0].0.at;
    let wall: Wall = core.last().wall;
    let (mut bytes, mut in_turn) = (0, 0);
    for (message, reports) in work {
        if in_turn == 0 {
            let after = message.at.since(first);
            core.begin(start + after, wall + after);
        }
        for report in reports {
            let held = || Held::new(message.at, &message.topic, &message.payload.clone().into());
            core.report(report, || raw(&message.topic, message.payload.as_bytes()), held);
        }
        in_turn = (in_turn + 1) % TURN;
        if in_turn == 0 {
            core.due(false);
            black_box(core.end());
            bytes += core.blocks.len();
            core.blocks.clear();
        }
    }
    bytes
}
