//! What rows say of the people of a source, in the order in which those people came.

use hashbrown::HashMap;

use crate::ahead;

/// The people of whom a source has rows, numbered as they came.
#[derive(Debug, Default)]
pub struct Places {
    /// By person: one more than their place, 0 for a person who has none.
    of: Vec<u32>,
    people: Vec<u32>,
}

impl Places {
    /// The place of each person, a new one if need be.
    pub fn take(&mut self, persons: &[u32]) -> Vec<u32> {
        let most = persons.iter().max().map_or(0, |most| *most as usize + 1);
        if self.of.len() < most {
            self.of.resize(most, 0);
        }
        let (of, people) = (&mut self.of, &mut self.people);
        let mut place = |person: &u32| {
            let place = &mut of[*person as usize];
            if *place == 0 {
                people.push(*person);
                *place = people.len() as u32;
            }
            *place - 1
        };
        persons.iter().map(&mut place).collect()
    }

    /// The place of a person who has one.
    pub fn of(&self, person: u32) -> Option<u32> {
        self.of.get(person as usize)?.checked_sub(1)
    }

    /// By place: the person.
    pub fn people(&self) -> &[u32] {
        &self.people
    }
}

/// What comes of several rows of the same person that say the same.
pub trait Together: Copy + Default {
    fn add(&mut self, other: Self);
}

/// That there is such a row is all that counts.
impl Together for () {
    fn add(&mut self, (): Self) {}
}

/// Of a place of which nothing was said.
const NOTHING: u32 = u32::MAX;

/// By place and value. Most people are said to be one thing only: that is found without a search.
#[derive(Debug, Default)]
pub struct ByPlace<T> {
    first: Vec<(u32, T)>,
    further: HashMap<(u32, u32), T>,
}

impl<T: Together> ByPlace<T> {
    /// Notes place, value and what is said; there are so many places.
    pub fn say(&mut self, places: usize, says: impl Iterator<Item = (u32, u32, T)>) {
        if self.first.len() < places {
            self.first.resize(places, (NOTHING, T::default()));
        }
        for (place, value, what) in says {
            let first = &mut self.first[place as usize];
            if first.0 == value {
                first.1.add(what);
            } else if first.0 == NOTHING {
                *first = (value, what);
            } else {
                self.further.entry((place, value)).and_modify(|known| known.add(what)).or_insert(what);
            }
        }
    }

    /// Has near what was said first of these places: as many as are read ahead at a time.
    pub fn near(&self, places: &[u32]) {
        ahead::read(places.iter().map(|place| Some(self.first.get(*place as usize)?.0)));
    }

    /// Adds what another said of its own places and values, ours by theirs; there are so many of ours.
    pub fn merge(&mut self, other: &Self, count: usize, places: &[u32], values: &[u32]) {
        let ours = |(place, value, what)| (places[place as usize], values[value as usize], what);
        self.say(count, other.iter().map(ours));
    }

    /// The value that was said first of a place, and what was said.
    pub fn first(&self, place: u32) -> Option<(u32, T)> {
        self.first.get(place as usize).copied().filter(|(value, _)| *value != NOTHING)
    }

    /// Place, value and what was said, beyond what was said first.
    pub fn further(&self) -> impl Iterator<Item = (u32, u32, T)> {
        self.further.iter().map(|(&(place, value), &what)| (place, value, what))
    }

    /// Place, value and what was said, each pair once.
    pub fn iter(&self) -> impl Iterator<Item = (u32, u32, T)> {
        let first = (0_u32..).zip(&self.first).filter(|(_, (value, _))| *value != NOTHING);
        first.map(|(place, &(value, what))| (place, value, what)).chain(self.further())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_a_person_comes_together_by_value() {
        #[derive(Debug, Clone, Copy, Default, PartialEq)]
        struct Rows(u32);
        impl Together for Rows {
            fn add(&mut self, other: Self) {
                self.0 += other.0;
            }
        }
        let mut places = Places::default();
        let mut said = ByPlace::default();
        let (persons, values) = ([7, 2, 7, 7, 2, 7, 7], [1, 5, 1, 3, 5, 1, 3]);
        let taken = places.take(&persons);
        said.say(2, taken.into_iter().zip(values).map(|(place, value)| (place, value, Rows(1))));
        assert_eq!(places.people(), [7, 2]);
        assert_eq!([places.of(7), places.of(2), places.of(3)], [Some(0), Some(1), None]);
        assert_eq!((said.first(1), said.further().count()), (Some((5, Rows(2))), 1));
        let mut all: Vec<_> = said.iter().collect();
        all.sort_by_key(|(place, value, _)| (*place, *value));
        assert_eq!(all, [(0, 1, Rows(3)), (0, 3, Rows(2)), (1, 5, Rows(2))]);
    }
}
