//! The devices of the fleet: what they keep, and how their hub says it. One table holds, per model, the properties it
//! publishes; the payload and the `exposes` of `bridge/devices` both follow from it, so they cannot disagree.

use super::dice::Dice;
use crate::engine::kind::Kind;
use crate::engine::time::Wall;
use serde_json::json;
use std::fmt::Write;
use std::sync::Arc;

/// One property of a model's payload.
#[derive(Debug, Clone, Copy)]
enum Property {
    /// A button's word; only in the message of the press itself.
    Action(&'static str),
    Battery,
    BatteryLow,
    /// The door's property: `true` is closed.
    Contact,
    /// The model's own flag: motion, an alarm.
    Flag(&'static str),
    Humidity,
    Linkquality,
    PowerOutages,
    /// A setting that the model repeats with every message, as JSON.
    Setting(&'static str, &'static str),
    Tamper,
    Temperature,
    /// Millivolts.
    Voltage,
}

/// A model as Zigbee2MQTT knows it.
#[derive(Debug)]
pub struct Model {
    /// Zigbee2MQTT's name of it.
    pub name: &'static str,
    vendor: &'static str,
    description: &'static str,
    /// What it is there for.
    pub kind: Kind,
    /// In the order in which Zigbee2MQTT publishes them.
    properties: &'static [Property],
    /// Minutes between reports that bring no news.
    heartbeat_min: u32,
}

use Property::*;

macro_rules! models {
    ($($ident:ident $name:literal $vendor:literal $description:literal $kind:ident $heartbeat:literal [$($p:expr),*];)*) => {
        $(pub static $ident: Model = Model {
            name: $name, vendor: $vendor, description: $description, kind: Kind::$kind,
            heartbeat_min: $heartbeat, properties: &[$($p),*],
        };)*
        #[cfg(test)]
        pub static MODELS: &[&Model] = &[$(&$ident),*];
    };
}

models! {
    MOTION "RTCGQ01LM" "Xiaomi" "MiJia human body movement sensor" Motion 55
        [Battery, Linkquality, Flag("occupancy"), PowerOutages, Voltage];
    DOOR "HGZB-13A" "Nue / 3A" "Door/window sensor" Contact 240
        [BatteryLow, Contact, Linkquality, Tamper];
    // The three ways in which a call for help is spelled: a state, an action, and a state beside an action.
    SOS_STATE "SEB01ZB" "Feibit" "SOS button" Sos 240
        [Battery, BatteryLow, Linkquality, Flag("sos"), Tamper, Voltage];
    SOS_ACTION "TS0215A_sos" "Tuya" "SOS button" Sos 240
        [Action("emergency"), Battery, Linkquality, Voltage];
    SOS_KEYPAD "WKE502Z" "Woox" "Smart keypad" Sos 240
        [Action("sos"), Setting("arm_delay_beep_sound", "\"OFF\""), Setting("arm_delay_time", "30"),
         Setting("arm_mode", "0"), Setting("armed", "false"), Battery, Setting("beep_sound_enabled", "\"OFF\""),
         Linkquality, Setting("quick_arm_enabled", "\"OFF\""), Setting("quick_disarm_enabled", "\"OFF\""),
         Setting("quick_home_enabled", "\"OFF\""), Setting("quick_sos_enabled", "\"ON\""), Flag("sos_alarm"), Tamper];
    SMOKE "JY-GZ-01AQ" "Aqara" "Smart smoke detector" Smoke 300
        [Battery, Linkquality, PowerOutages, Flag("smoke"), Voltage];
    GAS "HS1CG" "Heiman" "Combustible gas sensor" Gas 300 [BatteryLow, Flag("gas"), Linkquality, Tamper];
    CO "HS1CA-M" "Heiman" "Smart carbon monoxide sensor" Co 300
        [Battery, BatteryLow, Flag("carbon_monoxide"), Linkquality, Voltage];
    LEAK "SZ-WTD03" "Sercomm" "Water leak detector" WaterLeak 300 [BatteryLow, Linkquality, Voltage, Flag("water_leak")];
    CLIMATE "NAS-TH07B2" "NEO" "Temperature and humidity sensor" Temperature 40
        [Battery, Humidity, Linkquality, Temperature];
}

impl Model {
    /// A call for help or a danger to life: heard by the `life` session too.
    pub fn life(&self) -> bool {
        matches!(self.kind, Kind::Sos | Kind::Smoke | Kind::Gas | Kind::Co)
    }

    /// The model's word for a press, where it has one.
    pub fn action(&self) -> Option<&'static str> {
        self.properties.iter().find_map(|p| match p {
            Action(word) => Some(*word),
            _ => None,
        })
    }

    /// Whether it keeps a state that a press sets.
    pub fn has_state(&self) -> bool {
        self.properties.iter().any(|p| matches!(p, Flag(_) | Contact))
    }

    /// The definition as `bridge/devices` has it.
    fn definition(&self) -> serde_json::Value {
        let exposes: Vec<_> = self.properties.iter().map(expose).collect();
        json!({"source": "native", "model": self.name, "vendor": self.vendor, "description": self.description,
               "exposes": exposes, "supports_ota": false, "options": []})
    }
}

/// A property as the `exposes` of a definition describe it: access 1 is *published*.
fn expose(property: &Property) -> serde_json::Value {
    let binary = |name: &str, on: serde_json::Value, off: serde_json::Value| json!({"name": name, "property": name, "access": 1, "type": "binary", "value_on": on, "value_off": off});
    let numeric =
        |name: &str, unit: &str| json!({"name": name, "property": name, "access": 1, "type": "numeric", "unit": unit});
    match property {
        Action(word) => json!({"name": "action", "property": "action", "access": 1, "type": "enum",
                               "category": "diagnostic", "values": [word]}),
        Battery => numeric("battery", "%"),
        BatteryLow => binary("battery_low", true.into(), false.into()),
        Contact => binary("contact", false.into(), true.into()),
        Flag(name) => binary(name, true.into(), false.into()),
        Humidity => numeric("humidity", "%"),
        Linkquality => numeric("linkquality", "lqi"),
        PowerOutages => numeric("power_outage_count", ""),
        Setting(name, text) if text.starts_with('"') => binary(name, "ON".into(), "OFF".into()),
        Setting(name, "false") => binary(name, true.into(), false.into()),
        Setting(name, _) => numeric(name, ""),
        Tamper => binary("tamper", true.into(), false.into()),
        Temperature => numeric("temperature", "°C"),
        Voltage => numeric("voltage", "mV"),
    }
}

/// Which language a device's hub speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    Zigbee2Mqtt,
    /// The product's own.
    Own,
}

/// One simulated device: its state as its hub caches it, and its traits.
#[derive(Debug)]
pub struct Device {
    pub model: &'static Model,
    pub topic: Arc<str>,
    pub dialect: Dialect,
    /// Motion, an open door, an alarm, a latched press.
    pub on: bool,
    /// When it last said `true`.
    pub last_on: Wall,
    /// Percent.
    battery: f64,
    /// Percent a day.
    drain: f64,
    link: f64,
    outages: u32,
    celsius: f64,
    /// A latched button never says `false`; an action button's press comes twice, as Home Assistant's setting has it.
    pub quirk: bool,
}

impl Device {
    /// Invents a device's traits.
    pub fn invent(model: &'static Model, topic: &str, dialect: Dialect, dice: &mut Dice) -> Device {
        Device {
            model,
            topic: topic.into(),
            dialect,
            on: false,
            last_on: Wall(i64::MIN / 2),
            battery: dice.between(28.0, 100.0),
            drain: dice.between(0.02, 0.12),
            link: dice.between(45.0, 210.0),
            outages: dice.below(20) as u32,
            celsius: dice.between(15.0, 24.0),
            quirk: dice.chance(0.5),
        }
    }

    /// Milliseconds until the next report without news.
    pub fn next_heartbeat(&self, dice: &mut Dice) -> u64 {
        let mean = f64::from(self.model.heartbeat_min);
        (dice.about(mean, mean / 30.0) * 60_000.0) as u64
    }

    /// Time passes until the next heartbeat: the battery drains, the room's air changes. `hour` is the local hour.
    pub fn age(&mut self, hour: f64, dice: &mut Dice) {
        self.battery = (self.battery - self.drain * f64::from(self.model.heartbeat_min) / 1_440.0).max(1.0);
        let pull = 19.5 + 2.0 * ((hour - 15.0) / 24.0 * std::f64::consts::TAU).cos() - self.celsius;
        self.celsius += 0.2 * pull + dice.about(0.0, 0.15);
    }

    fn volts_mv(&self) -> u32 {
        2_500 + 100 * (self.battery / 17.0) as u32
    }

    /// What Zigbee2MQTT publishes: all that it knows of the device, and the action only with the press itself.
    pub fn payload(&self, action: Option<&str>, dice: &mut Dice) -> String {
        let mut text = String::with_capacity(160);
        for property in self.model.properties {
            let separator = if text.is_empty() { '{' } else { ',' };
            let low = self.battery <= 15.0;
            // Writing to a String cannot fail.
            let _ = match *property {
                Action(_) => action.map_or(Ok(()), |word| write!(text, "{separator}\"action\":\"{word}\"")),
                Battery => write!(text, "{separator}\"battery\":{}", self.battery as u32),
                BatteryLow => write!(text, "{separator}\"battery_low\":{low}"),
                Contact => write!(text, "{separator}\"contact\":{}", !self.on),
                Flag(name) => write!(text, "{separator}\"{name}\":{}", self.on),
                Humidity => write!(text, "{separator}\"humidity\":{:.2}", 95.0 - 2.0 * self.celsius),
                Linkquality => {
                    write!(text, "{separator}\"linkquality\":{}", dice.about(self.link, 6.0).clamp(1.0, 255.0) as u32)
                }
                PowerOutages => write!(text, "{separator}\"power_outage_count\":{}", self.outages),
                Setting(name, value) => write!(text, "{separator}\"{name}\":{value}"),
                Tamper => write!(text, "{separator}\"tamper\":false"),
                Temperature => write!(text, "{separator}\"temperature\":{:.2}", self.celsius),
                Voltage => write!(text, "{separator}\"voltage\":{}", self.volts_mv()),
            };
        }
        text.push('}');
        text
    }

    /// The news in the product's own dialect: the model's kind with its value; a press carries an id.
    pub fn own_news(&self, id: Option<u64>) -> String {
        let kind = self.model.kind.name();
        match (self.model.kind, id) {
            (Kind::Temperature, _) => format!(r#"{{"kind":"{kind}","value":{:.2}}}"#, self.celsius),
            (Kind::Contact, _) => {
                format!(r#"{{"kind":"{kind}","value":"{}"}}"#, if self.on { "open" } else { "closed" })
            }
            (_, Some(id)) => format!(r#"{{"kind":"{kind}","value":{},"id":"{id:016x}"}}"#, self.on),
            (_, None) => format!(r#"{{"kind":"{kind}","value":{}}}"#, self.on),
        }
    }

    /// A report without news in the product's own dialect.
    pub fn own_heartbeat(&self) -> String {
        let battery = self.battery as u32;
        format!(r#"[{{"kind":"battery","value":{battery}}},{{"kind":"online","value":true}}]"#)
    }

    /// The device's entry of `bridge/devices`.
    pub fn announcement(&self, friendly_name: &str, ieee: u64) -> serde_json::Value {
        json!({"definition": self.model.definition(), "disabled": false, "friendly_name": friendly_name,
               "ieee_address": format!("0x{ieee:016x}"), "interview_completed": true, "interview_state": "SUCCESSFUL",
               "interviewing": false, "manufacturer": self.model.vendor, "model_id": self.model.name,
               "network_address": ieee & 0xffff, "power_source": "Battery", "supported": true, "type": "EndDevice"})
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn device(model: &'static Model) -> Device {
        Device::invent(model, "zigbee2mqtt/h0001/x", Dialect::Zigbee2Mqtt, &mut Dice::new(1, 1))
    }

    /// The payload's shape per model, with everything that varies blanked out.
    #[test]
    fn payloads_look_like_the_real_ones() {
        let shape = |model, action, on| {
            let mut device = device(model);
            device.on = on;
            let mut value: serde_json::Value =
                serde_json::from_str(&device.payload(action, &mut Dice::new(2, 2))).unwrap();
            for key in ["battery", "linkquality", "power_outage_count", "voltage", "temperature", "humidity"] {
                if let Some(number) = value.get_mut(key) {
                    assert!(number.is_number());
                    *number = json!(0);
                }
            }
            value
        };
        let table = [
            (
                &MOTION,
                None,
                true,
                json!({"battery":0,"linkquality":0,"occupancy":true,"power_outage_count":0,"voltage":0}),
            ),
            (&DOOR, None, true, json!({"battery_low":false,"contact":false,"linkquality":0,"tamper":false})),
            (&DOOR, None, false, json!({"battery_low":false,"contact":true,"linkquality":0,"tamper":false})),
            (
                &SOS_STATE,
                None,
                true,
                json!({"battery":0,"battery_low":false,"linkquality":0,"sos":true,"tamper":false,"voltage":0}),
            ),
            (
                &SOS_ACTION,
                Some("emergency"),
                true,
                json!({"action":"emergency","battery":0,"linkquality":0,"voltage":0}),
            ),
            (&SOS_ACTION, None, false, json!({"battery":0,"linkquality":0,"voltage":0})),
            (&GAS, None, true, json!({"battery_low":false,"gas":true,"linkquality":0,"tamper":false})),
            (&CLIMATE, None, false, json!({"battery":0,"humidity":0,"linkquality":0,"temperature":0})),
        ];
        for (model, action, on, expected) in table {
            assert_eq!(shape(model, action, on), expected, "{}", model.name);
        }
        let keypad = shape(&SOS_KEYPAD, Some("sos"), true);
        assert_eq!(
            (&keypad["action"], &keypad["sos_alarm"], &keypad["armed"]),
            (&json!("sos"), &json!(true), &json!(false))
        );
    }

    #[test]
    fn exposes_name_exactly_what_is_published() {
        for model in MODELS {
            let device = device(model);
            let payload: serde_json::Map<_, _> =
                serde_json::from_str(&device.payload(Some("x"), &mut Dice::new(2, 2))).unwrap();
            let announced = device.announcement("h0001/x", 7);
            let exposes = announced["definition"]["exposes"].as_array().unwrap().iter();
            let exposed: BTreeSet<_> = exposes.map(|e| e["property"].as_str().unwrap().to_owned()).collect();
            assert_eq!(payload.keys().cloned().collect::<BTreeSet<_>>(), exposed, "{}", model.name);
        }
    }
}
