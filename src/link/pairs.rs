//! Rows by who recorded them and what they say.

use hashbrown::HashMap;

/// Pairs that are counted in a table.
const PAIRS: usize = 1 << 21;

/// Rows by recorder and value.
#[derive(Debug, Default)]
pub struct Pairs {
    /// By recorder, then value, as long as there is room for all of both.
    table: Vec<u32>,
    /// Values of a recorder in the table.
    width: usize,
    /// Pairs that came when there was no more room.
    others: HashMap<(u32, u32), u64>,
}

impl Pairs {
    /// Counts rows whose recorders, and whose values, are below a number.
    pub fn count(&mut self, recorders: &[u32], values: &[u32], below: [usize; 2]) {
        self.make_room(below[0], below[1]);
        for (&recorder, &value) in recorders.iter().zip(values) {
            match self.cell(recorder, value) {
                Some(rows) if *rows < u32::MAX => *rows += 1,
                _ => *self.others.entry((recorder, value)).or_default() += 1,
            }
        }
    }

    /// Has so many recorders and values in the table, if it can.
    fn make_room(&mut self, recorders: usize, values: usize) {
        let height = recorders.max(self.height());
        if height.saturating_mul(values.max(self.width)) > PAIRS || (height == self.height() && values <= self.width) {
            return;
        }
        if values > self.width {
            // Room for as many again, so that it seldom grows.
            let width = if self.width == 0 { values } else { values.next_power_of_two() };
            let mut wider = vec![0; width * height];
            let rows = wider.chunks_exact_mut(width).zip(self.table.chunks_exact(self.width.max(1)));
            rows.for_each(|(wider, row)| wider[..row.len()].copy_from_slice(row));
            (self.table, self.width) = (wider, width);
        }
        self.table.resize(self.width * height, 0);
    }

    fn height(&self) -> usize {
        self.table.len() / self.width.max(1)
    }

    #[inline]
    fn cell(&mut self, recorder: u32, value: u32) -> Option<&mut u32> {
        let at = recorder as usize * self.width + value as usize;
        self.table.get_mut(at).filter(|_| (value as usize) < self.width)
    }

    pub fn add(&mut self, recorder: u32, value: u32, rows: u64) {
        let sum = |cell: &u32| u32::try_from(u64::from(*cell) + rows).ok();
        match self.cell(recorder, value).and_then(|cell| Some((sum(cell)?, cell))) {
            Some((sum, cell)) => *cell = sum,
            None => *self.others.entry((recorder, value)).or_default() += rows,
        }
    }

    /// Recorder, value and rows; a pair can come more than once.
    pub fn iter(&self) -> impl Iterator<Item = (u32, u32, u64)> {
        let table = (0_u32..).zip(self.table.chunks_exact(self.width.max(1))).flat_map(|(recorder, row)| {
            let said = (0_u32..).zip(row).filter(|(_, rows)| **rows > 0);
            said.map(move |(value, rows)| (recorder, value, u64::from(*rows)))
        });
        table.chain(self.others.iter().map(|(&(recorder, value), &rows)| (recorder, value, rows)))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// Few values and so many that there is no room in the table, in turn.
    #[test]
    fn pairs_are_counted_as_in_a_map() {
        for seed in 0..20 {
            println!("seed {seed}");
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            let (mut pairs, mut truth) = (Pairs::default(), BTreeMap::new());
            for round in 0..6 {
                let most = [(2, 5), (40, 300), (3, 2 * PAIRS as u32)][(seed as usize + round) % 3];
                let rows = random.random_range(0..400);
                if round % 2 == 1 {
                    let (recorder, value) = (random.random_range(0..most.0), random.random_range(0..most.1));
                    let rows = [7, u64::from(u32::MAX)][round / 2 % 2];
                    pairs.add(recorder, value, rows);
                    *truth.entry((recorder, value)).or_insert(0) += rows;
                }
                let recorders: Vec<u32> = (0..rows).map(|_| random.random_range(0..most.0)).collect();
                let values: Vec<u32> = (0..rows).map(|_| random.random_range(0..most.1)).collect();
                pairs.count(&recorders, &values, [most.0 as usize, most.1 as usize]);
                for pair in recorders.into_iter().zip(values) {
                    *truth.entry(pair).or_insert(0) += 1;
                }
            }
            let mut counted = BTreeMap::new();
            for (recorder, value, rows) in pairs.iter() {
                *counted.entry((recorder, value)).or_insert(0) += rows;
            }
            assert_eq!(counted, truth, "seed {seed}");
        }
    }
}
