//! Who is in a cohort, who is out, in what order, and what its readers see.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ActionDecl, CapacityDecl, CoolOffDecl, SignOff};

/// A cohort: who is in, who is out, in what order, and how many a team can call.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CohortDecl {
    pub title: String,
    pub purpose: String,
    pub signed_off: SignOff,
    /// The run's role of those who read the lists.
    pub role: Option<String>,
    /// What the recipient should do, in plain words, where none of `actions` holds.
    pub action: Option<String>,
    /// The first that holds says what to do for a person; signed off with the cohort.
    #[serde(default)]
    pub actions: Vec<ActionDecl>,
    /// Every one must hold.
    pub include: Vec<IncludeDecl>,
    #[serde(default)]
    pub exclude: IndexMap<String, ExcludeDecl>,
    /// In place of the run's.
    pub cool_off: Option<CoolOffDecl>,
    pub rank: RankDecl,
    pub capacity: CapacityDecl,
    /// How long the list holds, from the as-of date: "14 days".
    pub valid_for: Option<String>,
    /// Features printed on the list beside the reasons, each once, none with the name of a list's own column.
    #[serde(default)]
    pub show: Vec<String>,
    /// Of the shown features, those that a caller must know first: language, interpreter, how to give information.
    #[serde(default)]
    pub before_calling: Vec<String>,
    /// The feature (text) that names the team within a recipient: a worklist has a page for each. Without it the
    /// recipient is the team.
    pub team: Option<String>,
}

/// Within one, any criterion will do.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IncludeDecl {
    pub any: IndexMap<String, CriterionDecl>,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CriterionDecl {
    /// SQL predicate over features and scores.
    pub when: String,
    /// Plain words; `{feature}` is filled in. Without it the features' own reasons are used; an empty one says nothing.
    pub reason: Option<String>,
}

/// By `when`, or by an event `of` a source `within` a window.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExcludeDecl {
    pub when: Option<String>,
    pub of: Option<String>,
    pub within: Option<String>,
    #[serde(rename = "where")]
    pub filter: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RankDecl {
    /// Features or scores with `asc` or `desc`; nulls last; ties by a keyed hash of the token.
    pub by: Vec<String>,
}
