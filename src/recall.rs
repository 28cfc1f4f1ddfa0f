//! What was once found out about a whole number, found again at a look.

use crate::ahead;

/// More numbers than this are found out about anew.
const REMEMBERED: usize = 1 << 20;

/// Odd, without a pattern: spreads numbers that are alike over the whole table.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// Whole numbers, each with a small one that was found out about it: never [`u32::MAX`], which marks a free place.
#[derive(Debug)]
pub struct Recall {
    /// A power of two of them, at most half taken.
    places: Vec<(i64, u32)>,
    taken: usize,
}

impl Default for Recall {
    fn default() -> Self {
        Self { places: vec![FREE; 1 << 10], taken: 0 }
    }
}

const FREE: (i64, u32) = (0, u32::MAX);

impl Recall {
    /// What was found out about a number.
    #[inline]
    pub fn get(&self, number: i64) -> Option<u32> {
        let (other, found) = self.places[self.place(number)];
        (other == number && found != u32::MAX).then_some(found)
    }

    /// Remembers what was found out about a number that is not known yet.
    pub fn insert(&mut self, number: i64, found: u32) {
        if self.taken == REMEMBERED {
            *self = Self::default();
        }
        if self.taken * 2 == self.places.len() {
            let places = vec![FREE; self.places.len() * 2];
            for (number, found) in std::mem::replace(&mut self.places, places) {
                if found != u32::MAX {
                    let place = self.place(number);
                    self.places[place] = (number, found);
                }
            }
        }
        let place = self.place(number);
        self.places[place] = (number, found);
        self.taken += 1;
    }

    /// Has near what was found out about these numbers: no more of them than [`ahead::BLOCK`].
    pub fn near(&self, numbers: impl Iterator<Item = i64>) {
        ahead::read(numbers.map(|number| Some(self.places[self.first_place(number)].1)));
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
        while self.places[place].1 != u32::MAX && self.places[place].0 != number {
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
                let number = random.random_range(-4_000..4_000) * step;
                assert_eq!(recall.get(number), map.get(&number).copied(), "seed {seed}");
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
