//! What every source says about a person.

use std::ops::Range;
use std::sync::Arc;

use hashbrown::HashMap;

use super::gathered::{BLOCK, Gathered, Said, agreed, overall, say, states};
use super::heard::{Ear, HeardOfSource};
use super::meaning::{self, Meaning, Meanings};
use super::places::Times;
use super::resolve::{Known, SideBySide};
use super::{ItemEvidence, NO_VALUE, RecordingState, Say, spine};
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
    /// By ear, and by its own number of a delivered value.
    judged: Vec<Vec<(RecordingState, u32)>>,
    /// By person.
    further: Vec<Further>,
}

/// What an ear holds of a person beyond one value.
struct Further {
    person: u32,
    ear: usize,
    own: u32,
    times: Times,
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

/// Where what is resolved of an item is written for some people, one after the other.
struct Part<'a> {
    won: &'a mut [u32],
    state: &'a mut [RecordingState],
    open: Vec<Say>,
    /// By speaker: how many of the further ones were told.
    told: Vec<usize>,
}

/// What one worker counts of each item, and what it found open: the first person, then by item.
type Worker = (Vec<SideBySide>, Vec<(u32, Vec<Vec<Say>>)>);

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
    let count = u32::try_from(people).map_err(|_| spine::too_many())?;
    let nothing = |_: &Topic| ItemEvidence {
        won: vec![NO_VALUE; people],
        state: vec![RecordingState::Blank; people],
        ..ItemEvidence::default()
    };
    let mut evidence: Vec<ItemEvidence> = topics.iter().map(nothing).collect();
    let mut parts: Vec<(Range<u32>, Vec<Part>)> = (0..count)
        .step_by(PART as usize)
        .map(|first| (first..count.min(first.saturating_add(PART)), Vec::with_capacity(topics.len())))
        .collect();
    for (topic, evidence) in topics.iter().zip(&mut evidence) {
        let written = evidence.won.chunks_mut(PART as usize).zip(evidence.state.chunks_mut(PART as usize));
        for ((people, parts), (won, state)) in parts.iter_mut().zip(written) {
            parts.push(Part { won, state, open: Vec::new(), told: topic.told(people) });
        }
    }
    let new = || (topics.iter().map(Topic::side_by_side).collect(), Vec::new());
    let workers = workers::share(workers, parts, new, |(beside, open): &mut Worker, (people, mut parts)| {
        resolve(&topics, heard, &people, &mut parts, beside);
        open.push((people.start, parts.into_iter().map(|part| part.open).collect()));
        Ok(())
    })?;
    let (beside, open): (Vec<_>, Vec<_>) = workers.into_iter().unzip();
    let mut open: Vec<(u32, Vec<Vec<Say>>)> = open.into_iter().flatten().collect();
    open.sort_unstable_by_key(|(first, _)| *first);
    for (item, evidence) in evidence.iter_mut().enumerate() {
        evidence.open = open.iter_mut().map(|(_, says)| std::mem::take(&mut says[item])).collect::<Vec<_>>().concat();
    }
    let mut total: Vec<SideBySide> = topics.iter().map(Topic::side_by_side).collect();
    for beside in beside {
        total.iter_mut().zip(&beside).for_each(|(all, some)| all.add(some));
    }
    for (topic, (evidence, mut beside)) in topics.into_iter().zip(evidence.iter_mut().zip(total)) {
        // Of an item with as many values as people, only how many would move is of use.
        let by_value = topic.speakers.iter().any(|speaker| speaker.says.values.is_some());
        (evidence.by_source, evidence.pairs) = beside.of_sources();
        evidence.beside = beside.finish(if by_value { &topic.values } else { &[] });
        evidence.values = topic.values;
    }
    Ok(evidence)
}

/// People of a block of whom an ear heard: their number in the block, and their place.
type Present = Vec<(u32, u32)>;

/// Every item for some people: a few at a time, while what was said of them is near.
#[inline(never)] // its instructions are counted (benches/instructions.py)
fn resolve(
    topics: &[Topic],
    heard: &[HeardOfSource],
    people: &Range<u32>,
    parts: &mut [Part],
    beside: &mut [SideBySide],
) {
    // By source and ear, of sources that say something.
    let ears = |of: &'_ HeardOfSource| if of.items.is_empty() { 0 } else { of.ears.len() };
    let mut present: Vec<Vec<Present>> = heard.iter().map(|of| vec![Vec::new(); ears(of)]).collect();
    let mut gathered = Gathered::new();
    for first in people.clone().step_by(BLOCK) {
        let block = first..people.end.min(first.saturating_add(BLOCK as u32));
        for (present, ear) in present.iter_mut().zip(heard).flat_map(|(present, of)| present.iter_mut().zip(&of.ears)) {
            let place = |(at, person)| Some((at, ear.people.of(person)?));
            present.clear();
            present.extend((0..).zip(block.clone()).filter_map(place));
            ear.said.near(present.iter().map(|(_, place)| *place));
        }
        for (topic, (part, beside)) in topics.iter().zip(parts.iter_mut().zip(&mut *beside)) {
            gathered.said.clear();
            for (speaker, told) in topic.speakers.iter().zip(&mut part.told) {
                speaker.tell(&block, &present[usize::from(speaker.source)], told, &mut gathered.said);
            }
            gathered.sort();
            topic.resolve(block.clone(), (first - people.start) as usize, &gathered, part, beside);
        }
    }
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
        SideBySide::new(self.values.len(), self.orders.len(), self.item.decl.resolve)
    }

    /// By speaker: how many of the further ones are of people before these.
    fn told(&self, people: &Range<u32>) -> Vec<usize> {
        let told = |speaker: &Speaker| speaker.further.partition_point(|further| further.person < people.start);
        self.speakers.iter().map(told).collect()
    }

    /// Resolves the item for a block of people, who stand at `from` and after in their part.
    fn resolve(&self, block: Range<u32>, from: usize, gathered: &Gathered, part: &mut Part, beside: &mut SideBySide) {
        let (mut says, mut by_source): (Vec<Say>, Vec<_>) = (Vec::new(), Vec::new());
        for (at, person) in block.enumerate() {
            let said = gathered.of(at);
            if let [only] = said {
                let say = only.alone(person, self.expired_before);
                part.state[from + at] = say.state;
                part.won[from + at] = beside.hear_only(&say, only.known());
                if say.state != RecordingState::Known {
                    part.open.push(say);
                }
                continue;
            }
            if let Some(value) = agreed(said, self.expired_before) {
                part.state[from + at] = RecordingState::Known;
                part.won[from + at] = value;
                states(said, &mut by_source);
                beside.hear_agreed(&by_source, value);
                continue;
            }
            if said.is_empty() {
                continue;
            }
            says.clear();
            for of_source in said.chunk_by(|a, b| a.source == b.source) {
                says.extend(say(person, of_source, self.item.decl.fixed, self.expired_before));
            }
            beside.hear(&says);
            let state = overall(&says);
            part.state[from + at] = state;
            if state != RecordingState::Known {
                part.open.extend_from_slice(&says);
            }
            part.won[from + at] = self.winner(said, beside).unwrap_or(NO_VALUE);
        }
    }

    /// The value that wins, by its place.
    fn winner(&self, said: &[Said], beside: &mut SideBySide) -> Option<u32> {
        let mut values = said.iter().filter_map(Said::known);
        let first = values.next()?;
        if values.all(|value| value == first) {
            beside.agree(first);
            return Some(first);
        }
        let known: Vec<Known> = said.iter().filter_map(|said| said.among(&self.orders)).collect();
        beside.differ(&known)
    }
}

/// The item's known values, sorted; every speaker's delivered values are judged by their places.
fn values(speakers: &mut [Speaker]) -> Vec<Arc<str>> {
    let mut numbers: HashMap<Arc<str>, u32> = HashMap::new();
    for (_, value) in speakers.iter().flat_map(|speaker| speaker.meanings) {
        if let Some(value) = value.as_ref().filter(|value| !numbers.contains_key(*value)) {
            numbers.insert(Arc::clone(value), NO_VALUE);
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
            speaker.meanings.iter().map(|(state, value)| (*state, value.as_ref().and_then(place).unwrap_or(NO_VALUE)));
        let judged: Vec<(RecordingState, u32)> = judged.collect();
        let of_ear = |ear: &Ear| {
            let values = ear.values(speaker.column, judged.len()).into_iter();
            values.map(|number| judged[number as usize]).collect()
        };
        speaker.judged = speaker.ears.iter().map(of_ear).collect();
    }
    values
}

impl<'a> Speaker<'a> {
    fn new(source: u16, says: &'a Demographic, column: usize, ears: &'a [Ear], meanings: &'a [Meaning]) -> Self {
        let each = ears.iter().enumerate().flat_map(|(number, ear)| {
            let people = ear.people.people();
            let of_person = move |(place, own, times): (u32, u32, Times)| Further {
                person: people[place as usize],
                ear: number,
                own,
                times,
            };
            ear.said.further(column).map(of_person)
        });
        let mut further: Vec<Further> = each.collect();
        further.sort_unstable_by_key(|further| (further.person, further.ear, further.own));
        Self { source, says, column, ears, meanings, judged: Vec::new(), further }
    }

    /// Adds what is said of the people of a block, each with their number in it; blocks are asked for in ascending order.
    fn tell(&self, block: &Range<u32>, present: &[Present], told: &mut usize, said: &mut Vec<(u32, Said)>) {
        for ((ear, judged), present) in self.ears.iter().zip(&self.judged).zip(present) {
            let firsts = present.iter().filter_map(|&(at, place)| Some((at, ear.said.first(place, self.column)?)));
            said.extend(firsts.map(|(at, (own, times))| (at, self.said(judged[own as usize], times))));
        }
        while let Some(further) = self.further.get(*told).filter(|further| further.person < block.end) {
            let judged = self.judged[further.ear][further.own as usize];
            said.push((further.person - block.start, self.said(judged, further.times)));
            *told += 1;
        }
    }

    fn said(&self, (state, value): (RecordingState, u32), times: Times) -> Said {
        Said { source: self.source, state, value, times }
    }
}
