//! Texts by number, so that what is asked of every row is asked of a small number.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Date32Type};
use hashbrown::HashMap;

use crate::calendar;
use crate::conform::{Memo, Texts};
use crate::error::Result;

/// Texts by number, in the order in which they came; 0 is none.
#[derive(Debug, Default)]
pub struct Numbers {
    texts: HashMap<String, u32>,
    /// By number in the dictionary met last; [`UNSEEN`] until a row says it.
    by_key: Memo<Vec<u32>>,
    by_day: HashMap<i32, u32>,
}

/// Instead of the number of a text of a dictionary.
const UNSEEN: u32 = u32::MAX;

impl Numbers {
    /// The number of a text.
    pub fn of(&mut self, text: Option<&str>) -> u32 {
        numbered(&mut self.texts, text)
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
                        numbers[key] = numbered(known, text(key));
                    }
                    numbers[key]
                };
                rows.map(|row| coded.key(row).map_or(0, &mut of_key)).collect()
            }
            Some(texts @ (Texts::Plain(_) | Texts::View(_))) => {
                // Rows that say the same often stand together.
                let mut last = (None, 0);
                let mut number = |row: usize| {
                    let text = texts.borrowed(row);
                    if text != last.0 {
                        last = (text, numbered(known, text));
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
                        Some(date) if date.year() >= 0 => numbered(known, Some(&date.to_string())),
                        _ => {
                            let text = cast(&days.slice(row, 1), &DataType::Utf8)?;
                            numbered(known, Some(text.as_string::<i32>().value(0)))
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
                rows.map(|row| numbered(known, texts.is_valid(row).then(|| texts.value(row)))).collect()
            }
        })
    }

    /// How many texts there are.
    pub fn count(&self) -> usize {
        self.texts.len()
    }

    /// By the other's number, ours.
    pub fn translate(&mut self, other: &Self) -> Vec<u32> {
        let mut numbers = vec![0; other.texts.len() + 1];
        for (text, number) in &other.texts {
            numbers[*number as usize] = self.of(Some(text));
        }
        numbers
    }

    /// By number, something made of each text; `none` for 0.
    pub fn map<T: Clone>(&self, none: T, mut make: impl FnMut(&str) -> T) -> Vec<T> {
        let mut made = vec![none; self.texts.len() + 1];
        for (text, number) in &self.texts {
            made[*number as usize] = make(text);
        }
        made
    }
}

fn numbered(known: &mut HashMap<String, u32>, text: Option<&str>) -> u32 {
    let Some(text) = text else { return 0 };
    if let Some(number) = known.get(text) {
        return *number;
    }
    let number = u32::try_from(known.len() + 1).unwrap_or(u32::MAX);
    known.insert(text.to_owned(), number);
    number
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
