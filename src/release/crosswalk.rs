//! Which person a recipient's token stands for, and who was on a list before.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array, StringArray};
use arrow::datatypes::Int64Type;
use arrow::record_batch::RecordBatch;
use bytes::Bytes;
use jiff::civil::Date;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::ledger::{Entry, Event, Ledger};
use crate::cohort::Place;
use crate::error::{Error, Result};
use crate::history::{Listings, PastListing};
use crate::pipeline::Pipeline;
use crate::pipeline::decl::Tokens;
use crate::pseudonym::{Pseudonym, Revealed};
use crate::storage::Storage;

/// The file, within the folder of a release.
pub(super) const FILE: &str = "person/crosswalk.parquet";

/// Whose token a recipient sent back, as the releases before an as-of date say.
#[derive(Debug, Default)]
pub struct Crosswalk {
    people: BTreeMap<(String, Pseudonym), Pseudonym>,
    /// SHA-256 of the last line of the ledger that was read, and the bytes up to it: an input of the run.
    pub ledger: Option<(String, u64)>,
}

impl Crosswalk {
    /// Reads the releases before the pipeline's as-of date, withdrawn ones too; nothing where no source needs
    /// them, but a ledger whose chain is broken is an error even then.
    pub fn of(storage: &dyn Storage, out: &Path, pipeline: &Pipeline) -> Result<Self> {
        let ledger = Ledger::read(storage, out)?;
        if pipeline.sources.iter().all(|source| source.decl.tokens == Tokens::Source) {
            return Ok(Self::default());
        }
        let (entries, head) = ledger.before(pipeline.as_of);
        let mut people = BTreeMap::new();
        for entry in entries.iter().filter(|entry| matches!(entry.event, Event::Release(_))) {
            let rows = read(storage, &ledger, entry)?;
            people.extend(rows.into_iter().map(|row| ((row.recipient, row.token), row.person)));
        }
        Ok(Self { people, ledger: head })
    }

    /// The token that all sources share, of the person for whom this one was released to this recipient.
    pub fn person(&self, recipient: &str, token: &str) -> Option<Revealed<'_>> {
        self.people.get(&(recipient.to_owned(), Pseudonym::new(token))).map(Pseudonym::reveal)
    }
}

/// One person on one list that was released.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub recipient: String,
    pub cohort: String,
    pub token: Pseudonym,
    pub person: Pseudonym,
    pub rank: i64,
    /// "listed" or "reserve".
    pub status: String,
}

/// The table of a release.
pub(super) fn table(rows: &[Row]) -> Result<RecordBatch> {
    let text =
        |of: fn(&Row) -> &str| -> ArrayRef { Arc::new(rows.iter().map(|row| Some(of(row))).collect::<StringArray>()) };
    let tokens = |of: fn(&Row) -> &Pseudonym| -> ArrayRef {
        Arc::new(rows.iter().map(|row| Some(of(row).reveal())).collect::<StringArray>())
    };
    let ranks: ArrayRef = Arc::new(rows.iter().map(|row| Some(row.rank)).collect::<Int64Array>());
    Ok(RecordBatch::try_from_iter([
        ("recipient", text(|row| &row.recipient)),
        ("cohort", text(|row| &row.cohort)),
        ("token", tokens(|row| &row.token)),
        ("person", tokens(|row| &row.person)),
        ("rank", ranks),
        ("status", text(|row| &row.status)),
    ])?)
}

/// The rows of a release.
pub(super) fn read(storage: &dyn Storage, ledger: &Ledger, entry: &Entry) -> Result<Vec<Row>> {
    let path = ledger.folder_of(storage, entry).join(FILE);
    let bytes = storage.read(&path).map_err(|error| Error::storage("cannot read", &path, &error))?;
    let unreadable = || Error::Check(format!("{} cannot be read as a crosswalk", path.display()));
    let reader = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(bytes)).map_err(|_| unreadable())?;
    let mut rows = Vec::new();
    for batch in reader.build().map_err(|_| unreadable())? {
        let batch = batch.map_err(|_| unreadable())?;
        let text = |name: &str| batch.column_by_name(name).and_then(|column| column.as_string_opt::<i32>());
        let ranks = batch.column_by_name("rank").and_then(|column| column.as_primitive_opt::<Int64Type>());
        let columns = (text("recipient"), text("cohort"), text("token"), text("person"), text("status"), ranks);
        let (Some(recipient), Some(cohort), Some(token), Some(person), Some(status), Some(ranks)) = columns else {
            return Err(unreadable());
        };
        rows.extend((0..batch.num_rows()).map(|row| Row {
            recipient: recipient.value(row).to_owned(),
            cohort: cohort.value(row).to_owned(),
            token: Pseudonym::new(token.value(row)),
            person: Pseudonym::new(person.value(row)),
            rank: ranks.value(row),
            status: status.value(row).to_owned(),
        }));
    }
    Ok(rows)
}

/// Who was sent whom before a date: places on released lists, the reserve not counted, those of lists that were withdrawn
/// left out. A run's list that was released more than once counts once, on its first date. None where nothing was
/// released before the date.
pub fn past_listings(storage: &dyn Storage, out: &Path, before: Date) -> Result<Option<Listings>> {
    let ledger = Ledger::read(storage, out)?;
    let (entries, head) = ledger.before(before);
    let Some((head, _)) = head else { return Ok(None) };
    Ok(Some(Listings { digest: Some(head), ..listings(storage, &ledger, entries, None)? }))
}

/// Who was sent whom by these events, releases of `not_of` (a run) left out: of a run that is released once more, the
/// release before is no earlier list.
pub(super) fn listings(
    storage: &dyn Storage,
    ledger: &Ledger,
    entries: &[Entry],
    not_of: Option<&str>,
) -> Result<Listings> {
    let mut seen = BTreeSet::new();
    let mut listings = Listings::default();
    for entry in entries {
        let Event::Release(release) = &entry.event else { continue };
        if not_of == Some(&*release.run) {
            continue;
        }
        for row in read(storage, ledger, entry)? {
            if row.status != Place::Listed.name() || is_withdrawn(entries, &entry.id, &row.recipient) {
                continue;
            }
            let Row { person, cohort, recipient, .. } = row;
            if seen.insert((release.run.clone(), cohort.clone(), recipient.clone(), person.clone())) {
                let listing = PastListing { date: entry.on, cohort, recipient };
                listings.by_token.entry(person).or_default().push(listing);
            }
        }
    }
    listings.by_token.values_mut().for_each(|listings| listings.sort());
    Ok(listings)
}

/// The lists of runs that were sent before a date, by run, cohort and recipient, and when first; those that were withdrawn
/// left out. None where nothing was released before the date.
pub fn sent_lists(storage: &dyn Storage, out: &Path, before: Date) -> Result<Option<SentLists>> {
    let ledger = Ledger::read(storage, out)?;
    let (entries, head) = ledger.before(before);
    let mut sent = SentLists::new();
    for entry in entries {
        let Event::Release(release) = &entry.event else { continue };
        for list in release.lists.iter().filter(|list| !is_withdrawn(entries, &entry.id, &list.recipient)) {
            let key = (release.run.clone(), list.cohort.clone(), list.recipient.clone());
            sent.entry(key).or_insert(entry.on);
        }
    }
    Ok(head.map(|_| sent))
}

/// By run, cohort and recipient: the day on which it was sent.
pub type SentLists = BTreeMap<(String, String, String), Date>;

/// Whether these events withdraw that release from that recipient.
pub(super) fn is_withdrawn(entries: &[Entry], release: &str, recipient: &str) -> bool {
    entries.iter().any(|entry| match &entry.event {
        Event::Withdrawal(withdrawal) => {
            withdrawal.release == release && withdrawal.recipients.iter().any(|name| name == recipient)
        }
        Event::Release(_) => false,
    })
}
