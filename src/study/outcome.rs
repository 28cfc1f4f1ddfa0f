//! What follows on an as-of date: the outcome in its window, and who can be followed to its end.

use arrow::array::{Array, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};
use jiff::civil::Date;

use super::DateAccount;
use crate::calendar::{self, Window};
use crate::conform::{self, Engine};
use crate::error::{Error, Result};
use crate::features;
use crate::link::{self, Since};
use crate::pipeline::Pipeline;
use crate::pipeline::study::{Deaths, StudyPlan};
use crate::pseudonym::Pseudonym;
use crate::receipt::SourceAccount;
use crate::source::Delivered;

/// The people who stay, in the order they were given in.
pub(super) struct FollowUp {
    pub account: DateAccount,
    /// By person given: whether they stay.
    pub kept: Vec<bool>,
    /// Of those who stay.
    pub tokens: Vec<Pseudonym>,
    pub outcome: Vec<bool>,
    pub complete: Vec<bool>,
    pub weight: Vec<f64>,
    /// Where the rows of the outcome's source went.
    pub source: SourceAccount,
}

/// Follows people from an as-of date to the end of the window.
pub(super) fn follow_up(
    pipeline: &Pipeline,
    plan: &StudyPlan,
    as_of: Date,
    delivered: &Delivered,
    engine: Engine,
    people: &[Pseudonym],
    meant: &[bool],
) -> Result<FollowUp> {
    let until = plan.outcome.within.end(as_of);
    let until = until.ok_or_else(|| Error::Fault("a follow-up has no end".to_owned()))?;
    let later = later(pipeline, plan, as_of, until);
    let known_by = plan.decl.known_by.unwrap_or(Date::MAX);
    let conformed = conform::conform_known_by(&later, delivered, engine, known_by)?;
    let followed = link::follow(&conformed, people)?;
    let (column, source) = features::single(&followed.records, 0)?;
    reaches(plan, until, &source)?;
    let event = events(&column, plan.outcome.at_least)?;
    let account = DateAccount {
        as_of,
        until,
        on_spine: 0,
        not_meant: 0,
        opted_out: 0,
        merged: 0,
        left: 0,
        died: 0,
        censored: 0,
        rows: 0,
        events: 0,
    };
    let mut found = FollowUp {
        account,
        kept: vec![false; people.len()],
        tokens: Vec::new(),
        outcome: Vec::new(),
        complete: Vec::new(),
        weight: Vec::new(),
        source,
    };
    for (person, token) in followed.tokens.into_iter().enumerate() {
        let (since, deaths) = (&followed.since[person], plan.decl.deaths);
        if let Some(why) = left_out(&mut found.account, meant[person], since, deaths) {
            *why += 1;
            continue;
        }
        let died = since.died.is_some();
        let outcome = event[person] || (died && deaths == Deaths::InOutcome);
        let complete = outcome || !died || deaths == Deaths::NoEvent;
        found.account.censored += u64::from(!complete);
        found.account.rows += u64::from(complete);
        found.account.events += u64::from(outcome);
        found.kept[person] = true;
        found.tokens.push(token);
        found.outcome.push(outcome);
        found.complete.push(complete);
        found.weight.push(f64::from(u8::from(complete)));
    }
    Ok(found)
}

/// The count of those who are left out for the same reason.
fn left_out<'a>(account: &'a mut DateAccount, meant: bool, since: &Since, deaths: Deaths) -> Option<&'a mut u64> {
    match since {
        _ if !meant => Some(&mut account.not_meant),
        since if since.opted_out => Some(&mut account.opted_out),
        since if since.merged => Some(&mut account.merged),
        since if since.died.is_some() && deaths == Deaths::Excluded => Some(&mut account.died),
        since if since.died.is_none() && since.left => Some(&mut account.left),
        _ => None,
    }
}

/// The pipeline at the end of the follow-up, with the outcome as its only feature.
fn later(pipeline: &Pipeline, plan: &StudyPlan, as_of: Date, until: Date) -> Pipeline {
    let mut later = pipeline.clone();
    later.as_of = until;
    let mut outcome = plan.outcome.feature.clone();
    // In days, so that it begins on the as-of date whatever the lengths of the months.
    outcome.window = Window::Days(calendar::epoch_days(until) - calendar::epoch_days(as_of));
    later.features = vec![outcome];
    later.models.clear();
    later.items.clear();
    later.audits.clear();
    later.cohorts.clear();
    later.sources.iter_mut().for_each(|source| source.demographics.clear());
    later
}

/// Nobody is followed beyond the end of the deliveries: all would seem well there.
fn reaches(plan: &StudyPlan, until: Date, source: &SourceAccount) -> Result<()> {
    let latest: Option<Date> = source.data_up_to.as_deref().and_then(|date| date.parse().ok());
    let needed = plan.max_gap.first_day(until);
    match latest {
        Some(latest) if needed.is_none_or(|needed| latest >= needed) => Ok(()),
        latest => Err(Error::NotReady(format!(
            "source {}: the follow-up ends on {until}, but the latest row before it is {}; `max_gap` allows {}",
            source.source,
            latest.map_or("nowhere".to_owned(), |latest| format!("of {latest}")),
            plan.max_gap
        ))),
    }
}

/// Whether the outcome was there, by person.
fn events(column: &dyn Array, at_least: Option<f64>) -> Result<Vec<bool>> {
    let numbers = cast(column, &DataType::Float64)?;
    let numbers = numbers.as_primitive::<Float64Type>();
    let from = at_least.unwrap_or(1.0);
    Ok(numbers.iter().map(|value| value.is_some_and(|value| value >= from)).collect())
}
