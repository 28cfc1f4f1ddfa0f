//! How the people of a study were spread, for a run to be held against: the score, and every input that moves it.

use arrow::array::Float64Array;

use super::{Fitted, Matrix};
use crate::drift::{self, Observed};
use crate::error::Result;
use crate::pipeline::Pipeline;
use crate::pipeline::study::StudyPlan;
use crate::score::calibration::logit;
use crate::study::Study;

/// So many rows tell which inputs move a score most.
const ENOUGH: usize = 2_000;

/// The text of `reference.csv`: everyone whom the study means, at its as-of dates. `learnt` are the rows learnt from, `risk`
/// is that of every row.
pub(super) fn csv(
    pipeline: &Pipeline,
    plan: &StudyPlan,
    study: &Study,
    fitted: &dyn Fitted,
    learnt: &Matrix,
    risk: &[f64],
) -> Result<String> {
    let step = learnt.rows().div_ceil(ENOUGH).max(1);
    let some = learnt.take(&(0..learnt.rows()).step_by(step).collect::<Vec<_>>());
    let before = log_odds(fitted, &some)?;
    let mut inputs = Vec::new();
    for feature in &plan.inputs {
        let name = &pipeline.features[*feature].name;
        let importance = importance(fitted, &some, name, &before)?;
        if importance > 0.0 {
            inputs.push(Observed { input: name, importance, column: study.table.column(*feature) });
        }
    }
    drift::reference(&Float64Array::from(risk.to_vec()), &inputs)
}

/// How far the log-odds move, on average, when each person has another one's value of a feature.
fn importance(fitted: &dyn Fitted, matrix: &Matrix, feature: &str, before: &[f64]) -> Result<f64> {
    let rows = matrix.rows();
    // A fixed half turn: whoever that is has nothing to do with the person.
    let others: Vec<usize> = (0..rows).map(|row| (row + rows / 2) % rows).collect();
    let exchanged = matrix.take(&others);
    let mut mixed = Matrix::new(rows);
    for (at, input) in matrix.inputs().iter().enumerate() {
        let from = if input.feature == feature { &exchanged } else { matrix };
        mixed.push(input.clone(), &from.column(at));
    }
    let after = log_odds(fitted, &mixed)?;
    Ok(before.iter().zip(&after).map(|(before, after)| (before - after).abs()).sum::<f64>() / rows.max(1) as f64)
}

fn log_odds(fitted: &dyn Fitted, matrix: &Matrix) -> Result<Vec<f64>> {
    Ok(fitted.predict(matrix)?.into_iter().map(logit).collect())
}
