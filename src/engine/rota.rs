//! Rotas: who is on duty when, by the clocks of the place.
//!
//! A rota is a list of shifts. A shift begins on certain days at a time of day and ends at another; its people take part all at once, or
//! turn by turn. A team is a rota of one shift that is always. What is not as the weekday says (a public holiday, a Saturday that is worked
//! in exchange, 调休) stands in the site's [`Calendar`], who stands in for whom in the overrides.
//!
//! Clocks that are set forward or back move no duty into a hole: a shift changes at the first moment at which they show its time or a later
//! one. What lies in the hour that is skipped is handed over when it is skipped, and what lies in the hour that comes twice, the first time.

use super::id::{ResponderId, RotaId, SiteId};
use super::time::Wall;
use jiff::Timestamp;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};
use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};
use serde::{Serialize, Serializer};
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// Minutes of a day of the calendar.
const DAY_MIN: i32 = 24 * 60;

/// Why a text is no day, no time or no time zone: what it is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unread(&'static str);

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Unread {}

/// A time zone by its IANA name, as the binary's own data know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone(TimeZone);

impl Zone {
    pub fn time_zone(&self) -> &TimeZone {
        &self.0
    }
}

impl FromStr for Zone {
    type Err = Unread;
    fn from_str(text: &str) -> Result<Zone, Unread> {
        let found = TimeZone::get(text).ok().filter(|zone| zone.iana_name().is_some());
        found.map(Zone).ok_or(Unread("no IANA time zone such as Asia/Shanghai"))
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.iana_name().unwrap_or_default())
    }
}

impl<C> Encode<C> for Zone {
    fn encode<W: encode::Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), encode::Error<W::Error>> {
        e.str(self.0.iana_name().unwrap_or_default())?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Zone {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Zone, decode::Error> {
        d.str()?.parse().map_err(|_| decode::Error::message("a time zone that nobody knows"))
    }
}

/// A day of the calendar: days since 1970-01-01. As a text `2026-05-01`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Encode, Decode)]
#[cbor(transparent)]
pub struct Day(#[n(0)] pub i32);

/// What clocks show: minutes since 1970-01-01T00:00 by them. As a text `2026-05-01T08:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(transparent)]
pub struct Local(#[n(0)] pub i32);

impl Day {
    /// From Monday, 0.
    fn weekday(self) -> usize {
        // 1970-01-01 was a Thursday.
        (self.0 + 3).rem_euclid(7) as usize
    }

    fn at(self, minute: i32) -> Local {
        Local(self.0.saturating_mul(DAY_MIN).saturating_add(minute))
    }
}

impl Local {
    fn day(self) -> Day {
        Day(self.0.div_euclid(DAY_MIN))
    }

    /// What clocks have shown at most by this moment: of an hour that comes again, its end.
    fn by(at: Wall, zone: &TimeZone) -> Local {
        let now = at.timestamp();
        let minutes = |seconds: i64| seconds.div_euclid(60) as i32;
        let shown = minutes(now.as_second() + i64::from(zone.to_offset(now).seconds()));
        let later = now.checked_add(jiff::SignedDuration::from_millis(1)).unwrap_or(now);
        let before = zone.preceding(later).next().map(|change| {
            let change = change.timestamp();
            let just_before = change.checked_sub(jiff::SignedDuration::from_secs(1)).unwrap_or(change);
            minutes(just_before.as_second() + i64::from(zone.to_offset(just_before).seconds()))
        });
        Local(before.map_or(shown, |before| before.max(shown)))
    }

    /// The first moment at which clocks show this or a later time.
    pub fn wall(self, zone: &TimeZone) -> Wall {
        let time = self.datetime();
        let moment = |offset: Offset| offset.to_timestamp(time).unwrap_or(Timestamp::MAX);
        let first = match zone.to_ambiguous_timestamp(time).offset() {
            AmbiguousOffset::Unambiguous { offset } => moment(offset),
            AmbiguousOffset::Fold { before, .. } => moment(before),
            // As the clocks were to be, this is before they were set.
            AmbiguousOffset::Gap { after, .. } => {
                let early = moment(after);
                zone.following(early).next().map_or(early, |change| change.timestamp())
            }
        };
        Wall(first.as_millisecond())
    }

    fn datetime(self) -> jiff::civil::DateTime {
        Offset::UTC.to_datetime(Timestamp::from_second(i64::from(self.0) * 60).unwrap_or(Timestamp::MAX))
    }
}

/// Days and times lie in these years.
const YEARS: std::ops::Range<i16> = 1970..2200;

impl FromStr for Day {
    type Err = Unread;
    fn from_str(text: &str) -> Result<Day, Unread> {
        let date: Option<jiff::civil::Date> = text.parse().ok();
        let date = date.filter(|date| YEARS.contains(&date.year()) && text.len() == 10);
        let time = date.and_then(|date| Offset::UTC.to_timestamp(date.at(0, 0, 0, 0)).ok());
        time.map(|time| Day(time.as_second().div_euclid(86_400) as i32)).ok_or(Unread("no day such as 2026-05-01"))
    }
}

impl FromStr for Local {
    type Err = Unread;
    fn from_str(text: &str) -> Result<Local, Unread> {
        let parts = text.split_once(['T', ' ']);
        let read = parts.and_then(|(day, time)| Some(day.parse::<Day>().ok()?.at(i32::from(minute(time).ok()?))));
        read.ok_or(Unread("no local time such as 2026-05-01T08:00"))
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.at(0).datetime().date(), f)
    }
}

impl fmt::Display for Local {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}T{}", self.day(), clock(self.0.rem_euclid(DAY_MIN) as u16))
    }
}

/// A time of day as minutes after midnight, 0 to 1,440: `08:00`, and `24:00` for a day's end.
///
/// # Errors
/// Where the text is none.
pub fn minute(text: &str) -> Result<u16, Unread> {
    let wrong = Unread("no time of day such as 08:00");
    let plain = |part: &str| (part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit())).then(|| part.parse().ok());
    let (hours, minutes) = text.split_once(':').ok_or(wrong)?;
    match (plain(hours).flatten(), plain(minutes).flatten()) {
        (Some(24), Some(0)) => Ok(DAY_MIN as u16),
        (Some(hours @ 0..=23u16), Some(minutes @ 0..=59u16)) => Ok(hours * 60 + minutes),
        _ => Err(wrong),
    }
}

/// The text of a time of day.
pub fn clock(minute: u16) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

macro_rules! as_text {
    ($($t:ty)*) => {$(
        impl Serialize for $t {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }
    )*};
}

as_text!(Zone Day Local On);

macro_rules! days {
    ($($n:literal $name:ident $word:literal $chinese:literal;)*) => {
        /// Which days a shift begins on.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
        #[cbor(index_only)]
        pub enum On { $(#[n($n)] $name,)* }

        impl On {
            /// The words of the files, English and Chinese.
            pub const WORDS: &'static [(&'static str, On)] = &[$(($word, On::$name), ($chinese, On::$name),)*];
        }

        impl fmt::Display for On {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(On::$name => $word,)* })
            }
        }
    };
}

days! {
    0 Monday "mon" "周一";
    1 Tuesday "tue" "周二";
    2 Wednesday "wed" "周三";
    3 Thursday "thu" "周四";
    4 Friday "fri" "周五";
    5 Saturday "sat" "周六";
    6 Sunday "sun" "周日";
    // As the calendar says: Monday to Friday, but for holidays, and what is worked in exchange; and every other day.
    7 Workday "workday" "工作日";
    8 Holiday "holiday" "休息日";
}

/// Some people's hours.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Shift {
    /// The days on which it begins; every day where none is named.
    #[n(0)]
    pub days: Vec<On>,
    /// When it begins, minutes after local midnight, 0 to 1,439. A rotation's hand-over is at this time.
    #[n(1)]
    pub from_min: u16,
    /// When it ends, minutes after local midnight, 0 to 1,440; on the next day where that is not after its beginning.
    #[n(2)]
    pub to_min: u16,
    /// Its people, turn by turn; those of one turn are on duty together. One turn alone is everybody's.
    #[n(3)]
    pub turns: Vec<Vec<ResponderId>>,
    /// Days of a turn, 1 to 366.
    #[n(4)]
    pub every_days: u16,
    /// A day on which the first turn begins.
    #[n(5)]
    pub since: Day,
}

impl Shift {
    /// From when until when it is, where it begins on this day.
    fn hours(&self, day: Day) -> (Local, Local) {
        let (from, to) = (i32::from(self.from_min), i32::from(self.to_min));
        (day.at(from), day.at(if to > from { to } else { to + DAY_MIN }))
    }

    fn begins(&self, day: Day, calendar: &Calendar) -> bool {
        let is = |on: &On| match on {
            On::Workday => calendar.is_worked(day),
            On::Holiday => !calendar.is_worked(day),
            weekday => *weekday as usize == day.weekday(),
        };
        self.days.is_empty() || self.days.iter().any(is)
    }

    /// Whose turn it is, where it begins on this day.
    fn turn(&self, day: Day) -> &[ResponderId] {
        let turn = (day.0 - self.since.0).div_euclid(i32::from(self.every_days.max(1)));
        let turn = turn.rem_euclid(self.turns.len().max(1) as i32);
        self.turns.get(turn as usize).map_or(&[], Vec::as_slice)
    }
}

/// Somebody is ill, has swapped a shift, or comes besides.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Override {
    #[n(0)]
    pub from: Local,
    /// Not included.
    #[n(1)]
    pub to: Local,
    /// Who is not on duty; none: nobody leaves.
    #[n(2)]
    pub instead_of: Option<ResponderId>,
    /// Who is, where the former would be; without a former one, in any case. None: nobody comes.
    #[n(3)]
    pub who: Option<ResponderId>,
}

/// Who is on duty when.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Rota {
    #[n(0)]
    pub id: RotaId,
    #[n(1)]
    pub site: SiteId,
    /// Whose clocks count; the site's where none is named.
    #[n(2)]
    pub zone: Option<Zone>,
    /// In the order in which their people are named.
    #[n(3)]
    pub shifts: Vec<Shift>,
    #[n(4)]
    pub overrides: Vec<Override>,
    /// Who is on duty where nobody else is.
    #[n(5)]
    pub fallback: Option<ResponderId>,
    /// Days that are free though the weekday is not; they hold for every rota of the site.
    #[n(6)]
    pub holidays: Vec<Day>,
    /// Days that are worked though the weekday is free; likewise.
    #[n(7)]
    pub workdays: Vec<Day>,
}

impl Rota {
    /// Everybody whom it names.
    pub fn named(&self) -> impl Iterator<Item = &ResponderId> {
        let of_shifts = self.shifts.iter().flat_map(|shift| shift.turns.iter().flatten());
        let of_overrides = self.overrides.iter().flat_map(|o| o.instead_of.iter().chain(&o.who));
        of_shifts.chain(of_overrides).chain(&self.fallback)
    }
}

/// The days of a site that are not as their weekday says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Calendar {
    free: BTreeSet<Day>,
    worked: BTreeSet<Day>,
}

impl Calendar {
    /// What all rotas of a site say together: a holiday is the place's, not one team's.
    pub fn of<'a>(rotas: impl IntoIterator<Item = &'a Rota>) -> Calendar {
        let mut calendar = Calendar::default();
        for rota in rotas {
            calendar.free.extend(&rota.holidays);
            calendar.worked.extend(&rota.workdays);
        }
        calendar
    }

    /// A day that is said to be free and to be worked.
    pub fn contradiction(&self) -> Option<Day> {
        self.free.intersection(&self.worked).next().copied()
    }

    fn is_worked(&self, day: Day) -> bool {
        self.worked.contains(&day) || day.weekday() < 5 && !self.free.contains(&day)
    }
}

/// The same people for some time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stretch {
    pub from: Wall,
    /// Not included.
    pub to: Wall,
    /// In the order in which they are told; may be empty.
    pub who: Vec<ResponderId>,
}

/// A rota with all that decides who is on duty.
#[derive(Debug, Clone, PartialEq)]
pub struct Duty {
    pub rota: Rota,
    pub zone: TimeZone,
    pub calendar: Arc<Calendar>,
}

impl Duty {
    /// A rota in its own zone, or else in the site's.
    pub fn new(rota: &Rota, site: &TimeZone, calendar: Arc<Calendar>) -> Duty {
        let zone = rota.zone.as_ref().map_or(site, Zone::time_zone).clone();
        Duty { rota: rota.clone(), zone, calendar }
    }

    /// Whether anybody can ever be on duty: some rotas only hold the site's days.
    pub fn is_staffed(&self) -> bool {
        self.rota.named().next().is_some()
    }

    /// Who is on duty at a moment, in order, each once.
    pub fn at(&self, wall: Wall) -> Vec<&ResponderId> {
        let now = Local::by(wall, &self.zone);
        let mut people = Vec::new();
        for shift in &self.rota.shifts {
            // What began yesterday may last until now; a shift has a day at most.
            for day in [Day(now.day().0 - 1), now.day()] {
                let (from, to) = shift.hours(day);
                if from <= now && now < to && shift.begins(day, &self.calendar) {
                    people.extend(shift.turn(day));
                }
            }
        }
        self.override_at(now, &mut people);
        if people.is_empty() {
            people.extend(&self.rota.fallback);
            self.override_at(now, &mut people);
        }
        let mut known = BTreeSet::new();
        people.retain(|one| known.insert(*one));
        people
    }

    fn override_at<'a>(&'a self, now: Local, people: &mut Vec<&'a ResponderId>) {
        for one in self.rota.overrides.iter().filter(|o| o.from <= now && now < o.to) {
            match &one.instead_of {
                Some(gone) => {
                    let stay = std::mem::take(people).into_iter();
                    for person in stay {
                        people.extend(if person == gone { one.who.as_ref() } else { Some(person) });
                    }
                }
                None => people.extend(&one.who),
            }
        }
    }

    /// The moments after `from` and before `to` at which who is on duty may change, in order.
    pub fn changes(&self, from: Wall, to: Wall) -> Vec<Wall> {
        let (first, last) = (Local::by(from, &self.zone), Local::by(to, &self.zone));
        let mut times = BTreeSet::new();
        for day in (first.day().0 - 1..=last.day().0).map(Day) {
            for shift in self.rota.shifts.iter().filter(|shift| shift.begins(day, &self.calendar)) {
                let (begins, ends) = shift.hours(day);
                times.extend([begins, ends]);
            }
        }
        times.extend(self.rota.overrides.iter().flat_map(|o| [o.from, o.to]));
        let within = times.range(first..=last).map(|time| time.wall(&self.zone));
        let mut moments: Vec<Wall> = within.filter(|at| from < *at && *at < to).collect();
        moments.dedup();
        moments
    }

    /// Who is on duty from `from` to `to`, without a hole: where nobody is, a stretch says so.
    pub fn stretches(&self, from: Wall, to: Wall) -> Vec<Stretch> {
        let mut all: Vec<Stretch> = Vec::new();
        let ends = self.changes(from, to).into_iter().chain([to]);
        let mut begins = from;
        for ends in ends {
            let who: Vec<ResponderId> = self.at(begins).into_iter().cloned().collect();
            match all.last_mut().filter(|last| last.who == who) {
                Some(last) => last.to = ends,
                None => all.push(Stretch { from: begins, to: ends, who }),
            }
            begins = ends;
        }
        all
    }
}

#[cfg(test)]
mod tests;
