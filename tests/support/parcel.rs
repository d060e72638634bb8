//! What a courier is given to deliver.

use hearthwatch::engine::alarm::Reason;
use hearthwatch::engine::id::{AlarmId, NoticeId};
use hearthwatch::engine::kind::{AlarmKind, Kind};
use hearthwatch::engine::registry::Channel;
use hearthwatch::engine::time::Wall;
use hearthwatch::engine::view::{AlarmView, HomeView};
use hearthwatch::keeper::ports::{AlarmNotice, Content, NoticeType, Parcel};
use std::sync::Arc;

/// A call for help, freshly made, as its notice of this number to a channel.
pub fn parcel(channel: Arc<Channel>, number: u32, raised: Wall) -> Parcel {
    let site = channel.site.clone();
    let alarm = AlarmId { site: site.clone(), number: 184 };
    Parcel {
        notice: NoticeId { alarm: alarm.clone(), number },
        attempt: 1,
        channel,
        issued: raised,
        content: Content::Alarm(Box::new(AlarmNotice {
            kind: NoticeType::Notice,
            alarm: AlarmView {
                id: alarm,
                revision: 1,
                kind: AlarmKind::Sos,
                priority: AlarmKind::Sos.priority(),
                raised_at: raised,
                happened_at: raised,
                age_unknown: false,
                late_by_s: 0,
                events: 1,
                last_event_at: raised,
                reason: Reason::Said { kind: Kind::Sos, device: "button-of-somebody".into() },
                seen: None,
                over: None,
                safe: None,
                unanswered: 0,
                no_access: 0,
                last_taker: None,
            },
            home: HomeView { id: "h0012".parse().unwrap(), site, claimed: true, community: None, block: None },
            rung: 1,
            round: 0,
            next: None,
            people: Vec::new(),
            by: None,
            by_name: None,
            outcome: None,
            personal: None,
        })),
    }
}
