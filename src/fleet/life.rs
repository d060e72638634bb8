//! What people do on a day, as far as a house can notice: moving in a room, opening and closing the entrance door.
//! A first form: one person's rhythm with its habits and its noise, visitors, weekdays and weekends.

use super::dice::Dice;

/// Milliseconds of a minute.
const MINUTE_MS: f64 = 60_000.0;
/// Minutes of a day.
const DAY_MIN: f64 = 1_440.0;

/// Where somebody is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    Bedroom,
    Living,
    Kitchen,
    Bathroom,
    Hall,
}

/// What a house can notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Deed {
    /// Somebody moves there.
    Move(Place),
    /// The entrance door opens.
    Open,
    /// It closes.
    Close,
}

/// One day's deeds with their milliseconds after local midnight, in no order.
pub type Deeds = Vec<(u32, Deed)>;

/// One person's habits. Times are minutes after local midnight.
#[derive(Debug, Clone)]
pub struct Person {
    wake: f64,
    bed: f64,
    /// How far the day wanders around its usual times, in minutes.
    loose: f64,
    nap: f64,
    night_trips: f64,
    /// Probability of going out before noon and after, on a weekday; a weekend day scales it.
    outings: [f64; 2],
    weekend: f64,
    outing_length: f64,
    visitors: f64,
    /// How lively the person is: moves per time, 1 for most.
    lively: f64,
}

impl Person {
    /// Invents a person.
    pub fn invent(dice: &mut Dice) -> Person {
        let homebound = dice.chance(0.2);
        let out = |p: f64| if homebound { p * 0.1 } else { p };
        Person {
            wake: dice.about(350.0, 40.0),
            bed: dice.about(1_270.0, 35.0),
            loose: dice.between(8.0, 35.0),
            nap: if dice.chance(0.7) { 0.85 } else { 0.15 },
            night_trips: dice.between(0.3, 2.4),
            outings: [out(dice.between(0.4, 0.95)), out(dice.between(0.15, 0.7))],
            weekend: dice.between(0.6, 1.3),
            outing_length: dice.between(35.0, 130.0),
            visitors: dice.between(0.03, 0.35),
            lively: dice.between(0.6, 1.6),
        }
    }
}

/// One person's day while it is being made: the cursor walks from midnight to midnight.
struct Day<'a> {
    person: &'a Person,
    dice: &'a mut Dice,
    deeds: &'a mut Deeds,
    now: f64,
}

/// Adds one person's day to `deeds`.
pub fn live(person: &Person, weekend: bool, dice: &mut Dice, deeds: &mut Deeds) {
    let loose = person.loose;
    let late = if weekend { 15.0 } else { 0.0 };
    let wake = dice.about(person.wake + late, loose).max(180.0);
    let lunch = dice.about(685.0, loose / 2.0).max(wake + 60.0);
    let dinner = dice.about(1_045.0, loose / 2.0).max(lunch + 120.0);
    let bed = dice.about(person.bed, loose).clamp(dinner + 60.0, DAY_MIN - 10.0);
    let share = if weekend { person.weekend } else { 1.0 };
    let mut day = Day { person, dice, deeds, now: 0.0 };
    day.sleep(wake);
    day.stay(Place::Bathroom, 12.0);
    day.stay(Place::Kitchen, 25.0);
    day.free(lunch, person.outings[0] * share);
    day.stay(Place::Kitchen, 45.0);
    if day.dice.chance(person.nap) {
        let nap = day.now + day.dice.about(75.0, 20.0).max(20.0);
        day.sleep(nap);
    }
    day.free(dinner, person.outings[1] * share);
    day.stay(Place::Kitchen, 50.0);
    day.free(bed, 0.05 * share);
    day.stay(Place::Bathroom, 15.0);
    day.sleep(DAY_MIN);
    if dice.chance(person.visitors * if weekend { 1.8 } else { 1.0 }) {
        visit(dice, deeds);
    }
}

impl Day<'_> {
    fn deed(&mut self, minute: f64, deed: Deed) {
        if (0.0..DAY_MIN).contains(&minute) {
            self.deeds.push(((minute * MINUTE_MS) as u32, deed));
        }
    }

    /// Moves in a room until `until`, on average `every` minutes apart.
    fn moves(&mut self, place: Place, until: f64, every: f64) {
        let every = every / self.person.lively;
        let mut at = self.now + self.dice.between(0.02, 0.2);
        while at < until {
            self.deed(at, Deed::Move(place));
            at += self.dice.wait(every);
        }
        self.now = self.now.max(until);
    }

    /// Awake in one room for about so many minutes; the way there often leads through the hall.
    fn stay(&mut self, place: Place, minutes: f64) {
        if self.dice.chance(0.5) {
            self.deed(self.now, Deed::Move(Place::Hall));
        }
        let every = match place {
            Place::Kitchen | Place::Bathroom => 2.5,
            Place::Hall => 1.0,
            Place::Living | Place::Bedroom => 8.0,
        };
        let minutes = self.dice.about(minutes, minutes / 5.0);
        self.moves(place, self.now + minutes, every);
    }

    /// Asleep until `until`, with trips to the toilet by night; a sleeper seldom moves enough for a sensor.
    fn sleep(&mut self, until: f64) {
        let hours = ((until - self.now) / 60.0).max(0.1);
        let between_trips = 60.0 * 8.0 / self.person.night_trips.max(0.1);
        self.deed(self.now, Deed::Move(Place::Bedroom));
        while self.now < until {
            let trip = self.now + self.dice.wait(between_trips);
            self.moves(Place::Bedroom, trip.min(until), 150.0);
            if trip < until && hours > 3.0 {
                self.stay(Place::Bathroom, 5.0);
                self.deed(self.now, Deed::Move(Place::Bedroom));
            }
        }
        self.deed(self.now, Deed::Move(Place::Bedroom));
    }

    /// Time of one's own until `until`, perhaps with an outing.
    fn free(&mut self, until: f64, outing: f64) {
        let leave = if self.dice.chance(outing) { self.now + self.dice.between(5.0, 90.0) } else { until };
        self.idle(leave.min(until));
        if leave + 20.0 < until {
            let length = self.dice.about(self.person.outing_length, self.person.outing_length / 3.0).max(8.0);
            self.go_out(length);
        }
        self.idle(until);
    }

    /// At home without a plan: mostly the living room, sometimes tea, sometimes the toilet.
    fn idle(&mut self, until: f64) {
        while self.now < until {
            let left = until - self.now;
            match self.dice.unit() {
                x if x < 0.15 => self.stay(Place::Bathroom, left.min(5.0)),
                x if x < 0.3 => self.stay(Place::Kitchen, left.min(7.0)),
                x if x < 0.4 => self.stay(Place::Bedroom, left.min(12.0)),
                _ => self.stay(Place::Living, left.min(35.0)),
            }
        }
    }

    /// Leaves and comes back: hall, door, silence, door, hall.
    fn go_out(&mut self, minutes: f64) {
        self.deed(self.now, Deed::Move(Place::Hall));
        self.now = through_the_door(self.now + 0.4, self.dice, self.deeds);
        self.now = through_the_door(self.now + minutes, self.dice, self.deeds);
        self.deed(self.now + 0.1, Deed::Move(Place::Hall));
        self.now += 0.5;
    }
}

/// The entrance door opens at minute `at` and closes some seconds later; gives the minute when it is closed.
fn through_the_door(at: f64, dice: &mut Dice, deeds: &mut Deeds) -> f64 {
    let closed = at + dice.between(0.08, 0.5);
    if closed < DAY_MIN {
        deeds.push(((at * MINUTE_MS) as u32, Deed::Open));
        deeds.push(((closed * MINUTE_MS) as u32, Deed::Close));
    }
    closed
}

/// Somebody rings, sits in the living room for a while and leaves again; or it is only a parcel.
fn visit(dice: &mut Dice, deeds: &mut Deeds) {
    let comes = dice.between(540.0, 1_080.0);
    let parcel = dice.chance(0.3);
    let goes = comes + if parcel { 1.0 } else { dice.between(25.0, 110.0) };
    deeds.push(((comes * MINUTE_MS) as u32, Deed::Move(Place::Hall)));
    let mut at = through_the_door(comes + 0.3, dice, deeds);
    if parcel {
        return;
    }
    while at < goes {
        deeds.push(((at * MINUTE_MS) as u32, Deed::Move(Place::Living)));
        at += dice.wait(4.0);
    }
    deeds.push(((goes * MINUTE_MS) as u32, Deed::Move(Place::Hall)));
    through_the_door(goes + 0.3, dice, deeds);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(seed: u64, weekend: bool) -> Vec<Deeds> {
        let mut dice = Dice::new(seed, 0);
        let person = Person::invent(&mut dice);
        (0..60)
            .map(|_| {
                let mut deeds = Vec::new();
                live(&person, weekend, &mut dice, &mut deeds);
                deeds.sort();
                deeds
            })
            .collect()
    }

    #[test]
    fn a_day_stays_within_its_midnights_and_every_opened_door_closes() {
        for seed in 0..50 {
            for day in days(seed, seed % 2 == 0) {
                assert!(day.iter().all(|(ms, _)| *ms < 86_400_000), "seed {seed}");
                let count = |deed| day.iter().filter(|(_, d)| *d == deed).count();
                assert_eq!(count(Deed::Open), count(Deed::Close), "seed {seed}");
            }
        }
    }

    #[test]
    fn people_live_by_day_and_rest_by_night() {
        for seed in 0..20 {
            let days = days(seed, false);
            let deeds = days.iter().map(Vec::len).sum::<usize>() / days.len();
            assert!((60..500).contains(&deeds), "seed {seed}: {deeds} deeds a day");
            let night = days.iter().flatten().filter(|(ms, _)| (0..4 * 3_600_000).contains(ms)).count() / days.len();
            assert!((1..deeds / 6).contains(&night), "seed {seed}: {night} of {deeds} deeds between 0 and 4 h");
        }
    }

    /// Without hall and door around an absence, no detector could ever learn what *out* looks like.
    #[test]
    fn an_outing_is_hall_door_silence_door_hall() {
        let mut outings = 0;
        for day in (0..20).flat_map(|seed| days(seed, false)) {
            let ends =
                day.windows(3).filter(|w| w[0].1 == Deed::Close && w[1].1 == Deed::Open && w[1].0 - w[0].0 > 1_200_000);
            outings += ends.filter(|w| w[2].1 == Deed::Close).count();
        }
        assert!(outings > 300, "{outings} outings in 1,200 days");
    }

    #[test]
    fn people_differ_and_a_seed_repeats_itself() {
        assert_eq!(days(3, false), days(3, false));
        assert_ne!(days(3, false), days(4, false));
    }
}
