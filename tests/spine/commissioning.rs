//! A home is fitted out: twelve devices of four languages, imported from a spreadsheet, tested one by one, signed off. A pendant was heard
//! before anybody knew whose it is, and something spoke that nobody can read.

use super::SOON;
use super::broker::Broker;
use super::gateway::{Gateway, Registry, eventually};
use super::listener::publish;
use super::receiver::Receiver;
use serde_json::{Value, json};
use std::io::Write as _;

/// The devices as a table of a Chinese office has them.
const DEVICES: &str = "\
设备编号,户号,来源,设备地址,型号,设备规则,求助设备
h001-sos,h001,z,h001/sos,,,是
h001-motion,h001,z,h001/hall,RTCGQ11LM,,否
h001-door,h001,z,h001/door,,,否
h001-smoke,h001,z,h001/smoke,,,是
h001-leak,h001,z,h001/leak,,,否
h001-cord,h001,own,h001/cord,,,是
h001-bed,h001,own,h001/bed,,,否
h001-button,h001,lora,70b3d57ed0000001,WS101,long-press,是
h001-window,h001,lora,70b3d57ed0000002,WS301,,否
h001-pir,h001,tas,bath_pir,,wired-pir,否
h001-climate,h001,tas,bath_climate,,,否
";

/// What each of them says when the installer triggers it.
const TRIGGERED: [(&str, &str); 11] = [
    ("zigbee2mqtt/h001/sos", r#"{"action":"emergency","battery":91,"linkquality":140}"#),
    ("zigbee2mqtt/h001/hall", r#"{"occupancy":true,"battery":88,"linkquality":60}"#),
    ("zigbee2mqtt/h001/door", r#"{"contact":false,"battery":70,"linkquality":30}"#),
    ("zigbee2mqtt/h001/smoke", r#"{"smoke":true,"battery":100,"linkquality":99}"#),
    ("zigbee2mqtt/h001/leak", r#"{"water_leak":true,"battery":99,"linkquality":80}"#),
    ("hearthwatch/t/h001/cord", r#"{"kind":"sos","value":true}"#),
    ("hearthwatch/t/h001/bed", r#"[{"kind":"bed","value":true},{"kind":"battery","value":77}]"#),
    (
        "application/7/device/70b3d57ed0000001/event/up",
        r#"{"deduplicationId":"a1","fPort":85,"object":{"button_event":{"status":"long press","msgid":1.0},"battery":64.0}}"#,
    ),
    (
        "application/7/device/70b3d57ed0000002/event/up",
        r#"{"deduplicationId":"a2","fPort":85,"object":{"magnet_status":"open","battery":93.0}}"#,
    ),
    ("tele/bath_pir/SENSOR", r#"{"Time":"2026-03-01T08:00:00","Switch1":"ON"}"#),
    (
        "tele/bath_climate/SENSOR",
        r#"{"Time":"2026-03-01T08:00:00","AM2301":{"Temperature":22.1,"Humidity":48.0},"TempUnit":"C"}"#,
    ),
];

/// What the devices say at rest, before anybody triggers them: a contact or a bed tells by its change.
const AT_REST: [(&str, &str); 4] = [
    ("zigbee2mqtt/h001/door", r#"{"contact":true,"battery":70,"linkquality":30}"#),
    ("hearthwatch/t/h001/bed", r#"{"kind":"bed","value":false}"#),
    ("application/7/device/70b3d57ed0000002/event/up", r#"{"fPort":85,"object":{"magnet_status":"close"}}"#),
    ("tele/bath_pir/SENSOR", r#"{"Time":"2026-03-01T07:59:00","Switch1":"OFF"}"#),
];

const PROFILES: &str = r#"
[[profile]]
id = "long-press"
[[profile.property]]
name = "button_event.status"
kind = "sos"
on = ["long press"]
[[profile]]
id = "wired-pir"
[[profile.property]]
name = "Switch1"
kind = "motion"
on = ["ON"]
off = ["OFF"]
"#;

const PENDANT: &str = "application/7/device/70b3d57ed00000ff/event/up";
const PENDANT_CALLS: &str = r#"{"deduplicationId":"p1","fPort":2,"object":{"data_type":"SOS","alarm":"SOS"}}"#;

fn district(broker: &Broker, receiver: &Receiver) -> Gateway {
    let gateway = Gateway::new(&broker.url());
    let mut config = std::fs::OpenOptions::new().append(true).open(gateway.dir().join("hearthwatch.toml")).unwrap();
    let more =
        "[source.lora]\nsite = \"t\"\ndialect = \"chirpstack\"\n[source.tas]\nsite = \"t\"\ndialect = \"tasmota\"\n";
    config.write_all(more.as_bytes()).unwrap();
    let ladder = [("desk", 3_600)];
    let registry = Registry::default()
        .channel(&gateway, "desk", &receiver.url())
        .ladder("life", 3_600, &ladder)
        .home("h001", None);
    gateway.import(registry.text());
    gateway
}

fn ask(gateway: &Gateway, path: &str) -> Value {
    let (status, body) = gateway.get(path).expect("an answer");
    assert_eq!(status, 200, "{path}: {body}");
    serde_json::from_str(&body).expect("JSON")
}

fn order(gateway: &Gateway, path: &str, body: Value) -> (u16, Value) {
    let (status, body) = gateway.post(path, &body.to_string()).expect("an answer");
    (status, serde_json::from_str(&body).unwrap_or(Value::Null))
}

#[test]
fn a_home_of_twelve_devices_is_imported_tested_and_signed_off() {
    let (broker, receiver) = (Broker::start(), Receiver::start());
    let mut gateway = district(&broker, &receiver);
    gateway.start();
    let say = |topic: &str, payload: &str| publish(&broker.url(), [(topic, payload.to_owned())]);

    // Heard before anybody knew them.
    say(PENDANT, PENDANT_CALLS);
    say("zigbee2mqtt/h001/hall", "{\"occupancy\":");
    receiver.wait_for(1, SOON);
    let found = || ask(&gateway, "/api/v1/quarantine");
    eventually("both in the quarantine", || {
        let found = found();
        found["devices"].as_array().is_some_and(|d| d.len() == 1)
            && found["unreadable"].as_array().is_some_and(|u| u.len() == 1)
    });
    let (pendant, unreadable) = (found()["devices"][0].clone(), found()["unreadable"][0].clone());
    assert_eq!((&pendant["address"], &pendant["source"]), (&json!("70b3d57ed00000ff"), &json!("lora")));
    assert_eq!(pendant["open_alarms"].as_array().map(Vec::len), Some(1), "{pendant}");
    assert_eq!((&unreadable["topic"], &unreadable["count"]), (&json!("zigbee2mqtt/h001/hall"), &json!(1)));

    // The eleven of the list, and the pendant as the twelfth: its call goes along, to the home's people.
    let spreadsheet = encoding_rs::GBK.encode(DEVICES).0;
    std::fs::write(gateway.dir().join("devices.csv"), spreadsheet).unwrap();
    std::fs::write(gateway.dir().join("profiles.toml"), PROFILES).unwrap();
    let files = ["profiles.toml", "devices.csv"].map(|name| gateway.dir().join(name).display().to_string());
    let done = gateway.command(&["import", &files[0], &files[1]]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let claim = json!({"home": "h001", "room": "wrist", "model": "", "life": true, "device": "h001-pendant"});
    let path = format!("/api/v1/quarantine/{}/claim", pendant["id"].as_str().unwrap());
    let (status, answer) = order(&gateway, &path, claim);
    assert_eq!(status, 200, "{answer}");
    eventually("the pendant's alarm in its home", || gateway.shown_open() == [("h001".to_owned(), "sos".to_owned())]);
    assert_eq!(found()["devices"], json!([]));
    let alarms = ask(&gateway, "/api/v1/alarms");
    let alarm = format!("/api/v1/alarms/{}", alarms["alarms"][0]["id"].as_str().unwrap());
    for (act, more) in
        [("seen", json!({})), ("safe", json!({"how": "spoke"})), ("close", json!({"outcome": "accidental"}))]
    {
        // What a notice comes to is a change of its alarm, too: then one looks again, as the answer says.
        eventually(act, || {
            let mut body = more.clone();
            body["revision"] = ask(&gateway, &alarm)["revision"].clone();
            let (status, answer) = order(&gateway, &format!("{alarm}/{act}"), body);
            let outdated = answer["reason"] == "stale_revision";
            assert!(outdated || status == 200, "{act}: {answer}");
            !outdated
        });
    }
    gateway.wait_for_outcomes();
    let told = receiver.requests().len();

    // The walk test.
    for (topic, payload) in AT_REST {
        say(topic, payload);
    }
    let test = "/api/v1/homes/h001/walk-test";
    assert_eq!(order(&gateway, test, json!({"order": "open", "minutes": 10, "presses": 1})).0, 200);
    let (status, refused) = order(&gateway, test, json!({"order": "sign"}));
    assert_eq!(status, 409, "nobody signs for buttons that nobody has seen work: {refused}");
    for (topic, payload) in TRIGGERED {
        say(topic, payload);
    }
    say(PENDANT, &PENDANT_CALLS.replace("p1", "p2"));
    let works =
        || ask(&gateway, test)["devices"].as_array().map(|all| all.iter().filter(|d| d["works"] == true).count());
    eventually("twelve devices that work", || works() == Some(12));
    let state = ask(&gateway, test);
    let of =
        |address: &str| state["devices"].as_array().unwrap().iter().find(|d| d["address"] == address).unwrap().clone();
    assert_eq!(
        (&of("h001/sos")["calls"], &of("h001/sos")["battery"], &of("h001/sos")["signal"]),
        (&json!(1), &json!(91.0), &json!(55))
    );
    assert_eq!(state["unproven"], json!([]));
    gateway.wait_for_outcomes();
    assert_eq!(receiver.requests().len(), told, "a test calls nobody");
    assert_eq!(order(&gateway, test, json!({"order": "sign"})).0, 200);
    let signed = &ask(&gateway, test)["signed"];
    assert_eq!((&signed["by"], signed["devices"].as_array().map(Vec::len)), (&json!("desk"), Some(12)), "{signed}");

    // What burnt at the signature was no test any more; and one more press than announced is real.
    eventually("the smoke that nobody put out, and the leak", || {
        let open = gateway.shown_open();
        ["smoke", "leak"].iter().all(|kind| open.contains(&("h001".to_owned(), (*kind).to_owned())))
    });
    say(TRIGGERED[0].0, TRIGGERED[0].1);
    eventually("a real press", || gateway.shown_open().contains(&("h001".to_owned(), "sos".to_owned())));
    let health = ask(&gateway, "/api/v1/homes/h001/health");
    assert_eq!(health["sos_cover"], true, "{health}");
}
