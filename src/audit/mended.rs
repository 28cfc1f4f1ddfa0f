//! What was mended since the run before, and what came to be mended.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringDictionaryBuilder};
use arrow::datatypes::{DataType, Field, Int32Type};

use super::dqmi::audited;
use super::tables::text;
use super::worklist::is_gap;
use crate::columns::Columns;
use crate::disclosure::{AggregateTable, Cell};
use crate::error::Result;
use crate::history::{self, Previous};
use crate::link::People;
use crate::pipeline::Pipeline;

/// People whose record of one item was open in the run before, and what became of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Mended {
    /// Index into [`Pipeline::items`].
    pub item: usize,
    pub open_before: u64,
    /// A value is known now.
    pub mended: u64,
    pub still_open: u64,
    /// Nobody of this run.
    pub gone: u64,
    /// Open now, and not before: newcomers, too.
    pub new: u64,
}

/// Holds the gaps of a run against those of the run before.
pub fn since(pipeline: &Pipeline, people: &People, previous: &Previous) -> Vec<Mended> {
    let mut found = Vec::new();
    let items = pipeline.items.iter().zip(&people.items).enumerate();
    for (item, (declared, evidence)) in items.filter(|(item, _)| audited(pipeline, *item)) {
        let Some(before) = previous.gaps_in(&declared.name) else { continue };
        let mut mended = Mended { item, open_before: before.len() as u64, ..Mended::default() };
        for (token, state) in people.tokens.iter().zip(&evidence.state) {
            match (before.contains(token), is_gap(*state)) {
                (true, true) => mended.still_open += 1,
                (true, false) => mended.mended += 1,
                (false, true) => mended.new += 1,
                (false, false) => {}
            }
        }
        mended.gone = mended.open_before - mended.still_open - mended.mended;
        found.push(mended);
    }
    found
}

/// `mended.csv`
pub fn table(pipeline: &Pipeline, mended: &[Mended]) -> Result<AggregateTable> {
    let header = ["item", "open_before", "mended", "share_mended", "still_open", "gone", "new"];
    let mut table = AggregateTable::new("mended", header);
    let rule = pipeline.disclosure;
    for row in mended {
        table.row([
            text(&pipeline.items[row.item].name),
            Cell::Count(rule.count(row.open_before)),
            Cell::Count(rule.part(row.mended, row.open_before)),
            Cell::Count(rule.share(row.mended, row.open_before)),
            Cell::Count(rule.part(row.still_open, row.open_before)),
            Cell::Count(rule.part(row.gone, row.open_before)),
            Cell::Count(rule.count(row.new)),
        ])?;
    }
    Ok(table)
}

/// The table behind [`history::GAPS`]: each person with the names of their open items.
pub fn open_items(pipeline: &Pipeline, people: &People) -> Result<Columns> {
    let items = pipeline.items.iter().zip(&people.items).enumerate();
    let items: Vec<_> = items.filter(|(item, _)| audited(pipeline, *item)).map(|(_, item)| item).collect();
    // Many people have the same items open.
    let mut open = StringDictionaryBuilder::<Int32Type>::new();
    let mut names = String::new();
    for person in 0..people.tokens.len() {
        names.clear();
        for (item, evidence) in &items {
            if evidence.state.get(person).is_some_and(|state| is_gap(*state)) {
                names.push_str(if names.is_empty() { "" } else { " " });
                names.push_str(&item.name);
            }
        }
        open.append(&names)?;
    }
    let mut table = Columns::new(people.tokens.len());
    table.push(Field::new(history::OPEN, DataType::Utf8, false), &(Arc::new(open.finish()) as ArrayRef))?;
    Ok(table)
}
