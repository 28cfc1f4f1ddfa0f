//! Points: categories that are present, less those that another silences, and thresholds.

use arrow::array::Array;
use arrow::record_batch::RecordBatch;

use super::numbers;
use crate::error::Result;
use crate::pipeline::Points;

/// The sum of points of each row.
pub(super) fn scores(points: &Points, table: &RecordBatch) -> Result<Vec<f64>> {
    let present = points.items.iter().map(|item| numbers(table, item.feature)).collect::<Result<Vec<_>>>()?;
    let levels = points.thresholds.iter().map(|item| numbers(table, item.feature)).collect::<Result<Vec<_>>>()?;
    let has = |item: usize, person: usize| present[item].is_valid(person) && present[item].value(person) > 0.0;
    let mut silencers: Vec<Vec<usize>> = vec![Vec::new(); points.items.len()];
    for (index, item) in points.items.iter().enumerate() {
        item.trumps.iter().for_each(|silenced| silencers[*silenced].push(index));
    }
    let mut scores = Vec::with_capacity(table.num_rows());
    for person in 0..table.num_rows() {
        let mut milli: i64 = 0;
        for (index, item) in points.items.iter().enumerate() {
            let counts = has(index, person) && !silencers[index].iter().any(|silencer| has(*silencer, person));
            milli += if counts { item.milli } else { 0 };
        }
        if let Some((_, counts_as)) = points.table_sum.iter().rev().find(|(from, _)| milli >= *from) {
            milli = *counts_as;
        }
        for (threshold, level) in points.thresholds.iter().zip(&levels) {
            let value = level.is_valid(person).then(|| level.value(person));
            let reached = value
                .is_some_and(|value| value >= threshold.at_least && threshold.below.is_none_or(|below| value < below));
            milli += if reached { threshold.milli } else { 0 };
        }
        let sum = points.floor.map_or(milli, |floor| milli.max(floor)) as f64 / 1000.0;
        scores.push(points.divide_by.map_or(sum, |by| sum / by));
    }
    Ok(scores)
}
