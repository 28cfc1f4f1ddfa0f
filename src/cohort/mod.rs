//! Who is on a list, in what order, and why.

/// From masks to places: the account of one cohort.
mod select;

/// One total order of the people who may be listed.
mod order;

/// Who gets the places: rank, limits, quotas, floors, lottery.
mod places;

/// Why a person is on a list.
mod reason;

/// A list that was made, its places given once more.
pub mod again;

/// Where everyone stood who might have had a place.
mod standing;

/// Whom the lists reach.
mod equity;

/// What floors and weights change.
mod favoured;

/// Values as people read them.
pub mod words;

pub use equity::listed_by;
pub use places::{Drawn, Standing};
pub use select::{Bars, EVERYONE, Scene, UNALLOCATED, on_another_list};

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, Int64Array, StringArray};
use arrow::record_batch::RecordBatch;
use jiff::civil::Date;

use crate::audit::groups;
use crate::columns::Columns;
use crate::error::{Error, Result};
use crate::features::Features;
use crate::gates::NoData;
use crate::history::{self, History};
use crate::link::People;
use crate::pipeline::{Cohort, Pipeline};
use crate::publish::Draft;
use crate::receipt::{CohortAccount, SourceAccount};
use crate::score::Scores;
use crate::sheet;
use select::Owners;

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
    /// First exclusion that held: the declared ones in their order, then those that the run adds.
    pub excluded: Vec<(String, u64)>,
    /// Included, behind the last place and the reserve, or behind a full limit or quota.
    pub below_the_cut: u64,
    /// Lost the lottery for the last places.
    pub not_drawn: u64,
    /// Everyone whose place was drawn for, by recipient, then rank.
    pub drawn: Vec<Drawn>,
    /// Everyone who might have had a place, by recipient, in rank order.
    pub standing: Vec<Standing>,
    /// The last day on which the list holds, where it is limited.
    pub valid_until: Option<Date>,
    /// Where a floor or a weight favours a group: who would be listed without.
    pub favoured: Option<Favoured>,
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
    /// None in a run that does not remember.
    pub past: Option<Past>,
}

/// What earlier runs say of a person on a list of this cohort. By how much a score rose since the previous run is in the
/// column `<model>_change`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Past {
    /// Earlier lists of this cohort that had the person; none makes them new.
    pub times_listed: u32,
    pub first_listed: Option<Date>,
    /// On the previous run's list of this cohort, in reserve or not.
    pub rank: Option<u32>,
}

/// What a list would be without the floors and weights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Favoured {
    /// Indices into [`crate::link::People::tokens`].
    pub listed_without: BTreeSet<u32>,
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
    fn new(cohort: &Cohort) -> Self {
        Self {
            name: cohort.name.clone(),
            rows: Vec::new(),
            not_included: 0,
            excluded: cohort.exclude.iter().map(|exclusion| (exclusion.name.clone(), 0)).collect(),
            below_the_cut: 0,
            not_drawn: 0,
            drawn: Vec::new(),
            standing: Vec::new(),
            valid_until: None,
            favoured: None,
            recipients: BTreeMap::new(),
        }
    }

    fn exclude(&mut self, why: &str) {
        match self.excluded.iter_mut().find(|(name, _)| name == why) {
            Some((_, people)) => *people += 1,
            None => self.excluded.push((why.to_owned(), 1)),
        }
    }

    pub fn listed(&self) -> u64 {
        self.recipients.values().map(|(listed, _)| listed).sum()
    }

    pub fn reserve(&self) -> u64 {
        self.recipients.values().map(|(_, reserve)| reserve).sum()
    }

    /// Scored = listed + reserve + excluded + below the cut + not drawn + not included.
    pub fn balances(&self, scored: u64) -> bool {
        let excluded: u64 = self.excluded.iter().map(|(_, count)| count).sum();
        self.listed() + self.reserve() + excluded + self.below_the_cut + self.not_drawn + self.not_included == scored
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

/// Decides every cohort of the pipeline over everyone scored; with one owner a person, in order of precedence.
pub fn select(
    pipeline: &Pipeline,
    people: &People,
    features: &Features,
    scores: &Scores,
    history: &History,
    no_data: &NoData,
) -> Result<Cohorts> {
    let table = side_by_side(people, features, scores)?;
    let scene = Scene { pipeline, people, features, table: &table, history, no_data };
    let mut owners = Owners::new();
    let mut decided = BTreeMap::new();
    for at in by_precedence(pipeline) {
        let Some(cohort) = pipeline.cohorts.get(at) else { continue };
        let list = select::list(&scene, cohort, &owners)?;
        if pipeline.outreach.one_owner {
            owners.extend(list.rows.iter().map(|row| (row.person, cohort.name.as_str())));
        }
        decided.insert(at, list);
    }
    Ok(Cohorts { lists: decided.into_values().collect() })
}

/// Every cohort once, first owner first, as indices into [`Pipeline::cohorts`].
pub fn by_precedence(pipeline: &Pipeline) -> Vec<usize> {
    let mut order: Vec<usize> = Vec::new();
    for at in pipeline.outreach.precedence.iter().copied().chain(0..pipeline.cohorts.len()) {
        if !order.contains(&at) {
            order.push(at);
        }
    }
    order
}

/// The account of every list.
pub fn accounts(
    pipeline: &Pipeline,
    people: &People,
    features: &Features,
    cohorts: &Cohorts,
) -> Result<Vec<CohortAccount>> {
    let scored = people.tokens.len() as u64;
    let splits = match pipeline.outreach.remember {
        true => groups::of_run(pipeline, people, features)?,
        false => Vec::new(),
    };
    let account = |list: &CohortList| CohortAccount {
        groups: equity::listed_by_group(people, &splits, list),
        ..CohortAccount::of(list, scored)
    };
    Ok(cohorts.lists.iter().map(account).collect())
}

/// Writes `person/lists/<cohort>/` (one file a recipient, and `about.json`) and `aggregate/list_equity.csv`.
pub fn write(
    pipeline: &Pipeline,
    people: &People,
    features: &Features,
    scores: &Scores,
    cohorts: &Cohorts,
    sources: &[SourceAccount],
    draft: &mut Draft,
) -> Result<()> {
    if cohorts.lists.is_empty() {
        return Ok(());
    }
    let table = side_by_side(people, features, scores)?;
    for (cohort, list) in pipeline.cohorts.iter().zip(&cohorts.lists) {
        sheet::write(pipeline, people, sources, &table, cohort, list, draft)?;
        if !list.drawn.is_empty() {
            draft.person_parquet(&format!("draws/{}.parquet", cohort.name), &draws(people, list)?)?;
        }
    }
    draft.person_parquet("places.parquet", &history::places_table(people, cohorts)?)?;
    if pipeline.outreach.remember {
        let file = history::STANDING.trim_start_matches("person/");
        draft.person_parquet(file, &standing::table(people, cohorts)?)?;
    }
    if let Some(table) = favoured::table(pipeline, people, features, &table, cohorts)? {
        draft.aggregate(&table)?;
    }
    draft.aggregate(&equity::table(pipeline, people, features, cohorts)?)
}

/// Who was drawn for, with what probability, and who won: what a later comparison needs.
fn draws(people: &People, list: &CohortList) -> Result<RecordBatch> {
    let drawn = &list.drawn;
    let token = |drawn: &Drawn| people.tokens.get(drawn.person as usize).map(|token| token.reveal());
    let recipients: StringArray = drawn.iter().map(|drawn| Some(&*drawn.recipient)).collect();
    let orders: Int64Array = drawn.iter().map(|drawn| Some(i64::from(drawn.order))).collect();
    let probabilities: Float64Array = drawn.iter().map(|drawn| Some(drawn.probability)).collect();
    let listed: BooleanArray = drawn.iter().map(|drawn| Some(drawn.listed)).collect();
    let columns: [(&str, ArrayRef); 5] = [
        ("person", Arc::new(drawn.iter().map(token).collect::<StringArray>())),
        ("recipient", Arc::new(recipients)),
        ("rank_order", Arc::new(orders)),
        ("probability", Arc::new(probabilities)),
        ("drawn", Arc::new(listed)),
    ];
    Ok(RecordBatch::try_from_iter(columns)?)
}

/// Features and scores as one table: what criteria, ranks and reasons read by name.
pub(crate) fn side_by_side(people: &People, features: &Features, scores: &Scores) -> Result<Columns> {
    let rows = people.tokens.len();
    if features.columns.num_rows() != rows || scores.batch.num_rows() != rows {
        return Err(Error::Fault("features or scores have not exactly one row a person".to_owned()));
    }
    Ok(features.columns.clone().beside(Columns::from(&scores.batch)))
}
