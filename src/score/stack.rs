//! Stack: an intercept, and the log-odds of several models, each times its weight.

use arrow::record_batch::RecordBatch;

use super::calibration::expit;
use super::{logistic, trees};
use crate::error::{Error, Result};
use crate::pipeline::{Model, Pipeline, Scoring, Stack};

/// The probability of each row.
pub(super) fn scores(pipeline: &Pipeline, model: &Model, stack: &Stack, table: &RecordBatch) -> Result<Vec<f64>> {
    let mut sums = vec![stack.intercept; table.num_rows()];
    for (weight, base) in &stack.bases {
        let of_base = match base {
            Scoring::Logistic(linear) => logistic::log_odds(pipeline, model, linear, table)?,
            Scoring::Trees(ensemble) => trees::sums(ensemble, table)?,
            Scoring::Points(_) | Scoring::Stack(_) => {
                return Err(Error::Fault(format!("model {}: a base has no log-odds", model.name)));
            }
        };
        sums.iter_mut().zip(of_base).for_each(|(sum, of_base)| *sum += weight * of_base);
    }
    Ok(sums.into_iter().map(expit).collect())
}
