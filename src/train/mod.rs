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

/// Both of them together.
pub mod stack;

/// Hyper-parameters by cross-validation.
pub mod choose;

/// How the people were spread who were learnt from.
mod reference;

/// What is written.
pub mod folder;

/// The page for people who read.
mod card;

/// The matrix as a file, for other programs.
mod export;

use std::collections::HashSet;

use jiff::civil::Date;

use crate::error::{Error, Result};
use crate::evaluate::sample::{Row, Sample as Judges};
use crate::evaluate::{self, Evaluation, Scored, rank};
use crate::pipeline::Pipeline;
use crate::pipeline::check::TOO_GOOD;
use crate::pipeline::decl::ModelKind;
use crate::pipeline::lock;
use crate::pipeline::study::{LearnerKind, StudyPlan, TrainDecl};
use crate::study::{Part, Study};
use choose::Tried;

pub use export::matrix_csv;
pub use matrix::{Input, Matrix, Says};

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
    /// The table: file name, and its CSV; a stack has those of its bases.
    pub table: Option<(String, String)>,
    /// Of a stack.
    pub bases: Vec<Base>,
    /// For the card: what was fitted and how it went, one sentence each.
    pub notes: Vec<String>,
}

/// What a stack leans on.
#[derive(Debug, Clone)]
pub struct Base {
    pub name: &'static str,
    /// By which its log-odds are multiplied.
    pub weight: f64,
    pub declared: Declared,
}

impl Declared {
    /// Every table of the folder.
    pub fn tables(&self) -> impl Iterator<Item = &(String, String)> {
        self.table.iter().chain(self.bases.iter().flat_map(|base| &base.declared.table))
    }
}

/// A finished model with how it was judged.
#[derive(Debug)]
pub struct Trained {
    pub declared: Declared,
    /// The last as-of date and the start of a hash: another model has another version.
    pub version: String,
    pub tried: Vec<Tried>,
    pub learnt: Learnt,
    /// On people held out.
    pub evaluation: Evaluation,
    /// The text of `reference.csv`.
    pub reference: String,
    /// Rows of the study that were held out, and what the finished model says of each.
    pub held: (Vec<usize>, Vec<f64>),
}

/// Whom a model learnt from.
#[derive(Debug, Clone, Copy)]
pub struct Learnt {
    pub rows: u64,
    pub events: u64,
    /// On themselves.
    pub auroc: f64,
}

/// Learns from a study: chooses settings by cross-validation, fits, and judges the finished model on those held out. `name`
/// is what the score will be called.
///
/// # Errors
/// When there is too little to learn from, or when the model ranks those it learnt from so well that the outcome must be
/// among its inputs.
pub fn train(
    pipeline: &Pipeline,
    plan: &StudyPlan,
    study: &Study,
    name: &str,
    threads: usize,
    step: &mut dyn FnMut(),
) -> Result<Trained> {
    let decl = decl(plan)?;
    let (rows, held) = (study.rows(Part::Train), study.rows(Part::HoldOut));
    let events = |rows: &[usize]| rows.iter().filter(|row| study.outcome[**row]).count() as u64;
    if events(&rows) < LEAST_EVENTS || events(&held) < LEAST_EVENTS {
        let (learnt, held) = (events(&rows), events(&held));
        return Err(Error::Check(format!(
            "too few events to train on: {learnt} among those learnt from, {held} among those held out; {LEAST_EVENTS} of each are needed"
        )));
    }
    let used: HashSet<usize> = rows.iter().chain(&held).copied().collect();
    let others: Vec<usize> = (0..study.outcome.len()).filter(|row| !used.contains(row)).collect();
    let all = inputs::matrix(pipeline, plan, study, &rows)?;
    let [matrix, held_matrix, others_matrix] = all.part([&rows, &held, &others]);
    let (outcome, weight) = (of(&study.outcome, &rows), of(&study.weight, &rows));
    let (person, fold) = (of(&study.person, &rows), of(&study.fold, &rows));
    let sample = Sample { matrix: &matrix, outcome: &outcome, weight: &weight, person: &person, seed: decl.seed };
    let (fitted, tried) = learn(decl, &sample, &fold, threads, step)?;
    let mut risk = vec![0.0; study.outcome.len()];
    for (rows, matrix) in [(&rows, &matrix), (&held, &held_matrix), (&others, &others_matrix)] {
        rows.iter().zip(fitted.predict(matrix)?).for_each(|(row, said)| risk[*row] = said);
    }
    let auroc = auroc(&of(&risk, &rows), &sample)?;
    no_leak(auroc, &sample)?;
    let declared = fitted.declare();
    let version = version(study, &declared)?;
    let scored = Scored {
        name: name.to_owned(),
        version: version.clone(),
        probability: true,
        scores: risk.iter().copied().map(Some).collect(),
    };
    Ok(Trained {
        version,
        tried,
        learnt: Learnt { rows: rows.len() as u64, events: events(&rows), auroc: auroc.unwrap_or(0.5) },
        evaluation: evaluate::judge(pipeline, plan, study, &[scored])?,
        reference: reference::csv(pipeline, plan, study, fitted.as_ref(), &matrix, &risk)?,
        held: (held.clone(), of(&risk, &held)),
        declared,
    })
}

/// Chooses, and fits on everyone who is learnt from.
fn learn(
    decl: &TrainDecl,
    sample: &Sample,
    fold: &[u32],
    threads: usize,
    step: &mut dyn FnMut(),
) -> Result<(Box<dyn Fitted>, Vec<Tried>)> {
    if decl.learner == LearnerKind::Stack {
        return stack::learn(decl, sample, fold, threads, step);
    }
    let mut candidates = candidates(decl.learner, decl, threads);
    let choice = choose::choose(&candidates, sample, fold, decl.folds, step)?;
    let fitted = candidates.swap_remove(choice.best).fit(sample)?;
    step();
    Ok((fitted, choice.tried))
}

/// How many fits a training takes.
pub fn fits(plan: &StudyPlan) -> Result<u64> {
    let decl = decl(plan)?;
    let kinds = match decl.learner {
        LearnerKind::Stack => stack::BASES.to_vec(),
        kind => vec![kind],
    };
    let of = |kind| candidates(kind, decl, 1).len() as u64 * u64::from(decl.folds) + 1;
    Ok(kinds.into_iter().map(of).sum())
}

fn decl(plan: &StudyPlan) -> Result<&TrainDecl> {
    let missing = || Error::Usage(format!("the study {} does not say how to train: it has no [train]", plan.name));
    plan.decl.train.as_ref().ok_or_else(missing)
}

/// Every setting of one kind of model that a study declares; of a stack, none.
fn candidates(kind: LearnerKind, decl: &TrainDecl, threads: usize) -> Vec<Box<dyn Learner>> {
    match kind {
        LearnerKind::Logistic => {
            let candidates = logistic::candidates(&decl.logistic, threads).into_iter();
            candidates.map(|candidate| Box::new(candidate) as Box<dyn Learner>).collect()
        }
        LearnerKind::Trees => {
            let candidates = trees::BoostedTrees::candidates(&decl.trees, threads).into_iter();
            candidates.map(|candidate| Box::new(candidate) as Box<dyn Learner>).collect()
        }
        LearnerKind::Stack => Vec::new(),
    }
}

fn of<T: Copy>(values: &[T], rows: &[usize]) -> Vec<T> {
    rows.iter().map(|row| values[*row]).collect()
}

fn version(study: &Study, declared: &Declared) -> Result<String> {
    let as_of: Option<Date> = study.as_of.iter().max().copied();
    let as_of = as_of.ok_or_else(|| Error::Fault("a study has no row".to_owned()))?;
    let text: String = declared.tables().map(|(_, csv)| csv.as_str()).collect();
    let hash = lock::sha256(text.as_bytes());
    Ok(format!("{as_of}-{}", hash.get(..8).unwrap_or_default()))
}

/// How well numbers rank the sample; none where all have the same outcome.
fn auroc(values: &[f64], sample: &Sample) -> Result<Option<f64>> {
    let row = |at: usize| Row {
        score: values[at].max(f64::MIN), // what is missing stands lowest
        outcome: sample.outcome[at],
        weight: sample.weight[at],
        person: sample.person[at],
    };
    Ok(rank::auroc(Judges::new((0..values.len()).map(row).collect())?.levels()))
}

/// Refuses a model that knows the outcome; names the inputs that give it away alone.
fn no_leak(auroc: Option<f64>, sample: &Sample) -> Result<()> {
    let Some(found) = auroc.filter(|auroc| *auroc > TOO_GOOD) else { return Ok(()) };
    let mut telling = Vec::new();
    for (at, input) in sample.matrix.inputs().iter().enumerate() {
        let alone = self::auroc(&sample.matrix.column(at), sample)?;
        telling.extend(alone.filter(|alone| alone.max(1.0 - alone) > TOO_GOOD).map(|_| input.name()));
    }
    let alone = match telling.is_empty() {
        true => String::new(),
        false => format!("; alone it is told by {}", telling.join(", ")),
    };
    Err(Error::Check(format!(
        "the model ranks those it learnt from with an AUROC of {found:.3}, above {TOO_GOOD}: something that is known only with the outcome is among its inputs{alone}"
    )))
}
