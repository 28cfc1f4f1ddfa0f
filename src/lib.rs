//! Open population risk stratification: from pseudonymised deliveries to explained outreach lists.
//!
//! The modules stand in the order in which a run uses them; `run::run` is the whole flow on a page.

/// The command line: arguments, output, exit codes.
pub mod cli;

/// What can stop a run, and the exit code it ends with.
pub mod error;

/// Declarations in TOML and CSV, parsed and checked before any record is read.
pub mod pipeline;

/// The eight stages, called in order.
pub mod run;

/// Deliveries as sent: found, hashed, opened by header name.
pub mod source;

/// Delivered columns become our names and types; bad rows are set aside with a reason.
pub mod conform;

/// One spine of people, their events, and what every source says about them.
pub mod link;

/// How much memory a run may take.
pub mod memory;

/// Work cut over threads.
mod workers;

/// Columns of everyone, as narrow as their values are.
pub mod columns;

/// Reading ahead in tables larger than a processor's own memory.
mod ahead;

/// What was once found out about a whole number.
mod recall;

/// One row a person.
pub mod features;

/// Who is in contact with a person, and how often the contact changes hands.
pub mod webs;

/// Features become scores.
pub mod score;

/// What earlier runs published: an input of a run that remembers.
pub mod history;

/// How good a score is, here and for every group.
pub mod evaluate;

/// People at earlier dates, with what became of them after.
pub mod study;

/// A model learnt from a study.
pub mod train;

/// Statistics of health inequality, with their intervals.
pub mod figures;

/// Recording gaps: which demographic items are missing, where, for whom.
pub mod audit;

/// Emergencies that were kept out of a hospital bed, and whether that was safe.
pub mod diversions;

/// What followed on the lists that were sent.
pub mod impact;

/// What the risk of the people implies for the weeks to come.
pub mod demand;

/// Whether people still look like those a model was made on.
pub mod drift;

/// Who is on a list, in what order, and why.
pub mod cohort;

/// A list as data, and the formats in which its recipient gets it.
pub mod sheet;

/// How far a run may differ from the one before.
pub mod gates;

/// One page for the auditor and the board, from what may leave the building alone.
pub mod report;

/// What the stages made, laid out as the files of a run.
pub mod outputs;

/// A run is written beside, read back, named, and only then current.
pub mod publish;

/// What leaves: lists checked once more, each recipient's under its own tokens, and the ledger of it all.
pub mod release;

/// A second, slow, plain implementation that checks the engine.
pub mod oracle;

/// From a row of a list back to the rows behind it.
pub mod explain;

/// Invented, linked deliveries of any size with a known truth.
pub mod synth;

/// Code lists and value sets, locked by hash.
pub mod codelist;

/// Windows, ages and civil London dates.
pub mod calendar;

/// SQL expressions over declared columns: typed, bounded, expressions only.
pub mod expr;

/// Counts that may leave the building.
pub mod disclosure;

/// Tokens that cannot be printed.
pub mod pseudonym;

/// A token of its own for each recipient.
pub mod token;

/// NHS numbers where there should be pseudonyms.
mod nhs_number;

/// A line a stage, for people, for machines and for the run's own log.
pub mod journal;

/// What a run did, with the two sums that must balance.
pub mod receipt;

/// Columns that are put aside while memory is wanted for something else.
mod aside;

/// The few storage calls that publishing is made of.
pub mod storage;
