//! One comparison of one outcome: of the time after the list, and of as long a time before it.
//!
//! Before a list was sent, a place can have changed nothing: where the two sides differ then, they were not alike, and what
//! they differ by after it is no effect of the list. People who were on an earlier list are left out of that check.

use super::estimate::{self, Estimate, Unit};
use super::lottery;
use super::matching::Pair;
use super::method::Method;
use super::{Followed, Story};
use crate::pipeline::measures::Impact;

/// A smaller difference is one of rounding.
const NOTHING: f64 = 1e-9;

/// Intervals of one comparison alone miss once in twenty times.
const ALONE: f64 = 0.05;

/// What is known of one cohort's lists by one outcome.
#[derive(Debug)]
pub struct Effect {
    pub cohort: String,
    /// Index into the declared outcomes.
    pub outcome: usize,
    pub method: Method,
    /// How many comparisons that may show a cause hold together, 19 times of 20: Bonferroni (Dunn, JASA 1961).
    pub together: usize,
    pub after: Compared,
    /// The same of the time before; nothing of a comparison of before and after.
    pub before: Compared,
}

/// Listed people and others in one time.
#[derive(Debug, Clone, Copy, Default)]
pub struct Compared {
    /// None of too few people, or where places were not given so.
    pub estimate: Option<Estimate>,
    /// What there was of listed people and of the others, in all.
    pub events: [f64; 2],
}

impl Effect {
    /// Whether the two sides differed already before the list was sent.
    pub fn differed_before(&self) -> bool {
        let limits = self.before.estimate.map(|estimate| estimate.difference.limits);
        limits.is_some_and(|limits| limits.low > NOTHING || limits.high < -NOTHING)
    }
}

/// Before the list, or after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Time {
    Before,
    After,
}

/// One outcome of some lists.
pub(super) struct Comparison<'s, 'a> {
    pub impact: &'s Impact,
    /// Index into the declared outcomes.
    pub outcome: usize,
    pub stories: &'s [&'s Story<'a>],
    pub pairs: &'s [Pair<'a>],
}

impl<'a> Comparison<'_, 'a> {
    /// Of the time before, each interval is as if it were alone: a difference is rather found there than missed.
    pub fn effect(&self, cohort: &str, method: Method, together: usize) -> Effect {
        let compared = |time, miss| match method {
            Method::Lottery => self.lottery(time, miss),
            Method::Discontinuity => self.discontinuity(time, miss),
            Method::Matched => self.matched(time, miss),
            Method::BeforeAfter => self.changed(time, miss, self.people().filter(|followed| followed.unit.listed)),
            Method::BeforeAfterOthers => self.changed(time, miss, self.pairs.iter().map(|pair| pair.other)),
        };
        let after = compared(Time::After, ALONE / together.max(1) as f64);
        let (cohort, outcome) = (cohort.to_owned(), self.outcome);
        Effect { cohort, outcome, method, together, after, before: compared(Time::Before, ALONE) }
    }

    /// How many comparisons may show a cause; the same of every outcome.
    pub fn causes(&self) -> usize {
        let by_lot = lottery::is_enough(&self.drawn(Time::After));
        usize::from(by_lot) + usize::from(self.discontinuity(Time::After, ALONE).estimate.is_some())
    }

    fn people(&self) -> impl Iterator<Item = &Followed<'a>> {
        self.stories.iter().flat_map(|story| &story.people)
    }

    /// Somebody with what there was of them in this time.
    fn unit(&self, followed: &Followed, time: Time) -> Unit {
        let [before, after] = followed.outcomes.get(self.outcome).copied().unwrap_or_default();
        Unit { outcome: if time == Time::Before { before } else { after }, ..followed.unit }
    }

    fn drawn(&self, time: Time) -> Vec<Unit> {
        let drawn = self.people().filter(|followed| followed.stood.probability.is_some() && counts(followed, time));
        drawn.map(|followed| self.unit(followed, time)).collect()
    }

    fn lottery(&self, time: Time, miss: f64) -> Compared {
        let drawn = self.drawn(time);
        Compared::of(&drawn, lottery::lottery(&drawn, miss))
    }

    fn discontinuity(&self, time: Time, miss: f64) -> Compared {
        let ranks = self.impact.decl.discontinuity.ranks;
        let near = |followed: &&Followed| followed.unit.distance.abs() < f64::from(ranks) && counts(followed, time);
        let sharp = self.stories.iter().filter(|story| is_sharp(story)).flat_map(|story| &story.people);
        let sharp: Vec<Unit> = sharp.filter(near).map(|followed| self.unit(followed, time)).collect();
        Compared::of(&sharp, estimate::discontinuity(&sharp, ranks, miss))
    }

    fn matched(&self, time: Time, miss: f64) -> Compared {
        let pairs = self.pairs.iter().filter(|pair| counts(pair.listed, time) && counts(pair.other, time));
        let both: Vec<(Unit, Unit)> =
            pairs.map(|pair| (self.unit(pair.listed, time), self.unit(pair.other, time))).collect();
        let found = estimate::matched(&both, miss);
        let units: Vec<Unit> = both.into_iter().flat_map(|(listed, other)| [listed, other]).collect();
        Compared::of(&units, found)
    }

    /// After less before, of people on one side alone.
    fn changed<'f>(&self, time: Time, miss: f64, people: impl Iterator<Item = &'f Followed<'a>>) -> Compared
    where
        'a: 'f,
    {
        if time == Time::Before {
            return Compared::default();
        }
        let both = |followed| [Time::Before, Time::After].map(|time| self.unit(followed, time));
        let people: Vec<[Unit; 2]> = people.map(both).collect();
        let changes: Vec<(u32, f64)> =
            people.iter().map(|[before, after]| (after.person, after.outcome - before.outcome)).collect();
        let alone =
            |difference| Estimate { listed: changes.len() as u64, others: 0, difference, for_each_reached: None };
        let after: Vec<Unit> = people.iter().map(|[_, after]| *after).collect();
        Compared::of(&after, estimate::mean(&changes, miss).map(alone))
    }
}

impl Compared {
    fn of(units: &[Unit], estimate: Option<Estimate>) -> Self {
        let sum = |listed: bool| units.iter().filter(|unit| unit.listed == listed).map(|unit| unit.outcome).sum();
        Self { estimate, events: [sum(true), sum(false)] }
    }
}

/// After a list everybody counts; before it only those whom no earlier list can have changed.
fn counts(followed: &Followed, time: Time) -> bool {
    time == Time::After || followed.is_new
}

/// Rank alone gave the places: nobody behind the cut is listed, nobody before it is not, and nothing was drawn.
fn is_sharp(story: &Story) -> bool {
    let ranks = &story.list.people;
    let by_rank =
        ranks.is_sorted_by_key(|stood| !stood.listed) && ranks.iter().all(|stood| stood.probability.is_none());
    by_rank && ranks.first().is_some_and(|first| first.listed) && ranks.last().is_some_and(|last| !last.listed)
}
