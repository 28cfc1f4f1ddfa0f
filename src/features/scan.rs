//! One source, from its first row to its last: what its rows tell of each person, and of themselves.

use std::collections::BTreeSet;

use super::hear::Hearing;
use super::keep::{Keeper, Keeping, KeptOfSource};
use super::plan::{Memory, Plan};
use super::predicates::Remembered;
use super::table::Table;
use crate::conform::{Chunk, RawRows, Tally};
use crate::error::Result;
use crate::link::heard::{self, HeardOfSource};
use crate::link::{Ledger, Linked, Records};
use crate::pipeline::decl::Role;

/// What one worker, and in the end all of them, saw of a source.
pub(super) struct Seen {
    pub ledger: Ledger,
    pub memory: Memory,
    pub remembered: Remembered,
    pub heard: HeardOfSource,
    pub kept: KeptOfSource,
    /// Rows by who sent them.
    pub providers: heard::Texts,
    /// Rows of the sample, and those they may be duplicates of, as they were delivered; none where they are not at hand.
    pub sampled: Option<Vec<RawRows>>,
}

/// Reads a source once: what is remembered by all workers, what they saw, and the account of its rows.
pub(super) fn scan(
    records: &Records,
    source: usize,
    plan: &mut Plan,
    keeper: &mut Keeper,
) -> Result<(Table, Seen, Tally)> {
    let declared = &records.conformed.pipeline.sources[source];
    let role = declared.decl.role;
    let hearing = Hearing::new(records.conformed.pipeline, source, &mut plan.predicates)?;
    let plan: &Plan = plan;
    let table = plan.table(records.conformed.engine.partitions)?;
    let keeping = Keeping::new(records.conformed.pipeline, source, plan.people)?;
    let new = || Seen {
        ledger: Ledger::default(),
        memory: plan.memory(),
        remembered: plan.predicates.memory(),
        heard: hearing.memory(plan.people),
        kept: keeping.memory(),
        providers: heard::Texts::default(),
        sampled: Some(Vec::new()),
    };
    let (states, tally) = records.conformed.scan(source, new, |seen: &mut Seen, chunk| {
        if let Some(provider) = &declared.decl.provider {
            count_providers(&mut seen.providers, &chunk, &provider.column)?;
        }
        let linked = records.link_chunk(role, &chunk, &mut seen.ledger)?;
        if !matches!(role, Role::Register | Role::Events | Role::Feedback) {
            return Ok(());
        }
        sample(&mut seen.sampled, &chunk, &linked)?;
        let masks = plan.predicates.masks(&mut seen.remembered, &chunk, &linked)?;
        plan.update(&table, &mut seen.memory, &chunk, &linked, &masks)?;
        keeping.keep(&mut seen.kept, &chunk, &linked)?;
        hearing.hear(&mut seen.heard, &chunk, &linked, &masks)
    })?;
    let mut states = states.into_iter();
    let mut total = states.next().unwrap_or_else(new);
    keeping.add(keeper, std::mem::take(&mut total.kept));
    for other in states {
        keeping.add(keeper, other.kept);
        total.ledger.merge(other.ledger);
        plan.merge(&mut total.memory, other.memory)?;
        total.providers.merge(&other.providers);
        total.heard.merge(other.heard);
        total.sampled = total.sampled.zip(other.sampled).map(|(mine, theirs)| [mine, theirs].concat());
    }
    Ok((table, total, tally))
}

/// Takes the rows of the sample as they were delivered, with those that they may be duplicates of.
fn sample(sampled: &mut Option<Vec<RawRows>>, chunk: &Chunk, linked: &Linked) -> Result<()> {
    let rows: BTreeSet<u32> = linked.sampled.iter().chain(&chunk.contested).copied().collect();
    if rows.is_empty() {
        return Ok(());
    }
    let Some(so_far) = sampled else { return Ok(()) };
    match chunk.as_delivered(&Vec::from_iter(rows))? {
        Some(rows) => so_far.push(rows),
        None => *sampled = None,
    }
    Ok(())
}

fn count_providers(providers: &mut heard::Texts, chunk: &Chunk, column: &str) -> Result<()> {
    let Some(column) = chunk.batch.column_by_name(column) else { return Ok(()) };
    let rows: Vec<u32> = (0..).take(chunk.fates.len()).collect();
    providers.count(column, &rows, |_| 0)
}
