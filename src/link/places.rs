//! What rows say of the people of a source, in the order in which those people came.

use hashbrown::HashMap;

/// The people of whom a source has rows, numbered as they came.
#[derive(Debug, Default)]
pub struct Places {
    /// By person: one more than their place, 0 for a person who has none.
    of: Vec<u32>,
    people: Vec<u32>,
}

impl Places {
    /// The place of a person, a new one if need be.
    pub fn take(&mut self, person: u32) -> u32 {
        let at = person as usize;
        if self.of.len() <= at {
            self.of.resize(at + 1, 0);
        }
        if self.of[at] == 0 {
            self.people.push(person);
            self.of[at] = self.people.len() as u32;
        }
        self.of[at] - 1
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
    pub fn say(&mut self, place: u32, value: u32, what: T) {
        let at = place as usize;
        if self.first.len() <= at {
            self.first.resize(at + 1, (NOTHING, T::default()));
        }
        let (said, known) = &mut self.first[at];
        if *said == value {
            known.add(what);
        } else if *said == NOTHING {
            self.first[at] = (value, what);
        } else {
            self.further.entry((place, value)).and_modify(|known| known.add(what)).or_insert(what);
        }
    }

    /// Adds what another said of its own places and values, ours by theirs.
    pub fn merge(&mut self, other: &Self, places: &[u32], values: &[u32]) {
        other.iter().for_each(|(place, value, what)| self.say(places[place as usize], values[value as usize], what));
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
        for (person, value) in [(7, 1), (2, 5), (7, 1), (7, 3), (2, 5), (7, 1), (7, 3)] {
            said.say(places.take(person), value, Rows(1));
        }
        assert_eq!(places.people(), [7, 2]);
        assert_eq!([places.of(7), places.of(2), places.of(3)], [Some(0), Some(1), None]);
        assert_eq!((said.first(1), said.further().count()), (Some((5, Rows(2))), 1));
        let mut all: Vec<_> = said.iter().collect();
        all.sort_by_key(|(place, value, _)| (*place, *value));
        assert_eq!(all, [(0, 1, Rows(3)), (0, 3, Rows(2)), (1, 5, Rows(2))]);
    }
}
