//! What follows on an as-of date: the outcome in its window, and who can be followed to its end.

use arrow::array::{Array, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};
use jiff::civil::Date;

use super::DateAccount;
use super::acted_on::{Acts, Effect};
use crate::calendar::{self, Window};
use crate::conform::{self, Engine};
use crate::error::{Error, Result};
use crate::features;
use crate::link::{self, Since};
use crate::pipeline::measures::Measures;
use crate::pipeline::study::{Deaths, StudyPlan};
use crate::pipeline::{Pipeline, Verb, What};
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

/// What a follow-up is made from.
#[derive(Clone, Copy)]
pub(super) struct Followed<'a> {
    pub pipeline: &'a Pipeline,
    pub plan: &'a StudyPlan,
    pub as_of: Date,
    pub delivered: &'a Delivered,
    pub acts: &'a Acts,
    pub engine: Engine,
}

/// Follows people from an as-of date to the end of the window.
pub(super) fn follow_up(study: Followed, people: &[Pseudonym], meant: &[bool]) -> Result<FollowUp> {
    let Followed { plan, as_of, .. } = study;
    let until = plan.outcome.within.end(as_of);
    let until = until.ok_or_else(|| Error::Fault("a follow-up has no end".to_owned()))?;
    let days = days_to_know(study, until);
    let later = later(study, until, &days);
    let known_by = plan.decl.known_by.unwrap_or(Date::MAX);
    let conformed = conform::conform_known_by(&later, study.delivered, study.engine, known_by)?;
    let followed = link::follow(&conformed, people)?;
    let acts = study.acts.in_tokens(&followed.records.superseded);
    let (columns, source) = features::of_one_source(&followed.records)?;
    reaches(plan, until, &source)?;
    let events = columns.iter().map(|column| events(column, plan.outcome.at_least)).collect::<Result<Vec<_>>>()?;
    let [event, before @ ..] = events.as_slice() else {
        return Err(Error::Fault("an outcome was not made".to_owned()));
    };
    let mut found = FollowUp::new(as_of, until, people.len(), source);
    let first = plan.acted_on.as_ref().and_then(|acted_on| acted_on.lasts.first_day(as_of)).unwrap_or(Date::MIN);
    for (person, token) in followed.tokens.into_iter().enumerate() {
        let since = &followed.since[person];
        if let Some(why) = left_out(&mut found.account, meant[person], since, plan.decl.deaths) {
            *why += 1;
            continue;
        }
        let dead = |day: Date| since.died.is_some_and(|died| died < calendar::epoch_days(day));
        let known = |day: Date| dead(day) || days.iter().position(|of| *of == day).is_some_and(|at| before[at][person]);
        let effect = acts.effect(&token, [first, until], &known);
        found.add(person, token, event[person], since.died.is_some(), plan.decl.deaths, effect);
    }
    Ok(found)
}

impl FollowUp {
    fn new(as_of: Date, until: Date, people: usize, source: SourceAccount) -> Self {
        let account = DateAccount { as_of, until, ..DateAccount::default() };
        let (tokens, outcome, complete, weight) = Default::default();
        Self { account, kept: vec![false; people], tokens, outcome, complete, weight, source }
    }

    fn add(&mut self, person: usize, token: Pseudonym, event: bool, died: bool, deaths: Deaths, effect: Effect) {
        let outcome = event || (died && deaths == Deaths::InOutcome);
        let followed = outcome || !died || deaths == Deaths::NoEvent;
        let (complete, weight) = match effect {
            Effect::LeftAlone(weight) => (followed, weight),
            Effect::Place { .. } => (false, 0.0),
        };
        match effect {
            Effect::Place { by_rank } => {
                self.account.acted_on += 1;
                self.account.by_rank += u64::from(by_rank);
            }
            Effect::LeftAlone(_) => self.account.censored += u64::from(!complete),
        }
        self.account.rows += u64::from(complete);
        self.account.events += u64::from(complete && outcome);
        self.kept[person] = true;
        self.tokens.push(token);
        self.outcome.push(complete && outcome);
        self.complete.push(complete);
        self.weight.push(if complete { weight } else { 0.0 });
    }
}

/// The days on which lists were acted on in the follow-up: whether an outcome was there before each must be known. Whether an
/// event is open at the end, or how long it lasts, is not known before that.
fn days_to_know(study: Followed, until: Date) -> Vec<Date> {
    match &study.plan.outcome.feature.verb {
        Verb::Events(events) if matches!(events.what, What::OpenAtIndex | What::Longest) => Vec::new(),
        _ => study.acts.days_within(study.as_of, until),
    }
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

/// The pipeline at the end of the follow-up; its features are the outcome, and the outcome before each of some days.
fn later(study: Followed, until: Date, days: &[Date]) -> Pipeline {
    let mut later = study.pipeline.clone();
    later.as_of = until;
    let mut outcome = study.plan.outcome.feature.clone();
    // In days, so that it begins on the as-of date whatever the lengths of the months.
    outcome.window = Window::Days(calendar::epoch_days(until) - calendar::epoch_days(study.as_of));
    let before = days.iter().map(|day| {
        let mut outcome = outcome.clone();
        outcome.name = format!("{} before {day}", outcome.name);
        if let Verb::Events(events) = &mut outcome.verb {
            let declared = events.filter.as_ref().map_or(String::new(), |sql| format!("({sql}) and "));
            events.filter = Some(format!("{declared}date < date '{day}'"));
        }
        outcome
    });
    later.features = std::iter::once(outcome.clone()).chain(before).collect();
    later.models.clear();
    later.items.clear();
    later.measures = Measures::default();
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
