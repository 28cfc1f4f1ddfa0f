//! Who is listed, held against the run before: a model or an exclusion that went wrong shows here first.

use std::collections::BTreeMap;

use hashbrown::HashSet;

use super::{Consent, percent};
use crate::cohort::{CohortList, Cohorts, Place};
use crate::error::{Error, Result};
use crate::history::{History, Previous};
use crate::link::People;
use crate::pipeline::Pipeline;
use crate::pipeline::decl::LimitsDecl;
use crate::pseudonym::Pseudonym;
use crate::receipt::{CohortAccount, GroupCount};

/// Stops for a human where a list differs much from the one before; gives the differences that somebody said yes to.
pub fn lists(
    pipeline: &Pipeline,
    people: &People,
    cohorts: &Cohorts,
    accounts: &[CohortAccount],
    history: &History,
    consent: &Consent,
) -> Result<Vec<String>> {
    let Some(previous) = &history.previous else { return Ok(Vec::new()) };
    let mut moved = Vec::new();
    for (list, now) in cohorts.lists.iter().zip(accounts) {
        let before = previous.receipt.cohorts.iter().find(|before| before.cohort == now.cohort);
        if let Some(before) = before {
            moved.extend(differences(&pipeline.outreach.limits, people, previous, list, now, before));
        }
    }
    match &consent.approved_by {
        _ if moved.is_empty() => Ok(moved),
        Some(name) => Ok(moved.into_iter().map(|what| format!("{what}; approved by {name}")).collect()),
        None => {
            moved.push("if this is as it should be, run again with --approved-by \"<name>\"".to_owned());
            Err(Error::Check(moved.join("\n")))
        }
    }
}

fn differences(
    limits: &LimitsDecl,
    people: &People,
    previous: &Previous,
    list: &CohortList,
    now: &CohortAccount,
    before: &CohortAccount,
) -> Vec<String> {
    let mut moved = Vec::new();
    if now.listed.max(before.listed) < limits.judged_from {
        return moved;
    }
    let cohort = &now.cohort;
    let run = &previous.receipt.run_id;
    if now.listed.abs_diff(before.listed) as f64 > limits.list_size * before.listed as f64 {
        let limit = limits.list_size * 100.0;
        moved.push(format!(
            "cohort {cohort}: {} people listed, {} in run {run}: the number may change by {limit} %",
            now.listed, before.listed
        ));
    }
    let rows = list.rows.iter().filter(|row| row.place == Place::Listed);
    let listed: HashSet<&Pseudonym> = rows.filter_map(|row| people.tokens.get(row.person as usize)).collect();
    let gone = previous.listed(cohort).filter(|person| !listed.contains(person)).map(|_| 1_u64).sum::<u64>();
    if gone as f64 > limits.list_turnover * before.listed as f64 {
        let (share, limit) = (percent(gone, before.listed), limits.list_turnover * 100.0);
        moved.push(format!(
            "cohort {cohort}: {gone} of the {} people listed in run {run} are not any more ({share}): {limit} % may go",
            before.listed
        ));
    }
    if before.listed > 0 && now.listed > 0 {
        moved.extend(groups(limits, now, before, run));
    }
    moved
}

/// Groups whose share of the people listed moved beyond its limit, those that are gone among them.
fn groups(limits: &LimitsDecl, now: &CohortAccount, before: &CohortAccount, run: &str) -> Vec<String> {
    let key = |group: &GroupCount| (group.split.clone(), group.group.clone());
    let mut counts: BTreeMap<(String, String), (u64, u64)> = BTreeMap::new();
    now.groups.iter().for_each(|group| counts.entry(key(group)).or_default().0 = group.listed);
    before.groups.iter().for_each(|group| counts.entry(key(group)).or_default().1 = group.listed);
    let share = |part: u64, whole: u64| part as f64 * 100.0 / whole as f64;
    let beyond =
        |(is, was): (u64, u64)| (share(is, now.listed) - share(was, before.listed)).abs() > limits.group_points;
    let moved = counts.into_iter().filter(|(_, counts)| beyond(*counts));
    let say = |((split, group), (is, was)): ((String, String), (u64, u64))| {
        format!(
            "cohort {}: {split} {group}: {} of those listed, {} in run {run}: a group's share may move by {} points",
            now.cohort,
            percent(is, now.listed),
            percent(was, before.listed),
            limits.group_points
        )
    };
    moved.map(say).collect()
}
