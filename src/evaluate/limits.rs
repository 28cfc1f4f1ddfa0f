//! What is beyond the limits of a good model: its slope, and observed over expected outcomes of everyone and of any large group.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::judge::Group;
use super::measures::Measures;
use crate::pipeline::limits::ModelLimitsDecl;

/// A figure out of its range.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    pub what: String,
    /// Split and group; none for everyone.
    pub group: Option<(String, String)>,
    pub value: f64,
    pub range: [f64; 2],
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [low, high] = self.range;
        write!(f, "{} is {:.2}, outside {low} to {high}", self.what, self.value)?;
        match &self.group {
            Some((split, group)) => write!(f, " ({split}: {group})"),
            None => Ok(()),
        }
    }
}

/// Everything out of range; points have no calibration, so nothing of them is.
pub fn findings(limits: &ModelLimitsDecl, everyone: &Measures, groups: &[Group]) -> Vec<Finding> {
    let Some(probability) = &everyone.probability else { return Vec::new() };
    let mut found = Vec::new();
    let mut judge = |what: &str, group: Option<(String, String)>, value: Option<f64>, range: [f64; 2]| {
        let outside = value.filter(|value| !(range[0]..=range[1]).contains(value));
        found.extend(outside.map(|value| Finding { what: what.to_owned(), group, value, range }));
    };
    judge("calibration slope", None, probability.slope.map(|it| it.value), limits.calibration_slope);
    let expected = probability.observed_expected.map(|it| it.value);
    judge("observed over expected", None, expected, limits.observed_expected);
    for group in groups.iter().filter(|group| group.rows >= limits.group_of_at_least) {
        let measures = group.measures.as_ref().and_then(|measures| measures.probability.as_ref());
        let value = measures.and_then(|measures| measures.observed_expected).map(|it| it.value);
        let name = (group.split.clone(), group.group.clone());
        judge("observed over expected", Some(name), value, limits.observed_expected_of_groups);
    }
    found
}
