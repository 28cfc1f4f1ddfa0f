//! What a model claims, who answers for it, and how features become its score.

use indexmap::IndexMap;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ProbabilityDecl, SignOff};
use crate::pipeline::calibration::CalibrationDecl;

/// A model: what is claimed, by whom, and how features become a score.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelDecl {
    pub title: String,
    pub kind: ModelKind,
    pub version: String,
    /// What the score predicts, in plain words.
    pub predicts: String,
    /// On whom it was made and validated.
    pub population: String,
    pub citation: String,
    pub signed_off: SignOff,
    /// Facts for people who read; a model without one is refused.
    pub card: String,
    /// SQL predicate over features: whom the score is about. Everyone else has none: null, not 0.
    pub applies_when: Option<String>,
    /// By feature: the edition that the lookup behind it must declare. Coefficients hold for the edition they were fitted on.
    #[serde(default)]
    pub editions: IndexMap<String, String>,
    /// `points`: a CSV with `category,points` and optionally `trumps` (categories it silences, separated by spaces).
    /// `trees`: a CSV with one row a node: `tree,node,feature,equals,below,missing,left,right,value,rows,people`.
    pub table: Option<String>,
    /// `points`: the feature a category is bound to, for example "hfrs_{category}".
    pub feature: Option<String>,
    /// `points`: what the table's sum counts as from some value up, lowest first; below the first as it is.
    #[serde(default)]
    pub table_sum: Vec<TableSumDecl>,
    /// `points`: further points by a threshold on a feature.
    #[serde(default)]
    pub thresholds: Vec<ThresholdDecl>,
    /// `points`: the sum is never below this.
    pub floor: Option<f64>,
    /// `points`: the score is the sum divided by this; a share of 36 deficits, for example.
    pub divide_by: Option<f64>,
    /// `logistic`, `trees`, `stack`: the intercept, on the log-odds scale.
    pub intercept: Option<f64>,
    /// `stack`: what it leans on.
    #[serde(default)]
    pub bases: Vec<BaseDecl>,
    /// `logistic`: the terms; or a CSV with the same columns in `table`.
    #[serde(default)]
    pub terms: Vec<TermDecl>,
    /// Where the score is a probability: of what, within what time.
    pub probability: Option<ProbabilityDecl>,
    /// Names for ranges of the score, lowest first; the last has no `below`.
    #[serde(default)]
    pub bands: Vec<BandDecl>,
    /// What is done to the raw probability, in order.
    #[serde(default)]
    pub calibration: Vec<CalibrationDecl>,
    /// A CSV with `input,bin,share`: how inputs and score were spread in training, which each run is compared with.
    pub reference: Option<String>,
    /// Of a model that `riskstrat train` made: from what. Such a folder has a `model.lock`.
    pub trained: Option<TrainedDecl>,
    /// Who answers for using the model where its folder holds no evaluation on this population.
    pub accepted_without_local_validation: Option<AcceptedDecl>,
    /// Of a model that predicts a cost: without this it is refused.
    #[serde(default)]
    pub i_understand_cost_label: bool,
}

/// A model within a stack, whose table is in the same folder.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BaseDecl {
    /// In plain words, for people who read.
    pub name: String,
    /// `logistic` or `trees`.
    pub kind: ModelKind,
    pub table: String,
    pub intercept: f64,
    /// Above 0: by which its log-odds are multiplied.
    pub weight: f64,
}

/// Where a trained model comes from.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TrainedDecl {
    /// Layout of the folder; this program reads 1.
    pub format: u32,
    /// The study, and the SHA-256 of its file.
    pub study: String,
    pub study_sha256: String,
    /// What is predicted: outcomes with the same id are the same.
    pub outcome_id: String,
    /// The outcome is a cost.
    #[serde(default)]
    pub cost_label: bool,
    /// On those learnt from; above 0.95 something of the outcome is among the inputs.
    pub auroc_in_training: f64,
    /// Rows learnt from, and those with the outcome.
    pub rows: u64,
    pub events: u64,
}

/// A person who answers for a decision.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptedDecl {
    pub by: String,
    #[schemars(with = "String", extend("format" = "date"))]
    pub on: Date,
    pub why: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ModelKind {
    Points,
    Logistic,
    /// A fitted ensemble: the logistic function of the intercept and one leaf of each tree.
    Trees,
    /// The logistic function of the intercept and the log-odds of its bases, each times its weight.
    Stack,
}

impl ModelKind {
    pub fn is_probability(self) -> bool {
        self != Self::Points
    }
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TableSumDecl {
    pub at_least: f64,
    pub counts_as: f64,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ThresholdDecl {
    /// A number, or true and false as 1 and 0.
    pub feature: String,
    /// Points count when the feature is at least this.
    pub at_least: f64,
    /// … and below this.
    pub below: Option<f64>,
    pub points: f64,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TermDecl {
    pub feature: String,
    /// Of a text feature: 1 where it is this value, otherwise 0.
    pub equals: Option<String>,
    pub coefficient: f64,
    /// What stands in for a null, before all else; without it a null stops the run.
    pub missing: Option<f64>,
    /// The value becomes 1 when it is at least this …
    pub at_least: Option<f64>,
    /// … and below this; otherwise 0.
    pub below: Option<f64>,
    /// What explanations count from: the term's value after cap, transform and division, on average over those learnt
    /// from (default 0). Changes no score.
    pub reference: Option<f64>,
    /// The value is lowered to this first.
    pub cap: Option<f64>,
    #[serde(default)]
    pub transform: Transform,
    /// … and divided by this last.
    pub divide_by: Option<f64>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Transform {
    #[default]
    Identity,
    /// ln(1 + x)
    Log1p,
    Sqrt,
    Square,
    /// 1 where the feature is null, otherwise 0.
    IsMissing,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BandDecl {
    pub name: String,
    pub below: Option<f64>,
}
