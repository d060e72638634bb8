//! What a site is.

use super::channels::Failing;
use super::cold_wave::ColdWave;
use super::desk::Desk;
use super::outage::Outage;
use super::outbox::Outbox;
use super::proof::Proof;
use super::warmth::Cooling;
use crate::engine::change::SiteChange;
use crate::engine::id::{ChannelId, HomeId};
use crate::engine::registry::{Entity, EntityKey, Registry};
use crate::engine::time::{Millis, Stamp, Tick};
use minicbor::{Decode, Encode};
use std::collections::BTreeMap;

/// A home's entry in the list that gives it its number.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct HomeEntry {
    #[n(0)]
    pub id: HomeId,
    /// The registry has it; otherwise it stands in for an unregistered device.
    #[n(1)]
    pub claimed: bool,
}

/// All that is known of a site between two inputs.
#[derive(Debug, Clone, PartialEq, Default, Encode, Decode)]
pub struct State {
    #[n(0)]
    pub registry: Registry,
    /// By number.
    #[n(1)]
    pub homes: Vec<HomeEntry>,
    /// The number of the next alarm.
    #[n(2)]
    pub next_alarm: u64,
    #[n(3)]
    pub outbox: Outbox,
    #[n(4)]
    pub deaf_since: Option<Tick>,
    /// How long the site did not hear, up to the last time it began to hear again.
    #[n(5)]
    pub deaf_total: Millis,
    /// Starts of the process.
    #[n(6)]
    pub epoch: u64,
    /// When the last turn was: where a new process continues the tick. Set by whoever folds, after the turn's last change.
    #[n(7)]
    pub last: Stamp,
    /// Homes that cannot be heard.
    #[n(8)]
    #[cbor(default)]
    pub outages: Vec<Outage>,
    /// Somebody was told that the site is deaf.
    #[n(9)]
    #[cbor(default)]
    pub deaf_told: bool,
    /// When it became deaf first, of the last few times that nobody was told of, and for how long in all.
    #[n(10)]
    #[cbor(default)]
    pub deaf_from: Tick,
    #[n(11)]
    #[cbor(default)]
    pub deaf_sum: Millis,
    /// Channels by which nothing arrives.
    #[n(12)]
    #[cbor(default)]
    pub failing: BTreeMap<ChannelId, Failing>,
    /// What homes say of their warmth, by number.
    #[n(13)]
    #[cbor(default)]
    pub cooling: BTreeMap<u32, Cooling>,
    /// The cold wave that was entered last.
    #[n(14)]
    pub cold_wave: Option<ColdWave>,
    /// Whether anybody is at the console.
    #[n(15)]
    #[cbor(default)]
    pub desk: Desk,
    /// Which channels a person has seen to reach people.
    #[n(16)]
    #[cbor(default)]
    pub proofs: BTreeMap<ChannelId, Proof>,
}

impl State {
    /// Folds a change in. Total: a change that does not fit changes nothing.
    pub fn apply(&mut self, change: &SiteChange, at: Stamp) {
        match change {
            SiteChange::HomeAdded { id, claimed } => match self.homes.iter_mut().find(|h| &h.id == id) {
                Some(known) => known.claimed |= *claimed,
                None => self.homes.push(HomeEntry { id: id.clone(), claimed: *claimed }),
            },
            SiteChange::Registered(entity) => {
                if let Entity::Channel(channel) = &**entity {
                    self.fold_channel(channel);
                }
                self.registry.put((**entity).clone())
            }
            SiteChange::Removed(key) => {
                if let EntityKey::Channel(channel) = key {
                    self.proofs.remove(channel);
                }
                self.registry.remove(key)
            }
            SiteChange::NoticeMade(notice) => {
                if notice.is_of_the_site() {
                    self.next_alarm = self.next_alarm.max(notice.id.alarm.number + 1);
                }
                self.fold_asked(notice, at);
                self.outbox.put((**notice).clone())
            }
            SiteChange::Deferred { notice } => self.outbox.deferred(notice),
            SiteChange::AttemptStarted { notice, attempt } => self.outbox.started(notice, *attempt, at.tick),
            SiteChange::AttemptEnded { notice, outcome, again, .. } => {
                let channel = self.outbox.get(notice).map(|pending| pending.notice.channel.clone());
                let paced = channel.as_ref().and_then(|id| self.registry.channels.get(id)?.rate()).is_some();
                self.fold_attempt(channel, *outcome, at);
                self.outbox.ended(notice, outcome, *again, at.tick, paced)
            }
            SiteChange::Desk { staffed } => self.fold_desk(*staffed, at),
            SiteChange::DeskEmpty => self.desk.told = true,
            SiteChange::Cooled { home, cooling } => self.fold_cooling(*home, *cooling),
            SiteChange::ColdWave { until, by } => self.fold_cold_wave(*until, by, at),
            SiteChange::ChannelSeen { channel, by } => self.fold_seen(channel, by, at),
            SiteChange::ChannelDown { channel } => self.fold_channel_down(channel, at),
            SiteChange::Withdrawn { notice } => self.outbox.withdraw(notice),
            SiteChange::Deaf => self.deaf_since = Some(at.tick),
            SiteChange::Hearing { lost } => {
                self.deaf_total.0 += lost.0;
                (self.deaf_from, self.deaf_sum) = match self.deaf_told {
                    true => Default::default(),
                    false => self.deafness_with(*lost, at.tick),
                };
                (self.deaf_since, self.deaf_told) = (None, false);
            }
            SiteChange::Rejected { .. } | SiteChange::Alive => {}
            SiteChange::Unheard { home } => self.fold_unheard(*home, at),
            SiteChange::HeardAgain { home } => self.fold_heard_again(*home),
            SiteChange::OutageTold { outage } => self.fold_told(*outage),
            SiteChange::Started { epoch } => {
                self.epoch = *epoch;
                // Whoever was away has heard nothing since the last thing it wrote down.
                self.deaf_since.get_or_insert(self.last.tick);
            }
        }
    }
}
