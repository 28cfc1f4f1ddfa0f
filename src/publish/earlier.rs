//! Runs published before, for a later one to remember.

use std::collections::BTreeMap;
use std::path::Path;

use arrow::compute::concat_batches;
use arrow::record_batch::RecordBatch;
use bytes::Bytes;
use jiff::civil::Date;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::verify::{self, Current};
use super::{RUNS, RunId, whole};
use crate::disclosure::Before;
use crate::error::{Error, Result};
use crate::receipt::{Output, Receipt};
use crate::storage::Storage;

/// The runs with an as-of date before this one, oldest first: one for each run file and date. Of several, it is the one
/// that `current` names, else the last by id.
pub fn earlier(storage: &dyn Storage, out: &Path, before: Date) -> Result<Vec<(RunId, Receipt)>> {
    let before = before.to_string();
    let current = verify::current(storage, out)?;
    let is_current = |id: &RunId| matches!(&current, Current::Names(named) if named == id);
    let mut runs: BTreeMap<(String, String), (RunId, Receipt)> = BTreeMap::new();
    for id in verify::ids(storage, out)?.into_iter().filter(|id| id.as_of() < before.as_str()) {
        let receipt = verify::read_receipt(storage, &out.join(RUNS).join(id.as_str()))?;
        if receipt.run_id != id.as_str() || RunId::of(&receipt) != id {
            return Err(Error::Check(format!("run {id}: the receipt is another run's")));
        }
        let key = (id.as_of().to_owned(), receipt.run_file().to_owned());
        match runs.get(&key) {
            Some((known, _)) if is_current(known) => {}
            _ => {
                runs.insert(key, (id, receipt));
            }
        }
    }
    Ok(runs.into_values().collect())
}

/// The receipt of a run of which every file is what its receipt says.
pub fn whole_run(storage: &dyn Storage, out: &Path, id: &RunId) -> Result<Receipt> {
    verify::verify_run(storage, &out.join(RUNS).join(id.as_str()), id)
}

/// A table of a published run, held against its receipt; none where the run has no such file.
pub fn table(storage: &dyn Storage, out: &Path, receipt: &Receipt, path: &str) -> Result<Option<RecordBatch>> {
    let output = receipt.outputs.iter().find(|output| output.path == path);
    output.map(|output| read_parquet(file(storage, out, receipt, output)?)).transpose()
}

/// The aggregate tables of a published run: the ledger of what was released.
pub fn released(storage: &dyn Storage, out: &Path, receipt: &Receipt) -> Result<Before> {
    let mut before = Before::default();
    for output in &receipt.outputs {
        let name = output.path.strip_prefix("aggregate/").and_then(|name| name.strip_suffix(".csv"));
        if let Some(name) = name {
            before.tables.insert(name.to_owned(), super::csv::read(&file(storage, out, receipt, output)?));
        }
    }
    Ok(before)
}

/// A file of a published run, held against its receipt.
fn file(storage: &dyn Storage, out: &Path, receipt: &Receipt, output: &Output) -> Result<Vec<u8>> {
    let folder = out.join(RUNS).join(&receipt.run_id);
    if let Some(problem) = whole::differs(storage, &folder, output)? {
        return Err(Error::Check(format!("run {}: {problem}", receipt.run_id)));
    }
    let path = folder.join(&output.path);
    storage.read(&path).map_err(|error| Error::storage("cannot read", &path, &error))
}

/// All rows of a Parquet file.
pub fn read_parquet(bytes: Vec<u8>) -> Result<RecordBatch> {
    let unreadable = |_| Error::Check("a published table cannot be read as Parquet".to_owned());
    let reader = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(bytes)).map_err(unreadable)?;
    let schema = reader.schema().clone();
    let batches = reader.build().map_err(unreadable)?.collect::<Result<Vec<_>, _>>()?;
    Ok(concat_batches(&schema, &batches)?)
}
