//! Everyone on a run's lists, judged again on a later delivery.

use std::collections::{BTreeMap, BTreeSet};

use crate::cohort;
use crate::conform::{self, Engine};
use crate::error::Result;
use crate::features;
use crate::history::History;
use crate::journal::Journal;
use crate::link::{self, Presence};
use crate::oracle;
use crate::pipeline::Pipeline;
use crate::pseudonym::Pseudonym;
use crate::receipt::Check;
use crate::run;
use crate::score;
use crate::source::Delivered;

/// What the later delivery says.
pub(super) struct Later {
    /// Of each token asked for: the one in use today, and where its person stands.
    standing: BTreeMap<Pseudonym, (Pseudonym, Option<Presence>)>,
    /// Everyone on the spine, sorted.
    spine: Vec<Pseudonym>,
    /// By cohort and person: the first exclusion that holds.
    excluded: Vec<Vec<Option<usize>>>,
    pub(super) checks: Vec<Check>,
}

/// Why someone is off a list, as the data team reads it.
pub(super) const DIED: &str = "died";

/// Reads the delivery as a run does, under the same gates: a stale or unlinkable source stops it.
pub(super) fn read(
    pipeline: &Pipeline,
    delivered: &Delivered,
    engine: Engine,
    journal: &Journal,
    history: History,
    tokens: BTreeSet<&Pseudonym>,
) -> Result<Later> {
    let conformed = conform::conform(pipeline, delivered, engine)?;
    let records = link::link(&conformed)?;
    journal.linked(&records.account);
    let today = |token: &Pseudonym| Pseudonym::new(records.superseded.fold(token.reveal()));
    let standing = tokens.into_iter().map(|token| (token.clone(), (today(token), records.presence(token)))).collect();
    let history = history.in_todays_tokens(&records.superseded);
    let (people, features, accounts) = features::pass(records, &|account| journal.read(account))?;
    run::linkable(pipeline, &accounts)?;
    run::fresh(pipeline, &accounts)?;
    let mut scores = score::score(pipeline, &features)?;
    let checks = oracle::self_check(pipeline, delivered, &people, &features, &scores)?;
    history.add_changes(pipeline, &people, &mut scores)?;
    let excluded = cohort::excluded(pipeline, &people, &features, &scores)?;
    Ok(Later { standing, spine: people.tokens, excluded, checks })
}

impl Later {
    /// The person's token of today, and why they must not be called; `cohort` is an index into the pipeline's.
    pub(super) fn judge(&self, pipeline: &Pipeline, cohort: usize, token: &Pseudonym) -> (Pseudonym, Option<String>) {
        let unknown = || (token.clone(), None);
        let (today, presence) = self.standing.get(token).cloned().unwrap_or_else(unknown);
        let reason = match presence {
            Some(Presence::OnSpine) => self.exclusion(pipeline, cohort, &today),
            Some(Presence::OptedOut) => Some("opted out".to_owned()),
            Some(Presence::Died) => Some(DIED.to_owned()),
            Some(Presence::Left) => Some("left".to_owned()),
            Some(Presence::TestPerson) => Some("a test person".to_owned()),
            Some(Presence::NotYet) | None => Some("not in a register".to_owned()),
        };
        (today, reason)
    }

    fn exclusion(&self, pipeline: &Pipeline, cohort: usize, today: &Pseudonym) -> Option<String> {
        let Ok(person) = self.spine.binary_search(today) else { return Some("not in a register".to_owned()) };
        let first = self.excluded.get(cohort)?.get(person).copied()??;
        Some(pipeline.cohorts.get(cohort)?.exclude.get(first)?.name.clone())
    }
}
