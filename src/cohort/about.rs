//! What goes with a list: its purpose, its law, its counts and who answers for it.

use serde_json::{Value, json};

use super::CohortList;
use super::list::Heading;
use crate::error::{Error, Result};
use crate::pipeline::{Cohort, Pipeline};
use crate::publish::file_stem;

/// The bytes of `about.json`.
pub fn json(
    pipeline: &Pipeline,
    cohort: &Cohort,
    list: &CohortList,
    scored: usize,
    headings: &[Heading],
) -> Result<Vec<u8>> {
    let decl = &cohort.decl;
    let per = cohort.per.and_then(|feature| pipeline.features.get(feature)).map(|feature| feature.name.as_str());
    let recipients: Vec<Value> = list
        .recipients
        .iter()
        .filter(|(_, (listed, reserve))| listed + reserve > 0)
        .map(|(recipient, (listed, reserve))| {
            json!({ "recipient": recipient, "file": file_stem(recipient), "listed": listed, "reserve": reserve })
        })
        .collect();
    let excluded: Vec<Value> =
        list.excluded.iter().map(|(why, people)| json!({ "exclusion": why, "people": people })).collect();
    let columns: Vec<Value> =
        headings.iter().map(|heading| json!({ "column": heading.name, "means": heading.means })).collect();
    let legal_bases: Vec<Value> = pipeline
        .sources
        .iter()
        .map(|source| json!({ "source": source.name, "title": source.decl.title, "legal_basis": source.decl.legal_basis }))
        .collect();
    let about = json!({
        "title": decl.title,
        "purpose": decl.purpose,
        "cohort": cohort.name,
        "as_of": pipeline.as_of.to_string(),
        "suggested_action": decl.action,
        "signed_off": {
            "by": decl.signed_off.by,
            "on": decl.signed_off.on.to_string(),
            "review_by": decl.signed_off.review_by.to_string(),
        },
        "capacity": { "per": per, "places": decl.capacity.take, "reserve": decl.capacity.reserve },
        "people": {
            "scored": scored,
            "listed": list.listed(),
            "reserve": list.reserve(),
            "excluded": excluded,
            "below_the_cut": list.below_the_cut,
            "not_included": list.not_included,
        },
        "recipients": recipients,
        "columns": columns,
        "legal_bases": legal_bases,
    });
    let mut bytes = serde_json::to_vec_pretty(&about)
        .map_err(|_| Error::Fault(format!("cohort {}: what goes with the list cannot be written", cohort.name)))?;
    bytes.push(b'\n');
    Ok(bytes)
}
