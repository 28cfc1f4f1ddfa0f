//! What is new for a recipient since the last list of the same cohort.

use std::collections::BTreeMap;

use super::crosswalk::Row;
use super::recheck::DIED;
use crate::pseudonym::Pseudonym;

/// One line of `changes.csv`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Change {
    pub what: What,
    pub token: Pseudonym,
    /// The token under which the recipient knew the person, where it was another.
    pub token_before: Option<Pseudonym>,
    /// Rank and status of now; none of those who are off the list.
    pub place: Option<(i64, String)>,
}

/// As little as a caller must know: whoever is removed must not be called, whatever the reason; that someone died is
/// said so that nobody asks a family after them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum What {
    Died,
    Removed,
    MovedUp,
    MovedDown,
    Added,
    NewToken,
}

impl What {
    pub(super) const ALL: [Self; 6] =
        [Self::Died, Self::Removed, Self::MovedUp, Self::MovedDown, Self::Added, Self::NewToken];

    /// The word in `changes.csv`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Died => DIED,
            Self::Removed => "removed",
            Self::MovedUp => "moved up to the list",
            Self::MovedDown => "moved down to the reserve",
            Self::Added => "added",
            Self::NewToken => "new token",
        }
    }
}

/// Compares a list as it is with what the recipient was sent last, by person; `stands` says who someone of then is today,
/// and why they are on no list whatever.
pub(super) fn between(
    before: &[Row],
    now: &[Row],
    stands: impl Fn(&Pseudonym) -> (Pseudonym, Result<u32, String>),
) -> Vec<Change> {
    let mut gone: BTreeMap<Pseudonym, (&Row, bool)> = BTreeMap::new();
    for row in before {
        let (today, stands) = stands(&row.person);
        gone.insert(today, (row, stands.is_err_and(|why| why == DIED)));
    }
    let mut changes = Vec::new();
    for row in now {
        let known = gone.remove(&row.person);
        let token_before = known.as_ref().map(|(then, _)| &then.token).filter(|token| **token != row.token);
        let what = match known.as_ref().map(|(then, _)| (then.status.as_str(), row.status.as_str())) {
            None => What::Added,
            Some((then, status)) if then != status => match status {
                "listed" => What::MovedUp,
                _ => What::MovedDown,
            },
            Some(_) if token_before.is_some() => What::NewToken,
            Some(_) => continue,
        };
        let place = Some((row.rank, row.status.clone()));
        changes.push(Change { what, token: row.token.clone(), token_before: token_before.cloned(), place });
    }
    changes.extend(gone.into_values().map(|(row, died)| {
        let what = if died { What::Died } else { What::Removed };
        Change { what, token: row.token.clone(), token_before: None, place: None }
    }));
    // Of those who are off the list the old order would say who they were.
    changes.sort_by(|a, b| (a.what, &a.place, &a.token).cmp(&(b.what, &b.place, &b.token)));
    changes
}
