//! Features become scores.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Float64Type, Schema};
use arrow::record_batch::{RecordBatch, RecordBatchOptions};

use crate::error::{Error, Result};
use crate::features::Features;
use crate::pipeline::decl::{BandDecl, Transform};
use crate::pipeline::{Logistic, Model, Pipeline, Points, Scoring, Term};

/// Every score of every person.
#[derive(Debug)]
pub struct Scores {
    /// For each model in order: `<name>` (Float64, never null) and, with bands, `<name>_band` (Utf8); rows as the features'.
    pub batch: RecordBatch,
}

/// Applies every model of the run.
pub fn score(pipeline: &Pipeline, features: &Features) -> Result<Scores> {
    let people = features.batch.num_rows();
    let mut fields = Vec::new();
    let mut columns: Vec<ArrayRef> = Vec::new();
    for model in &pipeline.models {
        let scores = match &model.kind {
            Scoring::Points(points) => points_scores(points, features, people)?,
            Scoring::Logistic(logistic) => logistic_scores(pipeline, model, logistic, features, people)?,
        };
        let wrong = scores.iter().filter(|score| !score.is_finite()).count();
        if wrong > 0 {
            return Err(Error::Check(format!(
                "model {}: the score of {wrong} people is not a finite number",
                model.name
            )));
        }
        let bands = &model.decl.bands;
        let named: Option<StringArray> =
            (!bands.is_empty()).then(|| scores.iter().map(|score| Some(band(bands, *score))).collect());
        fields.push(Field::new(&model.name, DataType::Float64, false));
        columns.push(Arc::new(Float64Array::from(scores)));
        if let Some(named) = named {
            fields.push(Field::new(format!("{}_band", model.name), DataType::Utf8, false));
            columns.push(Arc::new(named));
        }
    }
    let options = RecordBatchOptions::new().with_row_count(Some(people));
    Ok(Scores { batch: RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options)? })
}

/// The first band that the score is below; the last has no bound.
pub fn band(bands: &[BandDecl], score: f64) -> &str {
    let fits = bands.iter().find(|band| band.below.is_none_or(|below| score < below));
    fits.or(bands.last()).map_or("", |band| band.name.as_str())
}

fn points_scores(points: &Points, features: &Features, people: usize) -> Result<Vec<f64>> {
    let present = points.items.iter().map(|item| numbers(features, item.feature)).collect::<Result<Vec<_>>>()?;
    let levels = points.thresholds.iter().map(|item| numbers(features, item.feature)).collect::<Result<Vec<_>>>()?;
    let has = |item: usize, person: usize| present[item].is_valid(person) && present[item].value(person) > 0.0;
    let mut silencers: Vec<Vec<usize>> = vec![Vec::new(); points.items.len()];
    for (index, item) in points.items.iter().enumerate() {
        item.trumps.iter().for_each(|silenced| silencers[*silenced].push(index));
    }
    let mut scores = Vec::with_capacity(people);
    for person in 0..people {
        let mut milli: i64 = 0;
        for (index, item) in points.items.iter().enumerate() {
            let counts = has(index, person) && !silencers[index].iter().any(|silencer| has(*silencer, person));
            milli += if counts { item.milli } else { 0 };
        }
        for (threshold, level) in points.thresholds.iter().zip(&levels) {
            let value = level.is_valid(person).then(|| level.value(person));
            let reached = value
                .is_some_and(|value| value >= threshold.at_least && threshold.below.is_none_or(|below| value < below));
            milli += if reached { threshold.milli } else { 0 };
        }
        scores.push(points.floor.map_or(milli, |floor| milli.max(floor)) as f64 / 1000.0);
    }
    Ok(scores)
}

fn logistic_scores(
    pipeline: &Pipeline,
    model: &Model,
    logistic: &Logistic,
    features: &Features,
    people: usize,
) -> Result<Vec<f64>> {
    let mut sums = vec![logistic.intercept; people];
    for term in &logistic.terms {
        let values = numbers(features, term.feature)?;
        let mut missing = 0_u64;
        for (person, sum) in sums.iter_mut().enumerate() {
            let value = if values.is_valid(person) { Some(values.value(person)) } else { term.missing };
            match value {
                Some(value) => *sum += term.coefficient * transformed(term, value),
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
    Ok(sums.into_iter().map(|sum| 1.0 / (1.0 + (-sum).exp())).collect())
}

/// Cap, transform, divide.
pub fn transformed(term: &Term, value: f64) -> f64 {
    let capped = term.cap.map_or(value, |cap| value.min(cap));
    let shaped = match term.transform {
        Transform::Identity => capped,
        Transform::Log1p => capped.ln_1p(),
        Transform::Sqrt => capped.sqrt(),
        Transform::Square => capped * capped,
    };
    term.divide_by.map_or(shaped, |divisor| shaped / divisor)
}

/// A feature as numbers: booleans are 0 and 1.
fn numbers(features: &Features, feature: usize) -> Result<Float64Array> {
    let column = features.batch.column(feature);
    Ok(cast(column, &DataType::Float64)?.as_primitive::<Float64Type>().clone())
}
