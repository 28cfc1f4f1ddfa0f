//! The places of a list that was made, given once more to those of its people who may still be called.

use super::Place;
use super::places::{self, Bound};
use super::select::{self, Scene};
use crate::error::Result;
use crate::pipeline::Cohort;

/// One recipient's list as it was made, without those who are off it.
#[derive(Debug)]
pub struct Remaining {
    /// How many had a place when it was made: the list grows no longer.
    pub places: u64,
    /// Best first, as indices into [`crate::link::People::tokens`], with what they had.
    pub people: Vec<(u32, Place)>,
}

/// Somebody's list and place in it.
type Seat = (usize, usize);

/// The places of a cohort's lists while they are given again.
struct Again<'a> {
    lists: &'a [Remaining],
    bounds: Vec<Bound>,
    /// The number of each seat, as the bounds count them.
    first: Vec<usize>,
    free: Vec<u64>,
    given: Vec<Vec<Option<Place>>>,
}

/// What each of these people has now, in the order of `lists`; none for those for whom a full limit or quota leaves no
/// room, not even in reserve.
///
/// Who was listed keeps the place. The places that fell free go to those in reserve: first where a floor is short, then
/// in the order of the lists, within every limit and quota as the later delivery counts them.
pub fn places(scene: &Scene, cohort: &Cohort, lists: &[Remaining]) -> Result<Vec<Vec<Option<Place>>>> {
    let of_list = |(at, list): (usize, &Remaining)| list.people.iter().map(move |(person, _)| (*person, at)).collect();
    let (persons, recipients): (Vec<u32>, Vec<usize>) =
        lists.iter().enumerate().flat_map::<Vec<(u32, usize)>, _>(of_list).unzip();
    let bounds = places::bounds(scene, cohort, &persons, &recipients)?;
    let first = lists.iter().scan(0, |next, list| Some(std::mem::replace(next, *next + list.people.len()))).collect();
    let free = lists.iter().map(|list| list.places).collect();
    let given = lists.iter().map(|list| vec![None; list.people.len()]).collect();
    let mut again = Again { lists, bounds, first, free, given };
    let seats = again.in_order();
    for seat in &seats {
        if again.had(*seat) == Place::Listed {
            again.list(*seat);
        }
    }
    for floor in select::guarantees(scene, cohort)? {
        let is_member = |seat: &Seat| floor.members.value(lists[seat.0].people[seat.1].0 as usize);
        for (at, _) in lists.iter().enumerate() {
            let members: Vec<Seat> = seats.iter().copied().filter(|seat| seat.0 == at && is_member(seat)).collect();
            let mut have = members.iter().filter(|seat| again.given[seat.0][seat.1].is_some()).count() as u64;
            for seat in members {
                have += u64::from(have < floor.at_least && again.list(seat));
            }
        }
    }
    for seat in seats {
        if !again.list(seat) {
            again.wait(seat);
        }
    }
    Ok(again.given)
}

impl Again<'_> {
    /// Those who were listed before those who were not; then the first of every list, the second of every list …
    fn in_order(&self) -> Vec<Seat> {
        let mut seats: Vec<Seat> =
            self.given.iter().enumerate().flat_map(|(list, of)| (0..of.len()).map(move |at| (list, at))).collect();
        seats.sort_by_key(|(list, at)| (self.had((*list, *at)) != Place::Listed, *at, *list));
        seats
    }

    fn had(&self, (list, at): Seat) -> Place {
        self.lists[list].people[at].1
    }

    /// Lists someone who has nothing yet, if a place is free and every bound leaves room.
    fn list(&mut self, seat: Seat) -> bool {
        self.give(seat, Place::Listed, self.free[seat.0] > 0)
    }

    /// Keeps someone who has nothing yet in reserve, if every bound leaves room.
    fn wait(&mut self, seat: Seat) {
        self.give(seat, Place::Reserve, true);
    }

    fn give(&mut self, (list, at): Seat, place: Place, free: bool) -> bool {
        let listed = place == Place::Listed;
        if !free || self.given[list][at].is_some() || !places::fits(&mut self.bounds, self.first[list] + at, listed) {
            return false;
        }
        self.given[list][at] = Some(place);
        self.free[list] -= u64::from(listed);
        true
    }
}
