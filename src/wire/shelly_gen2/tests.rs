//! What comes out of a message of Shelly's second generation and later.

use super::*;
use crate::engine::dialect::Dialect;
use crate::wire::tests::{check, decoded, profiled, reports, source, told};
use crate::wire::{Lore, Message, Source, TopicTemplate, decode};

/// All usual topics, as nobody configured them.
fn shelly() -> Source {
    let topics = Dialect::ShellyGen2.usual_topics().iter().map(|topic| TopicTemplate::parse(topic).unwrap());
    Source { topics: topics.collect(), ..source(Dialect::ShellyGen2, "{device}/online") }
}

/// The statuses of components, on a topic of their own and in a notification: what comes out is the same.
#[track_caller]
fn check_components(table: &[(&str, &str, &str)]) {
    for (component, status, expected) in table {
        let expected = format!("x-1:{expected}");
        let own = format!("x-1/status/{component}");
        let notified = format!(r#"{{"method":"NotifyStatus","params":{{"ts":1.5,"{component}":{status}}}}}"#);
        check(&Lore::default(), &shelly(), &[(&own, status, &expected), ("x-1/events/rpc", &notified, &expected)]);
    }
}

#[test]
fn components() {
    check_components(&[
        ("smoke:0", r#"{"id":0,"alarm":true,"mute":true}"#, " smoke=true"),
        ("smoke:0", r#"{"id":0,"alarm":false}"#, " smoke=false"),
        ("smoke:0", r#"{"id":0,"mute":true}"#, ""),
        ("smoke:0", r#"{"id":0,"alarm":null}"#, ""),
        ("flood:0", r#"{"id":0,"alarm":true,"mute":false,"errors":["cable_unplugged"]}"#, " water_leak=true"),
        ("flood:1", r#"{"id":1,"alarm":false}"#, " water_leak=false@flood:1"),
        ("devicepower:0", r#"{"battery":{"V":5.1,"percent":61},"external":{"present":false}}"#, " battery=61"),
        ("devicepower:0", r#"{"battery":{"V":null,"percent":null},"external":{"present":true}}"#, ""),
        ("devicepower:0", r#"{"battery":{"V":0.43,"percent":0},"external":{"present":true}}"#, ""),
        ("devicepower:0", r#"{"battery":{"V":2.1,"percent":0},"external":{"present":false}}"#, " battery=0"),
        ("temperature:0", r#"{"id":0,"tC":20.5,"tF":68.9}"#, " temperature=20.5"),
        ("temperature:101", r#"{"id":101,"tC":-3.2,"tF":26.2}"#, " temperature=-3.2@temperature:101"),
        ("temperature:0", r#"{"id":0,"tF":50}"#, " temperature=10"),
        ("temperature:0", r#"{"id":0,"tC":null,"tF":null,"errors":["read"]}"#, ""),
        ("humidity:0", r#"{"id":0,"rh":57}"#, " humidity=57"),
        ("illuminance:0", r#"{"id":0,"lux":18,"illumination":"dark"}"#, " illuminance=18"),
        ("presencezone:200", r#"{"id":200,"value":true,"num_objects":2}"#, " presence=true@presencezone:200"),
        ("presencezone:200", r#"{"id":200,"num_objects":0}"#, " presence=false@presencezone:200"),
        ("presence", r#"{"num_objects":1}"#, " presence=true"),
        (
            "switch:0",
            r#"{"id":0,"output":true,"apower":8.9,"voltage":230,"temperature":{"tC":53,"tF":128}}"#,
            " power=8.9",
        ),
        ("switch:1", r#"{"id":1,"apower":0}"#, " power=0@switch:1"),
        ("em:0", r#"{"a_act_power":1,"total_act_power":300.5}"#, " power=300.5"),
        ("em1:1", r#"{"act_power":-20}"#, " power=-20@em1:1"),
        ("bthomedevice:200", r#"{"id":200,"rssi":-60,"battery":95,"packet_id":7}"#, " battery=95@bthomedevice:200"),
        ("blutrv:201", r#"{"id":201,"current_C":20.1,"target_C":21,"battery":80}"#, " battery=80@blutrv:201"),
        ("bthomesensor:203", r#"{"id":203,"value":true}"#, ""),
        ("input:0", r#"{"id":0,"state":true}"#, ""),
        ("input:100", r#"{"id":100,"percent":45.6}"#, ""),
        ("thermostat:0", r#"{"id":0,"current_C":21,"target_C":22}"#, ""),
        ("voltmeter:100", r#"{"id":100,"voltage":4.3}"#, ""),
        ("sys", r#"{"unixtime":1772366400,"wakeup_reason":{"cause":"alarm"}}"#, ""),
        ("wifi", r#"{"status":"got ip"}"#, ""),
        ("smokey:0", r#"{"alarm":true}"#, ""),
    ]);
}

#[test]
fn a_full_status_tells_all_and_when() {
    let status = r#"{"src":"shellyhtg3-1","dst":"shellyhtg3-1/events","method":"NotifyFullStatus","params":{"ts":1772366400.25,
        "cloud":{"connected":false},"devicepower:0":{"id":0,"battery":{"V":5.4,"percent":88},"external":{"present":false}},
        "humidity:0":{"id":0,"rh":41.5},"temperature:0":{"id":0,"tC":19,"tF":66.2},"ts2":1}}"#;
    let decoded = decoded(&Lore::default(), &shelly(), "shellyhtg3-1/events/rpc", status);
    assert_eq!(told(&decoded), "shellyhtg3-1: battery=88 humidity=41.5 temperature=19");
    assert_eq!(reports(&decoded)[0].device_time.map(|t| t.0), Some(1_772_366_400_250));
}

fn notified(events: &str) -> String {
    format!(r#"{{"src":"x-1","method":"NotifyEvent","params":{{"ts":1772366400.5,"events":[{events}]}}}}"#)
}

#[test]
fn events() {
    let push =
        |component: &str, word: &str| format!(r#"{{"component":"{component}","event":"{word}","ts":1772366401}}"#);
    for (events, expected) in [
        (push("input:0", "single_push"), "x-1: button=single_push!"),
        (push("input:2", "long_push"), "x-1: button=long_push@input:2!"),
        (push("bthomedevice:200", "triple_push"), "x-1: button=triple_push@bthomedevice:200!"),
        (push("input:0", "btn_down"), "x-1:"),
        (push("input:0", "btn_up"), "x-1:"),
        (push("input:0", "toggle"), "x-1:"),
        (push("switch:0", "single_push"), "x-1:"),
        (push("sys", "sleep"), "x-1:"),
        (push("smoke:0", "alarm"), "x-1: smoke=true"),
        (push("smoke:0", "alarm_off"), "x-1: smoke=false"),
        (push("smoke:0", "alarm_test"), "x-1:"),
        (push("flood:0", "alarm"), "x-1: water_leak=true"),
        (push("flood:0", "alarm_off"), "x-1: water_leak=false"),
        (
            [push("input:0", "btn_down"), push("input:0", "double_push"), push("input:1", "single_push")].join(","),
            "x-1: button=double_push!; x-1: button=single_push@input:1!",
        ),
        (String::new(), "x-1:"),
        ("1,null,{\"component\":\"input:0\"}".into(), "x-1:"),
    ] {
        check(&Lore::default(), &shelly(), &[("x-1/events/rpc", &notified(&events), expected)]);
    }
    let many = vec![push("input:0", "single_push"); MAX_EVENTS + 1].join(",");
    check(
        &Lore::default(),
        &shelly(),
        &[("x-1/events/rpc", &notified(&many), "rejected: too many properties or items")],
    );
}

#[test]
fn an_event_has_its_own_time_and_name() {
    let report = |events: &str| {
        let decoded = decoded(&Lore::default(), &shelly(), "x-1/events/rpc", &notified(events));
        reports(&decoded)[0].clone()
    };
    let push = report(r#"{"component":"input:0","event":"single_push","ts":1772366401.25}"#);
    assert_eq!(push.device_time.map(|t| t.0), Some(1_772_366_401_250));
    assert_eq!(push.event_id.as_deref(), Some("input:0/single_push/@1772366401250"));
    let later = report(r#"{"component":"input:0","event":"single_push","ts":1772366401.26}"#);
    assert_ne!(push.event_id, later.event_id);
    let framed = report(r#"{"component":"input:0","event":"single_push"}"#);
    assert_eq!(framed.device_time.map(|t| t.0), Some(1_772_366_400_500), "the notification's, where it has none");
    let blu = |address: &str| {
        let packet = format!(r#"{{"BTHome_version":2,"button":1,"address":"{address}"}}"#);
        report(&format!(r#"{{"component":"script:1","event":"shelly-blu","data":{packet},"ts":1772366401}}"#)).event_id
    };
    assert_ne!(blu("aa:01"), blu("aa:02"), "two buttons at the same moment are two presses");
    let unset = r#"{"method":"NotifyEvent","params":{"ts":12.5,"events":[{"component":"input:0","event":"single_push","ts":12.5}]}}"#;
    let unset = decoded(&Lore::default(), &shelly(), "x-1/events/rpc", unset);
    let unset = &reports(&unset)[0];
    assert_eq!((unset.device_time, &unset.event_id), (None, &None), "a clock not set yet may say the same twice");
}

#[test]
fn bluetooth_devices_of_the_vendors_scripts() {
    let packet = |data: &str| {
        notified(&format!(r#"{{"component":"script:2","id":2,"event":"shelly-blu","data":{data},"ts":1772366401}}"#))
    };
    let blu = |event: &str, data: &str| {
        notified(&format!(r#"{{"component":"blu","event":"{event}","data":{data},"ts":1772366401}}"#))
    };
    let state = |state: &str| {
        format!(r#"{{"method":"NotifyStatus","params":{{"ts":1,"blu":{{"shellybludw-aabb":{state}}}}}}}"#)
    };
    for (payload, expected) in [
        (
            packet(r#"{"BTHome_version":2,"pid":9,"battery":98,"illuminance":174,"motion":1,"address":"aa:bb"}"#),
            "x-1: motion=true@aa:bb battery=98@aa:bb illuminance=174@aa:bb",
        ),
        (packet(r#"{"BTHome_version":2,"window":1,"rotation":0,"address":"aa:bb"}"#), "x-1: contact=open@aa:bb"),
        (packet(r#"{"BTHome_version":2,"window":0,"address":"aa:bb"}"#), "x-1: contact=closed@aa:bb"),
        (packet(r#"{"BTHome_version":2,"button":4,"address":"aa:bb"}"#), "x-1: button=long_push@aa:bb!"),
        (packet(r#"{"BTHome_version":2,"button":0,"battery":5,"address":"aa:bb"}"#), "x-1: battery=5@aa:bb"),
        (packet(r#"{"BTHome_version":2,"button":[0,0,2],"address":"aa:bb"}"#), "x-1: button=double_push@aa:bb:2!"),
        (packet(r#"{"payload":{"BTHome_version":2,"motion":0,"address":"aa:bb"}}"#), "x-1: motion=false@aa:bb"),
        (packet(r#"{"BTHome_version":2,"encryption":true,"address":"aa:bb"}"#), "x-1:"),
        (packet(r#"{"motion":1,"address":"aa:bb"}"#), "x-1:"),
        (packet(r#"{"BTHome_version":2,"motion":1}"#), "x-1:"),
        (
            state(r#"{"addr":"aa:bb","battery":90,"window":1,"button":1,"device_type":"door-window"}"#),
            "x-1: contact=open@shellybludw-aabb battery=90@shellybludw-aabb",
        ),
        (
            blu("button", r#"{"device":"shellyblubutton1-aabb","value":1,"event":"press"}"#),
            "x-1: button=single_push@shellyblubutton1-aabb!",
        ),
        (blu("button", r#"{"device":"shellyblubutton1-aabb","value":0,"event":"none"}"#), "x-1:"),
        (blu("scan_result", r#"{"source":"ble","service_data":{"button":1}}"#), "x-1:"),
    ] {
        check(&Lore::default(), &shelly(), &[("x-1/events/rpc", &payload, expected)]);
    }
}

#[test]
fn topics() {
    let smoke = r#"{"id":0,"alarm":true}"#;
    let broken = "rejected: the JSON is broken, cut off or nested too deeply";
    let command = "ignored: a command to a device";
    check(
        &Lore::default(),
        &shelly(),
        &[
            ("x-1/online", "true", "x-1: online=true"),
            ("x-1/online", "false", "x-1: online=false"),
            ("x-1/online", "offline", "rejected: neither online nor offline"),
            ("x-1/online", "", "ignored: empty: a retained state was deleted, or a value is unknown"),
            ("x-1/status/smoke:0", "", "ignored: empty: a retained state was deleted, or a value is unknown"),
            ("x-1/status/smoke:0", "{\"alarm\":tr", broken),
            ("x-1/status/smoke:0", "[true]", "rejected: the payload is no JSON object"),
            ("x-1/events/rpc", "{", broken),
            ("x-1/events/rpc", r#"{"method":"NotifyStatus"}"#, "ignored: nothing of interest"),
            ("x-1/events/rpc", r#"{"method":"NotifyEvent","params":7}"#, "x-1:"),
            (
                "x-1/events/rpc",
                r#"{"id":1,"src":"x-1","result":{"smoke:0":{"alarm":true}}}"#,
                "ignored: nothing of interest",
            ),
            ("x-1/rpc", r#"{"method":"Switch.Set"}"#, "ignored: no source listens on this topic"),
        ],
    );
    let named = source(Dialect::ShellyGen2, "shellies/{home}/{device}");
    check(
        &Lore::default(),
        &named,
        &[
            ("shellies/h1/hall/smoke-1/status/smoke:0", smoke, "h1/hall/smoke-1: smoke=true"),
            ("shellies/h1/smoke-1/online", "true", "h1/smoke-1: online=true"),
            ("shellies/h1/smoke-1/events/rpc", r#"{"method":"NotifyStatus","params":{}}"#, "h1/smoke-1:"),
            ("shellies/h1/smoke-1/rpc", r#"{"method":"Smoke.Mute"}"#, command),
            ("shellies/h1/smoke-1/command", "announce", command),
            ("shellies/h1/smoke-1/debug/log", "smoke:0 alarm", "ignored: nothing of interest"),
        ],
    );
    let fixed = source(Dialect::ShellyGen2, "{home}/{room}/{device}/status/{component}");
    check(&Lore::default(), &fixed, &[("h1/hall/smoke-1/status/smoke:0", smoke, "h1/hall/smoke-1: smoke=true")]);
}

#[test]
fn what_people_told() {
    let (on, off): (&[&str], &[&str]) = (&["true"], &["false"]);
    let source = shelly();
    let lore = profiled(
        &source,
        "x-1",
        &[
            ("input:0", Some(Kind::Contact), on, off),
            ("input:1", Some(Kind::Sos), &["long_push"], &[]),
            ("input:2", None, &[], &[]),
            ("bthomesensor:203", Some(Kind::Motion), on, off),
            ("input:3.percent", Some(Kind::Humidity), &[], &[]),
            ("temperature:0.tC", None, &[], &[]),
        ],
    );
    let push = |n: u8, word: &str| notified(&format!(r#"{{"component":"input:{n}","event":"{word}"}}"#));
    check(
        &lore,
        &source,
        &[
            ("x-1/status/input:0", r#"{"id":0,"state":true}"#, "x-1: contact=open"),
            ("x-1/status/input:0", r#"{"id":0,"state":false}"#, "x-1: contact=closed"),
            ("x-1/status/input:0", r#"{"id":0,"state":null}"#, "x-1:"),
            ("x-1/events/rpc", &push(0, "toggle"), "x-1:"),
            ("x-1/events/rpc", &push(1, "long_push"), "x-1: sos=true@input:1!"),
            ("x-1/events/rpc", &push(1, "single_push"), "x-1:"),
            ("x-1/events/rpc", &push(2, "single_push"), "x-1:"),
            ("x-1/status/bthomesensor:203", r#"{"id":203,"value":true}"#, "x-1: motion=true@bthomesensor:203"),
            ("x-1/status/input:3", r#"{"id":3,"percent":40}"#, "x-1: humidity=40@input:3"),
            ("x-1/status/temperature:0", r#"{"id":0,"tC":20}"#, "x-1:"),
            ("y-1/status/input:0", r#"{"id":0,"state":true}"#, "y-1:"),
        ],
    );
    assert_eq!(model("h1/shellyplussmoke-80646fd0c1a2"), "shellyplussmoke");
    assert_eq!(model("hall"), "");
}

#[test]
fn a_retained_status_says_so() {
    let message = Message { topic: "x-1/status/smoke:0", payload: br#"{"alarm":true}"#, retain: true };
    assert!(reports(&decode(&Lore::default(), &shelly(), &message))[0].retained);
}
