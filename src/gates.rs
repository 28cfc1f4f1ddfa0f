//! How far a run may differ from the one before (`[limits]`); beyond it, nothing is published.
//!
//! Only a run that remembers has one to compare with. What may pass by the word of a human is part of the run id.

/// What was delivered: shrunk, grown, older, unchanged, or without one of its providers.
mod deliveries;

/// Who is listed: how many, how many others, and of which groups.
mod lists;

pub use deliveries::{due, sources};
pub use lists::lists;

use hashbrown::HashMap;

/// What a human lets pass.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Consent {
    /// Who said yes to lists that differ much from those before.
    pub approved_by: Option<String>,
    /// A delivery may be older than the last one used.
    pub allow_older: bool,
}

/// People whose provider sent nothing: what is not known of them must not read as low risk.
#[derive(Debug, Default)]
pub struct NoData {
    reasons: Vec<String>,
    /// Index into `reasons`, by person.
    of: HashMap<u32, usize>,
}

impl NoData {
    /// Why nothing can be said of the person.
    pub fn reason(&self, person: u32) -> Option<&str> {
        self.reasons.get(*self.of.get(&person)?).map(String::as_str)
    }

    /// The first reason stands.
    fn add(&mut self, reason: String, people: impl IntoIterator<Item = u32>) {
        for person in people {
            self.of.entry(person).or_insert(self.reasons.len());
        }
        self.reasons.push(reason);
    }
}

/// "12.5 %".
fn percent(part: u64, whole: u64) -> String {
    let tenths = (u128::from(part) * 1000 + u128::from(whole) / 2) / u128::from(whole.max(1));
    format!("{}.{} %", tenths / 10, tenths % 10)
}
