//! One person's life, day after day, as stays: what somebody does, and until when. Rhythm and its noise, naps, nights, errands and
//! appointments, visits to relatives over nights, days of illness, seasons, a routine that drifts, and one that changes for good.
//!
//! The numbers are judgement: the day of an old person in a Chinese city as caseworkers tell it (up before six, lunch before noon,
//! dinner before six, in bed after nine), with spreads wide enough that homes differ. They were written down before any detector was
//! measured on them, and are not to be turned to please one.

use super::dice::Dice;
use std::f64::consts::TAU;

/// Minutes of a day.
pub const DAY_MIN: f64 = 1_440.0;
/// Days of a year and of a month, for seasons and rates.
const YEAR_DAYS: f64 = 365.25;
pub const MONTH_DAYS: f64 = 30.44;
/// An absence longer than this is a journey: it goes over nights.
const JOURNEY_MIN: f64 = 700.0;

/// What somebody is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pastime {
    Sleep,
    Nap,
    /// Awake, and hardly moving: television, a book, a chat.
    Sit,
    /// On one's feet all over the flat.
    Chores,
    Kitchen,
    Bathroom,
    Out,
}

/// What somebody does for a while. Minutes after the midnight before the life began.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stay {
    pub from: f64,
    pub to: f64,
    pub pastime: Pastime,
}

/// One person's habits. Times of day are minutes after local midnight, lengths are minutes.
#[derive(Debug, Clone)]
pub struct Habits {
    wake: f64,
    bed: f64,
    /// How far waking up and going to bed stray from day to day.
    wake_spread: f64,
    bed_spread: f64,
    /// How much later on days off.
    day_off: f64,
    /// Probability of an evening that gets late, and of a morning in bed.
    late: f64,
    lie_in: f64,
    /// Trips to the toilet and long wakeful hours a night.
    trips: f64,
    wakeful: f64,
    /// Probability of a nap after lunch, and its median length.
    nap: f64,
    nap_length: f64,
    /// The median length of sitting still, and the share of idle hours that go that way.
    sit_length: f64,
    sit_share: f64,
    /// Minutes between movements that a sensor sees, sitting and asleep.
    pub fidget: f64,
    pub toss: f64,
    /// Errands and longer walks a day, whole days out a day, journeys over nights a day.
    errands: f64,
    walks: f64,
    day_trips: f64,
    journeys: f64,
    /// Weekday (Monday is 0), time and length.
    appointments: Vec<(u8, f64, f64)>,
    /// Visitors, and people who only ring, a day.
    pub visitors: f64,
    pub callers: f64,
}

impl Habits {
    fn invent(dice: &mut Dice) -> Habits {
        let homebound = dice.chance(0.18);
        let out = if homebound { 0.12 } else { 1.0 };
        let appointments = dice.pick(&[0, 0, 1, 1, 2, 3]);
        Habits {
            wake: dice.about(355.0, 45.0),
            bed: dice.about(1_285.0, 50.0),
            wake_spread: dice.between(8.0, 45.0),
            bed_spread: dice.between(10.0, 50.0),
            day_off: if dice.chance(0.6) { 0.0 } else { dice.between(0.0, 60.0) },
            late: dice.between(0.0, 0.05),
            lie_in: dice.between(0.0, 0.05),
            trips: dice.between(0.2, 2.6),
            wakeful: dice.between(0.01, 0.12),
            nap: if dice.chance(0.7) { dice.between(0.5, 0.95) } else { dice.between(0.0, 0.2) },
            nap_length: dice.between(35.0, 100.0),
            sit_length: dice.between(18.0, 60.0),
            sit_share: dice.between(0.35, 0.7),
            fidget: dice.around(14.0, 0.7).clamp(3.0, 80.0),
            toss: dice.around(140.0, 0.6),
            errands: out * dice.between(0.3, 1.4),
            walks: out * dice.between(0.05, 0.5),
            day_trips: out * dice.between(0.0, 0.03),
            journeys: if dice.chance(0.6) { 0.0 } else { dice.between(0.002, 0.012) },
            appointments: (0..appointments)
                .map(|_| (dice.below(7) as u8, dice.between(500.0, 1_000.0), dice.between(60.0, 300.0)))
                .collect(),
            visitors: dice.between(0.02, 0.3),
            callers: dice.between(0.1, 1.0),
        }
    }

    /// Something in life has changed, and the habits with it.
    fn change(&mut self, dice: &mut Dice) {
        self.wake += dice.about(0.0, 35.0);
        self.bed += dice.about(0.0, 35.0);
        self.nap = (self.nap + dice.about(0.0, 0.3)).clamp(0.0, 0.95);
        self.sit_length = dice.around(self.sit_length, 0.3).clamp(12.0, 90.0);
        let livelier = dice.around(1.0, 0.5);
        self.errands *= livelier;
        self.walks *= livelier;
    }
}

/// What the calendar says of a day.
#[derive(Debug, Clone, Copy)]
pub struct Day {
    /// Monday is 0.
    pub weekday: u8,
    /// 0 at the turn of the year, to 1.
    pub season: f64,
}

impl Day {
    /// The day that is so many days after 1970-01-01.
    pub fn of_epoch(day: i64) -> Day {
        // That one was a Thursday.
        Day { weekday: (day + 3).rem_euclid(7) as u8, season: (day as f64 / YEAR_DAYS).rem_euclid(1.0) }
    }

    fn day_off(self) -> bool {
        self.weekday >= 5
    }

    /// 1 in the middle of winter, -1 in the middle of summer.
    fn winter(self) -> f64 {
        ((self.season - 0.04) * TAU).cos()
    }
}

/// One person's life as far as it is lived.
#[derive(Debug, Clone)]
pub struct Life {
    pub habits: Habits,
    /// What comes next begins here: a waking-up, or a coming-home from a journey.
    pub until: f64,
    at_home: bool,
    /// How far the rhythm has drifted, and how far it does in a week.
    drift: f64,
    weekly: f64,
    /// How much later winter begins its days.
    winter_lag: f64,
    /// The day on which the habits change, where they do.
    turning: Option<f64>,
    ill_until: f64,
}

impl Life {
    /// Invents a person, asleep since the evening before the first midnight, and gives that night's stays.
    pub fn invent(first: Day, dice: &mut Dice, stays: &mut Vec<Stay>) -> Life {
        let mut life = Life {
            habits: Habits::invent(dice),
            until: 0.0,
            at_home: true,
            drift: 0.0,
            weekly: dice.between(2.0, 9.0),
            winter_lag: dice.between(0.0, 25.0),
            turning: dice.chance(0.25).then(|| dice.between(20.0, 365.0)),
            ill_until: 0.0,
        };
        let wake = life.wake(0.0, first, dice);
        life.night(0.0, wake.max(60.0), dice, stays);
        life
    }

    /// Lives on from [`Life::until`] to the next waking-up or coming-home, and adds the stays in their order. `day` is the day on which it
    /// begins.
    pub fn live_on(&mut self, day: Day, dice: &mut Dice, stays: &mut Vec<Stay>) {
        let from = self.until;
        let midnight = (from / DAY_MIN).floor() * DAY_MIN;
        self.age(midnight / DAY_MIN, day, dice);
        let mut bed = dice.about(self.habits.bed + self.later(midnight, day) / 2.0, self.habits.bed_spread);
        if self.ill(midnight) {
            bed -= 60.0;
        }
        if dice.chance(self.habits.late) {
            bed += dice.between(60.0, 200.0);
        }
        let bed = (midnight + bed).max(from + 30.0);
        if let Some(back) = self.day(from, midnight, bed, day, dice, stays) {
            self.until = back;
            self.at_home = false;
            return;
        }
        self.at_home = true;
        let tomorrow = Day { weekday: (day.weekday + 1) % 7, ..day };
        let wake = self.wake(midnight + DAY_MIN, tomorrow, dice).max(bed + 120.0);
        let last = stays.last().map_or(bed, |stay| stay.to.max(bed));
        self.night(last, wake.max(last + 60.0), dice, stays);
    }

    /// What changes from day to day.
    fn age(&mut self, number: f64, day: Day, dice: &mut Dice) {
        if day.weekday == 0 {
            self.drift = (self.drift + dice.about(0.0, self.weekly)) * 0.97;
        }
        if self.turning.is_some_and(|at| number >= at) {
            self.turning = None;
            self.habits.change(dice);
        }
        if dice.chance(0.3 / (YEAR_DAYS / 4.0)) {
            self.ill_until = (number + dice.between(2.0, 7.0)) * DAY_MIN;
        }
    }

    fn ill(&self, minute: f64) -> bool {
        minute < self.ill_until
    }

    /// How much later than usual the day of this midnight is.
    fn later(&self, midnight: f64, day: Day) -> f64 {
        let ill = if self.ill(midnight) { 45.0 } else { 0.0 };
        let off = if day.day_off() { self.habits.day_off } else { 0.0 };
        self.drift + self.winter_lag * day.winter() + ill + off
    }

    fn wake(&self, midnight: f64, day: Day, dice: &mut Dice) -> f64 {
        let mut wake = dice.about(self.habits.wake + self.later(midnight, day), self.habits.wake_spread);
        if dice.chance(self.habits.lie_in) {
            wake += 30.0 + dice.wait(70.0);
        }
        midnight + wake.max(150.0)
    }

    /// Asleep from `from` to `wake`, with ways to the toilet and wakeful hours.
    fn night(&mut self, from: f64, wake: f64, dice: &mut Dice, stays: &mut Vec<Stay>) {
        let mut up = Vec::new();
        for _ in 0..dice.count(self.habits.trips * (wake - from) / 480.0) {
            up.push((dice.between(from + 20.0, wake), dice.between(3.0, 8.0), Pastime::Bathroom));
        }
        if dice.chance(self.habits.wakeful) {
            let where_to = dice.pick(&[Pastime::Kitchen, Pastime::Sit]);
            up.push((dice.between(from + 45.0, wake), dice.between(20.0, 110.0), where_to));
        }
        up.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut now = from;
        for (at, length, pastime) in up {
            if at > now + 3.0 && at + length < wake {
                stays.push(Stay { from: now, to: at, pastime: Pastime::Sleep });
                stays.push(Stay { from: at, to: at + length, pastime });
                now = at + length;
            }
        }
        stays.push(Stay { from: now, to: wake, pastime: Pastime::Sleep });
        self.until = wake;
    }

    /// What somebody means to do between `from` and going to bed: when, for how long, what.
    fn intentions(&self, from: f64, midnight: f64, day: Day, dice: &mut Dice) -> Vec<(f64, f64, Pastime)> {
        let (habits, ill) = (&self.habits, self.ill(midnight));
        let loose = habits.wake_spread / 25.0;
        let mut plan = Vec::new();
        if self.at_home {
            plan.push((from, dice.between(5.0, 15.0), Pastime::Bathroom));
            plan.push((from + 12.0, dice.between(15.0, 40.0), Pastime::Kitchen));
        }
        plan.push((midnight + dice.about(680.0, 18.0 * loose), dice.between(25.0, 55.0), Pastime::Kitchen));
        plan.push((midnight + dice.about(1_045.0, 22.0 * loose), dice.between(25.0, 55.0), Pastime::Kitchen));
        if dice.chance(if ill { (habits.nap + 0.4).min(1.0) } else { habits.nap }) {
            let length = dice.around(habits.nap_length * if ill { 1.5 } else { 1.0 }, 0.4).min(240.0);
            plan.push((midnight + dice.about(765.0, 30.0), length, Pastime::Nap));
        }
        if ill && dice.chance(0.6) {
            plan.push((midnight + dice.between(540.0, 660.0), dice.around(80.0, 0.5), Pastime::Nap));
        }
        let weather = 1.0 - 0.25 * day.winter();
        let share = weather
            * if ill {
                0.15
            } else if day.day_off() {
                0.8
            } else {
                1.0
            };
        for _ in 0..dice.count(habits.errands * share) {
            plan.push((midnight + dice.between(430.0, 1_080.0), dice.around(45.0, 0.5), Pastime::Out));
        }
        for _ in 0..dice.count(habits.walks * share) {
            plan.push((midnight + dice.between(450.0, 1_110.0), dice.around(130.0, 0.5), Pastime::Out));
        }
        if dice.chance(habits.day_trips * share) {
            plan.push((midnight + dice.between(420.0, 620.0), dice.between(300.0, 620.0), Pastime::Out));
        }
        for (weekday, at, length) in &habits.appointments {
            if *weekday == day.weekday && dice.chance(if ill { 0.2 } else { 0.9 }) {
                plan.push((midnight + dice.about(*at, 8.0), dice.about(*length, 12.0).max(15.0), Pastime::Out));
            }
        }
        if dice.chance(habits.journeys) {
            let leaves = dice.between(480.0, 960.0);
            let back = f64::from(dice.count(1.2) + 1) * DAY_MIN + dice.between(540.0, 1_140.0);
            plan.push((midnight + leaves, back - leaves, Pastime::Out));
        }
        plan.sort_by(|a, b| a.0.total_cmp(&b.0));
        plan
    }

    /// A day from `from` until bed; where a journey begins, the minute of coming home.
    fn day(&self, from: f64, midnight: f64, bed: f64, day: Day, dice: &mut Dice, stays: &mut Vec<Stay>) -> Option<f64> {
        let mut now = from;
        for (at, length, pastime) in self.intentions(from, midnight, day, dice) {
            self.idle(&mut now, at.min(bed), midnight, dice, stays);
            if now >= bed - 10.0 || at + length < from {
                continue;
            }
            stays.push(Stay { from: now, to: now + length, pastime });
            now += length;
            if length > JOURNEY_MIN {
                return Some(now);
            }
        }
        self.idle(&mut now, bed, midnight, dice, stays);
        let washing = dice.between(5.0, 15.0);
        stays.push(Stay { from: now, to: now + washing, pastime: Pastime::Bathroom });
        None
    }

    /// At home without a plan until `until`.
    fn idle(&self, now: &mut f64, until: f64, midnight: f64, dice: &mut Dice, stays: &mut Vec<Stay>) {
        while *now + 4.0 < until {
            let still = if self.ill(midnight) { 1.5 } else { 1.0 };
            let (length, pastime) = match dice.unit() {
                x if x < 0.09 => (dice.between(2.0, 6.0), Pastime::Bathroom),
                x if x < 0.2 => (dice.between(3.0, 12.0), Pastime::Kitchen),
                x if x < 0.2 + 0.8 * self.habits.sit_share => {
                    (dice.around(self.habits.sit_length * still, 0.8).min(260.0), Pastime::Sit)
                }
                _ => (dice.around(12.0, 0.7), Pastime::Chores),
            };
            let to = (*now + length).min(until + 5.0);
            stays.push(Stay { from: *now, to, pastime });
            *now = to;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lived(seed: u64, days: usize) -> Vec<Stay> {
        let mut dice = Dice::new(seed, 0);
        let mut stays = Vec::new();
        let mut life = Life::invent(Day::of_epoch(0), &mut dice, &mut stays);
        while life.until < days as f64 * DAY_MIN {
            let day = Day::of_epoch((life.until / DAY_MIN) as i64);
            life.live_on(day, &mut dice, &mut stays);
        }
        stays
    }

    fn share(stays: &[Stay], pastime: Pastime, within: impl Fn(f64) -> bool) -> f64 {
        let of = stays.iter().filter(|stay| stay.pastime == pastime);
        let minutes = of.flat_map(|stay| (stay.from as u64..stay.to as u64).map(|m| m as f64 % DAY_MIN));
        let all = stays.last().map_or(1.0, |stay| stay.to / DAY_MIN)
            * (0..1_440).filter(|m| within(f64::from(*m))).count() as f64;
        minutes.filter(|minute| within(*minute)).count() as f64 / all
    }

    #[test]
    fn one_stay_follows_the_other_for_half_a_year() {
        for seed in 0..40 {
            let stays = lived(seed, 180);
            assert!(stays.iter().all(|stay| stay.to > stay.from), "seed {seed}");
            for pair in stays.windows(2) {
                assert!((pair[1].from - pair[0].to).abs() < 1.0, "seed {seed}: {pair:?}");
            }
        }
    }

    #[test]
    fn people_sleep_at_night_and_live_by_day() {
        let night = |minute: f64| (60.0..240.0).contains(&minute);
        let morning = |minute: f64| (540.0..640.0).contains(&minute);
        for seed in 0..20 {
            let stays = lived(seed, 60);
            assert!(share(&stays, Pastime::Sleep, night) > 0.75, "seed {seed}");
            assert!(share(&stays, Pastime::Sleep, morning) < 0.1, "seed {seed}");
        }
    }

    #[test]
    fn most_go_out_on_most_days_and_some_stay_away_over_night() {
        let all: Vec<_> = (0..60).map(|seed| lived(seed, 90)).collect();
        let out = |stays: &Vec<Stay>| stays.iter().filter(|stay| stay.pastime == Pastime::Out).count();
        assert!(all.iter().filter(|stays| out(stays) > 60).count() > 25);
        let long =
            |stays: &&Vec<Stay>| stays.iter().any(|stay| stay.pastime == Pastime::Out && stay.to - stay.from > DAY_MIN);
        let away = all.iter().filter(long).count();
        assert!((5..35).contains(&away), "{away} of 60 were away over a night in a quarter");
    }

    #[test]
    fn the_clock_of_winter_is_not_that_of_summer_and_routines_change() {
        let mut later = 0;
        for seed in 0..30 {
            let wakes = |from: f64, to: f64| {
                let stays = lived(seed, 365);
                let woken: Vec<f64> = stays
                    .windows(2)
                    .filter(|pair| pair[0].pastime == Pastime::Sleep && (from..to).contains(&(pair[0].to / DAY_MIN)))
                    .map(|pair| pair[0].to % DAY_MIN)
                    .filter(|minute| (240.0..600.0).contains(minute))
                    .collect();
                woken.iter().sum::<f64>() / woken.len() as f64
            };
            later += usize::from(wakes(0.0, 30.0) > wakes(170.0, 200.0));
        }
        assert!((16..30).contains(&later), "{later} of 30 rise later in January than in June");
    }
}
