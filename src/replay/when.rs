//! The time of a line. Most recordings have one form of it, so that form is read by hand; whatever else RFC 3339 knows is left to
//! the library.

use crate::engine::time::Wall;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};

/// Reads times of a file. A naive time is local time in the zone: one that the clocks skip is moved forward by what they skip; of
/// one that they show twice, the first is meant unless the lines have passed it already.
pub struct Reader {
    zone: TimeZone,
    /// The quarter of an hour of local time that was asked for last, and its offset, in milliseconds.
    known: Option<(i64, i64)>,
}

const QUARTER: i64 = 15 * 60 * 1000;

impl Reader {
    pub fn new(zone: TimeZone) -> Reader {
        Reader { zone, known: None }
    }

    /// The time that `text` says; `before` is the time of the line before. None where it says none.
    pub fn read(&mut self, text: &[u8], before: Wall) -> Option<Wall> {
        match by_hand(text) {
            Some((local, Some(offset))) => Some(Wall(local - offset)),
            Some((local, None)) => self.naive(local, before),
            None => self.by_library(text, before),
        }
    }

    fn by_library(&mut self, text: &[u8], before: Wall) -> Option<Wall> {
        let text = std::str::from_utf8(text).ok()?.trim();
        if let Ok(instant) = text.parse::<jiff::Timestamp>() {
            return Some(Wall(instant.as_millisecond()));
        }
        let naive: DateTime = text.parse().ok()?;
        self.naive(millis_of(naive)?, before)
    }

    fn naive(&mut self, local: i64, before: Wall) -> Option<Wall> {
        let quarter = local.div_euclid(QUARTER);
        if let Some((known, offset)) = self.known
            && known == quarter
        {
            return Some(Wall(local - offset));
        }
        // Clocks change at full quarters of an hour, so what holds at both ends of one holds within.
        let (from, to) = (self.offset(quarter * QUARTER)?, self.offset((quarter + 1) * QUARTER - 1)?);
        if let (AmbiguousOffset::Unambiguous { offset }, true) = (from, from == to) {
            self.known = Some((quarter, in_millis(offset)));
            return Some(Wall(local - in_millis(offset)));
        }
        Some(match self.offset(local)? {
            AmbiguousOffset::Unambiguous { offset } => Wall(local - in_millis(offset)),
            AmbiguousOffset::Gap { before: offset, .. } => Wall(local - in_millis(offset)),
            AmbiguousOffset::Fold { before: first, after: second } => {
                let first = Wall(local - in_millis(first));
                if first < before { Wall(local - in_millis(second)) } else { first }
            }
        })
    }

    fn offset(&self, local: i64) -> Option<AmbiguousOffset> {
        let naive = Offset::UTC.to_datetime(jiff::Timestamp::from_millisecond(local).ok()?);
        Some(self.zone.to_ambiguous_timestamp(naive).offset())
    }
}

fn in_millis(offset: Offset) -> i64 {
    i64::from(offset.seconds()) * 1000
}

fn millis_of(naive: DateTime) -> Option<i64> {
    Offset::UTC.to_timestamp(naive).ok().map(|t| t.as_millisecond())
}

/// `YYYY-MM-DD`, `T` or a space, `HH:MM:SS`, a fraction of any length, `Z` or an offset: milliseconds of local time since 1970, and
/// of the offset where there is one. None for anything else.
fn by_hand(text: &[u8]) -> Option<(i64, Option<i64>)> {
    let (fixed, mut rest) = text.split_at_checked(19)?;
    let separated = fixed[4] == b'-' && fixed[7] == b'-' && fixed[13] == b':' && fixed[16] == b':';
    if !separated || !matches!(fixed[10], b'T' | b't' | b' ') {
        return None;
    }
    let number = |from: usize, to: usize| {
        fixed[from..to].iter().try_fold(0_i64, |n, b| b.is_ascii_digit().then(|| n * 10 + i64::from(b - b'0')))
    };
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    if !(1..=12).contains(&month) || day < 1 || day > days_in(year, month) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let mut millis = (days_before(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second) * 1000;
    if let Some(fraction) = rest.strip_prefix(b".") {
        let digits = fraction.iter().take_while(|b| b.is_ascii_digit()).count();
        if digits == 0 {
            return None;
        }
        let first = fraction[..digits.min(3)].iter().zip([100, 10, 1]);
        millis += first.map(|(b, worth)| i64::from(b - b'0') * worth).sum::<i64>();
        rest = &fraction[digits..];
    }
    Some((millis, offset_by_hand(rest)?))
}

fn offset_by_hand(text: &[u8]) -> Option<Option<i64>> {
    let digit = |b: u8| b.is_ascii_digit().then(|| i64::from(b - b'0'));
    Some(match *text {
        [] => None,
        [b'Z' | b'z'] => Some(0),
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let minutes = (digit(h1)? * 10 + digit(h2)?) * 60 + digit(m1)? * 10 + digit(m2)?;
            Some(if sign == b'-' { -minutes } else { minutes } * 60_000)
        }
        _ => return None,
    })
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01, in the Gregorian calendar: a year that begins in March has its leap day last.
fn days_before(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let from_march = (month + 9) % 12;
    let day_of_year = (153 * from_march + 2) / 5 + day - 1;
    year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + day_of_year - 719_468
}
