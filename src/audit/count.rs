//! How many people are recorded in which state.

use super::Counts;
use super::groups::Split;
use crate::error::{Error, Result};
use crate::link::{ItemEvidence, People, States};
use crate::pipeline::Pipeline;

/// For each audit and item: all sources, each source that says something of it, and each split.
pub fn counts(pipeline: &Pipeline, people: &People, splits: &[Vec<Split>]) -> Result<Vec<Counts>> {
    let mut counts = Vec::new();
    for (number, (audit, splits)) in pipeline.audits.iter().zip(splits).enumerate() {
        let sizes: Vec<Vec<u64>> = splits.iter().map(|split| split.count(|_| true)).collect();
        for &item in &audit.items {
            let evidence = people
                .items
                .get(item)
                .ok_or_else(|| Error::Fault(format!("audit {}: an item has no evidence", audit.name)))?;
            let everyone = Counts {
                audit: number,
                item,
                source: None,
                group: None,
                people: people.tokens.len() as u64,
                states: evidence.states(),
                no_record: 0,
            };
            counts.extend(by_source(pipeline, evidence, &everyone)?);
            for (split, sizes) in splits.iter().zip(&sizes) {
                counts.extend(by_group(evidence, split, sizes, &everyone)?);
            }
        }
    }
    for count in &counts {
        check(pipeline, count)?;
    }
    Ok(counts)
}

fn by_source(pipeline: &Pipeline, evidence: &ItemEvidence, everyone: &Counts) -> Result<Vec<Counts>> {
    let mut counts = vec![everyone.clone()];
    for (number, (source, &states)) in pipeline.sources.iter().zip(&evidence.by_source).enumerate() {
        if source.demographics.iter().all(|said| said.item != everyone.item) {
            continue;
        }
        let no_record = everyone.people.checked_sub(states.iter().sum()).ok_or_else(|| {
            Error::Fault(format!("source {}: says something of more people than there are", source.name))
        })?;
        counts.push(Counts { source: Some(number), states, no_record, ..everyone.clone() });
    }
    Ok(counts)
}

fn by_group(evidence: &ItemEvidence, split: &Split, sizes: &[u64], everyone: &Counts) -> Result<Vec<Counts>> {
    let mut states = vec![States::default(); split.names.len()];
    for (&state, &group) in evidence.state.iter().zip(split.of.iter()) {
        let count = states.get_mut(group as usize).and_then(|states| states.get_mut(state as usize));
        *count.ok_or_else(|| Error::Fault("someone is in no group".to_owned()))? += 1;
    }
    let group = |((name, states), people): ((&String, States), &u64)| Counts {
        group: Some((split.name.clone(), name.clone())),
        people: *people,
        states,
        ..everyone.clone()
    };
    Ok(split.names.iter().zip(states).zip(sizes).map(group).collect())
}

/// The states of a group are its people, all of them.
fn check(pipeline: &Pipeline, counts: &Counts) -> Result<()> {
    if counts.states.iter().sum::<u64>() + counts.no_record == counts.people {
        return Ok(());
    }
    let item = pipeline.items.get(counts.item).map_or("", |item| item.name.as_str());
    Err(Error::Fault(format!("item {item}: the people in its states are not the people there are")))
}
