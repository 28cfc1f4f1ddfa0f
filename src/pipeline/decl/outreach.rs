//! How many people a list takes, how lists share people, and what a run remembers of the one before.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::pipeline::limits::ModelLimitsDecl;

/// How the lists of a run share people, and what it remembers of earlier runs.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OutreachDecl {
    /// Nobody is on two lists, reserves included: the first cohort by `precedence` keeps the person, and each later one
    /// counts them as excluded, "on another list".
    pub one_owner: bool,
    /// Every cohort, first owner first; without it the order of `cohorts`.
    pub precedence: Option<Vec<String>>,
    /// Earlier runs in the same output folder are an input: what changed since (`<model>_change`), who was listed before,
    /// and the figures that `[limits]` compares with. Part of the run id.
    pub remember: bool,
    /// For every cohort without a `[cool_off]` of its own.
    pub cool_off: Option<CoolOffDecl>,
}

/// How long a person is left alone, after what: each becomes an exclusion with a count of its own.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CoolOffDecl {
    /// The feedback source; needed with `after`.
    pub of: Option<String>,
    /// Its category column (default "outcome").
    pub column: Option<String>,
    /// By category: the window, for example `declined = "12 months"`.
    pub after: IndexMap<String, String>,
    /// Since any list had the person: a window such as "28 days". Needs `[outreach] remember`.
    pub listed_within: Option<String>,
}

/// How far a run may differ from the one before; beyond it, nothing is published. Needs `[outreach] remember`, which alone
/// sets the values given here as default; `models` needs no run before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsDecl {
    /// Share by which the rows of a source may shrink (default 0.10).
    pub rows_shrink: f64,
    /// Share by which they may grow (default 0.50).
    pub rows_grow: f64,
    /// Share by which the number of people listed may change, either way, before a human must say yes (default 0.20).
    pub list_size: f64,
    /// Share of the people listed before who may be gone, before a human must say yes (default 0.30). Lists with a long
    /// cool-off change more: say so here.
    pub list_turnover: f64,
    /// Percentage points by which the share of any group on a list may move, before a human must say yes (default 5).
    pub group_points: f64,
    /// Sources with fewer rows, and lists with fewer people, before and now, are not judged (default 20).
    pub judged_from: u64,
    /// Providers that are known to send no more, by source: they are not reported as absent.
    pub closed_providers: IndexMap<String, Vec<String>>,
    /// Of models: drift, calibration, reach of code lists.
    pub models: Option<ModelLimitsDecl>,
}

impl LimitsDecl {
    /// The models that somebody answers for.
    pub fn accepted(&self) -> Vec<String> {
        let models = self.models.iter().flat_map(|models| &models.accepted);
        models.map(|accepted| accepted.model.clone()).collect()
    }
}

impl Default for LimitsDecl {
    fn default() -> Self {
        Self {
            rows_shrink: 0.10,
            rows_grow: 0.50,
            list_size: 0.20,
            list_turnover: 0.30,
            group_points: 5.0,
            judged_from: 20,
            closed_providers: IndexMap::new(),
            models: None,
        }
    }
}

/// Places: how many, for whom, and what binds them beside the rank.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CapacityDecl {
    /// A feature whose value names the recipient (`pcn`, `practice`); without it one list.
    pub per: Option<String>,
    /// Places for each recipient.
    pub take: u32,
    /// Listed behind the cut.
    #[serde(default)]
    pub reserve: u32,
    /// How often the recipient has these places, for people who read: "1 week".
    pub every: Option<String>,
    /// Share of the places, the last ones, that is given by lottery among twice as many candidates, so that impact can be
    /// measured. Who is not drawn is neither listed nor in reserve.
    pub draw: Option<f64>,
    /// Further limits, all of them respected: over listed and reserve together, so that no moving up breaks one.
    #[serde(default)]
    pub limit: Vec<LimitDecl>,
    /// At most so many places of a recipient for a value of a feature, listed and reserve together.
    #[serde(default)]
    pub quota: Vec<QuotaDecl>,
    /// At least so many places of a recipient for a group; what it changes is shown.
    #[serde(default)]
    pub floor: Vec<FloorDecl>,
    /// The first key of the rank counts so many times for a group; what it changes is shown.
    #[serde(default)]
    pub weight: Vec<WeightDecl>,
}

/// A limit that lies inside or across the recipients: a practice in its PCN, a place over its PCNs.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LimitDecl {
    /// A feature (text) that names what is limited.
    pub per: String,
    /// Places for each.
    pub take: u32,
    /// So many more may wait in the reserve.
    #[serde(default)]
    pub reserve: u32,
}

/// Places for the values of a feature; values that are not named share what is left without a limit of their own.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QuotaDecl {
    /// A feature (text).
    pub by: String,
    pub at_most: IndexMap<String, u32>,
}

/// A guarantee for a group: `at_least` places, or a `share` of them, rounded up.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FloorDecl {
    /// The group's name in outputs.
    pub group: String,
    /// SQL predicate over features and scores.
    pub when: String,
    pub at_least: Option<u32>,
    pub share: Option<f64>,
    /// Why; printed with its effect.
    pub because: String,
}

/// A weight for a group.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WeightDecl {
    /// The group's name in outputs.
    pub group: String,
    /// SQL predicate over features and scores.
    pub when: String,
    /// The first rank key, a score or number ranked `desc`, is multiplied by this.
    pub times: f64,
    /// Why; printed with its effect.
    pub because: String,
}
