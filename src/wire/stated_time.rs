//! The time that a device states, in the spellings that devices use.

use super::scalar::Scalar;
use crate::engine::time::Wall;

/// 2000-01-01 and 2100-01-01 in epoch milliseconds: what lies outside is no time but an unset clock or another unit.
const SENSIBLE_MS: std::ops::Range<i64> = 946_684_800_000..4_102_444_800_000;

/// Takes RFC 3339 with a zone, or epoch milliseconds. None for anything else ("5 minutes ago", 1970, negative, no zone): the time of
/// arrival then stands alone. Whether the time is believable is the engine's to judge.
pub(super) fn stated_time(value: &Scalar) -> Option<Wall> {
    let ms = match value {
        Scalar::Number(ms) => *ms as i64,
        Scalar::Text(text) => text.parse::<jiff::Timestamp>().ok()?.as_millisecond(),
        _ => return None,
    };
    SENSIBLE_MS.contains(&ms).then_some(Wall(ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings() {
        let text = |t: &'static str| Scalar::Text(t.into());
        let noon = Some(Wall(1_772_366_400_000));
        for (value, expected) in [
            (text("2026-03-01T12:00:00Z"), noon),
            (text("2026-03-01T20:00:00.000+08:00"), noon),
            (text("2026-03-01T07:00:00-05:00"), noon),
            (Scalar::Number(1_772_366_400_000.0), noon),
            (text("2026-03-01T12:00:00"), None),
            (text("5 minutes ago"), None),
            (text("1970-01-01T00:00:00Z"), None),
            (Scalar::Number(-1.0), None),
            (Scalar::Number(1_772_366_400.0), None),
            (Scalar::Number(f64::MAX), None),
            (Scalar::Bool(true), None),
            (Scalar::Null, None),
        ] {
            assert_eq!(stated_time(&value), expected, "{value:?}");
        }
    }
}
