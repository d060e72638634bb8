//! Faults strike the world, and end.

use super::broker::Keeps;
use super::disk::SimDisk;
use super::faults::Fault;
use super::oracle::Said;
use super::people::{self, PEOPLE};
use super::process::{FAILS, KILLS, lock};
use super::town::put;
use super::wires::SILENT_MS;
use super::world::{Happening, World};
use crate::engine::id::ChannelId;
use crate::engine::registry::{Entity, Status};
use crate::engine::time::Millis;
use crate::fleet::Command;
use crate::journal::Disk;
use crate::keeper::ports::Lane;
use crate::mqtt;
use std::ops::RangeInclusive;
use std::path::Path;

/// The records that a file of the journal may hold.
fn records(disk: &SimDisk, path: &Path) -> Option<RangeInclusive<u64>> {
    let first = |name: &str| name.strip_suffix(".seg")?.parse::<u64>().ok();
    let this = first(path.file_name()?.to_str()?)?;
    let names = Disk::list(disk, path.parent()?).ok()?;
    let next = names.iter().filter_map(|name| first(name)).filter(|next| *next > this).min();
    Some(this..=next.map_or(u64::MAX, |next| next - 1))
}

impl World {
    pub(super) fn fault(&mut self, fault: Fault) {
        self.tell(format_args!("FAULT {fault:?}"));
        self.recent.insert(fault.name(), self.now + fault.length());
        let disk = self.house.disk.clone();
        let home = format!("h{:04}", 1 + self.dice.below(self.options.homes as usize));
        match fault {
            Fault::Kill { down } => self.dies("killed", down),
            Fault::PowerCut { down } => self.power_fails(down),
            Fault::KillAtWrite { operations, .. } | Fault::PowerCutAtWrite { operations, .. } => {
                self.at_write = Some(fault);
                disk.die_in(operations.into());
            }
            Fault::SyncFails => disk.fail_sync(),
            Fault::DiskFull { left, .. } => disk.set_capacity(disk.used() + left),
            Fault::DiskSlow { ms, .. } => disk.slow(ms),
            Fault::BitFlip { down } => {
                let flipped = disk.flip_bit(|path| path.starts_with("/data/journal") && !path.ends_with("reserve"));
                self.tell(format_args!("a bit flips: {flipped:?}"));
                if let Some((path, _)) = flipped {
                    lock(&self.oracle).flips(records(&disk, &path));
                }
                self.dies("killed", down);
            }
            Fault::BrokerStops { down } => self.broker_ends(Keeps::Everything, down),
            Fault::BrokerKilled { down } => self.broker_ends(Keeps::LastSave, down),
            Fault::BrokerWiped { down } => self.broker_ends(Keeps::Nothing, down),
            Fault::LinkCut(lane) => self.cut(lane, mqtt::Fault::Closed),
            Fault::Lag { lane, ms, .. } => drop(self.wires.lag.insert(lane, ms)),
            Fault::Duplicates { .. } => self.town.duplicates = true,
            Fault::RetainedPresses { .. } => self.town.retained = true,
            Fault::Receiver { place, manner, .. } => {
                self.town.receivers.insert(ChannelId::cut(PEOPLE[place]), manner);
            }
            Fault::AllReceivers { manner, .. } => {
                self.town.receivers = PEOPLE.iter().map(|name| (ChannelId::cut(name), manner)).collect();
            }
            Fault::WallForward { ms } => self.house.clocks.step_wall(ms),
            Fault::WallBack { ms } => self.house.clocks.step_wall(-ms),
            Fault::Pause { length } => self.pause(length),
            Fault::PoisonDecoder => self.poison(&home, FAILS),
            Fault::PoisonProcess => self.poison(&home, KILLS),
            Fault::PoisonHome => self.poison(&home, br#"{"action":"poison"}"#),
            Fault::HubAway { length } => {
                let at = self.town.time(self.now);
                self.town.fleet.hub_outage(at, Millis(length));
            }
            Fault::HomeDark { length } => self.order(&home, Command::PowerCut(Millis(length))),
            Fault::Collapse => self.order(&home, Command::Collapse),
            Fault::Registry => self.registry_changes(&home),
        }
        if fault.length() > 0 {
            self.after(fault.length(), Happening::Over(fault));
        }
    }

    pub(super) fn over(&mut self, fault: Fault) {
        self.tell(format_args!("over: {}", fault.name()));
        match fault {
            Fault::DiskFull { .. } => self.house.disk.set_capacity(u64::MAX),
            Fault::DiskSlow { .. } => self.house.disk.slow(0),
            Fault::Lag { lane, ms, .. } => {
                self.wires.lag.remove(&lane);
                self.wires.late_until = self.now + ms;
            }
            Fault::Duplicates { .. } => self.town.duplicates = false,
            Fault::RetainedPresses { .. } => self.town.retained = false,
            Fault::Receiver { place, .. } => drop(self.town.receivers.remove(&ChannelId::cut(PEOPLE[place]))),
            Fault::AllReceivers { .. } => self.town.receivers.clear(),
            _ => {}
        }
    }

    /// Nothing fails from here on.
    pub(super) fn calm_down(&mut self) {
        self.tell(format_args!("from here on nothing fails"));
        lock(&self.oracle).calms();
        self.at_write = None;
        self.house.disk.heal();
    }

    /// The process dies, if one lives.
    fn dies(&mut self, how: &str, down: u64) {
        if self.process.is_some() {
            self.die(how, down);
        }
    }

    fn power_fails(&mut self, down: u64) {
        self.house.disk.power_fails();
        self.dies("with the power", down);
    }

    /// The disk has stopped under the process: whoever planted that knows how it goes on.
    pub(super) fn stopped_at_write(&mut self) {
        match self.at_write.take() {
            Some(Fault::PowerCutAtWrite { down, .. }) => {
                self.house.disk.power_fails();
                self.die("with the power, in the middle of a write", down);
            }
            Some(Fault::KillAtWrite { down, .. }) => self.die("killed in the middle of a write", down),
            _ => self.die("over a message", 1_000),
        }
    }

    fn pause(&mut self, length: u64) {
        self.paused_until = self.now + length;
        if length > SILENT_MS {
            [Lane::Life, Lane::Bulk].iter().for_each(|lane| self.cut(*lane, mqtt::Fault::Closed));
        }
    }

    fn poison(&mut self, home: &str, payload: &[u8]) {
        let said = Said { at: self.now, ..Said::default() };
        self.publish_raw(said, &format!("zigbee2mqtt/{home}/sos_button"), payload.to_vec(), false);
    }

    /// What a home cannot do it does not.
    fn order(&mut self, home: &str, command: Command) {
        let _ = self.town.fleet.command(self.town.time(self.now), home, command);
    }

    /// A channel gets other slots, and a home another status: what people change on an ordinary day.
    fn registry_changes(&mut self, home: &str) {
        let Some(process) = &mut self.process else { return };
        let slots = 1 + self.dice.below(4) as u8;
        let mut entities = vec![people::channel(PEOPLE[self.dice.below(PEOPLE.len())], slots)];
        let known = process.keeper.core().site.registry.homes.get(home).cloned();
        entities.extend(known.map(|mut home| {
            home.status = if home.status == Status::Active { Status::Paused } else { Status::Active };
            Entity::Home(home)
        }));
        let handle = process.handle.clone();
        drop(put(async move { handle.register(entities).await }));
        self.renew = true;
    }
}
