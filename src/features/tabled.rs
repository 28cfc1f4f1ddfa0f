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
const NEAR: usize = 512;

/// People whose numbers are held as wide as they grow, before they are made narrow.
const PART: usize = 64 * NEAR;

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
    Numbers(Int64Builder),
}

impl Values {
    /// Adds numbers; a flag is whether there is one other than 0.
    fn extend(&mut self, numbers: impl Iterator<Item = Option<i64>>) {
        match self {
            Self::None => {}
            Self::Flags(flags) => numbers.for_each(|number| flags.append(number.is_some_and(|number| number != 0))),
            Self::Numbers(known) => numbers.for_each(|number| known.append_option(number)),
        }
    }

    fn finish(self) -> Result<ArrayRef> {
        let made: ArrayRef = match self {
            Self::None => Arc::new(Int64Array::from(Vec::<i64>::new())),
            Self::Flags(mut flags) => Arc::new(BooleanArray::new(flags.finish(), None)),
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
            _ => Values::Numbers(Int64Builder::with_capacity(people)),
        };
        Growing { values, latest: planned.latest.map(|_| Vec::with_capacity(people)) }
    }

    fn tell<'t>(&self, planned: &Planned, rows: impl Iterator<Item = &'t [u32]>, values: &mut Values) {
        let first = planned.first_day;
        match (planned.kept, planned.events.what) {
            (Kept::Seen(seen), _) => {
                let (seen, wanted) = (&self.seen[seen], halves(planned.wanted_categories()));
                values.extend(rows.map(|row| Some(seen.count(row, &wanted).into())));
            }
            (Kept::Days(days), _) => values.extend(rows.map(|row| Some(self.days[days].count(row).into()))),
            (Kept::Group(group), What::Exists) => {
                let group = &self.groups[group];
                values.extend(rows.map(|row| group.latest(row, first).map(|_| 1)));
            }
            (Kept::Group(group), What::DaysSince) => {
                let (group, as_of) = (&self.groups[group], i64::from(self.as_of));
                values.extend(rows.map(|row| group.latest(row, first).map(|day| as_of - i64::from(day))));
            }
            (Kept::Group(group), _) => {
                let counts = self.groups[group].counts(first);
                values.extend(rows.map(|row| Some(row[counts.clone()].iter().map(|count| i64::from(*count)).sum())));
            }
            (Kept::State | Kept::Held, _) => {}
        }
    }
}

/// Bits in words of half the width.
fn halves(words: &[u64]) -> Vec<u32> {
    words.iter().flat_map(|word| [*word as u32, (*word >> 32) as u32]).collect()
}
