//! What each feature adds to a person's score.
//!
//! On the model's own scale (points, or log-odds) the base and what the features add sum to the score before calibration:
//! points and linear terms as they stand, trees by Shapley values of the path-dependent expectation (`shapley`), those of a
//! stack's bases each times its weight.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{Array, Float64Array};
use arrow::record_batch::RecordBatch;

use super::shapley::Shapley;
use super::{calibration, logistic, numbers, trees};
use crate::error::{Error, Result};
use crate::pipeline::{Logistic, Model, Points, PointsItem, Scoring, Trees};

/// The sum of one person's contributions may differ from the score by this.
pub const TOLERANCE: f64 = 1e-9;

/// One person's score, taken apart.
#[derive(Debug, Clone, PartialEq)]
pub struct Contributions {
    /// The score of nobody in particular.
    pub base: f64,
    /// By index into [`crate::pipeline::Pipeline::features`], ascending: what the feature adds. Every feature that the
    /// model reads is here.
    pub features: Vec<(usize, f64)>,
}

impl Contributions {
    /// On the model's own scale.
    pub fn sum(&self) -> f64 {
        self.features.iter().fold(self.base, |sum, (_, adds)| sum + adds)
    }
}

/// Takes the scores of one model apart.
pub struct Explainer<'a> {
    model: &'a Model,
    table: RecordBatch,
    /// The features that the model reads, ascending.
    reads: Vec<usize>,
    parts: Parts<'a>,
}

/// What a kind of model reads of each person.
enum Parts<'a> {
    /// By index into the features.
    Points(&'a Points, BTreeMap<usize, Float64Array>),
    /// By term.
    Logistic(&'a Logistic, Vec<Vec<Option<f64>>>),
    /// By input.
    Trees(&'a Trees, Vec<Float64Array>, Shapley),
    /// The intercept, and each base with its weight.
    Stack(f64, Vec<(f64, Parts<'a>)>),
}

impl<'a> Explainer<'a> {
    /// `table` holds the features in their order, one row for each person to whom the model applies.
    pub fn new(model: &'a Model, table: &RecordBatch) -> Result<Self> {
        let reads: BTreeSet<usize> = model.kind.features().into_iter().collect();
        let parts = Parts::new(&model.kind, table)?;
        Ok(Self { model, table: table.clone(), reads: reads.into_iter().collect(), parts })
    }

    /// The contributions of the person in a row of the table, checked against the person's score.
    pub fn checked(&self, row: usize, score: f64) -> Result<Contributions> {
        let contributions = self.of(row)?;
        let mut again = [raw_score(self.model, contributions.sum())];
        if !self.model.calibration.is_empty() {
            calibration::apply(&self.model.calibration, &self.table.slice(row, 1), &mut again)?;
        }
        // Written so that a NaN is an error too.
        if again.iter().all(|again| (again - score).abs() <= TOLERANCE) {
            return Ok(contributions);
        }
        Err(Error::Fault(format!("model {}: contributions do not sum to the score", self.model.name)))
    }

    /// The contributions of the person in a row of the table.
    pub fn of(&self, row: usize) -> Result<Contributions> {
        let mut features: Vec<(usize, f64)> = self.reads.iter().map(|read| (*read, 0.0)).collect();
        let mut add = |feature: usize, amount: f64| {
            let of_feature = features.binary_search_by_key(&feature, |(read, _)| *read);
            of_feature.into_iter().for_each(|at| features[at].1 += amount);
        };
        let missing = || Error::Check(format!("model {}: a term has nothing for a null", self.model.name));
        let base = self.parts.of(row, &mut add).ok_or_else(missing)?;
        Ok(Contributions { base, features })
    }
}

impl<'a> Parts<'a> {
    fn new(scoring: &'a Scoring, table: &RecordBatch) -> Result<Self> {
        Ok(match scoring {
            Scoring::Points(points) => {
                let column = |feature| Ok((feature, numbers(table, feature)?));
                Self::Points(points, scoring.features().into_iter().map(column).collect::<Result<_>>()?)
            }
            Scoring::Logistic(linear) => {
                let values = linear.terms.iter().map(|term| logistic::values(term, table));
                Self::Logistic(linear, values.collect::<Result<_>>()?)
            }
            Scoring::Trees(ensemble) => {
                let values = ensemble.inputs.iter().map(|input| trees::values(input, table));
                Self::Trees(ensemble, values.collect::<Result<_>>()?, Shapley::new(ensemble)?)
            }
            Scoring::Stack(stack) => {
                let bases = stack.bases.iter().map(|(weight, base)| Ok((*weight, Self::new(base, table)?)));
                Self::Stack(stack.intercept, bases.collect::<Result<_>>()?)
            }
        })
    }

    /// Adds what each feature does for the person in a row; the base, none where a term has nothing for a null.
    fn of(&self, row: usize, add: &mut dyn FnMut(usize, f64)) -> Option<f64> {
        let known = |column: &Float64Array| column.is_valid(row).then(|| column.value(row));
        match self {
            Self::Points(points, columns) => {
                Some(points_contributions(points, |feature| columns.get(&feature).and_then(known), add))
            }
            Self::Logistic(logistic, values) => {
                let mut base = logistic.intercept;
                for (term, values) in logistic.terms.iter().zip(values) {
                    base += term.coefficient * term.reference;
                    add(term.feature, term.coefficient * (values.get(row).copied().flatten()? - term.reference));
                }
                Some(base)
            }
            Self::Trees(ensemble, values, shapley) => {
                let value = |input: usize| values.get(input).and_then(known);
                shapley.of(value, |input, amount| add(ensemble.inputs[input].feature, amount));
                Some(ensemble.intercept + shapley.expected)
            }
            Self::Stack(intercept, bases) => bases.iter().try_fold(*intercept, |sum, (weight, base)| {
                Some(sum + weight * base.of(row, &mut |feature, amount| add(feature, weight * amount))?)
            }),
        }
    }
}

/// The score that a sum on the model's own scale stands for, before any calibration step.
pub fn raw_score(model: &Model, sum: f64) -> f64 {
    match &model.kind {
        Scoring::Points(_) => sum,
        Scoring::Logistic(_) | Scoring::Trees(_) | Scoring::Stack(_) => 1.0 / (1.0 + (-sum).exp()),
    }
}

/// The points themselves. A sum that counts as another is shared in proportion; what a floor lifts is the base.
fn points_contributions(points: &Points, value: impl Fn(usize) -> Option<f64>, mut add: impl FnMut(usize, f64)) -> f64 {
    let unit = 1000.0 * points.divide_by.unwrap_or(1.0);
    let has: Vec<bool> = points.items.iter().map(|item| value(item.feature).is_some_and(|value| value > 0.0)).collect();
    let silenced = |at: usize| points.items.iter().zip(&has).any(|(other, has)| *has && other.trumps.contains(&at));
    let counted = points.items.iter().enumerate().filter(|(at, _)| has.get(*at) == Some(&true) && !silenced(*at));
    let counted: Vec<&PointsItem> = counted.map(|(_, item)| item).collect();
    let of_table: i64 = counted.iter().map(|item| item.milli).sum();
    let counts_as = points.table_sum.iter().rev().find(|(from, _)| of_table >= *from);
    let counts_as = counts_as.map_or(of_table, |(_, counts_as)| *counts_as);
    let share = if of_table == 0 { 1.0 } else { counts_as as f64 / of_table as f64 };
    counted.iter().for_each(|item| add(item.feature, item.milli as f64 * share / unit));
    let mut sum = counts_as;
    for threshold in &points.thresholds {
        let reached = value(threshold.feature)
            .is_some_and(|value| value >= threshold.at_least && threshold.below.is_none_or(|below| value < below));
        if reached {
            sum += threshold.milli;
            add(threshold.feature, threshold.milli as f64 / unit);
        }
    }
    let from_nothing = if of_table == 0 { counts_as } else { 0 };
    (from_nothing + points.floor.map_or(0, |floor| (floor - sum).max(0))) as f64 / unit
}
