//! A second, slow, plain implementation that checks the engine.
//!
//! It reads the same files and the same checked declarations, and shares nothing else with conform, link, features and
//! score: rows are structs, joins are maps, windows are loops. `compute` makes every figure again, `compare` says
//! where the two disagree, by name and count.

/// One plain value.
pub mod value;

/// SQL expressions, one row at a time.
pub mod sql;

mod cell;
mod columns;
mod compare;
mod conform;
mod duplicates;
mod fates;
mod features;
mod items;
mod link;
mod rows;
mod score;
mod self_check;
mod webs;

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::conform::RawRows;
use crate::error::{Error, Result};
use crate::link::RecordingState;
use crate::pipeline::Pipeline;
use crate::pipeline::decl::Role;
use crate::receipt::{PeopleAccount, SourceAccount};
use crate::source::Delivered;
use conform::{Conformed, Context};
use features::{Compiled, Gaps};
use value::Value;

pub use compare::{Difference, compare};
pub use self_check::{self_check, share};

/// Which people are computed, by token.
pub type Selection<'a> = &'a dyn Fn(&str) -> bool;

/// What the second implementation makes of a delivery.
#[derive(Debug, Default)]
pub struct OracleOutcome {
    /// In the order of the sources; empty when only some people were computed.
    pub accounts: Vec<SourceAccount>,
    /// Counts the computed people only.
    pub people_account: PeopleAccount,
    /// On the spine, by token.
    pub people: BTreeMap<String, OraclePerson>,
    /// Features that were not computed, and why.
    pub features_not_checked: BTreeMap<String, String>,
    /// Items that were not computed, and why.
    pub items_not_checked: BTreeMap<String, String>,
}

/// One person on the spine.
#[derive(Debug, Clone, PartialEq)]
pub struct OraclePerson {
    /// In the order of the features; none where it was not computed.
    pub features: Vec<Option<Value>>,
    /// In the order of the items.
    pub items: Vec<(Option<String>, RecordingState)>,
    /// In the order of the models: null where the model does not apply, none where a feature was not computed.
    pub scores: Vec<Option<Value>>,
}

/// Whether a token belongs to the sample of one in `one_in`; none does when that is 0.
pub fn sampled(token: &str, one_in: u32) -> bool {
    let digest = Sha256::digest(token.as_bytes());
    let number = digest.iter().take(8).fold(0u64, |number, byte| number << 8 | u64::from(*byte));
    one_in > 0 && number.is_multiple_of(u64::from(one_in))
}

/// Makes every figure of every person again, or of those whose newest token is in `only`.
pub fn compute(pipeline: &Pipeline, delivered: &Delivered, only: Option<Selection<'_>>) -> Result<OracleOutcome> {
    compute_from(pipeline, delivered, only, &[])
}

/// The same, where rows are `kept` of a source from those alone.
fn compute_from(
    pipeline: &Pipeline,
    delivered: &Delivered,
    only: Option<Selection<'_>>,
    kept: &[Option<Vec<RawRows>>],
) -> Result<OracleOutcome> {
    let (conformed, folded) = conform_all(pipeline, delivered, only, kept)?;
    let linked = link::link(pipeline, &folded, &conformed);
    let gaps = gaps(pipeline, &conformed)?;
    let compiled = Compiled::new(pipeline);
    let mut outcome = OracleOutcome {
        accounts: if only.is_none() { linked.accounts } else { Vec::new() },
        people_account: linked.people_account,
        ..OracleOutcome::default()
    };
    for (item, why) in &gaps.items {
        let name = pipeline.items.get(*item).map(|item| item.name.clone());
        outcome.items_not_checked.insert(name.unwrap_or_default(), why.clone());
    }
    for (token, person) in &linked.people {
        let not_checked = &mut outcome.features_not_checked;
        let features = features::features(pipeline, &compiled, &gaps, person, not_checked);
        let scores = score::scores(pipeline, &compiled, &features)?;
        let items = (0..pipeline.items.len()).map(|item| features::resolved(pipeline, item, person)).collect();
        outcome.people.insert(token.clone(), OraclePerson { features, items, scores });
    }
    Ok(outcome)
}

/// Superseded tokens first, then lookups, then all that is about people.
fn conform_all(
    pipeline: &Pipeline,
    delivered: &Delivered,
    only: Option<Selection<'_>>,
    kept: &[Option<Vec<RawRows>>],
) -> Result<(Vec<Conformed>, BTreeMap<String, String>)> {
    let released = &delivered.released;
    let mut context = Context { pipeline, released, folded: BTreeMap::new(), lookups: BTreeMap::new(), only };
    let mut conformed: Vec<Conformed> = pipeline.sources.iter().map(|_| Conformed::default()).collect();
    let order = [Some(Role::Superseded), Some(Role::Lookup), None];
    for stage in order {
        for index in sources_of(pipeline, stage) {
            let found = pipeline.sources.get(index).zip(delivered.sources.get(index));
            let Some((source, delivered)) = found else {
                return Err(Error::Fault(format!("source {index} was not looked for")));
            };
            let kept = kept.get(index).and_then(Option::as_deref);
            let table = conform::source(&context, source, delivered, kept)?;
            if stage == Some(Role::Lookup) {
                context.lookups.insert(index, duplicates::by_key(source, &table));
            }
            if let Some(place) = conformed.get_mut(index) {
                *place = table;
            }
        }
        if stage == Some(Role::Superseded) {
            context.folded = link::fold_chains(pipeline, &conformed)?;
        }
    }
    Ok((conformed, context.folded))
}

/// Sources of a role, or those of every other; a lookup stands behind the lookups that it reads.
fn sources_of(pipeline: &Pipeline, role: Option<Role>) -> Vec<usize> {
    let of_role = |index: &usize| {
        let found = pipeline.sources.get(*index).map(|source| source.decl.role);
        match role {
            Some(role) => found == Some(role),
            None => !matches!(found, Some(Role::Superseded | Role::Lookup)),
        }
    };
    let mut waiting: Vec<usize> = (0..pipeline.sources.len()).filter(of_role).collect();
    let mut ordered = Vec::new();
    while !waiting.is_empty() {
        let reads_waiting = |index: &usize| {
            let columns = pipeline.sources.get(*index).map(|source| source.columns.as_slice()).unwrap_or_default();
            columns.iter().filter_map(|column| column.lookup.as_ref()).any(|lookup| waiting.contains(&lookup.source))
        };
        let next = waiting.iter().position(|index| !reads_waiting(index)).unwrap_or(0);
        ordered.push(waiting.remove(next));
    }
    ordered
}

/// What could not be computed of the sources; without the sources that make the spine nothing can be.
fn gaps(pipeline: &Pipeline, conformed: &[Conformed]) -> Result<Gaps> {
    let mut gaps = Gaps::default();
    for (index, (source, table)) in pipeline.sources.iter().zip(conformed).enumerate() {
        let tells = |name: &str| source.column(name).is_some();
        if let Some(why) = &table.unsupported {
            let spine =
                !matches!(source.decl.role, Role::Events | Role::Feedback) || tells("death_date") || tells("left_date");
            if spine {
                let message = format!("source {}: the self check cannot compute {why}", source.name);
                return Err(Error::Check(message));
            }
            gaps.sources.insert(index, why.clone());
        }
        for (position, demographic) in source.demographics.iter().enumerate() {
            if table.unsupported.is_some() || table.unsupported_says.contains(&position) {
                gaps.items.insert(demographic.item, format!("an expression of source {}", source.name));
            }
        }
    }
    Ok(gaps)
}
