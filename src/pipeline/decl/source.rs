//! Where the rows of a source are, what one row is, and what the rows are to a person.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ColumnDecl, DemographicDecl, OneOrMany};

/// A source: where the rows are, what one row is, and how their columns become ours.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceDecl {
    pub title: String,
    #[serde(default)]
    pub role: Role,
    /// The care setting that recorded the rows.
    pub setting: Option<Setting>,
    /// For example "one hospital spell".
    pub one_row_is: String,
    /// A file, folder or glob below the deliveries folder: `.parquet`, `.csv`, `.csv.gz`.
    pub files: OneOrMany,
    /// Whose tokens the column `person` holds.
    #[serde(default)]
    pub tokens: Tokens,
    /// Column names (ours) that identify a row; of duplicates the one last `recorded` is kept.
    #[serde(default)]
    pub key: Vec<String>,
    /// Under which law or agreement the rows are used; printed on every output.
    pub legal_basis: String,
    #[serde(default)]
    pub on_bad_row: OnBadRow,
    /// More than this share of bad rows stops the run.
    #[serde(default)]
    pub max_bad_share: f64,
    /// What to do with a CSV row that has more or fewer fields than the header.
    #[serde(default)]
    pub ragged_rows: RaggedRows,
    /// The CSV field separator: one ASCII character, neither a quote nor the end of a line.
    #[serde(default = "comma")]
    pub delimiter: char,
    /// Cells that mean "nothing was recorded", beside the empty one.
    #[serde(default)]
    pub blank_values: Vec<String>,
    /// The newest row may be at most this old at the as-of date; older stops the run (exit 3). Needs a column `date` or
    /// `recorded`; opt-outs and what an exclusion reads must say it.
    pub max_age: Option<String>,
    /// Older than this, the newest row still counts, but every list that is made with it is marked. Needs a column
    /// `date` or `recorded`, and is less than `max_age`.
    pub stale_after: Option<String>,
    /// How often a new delivery is due: the same files for so long stop a run that remembers (exit 3).
    pub every: Option<String>,
    /// Who sent a row: one that sends nothing any more is missed in a run that remembers.
    pub provider: Option<ProviderDecl>,
    /// Our text, category or code column that names who recorded a row: the audit counts by it. Default: the column of
    /// `provider`.
    pub recorded_by: Option<String>,
    /// A delivery without rows is a fact, not a fault.
    #[serde(default)]
    pub may_be_empty: bool,
    /// Delivered columns that are known and not used: no warning for them.
    #[serde(default)]
    pub ignore: Vec<String>,
    /// For a lookup: at most one row a key (`one`), which is enforced.
    pub rows_per_key: Option<RowsPerKey>,
    /// For a lookup: the edition of what it holds, for example "IMD 2019 on LSOA 2011".
    pub edition: Option<String>,
    /// Our columns, in order; `person`, `date`, `end`, `recorded`, `start`, `birth_date`, `death_date`, `left_date` have
    /// a meaning; with `tokens = "recipient"` also `recipient`, and in a register `test_person` (true or false).
    pub columns: IndexMap<String, ColumnDecl>,
    /// What this source says about the person: the evidence of the audit.
    #[serde(default)]
    pub demographics: IndexMap<String, DemographicDecl>,
}

/// Who sent a row, and whose people they are.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProviderDecl {
    /// Our text, category or code column that names the sender.
    pub column: String,
    /// The column of a register that names the same sender for a person: without rows of it, its people are on no list.
    /// Where no register says it, a sender that is missed stops the run.
    pub people: Option<String>,
}

fn comma() -> char {
    ','
}

impl SourceDecl {
    /// The delimiter as the byte that parts fields; none when it cannot part any.
    pub fn separator(&self) -> Option<u8> {
        let separator = u8::try_from(self.delimiter).ok().filter(u8::is_ascii);
        separator.filter(|byte| !matches!(byte, b'"' | b'\n' | b'\r' | b'\0'))
    }
}

/// Whose tokens a source uses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Tokens {
    /// The ones that all sources share.
    #[default]
    Source,
    /// In rows that name a `recipient`, those that `riskstrat release` issued to it; they are taken back to the person's
    /// own. Rows without a recipient hold the ones that all sources share.
    Recipient,
}

/// What the rows of a source are to a person.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Who is registered: one or many dated rows a person.
    Register,
    /// Something that happened to a person on a date.
    #[default]
    Events,
    /// People who must be in no output.
    OptOut,
    /// People who may be used: everyone else counts as opted out.
    AllowList,
    /// Tokens of test persons, who are nobody: in no list and in no count of people.
    TestPeople,
    /// What a hub did with an earlier list; otherwise like events.
    Feedback,
    /// Facts by a key other than the person (practice, LSOA).
    Lookup,
    /// Old token to new token.
    Superseded,
}

impl Role {
    /// Who objects, who may be used, who is a test: rows that settle who is on the spine, and count from their own day on.
    pub fn names_people(self) -> bool {
        matches!(self, Self::OptOut | Self::AllowList | Self::TestPeople)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Setting {
    Primary,
    Acute,
    Urgent,
    Community,
    MentalHealth,
    Social,
    Hub,
}

impl Setting {
    /// In plain words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Primary => "primary care",
            Self::Acute => "acute hospitals",
            Self::Urgent => "urgent care",
            Self::Community => "community health services",
            Self::MentalHealth => "mental health services",
            Self::Social => "social care",
            Self::Hub => "care coordination hubs",
        }
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnBadRow {
    #[default]
    SetAside,
    Stop,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RaggedRows {
    /// A bad row.
    #[default]
    SetAside,
    /// Surplus fields are dropped when they are blank, otherwise a bad row.
    DropBlankSurplus,
    /// Fields missing at the end of a row are blank; surplus ones make a bad row.
    BlankMissing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RowsPerKey {
    One,
}
