//! Need at equal score: whether people of one group are sicker than others when a score calls them alike (Obermeyer 2019).

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};
use serde::{Deserialize, Serialize};

use super::calibration;
use super::sample::Sample;
use crate::audit::groups::Split;
use crate::error::Result;
use crate::pipeline::Pipeline;
use crate::pipeline::study::StudyPlan;
use crate::study::Study;

/// One group within one tenth of everyone's scores.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Need {
    pub split: String,
    pub group: String,
    /// From 1, the lowest scores, to 10; people with the same score are in the same.
    pub tenth: u64,
    pub rows: u64,
    pub events: u64,
    /// The mean of each number of the study's `need`, over those of whom it is known.
    pub means: Vec<Mean>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mean {
    pub feature: String,
    pub rows: u64,
    pub mean: Option<f64>,
}

/// Every group in every tenth that somebody judged is in.
pub fn at_equal_score(
    pipeline: &Pipeline,
    plan: &StudyPlan,
    study: &Study,
    rows: &[usize],
    splits: &[Split],
    everyone: &Sample,
    score: &dyn Fn(usize) -> f64,
) -> Result<Vec<Need>> {
    let tenths = calibration::places(everyone.levels(), 10);
    let tenth = |score: f64| {
        let level = everyone.levels().partition_point(|level| level.score < score);
        tenths.get(level).copied().unwrap_or_default() + 1
    };
    let numbers = plan.evaluate.need.iter().map(|feature| cast(study.table.column(*feature), &DataType::Float64));
    let numbers = numbers.collect::<Result<Vec<_>, _>>()?;
    let names: Vec<&str> = plan.evaluate.need.iter().map(|feature| pipeline.features[*feature].name.as_str()).collect();
    let mut found = Vec::new();
    for split in splits {
        let mut cells: Vec<Vec<Vec<usize>>> = vec![vec![Vec::new(); 11]; split.names.len()];
        rows.iter().for_each(|row| cells[split.of[*row] as usize][tenth(score(*row))].push(*row));
        for (group, by_tenth) in split.names.iter().zip(&cells) {
            for (tenth, rows) in by_tenth.iter().enumerate().filter(|(_, rows)| !rows.is_empty()) {
                let mean = |(name, column): (&&str, &ArrayRef)| {
                    let column = column.as_primitive::<Float64Type>();
                    let known: Vec<usize> = rows.iter().copied().filter(|row| column.is_valid(*row)).collect();
                    let sum: f64 = known.iter().map(|row| column.value(*row)).sum();
                    let mean = (!known.is_empty()).then(|| sum / known.len() as f64);
                    Mean { feature: (*name).to_owned(), rows: known.len() as u64, mean }
                };
                found.push(Need {
                    split: split.name.clone(),
                    group: group.clone(),
                    tenth: tenth as u64,
                    rows: rows.len() as u64,
                    events: rows.iter().filter(|row| study.outcome[**row]).count() as u64,
                    means: names.iter().zip(&numbers).map(mean).collect(),
                });
            }
        }
    }
    Ok(found)
}
