//! Boosted trees: each lowers the log loss that those before it left, and all together are a table.
//!
//! No leaf holds fewer people than [`crate::pipeline::FEWEST_PEOPLE`], however many rows each of them has.

/// Values as bytes.
mod bins;

/// One tree.
mod grow;

/// Where a leaf is split.
mod split;

/// The table.
mod table;

use std::collections::HashSet;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use self::bins::Tile;
use self::grow::{Ground, Grown};
use self::split::{Push, Rules, STEP};
use self::table::Ensemble;
use super::{Fitted, Learner, Sample, workers};
use crate::error::{Error, Result};
use crate::pipeline::study::TreesDecl;
use crate::pipeline::{FEWEST_PEOPLE, TreeInput, Trees};

/// The largest second derivative of the log loss of one row of weight 1.
const MOST_CURVATURE: f64 = 0.25;

/// Share of the people by whom growing is stopped.
const JUDGES: f64 = 0.1;

/// Rows of one piece of work.
const CHUNK: usize = 65_536;

/// One setting of boosted trees.
#[derive(Debug, Clone, PartialEq)]
pub struct BoostedTrees {
    /// At most.
    pub trees: usize,
    /// Of each tree, at most.
    pub leaves: usize,
    /// What share of its step each tree takes.
    pub learning_rate: f64,
    /// Penalty on the squares of the leaves.
    pub ridge: f64,
    /// Growing ends when the log loss of a tenth of the people, kept aside for that, has not fallen for so many trees;
    /// as many trees are then grown on everyone.
    pub patience: Option<usize>,
    /// Threads; they change no byte.
    pub threads: usize,
}

impl Learner for BoostedTrees {
    fn name(&self) -> String {
        let Self { trees, leaves, learning_rate, ridge, patience, .. } = self;
        let end = patience.map(|patience| format!(", ended after {patience} without gain")).unwrap_or_default();
        format!("{trees} boosted trees of {leaves} leaves, rate {learning_rate}, ridge {ridge}{end}")
    }

    fn fit(&self, sample: &Sample) -> Result<Box<dyn Fitted>> {
        Ok(Box::new(self.ensemble(sample)?))
    }
}

impl BoostedTrees {
    /// Every setting that a study declares.
    pub fn candidates(decl: &TreesDecl, threads: usize) -> Vec<Self> {
        let mut candidates = Vec::new();
        for leaves in &decl.leaves {
            for learning_rate in &decl.learning_rate {
                candidates.extend(decl.ridge.iter().map(|ridge| Self {
                    trees: decl.trees as usize,
                    leaves: *leaves as usize,
                    learning_rate: *learning_rate,
                    ridge: *ridge,
                    patience: Some(decl.patience as usize).filter(|patience| *patience > 0),
                    threads,
                }));
            }
        }
        candidates
    }

    fn ensemble(&self, sample: &Sample) -> Result<Ensemble> {
        let forest = Forest::of(self, sample)?;
        let all: Vec<u32> = (0..forest.order.len() as u32).collect();
        let (most, mut notes) = match self.patience {
            Some(patience) => self.enough(sample, &forest, &all, patience)?,
            None => (self.trees, Vec::new()),
        };
        let (intercept, grown) = forest.grow(self, &all, most, |_| false)?;
        notes.push(format!(
            "{} trees, each of at most {} leaves, none of fewer than {FEWEST_PEOPLE} people.",
            grown.len(),
            self.leaves
        ));
        let refused: usize = grown.iter().map(|tree| tree.refused).sum();
        if refused > 0 {
            notes.push(format!("{refused} splits were not made because fewer people stood on a side."));
        }
        let inputs = (0..sample.matrix.width()).map(|feature| TreeInput { feature, equals: None }).collect();
        let (trees, people) = grown.into_iter().map(|grown| (grown.tree, grown.people)).unzip();
        Ok(Ensemble {
            names: sample.matrix.inputs().to_vec(),
            trees: Trees { intercept, inputs, trees },
            people,
            notes,
        })
    }

    /// How many trees are enough: judged by people who are not among those that they are grown on.
    fn enough(&self, sample: &Sample, forest: &Forest, all: &[u32], patience: usize) -> Result<(usize, Vec<String>)> {
        let mut dice = ChaCha8Rng::seed_from_u64(sample.seed);
        let people = forest.person.last().map_or(0, |last| *last as usize + 1);
        let judges: Vec<bool> = (0..people).map(|_| dice.random_bool(JUDGES)).collect();
        let (judged, learnt): (Vec<u32>, Vec<u32>) =
            all.iter().partition(|row| judges[forest.person[**row as usize] as usize]);
        let mut sums = vec![forest.intercept(&learnt)?; judged.len()];
        let (mut least, mut best, mut grown) = (f64::INFINITY, 0, 0);
        forest.grow(self, &learnt, self.trees, |tree| {
            grown += 1;
            sums.iter_mut().zip(&judged).for_each(|(sum, row)| *sum += tree.value(&forest.tiles, *row as usize));
            let loss: f64 = sums.iter().zip(&judged).map(|(sum, row)| forest.loss(*sum, *row as usize)).sum();
            if loss < least {
                (least, best) = (loss, grown);
            }
            grown >= best + patience
        })?;
        let note = format!("{best} trees were enough for a tenth of the people, on whom they were not grown.");
        Ok((best, vec![note]))
    }
}

/// The rows of a sample that say something, those of a person one after the other.
struct Forest {
    tiles: Vec<Tile>,
    /// Rows of the sample.
    order: Vec<usize>,
    person: Vec<u32>,
    outcome: Vec<bool>,
    weight: Vec<f64>,
    heaviest: f64,
    rows_a_person: f64,
}

impl Forest {
    fn of(setting: &BoostedTrees, sample: &Sample) -> Result<Self> {
        let mut order: Vec<usize> = (0..sample.outcome.len()).filter(|row| sample.weight[*row] > 0.0).collect();
        order.sort_by_key(|row| sample.person[*row]);
        u32::try_from(order.len()).map_err(|_| Error::Check("more rows than trees can be grown on".to_owned()))?;
        let weight: Vec<f64> = order.iter().map(|row| sample.weight[*row]).collect();
        let people: HashSet<u32> = order.iter().map(|row| sample.person[*row]).collect();
        Ok(Self {
            tiles: bins::tiles(sample.matrix, &order, setting.threads)?,
            person: order.iter().map(|row| sample.person[*row]).collect(),
            outcome: order.iter().map(|row| sample.outcome[*row]).collect(),
            heaviest: weight.iter().copied().fold(0.0, f64::max),
            rows_a_person: order.len() as f64 / people.len().max(1) as f64,
            weight,
            order,
        })
    }

    /// The log odds of the outcome among some rows.
    fn intercept(&self, rows: &[u32]) -> Result<f64> {
        let sum = |event: bool| -> f64 {
            let of = rows.iter().map(|row| *row as usize).filter(|row| self.outcome[*row] == event);
            of.map(|row| self.weight[row]).sum()
        };
        let (events, others) = (sum(true), sum(false));
        match events > 0.0 && others > 0.0 {
            true => Ok((events / others).ln()),
            false => Err(Error::Check("all people learnt from have the same outcome".to_owned())),
        }
    }

    /// Trees on some rows, until `enough` says so of the last.
    fn grow(
        &self,
        setting: &BoostedTrees,
        rows: &[u32],
        most: usize,
        mut enough: impl FnMut(&Grown) -> bool,
    ) -> Result<(f64, Vec<Grown>)> {
        let intercept = self.intercept(rows)?;
        // So much curvature is never that of fewer rows than the fewest people have on average.
        let least_curvature = MOST_CURVATURE * FEWEST_PEOPLE as f64 * self.heaviest * self.rows_a_person;
        let ground = Ground {
            tiles: &self.tiles,
            person: &self.person,
            leaves: setting.leaves,
            learning_rate: setting.learning_rate,
            rules: Rules { ridge: setting.ridge, least_curvature, step: STEP * self.heaviest },
            threads: setting.threads,
        };
        let mut sums = vec![intercept; self.order.len()];
        let mut trees = Vec::new();
        while trees.len() < most {
            let mut grown = grow::grow(&ground, rows, &self.pushes(&sums, setting.threads)?)?;
            for (value, rows) in std::mem::take(&mut grown.leaves) {
                rows.iter().for_each(|row| sums[*row as usize] += value);
            }
            let ends = enough(&grown);
            trees.push(grown);
            if ends {
                break;
            }
        }
        Ok((intercept, trees))
    }

    /// Slope and curvature of the loss of each row.
    fn pushes(&self, sums: &[f64], threads: usize) -> Result<Vec<Push>> {
        let whole = |number: f64, row: usize| (number * (self.weight[row] / self.heaviest / STEP)).round() as i32;
        let push = |row: usize| {
            let risk = 1.0 / (1.0 + (-sums[row]).exp());
            let event = f64::from(u8::from(self.outcome[row]));
            [whole(risk - event, row), whole(risk * (1.0 - risk), row)]
        };
        let parts = workers::each(threads, sums.len().div_ceil(CHUNK), |chunk| {
            (chunk * CHUNK..((chunk + 1) * CHUNK).min(sums.len())).map(push).collect::<Vec<_>>()
        })?;
        Ok(parts.concat())
    }

    /// The log loss of a row.
    fn loss(&self, sum: f64, row: usize) -> f64 {
        let away = if self.outcome[row] { -sum } else { sum };
        self.weight[row] * (away.max(0.0) + (-away.abs()).exp().ln_1p())
    }
}
#[cfg(test)]
mod tests {
    use super::super::{Input, Matrix, Says};
    use super::*;

    const SETTING: BoostedTrees =
        BoostedTrees { trees: 12, leaves: 8, learning_rate: 0.3, ridge: 1.0, patience: None, threads: 1 };

    /// Rows of invented people, several a person, and whether they had the outcome.
    fn invented(seed: u64, rows: usize, rows_a_person: usize) -> (Matrix, Vec<bool>, Vec<u32>) {
        let mut dice = ChaCha8Rng::seed_from_u64(seed);
        let mut columns = vec![Vec::new(); 3];
        let mut outcome = Vec::new();
        for _ in 0..rows {
            let age = f64::from(dice.random_range(18..95));
            let admissions = if dice.random_bool(0.1) { f64::NAN } else { f64::from(dice.random_range(0..6)) };
            let urban = f64::from(u8::from(dice.random_bool(0.4)));
            let risk = 0.02 + 0.004 * (age - 18.0) + if admissions > 2.0 { 0.3 } else { 0.0 } + 0.1 * urban;
            outcome.push(dice.random_bool(risk.min(0.9)));
            columns.iter_mut().zip([age, admissions, urban]).for_each(|(column, value)| column.push(value));
        }
        let mut matrix = Matrix::new(rows);
        let says = [("age", Says::Number), ("admissions", Says::Number), ("area", Says::Is("a \"b\", c".to_owned()))];
        for ((feature, says), values) in says.into_iter().zip(&columns) {
            matrix.push(Input { feature: feature.to_owned(), says }, values);
        }
        // The rows of a person do not stand together.
        let people = rows / rows_a_person;
        (matrix, outcome, (0..rows).map(|row| (row % people) as u32).collect())
    }

    fn fitted(setting: &BoostedTrees, seed: u64, rows_a_person: usize) -> (Ensemble, Vec<f64>) {
        let (matrix, outcome, person) = invented(seed, 3000, rows_a_person);
        let weight = vec![1.0; outcome.len()];
        let sample = Sample { matrix: &matrix, outcome: &outcome, weight: &weight, person: &person, seed };
        let ensemble = setting.ensemble(&sample).unwrap();
        let scores = ensemble.predict(&matrix).unwrap();
        (ensemble, scores)
    }

    #[test]
    fn what_is_learnt_holds_for_others() {
        let (matrix, outcome, person) = invented(1, 20_000, 1);
        let halves: [Vec<usize>; 2] = [(0..10_000).collect(), (10_000..20_000).collect()];
        let of = |half: usize| halves[half].iter().map(|row| outcome[*row]).collect::<Vec<_>>();
        let (learnt, weight) = (of(0), vec![1.0; 10_000]);
        let taken = matrix.take(&halves[0]);
        let sample = Sample { matrix: &taken, outcome: &learnt, weight: &weight, person: &person[..10_000], seed: 1 };
        let scores = SETTING.ensemble(&sample).unwrap().predict(&matrix.take(&halves[1])).unwrap();
        let square = |risk: f64, event: bool| (risk - f64::from(u8::from(event))).powi(2);
        let brier = |risk: &dyn Fn(usize) -> f64| {
            of(1).iter().enumerate().map(|(row, event)| square(risk(row), *event)).sum::<f64>() / 10_000.0
        };
        let same = learnt.iter().filter(|event| **event).count() as f64 / 10_000.0;
        let (known, unknown) = (brier(&|row| scores[row]), brier(&|_| same));
        assert!(known < 0.9 * unknown, "these trees tell nobody apart: {known} of {unknown}");
    }

    #[test]
    fn bytes_lead_to_the_leaf_that_values_lead_to() {
        let (matrix, outcome, person) = invented(8, 3000, 2);
        let weight = vec![1.0; outcome.len()];
        let sample = Sample { matrix: &matrix, outcome: &outcome, weight: &weight, person: &person, seed: 8 };
        let forest = Forest::of(&SETTING, &sample).unwrap();
        let rows: Vec<u32> = (0..3000).collect();
        let (intercept, grown) = forest.grow(&SETTING, &rows, SETTING.trees, |_| false).unwrap();
        let scores = SETTING.ensemble(&sample).unwrap().predict(&matrix).unwrap();
        for (row, of_sample) in forest.order.iter().enumerate() {
            let sum = grown.iter().fold(intercept, |sum, tree| sum + tree.value(&forest.tiles, row));
            assert_eq!(1.0 / (1.0 + (-sum).exp()), scores[*of_sample], "row {row}");
        }
    }

    #[test]
    fn a_stump_is_the_one_worked_out_by_hand() {
        let mut matrix = Matrix::new(40);
        let column: Vec<f64> = (0..40).map(|row| if row % 4 == 3 { f64::NAN } else { f64::from(row / 10) }).collect();
        matrix.push(Input { feature: "x".to_owned(), says: Says::Number }, &column);
        // Half have the outcome: the slope of each row is ±1/2, its curvature 1/4.
        let outcome: Vec<bool> = (0..40).map(|row| row >= 20).collect();
        let person: Vec<u32> = (0..40).collect();
        let sample = Sample { matrix: &matrix, outcome: &outcome, weight: &[2.0; 40], person: &person, seed: 1 };
        let ensemble = BoostedTrees { trees: 1, leaves: 2, ..SETTING }.ensemble(&sample).unwrap();
        assert_eq!(ensemble.trees.intercept, 0.0);
        let csv = ensemble.csv();
        let lines: Vec<&str> = csv.lines().collect();
        // 15 rows below 2 without the outcome, 15 others with it, and 10 missing ones, half and half, which go right.
        let value = |slope: f64, curvature: f64| -slope / (curvature + 1.0) * 0.3;
        assert_eq!(lines[1], "0,0,x,,2,right,1,2,,40,40");
        assert_eq!(lines[2], format!("0,1,,,,,,,{},15,15", value(15.0, 7.5)));
        assert_eq!(lines[3], format!("0,2,,,,,,,{},25,25", value(-15.0, 12.5)));
    }

    #[test]
    fn threads_change_no_byte() {
        for patience in [None, Some(3)] {
            let with = |threads| fitted(&BoostedTrees { threads, patience, ..SETTING }, 2, 1).0.csv();
            assert_eq!(with(1), with(2));
            assert_eq!(with(1), with(3));
        }
    }

    #[test]
    fn no_leaf_is_of_few_people_however_many_rows_they_have() {
        for (seed, rows_a_person) in [(3, 1), (4, 5), (5, 100)] {
            let (ensemble, _) = fitted(&BoostedTrees { leaves: 31, ..SETTING }, seed, rows_a_person);
            for (tree, people) in ensemble.trees.trees.iter().zip(&ensemble.people) {
                assert_eq!(tree.nodes[0].rows, 3000);
                assert_eq!(people[0], 3000 / rows_a_person as u64);
                assert!(people.iter().all(|people| *people >= FEWEST_PEOPLE), "seed {seed}: {people:?}");
            }
        }
    }

    #[test]
    fn a_table_quotes_what_it_must() {
        let (ensemble, _) = fitted(&SETTING, 6, 1);
        let csv = ensemble.csv();
        assert!(csv.lines().any(|line| line.contains(",area,\"a \"\"b\"\", c\",,left,")), "{csv}");
        assert!(csv.lines().any(|line| line.contains(",admissions,,")));
    }

    #[test]
    fn one_outcome_teaches_nothing() {
        let (matrix, outcome, person) = invented(7, 100, 1);
        let (outcome, weight) = (vec![false; outcome.len()], vec![1.0; 100]);
        let sample = Sample { matrix: &matrix, outcome: &outcome, weight: &weight, person: &person, seed: 7 };
        assert!(SETTING.fit(&sample).is_err());
    }
}
