//! Features become scores, model by model.

use super::features::Compiled;
use super::sql::{Expression, Unsupported};
use super::value::Value;
use crate::error::{Error, Result};
use crate::pipeline::calibration::{LogitLine, Step};
use crate::pipeline::decl::Transform;
use crate::pipeline::{Branch, Logistic, Model, Pipeline, Points, Scoring, Tree, Trees};

/// The scores of one person, in the order of the models: null where a model does not apply, none where a feature it
/// needs was not computed.
pub fn scores(pipeline: &Pipeline, compiled: &Compiled, features: &[Option<Value>]) -> Result<Vec<Option<Value>>> {
    let row: Vec<Value> = features.iter().map(|value| value.clone().unwrap_or(Value::Foreign)).collect();
    let applies = |predicate: &Option<Result<Expression, Unsupported>>| match predicate {
        None => Some(true),
        Some(Ok(sql)) => sql.holds(&row).ok(),
        Some(Err(_)) => None,
    };
    let score = |(model, predicate): (&Model, &Option<Result<Expression, Unsupported>>)| {
        match applies(predicate) {
            Some(true) => {}
            Some(false) => return Ok(Some(Value::Null)),
            None => return Ok(None),
        }
        let score = calibrated(model, raw(pipeline, &model.kind, features)?, features);
        if score.is_some_and(|score| !score.is_finite()) {
            return Err(Error::Check(format!("model {}: a score is not a finite number", model.name)));
        }
        Ok(score.map(Value::Float))
    };
    pipeline.models.iter().zip(&compiled.applies).map(score).collect()
}

/// The score before any calibration step.
fn raw(pipeline: &Pipeline, scoring: &Scoring, features: &[Option<Value>]) -> Result<Option<f64>> {
    let probability = |log_odds: f64| 1.0 / (1.0 + (-log_odds).exp());
    Ok(match scoring {
        Scoring::Points(points) => self::points(points, features),
        linear_or_grown => log_odds(pipeline, linear_or_grown, features)?.map(probability),
    })
}

fn log_odds(pipeline: &Pipeline, scoring: &Scoring, features: &[Option<Value>]) -> Result<Option<f64>> {
    match scoring {
        Scoring::Points(_) => Err(Error::Fault("points have no log-odds".to_owned())),
        Scoring::Logistic(logistic) => self::logistic(pipeline, logistic, features),
        Scoring::Trees(ensemble) => Ok(trees(ensemble, features)),
        Scoring::Stack(stack) => {
            let mut sum = stack.intercept;
            for (weight, base) in &stack.bases {
                match log_odds(pipeline, base, features)? {
                    Some(of_base) => sum += weight * of_base,
                    None => return Ok(None),
                }
            }
            Ok(Some(sum))
        }
    }
}

/// The name of the first band whose upper end lies above the score.
pub fn band(model: &Model, score: f64) -> Option<&str> {
    let band = model.decl.bands.iter().find(|band| band.below.is_none_or(|below| score < below));
    band.map(|band| band.name.as_str())
}

/// Each calibration step in turn.
fn calibrated(model: &Model, score: Option<f64>, features: &[Option<Value>]) -> Option<f64> {
    let mut score = score?;
    for step in &model.calibration {
        score = match step {
            Step::Line(line) => on_line(line, score),
            Step::Isotonic(points) => on_curve(points, score),
            Step::ByGroup { feature, groups } => {
                let name = match features.get(*feature)?.as_ref()? {
                    Value::Null => "not recorded".to_owned(),
                    Value::Bool(value) => if *value { "yes" } else { "no" }.to_owned(),
                    value => value.print(),
                };
                let line = groups.get(&name).or_else(|| groups.get("everyone else"))?;
                on_line(line, score)
            }
        };
    }
    Some(score)
}

fn on_line(line: &LogitLine, p: f64) -> f64 {
    let p = p.clamp(1e-10, 1.0 - 1e-10);
    let odds = p / (1.0 - p);
    1.0 / (1.0 + (-(line.intercept + line.slope * odds.ln())).exp())
}

fn on_curve(points: &[[f64; 2]], score: f64) -> f64 {
    let mut before: Option<[f64; 2]> = None;
    for &[x, y] in points {
        if score <= x {
            return match before {
                Some([x0, y0]) => y0 + (y - y0) * (score - x0) / (x - x0),
                None => y,
            };
        }
        before = Some([x, y]);
    }
    before.map_or(f64::NAN, |[_, y]| y)
}

fn points(points: &Points, features: &[Option<Value>]) -> Option<f64> {
    let present = points.items.iter().map(|item| is_present(features.get(item.feature)?.as_ref()?));
    let present: Vec<bool> = present.collect::<Option<_>>()?;
    let silenced =
        |at: usize| points.items.iter().zip(&present).any(|(other, present)| *present && other.trumps.contains(&at));
    let counted = points.items.iter().enumerate().filter(|(at, _)| present.get(*at) == Some(&true) && !silenced(*at));
    let sum: i64 = counted.map(|(_, item)| item.milli).sum();
    let mut milli = sum;
    for (from, counts_as) in &points.table_sum {
        let next = points.table_sum.iter().map(|(next, _)| *next).filter(|next| next > from).min();
        if sum >= *from && next.is_none_or(|next| sum < next) {
            milli = *counts_as;
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
    Some(milli.max(points.floor.unwrap_or(i64::MIN)) as f64 / 1000.0 / points.divide_by.unwrap_or(1.0))
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
        if term.transform == Transform::IsMissing || term.equals.is_some() {
            let holds = match (&term.equals, value) {
                (Some(wanted), Value::Text(text)) => text == wanted,
                (Some(_), _) => false,
                (None, value) => matches!(value, Value::Null),
            };
            sum += if holds { term.coefficient } else { 0.0 };
            continue;
        }
        let Some(number) = value.number().or(term.missing) else {
            let name = pipeline.features.get(term.feature).map_or("", |feature| &feature.name);
            return Err(Error::Check(format!("feature {name} is null and its term has no `missing`")));
        };
        let number = match (term.at_least, term.below) {
            (None, None) => number,
            (from, to) if number < from.unwrap_or(number) || number >= to.unwrap_or(f64::INFINITY) => 0.0,
            _ => 1.0,
        };
        let capped = term.cap.map_or(number, |cap| number.min(cap));
        let transformed = match term.transform {
            Transform::Identity => capped,
            Transform::Log1p => capped.ln_1p(),
            Transform::Sqrt => capped.sqrt(),
            Transform::Square => capped * capped,
            Transform::IsMissing => 0.0,
        };
        sum += term.coefficient * term.divide_by.map_or(transformed, |by| transformed / by);
    }
    Ok(Some(sum))
}

fn trees(ensemble: &Trees, features: &[Option<Value>]) -> Option<f64> {
    let leaves = ensemble.trees.iter().map(|tree| leaf(ensemble, tree, 0, features));
    Some(leaves.collect::<Option<Vec<f64>>>()?.into_iter().fold(ensemble.intercept, |sum, leaf| sum + leaf))
}

/// What the tree adds from this node on; none where a feature on the way was not computed.
fn leaf(ensemble: &Trees, tree: &Tree, node: usize, features: &[Option<Value>]) -> Option<f64> {
    match &tree.nodes.get(node)?.branch {
        Branch::Leaf(value) => Some(*value),
        Branch::Split(split) => {
            let input = ensemble.inputs.get(split.input)?;
            let left = match (features.get(input.feature)?.as_ref()?, &input.equals) {
                (Value::Null, _) => split.missing_left,
                (Value::Text(text), Some(wanted)) => (if text == wanted { 1.0 } else { 0.0 }) < split.below,
                (Value::Text(_), None) => 0.0 < split.below,
                (value, _) => value.number()? < split.below,
            };
            leaf(ensemble, tree, if left { split.left } else { split.right }, features)
        }
    }
}
