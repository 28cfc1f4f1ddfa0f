//! What every source says about a person.

use std::cmp::Reverse;
use std::ops::Range;
use std::sync::Arc;

use hashbrown::HashMap;

use super::heard::{Heard, HeardOfSource, Times};
use super::meaning::{self, Meaning, Meanings};
use super::places::Places;
use super::resolve::{Known, SideBySide};
use super::{ItemEvidence, RecordingState, Say, spine};
use crate::error::{Error, Result};
use crate::pipeline::{Demographic, Pipeline};
use crate::workers;

/// No known value.
const NONE: u32 = u32::MAX;

/// People of whom is gathered at once what was said first, so that looking up one does not wait for another.
const BLOCK: u32 = 512;

/// One delivered value of one person in one source, judged; a known value by its place among the item's sorted values.
#[derive(Debug, Clone, Copy)]
struct Said {
    source: u16,
    state: RecordingState,
    value: u32,
    times: Times,
}

/// One source that speaks of an item.
struct Speaker<'a> {
    source: u16,
    says: &'a Demographic,
    heard: &'a Heard,
    places: &'a Places,
    meanings: &'a [Meaning],
    /// By the number of a delivered value.
    judged: Vec<(RecordingState, u32)>,
    /// What was said first of each person of a block.
    told: Vec<Option<(u32, Times)>>,
    /// Person, number and times of what was said beyond the first; sorted, the next one last.
    further: Vec<(u32, u32, Times)>,
}

/// Resolves every item over the sources that speak of it, each person in turn: items side by side.
pub fn items(
    pipeline: &Pipeline,
    heard: &[HeardOfSource],
    meanings: &[Meanings],
    people: usize,
    workers: usize,
) -> Result<Vec<ItemEvidence>> {
    let people = u32::try_from(people).map_err(|_| spine::too_many())?;
    let item = |item: usize| {
        let mut speakers = Vec::new();
        for ((number, source), (heard, meanings)) in pipeline.sources.iter().enumerate().zip(heard.iter().zip(meanings))
        {
            let number = u16::try_from(number)
                .map_err(|_| Error::Fault("more sources than a 16-bit number counts".to_owned()))?;
            let says = source.demographics.iter().zip(heard.items.iter().zip(meanings));
            let of_item = says.filter(|(says, _)| says.item == item);
            speakers.extend(
                of_item.map(|(says, (said, meanings))| Speaker::new(number, says, said, &heard.people, meanings)),
            );
        }
        resolve(pipeline, item, speakers, people)
    };
    workers::each(workers, (0..pipeline.items.len()).collect(), item)
}

fn resolve(pipeline: &Pipeline, item: usize, mut speakers: Vec<Speaker>, people: u32) -> Result<ItemEvidence> {
    let declared = &pipeline.items[item];
    let values = values(&mut speakers);
    let expired_before = meaning::expired_before(declared, pipeline.as_of);
    let says = speakers.iter().map(|speaker| speaker.places.people().len()).sum();
    let mut evidence = ItemEvidence {
        says: Vec::with_capacity(says),
        resolved: Vec::with_capacity(people as usize),
        state: Vec::with_capacity(people as usize),
        ..ItemEvidence::default()
    };
    let place = |source| declared.order.iter().position(|index| *index == source).unwrap_or(usize::MAX);
    let orders: Vec<usize> = (0..pipeline.sources.len()).map(place).collect();
    let mut beside = SideBySide::new(values.len(), declared.decl.resolve);
    let (mut said, mut known): (Vec<Said>, Vec<Known>) = (Vec::new(), Vec::new());
    for person in 0..people {
        if person % BLOCK == 0 {
            speakers.iter_mut().for_each(|speaker| speaker.gather(person..people.min(person + BLOCK)));
        }
        said.clear();
        speakers.iter_mut().for_each(|speaker| speaker.tell(person, &mut said));
        let first = evidence.says.len();
        for of_source in said.chunk_by(|a, b| a.source == b.source) {
            evidence.says.extend(say(person, of_source, declared.decl.fixed, expired_before));
        }
        evidence.state.push(overall(&evidence.says[first..]));
        let mut values = said.iter().filter_map(Said::known);
        let value = values.next();
        evidence.resolved.push(match value {
            Some(first) if values.any(|value| value != first) => {
                known.clear();
                known.extend(said.iter().filter_map(|said| Known::of(said, &orders)));
                beside.differ(&known)
            }
            _ => value.inspect(|value| beside.agree(*value)),
        });
    }
    // Of an item with as many values as people, only how many would move is of use.
    let by_value = speakers.iter().any(|speaker| speaker.says.values.is_some());
    evidence.beside = beside.finish(if by_value { &values } else { &[] });
    evidence.values = values;
    Ok(evidence)
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
    fn new(source: u16, says: &'a Demographic, heard: &'a Heard, places: &'a Places, meanings: &'a [Meaning]) -> Self {
        let people = places.people();
        let further = heard.said.further().map(|(place, value, times)| (people[place as usize], value, times));
        let mut further: Vec<_> = further.collect();
        further.sort_unstable_by_key(|(person, value, _)| Reverse((*person, *value)));
        Self { source, says, heard, places, meanings, judged: Vec::new(), told: Vec::new(), further }
    }

    fn gather(&mut self, people: Range<u32>) {
        self.told.clear();
        let first = |person| self.places.of(person).and_then(|place| self.heard.said.first(place));
        self.told.extend(people.map(first));
    }

    /// Adds what is said of a person; people are asked for in ascending order.
    fn tell(&mut self, person: u32, said: &mut Vec<Said>) {
        let Some((number, times)) = self.told[(person % BLOCK) as usize] else { return };
        said.push(self.judge(number, times));
        while let Some((_, number, times)) = self.further.pop_if(|(of, ..)| *of == person) {
            said.push(self.judge(number, times));
        }
    }

    fn judge(&self, number: u32, times: Times) -> Said {
        let (state, value) = self.judged[number as usize];
        Said { source: self.source, state, value, times }
    }
}

impl Said {
    fn known(&self) -> Option<u32> {
        (self.value != NONE).then_some(self.value)
    }

    /// What a source says that never said anything else.
    fn alone(&self, person: u32, expired_before: Option<i32>) -> Say {
        let value = self.known();
        let date = value.and_then(|_| self.times.latest());
        let stale = date.zip(expired_before).is_some_and(|(day, limit)| day < limit);
        let state = if stale { RecordingState::Stale } else { self.state };
        Say { person, source: self.source, state, date, value, rows: self.times.rows }
    }
}

impl Known {
    fn of(said: &Said, orders: &[usize]) -> Option<Self> {
        Some(Self {
            source: said.source,
            order: orders[usize::from(said.source)],
            value: said.known()?,
            times: said.times,
        })
    }
}

/// What one source says of one person; a value that was last recorded before a day has expired.
fn say(person: u32, said: &[Said], fixed: bool, expired_before: Option<i32>) -> Option<Say> {
    let first = said.first()?;
    if said.len() == 1 {
        return Some(first.alone(person, expired_before));
    }
    let latest = said.iter().filter_map(|said| Some((said.times.latest(), said.known()?))).max();
    let other = |said: &Said| said.known().is_some_and(|value| Some(value) != latest.map(|(_, value)| value));
    let state = match latest {
        Some(_) if fixed && said.iter().any(other) => RecordingState::Conflicting,
        Some((Some(day), _)) if expired_before.is_some_and(|limit| day < limit) => RecordingState::Stale,
        _ => said.iter().map(|said| said.state).min()?,
    };
    Some(Say {
        person,
        source: first.source,
        state,
        date: latest.and_then(|(day, _)| day),
        value: latest.map(|(_, value)| value),
        rows: said.iter().map(|said| said.times.rows).sum(),
    })
}

/// A person's state over all sources; what has expired contradicts nothing.
fn overall(says: &[Say]) -> RecordingState {
    if let [only] = says {
        return only.state;
    }
    let fresh = |say: &&Say| matches!(say.state, RecordingState::Known | RecordingState::Conflicting);
    let mut values = says.iter().filter(fresh).filter_map(|say| say.value);
    let first = values.next();
    let differ = values.any(|value| Some(value) != first);
    if differ || says.iter().any(|say| say.state == RecordingState::Conflicting) {
        return RecordingState::Conflicting;
    }
    says.iter().map(|say| say.state).min().unwrap_or(RecordingState::Blank)
}
