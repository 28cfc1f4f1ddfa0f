//! People whom a register knows and who are no longer on the spine: they died or left, and did not object.
//!
//! No list and no feature is about them. What followed on an emergency or on a list is: who died is no success.

use hashbrown::HashMap;

use super::{Entry, Presence, Records};
use crate::pseudonym::Pseudonym;

/// By number among all tokens of registers.
#[derive(Debug, Default)]
pub struct Gone {
    numbers: HashMap<Pseudonym, u32>,
    tokens: HashMap<u32, Pseudonym>,
    died: HashMap<u32, i32>,
}

impl Gone {
    /// Everyone who died or left before the as-of date.
    pub fn of(records: &Records) -> Self {
        let mut gone = Self::default();
        for (line, entry) in records.known.all().filter(|(_, entry)| entry.is_gone()) {
            let Some(token) = records.known.token(line).map(Pseudonym::new) else { continue };
            gone.numbers.insert(token.clone(), entry.index);
            gone.tokens.entry(entry.index).or_insert(token);
            gone.died.extend(entry.death.map(|day| (entry.index, day)));
        }
        gone
    }

    pub fn number(&self, token: &Pseudonym) -> Option<u32> {
        self.numbers.get(token).copied()
    }

    /// The token of a number.
    pub fn token(&self, number: u32) -> Option<&Pseudonym> {
        self.tokens.get(&number)
    }

    /// The day of death; none of who left.
    pub fn died(&self, number: u32) -> Option<i32> {
        self.died.get(&number).copied()
    }
}

impl Entry {
    pub(super) fn is_gone(&self) -> bool {
        matches!(self.presence, Presence::Died | Presence::Left)
    }
}
