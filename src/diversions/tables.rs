//! What is published of diversions: each emergency for those who may see people, counts by place and month, run charts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Date32Array, StringArray};
use arrow::record_batch::RecordBatch;
use jiff::civil::Date;

use super::{Diversions, Emergency, Fate, find};
use crate::calendar;
use crate::cohort::words::NOT_RECORDED;
use crate::disclosure::{AggregateTable, Cell, Disclosed, Rule, Whole};
use crate::error::Result;
use crate::features::keep::Kept;
use crate::figures::chart;
use crate::link::People;
use crate::pipeline::Pipeline;
use crate::pipeline::measures::Diversion;
use crate::publish::Draft;

const ALL_PLACES: &str = "all places";
const ALL_MONTHS: &str = "all months";
const COUNTS: &str = "diversions";
const SAFETY: &str = "diversion_safety";

/// Writes `person/diversions/<name>.parquet`, `aggregate/diversions.csv` and `diversion_safety.csv`.
pub fn write(pipeline: &Pipeline, people: &People, kept: &Kept, draft: &mut Draft) -> Result<()> {
    if pipeline.measures.diversions.is_empty() {
        return Ok(());
    }
    let mut counts = counts_table();
    let mut safety = safety_table();
    for diversion in &pipeline.measures.diversions {
        let found = find(diversion, pipeline.as_of, kept);
        let path = format!("diversions/{}.parquet", diversion.name);
        draft.person_parquet(&path, &emergencies(diversion, people, kept, &found)?)?;
        for (place, month, cell) in cells(kept, &found) {
            count_rows(pipeline.disclosure, &diversion.name, [&place, &month], &cell, &mut counts)?;
            safety_rows(pipeline.disclosure, diversion, [&place, &month], &cell, &mut safety)?;
        }
    }
    draft.aggregate(&counts)?;
    draft.aggregate(&safety)
}

fn counts_table() -> AggregateTable {
    AggregateTable::new(COUNTS, ["measure", "place", "month", "emergencies", "fate", "count", "share"])
        .counts("emergencies", "emergencies", &["measure", "place", "month"])
        .sums("emergencies", "place", Whole::Row(&[("place", ALL_PLACES)]))
        .sums("emergencies", "month", Whole::Row(&[("month", ALL_MONTHS)]))
        .counts("count", "emergencies by fate", &["measure", "place", "month", "fate"])
        .sums("count", "place", Whole::Row(&[("place", ALL_PLACES)]))
        .sums("count", "month", Whole::Row(&[("month", ALL_MONTHS)]))
        .sums("count", "fate", Whole::Column("emergencies"))
}

fn safety_table() -> AggregateTable {
    AggregateTable::new(SAFETY, ["measure", "place", "month", "fate", "diverted", "within", "failed", "share_failed"])
        .counts("diverted", "emergencies by fate", &["measure", "place", "month", "fate"])
        .sums("failed", "place", Whole::Row(&[("place", ALL_PLACES)]))
        .sums("failed", "month", Whole::Row(&[("month", ALL_MONTHS)]))
        .part_of("failed", "diverted")
}

/// The emergencies of each place and month, of all places and of all months; every one that was declared is there.
fn cells<'a>(kept: &Kept, found: &'a Diversions) -> Vec<(String, String, Vec<&'a Emergency>)> {
    let month = |emergency: &Emergency| calendar::date_of(emergency.day).map(Date::first_of_month);
    let mut by: BTreeMap<(Option<&str>, Option<Date>), Vec<&Emergency>> = BTreeMap::new();
    let place = |emergency: &Emergency| kept.name(emergency.place).unwrap_or(NOT_RECORDED);
    let places: BTreeSet<&str> = found.emergencies.iter().map(place).collect();
    for place in places.into_iter().map(Some).chain([None]) {
        for month in found.months.iter().copied().map(Some).chain([None]) {
            by.insert((place, month), Vec::new());
        }
    }
    for emergency in &found.emergencies {
        for place in [None, Some(place(emergency))] {
            for month in [None, month(emergency)] {
                by.entry((place, month)).or_default().push(emergency);
            }
        }
    }
    let named = |((place, month), emergencies): ((Option<&str>, Option<Date>), _)| {
        let month = month.map_or(ALL_MONTHS.to_owned(), |month| month.strftime("%Y-%m").to_string());
        (place.unwrap_or(ALL_PLACES).to_owned(), month, emergencies)
    };
    by.into_iter().map(named).collect()
}

fn count_rows(
    rule: Rule,
    name: &str,
    at: [&str; 2],
    emergencies: &[&Emergency],
    table: &mut AggregateTable,
) -> Result<()> {
    let all = emergencies.len() as u64;
    for fate in Fate::ALL {
        let count = emergencies.iter().filter(|emergency| emergency.fate == fate).count() as u64;
        let [place, month] = at.map(Cell::text);
        let (all_of_them, part) = (Cell::Count(rule.count(all)), Cell::Count(rule.part(count, all)));
        let share = Cell::Count(rule.share(count, all));
        table.row([Cell::text(name), place, month, all_of_them, Cell::text(fate.name()), part, share])?;
    }
    Ok(())
}

fn safety_rows(
    rule: Rule,
    diversion: &Diversion,
    at: [&str; 2],
    emergencies: &[&Emergency],
    table: &mut AggregateTable,
) -> Result<()> {
    let diverted: Vec<_> = emergencies.iter().filter(|emergency| emergency.fate == Fate::Home).collect();
    let all = diverted.len() as u64;
    for (number, within) in diversion.decl.safe_for.iter().enumerate() {
        let failed = diverted.iter().filter(|emergency| emergency.failed.get(number) == Some(&true)).count() as u64;
        let [place, month] = at.map(Cell::text);
        let counts = [rule.count(all), rule.part(failed, all), rule.share(failed, all)].map(Cell::Count);
        let [all_of_them, part, share] = counts;
        let texts = [Cell::text(&diversion.name), place, month, Cell::text(Fate::Home.name()), all_of_them];
        table.row(texts.into_iter().chain([Cell::text(within), part, share]))?;
    }
    Ok(())
}

fn emergencies(diversion: &Diversion, people: &People, kept: &Kept, found: &Diversions) -> Result<RecordBatch> {
    let all = || found.emergencies.iter();
    let token = |emergency: &Emergency| {
        let on_spine = people.tokens.get(emergency.person as usize);
        let gone = || kept.gone.token(emergency.person.checked_sub(kept.people)?);
        on_spine.or_else(gone).map(|token| token.reveal().to_owned())
    };
    let text = |cells: StringArray| -> ArrayRef { Arc::new(cells) };
    let mut columns: Vec<(String, ArrayRef)> = vec![
        ("person".to_owned(), text(all().map(token).collect())),
        ("date".to_owned(), Arc::new(all().map(|emergency| Some(emergency.day)).collect::<Date32Array>())),
        ("place".to_owned(), text(all().map(|emergency| kept.name(emergency.place)).collect())),
        ("fate".to_owned(), text(all().map(|emergency| Some(emergency.fate.name())).collect())),
    ];
    for (number, days) in diversion.safe_for_days.iter().enumerate() {
        let failed: BooleanArray = all().map(|emergency| emergency.failed.get(number).copied()).collect();
        columns.push((format!("failed_{days}d"), Arc::new(failed)));
    }
    Ok(RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, column)| (name, column, true)))?)
}

/// `diversion_charts`: the share that was diverted from month to month, with the limits of what is usual, from what is shown.
pub fn charts(released: &[AggregateTable]) -> Result<Option<AggregateTable>> {
    let Some(counts) = released.iter().find(|table| table.name() == COUNTS) else { return Ok(None) };
    let mut lines: BTreeMap<[String; 2], Vec<(String, Option<f64>)>> = BTreeMap::new();
    for row in counts.rows() {
        let [Cell::Text(measure), Cell::Text(place), Cell::Text(month), _, Cell::Text(fate), _, Cell::Count(share)] =
            row.as_slice()
        else {
            continue;
        };
        if fate.as_str() == Fate::Home.name() && month.as_str() != ALL_MONTHS {
            let line = lines.entry([measure, place].map(|label| label.as_str().to_owned())).or_default();
            line.push((month.as_str().to_owned(), share.to_string().parse().ok()));
        }
    }
    let mut table = AggregateTable::new(
        "diversion_charts",
        ["measure", "place", "month", "share", "mean", "low", "high", "finding"],
    );
    for (names, points) in lines {
        let names = names.each_ref().map(|name| Cell::text(name));
        let (usual, findings) = chart::told(&points.iter().map(|(_, share)| *share).collect::<Vec<_>>());
        let limits = match usual {
            // A share is never beyond none or all.
            Some(usual) => {
                [usual.mean, usual.limits.low.max(0.0), usual.limits.high.min(100.0)].map(|end| computed(Some(end)))
            }
            None => [Cell::Empty, Cell::Empty, Cell::Empty],
        };
        for ((month, share), finding) in points.iter().zip(&findings) {
            let told =
                [Cell::text(month), computed(*share)].into_iter().chain(limits.clone()).chain([Cell::text(finding)]);
            table.row(names.iter().cloned().chain(told))?;
        }
    }
    Ok(Some(table))
}

fn computed(value: Option<f64>) -> Cell {
    Cell::Count(Disclosed::computed(value))
}
