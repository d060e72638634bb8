//! The table of fields: what the official codecs of LoRaWAN devices call what they sense, and with which words.
//!
//! From the codecs of Milesight (SensorDecoders), Dragino, the device repository of The Things Network (Netvox, Browan, MClimate,
//! Elsys, Tektelic, Sensative, Abeeway, Yobiiq …), Arwin (SENSO8) and Seeed, and the names of Cayenne LPP. A field that means one thing
//! with one maker and another with the next is read only beside fields that tell the maker, or of certain models.
//!
//! **What is missing here is missing on purpose.** Voltages are no percentages; `ALARM` of a Dragino door sensor is "open for too long",
//! `HighTempAlarm` no smoke, `interconnectAlarm` another detector's; `activity`, `motion_status` and `light_level` are scores; the
//! temperatures of boards, bodies, soil and targets are not the room's.

use super::leaf::Name;
use super::words::*;
use crate::engine::kind::Kind;
use crate::wire::rule::Rule;
use std::collections::HashMap;
use std::sync::LazyLock;

/// One row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field {
    /// In the one spelling: letters and digits, lower case.
    pub name: &'static str,
    pub rule: Rule,
    /// Where two fields of a message tell the same fact, the higher one is believed.
    pub rank: u8,
    /// The message is the event: each one counts, and its "no" says nothing.
    pub event: bool,
    /// The part of the device that it is of; empty for the device itself.
    pub zone: &'static str,
    /// One of these has to stand in the message too; empty for no condition.
    pub beside: &'static [&'static str],
    /// None of these may stand in the message.
    pub apart: &'static [&'static str],
    /// Where this field says no, the reading is not valid.
    pub unless_not: &'static str,
    /// Only of these models; empty for any.
    pub models: &'static [&'static str],
    /// Only on this port; 0 for any.
    pub port: u8,
}

const fn row(name: &'static str, rule: Rule) -> Field {
    Field { name, rule, rank: 1, event: false, zone: "", beside: &[], apart: &[], unless_not: "", models: &[], port: 0 }
}

impl Field {
    /// Speaks only where no plainer field does.
    const fn second(self) -> Field {
        Field { rank: 0, ..self }
    }

    const fn event(self) -> Field {
        Field { event: true, ..self }
    }

    const fn zone(self, zone: &'static str) -> Field {
        Field { zone, ..self }
    }

    const fn beside(self, beside: &'static [&'static str]) -> Field {
        Field { beside, ..self }
    }

    const fn apart(self, apart: &'static [&'static str]) -> Field {
        Field { apart, ..self }
    }

    const fn unless_not(self, unless_not: &'static str) -> Field {
        Field { unless_not, ..self }
    }

    const fn models(self, models: &'static [&'static str]) -> Field {
        Field { models, ..self }
    }

    const fn port(self, port: u8) -> Field {
        Field { port, ..self }
    }
}

/// Sorted by name. All rows of a name that hold are read.
pub(super) static FIELDS: &[Field] = &[
    row("airhumidity", Rule::Number(Kind::Humidity)),
    row("airtemperature", Rule::Number(Kind::Temperature)),
    row("alarm", Rule::Words(Kind::Sos, CALL_OF_A_KEY)).beside(&["datatype"]).apart(&["heartrate"]).event(),
    row("alarm", Rule::Words(Kind::Sos, CALL_AMONG_ALARMS)).beside(&["heartrate"]),
    row("alarm", Rule::Words(Kind::Sos, CALL_AMONG_ALARMS)).apart(&["heartrate", "datatype"]).event(),
    row("alarm", Rule::Flag(Kind::Sos)).models(NETVOX_BUTTONS).event(),
    // Dragino's push button.
    row("alarm", Rule::Action).beside(&["soundkey", "soundack"]),
    // Dragino's tracker, which repeats it until somebody ends its alarm mode.
    row("alarmstatus", Rule::Flag(Kind::Sos)).beside(TRACKER),
    row("ambienthumidity", Rule::Number(Kind::Humidity)),
    row("ambienttemp", Rule::Number(Kind::Temperature)),
    row("ambienttemperature", Rule::Number(Kind::Temperature)),
    row("antiteardetectionstatus", Rule::Words(Kind::Tamper, NEXELEC_BASE)),
    row("batstatus", Rule::Words(Kind::BatteryLow, CHARGE)).second(),
    row("battery", Rule::Number(Kind::Battery)).apart(VOLTS),
    row("batterylevel", Rule::Number(Kind::Battery)).apart(CODES),
    row("batterylevel", Rule::Words(Kind::BatteryLow, CHARGE)).second(),
    row("batterylevelinpercentage", Rule::Number(Kind::Battery)),
    row("batterylevelpercent", Rule::Number(Kind::Battery)),
    // As Moko spells it.
    row("batterylevle", Rule::Number(Kind::Battery)),
    row("batterylow", Rule::Flag(Kind::BatteryLow)),
    row("batterylowalarm", Rule::Spelt(Kind::BatteryLow, ALARM)),
    row("batterylowevent", Rule::Flag(Kind::BatteryLow)),
    row("batterypct", Rule::Number(Kind::Battery)),
    row("batterypercent", Rule::Number(Kind::Battery)),
    row("batterypercentage", Rule::Number(Kind::Battery)),
    row("batterystate", Rule::Words(Kind::BatteryLow, CHARGE)).second(),
    row("batterystatus", Rule::Words(Kind::BatteryLow, CHARGE)).second(),
    row("batteryvoltagestate", Rule::Words(Kind::BatteryLow, CHARGE)).second(),
    row("batterywarning", Rule::Spelt(Kind::BatteryLow, ALARM)),
    row("boxtamper", Rule::Flag(Kind::Tamper)),
    row("breathingrate", Rule::Number(Kind::RespiratoryRate)),
    row("button", Rule::Action),
    // Radio Bridge tells which button, and its state.
    row("buttonevent", Rule::Action).apart(&["state"]),
    row("buttoneventstatus", Rule::Action),
    row("buttonpressed", Rule::Action),
    row("buttonstate", Rule::Action),
    row("buttonstatus", Rule::Action),
    row("buttontrigger", Rule::Action),
    row("carbonmonoxidealarm", Rule::Spelt(Kind::Co, ALARM)),
    row("coalarm", Rule::Spelt(Kind::Co, ALARM)),
    row("codetected", Rule::Flag(Kind::Co)),
    row("contact", Rule::Words(Kind::Contact, DOOR)),
    row("contactevent", Rule::Words(Kind::Contact, WIRED)),
    row("contactstate", Rule::Words(Kind::Contact, DOOR)),
    row("contactstatus", Rule::Words(Kind::Contact, DOOR)),
    row("costatus", Rule::Spelt(Kind::Co, ALARM)),
    // Moko's trackers: taken down.
    row("demolishstate", Rule::Flag(Kind::Tamper)),
    row("detectionstatus", Rule::Words(Kind::Fall, RADAR_FALL)),
    row("detectionstatus", Rule::Words(Kind::Fall, RADAR_NO_FALL)).beside(RADAR),
    row("detectionstatus", Rule::Words(Kind::Presence, RADAR_SOMEBODY)).beside(RADAR),
    row("detectionstatus", Rule::Words(Kind::Bed, RADAR_BED)).beside(RADAR),
    row("devstatus", Rule::Words(Kind::Sos, MOKO_DOING)).beside(&["batterylevle"]),
    row("disassembledalarm", Rule::Spelt(Kind::Tamper, ALARM)),
    row("door", Rule::Words(Kind::Contact, DOOR)),
    row("door1openstatus", Rule::Flag(Kind::Contact)).zone("1"),
    row("door2openstatus", Rule::Flag(Kind::Contact)).zone("2"),
    // Netvox.
    row("doorbell", Rule::Action),
    row("dooropen", Rule::Flag(Kind::Contact)),
    row("dooropenstatus", Rule::Flag(Kind::Contact)),
    row("doorstate", Rule::Words(Kind::Contact, DOOR)),
    row("doorstatus", Rule::Words(Kind::Contact, DOOR)).apart(PINS),
    row("doorwindowevent", Rule::Words(Kind::Contact, DOOR)),
    row("emergency", Rule::Spelt(Kind::Sos, CALL)),
    row("emergencyalarm", Rule::Spelt(Kind::Sos, CALL)),
    row("emergencyalert", Rule::Flag(Kind::Sos)).event(),
    row("emergencybutton", Rule::Spelt(Kind::Sos, CALL)),
    // Milesight's GS524N by its older codec.
    row("event", Rule::Words(Kind::Smoke, SMOKE_MESSAGE)).beside(&["concentration"]),
    row("event", Rule::Words(Kind::BatteryLow, LOW_MESSAGE)).beside(&["concentration"]),
    row("event", Rule::Words(Kind::Tamper, CASE_MESSAGE)).beside(&["concentration"]),
    row("eventtype", Rule::Words(Kind::Sos, MOKO_EVENT)),
    row("externaltemperature", Rule::Number(Kind::Temperature)).zone("external"),
    row("exthumsht", Rule::Number(Kind::Humidity)).zone("external"),
    // The pin of Dragino's LHT65N with a motion sensor; with any other it is only a pin.
    row("extipinlevel", Rule::Words(Kind::Motion, PIR_PIN)),
    row("exttempcsht", Rule::Number(Kind::Temperature)).zone("external"),
    row("fall", Rule::Spelt(Kind::Fall, ALARM)),
    row("fallalarm", Rule::Spelt(Kind::Fall, ALARM)),
    row("falldetected", Rule::Spelt(Kind::Fall, ALARM)),
    row("falldetection", Rule::Flag(Kind::Fall)),
    row("fallstatus", Rule::Spelt(Kind::Fall, ALARM)),
    row("firealarm", Rule::Spelt(Kind::Smoke, ALARM)),
    // Sensative's is a wetness in percent.
    row("flood", Rule::Spelt(Kind::WaterLeak, LEAK)).apart(&["historyseqnr"]),
    row("floodalarm", Rule::Spelt(Kind::WaterLeak, ALARM)),
    row("flooddetected", Rule::Flag(Kind::WaterLeak)),
    row("floodstatus", Rule::Spelt(Kind::WaterLeak, LEAK)),
    row("gas", Rule::Strict(Kind::Gas)),
    row("gasalarm", Rule::Spelt(Kind::Gas, ALARM)),
    row("gasdetected", Rule::Flag(Kind::Gas)),
    row("gasleak", Rule::Spelt(Kind::Gas, LEAK)),
    row("gasstatus", Rule::Spelt(Kind::Gas, ALARM)),
    row("heartrate", Rule::Number(Kind::HeartRate)).unless_not("wearstatus"),
    row("hum", Rule::Number(Kind::Humidity)).apart(&["alarmstatus", "latitude"]),
    row("hum", Rule::Number(Kind::Humidity)).beside(&["alarmstatus"]).unless_not("hum"),
    row("humi", Rule::Number(Kind::Humidity)),
    row("humidity", Rule::Number(Kind::Humidity)),
    row("humiditysensor", Rule::Number(Kind::Humidity)),
    row("humsht", Rule::Number(Kind::Humidity)),
    row("humsht31", Rule::Number(Kind::Humidity)),
    row("humsht41", Rule::Number(Kind::Humidity)),
    row("hygrometry", Rule::Number(Kind::Humidity)),
    row("illlux", Rule::Number(Kind::Illuminance)),
    row("illlx", Rule::Number(Kind::Illuminance)),
    row("illum", Rule::Number(Kind::Illuminance)),
    row("illuminance", Rule::Number(Kind::Illuminance)),
    row("illuminancesensor", Rule::Number(Kind::Illuminance)),
    row("illumination", Rule::Number(Kind::Illuminance)),
    row("impactalarm", Rule::Counted(Kind::Vibration)).beside(TEKTELIC),
    row("incensesmokealarm", Rule::Spelt(Kind::Smoke, ALARM)),
    row("inputstatus", Rule::Words(Kind::Contact, DOOR)),
    row("install", Rule::Words(Kind::Tamper, INSTALLED)),
    row("key", Rule::Action).models(NETVOX_KEYS),
    row("leak", Rule::Spelt(Kind::WaterLeak, LEAK)),
    row("leakage", Rule::Spelt(Kind::WaterLeak, LEAK)),
    row("leakagestatus", Rule::Spelt(Kind::WaterLeak, LEAK)),
    row("leakalarm", Rule::Spelt(Kind::WaterLeak, ALARM)),
    row("leakdetected", Rule::Flag(Kind::WaterLeak)),
    row("leakstatus", Rule::Spelt(Kind::WaterLeak, LEAK)),
    // Elsys, in lux; with others a score, a percentage or a lamp.
    row("light", Rule::Number(Kind::Illuminance)).beside(&["vdd", "accmotion", "grideye", "irinternaltemperature"]),
    // Milesight's EM500-LGT by its older codec.
    row("light", Rule::Number(Kind::Illuminance)).models(&["em500lgt"]),
    // Arwin's indoor sensor; with Tektelic a raw count.
    row("lightintensity", Rule::Number(Kind::Illuminance)).beside(&["occupancy"]),
    row("lowbattery", Rule::Flag(Kind::BatteryLow)),
    row("lowbatteryalarm", Rule::Spelt(Kind::BatteryLow, ALARM)),
    row("lowpowerstate", Rule::Flag(Kind::BatteryLow)),
    row("luminosity", Rule::Number(Kind::Illuminance)),
    row("lux", Rule::Number(Kind::Illuminance)).unless_not("luxstatus"),
    // Of MClimate's valve the magnet that a plumber holds to it.
    row("magnet", Rule::Spelt(Kind::Contact, DOOR)).apart(&["boxtamper"]),
    row("magnetstatus", Rule::Spelt(Kind::Contact, DOOR)),
    row("messagetype", Rule::Words(Kind::Smoke, SMOKE_MESSAGE)).beside(&["concentration"]),
    row("messagetype", Rule::Words(Kind::BatteryLow, LOW_MESSAGE)).beside(&["concentration"]),
    row("messagetype", Rule::Words(Kind::Tamper, CASE_MESSAGE)).beside(&["concentration"]),
    row("moisture", Rule::Counted(Kind::WaterLeak)).beside(TEKTELIC),
    // How often since the last message, or yes or no.
    // (Of Abeeway's tracker a percentage.)
    row("motion", Rule::Spelt(Kind::Motion, MOVING)).apart(&["positiontype"]),
    row("motion", Rule::Counted(Kind::Motion)).apart(&["positiontype"]),
    row("motiondetected", Rule::Flag(Kind::Motion)),
    row("motioneventstate", Rule::Counted(Kind::Motion)),
    row("motionstate", Rule::Words(Kind::Motion, MOVING)),
    row("motionstatus", Rule::Words(Kind::Motion, MOVING)),
    row("motmotionst", Rule::Flag(Kind::Motion)),
    // Of a desk sensor a number: 0 nobody, 1 perhaps, 2 somebody.
    row("occupancy", Rule::Spelt(Kind::Presence, SOMEBODY)),
    row("occupancy", Rule::Counted(Kind::Presence)),
    row("occupancystate", Rule::Spelt(Kind::Presence, SOMEBODY)),
    row("occupancystatus", Rule::Spelt(Kind::Presence, SOMEBODY)),
    row("occupied", Rule::Flag(Kind::Presence)),
    row("occupy", Rule::Flag(Kind::Presence)),
    row("onoff", Rule::Flag(Kind::Contact)).models(NETVOX_DOORS),
    // MerryIoT.
    row("open", Rule::Flag(Kind::Contact)).beside(&["tamper", "tilt"]),
    row("panic", Rule::Spelt(Kind::Sos, CALL)),
    row("panicalarm", Rule::Spelt(Kind::Sos, CALL)),
    row("panicbutton", Rule::Spelt(Kind::Sos, CALL)),
    row("pir", Rule::Spelt(Kind::Motion, MOVING)),
    row("pirstatus", Rule::Spelt(Kind::Motion, MOVING)),
    row("pirtrigger", Rule::Flag(Kind::Motion)),
    row("presence", Rule::Spelt(Kind::Presence, SOMEBODY)),
    row("presencedetectedwhensending", Rule::Flag(Kind::Presence)),
    row("presencesensor", Rule::Flag(Kind::Presence)),
    row("presencestatus", Rule::Spelt(Kind::Presence, SOMEBODY)),
    row("pressevent", Rule::Action),
    row("pulserate", Rule::Number(Kind::HeartRate)).unless_not("wearstatus"),
    row("reedstate", Rule::Counted(Kind::Contact)).beside(TEKTELIC),
    row("relativehumidity", Rule::Number(Kind::Humidity)),
    row("respirationrate", Rule::Number(Kind::RespiratoryRate)),
    row("respiratoryrate", Rule::Number(Kind::RespiratoryRate)),
    // MClimate's own thermistor, unless it has another outside.
    row("sensortemperature", Rule::Number(Kind::Temperature)).beside(&["extthermistortemperature"]),
    row("sensortemperature", Rule::Number(Kind::Temperature))
        .apart(&["extthermistortemperature"])
        .unless_not("thermistorproperlyconnected"),
    row("smoke", Rule::Spelt(Kind::Smoke, SMOKE)),
    row("smokealarm", Rule::Spelt(Kind::Smoke, ALARM)),
    row("smokealarm", Rule::Words(Kind::Smoke, NEXELEC_SMOKE)),
    row("smokedetected", Rule::Spelt(Kind::Smoke, SMOKE)),
    row("smokedetection", Rule::Spelt(Kind::Smoke, SMOKE)),
    row("smokestate", Rule::Spelt(Kind::Smoke, SMOKE)),
    row("smokestatus", Rule::Spelt(Kind::Smoke, SMOKE)),
    row("sos", Rule::Spelt(Kind::Sos, CALL)),
    row("sosalarm", Rule::Spelt(Kind::Sos, CALL)),
    row("sosalert", Rule::Flag(Kind::Sos)).event(),
    row("sosbutton", Rule::Spelt(Kind::Sos, CALL)),
    row("sosevent", Rule::Flag(Kind::Sos)).event(),
    // Abeeway repeats it with every message while it is in SOS mode.
    row("sosflag", Rule::Flag(Kind::Sos)),
    row("sospressed", Rule::Flag(Kind::Sos)),
    row("sosstatus", Rule::Spelt(Kind::Sos, CALL)),
    // Browan's Tabs have one codec each, and each calls what it senses status.
    row("status", Rule::Flag(Kind::Contact)).beside(BROWAN).port(100),
    row("status", Rule::Flag(Kind::Motion)).beside(BROWAN).port(102),
    row("status", Rule::Flag(Kind::WaterLeak)).beside(BROWAN).port(106),
    row("status", Rule::Action).beside(BROWAN).port(147),
    row("status", Rule::Flag(Kind::Vibration)).models(NETVOX_VIBRATION),
    row("tamper", Rule::Spelt(Kind::Tamper, CASE)),
    row("tamperalarm", Rule::Spelt(Kind::Tamper, ALARM)),
    row("tamperdetected", Rule::Flag(Kind::Tamper)),
    row("tamperevent", Rule::Spelt(Kind::Tamper, COVER)).second(),
    row("tamperreport", Rule::Flag(Kind::Tamper)),
    row("tamperstate", Rule::Flag(Kind::Tamper)),
    row("tamperstatus", Rule::Spelt(Kind::Tamper, CASE)),
    row("tamperstatusalarmtype", Rule::Words(Kind::Tamper, TAMPER_ALARM)),
    row("tem", Rule::Number(Kind::Temperature)).beside(&["alarmstatus"]).unless_not("hum"),
    row("temp", Rule::Number(Kind::Temperature)),
    row("tempc", Rule::Number(Kind::Temperature)),
    row("tempcds", Rule::Number(Kind::Temperature)).zone("external"),
    row("tempcsht", Rule::Number(Kind::Temperature)),
    row("tempcsht31", Rule::Number(Kind::Temperature)),
    row("tempcsht41", Rule::Number(Kind::Temperature)),
    row("tempctmp117", Rule::Number(Kind::Temperature)).zone("external"),
    row("temperature", Rule::Number(Kind::Temperature)).unless_not("thermistorproperlyconnected"),
    row("temperaturec", Rule::Number(Kind::Temperature)),
    row("temperaturecelsius", Rule::Number(Kind::Temperature)),
    row("temperaturef", Rule::Fahrenheit(Kind::Temperature)).second(),
    row("temperaturesensor", Rule::Number(Kind::Temperature)),
    row("tempf", Rule::Fahrenheit(Kind::Temperature)).second(),
    row("vibration", Rule::Strict(Kind::Vibration)),
    row("vibrationalarm", Rule::Spelt(Kind::Vibration, ALARM)),
    row("water", Rule::Strict(Kind::WaterLeak)),
    row("waterdetected", Rule::Flag(Kind::WaterLeak)),
    row("waterevent", Rule::Words(Kind::WaterLeak, ROPE)),
    row("waterleak", Rule::Spelt(Kind::WaterLeak, LEAK)),
    // Elsys, as a level from 0 to 255.
    row("waterleak", Rule::Counted(Kind::WaterLeak)),
    row("waterleakage", Rule::Spelt(Kind::WaterLeak, LEAK)),
    row("waterleakagestatus", Rule::Spelt(Kind::WaterLeak, LEAK)),
    row("waterleakalarm", Rule::Spelt(Kind::WaterLeak, ALARM)),
    row("waterleakdetected", Rule::Flag(Kind::WaterLeak)),
    row("waterleakstatus", Rule::Spelt(Kind::WaterLeak, LEAK)),
    row("windowopen", Rule::Flag(Kind::Contact)),
];

/// The rows of each name. Hashed, since every value of every message asks: by halves of the table that took a fifth of the decoding.
static BY_NAME: LazyLock<HashMap<&[u8], &[Field]>> = LazyLock::new(|| {
    let rows_of_a_name = FIELDS.chunk_by(|row, next| row.name == next.name);
    rows_of_a_name.map(|rows| (rows[0].name.as_bytes(), rows)).collect()
});

/// The rows of a name.
pub(super) fn named(name: &Name) -> &'static [Field] {
    BY_NAME.get(name.letters()).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_in_the_one_spelling() {
        assert!(FIELDS.is_sorted_by_key(|row| row.name));
        for row in FIELDS {
            let names = [row.name, row.unless_not].into_iter().chain(row.beside.iter().chain(row.apart).copied());
            for name in names.chain(row.models.iter().copied()) {
                assert!(Name::of(&[name]).unwrap().is(name), "{name}");
            }
        }
    }

    #[test]
    fn all_rows_of_a_name_are_found() {
        let rows = |name: &str| named(&Name::of(&[name]).unwrap()).len();
        for (name, expected) in [("airhumidity", 1), ("alarm", 5), ("window_open", 1), ("co2", 0), ("zz", 0), ("", 0)] {
            assert_eq!(rows(name), expected, "{name}");
        }
    }
}
