//! The one table of reading kinds (decoder, engine, API and console use it) and the one table of alarm kinds.

use minicbor::{Decode, Encode};
use serde::{Serialize, Serializer};

/// What a value of a kind looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// true or false
    Flag,
    /// "open" or "closed"
    Door,
    /// a number in this unit
    Number(&'static str),
    /// a text of the device's own
    Text,
}

macro_rules! kinds {
    ($($n:literal $name:ident $text:literal $shape:expr, $activity:literal, $alarm:expr;)*) => {
        /// A kind of reading. The numbers are written into journals: never edit one, only add.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
        #[cbor(index_only)]
        pub enum Kind { $(#[n($n)] $name,)* }

        impl Kind {
            pub const ALL: &'static [Kind] = &[$(Kind::$name,)*];

            /// The word of the contract.
            pub const fn name(self) -> &'static str {
                match self { $(Kind::$name => $text,)* }
            }

            pub const fn shape(self) -> Shape {
                match self { $(Kind::$name => $shape,)* }
            }

            /// Whether only a person can cause it. (A contact or a presence by its change, a flag by its `true`.)
            pub const fn activity(self) -> bool {
                match self { $(Kind::$name => $activity,)* }
            }

            /// The alarm that a `true` of this kind is.
            pub const fn alarm(self) -> Option<AlarmKind> {
                match self { $(Kind::$name => $alarm,)* }
            }
        }
    };
}

kinds! {
    0 Motion "motion" Shape::Flag, true, None;
    1 Presence "presence" Shape::Flag, true, None;
    2 Contact "contact" Shape::Door, true, None;
    3 Sos "sos" Shape::Flag, true, Some(AlarmKind::Sos);
    4 Button "button" Shape::Text, true, None;
    5 WaterLeak "water_leak" Shape::Flag, false, Some(AlarmKind::Leak);
    6 Smoke "smoke" Shape::Flag, false, Some(AlarmKind::Smoke);
    7 Gas "gas" Shape::Flag, false, Some(AlarmKind::Gas);
    8 Co "co" Shape::Flag, false, Some(AlarmKind::Co);
    9 Fall "fall" Shape::Flag, false, Some(AlarmKind::Fall);
    10 FallWarning "fall_warning" Shape::Flag, false, None;
    11 Vibration "vibration" Shape::Flag, true, None;
    12 Tamper "tamper" Shape::Flag, false, Some(AlarmKind::Tamper);
    13 Battery "battery" Shape::Number("%"), false, None;
    14 BatteryLow "battery_low" Shape::Flag, false, Some(AlarmKind::BatteryLow);
    15 Temperature "temperature" Shape::Number("°C"), false, None;
    16 Humidity "humidity" Shape::Number("%"), false, None;
    17 Illuminance "illuminance" Shape::Number("lx"), false, None;
    18 RespiratoryRate "respiratory_rate" Shape::Number("/min"), false, None;
    19 HeartRate "heart_rate" Shape::Number("/min"), false, None;
    20 Online "online" Shape::Flag, false, None;
    21 Bed "bed" Shape::Flag, true, None;
    22 WaterVolume "water_volume" Shape::Number("L"), false, None;
    23 Power "power" Shape::Number("W"), false, None;
    24 Weight "weight" Shape::Number("kg"), true, None;
    25 Mains "mains" Shape::Flag, false, None;
}

impl Kind {
    pub fn parse(name: &str) -> Option<Kind> {
        Kind::ALL.iter().copied().find(|k| k.name() == name)
    }
}

/// How grave, and so who is told and how soon. The order is the order of everything: life first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum Priority {
    #[n(0)]
    Life,
    #[n(1)]
    Welfare,
    #[n(2)]
    Property,
    #[n(3)]
    Technical,
}

impl Priority {
    pub const ALL: [Priority; 4] = [Priority::Life, Priority::Welfare, Priority::Property, Priority::Technical];

    pub const fn name(self) -> &'static str {
        match self {
            Priority::Life => "life",
            Priority::Welfare => "welfare",
            Priority::Property => "property",
            Priority::Technical => "technical",
        }
    }
}

/// What kind of thing an alarm stands for: it decides what a repeat and an end mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nature {
    /// Somebody called: each press counts, a retained one is none.
    Press,
    /// A state of the home that begins and ends by itself; found true on connect it is an alarm of unknown age.
    Condition,
    /// Something this gateway concluded.
    Judgement,
}

macro_rules! alarms {
    ($($n:literal $name:ident $text:literal $priority:ident $nature:ident;)*) => {
        /// A kind of alarm. The variants stand in the order of gravity (a case is headed by its first); the numbers are
        /// written into journals: never edit one, only add.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
        #[cbor(index_only)]
        pub enum AlarmKind { $(#[n($n)] $name,)* }

        impl AlarmKind {
            pub const ALL: &'static [AlarmKind] = &[$(AlarmKind::$name,)*];

            /// The word of the contract.
            pub const fn name(self) -> &'static str {
                match self { $(AlarmKind::$name => $text,)* }
            }

            pub const fn priority(self) -> Priority {
                match self { $(AlarmKind::$name => Priority::$priority,)* }
            }

            pub const fn nature(self) -> Nature {
                match self { $(AlarmKind::$name => Nature::$nature,)* }
            }
        }
    };
}

alarms! {
    0 Smoke "smoke" Life Condition;
    1 Co "co" Life Condition;
    2 Gas "gas" Life Condition;
    3 Sos "sos" Life Press;
    4 Fall "fall" Life Press;
    // A radar's warning after which nobody moved.
    28 FallStill "fall_still" Life Judgement;
    // A message that twice took the process down with it: unread, it counts as a call for help.
    5 PossibleSos "possible_sos" Life Judgement;
    // A latched press that says `true` once more after somebody had seen it.
    6 PossiblePress "possible_press" Welfare Judgement;
    7 Inactivity "inactivity" Welfare Judgement;
    18 Bathroom "bathroom" Welfare Judgement;
    19 Wandering "wandering" Welfare Judgement;
    20 BedLeft "bed_left" Welfare Judgement;
    21 Cold "cold" Welfare Judgement;
    22 Heat "heat" Welfare Judgement;
    23 DoorOpen "door_open" Welfare Judgement;
    29 NoWater "no_water" Welfare Judgement;
    35 VitalSigns "vital_signs" Welfare Judgement;
    // A visit that was due by the end of the day was not made in time.
    38 VisitMissed "visit_missed" Welfare Judgement;
    // The home's engine failed, or it could not be heard for long: nobody watches it, so somebody has to look.
    8 WelfareCheck "welfare_check" Welfare Judgement;
    // The quiet tier below `inactivity`: the operator's list, no ladder.
    9 InactivityCheck "inactivity_check" Welfare Judgement;
    30 FallCheck "fall_check" Welfare Judgement;
    24 NotUpCheck "not_up_check" Welfare Judgement;
    25 BathroomCheck "bathroom_check" Welfare Judgement;
    26 ColdCheck "cold_check" Welfare Judgement;
    27 HeatCheck "heat_check" Welfare Judgement;
    31 NoWaterCheck "no_water_check" Welfare Judgement;
    // Somebody stirs where the people are said to be away; and what is said of the home has to be confirmed.
    33 BackCheck "back_check" Welfare Judgement;
    34 SuppressionCheck "suppression_check" Welfare Judgement;
    // A visit is due by the end of the day: the caseworker's list.
    37 VisitDue "visit_due" Welfare Judgement;
    10 Leak "leak" Property Condition;
    32 WaterRunning "water_running" Property Judgement;
    11 EngineFault "engine_fault" Technical Judgement;
    12 Tamper "tamper" Technical Condition;
    13 BatteryLow "battery_low" Technical Condition;
    14 ChannelDown "channel_down" Technical Judgement;
    15 StoreRebuilt "store_rebuilt" Technical Judgement;
    16 HomeUnheard "home_unheard" Technical Condition;
    // Several homes, or all of a site, cannot be heard for one cause.
    17 Outage "outage" Technical Condition;
    // At some time of the next days too few people are there to be told.
    36 CoverageGap "coverage_gap" Technical Judgement;
}

impl AlarmKind {
    pub fn parse(name: &str) -> Option<AlarmKind> {
        AlarmKind::ALL.iter().copied().find(|k| k.name() == name)
    }

    /// Somebody may be calling for help: what belongs to it may use the reserve of a full disk.
    pub const fn may_be_a_call(self) -> bool {
        matches!(self, AlarmKind::PossiblePress) || matches!(self.priority(), Priority::Life)
    }

    /// The tier below an alarm: closes by itself when what it asks for is over.
    pub const fn is_check(self) -> bool {
        use AlarmKind::*;
        matches!(
            self,
            FallCheck
                | InactivityCheck
                | NotUpCheck
                | BathroomCheck
                | ColdCheck
                | HeatCheck
                | NoWaterCheck
                | BackCheck
                | SuppressionCheck
                | VisitDue
        )
    }

    /// Whether it closes only after a person confirmed that the resident is safe: not what is asked of a suppression, or a reminder.
    pub const fn needs_safe(self) -> bool {
        matches!(self.priority(), Priority::Life | Priority::Welfare)
            && !matches!(self, AlarmKind::BackCheck | AlarmKind::SuppressionCheck | AlarmKind::VisitDue)
    }

    /// Of the equipment of one home, or what is mended already: told twice a day in one message, unless a ladder is named for the kind
    /// (PRACTICE, "technical"). That nobody can be heard or told anywhere waits for no such hour.
    pub const fn can_wait(self) -> bool {
        use AlarmKind::*;
        matches!(self, Tamper | BatteryLow | HomeUnheard | StoreRebuilt)
    }

    /// Shown to the operator only; no ladder is climbed for it unless somebody names one: for a check by its kind.
    pub const fn quiet(self) -> bool {
        self.is_check() || matches!(self.priority(), Priority::Technical)
    }
}

macro_rules! by_name {
    ($($t:ty)*) => {$(
        impl std::fmt::Display for $t {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())
            }
        }

        impl Serialize for $t {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.serialize_str(self.name())
            }
        }
    )*};
}

by_name!(Kind Priority AlarmKind);
