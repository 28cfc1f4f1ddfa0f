//! Who keeps a place, who moves up and who is off, list by list, as the later delivery has it.

use std::collections::{BTreeMap, BTreeSet};

use super::lists::{List, RunLists};
use super::recheck::Later;
use crate::cohort::again::{self, Remaining};
use crate::cohort::{self, Place};
use crate::error::Result;
use crate::pipeline::Pipeline;
use crate::pseudonym::Pseudonym;

/// Someone on a run's list.
pub(super) struct Settled {
    /// The token of today.
    pub today: Pseudonym,
    /// What they have now, or why they are off.
    pub place: Result<Place, String>,
}

/// Whose person somebody is, by the cohort's name.
pub(super) type Owners = BTreeMap<Pseudonym, String>;

/// Why somebody is off a list that has no room for them any more, not even in reserve.
const NO_ROOM: &str = "behind a full limit or quota";

/// Everyone on these lists, in the order of lists and rows; with one owner a person, nobody whom `owners` has, and by
/// precedence.
pub(super) fn lists(
    pipeline: &Pipeline,
    run: &RunLists,
    later: &Later,
    mut owners: Owners,
) -> Result<Vec<Vec<Settled>>> {
    let mut settled: Vec<Vec<Settled>> = run.lists.iter().map(|_| Vec::new()).collect();
    for at in cohort::by_precedence(pipeline) {
        let Some(cohort) = pipeline.cohorts.get(at) else { continue };
        let mut seen = BTreeSet::new();
        let (mut here, mut remaining) = (Vec::new(), Vec::new());
        for (number, list) in run.lists.iter().enumerate().filter(|(_, list)| list.cohort == at) {
            let (rows, left) = judge(later, list, &owners, &mut seen)?;
            here.push((number, rows));
            remaining.push(left);
        }
        let given = again::places(&later.scene(), cohort, &remaining)?;
        for ((number, mut rows), given) in here.into_iter().zip(given) {
            let may_stay = rows.iter_mut().filter(|row| row.place.is_ok());
            may_stay.zip(given).for_each(|(row, place)| row.place = place.ok_or_else(|| NO_ROOM.to_owned()));
            if pipeline.outreach.one_owner {
                let placed = rows.iter().filter(|row| row.place.is_ok());
                owners.extend(placed.map(|row| (row.today.clone(), cohort.name.clone())));
            }
            settled[number] = rows;
        }
    }
    Ok(settled)
}

/// Who may stay on one list, with the place of the run; `seen` are those whom another list of the cohort has already.
fn judge(
    later: &Later,
    list: &List,
    owners: &Owners,
    seen: &mut BTreeSet<Pseudonym>,
) -> Result<(Vec<Settled>, Remaining)> {
    let places = list.sheet.places()?;
    let listed = places.iter().filter(|place| **place == Place::Listed).map(|_| 1_u64).sum();
    let (mut rows, mut people) = (Vec::new(), Vec::new());
    for (token, place) in list.sheet.persons()?.into_iter().zip(places) {
        let (today, stands) = later.stands(&Pseudonym::new(token));
        let barred = |person: u32| match later.barred(list.cohort, &list.sheet.recipient, person) {
            Some(why) => Err(why),
            None if seen.contains(&today) => Err("the same person as another".to_owned()),
            None => owners.get(&today).map_or(Ok(person), |owner| Err(cohort::on_another_list(owner))),
        };
        let place = stands.and_then(barred).map(|person| {
            people.push((person, place));
            seen.insert(today.clone());
            place
        });
        rows.push(Settled { today, place });
    }
    Ok((rows, Remaining { places: listed, people }))
}
