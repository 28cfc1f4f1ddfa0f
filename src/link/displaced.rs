//! A place for each of many hashes that no other of them has, known beforehand: hash, displace, and compress
//! (Belazzougui, Botelho, Dietzfelbinger 2009, <https://doi.org/10.1007/978-3-642-04128-0_61>).

/// Hashes are displaced so many together.
const TOGETHER: usize = 4;

/// Odd, without a pattern.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// How far the hashes of each bucket are displaced.
#[derive(Debug, Default)]
pub(super) struct Displaced {
    by_bucket: Vec<u8>,
    places: usize,
}

impl Displaced {
    /// Gives each hash a place; none to the few of a bucket that no displacement suits, as where two are the same.
    pub fn of(hashes: &[u64]) -> (Self, Vec<Option<u32>>) {
        let mut displaced =
            Self { by_bucket: vec![0; hashes.len() / TOGETHER + 1], places: hashes.len() + hashes.len() / 3 + 1 };
        let mut buckets: Vec<Vec<u32>> = vec![Vec::new(); displaced.by_bucket.len()];
        for (number, hash) in (0..).zip(hashes) {
            buckets[displaced.bucket(*hash)].push(number);
        }
        let mut order: Vec<usize> = (0..buckets.len()).collect();
        order.sort_by_key(|bucket| std::cmp::Reverse(buckets[*bucket].len()));
        let (mut taken, mut found) = (vec![false; displaced.places], vec![None; hashes.len()]);
        let mut places: Vec<usize> = Vec::new();
        for bucket in order {
            let free = (0..=u8::MAX).find(|by| {
                places.clear();
                buckets[bucket].iter().all(|number| {
                    let place = displaced.displace(hashes[*number as usize], *by);
                    let free = !taken[place] && !places.contains(&place);
                    places.push(place);
                    free
                })
            });
            let Some(by) = free else { continue };
            displaced.by_bucket[bucket] = by;
            for (number, place) in buckets[bucket].iter().zip(&places) {
                taken[*place] = true;
                found[*number as usize] = u32::try_from(*place).ok();
            }
        }
        (displaced, found)
    }

    /// How many places there are.
    pub fn places(&self) -> usize {
        self.places
    }

    /// Where a hash stands, if it is one of them.
    #[inline]
    pub fn place(&self, hash: u64) -> u32 {
        self.displace(hash, self.by_bucket[self.bucket(hash)]) as u32
    }

    fn bucket(&self, hash: u64) -> usize {
        scaled(hash, self.by_bucket.len())
    }

    fn displace(&self, hash: u64, by: u8) -> usize {
        scaled((hash ^ u64::from(by).wrapping_mul(SPREAD)).wrapping_mul(SPREAD), self.places)
    }
}

/// From all numbers to those below a limit.
fn scaled(number: u64, limit: usize) -> usize {
    ((u128::from(number) * limit as u128) >> 64) as usize
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn hashes_have_a_place_of_their_own() {
        for (seed, hashes) in [0, 1, 2, 9, 100, 5_000, 60_000].into_iter().enumerate() {
            println!("seed {seed}");
            let mut random = ChaCha8Rng::seed_from_u64(seed as u64);
            let hashes: Vec<u64> = (0..hashes).map(|_| random.random()).collect();
            let (displaced, places) = Displaced::of(&hashes);
            let found: Vec<u32> = places.iter().copied().flatten().collect();
            assert!(hashes.iter().zip(&places).all(|(hash, at)| at.is_none_or(|at| at == displaced.place(*hash))));
            assert_eq!(found.iter().collect::<HashSet<_>>().len(), found.len());
            assert!(found.len() + hashes.len() / 100 >= hashes.len(), "{} of {}", found.len(), hashes.len());
            assert!((0..1_000).all(|_| (displaced.place(random.random()) as usize) < displaced.places()));
        }
    }

    #[test]
    fn the_same_hash_twice_has_no_place() {
        let (_, places) = Displaced::of(&[7, 7, 7]);
        assert_eq!(places, [None; 3]);
    }
}
