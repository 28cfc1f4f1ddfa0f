//! Inequality over ordered groups as one number: the slope and the relative index of inequality.
//!
//! A line is fitted through the groups' values over their place in the population, by least squares weighted with their
//! size (Mackenbach and Kunst, Social Science and Medicine 1997; OHID technical guide).

use super::{Figure, Limits};

/// The fitted line over the population from the first group to the last.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Line {
    /// The value at the very beginning of the first group.
    pub intercept: f64,
    /// What the line gains from there to the end of the last: the slope index of inequality.
    pub slope: f64,
    /// Standard error of the slope, from how far the groups are off the line; none of two groups.
    pub error: Option<f64>,
}

/// Fits the line through groups of (people, value), in order; none of fewer than two groups with people.
pub fn fit(groups: &[(f64, f64)]) -> Option<Line> {
    let groups: Vec<(f64, f64)> = groups.iter().copied().filter(|(people, _)| *people > 0.0).collect();
    if groups.len() < 2 {
        return None;
    }
    let total: f64 = groups.iter().map(|(people, _)| people).sum();
    let mut before = 0.0;
    let points: Vec<Point> = groups
        .iter()
        .map(|(people, value)| {
            let share = people / total;
            before += share;
            Point { share, at: before - share / 2.0, value: *value }
        })
        .collect();
    let mean_at: f64 = points.iter().map(|point| point.share * point.at).sum();
    let mean: f64 = points.iter().map(|point| point.share * point.value).sum();
    let spread: f64 = points.iter().map(|point| point.share * (point.at - mean_at).powi(2)).sum();
    let together: f64 = points.iter().map(|point| point.share * (point.at - mean_at) * (point.value - mean)).sum();
    let slope = together / spread;
    let intercept = mean - slope * mean_at;
    let off: f64 = points.iter().map(|point| point.share * (point.value - intercept - slope * point.at).powi(2)).sum();
    let free = points.len() as f64 - 2.0;
    let error = (free > 0.0).then(|| (off / free / spread).sqrt());
    Some(Line { intercept, slope, error })
}

/// A group on the line.
struct Point {
    share: f64,
    at: f64,
    value: f64,
}

impl Line {
    /// The slope index of inequality, with limits from the least squares.
    pub fn slope_index(&self, z: f64) -> Option<Figure> {
        let error = self.error?;
        let limits = Limits { low: self.slope - z * error, high: self.slope + z * error };
        Some(Figure { value: self.slope, limits })
    }

    /// The relative index: the line's end over its beginning; none where it does not begin above 0.
    pub fn relative_index(&self) -> Option<f64> {
        (self.intercept > 0.0).then(|| (self.intercept + self.slope) / self.intercept)
    }
}
