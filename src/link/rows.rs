//! What the rows of a source come to, by who recorded them, by group and by step of a pathway.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::heard::{Heard, HeardOfSource};
use super::meaning::{Meaning, Meanings};
use super::places;
use super::{AtStep, RecordingState, RowGroup, RowsBy, SourceRows};
use crate::cohort::words::NOT_RECORDED;
use crate::pipeline::{Pipeline, Source};

/// Counts what was heard of a source.
pub fn rows(pipeline: &Pipeline, source: &Source, heard: &HeardOfSource, meanings: &Meanings) -> SourceRows {
    let recorders = heard.recorders.map(Arc::from(NOT_RECORDED), |recorder| Arc::from(recorder));
    let mut rows = SourceRows { steps: steps(pipeline, source, heard), ..SourceRows::default() };
    for (recorder, months) in heard.months() {
        rows.months.insert(Arc::clone(&recorders[recorder as usize]), months.count_ones());
    }
    for (demographic, (heard, meanings)) in source.demographics.iter().zip(heard.items.iter().zip(meanings)) {
        let item = &pipeline.items[demographic.item];
        let other = item.decl.other.as_ref().map(|other| other.values.as_slice()).unwrap_or_default();
        rows.by.extend(by_recorder(demographic.item, heard, meanings, &recorders, other));
        if compared(pipeline).any(|name| name == item.name) {
            rows.groups.extend(by_value(&item.name, heard, meanings));
        }
    }
    for (name, counts) in compared_columns(pipeline, source).zip(&heard.columns) {
        rows.groups.extend(counts.rows().into_iter().map(|(text, [used, not_linked, outside_life])| {
            let group = text.unwrap_or_else(|| NOT_RECORDED.to_owned());
            RowGroup { split: name.to_owned(), group, used, not_linked, outside_life }
        }));
    }
    rows.by.sort_unstable_by(|a, b| (a.item, &a.recorder).cmp(&(b.item, &b.recorder)));
    rows.groups.sort_unstable();
    rows
}

/// By what the audits compare linkage by, each once.
fn compared(pipeline: &Pipeline) -> impl Iterator<Item = &str> {
    let mut names: Vec<&str> = Vec::new();
    for name in pipeline.audits.iter().filter_map(|audit| audit.decl.linkage.as_ref()).flat_map(|linkage| &linkage.by) {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    names.into_iter()
}

/// The compared names that are columns of this source, and no items.
pub fn compared_columns<'a>(pipeline: &'a Pipeline, source: &'a Source) -> impl Iterator<Item = &'a str> {
    let no_item = |name: &&str| pipeline.items.iter().all(|item| item.name != **name);
    compared(pipeline).filter(no_item).filter(|name| source.column(name).is_some())
}

/// Those who came to each step, sorted, with the best state of each item in their rows there.
fn steps(pipeline: &Pipeline, source: &Source, heard: &HeardOfSource) -> Vec<AtStep> {
    let Some(ear) = heard.ears.first() else { return Vec::new() };
    let at_step = |step: usize| {
        let rows = ear.people.sorted().filter_map(|(person, place)| Some((person, heard.at_steps.row(step, place)?)));
        let rows: Vec<(u32, &[u8])> = rows.collect();
        let mut at_step = AtStep {
            people: rows.iter().map(|(person, _)| *person).collect(),
            states: vec![None; pipeline.items.len()],
        };
        for (number, demographic) in source.demographics.iter().enumerate() {
            let states = rows.iter().map(|(_, states)| places::state(states[number]));
            at_step.states[demographic.item] = Some(states.collect());
        }
        at_step
    };
    (0..heard.at_steps.count()).map(at_step).collect()
}

fn by_recorder(
    item: usize,
    heard: &Heard,
    meanings: &[Meaning],
    recorders: &[Arc<str>],
    other: &[String],
) -> impl Iterator<Item = RowsBy> {
    let is_other =
        |(_, value): &Meaning| value.as_ref().is_some_and(|value| other.iter().any(|other| **other == **value));
    let is_other: Vec<bool> = meanings.iter().map(is_other).collect();
    let mut counts = vec![([0; RecordingState::ALL.len()], 0); recorders.len()];
    for (recorder, value, rows) in heard.recorded.iter() {
        let (states, other) = &mut counts[recorder as usize];
        states[meanings[value as usize].0 as usize] += rows;
        *other += if is_other[value as usize] { rows } else { 0 };
    }
    let mut by: BTreeMap<Arc<str>, RowsBy> = BTreeMap::new();
    let with_rows = recorders.iter().zip(counts).filter(|(_, (states, _))| states.iter().any(|rows| *rows > 0));
    for (recorder, (states, other)) in with_rows {
        let empty = || RowsBy { item, recorder: Arc::clone(recorder), states: Default::default(), other: 0 };
        let by = by.entry(Arc::clone(recorder)).or_insert_with(empty);
        by.states.iter_mut().zip(states).for_each(|(sum, rows)| *sum += rows);
        by.other += other;
    }
    by.into_values()
}

fn by_value(split: &str, heard: &Heard, meanings: &[Meaning]) -> impl Iterator<Item = RowGroup> {
    let mut groups: BTreeMap<&str, [u64; 3]> = BTreeMap::new();
    let group = |value: u32| meanings[value as usize].1.as_deref().unwrap_or(NOT_RECORDED);
    let mut used = vec![0; meanings.len()];
    heard.recorded.iter().for_each(|(_, value, rows)| used[value as usize] += rows);
    for (value, rows) in (0..).zip(used).filter(|(_, rows)| *rows > 0) {
        groups.entry(group(value)).or_default()[0] += rows;
    }
    for (&value, fates) in &heard.strays {
        groups.entry(group(value)).or_default().iter_mut().zip(fates).for_each(|(sum, fate)| *sum += fate);
    }
    groups.entry(NOT_RECORDED).or_default();
    let row = |(group, [used, not_linked, outside_life]): (&str, [u64; 3])| RowGroup {
        split: split.to_owned(),
        group: group.to_owned(),
        used,
        not_linked,
        outside_life,
    };
    groups.into_iter().map(row).collect::<Vec<_>>().into_iter()
}
