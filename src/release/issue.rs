//! One recipient's list, under its own tokens.

use std::collections::{BTreeMap, BTreeSet};

use super::changes::{self, Change};
use super::crosswalk::{self, Row};
use super::ledger::{Event, Ledger, ListSent};
use super::lists::{List, RunLists};
use super::recheck::Later;
use crate::cohort::Place;
use crate::error::Result;
use crate::pipeline::Pipeline;
use crate::pseudonym::Pseudonym;
use crate::sheet::Sheet;
use crate::storage::Storage;
use crate::token::Key;

/// What a recipient gets for a cohort.
pub(super) struct Issued {
    pub cohort: String,
    pub recipient: String,
    /// None where the run has no list for someone who was sent one before.
    pub sheet: Option<Sheet>,
    pub rows: Vec<Row>,
    /// People on the run's list and in its reserve.
    pub in_run: u64,
    /// Those of them who must not be called, by reason.
    pub removed: BTreeMap<String, u64>,
    pub changes: Vec<Change>,
}

/// By cohort and recipient: the rows that were sent last, of lists that were not withdrawn.
pub(super) type Before = BTreeMap<(usize, String), Vec<Row>>;

impl Issued {
    pub(super) fn sent(&self) -> ListSent {
        let count = |place: Place| self.rows.iter().filter(|row| row.status == place.name()).count() as u64;
        ListSent {
            cohort: self.cohort.clone(),
            recipient: self.recipient.clone(),
            listed: count(Place::Listed),
            reserve: count(Place::Reserve),
            removed: self.removed.values().sum(),
        }
    }

    /// The people on it, by the tokens that all sources share.
    pub(super) fn people(&self) -> impl Iterator<Item = &Pseudonym> {
        self.rows.iter().map(|row| &row.person)
    }
}

impl RunLists {
    /// Everyone on these lists.
    pub(super) fn people(&self) -> Result<Vec<Pseudonym>> {
        let mut people = Vec::new();
        for list in &self.lists {
            people.extend(list.sheet.persons()?.into_iter().map(Pseudonym::new));
        }
        Ok(people)
    }
}

/// What each recipient has, of these cohorts (all without a name).
pub(super) fn sent_before(
    storage: &dyn Storage,
    ledger: &Ledger,
    pipeline: &Pipeline,
    cohorts: &[String],
) -> Result<Before> {
    let mut before = Before::new();
    for entry in ledger.entries() {
        let Event::Release(release) = &entry.event else { continue };
        let mut rows: BTreeMap<(String, String), Vec<Row>> = BTreeMap::new();
        for row in crosswalk::read(storage, ledger, entry)? {
            rows.entry((row.cohort.clone(), row.recipient.clone())).or_default().push(row);
        }
        for sent in &release.lists {
            let Some(cohort) = pipeline.cohorts.iter().position(|cohort| cohort.name == sent.cohort) else { continue };
            if !cohorts.is_empty() && !cohorts.contains(&sent.cohort) {
                continue;
            }
            let rows = rows.remove(&(sent.cohort.clone(), sent.recipient.clone())).unwrap_or_default();
            let withdrawn = crosswalk::is_withdrawn(ledger.entries(), &entry.id, &sent.recipient);
            before.insert((cohort, sent.recipient.clone()), if withdrawn { Vec::new() } else { rows });
        }
    }
    before.retain(|_, rows| !rows.is_empty());
    Ok(before)
}

/// Every list, by cohort and recipient.
pub(super) fn all(
    pipeline: &Pipeline,
    run: &RunLists,
    later: &Later,
    before: &Before,
    key: &Key,
) -> Result<Vec<Issued>> {
    let mut issued = Vec::new();
    let mut here = BTreeSet::new();
    for list in &run.lists {
        here.insert((list.cohort, list.sheet.recipient.clone()));
        issued.push(one(pipeline, list, later, before, key)?);
    }
    for ((cohort, recipient), rows) in before.iter().filter(|(list, _)| !here.contains(list)) {
        let judge = |token: &Pseudonym| later.judge(pipeline, *cohort, token);
        issued.push(Issued {
            cohort: pipeline.cohorts.get(*cohort).map(|cohort| cohort.name.clone()).unwrap_or_default(),
            recipient: recipient.clone(),
            sheet: None,
            rows: Vec::new(),
            in_run: 0,
            removed: BTreeMap::new(),
            changes: changes::between(rows, &[], judge),
        });
    }
    Ok(issued)
}

/// The list without those who must not be called; the reserve moves up in the order of the run.
fn one(pipeline: &Pipeline, list: &List, later: &Later, before: &Before, key: &Key) -> Result<Issued> {
    let List { cohort, sheet } = list;
    let judge = |token: &Pseudonym| later.judge(pipeline, *cohort, token);
    let places = sheet.places()?;
    let listed = places.iter().filter(|place| **place == Place::Listed).count();
    let (mut kept, mut people, mut removed) = (Vec::new(), Vec::new(), BTreeMap::new());
    for token in sheet.persons()? {
        let (today, reason) = judge(&Pseudonym::new(token));
        let reason = reason.or_else(|| people.contains(&today).then(|| "the same person as another".to_owned()));
        kept.push(reason.is_none());
        match reason {
            Some(reason) => *removed.entry(reason).or_insert(0_u64) += 1,
            None => people.push(today),
        }
    }
    let place = |at: usize| if at < listed { Place::Listed } else { Place::Reserve };
    let places: Vec<(u32, Place)> = (0..people.len()).zip(1..).map(|(at, rank)| (rank, place(at))).collect();
    let key = key.of_recipient(&sheet.recipient)?;
    let mut rows = Vec::new();
    for (person, (rank, place)) in people.into_iter().zip(&places) {
        rows.push(Row {
            recipient: sheet.recipient.clone(),
            cohort: sheet.about.cohort.clone(),
            token: key.token(&person)?,
            person,
            rank: i64::from(*rank),
            status: place.name().to_owned(),
        });
    }
    let tokens: Vec<String> = rows.iter().map(|row| row.token.reveal().to_owned()).collect();
    let none = Vec::new();
    let before = before.get(&(*cohort, sheet.recipient.clone())).unwrap_or(&none);
    Ok(Issued {
        cohort: sheet.about.cohort.clone(),
        recipient: sheet.recipient.clone(),
        sheet: Some(sheet.keep(&kept)?.with_persons(&tokens)?.with_places(&places)?),
        in_run: kept.len() as u64,
        removed,
        changes: changes::between(before, &rows, judge),
        rows,
    })
}
