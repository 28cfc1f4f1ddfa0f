//! A feature: one verb over events, a register or other features, and its window.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::pipeline::measures::WebFigure;

/// A feature file: features by name, in order.
pub type FeaturesDecl = IndexMap<String, FeatureDecl>;

/// One feature, or a family of them: exactly one verb.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FeatureDecl {
    /// Plain words; `{window}` and `{category}` are filled in.
    pub label: String,
    /// Short words that stand above the feature on a list, in place of its label; `{window}` and `{category}` are filled in.
    pub heading: Option<String>,
    /// One feature a window, the name ending in `_90d`, `_12m`, `_3y`.
    pub windows: Option<Vec<String>>,
    /// The one window: "90 days", "12 months", "3 years" or "ever".
    pub within: Option<String>,
    /// The window begins with this day at the earliest: a date feature declared before this one.
    pub since: Option<String>,
    /// The window ends before this day, and `within` is counted back from it: a date feature declared before this one.
    pub before: Option<String>,
    /// As `before`, with that day inside the window. Where the day is not known, the feature is null.
    pub until: Option<String>,
    /// Plain words for a list row; `{value}`, `{window}`, `{category}`, `{latest_date}` are filled in.
    pub reason: Option<String>,
    /// No list ever gives this feature as a reason: it is too sensitive to be read beside a name.
    #[serde(default)]
    pub never_as_reason: bool,
    /// Unit of the value, for people who read.
    pub unit: Option<String>,
    /// Full years from `birth_date` to the as-of date, or to another day.
    pub age: Option<AgeVerb>,
    /// Events.
    pub count: Option<EventsVerb>,
    /// Distinct values of `column` over events (or of the code list's `category`).
    pub count_distinct: Option<EventsVerb>,
    /// Distinct days with an event.
    pub count_days: Option<EventsVerb>,
    /// Whether there is an event: true or false, null only where the window hangs on a day that is not known.
    pub exists: Option<EventsVerb>,
    /// Days from the latest event to the as-of date; null without one.
    pub days_since: Option<EventsVerb>,
    /// The latest value of `column` that is not null; of several on one day the greatest; null without one. With a
    /// `codelist` and no `column`: the category last recorded; of several on one day the one that stands last on the list.
    pub latest: Option<EventsVerb>,
    /// Sum of `column` (integer or decimal) over events; 0 without one.
    pub total: Option<EventsVerb>,
    /// Longest stay in days: from `date` to `end`, open ones and ends beyond it counted to the as-of date; null without one.
    pub longest: Option<EventsVerb>,
    /// Days of all stays together, each as `longest` counts it; 0 without one.
    pub bed_days: Option<EventsVerb>,
    /// Whether an event is open at the as-of date: begun before it, with no `end` or one on or after it.
    pub open_at_index: Option<EventsVerb>,
    /// A register's own column, a resolved demographic `item`, or how one is recorded (`state`).
    pub value: Option<ValueVerb>,
    /// SQL over features declared before this one, in this file or an earlier one.
    pub derived: Option<DerivedVerb>,
    /// A figure of the person's web of care.
    pub web: Option<WebVerb>,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AgeVerb {
    /// The register whose resolved `birth_date` counts.
    pub of: String,
    /// The age on this day, not on the as-of date: a date feature declared before this one.
    pub on: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EventsVerb {
    /// An events or feedback source.
    pub of: String,
    /// SQL predicate over the source's declared columns.
    #[serde(rename = "where")]
    pub filter: Option<String>,
    /// Only events that had ended: those whose `end` lies before the as-of date.
    #[serde(default)]
    pub ended: bool,
    /// The column the verb works on; with a code list the code column, when the source has several.
    pub column: Option<String>,
    /// Only events with a code on this list (`codelists/<name>.csv`).
    pub codelist: Option<String>,
    /// The code column that meets the code list, when the source has several.
    pub code: Option<String>,
    /// Only these categories of the code list.
    pub categories: Option<Vec<String>>,
    /// One feature for each category of the code list.
    pub each: Option<Each>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Each {
    Category,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ValueVerb {
    /// A register.
    pub of: Option<String>,
    /// Its column.
    pub column: Option<String>,
    /// A demographic item, resolved across sources.
    pub item: Option<String>,
    /// How such an item is recorded over all sources: `known`, `conflicting`, `declined`, `blank` and so on.
    pub state: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WebVerb {
    /// A web of one of the run's measures.
    pub of: String,
    pub figure: WebFigure,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DerivedVerb {
    /// SQL expression.
    pub sql: String,
}
