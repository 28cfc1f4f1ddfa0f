//! What every source says about a person, and which say wins.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::Date;
use regex::Regex;

use super::heard::{Heard, Times};
use super::{Beside, ItemEvidence, RecordingState, Say};
use crate::calendar;
use crate::error::{Error, Result};
use crate::pipeline::decl::Resolve;
use crate::pipeline::{Demographic, Item, Pipeline};

/// One delivered value of one person in one source, judged; the value by its place among the item's sorted values.
#[derive(Debug, Clone, Copy)]
struct Said {
    person: u32,
    source: u16,
    state: RecordingState,
    value: Option<u32>,
    times: Times,
}

/// A known value.
#[derive(Debug, Clone, Copy)]
struct Known {
    source: u16,
    /// Place of the source in the item's order.
    order: usize,
    value: u32,
    times: Times,
}

/// What a source was heard to say of an item.
pub struct Spoken<'a> {
    /// Index into [`Pipeline::sources`]; of several, in ascending order.
    pub source: usize,
    pub says: &'a Demographic,
    pub heard: &'a Heard,
    /// By place: the person.
    pub people: &'a [u32],
}

/// Resolves one item over the sources that speak of it.
pub fn resolve(pipeline: &Pipeline, item: usize, spoken: &[Spoken], people: usize) -> Result<ItemEvidence> {
    let declared = &pipeline.items[item];
    let rule = ItemRule::of(declared, pipeline.as_of)?;
    let (said, values) = judge(&rule, spoken)?;
    let said = by_person(said, people);
    let mut evidence = ItemEvidence {
        resolved: vec![None; people],
        state: vec![RecordingState::Blank; people],
        says: Vec::with_capacity(said.len()),
        beside: Beside::default(),
    };
    let place = |source| declared.order.iter().position(|index| *index == source).unwrap_or(usize::MAX);
    let orders: Vec<usize> = (0..pipeline.sources.len()).map(place).collect();
    let mut beside = SideBySide::new(values.len(), declared.decl.resolve);
    let mut known: Vec<Known> = Vec::new();
    for of_person in said.chunk_by(|a, b| a.person == b.person) {
        let Some(person) = of_person.first().map(|said| said.person) else { continue };
        let first = evidence.says.len();
        for of_source in of_person.chunk_by(|a, b| a.source == b.source) {
            evidence.says.extend(rule.say(of_source, &values));
        }
        known.clear();
        known.extend(of_person.iter().filter_map(|said| Known::of(said, &orders)));
        evidence.state[person as usize] = overall(&evidence.says[first..]);
        evidence.resolved[person as usize] = beside.note(&known).map(|value| Arc::clone(&values[value as usize]));
    }
    // Of an item with as many values as people, only how many would move is of use.
    let values = if spoken.iter().any(|spoken| spoken.says.values.is_some()) { &values[..] } else { &[] };
    evidence.beside = beside.finish(values);
    Ok(evidence)
}

/// Every person's values in every source, and the item's known values, sorted.
fn judge(rule: &ItemRule, spoken: &[Spoken]) -> Result<(Vec<Said>, Vec<Arc<str>>)> {
    let meanings: Vec<Vec<Meaning>> = spoken.iter().map(|spoken| rule.meanings(spoken.says, spoken.heard)).collect();
    let mut values: Vec<Arc<str>> = meanings.iter().flatten().filter_map(|(_, value)| value.clone()).collect();
    values.sort_unstable();
    values.dedup();
    let mut said = Vec::with_capacity(spoken.iter().map(|spoken| spoken.heard.said.pairs()).sum());
    for (spoken, meanings) in spoken.iter().zip(&meanings) {
        let source = u16::try_from(spoken.source)
            .map_err(|_| Error::Fault("more sources than a 16-bit number counts".to_owned()))?;
        let place = |value: &Arc<str>| values.binary_search(value).ok().and_then(|place| u32::try_from(place).ok());
        let judged: Vec<_> = meanings.iter().map(|(state, value)| (*state, value.as_ref().and_then(place))).collect();
        said.extend(spoken.heard.said.iter().map(|(place, number, times)| {
            let (state, value) = judged[number as usize];
            Said { person: spoken.people[place as usize], source, state, value, times }
        }));
    }
    Ok((said, values))
}

/// Each person's says together, by source as they came; within one, nothing depends on their order.
fn by_person(said: Vec<Said>, people: usize) -> Vec<Said> {
    let mut next = vec![0_usize; people + 1];
    said.iter().for_each(|said| next[said.person as usize + 1] += 1);
    for person in 0..people {
        next[person + 1] += next[person];
    }
    let mut sorted = said.clone();
    for said in said {
        let at = &mut next[said.person as usize];
        sorted[*at] = said;
        *at += 1;
    }
    sorted
}

impl Known {
    fn of(said: &Said, orders: &[usize]) -> Option<Self> {
        Some(Self {
            source: said.source,
            order: orders[usize::from(said.source)],
            value: said.value?,
            times: said.times,
        })
    }
}

/// A person's state over all sources; what has expired contradicts nothing.
fn overall(says: &[Say]) -> RecordingState {
    let fresh = |say: &&Say| matches!(say.state, RecordingState::Known | RecordingState::Conflicting);
    let mut values = says.iter().filter(fresh).filter_map(|say| say.value.as_ref());
    let first = values.next();
    let differ = values.any(|value| Some(value) != first);
    if differ || says.iter().any(|say| say.state == RecordingState::Conflicting) {
        return RecordingState::Conflicting;
    }
    says.iter().map(|say| say.state).min().unwrap_or(RecordingState::Blank)
}

/// The rules of resolution, each followed for every person.
struct SideBySide {
    declared: Resolve,
    /// By rule and value.
    people: [Vec<u64>; Resolve::ALL.len()],
    counts: Beside,
}

impl SideBySide {
    fn new(values: usize, declared: Resolve) -> Self {
        Self { declared, people: Resolve::ALL.map(|_| vec![0; values]), counts: Beside::default() }
    }

    /// The value of the declared rule.
    fn note(&mut self, known: &[Known]) -> Option<u32> {
        let first = known.first()?.value;
        self.counts.known += 1;
        if known.iter().all(|known| known.value == first) {
            self.people.iter_mut().for_each(|people| people[first as usize] += 1);
            return Some(first);
        }
        let winner = winner(self.declared, known);
        for (rule, (people, moved)) in Resolve::ALL.iter().zip(self.people.iter_mut().zip(&mut self.counts.moved)) {
            let theirs = self::winner(*rule, known);
            people[theirs.unwrap_or(first) as usize] += 1;
            *moved += u64::from(theirs != winner);
        }
        let (changed, went_back) = over_time(known);
        self.counts.changed += u64::from(changed);
        self.counts.went_back += u64::from(went_back);
        winner
    }

    fn finish(mut self, values: &[Arc<str>]) -> Beside {
        for (named, people) in self.counts.people.iter_mut().zip(&self.people) {
            named.extend(values.iter().cloned().zip(people.iter().copied()).filter(|(_, people)| *people > 0));
        }
        self.counts
    }
}

/// Whether a person's dated values changed, and whether one came back after another.
fn over_time(known: &[Known]) -> (bool, bool) {
    let mut spans: BTreeMap<u32, (i32, i32)> = BTreeMap::new();
    for known in known {
        let Some((first, latest)) = known.times.first.zip(known.times.latest) else { continue };
        let span = spans.entry(known.value).or_insert((first, latest));
        *span = (span.0.min(first), span.1.max(latest));
    }
    let inside = |day: i32, (first, latest): (i32, i32)| first < day && day < latest;
    let between = |a: &u32, b: &u32| a != b && (inside(spans[b].0, spans[a]) || inside(spans[b].1, spans[a]));
    (spans.len() > 1, spans.keys().any(|a| spans.keys().any(|b| between(a, b))))
}

fn winner(resolve: Resolve, known: &[Known]) -> Option<u32> {
    let recent = |known: &Known| (known.times.latest, Reverse(known.order), known.value);
    match resolve {
        Resolve::MostRecent => known.iter().map(recent).max().map(|(.., value)| value),
        Resolve::SourceOrder => {
            let trusted =
                |known: &Known| (Reverse(known.order), Reverse(known.source), known.times.latest, known.value);
            known.iter().map(trusted).max().map(|(.., value)| value)
        }
        Resolve::MostFrequent => {
            let mut rows: BTreeMap<u32, u64> = BTreeMap::new();
            for known in known {
                *rows.entry(known.value).or_default() += u64::from(known.times.rows);
            }
            known.iter().map(|known| (rows.get(&known.value), recent(known))).max().map(|(_, (.., value))| value)
        }
    }
}

/// What a delivered value says.
pub(super) type Meaning = (RecordingState, Option<Arc<str>>);

/// What delivered values mean, and for how long.
pub(super) struct ItemRule<'a> {
    pattern: Option<Regex>,
    item: &'a Item,
    as_of: Date,
    /// A value last recorded before this day no longer counts.
    expired_before: Option<i32>,
}

impl<'a> ItemRule<'a> {
    pub(super) fn of(item: &'a Item, as_of: Date) -> Result<Self> {
        let pattern = item.decl.pattern.as_ref().map(|pattern| Regex::new(&format!("^(?:{pattern})$")));
        let pattern = pattern
            .transpose()
            .map_err(|_| Error::Fault(format!("the pattern of item {} was not checked", item.name)))?;
        let expired_before = item.expires.and_then(|window| window.first_day(as_of)).map(calendar::epoch_days);
        Ok(Self { pattern, item, as_of, expired_before })
    }

    /// By the number of each value that was heard; 0 is blank.
    pub(super) fn meanings(&self, demographic: &Demographic, heard: &Heard) -> Vec<Meaning> {
        heard.values.map((RecordingState::Blank, None), |value| self.meaning(demographic, value))
    }

    /// What one source says of one person.
    fn say(&self, said: &[Said], values: &[Arc<str>]) -> Option<Say> {
        let first = said.first()?;
        let latest = said.iter().filter_map(|said| Some((said.times.latest, said.value?))).max();
        let other = |said: &Said| said.value.is_some() && said.value != latest.map(|(_, value)| value);
        let state = match latest {
            Some(_) if self.item.decl.fixed && said.iter().any(other) => RecordingState::Conflicting,
            Some((Some(day), _)) if self.expired_before.is_some_and(|limit| day < limit) => RecordingState::Stale,
            _ => said.iter().map(|said| said.state).min()?,
        };
        Some(Say {
            person: first.person,
            source: first.source,
            state,
            date: latest.and_then(|(day, _)| day),
            value: latest.map(|(_, value)| Arc::clone(&values[value as usize])),
            rows: said.iter().map(|said| said.times.rows).sum(),
        })
    }

    fn meaning(&self, demographic: &Demographic, value: &str) -> Meaning {
        if let Some(values) = &demographic.values {
            let (state, meant) = values.state(value);
            let meant = meant.filter(|_| state == RecordingState::Known).map(|meant| meant.value.as_str().into());
            return (state, meant);
        }
        if self.item.decl.default_values.iter().any(|default| default.eq_ignore_ascii_case(value)) {
            return (RecordingState::NotKnown, None);
        }
        let fits = self.pattern.as_ref().is_none_or(|pattern| pattern.is_match(value));
        let dated = self.item.decl.date_not_before.is_none_or(|first| {
            value.parse::<Date>().is_ok_and(|date| value.len() == 10 && (first..self.as_of).contains(&date))
        });
        if fits && dated { (RecordingState::Known, Some(value.into())) } else { (RecordingState::Invalid, None) }
    }
}

/// A day as people read it in a list of says.
pub fn iso(day: i32) -> String {
    calendar::date_of(day).map(|date| date.to_string()).unwrap_or_default()
}
