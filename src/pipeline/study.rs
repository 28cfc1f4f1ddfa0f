//! A study, as it is written and as it is checked: who, as of which dates, what became of them, and what is learnt from it.

use std::path::PathBuf;

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Feature;
use super::decl::{BandDecl, EventsVerb, SignOff};
use super::evaluate::{EvaluateDecl, EvaluatePlan};
use crate::calendar::Window;

/// A study: the people of a run at one or several as-of dates, and an outcome in the time after each.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StudyDecl {
    pub title: String,
    /// The run file whose sources and features it uses, relative to this file.
    pub run: String,
    /// As-of dates, each once; a person may be in at each of them.
    #[schemars(with = "Vec<String>")]
    pub as_of: Vec<Date>,
    /// SQL predicate over features: who is in. Everyone on the spine without it.
    #[serde(rename = "where")]
    pub filter: Option<String>,
    pub outcome: OutcomeDecl,
    /// What a death before the end of the follow-up means.
    pub deaths: Deaths,
    /// Whose outcome an earlier list changed is not known: neither learnt from nor judged on.
    pub acted_on: Option<ActedOnDecl>,
    /// Rows recorded on or after this date say nothing of the outcome; without it all that was delivered counts.
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub known_by: Option<Date>,
    /// The latest row of the outcome's source may be this long before the end of the follow-up (default "31 days").
    pub max_gap: Option<String>,
    /// Features that a learner may use; `name_*` takes all that begin so.
    pub inputs: Vec<String>,
    /// Features by whose values an evaluation is split: text, true or false, or a whole number with few values.
    #[serde(default)]
    pub groups: Vec<String>,
    pub split: SplitDecl,
    /// What is reported beside the measures of everyone.
    #[serde(default)]
    pub evaluate: EvaluateDecl,
    /// How a model is fitted; without it the study only evaluates.
    pub train: Option<TrainDecl>,
    pub signed_off: SignOff,
    /// A cost stands for need only where access is equal (Obermeyer 2019): without this such an outcome is refused.
    #[serde(default)]
    pub i_understand_cost_label: bool,
}

/// Lists that were acted on. Who was left alone by lot counts once for each person that they stand for.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ActedOnDecl {
    /// The output folder of the runs, relative to this file: what was released counts, and as long as nothing was, what
    /// the runs listed.
    pub runs: String,
    /// For how long what follows on a place changes a person's risk: places so long before an as-of date count too.
    pub lasts: String,
}

/// What is predicted: one verb about events in `[as_of, as_of + within)`, and for a number from which value on.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OutcomeDecl {
    /// Plain words; every output names the outcome by them.
    pub label: String,
    /// "30 days", "12 months".
    pub within: String,
    /// Unit of a number, for people who read.
    pub unit: Option<String>,
    /// A number counts as the outcome from this value on.
    pub at_least: Option<f64>,
    pub exists: Option<EventsVerb>,
    pub count: Option<EventsVerb>,
    pub count_days: Option<EventsVerb>,
    pub count_distinct: Option<EventsVerb>,
    pub total: Option<EventsVerb>,
    pub longest: Option<EventsVerb>,
    /// Whether an event that began in the window is open at its end.
    pub open_at_index: Option<EventsVerb>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Deaths {
    /// A death is the outcome too.
    InOutcome,
    /// Without an event before it, what would have happened is not known: counted, neither learnt from nor judged on.
    Censored,
    /// Whoever dies in the window is left out.
    Excluded,
    /// Without an event before it, it is none: the risk is that of the event while alive.
    NoEvent,
}

/// Who is learnt from, and who is kept back; a person is always on one side.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SplitDecl {
    /// Share of people held out, by a keyed hash of the token.
    pub hold_out: f64,
    /// Key of that hash: the same key holds the same people out.
    pub key: String,
    /// Split by time as well: learnt from as-of dates before this one, judged on those from it on.
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub from: Option<Date>,
}

/// How a model is fitted.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TrainDecl {
    pub learner: LearnerKind,
    /// What the model's title says; by default the study's.
    pub title: Option<String>,
    #[serde(default = "one")]
    pub seed: u64,
    /// Person-disjoint folds of the cross-validation.
    #[serde(default = "five")]
    pub folds: u32,
    #[serde(default)]
    pub logistic: LogisticDecl,
    #[serde(default)]
    pub trees: TreesDecl,
    /// Names for ranges of the score, lowest first.
    #[serde(default)]
    pub bands: Vec<BandDecl>,
}

fn one() -> u64 {
    1
}

fn five() -> u32 {
    5
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LearnerKind {
    Logistic,
    Trees,
    /// Both, weighted by what each says of people whom it had not seen; nothing of its own is declared.
    Stack,
}

/// Penalised logistic regression: every pair of penalties is tried in cross-validation, the least log loss is kept.
///
/// Penalties are on standardised inputs, beside the sum of the log loss over people: `ridge` is 1/C of scikit-learn.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LogisticDecl {
    pub ridge: Vec<f64>,
    pub lasso: Vec<f64>,
    /// Inputs taken as ln(1 + x); `name_*` takes all that begin so.
    pub log1p: Vec<String>,
    /// What stands in for a missing value, by input; otherwise the mean of those learnt from.
    pub fill: indexmap::IndexMap<String, f64>,
}

impl Default for LogisticDecl {
    fn default() -> Self {
        Self { ridge: vec![1.0], lasso: vec![0.0], log1p: Vec::new(), fill: indexmap::IndexMap::new() }
    }
}

/// Boosted trees: every setting is tried in cross-validation, the least log loss is kept. A leaf is never of fewer than 10
/// people.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TreesDecl {
    /// At most so many trees.
    pub trees: u32,
    /// Leaves of a tree, at most.
    pub leaves: Vec<u32>,
    /// What share of its step each tree takes.
    pub learning_rate: Vec<f64>,
    /// Penalty on the squares of the leaves.
    pub ridge: Vec<f64>,
    /// Growing ends when so many trees did not lower the log loss of a tenth of the people, whom they were not grown on;
    /// 0 grows them all.
    pub patience: u32,
}

impl Default for TreesDecl {
    fn default() -> Self {
        Self { trees: 500, leaves: vec![31], learning_rate: vec![0.1], ridge: vec![1.0], patience: 20 }
    }
}

/// A checked study over a pipeline that was checked with it.
#[derive(Debug, Clone)]
pub struct StudyPlan {
    /// File stem.
    pub name: String,
    pub decl: StudyDecl,
    /// SHA-256 of the study file.
    pub sha256: String,
    pub outcome: Outcome,
    pub acted_on: Option<ActedOn>,
    /// Indices into [`super::Pipeline::features`], ascending.
    pub inputs: Vec<usize>,
    /// Indices into [`super::Pipeline::features`], as declared.
    pub groups: Vec<usize>,
    pub max_gap: Window,
    pub evaluate: EvaluatePlan,
}

#[derive(Debug, Clone)]
pub struct ActedOn {
    /// The folder that holds `runs/`.
    pub out: PathBuf,
    pub lasts: Window,
}

#[derive(Debug, Clone)]
pub struct Outcome {
    /// An event verb; its window is set for each as-of date.
    pub feature: Feature,
    /// Length of the follow-up.
    pub within: Window,
    pub at_least: Option<f64>,
    /// It is a cost, and the study says that this is understood.
    pub cost: bool,
    /// SHA-256 of the outcome's declaration and the death rule: two studies with the same one predict the same.
    pub id: String,
}
