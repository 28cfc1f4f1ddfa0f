//! Every value as a small number, several inputs in a byte.
//!
//! The bins of an input hold about equally many rows each; a missing value has one of its own. Inputs of few bins share a
//! byte, which says the bin of each of them: what is summed up by byte is summed up by input after, and seven yes-or-no
//! inputs cost what one does.

use super::super::{Matrix, workers};
use crate::error::Result;

/// Values of a byte, and so the most bins of an input.
pub const BYTE: usize = 256;

/// Bytes of a row that lie side by side.
pub const LANES: usize = 8;

/// Bounds are set by so many rows at most, spread evenly.
const LOOKED_AT: usize = 1 << 17;

/// Where an input is found.
#[derive(Debug, Clone)]
pub struct Place {
    /// Column of the matrix.
    pub input: usize,
    /// Lane of its tile.
    pub lane: usize,
    /// The byte is the sum of stride times bin over its inputs.
    pub stride: usize,
    pub bins: usize,
    /// Bin 0 is that of missing values.
    pub missing: bool,
    /// The smallest value of each bin of known values, ascending.
    pub bounds: Vec<f64>,
}

impl Place {
    /// The bin of a byte.
    pub fn bin(&self, byte: usize) -> usize {
        byte / self.stride % self.bins
    }

    /// The first bin of known values.
    pub fn first(&self) -> usize {
        usize::from(self.missing)
    }

    fn of(&self, value: f64) -> usize {
        match value.is_nan() {
            true => 0,
            // What is below all that was looked at goes with the smallest.
            false => self.first() + self.bounds.partition_point(|bound| *bound <= value).saturating_sub(1),
        }
    }
}

/// Some bytes of every row, and the inputs in them.
#[derive(Debug)]
pub struct Tile {
    pub places: Vec<Place>,
    pub rows: Vec<[u8; LANES]>,
}

/// All inputs that tell rows apart.
pub fn tiles(matrix: &Matrix, order: &[usize], threads: usize) -> Result<Vec<Tile>> {
    let places = workers::each(threads, matrix.width(), |input| place(matrix, input, order))?;
    let mut places: Vec<Place> = places.into_iter().filter(|place| place.bins > 1).collect();
    places.sort_by_key(|place| (std::cmp::Reverse(place.bins), place.input));
    // Each into the first byte with room for it.
    let mut bytes: Vec<(usize, Vec<Place>)> = Vec::new();
    for mut place in places {
        match bytes.iter_mut().find(|(taken, _)| taken * place.bins <= BYTE) {
            Some((taken, places)) => {
                place.stride = *taken;
                *taken *= place.bins;
                places.push(place);
            }
            None => bytes.push((place.bins, vec![place])),
        }
    }
    let lanes = |bytes: &[(usize, Vec<Place>)]| {
        let lanes = bytes.iter().enumerate();
        lanes.flat_map(|(lane, (_, places))| places.iter().map(move |place| Place { lane, ..place.clone() })).collect()
    };
    let of_tiles: Vec<Vec<Place>> = bytes.chunks(LANES).map(lanes).collect();
    let rows = workers::each(threads, of_tiles.len(), |tile| pack(matrix, &of_tiles[tile], order))?;
    Ok(of_tiles.into_iter().zip(rows).map(|(places, rows)| Tile { places, rows }).collect())
}

fn pack(matrix: &Matrix, places: &[Place], order: &[usize]) -> Vec<[u8; LANES]> {
    let mut rows = vec![[0; LANES]; order.len()];
    for place in places {
        let values = matrix.column(place.input);
        for (bytes, row) in rows.iter_mut().zip(order) {
            bytes[place.lane] += (place.of(values[*row]) * place.stride) as u8;
        }
    }
    rows
}

/// The bins of an input, not yet in a byte.
fn place(matrix: &Matrix, input: usize, order: &[usize]) -> Place {
    let values = matrix.column(input);
    let missing = order.iter().any(|row| values[*row].is_nan());
    let every = order.len().div_ceil(LOOKED_AT).max(1);
    let looked_at = order.iter().step_by(every).map(|row| values[*row]).filter(|value| !value.is_nan()).collect();
    let bounds = bounds(looked_at, BYTE - usize::from(missing));
    Place { input, lane: 0, stride: 1, bins: bounds.len() + usize::from(missing), missing, bounds }
}

/// At most so many bins with about as many values in each; a frequent value has one of its own.
fn bounds(mut values: Vec<f64>, most: usize) -> Vec<f64> {
    values.sort_unstable_by(f64::total_cmp);
    let distinct = values.chunk_by(|a, b| a == b);
    if distinct.clone().take(most + 1).count() <= most {
        return distinct.map(|same| same[0]).collect();
    }
    let mut bounds = Vec::new();
    // Values of the last bin, and of it and those to come; bins that these may have.
    let (mut inside, mut rest, mut bins) = (0, values.len(), most);
    for same in distinct {
        if inside == 0 {
            bounds.push(same[0]);
        } else if bins > 1 && inside.max(same.len()) * bins >= rest {
            bounds.push(same[0]);
            (rest, bins, inside) = (rest - inside, bins - 1, 0);
        }
        inside += same.len();
    }
    bounds
}

#[cfg(test)]
mod tests {
    use super::super::super::{Input, Says};
    use super::*;

    #[test]
    fn few_values_have_a_bin_each_and_many_share() {
        assert_eq!(bounds(vec![2.0, 0.0, 2.0, -1.0], 3), [-1.0, 0.0, 2.0]);
        // Half of them are 0: the others still have all the other bins.
        let values: Vec<f64> = (0..2000).map(|n| if n % 2 == 0 { 0.0 } else { f64::from(n) }).collect();
        let bounds = bounds(values, 11);
        assert_eq!(bounds.len(), 11);
        assert_eq!(bounds[..2], [0.0, 1.0]);
        assert!(bounds.windows(2).skip(1).all(|pair| (180.0..=220.0).contains(&(pair[1] - pair[0]))), "{bounds:?}");
    }

    #[test]
    fn a_byte_gives_back_the_bin_of_each_of_its_inputs() {
        let columns: Vec<Vec<f64>> = (0..30_usize)
            .map(|input| {
                let value = |row: usize| match (row * (input + 3)) % (input + 2) {
                    0 if input % 3 == 0 => f64::NAN,
                    number => number as f64 - 1.5,
                };
                (0..500).map(value).collect()
            })
            .collect();
        let mut matrix = Matrix::new(500);
        for values in &columns {
            matrix.push(Input { feature: "x".to_owned(), says: Says::Number }, values);
        }
        let order: Vec<usize> = (0..500).rev().collect();
        let tiles = tiles(&matrix, &order, 2).unwrap();
        assert!(tiles.len() < 3, "inputs of few values share bytes");
        let mut seen = 0;
        for tile in &tiles {
            for place in &tile.places {
                seen += 1;
                for (bytes, row) in tile.rows.iter().zip(&order) {
                    let (bin, value) = (place.bin(usize::from(bytes[place.lane])), columns[place.input][*row]);
                    match value.is_nan() {
                        true => assert!(place.missing && bin == 0),
                        false => assert_eq!(place.bounds[bin - place.first()], value),
                    }
                }
            }
        }
        assert_eq!(seen, 30, "every input tells rows apart");
    }
}
