//! The two times of DESIGN.md and the third that follows from them. Time is an argument: nothing in here reads a clock.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};
use std::ops::Add;

/// Elapsed milliseconds that never run backwards: boot-time clock plus the downtime of the gateway. Every wait is measured in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Encode, Decode, Serialize, Deserialize)]
#[cbor(transparent)]
#[serde(transparent)]
pub struct Tick(#[n(0)] pub u64);

/// Milliseconds since 1970-01-01T00:00:00Z by the wall clock. Windows, rotas and whatever a person reads use it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Encode, Decode, Serialize, Deserialize)]
#[cbor(transparent)]
#[serde(transparent)]
pub struct Wall(#[n(0)] pub i64);

/// A length of time in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Encode, Decode, Serialize, Deserialize)]
#[cbor(transparent)]
#[serde(transparent)]
pub struct Millis(#[n(0)] pub u64);

/// A wall clock that moves by more than this against the boot-time clock has been set by somebody (DESIGN).
pub const WALL_STEP: Millis = Millis::from_secs(2);

impl Millis {
    pub const fn from_secs(secs: u64) -> Millis {
        Millis(secs * 1000)
    }

    pub const fn from_mins(mins: u64) -> Millis {
        Millis::from_secs(mins * 60)
    }

    /// Whole seconds, cut.
    pub const fn as_secs(self) -> u64 {
        self.0 / 1000
    }
}

impl Tick {
    /// Time passed since `earlier`; zero where `earlier` is later.
    pub fn since(self, earlier: Tick) -> Millis {
        Millis(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Millis> for Tick {
    type Output = Tick;
    fn add(self, span: Millis) -> Tick {
        Tick(self.0.saturating_add(span.0))
    }
}

impl Add<Millis> for Wall {
    type Output = Wall;
    fn add(self, span: Millis) -> Wall {
        Wall(self.0.saturating_add(span.0 as i64))
    }
}

impl Wall {
    /// Milliseconds from `earlier` to `self`; zero where `earlier` is later.
    pub fn since(self, earlier: Wall) -> Millis {
        Millis(self.0.saturating_sub(earlier.0).max(0) as u64)
    }

    /// The moment as the time-zone library has it.
    pub fn timestamp(self) -> jiff::Timestamp {
        jiff::Timestamp::from_millisecond(self.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
    }

    /// The local time in `zone`.
    pub fn zoned(self, zone: &jiff::tz::TimeZone) -> jiff::ZonedDateTime {
        self.timestamp().to_zoned_datetime(zone.clone())
    }

    /// The start and the end of the local day in `zone`.
    pub fn day(self, zone: &jiff::tz::TimeZone) -> (Wall, Wall) {
        let local = self.zoned(zone);
        let wall = |zoned: jiff::ZonedDateTime| Wall(zoned.timestamp().as_millisecond());
        let midnight = local.start_of_day();
        let tomorrow = midnight.as_ref().ok().and_then(|day| day.tomorrow().ok());
        let day = Millis::from_mins(24 * 60);
        (midnight.map_or(self, wall), tomorrow.map_or(self + day, wall))
    }

    /// Minutes after midnight by the clocks of `zone`, 0 to 1,439.
    pub fn minute(self, zone: &jiff::tz::TimeZone) -> u32 {
        let local = self.zoned(zone);
        u32::from(local.hour() as u8) * 60 + u32::from(local.minute() as u8)
    }

    /// When the clocks of `zone` show `minute` after midnight on `date`; where they skip it, the same time after the gap.
    pub fn on(date: jiff::civil::Date, minute: u32, zone: &jiff::tz::TimeZone) -> Option<Wall> {
        let time = jiff::civil::time((minute / 60 % 24) as i8, (minute % 60) as i8, 0, 0);
        let at = date.to_datetime(time).to_zoned_datetime(zone.clone()).ok()?;
        Some(Wall(at.timestamp().as_millisecond()))
    }

    /// The first time at or after this one at which the clocks of `zone` show `minute` after midnight.
    pub fn next_at(self, zone: &jiff::tz::TimeZone, minute: u32) -> Wall {
        let date = self.zoned(zone).date();
        let today = Wall::on(date, minute, zone).filter(|at| *at >= self);
        let tomorrow = || Wall::on(date.tomorrow().ok()?, minute, zone);
        today.or_else(tomorrow).unwrap_or(self)
    }

    /// RFC 3339 with the offset of `zone`, to the second: `2011-02-03T14:05:00+08:00`.
    pub fn rfc3339(self, zone: &jiff::tz::TimeZone) -> String {
        self.zoned(zone).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
    }

    /// RFC 3339 in UTC with milliseconds: `2011-02-03T06:05:00.000Z`.
    pub fn utc(self) -> String {
        self.timestamp().strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
    }
}

/// When an input was taken in: what every decision gets as its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
pub struct Stamp {
    #[n(0)]
    pub tick: Tick,
    #[n(1)]
    pub wall: Wall,
    /// Advances like `tick`, but only while this site could hear its homes: the broker link was up and the gateway ran.
    /// Silence is measured in it, so that our own deafness is nobody's silence.
    #[n(2)]
    pub heard: Tick,
}

impl Stamp {
    /// What the wall clock shows at `tick`, before or after this moment, if nobody sets it between.
    pub fn wall_at(self, tick: Tick) -> Wall {
        let off = tick.0 as i64 - self.tick.0 as i64;
        Wall(self.wall.0.saturating_add(off))
    }

    /// So long before, by all three clocks.
    pub fn before(self, span: Millis) -> Stamp {
        Stamp {
            tick: Tick(self.tick.0.saturating_sub(span.0)),
            wall: Wall(self.wall.0.saturating_sub(span.0 as i64)),
            heard: Tick(self.heard.0.saturating_sub(span.0)),
        }
    }
}

/// An input with its time.
#[derive(Debug, Clone)]
pub struct Stamped<T> {
    pub at: Stamp,
    pub input: T,
}

impl<T> Stamped<T> {
    pub fn new(at: Stamp, input: T) -> Self {
        Stamped { at, input }
    }
}
