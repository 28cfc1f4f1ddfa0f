//! Recording gaps: which demographic items are missing, where, for whom.

/// People by what they have in common; those of whom it is not recorded are a group like any other.
pub mod groups;

/// How many people are recorded in which state.
mod count;

/// Whose record to mend first.
mod worklist;

/// What leaves the building, and what goes to those who mend.
mod tables;

pub use tables::write;
pub use worklist::Mend;

use std::collections::BTreeMap;

use crate::cohort::{Cohorts, Place, placed};
use crate::error::Result;
use crate::features::Features;
use crate::link::{People, RecordingState};
use crate::pipeline::Pipeline;
use crate::score::Scores;

/// What the audits of a run found.
#[derive(Debug)]
pub struct Gaps {
    /// By audit and item: all sources first, then each source, then each split.
    pub counts: Vec<Counts>,
    /// By group: how many people there are, and how many have a place on a list.
    pub listed: Vec<Listed>,
    /// Who can mend, and what, in the order in which to do it.
    pub worklists: BTreeMap<String, Vec<Mend>>,
}

/// Everyone of a group in their recording states.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counts {
    /// Index into [`Pipeline::audits`].
    pub audit: usize,
    /// Index into [`Pipeline::items`].
    pub item: usize,
    /// Index into [`Pipeline::sources`]; none for all of them together.
    pub source: Option<usize>,
    /// Split and group; none for everyone.
    pub group: Option<(String, String)>,
    pub people: u64,
    /// As [`RecordingState::ALL`].
    pub states: [u64; RecordingState::ALL.len()],
    /// People of whom this source has no row at all.
    pub no_record: u64,
}

/// Who of a group has a place on a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub split: String,
    pub group: String,
    pub people: u64,
    /// Listed by any cohort; the reserve is not listed.
    pub listed: u64,
}

/// Counts the gaps of every audit and orders the work of mending them.
pub fn gaps(
    pipeline: &Pipeline,
    people: &People,
    features: &Features,
    scores: &Scores,
    cohorts: &Cohorts,
) -> Result<Gaps> {
    Ok(Gaps {
        counts: count::counts(pipeline, people, features)?,
        listed: listed(pipeline, people, features, cohorts)?,
        worklists: worklist::worklists(pipeline, people, features, scores, cohorts)?,
    })
}

fn listed(pipeline: &Pipeline, people: &People, features: &Features, cohorts: &Cohorts) -> Result<Vec<Listed>> {
    let has_place = placed(&cohorts.lists, people.tokens.len(), |place| place == Place::Listed);
    let mut listed = Vec::new();
    for split in groups::of_run(pipeline, people, features)? {
        let places = split.count(|person| has_place.get(person) == Some(&true));
        for ((group, people), listed_here) in split.names.iter().zip(split.count(|_| true)).zip(places) {
            listed.push(Listed { split: split.name.clone(), group: group.clone(), people, listed: listed_here });
        }
    }
    Ok(listed)
}
