//! What a run names, in the order in which it happens, and what it publishes.

use indexmap::IndexMap;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{LimitsDecl, ListFormat, OutreachDecl, RecipientRoleDecl};

/// A run: which deliveries, sources, features, models, audits and cohorts, in the order in which they happen.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunDecl {
    /// What this run is called on every output.
    pub title: String,
    /// Whose people they are, in the words by which a model's evaluation names them ("Northvale ICB").
    pub population: Option<String>,
    /// Folder that holds the deliveries, relative to this file; `--deliveries` replaces it.
    pub deliveries: String,
    /// As-of date; `--as-of` replaces it. One of the two is required.
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub as_of: Option<Date>,
    /// Source files by name (`sources/<name>.toml`), registers and events alike.
    pub sources: Vec<String>,
    /// Feature files by name (`features/<name>.toml`).
    #[serde(default)]
    pub features: Vec<String>,
    /// Models by name (`models/<name>/model.toml`).
    #[serde(default)]
    pub models: Vec<String>,
    /// Audits by name (`audits/<name>.toml`).
    #[serde(default)]
    pub audits: Vec<String>,
    /// Measures of what care does by name (`measures/<name>.toml`): webs of care, diversions, impact, demand.
    #[serde(default)]
    pub measures: Vec<String>,
    /// Cohorts by name (`cohorts/<name>.toml`).
    #[serde(default)]
    pub cohorts: Vec<String>,
    /// Who reads the lists, by name; where there are roles, every cohort names one.
    #[serde(default)]
    pub roles: IndexMap<String, RecipientRoleDecl>,
    /// Features that no list gives as a reason, whatever their file says; a family's members by their full names.
    #[serde(default)]
    pub never_as_reason: Vec<String>,
    /// How the opt-outs are known when no source has the role `opt_out`.
    pub opt_outs: Option<OptOutsDecl>,
    /// The latest record of any source may be this much older than the as-of date (default "100 days").
    pub max_data_age: Option<String>,
    /// Beyond so much memory the run stops with exit code 5, such as "4 GiB"; `--memory-limit` replaces it.
    pub memory_limit: Option<String>,
    /// How the lists share people, and what the run remembers of earlier ones.
    #[serde(default)]
    pub outreach: OutreachDecl,
    /// How far the run may differ from the one before, and from what its models were judged on.
    pub limits: Option<LimitsDecl>,
    /// What is published, and under which disclosure rule.
    #[serde(default)]
    pub publish: PublishDecl,
    /// Re-computation of a sample of people by the second implementation; absent means one in 1000.
    #[serde(default = "one_in_a_thousand")]
    pub self_check: Option<SelfCheckDecl>,
}

/// A run that says nothing of it still checks itself; only `one_in = 0` turns it off.
fn one_in_a_thousand() -> Option<SelfCheckDecl> {
    Some(SelfCheckDecl { one_in: 1000 })
}

/// Why a run that writes lists needs no opt-out source.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OptOutsDecl {
    /// For example "synthetic people"; printed in the receipt.
    pub none_because: String,
}

/// What a run publishes.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PublishDecl {
    /// Formats of the cohort lists: at least one, each once.
    pub formats: Vec<ListFormat>,
    /// The rule by which counts reach `aggregate/`.
    pub disclosure: DisclosureRule,
    /// For `fhir`: the URI of the system that the tokens belong to, for example `https://icb.example.nhs.uk/id/outreach`.
    pub identifier_system: Option<String>,
}

impl Default for PublishDecl {
    fn default() -> Self {
        Self { formats: vec![ListFormat::Csv], disclosure: DisclosureRule::Hes2018, identifier_system: None }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum DisclosureRule {
    /// 0 shown, 1 to 7 as `*`, the rest to the nearest 5 (NHS Digital, HES and ECDS sub-national counts, 2018).
    #[serde(rename = "hes-2018")]
    Hes2018,
    /// Below 5 as `*`, the rest to the nearest 5 (MHSDS monthly statistics).
    #[serde(rename = "mhsds")]
    Mhsds,
    /// 0 to 7 as `*`, the rest to the nearest 5 (OpenSAFELY output checking).
    #[serde(rename = "opensafely")]
    OpenSafely,
    /// 1 to 4 as `*`, the rest as they are, with further counts hidden where a small one could be worked out.
    #[serde(rename = "below-5")]
    Below5,
    /// 1 to 9 as `*`, the rest as they are, with further counts hidden where a small one could be worked out.
    #[serde(rename = "threshold-10")]
    Threshold10,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SelfCheckDecl {
    /// One person in this many is scored a second time by the plain implementation; 0 turns it off.
    pub one_in: u32,
}
