//! What the rules of resolution make of the same evidence, and where sources disagree.

use std::collections::BTreeMap;

use super::dqmi::audited;
use super::groups;
use super::tables::text;
use crate::cohort::words::NOT_RECORDED;
use crate::disclosure::{AggregateTable, Cell};
use crate::error::Result;
use crate::link::{ItemEvidence, Pair, People};
use crate::pipeline::Pipeline;
use crate::pipeline::decl::Resolve;

/// Items that an audit expects, with what is said of them.
fn items<'a>(pipeline: &'a Pipeline, people: &'a People) -> impl Iterator<Item = (usize, &'a str, &'a ItemEvidence)> {
    let items = pipeline.items.iter().zip(&people.items).enumerate();
    items
        .map(|(item, (declared, evidence))| (item, declared.name.as_str(), evidence))
        .filter(|(item, ..)| audited(pipeline, *item))
}

/// `resolution.csv`: people of each group by each rule, and how many another rule than the declared one would move.
pub fn side_by_side(pipeline: &Pipeline, people: &People) -> Result<AggregateTable> {
    let header = ["item", "declared", "group"].into_iter().chain(Resolve::ALL.map(Resolve::name));
    let mut table = AggregateTable::new("resolution", header);
    let everyone = people.tokens.len() as u64;
    for (item, name, evidence) in items(pipeline, people) {
        let labels = groups::labels(pipeline, item);
        let beside = &evidence.beside;
        // Two codes may have one label.
        let mut groups: BTreeMap<&str, [u64; Resolve::ALL.len()]> = BTreeMap::new();
        for (rule, people) in beside.people.iter().enumerate() {
            for (value, people) in people {
                groups.entry(labels.get(&**value).copied().unwrap_or(value)).or_default()[rule] += people;
            }
        }
        if groups.is_empty() {
            groups.insert("any value", [beside.known; Resolve::ALL.len()]);
        }
        let missing = everyone.saturating_sub(beside.known);
        let rest = [(NOT_RECORDED, [missing; Resolve::ALL.len()]), ("differs from the declared rule", beside.moved)];
        for (group, people) in groups.into_iter().chain(rest) {
            let declared = pipeline.items[item].decl.resolve.name();
            let counts = people.map(|people| Cell::Count(pipeline.disclosure.count(people)));
            table.row([text(name), text(declared), text(group)].into_iter().chain(counts))?;
        }
    }
    Ok(table)
}

/// `flips.csv`: people whose recorded value changed over time, and those whose value came back after another.
pub fn flips(pipeline: &Pipeline, people: &People) -> Result<AggregateTable> {
    let header = ["item", "people", "changed", "share_changed", "went_back", "share_went_back"];
    let mut table = AggregateTable::new("flips", header);
    let rule = pipeline.disclosure;
    for (_, name, evidence) in items(pipeline, people) {
        let beside = &evidence.beside;
        let [changed, went_back] = [beside.changed, beside.went_back];
        table.row([
            text(name),
            Cell::Count(rule.count(beside.known)),
            Cell::Count(rule.part(changed, beside.known)),
            Cell::Count(rule.share(changed, beside.known)),
            Cell::Count(rule.part(went_back, beside.known)),
            Cell::Count(rule.share(went_back, beside.known)),
        ])?;
    }
    Ok(table)
}

/// `disagreement.csv`: each two sources that both know a value, and what they say; pairs of values where there are few.
pub fn disagreement(pipeline: &Pipeline, people: &People) -> Result<AggregateTable> {
    let header = ["item", "source_a", "source_b", "value_a", "value_b", "people", "share"];
    let mut table = AggregateTable::new("disagreement", header);
    let rule = pipeline.disclosure;
    for (item, name, evidence) in items(pipeline, people) {
        let labels = groups::labels(pipeline, item);
        for (&(a, b), pair) in &evidence.pairs {
            let source = |source: u16| pipeline.sources.get(usize::from(source));
            let sources = [a, b].map(|number| source(number).map_or("", |source| source.name.as_str()));
            let mut row = |values: [&str; 2], people: u64| {
                let named = [name, sources[0], sources[1], values[0], values[1]].map(text);
                let counts = [rule.part(people, pair.people), rule.share(people, pair.people)].map(Cell::Count);
                table.row(named.into_iter().chain(counts))
            };
            row(["any value", "any value"], pair.people)?;
            row(["any value", "the same"], pair.same)?;
            row(["any value", "another"], pair.people - pair.same)?;
            for ((a, b), people) in labelled(evidence, pair, &labels) {
                row([a, b], people)?;
            }
        }
    }
    Ok(table)
}

/// People of whom two sources know something else, by what it is called; none of an item without a value set.
fn labelled<'a>(
    evidence: &'a ItemEvidence,
    pair: &Pair,
    labels: &BTreeMap<&str, &'a str>,
) -> BTreeMap<(&'a str, &'a str), u64> {
    let mut labelled = BTreeMap::new();
    if labels.is_empty() {
        return labelled;
    }
    let label = |value: u32| evidence.value(Some(value)).map(|value| labels.get(value).copied().unwrap_or(value));
    for (&(first, second), people) in &pair.differ {
        if let Some(differ) = label(first).zip(label(second)) {
            *labelled.entry(differ).or_default() += people;
        }
    }
    labelled
}
