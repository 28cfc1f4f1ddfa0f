//! Where the engine and the second implementation differ: names and counts, never a person or a value.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use arrow::record_batch::RecordBatch;

use super::value::{self, Value};
use super::{OracleOutcome, OraclePerson, Selection, score};
use crate::columns::Columns;
use crate::features::Features;
use crate::link::People;
use crate::pipeline::Pipeline;
use crate::pseudonym::Pseudonym;
use crate::score::Scores;

/// One figure that the two implementations do not agree on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// "feature age", "score hfrs", "item ethnicity", "the spine".
    pub what: String,
    pub people: u64,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} differs for {} people", self.what, self.people)
    }
}

/// Compares every person that the second implementation computed; `only` is what it was given.
pub fn compare(
    pipeline: &Pipeline,
    outcome: &OracleOutcome,
    only: Option<Selection<'_>>,
    people: &People,
    features: &Features,
    scores: &Scores,
) -> Vec<Difference> {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    let mut differs = |what: String| *counts.entry(what).or_default() += 1;
    let wanted = people.tokens.iter().filter(|token| only.is_none_or(|only| only(&token.reveal())));
    let spine: BTreeSet<&Pseudonym> = wanted.collect();
    let computed: BTreeSet<Pseudonym> = outcome.people.keys().map(Pseudonym::new).collect();
    for _ in spine.symmetric_difference(&computed.iter().collect()) {
        differs("the spine".to_owned());
    }
    for (row, token) in people.tokens.iter().enumerate() {
        if let Some(person) = outcome.people.get(&*token.reveal()) {
            compare_features(pipeline, person, &features.columns, row, &mut differs);
            compare_items(pipeline, outcome, person, people, row, &mut differs);
            compare_scores(pipeline, person, &scores.batch, row, &mut differs);
        }
    }
    counts.into_iter().map(|(what, people)| Difference { what, people }).collect()
}

fn cell(batch: &RecordBatch, name: &str, row: usize) -> Option<Value> {
    let column = batch.column_by_name(name)?;
    (row < column.len()).then(|| value::of_array(column, row))
}

fn compare_features(
    pipeline: &Pipeline,
    person: &OraclePerson,
    columns: &Columns,
    row: usize,
    differs: &mut impl FnMut(String),
) {
    for (feature, ours) in pipeline.features.iter().zip(&person.features) {
        let Some(ours) = ours else { continue };
        let theirs = columns.cell(&feature.name, row).ok().flatten().map(|cell| value::of_array(&cell, 0));
        if !theirs.is_some_and(|theirs| same(&theirs, ours)) {
            differs(format!("feature {}", feature.name));
        }
    }
}

fn compare_items(
    pipeline: &Pipeline,
    outcome: &OracleOutcome,
    person: &OraclePerson,
    people: &People,
    row: usize,
    differs: &mut impl FnMut(String),
) {
    for (index, (item, (value, state))) in pipeline.items.iter().zip(&person.items).enumerate() {
        if outcome.items_not_checked.contains_key(&item.name) {
            continue;
        }
        let theirs = people.items.get(index);
        let resolved = theirs.and_then(|theirs| theirs.state.get(row).map(|_| theirs.resolved_of(row)));
        if resolved != Some(value.as_deref()) {
            differs(format!("item {}", item.name));
        }
        if theirs.and_then(|theirs| theirs.state.get(row)) != Some(state) {
            differs(format!("state of item {}", item.name));
        }
    }
}

fn compare_scores(
    pipeline: &Pipeline,
    person: &OraclePerson,
    batch: &RecordBatch,
    row: usize,
    differs: &mut impl FnMut(String),
) {
    for (model, ours) in pipeline.models.iter().zip(&person.scores) {
        let Some(ours) = ours else { continue };
        let theirs = cell(batch, &model.name, row);
        if !theirs.is_some_and(|theirs| same(&theirs, ours)) {
            differs(format!("score {}", model.name));
            continue;
        }
        let band = ours.number().map_or(Some(Value::Null), |score| Some(Value::text(score::band(model, score)?)));
        if !model.decl.bands.is_empty() && cell(batch, &format!("{}_band", model.name), row) != band {
            differs(format!("band of {}", model.name));
        }
    }
}

/// Floats to 12 digits, all else exactly.
fn same(theirs: &Value, ours: &Value) -> bool {
    match (theirs, ours) {
        (Value::Float(a), Value::Float(b)) => (a - b).abs() <= 1e-12 * a.abs().max(b.abs()),
        _ => theirs == ours,
    }
}
