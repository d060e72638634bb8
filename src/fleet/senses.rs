//! What a house can notice of a stay: moving in a room, and the entrance door.

use super::dice::Dice;
use super::life::{Habits, Pastime, Stay};

/// Milliseconds of a minute.
const MINUTE_MS: f64 = 60_000.0;
/// Visits and rings at the door are counted per day; so many stays of a day are at home and awake.
const AWAKE_STAYS: f64 = 18.0;

/// A room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    Bedroom,
    Living,
    Kitchen,
    Bathroom,
    Hall,
}

/// What happens in a house. Whether it is noticed is the sensors' affair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Deed {
    /// Somebody moves there.
    Move(Place),
    /// The entrance door opens.
    Open,
    /// It closes.
    Close,
    /// Somebody who lives here is out, or in again.
    Leave,
    Return,
}

/// Deeds with their milliseconds after the midnight before the life began, in no order.
pub type Deeds = Vec<(u64, Deed)>;

/// How well a house sees what happens in it: the probability that a movement crosses a sensor's view, by place.
#[derive(Debug, Clone)]
pub struct Sight {
    rooms: [f64; 5],
    /// Another way out that no sensor guards, and how often it is taken.
    back_door: f64,
}

impl Sight {
    /// Invents a house.
    pub fn invent(dice: &mut Dice) -> Sight {
        Sight {
            rooms: std::array::from_fn(|_| dice.between(0.65, 1.0)),
            back_door: if dice.chance(0.1) { dice.between(0.05, 0.25) } else { 0.0 },
        }
    }
}

/// Makes a house's deeds of a person's stays.
pub struct Senses<'a> {
    pub sight: &'a Sight,
    pub habits: &'a Habits,
    pub dice: &'a mut Dice,
    pub deeds: &'a mut Deeds,
}

impl Senses<'_> {
    /// Adds what there is to notice of a stay.
    pub fn notice(&mut self, stay: Stay) {
        let Stay { from, to, pastime } = stay;
        match pastime {
            Pastime::Out => return self.out(from, to),
            Pastime::Sleep => self.still(Place::Bedroom, from, to, self.habits.toss),
            Pastime::Nap => {
                let place = if self.dice.chance(0.7) { Place::Bedroom } else { Place::Living };
                self.still(place, from, to, self.habits.toss);
            }
            Pastime::Sit => {
                let lively = self.dice.around(self.habits.fidget, 0.7);
                self.still(Place::Living, from, to, lively);
            }
            Pastime::Kitchen => self.busy(Place::Kitchen, from, to, 1.5),
            Pastime::Bathroom => self.busy(Place::Bathroom, from, to, 2.5),
            Pastime::Chores => {
                let place = self.dice.pick(&[Place::Living, Place::Living, Place::Bedroom, Place::Hall]);
                self.busy(place, from, to, 1.2);
            }
        }
        if matches!(pastime, Pastime::Sit | Pastime::Chores) {
            self.company(from, to);
        }
    }

    fn deed(&mut self, minute: f64, deed: Deed) {
        self.deeds.push(((minute.max(0.0) * MINUTE_MS) as u64, deed));
    }

    fn moves(&mut self, minute: f64, place: Place) {
        if self.dice.chance(self.sight.rooms[place as usize]) {
            self.deed(minute, Deed::Move(place));
        }
    }

    /// Comes in, often through the hall, and moves about.
    fn busy(&mut self, place: Place, from: f64, to: f64, every: f64) {
        if self.dice.chance(0.35) {
            self.moves(from, Place::Hall);
        }
        let mut at = from + self.dice.between(0.05, 0.5);
        while at < to {
            self.moves(at, place);
            at += 0.1 + self.dice.wait(every);
        }
    }

    /// Comes in, hardly moves, and leaves.
    fn still(&mut self, place: Place, from: f64, to: f64, every: f64) {
        let settled = from + self.dice.between(0.05, 1.0);
        self.moves(settled.min(to), place);
        let mut at = settled + self.dice.wait(every);
        while at < to {
            self.moves(at, place);
            at += 0.2 + self.dice.wait(every);
        }
        self.moves((to - 0.05).max(from), place);
    }

    /// Leaves and comes back: hall, door, silence, door, hall.
    fn out(&mut self, from: f64, to: f64) {
        let leaving = from - self.dice.between(0.1, 0.4);
        self.moves(leaving, Place::Hall);
        self.deed(from, Deed::Leave);
        if !self.dice.chance(self.sight.back_door) {
            let closed = self.through_the_door(from);
            // Who turns round for the keys.
            if self.dice.chance(0.05) {
                self.moves(closed, Place::Hall);
            }
        }
        if !self.dice.chance(self.sight.back_door) {
            self.through_the_door(to);
        }
        self.deed(to, Deed::Return);
        let in_the_hall = to + self.dice.between(0.1, 0.6);
        self.moves(in_the_hall, Place::Hall);
    }

    /// The entrance door opens and closes some seconds later; gives the minute when it is closed.
    fn through_the_door(&mut self, at: f64) -> f64 {
        let closed = at + self.dice.between(0.08, 0.5);
        self.deed(at, Deed::Open);
        self.deed(closed, Deed::Close);
        closed
    }

    /// Somebody rings, sits in the living room for a while and leaves again; or it is only a parcel.
    fn company(&mut self, from: f64, to: f64) {
        if self.dice.chance(self.habits.callers / AWAKE_STAYS) {
            let at = self.dice.between(from, to);
            self.moves(at - 0.3, Place::Hall);
            let closed = self.through_the_door(at);
            self.moves(closed, Place::Hall);
        }
        if self.dice.chance(self.habits.visitors / AWAKE_STAYS) {
            let comes = self.dice.between(from, to);
            let goes = comes + self.dice.between(20.0, 120.0);
            let mut at = self.through_the_door(comes);
            while at < goes {
                self.moves(at, Place::Living);
                at += self.dice.wait(4.0);
            }
            self.moves(goes, Place::Hall);
            self.through_the_door(goes + 0.3);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::life::{DAY_MIN, Day, Life};
    use super::*;

    fn days(seed: u64, days: usize) -> Deeds {
        let mut dice = Dice::new(seed, 0);
        let sight = Sight { back_door: 0.0, ..Sight::invent(&mut dice) };
        let (mut stays, mut deeds) = (Vec::new(), Vec::new());
        let mut life = Life::invent(Day::of_epoch(0), &mut dice, &mut stays);
        while life.until < days as f64 * DAY_MIN {
            life.live_on(Day::of_epoch((life.until / DAY_MIN) as i64), &mut dice, &mut stays);
        }
        for stay in stays {
            Senses { sight: &sight, habits: &life.habits, dice: &mut dice, deeds: &mut deeds }.notice(stay);
        }
        deeds.sort();
        deeds
    }

    #[test]
    fn every_opened_door_closes_and_who_leaves_comes_back() {
        for seed in 0..30 {
            let deeds = days(seed, 60);
            let count = |deed| deeds.iter().filter(|(_, d)| *d == deed).count();
            assert_eq!(count(Deed::Open), count(Deed::Close), "seed {seed}");
            assert_eq!(count(Deed::Leave), count(Deed::Return), "seed {seed}");
        }
    }

    #[test]
    fn a_day_has_as_many_movements_as_recorded_homes_show() {
        for seed in 0..20 {
            let a_day = days(seed, 60).len() / 60;
            assert!((80..900).contains(&a_day), "seed {seed}: {a_day} deeds a day");
        }
    }

    /// Without hall and door around an absence, no detector could ever learn what *out* looks like.
    #[test]
    fn an_outing_is_door_silence_door() {
        let mut outings = 0;
        for deeds in (0..20).map(|seed| days(seed, 60)) {
            let mut since = None;
            for (at, deed) in deeds {
                match deed {
                    Deed::Leave => since = Some(at),
                    Deed::Return => outings += usize::from(since.take().is_some_and(|left| at - left > 1_200_000)),
                    Deed::Move(_) if since.is_some_and(|left| at > left + 60_000 && at < left + 600_000) => {
                        // Only a visitor who stays behind moves then.
                        since = None;
                    }
                    _ => {}
                }
            }
        }
        assert!(outings > 600, "{outings} quiet outings in 1,200 days");
    }

    #[test]
    fn people_differ_and_a_seed_repeats_itself() {
        assert_eq!(days(3, 10), days(3, 10));
        assert_ne!(days(3, 10), days(4, 10));
    }
}
