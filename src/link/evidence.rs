//! What every source says about a person, and which say wins.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, StringArray};
use hashbrown::HashMap;
use jiff::civil::Date;
use regex::Regex;

use super::{ItemEvidence, RecordingState, Say};
use crate::calendar;
use crate::error::{Error, Result};
use crate::pipeline::decl::Resolve;
use crate::pipeline::{Demographic, Item, Pipeline};

/// Delivered values of one demographic column: rows and latest day, by person and value.
#[derive(Debug, Default)]
pub struct Heard {
    values: HashMap<String, u32>,
    /// Person and value (0 is blank) with the number of rows and the latest day.
    said: HashMap<(u32, u32), (u32, Option<i32>)>,
}

impl Heard {
    /// Notes the say of one row.
    pub fn hear(&mut self, person: u32, says: &StringArray, row: usize, day: Option<i32>) {
        let value = says.is_valid(row).then(|| says.value(row));
        let number = value.map_or(0, |value| self.number(value));
        self.add(person, number, 1, day);
    }

    /// Adds what another worker heard.
    pub fn merge(&mut self, other: &Self) {
        let mut numbers = vec![0; other.values.len() + 1];
        for (value, number) in &other.values {
            numbers[*number as usize] = self.number(value);
        }
        for ((person, value), (rows, day)) in &other.said {
            self.add(*person, numbers[*value as usize], *rows, *day);
        }
    }

    fn number(&mut self, value: &str) -> u32 {
        if let Some(number) = self.values.get(value) {
            return *number;
        }
        let number = u32::try_from(self.values.len() + 1).unwrap_or(u32::MAX);
        self.values.insert(value.to_owned(), number);
        number
    }

    fn add(&mut self, person: u32, value: u32, rows: u32, day: Option<i32>) {
        let entry = self.said.entry((person, value)).or_insert((0, None));
        entry.0 += rows;
        entry.1 = entry.1.max(day);
    }
}

/// What a source said of a person: state, resolved value, rows and latest day of one delivered value.
type Said = (RecordingState, Option<Arc<str>>, u32, Option<i32>);

/// One known value in one source.
struct Known {
    source: u16,
    /// Place of the source in the item's order.
    order: usize,
    value: Arc<str>,
    rows: u32,
    day: Option<i32>,
}

/// Resolves one item over the sources that speak of it.
pub fn resolve(
    pipeline: &Pipeline,
    item: usize,
    heard: &[(usize, &Demographic, &Heard)],
    people: usize,
) -> Result<ItemEvidence> {
    let declared = &pipeline.items[item];
    let rule = ItemRule::of(declared, pipeline.as_of)?;
    let mut by_person: BTreeMap<(u32, u16), Vec<Said>> = BTreeMap::new();
    for (source, demographic, heard) in heard {
        let source =
            u16::try_from(*source).map_err(|_| Error::Fault("more sources than a 16-bit number counts".to_owned()))?;
        let mut meanings = vec![(RecordingState::Blank, None); heard.values.len() + 1];
        for (value, number) in &heard.values {
            meanings[*number as usize] = rule.meaning(demographic, value);
        }
        for ((person, value), (rows, day)) in &heard.said {
            let (state, value) = &meanings[*value as usize];
            by_person.entry((*person, source)).or_default().push((*state, value.clone(), *rows, *day));
        }
    }
    let mut evidence = ItemEvidence {
        resolved: vec![None; people],
        state: vec![RecordingState::Blank; people],
        says: Vec::with_capacity(by_person.len()),
    };
    let mut known: Vec<Known> = Vec::new();
    let mut says = by_person.into_iter().peekable();
    while let Some(((person, source), said)) = says.next() {
        evidence.says.push(say(person, source, &said));
        let order = declared.order.iter().position(|index| *index == usize::from(source)).unwrap_or(usize::MAX);
        known.extend(
            said.into_iter()
                .filter_map(|(_, value, rows, day)| Some(Known { source, order, value: value?, rows, day })),
        );
        if says.peek().is_none_or(|((next, _), _)| *next != person) {
            let first = evidence.says.iter().rposition(|say| say.person != person).map_or(0, |last| last + 1);
            evidence.state[person as usize] = overall(&evidence.says[first..]);
            evidence.resolved[person as usize] = winner(declared.decl.resolve, &known);
            known.clear();
        }
    }
    Ok(evidence)
}

fn say(person: u32, source: u16, said: &[Said]) -> Say {
    let state = said.iter().map(|(state, ..)| *state).min().unwrap_or(RecordingState::Blank);
    let latest = said.iter().filter_map(|(_, value, _, day)| Some((*day, value.clone()?))).max();
    Say {
        person,
        source,
        state,
        date: latest.as_ref().and_then(|(day, _)| *day),
        value: latest.map(|(_, value)| value),
        rows: said.iter().map(|(.., rows, _)| rows).sum(),
    }
}

/// A person's state over all sources.
fn overall(says: &[Say]) -> RecordingState {
    let mut values = says.iter().filter_map(|say| say.value.as_ref());
    let first = values.next();
    if values.any(|value| Some(value) != first) {
        return RecordingState::Conflicting;
    }
    says.iter().map(|say| say.state).min().unwrap_or(RecordingState::Blank)
}

fn winner(resolve: Resolve, known: &[Known]) -> Option<Arc<str>> {
    let recent = |known: &Known| (known.day, Reverse(known.order), known.value.clone());
    match resolve {
        Resolve::MostRecent => known.iter().map(recent).max().map(|(.., value)| value),
        Resolve::SourceOrder => known
            .iter()
            .map(|known| (Reverse(known.order), Reverse(known.source), known.day, known.value.clone()))
            .max()
            .map(|(.., value)| value),
        Resolve::MostFrequent => {
            let mut rows: BTreeMap<&str, u64> = BTreeMap::new();
            for known in known {
                *rows.entry(&known.value).or_default() += u64::from(known.rows);
            }
            known.iter().map(|known| (rows.get(&*known.value), recent(known))).max().map(|(_, (.., value))| value)
        }
    }
}

/// What a delivered value means when no value set says so.
struct ItemRule<'a> {
    pattern: Option<Regex>,
    item: &'a Item,
    as_of: Date,
}

impl<'a> ItemRule<'a> {
    fn of(item: &'a Item, as_of: Date) -> Result<Self> {
        let pattern = item.decl.pattern.as_ref().map(|pattern| Regex::new(&format!("^(?:{pattern})$")));
        let pattern = pattern
            .transpose()
            .map_err(|_| Error::Fault(format!("the pattern of item {} was not checked", item.name)))?;
        Ok(Self { pattern, item, as_of })
    }

    fn meaning(&self, demographic: &Demographic, value: &str) -> (RecordingState, Option<Arc<str>>) {
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
