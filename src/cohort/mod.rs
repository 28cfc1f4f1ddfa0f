//! Who is on a list, in what order, and why.

/// From masks to places: the account of one cohort.
mod select;

/// One total order of the people who may be listed.
mod order;

/// Why a person is on a list.
mod reason;

/// A list as its recipient reads it.
mod list;

/// What goes with a list: its purpose, its law, its counts and who answers for it.
mod about;

/// Whom the lists reach.
mod equity;

/// Values as people read them.
pub mod words;

pub use select::{EVERYONE, UNALLOCATED};

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{FieldRef, Schema};
use arrow::record_batch::{RecordBatch, RecordBatchOptions};

use crate::error::{Error, Result};
use crate::features::Features;
use crate::link::People;
use crate::pipeline::Pipeline;
use crate::publish::Draft;
use crate::score::Scores;

/// The lists of a run, in the order of [`crate::pipeline::Pipeline::cohorts`].
#[derive(Debug)]
pub struct Cohorts {
    pub lists: Vec<CohortList>,
}

/// One cohort: everyone scored is in exactly one of the counts.
#[derive(Debug)]
pub struct CohortList {
    pub name: String,
    /// By recipient, then rank.
    pub rows: Vec<ListRow>,
    /// Scored people who met no set of criteria.
    pub not_included: u64,
    /// First exclusion that held, in declaration order.
    pub excluded: Vec<(String, u64)>,
    /// Included, behind the last place and the reserve.
    pub below_the_cut: u64,
    /// Listed and reserve by recipient.
    pub recipients: BTreeMap<String, (u64, u64)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListRow {
    /// Index into [`crate::link::People::tokens`].
    pub person: u32,
    pub recipient: String,
    /// From 1, within the recipient.
    pub rank: u32,
    pub place: Place,
    /// In plain words, in declaration order.
    pub reasons: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Listed,
    Reserve,
}

impl Place {
    /// The name in outputs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Listed => "listed",
            Self::Reserve => "reserve",
        }
    }
}

impl CohortList {
    pub fn listed(&self) -> u64 {
        self.recipients.values().map(|(listed, _)| listed).sum()
    }

    pub fn reserve(&self) -> u64 {
        self.recipients.values().map(|(_, reserve)| reserve).sum()
    }

    /// Scored = listed + reserve + excluded + below the cut + not included.
    pub fn balances(&self, scored: u64) -> bool {
        let excluded: u64 = self.excluded.iter().map(|(_, count)| count).sum();
        self.listed() + self.reserve() + excluded + self.below_the_cut + self.not_included == scored
    }
}

/// By person: whether any of these lists gives them such a place.
pub fn placed<'a>(
    lists: impl IntoIterator<Item = &'a CohortList>,
    people: usize,
    counts: impl Fn(Place) -> bool,
) -> Vec<bool> {
    let mut placed = vec![false; people];
    for row in lists.into_iter().flat_map(|list| &list.rows).filter(|row| counts(row.place)) {
        if let Some(placed) = placed.get_mut(row.person as usize) {
            *placed = true;
        }
    }
    placed
}

/// Decides every cohort of the pipeline over everyone scored.
pub fn select(pipeline: &Pipeline, people: &People, features: &Features, scores: &Scores) -> Result<Cohorts> {
    let table = side_by_side(people, features, scores)?;
    let lists = pipeline
        .cohorts
        .iter()
        .map(|cohort| select::list(pipeline, people, features, &table, cohort))
        .collect::<Result<_>>()?;
    Ok(Cohorts { lists })
}

/// Writes `person/lists/<cohort>/` (one file a recipient, and `about.json`) and `aggregate/list_equity.csv`.
pub fn write(
    pipeline: &Pipeline,
    people: &People,
    features: &Features,
    scores: &Scores,
    cohorts: &Cohorts,
    draft: &mut Draft,
) -> Result<()> {
    if cohorts.lists.is_empty() {
        return Ok(());
    }
    let table = side_by_side(people, features, scores)?;
    for (cohort, list) in pipeline.cohorts.iter().zip(&cohorts.lists) {
        let headings = list::write(pipeline, people, &table, cohort, list, draft)?;
        let about = about::json(pipeline, cohort, list, table.num_rows(), &headings)?;
        draft.person_bytes(&format!("lists/{}/about.json", cohort.name), about)?;
    }
    draft.aggregate(&equity::table(pipeline, people, features, cohorts)?)
}

/// Features and scores as one batch: what criteria, ranks and reasons read by name.
fn side_by_side(people: &People, features: &Features, scores: &Scores) -> Result<RecordBatch> {
    let rows = people.tokens.len();
    if features.batch.num_rows() != rows || scores.batch.num_rows() != rows {
        return Err(Error::Fault("features or scores have not exactly one row a person".to_owned()));
    }
    let schemas = [features.batch.schema(), scores.batch.schema()];
    let fields: Vec<FieldRef> = schemas.iter().flat_map(|schema| schema.fields().iter().cloned()).collect();
    let columns: Vec<ArrayRef> = features.batch.columns().iter().chain(scores.batch.columns()).cloned().collect();
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    Ok(RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options)?)
}
