//! A column of text in the form in which it came: what is asked of every row is better asked of every distinct value.

use std::borrow::Cow;

use arrow::array::{Array, ArrayRef, AsArray, DictionaryArray, Int64Array, StringArray, StringViewArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int32Type};

use crate::error::Result;

/// Text by row.
#[derive(Clone, Copy)]
pub enum Texts<'a> {
    Plain(&'a StringArray),
    View(&'a StringViewArray),
    /// By number in a dictionary.
    Coded(&'a DictionaryArray<Int32Type>, &'a StringArray),
    /// Whole numbers; the text is their digits.
    Digits(&'a Int64Array),
}

impl<'a> Texts<'a> {
    /// None for a column of another kind.
    pub fn of(column: &'a dyn Array) -> Option<Self> {
        match column.data_type() {
            DataType::Utf8 => Some(Self::Plain(column.as_string::<i32>())),
            DataType::Utf8View => Some(Self::View(column.as_string_view())),
            DataType::Int64 => Some(Self::Digits(column.as_primitive())),
            DataType::Dictionary(..) => {
                let coded = column.as_dictionary_opt::<Int32Type>()?;
                Some(Self::Coded(coded, coded.values().as_string_opt::<i32>()?))
            }
            _ => None,
        }
    }

    pub fn get(&self, row: usize) -> Option<Cow<'a, str>> {
        match self {
            Self::Digits(numbers) => numbers.is_valid(row).then(|| numbers.value(row).to_string().into()),
            _ => self.borrowed(row).map(Cow::Borrowed),
        }
    }

    /// The text, where it stands as text.
    pub fn borrowed(&self, row: usize) -> Option<&'a str> {
        match self {
            Self::Plain(texts) => texts.is_valid(row).then(|| texts.value(row)),
            Self::View(texts) => texts.is_valid(row).then(|| texts.value(row)),
            Self::Coded(coded, values) => {
                coded.key(row).filter(|key| values.is_valid(*key)).map(|key| values.value(key))
            }
            Self::Digits(_) => None,
        }
    }
}

/// Instead of the text of a day or a moment that no calendar reaches.
pub(super) const NO_DATE: &str = "not a date";

/// The text of each cell of a column of dates, times or numbers.
pub fn spelled(column: &ArrayRef) -> Result<StringArray> {
    match cast(column, &DataType::Utf8) {
        Ok(texts) => Ok(texts.as_string::<i32>().clone()),
        Err(_) if column.data_type().is_temporal() => {
            let texts = (0..column.len()).map(|row| {
                let cell = column.is_valid(row).then(|| cast(&column.slice(row, 1), &DataType::Utf8));
                cell.map(|cell| cell.map_or(NO_DATE.to_owned(), |cell| cell.as_string::<i32>().value(0).to_owned()))
            });
            Ok(texts.collect())
        }
        Err(error) => Err(error.into()),
    }
}

/// A column in its declared type, whatever the form in which it came.
pub fn plain(column: &ArrayRef, declared: &DataType) -> Result<ArrayRef> {
    Ok(if column.data_type() == declared { ArrayRef::clone(column) } else { cast(column, declared)? })
}

/// What was made of the dictionary met last: batches of one row group share theirs.
#[derive(Debug)]
pub struct Memo<T>(Option<(StringArray, T)>);

impl<T> Default for Memo<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Memo<T> {
    /// What `make` makes of these values, made once for each dictionary in turn.
    pub fn of(&mut self, values: &StringArray, make: impl FnOnce(&StringArray) -> T) -> &mut T {
        // The one that is kept holds its memory, so that no other dictionary can lie in the same place.
        let same = |known: &StringArray| {
            known.len() == values.len()
                && known.value_offsets().as_ptr() == values.value_offsets().as_ptr()
                && known.value_data().as_ptr() == values.value_data().as_ptr()
        };
        let known = self.0.take().filter(|(known, _)| same(known));
        &mut self.0.insert(known.unwrap_or_else(|| (values.clone(), make(values)))).1
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Date32Array, Float64Array, TimestampMicrosecondArray};

    use super::*;

    #[test]
    fn a_day_that_no_calendar_reaches_is_spelled_as_no_date() {
        let days: ArrayRef = Arc::new(Date32Array::from(vec![Some(0), None, Some(i32::MAX)]));
        let moments: ArrayRef = Arc::new(TimestampMicrosecondArray::from(vec![Some(0), None, Some(i64::MAX)]));
        for (column, first) in [(days, "1970-01-01"), (moments, "1970-01-01T00:00:00")] {
            let texts = spelled(&column).unwrap();
            assert_eq!(texts.iter().collect::<Vec<_>>(), [Some(first), None, Some(NO_DATE)]);
        }
        let numbers: ArrayRef = Arc::new(Float64Array::from(vec![1.5]));
        assert_eq!(spelled(&numbers).unwrap().value(0), "1.5");
    }
}
