//! Published runs, read again: is each still what its receipt says, and which is current.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::Path;

use jiff::civil::Date;

use super::draft::{rows_in, sha256};
use super::{CURRENT, RECEIPT, RUNS, RunId};
use crate::error::{Error, Result};
use crate::receipt::{Output, Receipt};
use crate::storage::{EntryKind, Storage};

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
    let entries = match storage.list(&runs) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::storage("cannot list", &runs, &error)),
    };
    let current = current(storage, out)?;
    let ids = entries.iter().filter_map(|entry| RunId::parse(&entry.name));
    ids.map(|id| {
        let receipt = read_receipt(storage, &runs.join(id.as_str()))?;
        let lists =
            receipt.cohorts.iter().map(|cohort| (cohort.cohort.clone(), cohort.listed + cohort.reserve)).collect();
        let is_current = matches!(&current, Current::Names(named) if *named == id);
        Ok(RunEntry { title: receipt.title, as_of: receipt.as_of, is_current, lists, id })
    })
    .collect()
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
    let mut found = BTreeSet::new();
    walk(storage, folder, "", &mut found)?;
    found.remove(RECEIPT);
    let mut problems = Vec::new();
    for output in &receipt.outputs {
        if !found.remove(&output.path) {
            problems.push(format!("{} is missing", output.path));
        } else if let Some(problem) = differs(storage, folder, output)? {
            problems.push(problem);
        }
    }
    problems.extend(found.iter().map(|path| format!("{path} is not in the receipt")));
    if problems.is_empty() {
        return Ok(receipt);
    }
    Err(Error::Check(format!("{}: {}", folder.display(), problems.join("; "))))
}

/// How a file as it stands differs from its line in the receipt.
pub(super) fn differs(storage: &dyn Storage, folder: &Path, output: &Output) -> Result<Option<String>> {
    let path = folder.join(&output.path);
    let bytes = storage.read(&path).map_err(|error| Error::storage("cannot read back", &path, &error))?;
    if u64::try_from(bytes.len()) != Ok(output.bytes) {
        return Ok(Some(format!("{} is {} bytes long instead of {}", output.path, bytes.len(), output.bytes)));
    }
    if sha256(&bytes) != output.sha256 {
        return Ok(Some(format!("{} has other bytes than were written", output.path)));
    }
    if rows_in(&output.path, &bytes)? != output.rows {
        return Ok(Some(format!("{} has another number of rows than its receipt says", output.path)));
    }
    Ok(None)
}

fn read_receipt(storage: &dyn Storage, folder: &Path) -> Result<Receipt> {
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

/// The paths of all files below a folder, with `/`; a link or device is an error.
fn walk(storage: &dyn Storage, folder: &Path, below: &str, found: &mut BTreeSet<String>) -> Result<()> {
    let here = folder.join(below);
    for entry in storage.list(&here).map_err(|error| Error::storage("cannot list", &here, &error))? {
        let path = if below.is_empty() { entry.name } else { format!("{below}/{}", entry.name) };
        match entry.kind {
            EntryKind::Folder => walk(storage, folder, &path, found)?,
            EntryKind::File => {
                found.insert(path);
            }
            EntryKind::Other => {
                return Err(Error::Check(format!("{} is neither a file nor a folder", folder.join(path).display())));
            }
        }
    }
    Ok(())
}
