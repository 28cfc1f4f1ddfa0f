//! Demand: what the calibrated risk of today's people implies for the weeks to come, by place and practice.
//!
//! The risk says how many people to expect with the event that it is of; events are as many for each of them as in the time
//! before. Risk is spread evenly over its time: no season is in it. People who move in are not.

/// How many events there may be.
mod counts;

/// What is published of demand.
mod tables;

use std::collections::BTreeSet;

use arrow::array::AsArray;
use arrow::datatypes::Float64Type;

use crate::audit::groups::{self, Split};
use crate::calendar;
use crate::error::{Error, Result};
use crate::features::Features;
use crate::features::keep::{Kept, KeptRow};
use crate::figures::Limits;
use crate::pipeline::Pipeline;
use crate::pipeline::measures::Demand;
use crate::score::Scores;
pub use tables::write;

const WEEK_DAYS: i32 = 7;

/// Rows of so many weeks before the as-of date may not be in yet: how weeks vary is not taken from them.
const LATE_WEEKS: i32 = 4;

/// What is expected of one kind of event.
#[derive(Debug)]
struct Expected {
    /// Of each group of each split: a week, and all weeks to come.
    groups: Vec<Vec<Group>>,
    /// People with this event in the time before: how many events each of them had is behind every number.
    had: u64,
    scenario: Option<Scenario>,
}

#[derive(Debug, Clone, Copy)]
struct Group {
    /// People with a risk.
    people: u64,
    a_week: f64,
    of_a_week: Limits,
    all_weeks: f64,
    of_all_weeks: Limits,
}

/// What reaching those at the highest risk would come to, over all weeks to come.
#[derive(Debug, Clone, Copy)]
struct Scenario {
    reached: u64,
    expected: f64,
    averted: f64,
}

/// What one declaration expects.
struct Outlook {
    splits: Vec<Split>,
    /// As the declared events.
    events: Vec<Expected>,
}

fn outlook(pipeline: &Pipeline, demand: &Demand, features: &Features, scores: &Scores) -> Result<Outlook> {
    let fault = || Error::Fault("the risk of demand was not scored".to_owned());
    let model = pipeline.models.get(demand.risk).ok_or_else(fault)?;
    let column = scores.batch.column_by_name(&model.name).and_then(|column| column.as_primitive_opt::<Float64Type>());
    let risks: Vec<Option<f64>> = column.ok_or_else(fault)?.iter().collect();
    let splits = groups::with_everyone(pipeline, features, &demand.by)?;
    let past = Past::of(pipeline, demand, &features.kept);
    let event = |(watch, days): (&usize, bool)| past.expect(demand, *watch, days, &risks, &splits);
    let days = demand.decl.events.values().map(|event| event.days);
    let events = demand.events.iter().zip(days).map(event).collect();
    Ok(Outlook { splits, events })
}

/// The time before the as-of date, as long as that of the risk.
struct Past<'a> {
    kept: &'a Kept,
    first: i32,
    as_of: i32,
    /// People with the event that the risk is of.
    with_event: f64,
}

impl<'a> Past<'a> {
    fn of(pipeline: &Pipeline, demand: &Demand, kept: &'a Kept) -> Self {
        let first = demand.window.first_day(pipeline.as_of).map_or(0, calendar::epoch_days);
        let as_of = calendar::epoch_days(pipeline.as_of);
        let rows = kept.rows(demand.predicts).iter().filter(|row| row.day >= first);
        let with_event = rows.map(|row| row.person).collect::<BTreeSet<u32>>().len() as f64;
        Self { kept, first, as_of, with_event }
    }

    fn expect(&self, demand: &Demand, watch: usize, days: bool, risks: &[Option<f64>], splits: &[Split]) -> Expected {
        let rows = self.kept.rows(watch);
        let for_each =
            rows.iter().map(|row| row.amount(days, self.first, self.as_of)).sum::<f64>() / self.with_event.max(1.0);
        let weeks_of_risk = f64::from(self.as_of - self.first) / f64::from(WEEK_DAYS);
        let weeks = f64::from(demand.decl.weeks);
        let mut groups = Vec::new();
        for split in splits {
            let spread = counts::dispersion(&self.weekly(rows, days, split));
            // How many events there are for each person is known from so many people only.
            let unsure = spread / self.with_event.max(1.0);
            let mut own = vec![(0_u64, 0.0); split.names.len()];
            for (risk, group) in risks.iter().zip(&split.of) {
                if let (Some(risk), Some((people, sum))) = (risk, own.get_mut(*group as usize)) {
                    *people += 1;
                    *sum += risk;
                }
            }
            let group = |(people, risk): &(u64, f64)| {
                let a_week = risk * for_each / weeks_of_risk;
                let limits = |mean: f64| {
                    counts::interval(mean, spread * mean + unsure * mean * mean, demand.decl.interval_percent)
                };
                let all_weeks = a_week * weeks;
                let (of_a_week, of_all_weeks) = (limits(a_week), limits(all_weeks));
                Group { people: *people, a_week, of_a_week, all_weeks, of_all_weeks }
            };
            groups.push(own.iter().map(group).collect());
        }
        let share = weeks / weeks_of_risk;
        let had = rows.iter().filter(|row| row.amount(days, self.first, self.as_of) > 0.0).map(|row| row.person);
        let had = (had.collect::<BTreeSet<u32>>().len() as u64).min(self.with_event as u64);
        Expected { groups, had, scenario: scenario(demand, risks, for_each * share) }
    }

    /// By group: what there was in each whole week of which all is in, of people who are on the spine today.
    fn weekly(&self, rows: &[KeptRow], days: bool, split: &Split) -> Vec<Vec<f64>> {
        let until = self.as_of - LATE_WEEKS * WEEK_DAYS;
        let weeks = (until - self.first) / WEEK_DAYS;
        let mut series = vec![vec![0.0; usize::try_from(weeks).unwrap_or(0)]; split.names.len()];
        for row in rows {
            let Some(group) = split.of.get(row.person as usize).and_then(|group| series.get_mut(*group as usize))
            else {
                continue;
            };
            for (count, week) in group.iter_mut().zip(1..) {
                let end = until - (week - 1) * WEEK_DAYS;
                *count += row.amount(days, end - WEEK_DAYS, end);
            }
        }
        series
    }
}

/// Those with the highest risk, and what of their events would not happen.
fn scenario(demand: &Demand, risks: &[Option<f64>], for_each: f64) -> Option<Scenario> {
    let declared = demand.decl.scenario.as_ref()?;
    let mut highest: Vec<f64> = risks.iter().copied().flatten().collect();
    highest.sort_by(|a, b| b.total_cmp(a));
    highest.truncate(usize::try_from(declared.reach).unwrap_or(usize::MAX));
    let expected = highest.iter().sum::<f64>() * for_each;
    let averted = expected * declared.averts_percent / 100.0;
    Some(Scenario { reached: highest.len() as u64, expected, averted })
}
