//! The languages of devices: one table, for configuration, decoder, API and console.

macro_rules! dialects {
    ($($(#[$doc:meta])* $name:ident $text:literal [$($topic:literal),*];)*) => {
        /// How devices of a source speak.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Dialect { $($(#[$doc])* $name,)* }

        impl Dialect {
            pub const ALL: &'static [Dialect] = &[$(Dialect::$name,)*];

            /// The word of the configuration.
            pub const fn name(self) -> &'static str {
                match self { $(Dialect::$name => $text,)* }
            }

            /// The topic templates that such devices use unless they were told otherwise. Of several dialects whose topics fit, the
            /// first of [`Dialect::ALL`] has the message where nobody configured anything.
            pub const fn usual_topics(self) -> &'static [&'static str] {
                match self { $(Dialect::$name => &[$($topic),*],)* }
            }
        }
    };
}

dialects! {
    /// Hearthwatch's own, for gateways and scripts that can be taught.
    Own "hearthwatch" ["hearthwatch/{site}/{home}/{device}"];
    /// Zigbee2MQTT 1.x and 2.x.
    Zigbee2mqtt "zigbee2mqtt" ["zigbee2mqtt/{home}/{device}"];
    /// ChirpStack v4 and v3, as JSON.
    Chirpstack "chirpstack" ["application/{app}/device/{device}/event/{event}"];
    /// The Things Stack v3.
    TheThings "the_things_stack" ["v3/{app}/devices/{device}/{event}", "v3/{app}/devices/{device}/down/{event}",
        "v3/{app}/devices/{device}/service/{event}", "v3/{app}/devices/{device}/location/{event}"];
    /// Shelly Gen2 and later.
    ShellyGen2 "shelly_gen2" ["{device}/events/rpc", "{device}/status/{component}", "{device}/online"];
    ShellyGen1 "shelly_gen1" ["shellies/{device}"];
    Tasmota "tasmota" ["tele/{device}", "stat/{device}"];
    /// Theengs gateway and OpenMQTTGateway, Bluetooth.
    Theengs "theengs" ["home/{gateway}/BTtoMQTT/{device}"];
    Rtl433 "rtl_433" ["rtl_433/{device}"];
    /// Tuya link model.
    TuyaLink "tuya_link" ["tylink/{device}"];
    /// Alibaba Cloud link model.
    Alink "alink" ["/sys/{product}/{device}/thing/event/property/post", "/sys/{product}/{device}/thing/event/{event}/post"];
    /// Eclipse Sparkplug B.
    SparkplugB "sparkplug_b" ["spBv1.0/{group}/{type}/{device}"];
    /// Home Assistant's MQTT discovery, and every topic that it names.
    HomeAssistant "home_assistant" ["homeassistant/{device}"];
    /// ESPHome; what its topics mean stands in Home Assistant's discovery.
    Esphome "esphome" ["{device}/{component}/{object}/state", "{device}/status", "{device}/debug"];
}

impl Dialect {
    /// Whether a device's address stands in its topics as it is, so that a filter can name one device. Elsewhere many devices share a
    /// topic, or choose their own.
    pub const fn addressed_by_topic(self) -> bool {
        !matches!(
            self,
            Dialect::Rtl433
                | Dialect::TuyaLink
                | Dialect::Alink
                | Dialect::SparkplugB
                | Dialect::HomeAssistant
                | Dialect::Esphome
        )
    }

    /// The dialect of that word, if there is one.
    pub fn parse(name: &str) -> Option<Dialect> {
        Dialect::ALL.iter().copied().find(|d| d.name() == name)
    }
}
