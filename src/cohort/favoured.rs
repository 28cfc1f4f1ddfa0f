//! What floors and weights change: who is listed with them and who would be without, after disclosure control.

use super::{Cohorts, equity, listed_by, select};
use crate::audit::groups;
use crate::columns::Columns;
use crate::disclosure::{AggregateTable, Cell, Label};
use crate::error::{Error, Result};
use crate::features::Features;
use crate::link::People;
use crate::pipeline::{Cohort, Pipeline};

/// For each cohort that favours a group: the groups themselves, then every group by which inequality is shown. None where
/// no cohort does.
pub fn table(
    pipeline: &Pipeline,
    people: &People,
    features: &Features,
    scored: &Columns,
    cohorts: &Cohorts,
) -> Result<Option<AggregateTable>> {
    if cohorts.lists.iter().all(|list| list.favoured.is_none()) {
        return Ok(None);
    }
    let header = ["cohort", "split", "group", "because", "people", "listed", "listed_without"];
    let mut table =
        AggregateTable::new("list_favoured", header).part_of("listed", "people").part_of("listed_without", "people");
    let splits = groups::of_run(pipeline, people, features)?;
    let sizes: Vec<Vec<u64>> = splits.iter().map(|split| split.count(|_| true)).collect();
    for (cohort, list) in pipeline.cohorts.iter().zip(&cohorts.lists) {
        let Some(favoured) = &list.favoured else { continue };
        let listed = equity::with_place(people, list);
        let without: Vec<usize> = favoured.listed_without.iter().map(|person| *person as usize).collect();
        let mut row = |split: &str, group: &str, because: &str, counts: [u64; 3]| {
            let [people, listed, without] = counts;
            table.row([
                Cell::Text(Label::new(&list.name)),
                Cell::Text(Label::new(split)),
                Cell::Text(Label::new(group)),
                Cell::Text(Label::new(because)),
                Cell::Count(pipeline.disclosure.count(people)),
                Cell::Count(pipeline.disclosure.part(listed, people)),
                Cell::Count(pipeline.disclosure.part(without, people)),
            ])?;
            if because.is_empty() {
                table.last_counts("people", "people", &["split", "group"]);
                table.last_counts("listed", &listed_by(&list.name), &["split", "group"]);
            }
            Ok::<(), Error>(())
        };
        for (split, group, when, because) in declared(cohort) {
            let members = select::mask(scored, cohort, when)?;
            let among = |some: &[usize]| some.iter().filter(|person| members.value(**person)).count() as u64;
            row(split, group, because, [members.true_count() as u64, among(&listed), among(&without)])?;
        }
        for (split, sizes) in splits.iter().zip(&sizes) {
            let counts = split.among(&listed).into_iter().zip(split.among(&without));
            for ((group, &people), (listed, without)) in split.names.iter().zip(sizes).zip(counts) {
                row(&split.name, group, "", [people, listed, without])?;
            }
        }
    }
    Ok(Some(table))
}

/// What favours whom: "floor" or "weight", group, predicate, why.
fn declared(cohort: &Cohort) -> impl Iterator<Item = (&'static str, &str, &str, &str)> {
    let floors = cohort.capacity.floors.iter();
    let floors = floors.map(|of| ("floor", of.group.as_str(), of.when.as_str(), of.because.as_str()));
    let weights = cohort.capacity.weights.iter();
    floors.chain(weights.map(|of| ("weight", of.group.as_str(), of.when.as_str(), of.because.as_str())))
}
