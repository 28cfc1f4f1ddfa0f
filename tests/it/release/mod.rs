//! What leaves: re-checked lists, tokens of their own for each recipient, the ledger, withdrawals, feedback.

mod again;
mod bound;
mod generated;
mod interrupted;
mod judged;
mod returned;
mod shell;
mod tampering;
mod world;
