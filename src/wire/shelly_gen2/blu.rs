//! Shelly's Bluetooth devices (BLU) behind a gateway, where one of the vendor's own scripts spells out their packets: as an event of the
//! script with the BTHome object in `data`, or as a component `blu` with one object for each device.
//!
//! Each such device is a zone of its gateway. Where the firmware itself knows the device, it is a `bthomedevice` instead, and what its
//! `bthomesensor`s mean only a profile can tell.

use crate::engine::id::Zone;
use crate::engine::kind::Kind;
use crate::engine::reading::{Form, Reading, Value};
use crate::wire::json::Json;
use crate::wire::rule::{Rule, Settled};

/// What the vendor's gateway script calls itself.
pub(super) const COMPONENT: &str = "blu";

/// The most buttons of one device that are looked at.
const MAX_BUTTONS: usize = 16;

/// BTHome's objects by the names that the scripts give them. Doors and windows: 1 = open.
static ROWS: &[(&str, Rule)] = &[
    ("motion", Rule::Flag(Kind::Motion)),
    ("window", Rule::Flag(Kind::Contact)),
    ("door", Rule::Flag(Kind::Contact)),
    ("vibration", Rule::Flag(Kind::Vibration)),
    ("battery", Rule::Number(Kind::Battery)),
    ("temperature", Rule::Number(Kind::Temperature)),
    ("humidity", Rule::Number(Kind::Humidity)),
    ("illuminance", Rule::Number(Kind::Illuminance)),
];

/// All that `blu` says of its devices' states. What was pressed, the script tells once more as an event.
pub(super) fn states(devices: &Json, settled: &mut Settled) {
    for (name, state) in devices.members() {
        if let Ok(zone) = Zone::new(name) {
            state_of(state, &zone, settled);
        }
    }
}

fn state_of(state: &Json, zone: &Zone, settled: &mut Settled) {
    for (name, rule) in ROWS {
        let read = state.get(name).and_then(|value| rule.read(&value.scalar(), None));
        if let Some((kind, value)) = read {
            settled.add(1, Reading { kind, zone: Some(zone.clone()), value, form: Form::Edge });
        }
    }
}

/// What the `data` of a script's event says; nothing where another script sent something else.
pub(super) fn event(data: &Json) -> Vec<Reading> {
    let mut settled = Settled::default();
    let text = |from: &Json, name| from.get(name).and_then(Json::as_text).map(str::to_owned);
    // Some scripts wrap the packet in an envelope of their own.
    let packet = data.get("payload").unwrap_or(data);
    if packet.get("BTHome_version").is_some() {
        if let Some(zone) = text(packet, "address").or(text(packet, "addr")).and_then(|name| Zone::new(&name).ok()) {
            state_of(packet, &zone, &mut settled);
            presses(packet.get("button"), &zone, &mut settled);
        }
    } else if let Some(zone) = text(data, "device").and_then(|name| Zone::new(&name).ok()) {
        presses(data.get("value"), &zone, &mut settled);
    }
    settled.readings()
}

/// One number, or a list with one for each button of the device; zero is a button at rest.
fn presses(buttons: Option<&Json>, zone: &Zone, settled: &mut Settled) {
    let Some(buttons) = buttons else { return };
    let each = if buttons.items().is_empty() { std::slice::from_ref(buttons) } else { buttons.items() };
    for (number, button) in each.iter().enumerate().take(MAX_BUTTONS) {
        let Some(word) = button.as_number().and_then(push) else { continue };
        let zone = if number == 0 { Some(zone.clone()) } else { Zone::new(&format!("{zone}:{number}")).ok() };
        settled.add(1, Reading { kind: Kind::Button, zone, value: Value::Text(word.into()), form: Form::Event });
    }
}

/// BTHome's number of a push, in the words of Shelly's events.
fn push(number: f64) -> Option<&'static str> {
    const PUSHES: &[(f64, &str)] = &[
        (1.0, "single_push"),
        (2.0, "double_push"),
        (3.0, "triple_push"),
        (4.0, "long_push"),
        (5.0, "long_double_push"),
        (6.0, "long_triple_push"),
        (128.0, "hold_press"),
        (254.0, "hold_press"),
    ];
    PUSHES.iter().find(|(known, _)| *known == number).map(|(_, word)| *word)
}
