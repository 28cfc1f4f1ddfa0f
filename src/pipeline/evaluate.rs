//! What an evaluation reports beside the measures of everyone, as it is written in a study and as it is checked.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How scores are judged on the people of a study.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EvaluateDecl {
    /// Splits by several features at once: `[["ethnicity", "sex"]]`.
    pub intersections: Vec<Vec<String>>,
    /// Splits by how many people share a value: by the size of a practice.
    pub by_size: Vec<BySizeDecl>,
    /// Numbers whose means are compared between groups at equal score (Obermeyer 2019): conditions, admissions.
    pub need: Vec<String>,
    /// Thresholds of net benefit.
    pub thresholds: Vec<f64>,
    /// Lengths of lists: whole numbers are places, below 1 a share of the people judged.
    pub top: Vec<f64>,
    /// The places that there really are: who would have one is decided among everyone, not only those judged.
    pub list: Option<PlacesDecl>,
    /// Of a smaller group no figure is given (default 100 people).
    pub smallest_group: u64,
    /// … nor of one with fewer outcomes, or fewer people without (default 20).
    pub fewest_outcomes: u64,
    /// Samples of the bootstrap (default 200).
    pub replicates: u32,
    pub seed: u64,
}

/// Groups by the number of people with the same value of a feature.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BySizeDecl {
    pub of: String,
    /// Where the second size begins, and the third, …: `[5000, 10000]` makes three.
    pub from: Vec<u64>,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlacesDecl {
    /// The feature that names the recipient; without it one list.
    pub per: Option<String>,
    /// Places for each recipient.
    pub take: u32,
}

impl Default for EvaluateDecl {
    fn default() -> Self {
        Self {
            intersections: Vec::new(),
            by_size: Vec::new(),
            need: Vec::new(),
            thresholds: vec![0.05, 0.1, 0.2, 0.3, 0.4, 0.5],
            top: vec![0.01, 0.05, 0.1],
            list: None,
            smallest_group: 100,
            fewest_outcomes: 20,
            replicates: 200,
            seed: 1,
        }
    }
}

/// Names resolved to indices into [`super::Pipeline::features`].
#[derive(Debug, Clone)]
pub struct EvaluatePlan {
    pub decl: EvaluateDecl,
    pub intersections: Vec<Vec<usize>>,
    pub by_size: Vec<(usize, Vec<u64>)>,
    pub need: Vec<usize>,
    /// Who names the recipient.
    pub per: Option<usize>,
}
