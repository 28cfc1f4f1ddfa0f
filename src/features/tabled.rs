//! What the table of all people tells of each feature.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, BooleanBufferBuilder, Int64Array, Int64Builder};

use super::plan::Plan;
use super::planned::{Kept, Planned};
use super::slots::Table;
use crate::columns::{joined, narrow};
use crate::error::Result;
use crate::pipeline::What;
use crate::workers;

/// People whose rows of the table are read at once.
const NEAR: usize = 128;

/// People whose numbers are held as wide as they grow, before they are made narrow.
const PART: usize = 256 * NEAR;

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

impl Growing {
    fn finish(self) -> Result<Tabled> {
        Ok(Tabled { values: self.values.finish()?, latest: self.latest })
    }
}

enum Values {
    None,
    Flags(BooleanBufferBuilder),
    /// Everyone has one.
    Counts(Vec<i64>),
    Numbers(Int64Builder),
}

impl Values {
    /// Adds the count of everyone; a flag is whether it is other than 0.
    fn count(&mut self, counts: impl Iterator<Item = u64>) {
        match self {
            Self::None => {}
            Self::Flags(flags) => counts.for_each(|count| flags.append(count != 0)),
            Self::Counts(known) => known.extend(counts.map(u64::cast_signed)),
            Self::Numbers(known) => counts.for_each(|count| known.append_value(count.cast_signed())),
        }
    }

    fn finish(self) -> Result<ArrayRef> {
        let made: ArrayRef = match self {
            Self::None => Arc::new(Int64Array::from(Vec::<i64>::new())),
            Self::Flags(mut flags) => Arc::new(BooleanArray::new(flags.finish(), None)),
            Self::Counts(counts) => Arc::new(Int64Array::from(counts)),
            Self::Numbers(mut numbers) => Arc::new(numbers.finish()),
        };
        narrow(&made)
    }
}

impl Plan<'_> {
    /// By planned feature, what the table tells, worked out by so many workers.
    pub(super) fn tabled(&self, table: &Table, workers: usize) -> Result<Vec<Tabled>> {
        let mut parts = workers::ranges(self.people, PART);
        if parts.is_empty() {
            parts.push(0..0);
        }
        let parts = workers::each(workers, parts, |people| self.of(table, people))?;
        let mut parts: Vec<_> = parts.into_iter().map(Vec::into_iter).collect();
        let whole = self.features.iter().map(|planned| {
            let of_feature = parts.iter_mut().filter_map(Iterator::next);
            let (mut values, mut latest) = (Vec::new(), planned.latest.map(|_| Vec::new()));
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
    fn of(&self, table: &Table, people: Range<usize>) -> Result<Vec<Tabled>> {
        let mut growing: Vec<Growing> = self.features.iter().map(|planned| self.empty(planned, people.len())).collect();
        for near in workers::ranges(people.len(), NEAR) {
            for (planned, growing) in self.features.iter().zip(&mut growing) {
                let rows = near.clone().map(|at| table.row(people.start + at));
                if let (Some(latest), Some(group)) = (&mut growing.latest, planned.latest) {
                    latest.extend(rows.clone().map(|row| self.groups[group].latest(row, planned.first_day)));
                }
                self.tell(planned, rows, &mut growing.values);
            }
        }
        growing.into_iter().map(Growing::finish).collect()
    }

    fn empty(&self, planned: &Planned, people: usize) -> Growing {
        let values = match (planned.kept, planned.events.what) {
            (Kept::State | Kept::Held, _) => Values::None,
            (_, What::Exists) => Values::Flags(BooleanBufferBuilder::new(people)),
            (_, What::DaysSince) => Values::Numbers(Int64Builder::with_capacity(people)),
            _ => Values::Counts(Vec::with_capacity(people)),
        };
        Growing { values, latest: planned.latest.map(|_| Vec::with_capacity(people)) }
    }

    fn tell<'t>(&self, planned: &Planned, rows: impl Iterator<Item = &'t [u32]>, values: &mut Values) {
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
                values.count(rows.map(|row| row[counts.clone()].iter().map(|count| u64::from(*count)).sum()));
            }
            (Kept::State | Kept::Held, _) => {}
        }
    }
}

/// Bits in words of half the width.
fn halves(words: &[u64]) -> Vec<u32> {
    words.iter().flat_map(|word| [*word as u32, (*word >> 32) as u32]).collect()
}
