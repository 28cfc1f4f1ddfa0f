//! What was hidden, for `aggregate/sdc.json`: table, row, column and by which rule; never the number, and never whether it
//! was small itself or protects another, which would tell of both.

use serde::Serialize;

use super::rule::{Disclosed, Rule};
use super::table::{AggregateTable, Cell};

/// Why a count is hidden.
const COUNT: &str = "small, or hidden so that a small one cannot be worked out from tables, totals or the run before";

/// Why a share or a figure is hidden.
const DERIVED: &str = "a count behind it is hidden or small, or it would say none or all of a small group";

/// The two reasons, in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Why {
    pub count: &'static str,
    pub derived: &'static str,
}

/// Every decision of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decisions {
    /// The preset, and what it says.
    pub rule: String,
    pub means: String,
    /// What a decision's `why` says.
    pub why: Why,
    pub tables: Vec<Table>,
}

/// What was decided for one table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Table {
    pub table: String,
    /// Cells that hold a number, and those that are hidden.
    pub numbers: u64,
    pub hidden: Vec<Hidden>,
}

/// One hidden cell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Hidden {
    /// From 1, the header not counted.
    pub row: usize,
    pub column: String,
    pub why: &'static str,
}

impl Decisions {
    pub fn of(rule: Rule, tables: &[AggregateTable]) -> Self {
        let why = Why { count: COUNT, derived: DERIVED };
        Self { rule: rule.name(), means: rule.words(), why, tables: tables.iter().map(decided).collect() }
    }

    /// Adds tables that are worked out from released ones.
    pub fn add(&mut self, tables: &[AggregateTable]) {
        self.tables.extend(tables.iter().map(decided));
    }
}

fn decided(table: &AggregateTable) -> Table {
    let mut decided = Table { table: table.name().to_owned(), numbers: 0, hidden: Vec::new() };
    for (row, cells) in table.rows().iter().enumerate() {
        for (cell, column) in cells.iter().zip(table.header()) {
            let Cell::Count(shown) = cell else { continue };
            decided.numbers += 1;
            decided.hidden.extend(hidden(row + 1, column, *shown));
        }
    }
    decided
}

fn hidden(row: usize, column: &str, shown: Disclosed) -> Option<Hidden> {
    let why = if shown.is_count() { "count" } else { "derived" };
    shown.is_suppressed().then(|| Hidden { row, column: column.to_owned(), why })
}
