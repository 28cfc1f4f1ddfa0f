//! Demand: what the calibrated risk of today's people implies for the weeks to come, by place and practice.
//!
//! The risk says how many people to expect with the event that it is of; events are as many for each of them as in the time
//! before, and more or fewer in a group as they were there. Risk is spread evenly over its time: no season is in it. People
//! who move in are not.

/// How many events there may be.
mod counts;

/// How events differ between groups beyond their risk.
mod local;

/// What is published of demand.
mod tables;

use std::collections::{BTreeMap, BTreeSet};

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
use counts::Lengths;
use local::Before;
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
    with_event: BTreeSet<u32>,
}

/// What there was of one kind of event for each person with the event that the risk is of.
struct ForEach {
    mean: f64,
    /// The variance of the mean, over its square.
    unsure: f64,
    had: u64,
}

impl<'a> Past<'a> {
    fn of(pipeline: &Pipeline, demand: &Demand, kept: &'a Kept) -> Self {
        let first = demand.window.first_day(pipeline.as_of).map_or(0, calendar::epoch_days);
        let as_of = calendar::epoch_days(pipeline.as_of);
        let rows = kept.rows(demand.predicts).iter().filter(|row| row.day >= first);
        Self { kept, first, as_of, with_event: rows.map(|row| row.person).collect() }
    }

    fn amount(&self, row: &KeptRow, days: bool) -> f64 {
        self.kept.amount(row, days, self.first, self.as_of)
    }

    /// The variance of a ratio of sums over people (Cochran, Sampling Techniques, 6.4).
    fn for_each(&self, rows: &[KeptRow], days: bool) -> ForEach {
        let mut people: BTreeMap<u32, f64> = self.with_event.iter().map(|person| (*person, 0.0)).collect();
        for row in rows {
            *people.entry(row.person).or_default() += self.amount(row, days);
        }
        let all: f64 = people.values().sum();
        let with_event = self.with_event.len().max(1) as f64;
        let apart = |(person, amount): (&u32, &f64)| {
            let one = if self.with_event.contains(person) { 1.0 / with_event } else { 0.0 };
            (amount / all - one).powi(2)
        };
        let unsure = if all > 0.0 { people.iter().map(apart).sum() } else { 0.0 };
        let had = people.values().filter(|amount| **amount > 0.0).count().min(self.with_event.len()) as u64;
        ForEach { mean: all / with_event, unsure, had }
    }

    fn expect(&self, demand: &Demand, watch: usize, days: bool, risks: &[Option<f64>], splits: &[Split]) -> Expected {
        let rows = self.kept.rows(watch);
        let for_each = self.for_each(rows, days);
        let weeks_of_risk = f64::from(self.as_of - self.first) / f64::from(WEEK_DAYS);
        let weeks = f64::from(demand.decl.weeks);
        let (in_week, in_all) = match days {
            true => (self.in_weeks(rows), Lengths::of(rows.iter().map(|row| self.amount(row, true)))),
            false => (Lengths::counted(), Lengths::counted()),
        };
        let mut groups = Vec::new();
        for split in splits {
            let spread = counts::dispersion(&self.weekly(rows, days, split));
            let own = self.before(rows, days, risks, split, for_each.mean);
            let factors = local::factors(
                &own.iter().map(|(_, before)| *before).collect::<Vec<_>>(),
                spread * in_all.squares / in_all.mean,
            );
            let group = |((people, before), factor): (&(u64, Before), &local::Factor)| {
                let a_week = before.expected * factor.mean / weeks_of_risk;
                let unsure = for_each.unsure + factor.variance / factor.mean.powi(2).max(1e-9);
                let limits = |mean: f64, lengths: &Lengths| {
                    counts::interval(mean, (spread, unsure), lengths, demand.decl.interval_percent)
                };
                let all_weeks = a_week * weeks;
                let (of_a_week, of_all_weeks) = (limits(a_week, &in_week), limits(all_weeks, &in_all));
                Group { people: *people, a_week, of_a_week, all_weeks, of_all_weeks }
            };
            groups.push(own.iter().zip(&factors).map(group).collect());
        }
        let share = weeks / weeks_of_risk;
        Expected { groups, had: for_each.had, scenario: scenario(demand, risks, for_each.mean * share) }
    }

    /// People with a risk in each group, and what there was in it of people who are on the spine today.
    fn before(
        &self,
        rows: &[KeptRow],
        days: bool,
        risks: &[Option<f64>],
        split: &Split,
        for_each: f64,
    ) -> Vec<(u64, Before)> {
        let mut own = vec![(0_u64, Before::default()); split.names.len()];
        for (risk, group) in risks.iter().zip(split.of.iter()) {
            if let (Some(risk), Some((people, before))) = (risk, own.get_mut(*group as usize)) {
                *people += 1;
                before.expected += risk * for_each;
            }
        }
        // Rows are in the order of people.
        for rows in rows.chunk_by(|one, other| one.person == other.person) {
            let person = rows.first().map_or(usize::MAX, |row| row.person as usize);
            let amount: f64 = rows.iter().map(|row| self.amount(row, days)).sum();
            let scored = risks.get(person).is_some_and(Option::is_some) && amount > 0.0;
            let group = split.of.get(person).filter(|_| scored).and_then(|group| own.get_mut(*group as usize));
            if let Some((_, before)) = group {
                before.people += 1;
                before.seen += amount;
            }
        }
        own
    }

    /// The whole weeks of which all is in: the first day of each.
    fn weeks(&self) -> impl Iterator<Item = i32> + use<> {
        let until = self.as_of - LATE_WEEKS * WEEK_DAYS;
        let first = self.first;
        (1..).map(move |week| until - week * WEEK_DAYS).take_while(move |begins| *begins >= first)
    }

    /// How many days of a stay lie in a week that it touches.
    fn in_weeks(&self, rows: &[KeptRow]) -> Lengths {
        let days = |row| self.weeks().map(move |begins| self.kept.amount(row, true, begins, begins + WEEK_DAYS));
        Lengths::of(rows.iter().flat_map(days))
    }

    /// By group: how many rows touch each week, of people who are on the spine today.
    fn weekly(&self, rows: &[KeptRow], days: bool, split: &Split) -> Vec<Vec<f64>> {
        let weeks: Vec<i32> = self.weeks().collect();
        let mut series = vec![vec![0.0; weeks.len()]; split.names.len()];
        for row in rows {
            let Some(group) = split.of.get(row.person as usize).and_then(|group| series.get_mut(*group as usize))
            else {
                continue;
            };
            for (count, begins) in group.iter_mut().zip(&weeks) {
                *count += f64::from(u8::from(self.kept.amount(row, days, *begins, begins + WEEK_DAYS) > 0.0));
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
