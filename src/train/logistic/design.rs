//! The columns that a linear model multiplies: values with what stands in for missing ones, and what is missing.

use std::borrow::Cow;
use std::ops::Range;

use super::super::workers;
use super::super::{Input, Matrix, Says};
use super::pass::sum;
use crate::error::{Error, Result};
use crate::pipeline::study::LogisticDecl;

/// One column: made of one column of the matrix.
#[derive(Debug, Clone, PartialEq)]
pub struct Made {
    pub input: Input,
    /// Column of the matrix.
    pub column: usize,
    pub shape: Shape,
    /// Weighted mean and standard deviation over those learnt from.
    pub mean: f64,
    pub spread: f64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Shape {
    Value {
        /// In place of a missing value, before the logarithm.
        fill: Option<f64>,
        log1p: bool,
    },
    /// 1 where the value is missing, otherwise 0.
    IsMissing,
}

impl Shape {
    fn apply(self, values: &mut [f64]) {
        match self {
            Self::IsMissing => values.iter_mut().for_each(|value| *value = f64::from(u8::from(value.is_nan()))),
            Self::Value { fill, log1p } => {
                if let Some(fill) = fill {
                    // Without a branch: which values are missing cannot be foreseen.
                    values.iter_mut().for_each(|value| *value = if value.is_nan() { fill } else { *value });
                }
                if log1p {
                    values.iter_mut().for_each(|value| *value = value.ln_1p());
                }
            }
        }
    }
}

/// Columns over the rows of a matrix.
#[derive(Debug, Clone, Copy)]
pub struct Design<'a> {
    pub matrix: &'a Matrix,
    pub made: &'a [Made],
}

/// What stands in a column for each byte of the column of the matrix that it is made of.
pub type Lookup = [f64; 256];

impl<'a> Design<'a> {
    /// Writes the values of a column, not standardised.
    pub fn read(&self, made: &Made, rows: Range<usize>, out: &mut [f64]) {
        self.matrix.read(made.column, rows, out);
        made.shape.apply(out);
    }

    /// Where the matrix holds bytes: them, and the value of each, not standardised. What takes a look costs less than what is
    /// worked out.
    pub fn bytes(&self, made: &Made) -> Option<(&'a [u8], Lookup)> {
        let bytes = self.matrix.bytes(made.column)?;
        let mut lookup: Lookup = std::array::from_fn(|byte| Matrix::of_byte(byte as u8));
        made.shape.apply(&mut lookup);
        Some((bytes, lookup))
    }
}

/// The columns that say something: those that are the same for everyone are left out.
pub fn columns(matrix: &Matrix, weight: &[f64], decl: &LogisticDecl, threads: usize) -> Result<Vec<Made>> {
    let made = workers::each(threads, matrix.width(), |column| of_input(matrix, column, weight, decl))?;
    Ok(made.into_iter().collect::<Result<Vec<_>>>()?.into_iter().flatten().collect())
}

fn of_input(matrix: &Matrix, column: usize, weight: &[f64], decl: &LogisticDecl) -> Result<Vec<Made>> {
    let Some(input) = matrix.inputs().get(column) else { return Ok(Vec::new()) };
    let (values, weight) = weighted(matrix, column, weight);
    let number = input.says == Says::Number;
    let log1p = number && decl.log1p.iter().any(|name| names(name, &input.feature));
    if log1p && values.iter().any(|value| *value <= -1.0) {
        return Err(Error::Check(format!("input {}: ln(1 + x) needs values above -1", input.feature)));
    }
    let missing = values.iter().any(|value| value.is_nan());
    let declared = decl.fill.get(&input.feature).copied().filter(|_| number);
    let mean = || moments(&values, &weight).0;
    let fill = declared.or_else(|| missing.then(mean));
    let shapes = [Some(Shape::Value { fill, log1p }), missing.then_some(Shape::IsMissing)];
    let made = shapes.into_iter().flatten().filter_map(|shape| {
        let mut shaped = values.to_vec();
        shape.apply(&mut shaped);
        let (mean, spread) = moments(&shaped, &weight);
        let says = spread > 1e-12 * (1.0 + mean.abs());
        says.then(|| Made { input: input.clone(), column, shape, mean, spread })
    });
    Ok(made.collect())
}

/// The values of a column and what each weighs: of bytes, each value that there is and all its rows together.
fn weighted<'a>(matrix: &Matrix, column: usize, weight: &'a [f64]) -> (Vec<f64>, Cow<'a, [f64]>) {
    let Some(bytes) = matrix.bytes(column) else { return (matrix.column(column), Cow::Borrowed(weight)) };
    // In lanes: most rows have the same value, and each sum would wait for the one before it.
    let (mut rows, mut lanes) = ([false; 256], [[0.0; 256]; 8]);
    for (bytes, weight) in bytes.chunks(8).zip(weight.chunks(8)) {
        for ((byte, weight), lane) in bytes.iter().zip(weight).zip(&mut lanes) {
            rows[usize::from(*byte)] = true;
            lane[usize::from(*byte)] += weight;
        }
    }
    let sum = |byte: u8| lanes.iter().map(|lane| lane[usize::from(byte)]).sum::<f64>();
    let found = (0..=u8::MAX).filter(|byte| rows[usize::from(*byte)]);
    let (values, sums) = found.map(|byte| (Matrix::of_byte(byte), sum(byte))).unzip();
    (values, Cow::Owned(sums))
}

/// Whether a name, or a pattern that ends in `*`, means a feature.
fn names(pattern: &str, feature: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == feature, |start| feature.starts_with(start))
}

/// Weighted mean and standard deviation of what is not missing.
fn moments(values: &[f64], weight: &[f64]) -> (f64, f64) {
    let known = |value: f64, what: f64| if value.is_nan() { 0.0 } else { what };
    let total = sum(values, weight, known);
    if total <= 0.0 {
        return (0.0, 0.0);
    }
    let mean = sum(values, weight, |value, weight| known(value, weight * value)) / total;
    let square = sum(values, weight, |value, weight| known(value, weight * (value - mean) * (value - mean))) / total;
    (mean, square.sqrt())
}
