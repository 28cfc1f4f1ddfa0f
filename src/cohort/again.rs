//! The exclusions of a cohort, judged again for everyone on a later delivery.

use arrow::array::BooleanArray;

use super::{select, side_by_side};
use crate::error::Result;
use crate::features::Features;
use crate::link::People;
use crate::pipeline::{Cohort, Pipeline};
use crate::score::Scores;

/// By person, in the order of [`People::tokens`]: the first exclusion that holds, as an index into [`Cohort::exclude`].
/// One answer for each of `cohorts` (all of them).
pub fn excluded(
    pipeline: &Pipeline,
    people: &People,
    features: &Features,
    scores: &Scores,
) -> Result<Vec<Vec<Option<usize>>>> {
    let table = side_by_side(people, features, scores)?;
    let of_cohort = |cohort: &Cohort| {
        let masks = cohort.exclude.iter().map(|exclusion| select::mask(&table, cohort, &exclusion.when));
        let masks: Vec<BooleanArray> = masks.collect::<Result<_>>()?;
        Ok((0..table.num_rows()).map(|person| masks.iter().position(|mask| mask.value(person))).collect())
    };
    pipeline.cohorts.iter().map(of_cohort).collect()
}
