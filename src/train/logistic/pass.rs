//! Sums over all rows: the loss with its gradient, and its curvature.
//!
//! They run over chunks of rows in their order, so that the number of threads changes no bit. Of a column of bytes the 256
//! values are worked out once, and each row takes a look.

use std::ops::Range;

use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, ArrayView2, Axis, ShapeBuilder, Slice};

use super::super::workers;
use super::design::{Lookup, Made};
use super::solver::Problem;
use crate::error::Result;

/// Rows of one piece of work; of one product of matrices; and of one whose columns stay in the cache until all are read.
const CHUNK: usize = 16_384;
const BLOCK: usize = 512;
const NEAR: usize = 256;

/// Columns of one product of matrices: only those on and below the diagonal are made.
const BAND: usize = 48;

/// Penalised objective, and the gradient of the likelihood alone.
pub struct Pass {
    pub objective: f64,
    pub gradient: Vec<f64>,
}

/// A column, and by what it is multiplied.
struct Term<'a> {
    made: &'a Made,
    times: f64,
    bytes: Option<Bytes<'a>>,
}

struct Bytes<'a> {
    of: &'a [u8],
    value: Lookup,
    product: Lookup,
}

/// The columns, each standardised or not, and their coefficients.
fn terms<'a>(problem: &Problem<'a>, times: &[f64], standardised: bool) -> Vec<Term<'a>> {
    let term = |(made, times): (&'a Made, &f64)| {
        let bytes = problem.design.bytes(made).map(|(of, mut value)| {
            if standardised {
                value.iter_mut().for_each(|value| *value = (*value - made.mean) / made.spread);
            }
            Bytes { of, product: value.map(|value| value * times), value }
        });
        Term { made, times: *times, bytes }
    };
    problem.design.made.iter().zip(times).map(term).collect()
}

fn chunks(rows: usize) -> usize {
    rows.div_ceil(CHUNK)
}

/// The objective and the gradient at some coefficients, the intercept first.
pub fn pass(problem: &Problem, at: &[f64]) -> Result<Pass> {
    let rows = problem.design.matrix.rows();
    let made = problem.design.made;
    // On the scale of the values themselves, which need not be standardised then.
    let raw: Vec<f64> = made.iter().zip(&at[1..]).map(|(made, beta)| beta / made.spread).collect();
    let base = at[0] - made.iter().zip(&raw).map(|(made, raw)| made.mean * raw).sum::<f64>();
    let terms = terms(problem, &raw, false);
    let parts = workers::each(problem.threads, chunks(rows), |chunk| {
        pass_chunk(problem, base, &terms, chunk * CHUNK..((chunk + 1) * CHUNK).min(rows))
    })?;
    let (mut loss, mut sums) = (0.0, vec![0.0; at.len()]);
    for (part_loss, part_sums) in parts {
        loss += part_loss;
        sums.iter_mut().zip(part_sums).for_each(|(sum, part)| *sum += part);
    }
    let all = sums[0];
    sums[1..].iter_mut().zip(made).for_each(|(sum, made)| *sum = (*sum - made.mean * all) / made.spread);
    let penalty = |beta: &f64| 0.5 * problem.ridge * beta * beta + problem.lasso * beta.abs();
    Ok(Pass { objective: loss + at[1..].iter().map(penalty).sum::<f64>(), gradient: sums })
}

/// Log loss of some rows, and the sums of residuals and of residual times value.
fn pass_chunk(problem: &Problem, base: f64, terms: &[Term], range: Range<usize>) -> (f64, Vec<f64>) {
    let (mut loss, mut sums) = (0.0, vec![0.0; terms.len() + 1]);
    let (mut eta, mut block) = (vec![0.0; NEAR], vec![0.0; NEAR * terms.len()]);
    for start in range.clone().step_by(NEAR) {
        let rows = start..(start + NEAR).min(range.end);
        let eta = &mut eta[..rows.len()];
        eta.fill(base);
        for (term, values) in terms.iter().zip(block.chunks_exact_mut(NEAR)) {
            match &term.bytes {
                Some(Bytes { of, product, .. }) => add_looked_up(eta, &of[rows.clone()], product),
                None => {
                    let values = &mut values[..rows.len()];
                    problem.design.read(term.made, rows.clone(), values);
                    eta.iter_mut().zip(values.iter()).for_each(|(eta, value)| *eta += term.times * value);
                }
            }
        }
        loss += residuals(eta, &problem.outcome[rows.clone()], &problem.weight[rows.clone()]);
        sums[0] += eta.iter().sum::<f64>();
        for ((term, values), total) in terms.iter().zip(block.chunks_exact(NEAR)).zip(&mut sums[1..]) {
            *total += match &term.bytes {
                Some(Bytes { of, value, .. }) => {
                    sum(&of[rows.clone()], eta, |byte, left| value[usize::from(byte)] * left)
                }
                None => dot(&values[..rows.len()], eta),
            };
        }
    }
    (loss, sums)
}

/// Makes residuals of log-odds, each times its weight; the log loss.
fn residuals(eta: &mut [f64], outcome: &[bool], weight: &[f64]) -> f64 {
    let mut loss = 0.0;
    for ((eta, event), weight) in eta.iter_mut().zip(outcome).zip(weight) {
        let (small, event) = ((-eta.abs()).exp(), f64::from(u8::from(*event)));
        loss += weight * (small.ln_1p() + eta.max(0.0) - event * *eta);
        let risk = if *eta >= 0.0 { 1.0 / (1.0 + small) } else { small / (1.0 + small) };
        *eta = weight * (risk - event);
    }
    loss
}

fn add_looked_up(sums: &mut [f64], bytes: &[u8], lookup: &Lookup) {
    sums.iter_mut().zip(bytes).for_each(|(sum, byte)| *sum += lookup[usize::from(*byte)]);
}

/// The sum of what a value and its weight come to: in eight lanes, added up in a fixed order, so that no sum waits for the
/// one before it.
pub fn sum<A: Copy>(values: &[A], weight: &[f64], term: impl Fn(A, f64) -> f64) -> f64 {
    let mut lanes = [0.0; 8];
    let (values8, weight8) = (values.chunks_exact(8), weight.chunks_exact(8));
    let rest = values8.remainder().iter().zip(weight8.remainder());
    let rest: f64 = rest.map(|(value, weight)| term(*value, *weight)).sum();
    for (values, weight) in values8.zip(weight8) {
        for lane in 0..8 {
            lanes[lane] += term(values[lane], weight[lane]);
        }
    }
    lanes.iter().sum::<f64>() + rest
}

pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    sum(a, b, |a, b| a * b)
}

/// The second derivative of the log loss, on standardised inputs, intercept first.
pub fn curvature(problem: &Problem, at: &[f64]) -> Result<Vec<f64>> {
    let rows = problem.design.matrix.rows();
    let terms = terms(problem, &at[1..], true);
    let parts = workers::each(problem.threads, chunks(rows), |chunk| {
        curvature_chunk(problem, at[0], &terms, chunk * CHUNK..((chunk + 1) * CHUNK).min(rows))
    })?;
    let n = at.len();
    let mut total = vec![0.0; n * n];
    for part in parts {
        total.iter_mut().zip(part.iter()).for_each(|(total, part)| *total += part);
    }
    // It is symmetric, and only what is below the diagonal was made of some bands.
    (0..n).for_each(|row| (row + 1..n).for_each(|column| total[row * n + column] = total[column * n + row]));
    Ok(total)
}

fn curvature_chunk(problem: &Problem, intercept: f64, terms: &[Term], range: Range<usize>) -> Array2<f64> {
    let width = terms.len() + 1;
    let mut total = Array2::zeros((width, width));
    let mut block = vec![0.0; BLOCK * width];
    let mut eta = vec![0.0; BLOCK];
    for start in range.clone().step_by(BLOCK) {
        let rows = start..(start + BLOCK).min(range.end);
        let length = rows.len();
        let eta = &mut eta[..length];
        eta.fill(intercept);
        for (term, values) in terms.iter().zip(block[length..].chunks_exact_mut(length)) {
            match &term.bytes {
                Some(Bytes { of, product, .. }) => add_looked_up(eta, &of[rows.clone()], product),
                None => {
                    problem.design.read(term.made, rows.clone(), values);
                    let Made { mean, spread, .. } = term.made;
                    values.iter_mut().for_each(|value| *value = (*value - mean) / spread);
                    eta.iter_mut().zip(values.iter()).for_each(|(eta, value)| *eta += term.times * value);
                }
            }
        }
        for (eta, weight) in eta.iter_mut().zip(&problem.weight[rows.clone()]) {
            let small = (-eta.abs()).exp();
            *eta = (weight * small).sqrt() / (1.0 + small);
        }
        block[..length].copy_from_slice(eta);
        for (term, values) in terms.iter().zip(block[length..].chunks_exact_mut(length)) {
            match &term.bytes {
                Some(Bytes { of, value, .. }) => values
                    .iter_mut()
                    .zip(&of[rows.clone()])
                    .zip(eta.iter())
                    .for_each(|((out, byte), root)| *out = value[usize::from(*byte)] * root),
                None => values.iter_mut().zip(eta.iter()).for_each(|(value, root)| *value *= root),
            }
        }
        add_squares(&block[..length * width], length, &mut total);
    }
    total
}

/// Adds the products of all pairs of columns, what is below the diagonal and a little more.
fn add_squares(columns: &[f64], length: usize, total: &mut Array2<f64>) {
    let width = total.nrows();
    let Ok(view) = ArrayView2::from_shape((length, width).f(), columns) else { return };
    for first in (0..width).step_by(BAND) {
        let (band, before) = (first..(first + BAND).min(width), 0..(first + BAND).min(width));
        let columns = |range: &Range<usize>| view.slice_axis(Axis(1), Slice::from(range.clone()));
        let mut rows = total.slice_axis_mut(Axis(0), Slice::from(band.clone()));
        let mut sums = rows.slice_axis_mut(Axis(1), Slice::from(before.clone()));
        general_mat_mul(1.0, &columns(&band).t(), &columns(&before), 1.0, &mut sums);
    }
}
