//! A folder that is whole or absent: written beside, flushed, read back; and read again later.
//!
//! Its page (a receipt, a release, a withdrawal) lists every other file with its hash.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::Draft;
use super::draft::{rows_in, sha256};
use crate::error::{Error, Result};
use crate::receipt::Output;
use crate::storage::{EntryKind, Storage};

/// The page of a folder: its name, and its bytes.
pub(crate) type Page<'a> = (&'a str, &'a [u8]);

/// Writes and flushes a folder under its name of now, then reads back every file; what was written is removed again
/// where this fails.
pub(crate) fn write_beside(storage: &dyn Storage, staging: &Path, draft: &Draft, page: Page) -> Result<()> {
    write(storage, staging, draft, page).inspect_err(|_| {
        if let Err(left) = storage.remove_dir_all(staging) {
            tracing::warn!(folder = %staging.display(), "not removed ({}); the next command removes it", left.kind());
        }
    })
}

fn write(storage: &dyn Storage, staging: &Path, draft: &Draft, (name, page): Page) -> Result<()> {
    let folders = folders(draft);
    for folder in &folders {
        let folder = staging.join(folder);
        storage.create_dir(&folder).map_err(|error| Error::storage("cannot make", &folder, &error))?;
    }
    for (path, file) in &draft.files {
        write_new(storage, &staging.join(path), &file.bytes.read()?)?;
    }
    for output in &draft.outputs() {
        if let Some(problem) = differs(storage, staging, output)? {
            return Err(Error::Check(format!("read back: {problem}; nothing was published")));
        }
    }
    let path = staging.join(name);
    write_new(storage, &path, page)?;
    let written = storage.read(&path).map_err(|error| Error::storage("cannot read back", &path, &error))?;
    if written != page {
        return Err(Error::Check(format!(
            "read back: {name} has other bytes than were written; nothing was published"
        )));
    }
    // From the innermost, so that a name lasts no longer than what it names.
    folders.iter().rev().try_for_each(|folder| sync_dir(storage, &staging.join(folder)))
}

/// Every folder of a draft, parents first; the empty path is its own.
fn folders(draft: &Draft) -> BTreeSet<PathBuf> {
    let parents = draft.files.keys().flat_map(|path| Path::new(path).ancestors().skip(1).map(Path::to_owned));
    parents.chain([PathBuf::new()]).collect()
}

/// Holds a folder against its page: every file as it says, and no other file there.
pub(crate) fn verify(storage: &dyn Storage, folder: &Path, page: &str, outputs: &[Output]) -> Result<()> {
    let mut found = BTreeSet::new();
    walk(storage, folder, "", &mut found)?;
    found.remove(page);
    let mut problems = Vec::new();
    for output in outputs {
        if !found.remove(&output.path) {
            problems.push(format!("{} is missing", output.path));
        } else if let Some(problem) = differs(storage, folder, output)? {
            problems.push(problem);
        }
    }
    let page = page.trim_end_matches(".json");
    problems.extend(found.iter().map(|path| format!("{path} is not in the {page}")));
    if problems.is_empty() {
        return Ok(());
    }
    Err(Error::Check(format!("{}: {}", folder.display(), problems.join("; "))))
}

/// How a file as it stands differs from its line on the page.
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

pub(crate) fn write_new(storage: &dyn Storage, path: &Path, bytes: &[u8]) -> Result<()> {
    let doing = format!("cannot write {} bytes to", bytes.len());
    storage.write_new(path, bytes).map_err(|error| Error::storage(&doing, path, &error))
}

pub(crate) fn sync_dir(storage: &dyn Storage, path: &Path) -> Result<()> {
    storage.sync_dir(path).map_err(|error| Error::storage("cannot flush", path, &error))
}

/// Names in a folder that begin so; nothing else is ours to remove.
pub(crate) fn names(storage: &dyn Storage, folder: &Path, kind: EntryKind, prefix: &str) -> Result<Vec<String>> {
    let entries = storage.list(folder).map_err(|error| Error::storage("cannot list", folder, &error))?;
    let ours = entries.into_iter().filter(|entry| entry.kind == kind && entry.name.starts_with(prefix));
    Ok(ours.map(|entry| entry.name).collect())
}
