//! Features become scores, model by model.

use super::value::Value;
use crate::error::{Error, Result};
use crate::pipeline::decl::Transform;
use crate::pipeline::{Logistic, Model, Pipeline, Points, Scoring};

/// The scores of one person, in the order of the models; none where a feature it needs was not computed.
pub fn scores(pipeline: &Pipeline, features: &[Option<Value>]) -> Result<Vec<Option<f64>>> {
    let score = |model: &Model| {
        let score = match &model.kind {
            Scoring::Points(points) => self::points(points, features),
            Scoring::Logistic(logistic) => self::logistic(pipeline, logistic, features)?,
        };
        if score.is_some_and(|score| !score.is_finite()) {
            return Err(Error::Check(format!("model {}: a score is not a finite number", model.name)));
        }
        Ok(score)
    };
    pipeline.models.iter().map(score).collect()
}

/// The name of the first band whose upper end lies above the score.
pub fn band(model: &Model, score: f64) -> Option<&str> {
    let band = model.decl.bands.iter().find(|band| band.below.is_none_or(|below| score < below));
    band.map(|band| band.name.as_str())
}

fn points(points: &Points, features: &[Option<Value>]) -> Option<f64> {
    let present = points.items.iter().map(|item| is_present(features.get(item.feature)?.as_ref()?));
    let present: Vec<bool> = present.collect::<Option<_>>()?;
    let silenced =
        |at: usize| points.items.iter().zip(&present).any(|(other, present)| *present && other.trumps.contains(&at));
    let mut milli: i64 = 0;
    for (at, item) in points.items.iter().enumerate() {
        if present.get(at) == Some(&true) && !silenced(at) {
            milli += item.milli;
        }
    }
    for threshold in &points.thresholds {
        if let Some(value) = features.get(threshold.feature)?.as_ref()?.number()
            && value >= threshold.at_least
            && threshold.below.is_none_or(|below| value < below)
        {
            milli += threshold.milli;
        }
    }
    Some(milli.max(points.floor.unwrap_or(i64::MIN)) as f64 / 1000.0)
}

fn is_present(value: &Value) -> Option<bool> {
    match value {
        Value::Null => Some(false),
        value => value.number().map(|number| number > 0.0),
    }
}

fn logistic(pipeline: &Pipeline, model: &Logistic, features: &[Option<Value>]) -> Result<Option<f64>> {
    let mut sum = model.intercept;
    for term in &model.terms {
        let Some(Some(value)) = features.get(term.feature) else { return Ok(None) };
        let Some(number) = value.number().or(term.missing) else {
            let name = pipeline.features.get(term.feature).map_or("", |feature| &feature.name);
            return Err(Error::Check(format!("feature {name} is null and its term has no `missing`")));
        };
        let capped = term.cap.map_or(number, |cap| number.min(cap));
        let transformed = match term.transform {
            Transform::Identity => capped,
            Transform::Log1p => capped.ln_1p(),
            Transform::Sqrt => capped.sqrt(),
            Transform::Square => capped * capped,
        };
        sum += term.coefficient * term.divide_by.map_or(transformed, |by| transformed / by);
    }
    Ok(Some(1.0 / (1.0 + (-sum).exp())))
}
