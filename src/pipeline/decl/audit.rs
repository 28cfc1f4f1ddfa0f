//! What an audit expects of every person's record, and by what it splits.

use indexmap::IndexMap;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CompareDecl, FigureDecl, LinkageDecl, OtherDecl, PathwayDecl};

/// An audit: the demographic items it expects, and by what it splits.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditDecl {
    pub title: String,
    /// Features by whose values the counts are split: text, true or false, or a whole number with few values.
    #[serde(default)]
    pub split_by: Vec<String>,
    /// The feature (text) that names who can mend a record; one worklist each.
    pub worklist_by: Option<String>,
    /// At most so many rows a worklist, those worth most; without it all of them.
    pub worklist_rows: Option<u32>,
    #[serde(default)]
    pub items: IndexMap<String, ItemDecl>,
    /// Care through several settings, by name.
    #[serde(default)]
    pub pathways: IndexMap<String, PathwayDecl>,
    /// Whose rows are linked, and whose are not.
    pub linkage: Option<LinkageDecl>,
    /// By what the figures are compared; needed where there are any.
    pub compare: Option<CompareDecl>,
    /// What is counted in every group: who was admitted, listed, screened, recorded.
    #[serde(default)]
    pub figures: IndexMap<String, FigureDecl>,
}

/// One demographic item: what is valid, and which value wins when sources differ.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ItemDecl {
    pub label: String,
    /// A value is known when it matches this whole (for sources without a value set).
    pub pattern: Option<String>,
    /// A value is known when it is an ISO date not before this (for sources without a value set).
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub date_not_before: Option<Date>,
    /// Values that mean "not known" (for sources without a value set).
    #[serde(default)]
    pub default_values: Vec<String>,
    /// A known value counts for this long from the day on which it was last recorded: "5 years".
    pub expires: Option<String>,
    /// One and the same all life: a source that gives two values is in conflict with itself.
    #[serde(default)]
    pub fixed: bool,
    /// Valid values that say no more than "other".
    pub other: Option<OtherDecl>,
    /// The share of a provider's records that may hold a default code before its score falls (DQMI: default threshold).
    #[serde(default)]
    pub defaults_allowed: f64,
    pub resolve: Resolve,
    /// Sources by trust, for `source_order` and for ties.
    #[serde(default)]
    pub order: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Resolve {
    MostRecent,
    MostFrequent,
    SourceOrder,
}

impl Resolve {
    pub const ALL: [Self; 3] = [Self::MostRecent, Self::MostFrequent, Self::SourceOrder];

    /// The name in declarations and outputs.
    pub fn name(self) -> &'static str {
        match self {
            Self::MostRecent => "most_recent",
            Self::MostFrequent => "most_frequent",
            Self::SourceOrder => "source_order",
        }
    }
}
