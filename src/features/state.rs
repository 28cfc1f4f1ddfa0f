//! What a feature remembers of each person while the events pass by.
//!
//! Every state is the same whatever the order of the events, and two of them merge: so threads, files and batches
//! change nothing.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Decimal128Array, Int64Array, PrimitiveArray, StringArray};
use arrow::datatypes::{ArrowPrimitiveType, DataType, Date32Type, Decimal128Type, Int64Type, TimestampSecondType};

use super::distinct::{Distinct, Shared};
use super::met::Event;
use crate::ahead;
use crate::conform::Texts;
use crate::error::{Error, Result};
use crate::pipeline::What;

/// A value of `latest`, ordered within one column's type.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cell {
    Bool(bool),
    /// Conformed numbers have fewer than nineteen digits.
    Number(i64),
    Text(Box<str>),
    /// A category of a code list, by its place on the list.
    Category(u32),
}

/// The rows and columns that an update reads.
pub struct Rows<'a> {
    /// The verb's column.
    pub column: Option<&'a ArrayRef>,
    /// The source's `end`, in days.
    pub ends: Option<&'a [Option<i32>]>,
    /// The as-of date, in days.
    pub as_of: i32,
}

impl Rows<'_> {
    /// Whether an event is open at the as-of date.
    pub fn open(&self, event: &Event) -> bool {
        self.end(event).is_none_or(|end| end >= self.as_of)
    }

    /// Whether an event was over before the as-of date.
    pub fn ended(&self, event: &Event) -> bool {
        self.end(event).is_some_and(|end| end < self.as_of)
    }

    /// Days from the first to the last, or to the as-of date where that comes first.
    pub fn stay(&self, event: &Event) -> i32 {
        let end = self.end(event).unwrap_or(self.as_of).min(self.as_of);
        end.saturating_sub(event.day).max(0)
    }

    /// The last day of an event.
    pub fn end(&self, event: &Event) -> Option<i32> {
        self.ends.and_then(|ends| ends[event.row as usize])
    }
}

/// Remembered by person.
#[derive(Debug)]
pub enum State {
    Count(Vec<u32>),
    Flag(Vec<bool>),
    LatestDay(Vec<Option<i32>>),
    /// The latest day of what is open at the as-of date.
    Open(Vec<Option<i32>>),
    Total(Vec<i128>),
    Latest(Vec<Option<(i32, Cell)>>),
    Longest(Vec<Option<i32>>),
    Distinct(Box<Distinct>),
}

impl State {
    pub fn new(what: What, people: usize) -> Self {
        match what {
            What::Count => Self::Count(vec![0; people]),
            What::Exists => Self::Flag(vec![false; people]),
            What::OpenAtIndex => Self::Open(vec![None; people]),
            What::DaysSince => Self::LatestDay(vec![None; people]),
            What::Total | What::BedDays => Self::Total(vec![0; people]),
            What::Latest => Self::Latest(vec![None; people]),
            What::Longest => Self::Longest(vec![None; people]),
            What::CountDays | What::CountDistinct => Self::Distinct(Box::new(Distinct::new(Shared::new(people)))),
        }
    }

    /// What is held of one person, at least.
    pub fn bytes_a_person(what: What) -> usize {
        match what {
            What::Count => size_of::<u32>(),
            What::Exists => size_of::<bool>(),
            What::DaysSince | What::OpenAtIndex | What::Longest => size_of::<Option<i32>>(),
            What::Total | What::BedDays => size_of::<i128>(),
            What::Latest => size_of::<Option<(i32, Cell)>>(),
            What::CountDays | What::CountDistinct => size_of::<u64>(),
        }
    }

    /// Takes in events that are inside the window, meet the predicate and have a code on the list.
    pub fn update(&mut self, what: What, events: &[Event], rows: &Rows) -> Result<()> {
        match self {
            Self::Count(counts) => events.iter().for_each(|event| counts[event.person as usize] += 1),
            Self::Flag(flags) => events.iter().for_each(|event| flags[event.person as usize] = true),
            Self::LatestDay(days) => events.iter().for_each(|event| {
                let day = &mut days[event.person as usize];
                *day = (*day).max(Some(event.day));
            }),
            Self::Open(days) => events.iter().filter(|event| rows.open(event)).for_each(|event| {
                let day = &mut days[event.person as usize];
                *day = (*day).max(Some(event.day));
            }),
            Self::Longest(stays) => events.iter().for_each(|event| {
                let stay = &mut stays[event.person as usize];
                *stay = (*stay).max(Some(rows.stay(event)));
            }),
            Self::Total(days) if what == What::BedDays => events.iter().for_each(|event| {
                days[event.person as usize] += i128::from(rows.stay(event));
            }),
            Self::Total(totals) => {
                let column = needed(rows.column)?;
                for event in events {
                    if let Some(Cell::Number(number)) = cell(column, event.row as usize)? {
                        let total = &mut totals[event.person as usize];
                        *total = total.checked_add(number.into()).ok_or_else(overflow)?;
                    }
                }
            }
            Self::Latest(latest) => {
                let column = needed(rows.column)?;
                for block in events.chunks(ahead::BLOCK) {
                    let known = |event: &Event| latest.get(event.person as usize)?.as_ref().map(|(day, _)| *day as u32);
                    ahead::read(block.iter().map(known));
                    for event in block {
                        let Some(value) = cell(column, event.row as usize)? else { continue };
                        let best = &mut latest[event.person as usize];
                        if best.as_ref().is_none_or(|(day, known)| (*day, known) < (event.day, &value)) {
                            *best = Some((event.day, value));
                        }
                    }
                }
            }
            Self::Distinct(distinct) if what == What::CountDays => {
                let days = events.iter().map(|event| (event.person, event.day.cast_unsigned()));
                distinct.add(&days.collect::<Vec<_>>());
            }
            Self::Distinct(distinct) => {
                distinct.add_column(needed(rows.column)?, events.iter());
            }
        }
        Ok(())
    }

    /// Takes in an event of a category, where the latest category is what counts.
    pub fn update_category(&mut self, event: &Event, category: u32) {
        let Self::Latest(latest) = self else { return };
        let value = Cell::Category(category);
        let best = &mut latest[event.person as usize];
        if best.as_ref().is_none_or(|(day, known)| (*day, known) < (event.day, &value)) {
            *best = Some((event.day, value));
        }
    }

    /// Adds what another worker remembers.
    pub fn merge(&mut self, other: Self) -> Result<()> {
        match (self, other) {
            (Self::Count(mine), Self::Count(theirs)) => mine.iter_mut().zip(theirs).for_each(|(a, b)| *a += b),
            (Self::Flag(mine), Self::Flag(theirs)) => mine.iter_mut().zip(theirs).for_each(|(a, b)| *a |= b),
            (Self::LatestDay(mine), Self::LatestDay(theirs))
            | (Self::Open(mine), Self::Open(theirs))
            | (Self::Longest(mine), Self::Longest(theirs)) => {
                mine.iter_mut().zip(theirs).for_each(|(a, b)| *a = (*a).max(b));
            }
            (Self::Total(mine), Self::Total(theirs)) => {
                for (a, b) in mine.iter_mut().zip(theirs) {
                    *a = a.checked_add(b).ok_or_else(overflow)?;
                }
            }
            (Self::Latest(mine), Self::Latest(theirs)) => {
                mine.iter_mut().zip(theirs).for_each(|(a, b)| *a = a.take().max(b));
            }
            (Self::Distinct(mine), Self::Distinct(theirs)) => mine.merge(*theirs),
            _ => return Err(Error::Fault("two workers kept different states of one feature".to_owned())),
        }
        Ok(())
    }

    /// The day of the value that `latest` chose, or of what is open, by person.
    pub fn chosen_days(&self) -> Option<Vec<Option<i32>>> {
        match self {
            Self::Latest(latest) => Some(latest.iter().map(|latest| latest.as_ref().map(|(day, _)| *day)).collect()),
            Self::Open(days) => Some(days.clone()),
            _ => None,
        }
    }

    /// The feature's column; `categories` are the names on its code list.
    pub fn finish(self, data_type: &DataType, as_of: i32, categories: &[String]) -> Result<ArrayRef> {
        Ok(match self {
            Self::Count(counts) => integers(counts.into_iter().map(|count| Some(i64::from(count)))),
            Self::Flag(flags) => Arc::new(BooleanArray::from(flags)),
            Self::Open(days) => Arc::new(days.iter().map(|day| Some(day.is_some())).collect::<BooleanArray>()),
            Self::LatestDay(days) => {
                integers(days.into_iter().map(|day| day.map(|day| i64::from(as_of) - i64::from(day))))
            }
            Self::Longest(stays) => integers(stays.into_iter().map(|stay| stay.map(i64::from))),
            Self::Distinct(distinct) => integers(distinct.counts().into_iter().map(|count| Some(i64::from(count)))),
            Self::Total(totals) => numbers(totals.into_iter().map(Some), data_type)?,
            Self::Latest(latest) => latest_column(latest, data_type, categories)?,
        })
    }
}

fn integers(values: impl Iterator<Item = Option<i64>>) -> ArrayRef {
    Arc::new(values.collect::<Int64Array>())
}

/// The column of values of `latest`; `categories` are the names on its code list.
pub fn latest_column(
    latest: Vec<Option<(i32, Cell)>>,
    data_type: &DataType,
    categories: &[String],
) -> Result<ArrayRef> {
    let values = latest.into_iter().map(|latest| latest.map(|(_, value)| value));
    Ok(match data_type {
        DataType::Utf8 => {
            let texts = values.map(|value| match value {
                Some(Cell::Text(text)) => Some(text),
                Some(Cell::Category(category)) => categories.get(category as usize).map(|name| name.as_str().into()),
                _ => None,
            });
            Arc::new(texts.collect::<StringArray>())
        }
        DataType::Boolean => {
            let flags = values.map(|value| value.map(|value| value == Cell::Bool(true)));
            Arc::new(flags.collect::<BooleanArray>())
        }
        _ => {
            let as_number = |value: Option<Cell>| match value {
                Some(Cell::Number(number)) => Some(number.into()),
                _ => None,
            };
            numbers(values.map(as_number), data_type)?
        }
    })
}

fn numbers(values: impl Iterator<Item = Option<i128>>, data_type: &DataType) -> Result<ArrayRef> {
    Ok(match data_type {
        DataType::Int64 => Arc::new(fitting::<Int64Type>(values)?),
        DataType::Timestamp(..) => Arc::new(fitting::<TimestampSecondType>(values)?),
        DataType::Date32 => Arc::new(fitting::<Date32Type>(values)?),
        DataType::Decimal128(..) => Arc::new(values.collect::<Decimal128Array>().with_data_type(data_type.clone())),
        other => return Err(Error::Fault(format!("no feature can be of type {other}"))),
    })
}

/// Numbers of a narrower type, all of which have to fit.
fn fitting<T: ArrowPrimitiveType>(values: impl Iterator<Item = Option<i128>>) -> Result<PrimitiveArray<T>>
where
    T::Native: TryFrom<i128>,
{
    let mut all_fit = true;
    let narrow = values.map(|value| {
        let narrow = T::Native::try_from(value?).ok();
        all_fit &= narrow.is_some();
        narrow
    });
    let column = narrow.collect();
    if all_fit { Ok(column) } else { Err(overflow()) }
}

pub fn overflow() -> Error {
    Error::Check("a total is larger than any plausible number".to_owned())
}

fn needed(column: Option<&ArrayRef>) -> Result<&ArrayRef> {
    column.ok_or_else(|| Error::Fault("a verb that needs a column has none".to_owned()))
}

fn cell(column: &ArrayRef, row: usize) -> Result<Option<Cell>> {
    if column.is_null(row) {
        return Ok(None);
    }
    Ok(Some(match column.data_type() {
        DataType::Boolean => Cell::Bool(column.as_boolean().value(row)),
        DataType::Int64 => Cell::Number(column.as_primitive::<Int64Type>().value(row)),
        DataType::Date32 => Cell::Number(column.as_primitive::<Date32Type>().value(row).into()),
        DataType::Timestamp(..) => Cell::Number(column.as_primitive::<TimestampSecondType>().value(row)),
        DataType::Decimal128(..) => {
            let number = column.as_primitive::<Decimal128Type>().value(row);
            Cell::Number(i64::try_from(number).map_err(|_| overflow())?)
        }
        _ if let Some(text) = Texts::of(column).and_then(|texts| texts.borrowed(row)) => Cell::Text(text.into()),
        other => return Err(Error::Fault(format!("no verb reads a column of type {other}"))),
    }))
}
