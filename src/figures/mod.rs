//! Statistics of health inequality: pure functions of counts, each with its interval and its source.
//!
//! They are the ones of the Office for Health Improvement and Disparities ("Technical guide: common public health
//! statistics and their confidence intervals", 2018), and are held against its package in `tests/it/statistics.rs`.

/// Limits of a proportion and of a number of events.
pub mod interval;

/// Rates as if every group had the same ages.
pub mod standard;

/// Inequality over ordered groups as one number.
pub mod slope;

/// How far chance alone moves a provider of some size.
pub mod funnel;

/// What the people of whom nothing is recorded could do to a figure.
pub mod bounds;

/// A figure from run to run, and when it moved by more than chance.
pub mod chart;

/// Student's t, where a spread is estimated from few.
pub mod student;

/// The two-sided 95 % point of the standard normal distribution.
pub const Z95: f64 = 1.959_963_984_540_054;

/// The two-sided 99.8 % point.
pub const Z998: f64 = 3.090_232_306_167_813;

/// A figure and its limits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figure {
    pub value: f64,
    pub limits: Limits,
}

/// The ends of an interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    pub low: f64,
    pub high: f64,
}

impl Limits {
    /// Both ends moved and stretched, `low` first where `by` is positive.
    pub fn map(self, to: impl Fn(f64) -> f64) -> Self {
        Self { low: to(self.low), high: to(self.high) }
    }
}
