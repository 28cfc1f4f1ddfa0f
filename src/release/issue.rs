//! One recipient's list, under its own tokens.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::changes::{self, Change};
use super::crosswalk::{self, Row};
use super::ledger::{Event, Ledger, ListSent};
use super::lists::{List, RunLists};
use super::recheck::Later;
use super::settle::Settled;
use crate::cohort::Place;
use crate::error::Result;
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

/// By cohort and recipient: the rows of a list, and the last day on which it holds.
pub(super) type InForce = BTreeMap<(String, String), (Vec<Row>, Option<Date>)>;

impl Issued {
    pub(super) fn sent(&self) -> ListSent {
        let count = |place: Place| self.rows.iter().filter(|row| row.status == place.name()).count() as u64;
        ListSent {
            cohort: self.cohort.clone(),
            recipient: self.recipient.clone(),
            listed: count(Place::Listed),
            reserve: count(Place::Reserve),
            removed: self.removed.values().sum(),
            valid_until: self.sheet.as_ref().and_then(|sheet| sheet.about.valid_until),
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

/// What recipients have: the rows that were sent last of each cohort's list, of lists that were not withdrawn, and until
/// when they hold.
pub(super) fn in_force(storage: &dyn Storage, ledger: &Ledger) -> Result<InForce> {
    let mut in_force = InForce::new();
    for entry in ledger.entries() {
        let Event::Release(release) = &entry.event else { continue };
        let mut rows: BTreeMap<(String, String), Vec<Row>> = BTreeMap::new();
        for row in crosswalk::read(storage, ledger, entry)? {
            rows.entry((row.cohort.clone(), row.recipient.clone())).or_default().push(row);
        }
        for sent in &release.lists {
            let list = (sent.cohort.clone(), sent.recipient.clone());
            let rows = rows.remove(&list).unwrap_or_default();
            let withdrawn = crosswalk::is_withdrawn(ledger.entries(), &entry.id, &sent.recipient);
            in_force.insert(list, (if withdrawn { Vec::new() } else { rows }, sent.valid_until));
        }
    }
    in_force.retain(|_, (rows, _)| !rows.is_empty());
    Ok(in_force)
}

/// Every list, by cohort and recipient; `before` are the lists that these replace.
pub(super) fn all(
    run: &RunLists,
    settled: Vec<Vec<Settled>>,
    later: &Later,
    before: &InForce,
    key: &Key,
) -> Result<Vec<Issued>> {
    let mut issued = Vec::new();
    let mut here = BTreeSet::new();
    for (list, settled) in run.lists.iter().zip(settled) {
        let name = (list.sheet.about.cohort.clone(), list.sheet.recipient.clone());
        let sent = before.get(&name).map_or(&[][..], |(rows, _)| rows);
        issued.push(one(list, settled, later, sent, key)?);
        here.insert(name);
    }
    for ((cohort, recipient), (rows, _)) in before.iter().filter(|(list, _)| !here.contains(list)) {
        issued.push(Issued {
            cohort: cohort.clone(),
            recipient: recipient.clone(),
            sheet: None,
            rows: Vec::new(),
            in_run: 0,
            removed: BTreeMap::new(),
            changes: changes::between(rows, &[], |token| later.stands(token)),
        });
    }
    Ok(issued)
}

/// The list as it was settled: those with a place, then the reserve, each in the order of the run.
fn one(list: &List, settled: Vec<Settled>, later: &Later, before: &[Row], key: &Key) -> Result<Issued> {
    let List { cohort: _, sheet } = list;
    let in_run = settled.len() as u64;
    let mut removed = BTreeMap::new();
    let mut kept = Vec::new();
    for (at, Settled { today, place }) in settled.into_iter().enumerate() {
        match place {
            Ok(place) => kept.push((place != Place::Listed, at, today, place)),
            Err(reason) => *removed.entry(reason).or_insert(0_u64) += 1,
        }
    }
    kept.sort_by_key(|(waits, at, ..)| (*waits, *at));
    let key = key.of_recipient(&sheet.recipient)?;
    let (mut rows, mut places) = (Vec::new(), Vec::new());
    for ((_, _, person, place), rank) in kept.iter().zip(1_u32..) {
        places.push((rank, *place));
        rows.push(Row {
            recipient: sheet.recipient.clone(),
            cohort: sheet.about.cohort.clone(),
            token: key.token(person)?,
            person: person.clone(),
            rank: i64::from(rank),
            status: place.name().to_owned(),
        });
    }
    let order: Vec<usize> = kept.iter().map(|(_, at, ..)| *at).collect();
    let tokens: Vec<String> = rows.iter().map(|row| row.token.reveal().to_owned()).collect();
    Ok(Issued {
        cohort: sheet.about.cohort.clone(),
        recipient: sheet.recipient.clone(),
        sheet: Some(sheet.pick(&order)?.with_persons(&tokens)?.with_places(&places)?),
        in_run,
        removed,
        changes: changes::between(before, &rows, |token| later.stands(token)),
        rows,
    })
}
