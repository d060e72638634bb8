//! rtl_433: what a radio heard on 433, 868 or 915 MHz, as JSON (`HOST/events`) or field by field
//! (`HOST/devices/MODEL/CHANNEL/ID/FIELD`).
//!
//! A device's address is the path that rtl_433 itself gives it below `devices`, so both forms and all receivers name the same device.
//! The receiver is no part of it, unless the template says that its level is a home.

mod table;

#[cfg(test)]
mod tests;

use super::json::Json;
use super::scalar::Scalar;
use super::stated_time::stated_time;
use super::table::Gathered;
use super::topic::Place;
use super::{Decoded, Heard, Ignored, text};
use crate::engine::id::Zone;
use crate::engine::kind::Kind;
use crate::engine::profile::Profile;
use crate::engine::reading::Reading;
use crate::engine::time::Wall;
use std::borrow::Cow;

/// What its messages carry beside what a sensor said; in the field form each of them comes alone.
const OF_RADIO: &[&str] =
    &["time", "id", "channel", "mic", "mod", "freq", "freq1", "freq2", "rssi", "snr", "noise", "protocol"];

pub(super) fn decode(heard: &Heard, place: Place) -> Decoded {
    match at(&place) {
        At::Events => event(heard, &place),
        At::Elsewhere if heard.message.payload.trim_ascii_start().starts_with(b"{") => event(heard, &place),
        At::Elsewhere => Ignored::NothingOfInterest.into(),
        At::Field { device, field } => one_field(heard, &place, device, field),
        At::States => Ignored::Bridge.into(),
    }
}

/// What a topic holds.
enum At<'t> {
    /// Whole messages.
    Events,
    /// A topic that somebody made up for whole messages, or whether the receiver is there.
    Elsewhere,
    /// One field of a device.
    Field { device: &'t str, field: &'t str },
    /// The receiver of itself.
    States,
}

fn at<'t>(place: &Place<'t>) -> At<'t> {
    let behind_home = place.address.splitn(place.levels_before_device + 1, '/').last().unwrap_or_default();
    let behind_host = behind_home.split_once('/').map_or("", |(_, behind)| behind);
    for path in [behind_home, behind_host] {
        match path.split_once('/') {
            None if path == "events" => return At::Events,
            None if path == "states" => return At::States,
            Some(("devices", path)) => {
                if let Some((device, field)) = path.rsplit_once('/') {
                    return At::Field { device, field };
                }
            }
            _ => {}
        }
    }
    At::Elsewhere
}

/// Which device speaks, as its decoder names it.
struct Device<'d> {
    model: &'d str,
    subtype: &'d str,
    address: String,
    profile: Option<&'d Profile>,
}

impl<'d> Device<'d> {
    fn new(heard: &'d Heard, place: &Place, model: &'d str, subtype: &'d str, path: &str) -> Device<'d> {
        let home = place.address.split_once('/').filter(|_| place.home);
        let address = home.map_or_else(|| path.to_owned(), |(home, _)| format!("{home}/{path}"));
        let profile = heard.lore.profile(&heard.source.name, &address, model);
        Device { model, subtype, address, profile }
    }

    /// What one field says.
    fn take(&self, gathered: &mut Gathered, name: &str, value: &Scalar) {
        let told = self.profile.is_some_and(|profile| profile.of(name).is_some());
        if name == "battery_ok" && !told {
            return charge(value).into_iter().for_each(|reading| gathered.add(reading));
        }
        let (base, probe) = of_probe(name);
        let zone = if base == "reed_open" { "reed" } else { probe };
        let rows = table::key(self.model, name, value).into_iter().chain(table::rows(self.model, self.subtype, &base));
        gathered.take(name, value, rows, Zone::new(zone).ok());
    }
}

fn event(heard: &Heard, place: &Place) -> Decoded {
    let json = match Json::object(heard) {
        Ok(json) => json,
        Err(why) => return why.into(),
    };
    let text = |name: &str| json.get(name).and_then(Json::as_text).unwrap_or_default();
    let model = text("model");
    if model.is_empty() {
        return Ignored::Bridge.into();
    }
    let device = Device::new(heard, place, model, text("subtype"), &path(&json, model));
    let mut gathered = Gathered::new(device.profile);
    // A tyre has a temperature and a battery too.
    let fields = if text("type") == "TPMS" { &[] } else { json.members() };
    for (name, value) in fields.iter().filter(|(name, _)| !OF_RADIO.contains(&&**name)) {
        device.take(&mut gathered, name, &value.scalar());
    }
    let mut spoken = gathered.spoken();
    spoken.time = json.get("time").and_then(|time| time_of(&time.scalar()));
    heard.spoken(place, &device.address, spoken)
}

fn one_field(heard: &Heard, place: &Place, path: &str, field: &str) -> Decoded {
    let value = match text(heard.message) {
        Ok(text) => Scalar::spelt(text),
        Err(why) => return why.into(),
    };
    let mut levels = path.split('/');
    let model = levels.next().unwrap_or_default();
    if OF_RADIO.contains(&field) || model == "TPMS" {
        return Ignored::Attribute.into();
    }
    let subtype = levels.next().unwrap_or_default();
    let device = Device::new(heard, place, model, subtype, &without_message_type(path, model));
    let mut gathered = Gathered::new(device.profile);
    device.take(&mut gathered, field, &value);
    let spoken = gathered.spoken();
    match spoken.readings.is_empty() {
        true => Ignored::Attribute.into(),
        false => heard.spoken(place, &device.address, spoken),
    }
}

/// The path below `devices`: type, model, subtype, channel and id, as far as they are there.
fn path(json: &Json, model: &str) -> String {
    let mut path = String::new();
    for name in ["type", "model", "subtype", "channel", "id"] {
        let level = match json.get(name) {
            Some(Json::Text(text)) => Cow::Borrowed(&**text),
            Some(Json::Number(number)) => Cow::Owned(number.to_string()),
            _ => continue,
        };
        if !path.is_empty() {
            path.push('/');
        }
        path.extend(level.chars().map(|c| if matches!(c, '-' | '.') || c.is_ascii_alphanumeric() { c } else { '_' }));
    }
    without_message_type(&path, model).into_owned()
}

/// A subtype tells what a sensor is, but that of this one is what its message is.
fn without_message_type<'p>(path: &'p str, model: &str) -> Cow<'p, str> {
    let levels = || path.split('/');
    match (model, levels().count()) {
        ("Govee-H5059", 3) => Cow::Owned(
            levels().enumerate().filter(|(i, _)| *i != 1).map(|(_, level)| level).collect::<Vec<_>>().join("/"),
        ),
        _ => Cow::Borrowed(path),
    }
}

/// A field without the number of its probe, and the number: `temperature_1_C`, `humidity_2`.
fn of_probe(name: &str) -> (Cow<'_, str>, &str) {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let (stem, unit) = match name.strip_suffix("_C").or_else(|| name.strip_suffix("_F")) {
        Some(stem) => (stem, &name[stem.len()..]),
        None => (name, ""),
    };
    match stem.rsplit_once('_') {
        Some((base @ ("temperature" | "humidity"), probe)) if is_number(probe) => {
            (Cow::Owned(format!("{base}{unit}")), probe)
        }
        _ => (Cow::Borrowed(name), ""),
    }
}

/// `battery_ok` is 1 or 0, or a level between the two where the sensor tells one.
fn charge(value: &Scalar) -> Option<Reading> {
    match value {
        Scalar::Number(level) if *level > 0.0 && *level < 1.0 => {
            Some(Reading::number(Kind::Battery, (level * 1000.0).round() / 10.0))
        }
        value => Some(Reading::flag(Kind::BatteryLow, !value.as_flag()?)),
    }
}

/// With a zone, or as seconds since 1970 (`-M time:unix`, with or without a fraction). The usual form is local time: none.
fn time_of(value: &Scalar) -> Option<Wall> {
    let seconds = match value {
        Scalar::Text(text) => text.parse().ok(),
        Scalar::Number(seconds) => Some(*seconds),
        _ => None,
    };
    match seconds {
        Some(seconds) => stated_time(&Scalar::Number(seconds * 1000.0)),
        None => stated_time(value),
    }
}
