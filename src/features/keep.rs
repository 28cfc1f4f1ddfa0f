//! Rows that measures look at one by one, kept while they pass by: who, when, until when, and two names.
//!
//! What is kept is in an order of its own, so that threads, files and batches change nothing.

use std::ops::Range;

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, TimestampSecondType};

use super::predicates::{Predicates, Remembered};
use crate::calendar;
use crate::conform::{Chunk, batch_days};
use crate::error::{Error, Result};
use crate::link::numbers::Numbers;
use crate::link::{Gone, Linked};
use crate::pipeline::Pipeline;
use crate::pipeline::measures::Watch;
use crate::workers;

/// A row that was kept. The order of the fields is the order of the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeptRow {
    /// Index into [`crate::link::People::tokens`]; from their number on, of someone who died or left ([`Gone`]).
    pub person: u32,
    /// Days since 1970-01-01, London.
    pub day: i32,
    /// Of the day, London; none where only the day is known.
    pub second: Option<i32>,
    /// The last day.
    pub end: Option<i32>,
    /// Indices into [`Kept::names`], which are sorted; 0 is none.
    pub labels: [u32; 2],
}

/// Everything that was kept.
#[derive(Debug, Default)]
pub struct Kept {
    /// By [`crate::pipeline::measures::Measures::watches`], each sorted.
    pub watches: Vec<Vec<KeptRow>>,
    /// The first is none; the others are sorted.
    pub names: Vec<String>,
    /// Who is no longer on the spine, alive or not, and did not object.
    pub gone: Gone,
    /// How many people are on the spine.
    pub people: u32,
}

/// What is kept of one source.
pub struct Keeping<'a> {
    /// Asked of the rows of the gone, too: so beside the predicates of those who are there.
    predicates: Predicates,
    /// Index into the watches, the number of the predicate, the first day.
    watches: Vec<(usize, &'a Watch, Option<usize>, i32)>,
    people: u32,
}

/// What one worker kept.
#[derive(Debug, Default)]
pub struct KeptOfSource {
    texts: Numbers,
    remembered: Remembered,
    rows: Vec<Vec<KeptRow>>,
}

impl<'a> Keeping<'a> {
    pub fn new(pipeline: &'a Pipeline, source: usize, people: usize) -> Result<Self> {
        let mut predicates = Predicates::new(&pipeline.sources[source]);
        let watches = pipeline.measures.watches.iter().enumerate().filter(|(_, watch)| watch.source == source);
        let watches = watches.map(|(at, watch)| {
            let first = watch.window.first_day(pipeline.as_of).map_or(i32::MIN, calendar::epoch_days);
            Ok((at, watch, watch.filter.as_ref().map(|sql| predicates.number(sql)).transpose()?, first))
        });
        let people =
            u32::try_from(people).map_err(|_| Error::Resources("more people than can be numbered".to_owned()))?;
        let watches = watches.collect::<Result<_>>()?;
        Ok(Self { predicates, watches, people })
    }

    pub fn memory(&self) -> KeptOfSource {
        KeptOfSource {
            texts: Numbers::default(),
            remembered: self.predicates.memory(),
            rows: vec![Vec::new(); self.watches.len()],
        }
    }

    pub fn keep(&self, memory: &mut KeptOfSource, chunk: &Chunk, linked: &Linked) -> Result<()> {
        if self.watches.is_empty() {
            return Ok(());
        }
        let all = self.with_the_gone(linked);
        let masks = self.predicates.masks(&mut memory.remembered, chunk, &all)?;
        let seconds = chunk.batch.column_by_name("date").and_then(seconds);
        let ends = chunk.batch.column_by_name("end").map(batch_days);
        for ((_, watch, filter, first), kept) in self.watches.iter().zip(&mut memory.rows) {
            let mask = filter.map(|filter| &masks[filter]);
            let texts = |column: Option<usize>| -> Result<Option<StringArray>> {
                let Some(column) = column else { return Ok(None) };
                Ok(Some(cast(chunk.batch.column(column), &DataType::Utf8)?.as_string::<i32>().clone()))
            };
            let columns = [texts(watch.labels[0])?, texts(watch.labels[1])?];
            for (at, ((&row, &person), &day)) in all.rows.iter().zip(&all.persons).zip(&all.days).enumerate() {
                let Some(day) = day.filter(|day| day >= first) else { continue };
                if mask.is_some_and(|mask| !mask.value(at)) {
                    continue;
                }
                let row = row as usize;
                let mut label = |texts: &Option<StringArray>| {
                    let text = texts.as_ref().filter(|texts| texts.is_valid(row)).map(|texts| texts.value(row));
                    memory.texts.of(text)
                };
                let labels = [label(&columns[0]), label(&columns[1])];
                let second = seconds.as_ref().and_then(|seconds| seconds[row]);
                kept.push(KeptRow { person, day, second, end: ends.as_ref().and_then(|ends| ends[row]), labels });
            }
        }
        Ok(())
    }

    /// The rows of people on the spine, and of those who died or left, whose numbers begin behind; in the order of rows.
    fn with_the_gone(&self, linked: &Linked) -> Linked {
        let used = linked.rows.iter().zip(&linked.persons).zip(&linked.days);
        let used = used.map(|((&row, &person), &day)| (row, person, day));
        let gone = linked.gone.iter().map(|&(row, number, day)| (row, self.people.saturating_add(number), day));
        let mut all: Vec<(u32, u32, Option<i32>)> = used.chain(gone).collect();
        all.sort_unstable_by_key(|(row, ..)| *row);
        let mut linked = Linked::default();
        for (row, person, day) in all {
            linked.rows.push(row);
            linked.persons.push(person);
            linked.days.push(day);
        }
        linked
    }

    /// Adds what the workers of this source kept.
    pub fn add(&self, kept: &mut Keeper, memory: KeptOfSource) {
        let numbers = kept.texts.translate(&memory.texts);
        for ((watch, ..), rows) in self.watches.iter().zip(memory.rows) {
            let Some(mine) = kept.watches.get_mut(*watch) else { continue };
            mine.extend(
                rows.into_iter().map(|row| KeptRow { labels: row.labels.map(|label| numbers[label as usize]), ..row }),
            );
        }
    }
}

/// What is kept of all sources, not yet in order.
pub struct Keeper {
    watches: Vec<Vec<KeptRow>>,
    texts: Numbers,
}

impl Keeper {
    pub fn new(pipeline: &Pipeline) -> Self {
        Self { watches: vec![Vec::new(); pipeline.measures.watches.len()], texts: Numbers::default() }
    }

    /// Names by their order, rows by theirs, put into it by so many workers.
    pub fn finish(self, gone: Gone, people: usize, workers: usize) -> Result<Kept> {
        let by_number = self.texts.map(String::new(), str::to_owned);
        let mut names = by_number.clone();
        names.sort_unstable();
        let place = |name: &String| u32::try_from(names.partition_point(|other| other < name)).unwrap_or_default();
        let place: Vec<u32> = by_number.iter().map(place).collect();
        let watches = workers::each(workers, self.watches, |mut rows| {
            rows.iter_mut().for_each(|row| row.labels = row.labels.map(|label| place[label as usize]));
            rows.sort_unstable();
            Ok(rows)
        })?;
        Ok(Kept { watches, names, gone, people: u32::try_from(people).unwrap_or(u32::MAX) })
    }
}

impl Kept {
    /// The rows of a watch.
    pub fn rows(&self, watch: usize) -> &[KeptRow] {
        self.watches.get(watch).map(Vec::as_slice).unwrap_or_default()
    }

    /// The rows of a watch that are about one person.
    pub fn of(&self, watch: usize, person: u32) -> &[KeptRow] {
        self.of_people(watch, &(person..person.saturating_add(1)))
    }

    /// The rows of a watch that are about some people.
    pub fn of_people(&self, watch: usize, people: &Range<u32>) -> &[KeptRow] {
        let rows = self.rows(watch);
        let from = rows.partition_point(|row| row.person < people.start);
        let to = rows.partition_point(|row| row.person < people.end);
        rows.get(from..to).unwrap_or_default()
    }

    /// How much of a row lies from one day up to another: its days, or the row itself where it begins within them.
    ///
    /// Nobody stays in hospital after the day on which they died, even where no discharge was recorded.
    pub fn amount(&self, row: &KeptRow, days: bool, from: i32, to: i32) -> f64 {
        if !days {
            return f64::from(u8::from((from..to).contains(&row.day)));
        }
        let died = row.person.checked_sub(self.people).and_then(|number| self.gone.died(number));
        let to = died.map_or(to, |died| to.min(died));
        f64::from((row.end.unwrap_or(to).min(to) - row.day.max(from)).max(0))
    }

    pub fn name(&self, label: u32) -> Option<&str> {
        self.names.get(label as usize).map(String::as_str).filter(|_| label > 0)
    }
}

/// The second of the day of each value of a datetime column; none of dates.
fn seconds(column: &ArrayRef) -> Option<Vec<Option<i32>>> {
    let seconds = column.as_primitive_opt::<TimestampSecondType>()?;
    Some(seconds.iter().map(|value| value.and_then(|value| i32::try_from(value.rem_euclid(86_400)).ok())).collect())
}
