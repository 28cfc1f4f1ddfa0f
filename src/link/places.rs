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

    /// By place: the person.
    pub fn people(&self) -> &[u32] {
        &self.people
    }
}

/// What comes of several rows of the same person that say the same.
pub trait Together: Copy {
    fn add(&mut self, other: Self);
}

/// That there is such a row is all that counts.
impl Together for () {
    fn add(&mut self, (): Self) {}
}

/// By place and value. Most people are said to be one thing only: that is found without a search.
#[derive(Debug)]
pub struct ByPlace<T> {
    first: Vec<Option<(u32, T)>>,
    further: HashMap<(u32, u32), T>,
}

impl<T> Default for ByPlace<T> {
    fn default() -> Self {
        Self { first: Vec::new(), further: HashMap::new() }
    }
}

impl<T: Together> ByPlace<T> {
    pub fn say(&mut self, place: u32, value: u32, what: T) {
        let at = place as usize;
        if self.first.len() <= at {
            self.first.resize(at + 1, None);
        }
        match &mut self.first[at] {
            Some((said, known)) if *said == value => known.add(what),
            Some(_) => {
                self.further.entry((place, value)).and_modify(|known| known.add(what)).or_insert(what);
            }
            none => *none = Some((value, what)),
        }
    }

    /// Adds what another said of its own places and values, ours by theirs.
    pub fn merge(&mut self, other: &Self, places: &[u32], values: &[u32]) {
        other.iter().for_each(|(place, value, what)| self.say(places[place as usize], values[value as usize], what));
    }

    /// How many pairs of a place and a value there are.
    pub fn pairs(&self) -> usize {
        self.first.iter().flatten().count() + self.further.len()
    }

    /// Place, value and what was said, each pair once.
    pub fn iter(&self) -> impl Iterator<Item = (u32, u32, T)> {
        let first =
            (0_u32..).zip(&self.first).filter_map(|(place, said)| said.map(|(value, what)| (place, value, what)));
        first.chain(self.further.iter().map(|(&(place, value), &what)| (place, value, what)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_a_person_comes_together_by_value() {
        #[derive(Debug, Clone, Copy, PartialEq)]
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
        assert_eq!(said.pairs(), 3);
        let mut all: Vec<_> = said.iter().collect();
        all.sort_by_key(|(place, value, _)| (*place, *value));
        assert_eq!(all, [(0, 1, Rows(3)), (0, 3, Rows(2)), (1, 5, Rows(2))]);
    }
}
