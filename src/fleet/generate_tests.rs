use super::*;
use std::collections::{BTreeMap, BTreeSet};

const DAY: Millis = Millis::from_mins(24 * 60);

fn busy() -> FleetOptions {
    FleetOptions { presses_per_home_month: 6.0, dangers_per_home_month: 6.0, ..FleetOptions::default() }
}

fn days(fleet: &mut Fleet, days: u64) -> Vec<Message> {
    let until = FleetOptions::default().start + Millis(DAY.0 * days);
    std::iter::from_fn(|| fleet.next_by(until)).collect()
}

#[test]
fn a_seed_repeats_itself_message_by_message_in_order_of_time() {
    let stream = |seed| days(&mut Fleet::new(seed, 40, busy()), 3);
    let messages = stream(1);
    assert_eq!(messages, stream(1));
    assert_ne!(messages, stream(2));
    assert!(messages.is_sorted_by_key(|m| m.at));
    let per_home_day = messages.len() / 120;
    assert!((60..900).contains(&per_home_day), "{per_home_day} messages a home and day");
}

#[test]
fn every_message_is_one_that_a_hub_would_send() {
    let mut forms = BTreeMap::<&str, u32>::new();
    for message in days(&mut Fleet::new(1, 60, busy()), 10) {
        let json = serde_json::from_str::<serde_json::Value>(&message.payload);
        let own = message.topic.starts_with("hearthwatch/demo/h");
        assert!(own || message.topic.starts_with("zigbee2mqtt/h") || message.cause == Cause::Bridge, "{message:?}");
        assert_eq!(
            message.retain,
            !own && matches!(message.cause, Cause::Bridge | Cause::Online | Cause::Offline),
            "{message:?}"
        );
        match (message.cause, json) {
            (Cause::Echo, _) => *forms.entry("echo").or_default() += 1,
            (Cause::Sos, Ok(json)) => {
                let form = match &json {
                    j if j["sos"] == true => "sos",
                    j if j["action"] == "emergency" => "emergency",
                    j if j["sos_alarm"] == true => "sos_alarm",
                    j if j["kind"] == "sos" && j["value"] == true && j["id"].is_string() => "own",
                    other => panic!("a press that says nothing: {other}"),
                };
                *forms.entry(form).or_default() += 1;
            }
            (Cause::Battery, Ok(json)) if json["sos"] == true => *forms.entry("battery repeats sos").or_default() += 1,
            (Cause::Battery, Ok(json)) => assert!(json.get("action").is_none(), "{message:?}"),
            (cause, json) => assert!(json.is_ok(), "{cause:?} {message:?}"),
        }
    }
    let expected = ["battery repeats sos", "echo", "emergency", "own", "sos", "sos_alarm"];
    assert_eq!(forms.keys().copied().collect::<Vec<_>>(), expected);
}

/// A PIR is blind for a minute after a detection, and its hub says `false` only once nothing more was seen.
#[test]
fn motion_sensors_keep_their_blind_time_and_fall_back_to_rest() {
    let mut last = BTreeMap::<Arc<str>, (Cause, Wall)>::new();
    for m in days(&mut Fleet::new(3, 20, FleetOptions::default()), 4) {
        if !matches!(m.cause, Cause::Motion | Cause::Clear) || !m.topic.ends_with("_motion") {
            continue;
        }
        if let Some((cause, at)) = last.insert(m.topic.clone(), (m.cause, m.at)) {
            let gap = m.at.since(at);
            match (cause, m.cause) {
                (Cause::Motion, Cause::Motion) => assert!(gap >= Millis::from_secs(60), "{m:?}"),
                (Cause::Motion, _) => assert_eq!(gap, Millis::from_secs(90), "{m:?}"),
                (_, next) => assert_eq!(next, Cause::Motion, "two ends without a beginning: {m:?}"),
            }
        }
    }
    assert!(last.len() > 40);
}

#[test]
fn a_command_reaches_its_home_and_leaves_the_others_as_they_were() {
    let start = FleetOptions::default().start;
    let noon = start + Millis::from_mins(240);
    let quiet = FleetOptions { presses_per_home_month: 0.0, dangers_per_home_month: 0.0, ..FleetOptions::default() };
    let mut fleet = Fleet::new(9, 12, quiet.clone());
    fleet.command(noon, "h0003", Command::Press).unwrap();
    fleet.command(noon, "h0004", Command::Danger(Kind::Smoke)).unwrap();
    fleet.command(noon, "h0005", Command::Collapse).unwrap();
    fleet.command(noon, "h0006", Command::PowerCut(Millis::from_mins(60))).unwrap();
    let messages = days(&mut fleet, 2);
    let of = |home: &str, all: &[Message]| -> Vec<Message> {
        all.iter().filter(|m| m.topic.contains(&format!("/{home}/"))).cloned().collect()
    };
    let has = |home: &str, cause| of(home, &messages).iter().any(|m| m.cause == cause && m.at == noon);
    assert!(has("h0003", Cause::Sos) && has("h0004", Cause::Smoke) && has("h0006", Cause::Offline));

    let person = |m: &&Message| matches!(m.cause, Cause::Motion | Cause::Open | Cause::Shut);
    let fallen = of("h0005", &messages);
    assert!(fallen.iter().filter(person).all(|m| m.at < noon) && fallen.iter().any(|m| m.at < noon));
    assert!(fallen.iter().any(|m| m.at > noon && m.cause == Cause::Battery), "its devices are still heard");
    let hour = noon..noon + Millis::from_mins(60);
    let dark = of("h0006", &messages);
    assert!(dark.iter().all(|m| !hour.contains(&m.at) || matches!(m.cause, Cause::Online | Cause::Offline)));
    assert!(dark.iter().any(|m| m.at == hour.end && m.payload.contains("online")));

    let untouched = days(&mut Fleet::new(9, 12, quiet), 2);
    assert_eq!(of("h0007", &messages), of("h0007", &untouched));
    assert_ne!(of("h0005", &messages), of("h0005", &untouched));
}

#[test]
fn orders_that_nothing_can_carry_out_are_refused() {
    let mut fleet = Fleet::new(1, 3, FleetOptions::default());
    let now = Wall(0);
    assert_eq!(fleet.command(now, "h0004", Command::Press), Err(Impossible::NoSuchHome));
    assert_eq!(fleet.command(now, "h0001", Command::Danger(Kind::Humidity)), Err(Impossible::NoSuchDevice));
    assert_eq!(Fleet::new(1, 0, FleetOptions::default()).filter(|m| m.cause != Cause::Bridge).count(), 0);
}

#[test]
fn a_hub_that_is_back_says_all_it_knows() {
    let mut fleet = Fleet::new(4, 20, busy());
    let down = FleetOptions::default().start + Millis::from_mins(300);
    let up = down + Millis::from_mins(40);
    fleet.hub_outage(down, Millis::from_mins(40));
    let messages = days(&mut fleet, 1);
    let zigbee = |m: &&Message| m.topic.starts_with("zigbee2mqtt/");
    let meanwhile: Vec<_> = messages.iter().filter(zigbee).filter(|m| m.at >= down && m.at < up).collect();
    assert_eq!(meanwhile.iter().map(|m| &*m.topic).collect::<Vec<_>>(), ["zigbee2mqtt/bridge/state"]);
    assert!(messages.iter().any(|m| !zigbee(&m) && m.at > down && m.at < up), "homes of other hubs go on");
    let after = messages.iter().filter(|m| m.at >= up && m.at <= up + RETURN);
    let again: BTreeSet<_> = after.filter(|m| m.cause == Cause::Battery).map(|m| m.topic.clone()).collect();
    let devices = fleet.homes().iter().flat_map(|h| &h.devices).filter(|d| d.source == "zigbee2mqtt").count();
    assert_eq!(again.len(), devices);
}

#[test]
fn the_device_list_holds_whole_homes_within_its_limit() {
    for (homes, all) in [(30, true), (2_000, false)] {
        let mut fleet = Fleet::new(1, homes, FleetOptions::default());
        let list = days(&mut fleet, 0).into_iter().find(|m| m.topic.ends_with("bridge/devices")).unwrap();
        assert!(list.retain && list.payload.len() <= MAX_BRIDGE_DEVICES_BYTES + 1);
        let listed: Vec<serde_json::Value> = serde_json::from_str(&list.payload).unwrap();
        let count = fleet.homes().iter().flat_map(|h| &h.devices).filter(|d| d.source == "zigbee2mqtt").count();
        assert_eq!(listed.len() == count + 1, all, "{} of {count}", listed.len());
    }
}
