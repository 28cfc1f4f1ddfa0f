//! Why a person is on a list, in plain words.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{Array, AsArray, UInt32Array};
use arrow::datatypes::Float64Type;
use jiff::civil::Date;

use super::words::{self, NOT_RECORDED};
use crate::calendar::date_of;
use crate::columns::Columns;
use crate::error::{Error, Result};
use crate::expr;
use crate::features::Features;
use crate::pipeline::{Cohort, Criterion, Pipeline};
use crate::score::contributions::{Contributions, Explainer};

/// A score is explained by this many features at most.
const MOST_OF_A_SCORE: usize = 3;

/// So many people's scores are taken apart at a time: each holds a copy of all that is known of them.
const AT_A_TIME: usize = 4096;

/// All that the reasons of one cohort's rows are made from.
pub struct Reasons<'a> {
    pipeline: &'a Pipeline,
    cohort: &'a Cohort,
    features: &'a Features,
    /// Features and scores, one row a person.
    table: &'a Columns,
    /// By model that a criterion without words reads, then by person: what adds most to the score first.
    scores: BTreeMap<usize, BTreeMap<u32, Vec<usize>>>,
    /// By the SQL of a criterion with words of its own: the sources behind it.
    sources: BTreeMap<&'a str, BTreeSet<usize>>,
}

impl<'a> Reasons<'a> {
    /// Takes the scores of the people with a place apart, and of nobody else.
    pub fn new(
        pipeline: &'a Pipeline,
        features: &'a Features,
        table: &'a Columns,
        cohort: &'a Cohort,
        persons: &[u32],
    ) -> Result<Self> {
        let worded = cohort.include.iter().flatten().filter(|criterion| criterion.reason.is_some());
        let sources = worded.map(|criterion| {
            let read = expr::columns_read(&criterion.when).unwrap_or_default();
            (criterion.when.as_str(), pipeline.sources_behind(read.iter().map(String::as_str)))
        });
        let mut reasons =
            Self { pipeline, cohort, features, table, scores: BTreeMap::new(), sources: sources.collect() };
        let wordless = cohort.include.iter().flatten().filter(|criterion| criterion.reason.is_none());
        for &model in wordless.flat_map(|criterion| &criterion.models) {
            if !reasons.scores.contains_key(&model) {
                let raised = reasons.raised(model, persons)?;
                reasons.scores.insert(model, raised);
            }
        }
        Ok(reasons)
    }

    /// By person: the features that raise the score of a model, those that raise it most first.
    fn raised(&self, model: usize, persons: &[u32]) -> Result<BTreeMap<u32, Vec<usize>>> {
        let fault = || Error::Fault("a criterion reads a score that was not made".to_owned());
        let model = self.pipeline.models.get(model).ok_or_else(fault)?;
        let mut raised = BTreeMap::new();
        for persons in persons.chunks(AT_A_TIME) {
            let theirs = self.table.take(&UInt32Array::from(persons.to_vec()))?;
            let scores = theirs.column_by_name(&model.name).ok_or_else(fault)?.as_primitive::<Float64Type>();
            let explainer = Explainer::new(model, &theirs)?;
            for (row, (person, score)) in persons.iter().zip(scores).enumerate() {
                // A model that does not apply to a person gives no reason.
                let Some(score) = score else { continue };
                raised.insert(*person, descending(explainer.checked(row, score)?));
            }
        }
        Ok(raised)
    }

    /// The reasons that one criterion, true of this person, gives, each with its date and source; none where those who
    /// read the list may not be told of it.
    ///
    /// Without words of its own, those of the features it reads stand in, and for a score those of the features that
    /// raise it most; where they have none either, its name does: nobody is listed without a reason.
    pub fn of_criterion(&self, criterion: &Criterion, person: u32) -> Result<Vec<String>> {
        if !criterion.told {
            return Ok(Vec::new());
        }
        if let Some(reason) = &criterion.reason {
            if reason.is_empty() {
                return Ok(Vec::new());
            }
            let person = person as usize;
            let text = fill(reason, |name| column_words(self.table, name, person))?;
            let dates = criterion.features.iter().filter_map(|feature| latest(self.features, *feature, person));
            let fault = || Error::Fault("a criterion is not of this cohort".to_owned());
            let sources = self.sources.get(criterion.when.as_str()).ok_or_else(fault)?;
            return Ok(vec![with_origin(self.pipeline, text, dates.max(), sources)]);
        }
        let mut reasons = Vec::new();
        for &feature in &criterion.features {
            reasons.extend(of_feature(self.pipeline, self.features, feature, person as usize)?);
        }
        for model in &criterion.models {
            let raised = self.scores.get(model).and_then(|people| people.get(&person));
            reasons.extend(self.of_score(raised.map_or(&[], Vec::as_slice), person)?);
        }
        if reasons.is_empty() {
            reasons.push(name_in_words(&criterion.name));
        }
        Ok(reasons)
    }

    /// The first few that have something true to say and that the list's readers may see, one window of a feature each.
    fn of_score(&self, raised: &[usize], person: u32) -> Result<Vec<String>> {
        let mut reasons = Vec::new();
        let mut families = Vec::new();
        for &feature in raised {
            let Some(declared) = self.pipeline.features.get(feature) else { continue };
            let family = &declared.family;
            let hidden = !self.pipeline.shows(&self.cohort.decl, &declared.name);
            if hidden || reasons.len() == MOST_OF_A_SCORE || families.contains(&family) {
                continue;
            }
            if let Some(reason) = of_feature(self.pipeline, self.features, feature, person as usize)? {
                reasons.push(reason);
                families.push(family);
            }
        }
        Ok(reasons)
    }
}

/// The features that raise a score, those that raise it most first; what lowers it is no reason to be listed.
fn descending(contributions: Contributions) -> Vec<usize> {
    let mut raising = contributions.features;
    raising.retain(|(_, adds)| *adds > 0.0);
    raising.sort_by(|(a, adds_a), (b, adds_b)| adds_b.total_cmp(adds_a).then(a.cmp(b)));
    raising.into_iter().map(|(feature, _)| feature).collect()
}

/// A feature's own reason; none where it says nothing true of this person.
///
/// A criterion may hold through another of its features: "Dementia recorded" must not be said of a `false`, nor "the
/// latest on …" without an event.
fn of_feature(pipeline: &Pipeline, features: &Features, feature: usize, person: usize) -> Result<Option<String>> {
    let fault = || Error::Fault("a criterion reads a feature that was not made".to_owned());
    let declared = pipeline.features.get(feature).ok_or_else(fault)?;
    let Some(reason) = declared.reason.as_ref().filter(|_| !declared.never_as_reason) else { return Ok(None) };
    let cell = features.columns.cell(&declared.name, person)?.ok_or_else(fault)?;
    let Some(value) = words::spoken(&cell, 0)? else { return Ok(None) };
    if matches!(value.as_str(), "no" | "0") {
        return Ok(None);
    }
    let latest = latest(features, feature, person);
    if latest.is_none() && reason.contains("{latest_date}") {
        return Ok(None);
    }
    let text = fill(reason, |name| match name {
        "value" => Ok(value.clone()),
        "latest_date" => Ok(latest.map(words::spoken_date).unwrap_or_default()),
        "window" => Ok(declared.window.to_string()),
        _ => Err(Error::Fault(format!("feature {}: its reason names `{name}`, which is not filled", declared.name))),
    })?;
    let said = reason.contains("{latest_date}");
    let sources = pipeline.sources_behind([declared.name.as_str()]);
    Ok(Some(with_origin(pipeline, text, latest.filter(|_| !said), &sources)))
}

/// The day of the latest event behind a feature, where one is kept.
fn latest(features: &Features, feature: usize, person: usize) -> Option<Date> {
    let dates = features.latest.get(feature)?.as_ref()?;
    if dates.is_valid(person) { date_of(dates.value(person)) } else { None }
}

/// "Falls recorded [4 October 2024, GP coded entries]". Where a score rests on many sources, none is named.
fn with_origin(pipeline: &Pipeline, text: String, date: Option<Date>, sources: &BTreeSet<usize>) -> String {
    let titles = sources.iter().filter_map(|at| pipeline.sources.get(*at)).map(|source| source.decl.title.clone());
    let titles = titles.take(if sources.len() > SOURCES_NAMED { 0 } else { SOURCES_NAMED });
    let origin: Vec<String> = date.map(words::spoken_date).into_iter().chain(titles).collect();
    if origin.is_empty() { text } else { format!("{text} [{}]", origin.join(", ")) }
}

const SOURCES_NAMED: usize = 2;

fn column_words(table: &Columns, name: &str, person: usize) -> Result<String> {
    let cell = table
        .cell(name, person)?
        .ok_or_else(|| Error::Fault(format!("a reason names `{name}`, which is no feature or score")))?;
    Ok(words::spoken(&cell, 0)?.unwrap_or_else(|| NOT_RECORDED.to_owned()))
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
