//! The lists of a run, as they wait to be released.

use std::collections::BTreeMap;
use std::path::Path;

use crate::cohort::{EVERYONE, UNALLOCATED};
use crate::error::{Error, Result};
use crate::outputs;
use crate::pipeline::Pipeline;
use crate::publish::{self, RunId, file_stem};
use crate::receipt::Receipt;
use crate::sheet::{About, Sheet};
use crate::storage::Storage;

/// A run, and the lists of it that were asked for.
pub(super) struct RunLists {
    pub id: RunId,
    pub receipt: Receipt,
    pub lists: Vec<List>,
    /// By cohort: people whose recipient is not recorded. Nobody owns their list, so that it goes nowhere.
    pub without_recipient: BTreeMap<String, u64>,
}

pub(super) struct List {
    /// Index into [`Pipeline::cohorts`].
    pub cohort: usize,
    pub sheet: Sheet,
}

/// Reads the lists of a run (`current` without an id) for these cohorts (all without a name), if they may be released:
/// by the declarations that the run was made with, on or after its as-of date, and while they are valid.
pub(super) fn of_run(
    storage: &dyn Storage,
    out: &Path,
    run: Option<&str>,
    cohorts: &[String],
    pipeline: &Pipeline,
) -> Result<RunLists> {
    let known = |name: &String| pipeline.cohorts.iter().any(|cohort| cohort.name == *name);
    if let Some(unknown) = cohorts.iter().find(|name| !known(name)) {
        return Err(Error::Usage(format!("the run file names no cohort `{unknown}`")));
    }
    let id = publish::verify(storage, out, run)?.id;
    let receipt = publish::receipt_of(storage, out, &id)?;
    if pipeline.as_of < receipt.as_of {
        let (release, run) = (pipeline.as_of, receipt.as_of);
        return Err(Error::Usage(format!("a release of {release} comes before its run, which is as of {run}")));
    }
    if receipt.declarations != outputs::declarations(pipeline) {
        return Err(Error::Check(format!(
            "run {id} was made with other declarations than these: run again, and release the new run"
        )));
    }
    let folder = publish::folder_of(out, &id).join("person/lists");
    let (mut lists, mut without_recipient) = (Vec::new(), BTreeMap::new());
    for (index, cohort) in pipeline.cohorts.iter().enumerate() {
        if !cohorts.is_empty() && !cohorts.contains(&cohort.name) {
            continue;
        }
        let folder = folder.join(&cohort.name);
        let about = read(storage, &folder.join("about.json"))?;
        for recipient in recipients(&about)? {
            let parquet = read(storage, &folder.join(format!("{}.parquet", file_stem(&recipient))))?;
            let sheet = Sheet::read(&about, &recipient, parquet)?;
            valid(&sheet, pipeline)?;
            if cohort.per.is_some() && recipient == UNALLOCATED {
                without_recipient.insert(cohort.name.clone(), sheet.rows.num_rows() as u64);
                continue;
            }
            lists.push(List { cohort: index, sheet });
        }
    }
    Ok(RunLists { id, receipt, lists, without_recipient })
}

/// Those with at least one row; a single list for all is there even when it is empty.
fn recipients(about: &[u8]) -> Result<Vec<String>> {
    let about: About = serde_json::from_slice(about)
        .map_err(|_| Error::Check("what goes with a list does not read as this version writes it".to_owned()))?;
    Ok(match about.recipients.is_empty() && about.capacity.per.is_none() {
        true => vec![EVERYONE.to_owned()],
        false => about.recipients.into_iter().map(|recipient| recipient.recipient).collect(),
    })
}

fn valid(sheet: &Sheet, pipeline: &Pipeline) -> Result<()> {
    match sheet.about.valid_until.filter(|until| *until < pipeline.as_of) {
        None => Ok(()),
        Some(until) => Err(Error::NotReady(format!(
            "the lists of cohort {} were valid until {until}: run again, and release the new run",
            sheet.about.cohort
        ))),
    }
}

fn read(storage: &dyn Storage, path: &Path) -> Result<Vec<u8>> {
    storage.read(path).map_err(|error| Error::storage("cannot read", path, &error))
}
