//! Old tokens and what they became.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::AsArray;
use hashbrown::HashMap;

use super::spine;
use crate::conform::{Conformed, Fate};
use crate::error::{Error, Result};
use crate::nhs_number;
use crate::pipeline::decl::Role;

/// Every old token with the one in use today.
#[derive(Debug, Default)]
pub struct Superseded {
    current: HashMap<String, String>,
}

impl Superseded {
    /// The token in use today.
    pub fn fold<'a>(&'a self, token: &'a str) -> &'a str {
        self.current.get(token).map_or(token, String::as_str)
    }

    /// Old tokens, each with the one in use today, in no meaningful order.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.current.iter().map(|(old, new)| (old.as_str(), new.as_str()))
    }

    /// Every token that became `token`, itself included.
    pub fn all_of(&self, token: &str) -> BTreeSet<String> {
        let old = self.current.iter().filter(|(_, new)| *new == token).map(|(old, _)| old.clone());
        old.chain([token.to_owned()]).collect()
    }
}

/// Reads every source with the role `superseded` and follows the chains.
pub(super) fn read(conformed: &Conformed) -> Result<Superseded> {
    let mut steps: BTreeMap<String, String> = BTreeMap::new();
    for (index, source) in conformed.pipeline.with_role(Role::Superseded) {
        let (states, _) = conformed.scan(index, Vec::new, |pairs: &mut Vec<(String, String)>, chunk| {
            let old = spine::person(&chunk)?;
            let Some(new) = chunk.batch.column_by_name("superseded_by") else { return Ok(()) };
            for row in (0..chunk.fates.len()).filter(|row| chunk.fates[*row] == Fate::Good) {
                let pair = (old.as_string::<i32>().value(row), new.as_string::<i32>().value(row));
                pairs.push((pair.0.to_owned(), pair.1.to_owned()));
            }
            Ok(())
        })?;
        let mut torn = BTreeSet::new();
        for (old, new) in states.into_iter().flatten() {
            if let Some(other) = steps.insert(old.clone(), new.clone())
                && other != new
            {
                torn.insert(old);
            }
        }
        nhs_number::refuse(&source.name, "person", steps.keys())?;
        if !torn.is_empty() {
            let count = torn.len();
            let message =
                format!("source {}, column superseded_by: {count} old tokens have two successors", source.name);
            return Err(Error::Check(message));
        }
    }
    follow(&steps)
}

fn follow(steps: &BTreeMap<String, String>) -> Result<Superseded> {
    let mut current: BTreeMap<String, String> = BTreeMap::new();
    let mut in_cycle: BTreeSet<&str> = BTreeSet::new();
    for old in steps.keys() {
        // The tokens on the way share one end: each step of a chain is taken once.
        let mut way: Vec<&str> = Vec::new();
        let mut on_way: BTreeSet<&str> = BTreeSet::new();
        let mut token: &str = old;
        let end = loop {
            if in_cycle.contains(token) || !on_way.insert(token) {
                break None;
            }
            if let Some(end) = current.get(token) {
                break Some(end.clone());
            }
            way.push(token);
            match steps.get(token) {
                Some(next) => token = next,
                None => break Some(token.to_owned()),
            }
        };
        for token in way.into_iter().filter(|token| steps.contains_key(*token)) {
            match &end {
                Some(end) => {
                    current.insert(token.to_owned(), end.clone());
                }
                None => {
                    in_cycle.insert(token);
                }
            }
        }
    }
    if !in_cycle.is_empty() {
        return Err(Error::Check(format!("superseded tokens: {} of them lead round in a circle", in_cycle.len())));
    }
    Ok(Superseded { current: current.into_iter().collect() })
}

#[cfg(test)]
impl Superseded {
    pub(super) fn of(current: BTreeMap<String, String>) -> Self {
        Self { current: current.into_iter().collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(old, new)| ((*old).to_owned(), (*new).to_owned())).collect()
    }

    #[test]
    fn a_chain_is_followed_to_its_end() {
        let folded = follow(&steps(&[("a", "b"), ("b", "c"), ("x", "c")])).unwrap();
        assert_eq!([folded.fold("a"), folded.fold("b"), folded.fold("c"), folded.fold("x")], ["c"; 4]);
        assert_eq!(folded.all_of("c").len(), 4);
    }

    #[test]
    fn a_circle_is_an_error() {
        let error = follow(&steps(&[("a", "b"), ("b", "a"), ("c", "a")])).unwrap_err();
        assert_eq!(error.to_string(), "superseded tokens: 3 of them lead round in a circle");
        assert!(follow(&steps(&[("a", "a")])).is_err());
    }
}
