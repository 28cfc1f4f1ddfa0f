//! A person's scores taken apart: what each feature adds.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, new_null_array};
use arrow::datatypes::{Field, Float64Type, Schema};
use arrow::record_batch::RecordBatch;
use serde::Serialize;

use crate::cohort::words::{self, NOT_RECORDED};
use crate::error::{Error, Result};
use crate::pipeline::Pipeline;
use crate::score::contributions::Explainer;

/// One score of one person: the base and what the features add sum to it, on the model's own scale.
#[derive(Debug, Serialize)]
pub struct Decomposition {
    pub model: String,
    pub title: String,
    /// As published, after any calibration step.
    pub score: f64,
    /// "points" or "log-odds".
    pub scale: &'static str,
    pub base: f64,
    pub sum: f64,
    /// Every feature that the model reads, those that change the score most first.
    pub features: Vec<Added>,
}

/// One feature in it.
#[derive(Debug, Serialize)]
pub struct Added {
    pub feature: String,
    pub label: String,
    pub value: String,
    pub adds: f64,
}

/// Takes apart every score that the person has; both tables hold the person's published row.
pub fn decompose(pipeline: &Pipeline, features: &RecordBatch, scores: &RecordBatch) -> Result<Vec<Decomposition>> {
    let table = in_order(pipeline, features)?;
    let mut decompositions = Vec::new();
    for model in &pipeline.models {
        let score = scores.column_by_name(&model.name).and_then(|column| column.as_primitive_opt::<Float64Type>());
        let Some(score) = score.filter(|score| score.is_valid(0)).map(|score| score.value(0)) else { continue };
        let contributions = Explainer::new(model, &table)?.checked(0, score)?;
        let mut added = Vec::new();
        for (feature, adds) in &contributions.features {
            let declared = pipeline.features.get(*feature);
            let declared = declared.ok_or_else(|| Error::Fault("a model reads a feature that is not".to_owned()))?;
            let value = words::spoken(table.column(*feature), 0)?.unwrap_or_else(|| NOT_RECORDED.to_owned());
            let (feature, label) = (declared.name.clone(), declared.label.clone());
            added.push(Added { feature, label, value, adds: *adds });
        }
        added.sort_by(|a, b| b.adds.abs().total_cmp(&a.adds.abs()).then_with(|| a.feature.cmp(&b.feature)));
        decompositions.push(Decomposition {
            model: model.name.clone(),
            title: model.decl.title.clone(),
            score,
            scale: if model.is_probability() { "log-odds" } else { "points" },
            base: contributions.base,
            sum: contributions.sum(),
            features: added,
        });
    }
    Ok(decompositions)
}

/// The features in the order of the pipeline; those that are not published are read by no model.
fn in_order(pipeline: &Pipeline, published: &RecordBatch) -> Result<RecordBatch> {
    let mut fields = Vec::new();
    let mut columns: Vec<ArrayRef> = Vec::new();
    for feature in &pipeline.features {
        let published = published.column_by_name(&feature.name).cloned();
        columns.push(published.unwrap_or_else(|| new_null_array(&feature.data_type, 1)));
        fields.push(Field::new(&feature.name, feature.data_type.clone(), true));
    }
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?)
}
