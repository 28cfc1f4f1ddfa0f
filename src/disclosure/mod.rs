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
