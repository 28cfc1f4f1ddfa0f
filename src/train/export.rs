//! The matrix of a study as a CSV, so that any other program can learn from the same rows.

use super::inputs;
use crate::error::Result;
use crate::pipeline::Pipeline;
use crate::pipeline::study::StudyPlan;
use crate::study::{Part, Study};

/// One line a row whose outcome is known: part, fold, weight, outcome, then the inputs; empty is missing. No token.
pub fn matrix_csv(pipeline: &Pipeline, plan: &StudyPlan, study: &Study) -> Result<String> {
    let (learnt, held) = (study.rows(Part::Train), study.rows(Part::HoldOut));
    let matrix = inputs::matrix(pipeline, plan, study, &learnt)?;
    let mut text = "part,fold,weight,outcome".to_owned();
    for input in matrix.inputs() {
        text.push_str(&format!(",\"{}\"", input.name().replace('"', "\"\"")));
    }
    text.push('\n');
    let columns: Vec<Vec<f64>> = (0..matrix.width()).map(|column| matrix.column(column)).collect();
    for (part, rows) in [("train", &learnt), ("hold_out", &held)] {
        for row in rows {
            let outcome = u8::from(study.outcome[*row]);
            text.push_str(&format!("{part},{},{},{outcome}", study.fold[*row], study.weight[*row]));
            for column in &columns {
                let value = column[*row];
                text.push_str(&if value.is_nan() { ",".to_owned() } else { format!(",{value}") });
            }
            text.push('\n');
        }
    }
    Ok(text)
}
