//! What lists show, to whom, in which formats; and which scores are probabilities.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A format of the cohort lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ListFormat {
    /// For spreadsheets: UTF-8 with a byte-order mark, no cell that could run as a formula.
    Csv,
    /// A workbook with typed cells, ready to print.
    Xlsx,
    /// For programs, and for `riskstrat release`; always written.
    Parquet,
    /// FHIR R4, one resource a line: a Group, a List, and a `RiskAssessment` a person.
    Fhir,
    /// The tokens of those who have a place, one a line, for clinical systems.
    Ids,
    /// HTML to print for a team's huddle.
    Worklist,
}

impl ListFormat {
    pub const ALL: [Self; 6] = [Self::Csv, Self::Xlsx, Self::Parquet, Self::Fhir, Self::Ids, Self::Worklist];

    /// As a run file writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
            Self::Parquet => "parquet",
            Self::Fhir => "fhir",
            Self::Ids => "ids",
            Self::Worklist => "worklist",
        }
    }
}

/// Who reads a list: what their work needs, and no more.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecipientRoleDecl {
    /// In plain words: "Care coordinator".
    pub title: String,
    /// Features, scores and demographic items; `admissions_*` takes all that begin so. Rank, reasons and the like are on
    /// every list; a reason that rests on anything else than these is not given.
    pub may_see: Vec<String>,
}

impl RecipientRoleDecl {
    /// Whether a feature, score or item may be on the role's lists; a score is seen with its band and its change.
    pub fn sees(&self, name: &str) -> bool {
        let score = ["_band", "_change"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
        self.may_see.iter().any(|pattern| matches(pattern, name) || matches(pattern, score))
    }
}

/// Whether a pattern of `may_see` is about a name.
pub(crate) fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(begin) => name.starts_with(begin),
        None => name == pattern,
    }
}

/// What to do for some of the people of a cohort.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ActionDecl {
    /// SQL predicate over features and scores.
    pub when: String,
    /// What to do, in plain words.
    #[serde(rename = "do")]
    pub what: String,
}

/// The score is a probability, which lists say in words: "about 1 in 4 in the next 12 months".
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProbabilityDecl {
    /// Of what, in plain words: "an emergency admission to hospital".
    pub of: String,
    /// From the as-of date on: "12 months".
    pub within: String,
    /// Where the model is calibrated, ends included: beyond, a list says "less than" or "more than" (default 0.01 to 0.9).
    #[serde(default = "one_in_a_hundred_to_nine_in_ten")]
    pub calibrated: [f64; 2],
}

fn one_in_a_hundred_to_nine_in_ten() -> [f64; 2] {
    [0.01, 0.9]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_sees_what_is_named_and_what_begins_so() {
        let may_see = ["age_years", "admissions_*", "risk"].map(str::to_owned).into();
        let role = RecipientRoleDecl { title: "Care coordinator".to_owned(), may_see };
        for seen in ["age_years", "admissions_emergency_12m", "risk", "risk_band"] {
            assert!(role.sees(seen), "{seen}");
        }
        for hidden in ["age", "age_years_max", "hiv_admissions_12m", "risky", "imd_decile"] {
            assert!(!role.sees(hidden), "{hidden}");
        }
    }
}
