//! Features become scores.

/// The kind `points`.
mod points;

/// The kind `logistic`.
mod logistic;

/// The kind `trees`: a fitted ensemble, walked by many people at a time.
pub mod trees;

/// The kind `stack`.
mod stack;

/// What each feature adds to a person's score.
pub mod contributions;

/// Exact Shapley values of an ensemble of trees.
mod shapley;

/// From a raw probability to a calibrated one.
pub mod calibration;

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BooleanArray, Float64Array, StringArray};
use arrow::compute::{cast, filter_record_batch};
use arrow::datatypes::{DataType, Field, Float64Type, Schema};
use arrow::record_batch::{RecordBatch, RecordBatchOptions};

use crate::columns::Columns;
use crate::error::{Error, Result};
use crate::expr;
use crate::features::Features;
use crate::pipeline::decl::BandDecl;
use crate::pipeline::{Model, Pipeline, Scoring};
use crate::workers;
pub use logistic::values as term_values;

/// Every score of every person.
#[derive(Debug)]
pub struct Scores {
    /// For each model in order: `<name>` (Float64) and, with bands, `<name>_band` (Utf8); rows as the features'. Null, with
    /// its band, for people to whom the model does not apply, and for nobody else.
    pub batch: RecordBatch,
}

/// People who are scored at once.
const PART: usize = 1 << 15;

/// Applies every model of the run, cut over so many workers.
pub fn score(pipeline: &Pipeline, features: &Features, workers: usize) -> Result<Scores> {
    let people = features.columns.num_rows();
    let mut fields = Vec::new();
    let mut columns: Vec<ArrayRef> = Vec::new();
    for model in &pipeline.models {
        let scores = in_parts(pipeline, model, &features.columns, workers)?;
        let bands = &model.decl.bands;
        let named: Option<StringArray> =
            (!bands.is_empty()).then(|| scores.iter().map(|score| score.map(|score| band(bands, score))).collect());
        let may_be_null = model.decl.applies_when.is_some();
        fields.push(Field::new(&model.name, DataType::Float64, may_be_null));
        columns.push(Arc::new(Float64Array::from(scores)));
        if let Some(named) = named {
            fields.push(Field::new(format!("{}_band", model.name), DataType::Utf8, may_be_null));
            columns.push(Arc::new(named));
        }
    }
    let options = RecordBatchOptions::new().with_row_count(Some(people));
    Ok(Scores { batch: RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options)? })
}

fn in_parts(pipeline: &Pipeline, model: &Model, table: &Columns, workers: usize) -> Result<Vec<Option<f64>>> {
    let part = |rows: Range<usize>| of(pipeline, model, &table.slice(rows)?);
    match workers::each(workers, workers::ranges(table.num_rows(), PART), part) {
        Ok(parts) => Ok(parts.concat()),
        // It counts people: all of them, not those of a part.
        Err(_) => of(pipeline, model, &table.whole()?),
    }
}

/// One model's score of each row, none where the model does not apply: `table` holds the pipeline's features, in their
/// order.
pub fn of(pipeline: &Pipeline, model: &Model, table: &RecordBatch) -> Result<Vec<Option<f64>>> {
    let applies = applies(model, table)?;
    let table = filter_record_batch(table, &applies)?;
    let mut scores = raw(pipeline, model, &table)?;
    calibration::apply(&model.calibration, &table, &mut scores)?;
    let wrong = scores.iter().filter(|score| !score.is_finite()).count();
    if wrong > 0 {
        return Err(Error::Check(format!("model {}: the score of {wrong} people is not a finite number", model.name)));
    }
    let mut scores = scores.into_iter();
    Ok(applies.values().iter().map(|applies| if applies { scores.next() } else { None }).collect())
}

/// Whom a model is about, row by row.
fn applies(model: &Model, table: &RecordBatch) -> Result<BooleanArray> {
    let Some(sql) = &model.decl.applies_when else { return Ok(vec![true; table.num_rows()].into()) };
    let compiled = expr::compile(sql, table.schema_ref()).map_err(|problem| Error::Fault(problem.message))?;
    compiled.mask(table)
}

/// The score before any calibration step of the model.
pub fn raw(pipeline: &Pipeline, model: &Model, table: &RecordBatch) -> Result<Vec<f64>> {
    match &model.kind {
        Scoring::Points(points) => points::scores(points, table),
        Scoring::Logistic(logistic) => logistic::scores(pipeline, model, logistic, table),
        Scoring::Trees(ensemble) => trees::scores(ensemble, table),
        Scoring::Stack(stack) => stack::scores(pipeline, model, stack, table),
    }
}

/// The first band that the score is below; the last has no bound.
pub fn band(bands: &[BandDecl], score: f64) -> &str {
    let fits = bands.iter().find(|band| band.below.is_none_or(|below| score < below));
    fits.or(bands.last()).map_or("", |band| band.name.as_str())
}

/// A feature as numbers: booleans are 0 and 1.
fn numbers(table: &RecordBatch, feature: usize) -> Result<Float64Array> {
    let column = table.column(feature);
    Ok(cast(column, &DataType::Float64)?.as_primitive::<Float64Type>().clone())
}
