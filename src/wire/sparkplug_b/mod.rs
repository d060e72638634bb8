//! Eclipse Sparkplug B: births, values and deaths of edge nodes and their devices, as protobuf
//! (`spBv1.0/GROUP/TYPE/NODE[/DEVICE]`).
//!
//! A birth announces every metric with name, alias and type; later messages may give no more than the alias, so births teach. Names
//! are the vendor's: the few that mean one thing everywhere are read, all others are for profiles.

mod payload;
mod protobuf;
mod table;

#[cfg(test)]
mod tests;

use super::lore::{DeviceLore, Lesson, Metric as Announced};
use super::report::Spoken;
use super::table::Gathered;
use super::topic::Place;
use super::{Decoded, Heard, Ignored, MAX_PAYLOAD_BYTES, MAX_TEXT_BYTES, Rejected};
use crate::engine::kind::Kind;
use crate::engine::reading::{Reading, Report, Speaker};
use payload::{Metric, Payload};

/// The most metrics that are remembered of one device.
const MAX_REMEMBERED: usize = 512;

const NAMESPACE: &str = "spBv1.0/";

pub(super) fn decode(heard: &Heard, place: Place) -> Decoded {
    let Some((kind, address)) = split(heard.message.topic) else {
        return Ignored::NotOurs.into();
    };
    let speaker = Speaking { heard, place, address };
    let understood = match kind {
        "NBIRTH" => speaker.born(true),
        "DBIRTH" => speaker.born(false),
        "NDATA" | "DDATA" => speaker.values(),
        "NDEATH" => speaker.node_died(),
        "DDEATH" => speaker.device_died(),
        "NCMD" | "DCMD" => return Ignored::Command.into(),
        _ => return Ignored::NothingOfInterest.into(),
    };
    understood.unwrap_or_else(Decoded::from)
}

/// The type of a message, and the address: group, node and, where one speaks, device.
fn split(topic: &str) -> Option<(&str, String)> {
    let (_, levels) = topic.split_once(NAMESPACE)?;
    let (group, levels) = levels.split_once('/')?;
    let (kind, speaker) = levels.split_once('/')?;
    Some((kind, format!("{group}/{speaker}")))
}

struct Speaking<'a> {
    heard: &'a Heard<'a>,
    place: Place<'a>,
    address: String,
}

impl Speaking<'_> {
    /// All metrics as they are now; the device is there, and so is whoever is behind a node.
    fn born(&self, node: bool) -> Result<Decoded, Rejected> {
        let payload = self.payload()?;
        let (mut spoken, _) = self.read(&payload);
        spoken.readings.push(Reading::flag(Kind::Online, true));
        spoken.time = payload.time;
        let mut reports = vec![self.report(spoken)?];
        if node {
            reports.push(self.behind(true)?);
        }
        let lesson = Lesson::Metrics {
            source: self.heard.source.name.clone(),
            address: self.address.as_str().into(),
            metrics: payload.metrics.iter().filter_map(announced).take(MAX_REMEMBERED).collect(),
        };
        Ok(Decoded { lessons: vec![lesson], ..Decoded::reports(reports) })
    }

    fn values(&self) -> Result<Decoded, Rejected> {
        let payload = self.payload()?;
        let (spoken, unread) = self.read(&payload);
        Ok(Decoded { unread, ..Decoded::reports(vec![self.report(spoken)?]) })
    }

    /// The broker says it in the node's name, with the time at which the node connected.
    fn node_died(&self) -> Result<Decoded, Rejected> {
        self.payload()?;
        let spoken = Spoken::of(vec![Reading::flag(Kind::Online, false)]);
        Ok(Decoded::reports(vec![self.report(spoken)?, self.behind(false)?]))
    }

    fn device_died(&self) -> Result<Decoded, Rejected> {
        let time = self.payload()?.time;
        let spoken = Spoken { time, ..Spoken::of(vec![Reading::flag(Kind::Online, false)]) };
        Ok(Decoded::reports(vec![self.report(spoken)?]))
    }

    fn payload(&self) -> Result<Payload<'_>, Rejected> {
        match self.heard.message.payload {
            bytes if bytes.len() > MAX_PAYLOAD_BYTES => Err(Rejected::TooLarge),
            bytes => Payload::parse(bytes),
        }
    }

    /// What the metrics say, and how many of them nobody has announced.
    fn read(&self, payload: &Payload) -> (Spoken, u32) {
        let Heard { lore, source, .. } = self.heard;
        let known = lore.device(&source.name, &self.address);
        let mut gathered = Gathered::new(lore.profile(&source.name, &self.address, ""));
        let (mut time, mut unread) = (None, 0);
        for metric in payload.metrics.iter().filter(|metric| !metric.historical) {
            let announced = known.and_then(|device| find(device, metric));
            let Some(name) = metric.name.or(announced.map(|a| &*a.name)) else {
                unread += 1;
                continue;
            };
            let value = metric.scalar(announced.map_or(0, |a| a.datatype));
            let (row, zone) = table::row(name);
            if gathered.take(name, &value, row, zone) {
                time = time.max(metric.time);
            }
        }
        (Spoken { time: time.or(payload.time), ..gathered.spoken() }, unread)
    }

    fn report(&self, spoken: Spoken) -> Result<Report, Rejected> {
        let mut report = self.heard.report(None, &self.address, spoken)?;
        report.home_hint = self.place.home_of(self.place.address).map(Into::into);
        Ok(report)
    }

    /// What holds for all devices of a node.
    fn behind(&self, online: bool) -> Result<Report, Rejected> {
        let report = self.report(Spoken::of(vec![Reading::flag(Kind::Online, online)]))?;
        Ok(Report { speaker: Speaker::Bridge(format!("{}/", self.address).into()), ..report })
    }
}

/// What was announced of a metric, by its alias or else its name.
fn find<'k>(device: &'k DeviceLore, metric: &Metric) -> Option<&'k Announced> {
    device.metrics.iter().find(|known| match (metric.name, metric.alias) {
        (Some(name), _) => *known.name == *name,
        (None, alias) => alias.is_some() && known.alias == alias,
    })
}

fn announced(metric: &Metric) -> Option<Announced> {
    let name = metric.name.filter(|name| name.len() <= MAX_TEXT_BYTES)?;
    Some(Announced { name: name.into(), alias: metric.alias, datatype: metric.datatype })
}
