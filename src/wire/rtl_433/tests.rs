//! What comes out of rtl_433's messages.

use crate::engine::dialect::Dialect;
use crate::engine::kind::Kind;
use crate::wire::tests::{check, decoded, profiled, reports, source};
use crate::wire::{Lore, Source};

fn radio() -> Source {
    source(Dialect::Rtl433, Dialect::Rtl433.usual_topics()[0])
}

/// Events of one model; the id is 7.
#[track_caller]
fn check_events(model: &str, table: &[(&str, &str)]) {
    for (fields, expected) in table {
        let payload = format!(r#"{{"time":"2026-03-01 12:00:00","model":"{model}","id":7,{fields}}}"#);
        let expected = format!("{model}/7:{expected}");
        check(&Lore::default(), &radio(), &[("rtl_433/attic/events", &payload, &expected)]);
    }
}

#[test]
fn security_sensors() {
    check_events(
        "Kerui-Security",
        &[
            (r#""cmd":10,"motion":1,"state":"motion""#, " motion=true!"),
            (r#""cmd":14,"opened":1,"state":"open""#, " contact=open"),
            (r#""cmd":11,"tamper":1,"state":"tamper""#, " tamper=true!"),
            (r#""cmd":5,"water":1,"state":"water""#, " water_leak=true!"),
            (r#""cmd":15,"battery_ok":0,"state":"battery""#, " battery_low=true"),
        ],
    );
    check_events(
        "Honeywell-Security",
        &[(
            r#""event":160,"state":"open","contact_open":1,"reed_open":0,"alarm":1,"tamper":0,"battery_ok":1,"heartbeat":0"#,
            " contact=open contact=closed@reed tamper=false battery_low=false",
        )],
    );
    check_events(
        "DSC-Security",
        &[
            (
                r#""closed":0,"event":1,"tamper":1,"battery_ok":0,"xactivity":1,"status":130"#,
                " contact=open tamper=true battery_low=true",
            ),
            (r#""closed":1,"event":0,"tamper":0,"battery_ok":1"#, " contact=closed tamper=false battery_low=false"),
        ],
    );
    check_events(
        "SimpliSafe-Sensor",
        &[
            (r#""seq":3,"state":1,"extradata":"Contact Open""#, " contact=open"),
            (r#""seq":4,"state":3,"extradata":"Alarm Off""#, ""),
        ],
    );
    check_events(
        "SimpliSafe-Keypad",
        &[
            (r#""extradata":"Keypad Panic Button""#, " sos=true!"),
            (r#""extradata":"Arm System - Home""#, " button=Arm System - Home!"),
            (r#""extradata":"Disarm Pin: 1234""#, ""),
        ],
    );
    check_events(
        "Visonic-Powercode",
        &[(r#""tamper":1,"alarm":1,"battery_ok":1,"restore":1"#, " tamper=true battery_low=false")],
    );
    check_events("Jasco-Security", &[(r#""status":1"#, " contact=closed"), (r#""status":0"#, " contact=open")]);
    check_events("Risco-RWX95P", &[(r#""counter":9,"motion":1,"battery_ok":1"#, " motion=true! battery_low=false")]);
    check_events(
        "Vivint-Security",
        &[(r#""state":"open","contact_open":1"#, " contact=open"), (r#""state":"closed""#, " contact=closed")],
    );
    check_events("DoorContactAliExp", &[(r#""state":"OPEN""#, " contact=open"), (r#""state":"UNKNOWN""#, "")]);
    check_events(
        "Chuango-Security",
        &[
            (r#""cmd":"Tamper","cmd_id":3"#, " tamper=true!"),
            (r#""cmd":"Low Battery","cmd_id":13"#, " battery_low=true"),
            (r#""cmd":"Home Mode","cmd_id":4"#, " button=Home Mode!"),
            (r#""cmd":"24H Zone","cmd_id":11"#, ""),
        ],
    );
}

#[test]
fn x10() {
    check_events(
        "X10-Security",
        &[
            (r#""code":"0c","event":"MOTION TRIPPED""#, " motion=true"),
            (r#""code":"8c","event":"MOTION READY""#, " motion=false"),
            (
                r#""code":"05","event":"DOOR/WINDOW OPEN","battery_ok":0,"tamper":1"#,
                " contact=open battery_low=true tamper=true!",
            ),
            (r#""code":"80","event":"DOOR/WINDOW CLOSED","delay":1"#, " contact=closed"),
            (r#""code":"26","event":"KR18 PANIC""#, " sos=true!"),
            (r#""code":"98","event":"KR15 PANIC-3SECOND""#, " sos=true!"),
            (r#""code":"86","event":"KEY-FOB DISARM""#, " button=KEY-FOB DISARM!"),
            (r#""code":"99","event":"UNKNOWN""#, ""),
        ],
    );
}

#[test]
fn smoke_and_water() {
    check_events(
        "Smoke-GS558",
        &[(r#""unit":3,"learn":0,"code":"d1e2f3""#, " smoke=true!"), (r#""unit":3,"learn":1"#, "")],
    );
    check_events("Kidde-Smoke", &[(r#""freq":433.9"#, "")]);
    check_events(
        "Cavius-Security",
        &[
            (r#""battery_ok":1,"message":32,"text":"Fire alarm""#, " battery_low=false smoke=true!"),
            (r#""battery_ok":1,"message":64,"text":"Test alarm""#, " battery_low=false"),
            (r#""battery_ok":0,"message":16,"text":"Warning/Water detected""#, " battery_low=true water_leak=true!"),
        ],
    );
    check_events(
        "Govee-Water",
        &[
            (r#""event":"Water Leak","detect_wet":1"#, " water_leak=true!"),
            (r#""event":"Button Press","detect_wet":0"#, " button=Button Press! water_leak=false"),
            (r#""event":"Battery Report","battery_ok":0.59,"battery_mV":2890"#, " battery=59"),
            (r#""event":"Heartbeat""#, ""),
        ],
    );
    check_events("Govee-Contact", &[(r#""event":"Open""#, " contact=open!")]);
    check_events("Acurite-Leak", &[(r#""battery_ok":1,"leak_detected":1"#, " battery_low=false water_leak=true")]);
    check_events("Bresser-Leakage", &[(r#""alarm":0,"battery_ok":1"#, " water_leak=false battery_low=false")]);
    check_events("Fineoffset-WH55", &[(r#""battery_ok":0.6,"raw_value":900,"alarm":1"#, " battery=60")]);
    check_events("Vaillant-VRT340f", &[(r#""water":1,"heating":0"#, "")]);
}

#[test]
fn what_a_sensor_is_stands_in_its_subtype() {
    for (payload, expected) in [
        (
            r#"{"model":"Honeywell-ActivLink","subtype":"PIR-Motion","id":"1f","battery_ok":1,"alert":"Normal"}"#,
            "Honeywell-ActivLink/PIR-Motion/1f: battery_low=false motion=true!",
        ),
        (
            r#"{"model":"Honeywell-ActivLink","subtype":"Doorbell","id":"1f","battery_ok":1,"alert":"Normal"}"#,
            "Honeywell-ActivLink/Doorbell/1f: battery_low=false",
        ),
        (
            r#"{"model":"Honeywell-ActivLink","subtype":"Contact","id":"1f","open":0,"tampered":1}"#,
            "Honeywell-ActivLink/Contact/1f: contact=closed tamper=true",
        ),
        (
            r#"{"model":"Honeywell-ActivLink","subtype":"Contact","id":"1f","open":-1}"#,
            "Honeywell-ActivLink/Contact/1f:",
        ),
        (
            r#"{"model":"Interlogix-Security","subtype":"contact","id":"a1","switch1":"OPEN","switch2":"OPEN","switch3":"OPEN"}"#,
            "Interlogix-Security/contact/a1: contact=open",
        ),
        (
            r#"{"model":"Interlogix-Security","subtype":"motion","id":"a1","switch1":"CLOSED","switch3":"OPEN"}"#,
            "Interlogix-Security/motion/a1:",
        ),
        (
            r#"{"model":"Interlogix-Security","subtype":"smoke","id":"a1","switch1":"OPEN","switch2":"CLOSED"}"#,
            "Interlogix-Security/smoke/a1: smoke=false",
        ),
        (r#"{"model":"Govee-H5059","id":9,"subtype":6,"event":"Water Leak"}"#, "Govee-H5059/9: water_leak=true!"),
        (r#"{"model":"Generic-Motion","code":"800a2"}"#, "Generic-Motion: motion=true!"),
        (r#"{"model":"Generic-Motion","code":"80008"}"#, "Generic-Motion:"),
    ] {
        check(&Lore::default(), &radio(), &[("rtl_433/attic/events", payload, expected)]);
    }
}

#[test]
fn weather() {
    check_events(
        "Oregon-THGR122N",
        &[
            (r#""battery_ok":1,"temperature_C":-7.5,"humidity":81"#, " battery_low=false temperature=-7.5 humidity=81"),
            (r#""battery":"LOW","temperature_F":50,"moisture":40"#, " battery_low=true temperature=10"),
            (r#""temperature_C":20,"temperature_F":99"#, " temperature=20"),
            (
                r#""temperature_1_C":60,"temperature_2_F":212,"humidity_2":41,"setpoint_C":80"#,
                " temperature=60@1 temperature=100@2 humidity=41@2",
            ),
            (r#""light_lux":1200,"uvi":1,"light_klx":1.2"#, " illuminance=1200"),
            (r#""light_klx":1.5"#, " illuminance=1500"),
            (r#""temperature_C":204.7,"humidity":127"#, ""),
            (r#""alarm":1,"button":1,"state":"ON","water":1"#, ""),
        ],
    );
}

#[test]
fn both_forms_and_all_receivers_name_one_device() {
    let sos = r#"{"model":"X10-Security","channel":"A","id":"a b/2","event":"KR18 PANIC"}"#;
    check(
        &Lore::default(),
        &radio(),
        &[
            ("rtl_433/attic/events", sos, "X10-Security/A/a_b_2: sos=true!"),
            ("rtl_433/cellar/devices/X10-Security/A/a_b_2/event", "KR18 PANIC", "X10-Security/A/a_b_2: sos=true!"),
            ("rtl_433/attic/sensors/x", sos, "X10-Security/A/a_b_2: sos=true!"),
            ("rtl_433/attic/devices/DSC-Security/9/closed", "0", "DSC-Security/9: contact=open"),
            (
                "rtl_433/attic/devices/Honeywell-ActivLink/PIR-Motion/1f/alert",
                "High",
                "Honeywell-ActivLink/PIR-Motion/1f: motion=true!",
            ),
            ("rtl_433/attic/devices/Govee-H5059/6/9/event", "Water Leak", "Govee-H5059/9: water_leak=true!"),
            (
                "rtl_433/attic/devices/DSC-Security/9/time",
                "2026-03-01 12:00:00",
                "ignored: an attribute of no interest",
            ),
            ("rtl_433/attic/devices/DSC-Security/9/event", "1", "ignored: an attribute of no interest"),
            ("rtl_433/attic/devices/TPMS/Toyota/1/temperature_C", "20", "ignored: an attribute of no interest"),
            ("rtl_433/attic/states", r#"{"enabled":200}"#, "ignored: the bridge speaks of itself"),
            ("rtl_433/attic/events", r#"{"enabled":200}"#, "ignored: the bridge speaks of itself"),
            (
                "rtl_433/attic/events",
                r#"{"type":"TPMS","model":"Toyota","id":1,"temperature_C":20,"battery_ok":1}"#,
                "TPMS/Toyota/1:",
            ),
            ("rtl_433/attic/events", "{\"model\":", "rejected: the JSON is broken, cut off or nested too deeply"),
            ("rtl_433/attic/availability", "online", "ignored: nothing of interest"),
            ("rtl_433/attic/events", "[]", "rejected: the payload is no JSON object"),
        ],
    );
    let homes = source(Dialect::Rtl433, "rtl_433/{home}/{device}");
    let payload = r#"{"model":"Risco-RWX95P","id":3,"motion":1}"#;
    let decoded = decoded(&Lore::default(), &homes, "rtl_433/h1/events", payload);
    assert_eq!(reports(&decoded)[0].home_hint.as_deref(), Some("h1"));
    check(
        &Lore::default(),
        &homes,
        &[
            ("rtl_433/h1/events", payload, "h1/Risco-RWX95P/3: motion=true!"),
            ("rtl_433/h1/devices/Risco-RWX95P/3/motion", "1", "h1/Risco-RWX95P/3: motion=true!"),
        ],
    );
}

#[test]
fn a_time_counts_with_its_zone_only() {
    let noon = Some(1_772_366_400_000);
    for (time, expected) in [
        (r#""2026-03-01 12:00:00""#, None),
        (r#""@0.13s""#, None),
        (r#""2026-03-01T12:00:00Z""#, noon),
        (r#""2026-03-01 20:00:00+0800""#, noon),
        (r#""2026-03-01T12:00:00.250+0000""#, noon.map(|t| t + 250)),
        (r#""1772366400""#, noon),
        (r#""1772366400.500000""#, noon.map(|t| t + 500)),
        ("1772366400", noon),
        (r#""0""#, None),
    ] {
        let payload = format!(r#"{{"time":{time},"model":"M","id":1,"humidity":40}}"#);
        let decoded = decoded(&Lore::default(), &radio(), "rtl_433/attic/events", &payload);
        assert_eq!(reports(&decoded)[0].device_time.map(|t| t.0), expected, "{time}");
    }
}

#[test]
fn profiles() {
    let told: &[(&str, _, &[&str], &[&str])] = &[
        ("cmd", Some(Kind::Sos), &["192"], &[]),
        ("battery_ok", None, &[], &[]),
        ("state", Some(Kind::Contact), &["ON"], &["OFF"]),
    ];
    let lore = profiled(&radio(), "Generic-Remote/7", told);
    let event = |fields: &str| format!(r#"{{"model":"Generic-Remote","id":7,{fields}}}"#);
    for (fields, expected) in [
        (r#""cmd":192,"tristate":"00""#, "Generic-Remote/7: sos=true!"),
        (r#""cmd":12,"battery_ok":1"#, "Generic-Remote/7:"),
        (r#""state":"ON""#, "Generic-Remote/7: contact=open"),
    ] {
        check(&lore, &radio(), &[("rtl_433/attic/events", &event(fields), expected)]);
    }
    check(&lore, &radio(), &[("rtl_433/attic/devices/Generic-Remote/7/cmd", "192", "Generic-Remote/7: sos=true!")]);
}
