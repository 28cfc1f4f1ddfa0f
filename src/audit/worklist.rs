//! Whose record to mend first.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use arrow::array::{Array, AsArray, Float64Array, StringArray};
use arrow::datatypes::Float64Type;

use crate::cohort::words;
use crate::cohort::{Cohorts, UNALLOCATED, placed};
use crate::error::{Error, Result};
use crate::features::Features;
use crate::link::{People, RecordingState};
use crate::pipeline::{Audit, Pipeline};
use crate::score::Scores;

/// One gap of one person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mend {
    /// Index into [`People::tokens`].
    pub person: u32,
    /// Index into [`Pipeline::items`].
    pub item: usize,
    pub state: RecordingState,
}

/// By who can mend them: people on a list first, then by the first model's score, then by token.
pub fn worklists(
    pipeline: &Pipeline,
    people: &People,
    features: &Features,
    scores: &Scores,
    cohorts: &Cohorts,
) -> Result<BTreeMap<String, Vec<Mend>>> {
    let mut worklists: BTreeMap<String, Vec<Mend>> = BTreeMap::new();
    for audit in &pipeline.audits {
        let Some(menders) = menders(pipeline, features, audit)? else { continue };
        for &item in &audit.items {
            let Some(evidence) = people.items.get(item) else { continue };
            let gaps = evidence.state.iter().zip(0_u32..).filter(|(state, _)| is_gap(**state));
            for ((&state, person), mender) in gaps.map(|gap| (gap, mender(&menders, gap.1))) {
                let rows = worklists.entry(mender.to_owned()).or_default();
                rows.push(Mend { person, item, state });
            }
        }
    }
    let on_list = placed(&cohorts.lists, people.tokens.len(), |_| true);
    let risk = first_score(pipeline, scores);
    for rows in worklists.values_mut() {
        rows.sort_by(|a, b| by_urgency(&on_list, risk, a, b));
        rows.dedup();
    }
    Ok(worklists)
}

/// Anything but a known value; who declined is shown too, so that nobody asks in ignorance of it.
pub fn is_gap(state: RecordingState) -> bool {
    state != RecordingState::Known
}

fn menders(pipeline: &Pipeline, features: &Features, audit: &Audit) -> Result<Option<StringArray>> {
    let Some(feature) = audit.worklist_by else { return Ok(None) };
    let column = pipeline.features.get(feature).and_then(|feature| features.batch.column_by_name(&feature.name));
    let column = column
        .ok_or_else(|| Error::Fault(format!("audit {}: the feature of its worklists was not made", audit.name)))?;
    words::column(column).map(Some)
}

fn mender(menders: &StringArray, person: u32) -> &str {
    let at = person as usize;
    if at < menders.len() && menders.is_valid(at) { menders.value(at) } else { UNALLOCATED }
}

fn first_score<'a>(pipeline: &Pipeline, scores: &'a Scores) -> Option<&'a Float64Array> {
    let column = scores.batch.column_by_name(&pipeline.models.first()?.name)?;
    column.as_primitive_opt::<Float64Type>()
}

fn by_urgency(on_list: &[bool], risk: Option<&Float64Array>, a: &Mend, b: &Mend) -> Ordering {
    let listed = |mend: &Mend| on_list.get(mend.person as usize).copied().unwrap_or_default();
    // A score that is not about a person ranks behind every score.
    let score = |mend: &Mend| {
        let at = mend.person as usize;
        risk.filter(|risk| risk.is_valid(at)).map_or(f64::NEG_INFINITY, |risk| risk.value(at))
    };
    listed(b)
        .cmp(&listed(a))
        .then_with(|| score(b).total_cmp(&score(a)))
        .then_with(|| (a.person, a.item).cmp(&(b.person, b.item)))
}
