//! The latest value of each person in one number: the day, and behind it the value, so that the greatest is the latest.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Date32Array, Decimal128Array, Int64Array};
use arrow::datatypes::{DataType, Date32Type, Decimal128Type, Int64Type};
use hashbrown::HashMap;

use super::met::{Event, Met};
use super::slots::{Select, categories, day_of, ordered};
use super::state::{Cell, overflow};
use crate::error::{Error, Result};

/// What one feature looks for: of the events on its latest day the greatest value.
#[derive(Debug)]
pub struct Newest {
    pub select: Select,
    pub first_day: i32,
    /// Of the source; none where the category is the value.
    pub column: Option<usize>,
    /// Place among a person's latest values.
    pub at: usize,
}

/// Values that do not fit beside their day, by feature and person: few.
#[derive(Debug, Default)]
pub struct Far(HashMap<(usize, u32), (i32, i64)>);

/// A column of whole numbers, whatever they stand for.
pub enum Values<'a> {
    Flags(&'a BooleanArray),
    Numbers(&'a Int64Array),
    Days(&'a Date32Array),
    Decimals(&'a Decimal128Array),
}

/// Whether values of a type are whole numbers, which most often fit beside a day.
pub fn are_numbers(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Boolean | DataType::Int64 | DataType::Date32 | DataType::Decimal128(..))
}

impl<'a> Values<'a> {
    pub fn of(column: &'a ArrayRef) -> Result<Self> {
        Ok(match column.data_type() {
            DataType::Boolean => Self::Flags(column.as_boolean()),
            DataType::Int64 => Self::Numbers(column.as_primitive::<Int64Type>()),
            DataType::Date32 => Self::Days(column.as_primitive::<Date32Type>()),
            DataType::Decimal128(..) => Self::Decimals(column.as_primitive::<Decimal128Type>()),
            other => return Err(Error::Fault(format!("values of type {other} are no whole numbers"))),
        })
    }

    fn get(&self, row: usize) -> Result<Option<i64>> {
        let valid = |column: &dyn Array| column.is_valid(row);
        Ok(match self {
            Self::Flags(flags) => valid(flags).then(|| i64::from(flags.value(row))),
            Self::Numbers(numbers) => valid(numbers).then(|| numbers.value(row)),
            Self::Days(days) => valid(days).then(|| i64::from(days.value(row))),
            Self::Decimals(decimals) if valid(decimals) => {
                Some(i64::try_from(decimals.value(row)).map_err(|_| overflow())?)
            }
            Self::Decimals(_) => None,
        })
    }
}

impl Newest {
    /// Takes an event in that is selected.
    pub fn note(
        &self,
        row: &[AtomicU64],
        far: &mut Far,
        met: &Met,
        values: Option<&Values>,
        event: &Event,
    ) -> Result<()> {
        if event.day < self.first_day {
            return Ok(());
        }
        let value = match values {
            Some(values) => values.get(event.row as usize)?,
            None => categories(met, &self.select, event).max().and_then(|category| i64::try_from(category).ok()),
        };
        let Some(value) = value else { return Ok(()) };
        match i32::try_from(value) {
            Ok(value) => {
                let number = u64::from(ordered(event.day)) << 32 | u64::from(ordered(value));
                if row[self.at].load(Relaxed) < number {
                    row[self.at].fetch_max(number, Relaxed);
                }
            }
            Err(_) => far.note((self.at, event.person), (event.day, value)),
        }
        Ok(())
    }

    /// The latest value of a person, with its day.
    pub fn value(&self, row: &[AtomicU64], far: &Far, person: u32) -> Option<(i32, i64)> {
        let number = row[self.at].load(Relaxed);
        let near = (number != 0).then(|| (day_of((number >> 32) as u32), i64::from(day_of(number as u32))));
        near.max(far.0.get(&(self.at, person)).copied())
    }

    /// The same as a value of a column of a type.
    pub fn cell(&self, data_type: &DataType, value: i64) -> Cell {
        match data_type {
            DataType::Boolean => Cell::Bool(value != 0),
            DataType::Utf8 => Cell::Category(u32::try_from(value).unwrap_or(u32::MAX)),
            _ => Cell::Number(value),
        }
    }
}

impl Far {
    fn note(&mut self, of: (usize, u32), value: (i32, i64)) {
        let known = self.0.entry(of).or_insert(value);
        *known = value.max(*known);
    }

    /// Adds what another worker noted.
    pub fn merge(&mut self, other: Self) {
        other.0.into_iter().for_each(|(of, value)| self.note(of, value));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// Values that fit beside their day and values that do not, many on one day, two workers: the greatest of the latest day.
    #[test]
    fn the_latest_value_is_the_greatest_of_its_day_however_large() {
        for seed in 0..50 {
            println!("seed {seed}");
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            let select = Select { filter: None, codes: None, ended: false };
            let newest = Newest { select, first_day: -40, column: Some(0), at: 0 };
            let edges = [i64::from(i32::MIN), i64::from(i32::MAX), i64::from(i32::MIN) - 1, i64::from(i32::MAX) + 1];
            let edges = edges.into_iter().chain([999_999_999_999_999_999, -999_999_999_999_999_999, 0, -1]);
            let edges: Vec<i64> = edges.collect();
            let value = |random: &mut ChaCha8Rng| edges[random.random_range(0..edges.len())];
            let events: Vec<(i32, Option<i64>)> = (0..random.random_range(0..12))
                .map(|_| (random.random_range(-45..-30), random.random_bool(0.9).then(|| value(&mut random))))
                .collect();
            let column: ArrayRef = Arc::new(events.iter().map(|(_, value)| *value).collect::<Int64Array>());
            let values = Values::of(&column).unwrap();
            let met = Met { events: Vec::new(), filters: Vec::new(), codes: Vec::new() };
            let row = [AtomicU64::new(0)];
            let mut workers = [Far::default(), Far::default()];
            for (at, (day, _)) in (0_u32..).zip(&events) {
                let event = Event { row: at, at, person: 7, day: *day };
                newest.note(&row, &mut workers[at as usize % 2], &met, Some(&values), &event).unwrap();
            }
            let [mut far, other] = workers;
            far.merge(other);
            let counted =
                events.iter().filter_map(|(day, value)| Some((*day, (*value)?))).filter(|(day, _)| *day >= -40);
            assert_eq!(newest.value(&row, &far, 7), counted.max(), "seed {seed}");
            assert_eq!(newest.value(&[AtomicU64::new(0)], &far, 8), None);
        }
    }
}
