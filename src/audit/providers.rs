//! How each provider's records record each item, and where they say "other" too often.

use super::dqmi::{audited, percent};
use super::tables::text;
use crate::disclosure::{AggregateTable, Cell};
use crate::error::Result;
use crate::link::{People, RecordingState, RowsBy};
use crate::pipeline::{Item, Pipeline, Source};

/// A known value that says no more than "other".
const OTHER_CATEGORY: &str = "other_category";

/// `recording_by_provider.csv`: records, not people; sources that say who recorded a row.
pub fn table(pipeline: &Pipeline, people: &People) -> Result<AggregateTable> {
    let header = ["item", "source", "provider", "records", "state", "count", "share", "finding"];
    let mut table = AggregateTable::new("recording_by_provider", header);
    for (source, rows) in pipeline.sources.iter().zip(&people.rows).filter(|(source, _)| source.recorded_by().is_some())
    {
        for by in rows.by.iter().filter(|by| audited(pipeline, by.item)) {
            provider(pipeline, source, by, &mut table)?;
        }
    }
    Ok(table)
}

fn provider(pipeline: &Pipeline, source: &Source, by: &RowsBy, table: &mut AggregateTable) -> Result<()> {
    let item = &pipeline.items[by.item];
    let records: u64 = by.states.iter().sum();
    let mut row = |state: &str, count: u64, whole: u64, finding: &str| {
        table.row([
            text(&item.name),
            text(&source.name),
            text(&by.recorder),
            Cell::Count(pipeline.disclosure.count(records)),
            text(state),
            Cell::Count(pipeline.disclosure.part(count, whole)),
            Cell::Count(pipeline.disclosure.share(count, whole)),
            text(finding),
        ])
    };
    // A state without records has no line: there are many providers.
    for (state, count) in RecordingState::ALL.iter().zip(by.states).filter(|(_, count)| *count > 0) {
        row(state.name(), count, records, "")?;
    }
    let known = by.states[RecordingState::Known as usize];
    match other_overused(pipeline, item, by.other, known) {
        Some(overused) if by.other > 0 => row(OTHER_CATEGORY, by.other, known, &overused),
        _ => Ok(()),
    }
}

/// The finding in words, empty where there is none; nothing for an item without "other" values. Judged by the counts as
/// they are shown, so that a finding tells no more than they do.
fn other_overused(pipeline: &Pipeline, item: &Item, other: u64, known: u64) -> Option<String> {
    let limit = item.decl.other.as_ref()?.at_most;
    let shown = pipeline.disclosure.rounded(other).zip(pipeline.disclosure.rounded(known));
    let above = shown.is_some_and(|(other, known)| other as f64 > limit * known as f64);
    Some(if above { format!("above the limit of {}", percent(limit)) } else { String::new() })
}
