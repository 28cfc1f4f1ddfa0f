//! What an audit says beside its items: other categories, pathways, linkage.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Values such as "any other background": valid, and little use where they are many.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OtherDecl {
    /// The resolved values that say no more than "other".
    pub values: Vec<String>,
    /// A larger share of a provider's records with a known value is a finding.
    pub at_most: f64,
}

/// The care of one need through several settings: a gap at one step breaks the chain.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PathwayDecl {
    pub title: String,
    /// How far back rows count: "2 years" or "ever".
    pub within: String,
    /// In the order of care; people who have a row at the first step are on the pathway.
    pub steps: Vec<StepDecl>,
}

/// The rows of one setting.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepDecl {
    pub title: String,
    pub source: String,
    /// SQL over the source's columns; without it every row counts.
    #[serde(rename = "where")]
    pub filter: Option<String>,
}

/// By what the rows that were linked and those that were not are compared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkageDecl {
    /// Items with a value set, and columns that are also features: each where a source has it.
    pub by: Vec<String>,
    /// Items that one person has only one of: sources that differ in them may be about two people.
    #[serde(default)]
    pub identity: Vec<String>,
}
