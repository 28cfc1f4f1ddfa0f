//! Whether people still look like those a model was made on: inputs, score, code lists.

/// How the inputs and the score were spread in training.
pub mod reference;

/// Who rose and who fell since the last run.
mod movement;

pub use movement::movement;
pub use reference::{Observed, Reference, reference};

use std::sync::Arc;

use arrow::compute::{filter, is_not_null};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::features::Features;
use crate::pipeline::Pipeline;
use crate::receipt::{CodeListCount, SourceAccount};
use crate::score::Scores;

/// As many inputs as can stop a run: those that move the score most.
const TOP_INPUTS: usize = 10;

/// How far an input or a score has moved from where it was in training.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DriftAccount {
    pub model: String,
    /// A feature, or [`reference::SCORE`].
    pub input: String,
    /// Population stability index in thousandths: 0 is no change, above 200 is another population.
    pub psi_thousandths: u64,
    /// The score, or one of the inputs that move it most: beyond the limit it stops the run.
    pub gate: bool,
}

impl DriftAccount {
    pub fn psi(&self) -> f64 {
        self.psi_thousandths as f64 / 1000.0
    }
}

/// Measures every model that has a reference, and refuses scores of another population than the one it was made on.
pub fn judge(pipeline: &Pipeline, features: &Features, scores: &Scores) -> Result<Vec<DriftAccount>> {
    let mut accounts = Vec::new();
    for model in &pipeline.models {
        let Some(reference) = &model.reference else { continue };
        let score = scores.batch.column_by_name(&model.name);
        let score = score.ok_or_else(|| Error::Fault(format!("score {} was not made", model.name)))?;
        // Only people whom the model is about are those of training.
        let about = is_not_null(score)?;
        for (rank, spread) in reference.spreads.iter().enumerate() {
            let column = match spread.feature {
                Some(feature) => features.columns.column(feature)?,
                None => Some(Arc::clone(score)),
            };
            let column = column.ok_or_else(|| Error::Fault("a reference is of what was not made".to_owned()))?;
            let psi_thousandths = (spread.psi(&filter(&column, &about)?)? * 1000.0).round() as u64;
            let gate = spread.feature.is_none() || rank <= TOP_INPUTS;
            accounts.push(DriftAccount {
                model: model.name.clone(),
                input: spread.input.clone(),
                psi_thousandths,
                gate,
            });
        }
    }
    gate(pipeline, &accounts)?;
    Ok(accounts)
}

/// Refuses what has moved too far, but where a named person accepts it.
fn gate(pipeline: &Pipeline, accounts: &[DriftAccount]) -> Result<()> {
    let limits = pipeline.model_limits();
    let over = accounts.iter().filter(|account| account.gate && account.psi() > limits.max_psi);
    let over: Vec<String> = over
        .filter(|account| !limits.accepts(&account.model))
        .map(|account| {
            format!("model {}: {} has drifted from training (PSI {:.2})", account.model, account.input, account.psi())
        })
        .collect();
    if over.is_empty() {
        return Ok(());
    }
    let limit = limits.max_psi;
    Err(Error::Check(format!(
        "{}; the limit is {limit}: train again, or accept it by name in [limits.models]",
        over.join("; ")
    )))
}

/// Refuses a code list that has lost its hold on a source since the last run: a new coding system, a truncated column.
pub fn mapped(pipeline: &Pipeline, now: &[SourceAccount], before: &[SourceAccount]) -> Result<()> {
    let limit = pipeline.model_limits().max_mapped_fall;
    for source in now {
        let earlier = before.iter().filter(|other| other.source == source.source).flat_map(|other| &other.code_lists);
        for list in &source.code_lists {
            let same = |other: &&CodeListCount| (&other.column, &other.codelist) == (&list.column, &list.codelist);
            let was = earlier.clone().find(same).and_then(CodeListCount::percent);
            let (Some(was), is) = (was, list.percent().unwrap_or(0.0)) else { continue };
            if was - is > limit {
                return Err(Error::Check(format!(
                    "source {}: {is:.1} % of events with a {} are on code list {}, and {was:.1} % were in the last run; a fall \
                     of more than {limit} points is a change of coding until shown otherwise",
                    source.source, list.column, list.codelist
                )));
            }
        }
    }
    Ok(())
}
