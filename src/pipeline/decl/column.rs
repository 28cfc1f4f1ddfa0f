//! How delivered columns become ours, and what a source says about a person.

use indexmap::IndexMap;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::OneOrMany;

/// How one of our columns is made from delivered ones: by `from`, by `expr`, or by `lookup`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ColumnDecl {
    /// Delivered column; several, or a pattern such as "DIAG_*", make a list column.
    pub from: Option<OneOrMany>,
    /// SQL over delivered columns (all text in CSV) and `_file`, the file's name.
    pub expr: Option<String>,
    /// A lookup source; needs `by` and `column`. A lookup source itself has none.
    pub lookup: Option<String>,
    /// Our column that holds the lookup's key: declared before this one, of the type and code system of that key.
    pub by: Option<String>,
    /// The lookup's column.
    pub column: Option<String>,
    #[serde(rename = "type")]
    pub kind: ColumnType,
    /// The row may have no value here. A list may always be empty, whether or not this is said.
    #[serde(default)]
    pub optional: bool,
    /// The delivered file may lack the column altogether.
    #[serde(default)]
    pub may_be_absent: bool,
    /// `strftime` formats of dates and datetimes in text, tried in turn (default ISO 8601).
    pub format: Option<OneOrMany>,
    /// Dates before this are bad.
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub not_before: Option<Date>,
    /// Dates after this are bad.
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub not_after: Option<Date>,
    /// ISO dates that stand for "missing", whatever the `format` (default 1900-01-01 and 9999-12-31).
    pub placeholders: Option<Vec<String>>,
    /// Plausible range of a number, both ends included.
    pub between: Option<[f64; 2]>,
    /// Decimal places kept (default 4); further digits are rounded half to even.
    pub places: Option<u8>,
    /// Code system of a `code`.
    pub system: Option<CodeSystem>,
    /// Our category by delivered values.
    #[serde(default)]
    pub map: IndexMap<String, Vec<String>>,
    /// Category of every other value; without it an unknown value is bad.
    pub otherwise: Option<String>,
    /// Delivered values of a boolean.
    pub yes: Option<Vec<String>>,
    pub no: Option<Vec<String>>,
    /// What a bad value does: sets the row aside, or is blanked and counted (default for the items of a list).
    pub on_bad: Option<OnBadValue>,
    /// Unit, for people who read.
    pub unit: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnBadValue {
    SetAside,
    Blank,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ColumnType {
    Pseudonym,
    #[default]
    Text,
    Integer,
    Decimal,
    Boolean,
    Date,
    /// An instant or a local time; kept as civil London time.
    Datetime,
    Category,
    Code,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CodeSystem {
    Icd10,
    Icd9,
    Snomed,
    Ctv3,
    Opcs4,
    Dmd,
    Bnf,
    Loinc,
    Ods,
    Lsoa,
    /// Codes of your own: taken as they are sent, white space around them left out.
    Local,
}

/// What a source says about one demographic item.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DemographicDecl {
    /// Delivered column; of one that holds moments, those at midnight say a day.
    pub from: Option<String>,
    /// SQL over delivered columns that yields text.
    pub expr: Option<String>,
    /// Value set (`valuesets/<name>.csv`); without one the item's own rule decides.
    pub values: Option<String>,
}
