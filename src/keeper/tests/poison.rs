//! Planted faults: a home whose decisions fail is frozen, its calls for help are heard, and nobody else notices.

use super::story;

#[test]
fn a_home_that_fails_is_frozen_and_its_calls_are_still_heard() {
    story(
        "
        08:00:00 h1/button button=poison!
        08:00:10 h1/button button=poison!
        08:00:20 h1/button sos=true
        08:00:21 h1/smoke smoke=true
        08:00:22 h1/button battery_low=true
        08:00:30 h2/button sos=true!
        08:00:40 kill
        08:00:41 start
        08:00:42 link up
        08:00:43 press
        08:00:50 zhang seen #3
    ",
    );
}

#[test]
fn a_home_that_fails_when_its_time_has_come_does_not_stop_the_site() {
    story(
        "
        08:00:00 h1/button sos=true!
        08:00:01 register device:h1:h1/poison
        08:01:00 .
        08:01:05 h2/button sos=true!
        08:01:15 .
    ",
    );
}
