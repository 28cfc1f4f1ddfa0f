//! Calibration steps on a raw probability, one after the other as the model lists them.

use arrow::record_batch::RecordBatch;

use crate::cohort::words;
use crate::error::Result;
use crate::pipeline::calibration::{LogitLine, Step, line_of};

/// Probabilities of 0 and 1 have no finite logit: they are moved in by this much.
pub const EDGE: f64 = 1e-10;

pub fn logit(p: f64) -> f64 {
    let p = p.clamp(EDGE, 1.0 - EDGE);
    (p / (1.0 - p)).ln()
}

pub fn expit(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

impl LogitLine {
    pub fn apply(&self, p: f64) -> f64 {
        expit(self.intercept + self.slope * logit(p))
    }
}

/// Takes every score through the steps; `table` holds the pipeline's features, in their order.
pub fn apply(steps: &[Step], table: &RecordBatch, scores: &mut [f64]) -> Result<()> {
    for step in steps {
        match step {
            Step::Line(line) => scores.iter_mut().for_each(|score| *score = line.apply(*score)),
            Step::Isotonic(points) => scores.iter_mut().for_each(|score| *score = along(points, *score)),
            Step::ByGroup { feature, groups } => {
                let column = table.column(*feature);
                for (row, score) in scores.iter_mut().enumerate() {
                    let line = line_of(groups, words::written(column, row)?.as_deref());
                    *score = line.map_or(f64::NAN, |line| line.apply(*score));
                }
            }
        }
    }
    Ok(())
}

/// Straight lines through points sorted by score, level beyond both ends.
pub fn along(points: &[[f64; 2]], score: f64) -> f64 {
    let above = points.partition_point(|[at, _]| *at < score);
    let below = above.checked_sub(1).and_then(|below| points.get(below));
    match (below, points.get(above)) {
        (Some([x0, y0]), Some([x1, y1])) => y0 + (y1 - y0) * (score - x0) / (x1 - x0),
        (Some([_, y]), None) | (None, Some([_, y])) => *y,
        (None, None) => f64::NAN,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use arrow::array::{ArrayRef, StringArray};

    use super::*;
    use crate::cohort::words::NOT_RECORDED;
    use crate::pipeline::calibration::EVERYONE_ELSE;

    #[test]
    fn steps_follow_each_other_and_null_is_a_group() {
        let groups: ArrayRef = Arc::new(StringArray::from(vec![Some("A"), None, Some("Z")]));
        let table = RecordBatch::try_from_iter([("group", groups)]).unwrap();
        let line = |intercept| LogitLine { intercept, slope: 1.0 };
        let by = [("A", 1.0), (NOT_RECORDED, 2.0), (EVERYONE_ELSE, 3.0)];
        let steps = [
            Step::Line(LogitLine { intercept: 0.5, slope: 2.0 }),
            Step::ByGroup {
                feature: 0,
                groups: by
                    .map(|(group, intercept)| (group.to_owned(), line(intercept)))
                    .into_iter()
                    .collect::<BTreeMap<_, _>>(),
            },
        ];
        let mut scores = [0.5, 0.5, 0.5];
        apply(&steps, &table, &mut scores).unwrap();
        let wanted = [1.5, 2.5, 3.5].map(expit);
        assert!(scores.iter().zip(wanted).all(|(ours, wanted)| (ours - wanted).abs() < 1e-15), "{scores:?}");
    }

    #[test]
    fn a_curve_is_straight_between_its_points_and_level_beyond() {
        let points = [[0.1, 0.2], [0.3, 0.2], [0.5, 0.8]];
        for (score, wanted) in [(0.0, 0.2), (0.1, 0.2), (0.2, 0.2), (0.3, 0.2), (0.4, 0.5), (0.5, 0.8), (0.9, 0.8)] {
            assert!((along(&points, score) - wanted).abs() < 1e-15, "{score}");
        }
        assert!(along(&[], 0.3).is_nan());
    }
}
