//! Lists of earlier runs, as this run looks back on them: who stood where, and what was known of them then.

use std::path::Path;

use arrow::array::{Array, AsArray, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use arrow::record_batch::RecordBatch;
use hashbrown::HashMap;
use jiff::civil::Date;

use crate::cohort::words;
use crate::error::{Error, Result};
use crate::history;
use crate::link::Superseded;
use crate::pipeline::Pipeline;
use crate::pipeline::measures::Impact;
use crate::pseudonym::Pseudonym;
use crate::publish::{self, RunId};
use crate::receipt::Receipt;
use crate::release;
use crate::storage::Storage;

/// One list of one recipient.
#[derive(Debug, Clone)]
pub struct PastList {
    pub cohort: String,
    /// The day on which it was sent; of runs of which nothing is released, their as-of date.
    pub day: Date,
    /// In rank order: listed or not.
    pub people: Vec<Stood>,
}

/// Somebody who met the criteria of a list, on it or not.
#[derive(Debug, Clone)]
pub struct Stood {
    pub token: Pseudonym,
    pub listed: bool,
    /// Of a place, where it was drawn for.
    pub probability: Option<f64>,
    /// By impact: how near, and what must be the same; none where it was not known.
    pub like: Vec<Option<(f64, String)>>,
}

/// The lists of earlier runs whose follow-up is over; nothing where no impact is measured.
pub fn read(
    pipeline: &Pipeline,
    storage: &dyn Storage,
    out: &Path,
    runs: &[(RunId, Receipt)],
) -> Result<Vec<PastList>> {
    let impacts = &pipeline.measures.impacts;
    let mut lists = Vec::new();
    if impacts.is_empty() {
        return Ok(lists);
    }
    let sent = release::sent_lists(storage, out, pipeline.as_of)?;
    let first = impacts.iter().filter_map(|impact| impact.within.first_day(pipeline.as_of)).min();
    for (_, receipt) in runs.iter().filter(|(_, receipt)| first.is_none_or(|first| receipt.as_of >= first)) {
        let wanted = |cohort: &str| impacts.iter().any(|impact| impact.measures(pipeline, cohort));
        if !receipt.cohorts.iter().any(|account| wanted(&account.cohort)) {
            continue;
        }
        let Some(standing) = publish::table(storage, out, receipt, history::STANDING)? else { continue };
        let known = Known::read(pipeline, storage, out, receipt)?;
        for ((cohort, recipient), people) in stood(&standing, &known)? {
            let key = (receipt.run_id.clone(), cohort, recipient);
            let day = sent.as_ref().map_or(Some(receipt.as_of), |sent| sent.get(&key).copied());
            if let Some(day) = day.filter(|_| wanted(&key.1)) {
                lists.push(PastList { cohort: key.1, day, people });
            }
        }
    }
    Ok(lists)
}

impl Impact {
    /// Whether it looks at the lists of a cohort.
    pub fn measures(&self, pipeline: &Pipeline, cohort: &str) -> bool {
        self.cohorts.iter().filter_map(|at| pipeline.cohorts.get(*at)).any(|known| known.name == cohort)
    }
}

/// What an earlier run knew of its people.
struct Known {
    rows: HashMap<String, usize>,
    /// By impact, then row.
    like: Vec<Vec<Option<(f64, String)>>>,
}

impl Known {
    fn read(pipeline: &Pipeline, storage: &dyn Storage, out: &Path, receipt: &Receipt) -> Result<Self> {
        let table = |path: &str| {
            let table = publish::table(storage, out, receipt, path)?;
            table.ok_or_else(|| Error::Check(format!("run {} has no {path}", receipt.run_id)))
        };
        let (scores, features) = (table("person/scores.parquet")?, table("person/features.parquet")?);
        let rows = texts(&scores, "person")?.iter().flatten().enumerate().map(|(at, token)| (token.to_owned(), at));
        let rows = rows.collect();
        let like = pipeline.measures.impacts.iter().map(|impact| like(impact, &scores, &features));
        Ok(Self { rows, like: like.collect::<Result<_>>()? })
    }
}

/// By row: the number by which the nearest are taken, and what must be the same; none where that run did not have it.
fn like(impact: &Impact, scores: &RecordBatch, features: &RecordBatch) -> Result<Vec<Option<(f64, String)>>> {
    let column = |name: &str| scores.column_by_name(name).or_else(|| features.column_by_name(name));
    let matched = &impact.decl.matched;
    let nothing = || vec![None; scores.num_rows()];
    let Some(nearest) = column(&matched.nearest) else { return Ok(nothing()) };
    let nearest = cast(nearest, &DataType::Float64)?;
    let nearest = nearest.as_primitive::<Float64Type>();
    let mut same = Vec::new();
    for name in &matched.same {
        let Some(column) = column(name) else { return Ok(nothing()) };
        same.push(words::column(column)?);
    }
    let of = |row: usize| {
        let texts =
            same.iter().map(|column| if column.is_valid(row) { column.value(row) } else { words::NOT_RECORDED });
        let same = texts.collect::<Vec<_>>().join("\u{1f}");
        nearest.is_valid(row).then(|| (nearest.value(row), same))
    };
    Ok((0..scores.num_rows()).map(of).collect())
}

type ByList = Vec<((String, String), Vec<Stood>)>;

/// The rows of a run's standing, by cohort and recipient.
fn stood(table: &RecordBatch, known: &Known) -> Result<ByList> {
    let (persons, cohorts, recipients) = (texts(table, "person")?, texts(table, "cohort")?, texts(table, "recipient")?);
    let unreadable = || Error::Check("what an earlier run says of its ranks cannot be read".to_owned());
    let column = |name: &str| table.column_by_name(name).ok_or_else(unreadable);
    let listed = column("listed")?.as_boolean_opt().ok_or_else(unreadable)?.clone();
    let odds = column("probability")?.as_primitive_opt::<Float64Type>().ok_or_else(unreadable)?.clone();
    column("position")?.as_primitive_opt::<Int64Type>().ok_or_else(unreadable)?;
    let mut lists: ByList = Vec::new();
    for row in 0..table.num_rows() {
        let key = (cohorts.value(row).to_owned(), recipients.value(row).to_owned());
        let token = persons.value(row);
        let at = known.rows.get(token);
        let like = known.like.iter().map(|like| at.and_then(|at| like.get(*at).cloned().flatten()));
        let stood = Stood {
            token: Pseudonym::new(token),
            listed: listed.value(row),
            probability: odds.is_valid(row).then(|| odds.value(row)),
            like: like.collect(),
        };
        match lists.last_mut().filter(|(last, _)| *last == key) {
            Some((_, people)) => people.push(stood),
            None => lists.push((key, vec![stood])),
        }
    }
    Ok(lists)
}

fn texts<'a>(table: &'a RecordBatch, name: &str) -> Result<&'a StringArray> {
    let column = table.column_by_name(name).and_then(|column| column.as_string_opt::<i32>());
    column.ok_or_else(|| Error::Check(format!("a table of an earlier run has no column {name}")))
}

/// The same with today's tokens.
pub fn in_todays_tokens(lists: &mut [PastList], superseded: &Superseded) {
    for stood in lists.iter_mut().flat_map(|list| &mut list.people) {
        stood.token = Pseudonym::new(superseded.fold(&stood.token.reveal()));
    }
}
