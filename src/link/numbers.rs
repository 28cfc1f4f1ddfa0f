//! Texts by number, so that what is asked of every row is asked of a small number.

use std::hash::BuildHasher;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Date32Type};
use hashbrown::hash_table::{Entry, HashTable};
use hashbrown::{DefaultHashBuilder, HashMap};

use crate::calendar;
use crate::conform::{Memo, Texts};
use crate::error::Result;

/// Texts by number, in the order in which they came; 0 is none.
#[derive(Debug, Default)]
pub struct Numbers {
    texts: Known,
    /// By number in the dictionary met last; [`UNSEEN`] until a row says it.
    by_key: Memo<Vec<u32>>,
    by_day: HashMap<i32, u32>,
}

/// The texts behind 0, to be found.
#[derive(Debug, Default)]
struct Known {
    texts: Vec<Box<str>>,
    places: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

/// Instead of the number of a text of a dictionary.
const UNSEEN: u32 = u32::MAX;

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
        let Self { texts: known, by_key, by_day } = self;
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
                if coded.null_count() == 0 {
                    let keys = coded.keys().values();
                    return Ok(rows.map(|row| of_key(keys[row] as usize)).collect());
                }
                rows.map(|row| coded.key(row).map_or(0, &mut of_key)).collect()
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
                let mut number = |row: usize| -> Result<u32> {
                    if days.is_null(row) {
                        return Ok(0);
                    }
                    if let Some(number) = by_day.get(&days.value(row)) {
                        return Ok(*number);
                    }
                    let number = match calendar::date_of(days.value(row)) {
                        Some(date) if date.year() >= 0 => known.number(Some(&date.to_string())),
                        _ => {
                            let text = cast(&days.slice(row, 1), &DataType::Utf8)?;
                            known.number(Some(text.as_string::<i32>().value(0)))
                        }
                    };
                    by_day.insert(days.value(row), number);
                    Ok(number)
                };
                rows.map(&mut number).collect::<Result<_>>()?
            }
            Some(Texts::Digits(_)) | None => {
                let texts = cast(column, &DataType::Utf8)?;
                let texts = texts.as_string::<i32>();
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::Date32Array;

    use super::*;

    #[test]
    fn a_day_is_the_text_of_its_date_in_any_form() {
        // The last and the first of a year, a leap day, the first year, a year before it, none.
        let days = vec![Some(-1), Some(0), Some(19_782), Some(-719_162), Some(-800_000), None, Some(0)];
        let rows: Vec<u32> = (0..days.len() as u32).collect();
        let days: ArrayRef = Arc::new(Date32Array::from(days));
        let texts = cast(&days, &DataType::Utf8).unwrap();
        let mut numbers = Numbers::default();
        let of_days = numbers.column(&days, &rows).unwrap();
        assert_eq!(of_days, numbers.column(&texts, &rows).unwrap());
        assert_eq!(of_days, [1, 2, 3, 4, 5, 0, 2]);
        assert_eq!(numbers.map("none".to_owned(), str::to_owned)[1..4], ["1969-12-31", "1970-01-01", "2024-02-29"]);
    }
}
