//! Logistic: an intercept, and terms of transformed features.

use arrow::array::{Array, AsArray};
use arrow::record_batch::RecordBatch;

use super::numbers;
use crate::error::{Error, Result};
use crate::pipeline::decl::Transform;
use crate::pipeline::{Logistic, Model, Pipeline, Term};

/// The probability of each row.
pub(super) fn scores(pipeline: &Pipeline, model: &Model, logistic: &Logistic, table: &RecordBatch) -> Result<Vec<f64>> {
    Ok(log_odds(pipeline, model, logistic, table)?.into_iter().map(|sum| 1.0 / (1.0 + (-sum).exp())).collect())
}

/// The intercept and the terms of each row.
pub(super) fn log_odds(
    pipeline: &Pipeline,
    model: &Model,
    logistic: &Logistic,
    table: &RecordBatch,
) -> Result<Vec<f64>> {
    let mut sums = vec![logistic.intercept; table.num_rows()];
    for term in &logistic.terms {
        let mut missing = 0_u64;
        for (sum, value) in sums.iter_mut().zip(values(term, table)?) {
            match value {
                Some(value) => *sum += term.coefficient * value,
                None => missing += 1,
            }
        }
        if missing > 0 {
            return Err(Error::Check(format!(
                "model {}: feature {} is missing for {missing} people, and its term says nothing for `missing`",
                model.name, pipeline.features[term.feature].name
            )));
        }
    }
    Ok(sums)
}

/// What a term multiplies by its coefficient, row by row; none where a null has nothing to stand in for it.
pub fn values(term: &Term, table: &RecordBatch) -> Result<Vec<Option<f64>>> {
    let column = table.column(term.feature);
    let yes = |holds: bool| Some(f64::from(u8::from(holds)));
    if let Some(wanted) = &term.equals {
        let texts = column.as_string_opt::<i32>();
        let texts = texts.ok_or_else(|| Error::Fault("a term compares what is no text".to_owned()))?;
        return Ok(texts.iter().map(|text| yes(text == Some(wanted.as_str()))).collect());
    }
    if term.transform == Transform::IsMissing {
        return Ok((0..column.len()).map(|row| yes(column.is_null(row))).collect());
    }
    let numbers = numbers(table, term.feature)?;
    Ok(numbers.iter().map(|value| Some(transformed(term, value.or(term.missing)?))).collect())
}

/// Inside or outside, cap, transform, divide.
fn transformed(term: &Term, value: f64) -> f64 {
    let inside = term.at_least.is_none_or(|at_least| value >= at_least) && term.below.is_none_or(|below| value < below);
    let banded = term.at_least.is_some() || term.below.is_some();
    let value = if banded { f64::from(u8::from(inside)) } else { value };
    let capped = term.cap.map_or(value, |cap| value.min(cap));
    let shaped = match term.transform {
        Transform::Identity | Transform::IsMissing => capped,
        Transform::Log1p => capped.ln_1p(),
        Transform::Sqrt => capped.sqrt(),
        Transform::Square => capped * capped,
    };
    term.divide_by.map_or(shaped, |divisor| shaped / divisor)
}
