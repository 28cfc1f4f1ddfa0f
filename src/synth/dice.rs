//! Chance that is the same on every machine: one ChaCha stream a person, and no call into the platform's mathematics.

use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The random numbers of one person.
pub struct Dice(ChaCha8Rng);

impl Dice {
    /// The stream depends on the seed and the person alone, so neither threads nor chunks can change it.
    pub fn new(seed: u64, stream: u64) -> Self {
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        generator.set_stream(stream);
        Self(generator)
    }

    /// In `[0, 1)`, with 53 bits.
    pub fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    pub fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// In `[0, bound)`; 0 when the bound is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.0.next_u64()) * u128::from(bound)) >> 64) as u64
    }

    /// Both ends included; `low` when the range is empty.
    pub fn between(&mut self, low: i32, high: i32) -> i32 {
        let width = (i64::from(high) - i64::from(low) + 1).max(0) as u64;
        low.saturating_add(self.below(width) as i32)
    }

    /// One of them; the default of nothing.
    pub fn pick<T: Copy + Default>(&mut self, from: &[T]) -> T {
        let at = self.below(from.len() as u64) as usize;
        from.get(at).copied().unwrap_or_default()
    }

    /// One of them by weight; the default of nothing.
    pub fn weighted<T: Copy + Default>(&mut self, from: &[(T, u32)]) -> T {
        let mut left = self.below(from.iter().map(|(_, weight)| u64::from(*weight)).sum());
        for (value, weight) in from {
            match left.checked_sub(u64::from(*weight)) {
                Some(rest) => left = rest,
                None => return *value,
            }
        }
        T::default()
    }

    /// About standard normal: twelve uniform numbers, which reach from -6 to 6.
    pub fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.unit()).sum::<f64>() - 6.0
    }

    /// A count with this mean (up to about 60).
    pub fn poisson(&mut self, mean: f64) -> u32 {
        let floor = exp(-mean.clamp(0.0, 60.0));
        let mut product = self.unit();
        let mut count = 0;
        while product > floor {
            product *= self.unit();
            count += 1;
        }
        count
    }

    /// A pseudonym: 32 hexadecimal characters.
    pub fn token(&mut self) -> String {
        format!("{:016x}{:016x}", self.0.next_u64(), self.0.next_u64())
    }
}

/// e^x from the four operations alone, so that its last digit is the same everywhere.
pub fn exp(x: f64) -> f64 {
    let x = x.clamp(-700.0, 700.0);
    let halvings = 12;
    let small = x / f64::from(1 << halvings);
    let mut term = 1.0;
    let mut sum = 1.0;
    for n in 1..=8 {
        term *= small / f64::from(n);
        sum += term;
    }
    (0..halvings).fold(sum, |power, _| power * power)
}

pub fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + exp(-x))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exponential_is_close_enough() {
        for x in [-60.0, -3.5, -0.1, 0.0, 0.7, 2.0, 10.0] {
            assert!((exp(x) / f64::exp(x) - 1.0).abs() < 1e-10, "{x}");
        }
    }

    #[test]
    fn counts_and_choices_have_their_mean() {
        let mut dice = Dice::new(1, 2);
        let n = 20_000;
        let counts: u32 = (0..n).map(|_| dice.poisson(2.5)).sum();
        assert!((f64::from(counts) / f64::from(n) - 2.5).abs() < 0.05);
        let heavy = (0..n).filter(|_| dice.weighted(&[("a", 3), ("b", 1)]) == "a").count();
        assert!((heavy as f64 / f64::from(n) - 0.75).abs() < 0.02);
        assert!((0..n).all(|_| (3..=5).contains(&dice.between(3, 5))));
        assert_eq!(dice.between(5, 3), 5);
    }

    #[test]
    fn a_stream_depends_on_seed_and_person() {
        let first = Dice::new(7, 1).token();
        assert_eq!(first, Dice::new(7, 1).token());
        assert_ne!(first, Dice::new(7, 2).token());
        assert_ne!(first, Dice::new(8, 1).token());
    }
}
