//! People by what they have in common; those of whom it is not recorded are a group like any other.

use std::collections::BTreeMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex};

use arrow::array::AsArray;
use arrow::compute::{max, min};
use arrow::datatypes::Int64Type;
use hashbrown::HashMap;

use crate::cohort::words::{self, NOT_RECORDED, yes_or_no};
use crate::error::{Error, Result};
use crate::features::Features;
use crate::link::{People, RecordingState};
use crate::pipeline::{Pipeline, Verb};

/// Everyone in exactly one group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// The feature or item.
    pub name: String,
    /// Numbers by size, then texts; "not recorded" last, and always there.
    pub names: Vec<String>,
    /// Index into `names`, by person.
    pub of: Arc<[u32]>,
}

impl Split {
    /// Everyone as one group.
    pub fn everyone(people: usize) -> Self {
        Self { name: EVERYONE.to_owned(), names: vec![EVERYONE.to_owned()], of: vec![0; people].into() }
    }

    /// People of each group of whom `counts` is true, as [`Split::names`].
    pub fn count(&self, counts: impl Fn(usize) -> bool) -> Vec<u64> {
        let mut people = vec![0; self.names.len()];
        for (_, &group) in self.of.iter().enumerate().filter(|&(person, _)| counts(person)) {
            if let Some(people) = people.get_mut(group as usize) {
                *people += 1;
            }
        }
        people
    }

    /// How many of these people are in each group, as [`Split::names`].
    pub fn among(&self, people: &[usize]) -> Vec<u64> {
        let mut counts = vec![0; self.names.len()];
        for group in people.iter().filter_map(|person| self.of.get(*person)) {
            if let Some(count) = counts.get_mut(*group as usize) {
                *count += 1;
            }
        }
        counts
    }
}

/// By what every table of inequality splits: what the audits split by, then the items with a value set.
///
/// An item without one (a birth date, an area) has nearly as many values as people.
pub fn of_run(pipeline: &Pipeline, people: &People, features: &Features) -> Result<Vec<Split>> {
    let mut splits: Vec<Split> = Vec::new();
    let mut items = Vec::new();
    for &feature in pipeline.audits.iter().flat_map(|audit| &audit.split_by) {
        let split = of_people(pipeline, people, features, feature)?;
        if splits.iter().all(|known| known.name != split.name) {
            splits.push(split);
            items.extend(item_of(pipeline, feature));
        }
    }
    for (item, declared) in pipeline.items.iter().enumerate() {
        let known = items.contains(&item) || splits.iter().any(|known| known.name == declared.name);
        if !known && !labels(pipeline, item).is_empty() {
            splits.push(features.splits.of(By::Item(item), || by_item(pipeline, people, item))?);
        }
    }
    Ok(splits)
}

/// By the values of a feature; of one that is an item, by what was resolved, which says the same sooner.
pub fn of_people(pipeline: &Pipeline, people: &People, features: &Features, feature: usize) -> Result<Split> {
    match (item_of(pipeline, feature), pipeline.features.get(feature)) {
        (Some(item), Some(declared)) => {
            features.splits.of(By::Feature(feature), || of_item(pipeline, people, item, &declared.name))
        }
        _ => by_feature(pipeline, features, feature),
    }
}

/// By the resolved values of an item.
pub fn by_item(pipeline: &Pipeline, people: &People, item: usize) -> Result<Split> {
    let name = pipeline.items.get(item).map(|item| item.name.as_str()).unwrap_or_default();
    of_item(pipeline, people, item, name)
}

fn of_item(pipeline: &Pipeline, people: &People, item: usize, name: &str) -> Result<Split> {
    let fault = || Error::Fault("a split is by an item that is not there".to_owned());
    let evidence = people.items.get(item).ok_or_else(fault)?;
    let labels = labels(pipeline, item);
    let mut distinct = Vec::new();
    // Only a value that won is a group.
    let mut numbers: Vec<Option<u32>> = vec![None; evidence.values.len()];
    let mut number = |value: u32| {
        *numbers[value as usize].get_or_insert_with(|| {
            let value = &*evidence.values[value as usize];
            distinct.push(labels.get(value).copied().unwrap_or(value));
            distinct.len() as u32 - 1
        })
    };
    let of = evidence.won().map(|value| value.map(&mut number)).collect();
    named(name, of, &distinct)
}

/// The split, and the group, of everyone.
pub const EVERYONE: &str = "everyone";

/// Everyone as one group, then by the values of each of these features.
pub fn with_everyone(pipeline: &Pipeline, features: &Features, by: &[usize]) -> Result<Vec<Split>> {
    let everyone = Split::everyone(features.columns.num_rows());
    let each = by.iter().map(|&feature| by_feature(pipeline, features, feature));
    std::iter::once(Ok(everyone)).chain(each).collect()
}

/// Splits that were made before.
#[derive(Debug, Default)]
pub struct Made(Mutex<BTreeMap<By, Split>>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum By {
    Feature(usize),
    Item(usize),
}

impl Made {
    /// A split, made at most once unless two ask at the same time.
    fn of(&self, by: By, make: impl FnOnce() -> Result<Split>) -> Result<Split> {
        let known = self.0.lock().ok().and_then(|made| made.get(&by).cloned());
        if let Some(known) = known {
            return Ok(known);
        }
        let split = make()?;
        self.0.lock().ok().and_then(|mut made| made.insert(by, split.clone()));
        Ok(split)
    }
}

/// By the values of a feature.
pub fn by_feature(pipeline: &Pipeline, features: &Features, feature: usize) -> Result<Split> {
    features.splits.of(By::Feature(feature), || split_by(pipeline, features, feature))
}

fn split_by(pipeline: &Pipeline, features: &Features, feature: usize) -> Result<Split> {
    let fault = || Error::Fault("a split is by a feature that was not made".to_owned());
    let name = &pipeline.features.get(feature).ok_or_else(fault)?.name;
    let column = features.columns.by_name(name)?.ok_or_else(fault)?;
    let labels = item_of(pipeline, feature).map(|item| labels(pipeline, item)).unwrap_or_default();
    let called = |text: &str| labels.get(text).copied().unwrap_or(text).to_owned();
    if let Some(flags) = column.as_boolean_opt() {
        let places = flags.iter().map(|flag| flag.map(usize::from));
        return split(name, places, by_table(2), |place| called(yes_or_no(place == 1)));
    }
    let Some(numbers) = column.as_primitive_opt::<Int64Type>() else {
        return split(name, words::column(&column)?.iter(), by_hash(), called);
    };
    let low = min(numbers).unwrap_or_default();
    let called = |number: i64| called(&number.to_string());
    match max(numbers).and_then(|high| usize::try_from(high.checked_sub(low)?).ok()).filter(|most| *most < SMALL) {
        Some(most) => {
            let places = numbers.iter().map(|number| number.map(|number| (number - low) as usize));
            split(name, places, by_table(most + 1), |place| called(low + place as i64))
        }
        None => split(name, numbers.iter(), by_hash(), called),
    }
}

/// So many values are looked up in a table.
const SMALL: usize = 1 << 16;

fn item_of(pipeline: &Pipeline, feature: usize) -> Option<usize> {
    match pipeline.features.get(feature)?.verb {
        Verb::Item { item } => Some(item),
        _ => None,
    }
}

/// What the resolved values of an item are called; the first source that names a value does so for all.
pub fn labels(pipeline: &Pipeline, item: usize) -> BTreeMap<&str, &str> {
    let mut labels = BTreeMap::new();
    let demographics = pipeline.sources.iter().flat_map(|source| &source.demographics);
    for set in demographics.filter(|said| said.item == item).filter_map(|said| said.values.as_ref()) {
        for value in set.values.iter().filter(|value| value.state == RecordingState::Known) {
            let label = if value.label.is_empty() { &value.value } else { &value.label };
            labels.entry(value.value.as_str()).or_insert(label.as_str());
        }
    }
    labels
}

/// By values of which `number` gives each the number that it has, or the next one if it is new.
fn split<V: Copy>(
    name: &str,
    values: impl Iterator<Item = Option<V>>,
    mut number: impl FnMut(V, u32) -> u32,
    called: impl Fn(V) -> String,
) -> Result<Split> {
    let mut distinct: Vec<String> = Vec::new();
    let mut of_value = |value: V| {
        let next = distinct.len() as u32;
        let number = number(value, next);
        if number == next {
            distinct.push(called(value));
        }
        number
    };
    let of = values.map(|value| value.map(&mut of_value)).collect();
    named(name, of, &distinct.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Numbers of any values.
fn by_hash<V: Eq + Hash>() -> impl FnMut(V, u32) -> u32 {
    let mut numbers: HashMap<V, u32> = HashMap::new();
    move |value, next| *numbers.entry(value).or_insert(next)
}

/// Numbers of values below a limit.
fn by_table(limit: usize) -> impl FnMut(usize, u32) -> u32 {
    let mut numbers: Vec<Option<u32>> = vec![None; limit];
    move |value, next| *numbers[value].get_or_insert(next)
}

/// A split by the numbers of what groups are called.
fn named(name: &str, of: Vec<Option<u32>>, distinct: &[&str]) -> Result<Split> {
    let mut names: Vec<&str> = distinct.iter().copied().filter(|name| *name != NOT_RECORDED).collect();
    names.sort_by_key(|name| (name.parse::<i64>().map_or(i64::MAX, |number| number), *name));
    names.dedup();
    names.push(NOT_RECORDED);
    let too_many = |_| Error::Fault("more groups than an index holds".to_owned());
    let last = u32::try_from(names.len() - 1).map_err(too_many)?;
    let places: HashMap<&str, u32> = names.iter().copied().zip(0..).collect();
    let groups: Vec<u32> = distinct.iter().map(|name| places.get(name).copied().unwrap_or(last)).collect();
    let of = of.into_iter().map(|number| number.map_or(last, |number| groups[number as usize])).collect();
    Ok(Split { name: name.to_owned(), names: names.into_iter().map(str::to_owned).collect(), of })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everyone_is_in_one_group_and_not_recorded_is_one_of_them() -> Result<()> {
        let values = [Some("10"), None, Some("2"), Some("X"), Some("2"), None];
        let called = |value: &str| if value == "X" { "unknown area".to_owned() } else { value.to_owned() };
        let split = split("imd_decile", values.into_iter(), by_hash(), called)?;
        assert_eq!(split.names, ["2", "10", "unknown area", "not recorded"]);
        assert_eq!(*split.of, [1, 3, 0, 2, 0, 3]);
        assert_eq!(split.count(|_| true), [2, 1, 1, 2]);
        assert_eq!(split.count(|person| person < 2), [0, 1, 0, 1]);
        assert_eq!(split.among(&[0, 1, 9]), [0, 1, 0, 1]);
        Ok(())
    }

    #[test]
    fn a_table_and_hashes_make_the_same_groups() -> Result<()> {
        let values = || [Some(3), None, Some(0), Some(3), Some(1), Some(0)].into_iter();
        let called = |value: usize| format!("{}", value as i64 - 2);
        let by_table = split("number", values(), by_table(4), called)?;
        assert_eq!(by_table, split("number", values(), by_hash(), called)?);
        assert_eq!(
            (&by_table.names[..3], &*by_table.of),
            (&["-2", "-1", "1"].map(str::to_owned)[..], &[2, 3, 0, 2, 1, 0][..])
        );
        Ok(())
    }
}
