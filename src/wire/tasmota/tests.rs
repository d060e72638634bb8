//! What comes out of a message of Tasmota.

use super::*;
use crate::engine::dialect::Dialect;
use crate::wire::tests::{check, decoded, profiled, reports, source, told};
use crate::wire::{Lore, Message, Source, TopicTemplate, decode};

/// Both usual topics, as nobody configured them.
fn tasmota() -> Source {
    let topics = Dialect::Tasmota.usual_topics().iter().map(|topic| TopicTemplate::parse(topic).unwrap());
    Source { topics: topics.collect(), ..source(Dialect::Tasmota, "tele/{device}") }
}

#[track_caller]
fn check_device(lore: &Lore, table: &[(&str, &str, &str)]) {
    for (topic, payload, expected) in table {
        let told = told(&decoded(lore, &tasmota(), topic, payload));
        assert_eq!(told.strip_prefix("x:").unwrap_or(&told).trim(), *expected, "{topic} {payload}");
    }
}

/// Telemetry, and the same as the answer to a query.
#[track_caller]
fn check_sensors(table: &[(&str, &str)]) {
    for (payload, expected) in table {
        let answer = format!(r#"{{"StatusSNS":{payload}}}"#);
        check_device(
            &Lore::default(),
            &[
                ("tele/x/SENSOR", payload, expected),
                ("stat/x/STATUS10", &answer, expected),
                ("stat/x/STATUS8", &answer, expected),
            ],
        );
    }
}

#[test]
fn sensors() {
    check_sensors(&[
        (
            r#"{"Time":"2024-05-01T10:00:00","SI7021":{"Temperature":22.5,"Humidity":45.1,"DewPoint":9.9},"TempUnit":"C"}"#,
            "temperature=22.5@SI7021 humidity=45.1@SI7021",
        ),
        (r#"{"DHT11":{"Temperature":50,"Humidity":40},"TempUnit":"F"}"#, "temperature=10@DHT11 humidity=40@DHT11"),
        (r#"{"AM2301":{"Temperature":null,"Humidity":null},"TempUnit":"C"}"#, ""),
        (r#"{"DS18B20":{"Id":"0115","Temperature":-127},"TempUnit":"C"}"#, ""),
        (
            r#"{"DS18B20-1":{"Id":"0115","Temperature":19.5},"DS18B20-2":{"Id":"0116","Temperature":4},"TempUnit":"C"}"#,
            "temperature=19.5@DS18B20-1 temperature=4@DS18B20-2",
        ),
        (
            r#"{"DS18x20":{"DS1":{"Type":"DS18B20","Address":"28FF","Temperature":68},"DS2":{"Temperature":50}},"TempUnit":"F"}"#,
            "temperature=20@DS1 temperature=10@DS2",
        ),
        (
            r#"{"BME680":{"Temperature":24.1,"Humidity":30,"Pressure":988,"Gas":134.8},"PressureUnit":"hPa","TempUnit":"C"}"#,
            "temperature=24.1@BME680 humidity=30@BME680",
        ),
        (r#"{"BH1750":{"Illuminance":79}}"#, "illuminance=79@BH1750"),
        (r#"{"APDS9960":{"Red":282,"Ambient":169,"CCT":4217,"Proximity":9}}"#, "illuminance=169@APDS9960"),
        (
            r#"{"ANALOG":{"Temperature1":21,"Temperature2":8,"A0":512,"Illuminance3":40},"TempUnit":"C"}"#,
            "temperature=21@ANALOG-1 temperature=8@ANALOG-2 illuminance=40@ANALOG-3",
        ),
        (
            r#"{"SCD30":{"CarbonDioxide":746,"eCO2":727,"Temperature":26.6,"Humidity":38.5}}"#,
            "temperature=26.6@SCD30 humidity=38.5@SCD30",
        ),
        (r#"{"HX711":{"Weight":62.4,"WeightRaw":62400}}"#, "weight=62.4@HX711"),
        (
            r#"{"ENERGY":{"TotalStartTime":"2020-01-01T00:00:00","Total":3.1,"Power":41,"ApparentPower":45,"Voltage":230}}"#,
            "power=41",
        ),
        (r#"{"ENERGY":{"Power":[20,30]},"BL0940":{"Temperature":48},"TempUnit":"C"}"#, ""),
        (
            r#"{"ESP32":{"Temperature":53.3},"DS3231":{"Temperature":31},"AXP192":{"Temperature":44},"TempUnit":"C"}"#,
            "",
        ),
        (r#"{"MLX90614":{"ObjectTemp":36.8,"AmbientTemp":22},"MAX31855":{"ProbeTemperature":90}}"#, ""),
        (r#"{"LD2410":{"Distance":[200,181,144],"Energy":[13,100]}}"#, ""),
        (r#"{"COUNTER":{"C1":7},"Switch1":"ON","Shutter1":{"Position":50}}"#, ""),
        (r#"{"Temperature":20,"Battery":[5]}"#, ""),
    ]);
}

#[test]
fn no_message_has_readings_without_end() {
    let blocks = (0..500).map(|n| format!(r#""B{n}":{{"Temperature":20}}"#)).collect::<Vec<_>>().join(",");
    let decoded = decoded(&Lore::default(), &tasmota(), "tele/x/SENSOR", &format!("{{{blocks}}}"));
    assert_eq!(reports(&decoded)[0].readings.len(), 256);
}

#[test]
fn bluetooth_sensors() {
    check_sensors(&[
        (
            r#"{"ATCa1b2c3":{"mac":"a4c138a1b2c3","Temperature":21.4,"Humidity":52,"DewPoint":11,"Battery":87,"RSSI":-70}}"#,
            "temperature=21.4@ATCa1b2c3 humidity=52@ATCa1b2c3 battery=87@ATCa1b2c3",
        ),
        (
            r#"{"MJYD2S-a1b2c3":{"Motion":1,"Events":12,"Illuminance":100,"RSSI":-60}}"#,
            "motion=true@MJYD2S-a1b2c3 illuminance=100@MJYD2S-a1b2c3",
        ),
        (r#"{"MJYD2S-a1b2c3":{"Motion":0,"NMT":120}}"#, "motion=false@MJYD2S-a1b2c3"),
        (r#"{"MCCGQ02-a1b2c3":{"Door":1,"Events":3}}"#, "contact=open@MCCGQ02-a1b2c3"),
        (r#"{"MCCGQ02-a1b2c3":{"Door":0}}"#, "contact=closed@MCCGQ02-a1b2c3"),
        (
            r#"{"SJWS01L-a1b2c3":{"Leak":1,"Button1":2}}"#,
            "water_leak=true@SJWS01L-a1b2c3 button=Button1 2@SJWS01L-a1b2c3!",
        ),
        (r#"{"YLYK01-a1b2c3":{"Btn":3}}"#, "button=3@YLYK01-a1b2c3!"),
        (r#"{"Flora-a1b2c3":{"Moisture":30,"Fertility":200,"Illuminance":5}}"#, "illuminance=5@Flora-a1b2c3"),
    ]);
}

#[test]
fn presses_and_words() {
    let not_json = "rejected: the JSON is broken, cut off or nested too deeply";
    check_device(
        &Lore::default(),
        &[
            ("stat/x/RESULT", r#"{"Button1":{"Action":"SINGLE"}}"#, "button=SINGLE!"),
            ("stat/x/RESULT", r#"{"Button3":{"Action":"HOLD"}}"#, "button=HOLD@Button3!"),
            ("stat/x/RESULT", r#"{"Button1":{"Action":"CLEAR"}}"#, ""),
            ("stat/x/BUTTON1", r#"{"ACTION":"DOUBLE"}"#, "button=DOUBLE!"),
            ("stat/x/BUTTON2", r#"{"Button2":{"Action":"TRIPLE"}}"#, "button=TRIPLE@Button2!"),
            ("stat/x/BUTTON1", "SINGLE", "button=SINGLE!"),
            ("stat/x/RESULT", r#"{"Switch1":{"Action":"ON"}}"#, ""),
            ("stat/x/SWITCH1", "ON", ""),
            ("stat/x/RESULT", r#"{"POWER":"ON"}"#, ""),
            ("stat/x/RESULT", r#"{"AM2301":{"Temperature":20}}"#, ""),
            ("stat/x/POWER", "ON", ""),
            ("stat/x/PIR1", "ON", "motion=true"),
            ("stat/x/PIR2", "OFF", "motion=false@PIR2"),
            ("stat/x/MOTION", "1", "motion=true"),
            ("stat/x/motion", "0", "motion=false"),
            ("stat/x/MOTION", "2", ""),
            ("stat/x/DOOR", "ON", "contact=open"),
            ("stat/x/DOOR", "OFF", "contact=closed"),
            ("stat/x/LEAK", "ON", "water_leak=true"),
            ("stat/x/SMOKE", "OFF", "smoke=false"),
            ("stat/x/CONTACT", "ON", ""),
            ("tele/x/LWT", "Online", "online=true"),
            ("tele/x/LWT", "Offline", "online=false"),
            ("tele/x/LWT", "gone", "rejected: neither online nor offline"),
            ("tele/x/LWT", "", "ignored: empty: a retained state was deleted, or a value is unknown"),
            ("tele/x/STATE", r#"{"Time":"1970-01-01T00:00:08","Vcc":3.4,"POWER":"OFF","Wifi":{"RSSI":60}}"#, ""),
            ("tele/x/STATE", r#"{"ESP32":{"Temperature":50},"ANALOG":{"Temperature":50}}"#, ""),
            ("tele/x/INFO3", r#"{"Info3":{"RestartReason":"Power On"}}"#, ""),
            ("stat/x/STATUS", r#"{"Status":{"Module":1,"Power":1,"Topic":"x"}}"#, ""),
            ("stat/x/LOGGING", "10:00:00 MQT: PIR1 = ON", ""),
            ("tele/x/RESULT", r#"{"RfReceived":{"Data":"7028D4","RfKey":2},"IrReceived":{"Data":"0x1"}}"#, ""),
            ("tele/x/SENSOR", "ON", "rejected: the payload is no JSON object"),
            ("tele/x/SENSOR", r#"{"AM2301":{"Temperature":nan}}"#, not_json),
            ("tele/x/SENSOR", r#"{"AM2301":{"Temperature":2"#, not_json),
        ],
    );
}

#[test]
fn no_time_is_taken_from_a_clock_without_a_zone() {
    let payload = r#"{"Time":"2024-05-01T10:00:00","DHT11":{"Temperature":20}}"#;
    let decoded = decoded(&Lore::default(), &tasmota(), "tele/x/SENSOR", payload);
    assert_eq!(reports(&decoded)[0].device_time, None);
    let message = Message { topic: "stat/x/SMOKE", payload: b"ON", retain: true };
    assert!(reports(&decode(&Lore::default(), &tasmota(), &message))[0].retained);
}

#[test]
fn one_device_on_all_its_topics() {
    let (sensor, press) = (r#"{"DHT11":{"Temperature":20}}"#, r#"{"Button1":{"Action":"SINGLE"}}"#);
    let command = "ignored: a command to a device";
    let nothing = "ignored: nothing of interest";
    check(
        &Lore::default(),
        &tasmota(),
        &[
            ("tele/h1/hall/SENSOR", sensor, "h1/hall: temperature=20@DHT11"),
            ("stat/h1/hall/RESULT", press, "h1/hall: button=SINGLE!"),
            ("tele/x", "ON", nothing),
        ],
    );
    let homes = source(Dialect::Tasmota, "{home}/{device}/tele/{what}");
    check(
        &Lore::default(),
        &homes,
        &[
            ("h1/hall/tele/SENSOR", sensor, "h1/hall: temperature=20@DHT11"),
            ("h1/hall/tele/LWT", "Online", "h1/hall: online=true"),
        ],
    );
    let everything = source(Dialect::Tasmota, "{home}/{device}");
    check(
        &Lore::default(),
        &everything,
        &[
            ("h1/hall/tele/SENSOR", sensor, "h1/hall: temperature=20@DHT11"),
            ("h1/hall/stat/RESULT", press, "h1/hall: button=SINGLE!"),
            ("h1/hall/cmnd/POWER", "ON", command),
        ],
    );
    let all = source(Dialect::Tasmota, "{prefix}/{home}/{device}/{what}");
    check(
        &Lore::default(),
        &all,
        &[("stat/h1/hall/PIR1", "ON", "h1/hall: motion=true"), ("cmnd/h1/hall/PIR1", "ON", command)],
    );
}

fn received(devices: &str) -> String {
    format!(r#"{{"ZbReceived":{{{devices}}}}}"#)
}

#[test]
fn zigbee_attributes() {
    for (attributes, expected) in [
        (
            r#""Temperature":21.5,"Humidity":50,"Pressure":990,"Battery":98"#,
            "temperature=21.5@K humidity=50@K battery=98@K",
        ),
        (r#""BatteryVoltage":2.9,"BatteryPercentage":73"#, "battery=73@K"),
        (r#""Occupancy":1,"Illuminance":30"#, "motion=true@K illuminance=30@K"),
        (r#""Occupancy":false"#, "motion=false@K"),
        (r#""Contact":1"#, "contact=open@K"),
        (r#""Contact":0"#, "contact=closed@K"),
        (
            r#""0500<00":"210000010000","ZoneStatusChange":33,"ZoneStatusChangeZone":1,"Contact":1"#,
            "tamper=false@K battery_low=false@K contact=open@K",
        ),
        (r#""ZoneStatusChange":12,"Water":0,"Tamper":1"#, "tamper=true@K battery_low=true@K water_leak=false@K"),
        (r#""Fire":1,"Fire2":1"#, "smoke=true@K smoke=true@K-2"),
        (r#""Water":1"#, "water_leak=true@K"),
        (r#""CO":1"#, "co=true@K"),
        (r#""CO2":1,"AirQuality":3"#, ""),
        (r#""PersonalAlarm":1"#, "sos=true@K~"),
        (r#""Panic":0"#, "sos=false@K~"),
        (r#""Movement":1,"GlassBreak":1"#, "vibration=true@K"),
        (r#""0501!02":"","Endpoint":1"#, "sos=true@K!"),
        (r#""0501!04":"""#, "sos=true@K!"),
        (r#""0501!00":"0000""#, "button=0501!00@K!"),
        (r#""AqaraVibrationMode":"vibrate","AqaraVibrationsOrAngle":5"#, "vibration=true@K!"),
        (r#""AqaraVibrationMode":"unknown""#, ""),
        (r#""click":"double","Click":"double""#, "button=double@K!"),
        (r#""AqaraCube":"fall""#, "button=fall@K!"),
        (r#""0006!02":"","Power":2,"Endpoint":1,"Group":100"#, "button=Power 2@K!"),
        (r#""0008!06":"002B0500","DimmerUp":true"#, "button=DimmerUp@K!"),
        (r#""0005!07":"00010D00","ArrowClick":0"#, "button=ArrowClick 0@K!"),
        (r#""Power":true"#, ""),
        (r#""0500!00":"010000FF0000""#, ""),
        (r#""LocalTemperature":20.5,"TuyaTempTarget":21"#, ""),
        (r#""Temperature2":8"#, "temperature=8@K-2"),
        (r#""Temperature":-273.15"#, ""),
    ] {
        let payload = received(&format!(r#""0x1A2B":{{"Device":"0x1A2B","Name":"K",{attributes},"LinkQuality":80}}"#));
        check_device(&Lore::default(), &[("tele/x/SENSOR", &payload, expected)]);
    }
}

#[test]
fn zigbee_devices_are_zones_of_their_gateway() {
    let plain = |key: &str, name: &str| received(&format!(r#""{key}":{{"Device":"0x1A2B"{name},"Contact":1}}"#));
    let named = r#","Name":"Hall door""#;
    check_device(
        &Lore::default(),
        &[
            ("tele/x/SENSOR", &plain("0x1A2B", ""), "contact=open@0x1A2B"),
            ("tele/x/SENSOR", &plain("0x1A2B", named), "contact=open@Hall door"),
            ("tele/x/SENSOR", &plain("Hall door", ""), "contact=open@Hall door"),
            ("tele/x/RESULT", &plain("0x1A2B", named), "contact=open@Hall door"),
            ("tele/x/1A2B/SENSOR", &plain("0x1A2B", named), "contact=open@Hall door"),
            ("tele/x/Hall_door/SENSOR", &plain("Hall door", ""), "contact=open@Hall door"),
            (
                "tele/x/1A2B/SENSOR",
                &received(r#""Device":"0x1A2B","Name":"Hall door","Contact":1"#),
                "contact=open@Hall door",
            ),
            ("tele/x/1A2B/ZbReceived", r#"{"0x1A2B":{"Name":"Hall door","Contact":1}}"#, "contact=open@Hall door"),
            ("tele/x/ZbReceived", r#"{"Device":"0x1A2B","Contact":1}"#, "contact=open@0x1A2B"),
            ("tele/x/SENSOR", &received(r#""A":{"Contact":1},"B":{"Contact":0}"#), "contact=open@A contact=closed@B"),
            ("tele/x/SENSOR", &received(""), ""),
            ("tele/x/SENSOR", r#"{"ZbReceived":"none"}"#, ""),
            ("tele/x/SENSOR", r#"{"ZbState":{"Status":30,"IEEEAddr":"0x00158D00036B50AE"}}"#, ""),
            ("tele/x/SENSOR", r#"{"ZbInfo":{"0x1A2B":{"Contact":1,"LastSeen":90000}}}"#, ""),
            ("stat/x/RESULT", r#"{"0x1A2B":{"Name":"Hall door"}}"#, ""),
        ],
    );
    let other = received(r#""0x1A2B":{"Contact":1}"#);
    check(
        &Lore::default(),
        &tasmota(),
        &[
            ("tele/h1/gateway/SENSOR", &other, "h1/gateway: contact=open@0x1A2B"),
            ("tele/1A2B/SENSOR", &other, "1A2B: contact=open@0x1A2B"),
        ],
    );
    let homes = source(Dialect::Tasmota, "tele/{home}/{device}");
    check(&Lore::default(), &homes, &[("tele/h1/1A2B/SENSOR", &other, "h1/1A2B: contact=open@0x1A2B")]);
}

#[test]
fn what_people_told() {
    let (on, off): (&[&str], &[&str]) = (&["ON"], &["OFF"]);
    let lore = profiled(
        &tasmota(),
        "x",
        &[
            ("Switch1", Some(Kind::Contact), on, off),
            ("Switch2", Some(Kind::Motion), on, off),
            ("Switch3", Some(Kind::Button), &[], &[]),
            ("Button1", Some(Kind::Sos), &["HOLD"], &[]),
            ("Button2", None, &[], &[]),
            ("DHT11.Temperature", None, &[], &[]),
            ("RfReceived.RfKey", Some(Kind::Contact), &["1"], &["2"]),
            ("ZbReceived.Door.Power", Some(Kind::Contact), &["1", "true"], &["0", "false"]),
            ("ZbReceived.K.Power", Some(Kind::Sos), &["2"], &[]),
            ("CONTACT", Some(Kind::Contact), on, off),
        ],
    );
    check_device(
        &lore,
        &[
            ("tele/x/SENSOR", r#"{"Time":"2021-01-01T00:00:00","Switch1":"ON"}"#, "contact=open"),
            ("tele/x/SENSOR", r#"{"Switch1":"OFF","Switch2":"ON"}"#, "contact=closed motion=true@Switch2"),
            ("stat/x/RESULT", r#"{"Switch1":{"Action":"ON"}}"#, "contact=open"),
            ("stat/x/SWITCH1", r#"{"Switch1":{"Action":"OFF"}}"#, "contact=closed"),
            ("stat/x/SWITCH1", "ON", "contact=open"),
            ("stat/x/SWITCH1", "TOGGLE", ""),
            ("stat/x/STATUS10", r#"{"StatusSNS":{"Switch1":"OFF"}}"#, "contact=closed"),
            ("stat/x/RESULT", r#"{"Switch3":{"Action":"TOGGLE"}}"#, "button=TOGGLE@Switch3!"),
            ("stat/x/RESULT", r#"{"Button1":{"Action":"HOLD"}}"#, "sos=true!"),
            ("stat/x/BUTTON1", r#"{"ACTION":"HOLD"}"#, "sos=true!"),
            ("stat/x/BUTTON1", "HOLD", "sos=true!"),
            ("stat/x/RESULT", r#"{"Button1":{"Action":"SINGLE"}}"#, ""),
            ("stat/x/RESULT", r#"{"Button2":{"Action":"SINGLE"}}"#, ""),
            ("tele/x/SENSOR", r#"{"DHT11":{"Temperature":20,"Humidity":40}}"#, "humidity=40@DHT11"),
            ("tele/x/RESULT", r#"{"RfReceived":{"RfKey":1}}"#, "contact=open@RfReceived"),
            ("tele/x/SENSOR", &received(r#""Door":{"Power":true}"#), "contact=open@Door"),
            ("tele/x/SENSOR", &received(r#""0x1A2B":{"Name":"K","0006!02":"","Power":2}"#), "sos=true@K!"),
            ("tele/x/SENSOR", &received(r#""0x1A2B":{"Name":"K","0006!01":"","Power":1}"#), ""),
            ("stat/x/CONTACT", "OFF", "contact=closed"),
            ("tele/y/SENSOR", r#"{"Switch1":"ON"}"#, "y:"),
        ],
    );
}
