//! How good a score is, here and for every group: each measure with its definition, its source and its interval.

/// People by score.
pub mod sample;

/// 95 % intervals.
pub mod interval;

/// Discrimination.
pub mod rank;

/// Probabilities against what happened.
pub mod calibration;

/// A smooth calibration curve.
pub mod loess;

/// What a list would find.
pub mod cut;

/// All of them at once.
pub mod measures;

/// Scores head to head.
pub mod judge;

/// Who is compared with whom.
mod groups;

/// Who is sicker at equal score.
pub mod need;

/// What is beyond the limits.
pub mod limits;

/// A calibration step fitted.
pub mod recalibrate;

/// What may leave the building.
pub mod tables;

pub use judge::{Evaluation, Scored, judge, scored};
