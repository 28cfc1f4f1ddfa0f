//! From masks to places: the account of one cohort.

use std::collections::BTreeMap;

use arrow::array::{Array, BooleanArray};
use jiff::civil::Date;

use super::order::{self, Weights};
use super::places::{self, Guarantee};
use super::reason::Reasons;
use super::{CohortList, Favoured, Past, Place};
use crate::columns::Columns;
use crate::error::{Error, Result};
use crate::expr;
use crate::features::Features;
use crate::gates::NoData;
use crate::history::History;
use crate::link::People;
use crate::pipeline::{Cohort, Floor, Pipeline};
use crate::pseudonym::Pseudonym;

/// The recipient of people whose own is not recorded.
pub const UNALLOCATED: &str = "unallocated";

/// The recipient when a cohort has one list for all.
pub const EVERYONE: &str = "all";

/// What every cohort of a run is decided on.
pub struct Scene<'a> {
    pub pipeline: &'a Pipeline,
    pub people: &'a People,
    pub features: &'a Features,
    /// Features and scores side by side.
    pub table: &'a Columns,
    pub history: &'a History,
    pub no_data: &'a NoData,
}

/// Who is on a list already, by person: the name of the cohort.
pub type Owners<'a> = BTreeMap<u32, &'a str>;

/// Decides one cohort; nobody of `owners` is listed.
pub fn list(scene: &Scene, cohort: &Cohort, owners: &Owners) -> Result<CohortList> {
    let include: Vec<Vec<BooleanArray>> = cohort
        .include
        .iter()
        .map(|any| any.iter().map(|criterion| mask(scene.table, cohort, &criterion.when)).collect())
        .collect::<Result<_>>()?;
    let mut list = CohortList::new(cohort);
    let candidates = candidates(scene, cohort, owners, &include, &mut list)?;
    let given = places(scene, cohort, &candidates, true)?;
    list.not_drawn = given.drawn.iter().filter(|drawn| !drawn.listed).map(|_| 1_u64).sum();
    list.drawn = given.drawn;
    list.standing = given.standing;
    list.below_the_cut = given.below_the_cut;
    list.recipients = given.recipients;
    list.rows = given.rows;
    if cohort.capacity.favours() {
        let plain = places(scene, cohort, &candidates, false)?;
        let listed = plain.rows.iter().filter(|row| row.place == Place::Listed);
        list.favoured = Some(Favoured { listed_without: listed.map(|row| row.person).collect() });
    }
    list.valid_until = valid_until(scene.pipeline.as_of, cohort)?;
    let placed: Vec<u32> = list.rows.iter().map(|row| row.person).collect();
    let said = Reasons::new(scene.pipeline, scene.features, scene.table, cohort, &placed)?;
    for row in &mut list.rows {
        row.reasons = reasons(&said, cohort, &include, row.person)?;
        row.past = past(scene, cohort, row.person)?;
    }
    check(&list, cohort, scene.table.num_rows())?;
    Ok(list)
}

/// Everyone scored goes to the account, or on as a candidate.
fn candidates(
    scene: &Scene,
    cohort: &Cohort,
    owners: &Owners,
    include: &[Vec<BooleanArray>],
    list: &mut CohortList,
) -> Result<Vec<u32>> {
    let bars = Bars::of(scene, cohort)?;
    let mut candidates = Vec::new();
    for person in 0..index(scene.table.num_rows())? {
        let at = person as usize;
        if let Some(why) = scene.no_data.reason(person) {
            list.exclude(why);
        } else if !include.iter().all(|any| any.iter().any(|criterion| criterion.value(at))) {
            list.not_included += 1;
        } else if let Some(why) = bars.first(scene, cohort, person) {
            list.exclude(&why);
        } else if let Some(owner) = owners.get(&person) {
            list.exclude(&on_another_list(owner));
        } else {
            candidates.push(person);
        }
    }
    Ok(candidates)
}

/// Why the owner of a person keeps them off a list.
pub fn on_another_list(owner: &str) -> String {
    format!("on another list: {owner}")
}

/// What keeps people off a cohort's list, though they are included.
pub struct Bars {
    /// One mask for each of [`Cohort::exclude`].
    exclude: Vec<BooleanArray>,
    /// Who was listed on this day or later is left alone.
    left_alone_since: Option<Date>,
}

impl Bars {
    pub fn of(scene: &Scene, cohort: &Cohort) -> Result<Self> {
        let masks = cohort.exclude.iter().map(|exclusion| mask(scene.table, cohort, &exclusion.when));
        let left_alone_since = cohort.capacity.listed_within.and_then(|window| window.first_day(scene.pipeline.as_of));
        Ok(Self { exclude: masks.collect::<Result<_>>()?, left_alone_since })
    }

    /// The first that holds: the declared exclusions in their order, then the last listing.
    pub fn first(&self, scene: &Scene, cohort: &Cohort, person: u32) -> Option<String> {
        if let Some(first) = self.exclude.iter().position(|mask| mask.value(person as usize)) {
            return Some(cohort.exclude.get(first).map_or_else(String::new, |exclusion| exclusion.name.clone()));
        }
        let listed = scene.history.last_listed(token(scene.people, person)?)?;
        let window =
            cohort.capacity.listed_within.filter(|_| self.left_alone_since.is_some_and(|day| listed >= day))?;
        Some(format!("listed in the last {window}"))
    }
}

/// Rank and places, with or without what favours a group.
fn places(scene: &Scene, cohort: &Cohort, candidates: &[u32], favoured: bool) -> Result<places::Given> {
    let (mut weights, mut floors) = (Weights::None, Vec::new());
    if favoured {
        for weight in &cohort.capacity.weights {
            let members = mask(scene.table, cohort, &weight.when)?;
            let of_all = weights.get_or_insert_with(|| vec![1.0; candidates.len()]);
            for (times, person) in of_all.iter_mut().zip(candidates) {
                *times *= if members.value(*person as usize) { weight.times } else { 1.0 };
            }
        }
        floors = guarantees(scene, cohort)?;
    }
    let ranked = order::rank(scene, cohort, candidates, &weights)?;
    let ranked = ranked.into_iter().filter_map(|at| candidates.get(at).copied()).collect();
    places::give(scene, cohort, ranked, &floors)
}

/// The declared floors.
pub(super) fn guarantees(scene: &Scene, cohort: &Cohort) -> Result<Vec<Guarantee>> {
    let guarantee = |floor: &Floor| {
        let members = mask(scene.table, cohort, &floor.when)?;
        Ok(Guarantee { members, at_least: u64::from(floor.at_least) })
    };
    cohort.capacity.floors.iter().map(guarantee).collect()
}

/// One answer a person.
pub(super) fn mask(table: &Columns, cohort: &Cohort, sql: &str) -> Result<BooleanArray> {
    let compiled = expr::compile(sql, &table.schema()).map_err(|_| {
        Error::Fault(format!("cohort {}: an expression that was checked does not compile", cohort.name))
    })?;
    let mask = table.mask(&compiled).map_err(|error| match error {
        Error::Check(text) => Error::Check(format!("cohort {}: {text}", cohort.name)),
        other => other,
    })?;
    if mask.len() != table.num_rows() || mask.null_count() > 0 {
        return Err(Error::Fault(format!("cohort {}: a mask has not one answer a person", cohort.name)));
    }
    Ok(mask)
}

fn index(person: usize) -> Result<u32> {
    u32::try_from(person).map_err(|_| Error::Fault("more people than an index holds".to_owned()))
}

fn token(people: &People, person: u32) -> Option<&Pseudonym> {
    people.tokens.get(person as usize)
}

/// The last day on which the list holds.
fn valid_until(as_of: Date, cohort: &Cohort) -> Result<Option<Date>> {
    let Some(length) = cohort.capacity.valid_for else { return Ok(None) };
    let until = length.end(as_of);
    until.map(Some).ok_or_else(|| Error::Usage(format!("cohort {}: valid_for ends beyond the calendar", cohort.name)))
}

/// What earlier runs say of the person; none in a run that does not remember.
fn past(scene: &Scene, cohort: &Cohort, person: u32) -> Result<Option<Past>> {
    if !scene.pipeline.outreach.remember {
        return Ok(None);
    }
    let token = token(scene.people, person).ok_or_else(|| Error::Fault("a person has no token".to_owned()))?;
    let dates: Vec<Date> = scene.history.listed_by(&cohort.name, token).map(|listing| listing.date).collect();
    let before = scene.history.previous.as_ref().and_then(|run| run.place(&cohort.name, token));
    Ok(Some(Past {
        times_listed: u32::try_from(dates.len()).unwrap_or(u32::MAX),
        first_listed: dates.first().copied(),
        rank: before.map(|place| place.rank),
    }))
}

/// Of every criterion that is true, in declaration order; two criteria that say the same say it once.
fn reasons(said: &Reasons, cohort: &Cohort, include: &[Vec<BooleanArray>], person: u32) -> Result<Vec<String>> {
    let mut reasons = Vec::new();
    for (criteria, masks) in cohort.include.iter().zip(include) {
        for (criterion, _) in criteria.iter().zip(masks).filter(|(_, mask)| mask.value(person as usize)) {
            for reason in said.of_criterion(criterion, person)? {
                if !reasons.contains(&reason) {
                    reasons.push(reason);
                }
            }
        }
    }
    Ok(reasons)
}

/// What must be true of every list, whatever was declared.
fn check(list: &CohortList, cohort: &Cohort, scored: usize) -> Result<()> {
    let fault = |what: &str| Err(Error::Fault(format!("cohort {}: {what}", cohort.name)));
    if !list.balances(scored as u64) {
        return fault("the people scored are not the people of its account");
    }
    let mut seen = vec![false; scored];
    for row in &list.rows {
        match seen.get_mut(row.person as usize) {
            Some(seen) if !*seen => *seen = true,
            _ => return fault("a person has two places"),
        }
    }
    let capacity = &cohort.decl.capacity;
    let over =
        |(listed, reserve): &(u64, u64)| *listed > u64::from(capacity.take) || *reserve > u64::from(capacity.reserve);
    if list.recipients.values().any(over) {
        return fault("a list is longer than its capacity");
    }
    let places = list.rows.iter().filter(|row| row.place == Place::Listed).count();
    if places as u64 != list.listed() || (list.rows.len() - places) as u64 != list.reserve() {
        return fault("the rows are not as many as the places given");
    }
    Ok(())
}
