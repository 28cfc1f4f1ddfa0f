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
