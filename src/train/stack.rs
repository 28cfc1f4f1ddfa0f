//! A stack: the log-odds of several models, weighted by what they say of people whom they had not seen.
//!
//! Each base is chosen by cross-validation over folds that no person is in twice; its predictions of every row by a model that
//! had not seen the person are what the weights are fitted to, by logistic regression without a penalty. No weight is
//! negative: of all sets of bases whose weights come out above 0, the one with the least log loss is kept. So the stack is
//! calibrated on people whom its bases had not seen: a line on its log-odds there has intercept 0 and slope 1. The bases
//! are then fitted again, on everyone.

use super::choose::{self, Tried};
use super::{Base, Declared, Fitted, Input, Learner, Matrix, Sample, Says, candidates, logistic};
use crate::error::{Error, Result};
use crate::pipeline::decl::ModelKind;
use crate::pipeline::study::{LearnerKind, LogisticDecl, TrainDecl};
use crate::score::calibration::{expit, logit};

/// What a stack may lean on, in this order.
pub const BASES: [LearnerKind; 2] = [LearnerKind::Logistic, LearnerKind::Trees];

/// An intercept, and bases with their weights.
struct Stack {
    intercept: f64,
    bases: Vec<Weighted>,
    notes: Vec<String>,
}

struct Weighted {
    name: &'static str,
    weight: f64,
    fitted: Box<dyn Fitted>,
}

/// A base before it is fitted on everyone.
struct Chosen {
    name: &'static str,
    learner: Box<dyn Learner>,
    /// Of every row, by a model that had not seen its person.
    log_odds: Vec<f64>,
}

/// Chooses the bases, weighs them, and fits them on everyone who is learnt from.
pub(super) fn learn(
    decl: &TrainDecl,
    sample: &Sample,
    fold: &[u32],
    threads: usize,
    step: &mut dyn FnMut(),
) -> Result<(Box<dyn Fitted>, Vec<Tried>)> {
    let (mut chosen, mut tried) = (Vec::new(), Vec::new());
    for kind in BASES {
        let mut candidates = candidates(kind, decl, threads);
        let choice = choose::choose(&candidates, sample, fold, decl.folds, step)?;
        let name = if kind == LearnerKind::Trees { "trees" } else { "logistic" };
        let log_odds = choice.out_of_fold.into_iter().map(logit).collect();
        chosen.push(Chosen { name, learner: candidates.swap_remove(choice.best), log_odds });
        tried.extend(choice.tried);
    }
    let weights = weigh(&chosen, sample, threads)?;
    let mut notes = vec![format!(
        "A stack: the intercept {:.4} and the log-odds of its bases, each times a weight above 0; fitted to what bases said of people whom they had not seen, {} rows.",
        weights.intercept,
        sample.outcome.len()
    )];
    let mut bases = Vec::new();
    for (Chosen { name, learner, .. }, weight) in chosen.into_iter().zip(&weights.by_base) {
        let Some(weight) = *weight else {
            notes.push(format!("{name}: left out, since its weight would not have been above 0."));
            continue;
        };
        let fitted = learner.fit(sample)?;
        step();
        notes.push(format!("{name}, weight {weight:.4}:"));
        notes.extend(fitted.declare().notes);
        bases.push(Weighted { name, weight, fitted });
    }
    tried.push(Tried { settings: "the stack of the best of each".to_owned(), log_loss: weights.log_loss });
    Ok((Box::new(Stack { intercept: weights.intercept, bases, notes }), tried))
}

/// The weights of bases; none where one is left out.
#[derive(Debug, Clone, PartialEq)]
struct Weights {
    intercept: f64,
    by_base: Vec<Option<f64>>,
    log_loss: f64,
}

/// The best set of bases whose weights are all above 0.
fn weigh(chosen: &[Chosen], sample: &Sample, threads: usize) -> Result<Weights> {
    let mut best: Option<Weights> = None;
    for set in 1..1_usize << chosen.len() {
        let within = |base: &usize| set >> base & 1 == 1;
        let Some(weights) = fit(chosen, &within, sample, threads)? else { continue };
        if best.as_ref().is_none_or(|best| weights.log_loss < best.log_loss) {
            best = Some(weights);
        }
    }
    best.ok_or_else(|| Error::Check("a stack needs a base that ranks people whom it has not seen".to_owned()))
}

/// A set of bases; none where a weight is not above 0, or there is no optimum.
fn fit(chosen: &[Chosen], within: &dyn Fn(&usize) -> bool, sample: &Sample, threads: usize) -> Result<Option<Weights>> {
    let mut matrix = Matrix::new(sample.outcome.len());
    for base in (0..chosen.len()).filter(within).map(|base| &chosen[base]) {
        matrix.push(Input { feature: base.name.to_owned(), says: Says::Number }, &base.log_odds);
    }
    let plain = logistic::Logistic { decl: LogisticDecl::default(), ridge: 0.0, lasso: 0.0, threads };
    let linear = match plain.fit_linear(&Sample { matrix: &matrix, ..*sample }) {
        Ok(linear) => linear,
        Err(Error::Check(_)) => return Ok(None),
        Err(error) => return Err(error),
    };
    let weight = |base: usize| {
        let of_base = linear.terms.iter().find(|term| term.input().feature == chosen[base].name);
        within(&base).then(|| of_base.map_or(0.0, |term| term.coefficient))
    };
    let by_base: Vec<Option<f64>> = (0..chosen.len()).map(weight).collect();
    if by_base.iter().flatten().any(|weight| *weight <= 0.0) {
        return Ok(None);
    }
    let log_loss = choose::log_loss(&linear.predict(&matrix)?, sample.outcome, sample.weight);
    Ok(Some(Weights { intercept: linear.intercept, by_base, log_loss }))
}

impl Fitted for Stack {
    fn predict(&self, matrix: &Matrix) -> Result<Vec<f64>> {
        let mut sums = vec![self.intercept; matrix.rows()];
        for base in &self.bases {
            let risks = base.fitted.predict(matrix)?;
            sums.iter_mut().zip(risks).for_each(|(sum, risk)| *sum += base.weight * logit(risk));
        }
        Ok(sums.into_iter().map(expit).collect())
    }

    fn declare(&self) -> Declared {
        let base = |base: &Weighted| Base { name: base.name, weight: base.weight, declared: base.fitted.declare() };
        Declared {
            kind: ModelKind::Stack,
            intercept: Some(self.intercept),
            table: None,
            bases: self.bases.iter().map(base).collect(),
            notes: self.notes.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::trees::BoostedTrees;
    use super::*;

    /// People whose log-odds are `truth`, drawn from a stream that is the same everywhere.
    fn drawn(truth: &[f64]) -> Vec<bool> {
        let mut state = 7_u64;
        let mut unit = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1u64 << 53) as f64
        };
        truth.iter().map(|log_odds| unit() < expit(*log_odds)).collect()
    }

    fn weights_of(bases: &[Vec<f64>], outcome: &[bool]) -> Result<Weights> {
        let learner =
            |threads| BoostedTrees { trees: 1, leaves: 2, learning_rate: 0.1, ridge: 1.0, patience: None, threads };
        let chosen = bases.iter().zip(["logistic", "trees"]).map(|(log_odds, name)| Chosen {
            name,
            learner: Box::new(learner(1)),
            log_odds: log_odds.clone(),
        });
        let person: Vec<u32> = (0..).take(outcome.len()).collect();
        let weight = vec![1.0; outcome.len()];
        let matrix = Matrix::new(outcome.len());
        let sample = Sample { matrix: &matrix, outcome, weight: &weight, person: &person, seed: 1 };
        weigh(&chosen.collect::<Vec<_>>(), &sample, 1)
    }

    #[test]
    fn a_base_that_says_too_much_is_shrunk_and_one_that_says_nothing_new_is_left_out() {
        let truth: Vec<f64> = (0..20_000).map(|n| -2.0 + 3.0 * f64::from(n % 100) / 100.0).collect();
        let outcome = drawn(&truth);
        let twice: Vec<f64> = truth.iter().map(|log_odds| 2.0 * log_odds).collect();
        let turned: Vec<f64> = truth.iter().map(|log_odds| -log_odds).collect();
        let noise: Vec<f64> = (0..20_000).map(|n| f64::from(n * 7 % 13) / 13.0).collect();
        let found = weights_of(&[twice.clone(), turned.clone()], &outcome).unwrap();
        assert!((found.by_base[0].unwrap() - 0.5).abs() < 0.03 && found.by_base[1].is_none(), "{found:?}");
        assert!(found.intercept.abs() < 0.06, "{found:?}");
        let both = weights_of(&[twice, noise], &outcome).unwrap();
        assert!(both.log_loss <= found.log_loss, "{both:?}");
        assert!(weights_of(&[turned.clone(), turned], &outcome).is_err(), "nothing to lean on");
    }

    #[test]
    fn two_that_each_know_a_part_are_added() {
        let part = |n: i32, of: i32| f64::from(n % of) / f64::from(of) - 0.5;
        let first: Vec<f64> = (0..30_000).map(|n| 2.0 * part(n, 101)).collect();
        let second: Vec<f64> = (0..30_000).map(|n| 3.0 * part(n * 7, 103)).collect();
        let truth: Vec<f64> = first.iter().zip(&second).map(|(a, b)| -1.0 + a + b).collect();
        let found = weights_of(&[first, second], &drawn(&truth)).unwrap();
        let near = |weight: Option<f64>| (weight.unwrap() - 1.0).abs() < 0.08;
        assert!(found.by_base.iter().all(|weight| near(*weight)) && (found.intercept + 1.0).abs() < 0.08, "{found:?}");
    }
}
