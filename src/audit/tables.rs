//! What leaves the building, and what goes to those who mend.

use std::collections::BTreeMap;

use super::{Counts, Gaps, Mend, dqmi, groups, inequality, linkage, mended, pathways, providers, resolution};
use crate::calendar::date_of;
use crate::cohort::{Cohorts, words};
use crate::disclosure::{AggregateTable, Cell, Label, Whole, counted};
use crate::error::{Error, Result};
use crate::features::Features;
use crate::history;
use crate::link::{ItemEvidence, People, RecordingState, Say};
use crate::pipeline::Pipeline;
use crate::publish::{Draft, Field, file_stem};
use crate::workers;

/// Where a source has no row at all of a person.
const NO_RECORD: &str = "no_record";

/// Stands for every group of a split, and for every source.
const EVERYONE: &str = "everyone";
pub(super) const ALL_SOURCES: &str = "all sources";

/// What `recording_gaps` counts.
const RECORDED: &str = "recorded";

/// The name of the count of people of a group of whom an item is known.
pub fn recorded(item: &str, split: &str, group: &str) -> String {
    counted(RECORDED, &[item, ALL_SOURCES, RecordingState::Known.name(), split, group])
}

/// Writes the tables of the audits into `aggregate/`, and `person/gaps/<who can mend>.csv`.
pub fn write(
    pipeline: &Pipeline,
    people: &People,
    features: &Features,
    cohorts: &Cohorts,
    gaps: &Gaps,
    draft: &mut Draft,
) -> Result<()> {
    if !pipeline.audits.is_empty() {
        for table in tables(pipeline, people, features, gaps, draft.workers())? {
            draft.aggregate(&table)?;
        }
    }
    if !gaps.figures.is_empty() {
        draft.aggregate(&inequality::counts(pipeline, &gaps.figures)?)?;
    }
    if let Some(rows) = &gaps.mended {
        draft.aggregate(&mended::table(pipeline, rows)?)?;
    }
    if pipeline.outreach.remember && !pipeline.audits.is_empty() {
        let file = history::GAPS.trim_start_matches("person/");
        draft.people_parquet(file, &people.tokens, &mended::open_items(pipeline, people)?)?;
    }
    let on_lists = on_lists(pipeline, cohorts);
    let labels: Vec<BTreeMap<&str, &str>> =
        (0..pipeline.items.len()).map(|item| groups::labels(pipeline, item)).collect();
    for (mender, worklist) in &gaps.worklists {
        let rows = worklist
            .iter()
            .map(|mend| worklist_row(pipeline, people, &labels, &on_lists, mend))
            .collect::<Result<Vec<_>>>()?;
        let header = ["person", "item", "state", "what_each_source_says", "on_list", "value"];
        let path = format!("gaps/{}.csv", file_stem(mender));
        draft.person_csv(&path, &header, rows.iter().map(|row| row.iter().map(|text| Field::Text(text))))?;
    }
    Ok(())
}

/// The tables of the audits in the order in which they are added, made side by side by so many workers.
fn tables(
    pipeline: &Pipeline,
    people: &People,
    features: &Features,
    gaps: &Gaps,
    workers: usize,
) -> Result<Vec<AggregateTable>> {
    type Make<'a> = Box<dyn Fn() -> Result<AggregateTable> + Send + Sync + 'a>;
    let tables: Vec<Make> = vec![
        Box::new(|| recording_gaps(pipeline, gaps)),
        Box::new(|| inequality(pipeline, gaps)),
        Box::new(|| providers::table(pipeline, people)),
        Box::new(|| dqmi::table(pipeline, people)),
        Box::new(|| resolution::side_by_side(pipeline, people)),
        Box::new(|| resolution::disagreement(pipeline, people)),
        Box::new(|| resolution::flips(pipeline, people)),
        Box::new(|| pathways::table(pipeline, people)),
        Box::new(|| linkage::rows(pipeline, people)),
        Box::new(|| linkage::people(pipeline, people, features)),
    ];
    workers::each(workers, tables, |make| make())
}

fn recording_gaps(pipeline: &Pipeline, gaps: &Gaps) -> Result<AggregateTable> {
    let header = ["audit", "item", "source", "split", "group", "people", "state", "count", "share"];
    let everyone = Whole::Row(&[("split", EVERYONE), ("group", EVERYONE)]);
    let mut table = AggregateTable::new("recording_gaps", header)
        .counts("people", "people", &["split", "group"])
        .counts("count", RECORDED, &["item", "source", "state", "split", "group"])
        .sums("people", "group", everyone)
        .sums("count", "group", everyone)
        .sums("count", "state", Whole::Column("people"));
    for counts in &gaps.counts {
        for (state, count) in RecordingState::ALL.iter().zip(counts.states) {
            gap_row(pipeline, counts, state.name(), count, &mut table)?;
        }
        if counts.source.is_some() {
            gap_row(pipeline, counts, NO_RECORD, counts.no_record, &mut table)?;
        }
    }
    Ok(table)
}

fn gap_row(pipeline: &Pipeline, counts: &Counts, state: &str, count: u64, table: &mut AggregateTable) -> Result<()> {
    let fault = || Error::Fault("a count of gaps is of something that was not declared".to_owned());
    let source = match counts.source {
        None => ALL_SOURCES,
        Some(source) => &pipeline.sources.get(source).ok_or_else(fault)?.name,
    };
    let (split, group) =
        counts.group.as_ref().map_or((EVERYONE, EVERYONE), |(split, group)| (split.as_str(), group.as_str()));
    let rule = pipeline.disclosure;
    table.row([
        text(&pipeline.audits.get(counts.audit).ok_or_else(fault)?.name),
        text(&pipeline.items.get(counts.item).ok_or_else(fault)?.name),
        text(source),
        text(split),
        text(group),
        Cell::Count(rule.count(counts.people)),
        text(state),
        Cell::Count(rule.part(count, counts.people)),
        Cell::Count(rule.share(count, counts.people)),
    ])
}

fn inequality(pipeline: &Pipeline, gaps: &Gaps) -> Result<AggregateTable> {
    let everyone = Whole::Row(&[("split", EVERYONE), ("group", EVERYONE)]);
    let mut table = AggregateTable::new("inequality", ["split", "group", "people", "listed", "share_listed"])
        .counts("people", "people", &["split", "group"])
        .counts("listed", "listed", &["split", "group"])
        .sums("people", "group", everyone)
        .sums("listed", "group", everyone)
        .part_of("listed", "people");
    let rule = pipeline.disclosure;
    for row in &gaps.listed {
        table.row([
            text(&row.split),
            text(&row.group),
            Cell::Count(rule.count(row.people)),
            Cell::Count(rule.part(row.listed, row.people)),
            Cell::Count(rule.share(row.listed, row.people)),
        ])?;
    }
    Ok(table)
}

pub(super) fn text(text: &str) -> Cell {
    Cell::Text(Label::new(text))
}

/// Titles of the lists that each person is on, the reserve included.
fn on_lists<'a>(pipeline: &'a Pipeline, cohorts: &Cohorts) -> BTreeMap<u32, Vec<&'a str>> {
    let mut on_lists: BTreeMap<u32, Vec<&str>> = BTreeMap::new();
    for (cohort, list) in pipeline.cohorts.iter().zip(&cohorts.lists) {
        for row in &list.rows {
            on_lists.entry(row.person).or_default().push(&cohort.decl.title);
        }
    }
    on_lists
}

fn worklist_row(
    pipeline: &Pipeline,
    people: &People,
    labels: &[BTreeMap<&str, &str>],
    on_lists: &BTreeMap<u32, Vec<&str>>,
    mend: &Mend,
) -> Result<[String; 6]> {
    let fault = || Error::Fault("a worklist names a person or an item that is not there".to_owned());
    let token = people.tokens.get(mend.person as usize).ok_or_else(fault)?;
    let item = pipeline.items.get(mend.item).ok_or_else(fault)?;
    let evidence = people.items.get(mend.item).ok_or_else(fault)?;
    let labels = labels.get(mend.item).ok_or_else(fault)?;
    let said: Vec<String> =
        evidence.open_of(mend.person).iter().map(|say| in_words(pipeline, labels, evidence, say)).collect();
    Ok([
        token.reveal().to_owned(),
        item.decl.label.clone(),
        words::state(mend.state).to_owned(),
        if said.is_empty() { "nothing in any source".to_owned() } else { said.join("; ") },
        on_lists.get(&mend.person).map_or_else(|| "no".to_owned(), |titles| titles.join("; ")),
        mend.value.to_string(),
    ])
}

/// "GP registrations: White British (3 March 2026)", or how it is recorded there when no value is known.
fn in_words(pipeline: &Pipeline, labels: &BTreeMap<&str, &str>, evidence: &ItemEvidence, say: &Say) -> String {
    let source = pipeline.sources.get(usize::from(say.source)).map_or("", |source| source.decl.title.as_str());
    let value = evidence.value(say.value()).map(|value| labels.get(value).copied().unwrap_or(value));
    let date = say.date().and_then(date_of).map(|date| format!(" ({})", words::spoken_date(date))).unwrap_or_default();
    match value {
        Some(value) => format!("{source}: {value}{date}"),
        None => format!("{source}: {}", words::state(say.state)),
    }
}
