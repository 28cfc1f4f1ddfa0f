//! What is counted in every group, and the one table that is counted from people: all other figures are computed from it as
//! it is shown.

use arrow::array::{Array, BooleanArray, Float64Array};
use arrow::buffer::BooleanBuffer;
use arrow::compute::cast;
use arrow::datatypes::DataType;

use super::Compared;
use super::at_random;
use super::groups::{self, EVERYONE, Split};
use super::tables;
use super::tally::{Cells, GroupTally, Tally, Values, by_recording};
use super::worklist::is_gap;
use crate::cohort::{self, Cohorts, Place, placed};
use crate::columns::Columns;
use crate::disclosure::{AggregateTable, Cell, Whole};
use crate::error::{Error, Result};
use crate::expr;
use crate::features::Features;
use crate::link::{People, RecordingState};
use crate::pipeline::{Audit, Counted, Figure, Pipeline};
use crate::score::Scores;

/// The table that is counted from people.
pub const COUNTS: &str = "figure_counts";

/// Stands for every age.
pub const ALL_AGES: &str = "all ages";

/// Of a split by whether an item is recorded.
pub const RECORDED: &str = "recorded";
const RECORDING_OF: &str = "recording of ";

/// The item of a split by whether it is recorded.
pub fn item_of(split: &str) -> Option<&str> {
    split.strip_prefix(RECORDING_OF)
}

/// A figure in every group.
#[derive(Debug)]
pub struct FigureTally {
    /// Index into [`Pipeline::audits`], and into its figures.
    pub audit: usize,
    pub figure: usize,
    /// The figure is about everyone, so that its groups are those of every other table.
    pub about_everyone: bool,
    /// Everyone first, then each group of each split, "not recorded" last.
    pub groups: Vec<GroupTally>,
}

/// Counts every figure of every audit in every group.
pub fn tallies(
    pipeline: &Pipeline,
    people: &People,
    features: &Features,
    scores: &Scores,
    cohorts: &Cohorts,
) -> Result<Vec<FigureTally>> {
    let table = cohort::side_by_side(people, features, scores)?;
    let mut tallies = Vec::new();
    for (number, audit) in pipeline.audits.iter().enumerate() {
        let Some(compare) = &audit.compare else { continue };
        let split = |feature: &usize| groups::of_people(pipeline, people, features, *feature);
        let by: Vec<Split> = compare.by.iter().map(split).collect::<Result<_>>()?;
        let like: Vec<Split> = compare.at_random_by.iter().map(split).collect::<Result<_>>()?;
        let like = at_random::Like::of(like, people.tokens.len());
        let age = compare.age.as_ref().map(split).transpose()?;
        let by: Vec<(Cells, at_random::Likely)> = by
            .into_iter()
            .map(|split| {
                let likely = at_random::likely(&split, &like);
                (Cells::of(split, age.as_ref()), likely)
            })
            .collect();
        let gaps: Vec<(String, BooleanBuffer)> =
            pipeline.items.iter().zip(&people.items).map(|(item, said)| recording(&item.name, &said.state)).collect();
        let everyone = Cells::of(Split::everyone(people.tokens.len()), age.as_ref());
        for (at, figure) in audit.figures.iter().enumerate() {
            let values = values(audit, figure, &table, people, cohorts)?;
            let who = values.who();
            let groups = everyone.count(&values, &who, Vec::new());
            let mut tally = FigureTally { audit: number, figure: at, about_everyone: values.about_everyone(), groups };
            for (cells, likely) in &by {
                let shares = likely.shares(|person| values.holds(person));
                tally.groups.extend(cells.count(&values, &who, shares));
            }
            for (split, gaps) in &gaps {
                tally.groups.extend(by_recording(split, gaps, &values));
            }
            tallies.push(tally);
        }
    }
    Ok(tallies)
}

/// A split by whether an item is recorded, and of whom it is not.
fn recording(item: &str, states: &[RecordingState]) -> (String, BooleanBuffer) {
    (format!("{RECORDING_OF}{item}"), BooleanBuffer::collect_bool(states.len(), |person| is_gap(states[person])))
}

fn values(audit: &Audit, figure: &Figure, table: &Columns, people: &People, cohorts: &Cohorts) -> Result<Values> {
    let fault = || Error::Fault(format!("audit {}: figure {} cannot be counted", audit.name, figure.name));
    let rows = table.num_rows();
    let mask = |sql: &str| -> Result<BooleanArray> {
        expr::compile(sql, &table.schema()).map_err(|_| fault()).and_then(|sql| table.mask(&sql))
    };
    let everyone = || BooleanArray::from(vec![true; rows]);
    let about = figure.decl.among.as_deref().map(mask).transpose()?.unwrap_or_else(everyone);
    let with = |counted: BooleanArray| Values { about: about.clone(), counted, mean: None };
    Ok(match &figure.counts {
        Counted::When(when) => with(mask(when)?),
        Counted::Listed(at) => {
            let lists = at.iter().filter_map(|at| cohorts.lists.get(*at));
            with(placed(lists, rows, |place| place == Place::Listed).into())
        }
        Counted::Known(item) => {
            let states = &people.items.get(*item).ok_or_else(fault)?.state;
            with(states.iter().map(|state| Some(!is_gap(*state))).collect())
        }
        Counted::Mean(column) => {
            let values = cast(&table.by_name(column)?.ok_or_else(fault)?, &DataType::Float64)?;
            let values = Float64Array::from(values.to_data());
            let has = |row: usize| Some(about.value(row) && values.is_valid(row));
            Values {
                about: (0..rows).map(has).collect(),
                counted: BooleanArray::from(vec![false; rows]),
                mean: Some(values),
            }
        }
    })
}

/// `figure_counts`: the figures of every group as counts and means.
pub fn counts(pipeline: &Pipeline, tallies: &[FigureTally]) -> Result<AggregateTable> {
    let header = ["figure", "split", "group", "age", "people", "counted", "mean"];
    let everyone = Whole::Row(&[("split", EVERYONE), ("group", EVERYONE)]);
    let mut table = AggregateTable::new(COUNTS, header)
        .counts("people", "people of", &["figure", "split", "group", "age"])
        .sums("people", "group", everyone)
        .sums("counted", "group", everyone)
        .sums("people", "age", Whole::Row(&[("age", ALL_AGES)]))
        .sums("counted", "age", Whole::Row(&[("age", ALL_AGES)]))
        .part_of("counted", "people");
    for tally in tallies {
        let figure = pipeline.audits.get(tally.audit).and_then(|audit| audit.figures.get(tally.figure));
        let figure = figure.ok_or_else(|| Error::Fault("a figure that was not declared was counted".to_owned()))?;
        for group in &tally.groups {
            let bands = group.bands.iter().map(|(name, tally)| (name.as_str(), tally));
            for (age, counts) in std::iter::once((ALL_AGES, &group.all)).chain(bands) {
                count_row(pipeline, figure, group, (age, counts), &mut table)?;
                if tally.about_everyone && age == ALL_AGES {
                    held_elsewhere(pipeline, figure, group, &mut table);
                }
            }
        }
    }
    Ok(table)
}

fn count_row(
    pipeline: &Pipeline,
    figure: &Figure,
    group: &GroupTally,
    (age, counts): (&str, &Tally),
    table: &mut AggregateTable,
) -> Result<()> {
    let rule = pipeline.disclosure;
    let is_mean = matches!(figure.counts, Counted::Mean(_));
    let mean = counts.sum / counts.people as f64;
    table.row([
        Cell::text(&figure.name),
        Cell::text(&group.split),
        Cell::text(&group.group),
        Cell::text(age),
        Cell::Count(rule.count(counts.people)),
        if is_mean { Cell::Empty } else { Cell::Count(rule.part(counts.counted, counts.people)) },
        if is_mean { Cell::Count(rule.figure(mean, &[counts.people])) } else { Cell::Empty },
    ])
}

/// Says of a row, the last of the table, which of its counts other tables hold too.
fn held_elsewhere(pipeline: &Pipeline, figure: &Figure, group: &GroupTally, table: &mut AggregateTable) {
    let by = ["split", "group"];
    match item_of(&group.split).filter(|_| group.group == RECORDED) {
        Some(item) => {
            let what = tables::recorded(item, EVERYONE, EVERYONE);
            table.last_counts("people", &what, &[]);
        }
        None => table.last_counts("people", "people", &by),
    }
    match &figure.counts {
        Counted::Listed(_) if figure.decl.listed.as_deref() == Some("any") => {
            table.last_counts("counted", "listed", &by)
        }
        Counted::Listed(cohorts) => {
            let names = cohorts.iter().filter_map(|at| pipeline.cohorts.get(*at));
            names.for_each(|cohort| table.last_counts("counted", &cohort::listed_by(&cohort.name), &by));
        }
        Counted::Known(_) => {
            let item = figure.decl.known.as_deref().unwrap_or_default();
            table.last_counts("counted", &tables::recorded(item, &group.split, &group.group), &[]);
        }
        Counted::When(_) | Counted::Mean(_) => {}
    }
}

/// `figures`: what each figure is about, in words.
pub(super) fn about(compared: &[Compared]) -> Result<AggregateTable> {
    let mut table = AggregateTable::new("figures", ["figure", "label", "about", "counts"]);
    for figure in compared.iter().flat_map(|compared| &compared.audit.figures) {
        let counts = match &figure.counts {
            Counted::When(when) => when.clone(),
            Counted::Listed(_) => format!("on a list: {}", figure.decl.listed.as_deref().unwrap_or_default()),
            Counted::Known(_) => format!("known: {}", figure.decl.known.as_deref().unwrap_or_default()),
            Counted::Mean(column) => format!("mean of {column}"),
        };
        let about = figure.decl.among.as_deref().unwrap_or(EVERYONE);
        table.row([&figure.name, &figure.decl.label, about, &counts].map(Cell::text))?;
    }
    Ok(table)
}
