//! Texts by number, so that what is asked of every row is asked of a small number.

use std::hash::BuildHasher;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Date32Array};
use arrow::datatypes::{DataType, Date32Type};
use hashbrown::DefaultHashBuilder;
use hashbrown::hash_table::{Entry, HashTable};

use crate::calendar;
use crate::conform::{Memo, Texts, spelled};
use crate::error::Result;

/// Texts by number, in the order in which they came; 0 is none.
#[derive(Debug, Default)]
pub struct Numbers {
    texts: Known,
    /// By number in the dictionary met last; [`UNSEEN`] until a row says it.
    by_key: Memo<Vec<u32>>,
    /// By day from the first of [`DAYS`]; [`UNSEEN`] until a row says it, and empty until a row says any.
    by_day: Vec<u32>,
    /// By whole number below [`SMALL`]; the same.
    by_whole: Vec<u32>,
}

/// The texts behind 0, to be found.
#[derive(Debug, Default)]
struct Known {
    texts: Vec<Box<str>>,
    places: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

/// Instead of the number of a text of a dictionary, or of a day.
const UNSEEN: u32 = u32::MAX;

/// Days that are found at a look: of the years from 1850 to 2099.
const DAYS: Range<i32> = -43_829..47_482;

/// Whole numbers below this are found at a look.
const SMALL: usize = 1 << 10;

/// The number that stands at a place, or is made and put there.
fn at_a_look(place: Option<&mut u32>, make: impl FnOnce() -> Result<u32>) -> Result<u32> {
    match place {
        Some(number) if *number != UNSEEN => Ok(*number),
        place => {
            let number = make()?;
            place.into_iter().for_each(|place| *place = number);
            Ok(number)
        }
    }
}

impl Known {
    fn number(&mut self, text: Option<&str>) -> u32 {
        let Some(text) = text else { return 0 };
        let Self { texts, places, hasher } = self;
        let same = |place: &u32| *texts[*place as usize] == *text;
        let hash = |place: &u32| hasher.hash_one(&*texts[*place as usize]);
        match places.entry(hasher.hash_one(text), same, hash) {
            Entry::Occupied(place) => *place.get() + 1,
            Entry::Vacant(place) => {
                let next = u32::try_from(texts.len()).unwrap_or(u32::MAX);
                place.insert(next);
                texts.push(text.into());
                next + 1
            }
        }
    }
}

impl Numbers {
    /// The number of a text.
    pub fn of(&mut self, text: Option<&str>) -> u32 {
        self.texts.number(text)
    }

    /// The texts whose numbers begin with this one.
    pub fn from(&self, number: usize) -> impl Iterator<Item = Option<&str>> {
        let none = (number == 0).then_some(None);
        none.into_iter().chain(self.texts.texts.iter().skip(number.saturating_sub(1)).map(|text| Some(&**text)))
    }

    /// The numbers of some rows of a column: text in any form, or days, of which the text is that of the date.
    pub fn column(&mut self, column: &ArrayRef, rows: &[u32]) -> Result<Vec<u32>> {
        let Self { texts: known, by_key, by_day, by_whole } = self;
        let rows = rows.iter().map(|row| *row as usize);
        Ok(match Texts::of(column) {
            Some(Texts::Coded(coded, values)) => {
                let numbers = by_key.of(values, |values| vec![UNSEEN; values.len()]);
                let text = |key: usize| values.is_valid(key).then(|| values.value(key));
                let mut of_key = |key: usize| {
                    if numbers[key] == UNSEEN {
                        numbers[key] = known.number(text(key));
                    }
                    numbers[key]
                };
                let keys = coded.keys().values();
                match coded.nulls() {
                    None => rows.map(|row| of_key(keys[row] as usize)).collect(),
                    Some(nulls) => {
                        rows.map(|row| if nulls.is_valid(row) { of_key(keys[row] as usize) } else { 0 }).collect()
                    }
                }
            }
            Some(texts @ (Texts::Plain(_) | Texts::View(_))) => {
                // Rows that say the same often stand together.
                let mut last = (None, 0);
                let mut number = |row: usize| {
                    let text = texts.borrowed(row);
                    if text != last.0 {
                        last = (text, known.number(text));
                    }
                    last.1
                };
                rows.map(&mut number).collect()
            }
            None if *column.data_type() == DataType::Date32 => {
                let days = column.as_primitive::<Date32Type>();
                by_day.resize(DAYS.len(), UNSEEN);
                let number = |row: usize| {
                    let Some(day) = days.is_valid(row).then(|| days.value(row)) else { return Ok(0) };
                    let place = day.checked_sub(DAYS.start).and_then(|place| usize::try_from(place).ok());
                    let place = place.and_then(|place| by_day.get_mut(place));
                    at_a_look(place, || Ok(known.number(Some(&text_of(day)?))))
                };
                rows.map(number).collect::<Result<_>>()?
            }
            Some(Texts::Digits(wholes)) => {
                by_whole.resize(SMALL, UNSEEN);
                let number = |row: usize| {
                    let Some(whole) = wholes.is_valid(row).then(|| wholes.value(row)) else { return Ok(0) };
                    let place = usize::try_from(whole).ok().and_then(|place| by_whole.get_mut(place));
                    at_a_look(place, || Ok(known.number(Some(&whole.to_string()))))
                };
                rows.map(number).collect::<Result<_>>()?
            }
            None => {
                let texts = spelled(column)?;
                rows.map(|row| known.number(texts.is_valid(row).then(|| texts.value(row)))).collect()
            }
        })
    }

    /// How many texts there are.
    pub fn count(&self) -> usize {
        self.texts.texts.len()
    }

    /// By the other's number, ours.
    pub fn translate(&mut self, other: &Self) -> Vec<u32> {
        other.from(0).map(|text| self.of(text)).collect()
    }

    /// By number, something made of each text; `none` for 0.
    pub fn map<T>(&self, none: T, make: impl FnMut(&str) -> T) -> Vec<T> {
        std::iter::once(none).chain(self.texts.texts.iter().map(|text| &**text).map(make)).collect()
    }
}

/// A day as the text of its date.
fn text_of(day: i32) -> Result<String> {
    match calendar::date_of(day) {
        Some(date) if date.year() >= 0 => Ok(date.to_string()),
        _ => Ok(spelled(&(Arc::new(Date32Array::from(vec![day])) as ArrayRef))?.value(0).to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::Int64Array;
    use arrow::compute::cast;

    use super::*;

    #[test]
    fn a_whole_number_is_the_text_of_its_digits() {
        let wholes = vec![Some(7), None, Some(1_023), Some(1_024), Some(-7), Some(i64::MAX), Some(i64::MIN), Some(7)];
        let rows: Vec<u32> = (0..wholes.len() as u32).collect();
        let wholes: ArrayRef = Arc::new(Int64Array::from(wholes));
        let texts = cast(&wholes, &DataType::Utf8).unwrap();
        let mut numbers = Numbers::default();
        let of_wholes = numbers.column(&wholes, &rows).unwrap();
        assert_eq!(of_wholes, [1, 0, 2, 3, 4, 5, 6, 1]);
        assert_eq!(of_wholes, numbers.column(&texts, &rows).unwrap());
    }

    #[test]
    fn a_day_is_the_text_of_its_date_in_any_form() {
        // The last and the first of a year, a leap day, the first year, a year before it, none; at and beyond both ends of
        // the days that are found at a look.
        let days = vec![Some(-1), Some(0), Some(19_782), Some(-719_162), Some(-800_000), None, Some(0)];
        let ends = [DAYS.start, DAYS.start - 1, DAYS.end - 1, DAYS.end, 3_000_000, DAYS.start - 1, DAYS.end];
        let days: Vec<Option<i32>> = days.into_iter().chain(ends.map(Some)).collect();
        let rows: Vec<u32> = (0..days.len() as u32).collect();
        let days: ArrayRef = Arc::new(Date32Array::from(days));
        let texts = cast(&days, &DataType::Utf8).unwrap();
        let mut numbers = Numbers::default();
        let of_days = numbers.column(&days, &rows).unwrap();
        assert_eq!(of_days, numbers.column(&texts, &rows).unwrap());
        assert_eq!(of_days[..7], [1, 2, 3, 4, 5, 0, 2]);
        let texts = numbers.map("none".to_owned(), str::to_owned);
        assert_eq!(texts[1..4], ["1969-12-31", "1970-01-01", "2024-02-29"]);
        assert_eq!(texts[6..10], ["1850-01-01", "1849-12-31", "2099-12-31", "2100-01-01"]);
    }
}
