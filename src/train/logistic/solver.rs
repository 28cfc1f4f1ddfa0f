//! The penalised maximum of the likelihood, by Newton steps with a proximal step for the lasso.
//!
//! The gradient is always that of all rows. Of many rows the curvature is at first taken from every so many of them, and
//! near the optimum once from all: it only decides how fast the optimum is reached, not where it lies. Sums run over
//! chunks of rows in their order, so that the number of threads changes no bit.

use std::ops::Range;

use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, ArrayView2, Axis, ShapeBuilder, Slice};

use super::super::workers;
use super::design::Design;
use super::linear;
use crate::error::{Error, Result};

/// Rows of one piece of work; of one product of matrices; and of one whose columns stay in the cache until all are read.
const CHUNK: usize = 16_384;
const BLOCK: usize = 2_048;
const NEAR: usize = 256;

/// Columns of one product of matrices: only those on and below the diagonal are made.
const BAND: usize = 48;

/// From this many rows on the curvature is taken from a part of them.
const MANY: usize = 100_000;

const MOST_STEPS: usize = 100;

/// Mean gradient at which the optimum is reached, and at which the curvature there is that of the optimum to four digits.
const TOLERANCE: f64 = 1e-9;
const ROUGH: f64 = 1e-6;

/// What is fitted to.
#[derive(Debug, Clone, Copy)]
pub struct Problem<'a> {
    pub design: Design<'a>,
    pub outcome: &'a [bool],
    pub weight: &'a [f64],
    pub ridge: f64,
    pub lasso: f64,
    pub threads: usize,
}

/// Standardised coefficients, the intercept first.
#[derive(Debug, Clone)]
pub struct Solution {
    pub coefficients: Vec<f64>,
    pub steps: usize,
    pub converged: bool,
    /// Of the log loss there; none under a lasso, where nothing needs it.
    pub curvature: Option<Vec<f64>>,
}

/// Fits from `start` (the intercept first), or from nothing.
pub fn solve(problem: &Problem, start: Option<Vec<f64>>) -> Result<Solution> {
    let rows = problem.design.matrix.rows();
    if rows <= MANY {
        let mut solution = newton(problem, start, TOLERANCE, |at| curvature(problem, at))?;
        if problem.lasso == 0.0 {
            solution.curvature = Some(curvature(problem, &solution.coefficients)?);
        }
        return Ok(solution);
    }
    let every = rows.div_ceil(MANY / 2);
    let some: Vec<usize> = (0..rows).step_by(every).collect();
    let matrix = problem.design.matrix.take(&some);
    let outcome: Vec<bool> = some.iter().map(|row| problem.outcome[*row]).collect();
    let weight: Vec<f64> = some.iter().map(|row| problem.weight[*row] * every as f64).collect();
    let design = Design { matrix: &matrix, made: problem.design.made };
    let part = Problem { design, outcome: &outcome, weight: &weight, ..*problem };
    let near = newton(&part, start, ROUGH, |at| curvature(&part, at))?;
    if problem.lasso > 0.0 {
        return newton(problem, Some(near.coefficients), TOLERANCE, |at| curvature(&part, at));
    }
    let nearer = newton(problem, Some(near.coefficients), ROUGH, |at| curvature(&part, at))?;
    let all = curvature(problem, &nearer.coefficients)?;
    let solution = newton(problem, Some(nearer.coefficients), TOLERANCE, |_| Ok(all.clone()))?;
    Ok(Solution { steps: nearer.steps + solution.steps, curvature: Some(all), ..solution })
}

/// Steps down, with the curvature that is given for each place, until the mean gradient is below a tolerance.
fn newton(
    problem: &Problem,
    start: Option<Vec<f64>>,
    tolerance: f64,
    curvature: impl Fn(&[f64]) -> Result<Vec<f64>>,
) -> Result<Solution> {
    let terms = problem.design.made.len() + 1;
    let total: f64 = problem.weight.iter().sum();
    let events: f64 = problem.outcome.iter().zip(problem.weight).filter(|(event, _)| **event).map(|(_, w)| w).sum();
    if !(events > 0.0 && events < total) {
        return Err(Error::Check("everyone has the same outcome: there is nothing to learn".to_owned()));
    }
    let mut at = start.unwrap_or_else(|| {
        let mut nothing = vec![0.0; terms];
        nothing[0] = (events / (total - events)).ln();
        nothing
    });
    let mut here = pass(problem, &at)?;
    let ended = |coefficients, steps, converged| Ok(Solution { coefficients, steps, converged, curvature: None });
    for step in 0..MOST_STEPS {
        if residual(problem, &at, &here.gradient) <= tolerance * total {
            return ended(at, step, true);
        }
        let hessian = curvature(&at)?;
        let wanted = target(problem, &hessian, &here.gradient, &at)?;
        let Some((next, there)) = descend_to(problem, &at, &wanted, here.objective)? else {
            // No smaller value can be told apart: at the limit of rounding, or far from it.
            let converged = residual(problem, &at, &here.gradient) <= 1e3 * TOLERANCE * total;
            return ended(at, step, converged);
        };
        (at, here) = (next, there);
    }
    ended(at, MOST_STEPS, false)
}

/// Where the quadratic approximation has its minimum.
fn target(problem: &Problem, hessian: &[f64], gradient: &[f64], at: &[f64]) -> Result<Vec<f64>> {
    if problem.lasso > 0.0 {
        return Ok(linear::descend(hessian, gradient, at, problem.ridge, problem.lasso));
    }
    let n = at.len();
    let lower = linear::cholesky(&ridged(hessian, n, problem.ridge), n).ok_or_else(|| {
        Error::Check("some inputs make up another: give them a ridge above 0, or leave one out".to_owned())
    })?;
    let mut step: Vec<f64> = (0..n).map(|j| -gradient[j] - if j == 0 { 0.0 } else { problem.ridge * at[j] }).collect();
    linear::solve(&lower, n, &mut step);
    Ok(at.iter().zip(step).map(|(at, step)| at + step).collect())
}

fn ridged(hessian: &[f64], n: usize, ridge: f64) -> Vec<f64> {
    let mut ridged = hessian.to_vec();
    (1..n).for_each(|j| ridged[j * n + j] += ridge);
    ridged
}

/// The first point on the way to `wanted` that is lower, halving the way.
fn descend_to(problem: &Problem, at: &[f64], wanted: &[f64], objective: f64) -> Result<Option<(Vec<f64>, Pass)>> {
    let mut share = 1.0;
    for _ in 0..30 {
        let next: Vec<f64> = at.iter().zip(wanted).map(|(at, wanted)| at + share * (wanted - at)).collect();
        let there = pass(problem, &next)?;
        if there.objective < objective {
            return Ok(Some((next, there)));
        }
        share /= 2.0;
    }
    Ok(None)
}

/// How far from an optimum: the largest part of the gradient that no penalty takes up.
fn residual(problem: &Problem, at: &[f64], gradient: &[f64]) -> f64 {
    let part = |(j, (at, gradient)): (usize, (&f64, &f64))| match j {
        0 => gradient.abs(),
        _ if *at == 0.0 => (gradient.abs() - problem.lasso).max(0.0),
        _ => (gradient + problem.ridge * at + problem.lasso * at.signum()).abs(),
    };
    at.iter().zip(gradient).enumerate().map(part).fold(0.0, f64::max)
}

/// Penalised objective, and the gradient of the likelihood alone.
struct Pass {
    objective: f64,
    gradient: Vec<f64>,
}

fn chunks(rows: usize) -> usize {
    rows.div_ceil(CHUNK)
}

fn pass(problem: &Problem, at: &[f64]) -> Result<Pass> {
    let rows = problem.design.matrix.rows();
    let made = problem.design.made;
    // On the scale of the values themselves, which need not be standardised then.
    let raw: Vec<f64> = made.iter().zip(&at[1..]).map(|(made, beta)| beta / made.spread).collect();
    let base = at[0] - made.iter().zip(&raw).map(|(made, raw)| made.mean * raw).sum::<f64>();
    let parts = workers::each(problem.threads, chunks(rows), |chunk| {
        let range = chunk * CHUNK..((chunk + 1) * CHUNK).min(rows);
        pass_chunk(problem, base, &raw, range)
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
fn pass_chunk(problem: &Problem, base: f64, raw: &[f64], range: Range<usize>) -> (f64, Vec<f64>) {
    let design = problem.design;
    let (mut loss, mut sums) = (0.0, vec![0.0; raw.len() + 1]);
    let (mut eta, mut block) = (vec![0.0; NEAR], vec![0.0; NEAR * raw.len()]);
    for start in range.clone().step_by(NEAR) {
        let rows = start..(start + NEAR).min(range.end);
        let eta = &mut eta[..rows.len()];
        eta.fill(base);
        for ((made, raw), values) in design.made.iter().zip(raw).zip(block.chunks_exact_mut(NEAR)) {
            let values = &mut values[..rows.len()];
            design.read(made, rows.clone(), values);
            eta.iter_mut().zip(values.iter()).for_each(|(eta, value)| *eta += raw * value);
        }
        for ((eta, event), weight) in
            eta.iter_mut().zip(&problem.outcome[rows.clone()]).zip(&problem.weight[rows.clone()])
        {
            let (small, event) = ((-eta.abs()).exp(), f64::from(u8::from(*event)));
            loss += weight * (small.ln_1p() + eta.max(0.0) - event * *eta);
            let risk = if *eta >= 0.0 { 1.0 / (1.0 + small) } else { small / (1.0 + small) };
            *eta = weight * (risk - event);
        }
        sums[0] += eta.iter().sum::<f64>();
        for (values, sum) in block.chunks_exact(NEAR).zip(&mut sums[1..]) {
            *sum += dot(&values[..rows.len()], eta);
        }
    }
    (loss, sums)
}

/// In eight lanes, added up in a fixed order.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut lanes = [0.0; 8];
    let (a8, b8) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f64 = a8.remainder().iter().zip(b8.remainder()).map(|(a, b)| a * b).sum();
    for (a, b) in a8.zip(b8) {
        for lane in 0..8 {
            lanes[lane] += a[lane] * b[lane];
        }
    }
    lanes.iter().sum::<f64>() + rest
}

/// The second derivative of the log loss, on standardised inputs, intercept first.
fn curvature(problem: &Problem, at: &[f64]) -> Result<Vec<f64>> {
    let rows = problem.design.matrix.rows();
    let parts = workers::each(problem.threads, chunks(rows), |chunk| {
        let range = chunk * CHUNK..((chunk + 1) * CHUNK).min(rows);
        curvature_chunk(problem, at, range)
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

fn curvature_chunk(problem: &Problem, at: &[f64], range: Range<usize>) -> Array2<f64> {
    let terms = at.len();
    let mut total = Array2::zeros((terms, terms));
    let mut block = vec![0.0; BLOCK * terms];
    let mut eta = vec![0.0; BLOCK];
    for start in range.clone().step_by(BLOCK) {
        let rows = start..(start + BLOCK).min(range.end);
        let length = rows.len();
        let eta = &mut eta[..length];
        eta.fill(at[0]);
        block[..length].fill(1.0);
        for (j, made) in problem.design.made.iter().enumerate() {
            let values = &mut block[(j + 1) * length..(j + 2) * length];
            problem.design.read(made, rows.clone(), values);
            values.iter_mut().for_each(|value| *value = (*value - made.mean) / made.spread);
            eta.iter_mut().zip(values.iter()).for_each(|(eta, value)| *eta += at[j + 1] * value);
        }
        for (eta, weight) in eta.iter_mut().zip(&problem.weight[rows.clone()]) {
            let small = (-eta.abs()).exp();
            *eta = (weight * small).sqrt() / (1.0 + small);
        }
        for values in block[..length * terms].chunks_exact_mut(length) {
            values.iter_mut().zip(eta.iter()).for_each(|(value, root)| *value *= root);
        }
        if let Ok(view) = ArrayView2::from_shape((length, terms).f(), &block[..length * terms]) {
            for first in (0..terms).step_by(BAND) {
                let (band, before) = (first..(first + BAND).min(terms), 0..(first + BAND).min(terms));
                let columns = |range: &Range<usize>| view.slice_axis(Axis(1), Slice::from(range.clone()));
                let mut rows = total.slice_axis_mut(Axis(0), Slice::from(band.clone()));
                let mut sums = rows.slice_axis_mut(Axis(1), Slice::from(before.clone()));
                general_mat_mul(1.0, &columns(&band).t(), &columns(&before), 1.0, &mut sums);
            }
        }
    }
    total
}

/// Standard errors of the standardised coefficients, intercept first: of a ridge, of its biased estimate.
pub fn standard_errors(problem: &Problem, solution: &Solution) -> Option<Vec<f64>> {
    let n = solution.coefficients.len();
    let hessian = solution.curvature.as_ref()?;
    let lower = linear::cholesky(&ridged(hessian, n, problem.ridge), n)?;
    let error = |j: usize| {
        let mut unit = vec![0.0; n];
        unit[j] = 1.0;
        linear::solve(&lower, n, &mut unit);
        let spread: f64 = (0..n).map(|i| unit[i] * dot(&hessian[i * n..(i + 1) * n], &unit)).sum();
        spread.sqrt()
    };
    Some((0..n).map(error).collect())
}
