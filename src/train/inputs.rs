//! The matrix of a study: numbers as they are, texts a column a value.

use std::collections::BTreeMap;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};

use super::{Input, Matrix, Says};
use crate::error::{Error, Result};
use crate::pipeline::Pipeline;
use crate::pipeline::study::StudyPlan;
use crate::study::Study;

/// A text of more values than this is no input: nothing could be learnt of most of them.
const MOST_VALUES: usize = 40;

/// Fewer rows with a value teach nothing of it.
const LEAST_ROWS: usize = 50;

/// One row for each of `rows`; which values of a text get a column is decided by `learnt_from` alone.
pub fn matrix(pipeline: &Pipeline, plan: &StudyPlan, study: &Study, learnt_from: &[usize]) -> Result<Matrix> {
    let mut matrix = Matrix::new(study.table.num_rows());
    for feature in &plan.inputs {
        let declared = &pipeline.features[*feature];
        let column = study.table.column(*feature);
        if declared.data_type == DataType::Utf8 {
            for (says, values) in of_text(&declared.name, column, learnt_from)? {
                matrix.push(Input { feature: declared.name.clone(), says }, &values);
            }
            continue;
        }
        let numbers = cast(column, &DataType::Float64)?;
        let numbers = numbers.as_primitive::<Float64Type>();
        let values: Vec<f64> = numbers.iter().map(|value| value.unwrap_or(f64::NAN)).collect();
        matrix.push(Input { feature: declared.name.clone(), says: Says::Number }, &values);
    }
    Ok(matrix)
}

/// A column a value, but for the most frequent one, which the others are set against; and one for what is missing.
fn of_text(name: &str, column: &ArrayRef, learnt_from: &[usize]) -> Result<Vec<(Says, Vec<f64>)>> {
    let texts = column.as_string_opt::<i32>();
    let texts = texts.ok_or_else(|| Error::Fault(format!("feature {name} is no text")))?;
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for row in learnt_from.iter().filter(|row| texts.is_valid(**row)) {
        *counts.entry(texts.value(*row)).or_default() += 1;
    }
    if counts.len() > MOST_VALUES {
        let found = counts.len();
        return Err(Error::Check(format!(
            "input {name} is a text of {found} values; {MOST_VALUES} at most are an input"
        )));
    }
    let most =
        counts.iter().max_by_key(|(value, count)| (**count, std::cmp::Reverse(**value))).map(|(value, _)| *value);
    let flag = |holds: bool| f64::from(u8::from(holds));
    let common = counts.iter().filter(|(value, count)| Some(**value) != most && **count >= LEAST_ROWS);
    let mut columns: Vec<(Says, Vec<f64>)> = common
        .map(|(value, _)| {
            let is = texts.iter().map(|text| flag(text == Some(*value))).collect();
            (Says::Is((*value).to_owned()), is)
        })
        .collect();
    if learnt_from.iter().filter(|row| texts.is_null(**row)).count() >= LEAST_ROWS {
        columns.push((Says::IsMissing, texts.iter().map(|text| flag(text.is_none())).collect()));
    }
    Ok(columns)
}
