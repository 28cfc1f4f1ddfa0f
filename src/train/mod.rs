//! A model learnt from a study: fitted, judged once on people kept back, and written as a folder.

/// Rows by inputs.
mod matrix;

/// The matrix of a study.
mod inputs;

/// Boosted trees.
pub mod trees;

/// Work whose result no thread decides.
mod workers;

/// Penalised logistic regression.
pub mod logistic;

/// Hyper-parameters by cross-validation.
pub mod choose;

/// How good risks are.
pub mod judge;

/// What is written.
pub mod folder;

/// The page for people who read.
mod card;

/// The matrix as a file, for other programs.
mod export;

use std::collections::BTreeMap;

use arrow::array::Array;
use serde::Serialize;

use crate::conform::cell_text;
use crate::error::{Error, Result};
use crate::pipeline::Pipeline;
use crate::pipeline::check::TOO_GOOD;
use crate::pipeline::decl::ModelKind;
use crate::pipeline::lock;
use crate::pipeline::study::{LearnerKind, StudyPlan, TrainDecl};
use crate::study::{DateAccount, Part, Study};
use choose::Tried;
use judge::{Judged, judge};

pub use export::matrix_csv;
pub use matrix::{Input, Matrix, Says};

/// On every output of a model that predicts a cost.
pub const COST_LABEL: &str = "The outcome is a cost. A cost stands for need only where access to care is equal: people who are kept from care cost less at the same need.";

/// Groups of fewer rows are not judged by themselves.
pub const LEAST_GROUP: usize = 200;

/// Fewer events teach nothing.
const LEAST_EVENTS: u64 = 50;

/// One setting of one kind of model, ready to be fitted.
///
/// The same sample gives the same model to the last bit, whatever the number of threads.
pub trait Learner: Sync {
    /// In words, settings included: "logistic, ridge 10, lasso 0".
    fn name(&self) -> String;

    fn fit(&self, sample: &Sample) -> Result<Box<dyn Fitted>>;
}

/// What is learnt from: one row a person and as-of date, in a total order.
#[derive(Debug, Clone, Copy)]
pub struct Sample<'a> {
    pub matrix: &'a Matrix,
    pub outcome: &'a [bool],
    /// Not negative; a row of weight 0 says nothing.
    pub weight: &'a [f64],
    /// Number of the person: rows of one person are never parted.
    pub person: &'a [u32],
    pub seed: u64,
}

/// A fitted model.
pub trait Fitted: Send + Sync {
    /// The probability of each row; the matrix has the inputs of the sample, in the same order.
    fn predict(&self, matrix: &Matrix) -> Result<Vec<f64>>;

    /// As a model folder holds it.
    fn declare(&self) -> Declared;
}

/// The parts of a model folder that a kind of model brings.
#[derive(Debug, Clone)]
pub struct Declared {
    pub kind: ModelKind,
    pub intercept: Option<f64>,
    /// The table: file name, and its CSV.
    pub table: (String, String),
    /// For the card: what was fitted and how it went, one sentence each.
    pub notes: Vec<String>,
}

/// A finished model with how it was judged.
#[derive(Debug)]
pub struct Trained {
    pub declared: Declared,
    pub tried: Vec<Tried>,
    pub in_training: Judged,
    pub held_out: Judged,
    pub groups: Vec<Group>,
    /// Rows of the study that were held out, and what the finished model says of each.
    pub held: (Vec<usize>, Vec<f64>),
    pub account: Vec<DateAccount>,
    /// The last as-of date learnt from or judged on.
    as_of: jiff::civil::Date,
}

/// Held-out rows with one value of a feature.
#[derive(Debug, Clone, Serialize)]
pub struct Group {
    pub feature: String,
    /// "not recorded" where it is null.
    pub value: String,
    pub judged: Judged,
}

impl Trained {
    /// The last as-of date and the start of the table's hash: another model has another version.
    pub fn version(&self) -> String {
        let hash = lock::sha256(self.declared.table.1.as_bytes());
        format!("{}-{}", self.as_of, hash.get(..8).unwrap_or_default())
    }
}

/// Learns from a study: chooses settings by cross-validation, fits, and judges the finished model on those held out.
///
/// # Errors
/// When there is too little to learn from, or when the model ranks those it learnt from so well that the outcome must be
/// among its inputs.
pub fn train(
    pipeline: &Pipeline,
    plan: &StudyPlan,
    study: &Study,
    threads: usize,
    step: &mut dyn FnMut(),
) -> Result<Trained> {
    let decl = decl(plan)?;
    let (learnt, held) = (study.rows(Part::Train), study.rows(Part::HoldOut));
    let all = inputs::matrix(pipeline, plan, study, &learnt)?;
    let matrix = all.take(&learnt);
    let (outcome, weight) = (of(&study.outcome, &learnt), of(&study.weight, &learnt));
    let (person, fold) = (of(&study.person, &learnt), of(&study.fold, &learnt));
    let held_events = held.iter().filter(|row| study.outcome[**row]).count() as u64;
    let events = outcome.iter().filter(|event| **event).count() as u64;
    if events < LEAST_EVENTS || held_events < LEAST_EVENTS {
        return Err(Error::Check(format!(
            "too few events to train on: {events} among those learnt from, {held_events} among those held out; {LEAST_EVENTS} of each are needed"
        )));
    }
    let sample = Sample { matrix: &matrix, outcome: &outcome, weight: &weight, person: &person, seed: decl.seed };
    let mut candidates = candidates(decl, threads);
    let choice = choose::choose(&candidates, &sample, &fold, decl.folds, step)?;
    let fitted = candidates.swap_remove(choice.best).fit(&sample)?;
    step();
    let in_training = judge(&fitted.predict(&matrix)?, &outcome, &weight);
    no_leak(&in_training, &sample)?;
    let risk = fitted.predict(&all.take(&held))?;
    let held_out = judge(&risk, &of(&study.outcome, &held), &of(&study.weight, &held));
    let groups = groups(pipeline, plan, study, &held, &risk)?;
    let as_of = study.as_of.iter().max().copied();
    Ok(Trained {
        declared: fitted.declare(),
        tried: choice.tried,
        in_training,
        held_out,
        groups,
        held: (held, risk),
        account: study.account.clone(),
        as_of: as_of.ok_or_else(|| Error::Fault("a study has no row".to_owned()))?,
    })
}

/// How many fits a training takes.
pub fn fits(plan: &StudyPlan) -> Result<u64> {
    let decl = decl(plan)?;
    Ok(candidates(decl, 1).len() as u64 * u64::from(decl.folds) + 1)
}

fn decl(plan: &StudyPlan) -> Result<&TrainDecl> {
    let missing = || Error::Usage(format!("the study {} does not say how to train: it has no [train]", plan.name));
    plan.decl.train.as_ref().ok_or_else(missing)
}

fn candidates(decl: &TrainDecl, threads: usize) -> Vec<Box<dyn Learner>> {
    match decl.learner {
        LearnerKind::Logistic => {
            let candidates = logistic::candidates(&decl.logistic, threads).into_iter();
            candidates.map(|candidate| Box::new(candidate) as Box<dyn Learner>).collect()
        }
        LearnerKind::Trees => {
            let candidates = trees::BoostedTrees::candidates(&decl.trees, threads).into_iter();
            candidates.map(|candidate| Box::new(candidate) as Box<dyn Learner>).collect()
        }
    }
}

fn of<T: Copy>(values: &[T], rows: &[usize]) -> Vec<T> {
    rows.iter().map(|row| values[*row]).collect()
}

/// Refuses a model that knows the outcome; names the inputs that give it away alone.
fn no_leak(judged: &Judged, sample: &Sample) -> Result<()> {
    let Some(auroc) = judged.auroc.filter(|auroc| *auroc > TOO_GOOD) else { return Ok(()) };
    let inputs = sample.matrix.inputs().iter().enumerate();
    let telling = inputs.filter_map(|(at, input)| {
        let values: Vec<f64> = sample.matrix.column(at).iter().map(|value| value.max(f64::MIN)).collect();
        let alone = judge::auroc(&values, sample.outcome, sample.weight)?;
        (alone.max(1.0 - alone) > TOO_GOOD).then(|| input.name())
    });
    let telling: Vec<String> = telling.collect();
    let alone = match telling.is_empty() {
        true => String::new(),
        false => format!("; alone it is told by {}", telling.join(", ")),
    };
    Err(Error::Check(format!(
        "the model ranks those it learnt from with an AUROC of {auroc:.3}, above {TOO_GOOD}: something that is known only with the outcome is among its inputs{alone}"
    )))
}

/// Held-out rows by the values of the study's groups.
fn groups(pipeline: &Pipeline, plan: &StudyPlan, study: &Study, held: &[usize], risk: &[f64]) -> Result<Vec<Group>> {
    let mut groups = Vec::new();
    for feature in &plan.groups {
        let column = study.table.column(*feature);
        let mut members: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (at, row) in held.iter().enumerate() {
            let mut value = String::new();
            if column.is_valid(*row) {
                cell_text(column, *row, &mut value);
            } else {
                value.push_str("not recorded");
            }
            members.entry(value).or_default().push(at);
        }
        for (value, members) in members.into_iter().filter(|(_, members)| members.len() >= LEAST_GROUP) {
            let rows: Vec<usize> = members.iter().map(|at| held[*at]).collect();
            let judged = judge(&of(risk, &members), &of(&study.outcome, &rows), &of(&study.weight, &rows));
            groups.push(Group { feature: pipeline.features[*feature].name.clone(), value, judged });
        }
    }
    Ok(groups)
}
