//! Published runs, read again: is each still what its receipt says, and which is current.

use std::io::ErrorKind;
use std::path::Path;

use jiff::civil::Date;

use super::{CURRENT, RECEIPT, RUNS, RunId, whole};
use crate::error::{Error, Result};
use crate::receipt::Receipt;
use crate::storage::Storage;

/// A run that is what its receipt says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    pub id: RunId,
    /// Files hashed, and their bytes; the receipt is not among them.
    pub files: usize,
    pub bytes: u64,
    pub is_current: bool,
}

/// A published run, for `riskstrat list`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunEntry {
    pub id: RunId,
    pub title: String,
    pub as_of: Date,
    pub is_current: bool,
    /// Cohort, people listed and in reserve.
    pub lists: Vec<(String, u64)>,
}

/// Hashes every file of a run, the current one if none is named, and compares it with its receipt.
pub fn verify(storage: &dyn Storage, out: &Path, id: Option<&str>) -> Result<Verified> {
    let current = current(storage, out)?;
    let id = match (id, &current) {
        (Some(text), _) => named(storage, out, text)?,
        (None, Current::Names(id)) => id.clone(),
        (None, Current::Missing) => return Err(Error::Check(format!("{} has no current run", out.display()))),
        (None, Current::Unreadable) => {
            return Err(Error::Check(format!("{} names no run", out.join(CURRENT).display())));
        }
    };
    if let Current::Names(named) = &current
        && !exists(storage, out, named)?
    {
        return Err(Error::Check(format!("{} names run {named}, which is not there", out.join(CURRENT).display())));
    }
    let receipt = verify_run(storage, &out.join(RUNS).join(id.as_str()), &id)?;
    let bytes = receipt.outputs.iter().map(|output| output.bytes).sum();
    let is_current = matches!(&current, Current::Names(named) if *named == id);
    Ok(Verified { files: receipt.outputs.len(), bytes, is_current, id })
}

/// A run that someone asked for by name.
fn named(storage: &dyn Storage, out: &Path, text: &str) -> Result<RunId> {
    match RunId::parse(text) {
        Some(id) if exists(storage, out, &id)? => Ok(id),
        _ => Err(Error::Usage(format!("{} has no run of that name", out.join(RUNS).display()))),
    }
}

/// The published runs, in the order of their ids.
pub fn list(storage: &dyn Storage, out: &Path) -> Result<Vec<RunEntry>> {
    let runs = out.join(RUNS);
    let current = current(storage, out)?;
    let ids = ids(storage, out)?.into_iter();
    ids.map(|id| {
        let receipt = read_receipt(storage, &runs.join(id.as_str()))?;
        let lists =
            receipt.cohorts.iter().map(|cohort| (cohort.cohort.clone(), cohort.listed + cohort.reserve)).collect();
        let is_current = matches!(&current, Current::Names(named) if *named == id);
        Ok(RunEntry { title: receipt.title, as_of: receipt.as_of, is_current, lists, id })
    })
    .collect()
}

/// The ids of the published runs, sorted.
pub(super) fn ids(storage: &dyn Storage, out: &Path) -> Result<Vec<RunId>> {
    let runs = out.join(RUNS);
    match storage.list(&runs) {
        Ok(entries) => Ok(entries.iter().filter_map(|entry| RunId::parse(&entry.name)).collect()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(Error::storage("cannot list", &runs, &error)),
    }
}

/// What `current` says.
pub(super) enum Current {
    Missing,
    /// Not a run id.
    Unreadable,
    Names(RunId),
}

pub(super) fn current(storage: &dyn Storage, out: &Path) -> Result<Current> {
    let path = out.join(CURRENT);
    match storage.read(&path) {
        Ok(bytes) => {
            let id = std::str::from_utf8(&bytes).ok().and_then(|text| RunId::parse(text.trim_end()));
            Ok(id.map_or(Current::Unreadable, Current::Names))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Current::Missing),
        Err(error) => Err(Error::storage("cannot read", &path, &error)),
    }
}

/// A run has its name only when it is whole, so that a folder of that name is enough.
pub(super) fn exists(storage: &dyn Storage, out: &Path, id: &RunId) -> Result<bool> {
    let folder = out.join(RUNS).join(id.as_str());
    match storage.list(&folder) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        // Not to be taken for absence: `current` would be moved for it.
        Err(error) => Err(Error::storage("cannot list", &folder, &error)),
    }
}

/// The receipt of a run of which every file is as the receipt says, and no other file is there.
pub(super) fn verify_run(storage: &dyn Storage, folder: &Path, id: &RunId) -> Result<Receipt> {
    let receipt = read_receipt(storage, folder)?;
    if receipt.run_id != id.as_str() || RunId::of(&receipt) != *id {
        return Err(Error::Check(format!("{}: the receipt is another run's", folder.display())));
    }
    receipt.check()?;
    receipt.check_lists()?;
    whole::verify(storage, folder, RECEIPT, &receipt.outputs)?;
    Ok(receipt)
}

pub(super) fn read_receipt(storage: &dyn Storage, folder: &Path) -> Result<Receipt> {
    let path = folder.join(RECEIPT);
    let bytes = match storage.read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(Error::Check(format!("{} is missing", path.display())));
        }
        Err(error) => return Err(Error::storage("cannot read", &path, &error)),
    };
    // A JSON error can quote what it read: only its place is told.
    serde_json::from_slice(&bytes).map_err(|error| {
        Error::Check(format!(
            "{} is no receipt of this version (line {}, column {})",
            path.display(),
            error.line(),
            error.column()
        ))
    })
}
