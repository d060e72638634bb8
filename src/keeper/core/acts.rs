//! What people do: acts on alarms, test windows, suppressions, looks and visits, a cold wave.

use super::{Answer, Core, Slot, Suppressed, Visited, Walked};
use crate::engine::alarm::{Act, Refusal, SafeHow};
use crate::engine::home::Closed;
use crate::engine::home::care::{VisitKind, VisitOutcome, VisitRefusal};
use crate::engine::home::suppression::SuppressionRefusal;
use crate::engine::home::walk::WalkRefusal;
use crate::engine::id::{AlarmId, ChannelId, HomeId, ResponderId};
use crate::engine::input::{HomeInput, SiteInput, SuppressionOrder, WalkOrder};
use crate::engine::site::cold_wave::{self, ColdWaveRefusal};
use crate::engine::site::proof::{self, ProofRefusal};
use crate::engine::time::Wall;

impl Core {
    fn registered_number(&self, home: &HomeId) -> Option<u32> {
        self.routes.number(home).filter(|n| self.site.homes[*n as usize].claimed)
    }

    /// A person acts on an alarm.
    pub fn act(&mut self, alarm: AlarmId, act: Act, by: ResponderId, revision: Option<u32>) -> Answer {
        let has = |slot: &Slot| {
            let closed: &[Closed] = if act == Act::Reopen { &slot.state.closed } else { &[] };
            slot.state.alarms.iter().chain(closed.iter().map(|closed| &closed.alarm)).any(|a| a.id == alarm)
        };
        let Some(home) = self.homes.iter().position(has) else {
            let known = alarm.site == self.rules.site && alarm.number < self.site.next_alarm;
            return Err(if known { Refusal::Closed } else { Refusal::NoSuchAlarm });
        };
        let answer = self.home_input(home as u32, HomeInput::Act { alarm, act, by, revision });
        self.drain();
        answer.unwrap_or(Err(Refusal::NoSuchAlarm))
    }

    /// A person opens or closes the test window of a home.
    pub fn walk(&mut self, home: &HomeId, order: WalkOrder, by: ResponderId) -> Walked {
        let Some(number) = self.registered_number(home) else { return Err(WalkRefusal::NoSuchHome) };
        self.home_input(number, HomeInput::Walk { order, by });
        let walked = self.home_out.walked.take();
        self.drain();
        walked.unwrap_or(Err(WalkRefusal::NoSuchHome))
    }

    /// A person sets or ends a suppression of a home.
    pub fn suppress(&mut self, home: &HomeId, order: SuppressionOrder, by: ResponderId) -> Suppressed {
        let Some(number) = self.registered_number(home) else { return Err(SuppressionRefusal::NoSuchHome) };
        self.home_input(number, HomeInput::Suppress { order, by });
        let suppressed = self.home_out.suppressed.take();
        self.drain();
        suppressed.unwrap_or(Err(SuppressionRefusal::NoSuchHome))
    }

    /// A person has looked after the people of a home, for no alarm. False where nobody knows the home.
    pub fn looked(&mut self, home: &HomeId, by: ResponderId, how: SafeHow) -> bool {
        let number = self.registered_number(home);
        if let Some(number) = number {
            self.home_input(number, HomeInput::Looked { by, how });
            self.drain();
        }
        number.is_some()
    }

    /// A person tells what came of a visit, or (none) takes back what was told today.
    pub fn visit(&mut self, home: &HomeId, kind: VisitKind, outcome: Option<VisitOutcome>, by: ResponderId) -> Visited {
        let Some(number) = self.registered_number(home) else { return Err(VisitRefusal::NoSuchHome) };
        self.home_input(number, HomeInput::Visit { kind, outcome, by });
        let visited = self.home_out.visited.take();
        self.drain();
        visited.unwrap_or(Err(VisitRefusal::NoSuchHome))
    }

    /// A cold wave lies on the site until then, or (none) is over.
    ///
    /// # Errors
    /// See [`cold_wave::ordered`].
    pub fn cold_wave(&mut self, until: Option<Wall>, by: ResponderId) -> Result<(), ColdWaveRefusal> {
        cold_wave::ordered(&self.site, self.now, until, by.clone())?;
        self.site_input(SiteInput::ColdWave { until, by });
        Ok(())
    }

    /// A test message with a code goes out by a channel.
    ///
    /// # Errors
    /// See [`proof::tested`].
    pub fn test_channel(&mut self, channel: ChannelId, code: &str) -> Result<(), ProofRefusal> {
        proof::tested(&self.site, self.now, &channel, code)?;
        self.site_input(SiteInput::TestChannel { channel, code: code.into() });
        Ok(())
    }

    /// A person has received it, and said its code.
    ///
    /// # Errors
    /// See [`proof::confirmed`].
    pub fn channel_seen(&mut self, channel: ChannelId, code: &str, by: ResponderId) -> Result<(), ProofRefusal> {
        proof::confirmed(&self.site, self.now.wall, &channel, code, by.clone())?;
        self.site_input(SiteInput::ChannelSeen { channel, code: code.into(), by });
        Ok(())
    }
}
