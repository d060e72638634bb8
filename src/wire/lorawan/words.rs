//! The words that LoRaWAN codecs have for yes and no, kind by kind, and names of fields by which a codec is known.

use crate::wire::rule::Words;

/// Of detectors; "NoLeak" and "No Alarm" hold the alarm's word, so whole words are compared.
pub(super) const ALARM: Words = &[
    ("alarm", true),
    ("alarming", true),
    ("triggered", true),
    ("detected", true),
    ("active", true),
    ("no alarm", false),
    ("noalarm", false),
    ("no_alarm", false),
    ("alarm release", false),
    ("alarm_release", false),
    ("not detected", false),
    ("not_detected", false),
    ("normal", false),
    ("clear", false),
    ("none", false),
    ("ok", false),
    ("inactive", false),
];
pub(super) const SMOKE: Words = &[
    ("smoke", true),
    ("fire", true),
    ("detected", true),
    ("triggered", true),
    ("no smoke", false),
    ("no_smoke", false),
    ("no fire", false),
    ("not detected", false),
    ("no alarm", false),
    ("clear", false),
    ("none", false),
];
pub(super) const LEAK: Words = &[
    ("leak", true),
    ("leaking", true),
    ("leakage", true),
    ("water leak", true),
    ("water", true),
    ("wet", true),
    ("flood", true),
    ("no leak", false),
    ("noleak", false),
    ("no_leak", false),
    ("no leakage", false),
    ("no water", false),
    ("dry", false),
];
pub(super) const DOOR: Words = &[("open", true), ("opened", true), ("close", false), ("closed", false)];
pub(super) const MOVING: Words = &[
    ("trigger", true),
    ("triggered", true),
    ("pir trigger", true),
    ("motion", true),
    ("motion detected", true),
    ("detected", true),
    ("activity", true),
    ("active", true),
    ("occupied", true),
    ("normal", false),
    ("idle", false),
    ("no motion", false),
    ("no_motion", false),
    ("no activity", false),
    ("not detected", false),
    ("inactive", false),
    ("vacant", false),
    ("unoccupied", false),
    ("none", false),
];
pub(super) const SOMEBODY: Words = &[
    ("occupied", true),
    ("present", true),
    ("presence", true),
    ("detected", true),
    ("vacant", false),
    ("unoccupied", false),
    ("not occupied", false),
    ("not detected", false),
    ("free", false),
    ("empty", false),
    ("absent", false),
    ("none", false),
];
pub(super) const CASE: Words = &[
    ("uninstalled", true),
    ("uninstall", true),
    ("removed", true),
    ("dismounted", true),
    ("disassembled", true),
    ("tampered", true),
    ("triggered", true),
    ("installed", false),
    ("install", false),
    ("mounted", false),
    ("not tampered", false),
];
pub(super) const INSTALLED: Words = &[("no", true), ("yes", false)];
pub(super) const CALL: Words = &[
    ("sos", true),
    ("pressed", true),
    ("press", true),
    ("active", true),
    ("triggered", true),
    ("normal", false),
    ("released", false),
    ("inactive", false),
    ("idle", false),
    ("none", false),
];
/// Of a field that tells alarms of several kinds: everything but a call is another field's to tell.
pub(super) const CALL_AMONG_ALARMS: Words = &[("sos", true), ("emergency", true), ("panic", true), ("help", true)];
/// A wristband's frame of one key: it calls for fire as it calls for help.
pub(super) const CALL_OF_A_KEY: Words = &[("sos", true), ("fire", true), ("emergency", true)];
pub(super) const CHARGE: Words = &[
    ("low", true),
    ("ultra low", true),
    ("critical", true),
    ("low battery", true),
    ("low_battery", true),
    ("normal", false),
    ("ok", false),
    ("good", false),
    ("full", false),
    ("high", false),
    ("medium", false),
];
/// Moko's panic button, in its events and in what it says it is doing.
pub(super) const MOKO_EVENT: Words = &[("sos_start", true), ("sos_stop", false)];
pub(super) const MOKO_DOING: Words = &[("sos", true), ("none", false)];
/// Nexelec's smoke detectors; what another detector saw is not theirs.
pub(super) const NEXELEC_SMOKE: Words = &[("local smoke alarm activated", true), ("smoke alarm non-activated", false)];
pub(super) const NEXELEC_BASE: Words = &[
    ("magnetic base not detected", true),
    ("product removed from its based just now", true),
    ("magnetic base detected", false),
    ("product installed on its base just now", false),
];
/// Radio Bridge: what is wired is open or shorted, the case open or closed, the rope wet or not.
pub(super) const WIRED: Words = &[("contacts opened", true), ("contacts shorted", false)];
pub(super) const ROPE: Words = &[("water present", true), ("water not present", false)];
pub(super) const COVER: Words = &[("open", true), ("closed", false)];
/// The numbers of a Milesight vape detector's tamper alarms.
pub(super) const TAMPER_ALARM: Words = &[("33", true), ("32", false)];
pub(super) const SMOKE_MESSAGE: Words = &[("alarm", true), ("normal", false)];
pub(super) const LOW_MESSAGE: Words = &[("low battery", true)];
pub(super) const CASE_MESSAGE: Words = &[("removed", true), ("installed", false)];
pub(super) const RADAR_FALL: Words = &[("fall", true)];
pub(super) const RADAR_NO_FALL: Words = &[
    ("normal", false),
    ("vacant", false),
    ("in_bed", false),
    ("in bed", false),
    ("out_of_bed", false),
    ("out of bed", false),
];
/// A fall says so itself; whether the radar still sees somebody then is not its word.
pub(super) const RADAR_SOMEBODY: Words = &[
    ("vacant", false),
    ("normal", true),
    ("in_bed", true),
    ("in bed", true),
    ("out_of_bed", true),
    ("out of bed", true),
];
pub(super) const RADAR_BED: Words =
    &[("in_bed", true), ("in bed", true), ("out_of_bed", false), ("out of bed", false), ("vacant", false)];
pub(super) const PIR_PIN: Words = &[("activity", true), ("no activity", false)];
/// What a fall radar says beside its state; a people counter has a state of the same name, which says that the counter is well.
pub(super) const RADAR: &[&str] = &["targetstatus", "usetimenow", "usetimetoday"];
/// What shows that a door's state is only the level of a pin that may be wired or not: Dragino's SN50 and LSN50.
pub(super) const PINS: &[&str] = &["digitalistatus", "extitrigger"];
/// What shows that a field called battery is in volts: Browan, MClimate, Dragino.
pub(super) const VOLTS: &[&str] = &[
    "adc1v",
    "co2threshold",
    "distancestate",
    "extitrigger",
    "upperlimit",
    "temperatureboard",
    "boxtamper",
    "nodetype",
    "frequencyband",
    "vibcount",
    "workmin",
    "datalog",
    "disalarm",
    "tdc",
];
/// What shows that the level is Abeeway's code, or Hager's volts.
pub(super) const CODES: &[&str] = &["sosflag", "trackingmode", "dynamicmotionstate", "rawpositiontype", "energyusage"];
/// Fields of Tektelic's room sensors, whose states are the byte as sent: 0 is no (of the magnet: there), 1 or 255 is yes.
pub(super) const TEKTELIC: &[&str] = &[
    "reedstate",
    "reedcount",
    "lightdetected",
    "ambienttemperature",
    "relativehumidity",
    "impactmagnitude",
    "impactalarm",
    "mcutemperature",
    "motioneventcount",
];
/// Browan's fields beside its status, by the repository's codec and by its own.
pub(super) const BROWAN: &[&str] = &["temperatureboard", "temp"];
pub(super) const NETVOX_DOORS: &[&str] = &["r311a", "r718f", "r730f"];
pub(super) const NETVOX_VIBRATION: &[&str] =
    &["r718da", "r718db", "r730da", "r730db", "r311da", "r311db", "r311fa", "r718mba", "r730mba"];
/// Emergency push buttons; the same field of R718T is whatever contact somebody wired to it.
pub(super) const NETVOX_BUTTONS: &[&str] = &["r312a", "rb02i"];
pub(super) const NETVOX_KEYS: &[&str] = &["rb02b", "rb02c"];
/// Dragino's trackers; their warmth and damp are 0 where they have not measured.
pub(super) const TRACKER: &[&str] = &["latitude", "lon", "transport", "wifissid", "md"];
