//! A kill -9 at the end of a flood, and how long until the gateway hears its homes again.

use crate::Options;
use crate::broker::Broker;
use crate::figures::{line, memory_mib, ms, title};
use crate::gateway::Gateway;
use crate::ingest::notice_of;
use crate::load::{Load, Publisher, homes, mark, messages};
use crate::receiver::Receiver;
use std::time::Instant;

pub fn run(options: &Options) {
    let load = Load::new(&messages(options.homes, options.messages));
    let broker = Broker::start();
    let receiver = Receiver::start();
    let mut gateway = Gateway::new(&broker.url(), &receiver, &homes(options.homes));
    title(&format!("Recovery: {} homes, kill -9 behind {} messages", options.homes, options.messages));
    restart(&mut gateway, "after the import");
    load.send(broker.port(), None, &|| true);
    let (topic, payload) = mark("killed");
    Publisher::connect(broker.port(), "mark").press(&topic, payload.as_bytes());
    notice_of(&receiver, "killed");
    gateway.kill();
    restart(&mut gateway, "after the kill");
    let (now, most) = memory_mib(gateway.pid());
    line("memory", format!("{now:.0} MiB, at most {most:.0}"), "≤ 120 MB");
}

fn restart(gateway: &mut Gateway, when: &str) {
    let begun = Instant::now();
    gateway.start();
    let told = gateway.recovered();
    let recovered = begun.elapsed();
    gateway.wait_until_ready();
    let folded =
        told.split("folded").nth(1).and_then(|t| t.split_whitespace().next()).unwrap_or("?").trim_matches(|c| c == '=');
    let figures =
        format!("{:.0} ms recovered ({folded} records folded), {:.0} ms ready", ms(recovered), ms(begun.elapsed()));
    line(when, figures, "");
}
