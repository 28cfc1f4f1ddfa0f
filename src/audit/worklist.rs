//! Whose record to mend first.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use arrow::array::{Array, AsArray, Float64Array, StringArray};
use arrow::datatypes::Float64Type;
use hashbrown::HashMap;

use super::Counts;
use super::groups::Split;
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
    /// What mending is worth: the greatest is mended first. 10,000 for a person on a list; 100 for each percent of people
    /// whose score is lower; 1 for each percent of gaps in this item in the one of the person's groups that has most.
    /// 0 for a person who was asked and declined.
    pub value: u32,
}

/// By who can mend them: the greatest value first, then by token; no more than the audit asks for.
pub fn worklists(
    pipeline: &Pipeline,
    people: &People,
    features: &Features,
    scores: &Scores,
    cohorts: &Cohorts,
    splits: &[Vec<Split>],
    counts: &[Counts],
) -> Result<BTreeMap<String, Vec<Mend>>> {
    let mut all: BTreeMap<String, Vec<Mend>> = BTreeMap::new();
    let on_list = placed(&cohorts.lists, people.tokens.len(), |_| true);
    let risk = percentiles(first_score(pipeline, scores), people.tokens.len());
    for (number, (audit, splits)) in pipeline.audits.iter().zip(splits).enumerate() {
        let Some(menders) = menders(features, audit)? else { continue };
        let most = audit.decl.worklist_rows.map_or(usize::MAX, |rows| rows as usize);
        let names: Vec<&str> = (0..people.tokens.len()).map(|person| mender(&menders, person)).collect();
        let (mut worklists, of) = by_mender(&names);
        // Of each: what a gap has to be worth at least, as far as it is known.
        let mut least = vec![0; worklists.len()];
        for &item in &audit.items {
            let Some(evidence) = people.items.get(item) else { continue };
            let counts: Vec<&Counts> = counts.iter().filter(|of| of.audit == number && of.item == item).collect();
            let rarity: Vec<Vec<u32>> = splits.iter().map(|split| gap_percent(&counts, split)).collect();
            let gaps = evidence.state.iter().zip(0_u32..).filter(|(state, _)| is_gap(**state));
            for (&state, person) in gaps {
                let at = person as usize;
                let listed = u32::from(on_list.get(at) == Some(&true));
                let before_rarity = 10_000 * listed + 100 * risk[at];
                if before_rarity + 100 < least[of[at]] {
                    continue;
                }
                let groups = splits.iter().zip(&rarity).filter_map(|(split, rarity)| rarity.get(split.of[at] as usize));
                let rarity = groups.max().copied().unwrap_or_default();
                let value = if state == RecordingState::Declined { 0 } else { before_rarity + rarity };
                let worklist = &mut worklists[of[at]].1;
                worklist.push(Mend { person, item, state, value });
                if worklist.len() >= most.saturating_mul(4) {
                    shorten(worklist, most);
                    least[of[at]] = worklist.iter().map(|mend| mend.value).min().unwrap_or_default();
                }
            }
        }
        for (mender, mut rows) in worklists.into_iter().filter(|(_, rows)| !rows.is_empty()) {
            shorten(&mut rows, most);
            all.entry(mender.to_owned()).or_default().extend(rows);
        }
    }
    for rows in all.values_mut() {
        rows.sort_unstable_by_key(order);
        rows.dedup_by_key(|mend| (mend.person, mend.item));
    }
    Ok(all)
}

/// Leaves those of the greatest value.
fn shorten(rows: &mut Vec<Mend>, most: usize) {
    if most < rows.len() {
        rows.select_nth_unstable_by_key(most, order);
        rows.truncate(most);
    }
}

fn order(mend: &Mend) -> (Reverse<u32>, u32, usize) {
    (Reverse(mend.value), mend.person, mend.item)
}

/// Empty worklists of everyone who can mend, and by person the place of theirs.
fn by_mender<'a>(names: &[&'a str]) -> (Vec<(&'a str, Vec<Mend>)>, Vec<usize>) {
    let mut numbers: HashMap<&str, usize> = HashMap::new();
    let mut worklists = Vec::new();
    let mut number = |name: &&'a str| {
        *numbers.entry(name).or_insert_with(|| {
            worklists.push((*name, Vec::new()));
            worklists.len() - 1
        })
    };
    let of = names.iter().map(&mut number).collect();
    (worklists, of)
}

/// By group of a split: how many in a hundred have a gap, 99 at most.
fn gap_percent(counts: &[&Counts], split: &Split) -> Vec<u32> {
    let of_split = counts.iter().filter(|of| of.group.as_ref().is_some_and(|(name, _)| *name == split.name));
    let percent = |of: &&Counts| {
        let gaps = of.people - of.states[RecordingState::Known as usize];
        (gaps * 100).checked_div(of.people).unwrap_or_default().min(99) as u32
    };
    of_split.map(percent).collect()
}

/// By person: how many in a hundred of the scored people have a lower score, 99 at most; 0 without a score.
fn percentiles(scores: Option<&Float64Array>, people: usize) -> Vec<u32> {
    let Some(scores) = scores else { return vec![0; people] };
    let mut sorted: Vec<f64> = scores.iter().flatten().collect();
    sorted.sort_unstable_by(f64::total_cmp);
    // For each percent from one on: whoever scores higher than this has at least so many in a hundred below.
    let highest: Vec<f64> = (1..100)
        .filter_map(|percent: usize| sorted.get((percent * sorted.len()).div_ceil(100).checked_sub(1)?).copied())
        .collect();
    let percent = |score: f64| highest.partition_point(|other| other.total_cmp(&score).is_lt());
    scores.iter().map(|score| score.map_or(0, |score| percent(score) as u32)).collect()
}

/// Anything but a known value; who declined is shown too, so that nobody asks in ignorance of it.
pub(super) fn is_gap(state: RecordingState) -> bool {
    state != RecordingState::Known
}

fn menders(features: &Features, audit: &Audit) -> Result<Option<StringArray>> {
    let Some(feature) = audit.worklist_by else { return Ok(None) };
    let column = features.columns.column(feature)?;
    let column = column
        .ok_or_else(|| Error::Fault(format!("audit {}: the feature of its worklists was not made", audit.name)))?;
    words::column(&column).map(Some)
}

fn mender(menders: &StringArray, at: usize) -> &str {
    if at < menders.len() && menders.is_valid(at) { menders.value(at) } else { UNALLOCATED }
}

fn first_score<'a>(pipeline: &Pipeline, scores: &'a Scores) -> Option<&'a Float64Array> {
    let column = scores.batch.column_by_name(&pipeline.models.first()?.name)?;
    column.as_primitive_opt::<Float64Type>()
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn a_percentile_is_the_share_of_lower_scores() {
        for seed in 0..200 {
            println!("seed {seed}");
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            let people = random.random_range(0..250);
            let mut score = || random.random_bool(0.9).then(|| f64::from(random.random_range(0..60)) / 60.0);
            let scores: Vec<Option<f64>> = (0..people).map(|_| score()).collect();
            let scored: Vec<f64> = scores.iter().flatten().copied().collect();
            let below = |score: f64| scored.iter().filter(|other| **other < score).count();
            let percent = |score: f64| (below(score) * 100 / scored.len()).min(99) as u32;
            let expected: Vec<u32> = scores.iter().map(|score| score.map_or(0, percent)).collect();
            assert_eq!(percentiles(Some(&Float64Array::from(scores)), people), expected, "seed {seed}");
        }
        assert_eq!(percentiles(None, 2), [0, 0]);
    }
}
