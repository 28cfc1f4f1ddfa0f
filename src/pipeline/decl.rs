//! The declarations as they are written: one struct a table, one field a key, nothing flattened.
//!
//! These types are the single source for parsing, for the JSON Schema that `riskstrat schema` prints and for the
//! checks that precede serde. What a name means across files is settled in `crate::pipeline::check`. One file below this
//! one for each thing that is declared; here stands what several of them use.

mod audit;
mod cohort;
mod column;
mod feature;
mod figures;
mod gaps;
mod lists;
pub mod measures;
mod model;
mod outreach;
mod run;
mod source;

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use audit::{AuditDecl, ItemDecl, Resolve};
pub use cohort::{CohortDecl, CriterionDecl, ExcludeDecl, IncludeDecl, RankDecl};
pub use column::{CodeSystem, ColumnDecl, ColumnType, DemographicDecl, OnBadValue};
pub use feature::{AgeVerb, DerivedVerb, Each, EventsVerb, FeatureDecl, FeaturesDecl, ValueVerb, WebVerb};
pub use figures::{CompareDecl, FigureDecl, StandardDecl};
pub use gaps::{LinkageDecl, OtherDecl, PathwayDecl, StepDecl};
pub(crate) use lists::matches;
pub use lists::{ActionDecl, ListFormat, ProbabilityDecl, RecipientRoleDecl};
pub use model::{
    AcceptedDecl, BandDecl, BaseDecl, ModelDecl, ModelKind, TableSumDecl, TermDecl, ThresholdDecl, TrainedDecl,
    Transform,
};
pub use outreach::{CapacityDecl, CoolOffDecl, FloorDecl, LimitDecl, LimitsDecl, OutreachDecl, QuotaDecl, WeightDecl};
pub use run::{DisclosureRule, OptOutsDecl, PublishDecl, RunDecl, SelfCheckDecl};
pub use source::{OnBadRow, ProviderDecl, RaggedRows, Role, RowsPerKey, Setting, SourceDecl, Tokens};

/// One string or several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl OneOrMany {
    pub fn as_slice(&self) -> &[String] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }
}

/// Who answers for the clinical content, since when and until when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SignOff {
    pub by: String,
    #[schemars(with = "String", extend("format" = "date"))]
    pub on: Date,
    /// After this date the content needs review: an as-of date beyond it is warned about.
    #[schemars(with = "String", extend("format" = "date"))]
    pub review_by: Date,
}
