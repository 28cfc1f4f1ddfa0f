//! The penalised maximum of the likelihood, by Newton steps with a proximal step for the lasso.
//!
//! Few rows have their curvature worked out at every step. Of many, some are fitted first: their optimum is where to begin,
//! and their curvature leads on, corrected by what each step shows of that of all (BFGS). Close to the optimum that of all is
//! worked out once, for the last steps and for the standard errors. Curvature only decides how fast the optimum is reached,
//! not where it lies: the gradient is always that of all rows.

use super::design::Design;
use super::linear;
use super::pass::{Pass, curvature, dot, pass};
use crate::error::{Error, Result};

/// From this many rows on some are fitted first: one in so many, no number of as-of dates that a study is likely to have.
const MANY: usize = 20_000;
const ONE_IN: usize = 7;

const MOST_STEPS: usize = 100;

/// Mean gradient at which the optimum is reached; at which curvature is that of the optimum to four digits; and at which the
/// optimum of some rows is known better than it tells that of all.
const TOLERANCE: f64 = 1e-9;
const CLOSE: f64 = 1e-5;
const ROUGH: f64 = 1e-4;

/// The log loss is not told apart more closely than this share of it.
const ROUNDING: f64 = 1e-13;

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

/// Coefficients, and what a pass over all rows says there.
struct Place {
    at: Vec<f64>,
    pass: Pass,
    steps: usize,
    converged: bool,
}

impl Place {
    fn new(problem: &Problem, at: Vec<f64>) -> Result<Self> {
        Ok(Self { pass: pass(problem, &at)?, at, steps: 0, converged: true })
    }

    fn solution(self, curvature: Option<Vec<f64>>) -> Solution {
        Solution { coefficients: self.at, steps: self.steps, converged: self.converged, curvature }
    }
}

/// Fits.
///
/// # Errors
/// When everyone has the same outcome, or some inputs make up another and nothing is penalised.
pub fn solve(problem: &Problem) -> Result<Solution> {
    let (start, given) = start(problem)?;
    let place = Place::new(problem, start)?;
    if problem.lasso > 0.0 {
        return Ok(descend(problem, place, given, TOLERANCE)?.solution(None));
    }
    let close = descend(problem, place, given, CLOSE)?;
    let exact = curvature(problem, &close.at)?;
    Ok(descend(problem, close, Some(exact.clone()), TOLERANCE)?.solution(Some(exact)))
}

/// Where to begin, and the curvature there where it is known.
fn start(problem: &Problem) -> Result<(Vec<f64>, Option<Vec<f64>>)> {
    match near(problem) {
        Some((start, curvature)) => Ok((start, Some(curvature))),
        None => Ok((nothing(problem)?, None)),
    }
}

/// The optimum of some rows and the curvature there; none where all are few, or where some have no optimum of their own: of
/// a rare condition, they may all have the same outcome.
fn near(problem: &Problem) -> Option<(Vec<f64>, Vec<f64>)> {
    let rows = problem.design.matrix.rows();
    if rows < MANY {
        return None;
    }
    let some: Vec<usize> = (0..rows).step_by(ONE_IN).collect();
    let matrix = problem.design.matrix.take(&some);
    let outcome: Vec<bool> = some.iter().map(|row| problem.outcome[*row]).collect();
    let weight: Vec<f64> = some.iter().map(|row| problem.weight[*row] * ONE_IN as f64).collect();
    let design = Design { matrix: &matrix, made: problem.design.made };
    let part = Problem { design, outcome: &outcome, weight: &weight, ..*problem };
    let (start, given) = start(&part).ok()?;
    let found = descend(&part, Place::new(&part, start).ok()?, given, ROUGH).ok().filter(|found| found.converged)?;
    let curvature = curvature(&part, &found.at).ok()?;
    factor(problem, &curvature).ok()?;
    Some((found.at, curvature))
}

/// No input says anything.
fn nothing(problem: &Problem) -> Result<Vec<f64>> {
    let total: f64 = problem.weight.iter().sum();
    let events: f64 = problem.outcome.iter().zip(problem.weight).filter(|(event, _)| **event).map(|(_, w)| w).sum();
    if !(events > 0.0 && events < total) {
        return Err(Error::Check("everyone has the same outcome: there is nothing to learn".to_owned()));
    }
    let mut nothing = vec![0.0; problem.design.made.len() + 1];
    nothing[0] = (events / (total - events)).ln();
    Ok(nothing)
}

/// Steps down until the mean gradient is below a tolerance, by the curvature that is given, or else by that of each place.
fn descend(problem: &Problem, from: Place, mut given: Option<Vec<f64>>, tolerance: f64) -> Result<Place> {
    let total: f64 = problem.weight.iter().sum();
    let Place { mut at, pass: mut here, mut steps, .. } = from;
    while steps < MOST_STEPS {
        let left = residual(problem, &at, &here.gradient);
        if left <= tolerance * total {
            return Ok(Place { at, pass: here, steps, converged: true });
        }
        let wanted = match &given {
            Some(given) => target(problem, given, &here.gradient, &at)?,
            None => target(problem, &curvature(problem, &at)?, &here.gradient, &at)?,
        };
        let Some((next, there)) = lower(problem, &at, &wanted, &here)? else {
            // No smaller value can be told apart: at the limit of rounding, or far from it.
            return Ok(Place { at, pass: here, steps, converged: left <= 1e3 * TOLERANCE * total });
        };
        if let Some(given) = &mut given {
            let difference = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a - b).collect::<Vec<f64>>();
            correct(given, &difference(&next, &at), &difference(&there.gradient, &here.gradient));
        }
        (at, here, steps) = (next, there, steps + 1);
    }
    Ok(Place { at, pass: here, steps, converged: false })
}

/// Where the quadratic approximation has its minimum.
fn target(problem: &Problem, hessian: &[f64], gradient: &[f64], at: &[f64]) -> Result<Vec<f64>> {
    if problem.lasso > 0.0 {
        return Ok(linear::descend(hessian, gradient, at, problem.ridge, problem.lasso));
    }
    let n = at.len();
    let lower = factor(problem, hessian)?;
    let mut step: Vec<f64> = (0..n).map(|j| -gradient[j] - if j == 0 { 0.0 } else { problem.ridge * at[j] }).collect();
    linear::solve(&lower, n, &mut step);
    Ok(at.iter().zip(step).map(|(at, step)| at + step).collect())
}

/// The factor of a curvature with the ridge.
fn factor(problem: &Problem, hessian: &[f64]) -> Result<Vec<f64>> {
    let n = problem.design.made.len() + 1;
    let mut ridged = hessian.to_vec();
    (1..n).for_each(|j| ridged[j * n + j] += problem.ridge);
    linear::cholesky(&ridged, n).ok_or_else(|| {
        Error::Check("some inputs make up another: give them a ridge above 0, or leave one out".to_owned())
    })
}

/// The first point on the way to `wanted` that is lower, halving the way. Where rounding hides which is lower, the gradient
/// tells.
fn lower(problem: &Problem, at: &[f64], wanted: &[f64], here: &Pass) -> Result<Option<(Vec<f64>, Pass)>> {
    let slope = residual(problem, at, &here.gradient);
    let mut share = 1.0;
    for _ in 0..30 {
        let next: Vec<f64> = at.iter().zip(wanted).map(|(at, wanted)| at + share * (wanted - at)).collect();
        let there = pass(problem, &next)?;
        let same = there.objective <= here.objective + ROUNDING * here.objective.abs();
        if there.objective < here.objective || same && residual(problem, &next, &there.gradient) < slope {
            return Ok(Some((next, there)));
        }
        share /= 2.0;
    }
    Ok(None)
}

/// Lets a curvature agree with how the gradient changed over a step (BFGS).
fn correct(curvature: &mut [f64], step: &[f64], change: &[f64]) {
    let n = step.len();
    let seen = dot(step, change);
    let expected: Vec<f64> = curvature.chunks_exact(n).map(|row| dot(row, step)).collect();
    let thought = dot(step, &expected);
    if !(seen > 0.0 && thought > 0.0) {
        return;
    }
    for (i, row) in curvature.chunks_exact_mut(n).enumerate() {
        let (up, down) = (change[i] / seen, expected[i] / thought);
        row.iter_mut().zip(change).zip(&expected).for_each(|((c, change), expected)| {
            *c += up * change - down * expected;
        });
    }
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

/// Standard errors of the standardised coefficients, intercept first: of a ridge, of its biased estimate.
pub fn standard_errors(problem: &Problem, solution: &Solution) -> Result<Option<Vec<f64>>> {
    let Some(hessian) = &solution.curvature else { return Ok(None) };
    let n = solution.coefficients.len();
    let lower = factor(problem, hessian)?;
    let error = |j: usize| {
        let mut unit = vec![0.0; n];
        unit[j] = 1.0;
        linear::solve(&lower, n, &mut unit);
        let spread: f64 = (0..n).map(|i| unit[i] * dot(&hessian[i * n..(i + 1) * n], &unit)).sum();
        spread.sqrt()
    };
    Ok(Some((0..n).map(error).collect()))
}
