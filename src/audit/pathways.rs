//! Whether what is recorded at one step of care is recorded at the next: a gap at one breaks the chain.

use super::tables::text;
use crate::disclosure::{AggregateTable, Cell};
use crate::error::{Error, Result};
use crate::link::{AtStep, People, RecordingState};
use crate::pipeline::{Audit, Pathway, Pipeline};

/// The source of a step has no such item; of the whole, the person came to no step with a source that has.
const NOT_CARRIED: &str = "not_carried";
/// Stands for all the steps.
const WHOLE: &str = "whole pathway";

/// `pathways.csv`: people on each pathway, step by step and over the whole of it.
pub fn table(pipeline: &Pipeline, people: &People) -> Result<AggregateTable> {
    let header = ["audit", "pathway", "step", "source", "item", "people", "state", "count", "share"];
    let mut table = AggregateTable::new("pathways", header);
    // The steps of a source stand in the order of audits, pathways and steps.
    let mut next = vec![0; pipeline.sources.len()];
    for audit in &pipeline.audits {
        for pathway in &audit.pathways {
            let mut steps = Vec::new();
            for &source in &pathway.sources {
                let step = people.rows.get(source).and_then(|rows| rows.steps.get(next[source]));
                steps
                    .push(step.ok_or_else(|| Error::Fault(format!("pathway {}: a step was not heard", pathway.name)))?);
                next[source] += 1;
            }
            let places = places(&steps);
            let mut chain = Chain { pipeline, audit, pathway, steps, places, table: &mut table };
            for &item in &audit.items {
                chain.item(item)?;
            }
        }
    }
    Ok(table)
}

struct Chain<'a> {
    pipeline: &'a Pipeline,
    audit: &'a Audit,
    pathway: &'a Pathway,
    steps: Vec<&'a AtStep>,
    /// By step: where each person on the pathway stands among those who came to it.
    places: Vec<Vec<Option<usize>>>,
    table: &'a mut AggregateTable,
}

/// People with a row at the first step are on the pathway.
fn places(steps: &[&AtStep]) -> Vec<Vec<Option<usize>>> {
    let on_pathway = steps.first().map(|step| step.people.as_slice()).unwrap_or_default();
    let at = |step: &&AtStep| on_pathway.iter().map(|person| step.people.binary_search(person).ok()).collect();
    steps.iter().map(at).collect()
}

impl Chain<'_> {
    fn item(&mut self, item: usize) -> Result<()> {
        let mut chains: Vec<Option<bool>> = vec![None; self.places.first().map_or(0, Vec::len)];
        for number in 0..self.steps.len() {
            let step = self.steps[number];
            let mut states = [0_u64; RecordingState::ALL.len()];
            let mut people = 0;
            let of_item = step.states.get(item).and_then(Option::as_ref);
            for (chain, at) in chains.iter_mut().zip(&self.places[number]) {
                let Some(at) = at else { continue };
                people += 1;
                let Some(state) = of_item.and_then(|states| states.get(*at)) else { continue };
                states[*state as usize] += 1;
                *chain = Some(chain.unwrap_or(true) && is_answer(*state));
            }
            if step.states.get(item).is_some_and(Option::is_some) {
                for (state, count) in RecordingState::ALL.iter().zip(states) {
                    // A row is neither stale nor in conflict.
                    if !matches!(state, RecordingState::Conflicting | RecordingState::Stale) {
                        self.row(number, item, people, state.name(), count)?;
                    }
                }
            } else {
                self.row(number, item, people, NOT_CARRIED, people)?;
            }
        }
        let people = chains.len() as u64;
        for (state, wanted) in [("unbroken", Some(true)), ("broken", Some(false)), (NOT_CARRIED, None)] {
            let count = chains.iter().filter(|chain| **chain == wanted).count() as u64;
            self.row(self.steps.len(), item, people, state, count)?;
        }
        Ok(())
    }

    fn row(&mut self, step: usize, item: usize, people: u64, state: &str, count: u64) -> Result<()> {
        let rule = self.pipeline.disclosure;
        let step = self.pathway.decl.steps.get(step);
        self.table.row([
            text(&self.audit.name),
            text(&self.pathway.name),
            text(step.map_or(WHOLE, |step| &step.title)),
            step.map_or(Cell::Empty, |step| text(&step.source)),
            text(&self.pipeline.items[item].name),
            Cell::Count(rule.count(people)),
            text(state),
            Cell::Count(rule.part(count, people)),
            Cell::Count(rule.share(count, people)),
        ])
    }
}

/// A value, or that the person was asked and gave none.
fn is_answer(state: RecordingState) -> bool {
    matches!(state, RecordingState::Known | RecordingState::AskedUnsure | RecordingState::Declined)
}
