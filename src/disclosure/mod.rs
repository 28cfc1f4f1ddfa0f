//! Counts that may leave the building.
//!
//! A number reaches `aggregate/` only as a `Disclosed`, and only a `Rule` makes one; a raw count does not compile:
//!
//! ```
//! use riskstrat::disclosure::{AggregateTable, Cell, Label, Rule};
//!
//! let mut table = AggregateTable::new("recording_gaps", ["item", "people"]);
//! table.row([Cell::Text(Label::new("ethnicity")), Cell::Count(Rule::Hes2018.count(12))])?;
//! # Ok::<(), riskstrat::error::Error>(())
//! ```
//!
//! ```compile_fail,E0308
//! use riskstrat::disclosure::{AggregateTable, Cell, Label};
//!
//! let mut table = AggregateTable::new("recording_gaps", ["item", "people"]);
//! let people: u64 = 12;
//! table.row([Cell::Text(Label::new("ethnicity")), Cell::Count(people)])?;
//! # Ok::<(), riskstrat::error::Error>(())
//! ```
//!
//! That hides each small count by itself. Tables say besides which counts add up to which, and before they are written
//! [`release`] attacks them all together, and those of the run before, as a reader with a pencil would: what could be
//! worked out is hidden too.
//!
//! # What is claimed
//!
//! Where counts are shown as they are (`below-5`, `threshold-10`), all tables, totals and the run before together leave each
//! small count a range of 8. Where they are rounded (`hes-2018`, `opensafely`, `mhsds`), a `*` is 1 to 7 (0 to 7, 1 to 4) by
//! the rule itself, so that no range of 8 exists within it: each of its sums leaves it uncertain by 8 as print has it, and all
//! of them together leave at least three numbers, never one. A count that an earlier run showed is not taken back. Which `*`
//! is small and which protects another is told nowhere.
//!
//! # What is not
//!
//! Totals are rounded in their own right, and are not the sums of their rounded parts. Tables of means, of linkage, of
//! movement, of calibration and of need are protected count by count: no sum of theirs is known here. A reader who knows some
//! of the people counts with less than print says.

/// By what a count is shown; a table of presets.
mod rule;

/// Tables, and what in them adds up.
mod table;

/// The published counts as a system of sums.
mod network;

/// What all sums together tell of counts that are not rounded.
mod program;

/// What a reader could work out, and what is hidden so that they cannot.
mod guard;

/// What was hidden, for `aggregate/sdc.json`.
mod decisions;

pub use decisions::{Decisions, Hidden};
pub use guard::{Before, release};
pub use rule::{Disclosed, Rule};
pub use table::{AggregateTable, Cell, Label, Whole, counted};
