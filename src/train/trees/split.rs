//! Sums of the slope and the curvature of the loss by bin, and the split of a leaf that lowers the loss most.
//!
//! The sums are of whole numbers, so that they do not depend on their order: no number of threads changes a bit, and the
//! sums of a sibling are exactly what is left of its parent's.

use super::bins::{BYTE, LANES, Place, Tile};

/// Slope and curvature of the loss of a row, as whole numbers of steps.
pub type Push = [i32; 2];

/// Their sum over rows.
pub type Sum = [i64; 2];

/// A step, for a row of the heaviest weight 1: its slope is below 1, and 2^30 fits with its sign.
pub const STEP: f64 = 1.0 / (1_u64 << 30) as f64;

/// Rows whose bytes are fetched together.
const NEAR: usize = 256;

/// Sums by byte: [`BYTE`] of them for each lane of a tile.
pub type Sums = Vec<[Sum; BYTE]>;

/// What a split must bring.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    pub ridge: f64,
    /// Of either side.
    pub least_curvature: f64,
    /// What one step of a sum stands for.
    pub step: f64,
}

/// Rows go left whose value is below a bound, or whose bin is 0 for missing values.
#[derive(Debug, Clone, Copy)]
pub struct Best {
    pub gain: f64,
    /// Number of the tile, and of the place in it.
    pub at: (usize, usize),
    /// The first bin of known values that goes right.
    pub bin: usize,
    pub missing_left: bool,
    pub left: Sum,
}

impl Best {
    /// For each byte, whether it goes left.
    pub fn goes_left(&self, place: &Place) -> [bool; BYTE] {
        std::array::from_fn(|byte| match place.bin(byte) {
            0 if place.missing => self.missing_left,
            bin => bin < self.bin,
        })
    }
}

/// Adds up the rows of a leaf; `pushes` stand in their order.
pub fn sums(tile: &Tile, rows: &[u32], pushes: &[Push]) -> Sums {
    let mut sums = vec![[[0; 2]; BYTE]; LANES];
    if let Some(lanes) = sums.first_chunk_mut::<LANES>() {
        let mut near = [[0; LANES]; NEAR];
        for (rows, pushes) in rows.chunks(NEAR).zip(pushes.chunks(NEAR)) {
            // Bytes from far away come many at a time when nothing else is done between.
            near.iter_mut().zip(rows).for_each(|(near, row)| *near = tile.rows[*row as usize]);
            for (bytes, push) in near.iter().zip(pushes) {
                let push = push.map(i64::from);
                for (lane, byte) in lanes.iter_mut().zip(bytes) {
                    add(&mut lane[usize::from(*byte)], push);
                }
            }
        }
    }
    sums
}

/// What is left of the sums of a leaf without those of one of its sides.
pub fn rest(of: &Sums, without: &Sums) -> Sums {
    let less = |(of, without): (&[Sum; BYTE], &[Sum; BYTE])| std::array::from_fn(|byte| minus(of[byte], without[byte]));
    of.iter().zip(without).map(less).collect()
}

fn add(sum: &mut Sum, other: Sum) {
    sum[0] += other[0];
    sum[1] += other[1];
}

pub fn minus(sum: Sum, other: Sum) -> Sum {
    [sum[0] - other[0], sum[1] - other[1]]
}

/// Half of what a leaf of these sums takes off the loss.
fn worth(sum: Sum, rules: &Rules) -> f64 {
    let (slope, curvature) = (sum[0] as f64 * rules.step, sum[1] as f64 * rules.step);
    slope * slope / (curvature + rules.ridge)
}

/// The best split of a leaf on an input of a tile; of equals the first.
pub fn best(number: usize, tile: &Tile, sums: &Sums, whole: Sum, rules: &Rules) -> Option<Best> {
    let mut best: Option<Best> = None;
    for (at, place) in tile.places.iter().enumerate() {
        let found = of_input(place, &sums[place.lane], whole, rules);
        for (gain, bin, missing_left, left) in found.into_iter().flatten() {
            if best.as_ref().is_none_or(|best| gain > best.gain) {
                best = Some(Best { gain, at: (number, at), bin, missing_left, left });
            }
        }
    }
    best.filter(|best| best.gain > 0.0)
}

type Found = Option<(f64, usize, bool, Sum)>;

/// The best with missing values on the right, and the best with them on the left.
fn of_input(place: &Place, by_byte: &[Sum; BYTE], whole: Sum, rules: &Rules) -> [Found; 2] {
    let mut by_bin = [[0; 2]; BYTE];
    let mut byte = 0;
    // Bytes that differ in this input alone are `stride` apart, and those of one bin lie together so many at a time.
    while byte < BYTE {
        for bin in by_bin.iter_mut().take(place.bins) {
            let until = (byte + place.stride).min(BYTE);
            by_byte[byte.min(until)..until].iter().for_each(|sum| add(bin, *sum));
            byte = until;
        }
    }
    let before = worth(whole, rules);
    let least = (rules.least_curvature / rules.step) as i64;
    let scan = |mut left: Sum, mut bin: usize, missing_left: bool| {
        let mut found: Found = None;
        while bin < place.bins {
            let right = minus(whole, left);
            if right[1] < least {
                break;
            }
            if left[1] >= least {
                let gain = worth(left, rules) + worth(right, rules) - before;
                if found.is_none_or(|(best, ..)| gain > best) {
                    found = Some((gain, bin, missing_left, left));
                }
            }
            add(&mut left, by_bin[bin]);
            bin += 1;
        }
        found
    };
    let first = place.first();
    // Without a missing value to learn from, one goes with the larger side.
    let mut right = scan(by_bin[first], first + 1, false);
    if let (false, Some((_, _, missing_left, left))) = (place.missing, &mut right) {
        *missing_left = left[1] * 2 > whole[1];
    }
    [right, place.missing.then(|| scan(by_bin[0], first, true)).flatten()]
}
