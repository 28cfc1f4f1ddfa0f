//! A run is written beside, read back, named, and only then current.
//!
//! Whatever fails and whenever a machine stops, a reader who follows `current` finds a whole run:
//!
//! 1. the run is written, flushed and read back in `runs/.staging-<id>`;
//! 2. `.current-<id>` is flushed: a note that this run, once it has its name, is to be current;
//! 3. the staging folder is renamed to `runs/<id>`;
//! 4. the note is renamed to `current`.
//!
//! A run of an earlier as-of date than the current one's is published without 2 and 4.
//!
//! The next holder of the lock removes what 1 left, and finishes 4 if 3 was reached. A run is never changed once it has
//! its name.

mod bytes;
mod csv;
mod draft;
mod earlier;
mod encode;
mod lock;
mod run_id;
mod scan;
mod verify;
pub(crate) mod whole;

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

pub(crate) use csv::CsvText;
pub use csv::{Field, read as read_csv};
pub(crate) use draft::hex;
pub use draft::{Draft, aggregate_csv, file_stem};
pub(crate) use draft::{ending, sha256};
pub use earlier::{earlier, read_parquet, released, table, whole_run};
pub(crate) use encode::parquet_bytes;
pub use lock::{Holder, Lock};
pub use run_id::{RunId, run_id};
pub(crate) use scan::Tokens;
pub use verify::{RunEntry, Verified, list, verify};

use crate::error::{Error, Result};
use crate::pseudonym::Pseudonym;
use crate::receipt::Receipt;
use crate::storage::{EntryKind, Storage};
use verify::Current;
use whole::{names, sync_dir, write_new};

const RUNS: &str = "runs";
const CURRENT: &str = "current";
const RECEIPT: &str = "receipt.json";
const STAGING: &str = ".staging-";
const NOTE: &str = ".current-";

/// Where a run stands after [`publish`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Published {
    /// Written; current unless a run of a later as-of date is.
    Now { folder: PathBuf, is_current: bool },
    /// The same run was there already, whole; another run may be current.
    Already { folder: PathBuf, is_current: bool },
}

/// Writes a run as a whole, or leaves everything as it was.
///
/// The gate comes first: the receipt balances, the lists hold the people counted, and no token of `tokens` stands in
/// `aggregate/`. The draft's files become the receipt's outputs.
pub fn publish(
    storage: &dyn Storage,
    lock: &Lock,
    id: &RunId,
    draft: &Draft,
    tokens: &[Pseudonym],
    mut receipt: Receipt,
) -> Result<Published> {
    if let Some(published) = already(storage, lock, id)? {
        return Ok(published);
    }
    receipt.outputs = draft.outputs();
    gate(id, draft, tokens, &receipt)?;
    let runs = lock.out().join(RUNS);
    let staging = runs.join(format!("{STAGING}{id}"));
    whole::write_beside(storage, &staging, draft, (RECEIPT, &receipt.to_json()?))?;
    let folder = runs.join(id.as_str());
    let is_current = !outdated(storage, lock.out(), id)?;
    if is_current {
        write_note(storage, lock.out(), id)?;
    }
    storage.rename(&staging, &folder).map_err(|error| Error::storage("cannot name", &folder, &error))?;
    match is_current {
        true => make_current(storage, lock.out(), id)?,
        false => sync_dir(storage, &runs)?,
    }
    Ok(Published::Now { folder, is_current })
}

/// Whether a whole run of a later as-of date is current: a back-dated run must not send readers back in time.
fn outdated(storage: &dyn Storage, out: &Path, id: &RunId) -> Result<bool> {
    Ok(match verify::current(storage, out)? {
        Current::Names(named) => named.as_of() > id.as_of() && verify::exists(storage, out, &named)?,
        Current::Missing | Current::Unreadable => false,
    })
}

/// Whether this run is there already; also ends what an interrupted publish began. To be asked before the work.
pub fn already(storage: &dyn Storage, lock: &Lock, id: &RunId) -> Result<Option<Published>> {
    let out = lock.out();
    recover(storage, out)?;
    if !verify::exists(storage, out, id)? {
        return Ok(None);
    }
    let folder = out.join(RUNS).join(id.as_str());
    verify::verify_run(storage, &folder, id).map_err(|error| match error {
        Error::Check(why) => Error::Check(format!(
            "the run is published but is no longer what it was: {why}; move the folder away, and run again"
        )),
        other => other,
    })?;
    let is_current = match verify::current(storage, out)? {
        Current::Names(named) if named.as_of() >= id.as_of() && verify::exists(storage, out, &named)? => named == *id,
        _ => {
            write_note(storage, out, id)?;
            make_current(storage, out, id)?;
            true
        }
    };
    Ok(Some(Published::Already { folder, is_current }))
}

/// Removes what an interrupted run left in staging, and makes a run current that had got its name but not that far.
fn recover(storage: &dyn Storage, out: &Path) -> Result<()> {
    let runs = out.join(RUNS);
    match storage.create_dir(&runs) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            return Err(Error::storage("cannot make", &runs, &error));
        }
        _ => {}
    }
    for name in names(storage, &runs, EntryKind::Folder, STAGING)? {
        let staging = runs.join(name);
        tracing::warn!(folder = %staging.display(), "removing what an interrupted run left");
        storage.remove_dir_all(&staging).map_err(|error| Error::storage("cannot remove", &staging, &error))?;
    }
    for name in names(storage, out, EntryKind::File, NOTE)? {
        let note = out.join(&name);
        match interrupted(storage, out, &name)? {
            Some(id) => {
                tracing::warn!(run = %id, "making current a run whose publication was interrupted");
                make_current(storage, out, &id)?;
            }
            None => storage.remove_file(&note).map_err(|error| Error::storage("cannot remove", &note, &error))?,
        }
    }
    Ok(())
}

/// The whole run that a note is about; none if the run never got its name. Only certainty discards a note: where
/// storage fails, so does this.
fn interrupted(storage: &dyn Storage, out: &Path, name: &str) -> Result<Option<RunId>> {
    let note = out.join(name);
    let text = storage.read(&note).map_err(|error| Error::storage("cannot read", &note, &error))?;
    let id = name.strip_prefix(NOTE).and_then(RunId::parse).filter(|id| text == note_text(id));
    let Some(id) = id else { return Ok(None) };
    if !verify::exists(storage, out, &id)? {
        return Ok(None);
    }
    match verify::verify_run(storage, &out.join(RUNS).join(id.as_str()), &id) {
        Ok(_) => Ok(Some(id)),
        Err(Error::Check(why)) => {
            tracing::warn!(run = %id, "left as it is, a run whose publication was interrupted: {why}");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// The folder of a run.
pub(crate) fn folder_of(out: &Path, id: &RunId) -> PathBuf {
    out.join(RUNS).join(id.as_str())
}

/// The receipt of a run that is there.
pub(crate) fn receipt_of(storage: &dyn Storage, out: &Path, id: &RunId) -> Result<Receipt> {
    verify::read_receipt(storage, &folder_of(out, id))
}

/// What must hold before anything is written.
fn gate(id: &RunId, draft: &Draft, tokens: &[Pseudonym], receipt: &Receipt) -> Result<()> {
    if receipt.run_id != id.as_str() || RunId::of(receipt) != *id {
        return Err(Error::Fault("the run id is not that of the receipt's inputs and declarations".to_owned()));
    }
    receipt.check()?;
    receipt.check_lists()?;
    let aggregates = draft.files.iter().filter(|(path, _)| path.starts_with("aggregate/"));
    let tokens = Tokens::new(tokens);
    if tokens.not_searchable > 0 {
        let count = tokens.not_searchable;
        tracing::warn!("{count} tokens look like small numbers: aggregate files cannot be searched for them");
    }
    for (path, file) in aggregates {
        if tokens.any_in(&file.bytes.read()?) {
            return Err(Error::Check(format!("{path} holds a person's token; nothing was published")));
        }
    }
    Ok(())
}

fn note_text(id: &RunId) -> Vec<u8> {
    format!("{id}\n").into_bytes()
}

fn write_note(storage: &dyn Storage, out: &Path, id: &RunId) -> Result<()> {
    write_new(storage, &out.join(format!("{NOTE}{id}")), &note_text(id))?;
    sync_dir(storage, out)
}

/// Turns the note about a named run into `current`.
fn make_current(storage: &dyn Storage, out: &Path, id: &RunId) -> Result<()> {
    sync_dir(storage, &out.join(RUNS))?;
    let current = out.join(CURRENT);
    let note = out.join(format!("{NOTE}{id}"));
    storage.rename(&note, &current).map_err(|error| Error::storage("cannot replace", &current, &error))?;
    sync_dir(storage, out)
}
