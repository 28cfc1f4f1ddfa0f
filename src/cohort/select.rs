//! From masks to places: the account of one cohort.

use std::collections::BTreeMap;

use arrow::array::{Array, BooleanArray};
use arrow::record_batch::RecordBatch;

use super::{CohortList, ListRow, Place, order, reason, words};
use crate::error::{Error, Result};
use crate::expr;
use crate::features::Features;
use crate::link::People;
use crate::pipeline::{Cohort, Pipeline};

/// The recipient of people whose own is not recorded.
pub const UNALLOCATED: &str = "unallocated";

/// The recipient when a cohort has one list for all.
pub const EVERYONE: &str = "all";

/// Decides one cohort.
pub fn list(
    pipeline: &Pipeline,
    people: &People,
    features: &Features,
    table: &RecordBatch,
    cohort: &Cohort,
) -> Result<CohortList> {
    let include: Vec<Vec<BooleanArray>> = cohort
        .include
        .iter()
        .map(|any| any.iter().map(|criterion| mask(table, cohort, &criterion.when)).collect())
        .collect::<Result<_>>()?;
    let exclude: Vec<BooleanArray> =
        cohort.exclude.iter().map(|exclusion| mask(table, cohort, &exclusion.when)).collect::<Result<_>>()?;

    let mut list = CohortList {
        name: cohort.name.clone(),
        rows: Vec::new(),
        not_included: 0,
        excluded: cohort.exclude.iter().map(|exclusion| (exclusion.name.clone(), 0)).collect(),
        below_the_cut: 0,
        recipients: BTreeMap::new(),
    };
    let mut candidates = Vec::new();
    for person in 0..table.num_rows() {
        if !include.iter().all(|any| any.iter().any(|criterion| criterion.value(person))) {
            list.not_included += 1;
        } else if let Some(first) = exclude.iter().position(|exclusion| exclusion.value(person)) {
            if let Some((_, count)) = list.excluded.get_mut(first) {
                *count += 1;
            }
        } else {
            candidates.push(index(person)?);
        }
    }
    let ranked = order::rank(pipeline, people, table, cohort, candidates)?;
    give_places(pipeline, table, cohort, ranked, &mut list)?;
    for row in &mut list.rows {
        row.reasons = reasons(pipeline, features, table, cohort, &include, row.person as usize)?;
    }
    check(&list, cohort, table.num_rows())?;
    Ok(list)
}

fn mask(table: &RecordBatch, cohort: &Cohort, sql: &str) -> Result<BooleanArray> {
    let compiled = expr::compile(sql, &table.schema()).map_err(|_| {
        Error::Fault(format!("cohort {}: an expression that was checked does not compile", cohort.name))
    })?;
    let mask = compiled.mask(table).map_err(|error| match error {
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

/// Best first: each goes to the next free place of their recipient, then its reserve, then below the cut.
fn give_places(
    pipeline: &Pipeline,
    table: &RecordBatch,
    cohort: &Cohort,
    ranked: Vec<u32>,
    list: &mut CohortList,
) -> Result<()> {
    let capacity = &cohort.decl.capacity;
    let per = cohort.per.map(|feature| recipient_column(pipeline, table, feature)).transpose()?;
    for person in ranked {
        let recipient = match per {
            None => EVERYONE.to_owned(),
            Some(column) => words::written(column, person as usize)?.unwrap_or_else(|| UNALLOCATED.to_owned()),
        };
        let (listed, reserve) = list.recipients.entry(recipient.clone()).or_default();
        let place = if *listed < u64::from(capacity.take) {
            *listed += 1;
            Place::Listed
        } else if *reserve < u64::from(capacity.reserve) {
            *reserve += 1;
            Place::Reserve
        } else {
            list.below_the_cut += 1;
            continue;
        };
        let rank = u32::try_from(*listed + *reserve)
            .map_err(|_| Error::Fault(format!("cohort {}: a list is longer than a rank can count", cohort.name)))?;
        list.rows.push(ListRow { person, recipient, rank, place, reasons: Vec::new() });
    }
    list.rows.sort_by(|a, b| (&a.recipient, a.rank).cmp(&(&b.recipient, b.rank)));
    Ok(())
}

fn recipient_column<'a>(
    pipeline: &Pipeline,
    table: &'a RecordBatch,
    feature: usize,
) -> Result<&'a arrow::array::ArrayRef> {
    let name = pipeline.features.get(feature).map(|feature| feature.name.as_str());
    name.and_then(|name| table.column_by_name(name))
        .ok_or_else(|| Error::Fault("the feature that names a cohort's recipients was not made".to_owned()))
}

/// Of every criterion that is true, in declaration order; two criteria that say the same say it once.
fn reasons(
    pipeline: &Pipeline,
    features: &Features,
    table: &RecordBatch,
    cohort: &Cohort,
    include: &[Vec<BooleanArray>],
    person: usize,
) -> Result<Vec<String>> {
    let mut reasons = Vec::new();
    for (criteria, masks) in cohort.include.iter().zip(include) {
        for (criterion, _) in criteria.iter().zip(masks).filter(|(_, mask)| mask.value(person)) {
            for reason in reason::of_criterion(pipeline, features, table, criterion, person)? {
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
        return fault(
            "the people scored are not the people listed, in reserve, excluded, below the cut or not included",
        );
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
