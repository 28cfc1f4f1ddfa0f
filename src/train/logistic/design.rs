//! The columns that a linear model multiplies: values with what stands in for missing ones, and what is missing.

use std::ops::Range;

use super::super::workers;
use super::super::{Input, Matrix, Says};
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
                    values.iter_mut().filter(|value| value.is_nan()).for_each(|value| *value = fill);
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

impl Design<'_> {
    /// Writes the values of a column, not standardised.
    pub fn read(&self, made: &Made, rows: Range<usize>, out: &mut [f64]) {
        self.matrix.read(made.column, rows, out);
        made.shape.apply(out);
    }
}

/// The columns that say something: those that are the same for everyone are left out.
pub fn columns(matrix: &Matrix, weight: &[f64], decl: &LogisticDecl, threads: usize) -> Result<Vec<Made>> {
    let made = workers::each(threads, matrix.width(), |column| of_input(matrix, column, weight, decl))?;
    Ok(made.into_iter().collect::<Result<Vec<_>>>()?.into_iter().flatten().collect())
}

fn of_input(matrix: &Matrix, column: usize, weight: &[f64], decl: &LogisticDecl) -> Result<Vec<Made>> {
    let Some(input) = matrix.inputs().get(column) else { return Ok(Vec::new()) };
    let values = matrix.column(column);
    let number = input.says == Says::Number;
    let log1p = number && decl.log1p.iter().any(|name| names(name, &input.feature));
    if log1p && values.iter().any(|value| *value <= -1.0) {
        return Err(Error::Check(format!("input {}: ln(1 + x) needs values above -1", input.feature)));
    }
    let missing = values.iter().any(|value| value.is_nan());
    let declared = decl.fill.get(&input.feature).copied().filter(|_| number);
    let mean = || moments(&values, weight).0;
    let fill = declared.or_else(|| missing.then(mean));
    let shapes = [Some(Shape::Value { fill, log1p }), missing.then_some(Shape::IsMissing)];
    let made = shapes.into_iter().flatten().filter_map(|shape| {
        let mut shaped = values.clone();
        shape.apply(&mut shaped);
        let (mean, spread) = moments(&shaped, weight);
        let says = spread > 1e-12 * (1.0 + mean.abs());
        says.then(|| Made { input: input.clone(), column, shape, mean, spread })
    });
    Ok(made.collect())
}

/// Whether a name, or a pattern that ends in `*`, means a feature.
fn names(pattern: &str, feature: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == feature, |start| feature.starts_with(start))
}

/// Weighted mean and standard deviation of what is not missing.
fn moments(values: &[f64], weight: &[f64]) -> (f64, f64) {
    let known = || values.iter().zip(weight).filter(|(value, _)| !value.is_nan());
    let total: f64 = known().map(|(_, weight)| weight).sum();
    if total <= 0.0 {
        return (0.0, 0.0);
    }
    let mean = known().map(|(value, weight)| value * weight).sum::<f64>() / total;
    let square = known().map(|(value, weight)| weight * (value - mean) * (value - mean)).sum::<f64>() / total;
    (mean, square.sqrt())
}
