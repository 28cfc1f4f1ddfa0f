//! Figures of inequality: what is counted, and by which groups it is compared.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Something that is counted in every group. Exactly one of `when`, `listed`, `known` and `mean`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FigureDecl {
    /// What the percentage or mean is of, in plain words: "People with an emergency admission in the last 12 months".
    pub label: String,
    /// SQL predicate over features and scores: whom the figure is about; without it everyone.
    pub among: Option<String>,
    /// SQL predicate over features and scores: who is counted.
    pub when: Option<String>,
    /// Who has a place on a list of this cohort; "any" for a list of any cohort.
    pub listed: Option<String>,
    /// Of whom this item is known.
    pub known: Option<String>,
    /// The feature or score (a number) of which the mean is taken, over those who have it.
    pub mean: Option<String>,
}

/// By what figures are compared. Every name is a feature whose values are groups.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CompareDecl {
    /// Features by whose values people are compared; who has none is "not recorded", a group of its own.
    pub by: Vec<String>,
    /// Of these, those with an order from most to least deprived: a slope and a relative index are told.
    #[serde(default)]
    pub ordered: Vec<String>,
    /// Of these, those that name providers: funnel limits are told.
    #[serde(default)]
    pub providers: Vec<String>,
    /// By feature: the group with which the others are compared (otherwise the largest that is recorded).
    #[serde(default)]
    pub against: IndexMap<String, String>,
    /// The feature with the age bands that rates are standardised by; without it none are.
    pub age: Option<String>,
    /// The population of the standard; without it this run's people.
    pub standard: Option<StandardDecl>,
    /// Features within whose values the unrecorded are taken to be like the recorded, for the estimate "at random".
    #[serde(default)]
    pub at_random_by: Vec<String>,
}

/// A standard population.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StandardDecl {
    pub citation: String,
    /// People by age band, as the feature `age` names the bands.
    pub people: IndexMap<String, u64>,
}
