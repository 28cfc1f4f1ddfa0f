//! Recording gaps: which demographic items are missing, where, for whom.

/// People by what they have in common; those of whom it is not recorded are a group like any other.
pub mod groups;

/// How many people are recorded in which state.
mod count;

/// How each provider's records record.
mod providers;

/// The national index of data quality.
pub mod dqmi;

/// What the rules of resolution make of the same evidence.
mod resolution;

/// Whether what is recorded at one step of care is recorded at the next.
mod pathways;

/// Who is linked, and who may be linked wrongly.
mod linkage;

/// Whose record to mend first.
mod worklist;

/// What was mended since the run before.
mod mended;

/// What leaves the building, and what goes to those who mend.
mod tables;

/// What is counted in every group.
mod inequality;

/// A figure counted from people.
mod tally;

/// What the unrecorded would be if they were like the recorded.
mod at_random;

/// The counts of figures as they are shown.
mod shown;

/// Figures of inequality with their intervals.
mod comparison;

/// How far every inequality could move.
mod bounds;

/// Who is hidden by a gap.
mod hidden;

/// Figures from run to run.
mod trend;

pub use inequality::FigureTally;
pub use mended::Mended;
pub use tables::write;
pub use tally::GroupTally;
pub use worklist::Mend;

use std::collections::BTreeMap;

use crate::cohort::{Cohorts, Place, placed};
use crate::disclosure::{AggregateTable, Before};
use crate::error::Result;
use crate::features::Features;
use crate::history::History;
use crate::link::{People, RecordingState};
use crate::pipeline::decl::CompareDecl;
use crate::pipeline::{Audit, Pipeline};
use crate::score::Scores;
use crate::workers;
use groups::Split;
use shown::ShownFigure;

/// What the audits of a run found.
#[derive(Debug)]
pub struct Gaps {
    /// By audit and item: all sources first, then each source, then each split.
    pub counts: Vec<Counts>,
    /// By group: how many people there are, and how many have a place on a list.
    pub listed: Vec<Listed>,
    /// What is counted in every group.
    pub figures: Vec<FigureTally>,
    /// Who can mend, and what, in the order in which to do it.
    pub worklists: BTreeMap<String, Vec<Mend>>,
    /// By item; none without a run before that is remembered.
    pub mended: Option<Vec<Mended>>,
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
    history: &History,
    workers: usize,
) -> Result<Gaps> {
    let splits = pipeline.audits.iter().map(|audit| {
        audit.split_by.iter().map(|&feature| groups::of_people(pipeline, people, features, feature)).collect()
    });
    let splits: Vec<Vec<Split>> = splits.collect::<Result<_>>()?;
    let (figures, (counts, worklists)) = workers::both(
        workers,
        || inequality::tallies(pipeline, people, features, scores, cohorts),
        || {
            let counts = count::counts(pipeline, people, &splits)?;
            let worklists = worklist::worklists(pipeline, people, features, scores, cohorts, &splits, &counts)?;
            Ok((counts, worklists))
        },
    )?;
    Ok(Gaps {
        counts,
        listed: listed(pipeline, people, features, cohorts)?,
        figures,
        worklists,
        mended: history.previous.as_ref().map(|previous| mended::since(pipeline, people, previous)),
    })
}

/// The tables that are computed from the released counts of figures.
pub fn figures(
    pipeline: &Pipeline,
    gaps: &Gaps,
    released: &[AggregateTable],
    before: &Before,
) -> Result<Vec<AggregateTable>> {
    let shown = shown::read(released);
    let mut compared = Vec::new();
    for (number, audit) in pipeline.audits.iter().enumerate().filter(|(_, audit)| !audit.figures.is_empty()) {
        let Some(compare) = &audit.compare else { continue };
        let of_audit = |(_, tally): &(&ShownFigure, &FigureTally)| tally.audit == number;
        let figures = shown.iter().zip(&gaps.figures).filter(of_audit).collect();
        compared.push(Compared { audit, decl: &compare.decl, figures });
    }
    if compared.is_empty() {
        return Ok(Vec::new());
    }
    Ok(vec![
        inequality::about(&compared)?,
        comparison::table(&compared)?,
        bounds::table(pipeline.disclosure, &compared)?,
        comparison::funnel(&compared)?,
        hidden::table(&shown)?,
        trend::table(pipeline.as_of, &shown, before)?,
    ])
}

/// The figures of an audit as they are shown, and by what they are compared.
struct Compared<'a> {
    audit: &'a Audit,
    decl: &'a CompareDecl,
    figures: Vec<(&'a ShownFigure, &'a FigureTally)>,
}

fn listed(pipeline: &Pipeline, people: &People, features: &Features, cohorts: &Cohorts) -> Result<Vec<Listed>> {
    let has_place = placed(&cohorts.lists, people.tokens.len(), |place| place == Place::Listed);
    let with_place: Vec<usize> = (0..has_place.len()).filter(|person| has_place[*person]).collect();
    let mut listed = Vec::new();
    for split in groups::of_run(pipeline, people, features)? {
        let places = split.among(&with_place);
        for ((group, people), listed_here) in split.names.iter().zip(split.count(|_| true)).zip(places) {
            listed.push(Listed { split: split.name.clone(), group: group.clone(), people, listed: listed_here });
        }
    }
    Ok(listed)
}
