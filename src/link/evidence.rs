//! What every source says about a person.

use std::ops::Range;
use std::sync::Arc;

use hashbrown::HashMap;

use super::gathered::{BLOCK, Gathered, NONE, Said, overall, say};
use super::heard::{Ear, HeardOfSource};
use super::meaning::{self, Meaning, Meanings};
use super::places::Times;
use super::resolve::{Known, SideBySide};
use super::{ItemEvidence, RecordingState, Say, spine};
use crate::error::{Error, Result};
use crate::pipeline::{Demographic, Item, Pipeline};
use crate::workers;

/// People who are resolved by one worker.
const PART: u32 = 1 << 14;

/// One source that speaks of an item.
struct Speaker<'a> {
    source: u16,
    says: &'a Demographic,
    /// Index into the demographics of the source.
    column: usize,
    ears: &'a [Ear],
    meanings: &'a [Meaning],
    /// By the number of a delivered value.
    judged: Vec<(RecordingState, u32)>,
    /// Person, number and times of what the ears hold beyond one value each; sorted.
    further: Vec<(u32, u32, Times)>,
}

/// One item, with all that is needed to resolve it for anyone.
struct Topic<'a> {
    item: &'a Item,
    speakers: Vec<Speaker<'a>>,
    /// Known values, sorted.
    values: Vec<Arc<str>>,
    expired_before: Option<i32>,
    /// By source: its place in the order of the item.
    orders: Vec<usize>,
}

/// What is resolved of an item for some people, one after the other.
struct Resolved {
    says: Vec<Say>,
    resolved: Vec<Option<u32>>,
    state: Vec<RecordingState>,
    /// By speaker: how many of the further ones were told.
    told: Vec<usize>,
}

/// Resolves every item over the sources that speak of it, each person in turn: some people beside others.
pub fn items(
    pipeline: &Pipeline,
    heard: &[HeardOfSource],
    meanings: &[Meanings],
    people: usize,
    workers: usize,
) -> Result<Vec<ItemEvidence>> {
    let topic = |item: usize| Topic::new(pipeline, item, heard, meanings);
    let topics = workers::each(workers, (0..pipeline.items.len()).collect(), topic)?;
    let people = u32::try_from(people).map_err(|_| spine::too_many())?;
    let parts = (0..people).step_by(PART as usize).map(|first| first..people.min(first.saturating_add(PART)));
    let new = || (topics.iter().map(Topic::side_by_side).collect(), Vec::new());
    type Worker = (Vec<SideBySide>, Vec<(u32, Vec<Resolved>)>);
    let made = workers::share(workers, parts.collect(), new, |(beside, parts): &mut Worker, people: Range<u32>| {
        parts.push((people.start, resolve(&topics, heard, people, beside)));
        Ok(())
    })?;
    let mut beside: Vec<SideBySide> = topics.iter().map(Topic::side_by_side).collect();
    let mut parts = Vec::new();
    for (of_worker, made) in made {
        beside.iter_mut().zip(&of_worker).for_each(|(all, some)| all.add(some));
        parts.extend(made);
    }
    parts.sort_unstable_by_key(|(first, _)| *first);
    let says = |item: usize| parts.iter().filter_map(|(_, part)| part.get(item)).map(|part| part.says.len()).sum();
    let empty = |item: usize| ItemEvidence {
        says: Vec::with_capacity(says(item)),
        resolved: Vec::with_capacity(people as usize),
        state: Vec::with_capacity(people as usize),
        ..ItemEvidence::default()
    };
    let mut evidence: Vec<ItemEvidence> = (0..topics.len()).map(empty).collect();
    for (_, part) in parts {
        for (part, evidence) in part.into_iter().zip(&mut evidence) {
            evidence.says.extend(part.says);
            evidence.resolved.extend(part.resolved);
            evidence.state.extend(part.state);
        }
    }
    for (topic, (evidence, beside)) in topics.into_iter().zip(evidence.iter_mut().zip(beside)) {
        // Of an item with as many values as people, only how many would move is of use.
        let by_value = topic.speakers.iter().any(|speaker| speaker.says.values.is_some());
        evidence.beside = beside.finish(if by_value { &topic.values } else { &[] });
        evidence.values = topic.values;
    }
    Ok(evidence)
}

/// People of a block of whom an ear heard: their number in the block, and their place.
type Present = Vec<(u32, u32)>;

/// Every item for some people: a few at a time, while what was said of them is near.
fn resolve(topics: &[Topic], heard: &[HeardOfSource], people: Range<u32>, beside: &mut [SideBySide]) -> Vec<Resolved> {
    let mut resolved: Vec<Resolved> = topics.iter().map(|topic| topic.nothing(&people)).collect();
    // By source and ear.
    let mut present: Vec<Vec<Present>> = heard.iter().map(|of| vec![Vec::new(); of.ears.len()]).collect();
    let mut gathered = Gathered::new();
    for first in people.clone().step_by(BLOCK) {
        let block = first..people.end.min(first.saturating_add(BLOCK as u32));
        for (present, heard) in present.iter_mut().zip(heard) {
            for (present, ear) in present.iter_mut().zip(&heard.ears) {
                let place = |(at, person)| Some((at, ear.people.of(person)?));
                present.clear();
                present.extend((0..).zip(block.clone()).filter_map(place));
                ear.said.near(present.iter().map(|(_, place)| *place));
            }
        }
        for (topic, (resolved, beside)) in topics.iter().zip(resolved.iter_mut().zip(&mut *beside)) {
            gathered.said.clear();
            for (speaker, told) in topic.speakers.iter().zip(&mut resolved.told) {
                speaker.tell(&block, &present[usize::from(speaker.source)], told, &mut gathered.said);
            }
            gathered.sort();
            topic.resolve(block.clone(), &gathered, resolved, beside);
        }
    }
    resolved
}

impl<'a> Topic<'a> {
    fn new(pipeline: &'a Pipeline, item: usize, heard: &'a [HeardOfSource], meanings: &'a [Meanings]) -> Result<Self> {
        let declared = &pipeline.items[item];
        let mut speakers = Vec::new();
        for ((number, source), (heard, meanings)) in pipeline.sources.iter().enumerate().zip(heard.iter().zip(meanings))
        {
            let number = u16::try_from(number)
                .map_err(|_| Error::Fault("more sources than a 16-bit number counts".to_owned()))?;
            let says = source.demographics.iter().zip(meanings).enumerate().filter(|(_, (says, _))| says.item == item);
            let speaker = |(column, (says, meanings)): (usize, (&'a Demographic, &'a Vec<Meaning>))| {
                Speaker::new(number, says, column, &heard.ears, meanings)
            };
            speakers.extend(says.map(speaker));
        }
        let values = values(&mut speakers);
        let place = |source| declared.order.iter().position(|index| *index == source).unwrap_or(usize::MAX);
        Ok(Self {
            item: declared,
            speakers,
            values,
            expired_before: meaning::expired_before(declared, pipeline.as_of),
            orders: (0..pipeline.sources.len()).map(place).collect(),
        })
    }

    fn side_by_side(&self) -> SideBySide {
        SideBySide::new(self.values.len(), self.item.decl.resolve)
    }

    fn nothing(&self, people: &Range<u32>) -> Resolved {
        let told = |speaker: &Speaker| speaker.further.partition_point(|(person, ..)| *person < people.start);
        Resolved {
            says: Vec::with_capacity(people.len() * self.speakers.len().min(2)),
            resolved: Vec::with_capacity(people.len()),
            state: Vec::with_capacity(people.len()),
            told: self.speakers.iter().map(told).collect(),
        }
    }

    fn resolve(&self, block: Range<u32>, gathered: &Gathered, resolved: &mut Resolved, beside: &mut SideBySide) {
        let mut known: Vec<Known> = Vec::new();
        for (at, person) in block.enumerate() {
            let said = gathered.of(at);
            let first = resolved.says.len();
            for of_source in said.chunk_by(|a, b| a.source == b.source) {
                resolved.says.extend(say(person, of_source, self.item.decl.fixed, self.expired_before));
            }
            resolved.state.push(overall(&resolved.says[first..]));
            let mut values = said.iter().filter_map(Said::known);
            let value = values.next();
            resolved.resolved.push(match value {
                Some(first) if values.any(|value| value != first) => {
                    known.clear();
                    known.extend(said.iter().filter_map(|said| said.among(&self.orders)));
                    beside.differ(&known)
                }
                _ => value.inspect(|value| beside.agree(*value)),
            });
        }
    }
}

/// The item's known values, sorted; every speaker's delivered values are judged by their places.
fn values(speakers: &mut [Speaker]) -> Vec<Arc<str>> {
    let mut numbers: HashMap<Arc<str>, u32> = HashMap::new();
    for (_, value) in speakers.iter().flat_map(|speaker| speaker.meanings) {
        if let Some(value) = value.as_ref().filter(|value| !numbers.contains_key(*value)) {
            numbers.insert(Arc::clone(value), NONE);
        }
    }
    let mut values: Vec<Arc<str>> = numbers.keys().cloned().collect();
    values.sort_unstable();
    for (value, place) in values.iter().zip(0..) {
        numbers.insert(Arc::clone(value), place);
    }
    for speaker in speakers {
        let place = |value: &Arc<str>| numbers.get(value).copied();
        let judged =
            speaker.meanings.iter().map(|(state, value)| (*state, value.as_ref().and_then(place).unwrap_or(NONE)));
        speaker.judged = judged.collect();
    }
    values
}

impl<'a> Speaker<'a> {
    fn new(source: u16, says: &'a Demographic, column: usize, ears: &'a [Ear], meanings: &'a [Meaning]) -> Self {
        let mut further: Vec<_> = ears
            .iter()
            .flat_map(|ear| {
                let people = ear.people.people();
                let of_person = move |(place, own, times)| (people[place as usize], ear.value(column, own), times);
                ear.said.further(column).map(of_person)
            })
            .collect();
        further.sort_unstable_by_key(|(person, value, _)| (*person, *value));
        Self { source, says, column, ears, meanings, judged: Vec::new(), further }
    }

    /// Adds what is said of the people of a block, each with their number in it; blocks are asked for in ascending order.
    fn tell(&self, block: &Range<u32>, present: &[Present], told: &mut usize, said: &mut Vec<(u32, Said)>) {
        for (ear, present) in self.ears.iter().zip(present) {
            for &(at, place) in present {
                if let Some((own, times)) = ear.said.first(place, self.column) {
                    said.push((at, self.judge(ear.value(self.column, own), times)));
                }
            }
        }
        while let Some((person, number, times)) = self.further.get(*told).filter(|(of, ..)| *of < block.end) {
            said.push((person - block.start, self.judge(*number, *times)));
            *told += 1;
        }
    }

    fn judge(&self, number: u32, times: Times) -> Said {
        let (state, value) = self.judged[number as usize];
        Said { source: self.source, state, value, times }
    }
}
