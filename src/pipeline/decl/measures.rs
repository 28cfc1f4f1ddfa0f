//! Measures of what care does: webs of care, diversions, impact, demand. A file holds any of them, by name.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::SignOff;

/// A file of measures.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MeasuresDecl {
    pub title: String,
    /// How tangled the care of each person is.
    #[serde(default)]
    pub webs: IndexMap<String, WebDecl>,
    /// Emergencies that were kept out of a hospital bed.
    #[serde(default)]
    pub diversions: IndexMap<String, DiversionDecl>,
    /// What followed on the lists that were sent.
    #[serde(default)]
    pub impact: IndexMap<String, ImpactDecl>,
    /// What the risk of the people implies for the weeks to come.
    #[serde(default)]
    pub demand: IndexMap<String, DemandDecl>,
    pub signed_off: SignOff,
}

/// What a measure is called, and what is printed beside its numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DefinitionDecl {
    pub title: String,
    /// Changes whenever what is counted changes: numbers of two versions are not compared.
    pub version: String,
    /// What is counted, in plain words.
    pub says: String,
    /// What the numbers do not say, in plain words.
    pub caveats: Vec<String>,
}

/// Rows of a source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RowsDecl {
    /// An events or feedback source.
    pub of: String,
    /// SQL predicate over the source's declared columns; without it every row counts.
    #[serde(rename = "where")]
    pub filter: Option<String>,
}

/// Who was in contact with a person, and how often the contact changed hands.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WebDecl {
    pub definition: DefinitionDecl,
    /// How far back contacts count: "12 months"; never "ever".
    pub within: String,
    /// What a provider is in the indices of continuity and in hand-offs.
    pub provider: Provider,
    pub contacts: Vec<ContactDecl>,
    /// Which contacts are assessments, and when another one repeats them.
    pub assessments: Option<AssessmentsDecl>,
    /// Features by whose values fragmentation is compared.
    #[serde(default)]
    pub by: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    Organisation,
    /// A team of an organisation; the same team name in two organisations is two providers.
    Team,
}

/// Rows of a source that are contacts. The setting is the source's own.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContactDecl {
    /// An events source with a `setting`.
    pub of: String,
    /// SQL predicate over the source's declared columns; without it every row is a contact.
    #[serde(rename = "where")]
    pub filter: Option<String>,
    /// Our column that names the organisation.
    pub organisation: Option<String>,
    /// Our column that names the team.
    pub team: Option<String>,
    /// Value set (`valuesets/<name>.csv`) whose labels name the teams in pictures; others are shown as they are recorded.
    pub team_names: Option<String>,
}

/// An assessment is repeated when another provider assesses the same person again soon after.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AssessmentsDecl {
    pub rows: Vec<ContactDecl>,
    /// In days: "90 days".
    pub again_within: String,
}

/// Emergencies that did not become a bed and were followed by care at home, and whether that was safe.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DiversionDecl {
    pub definition: DefinitionDecl,
    /// So many whole calendar months, the last of which has its longest follow-up behind it.
    pub months: u32,
    pub emergencies: Vec<EmergencyDecl>,
    /// Emergencies of one person so soon after the first are one: "24 hours".
    pub one_emergency_within: String,
    /// Stays in a hospital bed, from `date` to `end`.
    pub beds: Vec<RowsDecl>,
    /// A bed so soon after the emergency means that it was not kept out: "48 hours".
    pub no_bed_within: String,
    /// Care at home.
    pub care_at_home: Vec<RowsDecl>,
    /// It begins at most so long after the emergency: "3 days".
    pub care_within: String,
    /// What is a failure of safety, beside a death.
    pub failures: Vec<RowsDecl>,
    /// After how long safety is looked at, in days, shortest first: ["7 days", "30 days"].
    pub safe_for: Vec<String>,
}

/// Rows of a source that are emergencies.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EmergencyDecl {
    pub of: String,
    #[serde(rename = "where")]
    pub filter: Option<String>,
    /// Our column that names the place in which it is counted.
    pub place: Option<String>,
}

/// What followed on earlier lists, by three comparisons and one that is shown only beside them.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImpactDecl {
    pub definition: DefinitionDecl,
    /// Cohorts by name; without it all of the run.
    #[serde(default)]
    pub cohorts: Vec<String>,
    /// Lists that were sent so long ago or less: "24 months".
    pub within: String,
    /// How long after a list outcomes count: "90 days".
    pub follow_up: String,
    /// What is counted after a list, by name.
    pub outcomes: IndexMap<String, OutcomeRowsDecl>,
    /// The outcome by which the lists are judged, chosen before anything is known of it; the others are secondary.
    pub primary: String,
    /// Rows that say that the person was reached.
    pub reached: RowsDecl,
    /// The column of those rows' source that says what came of it: outcomes are told by its values.
    pub by: String,
    /// The column of the same source that says why, a category: outcomes are told by its values too.
    pub reason: Option<String>,
    pub discontinuity: DiscontinuityDecl,
    pub matched: MatchedDecl,
}

/// Rows that are counted after a list.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OutcomeRowsDecl {
    /// "Emergency admissions"
    pub label: String,
    pub of: String,
    #[serde(rename = "where")]
    pub filter: Option<String>,
    /// Days from `date` to `end` are counted, not rows.
    #[serde(default)]
    pub days: bool,
}

/// People on both sides of the cut.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DiscontinuityDecl {
    /// So many ranks on either side are compared; nearer ones weigh more.
    pub ranks: u32,
}

/// People off the list who are like those on it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MatchedDecl {
    /// The score or feature (a number) by which the nearest are taken.
    pub nearest: String,
    /// Nobody further away than this is taken.
    pub at_most: f64,
    /// Features that must be the same.
    #[serde(default)]
    pub same: Vec<String>,
}

/// Expected events in the weeks to come.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DemandDecl {
    pub definition: DefinitionDecl,
    /// A model of the run that is a probability.
    pub risk: String,
    /// The events that the risk is of, within so long: of an admission in "12 months".
    pub predicts: RowsDecl,
    pub within: String,
    /// Weeks to come, from the as-of date.
    pub weeks: u32,
    /// Features that name places, practices, organisations.
    pub by: Vec<String>,
    /// What is expected, by name.
    pub events: IndexMap<String, OutcomeRowsDecl>,
    /// Percent of weeks that the intervals are to hold.
    pub interval_percent: u32,
    pub scenario: Option<ScenarioDecl>,
}

/// What reaching some people would come to, if it averted so much.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScenarioDecl {
    /// People with the highest risk.
    pub reach: u32,
    /// Percent of their events that would not happen.
    pub averts_percent: f64,
    /// Where that percentage comes from.
    pub because: String,
}
