//! What the table of all people tells of each feature.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use arrow::array::{ArrayRef, BooleanArray, BooleanBufferBuilder, Int64Array, Int64Builder};
use arrow::datatypes::DataType;

use super::newest::Far;
use super::plan::Plan;
use super::planned::{Kept, Planned};
use super::state::{Cell, latest_column};
use super::table::{PART, Part, Table};
use crate::columns::{joined, narrow};
use crate::error::Result;
use crate::pipeline::What;
use crate::workers;

/// People whose rows of the table are read at once.
const NEAR: usize = 128;

/// What the table tells of one feature.
pub struct Tabled {
    /// As narrow as they are; empty of a feature that is kept elsewhere.
    pub values: ArrayRef,
    /// The latest day by person, where it is asked for.
    pub latest: Option<Vec<Option<i32>>>,
}

/// The same of some people, as it grows.
struct Growing {
    values: Values,
    latest: Option<Vec<Option<i32>>>,
}

enum Values {
    None,
    Flags(BooleanBufferBuilder),
    /// Everyone has one.
    Counts(Vec<i64>),
    Numbers(Int64Builder),
    Latest(Vec<Option<(i32, Cell)>>),
}

impl Values {
    /// Adds the count of everyone; a flag is whether it is other than 0.
    fn count(&mut self, counts: impl Iterator<Item = u64>) {
        match self {
            Self::None => {}
            Self::Flags(flags) => counts.for_each(|count| flags.append(count != 0)),
            Self::Counts(known) => known.extend(counts.map(u64::cast_signed)),
            Self::Numbers(known) => counts.for_each(|count| known.append_value(count.cast_signed())),
            Self::Latest(_) => {}
        }
    }

    /// As values of a type; `categories` are the names on the feature's code list.
    fn finish(self, data_type: &DataType, categories: &[String]) -> Result<ArrayRef> {
        let made: ArrayRef = match self {
            Self::None => Arc::new(Int64Array::from(Vec::<i64>::new())),
            Self::Flags(mut flags) => Arc::new(BooleanArray::new(flags.finish(), None)),
            Self::Counts(counts) => Arc::new(Int64Array::from(counts)),
            Self::Numbers(mut numbers) => Arc::new(numbers.finish()),
            Self::Latest(latest) => latest_column(latest, data_type, categories)?,
        };
        narrow(&made)
    }
}

impl Plan<'_> {
    /// By planned feature, what the table tells, worked out by so many workers; rows are given back as they are told.
    pub(super) fn tabled(&self, table: Table, far: &Far, workers: usize) -> Result<Vec<Tabled>> {
        let (parts, widths) = table.into_parts();
        let parts = parts.into_iter().zip(workers::ranges(self.people, PART)).collect::<Vec<_>>();
        let mut parts =
            workers::each(workers, parts, |(part, people)| self.of(&part, widths, far, people.start, people.len()))?;
        if parts.is_empty() {
            parts.push(self.of(&Part::default(), widths, far, 0, 0)?);
        }
        let mut parts: Vec<_> = parts.into_iter().map(Vec::into_iter).collect();
        let whole = self.features.iter().map(|planned| {
            let of_feature = parts.iter_mut().filter_map(Iterator::next);
            let (mut values, mut latest) = (Vec::new(), self.tells_days(planned).then(Vec::new));
            for part in of_feature {
                values.push(part.values);
                if let (Some(latest), Some(part)) = (&mut latest, part.latest) {
                    latest.extend(part);
                }
            }
            Ok(Tabled { values: joined(&values)?, latest })
        });
        whole.collect()
    }

    /// Of some people: a few at a time, while their rows are near.
    fn of(
        &self,
        part: &Part,
        [words, latest]: [usize; 2],
        far: &Far,
        first: usize,
        count: usize,
    ) -> Result<Vec<Tabled>> {
        let mut growing: Vec<Growing> = self.features.iter().map(|planned| self.empty(planned, count)).collect();
        for near in workers::ranges(count, NEAR) {
            for (planned, growing) in self.features.iter().zip(&mut growing) {
                let rows = near.clone().map(|at| part.row(at, words));
                if let (Some(latest), Some(group)) = (&mut growing.latest, planned.latest) {
                    latest.extend(rows.clone().map(|row| self.groups[group].latest(row, planned.first_day)));
                }
                match (planned.kept, &mut growing.values) {
                    (Kept::Newest(newest), Values::Latest(values)) => {
                        let newest = &self.newest[newest];
                        let person = |at: usize| u32::try_from(first + at).unwrap_or(u32::MAX);
                        let value = |at: usize| newest.value(part.latest(at, latest), far, person(at));
                        let data_type = self.data_type(planned);
                        let cell = |(day, value)| (day, newest.cell(data_type, value));
                        values.extend(near.clone().map(|at| value(at).map(cell)));
                    }
                    (_, values) => self.tell(planned, rows, values),
                }
            }
        }
        let tabled = |(planned, Growing { values, mut latest }): (&Planned, Growing)| {
            if let (Values::Latest(values), Some(latest)) = (&values, &mut latest) {
                latest.extend(values.iter().map(|value| value.as_ref().map(|(day, _)| *day)));
            }
            Ok(Tabled { values: values.finish(self.data_type(planned), self.categories(planned))?, latest })
        };
        self.features.iter().zip(growing).map(tabled).collect()
    }

    /// Whether the table tells the latest day of a feature.
    fn tells_days(&self, planned: &Planned) -> bool {
        planned.latest.is_some() || (planned.dated && matches!(planned.kept, Kept::Newest(_)))
    }

    fn empty(&self, planned: &Planned, people: usize) -> Growing {
        let values = match (planned.kept, planned.events.what) {
            (Kept::State | Kept::Held, _) => Values::None,
            (Kept::Newest(_), _) => Values::Latest(Vec::with_capacity(people)),
            (_, What::Exists) => Values::Flags(BooleanBufferBuilder::new(people)),
            (_, What::DaysSince) => Values::Numbers(Int64Builder::with_capacity(people)),
            _ => Values::Counts(Vec::with_capacity(people)),
        };
        Growing { values, latest: self.tells_days(planned).then(|| Vec::with_capacity(people)) }
    }

    fn tell<'t>(&self, planned: &Planned, rows: impl Iterator<Item = &'t [AtomicU32]>, values: &mut Values) {
        let first = planned.first_day;
        match (planned.kept, values) {
            (Kept::Seen(seen), values) => {
                let (seen, wanted) = (&self.seen[seen], halves(planned.wanted_categories()));
                values.count(rows.map(|row| seen.count(row, &wanted).into()));
            }
            (Kept::Days(days), values) => values.count(rows.map(|row| self.days[days].count(row).into())),
            (Kept::Group(group), Values::Numbers(days)) => {
                let (group, as_of) = (&self.groups[group], i64::from(self.as_of));
                days.extend(rows.map(|row| group.latest(row, first).map(|day| as_of - i64::from(day))));
            }
            (Kept::Group(group), values @ Values::Flags(_)) => {
                let group = &self.groups[group];
                values.count(rows.map(|row| group.latest(row, first).is_some().into()));
            }
            (Kept::Group(group), values) => {
                let counts = self.groups[group].counts(first);
                values.count(
                    rows.map(|row| row[counts.clone()].iter().map(|count| u64::from(count.load(Relaxed))).sum()),
                );
            }
            (Kept::State | Kept::Held | Kept::Newest(_), _) => {}
        }
    }
}

/// Bits in words of half the width.
fn halves(words: &[u64]) -> Vec<u32> {
    words.iter().flat_map(|word| [*word as u32, (*word >> 32) as u32]).collect()
}
