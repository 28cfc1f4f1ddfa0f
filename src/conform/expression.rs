//! SQL over delivered columns: of a column that is stored by dictionary, once for each value.

use std::cell::{OnceCell, RefCell};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, DictionaryArray, Int32Array, StringArray, new_null_array};
use arrow::compute::concat;
use arrow::datatypes::{DataType, Field, Int32Type, Schema};
use arrow::record_batch::RecordBatch;

use super::text::Memo;
use crate::error::Result;
use crate::expr::{Attempt, Compiled};

/// The SQL of one column or item in one file.
#[derive(Debug, Default)]
pub(super) struct Expression {
    pub compiled: OnceCell<Compiled>,
    /// Of the dictionary met last: its values, with null behind them, as the SQL makes them.
    made: RefCell<Memo<Option<StringArray>>>,
}

impl Expression {
    /// Text made of each value of a dictionary; nothing where the SQL makes something else, or fails on a value.
    pub fn once_a_value(
        &self,
        compiled: &Compiled,
        name: &str,
        coded: &DictionaryArray<Int32Type>,
        values: &StringArray,
    ) -> Result<Option<Attempt>> {
        if compiled.data_type != DataType::Utf8 {
            return Ok(None);
        }
        let make = |values: &StringArray| -> Result<Option<StringArray>> {
            let column = concat(&[values, &new_null_array(&DataType::Utf8, 1)])?;
            let schema = Schema::new(vec![Field::new(name, DataType::Utf8, true)]);
            let attempt = compiled.attempt(&RecordBatch::try_new(Arc::new(schema), vec![column])?)?;
            Ok(attempt.failed.is_empty().then(|| attempt.values.as_string::<i32>().clone()))
        };
        let mut failed = None;
        let mut memo = self.made.borrow_mut();
        let made = memo.of(values, |values| {
            make(values).unwrap_or_else(|error| {
                failed = Some(error);
                None
            })
        });
        if let Some(error) = failed {
            return Err(error);
        }
        let Some(made) = made else { return Ok(None) };
        let keys = coded.keys();
        let keys = match keys.null_count() {
            0 => keys.clone(),
            _ => {
                let null = i32::try_from(values.len()).unwrap_or(i32::MAX);
                Int32Array::from_iter_values(keys.iter().map(|key| key.unwrap_or(null)))
            }
        };
        let values: ArrayRef = Arc::new(made.clone());
        Ok(Some(Attempt { values: Arc::new(DictionaryArray::try_new(keys, values)?), failed: Vec::new() }))
    }
}

/// The type that declarations know a delivered column by, whatever the form in which it is stored.
pub(super) fn declared_type(stored: &DataType) -> DataType {
    match stored {
        DataType::Dictionary(_, values) => values.as_ref().clone(),
        DataType::Utf8View => DataType::Utf8,
        other => other.clone(),
    }
}

pub(super) fn declared(field: &Field) -> Field {
    field.clone().with_data_type(declared_type(field.data_type()))
}
