//! Impact: what followed on the lists that were sent, by lottery, by discontinuity at the cut and by matching.
//!
//! Somebody counts as listed as the run placed them, whoever was reached in the end (intention to treat). People who objected
//! since are left out on both sides; who died or left is not. Each comparison is also made of as long a time before the list,
//! when a place can have changed nothing: where the two sides differ then, they were not alike.

/// The statistics.
pub mod estimate;

/// Places that were drawn by lot.
pub mod lottery;

/// Lists of earlier runs.
pub mod past;

/// How lists are looked back on.
mod method;

/// Like people on and off a list.
mod matching;

/// One comparison of one outcome.
mod effect;

/// What is published of impact.
mod tables;

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::calendar;
use crate::features::keep::{Kept, KeptRow};
use crate::link::People;
use crate::pipeline::Pipeline;
use crate::pipeline::measures::Impact;
use crate::pseudonym::Pseudonym;
use effect::Comparison;
pub use effect::{Compared, Effect};
use estimate::Unit;
pub use method::Method;
use past::{PastList, Stood};
pub use tables::write;

/// What stands for the lists of all cohorts together.
const ALL_LISTS: &str = "all lists";

/// What followed, by what came of the contact.
#[derive(Debug)]
pub struct Came {
    pub cohort: String,
    /// None where nothing was recorded.
    pub of_it: Option<String>,
    pub all: Followers,
    /// Where reasons are declared and somebody gave one; none for people without.
    pub by_reason: Vec<(Option<String>, Followers)>,
}

/// People of whom something came, and what followed.
#[derive(Debug, Clone, Default)]
pub struct Followers {
    pub people: u64,
    /// As the declared outcomes.
    pub events: Vec<f64>,
}

/// What one declaration found.
#[derive(Debug, Default)]
pub struct Found {
    pub lists: u64,
    pub effects: Vec<Effect>,
    pub came: Vec<Came>,
}

/// Somebody of a list, with what followed.
struct Followed<'a> {
    unit: Unit,
    stood: &'a Stood,
    /// As the declared outcomes: before the list and after it.
    outcomes: Vec<[f64; 2]>,
    /// The last contact within the follow-up: what came of it, and why.
    came: Option<[u32; 2]>,
    /// On no list before this one, so that the time before it is before any call.
    is_new: bool,
}

/// One list, in rank order.
struct Story<'a> {
    list: &'a PastList,
    people: Vec<Followed<'a>>,
}

/// Looks back on the lists whose follow-up is over.
pub fn find(
    pipeline: &Pipeline,
    number: usize,
    impact: &Impact,
    past: &[PastList],
    people: &People,
    kept: &Kept,
) -> Found {
    let numbers = Numbers { people, kept };
    let over = |list: &&PastList| {
        let end = impact.follow_up.end(list.day);
        impact.measures(pipeline, &list.cohort) && end.is_some_and(|end| end <= pipeline.as_of)
    };
    let mut stories: Vec<Story> = past
        .iter()
        .filter(over)
        .zip(0_u32..)
        .filter_map(|(list, stratum)| story(impact, list, stratum, &numbers, kept))
        .collect();
    mark_new(&mut stories);
    let mut found = Found { lists: stories.len() as u64, ..Found::default() };
    let mut cohorts: Vec<&str> = stories.iter().map(|story| story.list.cohort.as_str()).collect();
    cohorts.sort_unstable();
    cohorts.dedup();
    let all: Vec<(&str, Vec<&Story>)> = vec![(ALL_LISTS, stories.iter().collect())];
    let of = |cohort| (cohort, stories.iter().filter(|story| story.list.cohort == cohort).collect());
    // All lists are one question, and the lists of each cohort another: in either, what is found holds together.
    for sets in [all, cohorts.into_iter().map(of).collect()] {
        let causes = |own: &[&Story]| Comparison { impact, outcome: 0, stories: own, pairs: &[] }.causes();
        let together = sets.iter().map(|(_, own)| causes(own)).sum();
        for (cohort, own) in &sets {
            let pairs = matching::pairs(number, impact, own);
            for outcome in 0..impact.outcomes.len() {
                let comparison = Comparison { impact, outcome, stories: own, pairs: &pairs };
                found.effects.extend(Method::ALL.map(|method| comparison.effect(cohort, method, together)));
            }
            found.came.extend(came(impact, cohort, own, kept));
        }
    }
    found
}

/// Who was on none of these lists before the day of this one.
fn mark_new(stories: &mut [Story]) {
    let mut listed: BTreeMap<u32, Date> = BTreeMap::new();
    for story in &*stories {
        for followed in story.people.iter().filter(|followed| followed.unit.listed) {
            let first = listed.entry(followed.unit.person).or_insert(story.list.day);
            *first = story.list.day.min(*first);
        }
    }
    for story in stories {
        let day = story.list.day;
        for followed in &mut story.people {
            followed.is_new = listed.get(&followed.unit.person).is_none_or(|first| day <= *first);
        }
    }
}

/// Numbers of tokens, on the spine and gone.
struct Numbers<'a> {
    people: &'a People,
    kept: &'a Kept,
}

impl Numbers<'_> {
    fn of(&self, token: &Pseudonym) -> Option<u32> {
        match self.people.tokens.binary_search(token) {
            Ok(at) => u32::try_from(at).ok(),
            Err(_) => self.kept.gone.number(token).map(|number| self.kept.people.saturating_add(number)),
        }
    }
}

fn story<'a>(impact: &Impact, list: &'a PastList, stratum: u32, numbers: &Numbers, kept: &Kept) -> Option<Story<'a>> {
    let day = calendar::epoch_days(list.day);
    let length = calendar::epoch_days(impact.follow_up.end(list.day)?) - day;
    let cut = list.people.iter().filter(|stood| stood.listed).count() as f64;
    let mut people = Vec::new();
    for (position, stood) in list.people.iter().enumerate() {
        let Some(person) = numbers.of(&stood.token) else { continue };
        let inside = |row: &&KeptRow| (day..day + length).contains(&row.day);
        let outcomes = impact.outcomes.iter().zip(impact.decl.outcomes.values()).map(|(watch, declared)| {
            let rows = kept.of(*watch, person);
            let amount =
                |from: i32| rows.iter().map(|row| kept.amount(row, declared.days, from, from + length)).sum::<f64>();
            [day - length, day].map(amount)
        });
        let unit = Unit {
            person,
            stratum,
            listed: stood.listed,
            reached: kept.of(impact.reached, person).iter().any(|row| inside(&row)),
            outcome: 0.0,
            distance: position as f64 + 0.5 - cut,
        };
        let last = kept.of(impact.feedback, person).iter().rfind(inside);
        let (outcomes, came) = (outcomes.collect(), last.map(|row| row.labels));
        people.push(Followed { unit, stood, outcomes, came, is_new: true });
    }
    Some(Story { list, people })
}

/// Listed people by what came of the last contact within the follow-up, and why.
fn came(impact: &Impact, cohort: &str, stories: &[&Story], kept: &Kept) -> Vec<Came> {
    let mut by: BTreeMap<Option<&str>, BTreeMap<Option<&str>, Followers>> = BTreeMap::new();
    for followed in stories.iter().flat_map(|story| &story.people).filter(|followed| followed.unit.listed) {
        let [of_it, reason] = followed.came.map_or([None; 2], |labels| labels.map(|label| kept.name(label)));
        by.entry(of_it).or_default().entry(reason).or_default().add(followed);
    }
    let came = |(of_it, reasons): (Option<&str>, BTreeMap<Option<&str>, Followers>)| {
        let told = impact.decl.reason.is_some() && reasons.keys().any(Option::is_some);
        let each = reasons.into_iter().map(|(reason, of)| (reason.map(str::to_owned), of)).collect::<Vec<_>>();
        let mut all = Followers::default();
        each.iter().for_each(|(_, of)| all.include(of));
        let by_reason = if told { each } else { Vec::new() };
        Came { cohort: cohort.to_owned(), of_it: of_it.map(str::to_owned), all, by_reason }
    };
    by.into_iter().map(came).collect()
}

impl Followers {
    fn add(&mut self, followed: &Followed) {
        let events = followed.outcomes.iter().map(|[_, after]| *after).collect();
        self.include(&Self { people: 1, events });
    }

    fn include(&mut self, other: &Self) {
        self.people += other.people;
        self.events.resize(other.events.len(), 0.0);
        self.events.iter_mut().zip(&other.events).for_each(|(sum, more)| *sum += more);
    }
}
