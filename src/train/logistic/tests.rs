//! The solver against another one, against the conditions of an optimum, and against itself.

use linfa::prelude::*;
use linfa_logistic::LogisticRegression;
use ndarray::{Array1, Array2};

use super::super::{Input, Matrix, Sample, Says};
use super::Logistic;
use crate::pipeline::study::LogisticDecl;

/// Columns, outcome: a stream of numbers that is the same everywhere.
fn invented(rows: usize, columns: usize) -> (Vec<Vec<f64>>, Vec<bool>) {
    let mut state = 20_260_401_u64;
    let mut unit = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1u64 << 53) as f64
    };
    let mut values = vec![Vec::with_capacity(rows); columns];
    let mut outcome = Vec::with_capacity(rows);
    for _ in 0..rows {
        let shared = unit();
        let mut eta = -2.5;
        for (at, column) in values.iter_mut().enumerate() {
            let value = 3.0 * (unit() + shared);
            eta += value * [0.5, -0.3, 0.0, 0.2][at % 4];
            column.push(value);
        }
        outcome.push(unit() < 1.0 / (1.0 + f64::exp(-eta)));
    }
    (values, outcome)
}

fn matrix(values: &[Vec<f64>]) -> Matrix {
    let mut matrix = Matrix::new(values[0].len());
    for (at, column) in values.iter().enumerate() {
        matrix.push(Input { feature: format!("x{at}"), says: Says::Number }, column);
    }
    matrix
}

/// Intercept, then coefficients by column, 0 where there is no term.
fn fit(values: &[Vec<f64>], outcome: &[bool], weight: &[f64], ridge: f64, lasso: f64, threads: usize) -> Vec<f64> {
    let matrix = matrix(values);
    let person = vec![0; outcome.len()];
    let sample = Sample { matrix: &matrix, outcome, weight, person: &person, seed: 1 };
    let learner = Logistic { decl: LogisticDecl::default(), ridge, lasso, threads };
    let linear = learner.fit_linear(&sample).unwrap();
    let of = |at: usize| linear.terms.iter().find(|term| term.input().feature == format!("x{at}"));
    let coefficients = (0..values.len()).map(|at| of(at).map_or(0.0, |term| term.coefficient));
    std::iter::once(linear.intercept).chain(coefficients).collect()
}

fn standardised(column: &[f64]) -> Vec<f64> {
    let n = column.len() as f64;
    let mean = column.iter().sum::<f64>() / n;
    let spread = (column.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / n).sqrt();
    column.iter().map(|value| (value - mean) / spread).collect()
}

/// Two traps of linfa are minded: its positive class is the more frequent one, and its tolerance is on a sum.
#[test]
fn a_ridge_equals_linfa() {
    let (values, outcome) = invented(400, 4);
    let values: Vec<Vec<f64>> = values.iter().map(|column| standardised(column)).collect();
    let records = Array2::from_shape_fn((400, 4), |(row, column)| values[column][row]);
    let data = Dataset::new(records, Array1::from(outcome.clone()));
    for ridge in [0.5, 20.0] {
        let theirs = LogisticRegression::default().alpha(ridge).gradient_tolerance(1e-7).max_iterations(2_000);
        let theirs = theirs.fit(&data).unwrap();
        let sign = if theirs.labels().pos.class { 1.0 } else { -1.0 };
        let theirs: Vec<f64> = std::iter::once(theirs.intercept())
            .chain(theirs.params().iter().copied())
            .map(|coefficient| sign * coefficient)
            .collect();
        let ours = fit(&values, &outcome, &[1.0; 400], ridge, 0.0, 1);
        for (ours, theirs) in ours.iter().zip(&theirs) {
            assert!((ours - theirs).abs() < 1e-6, "ridge {ridge}: {ours} {theirs}");
        }
    }
}

/// Of an elastic net: the slope of the loss is taken up by the penalties, or within the lasso where a coefficient is 0.
#[test]
fn an_elastic_net_is_at_its_optimum() {
    let (values, outcome) = invented(500, 4);
    let values: Vec<Vec<f64>> = values.iter().map(|column| standardised(column)).collect();
    let (ridge, lasso) = (2.0, 14.0);
    let at = fit(&values, &outcome, &[1.0; 500], ridge, lasso, 1);
    let miss: Vec<f64> = (0..500)
        .map(|row| {
            let eta = at[0] + (0..4).map(|column| at[column + 1] * values[column][row]).sum::<f64>();
            1.0 / (1.0 + (-eta).exp()) - f64::from(u8::from(outcome[row]))
        })
        .collect();
    assert!(miss.iter().sum::<f64>().abs() < 1e-5);
    assert!(at[1..].contains(&0.0) && at[1..].iter().any(|beta| *beta != 0.0), "{at:?}");
    for column in 0..4 {
        let slope: f64 = miss.iter().zip(&values[column]).map(|(miss, value)| miss * value).sum();
        let beta = at[column + 1];
        let held = if beta == 0.0 {
            slope.abs() <= lasso + 1e-5
        } else {
            (slope + ridge * beta + lasso * beta.signum()).abs() < 1e-5
        };
        assert!(held, "column {column}: {beta}, slope {slope}");
    }
}

#[test]
fn a_weight_of_two_is_a_row_twice_and_a_weight_of_none_is_no_row() {
    let (values, outcome) = invented(300, 3);
    let weight: Vec<f64> = (0..300).map(|row| f64::from(row % 3)).collect();
    let rows: Vec<usize> = (0..300).flat_map(|row| std::iter::repeat_n(row, row % 3)).collect();
    let repeated: Vec<Vec<f64>> = values.iter().map(|column| rows.iter().map(|row| column[*row]).collect()).collect();
    let outcomes: Vec<bool> = rows.iter().map(|row| outcome[*row]).collect();
    let weighted = fit(&values, &outcome, &weight, 1.0, 0.0, 1);
    let repeated = fit(&repeated, &outcomes, &vec![1.0; rows.len()], 1.0, 0.0, 1);
    for (a, b) in weighted.iter().zip(&repeated) {
        assert!((a - b).abs() < 1e-7, "{a} {b}");
    }
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let (values, outcome) = invented(40_000, 2);
    let weight = vec![1.0; 40_000];
    let one = fit(&values, &outcome, &weight, 1.0, 0.0, 1);
    for threads in [2, 5] {
        assert_eq!(one, fit(&values, &outcome, &weight, 1.0, 0.0, threads));
    }
}

/// The largest slope of the loss by the intercept and the coefficients.
fn steepest(values: &[Vec<f64>], outcome: &[bool], at: &[f64]) -> f64 {
    let mut slopes = vec![0.0; at.len()];
    for row in 0..outcome.len() {
        let eta = at[0] + values.iter().zip(&at[1..]).map(|(column, beta)| beta * column[row]).sum::<f64>();
        let miss = 1.0 / (1.0 + f64::exp(-eta)) - f64::from(u8::from(outcome[row]));
        slopes[0] += miss;
        slopes[1..].iter_mut().zip(values).for_each(|(slope, column)| *slope += miss * column[row]);
    }
    slopes.iter().fold(0.0, |largest: f64, slope| largest.max(slope.abs()))
}

/// Some rows are fitted first, and some of those before them: the optimum is where the gradient of all of them says.
#[test]
fn some_rows_lead_to_the_optimum_of_all() {
    let (values, outcome) = invented(150_000, 2);
    let at = fit(&values, &outcome, &vec![1.0; 150_000], 0.0, 0.0, 2);
    assert!(steepest(&values, &outcome, &at) < 1e-8 * 150_000.0 * 10.0);
}

/// A condition that none of the rows fitted first has, or whose people all have the outcome there, has an optimum among all.
#[test]
fn what_some_rows_cannot_tell_all_of_them_do() {
    let (mut values, mut outcome) = invented(30_000, 2);
    // One row in seven is fitted first: rows 0, 7, 14, …
    for of_the_first in [None, Some(true)] {
        let has = |row: usize| {
            if row.is_multiple_of(7) { of_the_first.is_some() && row.is_multiple_of(700) } else { row % 100 == 1 }
        };
        values.truncate(2);
        values.push((0..30_000).map(|row| f64::from(u8::from(has(row)))).collect());
        (0..30_000).step_by(700).for_each(|row| outcome[row] = true);
        let at = fit(&values, &outcome, &vec![1.0; 30_000], 0.0, 0.0, 1);
        assert!(steepest(&values, &outcome, &at) < 1e-8 * 30_000.0 * 10.0, "{at:?}");
    }
}
