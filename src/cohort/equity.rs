//! Whom the lists reach: places by group, after disclosure control.

use super::{CohortList, Cohorts, Place, placed};
use crate::audit::groups::{self, Split};
use crate::disclosure::{AggregateTable, Cell, Label, Whole, counted};
use crate::error::Result;
use crate::features::Features;
use crate::link::People;
use crate::pipeline::Pipeline;
use crate::receipt::GroupCount;

/// What `list_equity` counts.
const LISTED: &str = "listed by";

/// The name of the counts of people with a place on a cohort's lists.
pub fn listed_by(cohort: &str) -> String {
    counted(LISTED, &[cohort])
}

/// Of which groups the listed are, for the receipt of a run that remembers.
pub fn listed_by_group(people: &People, splits: &[Split], list: &CohortList) -> Vec<GroupCount> {
    let with_place = with_place(people, list);
    let mut counts = Vec::new();
    for split in splits {
        let listed = split.among(&with_place);
        let groups = split.names.iter().zip(listed).filter(|(_, listed)| *listed > 0);
        counts.extend(groups.map(|(group, listed)| GroupCount {
            split: split.name.clone(),
            group: group.clone(),
            listed,
        }));
    }
    counts
}

/// Who has a place on a list.
pub(super) fn with_place(people: &People, list: &CohortList) -> Vec<usize> {
    let has_place = placed([list], people.tokens.len(), |place| place == Place::Listed);
    has_place.iter().enumerate().filter(|(_, has_place)| **has_place).map(|(person, _)| person).collect()
}

/// For each cohort and group: people scored, people with a place, and the share.
pub fn table(pipeline: &Pipeline, people: &People, features: &Features, cohorts: &Cohorts) -> Result<AggregateTable> {
    let everyone = Whole::Row(&[("split", "everyone"), ("group", "everyone")]);
    let mut table =
        AggregateTable::new("list_equity", ["cohort", "split", "group", "people", "listed", "share_listed"])
            .counts("people", "people", &["split", "group"])
            .counts("listed", LISTED, &["cohort", "split", "group"])
            .sums("people", "group", everyone)
            .sums("listed", "group", everyone)
            .part_of("listed", "people");
    let splits = groups::of_run(pipeline, people, features)?;
    let sizes: Vec<Vec<u64>> = splits.iter().map(|split| split.count(|_| true)).collect();
    let rule = pipeline.disclosure;
    for list in &cohorts.lists {
        let with_place = with_place(people, list);
        for (split, sizes) in splits.iter().zip(&sizes) {
            let listed = split.among(&with_place);
            for ((group, &people), listed) in split.names.iter().zip(sizes).zip(listed) {
                table.row([
                    Cell::Text(Label::new(&list.name)),
                    Cell::Text(Label::new(&split.name)),
                    Cell::Text(Label::new(group)),
                    Cell::Count(rule.count(people)),
                    Cell::Count(rule.part(listed, people)),
                    Cell::Count(rule.share(listed, people)),
                ])?;
            }
        }
    }
    Ok(table)
}
