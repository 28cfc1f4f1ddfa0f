//! Hyper-parameters by cross-validation over folds that no person is in twice.

use super::{Learner, Sample};
use crate::error::{Error, Result};

/// What a candidate came to.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Tried {
    pub settings: String,
    /// Weighted mean log loss over the rows of all folds, each predicted by a model that had not seen its person.
    pub log_loss: f64,
}

/// The best of the candidates, what each came to, and the best one's prediction of every row by a model that had not
/// seen its person.
#[derive(Debug)]
pub struct Choice {
    pub best: usize,
    pub tried: Vec<Tried>,
    pub out_of_fold: Vec<f64>,
}

/// Tries every candidate on every fold; of equals the first is kept. `step` is called after each fit.
pub fn choose(
    candidates: &[Box<dyn Learner>],
    sample: &Sample,
    fold: &[u32],
    folds: u32,
    step: &mut dyn FnMut(),
) -> Result<Choice> {
    let mut choice = Choice { best: 0, tried: Vec::new(), out_of_fold: Vec::new() };
    for (at, candidate) in candidates.iter().enumerate() {
        let predicted = out_of_fold(candidate.as_ref(), sample, fold, folds, step)?;
        let log_loss = log_loss(&predicted, sample.outcome, sample.weight);
        let better = choice.tried.get(choice.best).is_none_or(|best| log_loss < best.log_loss);
        choice.tried.push(Tried { settings: candidate.name(), log_loss });
        if better {
            choice.best = at;
            choice.out_of_fold = predicted;
        }
    }
    match choice.tried.is_empty() {
        true => Err(Error::Fault("there is no candidate to choose from".to_owned())),
        false => Ok(choice),
    }
}

/// Each row as predicted by a model fitted to the other folds.
pub fn out_of_fold(
    learner: &dyn Learner,
    sample: &Sample,
    fold: &[u32],
    folds: u32,
    step: &mut dyn FnMut(),
) -> Result<Vec<f64>> {
    let mut predicted = vec![f64::NAN; sample.outcome.len()];
    for number in 0..folds {
        let inside: Vec<usize> = (0..fold.len()).filter(|row| fold[*row] == number).collect();
        if inside.is_empty() {
            continue;
        }
        // A row of no weight says nothing: nothing is copied to leave it out.
        let without = sample.weight.iter().zip(fold).map(|(weight, of)| if *of == number { 0.0 } else { *weight });
        let without: Vec<f64> = without.collect();
        let fitted = learner.fit(&Sample { weight: &without, ..*sample })?;
        for (row, risk) in inside.iter().zip(fitted.predict(&sample.matrix.take(&inside))?) {
            predicted[*row] = risk;
        }
        step();
    }
    Ok(predicted)
}

/// Weighted mean log loss; a certainty that fails costs no more than one in 10^15.
pub fn log_loss(predicted: &[f64], outcome: &[bool], weight: &[f64]) -> f64 {
    let total: f64 = weight.iter().sum();
    let loss = |((risk, event), weight): ((&f64, &bool), &f64)| {
        let right = if *event { *risk } else { 1.0 - *risk };
        -weight * right.max(1e-15).ln()
    };
    predicted.iter().zip(outcome).zip(weight).map(loss).sum::<f64>() / total
}
