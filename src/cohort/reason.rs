//! Why a person is on a list, in plain words.

use arrow::array::Array;
use arrow::record_batch::RecordBatch;

use super::words::{self, NOT_RECORDED};
use crate::calendar::date_of;
use crate::error::{Error, Result};
use crate::features::Features;
use crate::pipeline::{Criterion, Pipeline};

/// The reasons that one criterion, true of this person, gives.
///
/// Without words of its own, those of the features it reads stand in; where they have none either, its name does:
/// nobody is listed without a reason.
pub fn of_criterion(
    pipeline: &Pipeline,
    features: &Features,
    table: &RecordBatch,
    criterion: &Criterion,
    person: usize,
) -> Result<Vec<String>> {
    if let Some(reason) = &criterion.reason {
        if reason.is_empty() {
            return Ok(Vec::new());
        }
        return Ok(vec![fill(reason, |name| column_words(table, name, person))?]);
    }
    let mut reasons = Vec::new();
    for &feature in &criterion.features {
        reasons.extend(of_feature(pipeline, features, feature, person)?);
    }
    if reasons.is_empty() {
        reasons.push(name_in_words(&criterion.name));
    }
    Ok(reasons)
}

/// A feature's own reason; none where it says nothing true of this person.
///
/// A criterion may hold through another of its features: "Dementia recorded" must not be said of a `false`, nor "the
/// latest on …" without an event.
fn of_feature(pipeline: &Pipeline, features: &Features, feature: usize, person: usize) -> Result<Option<String>> {
    let fault = || Error::Fault("a criterion reads a feature that was not made".to_owned());
    let declared = pipeline.features.get(feature).ok_or_else(fault)?;
    let Some(reason) = &declared.reason else { return Ok(None) };
    let column = features.batch.column_by_name(&declared.name).ok_or_else(fault)?;
    let Some(value) = words::spoken(column, person)? else { return Ok(None) };
    if matches!(value.as_str(), "no" | "0") {
        return Ok(None);
    }
    let latest = features.latest.get(feature).and_then(Option::as_ref);
    let latest = latest.filter(|dates| dates.is_valid(person)).and_then(|dates| date_of(dates.value(person)));
    if latest.is_none() && reason.contains("{latest_date}") {
        return Ok(None);
    }
    let text = fill(reason, |name| match name {
        "value" => Ok(value.clone()),
        "latest_date" => Ok(latest.map(words::spoken_date).unwrap_or_default()),
        "window" => Ok(declared.window.to_string()),
        _ => Err(Error::Fault(format!("feature {}: its reason names `{name}`, which is not filled", declared.name))),
    })?;
    Ok(Some(text))
}

fn column_words(table: &RecordBatch, name: &str, person: usize) -> Result<String> {
    let column = table
        .column_by_name(name)
        .ok_or_else(|| Error::Fault(format!("a reason names `{name}`, which is no feature or score")))?;
    Ok(words::spoken(column, person)?.unwrap_or_else(|| NOT_RECORDED.to_owned()))
}

/// Replaces every `{name}`; a brace without its partner stays as it is.
fn fill(template: &str, value: impl Fn(&str) -> Result<String>) -> Result<String> {
    let mut text = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, behind)) = after.split_once('}') else { break };
        text.push_str(before);
        text.push_str(&value(name)?);
        rest = behind;
    }
    text.push_str(rest);
    Ok(text)
}

/// `severe_frailty` becomes "Severe frailty".
fn name_in_words(name: &str) -> String {
    let spaced = name.replace('_', " ");
    let mut letters = spaced.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_filled_and_stray_braces_stay() -> Result<()> {
        let shout = |name: &str| Ok(name.to_uppercase());
        assert_eq!(fill("{a} of {bc}.", shout)?, "A of BC.");
        assert_eq!(fill("none", shout)?, "none");
        assert_eq!(fill("a } b { c", shout)?, "a } b { c");
        assert_eq!(name_in_words("severe_frailty"), "Severe frailty");
        Ok(())
    }
}
