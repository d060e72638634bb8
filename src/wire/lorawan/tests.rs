//! What comes of decoded objects, as tables: `kind=value@zone` with `!` behind an event and `~` behind a latched state.

use super::*;
use crate::engine::profile::Gloss;
use crate::wire::MAX_TEXT_BYTES;
use crate::wire::lore::Profiles;
use crate::wire::tests::profile;
use proptest::prelude::*;
use std::sync::Arc;

/// Readings as the tables write them.
pub(in crate::wire) fn written(readings: &[Reading]) -> String {
    let one = |reading: &Reading| {
        let value = match &reading.value {
            Value::Text(text) => text.to_string(),
            other => serde_json::to_string(other).unwrap().replace('"', ""),
        };
        let zone = reading.zone.as_ref().map_or(String::new(), |zone| format!("@{zone}"));
        let form = match reading.form {
            Form::Event => "!",
            Form::Edge => "",
            Form::Latched => "~",
        };
        format!("{}={value}{zone}{form}", reading.kind)
    };
    readings.iter().map(one).collect::<Vec<_>>().join(" ")
}

fn source() -> SourceId {
    SourceId::new("lora").unwrap()
}

fn heard(lore: &Lore, object: &str, model: Option<&str>, port: f64) -> (String, u32) {
    let object = Json::parse(object).unwrap();
    let said = Uplink { object: &object, normalized: None, models: model.into_iter().collect(), port: Some(port) };
    let (readings, rest) = said.readings(lore, &source(), "70b3d5");
    (written(&readings), rest)
}

#[track_caller]
fn check(table: &[(&str, &str)]) {
    for (object, expected) in table {
        assert_eq!(heard(&Lore::default(), object, None, 85.0).0, *expected, "{object}");
    }
}

#[test]
fn calls_for_help() {
    check(&[
        (r#"{"sos":true}"#, "sos=true~"),
        (r#"{"sos_button":"pressed"}"#, "sos=true~"),
        (r#"{"sos":"no"}"#, "sos=false~"),
        (r#"{"sosEvent":true,"emergencyAlert":true,"alertType":"sos"}"#, "sos=true!"),
        (r#"{"sosEvent":false,"tamperEvent":true}"#, "tamper=true"),
        (r#"{"sosFlag":1,"batteryLevel":93,"trackingMode":"SOS"}"#, "sos=true~"),
        (r#"{"sosFlag":0,"batteryLevel":93,"trackingMode":"STANDBY"}"#, "sos=false~"),
        (r#"{"ALARM_status":"TRUE","Latitude":1.5,"BatV":3.9,"Hum":0,"Tem":0}"#, "sos=true~"),
        (r#"{"ALARM_status":"TRUE"}"#, ""),
        (r#"{"Device":"R309","Volt":3.6,"EmergencyAlarm":1,"NoActiveAlarm":1}"#, "sos=true~"),
        (r#"{"Device":"R312A","Volt":3,"Alarm":1}"#, "sos=true!"),
        (r#"{"Device":"R312A","Volt":3,"Alarm":0}"#, ""),
        (r#"{"Device":"R718T","Volt":3,"Alarm":1}"#, ""),
        (r#"{"alarm":"SOS","data_type":"SOS"}"#, "sos=true!"),
        (r#"{"alarm":"FIRE","data_type":"SOS"}"#, "sos=true!"),
        (r#"{"alarm":"SOS","data_type":"VITALS","heart_rate":88}"#, "sos=true~ heart_rate=88"),
        (r#"{"alarm":"N/A","data_type":"VITALS","heart_rate":88}"#, "heart_rate=88"),
        (r#"{"alarm":"device fault"}"#, ""),
        (r#"{"alarm":true}"#, ""),
        (
            r#"{"header":{"batteryLevel":94,"sos":true},"position":{"motion":1,"positionType":"GNSS"}}"#,
            "battery=94 sos=true~",
        ),
        (r#"{"batterylevle":"85%","event_type":"sos_start"}"#, "battery=85 sos=true~"),
        (r#"{"batterylevle":"85%","event_type":"mandown_start"}"#, "battery=85"),
        (r#"{"batterylevle":"4%","dev_status":"sos"}"#, "battery=4 sos=true~"),
        (r#"{"batterylevle":"4%","dev_status":"none"}"#, "battery=4 sos=false~"),
        (r#"{"dev_status":"none"}"#, ""),
        (r#"{"ALARM_status":"TRUE","MD":1,"MAC1":"0016"}"#, "sos=true~"),
    ]);
}

#[test]
fn presses() {
    check(&[
        (r#"{"button_event":{"status":"short press","msgid":7}}"#, "button=short press!"),
        (r#"{"button_event":{"status":2,"msgid":7}}"#, "button=2!"),
        (r#"{"button":"long"}"#, "button=long!"),
        (r#"{"button":"SOS"}"#, "sos=true!"),
        (r#"{"button_1":"trigger","button_2":"idle"}"#, "button=trigger@1!"),
        (r#"{"button":0}"#, ""),
        (r#"{"button":false}"#, ""),
        (r#"{"button":"Released"}"#, ""),
        (
            r#"{"pressEvent":3,"thermistorProperlyConnected":true,"sensorTemperature":21.4}"#,
            "button=3! temperature=21.4",
        ),
        (r#"{"Sound_key":"OPEN","Sound_ACK":"OPEN","Alarm":"TRUE"}"#, "button=TRUE!"),
        (r#"{"Sound_key":"OPEN","Sound_ACK":"OPEN","Alarm":"FALSE"}"#, ""),
        (r#"{"Button":{"Event":"Button 1","State":"Pressed"}}"#, "button=Pressed!"),
        (r#"{"Button":{"Event":"Button 1","State":"Released"}}"#, ""),
        (r#"{"Device":"RB02C","Volt":3,"Key_1":0,"Key_2":1}"#, "button=1@2!"),
        (r#"{"Key_1":1}"#, ""),
        (r#"{"Device":"R312","Volt":3,"Doorbell":1}"#, "button=1!"),
    ]);
}

#[test]
fn smoke_gas_and_water() {
    check(&[
        (r#"{"smokeAlarm":"Alarm","interconnectAlarm":"Alarm","faultAlarm":"Alarm"}"#, "smoke=true"),
        (r#"{"smokeAlarm":"Normal","interconnectAlarm":"Alarm"}"#, "smoke=false"),
        (r#"{"FireAlarm":"No Alarm","HighTempAlarm":"Alarm","Temp":61.5}"#, "smoke=false temperature=61.5"),
        (r#"{"COAlarm":"Alarm","HighTempAlarm":"No Alarm"}"#, "co=true"),
        (
            r#"{"messageType":"x","configuration":{"smokeAlarm":1},"status":{"smokeAlarm":0,"batteryLow":1}}"#,
            "smoke=false battery_low=true",
        ),
        (r#"{"type":"smoke sensor","event":"alarm","concentration":44,"battery":90}"#, "smoke=true battery=90"),
        (r#"{"type":"smoke sensor","event":"testing alarm with low battery","concentration":0}"#, ""),
        (r#"{"event":"alarm"}"#, ""),
        (r#"{"gas_status":"alarm"}"#, "gas=true"),
        (r#"{"gas":17,"co":4,"co2":1}"#, ""),
        (r#"{"leakage_status":"leak"}"#, "water_leak=true"),
        (r#"{"leak_status":"normal"}"#, "water_leak=false"),
        (r#"{"WaterLeak_1":"NoLeak","WaterLeak_2":"Leak"}"#, "water_leak=false@1 water_leak=true@2"),
        (r#"{"WATER_LEAK_STATUS":1.0,"WATER_LEAK_TIMES":1.0}"#, "water_leak=true"),
        (r#"{"water_leak_status":"NO LEAK"}"#, "water_leak=false"),
        (r#"{"waterleak":120,"vdd":3600}"#, "water_leak=true"),
        (r#"{"flood":true,"boxTamper":false,"battery":3.216}"#, "water_leak=true tamper=false"),
        (r#"{"flood":{"value":1},"floodAlarm":{"value":false},"historySeqNr":4}"#, "water_leak=false"),
        (r#"{"event":"heartbeat,water_leak_alert","waterLeakLevel":31}"#, "water_leak=true"),
        (r#"{"event":"heartbeat","waterLeakLevel":0}"#, "water_leak=false"),
        (r#"{"event":"no_water_leak_alert","waterLeakLevel":31}"#, ""),
        (r#"{"water":{"leak":true,"temperature":9}}"#, "water_leak=true"),
        (r#"{"moisture":255,"reed_state":0}"#, "water_leak=true contact=closed"),
        (r#"{"moisture":44,"ec":3}"#, ""),
        (r#"{"smokeAlarm":"Local smoke Alarm activated","temperature":{"value":21.5}}"#, "smoke=true temperature=21.5"),
        (r#"{"smokeAlarm":"Smoke Alarm non-activated"}"#, "smoke=false"),
        (r#"{"smokeAlarm":"Remote smoke Alarm activated"}"#, ""),
        (r#"{"Water":{"Event":"Water Present","Relative":12}}"#, "water_leak=true"),
        (r#"{"Water":{"Event":"Water Not Present","Relative":255}}"#, "water_leak=false"),
    ]);
}

#[test]
fn falls_and_vitals() {
    check(&[
        (r#"{"detection_status":"fall","target_status":"motionless"}"#, "fall=true"),
        (r#"{"detection_status":"fall"}"#, "fall=true"),
        (r#"{"detection_status":"vacant","target_status":"normal"}"#, "fall=false presence=false bed=false"),
        (r#"{"detection_status":"in_bed","target_status":"normal"}"#, "fall=false presence=true bed=true"),
        (r#"{"detection_status":"normal","people_count":2}"#, ""),
        (r#"{"region_1_occupancy":"occupied","region_1_out_of_bed_time":4}"#, ""),
        (r#"{"events":[{"alarm_type":"fall","alarm_status":"alarm_triggered"}]}"#, "fall=true!"),
        (r#"{"events":[{"alarm_type":"fall","alarm_status":"alarm_deactivated"}]}"#, "fall=false"),
        (
            r#"{"events":[{"alarm_type":"fall","alarm_status":"alarm_ignored"},{"alarm_type":"dwell","alarm_status":"alarm_triggered"}]}"#,
            "",
        ),
        (r#"{"fall_alarm":{"alarm_id":"1, 2","alarm_status":"2, 1"}}"#, "fall=true!"),
        (r#"{"fall_alarm":{"alarm_id":"1","alarm_status":"2"}}"#, "fall=false"),
        (r#"{"fall_detection_settings":{"confirm_time":1},"fall_detection":false}"#, "fall=false"),
        (r#"{"heart_rate":0,"wear_status":false,"body_temperature":36.5}"#, ""),
        (r#"{"heart_rate":72,"wear_status":true,"mainboard_temperature":33}"#, "heart_rate=72"),
        (r#"{"respiratory_rate":14,"respiratory_status":"normal"}"#, "respiratory_rate=14"),
    ]);
}

#[test]
fn doors_people_and_tampering() {
    check(&[
        (r#"{"magnet_status":"close"}"#, "contact=closed"),
        (r#"{"door":"open"}"#, "contact=open"),
        (r#"{"door":{"value":true}}"#, ""),
        (r#"{"DOOR_OPEN_STATUS":"OPEN","ALARM":"TRUE"}"#, "contact=open"),
        (r#"{"DOOR1_OPEN_STATUS":"OPEN","DOOR2_OPEN_STATUS":"CLOSE"}"#, "contact=open@1 contact=closed@2"),
        (r#"{"inputStatus":"close"}"#, "contact=closed"),
        (r#"{"Door_status":"OPEN","EXTI_Trigger":"FALSE"}"#, ""),
        (r#"{"magnet_chn1":"opened","temperature_chn2":-18.5}"#, "contact=open@chn1 temperature=-18.5@chn2"),
        (r#"{"Device":"R311A","OnOff":1}"#, "contact=open"),
        (r#"{"Device":"R809A","OnOff":1}"#, ""),
        (r#"{"open":0,"tamper":1,"tilt":0}"#, "contact=closed tamper=true"),
        (r#"{"pir":"trigger","daylight":"dark"}"#, "motion=true"),
        (r#"{"pir":"idle","activity":120,"light_level":3}"#, "motion=false"),
        (r#"{"motion":0,"vdd":3600}"#, "motion=false"),
        (r#"{"motion":7}"#, "motion=true"),
        (r#"{"motion_status":"moving"}"#, ""),
        (r#"{"pir_trigger":1,"light_status":0}"#, "motion=true"),
        (r#"{"Work_mode":"PIR Sensor","Exti_pin_level":"No activity"}"#, "motion=false"),
        (r#"{"Work_mode":"Interrupt Sensor send","Exti_pin_level":"High"}"#, ""),
        (r#"{"occupancy":"occupied"}"#, "presence=true"),
        (r#"{"occupancy":2}"#, "presence=true"),
        (r#"{"occupancy":0}"#, "presence=false"),
        (r#"{"presence_48":1}"#, "presence=true@48"),
        (r#"{"tamper_status":"uninstalled"}"#, "tamper=true"),
        (r#"{"install":"yes"}"#, "tamper=false"),
        (r#"{"Device":"R718DA","status":1}"#, "vibration=true"),
        (r#"{"status":1}"#, ""),
        (r#"{"DoorWindow":{"Event":"Closed"},"Tamper":{"Event":"Open"}}"#, "contact=closed tamper=true"),
        (r#"{"Contact":{"Event":"Contacts Opened"}}"#, "contact=open"),
        (r#"{"boxTamper":false,"magnet":true,"battery":3}"#, "tamper=false"),
        (
            r#"{"Battery":74,"Leakage":"0","Tamper":"1","Hygrometry":46.5,"Valve":"0"}"#,
            "battery=74 water_leak=false tamper=true humidity=46.5",
        ),
        (r#"{"Supervisory":{"TamperSinceLastReset":1,"TamperState":0,"Battery":"3.0V"}}"#, "tamper=false"),
        (r#"{"demolish_state":1,"motion_state":1}"#, "tamper=true"),
        (r#"{"antiTearDetectionStatus":"Product removed from its based just now"}"#, "tamper=true"),
        (r#"{"tamper_status_alarm":{"type":33,"trigger":{}}}"#, "tamper=true"),
        (r#"{"presenceDetectedWhenSending":true,"presence":{"unit":"%","values":[30]}}"#, "presence=true"),
    ]);
}

#[test]
fn batteries_are_percent_or_nothing() {
    check(&[
        (r#"{"battery":97.5}"#, "battery=97.5"),
        (r#"{"battery":4}"#, "battery=4"),
        (r#"{"battery":3.6}"#, ""),
        (r#"{"battery":3216}"#, ""),
        (r#"{"battery":255}"#, ""),
        (r#"{"battery":3,"temperatureBoard":21}"#, ""),
        (r#"{"battery":3,"vib_count":4,"work_min":2}"#, ""),
        (r#"{"batteryLevel":93,"batteryStatus":"OPERATING","sosFlag":0}"#, "sos=false~"),
        (r#"{"BAT_V":3.1,"BatV":3.1,"Bat_status":3,"battery_voltage":3.6,"vdd":3600}"#, ""),
        (r#"{"batteryLevelInPercentage":10,"lowBatteryAlarm":"Alarm"}"#, "battery=10 battery_low=true"),
        (r#"{"Device":"R311A","Volt":"2.3(low battery)"}"#, "battery_low=true"),
        (r#"{"Device":"R311A","Volt":3.0}"#, ""),
        (r#"{"battery":"3.6"}"#, ""),
        (r#"{"battery":"85 %"}"#, "battery=85"),
        (r#"{"battery":3,"co2threshold":0}"#, ""),
        (r#"{"batteryLevel":3,"energyUsage":2}"#, ""),
        (r#"{"batteryLevel":"Critical","batteryVoltage":{"value":2400}}"#, "battery_low=true"),
        (r#"{"BatV":3.1,"Bat_status":"Ultra Low"}"#, "battery_low=true"),
    ]);
}

#[test]
fn climate_and_its_sentinels() {
    check(&[
        (r#"{"temperature":21.5,"humidity":40,"temperature_alarm":"threshold alarm"}"#, "temperature=21.5 humidity=40"),
        (r#"{"TempC_SHT":21.5,"Hum_SHT":40,"TempC_DS":327.67}"#, "temperature=21.5 humidity=40"),
        (r#"{"TempC_SHT":21.5,"TempC_DS":19.0}"#, "temperature=21.5 temperature=19@external"),
        (r#"{"temperature":-273.15,"humidity":127.5}"#, ""),
        (r#"{"thermistorProperlyConnected":false,"sensorTemperature":0}"#, ""),
        (r#"{"temperature":{"value":20.5,"unit":"°C"},"battery":{"voltage":3.1}}"#, "temperature=20.5"),
        (
            r#"{"temperature_1":20.5,"relative_humidity_2":41,"luminosity_3":90,"analog_in_4":1,"digital_in_5":1}"#,
            "temperature=20.5@1 humidity=41@2 illuminance=90@3",
        ),
        (
            r#"{"temperatureSensor":{"3":20.5},"presenceSensor":{"4":0},"digitalInput":{"5":1}}"#,
            "temperature=20.5@3 presence=false@4",
        ),
        (r#"{"soil":{"temperature":9},"body":{"temperature":36},"temperatureBoard":22,"targetTemperature":19}"#, ""),
        (r#"{"light":39,"vdd":3600}"#, "illuminance=39"),
        (r#"{"light":39}"#, ""),
        (r#"{"illuminance":"dim"}"#, ""),
        (r#"{"lux":0,"luxStatus":"disabled"}"#, ""),
        (r#"{"lux":250,"luxStatus":"ok"}"#, "illuminance=250"),
        (r#"{"temperature":{"min":1,"max":2},"temperature_f":68}"#, "temperature=20"),
        (
            r#"{"sensorTemperature":21.5,"thermistorProperlyConnected":false,"extThermistorTemperature":0}"#,
            "temperature=21.5",
        ),
        (r#"{"temperature":"21.5°C","humidity":"40","lux":"inf"}"#, "temperature=21.5 humidity=40"),
        (r#"{"TempC_SHT":21,"Ext_TempC_SHT":-18}"#, "temperature=21 temperature=-18@external"),
        (r#"{"ALARM_status":"FALSE","MD":0,"Hum":45,"Tem":24.5}"#, "sos=false~ humidity=45 temperature=24.5"),
        (r#"{"tvoc_raw_data_9":{"temperature":44.1,"iaq":2}}"#, ""),
        (r#"{"occupancy":"Unoccupied","lightIntensity":250}"#, "presence=false illuminance=250"),
        (r#"{"lightIntensity":250}"#, ""),
    ]);
}

#[test]
fn seeed_lists_measurements_by_number() {
    check(&[
        (
            r#"{"messages":[[{"measurementId":"4200","measurementValue":[{"id":7,"eventName":"SOS event."}]},
                {"measurementId":"4097","measurementValue":24.1},{"measurementId":"4199","measurementValue":30},
                {"measurementId":"3000","measurementValue":87}]]}"#,
            "sos=true! temperature=24.1 battery=87",
        ),
        (
            r#"{"messages":[{"type":"report_telemetry","measurementId":4098,"measurementValue":55},
                {"measurementId":4099,"measurementValue":120}]}"#,
            "humidity=55 illuminance=120",
        ),
        (
            r#"{"messages":[[{"measurementId":"4200","measurementValue":[{"id":8,"eventName":"Press once event."}]}]]}"#,
            "button=Press once event.!",
        ),
        (r#"{"messages":[{"measurementId":"4097","measurementValue":null},{"measurementId":{}},7,[[]]]}"#, ""),
    ]);
}

#[test]
fn netvox_packs_sensors_into_bits() {
    check(&[
        (
            r#"{"Device":"R315","FunctionEnable":"100001001001","BinarySensorReport":"10010","Temp":27.8,"Humi":53}"#,
            "temperature=27.8 humidity=53 sos=true~ contact=open@external water_leak=false",
        ),
        (r#"{"FunctionEnable":"100","BinarySensorReport":"0"}"#, "motion=false"),
        (r#"{"FunctionEnable":"100","BinarySensorReport":"2"}"#, ""),
        (r#"{"BinarySensorReport":"10010"}"#, ""),
    ]);
}

#[test]
fn what_is_not_now_is_not_read() {
    check(&[
        (r#"{"history":[{"temperature":20,"sos":true}],"battery":90}"#, "battery=90"),
        (r#"{"history":{"4":{"temperature":20}}}"#, ""),
        (r#"{"DATALOG":"[1,2]","battery":90,"PNACKMD":"False"}"#, ""),
        (r#"{"Cmd":"ReadConfigReportRsp","Device":"R312A","Alarm":1}"#, ""),
        (r#"{"SENSOR_MODEL":"X","FIRMWARE_VERSION":"1.0","FREQUENCY_BAND":"EU868","battery":3}"#, ""),
        (r#"{"temperature_alarm_config":{"temperature":40},"device_response_result":{"request":{"sos":true}}}"#, ""),
        (r#"{"msgType":"SendBackLogMessage","timestamp":{"year":2000,"month":"May"},"temperature":20}"#, ""),
        (r#"{"error":"Invalid payload length"}"#, ""),
        (r#"{"temperature":null,"sos":null,"button":null,"pir":[1],"magnet_status":{}}"#, ""),
        (r#"{"ein sehr langer Name, der länger ist als alle bekannten":1,"温度":20}"#, ""),
    ]);
}

/// Browan's Tabs say only "status"; the port tells which of them speaks.
#[test]
fn a_port_tells_the_device() {
    let object = r#"{"status":1,"battery":3.6,"temperatureBoard":21,"time":4,"count":9}"#;
    for (port, expected) in [
        (100.0, "contact=open"),
        (102.0, "motion=true"),
        (106.0, "water_leak=true"),
        (147.0, "button=1!"),
        (103.0, ""),
        (356.0, ""),
    ] {
        assert_eq!(heard(&Lore::default(), object, None, port).0, expected, "{port}");
    }
    let object = r#"{"Status":1,"Battery":3.6,"Temp":21,"Time":3,"Count":9}"#;
    assert_eq!(heard(&Lore::default(), object, None, 102.0).0, "motion=true temperature=21");
}

#[test]
fn the_servers_word_for_the_model_counts_too() {
    let said = |model| heard(&Lore::default(), r#"{"Alarm":1}"#, model, 6.0).0;
    assert_eq!(said(Some("r312a")), "sos=true!");
    assert_eq!(said(Some("R312A")), "sos=true!");
    assert_eq!(said(Some("R312")), "");
    assert_eq!(said(None), "");
    let light = |model| heard(&Lore::default(), r#"{"light":80}"#, model, 85.0).0;
    assert_eq!((light(Some("em500-lgt")).as_str(), light(Some("ws202")).as_str()), ("illuminance=80", ""));
}

#[test]
fn a_latched_call_tells_what_else_was_said() {
    let rest = |object| heard(&Lore::default(), object, None, 1.0).1;
    let still = rest(r#"{"sosFlag":1,"gpsLatitude":48.1,"age":3}"#);
    assert_eq!(rest(r#"{"age":3,"gpsLatitude":48.1,"sosFlag":true}"#), still, "neither the order nor the flag is news");
    assert_ne!(rest(r#"{"sosFlag":1,"gpsLatitude":48.2,"age":3}"#), still);
}

#[test]
fn what_people_told_goes_before_the_table() {
    let told = |property: &str, kind, on: &[&str], off: &[&str]| Gloss {
        property: property.into(),
        kind,
        on: on.iter().map(|word| (*word).into()).collect(),
        off: off.iter().map(|word| (*word).into()).collect(),
        times: 1.0,
    };
    let profile = Arc::new(profile(vec![
        told("button_event.status", Some(Kind::Sos), &["long press"], &[]),
        told("digital_in_3", Some(Kind::Contact), &["1"], &["0"]),
        told("temperature", None, &[], &[]),
    ]));
    let mut lore = Lore::default();
    let mut profiles = Profiles::default();
    profiles.models.insert("WS101".into(), profile.clone());
    profiles.models.insert("Node 7".into(), profile.clone());
    lore.told(&Arc::new(profiles));
    for (model, object, expected) in [
        (Some("WS101"), r#"{"button_event":{"status":"long press"}}"#, "sos=true!"),
        (Some("WS101"), r#"{"button_event":{"status":"short press"}}"#, ""),
        (Some("WS101"), r#"{"digital_in_3":1.0,"temperature":20,"humidity":40}"#, "contact=open humidity=40"),
        (Some("other"), r#"{"Node_type":"Node 7","digital_in_3":0}"#, "contact=closed"),
        (None, r#"{"button_event":{"status":"long press"}}"#, "button=long press!"),
    ] {
        assert_eq!(heard(&lore, object, model, 85.0).0, expected, "{object}");
    }
    let object = Json::parse(r#"{"humidity":40}"#).unwrap();
    let normalized = Json::parse(r#"{"air":{"temperature":20}}"#).unwrap();
    let said = Uplink { object: &object, normalized: Some(&normalized), models: vec!["WS101"], port: None };
    assert_eq!(written(&said.readings(&lore, &source(), "d").0), "humidity=40", "what is told to be none is none");
    let mut profiles = Profiles::default();
    profiles.devices.entry(source()).or_default().insert("70b3d5".into(), profile);
    lore.told(&Arc::new(profiles));
    assert_eq!(heard(&lore, r#"{"digital_in_3":0}"#, None, 1.0).0, "contact=closed");
}

#[test]
fn the_normalised_payload_tells_what_the_codec_did_not() {
    let read = |object: &str, normalized: &str| {
        let (object, normalized) = (Json::parse(object).unwrap(), Json::parse(normalized).unwrap());
        let said = Uplink { object: &object, normalized: Some(&normalized), models: Vec::new(), port: None };
        written(&said.readings(&Lore::default(), &source(), "d").0)
    };
    for (object, normalized, expected) in [
        (
            r#"{"temperature":20.5}"#,
            r#"[{"air":{"temperature":20.6,"relativeHumidity":40}}]"#,
            "temperature=20.5 humidity=40",
        ),
        (
            "{}",
            r#"[{"action":{"motion":{"detected":true,"count":4},"contactState":"open"}}]"#,
            "motion=true contact=open",
        ),
        (r#"{"occupied":true}"#, r#"{"action":{"motion":{"detected":true,"count":4}}}"#, "presence=true"),
        ("{}", r#"{"water":{"leak":true,"temperature":{"current":8}},"battery":3.1}"#, "water_leak=true"),
        ("{}", r#"[{"time":"2026-03-01T00:00:00Z","air":{"temperature":20}}]"#, ""),
        ("{}", r#"[{"soil":{"temperature":9}},7,{"air":[]}]"#, ""),
        ("{}", r#""x""#, ""),
    ] {
        assert_eq!(read(object, normalized), expected, "{normalized}");
    }
}

/// Any value under any name, and words of every table under every name.
fn objects() -> impl Strategy<Value = String> {
    let known: Vec<&str> = field::FIELDS.iter().map(|row| row.name).collect();
    let name = prop_oneof![
        prop::sample::select(known),
        prop::sample::select(vec![
            "events",
            "messages",
            "fall_alarm",
            "Volt",
            "event",
            "value",
            "state",
            "measurementId",
            "4200"
        ]),
    ];
    let name = (name, prop::sample::select(vec!["", "_1", "_chn2", "3", "é7"]))
        .prop_map(|(name, tail)| format!("{name}{tail}"));
    let words = vec![
        "\"\"",
        "\"alarm\"",
        "\"open\"",
        "\"fall\"",
        "\"1, 2\"",
        "\"é(low battery)\"",
        "\"\\u0000\"",
        "null",
        "true",
        "[]",
        "{}",
    ];
    let value = prop_oneof![
        prop::sample::select(words).prop_map(str::to_owned),
        any::<f64>().prop_filter("JSON", |x| x.is_finite()).prop_map(|x| x.to_string())
    ];
    value.prop_recursive(4, 40, 6, move |inner| {
        let members = prop::collection::btree_map(name.clone(), inner.clone(), 0..6);
        let object = members.prop_map(|members| {
            let members: Vec<_> = members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
            format!("{{{}}}", members.join(","))
        });
        let list = prop::collection::vec(inner, 0..4).prop_map(|items| format!("[{}]", items.join(",")));
        prop_oneof![3 => object, 1 => list]
    })
}

proptest! {
    /// No panic, and what comes out can be shown and stored, each fact once.
    #[test]
    fn whatever_a_codec_makes_is_harmless(object in objects(), normalized in objects(), port in 0..255u8) {
        let (object, normalized) = (Json::parse(&object).unwrap(), Json::parse(&normalized).unwrap());
        let said = Uplink { object: &object, normalized: Some(&normalized), models: vec!["R312A"], port: Some(port.into()) };
        let (readings, _) = said.readings(&Lore::default(), &source(), "d");
        for (i, reading) in readings.iter().enumerate() {
            match &reading.value {
                Value::Number(number) => prop_assert!(number.is_finite()),
                Value::Text(text) => prop_assert!(!text.is_empty() && text.len() <= MAX_TEXT_BYTES),
                Value::Flag(_) | Value::Open(_) => {}
            }
            let same = |r: &&Reading| r.kind == reading.kind && r.zone == reading.zone && r.form == reading.form;
            prop_assert_eq!(readings[i + 1..].iter().find(same), None);
        }
    }
}

#[test]
fn the_best_gateway_tells_the_signal() {
    for (gateways, expected) in [
        (r#"[{"rssi":-110,"snr":7.0},{"rssi": -90.0}]"#, Some(50)),
        (r#"[{"rssi":-137}]"#, Some(0)),
        (r#"[{"rssi":-40}]"#, Some(100)),
        (r#"[{"rssi":null}]"#, None),
        (r#"[{"rssi":"x"}]"#, None),
        ("{}", None),
    ] {
        assert_eq!(signal(Some(&Json::Unread(gateways))), expected, "{gateways}");
    }
}
