//! What floors and weights change: who is listed with them and who would be without, after disclosure control.

use super::{Cohorts, Place, listed_by, placed, select};
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
    for (cohort, list) in pipeline.cohorts.iter().zip(&cohorts.lists) {
        let Some(favoured) = &list.favoured else { continue };
        let listed = placed([list], people.tokens.len(), |place| place == Place::Listed);
        let without = |person: usize| u32::try_from(person).is_ok_and(|at| favoured.listed_without.contains(&at));
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
            let count = |counts: &dyn Fn(usize) -> bool| {
                (0..members.len()).filter(|person| members.value(*person) && counts(*person)).count() as u64
            };
            let counts = [count(&|_| true), count(&|person| listed.get(person) == Some(&true)), count(&without)];
            row(split, group, because, counts)?;
        }
        for split in &splits {
            let counts = split.count(|person| listed.get(person) == Some(&true)).into_iter().zip(split.count(without));
            let groups = split.names.iter().zip(split.count(|_| true)).zip(counts);
            for ((group, people), (listed, without)) in groups {
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
