//! The demo's homes: their registry, and their lives, published to the embedded broker.

use super::{Orders, SITE, simulated};
use crate::config::Config;
use crate::engine::id::SiteId;
use crate::engine::registry::{Entity, Registry};
use crate::engine::time::Wall;
use crate::fleet::inbox::{self, Phone};
use crate::fleet::{Fleet, FleetHome, Message};
use crate::journal::vault::Vault;
use crate::roster::File;
use crate::service::{Fatal, registry as service};
use rumqttc::mqttbytes::QoS;
use rumqttc::{AsyncClient, MqttOptions};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::interval;
use tracing::warn;

/// The homes, people, channels and ladders of the demo, the way any registry comes in: as a file.
pub fn registry(
    fleet: &Fleet,
    phones: &[Phone],
    stage: &str,
    config: &Config,
    vault: &Arc<Vault>,
) -> Result<BTreeMap<SiteId, Vec<Entity>>, Fatal> {
    // As in life: the last is called by voice.
    let channels: Vec<Value> = phones
        .iter()
        .zip(["webhook", "sms", "voice"])
        .map(|(p, medium)| {
            json!({"id": p.id, "site": SITE, "dialect": "standard", "url": format!("{stage}/hook/{}", p.id),
                "secret": "file:hook", "allow_private": true, "include_personal": true, "medium": medium})
        })
        .collect();
    let responders: Vec<Value> = phones
        .iter()
        .map(|p| json!({"id": p.id, "site": SITE, "channels": [p.id], "name": p.name, "pin": inbox::PIN}))
        .collect();
    // Shorter than in life, so that a visitor sees the climb.
    let ladder = |id: &str, waits: [u32; 3], repeat_s: u32| {
        let rungs: Vec<Value> = phones
            .iter()
            .zip(waits)
            .map(|(p, wait_s)| json!({"name": p.name, "to": [p.id], "wait_s": wait_s}))
            .collect();
        json!({"id": id, "site": SITE, "repeat_s": repeat_s, "rung": rungs})
    };
    let ladders = [
        ladder("life", [30, 30, 30], 60),
        ladder("welfare", [60, 120, 300], 300),
        ladder("property", [300, 300, 300], 900),
    ];
    let homes: Vec<Value> = fleet.homes().iter().map(home).collect();
    let residents: Vec<Value> = fleet.homes().iter().flat_map(residents).collect();
    let mut devices: Vec<Value> = fleet.homes().iter().flat_map(devices).collect();
    devices.retain(|device| !forgotten(fleet).contains(&device["id"].as_str().unwrap_or_default()));
    let file = json!({"channel": channels, "responder": responders, "ladder": ladders, "home": homes, "resident": residents, "device": devices});
    let file = File { name: "demo.json".into(), bytes: file.to_string().into_bytes() };
    match service::plan(&[file], &[Registry::default()], config, vault, false)? {
        Ok((_, entities)) => Ok(entities),
        Err(mistakes) => Err(Fatal(mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))),
    }
}

fn home(home: &FleetHome) -> Value {
    let contact =
        |i: usize| home.contacts.get(i).map(|c| (c.name.as_str(), c.phone.as_str(), c.relation)).unwrap_or_default();
    let (one, two) = (contact(0), contact(1));
    json!({"id": home.id, "site": home.site, "community": home.community, "block": home.block, "floor": home.floor,
        "address": home.address, "keyholder": home.keyholder, "keyholder_phone": home.keyholder_phone,
        "contact1_name": one.0, "contact1_phone": one.1, "contact1_relation": one.2,
        "contact2_name": two.0, "contact2_phone": two.1, "contact2_relation": two.2})
}

fn residents(home: &FleetHome) -> Vec<Value> {
    let resident = |(i, r): (usize, &crate::fleet::FleetResident)| {
        json!({"id": format!("{}-r{}", home.id, i + 1), "home": home.id, "name": r.name, "phone": r.phone,
            "birth_year": r.birth_year, "mobility": r.mobility, "hard_of_hearing": r.hard_of_hearing})
    };
    home.residents.iter().enumerate().map(resident).collect()
}

fn devices(home: &FleetHome) -> Vec<Value> {
    let device = |d: &crate::fleet::FleetDevice| json!({"id": d.id, "home": home.id, "source": d.source, "address": d.address, "room": d.room, "model": d.model, "life": d.life});
    home.devices.iter().map(device).collect()
}

/// The devices that nobody registered, for whoever looks at the quarantine: the last home's button, and a motion sensor of the one
/// before it.
fn forgotten(fleet: &Fleet) -> [&str; 2] {
    let of = |back: usize, name: &str| {
        let home = fleet.homes().iter().rev().nth(back).filter(|_| fleet.homes().len() > 2);
        let device = home.and_then(|home| home.devices.iter().find(|device| device.address.ends_with(name)));
        device.map_or("", |device| device.id.as_str())
    };
    [of(0, "/sos_button"), of(1, "/hall_motion")]
}

/// What a sensor says whose message breaks off, for the quarantine too.
const BROKEN: (&str, &str) = ("zigbee2mqtt/h0001/kitchen_motion", r#"{"battery":71,"linkquality":43,"occup"#);

/// Messages on their way to the broker at most.
const IN_FLIGHT: usize = 1_000;

/// Lets the homes live, and carries out what the stage orders. Ends only where the stage is gone.
#[expect(clippy::disallowed_methods, reason = "the homes' connection lives as long as the demo")]
pub async fn live(mut fleet: Fleet, broker: String, start: Wall, speed: f64, mut orders: Orders) {
    let url = broker.trim_start_matches("mqtt://");
    let (host, port) = url.rsplit_once(':').and_then(|(h, p)| Some((h, p.parse().ok()?))).unwrap_or((url, 1883));
    let mut options = MqttOptions::new("hearthwatch-demo-homes", host, port);
    options.set_max_packet_size(1 << 20, 1 << 20);
    let (client, mut eventloop) = AsyncClient::new(options, IN_FLIGHT);
    tokio::spawn(async move {
        loop {
            if let Err(error) = eventloop.poll().await {
                warn!(%error, "the homes have lost the broker");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    });
    // Retained, so that the gateway hears it whenever it comes; nobody waits for it.
    let _ = client.try_publish(BROKEN.0, QoS::AtLeastOnce, true, BROKEN.1);
    let mut beat = interval(Duration::from_millis(50));
    let mut elapsed_ms = 0;
    loop {
        tokio::select! {
            _ = beat.tick() => elapsed_ms += 50,
            order = orders.recv() => match order {
                Some(order) => {
                    let at = simulated(start, elapsed_ms, speed);
                    if let Err(error) = fleet.command(at, &order.home, order.command) {
                        warn!(%error, home = order.home, "an order could not be carried out");
                    }
                }
                None => return,
            },
        }
        while let Some(message) = fleet.next_by(simulated(start, elapsed_ms, speed)) {
            let Message { topic, payload, retain, .. } = message;
            if client.publish(topic.to_string(), QoS::AtLeastOnce, retain, payload).await.is_err() {
                return;
            }
        }
    }
}
