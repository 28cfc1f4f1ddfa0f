//! How far a run may be from what its models were judged on (`[limits]` of a run file).

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Beyond these a model's score is not published, but where a named person accepts it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ModelLimitsDecl {
    /// Population stability index of the score, and of each of the ten inputs that move it most (default 0.2).
    pub max_psi: f64,
    /// By how many percentage points the share of events on a code list may fall from one run to the next (default 2).
    pub max_mapped_fall: f64,
    /// Calibration slope (default 0.8 to 1.2).
    pub calibration_slope: [f64; 2],
    /// Observed over expected outcomes of everyone (default 0.9 to 1.1).
    pub observed_expected: [f64; 2],
    /// … and of each group (default 0.8 to 1.25) …
    pub observed_expected_of_groups: [f64; 2],
    /// … of at least so many people (default 1000).
    pub group_of_at_least: u64,
    /// Who answers for a model that is beyond a limit.
    pub accepted: Vec<AcceptedModelDecl>,
}

/// A person who answers for using a model all the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptedModelDecl {
    pub model: String,
    pub by: String,
    #[schemars(with = "String", extend("format" = "date"))]
    pub on: Date,
    pub why: String,
}

impl Default for ModelLimitsDecl {
    fn default() -> Self {
        Self {
            max_psi: 0.2,
            max_mapped_fall: 2.0,
            calibration_slope: [0.8, 1.2],
            observed_expected: [0.9, 1.1],
            observed_expected_of_groups: [0.8, 1.25],
            group_of_at_least: 1000,
            accepted: Vec::new(),
        }
    }
}

impl ModelLimitsDecl {
    /// Whether somebody answers for this model.
    pub fn accepts(&self, model: &str) -> bool {
        self.accepted.iter().any(|accepted| accepted.model == model)
    }
}
