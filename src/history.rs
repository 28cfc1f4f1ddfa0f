//! What earlier runs published: an input of a run that remembers (`[outreach] remember = true`).
//!
//! Runs in one output folder follow each other by as-of date. The previous run is the latest one of the same run file
//! with an earlier date, and must be whole; earlier listings are those of every run file: what was released, and as long as
//! nothing was, what runs listed. Both are named in the receipt
//! and part of the run id, so that the same input still gives the same bytes.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int64Array, StringArray};
use arrow::datatypes::{DataType, Field, Float64Type, Int64Type, Schema};
use arrow::record_batch::RecordBatch;
use hashbrown::{HashMap, HashSet};
use jiff::civil::Date;
use sha2::{Digest, Sha256};

use crate::cohort::{Cohorts, Place};
use crate::disclosure::Before;
use crate::error::{Error, Result};
use crate::impact::past::{self, PastList};
use crate::link::{People, Superseded};
use crate::pipeline::Pipeline;
use crate::pseudonym::Pseudonym;
use crate::publish::{self, RunId};
use crate::receipt::Receipt;
use crate::release;
use crate::score::Scores;
use crate::storage::Storage;

/// The file of a run, below its folder, that says who had which place: what later runs remember.
pub const PLACES: &str = "person/places.parquet";

/// The file of a run, below its folder, that says where everyone stood who might have had a place.
pub const STANDING: &str = "person/standing.parquet";

/// The file of a run, below its folder, that says whose record of what was open: what mending is held against.
pub const GAPS: &str = "person/open_items.parquet";

/// Its column beside the person: names of items, with blanks between.
pub const OPEN: &str = "open_items";

/// Everything that is remembered; nothing where a run does not remember.
#[derive(Debug, Default)]
pub struct History {
    pub previous: Option<Previous>,
    pub listings: Listings,
    /// Lists whose impact is measured.
    pub lists: Vec<PastList>,
    /// Earlier runs that left nothing to remember, in words.
    pub warnings: Vec<String>,
}

/// Who was listed before this run's as-of date.
#[derive(Default)]
pub struct Listings {
    /// Oldest first.
    pub by_token: HashMap<Pseudonym, Vec<PastListing>>,
    /// A hash that stands for all of it; none where there was nothing to look at.
    pub digest: Option<String>,
}

/// A place on a list, as the recipient got it; the reserve is none.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PastListing {
    /// As-of date of the list.
    pub date: Date,
    pub cohort: String,
    pub recipient: String,
}

/// The run before this one.
pub struct Previous {
    pub receipt: Receipt,
    /// By cohort and token.
    places: BTreeMap<String, HashMap<Pseudonym, PastPlace>>,
    /// Row of each token in `scores`.
    rows: HashMap<Pseudonym, usize>,
    scores: RecordBatch,
    /// Its aggregate tables.
    pub released: Before,
    /// By item: whose record of it was open; none where the run audited nothing.
    gaps: Option<BTreeMap<String, HashSet<Pseudonym>>>,
}

/// Where a person stood on a list of the previous run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastPlace {
    pub recipient: String,
    pub rank: u32,
    pub place: Place,
}

impl std::fmt::Debug for Listings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Listings").field("people", &self.by_token.len()).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Previous {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Previous").field("run", &self.receipt.run_id).finish_non_exhaustive()
    }
}

/// Reads what the run file asks to remember.
pub fn read(pipeline: &Pipeline, storage: &dyn Storage, out: &Path) -> Result<History> {
    let mut history = History::default();
    if !pipeline.outreach.remember {
        return Ok(history);
    }
    let run_file = format!("{}.toml", pipeline.name);
    let runs = publish::earlier(storage, out, pipeline.as_of)?;
    history.lists = past::read(pipeline, storage, out, &runs)?;
    history.listings = listings(storage, out, pipeline.as_of, &runs, &mut history.warnings)?;
    if let Some((id, _)) = runs.iter().rev().find(|(_, receipt)| receipt.run_file() == run_file) {
        let receipt = publish::whole_run(storage, out, id).map_err(|error| match error {
            Error::Check(why) => Error::Check(format!("the run before this one is no longer what it was: {why}")),
            other => other,
        })?;
        history.previous = Some(Previous::read(storage, out, receipt)?);
    }
    Ok(history)
}

/// Who was listed before a date: what was released, and as long as nothing was, what these runs listed.
pub fn listings(
    storage: &dyn Storage,
    out: &Path,
    before: Date,
    runs: &[(RunId, Receipt)],
    warnings: &mut Vec<String>,
) -> Result<Listings> {
    match release::past_listings(storage, out, before)? {
        Some(released) => Ok(released),
        None => of_runs(storage, out, runs.iter().map(|(_, receipt)| receipt), warnings),
    }
}

/// The listings of published runs: what stands for the truth where nothing was released.
fn of_runs<'a>(
    storage: &dyn Storage,
    out: &Path,
    runs: impl Iterator<Item = &'a Receipt>,
    warnings: &mut Vec<String>,
) -> Result<Listings> {
    let mut listings = Listings::default();
    let mut digest = Sha256::new();
    for receipt in runs.filter(|receipt| !receipt.cohorts.is_empty()) {
        digest.update(receipt.run_id.as_bytes());
        let Some(table) = publish::table(storage, out, receipt, PLACES)? else {
            warnings.push(format!("run {} does not say who was listed: its lists are not remembered", receipt.run_id));
            continue;
        };
        for (person, cohort, place) in places(&table)? {
            if place.place == Place::Listed {
                let listing = PastListing { date: receipt.as_of, cohort, recipient: place.recipient };
                listings.by_token.entry(person).or_default().push(listing);
            }
        }
        listings.digest = Some(publish::hex(&digest.clone().finalize()));
    }
    listings.by_token.values_mut().for_each(|listings| listings.sort());
    Ok(listings)
}

/// The rows of [`PLACES`].
fn places(table: &RecordBatch) -> Result<Vec<(Pseudonym, String, PastPlace)>> {
    let unreadable = || Error::Check("what an earlier run says of its lists cannot be read".to_owned());
    let texts = |name: &str| table.column_by_name(name).and_then(|column| column.as_string_opt::<i32>());
    let (Some(persons), Some(cohorts), Some(recipients), Some(places)) =
        (texts("person"), texts("cohort"), texts("recipient"), texts("place"))
    else {
        return Err(unreadable());
    };
    let ranks = table.column_by_name("rank").and_then(|column| column.as_primitive_opt::<Int64Type>());
    let ranks = ranks.ok_or_else(unreadable)?;
    let row = |row: usize| {
        let place = [Place::Listed, Place::Reserve].into_iter().find(|place| place.name() == places.value(row));
        let rank = u32::try_from(ranks.value(row)).map_err(|_| unreadable())?;
        let recipient = recipients.value(row).to_owned();
        let place = PastPlace { recipient, rank, place: place.ok_or_else(unreadable)? };
        Ok((Pseudonym::new(persons.value(row)), cohorts.value(row).to_owned(), place))
    };
    (0..table.num_rows()).map(row).collect()
}

impl Previous {
    /// What a published run left.
    pub fn read(storage: &dyn Storage, out: &Path, receipt: Receipt) -> Result<Self> {
        let mut by_cohort: BTreeMap<String, HashMap<Pseudonym, PastPlace>> = BTreeMap::new();
        if let Some(table) = publish::table(storage, out, &receipt, PLACES)? {
            for (person, cohort, place) in places(&table)? {
                by_cohort.entry(cohort).or_default().insert(person, place);
            }
        }
        let scores = publish::table(storage, out, &receipt, "person/scores.parquet")?;
        let scores = scores.ok_or_else(|| Error::Check(format!("run {} has no scores", receipt.run_id)))?;
        let tokens = scores.column_by_name("person").and_then(|column| column.as_string_opt::<i32>());
        let tokens = tokens.ok_or_else(|| Error::Check(format!("run {} scores nobody by name", receipt.run_id)))?;
        let rows = tokens.iter().flatten().enumerate().map(|(row, token)| (Pseudonym::new(token), row)).collect();
        let released = publish::released(storage, out, &receipt)?;
        let gaps = publish::table(storage, out, &receipt, GAPS)?.map(|table| open_items(&table)).transpose()?;
        Ok(Self { receipt, places: by_cohort, rows, scores, released, gaps })
    }

    /// Whose record of the item was open; none where the run audited nothing.
    pub fn gaps_in(&self, item: &str) -> Option<HashSet<Pseudonym>> {
        let gaps = self.gaps.as_ref()?;
        Some(gaps.get(item).cloned().unwrap_or_default())
    }

    /// Where the person stood on a list of this cohort.
    pub fn place(&self, cohort: &str, person: &Pseudonym) -> Option<&PastPlace> {
        self.places.get(cohort)?.get(person)
    }

    /// Who had a place on a list of this cohort.
    pub fn listed(&self, cohort: &str) -> impl Iterator<Item = &Pseudonym> {
        let places = self.places.get(cohort).into_iter().flatten();
        places.filter(|(_, place)| place.place == Place::Listed).map(|(person, _)| person)
    }

    /// A score of the person; none where the run did not score them, or had no such model.
    pub fn score(&self, model: &str, person: &Pseudonym) -> Option<f64> {
        let scores = self.scores.column_by_name(model)?.as_primitive_opt::<Float64Type>()?;
        self.rows.get(person).filter(|row| scores.is_valid(**row)).map(|row| scores.value(*row))
    }
}

impl History {
    /// The same with today's tokens: who was listed under an old one is the same person.
    pub fn in_todays_tokens(mut self, superseded: &Superseded) -> Self {
        let fold = |token: &Pseudonym| Pseudonym::new(superseded.fold(&token.reveal()));
        let mut by_token: HashMap<Pseudonym, Vec<PastListing>> = HashMap::new();
        for (token, listings) in self.listings.by_token.drain() {
            by_token.entry(fold(&token)).or_default().extend(listings);
        }
        by_token.values_mut().for_each(|listings| {
            listings.sort();
            listings.dedup();
        });
        self.listings.by_token = by_token;
        past::in_todays_tokens(&mut self.lists, superseded);
        if let Some(previous) = &mut self.previous {
            previous.rows = todays(std::mem::take(&mut previous.rows), fold);
            for places in previous.places.values_mut() {
                *places = todays(std::mem::take(places), fold);
            }
            for open in previous.gaps.iter_mut().flat_map(BTreeMap::values_mut) {
                *open = open.drain().map(|token| fold(&token)).collect();
            }
        }
        self
    }

    /// The person's earlier listings by a cohort, oldest first.
    pub fn listed_by(&self, cohort: &str, person: &Pseudonym) -> impl Iterator<Item = &PastListing> {
        self.listings.by_token.get(person).into_iter().flatten().filter(move |listing| listing.cohort == cohort)
    }

    /// When any list last had the person.
    pub fn last_listed(&self, person: &Pseudonym) -> Option<Date> {
        self.listings.by_token.get(person)?.last().map(|listing| listing.date)
    }

    /// Adds `<model>_change` beside each score: by how much it rose since the previous run, null where that had none.
    pub fn add_changes(&self, pipeline: &Pipeline, people: &People, scores: &mut Scores) -> Result<()> {
        if !pipeline.outreach.remember || pipeline.models.is_empty() {
            return Ok(());
        }
        let mut fields = scores.batch.schema().fields().to_vec();
        let mut columns: Vec<ArrayRef> = scores.batch.columns().to_vec();
        for model in &pipeline.models {
            let now = scores.batch.column_by_name(&model.name).and_then(|now| now.as_primitive_opt::<Float64Type>());
            let now = now.ok_or_else(|| Error::Fault(format!("score {} was not made", model.name)))?;
            let change = |(person, now): (&Pseudonym, Option<f64>)| {
                Some(now? - self.previous.as_ref()?.score(&model.name, person)?)
            };
            let changes: Float64Array = people.tokens.iter().zip(now).map(change).collect();
            fields.push(Arc::new(Field::new(change_of(&model.name), DataType::Float64, true)));
            columns.push(Arc::new(changes));
        }
        scores.batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?;
        Ok(())
    }
}

/// The name of a score's change since the previous run.
pub fn change_of(model: &str) -> String {
    format!("{model}_change")
}

/// By today's tokens; a token that is today's already wins over one that became it.
fn todays<T>(by_token: HashMap<Pseudonym, T>, fold: impl Fn(&Pseudonym) -> Pseudonym) -> HashMap<Pseudonym, T> {
    let mut sorted: Vec<(Pseudonym, T)> = by_token.into_iter().collect();
    sorted.sort_by(|(a, _), (b, _)| a.cmp(b));
    let mut todays = HashMap::with_capacity(sorted.len());
    for (token, what) in sorted {
        let now = fold(&token);
        if now == token || !todays.contains_key(&now) {
            todays.insert(now, what);
        }
    }
    todays
}

/// The rows of [`GAPS`], by item.
fn open_items(table: &RecordBatch) -> Result<BTreeMap<String, HashSet<Pseudonym>>> {
    let texts = |name: &str| table.column_by_name(name).and_then(|column| column.as_string_opt::<i32>());
    let (Some(persons), Some(open)) = (texts("person"), texts(OPEN)) else {
        return Err(Error::Check("what an earlier run says of its gaps cannot be read".to_owned()));
    };
    let mut gaps: BTreeMap<String, HashSet<Pseudonym>> = BTreeMap::new();
    for (person, open) in persons.iter().flatten().zip(open.iter().flatten()) {
        for item in open.split_whitespace() {
            gaps.entry(item.to_owned()).or_default().insert(Pseudonym::new(person));
        }
    }
    Ok(gaps)
}

/// The table behind [`PLACES`]: person, cohort, recipient, rank and place of every row of every list.
pub fn places_table(people: &People, cohorts: &Cohorts) -> Result<RecordBatch> {
    let rows = || cohorts.lists.iter().flat_map(|list| list.rows.iter().map(move |row| (list, row)));
    let token = |person: u32| people.tokens.get(person as usize).map(|token| token.reveal());
    let text = |cells: StringArray| -> ArrayRef { Arc::new(cells) };
    let ranks: Int64Array = rows().map(|(_, row)| Some(i64::from(row.rank))).collect();
    Ok(RecordBatch::try_from_iter([
        ("person", text(rows().map(|(_, row)| token(row.person)).collect())),
        ("cohort", text(rows().map(|(list, _)| Some(list.name.as_str())).collect())),
        ("recipient", text(rows().map(|(_, row)| Some(row.recipient.as_str())).collect())),
        ("rank", Arc::new(ranks)),
        ("place", text(rows().map(|(_, row)| Some(row.place.name())).collect())),
    ])?)
}
