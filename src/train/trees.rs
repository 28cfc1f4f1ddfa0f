//! Boosted trees: forust-ml grows them, and what is kept is a table of our own.
//!
//! The table is made so that no leaf holds fewer people than [`crate::pipeline::FEWEST_PEOPLE`], however many rows each of
//! them has.

use std::collections::HashSet;
use std::ops::Range;

use forust_ml::data::Matrix as Columns;
use forust_ml::gradientbooster::{GradientBooster, GrowPolicy, MissingNodeTreatment};
use forust_ml::metric::Metric;
use forust_ml::objective::ObjectiveType;
use forust_ml::sampler::SampleMethod;
use forust_ml::tree::Tree as Grown;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{Declared, Fitted, Input, Learner, Matrix, Sample, Says};
use crate::error::{Error, Result};
use crate::pipeline::decl::ModelKind;
use crate::pipeline::study::TreesDecl;
use crate::pipeline::{Branch, FEWEST_PEOPLE, Node, Split, Tree, TreeInput, Trees};
use crate::score::trees::log_odds;

/// The largest second derivative of the log loss of one row of weight 1.
const MOST_CURVATURE: f64 = 0.25;

/// Share of the people by whom growing is stopped.
const JUDGES: f64 = 0.1;

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
        let rows: Vec<usize> = (0..sample.outcome.len()).filter(|row| sample.weight[*row] > 0.0).collect();
        let table = Rows::of(sample, &rows);
        let (most, mut notes) = match self.patience {
            Some(patience) => self.enough(sample, &rows, patience)?,
            None => (self.trees, Vec::new()),
        };
        let grown = self.grow(&table, most, None)?;
        let people: Vec<u32> = rows.iter().map(|row| sample.person[*row]).collect();
        let (trees, counts, cut) = kept(&grown, &table.columns, &people, self.threads)?;
        notes.push(format!(
            "{} trees, each of at most {} leaves, none of fewer than {FEWEST_PEOPLE} people.",
            trees.len(),
            self.leaves
        ));
        if cut > 0 {
            notes.push(format!("{cut} splits were taken back because fewer people stood on a side."));
        }
        let inputs = (0..sample.matrix.width()).map(|feature| TreeInput { feature, equals: None }).collect();
        let trees = Trees { intercept: grown.base_score, inputs, trees };
        Ok(Ensemble { names: sample.matrix.inputs().to_vec(), trees, people: counts, notes })
    }

    /// How many trees are enough: judged by people who are not among those that they are grown on.
    fn enough(&self, sample: &Sample, rows: &[usize], patience: usize) -> Result<(usize, Vec<String>)> {
        let mut dice = ChaCha8Rng::seed_from_u64(sample.seed);
        let people = rows.iter().map(|row| sample.person[*row] as usize + 1).max().unwrap_or(0);
        let judges: Vec<bool> = (0..people).map(|_| dice.random_bool(JUDGES)).collect();
        let (judged, learnt): (Vec<usize>, Vec<usize>) =
            rows.iter().partition(|row| judges[sample.person[**row] as usize]);
        let (judged, learnt) = (Rows::of(sample, &judged), Rows::of(sample, &learnt));
        let grown = self.grow(&learnt, self.trees, Some((&judged, patience)))?;
        let enough = grown.best_iteration.map_or(self.trees, |best| best + 1);
        let note = format!("{enough} trees were enough for a tenth of the people, on whom they were not grown.");
        Ok((enough, vec![note]))
    }

    fn grow(&self, rows: &Rows, most: usize, judge: Option<(&Rows, usize)>) -> Result<GradientBooster> {
        let with = rows.outcome.iter().filter(|outcome| **outcome > 0.0).count();
        if with == 0 || with == rows.outcome.len() {
            return Err(Error::Check("all people learnt from have the same outcome".to_owned()));
        }
        let mut booster = self.booster(rows, most, judge.map(|(_, patience)| patience)).map_err(unfit)?;
        booster.num_threads = Some(self.threads);
        booster.tiled_histograms = true;
        let judge = judge.map(|(judge, _)| vec![(judge.columns(), judge.outcome.as_slice(), judge.weight.as_slice())]);
        booster.fit(&rows.columns(), &rows.outcome, &rows.weight, judge).map_err(unfit)?;
        Ok(booster)
    }

    fn booster(
        &self,
        rows: &Rows,
        most: usize,
        patience: Option<usize>,
    ) -> std::result::Result<GradientBooster, forust_ml::errors::ForustError> {
        // So much curvature is never that of fewer rows than the fewest people have on average.
        let heaviest = rows.weight.iter().copied().fold(0.0, f64::max);
        let leaf = MOST_CURVATURE * FEWEST_PEOPLE as f64 * heaviest * rows.rows_a_person;
        GradientBooster::new(
            ObjectiveType::LogLoss,
            most,
            self.learning_rate as f32,
            usize::MAX,
            self.leaves,
            0.0,
            self.ridge as f32,
            0.0,
            0.0,
            leaf as f32,
            0.0,
            255,
            true,
            true,
            None,
            1.0,
            0.2,
            0.1,
            1.0,
            0,
            f64::NAN,
            false,
            SampleMethod::None,
            GrowPolicy::LossGuide,
            Some(Metric::LogLoss),
            patience,
            true,
            HashSet::new(),
            MissingNodeTreatment::None,
            0,
            false,
        )
    }
}

fn unfit(_: forust_ml::errors::ForustError) -> Error {
    Error::Fault("the trees could not be grown from this table".to_owned())
}

/// What forust-ml is given.
struct Rows {
    /// Column by column.
    columns: Vec<f64>,
    outcome: Vec<f64>,
    weight: Vec<f64>,
    width: usize,
    rows_a_person: f64,
}

impl Rows {
    fn of(sample: &Sample, rows: &[usize]) -> Self {
        let all = rows.len() == sample.outcome.len();
        let columns = if all { sample.matrix.column_major() } else { sample.matrix.take(rows).column_major() };
        let people: HashSet<u32> = rows.iter().map(|row| sample.person[*row]).collect();
        Self {
            columns,
            outcome: rows.iter().map(|row| f64::from(u8::from(sample.outcome[*row]))).collect(),
            weight: rows.iter().map(|row| sample.weight[*row]).collect(),
            width: sample.matrix.width(),
            rows_a_person: rows.len() as f64 / people.len().max(1) as f64,
        }
    }

    fn columns(&self) -> Columns<'_, f64> {
        Columns::new(&self.columns, self.outcome.len(), self.width)
    }
}

/// Rows and people by node of a grown tree.
struct Counts {
    rows: Vec<u64>,
    people: Vec<u64>,
}

/// The trees as tables, the people of each node, and how many splits were taken back.
fn kept(
    grown: &GradientBooster,
    columns: &[f64],
    person: &[u32],
    threads: usize,
) -> Result<(Vec<Tree>, Vec<Vec<u64>>, usize)> {
    let mut order: Vec<usize> = (0..person.len()).collect();
    order.sort_by_key(|row| person[*row]);
    let wanted = grown.prediction_iteration.unwrap_or(grown.trees.len());
    let trees: Vec<&Grown> = grown.trees.iter().take(wanted).collect();
    let counts: Vec<Counts> = std::thread::scope(|scope| {
        let (order, parts) = (&order, trees.chunks(trees.len().div_ceil(threads.max(1)).max(1)));
        let of_part =
            |part: &[&Grown]| part.iter().map(|tree| counts(tree, columns, person, order)).collect::<Vec<_>>();
        let running: Vec<_> = parts.map(|part| scope.spawn(move || of_part(part))).collect();
        let joined = running.into_iter().map(|part| part.join().map_err(|_| lost()));
        joined.collect::<Result<Vec<_>>>()
    })?
    .into_iter()
    .flatten()
    .collect();
    let (mut tables, mut people, mut cut) = (Vec::new(), Vec::new(), 0);
    for (tree, counts) in trees.into_iter().zip(&counts) {
        let mut table = Table { tree, counts, nodes: Vec::new(), people: Vec::new(), cut: 0 };
        table.add(0)?;
        tables.push(Tree { nodes: table.nodes });
        people.push(table.people);
        cut += table.cut;
    }
    Ok((tables, people, cut))
}

fn lost() -> Error {
    Error::Fault("a grown tree lacks a node".to_owned())
}

/// Sends every row down a tree; the rows of one person come one after the other.
fn counts(tree: &Grown, columns: &[f64], person: &[u32], order: &[usize]) -> Counts {
    let nodes = tree.nodes.len();
    let mut counts = Counts { rows: vec![0; nodes], people: vec![0; nodes] };
    let mut last = vec![None; nodes];
    for &row in order {
        let mut at = 0;
        loop {
            counts.rows[at] += 1;
            if last[at] != Some(person[row]) {
                last[at] = Some(person[row]);
                counts.people[at] += 1;
            }
            let node = &tree.nodes[at];
            if node.is_leaf {
                break;
            }
            at = node.get_child_idx(&columns[node.split_feature * person.len() + row], &f64::NAN);
        }
    }
    counts
}

/// A grown tree on its way into a table.
struct Table<'a> {
    tree: &'a Grown,
    counts: &'a Counts,
    nodes: Vec<Node>,
    people: Vec<u64>,
    cut: usize,
}

impl Table<'_> {
    /// Adds a node and all below it; a split with too few people on a side becomes the leaf that it would have been.
    fn add(&mut self, at: usize) -> Result<usize> {
        let node = self.tree.nodes.get(at).ok_or_else(lost)?;
        let number = self.nodes.len();
        let few = |child: usize| self.counts.people.get(child).is_none_or(|people| *people < FEWEST_PEOPLE);
        let value = f64::from(node.weight_value);
        self.nodes.push(Node { rows: self.counts.rows[at], branch: Branch::Leaf(value) });
        self.people.push(self.counts.people[at]);
        if node.is_leaf {
            return Ok(number);
        }
        if few(node.left_child) || few(node.right_child) {
            self.cut += 1;
            return Ok(number);
        }
        let split = Split {
            input: node.split_feature,
            below: node.split_value,
            missing_left: node.missing_node == node.left_child,
            left: self.add(node.left_child)?,
            right: self.add(node.right_child)?,
        };
        self.nodes[number].branch = Branch::Split(split);
        Ok(number)
    }
}

/// Fitted trees over the columns of a matrix.
struct Ensemble {
    names: Vec<Input>,
    trees: Trees,
    /// By tree, then node: those learnt from who came there.
    people: Vec<Vec<u64>>,
    notes: Vec<String>,
}

impl Fitted for Ensemble {
    fn predict(&self, matrix: &Matrix) -> Result<Vec<f64>> {
        let read = |input: usize, rows: Range<usize>, out: &mut [f64]| matrix.read(input, rows, out);
        let mut scores = log_odds(&self.trees, matrix.rows(), read)?;
        scores.iter_mut().for_each(|score| *score = 1.0 / (1.0 + (-*score).exp()));
        Ok(scores)
    }

    fn declare(&self) -> Declared {
        Declared {
            kind: ModelKind::Trees,
            intercept: Some(self.trees.intercept),
            table: ("trees.csv".to_owned(), self.csv()),
            notes: self.notes.clone(),
        }
    }
}

impl Ensemble {
    /// One row a node.
    fn csv(&self) -> String {
        let mut csv = "tree,node,feature,equals,below,missing,left,right,value,rows,people\n".to_owned();
        for (number, (tree, people)) in self.trees.trees.iter().zip(&self.people).enumerate() {
            for (at, (node, people)) in tree.nodes.iter().zip(people).enumerate() {
                let what = match &node.branch {
                    Branch::Leaf(value) => format!(",,,,,,{value}"),
                    Branch::Split(split) => format!("{},{},{},", self.test(split), split.left, split.right),
                };
                csv.push_str(&format!("{number},{at},{what},{},{people}\n", node.rows));
            }
        }
        csv
    }

    /// `feature,equals,below,missing` of a split.
    fn test(&self, split: &Split) -> String {
        let missing = if split.missing_left { "left" } else { "right" };
        let Some(Input { feature, says }) = self.names.get(split.input) else { return ",,,".to_owned() };
        match says {
            Says::Number => format!("{feature},,{},{missing}", split.below),
            // These columns are 0 or 1, never missing: 0 is below every bound, 1 is not.
            Says::Is(value) => format!("{feature},{},,left", quoted(value)),
            Says::IsMissing => format!("{feature},,,right"),
        }
    }
}

/// A cell in quotes where it needs them.
fn quoted(text: &str) -> String {
    match text.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
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
    fn our_table_predicts_what_the_library_does() {
        let (matrix, outcome, person) = invented(1, 3000, 1);
        let weight = vec![1.0; outcome.len()];
        let sample = Sample { matrix: &matrix, outcome: &outcome, weight: &weight, person: &person, seed: 1 };
        let rows: Vec<usize> = (0..outcome.len()).collect();
        let table = Rows::of(&sample, &rows);
        let theirs = SETTING.grow(&table, SETTING.trees, None).unwrap().predict(&table.columns(), false);
        let ours = SETTING.ensemble(&sample).unwrap().predict(&matrix).unwrap();
        for (row, (theirs, ours)) in theirs.iter().zip(&ours).enumerate() {
            assert!((1.0 / (1.0 + (-theirs).exp()) - ours).abs() < 1e-9, "row {row}: {theirs} and {ours}");
        }
        let spread = ours.iter().copied().fold(0.0, f64::max) - ours.iter().copied().fold(1.0, f64::min);
        assert!(spread > 0.2, "these trees tell nobody apart");
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
