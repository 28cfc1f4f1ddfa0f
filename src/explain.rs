//! From a row of a list back to the rows behind it.

/// A person's scores taken apart.
mod decomposition;

/// A person's web of care as a picture.
mod web;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use arrow::array::{Array, AsArray};
use arrow::record_batch::RecordBatch;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde::Serialize;

use crate::calendar;
use crate::conform::{self, Chunk, Engine, Fate, Texts, cell_text};
use crate::error::{Error, Result};
use crate::features;
use crate::link::{self, Ledger, Linked, Outcome, Records};
use crate::pipeline::Pipeline;
use crate::pipeline::decl::Role;
use crate::pseudonym::Pseudonym;
use crate::publish::{self, RunId};
use crate::receipt::Receipt;
use crate::release::Crosswalk;
use crate::source;
use crate::storage::LocalDisk;
pub use decomposition::{Added, Decomposition};
pub use web::web;

/// All that a run knows of one person; for those with a right to see people.
#[derive(Debug, Serialize)]
pub struct Explanation {
    pub run: String,
    pub as_of: String,
    pub scores: BTreeMap<String, String>,
    pub features: BTreeMap<String, String>,
    /// By cohort: the list row, column by column.
    pub lists: Vec<ListEntry>,
    /// What each feature adds to each score, if the declarations were given.
    pub models: Option<Vec<Decomposition>>,
    /// Delivered rows of this person, if the deliveries were given.
    pub rows: Option<Vec<SourceRow>>,
}

#[derive(Debug, Serialize)]
pub struct ListEntry {
    /// The list's path within the run.
    pub list: String,
    pub row: BTreeMap<String, String>,
}

/// One delivered row: where it stands, what became of it, and which features count it.
#[derive(Debug, Serialize, PartialEq, Eq, PartialOrd, Ord)]
pub struct SourceRow {
    pub source: String,
    pub file: String,
    pub row: u64,
    pub outcome: &'static str,
    pub counts_in: Vec<String>,
}

/// Explains one person of a published run; with a pipeline, from its deliveries up.
pub fn explain(
    out: &Path,
    id: &RunId,
    token: &Pseudonym,
    pipeline: Option<&Pipeline>,
    engine: Engine,
) -> Result<Explanation> {
    let run = &publish::folder_of(out, id);
    let receipt = publish::receipt_of(&LocalDisk, out, id)?;
    let features = person_row(&run.join("person/features.parquet"), token)?;
    let scores = person_row(&run.join("person/scores.parquet"), token)?;
    let (Some(features), Some(scores)) = (features, scores) else {
        return Err(Error::Check(format!("run {} scored no person with this token", receipt.run_id)));
    };
    let texts_of_features = texts(&features, 0);
    let rows =
        pipeline.map(|pipeline| source_rows(pipeline, out, &receipt, token, &texts_of_features, engine)).transpose()?;
    let models = pipeline.map(|pipeline| decomposition::decompose(pipeline, &features, &scores)).transpose()?;
    Ok(Explanation {
        run: receipt.run_id.clone(),
        as_of: receipt.as_of.to_string(),
        scores: texts(&scores, 0),
        features: texts_of_features,
        lists: lists(run, &receipt, token)?,
        models,
        rows,
    })
}

/// A person's row, as a table of one.
fn person_row(path: &Path, token: &Pseudonym) -> Result<Option<RecordBatch>> {
    let unreadable = || Error::Check(format!("{} cannot be read as Parquet", path.display()));
    let file = std::fs::File::open(path).map_err(|error| Error::storage("cannot open", path, &error))?;
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|_| unreadable())?;
    for batch in reader.build().map_err(|_| unreadable())? {
        let batch = batch?;
        let Some(tokens) = batch.column_by_name("person").and_then(|tokens| tokens.as_string_opt::<i32>()) else {
            return Err(unreadable());
        };
        if let Some(row) = (0..tokens.len()).find(|row| tokens.value(*row) == &*token.reveal()) {
            return Ok(Some(batch.slice(row, 1)));
        }
    }
    Ok(None)
}

/// The columns of a row, blank ones left out.
fn texts(batch: &RecordBatch, row: usize) -> BTreeMap<String, String> {
    let schema = batch.schema();
    let mut texts = BTreeMap::new();
    for (field, column) in schema.fields().iter().zip(batch.columns()) {
        let mut text = String::new();
        match column.as_primitive_opt::<arrow::datatypes::Float64Type>() {
            Some(numbers) if numbers.is_valid(row) => text = numbers.value(row).to_string(),
            _ => cell_text(column, row, &mut text),
        }
        if field.name() != "person" && !text.is_empty() {
            texts.insert(field.name().clone(), text);
        }
    }
    texts
}

/// The person's row of every list, from its CSV or, where there is none, its Parquet file.
fn lists(run: &Path, receipt: &Receipt, token: &Pseudonym) -> Result<Vec<ListEntry>> {
    let paths: BTreeSet<&str> = receipt.outputs.iter().map(|output| output.path.as_str()).collect();
    let mut entries = Vec::new();
    for path in paths.iter().filter(|path| path.starts_with("person/lists/")) {
        let row = match path.rsplit_once('.') {
            Some((_, "csv")) => csv_row(&run.join(path), token)?,
            Some((stem, "parquet")) if !paths.contains(format!("{stem}.csv").as_str()) => {
                person_row(&run.join(path), token)?.map(|row| texts(&row, 0))
            }
            _ => None,
        };
        entries.extend(row.map(|row| ListEntry { list: (*path).to_owned(), row }));
    }
    Ok(entries)
}

fn csv_row(path: &Path, token: &Pseudonym) -> Result<Option<BTreeMap<String, String>>> {
    let text = std::fs::read(path).map_err(|error| Error::storage("cannot read", path, &error))?;
    let mut records = publish::read_csv(&text).into_iter();
    let header = records.next().unwrap_or_default();
    let Some(person) = header.iter().position(|name| name == "person") else { return Ok(None) };
    // A list in CSV sets an apostrophe before what a spreadsheet would take for a formula.
    let token = token.reveal();
    let is_token = |cell: &String| **cell == *token || cell.strip_prefix('\'').is_some_and(|cell| cell == &*token);
    let mine = records.find(|record| record.get(person).is_some_and(is_token));
    Ok(mine.map(|record| header.into_iter().zip(record).filter(|(name, _)| name != "person").collect()))
}

/// Every delivered row with one of the person's tokens.
fn source_rows(
    pipeline: &Pipeline,
    out: &Path,
    receipt: &Receipt,
    token: &Pseudonym,
    features: &BTreeMap<String, String>,
    engine: Engine,
) -> Result<Vec<SourceRow>> {
    let mut delivered = source::find(pipeline)?;
    delivered.released = Crosswalk::of(&LocalDisk, out, pipeline)?;
    let id = crate::outputs::run_id(pipeline, &delivered, &receipt.basis);
    if id.as_str() != receipt.run_id {
        return Err(Error::Check(format!(
            "these declarations and deliveries make run {id}, not run {}: they have changed since",
            receipt.run_id
        )));
    }
    let conformed = conform::conform(pipeline, &delivered, engine)?;
    let records = link::link(&conformed)?;
    let tokens = records.superseded.all_of(&token.reveal());
    let day = |feature: usize| {
        let text = features.get(&pipeline.features[feature].name)?;
        text.parse().ok().map(calendar::epoch_days)
    };
    let mut all = BTreeSet::new();
    for (index, source) in pipeline.sources.iter().enumerate() {
        if matches!(source.decl.role, Role::Lookup | Role::Superseded) {
            continue;
        }
        let (states, _) = conformed.scan(index, Vec::new, |found: &mut Vec<SourceRow>, chunk| {
            found.extend(rows_of(&records, index, &chunk, &tokens, &day)?);
            Ok(())
        })?;
        all.extend(states.into_iter().flatten());
    }
    Ok(all.into_iter().collect())
}

fn rows_of(
    records: &Records,
    source: usize,
    chunk: &Chunk,
    tokens: &BTreeSet<String>,
    day: &dyn Fn(usize) -> Option<i32>,
) -> Result<Vec<SourceRow>> {
    let pipeline = records.conformed.pipeline;
    let declared = &pipeline.sources[source];
    let Some(column) = chunk.batch.column_by_name("person") else { return Ok(Vec::new()) };
    let Some(column) = Texts::of(column) else { return Ok(Vec::new()) };
    let mine = |row: usize| column.borrowed(row).is_some_and(|token| tokens.contains(token));
    let mut linked = Linked::default();
    let mut outcomes: Vec<(u32, Outcome)> = Vec::new();
    records.each_row(declared.decl.role, chunk, &mut Ledger::default(), |row, outcome, person, day| {
        if !mine(row as usize) {
            return;
        }
        outcomes.push((row, outcome));
        if outcome == Outcome::Used
            && chunk.fates[row as usize] == Fate::Good
            && let Some(person) = person
        {
            linked.rows.push(row);
            linked.persons.push(person);
            linked.days.push(day);
        }
    })?;
    let behind = features::behind(pipeline, source, records.tokens.len(), chunk, &linked, day)?;
    let name = |feature: usize| pipeline.features[feature].name.clone();
    let rows = outcomes.into_iter().map(|(row, outcome)| SourceRow {
        source: declared.name.clone(),
        file: records.conformed.delivered.sources[source].files[chunk.file].name.clone(),
        row: chunk.rows[row as usize],
        outcome: outcome.name(),
        counts_in: behind.iter().filter(|(other, _)| *other == row).map(|(_, feature)| name(*feature)).collect(),
    });
    Ok(rows.collect())
}
