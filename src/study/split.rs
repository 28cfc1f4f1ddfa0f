//! Who is learnt from, and who is kept back: by a keyed hash of the person, and by time.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::Study;
use crate::pipeline::study::StudyPlan;
use crate::pseudonym::Pseudonym;

/// What a row is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    Train,
    /// Not touched until a model is finished.
    HoldOut,
    /// Of a split by time: held-out people before it, and the others after it.
    Neither,
}

/// Sets part and fold of every row; both depend on the person and the date alone.
pub(super) fn split(plan: &StudyPlan, study: &mut Study) {
    let split = &plan.decl.split;
    let folds = plan.decl.train.as_ref().map_or(1, |train| train.folds.max(1));
    let mut places: BTreeMap<u32, (bool, u32)> = BTreeMap::new();
    for (token, person) in study.tokens.iter().zip(&study.person) {
        let place = || (share(&split.key, "hold-out", token) < split.hold_out, fold(&split.key, token, folds));
        places.entry(*person).or_insert_with(place);
    }
    for (person, as_of) in study.person.iter().zip(&study.as_of) {
        let (held_out, fold) = places[person];
        let later = split.from.map(|from| *as_of >= from);
        study.part.push(match (held_out, later) {
            (true, None | Some(true)) => Part::HoldOut,
            (false, None | Some(false)) => Part::Train,
            _ => Part::Neither,
        });
        study.fold.push(fold);
    }
}

fn fold(key: &str, token: &Pseudonym, folds: u32) -> u32 {
    // Below `folds`, as the share is below 1.
    (share(key, "fold", token) * f64::from(folds)) as u32
}

/// A number in [0, 1) that belongs to the person under this key, another one for each use.
fn share(key: &str, what: &str, token: &Pseudonym) -> f64 {
    let mut hash = Sha256::new();
    for part in [key.as_bytes(), what.as_bytes(), token.reveal().as_bytes()] {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    let first: [u8; 8] = hash.finalize().first_chunk().copied().unwrap_or_default();
    (u64::from_le_bytes(first) >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_spread_evenly_and_each_use_has_its_own_shares() {
        let tokens: Vec<Pseudonym> = (0..4_000).map(|n| Pseudonym::new(format!("p{n}"))).collect();
        let held = tokens.iter().filter(|token| share("k", "hold-out", token) < 0.25).count();
        assert!((900..1_100).contains(&held), "{held}");
        let both = tokens.iter().filter(|token| share("k", "hold-out", token) < 0.25 && fold("k", token, 4) == 0);
        let both = both.count();
        assert!((190..310).contains(&both), "{both}");
        let other = tokens.iter().filter(|t| (share("k", "hold-out", t) < 0.25) != (share("l", "hold-out", t) < 0.25));
        assert!(other.count() > 1_000);
    }
}
