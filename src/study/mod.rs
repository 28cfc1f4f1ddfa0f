//! People at as-of dates, with what was known of them then and what became of them after.

/// What follows on an as-of date.
mod outcome;

/// Who is learnt from, and who is kept back.
mod split;

/// Whose care a list changed.
mod acted_on;

use std::collections::BTreeMap;

use arrow::array::BooleanArray;
use arrow::compute::concat_batches;
use arrow::record_batch::RecordBatch;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::columns::Columns;
use crate::conform::{self, Engine};
use crate::error::{Error, Result};
use crate::expr;
use crate::features;
use crate::link;
use crate::pipeline::Pipeline;
use crate::pipeline::study::StudyPlan;
use crate::pseudonym::Pseudonym;
use crate::receipt::SourceAccount;
use crate::source::{self, Delivered};
use crate::storage::LocalDisk;
use acted_on::Acts;
pub use split::Part;

/// On every output of a study that predicts a cost.
pub const COST_LABEL: &str = "The outcome is a cost. A cost stands for need only where access to care is equal: people who are kept from care cost less at the same need.";

/// One row a person and as-of date, by as-of date, then token: an order that no delivery decides.
#[derive(Debug)]
pub struct Study {
    /// The token in use at the end of the last follow-up: rows of one person have the same.
    pub tokens: Vec<Pseudonym>,
    /// Number of the person; rows of one person have the same.
    pub person: Vec<u32>,
    pub as_of: Vec<Date>,
    /// One column a feature, in the order of [`Pipeline::features`].
    pub table: RecordBatch,
    /// False where it is not known.
    pub outcome: Vec<bool>,
    /// Whether the outcome is known: a row of which it is not has weight 0.
    pub complete: Vec<bool>,
    pub weight: Vec<f64>,
    pub part: Vec<Part>,
    /// Of those learnt from: the fold of the cross-validation, the same for all rows of a person.
    pub fold: Vec<u32>,
    /// A cost stands in for need: every output says so.
    pub cost_label: bool,
    pub account: Vec<DateAccount>,
}

/// Where the people of one as-of date went; the counts from `not_meant` to `rows`, `by_rank` aside, add up to `on_spine`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DateAccount {
    pub as_of: Date,
    /// The first day after the follow-up.
    pub until: Date,
    pub on_spine: u64,
    /// Not meant by the study's `where`.
    pub not_meant: u64,
    /// Objected since.
    pub opted_out: u64,
    /// Their tokens turned out to be one person's.
    pub merged: u64,
    pub left: u64,
    /// Died, where deaths are excluded.
    pub died: u64,
    /// Had a place on a list that was acted on, without an event before it: rows whose outcome is not known; and those of
    /// them whose place was not by lot.
    pub acted_on: u64,
    pub by_rank: u64,
    /// Died without an event, where deaths are censored: rows whose outcome is not known.
    pub censored: u64,
    /// Rows whose outcome is known, and those of them with the outcome.
    pub rows: u64,
    pub events: u64,
}

/// Reads the deliveries once for the features and once for the outcome of each as-of date.
///
/// # Errors
/// When the deliveries do not reach the end of a follow-up, and whatever stops a run.
pub fn assemble(
    pipeline: &Pipeline,
    plan: &StudyPlan,
    engine: Engine,
    progress: &dyn Fn(&str, &SourceAccount),
) -> Result<Study> {
    let delivered = source::find(pipeline)?;
    let ends = plan.decl.as_of.iter().filter_map(|as_of| plan.outcome.within.end(*as_of));
    let acts = match (&plan.acted_on, ends.max()) {
        (Some(acted_on), Some(end)) => Acts::read(&LocalDisk, acted_on, end)?,
        _ => Acts::default(),
    };
    let mut dates = Vec::new();
    for as_of in &plan.decl.as_of {
        dates.push(at(pipeline, plan, *as_of, &delivered, &acts, engine, progress)?);
    }
    together(pipeline, plan, dates)
}

/// The rows of one as-of date.
struct Rows {
    account: DateAccount,
    tokens: Vec<Pseudonym>,
    table: RecordBatch,
    outcome: Vec<bool>,
    complete: Vec<bool>,
    weight: Vec<f64>,
}

fn at(
    pipeline: &Pipeline,
    plan: &StudyPlan,
    as_of: Date,
    delivered: &Delivered,
    acts: &Acts,
    engine: Engine,
    progress: &dyn Fn(&str, &SourceAccount),
) -> Result<Rows> {
    let mut then = pipeline.clone();
    then.as_of = as_of;
    let conformed = conform::conform(&then, delivered, engine)?;
    let records = link::link(&conformed)?;
    let step = as_of.to_string();
    let (people, features, _) = features::pass(records, &|account| progress(&step, account))?;
    let meant = meant(plan, &features.columns)?;
    let study = outcome::Followed { pipeline, plan, as_of, delivered, acts, engine };
    let mut rows = outcome::follow_up(study, &people.tokens, &meant)?;
    progress(&step, &rows.source);
    rows.account.on_spine = people.tokens.len() as u64;
    let table = features.columns.filter(&BooleanArray::from(rows.kept))?;
    Ok(Rows {
        account: rows.account,
        tokens: rows.tokens,
        table,
        outcome: rows.outcome,
        complete: rows.complete,
        weight: rows.weight,
    })
}

/// Whom the study's `where` means.
fn meant(plan: &StudyPlan, table: &Columns) -> Result<Vec<bool>> {
    let Some(sql) = &plan.decl.filter else { return Ok(vec![true; table.num_rows()]) };
    let compiled = expr::compile(sql, &table.schema()).map_err(|problem| Error::Fault(problem.message))?;
    Ok(table.mask(&compiled)?.iter().map(|holds| holds == Some(true)).collect())
}

fn together(pipeline: &Pipeline, plan: &StudyPlan, dates: Vec<Rows>) -> Result<Study> {
    let schema = dates.first().map(|rows| rows.table.schema());
    let schema = schema.ok_or_else(|| Error::Fault("a study has no as-of date".to_owned()))?;
    let table = concat_batches(&schema, dates.iter().map(|rows| &rows.table))?;
    if table.num_columns() != pipeline.features.len() {
        return Err(Error::Fault("a study's table lacks features".to_owned()));
    }
    let mut study = Study {
        tokens: Vec::new(),
        person: Vec::new(),
        as_of: Vec::new(),
        table,
        outcome: Vec::new(),
        complete: Vec::new(),
        weight: Vec::new(),
        part: Vec::new(),
        fold: Vec::new(),
        cost_label: plan.outcome.cost,
        account: Vec::new(),
    };
    for rows in dates {
        study.as_of.extend(std::iter::repeat_n(rows.account.as_of, rows.tokens.len()));
        study.tokens.extend(rows.tokens);
        study.outcome.extend(rows.outcome);
        study.complete.extend(rows.complete);
        study.weight.extend(rows.weight);
        study.account.push(rows.account);
    }
    let numbers: BTreeMap<&Pseudonym, u32> = study.tokens.iter().map(|token| (token, 0)).collect();
    let numbers: BTreeMap<&Pseudonym, u32> = numbers.into_keys().zip(0..).collect();
    study.person = study.tokens.iter().map(|token| numbers[token]).collect();
    split::split(plan, &mut study);
    Ok(study)
}

impl Study {
    /// Numbers of the rows of a part whose outcome is known and which say something.
    pub fn rows(&self, part: Part) -> Vec<usize> {
        let counts = |row: &usize| self.part[*row] == part && self.complete[*row] && self.weight[*row] > 0.0;
        (0..self.outcome.len()).filter(counts).collect()
    }
}
