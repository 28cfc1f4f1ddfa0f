//! What was once found out about a whole number, found again at a look.

use crate::ahead;

/// More numbers than this are found out about anew.
const REMEMBERED: usize = 1 << 20;

/// Odd, without a pattern: spreads numbers that are alike over the whole table.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// Whole numbers, each with a small one that was found out about it.
#[derive(Debug)]
pub struct Recall {
    /// A power of two of them, at most three quarters taken.
    places: Vec<Place>,
    taken: usize,
}

/// A number, and what was found out about it, in as little room as they take.
#[derive(Debug, Clone, Copy)]
struct Place {
    number: [u8; 8],
    found: [u8; 4],
}

/// Marks a free place; of this number nothing is remembered.
const FREE: i64 = i64::MIN;

impl Place {
    fn new(number: i64, found: u32) -> Self {
        Self { number: number.to_ne_bytes(), found: found.to_ne_bytes() }
    }

    fn number(self) -> i64 {
        i64::from_ne_bytes(self.number)
    }

    fn found(self) -> u32 {
        u32::from_ne_bytes(self.found)
    }
}

impl Default for Recall {
    fn default() -> Self {
        Self::with_places(1 << 10)
    }
}

impl Recall {
    fn with_places(places: usize) -> Self {
        Self { places: vec![Place::new(FREE, 0); places], taken: 0 }
    }

    /// What was found out about a number.
    #[inline]
    pub fn get(&self, number: i64) -> Option<u32> {
        let place = self.places[self.place(number)];
        (place.number() == number && number != FREE).then(|| place.found())
    }

    /// Remembers what was found out about a number that is not known yet.
    pub fn insert(&mut self, number: i64, found: u32) {
        if number == FREE {
            return;
        }
        if self.taken == REMEMBERED {
            *self = Self::default();
        }
        if self.taken * 4 >= self.places.len() * 3 {
            let smaller = std::mem::replace(self, Self::with_places(self.places.len() * 2));
            let known = smaller.places.into_iter().filter(|place| place.number() != FREE);
            known.for_each(|place| self.put(place.number(), place.found()));
        }
        self.put(number, found);
    }

    fn put(&mut self, number: i64, found: u32) {
        let place = self.place(number);
        self.places[place] = Place::new(number, found);
        self.taken += 1;
    }

    /// Has near what was found out about these numbers: no more of them than [`ahead::BLOCK`].
    pub fn near(&self, numbers: impl Iterator<Item = i64>) {
        ahead::read(numbers.map(|number| Some(self.places[self.first_place(number)].found())));
    }

    /// Where a number is looked for first.
    #[inline]
    fn first_place(&self, number: i64) -> usize {
        let product = u128::from(number.cast_unsigned() ^ SPREAD) * u128::from(SPREAD);
        (product ^ (product >> 64)) as usize & (self.places.len() - 1)
    }

    /// Where a number stands, or would.
    #[inline]
    fn place(&self, number: i64) -> usize {
        let last = self.places.len() - 1;
        let mut place = self.first_place(number);
        while ![FREE, number].contains(&self.places[place].number()) {
            place = (place + 1) & last;
        }
        place
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn numbers_are_known_as_in_a_map() {
        for seed in 0..20 {
            println!("seed {seed}");
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            let (mut recall, mut map) = (Recall::default(), HashMap::new());
            // Alike in their last digits, small and on both sides of 0.
            let step = [1, 1 << 10, 1 << 44, 9_973][seed as usize % 4];
            for _ in 0..20_000 {
                let number =
                    if random.random_bool(0.01) { i64::MIN } else { random.random_range(-4_000..4_000) * step };
                assert_eq!(recall.get(number), map.get(&number).copied().filter(|_| number != i64::MIN), "seed {seed}");
                map.entry(number).or_insert_with(|| {
                    let found = random.random_range(0..u32::MAX);
                    recall.insert(number, found);
                    found
                });
            }
        }
    }

    #[test]
    fn too_many_are_forgotten_and_known_again() {
        let mut recall = Recall::default();
        (0..=1 << 20).for_each(|number| recall.insert(number, 7));
        assert_eq!((recall.get(0), recall.get(1 << 20)), (None, Some(7)));
    }
}
