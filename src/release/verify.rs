//! The ledger and every file of its events, read again.

use std::path::Path;

use serde::Deserialize;

use super::ledger::{Ledger, RELEASES};
use crate::error::{Error, Result};
use crate::publish::{sha256, whole};
use crate::receipt::Output;
use crate::storage::Storage;

/// A ledger whose chain holds, and whose files are what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedLedger {
    pub events: usize,
    /// Files that were sent.
    pub files: usize,
    /// SHA-256 of the last line.
    pub head: String,
}

/// What both kinds of pages list.
#[derive(Deserialize)]
struct Page {
    outputs: Vec<Output>,
}

/// Checks the chain, every page against its line, every file against its page, and that no other folder is there.
pub fn verify(storage: &dyn Storage, out: &Path) -> Result<VerifiedLedger> {
    let ledger = Ledger::read(storage, out)?;
    for entry in ledger.entries() {
        let folder = ledger.folder_of(storage, entry);
        let path = folder.join(entry.event.page());
        let wrong = |why: &str| Error::Check(format!("{}: {why}", path.display()));
        let bytes = storage.read(&path).map_err(|error| Error::storage("cannot read", &path, &error))?;
        if sha256(&bytes) != entry.page_sha256 {
            return Err(wrong("it is not the one that the ledger knows"));
        }
        let page: Page = serde_json::from_slice(&bytes).map_err(|_| wrong("it is no page of this version"))?;
        whole::verify(storage, &folder, entry.event.page(), &page.outputs)?;
        let listed = page.outputs.iter().filter(|output| output.path.starts_with("to/"));
        let listed = listed.map(|output| (&output.path, &output.sha256));
        if !entry.files.iter().map(|sent| (&sent.path, &sent.sha256)).eq(listed) {
            return Err(wrong("its files are not those that the ledger says were sent"));
        }
    }
    if let Some(name) = ledger.strangers(storage)?.first() {
        let place = out.join(RELEASES).join(name);
        return Err(Error::Check(format!(
            "{} is not in the ledger: lines are missing, or it is not ours",
            place.display()
        )));
    }
    let files = ledger.entries().iter().map(|entry| entry.files.len()).sum();
    Ok(VerifiedLedger { events: ledger.entries().len(), files, head: ledger.head() })
}
