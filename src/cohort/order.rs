//! One total order of the people who may be listed.

use std::cmp::Ordering;

use arrow::array::{ArrayRef, AsArray, Float64Array, UInt32Array};
use arrow::compute::{SortOptions, cast};
use arrow::datatypes::{DataType, Float64Type};
use arrow::row::{RowConverter, Rows, SortField};
use sha2::{Digest, Sha256};

use super::select::Scene;
use crate::columns::Columns;
use crate::error::{Error, Result};
use crate::pipeline::Cohort;

/// What each candidate's first rank key is multiplied by; none where nobody is weighted.
pub type Weights = Option<Vec<f64>>;

/// `candidates` by the declared keys (nulls last), ties by a keyed hash of the token, so that neither names nor the
/// order of the input favour anyone. Gives their places in `candidates`, best first.
pub fn rank(scene: &Scene, cohort: &Cohort, candidates: &[u32], weights: &Weights) -> Result<Vec<usize>> {
    let keys = declared_keys(scene.table, cohort, candidates, weights)?;
    let mut order: Vec<(usize, Lot)> = Vec::with_capacity(candidates.len());
    for (at, person) in candidates.iter().enumerate() {
        order.push((at, lot(scene, cohort, *person, Draw::Tie)?));
    }
    order.sort_unstable_by(|(a, lot_a), (b, lot_b)| {
        let declared = keys.as_ref().map_or(Ordering::Equal, |keys| keys.row(*a).cmp(&keys.row(*b)));
        declared.then_with(|| lot_a.cmp(lot_b))
    });
    Ok(order.into_iter().map(|(at, _)| at).collect())
}

/// What a person draws.
pub type Lot = [u8; 32];

/// What a lot decides; each draws anew.
#[derive(Debug, Clone, Copy)]
pub enum Draw {
    /// The order among equals.
    Tie,
    /// Who gets the last places.
    Lottery,
}

/// SHA-256 over cohort, as-of date and token, behind a label for the lottery; no part can hold the separator.
pub fn lot(scene: &Scene, cohort: &Cohort, person: u32, draw: Draw) -> Result<Lot> {
    let token = scene.people.tokens.get(person as usize);
    let token = token.ok_or_else(|| Error::Fault("a person has no token".to_owned()))?;
    let mut hash = Sha256::new();
    match draw {
        Draw::Tie => {}
        Draw::Lottery => hash.update(b"lottery\x1f"),
    }
    hash.update(cohort.name.as_bytes());
    hash.update([0x1f]);
    hash.update(scene.pipeline.as_of.to_string().as_bytes());
    hash.update([0x1f]);
    hash.update(token.reveal().as_bytes());
    Ok(hash.finalize().into())
}

/// One row of keys a candidate, comparable as bytes; none when nothing was declared.
fn declared_keys(table: &Columns, cohort: &Cohort, candidates: &[u32], weights: &Weights) -> Result<Option<Rows>> {
    if cohort.rank.is_empty() {
        return Ok(None);
    }
    let chosen = UInt32Array::from(candidates.to_vec());
    let mut fields = Vec::new();
    let mut columns = Vec::new();
    for (at, key) in cohort.rank.iter().enumerate() {
        let mut column = table.take_of(&key.column, &chosen)?.ok_or_else(|| {
            Error::Fault(format!("cohort {}: rank by `{}`, which is no feature or score", cohort.name, key.column))
        })?;
        if let Some(weights) = weights.as_ref().filter(|_| at == 0) {
            column = weighted(&column, weights)?;
        }
        let column = comparable(column, cohort, &key.column)?;
        let options = SortOptions { descending: key.descending, nulls_first: false };
        fields.push(SortField::new_with_options(column.data_type().clone(), options));
        columns.push(column);
    }
    Ok(Some(RowConverter::new(fields)?.convert_columns(&columns)?))
}

/// A number times the weight of its person.
fn weighted(column: &ArrayRef, weights: &[f64]) -> Result<ArrayRef> {
    let numbers = cast(column, &DataType::Float64)?;
    let numbers = numbers.as_primitive::<Float64Type>().iter().zip(weights);
    Ok(std::sync::Arc::new(numbers.map(|(number, weight)| Some(number? * weight)).collect::<Float64Array>()))
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
