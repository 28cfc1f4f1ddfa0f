//! One total order of the people who may be listed.

use std::cmp::Ordering;

use arrow::array::{ArrayRef, AsArray, Float64Array, UInt32Array};
use arrow::compute::{SortOptions, take};
use arrow::datatypes::{DataType, Float64Type};
use arrow::record_batch::RecordBatch;
use arrow::row::{RowConverter, Rows, SortField};
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::link::People;
use crate::pipeline::{Cohort, Pipeline};

/// `candidates` by the declared keys (nulls last), ties by a keyed hash of the token, so that neither names nor the
/// order of the input favour anyone.
pub fn rank(
    pipeline: &Pipeline,
    people: &People,
    table: &RecordBatch,
    cohort: &Cohort,
    candidates: Vec<u32>,
) -> Result<Vec<u32>> {
    let keys = declared_keys(table, cohort, &candidates)?;
    let mut order: Vec<(usize, u32, Lot)> = Vec::with_capacity(candidates.len());
    for (at, person) in candidates.into_iter().enumerate() {
        order.push((at, person, lot(pipeline, people, cohort, person)?));
    }
    order.sort_unstable_by(|(a, _, lot_a), (b, _, lot_b)| {
        let declared = keys.as_ref().map_or(Ordering::Equal, |keys| keys.row(*a).cmp(&keys.row(*b)));
        declared.then_with(|| lot_a.cmp(lot_b))
    });
    Ok(order.into_iter().map(|(_, person, _)| person).collect())
}

/// What a person draws among equals.
type Lot = [u8; 32];

/// SHA-256 over cohort, as-of date and token; no part can hold the separator.
fn lot(pipeline: &Pipeline, people: &People, cohort: &Cohort, person: u32) -> Result<Lot> {
    let token = people.tokens.get(person as usize).ok_or_else(|| Error::Fault("a person has no token".to_owned()))?;
    let mut hash = Sha256::new();
    hash.update(cohort.name.as_bytes());
    hash.update([0x1f]);
    hash.update(pipeline.as_of.to_string().as_bytes());
    hash.update([0x1f]);
    hash.update(token.reveal().as_bytes());
    Ok(hash.finalize().into())
}

/// One row of keys a candidate, comparable as bytes; none when nothing was declared.
fn declared_keys(table: &RecordBatch, cohort: &Cohort, candidates: &[u32]) -> Result<Option<Rows>> {
    if cohort.rank.is_empty() {
        return Ok(None);
    }
    let chosen = UInt32Array::from(candidates.to_vec());
    let mut fields = Vec::new();
    let mut columns = Vec::new();
    for key in &cohort.rank {
        let column = table.column_by_name(&key.column).ok_or_else(|| {
            Error::Fault(format!("cohort {}: rank by `{}`, which is no feature or score", cohort.name, key.column))
        })?;
        let column = comparable(take(column, &chosen, None)?, cohort, &key.column)?;
        let options = SortOptions { descending: key.descending, nulls_first: false };
        fields.push(SortField::new_with_options(column.data_type().clone(), options));
        columns.push(column);
    }
    Ok(Some(RowConverter::new(fields)?.convert_columns(&columns)?))
}

/// Floats with one zero and no NaN: Arrow's order would tell -0 from 0, and put a NaN first.
fn comparable(column: ArrayRef, cohort: &Cohort, name: &str) -> Result<ArrayRef> {
    if column.data_type() != &DataType::Float64 {
        return Ok(column);
    }
    let floats = column.as_primitive::<Float64Type>();
    if floats.iter().flatten().any(f64::is_nan) {
        return Err(Error::Fault(format!("cohort {}: `{name}` is not a number for someone", cohort.name)));
    }
    Ok(std::sync::Arc::new(floats.iter().map(|value| value.map(|value| value + 0.0)).collect::<Float64Array>()))
}
