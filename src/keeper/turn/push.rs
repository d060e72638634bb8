//! Messages that are pushed over HTTP: taken in within a turn as those of the broker are, and answered after its sync.

use super::{Keeper, print_of};
use crate::engine::id::SourceId;
use crate::engine::reading::Value;
use crate::keeper::inbox::{Pushed, Took};
use crate::keeper::ports::{Delivery, JournalFault, Lane, Understood};

impl Keeper {
    /// Takes pushed messages in, over as many records as they need, and says what each came to. On a full disk only calls for help are
    /// taken.
    pub(super) fn push(&mut self, source: &SourceId, messages: Vec<Pushed>) -> Result<Vec<Took>, JournalFault> {
        let deliveries = messages.into_iter().map(|pushed| {
            let Pushed { topic, payload, id } = pushed;
            // Whoever pushes tries again until it is answered: the message may come over and over, as one that is marked so.
            (Delivery { lane: Lane::Life, topic, payload, retain: false, dup: true, copy: false, token: None }, id)
        });
        deliveries.map(|(delivery, id)| self.take_pushed(source, &delivery, &id)).collect()
    }

    fn take_pushed(&mut self, source: &SourceId, delivery: &Delivery, id: &str) -> Result<Took, JournalFault> {
        self.room_for_more()?;
        let print = print_of(delivery);
        if self.is_deadly(delivery, print) {
            self.unreadable(delivery, "in flight at two deaths of the process");
            return Ok(Took::Unread);
        }
        self.ports.suspects.working_on(&[print]);
        let mut understood = self.understand_of(source, &delivery.topic, &delivery.payload);
        if let Some(Understood::Readings(reports)) = &mut understood {
            for (n, report) in reports.iter_mut().enumerate() {
                report.event_id.get_or_insert_with(|| format!("{id}/{n}").into());
            }
        }
        let took = match &understood {
            _ if self.full && !calls(&understood) => Took::NoRoom,
            Some(Understood::Readings(reports)) => {
                Took::Readings(reports.iter().map(|report| report.readings.len() as u32).sum())
            }
            Some(Understood::Ignored(reason)) => Took::Ignored(reason),
            Some(Understood::Rejected(reason, _)) => Took::Rejected(reason),
            None => Took::Unread,
        };
        let taken = if took == Took::NoRoom { Ok(()) } else { self.take_in(delivery, understood) };
        self.ports.suspects.working_on(&[]);
        taken.map(|()| took)
    }
}

/// Whether somebody may be calling for help in what a message was understood to say; what nobody understood may be a call.
fn calls(understood: &Option<Understood>) -> bool {
    match understood {
        Some(Understood::Readings(reports)) => reports.iter().flat_map(|report| &report.readings).any(|reading| {
            reading.value == Value::Flag(true) && reading.kind.alarm().is_some_and(|alarm| alarm.may_be_a_call())
        }),
        Some(_) => false,
        None => true,
    }
}
