//! Who is linked, and who may be linked wrongly.
//!
//! Rows that no register knows are counted by what they say themselves; nobody looks for whom they might belong to. People
//! whose sources differ in what a person has only one of may be two people under one token.

use super::groups::{self, Split};
use super::tables::text;
use crate::cohort::words::NOT_RECORDED;
use crate::disclosure::{AggregateTable, Cell};
use crate::error::Result;
use crate::features::Features;
use crate::link::{People, RecordingState, RowGroup};
use crate::pipeline::Pipeline;
use crate::pipeline::decl::LinkageDecl;

/// `linkage.csv`: the rows of each source by what they say, and how many were linked.
pub fn rows(pipeline: &Pipeline, people: &People) -> Result<AggregateTable> {
    let header = ["source", "split", "group", "rows", "linked", "share_linked", "not_linked", "outside_life"];
    let mut table = AggregateTable::new("linkage", header);
    let rule = pipeline.disclosure;
    for (source, rows) in pipeline.sources.iter().zip(&people.rows) {
        for of_split in rows.groups.chunk_by(|a, b| a.split == b.split) {
            let Some(split) = of_split.first().map(|row| row.split.as_str()) else { continue };
            for (group, [used, not_linked, outside_life]) in named(pipeline, split, of_split) {
                let all = used + not_linked + outside_life;
                table.row([
                    text(&source.name),
                    text(split),
                    text(&group),
                    Cell::Count(rule.count(all)),
                    Cell::Count(rule.part(used, all)),
                    Cell::Count(rule.share(used, all)),
                    Cell::Count(rule.part(not_linked, all)),
                    Cell::Count(rule.part(outside_life, all)),
                ])?;
            }
        }
    }
    Ok(table)
}

/// Groups by what they are called, numbers by size; "not recorded" last, and always there.
fn named(pipeline: &Pipeline, split: &str, rows: &[RowGroup]) -> Vec<(String, [u64; 3])> {
    let item = pipeline.items.iter().position(|item| item.name == split);
    let labels = item.map(|item| groups::labels(pipeline, item)).unwrap_or_default();
    let mut named: Vec<(String, [u64; 3])> = vec![(NOT_RECORDED.to_owned(), [0; 3])];
    for row in rows {
        let name = labels.get(row.group.as_str()).copied().unwrap_or(&row.group);
        let fates = [row.used, row.not_linked, row.outside_life];
        match named.iter_mut().find(|(known, _)| known == name) {
            Some((_, sum)) => sum.iter_mut().zip(fates).for_each(|(sum, fate)| *sum += fate),
            None => named.push((name.to_owned(), fates)),
        }
    }
    let last = |name: &str| name == NOT_RECORDED;
    named.sort_by_key(|(name, _)| (last(name), name.parse::<i64>().unwrap_or(i64::MAX), name.clone()));
    named
}

/// `false_links.csv`: people whose sources differ in one, or in several, of the identity items.
pub fn people(pipeline: &Pipeline, people: &People, features: &Features) -> Result<AggregateTable> {
    let header = ["split", "group", "people", "one_conflict", "share_one", "several_conflicts", "share_several"];
    let mut table = AggregateTable::new("false_links", header);
    for linkage in pipeline.audits.iter().filter_map(|audit| audit.decl.linkage.as_ref()) {
        let conflicts = conflicts(pipeline, people, linkage);
        for name in &linkage.by {
            if let Some(split) = split(pipeline, people, features, name)? {
                of_split(pipeline, &split, &conflicts, &mut table)?;
            }
        }
    }
    Ok(table)
}

/// By person: in how many identity items the sources differ.
fn conflicts(pipeline: &Pipeline, people: &People, linkage: &LinkageDecl) -> Vec<u8> {
    let mut conflicts = vec![0_u8; people.tokens.len()];
    let identity = pipeline.items.iter().zip(&people.items).filter(|(item, _)| linkage.identity.contains(&item.name));
    for (_, evidence) in identity {
        for (count, state) in conflicts.iter_mut().zip(&evidence.state) {
            *count = count.saturating_add(u8::from(*state == RecordingState::Conflicting));
        }
    }
    conflicts
}

fn split(pipeline: &Pipeline, people: &People, features: &Features, name: &str) -> Result<Option<Split>> {
    if let Some(item) = pipeline.items.iter().position(|item| item.name == name) {
        return groups::by_item(pipeline, people, item).map(Some);
    }
    let feature = pipeline.features.iter().position(|feature| feature.name == name);
    feature.map(|feature| groups::of_people(pipeline, people, features, feature)).transpose()
}

fn of_split(pipeline: &Pipeline, split: &Split, conflicts: &[u8], table: &mut AggregateTable) -> Result<()> {
    let rule = pipeline.disclosure;
    let with = |least: u8| split.count(|person| conflicts.get(person).is_some_and(|count| *count >= least));
    let counts = split.count(|_| true).into_iter().zip(with(1)).zip(with(2));
    for (group, ((people, any), several)) in split.names.iter().zip(counts) {
        let one = any - several;
        table.row([
            text(&split.name),
            text(group),
            Cell::Count(rule.count(people)),
            Cell::Count(rule.part(one, people)),
            Cell::Count(rule.share(one, people)),
            Cell::Count(rule.part(several, people)),
            Cell::Count(rule.share(several, people)),
        ])?;
    }
    Ok(())
}
